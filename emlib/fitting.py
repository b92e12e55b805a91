"""Fits: the loop of `emlib.em`, watched until it has converged, or until it is clear that it will not.

- `fit`: one fit from one start. `fit_best`: several starts, and the best healthy end.
- `Trace`: the history of a fit. `End`: where one of several starts led.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from math import nan
from typing import Any, Generic, Literal, NamedTuple

import numpy as np

from emlib import validate
from emlib.blocks import Blocks
from emlib.em import Collapse, EMWarning, M, Model, Step, em, opened, squarem
from emlib.progress import shown
from emlib.stopping import Stop, Watch, broken_off
from emlib.text import counted
from emlib.threads import one_thread
from emlib.value import Array, Value
from emlib.walks import DataLost


class End(NamedTuple):
    """Where one of several starts led.

    Attributes
    ----------
    objective, log_likelihood : float
        Of the fitted model, in nats; nan if there is none.
    stop : Stop

    Examples
    --------
    >>> from emlib import fit_best
    >>> from emlib.classic import Coins
    >>> for end in fit_best([Coins([0.6, 0.5]), Coins([0.6, 0.6])], [5, 9, 8, 4, 7]).ends:
    ...     print(round(end.objective, 2), end.stop.reason)
    -31.57 converged
    -32.05 stalled
    """

    objective: float
    log_likelihood: float
    stop: Stop


@dataclass(frozen=True, repr=False)
class Trace(Value, Generic[M]):
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
    exact : bool
        Whether every M-step was a true maximum. Only then does the theory forbid a fall.
    ends : tuple of End
        After `fit_best`, where each start led.
    watch : Watch
        What judged the fit, so that it can be continued.

    Examples
    --------
    >>> from emlib import Gaussian, Mixture, datasets, fit
    >>> first = Mixture([1 / 3] * 3, Gaussian.univariate(means=[-5, 8, 1.5], variances=[25, 9, 1]))
    >>> trace = fit(first, datasets.three_clusters().X)
    >>> trace
    <Trace: converged after 12 iterations: the gains shrink, and what is left of them is below tol>
    >>> trace.objectives[[0, 1, 2, -1]].round(2).tolist()
    [-211.79, -193.71, -192.37, -186.11]
    >>> trace.models[0] == first, trace.models[-1] == trace.model
    (True, True)
    """

    model: M
    stop: Stop
    objectives: Array
    log_likelihoods: Array
    models: tuple[M, ...]
    n_points: float
    roundings: Array
    exact: bool
    ends: tuple[End, ...] = ()
    watch: Watch | None = field(default=None, compare=False)

    @property
    def objective(self) -> float:
        """That of the fitted model, in nats."""
        return float(self.objectives[self._fitted])

    @property
    def log_likelihood(self) -> float:
        """That of the fitted model, in nats."""
        return float(self.log_likelihoods[self._fitted])

    @property
    def _fitted(self) -> int:
        """Which of the steps is that of the fitted model: after a fall the one before."""
        return -2 if self.stop.reason == "decreased" else -1

    def __repr__(self) -> str:
        return f"<Trace: {self.stop}>"


def fit(
    model: M,
    data: Any,
    weights: Any = None,
    *,
    tol: float = 1e-6,
    max_iter: int = 1000,
    negligible: float = 0.0,
    keep: Literal["models", "values"] = "models",
    accelerate: bool = False,
    earlier: Trace[M] | None = None,
    on_step: Callable[[Step[M]], None] | None = None,
    warn: bool = True,
    progress: bool = False,
) -> Trace[M]:
    """Run EM until it has converged, or until it is clear that it will not.

    Parameters
    ----------
    model : Model
        Where to start; see `emlib.start`. It is not changed.
    data : array, list of arrays, iterable of arrays, Dask array, or Blocks
        For a mixture an array (N, D), in memory or a memory map. A list is a list of blocks, and any other object that
        can be walked again and again an iterable of blocks; see `Blocks`. For Dask see `emlib.scale`.
    weights : array, or list or iterable of arrays, optional
        The weight of every point, in the same pieces as the data.
    tol : float
        Stop when the estimated distance to the limit is below this many nats per point. With 0 the fit
        does not judge: it makes `max_iter` steps.
    max_iter : int
        The most M-steps to make.
    negligible : float
        A distance to the limit, in nats over all points, each of weight 1 on average, that is small enough even if
        `tol` is less; the last gain must still be below `tol` a point.
    keep : {"models", "values"}
        Whether the trace holds every model, or only their objectives.
    accelerate : bool
        Whether to extrapolate between the steps (`emlib.em.squarem`): where EM is slow, several times fewer
        steps to the same place. The objective never falls then, either.
    earlier : Trace, optional
        A fit of the same data that ended at `model`, to be continued: its steps count when this one is judged, and
        come first in the new trace. One that ended elsewhere, or under another floor or prior, is forgotten.
    on_step : function, optional
        Called with every `Step`.
    warn : bool
        Whether to warn if the fit did not converge.
    progress : bool
        Whether to show a progress bar, where tqdm is installed: the rows read in a second. It moves block by block.

    Returns
    -------
    Trace
        With the fitted model, the objectives and the reason for stopping.

    Raises
    ------
    ValueError
        For data the model cannot use, and for a tol, max_iter or keep that makes no sense.
    DataLost
        (A RuntimeError.) If data that were there in the first pass cannot be read any more. Its `trace` is the fit as
        far as it came.

    Warns
    -----
    EMWarning
        If the fit did not converge, with the remedy.

    Examples
    --------
    >>> from emlib import Gaussian, Mixture, datasets, fit
    >>> X = datasets.three_clusters().X
    >>> first = Mixture([1 / 3] * 3, Gaussian.univariate(means=[-5, 8, 1.5], variances=[25, 9, 1]))
    >>> trace = fit(first, X)
    >>> print(trace.stop)
    converged after 12 iterations: the gains shrink, and what is left of them is below tol
    >>> trace.model.components.means.round(2).tolist()
    [[-10.02], [9.94], [-0.08]]
    >>> fit(first, X, tol=0, max_iter=5).stop.n_iter
    5
    """
    # What was asked for.
    validate.one_of("keep", keep, ("models", "values"))
    validate.truth("accelerate", accelerate)
    validate.truth("warn", warn)
    listeners = _listeners(on_step)
    watch = Watch(tol, max_iter, negligible, _watch_of(earlier, model))
    blocks = _enough(model, opened(model, data, weights))

    # The loop, until the watch says why to stop.
    models: list[M] = []
    n_rows, stop, end = blocks.n_counting, None, None
    with one_thread(), shown(progress, blocks, listeners) as blocks:
        steps = squarem(model, blocks, leaps=lambda: not watch.settling) if accelerate else em(model, blocks)
        try:
            for step in steps:
                models.append(step.model)
                if keep == "values":
                    del models[:-2]  # the last but one may yet prove the best
                stop = watch(step, n_rows)
                for listen in listeners:
                    listen(step)
                if stop is not None:
                    break
        except (Collapse, KeyboardInterrupt, DataLost) as error:
            if not watch.objectives:  # before the first step
                raise
            stop, end = broken_off(error, step.number), error
    assert stop is not None  # the loop never ends by itself

    # What is kept of it.
    trace = _trace(models, stop, watch, step.statistics.n_points, earlier, keep)
    _raise_lost(end, trace)
    if warn:
        _warn(trace, watch.tol)
    return trace


def _listeners(on_step: Any) -> list[Callable[[Step[Any]], Any]]:
    """Whoever is to be told of every step."""
    if on_step is not None:
        validate.function("on_step", on_step, "step")
    return [] if on_step is None else [on_step]


def _raise_lost(end: BaseException | None, trace: Trace[Any]) -> None:
    """Raise the error that ended a fit, if its data were lost, with the fit as far as it came."""
    if isinstance(end, DataLost):
        end.trace = trace
        raise end


def _trace(
    models: list[M], stop: Stop, watch: Watch, n_points: float, earlier: Trace[M] | None, keep: str
) -> Trace[M]:
    """What is kept of a fit, after what is kept of an earlier one, if it went on with it."""
    fitted = models[-2] if stop.reason == "decreased" else models[-1]
    if earlier is not None and watch.continues:
        models = [*earlier.models, *models[1:]]
    return Trace(
        model=fitted,
        stop=stop,
        objectives=np.array(watch.objectives),
        log_likelihoods=np.array(watch.log_likelihoods),
        models=tuple(models) if keep == "models" else (fitted,),
        n_points=n_points,
        roundings=np.array(watch.roundings),
        exact=watch.exact,
        watch=watch,
    )


def _watch_of(earlier: Trace[Any] | None, model: Model) -> Watch | None:
    """The watch of an earlier fit, if there is one and this model goes on with it: a new ridge is another map."""
    if earlier is None:
        return None
    validate.kind("earlier", earlier, Trace, ", the result of a fit")
    watch = earlier.watch if earlier.model == model else None
    if watch and not hasattr(watch, "exact"):  # that of a trace which version 0.3.1 has pickled
        watch.log_likelihoods, watch.exact = list(earlier.log_likelihoods), earlier.exact
    return watch


def fit_best(
    starts: Iterable[M | Callable[[], M]],
    data: Any,
    weights: Any = None,
    *,
    warn: bool = True,
    **options: Any,
) -> Trace[M]:
    """Fit from several starts, and return the best healthy end.

    An end with a collapsed component, or one held up by a floor alone, is never better than one without; among others
    the objective decides.

    Parameters
    ----------
    starts : iterable of Model, or of functions that make one
        A function is called without arguments; a `Collapse` that it raises counts as an end.
    data, weights, warn, **options
        As for `fit`; by default `keep="values"`. A warning is about the best fit.

    Returns
    -------
    Trace
        Of the best fit; its `ends` say where each start led. After an interrupt from the keyboard, the best so far.

    Raises
    ------
    Collapse
        (A ValueError.) If no start leads to a model.

    Examples
    --------
    >>> import numpy as np
    >>> from emlib import datasets, fit_best, start
    >>> X, rng = datasets.nine_clusters().X, np.random.default_rng(0)
    >>> trace = fit_best([start.from_data(X, 9, rng) for _ in range(2)], X)
    >>> [round(end.objective, 1) for end in trace.ends], round(trace.objective, 1)
    ([-2062.2, -2041.5], -2041.5)
    """
    if isinstance(starts, Model):
        raise ValueError("starts is one model; it must be several, in a list: pass [model], or call fit")
    validate.kind("starts", starts, Iterable, ", such as a list of models")
    validate.truth("warn", warn)
    given, ends, best, failure, size = Blocks.of(data, weights), [], None, None, None
    for start in starts:
        try:
            model = _made(start)
            own = type(model), model.n_parameters, model.least_points
            if own != size:  # a model of another size asks for itself whether the data are for it
                blocks, size = opened(model, given), own
            trace = fit(model, blocks, warn=False, **{"keep": "values"} | options)
        except Collapse as error:
            ends.append(End(nan, nan, broken_off(error, 0)))
            failure = failure or error
            continue
        except KeyboardInterrupt:  # before its first step
            if best is None:
                raise
            best = _interrupted(best, len(ends) + 1)
            break
        except DataLost as error:
            if best is not None:
                error.trace = _interrupted(best, len(ends) + 1, "by the loss of the data")
            raise
        ends.append(End(trace.objective, trace.log_likelihood, trace.stop))
        if best is None or _rank(trace) > _rank(best):
            best = trace
        if trace.stop.reason == "interrupted":
            best = _interrupted(best, len(ends))
            break
    if best is None:
        raise _nothing(len(ends), failure) from failure
    best = replace(best, ends=tuple(ends))
    if warn:
        _warn(best, options.get("tol", 1e-6))
    return best


def _made(start: Any) -> Any:
    """A start as it is; what it makes, if it is a function."""
    if callable(start) and not isinstance(start, Model):
        validate.function("start", start)
        start = start()
    validate.kind("model", start, Model, ", such as a Mixture: the start")
    return start


def _nothing(n: int, first: Collapse | None) -> ValueError:
    """The error for so many starts, none of which leads to a model."""
    if first is None:
        return ValueError("starts is empty: give one model or more")
    return Collapse(f"none of {counted(n, 'start')} leads to a model. The first: {first}")


def _rank(trace: Trace[Any]) -> tuple[bool, float]:
    """What makes one fit better than another; one that was interrupted has not been asked who is held up."""
    return trace.stop.healthy and trace.stop.reason != "interrupted", trace.objective


def _interrupted(best: Trace[M], number: int, why: str = "by the keyboard") -> Trace[M]:
    """The best of several fits, when the keyboard has ended the one from this start."""
    message = f"{why}, in start {number}; the best so far is kept"
    return replace(best, stop=replace(best.stop, reason="interrupted", message=message))


def _enough(model: Model, blocks: Blocks) -> Blocks:
    """The blocks, if they hold enough points for the model."""
    if blocks.n_counting < model.least_points:
        raise ValueError(
            f"the model needs {counted(model.least_points, 'point')} at least, and there "
            f"{'is' if blocks.n_counting == 1 else 'are'} {blocks.n_counting}: use fewer components, or more data"
        )
    return blocks


def _warn(trace: Trace[Any], tol: float) -> None:
    """Say that a fit did not converge, if it was to judge itself."""
    if not trace.stop.converged and not (trace.stop.reason == "max_iter" and tol == 0):
        warnings.warn(f"EM {trace.stop}", EMWarning, stacklevel=3)
