"""The lessons' data. All of it is here or is computed here: nothing is fetched."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import numpy as np

from emlib import validate
from emlib.text import counted
from emlib.value import Array, Value


@dataclass(frozen=True, repr=False)
class Dataset(Value):
    """Data, and where they come from.

    Attributes
    ----------
    X : array (N, D)
    labels : array (N,) or None
        The group each point truly belongs to; None if nobody knows.
    source, licence : str
    features : tuple of str
        What the columns are, with their units.

    Examples
    --------
    >>> from emlib import datasets
    >>> datasets.nine_clusters()
    <Dataset: 450 points in 2 dimensions; made for this course: a grid of nine>
    >>> data = datasets.old_faithful()
    >>> data.X.shape, data.labels, data.licence
    ((272, 2), None, 'measurements of nature, free to use; R distributes this table with GPL-2 or later')
    """

    X: Array
    labels: np.ndarray | None
    source: str
    licence: str
    features: tuple[str, ...] = ("x",)

    def __repr__(self) -> str:
        n, d = self.X.shape
        return f"<Dataset: {counted(n, 'point')} in {counted(d, 'dimension')}; {self.source}>"


SEEDED = "numbers from a seeded generator; no licence needed"


def _computed(X: Array, labels: np.ndarray, source: str, licence: str = SEEDED) -> Dataset:
    """Data that a recipe gives, and whose columns have no names of their own."""
    return Dataset(X, labels, source, licence, ("x",) if X.shape[1] == 1 else ("feature 0", "feature 1"))


def three_clusters(offset: float = 10.0) -> Dataset:
    """Sixty points on a line, twenty in each of three clusters: about +offset, -offset and 0.

    Parameters
    ----------
    offset : float
        Where the outer clusters lie, 0 or more; the tutorial uses 10, and 15 further on.

    Returns
    -------
    Dataset
        X (60, 1): the right cluster first, then the left, then the middle. Labels (60,): 0 left, 1 right,
        2 middle, as the components are numbered in the lesson.

    Notes
    -----
    The recipe is the tutorial's: `t * rand(20)` with `t = linspace(-5, 5, 20)`, seeded with 0. A cluster is
    therefore no Gaussian: it is densest at its centre and has nothing beyond 5.

    Examples
    --------
    >>> from emlib import datasets
    >>> data = datasets.three_clusters()
    >>> data.X.shape
    (60, 1)
    >>> [round(float(data.X[data.labels == k].mean()), 2) for k in range(3)]
    [-10.03, 9.95, -0.08]
    """
    offset = validate.not_negative("offset", offset)
    rng = np.random.RandomState(0)  # the legacy generator: the tutorial's numbers depend on it
    t = np.linspace(-5, 5, 20)
    x = np.hstack([t * rng.rand(20) + centre for centre in (offset, -offset, 0.0)])
    labels = np.repeat([1, 0, 2], 20)
    return _computed(x[:, None], labels, "GMM in python and EM (blog post), rebuilt from its seed")


def skewed_blobs() -> Dataset:
    """Five hundred points in the plane, in three long, slanting clusters; two of them touch.

    Returns
    -------
    Dataset
        X (500, 2). Labels (500,): 0 for the cluster about (11.1, 18.7), 1 for the one about (19.9, 17.5), 2 for the
        one about (-12.8, 4.9), with 167, 167 and 166 points.

    Notes
    -----
    The recipe goes round in several tutorials: three round blobs of standard deviation 1.5, then one random matrix
    that stretches and turns them all, `make_blobs(500, centers=3, cluster_std=1.5, random_state=20)` times
    `RandomState(0).randn(2, 2)`.

    Examples
    --------
    >>> import numpy as np
    >>> from emlib import datasets
    >>> data = datasets.skewed_blobs()
    >>> np.bincount(data.labels).tolist()
    [167, 167, 166]
    >>> data.X[data.labels == 0].mean(axis=0).round(1).tolist()
    [11.1, 18.7]
    """
    from sklearn.datasets import make_blobs  # slow to import, and needed only here

    X, labels = make_blobs(500, centers=3, cluster_std=1.5, random_state=20)
    source = "GMM in python and EM (blog post), rebuilt from its seeds; other tutorials share the recipe"
    return _computed(X @ np.random.RandomState(0).randn(2, 2), labels, source)


def four_blobs(stretched: bool = False) -> Dataset:
    """Four hundred points in the plane, a hundred in each of four round clusters of standard deviation 0.6.

    Parameters
    ----------
    stretched : bool
        Whether to stretch the plane, by one matrix for all points, so that the clusters become long and thin.

    Returns
    -------
    Dataset
        X (400, 2). Labels (400,), 0 to 3: the cluster that each point was drawn from.

    Notes
    -----
    The recipes are the Handbook's: `make_blobs(400, centers=4, cluster_std=0.6, random_state=0)` with its two
    columns swapped; stretched, those points times `RandomState(13).randn(2, 2)`.

    Examples
    --------
    >>> import numpy as np
    >>> from emlib import datasets
    >>> for data in (datasets.four_blobs(), datasets.four_blobs(stretched=True)):
    ...     print(np.corrcoef(data.X[data.labels == 0].T)[0, 1].round(2))
    -0.03
    -0.89
    """
    from sklearn.datasets import make_blobs  # slow to import, and needed only here

    validate.kind("stretched", stretched, bool)
    X, labels = make_blobs(400, centers=4, cluster_std=0.6, random_state=0)
    X = X[:, ::-1]
    if stretched:
        X = X @ np.random.RandomState(13).randn(2, 2)
    source = "VanderPlas (2016), Python Data Science Handbook, 05.12, rebuilt from its seeds"
    licence = "numbers from a seeded generator; the Handbook's code is under the MIT licence"
    return _computed(np.ascontiguousarray(X), labels, source, licence)


def six_cases() -> dict[str, Dataset]:
    """Six small data sets, A to F, to ask of each whether k-means is the right tool.

    Returns
    -------
    dict
        A letter and its Dataset, in the plane: X (N, 2), labels (N,) of the cluster each point was drawn from.

    Examples
    --------
    >>> from emlib import datasets
    >>> {letter: data.X.shape for letter, data in datasets.six_cases().items()}
    {'A': (300, 2), 'B': (300, 2), 'C': (300, 2), 'D': (630, 2), 'E': (630, 2), 'F': (300, 2)}
    """
    corners = [(0, 0), (4, 0), (2, 3.5)]
    recipes: dict[str, tuple[Any, Any, Any]] = {
        # how many points in each cluster, its centre, and the standard deviations of its two features
        "A": ([100] * 3, corners, [(0.6, 0.6)] * 3),
        "B": ([150] * 2, [(0, 0), (0, 2)], [(3, 0.35)] * 2),
        "C": ([150] * 2, [(0, 0), (0, 24)], [(3, 0.35)] * 2),
        "D": ([600, 30], [(0, 0), (3.2, 0)], [(0.8, 0.8)] * 2),
        "E": ([600, 30], [(0, 0), (8, 0)], [(0.8, 0.8)] * 2),
        "F": ([150] * 2, [(0, 0), (4.5, 0)], [(1.8, 1.8), (0.3, 0.3)]),
    }
    cases = {}
    for letter, (sizes, centres, deviations) in recipes.items():
        rng = np.random.RandomState(0)
        labels = np.repeat(np.arange(len(sizes)), sizes)
        X = np.array(centres)[labels] + rng.randn(len(labels), 2) * np.array(deviations)[labels]
        cases[letter] = _computed(X, labels, f"made for this course, case {letter}")
    return cases


def nine_clusters() -> Dataset:
    """Four hundred and fifty points in the plane, fifty about each of the nine crossings of a three by three grid.

    Returns
    -------
    Dataset
        X (450, 2): the crossings are 4 apart, the standard deviation is 0.8. Labels (450,), 0 to 8.

    Examples
    --------
    >>> from emlib import datasets
    >>> data = datasets.nine_clusters()
    >>> data.X[data.labels == 4].mean(axis=0).round().tolist()
    [4.0, 4.0]
    """
    labels = np.repeat(np.arange(9), 50)
    centres = 4.0 * np.column_stack([labels // 3, labels % 3])
    X = centres + 0.8 * np.random.RandomState(0).randn(450, 2)
    return _computed(X, labels, "made for this course: a grid of nine")


def old_faithful() -> Dataset:
    """Eruptions of the Old Faithful geyser in Yellowstone: how long each took, and how long until the next.

    Returns
    -------
    Dataset
        X (272, 2), both in minutes. Nobody knows the labels.

    Examples
    --------
    >>> from emlib import datasets
    >>> data = datasets.old_faithful()
    >>> data.X[:2].tolist()
    [[3.6, 79.0], [1.8, 54.0]]
    >>> data.features
    ('eruption (min)', 'waiting (min)')
    """
    with (files("emlib") / "data" / "old_faithful.csv").open() as file:
        X = np.loadtxt(file, delimiter=",", skiprows=1)
    return Dataset(
        X=X,
        labels=None,
        source="R's data set `faithful`, from Härdle (1991), Smoothing Techniques with Implementation in S",
        licence="measurements of nature, free to use; R distributes this table with GPL-2 or later",
        features=("eruption (min)", "waiting (min)"),
    )


def digits() -> Dataset:
    """Handwritten digits, each a picture of 8 x 8 pixels: how many of the 4 x 4 dots in each were black, 0 to 16.

    Returns
    -------
    Dataset
        X (1797, 64), whole numbers, row by row from the top left. Labels (1797,): the digits, 0 to 9.

    Examples
    --------
    >>> from emlib import datasets
    >>> data = datasets.digits()
    >>> print(data.X[0].reshape(8, 8).astype(int), data.labels[0])
    [[ 0  0  5 13  9  1  0  0]
     [ 0  0 13 15 10 15  5  0]
     [ 0  3 15  2  0 11  8  0]
     [ 0  4 12  0  0  8  8  0]
     [ 0  5  8  0  0  9  8  0]
     [ 0  4 11  0  1 12  7  0]
     [ 0  2 14  5 10 12  0  0]
     [ 0  0  6 13 10  0  0  0]] 0
    """
    from sklearn.datasets import load_digits  # slow to import, and needed only here

    X, labels = load_digits(return_X_y=True)
    return Dataset(
        X=X,
        labels=labels,
        source="Alpaydin & Kaynak (1998), Optical Recognition of Handwritten Digits, UCI, as in scikit-learn",
        licence="CC BY 4.0",
        features=tuple(f"pixel {row}, {column} (0 to 16)" for row in range(8) for column in range(8)),
    )
