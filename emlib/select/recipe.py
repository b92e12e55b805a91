"""How one mixture is fitted: several starts, and the best of what they reach."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from math import nan
from typing import Any, Literal

import numpy as np

from emlib import validate
from emlib.em import EMWarning
from emlib.fitting import Trace, fit
from emlib.mixture import Mixture
from emlib.start import usual_floor
from emlib.stopping import Stop
from emlib.validate import Array
from emlib.words import counted

Floor = float | Literal["auto"]
Start = Callable[..., Mixture]


@dataclass(frozen=True)
class Recipe:
    """How each mixture is fitted; see `sweep`."""

    n_init: int
    start: Start
    floor: Floor
    tol: float
    max_iter: int

    def __post_init__(self) -> None:
        validate.count("n_init", self.n_init)
        if not callable(self.start):
            raise ValueError(
                f"start is {self.start!r}; it must be a function such as emlib.start.k_means, "
                "called as start(X, K, rng, structure=..., floor=...)"
            )
        if not (isinstance(self.floor, str) and self.floor == "auto"):
            if self.floor is None or isinstance(self.floor, str):
                raise ValueError(f"floor is {self.floor!r}; it must be a number, or 'auto'")
            validate.not_negative("floor", self.floor)
        validate.not_negative("tol", self.tol)
        validate.count("max_iter", self.max_iter, least=0)

    def floor_for(self, X: Array) -> float:
        """The floor in numbers."""
        return usual_floor(X) if isinstance(self.floor, str) else self.floor

    def best(
        self, X: Array, K: int, structure: str, rng: np.random.Generator
    ) -> tuple[Trace[Mixture] | None, Stop, tuple[float, ...]]:
        """The best of several fits, why it stopped, and the log-likelihood that each reached.

        Any fit that has not collapsed is better than one that has: the likelihood of that is without bound, and is
        given as nan. There is no trace if no start gave a mixture.
        """
        best: Trace[Mixture] | None = None
        failure: Stop | None = None
        reached = []
        for generator in rng.spawn(self.n_init):
            end = self._fit(X, K, structure, generator)
            if isinstance(end, Stop):
                failure = failure or end
                reached.append(nan)
                continue
            reached.append(last(end, end.log_likelihoods) if end.stop.reason != "collapsed" else nan)
            if best is None or _rank(end) > _rank(best):
                best = end
        stop = best.stop if best else failure
        assert stop is not None  # there is at least one start
        return best, stop, tuple(reached)

    def _fit(self, X: Array, K: int, structure: str, rng: np.random.Generator) -> Trace[Mixture] | Stop:
        """A fit, or why there is none: too few different points for K, or a start with no covariance."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", EMWarning)  # the row says why its fit stopped
            try:
                first = self.start(X, K, rng, structure=structure, floor=self.floor_for(X))
            except ValueError as error:
                return Stop("collapsed", 0, nan, nan, str(error))
            self._check(first, K, structure)
            try:
                trace = fit(first, X, tol=self.tol, max_iter=self.max_iter, keep="values")
            except ValueError as error:
                return Stop("collapsed", 0, nan, nan, str(error))
        if trace.stop.reason == "interrupted":
            raise KeyboardInterrupt  # to `fit` it is an end like any other; here it ends everything
        return trace

    def _check(self, first: Any, K: int, structure: str) -> None:
        """Raise an error unless a start gave what it was asked for."""
        if not isinstance(first, Mixture):
            what = f"a {type(first).__name__}"
        elif len(first) != K:
            what = f"a mixture of {counted(len(first), 'component')}"
        elif (other := getattr(first.components, "structure", structure)) != structure:
            what = f"a mixture of structure {other!r}"
        else:
            return
        raise ValueError(
            f"start gave {what}; it must give a Mixture of {counted(K, 'component')} of structure {structure!r}, as "
            "those of emlib.start do when they are called as start(X, K, rng, structure=..., floor=...)"
        )


def last(trace: Trace[Mixture], values: Array) -> float:
    """The value that belongs to the fitted model: after a fall that of the step before."""
    return float(values[-2 if trace.stop.reason == "decreased" else -1])


def _rank(trace: Trace[Mixture]) -> tuple[bool, float]:
    return trace.stop.reason != "collapsed", last(trace, trace.objectives)
