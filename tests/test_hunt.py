"""The bug hunt of lesson 5: two right programs, eight wrong ones, and the invariants that tell them apart."""

import difflib
import re
import warnings

import numpy as np
import pytest
from answers import Hostile
from scipy.stats import multivariate_normal

import exercises
from emlib import Gaussian, Mixture, Prior, checks, datasets, fit, start
from exercises import hunt
from exercises.hunt import BUGS, RIGHT, START, Program

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


# The invariants of claims -------------------------------------------------------------------------------------


def test_stationary_holds_at_converged_fits_only():
    for data, K, more in [
        (datasets.old_faithful().X, 2, {}),
        (datasets.old_faithful().X, 2, {"prior": Prior.weak(datasets.old_faithful().X, 2)}),
        (X, 2, {}),
    ]:
        trace = fit(start.k_means(data, K, np.random.default_rng(0), **more), data, tol=1e-10)
        checks.monotone(trace)
        assert checks.stationary(trace.model, data) == "no slope is left in any direction"
        if not more:
            for attribute in ("weights", "means", "covariances"):
                model, parts = trace.model, trace.model.components
                wrong = {"weights": model.weights, "means": parts.means, "covariances": parts.covariances}
                moved = wrong[attribute] * np.linspace(0.97, 1.03, K).reshape(
                    -1, *[1] * (np.ndim(wrong[attribute]) - 1)
                )
                wrong[attribute] = moved / moved.sum() if attribute == "weights" else moved
                off = Mixture(wrong["weights"], Gaussian(wrong["means"], wrong["covariances"]))
                with pytest.raises(AssertionError, match="this is no maximum: along"):
                    checks.stationary(off, data)


def test_stationary_measures_the_slope():
    """Against the derivative worked out by hand, for a single Gaussian with a wrong mean."""
    rng = np.random.default_rng(1)
    data = rng.normal(size=(200, 1))
    off = Mixture([1.0], Gaussian.univariate([data.mean() + 0.3], [data.var()]))
    slope = -200 * 0.3 / data.std()
    with pytest.raises(AssertionError) as error:
        checks.stationary(off, data)
    said = float(
        re.search(r"the mean of component 0 the objective has the slope (\S+),", str(error.value))[1]
    )
    np.testing.assert_allclose(said, slope, rtol=1e-2)


def test_stationary_does_not_tell_a_saddle_from_a_maximum():
    data = datasets.old_faithful().X
    one = multivariate_normal(data.mean(axis=0), np.cov(data.T, bias=True))
    alike = Mixture([0.3, 0.7], Gaussian([one.mean] * 2, [one.cov] * 2))
    assert checks.stationary(alike, data)
    assert one.logpdf(data).sum() < -1289


def test_what_stationary_cannot_judge():
    tied = start.k_means(X, 2, np.random.default_rng(0), structure="tied")
    floored = start.k_means(X, 2, np.random.default_rng(0), floor=1.0)
    for given in (tied, floored, None):
        with pytest.raises(ValueError, match="must be a Mixture of full Gaussians without a floor"):
            checks.stationary(given, X)


def test_additive():
    model = start.k_means(X, 2, np.random.default_rng(0))
    assert checks.additive(lambda part: model.log_density(part).sum(), X).startswith("the log-likelihoods")
    for wrong in (
        lambda part: model.log_density(part).mean(),
        lambda part: np.log(np.exp(model.log_density(part)).sum()),
        lambda part: np.nan,
    ):
        with pytest.raises(AssertionError, match="logarithms add up"):
            checks.additive(wrong, X)


@pytest.mark.parametrize(
    ("rule", "right"),
    [
        (lambda h, tol: 0 <= h[-1] - h[-2] < tol, True),
        (lambda h, tol: False, True),
        (lambda h, tol: abs(h[-1] - h[-2]) < tol, False),
        (lambda h, tol: h[-1] - h[-2] < tol, False),
        (lambda h, tol: np.isclose(h[-1], h[-2]), False),
    ],
)
def test_stopping(rule, right):
    if right:
        assert checks.stopping(rule).startswith("a fall, however small")
    else:
        with pytest.raises(AssertionError, match="a fall smaller than tol is still a fall"):
            checks.stopping(rule)


def test_nothing_is_warned_of_while_examining():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        hunt.examine(exercises.suspects()["A"])
