"""The exercises of lesson 7 on arrays: principal components, nearest neighbours, Bayes' rule for classes."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from scipy.special import softmax

from emlib.validate import Array
from exercises.exercise import Exercise, Mistake, Part

# Principal components ----------------------------------------------------------------------------------


def _decomposed(X: Array, centred: bool = True) -> tuple[Array, Array, Array]:
    """Singular values and vectors, of the centred data."""
    U, s, Vt = np.linalg.svd(X - X.mean(axis=0) if centred else X, full_matrices=False)
    return U, s, Vt


def _kept(sizes: Array, share: Any) -> int:
    """How many of these sizes make up more than a share of their sum."""
    return int(np.searchsorted(np.cumsum(sizes) / sizes.sum(), float(share), side="right")) + 1


def _variances(
    X: Array, share: Any, *, centred: bool = True, minus: int = 1, power: int = 2, more: int = 0
) -> Array:
    """Variances of the components to be kept, or what becomes of them if something is done otherwise."""
    s = _decomposed(X, centred)[1]
    return s[: _kept(s**power, share) + more] ** 2 / (len(X) - minus)


def _upright(scores: Array) -> Array:
    """Every column with the sign that makes its largest entry positive: the sign of a component means nothing."""
    if scores.ndim != 2 or not scores.size:
        return scores
    largest = scores[np.abs(scores).argmax(axis=0), np.arange(scores.shape[1])]
    return scores * np.where(largest < 0, -1, 1)


def _scores(X: Array, share: Any, power: float = -1, minus: int = 1, centred: bool = True) -> Array:
    """Scores times their standard deviations to a power; -1 is whitening."""
    _, s, Vt = _decomposed(X)
    d = _kept(s**2, share)
    placed = (X - X.mean(axis=0) if centred else X) @ Vt[:d].T
    return _upright(placed * (s[:d] / np.sqrt(len(X) - minus)) ** power)


def _left(X: Array, share: Any) -> Array:
    U, s, _ = _decomposed(X)
    return _upright(U[:, : _kept(s**2, share)])


def _lying(X: Array, share: Any) -> Array:
    """With the columns of Vt in the place of its rows."""
    _, s, Vt = _decomposed(X)
    d = _kept(s**2, share)
    return _upright((X - X.mean(axis=0)) @ Vt[:, :d] / (s[:d] / np.sqrt(len(X) - 1)))


class _Signless(Exercise):
    """An exercise whose second answer may have any signs."""

    def _arrays(self, returned: Any) -> tuple[list[Array], str]:
        arrays, fault = super()._arrays(returned)
        return [array if n == 0 else _upright(array) for n, array in enumerate(arrays)], fault


def _tables() -> list[tuple[Array, Array]]:
    rng = np.random.default_rng(7)
    cases = []
    for n, spread, share in [(9, [5, 3, 2, 1.5, 1], 0.9), (30, [8, 5, 4, 3, 3, 2, 2, 1.5, 1], 0.8)]:
        turn = np.linalg.qr(rng.normal(size=(len(spread), len(spread))))[0]
        cases.append((rng.normal(size=(n, len(spread))) * spread @ turn + 4, np.array(share)))
    return cases


principal_components = _Signless(
    name="principal_components",
    arguments=("X", "share"),
    cases=_tables(),
    parts=[
        Part(
            "variances",
            "(D,): one variance for each component that is kept",
            _variances,
            [
                Mistake(
                    partial(_variances, centred=False),
                    "the data were not centred: take the mean of every column off before the SVD, or the first "
                    "component points at the mean",
                ),
                Mistake(
                    partial(_variances, minus=0),
                    "divided by N; scikit-learn, and so the check, divides by N - 1",
                ),
                Mistake(
                    partial(_variances, power=1),
                    "the share was taken of the singular values; variances are their squares, so cumulate the squares",
                ),
                Mistake(
                    partial(_variances, more=-1),
                    "one component too few: these hold less than the share",
                ),
                Mistake(
                    partial(_variances, more=1),
                    "one component too many: the share is reached without the last",
                ),
                Mistake(
                    lambda X, share: np.sqrt(_variances(X, share)),
                    "these are the standard deviations: square them",
                ),
                Mistake(
                    lambda X, share: _variances(X, share, minus=len(X) - 1),
                    "these are the squared singular values, sums over the points: divide them by N - 1",
                ),
                Mistake(
                    lambda X, share: np.sqrt(_variances(X, share, minus=len(X) - 1)),
                    "these are the singular values; a variance is a singular value squared, over N - 1",
                ),
                Mistake(
                    lambda X, share: _decomposed(X)[1] ** 2 / (len(X) - 1),
                    "these are all the components: keep the first ones that together hold the share",
                ),
                Mistake(
                    lambda X, share: _variances(X, share)[::-1],
                    "smallest first: eigh sorts upwards, and components come with the largest variance first",
                ),
                Mistake(
                    lambda X, share: _variances(X, share) / X.var(axis=0, ddof=1).sum(),
                    "these are shares of the total variance; return the variances",
                ),
            ],
        ),
        Part(
            "scores",
            "(N, D): one row for each point, one column for each component",
            _scores,
            [
                Mistake(
                    partial(_scores, power=0),
                    "right directions, but not whitened: divide each column by its standard deviation",
                ),
                Mistake(
                    partial(_scores, power=-2),
                    "divided by the variances; divide by their roots, so that every column has variance 1",
                ),
                Mistake(
                    partial(_scores, power=1),
                    "multiplied by the standard deviations: divide by them",
                ),
                Mistake(
                    partial(_scores, minus=0),
                    "whitened with N; the variances have N - 1, so the scores must too",
                ),
                Mistake(
                    partial(_scores, centred=False),
                    "the points themselves were projected: take the mean off first, as before the SVD",
                ),
                Mistake(
                    _left,
                    "these are the columns of U, of length 1: times the root of N - 1 they have variance 1",
                ),
                Mistake(
                    _lying,
                    "the directions are the rows of what np.linalg.svd returns third; here its columns were taken",
                ),
            ],
        ),
    ],
    praise="centred, turned, cut at the share and whitened. The signs are anybody's choice.",
)


# Nearest neighbours -------------------------------------------------------------------------------------


def _distances(samples: Array, X: Array) -> Array:
    return np.sqrt(((samples[:, None] - X) ** 2).sum(axis=2))


def _others(samples: Array, X: Array) -> Array:
    """Distances, infinite to a point that is the sample itself."""
    d = _distances(samples, X)
    return np.where(d == 0, np.inf, d)


def _neighbours() -> list[tuple[Array, Array]]:
    rng = np.random.default_rng(8)
    cases = []
    for m, n, D in [(3, 6, 2), (5, 8, 4)]:
        X = rng.normal(size=(n, D)).round(2)
        cases.append((np.vstack([X[[4]], rng.normal(size=(m - 2, D)).round(2), X[[1]]]), X))
    return cases


nearest = Exercise(
    name="nearest",
    arguments=("samples", "X"),
    cases=_neighbours(),
    parts=[
        Part(
            "distances",
            "(M,): one distance for each sample",
            lambda samples, X: _others(samples, X).min(axis=1),
            [
                Mistake(
                    lambda samples, X: _distances(samples, X).min(axis=1),
                    "a point is its own nearest neighbour, at distance 0: leave those out",
                ),
                Mistake(
                    lambda samples, X: _others(samples, X).min(axis=1) ** 2,
                    "these are squared distances: take the root",
                ),
                Mistake(
                    lambda samples, X: _distances(samples, X).min(axis=1) ** 2,
                    "squared, and with every point its own neighbour: take the root, and leave the zeros out",
                ),
                Mistake(
                    lambda samples, X: _others(samples, X).argmin(axis=1),
                    "argmin says which point is the nearest; min says how far it is",
                ),
                Mistake(
                    lambda samples, X: _others(samples, X).min(axis=0),
                    "this is for every point of X its nearest sample; look along the other axis",
                ),
                Mistake(
                    lambda samples, X: np.abs(samples[:, None] - X).sum(axis=2, where=True).min(axis=1),
                    "differences were added without their squares, as on a street map",
                ),
                Mistake(
                    lambda samples, X: np.sort(_distances(samples, X), axis=1)[:, 1],
                    "the second smallest is right only for a sample that is itself in X; a new one has its nearest "
                    "neighbour at the smallest",
                ),
                Mistake(
                    lambda samples, X: _distances(samples, X).mean(axis=1),
                    "this is the mean distance to all points; take the smallest",
                ),
                Mistake(
                    lambda samples, X: _distances(samples, X).max(axis=1),
                    "this is the farthest point: min, not max",
                ),
                Mistake(
                    lambda samples, X: np.sqrt(((samples - X.mean(axis=0)) ** 2).sum(axis=1)),
                    "this is the distance to the mean of X, not to its nearest point",
                ),
            ],
        )
    ],
    praise="the distance to the nearest of the others. Now compare samples with digits that the fit never saw.",
)


# Bayes' rule for classes ---------------------------------------------------------------------------------


def _joint(log_density: Array, shares: Array) -> Array:
    return log_density + np.log(shares)


def _classes() -> list[tuple[Array, Array]]:
    rng = np.random.default_rng(9)
    small = rng.normal(-4, 2, size=(5, 3)).round(2)
    far = rng.normal(-900, 3, size=(4, 6)).round(2)  # as in forty dimensions: exp() of these is 0
    both = np.concatenate([far[:2, :2] + 890, far[2:, :2]])
    shares = np.array([0.3, 0.25, 0.2, 0.1, 0.1, 0.05])
    return [(small, np.array([0.7, 0.2, 0.1])), (far, shares), (both, np.array([0.6, 0.4]))]


def _naive(joint: Array) -> Array:
    return np.exp(joint) / np.exp(joint).sum(axis=1, keepdims=True)


class_probabilities = Exercise(
    name="class_probabilities",
    arguments=("log_density", "shares"),
    cases=_classes(),
    parts=[
        Part(
            "probabilities",
            "(N, C): one row for each digit, one column for each class",
            lambda log_density, shares: softmax(_joint(log_density, shares), axis=1),
            [
                Mistake(
                    lambda log_density, shares: _naive(_joint(log_density, shares)),
                    "right for the first case, but e^-900 is 0 to a computer and 0/0 is nan: subtract the largest of "
                    "each row before exp",
                ),
                Mistake(
                    lambda log_density, shares: _naive(
                        _joint(log_density, shares) - _joint(log_density, shares).max()
                    ),
                    "the largest of all was subtracted, and a row that lies far below it is 0/0: each row has a "
                    "largest of its own",
                ),
                Mistake(
                    lambda log_density, shares: softmax(log_density, axis=1),
                    "the shares of the classes are missing: a rare class needs better evidence",
                ),
                Mistake(
                    lambda log_density, shares: softmax(_joint(log_density, shares), axis=0),
                    "the columns sum to 1: normalise over the classes, along axis 1, not over the digits",
                ),
                Mistake(
                    lambda log_density, shares: softmax(log_density + shares, axis=1),
                    "a share was added to a logarithm: add its logarithm",
                ),
                Mistake(
                    lambda log_density, shares: softmax(log_density * shares, axis=1),
                    "a log-density was multiplied by a share: densities multiply, logarithms add",
                ),
                Mistake(
                    lambda log_density, shares: softmax(log_density - np.log(shares), axis=1),
                    "divided by the shares: multiply",
                ),
                Mistake(
                    _joint,
                    "these are the log-joints: subtract each row's largest, take exp and divide by the sum",
                ),
                Mistake(
                    lambda log_density, shares: np.log(softmax(_joint(log_density, shares), axis=1)),
                    "these are the logarithms of the probabilities: take exp",
                ),
                Mistake(
                    lambda log_density, shares: _joint(log_density, shares).argmax(axis=1),
                    "this names the likeliest class; return the probabilities of all",
                ),
                Mistake(
                    lambda log_density, shares: np.eye(len(shares))[
                        _joint(log_density, shares).argmax(axis=1)
                    ],
                    "these are verdicts; return shares, which also say how sure they are",
                ),
                Mistake(
                    lambda log_density, shares: np.exp(
                        _joint(log_density, shares) - _joint(log_density, shares).max(axis=1, keepdims=True)
                    ),
                    "the largest of each row is 1: now divide by the sum of the row",
                ),
            ],
        )
    ],
    praise="Bayes' rule, with the shares of the classes, and it survives densities of e^-900.",
)
