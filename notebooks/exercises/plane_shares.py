"""The exercises of lesson 3 on shares: responsibilities from logarithms, and a prediction."""

from __future__ import annotations

import numpy as np

from emlib.validate import Array
from exercises.exercise import Exercise, Mistake, Part
from exercises.line import shares

# Responsibilities from logs ---------------------------------------------------------------------------


def _resp(log_joint: Array) -> Array:
    return shares(np.exp(log_joint - log_joint.max(axis=1, keepdims=True)))


def _log_resp(log_joint: Array) -> Array:
    """The same in logs, as one should write it: without a log of 0."""
    off = log_joint - log_joint.max(axis=1, keepdims=True)
    return off - np.log(np.exp(off).sum(axis=1, keepdims=True))


_LOGS = "these are the logarithms of the right answer; take np.exp of them"


def _shares_break(table: Array, *_: Array) -> str:
    if table.min() < 0:
        return f"a share is a probability, and the smallest here is {table.min():.6g}"
    sums = table.sum(axis=1)
    worst = int(np.argmax(np.abs(sums - 1)))
    if abs(sums[worst] - 1) > 1e-8:
        return f"each row must sum to 1, and row {worst} sums to {sums[worst]:.6g}"
    return "the rows do sum to 1, but the shares within them are off"


responsibilities = Exercise(
    name="responsibilities",
    arguments=("log_joint",),
    by_hand="Mixture",
    cases=[
        (
            np.array(
                [[-1.2, -0.3, -2.5], [-4.0, -4.6, -3.7], [-1800.4, -1801.1, -1799.2], [-0.7, -9.0, -2.2]]
            ),
        ),
        (
            np.array(
                [
                    [-2.1, -1.4],
                    [-3.3, -2.9],
                    [-5000.0, -4999.1],
                    [-3000.0, -2000.5],
                    [800.5, 801.0],
                    [-0.4, -1.9],
                ]
            ),
        ),
    ],
    praise="only differences of logs count, so a point may be as far away as it likes.",
    parts=[
        Part(
            "resp",
            "(N, K): one row for each point, one column for each component",
            _resp,
            rule=_shares_break,
            mistakes=[
                Mistake(
                    lambda L: shares(np.exp(L)),
                    "np.exp came first: of -1800 it is 0, and 0 / 0 is nan. Subtract each row's maximum, then take "
                    "np.exp",
                ),
                Mistake(
                    lambda L: np.nan_to_num(shares(np.exp(L)), nan=0.0),
                    "the nan was painted over with 0, and that point now belongs to nobody. Subtract each row's "
                    "maximum before np.exp, and no nan arises",
                ),
                Mistake(
                    lambda L: np.nan_to_num(shares(np.exp(L)), nan=1 / L.shape[1]),
                    "the nan was painted over with equal shares, and they are not equal. Subtract each row's maximum "
                    "before np.exp, and no nan arises",
                ),
                Mistake(
                    lambda L: np.exp(L) / (np.exp(L).sum(axis=1, keepdims=True) + 1e-300),
                    "a small number under the fraction hides the nan, but leaves a row of zeros (or overflows). "
                    "Subtract each row's maximum before np.exp",
                ),
                Mistake(
                    lambda L: shares(np.exp(L - L.max())),
                    "the maximum of the whole table was subtracted; a point far from it still falls to 0. Each row "
                    "has a maximum of its own: axis=1, keepdims=True",
                ),
                Mistake(
                    lambda L: shares(np.exp(L - L.max(axis=0))),
                    "the maximum of each column was subtracted. That changes the shares within a row; each row wants "
                    "one number taken off: axis=1, keepdims=True",
                ),
                Mistake(
                    lambda L: shares(np.exp(L - L.min(axis=1, keepdims=True))),
                    "the minimum was subtracted. It cancels too, but then the largest exponent can be anything, and "
                    "np.exp overflows; with the maximum it is 0",
                ),
                Mistake(
                    lambda L: np.exp(L - L.max(axis=1, keepdims=True)),
                    "each row's largest entry is 1 here, not its sum: now divide by the sum of the row",
                ),
                Mistake(
                    lambda L: (
                        np.exp(L - L.max(axis=1, keepdims=True))
                        / np.exp(L - L.max(axis=1, keepdims=True)).sum(axis=0)
                    ),
                    "the columns sum to 1, over the points; a point is shared out among the components, so sum along "
                    "axis 1, with keepdims=True",
                ),
                Mistake(lambda L: np.log(_resp(L)), _LOGS),
                Mistake(_log_resp, _LOGS),
                Mistake(
                    lambda L: L - L.max(axis=1, keepdims=True),
                    "the maximum is off, but these are still logarithms: take np.exp, then divide by the row's sum",
                ),
                Mistake(
                    lambda L: shares(L),
                    "the logarithms themselves were normalised; shares are proportions of the densities: subtract the "
                    "row's maximum, take np.exp, and then divide",
                ),
                Mistake(
                    lambda L: shares(L - L.max(axis=1, keepdims=True)),
                    "np.exp is missing: logarithms were normalised, and shares are proportions of the densities",
                ),
                Mistake(
                    lambda L: (L.max(axis=1, keepdims=True) == L) * 1.0,
                    "every point went to a single component; EM wants the shares themselves, doubts included",
                ),
                Mistake(
                    lambda L: shares(np.exp(L - L.max(axis=1, keepdims=True))).T,
                    "this is the right table lying on its side: one row for each point, (N, K), not (K, N)",
                ),
            ],
        )
    ],
)

# A prediction -----------------------------------------------------------------------------------------


def _densities(X: Array, means: Array, covariances: Array, off: float = 0.5) -> Array:
    """The densities of all points under all components, (N, K); `off` is the power of the determinant under them."""
    away = X[:, None] - means
    squares = np.einsum("nki,kij,nkj->nk", away, np.linalg.inv(covariances), away)
    return np.exp(-squares / 2) / np.linalg.det(2 * np.pi * covariances) ** off


def _diagonal(covariances: Array) -> Array:
    return covariances * np.eye(covariances.shape[1])


predict_proba = Exercise(
    name="predict_proba",
    arguments=("X", "weights", "means", "covariances"),
    cases=[
        (
            np.array([[0.5, 0.5], [1.8, -0.4], [2.1, 2.6], [-0.9, 1.2]]),
            np.array([0.55, 0.3, 0.15]),
            np.array([[0.0, 0.2], [2.0, 1.0], [1.0, 3.1]]),
            np.array([[[1.5, 0.4], [0.4, 1.1]], [[3.0, -0.8], [-0.8, 0.9]], [[0.8, 0.2], [0.2, 2.4]]]),
        ),
        (
            np.array(
                [[0.4, 0.1, -0.3], [1.7, 0.9, 0.2], [0.8, -1.1, 1.0], [0.1, 1.3, 0.6], [1.1, 0.7, -0.9]]
            ),
            np.array([0.8, 0.2]),
            np.array([[0.3, 0.0, 0.1], [1.2, 0.6, 0.3]]),
            np.array(
                [
                    [[1.2, 0.3, 0.1], [0.3, 0.9, -0.2], [0.1, -0.2, 1.6]],
                    [[2.1, -0.5, 0.4], [-0.5, 1.3, 0.3], [0.4, 0.3, 0.7]],
                ]
            ),
        ),
    ],
    praise="a new point is shared out as the old ones are: by weight times density.",
    parts=[
        Part(
            "shares",
            "(N, K): one row for each point, one column for each component",
            lambda X, w, m, S: shares(w * _densities(X, m, S)),
            rule=_shares_break,
            mistakes=[
                Mistake(
                    lambda X, w, m, S: shares(_densities(X, m, S)),
                    "the weights are missing, as in the published class: a component that is chosen more often gets "
                    "more of every point; multiply each density by its weight",
                ),
                Mistake(
                    lambda X, w, m, S: w * _densities(X, m, S),
                    "this is weight times density; a prediction says whose the point is: divide every row by its sum",
                ),
                Mistake(
                    lambda X, w, m, S: _densities(X, m, S),
                    "these are the bare densities; multiply by the weights, then divide every row by its sum",
                ),
                Mistake(
                    lambda X, w, m, S: (w * _densities(X, m, S)) / (w * _densities(X, m, S)).sum(axis=0),
                    "the columns sum to 1, over the points; each new point is shared out among the components, so sum "
                    "along axis 1, with keepdims=True",
                ),
                Mistake(
                    lambda X, w, m, S: w * _densities(X, m, S) / (w * _densities(X, m, S)).sum(),
                    "the whole table sums to 1; each of its rows must: every point is shared out on its own",
                ),
                Mistake(
                    lambda X, w, m, S: w * shares(_densities(X, m, S)),
                    "the weights came after the division, so the rows no longer sum to 1: multiply first, then divide",
                ),
                Mistake(
                    lambda X, w, m, S: (w * _densities(X, m, S)).argmax(axis=1),
                    "this is the number of the most probable component; here all the shares are wanted, (N, K)",
                ),
                Mistake(
                    lambda X, w, m, S: shares(w * _densities(X, m, S, 0.0)),
                    "the factor in front of the exponential is missing. It differs between components, so it does not "
                    "cancel: a compact component is higher",
                ),
                Mistake(
                    lambda X, w, m, S: shares(w * _densities(X, m, S, 1.0)),
                    "the determinant stands under the density without its square root",
                ),
                Mistake(
                    lambda X, w, m, S: shares(w * _densities(X, m, _diagonal(S))),
                    "only the variances of the covariances are used, so the ellipses do not slant; use the whole "
                    "matrices",
                ),
                Mistake(
                    lambda X, w, m, S: shares(w * _densities(X, m, S @ S)),
                    "the covariances were used as if they were standard deviations: they are squares already",
                ),
                Mistake(
                    lambda X, w, m, S: np.log(shares(w * _densities(X, m, S))),
                    "these are the logarithms of the right answer; take np.exp of them",
                ),
                Mistake(
                    lambda X, w, m, S: np.log(w * _densities(X, m, S)),
                    "these are the logarithms of weight times density: hand them to your `responsibilities`",
                ),
                Mistake(
                    lambda X, w, m, S: shares(np.log(w * _densities(X, m, S))),
                    "the logarithms were normalised; shares are proportions of the densities themselves",
                ),
                Mistake(
                    lambda X, w, m, S: shares(w + np.log(_densities(X, m, S))),
                    "the logarithms were normalised, and the weights added to them as they are: take logarithms of "
                    "both, add, and hand the sum to your `responsibilities`",
                ),
                Mistake(
                    lambda X, w, m, S: _resp(w + np.log(_densities(X, m, S))),
                    "the weights were added to logarithms of densities; to multiply by a weight, add its logarithm",
                ),
                Mistake(
                    lambda X, w, m, S: shares(w * _densities(X, m, S)).T,
                    "this is the right table lying on its side: one row for each point, (N, K), not (K, N)",
                ),
            ],
        )
    ],
)
