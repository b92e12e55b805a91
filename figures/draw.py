"""Draw the pictures that the README and the lessons show.

Run it: python figures/draw.py
"""

from itertools import islice
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from sklearn.cluster import KMeans

from emlib import Gaussian, GaussianMixture, Mixture, datasets, em, plot, start

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
    """Lesson 2 in one picture: three steps of EM, each to the top of a bound that touches."""
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
    """Lesson 3 in one picture: a start far off, the plateau, the end."""
    X = datasets.skewed_blobs().X
    means = np.random.RandomState(14).randint(-20, 26, size=(3, 2))
    guess = Mixture(np.full(3, 1 / 3), Gaussian(means, np.full((3, 2, 2), (5 + 1e-6) * np.eye(2))))
    steps = list(islice(em(guess, X), 101))
    figure, axes = plt.subplots(1, 3, figsize=(12, 3), sharey=True)
    for ax, number, title in zip(axes, [0, 20, 100], ["a start", "step 20", "step 100"], strict=True):
        plot.plane(ax, steps[number].model, X)
        ax.set(xlim=(-28, 34), ylim=(-7, 30), title=f"{title}: {steps[number].objective:.2f} nats")
        ax.set_aspect("equal", adjustable="box")
    for ax in axes[1:]:
        ax.set_ylabel("")
    return figure


def k_means_and_em() -> Figure:
    """Lesson 4 in one picture: k-means and a mixture, on long clusters."""
    S = datasets.four_blobs(stretched=True).X
    hard = KMeans(4, n_init=10, random_state=0).fit(S)
    clusters = start.from_labels(S, hard.labels_)
    soft = GaussianMixture(4, random_state=0).fit(S).mixture_.aligned(clusters)
    figure, axes = plt.subplots(1, 2, figsize=(12, 4.6), sharey=True)
    plot.clusters(axes[0], S, np.eye(4)[hard.labels_], hard.cluster_centers_)
    plot.circles(axes[0], S, hard.labels_, hard.cluster_centers_)
    plot.plane(axes[1], soft, S)
    for ax, title in zip(axes, ["k-means", "a mixture of Gaussians"], strict=True):
        ax.set_title(title)
        ax.label_outer()
    return figure


if __name__ == "__main__":
    plot.style()
    for draw in [three_clusters, why_em_works, skewed_blobs, k_means_and_em]:
        figure = draw()
        (HERE / f"{draw.__name__}.png").write_bytes(plot.png(figure, dpi=120))
        print(f"drew {draw.__name__}.png")
