"""Multivariate Gaussians: K at a time, their covariances in one of four structures."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from scipy.linalg import solve_triangular
from scipy.special import ndtr

from emlib import validate
from emlib.blocks import as_one, rows_in_one
from emlib.em import EPS, Collapse
from emlib.families import shortcuts
from emlib.families.covariance import Full, divergences
from emlib.families.family import Family, Linear, separation
from emlib.families.moments import Moments
from emlib.families.prior import Prior, checked, in_dimensions
from emlib.families.singular import at_floor, collapse, held_up, singular
from emlib.families.variances import STRUCTURES, structure_named
from emlib.text import brief, counted
from emlib.value import Array, frozen, once

LOG_2PI = float(np.log(2 * np.pi))


@dataclass(frozen=True, repr=False, init=False)
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
    floor : float or array_like (D,)
        The smallest variance allowed in any direction, for every feature or for each: against collapse. Where an
        estimate, or a covariance given here, is below it, it is raised to it, and the M-step is still an exact maximum.
    ridge : float
        A variance that `maximize` adds to every feature, before the floor: scikit-learn's `reg_covar`. It is no exact
        maximum, so with a ridge the log-likelihood may fall a little.
    prior : Prior, optional
        What `maximize` adds to the data; with it the fit is the most probable one (MAP).
    fixed : str or several
        Which parameters are known, and not to be estimated: "means", "covariances", or both.

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
    covariance: Full  # the covariances as values of their structure
    structure: str = "full"
    floor: Array | None = None  # (D,)
    ridge: float = 0.0
    prior: Prior | None = None
    fixed: tuple[str, ...] = ()

    def __init__(
        self,
        means: ArrayLike,
        covariances: ArrayLike,
        structure: str = "full",
        floor: ArrayLike = 0.0,
        ridge: float = 0.0,
        prior: Prior | None = None,
        fixed: str | Iterable[str] = (),
    ) -> None:
        means = validate.finite("means", means)
        if means.ndim != 2 or 0 in means.shape:
            raise ValueError(
                f"means has shape {means.shape}; it must be (K, D): one row for each of K components. "
                "In one dimension, Gaussian.univariate(means, variances) takes plain lists"
            )
        K, D = means.shape
        given = {"structure": structure, "floor": floor, "ridge": ridge, "prior": prior, "fixed": fixed}
        options = in_dimensions(checked(given), D)
        form = structure_named(structure)
        letters = str(form.shape("K", "D")).replace("'", "")
        covariances = validate.shaped("covariances", covariances, form.shape(K, D), letters)
        stored = covariances.reshape(form.stored_shape(K, D))
        name = "covariances[{k}]" if structure == "full" else "covariances"
        if stored.ndim == 3:
            stored = validate.symmetric(name, stored)
        else:
            validate.variances(name, stored)
        covariance = form.of(stored, D)
        covariance.check_definite(name)
        if options["floor"] is not None and "covariances" not in options["fixed"]:
            # From below the floor, the first M-step could only lose.
            covariance = form.of(stored, D, options["floor"])
        # A frozen dataclass is set once, here.
        self.__dict__.update(means=frozen(means), covariance=covariance, **options)

    @classmethod
    def univariate(cls, means: ArrayLike, variances: ArrayLike, **options: Any) -> Self:
        """K Gaussians on a line, from K means and K variances (not standard deviations)."""
        means, variances = validate.finite("means", means), validate.variances("variances", variances)
        if means.ndim != 1 or means.shape != variances.shape:
            raise ValueError(
                f"means has shape {means.shape} and variances {variances.shape}; "
                "both must be (K,): one number for each component"
            )
        return cls(means[:, None], variances[:, None, None], **options)

    @classmethod
    def known(cls, means: Array, matrices: Array) -> Self:
        """Gaussians with these means (K, D) and covariances (K, D, D), which are known to be in order."""
        return cls._made(means=means, covariance=Full.of(matrices, means.shape[1]), **cls._options())

    @classmethod
    def _options(cls, **given: Any) -> dict[str, Any]:
        options = checked(super()._options(**given))
        if options["fixed"]:  # in `from_responsibilities` no parameter is known
            raise ValueError(
                f"fixed is {given['fixed']!r}; here all parameters are estimated: build the components that are known, "
                "Gaussian(means, covariances, fixed=...)"
            )
        return options

    _in_dimensions = staticmethod(in_dimensions)

    # What they are ----------------------------------------------------------------------------------

    @property
    def exact(self) -> bool:
        return self.ridge == 0

    @property
    def n_parameters(self) -> int:
        K, D = self.means.shape
        means = 0 if "means" in self.fixed else K * D
        return means + (0 if "covariances" in self.fixed else self.covariance.n_parameters(K, D))

    @property
    def covariances(self) -> Array:
        """Shaped by the structure: (K, D, D), (D, D), (K, D) or (K,)."""
        return self.covariance.stored.reshape(self.covariance.shape(*self.means.shape))

    @property
    def matrices(self) -> Array:
        """The covariance of every component written out, (K, D, D), whatever the structure."""
        return self.covariance.matrices(self.covariance.stored, *self.means.shape)

    @property
    def precisions(self) -> Array:
        """The inverses of the covariances, in the same shape."""
        return self.covariance.precisions().reshape(self.covariance.shape(*self.means.shape))

    @property
    def precision_factors(self) -> Array:
        """U with U U' = precision, as scikit-learn has them: upper triangular, or one over standard deviations."""
        return self.covariance.factors_of_precisions().reshape(self.covariance.shape(*self.means.shape))

    @property
    def variances(self) -> Array:
        """The variance of every feature, (K, D)."""
        return np.full(self.means.shape, self.covariance.variances())

    @once
    def log_scale(self) -> Array:
        """Log-density at the mean, (K,)."""
        return np.zeros(len(self.means)) - 0.5 * (self.means.shape[1] * LOG_2PI + self.covariance.log_dets)

    @property
    def options(self) -> dict[str, Any]:
        """All that the parameters are not: structure, floor, ridge, prior and fixed."""
        return {name: getattr(self, name) for name in ("structure", "floor", "ridge", "prior", "fixed")}

    def moved(self, means: ArrayLike) -> Self:
        """These covariances about other means, (K, D)."""
        means = validate.shaped("means", means, self.means.shape, "(K, D)")
        return self._with(means=frozen(means))

    def under(self, **options: Any) -> Self:
        """These components under other options, such as a floor, to which they are raised."""
        options = in_dimensions(checked(super()._options(**self.options | options)), self.n_features)
        floor, covariance = options["floor"], self.covariance
        if floor is not None and (self.floor is None or not np.array_equal(floor, self.floor)):
            covariance = self.covariance.of(covariance.stored, self.n_features, floor)
        return self._with(covariance=covariance, **options)

    # EM ---------------------------------------------------------------------------------------------

    def check(self, X: Any) -> np.ndarray:
        return validate.table(X, self.n_features)

    @np.errstate(all="ignore")
    def log_density(self, X: ArrayLike) -> Array:
        return self._log_densities(np.asarray(self.check(as_one(rows_in_one(X))), dtype=float))

    def _log_densities(self, X: Array) -> Array:
        return np.stack([self._log_density_of(k, X) for k in range(len(self))]).T  # columns in one piece

    def _log_density_of(self, k: int, X: Array) -> Array:
        """Log-density of points under component k, (N,)."""
        whitened = self.covariance.whiten(k, (X - self.means[k]).T)  # (D, N)
        return self.log_scale[k] - 0.5 * np.einsum("dn,dn->n", whitened, whitened)

    def collect(self, X: Array, resp: Array) -> Moments:
        # A loop comes here with tables that are in order. That is soon seen, and the rest by the sums.
        floats = type(X) is type(resp) is np.ndarray and X.dtype == resp.dtype == float
        tables = floats and X.ndim == resp.ndim == 2
        if tables and len(X) == len(resp) and self.n_features in (None, X.shape[1]):
            moments = Moments.known(X, resp, self.structure)
            if np.isfinite(moments.sums).all():
                return moments
        return Moments.of(validate.points(X, self.n_features), resp, self.structure)

    def maximize(self, statistics: Moments) -> Self:
        """The Gaussians of highest likelihood for these moments; of highest probability, with a prior.

        The mean is the weighted mean, the covariance the weighted covariance about it (Bishop 2006, Pattern
        Recognition and Machine Learning, eqs. 9.17 and 9.19), raised to the floor. A prior adds its pseudo-points
        first (Fraley & Raftery 2007, sec. 3).

        Raises
        ------
        Collapse
            If a component has no points left, or too few to span all D dimensions, and no floor or prior.
        """
        self._check_statistics(statistics)
        moments, counts, D = statistics, statistics.counts, statistics.centres.shape[1]
        if self.prior is not None:
            moments, counts = self.prior.add_to(statistics)
        least = counts if moments is statistics else np.minimum(counts, moments.counts)
        if not np.minimum.reduce(least) > 0:
            empty = int(np.argmin(least))
            raise Collapse(f"component {empty} has no points left: use fewer components or another start")
        means = self.means if "means" in self.fixed else moments.about_means[1]
        if "covariances" in self.fixed:
            covariance = self.covariance
        else:
            form, stored = STRUCTURES[self.structure], self._estimated(moments, counts)
            covariance = form.of(form.plus(stored, self.ridge) if self.ridge else stored, D, self.floor)
            if self.floor is None and (flat := singular(means, covariance)).any():
                raise collapse(flat, counts, D)
        return self._with(means=means, covariance=covariance)

    def _check_statistics(self, statistics: Any) -> None:
        """Raise an error unless these are moments of this structure, and of as many features, if that is known."""
        D, right = self.n_features, isinstance(statistics, Moments) and statistics.structure == self.structure
        if not right or D not in (None, statistics.centres.shape[1]):
            raise ValueError(
                f"statistics is {statistics!r}; it must be what these components collect: {self.structure} moments"
                + ("" if D is None else f" in {counted(D, 'dimension')}")
            )

    def _estimated(self, moments: Moments, counts: Array) -> Array:
        """The covariances that the moments call for, as stored, before ridge and floor."""
        if self.prior is None and "means" not in self.fixed:
            return moments.stored
        products = moments.about(self.means).products if "means" in self.fixed else moments.scatter
        return STRUCTURES[self.structure].divided(products, counts, moments.centres.shape[1])

    def log_prior(self) -> float:
        if self.prior is None:
            return 0.0
        prior = self.prior
        root = np.linalg.cholesky(prior.covariance)
        # tr(S^-1 C), and each mean's squared distance from the prior's.
        squares = np.array(
            [
                (self.covariance.whiten(k, np.column_stack([root, mean - prior.mean])) ** 2).sum(axis=0)
                for k, mean in enumerate(self.means)
            ]
        )  # (K, D + 1)
        covariances = (self.covariance.log_dets + squares[:, :-1].sum(axis=1)).sum()
        return -0.5 * float(prior.covariance_count * covariances + prior.mean_count * squares[:, -1].sum())

    def sample(self, labels: np.ndarray, rng: np.random.Generator) -> Array:
        labels = validate.members("labels", labels, len(self))
        noise = validate.generator(rng).standard_normal((len(labels), self.n_features))
        return self.means[labels] + self.covariance.colour(labels, noise)

    # Shortcuts through the E-step ---------------------------------------------------------------------

    def linear(self, log_weights: Array, X: Array, shift: Array | None = None) -> Linear | None:
        return shortcuts.linear(self.means, self.covariance, log_weights + self.log_scale, X, shift)

    def log_joint(self, log_weights: Array, X: Array) -> Array:
        def density(k: int, some: Array) -> Array:
            return log_weights[k] + self._log_density_of(k, some)

        heights = log_weights + self.log_scale
        joint = shortcuts.likely_pairs(self.means, self.covariance, heights, X, density)
        return log_weights + self._log_densities(X) if joint is None else joint

    # What a fit may ask -------------------------------------------------------------------------------

    def rounding(self, statistics: Moments) -> float:
        # An estimated variance is off by some EPS over its distance from singular, a mean by EPS times its
        # size, and both cost their square, since they sit at a maximum. Densities lose digits at first order.
        unexplained, D = self.covariance.unexplained, self.means.shape[1]
        shift = EPS**2 * np.maximum.reduce(self.means * self.means / self.covariance.variances(), axis=1)
        loss = (64 * EPS * D / unexplained) ** 2 + shift + 64 * EPS / np.sqrt(unexplained)
        lost = float(statistics.counts @ loss) * D
        if self.prior is not None:  # its density is as large a sum as that of so many points
            lost += 256 * EPS * len(self) * D * (self.prior.covariance_count + self.prior.mean_count)
        return lost

    def held_up(self, statistics: Moments) -> np.ndarray:
        """Components at the floor, or singular without the ridge, in a direction in which the data are not flat."""
        if (self.floor is None and not self.ridge) or "covariances" in self.fixed:
            return np.array([], dtype=int)
        moments, counts = statistics, statistics.counts
        if self.prior is not None:
            moments, counts = self.prior.add_to(statistics)
        return held_up(statistics, self._estimated(moments, counts), self.floor, self.ridge)

    def at_floor(self) -> np.ndarray:
        """Which covariances are at the floor in some direction, (K,)."""
        if self.floor is None:
            return np.zeros(len(self), dtype=bool)
        return np.full(len(self), at_floor(self.covariance, self.floor))

    def divergence(self, other: Self) -> Array:
        """See `emlib.families.covariance.divergences`."""
        validate.kind("other", other, Gaussian)
        if other.n_features != self.n_features:
            raise ValueError(
                f"other has {counted(other.n_features, 'dimension')} and these {self.n_features}: they must agree"
            )
        return divergences(self.means, self.covariance, other.means, other.covariance).sum(axis=0)

    def distinct(self, counts: Array) -> Array:
        """By their means alone, or by all they have: whichever tells two components apart more clearly.

        Where a covariance owes more to a prior than to its points, two halves of a component differ less than
        the law of many points says, and far-off means must not be counted as noise.
        """
        between, D = divergences(self.means, self.covariance, self.means, self.covariance), self.n_features
        own = D + self.covariance.n_products(D)  # free numbers
        return np.maximum(separation(between[1], counts, D), separation(between.sum(axis=0), counts, own))

    # Parts of the space -----------------------------------------------------------------------------

    def marginal(self, columns: ArrayLike) -> Self:
        columns = validate.columns("columns", columns, self.n_features)
        stored = self.covariance.of_features(self.covariance.stored, columns)
        covariance = self.covariance.of(stored, len(columns))
        floor = None if self.floor is None else self.floor[columns]
        prior = None if self.prior is None else self.prior.marginal(columns)
        return self._with(means=self.means[:, columns], covariance=covariance, floor=floor, prior=prior)

    def conditional(self, columns: np.ndarray, values: Array) -> tuple[Array, Array]:
        rest, C = np.setdiff1d(np.arange(self.n_features), columns), len(columns)
        # The known features first: then the last corner of a Cholesky factor is that of what is left.
        order = np.concatenate([columns, rest])
        roots = np.linalg.cholesky(self.matrices[:, order[:, None], order])
        means = np.empty((len(values), len(self), len(rest)))
        for k, root in enumerate(roots):  # one after the other, for the values may be many
            whitened = solve_triangular(root[:C, :C], (values - self.means[k, columns]).T, lower=True)
            means[:, k] = self.means[k, rest] + (root[C:, :C] @ whitened).T
        corners = roots[:, C:, C:]
        return means, corners @ corners.transpose(0, 2, 1)

    @np.errstate(under="ignore")
    def cdf(self, x: ArrayLike) -> Array:
        """Probability of a value up to each x (N,), under every component, (N, K); in one dimension."""
        validate.on_a_line("cdf", self.n_features, "these components have", "components")
        away = validate.no_nan("x", x)[..., None] - self.means[:, 0]
        return ndtr(away / np.sqrt(self.variances[:, 0]))

    # Words ------------------------------------------------------------------------------------------

    def headline(self) -> str:
        name = "Gaussian" if self.structure == "full" else f"{self.structure} Gaussian"
        return f"{counted(len(self), name)} in {counted(self.n_features, 'dimension')}"

    def describe(self, k: int) -> str:
        one, D = self[k], self.n_features
        spread = one.covariance.stored[0].squeeze()  # (D, D), (D,) or ()
        if D > 3:
            text = f"variance {brief(spread)}" if spread.ndim == 0 else f"covariance {spread.shape}"
            return f"mean ({D},), {text}"
        name = {2: "covariance", 1: "variances", 0: "variance"}[spread.ndim]
        return f"mean {brief(one.means.squeeze())}, {name} {brief(spread)}"
