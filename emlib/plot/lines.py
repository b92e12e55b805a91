"""A mixture on a line: its densities, and the responsibilities under them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike

from emlib import validate
from emlib.mixture import Mixture
from emlib.plot.look import INK, cycled, in_dimensions, mixed, number_of
from emlib.validate import Array


def line(
    ax: Axes,
    mixture: Mixture,
    X: ArrayLike | None = None,
    low: float | None = None,
    high: float | None = None,
    top: float | None = None,
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

    Returns
    -------
    callable
        Takes another mixture and moves what is drawn to it: much faster than to draw anew.
    """
    in_dimensions(mixture, 1)
    low, high = ends(mixture, X, low, high)
    grid = np.linspace(low, high, 600)

    def heights(mixture: Mixture) -> Array:
        return (np.exp(mixture.components.log_density(grid[:, None])) * mixture.weights).T  # (K, 600)

    parts = heights(mixture)
    top = float(1.2 * parts.sum(axis=0).max()) if top is None else validate.number("top", top)
    if top <= 0:
        raise ValueError(f"top is {top}; it must be greater than 0")
    fills = [
        ax.fill_between(grid, p, color=c, alpha=0.35, lw=0) for p, c in zip(parts, cycled(), strict=False)
    ]
    names = [f"component {k}" for k in range(len(parts))]
    curves = [
        ax.plot(grid, p, color=c, lw=1.5, label=name)[0]
        for p, c, name in zip(parts, cycled(), names, strict=False)
    ]
    (total,) = ax.plot(grid, parts.sum(axis=0), color=INK, lw=1.5, ls="--", label="mixture")
    ax.axhline(0, color=INK, lw=0.8)
    ax.set(xlim=(low, high), ylim=(0, top), xlabel="x", ylabel="density")
    ticks = [tick for tick in MaxNLocator(4).tick_values(0, top) if 0 <= tick <= top]
    if X is not None:
        x = validate.points(X, 1)[:, 0]
        # Four rows in turn keep close points apart.
        rows = -top * (0.06 + 0.08 * (np.arange(len(x)) % 4) / 3)
        dots = ax.scatter(
            x, rows, c=mixed(mixture.responsibilities(X)), s=34, edgecolors="white", linewidths=0.6, zorder=3
        )
        ax.set_ylim(-0.2 * top, top)
    ax.set_yticks(ticks)

    numbers = [number_of(ax, k, va="bottom") for k in range(len(parts))]

    def redraw(mixture: Mixture) -> None:
        parts = heights(mixture)
        for fill, curve, number, part in zip(fills, curves, numbers, parts, strict=True):
            fill.set_data(grid, part, 0)
            curve.set_ydata(part)
            peak = int(part.argmax())
            height = parts[:, peak].sum() + 0.01 * top
            # Beside a peak that the picture cuts off, otherwise on top of it.
            aside = 0.015 * (high - low) if height > 0.9 * top else 0.0
            number.set_position((grid[peak] + aside, min(height, 0.9 * top)))
        total.set_ydata(parts.sum(axis=0))
        if X is not None:
            dots.set_facecolor(list(map(tuple, mixed(mixture.responsibilities(X)))))

    redraw(mixture)
    return redraw


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
    """
    in_dimensions(mixture, 1)
    low, high = ends(mixture, None, low, high)
    grid = np.linspace(low, high, 600)

    def edges(mixture: Mixture) -> Array:
        layers = mixture.responsibilities(grid[:, None]).cumsum(axis=1).T  # (K, 600)
        return np.vstack([np.zeros_like(grid), layers])

    layers = edges(mixture)
    fills = [
        ax.fill_between(grid, below, above, color=c, alpha=0.75, lw=0)
        for below, above, c in zip(layers, layers[1:], cycled(), strict=False)
    ]
    ax.set(xlim=(low, high), ylim=(0, 1), yticks=[0, 0.5, 1], xlabel="x", ylabel="responsibility")

    def redraw(mixture: Mixture) -> None:
        layers = edges(mixture)
        for fill, below, above in zip(fills, layers, layers[1:], strict=False):
            fill.set_data(grid, below, above)

    return redraw


def ends(mixture: Mixture, X: ArrayLike | None, low: float | None, high: float | None) -> tuple[float, float]:
    """The ends of the axis, as given or around the points or the components."""
    if X is not None:
        x = validate.points(X, 1)
        margin = 0.05 * (x.max() - x.min())
        around = x.min() - margin, x.max() + margin
    else:
        components: Any = mixture.components
        means, spreads = components.means, np.sqrt(components.variances)
        around = (means - 4 * spreads).min(), (means + 4 * spreads).max()
    low = float(around[0]) if low is None else validate.number("low", low)
    high = float(around[1]) if high is None else validate.number("high", high)
    if not low < high:
        raise ValueError(f"the axis runs from {low} to {high}; low must be less than high")
    return low, high
