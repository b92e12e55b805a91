"""Four structures of covariance, named and stored as in scikit-learn: full, tied, diag and spherical.

A structure says which products of the data estimate K covariances, how they are stored, and how they whiten
points. Everything that differs between the four is here, side by side.

========== ============= ============= ====================================== ==================
name       covariances   spread        each component has                     free numbers
========== ============= ============= ====================================== ==================
full       (K, D, D)     (K, D, D)     a covariance of its own                K D (D + 1) / 2
tied       (D, D)        (1, D, D)     the one covariance that all share      D (D + 1) / 2
diag       (K, D)        (K, D)        a variance for every feature           K D
spherical  (K,)          (K, 1)        one variance for all its features      K
========== ============= ============= ====================================== ==================

The *spread* is how the covariances are stored inside: with a 1 where NumPy should repeat, so that tied is
computed as full is, and spherical as diag.

Shapes below: means, centres and sums (K, D); counts (K,); points in columns (D, B).
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from scipy.linalg.blas import dtrmm
from scipy.linalg.lapack import dtrtri

from emlib.validate import Array, one_of


class Full:
    """A covariance for every component. The base of the four: the others override where they differ."""

    name = "full"
    shape_in_words = "(K, D, D)"

    def shape(self, K: int, D: int) -> tuple[int, ...]:
        """The shape of the covariances of K components in D dimensions, as users see it."""
        return K, D, D

    def spread_shape(self, K: int, D: int) -> tuple[int, ...]:
        """The shape of their spread."""
        return K, D, D

    def n_parameters(self, K: int, D: int) -> int:
        """How many free numbers K covariances have."""
        return K * D * (D + 1) // 2

    # Estimating a spread: products of the data, and how they are divided ------------------------------

    def outer(self, counts: Array, a: Array, b: Array) -> Array:
        """n_k a_k b_k', the products that points at one place contribute."""
        return (counts[:, None] * a)[:, :, None] * b[:, None, :]

    def gram(self, halved: Array) -> Array:
        """The products of one component: summed over points in rows, (N, D), times the roots of their weights."""
        return halved.T @ halved

    def pool(self, grams: Array) -> Array:
        """The products of all components, from those of each."""
        return grams

    def divide(self, products: Array, counts: Array, D: int) -> Array:
        """The spread: products, divided by how many points they are sums over."""
        return products / counts[:, None, None]

    def products_of(self, covariance: Array) -> Array:
        """What `gram` gives for one point's worth of a covariance (D, D)."""
        return covariance

    def add(self, spread: Array, floor: float) -> Array:
        """The spread, with a variance added to every feature."""
        return spread + floor * np.eye(spread.shape[-1])

    # Using a spread -------------------------------------------------------------------------------------

    def matrices(self, spread: Array, K: int, D: int) -> Array:
        """The covariances written out, (K, D, D)."""
        return np.broadcast_to(spread, (K, D, D))

    def variances(self, spread: Array) -> Array:
        """The variance of every feature, (K, D), or with a 1 where NumPy should repeat."""
        return spread.diagonal(axis1=1, axis2=2)

    def components(self, spread: Array, which: slice | np.ndarray) -> Array:
        """The spread of some of the components."""
        return spread[which]

    def features(self, spread: Array, which: np.ndarray) -> Array:
        """The spread of some of the features."""
        return spread[:, which[:, None], which]

    def factor(self, spread: Array) -> tuple[Array, Array, Array]:
        """Roots of the covariances (lower Cholesky factors, or standard deviations), and what they tell.

        Returns
        -------
        roots, inverses : array
            Shaped as the spread; nan where a covariance is not positive definite.
        distances : array
            How far each covariance is from singular: the smallest share of any feature's variance that all the
            others leave unexplained, 1 for independent features.
        """
        roots: Any
        if spread.shape[1] == 1:  # on a line a root is a standard deviation
            roots, inverses, distances = STRUCTURES["diag"].factor(spread[:, :, 0])
            return roots[:, :, None], inverses[:, :, None], distances
        try:
            roots = np.linalg.cholesky(spread)
        except np.linalg.LinAlgError:  # some have none: find those that have
            roots = np.array([_root(covariance) for covariance in spread])
        inverses = np.array([dtrtri(root, lower=1)[0] for root in roots])
        precisions = (inverses**2).sum(axis=1)  # their diagonals
        return roots, inverses, 1 / (precisions * self.variances(spread)).max(axis=1)

    def log_det(self, roots: Array, D: int) -> Array:
        """Log-determinants of the covariances."""
        return 2 * np.log(roots.diagonal(axis1=1, axis2=2)).sum(axis=1)

    def whiten(self, inverse: Array, k: int, centred: Array) -> Array:
        """The inverse root of component k, times points in columns, (D, B); their place may be taken."""
        return _triangle_times(inverse[k], centred)

    def colour(self, roots: Array, labels: np.ndarray, noise: Array) -> Array:
        """Standard normal noise, one row for each label, times the root of its component."""
        return np.einsum("nij,nj->ni", roots[labels], noise)

    # The log-density as theta . phi(x), with phi(x) = (products, x, 1) ------------------------------------

    def n_products(self, D: int) -> int:
        """How many products of its features phi(x) begins with."""
        return D * (D + 1) // 2

    def products(self, X: Array, out: Array) -> None:
        """Fill `out` with these products for points in columns."""
        start = 0
        for i, row in enumerate(X):  # x_i x_j for j = i, ..., D - 1
            stop = start + len(X) - i
            np.multiply(row, X[i:], out=out[start:stop])
            start = stop

    def natural(self, inverse: Array, means: Array) -> tuple[Array, Array]:
        """What the log-density multiplies the products with, (K, n_products), and x itself, (K, D)."""
        precisions = inverse.transpose(0, 2, 1) @ inverse  # (K, D, D)
        upper, _, half = _upper_triangle(means.shape[1])
        quadratic = half * precisions.reshape(len(means), -1).take(upper, axis=1)
        return quadratic, (precisions @ means[:, :, None])[:, :, 0]

    def unpack(self, sums: Array, D: int) -> Array:
        """The products of all components, from their sums over phi(x), (K, n_products)."""
        _, position, _ = _upper_triangle(D)
        return sums.take(position, axis=1).reshape(-1, D, D)


class Tied(Full):
    """One covariance for all components.

    -x'Px/2 is then the same for all of them and has no say in whose a point is: phi(x) is (x, 1) alone.
    """

    name = "tied"
    shape_in_words = "(D, D)"

    def shape(self, K: int, D: int) -> tuple[int, ...]:
        return D, D

    def spread_shape(self, K: int, D: int) -> tuple[int, ...]:
        return 1, D, D

    def n_parameters(self, K: int, D: int) -> int:
        return D * (D + 1) // 2

    def outer(self, counts: Array, a: Array, b: Array) -> Array:
        return ((counts[:, None] * a).T @ b)[None]

    def pool(self, grams: Array) -> Array:
        return grams.sum(axis=0, keepdims=True)

    def divide(self, products: Array, counts: Array, D: int) -> Array:
        return products / counts.sum()

    def components(self, spread: Array, which: slice | np.ndarray) -> Array:
        return spread

    def whiten(self, inverse: Array, k: int, centred: Array) -> Array:
        return _triangle_times(inverse[0], centred)

    def colour(self, roots: Array, labels: np.ndarray, noise: Array) -> Array:
        return noise @ roots[0].T

    def n_products(self, D: int) -> int:
        return 0

    def products(self, X: Array, out: Array) -> None:
        pass

    def natural(self, inverse: Array, means: Array) -> tuple[Array, Array]:
        return np.empty((len(means), 0)), means @ (inverse[0].T @ inverse[0])


class Diag(Full):
    """A variance for every component and feature, and no correlation."""

    name = "diag"
    shape_in_words = "(K, D)"

    def shape(self, K: int, D: int) -> tuple[int, ...]:
        return K, D

    def spread_shape(self, K: int, D: int) -> tuple[int, ...]:
        return K, D

    def n_parameters(self, K: int, D: int) -> int:
        return K * D

    def outer(self, counts: Array, a: Array, b: Array) -> Array:
        return counts[:, None] * a * b

    def gram(self, halved: Array) -> Array:
        return np.einsum("nd,nd->d", halved, halved)

    def divide(self, products: Array, counts: Array, D: int) -> Array:
        return products / counts[:, None]

    def products_of(self, covariance: Array) -> Array:
        return np.diag(covariance)

    def add(self, spread: Array, floor: float) -> Array:
        return spread + floor

    def matrices(self, spread: Array, K: int, D: int) -> Array:
        return spread[:, :, None] * np.eye(D)

    def variances(self, spread: Array) -> Array:
        return spread

    def features(self, spread: Array, which: np.ndarray) -> Array:
        return spread[:, which]

    def factor(self, spread: Array) -> tuple[Array, Array, Array]:
        roots = np.sqrt(np.where(spread > 0, spread, np.nan))
        return roots, 1 / roots, 1 + 0 * roots.sum(axis=1)

    def log_det(self, roots: Array, D: int) -> Array:
        return 2 * np.log(roots).sum(axis=1)

    def whiten(self, inverse: Array, k: int, centred: Array) -> Array:
        return inverse[k][:, None] * centred

    def colour(self, roots: Array, labels: np.ndarray, noise: Array) -> Array:
        return roots[labels] * noise

    def n_products(self, D: int) -> int:
        return D

    def products(self, X: Array, out: Array) -> None:
        np.multiply(X, X, out=out)

    def natural(self, inverse: Array, means: Array) -> tuple[Array, Array]:
        precisions = inverse**2
        return -precisions / 2, precisions * means

    def unpack(self, sums: Array, D: int) -> Array:
        return sums


class Spherical(Diag):
    """One variance for every component, the same for all features."""

    name = "spherical"
    shape_in_words = "(K,)"

    def shape(self, K: int, D: int) -> tuple[int, ...]:
        return (K,)

    def spread_shape(self, K: int, D: int) -> tuple[int, ...]:
        return K, 1

    def n_parameters(self, K: int, D: int) -> int:
        return K

    def outer(self, counts: Array, a: Array, b: Array) -> Array:
        return (counts[:, None] * a * b).sum(axis=1, keepdims=True)

    def gram(self, halved: Array) -> Array:
        return np.array([np.einsum("nd,nd->", halved, halved)])

    def divide(self, products: Array, counts: Array, D: int) -> Array:
        return products / (counts[:, None] * D)

    def products_of(self, covariance: Array) -> Array:
        return np.array([np.trace(covariance)])

    def features(self, spread: Array, which: np.ndarray) -> Array:
        return spread

    def log_det(self, roots: Array, D: int) -> Array:
        return 2 * D * np.log(roots[:, 0])

    def n_products(self, D: int) -> int:
        return 1

    def products(self, X: Array, out: Array) -> None:
        np.multiply(X, X).sum(axis=0, out=out[0])


STRUCTURES: dict[str, Full] = {s.name: s for s in (Full(), Tied(), Diag(), Spherical())}


def structure_named(name: str) -> Full:
    """The structure of this name."""
    return STRUCTURES[one_of("structure", name, tuple(STRUCTURES))]


def _triangle_times(lower: Array, points: Array) -> Array:
    """A lower triangle (D, D) times points in columns, in their place if BLAS can work there."""
    # Seen from Fortran the triangle is stored as its transpose.
    product: Any = dtrmm(1.0, lower.T, points, lower=0, trans_a=1, overwrite_b=1)
    return product


def _root(covariance: Array) -> Any:
    try:
        return np.linalg.cholesky(covariance)
    except np.linalg.LinAlgError:
        return np.full_like(covariance, np.nan)


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
