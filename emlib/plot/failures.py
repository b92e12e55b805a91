"""Pictures of what goes wrong: where many starts end, and what the invariants say of a program."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from emlib import validate
from emlib.plot.look import COLOURS, INK


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


def findings(ax: Axes, table: Mapping[str, Mapping[str, str]]) -> None:
    """Draw what invariants say of several programs: a green dot where one holds, a red cross where it is broken.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    table : mapping
        For every program, by name, and every invariant what breaks it; "" if nothing does.
    """
    columns = list(next(iter(table.values()), {}))
    if not columns or any(list(row) != columns for row in table.values()):
        raise ValueError("table must hold the same invariants for every program, and at least one of both")
    broken = np.array([[bool(row[name]) for name in columns] for row in table.values()])
    for some, marker, colour in ((~broken, "o", COLOURS[1]), (broken, "X", COLOURS[0])):
        y, x = np.nonzero(some)
        ax.plot(x, y, marker, ls="", ms=13 if marker == "X" else 8, color=colour, mec="white")
    ax.set_xticks(range(len(columns)), columns)
    ax.set_yticks(range(len(table)), list(table))
    ax.set(xlim=(-0.5, len(columns) - 0.5), ylim=(len(table) - 0.5, -0.5))
    ax.xaxis.tick_top()
    ax.tick_params(length=0)
    for spine in ax.spines.values():
        spine.set_visible(False)
