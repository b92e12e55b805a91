"""Models and families that emlib does not (yet) have: they prove that it carries them untouched.

- `Poisson`, `Bernoulli`: families as a newcomer would write them, from the docstring of `Family` alone.
- `StudentT`: a family with a hidden scale for every point.
- `GaussianWithHoles`, `Chain`: models that are no mixtures.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy import stats
from scipy.special import gammaln, kl_div, logsumexp, xlog1py, xlogy

from emlib import Blocks, Collapse, Family, Gaussian, Model, Statistics, Suspicion, validate
from emlib.families import Moments
from emlib.families.family import separation
from emlib.text import brief
from emlib.value import Value

# Poisson: independent counts. Its statistics are an array: how many points, then their sums ------------


@dataclass(frozen=True)
class Poisson(Family):
    """K components of D independent counts each."""

    rates: np.ndarray  # (K, D)

    def check(self, X):
        # In `from_responsibilities` there are no rates yet.
        X = validate.table(X, self.n_features)
        wrong = ((X < 0) | (np.floor(X) != X)).any(axis=1)
        if wrong.any():
            raise ValueError(f"row {np.argmax(wrong)} of X has values that are no counts: 0, 1, 2, ...")
        return X

    def log_density(self, X):
        x = X[:, None]
        return (xlogy(x, self.rates) - self.rates - gammaln(x + 1)).sum(axis=2)

    def collect(self, X, resp):
        return np.column_stack([resp.sum(axis=0), resp.T @ X])  # (K, 1 + D)

    def maximize(self, statistics):
        counts, sums = statistics[:, :1], statistics[:, 1:]
        if not counts.all():
            raise Collapse(f"component {np.argmin(counts)} has no points left")
        return Poisson(sums / counts)

    def divergence(self, other):
        a, b = self.rates[:, None], other.rates
        return (kl_div(a, b) + kl_div(b, a)).sum(axis=2)

    def describe(self, k):
        return f"rates {brief(self.rates[k])}"

    def sample(self, labels, rng):
        return rng.poisson(self.rates[labels])

    @property
    def n_parameters(self):
        return self.rates.size


# Bernoulli: independent yes or no, with a prior as an option -------------------------------------------


@dataclass(frozen=True)
class Bernoulli(Family):
    """K components of D independent features, each 0 or 1.

    `pseudo` is a prior: how many points of each value `maximize` adds to every feature.
    """

    probabilities: np.ndarray  # (K, D)
    pseudo: float = 0.0

    def check(self, X):
        # In `from_responsibilities` there are no probabilities yet.
        X = validate.table(X, self.n_features)
        wrong = ((X != 0) & (X != 1)).any(axis=1)
        if wrong.any():
            raise ValueError(f"row {np.argmax(wrong)} of X has values other than 0 and 1")
        return X

    def log_density(self, X):
        p, x = self.probabilities, X[:, None]
        return (xlogy(x, p) + xlog1py(1 - x, -p)).sum(axis=2)

    def collect(self, X, resp):
        return np.column_stack([resp.sum(axis=0), resp.T @ X])  # (K, 1 + D)

    def maximize(self, statistics):
        counts, sums = statistics[:, :1] + 2 * self.pseudo, statistics[:, 1:] + self.pseudo
        if not counts.all():
            raise Collapse(f"component {np.argmin(counts)} has no points left")
        return replace(self, probabilities=sums / counts)

    def log_prior(self):
        p = self.probabilities
        return float((xlogy(self.pseudo, p) + xlog1py(self.pseudo, -p)).sum())

    def divergence(self, other):
        p, q = self.probabilities[:, None], other.probabilities
        return (kl_div(p, q) + kl_div(q, p) + kl_div(1 - p, 1 - q) + kl_div(1 - q, 1 - p)).sum(axis=2)

    def describe(self, k):
        return f"probabilities {brief(self.probabilities[k])}"

    def sample(self, labels, rng):
        return rng.binomial(1, self.probabilities[labels])

    @property
    def n_parameters(self):
        return self.probabilities.size


# Student-t: a hidden scale for every point, on top of the hidden component ---------------------------


@dataclass(frozen=True)
class StudentStatistics(Value):
    counts: np.ndarray  # (K,): responsibilities alone
    moments: Moments  # responsibilities times the expected precision of each point

    def __add__(self, other):
        return StudentStatistics(self.counts + other.counts, self.moments + other.moments)

    def __mul__(self, scale):
        return StudentStatistics(self.counts * scale, self.moments * scale)


@dataclass(frozen=True)
class StudentT(Family):
    means: np.ndarray  # (K, D)
    scales: np.ndarray  # (K, D, D)
    dof: float = 3.0

    n_features = property(lambda self: self.means.shape[1])
    n_parameters = property(lambda self: len(self) * self.n_features * (self.n_features + 3) // 2)

    @classmethod
    def from_responsibilities(cls, X, resp, dof=3.0):
        # Whatever is hidden in a component needs its parameters, so Gaussians make the start.
        start = Gaussian.from_responsibilities(X, resp)
        return cls(start.means, start.matrices, dof)

    def check(self, X):
        return validate.table(X, self.n_features)

    def log_density(self, X):
        return np.column_stack(
            [
                stats.multivariate_t.logpdf(X, mean, scale, self.dof).reshape(len(X))
                for mean, scale in zip(self.means, self.scales, strict=True)
            ]
        )

    def collect(self, X, resp):
        d = X[:, None] - self.means  # (N, K, D)
        squared = np.einsum("nki,kij,nkj->nk", d, np.linalg.inv(self.scales), d)
        precision = (self.dof + self.n_features) / (self.dof + squared)
        return StudentStatistics(resp.sum(axis=0), Moments.of(X, resp * precision))

    def maximize(self, statistics):
        moments = statistics.moments
        shrink = moments.counts / statistics.counts
        return replace(self, means=moments.means, scales=moments.covariances * shrink[:, None, None])

    def divergence(self, other):
        # By Fisher's information (Lange, Little & Taylor 1989): that of Gaussians, damped, less a term in the volumes.
        D, dof = self.n_features, self.dof
        volumes, others = (np.linalg.slogdet(family.scales)[1] for family in (self, other))
        gaussian = Gaussian(self.means, self.scales).divergence(Gaussian(other.means, other.scales))
        return ((dof + D) * gaussian - (volumes[:, None] - others) ** 2 / 2) / (dof + D + 2)

    def describe(self, k):
        return f"mean {brief(self.means[k])}, scale {brief(self.scales[k])}"

    def sample(self, labels, rng):
        normal = Gaussian(0 * self.means, self.scales).sample(labels, rng)
        return self.means[labels] + normal * np.sqrt(self.dof / rng.chisquare(self.dof, len(labels)))[:, None]


# One Gaussian, seen through holes: nan is a missing value --------------------------------------------


@dataclass(frozen=True)
class HoleStatistics(Statistics):
    moments: Moments


@dataclass(frozen=True)
class GaussianWithHoles(Value, Model):
    mean: np.ndarray  # (D,)
    covariance: np.ndarray  # (D, D)

    n_parameters = property(lambda self: len(self.mean) * (len(self.mean) + 3) // 2)

    def check(self, block):
        block = np.asarray(block, dtype=float)
        if block.ndim != 2 or block.shape[1] != len(self.mean) or np.isinf(block).any():
            raise ValueError(f"X must be (N, {len(self.mean)}): numbers, and nan for what is missing")
        return block

    def expect(self, block, weights=None):
        weights = np.ones(len(block)) if weights is None else weights
        return sum(self._of_point(x) * w for x, w in zip(self.check(block), weights, strict=True))

    def _of_point(self, x):
        seen = ~np.isnan(x)
        filled, extra = np.where(seen, x, self.mean), np.zeros_like(self.covariance)
        o, m = np.ix_(seen, seen), np.ix_(~seen, ~seen)
        slope = self.covariance[np.ix_(~seen, seen)] @ np.linalg.inv(self.covariance[o])
        filled[~seen] += slope @ (x[seen] - self.mean[seen])
        extra[m] = self.covariance[m] - slope @ self.covariance[np.ix_(seen, ~seen)]
        log_likelihood = stats.multivariate_normal.logpdf(x[seen], self.mean[seen], self.covariance[o])
        moments = Moments(np.ones(1), filled[None], np.zeros((1, len(x))), extra[None])
        return HoleStatistics(float(log_likelihood), 1, moments)

    def maximize(self, statistics):
        return GaussianWithHoles(statistics.moments.means[0], statistics.moments.covariances[0])

    def log_density(self, X):
        return np.array([self._of_point(x).log_likelihood for x in self.check(X)])

    def suspicion(self, statistics):
        return None


# A hidden Markov chain with two states: a block is one whole sequence --------------------------------


@dataclass(frozen=True)
class ChainStatistics(Statistics):
    first: np.ndarray  # (2,)
    transitions: np.ndarray  # (2, 2)
    symbols: np.ndarray  # (2, M)


@dataclass(frozen=True)
class Chain(Value, Model):
    first: np.ndarray  # (2,)
    transitions: np.ndarray  # (2, 2), rows sum to one
    emissions: np.ndarray  # (2, M), rows sum to one

    # What sums to one has one free number less.
    n_parameters = property(lambda self: 1 + 2 + 2 * (self.emissions.shape[1] - 1))

    @cached_property
    def logs(self):
        with np.errstate(divide="ignore"):  # EM may find that something never happens
            return np.log(self.first), np.log(self.transitions), np.log(self.emissions)

    def check(self, block):
        block, M = np.asarray(block), self.emissions.shape[1]
        if block.ndim != 1 or block.dtype.kind not in "iu" or not ((block >= 0) & (block < M)).all():
            raise ValueError(f"a sequence is a row (T,) of symbols, numbered from 0 to {M - 1}")
        return block

    def expect(self, block, weights=None):
        if weights is not None:
            raise ValueError("the steps of a chain have no weights")
        block, (first, move, emit) = self.check(block), self.logs
        seen = emit[:, block].T  # (T, 2)
        forward, backward = np.empty_like(seen), np.zeros_like(seen)
        forward[0] = first + seen[0]
        for t in range(1, len(block)):
            forward[t] = logsumexp(forward[t - 1][:, None] + move, axis=0) + seen[t]
        for t in reversed(range(len(block) - 1)):
            backward[t] = logsumexp(move + seen[t + 1] + backward[t + 1], axis=1)
        log_likelihood = logsumexp(forward[-1])
        resp = np.exp(forward + backward - log_likelihood)
        pairs = forward[:-1, :, None] + move + (seen + backward)[1:, None, :] - log_likelihood
        symbols = np.array([resp[block == m].sum(axis=0) for m in range(emit.shape[1])]).T
        return ChainStatistics(float(log_likelihood), len(block), resp[0], np.exp(pairs).sum(axis=0), symbols)

    def maximize(self, statistics):
        def share(table):
            return table / table.sum(axis=-1, keepdims=True)

        return Chain(share(statistics.first), share(statistics.transitions), share(statistics.symbols))

    def log_density(self, X):
        """Of every sequence, as the observations are sequences."""
        return np.array([self.expect(block).log_likelihood for block, _ in Blocks.of(X).pairs])

    def suspicion(self, statistics):
        """States whose symbols differ no more than those of two random halves of one state."""
        p, q = self.emissions
        divergence = (kl_div(p, q) + kl_div(q, p)).sum()
        if (
            separation(
                np.array([[0, divergence], [divergence, 0]]), statistics.symbols.sum(axis=1), len(p) - 1
            )[0, 1]
            < 1
        ):
            return Suspicion(
                "stalled", "states 0 and 1 cannot be told apart: use another start, or one state"
            )
        return None
