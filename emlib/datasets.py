"""The lessons' data. All of it is here or is computed here: nothing is fetched."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files

import numpy as np

from emlib import validate
from emlib.validate import Array
from emlib.words import counted


@dataclass(frozen=True, eq=False)
class Dataset:
    """Data, and where they come from.

    Attributes
    ----------
    X : array (N, D)
    labels : array (N,) or None
        The group each point truly belongs to; None if nobody knows.
    source, licence : str
    features : tuple of str
        What the columns are, with their units.
    """

    X: Array
    labels: np.ndarray | None
    source: str
    licence: str
    features: tuple[str, ...] = ("x",)

    def __repr__(self) -> str:
        n, d = self.X.shape
        return f"<Dataset: {counted(n, 'point')} in {counted(d, 'dimension')}; {self.source}>"


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
    """
    offset = validate.not_negative("offset", offset)
    rng = np.random.RandomState(0)  # the legacy generator: the tutorial's numbers depend on it
    t = np.linspace(-5, 5, 20)
    x = np.hstack([t * rng.rand(20) + centre for centre in (offset, -offset, 0.0)])
    return Dataset(
        X=x[:, None],
        labels=np.repeat([1, 0, 2], 20),
        source="Expectation Maximization in Python (blog post), rebuilt from its seed",
        licence="numbers from a seeded generator; no licence needed",
    )


def old_faithful() -> Dataset:
    """Eruptions of the Old Faithful geyser in Yellowstone: how long each took, and how long until the next.

    Returns
    -------
    Dataset
        X (272, 2), both in minutes. Nobody knows the labels.
    """
    with (files("emlib") / "data" / "old_faithful.csv").open() as file:
        X = np.loadtxt(file, delimiter=",", skiprows=1)
    return Dataset(
        X=X,
        labels=None,
        source="Azzalini & Bowman (1990), Applied Statistics 39, 357-365, as in R's data set `faithful`",
        licence="measurements of nature, free to use; R distributes this table with GPL-2 or later",
        features=("eruption (min)", "waiting (min)"),
    )
