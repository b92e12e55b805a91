"""Whatever is put in, every public function answers it or refuses it by a ValueError."""

import warnings

import numpy as np
import pytest
from matplotlib.figure import Figure

import exercises
from emlib import Blocks, Gaussian, Mixture, Prior, checks, datasets, em, explore, fit, plot, select, start

RNG = np.random.default_rng(0)
X, PLANE = RNG.normal(size=(30, 1)), RNG.normal(size=(30, 2))
LINE = Mixture([0.5, 0.5], Gaussian.univariate([0, 1], [1, 2]))
FLAT = Mixture([0.5, 0.5], Gaussian([[0, 0], [1, 0]], [np.eye(2)] * 2))
TRACE = fit(LINE, X, tol=0, max_iter=1)

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
    "Gaussian prior": lambda junk: junk is None or Gaussian([[0.0]], [[[1.0]]], prior=junk),
    "Prior covariance": lambda junk: Prior(junk, 1.0),
    "Prior count": lambda junk: Prior([[1.0]], junk),
    "Prior mean": lambda junk: Prior([[1.0]], 1.0, junk, 1.0),
    "Prior mean count": lambda junk: Prior([[1.0]], 1.0, [0.0], junk),
    "weak prior X": lambda junk: Prior.weak(junk, 2),
    "weak prior K": lambda junk: junk is JUNK["huge"] or Prior.weak(X, junk),
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
    "sample n": lambda junk: junk is JUNK["huge"] or LINE.sample(junk, RNG),
    "sample rng": lambda junk: LINE.sample(3, junk),
    "fit model": lambda junk: fit(junk, X),
    "fit data": lambda junk: fit(LINE, junk),
    "fit weights": lambda junk: fit(LINE, X, junk),
    "fit tol": lambda junk: fit(LINE, X, tol=junk, max_iter=3),
    "fit max_iter": lambda junk: fit(LINE, X, max_iter=junk),
    "fit keep": lambda junk: fit(LINE, X, keep=junk),
    "em model": lambda junk: next(em(junk, X)),
    "em data": lambda junk: next(em(LINE, junk)),
    "Blocks": lambda junk: Blocks(junk),
    "Blocks weights": lambda junk: Blocks([X, X], junk),
    **{
        f"{name} {place}": lambda junk, name=name, n=n: getattr(start, name)(
            *({0: X, 1: 2, 2: RNG} | {n: junk}).values()
        )
        for name in ("random", "from_data", "k_means")
        for n, place in enumerate(["X", "K", "rng"])
    },
    "start floor": lambda junk: start.from_data(X, 2, RNG, floor=junk),
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
    "equal": lambda junk: checks.equal(junk, [1.0]),
    "equal tol": lambda junk: checks.equal([1.0], [2.0], junk),
    "colours": lambda junk: junk is JUNK["huge"] or plot.colours(junk),
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
    "show alt": lambda junk: junk is JUNK["text"] or plot.show(Figure(), junk),
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
    "sweep n_init": lambda junk: junk is JUNK["huge"] or swept(X, 1, "full", n_init=junk),
    # One row needs no second process.
    "sweep n_jobs": lambda junk: swept(X, 1, "full", n_jobs=junk),
    "sweep start": lambda junk: junk is JUNK["function"] or swept(X, 1, "full", start=junk),
    "best criterion": lambda junk: SWEEP.best(junk),
    "criteria sweep": lambda junk: plot.criteria(ax(), junk),
    "criteria criterion": lambda junk: plot.criteria(ax(), SWEEP, junk),
    # These never raise at all.
    "e_step_1d": lambda junk: str(exercises.e_step_1d(junk)),
    "m_step_1d": lambda junk: str(exercises.m_step_1d(junk)),
    "next_to_change": lambda junk: str(exercises.next_to_change(junk)),
}


def answer(place, junk):
    """What the error says; None if there is none. Anything but a ValueError or a broken invariant is a bug."""
    refusals = (ValueError, AssertionError) if place.split()[0] in dir(checks) else ValueError
    try:
        PLACES[place](junk)
    except refusals as error:
        return str(error)
    return None


@pytest.mark.parametrize("place", PLACES)
def test_junk_is_answered_or_refused(place):
    for name, junk in JUNK.items():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # NumPy's and Matplotlib's own, of values that are then refused
            said = answer(place, junk)
        assert said is None or len(said) > 20, name
