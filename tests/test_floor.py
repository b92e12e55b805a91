"""The floor: under it the M-step is exact, it biases nothing above it, and who is held up by it is named."""

import re
import warnings

import numpy as np
import pytest
from scipy import stats
from sklearn import mixture as peer
from sklearn.decomposition import PCA
from sklearn.exceptions import ConvergenceWarning
from structures import covariances, each_structure, written_out

from emlib import (
    EMWarning,
    Gaussian,
    GaussianMixture,
    Mixture,
    checks,
    datasets,
    fit,
    fit_best,
    select,
    start,
)

BLOBS = datasets.skewed_blobs().X


def quietly(work):
    """What `work()` returns, whatever it warns of."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return work()


# The clip is the exact maximum --------------------------------------------------------------------------------


def expected_log_likelihood(counts, means, scatters, candidate_means, matrices):
    """Sum over k of the expected log-density of the points, but for constants, by the textbook.

    `scatters` (K, D, D) are sums of squares about the weighted `means`.
    """
    total = 0.0
    for n, mean, scatter, at, matrix in zip(counts, means, scatters, candidate_means, matrices, strict=True):
        about = scatter + n * np.outer(mean - at, mean - at)
        total -= 0.5 * (n * np.linalg.slogdet(matrix)[1] + np.trace(np.linalg.solve(matrix, about)))
    return total


def raised(matrices, floor):
    """Feasible covariances near any: S >= diag(floor), which adds what is missing in units of the floor."""
    unit = np.sqrt(floor)
    values, vectors = np.linalg.eigh(matrices / np.outer(unit, unit))
    return np.einsum("kij,kj,klj->kil", vectors, np.maximum(values, 1), vectors) * np.outer(unit, unit)


def feasible(structure, matrices, floor, rng, size):
    """Random covariances of a structure, nowhere below the floor: these ones moved by about `size`, in logarithms."""
    K, D = matrices.shape[:2]
    noise = size * rng.standard_normal((K, D, D))
    noise = noise + noise.transpose(0, 2, 1)
    if structure == "tied":
        noise[:] = noise[0]
    if structure in ("diag", "spherical"):
        variances = np.diagonal(matrices, axis1=1, axis2=2) * np.exp(np.diagonal(noise, axis1=1, axis2=2))
        if structure == "spherical":
            variances = np.repeat(np.maximum(variances[:, :1], floor.max()), D, axis=1)
        return np.maximum(variances, floor)[:, :, None] * np.eye(D)
    values, vectors = np.linalg.eigh(noise)
    turn = np.einsum("kij,kj,klj->kil", vectors, np.exp(values / 2), vectors)
    return raised(turn @ matrices @ turn.transpose(0, 2, 1), floor)


def some_shares(seed, N=60, K=3, D=3):
    """Points, flatter in some directions than in others, and how much each counts for each component."""
    rng = np.random.default_rng(seed)
    turn = np.linalg.qr(rng.standard_normal((D, D)))[0]
    X = rng.standard_normal((N, D)) * [0.1, 0.5, 2] @ turn
    return X, rng.dirichlet(np.full(K, 0.5), size=N) * rng.uniform(0.2, 3, size=(N, 1)), rng


@each_structure
@pytest.mark.parametrize("per_feature", [False, True], ids=["one floor", "one for each feature"])
@pytest.mark.parametrize("seed", range(4))
def test_no_feasible_covariance_is_better_than_the_clipped_one(structure, per_feature, seed):
    X, resp, rng = some_shares(seed)
    K, D = resp.shape[1], X.shape[1]
    counts = resp.sum(axis=0)
    means = resp.T @ X / counts[:, None]
    scatters = np.einsum("nk,nki,nkj->kij", resp, X[:, None] - means, X[:, None] - means)
    free = Gaussian.from_responsibilities(X, resp, structure=structure).matrices
    variances = np.diagonal(free, axis1=1, axis2=2).mean(axis=0)

    # A floor that has something to do, but not all: half of the eigenvalues are below it.
    floor = variances * rng.uniform(0.3, 3, size=D) if per_feature else np.ones(D)
    of_all = np.full(D, floor.max()) if structure == "spherical" else floor
    known = np.unique(np.linalg.eigvalsh(free / np.sqrt(np.outer(of_all, of_all))).round(12))
    floor *= np.sqrt(known[len(known) // 2 - 1] * known[len(known) // 2])
    unit = np.sqrt(floor)
    best = Gaussian.from_responsibilities(
        X, resp, structure=structure, floor=floor if per_feature else floor[0]
    )
    assert np.linalg.eigvalsh(best.matrices / np.outer(unit, unit)).min() > 1 - 1e-12  # it is feasible itself
    assert np.abs(best.matrices - free).max() > 1e-3

    height = expected_log_likelihood(counts, means, scatters, best.means, best.matrices)
    for number in range(400):
        size = 10.0 ** rng.uniform(-4, 0.3)  # near the answer and far from it
        around = best.matrices if number % 2 else np.tile(variances.mean() * np.eye(D), (K, 1, 1))
        others = feasible(structure, around, floor, rng, size)
        at = best.means + (number % 3 == 0) * size * unit * rng.standard_normal((K, D))
        other = expected_log_likelihood(counts, means, scatters, at, others)
        assert other <= height + 1e-11 * counts.sum()
    # An added variance is feasible, too, and worse.
    added = free + (floor.max() if structure == "spherical" else floor) * np.eye(D)
    assert expected_log_likelihood(counts, means, scatters, means, added) < height - 1e-3


@each_structure
def test_covariances_above_the_floor_are_left_as_they_are(structure):
    X, resp, _ = some_shares(0)
    free = Gaussian.from_responsibilities(X, resp, structure=structure)
    low = Gaussian.from_responsibilities(X, resp, structure=structure, floor=1e-9)
    np.testing.assert_array_equal(low.covariances, free.covariances)


@each_structure
@pytest.mark.parametrize("floor", [0.3, [0.05, 2.0]], ids=["one", "per feature"])
def test_a_floored_fit_never_falls(structure, floor):
    X = np.random.default_rng(3).permutation(BLOBS) / 5
    for seed in range(5):
        first = start.from_data(X, 4, np.random.default_rng(seed), structure=structure, floor=floor)
        trace = quietly(lambda first=first: fit(first, X, tol=0, max_iter=80))
        assert trace.stop.reason == "max_iter"
        assert checks.monotone(trace).startswith("never falls")
        unit = np.sqrt(np.full(2, floor))
        for model in trace.models:
            assert np.linalg.eigvalsh(model.components.matrices / np.outer(unit, unit)).min() > 1 - 1e-12


def test_a_start_below_its_floor_is_raised_to_it():
    """Else its objective would be higher than any that the floor allows, and the first step a fall."""
    parts = Gaussian([[0, 0], [6, 6]], [1.0, 5.0], "spherical", floor=[1.0, 3.0])
    np.testing.assert_array_equal(parts.covariances, [3, 5])
    full = Gaussian([[0, 0]], [[[1.0, 0.9], [0.9, 1.0]]], floor=0.5)
    # Eigenvalues .1 and 1.9: the first becomes .5.
    np.testing.assert_allclose(full.covariances[0], [[1.2, 0.7], [0.7, 1.2]], rtol=1e-14)
    checks.monotone(quietly(lambda: fit(Mixture([0.5, 0.5], parts), BLOBS / 3)))
    known = Gaussian([[0, 0]], [[[1.0, 0.9], [0.9, 1.0]]], floor=0.5, fixed="covariances")
    np.testing.assert_array_equal(known.covariances[0], [[1.0, 0.9], [0.9, 1.0]])
    with pytest.raises(ValueError, match="not positive definite"):
        Gaussian([[0, 0]], [[[1.0, 2.0], [2.0, 1.0]]], floor=0.5)


@each_structure
@pytest.mark.parametrize("thin", [0, 1, 2])
def test_densities_of_clipped_components_are_scipys(structure, thin):
    """Also where an axis is an eigenvector, so that the whitener is mostly zeros."""
    rng = np.random.default_rng(0)
    for correlated in (False, True):
        matrix = np.diag([2.0, 3.0, 4.0])
        one, two = np.delete(np.arange(3), thin)
        matrix[one, two] = matrix[two, one] = 0.7 * correlated
        matrix[thin, thin] = 1e-9
        given = covariances(structure, np.stack([matrix, np.eye(3)]))
        parts = Gaussian(rng.standard_normal((2, 3)), given, structure, floor=[0.5, 0.6, 0.7])
        X = rng.standard_normal((20, 3))
        wanted = [
            stats.multivariate_normal(m, C).logpdf(X)
            for m, C in zip(parts.means, parts.matrices, strict=True)
        ]
        np.testing.assert_allclose(parts.log_density(X), np.transpose(wanted), rtol=1e-12)
        np.testing.assert_allclose(
            np.linalg.inv(parts.matrices), written_out(structure, parts.precisions, 2, 3), atol=1e-12
        )
        draws = parts.sample(np.zeros(40_000, dtype=int), rng) - parts.means[0]
        # Five standard errors of a sample covariance, whose variance is (C_ij^2 + C_ii C_jj) / n.
        C = parts.matrices[0]
        assert (
            np.abs(np.cov(draws.T) - C) < 5 * np.sqrt((C**2 + np.outer(np.diag(C), np.diag(C))) / 40_000)
        ).all()


@each_structure
def test_a_ridge_is_added_first_and_then_clipped(structure):
    rng, labels = np.random.default_rng(0), np.repeat([0, 1], 50)
    X = rng.standard_normal((100, 3)) * [1, 0.2, 0.3] + 5 * labels[:, None]
    resp = np.eye(2)[labels]
    free = Gaussian.from_responsibilities(X, resp, structure=structure).matrices
    least = np.linalg.eigvalsh(free).min()
    above = free + 0.5 * least * np.eye(3)
    for floor in (1.2 * least, 2 * least):  # below and above what the ridge makes of the least variance
        options = {"structure": structure, "ridge": 0.5 * least, "floor": floor}
        both = Gaussian.from_responsibilities(X, resp, **options)
        np.testing.assert_allclose(both.matrices, raised(above, np.full(3, floor)), rtol=1e-11, atol=1e-13)
        # Whom the ridge has lifted above the floor, and whose points are not flat, is not held up.
        held_up = both.held_up(both.collect(X, resp))
        np.testing.assert_array_equal(held_up, np.flatnonzero(both.at_floor()))
        assert bool(len(held_up)) == (floor > 1.5 * least)


def test_under_the_same_floor_a_clipped_covariance_stays_as_it_is():
    """Its matrix alone knows the small eigenvalues less well."""
    rng = np.random.default_rng(0)
    for _ in range(20):
        X = rng.standard_normal((50, 2)) @ rng.standard_normal((2, 3)) + 1e-7 * rng.standard_normal((50, 3))
        parts = Gaussian.from_responsibilities(X, np.ones((50, 1)), floor=1e-10)
        again = parts.under(floor=1e-10, ridge=0.5)
        np.testing.assert_array_equal(again.log_density(X), parts.log_density(X))
        assert (again.ridge, parts.ridge) == (0.5, 0)
    higher = parts.under(floor=0.01)
    np.testing.assert_allclose(np.linalg.eigvalsh(higher.matrices)[:, 0], 0.01, rtol=1e-9)
    assert parts.under(floor=0).floor is None


@pytest.mark.parametrize("structure", ["full", "tied"])
def test_a_floor_too_low_for_the_arithmetic_still_leaves_no_nan(structure):
    """A matrix with no Cholesky factor, whose least eigenvalue rounding has put above the floor."""
    for seed in range(300):
        rng = np.random.default_rng(seed)
        root = rng.standard_normal((1, 4, 2)) * 1e6  # of rank two
        X = rng.standard_normal((30, 2)) @ root[0].T
        parts = Gaussian.from_responsibilities(X, np.ones((30, 1)), structure=structure, floor=1e-9)
        assert np.isfinite(parts.log_density(X)).all()


# No fall ------------------------------------------------------------------------------------------------------


def careless(seed, **options):
    """One of forty starts: means anywhere, with a variance of 5."""
    means = np.random.RandomState(seed).randint(-20, 26, size=(3, 2))
    return Mixture([1 / 3] * 3, Gaussian(means, [5 * np.eye(2)] * 3, **options))


@pytest.mark.parametrize("floor", [1e-6, 1e-2, "relative"])
def test_forty_careless_starts_never_fall_under_a_floor(floor):
    floor = start.usual_floor(BLOBS) if floor == "relative" else floor
    for seed in range(40):
        trace = fit(careless(seed, floor=floor), BLOBS, tol=0, max_iter=200, keep="values")
        assert trace.stop.reason == "max_iter"
        assert checks.monotone(trace).startswith("never falls")


def test_a_ridge_makes_one_of_them_fall_and_is_not_checked():
    """The worst of the forty loses .0023 nats at its 48th step."""
    trace = fit(careless(27, ridge=1e-2), BLOBS, tol=0, max_iter=60, keep="values")
    assert np.diff(trace.objectives).min() == pytest.approx(-0.0023, abs=5e-5)
    assert "not checked: these M-steps added a ridge" in checks.monotone(trace)
    assert trace.stop.reason == "max_iter"


@pytest.mark.parametrize("noise", [1e-6, 1e-5])
@pytest.mark.parametrize("gap", [0.0, 1.0, 3.0])
def test_nearly_collinear_components_of_many_points_never_fall(noise, gap):
    """Whitened by a Cholesky factor of the clipped matrix, these fits would fall by .01 to .1 nats."""
    rng, half = np.random.default_rng(0), 50_000
    a, b, off = rng.standard_normal((3, half, 1))
    X = np.vstack([np.hstack([a, a + noise * off]), np.hstack([b, -b + noise * off[::-1]]) + gap])
    floor = start.usual_floor(X)
    first = start.from_data(X, 2, np.random.default_rng(1), floor=floor)
    trace = fit(first, X, tol=0, max_iter=40, keep="values")
    assert trace.stop.reason == "max_iter"
    checks.monotone(trace, noise=1e-7)  # rounding itself is some 1e-9 of a nat here
    assert trace.model.components.at_floor().all()


# The default biases nobody, and says who is held up -----------------------------------------------------------


def default(X, K, structure="full", **keywords):
    """A fit of the façade's, quiet."""
    gmm = GaussianMixture(K, covariance_type=structure, random_state=0, tol=1e-6, max_iter=1000, **keywords)
    return quietly(lambda: gmm.fit(X))


def errors_of_deviations(gmm, X, labels):
    """How far the fitted standard deviations are from those of each cluster's own points, relatively."""
    found = np.sqrt(gmm.mixture_.components.variances)
    own = gmm.predict(X)
    return [
        found[np.bincount(own[labels == c]).argmax()] / X[labels == c].std(axis=0) - 1
        for c in np.unique(labels)
    ]


@pytest.mark.parametrize("structure", ["full", "diag", "spherical"])
def test_three_peaks_forty_thousand_widths_apart(structure):
    rng = np.random.default_rng(0)
    X = np.concatenate([rng.normal(centre, 0.01, 200) for centre in (100, 500, 900)])[:, None]
    gmm = default(X, 3, structure)
    assert gmm.converged_
    assert np.abs(np.sqrt(gmm.mixture_.components.variances) / 0.01 - 1).max() < 0.11  # two standard errors
    assert np.abs(errors_of_deviations(gmm, X, np.repeat([0, 1, 2], 200))).max() < 1e-6
    theirs = peer.GaussianMixture(3, covariance_type=structure, random_state=0, tol=1e-6).fit(X)
    np.testing.assert_allclose(
        np.sort(gmm.covariances_, axis=0), np.sort(theirs.covariances_, axis=0), rtol=0.02
    )


@pytest.mark.parametrize("unit", [1.0, 1e-6, 1e7])
def test_a_sweep_over_such_peaks_finds_three(unit):
    rng = np.random.default_rng(0)
    X = unit * np.concatenate([rng.normal(centre, 0.01, 200) for centre in (100, 500, 900)])[:, None]
    found = select.sweep(X, range(1, 6), "full", rng=rng, n_init=3, progress=False)
    for criterion in ("bic", "icl"):
        assert found.best(criterion).K == 3
    assert found.rows[2].stop.converged
    deviations = np.sqrt(found.rows[2].mixture.components.variances)
    assert np.abs(deviations / (0.01 * unit) - 1).max() < 0.11  # two standard errors


@pytest.mark.parametrize("structure", ["full", "diag", "spherical"])
def test_a_sentinel_among_honest_points_biases_no_variance_and_is_named(structure):
    x = np.random.default_rng(0).normal(size=400)
    X = np.append(x, -9999)[:, None]
    gmm = GaussianMixture(2, covariance_type=structure, random_state=0)
    with pytest.warns(
        ConvergenceWarning, match="keeps component . from collapsing, on 1 of the points: use fewer"
    ):
        gmm.fit(X)
    assert gmm.stop_.reason == "collapsed"
    honest = gmm.predict([[0.0]])[0]
    assert f"component {1 - honest} from" in gmm.stop_.message
    assert gmm.mixture_.components.variances[honest, 0] == pytest.approx(x.var(), rel=0.01)


def blobs(gap):
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1], 200)
    return gap * labels[:, None] + rng.standard_normal((400, 2)), labels, rng


@pytest.mark.parametrize("structure", ["full", "diag"])
def test_features_of_very_different_scales(structure):
    X, labels, _ = blobs(20)
    X = X * [1, 1e4]
    gmm = default(X, 2, structure)
    assert gmm.converged_
    assert np.abs(errors_of_deviations(gmm, X, labels)).max() < 1e-6


@pytest.mark.parametrize("noise", [1e-2, 1e-3, 3e-4])
def test_nearly_collinear_features(noise):
    Z, labels, rng = blobs(20)
    X = np.column_stack([Z[:, 0], Z[:, 0] + noise * rng.standard_normal(400)])
    gmm = default(X, 2)
    assert gmm.converged_
    assert np.abs(errors_of_deviations(gmm, X, labels)).max() < 1e-6
    # The thin direction, too: the deviation of the difference of the columns.
    thin = np.einsum("i,kij,j->k", [1, -1], gmm.covariances_, [1, -1])
    for k in range(2):
        own = X[gmm.predict(X) == k]
        assert np.sqrt(thin[k]) == pytest.approx((own[:, 0] - own[:, 1]).std(), rel=2e-3)


def test_features_more_nearly_collinear_than_the_floor_knows_are_named():
    Z, _, rng = blobs(20)
    x = Z[:, 0]  # of deviation 10: the floor's is 1e-4
    with pytest.warns(EMWarning, match="^columns 0 and 1 are not independent"):
        GaussianMixture(2, random_state=0).fit(np.column_stack([x, x + 1e-5 * rng.standard_normal(400)]))


@each_structure
@pytest.mark.parametrize("X", [datasets.old_faithful().X, BLOBS], ids=["geyser", "blobs"])
def test_on_ordinary_data_the_default_is_no_floor_at_all(structure, X):
    floored, free = default(X, 3, structure), default(X, 3, structure, floor=0)
    np.testing.assert_array_equal(floored.covariances_, free.covariances_)
    assert floored.stop_.reason == free.stop_.reason


@pytest.mark.parametrize("structure", ["full", "diag", "spherical"])
def test_a_cluster_narrower_than_the_floor_is_held_up_and_named_with_its_points(structure):
    rng = np.random.default_rng(0)
    X = np.concatenate([rng.normal(0, 1e-4, 150), rng.normal(1000, 1, 250)])[:, None]
    gmm = GaussianMixture(2, covariance_type=structure, random_state=0)
    with pytest.warns(ConvergenceWarning) as said:
        gmm.fit(X)
    narrow = int(np.argmin(np.abs(gmm.means_)))
    message = f"only the floor or ridge keeps component {narrow} from collapsing, on 150 of the points"
    assert message in str(said[0].message)
    assert gmm.stop_.reason == "collapsed"
    assert not gmm.converged_
    np.testing.assert_allclose(gmm.mixture_.components.variances[narrow], start.usual_floor(X), rtol=1e-12)


# Held up only where the data are not flat ---------------------------------------------------------------------


def with_flat(kind):
    """Two healthy clusters whose data are flat in some direction, and what is said of that."""
    Z, _, rng = blobs(8)
    if kind == "a constant column":
        return np.insert(Z, 1, 3.7, axis=1), "column 1 is constant"
    if kind == "a repeated column":
        return np.column_stack([Z, Z[:, 0]]), "columns 0 and 2 are not independent"
    shares = np.concatenate([rng.dirichlet([3, 5, 9], size=200), rng.dirichlet([9, 5, 3], size=200)])
    return shares, "columns 0, 1 and 2 are not independent"


FLAT = ["a constant column", "a repeated column", "columns that sum to one"]


@pytest.mark.parametrize("kind", FLAT)
@pytest.mark.parametrize("ridge", [0.0, 1e-6])
@each_structure
def test_where_all_data_are_flat_nobody_is_held_up_and_it_is_said_once(structure, kind, ridge):
    X, columns = with_flat(kind)
    gmm = GaussianMixture(
        2, covariance_type=structure, random_state=0, n_init=2, reg_covar=ridge, max_iter=500
    )
    with pytest.warns(EMWarning, match=f"^{columns}: the data are flat there") as said:
        gmm.fit(X)
    assert len(said) == 1
    assert gmm.converged_
    if ridge:
        # With no floor at all the ridge alone keeps the covariances regular, and nobody is held up either.
        alone = GaussianMixture(
            2, covariance_type=structure, random_state=0, reg_covar=ridge, floor=0, max_iter=500
        )
        assert alone.fit(X).converged_
    else:
        checks.monotone(gmm.trace_)


def two_points_and_a_constant(structure):
    """Points of which one component has two alone, so that it is singular; and a column that is constant."""
    rng = np.random.default_rng(0)
    if structure == "tied":  # has one covariance: it is singular if all clusters are
        X = np.repeat([[0.0, 0.0], [5.0, 1.0]], 30, axis=0)
    elif structure == "full":  # two points are a line
        X = np.concatenate([rng.standard_normal((60, 2)), [[50.0, 50.0], [51.0, 52.0]]])
    else:
        X = np.concatenate([rng.standard_normal((60, 2)), [[50.0, 50.0], [50.0, 50.0]]])
    return np.column_stack([X, np.full(len(X), 2.5)])


@each_structure
@pytest.mark.parametrize(
    "keywords", [{}, {"floor": 1e-8}, {"reg_covar": 1e-6}, {"reg_covar": 1e-6, "floor": 0}]
)
def test_a_component_on_two_points_is_held_up_although_a_column_is_constant(structure, keywords):
    X = two_points_and_a_constant(structure)
    gmm = GaussianMixture(2, covariance_type=structure, random_state=0, **keywords)
    quietly(lambda: gmm.fit(X))
    assert gmm.stop_.reason == "collapsed"
    if structure == "tied":
        assert "components 0 and 1 from collapsing, on 30 and 30 of the points" in gmm.stop_.message
    else:
        small = int(np.argmin(gmm.weights_))
        assert f"component {small} from collapsing, on 2 of the points" in gmm.stop_.message


# Never ranked above a healthy one -----------------------------------------------------------------------------


@pytest.mark.parametrize("floor", [1e-4, 1e-9])
def test_a_held_up_fit_never_ranks_above_a_healthy_one(floor):
    rng = np.random.default_rng(4)
    X = np.concatenate([rng.normal(size=(80, 2)), rng.normal(6, 1, size=(80, 2)), np.full((3, 2), 20.0)])
    labels = np.repeat([0, 1, 2], [80, 80, 3])
    starts = [
        start.from_labels(X, labels, floor=floor),  # ends on the three points
        start.from_labels(X, np.repeat([0, 1], [80, 83]), floor=floor),
        start.from_labels(X, labels, floor=floor),
    ]
    best = fit_best(starts, X)
    assert best.stop.converged
    assert [end.stop.reason for end in best.ends] == ["collapsed", "converged", "collapsed"]
    assert best.ends[0].objective > best.objective + 20
    with pytest.warns(EMWarning, match="component 2 from collapsing, on 3 of the points"):
        assert fit_best(starts[::2], X).stop.reason == "collapsed"


@pytest.mark.parametrize("max_iter", [40, 500])
def test_of_several_starts_the_facade_keeps_a_healthy_one(max_iter):
    """Also if the steps run out while a component is held up: then the likelihood is high, too."""
    rng = np.random.default_rng(4)
    X = np.concatenate([rng.normal(size=(80, 2)), rng.normal(6, 1, size=(80, 2)), np.full((3, 2), 20.0)])
    gmm = GaussianMixture(3, n_init=12, init_params="random", random_state=1, max_iter=max_iter).fit(X)
    reasons = [reached.stop.reason for reached in gmm.reached_]
    assert {"collapsed", "converged"} <= set(reasons)
    assert gmm.converged_
    healthy = [reached.lower_bound for reached in gmm.reached_ if reached.stop.healthy]
    assert gmm.lower_bound_ == max(healthy) < max(reached.lower_bound for reached in gmm.reached_)


# Degenerate data ----------------------------------------------------------------------------------------------


DEGENERATE = {
    "duplicates": np.repeat([[0.0, 1.0], [2.0, 5.0], [3.0, 3.0], [7.0, 1.0]], 6, axis=0),
    "a constant column": np.column_stack([np.random.default_rng(0).standard_normal(24), np.full(24, 1e6)]),
    "all equal": np.full((24, 2), 3.25),
    "all zero": np.zeros((24, 2)),
    "as many points as components": np.random.default_rng(1).standard_normal((4, 2)),
    "one more": np.random.default_rng(2).standard_normal((5, 2)),
    "two points": np.array([[0.0, 1.0], [1.0, 3.0]]),
    "two equal points": np.full((2, 2), 1e-3),
    "one far off": np.append(np.random.default_rng(3).standard_normal((30, 2)), [[1e12, -1e12]], axis=0),
    "a straight line": np.linspace(0, 1, 30)[:, None] * [1.0, 2.0],
    "very small": 1e-150 * np.random.default_rng(4).standard_normal((30, 2)),
    "very large": 1e150 * np.random.default_rng(4).standard_normal((30, 2)),
}


@each_structure
@pytest.mark.parametrize("name", DEGENERATE)
@pytest.mark.parametrize("keywords", [{}, {"reg_covar": 1e-6}, {"init_params": "random_from_data"}])
def test_degenerate_data_end_finite_or_in_words(structure, name, keywords):
    X = DEGENERATE[name]
    for K in range(1, min(len(X), 4) + 1):
        gmm = GaussianMixture(K, covariance_type=structure, random_state=0, **keywords)
        refused = None
        try:
            quietly(lambda gmm=gmm: gmm.fit(X))
        except ValueError as error:
            refused = str(error)
        if refused is not None:
            assert re.search("ill-defined empirical covariance|distinct points|cannot be computed", refused)
            continue
        for values in (gmm.weights_, gmm.means_, gmm.covariances_, gmm.lower_bounds_, gmm.lower_bound_):
            assert np.isfinite(values).all()
        assert np.isfinite(gmm.score_samples(X)).all()
        checks.probabilities(gmm.predict_proba(X))
        assert gmm.stop_.reason != "decreased"
        checks.monotone(gmm.trace_)


def test_the_digits_of_the_tutorial_are_held_up_everywhere_and_equal_scikit_learns():
    Z = PCA(0.99, whiten=True).fit_transform(datasets.digits().X)
    keywords = {"reg_covar": 1e-6, "random_state": 0}
    ours = quietly(lambda: GaussianMixture(110, **keywords).fit(Z))
    theirs = peer.GaussianMixture(110, **keywords).fit(Z)
    assert ours.aic(Z) == pytest.approx(-198_825, abs=1)
    assert ours.aic(Z) == pytest.approx(theirs.aic(Z), abs=1e-3)
    assert theirs.converged_
    assert ours.stop_.reason == "collapsed"
    assert "110 components, among them 0, 1, 2" in ours.stop_.message
