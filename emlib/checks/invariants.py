"""Invariants of EM: what must be true of every fit, whatever the data.

Tests, lessons and exercises call the same checks. Each raises an AssertionError that says which
invariant fails and on which numbers, and returns a sentence that says what was found.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from emlib import validate
from emlib.families import Gaussian
from emlib.words import brief

if TYPE_CHECKING:
    from emlib.fitting import Trace
    from emlib.mixture import Mixture


def monotone(history: Trace[Any] | ArrayLike, noise: float | None = None) -> str:
    """The objective never falls, but for rounding.

    Parameters
    ----------
    history : Trace or array_like (T,)
        A fit's trace, or the log-likelihoods (plus log-priors) of its steps, in nats.
    noise : float, optional
        How far rounding alone may move an objective, in nats; a trace knows it. By default some hundred units
        in its last place.

    Returns
    -------
    str
        By how much it rose. For a trace whose M-steps were floored the theory promises nothing:
        nothing is checked, and the sentence says so.

    Raises
    ------
    AssertionError
        At the first step that loses more than rounding can explain.
    """
    exact = getattr(history, "exact", True)
    objectives = _numbers("history", getattr(history, "objectives", history))
    if objectives.ndim != 1 or not len(objectives):
        raise ValueError(
            f"history has shape {objectives.shape}; it must be a Trace, or one objective for each step, (T,)"
        )
    if not exact:
        return "not checked: these M-steps were floored, and a floored M-step may lose a little"
    if not np.isfinite(objectives).all():
        step = int(np.argmin(np.isfinite(objectives)))
        raise AssertionError(
            f"the objective is {objectives[step]} at step {step}; it must be a finite number"
        )
    if noise is not None:
        noises = np.full(len(objectives), validate.not_negative("noise", noise))
    else:
        noises = getattr(history, "roundings", 256 * np.finfo(float).eps * np.abs(objectives))
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
    """
    array = _numbers(name, values)
    if not array.size or not array.ndim:
        raise ValueError(f"{name} is empty: give at least one number")
    if not np.isfinite(array).all():
        raise AssertionError(f"{name} holds nan or infinite values: {np.sum(~np.isfinite(array))} of them")
    if array.min() < 0 or array.max() > 1 + 1e-12:
        raise AssertionError(
            f"{name} runs from {array.min():.6g} to {array.max():.6g}; probabilities lie between 0 and 1"
        )
    sums = np.atleast_1d(array.sum(axis=-1))
    worst = int(np.argmax(np.abs(sums - 1)))
    if abs(sums[worst] - 1) > 1e-10:
        where = f"row {worst} of {name}" if array.ndim > 1 else name
        hint = ""
        if array.ndim == 2 and np.allclose(array.sum(axis=0), 1):
            hint = "; its columns do: normalise over the components, along axis 1, not over the points"
        raise AssertionError(f"{where} sums to {sums[worst]:.10g}, not to 1{hint}")
    return f"{name}: every number a probability, every row sums to 1"


def covariances(values: ArrayLike) -> str:
    """Every covariance is symmetric, and positive definite.

    Parameters
    ----------
    values : array_like (K, D, D)
    """
    array = _numbers("the covariances", values)
    if array.ndim != 3 or array.shape[1] != array.shape[2]:
        raise ValueError(f"the covariances have shape {array.shape}; it must be (K, D, D)")
    for k, covariance in enumerate(array):
        if not np.isfinite(covariance).all():
            raise AssertionError(f"covariance {k} holds nan or infinite values")
        deviations = np.sqrt(np.abs(np.diag(covariance)))
        if (np.abs(covariance - covariance.T) > 1e-10 * np.outer(deviations, deviations)).any():
            raise AssertionError(f"covariance {k} is not symmetric")
        if (least := np.linalg.eigvalsh(covariance)[0]) <= 0:
            raise AssertionError(f"covariance {k} has the eigenvalue {least:.6g}; all must be positive")
    return f"{len(array)} covariances, all symmetric and positive definite"


def moments(mixture: Mixture, X: ArrayLike, weights: ArrayLike | None = None) -> str:
    """After an M-step the mixture has the mean and the covariance of the data, exactly.

    It holds for every exact M-step of a Gaussian mixture, at any distance from convergence, whatever the
    responsibilities were: sum pi_k mu_k is the mean of the data, and sum pi_k (Sigma_k + mu_k mu_k') its
    second moment. A covariance about the wrong mean or an update not stored breaks it.

    Parameters
    ----------
    mixture : Mixture of Gaussians
        After at least one M-step without floor and prior.
    X : array_like (N, D)
    weights : array_like (N,), optional
    """
    components: Any = getattr(mixture, "components", None)
    if not isinstance(components, Gaussian):
        raise ValueError(f"mixture is a {type(mixture).__name__}; it must be a Mixture of Gaussians")
    X = validate.points(X, components.n_features)
    weights = None if weights is None else validate.point_weights(weights, len(X))
    origin = X[0]  # far from zero, sums about zero would lose their digits
    mean = origin + np.average(X - origin, axis=0, weights=weights)
    covariance = np.atleast_2d(np.cov((X - origin).T, aweights=weights, bias=True))
    off = components.means - mean
    its_mean = mixture.weights @ off + mean
    its_covariance = np.einsum("k,kij->ij", mixture.weights, components.matrices)
    its_covariance += np.einsum("k,ki,kj->ij", mixture.weights, off, off)
    scale = np.sqrt(np.diag(covariance))
    known = 1e-8 * scale + 16 * np.finfo(float).eps * np.abs(mean)  # a mean has no more digits than that
    if np.any(np.abs(its_mean - mean) > known):
        raise AssertionError(
            f"the mixture's mean is {brief(its_mean)} and the data's {brief(mean)}; after an M-step they are equal: "
            "are the means weighted by the responsibilities, and the weights the shares of the points?"
        )
    if np.any(np.abs(its_covariance - covariance) > np.outer(known, scale) + np.outer(scale, known)):
        raise AssertionError(
            f"the mixture's covariance is {brief(its_covariance)} and the data's {brief(covariance)}; "
            "after an M-step they are equal: is each covariance taken about the new mean, and stored?"
        )
    return "the mixture has the mean and the covariance of the data"


def equal(ours: ArrayLike, theirs: ArrayLike, tol: float = 1e-10) -> str:
    """Two results agree to `tol`, relative to the largest number in the second.

    Parameters
    ----------
    ours, theirs : array_like
        Of one shape.
    """
    tol = validate.not_negative("tol", tol)
    a, b = _numbers("ours", ours), _numbers("theirs", theirs)
    if a.shape != b.shape:
        raise AssertionError(f"the shapes differ: {a.shape} and {b.shape}")
    if np.array_equal(a, b):
        return "equal"
    scale = np.abs(b).max(initial=0) or 1.0
    apart = np.abs(a - b).max(initial=0) / scale
    if not apart <= tol:
        where = np.unravel_index(np.argmax(np.abs(a - b)), a.shape)
        raise AssertionError(
            f"they differ by {apart:.3g} of the largest number, at {tuple(map(int, where))}: "
            f"{a[where]!r} and {b[where]!r}"
        )
    return f"equal to {tol:.0e}"


def _numbers(name: str, values: Any) -> NDArray[np.float64]:
    """`values` as an array of numbers, which may be nan: a check says so itself."""
    try:
        return np.asarray(values, dtype=float)
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError(f"{name} cannot be read as an array of numbers: {error}") from None
