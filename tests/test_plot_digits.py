"""Pictures of digits, by the data of their artists."""

import numpy as np
import pytest

from emlib import plot

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


def test_pictures_that_make_no_sense(ax):
    with pytest.raises(ValueError, match="digits has 3 columns; it must have 64: 8 rows of 8 pixels"):
        plot.plate(ax, np.zeros((5, 3)))
    with pytest.raises(ValueError, match="columns is 0"):
        plot.plate(ax, DIGITS, columns=0)
    with pytest.raises(ValueError, match="digits are 7; they must be as many rows of 3 as before"):
        plot.plate(ax, DIGITS[:3], columns=3)(DIGITS)
