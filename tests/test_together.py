"""Many small fits at once: they climb, they end where `fit` ends, and they never stand in a fit's way."""

import numpy as np
import pytest

from emlib import Gaussian, Mixture, Prior, checks, datasets, fit, start
from emlib.select.together import ahead

GEYSER = datasets.old_faithful().X


def samples(n, N=120):
    two = fit(start.k_means(GEYSER, 2, np.random.default_rng(0)), GEYSER).model
    return [two.sample(N, np.random.default_rng(seed))[0] for seed in range(n)]


def height(mixture, X):
    return float(mixture.log_density(X).sum())


@pytest.mark.parametrize("structure", ["full", "diag", "spherical"])
def test_they_end_where_a_fit_alone_ends_and_never_below_their_start(structure):
    data = samples(8)
    floor = start.usual_floor(GEYSER)
    firsts = [
        start.k_means(X, 2, np.random.default_rng(seed), structure=structure, floor=floor)
        for seed, X in enumerate(data)
    ]
    brought = ahead(firsts, data, 1e-10, 6000)
    for first, near, X in zip(firsts, brought, data, strict=True):
        assert height(near, X) >= height(first, X) - 1e-9
        alone = fit(first, X, tol=1e-10, max_iter=20_000)
        after = fit(near, X, tol=1e-10, max_iter=20_000)
        assert checks.monotone(after)
        assert after.stop.n_iter <= 10
        assert after.objective == pytest.approx(alone.objective, abs=1e-6)


def test_one_step_is_that_of_em():
    """With room for one cycle only, and no leap, two plain steps have been made."""
    (X,) = samples(1)
    first = start.from_data(X, 3, np.random.default_rng(0))
    (near,) = ahead([first], [X], 1e-10, 3)
    steps = fit(first, X, tol=0, max_iter=3).models
    # After a cycle the state is the E-step of two M-steps or of a leap; its M-step is no lower than the third.
    assert height(near, X) >= height(steps[3], X) - 1e-9


def test_a_fit_that_collapses_leaves_the_others_whole():
    data = samples(3)
    firsts = [start.k_means(X, 2, np.random.default_rng(0)) for X in data]
    data[1] = np.repeat(data[1][:2], 60, axis=0)  # two places: no covariance, without a floor
    brought = ahead(firsts, data, 1e-8, 300)
    for n in (0, 2):
        assert height(brought[n], data[n]) >= height(firsts[n], data[n]) - 1e-9
        assert fit(brought[n], data[n]).stop.converged


@pytest.mark.parametrize(
    "options",
    [{"structure": "tied"}, {"ridge": 1e-3}, {"prior": Prior.weak(GEYSER, 2)}],
    ids=["tied", "ridge", "prior"],
)
def test_what_is_shaped_by_more_is_left_as_it_is(options):
    first = start.k_means(GEYSER, 2, np.random.default_rng(0), **options)
    assert ahead([first], [GEYSER], 1e-6, 100) == [first]


def test_too_many_points_and_none_are_left_as_they_are():
    first = Mixture([1.0], Gaussian.univariate([0], [1]))
    X = np.zeros((2**22 + 1, 1))
    assert ahead([first], [X], 1e-6, 100) == [first]
    assert ahead([], [], 1e-6, 100) == []


def test_points_far_from_zero_and_close_together_are_no_worse_for_it():
    X = 1e9 + 1e-3 * samples(1)[0]
    first = start.k_means(X, 2, np.random.default_rng(0))
    (near,) = ahead([first], [X], 1e-8, 300)
    assert height(near, X) >= height(first, X) - 1e-3 * abs(height(first, X)) * 1e-6
