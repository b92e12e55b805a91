"""One Gaussian in the plane: its ellipses and axes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Ellipse
from numpy.typing import ArrayLike

from emlib import validate
from emlib.families import Gaussian
from emlib.plot.appearance import COLOURS, INK

AXES = (COLOURS[0], COLOURS[2])  # of the long axis, and of the short one


def bell(ax: Axes, covariance: ArrayLike, reach: float | None = None) -> Callable[[ArrayLike], None]:
    """Draw one Gaussian about the origin: its density as a shade, three ellipses, and their axes.

    The ellipses go through all places one, two and three standard deviations away. An arrow stands for each
    eigenvector of the covariance; it is as long as the root of its eigenvalue, so it ends on the first ellipse.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    covariance : array_like (2, 2)
    reach : float, optional
        How far the picture goes to each side; by default a little beyond the third ellipse.

    Returns
    -------
    callable
        Takes another covariance and moves what is drawn to it.
    """
    variances = _gaussian(covariance).variances[0]
    reach = 3.4 * float(np.sqrt(variances.max())) if reach is None else validate.number("reach", reach)
    if reach <= 0:
        raise ValueError(f"reach is {reach}; it must be greater than 0")
    side = np.linspace(-reach, reach, 160)
    grid = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
    ends = (-reach, reach)
    shade = ax.imshow(np.zeros((160, 160)), "Greys", origin="lower", extent=(*ends, *ends), vmin=0, vmax=1.4)
    ellipses = [Ellipse((0, 0), 1, 1, fill=False, ec=INK, lw=lw) for lw in (2.2, 1.4, 0.9)]
    for ellipse in ellipses:
        ax.add_patch(ellipse)
    arrows = ax.quiver(
        *np.zeros((2, 2)),
        *np.eye(2),
        color=AXES,
        angles="xy",
        scale_units="xy",
        scale=1,
        width=0.01,
        headwidth=3,
        headlength=3.5,
        headaxislength=3,
        zorder=3,
    )
    box = {"boxstyle": "round,pad=0.1", "fc": "white", "ec": "none", "alpha": 0.8}
    labels = [
        ax.text(0, 0, f"{sigmas} sd", ha="center", va="center", size=8, bbox=box, clip_on=True)
        for sigmas in (1, 2, 3)
    ]
    arrows.set_in_layout(False)  # arrows have no say in how much room the texts need
    ax.set(xlim=ends, ylim=ends, xlabel="feature 0", ylabel="feature 1", aspect="equal")

    def redraw(covariance: ArrayLike) -> None:
        gaussian = _gaussian(covariance)
        squares, directions = np.linalg.eigh(gaussian.matrices[0])  # the smaller eigenvalue first
        half = np.sqrt(squares[::-1])
        long = directions[:, 1]
        density = np.exp(gaussian.log_density(grid)[:, 0]).reshape(160, 160)
        shade.set_data(density / density.max())
        for sigmas, ellipse in enumerate(ellipses, start=1):
            ellipse.set_width(2 * sigmas * half[0])
            ellipse.set_height(2 * sigmas * half[1])
            ellipse.set_angle(np.degrees(np.arctan2(long[1], long[0])))
        # Of the two ways an axis can point, up or to the right; the short one a quarter turn on.
        long = long * (1 if long.sum() > 0 else -1)
        short = np.array([-long[1], long[0]])
        # A label stands at the lowest place of its ellipse.
        (_, between), (_, variance_1) = gaussian.matrices[0]
        for sigmas, label in enumerate(labels, start=1):
            label.set_position((-sigmas * between / np.sqrt(variance_1), -sigmas * np.sqrt(variance_1)))
        arrows.set_UVC(*np.transpose([half[0] * long, half[1] * short]))

    redraw(covariance)
    return redraw


def _gaussian(covariance: ArrayLike) -> Gaussian:
    covariance = validate.shaped("covariance", validate.finite("covariance", covariance), (2, 2), "(2, 2)")
    return Gaussian(np.zeros((1, 2)), covariance[None])
