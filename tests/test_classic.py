"""Coins and genetic linkage, against brute force, published numbers and their own limits."""

import itertools
import pickle
from math import comb

import numpy as np
import pytest
from scipy import stats

from emlib import Collapse, checks, fit, select
from emlib.classic import Coins, Linkage

HEADS = np.array([5, 9, 8, 4, 7])
ANIMALS = np.array([[125, 18, 20, 34]])
LIMIT = (15 + np.sqrt(53809)) / 394

# Coins ----------------------------------------------------------------------------------------------------


def test_coins_walk_the_published_path():
    # Do & Batzoglou (2008), figure 1b, prints two digits: .71 .58 after one iteration, .80 .52 after ten
    trace = fit(Coins([0.6, 0.5], tosses=10), HEADS, tol=1e-12)
    path = np.array([model.probabilities for model in trace.models])
    np.testing.assert_array_equal(path[1].round(2), [0.71, 0.58])
    np.testing.assert_array_equal(path[10].round(2), [0.80, 0.52])
    np.testing.assert_allclose(path[1], [0.713012, 0.581339], atol=5e-7)
    np.testing.assert_allclose(path[10], [0.796744, 0.519659], atol=5e-7)
    np.testing.assert_allclose(path[-1], [0.796789, 0.519583], atol=5e-7)
    # Figure 1b also prints the expected heads and tails of the first E-step: A 21.3 H, 8.6 T; B 11.7 H, 8.4 T.
    first = trace.models[0].expect(HEADS)
    np.testing.assert_allclose(first.heads, [21.3, 11.7], atol=0.06)
    np.testing.assert_allclose(first.flips - first.heads, [8.6, 8.4], atol=0.06)
    assert trace.stop.converged
    checks.monotone(trace)


@pytest.mark.parametrize("probabilities", [[0.6, 0.5], [0.1, 0.8, 0.35], [0.42]])
def test_the_e_step_of_coins_is_a_sum_over_all_ways_to_choose_them(probabilities):
    heads, tosses = np.array([2, 0, 4]), 4
    coins = Coins(probabilities, tosses)
    K, total, expected_heads, expected_flips = len(probabilities), 0.0, 0.0, 0.0
    for chosen in itertools.product(range(K), repeat=len(heads)):
        p = np.array(probabilities)[list(chosen)]
        likelihood = np.prod(p**heads * (1 - p) ** (tosses - heads) / K)
        total += likelihood
        here = np.eye(K)[list(chosen)]  # (N, K)
        expected_heads += likelihood * heads @ here
        expected_flips += likelihood * tosses * here.sum(axis=0)
    statistics = coins.expect(heads)
    np.testing.assert_allclose(statistics.log_likelihood, np.log(total), rtol=1e-13)
    np.testing.assert_allclose(statistics.heads, expected_heads / total, rtol=1e-13)
    np.testing.assert_allclose(statistics.flips, expected_flips / total, rtol=1e-13)
    assert statistics.n_points == len(heads)
    resp = coins.responsibilities(heads)
    checks.probabilities(resp)
    np.testing.assert_allclose(heads @ resp, statistics.heads, rtol=1e-13)
    # Of the numbers alone: SciPy's binomial, and a constant between the two.
    binomial = stats.binom.pmf(heads[:, None], tosses, probabilities).mean(axis=1)
    constant = sum(np.log(comb(tosses, h)) for h in heads)
    np.testing.assert_allclose(statistics.log_likelihood + constant, np.log(binomial).sum(), rtol=1e-12)


def test_rows_add_and_weights_count_them():
    coins = Coins([0.6, 0.5])
    whole, parts = coins.expect(HEADS), coins.expect(HEADS[:2]) + coins.expect(HEADS[2:])
    np.testing.assert_allclose(parts.heads, whole.heads, rtol=1e-14)
    assert parts.log_likelihood == pytest.approx(whole.log_likelihood)
    counts = np.array([2, 0, 1, 3, 1])
    weighted, repeated = coins.expect(HEADS, counts), coins.expect(np.repeat(HEADS, counts))
    np.testing.assert_allclose(weighted.flips, repeated.flips, rtol=1e-14)
    assert (weighted.n_points, weighted.log_likelihood) == (7, pytest.approx(repeated.log_likelihood))


def test_long_rows_do_not_underflow():
    trace = fit(Coins([0.6, 0.5], tosses=100_000), [52_000, 79_000, 51_900], tol=1e-9)
    np.testing.assert_allclose(trace.model.probabilities, [0.79, 0.5195], rtol=1e-9)
    checks.monotone(trace)


def test_a_coin_may_turn_out_to_have_two_equal_sides():
    trace = fit(Coins([0.9, 0.3]), [10, 10, 2, 3], tol=1e-12)
    np.testing.assert_allclose(trace.model.probabilities, [1, 0.25], atol=1e-4)
    checks.monotone(trace)


@pytest.mark.parametrize("gap", [0.0, 1e-9, 1e-7])
def test_two_coins_that_are_one_are_a_saddle(gap):
    with pytest.warns(match="coins 0 and 2 cannot be told apart"):
        trace = fit(Coins([0.6, 0.3, 0.6 + gap]), HEADS, tol=1e-9)
    assert trace.stop.reason == "stalled"
    with pytest.warns(match="coins 0 and 1 cannot be told apart"):
        assert fit(Coins([0.6, 0.6 + gap]), HEADS).stop.reason == "stalled"


@pytest.mark.parametrize("tosses", [10, 1000, 100_000])
def test_from_nearly_equal_coins_em_climbs_or_says_that_it_stalled(tosses):
    rng = np.random.default_rng(0)
    heads = rng.binomial(tosses, rng.choice([0.3, 0.7], 200))
    best = fit(Coins([0.3, 0.7], tosses), heads).objective
    for gap in 10.0 ** -np.arange(2, 16):
        trace = fit(Coins([0.5, 0.5 + gap], tosses), heads, warn=False)
        checks.monotone(trace)
        assert trace.stop.reason in ("converged", "stalled")
        assert trace.stop.converged == (trace.objective > best - 1e-3)


def test_coins_and_linkage_have_their_criteria():
    coins, n = Coins([0.8, 0.5]), len(HEADS)
    # One of two equally likely coins for every row, and its ten flips in their order
    rows = np.log((0.8**HEADS * 0.2 ** (10 - HEADS) + 0.5**10) / 2)
    np.testing.assert_allclose(coins.log_density(HEADS), rows, rtol=1e-13)
    assert coins.n_parameters == 2
    assert select.bic(coins, HEADS) == pytest.approx(2 * np.log(n) - 2 * rows.sum(), rel=1e-13)
    assert select.aic(coins, HEADS) == pytest.approx(4 - 2 * rows.sum(), rel=1e-13)
    twice = 2 * np.log(2 * n) - 4 * rows.sum()
    assert select.bic(coins, HEADS, np.full(n, 2)) == pytest.approx(twice, rel=1e-13)
    assert select.bic(coins, [HEADS, HEADS]) == pytest.approx(twice, rel=1e-13)

    animals = (ANIMALS * np.log([0.65, 0.1, 0.1, 0.15])).sum()
    np.testing.assert_allclose(Linkage(0.6).log_density(ANIMALS), [animals], rtol=1e-13)
    assert select.bic(Linkage(0.6), ANIMALS) == pytest.approx(np.log(197) - 2 * animals, rel=1e-13)


def test_a_coin_without_flips_is_a_collapse():
    coins = Coins([0.5, 0.0])
    with pytest.raises(Collapse, match="coin 1 is left without any flips"):
        coins.maximize(coins.expect([3, 4]))


def test_coins_are_values():
    given = np.array([0.6, 0.5])
    coins = Coins(given, tosses=10)
    given[0] = 0
    assert coins == Coins([0.6, 0.5], tosses=10) == pickle.loads(pickle.dumps(coins))
    assert coins != Coins([0.6, 0.5], tosses=9)
    assert coins.expect(HEADS) == coins.expect(HEADS)
    assert repr(coins) == "Coins([0.6, 0.5], tosses=10)"
    assert len(coins) == 2
    for each in (coins, pickle.loads(pickle.dumps(coins))):
        with pytest.raises(ValueError, match="read-only"):
            each.probabilities[0] = 0
        with pytest.raises(AttributeError):
            each.tosses = 3


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Coins([0.5, 1.2]), "probabilities holds 1.2; a probability lies between 0 and 1"),
        (lambda: Coins([[0.5]]), r"probabilities has shape \(1, 1\); it must be \(K,\)"),
        (lambda: Coins([]), r"it must be \(K,\)"),
        (lambda: Coins([0.5, np.nan]), "probabilities holds nan"),
        (lambda: Coins([0.5], tosses=0), "tosses is 0; it must be at least 1"),
        (lambda: Coins([0.5]).expect([3, 11]), "heads has the value 11; a row has only 10 flips"),
        (lambda: Coins([0.5]).expect([0.3, 0.7]), "they are counts, and not proportions"),
        (lambda: Coins([0.5]).expect([-1]), "whole numbers, 0 or more"),
        (lambda: Coins([0.5]).expect([[1], [2]]), r"heads has shape \(2, 1\); it must be \(N,\)"),
        (lambda: Coins([0.5]).expect([1, 2], [1.0]), r"weights has shape \(1,\)"),
        (lambda: fit(Coins([0.5]), [np.array([1]), np.array([11])]), "block 1 of 2: heads has the value 11"),
        (lambda: Coins([0.5]).log_density([0.5]), "they are counts, and not proportions"),
        (lambda: Coins([0.0, 1.0]).expect([10, 4]), "row 1 has 4 heads in 10 flips, which is impossible"),
    ],
)
def test_coins_that_make_no_sense(call, message):
    with pytest.raises(ValueError, match=message):
        call()


# Linkage ----------------------------------------------------------------------------------------------------


def test_linkage_walks_the_published_path():
    # Dempster, Laird & Rubin (1977), Table 1
    trace = fit(Linkage(0.5), ANIMALS, tol=0, max_iter=8)
    published = [
        0.5,
        0.608247423,
        0.624321051,
        0.626488879,
        0.626777323,
        0.626815632,
        0.626820719,
        0.626821395,
    ]
    path = np.array([model.psi for model in trace.models])
    np.testing.assert_allclose(path[:8], published, atol=1.1e-9)
    errors = path - LIMIT
    np.testing.assert_allclose(
        errors[1:7] / errors[:6], [0.1465, 0.1346, 0.1330, 0.1328, 0.1328, 0.1328], atol=6e-5
    )
    checks.monotone(trace)
    assert fit(Linkage(0.5), ANIMALS, tol=1e-14).model.psi == pytest.approx(LIMIT, abs=1e-8)


def test_the_e_step_of_linkage_is_a_sum_over_all_ways_to_split_the_first_class():
    psi, (mixed, a, b, linked) = 0.3, (6, 2, 1, 3)
    total, hidden = 0.0, 0.0
    for m in range(mixed + 1):
        p = (
            comb(mixed, m)
            * 0.5 ** (mixed - m)
            * (psi / 4) ** m
            * ((1 - psi) / 4) ** (a + b)
            * (psi / 4) ** linked
        )
        total += p
        hidden += p * m
    statistics = Linkage(psi).expect([[mixed, a, b, linked]])
    np.testing.assert_allclose(statistics.log_likelihood, np.log(total), rtol=1e-13)
    np.testing.assert_allclose(statistics.linked, hidden / total + linked, rtol=1e-13)
    assert (statistics.crossed, statistics.n_points) == (3, 12)


def test_the_limit_of_linkage_is_the_highest_place_on_a_grid():
    grid = np.linspace(0.001, 0.999, 99_801)
    counts, p = ANIMALS[0], np.array([2 + grid, 1 - grid, 1 - grid, grid]) / 4
    best = grid[np.argmax(counts @ np.log(p))]
    assert abs(fit(Linkage(0.1), ANIMALS, tol=1e-12).model.psi - best) < 1e-5


def test_experiments_add_and_weights_count_them():
    two = np.array([[125, 18, 20, 34], [60, 9, 8, 20]])
    model = Linkage(0.4)
    together, summed = model.expect(two), model.expect(two.sum(axis=0)[None])
    assert together.linked == pytest.approx(summed.linked)
    assert together.log_likelihood == pytest.approx(summed.log_likelihood)
    weighted = model.expect(two, [2, 1])
    assert weighted.linked == pytest.approx((model.expect(two[:1]) * 2 + model.expect(two[1:])).linked)


@pytest.mark.parametrize("counts", [[[10, 0, 0, 5]], [[10, 4, 5, 0]]])
def test_linkage_at_its_ends(counts):
    trace = fit(Linkage(0.5), np.array(counts), tol=1e-9, max_iter=20_000)
    checks.monotone(trace)
    assert 0 <= trace.model.psi <= 1


def test_psi_0_is_no_maximum_where_the_likelihood_rises_from_there():
    """The slope there is mixed / 2 - crossed: EM stays all the same, since it shares nothing out."""
    with pytest.warns(match="EM cannot leave psi = 0"):
        assert fit(Linkage(0.0), [[10, 2, 1, 0]]).stop.reason == "stalled"
    assert fit(Linkage(0.5), [[10, 2, 1, 0]], tol=1e-14).model.psi == pytest.approx(4 / 13, abs=1e-6)
    assert fit(Linkage(0.0), [[10, 4, 5, 0]]).stop.converged
    assert fit(Linkage(0.5), [[10, 4, 5, 0]]).model.psi < 1e-3


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Linkage(1.5), "psi is 1.5; a probability lies between 0 and 1"),
        (lambda: Linkage("x"), "psi is 'x'; it must be a number"),
        (lambda: Linkage(0.5).expect([125, 18, 20, 34]), r"pass counts\[None\] for one experiment"),
        (lambda: Linkage(0.5).expect([[1, 2, 3]]), r"it must be \(N, 4\)"),
        (lambda: Linkage(0.5).expect([[1, 2, 3, 0.5]]), "counts must be whole numbers, 0 or more"),
        (lambda: Linkage(0.0).expect(ANIMALS), "with psi = 0 some of these animals are impossible"),
        (lambda: Linkage(0.5).maximize(Linkage(0.0).expect([[5, 0, 0, 0]])), "none of these animals tells"),
    ],
)
def test_linkage_that_makes_no_sense(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_linkage_is_a_value():
    assert repr(Linkage(0.5)) == "Linkage(psi=0.5)"
    assert Linkage(0.5) == pickle.loads(pickle.dumps(Linkage(0.5)))
    np.testing.assert_allclose(Linkage(0.4).probabilities, [0.6, 0.15, 0.15, 0.1])
    with pytest.raises(AttributeError):
        Linkage(0.5).psi = 1
