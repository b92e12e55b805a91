"""The exercise of lesson 15: rates that people predict, each with the words that must answer it."""

import numpy as np
import pytest
from answers import Hostile

import exercises


@pytest.mark.parametrize(
    ("prediction", "words"),
    [
        (None, "not attempted yet"),
        (0.01328, "a tenth"),
        (0.042, "the standard error shrinks by the root of ten"),
        (0.867, "the share of the information that is seen"),
        (0.1328**10, "ten times the data are not ten steps"),
        (0.913, "you kept the complete information"),
        (0, "would mean that nothing is missing"),
        (1.328, "is no rate of a convergent EM"),
        (-0.1, "is no rate of a convergent EM"),
        (np.nan, "is no rate of a convergent EM"),
        (0.5, "0.5 is not it. Write down both informations"),
        ("fast", "give one number"),
        (True, "give one number"),
        ([0.1, 0.2], "give one number"),
        (Hostile(), "give one number"),
    ],
)
def test_rates_that_people_predict(prediction, words):
    verdict = exercises.linkage_rate(prediction)
    assert not verdict.correct
    assert words in verdict


@pytest.mark.parametrize("prediction", [0.1328, 0.13, 0.133, np.float64(0.13278), np.array(0.1328)])
def test_the_right_rate_in_any_clothes(prediction):
    assert exercises.linkage_rate(prediction).correct


def test_the_rate_is_that_of_ten_times_the_animals():
    psi, before = 0.5, np.nan
    for _ in range(9):
        m = 1250 * psi / (2 + psi)
        after = (m + 340) / (m + 180 + 200 + 340)
        psi, before, ratio = after, after - psi, (after - psi) / before
    assert exercises.linkage_rate(ratio).correct
