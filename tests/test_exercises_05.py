"""The exercises of lesson 5, each proven right and wrong in many ways."""

import numpy as np
import pytest
from answers import Hostile
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment, minimize_scalar

import exercises
from emlib import Gaussian, Mixture, Prior, checks, datasets, fit, start
from emlib.em import EMWarning
from exercises import Exercise, collapse, failures, mend

WRITTEN = [t for t in [*vars(failures).values(), *vars(mend).values()] if isinstance(t, Exercise)]

# Programs that people write, each with the words that must answer it. Together they meet every diagnosis. ----

PARTNERS = {
    "d.argmin(axis=1)": "some mean was taken twice",
    "greedy(d)": "one after the other took the nearest that was left",
    "np.argsort(d.argmin(axis=0))": "some of the others were taken twice",
    "np.argsort(greedy(d.T))": "the means took the nearest that was left",
    "pair_by_pair(d)": "the nearest pair was matched first",
    "linear_sum_assignment(d.T)[1]": "this is the inverse order",
    "np.argsort(means[:, 0])": "sorted by the first feature: a convention",
    "[list(means[:, 0]).index(sorted(means[:, 0])[sorted(others[:, 0]).index(v)]) for v in others[:, 0]]": (
        "ranks matched"
    ),
    "range(len(means))": "this leaves everything as it is",
    "means[best]": "return the order itself",
    "np.roll(best, 1)": "it is an order, but not the one with the least",
    "0 * best": "all zeros",
    "best + 1": "every component must come up once",
    "best[:2]": "it has shape (2,)",
}
MAP = {
    "S / n": "the first component still collapses",
    "S / n + v": "added like a floor",
    "(S + nu * v) / n": "not in the count that divides",
    "S / (n + nu)": "that only shrinks",
    "(S + v) / (n + nu)": "their sum is prior_count times as large",
    "np.clip(S / n, v, None)": "clipped at the prior's variance",
    "0.5 * S / n + 0.5 * v": "half and half",
    "(S + nu * v * v) / (n + nu)": "it is a variance already",
    "((S + nu * v) / (n + nu)) ** 0.5": "these are standard deviations",
    "([(r[:, k] * (x - np.mean(x)) ** 2).sum() for k in range(len(n))] + nu * v) / (n + nu)": "of all points",
    "S + 100": "lies between the two",
    "S / 0": "nan or infinite",
}
STOP = {
    "len(h) > 1 and abs(h[-1] - h[-2]) < n * tol": "abs() takes a small fall for the end",
    "len(h) > 1 and h[-1] - h[-2] < n * tol": "any fall, however large",
    "len(h) > 1 and h[-1] > h[-2] > h[-1] - n * tol": "a small gain is no end",
    "two and b > 0 and g > 0 and aitken(b, g) < n * tol": "a plateau. Ask first",
    "two and aitken(b, g) < n * tol": "the estimate alone is negative after a fall",
    "two and abs(g) < abs(b) and aitken(abs(b), abs(g)) < n * tol": "abs() hides the sign",
    "two and 0 < g < b and aitken(b, g) < tol": "compare with n_points * tol",
    "two and 0 < g < b and aitken(b, g) < n * n * tol": "do one of the two",
    "two and 0 < g < b and g < n * tol": "their sum is many times the last one",
    "two and 0 < g < b and g / (1 - g / b) < n * tol": "counts the last gain again",
    "not (two and 0 < g < b and aitken(b, g) < n * tol)": "the other way round",
    "len(h) > 1 and abs((h[-1] - h[-2]) / h[-1]) < tol": "depends on the data's units",
    "True": "after gains of",
    "False": "all zeros",
    "h[-3] and True": "it raised IndexError",
}
MEND = {
    ("psi", "g[:, 1].mean()"): "psi wrong: this is the share of the second",
    ("psi", "psi"): "this is the old psi",
    ("mu", "mu"): "psi right; mu wrong: these are the old means",
    ("mu", "x @ g / len(x)"): "each component has its own count",
    ("s2", "((x[:, None] - mu) ** 2 * g).sum(0) / n"): "psi and mu right; s2 wrong: about the old mean still",
    ("s2", "((x[:, None] - mu) ** 2 * g).sum(0) / n + (m - mu) ** 2"): "the correction has the wrong sign",
    ("s2", "s2"): "an update never stored",
    ("s2", "v ** 0.5"): "these are standard deviations",
    ("s2", "v * n / (n - 1)"): "divided by N_k - 1",
    ("s2", "((x[:, None] - x.mean()) ** 2 * g).sum(0) / n"): "about the mean of all points",
}


def program(head, body, expression, **scope):
    scope |= {
        "np": np,
        "linear_sum_assignment": linear_sum_assignment,
        "greedy": greedy,
        "pair_by_pair": pair_by_pair,
    }
    exec(f"def {head}:\n{body}\n    return {expression}", scope)
    return scope[head.split("(")[0]]


def greedy(d):
    d, chosen = d.copy(), []
    for row in d:
        chosen.append(int(row.argmin()))
        d[:, chosen[-1]] = np.inf
    return chosen


def pair_by_pair(d):
    partner = {}
    for n in np.argsort(d, axis=None):
        row, column = divmod(int(n), len(d))
        if row not in partner and column not in partner.values():
            partner[row] = column
    return [partner[row] for row in range(len(d))]


def partners(expression="best"):
    body = """
    d = np.array([[np.sum((a - b) ** 2) for b in means] for a in others])
    best = linear_sum_assignment(d)[1]"""
    return program("partners(means, others)", body, expression)


def map_variances(expression="(S + v * nu) / (nu + n)"):
    body = """
    n = r.sum(0)
    S = r.T @ x**2 - (r.T @ x) ** 2 / n"""
    return program("map_variances(x, r, v, nu)", body, expression)


def should_stop(expression="two and 0 < g < b and aitken(b, g) < n * tol"):
    body = """
    two = len(h) > 2
    b, g = np.diff(h)[-2:] if two else (0.0, 0.0)
    aitken = lambda b, g: g * g / (b - g)"""
    return program("should_stop(h, n, tol)", body, expression)


def mended_m_step(**parts):
    expressions = {"psi": "n[0] / n.sum()", "mu": "m", "s2": "v"} | parts
    body = """
    n = g.sum(0)
    m = np.average(np.c_[x, x], axis=0, weights=g)
    v = ((x[:, None] - mu) ** 2 * g).sum(0) / n - (m - mu) ** 2"""
    return program("mended_m_step(x, g, psi, mu, s2)", body, ", ".join(expressions.values()))


WRONG = [
    *((exercises.partners, partners(e), words) for e, words in PARTNERS.items()),
    *((exercises.map_variances, map_variances(e), words) for e, words in MAP.items()),
    *((exercises.should_stop, should_stop(e), words) for e, words in STOP.items()),
    *((exercises.mended_m_step, mended_m_step(**{part: e}), words) for (part, e), words in MEND.items()),
]


@pytest.mark.parametrize(("exercise", "answer", "words"), WRONG, ids=lambda thing: getattr(thing, "name", ""))
def test_wrong_programs_are_answered(exercise, answer, words):
    verdict = exercise(answer)
    assert not verdict.correct
    assert words in verdict


@pytest.mark.parametrize("exercise", WRITTEN, ids=lambda exercise: exercise.name)
def test_every_diagnosis_is_met_by_a_program(exercise):
    """So none can rot unseen; and what is asked for has four at least."""
    answers = [str(exercise(answer)) for other, answer, _ in WRONG if other is exercise]
    for part in exercise.parts:
        diagnoses = {mistake.diagnosis for mistake in part.mistakes}
        assert len(diagnoses) >= (4 if part is exercise.parts[-1] else 2)
        for diagnosis in diagnoses:
            assert any(said.endswith(diagnosis) for said in answers), diagnosis


def test_what_is_asked_for_as_true_or_false_is_answered_so():
    verdict = exercises.should_stop(should_stop("two and 0 < g < b and aitken(b, g) < 3 * n * tol"))
    assert "stop is True and should be False, for the arguments [-900" in verdict


def test_the_right_programs_are_right():
    for exercise, answer in [
        (exercises.partners, partners()),
        (exercises.map_variances, map_variances()),
        (exercises.should_stop, should_stop()),
        (exercises.mended_m_step, mended_m_step()),
    ]:
        assert exercise(answer).correct, exercise(answer)


def stub(*arguments):
    raise NotImplementedError


@pytest.mark.parametrize("exercise", WRITTEN, ids=lambda exercise: exercise.name)
@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (stub, "not attempted yet"),
        (None, "this is a NoneType"),
        (lambda *arguments: None, "it returns nothing"),
        (lambda *arguments: "yes", "it must return"),
        (lambda *arguments: {}[0], "it raised KeyError"),
        (lambda one: one, "it raised TypeError"),
    ],
)
def test_things_nobody_foresaw(exercise, answer, words):
    verdict = exercise(answer)
    assert not verdict.correct
    assert words in verdict


@given(noise=st.floats(1e-6, 1e3), seed=st.integers(0, 2**16))
def test_no_wrong_variance_is_ever_called_correct_and_none_raises(noise, seed):
    rng = np.random.default_rng(seed)
    verdict = exercises.map_variances(
        lambda *a: map_variances()(*a) + noise * (0.1 + rng.random(a[1].shape[1]))
    )
    assert not verdict.correct
    assert "map_variances: " in verdict


# The references, against something other than themselves ---------------------------------------------------


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


def test_a_reference_order_is_the_one_that_aligned_finds():
    for means, others in exercises.partners.cases:
        K, D = means.shape
        one, other = (
            Mixture(np.full(K, 1 / K), Gaussian(m, np.ones((K, D)), "diag")) for m in (means, others)
        )
        order = exercises.partners.parts[0].answer(means, others).astype(int)
        np.testing.assert_array_equal(one.aligned(other).components.means, means[order])


def test_a_reference_stop_sums_the_series():
    """What is left is summed term by term."""
    for history, n, tol in exercises.should_stop.cases:
        gains = np.diff(history)
        expected = False
        if len(gains) > 1 and 0 < gains[-1] < gains[-2]:
            rate, term, left = gains[-1] / gains[-2], gains[-1], 0.0
            for _ in range(20_000):
                term *= rate
                left += term
            expected = left < n * tol
        assert bool(exercises.should_stop.parts[0].answer(history, n, tol)) == expected


def test_a_reference_m_step_is_emlibs():
    for x, gamma, *_ in exercises.mended_m_step.cases:
        psi, mu, s2 = (part.answer(x, gamma, None, None, None) for part in exercises.mended_m_step.parts)
        model = start.from_responsibilities(x[:, None], gamma)
        np.testing.assert_allclose(model.weights, [psi, 1 - psi])
        np.testing.assert_allclose(model.components.means[:, 0], mu)
        np.testing.assert_allclose(model.components.variances[:, 0], s2)


# The prediction ---------------------------------------------------------------------------------------------


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
    assert collapse._collapsed() == {"B", "E", "F"}
    assert np.isclose(X, 78).sum() == 15
    assert np.isclose(X, 96).sum() == 1
