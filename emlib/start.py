"""Where EM starts: every function returns a `Mixture` for `fit`.

The limit that EM reaches depends on its start. A start from known parameters needs no function:
`Mixture(weights, Gaussian(means, covariances))`.

All take the same keywords:

- `family`: of the components, `Gaussian` by default;
- the options of the family, for Gaussians `structure`, `floor`, `ridge` and `prior`;
- `weights`, array_like (N,): how much each point counts, all the same by default.

X may be data of any kind that `fit` takes; weights come in the same pieces. Where a start needs no more than a good
guess, it looks at no more than 20,000 rows, drawn at random from all of them by `rng`.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from emlib import validate
from emlib.blocks import Blocks, Data, as_one
from emlib.em import EPS, Collapse, EMWarning
from emlib.families import Family, Gaussian
from emlib.families.family import checked_family
from emlib.families.singular import flat_directions
from emlib.mixture import Mixture
from emlib.text import counted, listing
from emlib.value import Array

ENOUGH = 20_000  # rows for a guess


def from_responsibilities(
    X: Data, resp: Any, *, family: type[Family] = Gaussian, weights: Any = None, **options: Any
) -> Mixture:
    """The M-step of given responsibilities.

    Parameters
    ----------
    X : array_like (N, D)
    resp : array_like (N, K)
        One row for each point; rows sum to one.
    family, weights, **options
        See `emlib.start`.

    Raises
    ------
    Collapse
        (A ValueError.) If a component gets too few points.

    Examples
    --------
    >>> from emlib import start
    >>> start.from_responsibilities([[0.0], [2.0], [10.0], [12.0]], [[1, 0], [1, 0], [0, 1], [0, 1]])
    Mixture of 2 Gaussians in 1 dimension
      weight 0.5, mean 1, variance 1
      weight 0.5, mean 11, variance 1
    """
    X, resp = as_one(X), validate.numbers("resp", as_one(resp))
    if resp.ndim != 2 or np.shape(X)[:1] != resp.shape[:1]:
        raise ValueError(
            f"resp has shape {resp.shape} and X {np.shape(X)}; resp must be (N, K): one row for each point"
        )
    resp = validate.probabilities("resp", resp)
    if weights is not None:
        resp = resp * validate.point_weights(as_one(weights), len(X))[:, None]
    components = checked_family(family).from_responsibilities(X, resp, **options)
    return Mixture(resp.sum(axis=0) / resp.sum(), components)


def from_labels(X: Data, labels: Any, **keywords: Any) -> Mixture:
    """One component for each label, with the share, the mean and the covariance of its points.

    Parameters
    ----------
    X : array_like (N, D)
    labels : array_like (N,)
        Any values that can be sorted; components come in their order.
    **keywords
        See `emlib.start`.

    Examples
    --------
    >>> from emlib import datasets, start
    >>> data = datasets.three_clusters()
    >>> start.from_labels(data.X, data.labels)
    Mixture of 3 Gaussians in 1 dimension
      weight 0.333333, mean -10.0263, variance 4.80831
      weight 0.333333, mean 9.94508, variance 3.94633
      weight 0.333333, mean -0.0822032, variance 1.7606
    """
    X, labels = as_one(X), as_one(labels)
    given = np.asarray(labels)
    if given.ndim != 1 or given.shape != np.shape(X)[:1]:
        raise ValueError(
            f"labels has shape {given.shape} and X {np.shape(X)}; labels must be (N,): one for each point"
        )
    validate.not_masked("labels", labels)
    try:
        names = np.unique(given)
    except TypeError:
        raise ValueError("labels cannot be sorted: use numbers, or strings, but not both") from None
    if (given != given).any():
        raise ValueError("labels holds nan: give every point a label")
    return from_responsibilities(X, (given[:, None] == names).astype(float), **keywords)


def random(X: Data, K: int, rng: np.random.Generator, **keywords: Any) -> Mixture:
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

    Examples
    --------
    >>> import numpy as np
    >>> from emlib import datasets, start
    >>> X = datasets.three_clusters().X
    >>> start.random(X, 3, np.random.default_rng(0)).components.means.round(1).tolist()
    [[0.7], [-0.4], [-0.5]]
    """
    X, K, keywords = _some(X, K, rng, keywords)
    resp = rng.uniform(size=(len(X), K))
    return from_responsibilities(X, resp / resp.sum(axis=1, keepdims=True), **keywords)


def from_data(X: Data, K: int, rng: np.random.Generator, **keywords: Any) -> Mixture:
    """Means at K points of the data, each with the covariance of all the data and an equal weight.

    Components that are no Gaussians share one half of all points equally instead, and of the other half each takes
    the points nearest to it.

    Parameters
    ----------
    X : array_like (N, D)
    K : int
        Number of components, at most the number of distinct points.
    rng : numpy.random.Generator
        Chooses the points, all different.
    **keywords
        See `emlib.start`.

    Examples
    --------
    >>> import numpy as np
    >>> from emlib import datasets, start
    >>> X = datasets.old_faithful().X
    >>> first = start.from_data(X, 2, np.random.default_rng(0), structure="tied")
    >>> [mean in X.tolist() for mean in first.components.means.tolist()]
    [True, True]
    >>> first.components.covariances.round(2).tolist()
    [[1.3, 13.93], [13.93, 184.14]]
    """
    X, K, keywords = _some(X, K, rng, keywords)
    distinct = np.unique(X, axis=0)
    _check_distinct(X, K, len(distinct))
    means = distinct[rng.choice(len(distinct), size=K, replace=False)]
    return _around(X, means, keywords)


def k_means_plus_plus(X: Data, K: int, rng: np.random.Generator, **keywords: Any) -> Mixture:
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

    Examples
    --------
    >>> import numpy as np
    >>> from emlib import datasets, start
    >>> X = datasets.nine_clusters().X
    >>> first = start.k_means_plus_plus(X, 9, np.random.default_rng(0), structure="diag")
    >>> len(first), first.components.structure
    (9, 'diag')
    >>> all(mean in X.tolist() for mean in first.components.means.tolist())
    True
    """
    from sklearn.cluster import kmeans_plusplus  # slow to import, and needed only here

    X, K, keywords = _some(X, K, rng, keywords)
    weights = keywords.get("weights")
    # About their mean: k-means++ multiplies distances out, and far from the origin would lose their digits.
    _, chosen = kmeans_plusplus(X - X.mean(axis=0), K, sample_weight=weights, random_state=_seed(rng))
    _check_distinct(X, K, len(np.unique(X[chosen], axis=0)))
    return _around(X, X[chosen], keywords)


def k_means(X: Data, K: int, rng: np.random.Generator, **keywords: Any) -> Mixture:
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

    Examples
    --------
    >>> import numpy as np
    >>> from emlib import datasets, start
    >>> X = datasets.three_clusters().X
    >>> first = start.k_means(X, 3, np.random.default_rng(0))
    >>> sorted(first.components.means.ravel().round(2).tolist())
    [-10.03, -0.08, 9.95]
    >>> start.k_means([[1.0], [1.0], [2.0]], 3, np.random.default_rng(0))
    Traceback (most recent call last):
    ValueError: K is 3; it must be between 1 and 2, the number of distinct points: use fewer components
    """
    from sklearn import config_context  # slow to import, and needed only here
    from sklearn.cluster import KMeans

    X, K, keywords = _some(X, K, rng, keywords)
    # Where a sample stands for the rest, there is time to look from several places for the best clusters.
    clusters = KMeans(K, n_init=1 if len(X) < ENOUGH else 5, random_state=_seed(rng))
    # Data and K are checked: of a small table, to do so again would take a third of the time. What it warns of, the
    # error below says.
    known = config_context(assume_finite=True, skip_parameter_validation=True)
    with known, warnings.catch_warnings(action="ignore"):
        labels = clusters.fit_predict(X, sample_weight=keywords.get("weights"))
    _check_distinct(X, K, len(np.unique(labels)))
    return from_labels(X, labels, **keywords)


def usual_floor(X: Data, weights: Any = None) -> Array:
    """A floor that holds up nothing but collapses: 1e-10 times each feature's own variance, (D,).

    A constant feature, which has none, gets the mean of the others', or 1.

    Parameters
    ----------
    X : array_like (N, D)
    weights : array_like (N,), optional

    Warns
    -----
    EMWarning
        If the data are flat in some direction: a constant column, or columns that determine each other.

    Examples
    --------
    >>> from emlib import datasets, start
    >>> floor = start.usual_floor(datasets.old_faithful().X)
    >>> [f"{variance:.3g}" for variance in floor]
    ['1.3e-10', '1.84e-08']
    """
    blocks = Blocks.of(X, weights).checked(validate.table)
    D = blocks.n_columns
    one = Mixture([1.0], Gaussian.known(np.zeros((1, D)), np.eye(D)[None]))
    total = blocks.sum(one.e_step).components  # block by block, as EM would
    variances = total.stored[0].diagonal()
    varying = variances > (4 * EPS * total.means[0]) ** 2
    others = variances[varying].mean() if varying.any() else 1.0
    floor = 1e-10 * np.where(varying, variances, others)
    flat = flat_directions(total, floor) if blocks.n_counting > D else []
    said = [
        f"column {some[0]} is constant" if len(some) == 1 else f"columns {listing(some)} are not independent"
        for some in flat
    ]
    if said:
        warnings.warn(
            f"{'; '.join(said)}: the data are flat there, and the floor keeps every covariance from being singular",
            EMWarning,
            stacklevel=2,
        )
    return floor


def _some(
    X: Data, K: int, rng: np.random.Generator, keywords: dict[str, Any]
) -> tuple[Array, int, dict[str, Any]]:
    """Enough rows for a guess, with their weights, and K."""
    blocks = Blocks.of(X, keywords.get("weights")).checked(validate.table)
    K = validate.count("K", K, most=blocks.n_rows, why=", the number of points: use fewer components")
    rng, N = validate.generator(rng), blocks.n_counting  # points of no weight are no part of the data
    if N > ENOUGH:
        # A RandomState would shuffle all rows to draw some.
        draw = rng if isinstance(rng, np.random.Generator) else np.random.default_rng(rng.randint(2**31))
        chosen = np.sort(draw.choice(N, size=ENOUGH, replace=False, shuffle=False))
    else:
        chosen = np.arange(N)
    rows, weights = blocks.rows(chosen)
    return rows, K, keywords if weights is None else keywords | {"weights": weights}


def _check_distinct(X: Array, K: int, found: int) -> None:
    """Raise an error if fewer than K clusters were found, with the likely reason."""
    if found < K:
        distinct = len(np.unique(X, axis=0))
        validate.count("K", K, most=distinct, why=", the number of distinct points: use fewer components")
        raise Collapse(
            f"k-means can tell no more than {counted(found, 'cluster')} apart, and K is {K}: look for values far "
            "out, or start with from_data"
        )


def _seed(rng: Any) -> Any:
    """What scikit-learn's functions take for their random_state."""
    return rng if isinstance(rng, np.random.RandomState) else int(rng.integers(2**31))


def _around(X: Array, means: Array, keywords: dict[str, Any]) -> Mixture:
    """Components of equal weight around these means, each with the covariance of all the data."""
    K, family = len(means), checked_family(keywords.get("family", Gaussian))
    if not issubclass(family, Gaussian):
        squares = np.stack([((X - mean) ** 2).sum(axis=1) for mean in means], axis=1)
        # A value that a component has never seen may be impossible to it, and EM would leave it so for ever.
        found = from_responsibilities(X, (np.eye(K)[squares.argmin(axis=1)] + 1 / K) / 2, **keywords)
        return Mixture(np.full(K, 1 / K), found.components)
    whole: Any = from_responsibilities(X, np.ones((len(X), 1)), **keywords).components
    copies = whole.permuted(np.zeros(K, dtype=int))
    return Mixture(np.full(K, 1 / K), copies.moved(means))
