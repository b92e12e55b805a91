"""Pictures of digits, by the data of their artists."""

import numpy as np
import pytest
from matplotlib.colors import to_rgb

from emlib import plot
from emlib.plot.digits import MODELS

RNG = np.random.default_rng(0)
DIGITS = RNG.integers(0, 17, size=(7, 64)).astype(float)


def test_every_digit_stands_upright_in_its_place(ax):
    redraw = plot.plate(ax, DIGITS, columns=3)
    for digits in (DIGITS, DIGITS[::-1]):
        redraw(digits)
        (image,) = ax.images
        picture = np.asarray(image.get_array())
        assert picture.shape == (30, 30)
        for n, digit in enumerate(digits):
            row, column = divmod(n, 3)
            cell = picture[10 * row : 10 * row + 10, 10 * column : 10 * column + 10]
            np.testing.assert_array_equal(cell[1:9, 1:9], digit.reshape(8, 8))
            assert cell.sum() == digit.sum()
        assert not picture[20:, 10:].any()  # two places are empty
    assert image.get_clim() == (0, 16)
    assert np.allclose(image.cmap(image.norm(0.0))[:3], 1)  # paper is white, ink is black
    assert np.allclose(image.cmap(image.norm(16.0))[:3], 0)


TABLE = {
    "model": ["full"] * 6 + ["tied"] * 6,
    "K": [1, 1, 3, 3, 9, 9] * 2,
    "split": [0, 1] * 6,
    "held_out": [-5.0, -4, -3, -2, -9, -7, -6, -6, -5, -5, -4, -3],
    "aic": [10.0, 12, 5, 6, 1, 2] + [np.nan] * 6,
}


def test_lines_are_means_over_splits_with_their_range_and_a_ring_at_the_best(ax):
    assert plot.over_splits(ax, TABLE, "held_out", ["full", "tied"]) == {"full": 3, "tied": 9}
    full, ring, tied, other = ax.get_lines()
    np.testing.assert_array_equal(full.get_xydata(), [[1, -4.5], [3, -2.5], [9, -8]])
    np.testing.assert_array_equal(tied.get_xydata(), [[1, -6], [3, -5], [9, -3.5]])
    np.testing.assert_array_equal(ring.get_xydata(), [[3, -2.5]])
    np.testing.assert_array_equal(other.get_xydata(), [[9, -3.5]])
    assert [line.get_color() for line in (full, tied)] == [MODELS[m][0] for m in ("full", "tied")]
    heights = ax.collections[0].get_paths()[0].vertices[:, 1]
    assert (heights.min(), heights.max()) == (-9, -2)
    assert "held-out" in ax.get_ylabel()
    assert ax.get_xlabel()
    assert ax.get_xscale() == "log"


def test_criteria_are_best_where_they_are_smallest(ax):
    assert plot.over_splits(ax, TABLE, "aic", ["full"]) == {"full": 9}
    renamed = {**TABLE, "train": TABLE["held_out"]}
    assert plot.over_splits(ax, renamed, "train", ["full"]) == {"full": 3}


def test_models_have_looks_of_their_own():
    assert len({to_rgb(colour) for colour, _ in MODELS.values()}) == len(MODELS)
    assert len({marker for _, marker in MODELS.values()}) == len(MODELS)


def test_pictures_that_make_no_sense(ax):
    with pytest.raises(ValueError, match="digits has 3 columns; it must have 64: 8 rows of 8 pixels"):
        plot.plate(ax, np.zeros((5, 3)))
    with pytest.raises(ValueError, match="columns is 0"):
        plot.plate(ax, DIGITS, columns=0)
    with pytest.raises(ValueError, match="digits are 7; they must be as many rows of 3 as before"):
        plot.plate(ax, DIGITS[:3], columns=3)(DIGITS)
    with pytest.raises(ValueError, match="measure is 'bic'; it must be one of"):
        plot.over_splits(ax, TABLE, "bic", ["full"])
    with pytest.raises(ValueError, match="the table has no aic of the model 'tied'"):
        plot.over_splits(ax, TABLE, "aic", ["tied"])
    with pytest.raises(ValueError, match="model is 'round'"):
        plot.over_splits(ax, TABLE, "aic", ["round"])
