"""Where many starts end."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from emlib import validate
from emlib.plot.appearance import COLOURS, INK


def ends(ax: Axes, groups: Mapping[str, ArrayLike], best: float | None = None) -> None:
    """Draw where many fits ended: one row of dots for each way of starting.

    Dots that would hide each other are stacked; behind every name stands how many ended within 0.1 nats of the best.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    groups : mapping of str to array_like
        The objectives of the fits, in nats, by the name of the start; nan for a fit that has none.
    best : float, optional
        Where to draw a line; by default at the highest of all.
    """
    if not groups:
        raise ValueError("groups is empty: give the objectives of at least one way of starting")
    rows = {name: np.asarray(values, dtype=float).ravel() for name, values in groups.items()}
    everything = np.concatenate(list(rows.values()))
    everything = everything[np.isfinite(everything)]
    if not everything.size:
        raise ValueError("groups holds no finite objective")
    best = float(everything.max()) if best is None else validate.number("best", best)
    width = (np.ptp(everything) or 1.0) / 70
    ax.axvline(best, color=INK, lw=0.8, ls=":")
    labels = []
    for row, (name, values) in enumerate(rows.items()):
        here = np.sort(values[np.isfinite(values)])
        rank = np.zeros(len(here))  # how many stand below it
        for n in range(1, len(here)):
            if here[n] - here[n - 1 - int(rank[n - 1])] < width:
                rank[n] = rank[n - 1] + 1
        tallest = max(int(rank.max(initial=0)) + 1, 6)
        at_best = np.abs(here - best) < 0.1
        for some, colour in ((at_best, COLOURS[1]), (~at_best, COLOURS[3])):
            ax.plot(
                here[some], rank[some] * 0.62 / tallest - row, "o", ms=6, color=colour, mec="white", mew=0.5
            )
        labels.append(f"{name}: {at_best.sum()} of {len(values)}")
    ax.set_yticks(-np.arange(len(rows)), labels)
    ax.set(ylim=(0.3 - len(rows), 1), xlabel="log-likelihood at the end (nats)")
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
