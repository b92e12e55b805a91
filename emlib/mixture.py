"""Mixtures: choose a component by its weight, then draw a point from it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from emlib import kernels, validate
from emlib.em import Collapse, Model, Statistics
from emlib.families.family import Family
from emlib.stopping import Doubt
from emlib.validate import Array, Value
from emlib.words import counted


@dataclass(frozen=True)
class MixtureStatistics(Statistics):
    """What a mixture expects of its data.

    Attributes
    ----------
    rows : int
        How many points these are, whatever they weigh.
    counts : array (K,)
        Expected number of points of each component, N_k = sum_n r_nk.
    components
        The sufficient statistics of the components' family, for example `emlib.families.Moments`.
    lost : float
        How far rounding in the densities may have moved the log-likelihood, in nats.
    """

    rows: int
    counts: Array
    components: Any
    lost: float = 0.0


@dataclass(frozen=True, eq=False, repr=False, init=False)
class Mixture(Value, Model):
    """A mixture of K components of one family. It is also a sequence of its components.

    Parameters
    ----------
    weights : array_like (K,)
        Probabilities of the components; they sum to one.
    components : Family
        K distributions, for example `Gaussian(means, covariances)`.
    weight_count : float
        A prior for the weights: how many points `maximize` gives every component before it counts the data
        (a Dirichlet distribution with parameter 1 + weight_count). Priors for the rest belong to the components.

    Raises
    ------
    ValueError
        If the weights are not K probabilities that sum to one.

    Examples
    --------
    >>> from emlib import Gaussian, Mixture
    >>> Mixture([0.5, 0.5], Gaussian.univariate(means=[-5, 8], variances=[25, 9]))
    Mixture of 2 Gaussians in 1 dimension
      weight 0.5, mean -5, variance 25
      weight 0.5, mean 8, variance 9
    """

    weights: Array
    components: Family
    weight_count: float

    def __init__(self, weights: ArrayLike, components: Family, weight_count: float = 0.0) -> None:
        if not isinstance(components, Family):
            raise ValueError(
                f"components is {components!r}; it must be a family of distributions, "
                "such as Gaussian(means, covariances)"
            )
        K = len(components)
        weights = validate.shaped("weights", weights, (K,), "one number for each component, (K,)")
        weights = validate.probabilities("weights", weights)
        self._set(weights.copy(), components, validate.not_negative("weight_count", weight_count))

    def _set(self, weights: Array, components: Family, weight_count: float) -> Self:
        # A frozen dataclass is set once, here.
        object.__setattr__(self, "weights", validate.sealed(weights))
        object.__setattr__(self, "components", components)
        object.__setattr__(self, "weight_count", weight_count)
        return self

    def _with(self, weights: Array, components: Family) -> Self:
        """A mixture like this one, of parts that are known to be in order."""
        return type(self).__new__(type(self))._set(weights, components, self.weight_count)

    @property
    def n_parameters(self) -> int:
        """How many free numbers describe it; the weights are K - 1 of them, since they sum to one."""
        return len(self) - 1 + self.components.n_parameters

    @cached_property
    def _log_weights(self) -> Array:
        with np.errstate(divide="ignore"):  # a component of weight zero has log-weight -inf
            return np.log(self.weights)

    # EM ---------------------------------------------------------------------------------------------

    @property
    def exact(self) -> bool:
        return self.components.exact

    def expect(self, block: ArrayLike, weights: ArrayLike | None = None) -> MixtureStatistics:
        """E-step: responsibilities by Bayes' rule, and the sums that the M-step needs.

        Parameters
        ----------
        block : array_like (N, D)
        weights : array_like (N,), optional
            How much each point counts; all ones by default.
        """
        X = validate.rows(block, self.components.n_features)
        n_points = float(len(X))
        if weights is not None:
            weights = validate.point_weights(weights, len(X))
            n_points = float(weights.sum())
        try:
            log_likelihood, counts, statistics, lost = kernels.expect(
                self._log_weights, self.components, X, weights
            )
        except ValueError:
            validate.all_finite("X", X)
            for some in self._rows(X):  # this one says which row it is
                kernels.responsibilities(
                    self._log_weights, self.components, np.asarray(X[some], float), some.start
                )
            raise
        return MixtureStatistics(log_likelihood, n_points, len(X), counts, statistics, lost)

    def maximize(self, statistics: MixtureStatistics) -> Self:
        """M-step: every weight becomes its component's share of the points; the family does the rest.

        Raises
        ------
        Collapse
            If a component is left with too few points.
        ValueError
            If there are more components than points, or the statistics are of another kind of model.
        """
        if not isinstance(statistics, MixtureStatistics) or len(statistics.counts) != len(self):
            raise ValueError(
                f"statistics is {statistics!r}; it must be what a mixture of {len(self)} components expects: "
                "the result of expect, or a sum of them"
            )
        if len(self) > statistics.rows:
            raise ValueError(
                f"there are {counted(len(self), 'component')} and {counted(int(statistics.rows), 'point')}: "
                "use fewer components, or more data"
            )
        counts = statistics.counts + self.weight_count
        if not np.minimum.reduce(counts) > 0:
            k = int(np.argmin(counts))
            raise Collapse(f"component {k} has no points left: use fewer components or another start")
        return self._with(counts / counts.sum(), self.components.maximize(statistics.components))

    def log_prior(self) -> float:
        weights = self.weight_count * float(self._log_weights.sum()) if self.weight_count else 0.0
        return weights + self.components.log_prior()

    def rounding(self, statistics: MixtureStatistics) -> float:
        return (
            super().rounding(statistics)
            + self.components.rounding(statistics.components)
            + abs(statistics.lost)
        )

    def doubt(self, statistics: MixtureStatistics) -> Doubt | None:
        """Distrust components that only the floor holds up, and two that cannot be told apart.

        Two components count as one if they differ no more than two halves of one component may, its points split
        at random; see `emlib.families.apart`.
        """
        propped = self.components.propped(statistics.components)
        if len(propped):
            return Doubt(
                "collapsed",
                f"only the floor keeps {_named(propped)} from collapsing, on "
                f"{', '.join(f'{n:.4g}' for n in statistics.counts[propped])} of the points: "
                "use fewer components or another start",
            )
        # Counted so that a point weighs 1 on average: weights may come on any scale.
        distinct = self.components.distinct(statistics.counts * (statistics.rows / statistics.n_points))
        if distinct is not None and len(self) > 1:
            np.fill_diagonal(distinct, np.inf)
            j, k = np.unravel_index(np.argmin(distinct), distinct.shape)
            if distinct[j, k] < 1:
                return Doubt(
                    "stalled",
                    f"{_named(sorted((j, k)))} cannot be told apart, so this is a saddle or one component too many: "
                    "use another start or fewer components",
                )
        return None

    # Using a mixture --------------------------------------------------------------------------------

    def log_density(self, X: ArrayLike) -> Array:
        """Log-density of every point, (N,), in nats."""
        X = validate.points(X, self.components.n_features)
        return np.concatenate([self._bayes(X[some])[1] for some in self._rows(X)])

    def responsibilities(self, X: ArrayLike) -> Array:
        """Probability of every component given every point, (N, K). Rows sum to one."""
        return self._bayes(validate.points(X, self.components.n_features))[0]

    def predict(self, X: ArrayLike) -> np.ndarray:
        """The most probable component of every point, (N,)."""
        X = validate.points(X, self.components.n_features)
        return np.concatenate([self._bayes(X[some])[0].argmax(axis=1) for some in self._rows(X)])

    def sample(self, n: int, rng: np.random.Generator) -> tuple[Array, np.ndarray]:
        """Draw points: for each choose a component by the weights, then draw from it.

        Returns
        -------
        X : array (n, D)
        labels : array (n,)
            The component each point came from.
        """
        n, rng = validate.count("n", n), validate.generator(rng)
        labels = rng.choice(len(self), size=n, p=self.weights)
        return self.components.sample(labels, rng), labels

    def marginal(self, columns: ArrayLike) -> Mixture:
        """The mixture of some of the features, whatever the others are.

        Parameters
        ----------
        columns : array_like of int
            Which features, by number.
        """
        columns = validate.columns("columns", columns, self.components.n_features)
        return Mixture(self.weights, self.components.marginal(columns))

    def conditional(self, columns: ArrayLike, values: ArrayLike) -> Mixture:
        """The mixture of the other features, once these have these values: a regression.

        Every component is conditioned by itself, and weighted by how well it explains the values. One that explains
        them less than e^-745 times as well as another has the weight 0 from then on.

        Parameters
        ----------
        columns : array_like of int
            Which features are known, by number; at least one must be left.
        values : array_like, one number for each of the columns
        """
        columns = validate.columns("columns", columns, self.components.n_features, all_allowed=False)
        values = validate.shaped("values", values, columns.shape, "one number for each column")
        order = np.argsort(columns)
        columns, values = columns[order], values[order]
        weights = self.marginal(columns).responsibilities(values[None])[0]
        return Mixture(weights, self.components.conditional(columns, values))

    def aligned(self, other: Mixture) -> Self:
        """Give its components the order of those of another mixture that they are most like.

        The numbers of components mean nothing: two fits may find the same clusters and name them otherwise.
        Of all orders this is the one with the least total divergence between partners (the Hungarian method).

        Parameters
        ----------
        other : Mixture
            Of the same family, and as many components.
        """
        from scipy.optimize import linear_sum_assignment  # slow to import, and needed only here

        validate.kind("other", other, Mixture)
        if type(other.components) is not type(self.components) or len(other) != len(self):
            raise ValueError(
                f"other has {len(other)} components of {type(other.components).__name__}; it must have "
                f"{len(self)} of {type(self.components).__name__}, as this mixture has"
            )
        if other.components.n_features != self.components.n_features:
            raise ValueError(
                f"other has {counted(other.components.n_features, 'dimension')} and this mixture "
                f"{self.components.n_features}"
            )
        divergence = other.components.divergence(self.components)
        if divergence is None:
            raise ValueError(f"{type(self.components).__name__} cannot say how far apart its components are")
        order = linear_sum_assignment(divergence)[1]
        return self._with(self.weights[order], self.components.permuted(order))

    def _rows(self, X: np.ndarray) -> Iterator[slice]:
        return kernels.rows(len(X), X.shape[1] + 2 * len(self))

    def _bayes(self, X: Array) -> tuple[Array, Array]:
        return kernels.responsibilities(self._log_weights, self.components, X)

    # A sequence of components -----------------------------------------------------------------------

    def __len__(self) -> int:
        return len(self.components)

    def __getitem__(self, k: int) -> Family:
        return self.components[k]

    def __iter__(self) -> Iterator[Family]:
        return (self.components[k] for k in range(len(self)))

    def __repr__(self) -> str:
        first, *lines = repr(self.components).split("\n")
        parts = (f"  weight {w:.6g}, {line.strip()}" for w, line in zip(self.weights, lines, strict=True))
        return "\n".join([f"Mixture of {first}", *parts])


def _named(numbers: Any) -> str:
    """'component 2', 'components 0 and 2'."""
    *rest, last = (str(int(k)) for k in numbers)
    return f"components {', '.join(rest)} and {last}" if rest else f"component {last}"
