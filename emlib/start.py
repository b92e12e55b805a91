"""Where EM starts: every function returns a `Mixture` of Gaussians for `fit`.

The limit that EM reaches depends on its start. A start from known parameters needs no function:
`Mixture(weights, Gaussian(means, covariances))`.

All take the same keywords, and pass them on to the mixture that they make:

- `structure`, `floor` and `prior`: those of `Gaussian`;
- `weights`, array_like (N,): how much each point counts, all the same by default.

Where a start needs no more than a good guess, it looks at no more than 20,000 rows, drawn at random.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from emlib import validate
from emlib.em import EPS, EMWarning
from emlib.families import Gaussian, Moments, Prior
from emlib.mixture import Mixture
from emlib.validate import Array
from emlib.words import counted

ENOUGH = 20_000  # rows for a guess


def from_responsibilities(
    X: ArrayLike,
    resp: ArrayLike,
    *,
    structure: str = "full",
    floor: float = 0.0,
    prior: Prior | None = None,
    weights: ArrayLike | None = None,
) -> Mixture:
    """The M-step of given responsibilities.

    Parameters
    ----------
    X : array_like (N, D)
    resp : array_like (N, K)
        One row for each point; rows sum to one.
    structure, floor, prior, weights
        See `emlib.start`.

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
    if weights is not None:
        resp = resp * validate.point_weights(weights, len(X))[:, None]
    components = Gaussian.from_moments(Moments.of(X, resp, structure), floor, prior)
    return Mixture(resp.sum(axis=0) / resp.sum(), components)


def from_labels(X: ArrayLike, labels: ArrayLike, **keywords: Any) -> Mixture:
    """One component for each label, with the share, the mean and the covariance of its points.

    Parameters
    ----------
    X : array_like (N, D)
    labels : array_like (N,)
        Any values that can be sorted; components come in their order.
    **keywords
        See `emlib.start`.
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
    return from_responsibilities(X, (given[:, None] == names).astype(float), **keywords)


def random(X: ArrayLike, K: int, rng: np.random.Generator, **keywords: Any) -> Mixture:
    """Random responsibilities, hence K components that all look like the whole of the data.

    The start is close to a saddle, where EM is slow and a careless stopping rule is deceived; it is here to
    show that. Prefer `from_data` or `k_means`.

    Parameters
    ----------
    X : array_like (N, D)
    K : int
        Number of components, at most N.
    rng : numpy.random.Generator
    **keywords
        See `emlib.start`.
    """
    X, K, keywords = _some(X, K, rng, keywords)
    resp = validate.generator(rng).uniform(size=(len(X), K))
    return from_responsibilities(X, resp / resp.sum(axis=1, keepdims=True), **keywords)


def from_data(X: ArrayLike, K: int, rng: np.random.Generator, **keywords: Any) -> Mixture:
    """Means at K points of the data, each with the covariance of all the data and an equal weight.

    Parameters
    ----------
    X : array_like (N, D)
    K : int
        Number of components, at most the number of distinct points.
    rng : numpy.random.Generator
        Chooses the points, all different.
    **keywords
        See `emlib.start`.
    """
    X, K, keywords = _some(X, K, rng, keywords)
    distinct = np.unique(X, axis=0)
    validate.count("K", K, most=len(distinct), why=", the number of distinct points: use fewer components")
    means = distinct[rng.choice(len(distinct), size=K, replace=False)]
    return _spread_as_all(X, means, keywords)


def k_means_plus_plus(X: ArrayLike, K: int, rng: np.random.Generator, **keywords: Any) -> Mixture:
    """As `from_data`, but with means that keep away from each other, as k-means++ draws them.

    Parameters
    ----------
    X : array_like (N, D)
    K : int
        Number of components, at most the number of distinct points.
    rng : numpy.random.Generator
    **keywords
        See `emlib.start`.

    References
    ----------
    Arthur & Vassilvitskii (2007), k-means++: the advantages of careful seeding.
    """
    from sklearn.cluster import kmeans_plusplus  # slow to import, and needed only here

    X, K, keywords = _some(X, K, rng, keywords)
    weights = keywords.get("weights")
    # About their mean: k-means++ multiplies distances out, and far from the origin would lose their digits.
    _, chosen = kmeans_plusplus(X - X.mean(axis=0), K, sample_weight=weights, random_state=_seed(rng))
    _check_distinct(X, K, len(np.unique(X[chosen], axis=0)))
    return _spread_as_all(X, X[chosen], keywords)


def k_means(X: ArrayLike, K: int, rng: np.random.Generator, **keywords: Any) -> Mixture:
    """The clusters of scikit-learn's k-means, each with its share, mean and covariance.

    Of many rows 20,000 are looked at, and the best clusters of five runs are taken.

    Parameters
    ----------
    X : array_like (N, D)
    K : int
        Number of components, at most the number of distinct points.
    rng : numpy.random.Generator
    **keywords
        See `emlib.start`.
    """
    from sklearn.cluster import KMeans  # slow to import, and needed only here

    X, K, keywords = _some(X, K, rng, keywords)
    # Where a sample stands for the rest, there is time to look from several places for the best clusters.
    clusters = KMeans(K, n_init=1 if len(X) < ENOUGH else 5, random_state=_seed(rng))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it says what the error below says
        labels = clusters.fit_predict(X, sample_weight=keywords.get("weights"))
    _check_distinct(X, K, len(np.unique(labels)))
    return from_labels(X, labels, **keywords)


def usual_floor(X: ArrayLike, weights: ArrayLike | None = None) -> float:
    """A floor for data of any unit: 1e-6 times the mean variance of the features; 1e-6 if all points are one.

    Parameters
    ----------
    X : array_like (N, D)
    weights : array_like (N,), optional

    Warns
    -----
    EMWarning
        If that would drown a feature which varies much less than the others.
    """
    X = validate.rows(X)
    one = Mixture([1.0], Gaussian(np.zeros((1, X.shape[1])), np.ones((1, X.shape[1])), "diag"))
    moments = one.expect(X, weights).components  # block by block, as EM would
    variances = moments.covariances[0]
    floor = 1e-6 * float(variances.mean()) or 1e-6
    drowned = (variances < 10 * floor) & (variances > (4 * EPS * moments.means[0]) ** 2)
    if drowned.any():
        feature = int(np.argmin(np.where(drowned, variances, np.inf)))
        warnings.warn(
            f"feature {feature} has the variance {variances[feature]:.3g} and the features' variances are "
            f"{variances.mean():.3g} on average, so that the usual floor of {floor:.3g} drowns it: standardise the "
            "features (scikit-learn's StandardScaler does), or give a floor of your own",
            EMWarning,
            stacklevel=2,
        )
    return floor


def _some(
    X: ArrayLike, K: int, rng: np.random.Generator, keywords: dict[str, Any]
) -> tuple[Array, int, dict[str, Any]]:
    """Enough rows for a guess, with their weights, and K."""
    X = validate.rows(X)
    K = validate.count("K", K, most=len(X), why=", the number of points: use fewer components")
    rng = validate.generator(rng)
    if (weights := keywords.get("weights")) is not None:
        weights = validate.point_weights(weights, len(X))
        # Points of no weight are no part of the data.
        X, weights = X[weights > 0], weights[weights > 0]
    if len(X) > ENOUGH:
        # A RandomState would shuffle all rows to draw some.
        draw = rng if isinstance(rng, np.random.Generator) else np.random.default_rng(rng.randint(2**31))
        chosen = np.sort(draw.choice(len(X), size=ENOUGH, replace=False, shuffle=False))
        X, weights = X[chosen], None if weights is None else weights[chosen]
    return validate.points(X), K, keywords | ({} if weights is None else {"weights": weights})


def _check_distinct(X: Array, K: int, found: int) -> None:
    """Raise an error if fewer than K clusters were found, with the likely reason."""
    if found < K:
        distinct = len(np.unique(X, axis=0))
        validate.count("K", K, most=distinct, why=", the number of distinct points: use fewer components")
        raise ValueError(
            f"k-means can tell no more than {counted(found, 'cluster')} apart, and K is {K}: look for values far "
            "out, or start with from_data"
        )


def _seed(rng: Any) -> Any:
    """What scikit-learn's functions take for their random_state."""
    return rng if isinstance(rng, np.random.RandomState) else int(rng.integers(2**31))


def _spread_as_all(X: Array, means: Array, keywords: dict[str, Any]) -> Mixture:
    """Components of equal weight at these means, each with the covariance of all the data."""
    whole = from_responsibilities(X, np.ones((len(X), 1)), **keywords).components
    assert isinstance(whole, Gaussian)
    K = len(means)
    copies = whole.permuted(np.zeros(K, dtype=int))
    components = Gaussian(means, copies.covariances, whole.structure, whole.floor, whole.prior)
    return Mixture(np.full(K, 1 / K), components)
