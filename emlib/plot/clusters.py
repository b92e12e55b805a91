"""Clusters in the plane: points in their colours, the circles that k-means thinks in, and the paths of means."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Circle
from numpy.typing import ArrayLike

from emlib import validate
from emlib.plot.look import COLOURS, INK, mixed, number_of
from emlib.validate import Array

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
    X = validate.points(X, 2)
    resp = validate.probabilities("resp", resp)
    area = min(30, 9000 / len(X))
    dots = ax.scatter(X[:, 0], X[:, 1], c=mixed(resp), s=area, lw=0, alpha=0.8)
    numbers, width = [], 0.07 * float(np.ptp(X[:, 0]))
    if means is not None:
        for k in range(resp.shape[1]):
            disc = DISC | {"ec": COLOURS[k % len(COLOURS)]}
            numbers.append(number_of(ax, k, va="center", bbox=disc, zorder=5))
    ax.set(xlabel="feature 0", ylabel="feature 1")
    ax.set_aspect("equal", adjustable="datalim")

    def redraw(resp: ArrayLike, means: ArrayLike | None = None) -> None:
        resp = np.asarray(resp, dtype=float)
        dots.set_facecolor(list(map(tuple, mixed(resp))))
        if by_certainty:
            dots.set_sizes(2 * area * resp.max(axis=1) ** 2)
        if means is not None:
            for number, place in zip(
                numbers, _side_by_side(np.asarray(means, dtype=float), width), strict=True
            ):
                number.set_position(tuple(place))

    redraw(resp, means)
    return redraw


def _side_by_side(places: Array, width: float) -> Array:
    """The places (K, 2), with those that are closer than a width spread out from their middle."""
    close = np.linalg.norm(places[:, None] - places, axis=2) < width
    before = np.tril(close, -1).sum(axis=1)  # how many of its neighbours come first
    after = np.triu(close, 1).sum(axis=1)
    return places + np.outer((before - after) / 2 * width, [1, 0])


def circles(ax: Axes, X: ArrayLike, labels: ArrayLike, means: ArrayLike) -> None:
    """Draw around every mean the circle that reaches to the farthest of its points.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    X : array_like (N, 2)
    labels : array_like (N,)
        The cluster of every point, 0 to K - 1.
    means : array_like (K, 2)
    """
    X, centres, labels = validate.points(X, 2), validate.points(means, 2), np.asarray(labels)
    for k, mean in enumerate(centres):
        radius = np.sqrt(((X[labels == k] - mean) ** 2).sum(axis=1)).max(initial=0.0)
        colour = COLOURS[k % len(COLOURS)]
        ax.add_patch(Circle((mean[0], mean[1]), radius, fc=colour, ec=colour, alpha=0.18, lw=1.5, zorder=0))
    ax.autoscale_view()


def paths(ax: Axes, path: ArrayLike, **style: Any) -> Callable[[ArrayLike], None]:
    """Draw the way that every mean has come, from a ring at its start.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    path : array_like (T, K, 2)
        The means after every step, the start first.
    **style
        Of the lines, as for `ax.plot`.

    Returns
    -------
    callable
        Takes another path of as many means and changes the lines to it.
    """
    steps = validate.finite("path", path)
    if steps.ndim != 3 or steps.shape[2] != 2:
        raise ValueError(f"path has shape {steps.shape}; it must be (T, K, 2): steps, means, the plane")
    look: dict[str, Any] = {"color": INK, "lw": 1.5, "marker": ".", "ms": 5, "zorder": 4} | style
    lines: list[Line2D] = [ax.plot([], [], **look)[0] for _ in range(steps.shape[1])]
    for line in lines[1:]:
        line.set_label("_")  # one entry in a legend is enough
    (rings,) = ax.plot([], [], "o", mfc="none", mec=look["color"], ms=8, mew=1.2, zorder=look["zorder"])

    def redraw(path: ArrayLike) -> None:
        steps = np.asarray(path, dtype=float)
        for line, way in zip(lines, steps.transpose(1, 0, 2), strict=True):
            line.set_data(way[:, 0], way[:, 1])
        rings.set_data(steps[0, :, 0], steps[0, :, 1])

    redraw(steps)
    return redraw
