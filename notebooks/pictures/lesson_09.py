"""What invariants say of programs."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes

from emlib.plot.appearance import COLOURS


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
