"""How many components: criteria by hand, by brute force and as others have published them; sweeps that keep going."""

import dataclasses
import functools
import pickle
import re
import subprocess
import sys
import warnings

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.datasets import load_iris
from sklearn.mixture import GaussianMixture
from structures import STRUCTURES, covariances
from toys import Bernoulli, Poisson

from emlib import (
    Blocks,
    EMWarning,
    Family,
    Gaussian,
    Mixture,
    Prior,
    Stop,
    checks,
    datasets,
    fit,
    plot,
    select,
    start,
)
from emlib.classic import Coins
from emlib.select.folds import splits_of

pytestmark = pytest.mark.usefixtures("every_fit_climbs")
IRIS = load_iris().data
USUAL = {"n_init": 2, "tol": 1e-4, "progress": False}


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture(scope="module")
def three():
    """Three clusters in the plane, each of its own size, shape and direction."""
    rng = np.random.default_rng(1)
    shapes = [np.array([[2, 0], [0, 0.4]]), np.array([[0.5, 0], [0.8, 0.5]]), np.eye(2)]
    centres = [(-6, 0), (0, 5), (5, -3)]
    return np.concatenate([rng.normal(size=(60, 2)) @ a + c for a, c in zip(shapes, centres, strict=True)])


def mixture_of(structure, K=3, D=4):
    """Some mixture; no fit."""
    rng = np.random.default_rng(5)
    a = rng.normal(size=(K, D, D))
    full = a @ a.transpose(0, 2, 1) + np.eye(D)
    means = IRIS[:: len(IRIS) // K][:K, :D]
    return Mixture(rng.dirichlet(np.full(K, 5.0)), Gaussian(means, covariances(structure, full), structure))


def peer_of(mixture):
    """The same mixture as scikit-learn's."""
    gaussian = mixture.components
    peer = GaussianMixture(len(mixture), covariance_type=gaussian.structure)
    peer.weights_, peer.means_, peer.covariances_ = mixture.weights, gaussian.means, gaussian.covariances
    inverse = np.linalg.inv if gaussian.structure in ("full", "tied") else np.reciprocal
    precisions = inverse(gaussian.covariances)
    two = gaussian.structure in ("full", "tied")
    if two:  # scikit-learn wants upper U with U U' = precision
        flipped = np.linalg.cholesky(precisions[..., ::-1, ::-1])
        peer.precisions_cholesky_ = flipped[..., ::-1, ::-1]
    else:
        peer.precisions_cholesky_ = np.sqrt(precisions)
    return peer


def densities(mixture, X):
    """pi_k N(x_n | k), (N, K), by SciPy."""
    return np.column_stack(
        [
            w * stats.multivariate_normal(m, c).pdf(X)
            for w, m, c in zip(
                mixture.weights, mixture.components.means, mixture.components.matrices, strict=True
            )
        ]
    )


# Criteria -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("structure", "by_hand"),
    [
        # 2 weights that sum to one, 3 means of 4 numbers, and the covariances.
        ("full", 2 + 12 + 3 * 10),
        ("tied", 2 + 12 + 10),
        ("diag", 2 + 12 + 3 * 4),
        ("spherical", 2 + 12 + 3),
    ],
)
def test_penalties_are_those_of_parameters_counted_by_hand(structure, by_hand):
    mixture = mixture_of(structure)
    log_likelihood = np.log(densities(mixture, IRIS).sum(axis=1)).sum()
    np.testing.assert_allclose(select.aic(mixture, IRIS), 2 * by_hand - 2 * log_likelihood, rtol=1e-12)
    np.testing.assert_allclose(
        select.bic(mixture, IRIS), np.log(150) * by_hand - 2 * log_likelihood, rtol=1e-12
    )


@pytest.mark.parametrize("structure", STRUCTURES)
def test_criteria_are_scikit_learns(structure):
    mixture = mixture_of(structure)
    peer = peer_of(mixture)
    np.testing.assert_allclose(select.aic(mixture, IRIS), peer.aic(IRIS), rtol=1e-10)
    np.testing.assert_allclose(select.bic(mixture, IRIS), peer.bic(IRIS), rtol=1e-10)
    np.testing.assert_allclose(select.held_out(mixture, IRIS), peer.score(IRIS), rtol=1e-10)


@pytest.mark.parametrize("structure", STRUCTURES)
def test_icl_by_brute_force(structure):
    mixture = mixture_of(structure)
    completed, entropy = 0.0, 0.0
    for joint in densities(mixture, IRIS):
        completed += np.log(joint.max())  # of the point together with its label
        resp = joint / joint.sum()
        entropy -= (resp[resp > 0] * np.log(resp[resp > 0])).sum()
    p = mixture.n_parameters
    icl = select.icl(mixture, IRIS)
    np.testing.assert_allclose(icl, np.log(150) * p - 2 * completed, rtol=1e-11)
    assert select.bic(mixture, IRIS) < icl < select.bic(mixture, IRIS) + 2 * entropy


def test_mclust_finds_the_same_on_iris(rng):
    """BIC as R's mclust prints it for iris (its names VVV, EEE, VVI, VII), with the sign turned."""
    published = {
        "full": [829.9782, 574.0178, 580.8396],
        "tied": [829.9782, 688.0972, 632.9647],
        "diag": [1522.1202, 857.5515, 744.6382],
        "spherical": [1804.0854, 1012.2352, 853.8144],
    }
    sweep = select.sweep(IRIS, [1, 2, 3], rng=rng, floor=0, tol=1e-9, progress=False)
    for structure, expected in published.items():
        found = [row.bic for row in sweep.rows if row.structure == structure]
        np.testing.assert_allclose(found, expected, atol=0.01)
    assert (sweep.best("bic").structure, sweep.best("bic").K) == ("full", 2)


def test_a_point_of_weight_two_counts_as_two_points():
    mixture = mixture_of("full")
    weights = np.arange(150) % 4
    repeated = np.repeat(IRIS, weights, axis=0)
    for criterion in (select.aic, select.bic, select.icl, select.held_out):
        np.testing.assert_allclose(
            criterion(mixture, IRIS, weights), criterion(mixture, repeated), rtol=1e-12
        )


def test_icl_counts_clusters_where_bic_counts_gaussians(rng):
    """Two long Gaussians that cross: two are needed for the density, but nobody can tell whose a point is."""
    cross = np.concatenate([rng.normal(size=(200, 2)) * s for s in ([3, 1], [1, 3])])
    sweep = select.sweep(cross, [1, 2, 3], "full", rng=rng, n_init=5, start=start.from_data, progress=False)
    assert sweep.best("bic").K == 2
    assert sweep.best("icl").K == 1


def test_points_sixty_sigma_out_leave_finite_criteria():
    mixture = Mixture([0.5, 0.5], Gaussian.univariate([0, 1], [1, 1]))
    for criterion in (select.aic, select.bic, select.icl, select.held_out):
        assert np.isfinite(criterion(mixture, [[-60.0], [1e6]]))


# Cross-validation ---------------------------------------------------------------------------------


def at_corners(X, K, rng, **keywords):
    """A start without chance."""
    return start.from_labels(X, np.arange(len(X)) * K // len(X), **keywords)


def test_cross_validation_by_a_loop_written_by_hand(three, rng):
    folds = np.arange(len(three)) % 4
    expected = []
    for fold in range(4):
        seen, unseen = three[folds != fold], three[folds == fold]
        trace = fit(at_corners(seen, 3, None, structure="diag"), seen, tol=1e-6)
        checks.monotone(trace)
        expected.append(np.log(densities(trace.model, unseen).sum(axis=1)).mean())
    found = select.cross_validated(three, 3, rng, structure="diag", folds=folds, start=at_corners, floor=0)
    np.testing.assert_allclose(found.folds, expected, rtol=1e-10)
    np.testing.assert_allclose(found.mean, np.mean(expected), rtol=1e-10)
    np.testing.assert_allclose(found.error, stats.sem(expected), rtol=1e-10)
    assert repr(found) == (
        f"held-out log-likelihood {found.mean:.4f} ± {found.error:.4f} nats per point, over 4 folds"
    )


def test_no_fit_sees_the_points_it_is_asked_about(three, rng):
    X = np.column_stack([three, np.zeros(len(three))])
    X[:, 2] = rng.permutation(len(X))  # every point its own name
    seen = []

    def spy(X, K, rng, **keywords):
        seen.append(set(X[:, 2]))
        return at_corners(X, K, rng, **keywords)

    select.cross_validated(X, 1, rng, folds=5, start=spy)
    everything = set(range(len(X)))
    unseen = [everything - names for names in seen]
    assert [len(names) for names in unseen] == [36] * 5
    assert set.union(*unseen) == everything


def test_a_model_that_remembers_is_found_out(rng):
    """In twenty dimensions three full Gaussians fit 300 points of one Gaussian better and better, and others worse."""
    X = rng.normal(size=(300, 20))
    sweep = select.sweep(X, [1, 3], "full", rng=rng, folds=5, floor=0.01, progress=False)
    one, three = sweep.rows
    assert three.log_likelihood > one.log_likelihood
    assert one.held_out > three.held_out + 3 * three.held_out_error
    # One Gaussian of known truth: -entropy of the truth, less a little.
    truth = -10 * (1 + np.log(2 * np.pi))
    assert truth - 2 < one.held_out < truth


def test_folds_that_collapsed_cannot_win():
    """Whole minutes repeat, so a component that stands on one of them is right about some held-out points."""
    waits = datasets.old_faithful().X[:, 1:]
    found = select.cross_validated(waits, 25, np.random.default_rng(0))
    assert found.collapsed
    assert f"{found.collapsed} of them with a fit that collapsed" in repr(found)
    sweep = select.sweep(waits, [3, 25], "full", rng=np.random.default_rng(0), folds=5, progress=False)
    three, many = sweep.rows
    assert found.mean > three.held_out  # flattered
    assert np.isnan(many.held_out)
    assert "of the fits without a fold collapsed" in many.missing
    assert three.missing == ""
    assert sweep.best("held_out") is three
    with pytest.raises(ValueError, match=r"no row has a held-out score, the first because .* of the fits"):
        select.Sweep((dataclasses.replace(many, stop=three.stop),), 1).best("held_out")


def test_where_nothing_could_be_held_out_the_reason_is_kept(rng):
    X = np.concatenate([np.linspace(-2, -1, 20), np.linspace(1, 2, 20)])[:, None]
    sweep = select.sweep(X, 2, "full", rng=rng, folds=[0] * 39 + [1], progress=False)
    with pytest.raises(
        ValueError, match="K is 2; it must be between 1 and 1, the number of points in the small"
    ):
        sweep.best("held_out")


def test_the_best_is_never_a_row_that_collapsed():
    def row(reason, **values):
        stop = Stop(reason, 3, np.nan, np.nan, "")
        return select.Row("full", 2, 5, -1.0, **values, stop=stop, seconds=0, reached=(), mixture=None)

    good = row("converged", aic=9.0, bic=9.0, icl=9.0, held_out=-9.0, held_out_error=1.0)
    bad = row("collapsed", aic=1.0, bic=1.0, icl=1.0, held_out=-1.0, held_out_error=1.0)
    for criterion in ("aic", "bic", "icl", "held_out"):
        assert select.Sweep((bad, good), 2).best(criterion) is good


def test_folds_are_dealt_out_by_chance(rng):
    splits = splits_of(100, 5, rng)
    everything = set(range(100))
    assert all(set(seen) == everything - set(unseen) for seen, unseen in splits)
    assert [len(unseen) for _, unseen in splits] == [20] * 5
    assert set.union(*(set(unseen) for _, unseen in splits)) == everything
    fold_of = np.empty(100)
    for fold, (_, unseen) in enumerate(splits):
        fold_of[unseen] = fold
    assert (fold_of[:20] != np.arange(20) % 5).any()
    assert np.corrcoef(fold_of, np.arange(100))[0, 1] < 0.5
    again = splits_of(100, 5, np.random.default_rng(0))
    other = splits_of(100, 5, np.random.default_rng(1))
    assert [unseen.tolist() for _, unseen in again] == [unseen.tolist() for _, unseen in splits]
    assert [unseen.tolist() for _, unseen in other] != [unseen.tolist() for _, unseen in splits]


def test_folds_may_have_names(rng):
    names = pd.Series(["b", "a", "b", "c"])
    for column in (
        names,
        names.tolist(),
        names.astype("category"),
        names.astype(object),
        np.array([2, 1, 2, 3], dtype=object),
        np.array([-1, -3, -1, 7]),  # scikit-learn's PredefinedSplit never holds out a fold of the name -1
    ):
        assert [unseen.tolist() for _, unseen in splits_of(4, column, rng)] == [[1], [0, 2], [3]]
    for mixed in (["a", 1], ["a", np.nan], [None, None]):
        with pytest.raises(ValueError, match="the name of its fold: whole numbers or strings"):
            splits_of(2, np.array(mixed, dtype=object), rng)


def test_with_a_prior_the_best_start_has_the_highest_objective(three):
    """Not the highest log-likelihood."""
    prior = Prior(np.diag([0.01, 0.01]), 500.0)
    begin = functools.partial(start.from_data, prior=prior)
    (row,) = select.sweep(
        three, 4, "full", rng=np.random.default_rng(3), n_init=8, start=begin, progress=False
    ).rows
    objectives = [
        fit(begin(three, 4, own, structure="full"), three, warn=False).objective
        for own in np.random.default_rng(3).spawn(1)[0].spawn(2)[0].spawn(8)
    ]
    assert row.reached[np.argmax(objectives)] == row.log_likelihood < np.max(row.reached)


def test_flat_data_are_said_once(three, rng):
    """And are fitted: the floor gives a constant column a width."""
    X = np.column_stack([three, np.ones(len(three))])
    with pytest.warns(EMWarning, match="column 2 is constant") as said:
        sweep = select.sweep(X, [1, 2], "diag", rng=rng, folds=3, progress=False)
    assert len(said) == 1
    assert all(row.healthy and np.isfinite(row.held_out) for row in sweep.rows)
    with pytest.warns(EMWarning, match="column 2 is constant") as said:
        select.cross_validated(X, 1, rng)
    assert len(said) == 1


def test_folds_may_be_groups(three, rng):
    groups = np.repeat(["a", "b", "c"], [70, 70, 40])
    found = select.cross_validated(three, 1, rng, folds=groups)
    for name, value in zip("abc", found.folds, strict=True):
        one = start.from_labels(three[groups != name], np.zeros((groups != name).sum()))
        np.testing.assert_allclose(value, one.log_density(three[groups == name]).mean(), rtol=1e-3)


def test_cross_validation_that_cannot_be(three, rng):
    with pytest.raises(
        ValueError, match="K is 6; it must be between 1 and 5, the number of points in the small"
    ):
        select.cross_validated(three[:10], 6, rng, folds=2)
    with pytest.raises(ValueError, match="puts all points into one fold"):
        select.cross_validated(three, 2, rng, folds=np.zeros(len(three), dtype=int))
    with pytest.raises(ValueError, match="folds is 1; it must be between 2 and 180, the number of points"):
        select.cross_validated(three, 2, rng, folds=1)
    with pytest.raises(ValueError, match=r"nothing could be fitted without fold 0: .*distinct points"):
        select.cross_validated(np.repeat(three[:2, :1], 10, axis=0), 3, rng)


# Sweeps -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def sweep(three):
    return select.sweep(three, range(1, 5), rng=np.random.default_rng(0), **USUAL, folds=3)


def test_every_criterion_finds_three_clusters_that_are_three(sweep):
    for criterion in ("bic", "icl", "held_out"):
        best = sweep.best(criterion)
        assert (best.K, best.structure) == (3, "full")
        assert len(best.mixture) == 3
    assert sweep.best("aic").K >= 3


def test_bic_finds_the_structure_too(rng):
    centres = np.repeat([(-8, 0), (0, 8), (8, 0)], 150, axis=0)
    noise = rng.normal(size=centres.shape)
    sizes = np.repeat([0.5, 1, 2], 150)[:, None]
    made = {
        "spherical": centres + sizes * noise,
        "diag": centres + sizes * noise * np.where(sizes == 1, [3, 0.5], [0.5, 3]),
        "tied": centres + noise @ [[1, 0.8], [0, 0.4]],
    }
    for structure, X in made.items():
        best = select.sweep(X, range(2, 5), rng=rng, **USUAL).best()
        assert (best.structure, best.K) == (structure, 3)


def test_rows_say_what_their_mixtures_are(sweep, three):
    assert [(row.structure, row.K) for row in sweep.rows] == [(s, K) for s in STRUCTURES for K in range(1, 5)]
    for row in sweep.rows:
        assert row.mixture.components.structure == row.structure
        assert len(row.mixture) == row.K
        assert row.n_parameters == row.mixture.n_parameters
        np.testing.assert_allclose(row.log_likelihood, row.mixture.log_density(three).sum(), rtol=1e-10)
        for criterion in ("aic", "bic", "icl"):
            assert getattr(row, criterion) == getattr(select, criterion)(row.mixture, three)
        assert row.stop.converged or row.stop.reason in ("stalled", "max_iter")
        assert row.n_iter == row.stop.n_iter > 0
        assert row.seconds > 0
        assert len(row.reached) == 2
        assert np.nanmax(row.reached) == row.log_likelihood
        # On points that it has not seen it does worse than on its own, as a rule, and not by much. (Four components
        # are one too many, and without some fold one of them may be left with two points.)
        assert np.isfinite(row.held_out) == (row.missing == "")
        if row.missing:
            assert row.K == 4
            assert "collapsed" in row.missing
        else:
            assert row.log_likelihood / len(three) > row.held_out > row.log_likelihood / len(three) - 1


def test_more_starts_reach_as_high_or_higher(three):
    once, often = (
        select.sweep(
            three, [4], "full", rng=np.random.default_rng(0), n_init=n, start=start.from_data, progress=False
        ).rows[0]
        for n in (1, 8)
    )
    assert once.reached == often.reached[:1]
    assert often.log_likelihood > once.log_likelihood
    assert len(np.unique(np.round(often.reached, 3))) > 1


def test_cross_validation_changes_no_fit(three, sweep):
    without = select.sweep(three, range(1, 5), rng=np.random.default_rng(0), **USUAL)
    assert [row.bic for row in without.rows] == [row.bic for row in sweep.rows]
    assert np.isnan([row.held_out for row in without.rows]).all()
    with pytest.raises(ValueError, match="nothing was held out: sweep with folds=5"):
        without.best("held_out")


def test_all_rows_share_their_folds(three, rng):
    seen = {}

    def spy(X, K, rng, **keywords):
        seen.setdefault(K, set()).add(X.tobytes())
        return at_corners(X, K, rng, **keywords)

    select.sweep(three, [1, 2], "diag", rng=rng, start=spy, folds=4, progress=False)
    assert len(seen[1]) == 1 + 4
    assert seen[1] == seen[2]


def same(one, other):
    """Whether two sweeps found the same, to the last bit."""
    for a, b in zip(one.rows, other.rows, strict=True):
        assert (a.structure, a.K, a.stop.reason, a.n_iter) == (b.structure, b.K, b.stop.reason, b.n_iter)
        np.testing.assert_array_equal(a.reached, b.reached)
        for name in ("log_likelihood", "aic", "bic", "icl", "held_out", "held_out_error"):
            np.testing.assert_array_equal(getattr(a, name), getattr(b, name))
        np.testing.assert_array_equal(a.mixture.components.covariances, b.mixture.components.covariances)
    return True


def test_in_parallel_it_finds_the_same(three, sweep):
    parallel = select.sweep(three, range(1, 5), rng=np.random.default_rng(0), **USUAL, folds=3, n_jobs=2)
    assert same(sweep, parallel)
    other = select.sweep(three, range(1, 5), rng=np.random.default_rng(1), **USUAL, folds=3)
    with pytest.raises(AssertionError):
        same(sweep, other)


def test_a_fit_that_collapses_is_a_row(rng):
    X = np.repeat(rng.normal(size=(4, 2)), 10, axis=0)  # four distinct points
    sweep = select.sweep(X, range(1, 7), rng=rng, progress=False)  # a warning would be an error here
    assert len(sweep.rows) == 24
    for row in sweep.rows:
        if row.K > 4:
            assert row.mixture is None
            assert row.stop.message.startswith(f"K is {row.K}; it must be between 1 and 4, the number of dis")
            assert row.n_parameters == mixture_of(row.structure, row.K, 2).n_parameters
        if not row.healthy:
            values = [row.log_likelihood, row.aic, row.bic, row.icl, *row.reached]
            assert np.isnan(values).all()
    full = sweep.rows[:6]
    assert [row.stop.reason for row in full] == ["converged"] + ["collapsed"] * 5
    # What only the floor holds up is there to be looked at, but no criterion believes it.
    assert select.bic(full[3].mixture, X) < sweep.best("bic").bic
    assert sweep.best("bic").stop.reason == "converged"
    assert re.search(r"full +5 +29 +–", repr(sweep))


def test_healthy_fits_are_preferred_to_collapsed_ones(rng):
    X = rng.normal(size=(60, 2))
    X[:5] = X[0]
    lump = np.zeros(60, dtype=int)
    lump[:5] = 1
    halves = (X[:, 0] > 0).astype(int)
    labels = iter([lump, halves, lump])

    def from_the_list(X, K, rng, **keywords):
        return start.from_labels(X, next(labels), **keywords)

    (row,) = select.sweep(X, 2, "full", rng=rng, n_init=3, start=from_the_list, progress=False).rows
    assert np.isnan(row.reached).tolist() == [True, False, True]
    assert row.healthy
    assert row.log_likelihood == row.reached[1]


def test_where_everything_collapses_best_says_why(rng):
    with pytest.warns(EMWarning, match="column 0 is constant"):
        sweep = select.sweep(np.zeros((9, 1)), [2, 3], rng=rng, folds=3, progress=False)
    with pytest.raises(
        ValueError, match="every fit collapsed, the first because K is 2; it must be between 1 and 1"
    ):
        sweep.best()
    assert "collapsed" in repr(sweep)
    assert "collapsed" in sweep._repr_html_()


def test_the_floor_is_that_of_each_feature_or_what_one_says(three, rng):
    for floor, expected in [
        ("auto", 1e-10 * three.var(axis=0)),
        (0.25, [0.25, 0.25]),
        ([0.5, 0.25], [0.5, 0.25]),
    ]:
        for row in select.sweep(three, 2, rng=rng, floor=floor, progress=False).rows:
            np.testing.assert_allclose(row.mixture.components.floor, expected, rtol=1e-10)
    (row,) = select.sweep(three, 2, "diag", rng=rng, floor=0, progress=False).rows
    assert row.mixture.components.floor is None


def test_features_of_many_scales_are_fitted_alike(three):
    """A floor for each feature does not feel the units; one for all once drowned the small feature."""
    one, other = (
        select.sweep(
            X, [2, 3], ["full", "diag"], rng=np.random.default_rng(0), start=at_corners, progress=False
        )
        for X in (three, three * [1e6, 1e-3] + [5e6, 7])
    )
    shift = -180 * np.log(1e6 * 1e-3)
    np.testing.assert_allclose(
        [row.log_likelihood for row in other.rows],
        [row.log_likelihood + shift for row in one.rows],
        atol=1e-3,
    )
    assert (one.best().structure, one.best().K) == (other.best().structure, other.best().K)


def interrupted_at(K):
    """A start during which somebody presses the key."""

    def begin(X, k, rng, **keywords):
        if k == K:
            raise KeyboardInterrupt
        return at_corners(X, k, rng, **keywords)

    return begin


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_an_interrupt_keeps_what_is_done(three, rng, n_jobs):
    with pytest.warns(EMWarning, match="interrupted: 7 of 9 rows are done, and kept"):
        sweep = select.sweep(
            three, range(1, 10), "diag", rng=rng, start=interrupted_at(8), n_jobs=n_jobs, progress=False
        )
    done = [row.K for row in sweep.rows]
    assert done == [1, 2, 3, 4, 5, 6, 7]
    assert f"interrupted: {9 - len(done)} more were planned" in repr(sweep)
    assert sweep.best().K in done
    with pytest.raises(KeyboardInterrupt):
        select.sweep(three, [1, 2], "diag", rng=rng, start=interrupted_at(1), progress=False)


def test_an_interrupt_within_a_fit_ends_the_sweep_too(three, rng, monkeypatch):
    maximize = Mixture.maximize

    def pressed(self, statistics):
        if len(self) == 3:
            raise KeyboardInterrupt  # which `fit` takes for the end of this fit alone
        return maximize(self, statistics)

    monkeypatch.setattr(Mixture, "maximize", pressed)
    with pytest.warns(EMWarning, match="interrupted: 2 of 5 rows are done, and kept"):
        sweep = select.sweep(three, range(1, 6), "full", rng=rng, progress=False)
    assert [row.K for row in sweep.rows] == [1, 2]


def test_single_fits_warn_nobody_but_say_it_in_their_row(three, rng):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        (row,) = select.sweep(three, 5, "full", rng=rng, max_iter=2, progress=False).rows
    assert row.stop.reason == "max_iter"
    assert np.isfinite(row.bic)


def test_progress_is_shown_where_tqdm_is(three, rng, capsys, monkeypatch):
    def sweep(**keywords):
        return select.sweep(three, [1, 2], "diag", rng=rng, **keywords)

    sweep(progress=False)
    assert not capsys.readouterr().err
    sweep()
    assert "2/2" in capsys.readouterr().err
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)  # as if it were not installed
    assert len(sweep().rows) == 2
    assert not capsys.readouterr().err


# The table ----------------------------------------------------------------------------------------


def test_the_table_is_a_data_frame(sweep):
    frame = sweep.table()
    assert list(frame.columns) == [
        *(
            "structure",
            "K",
            "parameters",
            "log_likelihood",
            "aic",
            "bic",
            "icl",
            "held_out",
            "held_out_error",
        ),
        *("steps", "stop", "seconds"),
    ]
    assert len(frame) == 16
    best = frame.loc[frame["bic"].idxmin()]
    assert (best["structure"], best["K"]) == (sweep.best().structure, sweep.best().K)
    assert frame["K"].dtype == frame["parameters"].dtype == frame["steps"].dtype == int
    assert frame["bic"].tolist() == [row.bic for row in sweep.rows]
    assert set(frame["stop"]) <= {"converged", "stalled", "max_iter"}
    np.testing.assert_allclose(
        frame["bic"], np.log(180) * frame["parameters"] - 2 * frame["log_likelihood"], rtol=1e-12
    )


def test_the_table_without_folds_has_no_column_for_them(three, rng):
    sweep = select.sweep(three, 2, ["full"], rng=rng, progress=False)
    assert "held_out" not in sweep.table()
    assert "held-out" not in repr(sweep)


def test_the_text_lines_up_and_marks_the_best(sweep):
    title, head, *lines, foot = repr(sweep).split("\n")
    assert title == "Sweep of 16 mixtures"
    assert len(lines) == 16
    assert "best" in foot
    for name, word in [("bic", "BIC"), ("aic", "AIC"), ("icl", "ICL")]:
        end = head.index(word) + 3
        column = [line[:end].split()[-1] for line in lines]
        np.testing.assert_allclose([float(value) for value in column], sweep.table()[name], atol=0.006)
        (marked,) = [n for n, line in enumerate(lines) if line[end] == "*"]
        assert sweep.rows[marked] is sweep.best(name)
    assert sum(line.count("*") for line in lines) == 4


def test_the_page_shows_the_same_table(sweep):
    page = sweep._repr_html_()
    assert page.count("<tr") == 17
    assert page.count("<b>") == 4
    assert f"<b>{sweep.best('bic').bic:.2f}</b>" in page


def test_a_sweep_is_a_value(sweep):
    with pytest.raises(AttributeError):
        sweep.rows = ()
    with pytest.raises(AttributeError):
        sweep.rows[0].bic = 0.0
    assert repr(pickle.loads(pickle.dumps(sweep))) == repr(sweep)


def test_sweeps_that_make_no_sense(three, rng):
    for keywords, message in [
        ({"K": []}, "K is empty; give at least one value"),
        ({"K": [1, 2.5]}, "K is 2.5; it must be a whole number"),
        ({"K": 1000}, "K is 1000; it must be between 1 and 180, the number of points"),
        ({"structures": "round"}, "structure is 'round'; it must be one of 'full', 'tied'"),
        ({"structures": 7}, "structure is 7; it must be one of"),
        ({"rng": 0}, "rng is 0; it must be a numpy.random.Generator"),
        ({"start": "k_means"}, "start is 'k_means'; it must be a function such as emlib.start.k_means"),
        (
            {"start": lambda *_, **__: 1},
            "start gave an int; it must give a Mixture of 1 'full' Gaussian, as those of",
        ),
        ({"structures": ["full", [1]]}, r"structure is \[1\]; it must be one of"),
        ({"structures": [np.ones(2)]}, r"structure is array\(.*\); it must be one of"),
        ({"floor": "none"}, "floor is 'none'; it must be a number, one for each feature, or 'auto'"),
        ({"floor": None}, "floor is None; it must be a number, one for each feature, or 'auto'"),
        (
            {"floor": -1},
            "floor is -1; it must be a variance, or one for each feature: all above 0, or 0 for no floor",
        ),
        (
            {"floor": [1, 2, 3]},
            r"floor has shape \(3,\); it must be one number, or one for each of 2 features",
        ),
        ({"floor": [1, 0]}, r"floor is \[1, 0\]; it must be a variance"),
        ({"floor": np.nan}, "floor is nan; it must be a finite number"),
        ({"family": "Gaussian"}, "family is 'Gaussian'; it must be a class of components, such as Gaussian"),
        ({"family": Family}, "family is <class .*Family'>; it must be a class of components"),
        ({"family": Mixture}, "family is <class .*Mixture'>; it must be a class of components"),
        ({"family": Poisson}, "row 0 of X has values that are no counts"),
        (
            {"family": Poisson, "structures": "tied"},
            "structure is 'tied', and Poisson has none: leave it out",
        ),
        ({"family": Poisson, "floor": 0.1}, "floor is given, and Poisson has none: leave it out"),
        ({"n_init": 0}, "n_init is 0; it must be at least 1"),
        ({"n_jobs": -2}, "n_jobs is -2; it must be at least 1"),
        ({"folds": 1}, "folds is 1; it must be between 2 and 180"),
    ]:
        with pytest.raises(ValueError, match=message):
            select.sweep(three, **{"rng": rng, "progress": False} | keywords)
    with pytest.raises(
        ValueError, match="criterion is 'BIC'; it must be one of 'aic', 'bic', 'icl', 'held_out'"
    ):
        select.sweep(three, 1, "full", rng=rng, progress=False).best("BIC")
    with pytest.raises(ValueError, match="the weights are zero everywhere"):
        select.bic(mixture_of("full"), IRIS, np.zeros(150))


# Other families, other models, data in pieces ------------------------------------------------------


@pytest.fixture(scope="module")
def counts():
    """Two features of counts, of three kinds of points."""
    rng = np.random.default_rng(2)
    return rng.poisson(np.repeat([(2, 30), (12, 5), (40, 40)], 60, axis=0))


def test_counts_have_three_kinds(counts, rng):
    sweep = select.sweep(counts, range(1, 6), rng=rng, family=Poisson, folds=4, n_init=2, progress=False)
    assert [(row.structure, row.K) for row in sweep.rows] == [("Poisson", K) for K in range(1, 6)]
    for criterion in ("bic", "icl"):
        assert sweep.best(criterion).K == 3
    row = sweep.rows[2]
    rates = row.mixture.components.rates
    joint = np.log(row.mixture.weights) + stats.poisson.logpmf(counts[:, None], rates).sum(axis=2)
    log_likelihood = np.logaddexp.reduce(joint, axis=1).sum()
    parameters = 2 + 3 * 2
    np.testing.assert_allclose(row.log_likelihood, log_likelihood, rtol=1e-10)
    np.testing.assert_allclose(row.bic, np.log(180) * parameters - 2 * log_likelihood, rtol=1e-10)
    np.testing.assert_allclose(row.icl, np.log(180) * parameters - 2 * joint.max(axis=1).sum(), rtol=1e-10)
    # EM keeps the mean of the data in every M-step.
    np.testing.assert_allclose(row.mixture.weights @ rates, counts.mean(axis=0), rtol=1e-10)
    assert "Poisson  3           8" in repr(sweep)


def test_its_criteria_can_be_drawn(ax, counts, rng):
    sweep = select.sweep(counts, [1, 2, 3], rng=rng, family=Poisson, progress=False)
    plot.criteria(ax, sweep)
    line = ax.get_lines()[0]
    assert line.get_label() == "Poisson"
    np.testing.assert_array_equal(line.get_ydata(), [row.bic for row in sweep.rows])


def test_one_poisson_held_out_by_hand(counts, rng):
    names = np.arange(180) % 3
    found = select.cross_validated(counts, 1, rng, family=Poisson, folds=names)
    expected = [
        stats.poisson.logpmf(counts[names == fold], counts[names != fold].mean(axis=0)).sum(axis=1).mean()
        for fold in range(3)
    ]
    np.testing.assert_allclose(found.folds, expected, rtol=1e-12)


def test_a_family_that_cannot_be_fitted_is_a_row_too(rng):
    """Of three values no four clusters can be made; and how many numbers four would have is known all the same."""
    X = np.repeat([[0], [5], [20]], 9, axis=0)
    three, four = select.sweep(X, [3, 4], rng=rng, family=Poisson, progress=False).rows
    assert three.healthy
    assert (four.mixture, four.n_parameters) == (None, 3 + 4)
    assert four.stop.message.startswith("K is 4; it must be between 1 and 3, the number of distinct points")


def test_options_of_a_family_are_given_by_the_start(rng):
    X = (rng.uniform(size=(80, 3)) < np.repeat([(0.9, 0.9, 0.1), (0.1, 0.2, 0.9)], 40, axis=0)).astype(int)
    begin = functools.partial(start.k_means, pseudo=0.5)
    row = select.sweep(X, 2, rng=rng, family=Bernoulli, start=begin, progress=False).rows[0]
    assert row.mixture.components.pseudo == 0.5
    assert row.structure == "Bernoulli"


def test_a_start_of_another_family_is_refused(counts, rng):
    def gaussians(X, K, rng, family):
        return start.k_means(X, K, rng)

    with pytest.raises(
        ValueError, match="start gave a mixture of 2 Gaussians in 2 dimensions; it must give a Mixture"
    ):
        select.sweep(counts, 2, rng=rng, family=Poisson, start=gaussians, progress=False)


def test_models_that_are_no_mixtures_have_their_criteria():
    """Do & Batzoglou's coins, five rows of ten flips, by hand."""
    heads, coins = np.array([5, 9, 8, 4, 7]), Coins([0.8, 0.52], tosses=10)
    flips = 0.5 * sum(p**heads * (1 - p) ** (10 - heads) for p in (0.8, 0.52))
    log_likelihood = np.log(flips).sum()
    np.testing.assert_allclose(select.aic(coins, heads), 2 * 2 - 2 * log_likelihood, rtol=1e-12)
    np.testing.assert_allclose(select.bic(coins, heads), 2 * np.log(5) - 2 * log_likelihood, rtol=1e-12)
    np.testing.assert_allclose(select.held_out(coins, heads), log_likelihood / 5, rtol=1e-12)
    with pytest.raises(
        ValueError, match="mixture is a Coins; it must be a Mixture, such as the model of a fit"
    ):
        select.icl(coins, heads)


def test_weights_may_be_on_any_scale_but_whole_ones_are_counts():
    mixture, rng = mixture_of("full"), np.random.default_rng(3)
    shares = rng.dirichlet(np.ones(150))
    for criterion in (select.aic, select.bic, select.icl, select.held_out):
        wanted = criterion(mixture, IRIS, shares)
        np.testing.assert_allclose(criterion(mixture, IRIS, 1e5 * shares), wanted, rtol=1e-12)
        # By hand: a point weighs 1 on average.
        if criterion is select.bic:
            log_density = np.log(densities(mixture, IRIS).sum(axis=1))
            by_hand = np.log(150) * mixture.n_parameters - 2 * 150 * (shares @ log_density)
            np.testing.assert_allclose(wanted, by_hand, rtol=1e-12)
        twice = criterion(mixture, np.repeat(IRIS, 2, axis=0))
        np.testing.assert_allclose(criterion(mixture, IRIS, np.full(150, 2.0)), twice, rtol=1e-12)


def test_data_may_come_in_pieces_or_from_a_file(three, tmp_path):
    file = np.memmap(tmp_path / "three.bin", dtype=float, mode="w+", shape=three.shape)
    file[:] = three
    pieces = [three[:50], three[50:51].astype(np.float64), three[51:]]
    for data in (pieces, file, Blocks(pieces), [file[:100], file[100:]], three.tolist(), pd.DataFrame(three)):
        one, other = (
            select.sweep(X, [2, 3], "diag", rng=np.random.default_rng(0), folds=3, progress=False)
            for X in (three, data)
        )
        assert same(one, other)
    found = select.cross_validated(pieces, 2, np.random.default_rng(0))
    assert found == select.cross_validated(three, 2, np.random.default_rng(0))
    mixture = one.rows[0].mixture
    for criterion in (select.aic, select.bic, select.icl, select.held_out):
        np.testing.assert_allclose(criterion(mixture, pieces), criterion(mixture, three), rtol=1e-12)


def test_pieces_that_do_not_fit_are_refused(three, rng):
    for X, words in [
        ([three, three[:, :1]], r"the blocks have rows of different shapes, \(1,\) and \(2,\)"),
        ([three, np.ma.masked_less(three, 0)], "block 1 of 2: X has masked values"),
        ([], "data is an empty list"),
        (iter([three]), "data is an iterator"),
        (Blocks(three, np.ones(180)), "X has weights, which are not taken here"),
    ]:
        with pytest.raises(ValueError, match=words):
            select.sweep(X, 1, rng=rng, progress=False)


def test_an_interrupt_ends_cross_validation(three, rng, monkeypatch):
    """A fit that was cut short says nothing of held-out points."""
    calls = iter(range(100))
    maximize = Mixture.maximize

    def pressed(self, statistics):
        if next(calls) == 7:
            raise KeyboardInterrupt
        return maximize(self, statistics)

    monkeypatch.setattr(Mixture, "maximize", pressed)
    with pytest.raises(KeyboardInterrupt, match="by the keyboard"):
        select.cross_validated(three, 3, rng)


def test_pandas_and_others_come_late():
    heavy = {"pandas", "sklearn", "joblib", "tqdm", "matplotlib", "scipy.stats"}
    code = "import sys; from emlib import select; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert not heavy & set(loaded.split())


# Junk ------------------------------------------------------------------------------------------------

JUNK = {
    "nan": np.full((30, 1), np.nan),
    "inf": np.full((30, 1), np.inf),
    "empty": np.zeros((0, 1)),
    "masked": np.ma.array(np.zeros((30, 1)), mask=np.ones((30, 1))),
    "complex": np.ones((30, 1), dtype=complex),
    "one-dimensional": np.zeros(30),
    "cube": np.zeros((3, 3, 3)),
    "words": [["a"], ["b"]],
    "text": "abc",
    "nothing": None,
    "ragged": [[1.0], [2.0, 3.0]],
}


def in_words(error):
    """Whether the sentence is emlib's own; what NumPy could not read may be told in NumPy's words, at its end."""
    own = str(error.value).split("cannot be read as an array of numbers: ")[0]
    foreign = (
        "inhomogeneous",
        "ambiguous",
        "broadcast",
        "could not convert",
        "unpack",
        "not iterable",
        "has no attr",
    )
    return not any(words in own for words in foreign)


@pytest.mark.parametrize("name", JUNK)
def test_data_that_are_none_are_refused_in_words(name, rng):
    mixture = Mixture([1.0], Gaussian.univariate([0], [1]))
    functions = [
        lambda X: select.sweep(X, 1, rng=rng, progress=False),
        lambda X: select.cross_validated(X, 1, rng),
        lambda X: select.bootstrap_ratio(X, 1, rng, progress=False),
        *(functools.partial(getattr(select, f), mixture) for f in ("aic", "bic", "icl", "held_out")),
    ]
    for function in functions:
        with pytest.raises(ValueError, match=r"X|data") as refused:
            function(JUNK[name])
        assert in_words(refused)


@pytest.mark.parametrize(
    "place", ["K", "rng", "structure", "folds", "n_init", "start", "floor", "tol", "max_iter", "family"]
)
@pytest.mark.parametrize(
    "junk",
    [None, np.nan, -1, 1j, "a", b"x", {}, [], [[]], [1, [2, 3]], np.ones((2, 2)), np.ma.masked, object()],
    ids=lambda junk: type(junk).__name__,
)
def test_arguments_that_are_none_are_refused_in_words(three, place, junk):
    arguments = {"K": 2, "rng": np.random.default_rng(0), place: junk}
    for function in (select.cross_validated, select.bootstrap_ratio):
        if place == "folds" and function is select.bootstrap_ratio:
            continue
        with pytest.raises(ValueError, match=place) as refused:
            function(three, **arguments)
        assert in_words(refused)
    swept = {"structures" if name == "structure" else name: value for name, value in arguments.items()}
    with pytest.raises(ValueError, match=place) as refused:
        select.sweep(three, **({"structures": "full"} | swept), progress=False)
    assert in_words(refused)


@pytest.mark.parametrize("K", [181, np.int64(10**6)])
def test_more_components_than_points_are_refused(three, rng, K):
    with pytest.raises(ValueError, match=rf"K is {K}; it must be between 1 and 180, the number of points"):
        select.sweep(three, K, rng=rng, progress=False)
    with pytest.raises(
        ValueError, match=rf"K is {K}; it must be between 1 and 144, the number of points in the sm"
    ):
        select.cross_validated(three, K, rng)
    with pytest.raises(
        ValueError, match=rf"K is {K}; it must be between 1 and 179, one less than the number of"
    ):
        select.bootstrap_ratio(three, K, rng)
