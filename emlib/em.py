"""Expectation-maximization, whole.

*A model says what to expect of the data; expectations add up; the best parameters follow from the sum.*

    statistics = model.expect(X)             # E-step: expected sufficient statistics
    model = model.maximize(statistics)       # M-step: the parameters those statistics call for

`em` repeats these two lines for ever. `fit` watches it and decides when to stop, and `Stop` says why it
did. Nothing in this file knows a distribution: a mixture of Gaussians, two coins and a hidden Markov
chain are all fitted by the same loop.

Log-likelihoods and objectives are totals over the data, in nats.
"""

from __future__ import annotations

import warnings
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, fields
from functools import cache
from itertools import count
from typing import Any, Generic, Literal, Self, TypeVar

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import ThreadpoolController

from emlib import validate
from emlib.scale import Blocks
from emlib.stopping import Doubt, Stop, Watch, broken_off

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
    """

    number: int
    model: M
    statistics: Statistics

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
    if isinstance(data, Blocks) and weights is not None:
        raise ValueError("data is in Blocks already: give them the weights, as Blocks(data, weights)")
    blocks = data if isinstance(data, Blocks) else Blocks(data, weights)
    for number in count():
        statistics = blocks.sum(model.expect)  # E-step
        if not statistics.n_points > 0:
            raise ValueError("the weights are zero everywhere: at least one point must count")
        yield Step(number, model, statistics)
        model = model.maximize(statistics)  # M-step


# --------------------------------------------------------------------------------------------------
# The loop, watched
# --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Trace(Generic[M]):
    """The history of a fit.

    Attributes
    ----------
    model : Model
        The fitted model: the last one, or after a fall the best one.
    stop : Stop
        Why the fit ended.
    objectives, log_likelihoods : array (n_iter + 1,)
        In nats; the first belongs to the start.
    models : tuple of Model
        The models, the start first; only the fitted one if the fit was told to `keep="values"`.
    n_points : float
        How many points the log-likelihoods are totals of.
    roundings : array (n_iter + 1,)
        How far rounding alone may have moved each objective, in nats.
    exact : bool
        Whether every M-step was a true maximum. Only then does the theory forbid a fall.
    """

    model: M
    stop: Stop
    objectives: NDArray[np.float64]
    log_likelihoods: NDArray[np.float64]
    models: tuple[M, ...]
    n_points: float
    roundings: NDArray[np.float64]
    exact: bool

    def __repr__(self) -> str:
        return f"<Trace: {self.stop}>"


def fit(
    model: M,
    data: Any,
    weights: Any = None,
    *,
    tol: float = 1e-6,
    max_iter: int = 1000,
    keep: Literal["models", "values"] = "models",
) -> Trace[M]:
    """Run EM until it has converged, or until it is clear that it will not.

    Parameters
    ----------
    model : Model
        Where to start; see `emlib.start`. It is not changed.
    data : array, list of arrays, or Blocks
        For a mixture an array (N, D). A list is a list of blocks; see `Blocks`.
    weights : array or list of arrays, optional
        The weight of every point, in the same pieces as the data.
    tol : float
        Stop when the estimated distance to the limit is below this many nats per point. With 0 the fit
        does not judge: it makes `max_iter` steps.
    max_iter : int
        The most M-steps to make.
    keep : {"models", "values"}
        Whether the trace holds every model, or only their objectives.

    Returns
    -------
    Trace
        With the fitted model, the objectives and the reason for stopping.

    Raises
    ------
    ValueError
        For data the model cannot use, and for a tol, max_iter or keep that makes no sense.

    Warns
    -----
    EMWarning
        If the fit did not converge, with the remedy.
    """
    tol = validate.not_negative("tol", tol)
    max_iter = validate.count("max_iter", max_iter, least=0)
    validate.one_of("keep", keep, ("models", "values"))

    history: list[tuple[M | None, float, float]] = []  # model, log-likelihood, objective
    watch, stop = Watch(tol, max_iter), None
    with blas().limit(limits=1):  # threads cost more than they give on matrices as small as EM's
        try:
            for step in em(model, data, weights):
                history.append((step.model, step.statistics.log_likelihood, step.objective))
                if keep == "values" and len(history) > 2:
                    history[-3] = (None, *history[-3][1:])  # the last but one may yet prove the best
                if stop := watch(step):
                    break
        except (Collapse, KeyboardInterrupt) as error:
            if not history:
                raise
            stop = broken_off(error, len(history) - 1)

    assert stop is not None  # em never ends by itself
    models = [model for model, *_ in history if model is not None]
    fitted = models[-2] if stop.reason == "decreased" else models[-1]
    if not stop.converged and not (stop.reason == "max_iter" and tol == 0):
        warnings.warn(f"EM {stop}", EMWarning, stacklevel=2)
    return Trace(
        model=fitted,
        stop=stop,
        objectives=np.array([objective for *_, objective in history]),
        log_likelihoods=np.array([log_likelihood for _, log_likelihood, _ in history]),
        models=tuple(models) if keep == "models" else (fitted,),
        n_points=step.statistics.n_points,
        roundings=np.array(watch.roundings),
        exact=fitted.exact,
    )


@cache
def blas() -> ThreadpoolController:
    """The thread pools of NumPy's and SciPy's linear algebra, looked up once."""
    return ThreadpoolController()
