"""`fit`: the loop of `emlib.em`, watched until it has converged, or until it is clear that it will not."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, Generic, Literal

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import ThreadpoolController

from emlib import validate
from emlib.em import Collapse, EMWarning, M, Step, em, squarem
from emlib.stopping import Stop, Watch, broken_off


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
        In nats; the first belongs to the start. (An accelerated fit leaves out the jumps that it took back.)
    models : tuple of Model
        The models, the start first; only the fitted one if the fit was told to `keep="values"`.
    n_points : float
        How many points the log-likelihoods are totals of.
    roundings : array (n_iter + 1,)
        How far rounding alone may have moved each objective, in nats.
    watch : Watch
        What judged the fit, so that it can be continued.
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
    watch: Watch
    exact: bool

    @property
    def objective(self) -> float:
        """That of the fitted model, in nats."""
        return float(self.objectives[-2 if self.stop.reason == "decreased" else -1])

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
    accelerate: bool = False,
    earlier: Trace[M] | None = None,
    on_step: Callable[[Step[M]], None] | None = None,
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
    accelerate : bool
        Whether to extrapolate between the steps (`emlib.em.squarem`): where EM is slow, several times fewer
        steps to the same place. The objective never falls then, either.
    earlier : Trace, optional
        A fit of the same data that ended at `model`, to be continued: its steps count when this one is judged, and
        come first in the new trace.
    on_step : function, optional
        Called with every `Step`; for a progress bar, `lambda step: bar.update()`.

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
    trace = run(
        model,
        data,
        weights,
        tol=tol,
        max_iter=max_iter,
        keep=keep,
        accelerate=accelerate,
        earlier=earlier,
        on_step=on_step,
    )
    if not trace.stop.converged and not (trace.stop.reason == "max_iter" and tol == 0):
        warnings.warn(f"EM {trace.stop}", EMWarning, stacklevel=2)
    return trace


def run(
    model: M,
    data: Any,
    weights: Any = None,
    *,
    tol: float,
    max_iter: int,
    keep: Literal["models", "values"] = "values",
    negligible: float = 0.0,
    accelerate: bool = False,
    earlier: Trace[M] | None = None,
    on_step: Callable[[Step[M]], None] | None = None,
) -> Trace[M]:
    """`fit` without its warning, for those who make many fits and read `trace.stop` themselves.

    They may also name a distance to the limit that is negligible, in nats over all the data, however small `tol`.
    """
    tol = validate.not_negative("tol", tol)
    max_iter = validate.count("max_iter", max_iter, least=0)
    validate.one_of("keep", keep, ("models", "values"))
    if earlier is not None:
        validate.kind("earlier", earlier, Trace, ", the result of a fit")

    history: list[tuple[M | None, float]] = []  # model, log-likelihood
    watch, stop = Watch(tol, max_iter, negligible, earlier.watch if earlier else None), None
    steps = (
        squarem(model, data, weights, lambda: not watch.settling) if accelerate else em(model, data, weights)
    )
    with blas().limit(limits=1):  # threads cost more than they give on matrices as small as EM's
        try:
            for step in steps:
                history.append((step.model, step.statistics.log_likelihood))
                if keep == "values" and len(history) > 2:
                    history[-3] = (None, history[-3][1])  # the last but one may yet prove the best
                if on_step is not None:
                    on_step(step)
                if stop := watch(step):
                    break
        except (Collapse, KeyboardInterrupt) as error:
            if not history:
                raise
            stop = broken_off(error, step.number)

    assert stop is not None  # the loop never ends by itself
    models = [model for model, _ in history if model is not None]
    fitted = models[-2] if stop.reason == "decreased" else models[-1]
    log_likelihoods = [log_likelihood for _, log_likelihood in history]
    if earlier is not None and watch.continues:
        models = [*earlier.models, *models[1:]]
        log_likelihoods = [*earlier.log_likelihoods, *log_likelihoods[1:]]
    return Trace(
        model=fitted,
        stop=stop,
        objectives=np.array(watch.objectives),
        log_likelihoods=np.array(log_likelihoods),
        models=tuple(models) if keep == "models" else (fitted,),
        n_points=step.statistics.n_points,
        roundings=np.array(watch.roundings),
        watch=watch,
        exact=fitted.exact,
    )


@cache
def blas() -> ThreadpoolController:
    """The thread pools of NumPy's and SciPy's linear algebra, looked up once."""
    return ThreadpoolController()
