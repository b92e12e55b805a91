"""The exercises of lesson 9: a log-likelihood to mend, and a hunt with the invariants that tell eight bugs apart."""

import difflib
import re
import warnings

import numpy as np
import pytest
from answers import Hostile, check_every_diagnosis
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

import exercises
from emlib import Gaussian, Mixture, checks, datasets, fit
from exercises.lesson_09 import BUGS, RIGHT, START, Program

# A log-likelihood to mend -----------------------------------------------------------------------------

LOG_LIKELIHOODS = {  # what stands behind `return`, with density, joint and r worked out rightly before
    "np.log(joint.sum())": "this is the broken program still",
    "np.log(joint).sum()": "the logarithm of every entry",
    "np.log(joint.sum(axis=0)).sum()": "the sum inside runs over the points",
    "np.log(joint.sum(axis=1))": "it has shape (N,) = (7,); it must be one number",
    "np.log(joint.sum(axis=1)).mean()": "this is the mean over the points",
    "joint.sum(axis=1).prod()": "this is the likelihood itself",
    "np.log(joint.max(axis=1)).sum()": "only the likeliest component",
    "np.log(density.sum(axis=1)).sum()": "the weights are missing",
    "np.log((w * norm.pdf(x[:, None], m, v)).sum(axis=1)).sum()": "scale=np.sqrt(variance)",
    "np.log2(joint.sum(axis=1)).sum()": "log_likelihood is",
    "np.log10(joint.sum(axis=1)).sum()": "log_likelihood is",
    "-np.log(joint.sum(axis=1)).sum()": "log_likelihood is",
    "(r * np.log(joint)).sum()": "log_likelihood is",
    # Not on the list:
    "np.log(joint.sum(axis=1)).sum() + 2": "log_likelihood is",
    "np.nan": "nan or infinite values",
}


def total_log_likelihood(expression="np.log(joint.sum(axis=1)).sum()"):
    source = """
def total_log_likelihood(x, w, m, v):
    density = norm.pdf(x[:, None], m, np.sqrt(v))
    joint = w * density
    r = joint / joint.sum(axis=1, keepdims=True)
    return """
    scope = {"np": np, "norm": norm}
    exec(source + expression, scope)
    return scope["total_log_likelihood"]


@pytest.mark.parametrize(("expression", "words"), LOG_LIKELIHOODS.items())
def test_wrong_log_likelihoods_are_answered(expression, words):
    verdict = exercises.total_log_likelihood(total_log_likelihood(expression))
    assert not verdict.correct
    assert words in verdict


def test_every_diagnosis_is_met_by_a_program():
    check_every_diagnosis(exercises.total_log_likelihood, map(total_log_likelihood, LOG_LIKELIHOODS))


def test_the_right_log_likelihood_is_right():
    assert exercises.total_log_likelihood(total_log_likelihood()).startswith("correct: ")


@given(noise=st.floats(1e-6, 1e3), sign=st.sampled_from([-1, 1]))
def test_no_wrong_answer_is_ever_called_correct_and_none_raises(noise, sign):
    right = total_log_likelihood()
    verdict = exercises.total_log_likelihood(lambda *case: right(*case) + sign * noise)
    assert not verdict.correct
    assert re.search(r" is \S+ and should be \S+", verdict)


# The hunt ---------------------------------------------------------------------------------------------

X = datasets.old_faithful().X[:, 1:]
x = X[:, 0]
TABLE = {  # what the lesson prints
    "A": {"probabilities", "monotone", "moments", "stationary", "predict"},
    "B": {"monotone", "additive"},
    "C": {"predict"},
    "D": {"moments", "stationary"},
    "E": {"monotone", "moments", "stationary"},
    "F": {"monotone"},
    "G": {"stopping"},
    "H": {"moments"},
}
ANSWERS = {letter: bug.name for letter, bug in BUGS.items()}


@pytest.mark.parametrize("source", RIGHT.values(), ids=RIGHT)
def test_the_right_programs_equal_emlib_and_break_nothing(source):
    program = Program(source)
    *end, history = program.fit(x, *START, tol=0, max_iter=25)
    psi, means, variances = START
    trace = fit(Mixture([psi, 1 - psi], Gaussian.univariate(means, variances)), X, tol=0, max_iter=25)
    checks.monotone(trace)
    checks.equal(history, trace.objectives)
    checks.equal([end[0], 1 - end[0]], trace.model.weights)
    checks.equal(end[1], trace.model.components.means[:, 0])
    checks.equal(end[2], trace.model.components.variances[:, 0])
    np.testing.assert_array_equal(program.predict(x, *end), trace.model.predict(X))
    checks.equal(program.e_step(x, *end), trace.model.responsibilities(X))
    assert not any(exercises.examine(program).values())


@pytest.mark.parametrize("letter", BUGS)
def test_a_wrong_program_differs_from_the_right_one_in_one_place(letter):
    bug = BUGS[letter]
    right = RIGHT[bug.program]
    assert right.count(bug.right) == 1
    changes = [
        line
        for line in difflib.ndiff(right.splitlines(), bug.source.splitlines())
        if line.startswith(("+", "-"))
    ]
    assert len(changes) == 2
    assert max(len(f.splitlines()) for f in re.split(r"\n(?=def )", bug.source)) <= 12


@pytest.mark.parametrize("letter", BUGS)
def test_each_breaks_exactly_what_the_lesson_says(letter):
    found = exercises.examine(exercises.suspects()[letter])
    assert {name for name, message in found.items() if message} == TABLE[letter]


def test_no_two_break_the_same_and_every_invariant_catches_one():
    assert len({frozenset(broken) for broken in TABLE.values()}) == 8
    assert set().union(*TABLE.values()) == set(exercises.examine(exercises.suspects()["C"]))


def test_a_mended_program_breaks_nothing():
    second = Program(RIGHT["second"])
    for letter in "DEH":
        assert not any(exercises.examine(exercises.suspects()[letter].but(m_step=second.m_step)).values())


def test_a_program_that_does_nothing_breaks_everything_and_raises_nothing():
    found = exercises.examine(Program("def fit(x, *start, **more): raise NotImplementedError"))
    assert all(found.values())
    assert all(exercises.examine(None).values())


def test_a_program_shows_its_source():
    program = exercises.suspects()["A"]
    assert str(program) == program.source
    with pytest.raises(AttributeError, match="no function no_such"):
        _ = program.no_such


# Verdicts ------------------------------------------------------------------------------------------------


def test_the_right_verdicts_are_right():
    assert exercises.verdicts(ANSWERS).correct
    assert exercises.verdicts({k.lower(): f" {v.upper()} " for k, v in ANSWERS.items()}).correct
    assert sorted(exercises.bug_names) == sorted(ANSWERS.values())


@pytest.mark.parametrize("letter", BUGS)
@pytest.mark.parametrize("name", exercises.bug_names)
def test_every_wrong_verdict_is_answered_by_an_invariant_that_speaks_against_it(letter, name):
    if name == ANSWERS[letter]:
        return
    verdict = exercises.verdicts(ANSWERS | {letter: name})
    assert not verdict.correct
    assert f"7 of 8 suspects named rightly\n{letter}: not {name!r}: " in verdict
    (culprit,) = (other for other in BUGS if ANSWERS[other] == name)
    if match := re.search(r"that would break (\w+)\. ", verdict):
        assert match.group(1) in TABLE[culprit] - TABLE[letter]
    else:
        assert TABLE[culprit] < TABLE[letter]
    assert ANSWERS[letter] not in verdict.replace(repr(name), "")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (None, "not attempted yet"),
        ({}, "not attempted yet"),
        ({"A": "wrong axis"}, "1 of 8 suspects named rightly\nno verdict yet on B, C"),
        (ANSWERS | {"A": "a typing error"}, "A: 'a typing error' is not on the list"),
        (ANSWERS | {"Z": "wrong axis"}, "there is no suspect Z"),
        ({"A": 3}, "give a dict"),
        ("ABC", "give a dict"),
        (7, "give a dict"),
        (Hostile(), "give a dict"),
        ({Hostile(): "wrong axis"}, "give a dict"),
    ],
)
def test_other_verdicts(given, words):
    verdict = exercises.verdicts(given)
    assert not verdict.correct
    assert words in verdict


def test_a_rule_that_takes_a_fall_for_the_end_hides_it():
    careless = exercises.suspects()["B"].but(converged=exercises.suspects()["G"].converged)
    gains = np.diff(careless.fit(x, *START, tol=1e-5)[3])
    assert gains[-1] < 0 < gains[-2]


def test_nothing_is_warned_of_while_examining():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        exercises.examine(exercises.suspects()["A"])


def test_a_program_that_writes_into_its_arguments_spoils_no_other_examination():
    def vandal(x, gamma, psi, mu, s2):
        counts = gamma.sum(axis=0)
        mu[:] = gamma.T @ x / counts
        s2[:] = (gamma * (x[:, None] - mu) ** 2).sum(axis=0) / counts
        return counts[0] / len(x), mu, s2

    before = [np.array(part) for part in START]
    assert not any(exercises.examine(exercises.suspects()["H"].but(m_step=vandal)).values())
    for part, was in zip(START, before, strict=True):
        np.testing.assert_array_equal(part, was)
