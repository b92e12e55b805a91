"""The exercises of lesson 9: two bugs, a log-likelihood to fix, and a hunt for eight more."""

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
from exercises import lesson_09
from exercises.lesson_09 import BUGS, GM1D_LISTING, GM1D_SOURCE, RIGHT, START, Program

# A log-likelihood to fix ------------------------------------------------------------------------------

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

HUNTS = {"verdicts": "ACGH", "verdicts_with_code": "BDEF"}
ASKED = {hunt: {letter: ANSWERS[letter] for letter in letters} for hunt, letters in HUNTS.items()}


@pytest.mark.parametrize("hunt", HUNTS)
def test_the_right_verdicts_are_right(hunt):
    judge = getattr(exercises, hunt)
    assert judge(ASKED[hunt]).correct
    assert judge({k.lower(): f" {v.upper()} " for k, v in ASKED[hunt].items()}).correct
    assert judge([*ASKED[hunt].items()]).correct
    assert sorted(exercises.bug_names) == sorted(ANSWERS.values())
    assert sorted("".join(HUNTS.values())) == sorted(BUGS)


@pytest.mark.parametrize(("hunt", "letter"), [(h, letter) for h in HUNTS for letter in HUNTS[h]])
@pytest.mark.parametrize("name", exercises.bug_names)
def test_every_wrong_verdict_is_answered_by_an_invariant_that_speaks_against_it(hunt, letter, name):
    if name == ANSWERS[letter]:
        return
    verdict = getattr(exercises, hunt)(ASKED[hunt] | {letter: name})
    assert not verdict.correct
    assert f"{hunt}: 3 of 4 suspects named rightly\n{letter}: not {name!r}: " in verdict
    (culprit,) = (other for other in BUGS if ANSWERS[other] == name)
    if match := re.search(r"that would break (\w+)\. ", verdict):
        assert match.group(1) in TABLE[culprit] - TABLE[letter]
    else:
        assert TABLE[culprit] < TABLE[letter]
    assert ANSWERS[letter] not in verdict.replace(repr(name), "")


@pytest.mark.parametrize("hunt", HUNTS)
@pytest.mark.parametrize(
    ("given", "words"),
    [
        (None, "not attempted yet"),
        ({}, "not attempted yet"),
        ("first", "1 of 4 suspects named rightly\nno verdict yet on "),
        ("typing error", "'a typing error' is not on the list"),
        ("stranger", "there is no suspect Z; here they are "),
        ("all", "belongs to the other exercise; this one asks for "),
        ({"A": 3}, "give a dict"),
        ("ABC", "give a dict"),
        (7, "give a dict"),
        (Hostile(), "give a dict"),
        ({Hostile(): "wrong axis"}, "give a dict"),
    ],
)
def test_other_verdicts(hunt, given, words):
    first = HUNTS[hunt][0]
    given = {
        "first": {first: ANSWERS[first]},
        "typing error": ASKED[hunt] | {first: "a typing error"},
        "stranger": ASKED[hunt] | {"Z": "wrong axis"},
        "all": ANSWERS,
    }.get(given if isinstance(given, str) else "", given)
    verdict = getattr(exercises, hunt)(given)
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


# Two bugs that hide each other ------------------------------------------------------------------------

FAR = datasets.three_clusters(15).X
START_FAR = [-8, 8, 5], [5, 3, 1]
MENDED = {
    7: ("scale=self.variances", "scale=np.sqrt(self.variances)"),
    12: (" variances = (", " self.variances = ("),
}


def published(*lines, iterations=10):
    """The class of the listing, with some of its lines mended, after its run."""
    source = GM1D_SOURCE
    for line in lines:
        assert source.count(MENDED[line][0]) == 1
        source = source.replace(*MENDED[line])
    scope = {"np": np, "norm": norm}
    exec(source, scope)
    with np.errstate(all="ignore"):
        return scope["GM1D"](*START_FAR).fit(FAR[:, 0], iterations)


def test_the_listing_is_the_source_with_numbers():
    numbers, lines = zip(*[(line[:2], line[4:]) for line in GM1D_LISTING.splitlines()], strict=True)
    assert [int(n) for n in numbers] == list(range(1, 14))
    assert "\n".join(lines) == GM1D_SOURCE.replace("\n\n", "\n").strip()
    assert {*lesson_09.BUGGY} | {*lesson_09.SOUND} == set(range(1, 14))
    for line, (wrong, _) in MENDED.items():
        assert wrong in lines[line - 1]
    for words in (*lesson_09.BUGGY.values(), *lesson_09.SOUND.values()):
        assert re.match(r"line \d+ ", words)
    assert max(map(len, GM1D_LISTING.splitlines())) <= 110


def test_the_listing_does_what_was_published():
    np.testing.assert_allclose(published().means, [-14.677, 14.944, -0.023], atol=5e-4)
    assert published().variances.tolist() == [5, 3, 1]
    assert np.isnan(published(12, iterations=5).means).any()  # the second bug alone mended
    assert not np.isnan(published(12, iterations=4).means).any()


def test_with_both_lines_mended_the_listing_is_emlibs():
    mended = published(7, 12)
    trace = fit(Mixture([1 / 3] * 3, Gaussian.univariate(*START_FAR)), FAR, tol=0, max_iter=10)
    checks.monotone(trace)
    checks.equal(mended.weights, trace.model.weights)
    checks.equal(mended.means, trace.model.components.means[:, 0])
    checks.equal(mended.variances, trace.model.components.variances[:, 0])


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (None, "not attempted yet"),
        ([], "there are two"),
        (7, "line 7 gives a variance to `scale`"),
        ([7], "That is one of the two. There is a second"),
        ([12], "line 12 works out the new variances"),
        ([12, 12], "That is one of the two. There is a second"),
        ([7, 8], "line 8 is right: each row is divided by its own sum"),
        ([7, 8], "Of the lines you gave, 1 line has a bug"),
        ([7, 12, 3], "and they sum to 1. Of the lines you gave, 2 lines have a bug"),
        (range(1, 14), "line 1 only names the class"),
        ([12, 13], "give the line whose work is lost"),
        *(([n], words) for n, words in lesson_09.SOUND.items()),
        ([7, 14], "there is no line 14; they have the numbers 1 to 13"),
        (0, "there is no line 0"),
        ([7.5, 12], "give the numbers of two lines"),
        (["7", "twelve"], "give the numbers of two lines"),
        ("seven", "give the numbers of two lines"),
        ([True, 12], "give the numbers of two lines"),
        (np.nan, "give the numbers of two lines"),
        (Hostile(), "give the numbers of two lines"),
    ],
)
def test_wrong_lines_are_answered(answer, words):
    verdict = exercises.two_bugs(answer)
    assert not verdict.correct
    assert words in verdict


@pytest.mark.parametrize("found", [7, 12])
def test_who_finds_one_is_not_told_the_other(found):
    assert str(19 - found) not in exercises.two_bugs([found])


@pytest.mark.parametrize(
    "answer", [[7, 12], (12, 7), {7, 12}, np.array([7, 12]), [7.0, 12.0], "7, 12", "7 and 12", "12 7"]
)
def test_the_two_lines_in_any_clothes(answer):
    assert exercises.two_bugs(answer).correct
