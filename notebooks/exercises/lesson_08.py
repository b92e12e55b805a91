"""The exercises of lesson 8: a prior against collapse, and which of six starts collapses."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from emlib import datasets
from emlib.families import Gaussian, Prior
from emlib.fitting import fit
from emlib.mixture import Mixture
from emlib.validate import Array
from exercises.judge import Exercise, Mistake, Part, Verdict, judge_letters

# A prior against collapse -----------------------------------------------------------------------------


def _parts(x: Array, resp: Array) -> tuple[Array, Array]:
    """Counts (K,) and the weighted sums of squares about the means, (K,)."""
    counts = resp.sum(axis=0)
    return counts, (resp * (x[:, None] - resp.T @ x / counts) ** 2).sum(axis=0)


def _map(x: Array, resp: Array, v: float, n: float) -> Array:
    counts, scatter = _parts(x, resp)
    return (scatter + n * v) / (counts + n)


def _map_breaks(answer: Array, x: Array, resp: Array, v: float, n: float) -> str:
    counts, scatter = _parts(x, resp)
    low, high = np.minimum(scatter / counts, v), np.maximum(scatter / counts, v)
    if ((answer < low - 1e-12) | (answer > high + 1e-12)).any():
        return "a weighted mean of the component's own variance and the prior's lies between the two"
    return ""


_PLAIN = "this is the M-step without the prior: the first component still collapses"

map_variances = Exercise(
    name="map_variances",
    arguments=("x", "resp", "prior_variance", "prior_count"),
    shapes=("(N,)", "(N, K)", "", ""),
    edges=[
        (np.array([1.3, 4.0, 6.4]), np.ones((3, 1)), 2.5, 0.3),
        (np.array([2.5]), np.array([[0.3, 0.7]]), 0.6, 2.0),
    ],
    whole=[(np.array([1, 4, 6]), np.array([[0.9, 0.1], [0.8, 0.2], [0.1, 0.9]]), 3, 2)],
    cases=[
        (
            np.array([2.0, 7.1, 9.4, 11.0, 6.2]),
            np.array([[1.0, 0.0, 0.0], [0.0, 0.7, 0.3], [0.0, 0.2, 0.8], [0.0, 0.1, 0.9], [0.0, 0.6, 0.4]]),
            2.5,
            0.3,
        ),
        (
            np.array([0.3, 1.4, 4.4, 3.1]),
            np.array([[0.9, 0.1], [0.8, 0.2], [0.1, 0.9], [0.3, 0.7]]),
            0.6,
            4.0,
        ),
    ],
    praise="a component without a spread of its own keeps the prior's, and a large one hardly notices it.",
    parts=[
        Part(
            "variances",
            "(K,): one number for each component",
            _map,
            rule=_map_breaks,
            mistakes=[
                Mistake(lambda x, r, v, n: _parts(x, r)[1] / _parts(x, r)[0], _PLAIN),
                Mistake(
                    lambda x, r, v, n: _parts(x, r)[1] / _parts(x, r)[0] + v,
                    "the prior's variance was added like a floor; add its points instead: prior_count of them, above "
                    "and below the line",
                ),
                Mistake(
                    lambda x, r, v, n: (_parts(x, r)[1] + n * v) / _parts(x, r)[0],
                    "the prior's points are in the sum, but not in the count that divides it",
                ),
                Mistake(
                    lambda x, r, v, n: _parts(x, r)[1] / (_parts(x, r)[0] + n),
                    "the prior's points are in the count, but their squares are not in the sum: that only shrinks",
                ),
                Mistake(
                    lambda x, r, v, n: (_parts(x, r)[1] + v) / (_parts(x, r)[0] + n),
                    "the prior's variance is the mean square of its points; their sum is prior_count times as large",
                ),
                Mistake(
                    lambda x, r, v, n: np.maximum(_parts(x, r)[1] / _parts(x, r)[0], v),
                    "clipped at the prior's variance: that is a floor, and a hard one; take the weighted mean of both",
                ),
                Mistake(
                    lambda x, r, v, n: np.sqrt(_map(x, r, v, n)),
                    "these are standard deviations; in this course a spread is always a variance",
                ),
                Mistake(
                    lambda x, r, v, n: (
                        ((r * (x[:, None] - x.mean()) ** 2).sum(axis=0) + n * v) / (r.sum(axis=0) + n)
                    ),
                    "the squares were taken about the mean of all points; each component has a mean of its own",
                ),
            ],
        )
    ],
)

# Who collapses? ---------------------------------------------------------------------------------------


def six_starts() -> dict[str, tuple[str, Mixture]]:
    """Six starts for the waiting times of Old Faithful, by letter: in words, and as mixtures.

    A has two components, about 55 and 80 minutes; the others have a third.
    """
    X = datasets.old_faithful().X[:, 1:]

    def start(mean: float, variance: float, **more: Any) -> Mixture:
        means, variances = np.array([[55.0], [80.0], [mean]]), np.array([36.0, 36.0, variance])
        return Mixture(np.full(3, 1 / 3), Gaussian(means, variances[:, None, None], **more))

    return {
        "A": ("two components, variance 36", Mixture([0.5, 0.5], Gaussian.univariate([55, 80], [36, 36]))),
        "B": ("a third at 78, variance 0.01", start(78, 0.01)),
        "C": ("a third at 78, variance 4", start(78, 4)),
        "D": ("as B, with a weak prior", start(78, 0.01, prior=Prior.weak(X, 3))),
        "E": ("as B, with a floor of 1e-6", start(78, 0.01, floor=1e-6)),
        "F": ("a third at 96, variance 0.3", start(96, 0.3)),
    }


@cache
def _collapsed() -> frozenset[str]:
    X = datasets.old_faithful().X[:, 1:]
    ends = {
        letter: fit(model, X, tol=1e-8, keep="values", warn=False)
        for letter, (_, model) in six_starts().items()
    }
    return frozenset(letter for letter, end in ends.items() if end.stop.reason == "collapsed")


def collapses(prediction: Any) -> Verdict:
    """Judge the prediction of lesson 8: the starts from which EM ends in a collapse.

    Parameters
    ----------
    prediction : str, or sequence of str, or None
        Their letters: "AB" or ["A", "B"]; None if there is no prediction yet.

    Returns
    -------
    Verdict
        Never raises, whatever the prediction.
    """
    return judge_letters("collapses", prediction, "start", six_starts(), _answer)


def _answer(given: set[str]) -> str:
    collapsed = set(_collapsed())
    if given == collapsed:
        return (
            "correct: what counts is how many distinct points a component can see, not how many there are; and a "
            "floor holds a collapse up, while a prior prevents it."
        )
    if not given:
        return "some do. In B the third component is so narrow that it sees nothing but the eruptions at 78"
    if given == set(six_starts()) - collapsed:
        return "these are the ones that end well; the question is which collapse"
    if "A" in given:
        return "not A: both components start wide, and each keeps a hundred points or more"
    if "D" in given:
        return "not D: a prior counts as points that do spread, so no variance can go to zero, wherever the fit starts"
    if "C" in given:
        return "not C: at variance 4 the third sees the neighbours of 78 as well, and they hold it open"
    if "E" not in given and {"B", "F"} & given:
        return (
            "E is among them: a floor stops the variance at a millionth and not the collapse. The component still "
            "sits on one value, and the floor alone sets its height"
        )
    if "B" not in given:
        return (
            "B is among them: the waiting times are whole minutes, so the fifteen eruptions at 78 are a single place, "
            "and have no variance"
        )
    return "F is among them: nobody else waited 96 minutes, and from 94 it is nearly four standard deviations"
