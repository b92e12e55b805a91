"""Expectation-maximization, whole.

*A model says what to expect of the data; expectations add up; the best parameters follow from the sum.*

    statistics = model.expect(X)             # E-step: expected sufficient statistics
    model = model.maximize(statistics)       # M-step: the parameters those statistics call for

- `Statistics`: what passes between the two steps. They add.
- `Model`: what EM must know of a model. `Suspicion`: its reason to distrust an end.
- `Step`: one turn of the loop.
- `em` repeats the two lines for ever; `squarem` does so in leaps. `emlib.fit` watches them, and decides when to stop.

Nothing in this file knows a distribution: a mixture of Gaussians, two coins and a hidden Markov chain are all fitted
by the same loop. Log-likelihoods and objectives are totals over the data, in nats.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from numbers import Real
from typing import Any, Generic, Literal, Self, TypeVar

import numpy as np

from emlib import validate
from emlib.blocks import Blocks
from emlib.value import Array, Value, field_names

EPS = float(np.finfo(float).eps)


class Collapse(ValueError):
    """The M-step has no answer: a component is left with too few points to determine it.

    Examples
    --------
    >>> from emlib import start
    >>> start.from_responsibilities([[1.0], [2.0], [3.0]], [[1, 0], [1, 0], [1, 0]])
    Traceback (most recent call last):
    emlib.em.Collapse: component 1 has no points left: use fewer components or another start
    """


class EMWarning(UserWarning):
    """A fit ended in a way that its user should know of.

    Examples
    --------
    >>> import warnings
    >>> from emlib import EMWarning, fit
    >>> from emlib.classic import Coins
    >>> with warnings.catch_warnings(action="error", category=EMWarning):  # no fit may end unnoticed
    ...     fit(Coins([0.6, 0.5]), [5, 9, 8, 4, 7], max_iter=2)
    Traceback (most recent call last):
    emlib.em.EMWarning: EM max_iter after 2 iterations: raise max_iter to go on
    """


# The protocol: what a model must offer, and what passes between its two steps -------------------------


@dataclass(frozen=True)
class Statistics(Value):
    """Expected sufficient statistics of some data, under one model. They add, and multiply by a number.

    A model with statistics of its own adds fields to this class: numbers, arrays, or anything else that knows `+`
    and `*` a number. The statistics of a whole are the sum of those of its parts, in whichever order.

    Attributes
    ----------
    log_likelihood : float
        Total log-likelihood of the data, in nats, under the model that did the expecting.
    n_points : float
        How many points these are; the sum of their weights, if they have weights.

    Examples
    --------
    >>> from emlib.classic import Coins
    >>> coins = Coins([0.6, 0.5])
    >>> parts = coins.expect([5, 9]) + coins.expect([8, 4, 7])
    >>> parts.n_points, parts.heads.round(1).tolist()
    (5.0, [21.3, 11.7])
    """

    log_likelihood: float
    n_points: float

    def __add__(self, other: Self) -> Self:
        if type(other) is not type(self):
            return NotImplemented
        pairs = {name: (getattr(self, name), getattr(other, name)) for name in field_names(type(self))}
        for name, (ours, theirs) in pairs.items():
            if np.shape(ours) != np.shape(theirs):
                raise ValueError(
                    f"{name} has shape {np.shape(ours)} in one and {np.shape(theirs)} in the other: "
                    "statistics add only if they come from models of one size"
                )
        return type(self)(*(ours + theirs for ours, theirs in pairs.values()))

    def __radd__(self, other: Any) -> Self:
        return self if other == 0 else NotImplemented  # sum() starts from the number 0

    def __mul__(self, scale: float) -> Self:
        if not isinstance(scale, Real):
            return NotImplemented
        return type(self)(*(getattr(self, name) * scale for name in field_names(type(self))))

    __rmul__ = __mul__


@dataclass(frozen=True)
class Suspicion:
    """A model's own reason to distrust the place where EM came to rest.

    Attributes
    ----------
    reason : {"stalled", "collapsed"}
    message : str
        One sentence for people, with the remedy.

    Examples
    --------
    >>> from emlib.classic import Coins
    >>> twins = Coins([0.6, 0.6])
    >>> print(twins.suspicion(twins.expect([5, 9, 8, 4, 7])).message)
    coins 0 and 1 cannot be told apart, so this is a saddle or one coin too many: use another start or fewer coins
    """

    reason: Literal["stalled", "collapsed"]
    message: str


class Model(ABC):
    """What EM needs to know of a model. Models are values: nothing here changes one.

    A model owns all that shapes its M-step: its structure, its floor, its prior.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> import numpy as np
    >>> from emlib import Model, Statistics, fit
    >>> @dataclass(frozen=True)
    ... class Hours(Statistics):
    ...     hours: float
    >>> @dataclass(frozen=True)
    ... class Lamps(Model):  # X has rows: the hours seen, and 1 if the lamp then failed, 0 if it still burns
    ...     mean: float
    ...     n_parameters = 1
    ...     def check(self, block):
    ...         return np.asarray(block, dtype=float)
    ...     def log_density(self, X):
    ...         return -X[:, 0] / self.mean - X[:, 1] * np.log(self.mean)
    ...     def expect(self, X, weights=None):
    ...         hours = X[:, 0] + (1 - X[:, 1]) * self.mean  # what still burns has `mean` hours to go
    ...         return Hours(float(self.log_density(X).sum()), len(X), float(hours.sum()))
    ...     def maximize(self, statistics):
    ...         return Lamps(statistics.hours / statistics.n_points)
    ...     def suspicion(self, statistics):
    ...         return None
    >>> round(fit(Lamps(mean=1.0), [[300, 1], [500, 1], [400, 0]], tol=1e-12).model.mean, 3)
    600.0
    """

    @abstractmethod
    def check(self, block: Any) -> Any:
        """Return a block of data in the form that `expect` wants, or raise a ValueError that says what is wrong."""

    @abstractmethod
    def expect(self, block: Any, weights: Any = None) -> Statistics:
        """E-step: the expected sufficient statistics of a block of data."""

    @abstractmethod
    def maximize(self, statistics: Any) -> Self:
        """M-step: the model of highest expected log-likelihood (plus log-prior), given the statistics.

        Raises
        ------
        Collapse
            If no such model exists, because some component is left with too few points.
        """

    @property
    @abstractmethod
    def n_parameters(self) -> int:
        """How many free numbers describe it: what AIC and BIC charge for."""

    @abstractmethod
    def log_density(self, X: Any) -> Array:
        """Log-density of every observation, in nats; of a whole sequence, where the observations are sequences."""

    @abstractmethod
    def suspicion(self, statistics: Any) -> Suspicion | None:
        """Why a fit that has come to rest here should not be trusted; None if it may be."""

    def prepared(self, block: Any) -> Any:
        """A block that `check` has returned, with what every step needs of it computed once."""
        return block

    def e_step(self, block: Any, weights: Any = None) -> Statistics:
        """`expect`, of a block that has been checked and prepared, and weights that fit it."""
        return self.expect(block, weights)

    @property
    def exact(self) -> bool:
        """Whether `maximize` finds a true maximum, so that the objective cannot fall. A ridge makes it False."""
        return True

    @property
    def least_points(self) -> int:
        """The fewest points that it can be fitted to."""
        return 1

    def log_prior(self) -> float:
        """Log-density of the prior at this model's parameters, in nats; 0 without a prior."""
        return 0.0

    def rounding(self, statistics: Any) -> float:
        """How far rounding alone may move the objective, in nats: some hundred units in its last place."""
        return 256 * EPS * (abs(statistics.log_likelihood) + abs(statistics.n_points))


# The loop -----------------------------------------------------------------------------------------------

M = TypeVar("M", bound=Model)


@dataclass(frozen=True)
class Step(Generic[M]):
    """One turn of the loop: a model, and what it expects of the data.

    Attributes
    ----------
    number : int
        0 for the model that EM started from.
    model : Model
    statistics : Statistics
        The E-step's result under `model`.
    jump : bool
        Whether the model was extrapolated, and is not the M-step of the one before.
    exact : bool
        Whether the theory forbids the objective to fall here: not after an inexact M-step, nor in online EM.

    Examples
    --------
    >>> from emlib import em
    >>> from emlib.classic import Coins
    >>> step = next(em(Coins([0.6, 0.5]), [5, 9, 8, 4, 7]))
    >>> step.number, step.model, round(step.objective, 2)
    (0, Coins([0.6, 0.5], tosses=10), -33.09)
    """

    number: int
    model: M
    statistics: Statistics
    jump: bool = False
    exact: bool = True

    @property
    def objective(self) -> float:
        """Log-likelihood plus log-prior of this step's own model, in nats: what may not fall."""
        return self.statistics.log_likelihood + self.model.log_prior()


def em(model: M, data: Any, weights: Any = None) -> Iterator[Step[M]]:
    """Run EM, one step at a time, for ever: the caller decides when to stop listening.

    Parameters
    ----------
    model : Model
        Where to start.
    data : array, list of arrays, or Blocks
        A list is a list of blocks; see `Blocks`.
    weights : array or list of arrays, optional
        The weight of every point, in the same pieces as the data.

    Yields
    ------
    Step
        The start first, then the model after each M-step.

    References
    ----------
    Dempster, Laird & Rubin (1977), Maximum likelihood from incomplete data via the EM algorithm.

    Examples
    --------
    >>> from itertools import islice
    >>> from emlib import em
    >>> from emlib.classic import Coins
    >>> for step in islice(em(Coins([0.6, 0.5]), [5, 9, 8, 4, 7]), 3):
    ...     print(step.model, round(step.objective, 3))
    Coins([0.6, 0.5], tosses=10) -33.094
    Coins([0.713012, 0.581339], tosses=10) -31.859
    Coins([0.745292, 0.569256], tosses=10) -31.723
    """
    return _steps(model, opened(model, data, weights))


def _steps(model: M, blocks: Blocks) -> Iterator[Step[M]]:
    """The loop itself; its data are checked before anybody asks for a step."""
    exact = model.exact
    for number in count():
        statistics = blocks.sum(model.e_step)  # E-step
        yield Step(number, model, statistics, exact=exact)
        model = model.maximize(statistics)  # M-step


def opened(model: Model, data: Any, weights: Any = None) -> Blocks:
    """The data in blocks that the model has checked and prepared, so that no step need do so again."""
    validate.kind("model", model, Model, ", such as a Mixture: the start")
    return Blocks.of(data, weights).checked(model.check).prepared(model.prepared)


def squarem(
    model: M, data: Any, weights: Any = None, leaps: Callable[[], bool] = lambda: True
) -> Iterator[Step[M]]:
    """Run EM in leaps: after every two steps, go on in their direction as far as seems right.

    Close to its limit each step of EM comes nearer to it by one and the same rate. Three sums of statistics s0, s1, s2,
    of two steps, so say where the steps lead: to (1-a)^2 s0 + 2a(1-a) s1 + a^2 s2 with a = 1 / (1 - rate), and the
    M-step of that is where EM goes on. The two gains tell the rate: it is the root of their ratio. So the scheme
    needs nothing of a model but that its statistics add up. A leap that does not climb is taken back, so the objective
    never falls.

    Parameters
    ----------
    model, data, weights
        As for `em`.
    leaps : function
        Asked before every leap whether to make it; whoever judges the fit may want to see some plain steps.

    Yields
    ------
    Step
        As from `em`, and for every leap that was kept one with `jump` set. Numbers count leaps taken back, too.

    References
    ----------
    Varadhan & Roland (2008), Simple and globally convergent methods for accelerating the convergence of any EM
    algorithm. There parameters are extrapolated, and the rate is one of distances between them.

    Examples
    --------
    >>> from itertools import islice
    >>> from emlib import squarem
    >>> from emlib.classic import Coins
    >>> steps = list(islice(squarem(Coins([0.6, 0.5]), [5, 9, 8, 4, 7]), 7))
    >>> [step.number for step in steps if step.jump]
    [3, 6]
    >>> steps[-1].model  # EM itself comes here in some 16 steps
    Coins([0.7968, 0.519543], tosses=10)
    """
    validate.function("leaps", leaps)
    return _leaping_steps(model, opened(model, data, weights), leaps)


def _leaping_steps(model: M, blocks: Blocks, leaps: Callable[[], bool]) -> Iterator[Step[M]]:
    """The accelerated loop itself."""
    numbers, longest = count(), 4.0
    step = _step(next(numbers), model, blocks)
    yield step
    while True:
        # Two plain steps, and what they gained.
        steps = [step]
        for _ in range(2):
            step = _step(next(numbers), step.model.maximize(step.statistics), blocks)
            steps.append(step)
            yield step
        before, gain = (steps[i].objective - steps[i - 1].objective for i in (1, 2))
        if not (before > gain > 0 and leaps()):
            continue
        # A leap as long as the gains say; how long one may be grows and shrinks with success.
        a = float(min(1 / (1 - np.sqrt(gain / before)), longest))
        landed = _leap(steps, a, blocks, next(numbers))
        if a == longest:
            longest = 4 * longest if landed else max(longest / 4, 2.0)
        if landed:
            step = landed
            yield step


def _step(number: int, model: M, blocks: Blocks, jump: bool = False) -> Step[M]:
    """A model, and what it expects of all blocks."""
    return Step(number, model, blocks.sum(model.e_step), jump, model.exact)


def _leap(steps: list[Step[M]], a: float, blocks: Blocks, number: int) -> Step[M] | None:
    """The step to where two steps lead; None if no model is there, or if the objective does not climb."""
    s0, s1, s2 = (step.statistics for step in steps)
    try:
        with np.errstate(all="ignore"):
            extrapolated = s0 * (1 - a) ** 2 + s1 * (2 * a * (1 - a)) + s2 * a**2
            landed = _step(number, steps[-1].model.maximize(extrapolated), blocks, jump=True)
    except (ValueError, ArithmeticError):
        return None
    return landed if landed.objective >= steps[-1].objective else None
