"""Criteria of one mixture and some data."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from emlib import validate
from emlib.mixture import Mixture
from emlib.validate import Array


def aic(mixture: Mixture, X: ArrayLike, weights: ArrayLike | None = None) -> float:
    """Akaike's information criterion, 2 p - 2 log L; smaller is better.

    Parameters
    ----------
    mixture : Mixture
        With p free parameters.
    X : array_like (N, D)
        The data that it was fitted to.
    weights : array_like (N,), optional
        How much each point counts; all ones by default.

    Returns
    -------
    float
        In nats, doubled.

    References
    ----------
    Akaike (1974), A new look at the statistical model identification.
    """
    X, weights = _weighted(mixture, X, weights)
    return 2 * mixture.n_parameters - 2 * float(weights @ mixture.log_density(X))


def bic(mixture: Mixture, X: ArrayLike, weights: ArrayLike | None = None) -> float:
    """The Bayesian information criterion, p log n - 2 log L; smaller is better.

    Here n is the sum of the weights: the number of points, if they have none.

    Parameters
    ----------
    mixture, X, weights
        As for `aic`.

    Returns
    -------
    float
        In nats, doubled.

    References
    ----------
    Schwarz (1978), Estimating the dimension of a model.
    """
    X, weights = _weighted(mixture, X, weights)
    penalty = mixture.n_parameters * float(np.log(weights.sum()))
    return penalty - 2 * float(weights @ mixture.log_density(X))


def icl(mixture: Mixture, X: ArrayLike, weights: ArrayLike | None = None) -> float:
    """The integrated completed likelihood, BIC - 2 sum_n log r_{n,z_n}; smaller is better.

    It is BIC for the data with their labels: what the labels leave in doubt counts against the mixture. Here z_n
    is the most probable component of point n, as in the paper and in R's mclust. Others write the entropy
    -sum_k r_nk log r_nk in place of -log r_{n,z_n}; it is never smaller.

    Parameters
    ----------
    mixture, X, weights
        As for `aic`.

    Returns
    -------
    float
        In nats, doubled; never less than `bic`.

    References
    ----------
    Biernacki, Celeux & Govaert (2000), Assessing a mixture model for clustering with the integrated completed
    likelihood. Scrucca et al. (2016), mclust 5, for the form.
    """
    X, weights = _weighted(mixture, X, weights)
    doubt = -np.log(mixture.responsibilities(X).max(axis=1))
    return bic(mixture, X, weights) + 2 * float(weights @ doubt)


def held_out(mixture: Mixture, X: ArrayLike, weights: ArrayLike | None = None) -> float:
    """Mean log-likelihood per point, in nats, of points that the fit has not seen; larger is better.

    Parameters
    ----------
    mixture : Mixture
    X : array_like (N, D)
        Not the data that it was fitted to: of those it would say too much.
    weights : array_like (N,), optional
        How much each point counts; all ones by default.
    """
    X, weights = _weighted(mixture, X, weights)
    return float(weights @ mixture.log_density(X) / weights.sum())


def _weighted(mixture: Mixture, X: ArrayLike, weights: ArrayLike | None) -> tuple[Array, Array]:
    """The points, and the weight of each."""
    validate.kind("mixture", mixture, Mixture, ", such as the model of a fit")
    X = validate.points(X, mixture.components.n_features)
    counts = np.ones(len(X)) if weights is None else validate.point_weights(weights, len(X))
    if not counts.any():
        raise ValueError("the weights are zero everywhere: at least one point must count")
    return X, counts
