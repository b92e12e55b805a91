"""Pictures in the plane: a mixture's ellipses, clusters, and the density as a map."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.patches import Ellipse
from numpy.typing import ArrayLike

from emlib import validate
from emlib.blocks import as_one
from emlib.mixture import Mixture
from emlib.plot import common
from emlib.plot.appearance import INK, colour
from emlib.value import Array

DISC = {"boxstyle": "circle,pad=0.2", "fc": "white", "lw": 1.2}
NOTE = {"boxstyle": "round,pad=0.2", "fc": "white", "ec": "none", "alpha": 0.85}
CELLS = 250  # of the grid, along each axis


def plane(ax: Axes, mixture: Mixture, X: ArrayLike) -> Callable[[Mixture], None]:
    """Draw a mixture in the plane: points in the colours of their responsibilities, components as ellipses.

    A component's number stands at its mean. One ellipse goes through all places one standard deviation away
    from it, another through those two away. Their axes are the eigenvectors of the covariance, and half their
    lengths once or twice the roots of the eigenvalues.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    mixture : Mixture of Gaussians
        In two dimensions.
    X : array_like (N, 2)

    Returns
    -------
    callable
        Takes another mixture and moves what is drawn to it.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from emlib import datasets, plot, start
    >>> X = datasets.old_faithful().X
    >>> figure, ax = plt.subplots()
    >>> _ = plot.plane(ax, start.from_labels(X, X[:, 0] > 3), X)
    >>> len(ax.collections[0].get_offsets()), [text.get_text() for text in ax.texts]
    (272, ['0', '1'])
    >>> plt.close(figure)
    """
    common.axes(ax)
    common.in_dimensions(mixture, 2)
    X = validate.points(as_one(X), 2)
    dots = _scatter(ax, X)
    ellipses: list[tuple[int, int, Ellipse]] = []
    for k, sigmas in product(range(len(mixture)), (1, 2)):
        ellipse = Ellipse((0, 0), 1, 1, fill=False, ec=colour(k), lw=2.5 / sigmas)
        ax.add_artist(ellipse)  # as a patch it would widen the window to the origin
        ellipses.append((k, sigmas, ellipse))
    disc = {"boxstyle": "circle,pad=0.25", "fc": "white", "ec": "none", "alpha": 0.85}
    numbers = [common.number_of(ax, k, va="center", bbox=disc, zorder=4) for k in range(len(mixture))]

    def redraw(mixture: Mixture) -> None:
        components = common.same_kind(mixture, len(numbers), 2)
        squares, axes = np.linalg.eigh(components.matrices)  # (K, 2), (K, 2, 2)
        for k, sigmas, ellipse in ellipses:
            width, height = 2 * sigmas * np.sqrt(squares[k])
            angle = np.degrees(np.arctan2(axes[k, 1, 0], axes[k, 0, 0]))
            ellipse.set(center=components.means[k], width=width, height=height, angle=angle)
        for number, mean in zip(numbers, common.within_reach(components.means, X), strict=True):
            number.set_position(mean)
        common.recolour(dots, mixture.responsibilities(X))

    redraw(mixture)
    return redraw


def clusters(
    ax: Axes, X: ArrayLike, resp: ArrayLike, means: ArrayLike | None = None, by_certainty: bool = False
) -> Callable[..., None]:
    """Draw points in the colours of their responsibilities, soft or hard.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    X : array_like (N, 2)
    resp : array_like (N, K)
        Rows sum to one; for hard clusters they are zeros and a one.
    means : array_like (K, 2), optional
        Where to write the numbers of the components; where several would cover each other, a note says how many.
    by_certainty : bool
        Whether the area of a dot is proportional to the square of its largest responsibility.

    Returns
    -------
    callable
        Takes other responsibilities, and other means if there are any, and changes the picture to them.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from emlib import datasets, plot, start
    >>> data = datasets.skewed_blobs()
    >>> mixture = start.from_labels(data.X, data.labels)
    >>> figure, ax = plt.subplots()
    >>> _ = plot.clusters(ax, data.X, mixture.responsibilities(data.X), mixture.components.means)
    >>> len(ax.collections[0].get_offsets()), [text.get_text() for text in ax.texts if text.get_text()]
    (500, ['0', '1', '2'])
    >>> plt.close(figure)
    """
    common.axes(ax)
    X = validate.points(as_one(X), 2, beside="the picture")
    N, K = validate.table_of_shares("resp", as_one(resp), len(X)).shape
    validate.probabilities("resp", as_one(resp))
    validate.truth("by_certainty", by_certainty)
    in_words = "a place for each number drawn"
    if means is not None:
        means = validate.shaped("means", means, (K, 2), in_words)
    dots = _scatter(ax, X)
    area = dots.get_sizes()
    numbers, notes, size = [], [], 0.03 * float(np.ptp(X[:, 0]))  # half a badge wide
    if means is not None:
        for k in range(K):
            numbers.append(common.number_of(ax, k, va="center", bbox=DISC | {"ec": colour(k)}, zorder=5))
            notes.append(ax.text(0, 0, "", ha="left", va="center", bbox=NOTE, clip_on=True, zorder=6))

    def redraw(resp: ArrayLike, means: ArrayLike | None = None) -> None:
        resp = validate.shaped("resp", as_one(resp), (N, K), "as many rows and columns as before")
        if means is not None:
            means = validate.shaped("means", means, (len(numbers), 2), in_words)
        common.recolour(dots, resp)
        if by_certainty:
            dots.set_sizes(2 * area * resp.max(axis=1) ** 2)
        if means is not None:
            places = common.within_reach(means, X)
            marks = zip(numbers, notes, places, _together(places, size), strict=True)
            for number, note, place, here in marks:
                number.set_position(tuple(place))
                note.set_position((place[0] + 1.5 * size, place[1]))
                note.set_text(f"{here} means here" if here > 1 else "")

    redraw(resp, means)
    return redraw


def _scatter(ax: Axes, X: Array) -> PathCollection:
    """The points, which get their own colours later; smaller dots where there are many."""
    ax.set(xlabel="feature 0", ylabel="feature 1")
    ax.set_aspect("equal", adjustable="datalim")
    return ax.scatter(X[:, 0], X[:, 1], c=INK, s=min(30, 9000 / len(X)), lw=0, alpha=0.8)


def _together(places: Array, size: float) -> list[int]:
    """How many of the places (K, 2) are within a size of this one; 0 where an earlier one has counted it."""
    close = np.linalg.norm(places[:, None] - places, axis=2) < size
    counted = np.tril(close, -1).any(axis=1)
    return [0 if before else int(here.sum()) for before, here in zip(counted, close, strict=True)]


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
    common.axes(ax)
    components = common.in_dimensions(mixture, 2)
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
    x = common.fine_grid(low[0], high[0], CELLS, means[:, 0], np.sqrt(variances[:, 0]))[:, None]
    slopes = covariances[:, 0, 1] / variances[:, 0]
    left = np.sqrt(np.maximum(variances[:, 1] - slopes * covariances[:, 0, 1], 0))
    narrow = left < 4 * (high[1] - low[1]) / CELLS
    middles = means[narrow, 1] + slopes[narrow] * (x - means[narrow, 0])  # (G, those narrow)
    near = middles[:, :, None] + left[narrow, None] * np.linspace(-6, 6, 97)
    rows = np.tile(np.linspace(low[1], high[1], CELLS), (len(x), 1))
    y = np.sort(np.hstack([rows, near.reshape(len(x), -1).clip(low[1], high[1])]), axis=1)
    return np.broadcast_to(x, y.shape), y
