"""The exercises of lesson 2: programs that people write, each with the words that must answer it."""

import re

import numpy as np
import pytest
from answers import check_every_diagnosis
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import cdist
from scipy.special import logsumexp, softmax

import exercises
from exercises import Exercise, lesson_02

WRITTEN = [thing for thing in vars(lesson_02).values() if isinstance(thing, Exercise)]

# What stands behind `return` in a function that has worked out some things rightly before. ----------------

BEFORE = {
    "mahalanobis": """
def mahalanobis(X, mean, covariance):
    d = X - mean
    P = np.linalg.inv(covariance)
    right = cdist(X, mean[None], "mahalanobis", VI=P)[:, 0]
    return """,
    "m_step_covariances": """
def m_step_covariances(X, resp, old_means):
    n, K = resp.sum(axis=0), resp.shape[1]
    mu = (resp / n).T @ X
    ks = list(map(int, np.arange(K)))
    def about(centres, counts, r=resp):
        return np.array(list(map(lambda k: (X - centres[k]).T * r[:, k] @ (X - centres[k]) / counts[k], ks)))
    right = about(mu, n)
    hard = np.eye(K)[resp.argmax(axis=1)]
    return """,
    "responsibilities": """
def responsibilities(log_joint):
    L = log_joint
    right = softmax(L, axis=1)
    off = L - L.max(axis=1)[:, None]
    return """,
}
PROGRAMS = {
    "mahalanobis": {
        "right**2": "these are the squares of the distances",
        "cdist(X, mean[None])[:, 0]": "as a ruler has them",
        "np.sqrt((d @ covariance * d).sum(axis=1))": "multiplied by the covariance where its inverse belongs",
        "(d @ covariance * d).sum(axis=1)": "two things: it is the inverse",
        "np.sqrt((d @ (1 / covariance) * d).sum(axis=1))": "inverts every number by itself",
        "np.linalg.norm(d / np.sqrt(covariance.diagonal()), axis=1)": "only the variances are in it",
        "np.sqrt((X @ P * X).sum(axis=1))": "distances from the origin",
        "np.sqrt(d @ P @ d.T)": "the distances are the roots of its diagonal",
        "d @ P @ d.T": "wanted are the square roots of its diagonal",
        "np.linalg.norm(d @ P, axis=1)": "the inverse covariance is in there twice",
        "np.sqrt(np.maximum(d @ P * d, 0))": "the sum over the features is missing",
        "d @ P * d": "the sum over the features is missing",
        "np.sqrt((d @ P * d).sum(axis=0))": "summed over the points",
        # Not on the list:
        "-right": "a distance cannot be negative",
        "right[:, None]": "it must have shape (5,), (N,): one number for each point",
        "right.round(4)": "do not round",
        "0 * right": "all zeros",
        "np.sqrt(-right)": "nan or infinite values",
        "right + 1": "distance[",
        "None": "it returns nothing",
        "1 / 0": "ZeroDivisionError",
    },
    "m_step_covariances": {
        "about(old_means, n)": "taken about the old means. The M-step",
        "about(mu, 0 * n + len(X))": "divided by N; component k",
        "about(old_means, 0 * n + len(X))": "two things: these are taken about the old means",
        "about(mu, 0 * n + 1)": "these are sums of products",
        "about(mu, n - 1)": "divided by N_k - 1",
        "list(map(lambda r: np.cov(X.T, aweights=r), resp.T))": "unless it is told ddof=0",
        "about(0 * mu + X.mean(axis=0), n)": "about the mean of all points",
        "about(mu, 0 * n + len(X), 0 * resp + 1)": "every point counts in full here",
        "about(0 * mu, n)": "this is the mean of x x'",
        "about(mu, n, resp**2)": "the responsibility went into both factors",
        "right * np.eye(X.shape[1])": "only the variances are there, on the diagonal",
        "right.diagonal(axis1=1, axis2=2)": "these are the variances of the features, (K, D)",
        "right.transpose(1, 2, 0)": "the component comes first, (K, D, D)",
        "0 * right + np.tensordot(n / len(X), right, 1)": "one matrix for all components",
        "0 * right + np.cov(X.T, ddof=0)": "the plain covariance of all points",
        "np.array(list(map(lambda k: np.outer(*2 * [resp[:, k] @ (X - mu[k])]), ks)))": "they cancel",
        "about((hard / hard.sum(axis=0)).T @ X, hard.sum(axis=0), hard)": "that is k-means",
        "np.linalg.inv(right)": "these are the inverses of the covariances (precisions)",
        # Not on the list:
        "np.triu(right)": "a covariance is symmetric, and covariances[0] is not",
        "right - 9 * np.eye(X.shape[1])": "has no negative eigenvalue",
        "right + np.eye(X.shape[1])": "they must give the covariance of all points",
        "right[:, 0]": "it must have shape (3, 2, 2), (K, D, D): one matrix for each component",
        "right + 1e-6 * np.eye(X.shape[1])": "add nothing small",
        "right[::-1]": "covariances[",
        "np.nan * right": "nan or infinite values",
        "covariances": "it raised NameError",
    },
    "responsibilities": {
        "np.exp(L) / np.exp(L).sum(axis=1, keepdims=True)": "np.exp came first",
        "np.nan_to_num(np.exp(L) / np.exp(L).sum(axis=1)[:, None])": "painted over with 0",
        "np.nan_to_num(np.exp(L) / np.exp(L).sum(axis=1)[:, None], nan=1 / len(L[0]))": "with equal shares",
        "np.exp(L) / (np.exp(L).sum(axis=1)[:, None] + 1e-300)": "hides the nan",
        "np.exp(L - L.max()) / np.exp(L - L.max()).sum(axis=1)[:, None]": "the maximum of the whole table",
        "np.exp(L - L.max(axis=0)) / np.exp(L - L.max(axis=0)).sum(axis=1)[:, None]": "the maximum of each column",
        "np.exp(L - L.min(axis=1)[:, None]) / np.exp(L - L.min(axis=1)[:, None]).sum(axis=1)[:, None]": "minimum",
        "np.exp(off)": "largest entry is 1 here, not its sum",
        "np.exp(off) / np.exp(off).sum(axis=0)": "the columns sum to 1",
        "L - logsumexp(L, axis=1, keepdims=True)": "these are the logarithms of the right answer",
        "np.log(right)": "these are the logarithms of the right answer",
        "off": "these are still logarithms",
        "L / L.sum(axis=1)[:, None]": "the logarithms themselves were normalised",
        "off / off.sum(axis=1)[:, None]": "np.exp is missing",
        "np.eye(len(L[0]))[L.argmax(axis=1)]": "went to a single component",
        "right.T": "lying on its side",
        # Not on the list:
        "-right": "a share is a probability, and the smallest",
        "2 * right": "each row must sum to 1, and row",
        "right[:, ::-1]": "the rows do sum to 1, but the shares",
        "right[0]": "it must have shape (4, 3), (N, K): one row for each point",
        "np.vstack([row for row in right])": "they come out of a loop",
        "Mixture": "it raised NameError",
        "right.round(6)": "do not round",
    },
}
RIGHT = {"mahalanobis": "right", "m_step_covariances": "right", "responsibilities": "right"}


def program(name, expression):
    scope = {"np": np, "cdist": cdist, "softmax": softmax, "logsumexp": logsumexp}
    exec(BEFORE[name] + expression, scope)
    return scope[name]


@pytest.mark.parametrize(
    ("name", "expression", "words"),
    [(name, *pair) for name, answers in PROGRAMS.items() for pair in answers.items()],
)
def test_wrong_programs_are_answered(name, expression, words):
    verdict = getattr(exercises, name)(program(name, expression))
    assert not verdict.correct
    assert words in verdict


@pytest.mark.parametrize("exercise", WRITTEN, ids=lambda exercise: exercise.name)
def test_every_diagnosis_is_met_by_a_program(exercise):
    programs = [program(exercise.name, expression) for expression in PROGRAMS[exercise.name]]
    check_every_diagnosis(exercise, programs)


@pytest.mark.parametrize("wrap", [np.asarray, lambda a: a.tolist(), np.asfortranarray])
@pytest.mark.parametrize("name", RIGHT)
def test_right_programs_are_right_in_any_clothes(name, wrap):
    right = program(name, RIGHT[name])
    assert getattr(exercises, name)(lambda *arguments: wrap(right(*arguments))).startswith("correct: ")


def test_all_exercises_of_the_lesson_are_here():
    assert {exercise.name for exercise in WRITTEN} == set(PROGRAMS) == set(RIGHT)
    for name in PROGRAMS:
        assert getattr(exercises, name) in WRITTEN


def test_arguments_in_another_order_and_arguments_changed():
    right = program("mahalanobis", RIGHT["mahalanobis"])

    def other_order(X, covariance, mean):
        return right(X, mean, covariance)

    def in_place(log_joint):
        log_joint -= log_joint.max(axis=1, keepdims=True)
        return softmax(log_joint, axis=1)

    def from_the_notebook(X, r, old):
        return covariances  # noqa: F821 (that is the mistake)

    assert "The arguments come as X, mean, covariance" in exercises.mahalanobis(other_order)
    assert "it changes its arguments in place" in exercises.responsibilities(in_place)
    assert "it reads covariances from the notebook" in exercises.m_step_covariances(from_the_notebook)


def test_the_classes_of_the_lesson_are_no_answer():
    scope = {"np": np, "Gauss": lambda: None}
    exec(
        "def m_step_covariances(X, resp, old_means):\n"
        "    Gauss()\n"
        "    away = X[:, None] - (resp.T @ X / resp.sum(axis=0)[:, None])\n"
        "    return np.einsum('nk,nki,nkj->kij', resp, away, away) / resp.sum(axis=0)[:, None, None]",
        scope,
    )
    assert "they come out of a loop" in exercises.m_step_covariances(scope["m_step_covariances"])


@given(noise=st.floats(1e-6, 1e3), seed=st.integers(0, 2**16), name=st.sampled_from(sorted(PROGRAMS)))
def test_no_wrong_answer_is_ever_called_correct_and_none_raises(noise, seed, name):
    right, rng = program(name, RIGHT[name]), np.random.default_rng(seed)

    def off(*arguments):
        answer = right(*arguments)
        return answer + noise * (0.1 + rng.uniform(size=answer.shape))

    verdict = getattr(exercises, name)(off)
    assert not verdict.correct
    assert re.search(r"\[[\d, ]+\] is \S+ and should be \S+", verdict)
