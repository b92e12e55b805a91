"""The exercises of lesson 8, each proven right and wrong in many ways."""

import warnings

import numpy as np
import pytest
from answers import Hostile, check_every_diagnosis
from hypothesis import given
from hypothesis import strategies as st
from sklearn.mixture import GaussianMixture

import exercises
from emlib import Mixture, Prior, checks, datasets, fit, start
from emlib.em import EMWarning
from exercises import lesson_08

# Programs that people write, each with the words that must answer it. Together they meet every diagnosis. ----

MAP = {  # n are the counts, N and K the numbers of points and of components
    "n / N": "without the prior, N_k / N",
    "r.mean(0)": "without the prior",
    "(n + a) / N": "divided by the N points of the data alone",
    "(n + a) / (N + a)": "counted for one component only",
    "n / N + a": "a was added to the shares N_k / N",
    "(n / N + a) / (n / N + a).sum()": "a was added to the shares N_k / N",
    "(r + a).sum(0) / (r + a).sum()": "or to every row of resp",
    "(r + a).mean(0)": "or to every row of resp",
    "n + a": "these are the counts N_k + a",
    "(n + a / K) / (N + a)": "here the components share `a` points among them",
    "(n + a - 1) / (n + a - 1).sum()": "1 was taken off",
    "n / (N + K * a)": "counted below, but not above",
    # Not on the list:
    "(n + a) / K": "weights sum to 1, and these to",
    "np.full(K, 1 / K)": "weights[",
    "n**0": "weights sum to 1, and these to 3",
    "(n + K * a) / (N + K * K * a)": "weights[",
    "(r.sum(1) + a) / (N + K * a)": "it has shape (N,) = (4,); it must have shape (K,) = (3,)",
    "(n + a) / (N + K * a) / 0": "nan or infinite",
    "((n + a) / (N + K * a)).round(2)": "rounded to 2 decimals",
}


def map_weights(expression="(n + a) / (n + a).sum()"):
    source = """
def map_weights(r, a):
    n, (N, K) = r.sum(0), r.shape
    return """
    scope = {"np": np}
    exec(source + expression, scope)
    return scope["map_weights"]


@pytest.mark.parametrize(("expression", "words"), MAP.items())
def test_wrong_programs_are_answered(expression, words):
    verdict = exercises.map_weights(map_weights(expression))
    assert not verdict.correct
    assert words in verdict


def test_every_diagnosis_is_met_by_a_program():
    check_every_diagnosis(exercises.map_weights, map(map_weights, MAP))


def by_loops(resp, a):
    weights = []
    for k in range(len(resp[0])):
        weights.append((sum(row[k] for row in resp) + a) / (len(resp) + len(resp[0]) * a))
    return weights


def with_more_rows(resp, a):
    K = resp.shape[1]
    return np.average(np.vstack([resp, np.eye(K)]), axis=0, weights=[1] * len(resp) + [a] * K)


@pytest.mark.parametrize("answer", [map_weights(), by_loops, with_more_rows])
def test_the_right_program_is_right(answer):
    assert exercises.map_weights(answer).correct


@given(noise=st.floats(1e-6, 1e3), seed=st.integers(0, 2**16))
def test_no_wrong_weight_is_ever_called_correct_and_none_raises(noise, seed):
    rng = np.random.default_rng(seed)
    verdict = exercises.map_weights(
        lambda *case: map_weights()(*case) + noise * (0.1 + rng.random(case[0].shape[1]))
    )
    assert not verdict.correct
    assert "map_weights: " in verdict


# The references, against something other than themselves ----------------------------------------------


def test_reference_weights_are_where_the_penalised_likelihood_is_largest():
    rng = np.random.default_rng(0)
    for resp, a in exercises.map_weights.cases:
        answer, counts = exercises.map_weights.parts[0].answer(resp, a), resp.sum(axis=0)
        others = rng.dirichlet(np.ones(len(counts)), size=2000)
        others = np.vstack([others, 0.999 * answer + 0.001 * others])
        assert (np.log(others) @ (counts + a) < np.log(answer) @ (counts + a)).all()


def test_reference_weights_are_emlibs():
    X = np.linspace(0, 1, 5)[:, None] ** 2
    for resp, a in exercises.map_weights.cases:
        model = start.from_responsibilities(X[: len(resp)], resp + 1e-9, prior=Prior([[1.0]], 3))
        counted = Mixture(model.weights, model.components, weight_count=a)
        now = counted.maximize(counted.expect(X))
        resp = model.responsibilities(X)
        answer = exercises.map_weights.parts[0].answer(resp, a)
        np.testing.assert_allclose(answer, now.weights, rtol=1e-10)


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


# Which setting cures what? ----------------------------------------------------------------------------

RIGHT = {"collapse": "reg_covar", "plateau": "tol", "poor maximum": "n_init"}


@pytest.mark.parametrize(
    "answer",
    [
        RIGHT,
        {"Poor Maximum": "N_INIT", "COLLAPSE": " Reg_Covar ", "plateau": "tol"},
        {"poor_maximum": "n_init=10", "plateau": "tol = 1e-6", "collapse": "reg-covar"},
        {"n_init": "poor maximum", "reg_covar": "collapse", "tol": "plateau"},
        ["reg_covar", "tol", "n_init"],
        ("reg_covar", "tol", "n_init"),
        np.array(["reg_covar", "tol", "n_init"]),
        "reg_covar, tol, n_init",
        "reg_covar tol n_init",
    ],
)
def test_the_right_cures_in_any_clothes(answer):
    assert exercises.cures(answer).correct


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (None, "not attempted yet"),
        ({}, "nothing yet for collapse and plateau and poor maximum"),
        ({"collapse": "reg_covar"}, "cures: nothing yet for plateau and poor maximum"),
        ("n_init, tol, reg_covar", "collapse: not n_init: more starts do not help"),
        ("n_init, tol, reg_covar", "poor maximum: not reg_covar: no variance is too small here"),
        (
            RIGHT | {"collapse": "verbose"},
            "collapse: not verbose: what keeps every variance from going to 0?",
        ),
        (RIGHT | {"plateau": "init_params"}, "not init_params: what says how small a gain may be"),
        (RIGHT | {"poor maximum": "means_init"}, "not means_init: what makes several starts"),
        (RIGHT | {"plateau": "tolerance"}, "plateau: GaussianMixture has no setting 'tolerance'"),
        ("abc", "give a setting for each of the three"),
        (["reg_covar", "tol"], "give a setting for each of the three"),
        (["reg_covar", "tol", 10], "give a setting for each of the three"),
        ({"reg_covar": "collapse", "tol": "collapse", "n_init": "plateau"}, "give a setting for each"),
        (RIGHT | {"saddle": "tol"}, "give a setting for each of the three"),
        (3, "give a setting for each of the three"),
        ({"reg_covar", "tol", "n_init"}, "give a setting for each of the three"),
        (Hostile(), "give a setting for each of the three"),
        (RIGHT | {"plateau": Hostile()}, "give a setting for each of the three"),
    ],
)
def test_wrong_cures_are_answered(answer, words):
    verdict = exercises.cures(answer)
    assert not verdict.correct
    assert words in verdict


WRONG = [(symptom, setting) for symptom, reasons in lesson_08.NOT_THIS.items() for setting in reasons]


@pytest.mark.parametrize(("symptom", "setting"), WRONG)
def test_every_wrong_cure_has_its_reason_and_no_more(symptom, setting):
    verdict = exercises.cures(RIGHT | {symptom: setting})
    assert verdict == f"cures: {symptom}: not {setting}: {lesson_08.NOT_THIS[symptom][setting]}"


def test_the_settings_are_scikit_learns():
    assert set(GaussianMixture().get_params()) == lesson_08.SETTINGS
    assert {setting for _, setting in WRONG} < lesson_08.SETTINGS
    assert not {*WRONG} & {*RIGHT.items()}


def test_more_starts_choose_the_collapsed_one():
    """What the check says of n_init: scikit-learn keeps the highest, and that is the collapsed one."""
    X = np.vstack([datasets.three_clusters().X, [[3.0]], [[3.0]]])
    heights = []
    for seed in range(12):
        model = GaussianMixture(
            4, reg_covar=1e-9, init_params="random_from_data", random_state=seed, tol=1e-8
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model.fit(X)
        heights.append((model.lower_bound_, model.covariances_.min()))
    collapsed = [height for height, narrowest in heights if narrowest < 1e-6]
    sound = [height for height, narrowest in heights if narrowest > 1e-3]
    assert collapsed
    assert sound
    assert max(collapsed) > max(sound)
