"""Pictures of why EM works, by the data of their artists."""

import numpy as np
import pytest

from emlib import plot


def labelled(ax):
    return {line.get_label(): line for line in ax.get_lines()}


def test_jensen_draws_the_mean_of_the_logs_under_the_log_of_the_mean(ax):
    values, shares = np.array([0.8, 0.1, 0.3]), np.array([0.5, 0.2, 0.3])
    plot.jensen(ax, values, shares)
    lines = labelled(ax)
    x, y = lines["log"].get_data()
    np.testing.assert_allclose(y, np.log(x))
    assert x[0] < 0.1 < 0.8 < x[-1]
    np.testing.assert_allclose(
        lines["the values"].get_xydata(), np.column_stack([np.sort(values), np.log(np.sort(values))])
    )
    np.testing.assert_allclose(lines["gap"].get_xdata(), 0.51)
    np.testing.assert_allclose(lines["gap"].get_ydata(), [shares @ np.log(values), np.log(0.51)])
    assert [text.get_text() for text in ax.texts] == ["log of the mean", "mean of the logs"]


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


def test_waterfall_stacks_three_parts_to_the_log_likelihood(ax):
    ax.set_ylim(-60, -40)
    move_to = plot.waterfall(ax)
    for expected, entropy, gap in [(-54.7, 7.25, 0.625), (-45.0, 3.5, 0.0)]:
        move_to(expected, entropy, gap)
        tops_and_bottoms = [(bar.get_y(), bar.get_y() + bar.get_height()) for bar in ax.patches]
        total = expected + entropy + gap
        np.testing.assert_allclose(
            tops_and_bottoms,
            [(0, expected), (expected, expected + entropy), (expected + entropy, total), (0, total)],
        )
        said = [text.get_text() for text in ax.texts]
        assert said[:4] == [f"{expected:.2f}", f"+{entropy:.2f}", f"+{gap:.2f}", f"{total:.2f}"]
        assert said[4:] == ["from 0", "from 0"]
        # Labels stand outside their bars: under those that hang, above those that stand.
        heights = [text.get_position()[1] for text in ax.texts[:4]]
        assert heights[0] < expected
        assert heights[1] > expected + entropy
        assert heights[2] > total > heights[3]
    assert [label.get_text().split("\n")[0] for label in ax.get_xticklabels()] == [
        "expected",
        "entropy",
        "gap",
        "log-",
    ]
    assert ax.get_ylim() == (-60, -40)


def test_surface_is_highest_where_the_function_is(ax):
    plot.surface(ax, lambda a, b: -20 * ((a - 0.3) ** 2 + (b - 0.7) ** 2), 0, 1, ("a", "b"))
    filled, lines = ax.collections
    *_, top = [path for path in lines.get_paths() if len(path.vertices)]
    np.testing.assert_allclose(top.vertices.mean(axis=0), [0.3, 0.7], atol=0.01)
    radius = np.hypot(*(top.vertices - [0.3, 0.7]).T)
    np.testing.assert_allclose(radius, np.sqrt(0.05 / 20), rtol=0.05)  # the highest line lies 0.05 nats down
    shades = filled.get_facecolor()[:, 0]
    assert (np.diff(shades) < 0).all()  # darker upwards
    assert (ax.get_xlabel(), ax.get_ylabel(), ax.get_aspect()) == ("a", "b", 1.0)


def test_pictures_that_make_no_sense(ax):
    with pytest.raises(ValueError, match="2 numbers greater than 0"):
        plot.jensen(ax, [0.0, 1.0], [0.5, 0.5])
    with pytest.raises(ValueError, match="shares sums to"):
        plot.jensen(ax, [1.0, 2.0], [0.5, 1.0])
    with pytest.raises(ValueError, match="low must be less than high"):
        plot.bound(ax, hill, 2, -2)
    with pytest.raises(ValueError, match="low must be less than high"):
        plot.surface(ax, lambda a, b: a, 1, 0)
