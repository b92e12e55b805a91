"""A sweep over numbers of components: one line for each structure."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.patheffects import withStroke
from matplotlib.ticker import MaxNLocator
from scipy.optimize import isotonic_regression

from emlib import validate
from emlib.plot import common
from emlib.plot.appearance import COLOURS, INK
from emlib.select import Sweep

# Each structure has its colour and its marker; the colours are not those of the first components.
LOOKS = {
    "full": (COLOURS[7], "o"),
    "tied": (COLOURS[5], "s"),
    "diag": (COLOURS[3], "^"),
    "spherical": (COLOURS[4], "D"),
}
OTHER = (COLOURS[6], "o")  # for a family that has no structures
LABELS = {
    "aic": "AIC (smaller is better)",
    "bic": "BIC (smaller is better)",
    "icl": "ICL (smaller is better)",
    "held_out": "held-out log-likelihood\n(nats per point; larger is better)",
}
GAP = 0.06  # between the names of two lines, as a part of the height


def criteria(ax: Axes, sweep: Sweep, criterion: str = "bic") -> None:
    """Draw a criterion by the number of components, a line for each structure, with a ring around the best.

    Where a fit has collapsed its line is broken. Held-out log-likelihoods have a band of one standard error.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    sweep : Sweep
        See `emlib.select.sweep`.
    criterion : {"aic", "bic", "icl", "held_out"}

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> import numpy as np
    >>> from emlib import datasets, plot, select
    >>> X = datasets.three_clusters().X
    >>> found = select.sweep(X, [2, 3, 4], "full", rng=np.random.default_rng(0), progress=False)
    >>> figure, ax = plt.subplots()
    >>> plot.criteria(ax, found, "bic")
    >>> ax.get_ylabel(), ax.texts[0].get_text()
    ('BIC (smaller is better)', 'full, K = 3')
    >>> plt.close(figure)
    """
    common.axes(ax)
    validate.kind("sweep", sweep, Sweep, ", the result of emlib.select.sweep")
    best = sweep.best(criterion)
    ends = []
    for structure in dict.fromkeys(row.structure for row in sweep.rows):
        rows = sorted((row for row in sweep.rows if row.structure == structure), key=lambda row: row.K)
        values = np.array([getattr(row, criterion) if row.healthy else np.nan for row in rows])
        K, (colour, marker) = np.array([row.K for row in rows]), LOOKS.get(structure, OTHER)
        ax.plot(K, values, color=colour, marker=marker, ms=6, lw=1.5, label=structure)
        if criterion == "held_out":
            errors = np.array([row.held_out_error for row in rows])
            ax.fill_between(K, values - errors, values + errors, color=colour, alpha=0.15, lw=0)
        if (finite := np.flatnonzero(np.isfinite(values))).size:
            ends.append((int(K[finite[-1]]), float(values[finite[-1]]), structure))

    ax.margins(y=0.16)
    height, Ks = float(getattr(best, criterion)), [row.K for row in sweep.rows]
    ax.plot(best.K, height, "o", ms=13, mfc="none", mec=INK, mew=1.8, zorder=4)
    ha = "left" if min(Ks) == best.K else "right" if max(Ks) == best.K else "center"
    va, up = ("bottom", 11) if criterion == "held_out" else ("top", -11)  # the side the best is on
    _write(ax, f"{best.structure}, K = {best.K}", (best.K, height), (0, up), ha=ha, va=va, color=INK)
    ax.set(xlabel="number of components, K", ylabel=LABELS[criterion])
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    _name(ax, ends)


def _name(ax: Axes, ends: list[tuple[int, float, str]]) -> None:
    """Write the name of every line beside its last point, none over another."""
    low, high = ax.get_ylim()
    halo = withStroke(linewidth=2.5, foreground="white")  # for where another line passes
    for K in {K for K, *_ in ends}:
        here = sorted(end for end in ends if end[0] == K)
        # The nearest heights that keep their distance: without the gaps, the nearest that do not fall.
        gaps = GAP * (high - low) * np.arange(len(here))
        heights = isotonic_regression([value for _, value, _ in here] - gaps).x + gaps
        for height, (_, _, structure) in zip(heights, here, strict=True):
            dark = 0.7 * np.array(to_rgb(LOOKS.get(structure, OTHER)[0]))  # enough to be read
            look = {"color": dark, "path_effects": [halo], "annotation_clip": False}
            _write(ax, structure, (K, height), (11, 0), va="center", **look)


def _write(ax: Axes, text: str, place: tuple[float, float], away: tuple[float, float], **look: Any) -> None:
    """Write a text so many points away from a place."""
    ax.annotate(text, place, away, textcoords="offset points", weight="bold", **look)
