"""Draw the pictures that the README and the lessons show.

Run it: make figures
"""

from itertools import islice
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from sklearn.datasets import make_moons

import pictures  # beside the lessons; the Makefile says where
from emlib import Gaussian, GaussianMixture, Mixture, datasets, em, fit, plot, start

HERE = Path(__file__).resolve().parent


def three_clusters() -> Figure:
    """Lesson 1 in one picture: the guess, after one step, after ten."""
    X = datasets.three_clusters().X
    guess = Mixture([1 / 3, 1 / 3, 1 / 3], Gaussian.univariate([-5, 8, 1.5], [25, 9, 1]))
    steps = list(islice(em(guess, X), 11))
    figure, axes = plt.subplots(1, 3, figsize=(12, 3.4), sharey=True)
    for ax, number, title in zip(axes, [0, 1, 10], ["a guess", "after one step", "after ten"], strict=True):
        plot.line(ax, steps[number].model, X, -16, 16, top=0.18)
        ax.set_title(f"{title}: {steps[number].objective:.2f} nats")
    for ax in axes[1:]:
        ax.set_ylabel("")
    return figure


def why_em_works() -> Figure:
    """Lesson 5 in one picture: three steps of EM, each to the top of a bound that touches."""
    x = np.array([0.1, -0.1, 0.6, 0.1, -0.5, 0.4, 1.3, 0.9, 3.3, 2.7, 3.4, 4.0, 1.7, -3.7, -4.4, -4.0])

    def log_joint(mean: float) -> NDArray[np.float64]:
        """Log p(x_n, k), (16, 2), when only the second mean is unknown."""
        w, m, v = np.array([0.6, 0.4]), np.array([0, mean]), np.array([2, 1])
        return np.log(w) - 0.5 * np.log(2 * np.pi * v) - (x[:, None] - m) ** 2 / (2 * v)

    def log_likelihood(mean: float) -> float:
        return float(np.logaddexp.reduce(log_joint(mean), axis=1).sum())

    figure, axes = plt.subplots(1, 3, figsize=(12, 3.4), sharey=True)
    mean = 0.0
    panels = dict(zip([0, 2, 6], axes, strict=True))
    for step in range(7):
        joint = np.exp(log_joint(mean))
        q = joint / joint.sum(axis=1, keepdims=True)
        after = float(q[:, 1] @ x / q[:, 1].sum())
        if ax := panels.get(step):
            move_to = plot.bound(ax, log_likelihood, -6, 6, "mean of component 1")
            move_to(lambda t, q=q: float((q * (log_joint(t) - np.log(q))).sum()), mean, after)  # type: ignore[misc]
            ax.set_title(f"step {step + 1}: {log_likelihood(after):.2f} nats")
            ax.label_outer()
        mean = after
    return figure


def skewed_blobs() -> Figure:
    """Lesson 2 in one picture: a start far off, and the end."""
    X = datasets.skewed_blobs().X
    means = [[3, -5], [-7, 1], [-15, 21]]  # the first draw of the tutorial
    guess = Mixture(np.full(3, 1 / 3), Gaussian(means, np.full((3, 2, 2), (5 + 1e-6) * np.eye(2))))
    steps = list(islice(em(guess, X), 51))
    figure, axes = plt.subplots(1, 2, figsize=(12, 4.2), sharey=True)
    for ax, number, title in zip(axes, [0, 50], ["a start", "step 50"], strict=True):
        plot.plane(ax, steps[number].model, X)
        ax.set(xlim=(-28, 34), ylim=(-11, 30), title=f"{title}: {steps[number].objective:.2f} nats")
        ax.set_aspect("equal", adjustable="box")
    for ax in axes[1:]:
        ax.set_ylabel("")
    return figure


def k_means_and_em() -> Figure:
    """Lesson 3 in one picture: k-means and a mixture, on round clusters."""
    X = datasets.four_blobs().X
    hard = KMeans(4, n_init=10, random_state=0).fit(X)
    clusters = start.from_labels(X, hard.labels_)
    soft = GaussianMixture(4, random_state=0).fit(X).mixture_.aligned(clusters)
    figure, axes = plt.subplots(1, 2, figsize=(12, 4.6), sharey=True)
    plot.clusters(axes[0], X, np.eye(4)[hard.labels_], hard.cluster_centers_)
    pictures.borders(axes[0], hard.cluster_centers_)
    plot.plane(axes[1], soft, X)
    for ax, title in zip(axes, ["k-means", "a mixture of Gaussians"], strict=True):
        ax.set_title(title)
        ax.label_outer()
    return figure


def generating_digits() -> Figure:
    """Lesson 4 in one picture: digits that people wrote."""
    X = datasets.digits().X
    figure, ax = plt.subplots(figsize=(12, 2.6))
    plot.plate(ax, X[np.random.default_rng(0).choice(len(X), 75, replace=False)], columns=25)
    return figure


def where_em_starts() -> Figure:
    """Lesson 6 in one picture: nine clusters, the best maximum and a poor one."""
    X, labels = datasets.nine_clusters().X, np.repeat(np.arange(9), 50)
    firsts = [start.from_labels(X, labels), start.k_means_plus_plus(X, 9, np.random.default_rng(4))]
    figure, axes = plt.subplots(1, 2, figsize=(10, 4.2), sharey=True)
    for ax, first, title in zip(axes, firsts, ["the best maximum", "a poor one"], strict=True):
        trace = fit(first, X)
        plot.plane(ax, trace.model, X)
        ax.set_title(f"{title}: {trace.objective:.1f} nats")
        ax.label_outer()
    return figure


def where_em_stops() -> Figure:
    """Lesson 7 in one picture: a plateau that a common program takes for the end."""
    X = datasets.old_faithful().X
    trace = fit(start.random(X, 2, np.random.default_rng(0)), X)
    figure, ax = plt.subplots(figsize=(9, 3.4))
    plot.objective(ax, trace)
    ax.plot(2, trace.objectives[2], "X", ms=14, color=plot.COLOURS[0], mec="white", zorder=5)
    ax.annotate(
        "a common program says: converged", (2, trace.objectives[2]), (4, -1270), color=plot.COLOURS[0]
    )
    return figure


def when_em_breaks() -> Figure:
    """Lesson 8 in one picture: a component that has collapsed onto one point."""
    X = datasets.three_clusters().X
    bells = Gaussian.univariate([-10, 10, 0, X.min()], [4, 4, 2, 0.01], floor=1e-5)
    figure, ax = plt.subplots(figsize=(9, 3.6))
    trace = fit(Mixture([0.33, 0.33, 0.33, 0.01], bells), X, tol=0, max_iter=5)
    plot.line(ax, trace.model, X, -16, 16, top=0.18)
    ax.axvline(X.min(), 0.17, color=plot.COLOURS[3])  # too thin for the curve
    ax.texts[3].set_position((X.min() + 0.6, 0.16))
    return figure


def how_many_clusters() -> Figure:
    """Lesson 10 in one picture: two data sets, and no number of clusters."""
    geyser, moons = datasets.old_faithful(), make_moons(400, noise=0.08, random_state=0)[0]
    figure, axes = plt.subplots(1, 2, figsize=(12, 4.2))
    for ax, X, names in zip(
        axes, [geyser.X, moons], [geyser.features, ("feature 0", "feature 1")], strict=True
    ):
        ax.scatter(X[:, 0], X[:, 1], s=20, color="0.5", lw=0)
        ax.set(xlabel=names[0], ylabel=names[1])
    return figure


if __name__ == "__main__":
    plot.style()
    for draw in [
        three_clusters,
        skewed_blobs,
        k_means_and_em,
        generating_digits,
        why_em_works,
        where_em_starts,
        where_em_stops,
        when_em_breaks,
        how_many_clusters,
    ]:
        figure = draw()
        (HERE / f"{draw.__name__}.png").write_bytes(plot.png(figure, dpi=120))
        print(f"drew {draw.__name__}.png")
