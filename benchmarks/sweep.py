"""How many clusters do the digits have? The AIC for K = 50 ... 200, against scikit-learn's.

Both sides start from the same labels, and stop by scikit-learn's rule; what k-means takes is not counted.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from time import perf_counter

import numpy as np
from report import Claim, Table, milliseconds
from sklearn.cluster import KMeans
from speed import RIDGE, digits, ours, scikit_learn

from emlib import start

TOL = 1e-3  # scikit-learn's default: gains of the mean log-likelihood below it end a fit


def until_rest(log_likelihoods: Iterator[float], N: int) -> tuple[int, float]:
    """Follow a side until its gain is small, and one step more, as scikit-learn does.

    Returns
    -------
    int
        How many M-steps that took.
    float
        The last log-likelihood.
    """
    before = next(log_likelihoods)
    for n, now in enumerate(log_likelihoods, start=2):
        if abs(now - before) < N * TOL:
            return n, next(log_likelihoods)
        before = now
    raise AssertionError("EM never ends by itself")


def measure(quick: bool = False) -> Table:
    """Sweep on both sides, K by K in turns."""
    X = digits()
    rows, totals, differences = [], np.zeros(2), []
    for K in range(50, 201, 50 if quick else 10):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            labels = KMeans(K, n_init=1, random_state=0).fit_predict(X)
        model = start.from_labels(X, labels, ridge=RIDGE)
        times, aics = np.empty((2, 3)), []
        for turn in range(times.shape[1]):
            for n, side in enumerate((ours, scikit_learn)):
                began = perf_counter()
                steps, log_likelihood = until_rest(side(model, X), len(X))
                times[n, turn] = perf_counter() - began
                aics.append((steps, 2 * model.n_parameters - 2 * log_likelihood))
        seconds = np.median(times, axis=1)
        totals += seconds
        (steps, ours_), (their_steps, theirs) = aics[-2:]
        differences.append(abs(ours_ / theirs - 1))
        iterations = f"{steps}" if steps == their_steps else f"{steps} and {their_steps}"
        row = [f"{K}", f"{ours_:.2f}", f"{differences[-1]:.0e}", iterations, *map(milliseconds, seconds)]
        rows.append([*row, f"{seconds[1] / seconds[0]:.2f}"])
    ratio = totals[1] / totals[0]
    rows.append(["all", "", f"{max(differences):.0e}", "", *map(milliseconds, totals), f"{ratio:.2f}"])
    return Table(
        "A sweep: the AIC of digits",
        f"1,797 digits, {X.shape[1]} whitened components; the same k-means labels and the same ridge ({RIDGE:g}) "
        "on both sides; milliseconds for EM alone, medians of three.",
        ["K", "AIC", "difference", "iterations", "emlib", "scikit-learn", "ratio"],
        rows,
        [
            Claim("digits, AIC for K = 50 to 200", ratio, 4.7, 7),
            Claim("AICs of digits, against scikit-learn's", max(differences), 1e-10, None, True, "off"),
        ],
    )
