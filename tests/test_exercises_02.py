"""The exercises of lesson 2: programs that people write, each with the words that must answer it."""

import re

import numpy as np
import pandas as pd
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
    "shared_covariance": """
def shared_covariance(X, resp):
    n, K = resp.sum(axis=0), resp.shape[1]
    mu = (resp / n).T @ X
    each = np.array([np.cov(X.T, aweights=r, ddof=0) for r in resp.T]) if X.shape[1] > 1 else None
    def scatters(r=resp):
        return np.array([(X - mu[k]).T * r[:, k] @ (X - mu[k]) for k in range(K)])
    right = scatters().sum(axis=0) / len(X)
    return """,
    "responsibilities": """
def responsibilities(weights, log_density):
    w, L = weights, log_density
    J = np.log(w) + L
    right = softmax(J, axis=1)
    off = J - J.max(axis=1)[:, None]
    def share(table):
        return table / np.sum(table, axis=1)[:, None]
    return """,
}
PROGRAMS = {
    "mahalanobis": {
        "right**2": "these are the squares of the distances",
        "cdist(X, mean[None])[:, 0]": "as a ruler has them",
        "np.sqrt((d @ covariance * d).sum(axis=1))": "multiplied by the covariance where its inverse belongs",
        "np.sqrt((d @ (1 / covariance) * d).sum(axis=1))": "inverts every number by itself",
        "np.linalg.norm(d / np.sqrt(covariance.diagonal()), axis=1)": "only the variances are in it",
        "np.sqrt((X @ P * X).sum(axis=1))": "distances from the origin",
        "np.sqrt(d @ P @ d.T)": "every row times all the others",
        "d @ P @ d.T": "every row times all the others",
        "np.linalg.norm(d @ P, axis=1)": "the inverse covariance is in there twice",
        # Not on the list:
        "(d @ covariance * d).sum(axis=1)": "distance[3] is 87.76 and should be 2.19406",
        "np.sqrt(np.maximum(d @ P * d, 0))": "it has shape (N, D) = (5, 2); it must have shape (N,) = (5,)",
        "np.sqrt((d @ P * d).sum(axis=0))": "it has shape (D,) = (2,); it must have shape (N,) = (5,)",
        "-right": "a distance cannot be negative",
        "right[:, None]": "it has shape (N, 1) = (5, 1), an axis too many; it must be (N,) = (5,): one number",
        "right.round(4)": "rounded to 4 decimals; do not round",
        "np.zeros(len(X))": "all zeros: is anything stored in it?",
        "np.sqrt(-right)": "it holds nan or infinite values: distance[0] is nan and should be",
        "right + 1": "distance[",
        "None": "it returns nothing",
        "1 / 0": "ZeroDivisionError",
        "d @ P @ d": "in a matrix product the last axis of the left factor must be as long as the first",
    },
    "shared_covariance": {
        "each.mean(axis=0)": "the plain mean of the K covariances",
        "np.cov(X, rowvar=False, ddof=0)": "about the mean of all",
        "np.cov(X.T)": "about the mean of all",
        "scatters().sum(axis=0) / K": "divided by the number of components K",
        "each.sum(axis=0)": "the sum of the K covariances, each divided by its own N_k",
        "each": "these are the K covariances, (K, D, D)",
        "scatters(resp**2).sum(axis=0) / len(X)": "the responsibility went into both factors",
        "len(X) * right": "this is the sum of all the products",
        "right * np.eye(X.shape[1])": "only the variances are there, on the diagonal",
        # Not on the list:
        "np.triu(right)": "a covariance is symmetric, and this is not",
        "right - 9 * np.eye(X.shape[1])": "has no negative eigenvalue",
        "right * len(X) / (len(X) - 1)": "covariance[",
        "right + 1e-6 * np.eye(X.shape[1])": "digits and no further",
        "right.ravel()": "it has shape (4,); it must have shape (D, D) = (2, 2): one matrix",
        "resp.T @ X / n": "you combined something of shape (K, D) with something of shape (K,)",
        "covariances": "it raised NameError",
    },
    "responsibilities": {
        "softmax(L, axis=1)": "the weights are missing",
        "softmax(L * w, axis=1)": "the weights went in without their logarithm",
        "softmax(L + w, axis=1)": "the weights went in without their logarithm",
        "share(np.exp(J + J.max(axis=1, keepdims=True)))": "np.exp met numbers as low as -1800",
        "softmax(J)": "the whole table sums to 1, and each row must: row 2 sums to 0",
        "softmax(J, axis=0)": "the columns sum to 1, and the rows must: row 2 sums to 0",
        "share(w * np.exp(L))": "np.exp met numbers as low as -1800",
        "share(np.exp(J))": "np.exp met numbers as low as -1800",
        "share(np.exp(J - J.max()))": "the largest of the whole table",
        "share(np.exp(J - J.mean(axis=1)[:, None]))": "the mean of each row was subtracted",
        "np.exp(off)": "largest entry is 1 here, not its sum",
        "np.exp(off) / np.exp(off).sum(axis=0)": "the columns sum to 1",
        "J - logsumexp(J, axis=1, keepdims=True)": "these are the logarithms of the right answer",
        "np.log(right)": "these are the logarithms of the right answer",
        # Not on the list:
        "share(off)": "the rows do sum to 1, but the shares within them are off; resp[3, 0] is 0 and should be 1",
        "np.eye(len(L[0]))[J.argmax(axis=1)]": "the rows do sum to 1, but the shares within them are off",
        "right.T": "lying on its side",
        "-right": "a responsibility is a probability, and the smallest",
        "2 * right": "each row must sum to 1, and row",
        "right[:, ::-1]": "the rows do sum to 1, but the shares",
        "right[0]": "it has shape (K,) = (3,); it must have shape (N, K) = (8, 3): one row for each point",
        "L - L.max(axis=1)": "`keepdims=True` keeps the column, (N, 1)",
        "right.round(6)": "rounded to 6 decimals; do not round",
    },
}
RIGHT = {"mahalanobis": "right", "shared_covariance": "right", "responsibilities": "right"}


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


def pandas(a):
    return pd.DataFrame(a) if a.ndim == 2 else pd.Series(a)


@pytest.mark.parametrize(
    "wrap", [np.asarray, lambda a: a.tolist(), np.asfortranarray, np.float32, pandas, tuple]
)
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

    def in_place(weights, log_density):
        log_density += np.log(weights)
        return softmax(log_density, axis=1)

    assert "The arguments come as X, mean, covariance" in exercises.mahalanobis(other_order)
    said = exercises.responsibilities(in_place)
    assert "it changes its arguments in place (log_density)" in said


def from_the_inside_out(X, resp):
    """Total scatter less that of the means."""
    counts, mean = resp.sum(axis=0), X.mean(axis=0)
    off = resp.T @ X / counts[:, None] - mean
    return ((X - mean).T @ (X - mean) - off.T @ (counts[:, None] * off)) / len(X)


def point_by_point(X, resp):
    N, K = resp.shape
    total = np.zeros((X.shape[1], X.shape[1]))
    for k in range(K):
        mean = np.average(X, axis=0, weights=resp[:, k])
        for n in range(N):
            total += resp[n, k] * np.outer(X[n] - mean, X[n] - mean)
    return total / N


def mean_of_covariances(X, resp):
    return sum(r.mean() * np.atleast_2d(np.cov(X, rowvar=False, aweights=r, ddof=0)) for r in resp.T)


def by_einsum(X, resp):
    away = X[:, None] - np.einsum("nk,nd->kd", resp, X) / np.einsum("nk->k", resp)[:, None]
    return np.einsum("nk,nkd,nke->de", resp, away, away) / np.einsum("nk->", resp)


@pytest.mark.parametrize("answer", [from_the_inside_out, point_by_point, mean_of_covariances, by_einsum])
def test_ways_to_a_shared_covariance(answer):
    assert exercises.shared_covariance(answer).correct


def row_by_row(weights, log_density):
    rows = []
    for row in log_density:
        joint = [np.log(w) + p for w, p in zip(weights, row, strict=True)]
        small = [np.exp(j - max(joint)) for j in joint]
        rows.append([s / sum(small) for s in small])
    return rows


def in_one_line(weights, log_density):
    return np.exp(log_density + np.log(weights) - logsumexp(log_density, b=weights, axis=1, keepdims=True))


def weighted_afterwards(weights, log_density):
    small = weights * np.exp(log_density - log_density.max(axis=1)[:, None])
    return small / small.sum(1)[:, None]


@pytest.mark.parametrize("answer", [row_by_row, in_one_line, weighted_afterwards])
def test_ways_to_responsibilities(answer):
    assert exercises.responsibilities(answer).correct


def solved(X, mean, covariance):
    return np.linalg.norm(np.linalg.solve(np.linalg.cholesky(covariance), (X - mean).T), axis=0)


def one_by_one(X, mean, covariance):
    return [float(np.sqrt((x - mean) @ np.linalg.solve(covariance, x - mean))) for x in X]


def from_a_table(X, mean, covariance):
    return np.sqrt(np.diag((X - mean) @ np.linalg.pinv(covariance) @ (X - mean).T))


@pytest.mark.parametrize("answer", [solved, one_by_one, from_a_table])
def test_ways_to_a_distance(answer):
    assert exercises.mahalanobis(answer).correct


@given(noise=st.floats(1e-6, 1e3), seed=st.integers(0, 2**16), name=st.sampled_from(sorted(PROGRAMS)))
def test_no_wrong_answer_is_ever_called_correct_and_none_raises(noise, seed, name):
    right, rng = program(name, RIGHT[name]), np.random.default_rng(seed)

    def off(*arguments):
        answer = right(*arguments)
        return answer + noise * (0.1 + rng.uniform(size=answer.shape))

    verdict = getattr(exercises, name)(off)
    assert not verdict.correct
    assert re.search(r"\[[\d, ]+\] is \S+ and should be \S+", verdict)
