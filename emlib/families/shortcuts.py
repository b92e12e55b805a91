"""Two shortcuts through the E-step of Gaussians: densities as linear functions, and pairs that cannot matter left out.

Both take the parts of a family of Gaussians: means (K, D), covariances as values, and the logs of weight times density
at the mean, `heights` (K,).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from emlib.em import EPS
from emlib.families.covariance import Full
from emlib.families.family import LARGEST_ERROR, Linear
from emlib.families.moments import Moments
from emlib.value import Array

MANY = 80  # dimensions, from which on the linear form has too many products to make
FEW_ROWS = 4096  # up to which it is worth a look before whether the linear form can work


def linear(means: Array, covariance: Full, heights: Array, X: Array, shift: Array | None) -> Linear | None:
    """The logs of weight times density, written out as -x'Px/2 + (P m)'x + constant: linear in (x x', x, 1).

    None if the linear form would be slow, or would lose too many digits with these points. The origin is at the shift,
    by default the mean of the means.
    """
    K, D = means.shape
    if shift is None:
        shift = np.add.reduce(means) / K
    if D > MANY or (K * D**2 >= 2**15 and len(X) <= FEW_ROWS and _loses(covariance, X, shift)):
        return None
    centred = means - shift
    quadratic, slope = covariance.linear(centred)
    n_products = quadratic.shape[1]
    theta = np.empty((K, n_products + D + 1))
    theta[:, :n_products] = quadratic
    theta[:, n_products:-1] = slope
    theta[:, -1] = heights - 0.5 * np.add.reduce(slope * centred, axis=1)

    def gather(sums: Array, scatter: Array | None = None) -> Moments | None:
        products = covariance.unpacked(sums[:, :n_products], D) if scatter is None else scatter[None]
        centres = shift + np.zeros((K, D))
        moments = Moments(sums[:, -1], centres, sums[:, n_products:-1], products, covariance.name)
        # A variance is what is left of the squares about the shift once that of the mean is taken off.
        offsets, means, _ = moments.about_means
        squares = offsets * offsets
        variances = moments.stored if moments.stored.ndim == 2 else moments.stored.diagonal(axis1=1, axis2=2)
        if (squares <= 1e6 * variances).all():
            return moments
        # Of a constant feature nothing is left, and nothing was to be.
        kept = variances >= 1e-6 * squares - (4 * EPS * means) ** 2
        return moments if kept.all() else None

    common = covariance.precisions()[0] if covariance.name == "tied" else None
    return Linear(theta, covariance.products, gather, shift, common)


def _loses(covariance: Full, X: Array, shift: Array) -> bool:
    """Whether the linear form would surely lose too many digits with these points.

    To make theta and to try costs more than the whole E-step where there are few points and many components. So look
    at the squares first, of all the terms in theta . phi(x).
    """
    if covariance.name != "full":
        return False
    squares = (covariance.whiteners**2).sum(axis=1)  # (K, D): the diagonals of the precisions
    reach = np.abs(X - shift).max(axis=0)
    return bool(5 * EPS * (squares @ reach**2).max() > LARGEST_ERROR)


def likely_pairs(
    means: Array, covariance: Full, heights: Array, X: Array, density: Callable[[int, Array], Array]
) -> Array | None:
    """The logs of weight times density, (N, K), but -inf for most pairs that cannot matter.

    A few whitened features, of all that a squared Mahalanobis distance is the sum over, bound the density from
    above. In many dimensions that alone rules out most components of a point.

    Parameters
    ----------
    density : function
        density(k, X): the logs of weight times density of component k.

    Returns
    -------
    array (N, K), or None if there are too few dimensions or components, or the components overlap.
    """
    (N, D), K = X.shape, len(means)
    if covariance.name != "full" or D < 16 or K < 4:
        return None
    # Bound every density by the last whitened features: those see all others.
    few = covariance.whiteners[:, -max(D // 10, 3) :]  # (K, F, D)
    shift = means.mean(axis=0)
    seen = (few.reshape(-1, D) @ (X - shift).T).reshape(K, -1, N)
    seen -= few @ (means - shift)[:, :, None]
    bound = heights[:, None] - 0.5 * np.einsum("kfn,kfn->kn", seen, seen)

    # Each point's likeliest pair says how large another must be to matter.
    joint = np.full((K, N), -np.inf)
    likely = bound == bound.max(axis=0)
    _fill(joint, likely, X, density)
    least = joint.max(axis=0) - 75
    possible = bound > least - 1e-6 * np.abs(least)  # the bound is itself rounded
    if possible.sum() > N * K / 4:  # they overlap, and the search was in vain
        return None
    _fill(joint, possible & ~likely, X, density)
    return joint.T


def _fill(joint: Array, wanted: np.ndarray, X: Array, density: Callable[[int, Array], Array]) -> None:
    """Compute those entries of the log-joint, (K, N), that are wanted."""
    which, points = wanted.nonzero()
    ends = np.searchsorted(which, np.arange(len(joint) + 1))
    for k in np.unique(which):
        rows = points[ends[k] : ends[k + 1]]
        joint[k, rows] = density(k, X[rows])
