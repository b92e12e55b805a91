"""Gaussians of some features, given the others."""

from __future__ import annotations

import numpy as np
from scipy.linalg import solve_triangular

from emlib.value import Array


def conditioned(means: Array, matrices: Array, columns: np.ndarray, values: Array) -> tuple[Array, Array]:
    """Means (N, K, R) and covariances (K, R, R) of the R other features, given rows (N, C) of values of these.

    Parameters
    ----------
    means, matrices : array (K, D), (K, D, D)
    columns : array of int (C,)
    values : array (N, C)
    """
    K, D = means.shape
    rest, C = np.setdiff1d(np.arange(D), columns), len(columns)
    order = np.concatenate([columns, rest])
    its_means, its_covariances = np.empty((len(values), K, len(rest))), np.empty((K, len(rest), len(rest)))
    for k, (mean, covariance) in enumerate(zip(means, matrices, strict=True)):
        # The known features first: then the last corner of a Cholesky factor is that of what is left.
        root = np.linalg.cholesky(covariance[np.ix_(order, order)])
        whitened = solve_triangular(root[:C, :C], (values - mean[columns]).T, lower=True)
        its_means[:, k] = mean[rest] + (root[C:, :C] @ whitened).T
        its_covariances[k] = root[C:, C:] @ root[C:, C:].T
    return its_means, its_covariances
