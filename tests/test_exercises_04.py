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

PCA_WAYS = {  # what stands in the place of one of the two, with C, w, V, d and n worked out rightly before
    (
        "variances",
        "np.linalg.svd(X)[1][:k(np.linalg.svd(X)[1] ** 2)] ** 2 / (n - 1)",
    ): "the data were not centred",
    ("variances", "w[:d] * (n - 1) / n"): "divided by N; scikit-learn",
    ("variances", "w[:k(np.sqrt(w))]"): "the share was taken of the singular values",
    ("variances", "w[:d - 1]"): "one component too few",
    ("variances", "w[:d + 1]"): "one component too many",
    ("variances", "np.sqrt(w[:d])"): "these are the standard deviations",
    ("variances", "w[:d] * (n - 1)"): "these are the squared singular values",
    ("variances", "np.sqrt(w[:d] * (n - 1))"): "these are the singular values",
    ("variances", "w"): "these are all the components",
    ("variances", "w[:d][::-1]"): "smallest first",
    ("variances", "w[:d] / w.sum()"): "these are shares of the total variance",
    ("variances", "0 * w[:d]"): "all zeros",
    ("variances", "w[:d] + 1"): "variances[",
    ("scores", "C @ V[:, :d]"): "variances right; scores wrong: right directions, but not whitened",
    ("scores", "C @ V[:, :d] / w[:d]"): "divided by the variances",
    ("scores", "C @ V[:, :d] * np.sqrt(w[:d])"): "multiplied by the standard deviations",
    ("scores", "C @ V[:, :d] / np.sqrt(w[:d] * (n - 1) / n)"): "whitened with N",
    ("scores", "X @ V[:, :d] / np.sqrt(w[:d])"): "the points themselves were projected",
    ("scores", "np.linalg.svd(C, full_matrices=False)[0][:, :d]"): "these are the columns of U",
    ("scores", "C @ np.linalg.svd(C)[2][:, :d] / np.sqrt(w[:d])"): "here its columns were taken",
    ("scores", "(C @ V[:, :d] / np.sqrt(w[:d])).T"): "it has shape",
    ("scores", "C"): "it has shape",
    ("scores", "C[:, 0]"): "it has shape",
    ("scores", "C[:, :d] / 0"): "nan or infinite",
}

SCORES = {  # with P(rows) a PCA fitted to rows, and G(Z, W) the scores of W under a Gaussian fitted to Z
    "one(P(X), train, test)": "the principal components were found on all rows",
    "one(P(X[train]), np.arange(len(X)), test)": "the Gaussian was fitted to all rows",
    "one(P(X), np.arange(len(X)), test)": "PCA and Gaussian have both seen the test rows",
    "one(P(X[train]), train, train)": "the score of the training rows",
    "one(P(X[train]), train, np.arange(len(X)))": "the score of all rows",
    "one(P(X[train]), train, test) * len(test)": "this is the total",
    "one(P(X[train]), train, test, reg_covar=1e-6)": "give reg_covar=0",
    "one(PCA(0.9).fit(X[train]), train, test)": "not told to whiten",
    "one(P(X[test]), train, test)": "PCA was fitted anew on the test rows",
    "G(P(X[train]).transform(X[train]), P(X[test]).transform(X[test])).mean()": "principal components of their own",
    "one(P(X[test]), test, train)": "the wrong way round",
    "-one(P(X[train]), train, test)": "the sign is turned",
    "one(P(X[train]), train, test) + 0.5": "score is",
    "G(P(X[train]).transform(X[train]), P(X[train]).transform(X[test]))": "it has shape",
}


def written(source, name, **scope):
    scope |= {"np": np, "PCA": PCA, "GaussianMixture": GaussianMixture}
    exec(source, scope)
    return scope[name]


def pca_program(**parts):
    expressions = {"variances": "w[:d]", "scores": "-C @ V[:, :d] / np.sqrt(w[:d])"} | parts
    return written(
        f"""
def principal_components(X, share):
    n, C = len(X), X - X.mean(axis=0)
    w, V = np.linalg.eigh(np.cov(X.T))
    w, V = w[::-1], V[:, ::-1]
    def k(sizes):
        return int((np.cumsum(sizes) / sizes.sum() <= share).sum()) + 1
    d = k(w)
    return {expressions["variances"]}, {expressions["scores"]}
""",
        "principal_components",
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
    *(
        (exercises.principal_components, pca_program(**{part: e}), words)
        for (part, e), words in PCA_WAYS.items()
    ),
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
    assert exercises.principal_components(pca_program()).startswith("correct: centred, turned")
    assert exercises.clean_score(score_program()).startswith("correct: all that learns")


def test_scikit_learn_and_emlib_are_right():
    def principal_components(X, share):
        pca = PCA(float(share), whiten=True).fit(X)
        return pca.explained_variance_, pca.transform(X)

    def clean_score(X, train, test):
        pca = PCA(0.9, whiten=True).fit(X[train])
        model = GaussianMixture(1, reg_covar=0).fit(pca.transform(X[train]))
        return model.score(pca.transform(X[test]))

    assert exercises.principal_components(principal_components).correct
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
        (float("nan"), "than that"),
        (float("inf"), "than that"),
        (99329.5, "than that"),
        (True, "one whole number"),
        ("99329", "one whole number"),
        ([99329], "one whole number"),
        (object(), "one whole number"),
        (1j, "one whole number"),
    ],
)
def test_counts_people_make(prediction, words):
    verdict = exercises.how_many_parameters(prediction)
    assert not verdict.correct
    assert words in verdict


@pytest.mark.parametrize("prediction", [99329, 99329.0, np.int64(99329), np.array(99329)])
def test_the_right_count(prediction):
    assert exercises.how_many_parameters(prediction).correct
    assert "73,677" in exercises.how_many_parameters(prediction)
