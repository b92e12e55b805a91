"""Digits and what unseen ones say: pairs, distances, plates, and measures on several splits."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from emlib import plot, validate
from emlib.plot.appearance import COLOURS, INK
from emlib.plot.sweeps import LABELS, LOOKS

MODELS = LOOKS | {"shrunk": (COLOURS[6], "v"), "classes": (INK, "*")}


MEASURES = LABELS | {
    "held_out": "held-out log-likelihood (nats per digit)",
    "near": "median distance of a sample to\nthe nearest training digit",
}


def over_splits(
    ax: Axes, table: Mapping[str, Any], measure: str, models: Sequence[str] = tuple(LOOKS)
) -> dict[str, int]:
    """Draw a measure by the number of components: for each model the mean over splits, the range, and the best K.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    table : mapping of columns, such as a pandas.DataFrame
        With the columns "model", "K", "split" and the measure; a row for each fit.
    measure : str
        The name of a column. "aic", "bic" and "near" are best where they are smallest, log-likelihoods where they are
        largest.
    models : sequence of str

    Returns
    -------
    dict
        For each model the K whose mean is best; there is a ring around it.
    """
    validate.one_of("measure", measure, tuple(table))
    names, numbers = np.asarray(table["model"]), np.asarray(table["K"], dtype=float)
    values, best = np.asarray(table[measure], dtype=float), {}
    for model in models:
        validate.one_of("model", model, tuple(MODELS))
        own = (names == model) & np.isfinite(values)
        if not own.any():
            raise ValueError(f"the table has no {measure} of the model {model!r}")
        K = np.unique(numbers[own])
        found = [values[own & (numbers == k)] for k in K]
        mean = np.array([v.mean() for v in found])
        colour, marker = MODELS[model]
        ax.plot(K, mean, color=colour, marker=marker, ms=6, lw=1.5, label=model)
        ax.fill_between(K, [v.min() for v in found], [v.max() for v in found], color=colour, alpha=0.18, lw=0)
        top = int(np.argmin(mean) if measure in ("aic", "bic", "near") else np.argmax(mean))
        ax.plot(K[top], mean[top], "o", ms=13, mfc="none", mec=colour, mew=1.8)
        best[model] = int(K[top])
    ax.set_xscale("log")
    ax.set_xticks([1, 3, 10, 30, 100], ["1", "3", "10", "30", "100"])
    ax.minorticks_off()
    ax.set(xlabel="number of components, K", ylabel=MEASURES.get(measure, measure))
    return best


def pairs(above: ArrayLike, below: ArrayLike, columns: int) -> Figure:
    """Draw digits (N, 64) in rows, and under each another one, (N, 64)."""
    upper, lower = np.asarray(above), np.asarray(below)
    rows = [plate[n : n + columns] for n in range(0, len(upper), columns) for plate in (upper, lower)]
    figure, ax = plt.subplots(figsize=(9, 0.6 * len(rows)))
    plot.plate(ax, np.concatenate(rows), columns=columns)
    for row, name in enumerate(["sample", "nearest"] * (len(rows) // 2)):
        ax.text(-3, 10 * row + 5, name, ha="right", va="center", fontsize=10)
    return figure


def distances(by_name: Mapping[str, ArrayLike]) -> Figure:
    """Draw what share of several sets of digits lies within a distance of the nearest training digit."""
    figure, ax = plt.subplots(figsize=(7.5, 3.6))
    looks = [(INK, "-"), (COLOURS[0], "--"), (COLOURS[3], "-."), (COLOURS[6], ":")]
    for (name, values), (colour, dashes) in zip(by_name.items(), looks, strict=True):
        sizes = np.sort(validate.finite(name, values))
        ax.plot(sizes, np.arange(1, len(sizes) + 1) / len(sizes), color=colour, ls=dashes, label=name)
    ax.set(
        xlabel="distance to the nearest training digit (whitened)", ylabel="share that is nearer", xlim=(1, 9)
    )
    ax.legend(loc="lower right")
    return figure


def plates_of(plates: Mapping[tuple[str, int], tuple[ArrayLike, float]]) -> Callable[[int, str], Figure]:
    """What draws a plate of samples by structure and number of components, for a film.

    Parameters
    ----------
    plates : mapping
        From (structure, K) to pixels (N, 64) and nats for an unseen digit.
    """
    figure = Figure(figsize=(6, 4.9), layout="constrained")
    ax = figure.subplots()
    change = plot.plate(ax, next(iter(plates.values()))[0], columns=8)

    def draw(K: int, structure: str) -> Figure:
        pixels, score = plates[structure, K]
        change(pixels)
        ax.set_title(f"{_named(structure, K, score)} nats for an unseen digit")
        return figure

    return draw


def six_plates(
    plates: Mapping[tuple[str, int], tuple[ArrayLike, float]], shown: Sequence[tuple[str, int]]
) -> Figure:
    """Draw six of the plates side by side."""
    figure, axes = plt.subplots(2, 3, figsize=(11, 6))
    for ax, (structure, K) in zip(axes.flat, shown, strict=True):
        pixels, score = plates[structure, K]
        plot.plate(ax, pixels, columns=8)
        ax.set_title(_named(structure, K, score))
    return figure


def any_or_whole(compared: Any) -> Figure:
    """Draw what became of each measure when whole forms were held out, a line for each round.

    Parameters
    ----------
    compared : pandas.DataFrame
        A row for each kind of split and round; four columns in nats, and a last one in per cent.
    """
    figure, axes = plt.subplots(1, 2, figsize=(10, 3.8))
    looks = ((COLOURS[6], "o"), (COLOURS[3], "v"), (COLOURS[0], "s"), (COLOURS[2], "^"), (INK, "D"))
    for n, (name, (colour, marker)) in enumerate(zip(compared.columns, looks, strict=True)):
        ends = compared[name].unstack().loc[["any digits", "whole forms"]].to_numpy()  # (2, rounds)
        some = [name] + ["_"] * (ends.shape[1] - 1)
        axes[n // 4].plot([0, 1], ends, color=colour, marker=marker, label=some)
    for ax, label in zip(axes, ["held out (nats a digit)", "wrong by the nearest digit (%)"], strict=True):
        ax.set_xticks([0, 1], ["any digits", "whole forms"])
        ax.set(xlim=(-0.25, 1.25), ylabel=label)
        ax.legend()
    return figure


def _named(structure: str, K: int, score: float) -> str:
    return f"{structure}, K = {K}: {score:,.{1 if score > -999 else 0}f}"
