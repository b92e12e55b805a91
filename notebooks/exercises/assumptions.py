"""The exercises of lesson 4 on what k-means takes for granted: where borders lie, and when it is right."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from scipy.special import expit

from emlib import datasets
from emlib.validate import Array
from exercises.exercise import Exercise, Mistake, Part, Verdict, judge_letters

# Where one component ends and the next begins --------------------------------------------------------------


def _borders(means: Array, weights: Array, variances: Array) -> Array:
    return means.mean() + variances * np.log(weights[0] / weights[1]) / (means[1] - means[0])


def _borders_break(borders: Array, means: Array, weights: Array, variances: Array) -> str:
    nearer = (borders - means[1]) ** 2 - (borders - means[0]) ** 2  # how much nearer component 0 is
    leads = np.log(weights[0] / weights[1]) + nearer / (2 * variances)  # logarithms of ratios of shares
    worst = int(np.argmax(np.abs(leads)))
    share = expit(leads[worst])
    return f"at a border both shares are one half, and at {borders[worst]:.6g} component 0 has {share:.1%}"


borders = Exercise(
    name="borders",
    arguments=("means", "weights", "variances"),
    cases=[
        (np.array([1.0, 4.1]), np.array([0.85, 0.15]), np.array([3.0, 1.5, 0.4, 0.02])),
        (np.array([7.3, 2.2]), np.array([0.35, 0.65]), np.array([2.5, 0.9, 0.1])),
    ],
    praise="the heavy component pushes the border away from itself, by less and less as the variance shrinks.",
    parts=[
        Part(
            "borders",
            "(T,): one number for each variance",
            _borders,
            rule=_borders_break,
            mistakes=[
                Mistake(
                    lambda m, w, v: np.full(len(v), m.mean()),
                    "half-way is right only for equal weights; that is k-means' border. The heavier component reaches "
                    "farther",
                ),
                Mistake(
                    lambda m, w, v: 2 * m.mean() - _borders(m, w, v),
                    "right in size, but moved towards the heavier component: its points would be taken by the lighter "
                    "one. Check the sign, or which weight is on top",
                ),
                Mistake(
                    lambda m, w, v: _borders(m, w, np.sqrt(v)),
                    "the standard deviation was used; the formula wants the variance, and variances are given",
                ),
                Mistake(
                    lambda m, w, v: _borders(m, w, v**2),
                    "the variance was squared; it is already sigma squared",
                ),
                Mistake(
                    lambda m, w, v: np.full(len(v), w @ m),
                    "this is the mean of the whole mixture, its centre of mass; at the border the two shares are equal",
                ),
                Mistake(
                    lambda m, w, v: m.mean() + v * np.log(w[0] / w[1]),
                    "the distance of the means is missing: the farther apart they are, the less the border moves",
                ),
                Mistake(
                    lambda m, w, v: m.mean() + v * (w[0] / w[1]) / (m[1] - m[0]),
                    "the ratio of the weights came in without its logarithm, so it moves the border even where the "
                    "weights are equal",
                ),
                Mistake(
                    lambda m, w, v: m.mean() + v * np.log10(w[0] / w[1]) / (m[1] - m[0]),
                    "np.log10 is the logarithm to base 10; the Gaussian has an e in it: np.log",
                ),
                Mistake(
                    lambda m, w, v: m.mean() + 2 * v * np.log(w[0] / w[1]) / (m[1] - m[0]),
                    "moved twice as far as it should be: in the difference of the two squares the 2 cancels",
                ),
                Mistake(
                    lambda m, w, v: m.mean() + v * np.log(w[0] / w[1]) / (2 * (m[1] - m[0])),
                    "moved half as far as it should be: in the difference of the two squares the 2 cancels",
                ),
                Mistake(
                    lambda m, w, v: m.mean() + v * np.log(w[0] / w[1]) / (m[1] - m[0]) ** 2,
                    "divided by the squared distance of the means; one power of it cancels",
                ),
                Mistake(
                    lambda m, w, v: m.mean() + v * np.log(w[0] / w[1]) / np.abs(m[1] - m[0]),
                    "right if the first mean is the left one, and the wrong way otherwise: keep the sign of "
                    "means[1] - means[0]",
                ),
                Mistake(
                    lambda m, w, v: v * np.log(w[0] / w[1]) / (m[1] - m[0]),
                    "this is how far the border has moved; add the place it has moved from, half-way between the means",
                ),
            ],
        )
    ],
)

# When is k-means right? --------------------------------------------------------------------------------------

LETTERS = "ABCDEF"


@cache
def _served() -> frozenset[str]:
    """The cases in which k-means finds the clusters: their adjusted Rand index is above 0.95."""
    from sklearn.cluster import KMeans  # slow to import, and needed only here
    from sklearn.metrics import adjusted_rand_score

    def agreement(data: datasets.Dataset) -> float:
        assert data.labels is not None
        clusters = KMeans(int(data.labels.max()) + 1, n_init=10, random_state=0)
        return adjusted_rand_score(data.labels, clusters.fit_predict(data.X))

    return frozenset(letter for letter, data in datasets.six_cases().items() if agreement(data) > 0.95)


def k_means_is_right(prediction: Any) -> Verdict:
    """Judge the prediction of lesson 4: the cases in which k-means finds the clusters.

    Parameters
    ----------
    prediction : str, or sequence of str, or None
        Their letters: "AB" or ["A", "B"]; None if there is no prediction yet.

    Returns
    -------
    Verdict
        Never raises, whatever the prediction.
    """
    return judge_letters("k_means_is_right", prediction, "case", LETTERS, _cases)


def _cases(given: set[str]) -> str:
    served, every = set(_served()), set(LETTERS)
    if given == served:
        return (
            "correct: k-means is right where its assumptions hold, as in A, and wherever the clusters are so far apart "
            "that no assumption matters."
        )
    if not given:
        return "there are some. In A the clusters are round, equal and apart: what should go wrong there?"
    if given == every:
        return "not everywhere: in B, each mean moves to where it has the least squared distances. Where is that?"
    if given == every - served:
        return "these are the ones where it fails; the question is where it is right"
    if given == {"A"}:
        return (
            "A is right, since all that k-means assumes holds there. But an assumption matters only at the border: "
            "where nobody lives near it, a wrong one does no harm"
        )
    if given == served - {"A"}:
        return "these are far apart, and right; but so is A, whose clusters are round, of one size and of one spread"
    if given == {"A", "B", "C"} or given == {"A", "B", "C", "F"}:
        return (
            "equal numbers of points are not enough: in B the clusters are long and thin, and k-means finds less "
            "squared distance by cutting across them"
        )
    if given == {"A", "D", "E"} or given == {"A", "D", "E", "F"}:
        return (
            "round is not enough: in D the crowd is so large that more squared distance is saved by cutting it in two "
            "than by giving the few a mean of their own"
        )
    if given == {"A", "F"}:
        return (
            "round and equal in number is not enough: in F the border lies half-way between the means, and the wide "
            "cluster reaches beyond it"
        )
    if given == {"B", "C"}:
        return "k-means does not follow shapes: in B it cuts the long clusters across"
    if wrong := sorted(given - served):
        reasons = {
            "B": "long clusters side by side are cut across: that saves more squared distance than to cut between them",
            "D": "the crowd is cut in two, since that saves more squared distance than a mean for the few",
            "F": "the border lies half-way between the means, and the wide cluster reaches beyond it",
        }
        return f"not {wrong[0]}: {reasons[wrong[0]]}"
    missing = sorted(served - given)
    return f"all these are right, but {missing[0]} is too: look how much room there is around its border"
