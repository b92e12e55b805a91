"""The exercises of lesson 3, each proven right and wrong in many ways."""

import numpy as np
import pandas as pd
import pytest
from answers import Hostile, check_every_diagnosis
from scipy.optimize import brentq
from scipy.spatial.distance import cdist
from scipy.stats import norm
from sklearn.cluster import KMeans

import exercises
from emlib import datasets
from exercises import Exercise, lesson_03

WRITTEN = [thing for thing in vars(lesson_03).values() if isinstance(thing, Exercise)]

# Programs that people write, each with the words that must answer it. Together they meet every diagnosis. ----

LLOYD = {  # what stands in the place of one of the two, with d2, labels and r worked out rightly before
    ("resp", "labels"): "make a table of them",
    ("resp", "np.eye(len(m))[d2.argmax(axis=1)]"): "the farthest mean: argmin, not argmax",
    (
        "resp",
        "np.stack([np.arange(len(X)) == n for n in d2.argmin(axis=0)], axis=1)",
    ): "each mean took one point",
    ("resp", "soft"): "these are soft shares",
    ("resp", "np.eye(len(m))[np.abs(X[:, None] - m).sum(axis=-1).argmin(1)]"): "as on a street map",
    ("resp", "d2"): "these are the squared distances; now put a 1",
    ("resp", "r.T"): "lying on its side",
    ("resp", "np.ones_like(d2)"): "each row must hold a single 1, and row 0 holds",
    ("resp", "np.full_like(d2, 0.25)"): "zeros and ones",
    ("resp", "np.eye(len(m))[0 * labels]"): "not every one to the nearest",
    ("resp", "0 * d2"): "each row must hold a single 1",
    ("means", "m"): "resp right; means wrong: these are the old means",
    ("means", "r.T @ X"): "these are the sums of each cluster's points",
    ("means", "r.T @ X / len(X)"): "divided by N, all the points",
    ("means", "r.T @ X / len(m)"): "divided by the number of clusters",
    ("means", "soft.T @ X / soft.sum(axis=0)[:, None]"): "count the points by soft shares",
    ("means", "np.tile(X.mean(axis=0), (len(m), 1))"): "the mean of all points, for every cluster",
    ("means", "[X[labels == k].mean() for k in range(len(m))]"): "it must have shape (K, D) = (3, 2)",
    ("means", "new.T"): "lying on its side",
    ("means", "new + 100"): "a mean of points lies among them",
    ("means", "new.round(4)"): "rounded to 4 decimals; do not round",
    ("resp", "two"): "this belongs to two steps",
    ("resp", "end"): "this is where k-means ends, after all its steps",
    ("means", "new2"): "these are the means after two steps: one step only",
    ("means", "last"): "means wrong: this is where k-means ends: one step only",
    ("means", "new / 0"): "nan or infinite",
}

HELD = {
    ("soft", "r.sum(axis=1)"): "soft wrong: each point sums to 1",
    ("soft", "r.mean(axis=0)"): "the counts are sums, not means",
    ("soft", "n"): "these are the hard counts",
    ("soft", "np.array([r[best == k, k].sum() for k in range(len(n))])"): "only each point's largest share",
    ("soft", "np.einsum('nk,nk->k', r, r)"): "the shares were squared",
    ("soft", "2 * r.sum(axis=0)"): "none is doubled",
    (
        "hard",
        "np.bincount(best)",
    ): "soft right; hard wrong: a component that is nobody's likeliest was left out",
    ("hard", "np.unique(best, return_counts=True)[1]"): "nobody's likeliest was left out",
    ("hard", "np.round(r.sum(axis=0))"): "these are the soft counts, rounded",
    ("hard", "np.count_nonzero(r > 0.5, axis=0)"): "need not have half of it",
    ("hard", "n / n.sum()"): "these are shares of the points",
    ("hard", "best"): "count how often each comes up",
    ("hard", "r.argmax(axis=0)"): "the point that each component likes best",
    ("hard", "r.sum(axis=0)"): "the soft counts once more",
    ("hard", "n[::-1]"): "hard[",
    ("hard", "np.sort(n)[::-1]"): "right where N = 5, K = 3; but hard[0] is 3 and should be 2",
    ("soft", "r.max(axis=1)[:0]"): "it must have shape (K,) = (3,)",
    ("certainty", "best"): "argmax says which share is the largest",
    ("certainty", "r.max(axis=0)"): "the largest share within each component",
    ("certainty", "1 - r.max(axis=1)"): "this is the doubt",
    ("certainty", "np.ptp(np.partition(r, -2, axis=1)[:, -2:], axis=1)"): "the lead over the second",
    ("certainty", "np.square(r.max(axis=1))"): "the square is for drawing",
    ("certainty", "np.linalg.norm(r, axis=1) ** 2"): "the sum of the squared shares",
    ("certainty", "1 + r.max(axis=1)"): "lies between 1/3 and 1",
}


def lloyd(**parts):
    expressions = {"resp": "r", "means": "new"} | parts
    source = """
def lloyd_step(X, m):
    d2 = np.sum((X[:, None, :] - m[None]) ** 2, axis=-1)
    labels = np.argmin(d2, axis=1)
    r = (labels[:, None] == np.arange(len(m))).astype(float)
    soft = np.exp(-d2 / 2)
    soft /= soft.sum(axis=1, keepdims=True)
    new = np.einsum('nk,nd->kd', r, X) / r.sum(axis=0)[:, None]
    def table(centres):
        return 1 * (np.argmin(cdist(X, centres), axis=1)[:, None] == np.arange(len(m)))
    two = table(new)
    new2 = two.T @ X / two.sum(axis=0)[:, None]
    km = KMeans(len(m), init=m, n_init=1).fit(X)
    end, last = table(km.cluster_centers_), km.cluster_centers_
    return """
    scope = {"np": np, "cdist": cdist, "KMeans": KMeans}
    exec(source + ", ".join(expressions.values()), scope)
    return scope["lloyd_step"]


def held(**parts):
    expressions = {"soft": "r.T @ np.ones(len(r))", "hard": "n", "certainty": "np.sort(r)[:, -1]"} | parts
    source = """
def points_held(r):
    best = r.argmax(axis=1)
    n = (best[:, None] == np.arange(r.shape[1])).sum(axis=0)
    return """
    scope = {"np": np}
    exec(source + ", ".join(expressions.values()), scope)
    return scope["points_held"]


@pytest.mark.parametrize(("part", "expression", "words"), [(*key, words) for key, words in LLOYD.items()])
def test_wrong_lloyd_steps_are_answered(part, expression, words):
    verdict = exercises.lloyd_step(lloyd(**{part: expression}))
    assert not verdict.correct
    assert words in verdict


@pytest.mark.parametrize(("part", "expression", "words"), [(*key, words) for key, words in HELD.items()])
def test_wrong_counts_are_answered(part, expression, words):
    verdict = exercises.points_held(held(**{part: expression}))
    assert not verdict.correct
    assert words in verdict


@pytest.mark.parametrize("exercise", WRITTEN, ids=lambda exercise: exercise.name)
def test_every_diagnosis_is_met_by_a_program(exercise):
    met = {
        "lloyd_step": [lloyd(**{part: expression}) for part, expression in LLOYD],
        "points_held": [held(**{part: expression}) for part, expression in HELD],
    }
    check_every_diagnosis(exercise, met[exercise.name])


def test_the_right_programs_are_right():
    assert exercises.lloyd_step(lloyd()).startswith("correct: k-means is an E-step whose shares are 0 or 1")
    assert exercises.points_held(held()).startswith("correct: a soft count adds up shares")


def test_a_reference_step_is_one_of_scikit_learns():
    for X, means in exercises.lloyd_step.cases:
        theirs = KMeans(len(means), init=means, n_init=1, max_iter=1, tol=0).fit(X)
        np.testing.assert_allclose(exercises.lloyd_step.parts[1].answer(X, means), theirs.cluster_centers_)


def with_a_loop(X, means):
    resp = np.zeros((len(X), len(means)))
    for n in range(len(X)):
        resp[n, ((X[n] - means) ** 2).sum(axis=1).argmin()] = 1
    return resp, resp.T @ X / resp.sum(axis=0)[:, None]


@pytest.mark.parametrize(
    ("program", "words"),
    [
        (lambda X, means: lloyd()(X, means)[::-1], "the right numbers in another order: return resp, means"),
        (lambda X, means: lloyd()(X, means)[0], "it must return 2 arrays: `return resp, means`"),
        (lambda means, X: lloyd()(X, means), "The arguments come as X, means, in this order"),
        (lambda X: X, "it is called with 2 arguments, X, means; yours takes X"),
        (None, "this is None"),
    ],
)
def test_other_ways_to_go_wrong_in_lloyds_step(program, words):
    verdict = exercises.lloyd_step(program)
    assert not verdict.correct
    assert words in verdict


# The prediction ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("prediction", "words"),
    [
        (None, "not attempted yet"),
        ([], "there are some"),
        ("ABCDEF", "not everywhere"),
        ("BDF", "the ones where it fails"),
        (["A"], "an assumption matters only at the border"),
        (["C", "E"], "but so is A"),
        ("ABC", "equal numbers of points are not enough"),
        ("ABCF", "equal numbers of points are not enough"),
        ("ADE", "round is not enough: in D"),
        ("ADEF", "round is not enough: in D"),
        ("AF", "round and equal in number is not enough"),
        ("BC", "it cuts the long clusters across"),
        ("ABCE", "not B: long clusters side by side"),
        ("ACDE", "not D: the crowd is cut in two"),
        ("ACEF", "not F: the border lies half-way"),
        ("AC", "but E is too"),
        ("AE", "but C is too"),
        (["G"], "there is no case G"),
        ("ACX", "there is no case X"),
        ("all", "give the letters"),
        ("none", "give the letters"),
        ("A or C", "give the letters"),
        ("not A, C, E", "give the letters"),
        ({"A": True, "B": False, "C": True}, "give the letters"),
        ([1, 2], "give the letters"),
        (3.5, "give the letters"),
        (Hostile(), "give the letters"),
        (np.array([1.0]), "give the letters"),
    ],
)
def test_predictions_people_make(prediction, words):
    verdict = exercises.k_means_is_right(prediction)
    assert not verdict.correct
    assert words in verdict


@pytest.mark.parametrize(
    "prediction",
    [
        "ACE",
        ["A", "C", "E"],
        {"c", "a", "e"},
        ("A", "CE"),
        "a, c, e",
        np.array(list("ACE")),
        "A, C and E",
        "cases A, C, E",
    ],
)
def test_the_right_prediction_in_any_clothes(prediction):
    assert exercises.k_means_is_right(prediction).correct


def test_what_the_answers_say_of_the_cases_is_so():
    """k-means fails by finding less inertia than the truth has, and only there."""
    for letter, case in datasets.six_cases().items():
        K = case.labels.max() + 1
        found = KMeans(K, n_init=10, random_state=0).fit(case.X)
        groups = [case.X[case.labels == k] for k in range(K)]
        truth = sum(((group - group.mean(axis=0)) ** 2).sum() for group in groups)
        if letter in "ACE":
            np.testing.assert_allclose(found.inertia_, truth)
        else:
            assert found.inertia_ < 0.95 * truth


# The border as the variance goes to 0 -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("my_number", "words"),
    [
        (None, "not attempted yet"),
        (9, "as the weights do"),
        (10, "10 is one of the means"),
        (0, "0 is one of the means"),
        (5.1, "it goes on falling; look at the distances from 5: 3.52, 0.88, 0.22"),
        (5.05, "it goes on falling"),
        (5.2, "it goes on falling"),
        (5.006, "it goes on falling"),
        (4.9, "the border cannot cross 5"),
        (1, "the border cannot cross 5"),
        (-np.inf, "the border cannot cross 5"),
        (5.3, "at variance 1 it is at 5.22 already"),
        (8.52, "at variance 1 it is at 5.22 already"),
        (1e9, "at variance 1 it is at 5.22 already"),
        (np.nan, "the means are at 0 and 10"),
        ("the middle", "give one number"),
        ([4.9, 5.1], "give one number"),
        ("5.88", "at variance 1 it is at 5.22 already"),
        (True, "give one number"),
        (1j, "give one number"),
        (Hostile(), "give one number"),
    ],
)
def test_borders_people_predict(my_number, words):
    verdict = exercises.border_at_zero(my_number)
    assert not verdict.correct
    assert words in verdict


@pytest.mark.parametrize("my_number", [5, 5.0, 5.004, np.int64(5), np.array(5), np.float32(5)])
def test_the_right_border(my_number):
    assert exercises.border_at_zero(my_number).startswith("correct: half-way between the means")


def test_what_the_answers_say_of_the_border_is_so():
    def border(variance):
        def lead(x):
            heavy, light = np.log([0.9, 0.1]) + norm.logpdf(x, [0, 10], np.sqrt(variance))
            return heavy - light

        return brentq(lead, -50, 50)

    borders = np.array([border(variance) for variance in (16, 4, 1)])
    np.testing.assert_allclose(borders, [8.52, 5.88, 5.22], atol=0.005)
    np.testing.assert_allclose((borders - 5)[:-1] / 4, (borders - 5)[1:])
    assert abs(border(1e-4) - 5) < 0.001


# Other ways to be right ---------------------------------------------------------------------------------


def by_expansion(X, means):
    squares = (X**2).sum(axis=1)[:, None] - 2 * X @ means.T + (means**2).sum(axis=1)
    own = squares.argmin(axis=1)[:, None] == np.arange(len(means))  # a mask
    return own, own.T @ X / own.sum(axis=0).reshape(-1, 1)


def by_distances(X, means):
    own = np.eye(len(means), dtype=int)[cdist(X, means).argmin(axis=1)]
    return [own.tolist(), (np.einsum("nk,nd->kd", own, X) / np.einsum("nk->k", own)[:, None]).tolist()]


def by_table(X, means):
    own = pd.get_dummies(cdist(X, means, "sqeuclidean").argmin(axis=1))
    return own, np.float32(np.asarray(own).T @ X / np.asarray(own).sum(axis=0)[:, None])


@pytest.mark.parametrize("answer", [by_expansion, by_distances, by_table, with_a_loop])
def test_ways_to_a_step_of_lloyd(answer):
    assert exercises.lloyd_step(answer).correct


def counted_one_by_one(resp):
    K = resp.shape[1]
    best = [max(range(K), key=lambda k: row[k]) for row in resp]
    return sum(resp), [best.count(k) for k in range(K)], [max(row) for row in resp]


def counted_as_series(resp):
    best = pd.Series(resp.argmax(axis=1)).value_counts().reindex(range(resp.shape[1]), fill_value=0)
    return pd.DataFrame(resp).sum(), best, pd.DataFrame(resp).max(axis=1)


def counted_in_tables(resp):
    hard = np.eye(resp.shape[1], dtype=np.float32)[resp.argmax(axis=1)]
    return np.ones(len(resp)) @ resp, hard.sum(axis=0), np.linalg.norm(resp, ord=np.inf, axis=1)


@pytest.mark.parametrize("answer", [counted_one_by_one, counted_as_series, counted_in_tables])
def test_ways_to_count(answer):
    assert exercises.points_held(answer).correct


def test_two_steps_and_all_of_them_are_told_apart():
    def steps(X, means, n):
        for _ in range(n):
            resp, means = lloyd()(X, means)
        return resp, means

    said = [exercises.lloyd_step(lambda X, means, n=n: steps(X, means, n)) for n in (1, 2, 9)]
    assert said[0].correct
    assert "this belongs to two steps" in said[1]
    assert "this is where k-means ends, after all its steps" in said[2]
