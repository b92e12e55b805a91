"""Gaussian mixtures where arithmetic is hard: far from the origin, nearly singular, far out, and heavy or light."""

import copy
import itertools
import pickle
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, optimize, stats
from structures import STRUCTURES, covariances, each_structure

from emlib import Collapse, EMWarning, Gaussian, Mixture, Prior, checks, fit, start, validate

structures = st.sampled_from(STRUCTURES)
seeds = st.integers(0, 2**20)


def tortured(examples):
    return settings(max_examples=examples)


def some_mixture(structure, K, D, rng, gap=2.0, **keywords):
    roots = rng.standard_normal((K, D, D))
    matrices = roots @ roots.transpose(0, 2, 1) + 0.3 * np.eye(D)
    means = gap * rng.standard_normal((K, D))
    components = Gaussian(means, covariances(structure, matrices), structure, **keywords)
    return Mixture(rng.dirichlet(np.full(K, 3.0)), components)


def clusters(seed, N=60, D=2, K=3, gap=3.0):
    """Overlapping clusters, and where each point came from."""
    rng = np.random.default_rng(seed)
    labels = np.arange(N * K) % K
    roots = np.eye(D) + 0.4 * rng.standard_normal((K, D, D))
    X = gap * rng.standard_normal((K, D))[labels]
    return X + np.einsum("nij,nj->ni", roots[labels], rng.standard_normal((N * K, D))), labels


def steps(X, labels, structure, weights=None, n=12, **keywords):
    """A fit of n steps, checked: it never falls, and keeps the moments of the data."""
    first = start.from_labels(X, labels, structure=structure, weights=weights, **keywords)
    trace = fit(first, X, weights, tol=0, max_iter=n)
    assert trace.stop.reason == "max_iter"
    checks.monotone(trace)
    if not keywords and structure in ("full", "tied"):  # the others keep less than a covariance
        checks.moments(trace.model, X, weights)
    return trace


def same(ours, theirs, tol, shift=0.0, scale=1.0):
    """Our model, moved back by shift and by scale (D,) or a number, is theirs; to tol of each component's width."""
    a, b = ours.components, theirs.components
    widths = np.sqrt(b.variances)
    across = widths[:, :, None] * widths[:, None, :]
    squares = np.outer(*[np.broadcast_to(scale, a.means.shape[1:])] * 2)
    np.testing.assert_allclose(ours.weights, theirs.weights, atol=tol)
    assert np.abs(((a.means - shift) / scale - b.means) / widths).max() <= tol
    assert np.abs((a.matrices / squares - b.matrices) / across).max() <= tol


# The same data elsewhere, and on another scale ------------------------------------------------------------------


@tortured(40)
@given(
    structure=structures,
    seed=seeds,
    offset=st.floats(0, 7),
    sign=st.sampled_from([-1, 1]),
    tightness=st.floats(0, 6),
)
def test_an_offset_moves_the_means_and_nothing_else(structure, seed, offset, sign, tightness):
    Z, labels = clusters(seed)
    offset, spread = sign * 10**offset, 10 ** (offset - tightness)
    X = offset + spread * Z
    near = (X - offset) / spread  # what rounding at the offset has left of Z
    ours, theirs = steps(X, labels, structure), steps(near, labels, structure)
    # Rounding of a mean at the offset, by up to 1e6 widths, is some 1e-10 of a width; EM may amplify it.
    same(ours.model, theirs.model, 1e-8, offset, spread)
    shift = X.size * np.log(spread)
    np.testing.assert_allclose(ours.objectives + shift, theirs.objectives, atol=1e-6)


@pytest.mark.parametrize("name", ["from_data", "k_means", "k_means_plus_plus", "random"])
@pytest.mark.parametrize(("offset", "spread"), [(1e7, 10.0), (1e5, 0.1), (1e7, 0.1), (1e5, 1e-3)])
def test_every_start_is_the_same_far_from_the_origin(name, offset, spread):
    for seed in range(3):
        X = offset + spread * clusters(seed)[0]
        make = getattr(start, name)
        ours = make(X, 3, np.random.default_rng(seed))
        theirs = make((X - offset) / spread, 3, np.random.default_rng(seed))
        same(ours, theirs, 1e-6, offset, spread)


@tortured(25)
@given(structure=structures, seed=seeds, exponents=st.tuples(st.floats(-8, 8), st.floats(-8, 8)))
def test_units_change_no_answer(structure, seed, exponents):
    """Kilometres for metres, feature by feature where the structure allows it, down to 1e-16 of variance."""
    X, labels = clusters(seed)
    scale = 10.0 ** np.array(exponents if structure != "spherical" else [exponents[0]] * 2)
    ours, theirs = steps(X * scale, labels, structure), steps(X, labels, structure)
    same(ours.model, theirs.model, 1e-9, scale=scale)
    np.testing.assert_allclose(
        ours.objectives + len(X) * np.log(scale).sum(), theirs.objectives, atol=1e-7 * len(X) / 100
    )


@tortured(25)
@given(structure=st.sampled_from(["full", "tied", "spherical"]), seed=seeds, D=st.integers(2, 4))
def test_a_rotation_turns_the_answer_with_the_data(structure, seed, D):
    X, labels = clusters(seed, D=D)
    turn = stats.ortho_group.rvs(D, random_state=seed)
    ours, theirs = steps(X @ turn.T, labels, structure), steps(X, labels, structure)
    back = Mixture(
        ours.model.weights,
        Gaussian(
            ours.model.components.means @ turn,
            covariances(structure, turn.T @ ours.model.components.matrices @ turn),
            structure,
        ),
    )
    same(back, theirs.model, 1e-9)
    np.testing.assert_allclose(ours.objectives, theirs.objectives, rtol=1e-11)


@each_structure
def test_float32_at_an_offset_is_as_good_as_the_same_numbers_in_float64(structure):
    Z, labels = clusters(0)
    X = (1e3 + Z).astype(np.float32)
    ours, theirs = steps(X, labels, structure), steps(X.astype(float), labels, structure)
    np.testing.assert_allclose(ours.objectives, theirs.objectives, rtol=1e-13)
    same(ours.model, theirs.model, 1e-12)


# Nearly singular, and singular ------------------------------------------------------------------------------------


@tortured(25)
@given(structure=st.sampled_from(["full", "tied"]), seed=seeds, digits=st.floats(0, 4))
def test_two_columns_nearly_alike_are_fitted_as_their_difference_is(structure, seed, digits):
    """(x, y) with y = x + noise says what (x, (y - x) / noise) says: EM does not see a linear map."""
    rng, noise = np.random.default_rng(seed), 10.0**-digits
    Z, labels = clusters(seed)
    x = Z[:, 0]
    X = np.column_stack([x, x + noise * rng.standard_normal(len(x))])
    apart = np.column_stack([x, (X[:, 1] - x) / noise])
    ours, theirs = steps(X, labels, structure), steps(apart, labels, structure)
    to = np.array([[1, 0], [-1 / noise, 1 / noise]])
    back = Gaussian(
        ours.model.components.means @ to.T,
        covariances(structure, to @ ours.model.components.matrices @ to.T),
        structure,
    )
    # Of the products of x and y, only noise^2 is about their difference: of 16 digits 8 are left at 1e-4.
    same(Mixture(ours.model.weights, back), theirs.model, 1e-11 / noise**2 + 1e-9)
    np.testing.assert_allclose(
        ours.objectives + len(x) * np.log(noise), theirs.objectives, atol=1e-9 / noise + 1e-8
    )


@tortured(40)
@given(structure=st.sampled_from(["full", "tied"]), seed=seeds, digits=st.floats(4, 10), D=st.integers(2, 4))
def test_columns_still_more_alike_are_fitted_without_a_fall_or_refused(structure, seed, digits, D):
    rng = np.random.default_rng(seed)
    X, labels = clusters(seed, D=D)
    X[:, -1] = X[:, 0] + 10.0**-digits * rng.standard_normal(len(X))
    try:
        first = start.from_labels(X, labels, structure=structure)
    except Collapse:
        assert digits > 5
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", EMWarning)
        trace = fit(first, X, tol=1e-8, max_iter=40)
    assert trace.stop.reason != "decreased"
    checks.monotone(trace)


@pytest.mark.parametrize("seed", [11, 30])
def test_a_component_on_its_way_to_too_few_points_collapses_and_does_not_decrease(seed):
    rng = np.random.default_rng(seed)
    X = np.concatenate([rng.normal(size=(60, 4)), rng.normal(size=(60, 4)) + 1.5])
    X[:, 1] = X[:, 0] + 1e-4 * rng.normal(size=120)
    X[0] = [-30, -30 + 1e-4, -3, 10]
    with pytest.warns(EMWarning):
        trace = fit(start.from_labels(X, np.repeat([0, 1], 60)), X, tol=1e-9)
    assert trace.stop.reason == "collapsed"


@each_structure
@pytest.mark.parametrize("value", [0.0, 0.1, -1e7])
def test_a_constant_column_collapses_without_a_floor_and_not_with_one(structure, value):
    X, labels = clusters(3)
    X = np.column_stack([X, np.full(len(X), value)])
    first = Mixture(
        [0.3, 0.7],
        Gaussian([[-1, 0, value], [1, 0, value]], covariances(structure, [4 * np.eye(3)] * 2), structure),
    )
    if structure != "spherical":  # which has the variance of the other features to go by
        with pytest.raises(Collapse, match="singular"):
            start.from_labels(X, labels, structure=structure)
        with pytest.warns(EMWarning, match="singular"):
            assert fit(first, X).stop.reason == "collapsed"
    floored = start.from_labels(X, labels, structure=structure, floor=1e-6)
    trace = fit(floored, X, tol=1e-4)
    assert trace.stop.converged
    if structure != "spherical":
        np.testing.assert_allclose(trace.model.components.variances[:, 2], 1e-6, rtol=1e-6)
    np.testing.assert_allclose(trace.model.components.means[:, 2], value, rtol=1e-15, atol=1e-12)


@each_structure
def test_a_column_that_is_constant_within_each_cluster_collapses(structure):
    """A yes-or-no column that gives the clusters away: about the common shift its variance is not zero."""
    X, labels = clusters(3, K=2)
    X = np.column_stack([X, labels * 0.7])
    first = Mixture(
        [0.5, 0.5],
        Gaussian([[0, 0, 0], [0, 0, 0.7]], covariances(structure, [0.01 * np.eye(3)] * 2), structure),
    )
    if structure == "spherical":
        checks.monotone(fit(first, X, tol=0, max_iter=20))
        return
    with pytest.warns(EMWarning, match="singular"):
        assert fit(first, X).stop.reason == "collapsed"


# Points far out -------------------------------------------------------------------------------------------------------


@tortured(30)
@given(structure=structures, seed=seeds, distance=st.floats(1, 8), weighted=st.booleans())
def test_a_far_outlier_keeps_its_shares_and_is_no_fall(structure, seed, distance, weighted):
    rng = np.random.default_rng(seed)
    X, labels = clusters(seed)
    X[7] = 10**distance * rng.standard_normal(2)
    weights = rng.uniform(0.1, 10, size=len(X)) if weighted else None
    clean = np.delete(np.arange(len(X)), 7)
    first = start.from_labels(X[clean], labels[clean], structure=structure)
    checks.probabilities(first.responsibilities(X))
    assert np.isfinite(first.log_density(X)).all()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", EMWarning)  # a component of its own for the outlier may collapse
        trace = fit(first, X, weights, tol=1e-9, max_iter=60)
    assert trace.stop.reason != "decreased"
    checks.monotone(trace)
    for model in trace.models:
        checks.probabilities(model.responsibilities(X))


def test_at_a_hundred_million_widths_the_shares_are_those_of_the_log_odds():
    far = 1e8
    mixture = Mixture([0.25, 0.75], Gaussian([[0, 0], [0, 1e-8]], [1.0, 1.0], "spherical"))
    # At (0, y) the log-odds are log 3 + 1e-8 y - 5e-17. Two neighbouring floats at 1e8 are 1.5e-8 apart, and half
    # their squares 1.5 nats; both are near 5e15, where neighbours are 1 apart. So the log-odds are known to 3 nats.
    resp = mixture.responsibilities([[0, far], [0, -far]])
    checks.probabilities(resp)
    np.testing.assert_allclose(np.log(resp[:, 1] / resp[:, 0]), np.log(3) + np.array([1.0, -1.0]), atol=3)
    near = mixture.responsibilities([[0, 1e3], [0, -1e3]])
    odds = 3 * np.exp([1e-5, -1e-5])
    np.testing.assert_allclose(near[:, 1], odds / (1 + odds), atol=1e-9)


@each_structure
def test_clusters_a_hundred_widths_apart_are_the_easiest_there_are(structure):
    for seed in range(10):
        rng = np.random.default_rng(seed)
        X = np.concatenate([centre + rng.standard_normal((100, 2)) for centre in (0, 100, 200)])
        trace = fit(start.k_means(X, 3, rng, structure=structure), X)
        checks.monotone(trace)
        assert trace.stop.converged


@tortured(60)
@given(
    structure=structures,
    seed=seeds,
    D=st.integers(1, 3),
    gap=st.floats(0, 2),
    offset=st.sampled_from([0.0, 1e3, 1e6]),
    scale=st.floats(-4, 4),
    weighted=st.booleans(),
)
def test_no_fit_of_ordinary_clusters_is_said_to_have_decreased(
    structure, seed, D, gap, offset, scale, weighted
):
    X, labels = clusters(seed, N=40, D=D, gap=10**gap)
    X = 10**scale * (X + offset)
    weights = np.random.default_rng(seed).uniform(0.1, 10, size=len(X)) if weighted else None
    first = start.from_labels(X, labels, structure=structure, weights=weights)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", EMWarning)
        trace = fit(first, X, weights, tol=1e-9, max_iter=60, keep="values")
    assert trace.stop.reason != "decreased"
    checks.monotone(trace)


# Many dimensions, few points ----------------------------------------------------------------------------------------


@each_structure
@pytest.mark.parametrize("D", [1, 3, 30, 200])
def test_densities_in_many_dimensions_are_scipys(structure, D):
    rng = np.random.default_rng(D)
    mixture = some_mixture(structure, 2, D, rng)
    X = np.vstack([mixture.sample(10, rng)[0], 30 * rng.standard_normal((10, D))])
    each = [
        stats.multivariate_normal(m, C).logpdf(X)
        for m, C in zip(mixture.components.means, mixture.components.matrices, strict=True)
    ]
    # SciPy takes eigenvalues where emlib takes roots; a condition of 1e4 to 1e5 at D = 200 costs them digits.
    np.testing.assert_allclose(mixture.components.log_density(X), np.transpose(each), rtol=1e-10)
    joint = np.log(mixture.weights)[:, None] + each
    np.testing.assert_allclose(mixture.log_density(X), np.logaddexp(*joint), rtol=1e-10)
    np.testing.assert_allclose(mixture.expect(X).log_likelihood, np.logaddexp(*joint).sum(), rtol=1e-10)
    at_means = mixture.components.log_density(mixture.components.means).diagonal()
    log_dets = np.linalg.slogdet(mixture.components.matrices)[1]
    np.testing.assert_allclose(at_means, -0.5 * (D * np.log(2 * np.pi) + log_dets), rtol=1e-11)


def test_determinants_beyond_the_range_of_floats_are_fine_in_logs():
    for scale in (1e-10, 1e10):  # to the power of 400
        tiny = Gaussian(np.zeros((1, 200)), scale**2 * np.eye(200)[None])
        wanted = 200 * stats.norm(0, scale).logpdf(0)
        np.testing.assert_allclose(tiny.log_density(np.zeros((1, 200)))[0, 0], wanted, rtol=1e-12)


@each_structure
@pytest.mark.parametrize(("N", "D"), [(2, 1), (5, 4), (40, 3), (201, 200)])
def test_one_component_has_the_maximum_likelihood_in_closed_form(structure, N, D):
    """From wherever it starts, in one step; with no more points than D + 1, too."""
    rng = np.random.default_rng(N)
    X, weights = 50 + rng.standard_normal((N, D)), rng.uniform(0.5, 2, size=N)
    first = Mixture([1.0], Gaussian(np.zeros((1, D)), covariances(structure, [9 * np.eye(D)]), structure))
    trace = fit(first, X, weights)
    assert trace.stop.converged
    checks.monotone(trace)
    wanted = np.atleast_2d(np.cov(X.T, aweights=weights, bias=True))
    if structure == "diag":
        wanted = np.diag(np.diag(wanted))
    elif structure == "spherical":
        wanted = np.eye(D) * np.diag(wanted).mean()
    model = trace.model.components
    np.testing.assert_allclose(model.means[0], np.average(X, axis=0, weights=weights), rtol=1e-13)
    np.testing.assert_allclose(model.matrices[0], wanted, rtol=1e-9, atol=1e-11)
    # At its maximum a Gaussian's mean log-density is -(D log 2 pi + log det + D) / 2.
    height = -0.5 * weights.sum() * (D * np.log(2 * np.pi) + np.linalg.slogdet(wanted)[1] + D)
    np.testing.assert_allclose(trace.objectives[-1], height, rtol=1e-8)


@each_structure
def test_one_point_collapses_and_with_a_floor_is_a_gaussian_of_that_floor(structure):
    X = np.array([[3.0, -2.0]])
    with pytest.raises(Collapse, match="1 of the points do not span 2 dimensions"):
        start.from_data(X, 1, np.random.default_rng(0), structure=structure)
    first = start.from_data(X, 1, np.random.default_rng(0), structure=structure, floor=0.25)
    trace = fit(first, X)  # held up is nobody: these data are flat in every direction
    assert trace.stop.converged
    checks.monotone(trace)
    model = trace.model
    np.testing.assert_allclose(model.components.means, X, rtol=1e-15)
    np.testing.assert_allclose(model.components.matrices[0], 0.25 * np.eye(2), rtol=1e-12)


@tortured(15)
@given(structure=structures, seed=seeds, N=st.integers(4, 9), spare=st.integers(0, 2))
def test_nearly_as_many_components_as_points_end_in_words_not_in_numpy(structure, seed, N, spare):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((N, 2))
    for keywords in ({}, {"floor": 1e-3}, {"prior": Prior.weak(X, N - spare)}):
        first = start.from_data(X, N - spare, rng, structure=structure, **keywords)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", EMWarning)
            trace = fit(first, X, tol=1e-6, max_iter=60, keep="values")
        assert trace.stop.reason != "decreased"
        if "prior" in keywords:
            assert trace.stop.reason != "collapsed"
        checks.monotone(trace)


# Weights ------------------------------------------------------------------------------------------------------------


@tortured(20)
@given(structure=structures, seed=seeds)
def test_points_that_come_twice_are_points_of_weight_two(structure, seed):
    X, labels = clusters(seed)
    rng = np.random.default_rng(seed)
    times = rng.integers(0, 4, size=len(X))
    several = np.repeat(X, times, axis=0)
    order = rng.permutation(len(several))
    ours = steps(X, labels, structure, times)
    theirs = steps(several[order], np.repeat(labels, times)[order], structure)
    same(ours.model, theirs.model, 1e-9)
    np.testing.assert_allclose(ours.objectives, theirs.objectives, rtol=1e-11)


@tortured(20)
@given(structure=structures, seed=seeds, power=st.integers(-40, 40))
def test_a_common_factor_of_the_weights_changes_the_objective_alone(structure, seed, power):
    X, labels = clusters(seed)
    weights, factor = np.random.default_rng(seed).uniform(0.1, 1, size=len(X)), 2.0**power
    ours = steps(X, labels, structure, weights * factor)
    theirs = steps(X, labels, structure, weights)
    same(ours.model, theirs.model, 1e-9)
    np.testing.assert_allclose(ours.objectives / factor, theirs.objectives, rtol=1e-11)


@tortured(20)
@given(structure=structures, seed=seeds, tol=st.sampled_from([1e-6, 1e-9]))
def test_weights_from_1e_minus_12_to_1e12_do_no_harm(structure, seed, tol):
    rng = np.random.default_rng(seed)
    X, labels = clusters(seed)
    weights = 10.0 ** rng.uniform(-12, 12, size=len(X))
    first = start.from_labels(X, labels, structure=structure)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", EMWarning)  # a handful of points has all the weight: most collapse
        trace = fit(first, X, weights, tol=tol, max_iter=50)
    assert trace.stop.reason != "decreased"
    checks.monotone(trace)
    for model in trace.models[1:] if structure in ("full", "tied") else ():
        checks.moments(model, X, weights)
    # A hundred light points, of a weight of 1e-12 in all, are nothing to those of weight one.
    light = rng.standard_normal((100, 2)) + 5
    with_them = steps(
        np.vstack([X, light]), np.r_[labels, labels[:100]], structure, np.r_[np.ones(len(X)), [1e-14] * 100]
    )
    same(with_them.model, steps(X, labels, structure).model, 1e-10)


# Priors ---------------------------------------------------------------------------------------------------------------


PRIOR = Prior([[1.0, 0.3], [0.3, 0.8]], 3.0, [0.5, -0.2], 0.7)


def parameters(model):
    """A mixture as unconstrained numbers: log-weights, means, and roots or log-variances."""
    covariances = model.components.covariances
    if model.components.structure in ("full", "tied"):
        spread = np.linalg.cholesky(covariances)[..., *np.tril_indices(2)]
    else:
        spread = np.log(covariances)
    return np.concatenate([np.log(model.weights), model.components.means.ravel(), spread.ravel()])


def model_of(numbers, like):
    K, D = like.components.means.shape
    logits, means, spread = np.split(numbers, [K, K + K * D])
    if like.components.structure in ("full", "tied"):
        roots = np.zeros((*like.components.covariances.shape[:-2], D, D))
        roots[..., *np.tril_indices(D)] = spread.reshape(*roots.shape[:-2], -1)
        spread = roots @ roots.swapaxes(-1, -2)
    else:
        spread = np.exp(spread)
    weights = np.exp(logits - logits.max())
    components = Gaussian(
        means.reshape(K, D),
        spread.reshape(like.components.covariances.shape),
        like.components.structure,
        prior=like.components.prior,
    )
    return Mixture(weights / weights.sum(), components, like.weight_count)


def gradient(objective, numbers, step=1e-5):
    """Central differences."""
    slopes = []
    for i in range(len(numbers)):
        move = step * np.eye(len(numbers))[i]
        slopes.append((objective(numbers + move) - objective(numbers - move)) / (2 * step))
    return np.array(slopes)


def believing(structure, rng, prior=PRIOR, weight_count=1.5):
    """A mixture with priors, points, and their weights."""
    plain = some_mixture(structure, 2, 2, rng, prior=prior)
    X = np.concatenate([rng.normal(0, 1, (20, 2)), rng.normal(3, 0.7, (15, 2))])
    return Mixture(plain.weights, plain.components, weight_count), X, rng.uniform(0.5, 2, size=35)


@each_structure
@pytest.mark.parametrize("seed", range(2))
def test_the_m_step_with_a_prior_is_the_maximum_of_expected_likelihood_and_prior(structure, seed):
    first, X, weights = believing(structure, np.random.default_rng(seed))
    resp = first.responsibilities(X) * weights[:, None]
    best = first.maximize(first.expect(X, weights))

    def objective(numbers):
        model = model_of(numbers, best)
        joint = np.log(model.weights) + model.components.log_density(X)
        return (resp * joint).sum() + model.log_prior()

    at = parameters(best)
    # Curvatures are some hundred; central differences of 1e-5 know a slope to 1e-6 or so.
    assert np.abs(gradient(objective, at)).max() < 1e-4
    found = optimize.minimize(lambda n: -objective(n), parameters(first), method="BFGS")
    # No other maximum is higher, as far as a general optimiser can see.
    assert objective(at) > -found.fun - 1e-9
    np.testing.assert_allclose(objective(at), -found.fun, atol=1e-6)


@each_structure
def test_the_limit_with_a_prior_is_a_maximum_and_is_reached_without_a_fall(structure):
    first, X, weights = believing(structure, np.random.default_rng(0))
    trace = fit(first, X, weights, tol=1e-12, max_iter=5000)
    assert trace.stop.converged
    checks.monotone(trace)
    np.testing.assert_allclose(
        trace.objectives[-1],
        weights @ trace.model.log_density(X) + trace.model.log_prior(),
        rtol=1e-12,
    )

    def objective(numbers):
        model = model_of(numbers, trace.model)
        return weights @ model.log_density(X) + model.log_prior()

    # tol is 1e-12 of 44 nats: the slopes left are its root, times curvatures of some hundred.
    assert np.abs(gradient(objective, parameters(trace.model))).max() < 1e-3


@tortured(30)
@given(
    structure=structures,
    seed=seeds,
    counts=st.tuples(st.floats(1, 30), st.floats(0, 30), st.floats(0, 30)),
    K=st.integers(1, 4),
)
def test_no_prior_makes_the_objective_fall(structure, seed, counts, K):
    rng = np.random.default_rng(seed)
    X, _ = clusters(seed)
    root = rng.standard_normal((2, 2))
    prior = Prior(root @ root.T + 0.1 * np.eye(2), counts[0], rng.standard_normal(2), counts[1])
    components = start.k_means_plus_plus(X, K, rng, structure=structure, prior=prior)
    first = Mixture(components.weights, components.components, counts[2])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", EMWarning)
        trace = fit(first, X, tol=1e-8, max_iter=50, keep="values")
    assert trace.stop.reason not in ("decreased", "collapsed")
    checks.monotone(trace)


@each_structure
def test_a_prior_that_counts_for_nothing_is_none(structure):
    X, labels = clusters(0)
    nothing = Prior(np.eye(2), 0.0, [9.0, 9.0], 0.0)
    ours = steps(X, labels, structure, prior=nothing)
    theirs = steps(X, labels, structure)
    same(ours.model, theirs.model, 1e-12)
    np.testing.assert_allclose(ours.objectives, theirs.objectives, rtol=1e-13)


@each_structure
def test_a_prior_that_counts_for_all_is_the_answer(structure):
    X, labels = clusters(0)
    prior = Prior([[1.0, 0.3], [0.3, 0.8]], 1e12, [0.5, -0.2], 1e12)
    model = steps(X, labels, structure, prior=prior).model.components
    np.testing.assert_allclose(model.means, np.tile([0.5, -0.2], (3, 1)), atol=1e-9)
    wanted = {"diag": np.diag([1, 0.8]), "spherical": 0.9 * np.eye(2)}.get(structure, prior.covariance)
    np.testing.assert_allclose(model.matrices, np.tile(wanted, (3, 1, 1)), atol=1e-8)


@each_structure
def test_a_prior_that_counts_for_all_is_no_fall(structure):
    """Where it is worth 1e12 points, its own rounding is all that the objective may seem to lose."""
    for seed in range(20):
        X, labels = clusters(seed)
        mean = np.random.default_rng(seed).standard_normal(2)
        prior = Prior([[1.0, 0.3], [0.3, 0.8]], 1e12, mean, 1e12)
        first = start.from_labels(X, labels, structure=structure, prior=prior)
        assert fit(first, X, tol=0, max_iter=5, warn=False).stop.reason == "max_iter"


@each_structure
@pytest.mark.parametrize("distance", [50.0, 1e4])
def test_a_component_without_points_keeps_what_the_prior_says(structure, distance):
    X = np.random.default_rng(0).standard_normal((60, 2))
    family = Gaussian(
        [[0, 0], [distance, distance]], covariances(structure, [np.eye(2)] * 2), structure, prior=PRIOR
    )
    mixture = Mixture([0.5, 0.5], family, weight_count=1.0)
    model = mixture.maximize(mixture.expect(X))
    np.testing.assert_allclose(model.weights[1], 1 / 62, rtol=1e-12)
    np.testing.assert_allclose(model.components.means[1], PRIOR.mean, rtol=1e-12)
    wanted = {"diag": np.diag([1, 0.8]), "spherical": 0.9 * np.eye(2)}.get(structure, PRIOR.covariance)
    if structure == "tied":  # one covariance for both: all the points and twice the prior
        away = X.mean(axis=0) - PRIOR.mean
        scatter = 60 * np.cov(X.T, bias=True) + 60 * 0.7 / 60.7 * np.outer(away, away)
        wanted = (scatter + 2 * 3 * PRIOR.covariance) / (60 + 2 * 3)
    np.testing.assert_allclose(model.components.matrices[1], wanted, rtol=1e-10)


def test_a_prior_that_is_taken_can_be_reckoned_with():
    for seed in range(200):
        rng = np.random.default_rng(seed)
        line = rng.standard_normal((3, 1))
        covariance = line @ line.T + 1e-16 * np.eye(3)  # singular, as far as float64 can tell
        try:
            prior = Prior(covariance, 5.0)
        except ValueError:
            continue  # refused: that is an answer too
        assert np.isfinite(Gaussian(np.zeros((1, 3)), np.eye(3)[None], prior=prior).log_prior())


def test_the_weak_prior_of_one_point_is_refused_in_words():
    with pytest.raises(ValueError, match="point"):
        Prior.weak([[1.0, 2.0]], 2)


# Marginals and conditionals -----------------------------------------------------------------------------------------


@tortured(40)
@given(structure=structures, seed=seeds, D=st.integers(2, 5), K=st.integers(1, 4), far=st.floats(0, 1))
def test_a_density_is_marginal_times_conditional(structure, seed, D, K, far):
    rng = np.random.default_rng(seed)
    mixture = some_mixture(structure, K, D, rng)
    X = 10**far * mixture.sample(4, rng)[0]
    known = rng.permutation(D)[: rng.integers(1, D)]
    rest = np.setdiff1d(np.arange(D), known)
    whole, part = mixture.log_density(X), mixture.marginal(known).log_density(X[:, known])
    for x, joint, marginal in zip(X, whole, part, strict=True):
        conditional = mixture.conditional(known, x[known])
        np.testing.assert_allclose(
            marginal + conditional.log_density(x[None, rest])[0], joint, rtol=1e-10, atol=1e-10
        )


@pytest.mark.parametrize("structure", ["full", "tied", "diag"])
def test_a_marginal_keeps_the_floors_and_the_prior_of_its_features(structure):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 3)) * [1, 2, 3] + 9 * (np.arange(60) % 2)[:, None]
    floored = start.from_labels(X, np.arange(60) % 2, structure=structure, floor=[1e-3, 1e-2, 1e-1])
    part = floored.marginal([2, 0])
    np.testing.assert_array_equal(part.components.floor, [1e-1, 1e-3])
    assert checks.moments(part, X[:, [2, 0]]).startswith("the mixture has the mean")
    prior = Prior(np.diag([1.0, 2.0, 3.0]), 7.0, [0.0, 1.0, 2.0], 0.5)
    kept = start.from_labels(X, np.arange(60) % 2, structure=structure, prior=prior).marginal([2, 0])
    assert kept.components.prior == Prior(np.diag([3.0, 1.0]), 7.0, [2.0, 0.0], 0.5)
    assert checks.moments(kept, X[:, [2, 0]]).startswith("not checked: with a prior")
    assert np.isfinite(kept.log_prior())
    checks.monotone(fit(kept, X[:, [2, 0]], warn=False))


def test_a_conditional_forgets_what_the_values_rule_out():
    """Given x = 60, the second component is e^-900 as likely as the first: less than a weight can say."""
    mixture = Mixture([0.5, 0.5], Gaussian([[30, 0], [0, 60]], [1.0, 1.0], "spherical"))
    np.testing.assert_array_equal(mixture.conditional([0], [60.0]).weights, [1, 0])


@each_structure
def test_a_marginal_is_the_integral_and_a_conditional_integrates_to_one(structure):
    mixture = some_mixture(structure, 3, 2, np.random.default_rng(5))
    for column, value in [(0, 2.5), (1, -1.0)]:

        def joint(other, column=column, value=value):
            point = [other, other]
            point[column] = value
            return np.exp(mixture.log_density([point]))[0]

        def conditional(other, column=column, value=value):
            return np.exp(mixture.conditional([column], [value]).log_density([[other]]))[0]

        mass = integrate.quad(joint, -25, 25, points=[-3, 0, 3])[0]  # some ten widths
        np.testing.assert_allclose(
            np.exp(mixture.marginal([column]).log_density([[value]]))[0], mass, rtol=1e-8
        )
        one = integrate.quad(conditional, -25, 25, points=[-3, 0, 3])[0]
        np.testing.assert_allclose(one, 1, rtol=1e-8)


@each_structure
def test_the_order_of_the_columns_is_the_callers(structure):
    mixture = some_mixture(structure, 2, 4, np.random.default_rng(6))
    x = np.random.default_rng(7).standard_normal(4)
    a, b = mixture.conditional([3, 1], x[[3, 1]]), mixture.conditional([1, 3], x[[1, 3]])
    same(a, b, 1e-12)
    turned = mixture.marginal([2, 0])
    np.testing.assert_allclose(
        turned.log_density(x[None, [2, 0]]), mixture.marginal([0, 2]).log_density(x[None, [0, 2]]), rtol=1e-12
    )


# Labels ------------------------------------------------------------------------------------------------------------


@tortured(40)
@given(structure=structures, seed=seeds, K=st.integers(1, 6))
def test_aligning_undoes_any_permutation(structure, seed, K):
    rng = np.random.default_rng(seed)
    mixture = some_mixture(structure, K, 2, rng)
    order = rng.permutation(K)
    shuffled = mixture.with_parts(mixture.weights[order], mixture.components.permuted(order))
    back = shuffled.aligned(mixture)
    np.testing.assert_array_equal(back.weights, mixture.weights)
    np.testing.assert_array_equal(back.components.means, mixture.components.means)
    np.testing.assert_array_equal(back.components.covariances, mixture.components.covariances)


@tortured(25)
@given(ours=structures, theirs=structures, seed=seeds, K=st.integers(1, 5))
def test_aligning_is_the_best_of_all_orders(ours, theirs, seed, K):
    rng = np.random.default_rng(seed)
    mixture, other = some_mixture(ours, K, 2, rng), some_mixture(theirs, K, 2, rng)

    def total(model, order):
        return sum(
            jeffreys(model.components, k, other.components, j) for j, k in zip(range(K), order, strict=True)
        )

    best = min(total(mixture, order) for order in itertools.permutations(range(K)))
    np.testing.assert_allclose(total(mixture.aligned(other), range(K)), best, rtol=1e-9, atol=1e-9)


# Divergence, samples, pickles --------------------------------------------------------------------------------------


def kl(a, j, b, k):
    """KL(N_j || N_k) in nats, by the textbook."""
    A, B, d = a.matrices[j], b.matrices[k], b.means[k] - a.means[j]
    return 0.5 * (
        np.trace(np.linalg.solve(B, A))
        - len(d)
        + d @ np.linalg.solve(B, d)
        + np.linalg.slogdet(B)[1]
        - np.linalg.slogdet(A)[1]
    )


def jeffreys(a, j, b, k):
    return kl(a, j, b, k) + kl(b, k, a, j)


@tortured(40)
@given(ours=structures, theirs=structures, seed=seeds, D=st.integers(1, 5), offset=st.sampled_from([0, 1e6]))
def test_divergence_is_the_closed_form_for_every_pair_of_structures(ours, theirs, seed, D, offset):
    rng = np.random.default_rng(seed)
    a, b = some_mixture(ours, 3, D, rng).components, some_mixture(theirs, 2, D, rng).components
    a, b = (Gaussian(g.means + offset, g.covariances, g.structure) for g in (a, b))
    wanted = [[jeffreys(a, j, b, k) for k in range(2)] for j in range(3)]
    np.testing.assert_allclose(a.divergence(b), wanted, rtol=1e-9)
    np.testing.assert_allclose(b.divergence(a), np.transpose(wanted), rtol=1e-9)


def test_divergence_on_a_line_is_the_integral_of_scipys_densities():
    g = Gaussian.univariate([0.0, 1.5], [1.0, 0.4])
    p, q = stats.norm(0, 1), stats.norm(1.5, np.sqrt(0.4))

    def difference(x):
        return (p.pdf(x) - q.pdf(x)) * (p.logpdf(x) - q.logpdf(x))

    wanted = integrate.quad(difference, -12, 12, points=[0, 1.5])[0]
    np.testing.assert_allclose(g.divergence(g)[0, 1], wanted, rtol=1e-9)
    np.testing.assert_allclose(g.divergence(g), [[0, wanted], [wanted, 0]], rtol=1e-9, atol=1e-14)


@each_structure
def test_samples_have_the_moments_of_their_components(structure):
    rng = np.random.default_rng(8)
    mixture, n = some_mixture(structure, 3, 3, rng), 40_000
    X, labels = mixture.sample(n, rng)
    # Five standard errors: one such test in a million fails by chance, and there are some forty numbers.
    shares = np.bincount(labels) / n
    assert (np.abs(shares - mixture.weights) < 5 * np.sqrt(mixture.weights * (1 - mixture.weights) / n)).all()
    for k in range(3):
        points, C = X[labels == k], mixture.components.matrices[k]
        errors = np.sqrt(np.diag(C) / len(points))
        assert (np.abs(points.mean(axis=0) - mixture.components.means[k]) < 5 * errors).all()
        # The variance of a sample covariance is (C_ij^2 + C_ii C_jj) / n.
        errors = np.sqrt((C**2 + np.outer(np.diag(C), np.diag(C))) / len(points))
        assert (np.abs(np.cov(points.T) - C) < 5 * errors).all()


@each_structure
@pytest.mark.parametrize("again", [lambda m: pickle.loads(pickle.dumps(m)), copy.deepcopy, copy.copy])
def test_a_copy_is_the_same_model_and_as_safe(structure, again):
    first, X, weights = believing(structure, np.random.default_rng(1))
    twin = again(first)
    np.testing.assert_array_equal(twin.log_density(X), first.log_density(X))
    assert twin.log_prior() == first.log_prior()
    assert repr(twin) == repr(first)
    a, b = (fit(model, X, weights, tol=0, max_iter=5).objectives for model in (twin, first))
    np.testing.assert_array_equal(a, b)
    for array in (
        twin.weights,
        twin.components.means,
        twin.components.covariances,
        twin.components.prior.mean,
    ):
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0


@pytest.mark.skipif(np.finfo(np.longdouble).max == np.finfo(float).max, reason="a longer float is none here")
def test_a_number_too_large_for_float64_is_infinite():
    X = [[0.0], [1.0]] * np.array(np.finfo(float).max, dtype=np.longdouble) * 10
    with np.errstate(over="ignore"), pytest.raises(ValueError, match="nan or infinite"):
        validate.points(X)
