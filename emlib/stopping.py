"""When to stop, and what to call it.

- `Stop`: why a fit ended. `Watch`: decides when.
- `outlook`: EM's rate, and what it has yet to gain.

A small gain is no proof of a maximum: close to a saddle EM is slow too, and close to a maximum it can be
so slow that much is left to gain. So a `Watch` asks three things before it says *converged*: do the
gains shrink, is what is left to gain small, and does the model itself trust the place.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, isfinite, nan
from typing import Any, Literal

from emlib import validate
from emlib.em import Step, Suspicion
from emlib.text import counted
from emlib.value import Value
from emlib.walks import DataLost

Reason = Literal["converged", "max_iter", "stalled", "collapsed", "decreased", "interrupted"]


@dataclass(frozen=True)
class Stop(Value):
    """Why a fit ended.

    Attributes
    ----------
    reason : str
        - `converged`: three steps or more, gains that shrink, an estimated distance to the limit below
          `tol`, and components that can be told apart;
        - `max_iter`: the steps ran out;
        - `stalled`: the gains are small, but not because this is a maximum. EM came to a dead stop, or to
          the end of its steps, where some components cannot be told apart (a saddle) or where the gains were
          growing again (on the way out of one);
        - `collapsed`: a component was left with too few points;
        - `decreased`: the objective fell, which exact EM cannot do;
        - `interrupted`: by the keyboard, or by the loss of the data.
    n_iter : int
        M-steps done.
    rate : float
        Estimated ratio of successive gains; nan where too few gains could be measured.
    distance : float
        Estimated nats between the last objective and its limit (Aitken); nan where unknown.
    message : str
        One sentence for people, with the remedy where there is one.

    Examples
    --------
    >>> from emlib import Gaussian, Mixture, datasets, fit
    >>> twins = Mixture([0.5, 0.5], Gaussian.univariate(means=[0, 0], variances=[60, 60]))
    >>> stop = fit(twins, datasets.three_clusters().X, warn=False).stop
    >>> stop.converged
    False
    >>> print(stop)
    stalled after 3 iterations: components 0 and 1 cannot be told apart, so this is a saddle or one component
    too many: use another start or fewer components
    """

    reason: Reason
    n_iter: int
    rate: float
    distance: float
    message: str

    @property
    def converged(self) -> bool:
        """Whether nothing is left to gain, and the place can be trusted."""
        return self.reason == "converged"

    @property
    def healthy(self) -> bool:
        """Whether no component has collapsed, so that the likelihood means what it says."""
        return self.reason != "collapsed"

    def __str__(self) -> str:
        return f"{self.reason} after {counted(self.n_iter, 'iteration')}: {self.message}"


def outlook(objectives: Sequence[float], noise: float) -> tuple[float, float]:
    """Estimate EM's rate, and how many nats it has yet to gain.

    Close to a maximum the gains of EM shrink geometrically, by a factor `rate` at every step, so that
    what is left is a geometric series: gain * (rate + rate^2 + ...) = gain * rate / (1 - rate). On the way
    there the rate itself still rises; then it is carried on to its own limit first, in the same manner.

    Parameters
    ----------
    objectives : sequence of float
        Those of all steps so far, the latest last.
    noise : float
        How far rounding alone may move an objective.

    Returns
    -------
    rate : float
        Ratio of the last two gains that stand out from the noise; nan if there are none.
    distance : float
        Nats left; infinite if the gains do not shrink, nan with fewer than two gains.

    References
    ----------
    Aitken (1926); for EM, Böhning et al. (1994), The distribution of the likelihood ratio for mixtures.

    Examples
    --------
    >>> from emlib.stopping import outlook
    >>> outlook([-100.0, -92.0, -88.0, -86.0], noise=0.0)
    (0.5, 2.0)
    """
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
    if not rate < 1:
        return rate, inf
    limit = rate
    if len(objectives) > 3 and (first := abs(objectives[-3] - objectives[-4])) > noise:
        rise = rate - abs(objectives[-2] - objectives[-3]) / first
        if rise > noise / gain:  # else it may be nothing but rounding
            limit = rate + rise * rate / (1 - rate)
    return rate, gain * limit / (1 - limit) if limit < 1 else inf


class Watch:
    """Watches the steps of a fit and decides when it should stop.

    Parameters
    ----------
    tol : float
        Nats per point; with 0 nothing but `max_iter` and a fall ends a fit.
    max_iter : int
    negligible : float
        What may be left to gain in any case, in nats over all points, each of weight 1 on average.
    earlier : Watch, optional
        That of a fit which this one continues. It is forgotten if the first objective is not its last: then these
        are other data, or another start.

    Attributes
    ----------
    objectives, log_likelihoods, roundings : list of float
        Those of all steps, the earlier ones included.
    exact : bool
        Whether all these steps were exact.
    noise : float
        How far rounding may have moved the latest gain.
    continues : bool
        Whether there are earlier ones.
    settling : bool
        Whether an accelerated fit seems to be at rest, and should make plain steps until that is sure.

    Examples
    --------
    >>> from emlib import Gaussian, Mixture, datasets, em
    >>> from emlib.stopping import Watch
    >>> X = datasets.three_clusters().X
    >>> watch = Watch(tol=1e-6, max_iter=1000)
    >>> for step in em(Mixture([0.5, 0.5], Gaussian.univariate([-5, 8], [25, 9])), X):
    ...     if stop := watch(step, len(X)):
    ...         break
    >>> print(stop)
    converged after 9 iterations: the gains shrink, and what is left of them is below tol
    """

    def __init__(
        self, tol: float, max_iter: int, negligible: float = 0.0, earlier: Watch | None = None
    ) -> None:
        self.tol = validate.not_negative("tol", tol)
        self.max_iter = validate.count("max_iter", max_iter, least=0)
        self.negligible = validate.not_negative("negligible", negligible)
        self.objectives: list[float] = []
        self.log_likelihoods: list[float] = []
        self.roundings: list[float] = []
        self.noise, self.exact = 0.0, True
        self.suspicion: Suspicion | None = None
        self.growing = False
        self.earlier, self.continues, self.n_iter = earlier, False, 0
        self.since_jump, self.rates, self.settling = 0, [0.0], False

    def __call__(self, step: Step[Any], n_rows: float) -> Stop | None:
        """Look at the next step of a fit to so many rows; None to go on.

        Raises
        ------
        ValueError
            If the objective of the start is not a finite number.
        """
        if self.earlier is not None:
            self._continue(self.earlier, step)
            self.earlier = None
        if step.jump:  # gains across a jump say nothing of EM's rate
            self.rates.append(outlook(self.objectives[self.since_jump :], self.noise)[0])
            self.since_jump = len(self.objectives)
        self.n_iter = step.number
        self.objectives.append(step.objective)
        self.log_likelihoods.append(step.statistics.log_likelihood)
        self.exact = self.exact and step.exact
        now, steps = self.objectives[-1], len(self.objectives) - 1
        if not isfinite(now):
            if steps == 0:
                raise ValueError(
                    f"the objective of the start is {now}: under this model the data are impossible, "
                    "or its log-likelihood or log-prior is wrong; start elsewhere"
                )
            self.roundings.append(nan)
            return Stop("decreased", self.n_iter, nan, nan, f"the objective became {now}. {LOOK}")
        self.roundings.append(step.model.rounding(step.statistics))
        self.noise = max(self.roundings[-2:])  # steps long past do not count: a start may be absurd
        if steps >= 1 and step.exact and now < self.objectives[-2] - self.noise:
            return self.stop(
                "decreased", f"the objective fell by {self.objectives[-2] - now:.3g} nats. {LOOK}"
            )
        if steps >= 3 and self.tol > 0 and (stop := self._at_rest(step, n_rows)):
            return stop
        return self._out_of_steps(step) if self.n_iter >= self.max_iter else None

    def stop(self, reason: Reason, message: str) -> Stop:
        """A stop at the latest step."""
        return Stop(reason, self.n_iter, *self.outlook(), message)

    def outlook(self) -> tuple[float, float]:
        """EM's rate and the nats that are left, from the steps since the last jump, and the rates before it.

        The first gains after a jump are those of fast directions. So no rate counts for less than those before the
        latest jumps.
        """
        rate, distance = outlook(self.objectives[self.since_jump :], self.noise)
        known = max(self.rates[-5:])
        if rate < known < 1 and distance > self.noise:
            gain = abs(self.objectives[-1] - self.objectives[-2])
            rate, distance = known, max(distance, gain * known / (1 - known))
        return rate, distance

    def _continue(self, earlier: Watch, step: Step[Any]) -> None:
        """Take over what an earlier watch has seen, if this step is its last one again."""
        if abs(step.objective - earlier.objectives[-1]) <= earlier.noise:
            self.objectives, self.roundings = earlier.objectives[:-1], earlier.roundings[:-1]
            self.log_likelihoods, self.exact = earlier.log_likelihoods[:-1], earlier.exact
            self.suspicion, self.growing, self.continues = earlier.suspicion, earlier.growing, True

    def _out_of_steps(self, step: Step[Any]) -> Stop:
        """What to call a fit that has no steps left: held up is held up, though it may not be at rest."""
        found = step.model.suspicion(step.statistics) if self.tol > 0 and self.n_iter else None
        if found is not None and found.reason == "collapsed":
            return self.stop("collapsed", found.message)
        if self.suspicion or self.growing:
            return self.stop("stalled", self.suspicion.message if self.suspicion else PLATEAU)
        return self.stop("max_iter", "raise max_iter to go on")

    def _at_rest(self, step: Step[Any], n_rows: float) -> Stop | None:
        """Whether nothing is left to gain, and whether the model may be trusted there."""
        n_points = step.statistics.n_points
        small, negligible = self.tol * n_points, self.negligible * n_points / n_rows
        self.settling = False
        if len(self.objectives) - self.since_jump < 3:
            return None
        first, second, last = self.objectives[-3:]
        before, gain = abs(second - first), abs(last - second)
        if gain > small:
            self.suspicion, self.growing = None, False  # it climbs
            return None
        self.growing = gain > before + self.noise
        if self.growing:
            return None
        if gain > self.noise and not self.outlook()[1] < max(small, negligible):
            return None
        if self.since_jump and len(self.objectives) - self.since_jump < 6:
            # The first gains after a jump are those of fast directions: they say little of the slow ones.
            self.settling = True
            return None
        # The model is asked once; again only after a climb of more than tol, or when the gains are mere rounding.
        if self.suspicion is None or gain <= self.noise:
            self.suspicion = step.model.suspicion(step.statistics)
        if self.suspicion is None:
            return self.stop("converged", "the gains shrink, and what is left of them is below tol")
        if self.suspicion.reason == "collapsed" or gain <= self.noise:
            return self.stop(self.suspicion.reason, self.suspicion.message)
        return None  # it may be near a saddle, which EM leaves by itself in time


def broken_off(error: BaseException, n_iter: int) -> Stop:
    """The stop of a fit that an exception ended."""
    if isinstance(error, KeyboardInterrupt):
        return Stop("interrupted", n_iter, nan, nan, "by the keyboard; the last model finished is kept")
    if isinstance(error, DataLost):
        return Stop("interrupted", n_iter, nan, nan, f"{error}; the last model finished is kept")
    return Stop("collapsed", n_iter, nan, nan, str(error))


PLATEAU = "the gains are below tol, but growing: EM is leaving a plateau; raise max_iter"
LOOK = (
    "Exact EM cannot do that: look for a bug in expect, maximize or log_prior, or for variances too small "
    "for the arithmetic (a floor, or a higher one, helps)"
)
