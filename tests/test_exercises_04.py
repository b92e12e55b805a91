"""The exercises of lesson 4, each proven right and wrong in many ways."""

import numpy as np
import pytest
from answers import check_every_diagnosis
from scipy.stats import multivariate_normal
from sklearn.decomposition import PCA

import exercises
from emlib import GaussianMixture
from exercises import Exercise, lesson_04

WRITTEN = [thing for thing in vars(lesson_04).values() if isinstance(thing, Exercise)]

# Programs that people write, each with the words that must answer it. Together they meet every diagnosis. ----

BACK = {  # with s the standard deviations and Y = Z * s turned back
    "Y": "the mean is missing",
    "Z / s @ U.T + mean": "divided by the standard deviations",
    "Z * variances @ U.T + mean": "multiplied by the variances",
    "Z @ U.T + mean": "the columns of Z still have variance 1",
    "Y - mean": "the mean was subtracted",
    "Z @ U.T": "two things",
    # Not on the list:
    "Z * s @ U + mean": "in a matrix product the last axis of the left factor must be as long as the first of "
    "the right one, and D = 2 meets P = 5, at line 5: Z is (N, D), s is (D,), U is (P, D), with N = 4, D = 2, P = 5",
    "Z @ U.T * s + mean": "you combined something of shape (N, P) with something of shape (D,)",
    "(Y + mean).T": "the table is lying on its side; it must have one row for each picture, one column for each pixel",
    "Y + mean.mean()": "X[",
    "Z / variances @ U.T + mean": "less the mean, each row is a sum of directions, as it must be; but how far",
    "Z / s @ U.T": "each row is a sum of directions, and no mean, (P,), is added to it",
    "(Y + mean) / 16": "every number is 0.0625 times what it should be",
    "Y / 0": "it holds nan or infinite values: X[",
}

SCORES = {  # with P(rows) a PCA fitted to rows, and G(Z, W) the scores of W under a Gaussian fitted to Z
    "one(P(X), train, test)": "the principal components were found on all rows",
    "one(P(X[train]), np.arange(len(X)), test)": "the Gaussian was fitted to all rows",
    "one(P(X), np.arange(len(X)), test)": "PCA and Gaussian have both seen the test rows",
    "one(P(X[train]), train, train)": "the score of the training rows",
    "one(P(X[train]), train, test) * len(test)": "this is the total",
    "one(P(X[train]), train, test, reg_covar=1e-6)": "give reg_covar=0",
    "one(PCA(0.9).fit(X[train]), train, test)": "not told to whiten",
    "G(P(X[train]).transform(X[train]), P(X[test]).transform(X[test])).mean()": "principal components of their own",
    "-one(P(X[train]), train, test)": "score is",
    "one(P(X[train]), train, test) + 0.5": "score is",
    "G(P(X[train]).transform(X[train]), P(X[train]).transform(X[test]))": "it has shape",
}


def written(source, name, **scope):
    scope |= {"np": np, "PCA": PCA, "GaussianMixture": GaussianMixture}
    exec(source, scope)
    return scope[name]


def way_back(expression="Y + mean"):
    return written(
        f"""
def way_back(Z, mean, directions, variances):
    U, s = directions, variances ** 0.5
    Y = np.einsum("nd,d,pd->np", Z, s, U)
    return {expression}
""",
        "way_back",
    )


def gaussian_scores(Z, W, reg_covar=0.0):
    covariance = np.cov(Z.T, bias=True) + reg_covar * np.eye(Z.shape[1])
    return multivariate_normal(Z.mean(axis=0), covariance).logpdf(W)


def score_program(expression="one(P(X[train]), train, test)"):
    return written(
        f"""
def clean_score(X, train, test):
    def P(rows):
        return PCA(0.9, whiten=True).fit(rows)
    def one(pca, learn, score, **settings):
        return G(pca.transform(X[learn]), pca.transform(X[score]), **settings).mean()
    return {expression}
""",
        "clean_score",
        G=gaussian_scores,
    )


CASES = [
    *((exercises.way_back, way_back(e), words) for e, words in BACK.items()),
    *((exercises.clean_score, score_program(e), words) for e, words in SCORES.items()),
]


@pytest.mark.parametrize(("check", "program", "words"), CASES, ids=[words for *_, words in CASES])
@pytest.mark.filterwarnings("ignore")
def test_wrong_answers_are_answered(check, program, words):
    verdict = check(program)
    assert not verdict.correct
    assert words in verdict


@pytest.mark.parametrize("exercise", WRITTEN, ids=lambda exercise: exercise.name)
@pytest.mark.filterwarnings("ignore")
def test_every_diagnosis_is_met_by_a_program(exercise):
    programs = [program for check, program, _ in CASES if check is exercise]
    check_every_diagnosis(exercise, programs)


def test_the_right_programs_are_right():
    assert exercises.way_back(way_back()).startswith("correct: stretched, turned and moved")
    assert exercises.clean_score(score_program()).startswith("correct: all that learns")


def loops(Z, mean, directions, variances):
    pictures = []
    for z in Z:
        picture = mean.copy()
        for d in range(len(variances)):
            picture = picture + z[d] * np.sqrt(variances[d]) * directions[:, d]
        pictures.append(picture)
    return pictures


@pytest.mark.parametrize(
    "answer",
    [
        loops,
        lambda Z, mean, directions, variances: mean + Z @ (directions * np.sqrt(variances)).T,
        lambda Z, mean, directions, variances: (directions @ (Z * variances**0.5).T + mean[:, None]).T,
        lambda Z, mean, directions, variances: np.float32(Z @ np.diag(variances**0.5) @ directions.T + mean),
        lambda Z, mean, directions, variances: way_back()(Z, mean, directions, variances).tolist(),
    ],
)
def test_ways_back(answer):
    assert exercises.way_back(answer).correct


def test_the_way_back_is_scikit_learns():
    X = np.random.default_rng(0).normal(size=(30, 5)) * [5, 4, 3, 2, 1] + 7
    pca = PCA(3, whiten=True).fit(X)
    Z = pca.transform(X)
    there = exercises.way_back.parts[0].answer(Z, pca.mean_, pca.components_.T, pca.explained_variance_)
    np.testing.assert_allclose(there, pca.inverse_transform(Z))


def test_scikit_learn_and_emlib_are_right():
    def clean_score(X, train, test):
        pca = PCA(0.9, whiten=True).fit(X[train])
        model = GaussianMixture(1, reg_covar=0).fit(pca.transform(X[train]))
        return model.score(pca.transform(X[test]))

    assert exercises.clean_score(clean_score).correct


# Predictions ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("prediction", "words"),
    [
        (None, "not attempted yet"),
        (99330, "the weights sum to one"),
        (110 * 41 + 110 * 861, "the weights are missing"),
        (109 + 110 * 861, "the means are missing, or the diagonals"),
        (110 * 861, "the covariances alone"),
        (109 + 110 * 41 + 110 * 41**2, "symmetric"),
        (109 + 110 * 41 + 110 * 820, "or the diagonals"),
        (109 + 2 * 110 * 41, "diagonal covariances"),
        (109 + 110 * 41 + 861, "one covariance that all share"),
        (109 + 110 * 41 + 110, "spherical"),
        (902, "for one component"),
        (109 + 110 * 64 + 110 * 2080, "64 pixels"),
        (73677, "the numbers in the data"),
        (12, "more than that"),
        (1e9, "fewer than that"),
        (float("nan"), "give one whole number"),
        (float("inf"), "give one whole number"),
        (99329.5, "give one whole number"),
        (True, "one whole number"),
        ("99,32", "one whole number"),
        ([109, 4510, 94710], "one whole number"),
        (object(), "one whole number"),
        (1j, "one whole number"),
    ],
)
def test_counts_people_make(prediction, words):
    verdict = exercises.how_many_parameters(prediction)
    assert not verdict.correct
    assert words in verdict


@pytest.mark.parametrize(
    "prediction", [99329, 99329.0, np.int64(99329), np.array(99329), "99329", "99,329", [99329]]
)
def test_the_right_count(prediction):
    assert exercises.how_many_parameters(prediction).correct
    assert "73,677" in exercises.how_many_parameters(prediction)
