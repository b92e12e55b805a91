"""The prediction of lesson 5: which of six starts ends in a collapse."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from emlib import datasets
from emlib.families import Gaussian, Prior
from emlib.fitting import run
from emlib.mixture import Mixture
from exercises.exercise import Verdict, judge_letters


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
    ends = {letter: run(model, X, tol=1e-8, max_iter=1000) for letter, (_, model) in six_starts().items()}
    return frozenset(letter for letter, end in ends.items() if end.stop.reason == "collapsed")


def collapses(prediction: Any) -> Verdict:
    """Judge the prediction of lesson 5: the starts from which EM ends in a collapse.

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
