"""k-means: its circles, its borders, and the way its means go."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Circle
from numpy.typing import ArrayLike
from scipy.spatial import Voronoi

from emlib import plot, validate
from emlib.plot.appearance import COLOURS, INK

LEAST_GAP = 1e-16  # where no gap at all is drawn


def circles(ax: Axes, X: ArrayLike, labels: ArrayLike, means: ArrayLike) -> None:
    """Draw around every mean the circle that reaches to the farthest of its points.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    X : array_like (N, 2)
    labels : array_like (N,)
        The cluster of every point, 0 to K - 1.
    means : array_like (K, 2)
    """
    X, centres, labels = validate.points(X, 2), validate.points(means, 2), np.asarray(labels)
    for k, mean in enumerate(centres):
        radius = np.sqrt(((X[labels == k] - mean) ** 2).sum(axis=1)).max(initial=0.0)
        colour = COLOURS[k % len(COLOURS)]
        ax.add_patch(Circle((mean[0], mean[1]), radius, fc=colour, ec=colour, alpha=0.18, lw=1.5, zorder=0))
    ax.autoscale_view()


def borders(ax: Axes, means: ArrayLike) -> None:
    """Draw the borders between the cells of k-means: lines half-way between neighbouring means.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        What it shows stays as it is.
    means : array_like (K, 2)
    """
    means = validate.points(means, 2)
    # Four points far outside make every border between two means end somewhere; their own are not drawn.
    far = means.mean(axis=0) + 1e3 * np.ptp(means, axis=0).max() * np.array(
        [[1, 0], [0, 1], [-1, 0], [0, -1]]
    )
    cells = Voronoi(np.vstack([means, far]))
    inner = (cells.ridge_points < len(means)).all(axis=1)
    segments = [
        cells.vertices[ends] for ends, drawn in zip(cells.ridge_vertices, inner, strict=True) if drawn
    ]
    ax.add_collection(LineCollection(segments, colors=INK, lw=1.5), autolim=False)


def paths(ax: Axes, path: ArrayLike, **style: Any) -> Callable[[ArrayLike], None]:
    """Draw the way that every mean has come, from a ring at its start.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    path : array_like (T, K, 2)
        The means after every step, the start first.
    **style
        Of the lines, as for `ax.plot`.

    Returns
    -------
    callable
        Takes another path of as many means and changes the lines to it.
    """
    steps = validate.finite("path", path)
    if steps.ndim != 3 or steps.shape[2] != 2:
        raise ValueError(f"path has shape {steps.shape}; it must be (T, K, 2): steps, means, the plane")
    look: dict[str, Any] = {"color": INK, "lw": 1.5, "marker": ".", "ms": 5, "zorder": 4} | style
    lines: list[Line2D] = [ax.plot([], [], **look)[0] for _ in range(steps.shape[1])]
    for line in lines[1:]:
        line.set_label("_")  # one entry in a legend is enough
    (rings,) = ax.plot([], [], "o", mfc="none", mec=look["color"], ms=8, mew=1.2, zorder=look["zorder"])

    def redraw(path: ArrayLike) -> None:
        steps = np.asarray(path, dtype=float)
        for line, way in zip(lines, steps.transpose(1, 0, 2), strict=True):
            line.set_data(way[:, 0], way[:, 1])
        rings.set_data(steps[0, :, 0], steps[0, :, 1])

    redraw(steps)
    return redraw


def by_variance(
    X: ArrayLike, runs: Mapping[float, tuple[Any, ...]], gaps: Mapping[float, float], path: ArrayLike
) -> Callable[[float], Figure]:
    """What draws where EM for circles of one known variance ends, beside the way of k-means, for a film.

    Parameters
    ----------
    X : array_like (N, 2)
    runs : mapping
        From a variance to responsibilities (N, K), means after every step (T, K, 2), and more.
    gaps : mapping
        From a variance to the largest gap between the two ways.
    path : array_like (T, K, 2)
        The means of k-means after every step.

    Returns
    -------
    callable
        Takes a variance and returns the figure.
    """
    figure = Figure(figsize=(10, 4.4), layout="constrained")
    cloud, curve = figure.subplots(1, 2, width_ratios=[2, 1])
    resp, way = next(iter(runs.values()))[:2]
    recolour = plot.clusters(cloud, X, resp, way[0])
    paths(cloud, path, color="0.45", ls="--", marker="", lw=2.5)
    move = paths(cloud, path)
    # A logarithm has no place for 0.
    heights = {variance: max(gap, LEAST_GAP) for variance, gap in gaps.items()}
    curve.loglog(list(heights), list(heights.values()), color=INK, marker="o", ms=4, lw=1.5)
    mark = curve.plot([], [], "o", ms=12, color=COLOURS[3], mec=INK)[0]
    curve.set(xlabel="variance", ylabel="largest gap to k-means' path")
    curve.set_xticks([10, 0.1, 0.001])
    curve.minorticks_off()
    curve.invert_xaxis()

    def draw(variance: float) -> Figure:
        resp, way = runs[variance][:2]
        recolour(resp, way[-1])
        move(way)
        mark.set_data([variance], [heights[variance]])
        cloud.set_title(f"variance {variance}: mean certainty {resp.max(axis=1).mean():.4f}")
        return figure

    return draw
