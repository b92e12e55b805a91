"""The exercises of lesson 7, each proven right and wrong in many ways."""

import numpy as np
import pytest
from answers import Hostile, check_every_diagnosis

import exercises
from exercises.lesson_07 import HISTORIES

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


# Which of them has arrived? ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (None, "not attempted yet"),
        ([], "one of them has"),
        ("", "one of them has"),
        (dict.fromkeys("ABCDEF", False), "one of them has"),
        ("A", "not A: its last gains are small, but each is larger"),
        ("BD", "not B: its gains are small, but they hardly shrink"),
        (["C", "D"], "not C: one of its steps goes down"),
        ("DE", "not E: it has not moved from the first step on"),
        ({"D", "F"}, "not F: its gains get larger and larger"),
        (dict.fromkeys("DF", True), "not F: "),
        ("ABCDEF", "not A: "),
        ("DG", "there is no curve G; they are A to F"),
        ({"D": "converged"}, "give the letters of the curves"),
        ({"D": 1.0}, "give the letters"),
        (4, "give the letters"),
        ([4], "give the letters"),
        (Hostile(), "give the letters"),
        ({Hostile(): True}, "give the letters"),
    ],
)
def test_wrong_arrivals_are_answered(answer, words):
    verdict = exercises.arrived(answer)
    assert not verdict.correct
    assert words in verdict


@pytest.mark.parametrize(
    "answer",
    ["D", "d", ["D"], {"D"}, np.array(["D"]), {letter: letter == "D" for letter in "ABCDEF"}, {"d": True}],
)
def test_the_one_that_has_arrived(answer):
    assert exercises.arrived(answer).correct


def test_the_histories_are_what_their_messages_say():
    gains = {letter: np.diff(history) for letter, history in HISTORIES.items()}
    assert list(gains) == list("ABCDEF")
    assert all(25 <= len(history) <= 60 for history in HISTORIES.values())
    low = gains["A"].argmin()
    assert (np.diff(gains["A"])[:low] < 0).all()
    assert (np.diff(gains["A"])[low:] > 0).all()
    assert gains["A"][low] == pytest.approx(0.002)
    assert gains["A"][-1] < 0.1
    last, rate = gains["B"][-1], gains["B"][-1] / gains["B"][-2]
    assert 0 < last < 0.02
    assert rate / (1 - rate) == pytest.approx(199, abs=0.1)
    assert 3 < last * rate / (1 - rate) < 3.5
    assert (gains["C"] < 0).sum() == 1
    assert gains["C"].min() == pytest.approx(-3)
    np.testing.assert_allclose(gains["D"][1:25] / gains["D"][:24], 0.6, rtol=1e-4)
    assert (gains["D"] > 0).all()
    assert gains["D"][-1] < 1e-7
    assert not gains["E"].any()
    assert (np.diff(gains["F"], 1)[-23:] > 0).all()
    assert gains["F"][-1] > 10


def test_only_the_right_one_may_stop_by_the_rule_of_the_lesson():
    """At any tolerance that is asked for; C would be let through, and its fall speaks against it."""
    stops = {letter for letter, h in HISTORIES.items() if should_stop()(np.array(h), 272, 1e-6)}
    assert stops == {"C", "D"}


# What is left -----------------------------------------------------------------------------------------

LEFT = {  # of the last gain but one b and the last g; r is the rate, and s whether they shrink
    "np.where(s, g / (1 - r), np.inf)": "what is to come begins with the next one",
    "np.where(s, b * r / (1 - r), np.inf)": "that gain you have already",
    "g * r / (1 - r)": "the formula gives a negative number or a division by 0",
    "g**2 / (b - g)": "the formula gives a negative number or a division by 0",
    "g / (1 - r)": "and where the gains do not shrink, their sum has no end",
    "g * (b / g) / (1 - b / g)": "the rate is upside down",
    "np.where(b / g < 1, g * (b / g) / (1 - b / g), np.inf)": "the rate is upside down",
    "g * r": "this is the next gain alone",
    "np.where(s, g * r, np.inf)": "this is the next gain alone",
    "np.where(s, g * r / (1 - r), 0)": "this says that nothing is left",
    "(g * r / (1 - r)).clip(0)": "this says that nothing is left",
    # Not on the list:
    "np.where(s, g, np.inf)": "left[",
    "np.where(s, g * r / (1 - r), np.nan)": "left[1] is nan and should be inf",
    "np.where(s, g * r / (1 - r), -1)": "cannot be negative; left[1] is -1 and should be inf, for before = [3",
    "np.where(r <= 1, g * r / (1 - r), 1e9)": "left[1] is 1e+09 and should be inf",
    "abs(g * r / (1 - r))": "left[1] is 0.833333 and should be inf",
    "g * r / (1 + r)": "left[",
    "np.where(s, g * r / (1 - r), np.inf).sum()": "it is a single number; it must have shape (M,) = (4,)",
    "np.inf if not s.all() else g * r / (1 - r)": "it is a single number; it must have shape (M,) = (5,)",
    "np.where(g > b, np.inf, g * r / (1 - np.minimum(r, 0.999)))": "left[0] is 300 and should be inf",
    "np.where(g > b, np.inf, g * r / (1 - r + 1e-12))": "left[0] is 3e+11 and should be inf, for before = [0.3]",
    "np.inf if g >= b else g * r / (1 - r)": "met a whole array",
    "np.where(s, g * r / (1 - r), np.inf).round(3)": "rounded to 3 decimals",
}


def what_is_left(expression="np.where(s, g * r / (1 - r), np.inf)"):
    source = """
def what_is_left(b, g):
    r, s = g / b, g < b
    return """
    scope = {"np": np}
    exec(source + expression, scope)
    return scope["what_is_left"]


@pytest.mark.parametrize(("expression", "words"), LEFT.items())
def test_wrong_rests_are_answered(expression, words):
    verdict = exercises.what_is_left(what_is_left(expression))
    assert not verdict.correct
    assert words in verdict


def test_every_diagnosis_of_a_rest_is_met_by_a_program():
    check_every_diagnosis(exercises.what_is_left, map(what_is_left, LEFT))


def by_loops(before, gain):
    left = []
    for b, g in zip(before, gain, strict=True):
        left.append(np.inf if g >= b else g * (g / b) / (1 - g / b))
    return left


def by_mask(before, gain):
    left = np.full(len(gain), np.inf)
    some = gain < before
    left[some] = gain[some] ** 2 / (before[some] - gain[some])
    return left


def by_difference(before, gain):
    rate = np.minimum(gain / before, 1.0)
    return gain / (1 - rate) - np.where(rate < 1, gain, 0)


@pytest.mark.parametrize("answer", [what_is_left(), by_loops, by_mask, by_difference])
def test_rests_in_several_styles(answer):
    assert exercises.what_is_left(answer).correct


def test_a_reference_rest_is_the_sum_term_by_term():
    for before, gain in exercises.what_is_left.cases:
        answer = exercises.what_is_left.parts[0].answer(before, gain)
        for left, b, g in zip(answer, before, gain, strict=True):
            if g >= b:
                assert left == np.inf
            else:
                assert left == pytest.approx((g * (g / b) ** np.arange(1, 20_000)).sum(), rel=1e-9)
