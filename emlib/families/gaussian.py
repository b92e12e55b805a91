"""Multivariate Gaussians with full covariances, and the moments they are estimated from."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from operator import index
from typing import Self

import numpy as np
from numpy.typing import ArrayLike
from scipy.linalg import solve_triangular

from emlib import validate
from emlib.em import EPS, Collapse
from emlib.families.family import Family
from emlib.validate import Array, Value
from emlib.words import brief, counted

LOG_2PI = float(np.log(2 * np.pi))


@dataclass(frozen=True, eq=False)
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
    products : array (K, D, D)
        Sum of r_nk (x_n - c_k)(x_n - c_k)'.
    """

    counts: Array
    centres: Array
    sums: Array
    products: Array

    @classmethod
    def of(cls, X: Array, resp: Array) -> Self:
        """Collect the moments of points X (N, D) with weights resp (N, K), each about its own mean."""
        counts = resp.sum(axis=0)  # (K,)
        with np.errstate(invalid="ignore", divide="ignore"):
            centres = (resp.T @ X) / counts[:, None]  # (K, D)
        # A group too light for a mean of its own is summed about the mean of all points.
        centres = np.where(np.isfinite(centres), centres, X.mean(axis=0))
        sums = np.empty_like(centres)
        products = np.empty((*centres.shape, X.shape[1]))
        for k, centre in enumerate(centres):
            centred = X - centre  # (N, D)
            weighted = resp[:, k, None] * centred
            sums[k] = weighted.sum(axis=0)
            products[k] = weighted.T @ centred
        return cls(counts, centres, sums, products)

    def about(self, centres: Array) -> Self:
        """The same moments about other centres, (K, D)."""
        shift = self.centres - centres
        cross = self.sums[:, :, None] * shift[:, None, :]  # (K, D, D)
        square = shift[:, :, None] * shift[:, None, :]
        return type(self)(
            self.counts,
            centres,
            self.sums + self.counts[:, None] * shift,
            self.products + cross + cross.transpose(0, 2, 1) + self.counts[:, None, None] * square,
        )

    def __add__(self, other: Self) -> Self:
        if self.centres.shape != other.centres.shape:
            raise ValueError(
                f"these are moments of (K, D) = {self.centres.shape} and {other.centres.shape}: "
                "they add only if they come from models of one size"
            )
        ours, theirs = np.abs(self.counts), np.abs(other.counts)
        share = np.divide(theirs, ours + theirs, out=np.zeros_like(ours), where=ours + theirs > 0)
        centres = self.centres + share[:, None] * (other.centres - self.centres)
        a, b = self.about(centres), other.about(centres)
        return type(self)(a.counts + b.counts, centres, a.sums + b.sums, a.products + b.products)

    def __mul__(self, scale: float) -> Self:
        return type(self)(self.counts * scale, self.centres, self.sums * scale, self.products * scale)

    @cached_property
    def means(self) -> Array:
        """Weighted means, (K, D)."""
        return self.centres + self.sums / self.counts[:, None]

    @cached_property
    def covariances(self) -> Array:
        """Weighted covariances about the means, (K, D, D): the sums of squares divided by the counts."""
        offset = self.sums / self.counts[:, None]
        covariances = self.products / self.counts[:, None, None] - offset[:, :, None] * offset[:, None, :]
        return (covariances + covariances.transpose(0, 2, 1)) / 2


@dataclass(frozen=True, eq=False, repr=False, init=False)
class Gaussian(Family):
    """K multivariate Gaussians, each with a full covariance of its own.

    Parameters
    ----------
    means : array_like (K, D)
    covariances : array_like (K, D, D)
        Symmetric and positive definite; variances, never standard deviations.
    floor : float
        A variance that `maximize` adds to every feature of every component, against collapse. A floored
        M-step is no exact maximum, so with a floor the log-likelihood may fall a little.

    Raises
    ------
    ValueError
        For shapes that do not fit together, and for covariances that are not symmetric and positive
        definite.

    Examples
    --------
    >>> from emlib import Gaussian
    >>> Gaussian.univariate(means=[-5, 8], variances=[25, 9])
    2 Gaussians in 1 dimension
      mean -5, variance 25
      mean 8, variance 9
    """

    means: Array
    covariances: Array
    floor: float
    _cholesky: Array = field(init=False)

    def __init__(self, means: ArrayLike, covariances: ArrayLike, floor: float = 0.0) -> None:
        means = validate.finite("means", means)
        if means.ndim != 2 or 0 in means.shape:
            raise ValueError(
                f"means has shape {means.shape}; it must be (K, D): one row for each of K components. "
                "In one dimension, Gaussian.univariate(means, variances) takes plain lists"
            )
        K, D = means.shape
        covariances = validate.shaped("covariances", covariances, (K, D, D), "(K, D, D)")
        floor = validate.not_negative("floor", floor)
        lopsided = np.abs(covariances - covariances.transpose(0, 2, 1))
        deviations = np.sqrt(np.abs(np.diagonal(covariances, axis1=1, axis2=2)))
        scale = deviations[:, :, None] * deviations[:, None, :]
        for k in np.flatnonzero((lopsided > 1e-8 * scale).any(axis=(1, 2))):
            raise ValueError(
                f"covariances[{k}] is not symmetric: it differs from its transpose by up to "
                f"{lopsided[k].max():.3g}; use (C + C.T) / 2 if that is rounding"
            )
        covariances = (covariances + covariances.transpose(0, 2, 1)) / 2
        factors, distances = _factor(covariances)
        for k in np.flatnonzero(~(distances > 16 * EPS * D)):
            least = np.linalg.eigvalsh(covariances[k])[0]
            raise ValueError(
                f"covariances[{k}] is not positive definite as far as float64 can tell: its smallest eigenvalue "
                f"is {least:.3g}; it must be clearly above 0. A floor added to the diagonal makes it so"
            )
        # A frozen dataclass is set once, here.
        object.__setattr__(self, "means", validate.frozen(means))
        object.__setattr__(self, "covariances", validate.frozen(covariances))
        object.__setattr__(self, "floor", floor)
        object.__setattr__(self, "_cholesky", validate.frozen(factors))

    @classmethod
    def univariate(cls, means: ArrayLike, variances: ArrayLike, floor: float = 0.0) -> Self:
        """K Gaussians on a line, from K means and K variances (not standard deviations)."""
        means, variances = validate.finite("means", means), validate.finite("variances", variances)
        if means.ndim != 1 or means.shape != variances.shape:
            raise ValueError(
                f"means has shape {means.shape} and variances {variances.shape}; "
                "both must be (K,): one number for each component"
            )
        return cls(means[:, None], variances[:, None, None], floor)

    @classmethod
    def from_moments(cls, moments: Moments, floor: float = 0.0) -> Self:
        """The Gaussians of highest likelihood for these moments.

        The mean is the weighted mean, the covariance the weighted covariance about it, plus the floor
        (Bishop 2006, Pattern Recognition and Machine Learning, eqs. 9.17 and 9.19).

        Raises
        ------
        Collapse
            If a component has no points left, or too few to span all D dimensions, and no floor.
        """
        floor = validate.not_negative("floor", floor)
        counts = moments.counts
        for k in np.flatnonzero(~(counts > 0)):
            raise Collapse(f"component {k} has no points left: use fewer components or another start")
        means, covariances = moments.means, moments.covariances
        if floor:
            covariances = covariances + floor * np.eye(means.shape[1])
        for k in np.flatnonzero(_singular(means, covariances)):
            raise Collapse(
                f"component {k} has collapsed: {counts[k]:.4g} of the points do not span "
                f"{counted(means.shape[1], 'dimension')}, so its covariance is singular and the likelihood "
                "without bound: give the components a floor, or use fewer components or another start"
            )
        return cls(means, covariances, floor)

    @property
    def exact(self) -> bool:
        return self.floor == 0

    @property
    def n_features(self) -> int:
        return self.means.shape[1]

    @property
    def n_parameters(self) -> int:
        D = self.n_features
        return D + D * (D + 1) // 2

    def __len__(self) -> int:
        return len(self.means)

    def __getitem__(self, k: int) -> Self:
        k = range(len(self))[index(k)]
        return type(self)(self.means[k : k + 1], self.covariances[k : k + 1], self.floor)

    @property
    def variances(self) -> Array:
        """The variance of every feature, (K, D)."""
        return np.diagonal(self.covariances, axis1=1, axis2=2)

    def log_density(self, X: ArrayLike) -> Array:
        X = validate.points(X, self.n_features)
        log_density = np.empty((len(X), len(self)))
        for k, (mean, factor) in enumerate(zip(self.means, self._cholesky, strict=True)):
            whitened = solve_triangular(factor, (X - mean).T, lower=True, check_finite=False)  # (D, N)
            log_density[:, k] = (
                -0.5 * np.einsum("dn,dn->n", whitened, whitened) - np.log(np.diag(factor)).sum()
            )
        return log_density - 0.5 * self.n_features * LOG_2PI

    def collect(self, X: Array, resp: Array) -> Moments:
        return Moments.of(X, resp)

    def maximize(self, statistics: Moments) -> Self:
        return self.from_moments(statistics, self.floor)

    def sample(self, labels: np.ndarray, rng: np.random.Generator) -> Array:
        noise = validate.generator(rng).standard_normal((len(labels), self.n_features))
        return self.means[labels] + np.einsum("nij,nj->ni", self._cholesky[labels], noise)

    def rounding(self, statistics: Moments) -> float:
        # An estimated variance is off by some EPS over its distance from singular, a mean by EPS times its
        # size, and both cost their square, since they sit at a maximum. Densities lose digits at first order.
        distances = _factor(self.covariances)[1]
        shift = (EPS * np.abs(self.means) / np.sqrt(self.variances)).max(axis=1)
        loss = (64 * EPS * self.n_features / distances) ** 2 + shift**2 + 64 * EPS / np.sqrt(distances)
        return float(statistics.counts @ loss) * self.n_features

    def propped(self, statistics: Moments) -> np.ndarray:
        if not self.floor:
            return np.array([], dtype=int)
        counts, means, covariances = statistics.counts, statistics.means, statistics.covariances
        # Where all the data are flat (a constant column), a flat component is no surprise.
        mean = counts @ means / counts.sum()
        off = means - mean
        between = covariances + off[:, :, None] * off[:, None, :]
        whole = np.einsum("k,kij->ij", counts, between) / counts.sum()
        if _singular(mean[None], whole[None])[0]:
            return np.flatnonzero(counts <= self.n_features)
        return np.flatnonzero(_singular(means, covariances))

    def divergence(self) -> Array:
        """Symmetric Kullback-Leibler divergence between every two components, (K, K), in nats.

        J = KL(j||k) + KL(k||j) = (tr(S_k^-1 S_j + S_j^-1 S_k) - 2D + d'(S_j^-1 + S_k^-1) d) / 2, with the
        difference d of the means (Jeffreys 1946).
        """
        precisions = np.linalg.inv(self.covariances)
        traces = np.einsum("jab,kba->jk", precisions, self.covariances)
        d = self.means[:, None] - self.means[None]
        squares = np.einsum("jka,jab,jkb->jk", d, precisions, d)
        return (traces + traces.T - 2 * self.n_features + squares + squares.T) / 2

    def __repr__(self) -> str:
        return "\n".join(
            [
                f"{counted(len(self), 'Gaussian')} in {counted(self.n_features, 'dimension')}",
                *("  " + self.describe(k) for k in range(len(self))),
            ]
        )

    def describe(self, k: int) -> str:
        """Component k in one line."""
        if self.n_features == 1:
            return f"mean {self.means[k, 0]:.6g}, variance {self.covariances[k, 0, 0]:.6g}"
        if self.n_features <= 3:
            return f"mean {brief(self.means[k])}, covariance {brief(self.covariances[k])}"
        return f"mean ({self.n_features},), covariance ({self.n_features}, {self.n_features})"


def _factor(covariances: Array) -> tuple[Array, Array]:
    """Lower Cholesky factors (K, D, D), and how far from singular each covariance is, (K,).

    The distance is the smallest share of any feature's variance that the features before it leave
    unexplained: 1 for independent features, 0 for a singular covariance, nan where there is no factor.
    """
    factors, distances = np.full_like(covariances, np.nan), np.full(len(covariances), np.nan)
    for k, covariance in enumerate(covariances):
        try:
            factors[k] = np.linalg.cholesky(covariance)
        except np.linalg.LinAlgError:
            continue
        distances[k] = (np.diag(factors[k]) ** 2 / np.diag(covariance)).min()
    return factors, distances


def _singular(means: Array, covariances: Array) -> np.ndarray:
    """Which estimated covariances are singular, or so nearly that rounding has made them up, (K,).

    Either a feature varies by no more than the rounding of its values, or the features before it explain
    all of its variance but 1e-11, of which a sum of products keeps only a few digits.
    """
    variances = np.diagonal(covariances, axis1=1, axis2=2)
    flat = ~(variances > (4 * EPS * np.abs(means)) ** 2).all(axis=1)
    return flat | ~(_factor(covariances)[1] > 1e-11)
