"""Whatever is put in, a public function refuses it by a ValueError in words, or it is right and so is the answer."""

import warnings

import numpy as np
import pytest
from matplotlib.figure import Figure
from scipy import stats
from toys import Poisson

import exercises
from emlib import (
    Blocks,
    Gaussian,
    GaussianMixture,
    Mixture,
    Prior,
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

RNG = np.random.default_rng(0)
X, PLANE = RNG.normal(size=(30, 1)), RNG.normal(size=(30, 2))
LINE = Mixture([0.5, 0.5], Gaussian.univariate([0, 1], [1, 2]))
FLAT = Mixture([0.5, 0.5], Gaussian([[0, 0], [1, 0]], [np.eye(2)] * 2))
COUNTS = Poisson(np.array([[1.0], [2.0]]))
TRACE = fit(LINE, X, tol=0, max_iter=1)
GMM = GaussianMixture(2, random_state=0, tol=0.1).fit(X)

JUNK = {
    "None": None,
    "nan": np.nan,
    "inf": np.inf,
    "zero": 0,
    "negative": -1,
    "fraction": 2.5,
    "huge": 10**400,
    "true": True,
    "complex": 1j,
    "text": "a",
    "bytes": b"x",
    "object": object(),
    "function": lambda: 1,
    "empty": [],
    "nested empty": [[]],
    "ragged": [1, [2, 3]],
    "dict": {},
    "texts": [["a"]],
    "complexes": np.array([1j]),
    "dates": np.array(["2020-01-01"], dtype="datetime64[D]"),
    "masked": np.ma.array([[1.0]], mask=[[True]]),
    "no rows": np.zeros((0, 1)),
    "flat": np.zeros(5),
    "too few rows": np.zeros((5, 1)),
    "too many columns": np.zeros((30, 7)),
    "cube": np.zeros((3, 3, 3)),
    "nans": np.full((30, 1), np.nan),
    "infinities": np.full((30, 2), np.inf),
    "far out": np.full((30, 1), 1e200),
}


def ax():
    return Figure().subplots()


def swept(*given, **keywords):
    return select.sweep(*given, **{"rng": RNG, "progress": False} | keywords)


SWEEP = swept(X, [1, 2], "full")

PLACES = {
    "Gaussian means": lambda junk: Gaussian(junk, [[[1.0]]]),
    "Gaussian covariances": lambda junk: Gaussian([[0.0]], junk),
    "Gaussian floor": lambda junk: Gaussian([[0.0]], [[[1.0]]], floor=junk),
    "Gaussian structure": lambda junk: Gaussian([[0.0]], [[[1.0]]], junk),
    "Gaussian ridge": lambda junk: Gaussian([[0.0]], [[[1.0]]], ridge=junk),
    "Gaussian prior": lambda junk: Gaussian([[0.0]], [[[1.0]]], prior=junk),
    "Gaussian fixed": lambda junk: Gaussian([[0.0]], [[[1.0]]], fixed=junk),
    "Prior covariance": lambda junk: Prior(junk, 1.0),
    "Prior count": lambda junk: Prior([[1.0]], junk),
    "Prior mean": lambda junk: Prior([[1.0]], 1.0, junk, 1.0),
    "Prior mean count": lambda junk: Prior([[1.0]], 1.0, [0.0], junk),
    "weak prior X": lambda junk: Prior.weak(junk, 2),
    "weak prior K": lambda junk: Prior.weak(X, junk),
    "univariate means": lambda junk: Gaussian.univariate(junk, [1.0, 1.0]),
    "univariate variances": lambda junk: Gaussian.univariate([1.0, 1.0], junk),
    "component density": lambda junk: LINE.components.log_density(junk),
    "Mixture weights": lambda junk: Mixture(junk, LINE.components),
    "Mixture components": lambda junk: Mixture([0.5, 0.5], junk),
    "expect": lambda junk: LINE.expect(junk),
    "expect weights": lambda junk: LINE.expect(X, junk),
    "maximize": lambda junk: LINE.maximize(junk),
    "log_density": lambda junk: FLAT.log_density(junk),
    "responsibilities": lambda junk: LINE.responsibilities(junk),
    "predict": lambda junk: FLAT.predict(junk),
    "weight count": lambda junk: Mixture([0.5, 0.5], LINE.components, junk),
    "marginal": lambda junk: FLAT.marginal(junk),
    "conditional": lambda junk: FLAT.conditional(junk, [1.0]),
    "conditional values": lambda junk: FLAT.conditional([1], junk),
    "aligned": lambda junk: LINE.aligned(junk),
    "fixed weights": lambda junk: Mixture([0.5, 0.5], LINE.components, fixed_weights=junk),
    "component": lambda junk: LINE[junk],
    "describe": lambda junk: LINE.components.describe(junk),
    "permuted": lambda junk: LINE.components.permuted(junk),
    "moved": lambda junk: FLAT.components.moved(junk),
    "distinct": lambda junk: FLAT.components.distinct(junk),
    "distinct family": lambda junk: COUNTS.distinct(junk),
    "divergence": lambda junk: FLAT.components.divergence(junk),
    "collect X": lambda junk: LINE.components.collect(junk, np.ones((30, 2))),
    "collect resp": lambda junk: LINE.components.collect(X, junk),
    "conditionals": lambda junk: FLAT.conditionals([1], junk),
    "cdf": lambda junk: LINE.cdf(junk),
    "quantile": lambda junk: LINE.quantile(junk),
    "sample n": lambda junk: LINE.sample(junk, RNG),
    "sample rng": lambda junk: LINE.sample(3, junk),
    "fit model": lambda junk: fit(junk, X),
    "fit data": lambda junk: fit(LINE, junk),
    "fit weights": lambda junk: fit(LINE, X, junk),
    "fit tol": lambda junk: fit(LINE, X, tol=junk, max_iter=3),
    "fit max_iter": lambda junk: fit(LINE, X, max_iter=junk),
    "fit keep": lambda junk: fit(LINE, X, keep=junk),
    "em model": lambda junk: next(em(junk, X)),
    "em data": lambda junk: next(em(LINE, junk)),
    "fit negligible": lambda junk: fit(LINE, X, tol=0, max_iter=1, negligible=junk),
    "fit earlier": lambda junk: fit(LINE, X, tol=0, max_iter=1, earlier=junk),
    "fit_best starts": lambda junk: fit_best(junk, X),
    "fit_best data": lambda junk: fit_best([LINE], junk),
    "squarem model": lambda junk: next(squarem(junk, X)),
    "Blocks": lambda junk: LINE.expect(Blocks(junk)),
    "Blocks weights": lambda junk: LINE.expect(Blocks([X, X], junk)),
    **{
        f"{name} {place}": lambda junk, name=name, n=n: getattr(start, name)(
            *({0: X, 1: 2, 2: RNG} | {n: junk}).values()
        )
        for name in ("random", "from_data", "k_means", "k_means_plus_plus")
        for n, place in enumerate(["X", "K", "rng"])
    },
    "start floor": lambda junk: start.from_data(X, 2, RNG, floor=junk),
    "start weights": lambda junk: start.from_data(X, 2, RNG, weights=junk),
    "start family": lambda junk: start.from_data(X, 2, RNG, family=junk),
    "usual_floor X": lambda junk: start.usual_floor(junk),
    "usual_floor weights": lambda junk: start.usual_floor(X, junk),
    "from_labels X": lambda junk: start.from_labels(junk, [0] * 30),
    "from_labels labels": lambda junk: start.from_labels(X, junk),
    "from_responsibilities X": lambda junk: start.from_responsibilities(junk, np.ones((30, 1))),
    "from_responsibilities resp": lambda junk: start.from_responsibilities(X, junk),
    "three_clusters": lambda junk: datasets.three_clusters(junk),
    "monotone": lambda junk: checks.monotone(junk),
    "monotone noise": lambda junk: checks.monotone([1.0, 2.0], junk),
    "probabilities": lambda junk: checks.probabilities(junk),
    "covariances": lambda junk: checks.covariances(junk),
    "moments mixture": lambda junk: checks.moments(junk, X),
    "moments X": lambda junk: checks.moments(LINE, junk),
    "moments weights": lambda junk: checks.moments(LINE, X, junk),
    "additive X": lambda junk: checks.additive(lambda X: 0.0 * len(X), junk),
    "stationary mixture": lambda junk: checks.stationary(junk, X),
    "stationary X": lambda junk: checks.stationary(LINE, junk, 1e9),
    "equal": lambda junk: checks.equal(junk, [1.0]),
    "equal tol": lambda junk: checks.equal([1.0], [2.0], junk),
    "colours": lambda junk: plot.colours(junk),
    "mixed": lambda junk: plot.mixed(junk),
    "line mixture": lambda junk: plot.line(ax(), junk),
    "line X": lambda junk: plot.line(ax(), LINE, junk),
    "line low": lambda junk: plot.line(ax(), LINE, low=junk),
    "line top": lambda junk: plot.line(ax(), LINE, top=junk),
    "shares": lambda junk: plot.shares(ax(), junk),
    "plane mixture": lambda junk: plot.plane(ax(), junk, PLANE),
    "plane X": lambda junk: plot.plane(ax(), FLAT, junk),
    "objective": lambda junk: plot.objective(ax(), junk),
    "objective step": lambda junk: plot.objective(ax(), [1.0, 2.0], junk),
    "watch trace": lambda junk: plot.watch(Figure(), junk, X),
    "watch X": lambda junk: plot.watch(Figure(), TRACE, junk),
    "show alt": lambda junk: plot.show(Figure(), junk),
    "film trace": lambda junk: explore.film(junk, X),
    "film X": lambda junk: explore.film(TRACE, junk),
    "frames": lambda junk: explore.frames(lambda a: Figure(), a=junk),
    "live": lambda junk: explore.live(lambda a: Figure(), a=junk),
    **{
        f"{name} {place}": lambda junk, name=name, n=n: getattr(select, name)(
            *({0: LINE, 1: X, 2: None} | {n: junk}).values()
        )
        for name in ("aic", "bic", "icl", "held_out")
        for n, place in enumerate(["mixture", "X", "weights"])
    },
    **{
        f"cross_validated {place}": lambda junk, n=n: select.cross_validated(
            *({0: X, 1: 2, 2: RNG} | {n: junk}).values()
        )
        for n, place in enumerate(["X", "K", "rng"])
    },
    **{
        f"cross_validated {place}": lambda junk, place=place: select.cross_validated(
            X, 2, RNG, **{place: junk}
        )
        for place in ("structure", "folds", "floor", "tol")
    },
    "sweep X": lambda junk: swept(junk, [1]),
    "sweep K": lambda junk: swept(X, junk),
    "sweep structures": lambda junk: swept(X, 1, junk),
    **{
        f"sweep {place}": lambda junk, place=place: swept(X, 1, "full", **{place: junk})
        for place in ("rng", "floor", "tol", "max_iter", "folds", "progress")
    },
    "sweep n_init": lambda junk: swept(X, 1, "full", n_init=junk),
    # One row needs no second process.
    "sweep n_jobs": lambda junk: swept(X, 1, "full", n_jobs=junk),
    "sweep start": lambda junk: swept(X, 1, "full", start=junk),
    "best criterion": lambda junk: SWEEP.best(junk),
    "criteria sweep": lambda junk: plot.criteria(ax(), junk),
    "criteria criterion": lambda junk: plot.criteria(ax(), SWEEP, junk),
    "facade X": lambda junk: GaussianMixture(2, random_state=0).fit(junk),
    "facade weights": lambda junk: GaussianMixture(2, random_state=0, tol=1).fit(X, sample_weight=junk),
    "facade predict": lambda junk: GMM.predict(junk),
    "facade score": lambda junk: GMM.score(junk),
    "facade bic": lambda junk: GMM.bic(junk),
    "facade bic weights": lambda junk: GMM.bic(X, junk),
    "facade sample": lambda junk: GMM.sample(junk),
    **{
        f"facade {name}": lambda junk, name=name: (
            GaussianMixture(2, random_state=0).set_params(**{"tol": 1, name: junk}).fit(X)
        )
        for name in GaussianMixture().get_params()
    },
}


# What of this is right, place by place, and what then must be true of the answer.

ZEROS = np.zeros((5, 1))  # "too few rows" are enough for whoever takes any number of them


def unfloored(result):
    return getattr(result, "components", result).floor is None


def floored(result):
    parts = getattr(result, "components", result)
    return (parts.floor == 2.5).all() and (parts.covariances >= 2.5).all()


def fitted(gmm):
    return np.isfinite(gmm.lower_bound_) and gmm.n_iter_ >= 3


def table_of(n_rows):
    return lambda sweep: (
        len(sweep.rows) == n_rows and all(np.isfinite(row.log_likelihood) for row in sweep.rows)
    )


RIGHT = {
    "Gaussian floor": {"None": unfloored, "zero": unfloored, "flat": unfloored, "fraction": floored},
    "Gaussian ridge": {"zero": lambda g: g.exact, "fraction": lambda g: g.ridge == 2.5},
    "Gaussian prior": {"None": lambda g: g.prior is None},
    "Gaussian fixed": {name: lambda g: g.fixed == () for name in ("empty", "dict", "no rows")},
    "Prior count": {
        "zero": lambda p: p.covariance_count == 0,
        "fraction": lambda p: p.covariance_count == 2.5,
    },
    "Prior mean count": {"zero": lambda p: p.mean_count == 0, "fraction": lambda p: p.mean_count == 2.5},
    "component density": {
        "too few rows": lambda a: np.allclose(a, stats.norm([0, 1], np.sqrt([1, 2])).logpdf(ZEROS)),
        "far out": lambda a: (a == -np.inf).all(),
    },
    "expect": {"too few rows": lambda s: s.n_points == 5},
    "expect weights": {"None": lambda s: s == LINE.expect(X)},
    "responsibilities": {"too few rows": lambda r: r.shape == (5, 2) and checks.probabilities(r)},
    "weight count": {"zero": lambda m: m.weight_count == 0, "fraction": lambda m: m.weight_count == 2.5},
    "fixed weights": {"true": lambda m: m.n_parameters == LINE.n_parameters - 1},
    "component": {
        "zero": lambda one: len(one) == 1 and one.means[0] == 0,
        "true": lambda one: one.means[0] == 1,  # as of any sequence
        "negative": lambda one: one.means[0] == 1,
    },
    "describe": {
        "zero": lambda text: text == "mean 0, variance 1",
        "true": lambda text: text == "mean 1, variance 2",  # as of any sequence
        "negative": lambda text: text == "mean 1, variance 2",
    },
    "permuted": {"empty": lambda parts: len(parts) == 0},
    "collect X": {"far out": lambda moments: np.allclose(moments.means, 1e200)},
    "collect resp": {
        "too many columns": lambda moments: (moments.counts == 0).all() and len(moments.counts) == 7,
        "far out": lambda moments: np.allclose(moments.counts, 30 * 1e200),
    },
    "conditionals": {"too few rows": lambda many: many.mean().shape == (5, 1)},
    "cdf": {
        "zero": lambda p: np.isclose(p, 0.25 + 0.5 * stats.norm.cdf(-1 / np.sqrt(2))),
        "negative": lambda p: np.isclose(p, 0.5 * (stats.norm.cdf(-1) + stats.norm.cdf(-np.sqrt(2)))),
        "fraction": lambda p: np.isclose(p, 0.5 * (stats.norm.cdf(2.5) + stats.norm.cdf(1.5 / np.sqrt(2)))),
        "true": lambda p: p == LINE.cdf(1.0),
        "inf": lambda p: p == 1,
        "empty": lambda p: p.shape == (0,),
        "nested empty": lambda p: p.shape == (1, 0),
        "no rows": lambda p: p.shape == (0, 1),
        "flat": lambda p: (p == LINE.cdf(0.0)).all() and p.shape == (5,),
        "too few rows": lambda p: (p == LINE.cdf(0.0)).all() and p.shape == (5, 1),
        "too many columns": lambda p: (p == LINE.cdf(0.0)).all() and p.shape == (30, 7),
        "cube": lambda p: (p == LINE.cdf(0.0)).all() and p.shape == (3, 3, 3),
        "infinities": lambda p: (p == 1).all(),
        "far out": lambda p: (p == 1).all(),
    },
    "quantile": {
        "empty": lambda x: x.shape == (0,),
        "nested empty": lambda x: x.shape == (1, 0),
        "no rows": lambda x: x.shape == (0, 1),
        "zero": lambda x: x == -np.inf,
        "true": lambda x: x == np.inf,
        "flat": lambda x: (x == -np.inf).all(),
        "too few rows": lambda x: (x == -np.inf).all(),
        "too many columns": lambda x: (x == -np.inf).all(),
        "cube": lambda x: (x == -np.inf).all(),
    },
    "fit data": {"too few rows": lambda t: t.n_points == 5 and checks.monotone(t)},
    "fit weights": {"None": lambda t: t == fit(LINE, X)},
    "fit tol": {"zero": lambda t: t.stop.n_iter == 3, "fraction": lambda t: t.stop.n_iter == 3},
    "fit max_iter": {"zero": lambda t: t.model is LINE},
    "fit negligible": {"zero": lambda t: t.stop.n_iter == 1, "fraction": lambda t: t.stop.n_iter == 1},
    "fit earlier": {"None": lambda t: t == TRACE},
    "fit_best data": {"too few rows": lambda t: t.n_points == 5 and checks.monotone(t)},
    "em data": {"too few rows": lambda step: step.statistics.n_points == 5},
    "Blocks": {"too few rows": lambda s: s.n_points == 5},
    "Blocks weights": {"None": lambda s: s.n_points == 60},
    "start floor": {"None": unfloored, "zero": unfloored, "flat": unfloored, "fraction": floored},
    "start weights": {"None": lambda m: len(m) == 2},
    "usual_floor X": {
        # These are flat, and get the floor of a variance of 1.
        name: lambda floor: (floor == 1e-10).all()
        for name in ("too few rows", "too many columns")
    },
    "usual_floor weights": {"None": lambda floor: floor == start.usual_floor(X)},
    "three_clusters": {
        "zero": lambda d: np.abs(d.X).max() < 5,
        "fraction": lambda d: np.allclose(d.X[:20] - 2.5, datasets.three_clusters(0).X[:20], atol=1e-12),
    },
    "monotone": {"flat": lambda said: "0.000000 nats gained in 4 steps" in said},
    "monotone noise": {name: lambda said: "never falls" in said for name in ("None", "zero", "fraction")},
    "additive X": {
        name: lambda said: "add up" in said
        for name in ("flat", "too few rows", "too many columns", "far out")
    },
    "stationary X": {"too few rows": lambda said: "no slope is left" in said},
    "equal tol": {"fraction": lambda said: "equal to" in said},
    "line X": {"None": bool, "too few rows": bool},
    "line low": dict.fromkeys(("None", "zero", "negative", "fraction"), bool),
    "line top": {"None": bool, "fraction": bool},
    "objective": {"flat": bool},
    "objective step": {"None": bool, "zero": bool},
    "watch X": {"None": bool, "too few rows": bool},
    "show alt": {"text": lambda nothing: nothing is None},
    "film X": {"None": bool, "too few rows": bool},
    # Any list is one of values to draw a frame for.
    "frames": {
        name: lambda result: result is not None
        for name, junk in JUNK.items()
        if isinstance(junk, (list, np.ndarray)) and len(junk)
    },
    **{
        f"{name} {place}": {junk: np.isfinite}
        for name in ("aic", "bic", "icl", "held_out")
        for place, junk in (("X", "too few rows"), ("weights", "None"))
    },
    "cross_validated floor": dict.fromkeys(("zero", "fraction", "flat"), bool),
    "cross_validated tol": {"zero": bool, "fraction": bool},
    "sweep X": {"too few rows": table_of(4), "too many columns": table_of(4)},
    "sweep floor": {name: table_of(1) for name in ("zero", "fraction", "flat")},
    "sweep tol": {"zero": table_of(1), "fraction": table_of(1)},
    "sweep max_iter": {"zero": table_of(1)},
    "sweep folds": {"zero": table_of(1)},
    "sweep progress": {"true": table_of(1)},
    "sweep n_jobs": {"negative": table_of(1)},
    "facade weights": {"None": fitted},
    "facade predict": {"too few rows": lambda labels: (labels == GMM.predict([[0.0]])).all()},
    "facade score": {"too few rows": lambda score: np.isclose(score, GMM.score([[0.0]]))},
    "facade bic": {"too few rows": lambda bic: bic == select.bic(GMM.mixture_, ZEROS)},
    "facade bic weights": {"None": lambda bic: bic == GMM.bic(X)},
    "facade floor": {
        "None": fitted,
        "zero": fitted,
        "flat": fitted,
        "fraction": lambda g: floored(g.mixture_),
    },
    "facade max_iter": {"zero": lambda g: g.n_iter_ == 0},
    **{f"facade {name}_init": {"None": fitted} for name in ("weights", "means", "precisions")},
    "facade random_state": {"None": fitted, "zero": fitted, "true": fitted},  # as scikit-learn takes it
    "facade reg_covar": {"zero": fitted, "fraction": lambda g: (g.covariances_ >= 2.5).all()},
    "facade tol": {"zero": lambda g: g.n_iter_ == 100, "fraction": fitted},
    "facade verbose": {"zero": fitted, "true": fitted},
    "facade warm_start": {"true": fitted},
}
# A function of the user's own raises what it raises.
OWN = {("sweep start", "function")}


def refused(place, junk):
    """What the error says; None if there is none. A check may also find it no probability, no covariance, not equal."""
    errors = [ValueError]
    if place.split()[0] in dir(checks):
        errors.append(AssertionError)
    elif place in ("component", "describe"):
        errors.append(IndexError)  # by which Python ends a loop over a sequence
    try:
        PLACES[place](junk)
    except tuple(errors) as error:
        return str(error)
    return None


@pytest.mark.parametrize("place", PLACES)
def test_junk_is_refused_in_words_and_what_is_right_is_answered_rightly(place):
    for name, junk in JUNK.items():
        if (place, name) in OWN:
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # NumPy's and Matplotlib's own, of values that are then refused
            if name in RIGHT.get(place, {}):
                assert RIGHT[place][name](PLACES[place](junk)), name
                continue
            refusal = refused(place, junk)
        assert refusal is not None, f"{name} was accepted"
        assert len(refusal) > 20, name


@pytest.mark.parametrize("exercise", ["e_step_1d", "m_step_1d", "next_to_change"])
def test_an_exercise_answers_junk_in_words(exercise):
    for name, junk in JUNK.items():
        assert len(str(getattr(exercises, exercise)(junk))) > 20, name
