"""The exercise of lesson 7, proven right and wrong in many ways."""

import numpy as np
import pytest
from answers import check_every_diagnosis

import exercises

# Programs that people write, each with the words that must answer it. Together they meet every diagnosis. ----

STOP = {
    "len(h) > 1 and abs(h[-1] - h[-2]) < n * tol": "abs() takes a small fall for the end",
    "len(h) > 1 and h[-1] - h[-2] < n * tol": "should be",
    "len(h) > 1 and h[-1] > h[-2] > h[-1] - n * tol": "a small gain is no end",
    "two and b > 0 and g > 0 and aitken(b, g) < n * tol": "a plateau. Ask first",
    "two and aitken(b, g) < n * tol": "stop is True and should be False",
    "two and abs(g) < abs(b) and aitken(abs(b), abs(g)) < n * tol": "stop is True and should be False",
    "two and 0 < g < b and aitken(b, g) < tol": "compare with n_points * tol",
    "two and 0 < g < b and aitken(b, g) < n * n * tol": "stop is True and should be False",
    "two and 0 < g < b and g < n * tol": "their sum is many times the last one",
    "two and 0 < g < b and g / (1 - g / b) < n * tol": "counts the last gain again",
    "not (two and 0 < g < b and aitken(b, g) < n * tol)": "stop is False and should be True",
    "len(h) > 1 and abs((h[-1] - h[-2]) / h[-1]) < tol": "stop is True and should be False",
    "two and 0 < g < b and aitken(b, g) < n * tol and (np.diff(h) > 0).all()": "all gains ever were asked to be",
    "two and 0 < g < b and aitken(b, g) < n * tol and (np.diff(h, 2) < 0).all()": "all gains ever were asked to shrink",
    "True": "it answers True every time",
    "False": "it answers False every time",
    "h[-3] and True": "it asks for number -3 of T = 2",
}


def should_stop(expression="two and 0 < g < b and aitken(b, g) < n * tol"):
    source = """
def should_stop(h, n, tol):
    two = len(h) > 2
    b, g = np.diff(h)[-2:] if two else (0.0, 0.0)
    aitken = lambda b, g: g * g / (b - g)
    return """
    scope = {"np": np}
    exec(source + expression, scope)
    return scope["should_stop"]


@pytest.mark.parametrize(("expression", "words"), STOP.items())
def test_wrong_programs_are_answered(expression, words):
    verdict = exercises.should_stop(should_stop(expression))
    assert not verdict.correct
    assert words in verdict


def test_every_diagnosis_is_met_by_a_program():
    check_every_diagnosis(exercises.should_stop, map(should_stop, STOP))


def test_what_is_asked_for_as_true_or_false_is_answered_so():
    verdict = exercises.should_stop(should_stop("two and 0 < g < b and aitken(b, g) < 3 * n * tol"))
    assert "stop is True and should be False, for history = [-900" in verdict


def test_the_right_program_is_right():
    assert exercises.should_stop(should_stop()).correct


def test_a_reference_stop_sums_the_series():
    """What is left is summed term by term."""
    for history, n, tol in exercises.should_stop.cases:
        gains = np.diff(history)
        expected = False
        if len(gains) > 1 and 0 < gains[-1] < gains[-2]:
            rate, term, left = gains[-1] / gains[-2], gains[-1], 0.0
            for _ in range(20_000):
                term *= rate
                left += term
            expected = left < n * tol
        assert bool(exercises.should_stop.parts[0].answer(history, n, tol)) == expected
