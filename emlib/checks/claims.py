"""Invariants of what a program claims: a log-likelihood, a maximum, an end.

Like those of `emlib.checks.invariants`, each raises an AssertionError that says what fails and on which numbers, and
returns a sentence that says what was found.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from emlib import validate
from emlib.families import Gaussian
from emlib.validate import Array

if TYPE_CHECKING:
    from emlib.mixture import Mixture


def additive(log_likelihood: Callable[[Any], float], X: ArrayLike) -> str:
    """The log-likelihood of all points is the sum of the log-likelihoods of two parts.

    It holds for independent points under any model whatever. One logarithm of a sum over all points breaks it.

    Parameters
    ----------
    log_likelihood : callable
        Takes points, returns their total log-likelihood in nats.
    X : array_like (N,) or (N, D)
        At least two points.
    """
    points = validate.finite("X", X)
    half = len(points) // 2
    whole, parts = (
        float(log_likelihood(points)),
        [float(log_likelihood(part)) for part in (points[:half], points[half:])],
    )
    if not abs(whole - sum(parts)) <= 1e-9 * (abs(whole) + sum(map(abs, parts))):
        raise AssertionError(
            f"the log-likelihood of all points is {whole:.6g}, and of two halves {parts[0]:.6g} and {parts[1]:.6g}, "
            f"together {sum(parts):.6g}: points are independent, so logarithms add up, one for each point"
        )
    return "the log-likelihoods of two halves add up to that of all points"


def stationary(mixture: Mixture, X: ArrayLike, tol: float = 1e-3) -> str:
    """At a claimed maximum no small step gains: the objective has no slope left, in any direction.

    The slopes are finite differences, so this knows nothing of EM. Steps are measured in the component's own
    standard deviations, and each slope by what it promises for a step of 1/sqrt(N), which is about a standard error.

    Parameters
    ----------
    mixture : Mixture of Gaussians
        Of structure "full", as for one dimension; without a floor.
    X : array_like (N, D)
    tol : float
        The largest promise allowed, in nats.
    """
    components: Any = getattr(mixture, "components", None)
    if not isinstance(components, Gaussian) or components.structure != "full" or not components.exact:
        raise ValueError("mixture must be a Mixture of full Gaussians without a floor")
    X = validate.points(X, components.n_features)

    def height(h: float, logs: Array, means: Array, matrices: Array) -> float:
        weights = mixture.weights * np.exp(h * logs)
        moved = Gaussian(
            components.means + h * means, components.matrices + h * matrices, prior=components.prior
        )
        neighbour = type(mixture)(weights / weights.sum(), moved, mixture.weight_count)
        return float(neighbour.log_density(X).sum()) + neighbour.log_prior()

    worst, where = 0.0, ""
    for name, *step in _directions(components):
        slope = (height(1e-4, *step) - height(-1e-4, *step)) / 2e-4
        if not abs(slope) <= abs(worst):
            worst, where = slope, name
    if not abs(worst) / np.sqrt(len(X)) <= tol:
        raise AssertionError(
            f"this is no maximum: along {where} the objective has the slope {worst:.3g}, so that a step as small as "
            f"a standard error promises {abs(worst) / np.sqrt(len(X)):.3g} nats"
        )
    return "no slope is left in any direction"


def _directions(components: Gaussian) -> Iterator[tuple[Any, ...]]:
    """Every free direction: its name, and what it adds to the logarithms of the weights, the means, the covariances."""
    K, D = components.means.shape
    no_mean, no_spread = np.zeros((K, D)), np.zeros((K, D, D))
    for k, root in enumerate(np.linalg.cholesky(components.matrices)):
        own = (np.arange(K) == k).astype(float)
        yield f"weight {k}", own, no_mean, no_spread
        for i in range(D):
            yield f"the mean of component {k}", 0 * own, np.outer(own, root[:, i]), no_spread
            for j in range(i + 1):
                pair = np.outer(root[:, i], root[:, j])
                yield (
                    f"the covariance of component {k}",
                    0 * own,
                    no_mean,
                    own[:, None, None] * (pair + pair.T),
                )


def stopping(rule: Callable[[list[float], float], Any], tol: float = 1e-3) -> str:
    """A stopping rule does not take a fall for the end.

    Parameters
    ----------
    rule : callable
        Takes the log-likelihoods of all steps so far and a tolerance, and says whether the fit has converged.
    tol : float
        The tolerance to try it with.
    """
    for fall in (0.5, 1e-3, 1e-9):
        history = [-120.0, -104.0, -101.0, -100.0, -100.0 - fall * tol]
        if rule(history, tol):
            raise AssertionError(
                f"the objective fell by {fall * tol:.3g}, and the rule says it has converged: a fall smaller than tol "
                "is still a fall, and exact EM has none"
            )
    return "a fall, however small, is not taken for the end"
