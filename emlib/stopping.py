"""When to stop, and what to call it.

A small gain is no proof of a maximum: close to a saddle EM is slow too, and close to a maximum it can be
so slow that much is left to gain. So `verdict` asks three things before it says *converged*: do the
gains shrink, is what is left to gain small, and does the model itself trust the place.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, isfinite, nan
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

if TYPE_CHECKING:
    from emlib.em import Step

Reason = Literal["converged", "max_iter", "stalled", "collapsed", "decreased", "interrupted"]


@dataclass(frozen=True)
class Stop:
    """Why a fit ended.

    Attributes
    ----------
    reason : str
        - `converged`: three steps or more, gains that shrink, an estimated distance to the limit below
          `tol`, and components that can be told apart;
        - `max_iter`: the steps ran out;
        - `stalled`: the gains are small, but not because this is a maximum. Some components cannot be told
          apart (EM is running into a saddle), or the steps ran out while the gains were growing again
          (it was leaving one);
        - `collapsed`: a component was left with too few points;
        - `decreased`: the objective fell, which exact EM cannot do;
        - `interrupted`: by the keyboard.
    n_iter : int
        M-steps done.
    rate : float
        Estimated ratio of successive gains; nan where too few gains could be measured.
    distance : float
        Estimated nats between the last objective and its limit (Aitken); nan where unknown.
    message : str
        One sentence for people, with the remedy where there is one.
    """

    reason: Reason
    n_iter: int
    rate: float
    distance: float
    message: str

    @property
    def converged(self) -> bool:
        return self.reason == "converged"

    def __str__(self) -> str:
        return f"{self.reason} after {self.n_iter} iterations: {self.message}"


@dataclass(frozen=True)
class Doubt:
    """A model's own reason to distrust the place where EM came to rest."""

    reason: Literal["stalled", "collapsed"]
    message: str


def rounding(objective: float, n_points: float) -> float:
    """How far rounding alone may move an objective, in nats: a few hundred units in its last place."""
    return 256 * float(np.finfo(float).eps) * (abs(objective) + n_points)


def outlook(objectives: Sequence[float], n_points: float) -> tuple[float, float]:
    """Estimate EM's rate, and how many nats it has yet to gain.

    Close to a maximum the gains of EM shrink geometrically, by a factor `rate` at every step, so that
    what is left is a geometric series: gain * (rate + rate^2 + ...) = gain * rate / (1 - rate).

    Returns
    -------
    rate : float
        Ratio of the last two gains that stand out from rounding; nan if there are none.
    distance : float
        Nats left; infinite if the gains do not shrink, nan with fewer than two gains.

    References
    ----------
    Aitken (1926); for EM, Böhning et al. (1994), The distribution of the likelihood ratio for mixtures.
    """
    noise = rounding(objectives[-1], n_points)
    rate = nan
    for t in range(len(objectives) - 1, 1, -1):
        before, gain = abs(objectives[t - 1] - objectives[t - 2]), abs(objectives[t] - objectives[t - 1])
        if before > noise and gain > noise:
            rate = gain / before
            break
    if len(objectives) < 3:
        return rate, nan
    gain = abs(objectives[-1] - objectives[-2])
    if gain <= noise:
        return rate, noise
    return rate, gain * rate / (1 - rate) if rate < 1 else inf


def verdict(step: Step[Any], objectives: Sequence[float], tol: float, max_iter: int) -> Stop | None:
    """Decide whether EM should stop at this step; None to go on.

    Parameters
    ----------
    step : Step
        The latest step.
    objectives : sequence of float
        Those of all steps so far, the latest last.
    tol : float
        Nats per point; with 0 nothing but `max_iter` and a fall ends a fit.
    max_iter : int

    Raises
    ------
    ValueError
        If the objective of the start is not a finite number.
    """
    n_iter, n_points = len(objectives) - 1, step.statistics.n_points
    noise = rounding(objectives[-1], n_points)
    small = tol * n_points

    def stop(reason: Reason, message: str) -> Stop:
        return Stop(reason, n_iter, *outlook(objectives, n_points), message)

    if not isfinite(objectives[-1]):
        if n_iter == 0:
            raise ValueError(
                f"the objective of the start is {objectives[-1]}: under this model the data are impossible, "
                "or its log-likelihood or log-prior is wrong; start elsewhere"
            )
        return Stop("decreased", n_iter, nan, nan, f"the objective became {objectives[-1]}. {LOOK}")
    if n_iter >= 1 and step.model.exact and objectives[-1] < objectives[-2] - noise:
        fall = objectives[-2] - objectives[-1]
        return stop("decreased", f"the objective fell by {fall:.3g} nats. {LOOK}")

    growing = False
    if n_iter >= 3 and tol > 0:
        before, gain = abs(objectives[-2] - objectives[-3]), abs(objectives[-1] - objectives[-2])
        growing = gain > before + noise  # EM is leaving a plateau: whatever the size of the gain, go on
        if not growing and (gain <= noise or outlook(objectives, n_points)[1] < small):
            if doubt := step.model.doubt(step.statistics):
                return stop(doubt.reason, doubt.message)
            return stop("converged", "the gains shrink, and what is left of them is below tol")
    if n_iter >= max_iter:
        if growing and gain < small:
            return stop("stalled", "the gains are below tol, but growing: on a plateau; raise max_iter")
        return stop("max_iter", "raise max_iter to go on")
    return None


def broken_off(error: BaseException, n_iter: int) -> Stop:
    """The stop of a fit that an exception ended."""
    if isinstance(error, KeyboardInterrupt):
        return Stop("interrupted", n_iter, nan, nan, "by the keyboard; the last model finished is kept")
    return Stop("collapsed", n_iter, nan, nan, str(error))


LOOK = (
    "Exact EM cannot do that: look for a bug in expect, maximize or log_prior, or for variances too small "
    "for the arithmetic (a floor helps)"
)
