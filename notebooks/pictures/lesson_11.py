"""What chance makes of a likelihood ratio, and what each criterion chooses."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import ArrayLike
from scipy.special import gammaln
from scipy.stats import norm

from emlib import Gaussian, Mixture, plot, validate
from emlib.plot.appearance import COLOURS, INK
from emlib.validate import Array

LOOKS = {
    "AIC": (COLOURS[0], "o"),
    "BIC": (COLOURS[2], "s"),
    "ICL": (COLOURS[1], "^"),
    "held-out": (INK, "D"),
}


def null(
    ax: Axes,
    simulated: ArrayLike,
    degrees: int | None = None,
    observed: float | None = None,
    bars: Mapping[str, float] | None = None,
) -> None:
    """Draw likelihood ratios simulated under the null hypothesis, and what they are compared with.

    Ratios of exactly 0 have no density; they are a line at 0, with their share, if it is one in a hundred or more.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    simulated : array_like (B,)
        Twice the gains in log-likelihood, in nats; none below 0, and some above. Infinite ones are counted in the
        legend, and have no place in the picture.
    degrees : int, optional
        Of freedom, of the chi-square density to draw over them.
    observed : float, optional
        The ratio of the data, to be marked.
    bars : mapping, optional
        Names, such as "BIC", of what asks for a ratio, and how large a one.
    """
    given = np.asarray(simulated)
    endless = np.isposinf(given) if given.dtype.kind == "f" else np.zeros(given.shape, dtype=bool)
    ratios = validate.finite("simulated", given[~endless] if endless.any() else simulated)
    if ratios.ndim != 1 or (ratios < 0).any() or not (ratios > 0).any():
        raise ValueError("simulated must be numbers (B,), none of them below 0 and some above")
    if observed is not None:
        observed = validate.number("observed", observed)
    bars = {name: validate.number(name, bar) for name, bar in (bars or {}).items()}
    some, end = ratios[ratios > 0], 1.05 * float(max(ratios.max(), observed or 0.0, *bars.values()))
    edges = np.linspace(0, float(ratios.max()), 31)
    density = np.histogram(some, edges)[0] / len(given) / edges[1]
    beyond = f", {endless.sum()} infinite" if endless.any() else ""
    ax.stairs(density, edges, fill=True, color="0.75", label=f"{len(given)} simulated{beyond}")
    height = 1.1 * float(density.max())  # of lines; above them is room for the legend
    top = (1.6 if bars else 1.25) * height
    if (share := (ratios == 0).sum() / len(given)) >= 0.01:
        ax.plot([0, 0], [0, top], color="0.5", lw=6, clip_on=False, zorder=3, label=f"exactly 0: {share:.0%}")
    if degrees is not None:
        half, x = validate.count("degrees", degrees) / 2, np.linspace(end / 1000, end, 500)
        curve = np.exp((half - 1) * np.log(x) - x / 2 - half * np.log(2) - gammaln(half))
        ax.plot(x, curve, color=COLOURS[0], label=f"chi-square, {degrees} df")
    for name, bar in bars.items():
        colour = LOOKS[name][0] if name in LOOKS else COLOURS[1]
        ax.plot([bar, bar], [0, height], color=colour, lw=2, label=f"{name}: {bar:.1f}")
    if observed is not None:
        ax.plot(
            [observed, observed],
            [0, height if bars else top],
            color=INK,
            ls="--",
            label=f"data: {observed:.1f}",
        )
    ax.set(xlim=(0, end), ylim=(0, top), xlabel="ratio, twice the gain (nats)", ylabel="density")
    ax.legend(ncols=2 if bars else 1)


def chosen(
    ax: Axes, names: Sequence[str], Ks: Sequence[int], true: int | None = None
) -> Callable[[ArrayLike], None]:
    """Draw how often each criterion chose each number of components, as a table of shaded cells.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    names : sequence of str
        The criteria, from above.
    Ks : sequence of int
        The numbers of components.
    true : int, optional
        The right one, to be framed.

    Returns
    -------
    callable
        Takes counts (C, number of Ks), one row for each criterion, and changes the picture to them.
    """
    shape = len(names), len(Ks)
    shades = LinearSegmentedColormap.from_list("shades", ["white", COLOURS[2]])
    image = ax.imshow(np.zeros(shape), cmap=shades, vmin=0, vmax=1, aspect="auto")
    words = [[ax.text(k, c, "", ha="center", va="center") for k in range(shape[1])] for c in range(shape[0])]
    ax.set_xticks(range(shape[1]), [str(K) for K in Ks])
    ax.set_yticks(range(shape[0]), list(names))
    ax.set(xlabel="components chosen, K")
    ax.tick_params(length=0)
    if true is not None:
        if true not in Ks:
            raise ValueError(f"true is {true!r}; it must be one of Ks, {list(Ks)}")
        corner = list(Ks).index(true) - 0.5, -0.48
        ax.add_patch(Rectangle(corner, 1, shape[0] - 0.04, fill=False, ec=COLOURS[0], lw=2.5, clip_on=False))

    def redraw(counts: ArrayLike) -> None:
        table = validate.shaped("counts", counts, shape, "one row for each criterion")
        if (table < 0).any() or not table.any(axis=1).all():
            raise ValueError("counts must not be below 0, and every row must have some above")
        shares = table / table.sum(axis=1, keepdims=True)
        image.set_data(shares)
        for row, line in enumerate(words):
            for column, word in enumerate(line):
                share = shares[row, column]
                word.set_text(f"{table[row, column]:.0f}" if table[row, column] else "")
                word.set_color("white" if share > 0.55 else INK)

    return redraw


def choices(
    counts: Callable[[float, int], ArrayLike], names: Sequence[str]
) -> Callable[[float, int], Figure]:
    """What draws three components on a line and what criteria chose for samples from them, for a film.

    Parameters
    ----------
    counts : callable
        Takes a distance d and a number of points N; returns how often each criterion chose K = 1 to 6, (C, 6).
    names : sequence of str
        The criteria.

    Returns
    -------
    callable
        Takes d and N and returns the figure.
    """

    def mixture(d: float) -> Mixture:
        return Mixture([1 / 3] * 3, Gaussian.univariate([-d, 0, d], [1, 1, 1]))

    figure = Figure(figsize=(9.5, 3.4), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=[1.1, 1])
    move_to = plot.line(left, mixture(5), None, -8.5, 8.5, top=0.19)
    recount = chosen(right, names, range(1, 7), true=3)

    def draw(d: float, N: int) -> Figure:
        move_to(mixture(d))
        recount(counts(d, N))
        left.set_title(f"d = {d}: {4 / 3 * norm.cdf(-d / 2):.1%} misjudged at best")
        right.set_title(f"chosen in 100 samples of N = {N}")
        return figure

    return draw


def hits(ax: Axes, N: ArrayLike, found: Mapping[str, ArrayLike], samples: int) -> None:
    """Draw how often each criterion was right, by the number of points, with 95% Wilson intervals.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    N : array_like (T,)
    found : mapping
        The name of a criterion, "AIC", "BIC", "ICL" or "held-out", and how often it was right, (T,).
    samples : int
        How often it was tried.
    """
    sizes, samples = validate.finite("N", N), validate.count("samples", samples)
    for shift, (name, counts) in zip(np.linspace(-0.06, 0.06, len(found)), found.items(), strict=True):
        validate.one_of("the name of a criterion", name, tuple(LOOKS))
        share = validate.shaped(name, counts, sizes.shape, "one count for each N") / samples
        if (share < 0).any() or (share > 1).any():
            raise ValueError(f"{name} must be counts from 0 to {samples}, the number of samples")
        low, high = wilson(share, samples)
        colour, marker = LOOKS[name]
        x = sizes * np.exp(shift)
        ax.plot(x, share, color=colour, marker=marker, ms=6, lw=1.5, label=name)
        ax.vlines(x, low, high, color=colour, lw=1.5)
    ax.set(xscale="log", ylim=(-0.03, 1.03), xlabel="number of points, N", ylabel="share of samples")
    ax.set_xticks(sizes, [f"{n:g}" for n in sizes])
    ax.minorticks_off()


def wilson(share: ArrayLike, n: int) -> tuple[Array, Array]:
    """The ends of 95% intervals for a probability, from the shares of hits among n tries.

    Parameters
    ----------
    share : array_like
        Between 0 and 1.
    n : int

    References
    ----------
    Wilson (1927), Probable inference, the law of succession, and statistical inference.
    """
    p, n, z = validate.finite("share", share), validate.count("n", n), 1.959963984540054
    if (p < 0).any() or (p > 1).any():
        raise ValueError(f"share runs from {p.min():.6g} to {p.max():.6g}; shares lie between 0 and 1")
    middle = (p + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    return middle - half, middle + half
