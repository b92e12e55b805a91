"""The exercises of lesson 10, each proven right and wrong in many ways."""

import numpy as np
import pytest
from answers import Hostile

import exercises
from emlib import start
from emlib.families.variances import STRUCTURES
from exercises import lesson_10

# Programs that people write, each with the words that must answer it. Together they meet every diagnosis. ----

COUNTS = {  # what stands in the place of one of the four; f, t, d, s are the right numbers
    ("full", "K - 1 + K * D + K * D * D"): "on and above the diagonal are free",
    ("full", "K - 1 + K * D + K * (D * D - D) // 2"): "K D numbers are missing",
    ("full", "t"): "here every component has its own",
    ("full", "f + 1"): "the K weights sum to 1",
    ("full", "f - K + 1"): "the weights are missing",
    ("full", "f - K * D"): "K D numbers are missing",
    ("full", "f - (K - 1) * D"): "share a structure, not a mean",
    ("full", "2 * f"): "should be",
    ("tied", "f"): "full right; tied wrong: this counts K covariances",
    ("tied", "K - 1 + K * D + D * D"): "the shared covariance is symmetric",
    ("tied", "K - 1 + K * D + D"): "more than its D variances",
    ("tied", "K + K * D + D * (D + 1) // 2"): "the K weights sum to 1",
    ("tied", "K * D + D * (D + 1) // 2"): "the weights are missing",
    ("tied", "K - 1 + D * (D + 1) // 2"): "the means are missing",
    ("tied", "K - 1 + D + D * (D + 1) // 2"): "share a structure, not a mean",
    (
        "diag",
        "K - 1 + K * D + D",
    ): "full and tied right; diag wrong: this counts D variances in all, or one mean",
    ("diag", "s"): "one variance a component is spherical",
    ("diag", "f"): "what is fixed is not free",
    ("diag", "K + 2 * K * D"): "the K weights sum to 1",
    ("diag", "2 * K * D"): "the weights are missing",
    ("diag", "K - 1 + K * D"): "K D numbers are missing: the means, or the variances",
    ("diag", "K - 1 + D + K * D"): "or one mean",
    ("spherical", "K * D + K"): "or counts one variance in all",
    ("spherical", "d"): "a circle has one variance",
    ("spherical", "2 * K + K * D"): "the K weights sum to 1",
    ("spherical", "2 * K - 1"): "the means are missing",
    ("spherical", "K - 1 + D + K"): "share a structure, not a mean",
    ("spherical", "None"): "spherical is None; it must return 4 numbers",
}

# What all structures share, but where a mistake of the part's own gives the same number and says both.
SHADOWED = {
    "full": {lesson_10.NO_MEANS},
    "diag": {lesson_10.NO_MEANS, lesson_10.ONE_MEAN},
    "spherical": {lesson_10.NO_WEIGHTS},
}


def n_parameters(**parts):
    results = {"full": "f", "tied": "t", "diag": "d", "spherical": "s"} | parts
    source = """
def n_parameters(K, D):
    f, t, d, s = (2*K-1 + K*D*(D+3)//2 - K, K-1 + K*D + sum(range(D+1)), K-1 + 2*K*D, K-1 + K*(D+1))
    return """
    scope = {"np": np}
    exec(source + ", ".join(results.values()), scope)
    return scope["n_parameters"]


@pytest.mark.parametrize(("part", "result", "words"), [(*key, words) for key, words in COUNTS.items()])
def test_wrong_counts_are_answered(part, result, words):
    verdict = exercises.n_parameters(n_parameters(**{part: result}))
    assert not verdict.correct
    assert words in verdict


def test_every_diagnosis_is_met_by_a_program():
    """So none can rot unseen; and each part has four at least."""
    answers = [str(exercises.n_parameters(n_parameters(**{part: result}))) for part, result in COUNTS]
    for part in exercises.n_parameters.parts:
        diagnoses = {mistake.diagnosis for mistake in part.mistakes}
        assert len(diagnoses) >= 4
        own = [said for said in answers if f"{part.name} wrong" in said]
        for diagnosis in diagnoses - SHADOWED.get(part.name, set()):
            assert any(said.endswith(diagnosis) for said in own), diagnosis


def test_the_right_program_is_right():
    assert exercises.n_parameters(n_parameters()).startswith("correct: weights, means, covariances")


def test_the_references_are_emlibs():
    for K, D in exercises.n_parameters.cases:
        X = np.random.default_rng(0).normal(size=(20 * K * D, D))
        for part in exercises.n_parameters.parts:
            assert part.name in STRUCTURES
            mixture = start.from_labels(X, np.arange(len(X)) % K, structure=part.name)
            assert part.answer(K, D) == mixture.n_parameters


@pytest.mark.parametrize(
    ("program", "words"),
    [
        (lambda K, D: (K, D), "it must return 4 numbers: `return full, tied, diag, spherical`"),
        (lambda D, K: n_parameters()(K, D), "The arguments come as K, D, in this order"),
        (n_parameters()(3, 2), "this is a tuple of 4"),
    ],
)
def test_other_ways_to_go_wrong(program, words):
    verdict = exercises.n_parameters(program)
    assert not verdict.correct
    assert words in verdict


# The predictions --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("prediction", "words"),
    [
        (None, "not attempted yet"),
        *((N, words) for N, words in lesson_10.GUESSES.items()),
        (1, "log 1 is 0.00; that is below 2"),
        (1000, "so it is for some fewer points"),
        (0, "at least one point"),
        (7.389, "give a whole number"),
        (np.inf, "give a whole number"),
        (True, "give one whole number"),
        ("8", "give one whole number"),
        ([8], "give one whole number"),
        (Hostile(), "give one whole number"),
    ],
)
def test_wrong_numbers_of_points_are_answered(prediction, words):
    verdict = exercises.bic_is_stricter(prediction)
    assert not verdict.correct
    assert words in verdict


@pytest.mark.parametrize("prediction", [8, 8.0, np.int64(8), np.array(8)])
def test_eight_points_are_right(prediction):
    assert exercises.bic_is_stricter(prediction).correct
    assert np.log(7) < 2 < np.log(8)


@pytest.mark.parametrize(
    ("prediction", "words"),
    [
        (None, "not attempted yet"),
        ([], "there are some"),
        ("ABCDEF", "not all of them"),
        ("ACF", "these are the clean ones"),
        ("ABDE", "not A: the starts are drawn from the training points alone"),
        ("BCDE", "not C: the same folds for every K"),
        ("BDEF", "not F: floor and scale"),
        ("DE", "but B does, too: two rows of one patient"),
        ("BE", "but D does, too: the best of twenty"),
        (["B", "D"], "but E does, too: the directions of PCA"),
        (["G"], "there is no case G"),
        ([1, 2], "give the letters"),
        (3.5, "give the letters"),
        (Hostile(), "give the letters"),
    ],
)
def test_wrong_leaks_are_answered(prediction, words):
    verdict = exercises.leaks(prediction)
    assert not verdict.correct
    assert words in verdict


@pytest.mark.parametrize(
    "prediction", ["BDE", ["B", "D", "E"], {"e", "d", "b"}, "b, d; e", np.array(list("BDE"))]
)
def test_the_right_leaks_in_any_clothes(prediction):
    assert exercises.leaks(prediction).correct
