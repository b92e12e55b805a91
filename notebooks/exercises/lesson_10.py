"""The exercises of lesson 10: counting parameters, which criterion is dearer, and where held-out points leak."""

from __future__ import annotations

from typing import Any

import numpy as np

from emlib.validate import Array
from exercises.judge import Exercise, Mistake, Part, Verdict, judge, judge_letters, number

# How many free numbers? -------------------------------------------------------------------------------

WEIGHTS = "the K weights sum to 1, so the last is known from the others: K - 1 of them are free"

NO_WEIGHTS = "the weights are missing: K - 1 of them are free"

NO_MEANS = "the means are missing: K of them, of D numbers each"

ONE_MEAN = "the components share a structure, not a mean: there are K means, of D numbers each"


CASES = [(3, 4), (5, 2), (2, 7), (1, 3), (4, 1), (6, 5)]


def _count(free: str, K: Array, D: Array) -> float:
    """The parameters of a structure: weights, means, covariances."""
    triangle = D * (D + 1) / 2
    covariances = {"full": K * triangle, "tied": triangle, "diag": K * D, "spherical": K}
    return float(K - 1 + K * D + covariances[free])


def _counted(name: str, own: list[Mistake]) -> Part:
    """The part of one structure, with the mistakes that it shares with the others; its own come first."""
    shared = [
        Mistake(lambda K, D: _count(name, K, D) + 1, WEIGHTS),
        Mistake(lambda K, D: _count(name, K, D) - (K - 1), NO_WEIGHTS),
        Mistake(lambda K, D: _count(name, K, D) - K * D, NO_MEANS),
        Mistake(lambda K, D: _count(name, K, D) - (K - 1) * D, ONE_MEAN),
    ]
    # A formula that two misconceptions share has a diagnosis of its own, which says both.
    told = [[mistake.answer(K, D) for K, D in CASES] for mistake in own]
    shared = [mistake for mistake in shared if [mistake.answer(K, D) for K, D in CASES] not in told]
    return Part(name, "one number", lambda K, D: np.array(_count(name, K, D)), [*own, *shared])


n_parameters = Exercise(
    name="n_parameters",
    arguments=("K", "D"),
    cases=CASES,
    praise="weights, means, covariances; what the components share is counted once.",
    parts=[
        _counted(
            "full",
            [
                Mistake(
                    lambda K, D: K - 1 + K * D + K * D**2,
                    "a covariance is symmetric: of its D * D numbers only those on and above the diagonal are free",
                ),
                Mistake(
                    lambda K, D: K - 1 + K * D + K * D * (D - 1) / 2,
                    "K D numbers are missing: the means, or the variances on the diagonals (D (D + 1) / 2 for each)",
                ),
                Mistake(
                    lambda K, D: _count("tied", K, D),
                    "this counts one covariance; here every component has its own",
                ),
            ],
        ),
        _counted(
            "tied",
            [
                Mistake(
                    lambda K, D: _count("full", K, D),
                    "this counts K covariances; here all components share one, and it is counted once",
                ),
                Mistake(
                    lambda K, D: K - 1 + K * D + D**2,
                    "the shared covariance is symmetric: D (D + 1) / 2 of its numbers are free",
                ),
                Mistake(
                    lambda K, D: K - 1 + K * D + D,
                    "the shared covariance may slant: it has more than its D variances",
                ),
            ],
        ),
        _counted(
            "diag",
            [
                Mistake(
                    lambda K, D: K - 1 + K * D,
                    "K D numbers are missing: the means, or the variances",
                ),
                Mistake(
                    lambda K, D: K - 1 + K * D + D,
                    "this counts D variances in all, or one mean; every component has its own D of each",
                ),
                Mistake(
                    lambda K, D: _count("spherical", K, D),
                    "one variance a component is spherical; diag has one a feature",
                ),
                Mistake(
                    lambda K, D: _count("full", K, D),
                    "off the diagonal everything is 0, and what is fixed is not free",
                ),
            ],
        ),
        _counted(
            "spherical",
            [
                Mistake(
                    lambda K, D: K - 1 + K * D + 1,
                    "this leaves out the K - 1 weights, or counts one variance in all; each component has its own",
                ),
                Mistake(
                    lambda K, D: _count("diag", K, D),
                    "a circle has one variance, the same in all D directions",
                ),
            ],
        ),
    ],
)

# From how many points on is BIC the stricter one? -----------------------------------------------------

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
    """Judge the prediction of lesson 10: the least N at which BIC charges more for a parameter than AIC.

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


# Where do held-out points leak? -----------------------------------------------------------------------

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
    """Judge the prediction of lesson 10: the letters of the cases in which the held-out score is not honest.

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
