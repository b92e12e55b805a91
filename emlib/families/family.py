"""What a mixture asks of the family its components come from."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, NamedTuple, Self

import numpy as np

from emlib.families.apart import clearly
from emlib.validate import Array, Value


class Natural(NamedTuple):
    """The logs of weight times density in an exponential family, as theta . phi(x): linear in what the M-step sums.

    With them a whole block of points is two products of matrices; see `emlib.kernels.fused`.

    Attributes
    ----------
    theta : array (K, P)
        Natural parameters; the last multiplies the 1 at the end of phi.
    products : function
        phi(x) is (products of x, x, 1): products(X, out) fills `out` (P - D - 1, B) with those of points in columns,
        X (D, B).
    gather : function
        gather(sums) makes the family's statistics of the sums of r_nk phi(x_n), (K, P); with `common`, it is
        gather(sums, scatter), scatter (D, D) the sum of x_n x_n' over all components.
    kept : function
        kept(statistics) says whether what `gather` made has kept its digits, ten of them or more.
    shift : array (D,)
        What is subtracted from the points first.
    common : array (D, D) or None
        P, where -x'Px/2 is a term that all components share.
    """

    theta: Array
    products: Callable[[Array, Array], None]
    gather: Callable[..., Any]
    kept: Callable[[Any], bool]
    shift: Array
    common: Array | None = None


class Family(Value, ABC):
    """K distributions of one kind, batched: an immutable sequence of components.

    A family knows nothing of mixture weights, of other families or of the loop. Shapes: X (N, D),
    resp (N, K).
    """

    # What it is -------------------------------------------------------------------------------------

    @property
    @abstractmethod
    def n_features(self) -> int:
        """D, the number of columns of the data."""

    @property
    @abstractmethod
    def own_parameters(self) -> int:
        """How many free numbers each component has to itself."""

    @property
    def n_parameters(self) -> int:
        """How many free numbers all components have together."""
        return len(self) * self.own_parameters

    @abstractmethod
    def __len__(self) -> int:
        """K, the number of components."""

    @abstractmethod
    def __getitem__(self, k: int) -> Self:
        """Component k alone, as a family of one."""

    # What EM needs ----------------------------------------------------------------------------------

    @property
    def exact(self) -> bool:
        """Whether `maximize` finds a true maximum; see `emlib.em.Model.exact`."""
        return True

    @abstractmethod
    def log_density(self, X: Array) -> Array:
        """Log-density of every point under every component, (N, K), in nats."""

    def log_joint(self, log_weights: Array, X: Array) -> Array:
        """Log of weight times density, (N, K), for an E-step: -inf is as good as e^-75 of the largest in a row."""
        return log_weights + self.log_density(X)

    @abstractmethod
    def collect(self, X: Array, resp: Array) -> Any:
        """Sufficient statistics of the points, each weighted by its responsibilities. They add."""

    @abstractmethod
    def maximize(self, statistics: Any) -> Self:
        """M-step: the components of highest likelihood for these statistics."""

    def log_prior(self) -> float:
        """Log-density of the prior over the components' parameters, in nats; 0 without one."""
        return 0.0

    def natural(self, log_weights: Array) -> Natural | None:
        """The logs of weight times density in linear form, if there is one: the fast way through the E-step."""
        return None

    def loses(self, X: Array, allowed: float) -> bool:
        """Whether the bound on its rounding is surely above so many nats for these points; False if one has to try."""
        return False

    def rounding(self, statistics: Any) -> float:
        """How far rounding in the components may move the log-likelihood, in nats, beyond that of the sum."""
        return 0.0

    def propped(self, statistics: Any) -> np.ndarray:
        """The numbers of those components that only the floor keeps from collapsing."""
        return np.array([], dtype=int)

    def divergence(self, other: Self | None = None) -> Array | None:
        """How far components are from those of another family, or from each other, (K, K), in nats.

        The symmetric Kullback-Leibler divergence; None if the family cannot say.
        """
        return None

    def distinct(self, counts: Array) -> Array | None:
        """How clearly their points, so many for each, tell components apart, (K, K); below 1 it may be chance.

        None if the family cannot say.
        """
        divergence = self.divergence()
        return None if divergence is None else clearly(divergence, counts, self.own_parameters)

    # What users may ask for -------------------------------------------------------------------------

    @abstractmethod
    def sample(self, labels: np.ndarray, rng: np.random.Generator) -> Array:
        """One point (D,) for each label: a draw from the component of that number."""

    def permuted(self, order: np.ndarray) -> Self:
        """The components in another order."""
        raise NotImplementedError(f"{type(self).__name__} cannot reorder its components")

    def marginal(self, columns: np.ndarray) -> Self:
        """The distributions of some of the features, whatever the others are."""
        raise NotImplementedError(f"{type(self).__name__} has no marginals")

    def conditional(self, columns: np.ndarray, values: Array) -> Self:
        """The distributions of the other features, given the values of these."""
        raise NotImplementedError(f"{type(self).__name__} has no conditionals")
