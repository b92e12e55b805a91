"""How many clusters: what a fit says of its own points and of fresh ones."""

from __future__ import annotations

import matplotlib.pyplot as plt
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from emlib import validate
from emlib.plot.appearance import INK


def seen_and_unseen(seen: ArrayLike, unseen: ArrayLike, true: float) -> Figure:
    """Draw log-likelihoods per point by the number of components, of the points of the fits and of fresh ones.

    Parameters
    ----------
    seen, unseen : array_like (M,)
        For 1 to M components, in nats per point.
    true : float
        What the mixture that made the points says of the fresh ones.
    """
    figure, ax = plt.subplots(figsize=(7, 3.6))
    for values, name, dash in [(seen, "the points of the fit", "-"), (unseen, "fresh points", "--")]:
        heights = validate.finite(name, values)
        M = len(heights)
        ax.plot(range(1, M + 1), heights, "o" + dash, color=INK)
        end = (M, heights[-1])
        ax.annotate(name, end, (8, 0), textcoords="offset points", va="center", annotation_clip=False)
    ax.axhline(true, color="0.6", lw=1)
    ax.text(M, true - 0.02, "the truth, on fresh points", color="0.4", ha="right", va="top")
    ax.set(xlabel="number of components, K", ylabel="log-likelihood\n(nats per point)")
    return figure
