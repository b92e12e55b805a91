"""The exercises of lesson 2: Gaussians in many dimensions, and shares that survive far points."""

from __future__ import annotations

import numpy as np

from emlib.validate import Array
from exercises.judge import Exercise, Mistake, Part
from exercises.lesson_01 import counts, shares, shares_break

# Mahalanobis distance ---------------------------------------------------------------------------------


def _squares(X: Array, mean: Array, matrix: Array) -> Array:
    """(x_n - mean)' M (x_n - mean) for every point, (N,)."""
    away = X - mean
    return np.einsum("ni,ij,nj->n", away, matrix, away)


def _distance(X: Array, mean: Array, covariance: Array) -> Array:
    return np.sqrt(_squares(X, mean, np.asarray(np.linalg.inv(covariance), float)))


def _distance_breaks(distance: Array, X: Array, mean: Array, covariance: Array) -> str:
    if distance.min() < -1e-9:
        return f"a distance cannot be negative, and the smallest here is {distance.min():.6g}"
    return ""


_TABLE = (
    "this is a table (N, N), every row times all the others; wanted is each row times itself, (N,). Multiply "
    "(X - mean) @ inverse by X - mean, entry by entry, and sum along axis 1; then take the root"
)

mahalanobis = Exercise(
    name="mahalanobis",
    arguments=("X", "mean", "covariance"),
    shapes=("(N, D)", "(D,)", "(D, D)"),
    edges=[
        (np.array([[2.5, -1.0]]), np.array([1.0, -0.5]), np.array([[4.0, 1.5], [1.5, 2.0]])),
        (np.array([[2.5], [-1.0], [0.3]]), np.array([0.7]), np.array([[2.3]])),
    ],
    whole=[(np.array([[1, 0], [-2, 2], [4, 3]]), np.array([1, -1]), np.array([[4, 1], [1, 2]]))],
    cases=[
        (
            np.array([[1.3, 0.4], [-2.0, 1.7], [0.6, -3.1], [4.2, 2.5], [2.2, 0.9]]),
            np.array([1.0, -0.5]),
            np.array([[4.0, 1.5], [1.5, 2.0]]),
        ),
        (
            np.array([[0.3, 1.4, -2.0], [1.2, 0.1, 0.7], [-1.5, 2.2, 0.4], [3.1, -0.8, 1.9]]),
            np.array([0.2, 0.9, -0.4]),
            np.array([[3.0, 0.7, -0.4], [0.7, 1.5, 0.6], [-0.4, 0.6, 2.2]]),
        ),
        (  # far away, and at the mean itself
            np.array([[73.0, -98.0], [1.0, -0.5], [-4000.0, 0.2]]),
            np.array([1.0, -0.5]),
            np.array([[0.04, -0.03], [-0.03, 9.0]]),
        ),
    ],
    praise="far is counted in standard deviations, in whatever direction the point lies.",
    parts=[
        Part(
            "distance",
            "(N,): one number for each point",
            _distance,
            rule=_distance_breaks,
            mistakes=[
                Mistake(
                    lambda X, m, S: _squares(X, m, np.linalg.inv(S)),
                    "these are the squares of the distances; a distance in standard deviations is their square root",
                ),
                Mistake(
                    lambda X, m, S: np.sqrt(_squares(X, m, np.eye(len(m)))),
                    "these are distances as a ruler has them; the covariance is not in them yet, and in a direction "
                    "in which the Gaussian is wide a point is less far",
                ),
                Mistake(
                    lambda X, m, S: np.sqrt(_squares(X, m, S)),
                    "multiplied by the covariance where its inverse belongs: wide directions must count less, not more",
                ),
                Mistake(
                    lambda X, m, S: np.sqrt(_squares(X, m, 1 / S)),
                    "`1 / covariance` inverts every number by itself; the inverse of a matrix is np.linalg.inv",
                ),
                Mistake(
                    lambda X, m, S: np.sqrt(((X - m) ** 2 / np.diag(S)).sum(axis=1)),
                    "only the variances are in it: that is right for an ellipse that does not slant. The covariances "
                    "count too: take the inverse of the whole matrix",
                ),
                Mistake(
                    lambda X, m, S: np.sqrt(_squares(X, 0 * m, np.linalg.inv(S))),
                    "these are distances from the origin; subtract the mean first",
                ),
                Mistake(lambda X, m, S: np.sqrt((X - m) @ np.linalg.inv(S) @ (X - m).T), _TABLE),
                Mistake(lambda X, m, S: (X - m) @ np.linalg.inv(S) @ (X - m).T, _TABLE),
                Mistake(
                    lambda X, m, S: np.sqrt((((X - m) @ np.linalg.inv(S)) ** 2).sum(axis=1)),
                    "the inverse covariance is in there twice: multiply (X - mean) @ inverse by X - mean, entry by "
                    "entry, before you sum",
                ),
            ],
        )
    ],
)

# The one covariance that all components share ---------------------------------------------------------


def _means(X: Array, resp: Array) -> Array:
    return resp.T @ X / counts(resp)[:, None]


def _scatter(X: Array, resp: Array, means: Array) -> Array:
    """sum_n r_nk (x_n - mean_k)(x_n - mean_k)', (K, D, D)."""
    away = X[:, None] - means
    return np.einsum("nk,nki,nkj->kij", resp, away, away)


def _within(X: Array, resp: Array) -> Array:
    """The scatter about the components' own means, added up, (D, D)."""
    return _scatter(X, resp, _means(X, resp)).sum(axis=0)


def _covariances(X: Array, resp: Array) -> Array:
    """One for each component, (K, D, D)."""
    return _scatter(X, resp, _means(X, resp)) / counts(resp)[:, None, None]


def _shared_breaks(covariance: Array, X: Array, resp: Array) -> str:
    if not np.allclose(covariance, covariance.T, rtol=1e-8):
        return "a covariance is symmetric, and this is not"
    if (least := np.linalg.eigvalsh(covariance)[0]) < -1e-12:
        return f"a covariance has no negative eigenvalue, and this has {least:.6g}"
    return ""


_rng = np.random.RandomState(3)  # the legacy generator: its numbers are for ever

_X, _Y = _rng.randn(7, 2) * [2, 1] - [-1, -4], _rng.randn(9, 5) - [0, -2, 1, 3, -5]

_RESP, _RESP_Y = shares(_rng.rand(7, 3) ** 2), shares(_rng.rand(9, 4) ** 2)

_RESP_Y[[1, 4]] = np.eye(4)[[0, 2]]  # as certain as shares can be

_OF_ALL = "this is the covariance of all points about the mean of all; take each component's points about its own mean"

shared_covariance = Exercise(
    name="shared_covariance",
    arguments=("X", "resp"),
    shapes=("(N, D)", "(N, K)"),
    cases=[(_X, _RESP), (_Y, _RESP_Y)],
    edges=[(_X, np.ones((7, 1))), (_X[:, :1], _RESP)],
    whole=[(np.array([[1, 0], [-2, 2], [4, 3], [0, 1], [3, -5], [2, 2], [7, 1]]), _RESP)],
    praise="each point counts by its shares, about the means of its components, and all of them make one matrix.",
    parts=[
        Part(
            "covariance",
            "(D, D): one matrix, for all components together",
            lambda X, r: _within(X, r) / len(X),
            rule=_shared_breaks,
            mistakes=[
                Mistake(
                    lambda X, r: _covariances(X, r).mean(axis=0),
                    "this is the plain mean of the K covariances; a component with more points must count for more, "
                    "by N_k / N",
                ),
                Mistake(lambda X, r: np.cov(X.T, bias=True), _OF_ALL),
                Mistake(lambda X, r: np.cov(X.T), _OF_ALL),
                Mistake(
                    lambda X, r: _within(X, r) / r.shape[1],
                    "divided by the number of components K; all shares together are N: divide by N = len(X)",
                ),
                Mistake(
                    lambda X, r: _covariances(X, r).sum(axis=0),
                    "this is the sum of the K covariances, each divided by its own N_k; divide the sum of all the "
                    "products by N instead",
                ),
                Mistake(
                    _covariances,
                    "these are the K covariances, (K, D, D), one for each component; all components share one: "
                    "weight them by N_k / N and add them up",
                ),
                Mistake(
                    lambda X, r: _scatter(X, r**2, _means(X, r)).sum(axis=0) / len(X),
                    "the responsibility went into both factors, so it is squared; each product counts by r_nk once",
                ),
                Mistake(
                    _within, "this is the sum of all the products; divide it by N to make it a covariance"
                ),
                Mistake(
                    lambda X, r: np.diag(np.diag(_within(X, r))) / len(X),
                    "only the variances are there, on the diagonal; feature i times feature j belongs in place i, j: "
                    "an outer product",
                ),
            ],
        )
    ],
)

# Responsibilities from logs ---------------------------------------------------------------------------


def _joint(weights: Array, log_density: Array) -> Array:
    """Logarithms of weight times density. That of a weight of 0 is minus infinity, and harmless."""
    with np.errstate(divide="ignore"):
        return np.log(weights) + log_density


def _largest(table: Array) -> Array:
    return table.max(axis=1, keepdims=True)


def _resp(log_joint: Array) -> Array:
    return shares(np.exp(log_joint - _largest(log_joint)))


_NO_LOG = (
    "the weights went in without their logarithm; densities multiply, and their logarithms add: "
    "np.log(weights) + log_density"
)

_LOGS = "these are the logarithms of the right answer; take np.exp of them"


responsibilities = Exercise(
    name="responsibilities",
    arguments=("weights", "log_density"),
    shapes=("(K,)", "(N, K)"),
    cases=[
        (
            np.array([0.5, 0.2, 0.3]),
            np.array(
                [
                    [-1.2, -0.3, -2.5],
                    [-4.0, -4.6, -3.7],
                    [-1800.0, -1801.0, -1803.0],
                    [0.0, -3000.0, -3000.0],
                    [-3000.0, -1.0, -2.0],
                    [0.0, -800.0, -5.0],
                    [0.0, -1300.0, -1300.0],
                    [-0.7, -9.0, -2.2],
                ]
            ),
        ),
        (
            np.array([0.85, 0.15]),
            np.array([[-2.1, -1.4], [-3.3, -2.9], [-5000.0, -4999.1], [800.5, 801.0]]),
        ),
        (
            np.array([0.4, 0.0, 0.35, 0.25]),  # a component that has died
            np.array(
                [[-2.1, -1.4, -0.3, -4.4], [-5.5, -0.1, -6.1, -4.9], [-1e5, -1e5 + 9, -1e5 + 1, -1e5 - 1]]
            ),
        ),
    ],
    edges=[
        (np.array([1.0]), np.array([[-1.2], [-1800.0], [800.0]])),
        (np.array([0.3, 0.7]), np.array([[-1800.0, -1801.5]])),
    ],
    whole=[
        (np.array([0.5, 0.2, 0.3]), np.array([[-1, 0, -2], [-4, -5, -4], [-1800, -1801, -1803], [3, 2, 2]]))
    ],
    praise="only differences of logs count, so a point may be as far away as it likes.",
    parts=[
        Part(
            "resp",
            "(N, K): one row for each point, one column for each component",
            lambda w, L: _resp(_joint(w, L)),
            rule=lambda resp, *_: shares_break(resp),
            mistakes=[
                Mistake(
                    lambda w, L: _resp(L),
                    "the weights are missing: add their logarithms to the log-densities",
                ),
                Mistake(lambda w, L: _resp(w * L), _NO_LOG),
                Mistake(lambda w, L: _resp(w + L), _NO_LOG),
                Mistake(
                    lambda w, L: shares(w * np.exp(L)),
                    "np.exp met numbers as low as -1800, of which it makes 0, and 0 / 0 is nan. Subtract each row's "
                    "maximum before np.exp",
                ),
                Mistake(
                    lambda w, L: shares(np.exp(_joint(w, L) - _joint(w, L).max())),
                    "the largest of the whole table was subtracted; a point far from it still falls to 0. Each row "
                    "has a largest of its own: axis=1, keepdims=True",
                ),
                Mistake(
                    lambda w, L: shares(np.exp(_joint(w, L) - _joint(w, L).mean(axis=1, keepdims=True))),
                    "the mean of each row was subtracted: in [0, -3000, -3000] it is -2000, and np.exp(2000) is "
                    "infinite. With the largest subtracted nothing is above np.exp(0) = 1",
                ),
                Mistake(
                    lambda w, L: (
                        _joint(w, L)
                        - _largest(_joint(w, L))
                        - np.log(np.exp(_joint(w, L) - _largest(_joint(w, L))).sum(axis=1, keepdims=True))
                    ),
                    _LOGS,
                ),
                Mistake(lambda w, L: np.log(_resp(_joint(w, L))), _LOGS),
                Mistake(
                    lambda w, L: (
                        np.exp(_joint(w, L) - _largest(_joint(w, L)))
                        / np.exp(_joint(w, L) - _largest(_joint(w, L))).sum(axis=0)
                    ),
                    "the columns sum to 1, over the points; a point is shared out among the components, so sum along "
                    "axis 1, with keepdims=True",
                ),
                Mistake(
                    lambda w, L: np.exp(_joint(w, L) - _largest(_joint(w, L))),
                    "each row's largest entry is 1 here, not its sum: now divide by the sum of the row",
                ),
            ],
        )
    ],
)
