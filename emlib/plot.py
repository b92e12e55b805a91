"""Pictures: state in, artists on the given axes out. Nothing here fits anything.

The same component has the same colour everywhere. The first three are a red, a green and a blue that
colour-blind readers can tell apart (Okabe & Ito 2008); a point shared between components wears the
mixture of their colours.
"""

from __future__ import annotations

from binascii import b2a_base64
from io import BytesIO
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns
from IPython.display import display
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike

from emlib import validate
from emlib.em import Trace
from emlib.mixture import Mixture
from emlib.validate import Array

COLOURS = ["#D55E00", "#009E73", "#0072B2", "#E69F00", "#CC79A7", "#56B4E9", "#8A7A00", "#4D4D4D"]
INK = "#262626"


def style() -> None:
    """Set the course's look for all pictures drawn from now on."""
    sns.set_theme(
        context="notebook",
        style="ticks",
        palette=COLOURS,
        rc={
            "figure.constrained_layout.use": True,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.titlesize": "medium",
            "axes.titlelocation": "left",
            "legend.frameon": False,
            "lines.linewidth": 2,
        },
    )


def colours(K: int) -> Array:
    """The colours of K components as rows of red, green and blue, (K, 3); they repeat after eight."""
    return np.array([to_rgb(COLOURS[k % len(COLOURS)]) for k in range(validate.count("K", K))])


def mixed(resp: ArrayLike) -> Array:
    """The colour of every point, (N, 3): its components' colours, mixed by responsibility (N, K)."""
    resp = validate.probabilities("resp", resp)
    if resp.ndim != 2:
        raise ValueError(f"resp has shape {resp.shape}; it must be (N, K): one row for each point")
    return np.clip(resp @ colours(resp.shape[1]), 0, 1)


def line_densities(ax: Axes, mixture: Mixture, low: float, high: float) -> None:
    """Draw a one-dimensional mixture: every weighted component filled, their sum as a line."""
    if mixture.components.n_features != 1:
        raise ValueError(
            f"the mixture has {mixture.components.n_features} dimensions; line_densities draws one"
        )
    x = np.linspace(low, high, 800)[:, None]
    parts = np.exp(mixture.components.log_density(x)) * mixture.weights  # (800, K)
    for k, part in enumerate(parts.T):
        ax.fill_between(x[:, 0], part, color=COLOURS[k % len(COLOURS)], alpha=0.35, lw=0)
        ax.plot(x[:, 0], part, color=COLOURS[k % len(COLOURS)], lw=1.5, label=f"component {k}")
    ax.plot(x[:, 0], parts.sum(axis=1), color=INK, lw=1.5, ls="--", label="mixture")
    ax.set(xlim=(low, high), xlabel="x", ylabel="density per unit of x")


def line_points(ax: Axes, X: ArrayLike, resp: ArrayLike | None = None) -> None:
    """Draw points on a line as a row of dots below the axis, coloured by responsibility (grey without)."""
    x = validate.points(X, 1)[:, 0]
    top = ax.get_ylim()[1]
    # A jitter that is the same at every call keeps close points apart.
    heights = -top * (0.06 + 0.08 * (np.arange(len(x)) % 4) / 3)
    shade = "0.6" if resp is None else mixed(resp)
    ax.scatter(x, heights, c=shade, s=34, edgecolors="white", linewidths=0.6, zorder=3)
    ax.axhline(0, color=INK, lw=0.8)
    ax.set_ylim(-top * 0.2, top)
    ax.set_yticks([tick for tick in ax.get_yticks() if 0 <= tick <= top])


def objective(ax: Axes, history: Trace[Any] | ArrayLike) -> None:
    """Draw the objective of a fit by iteration, from its trace or from plain numbers (T,)."""
    objectives = history.objectives if isinstance(history, Trace) else np.asarray(history)
    ax.plot(objectives, color=INK, marker="o", ms=5)
    ax.set(xlabel="iteration", ylabel="log-likelihood (nats)")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))


def show(figure: Figure, alt: str, dpi: float = 144) -> None:
    """Show a figure in a notebook, with a text for those who cannot see it, and close it.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    alt : str
        What the picture shows, in a sentence or two.
    dpi : float
        Pixels per inch; the picture is shown at half that, so that it stays sharp when enlarged.
    """
    alt = " ".join(alt.split())
    if not alt:
        raise ValueError("alt is empty; say in a sentence what the picture shows")
    png = BytesIO()
    figure.savefig(png, format="png", dpi=dpi)
    plt.close(figure)
    display(
        {"image/png": b2a_base64(png.getvalue(), newline=False).decode(), "text/plain": alt},
        metadata={"image/png": {"width": round(figure.get_figwidth() * dpi / 2), "alt": alt}},
        raw=True,
    )
