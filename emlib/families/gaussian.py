"""Multivariate Gaussians: K at a time, their covariances in one of four structures."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from operator import index
from typing import Self

import numpy as np
from numpy.typing import ArrayLike

from emlib import validate
from emlib.em import EPS, Collapse
from emlib.families import apart, flat, quick
from emlib.families.family import Family, Natural
from emlib.families.moments import Moments
from emlib.families.prior import Prior
from emlib.families.structure import STRUCTURES, Full, structure_named
from emlib.validate import Array
from emlib.words import brief, counted

LOG_2PI = float(np.log(2 * np.pi))


@dataclass(frozen=True, eq=False, repr=False, init=False)
class Gaussian(Family):
    """K multivariate Gaussians.

    Parameters
    ----------
    means : array_like (K, D)
    covariances : array_like
        Symmetric and positive definite; variances, never standard deviations. Their shape goes with the
        structure: (K, D, D), (D, D), (K, D) or (K,).
    structure : {"full", "tied", "diag", "spherical"}
        A covariance for each component; one for all; a variance for each feature; one variance for all features.
    floor : float
        A variance that `maximize` adds to every feature of every component, against collapse. A floored
        M-step is no exact maximum, so with a floor the log-likelihood may fall a little.
    prior : Prior, optional
        What `maximize` adds to the data; with it the fit is the most probable one (MAP).

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
    >>> Gaussian([[0, 0], [4, 1]], [1, 0.25], structure="spherical")
    2 spherical Gaussians in 2 dimensions
      mean [0, 0], variance 1
      mean [4, 1], variance 0.25
    """

    means: Array
    structure: str
    floor: float
    prior: Prior | None
    _spread: Array  # the covariances as their structure computes with them
    _roots: Array
    _inverse: Array  # of the roots
    _distances: Array  # how far from singular each covariance is

    def __init__(
        self,
        means: ArrayLike,
        covariances: ArrayLike,
        structure: str = "full",
        floor: float = 0.0,
        prior: Prior | None = None,
    ) -> None:
        means = validate.finite("means", means)
        if means.ndim != 2 or 0 in means.shape:
            raise ValueError(
                f"means has shape {means.shape}; it must be (K, D): one row for each of K components. "
                "In one dimension, Gaussian.univariate(means, variances) takes plain lists"
            )
        K, D = means.shape
        form = structure_named(structure)
        covariances = validate.shaped("covariances", covariances, form.shape(K, D), form.shape_in_words)
        floor = validate.not_negative("floor", floor)
        if prior is not None:
            validate.kind("prior", prior, Prior)
            prior.check(D)
        spread = covariances.reshape(form.spread_shape(K, D))
        if spread.ndim == 3:
            validate.symmetric("covariances[{k}]" if structure == "full" else "covariances", spread)
            spread = (spread + spread.transpose(0, 2, 1)) / 2
        roots, inverses, distances = form.factor(spread)
        for k in np.flatnonzero(~(distances > 16 * EPS * D)):
            least = np.linalg.eigvalsh(spread[k])[0] if spread.ndim == 3 else spread[k].min()
            name = "covariances" if covariances.ndim == 2 and spread.ndim == 3 else f"covariances[{k}]"
            raise ValueError(
                f"{name} is not positive definite as far as float64 can tell: its smallest eigenvalue "
                f"is {least:.3g}; it must be clearly above 0. A floor added to the diagonal makes it so"
            )
        self._set(means.copy(), structure, floor, prior, spread.copy(), roots, inverses, distances)

    def _set(
        self,
        means: Array,
        structure: str,
        floor: float,
        prior: Prior | None,
        spread: Array,
        roots: Array,
        inverses: Array,
        distances: Array,
    ) -> Self:
        # A frozen dataclass is set once, here.
        for name, value in (("structure", structure), ("floor", floor), ("prior", prior)):
            object.__setattr__(self, name, value)
        arrays = {"_spread": spread, "_roots": roots, "_inverse": inverses, "_distances": distances}
        for name, array in {"means": means, **arrays}.items():
            object.__setattr__(self, name, validate.sealed(array))
        return self

    @classmethod
    def univariate(cls, means: ArrayLike, variances: ArrayLike, floor: float = 0.0) -> Self:
        """K Gaussians on a line, from K means and K variances (not standard deviations)."""
        means, variances = validate.finite("means", means), validate.finite("variances", variances)
        if means.ndim != 1 or means.shape != variances.shape:
            raise ValueError(
                f"means has shape {means.shape} and variances {variances.shape}; "
                "both must be (K,): one number for each component"
            )
        return cls(means[:, None], variances[:, None, None], floor=floor)

    @classmethod
    def from_moments(cls, moments: Moments, floor: float = 0.0, prior: Prior | None = None) -> Self:
        """The Gaussians of highest likelihood for these moments; of highest probability, with a prior.

        The mean is the weighted mean, the covariance the weighted covariance about it, plus the floor
        (Bishop 2006, Pattern Recognition and Machine Learning, eqs. 9.17 and 9.19). A prior adds its
        pseudo-points first (Fraley & Raftery 2007, sec. 3).

        Raises
        ------
        Collapse
            If a component has no points left, or too few to span all D dimensions, and no floor or prior.
        """
        floor = validate.not_negative("floor", floor)
        form, D = STRUCTURES[moments.structure], moments.centres.shape[1]
        counts = moments.counts
        if prior is not None:
            prior.check(D)
            moments, counts = prior.add_to(moments)
        if not np.minimum.reduce(np.minimum(counts, moments.counts)) > 0:
            empty = int(np.argmin(np.minimum(counts, moments.counts)))
            raise Collapse(f"component {empty} has no points left: use fewer components or another start")
        means, spread = moments.means, form.divide(moments.scatter, counts, D)
        if floor:
            spread = form.add(spread, floor)
        roots, inverses, distances = form.factor(spread)
        singular = flat.singular(means, form.variances(spread), distances)
        if singular.any():
            k = int(np.argmax(singular))
            who = f"component {k} has" if not singular.all() or len(means) == 1 else "all components have"
            raise Collapse(
                f"{who} collapsed: {counts[k]:.4g} of the points do not span "
                f"{counted(D, 'dimension')}, so its covariance is singular and the likelihood "
                "without bound: give the components a floor or a prior, or use fewer components or another start"
            )
        new = cls.__new__(cls)  # all is known to be in order: no need to check it again
        return new._set(means, moments.structure, floor, prior, spread, roots, inverses, distances)

    # What they are ----------------------------------------------------------------------------------

    @property
    def exact(self) -> bool:
        return self.floor == 0

    @property
    def n_features(self) -> int:
        return self.means.shape[1]

    @property
    def own_parameters(self) -> int:
        D = self.n_features
        return self.n_parameters // len(self) if self.structure != "tied" else D

    @property
    def n_parameters(self) -> int:
        K, D = self.means.shape
        return K * D + self._form.n_parameters(K, D)

    @property
    def covariances(self) -> Array:
        """Shaped by the structure: (K, D, D), (D, D), (K, D) or (K,)."""
        return self._spread.reshape(self._form.shape(*self.means.shape))

    @property
    def matrices(self) -> Array:
        """The covariance of every component written out, (K, D, D), whatever the structure."""
        return self._form.matrices(self._spread, *self.means.shape)

    @property
    def precisions(self) -> Array:
        """The inverses of the covariances, in the same shape."""
        if self._inverse.ndim == 3:
            return (self._inverse.transpose(0, 2, 1) @ self._inverse).reshape(self.covariances.shape)
        return (self._inverse**2).reshape(self.covariances.shape)

    @property
    def precision_factors(self) -> Array:
        """U with U U' = precision, as scikit-learn has them: upper triangular, or one over standard deviations."""
        factors = self._inverse.swapaxes(1, 2) if self._inverse.ndim == 3 else self._inverse
        return factors.reshape(self.covariances.shape)

    @property
    def variances(self) -> Array:
        """The variance of every feature, (K, D)."""
        return np.full(self.means.shape, self._form.variances(self._spread))

    @property
    def _form(self) -> Full:
        return STRUCTURES[self.structure]

    @cached_property
    def _log_scale(self) -> Array:
        """Log-density at the mean, (K,)."""
        D = self.n_features
        return np.zeros(len(self)) - 0.5 * (D * LOG_2PI + self._form.log_det(self._roots, D))

    def __len__(self) -> int:
        return len(self.means)

    def __getitem__(self, k: int) -> Self:
        k = range(len(self))[index(k)]
        return self.permuted(np.array([k]))

    def permuted(self, order: np.ndarray) -> Self:
        """These components in another order, or some of them."""
        new = type(self).__new__(type(self))
        arrays = (self._spread, self._roots, self._inverse, self._distances)
        parts = (self._form.components(array, order) for array in arrays)
        return new._set(self.means[order], self.structure, self.floor, self.prior, *parts)

    # EM ---------------------------------------------------------------------------------------------

    def log_density(self, X: ArrayLike) -> Array:
        X = validate.points(X, self.n_features)
        return np.stack([self.log_density_of(k, X) for k in range(len(self))]).T  # columns in one piece

    def log_density_of(self, k: int, X: Array) -> Array:
        """Log-density of points under component k, (N,)."""
        whitened = self._form.whiten(self._inverse, k, (X - self.means[k]).T)  # (D, N)
        return self._log_scale[k] - 0.5 * np.einsum("dn,dn->n", whitened, whitened)

    def log_joint(self, log_weights: Array, X: Array) -> Array:
        return quick.log_joint(self, log_weights, X)

    def natural(self, log_weights: Array) -> Natural:
        return quick.natural(self, log_weights)

    def loses(self, X: Array, allowed: float) -> bool:
        return quick.loses(self, X, allowed)

    def collect(self, X: Array, resp: Array) -> Moments:
        return Moments.of(X, resp, self.structure)

    def maximize(self, statistics: Moments) -> Self:
        return self.from_moments(statistics, self.floor, self.prior)

    def log_prior(self) -> float:
        if self.prior is None:
            return 0.0
        prior, form, D = self.prior, self._form, self.n_features
        # tr(S^-1 C), and each mean's squared distance from the prior's.
        root = np.linalg.cholesky(prior.covariance).astype(float)
        # (A copy, since `whiten` may take its place.)
        traces = [(form.whiten(self._inverse, k, root.copy()) ** 2).sum() for k in range(len(self))]
        away = [
            (form.whiten(self._inverse, k, (mean - prior.mean)[:, None]) ** 2).sum()
            for k, mean in enumerate(self.means)
        ]
        covariances = prior.covariance_count * (form.log_det(self._roots, D) + traces).sum()
        return -0.5 * float(covariances + prior.mean_count * np.sum(away))

    def sample(self, labels: np.ndarray, rng: np.random.Generator) -> Array:
        noise = validate.generator(rng).standard_normal((len(labels), self.n_features))
        return self.means[labels] + self._form.colour(self._roots, labels, noise)

    # What a fit may ask -----------------------------------------------------------------------------

    def rounding(self, statistics: Moments) -> float:
        # An estimated variance is off by some EPS over its distance from singular, a mean by EPS times its
        # size, and both cost their square, since they sit at a maximum. Densities lose digits at first order.
        distances = self._distances
        shift = (EPS * np.abs(self.means) / np.sqrt(self._form.variances(self._spread))).max(axis=1)
        loss = (64 * EPS * self.n_features / distances) ** 2 + shift**2 + 64 * EPS / np.sqrt(distances)
        return float(statistics.counts @ loss) * self.n_features

    def propped(self, statistics: Moments) -> np.ndarray:
        return flat.propped(statistics) if self.floor else np.array([], dtype=int)

    def divergence(self, other: Self | None = None) -> Array:
        """Symmetric Kullback-Leibler divergence from every component to every one of another family, in nats.

        J = KL(j||k) + KL(k||j) = (tr(S_k^-1 S_j + S_j^-1 S_k) - 2D + d'(S_j^-1 + S_k^-1) d) / 2, with the
        difference d of the means (Jeffreys 1946).

        Parameters
        ----------
        other : Gaussian, optional
            These components themselves by default.

        Returns
        -------
        array (K, K of the other)

        Raises
        ------
        ValueError
            If the other is no Gaussian, or one of other dimensions.
        """
        if other is not None:
            validate.kind("other", other, Gaussian)
            if other.n_features != self.n_features:
                raise ValueError(
                    f"other has {counted(other.n_features, 'dimension')} and these {self.n_features}: "
                    "they must be the same number"
                )
        return apart.divergence(self, self if other is None else other).sum(axis=0)

    def distinct(self, counts: Array) -> Array:
        """By their means alone, or by all they have: whichever tells two components apart more clearly.

        Where a covariance owes more to a prior than to its points, two halves of a component differ less than
        the law of many points says, and far-off means must not be counted as noise.
        """
        between = apart.divergence(self, self)
        by_means = apart.clearly(between[1], counts, self.n_features)
        return np.maximum(by_means, apart.clearly(between.sum(axis=0), counts, self.own_parameters))

    # Parts of the space -----------------------------------------------------------------------------

    def marginal(self, columns: np.ndarray) -> Self:
        spread = self._form.features(self._spread, columns)
        covariances = spread.reshape(self._form.shape(len(self), len(columns)))
        return type(self)(self.means[:, columns], covariances, self.structure, self.floor)

    def conditional(self, columns: np.ndarray, values: Array) -> Self:
        rest = np.setdiff1d(np.arange(self.n_features), columns)
        means, spread = self.means[:, rest], self._form.features(self._spread, rest)
        if spread.ndim == 3:  # without correlation the columns say nothing of the rest
            cross = self._spread[:, rest[:, None], columns]
            slope = np.linalg.solve(self._form.features(self._spread, columns), cross.transpose(0, 2, 1))
            means = means + np.einsum("kab,ka->kb", slope, values - self.means[:, columns])
            spread = spread - cross @ slope
        covariances = spread.reshape(self._form.shape(len(self), len(rest)))
        return type(self)(means, covariances, self.structure, self.floor)

    # Words ------------------------------------------------------------------------------------------

    def __repr__(self) -> str:
        kind = "Gaussian" if self.structure == "full" else f"{self.structure} Gaussian"
        return "\n".join(
            [
                f"{counted(len(self), kind)} in {counted(self.n_features, 'dimension')}",
                *("  " + self.describe(k) for k in range(len(self))),
            ]
        )

    def describe(self, k: int) -> str:
        """Component k in one line."""
        D = self.n_features
        spread = {"diag": self.variances[k], "spherical": self.variances[k, 0]}.get(
            self.structure, self.matrices[k]
        )
        if D == 1:
            return f"mean {self.means[k, 0]:.6g}, variance {self.variances[k, 0]:.6g}"
        if D > 3:
            return f"mean ({D},), " + (
                f"variance {brief(spread)}" if spread.ndim == 0 else f"covariance {spread.shape}"
            )
        word = {2: "covariance", 1: "variances", 0: "variance"}[spread.ndim]
        return f"mean {brief(self.means[k])}, {word} {brief(spread)}"
