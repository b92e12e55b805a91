"""The exercises of lesson 12, each proven right and wrong in many ways."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from answers import Hostile, check_every_diagnosis
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import cdist
from sklearn.decomposition import PCA

import exercises
from emlib import GaussianMixture, datasets
from exercises.lesson_12 import ACCUSING, FACTS, FACTS_ABOUT_SAMPLES

# Programs that people write, each with the words that must answer it. Together they meet every diagnosis. ----

NEAREST = {
    "d.min(axis=1)": "a point is its own nearest neighbour",
    "o.min(axis=1) ** 2": "these are squared distances",
    "d.min(axis=1) ** 2": "distances[",
    "o.argmin(axis=1)": "argmin says which point",
    "o.min(axis=0)": "for every point of X its nearest sample",
    "cdist(S, X, 'cityblock').min(axis=1)": "as on a street map",
    "np.sort(d, axis=1)[:, 1]": "the second smallest is right only for",
    "d.mean(axis=1)": "the mean distance to all points",
    "d.max(axis=1)": "this is the farthest point",
    "np.linalg.norm(S - X.mean(axis=0), axis=1)": "distances[",
    "o": "it has shape",
    "o.min(axis=1) + 1": "distances[",
}


def nearest(expression="o.min(axis=1)"):
    source = """
def nearest(S, X):
    d = cdist(S, X)
    o = np.where(d < 1e-12, np.inf, d)
    return """
    scope = {"np": np, "cdist": cdist}
    exec(source + expression, scope)
    return scope["nearest"]


@pytest.mark.parametrize(("expression", "words"), NEAREST.items())
def test_wrong_programs_are_answered(expression, words):
    verdict = exercises.nearest(nearest(expression))
    assert not verdict.correct
    assert words in verdict


def test_every_diagnosis_is_met_by_a_program():
    check_every_diagnosis(exercises.nearest, map(nearest, NEAREST))


def test_the_right_program_is_right():
    assert exercises.nearest(nearest()).startswith("correct: the distance to the nearest")


@given(noise=st.floats(1e-6, 1e3), seed=st.integers(0, 2**16))
def test_no_wrong_distance_is_ever_called_correct(noise, seed):
    rng = np.random.default_rng(seed)
    right = nearest()
    assert not exercises.nearest(lambda S, X: right(S, X) + noise * (0.1 + rng.uniform(size=len(S)))).correct


# Which facts speak against a model? -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (None, "not attempted yet"),
        ([], "would it also be so if the model were good"),
        ("AEF", "these are the ones that say nothing"),
        ("ABCD", "not A: a perfect copy looks like a digit, too"),
        (["B", "C", "D", "E"], "not E: that grows with the number of components"),
        ({"F", "B", "C", "D"}, "not F: a copy that is off by a hair"),
        ("ABCDEF", "not A: "),
        ("F", "not F: "),
        ("CD", "but B speaks against the model, too: unseen digits say how near"),
        ("bd", "but C speaks against the model, too: two digits lie some four units apart"),
        (["B", "C"], "but D speaks against the model, too: an honest new digit is impossible"),
        ("BCDG", "there is no fact G; they are A to F"),
        ({"B": "copies"}, "give the letters of the facts"),
        (3, "give the letters of the facts"),
        (Hostile(), "give the letters of the facts"),
    ],
)
def test_wrong_accusations_are_answered(answer, words):
    verdict = exercises.accuses(answer)
    assert not verdict.correct
    assert words in verdict


@pytest.mark.parametrize(
    "answer",
    ["BCD", "b, c, d", ["D", "C", "B"], {"B", "C", "D"}, {letter: letter in "BCD" for letter in "ABCDEF"}],
)
def test_the_right_accusations_in_any_clothes(answer):
    assert exercises.accuses(answer).correct


def test_the_facts_are_six_and_three_accuse():
    assert list(FACTS_ABOUT_SAMPLES) == list(FACTS) == list("ABCDEF")
    assert {"B", "C", "D"} == ACCUSING


@pytest.mark.filterwarnings("ignore")
def test_what_the_facts_say_is_so():
    """As lesson 12 computes it."""
    X = datasets.digits().X
    order = np.random.default_rng(0).permutation(1797)
    train, unseen = order[:1200], order[1200:]
    pca = PCA(0.99, whiten=True).fit(X[train])
    A, B = pca.transform(X[train]), pca.transform(X[unseen])
    model = GaussianMixture(110, reg_covar=1e-6, random_state=0).fit(A)
    samples, _ = model.mixture_.sample(len(B), np.random.default_rng(0))
    found = [np.median(cdist(those, A).min(axis=1)) for those in (samples, B)]
    assert f"{found[0]:.2f} against {found[1]:.2f}" in FACTS_ABOUT_SAMPLES["B"]
    assert f"{model.score(B) / 1e6:.1f} million" in FACTS_ABOUT_SAMPLES["D"]
    assert cdist(samples, A).min() > 0.01

    Z = PCA(0.99, whiten=True).fit_transform(X)
    mixture = GaussianMixture(110, reg_covar=1e-6, random_state=0).fit(Z).mixture_
    points, made_by = mixture.sample(100, np.random.default_rng(0))
    clusters, gaps = mixture.predict(Z), []
    for point, k in zip(points, made_by, strict=True):
        own = Z[clusters == k]
        sheet = (own[1:] - own[0]).T
        left = point - own[0]
        gaps.append(np.linalg.norm(left - sheet @ np.linalg.lstsq(sheet, left)[0]))
    assert max(gaps) < 0.008 < 2 * max(gaps)


# A choice ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def table():
    path = Path(__file__).parent.parent / "notebooks" / "studies" / "digits.csv"
    table = pd.read_csv(path)
    table["held_out"] = (300 * table["choose"] + 297 * table["report"]) / 597
    return table


@pytest.mark.parametrize(
    ("choice", "words"),
    [
        (None, "not attempted yet"),
        (7, "give a structure"),
        (("full", "many", "aic"), "give a structure"),
        ("aic", "give a structure"),
        (("full", 7), "give a structure"),
        (("full", 7, "R2"), "no such measure"),
        (("round", 7, "aic"), "no such structure"),
        (("unseen digits", 0, "near"), "no such structure"),
        (("full", 110, "aic"), "K = 110 was not measured"),
        (("full", 100, "aic"), "AIC has measured the floor"),
        (("full", 50, "BIC"), "BIC has measured the floor"),
        (("tied", 200, "train"), "the training digits cannot choose"),
        (("full", 30, "near"), "a distance alone defends nothing"),
        (("tied", 70, "bic"), "BIC is lower at K = 30"),
        (("shrunk", 20, "bic"), "was not taken"),
        (("classes", 30, "aic"), "was not taken"),
        (("full", 30, "held-out"), "full with K = 7 is ahead in every split"),
        (("shrunk", 200, "held_out"), "shrunk with K = 20 is ahead in every split"),
        (("tied", 200, "aic"), "AIC still falls at K = 200, the largest that was tried"),
        (("diag", 30, "held_out"), "diag with K = 50 is ahead in every split"),
        (("full", 7, "held_out"), "is ahead of it in every split, by"),
        (("shrunk", 70, "held_out"), "shrunk with K = 30 is ahead in every split"),
    ],
)
def test_choices_that_no_number_supports(choice, words, table):
    verdict = exercises.defends(choice, table)
    assert not verdict.correct
    assert words in verdict


@pytest.mark.parametrize(
    ("choice", "words"),
    [
        (("full", 3, "bic"), "of the full mixtures BIC is lowest there"),
        (("shrunk", 20, "held-out"), "But classes"),
        (["shrunk", np.int64(30), "held_out"], "correct"),
        (("classes", 30, "held_out"), "No other structure is ahead in every split"),
    ],
)
def test_choices_that_a_number_supports(choice, words, table):
    verdict = exercises.defends(choice, table)
    assert verdict.correct, verdict
    assert words in verdict
    assert exercises.defends(choice, table.to_dict("list")) == verdict  # any mapping of columns


def test_no_choice_is_called_correct_that_another_k_beats_in_every_split(table):
    scores = table[table.split >= 0].pivot_table(index=["model", "K"], columns="split", values="held_out")
    for structure, K in scores.index:
        verdict = exercises.defends((structure, K, "held_out"), table)
        beaten = (scores.loc[structure] > scores.loc[structure, K]).all(axis=1)
        others = scores.drop(structure, level="model")
        ahead = (others > scores.loc[structure, K]).all(axis=1)
        unlabelled = ahead.drop("classes", level="model", errors="ignore")
        assert verdict.correct == (not beaten.any() and (structure == "classes" or not unlabelled.any()))
        if verdict.correct:
            assert ("No other structure is ahead in every split" in verdict) == (not ahead.any())
