"""The prediction of lesson 1: which points change colour next."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from emlib import datasets
from emlib.families import Gaussian
from emlib.fitting import fit
from emlib.mixture import Mixture
from exercises.exercise import Verdict, judge


@cache
def _red_after(iteration: int) -> frozenset[float]:
    """The points of the middle cluster that are more red than blue then, to two digits."""
    data = datasets.three_clusters()
    guess = Mixture(np.full(3, 1 / 3), Gaussian.univariate([-5, 8, 1.5], [25, 9, 1]))
    model = fit(guess, data.X, tol=0, max_iter=iteration).model
    red = (model.predict(data.X) == 0) & (data.labels == 2)
    return frozenset(data.X[red, 0].round(2).tolist())


def next_to_change(prediction: Any) -> Verdict:
    """Judge the prediction of lesson 1: the red points of the middle that turn blue in iteration 4.

    Parameters
    ----------
    prediction : array_like or None
        Their positions x, to two digits; None if there is no prediction yet.

    Returns
    -------
    Verdict
        Never raises, whatever the prediction.
    """
    form = "give the positions of the points in a list, for example [-2.75, -1.96]"
    return judge("next_to_change", prediction, _positions, form, _answer)


def _positions(prediction: Any) -> set[float]:
    if isinstance(prediction, (set, frozenset)):
        prediction = list(prediction)
    if np.asarray(prediction).dtype == bool:
        raise TypeError("a mask")
    return {round(float(x), 2) for x in np.ravel(np.asarray(prediction, dtype=float))}


def _answer(given: set[float]) -> str:
    red = _red_after(3)
    order, answer = sorted(red), set(red - _red_after(4))
    if given == answer:
        return (
            "correct: the one nearest to the blue component, and the least red of the five, turns first. It pulls "
            "the blue mean and spread towards the next."
        )
    if not given:
        return "somebody does turn. Which of the five is least sure of being red?"
    if given == red:
        return "not all at once: each step moves the border a little. Who is nearest to it?"
    if given == {order[0]}:
        return (
            f"{order[0]} is the farthest from blue and the surest of being red, so it turns last. Look at the other "
            "end of the five"
        )
    if answer < given <= red:
        more = ", ".join(str(x) for x in sorted(given - answer))
        return f"{min(answer)} does turn; but not {more} in this same step: the border has not come so far"
    if given <= red:
        return (
            "these turn later: the border between red and blue comes from the right, so the point nearest to blue "
            "turns first"
        )
    strangers = sorted(given - red)
    if {-x for x in given} <= red:
        return "a minus sign is missing: the five lie to the left of 0"
    if all(float(x).is_integer() and 0 <= x < 60 for x in strangers):
        return f"{strangers[0]:g} looks like the number of a point; give its position x"
    points = set(datasets.three_clusters().X[:, 0].round(2).tolist())
    if not points.issuperset(strangers):
        return f"there is no point at {min(set(strangers) - points)}; the five red ones are at {order}"
    return f"{strangers[0]} is none of the five; they are at {order}"
