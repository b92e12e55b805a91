"""The exercises of lesson 10, each proven right and wrong in many ways."""

import numpy as np
import pytest
from answers import Hostile, check_every_diagnosis

import exercises
from emlib import GaussianMixture, start
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


# What do AIC and BIC choose? --------------------------------------------------------------------------

CHOICES = {  # what stands in the place of one of the two; l are the log-likelihoods, p the counts
    ("aic", "np.argmax(2 * p - 2 * l)"): "aic wrong: this is the worst model, not the best",
    ("aic", "np.argmin(2 * l - 2 * p)"): "mclust turns the sign, and takes the largest",
    ("aic", "bic"): "aic wrong: this is the choice of BIC",
    ("aic", "np.argmin(2 * p - l)"): "the log-likelihood was not doubled",
    ("aic", "np.argmin(2 * p + 2 * l)"): "its minus sign is missing",
    ("aic", "aic + 1"): "counts the places from 1",
    ("aic", "np.argmax(l)"): "nothing was charged for its parameters",
    ("aic", "np.min(2 * p - 2 * l)"): "this is the smallest value itself (min)",
    ("aic", "p[aic]"): "this is no place: 6 models have the places 0 to 5; aic is 38 and should be 1",
    ("aic", "np.argmin(p)"): "aic is 0 and should be 1",
    ("aic", "np.argmax(p)"): "aic is",
    ("aic", "np.argmin(l)"): "this favours a small log-likelihood",
    ("aic", "2 * p - 2 * l"): "it has shape (M,) = (6,); it must be one number: a place, counted from 0",
    ("bic", "np.argmax(p * np.log(N) - 2 * l)"): "aic right; bic wrong: this is the worst model",
    ("bic", "np.argmin(2 * l - p * np.log(N))"): "Mix the two, and you get the worst",
    ("bic", "aic"): "aic right; bic wrong: this is the choice of AIC",
    ("bic", "np.argmin(p * np.log(N) - l)"): "the log-likelihood was not doubled",
    ("bic", "np.argmin(p * np.log10(N) - 2 * l)"): "np.log, not np.log10",
    ("bic", "np.argmin(p * N - 2 * l)"): "N was charged for each of them",
    ("bic", "np.argmin(p)"): "this is the model with the fewest parameters",
    ("bic", "np.argmax(p)"): "bic is",
    ("bic", "np.argmin(l)"): "bic is",
    ("bic", "bic + 1"): "counts the places from 1",
    ("bic", "np.argmax(l)"): "nothing was charged",
    ("bic", "np.min(p * np.log(N) - 2 * l)"): "this is the smallest value itself (min)",
    ("bic", "np.argmin(p * np.log2(N) - 2 * l)"): "bic is",
    ("bic", "np.argmin(p * np.log(len(l)) - 2 * l)"): "bic is",
    ("bic", "np.argmin(2 * np.log(N) - 2 * l)"): "nothing was charged",
    ("bic", "bic / 2"): "this is no place",
}


def chosen(**parts):
    results = {"aic": "aic", "bic": "bic"} | parts
    source = """
def chosen(l, p, N):
    aic, bic = np.argmin(p - l), np.argmax(l - p * np.log(N) / 2)
    return """
    scope = {"np": np}
    exec(source + ", ".join(results.values()), scope)
    return scope["chosen"]


@pytest.mark.parametrize(("part", "result", "words"), [(*key, words) for key, words in CHOICES.items()])
def test_wrong_choices_are_answered(part, result, words):
    verdict = exercises.chosen(chosen(**{part: result}))
    assert not verdict.correct
    assert words in verdict


def test_every_diagnosis_of_a_choice_is_met_by_a_program():
    check_every_diagnosis(exercises.chosen, [chosen(**{part: result}) for part, result in CHOICES])


def by_loops(log_likelihoods, counts, N):
    best, aic, bic = [np.inf, np.inf], 0, 0
    for n in range(len(counts)):
        values = [price * counts[n] - 2 * log_likelihoods[n] for price in (2, np.log(N))]
        if values[0] < best[0]:
            best[0], aic = values[0], n
        if values[1] < best[1]:
            best[1], bic = values[1], n
    return aic, bic


def by_a_table(log_likelihoods, counts, N):
    prices = np.array([[2.0], [np.log(N)]])
    return (2 * log_likelihoods - prices * counts).argmax(axis=1)


def by_lists(log_likelihoods, counts, N):
    pairs = list(zip(log_likelihoods.tolist(), counts.tolist(), strict=True))
    both = [[price * p - 2 * fit for fit, p in pairs] for price in (2, np.log(N))]
    return [values.index(min(values)) for values in both]


@pytest.mark.parametrize("answer", [chosen(), by_loops, by_a_table, by_lists])
def test_the_right_choices_in_several_styles(answer):
    assert exercises.chosen(answer).startswith("correct: AIC charges 2")


def test_choices_in_the_other_order_are_told_so():
    verdict = exercises.chosen(chosen(aic="bic", bic="aic"))
    assert "the right numbers in another order: return aic, bic" in verdict


def test_the_reference_choices_are_emlibs():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(120, 2)) + np.array([[0, 0], [4, 0]])[np.arange(120) % 2]
    models = [GaussianMixture(K, random_state=0).fit(X) for K in (1, 2, 3)]
    heights = np.array([model.score(X) * len(X) for model in models])
    counts = np.array([model.mixture_.n_parameters for model in models])
    for part, values in zip(
        exercises.chosen.parts, ([m.aic(X) for m in models], [m.bic(X) for m in models]), strict=True
    ):
        assert part.answer(heights, counts, len(X)) == np.argmin(values)


# The prediction ---------------------------------------------------------------------------------------


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
