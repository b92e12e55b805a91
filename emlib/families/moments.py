"""Counts, sums and products: the sufficient statistics of Gaussians."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Real
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from emlib import validate
from emlib.families.variances import STRUCTURES, structure_named
from emlib.value import Array, Value, once


@dataclass(frozen=True)
class Moments(Value):
    """Counts, sums and products of K weighted groups of points, about a centre of each group's own.

    They add exactly. Groups far from the origin, or far from each other, keep their digits because each
    is summed about a place near it; where two centres differ, `+` moves both to one in between,
    nearer to the one that counts for more. Every entry is linear in the data's weights, so differences and
    multiples mean what they should, too.

    Attributes
    ----------
    counts : array (K,)
        Sum of the weights r_nk of the points.
    centres : array (K, D)
        Where the sums and products are taken about.
    sums : array (K, D)
        Sum of r_nk (x_n - c_k).
    products : array
        Sum of r_nk (x_n - c_k)(x_n - c_k)', as far as the structure needs it: (K, D, D) for full; summed over
        the components, (1, D, D), for tied; only the diagonal, (K, D), for diag; its sum, (K, 1), for spherical.
    structure : {"full", "tied", "diag", "spherical"}

    Examples
    --------
    >>> import numpy as np
    >>> from emlib.families import Moments
    >>> X = 1e8 + np.array([[0.0], [1.0], [2.0], [3.0]])  # far from the origin
    >>> both = Moments.of(X[:1], np.ones((1, 1))) + Moments.of(X[1:], np.ones((3, 1)))
    >>> both.counts.tolist(), both.means.tolist(), both.covariances.tolist()
    ([4.0], [[100000001.5]], [[[1.25]]])
    """

    counts: Array
    centres: Array
    sums: Array
    products: Array
    structure: str = "full"

    @classmethod
    def of(cls, X: ArrayLike, resp: ArrayLike, structure: str = "full") -> Self:
        """Collect the moments of points X (N, D) with weights resp (N, K), each about its own mean.

        Examples
        --------
        >>> import numpy as np
        >>> from emlib.families import Moments
        >>> X, resp = np.array([[0.0], [2.0], [10.0]]), np.array([[1, 0], [0.5, 0.5], [0, 1]])
        >>> moments = Moments.of(X, resp)
        >>> moments.counts.tolist(), moments.means.round(2).tolist()
        ([1.5, 1.5], [[0.67], [7.33]])
        """
        points = validate.points(X)
        return cls.known(points, validate.table_of_shares("resp", resp, len(points)), structure)

    @classmethod
    @np.errstate(all="ignore")
    def known(cls, X: Array, resp: Array, structure: str) -> Self:
        """The same of arrays that are known to be in order."""
        form = structure_named(structure)
        counts = resp.sum(axis=0)  # (K,)
        centres = (resp.T @ X) / counts[:, None]  # (K, D)
        # A group too light for a mean of its own is summed about the mean of all points.
        centres = np.where(np.isfinite(centres), centres, X.mean(axis=0))
        sums, grams = np.empty_like(centres), []
        for k, centre in enumerate(centres):
            (mine,) = resp[:, k].nonzero()  # where components are far apart, few
            rows = slice(None) if len(mine) > 0.8 * len(X) else mine
            root = np.sqrt(resp[rows, k])  # (N,)
            # (N, D); by the roots, so that products have the shares.
            weighted = (X[rows] - centre) * root[:, None]
            sums[k] = root @ weighted
            grams.append(form.products_of_points(weighted))
        return cls(counts, centres, sums, form.summed(np.array(grams)), structure)

    def about(self, centres: Array) -> Self:
        """The same moments about other centres, (K, D).

        Examples
        --------
        >>> import numpy as np
        >>> from emlib.families import Moments
        >>> moments = Moments.of(np.array([[1.0], [3.0]]), np.ones((2, 1)))
        >>> moments.about(np.zeros((1, 1))).products.tolist()  # 1 + 9
        [[[10.0]]]
        """
        if np.shape(centres) != self.centres.shape:
            raise ValueError(
                f"centres has shape {np.shape(centres)}; it must be (K, D) = {self.centres.shape}: one for each group"
            )
        outer = STRUCTURES[self.structure].outer
        shift, ones = self.centres - centres, np.ones_like(self.counts)
        return type(self)(
            self.counts,
            centres,
            self.sums + self.counts[:, None] * shift,
            self.products
            + outer(ones, self.sums, shift)
            + outer(ones, shift, self.sums)
            + outer(self.counts, shift, shift),
            self.structure,
        )

    def __add__(self, other: Self) -> Self:
        if not isinstance(other, Moments):
            return NotImplemented
        if self.centres.shape != other.centres.shape or self.structure != other.structure:
            raise ValueError(
                f"these are {self.structure} moments of (K, D) = {self.centres.shape} and {other.structure} ones "
                f"of {other.centres.shape}: they add only if they come from models of one kind and size"
            )
        a, b, centres = self, other, self.centres
        if not np.array_equal(self.centres, other.centres):
            ours, theirs = np.abs(self.counts), np.abs(other.counts)
            share = np.divide(theirs, ours + theirs, out=np.zeros_like(ours), where=ours + theirs > 0)
            centres = self.centres + share[:, None] * (other.centres - self.centres)
            a, b = self.about(centres), other.about(centres)
        sums, products = a.sums + b.sums, a.products + b.products
        return type(self)(a.counts + b.counts, centres, sums, products, self.structure)

    def __radd__(self, other: Any) -> Self:
        # sum() starts from the number 0.
        return self if other == 0 else NotImplemented

    def __mul__(self, scale: float) -> Self:
        if not isinstance(scale, Real):
            return NotImplemented
        counts, sums, products = self.counts * scale, self.sums * scale, self.products * scale
        return type(self)(counts, self.centres, sums, products, self.structure)

    __rmul__ = __mul__

    @once
    def about_means(self) -> tuple[Array, Array, Array]:
        """Offsets from the centres to the weighted means, (K, D), these means, and the products about them."""
        offsets = self.sums / self.counts[:, None]
        scatter = self.products - STRUCTURES[self.structure].outer(self.counts, offsets, offsets)
        if scatter.ndim == 3 and scatter.shape[1] > 1:
            scatter = (scatter + scatter.swapaxes(1, 2)) / 2
        return offsets, self.centres + offsets, scatter

    @property
    def means(self) -> Array:
        """Weighted means, (K, D)."""
        return self.about_means[1]

    @property
    def scatter(self) -> Array:
        """The products about the means: sums of squared deviations, shaped as the products."""
        return self.about_means[2]

    @once
    def stored(self) -> Array:
        """The covariances about the means, as their structure stores them: the scatter divided by the counts."""
        _, D = self.centres.shape
        return STRUCTURES[self.structure].divided(self.about_means[2], self.counts, D)

    @property
    def covariances(self) -> Array:
        """Weighted covariances about the means: (K, D, D), (D, D), (K, D) or (K,), by structure."""
        return self.stored.reshape(STRUCTURES[self.structure].shape(*self.centres.shape))

    def total(self) -> Self:
        """The moments of all groups taken as one, K = 1.

        Examples
        --------
        >>> import numpy as np
        >>> from emlib.families import Moments
        >>> moments = Moments.of(np.array([[1.0], [3.0], [8.0]]), np.array([[1, 0], [1, 0], [0, 1]]))
        >>> moments.total().means.tolist()
        [[4.0]]
        """
        share = np.abs(self.counts) / np.abs(self.counts).sum()
        at = self.about(np.broadcast_to(share @ self.centres, self.centres.shape))
        counts, sums, products = (
            array.sum(axis=0, keepdims=True) for array in (at.counts, at.sums, at.products)
        )
        return type(self)(counts, at.centres[:1], sums, products, self.structure)
