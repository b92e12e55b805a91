"""Two ways through the points: the E-step of a mixture, points in, statistics out.

Both take the points a block of rows at a time, so that nothing of size (N, K) exists and a block fits the
processor's cache; statistics add, so it does not matter where the borders are.

- `general` is the textbook: log-densities, Bayes' rule, then sums weighted by the responsibilities. It works for
  every family, and keeps its digits wherever the components are.
- `fused` is for families whose log-density is linear in their sufficient statistics, log(pi_k p(x|k)) =
  theta_k . phi(x). Then a block is two products of matrices and a softmax between them. Its rounding errors grow
  with the square of (distance of the points / width of the components), so they are estimated first, and
  blocks that could lose digits take the general way.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from emlib.em import EPS
from emlib.families.family import Family, Natural
from emlib.validate import Array

BLOCK = 2**17  # numbers that one block of rows works on: 1 MiB, about what a processor keeps at hand
MANY = 80  # dimensions, from which on the fused way has too many products to make
FEW = 4096  # points, up to which it is worth a look before whether the fused way can work
LOST = 1e-9  # the largest error of a log-density, in nats, that the fused way is allowed
NOTHING = np.exp(-75.0)  # a share of a point that may be skipped,
FAINT = 1e-15  # but not for a component that has no more than this of all points
TAME = 690.0  # logits no larger than this need no care: their exp is finite, and no denormal number
NEVER = -700.0  # exp of it is nothing, but no denormal number yet: those are slow


def expect(
    log_weights: Array, family: Family, X: Array, weights: Array | None
) -> tuple[float, Array, Any, float]:
    """The E-step of a mixture, by the faster way wherever that is as accurate.

    Parameters
    ----------
    log_weights : array (K,)
    family : Family
    X : array (N, D)
        Of any type of number; a block at a time is converted to float64.
    weights : array (N,) or None
        How much each point counts.

    Returns
    -------
    log_likelihood : float
        Total, in nats.
    counts : array (K,)
        Expected number of points of each component.
    statistics
        The family's own.
    lost : float
        How far the rounding of the fused way may have moved the log-likelihood, in nats.

    Raises
    ------
    ValueError
        If X holds nan or infinite values, or a point too far out.
    """
    with np.errstate(over="ignore", invalid="ignore"):  # what is not finite is found, and said, below
        in_vain = X.shape[1] > MANY or (len(X) <= FEW and family.loses(X, LOST))
        natural = None if in_vain else family.natural(log_weights)
        if natural is None:
            return general(log_weights, family, X, weights)
        return fused(log_weights, family, natural, X, weights)


def rows(N: int, numbers: int, fewest: int = 1024) -> Iterator[slice]:
    """Slices of N rows, each small enough for a block in which a row takes this many numbers."""
    size = max(BLOCK // numbers, fewest)
    return (slice(start, min(start + size, N)) for start in range(0, N, size))


# The general way ------------------------------------------------------------------------------------


def responsibilities(log_weights: Array, family: Family, X: Array, first: int = 0) -> tuple[Array, Array]:
    """Bayes' rule for every point, in logs, so that a point far from all components keeps its shares.

    The number of the first row is for the error that says which one is too far out.

    Returns
    -------
    resp : array (N, K)
        Probability of each component, given the point. Rows sum to one.
    log_density : array (N,)
        Log-density of each point under the mixture, in nats.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        return _normalised(log_weights + family.log_density(X), first)


def _normalised(joint: Array, first: int = 0) -> tuple[Array, Array]:
    """Responsibilities and log-densities from the logs of pi_k p(x_n | k), (N, K)."""
    top = joint.max(axis=1, keepdims=True)
    if not np.isfinite(top).all():
        row = first + int(np.argmin(np.isfinite(top[:, 0])))
        raise ValueError(
            f"X[{row}] lies so far from every component that its density cannot be computed, not even in logs: "
            "look for a wrong value, or rescale the data"
        )
    resp = np.exp(joint - top)
    total = resp.sum(axis=1, keepdims=True)
    # Divided by their own sum, rows sum to one however far out the point lies.
    return resp / total, (top + np.log(total))[:, 0]


def general(
    log_weights: Array, family: Family, X: Array, weights: Array | None, skip: bool = True
) -> tuple[float, Array, Any, float]:
    """The E-step in the order of the textbook; unless told not to, it skips pairs below e^-75 of a point's share."""
    log_likelihood, counts, statistics, search = 0.0, np.zeros(len(family)), None, skip
    for some in rows(len(X), X.shape[1] + 2 * len(family), fewest=4096):
        block = np.asarray(X[some], dtype=float)
        joint = family.log_joint(log_weights, block) if search else log_weights + family.log_density(block)
        search = search and bool(np.isneginf(joint[0]).any())  # where components overlap, nothing is left out
        resp, log_density = _normalised(joint)
        if skip:
            resp[resp < NOTHING] = 0.0
        if weights is not None:
            resp *= weights[some, None]
            log_density *= weights[some]
        log_likelihood += float(log_density.sum())
        counts += resp.sum(axis=0)
        collected = family.collect(block, resp)
        statistics = collected if statistics is None else statistics + collected
    if skip and counts.min() < FAINT * counts.max():  # what is left of a component is all it has
        return general(log_weights, family, X, weights, skip=False)
    return log_likelihood, counts, statistics, 0.0


# The fused way --------------------------------------------------------------------------------------


def fused(
    log_weights: Array, family: Family, natural: Natural, X: Array, weights: Array | None
) -> tuple[float, Array, Any, float]:
    """The E-step as two products of matrices, Theta Phi and R Phi', on every block of rows."""
    theta, size, shift = natural.theta, np.abs(natural.theta), natural.shift[:, None]
    (K, P), D = theta.shape, X.shape[1]
    log_likelihood, lost, sums, scatter = 0.0, 0.0, np.zeros((K, P)), np.zeros((D, D))
    aside, n_aside = [], 0
    room = np.empty((P, 0))  # for phi = (products, x, 1), block after block
    for some in rows(len(X), P + D + 2 * K):
        B = min(some.stop, len(X)) - some.start
        if room.shape[1] < B:
            room = np.empty((P, B))
            room[-1] = 1.0
        phi = room[:, :B]
        x = np.subtract(X[some].T, shift, out=phi[-1 - D : -1])  # (D, B)
        largest, error = _at_most(natural, size, np.maximum.reduce(np.abs(x), axis=1))
        if not error <= LOST:
            aside.append(some)
            n_aside += B
            continue
        natural.products(x, phi[: -1 - D])
        resp, log_density = _softmax(theta @ phi, largest)  # (K, B), (B,)
        if weights is not None:
            resp *= weights[some]
            log_density *= weights[some]
        log_likelihood += float(np.add.reduce(log_density))
        lost += error * (B if weights is None else float(weights[some].sum()))
        sums += resp @ phi.T
        if natural.common is not None:
            scatter += (x if weights is None else x * weights[some]) @ x.T
    counts = sums[:, -1]
    # Clipped logits must not be all that a component has.
    if n_aside == len(X) or not np.minimum.reduce(counts) > 1e-280 * np.maximum.reduce(counts):
        return general(log_weights, family, X, weights)
    if natural.common is None:
        statistics = natural.gather(sums)
    else:
        log_likelihood -= 0.5 * float(np.vdot(natural.common, scatter))
        statistics = natural.gather(sums, scatter)
    if not natural.kept(statistics):
        return general(log_weights, family, X, weights)
    for some in aside:
        more = general(log_weights, family, X[some], None if weights is None else weights[some])
        log_likelihood, counts, statistics = log_likelihood + more[0], counts + more[1], statistics + more[2]
    return log_likelihood, counts, statistics, lost


def _softmax(logits: Array, largest: float) -> tuple[Array, Array]:
    """Responsibilities, in the place of the logits (K, B), and log-densities, (B,); no logit is above the largest."""
    top: Any = 0.0
    if largest > TAME:
        top = np.maximum.reduce(logits)  # of each point
        logits -= top
        np.maximum(logits, NEVER, out=logits)
    resp = np.exp(logits, out=logits)
    total = np.add.reduce(resp)
    resp /= total
    return resp, np.log(total) + top


def _at_most(natural: Natural, size: Array, reach: Array) -> tuple[float, float]:
    """For points that reach so far, (D,), from the shift: the largest |logit|, and what rounding may do to it, in nats.

    The second is that of the log-densities, common term and all.
    """
    D, phi = len(reach), np.ones((size.shape[1], 1))
    phi[-1 - D : -1, 0] = reach
    natural.products(phi[-1 - D : -1], phi[: -1 - D])
    largest = float(np.maximum.reduce(size @ phi)[0])
    terms = largest
    if natural.common is not None:
        terms += float(reach @ np.abs(natural.common) @ reach)
    return largest, 10 * EPS * terms
