"""The exercises of lesson 12, each proven right and wrong in many ways."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from answers import check_every_diagnosis
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

import exercises

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
