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

from collections.abc import Callable
from typing import Any

import numpy as np

from emlib.em import EPS
from emlib.families.family import LARGEST_ERROR, Family, Linear
from emlib.text import kind_of
from emlib.value import Array

Shared = tuple[Array, Array]  # responsibilities (N, K), and log-densities (N,)

BLOCK = 2**17  # numbers that one block of rows works on: 1 MiB, about what a processor keeps at hand
FEW_ROWS = 4096  # up to which what every E-step needs of the points is computed once, and kept
NEGLIGIBLE = np.exp(-75.0)  # a share of a point that may be left out,
TINY = 1e-15  # but not for a component that has no more than this share of all points
SAFE_LOGIT = 690.0  # logits no larger than this need no care: their exp is finite, and no denormal number
LEAST_LOGIT = -700.0  # its exp is as good as 0, but no denormal number yet: those are slow


class Points:
    """A block of points, (N, D), and what every E-step needs of them, computed once if they are few.

    Attributes
    ----------
    X : array (N, D)
        Of any type of number; some rows at a time are converted to float64.
    shift : array (D,) or None
        Where the fused way has its origin, if they are few: their mean.
    """

    def __init__(self, X: np.ndarray) -> None:
        self.X = X
        self.shift: Array | None = X.mean(axis=0, dtype=float) if len(X) <= FEW_ROWS else None
        self._products: Any = None
        self._phi = self._farthest = np.empty((0, 0))

    def phi(self, form: Linear) -> tuple[Array, Array]:
        """Phi and the farthest phi of all these points; see `filled`."""
        if self._products is not form.products:
            room = np.empty((form.theta.shape[1], len(self.X)))
            self._phi, self._farthest = filled(form, self.X, room)
            self._products = form.products
        return self._phi, self._farthest


@np.errstate(all="ignore")  # `normalised` raises an error in words for points without a density
def expect(
    shares: Array, family: Family, points: Points, weights: Array | None
) -> tuple[float, Array, Any, float]:
    """The E-step of a mixture, by the faster way wherever that is as accurate.

    Parameters
    ----------
    shares : array (K,)
        The weights of the components.
    family : Family
    points : Points
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
        If a point lies too far out.
    """
    log_weights = np.log(shares)  # -inf for a component of weight zero
    form = family.linear(log_weights, points.X, points.shift)
    if form is None:
        return general(log_weights, family, points.X, weights)
    return fused(log_weights, family, form, points, weights)


def block_size(numbers: int, fewest: int = 1024) -> int:
    """How many rows a block has if each takes this many numbers."""
    return max(BLOCK // numbers, fewest)


# The general way ------------------------------------------------------------------------------------


def normalised(joint: Array, first: int = 0) -> tuple[Array, Array]:
    """Bayes' rule for every point, in logs, so that a point far from all components keeps its shares.

    Parameters
    ----------
    joint : array (N, K)
        The logs of pi_k p(x_n | k).
    first : int
        The number of the first row, for the error that says which one is too far out.

    Returns
    -------
    resp : array (N, K)
        Probability of each component, given the point. Rows sum to one.
    log_density : array (N,)
        Log-density of each point under the mixture, in nats.
    """
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


def by_bayes(
    log_weights: Array, family: Family, kept: Callable[[Shared], Array], X: np.ndarray, weights: Any = None
) -> Array:
    """What is kept of the responsibilities and log-densities of all rows, looked at some at a time."""
    size, parts = block_size(X.shape[1] + 2 * len(log_weights)), []
    for first in range(0, len(X), size):
        some = np.asarray(X[first : first + size], dtype=float)
        with np.errstate(all="ignore"):
            parts.append(kept(normalised(log_weights + family.log_density(some), first)))
    return np.concatenate(parts)


def most_probable(found: Shared) -> np.ndarray:
    """The most probable component of each of some rows."""
    return found[0].argmax(axis=1)


def general(
    log_weights: Array, family: Family, X: Array, weights: Array | None, start: int = 0, skip: bool = True
) -> tuple[float, Array, Any, float]:
    """The E-step in the order of the textbook; unless told not to, it skips pairs below e^-75 of a point's share.

    `start` is the number of the first row, for an error that names one.
    """
    log_likelihood, counts, statistics, search = 0.0, np.zeros(len(log_weights)), None, skip
    size = block_size(X.shape[1] + 2 * len(log_weights), fewest=4096)
    for first in range(0, len(X), size):
        some = slice(first, first + size)
        block = np.asarray(X[some], dtype=float)
        # Log-densities and Bayes' rule.
        joint = family.log_joint(log_weights, block) if search else log_weights + family.log_density(block)
        search = search and bool(np.isneginf(joint[0]).any())  # where components overlap, nothing is left out
        resp, log_density = normalised(joint, start + first)
        if skip:
            resp[resp < NEGLIGIBLE] = 0.0
        if weights is not None:
            resp *= weights[some, None]
            log_density *= weights[some]
        # Sums weighted by the responsibilities.
        log_likelihood += float(log_density.sum())
        counts += resp.sum(axis=0)
        collected = family.collect(block, resp)
        if isinstance(collected, (tuple, list, dict)):
            raise ValueError(
                f"{type(family).__name__}.collect returns {kind_of(collected)}, and statistics must add: "
                "return an array, or an object of a class that knows + and * a number"
            )
        statistics = collected if statistics is None else statistics + collected
    if skip and counts.min() < TINY * counts.max():  # what is left of a component is all it has
        return general(log_weights, family, X, weights, start, skip=False)
    return log_likelihood, counts, statistics, 0.0


# The fused way --------------------------------------------------------------------------------------


def fused(
    log_weights: Array, family: Family, form: Linear, points: Points, weights: Array | None
) -> tuple[float, Array, Any, float]:
    """The E-step as two products of matrices, Theta Phi and R Phi', on every block of rows."""
    X, (K, P), (N, D) = points.X, form.theta.shape, points.X.shape
    size, common = np.abs(form.theta), form.common
    log_likelihood, lost, sums, scatter = 0.0, 0.0, np.zeros((K, P)), np.zeros(())
    others: list[slice] = []  # blocks that could lose digits
    rows = N if points.shift is not None else block_size(P + D + 2 * K)
    room = np.empty((0, 0)) if points.shift is not None else np.empty((P, min(rows, N)))
    for first in range(0, N, rows):
        some = slice(first, min(first + rows, N))
        phi, farthest = points.phi(form) if points.shift is not None else filled(form, X[some], room)
        largest, error = _at_most(form, size, farthest)
        if not error <= LARGEST_ERROR:
            others.append(some)
            continue
        # Theta Phi, softmax, R Phi'.
        resp, log_density = _softmax(form.theta @ phi, largest)  # (K, B), (B,)
        n_points: float = some.stop - first
        if weights is not None:
            resp *= weights[some]
            log_density *= weights[some]
            n_points = float(weights[some].sum())
        log_likelihood += float(np.add.reduce(log_density))
        lost += error * n_points
        sums += resp @ phi.T
        if common is not None:
            x = phi[-1 - D : -1]
            scatter = scatter + (x if weights is None else x * weights[some]) @ x.T
    # Clipped logits must not be all that a component has.
    counts, statistics = sums[:, -1], None
    if np.minimum.reduce(counts) > 1e-280 * np.maximum.reduce(counts):
        statistics = form.gather(sums) if common is None else form.gather(sums, scatter)
    if statistics is None:
        return general(log_weights, family, X, weights)
    if common is not None:
        log_likelihood -= 0.5 * float(np.vdot(common, scatter))
    for some in others:
        part = None if weights is None else weights[some]
        more = general(log_weights, family, X[some], part, start=some.start)
        log_likelihood, counts, statistics = log_likelihood + more[0], counts + more[1], statistics + more[2]
    return log_likelihood, counts, statistics, lost


def filled(form: Linear, X: np.ndarray, room: Array) -> tuple[Array, Array]:
    """Phi = (products, x, 1) of some rows, (P, B), in a place with room for it; and one farther out than all, (P, 1).

    At the farthest values of all features every term of phi is as large as it can be.
    """
    D = X.shape[1]
    phi, farthest = room[:, : len(X)], np.empty((len(room), 1))
    x = np.subtract(X.T, form.shift[:, None], out=phi[-1 - D : -1])  # (D, B)
    np.maximum.reduce(np.abs(x), axis=1, out=farthest[-1 - D : -1, 0])
    for one in (phi, farthest):
        form.products(one[-1 - D : -1], one[: -1 - D])
        one[-1] = 1.0
    return phi, farthest


def _at_most(form: Linear, size: Array, farthest: Array) -> tuple[float, float]:
    """The largest |logit| that there may be, and how far rounding may move a log-density, in nats."""
    largest = float(np.maximum.reduce(size @ farthest)[0])
    if form.common is None:
        return largest, 10 * EPS * largest
    reach = farthest[-1 - len(form.shift) : -1, 0]
    return largest, 10 * EPS * (largest + float(reach @ np.abs(form.common) @ reach))


def _softmax(logits: Array, largest: float) -> tuple[Array, Array]:
    """Responsibilities, in the place of the logits (K, B), and log-densities, (B,); no logit is above the largest."""
    top: Any = 0.0
    if largest > SAFE_LOGIT:
        top = np.maximum.reduce(logits)  # of each point
        logits -= top
        np.maximum(logits, LEAST_LOGIT, out=logits)
    resp = np.exp(logits, out=logits)
    total = np.add.reduce(resp)
    resp /= total
    return resp, np.log(total) + top
