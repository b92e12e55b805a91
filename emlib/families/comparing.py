"""How far Gaussians are apart."""

from __future__ import annotations

import numpy as np

from emlib.families.covariance import Full
from emlib.value import Array


def divergences(means: Array, covariance: Full, others: Array, of_others: Full) -> Array:
    """The two parts of the symmetric divergence of Gaussians, (2, K, K'), in nats: of covariances, and of means.

    J = KL(j||k) + KL(k||j) = (tr(S_k^-1 S_j + S_j^-1 S_k) - 2D + d'(S_j^-1 + S_k^-1) d) / 2, with the
    difference d of the means (Jeffreys 1946).
    """
    d, D = means[:, None] - others[None], means.shape[1]
    with np.errstate(over="ignore", under="ignore"):  # infinite is far enough
        if covariance.stored.ndim == of_others.stored.ndim == 2:
            a, b = np.full(means.shape, covariance.stored), np.full(others.shape, of_others.stored)
            traces = (1 / a) @ b.T + a @ (1 / b).T
            squares = np.einsum("jka,ja->jk", d**2, 1 / a) + np.einsum("jka,ka->jk", d**2, 1 / b)
        else:
            (P, S), (Q, T) = (_written_out(c, m) for c, m in ((covariance, means), (of_others, others)))
            traces = np.einsum("jab,kba->jk", P, T) + np.einsum("jab,kba->jk", S, Q)
            squares = np.einsum("jka,jab,jkb->jk", d, P, d, optimize=True)
            squares = squares + np.einsum("jka,kab,jkb->jk", d, Q, d, optimize=True)
        return np.stack([traces - 2 * D, squares]) / 2


def _written_out(covariance: Full, means: Array) -> list[Array]:
    """Precisions and covariances, both (K, D, D)."""
    both = covariance.precisions(), covariance.stored
    return [covariance.matrices(stored, *means.shape) for stored in both]
