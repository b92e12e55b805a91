"""The exercises of lesson 10: counting parameters, what AIC and BIC choose, and where held-out points leak."""

from __future__ import annotations

from typing import Any

import numpy as np

from emlib.validate import Array
from exercises.judge import Exercise, Mistake, Part, Verdict, judge_letters

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

# What do AIC and BIC choose? --------------------------------------------------------------------------


def _aic(fits: Array, counts: Array, N: float) -> Array:
    return 2 * counts - 2 * fits


def _bic(fits: Array, counts: Array, N: float) -> Array:
    return counts * np.log(N) - 2 * fits


def _place(answer: Array, fits: Array, counts: Array, N: float) -> str:
    if answer != int(answer) or not 0 <= answer < len(fits):
        return f"this is no place: {len(fits)} models have the places 0 to {len(fits) - 1}"
    return ""


NOT_DOUBLED = "the log-likelihood was not doubled: both criteria begin with -2 times the log-likelihood"
NO_CHARGE = "this model has the largest log-likelihood; nothing was charged for its parameters"
COUNTED_FROM_1 = "this counts the places from 1; Python counts them from 0: the place is the index"
ITS_VALUE = "this is the smallest value itself (min); the place where it stands is asked for: np.argmin"
LARGEST = (
    "this is the worst model, not the best: with -2 times the log-likelihood the smallest criterion is the best. "
    "(mclust turns the sign, and takes the largest. Mix the two, and you get the worst)"
)

chosen = Exercise(
    name="chosen",
    arguments=("log_likelihoods", "counts", "N"),
    shapes=("(M,)", "(M,)", ""),
    edges=[(np.array([-310.5]), np.array([5]), 100)],
    whole=[(np.array([-400, -380, -379]), np.array([5, 11, 17]), 150)],
    cases=[
        (
            np.array([-810.2, -712.3, -744.5, -746.9, -718.6, -724.4]),
            np.array([6, 38, 20, 18, 37, 29]),
            1200,
        ),
        (
            np.array([-785.4, -782.2, -806.5, -802.9, -774.6, -768.2, -839.4, -800.2]),
            np.array([76, 86, 24, 36, 104, 108, 8, 50]),
            150,
        ),
        (
            np.array([-767.0, -743.4, -734.1, -739.1, -808.5, -830.6, -693.0]),
            np.array([17, 27, 34, 31, 7, 14, 90]),
            60,
        ),
        (
            np.array([-640.8, -631.5, -641.1, -693.6, -699.3, -648.4, -640.6, -641.6, -637.5]),
            np.array([91, 106, 107, 33, 32, 92, 83, 90, 100]),
            272,
        ),
    ],
    praise="AIC charges 2 for each parameter, BIC log N; both choose the place of their smallest value.",
    parts=[
        Part(
            "aic",
            "one number: a place, counted from 0",
            lambda *case: np.array(_aic(*case).argmin()),
            rule=_place,
            mistakes=[
                Mistake(lambda *case: _aic(*case).argmax(), LARGEST),
                Mistake(
                    lambda *case: _bic(*case).argmin(),
                    "this is the choice of BIC, which charges log N for a parameter; AIC charges 2",
                ),
                Mistake(lambda fits, counts, N: _aic(fits / 2, counts, N).argmin(), NOT_DOUBLED),
                Mistake(
                    lambda fits, counts, N: _aic(-fits, counts, N).argmin(),
                    "this favours a small log-likelihood: its minus sign is missing. A large log-likelihood must make "
                    "AIC small",
                ),
                Mistake(lambda *case: _aic(*case).argmin() + 1, COUNTED_FROM_1),
                Mistake(lambda fits, counts, N: fits.argmax(), NO_CHARGE),
                Mistake(lambda *case: _aic(*case).min(), ITS_VALUE),
            ],
        ),
        Part(
            "bic",
            "one number: a place, counted from 0",
            lambda *case: np.array(_bic(*case).argmin()),
            rule=_place,
            mistakes=[
                Mistake(lambda *case: _bic(*case).argmax(), LARGEST),
                Mistake(
                    lambda *case: _aic(*case).argmin(),
                    "this is the choice of AIC, which charges 2 for a parameter; BIC charges log N",
                ),
                Mistake(lambda fits, counts, N: _bic(fits / 2, counts, N).argmin(), NOT_DOUBLED),
                Mistake(
                    lambda fits, counts, N: (counts * np.log10(N) - 2 * fits).argmin(),
                    "log N is to base e, as the log-likelihood is: np.log, not np.log10",
                ),
                Mistake(
                    lambda fits, counts, N: (counts * N - 2 * fits).argmin(),
                    "this is the model with the fewest parameters, as if the fit counted for nothing: N was charged "
                    "for each of them, or no log-likelihood is in it. BIC charges log N, beside -2 times the "
                    "log-likelihood",
                ),
                Mistake(lambda *case: _bic(*case).argmin() + 1, COUNTED_FROM_1),
                Mistake(lambda fits, counts, N: fits.argmax(), NO_CHARGE),
                Mistake(lambda *case: _bic(*case).min(), ITS_VALUE),
            ],
        ),
    ],
)

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
