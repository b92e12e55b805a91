"""Criteria of one model and some data."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from emlib import validate
from emlib.blocks import Data
from emlib.em import Model, opened
from emlib.mixture import Mixture


def aic(model: Model, X: Data, weights: Any = None) -> float:
    """Akaike's information criterion, 2 p - 2 log L; smaller is better.

    Parameters
    ----------
    model : Model
        With p free parameters: a mixture, or any other.
    X : array_like (N, D), or data of any other kind that `fit` takes
        The data that it was fitted to.
    weights : array_like (N,), optional
        How much each point counts; all ones by default. Whole numbers are counts, so that 3 is as good as the point
        three times. Others may be on any scale: they are taken so that a point weighs 1 on average.

    Returns
    -------
    float
        In nats, doubled.

    References
    ----------
    Akaike (1974), A new look at the statistical model identification.

    Examples
    --------
    >>> from emlib import datasets, fit, select, start
    >>> data = datasets.three_clusters()
    >>> model = fit(start.from_labels(data.X, data.labels), data.X).model
    >>> round(select.aic(model, data.X), 1)
    388.2
    >>> model.n_parameters, round(float(model.log_density(data.X).sum()), 1)
    (8, -186.1)
    """
    log_likelihood, _ = _fitted(model, X, weights)
    return 2 * model.n_parameters - 2 * log_likelihood


def bic(model: Model, X: Data, weights: Any = None) -> float:
    """The Bayesian information criterion, p log n - 2 log L; smaller is better.

    Here n is the number of points, or the sum of counts (see `aic`). For a hidden Markov chain it is the number of
    observations, not of sequences.

    Parameters
    ----------
    model, X, weights
        As for `aic`.

    Returns
    -------
    float
        In nats, doubled.

    References
    ----------
    Schwarz (1978), Estimating the dimension of a model.

    Examples
    --------
    >>> from emlib import datasets, fit, select, start
    >>> X = datasets.old_faithful().X
    >>> one = fit(start.from_labels(X, X[:, 0] > 0), X).model
    >>> two = fit(start.from_labels(X, X[:, 0] > 3), X).model
    >>> [round(select.bic(model, X), 1) for model in (one, two)]
    [2607.6, 2322.2]
    """
    log_likelihood, n = _fitted(model, X, weights)
    return model.n_parameters * float(np.log(n)) - 2 * log_likelihood


def icl(mixture: Mixture, X: Data, weights: Any = None) -> float:
    """The integrated completed likelihood, BIC - 2 sum_n log r_{n,z_n}; smaller is better.

    It is BIC for the data with their labels: what the labels leave in doubt counts against the mixture. Here z_n
    is the most probable component of point n, as in the paper and in R's mclust. Others write the entropy
    -sum_k r_nk log r_nk in place of -log r_{n,z_n}; it is never smaller.

    Parameters
    ----------
    mixture : Mixture
    X, weights
        As for `aic`.

    Returns
    -------
    float
        In nats, doubled; never less than `bic`.

    References
    ----------
    Biernacki, Celeux & Govaert (2000), Assessing a mixture model for clustering with the integrated completed
    likelihood. Scrucca et al. (2016), mclust 5, for the form.

    Examples
    --------
    >>> from emlib import datasets, fit, select, start
    >>> X = datasets.old_faithful().X
    >>> two = fit(start.from_labels(X, X[:, 0] > 3), X).model
    >>> round(select.bic(two, X), 1), round(select.icl(two, X), 1)  # its labels are hardly in doubt
    (2322.2, 2322.7)
    """
    validate.kind("mixture", mixture, Mixture, ", such as the model of a fit")
    blocks = opened(mixture, X, weights)
    return bic(mixture, blocks) + 2 * blocks.sum(partial(_doubt, mixture)) * blocks.unit


def held_out(model: Model, X: Data, weights: Any = None) -> float:
    """Mean log-likelihood per point, in nats, of points that the fit has not seen; larger is better.

    Parameters
    ----------
    model : Model
    X : array_like (N, D), or data of any other kind that `fit` takes
        Not the data that it was fitted to: of those it would say too much.
    weights : array_like (N,), optional
        How much each point counts; all ones by default.

    Examples
    --------
    >>> from emlib import datasets, fit, select, start
    >>> X = datasets.old_faithful().X
    >>> seen, unseen = X[::2], X[1::2]
    >>> model = fit(start.from_labels(seen, seen[:, 0] > 3), seen).model
    >>> round(select.held_out(model, seen), 2), round(select.held_out(model, unseen), 2)
    (-4.15, -4.25)
    """
    log_likelihood, n = _fitted(model, X, weights)
    return log_likelihood / n


def _doubt(mixture: Mixture, block: Any, counts: Any) -> float:
    """How far a block's points are from belonging to one component each, in nats."""
    of_points = -np.log(mixture.responsibilities(getattr(block, "X", block)).max(axis=1))
    return float(of_points.sum() if counts is None else counts @ of_points)


def _fitted(model: Model, X: Data, weights: Any) -> tuple[float, float]:
    """The log-likelihood, in nats, and the number of points that it is a total of."""
    validate.kind("model", model, Model, ", such as the model of a fit")
    blocks = opened(model, X, weights)
    statistics = blocks.sum(model.e_step)
    return statistics.log_likelihood * blocks.unit, statistics.n_points * blocks.unit
