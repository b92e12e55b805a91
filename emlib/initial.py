"""Parameters to start from, checked as scikit-learn checks them and in its words."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from emlib import validate
from emlib.families.structure import Full
from emlib.validate import Array


def given(
    weights_init: ArrayLike | None,
    means_init: ArrayLike | None,
    precisions_init: ArrayLike | None,
    form: Full,
    size: tuple[int, int],
) -> tuple[Array | None, Array | None, Array | None]:
    """The weights, means and covariances of K components in D dimensions, as far as they are given.

    Parameters
    ----------
    weights_init, means_init, precisions_init : array_like or None
        (K,), (K, D), and the inverses of the covariances.
    form : structure
        Of the covariances.
    size : tuple of int
        K and D.
    """
    K, D = size
    weights: Array | None = None
    means: Array | None = None
    covariances: Array | None = None
    if weights_init is not None:
        weights = _shaped("weights", weights_init, (K,))
        if (weights < 0).any() or (weights > 1).any():
            # scikit-learn swaps the two, and its tests ask for these words.
            raise ValueError(
                "The parameter 'weights' should be in the range [0, 1], but got max value "
                f"{weights.min():.5f}, min value {weights.max():.5f}"
            )
        if abs(1 - weights.sum()) > 1e-6:
            raise ValueError(
                f"The parameter 'weights' should be normalized, but got sum(weights) = {weights.sum():.5f}"
            )
        weights = weights / weights.sum()  # float32 rounds the sum
    if means_init is not None:
        means = _shaped("means", means_init, (K, D))
    if precisions_init is not None:
        name = f"{form.name} precision"
        precisions = _shaped(name, precisions_init, form.shape(K, D))
        if form.name in ("diag", "spherical"):
            if (precisions <= 0).any():
                raise ValueError(f"'{name}' should be positive")
            covariances = 1 / precisions
        else:
            turned = precisions.swapaxes(-1, -2)
            if not np.allclose(precisions, turned) or (np.linalg.eigvalsh(precisions) <= 0).any():
                raise ValueError(f"'{name}' should be symmetric, positive-definite")
            inverse = np.linalg.inv((precisions + turned) / 2).astype(float)
            covariances = (inverse + inverse.swapaxes(-1, -2)) / 2
    return weights, means, covariances


def _shaped(name: str, values: ArrayLike, shape: tuple[int, ...]) -> Array:
    array = np.asarray(values, dtype=float)
    if array.shape != shape:
        raise ValueError(f"The parameter '{name}' should have the shape of {shape}, but got {array.shape}")
    return validate.finite(name, array)
