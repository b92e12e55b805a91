"""The exercises of lesson 2: Gaussians in many dimensions, and shares that survive far points."""

from __future__ import annotations

import numpy as np

from emlib.validate import Array
from exercises.judge import Exercise, Mistake, Part
from exercises.lesson_01 import counts, hard, shares

# Mahalanobis distance ---------------------------------------------------------------------------------


def _squares(X: Array, mean: Array, matrix: Array) -> Array:
    """(x_n - mean)' M (x_n - mean) for every point, (N,)."""
    away = X - mean
    return np.einsum("ni,ij,nj->n", away, matrix, away)


def _distance(X: Array, mean: Array, covariance: Array) -> Array:
    return np.sqrt(_squares(X, mean, np.asarray(np.linalg.inv(covariance), float)))


def _distance_breaks(distance: Array, X: Array, mean: Array, covariance: Array) -> str:
    if distance.min() < 0:
        return f"a distance cannot be negative, and the smallest here is {distance.min():.6g}"
    return ""


mahalanobis = Exercise(
    name="mahalanobis",
    arguments=("X", "mean", "covariance"),
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
                    lambda X, m, S: _squares(X, m, S),
                    "two things: it is the inverse of the covariance that belongs between the two differences, and "
                    "the square root is missing",
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
                Mistake(
                    lambda X, m, S: np.sqrt((X - m) @ np.linalg.inv(S) @ (X - m).T),
                    "this is a table (N, N), every point with every other; the distances are the roots of its "
                    "diagonal. Multiply (X - mean) @ inverse by X - mean, entry by entry, and sum along axis 1",
                ),
                Mistake(
                    lambda X, m, S: (X - m) @ np.linalg.inv(S) @ (X - m).T,
                    "this is a table (N, N), every point with every other; wanted are the square roots of its diagonal",
                ),
                Mistake(
                    lambda X, m, S: np.sqrt((((X - m) @ np.linalg.inv(S)) ** 2).sum(axis=1)),
                    "the inverse covariance is in there twice: multiply (X - mean) @ inverse by X - mean, entry by "
                    "entry, before you sum",
                ),
                Mistake(
                    lambda X, m, S: np.sqrt(np.maximum((X - m) @ np.linalg.inv(S) * (X - m), 0)),
                    "the sum over the features is missing: add up along axis 1, then take the root",
                ),
                Mistake(
                    lambda X, m, S: (X - m) @ np.linalg.inv(S) * (X - m),
                    "the sum over the features is missing: add up along axis 1, then take the root",
                ),
                Mistake(
                    lambda X, m, S: np.sqrt(((X - m) @ np.linalg.inv(S) * (X - m)).sum(axis=0)),
                    "summed over the points, which leaves one number for each feature; sum over the features: axis 1",
                ),
            ],
        )
    ],
)

# The covariances of the M-step ------------------------------------------------------------------------


def _means(X: Array, resp: Array) -> Array:
    return resp.T @ X / counts(resp)[:, None]


def _scatter(X: Array, resp: Array, means: Array) -> Array:
    """sum_n r_nk (x_n - mean_k)(x_n - mean_k)', (K, D, D)."""
    away = X[:, None] - means
    return np.einsum("nk,nki,nkj->kij", resp, away, away)


def _covariances(X: Array, resp: Array, old_means: Array) -> Array:
    return _scatter(X, resp, _means(X, resp)) / counts(resp)[:, None, None]


def _covariances_break(covariances: Array, X: Array, resp: Array, old_means: Array) -> str:
    for k, covariance in enumerate(covariances):
        if not np.allclose(covariance, covariance.T, rtol=1e-8):
            return f"a covariance is symmetric, and covariances[{k}] is not"
        if (least := np.linalg.eigvalsh(covariance)[0]) < 0:
            return f"a covariance has no negative eigenvalue, and covariances[{k}] has {least:.6g}"
    off = _means(X, resp) - X.mean(axis=0)
    shares = counts(resp) / len(X)
    total = np.einsum("k,kij->ij", shares, covariances) + np.einsum("k,ki,kj->ij", shares, off, off)
    if np.allclose(total, np.cov(X.T, bias=True), rtol=1e-8):
        return ""
    return "together with the means they must give the covariance of all points, and they do not"


_rng = np.random.RandomState(3)  # the legacy generator: its numbers are for ever

_X, _Y = _rng.randn(7, 2) * [2, 1] - [-1, -4], _rng.randn(6, 3) - [0, -2, 1]

_RESP, _RESP_Y = shares(_rng.rand(7, 3) ** 2), shares(_rng.rand(6, 2) ** 2)

_OLD, _OLD_Y = _rng.randn(3, 2) - [-1, -4], _rng.randn(2, 3)

m_step_covariances = Exercise(
    name="m_step_covariances",
    arguments=("X", "resp", "old_means"),
    by_hand="Gauss",
    cases=[(_X, _RESP, _OLD), (_Y, _RESP_Y, _OLD_Y)],
    praise="each point counts by its share, about the new mean of its component; the old means are of no use any more.",
    parts=[
        Part(
            "covariances",
            "(K, D, D): one matrix for each component",
            _covariances,
            rule=_covariances_break,
            mistakes=[
                Mistake(
                    lambda X, r, old: _scatter(X, r, old) / counts(r)[:, None, None],
                    "taken about the old means. The M-step works out the new means first, and takes each covariance "
                    "about its own new mean",
                ),
                Mistake(
                    lambda X, r, old: _scatter(X, r, _means(X, r)) / len(X),
                    "divided by N; component k holds only N_k points: divide its matrix by N_k = resp[:, k].sum()",
                ),
                Mistake(
                    lambda X, r, old: _scatter(X, r, old) / len(X),
                    "two things: these are taken about the old means, where the new ones belong, and divided by N, "
                    "where N_k belongs",
                ),
                Mistake(
                    lambda X, r, old: _scatter(X, r, _means(X, r)),
                    "these are sums of products; divide each matrix by N_k to make it a covariance",
                ),
                Mistake(
                    lambda X, r, old: _scatter(X, r, _means(X, r)) / (counts(r) - 1)[:, None, None],
                    "divided by N_k - 1. That corrects the bias of one sample; the most likely covariance has N_k",
                ),
                Mistake(
                    lambda X, r, old: [np.cov(X.T, aweights=c) for c in r.T],
                    "np.cov corrects for the bias of a sample unless it is told ddof=0; the most likely covariance "
                    "is not corrected",
                ),
                Mistake(
                    lambda X, r, old: _scatter(X, r, X.mean(axis=0)) / counts(r)[:, None, None],
                    "taken about the mean of all points; take each about its own component's new mean",
                ),
                Mistake(
                    lambda X, r, old: (
                        _scatter(X, np.ones_like(r), _means(X, r)) / np.full((r.shape[1], 1, 1), len(X))
                    ),
                    "every point counts in full here; let it count by its share, and divide by N_k",
                ),
                Mistake(
                    lambda X, r, old: _scatter(X, r, 0 * old) / counts(r)[:, None, None],
                    "this is the mean of x x', about the origin; subtract the component's new mean first",
                ),
                Mistake(
                    lambda X, r, old: _scatter(X, r**2, _means(X, r)) / counts(r)[:, None, None],
                    "the responsibility went into both factors, so it is squared; each product counts by r_nk once",
                ),
                Mistake(
                    lambda X, r, old: (
                        np.array([X.T @ X * 0 + np.diag(np.diag(s)) for s in _scatter(X, r, _means(X, r))])
                        / counts(r)[:, None, None]
                    ),
                    "only the variances are there, on the diagonal; feature i times feature j belongs in place i, j: "
                    "an outer product",
                ),
                Mistake(
                    lambda X, r, old: (
                        np.einsum("nk,nki->ki", r, (X[:, None] - _means(X, r)) ** 2) / counts(r)[:, None]
                    ),
                    "these are the variances of the features, (K, D); a covariance is a matrix: replace the squares "
                    "by outer products, feature i times feature j in place i, j",
                ),
                Mistake(
                    lambda X, r, old: np.moveaxis(_covariances(X, r, old), 0, -1),
                    "the right numbers with the axes in another order: the component comes first, (K, D, D)",
                ),
                Mistake(
                    lambda X, r, old: np.full(
                        (r.shape[1], X.shape[1], X.shape[1]),
                        _scatter(X, r, _means(X, r)).sum(axis=0) / len(X),
                    ),
                    "one matrix for all components; each has its own: sum over the points only, and divide by N_k",
                ),
                Mistake(
                    lambda X, r, old: np.full((r.shape[1], X.shape[1], X.shape[1]), np.cov(X.T, bias=True)),
                    "this is the plain covariance of all points, for every component; let each point count by its "
                    "share, about the component's own mean",
                ),
                Mistake(
                    lambda X, r, old: np.einsum(
                        "ki,kj->kij",
                        *2 * (np.einsum("nk,nki->ki", r, X[:, None] - _means(X, r)),),
                    ),
                    "the differences were added up before the product was taken, and about the mean they cancel: take "
                    "each point's outer product first, then add up",
                ),
                Mistake(
                    lambda X, r, old: (
                        _scatter(X, hard(r), _means(X, hard(r))) / counts(hard(r))[:, None, None]
                    ),
                    "every point was given to its likeliest component only (that is k-means); let it count by its "
                    "shares",
                ),
                Mistake(
                    lambda X, r, old: np.linalg.inv(_covariances(X, r, old)),
                    "these are the inverses of the covariances (precisions); leave the inverse out",
                ),
            ],
        )
    ],
)

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
