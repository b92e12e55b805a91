"""The exercises of lesson 11, each proven right and wrong in many ways."""

import numpy as np
import pytest
from answers import Hostile, check_every_diagnosis
from hypothesis import given
from hypothesis import strategies as st

import exercises
from emlib import select
from exercises.lesson_11 import SAMPLES

# Programs that people write, each with the words that must answer it. Together they meet every diagnosis. ----

PS = {  # of the observed ratio t and the simulated ones s
    "np.mean(s >= t)": "the data themselves are missing",
    "(1 + np.count_nonzero(s > t)) / (s.size + 1)": "as large: >=, not >",
    "np.mean(s > t)": "count those that are equal, too, and the data",
    "(1 + np.count_nonzero(s <= t)) / (s.size + 1)": "this is the other tail: what speaks",
    "np.mean(s <= t)": "this is the other tail, and without the data",
    "1 - np.mean(s >= t)": "this is the other tail, and without the data",
    "(1 + np.count_nonzero(s >= t)) / s.size": "1 was added above but not below",
    "np.count_nonzero(s >= t) / (s.size + 1)": "1 was added below but not above",
    "1 + np.count_nonzero(s >= t)": "p_value is",
    "np.count_nonzero(s >= t)": "p_value is",
    "min(1, 2 * (1 + np.count_nonzero(s >= t)) / (s.size + 1))": "this is two-sided",
    "t / s.max()": "p_value is",
}


def p_value(expression="np.mean(np.append(s, t) >= t)"):
    source = """
def p_value(t, s):
    return """
    scope = {"np": np}
    exec(source + expression, scope)
    return scope["p_value"]


@pytest.mark.parametrize(("expression", "words"), PS.items())
def test_wrong_p_values_are_answered(expression, words):
    verdict = exercises.p_value(p_value(expression))
    assert not verdict.correct
    assert words in verdict


def test_every_diagnosis_is_met_by_a_program():
    check_every_diagnosis(exercises.p_value, map(p_value, PS))


def test_the_right_program_is_right():
    assert exercises.p_value(p_value()).startswith("correct: the data are one more sample")


def test_the_reference_is_emlibs():
    for observed, simulated in exercises.p_value.cases:
        assert exercises.p_value.parts[0].answer(observed, simulated) == (
            select.Ratio("full", 1, observed, simulated).p_value
        )


@pytest.mark.parametrize(
    ("program", "words"),
    [
        (lambda t, s: str(s), "must return one number"),
        (lambda t, s: 1j, "complex"),
    ],
)
def test_other_ways_to_go_wrong(program, words):
    verdict = exercises.p_value(program)
    assert not verdict.correct
    assert words in verdict


@given(off=st.floats(1e-6, 1e6))
def test_no_other_number_is_ever_called_correct(off):
    assert not exercises.p_value(lambda t, s: p_value()(t, s) + off).correct


# Where to stop going up -------------------------------------------------------------------------------

UP = {  # s are the tests that reject; K is right
    "np.argmin(p) + 1": "the smallest p-value was taken",
    "np.argmin(p) + 2": "the smallest p-value was taken",
    "np.flatnonzero(s)[-1] + 2 if s.any() else 1": "this goes to the last test that rejects",
    "np.sum(s) + 1": "all tests that reject were counted",
    "K + 1": "one too many",
    "K - 1": "one too few",
    "next((n for n, one in enumerate(p) if one > level), len(p))": "one too few",
    "next((n for n, one in enumerate(p, 1) if one >= level), len(p) + 1)": "a p-value that equals the level",
    "next((n for n, one in enumerate(p, 1) if one <= level), len(p) + 1)": "turned round",
    "np.argmax(~s) + 1": "np.argmax finds no True",
    # Not on the list:
    "K - 5": "6 tests compare 1 with 2, up to 6 with 7 components; K is -2 and should be 3",
    "np.sum(s)": "K is",
    "np.argmax(~s)": "K is 2 and should be 3",
    "np.flatnonzero(~s)[0] + 1": "it asks for number 0 of 0",
    "1": "K is 1 and should be 3",
    "s": "it has shape (M,) = (6,); it must be one number: how many components to keep",
    "p[min(K, len(p)) - 1]": "K is 0.3 and should be 3",
}


def stop_going_up(expression="K"):
    source = """
def stop_going_up(p, level):
    s, K = p <= level, 1
    while K <= len(p) and s[K - 1]:
        K += 1
    return """
    scope = {"np": np}
    exec(source + expression, scope)
    return scope["stop_going_up"]


@pytest.mark.parametrize(("expression", "words"), UP.items())
def test_wrong_ways_up_are_answered(expression, words):
    verdict = exercises.stop_going_up(stop_going_up(expression))
    assert not verdict.correct
    assert words in verdict


def test_every_diagnosis_of_a_way_up_is_met_by_a_program():
    check_every_diagnosis(exercises.stop_going_up, map(stop_going_up, UP))


def by_for(p_values, level):
    for k, p in enumerate(p_values, start=1):
        if p > level:
            return k
    return len(p_values) + 1


@pytest.mark.parametrize(
    "answer",
    [
        stop_going_up(),
        by_for,
        lambda p_values, level: 1 + int(np.cumprod(p_values <= level).sum()),
        lambda p_values, level: np.argmax(np.append(p_values, 1) > level) + 1,
        lambda p_values, level: next((k for k, p in enumerate(p_values, 1) if p > level), len(p_values) + 1),
    ],
)
def test_the_way_up_in_several_styles(answer):
    assert exercises.stop_going_up(answer).startswith("correct: the first test that does not reject")


# How many samples? ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (None, "not attempted yet"),
        *SAMPLES.items(),
        (50, "with 50 samples the p-value is 1/51 at least, 2.0%"),
        (200, "enough, but fewer are, too"),
        (0, "at least one"),
        (-99, "at least one"),
        (99.5, "samples are counted"),
        (0.01, "samples are counted"),
        (np.nan, "samples are counted"),
        (np.inf, "samples are counted"),
        ("many", "give one whole number"),
        ([99, 100], "give one whole number"),
        (True, "give one whole number"),
        (Hostile(), "give one whole number"),
    ],
)
def test_numbers_of_samples_people_give(answer, words):
    verdict = exercises.least_samples(answer)
    assert not verdict.correct
    assert words in verdict


@pytest.mark.parametrize("answer", [99, 99.0, np.int64(99), np.array(99), 1 / 0.01 - 1])
def test_the_right_number_of_samples(answer):
    assert exercises.least_samples(answer).correct


@pytest.mark.parametrize(("level", "least"), [(0.01, 99), (0.05, 19), (0.001, 999)])
def test_what_is_said_of_the_samples_is_so(level, least):
    smallest = exercises.p_value.parts[0].answer
    assert smallest(9.0, np.zeros(least)) == pytest.approx(level)
    assert smallest(9.0, np.zeros(least - 1)) > level
