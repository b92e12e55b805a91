"""Lesson 1's film: a fit on a line, and beside it a few points from near by."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from emlib import Mixture, Trace, plot, validate


def watch_points(
    figure: Figure, trace: Trace[Mixture], X: ArrayLike, rows: Sequence[int], ringed: int
) -> Callable[[int], None]:
    """Draw the views of a fit as `plot.watch` does, and beside them the shares of some points as bars.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        Empty.
    trace : Trace
        With its models, of a mixture on a line.
    X : array_like (N, 1)
    rows : sequence of int
        The points that get a bar, in this order.
    ringed : int
        The one of them that is ringed in the fit, and named in bold.

    Returns
    -------
    callable
        Takes the number of a step and moves all views to it.
    """
    x = validate.points(X, 1)[list(rows)]
    left, right = cast(Any, figure.subfigures(1, 2, width_ratios=[5, 2]))
    move_to = plot.watch(left, trace, X, ringed=ringed)
    ax = right.subplots()
    names = [f"{place:.2f}" for place in x[:, 0]]
    bars = [
        ax.bar(names, np.zeros(len(x)), color=colour, alpha=0.8, width=0.8)
        for colour, _ in zip(plot.COLOURS, trace.models[0].weights, strict=False)
    ]
    ax.axhline(0.5, color="white", lw=1.5)
    ax.set(ylim=(0, 1), yticks=[0, 0.5, 1], xlabel="x", ylabel="responsibility", title="the five points")
    ax.tick_params(axis="x", labelsize=10)
    ax.get_xticklabels()[list(rows).index(ringed)].set_weight("bold")

    def redraw(step: int) -> None:
        move_to(step)
        bottom = np.zeros(len(x))
        for bar, shares in zip(bars, trace.models[step].responsibilities(x).T, strict=True):
            for rectangle, low, height in zip(bar, bottom, shares, strict=True):
                rectangle.set(y=low, height=height)
            bottom = bottom + shares

    redraw(0)
    return redraw
