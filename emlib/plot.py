"""Pictures: state in, artists on the given axes out. Nothing here fits anything.

The same component has the same colour everywhere. The first three are a red, a green and a blue that
colour-blind readers can tell apart (Okabe & Ito 2008); a point shared between components wears the
mixture of their colours.
"""

from __future__ import annotations

from binascii import b2a_base64
from collections.abc import Callable, Iterator
from io import BytesIO
from itertools import cycle
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import PIL.Image
import seaborn as sns
from IPython.display import display
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Ellipse
from matplotlib.text import Text
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike

from emlib import validate
from emlib.em import Trace
from emlib.mixture import Mixture
from emlib.validate import Array
from emlib.words import counted

COLOURS = ["#D55E00", "#009E73", "#0072B2", "#E69F00", "#CC79A7", "#56B4E9", "#8A7A00", "#4D4D4D"]
INK = "#262626"


def style() -> None:
    """Set the course's look for all pictures drawn from now on."""
    sns.set_theme(
        context="notebook",
        style="ticks",
        palette=COLOURS,
        rc={
            "figure.constrained_layout.use": True,
            # The font that comes with Matplotlib: the same picture everywhere, and no search for others.
            "font.family": "DejaVu Sans",
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.titlesize": "medium",
            "axes.titlelocation": "left",
            "legend.frameon": False,
            "lines.linewidth": 2,
        },
    )


def colours(K: int) -> Array:
    """The colours of K components as rows of red, green and blue, (K, 3); they repeat after eight."""
    return np.array([to_rgb(COLOURS[k % len(COLOURS)]) for k in range(validate.count("K", K))])


def mixed(resp: ArrayLike) -> Array:
    """The colour of every point, (N, 3): its components' colours, mixed by responsibility (N, K)."""
    resp = validate.probabilities("resp", resp)
    if resp.ndim != 2:
        raise ValueError(f"resp has shape {resp.shape}; it must be (N, K): one row for each point")
    return np.clip(resp @ colours(resp.shape[1]), 0, 1)


def line(
    ax: Axes,
    mixture: Mixture,
    X: ArrayLike | None = None,
    low: float | None = None,
    high: float | None = None,
    top: float | None = None,
) -> Callable[[Mixture], None]:
    """Draw a mixture on a line, and under it points in the colours of their responsibilities.

    Every component is drawn at its height in the mixture, pi_k times its density, with its number on top; a
    dashed line is their sum.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    mixture : Mixture
        In one dimension.
    X : array_like (N, 1), optional
    low, high : float, optional
        Ends of the axis; by default a little beyond the points, or four standard deviations beyond the means.
    top : float, optional
        Height of the axis; by default a little above the mixture.

    Returns
    -------
    callable
        Takes another mixture and moves what is drawn to it: much faster than to draw anew.
    """
    _in_dimensions(mixture, 1)
    low, high = _ends(mixture, X, low, high)
    grid = np.linspace(low, high, 600)

    def heights(mixture: Mixture) -> Array:
        return (np.exp(mixture.components.log_density(grid[:, None])) * mixture.weights).T  # (K, 600)

    parts = heights(mixture)
    top = float(1.2 * parts.sum(axis=0).max()) if top is None else validate.number("top", top)
    if top <= 0:
        raise ValueError(f"top is {top}; it must be greater than 0")
    fills = [
        ax.fill_between(grid, p, color=c, alpha=0.35, lw=0) for p, c in zip(parts, _cycle(), strict=False)
    ]
    names = [f"component {k}" for k in range(len(parts))]
    curves = [
        ax.plot(grid, p, color=c, lw=1.5, label=name)[0]
        for p, c, name in zip(parts, _cycle(), names, strict=False)
    ]
    (total,) = ax.plot(grid, parts.sum(axis=0), color=INK, lw=1.5, ls="--", label="mixture")
    ax.axhline(0, color=INK, lw=0.8)
    ax.set(xlim=(low, high), ylim=(0, top), xlabel="x", ylabel="density")
    ticks = [tick for tick in MaxNLocator(4).tick_values(0, top) if 0 <= tick <= top]
    if X is not None:
        x = validate.points(X, 1)[:, 0]
        # Four rows in turn keep close points apart.
        rows = -top * (0.06 + 0.08 * (np.arange(len(x)) % 4) / 3)
        dots = ax.scatter(
            x, rows, c=mixed(mixture.responsibilities(X)), s=34, edgecolors="white", linewidths=0.6, zorder=3
        )
        ax.set_ylim(-0.2 * top, top)
    ax.set_yticks(ticks)

    numbers = [_number(ax, k, va="bottom") for k in range(len(parts))]

    def redraw(mixture: Mixture) -> None:
        parts = heights(mixture)
        for fill, curve, number, part in zip(fills, curves, numbers, parts, strict=True):
            fill.set_data(grid, part, 0)
            curve.set_ydata(part)
            peak = int(part.argmax())
            height = parts[:, peak].sum() + 0.01 * top
            # Beside a peak that the picture cuts off, otherwise on top of it.
            aside = 0.015 * (high - low) if height > 0.9 * top else 0.0
            number.set_position((grid[peak] + aside, min(height, 0.9 * top)))
        total.set_ydata(parts.sum(axis=0))
        if X is not None:
            dots.set_facecolor(list(map(tuple, mixed(mixture.responsibilities(X)))))

    redraw(mixture)
    return redraw


def shares(
    ax: Axes, mixture: Mixture, low: float | None = None, high: float | None = None
) -> Callable[[Mixture], None]:
    """Draw the responsibilities along a line as layers: at every x they fill the height from 0 to 1.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    mixture : Mixture
        In one dimension.
    low, high : float, optional
        Ends of the axis; by default four standard deviations beyond the means.

    Returns
    -------
    callable
        Takes another mixture and moves what is drawn to it.
    """
    _in_dimensions(mixture, 1)
    low, high = _ends(mixture, None, low, high)
    grid = np.linspace(low, high, 600)

    def edges(mixture: Mixture) -> Array:
        layers = mixture.responsibilities(grid[:, None]).cumsum(axis=1).T  # (K, 600)
        return np.vstack([np.zeros_like(grid), layers])

    layers = edges(mixture)
    fills = [
        ax.fill_between(grid, below, above, color=c, alpha=0.75, lw=0)
        for below, above, c in zip(layers, layers[1:], _cycle(), strict=False)
    ]
    ax.set(xlim=(low, high), ylim=(0, 1), yticks=[0, 0.5, 1], xlabel="x", ylabel="responsibility")

    def redraw(mixture: Mixture) -> None:
        layers = edges(mixture)
        for fill, below, above in zip(fills, layers, layers[1:], strict=False):
            fill.set_data(grid, below, above)

    return redraw


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
    """
    objectives = history.objectives if isinstance(history, Trace) else validate.finite("history", history)
    if objectives.ndim != 1 or not len(objectives):
        raise ValueError(
            f"history has shape {objectives.shape}; it must be a Trace, or one objective a step, (T,)"
        )
    ax.plot(objectives, color=INK, marker="o", ms=4, lw=1.5)
    (mark,) = ax.plot([], [], "o", ms=12, color=COLOURS[3], mec=INK)
    ax.set(xlabel="iteration", ylabel="log-likelihood (nats)")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))

    def redraw(step: int) -> None:
        step = validate.count("step", step, least=0, most=len(objectives) - 1, why=", the last step")
        mark.set_data([step], [objectives[step]])

    if step is not None:
        redraw(step)
    return redraw


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
    """
    _in_dimensions(mixture, 2)
    X = validate.points(X, 2)
    # Smaller dots where there are many.
    dots = ax.scatter(
        X[:, 0], X[:, 1], c=mixed(mixture.responsibilities(X)), s=min(30, 9000 / len(X)), lw=0, alpha=0.8
    )
    ellipses: list[tuple[int, int, Ellipse]] = []
    for k, colour in zip(range(len(mixture)), _cycle(), strict=False):
        for sigmas in (1, 2):
            ellipse = Ellipse((0, 0), 1, 1, fill=False, ec=colour, lw=2.5 / sigmas)
            ax.add_patch(ellipse)
            ellipses.append((k, sigmas, ellipse))
    disc = {"boxstyle": "circle,pad=0.25", "fc": "white", "ec": "none", "alpha": 0.85}
    numbers = [_number(ax, k, va="center", bbox=disc, zorder=4) for k in range(len(mixture))]
    ax.set(xlabel="feature 0", ylabel="feature 1")
    ax.set_aspect("equal", adjustable="datalim")

    def redraw(mixture: Mixture) -> None:
        components: Any = mixture.components
        squares, axes = np.linalg.eigh(components.matrices)  # (K, 2), (K, 2, 2)
        for k, sigmas, ellipse in ellipses:
            ellipse.set_center(components.means[k])
            ellipse.set_width(2 * sigmas * np.sqrt(squares[k, 0]))
            ellipse.set_height(2 * sigmas * np.sqrt(squares[k, 1]))
            ellipse.set_angle(np.degrees(np.arctan2(axes[k, 1, 0], axes[k, 0, 0])))
        for number, mean in zip(numbers, components.means, strict=True):
            number.set_position(mean)
        dots.set_facecolor(list(map(tuple, mixed(mixture.responsibilities(X)))))

    redraw(mixture)
    return redraw


def watch(figure: Figure, trace: Trace[Mixture], X: ArrayLike) -> Callable[[int], None]:
    """Draw views of a fit that move together.

    On a line these are the densities, the responsibilities and the objective; in the plane the points
    with the components' ellipses, and the objective.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        Empty.
    trace : Trace
        With its models, of a mixture in one or two dimensions.
    X : array_like (N, 1) or (N, 2)

    Returns
    -------
    callable
        Takes the number of a step and moves all views to it.
    """
    validate.kind("trace", trace, Trace)
    if len(trace.models) != len(trace.objectives):
        raise ValueError("the trace holds only its last model: fit with keep='models'")
    first = trace.models[0]
    if first.components.n_features == 2:
        wide, right = figure.subplots(1, 2, width_ratios=[2, 1])
        moves = [plane(wide, first, X)]
    else:
        _in_dimensions(first, 1)
        axes = figure.subplot_mosaic([["line", "right"], ["shares", "right"]], width_ratios=[2, 1])
        right = axes["right"]
        low, high = _ends(first, X, None, None)
        grid = np.linspace(low, high, 600)[:, None]
        top = 1.2 * max(np.exp(model.log_density(grid)).max() for model in trace.models)
        moves = [line(axes["line"], first, X, low, high, top), shares(axes["shares"], first, low, high)]
        axes["line"].set(xlabel="", ylabel="density")
        axes["line"].tick_params(labelbottom=False)
    mark_to = objective(right, trace, 0)
    title = right.set_title("")

    def redraw(step: int) -> None:
        for move_to in moves:
            move_to(trace.models[step])
        mark_to(step)
        title.set_text(f"iteration {step}: {trace.objectives[step]:.2f}")

    redraw(0)
    return redraw


def png(figure: Figure, dpi: float = 144) -> bytes:
    """A figure as the bytes of a PNG file, at so many pixels per inch."""
    figure.set_dpi(dpi)
    # A canvas remembers how its texts are laid out, which is most of the work when a figure is drawn again.
    canvas = figure.canvas if isinstance(figure.canvas, FigureCanvasAgg) else FigureCanvasAgg(figure)
    canvas.draw()  # figure.savefig would draw twice
    picture = PIL.Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")
    file = BytesIO()
    # 256 colours are enough for a plot, and make the file a third as large.
    picture.quantize(256, method=PIL.Image.Quantize.FASTOCTREE).save(file, "png")
    return file.getvalue()


def show(figure: Figure, alt: str, dpi: float = 144) -> None:
    """Show a figure in a notebook, with a text for those who cannot see it, and close it.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    alt : str
        What the picture shows, in a sentence or two.
    dpi : float
        Pixels per inch; the picture is shown at half that, so that it stays sharp when enlarged.
    """
    validate.kind("alt", alt, str)
    alt = " ".join(alt.split())
    if not alt:
        raise ValueError("alt is empty; say in a sentence what the picture shows")
    picture = b2a_base64(png(figure, dpi), newline=False).decode()
    plt.close(figure)
    display(
        {"image/png": picture, "text/plain": alt},
        metadata={"image/png": {"width": round(figure.get_figwidth() * dpi / 2), "alt": alt}},
        raw=True,
    )


def _number(ax: Axes, k: int, **style: Any) -> Text:
    """The number of a component in its colour."""
    return ax.text(
        0, 0, str(k), color=COLOURS[k % len(COLOURS)], ha="center", weight="bold", clip_on=True, **style
    )


def _cycle() -> Iterator[str]:
    return cycle(COLOURS)


def _in_dimensions(mixture: Mixture, D: int) -> None:
    validate.kind("mixture", mixture, Mixture)
    if mixture.components.n_features != D:
        raise ValueError(
            f"the mixture has {counted(mixture.components.n_features, 'dimension')}, and this picture shows {D}: "
            "fit the one or two columns that you want to see"
        )


def _ends(
    mixture: Mixture, X: ArrayLike | None, low: float | None, high: float | None
) -> tuple[float, float]:
    """The ends of the axis, as given or around the points or the components."""
    if X is not None:
        x = validate.points(X, 1)
        margin = 0.05 * (x.max() - x.min())
        around = x.min() - margin, x.max() + margin
    else:
        components: Any = mixture.components
        means, spreads = components.means, np.sqrt(components.variances)
        around = (means - 4 * spreads).min(), (means + 4 * spreads).max()
    low = float(around[0]) if low is None else validate.number("low", low)
    high = float(around[1]) if high is None else validate.number("high", high)
    if not low < high:
        raise ValueError(f"the axis runs from {low} to {high}; low must be less than high")
    return low, high
