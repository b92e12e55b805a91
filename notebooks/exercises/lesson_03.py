"""The exercises of lesson 3: hard clusters and soft ones, when k-means is right, and a border."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from emlib import datasets
from emlib.validate import Array
from exercises.judge import Exercise, Mistake, Part, Verdict, judge, judge_letters
from exercises.predictions import lone_number

# Lloyd's step -----------------------------------------------------------------------------------------


def _squares(X: Array, means: Array) -> Array:
    """Squared distances, (N, K)."""
    return ((X[:, None] - means) ** 2).sum(axis=2)


def _one(table: Array) -> Array:
    """1 at the smallest number of every row, 0 elsewhere."""
    return np.eye(table.shape[1])[table.argmin(axis=1)]


def _nearest(X: Array, means: Array) -> Array:
    return _one(_squares(X, means))


def _soft(X: Array, means: Array) -> Array:
    """The shares of components of equal weight and variance 1."""
    joint = np.exp(-_squares(X, means) / 2)
    return joint / joint.sum(axis=1, keepdims=True)


def _averages(X: Array, resp: Array) -> Array:
    return resp.T @ X / resp.sum(axis=0)[:, None]


def _table_breaks(resp: Array, X: Array, means: Array) -> str:
    """Which rule of hard responsibilities a table breaks."""
    if not np.isin(resp, (0, 1)).all():
        return "hard responsibilities are zeros and ones"
    if (resp.sum(axis=1) != 1).any():
        row = int(np.argmax(resp.sum(axis=1) != 1))
        return f"each row must hold a single 1, and row {row} holds {resp[row].sum():g}"
    return "every point does go to one mean, but not every one to the nearest"


def _averages_break(new: Array, X: Array, means: Array) -> str:
    low, high = X.min(axis=0), X.max(axis=0)
    if (new < low - 1e-9).any() or (new > high + 1e-9).any():
        return "a mean of points lies among them, and one of these does not"
    return ""


def _after(X: Array, means: Array, steps: int) -> Array:
    """The means after some steps of k-means."""
    for _ in range(steps):
        means = _averages(X, _nearest(X, means))
    return means


# In each of these a second step still changes something, and so does a third.
_LLOYD: list[tuple[Array, Array]] = [
    (
        np.array(
            [
                [5.5, -9.2],
                [2.9, 0.2],
                [4.0, 1.2],
                [5.5, 0.1],
                [-1.5, 1.7],
                [1.3, -1.1],
                [-0.7, 2.2],
                [2.1, -1.5],
            ]
        ),
        np.array([[-1.1, -5.4], [5.0, -0.7], [4.0, 1.3]]),
    ),
    (
        np.array(
            [
                [-3.0, -0.1],
                [1.8, -5.1],
                [-4.2, -2.9],
                [3.0, 3.3],
                [1.0, 1.3],
                [-1.8, -3.5],
                [1.4, 2.3],
                [-0.3, -5.9],
                [0.8, 0.4],
            ]
        )
        / 7,  # many digits, so that nothing rounded passes
        np.array([[-2.3, 2.4], [4.3, 2.5], [0.4, -1.8], [1.6, -3.9]]) / 7,
    ),
    (
        np.array(
            [
                [0.7, 0.8, 0.8],
                [2.8, -0.7, 5.6],
                [2.0, 1.6, -6.1],
                [-4.7, 4.0, 1.2],
                [2.6, -0.7, -0.1],
                [1.7, -1.7, 3.6],
                [-2.5, 0.8, -0.4],
                [1.2, 3.4, -2.5],
                [1.5, 0.6, 2.5],
                [0.3, -0.9, 1.6],
                [3.7, 2.4, 0.8],
            ]
        ),
        np.array([[1.4, -3.5, -1.0], [-0.3, -1.0, -1.4], [0.3, 1.4, 5.2], [-1.4, -1.9, 2.9]]),
    ),
]

_END = (
    "this is where k-means ends, after all its steps; one step only: one resp, from the means that are given"
)

lloyd_step = Exercise(
    name="lloyd_step",
    arguments=("X", "means"),
    shapes=("(N, D)", "(K, D)"),
    cases=_LLOYD,
    edges=[
        (_LLOYD[0][0], np.array([[1.0, 0.5]])),
        (np.array([[0.3], [1.9], [4.4], [5.2]]), np.array([[0.0], [3.0]])),
    ],
    whole=[(np.array([[0, 4], [1, 0], [3, 2], [5, 3], [4, 1]]), np.array([[0, 2], [4, 2]]))],
    praise="k-means is an E-step whose shares are 0 or 1, and the M-step for the means that you know.",
    parts=[
        Part(
            "resp",
            "(N, K): one row for each point, with a 1 for its nearest mean",
            _nearest,
            rule=_table_breaks,
            mistakes=[
                Mistake(
                    lambda X, m: _squares(X, m).argmin(axis=1),
                    "these are the numbers of the nearest means; make a table of them with a 1 in every row: "
                    "np.eye(K)[labels]",
                ),
                Mistake(
                    lambda X, m: _one(-_squares(X, m)),
                    "every point went to the farthest mean: argmin, not argmax. (argmax is for densities, argmin for "
                    "distances)",
                ),
                Mistake(
                    lambda X, m: _one(_squares(X, m).T).T,
                    "each mean took one point, the nearest; each point must take one mean: argmin along axis 1",
                ),
                Mistake(
                    _soft,
                    "these are soft shares, as at variance 1; k-means gives each point whole to the nearest mean",
                ),
                Mistake(
                    lambda X, m: _one(np.abs(X[:, None] - m).sum(axis=2)),
                    "the distances were added up along the axes, as on a street map; square the differences before "
                    "the sum",
                ),
                Mistake(
                    _squares,
                    "these are the squared distances; now put a 1 where each row has its smallest, and 0 elsewhere",
                ),
                Mistake(
                    lambda X, m: _nearest(X, _after(X, m, 1)),
                    "this belongs to two steps: each point has the nearest of the new means. One step only: return "
                    "the resp that made the new means, with the nearest of the means that are given",
                ),
                Mistake(lambda X, m: _nearest(X, _after(X, m, 50)), _END),
            ],
        ),
        Part(
            "means",
            "(K, D): one row for each cluster",
            lambda X, m: _averages(X, _nearest(X, m)),
            rule=_averages_break,
            mistakes=[
                Mistake(
                    lambda X, m: m, "these are the old means; work out new ones from the points they got"
                ),
                Mistake(
                    lambda X, m: _nearest(X, m).T @ X,
                    "these are the sums of each cluster's points; divide by how many they are",
                ),
                Mistake(
                    lambda X, m: _nearest(X, m).T @ X / len(X),
                    "divided by N, all the points; a cluster has only its own: divide by the sum of its column",
                ),
                Mistake(
                    lambda X, m: _nearest(X, m).T @ X / len(m),
                    "divided by the number of clusters; divide each sum by the number of points in that cluster",
                ),
                Mistake(
                    lambda X, m: _averages(X, _soft(X, m)),
                    "these means count the points by soft shares; here they count by the table of zeros and ones",
                ),
                Mistake(
                    lambda X, m: np.broadcast_to(X.mean(axis=0), m.shape),
                    "this is the mean of all points, for every cluster; take each cluster's own points",
                ),
                Mistake(
                    lambda X, m: _after(X, m, 2),
                    "these are the means after two steps: one step only",
                ),
                Mistake(lambda X, m: _after(X, m, 50), "this is where k-means ends: one step only"),
            ],
        ),
    ],
)

# How many points each component holds -----------------------------------------------------------------


def _hard_counts(resp: Array) -> Array:
    return np.bincount(resp.argmax(axis=1), minlength=resp.shape[1]).astype(float)


def _counts_break(counts: Array, resp: Array) -> str:
    if abs(counts.sum() - len(resp)) > 1e-4:
        return f"all points together are {len(resp)}, and these are {counts.sum():g}: none is lost, none is doubled"
    return ""


def _certainty_breaks(certainty: Array, resp: Array) -> str:
    least = 1 / resp.shape[1]
    if certainty.max() > 1 + 1e-12 or certainty.min() < least - 1e-12:
        return f"the largest of {resp.shape[1]} shares lies between 1/{resp.shape[1]} and 1"
    return ""


_RESP = np.array(
    [
        [0.53, 0.31, 0.16],
        [0.46, 0.45, 0.09],
        [0.08, 0.81, 0.11],
        [0.39, 0.28, 0.33],
        [0.27, 0.62, 0.11],
    ]
)

# The hard counts, 2, 3, 2, 0, are not in order of size.
_RESP_4 = np.array(
    [
        [0.32, 0.41, 0.15, 0.12],
        [0.48, 0.07, 0.33, 0.12],
        [0.02, 0.71, 0.26, 0.01],
        [0.08, 0.29, 0.45, 0.18],
        [0.25, 0.36, 0.22, 0.17],
        [0.06, 0.03, 0.90, 0.01],
        [0.34, 0.17, 0.26, 0.23],
    ]
)

# Two rows are certain, and one component has a share of nearly nothing everywhere.
_RESP_2 = np.array([[1.0, 0.0], [0.999, 0.001], [0.9, 0.1], [1.0, 0.0], [0.77, 0.23], [0.64, 0.36]])

points_held = Exercise(
    name="points_held",
    arguments=("resp",),
    shapes=("(N, K)",),
    cases=[(_RESP,), (_RESP_4,), (_RESP_2,)],
    edges=[(np.ones((4, 1)),), (np.array([[0.3, 0.7]]),)],
    praise="a soft count adds up shares, a hard count verdicts, and certainty is what sets them apart.",
    parts=[
        Part(
            "soft",
            "(K,): one number for each component",
            lambda resp: resp.sum(axis=0),
            rule=_counts_break,
            mistakes=[
                Mistake(
                    lambda resp: resp.sum(axis=1),
                    "each point sums to 1, as it must; add up the shares of each component instead, down the columns: "
                    "axis=0",
                ),
                Mistake(
                    lambda resp: resp.mean(axis=0),
                    "these are the shares of the points, which sum to 1; the counts are sums, not means",
                ),
                Mistake(
                    _hard_counts,
                    "these are the hard counts; the soft ones let every point count for several components",
                ),
                Mistake(
                    lambda resp: resp.max(axis=1) @ (resp == resp.max(axis=1, keepdims=True)),
                    "only each point's largest share was counted; the small ones count as well",
                ),
                Mistake(
                    lambda resp: (resp**2).sum(axis=0),
                    "the shares were squared; the square is for drawing, the count is their plain sum",
                ),
            ],
        ),
        Part(
            "hard",
            "(K,): one number for each component, even if it is 0",
            _hard_counts,
            rule=_counts_break,
            mistakes=[
                Mistake(
                    lambda resp: np.bincount(resp.argmax(axis=1)),
                    "a component that is nobody's likeliest was left out; it holds 0 points: np.bincount wants "
                    "minlength=K, and np.unique never counts what is not there",
                ),
                Mistake(
                    lambda resp: resp.sum(axis=0).round(),
                    "these are the soft counts, rounded; a verdict is made point by point, before the sum",
                ),
                Mistake(
                    lambda resp: (resp > 0.5).sum(axis=0),
                    "the likeliest component of a point need not have half of it: with three or more, 0.4 can be the "
                    "largest share",
                ),
                Mistake(
                    lambda resp: _hard_counts(resp) / len(resp),
                    "these are shares of the points, which sum to 1; count the points",
                ),
                Mistake(
                    lambda resp: resp.argmax(axis=1),
                    "this is each point's likeliest component; count how often each comes up",
                ),
                Mistake(
                    lambda resp: resp.argmax(axis=0),
                    "this is the point that each component likes best; find the likeliest component of each point, "
                    "along axis=1, and count",
                ),
                Mistake(
                    lambda resp: resp.sum(axis=0),
                    "these are the soft counts once more; each point must count once, for its likeliest component",
                ),
            ],
        ),
        Part(
            "certainty",
            "(N,): one number for each point",
            lambda resp: resp.max(axis=1),
            rule=_certainty_breaks,
            mistakes=[
                Mistake(
                    lambda resp: resp.argmax(axis=1),
                    "argmax says which share is the largest, max how large it is",
                ),
                Mistake(
                    lambda resp: resp.max(axis=0),
                    "this is the largest share within each component; every point has a certainty: axis=1",
                ),
                Mistake(
                    lambda resp: 1 - resp.max(axis=1),
                    "this is the doubt; the certainty is what is left of 1",
                ),
                Mistake(
                    lambda resp: resp.max(axis=1) - np.sort(resp, axis=1)[:, -2],
                    "this is the lead over the second; the certainty here is the largest share itself",
                ),
                Mistake(
                    lambda resp: resp.max(axis=1) ** 2,
                    "the square is for drawing; the certainty is the largest share itself",
                ),
                Mistake(
                    lambda resp: (resp**2).sum(axis=1),
                    "this is the sum of the squared shares; the certainty is the largest share",
                ),
            ],
        ),
    ],
)

# When is k-means right? -------------------------------------------------------------------------------

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
    """Judge the prediction of lesson 3: the cases in which k-means finds the clusters.

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


# The border as the variance goes to 0 -----------------------------------------------------------------


def border_at_zero(my_number: Any) -> Verdict:
    """Judge the prediction of lesson 3: where the border between two components lies as their variance goes to 0.

    Weights 0.9 and 0.1, means 0 and 10, one variance; at 16, 4 and 1 the border lies at 8.52, 5.88 and 5.22.

    Parameters
    ----------
    my_number : float or None
        None if there is no prediction yet.

    Returns
    -------
    Verdict
        Never raises, whatever the prediction.
    """
    return judge(
        "border_at_zero", my_number, lone_number, "give one number, the position of the border", _border
    )


def _border(given: float) -> str:
    if abs(given - 5) <= 0.005:
        return (
            "correct: half-way between the means. As the variance goes to 0 the weights no longer count, and that is "
            "k-means' border."
        )
    if given == 9:
        return (
            "at 9 the border would divide the way between the means as the weights do. But it moves with the "
            "variance, whatever the weights: 8.52, 5.88, 5.22"
        )
    if given in (0, 10):
        return (
            f"{given:g} is one of the means, and a point at a mean would then be shared half and half. From 8.52 by "
            "5.88 to 5.22, where does the border go?"
        )
    if given < 5:
        return (
            "the border cannot cross 5: there both densities are equal, and the heavier weight decides, whatever the "
            "variance. To the left of 5 the heavy component always has more"
        )
    if given <= 5.22:
        return (
            "it goes on falling; look at the distances from 5: 3.52, 0.88, 0.22. Each is a quarter of the last, as the "
            "variance is"
        )
    if given > 5.22:
        return "the border falls as the variance does, and at variance 1 it is at 5.22 already"
    return "give a position on the line: the means are at 0 and 10"  # nan
