"""The exercise of the start page: iterations that people read off, each with the words that must answer it."""

import numpy as np
import pytest
from answers import Hostile

import exercises
from emlib import Gaussian, Mixture, datasets, fit
from exercises import start


@pytest.mark.parametrize(
    ("prediction", "words"),
    [
        (None, "not attempted yet"),
        (6, "at iteration 6 it is -189.61: not above -187 yet"),
        (7, "at iteration 7 it is -188.29: not above -187 yet"),
        (9, "at iteration 9 it is -186.20: above -187, but not for the first time"),
        (0, "too early"),
        (12, "too late"),
        (-186.92, "this is a log-likelihood"),
        (-187, "this is a log-likelihood"),
        (13, "the iterations of the film are 0 to 12"),
        (-1, "the iterations of the film are 0 to 12"),
        (7.5, "the iterations of the film are 0 to 12"),
        (np.nan, "the iterations of the film are 0 to 12"),
        (np.inf, "the iterations of the film are 0 to 12"),
        (True, "give one number"),
        ("eight", "give one number"),
        ([8, 9], "give one number"),
        (Hostile(), "give one number"),
    ],
)
def test_iterations_people_give(prediction, words):
    verdict = exercises.first_above(prediction)
    assert not verdict.correct
    assert words in verdict


@pytest.mark.parametrize("prediction", [8, 8.0, np.int64(8), np.array(8)])
def test_the_right_iteration_in_any_clothes(prediction):
    assert exercises.first_above(prediction).correct


def test_what_the_answers_say_of_the_film_is_so():
    guess = Mixture(np.ones(3) / 3, Gaussian.univariate(means=[-5, 8, 1.5], variances=[25, 9, 1]))
    heights = fit(guess, datasets.three_clusters().X, tol=0, max_iter=12).objectives
    assert int(np.argmax(np.array(heights) > -187)) == 8
    assert {n: round(heights[n], 2) for n in start.HEIGHTS} == start.HEIGHTS
