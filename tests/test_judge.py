"""The engine of the exercises: what it must never do, and every exercise held to its limits."""

import itertools
import math
import re

import numpy as np
import pandas as pd
import pytest
from answers import Hostile
from scipy.sparse import csr_matrix
from scipy.stats import norm

import exercises
from exercises import Exercise, clash, comparing

WRITTEN = [thing for thing in vars(exercises).values() if isinstance(thing, Exercise)]
PARTS = [(exercise, part) for exercise in WRITTEN for part in exercise.parts]
NAMES = [f"{exercise.name}-{part.name}" for exercise, part in PARTS]
each_part = pytest.mark.parametrize(("exercise", "part"), PARTS, ids=NAMES)
each_exercise = pytest.mark.parametrize("exercise", WRITTEN, ids=lambda exercise: exercise.name)
NUMPY = r"gufunc|ufunc|core dimension|broadcast|dtype\('|ndarray|einstein|operand"


# What every exercise keeps ----------------------------------------------------------------------------


@each_part
def test_a_part_has_three_to_eight_mistakes(exercise, part):
    assert 3 <= len({mistake.diagnosis for mistake in part.mistakes}) <= 8


@each_part
@pytest.mark.filterwarnings("ignore")
def test_no_two_diagnoses_have_the_same_numbers_and_none_has_the_right_ones(exercise, part):
    answers = [("right", [part.right(case) for case in exercise.cases])]
    for mistake in part.mistakes:
        theirs = [np.asarray(mistake.answer(*case), dtype=float) for case in exercise.cases]
        answers.append((mistake.diagnosis, theirs))
    for (one, its), (other, theirs) in itertools.combinations(answers, 2):
        assert one == other or not comparing.all_same(its, theirs), (one, other)


@each_exercise
def test_the_shapes_of_its_arguments_are_what_it_says(exercise):
    if exercise.name == "n_parameters":  # two numbers, which are no arrays
        return
    for case in [*exercise.cases, *exercise.edges, *exercise.whole]:
        known = clash.sizes(exercise.shapes, case)
        for shape, argument in zip(exercise.shapes, case, strict=True):
            letters = clash.axes(shape)
            if letters:
                assert np.shape(argument) == tuple(known[letter] for letter in letters)
    for case in exercise.cases:
        sizes = list(clash.sizes(exercise.shapes, case).values())
        alike = {"partners"}  # one of its cases has three components in three dimensions
        assert len(set(sizes)) == len(sizes) or exercise.name in alike


@each_exercise
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("style", ["arrays", "lists", "float32", "pandas", "tuples"])
def test_the_reference_is_right_in_any_style(exercise, style):
    wrap = {
        "arrays": np.array,
        "lists": lambda array: array.tolist(),
        "float32": np.float32,
        "pandas": lambda array: {0: np.asarray, 1: pd.Series, 2: pd.DataFrame}[array.ndim](array),
        "tuples": lambda array: tuple(array) if array.ndim else array.item(),
    }[style]

    def answer(*case):
        answers = [wrap(part.right(case)) for part in exercise.parts]
        return answers if len(answers) > 1 else answers[0]

    verdict = exercise(answer)
    assert verdict.correct or "they come out of a loop" in verdict


@each_exercise
def test_strange_objects_are_told_something_and_stop_nothing(exercise):
    class Endless:
        def __len__(self):
            return 10**12

        def __getitem__(self, index):
            return 1.0

    class Unreadable(BaseException):
        def __str__(self):
            raise RuntimeError("no")

    def breaks(*arguments):
        raise Unreadable

    async def later(*arguments):
        return 1

    def yields(*arguments):
        yield 1

    strange = [
        Hostile(),
        Endless(),
        itertools.count(),
        range(10**12),
        np.broadcast_to(0.0, (10**6, 10**6)),
        ...,
    ]
    strange += [
        "1.0",
        b"1",
        {"a": 1},
        {1.0},
        object(),
        np.array(["1", "2"]),
        np.array([None]),
        [[1], [2, 3]],
        type,
    ]
    answers = [breaks, yields, Hostile(), Endless(), int, np.sum, lambda: 1, *map(returning, strange)]
    for answer in answers:
        assert not exercise(answer).correct
    verdict = exercise(later)
    assert not verdict.correct


def returning(value):
    return lambda *arguments: value


# What the findings saw --------------------------------------------------------------------------------


def test_four_numbers_in_an_array_are_four_numbers():
    def four(K, D):
        rest = K - 1 + K * D
        return np.array([rest + K * D * (D + 1) / 2, rest + D * (D + 1) / 2, rest + K * D, rest + K])

    assert exercises.n_parameters(four).correct
    assert exercises.n_parameters(lambda K, D: iter(four(K, D).tolist())).correct
    assert exercises.n_parameters(lambda K, D: pd.Series(four(K, D))).correct
    assert exercises.n_parameters(lambda K, D: (n for n in four(K, D))).correct


def test_one_array_is_not_taken_for_three_values():
    verdict = exercises.m_step_1d(lambda x, resp: resp.sum(axis=0))  # (3,) for three components
    assert verdict == (
        "m_step_1d: it returns one array of shape (3,); it must return 3 arrays: `return weights, means, variances`"
    )


def sums_without_a_column(x, resp):
    return (resp * x).sum(0) / resp.sum(0), 0, 0


def divides_by_a_row(X, means):
    resp = np.eye(len(means))[((X[:, None] - means) ** 2).sum(axis=2).argmin(axis=1)]
    counts = resp.sum(axis=0)
    return resp, resp.T @ X / counts


def divides_by_a_sum(X, means):
    resp = np.eye(len(means))[((X[:, None] - means) ** 2).sum(axis=2).argmin(axis=1)]
    return resp, resp.T @ X / resp.sum(axis=0)


def loses_the_column(weights, log_density):
    joint = np.log(weights) + log_density
    return joint - joint.max(axis=1)


def loses_it_by_name(weights, log_density):
    joint = np.log(weights) + log_density
    largest = np.max(joint, axis=-1)
    return joint - largest


def loses_it_on_the_left(weights, log_density):
    joint = np.log(weights) + log_density
    largest = joint.max(axis=1)
    return largest - joint.copy()


def all_in_rows(x, weights, means, variances):
    return weights * norm.pdf(x, means, np.sqrt(variances))


def points_less_means(X, means):
    return ((X - means) ** 2).sum(axis=1)


def not_transposed(Z, mean, directions, variances):
    return Z * np.sqrt(variances) @ directions + mean


def other_way_round(Z, mean, directions, variances):
    return Z @ directions.T * np.sqrt(variances) + mean


def wrong_axis(x, resp):
    return 0, resp.T @ x / resp.sum(axis=1), 0


def samples_less_points(samples, X):
    return np.sqrt(((samples - X) ** 2).sum(axis=1))


def wrong_axis_by_name(x, resp):
    counts = resp.sum(axis=1)
    return 0, resp.T @ x / counts, 0


def a_column_of_shares(X, resp):
    total = 0
    for k in range(resp.shape[1]):
        total = total + resp[:, k] * (X - X.mean(axis=0))
    return total


@pytest.mark.parametrize(
    ("exercise", "answer", "words", "never"),
    [
        ("m_step_1d", sums_without_a_column, "`x[:, None]` makes a column of it, (N, 1)", "keepdims"),
        ("lloyd_step", divides_by_a_row, "`counts[:, None]` makes a column of it, (K, 1)", "keepdims"),
        ("lloyd_step", divides_by_a_sum, "`[:, None]` behind", "keepdims"),
        ("responsibilities", loses_the_column, "`keepdims=True` keeps the column, (N, 1)", "[:, None]"),
        ("responsibilities", loses_it_by_name, "`largest[:, None]` makes a column of it, (N, 1)", "keepdims"),
        (
            "responsibilities",
            loses_it_on_the_left,
            "`largest[:, None]` makes a column of it, (N, 1)",
            "`joint[:",
        ),
        (
            "e_step_1d",
            all_in_rows,
            "x is (N,), means is (K,), variances is (K,), with N = 7, K = 3",
            "keepdims",
        ),
        ("e_step_1d", all_in_rows, "`x[:, None]` makes a column, (N, 1)", "keepdims"),
        (
            "lloyd_step",
            points_less_means,
            "X is (N, D), means is (K, D), with N = 8, K = 3, D = 2",
            "keepdims",
        ),
        ("way_back", not_transposed, "D = 2 meets P = 5", "None"),
        ("way_back", other_way_round, "something of shape (N, P) with something of shape (D,)", "None]"),
        (
            "nearest",
            samples_less_points,
            "`samples[:, None]`, (M, 1, D), takes each of the M with each",
            "keepdims",
        ),
        ("m_step_1d", wrong_axis_by_name, "counts is (N,), with N = 5, K = 3", "None]"),
        (
            "shared_covariance",
            a_column_of_shares,
            "`[:, None]` behind what has shape (N,) makes a column",
            "keepdims",
        ),
        ("m_step_1d", wrong_axis, "something of shape (K,) with something of shape (N,)", "None]"),
    ],
)
@pytest.mark.parametrize("source", ["a file", "no file"])
def test_clashes_are_told_in_letters(exercise, answer, words, never, source):
    if source == "no file":  # as in a cell whose text is lost: what was combined is told all the same
        code = answer.__code__.replace(co_filename="<nowhere>")
        answer = type(answer)(code, answer.__globals__)
    verdict = getattr(exercises, exercise)(answer)
    assert words in verdict
    assert never not in verdict
    assert not re.search(NUMPY, verdict)


def test_upside_down_is_not_told_of_something_else():
    verdict = exercises.gap(lambda q, resp: (q * np.log(resp / np.maximum(q, 1e-300))).sum(axis=1))
    assert "the sign is turned: the logarithm is of q / resp" in verdict
    verdict = exercises.should_stop(lambda h, n, tol: bool(len(h) > 2 and h[-1] - h[-2] < tol / n))
    assert "divided" not in verdict


def test_always_false_is_told_so():
    assert exercises.should_stop(lambda *_: False) == "should_stop: it answers False every time"
    assert exercises.should_stop(lambda *_: True) == "should_stop: it answers True every time"


def test_zeros_that_nobody_stored_are_not_asked_about():
    stored = exercises.points_held(lambda resp: (np.zeros(resp.shape[1]), 0, 0))
    worked_out = exercises.points_held(lambda resp: (0 * resp.sum(axis=0), 0, 0))
    assert "is anything stored in it?" in stored
    assert "is anything stored in it?" not in worked_out
    assert "soft[1] is 0 and should be" in worked_out


def test_a_logarithm_of_a_logarithm_is_not_told_of_a_variance():
    verdict = exercises.responsibilities(lambda weights, log_density: np.log(log_density))
    assert verdict.startswith(
        "responsibilities: it holds nan or infinite values: resp[0, 0] is nan and should be"
    )
    assert "variance" not in verdict


def test_two_numbers_that_look_the_same_are_told_apart():
    def nearly(x, weights, means, variances):
        return shares(x, weights, means, variances) * (1 + 1e-7)

    verdict = exercises.e_step_1d(nearly)
    given, wanted = re.search(r"is (\S+) and should be (\S+)\)", verdict).groups()
    assert given != wanted
    assert "right to 7 digits and no further" in verdict


def shares(x, weights, means, variances):
    joint = weights * norm.pdf(x[:, None], means, np.sqrt(variances))
    return joint / joint.sum(axis=1, keepdims=True)


def test_float32_is_right_and_float16_is_told_how_far():
    assert exercises.e_step_1d(lambda *case: shares(*case).astype(np.float32)).correct
    assert "digits and no further" in exercises.e_step_1d(lambda *case: shares(*case).astype(np.float16))


def test_arguments_without_names_are_not_listed():
    """Small arguments are listed by name, large ones by their sizes; never forty rows."""
    assert "for observed = 4.5, simulated = [" in exercises.p_value(lambda observed, simulated: 0.31)
    verdict = exercises.e_step_1d(lambda *case: shares(*case) ** 2)
    assert len(verdict) < 300


def test_what_is_no_array_of_numbers_is_described():
    def said(value):
        return exercises.e_step_1d(lambda x, w, m, v: value)

    assert "it returns an array of text; it must return one array of numbers, resp" in said(
        np.array(["1", "2"])
    )
    assert "it has shape (10000, 10000); it must have shape (N, K) = (7, 3)" in said(np.zeros((10**4, 10**4)))
    assert "it returns a list of 2 whose rows differ in length" in said([[1.0], [2.0, 3.0]])
    assert "it returns a dict; it must return" in said({})
    assert "it returns a generator (of `yield`, or of round brackets with `for`); it must" in said(
        n for n in [1]
    )
    assert "it returns complex numbers" in said(1j)
    assert "it returns None" not in said(None)


def test_a_while_loop_is_a_loop():
    def answer(x, w, m, v):
        rows, n = [], 0
        while n < len(x):
            rows.append(shares(x[n : n + 1], w, m, v)[0])
            n += 1
        return rows

    assert "they come out of a loop" in exercises.e_step_1d(answer)


def test_a_tuple_of_two_is_no_array_with_an_axis_more():
    twice = exercises.e_step_1d(lambda *case: (shares(*case), shares(*case)))
    assert "it returns a tuple of 2; it must return one array of numbers, resp" in twice
    uneven = exercises.e_step_1d(lambda *case: (shares(*case), case[0]))
    assert "it returns a tuple of 2; it must return one array of numbers, resp" in uneven
    assert exercises.e_step_1d(lambda *case: tuple(shares(*case))).correct  # a tuple of rows


def test_a_sparse_table_is_a_table():
    resp, means = (part.answer for part in exercises.lloyd_step.parts)
    assert exercises.lloyd_step(lambda *case: (csr_matrix(resp(*case)), means(*case))).correct


def test_infinity_where_it_is_right_is_not_named_as_wrong():
    answer, right = np.array([np.inf, 3.0, -np.inf]), np.array([np.inf, 2.0, -np.inf])
    assert comparing.one_number("left", answer, right) == "left[1] is 3 and should be 2"


def test_one_number_in_an_array_is_one_number():
    right = exercises.clean_score.parts[0].answer
    assert exercises.clean_score(lambda *case: np.array([right(*case)])).correct


def test_what_is_right_for_the_first_sizes_is_told_for_which():
    def for_three(x, resp):
        weights, means, variances = (part.answer(x, resp) for part in exercises.m_step_1d.parts)
        return (weights, np.resize(means, 3), variances)

    verdict = exercises.m_step_1d(for_three)
    assert (
        "means wrong: right where N = 5, K = 3; but it has shape (3,); it must have shape (K,) = (2,)"
        in verdict
    )
    fails = exercises.m_step_1d(lambda x, resp: (resp[:, 2], for_three(x, resp))[1])
    assert "right where N = 5, K = 3; but it asks for number 2 of K = 2" in fails


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda right: 7 / 6 * right, "every number is 1.16667 times what it should be; covariance["),
        (np.trunc, "the fractions are cut off: these are whole numbers (integers)"),
        (np.round, "rounded to whole numbers; do not round"),
        (lambda right: right.round(1), "rounded to 1 decimal; do not round"),
        (lambda right: right[None, None], "(1, 1, D, D) = (1, 1, 2, 2), 2 axes too many"),
    ],
)
def test_what_was_done_to_right_numbers_is_told(change, words):
    right = exercises.shared_covariance.parts[0].answer
    assert words in exercises.shared_covariance(lambda *case: change(right(*case)))


def test_a_part_in_the_place_of_another_is_told_so():
    weights, means, variances = (part.answer for part in exercises.m_step_1d.parts)
    verdict = exercises.m_step_1d(lambda *case: (means(*case), np.sqrt(variances(*case)), weights(*case)))
    assert "weights wrong: here stands means: return weights, means, variances, in this order" in verdict


@pytest.mark.parametrize(
    ("name", "usual"),
    [
        ("e_step_1d", {"K": 3}),
        ("m_step_1d", {"K": 3}),
        ("mahalanobis", {"D": 2}),
        ("shared_covariance", {"K": 3, "D": 2}),
        ("responsibilities", {"K": 3}),
        ("lloyd_step", {"K": 4, "D": 2}),
        ("points_held", {"K": 4}),
    ],
)
def test_a_size_of_the_lesson_written_into_an_answer_is_not_named_as_another(name, usual):
    """In every case but those that come too late, no other letter has the size that the lesson's own data have."""
    exercise = getattr(exercises, name)
    known = [clash.sizes(exercise.shapes, case) for case in exercise.cases]
    for letter, size in usual.items():
        different = next(n for n, sizes in enumerate(known) if sizes[letter] != size)
        assert size not in known[different].values()


# What the cases try -----------------------------------------------------------------------------------


def test_whole_numbers_that_lose_their_fractions():
    def truncated(x, resp):
        counts = resp.sum(axis=0)
        centred = np.zeros_like(x)
        means = resp.T @ x / counts
        centred = np.zeros((len(x), len(means)), dtype=x.dtype)
        centred[:] = (x[:, None] - means) ** 2
        return counts / len(x), means, (resp * centred).sum(axis=0) / counts

    verdict = exercises.m_step_1d(truncated)
    assert "right on ordinary arrays, but not where x holds whole numbers (integers): variances: " in verdict


def test_sizes_of_one():
    def squeezed(x, weights, means, variances):
        return np.squeeze(shares(x, weights, means, variances))

    def cut(x, weights, means, variances):
        table = shares(x, weights, means, variances)
        return table if len(means) > 1 else 0 * table

    assert exercises.e_step_1d(squeezed).correct  # an axis of length 1 is not what the exercise is about
    assert "right on ordinary arrays, but not where K = 1: each row must sum to 1" in exercises.e_step_1d(cut)


def test_names_of_the_notebook_are_told_only_if_they_are_read():
    def scope(text):
        inside = {"np": np, "norm": norm, "means": np.array([1.0, 2.0, 3.0]), "shares": shares}
        exec(text, inside)
        return inside["e_step_1d"]

    reads = scope("def e_step_1d(x, w, m, v):\n    return w * norm.pdf(x[:, None], means[:len(m)], v)")
    other = scope(
        "def e_step_1d(x, w, m, v):\n    means = 2 * m\n    if len(x) > 99:\n        return globals()['means']\n"
        "    return shares(x, w, means, v)"
    )
    asleep = scope("def e_step_1d(x, w, m, v):\n    return shares(x, w, 2 * m, v) if len(x) < 99 else means")
    assert "it reads means from the notebook, not from its own arguments" in exercises.e_step_1d(reads)
    assert "from the notebook" not in exercises.e_step_1d(other)
    assert "from the notebook" not in exercises.e_step_1d(asleep)


def test_arguments_in_another_order_are_judged_by_their_names():
    def right(variances, means, weights, x):
        return shares(x, weights, means, variances)

    def wrong(variances, means, weights, x):
        return weights * norm.pdf(x[:, None], means, np.sqrt(variances))

    order = "e_step_1d: The arguments come as x, weights, means, variances, in this order"
    assert exercises.e_step_1d(right) == order
    assert exercises.e_step_1d(wrong).startswith(f"{order}; and then this is weight times density")


def test_arguments_with_odd_names_in_the_right_order_are_right():
    def odd(x, weights, variances, means):
        return shares(x, weights, variances, means)

    assert exercises.e_step_1d(odd).correct


def test_an_exception_for_later_cases_is_no_stub():
    def for_three(x, weights, means, variances):
        if len(means) != 3:
            raise NotImplementedError
        return shares(x, weights, means, variances)

    assert "it raised NotImplementedError" in exercises.e_step_1d(for_three)


def stub_in_another_order(variances, means, weights, x):
    raise NotImplementedError


def test_a_stub_is_not_attempted_in_any_order():
    assert exercises.e_step_1d(stub_in_another_order) == "e_step_1d: not attempted yet"


def complain(words):
    raise ValueError(words)


def store(x, m):
    x[:] = m


def used_too_early(x, w, m, v):
    for mean in m:
        total += x - mean  # noqa: F821
    return total


def two_of_three(x, w, m, v):
    one, two = m
    return one + two


def calls_itself(x, w, m, v):
    return calls_itself(x, w, m, v)


def by_name_only(*, x, weights, means, variances):
    return x


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (
            lambda x, w, m, v: math.sqrt(v),
            "something that takes one number (of `math`, or `float`) got a whole array",
        ),
        (lambda x, w, m, v: x if x > 0 else 0, "something that decides on one number only"),
        (lambda x, w, m, v: m[3], "it asks for number 3 of K = 3 (they are counted from 0)"),
        (lambda x, w, m, v: x.sum(axis=1), "axis 1 was asked for, of something with 1 axis"),
        (lambda x, w, m, v: x[0, 0], "2 indices were given to something with 1 axis"),
        (lambda x, w, m, v: max(x[:, None] - m), "Python's own max, min, sorted) met a whole array"),
        (
            lambda x, w, m, v: np.einsum("nk,k->n", x, m),
            "np.einsum wants one letter for each axis of an array",
        ),
        (lambda x, w, m, v: np.einsum("n,k->n", x), "np.einsum wants one group of letters for each array"),
        (
            lambda x, w, m, v: np.eye(x.astype(int)),
            "one whole number was needed, and there was a whole array",
        ),
        (
            lambda x, w, m, v: np.bincount(x + 9),
            "whole numbers (integers) were needed, and there were fractions",
        ),
        (lambda x, w, m, v: x @ m.transpose, "it is a single number, or a function without its brackets"),
        (lambda x, w, m, v: x / x.sum, "a function stands without its round brackets, at"),
        (lambda x, w, m, v: m.T(), "round brackets behind an array (`.T` and `.shape` have none)"),
        (lambda x, w, m, v: m.inv(), "an array has no `.inv`"),
        (lambda x, w, m, v: x.sum()[0], "several numbers were wanted, and there was a single one"),
        (lambda x, w, m, v: {x: m}, "a whole array was used as a key"),
        (lambda x, w, m, v: x**2 ^ 1, "`^` is no power in Python; write `**`"),
        (lambda x, w, m, v: x * "w", "a calculation met something that is no number"),
        (lambda x, w, m, v: [].append(x).append(m), "`.append` was asked of None"),
        (used_too_early, "`total` is used before anything is stored in it"),
        (two_of_three, "there are not as many values as names on the left of `=`"),
        (calls_itself, "it calls itself, again and again without an end, at `calls_itself("),
        (
            lambda x, w, m: x,
            "it is called with 4 arguments, x, weights, means, variances; yours takes x, w, m",
        ),
        (by_name_only, "yours takes x, weights, means, variances (by name)"),
        (lambda x, w, m, v: complain("It is not fitted."), "it raised ValueError: It is not fitted, at"),
        (lambda x, w, m, v: np.linalg.inv(x[:, None] - m), "a square matrix was needed"),
        (lambda x, w, m, v: 1 / 0, "it raised ZeroDivisionError: division by zero"),
        (lambda x, w, m, v: complain("no\n" + str(x)), "it raised ValueError: no, at"),
        (lambda x, w, m, v: complain("n" * 999), f"it raised ValueError: {'n' * 200} ..., at"),
        (lambda x, w, m, v: x[m > 0], "a mask of K = 3 values was laid over an axis of N = 7"),
        (lambda x, w, m, v: x[m], "an array used as an index must hold whole numbers, or True and False"),
        (lambda x, w, m, v: store(x, m), "you stored something of shape (K,) in a place of shape (N,)"),
        (lambda x, w, m, v: np.dot(x, m), "N = 7 meets K = 3"),
        (lambda x, w, m, v: np.array([x, m]), "rows that differ in length"),
        (lambda x, w, m, v: np.arange(3) ** -1, "a whole number (integer) was raised to a negative power"),
    ],
)
def test_exceptions_are_told_without_numpys_language(answer, words):
    verdict = exercises.e_step_1d(answer)
    assert words in verdict
    assert not re.search(NUMPY, verdict)


# Predictions ------------------------------------------------------------------------------------------

PREDICTIONS = [
    exercises.which_line_fell,
    exercises.border_at_zero,
    exercises.next_to_change,
    exercises.k_means_is_right,
    exercises.how_many_parameters,
    exercises.first_above,
    exercises.leaks,
    exercises.collapses,
    exercises.linkage_rate,
]


@pytest.mark.parametrize("check", PREDICTIONS, ids=lambda check: check.__name__)
def test_no_prediction_stops_a_check(check):
    name = check.__name__
    assert check(None) == f"{name}: not attempted yet"
    strange = [
        Hostile(),
        object(),
        itertools.count(),
        range(10**12),
        np.nan,
        np.inf,
        1j,
        [None],
        "",
        b"4",
        True,
        ...,
    ]
    strange += [np.array([[4.0]]), {"a": 1}, 10**400, lambda: 4, np.bool_(True), "4" * 10**6]
    for prediction in strange:
        assert not check(prediction).correct
