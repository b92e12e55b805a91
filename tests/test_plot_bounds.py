"""The bound and its step, by the data of their artists."""

import numpy as np
import pytest

from emlib import plot


def labelled(ax):
    return {line.get_label(): line for line in ax.get_lines()}


def hill(t):
    return -(t**4) + 2 * t**2


def parabola(t):
    return 1.0 - 5 * (t - 0.9) ** 2 - 0.2


def test_bound_draws_both_curves_and_the_gap_at_the_step(ax):
    move_to = plot.bound(ax, hill, -2, 2, "t")
    lines = labelled(ax)
    for elbo, before, after in [(parabola, 0.5, 0.9), (lambda t: parabola(t) - 1, 0.1, 0.8)]:
        move_to(elbo, before, after)
        for name, function in [("log-likelihood", hill), ("bound (ELBO)", elbo)]:
            x, y = lines[name].get_data()
            assert (x[0], x[-1]) == (-2, 2)
            np.testing.assert_allclose(y, [function(t) for t in x])
        assert lines["before the step"].get_xydata().tolist() == [[before, hill(before)]]
        assert lines["peak of the bound"].get_xydata().tolist() == [[after, elbo(after)]]
        assert lines["after the step"].get_xydata().tolist() == [[after, hill(after)]]
        assert lines["gap (KL)"].get_xydata().tolist() == [[after, elbo(after)], [after, hill(after)]]
    assert len(lines) == len(ax.get_lines()) == 6
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("t", "nats")
    low, high = ax.get_ylim()
    assert low < hill(-2)
    assert high > 1


def test_pictures_that_make_no_sense(ax):
    with pytest.raises(ValueError, match="low must be less than high"):
        plot.bound(ax, hill, 2, -2)


def test_a_log_likelihood_that_is_infinite_at_the_ends(ax):
    plot.bound(ax, lambda p: float(np.log(p) + np.log(1 - p)) if 0 < p < 1 else -np.inf, 0, 1)
    assert np.isfinite(ax.get_ylim()).all()
    with pytest.raises(ValueError, match="not finite anywhere from 2"):
        plot.bound(ax, lambda p: -np.inf, 2, 3)
