"""Mixtures: choose a component by its weight, then draw a point from it.

- `Mixture`: the model, for Gaussians or any other `Family`.
- `MixtureStatistics`: what it expects of data.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from operator import itemgetter
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from emlib import kernels, validate
from emlib.blocks import Blocks, Data, rows_in_one
from emlib.conditionals import Conditionals
from emlib.em import Collapse, Model, Statistics, Suspicion
from emlib.families import Family, Gaussian
from emlib.families.family import SHOWN, more
from emlib.text import listing
from emlib.value import Array, Value, frozen, once


@dataclass(frozen=True)
class MixtureStatistics(Statistics):
    """What a mixture expects of its data.

    Attributes
    ----------
    rows : float, of points, whatever they weigh
    counts : array (K,)
        Expected number of points of each component, N_k = sum_n r_nk.
    components
        The sufficient statistics of the components' family, for example `emlib.families.Moments`.
    lost : float
        How far rounding in the densities may have moved the log-likelihood, in nats.
    """

    rows: float
    counts: Array
    components: Any
    lost: float = 0.0


@dataclass(frozen=True, repr=False, init=False)
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
    fixed_weights : bool
        Whether the weights are known, and not to be estimated.

    Raises
    ------
    ValueError
        If the weights are not K probabilities that sum to one.

    Examples
    --------
    >>> from emlib import Gaussian, Mixture
    >>> mixture = Mixture([0.5, 0.5], Gaussian.univariate(means=[-5, 8], variances=[25, 9]))
    >>> mixture
    Mixture of 2 Gaussians in 1 dimension
      weight 0.5, mean -5, variance 25
      weight 0.5, mean 8, variance 9
    >>> mixture.responsibilities([[3.0]]).round(2).tolist()
    [[0.4, 0.6]]
    >>> mixture.cdf([0.0, 8.0]).round(2).tolist(), mixture.quantile([0.1, 0.9]).round(1).tolist()
    ([0.42, 0.75], [-9.2, 10.5])
    >>> mixture.maximize(mixture.expect([[-6.0], [-4.0], [7.0], [9.0]])).components.means.round(1).tolist()
    [[-4.7], [8.0]]
    """

    weights: Array
    components: Family
    weight_count: float
    fixed_weights: bool

    def __init__(
        self,
        weights: ArrayLike,
        components: Family,
        weight_count: float = 0.0,
        fixed_weights: bool = False,
    ) -> None:
        if not isinstance(components, Family):
            raise ValueError(
                f"components is {components!r}; it must be a family of distributions, "
                "such as Gaussian(means, covariances)"
            )
        given = validate.probabilities("weights", weights)
        given = validate.shaped("weights", given, (len(components),), "one number for each component, (K,)")
        validate.kind("fixed_weights", fixed_weights, bool)
        # A frozen dataclass is set once, here.
        self.__dict__.update(
            weights=frozen(given / given.sum()),
            components=components,
            weight_count=validate.not_negative("weight_count", weight_count),
            fixed_weights=fixed_weights,
        )

    def with_parts(self, weights: Array, components: Family) -> Self:
        """A mixture like this one, of weights and components that are known to be in order."""
        return self._with(weights=weights, components=components)

    @property
    def n_parameters(self) -> int:
        """How many free numbers describe it; the weights are K - 1 of them, since they sum to one."""
        return (0 if self.fixed_weights else len(self) - 1) + self.components.n_parameters

    @once
    def _log_weights(self) -> Array:
        with np.errstate(divide="ignore"):  # a component of weight zero has log-weight -inf
            return np.log(self.weights)

    # EM ---------------------------------------------------------------------------------------------

    @property
    def exact(self) -> bool:
        return self.components.exact

    @property
    def least_points(self) -> int:
        return len(self)

    def check(self, block: Any) -> np.ndarray:
        return self.components.check(block)

    def expect(self, block: Data, weights: Any = None) -> MixtureStatistics:
        """E-step: responsibilities by Bayes' rule, and the sums that the M-step needs.

        Parameters
        ----------
        block : array_like (N, D), or list of blocks
        weights : array_like (N,), optional
            How much each point counts; all ones by default.
        """
        return Blocks.of(block, weights).checked(self.check).sum(self.e_step)

    def prepared(self, block: np.ndarray) -> kernels.Points:
        return kernels.Points(block)

    def e_step(self, block: Any, weights: Array | None = None) -> MixtureStatistics:
        points = block if isinstance(block, kernels.Points) else kernels.Points(block)
        log_likelihood, counts, parts, lost = kernels.expect(self.weights, self.components, points, weights)
        rows = len(points.X) if weights is None else int(np.count_nonzero(weights))
        n_points = float(rows) if weights is None else float(weights.sum())
        return MixtureStatistics(log_likelihood, n_points, rows, counts, parts, lost)

    def maximize(self, statistics: MixtureStatistics) -> Self:
        """M-step: every weight becomes its component's share of the points; the family does the rest.

        Raises
        ------
        Collapse
            If a component is left with too few points.
        ValueError
            If the statistics are of another kind of model.
        """
        if not isinstance(statistics, MixtureStatistics) or len(statistics.counts) != len(self.weights):
            raise ValueError(
                f"statistics is {statistics!r}; it must be what a mixture of {len(self)} components expects: "
                "the result of expect, or a sum of them"
            )
        weights = self.weights
        if not self.fixed_weights:
            counts = statistics.counts + self.weight_count
            if not np.minimum.reduce(counts) > 0:
                k = int(np.argmin(counts))
                raise Collapse(f"component {k} has no points left: use fewer components or another start")
            weights = counts / np.add.reduce(counts)
        return self._with(weights=weights, components=self.components.maximize(statistics.components))

    def log_prior(self) -> float:
        weights = self.weight_count * float(self._log_weights.sum()) if self.weight_count else 0.0
        return weights + self.components.log_prior()

    def rounding(self, statistics: MixtureStatistics) -> float:
        own = super().rounding(statistics) + abs(statistics.lost)
        return own + self.components.rounding(statistics.components)

    def suspicion(self, statistics: MixtureStatistics) -> Suspicion | None:
        """Distrust components that only a floor holds up, and two that cannot be told apart.

        Two components count as one if they differ no more than two halves of one component may, its points split
        at random; see `emlib.families.family.separation`.
        """
        held_up = self.components.held_up(statistics.components)
        # Counted so that a point weighs 1 on average: weights may come on any scale.
        counts = statistics.counts * (statistics.rows / statistics.n_points)
        if len(held_up):
            return Suspicion(
                "collapsed",
                f"only the floor or ridge keeps {_named(held_up)} from collapsing, on "
                f"{listing(f'{n:.4g}' for n in counts[held_up[:SHOWN]])} of the points: "
                "use fewer components or another start",
            )
        if len(self) > 1:
            distinct = self.components.distinct(counts)
            distinct[np.isnan(distinct)] = 0.0  # no points, and so nothing to tell apart
            np.fill_diagonal(distinct, np.inf)
            j, k = np.unravel_index(np.argmin(distinct), distinct.shape)
            if distinct[j, k] < 1:
                return Suspicion(
                    "stalled",
                    f"{_named(sorted((j, k)))} cannot be told apart, so this is a saddle or one component too many: "
                    "use another start or fewer components",
                )
        return None

    # Using a mixture --------------------------------------------------------------------------------

    def log_density(self, X: Data) -> Array:
        """Log-density of every point, (N,), in nats; here and below X may come in blocks, or from Dask."""
        return self._by_bayes(X, itemgetter(1))

    def responsibilities(self, X: Data) -> Array:
        """Probability of every component given every point, (N, K). Rows sum to one."""
        return self._by_bayes(X, itemgetter(0))

    def predict(self, X: Data) -> np.ndarray:
        """The most probable component of every point, (N,)."""
        return self._by_bayes(X, kernels.most_probable)

    def _by_bayes(self, X: Data, kept: Callable[[kernels.Shared], Array]) -> Any:
        """What is kept of the responsibilities and log-densities of all points."""
        blocks = Blocks.of(rows_in_one(X)).checked(self.check)
        function = partial(kernels.by_bayes, self._log_weights, self.components, kept)
        return np.concatenate(list(blocks.each(function)))

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

    def mean(self) -> Array:
        """The mean of a point, (D,)."""
        return self.weights @ self._gaussians("mean").means

    def covariance(self) -> Array:
        """The covariance of a point, (D, D): within the components, and between their means."""
        parts = self._gaussians("covariance")
        away = parts.means - self.mean()
        within: Array = np.einsum("k,kij->ij", self.weights, parts.matrices)
        return within + (self.weights[:, None] * away).T @ away

    def cdf(self, x: ArrayLike) -> Array:
        """The probability of a value up to each x, shaped as x; in one dimension."""
        parts = self._on_a_line("cdf")
        values = validate.no_nan("x", x)
        with np.errstate(under="ignore"):
            return (parts.cdf(values.ravel()) @ self.weights).reshape(values.shape)

    def quantile(self, p: ArrayLike) -> Array:
        """The value up to which a probability p lies, shaped as p; in one dimension: `cdf` inverted, by halving."""
        parts = self._on_a_line("quantile")
        wanted = validate.between_0_and_1("p", p)
        # 40 deviations beyond all means lies everything that a float64 can tell from 0 and 1.
        reach = 40 * np.sqrt(parts.variances)
        low = np.full(wanted.shape, (parts.means - reach).min())
        high = np.full(wanted.shape, (parts.means + reach).max())
        for _ in range(200):
            middle = low + (high - low) / 2
            below = self.cdf(middle) < wanted
            low, high = np.where(below, middle, low), np.where(below, high, middle)
        return np.where(wanted == 0, -np.inf, np.where(wanted == 1, np.inf, high))

    def marginal(self, columns: ArrayLike) -> Mixture:
        """The mixture of some of the features, given by their numbers, whatever the others are."""
        return self.with_parts(self.weights, self._gaussians("marginal").marginal(columns))

    def conditional(self, columns: ArrayLike, values: ArrayLike) -> Mixture:
        """The mixture of the other features, once these have these values.

        Every component is conditioned by itself, and weighted by how well it explains the values. One that explains
        them less than e^-745 times as well as another has the weight 0 from then on.

        Parameters
        ----------
        columns, values : array_like (C,)
            Which features are known, by number, and their values; at least one feature must be left.
        """
        D = self._gaussians("conditional").n_features
        chosen = validate.columns("columns", columns, D, all_allowed=False)
        values = validate.shaped("values", values, chosen.shape, "one number for each column")
        found = self.conditionals(chosen, values[None])
        return Mixture(found.resp[0], Gaussian.known(found.means[0], found.covariances))

    def conditionals(self, columns: ArrayLike, values: ArrayLike) -> Conditionals:
        """The mixtures of the other features, for many rows of values of these: a regression.

        Parameters
        ----------
        columns : array_like of int
            Which features are known, by number; at least one must be left.
        values : array_like (N, C)
            Their values, a row for each point.
        """
        D = self._gaussians("conditional").n_features
        chosen = validate.columns("columns", columns, D, all_allowed=False)
        values = validate.points(values, len(chosen), "values", "`columns` names")
        resp = self.marginal(chosen).responsibilities(values)
        means, covariances = self.components.conditional(chosen, values)
        return Conditionals(resp, means, covariances)

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
        divergence = np.minimum(other.components.divergence(self.components), 1e300)
        order = linear_sum_assignment(divergence)[1]
        return self.with_parts(self.weights[order], self.components.permuted(order))

    def _gaussians(self, what: str) -> Gaussian:
        if not isinstance(self.components, Gaussian):
            kind = self.components.kind()
            raise ValueError(f"{what} is for mixtures of Gaussians, and this is one of {kind}")
        return self.components

    def _on_a_line(self, what: str) -> Gaussian:
        parts = self._gaussians(what)
        validate.on_a_line(what, parts.n_features, "the mixture has", "mixture")
        return parts

    # A sequence of components -----------------------------------------------------------------------

    def __len__(self) -> int:
        return len(self.components)

    def __getitem__(self, k: int) -> Family:
        return self.components[k]

    def __iter__(self) -> Iterator[Family]:
        return (self.components[k] for k in range(len(self)))

    def __repr__(self) -> str:
        shown = range(min(len(self), SHOWN))
        lines = [f"  weight {self.weights[k]:.6g}, {self.components.describe(k)}" for k in shown]
        return "\n".join([f"Mixture of {self.components.headline()}", *lines, *more(len(self))])


def _named(numbers: Any) -> str:
    """'component 2', 'components 0 and 2', no more than ten by their numbers."""
    shown = [int(k) for k in numbers[:SHOWN]]
    if len(numbers) > SHOWN:
        return f"{len(numbers)} components, among them {listing(shown)},"
    return f"component{'' if len(shown) == 1 else 's'} {listing(shown)}"
