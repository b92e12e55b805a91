"""A mixture on a line: its densities, and the responsibilities under them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from matplotlib.axes import Axes
from matplotlib.text import Text
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike

from emlib import validate
from emlib.blocks import as_one
from emlib.mixture import Mixture
from emlib.plot import common
from emlib.plot.appearance import INK, colour
from emlib.value import Array

DIGIT = 0.05  # what a component's number needs, as a part of the axis


def line(
    ax: Axes,
    mixture: Mixture,
    X: ArrayLike | None = None,
    low: float | None = None,
    high: float | None = None,
    top: float | None = None,
    ringed: int | None = None,
) -> Callable[[Mixture], None]:
    """Draw a mixture on a line, and under it points in the colours of their responsibilities.

    Every component is drawn at its height in the mixture, pi_k times its density, with its number on top; a
    dashed line is their sum.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    mixture : Mixture
        In one dimension.
    X : array_like (N, 1), optional
    low, high : float, optional
        Ends of the axis; by default a little beyond the points, or four standard deviations beyond the means.
    top : float, optional
        Height of the axis; by default a little above the mixture.
    ringed : int, optional
        The row of X to draw larger, with a dark ring, so that the eye can follow it.

    Returns
    -------
    callable
        Takes another mixture and moves what is drawn to it: much faster than to draw anew.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from emlib import datasets, plot, start
    >>> data = datasets.three_clusters()
    >>> figure, ax = plt.subplots()
    >>> _ = plot.line(ax, start.from_labels(data.X, data.labels), data.X)
    >>> ax.get_ylabel(), [text.get_text() for text in ax.texts]
    ('density', ['0', '1', '2'])
    >>> plt.close(figure)
    """
    common.axes(ax)
    common.in_dimensions(mixture, 1)
    points = points_on_line(X, ringed)
    low, high = ends(mixture, points, low, high)

    def heights(mixture: Mixture) -> tuple[Array, Array]:
        grid = _grid(mixture, low, high)
        with np.errstate(under="ignore"):
            return grid, (np.exp(mixture.components.log_density(grid[:, None])) * mixture.weights).T  # (K, G)

    top = validate.positive("top", 1.2 * heights(mixture)[1].sum(axis=0).max() if top is None else top)
    each = range(len(mixture))
    fills = [ax.fill_between([], [], color=colour(k), alpha=0.35, lw=0) for k in each]
    curves = [ax.plot([], [], color=colour(k), lw=1.5, label=f"component {k}")[0] for k in each]
    (total,) = ax.plot([], [], color=INK, lw=1.5, ls="--", label="mixture")
    numbers = [common.number_of(ax, k, va="bottom") for k in each]
    recolour_dots = _dots(ax, points, top, ringed)
    ax.axhline(0, color=INK, lw=0.8)
    ax.set(xlim=(low, high), ylim=(0 if points is None else -0.2 * top, top), xlabel="x", ylabel="density")
    ax.set_yticks([tick for tick in MaxNLocator(4).tick_values(0, top) if 0 <= tick <= top])

    def redraw(mixture: Mixture) -> None:
        common.same_kind(mixture, len(curves), 1)
        grid, parts = heights(mixture)
        for fill, curve, part in zip(fills, curves, parts, strict=True):
            fill.set_data(grid, part, 0)
            curve.set_data(grid, part)
        _number(numbers, grid, parts, low, high, top)
        total.set_data(grid, parts.sum(axis=0))
        recolour_dots(mixture)

    redraw(mixture)
    return redraw


def _number(numbers: list[Text], grid: Array, parts: Array, low: float, high: float, top: float) -> None:
    """Put each component's number on top of its peak, or beside a peak that the picture cuts off."""
    peaks = parts.argmax(axis=1)
    heights = parts.sum(axis=0)[peaks] + 0.01 * top
    beside = np.where(heights > 0.9 * top, 0.015 * (high - low), 0)
    places = list(zip(grid[peaks] + beside, np.minimum(heights, 0.9 * top), strict=True))
    for number, place in zip(numbers, _side_by_side(places, DIGIT * (high - low), 0.06 * top), strict=True):
        number.set_position(place)


def _side_by_side(places: list[tuple[float, float]], wide: float, high: float) -> list[tuple[float, float]]:
    """Places for texts, moved sideways where they would lie on each other, in their order."""
    groups: dict[int, list[int]] = {}  # by their first
    for k, (x, y) in enumerate(places):
        near = (j for j in groups if abs(x - places[j][0]) < wide and abs(y - places[j][1]) < high)
        groups.setdefault(next(near, k), []).append(k)
    moved = list(places)
    for group in groups.values():
        middle = sum(places[k][0] for k in group) / len(group)
        for n, k in enumerate(group):
            moved[k] = middle + (n - (len(group) - 1) / 2) * wide, places[k][1]
    return moved


def _grid(mixture: Mixture, low: float, high: float) -> Array:
    """Where to compute the densities: fine enough for the narrowest component."""
    components = common.in_dimensions(mixture, 1)
    return common.fine_grid(low, high, 600, components.means[:, 0], np.sqrt(components.variances[:, 0]))


def points_on_line(X: ArrayLike | None, ringed: int | None) -> Array | None:
    """The points, (N, 1), if there are any, and if the one to be ringed is one of them."""
    if X is None:
        if ringed is not None:
            raise ValueError(f"ringed is {ringed!r}, and there are no points: give X too")
        return None
    points = validate.points(as_one(X), 1)
    if ringed is not None:
        validate.count("ringed", ringed, least=0, most=len(points) - 1, why=", the last row of X")
    return points


def _dots(ax: Axes, x: Array | None, top: float, ringed: int | None) -> Callable[[Mixture], None]:
    """Draw the points under the axis, if there are any; returns what gives them their colours under a mixture."""
    if x is None:
        return lambda mixture: None
    # Four rows in turn keep close points apart.
    rows = -top * (0.06 + 0.08 * (np.arange(len(x)) % 4) / 3)
    dots = ax.scatter(x[:, 0], rows, c=INK, s=34, edgecolors="white", linewidths=0.6, zorder=3)
    if ringed is not None:
        chosen = np.arange(len(x)) == ringed
        dots.set(sizes=np.where(chosen, 90, 34), linewidths=np.where(chosen, 2, 0.6))
        dots.set_edgecolor(np.where(chosen, INK, "white").tolist())
    return lambda mixture: common.recolour(dots, mixture.responsibilities(x))


def shares(
    ax: Axes, mixture: Mixture, low: float | None = None, high: float | None = None
) -> Callable[[Mixture], None]:
    """Draw the responsibilities along a line as layers: at every x they fill the height from 0 to 1.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    mixture : Mixture
        In one dimension.
    low, high : float, optional
        Ends of the axis; by default four standard deviations beyond the means.

    Returns
    -------
    callable
        Takes another mixture and moves what is drawn to it.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from emlib import datasets, plot, start
    >>> data = datasets.three_clusters()
    >>> figure, ax = plt.subplots()
    >>> _ = plot.shares(ax, start.from_labels(data.X, data.labels), low=-15, high=15)
    >>> len(ax.collections), ax.get_ylim() == (0, 1)  # a layer for each component
    (3, True)
    >>> plt.close(figure)
    """
    common.axes(ax)
    low, high = ends(mixture, None, low, high)
    fills = [ax.fill_between([], [], color=colour(k), alpha=0.75, lw=0) for k in range(len(mixture))]
    ax.set(xlim=(low, high), ylim=(0, 1), yticks=[0, 0.5, 1], xlabel="x", ylabel="responsibility")

    def redraw(mixture: Mixture) -> None:
        common.same_kind(mixture, len(fills), 1)
        grid = _grid(mixture, low, high)
        layers = mixture.responsibilities(grid[:, None]).cumsum(axis=1).T  # (K, G)
        for fill, below, above in zip(fills, [np.zeros_like(grid), *layers[:-1]], layers, strict=True):
            fill.set_data(grid, below, above)

    redraw(mixture)
    return redraw


def ends(mixture: Mixture, x: Array | None, low: float | None, high: float | None) -> tuple[float, float]:
    """The ends of the axis, as given or around the points or the components."""
    components = common.in_dimensions(mixture, 1)
    counted = mixture.weights > 0  # a component without weight is nowhere to be seen
    means, deviations = components.means[counted, 0], np.sqrt(components.variances[counted, 0])
    around = (means - 4 * deviations).min(), (means + 4 * deviations).max()
    if x is not None:
        margin = 0.05 * (x.max() - x.min())
        if margin > 0:  # else all points are one
            around = x.min() - margin, x.max() + margin
    return common.interval(around[0] if low is None else low, around[1] if high is None else high)
