"""Where EM starts: every function returns a `Mixture` of Gaussians with full covariances.

The limit that EM reaches depends on its start. A start from known parameters needs no function:
`Mixture(weights, Gaussian(means, covariances))`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from emlib import validate
from emlib.families import Gaussian, Moments
from emlib.mixture import Mixture
from emlib.validate import Array


def from_responsibilities(X: ArrayLike, resp: ArrayLike, floor: float = 0.0) -> Mixture:
    """The M-step of given responsibilities.

    Parameters
    ----------
    X : array_like (N, D)
    resp : array_like (N, K)
        One row for each point; rows sum to one.
    floor : float
        Smallest variance, added to every feature; see `Gaussian`.

    Raises
    ------
    Collapse
        (A ValueError.) If a component gets too few points to have a covariance.
    """
    X = validate.points(X)
    resp = validate.probabilities("resp", resp)
    if resp.ndim != 2 or len(resp) != len(X):
        raise ValueError(
            f"resp has shape {resp.shape} and X {X.shape}; resp must be (N, K): one row for each point"
        )
    floor = validate.not_negative("floor", floor)
    components = Gaussian.from_moments(Moments.of(X, resp), floor)
    return Mixture(resp.sum(axis=0) / len(X), components)


def from_labels(X: ArrayLike, labels: ArrayLike, floor: float = 0.0) -> Mixture:
    """One component for each label, with the share, the mean and the covariance of its points.

    Parameters
    ----------
    X : array_like (N, D)
    labels : array_like (N,)
        Any values that can be sorted; components come in their order.
    floor : float
        Smallest variance, added to every feature; see `Gaussian`.
    """
    X, given = validate.points(X), np.asarray(labels)
    if given.shape != (len(X),):
        raise ValueError(f"labels has shape {given.shape}; it must be (N,) = ({len(X)},): one for each point")
    if np.ma.is_masked(labels):
        raise ValueError("labels has masked values: give every point a label")
    try:
        names = np.unique(given)
    except TypeError:
        raise ValueError("labels cannot be sorted: use numbers, or strings, but not both") from None
    if (given != given).any():
        raise ValueError("labels holds nan: give every point a label")
    return from_responsibilities(X, (given[:, None] == names).astype(float), floor)


def random(X: ArrayLike, K: int, rng: np.random.Generator, floor: float = 0.0) -> Mixture:
    """Random responsibilities, hence K components that all look like the whole of the data.

    The start is close to a saddle, where EM is slow and a careless stopping rule is deceived; it is here to
    show that. Prefer `from_data` or `k_means`.

    Parameters
    ----------
    X : array_like (N, D)
    K : int
        Number of components, at most N.
    rng : numpy.random.Generator
    floor : float
        Smallest variance, added to every feature; see `Gaussian`.
    """
    X, K = _points_and_components(X, K)
    resp = validate.generator(rng).uniform(size=(len(X), K))
    return from_responsibilities(X, resp / resp.sum(axis=1, keepdims=True), floor)


def from_data(X: ArrayLike, K: int, rng: np.random.Generator, floor: float = 0.0) -> Mixture:
    """Means at K points of the data, each with the covariance of all the data and an equal weight.

    Parameters
    ----------
    X : array_like (N, D)
    K : int
        Number of components, at most the number of distinct points.
    rng : numpy.random.Generator
        Chooses the points, all different.
    floor : float
        Smallest variance, added to every feature; see `Gaussian`.
    """
    X, K = _points_and_components(X, K)
    rng = validate.generator(rng)
    distinct = np.unique(X, axis=0)
    validate.count("K", K, most=len(distinct), why=", the number of distinct points: use fewer components")
    whole = Gaussian.from_moments(Moments.of(X, np.ones((len(X), 1))), floor)
    means = distinct[rng.choice(len(distinct), size=K, replace=False)]
    return Mixture(np.full(K, 1 / K), Gaussian(means, np.repeat(whole.covariances, K, axis=0), floor=floor))


def k_means(X: ArrayLike, K: int, rng: np.random.Generator, floor: float = 0.0) -> Mixture:
    """The clusters of scikit-learn's k-means, each with its share, mean and covariance.

    Parameters
    ----------
    X : array_like (N, D)
    K : int
        Number of components, at most the number of distinct points.
    rng : numpy.random.Generator
    floor : float
        Smallest variance, added to every feature; see `Gaussian`.
    """
    from sklearn.cluster import KMeans  # slow to import, and needed only here

    X, K = _points_and_components(X, K)
    rng = validate.generator(rng)
    distinct = len(np.unique(X, axis=0))
    validate.count("K", K, most=distinct, why=", the number of distinct points: use fewer components")
    seed = int(rng.integers(2**31))
    return from_labels(X, KMeans(K, n_init=1, random_state=seed).fit_predict(X), floor)


def _points_and_components(X: ArrayLike, K: int) -> tuple[Array, int]:
    X = validate.points(X)
    return X, validate.count("K", K, most=len(X), why=", the number of points: use fewer components")
