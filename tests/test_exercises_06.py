"""The exercise of lesson 6, proven right and wrong in many ways."""

import numpy as np
import pytest
from answers import check_every_diagnosis
from scipy.optimize import linear_sum_assignment

import exercises
from emlib import Gaussian, Mixture

# Programs that people write, each with the words that must answer it. Together they meet every diagnosis. ----

PARTNERS = {
    "d.argmin(axis=1)": "some mean was taken twice",
    "greedy(d)": "one after the other took the nearest that was left",
    "np.argsort(d.argmin(axis=0))": "some of the others were taken twice",
    "np.argsort(greedy(d.T))": "it is an order, but not the one with the least",
    "pair_by_pair(d)": "the nearest pair was matched first",
    "linear_sum_assignment(d.T)[1]": "this is the inverse order",
    "np.argsort(means[:, 0])": "it is an order, but not the one",
    "[list(means[:, 0]).index(sorted(means[:, 0])[sorted(others[:, 0]).index(v)]) for v in others[:, 0]]": (
        "it is an order, but not the one"
    ),
    "range(len(means))": "this leaves everything as it is",
    "means[best]": "it has shape (K, D) = (4, 2); it must have shape (K,) = (4,)",
    "linear_sum_assignment(np.sqrt(d))[1]": "this makes the total of the distances smallest",
    "np.roll(best, 1)": "it is an order, but not the one with the least",
    "0 * best": "every component must come up once, and [0.0, 0.0, 0.0, 0.0] is no order",
    "best + 1": "every component must come up once",
    "best[:2]": "it has shape (D,) = (2,); it must have shape (K,) = (4,)",
}


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
    source = """
def partners(means, others):
    d = np.array([[np.sum((a - b) ** 2) for b in means] for a in others])
    best = linear_sum_assignment(d)[1]
    return """
    scope = {
        "np": np,
        "linear_sum_assignment": linear_sum_assignment,
        "greedy": greedy,
        "pair_by_pair": pair_by_pair,
    }
    exec(source + expression, scope)
    return scope["partners"]


@pytest.mark.parametrize(("expression", "words"), PARTNERS.items())
def test_wrong_programs_are_answered(expression, words):
    verdict = exercises.partners(partners(expression))
    assert not verdict.correct
    assert words in verdict


def test_every_diagnosis_is_met_by_a_program():
    check_every_diagnosis(exercises.partners, map(partners, PARTNERS))


def test_the_right_program_is_right():
    assert exercises.partners(partners()).correct


def test_a_reference_order_is_the_one_that_aligned_finds():
    for means, others in exercises.partners.cases:
        K, D = means.shape
        one, other = (
            Mixture(np.full(K, 1 / K), Gaussian(m, np.ones((K, D)), "diag")) for m in (means, others)
        )
        order = exercises.partners.parts[0].answer(means, others).astype(int)
        np.testing.assert_array_equal(one.aligned(other).components.means, means[order])
