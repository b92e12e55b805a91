"""The exercises of lesson 6, each proven right and wrong in many ways."""

import numpy as np
import pytest
from answers import Hostile
from hypothesis import given
from hypothesis import strategies as st

import exercises
from emlib import select, start
from emlib.families.structure import STRUCTURES
from exercises import Exercise, criteria, judging

WRITTEN = [thing for thing in vars(criteria).values() if isinstance(thing, Exercise)]

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
    ("spherical", "None"): "nan or infinite",
}
BICS = {  # of log-densities a, with p parameters
    "2 * a.sum() - p * np.log(a.size)": "this is mclust's BIC",
    "p * np.log(a.size) - 2 * np.mean(a)": "not the mean",
    "2 * (p - a.sum())": "this is AIC",
    "p * np.log10(a.size) - 2 * a.sum()": "to base 10",
    "p * np.log2(a.size) - 2 * a.sum()": "counts in bits",
    "p * np.log(a.size) - a.sum()": "counts twice",
    "p / 2 * np.log(a.size) - a.sum()": "this is half of it",
    "p * np.log(a.size) + 2 * a.sum()": "comes with a minus",
    "np.log(a.size) - 2 * a.sum()": "the price of one parameter",
    "p * np.log(p) - 2 * a.sum()": "not of p",
    "p * a.size - 2 * a.sum()": "is log N, not N",
    "p * np.log(a.size) - 2 * np.log(np.sum(np.exp(a)))": "log-densities add up as they are",
    "p * np.log(a.size) - 2 * np.log(abs(a)).sum()": "no further logarithm",
    "p * np.log(a.size) - 2 * a": "it must be one number",
    "np.inf": "nan or infinite",
    "round(p * np.log(a.size) - 2 * a.sum(), 3)": "do not round",
    "0": "all zeros",
    "17": "bic is 17 and should be",
}
PS = {  # of the observed ratio t and the simulated ones s
    "np.mean(s >= t)": "the data themselves are missing",
    "(1 + np.count_nonzero(s > t)) / (s.size + 1)": "as large: >=, not >",
    "np.mean(s > t)": "count those that are equal, too, and the data",
    "(1 + np.count_nonzero(s <= t)) / (s.size + 1)": "this is the other tail: what speaks",
    "np.mean(s <= t)": "this is the other tail, and without the data",
    "1 - np.mean(s >= t)": "this is the other tail, and without the data",
    "(1 + np.count_nonzero(s >= t)) / s.size": "1 was added above but not below",
    "np.count_nonzero(s >= t) / (s.size + 1)": "1 was added below but not above",
    "1 + np.count_nonzero(s >= t)": "divide by how many there are",
    "np.count_nonzero(s >= t)": "a p-value is a share",
    "min(1, 2 * (1 + np.count_nonzero(s >= t)) / (s.size + 1))": "this is two-sided",
    "t / s.max()": "p_value is",
}


# What all structures share, but where a mistake of the part's own gives the same number and says both.
SHADOWED = {
    "full": {criteria.NO_MEANS},
    "diag": {criteria.NO_MEANS, criteria.ONE_MEAN},
    "spherical": {criteria.NO_WEIGHTS},
}


def written(name, arguments, lines, result):
    scope = {"np": np}
    exec(f"def {name}({arguments}):\n    {lines}\n    return {result}", scope)
    return scope[name]


def n_parameters(**parts):
    right = "f, t, d, s = (2*K-1 + K*D*(D+3)//2 - K, K-1 + K*D + sum(range(D+1)), K-1 + 2*K*D, K-1 + K*(D+1))"
    results = {"full": "f", "tied": "t", "diag": "d", "spherical": "s"} | parts
    return written("n_parameters", "K, D", right, ", ".join(results.values()))


def bic(result="np.log(a.size) * p - 2 * np.sum(a)"):
    return written("bic", "a, p", "pass", result)


def p_value(result="np.mean(np.append(s, t) >= t)"):
    return written("p_value", "t, s", "pass", result)


@pytest.mark.parametrize(("part", "result", "words"), [(*key, words) for key, words in COUNTS.items()])
def test_wrong_counts_are_answered(part, result, words):
    verdict = exercises.n_parameters(n_parameters(**{part: result}))
    assert not verdict.correct
    assert words in verdict


@pytest.mark.parametrize(("result", "words"), BICS.items())
def test_wrong_bics_are_answered(result, words):
    verdict = exercises.bic(bic(result))
    assert not verdict.correct
    assert words in verdict


@pytest.mark.parametrize(("result", "words"), PS.items())
def test_wrong_p_values_are_answered(result, words):
    verdict = exercises.p_value(p_value(result))
    assert not verdict.correct
    assert words in verdict


@pytest.mark.parametrize("exercise", WRITTEN, ids=lambda exercise: exercise.name)
def test_every_diagnosis_is_met_by_a_program(exercise):
    """So none can rot unseen; and each part has four at least."""
    met = {
        "n_parameters": [n_parameters(**{part: result}) for part, result in COUNTS],
        "bic": [bic(result) for result in BICS],
        "p_value": [p_value(result) for result in PS],
    }
    answers = [str(exercise(program)) for program in met[exercise.name]]
    for part in exercise.parts:
        diagnoses = {mistake.diagnosis for mistake in part.mistakes}
        assert len(diagnoses) >= 4
        own = [said for said in answers if len(exercise.parts) == 1 or f"{part.name} wrong" in said]
        for diagnosis in diagnoses - SHADOWED.get(part.name, set()):
            assert any(said.endswith(diagnosis) for said in own), diagnosis


def test_the_right_programs_are_right():
    assert exercises.n_parameters(n_parameters()).startswith("correct: weights, means, covariances")
    assert exercises.bic(bic()).startswith("correct: it is on the scale of -2 log-likelihood")
    assert exercises.p_value(p_value()).startswith("correct: the data are one more sample")


@pytest.mark.parametrize("exercise", WRITTEN, ids=lambda exercise: exercise.name)
def test_a_stub_is_not_attempted_yet(exercise):
    def stub(*arguments):
        raise NotImplementedError

    assert exercise(stub) == f"{exercise.name}: not attempted yet"


def test_the_references_are_emlibs():
    for K, D in exercises.n_parameters.cases:
        X = np.random.default_rng(0).normal(size=(20 * K * D, D))
        for part in exercises.n_parameters.parts:
            assert part.name in STRUCTURES
            mixture = start.from_labels(X, np.arange(len(X)) % K, structure=part.name)
            assert part.answer(K, D) == mixture.n_parameters
    X = np.random.default_rng(0).normal(size=(30, 2))
    mixture = start.from_labels(X, np.arange(30) % 2)
    np.testing.assert_allclose(
        exercises.bic.parts[0].answer(mixture.log_density(X), mixture.n_parameters), select.bic(mixture, X)
    )
    for observed, simulated in exercises.p_value.cases:
        assert exercises.p_value.parts[0].answer(observed, simulated) == (
            select.Ratio("full", 1, observed, simulated).p_value
        )


@pytest.mark.parametrize(
    ("check", "program", "words"),
    [
        (exercises.n_parameters, lambda K, D: (K, D), "it must return 4 arrays"),
        (
            exercises.n_parameters,
            lambda D, K: n_parameters()(K, D),
            "The arguments come as K, D, in this order",
        ),
        (exercises.n_parameters, n_parameters()(3, 2), "this is a tuple of 4"),
        (exercises.bic, lambda a, p: str(a), "must return one number"),
        (exercises.bic, lambda a: a, "it raised TypeError"),
        (exercises.p_value, lambda t, s: None, "it returns nothing"),
        (exercises.p_value, lambda t, s: 1j, "complex"),
        (exercises.p_value, None, "this is a NoneType"),
    ],
)
def test_other_ways_to_go_wrong(check, program, words):
    verdict = check(program)
    assert not verdict.correct
    assert words in verdict


@given(off=st.floats(1e-6, 1e6))
def test_no_other_number_is_ever_called_correct(off):
    assert not exercises.bic(lambda a, p: bic()(a, p) + off).correct
    assert not exercises.p_value(lambda t, s: p_value()(t, s) + off).correct


# The predictions --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("prediction", "words"),
    [
        (None, "not attempted yet"),
        *((N, words) for N, words in judging.GUESSES.items()),
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
