"""How a fit goes: its objective, views of its models that move together, and the bound that a step climbs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.markers import CARETUP
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike

from emlib import validate
from emlib.blocks import as_one
from emlib.fitting import Trace
from emlib.mixture import Mixture
from emlib.plot import common
from emlib.plot.appearance import COLOURS, INK
from emlib.plot.lines import ends, line, points_on_line, shares
from emlib.plot.planes import plane
from emlib.value import Array

CURVE, BOUND, GAP = INK, COLOURS[2], COLOURS[3]
LAST = ", the last step"
Curve = Callable[[float], float]


def objective(ax: Axes, history: Trace[Any] | ArrayLike, step: int | None = None) -> Callable[[int], None]:
    """Draw the objective of a fit by iteration.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    history : Trace or array_like (T,)
        A fit's trace, or the objectives of its steps, in nats.
    step : int, optional
        A step to mark with a dot.

    Returns
    -------
    callable
        Takes the number of another step and moves the mark to it.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from emlib import fit, plot
    >>> from emlib.classic import Coins
    >>> figure, ax = plt.subplots()
    >>> move = plot.objective(ax, fit(Coins([0.6, 0.5]), [5, 9, 8, 4, 7]), step=0)
    >>> move(2)
    >>> ax.get_ylabel(), [round(float(y), 2) for y in ax.lines[1].get_ydata()]
    ('log-likelihood (nats)', [-31.72])
    >>> plt.close(figure)
    """
    common.axes(ax)
    objectives = history.objectives if isinstance(history, Trace) else validate.finite("history", history)
    if objectives.ndim != 1 or not len(objectives):
        raise ValueError(
            f"history has shape {objectives.shape}; it must be a Trace, or one objective a step, (T,)"
        )
    last = len(objectives) - 1
    if step is not None:
        validate.count("step", step, least=0, most=last, why=LAST)
    ax.plot(objectives, color=INK, marker="o", ms=4, lw=1.5)
    (mark,) = ax.plot([], [], "o", ms=12, color=COLOURS[3], mec=INK)
    ax.set(xlabel="iteration", ylabel="log-likelihood (nats)")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))

    def redraw(step: int) -> None:
        step = validate.count("step", step, least=0, most=last, why=LAST)
        mark.set_data([step], [objectives[step]])

    if step is not None:
        redraw(step)
    return redraw


def watch(
    figure: Figure | SubFigure, trace: Trace[Mixture], X: ArrayLike, ringed: int | None = None
) -> Callable[[int], None]:
    """Draw views of a fit that move together.

    On a line these are the densities, the responsibilities and the objective; in the plane the points
    with the components' ellipses, and the objective.

    Parameters
    ----------
    figure : matplotlib.figure.Figure or SubFigure
        Empty.
    trace : Trace
        With its models, of a mixture in one or two dimensions.
    X : array_like (N, 1) or (N, 2)
    ringed : int, optional
        The row of X to ring, on a line.

    Returns
    -------
    callable
        Takes the number of a step and moves all views to it.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from emlib import Gaussian, Mixture, datasets, fit, plot
    >>> plot.style()
    >>> X = datasets.three_clusters().X
    >>> first = Mixture([1 / 3] * 3, Gaussian.univariate(means=[-5, 8, 1.5], variances=[25, 9, 1]))
    >>> figure = plt.figure()
    >>> go = plot.watch(figure, fit(first, X), X)
    >>> go(2)
    >>> [ax.get_title("left") for ax in figure.axes if ax.get_title("left")]
    ['iteration 2: -192.37']
    >>> plt.close(figure)
    """
    if not isinstance(figure, SubFigure):
        validate.kind(
            "figure", figure, Figure, ", such as plt.figure() gives: the first argument is where to draw"
        )
    validate.kind("trace", trace, Trace)
    if len(trace.models) != len(trace.objectives):
        raise ValueError("the trace holds only its last model: fit with keep='models'")
    first = trace.models[0]
    if common.in_dimensions(first, 1, 2).n_features == 2:
        points = validate.points(as_one(X), 2)
        wide, right = figure.subplots(1, 2, width_ratios=[2, 1])
        moves = [plane(wide, first, points)]
    else:
        x = points_on_line(X, ringed)
        axes = figure.subplot_mosaic([["line", "right"], ["shares", "right"]], width_ratios=[2, 1])
        right = axes["right"]
        low, high = ends(first, x, None, None)
        summits = [model.log_density(common.in_dimensions(model, 1).means).max() for model in trace.models]
        tallest = float(np.exp(max(summits)))
        grid = np.linspace(low, high, 600)[:, None]
        usual = float(np.exp(max(model.log_density(grid).max() for model in trace.models)))
        top = 1.2 * min(max(usual, tallest), 3 * usual)  # a needle is cut, so that the rest can be seen
        moves = [
            line(axes["line"], first, X, low, high, top, ringed),
            shares(axes["shares"], first, low, high),
        ]
        axes["line"].set(xlabel="", ylabel="density")
        axes["line"].tick_params(labelbottom=False)
    mark_to = objective(right, trace, 0)
    title = right.set_title("")

    def redraw(step: int) -> None:
        mark_to(step)  # first: it says so if there is no such step
        for move_to in moves:
            move_to(trace.models[step])
        title.set_text(f"iteration {step}: {trace.objectives[step]:.2f}")

    redraw(0)
    return redraw


def bound(
    ax: Axes, log_likelihood: Curve, low: float, high: float, name: str = "parameter"
) -> Callable[[Curve, float, float], None]:
    """Draw the log-likelihood of one parameter, and under it a bound that one step of EM climbs.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    log_likelihood : callable
        Takes the parameter and returns a number, in nats.
    low, high : float
        Ends of the axis.
    name : str
        Of the parameter.

    Returns
    -------
    callable
        Takes a bound (a function of the parameter too), the parameter at which it touches the log-likelihood and
        the one at which it is highest, and moves the picture to them.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from emlib import plot
    >>> figure, ax = plt.subplots()
    >>> move = plot.bound(ax, lambda p: -((p - 2) ** 2), low=0, high=4, name="p")
    >>> move(lambda p: -((p - 2) ** 2) - (p - 1) ** 2, 1.0, 1.5)  # it touches at 1, and is highest at 1.5
    >>> [text.get_text() for text in ax.legend().get_texts()][:3]
    ['log-likelihood', 'bound (ELBO)', 'gap (KL)']
    >>> plt.close(figure)
    """
    common.axes(ax)
    validate.function("log_likelihood", log_likelihood, "parameter")
    low, high = common.interval(low, high)
    grid = np.linspace(low, high, 400)
    heights = _values(log_likelihood, grid)
    ax.plot(grid, heights, color=CURVE, label="log-likelihood")
    (curve,) = ax.plot([], [], color=BOUND, label="bound (ELBO)")
    (gap,) = ax.plot([], [], color=GAP, lw=6, solid_capstyle="butt", label="gap (KL)")
    (old,) = ax.plot([], [], "o", color=CURVE, ms=7, zorder=4, label="before the step")
    (new,) = ax.plot([], [], "o", mfc="white", mec=CURVE, mew=1.5, ms=7, zorder=4, label="after the step")
    (peak,) = ax.plot([], [], ls="", marker=CARETUP, color=BOUND, ms=10, zorder=4, label="peak of the bound")
    finite = heights[np.isfinite(heights)]  # at an end of the axis the data may be impossible
    if not finite.size:
        raise ValueError(f"the log-likelihood is not finite anywhere from {low} to {high}: choose other ends")
    spread = float(np.ptp(finite)) or 1.0
    ax.set(xlim=(low, high), ylim=(finite.min() - 0.55 * spread, finite.max() + 0.15 * spread))
    ax.set(xlabel=name, ylabel="nats")

    def redraw(elbo: Curve, before: float, after: float) -> None:
        validate.function("bound", elbo, "parameter")
        before, after = validate.number("before", before), validate.number("after", after)
        curve.set_data(grid, _values(elbo, grid))
        top, bottom = float(log_likelihood(after)), float(elbo(after))
        gap.set_data([after, after], [bottom, top])
        old.set_data([before], [log_likelihood(before)])
        peak.set_data([after], [bottom])
        new.set_data([after], [top])

    return redraw


def _values(function: Curve, grid: Array) -> Array:
    values = validate.numbers("what the function returns", [function(float(value)) for value in grid])
    if values.shape != grid.shape:
        raise ValueError(
            f"the function returns an array of shape {values.shape[1:]}; it must return one number"
        )
    return values
