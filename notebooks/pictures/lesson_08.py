"""When EM breaks: fits on a line with one ridge after another."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from emlib import Mixture, Trace, plot
from emlib.plot.appearance import COLOURS, INK

THIN = 0.01  # a variance below which a bell is too thin to be seen as a curve


def by_ridge(fits: Mapping[float, Trace[Mixture]], x: ArrayLike) -> Callable[[float], Figure]:
    """What draws the end of a fit by its ridge, for a film.

    Parameters
    ----------
    fits : mapping
        From a ridge to the trace of a fit of points on a line.
    x : array_like (N,)
    """
    figure = Figure(figsize=(8, 3.4), layout="constrained")
    ax = figure.subplots()

    def draw(ridge: float) -> Figure:
        ax.clear()
        trace = fits[ridge]
        _bells(ax, trace.model, x)
        ax.set_title(f"ridge {ridge:.0e}: {trace.log_likelihoods[-1]:.2f} nats, {trace.stop.reason}")
        return figure

    return draw


def three_ridges(fits: Mapping[float, Trace[Mixture]], x: ArrayLike, shown: Sequence[float]) -> Figure:
    """Draw the log-likelihoods at the end by ridge, and beside them three of the fits."""
    figure, axes = plt.subplots(1, 4, figsize=(12, 3.4), width_ratios=[1.5, 1, 1, 1])
    heights = [trace.log_likelihoods[-1] for trace in fits.values()]
    axes[0].semilogx(list(fits), heights, "o-", color=INK, ms=5, lw=1.5)
    axes[0].set(xlabel="ridge (variance added)", ylabel="log-likelihood at the end (nats)")
    for ax, ridge in zip(axes[1:], shown, strict=True):
        _bells(ax, fits[ridge].model, x)
        ax.set(title=f"ridge {ridge:g}", ylabel="")
    return figure


def _bells(ax: Axes, model: Mixture, x: ArrayLike) -> None:
    """The mixture on the line; a component too thin for a curve as an upright line."""
    plot.line(ax, model, np.asarray(x)[:, None], top=0.2)
    variances, means = model.components.variances[:, 0], model.components.means[:, 0]  # type: ignore[attr-defined]
    for k in map(int, np.flatnonzero(variances < THIN)):
        ax.axvline(means[k], 0.17, color=COLOURS[k], lw=2)
        ax.texts[k].set_position((means[k] + 1.2, 0.18))
