"""The predictions of lesson 6: which criterion is dearer, and where held-out points leak."""

from __future__ import annotations

from typing import Any

import numpy as np

from exercises.exercise import Verdict, judge, judge_letters, number

# From how many points on is BIC the stricter one? ------------------------------------------------------------

GUESSES = {
    2: "log 2 is 0.69: BIC would charge less than AIC's 2. You look for the first N with log N above 2",
    3: "log 3 is 1.1, just above 1; AIC charges 2",
    4: "log 4 is 1.39, to base e. (To base 2 it is 2, and likelihoods are in nats)",
    5: "that is the logarithm to base 2; likelihoods are in nats, so log N is to base e",
    7: "close: log 7 is 1.95, still below 2",
    9: "close: it is stricter there, but already one point earlier",
    100: "log N is to base e here, not to base 10",
    101: "log N is to base e here, not to base 10",
}


def bic_is_stricter(prediction: Any) -> Verdict:
    """Judge the prediction of lesson 6: the least N at which BIC charges more for a parameter than AIC.

    Returns a verdict, and raises nothing, whatever the prediction; None is none yet.
    """
    return judge("bic_is_stricter", prediction, number, "give one whole number of points", _stricter)


def _stricter(given: float) -> str:
    if given == 8:
        return "correct: log 8 is 2.08. Within one structure BIC chooses at most as many as AIC, on 8 points or more."
    if not given.is_integer():
        return "points are counted: give a whole number, the first at which log N is above 2"
    if (N := int(given)) in GUESSES:
        return GUESSES[N]
    if N < 1:
        return "there is at least one point"
    side = "is below 2, what AIC charges" if N < 8 else "is above 2, but so it is for some fewer points"
    return f"log {N} is {np.log(given):.2f}; that {side}"


# Where do held-out points leak? -------------------------------------------------------------------------------

LEAKS = frozenset("BDE")
WHY = {
    "A": "the starts are drawn from the training points alone, so the held-out ones play no part in the fit",
    "B": "two rows of one patient resemble each other: with one in training, the other is no stranger. Whole patients "
    "must go into a fold (`folds=patient`)",
    "C": "the same folds for every K make the comparison fairer: all candidates sit the same exam, and none sees its "
    "answers",
    "D": "the best of twenty held-out scores is best partly by luck, and the luck is in the number. A third set, used "
    "once, gives an honest one",
    "E": "the directions of PCA were chosen with the held-out points in view. That may flatter or punish, and is no "
    "score of unseen points. Fit the PCA within each fold",
    "F": "floor and scale come from the training points alone, so nothing of the held-out ones is known",
}


def leaks(prediction: Any) -> Verdict:
    """Judge the prediction of lesson 6: the letters of the cases in which the held-out score is not honest.

    Returns a verdict, and raises nothing, whatever the prediction; None is none yet.
    """
    return judge_letters("leaks", prediction, "case", WHY, _leaking)


def _leaking(given: set[str]) -> str:
    if given == LEAKS:
        return "correct: something about the held-out points was known to the fit, or to whoever chose it."
    if not given:
        return "there are some. Ask of each: could a held-out point have changed the number it is judged by?"
    if given == set(WHY) - LEAKS:
        return "these are the clean ones; the question is which are not"
    if given == set(WHY):
        return f"not all of them: {WHY['A']}"
    if clean := sorted(given - LEAKS):
        return f"not {clean[0]}: {WHY[clean[0]]}"
    missing = min(LEAKS - given)
    return f"all these leak, but {missing} does, too: {WHY[missing]}"
