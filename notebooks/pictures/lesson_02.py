"""One Gaussian in the plane, its ellipses and axes; and mixtures in the plane, side by side or in a film."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Ellipse
from numpy.typing import ArrayLike

from emlib import Mixture, Trace, plot, validate
from emlib.families import Gaussian
from emlib.plot.appearance import COLOURS, INK

View = tuple[tuple[float, float], tuple[float, float]]

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


def panels(
    models: Sequence[Mixture], X: ArrayLike, titles: Sequence[str], columns: int, view: View | None = None
) -> Figure:
    """Draw mixtures in the plane side by side, all on the same piece of it.

    Parameters
    ----------
    models : sequence of Mixture
    X : array_like (N, 2)
    titles : sequence of str
        One for each model.
    columns : int
        How many stand in a row.
    view : ((low, high), (low, high)), optional
        The piece of the plane, feature 0 and feature 1; by default that of the points.

    Returns
    -------
    matplotlib.figure.Figure
    """
    rows = -(-len(models) // columns)
    width = 3.7 if columns > 2 else 4.4
    figure, axes = plt.subplots(rows, columns, squeeze=False)
    for ax, model, title in zip(axes.flat, models, titles, strict=False):
        panel(ax, model, X, title, view)
        ax.label_outer()
    for empty in axes.flat[len(models) :]:
        empty.remove()
    # As high as the piece of the plane asks for, so that no band stays blank.
    height = width * np.ptp(ax.get_ylim()) / np.ptp(ax.get_xlim()) + 0.35
    figure.set_size_inches(width * columns, height * rows + 0.35)
    return figure


def panel(
    ax: Axes, model: Mixture, X: ArrayLike, title: str, view: View | None = None
) -> Callable[[Mixture], None]:
    """Draw one mixture on a piece of the plane; returns what moves it to another mixture."""
    points = validate.points(X, 2)
    margin = 0.06 * np.ptp(points, axis=0).max()
    ends = np.column_stack([points.min(axis=0) - margin, points.max(axis=0) + margin])
    across, up = ends.tolist() if view is None else view
    move_to = plot.plane(ax, model, points)
    ax.set(xlim=across, ylim=up, title=title)
    ax.set_aspect("equal", adjustable="box")
    ax.locator_params(nbins=5)
    return move_to


def steps_of(fits: Mapping[int, Trace[Mixture]], X: ArrayLike, view: View) -> Callable[[int, int], Figure]:
    """What draws any step of any of several fits, for a film over both.

    Parameters
    ----------
    fits : mapping
        From a number, such as that of its components, to the trace of a fit, with its models.
    X : array_like (N, 2)
    view : ((low, high), (low, high))
        The piece of the plane.

    Returns
    -------
    callable
        Takes a step and the name of a fit, and returns the figure of that fit.
    """
    figures = {K: Figure(figsize=(6.6, 4.9), layout="constrained") for K in fits}
    moves = {K: panel(figures[K].subplots(), trace.models[0], X, "step", view) for K, trace in fits.items()}

    def draw(step: int, K: int) -> Figure:
        moves[K](fits[K].models[step])
        figures[K].axes[0].set_title(f"step {step}: {fits[K].objectives[step]:.2f} nats")
        return figures[K]

    return draw


def histories(by_name: Mapping[str, ArrayLike], first: int = 0) -> Figure:
    """Draw log-likelihoods by step, in a colour each, from a first step on.

    Parameters
    ----------
    by_name : mapping
        From a name to log-likelihoods (T,), the start first.
    first : int
        The first step that is drawn: the start is often so low that nothing else could be seen.
    """
    figure, ax = plt.subplots(figsize=(8, 3))
    for (name, values), colour in zip(by_name.items(), COLOURS[::2], strict=False):
        heights = np.asarray(values)
        ax.plot(range(first, len(heights)), heights[first:], color=colour, label=name)
    ax.set(xlabel="step", ylabel="log-likelihood (nats)")
    ax.legend()
    return figure
