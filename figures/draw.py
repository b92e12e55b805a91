"""Draw the pictures that the README and the lessons show.

Run it: python figures/draw.py
"""

from itertools import islice
from pathlib import Path

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from emlib import Gaussian, Mixture, datasets, em, plot

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


if __name__ == "__main__":
    plot.style()
    for draw in [three_clusters]:
        figure = draw()
        (HERE / f"{draw.__name__}.png").write_bytes(plot.png(figure, dpi=120))
        print(f"drew {draw.__name__}.png")
