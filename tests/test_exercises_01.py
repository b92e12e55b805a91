"""The exercises of lesson 1: programs that people write, each with the words that must answer it."""

import re
import sys
from collections import namedtuple

import numpy as np
import pandas as pd
import pytest
from answers import Hostile, check_every_diagnosis
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import logsumexp
from scipy.stats import norm

import exercises
from emlib import datasets
from exercises import Exercise, lesson_01

WRITTEN = [thing for thing in vars(lesson_01).values() if isinstance(thing, Exercise)]

# Together they meet every diagnosis. -----------------------------------------------------------------------------

E_STEP = {  # what stands behind `return`, with d, p and joint worked out rightly before
    "joint / joint.sum(axis=0)": "sum along axis 1, with keepdims=True",
    "shares(w * norm.pdf(x[:, None], m, v))": "scale=np.sqrt(variance)",
    "shares(w * norm.pdf(x[:, None], m, v**0.25))": "the variance itself",  # normal(x, mean, np.sqrt(variance))
    "shares(p)": "the weights are missing",
    "joint": "now divide every row by its sum",
    "p": "these are the bare densities",
    "joint / joint.sum()": "the whole table sums to 1",
    "shares(w * np.exp(-0.5 * d**2 / v))": "the factor 1 / sqrt(2 pi variance) is missing",
    "np.eye(len(w))[joint.argmax(axis=1)]": "every point went whole to its likeliest component",
    "joint.argmax(axis=1)": "it has shape (N,) = (7,); it must have shape (N, K) = (7, 3): one row for each point",
    "shares(joint).T": "lying on its side; it must have one row for each point",
    # Not on the list:
    "joint / joint.sum(axis=1)": "`keepdims=True` keeps the column, (N, 1)",
    "w * norm.pdf(x, m, np.sqrt(v))": "x is (N,), m is (K,), v is (K,), with N = 7, K = 3. `x[:, None]` makes a column",
    "None": "it returns nothing",
    "'resp'": "it returns a str; it must return one array of numbers, resp",
    "{'resp': joint}": "it returns a dict",
    "(shares(joint), 0.0)": "it returns a tuple of 2",
    "(row for row in joint)": "it returns a generator",
    "shares(joint) + 0j": "it returns complex numbers",
    "x": "it has shape (N,) = (7,); it must have shape (N, K) = (7, 3)",
    "np.zeros(joint.shape)": "all zeros: is anything stored in it?",
    "0 * joint": "each row must sum to 1",
    "np.nan * joint": "it holds nan or infinite values",
    "np.full(joint.shape, 1 / len(w))": "the shares within them are off",
    "np.full(joint.shape, 0.2)": "each row must sum to 1, and row 0 (x = -3.1) sums to 0.6",
    "-np.ones(joint.shape)": "the smallest here is -1",
    "np.where(np.arange(len(x))[:, None] < len(x) - 1, shares(joint), 0)": "row 6 (x = 5.7) sums to 0",
    "np.eye(len(w))[(0 * x).astype(int)]": "the shares within them are off",
    "(lambda j: j / j.sum(axis=0))(w * norm.pdf(x[:, None], m, v))": "the columns sum to 1, and the rows must: row 0",
    "(lambda j: j / j.sum())(w * norm.pdf(x[:, None], m, v))": "the whole table sums to 1, and each row must: row",
    "shares(joint).round()": "rounded to whole numbers; do not round",
    "shares(joint).astype(int)": "the fractions are cut off",
    "shares(joint).round(6)": "rounded to 6 decimals; do not round",
    "shares(w * norm.pdf(x[:, None], v, m))": "nan or infinite values",
    "1 / 0": "it raised ZeroDivisionError: division by zero",
    "sys.exit()": "it raised SystemExit",
    "shares(joint + means)": "it raised NameError",
}

M_STEP = {  # what stands in the place of one of the three, with n, mu and s2 worked out rightly before
    ("weights", "n"): "these are the counts N_k",
    ("weights", "np.full(len(n), 1 / len(n))"): "these are equal weights",
    ("weights", "n / len(n)"): "divided by the number of components K",
    ("weights", "r.mean(axis=1)"): "averaged over the components",
    ("weights", "r.sum(axis=1)"): "summed over the components",
    ("weights", "np.eye(len(n))[r.argmax(axis=1)].mean(axis=0)"): "for its likeliest component only",
    ("weights", "n / n.max()"): "must sum to 1; these sum to",
    ("weights", "n[::-1] / len(x)"): "not the shares N_k / N",
    ("weights", "np.r_[-1.0, 2 + 0 * n[1:]] / (2 * len(n) - 3)"): "a weight is a probability",
    ("weights", "(n / len(x)).round(4)"): "rounded to 4 decimals; do not round",
    ("means", "r.T @ x / len(x)"): "divided by N;",
    ("means", "r.T @ x"): "these are the sums of r_nk x_n",
    ("means", "np.full(len(n), x.mean())"): "the plain mean of all points",
    (
        "means",
        "[x[r.argmax(axis=1) == k].mean() for k in range(len(n))]",
    ): "likeliest component only (that is k-means)",
    ("means", "r.T @ x / len(n)"): "divided by the number of components",
    ("means", "(r**2).T @ x / (r**2).sum(axis=0)"): "the responsibilities were squared",
    (
        "variances",
        "(r * (x[:, None] - mu)).sum(axis=0) / n",
    ): "together with the means they must give the variance",
    ("means", "mu + 1"): "the means must average to 2.76",
    ("means", "99 + 0 * n"): "a mean of points lies between them, from -2 to 9",
    ("means", "0 * n"): "the means must average to 2.76",
    ("variances", "np.sqrt(s2)"): "weights and means right; variances wrong: these are standard deviations",
    ("variances", "s2 * n / (n - 1)"): "divided by N_k - 1",
    ("variances", "s2 * n / len(x)"): "divided by N;",
    ("variances", "s2 * n"): "these are the sums of squares",
    ("variances", "(r * (x[:, None] - x.mean()) ** 2).sum(axis=0) / n"): "about the mean of all points",
    ("variances", "((x[:, None] - mu) ** 2).mean(axis=0)"): "every point counts in full",
    ("variances", "r.T @ x**2 / n"): "this is the mean of x squared",
    ("variances", "((r * (x[:, None] - mu)) ** 2).sum(axis=0) / n"): "squared along with the distance",
    ("variances", "-s2"): "cannot be negative, and variances[",
    ("variances", "s2 + 1"): "must give the variance of all points",
    ("variances", "np.maximum(s2, 0.05)"): "variances[",
    ("variances", "s2 * (1 + 1e-5)"): "right to 5 digits and no further (variances[",
    ("variances", "np.inf * s2"): "nan or infinite",
}


def e_step_returning(expression):
    source = """
def shares(joint):
    return joint / joint.sum(axis=1, keepdims=True)

def e_step_1d(x, w, m, v):
    d = x[:, None] - m
    p = norm.pdf(x[:, None], m, np.sqrt(v))
    joint = w * p
    return """
    scope = {"np": np, "norm": norm, "sys": sys}
    exec(source + expression, scope)
    return scope["e_step_1d"]


def m_step_returning(**parts):
    expressions = {"weights": "n / len(x)", "means": "mu", "variances": "s2"} | parts
    source = """
def m_step_1d(x, r):
    n = r.sum(axis=0)
    mu = r.T @ x / n
    s2 = (r * (x[:, None] - mu) ** 2).sum(axis=0) / n
    return """
    scope = {"np": np}
    exec(source + ", ".join(expressions.values()), scope)
    return scope["m_step_1d"]


@pytest.mark.parametrize(("expression", "words"), E_STEP.items())
def test_wrong_e_steps_are_answered(expression, words):
    verdict = exercises.e_step_1d(e_step_returning(expression))
    assert not verdict.correct
    assert words in verdict


@pytest.mark.parametrize(("part", "expression", "words"), [(*key, words) for key, words in M_STEP.items()])
def test_wrong_m_steps_are_answered(part, expression, words):
    verdict = exercises.m_step_1d(m_step_returning(**{part: expression}))
    assert not verdict.correct
    assert words in verdict


@pytest.mark.parametrize("exercise", WRITTEN, ids=lambda exercise: exercise.name)
def test_every_diagnosis_is_met_by_a_program(exercise):
    if exercise is exercises.e_step_1d:
        programs = [e_step_returning(expression) for expression in E_STEP]
    else:
        programs = [m_step_returning(**{part: expression}) for part, expression in M_STEP]
    check_every_diagnosis(exercise, programs)


def test_the_right_programs_are_right_and_each_right_answer_tells_its_use():
    assert exercises.e_step_1d(e_step_returning("shares(joint)")).startswith(
        "correct: every point is shared out"
    )
    assert exercises.m_step_1d(m_step_returning()).startswith("correct: every point counts by its shares")


def with_a_loop(x, weights, means, variances):
    resp = np.zeros((len(x), len(means)))
    for n in range(len(x)):
        joint = weights * norm.pdf(x[n], means, np.sqrt(variances))
        resp[n] = joint / joint.sum()
    return resp


def forgets_to_store(x, weights, means, variances):
    resp = np.empty((len(x), len(means)))
    for n in range(len(x)):
        joint = weights * norm.pdf(x[n], means, np.sqrt(variances))
        r = joint / joint.sum()  # noqa: F841 (that is the mistake)
    return resp


def other_order(x, means, variances, weights):
    return with_a_loop(x, weights, means, variances)


def left_the_last_line(x, weights, means, variances):
    joint = weights * norm.pdf(x[:, None], means, np.sqrt(variances))
    joint / joint.sum(axis=1, keepdims=True)
    raise NotImplementedError


def reads_a_global(x, w, mu, var):
    return w * norm.pdf(x[:, None], means, np.sqrt(var))  # noqa: F821 (that is the mistake)


def changes_its_arguments(x, weights, means, variances):
    variances **= 0.5
    return with_a_loop(x, weights, means, variances)


@pytest.mark.parametrize(
    ("program", "words"),
    [
        (with_a_loop, "the numbers are right, but they come out of a loop"),
        (forgets_to_store, "not all of it is ever stored"),
        (other_order, "The arguments come as x, weights, means, variances, in this order"),
        (left_the_last_line, "not attempted yet (its line `raise NotImplementedError` is still there)"),
        (reads_a_global, "it raised NameError: name 'means' is not defined"),
        (changes_its_arguments, "it changes its arguments in place"),
        (lambda x: x, "it is called with 4 arguments, x, weights, means, variances; yours takes x"),
        ("e_step_1d", "the check wants the function itself"),
        (np.ones((7, 3)), "this is one array of shape (7, 3)"),
        (None, "this is None"),
    ],
)
def test_other_ways_to_go_wrong_in_the_e_step(program, words):
    exercises.e_step_1d(
        e_step_returning("shares(joint)")
    )  # leaves right answers in the memory that comes next
    verdict = exercises.e_step_1d(program)
    assert not verdict.correct
    assert words in verdict


def right_m_step(x, r):
    return m_step_returning()(x, r)


@pytest.mark.parametrize(
    ("program", "words"),
    [
        (lambda x, r: right_m_step(x, r)[::-1], "the right numbers in another order: return weights, means"),
        (lambda x, r: right_m_step(x, r)[:2], "it returns a tuple of 2; it must return 3 arrays"),
        (
            lambda x, r: np.array(right_m_step(x, r))[0],
            "it returns one array of shape (3,); it must return 3 arrays: `return weights, means, variances`",
        ),
        (lambda x, r: (r.sort(axis=0), right_m_step(x, r))[1], "it changes its arguments in place"),
        (
            lambda x, r: ([10**400] * 3, [1] * 3, [1] * 3),
            "weights is a list of 3; it must return 3 arrays of numbers",
        ),
        (lambda x, r: (Hostile(), Hostile(), Hostile()), "3 arrays of numbers"),
        (lambda x, r: Hostile(), "it returns a Hostile"),
        (lambda resp, x: right_m_step(x, resp), "The arguments come as x, resp, in this order"),
    ],
)
def test_other_ways_to_go_wrong_in_the_m_step(program, words):
    verdict = exercises.m_step_1d(program)
    assert not verdict.correct
    assert words in verdict


@pytest.mark.parametrize(
    ("prediction", "words"),
    [
        (None, "not attempted yet"),
        ([-2.75], "the surest of being red, so it turns last"),
        ([-2.75, -1.96, -1.93, -1.8, -1.59], "not all at once"),
        ([], "somebody does turn"),
        ([-1.59, -1.8], "-1.59 does turn; but not -1.8"),
        ([-1.96], "the point nearest to blue turns first"),
        ([45], "looks like the number of a point"),
        ([-5.78], "-5.78 is none of the five"),
        ([3.3], "there is no point at 3.3"),
        ([np.nan], "give the positions"),
        ([-1.59, None], "give the positions"),
        (np.array([-1.59 + 2j]), "give the positions"),
        ([1.59], "a minus sign is missing"),
        ([False, False, False, False, True], "give the positions"),
        (Hostile(), "give the positions"),
        ("the last one", "give the positions"),
        ({"x": 1}, "give the positions"),
        (object(), "give the positions"),
    ],
)
def test_predictions_people_make(prediction, words):
    verdict = exercises.next_to_change(prediction)
    assert not verdict.correct
    assert words in verdict


@pytest.mark.parametrize(
    "prediction",
    [
        [-1.59],
        -1.59,
        (-1.59,),
        np.array([[-1.59]]),
        "-1.59",
        [-1.5914],
        {-1.59},
        {-1.59: 0}.keys(),
        iter([-1.59]),
    ],
)
def test_the_right_prediction_in_any_clothes(prediction):
    assert exercises.next_to_change(prediction).correct


# Which line fell? ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("my_answer", "words"),
    [
        (None, "not attempted yet"),
        (1, "line 1 is right: these are the means of your M-step"),
        (2, "line 2 is right: a variance is a mean of squares, here about the new means"),
        (3, "line 3 is right: a weight is a component's share"),
        (5, "line 5 is right: a sum over the components, a logarithm for each point"),
        (0, "the lines have the numbers 1 to 5"),
        (6, "the lines have the numbers 1 to 5"),
        (4.5, "the lines have the numbers 1 to 5"),
        (np.nan, "the lines have the numbers 1 to 5"),
        (np.inf, "the lines have the numbers 1 to 5"),
        ("four", "give the number of one line"),
        ([4, 5], "give the number of one line"),
        ([[4]], "give the number of one line"),
        (np.complex128(4), "give the number of one line"),
        ("3", "line 3 is right"),
        (True, "give the number of one line"),
        (10**400, "give the number of one line"),
        (Hostile(), "give the number of one line"),
    ],
)
def test_lines_people_give(my_answer, words):
    verdict = exercises.which_line_fell(my_answer)
    assert not verdict.correct
    assert words in verdict
    assert not any(
        word in verdict for word in ("line 4", "sqrt", "scale", "deviation")
    )  # the answer stays open


@pytest.mark.parametrize(
    "my_answer",
    [4, 4.0, np.int64(4), np.array(4), np.float32(4), "4", [4], {4}, np.array([4]), pd.Series([4])],
)
def test_the_line_that_fell(my_answer):
    assert exercises.which_line_fell(my_answer).startswith("correct: `scale` is a standard deviation")


def test_what_the_answers_say_of_the_lines_is_so():
    """On lesson 1's points and guess: lines 1 to 3 are the M-step, and with the root 4 and 5 are a log-likelihood."""
    x = datasets.three_clusters().X[:, 0]
    weights, means, variances = np.full(3, 1 / 3), np.array([-5, 8, 1.5]), np.array([25.0, 9.0, 1.0])

    def height(scale):
        return np.log((weights * norm.pdf(x[:, None], loc=means, scale=scale)).sum(axis=1)).sum()

    before = height(np.sqrt(variances))
    resp = lesson_01.shares(lesson_01.joint_density(x, weights, means, variances))
    counts = resp.sum(axis=0)
    means = (resp * x[:, None]).sum(axis=0) / counts
    variances = (resp * (x[:, None] - means) ** 2).sum(axis=0) / counts
    weights = counts / len(x)
    for part, mine in zip(exercises.m_step_1d.parts, (weights, means, variances), strict=True):
        np.testing.assert_allclose(mine, part.answer(x, resp))
    right = exercises.total_log_likelihood.parts[0].answer(x, weights, means, variances)
    np.testing.assert_allclose(height(np.sqrt(variances)), right)
    assert before < right
    assert abs(height(variances) - right) > 1


# Other ways to be right ---------------------------------------------------------------------------------


def shares_of_logs(x, w, m, v):
    joint = np.log(w) + norm.logpdf(x[:, None], m, np.sqrt(v))
    return np.exp(joint - logsumexp(joint, axis=1)[:, None])


def shares_on_their_side(x, w, m, v):
    joint = (w / np.sqrt(v))[:, None] * np.exp(-(np.subtract.outer(m, x) ** 2) / (2 * v[:, None]))
    return (joint / joint.sum(axis=0)).T


def shares_by_einsum(x, w, m, v):
    joint = np.einsum("k,nk->nk", w, norm(m, np.sqrt(v)).pdf(x.reshape(-1, 1)))
    return joint / np.einsum("nk->n", joint).reshape(-1, 1)


@pytest.mark.parametrize("answer", [shares_of_logs, shares_on_their_side, shares_by_einsum])
@pytest.mark.parametrize("wrap", [np.asarray, np.float32, pd.DataFrame, lambda a: a.tolist(), lambda a: [*a]])
def test_ways_to_shares(answer, wrap):
    assert exercises.e_step_1d(lambda *case: wrap(answer(*case))).correct


Three = namedtuple("Three", "weights means variances")


def moments(x, r):
    first, second = r.T @ x / r.sum(axis=0), r.T @ x**2 / r.sum(axis=0)
    return r.mean(axis=0), first, second - first**2


def averages(x, r):
    means = np.average(np.broadcast_to(x[:, None], r.shape), axis=0, weights=r)
    return Three(r.mean(axis=0), means, np.average((x[:, None] - means) ** 2, axis=0, weights=r))


def sums_by_einsum(x, r):
    counts = np.einsum("nk->k", r)
    means = np.einsum("nk,n->k", r, x) / counts
    away = np.subtract.outer(x, means)
    return [counts / counts.sum(), means, np.einsum("nk,nk,nk->k", r, away, away) / counts]


@pytest.mark.parametrize("answer", [moments, averages, sums_by_einsum])
@pytest.mark.parametrize(
    "wrap", [tuple, list, np.array, lambda three: np.float32(three), iter, pd.DataFrame, lambda t: Three(*t)]
)
def test_ways_to_an_m_step(answer, wrap):
    assert exercises.m_step_1d(lambda x, r: wrap(answer(x, r))).correct


@pytest.mark.parametrize("wrap", [np.asarray, lambda a: a.tolist(), lambda a: np.asfortranarray(a)])
def test_right_answers_in_any_clothes(wrap):
    def e_step_1d(x, w, m, v):
        joint = np.log(w) + norm.logpdf(x[:, None], m, np.sqrt(v))
        return wrap(np.exp(joint - np.logaddexp.reduce(joint, axis=1, keepdims=True)))

    assert exercises.e_step_1d(e_step_1d).correct
    assert exercises.m_step_1d(lambda x, r: list(map(wrap, right_m_step(x, r)))).correct


@given(noise=st.floats(1e-6, 1e3), seed=st.integers(0, 2**16), part=st.integers(0, 2))
def test_no_wrong_answer_is_ever_called_correct_and_none_raises(noise, seed, part):
    rng = np.random.default_rng(seed)

    def off(x, r):
        answers = list(right_m_step(x, r))
        answers[part] = answers[part] + noise * (0.1 + rng.uniform(size=len(answers[part])))
        return answers

    verdict = exercises.m_step_1d(off)
    assert not verdict.correct
    assert re.search(r"\[\d\] is \S+ and should be \S+", verdict)
