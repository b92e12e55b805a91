"""The exercises of lesson 6, each proven right and wrong in many ways."""

import numpy as np
import pytest
from answers import Hostile, check_every_diagnosis
from scipy.optimize import linear_sum_assignment

import exercises
from emlib import Gaussian, Mixture
from exercises.lesson_06 import FITS_WRONG, SIX_FITS, STARTS

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


# Which fit to report? ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (None, "not attempted yet"),
        ("A", "healthy, and it is not the highest"),
        (
            "B",
            "the highest log-likelihood of the six, and a component that holds 2 points with a variance of 1e-09",
        ),
        ("C", "nobody promised that the clusters are equal"),
        ("D", "holds 3 points with a variance of 3e-09, so it has collapsed too"),
        ("f", "the lowest of the six"),
        ("G", "there is no fit G; they are A to F"),
        ("AE", "give one letter"),
        (["B", "E"], "give one letter"),
        ([], "give one letter"),
        (5, "give the letter of one fit"),
        (True, "give the letter of one fit"),
        (-1152.8, "give the letter of one fit"),
        (Hostile(), "give the letter of one fit"),
    ],
)
def test_other_fits_are_not_to_be_reported(answer, words):
    verdict = exercises.which_to_report(answer)
    assert not verdict.correct
    assert words in verdict


@pytest.mark.parametrize("answer", ["E", "e", " E ", ["E"], {"E"}, ("e",), np.str_("E"), np.array(["E"])])
def test_the_fit_to_report(answer):
    assert exercises.which_to_report(answer).correct


def test_what_is_said_of_the_six_fits_is_so():
    by_height = sorted(SIX_FITS, key=lambda fit: -fit.log_likelihood)
    healthy = [fit for fit in by_height if fit.narrowest > 0.1]
    collapsed = [fit for fit in by_height if fit.narrowest < 1e-8]
    assert [fit.letter for fit in by_height[:2]] == [fit.letter for fit in collapsed] == ["B", "D"]
    assert all(min(fit.points) <= 3 for fit in collapsed)
    assert healthy[0].letter == "E"
    assert {fit.letter for fit in healthy[1:]} == set("ACF")
    assert by_height[-1].letter == "F"
    assert [fit.letter for fit in SIX_FITS if len(set(fit.points)) == 1] == ["C"]
    assert all(sum(fit.points) == 300 for fit in SIX_FITS)
    assert [fit.letter for fit in SIX_FITS] == list("ABCDEF")
    for fit in collapsed:
        assert f"{min(fit.points)} points with a variance of {fit.narrowest:g}" in FITS_WRONG[fit.letter]


# How many starts? -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (None, "not attempted yet"),
        *STARTS.items(),
        (10, "with 10 starts none finds it in 59.9% of the cases"),
        (57, "none finds it in 5.4% of the cases"),
        (60, "enough, but fewer are, too"),
        (1000, "enough, but fewer are, too"),
        (58.4, "starts are counted"),
        (13.5, "starts are counted"),
        (0, "one start at least"),
        (-59, "one start at least"),
        (np.nan, "starts are counted"),
        (np.inf, "starts are counted"),
        ("fifty", "give one whole number"),
        ([59, 60], "give one whole number"),
        (True, "give one whole number"),
        (Hostile(), "give one whole number"),
    ],
)
def test_numbers_of_starts_people_give(answer, words):
    verdict = exercises.starts_needed(answer)
    assert not verdict.correct
    assert words in verdict


@pytest.mark.parametrize(
    "answer", [59, 59.0, np.int64(59), np.array(59), int(np.ceil(np.log(0.05) / np.log(0.95)))]
)
def test_the_right_number_of_starts(answer):
    assert exercises.starts_needed(answer).correct


def test_what_is_said_of_the_starts_is_so():
    none = np.cumprod(np.full(100, 0.95))  # none[n - 1]: no one of n starts finds it
    assert np.argmax(none <= 0.05) + 1 == 59
    assert np.argmax(none <= 0.01) + 1 == 90
    assert np.argmax(none <= 0.5) + 1 == 14
    np.testing.assert_allclose(none[[13, 19, 57, 58]], [0.49, 0.36, 0.051, 0.0485], atol=0.003)
    np.testing.assert_allclose(none[58], 0.0485, atol=5e-5)
    assert none[57] > 0.05 > none[58]
