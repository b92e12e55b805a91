"""How far apart components are, and whether that is more than chance."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.special import chdtri

from emlib.validate import Array

if TYPE_CHECKING:
    from emlib.families.gaussian import Gaussian

SPLITS = 1e-3  # in one random split of a thousand, the halves are farther apart than a test allows


def clearly(divergence: Array, counts: Array, degrees: int) -> Array:
    """How clearly the points of two components tell them apart, (K, K): 1 is where chance ends.

    The points of one component, split at random, make two halves of symmetric divergence J, and n J follows a
    chi-square law, where 1/n = 1/n_j + 1/n_k (Kullback 1959, ch. 6). That law is for many
    points; with few points in many dimensions halves differ more, and fewer saddles are recognised.

    Parameters
    ----------
    divergence : array (K, K)
        The part of J that is due to certain parameters, or all of it.
    counts : array (K,)
        Expected number of points of each component.
    degrees : int
        How many of these parameters a component has.
    """
    with np.errstate(divide="ignore", invalid="ignore"):  # a component may have no points at all
        shared = 1 / (1 / counts[:, None] + 1 / counts[None])
    return divergence * shared / chdtri(degrees, SPLITS)


def divergence(ours: Gaussian, theirs: Gaussian) -> Array:
    """The two parts of J between Gaussians, (2, K, K'): what the covariances differ, and what the means do."""
    d = ours.means[:, None] - theirs.means[None]
    if {ours.structure, theirs.structure} <= {"diag", "spherical"}:
        a, b = ours.variances, theirs.variances
        traces = (1 / a) @ b.T + a @ (1 / b).T
        squares = np.einsum("jka,ja->jk", d**2, 1 / a) + np.einsum("jka,ka->jk", d**2, 1 / b)
    else:
        p, q = (np.linalg.inv(family.matrices).astype(float) for family in (ours, theirs))
        traces = np.einsum("jab,kba->jk", p, theirs.matrices) + np.einsum("jab,kba->jk", ours.matrices, q)
        squares = np.einsum("jka,jka->jk", np.einsum("jka,jab->jkb", d, p), d)
        squares += np.einsum("jka,jka->jk", np.einsum("jka,kab->jkb", d, q), d)
    return np.stack([traces - 2 * ours.n_features, squares]) / 2
