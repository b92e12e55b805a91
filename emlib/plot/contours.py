"""The density of a mixture as a map."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from emlib import validate
from emlib.mixture import Mixture
from emlib.plot.appearance import INK, fine_grid, in_dimensions


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
    """
    components = in_dimensions(mixture, 2)
    shares = np.atleast_1d(validate.finite("shares", shares)).ravel().tolist()
    if not shares or not all(0 < a < b < 1 for a, b in zip(shares, [*shares[1:], 1 - 1e-12], strict=True)):
        raise ValueError(f"shares is {shares}; it must be numbers between 0 and 1, rising")
    drawn, _ = mixture.sample(20_000, np.random.default_rng(0))
    heights = np.quantile(mixture.log_density(drawn), [1 - share for share in shares])
    # A grid around all components that have weight, as fine as the narrowest.
    counted = mixture.weights > 0
    means, deviations = components.means[counted], np.sqrt(components.variances[counted])
    low, high = (means - 5 * deviations).min(axis=0), (means + 5 * deviations).max(axis=0)
    axes = [fine_grid(low[d], high[d], 250, means[:, d], deviations[:, d]) for d in (0, 1)]
    x, y = np.meshgrid(*axes)
    density = mixture.log_density(np.column_stack([x.ravel(), y.ravel()])).reshape(x.shape)
    for height, share, lw in zip(heights, shares, np.geomspace(2.2, 0.9, len(shares)), strict=True):
        ax.contour(x, y, density, levels=[height], colors=INK, linewidths=lw, linestyles="solid")
        ax.plot([], [], color=INK, lw=lw, label=f"{100 * share:.4g} %")  # for a legend
    return heights.tolist()
