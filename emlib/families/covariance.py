"""Covariances as values, in four structures named and stored as in scikit-learn.

- `Full`: a covariance for every component. The base of the four: the others override where they differ.
- `Tied`: one covariance for all components.
- `divergences`: how far Gaussians are apart.
- `Diag` and `Spherical`, which are made of variances, are in `emlib.families.variances`.

========== ============= ============= ====================================== ==================
name       as users see  as stored     each component has                     free numbers
========== ============= ============= ====================================== ==================
full       (K, D, D)     (K, D, D)     a covariance of its own                K D (D + 1) / 2
tied       (D, D)        (1, D, D)     the one covariance that all share      D (D + 1) / 2
diag       (K, D)        (K, D)        a variance for every feature           K D
spherical  (K,)          (K, 1)        one variance for all its features      K
========== ============= ============= ====================================== ==================

They are stored with a 1 where NumPy should repeat, so that tied is computed as full is, and spherical as diag; products
of the data are first made as those two need them, and then summed over the axis of which the structure has one.

Shapes below: means, centres and sums (K, D); counts (K,); points in columns (D, B).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar, Self

import numpy as np
from scipy.linalg import rq
from scipy.linalg.blas import dtrmm
from scipy.linalg.lapack import dpotrf, dtrtri

from emlib.em import EPS
from emlib.value import Array, Value, field_names, frozen, once


@dataclass(frozen=True)
class Full(Value):
    """A covariance for every component.

    Attributes
    ----------
    stored : array (K, D, D)
        The covariances, with a 1 in the shape where NumPy should repeat.
    whiteners : array, shaped as `stored`
        W with W S W' = 1: W times a centred point has independent coordinates of variance 1. Lower triangular, but
        for a covariance that a floor has clipped; there its rows are eigenvectors, scaled, so that its small
        eigenvalues keep their digits. nan where a covariance is not positive definite.
    log_dets : array (K,) or (1,)
        Logarithms of the determinants.
    unexplained : array (K,) or (1,)
        How far each covariance is from singular: the smallest share of any feature's variance that all the
        others leave unexplained, 1 for independent features.
    """

    stored: Array
    whiteners: Array
    log_dets: Array
    unexplained: Array

    name: ClassVar[str] = "full"
    axes: ClassVar[str] = "KDD"  # as stored

    def __post_init__(self) -> None:
        for array in (self.stored, self.whiteners, self.log_dets, self.unexplained):
            array.setflags(write=False)

    # Shapes, and how many numbers ---------------------------------------------------------------------

    @classmethod
    def stored_shape(cls, K: int, D: int) -> tuple[int, ...]:
        """The shape of the covariances of K components in D dimensions, as stored."""
        return tuple({"K": K, "D": D, "1": 1}[axis] for axis in cls.axes)

    @classmethod
    def shape(cls, K: Any, D: Any) -> tuple[Any, ...]:
        """Their shape as users see it, in numbers or in letters."""
        return tuple({"K": K, "D": D}[axis] for axis in cls.axes if axis != "1")

    @classmethod
    def n_parameters(cls, K: int, D: int) -> int:
        """How many free numbers K covariances have: all that are stored, but of a matrix one triangle."""
        several, *others = cls.stored_shape(K, D)
        return several * (others[0] if len(others) == 1 else D * (D + 1) // 2)

    # Estimating: products of the data, and how they are divided ---------------------------------------

    @staticmethod
    def outer(counts: Array, a: Array, b: Array) -> Array:
        """n_k a_k b_k', the products that points at one place contribute."""
        return (counts[:, None] * a)[:, :, None] * b[:, None, :]

    @staticmethod
    def products_of_points(weighted: Array) -> Array:
        """The products of one component: summed over points in rows, (N, D), times the roots of their weights."""
        return weighted.T @ weighted

    @staticmethod
    def products_of(covariance: Array) -> Array:
        """What `products_of_points` gives for one point's worth of a covariance (D, D)."""
        return covariance

    @classmethod
    def summed(cls, products: Array) -> Array:
        """The products of all components in the shape stored, from those of each."""
        axis = cls.axes.find("1")
        return products if axis < 0 else products.sum(axis=axis, keepdims=True)

    @staticmethod
    def divided(products: Array, counts: Array, D: int) -> Array:
        """Covariances as stored: products, divided by how many points they are sums over."""
        return (products.T / counts).T

    @staticmethod
    def plus(stored: Array, variance: float) -> Array:
        """Covariances as stored, with a variance added to every feature."""
        return stored + variance * _identity(stored.shape[-1])

    # From estimates to values ---------------------------------------------------------------------------

    @classmethod
    def of(cls, stored: Array, D: int, floor: Array | None = None) -> Self:
        """Covariances in D dimensions that know how to whiten; clipped at a floor, (D,), if there is one.

        Where a covariance, in units of the floor, has an eigenvalue below 1, that is raised to 1. This is the
        maximum of the likelihood among all covariances that are nowhere below the floor.
        """
        if D == 1:  # variances
            variances, whiteners, log_dets = from_variances(stored[:, :, 0], floor)
            return cls(variances[:, :, None], whiteners[:, :, None], log_dets[:, 0], 1 + 0 * log_dets[:, 0])
        whiteners = _whiteners(stored)
        log_dets = -2 * np.add.reduce(np.log(whiteners.diagonal(axis1=1, axis2=2)), axis=1)
        precisions = np.add.reduce(whiteners * whiteners, axis=1)  # their diagonals, (K, D)
        # The least eigenvalue is at least 1 / trace of the inverse: mostly that rules a clip out.
        if floor is not None and not (precisions @ floor <= 1).all():
            stored = stored.copy()
            for k in np.flatnonzero(~(precisions @ floor <= 1)):
                clipped = _clipped(stored[k], floor, rootless=np.isnan(log_dets[k]))
                if clipped is not None:
                    stored[k], whiteners[k], log_dets[k] = clipped
            precisions = np.add.reduce(whiteners * whiteners, axis=1)
        unexplained = 1 / np.maximum.reduce(precisions * stored.diagonal(axis1=1, axis2=2), axis=1)
        return cls(stored, whiteners, log_dets, unexplained)

    @once
    def _triangular(self) -> np.ndarray:
        """Which whiteners are triangles, (K,): those of clipped covariances are not."""
        return np.logical_not(np.triu(self.whiteners, 1).any(axis=(1, 2)))

    def not_definite(self) -> np.ndarray:
        """The numbers of those that are not positive definite, as far as float64 can tell."""
        return np.flatnonzero(~(self.unexplained > 16 * EPS * self.stored.shape[-1]))

    def check_definite(self, name: str) -> None:
        """Raise an error unless all are positive definite; {k} in the name is the number."""
        for k in self.not_definite():
            raise ValueError(
                f"{name.format(k=k)} is not positive definite as far as float64 can tell: its smallest eigenvalue is "
                f"{np.linalg.eigvalsh(self.stored[k])[0]:.3g}; it must be clearly above 0. A small variance added to "
                "the diagonal makes it so"
            )

    # Using covariances ------------------------------------------------------------------------------------

    @staticmethod
    def matrices(stored: Array, K: int, D: int) -> Array:
        """Covariances, or their inverses, written out, (K, D, D)."""
        return np.broadcast_to(stored, (K, D, D))

    def variances(self) -> Array:
        """The variance of every feature, (K, D), or with a 1 where NumPy should repeat."""
        return self.stored.diagonal(axis1=1, axis2=2)

    def __getitem__(self, which: np.ndarray) -> Self:
        """The covariances of some of the components, in this order."""
        return type(self)(*(getattr(self, name)[which] for name in field_names(type(self))))

    @classmethod
    def joined(cls, several: list[Self]) -> Self:
        """The covariances of several families, one after the other."""
        names = field_names(cls)
        return cls(*(np.concatenate([getattr(one, name) for one in several]) for name in names))

    @staticmethod
    def of_features(stored: Array, which: np.ndarray) -> Array:
        """Those of some of the features, as stored."""
        return stored[:, which[:, None], which]

    def precisions(self) -> Array:
        """Their inverses, as stored."""
        return self.whiteners.transpose(0, 2, 1) @ self.whiteners

    def factors_of_precisions(self) -> Array:
        """U with U U' = precision, as scikit-learn has them: upper triangular, or one over deviations; as stored."""
        upper = np.array([rq(whitener.T)[0] for whitener in self.whiteners])
        return upper * np.sign(upper.diagonal(axis1=1, axis2=2))[:, None, :]

    def whiten(self, k: int, centred: Array) -> Array:
        """The whitener of component k, times points in columns, (D, B); their place may be taken."""
        k = k % len(self.whiteners)  # all components have the first, if they share one
        if not self._triangular[k]:
            return self.whiteners[k] @ centred
        # Seen from Fortran a lower triangle is stored as its transpose.
        product: Any = dtrmm(1.0, self.whiteners[k].T, centred, lower=0, trans_a=1, overwrite_b=1)
        return product

    def colour(self, labels: np.ndarray, noise: Array) -> Array:
        """Standard normal noise, one row for each label, turned into draws from these covariances."""
        return np.einsum("nij,nj->ni", np.linalg.inv(self.whiteners)[labels], noise)

    # The log-density as theta . phi(x), with phi(x) = (products, x, 1) ------------------------------------

    @classmethod
    def n_products(cls, D: int) -> int:
        """How many products of its features phi(x) begins with: one for each free number of a component's own."""
        return cls.n_parameters(2, D) - cls.n_parameters(1, D)

    @staticmethod
    def products(X: Array, out: Array) -> None:
        """Fill `out` with these products for points in columns."""
        start = 0
        for i, row in enumerate(X):  # x_i x_j for j = i, ..., D - 1
            stop = start + len(X) - i
            np.multiply(row, X[i:], out=out[start:stop])
            start = stop

    def linear(self, means: Array) -> tuple[Array, Array]:
        """What the log-density multiplies the products with, (K, n_products), and x itself, (K, D)."""
        precisions = self.whiteners.transpose(0, 2, 1) @ self.whiteners
        upper, _, half = _upper_triangle(means.shape[1])
        quadratic = half * precisions.reshape(len(means), -1).take(upper, axis=1)
        return quadratic, (precisions @ means[:, :, None])[:, :, 0]

    @staticmethod
    def unpacked(sums: Array, D: int) -> Array:
        """The products of all components, from their sums over phi(x), (K, n_products)."""
        _, position, _ = _upper_triangle(D)
        return sums.take(position, axis=1).reshape(-1, D, D)


class Tied(Full):
    """One covariance for all components.

    -x'Px/2 is then the same for all of them and has no say in whose a point is: phi(x) is (x, 1) alone.
    """

    name = "tied"
    axes = "1DD"

    @staticmethod
    def outer(counts: Array, a: Array, b: Array) -> Array:
        return ((counts[:, None] * a).T @ b)[None]

    @staticmethod
    def divided(products: Array, counts: Array, D: int) -> Array:
        return products / counts.sum()

    def __getitem__(self, which: np.ndarray) -> Self:
        return self

    def colour(self, labels: np.ndarray, noise: Array) -> Array:
        return noise @ np.linalg.inv(self.whiteners[0]).T

    @staticmethod
    def products(X: Array, out: Array) -> None:
        pass

    def linear(self, means: Array) -> tuple[Array, Array]:
        return np.empty((len(means), 0)), means @ self.precisions()[0]


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


def from_variances(variances: Array, floor: Any = None) -> tuple[Array, Array, Array]:
    """Variances, clipped at a floor; one over their roots; and their logarithms; nan where they are not positive."""
    variances = np.array(variances) if floor is None else np.maximum(variances, floor)
    deviations = np.sqrt(np.where(variances > 0, variances, np.nan))
    return variances, 1 / deviations, 2 * np.log(deviations)


def _clipped(covariance: Array, floor: Array, rootless: bool) -> tuple[Array, Array, float] | None:
    """A covariance raised to the floor, its whitener and log-determinant; None if it is above it and has a root."""
    unit = np.sqrt(floor)
    eigenvalues, vectors = np.linalg.eigh(covariance / np.outer(unit, unit))
    if eigenvalues[0] >= 1 and not rootless:
        return None
    # The smallest eigenvalues last: of a whitened point these rows say most.
    eigenvalues, vectors = np.maximum(eigenvalues[::-1], 1), vectors[:, ::-1]
    raised = (vectors * eigenvalues) @ vectors.T * np.outer(unit, unit)
    whitener = (vectors / np.sqrt(eigenvalues)).T / unit
    return (raised + raised.T) / 2, whitener, float(np.log(eigenvalues).sum() + np.log(floor).sum())


def _whiteners(stored: Array) -> Array:
    """The inverses of their lower Cholesky factors, (K, D, D); nan for a covariance that has no factor."""
    whiteners = stored.copy()
    for one in whiteners:  # in its place: LAPACK reads the transpose, which needs no copy
        root, failed = dpotrf(one.T, overwrite_a=1)
        one[:] = np.nan if failed else dtrtri(root, overwrite_c=1)[0].T
    return whiteners


@cache
def _identity(D: int) -> Array:
    """The matrix (D, D) that a small fit would else make anew at every step."""
    return frozen(np.eye(D))


@cache
def _upper_triangle(D: int) -> tuple[np.ndarray, np.ndarray, Array]:
    """How to pack symmetric matrices (D, D), flattened, into their upper triangles, row by row, and back.

    Returns
    -------
    upper : array (D (D + 1) / 2,)
        Where in the matrix the triangle's numbers are.
    position : array (D * D,)
        Where in the triangle the matrix's numbers are.
    half : array (D (D + 1) / 2,)
        -1/2 on the diagonal, and -1 off it: there x_i x_j stands for x_j x_i too.
    """
    i, j = np.triu_indices(D)
    position = np.empty((D, D), dtype=int)
    position[i, j] = position[j, i] = np.arange(len(i))
    return i * D + j, position.ravel(), np.where(i == j, -0.5, -1.0)
