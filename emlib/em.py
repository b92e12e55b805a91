"""Expectation-maximization, whole.

*A model says what to expect of the data; expectations add up; the best parameters follow from the sum.*

    statistics = model.expect(X)             # E-step: expected sufficient statistics
    model = model.maximize(statistics)       # M-step: the parameters those statistics call for

`em` repeats these two lines for ever, and `squarem` does so in leaps; `emlib.fit` watches them and decides when
to stop. Nothing in this file knows a distribution: a mixture of Gaussians, two coins and a hidden Markov
chain are all fitted by the same loop.

Log-likelihoods and objectives are totals over the data, in nats.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from itertools import count
from typing import Any, Generic, Self, TypeVar

import numpy as np

from emlib import validate
from emlib.scale import Blocks
from emlib.stopping import Doubt

# --------------------------------------------------------------------------------------------------
# The protocol: what a model must offer, and what passes between its two steps
# --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Statistics:
    """Expected sufficient statistics of some data, under one model. They add.

    A model with statistics of its own adds fields to this class; each must be a number, an array, or
    anything else that knows `+` and multiplication by a number. The statistics of a whole are the sum
    of those of its parts, whatever the parts and in whichever order.

    Attributes
    ----------
    log_likelihood : float
        Total log-likelihood of the data, in nats, under the model that did the expecting.
    n_points : float
        How many points these are; the sum of their weights, if they have weights.
    """

    log_likelihood: float
    n_points: float

    def __add__(self, other: Self) -> Self:
        if type(other) is not type(self):
            return NotImplemented
        for f in fields(self):
            ours, theirs = np.shape(getattr(self, f.name)), np.shape(getattr(other, f.name))
            if ours != theirs:
                raise ValueError(
                    f"{f.name} has shape {ours} in one and {theirs} in the other: "
                    "statistics add only if they come from models of one size"
                )
        return type(self)(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))

    def __radd__(self, other: Any) -> Self:
        # sum() starts from the number 0.
        return self if other == 0 else NotImplemented

    def __mul__(self, scale: float) -> Self:
        return type(self)(*(getattr(self, f.name) * scale for f in fields(self)))

    __rmul__ = __mul__


class Model(ABC):
    """What EM needs to know of a model. Models are values: nothing here changes one.

    A model owns all that shapes its M-step: its structure, its floor, its prior.
    """

    @property
    def exact(self) -> bool:
        """Whether `maximize` finds a true maximum. A floor under the variances makes it False."""
        return True

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

    def log_prior(self) -> float:
        """Log-density of the prior at this model's parameters, in nats; 0 without a prior."""
        return 0.0

    def doubt(self, statistics: Any) -> Doubt | None:
        """Why a fit that has come to rest here should not be trusted; None if it may be."""
        return None

    def rounding(self, statistics: Any) -> float:
        """How far rounding alone may move the objective, in nats: some hundred units in its last place."""
        return 256 * EPS * (abs(statistics.log_likelihood) + abs(statistics.n_points))


EPS = float(np.finfo(float).eps)


class Collapse(ValueError):
    """The M-step has no answer: a component is left with too few points to determine it."""


class EMWarning(UserWarning):
    """A fit ended in a way that its user should know of."""


# --------------------------------------------------------------------------------------------------
# The loop
# --------------------------------------------------------------------------------------------------


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
    """

    number: int
    model: M
    statistics: Statistics
    jump: bool = False

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
    """
    validate.kind("model", model, Model, ", such as a Mixture: the start")
    blocks = Blocks.of(data, weights)
    for number in count():
        statistics = blocks.sum(model.expect)  # E-step
        yield Step(number, model, statistics)
        model = model.maximize(statistics)  # M-step


def squarem(
    model: M, data: Any, weights: Any = None, leaps: Callable[[], bool] = lambda: True
) -> Iterator[Step[M]]:
    """Run EM in leaps: after every two steps, go on in their direction as far as seems right.

    Close to its limit each step of EM comes nearer to it by one and the same rate. Three sums of statistics s0, s1, s2,
    of two steps, so say where the steps lead: to (1-a)^2 s0 + 2a(1-a) s1 + a^2 s2 with a = 1 / (1 - rate), and the
    M-step of that is where EM goes on. The two gains tell the rate: it is the root of their ratio. So the scheme
    needs nothing of a model but that its statistics add up, and asks of it what EM asks.

    A leap that does not climb is taken back, so the objective never falls.

    Parameters
    ----------
    model, data, weights
        As for `em`.
    leaps : function
        Asked before every leap whether to make it; whoever judges the fit may want to see some plain steps.

    Yields
    ------
    Step
        Like `em`, and for every leap that was kept a step with `jump` set. Numbers count M-steps, those of leaps
        taken back included.

    References
    ----------
    Varadhan & Roland (2008), Simple and globally convergent methods for accelerating the convergence of any EM
    algorithm. There parameters are extrapolated, and the rate is one of distances between them.
    """
    blocks, number, longest = Blocks.of(data, weights), 0, 4.0
    first = next(em(model, blocks))
    yield first
    while True:
        steps = [first]
        for _ in range(2):
            model = steps[-1].model.maximize(steps[-1].statistics)
            number += 1
            steps.append(Step(number, model, blocks.sum(model.expect)))
            yield steps[-1]
        first = steps[-1]
        before, gain = (steps[i].objective - steps[i - 1].objective for i in (1, 2))
        if not (before > gain > 0 and leaps()):
            continue
        length = min(1 / (1 - np.sqrt(gain / before)), longest)
        number += 1
        leap = _leap(steps, float(length), blocks, number)
        if leap is not None and leap.objective >= first.objective:
            first = leap
            yield first
            if length == longest:
                longest *= 4
        elif length == longest:
            longest = max(longest / 4, 2.0)


def _leap(steps: list[Step[M]], a: float, blocks: Blocks, number: int) -> Step[M] | None:
    """The model that three steps lead to, if there is one: extrapolated statistics need not be possible ones."""
    s0, s1, s2 = (step.statistics for step in steps)
    try:
        with np.errstate(all="ignore"):
            model = steps[-1].model.maximize(s0 * (1 - a) ** 2 + s1 * (2 * a * (1 - a)) + s2 * a**2)
            return Step(number, model, blocks.sum(model.expect), jump=True)
    except (ValueError, ArithmeticError):
        return None
