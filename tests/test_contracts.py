"""What holds for the whole of emlib: its own output is accepted, nothing fails silently, nothing is half done."""

import copy
import pickle
import subprocess
import sys
import threading
import warnings

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from structures import covariances, each_structure
from threadpoolctl import threadpool_info, threadpool_limits

from emlib import (
    Blocks,
    Collapse,
    EMWarning,
    Gaussian,
    GaussianMixture,
    Mixture,
    Prior,
    Stop,
    checks,
    datasets,
    em,
    explore,
    fit,
    fit_best,
    plot,
    select,
    squarem,
    start,
)
from emlib.classic import Coins, Linkage


def clusters(N=240, D=2, gap=3.0, seed=0):
    """Three overlapping clusters."""
    rng = np.random.default_rng(seed)
    return gap * rng.standard_normal((3, D))[np.arange(N) % 3] + rng.standard_normal((N, D))


X = clusters()
WEIGHTS = np.random.default_rng(1).uniform(0.2, 3, size=len(X))
LABELS = np.arange(len(X)) % 3
MODEL = start.from_labels(X, LABELS)
TRACE = fit(MODEL, X, max_iter=2, warn=False)
LINE = Mixture([0.4, 0.6], Gaussian.univariate([0.0, 2.0], [1.0, 0.5]))
STARTS = {
    "random": start.random,
    "from_data": start.from_data,
    "k_means": start.k_means,
    "k_means_plus_plus": start.k_means_plus_plus,
}
CRITERIA = {"aic": select.aic, "bic": select.bic, "icl": select.icl, "held_out": select.held_out}
FITTED = GaussianMixture(3, random_state=0, tol=1e-6, max_iter=500).fit(X)


def rng():
    return np.random.default_rng(0)


def quietly(work):
    """What `work()` returns, whatever it warns of."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return work()


# np.seterr(all="raise") breaks nothing ------------------------------------------------------------------------


@each_structure
@pytest.mark.parametrize("distance", [30.0, 39.0, 60.0, 1e4])
def test_points_far_away_raise_no_floating_point_error(structure, distance):
    parts = Gaussian([[0, 0], [1, 0]], covariances(structure, [np.eye(2), 2 * np.eye(2)]), structure)
    mixture = Mixture([0.5, 0.5], parts)
    far = np.array([[distance, 0.0], [0.0, -distance], [0.3, 0.1]])
    with np.errstate(all="raise"):
        checks.probabilities(mixture.responsibilities(far))
        assert np.isfinite(mixture.log_density(far)).all()
        assert np.isfinite(mixture.expect(far).log_likelihood)
        np.testing.assert_array_equal(mixture.predict(far), mixture.responsibilities(far).argmax(axis=1))


@each_structure
@pytest.mark.parametrize(
    "options",
    [{}, {"floor": 1e-3}, {"floor": [0.5, 3.0]}, {"ridge": 1e-3}, {"prior": Prior.weak(X, 3)}],
    ids=["plain", "floor", "floors", "ridge", "prior"],
)
@pytest.mark.parametrize("accelerate", [False, True], ids=["", "accelerated"])
def test_fits_raise_no_floating_point_error(structure, options, accelerate):
    far = np.append(X, [[60.0, -80.0]], axis=0)
    with np.errstate(all="raise"):
        for name in ("from_data", "k_means_plus_plus", "random"):
            first = getattr(start, name)(far, 3, rng(), structure=structure, **options)
            trace = quietly(lambda first=first: fit(first, far, tol=1e-8, max_iter=60, accelerate=accelerate))
            checks.monotone(trace)


def test_all_else_raises_no_floating_point_error():
    mixture, line = FITTED.mixture_, Mixture([0.4, 0.6, 0.0], Gaussian.univariate([0, 2, 1e4], [1, 1e-8, 3]))
    with np.errstate(all="raise"):
        gmm = GaussianMixture(3, random_state=0, n_init=2, tol=1e-4).fit(X, sample_weight=WEIGHTS)
        gmm.sample(50), gmm.predict_proba(X), gmm.score(X), gmm.aic(X), gmm.bic(X, sample_weight=WEIGHTS)
        quietly(lambda: GaussianMixture(3, random_state=0).fit(np.repeat(X[:20], 3, axis=0) * [1, 0]))
        mixture.sample(50, rng()), mixture.mean(), mixture.covariance(), mixture.aligned(mixture)
        mixture.conditionals([0], X[:, :1]).covariance(), mixture.marginal([1])
        mixture.conditional([0], [300.0])
        line.cdf([-1e3, 0, 2.5, 1e9]), line.quantile([0, 1e-300, 0.3, 1]), line.sample(20, rng())
        line.components.divergence(line.components), line.suspicion(line.expect([[0.0], [2.0]]))
        line.log_density([[-50.0], [2.0], [1e4]]), repr(line)
        for criterion in (select.aic, select.bic, select.icl, select.held_out):
            criterion(mixture, X, WEIGHTS)
        (
            checks.moments(MODEL, X),
            checks.stationary(mixture, X, tol=1),
            checks.covariances(MODEL.components.matrices),
        )
        checks.additive(lambda X: MODEL.log_density(X).sum(), X)
        start.usual_floor(X, WEIGHTS), start.k_means(X, 3, rng(), weights=WEIGHTS)


def test_pictures_and_other_models_raise_no_floating_point_error():
    line = Mixture([0.5, 0.5], Gaussian.univariate([0, 1], [1, 1]))
    far = np.array([[0.0], [39.0], [60.0], [400.0]])
    with np.errstate(all="raise"):
        plot.line(Figure().add_subplot(), line, far)(line)
        plot.shares(Figure().add_subplot(), line, -50, 400)
        plot.watch(Figure(), fit(line, far, tol=0, max_iter=2, warn=False), far)(1)
        plot.contours(Figure().add_subplot(), FITTED.mixture_)
        coins = fit(Coins([1 - 1e-6, 1e-9], tosses=1000), [0, 1000, 500], warn=False).model
        np.testing.assert_allclose(coins.probabilities, [0.75, 0], atol=1e-12)
        wide = Gaussian.univariate([0, 1e200], [1e-300, 1e300])
        np.testing.assert_array_equal(wide.divergence(wide) > 0, [[False, True], [True, False]])


# float32, in and out ------------------------------------------------------------------------------------------


def test_emlib_accepts_its_own_float32():
    narrow = clusters(N=3000).astype(np.float32)
    gmm = GaussianMixture(3, random_state=0).fit(narrow)
    resp = gmm.predict_proba(narrow)
    assert resp.dtype == np.float32
    assert np.abs(resp.sum(axis=1, dtype=float) - 1).max() > 1e-8  # what was refused
    checks.probabilities(resp)
    assert plot.mixed(resp).shape[0] == len(resp)
    plot.clusters(Figure().add_subplot(), narrow, resp, gmm.means_)(resp)
    for other in (
        resp.tolist(),
        pd.DataFrame(resp),
        resp.astype(float),
    ):  # float32 no more, and rounded as it is
        assert plot.mixed(other).shape[0] == len(resp)
        start.from_responsibilities(narrow, other)
    again = start.from_responsibilities(narrow, resp)
    np.testing.assert_allclose(again.components.means, gmm.means_, atol=1e-2)
    mixture = Mixture(gmm.weights_, Gaussian(gmm.means_, gmm.covariances_))
    np.testing.assert_allclose(mixture.log_density(narrow), gmm.score_samples(narrow), rtol=1e-4)
    given = {"weights_init": gmm.weights_, "means_init": gmm.means_, "precisions_init": gmm.precisions_}
    quietly(lambda: GaussianMixture(3, max_iter=1, **given).fit(narrow))
    gmm.predict(gmm.sample(20)[0])
    assert fit(start.from_data(narrow, 3, rng()), narrow, tol=1e-4, max_iter=300).stop.converged
    checks.moments(start.from_labels(narrow, np.arange(3000) % 3), narrow)


@each_structure
def test_variances_that_float32_cannot_hold_come_in_float64(structure):
    tiny = (3e-23 * clusters()).astype(np.float32)
    gmm = quietly(lambda: GaussianMixture(3, covariance_type=structure, random_state=0).fit(tiny))
    for name in ("covariances_", "precisions_", "precisions_cholesky_"):
        values = getattr(gmm, name)
        assert np.isfinite(values).all()
        np.testing.assert_allclose(
            values,
            getattr(
                gmm.mixture_.components,
                {
                    "covariances_": "covariances",
                    "precisions_": "precisions",
                    "precisions_cholesky_": "precision_factors",
                }[name],
            ),
            rtol=1e-6,
        )
    assert np.isfinite(gmm.score_samples(tiny)).all()


# Masked arrays and complex numbers are refused, wherever ------------------------------------------------------


def everywhere():
    """Every place that takes an array: its name, a valid array for it, and what to do with one."""
    components = MODEL.components
    gmm = copy.copy(FITTED)
    resp = MODEL.responsibilities(X)
    log_likelihoods = np.array([-3.0, -2.0])
    plain = {
        "Gaussian means": (components.means, lambda a: Gaussian(a, components.covariances)),
        "Gaussian covariances": (components.covariances, lambda a: Gaussian(components.means, a)),
        "Gaussian floor": (np.ones(2), lambda a: Gaussian(components.means, components.covariances, floor=a)),
        "univariate means": (np.zeros(2), lambda a: Gaussian.univariate(a, [1, 1])),
        "univariate variances": (np.ones(2), lambda a: Gaussian.univariate([0, 1], a)),
        "Prior covariance": (np.eye(2), lambda a: Prior(a, 1.0)),
        "Prior mean": (np.zeros(2), lambda a: Prior(np.eye(2), 1.0, a, 1.0)),
        "Prior.weak": (X, lambda a: Prior.weak(a, 2)),
        "Mixture weights": (MODEL.weights, lambda a: Mixture(a, components)),
        "conditional values": (np.zeros(1), lambda a: MODEL.conditional([0], a)),
        "conditionals values": (X[:, :1], lambda a: MODEL.conditionals([0], a)),
        "cdf": (np.zeros(3), LINE.cdf),
        "quantile": (np.full(3, 0.5), LINE.quantile),
        "from_responsibilities resp": (resp, lambda a: start.from_responsibilities(X, a)),
        "family resp": (resp, lambda a: Gaussian.from_responsibilities(X, a)),
        "monotone": (log_likelihoods, checks.monotone),
        "probabilities": (resp, checks.probabilities),
        "covariances": (components.matrices, checks.covariances),
        "equal ours": (X, lambda a: checks.equal(a, X)),
        "equal theirs": (X, lambda a: checks.equal(X, a)),
        "additive X": (X, lambda a: checks.additive(lambda X: float(X.real.sum()), a)),
        "weights_init": (FITTED.weights_, lambda a: GaussianMixture(3, weights_init=a).fit(X)),
        "means_init": (FITTED.means_, lambda a: GaussianMixture(3, means_init=a).fit(X)),
        "precisions_init": (FITTED.precisions_, lambda a: GaussianMixture(3, precisions_init=a).fit(X)),
        "facade's floor": (np.full(2, 1e-9), lambda a: GaussianMixture(3, floor=a, random_state=0).fit(X)),
    }
    data = {
        "component density": components.log_density,
        "family X": lambda a: Gaussian.from_responsibilities(a, resp),
        "expect": MODEL.expect,
        "log_density": MODEL.log_density,
        "responsibilities": MODEL.responsibilities,
        "predict": MODEL.predict,
        "fit": lambda a: fit(MODEL, a, tol=0, max_iter=1),
        "fit_best": lambda a: fit_best([MODEL], a, tol=0, max_iter=1),
        "em": lambda a: next(em(MODEL, a)),
        "squarem": lambda a: next(squarem(MODEL, a)),
        "Blocks": lambda a: MODEL.expect(Blocks([a, a])),
        "from_labels X": lambda a: start.from_labels(a, LABELS),
        "from_responsibilities X": lambda a: start.from_responsibilities(a, resp),
        "usual_floor": start.usual_floor,
        "moments": lambda a: checks.moments(MODEL, a),
        "stationary": lambda a: checks.stationary(MODEL, a, tol=1e9),
        **{name: lambda a, make=make: make(a, 3, rng()) for name, make in STARTS.items()},
        **{name: lambda a, criterion=criterion: criterion(MODEL, a) for name, criterion in CRITERIA.items()},
        "facade's fit": lambda a: GaussianMixture(3, random_state=0).fit(a),
        **{
            f"facade's {name}": getattr(gmm, name)
            for name in ("predict", "predict_proba", "score", "score_samples", "aic", "bic")
        },
    }
    weights = {
        "expect": lambda w: MODEL.expect(X, w),
        "fit": lambda w: fit(MODEL, X, w, tol=0, max_iter=1),
        "fit_best": lambda w: fit_best([MODEL], X, w, tol=0, max_iter=1),
        "from_labels": lambda w: start.from_labels(X, LABELS, weights=w),
        "k_means": lambda w: start.k_means(X, 3, rng(), weights=w),
        "usual_floor": lambda w: start.usual_floor(X, w),
        "bic": lambda w: select.bic(MODEL, X, w),
        "icl": lambda w: select.icl(MODEL, X, w),
        "moments": lambda w: checks.moments(MODEL, X, w),
        "stationary": lambda w: checks.stationary(MODEL, X, 1e9, w),
        "additive": lambda w: checks.additive(lambda X, w: float(w @ X.sum(axis=1)), X, w),
        "facade's fit": lambda w: GaussianMixture(3, random_state=0).fit(X, sample_weight=w),
        "facade's score": lambda w: gmm.score(X, sample_weight=w),
        "facade's aic": lambda w: gmm.aic(X, sample_weight=w),
        "facade's bic": lambda w: gmm.bic(X, sample_weight=w),
    }
    plain |= {f"{name} X": (X, work) for name, work in data.items()}
    return plain | {f"{name} weights": (np.ones(len(X)), work) for name, work in weights.items()}


PLACES = everywhere()


@pytest.mark.parametrize("place", PLACES)
def test_masked_arrays_and_complex_numbers_are_refused(place):
    good, work = PLACES[place]
    quietly(lambda: work(good))  # as it is, it is accepted
    mask = np.zeros(good.shape, dtype=bool)
    mask.flat[-1] = True
    for bad, said in (
        (np.ma.array(good, mask=mask), "mask"),
        (good + 0j, "complex"),
        (good + 1e-9j, "complex"),
    ):
        with pytest.raises(ValueError, match=f"(?i){said}"):
            work(bad)


def test_a_mask_in_a_list_of_blocks_is_seen():
    masked = np.ma.array(X[:100], mask=np.arange(200).reshape(100, 2) == 7)
    for work in (
        MODEL.expect,
        start.usual_floor,
        lambda blocks: start.from_labels(blocks, LABELS),
        lambda blocks: checks.moments(MODEL, blocks),
        lambda blocks: Prior.weak(blocks, 3),
        FITTED.predict,
        GaussianMixture(3).fit,
    ):
        with pytest.raises(ValueError, match="masked values"):
            work([X[100:], masked])


def test_a_mask_in_a_list_of_rows_is_seen():
    rows = list(np.ma.array(X, mask=np.arange(X.size).reshape(X.shape) == 7))
    for work in (
        MODEL.log_density,
        MODEL.components.log_density,
        FITTED.predict,
        GaussianMixture(3).fit,
        lambda rows: Gaussian.from_responsibilities(rows, MODEL.responsibilities(X)),
        lambda rows: GaussianMixture(2, means_init=rows[2:4]).fit(X),
    ):
        with pytest.raises(ValueError, match="masked values"):
            work(rows)
    with pytest.raises(ValueError, match="columns has masked values"):
        MODEL.marginal(np.ma.array([0, 1], mask=[True, False]))


def test_the_facade_reads_no_dates_and_no_complex_objects_as_numbers():
    complexes = X.astype(object)
    complexes[3, 1] = 1 + 2j
    dates = np.full(X.shape, np.datetime64("2020-01-01"))
    for bad in (complexes, dates, [X, dates], pd.DataFrame({"when": dates[:, 0], "then": dates[:, 1]})):
        for work in (GaussianMixture(2).fit, FITTED.predict, FITTED.score, FITTED.bic):
            with pytest.raises(ValueError, match="X cannot be read as an array of numbers"):
                work(bad)


# Threads ------------------------------------------------------------------------------------------------------


def threads(*interfaces):
    """How many each pool of these interfaces has, as seen from the thread that asks."""
    return {
        pool["filepath"]: pool["num_threads"] for pool in threadpool_info() if pool["user_api"] in interfaces
    }


@pytest.mark.parametrize("main_ends", ["first", "last"])
def test_fits_that_overlap_in_two_threads_give_the_blas_threads_back(main_ends):
    """This thread's fit begins first, and goes on until the other has begun, or ended."""
    here_runs, there_runs, here_done, there_done = (threading.Event() for _ in range(4))
    during, failures = [], []

    def told(tells, waits_for):
        def on_step(step):
            if step.number == 0:
                tells.set()
                assert waits_for.wait(60)
                during.append({*threads("blas").values()})

        return on_step

    def there():
        try:
            assert here_runs.wait(60)
            ends_last = main_ends == "first"
            fit(MODEL, X, tol=0, max_iter=3, on_step=told(there_runs, here_done if ends_last else there_runs))
        except BaseException as error:
            failures.append(error)
        there_done.set()

    with threadpool_limits(limits=2):
        before = threads("blas", "openmp")
        assert set(before.values()) == {2}
        other = threading.Thread(target=there)
        other.start()
        fit(
            MODEL,
            X,
            tol=0,
            max_iter=3,
            on_step=told(here_runs, there_runs if main_ends == "first" else there_done),
        )
        here_done.set()
        other.join(60)
        assert not failures
        assert during == [{1}, {1}]
        assert threads("blas", "openmp") == before


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, MemoryError])
def test_a_fit_that_fails_gives_the_blas_threads_back(error):
    def broken(step):
        raise error

    with threadpool_limits(limits=2):
        before = threads("blas", "openmp")
        if error is KeyboardInterrupt:  # which ends the fit in words
            assert quietly(lambda: fit(MODEL, X, on_step=broken)).stop.reason == "interrupted"
        else:
            with pytest.raises(error):
                fit(MODEL, X, on_step=broken)
        assert threads("blas", "openmp") == before


# The scale of the weights -------------------------------------------------------------------------------------


OVERLAPPING = np.concatenate([np.random.default_rng(0).normal(c, 1, size=(400, 1)) for c in (0, 2)])
SCALES = [800.0, 1.0, 1e-6, 1e7]


def weighing(total):
    return np.full(len(OVERLAPPING), total / len(OVERLAPPING))


@pytest.mark.parametrize("accelerate", [False, True])
def test_the_sum_of_the_weights_changes_no_end_of_a_fit(accelerate):
    first = Mixture([0.5, 0.5], Gaussian.univariate([-1.0, 3.0], [2.0, 2.0]))

    def ended(weights):
        trace = quietly(
            lambda: fit(first, OVERLAPPING, weights, tol=1e-5, negligible=0.01, accelerate=accelerate)
        )
        return trace.stop.reason, trace.stop.n_iter, trace.objective / trace.n_points

    expected = ended(None)
    assert expected[0] == "converged"
    for total in SCALES:
        reason, n_iter, objective = ended(weighing(total))
        assert (reason, n_iter) == expected[:2]
        assert objective == pytest.approx(expected[2], rel=1e-12)


@pytest.mark.parametrize("K", [2, 3])
def test_the_sum_of_the_weights_changes_no_answer_of_the_facade(K):
    def ended(weights):
        gmm = GaussianMixture(K, random_state=0, tol=1e-5, max_iter=5000)
        quietly(lambda: gmm.fit(OVERLAPPING, sample_weight=weights))
        return (
            gmm,
            gmm.aic(OVERLAPPING, weights),
            gmm.bic(OVERLAPPING, weights),
            gmm.score(OVERLAPPING, sample_weight=weights),
        )

    expected, *numbers = ended(None)
    for total in SCALES:
        gmm, *same_numbers = ended(weighing(total))
        assert (gmm.stop_.reason, gmm.n_iter_) == (expected.stop_.reason, expected.n_iter_)
        assert gmm.lower_bound_ == pytest.approx(expected.lower_bound_, rel=1e-12)
        if total != 1e7:  # where every point weighs 12,500, which is a count
            assert same_numbers == pytest.approx(numbers, rel=1e-10)


def test_points_of_no_weight_are_no_points():
    """They count neither for what is negligible nor for what can be told apart, nor are they enough for a model."""
    more = np.concatenate([OVERLAPPING, np.random.default_rng(1).normal(50, 5, size=(2400, 1))])
    weights = np.append(np.ones(800), np.zeros(2400))
    ours = GaussianMixture(2, random_state=0, tol=1e-5, max_iter=3000).fit(more, sample_weight=weights)
    theirs = GaussianMixture(2, random_state=0, tol=1e-5, max_iter=3000).fit(OVERLAPPING)
    assert (ours.stop_.reason, ours.n_iter_) == (theirs.stop_.reason, theirs.n_iter_)
    assert ours.bic(more, weights) == pytest.approx(theirs.bic(OVERLAPPING), rel=1e-9)
    close = Mixture([0.5, 0.5], Gaussian.univariate([0.9, 1.1], [2.0, 2.0]))
    assert close.suspicion(close.expect(OVERLAPPING)).reason == "stalled"
    assert close.suspicion(close.expect(more, weights)).reason == "stalled"
    with pytest.raises(ValueError, match="needs 3 points at least, and there are 2"):
        fit(MODEL, X[:9], [1, 1, 0, 0, 0, 0, 0, 0, 0])


def test_saddles_are_recognised_whatever_the_weights_sum_to():
    """What can be told apart is a question of how many points there are, not of what they weigh."""
    equal = Mixture([0.5, 0.5], Gaussian.univariate([1.0, 1.0], [2.0, 2.0]))
    for weights in (None, *map(weighing, SCALES)):
        stop = quietly(lambda weights=weights: fit(equal, OVERLAPPING, weights)).stop
        assert stop.reason == "stalled"
    apart = Mixture([0.5, 0.5], Gaussian.univariate([0.0, 2.0], [1.0, 1.0]))
    for weights in (None, *map(weighing, SCALES)):
        assert apart.suspicion(apart.expect(OVERLAPPING, weights)) is None


@pytest.mark.parametrize("criterion", [select.aic, select.bic, select.icl, select.held_out])
def test_a_criterion_of_weights_that_sum_to_one_is_that_of_all_ones(criterion):
    expected = criterion(MODEL, X)
    assert criterion(MODEL, X, np.ones(len(X))) == expected
    for total in (1.0, 1e-6, 1e5):
        assert criterion(MODEL, X, np.full(len(X), total / len(X))) == pytest.approx(expected, rel=1e-12)
    # And on any scale for weights that differ: only their ratios matter.
    assert criterion(MODEL, X, WEIGHTS / WEIGHTS.sum()) == pytest.approx(
        criterion(MODEL, X, WEIGHTS), rel=1e-12
    )


def test_a_histograms_counts_are_repeated_points():
    """Points of a line, in bins: BIC and AIC are those of the points, each at the centre of its bin."""
    counts, edges = np.histogram(OVERLAPPING, bins=30)
    centres = ((edges[1:] + edges[:-1]) / 2)[:, None]
    repeated = np.repeat(centres, counts, axis=0)
    given = {
        "means_init": [[-1.0], [3.0]],
        "weights_init": [0.5, 0.5],
        "precisions_init": np.full((2, 1, 1), 0.5),
    }
    binned = GaussianMixture(2, tol=1e-8, max_iter=5000, **given).fit(centres, sample_weight=counts)
    plain = GaussianMixture(2, tol=1e-8, max_iter=5000, **given).fit(repeated)
    # (30 rows or 800: what is negligible is a hundredth of a nat over them, and so the stop may differ.)
    for name in ("aic", "bic"):
        ours = getattr(plain, name)(centres, sample_weight=counts)
        assert ours == pytest.approx(getattr(plain, name)(repeated), rel=1e-12)
        assert getattr(select, name)(plain.mixture_, centres, counts) == pytest.approx(ours, rel=1e-12)
        assert getattr(binned, name)(centres, counts) == pytest.approx(ours, rel=1e-4)
    assert plain.score(centres, sample_weight=counts) == pytest.approx(plain.score(repeated), rel=1e-12)
    icl = select.icl(plain.mixture_, centres, counts)
    assert icl == pytest.approx(select.icl(plain.mixture_, repeated), rel=1e-12)


@pytest.mark.parametrize("name", ["score", "aic", "bic"])
def test_weights_that_are_all_zero_are_refused_in_words(name):
    with pytest.raises(ValueError, match="the weights are zero everywhere: at least one point must count"):
        getattr(FITTED, name)(X, sample_weight=np.zeros(len(X)))


# The facade: nothing half done --------------------------------------------------------------------------------


BAD_REFITS = {
    "nan": ([[np.nan] * 3] * 9, {}),
    "more components than points": (np.eye(3), {"n_components": 7}),
    "a word for a number": (np.zeros((9, 3)), {"tol": "small"}),
    "all starts collapse": (np.repeat(np.arange(3.0)[:, None] * np.ones(3), 4, axis=0), {"floor": 0}),
    "a start of another shape": (clusters(D=3), {"means_init": np.zeros((2, 2))}),
}


@pytest.mark.parametrize("why", BAD_REFITS)
@pytest.mark.parametrize("warm", [False, True])
def test_a_failed_refit_changes_nothing(why, warm):
    bad, parameters = BAD_REFITS[why]
    gmm = GaussianMixture(3, random_state=0, tol=1e-4, max_iter=500).fit(X)
    gmm.set_params(warm_start=warm, **parameters)
    before = dict(vars(gmm))
    with pytest.raises(ValueError):
        quietly(lambda: gmm.fit(bad))
    assert vars(gmm).keys() == before.keys()
    assert all(vars(gmm)[name] is value for name, value in before.items())
    assert gmm.n_features_in_ == 2
    assert np.isfinite(gmm.score(X))


def test_a_failed_first_fit_leaves_an_unfitted_estimator():
    gmm = GaussianMixture(3, floor=0)
    with pytest.raises(ValueError, match="ill-defined"):
        gmm.fit(np.repeat(np.arange(3.0)[:, None], 4, axis=0))
    assert not hasattr(gmm, "n_features_in_")
    with pytest.raises(NotFittedError):
        gmm.predict(X)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        (
            {"n_components": 4},
            "warm_start would go on with 3 components .* 4 .* are asked for: set warm_start=False",
        ),
        (
            {"covariance_type": "diag"},
            "3 components of structure 'full', and 3 of structure 'diag' are asked for",
        ),
    ],
)
def test_a_warm_start_that_cannot_be_says_so(parameters, message):
    gmm = GaussianMixture(3, random_state=0, warm_start=True, tol=1e-4, max_iter=500).fit(X)
    before = gmm.trace_
    with pytest.raises(ValueError, match=message):
        gmm.set_params(**parameters).fit(X)
    assert gmm.trace_ is before
    quietly(lambda: gmm.set_params(warm_start=False).fit(X))
    assert (len(gmm.mixture_), gmm.mixture_.components.structure) == (gmm.n_components, gmm.covariance_type)


def test_a_warm_start_from_new_parameters_or_other_columns_says_that_it_cannot():
    gmm = GaussianMixture(3, random_state=0, warm_start=True, means_init=X[:3]).fit(X)
    quietly(lambda: gmm.fit(X))  # the parameters of the first start stand in no way
    for name, value in (
        ("means_init", X[3:6]),
        ("weights_init", [0.2, 0.2, 0.6]),
        ("precisions_init", [np.eye(2)] * 3),
    ):
        with pytest.raises(ValueError, match=f"{name} is new: set warm_start=False"):
            copy.copy(gmm).set_params(**{name: value}).fit(X)
    gmm = GaussianMixture(3, random_state=0, warm_start=True, tol=0.1).fit(X)
    with pytest.raises(ValueError, match="X has 3 columns and the model 2 dimensions"):
        gmm.fit(clusters(D=3))
    assert gmm.n_features_in_ == 2


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({}, {"reg_covar": 0.3}),
        ({"reg_covar": 0.3}, {"reg_covar": 0.0}),
        ({"floor": 2.0}, {"floor": 0.01}),  # the new floor lets every covariance fall
        ({"floor": 0.01}, {"floor": 2.0}),
    ],
)
def test_a_warm_start_under_another_floor_or_ridge_is_judged_anew(before, after):
    options = {"random_state": 0, "tol": 1e-9, "max_iter": 2000}
    apart = clusters(gap=9.0)  # so that there is one maximum to go to
    gmm = GaussianMixture(3, warm_start=True, **options, **before)
    quietly(lambda: gmm.fit(apart))
    quietly(lambda: gmm.set_params(**after).fit(apart))
    cold = GaussianMixture(3, **options, **(before | after))
    quietly(lambda: cold.fit(apart))
    assert gmm.stop_.reason == cold.stop_.reason
    assert gmm.n_iter_ >= 3
    np.testing.assert_allclose(gmm.covariances_, cold.covariances_, rtol=1e-3, atol=1e-4)


def test_a_warm_start_honours_new_parameters():
    def warm(**parameters):
        gmm = GaussianMixture(3, random_state=0, warm_start=True, tol=1e-3, max_iter=2000).fit(X)
        return gmm, copy.copy(gmm).set_params(**parameters)

    # A smaller tol goes on with the same history, and comes nearer to the limit.
    first, second = warm(tol=1e-10)
    second.fit(X)
    assert second.n_iter_ > 0
    assert second.lower_bound_ > first.lower_bound_
    np.testing.assert_array_equal(
        second.trace_.objectives[: len(first.trace_.objectives)], first.trace_.objectives
    )
    checks.monotone(second.trace_)
    # A floor above the smallest variance: it ends where EM under that floor ends.
    first, second = warm(floor=1.5, tol=1e-10)
    quietly(lambda: second.fit(X))
    assert np.linalg.eigvalsh(second.covariances_).min() == pytest.approx(1.5, rel=1e-9)
    parts = Gaussian(first.means_, first.covariances_, floor=1.5)
    direct = quietly(lambda: fit(Mixture(first.weights_, parts), X, tol=1e-10, max_iter=2000))
    assert second.lower_bound_ * len(X) == pytest.approx(direct.objective, abs=1e-6)
    checks.monotone(second.trace_)
    # A ridge.
    first, second = warm(reg_covar=0.7, tol=1e-10)
    quietly(lambda: second.fit(X))
    parts = Gaussian(first.means_, first.covariances_, ridge=0.7)
    direct = quietly(lambda: fit(Mixture(first.weights_, parts), X, tol=1e-10, max_iter=2000))
    np.testing.assert_allclose(second.covariances_, direct.model.components.covariances, atol=1e-3)
    assert np.linalg.eigvalsh(second.covariances_).min() > 0.7
    # No floor any more.
    first, second = warm(floor=0)
    assert second.fit(X).mixture_.components.floor is None


def interrupted_at(monkeypatch, number):
    """Let Ctrl-C come in the M-step of this number, counted from now; returns the list of those made."""
    made, maximize = [], Mixture.maximize

    def counted(self, statistics):
        made.append(None)
        if len(made) == number:
            raise KeyboardInterrupt
        return maximize(self, statistics)

    monkeypatch.setattr(Mixture, "maximize", counted)
    return made


def test_an_interrupt_ends_all_starts_and_keeps_the_best_so_far(monkeypatch):
    """In a step of the third start of five: before that, two fits have ended."""
    keywords = {"init_params": "random_from_data", "random_state": 3, "tol": 1e-4, "max_iter": 500}
    whole = GaussianMixture(3, n_init=5, **keywords).fit(X)
    steps = [reached.stop.n_iter for reached in whole.reached_]
    made = interrupted_at(monkeypatch, sum(steps[:2]) + 2)
    gmm = GaussianMixture(3, n_init=5, **keywords)
    with pytest.raises(KeyboardInterrupt, match="by the keyboard, in start 3; the best so far is kept"):
        gmm.fit(X)
    assert len(made) == sum(steps[:2]) + 2  # none after it
    assert gmm.stop_.reason == "interrupted"
    assert not gmm.converged_
    assert gmm.lower_bound_ == max(reached.lower_bound for reached in whole.reached_[:2])
    assert [reached.stop.reason for reached in gmm.reached_] == ["converged", "converged", "interrupted"]
    assert np.isfinite(gmm.score(X))


@pytest.mark.parametrize("warm", [False, True])
def test_an_interrupt_of_the_only_fit_keeps_the_last_model(monkeypatch, warm):
    gmm = GaussianMixture(
        3, random_state=0, warm_start=warm, tol=1e-9, max_iter=1000, init_params="random_from_data"
    )
    if warm:
        quietly(lambda: gmm.set_params(max_iter=3).fit(X))
    gmm.set_params(max_iter=1000)
    interrupted_at(monkeypatch, 5)
    with pytest.raises(KeyboardInterrupt):
        gmm.fit(X)
    assert gmm.stop_.reason == "interrupted"
    assert gmm.n_iter_ == 4
    checks.monotone(gmm.trace_)
    assert len(gmm.trace_.objectives) == 4 + 1 + 3 * warm


def test_an_interrupt_before_the_first_step_changes_nothing(monkeypatch):
    gmm = GaussianMixture(3, random_state=0).fit(X)
    before = dict(vars(gmm))

    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(Mixture, "e_step", interrupt)
    with pytest.raises(KeyboardInterrupt):
        gmm.fit(X[:200])
    assert all(vars(gmm)[name] is value for name, value in before.items())


def test_an_interrupt_ends_a_grid_search(monkeypatch):
    """No half-done fit is scored."""
    made = interrupted_at(monkeypatch, 30)
    search = GridSearchCV(
        GaussianMixture(random_state=0, n_init=2, tol=1e-5), {"n_components": [1, 2, 3, 4]}, cv=3
    )
    with pytest.raises(KeyboardInterrupt):
        quietly(lambda: search.fit(X))
    assert len(made) == 30
    assert not hasattr(search, "best_params_")


def test_an_interrupt_of_several_fits_returns_the_best_so_far(monkeypatch):
    starts = [start.from_data(X, 3, np.random.default_rng(seed)) for seed in range(4)]
    whole = fit_best(starts[:2], X, tol=1e-4)
    interrupted_at(monkeypatch, sum(end.stop.n_iter for end in whole.ends) + 3)
    with pytest.warns(EMWarning, match="EM interrupted"):
        best = fit_best(starts, X, tol=1e-4)
    assert best.stop.reason == "interrupted"
    assert len(best.ends) == 3
    assert best.objective == whole.objective
    assert best.model == whole.model


def test_an_interrupted_fit_does_not_outrank_a_healthy_one():
    """It has not been asked whether a component is held up, by which its likelihood is high."""
    points = np.append(X, np.full((3, 2), 30.0), axis=0)
    healthy = start.from_labels(points, np.zeros(len(points), dtype=int), floor=1e-9)
    held_up = start.from_labels(points, np.append(LABELS, [3, 3, 3]), floor=1e-9)
    steps = []

    def interrupt(step):
        steps.append(step)
        if len(step.model) == 4 and step.number == 3:
            raise KeyboardInterrupt

    best = quietly(lambda: fit_best([healthy, held_up], points, tol=1e-3, max_iter=2000, on_step=interrupt))
    assert best.stop.reason == "interrupted"
    assert best.ends[0].stop.healthy
    assert steps[-1].objective > best.objective
    assert len(best.model) == 1


# Lists of blocks, and memory maps -----------------------------------------------------------------------------


def in_blocks(array):
    return [array[:50], array[50:51], array[51:200], array[200:]]


def on_disk(array, folder, name="X"):
    np.save(folder / f"{name}.npy", array)
    return np.load(folder / f"{name}.npy", mmap_mode="r")


def facade(X, weights=None, **keywords):
    gmm = GaussianMixture(3, random_state=0, tol=1e-5, max_iter=300, **keywords)
    return quietly(lambda: gmm.fit(X, sample_weight=weights))


def drawn(draw):
    """Where the points of a drawing are."""
    figure = Figure()
    draw(figure, figure.subplots())
    return np.vstack([dots.get_offsets() for ax in figure.axes for dots in ax.collections])


# What to do with points, and what of the answer to compare.
ANSWERS = {
    "plot.plane": lambda X: drawn(lambda _, ax: plot.plane(ax, MODEL, X)),
    "plot.clusters": lambda X: drawn(lambda _, ax: plot.clusters(ax, X, MODEL.responsibilities(X))),
    "plot.watch": lambda X: drawn(lambda figure, _: plot.watch(figure, TRACE, X)),
    "fit": lambda X: fit(MODEL, X, tol=1e-6, warn=False).objectives,
    "fit accelerated": lambda X: fit(MODEL, X, tol=0, max_iter=6, accelerate=True).objectives,
    "fit_best": lambda X: (
        fit_best(
            [MODEL, MODEL.with_parts(np.array([0.2, 0.3, 0.5]), MODEL.components)], X, tol=1e-6, warn=False
        ).objective
    ),
    "em": lambda X: next(em(MODEL, X)).objective,
    "squarem": lambda X: next(squarem(MODEL, X)).objective,
    "expect": lambda X: MODEL.expect(X).counts,
    "components' log_density": MODEL.components.log_density,
    "components from_responsibilities": lambda X: (
        Gaussian.from_responsibilities(X, np.eye(3)[LABELS]).covariances
    ),
    "log_density": MODEL.log_density,
    "responsibilities": MODEL.responsibilities,
    "predict": MODEL.predict,
    "usual_floor": start.usual_floor,
    "Prior.weak": lambda X: Prior.weak(X, 3).covariance,
    "moments": lambda X: len(checks.moments(MODEL, X)),
    "stationary": lambda X: len(checks.stationary(FITTED.mixture_, X, tol=1)),
    "from_labels": lambda X: start.from_labels(X, LABELS).components.covariances,
    "from_responsibilities": lambda X: (
        start.from_responsibilities(X, MODEL.responsibilities(X)).components.covariances
    ),
    **{
        f"start.{name}": lambda X, make=make: make(X, 3, rng()).components.covariances
        for name, make in STARTS.items()
    },
    **{
        f"select.{name}": lambda X, criterion=criterion: criterion(MODEL, X)
        for name, criterion in CRITERIA.items()
    },
    "facade's fit": lambda X: facade(X).lower_bounds_,
    "facade's fit, n_init": lambda X: facade(X, n_init=2, init_params="random_from_data").means_,
    "facade's fit_predict": lambda X: GaussianMixture(3, random_state=0).fit_predict(X),
    **{
        f"facade's {name}": getattr(FITTED, name)
        for name in ("predict", "predict_proba", "score_samples", "score", "aic", "bic")
    },
}
WEIGHTED = {
    "fit": lambda X, w: fit(MODEL, X, w, tol=0, max_iter=5).objectives,
    "expect": lambda X, w: MODEL.expect(X, w).counts,
    "usual_floor": start.usual_floor,
    "from_labels": lambda X, w: start.from_labels(X, LABELS, weights=w).components.covariances,
    **{
        f"start.{name}": lambda X, w, make=make: make(X, 3, rng(), weights=w).components.covariances
        for name, make in STARTS.items()
    },
    **{
        f"select.{name}": lambda X, w, criterion=criterion: criterion(MODEL, X, w)
        for name, criterion in CRITERIA.items()
    },
    "moments": lambda X, w: len(checks.moments(start.from_labels(X, LABELS, weights=w), X, w)),
    "facade's fit": lambda X, w: facade(X, w).lower_bounds_,
    "facade's score": lambda X, w: FITTED.score(X, sample_weight=w),
    "facade's aic": lambda X, w: FITTED.aic(X, sample_weight=w),
    "facade's bic": lambda X, w: FITTED.bic(X, sample_weight=w),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_blocks_and_memmaps_give_the_arrays_answer(name, tmp_path):
    answer = ANSWERS[name]
    expected = answer(X)
    for pieces in (in_blocks(X), tuple(in_blocks(X)), Blocks(in_blocks(X)), [X], on_disk(X, tmp_path)):
        np.testing.assert_allclose(answer(pieces), expected, rtol=1e-9, atol=1e-12)
    memmaps = [on_disk(block, tmp_path, n) for n, block in enumerate(in_blocks(X))]
    np.testing.assert_allclose(answer(memmaps), expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", WEIGHTED)
def test_weighted_blocks_give_the_weighted_arrays_answer(name, tmp_path):
    answer = WEIGHTED[name]
    expected = answer(X, WEIGHTS)
    np.testing.assert_allclose(answer(in_blocks(X), in_blocks(WEIGHTS)), expected, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(answer(on_disk(X, tmp_path), WEIGHTS), expected, rtol=1e-9, atol=1e-12)


def test_a_table_written_out_is_no_list_of_blocks():
    rows = X.tolist()
    np.testing.assert_allclose(MODEL.log_density(rows), MODEL.log_density(X), rtol=1e-12)
    np.testing.assert_array_equal(FITTED.predict(rows), FITTED.predict(X))
    numbers = [list(map(np.float64, row)) for row in rows]
    np.testing.assert_array_equal(FITTED.predict(numbers), FITTED.predict(X))
    for points in ([np.float64(0), np.float64(1)], [0.0, 1.0], np.zeros(3)):
        with pytest.raises(ValueError, match=r"one-dimensional.*X\[:, None\]"):
            LINE.log_density(points)


def test_a_bad_block_is_named():
    blocks = in_blocks(X.copy())
    blocks[2][7, 1] = np.nan
    with pytest.raises(ValueError, match=r"block 2 of 4: X holds nan .*the first at \(7, 1\)"):
        fit(MODEL, blocks)
    with pytest.raises(ValueError, match=r"block 1 of 2: .*3 columns and the model 2"):
        MODEL.log_density([X, np.zeros((4, 3))])
    with pytest.raises(ValueError, match="3 features"):
        GaussianMixture(2).fit([X, np.zeros((4, 3))])


# Raw errors, in words -----------------------------------------------------------------------------------------


RAW = {
    "sample a word": (lambda: FITTED.sample("10"), "n_samples is '10'; it must be a whole number"),
    "sample half": (lambda: FITTED.sample(1.5), "n_samples is 1.5; it must be a whole number"),
    "sample a word of a mixture": (lambda: MODEL.sample("10", rng()), "n is '10'; it must be a whole number"),
    "verbose": (
        lambda: GaussianMixture(2, verbose=None).fit(X),
        "verbose is None; it must be a whole number",
    ),
    "verbose in words": (lambda: GaussianMixture(2, verbose="very").fit(X), "verbose is 'very'"),
    "means_init": (
        lambda: GaussianMixture(2, means_init={}).fit(X),
        "means.* cannot be read as an array of numbers",
    ),
    "weights_init": (lambda: GaussianMixture(2, weights_init="half").fit(X), "weights.* cannot be read"),
    "precisions_init": (lambda: GaussianMixture(2, precisions_init={}).fit(X), "precision.* cannot be read"),
    "a slice": (
        lambda: MODEL[:1],
        r"slice\(None, 1, None\) is no component; give the number of one, from 0 to 2",
    ),
    "a component that is not there": (lambda: MODEL["first"], "'first' is no component"),
    "aic of no model": (lambda: select.aic("mixture", X), "model is a str; it must be a Model"),
    "bic of an estimator": (lambda: select.bic(FITTED, X), "model is a GaussianMixture; it must be a Model"),
    "icl of no mixture": (lambda: select.icl(None, X), "mixture is None; it must be a Mixture"),
    "aic of no data": (lambda: select.aic(MODEL, "data"), "X cannot be read as an array of numbers"),
    "held out of nothing": (lambda: select.held_out(MODEL, []), "empty list"),
    "facade's aic of no data": (lambda: FITTED.aic("data"), r"X is 'data'; it must be an array \(N, D\)"),
    "facade's bic of no data": (lambda: FITTED.bic({}), r"X is {}; it must be an array \(N, D\)"),
    "facade's fit of nothing": (lambda: GaussianMixture(2).fit(None), "X is None; it must be an array"),
    "floor": (
        lambda: GaussianMixture(2, floor="low").fit(X),
        "floor is 'low'; it must be 'auto', a number, or one",
    ),
    "floors": (
        lambda: GaussianMixture(2, floor=[1, 2, 3]).fit(X),
        r"floor has shape \(3,\); it must be one number",
    ),
    "a floor below zero": (lambda: GaussianMixture(2, floor=-1).fit(X), "floor is -1; it must be a variance"),
    "half a floor": (lambda: Gaussian([[0, 0]], [np.eye(2)], floor=[1, 0]), "all above 0, or 0 for no floor"),
    "max_iter": (lambda: GaussianMixture(2, max_iter="many").fit(X), "max_iter is 'many'"),
    "random_state": (lambda: GaussianMixture(2, random_state="seed").fit(X), "seed"),
    "weights of blocks": (
        lambda: FITTED.score([X, X], sample_weight=np.ones(480)),
        "give the weights as a list",
    ),
    "starts": (lambda: fit_best([], X), "starts is empty: give one model or more"),
    "a start": (lambda: fit_best(["start"], X), "model is a str"),
    "fixed": (
        lambda: Gaussian([[0]], [[[1]]], fixed="weights"),
        "fixed is 'weights'; it must be one of 'means'",
    ),
    "an option": (lambda: start.from_labels(X, LABELS, ridges=1), "ridges"),
    "other statistics": (
        lambda: MODEL.maximize(start.from_labels(X, LABELS, structure="diag").expect(X)),
        "it must be what these components collect: full moments in 2 dimensions",
    ),
    "statistics of other dimensions": (
        lambda: MODEL.components.maximize(
            Gaussian.univariate([0], [1]).collect(np.ones((3, 1)), np.ones((3, 1)))
        ),
        "full moments in 2 dimensions",
    ),
    "a list of one point": (lambda: GaussianMixture(1).fit([np.ones((1, 2))]), "X holds one point"),
    "labels of two kinds": (
        lambda: start.from_labels(X[:2], np.array([1, "a"], dtype=object)),
        "labels cannot be sorted",
    ),
    "other moments added": (
        lambda: (
            MODEL.expect(X).components + start.from_labels(X, LABELS, structure="diag").expect(X).components
        ),
        "they add only if they come from models of one kind",
    ),
    "negative responsibilities": (
        lambda: Gaussian.from_responsibilities(X, -np.ones((len(X), 1))),
        "resp has a negative value, -1",
    ),
    "a prior of other dimensions": (
        lambda: Gaussian.univariate([0], [1], prior=Prior(np.eye(2), 1.0)),
        "prior has 2 dimensions and the components 1",
    ),
    "no statistics": (lambda: MODEL.components.maximize(3), "statistics is 3; it must be what these"),
    "statistics of coins": (lambda: Coins([0.5]).maximize(3), "statistics is an int; it must be a CoinStat"),
    "statistics of animals": (lambda: Linkage(0.5).maximize(None), "statistics is None"),
    "a marginal of components": (
        lambda: MODEL.components.marginal([2]),
        "columns are numbered from 0 to 1",
    ),
    "on_step": (lambda: fit(MODEL, X, on_step=3), "on_step is an int; it must be a function"),
    "a rule": (lambda: checks.stopping(3), "rule is an int"),
    "a log-likelihood": (lambda: checks.additive(3, X), "log_likelihood is an int"),
    "a curve": (lambda: plot.bound(Figure().add_subplot(), 3, 0, 1), "log_likelihood is an int"),
    "a curve of nothing": (
        lambda: plot.bound(Figure().add_subplot(), lambda p: None, 0, 1),
        "the log-likelihood is not finite anywhere from 0.0 to 1.0",
    ),
    "a drawing": (lambda: explore.frames(3, a=[1]), "draw is an int"),
    "a live drawing": (lambda: explore.live(3, a=(0, 1, 0)), "draw is an int"),
    "nobody's weights": (lambda: Mixture([0.5, 0.5], "Gaussians"), "it must be a family of distributions"),
}


@pytest.mark.parametrize("name", RAW)
def test_no_raw_error_leaves_a_public_function(name):
    work, message = RAW[name]
    with pytest.raises(ValueError, match=message):
        work()


def test_statistics_are_multiplied_by_numbers_only():
    statistics = MODEL.expect(X)
    for other in ("a", statistics, None):
        with pytest.raises(TypeError):
            statistics * other
    assert (np.float32(0.5) * statistics).n_points == (statistics * np.int64(2)).n_points / 4


@pytest.mark.parametrize("missing", ["matplotlib", "seaborn", "ipywidgets"])
def test_what_draws_says_which_extra_to_install(missing):
    code = f'''
import sys
sys.modules["{missing}"] = None
for statement in sys.argv[1:]:
    try:
        exec(statement)
    except ModuleNotFoundError as error:
        print(error.name, "|", error)
import emlib.select, emlib.estimator
'''
    drawing = ["from emlib import plot", "import emlib.plot", "from emlib.plot import line"]
    exploring = ["from emlib import explore", "import emlib.explore", "from emlib.explore import film"]
    command = [sys.executable, "-c", code, *exploring, *(drawing if missing != "ipywidgets" else [])]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    assert len(said) == len(command) - 3
    for line in said:
        assert line.startswith(f"{missing} | emlib.")
        assert line.endswith(f"needs {missing}, which is not installed: install em-course[course]")


# Values -------------------------------------------------------------------------------------------------------


def pickled(value):
    return pickle.loads(pickle.dumps(value))


def a_collapse():
    raise Collapse("on purpose")


def no_start(*_, **__):
    raise Collapse("on purpose")


def test_values_equal_their_own_copies_and_nothing_else():
    stop = Stop("collapsed", 3, float("nan"), float("nan"), "message")
    assert stop == pickled(stop)
    assert stop != Stop("collapsed", 4, float("nan"), float("nan"), "message")
    statistics, other = MODEL.expect(X), MODEL.expect(X[:100])
    assert statistics == MODEL.expect(X)
    assert statistics == pickled(statistics)
    assert statistics != other
    assert (statistics == 3) is False
    assert statistics.components == MODEL.expect(X).components
    for value in (
        MODEL,
        MODEL.components,
        MODEL.components.covariance,
        Prior.weak(X, 3),
        FITTED.trace_,
        FITTED.stop_,
        # With nan in a tuple: an end that collapsed, a row without held-out points.
        fit_best([a_collapse, MODEL], X, warn=False),
        select.sweep(X, [1, 2], ["full"], rng=rng(), start=no_start, progress=False),
        select.HeldOut(np.nan, np.nan, (np.nan, 1.0)),
        datasets.old_faithful(),
    ):
        twin = pickled(value)
        assert twin == value
        assert hash(twin) == hash(value)
        assert copy.deepcopy(value) == value
    assert FITTED.mixture_ != MODEL
    assert MODEL.components.under(floor=1e-3) != MODEL.components
    assert len({MODEL, pickled(MODEL), FITTED.mixture_}) == 2


def test_a_repr_shows_ten_components_and_says_how_many_more():
    K = 3000
    parts = Gaussian(np.arange(2.0 * K).reshape(K, 2), np.ones(K), "spherical")
    for value, noun in ((Mixture(np.full(K, 1 / K), parts), "Mixture of "), (parts, "")):
        first, *lines, last = repr(value).splitlines()
        assert first == f"{noun}3000 spherical Gaussians in 2 dimensions"
        assert len(lines) == 10
        assert last == "  and 2990 more"
    assert len(repr(parts.permuted(np.arange(10))).splitlines()) == 11
    coins = repr(Coins(np.full(K, 0.5)))
    assert coins == f"Coins([{'0.5, ' * 10}and 2990 more], tosses=10)"
    assert repr(Coins(np.full(10, 0.5))) == f"Coins([{', '.join(['0.5'] * 10)}], tosses=10)"


# Conditionals and the whole of a mixture ----------------------------------------------------------------------


def test_a_conditional_of_nearly_equal_columns_is_exact():
    a = np.array([1.1, 0.7, 1.3])
    mixture = Mixture([1.0], Gaussian(np.zeros((1, 3)), (np.outer(a, a) + 1e-12 * np.eye(3))[None]))
    found = mixture.conditional([0], [1.0]).components
    # By hand, in fractions: C_rr - C_rk C_kr / C_kk. Of 1e-12 beside 1, float64 keeps four digits.
    exact = [[1.404959e-12, 0.752066e-12], [0.752066e-12, 2.396694e-12]]
    np.testing.assert_allclose(found.covariances[0], exact, rtol=1e-3)
    np.testing.assert_allclose(found.means[0], np.array([0.7, 1.3]) / 1.1, rtol=1e-9)
    np.testing.assert_array_equal(found.covariances[0], found.covariances[0].T)


@each_structure
def test_conditionals_of_many_rows_are_those_of_each(structure):
    mixture = start.from_labels(clusters(D=3), LABELS, structure=structure, floor=0.3)
    values = clusters(D=3)[:40, [2, 0]]
    many = mixture.conditionals([2, 0], values)
    for n in (0, 17, -1):
        one = mixture.conditional([2, 0], values[n])
        np.testing.assert_allclose(many.resp[n], one.weights, rtol=1e-9)
        np.testing.assert_allclose(many.means[n], one.components.means, rtol=1e-9)
        np.testing.assert_allclose(many.covariances, one.components.covariances, rtol=1e-9)
        np.testing.assert_allclose(many.mean()[n], one.mean(), rtol=1e-9)
        np.testing.assert_allclose(many.covariance()[n], one.covariance(), rtol=1e-9)


@each_structure
def test_the_mean_and_covariance_of_a_mixture_are_those_of_the_data_after_an_m_step(structure):
    points = clusters(D=3)
    mixture = start.from_labels(points, LABELS, structure=structure)
    np.testing.assert_allclose(mixture.mean(), points.mean(axis=0), rtol=1e-12)
    wanted = np.cov(points.T, bias=True)
    if structure in ("full", "tied"):
        np.testing.assert_allclose(mixture.covariance(), wanted, rtol=1e-11)
    elif structure == "diag":
        np.testing.assert_allclose(np.diag(mixture.covariance()), np.diag(wanted), rtol=1e-11)
    else:
        assert np.trace(mixture.covariance()) == pytest.approx(np.trace(wanted), rel=1e-11)


def test_a_pickle_of_another_version_says_so():
    mixture = Mixture([1.0], Gaussian.univariate([0], [1]))
    state = mixture.components.__dict__.copy()
    del state["ridge"]  # 0.1.0 had none
    with pytest.raises(
        ValueError, match="this pickled Gaussian is of another version of emlib: it has no ridge"
    ):
        object.__new__(Gaussian).__setstate__(state)
