"""What was measured on several splits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from emlib import validate
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
