"""The prediction of lesson 15: how fast EM would be with ten times the data."""

from __future__ import annotations

from math import isclose, sqrt
from typing import Any

from exercises.judge import Verdict, judge
from exercises.predictions import lone_number

# The maximum for the counts 125, 18, 20, 34, and the share of the information that is missing there.
PSI = (15 + sqrt(53809)) / 394
OBSERVED = 125 / (2 + PSI) ** 2 + 38 / (1 - PSI) ** 2 + 34 / PSI**2
COMPLETE = (125 * PSI / (2 + PSI) + 34) / PSI**2 + 38 / (1 - PSI) ** 2
RATE = 1 - OBSERVED / COMPLETE


def linkage_rate(prediction: Any) -> Verdict:
    """Judge the prediction of lesson 15: EM's rate for the linkage data with every count ten times as large.

    Parameters
    ----------
    prediction : float or None
        The ratio of successive errors; None if there is no prediction yet.

    Returns
    -------
    Verdict
        Never raises, whatever the prediction.
    """
    form = "give one number, the ratio of successive errors, for example 0.5"
    return judge("linkage_rate", prediction, lone_number, form, _rate)


def _rate(given: float) -> str:
    if isclose(given, RATE, rel_tol=0.03):
        return (
            "correct: ten times the animals bring ten times the information, seen and missing alike, and the "
            "share that is missing stays. More data make the answer surer, not EM faster."
        )
    if not 0 <= given < 1:
        return f"{given:g} is no rate of a convergent EM: errors shrink, so it lies between 0 and 1"
    foreseen = [
        (
            RATE / 10,
            "a tenth: so it would be if what is missing stayed as it was while the rest grew. But ten times as many "
            "animals in the mixed class hide their kind, too",
        ),
        (
            RATE / sqrt(10),
            "the standard error shrinks by the root of ten; the rate is a ratio of two informations, and both grow by "
            "ten",
        ),
        (
            1 - RATE,
            "this is the share of the information that is seen; the rate is the share that is missing",
        ),
        (
            RATE**10,
            "this is the error of ten iterations; ten times the data are not ten steps",
        ),
        (
            1 - (1 - RATE) / 10,
            "you kept the complete information and divided the observed one; both belong to the same animals",
        ),
        (
            0.0,
            "a rate of 0 would mean that nothing is missing; the mixed class still hides which animals are of which "
            "kind",
        ),
    ]
    for value, diagnosis in foreseen:
        if isclose(given, value, rel_tol=0.03, abs_tol=1e-12):
            return diagnosis
    return (
        f"{given:g} is not it. Write down both informations with every count ten times as large, and look at their "
        "ratio"
    )
