"""Two shortcuts through the E-step of a Gaussian mixture: the densities as linear functions, and pairs left out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from emlib.em import EPS
from emlib.families.family import Natural
from emlib.families.moments import Moments
from emlib.validate import Array

if TYPE_CHECKING:
    from emlib.families.gaussian import Gaussian


def natural(gaussian: Gaussian, log_weights: Array) -> Natural:
    """The logs of weight times density, written out as -x'Px/2 + (P m)'x + constant: linear in (x x', x, 1)."""
    form, (K, D) = gaussian._form, gaussian.means.shape
    shift = np.add.reduce(gaussian.means) / K
    means, inverse = gaussian.means - shift, gaussian._inverse
    quadratic, linear = form.natural(inverse, means)
    n_products = quadratic.shape[1]
    theta = np.empty((K, n_products + D + 1))
    theta[:, :n_products] = quadratic
    theta[:, n_products:-1] = linear
    theta[:, -1] = log_weights + gaussian._log_scale - 0.5 * np.add.reduce(linear * means, axis=1)

    def gather(sums: Array, scatter: Array | None = None) -> Moments:
        products = form.unpack(sums[:, :n_products], D) if scatter is None else scatter[None]
        return Moments(sums[:, -1], shift + np.zeros((K, D)), sums[:, n_products:-1], products, form.name)

    def kept(moments: Moments) -> bool:
        # A variance is what is left of the squares about the shift once that of the mean is taken off.
        # (If the feature is constant, nothing is left, and nothing was to be.)
        least = 1e-6 * moments.offsets**2 - (4 * EPS * moments.means) ** 2
        return bool((form.variances(moments.spread) >= least).all())

    common = inverse[0].T @ inverse[0] if form.name == "tied" else None
    return Natural(theta, form.products, gather, kept, shift, common)


def loses(gaussian: Gaussian, X: Array, allowed: float) -> bool:
    """Whether the bound on the rounding of densities written out so, for these points, surely is above so many nats.

    To make theta and to try costs more than the whole E-step where there are few points and many components. So look
    at the squares first, of all the terms in theta . phi(x).
    """
    K, D = gaussian.means.shape
    if gaussian.structure != "full" or K * D**2 < 2**15:
        return False
    squares = (gaussian._inverse**2).sum(axis=1)  # (K, D): the diagonals of the precisions
    reach = np.abs(X - gaussian.means.mean(axis=0)).max(axis=0)
    return bool(5 * EPS * (squares @ reach**2).max() > allowed)


def log_joint(gaussian: Gaussian, log_weights: Array, X: Array) -> Array:
    """The logs of weight times density, (N, K), but -inf for most pairs that cannot matter.

    A few whitened features, of all that a squared Mahalanobis distance is the sum over, bound the density from
    above. In many dimensions that alone rules out most components of a point.
    """
    (N, D), K = X.shape, len(gaussian)
    if gaussian.structure != "full" or D < 16 or K < 4:
        return log_weights + gaussian.log_density(X)
    few = gaussian._inverse[:, -max(D // 10, 3) :]  # (K, F, D): the last ones see all features
    shift = gaussian.means.mean(axis=0)
    seen = (few.reshape(-1, D) @ (X - shift).T).reshape(K, -1, N)
    seen -= few @ (gaussian.means - shift)[:, :, None]
    bound = (log_weights + gaussian._log_scale)[:, None] - 0.5 * np.einsum("kfn,kfn->kn", seen, seen)

    joint = np.full((K, N), -np.inf)
    likely = bound == bound.max(axis=0)
    _fill(joint, likely, gaussian, log_weights, X)
    least = joint.max(axis=0) - 75
    possible = bound > least - 1e-6 * np.abs(least)  # the bound is itself rounded
    if possible.sum() > N * K / 4:  # they overlap, and the search was in vain
        return log_weights + gaussian.log_density(X)
    _fill(joint, possible & ~likely, gaussian, log_weights, X)
    return joint.T


def _fill(joint: Array, wanted: np.ndarray, gaussian: Gaussian, log_weights: Array, X: Array) -> None:
    """Compute those entries of the log-joint, (K, N), that are wanted."""
    which, points = wanted.nonzero()
    ends = np.searchsorted(which, np.arange(len(gaussian) + 1))
    for k in np.unique(which):
        rows = points[ends[k] : ends[k + 1]]
        joint[k, rows] = log_weights[k] + gaussian.log_density_of(k, X[rows])
