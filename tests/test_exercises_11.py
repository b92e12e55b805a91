"""The exercise of lesson 11, proven right and wrong in many ways."""

import numpy as np
import pytest
from answers import check_every_diagnosis
from hypothesis import given
from hypothesis import strategies as st

import exercises
from emlib import select

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
