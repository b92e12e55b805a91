"""Why EM works: Jensen's inequality, of what a log-likelihood is made, and a log-likelihood as a map."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from numpy.typing import ArrayLike

from emlib import validate
from emlib.plot.appearance import COLOURS, INK
from emlib.plot.fits import BOUND, CURVE, GAP


def jensen(ax: Axes, values: ArrayLike, shares: ArrayLike) -> None:
    """Draw the logarithm, some of its points, and their mean below it: Jensen's inequality.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    values : array_like (K,)
        Greater than 0.
    shares : array_like (K,)
        How much each value counts in the mean; they sum to 1.
    """
    values, shares = validate.finite("values", values), validate.probabilities("shares", shares)
    if values.ndim != 1 or values.shape != shares.shape or not (values > 0).all():
        raise ValueError(f"values is {values}; it must hold {len(shares)} numbers greater than 0")
    mean, mean_of_logs = float(shares @ values), float(shares @ np.log(values))
    grid = np.linspace(0.5 * values.min(), 1.15 * values.max(), 400)
    ax.plot(grid, np.log(grid), color=CURVE, label="log")
    corners = np.argsort(values)
    ax.plot(values[corners], np.log(values[corners]), "o--", color=BOUND, lw=1.5, label="the values")
    ax.plot([mean, mean], [mean_of_logs, np.log(mean)], color=GAP, lw=5, solid_capstyle="butt", label="gap")
    ax.plot([mean], [np.log(mean)], "o", color=CURVE, zorder=4)
    ax.plot([mean], [mean_of_logs], "o", color=BOUND, zorder=4)
    offset: dict[str, Any] = {"textcoords": "offset points", "fontsize": "small"}
    ax.annotate("log of the mean", (mean, np.log(mean)), (-8, 6), ha="right", color=CURVE, **offset)
    ax.annotate("mean of the logs", (mean, mean_of_logs), (10, -12), color=BOUND, **offset)
    ax.set(xlabel="value", ylabel="its logarithm")


def waterfall(ax: Axes, lowest: float) -> Callable[[float, float, float], None]:
    """Draw of what a log-likelihood is made: expected complete log-likelihood, entropy and gap, one upon another.

    The first and the last bar hang from 0, at the top of the axis.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    lowest : float
        Where the axis ends below, in nats.

    Returns
    -------
    callable
        Takes the expected complete log-likelihood, the entropy and the gap, in nats, and moves the bars to them.
    """
    names = ["expected\ncomplete", "entropy\nof q", "gap\n(KL)", "log-\nlikelihood"]
    shades = ["#B8B8B8", COLOURS[5], GAP, CURVE]
    bars = ax.bar(range(4), [0.0] * 4, color=shades, width=0.65)
    labels = [ax.text(k, 0, "", ha="center", fontsize="small", color=INK) for k in range(4)]
    steps = [ax.plot([], [], color=INK, lw=0.8, ls=":")[0] for _ in range(3)]
    ax.set(ylim=(validate.number("lowest", lowest), 0), ylabel="nats")
    ax.axhline(0, color=INK, lw=0.8)
    ax.set_xticks(range(4), names, fontsize="small")
    ax.tick_params(axis="x", length=0)

    def redraw(expected: float, entropy: float, gap: float) -> None:
        levels = np.cumsum([expected, entropy, gap])
        spans = [(0.0, expected), (levels[0], levels[1]), (levels[1], levels[2]), (0.0, levels[2])]
        room = 0.015 * float(np.ptp(ax.get_ylim()))
        for k, (start, end) in enumerate(spans):
            bars[k].set_y(start)
            bars[k].set_height(end - start)
            under = k in (0, 3)
            labels[k].set_position((k, end - room if under else end + room))
            labels[k].set_verticalalignment("top" if under else "bottom")
            labels[k].set_text(f"{end:.2f}" if under else f"{end - start:+.2f}")
        for k, step in enumerate(steps):
            step.set_data([k, k + 1], [levels[k], levels[k]])

    return redraw


def surface(
    ax: Axes,
    log_likelihood: Callable[[float, float], float],
    low: float,
    high: float,
    names: tuple[str, str] = ("first parameter", "second parameter"),
) -> None:
    """Draw the log-likelihood of two parameters as a map: lines of equal height, darker upwards.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    log_likelihood : callable
        Takes the two parameters and returns a number, in nats.
    low, high : float
        Ends of both axes.
    names : tuple of str
        Of the parameters.
    """
    low, high = validate.number("low", low), validate.number("high", high)
    if not low < high:
        raise ValueError(f"the axes run from {low} to {high}; low must be less than high")
    grid = np.linspace(low, high, 81)
    heights = np.array([[log_likelihood(a, b) for a in grid] for b in grid])
    drops = np.array([16, 8, 4, 2, 1, 0.5, 0.2, 0.05])
    levels = heights.max() - drops
    greys = LinearSegmentedColormap.from_list("greys", ["1", "0.7"])
    shades = greys(np.linspace(0, 1, len(levels) + 1))
    ax.contourf(grid, grid, heights, [-np.inf, *levels, np.inf], colors=shades)
    lines = ax.contour(grid, grid, heights, levels, colors="0.5", linewidths=0.8, linestyles="solid")
    ax.clabel(lines, fmt="%.1f", fontsize=8)
    ax.set(xlabel=names[0], ylabel=names[1], xlim=(low, high), ylim=(low, high))
    ax.set_aspect("equal")
