"""Invariants of EM: what must be true of every fit, whatever the data.

Tests, lessons and exercises call the same checks. Each raises an AssertionError that says which
invariant fails and on which numbers, and returns a sentence that says what was found.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from emlib import validate
from emlib.blocks import Blocks, as_one
from emlib.em import EPS
from emlib.families import Gaussian
from emlib.families.variances import positive_definite
from emlib.fitting import Trace
from emlib.mixture import Mixture
from emlib.text import brief, counted, kind_of, listing
from emlib.value import Array


def monotone(history: Trace[Any] | ArrayLike, noise: float | None = None) -> str:
    """The objective never falls, but for rounding.

    For a trace whose M-steps were not exact (they added a ridge) the theory promises nothing: nothing is checked, and
    the sentence says so.

    Parameters
    ----------
    history : Trace or array_like (T,)
        A fit's trace, or the log-likelihoods (plus log-priors) of its steps, in nats.
    noise : float, optional
        How far rounding alone may move an objective, in nats; a trace knows it. By default some hundred units
        in its last place.

    Examples
    --------
    >>> from emlib import checks
    >>> checks.monotone([-120.0, -104.0, -104.5])
    Traceback (most recent call last):
    AssertionError: the objective falls by 0.5 nats at step 2, from -104 to -104.5; EM never loses, so expect
    and maximize do not belong together
    """
    values: Any = getattr(history, "objectives", history)
    objectives = validate.numbers("history", values)
    if objectives.ndim != 1 or not len(objectives):
        raise ValueError(
            f"history has shape {objectives.shape}; it must be a Trace, or one objective for each step, (T,)"
        )
    if not getattr(history, "exact", True):
        return "not checked: these M-steps added a ridge, and such a step may lose a little"
    for at in np.flatnonzero(~np.isfinite(objectives)):
        raise AssertionError(f"the objective is {objectives[at]} at step {at}; it must be a finite number")
    noises = getattr(history, "roundings", 256 * EPS * np.abs(objectives))
    if noise is not None:
        noises = np.full(len(objectives), validate.not_negative("noise", noise))
    for step, gain in enumerate(np.diff(objectives), start=1):
        if gain < -noises[step - 1 : step + 1].max():
            raise AssertionError(
                f"the objective falls by {-gain:.6g} nats at step {step}, from {objectives[step - 1]:.10g} "
                f"to {objectives[step]:.10g}; EM never loses, so expect and maximize do not belong together"
            )
    rise = objectives[-1] - objectives[0]
    return f"never falls: {rise:.6f} nats gained in {len(objectives) - 1} steps"


def probabilities(values: ArrayLike, name: str = "the array") -> str:
    """Every number is a probability, and each row sums to one.

    Parameters
    ----------
    values : array_like (K,) or (N, K)
        Mixture weights, or responsibilities: one row for each point, one column for each component.

    Examples
    --------
    >>> from emlib import checks
    >>> checks.probabilities([[0.5, 0.2], [0.5, 0.8]], "resp")
    Traceback (most recent call last):
    AssertionError: row 0 of resp sums to 0.7, not to 1; its columns do: normalise over the components, along
    axis 1, not over the points
    """
    array = validate.numbers(name, values)
    allowed = 1e-6 if getattr(values, "dtype", None) == np.float32 else 1e-10  # float32 keeps seven digits
    if not array.size or array.ndim not in (1, 2):
        raise ValueError(
            f"{name} has shape {array.shape}; it must be one row of numbers or several, (K,) or (N, K)"
        )
    if not np.isfinite(array).all():
        raise AssertionError(f"{name} holds nan or infinite values: {np.sum(~np.isfinite(array))} of them")
    if array.min() < 0 or array.max() > 1 + allowed:
        raise AssertionError(
            f"{name} runs from {array.min():.6g} to {array.max():.6g}; probabilities lie between 0 and 1"
        )
    sums = np.atleast_1d(array.sum(axis=-1))
    worst = int(np.argmax(np.abs(sums - 1)))
    if abs(sums[worst] - 1) > allowed:
        where = f"row {worst} of {name}" if array.ndim > 1 else name
        total = f"{sums[worst]:.10g}" if abs(sums[worst] - 1) > 1e-8 else f"1 {sums[worst] - 1:+.2g}"
        hint = ""
        if array.ndim == 2 and np.allclose(array.sum(axis=0), 1):
            hint = "; its columns do: normalise over the components, along axis 1, not over the points"
        raise AssertionError(f"{where} sums to {total}, not to 1{hint}")
    return f"{name}: every number a probability, every row sums to 1"


def covariances(values: ArrayLike | Gaussian) -> str:
    """Every covariance is symmetric, and positive definite.

    Parameters
    ----------
    values : array_like (K, D, D), or Gaussian

    Examples
    --------
    >>> from emlib import checks
    >>> checks.covariances([[[1.0, 0.5], [0.2, 1.0]]])
    Traceback (most recent call last):
    AssertionError: covariance 0 is not symmetric
    """
    array = validate.numbers("the covariances", values.matrices if isinstance(values, Gaussian) else values)
    if array.ndim != 3 or array.shape[1] != array.shape[2]:
        raise ValueError(f"the covariances have shape {array.shape}; it must be (K, D, D)")
    for k, covariance in enumerate(array):
        if not np.isfinite(covariance).all():
            raise AssertionError(f"covariance {k} holds nan or infinite values")
        deviations = np.sqrt(np.abs(np.diag(covariance)))
        if (np.abs(covariance - covariance.T) > 1e-10 * np.outer(deviations, deviations)).any():
            raise AssertionError(f"covariance {k} is not symmetric")
        if not positive_definite(covariance):
            least = np.linalg.eigvalsh(covariance)[0]
            raise AssertionError(
                f"covariance {k} is not positive definite as far as float64 can tell: its smallest eigenvalue is "
                f"{least:.6g}; all must be clearly positive"
            )
    return f"{counted(len(array), 'covariance')}, all symmetric and positive definite"


def moments(mixture: Mixture, X: ArrayLike, weights: ArrayLike | None = None) -> str:
    """After an M-step the mixture has the mean and the covariance of the data, exactly.

    It holds for every M-step of a Gaussian mixture without a prior, at any distance from convergence, whatever the
    responsibilities were: sum pi_k mu_k is the mean of the data, and sum pi_k (Sigma_k + mu_k mu_k') its
    second moment, once a ridge is taken off. Of structure "diag" only the variances agree, and of "spherical" only
    their sum. A covariance about the wrong mean or an update not stored breaks it. With a prior, with fixed parameters
    and where a floor has raised a covariance nothing is checked, and the sentence says so.

    Parameters
    ----------
    mixture : Mixture of Gaussians
        After at least one M-step.
    X : array_like (N, D)
    weights : array_like (N,), optional

    Examples
    --------
    >>> from emlib import checks, datasets, start
    >>> data = datasets.three_clusters()
    >>> checks.moments(start.from_labels(data.X, data.labels), data.X)
    'the mixture has the mean and the covariance of the data'
    """
    components, _, points, counts = _gaussians_and_points(mixture, X, weights)
    if components.prior is not None or mixture.weight_count:
        return "not checked: with a prior the mixture has other moments than the data"
    if components.fixed or mixture.fixed_weights:
        return "not checked: with fixed parameters the mixture has other moments than the data"
    if len(raised := np.flatnonzero(components.at_floor())):
        numbers = f"component{'' if len(raised) == 1 else 's'} {listing(raised[:10])}"
        return f"not checked: the floor has raised the covariance of {numbers}"
    origin = points[np.argmax(counts)]  # far from zero, sums about zero would lose their digits
    mean = origin + np.average(points - origin, axis=0, weights=counts)
    covariance = np.atleast_2d(np.cov((points - origin).T, aweights=counts, bias=True))
    its_mean = mixture.weights @ (components.means - mean) + mean
    its_covariance = mixture.covariance() - components.ridge * np.eye(len(mean))
    scale = np.sqrt(np.diag(covariance))
    known = 1e-8 * scale + 16 * EPS * np.abs(mean)  # a mean has no more digits than that
    if np.any(np.abs(its_mean - mean) > known):
        raise AssertionError(
            f"the mixture's mean is {brief(its_mean)} and the data's {brief(mean)}; after an M-step they are equal: "
            "are the means weighted by the responsibilities, and the weights the shares of the points?"
        )
    allowed = np.outer(known, scale) + np.outer(scale, known)
    seen: Any = {"diag": np.diag, "spherical": np.trace}.get(components.structure, np.asarray)
    its_covariance, covariance, allowed = map(seen, (its_covariance, covariance, allowed))
    if np.any(np.abs(its_covariance - covariance) > allowed):
        raise AssertionError(
            f"the mixture's covariance is {brief(its_covariance)} and the data's {brief(covariance)}; "
            "after an M-step they are equal: is each covariance taken about the new mean, and stored?"
        )
    return "the mixture has the mean and the covariance of the data"


def equal(ours: ArrayLike, theirs: ArrayLike, tol: float = 1e-10) -> str:
    """Two results agree to `tol`, relative to the largest number in the second.

    What it says is the same on every machine, whether the last digits agree or not.

    Parameters
    ----------
    ours, theirs : array_like
        Of one shape.
    tol : float
        0 if they must be equal to the last digit.

    Examples
    --------
    >>> from emlib import checks
    >>> checks.equal(0.1 + 0.2, 0.3)
    'equal to 1e-10'
    """
    tol = validate.not_negative("tol", tol)
    a, b = validate.numbers("ours", ours), validate.numbers("theirs", theirs)
    if a.shape != b.shape:
        raise AssertionError(f"the shapes differ: {a.shape} and {b.shape}")
    scale = np.abs(b).max(initial=0, where=np.isfinite(b)) or 1.0
    with np.errstate(invalid="ignore"):  # two infinities are equal, and their difference is no number
        gaps = np.where(a == b, 0.0, np.abs(a - b))
    apart = gaps.max(initial=0) / scale
    if not apart <= tol:
        where = np.unravel_index(np.argmax(gaps), a.shape)
        place = f", at {tuple(map(int, where))}" if where else ""
        said = (
            "nan equals nothing" if np.isnan(apart) else f"they differ by {apart:.3g} of the largest number"
        )
        raise AssertionError(f"{said}{place}: {float(a[where])} and {float(b[where])}")
    return f"equal to {tol:.0e}" if tol else "equal"


# What a program claims: a log-likelihood, a maximum, an end ---------------------------------------------


def additive(log_likelihood: Callable[..., float], X: ArrayLike, weights: ArrayLike | None = None) -> str:
    """The log-likelihood of all points is the sum of the log-likelihoods of two parts.

    It holds for independent points under any model whatever. One logarithm of a sum over all points breaks it.

    Parameters
    ----------
    log_likelihood : callable
        Takes points, and their weights if there are any; returns their total log-likelihood in nats.
    X : array_like (N,) or (N, D)
        At least two points.
    weights : array_like (N,), optional
        How much each point counts.

    Examples
    --------
    >>> from emlib import checks
    >>> checks.additive(lambda x: -((x - 2) ** 2).sum(), [1.0, 2.0, 4.0])
    'the log-likelihoods of two halves add up to that of all points'
    """
    validate.function("log_likelihood", log_likelihood, "X", *([] if weights is None else ["weights"]))
    points = validate.finite("X", as_one(X))
    if points.ndim not in (1, 2) or len(points) < 2:
        raise ValueError(f"X has shape {points.shape}; it must hold two points at least, (N,) or (N, D)")
    given = [points] if weights is None else [points, validate.point_weights(as_one(weights), len(points))]
    half = len(points) // 2
    found = [
        validate.numbers("what log_likelihood returns", log_likelihood(*(array[some] for array in given)))
        for some in (slice(None), slice(half), slice(half, None))
    ]
    if found[0].size != 1:
        raise ValueError(
            f"log_likelihood returns an array of shape {found[0].shape}; it must return one number, the total"
        )
    whole, *halves = (float(value.squeeze()) for value in found)
    if not np.isfinite([whole, *halves]).all():
        said = f"{whole:.6g} for all points, and {halves[0]:.6g} and {halves[1]:.6g} for two halves"
        raise AssertionError(f"log_likelihood returns {said}; these must be finite numbers")
    if not abs(whole - sum(halves)) <= 1e-9 * (abs(whole) + sum(map(abs, halves))):
        raise AssertionError(
            f"the log-likelihood of all points is {whole:.6g}, and of two halves {halves[0]:.6g} and {halves[1]:.6g}, "
            f"together {sum(halves):.6g}: points are independent, so logarithms add up, one for each point"
        )
    return "the log-likelihoods of two halves add up to that of all points"


def stationary(mixture: Mixture, X: ArrayLike, tol: float = 1e-3, weights: ArrayLike | None = None) -> str:
    """At a claimed maximum no small step gains: the objective has no slope left, in any direction.

    The slopes are finite differences, so this knows nothing of EM. Steps are measured in the component's own
    standard deviations, and each slope by what it promises for a step of 1/sqrt(N), which is about a standard error.

    Parameters
    ----------
    mixture : Mixture of Gaussians
        Of structure "full", as for one dimension; without a ridge, or a component at its floor.
    X : array_like (N, D)
    tol : float
        The largest promise allowed, in nats.
    weights : array_like (N,), optional
        How much each point counted in the fit; on any scale, as for `emlib.select.aic`.

    Examples
    --------
    >>> from emlib import checks, datasets, fit, start
    >>> data = datasets.three_clusters()
    >>> checks.stationary(fit(start.from_labels(data.X, data.labels), data.X).model, data.X)
    'no slope is left in any direction'
    """
    tol = validate.not_negative("tol", tol)
    components, unit, points, counts = _gaussians_and_points(mixture, X, weights)
    if components.structure != "full" or not components.exact:
        raise ValueError("mixture must be a Mixture of full Gaussians without a ridge (reg_covar=0)")
    for k in np.flatnonzero(components.at_floor()):
        raise ValueError(
            f"the floor has raised the covariance of component {k}, where slopes have one side only"
        )
    for k in np.flatnonzero(mixture.weights == 0):
        raise ValueError(f"component {k} has the weight 0, where slopes have one side only: leave it out")

    def height(h: float, k: int, log_weight: float, mean: Array, spread: Array) -> float:
        own = h * (np.arange(len(mixture)) == k)  # the others stay where they are
        weights = mixture.weights * np.exp(own * log_weight)
        means = components.means + own[:, None] * mean
        spreads = components.matrices + own[:, None, None] * spread
        moved = Gaussian(means, spreads, prior=components.prior)
        neighbour = type(mixture)(weights / weights.sum(), moved, mixture.weight_count)
        return float(counts @ neighbour.log_density(points)) + neighbour.log_prior()

    worst, where = 0.0, ""
    for name, *step in _directions(mixture, components):
        slope = (height(1e-4, *step) - height(-1e-4, *step)) / 2e-4
        if not abs(slope) <= abs(worst):
            worst, where = slope, name
    promise = abs(worst) * np.sqrt(unit / counts.sum())
    if not promise <= tol:
        raise AssertionError(
            f"this is no maximum, or not quite: along {where} the objective has the slope {worst:.3g}, so that a step "
            f"as small as a standard error promises {promise:.3g} nats. If a fit ended "
            "here, fit again with a smaller tol, such as 1e-9: does that take the slope away?"
        )
    return "no slope is left in any direction"


def _gaussians_and_points(
    mixture: Mixture, X: ArrayLike, weights: ArrayLike | None
) -> tuple[Gaussian, float, Array, Array]:
    """The components of a mixture of Gaussians, what weight 1 counts as, and the points, each with its weight."""
    components = getattr(mixture, "components", None)
    if not isinstance(components, Gaussian):
        raise ValueError(f"mixture is {kind_of(mixture)}; it must be a Mixture of Gaussians")
    blocks = Blocks.of(X, weights).checked(components.check)
    points, counts = blocks.rows(np.arange(blocks.n_counting))
    return components, blocks.unit, points, np.ones(len(points)) if counts is None else counts


def _directions(mixture: Mixture, components: Gaussian) -> Iterator[tuple[Any, ...]]:
    """Every free direction: its name, whose it is, what it adds to the log of the weight, the mean, the covariance."""
    for k, root in enumerate(np.linalg.cholesky(components.matrices)):
        if not mixture.fixed_weights:
            yield f"weight {k}", k, 1.0, 0.0, 0.0
        for i in range(components.n_features):
            if "means" not in components.fixed:
                yield f"the mean of component {k}", k, 0.0, root[:, i], 0.0
            for j in range(0 if "covariances" in components.fixed else i + 1):
                pair = np.outer(root[:, i], root[:, j])
                yield f"the covariance of component {k}", k, 0.0, 0.0, pair + pair.T


def stopping(rule: Callable[[list[float], float], Any], tol: float = 1e-3) -> str:
    """A stopping rule does not take a fall for the end.

    Parameters
    ----------
    rule : callable
        Takes the log-likelihoods of all steps so far and a tolerance, and says whether the fit has converged.
    tol : float
        The tolerance to try it with.

    Examples
    --------
    >>> from emlib import checks
    >>> checks.stopping(lambda history, tol: 0 <= history[-1] - history[-2] < tol)
    'a fall, however small, is not taken for the end'
    """
    validate.function("rule", rule, "history", "tol")
    tol = validate.not_negative("tol", tol)
    for fall in (0.5 * tol, 1e-3 * tol, 1e-9):
        history = [-120.0, -104.0, -101.0, -100.0, -100.0 - max(fall, 1e-12)]  # less would round to no fall
        if validate.truth("what rule returns", rule(history, tol)):
            raise AssertionError(
                f"the objective fell by {max(fall, 1e-12):.3g}, and the rule says it has converged: a fall smaller "
                "than tol is still a fall, and exact EM has none"
            )
    return "a fall, however small, is not taken for the end"
