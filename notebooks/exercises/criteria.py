"""The exercises of lesson 6 with numbers: parameters, a criterion, and a p-value."""

from __future__ import annotations

import numpy as np

from emlib.validate import Array
from exercises.exercise import Exercise, Mistake, Part

# How many free numbers? ---------------------------------------------------------------------------------------

WEIGHTS = "the K weights sum to 1, so the last is known from the others: K - 1 of them are free"
NO_WEIGHTS = "the weights are missing: K - 1 of them are free"
NO_MEANS = "the means are missing: K of them, of D numbers each"
ONE_MEAN = "the components share a structure, not a mean: there are K means, of D numbers each"


def _count(free: str, K: Array, D: Array) -> float:
    """The parameters of a structure: weights, means, covariances."""
    triangle = D * (D + 1) / 2
    covariances = {"full": K * triangle, "tied": triangle, "diag": K * D, "spherical": K}
    return float(K - 1 + K * D + covariances[free])


def _counted(name: str, own: list[Mistake]) -> Part:
    """The part of one structure, with the mistakes that it shares with the others; its own come first."""
    shared = [
        Mistake(lambda K, D: _count(name, K, D) + 1, WEIGHTS),
        Mistake(lambda K, D: _count(name, K, D) - (K - 1), NO_WEIGHTS),
        Mistake(lambda K, D: _count(name, K, D) - K * D, NO_MEANS),
        Mistake(lambda K, D: _count(name, K, D) - (K - 1) * D, ONE_MEAN),
    ]
    return Part(name, "one number", lambda K, D: np.array(_count(name, K, D)), [*own, *shared])


n_parameters = Exercise(
    name="n_parameters",
    arguments=("K", "D"),
    cases=[(3, 4), (5, 2), (2, 7)],
    praise="weights, means, covariances; what the components share is counted once.",
    parts=[
        _counted(
            "full",
            [
                Mistake(
                    lambda K, D: K - 1 + K * D + K * D**2,
                    "a covariance is symmetric: of its D * D numbers only those on and above the diagonal are free",
                ),
                Mistake(
                    lambda K, D: K - 1 + K * D + K * D * (D - 1) / 2,
                    "K D numbers are missing: the means, or the variances on the diagonals (D (D + 1) / 2 for each)",
                ),
                Mistake(
                    lambda K, D: _count("tied", K, D),
                    "this counts one covariance; here every component has its own",
                ),
            ],
        ),
        _counted(
            "tied",
            [
                Mistake(
                    lambda K, D: _count("full", K, D),
                    "this counts K covariances; here all components share one, and it is counted once",
                ),
                Mistake(
                    lambda K, D: K - 1 + K * D + D**2,
                    "the shared covariance is symmetric: D (D + 1) / 2 of its numbers are free",
                ),
                Mistake(
                    lambda K, D: K - 1 + K * D + D,
                    "the shared covariance may slant: it has more than its D variances",
                ),
            ],
        ),
        _counted(
            "diag",
            [
                Mistake(
                    lambda K, D: K - 1 + K * D,
                    "K D numbers are missing: the means, or the variances",
                ),
                Mistake(
                    lambda K, D: K - 1 + K * D + D,
                    "this counts D variances in all, or one mean; every component has its own D of each",
                ),
                Mistake(
                    lambda K, D: _count("spherical", K, D),
                    "one variance a component is spherical; diag has one a feature",
                ),
                Mistake(
                    lambda K, D: _count("full", K, D),
                    "off the diagonal everything is 0, and what is fixed is not free",
                ),
            ],
        ),
        _counted(
            "spherical",
            [
                Mistake(
                    lambda K, D: K - 1 + K * D + 1,
                    "this leaves out the K - 1 weights, or counts one variance in all; each component has its own",
                ),
                Mistake(
                    lambda K, D: _count("diag", K, D),
                    "a circle has one variance, the same in all D directions",
                ),
            ],
        ),
    ],
)

# BIC -----------------------------------------------------------------------------------------------------------


def _bic(log_density: Array, p: Array) -> Array:
    return p * np.log(len(log_density)) - 2 * log_density.sum()


bic = Exercise(
    name="bic",
    arguments=("log_density", "p"),
    cases=[
        (np.array([-2.31, -4.02, -1.77, -3.3, -2.9, -5.1, -2.2]), 3),
        (np.array([-0.4, 0.9, -1.3, -0.2, 0.35]), 8),
        (np.linspace(-6.1, -1.2, 19) ** 3 / 40, 11),
    ],
    praise="it is on the scale of -2 log-likelihood, and smaller is better.",
    parts=[
        Part(
            "bic",
            "one number",
            _bic,
            mistakes=[
                Mistake(
                    lambda a, p: -_bic(a, p),
                    "this is mclust's BIC, of which larger is better; here, as in scikit-learn, the sign is the other",
                ),
                Mistake(
                    lambda a, p: p * np.log(len(a)) - 2 * a.mean(),
                    "the log-likelihood is the total over all points, not the mean (scikit-learn's score is the mean)",
                ),
                Mistake(
                    lambda a, p: 2 * p - 2 * a.sum(),
                    "this is AIC: BIC charges log N for each parameter, not 2",
                ),
                Mistake(
                    lambda a, p: p * np.log10(len(a)) - 2 * a.sum(),
                    "np.log10 is the logarithm to base 10; log-likelihoods are in nats, so take np.log",
                ),
                Mistake(
                    lambda a, p: p * np.log2(len(a)) - 2 * a.sum(),
                    "np.log2 counts in bits; log-likelihoods are in nats, so take np.log",
                ),
                Mistake(
                    lambda a, p: p * np.log(len(a)) - a.sum(),
                    "the log-likelihood counts twice: -2 log-likelihood",
                ),
                Mistake(
                    lambda a, p: _bic(a, p) / 2,
                    "this is half of it, minus the approximate log marginal likelihood; BIC is twice that",
                ),
                Mistake(
                    lambda a, p: p * np.log(len(a)) + 2 * a.sum(),
                    "a higher likelihood must make it smaller: the likelihood comes with a minus",
                ),
                Mistake(
                    lambda a, p: np.log(len(a)) - 2 * a.sum(),
                    "log N is the price of one parameter, and there are p",
                ),
                Mistake(
                    lambda a, p: p * np.log(p) - 2 * a.sum(),
                    "the logarithm is of N, the number of points, not of p",
                ),
                Mistake(lambda a, p: p * len(a) - 2 * a.sum(), "the price of a parameter is log N, not N"),
                Mistake(
                    lambda a, p: p * np.log(len(a)) - 2 * np.log(np.exp(a).sum()),
                    "log-densities add up as they are: the likelihood is the product of the densities, not their sum",
                ),
                Mistake(
                    lambda a, p: p * np.log(len(a)) - 2 * np.log(np.abs(a)).sum(),
                    "these are log-densities already: no further logarithm",
                ),
            ],
        )
    ],
)

# The bootstrap's p-value --------------------------------------------------------------------------------------


def _as_large(observed: Array, simulated: Array) -> float:
    return float((simulated >= observed).sum())


p_value = Exercise(
    name="p_value",
    arguments=("observed", "simulated"),
    cases=[
        (4.5, np.array([0.0, 1.2, 0.4, 6.1, 2.2, 4.5, 0.9, 3.3, 0.1])),
        (25.0, np.array([0.3, 1.5, 2.7, 0.0, 5.6, 8.1, 0.7, 1.1, 3.2, 4.9, 6.6, 0.2, 2.0, 1.4])),
        (0.0, np.array([0.0, 1.0, 0.5, 2.5])),
    ],
    praise="the data are one more sample under the null hypothesis, so they are counted in, above and below.",
    parts=[
        Part(
            "p_value",
            "one number",
            lambda t, s: np.array((1 + _as_large(t, s)) / (len(s) + 1)),
            mistakes=[
                Mistake(
                    lambda t, s: _as_large(t, s) / len(s),
                    "the data themselves are missing: if the null hypothesis is true they are one more draw, so add 1 "
                    "above and below. A p-value of 0 from finitely many samples claims too much",
                ),
                Mistake(
                    lambda t, s: (1 + (s > t).sum()) / (len(s) + 1),
                    "a simulated ratio that equals the observed one is as large: >=, not >",
                ),
                Mistake(
                    lambda t, s: (s > t).mean(),
                    "count those that are equal, too, and the data: add 1 above and below",
                ),
                Mistake(
                    lambda t, s: (1 + (s <= t).sum()) / (len(s) + 1),
                    "this is the other tail: what speaks against K components is a large ratio",
                ),
                Mistake(lambda t, s: (s <= t).mean(), "this is the other tail, and without the data"),
                Mistake(lambda t, s: (s < t).mean(), "this is the other tail, and without the data"),
                Mistake(
                    lambda t, s: (1 + _as_large(t, s)) / len(s),
                    "1 was added above but not below: with the data there are B + 1 ratios",
                ),
                Mistake(
                    lambda t, s: _as_large(t, s) / (len(s) + 1),
                    "1 was added below but not above: the observed ratio is as large as itself",
                ),
                Mistake(
                    lambda t, s: 1 + _as_large(t, s),
                    "this is how many are as large; divide by how many there are, B + 1",
                ),
                Mistake(lambda t, s: _as_large(t, s), "this is how many are as large; a p-value is a share"),
                Mistake(
                    lambda t, s: np.minimum(1, 2 * (1 + _as_large(t, s)) / (len(s) + 1)),
                    "this is two-sided; a small ratio says nothing against K components",
                ),
            ],
        )
    ],
)
