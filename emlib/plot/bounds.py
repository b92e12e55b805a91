"""The log-likelihood of one parameter, a bound that touches it, and the gap between the two."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from matplotlib.axes import Axes
from matplotlib.markers import CARETUP

from emlib import validate
from emlib.plot.appearance import COLOURS, INK, axes
from emlib.value import Array

CURVE, BOUND, GAP = INK, COLOURS[2], COLOURS[3]
Curve = Callable[[float], float]


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
    axes(ax)
    validate.function("log_likelihood", log_likelihood, "parameter")
    low, high = validate.number("low", low), validate.number("high", high)
    if not low < high:
        raise ValueError(f"the axis runs from {low} to {high}; low must be less than high")
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
