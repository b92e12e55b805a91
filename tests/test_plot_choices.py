"""Pictures of likelihood ratios and of choices, by the data of their artists."""

import numpy as np
import pytest
from scipy.stats import binomtest, chi2

from emlib import plot


def test_bars_hold_what_is_above_zero_and_the_line_the_rest(ax):
    ratios = np.concatenate([np.zeros(30), np.random.default_rng(0).chisquare(3, size=70)])
    plot.null(ax, ratios, degrees=3, observed=12.5)
    (bars,) = ax.patches
    data = bars.get_data()
    np.testing.assert_allclose((data.values * np.diff(data.edges)).sum(), 0.7)
    counts = np.histogram(ratios[ratios > 0], data.edges)[0]
    np.testing.assert_allclose(data.values * np.diff(data.edges), counts / 100)
    zero, curve, mark = ax.lines
    assert zero.get_label() == "exactly 0: 30%"
    np.testing.assert_allclose(curve.get_ydata(), chi2.pdf(curve.get_xdata(), 3), rtol=1e-10)
    assert set(mark.get_xdata()) == {12.5}
    assert ax.get_xlim()[1] > 12.5
    assert "nats" in ax.get_xlabel()


def test_without_zeros_degrees_or_data_there_are_only_bars(ax):
    plot.null(ax, [1.0, 2.0, 4.0])
    assert not ax.lines
    with pytest.raises(ValueError, match="none of them below 0"):
        plot.null(ax, [-1.0, 2.0])
    with pytest.raises(ValueError, match="some above"):
        plot.null(ax, [0.0, 0.0])
    with pytest.raises(ValueError, match="degrees is 0"):
        plot.null(ax, [1.0], degrees=0)


def test_cells_show_counts_and_wear_their_shares(ax):
    redraw = plot.chosen(ax, ["AIC", "BIC"], range(1, 4), true=3)
    for counts in ([[1, 0, 3], [0, 4, 0]], [[0, 0, 2], [5, 5, 0]]):
        redraw(counts)
        table = np.array(counts)
        (image,) = ax.images
        np.testing.assert_allclose(image.get_array(), table / table.sum(axis=1, keepdims=True))
        assert [text.get_text() for text in ax.texts] == [str(n) if n else "" for n in table.ravel()]
    (frame,) = ax.patches
    assert (frame.get_x(), frame.get_width()) == (1.5, 1)
    assert [label.get_text() for label in ax.get_yticklabels()] == ["AIC", "BIC"]
    with pytest.raises(ValueError, match="counts has shape"):
        redraw([[1, 2, 3]])


def test_hits_have_wilsons_intervals(ax):
    plot.hits(ax, [50, 100], {"AIC": [30, 80], "BIC": [0, 100]}, 100)
    for line, bars, counts in zip(ax.lines, ax.collections, ([30, 80], [0, 100]), strict=True):
        np.testing.assert_allclose(line.get_ydata(), np.array(counts) / 100)
        for (low, high), n in zip([s[:, 1] for s in bars.get_segments()], counts, strict=True):
            exact = binomtest(n, 100).proportion_ci(method="wilson")
            np.testing.assert_allclose([low, high], [exact.low, exact.high], atol=1e-12)
    with pytest.raises(ValueError, match="must be one of 'AIC'"):
        plot.hits(ax, [50], {"EBIC": [1]}, 10)


def test_choices_that_make_no_sense(ax):
    redraw = plot.chosen(ax, ["AIC", "BIC"], [1, 2])
    for counts in ([[0, 0], [1, 2]], [[-1, 2], [1, 2]]):
        with pytest.raises(ValueError, match="every row must have some above"):
            redraw(counts)
    with pytest.raises(ValueError, match="true is 9; it must be one of Ks"):
        plot.chosen(ax, ["AIC"], [1, 2], true=9)
    with pytest.raises(ValueError, match="AIC must be counts from 0 to 10"):
        plot.hits(ax, [50], {"AIC": [11]}, 10)
    with pytest.raises(ValueError, match="samples is None"):
        plot.hits(ax, [50], {"AIC": [1]}, None)
    with pytest.raises(ValueError, match="observed"):
        plot.null(ax, [0.1, 0.2], observed="much")


def test_what_asks_for_a_ratio_stands_where_it_asks_for_one(ax):
    plot.null(ax, [1.0, 2.0, 4.0], observed=3.0, bars={"AIC": 6.0, "5%": 7.5, "BIC": 31.4})
    assert [line.get_xdata()[0] for line in ax.lines] == [6.0, 7.5, 31.4, 3.0]
    assert [line.get_label() for line in ax.lines] == ["AIC: 6.0", "5%: 7.5", "BIC: 31.4", "data: 3.0"]
    assert len({line.get_color() for line in ax.lines}) == 4
    assert ax.get_xlim()[1] > 31.4
    with pytest.raises(ValueError, match="BIC"):
        plot.null(ax, [1.0], bars={"BIC": "high"})


def test_small_ratios_have_bars_of_their_own(ax):
    plot.null(ax, np.linspace(0.01, 0.4, 60))
    (bars,) = ax.patches
    assert (bars.get_data().values > 0).sum() > 20


def test_infinite_ratios_are_counted_and_not_drawn(ax):
    plot.null(ax, [0.0, 1.0, 2.0, np.inf])
    (bars,) = ax.patches
    assert bars.get_label() == "4 simulated, 1 infinite"
    data = bars.get_data()
    np.testing.assert_allclose((data.values * np.diff(data.edges)).sum(), 0.5)
    assert ax.lines[0].get_label() == "exactly 0: 25%"


def test_shares_lie_between_0_and_1():
    with pytest.raises(ValueError, match=r"share runs from 0\.2 to 1\.5; shares lie between 0 and 1"):
        plot.wilson([0.2, 1.5], 10)
