"""The exercises of lesson 8, each proven right and wrong in many ways."""

import numpy as np
import pytest
from answers import Hostile, check_every_diagnosis
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar

import exercises
from emlib import Prior, checks, datasets, fit, start
from emlib.em import EMWarning
from exercises import lesson_08

# Programs that people write, each with the words that must answer it. Together they meet every diagnosis. ----

MAP = {
    "S / n": "the first component still collapses",
    "S / n + v": "added like a floor",
    "(S + nu * v) / n": "not in the count that divides",
    "S / (n + nu)": "that only shrinks",
    "(S + v) / (n + nu)": "their sum is prior_count times as large",
    "np.clip(S / n, v, None)": "clipped at the prior's variance",
    "0.5 * S / n + 0.5 * v": "variances[",
    "(S + nu * v * v) / (n + nu)": "variances[",
    "((S + nu * v) / (n + nu)) ** 0.5": "these are standard deviations",
    "([(r[:, k] * (x - np.mean(x)) ** 2).sum() for k in range(len(n))] + nu * v) / (n + nu)": "of all points",
    "S + 100": "lies between the two",
    "S / 0": "nan or infinite",
}


def map_variances(expression="(S + v * nu) / (nu + n)"):
    source = """
def map_variances(x, r, v, nu):
    n = r.sum(0)
    S = r.T @ x**2 - (r.T @ x) ** 2 / n
    return """
    scope = {"np": np}
    exec(source + expression, scope)
    return scope["map_variances"]


@pytest.mark.parametrize(("expression", "words"), MAP.items())
def test_wrong_programs_are_answered(expression, words):
    verdict = exercises.map_variances(map_variances(expression))
    assert not verdict.correct
    assert words in verdict


def test_every_diagnosis_is_met_by_a_program():
    check_every_diagnosis(exercises.map_variances, map(map_variances, MAP))


def test_the_right_program_is_right():
    assert exercises.map_variances(map_variances()).correct


@given(noise=st.floats(1e-6, 1e3), seed=st.integers(0, 2**16))
def test_no_wrong_variance_is_ever_called_correct_and_none_raises(noise, seed):
    rng = np.random.default_rng(seed)
    verdict = exercises.map_variances(
        lambda *a: map_variances()(*a) + noise * (0.1 + rng.random(a[1].shape[1]))
    )
    assert not verdict.correct
    assert "map_variances: " in verdict


# The references, against something other than themselves ----------------------------------------------


def test_a_reference_variance_is_where_the_penalised_likelihood_is_largest():
    for x, resp, v, n in exercises.map_variances.cases:
        answer = exercises.map_variances.parts[0].answer(x, resp, v, n)
        for k, r in enumerate(resp.T):
            squares = r @ (x - r @ x / r.sum()) ** 2

            def loss(s, r=r, squares=squares, v=v, n=n):
                return ((r.sum() + n) * np.log(s) + (squares + n * v) / s) / 2

            best = minimize_scalar(loss, bounds=(1e-3, 100), method="bounded", options={"xatol": 1e-9}).x
            np.testing.assert_allclose(answer[k], best, rtol=1e-5)


def test_a_reference_variance_is_emlibs():
    for x, resp, v, n in exercises.map_variances.cases:
        model = start.from_responsibilities(x[:, None], resp, prior=Prior([[v]], n))
        answer = exercises.map_variances.parts[0].answer(x, resp, v, n)
        np.testing.assert_allclose(answer, model.components.variances[:, 0], rtol=1e-12)


# The prediction ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("prediction", "words"),
    [
        (None, "not attempted yet"),
        ([], "some do"),
        ("ACD", "the ones that end well"),
        ("ABEF", "not A"),
        ("BDEF", "not D: a prior counts as points"),
        ("BCEF", "not C"),
        ("BF", "E is among them: a floor stops the variance"),
        ("B", "E is among them"),
        ("EF", "B is among them: the waiting times are whole minutes"),
        ("E", "B is among them"),
        ("BE", "F is among them"),
        ("G", "there is no start G"),
        ([1, 2], "give the letters"),
        (Hostile(), "give the letters"),
    ],
)
def test_predictions_people_make(prediction, words):
    verdict = exercises.collapses(prediction)
    assert not verdict.correct
    assert words in verdict


@pytest.mark.parametrize("prediction", ["BEF", ["b", "e", "f"], {"E", "F", "B"}, "B, E, F"])
def test_the_right_prediction_in_any_clothes(prediction):
    assert exercises.collapses(prediction).correct


def test_what_the_answers_say_of_the_starts_is_so():
    X = datasets.old_faithful().X[:, 1:]
    narrowest = {}
    for letter, (_, model) in exercises.six_starts().items():
        if letter in "BEF":
            with pytest.warns(EMWarning, match="collaps"):
                trace = fit(model, X, tol=1e-8)
        else:
            trace = fit(model, X, tol=1e-8)
            assert trace.stop.converged
        checks.monotone(trace)
        narrowest[letter] = trace.model.components.variances.min()
        # Without a floor's help these components see one value: the next M-step has nothing to spread.
    assert all(narrowest[letter] > 1 for letter in "ACD")
    assert all(narrowest[letter] < 0.03 for letter in "BEF")
    assert lesson_08._collapsed() == {"B", "E", "F"}
    assert np.isclose(X, 78).sum() == 15
    assert np.isclose(X, 96).sum() == 1
