"""Clusters in the plane: points in the colours of their components."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from emlib import validate
from emlib.blocks import as_one
from emlib.plot.appearance import COLOURS, axes, mixed, number_of, within_reach
from emlib.value import Array

DISC = {"boxstyle": "circle,pad=0.2", "fc": "white", "lw": 1.2}
NOTE = {"boxstyle": "round,pad=0.2", "fc": "white", "ec": "none", "alpha": 0.85}


def clusters(
    ax: Axes, X: ArrayLike, resp: ArrayLike, means: ArrayLike | None = None, by_certainty: bool = False
) -> Callable[..., None]:
    """Draw points in the colours of their responsibilities, soft or hard.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    X : array_like (N, 2)
    resp : array_like (N, K)
        Rows sum to one; for hard clusters they are zeros and a one.
    means : array_like (K, 2), optional
        Where to write the numbers of the components; where several would cover each other, a note says how many.
    by_certainty : bool
        Whether the area of a dot is proportional to the square of its largest responsibility.

    Returns
    -------
    callable
        Takes other responsibilities, and other means if there are any, and changes the picture to them.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from emlib import datasets, plot, start
    >>> data = datasets.skewed_blobs()
    >>> mixture = start.from_labels(data.X, data.labels)
    >>> figure, ax = plt.subplots()
    >>> _ = plot.clusters(ax, data.X, mixture.responsibilities(data.X), mixture.components.means)
    >>> len(ax.collections[0].get_offsets()), [text.get_text() for text in ax.texts if text.get_text()]
    (500, ['0', '1', '2'])
    >>> plt.close(figure)
    """
    axes(ax)
    X = validate.points(as_one(X), 2, beside="the picture")
    N, K = validate.table_of_shares("resp", as_one(resp), len(X)).shape
    resp = validate.probabilities("resp", as_one(resp))
    validate.truth("by_certainty", by_certainty)
    area = min(30, 9000 / N)
    dots = ax.scatter(X[:, 0], X[:, 1], c=mixed(resp), s=area, lw=0, alpha=0.8)
    numbers, notes, size = [], [], 0.03 * float(np.ptp(X[:, 0]))  # half a badge wide
    if means is not None:
        for k in range(K):
            disc = DISC | {"ec": COLOURS[k % len(COLOURS)]}
            numbers.append(number_of(ax, k, va="center", bbox=disc, zorder=5))
            notes.append(ax.text(0, 0, "", ha="left", va="center", bbox=NOTE, clip_on=True, zorder=6))
    ax.set(xlabel="feature 0", ylabel="feature 1")
    ax.set_aspect("equal", adjustable="datalim")

    def redraw(resp: ArrayLike, means: ArrayLike | None = None) -> None:
        resp = validate.shaped("resp", as_one(resp), (N, K), "as many rows and columns as before")
        dots.set_facecolor(list(map(tuple, mixed(resp))))
        if by_certainty:
            dots.set_sizes(2 * area * resp.max(axis=1) ** 2)
        if means is not None:
            means = validate.shaped("means", means, (len(numbers), 2), "a place for each number drawn")
            places = within_reach(means, X)
            for number, note, place, here in zip(
                numbers, notes, places, _together(places, size), strict=True
            ):
                number.set_position(tuple(place))
                note.set_position((place[0] + 1.5 * size, place[1]))
                note.set_text(f"{here} means here" if here > 1 else "")

    redraw(resp, means)
    return redraw


def _together(places: Array, size: float) -> list[int]:
    """How many of the places (K, 2) are within a size of this one; 0 where an earlier one has counted it."""
    close = np.linalg.norm(places[:, None] - places, axis=2) < size
    counted = np.tril(close, -1).any(axis=1)
    return [0 if before else int(here.sum()) for before, here in zip(counted, close, strict=True)]
