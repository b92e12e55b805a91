"""A mixture in the plane: points, and the components' ellipses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Ellipse
from numpy.typing import ArrayLike

from emlib import validate
from emlib.blocks import as_one
from emlib.mixture import Mixture
from emlib.plot.appearance import axes, cycled, in_dimensions, mixed, number_of, same_kind, within_reach


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
    axes(ax)
    in_dimensions(mixture, 2)
    X = validate.points(as_one(X), 2)
    # Smaller dots where there are many.
    dots = ax.scatter(
        X[:, 0], X[:, 1], c=mixed(mixture.responsibilities(X)), s=min(30, 9000 / len(X)), lw=0, alpha=0.8
    )
    ellipses: list[tuple[int, int, Ellipse]] = []
    for k, colour in zip(range(len(mixture)), cycled(), strict=False):
        for sigmas in (1, 2):
            ellipse = Ellipse((0, 0), 1, 1, fill=False, ec=colour, lw=2.5 / sigmas)
            ax.add_artist(ellipse)  # as a patch it would widen the window to the origin
            ellipses.append((k, sigmas, ellipse))
    disc = {"boxstyle": "circle,pad=0.25", "fc": "white", "ec": "none", "alpha": 0.85}
    numbers = [number_of(ax, k, va="center", bbox=disc, zorder=4) for k in range(len(mixture))]
    ax.set(xlabel="feature 0", ylabel="feature 1")
    ax.set_aspect("equal", adjustable="datalim")

    def redraw(mixture: Mixture) -> None:
        same_kind(mixture, len(numbers), 2)
        components: Any = mixture.components
        squares, axes = np.linalg.eigh(components.matrices)  # (K, 2), (K, 2, 2)
        for k, sigmas, ellipse in ellipses:
            ellipse.set_center(components.means[k])
            ellipse.set_width(2 * sigmas * np.sqrt(squares[k, 0]))
            ellipse.set_height(2 * sigmas * np.sqrt(squares[k, 1]))
            ellipse.set_angle(np.degrees(np.arctan2(axes[k, 1, 0], axes[k, 0, 0])))
        for number, mean in zip(numbers, within_reach(components.means, X), strict=True):
            number.set_position(mean)
        dots.set_facecolor(list(map(tuple, mixed(mixture.responsibilities(X)))))

    redraw(mixture)
    return redraw
