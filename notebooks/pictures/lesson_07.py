"""Where EM stops: a plateau, a fit of eruptions step by step, and six histories."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from emlib import Mixture, Trace, plot
from emlib.plot.appearance import COLOURS, INK


def plateau(histories: Sequence[ArrayLike], stopped: Sequence[tuple[int, float]], tolerance: float) -> Figure:
    """Draw log-likelihoods by step, and their gains on a logarithmic axis, a thin line for each fit.

    Parameters
    ----------
    histories : sequence of array_like (T,)
        Of our fits, in nats.
    stopped : sequence of (step, log-likelihood)
        Where another program stopped.
    tolerance : float
        Its tolerance, in nats for all points together.
    """
    red = COLOURS[0]
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 3.8))
    for row in (np.asarray(history, dtype=float) for history in histories):
        left.plot(np.arange(len(row)), row, color=INK, lw=0.8, alpha=0.6)
        right.plot(np.arange(1, len(row)), np.diff(row), color=INK, lw=0.8, alpha=0.6)
    steps, heights = np.transpose(stopped)
    left.plot(steps, heights, "X", ms=11, color=red, mec="white")
    line = {"arrowstyle": "-", "color": red}
    left.annotate("scikit-learn:\nconverged", (2, heights.mean()), (1, -1180), color=red, arrowprops=line)
    left.set(xlabel="iteration", ylabel="log-likelihood (nats)")
    right.axhline(tolerance, color=red, ls="--")
    right.text(0, 1.6 * tolerance, "tolerance", color=red, fontsize=9)
    right.set(xlabel="iteration", ylabel="gain (nats)", yscale="log")
    return figure


def eruption_panel(ax: Axes, model: Mixture, X: ArrayLike) -> Callable[[Mixture], None]:
    """Draw a mixture over Old Faithful's eruptions; returns what moves it to another mixture."""
    move_to = plot.plane(ax, model, X)
    ax.set_aspect("auto")  # the axes have different units
    ax.set(xlim=(0.9, 5.9), ylim=(36, 104), xlabel="eruption (min)", ylabel="waiting (min)")
    return move_to


def eruptions(trace: Trace[Mixture], X: ArrayLike) -> Callable[[int], Figure]:
    """What draws any step of a fit to Old Faithful, with its log-likelihood beside it, for a film."""
    figure = Figure(figsize=(9, 4), layout="constrained")
    left, right = figure.subplots(1, 2)
    move, mark = eruption_panel(left, trace.models[0], X), plot.objective(right, trace, 0)

    def draw(iteration: int) -> Figure:
        move(trace.models[iteration])
        mark(iteration)
        left.set_title(f"iteration {iteration}: {trace.objectives[iteration]:.2f} nats")
        return figure

    return draw


def six_histories(histories: Mapping[str, ArrayLike]) -> Figure:
    """Draw log-likelihoods by step, a panel for each letter."""
    figure, axes = plt.subplots(2, 3, figsize=(10, 4.4))
    for ax, (letter, values) in zip(axes.flat, histories.items(), strict=True):
        ax.plot(np.asarray(values, dtype=float), color=INK, marker=".", ms=4, lw=1)
        ax.set(title=letter, xlabel="step" if letter > "C" else "", ylabel="nats" if letter in "AD" else "")
        ax.ticklabel_format(useOffset=False)
    return figure
