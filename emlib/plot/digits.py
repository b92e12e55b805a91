"""Pictures made of digits, and what was measured on several splits."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from emlib import validate
from emlib.plot.look import COLOURS, INK
from emlib.plot.sweeps import LABELS, LOOKS
from emlib.validate import Array

SIDE = 8  # pixels
GAP = 2  # pixels between two digits
MODELS = LOOKS | {"shrunk": (COLOURS[6], "v"), "classes": (INK, "*")}
MEASURES = LABELS | {
    "held_out": "held-out log-likelihood (nats per digit)",
    "near": "median distance of a sample to\nthe nearest training digit",
}


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
    """
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
    X = validate.points(digits)
    if X.shape[1] != SIDE**2:
        raise ValueError(
            f"digits has {X.shape[1]} columns; it must have {SIDE**2}: {SIDE} rows of {SIDE} pixels"
        )
    rows = -(-len(X) // columns)
    cells = np.zeros((rows * columns, SIDE + GAP, SIDE + GAP))
    cells[: len(X), GAP // 2 : SIDE + GAP // 2, GAP // 2 : SIDE + GAP // 2] = X.reshape(-1, SIDE, SIDE)
    table = cells.reshape(rows, columns, SIDE + GAP, SIDE + GAP).transpose(0, 2, 1, 3)
    return table.reshape(rows * (SIDE + GAP), columns * (SIDE + GAP))


def over_splits(
    ax: Axes, table: Mapping[str, Any], measure: str, models: Sequence[str] = tuple(LOOKS)
) -> dict[str, int]:
    """Draw a measure by the number of components: for each model the mean over splits, the range, and the best K.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    table : mapping of columns, such as a pandas.DataFrame
        With the columns "model", "K", "split" and the measure; a row for each fit.
    measure : str
        The name of a column. "aic", "bic" and "near" are best where they are smallest, log-likelihoods where they are
        largest.
    models : sequence of str

    Returns
    -------
    dict
        For each model the K whose mean is best; there is a ring around it.
    """
    validate.one_of("measure", measure, tuple(table))
    names, numbers = np.asarray(table["model"]), np.asarray(table["K"], dtype=float)
    values, best = np.asarray(table[measure], dtype=float), {}
    for model in models:
        validate.one_of("model", model, tuple(MODELS))
        own = (names == model) & np.isfinite(values)
        if not own.any():
            raise ValueError(f"the table has no {measure} of the model {model!r}")
        K = np.unique(numbers[own])
        found = [values[own & (numbers == k)] for k in K]
        mean = np.array([v.mean() for v in found])
        colour, marker = MODELS[model]
        ax.plot(K, mean, color=colour, marker=marker, ms=6, lw=1.5, label=model)
        ax.fill_between(K, [v.min() for v in found], [v.max() for v in found], color=colour, alpha=0.18, lw=0)
        top = int(np.argmin(mean) if measure in ("aic", "bic", "near") else np.argmax(mean))
        ax.plot(K[top], mean[top], "o", ms=13, mfc="none", mec=colour, mew=1.8)
        best[model] = int(K[top])
    ax.set_xscale("log")
    ax.set_xticks([1, 3, 10, 30, 100], ["1", "3", "10", "30", "100"])
    ax.minorticks_off()
    ax.set(xlabel="number of components, K", ylabel=MEASURES.get(measure, measure))
    return best
