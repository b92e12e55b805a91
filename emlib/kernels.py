"""Ways through a block of data: the E-step of a mixture, points in, statistics out.

There is one so far, plain and general: it works for any family. Faster ones for Gaussians belong here,
beside a rule that chooses, and must equal this one to 1e-10.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from emlib.families.family import Family
from emlib.validate import Array


def responsibilities(log_weights: Array, family: Family, X: Array) -> tuple[Array, Array]:
    """Bayes' rule for every point, in logs, so that a point far from all components keeps its shares.

    Returns
    -------
    resp : array (N, K)
        Probability of each component, given the point. Rows sum to one.
    log_density : array (N,)
        Log-density of each point under the mixture, in nats.
    """
    joint = log_weights + family.log_density(X)  # (N, K): log of pi_k p(x_n | k)
    top = joint.max(axis=1, keepdims=True)
    if not np.isfinite(top).all():
        row = int(np.argmin(np.isfinite(top[:, 0])))
        raise ValueError(
            f"X[{row}] lies so far from every component that its density cannot be computed, not even in logs: "
            "look for a wrong value, or rescale the data"
        )
    resp = np.exp(joint - top)
    total = resp.sum(axis=1, keepdims=True)
    # Divided by their own sum, rows sum to one however far out the point lies.
    return resp / total, (top + np.log(total))[:, 0]


def plain(log_weights: Array, family: Family, X: Array, weights: Array) -> tuple[float, Array, Any]:
    """E-step in the order of the textbook: responsibilities first, then everything summed with them.

    Returns
    -------
    log_likelihood : float
        Total of the block, in nats.
    counts : array (K,)
        Expected number of points of each component.
    statistics
        What `family.collect` makes of the block.
    """
    resp, log_density = responsibilities(log_weights, family, X)
    weighted = resp * weights[:, None]
    return float(weights @ log_density), weighted.sum(axis=0), family.collect(X, weighted)
