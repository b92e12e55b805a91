"""What a mixture asks of the family its components come from."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Self

import numpy as np

from emlib.validate import Array, Value


class Family(Value, ABC):
    """K distributions of one kind, batched: an immutable sequence of components.

    A family knows nothing of mixture weights, of other families or of the loop. Shapes: X (N, D),
    resp (N, K).
    """

    @property
    def exact(self) -> bool:
        """Whether `maximize` finds a true maximum; see `emlib.em.Model.exact`."""
        return True

    @property
    @abstractmethod
    def n_features(self) -> int:
        """D, the number of columns of the data."""

    @property
    @abstractmethod
    def n_parameters(self) -> int:
        """How many free numbers describe one component."""

    @abstractmethod
    def __len__(self) -> int:
        """K, the number of components."""

    @abstractmethod
    def __getitem__(self, k: int) -> Self:
        """Component k alone, as a family of one."""

    @abstractmethod
    def log_density(self, X: Array) -> Array:
        """Log-density of every point under every component, (N, K), in nats."""

    @abstractmethod
    def collect(self, X: Array, resp: Array) -> Any:
        """Sufficient statistics of the points, each weighted by its responsibilities. They add."""

    @abstractmethod
    def maximize(self, statistics: Any) -> Self:
        """M-step: the components of highest likelihood for these statistics."""

    @abstractmethod
    def sample(self, labels: np.ndarray, rng: np.random.Generator) -> Array:
        """One point (D,) for each label: a draw from the component of that number."""

    def log_prior(self) -> float:
        """Log-density of the prior over the components' parameters, in nats; 0 without one."""
        return 0.0

    def rounding(self, statistics: Any) -> float:
        """How far rounding in the components may move the log-likelihood, in nats, beyond that of the sum."""
        return 0.0

    def propped(self, statistics: Any) -> np.ndarray:
        """The numbers of those components that only the floor keeps from collapsing."""
        return np.array([], dtype=int)

    def divergence(self) -> Array | None:
        """How far apart the components are, (K, K), symmetric Kullback-Leibler divergence in nats.

        None if the family cannot say.
        """
        return None
