"""Clusters in the plane: points in the colours of their components."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from emlib import validate
from emlib.blocks import as_one
from emlib.plot.appearance import COLOURS, mixed, number_of, within_reach
from emlib.value import Array

DISC = {"boxstyle": "circle,pad=0.2", "fc": "white", "lw": 1.2}


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
        Where to write the numbers of the components; those that would cover each other stand side by side.
    by_certainty : bool
        Whether the area of a dot is proportional to the square of its largest responsibility.

    Returns
    -------
    callable
        Takes other responsibilities, and other means if there are any, and changes the picture to them.
    """
    X, resp = validate.points(as_one(X), 2), validate.probabilities("resp", as_one(resp))
    N, K = validate.table_of_shares("resp", resp, len(X)).shape
    area = min(30, 9000 / N)
    dots = ax.scatter(X[:, 0], X[:, 1], c=mixed(resp), s=area, lw=0, alpha=0.8)
    numbers, width = [], 0.07 * float(np.ptp(X[:, 0]))
    if means is not None:
        for k in range(K):
            disc = DISC | {"ec": COLOURS[k % len(COLOURS)]}
            numbers.append(number_of(ax, k, va="center", bbox=disc, zorder=5))
    ax.set(xlabel="feature 0", ylabel="feature 1")
    ax.set_aspect("equal", adjustable="datalim")

    def redraw(resp: ArrayLike, means: ArrayLike | None = None) -> None:
        resp = validate.shaped("resp", as_one(resp), (N, K), "as many rows and columns as before")
        dots.set_facecolor(list(map(tuple, mixed(resp))))
        if by_certainty:
            dots.set_sizes(2 * area * resp.max(axis=1) ** 2)
        if means is not None:
            places = validate.shaped("means", means, (len(numbers), 2), "a place for each number drawn")
            for number, place in zip(numbers, within_reach(_side_by_side(places, width), X), strict=True):
                number.set_position(tuple(place))

    redraw(resp, means)
    return redraw


def _side_by_side(places: Array, width: float) -> Array:
    """The places (K, 2), with those that are closer than a width spread out from their middle."""
    close = np.linalg.norm(places[:, None] - places, axis=2) < width
    before = np.tril(close, -1).sum(axis=1)  # how many of its neighbours come first
    after = np.triu(close, 1).sum(axis=1)
    return places + np.outer((before - after) / 2 * width, [1, 0])
