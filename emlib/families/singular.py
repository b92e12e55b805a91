"""Which covariances are singular, or at their floor, so that their component has collapsed.

- `singular`: estimates that no floor keeps up.
- `held_up`: components that only a floor or a ridge keeps up.
- `flat_directions`: where all the data are flat: there a flat component is no collapse.
"""

from __future__ import annotations

import numpy as np

from emlib.em import EPS, Collapse
from emlib.families.covariance import Full
from emlib.families.moments import Moments
from emlib.families.variances import STRUCTURES
from emlib.text import counted
from emlib.value import Array

LEAST = 1e-11  # of its variance a feature must keep for itself: of less, a sum of products keeps only a few digits


def singular(means: Array, covariance: Full) -> np.ndarray:
    """Which estimated covariances are singular, or so nearly that rounding has made them up, (K,) or (1,).

    Either a feature varies by no more than the rounding of its values, or the features before it explain
    all of its variance but 1e-11.
    """
    varies = covariance.variances() > (4 * EPS) ** 2 * (means * means)
    return ~(np.logical_and.reduce(varies, axis=1) & (covariance.unexplained > LEAST))


def held_up(moments: Moments, stored: Array, floor: Array | None, ridge: float) -> np.ndarray:
    """The numbers of the components that only a floor or a ridge keeps from collapsing.

    These are at the floor, or would be singular without the ridge, in a direction in which the data as a whole are
    not flat: where all points are flat, a flat component is no surprise.

    Parameters
    ----------
    moments : Moments
        Of the data, by component.
    stored : array
        The covariances that the moments call for, as stored, before ridge and floor.
    floor : array (D,) or None
    ridge : float
    """
    form, total = STRUCTURES[moments.structure], moments.total()
    caught = np.zeros(len(moments.counts), dtype=bool)
    if floor is not None:
        caught |= _least_in_units(form.plus(stored, ridge), floor, total.stored) <= 1 + 1e-9
    if ridge:
        caught |= _singular_without_ridge(moments.means, stored, total, form)
    return np.flatnonzero(caught)


def at_floor(covariance: Full, floor: Array) -> np.ndarray:
    """Which covariances are at the floor in some direction, (K,) or (1,)."""
    whiteners = covariance.whiteners  # these know the least variances best
    if whiteners.ndim == 2:
        most = (whiteners**2 * floor).max(axis=1)
    else:
        most = np.linalg.norm(whiteners * np.sqrt(floor), 2, axis=(1, 2)) ** 2
    return most >= 1 - 1e-9


def _least_in_units(stored: Array, floor: Array, whole: Array) -> Array:
    """The least variance of each covariance, in units of the floor, (K,) or (1,).

    Only in directions in which `whole`, the covariance of all data, as stored, is above the floor; infinite if there
    are none.
    """
    if stored.ndim == 2:  # feature by feature, or one variance for all of them
        limits = floor if stored.shape[1] > 1 else floor.max()
        return np.min(stored / limits, axis=1, initial=np.inf, where=(whole > limits)[0])
    unit = np.sqrt(floor)
    eigenvalues, vectors = np.linalg.eigh(whole[0] / np.outer(unit, unit))
    standing = vectors[:, eigenvalues > 1]
    if not standing.size:
        return np.full(len(stored), np.inf)
    return np.linalg.eigvalsh(standing.T @ (stored / np.outer(unit, unit)) @ standing)[:, 0]


def _singular_without_ridge(means: Array, stored: Array, total: Moments, form: type[Full]) -> np.ndarray:
    """Which covariances are singular, (K,) or (1,), in directions in which the data are not."""
    D = means.shape[1]
    whole = form.of(total.stored, D)
    if not singular(total.means, whole).any():
        return singular(means, form.of(stored, D))
    # Leave out the directions in which all points are flat, in units of each feature's own spread.
    variances = np.full(total.means.shape, whole.variances())[0]
    varying = np.flatnonzero(variances > (4 * EPS * np.abs(total.means[0])) ** 2)
    if not len(varying):
        return np.zeros(len(stored), dtype=bool)
    stored, means = form.of_features(stored, varying), means[:, varying]
    if stored.ndim == 3:
        unit = np.sqrt(variances[varying])
        scale = np.outer(unit, unit)
        eigenvalues, vectors = np.linalg.eigh(form.of_features(total.stored, varying)[0] / scale)
        standing = vectors[:, eigenvalues > LEAST * D]
        stored, means = standing.T @ (stored / scale) @ standing, (means / unit) @ standing
    return singular(means, form.of(stored, means.shape[1]))


def flat_directions(total: Moments, floor: Array) -> list[np.ndarray]:
    """The columns of each direction in which all points lie within the floor.

    Parameters
    ----------
    total : Moments
        Of all points, K = 1, of structure "full".
    floor : array (D,)
    """
    unit = np.sqrt(floor)
    eigenvalues, vectors = np.linalg.eigh(total.stored[0] / np.outer(unit, unit))
    flat = vectors[:, eigenvalues <= 1]
    constant = total.stored[0].diagonal() <= floor
    found = [np.array([column]) for column in np.flatnonzero(constant)]
    # What is left of the flat space once constant columns are out are sums of columns that are constant.
    rest = np.abs(np.where(constant[:, None], 0, flat)) > 1e-6
    if flat.shape[1] > len(found) and rest.any():
        found.append(np.flatnonzero(rest.any(axis=1)))
    return found


def collapse(flat: np.ndarray, counts: Array, D: int) -> Collapse:
    """The error for estimates of which some are singular, (K,) or (1,)."""
    k = int(np.argmax(flat))
    who = f"component {k} has" if not flat.all() or len(counts) == 1 else "all components have"
    return Collapse(
        f"{who} collapsed: {counts[k]:.4g} of the points do not span "
        f"{counted(D, 'dimension')}, so its covariance is singular and the likelihood "
        "without bound: give the components a floor or a prior, or use fewer components or another start"
    )
