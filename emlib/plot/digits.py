"""Pictures made of digits."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from emlib import validate
from emlib.plot import common
from emlib.value import Array

SIDE = 8  # pixels
GAP = 2  # pixels between two digits


def plate(ax: Axes, digits: ArrayLike, columns: int = 10) -> Callable[[ArrayLike], None]:
    """Draw digits side by side, ink on paper; a pixel below 0 is drawn as 0 and one above 16 as 16.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    digits : array_like (N, 64)
        Pixels, 0 to 16, row by row.
    columns : int
        How many in a row.

    Returns
    -------
    callable
        Takes as many other digits and changes the picture to them.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from emlib import datasets, plot
    >>> figure, ax = plt.subplots()
    >>> _ = plot.plate(ax, datasets.digits().X[:20], columns=10)
    >>> ax.images[0].get_array().shape  # two rows of ten, each digit with a margin of a pixel
    (20, 100)
    >>> plt.close(figure)
    """
    common.axes(ax)
    columns = validate.count("columns", columns)
    image = ax.imshow(_mosaic(digits, columns), cmap="gray_r", vmin=0, vmax=16, interpolation="nearest")
    left, right = ax.get_xlim()
    ax.set_xlim(left - GAP, right + GAP)  # so that two plates side by side are two
    ax.set_axis_off()

    def redraw(digits: ArrayLike) -> None:
        mosaic = _mosaic(digits, columns)
        if mosaic.shape != image.get_array().shape:  # type: ignore[union-attr]
            raise ValueError(
                f"digits are {len(np.asarray(digits))}; they must be as many rows of {columns} as before"
            )
        image.set_data(mosaic)

    return redraw


def _mosaic(digits: ArrayLike, columns: int) -> Array:
    """The digits in one array, row by row, with a margin around each."""
    X = validate.points(digits, name="digits")
    if X.shape[1] != SIDE**2:
        raise ValueError(
            f"digits has {X.shape[1]} columns; it must have {SIDE**2}: {SIDE} rows of {SIDE} pixels"
        )
    margin = (GAP // 2, GAP // 2)
    cells = np.pad(
        X.reshape(-1, SIDE, SIDE), [(0, -len(X) % columns), margin, margin]
    )  # the last row is filled up
    table = cells.reshape(-1, columns, SIDE + GAP, SIDE + GAP).swapaxes(1, 2)
    return table.reshape(-1, columns * (SIDE + GAP))
