"""What a mixture asks of the family its components come from.

- `Family`: K distributions of one kind. A family of your own is a frozen dataclass with arrays for its parameters, and
  eight methods: `check`, `log_density`, `collect`, `maximize`, `divergence`, `describe`, `sample` and `n_parameters`.
- `Linear`: the fast way through the E-step, which an exponential family may offer.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import MISSING, fields
from functools import cache
from inspect import isabstract
from operator import index
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import chdtri

from emlib import validate
from emlib.blocks import as_one
from emlib.text import counted
from emlib.value import Array, Value, frozen

LARGEST_ERROR = 1e-9  # the largest error of a log-density, in nats, that a faster way is allowed
CHANCE = 1e-3  # in one random split of a thousand, the halves are farther apart than a test allows


class Linear(NamedTuple):
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
        gather(sums, scatter), scatter (D, D) the sum of x_n x_n' over all components. None if these statistics would
        not keep ten of their digits.
    shift : array (D,)
        What is subtracted from the points first.
    common : array (D, D) or None
        P, where -x'Px/2 is a term that all components share.

    Examples
    --------
    >>> import numpy as np
    >>> from emlib import Gaussian
    >>> X, components = np.array([[-1.0], [4.0]]), Gaussian.univariate(means=[0, 3], variances=[1, 4])
    >>> linear = components.linear(np.log([0.5, 0.5]), X)
    >>> x = (X - linear.shift).T
    >>> phi = np.vstack([x * x, x, np.ones_like(x)])
    >>> np.allclose(linear.theta @ phi, np.log(0.5) + components.log_density(X).T)
    True
    """

    theta: Array
    products: Callable[[Array, Array], None]
    gather: Callable[..., Any]
    shift: Array
    common: Array | None = None


class Family(Value, ABC):
    """K distributions of one kind, batched: an immutable sequence of components.

    A family knows nothing of mixture weights, of other families or of the loop. Its parameters are arrays whose
    first axis counts the components; further fields with defaults are options, which are the same for all. `check`,
    `collect` and `maximize` may use the options and not the parameters, so that EM can start from responsibilities
    alone. (A family that needs them must bring a `from_responsibilities` of its own.) Shapes: X (N, D), resp (N, K).

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> import numpy as np
    >>> from scipy.special import gammaln, kl_div, xlogy
    >>> from emlib import Family, fit, start, validate
    >>> @dataclass(frozen=True)
    ... class Poisson(Family):
    ...     rates: np.ndarray  # (K, D)
    ...     def check(self, X):
    ...         return validate.table(X, self.n_features)
    ...     def log_density(self, X):
    ...         return (xlogy(X[:, None], self.rates) - self.rates - gammaln(X[:, None] + 1)).sum(axis=2)
    ...     def collect(self, X, resp):
    ...         return np.column_stack([resp.sum(axis=0), resp.T @ X])  # counts and sums, (K, 1 + D)
    ...     def maximize(self, statistics):
    ...         return Poisson(statistics[:, 1:] / statistics[:, :1])
    ...     def divergence(self, other):
    ...         a, b = self.rates[:, None], other.rates
    ...         return (kl_div(a, b) + kl_div(b, a)).sum(axis=2)
    ...     def describe(self, k):
    ...         return f"rates {self.rates[k].round(2).tolist()}"
    ...     def sample(self, labels, rng):
    ...         return rng.poisson(self.rates[labels])
    ...     @property
    ...     def n_parameters(self):
    ...         return self.rates.size
    >>> goals = [[0, 1], [1, 0], [0, 0], [1, 1], [6, 9], [8, 7], [7, 8]]
    >>> fit(start.from_labels(goals, [0, 0, 0, 0, 1, 1, 1], family=Poisson), goals).model
    Mixture of 2 Poissons
      weight 0.571406, rates [0.5, 0.5]
      weight 0.428594, rates [7.0, 8.0]
    """

    _inherited = (*Value._inherited, "__repr__")

    # Required -----------------------------------------------------------------------------------------

    @abstractmethod
    def check(self, X: Any) -> np.ndarray:
        """Return points as an array (N, D), or raise a ValueError that says what is wrong, and in which row.

        `emlib.validate.table(X, self.n_features)` does for real numbers.
        """

    @abstractmethod
    def log_density(self, X: Array) -> Array:
        """Log-density of every point under every component, (N, K), in nats."""

    @abstractmethod
    def collect(self, X: Array, resp: Array) -> Any:
        """Sufficient statistics of the points, each weighted by its responsibilities: they know `+` and `*` a number.

        An array will do, or an object of a class with these two; not a tuple or a list, for which `+` means more.
        """

    @abstractmethod
    def maximize(self, statistics: Any) -> Self:
        """M-step: the components of highest likelihood for these statistics.

        Raises
        ------
        Collapse
            If a component has no points, or too few.
        """

    @abstractmethod
    def divergence(self, other: Self) -> Array:
        """How far these components are from those of another family of the kind, (K, K of the other), in nats.

        It is 0 between equal components only, greater otherwise, and may be infinite. To second order it must be the
        squared distance by Fisher's information, as the symmetric Kullback-Leibler divergence is: by that `fit` tells
        a maximum from a saddle, where two components are one. (`scipy.special.kl_div` has no nan where a rate is 0.)
        """

    @abstractmethod
    def describe(self, k: int) -> str:
        """Component k in one line: "mean 3, variance 2"."""

    @abstractmethod
    def sample(self, labels: np.ndarray, rng: np.random.Generator) -> Array:
        """One point (D,) for each label: a draw from the component of that number."""

    @property
    @abstractmethod
    def n_parameters(self) -> int:
        """How many free numbers all components have together."""

    # Derived ------------------------------------------------------------------------------------------

    def __post_init__(self) -> None:
        for name in self._parameters():
            self.__dict__[name] = frozen(getattr(self, name))

    @property
    def n_features(self) -> Any:
        """D, the number of columns of the data, as the first parameter has it; None as long as there is none."""
        first = vars(self).get(self._parameters()[0])
        return None if first is None else 1 if first.ndim == 1 else first.shape[1]

    def __len__(self) -> int:
        """K, the number of components."""
        return len(getattr(self, self._parameters()[0]))

    def __getitem__(self, k: int) -> Self:
        """Component k alone, as a family of one."""
        K = len(self)
        try:
            order = [range(K)[index(k)]]
        except IndexError:  # which ends a loop over a sequence
            raise IndexError(f"there is no component {k}; they are numbered from 0 to {K - 1}") from None
        except TypeError:
            raise ValueError(f"{k!r} is no component; give the number of one, from 0 to {K - 1}") from None
        return self.permuted(order)

    def permuted(self, order: ArrayLike) -> Self:
        """These components in another order, or some of them."""
        which = validate.members("order", order, len(self))
        state = {f.name: getattr(self, f.name) for f in fields(self)}  # type: ignore[arg-type]
        return self._made(**state | {name: state[name][which] for name in self._parameters()})

    @classmethod
    def from_responsibilities(cls, X: ArrayLike, resp: ArrayLike, **options: Any) -> Self:
        """The M-step of given responsibilities: `collect`, then `maximize`.

        Parameters
        ----------
        X : array_like (N, D), or list of blocks
        resp : array_like (N, K), or list of blocks
            How much each point counts for each component, 0 or more.
        **options
            Those of the family.

        Examples
        --------
        >>> from emlib import Gaussian
        >>> Gaussian.from_responsibilities([[0.0], [2.0], [10.0], [12.0]], [[1, 0], [1, 0], [0, 1], [0, 1]])
        2 Gaussians in 1 dimension
          mean 1, variance 1
          mean 11, variance 1
        """
        chosen = cls._options(**options)
        X = np.asarray(cls._made(**chosen).check(as_one(X)), dtype=float)
        resp = validate.table_of_shares("resp", as_one(resp), len(X))
        empty = cls._made(**cls._in_dimensions(chosen, X.shape[1]))
        return empty.maximize(empty.collect(X, resp))

    def distinct(self, counts: Array) -> Array:
        """How clearly their points, so many for each, tell components apart, (K, K); below 1 it may be chance."""
        return separation(self.divergence(self), counts, self.n_parameters // len(self))

    @classmethod
    @cache
    def _parameters(cls) -> tuple[str, ...]:
        """The names of the fields that count components."""
        return tuple(f.name for f in fields(cls) if f.default is MISSING and f.default_factory is MISSING)  # type: ignore[arg-type]

    @classmethod
    def _options(cls, **given: Any) -> dict[str, Any]:
        """The options of the family, as given or by default."""
        own = [f for f in fields(cls) if f.name not in cls._parameters()]  # type: ignore[arg-type]
        defaults = {f.name: f.default if f.default_factory is MISSING else f.default_factory() for f in own}
        validate.options(cls.__name__, given, defaults)
        return defaults | given

    @classmethod
    def _in_dimensions(cls, options: dict[str, Any], D: int) -> dict[str, Any]:
        """The options for data of so many columns, or a ValueError if they do not fit."""
        return options

    @classmethod
    def kind(cls) -> str:
        """What one component is called."""
        return cls.__name__

    def __repr__(self) -> str:
        lines = [f"  {self.describe(k)}" for k in range(min(len(self), SHOWN))]
        return "\n".join([self.headline(), *lines, *more(len(self))])

    def headline(self) -> str:
        """How many of what: the first line of a repr."""
        return counted(len(self), self.kind())

    # Offered: a family may have these --------------------------------------------------------------------

    @property
    def exact(self) -> bool:
        """Whether `maximize` finds a true maximum; see `emlib.em.Model.exact`."""
        return True

    def log_prior(self) -> float:
        """Log-density of the prior over the components' parameters, in nats; 0 without one."""
        return 0.0

    def log_joint(self, log_weights: Array, X: Array) -> Array:
        """Log of weight times density, (N, K), for an E-step: -inf is as good as e^-75 of the largest in a row."""
        return log_weights + self.log_density(X)

    def linear(self, log_weights: Array, X: Array, shift: Array | None = None) -> Linear | None:
        """The logs of weight times density in linear form; None if there is none, or if it would not do for X."""
        return None

    def rounding(self, statistics: Any) -> float:
        """How far rounding in the components may move the log-likelihood, in nats, beyond that of the sum."""
        return 0.0

    def held_up(self, statistics: Any) -> np.ndarray:
        """The numbers of those components that only a floor or a ridge keeps from collapsing."""
        return np.array([], dtype=int)

    def marginal(self, columns: ArrayLike) -> Self:
        """The distributions of some of the features, whatever the others are."""
        raise ValueError(f"{type(self).__name__} has no marginals")

    def conditional(self, columns: np.ndarray, values: Array) -> tuple[Array, Array]:
        """Means (N, K, R) and covariances (K, R, R) of the R other features, given rows (N, C) of values of these."""
        raise ValueError(f"{type(self).__name__} has no conditionals")


def checked_family(family: Any) -> type[Family]:
    """A class of components that one can build; anything else is refused in words."""
    if not (isinstance(family, type) and issubclass(family, Family)) or isabstract(family):
        raise ValueError(f"family is {family!r}; it must be a class of components, such as Gaussian")
    return family


SHOWN = 10  # components that a repr shows


def more(K: int) -> Sequence[str]:
    """The last line of a repr: how many components it does not show."""
    return [f"  and {K - SHOWN} more"] if K > SHOWN else []


def separation(divergence: Array, counts: Array, degrees: int) -> Array:
    """How clearly the points of two components tell them apart, (K, K): above 1 more clearly than chance would.

    The points of one component, split at random, make two halves of symmetric divergence J, and n J follows a
    chi-square law, where 1/n = 1/n_j + 1/n_k (Kullback 1959, ch. 6). That law is for many
    points; with few points in many dimensions halves differ more, and fewer saddles are recognised.

    Parameters
    ----------
    divergence : array (K, K)
        The part of J that is due to certain parameters, or all of it.
    counts : array (K,)
        Expected number of points of each component.
    degrees : int
        How many of these parameters a component has.
    """
    counts = validate.shaped("counts", counts, divergence.shape[:1], "one number for each component, (K,)")
    with np.errstate(divide="ignore", invalid="ignore"):  # a component may have no points at all
        shared = 1 / (1 / counts[:, None] + 1 / counts[None])
        return divergence * shared / chdtri(max(degrees, 1), CHANCE)
