"""Leaps: to the place where plain steps lead, in fewer of them, and never down."""

import numpy as np
import pytest
import toys

from emlib import Gaussian, Mixture, Prior, checks, em, fit, squarem, start
from emlib.classic import Coins, Linkage


def overlapping(seed, N=900, D=2):
    """Clusters so close together that EM is slow."""
    rng = np.random.default_rng(seed)
    centres = np.eye(3, D) * 2.2
    return centres[rng.integers(0, 3, N)] + rng.normal(size=(N, D))


def both(model, data, weights=None, **keywords):
    plain, leaping = (
        fit(model, data, weights, max_iter=50_000, keep="values", accelerate=accelerate, **keywords)
        for accelerate in (False, True)
    )
    for trace in (plain, leaping):
        assert trace.stop.converged, trace.stop
        checks.monotone(trace)
    return plain, leaping


@pytest.mark.parametrize("structure", ["full", "tied", "diag", "spherical"])
def test_the_limit_is_the_same_and_the_way_is_shorter(structure):
    saved = []
    for seed in range(3):
        X = overlapping(seed)
        first = start.k_means(X, 3, np.random.default_rng(seed), structure=structure)
        plain, leaping = both(first, X, tol=1e-8)
        # Both may be off by the tolerance, and a leap may lead on to a better place.
        assert leaping.objectives[-1] > plain.objectives[-1] - 3e-8 * len(X)
        saved.append(plain.stop.n_iter / leaping.stop.n_iter)
    assert np.exp(np.mean(np.log(saved))) > 1.5


@pytest.mark.parametrize("tol", [1e-4, 1e-6])
def test_what_is_left_is_below_tol_after_leaps_too(tol):
    """A leap wakes fast directions, and their gains hide how slow the others are.

    The distance to the limit is an estimate: allow it three times tol, or what plain steps leave.
    """
    for seed in range(6):
        rng = np.random.default_rng(seed)
        X = np.concatenate([rng.normal(0, 1, (700, 1)), rng.normal(1.8, 1, (300, 1))])
        first = start.k_means_plus_plus(X, 2, rng)
        plain, leaping = both(first, X, tol=tol)
        limit = fit(leaping.model, X, tol=1e-11, max_iter=50_000, keep="values").objectives[-1]
        allowed = max(3 * tol * len(X), 1.1 * (limit - plain.objectives[-1]))
        assert limit - leaping.objectives[-1] < allowed


def test_with_weights_and_a_prior():
    X = overlapping(5)
    weights = np.random.default_rng(0).uniform(0.5, 2, len(X))
    first = start.k_means(X, 3, np.random.default_rng(0), prior=Prior.weak(X, 3))
    first = Mixture(first.weights, first.components, weight_count=1)
    plain, leaping = both(first, X, weights, tol=1e-8)
    assert leaping.objectives[-1] == pytest.approx(plain.objectives[-1], abs=1e-4)


def test_any_model_whose_statistics_add_can_leap():
    plain, leaping = both(Coins([0.6, 0.5]), [5, 9, 8, 4, 7], tol=1e-10)
    np.testing.assert_allclose(leaping.model.probabilities, [0.796789, 0.519583], atol=2e-5)
    assert leaping.stop.n_iter <= plain.stop.n_iter

    plain, leaping = both(Linkage(0.5), [[125, 18, 20, 34]], tol=1e-12)
    assert leaping.model.psi == pytest.approx((15 + np.sqrt(53809)) / 394, abs=1e-6)

    rng = np.random.default_rng(0)
    sequences = [rng.integers(0, 3, size=15) for _ in range(2)]
    emissions = np.array([[0.5, 0.3, 0.2], [0.2, 0.3, 0.5]])
    chain = toys.Chain(np.array([0.6, 0.4]), np.array([[0.7, 0.3], [0.4, 0.6]]), emissions)
    plain, leaping = both(chain, sequences, tol=1e-6)
    assert leaping.objectives[-1] > plain.objectives[-1] - 1e-3
    assert leaping.stop.n_iter < plain.stop.n_iter


def test_a_leap_says_so_and_is_no_m_step_of_the_model_before():
    X = overlapping(1)
    first = start.k_means(X, 3, np.random.default_rng(0))
    steps = []
    for step in squarem(first, X):
        steps.append(step)
        if step.number > 60:
            break
    assert not steps[0].jump
    leaps = [i for i, step in enumerate(steps) if step.jump]
    assert len(leaps) > 5
    for i in leaps:
        m_step = steps[i - 1].model.maximize(steps[i - 1].statistics)
        assert np.abs(m_step.components.means - steps[i].model.components.means).max() > 1e-9
        assert steps[i].objective >= steps[i - 1].objective
    for i in set(range(1, len(steps))) - set(leaps):
        m_step = steps[i - 1].model.maximize(steps[i - 1].statistics)
        np.testing.assert_array_equal(m_step.components.means, steps[i].model.components.means)


def test_leaps_may_be_forbidden_and_then_it_is_plain_em():
    X = overlapping(2)
    first = start.k_means(X, 3, np.random.default_rng(0))
    for plain, leaping in zip(em(first, X), squarem(first, X, leaps=lambda: False), strict=False):
        assert plain.objective == leaping.objective
        assert plain.number == leaping.number
        if plain.number == 20:
            break


def test_a_leap_into_the_impossible_is_taken_back():
    """A component about to die: extrapolated, its count is negative."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 1))
    first = Mixture([0.5, 0.5], Gaussian.univariate([0.0, 0.3], [1.0, 4.0]))
    trace = fit(first, X, tol=1e-9, max_iter=20_000, keep="values", accelerate=True)
    checks.monotone(trace)
    assert (trace.model.weights > 0).all()
