"""What several pictures need: questions to what they are given, and marks that look alike in all of them."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.text import Text

from emlib import validate
from emlib.families import Gaussian
from emlib.mixture import Mixture
from emlib.plot.appearance import colour, mixed
from emlib.text import counted
from emlib.value import Array


def axes(ax: Any) -> None:
    """Raise an error unless `ax` can be drawn on."""
    validate.kind("ax", ax, Axes, ", such as plt.subplots() gives: the first argument is where to draw")


def interval(low: float, high: float) -> tuple[float, float]:
    """The ends of an axis, if they are numbers and in order."""
    low, high = validate.number("low", low), validate.number("high", high)
    if not low < high:
        raise ValueError(f"the axis runs from {low} to {high}; low must be less than high")
    return low, high


def in_dimensions(mixture: Mixture, *shown: int) -> Gaussian:
    """The components, if they are Gaussians in as many dimensions as the picture shows, or in one of several."""
    validate.kind("mixture", mixture, Mixture)
    components = mixture.components
    if not isinstance(components, Gaussian):
        raise ValueError(f"this picture shows mixtures of Gaussians, and this is one of {components.kind()}")
    if components.n_features not in shown:
        raise ValueError(
            f"the mixture has {counted(components.n_features, 'dimension')}, and this picture shows "
            f"{' or '.join(map(str, shown))}: "
            "fit the one or two columns that you want to see"
        )
    return components


def same_kind(mixture: Mixture, shown: int, n_features: int) -> Gaussian:
    """The components, if they are as many, and in as many dimensions, as a picture shows."""
    components = in_dimensions(mixture, n_features)
    if len(mixture) != shown:
        raise ValueError(
            f"the picture shows {counted(shown, 'component')} and the mixture has {len(mixture)}: draw it anew"
        )
    return components


def fine_grid(low: float, high: float, n: int, means: Array, deviations: Array) -> Array:
    """At least n numbers from low to high, with more of them about every component that is narrow beside their spacing.

    Parameters
    ----------
    low, high : float
    n : int
    means, deviations : array (K,)
        Of the components in view, along this axis.
    """
    narrow = deviations < 4 * (high - low) / n
    near = (means[narrow, None] + deviations[narrow, None] * np.linspace(-6, 6, 97)).ravel()
    return np.union1d(np.linspace(low, high, n), near[(near > low) & (near < high)])


def within_reach(places: Array, X: Array) -> Array:
    """Places (K, 2), those far beyond the points (N, 2) moved nearer: Matplotlib cannot write at any distance."""
    reach = 10 * (np.ptp(X, axis=0).max() or 1.0)
    return np.clip(places, X.min(axis=0) - reach, X.max(axis=0) + reach)


def number_of(ax: Axes, k: int, **style: Any) -> Text:
    """The number of a component in its colour."""
    return ax.text(0, 0, str(k), color=colour(k), ha="center", weight="bold", clip_on=True, **style)


def recolour(dots: PathCollection, resp: Array) -> None:
    """Give points the colours of their responsibilities (N, K)."""
    dots.set_facecolor(list(map(tuple, mixed(resp))))
