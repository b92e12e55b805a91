"""Which covariances are singular, so that only a floor can keep a component from collapsing."""

from __future__ import annotations

import numpy as np

from emlib.em import EPS
from emlib.families.moments import Moments
from emlib.families.structure import STRUCTURES
from emlib.validate import Array


def singular(means: Array, variances: Array, distances: Array) -> np.ndarray:
    """Which estimated covariances are singular, or so nearly that rounding has made them up, (K,).

    Either a feature varies by no more than the rounding of its values, or the features before it explain
    all of its variance but 1e-11, of which a sum of products keeps only a few digits.

    Parameters
    ----------
    means, variances : array (K, D)
    distances : array (K,)
        From singular, as `factor` of a structure gives them.
    """
    return ~(variances > (4 * EPS * np.abs(means)) ** 2).all(axis=1) | ~(distances > 1e-11)


def propped(moments: Moments) -> np.ndarray:
    """The components that would have collapsed without a floor.

    A feature that does not vary at all is left out: where all points are flat, a flat component is no surprise. If
    all points lie in a slanting plane, only the number of its points can tell.
    """
    total = moments.total()
    variances = np.full(total.means.shape, STRUCTURES[moments.structure].variances(total.spread))[0]
    varying = np.flatnonzero(variances > (4 * EPS * np.abs(total.means[0])) ** 2)
    if not len(varying) or _flat(total, varying)[0]:
        return np.flatnonzero(moments.counts <= max(len(varying), 1))
    return np.flatnonzero(_flat(moments, varying))


def _flat(moments: Moments, columns: np.ndarray) -> np.ndarray:
    """Which groups of points have a singular covariance of these features, (K,)."""
    form = STRUCTURES[moments.structure]
    spread = form.features(moments.spread, columns)
    return singular(moments.means[:, columns], form.variances(spread), form.factor(spread)[2])
