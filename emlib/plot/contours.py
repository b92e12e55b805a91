"""The density of a mixture as a map."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from emlib import validate
from emlib.mixture import Mixture
from emlib.plot.appearance import INK, axes, fine_grid, in_dimensions
from emlib.value import Array

CELLS = 250  # of the grid, along each axis


def contours(ax: Axes, mixture: Mixture, shares: float | Sequence[float] = (0.5, 0.9, 0.99)) -> list[float]:
    """Draw the density of a mixture as a map: each line goes round a share of its mass, where it is densest.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    mixture : Mixture of Gaussians
        In two dimensions.
    shares : float or several
        How much of the mass lies inside each line, rising, all between 0 and 1. `ax.legend()` names them.

    Returns
    -------
    list of float
        The log-density on each line, in nats: below it lies all that is outside.

    Notes
    -----
    The share of the mass where the density is above some height is the chance that a point of the mixture lies
    there. So the heights are quantiles of the log-densities of 20,000 points drawn from it (Hyndman 1996, Computing
    and graphing highest density regions).

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from emlib import datasets, plot, start
    >>> X = datasets.old_faithful().X
    >>> figure, ax = plt.subplots()
    >>> heights = plot.contours(ax, start.from_labels(X, X[:, 0] > 3), [0.5, 0.9])
    >>> heights[0] > heights[1], [text.get_text() for text in ax.legend().get_texts()]
    (True, ['50 %', '90 %'])
    >>> plt.close(figure)
    """
    axes(ax)
    components = in_dimensions(mixture, 2)
    shares = np.atleast_1d(validate.finite("shares", shares)).ravel().tolist()
    if not shares or not all(0 < a < b < 1 for a, b in zip(shares, [*shares[1:], 1 - 1e-12], strict=True)):
        raise ValueError(f"shares is {shares}; it must be numbers between 0 and 1, rising")
    drawn, _ = mixture.sample(20_000, np.random.default_rng(0))
    heights = np.quantile(mixture.log_density(drawn), [1 - share for share in shares])
    # A grid around all components that have weight, as fine as the narrowest.
    counted = mixture.weights > 0
    x, y = _grid(components.means[counted], components.matrices[counted])
    density = mixture.log_density(np.column_stack([x.ravel(), y.ravel()])).reshape(x.shape)
    for height, share, lw in zip(heights, shares, np.geomspace(2.2, 0.9, len(shares)), strict=True):
        ax.contour(x, y, density, levels=[height], colors=INK, linewidths=lw, linestyles="solid")
        ax.plot([], [], color=INK, lw=lw, label=f"{100 * share:.4g} %")  # for a legend
    return heights.tolist()


def _grid(means: Array, covariances: Array) -> tuple[Array, Array]:
    """Places x and y around all components, column by column, closer together across every narrow component.

    Along a column x is known, and y varies about a line through the component's mean by what x leaves unexplained:
    so narrow components are followed where they slant, too.
    """
    variances = covariances.diagonal(axis1=1, axis2=2)
    reach = 5 * np.sqrt(variances)
    low, high = (means - reach).min(axis=0), (means + reach).max(axis=0)
    x = fine_grid(low[0], high[0], CELLS, means[:, 0], np.sqrt(variances[:, 0]))[:, None]
    slopes = covariances[:, 0, 1] / variances[:, 0]
    left = np.sqrt(np.maximum(variances[:, 1] - slopes * covariances[:, 0, 1], 0))
    narrow = left < 4 * (high[1] - low[1]) / CELLS
    middles = means[narrow, 1] + slopes[narrow] * (x - means[narrow, 0])  # (G, those narrow)
    near = middles[:, :, None] + left[narrow, None] * np.linspace(-6, 6, 97)
    rows = np.tile(np.linspace(low[1], high[1], CELLS), (len(x), 1))
    y = np.sort(np.hstack([rows, near.reshape(len(x), -1).clip(low[1], high[1])]), axis=1)
    return np.broadcast_to(x, y.shape), y
