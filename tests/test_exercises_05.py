"""The exercises of lesson 5: programs that people write, each with the words that must answer it."""

import re

import numpy as np
import pytest
from answers import check_every_diagnosis
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import entr, rel_entr, xlogy
from scipy.stats import norm

import exercises
from exercises import Exercise, lesson_05

WRITTEN = [thing for thing in vars(lesson_05).values() if isinstance(thing, Exercise)]

# What stands behind `return`, after the lines of BEFORE have worked out what is right.
BEFORE = {
    "elbo": """
def elbo(q, log_joint):
    joint = np.exp(log_joint)
    r = joint / joint.sum(axis=1, keepdims=True)
    loss = np.log(joint.sum(axis=1)) - rel_entr(q, r).sum(axis=1)
    return """,
    "gap": """
def gap(q, resp):
    terms = rel_entr(q, resp)
    return """,
    "uneven_coins": """
def uneven_coins(heads, tosses, p):
    h, t = heads[:, None], (tosses - heads)[:, None]
    def share(joint):
        return joint / joint.sum(axis=1, keepdims=True)
    right, wrong = share(p**h * (1 - p)**t), share(p**t * (1 - p)**h)
    return """,
}
RIGHT = {
    "elbo": "(q * log_joint).sum() + entr(q).sum()",
    "gap": "terms.sum(axis=1)",
    "uneven_coins": "right.T @ heads / (right.T @ tosses)",
}
PROGRAMS = {
    "elbo": {
        "(q * np.log(joint / q)).sum()": "nan, wherever a share is 0",
        "(q * log_joint).sum() - (q * np.log(q)).sum()": "nan, wherever a share is 0",
        "(q * log_joint).sum()": "the entropy of q, -sum q log q, is missing",
        "np.einsum('nk,nk', q, log_joint)": "the entropy of q, -sum q log q, is missing",
        "(q * log_joint).sum() - entr(q).sum()": "log q came in with the wrong sign",
        "np.log(joint.sum(axis=1)).sum()": "this is the log-likelihood itself, whatever q is",
        "np.logaddexp.reduce(log_joint, axis=1).sum()": "this is the log-likelihood itself, whatever q is",
        "(r * log_joint).sum() + entr(r).sum()": "the responsibilities took its place",
        "np.log((q * joint).sum(axis=1)).sum()": "the logarithm came after the sum",
        "loss.mean()": "this is the mean over the points",
        "loss": "this is one bound for each point; the total is asked for",
        "list(loss)": "this is one bound for each point",
        "(q * joint).sum() + entr(q).sum()": "leave np.exp out",
        # Not on the list:
        "entr(q).sum()": "it is a lower bound, and the log-likelihood is",
        "-loss.sum()": "it is a lower bound",
        "rel_entr(q, r).sum()": "it is a lower bound",
        "(q * np.log(r)).sum() + entr(q).sum()": "it is a lower bound, and the log-likelihood is -7.17605",
        "(q * log_joint).sum() + (q * np.log(q)).sum()": "elbo: elbo is",
        "sum(log_joint[i, k] - (np.log(q[i, k]) if q[i, k] else 0) for i, k in np.ndindex(q.shape))": "elbo is",
        "(q * log_joint + entr(q)).mean()": "elbo is",
        "(q * log_joint + entr(q)).sum(axis=0)": "it has shape (K,) = (2,); it must be one number: the total",
        "((q * log_joint).sum() + entr(q).sum() / np.log(2))": "elbo is",
        "loss.sum() + 1": "elbo: elbo is -10.1102 and should be -11.1102",
        "loss.sum() + 100": "it is a lower bound, and the log-likelihood is",
        "(q * log_joint).sum() - (q * np.log(q + 1e-6)).sum()": "digits and no further (elbo is",
        "np.round(loss.sum(), 2)": "rounded to 2 decimals",
        "None": "it returns nothing",
        "'a number'": "it must return one number, elbo",
        "log_joint": "it has shape (N, K) = (3, 2); it must be one number",
        "1 / 0": "it raised ZeroDivisionError",
    },
    "gap": {
        "(q * np.log(q / resp)).sum(axis=1)": "nan, wherever a share is 0",
        "(q * (np.log(q) - np.log(resp))).sum(axis=1)": "nan, wherever a share is 0",
        "rel_entr(resp, q).sum(axis=1)": "the two changed places: this is KL(resp || q)",
        "-terms.sum(axis=1)": "the sign is turned",
        "terms.sum()": "this is the total; keep the points apart",
        "terms.sum(axis=0)": "summed over the points, along axis 0",
        "terms": "it has shape (N, K) = (3, 2); it must have shape (N,) = (3,): one divergence for each point",
        "terms.mean(axis=1)": "the mean over the components",
        "entr(q).sum(axis=1)": "gap[",
        "-(q * np.log(resp)).sum(axis=1)": "this is the cross-entropy",
        "terms.sum(axis=1) / np.log(2)": "these are bits",
        "((q - resp) ** 2).sum(axis=1)": "gap[",
        "abs(q - resp).sum(axis=1)": "gap[",
        "[sum(np.log(a / b) for a, b in zip(*rows) if a) for rows in zip(q, resp)]": "should be",
        # Not on the list:
        "terms.sum(axis=1) - 1": "a KL divergence is never negative",
        "terms.sum(axis=1) * 2": "gap[",
        "0 * terms.sum(axis=1)": "gap[1] is 0 and should be 2.12647",
        # What the findings saw: upside down, and told of something else.
        "(q * np.log(resp / q)).sum(axis=1)": "a KL divergence is never negative, and the smallest here is -2.12647",
        "rel_entr(resp, q).sum(axis=1) * 2": "gap[",
    },
    "uneven_coins": {
        "wrong.T @ heads / (wrong.T @ tosses)": "this is the broken program still",
        "wrong.T @ (tosses - heads) / (wrong.T @ tosses)": "the M-step counts tails as well",
        "right.T @ (tosses - heads) / (right.T @ tosses)": "the M-step gives the probabilities of tails",
        "(wrong.T @ heads / (wrong.T @ tosses))[::-1]": "probabilities[",
        "(right.T @ heads / (right.T @ tosses))[::-1]": "probabilities[",
        "(lambda r: r.T @ heads / (r.T @ tosses))(share(p**h * (1 - p) ** tosses[:, None]))": "not the number",
        "(lambda r: r.T @ heads / (r.T @ tosses))(share(p**h))": "the tails are missing",
        "right.T @ (heads / tosses) / right.sum(axis=0)": "let every flip count",
        "right.T @ heads / (tosses.mean() * right.sum(axis=0))": "probabilities[",
        "right.T @ heads / (10 * right.sum(axis=0))": "divided by ten flips a row",
        "right.T @ heads / tosses.sum()": "probabilities[",
        "right.T @ heads": "these are expected numbers of heads",
        # Not on the list:
        "right.T @ heads / right.sum(axis=0)": "a probability lies between 0 and 1, and here is",
        "np.full(len(p), heads.sum() / tosses.sum())": "probabilities[",
        "right.T @ heads / (right.T @ tosses)[:, None]": "it must have shape (K,) = (2,): one number for each coin",
    },
}


def program(name, expression):
    scope = {"np": np, "norm": norm, "entr": entr, "rel_entr": rel_entr}
    exec(BEFORE[name] + expression, scope)
    return next(thing for key, thing in scope.items() if BEFORE[name].startswith(f"\ndef {key}("))


@pytest.mark.parametrize(
    ("name", "expression", "words"),
    [(name, *pair) for name, programs in PROGRAMS.items() for pair in programs.items()],
)
def test_wrong_programs_are_answered(name, expression, words):
    verdict = getattr(exercises, name)(program(name, expression))
    assert not verdict.correct
    assert words in verdict


@pytest.mark.parametrize("exercise", WRITTEN, ids=lambda exercise: exercise.name)
def test_every_diagnosis_is_met_by_a_program(exercise):
    (name,) = (name for name in PROGRAMS if getattr(exercises, name) is exercise)
    programs = [program(name, expression) for expression in PROGRAMS[name]]
    check_every_diagnosis(exercise, programs)


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_right_programs_are_right(name):
    assert getattr(exercises, name)(program(name, RIGHT[name])).startswith("correct: ")


def by_loops(q, log_joint):
    total = 0.0
    for n in range(len(q)):
        for k in range(len(q[n])):
            if q[n, k] > 0:
                total += q[n, k] * (log_joint[n, k] - np.log(q[n, k]))
    return total


def by_where(q, log_joint):
    terms = np.zeros_like(log_joint)
    some = q > 0
    terms[some] = q[some] * (log_joint[some] - np.log(q[some]))
    return terms.sum()


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "answer",
    [
        by_loops,
        by_where,
        lambda q, log_joint: np.nansum(q * (log_joint - np.log(q))),
        lambda q, log_joint: float((q * log_joint).sum() - xlogy(q, q).sum()),
        lambda q, log_joint: np.sum(q * (log_joint - np.log(np.maximum(q, 1e-300)))),
        lambda q, log_joint: np.sum(q * log_joint) - np.sum(np.where(q > 0, q * np.log(q), 0)),
        lambda q, log_joint: np.sum(q * (log_joint - np.log(q + 1e-12))),
        lambda shares, table: -rel_entr(shares, np.exp(table)).sum(),
    ],
)
def test_a_bound_in_other_clothes(answer):
    assert exercises.elbo(answer).correct


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ("elbo", "the check wants the function itself: elbo, without calling it"),
        (lambda log_joint, q: by_loops(q, log_joint), "The arguments come as q, log_joint, in this order"),
        (lambda q, log_joint: [by_loops(q, log_joint)], "it has shape (1,); it must be one number"),
        (lambda q: 0.0, "it is called with 2 arguments, q, log_joint; yours takes q"),
    ],
)
def test_other_ways_to_go_wrong_with_the_bound(answer, words):
    assert words in exercises.elbo(answer)


def test_a_reference_bound_touches_at_the_responsibilities_and_nowhere_else():
    for q, log_joint in exercises.elbo.cases:
        answer, top = exercises.elbo.parts[0].answer, np.logaddexp.reduce(log_joint, axis=1)
        resp = np.exp(log_joint - top[:, None])
        np.testing.assert_allclose(answer(resp, log_joint), top.sum())
        np.testing.assert_allclose(top.sum() - answer(q, log_joint), rel_entr(q, resp).sum())
        assert answer(q, log_joint) < top.sum() - 0.1


@given(noise=st.floats(1e-6, 1e3), sign=st.sampled_from([-1, 1]))
def test_no_wrong_answer_is_ever_called_correct_and_none_raises(noise, sign):
    for name in PROGRAMS:
        right = program(name, RIGHT[name])
        verdict = getattr(exercises, name)(lambda *case, right=right: right(*case) + sign * noise)
        assert not verdict.correct
        assert re.search(r" is \S+ and should be \S+", verdict)
