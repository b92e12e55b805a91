"""The exercises for the curious, each proven right and wrong in many ways."""

import re

import numpy as np
import pytest
from answers import check_every_diagnosis
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import brentq
from scipy.stats import norm

import exercises

# Programs that people write, each with the words that must answer it. Together they meet every diagnosis. ----

BORDERS = {  # what stands behind `return`, with a, b the means, p, q the weights and v the variances
    "np.full_like(v, (a + b) / 2)": "half-way is right only for equal weights",
    "(a + b) / 2 + v * np.log(q / p) / (b - a)": "moved towards the heavier component",
    "(a + b) / 2 + np.sqrt(v) * np.log(p / q) / (b - a)": "the standard deviation was used",
    "(a + b) / 2 + v**2 * np.log(p / q) / (b - a)": "at a border both shares are one half",
    "np.full_like(v, p * a + q * b)": "at a border both shares are one half",
    "(a + b) / 2 + v * np.log(p / q)": "the distance of the means is missing",
    "(a + b) / 2 + v * p / q / (b - a)": "without its logarithm",
    "(a + b) / 2 + v * np.log10(p / q) / (b - a)": "at a border both shares are one half",
    "(a + b) / 2 + 2 * v * np.log(p / q) / (b - a)": "twice as far",
    "(a + b) / 2 + v * np.log(p / q) / (b - a) / 2": "at a border both shares are one half",
    "(a + b) / 2 + v * np.log(p / q) / (b - a) ** 2": "at a border both shares are one half",
    "(a + b) / 2 + v * np.log(p / q) / abs(b - a)": "keep the sign of means[1]",
    "v * np.log(p / q) / (b - a)": "add the place it has moved from",
    "np.full_like(v, a)": "at a border both shares are one half, and at 1 component 0 has",
    "(a + b) / 2": "it is a single number; it must have shape (T,) = (4,): one number for each variance",
    "v * np.log(p / (q - q))": "nan or infinite",
}

CLASSES = {
    "np.exp(j) / np.exp(j).sum(axis=1, keepdims=True)": "e^-900 is 0 to a computer",
    "np.exp(j - j.max()) / np.exp(j - j.max()).sum(axis=1, keepdims=True)": "each row has a largest of its own",
    "soft(L)": "the shares of the classes are missing",
    "soft(j.T).T": "the columns sum to 1",
    "soft(L + s)": "a share was added to a logarithm",
    "soft(L * s)": "probabilities[",
    "soft(L - np.log(s))": "probabilities[",
    "j": "probabilities[",
    "np.log(soft(j))": "these are the logarithms of the probabilities",
    "j.argmax(axis=1)": "it has shape (N,) = (5,); it must have shape (N, C) = (5, 3)",
    "np.eye(len(s))[j.argmax(axis=1)]": "these are verdicts",
    "np.exp(j - j.max(axis=1, keepdims=True))": "the largest of each row is 1",
    "soft(j) + 0.1": "probabilities[",
}


def borders(expression="(a + b) / 2 + v * (np.log(p) - np.log(q)) / (b - a)"):
    source = """
def borders(m, w, v):
    (a, b), (p, q) = m, w
    return """
    scope = {"np": np}
    exec(source + expression, scope)
    return scope["borders"]


def class_probabilities(expression="soft(j)"):
    source = """
def class_probabilities(L, s):
    j = L + np.log(s)
    def soft(a):
        e = np.exp(a - a.max(axis=1, keepdims=True))
        return e / e.sum(axis=1, keepdims=True)
    return """
    scope = {"np": np}
    exec(source + expression, scope)
    return scope["class_probabilities"]


@pytest.mark.parametrize(("expression", "words"), BORDERS.items())
def test_wrong_borders_are_answered(expression, words):
    verdict = exercises.borders(borders(expression))
    assert not verdict.correct
    assert words in verdict


@pytest.mark.parametrize(("expression", "words"), CLASSES.items())
@pytest.mark.filterwarnings("ignore")
def test_wrong_class_probabilities_are_answered(expression, words):
    verdict = exercises.class_probabilities(class_probabilities(expression))
    assert not verdict.correct
    assert words in verdict


def test_every_diagnosis_is_met_by_a_program():
    check_every_diagnosis(exercises.borders, map(borders, BORDERS))
    check_every_diagnosis(exercises.class_probabilities, map(class_probabilities, CLASSES))


def test_the_right_programs_are_right():
    assert exercises.borders(borders()).startswith("correct: the heavy component pushes the border away")
    assert exercises.class_probabilities(class_probabilities()).startswith("correct: Bayes' rule")


def test_a_reference_border_is_where_the_shares_are_equal():
    for means, weights, variances in exercises.borders.cases:
        for border, variance in zip(
            exercises.borders.parts[0].answer(means, weights, variances), variances, strict=True
        ):

            def lead(x, variance=variance, means=means, weights=weights):
                first, second = np.log(weights) + norm.logpdf(x, means, np.sqrt(variance))
                return first - second

            np.testing.assert_allclose(border, brentq(lead, -99, 99, xtol=1e-13), rtol=1e-9)


@given(noise=st.floats(1e-6, 1e3), seed=st.integers(0, 2**16))
def test_no_wrong_border_is_ever_called_correct_and_none_raises(noise, seed):
    rng = np.random.default_rng(seed)
    verdict = exercises.borders(lambda m, w, v: borders()(m, w, v) + noise * (0.1 + rng.uniform(size=len(v))))
    assert not verdict.correct
    assert re.search(r"borders\[\d\] is \S+ and should be \S+", verdict)
