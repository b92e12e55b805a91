"""Models that EM fits and emlib does not (yet) have: they prove that the loop carries them untouched."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy import stats
from scipy.special import logsumexp

from emlib import Gaussian, Mixture, Model, Statistics
from emlib.families import Family, Moments

# Two coins (Do & Batzoglou 2008): which coin was tossed is hidden ------------------------------------


@dataclass(frozen=True)
class CoinStatistics(Statistics):
    heads: np.ndarray  # (2,)
    tosses: np.ndarray  # (2,)


@dataclass(frozen=True)
class Coins(Model):
    probabilities: np.ndarray  # (2,)
    tosses: int = 10

    def expect(self, block, weights=None):
        joint = np.log(0.5) + stats.binom.logpmf(block[:, None], self.tosses, self.probabilities)
        log_density = logsumexp(joint, axis=1)
        resp = np.exp(joint - log_density[:, None])
        return CoinStatistics(log_density.sum(), len(block), block @ resp, self.tosses * resp.sum(axis=0))

    def maximize(self, statistics):
        return replace(self, probabilities=statistics.heads / statistics.tosses)


# One covariance for all components -------------------------------------------------------------------


class TiedGaussian(Gaussian):
    def maximize(self, statistics):
        counts = statistics.counts
        tied = np.einsum("k,kij->ij", counts, statistics.covariances) / counts.sum()
        return type(self)(statistics.means, np.broadcast_to(tied, self.covariances.shape))


# A prior: pseudo-points, with a separate count for the weights, the means and the covariances --------


@dataclass(frozen=True)
class Prior:
    weight_count: float  # each component starts with this many points
    mean_count: float  # how many points the prior mean is worth
    mean: np.ndarray  # (D,)
    covariance_count: float  # degrees of freedom of the inverse Wishart
    scatter: np.ndarray  # (D, D)


class PriorGaussian(Gaussian):
    def __init__(self, means, covariances, prior):
        super().__init__(means, covariances)
        object.__setattr__(self, "belief", prior)

    def maximize(self, statistics):
        prior, K, D = self.belief, len(self), self.n_features
        pseudo = Moments(
            np.full(K, prior.mean_count),
            np.tile(prior.mean, (K, 1)),
            np.zeros((K, D)),
            np.tile(prior.scatter, (K, 1, 1)),
        )
        total = statistics + pseudo
        scatter = total.covariances * total.counts[:, None, None]
        counts = statistics.counts + prior.covariance_count + D + 2
        return type(self)(total.means, scatter / counts[:, None, None], prior)

    def log_prior(self):
        prior = self.belief
        return sum(
            stats.multivariate_normal.logpdf(mean, prior.mean, covariance / prior.mean_count)
            + stats.invwishart.logpdf(covariance, prior.covariance_count, prior.scatter)
            for mean, covariance in zip(self.means, self.covariances, strict=True)
        )


class PriorMixture(Mixture):
    def maximize(self, statistics):
        counts = statistics.counts + self.components.belief.weight_count
        return type(self)(counts / counts.sum(), self.components.maximize(statistics.components))

    def log_prior(self):
        alpha = np.full(len(self), 1 + self.components.belief.weight_count)
        return stats.dirichlet.logpdf(self.weights, alpha) + self.components.log_prior()


# Student-t: a hidden scale for every point, on top of the hidden component ---------------------------


@dataclass(frozen=True)
class StudentStatistics:
    counts: np.ndarray  # (K,): responsibilities alone
    moments: Moments  # responsibilities times the expected precision of each point

    def __add__(self, other):
        return StudentStatistics(self.counts + other.counts, self.moments + other.moments)

    def __mul__(self, scale):
        return StudentStatistics(self.counts * scale, self.moments * scale)


@dataclass(frozen=True, eq=False)
class StudentT(Family):
    means: np.ndarray  # (K, D)
    scales: np.ndarray  # (K, D, D)
    dof: float

    n_features = property(lambda self: self.means.shape[1])
    own_parameters = property(lambda self: self.n_features * (self.n_features + 3) // 2)

    def __len__(self):
        return len(self.means)

    def __getitem__(self, k):
        return StudentT(self.means[[k]], self.scales[[k]], self.dof)

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

    def sample(self, labels, rng):
        raise NotImplementedError


# One Gaussian, seen through holes: nan is a missing value --------------------------------------------


@dataclass(frozen=True)
class HoleStatistics(Statistics):
    moments: Moments


@dataclass(frozen=True, eq=False)
class GaussianWithHoles(Model):
    mean: np.ndarray  # (D,)
    covariance: np.ndarray  # (D, D)

    def expect(self, block, weights=None):
        total = 0
        for x in block:
            seen = ~np.isnan(x)
            filled, extra = np.where(seen, x, self.mean), np.zeros_like(self.covariance)
            o, m = np.ix_(seen, seen), np.ix_(~seen, ~seen)
            slope = self.covariance[np.ix_(~seen, seen)] @ np.linalg.inv(self.covariance[o])
            filled[~seen] += slope @ (x[seen] - self.mean[seen])
            extra[m] = self.covariance[m] - slope @ self.covariance[np.ix_(seen, ~seen)]
            log_likelihood = stats.multivariate_normal.logpdf(x[seen], self.mean[seen], self.covariance[o])
            moments = Moments(np.ones(1), filled[None], np.zeros((1, len(x))), extra[None])
            total = total + HoleStatistics(float(log_likelihood), 1, moments)
        return total

    def maximize(self, statistics):
        return GaussianWithHoles(statistics.moments.means[0], statistics.moments.covariances[0])


# A hidden Markov chain with two states: a block is one whole sequence --------------------------------


@dataclass(frozen=True)
class ChainStatistics(Statistics):
    first: np.ndarray  # (2,)
    transitions: np.ndarray  # (2, 2)
    symbols: np.ndarray  # (2, M)


@dataclass(frozen=True, eq=False)
class Chain(Model):
    first: np.ndarray  # (2,)
    transitions: np.ndarray  # (2, 2), rows sum to one
    emissions: np.ndarray  # (2, M), rows sum to one

    @cached_property
    def logs(self):
        with np.errstate(divide="ignore"):  # EM may find that something never happens
            return np.log(self.first), np.log(self.transitions), np.log(self.emissions)

    def expect(self, block, weights=None):
        first, move, emit = self.logs
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
