"""The protocol carries models it was not written for, with the loop untouched."""

import itertools
from fractions import Fraction

import numpy as np
import pytest
from scipy import stats
from sklearn.mixture import GaussianMixture
from toys import (
    Chain,
    Coins,
    GaussianWithHoles,
    Prior,
    PriorGaussian,
    PriorMixture,
    StudentT,
    TiedGaussian,
)

from emlib import Blocks, Gaussian, Mixture, checks, em, fit, start
from emlib.families import Moments

HEADS = np.array([5, 9, 8, 4, 7])
ODD, EVEN = slice(None, None, 2), slice(1, None, 2)


@pytest.fixture
def blobs():
    rng = np.random.default_rng(5)
    means = np.array([[0.0, 0], [4, 1], [1, 5]])
    mixing = np.array([[[1.0, 0.3], [0, 0.8]], [[0.7, 0], [0.4, 1.2]], [[1, -0.5], [0.2, 0.6]]])
    labels = rng.integers(3, size=240)
    return means[labels] + np.einsum("nij,nj->ni", mixing[labels], rng.standard_normal((240, 2)))


def gradient(objective, parameters, step=1e-5):
    """Central differences: an oracle that knows nothing of EM."""
    gradient = np.empty_like(parameters)
    for i in range(parameters.size):
        forth, back = parameters.copy(), parameters.copy()
        forth.flat[i] += step
        back.flat[i] -= step
        gradient.flat[i] = (objective(forth) - objective(back)) / (2 * step)
    return gradient


# Two coins --------------------------------------------------------------------------------------------


def test_two_coins_walk_the_published_path():
    # Do & Batzoglou (2008), What is the expectation maximization algorithm?, figure 1b
    trace = fit(Coins(np.array([0.6, 0.5])), HEADS, tol=1e-12)
    path = np.array([model.probabilities for model in trace.models])
    np.testing.assert_allclose(path[1], [0.713012, 0.581339], atol=5e-7)
    np.testing.assert_allclose(path[10], [0.796744, 0.519659], atol=5e-7)
    np.testing.assert_allclose(path[-1], [0.796789, 0.519583], atol=5e-7)
    assert trace.stop.converged
    checks.monotone(trace)


# Gaussian mixtures: full, tied, weighted, with a prior ---------------------------------------------------


@pytest.mark.parametrize("kind", ["full", "tied"])
def test_gaussians_step_as_scikit_learn_does(blobs, kind):
    first = start.from_data(blobs, 3, np.random.default_rng(1))
    family = {"full": Gaussian, "tied": TiedGaussian}[kind](
        first.components.means, first.components.covariances
    )
    trace = fit(Mixture(first.weights, family), blobs, tol=0, max_iter=20)
    covariance = first.components.covariances
    peer = GaussianMixture(
        3,
        covariance_type=kind,
        reg_covar=0,
        tol=0,
        max_iter=20,
        weights_init=first.weights,
        means_init=first.components.means,
        precisions_init=np.linalg.inv(covariance if kind == "full" else covariance[0]),
    )
    with pytest.warns(match="did not converge"):
        peer.fit(blobs)
    np.testing.assert_allclose(trace.model.weights, peer.weights_, rtol=1e-10)
    np.testing.assert_allclose(trace.model.components.means, peer.means_, rtol=1e-10)
    np.testing.assert_allclose(
        trace.model.components.covariances,
        np.broadcast_to(peer.covariances_, (3, 2, 2)),
        rtol=1e-10,
        atol=1e-12,
    )
    np.testing.assert_allclose(trace.objectives[-1], peer.score(blobs) * len(blobs), rtol=1e-12)
    checks.monotone(trace)


def test_weights_count_points(blobs):
    counts = np.random.default_rng(2).integers(0, 4, size=len(blobs))
    first = start.from_data(blobs, 3, np.random.default_rng(1))
    weighted = fit(first, blobs, counts, tol=0, max_iter=15)
    repeated = fit(first, np.repeat(blobs, counts, axis=0), tol=0, max_iter=15)
    np.testing.assert_allclose(weighted.objectives, repeated.objectives, rtol=1e-12)
    np.testing.assert_allclose(
        weighted.model.components.covariances, repeated.model.components.covariances, rtol=1e-10
    )
    assert weighted.n_points == counts.sum()
    checks.monotone(weighted)


def test_a_prior_is_climbed_with_the_likelihood(blobs):
    prior = Prior(2.0, 0.5, np.array([1.0, 2.0]), 5.0, np.array([[1.0, 0.2], [0.2, 0.7]]))
    first = start.from_data(blobs, 3, np.random.default_rng(1))
    components = PriorGaussian(first.components.means, first.components.covariances, prior=prior)
    trace = fit(PriorMixture(first.weights, components), blobs, tol=1e-13, max_iter=5000)
    checks.monotone(trace)
    assert trace.stop.converged
    # At the limit log-likelihood plus log-prior is flat in every direction. (The log-likelihood is not.)
    model = trace.model
    assert abs(trace.objectives[-1] - trace.log_likelihoods[-1] - model.log_prior()) < 1e-9

    def at(means=model.components.means, roots=None, logits=None):
        covariances, weights = model.components.covariances, model.weights
        if roots is not None:
            covariances = roots @ roots.transpose(0, 2, 1)
        if logits is not None:
            weights = np.exp(logits) / np.exp(logits).sum()
        moved = PriorMixture(weights, PriorGaussian(means, covariances, prior=prior))
        return moved.log_density(blobs).sum() + moved.log_prior()

    roots = np.linalg.cholesky(model.components.covariances)
    assert np.abs(gradient(lambda m: at(means=m), model.components.means)).max() < 1e-3
    assert np.abs(gradient(lambda r: at(roots=r), roots)).max() < 1e-3
    assert np.abs(gradient(lambda w: at(logits=w), np.log(model.weights))).max() < 1e-3


def test_a_prior_holds_a_component_that_sits_on_one_point():
    X = np.array([[0.0], [0.1], [-0.2], [0.3], [9.0]])
    prior = Prior(1.0, 0.01, np.zeros(1), 2.0, np.eye(1))
    components = PriorGaussian([[0.0], [9.0]], [[[1.0]], [[1.0]]], prior=prior)
    trace = fit(PriorMixture([0.5, 0.5], components), X, tol=1e-10)
    assert trace.stop.converged
    checks.monotone(trace)


# Student-t ----------------------------------------------------------------------------------------------


def test_student_t_reaches_a_stationary_point_outliers_and_all(blobs):
    X = np.vstack([blobs, [[40.0, -30], [25, 60], [-50, 10]]])
    first = start.from_data(X, 2, np.random.default_rng(0)).components
    trace = fit(Mixture([0.5, 0.5], StudentT(first.means, first.covariances, 3.0)), X, tol=1e-13)
    checks.monotone(trace)
    assert trace.stop.converged
    model = trace.model

    def at(means):
        moved = Mixture(model.weights, StudentT(means, model.components.scales, 3.0))
        return moved.log_density(X).sum()

    assert np.abs(gradient(at, model.components.means)).max() < 1e-4


# Missing values -------------------------------------------------------------------------------------------

o = np.nan
MURRAY = np.array(
    [[1, 1], [1, -1], [-1, 1], [-1, -1], [2, o], [2, o], [-2, o], [-2, o], [o, 2], [o, 2], [o, -2], [o, -2]]
)


@pytest.mark.parametrize(
    ("covariance", "limit", "log_likelihood"),
    [
        # Murray (1977), in the discussion of Dempster, Laird & Rubin: two maxima and the saddle between
        ([[1, 0.3], [0.3, 1]], [[8 / 3, 4 / 3], [4 / 3, 8 / 3]], -29.974286),
        ([[1, -0.3], [-0.3, 1]], [[8 / 3, -4 / 3], [-4 / 3, 8 / 3]], -29.974286),
        ([[1, 0], [0, 1]], [[5 / 2, 0], [0, 5 / 2]], -30.033342),
    ],
)
def test_a_gaussian_with_holes_finds_what_murray_found(covariance, limit, log_likelihood):
    first = GaussianWithHoles(np.zeros(2), np.array(covariance, dtype=float))
    trace = fit(first, MURRAY, tol=1e-12)
    checks.monotone(trace)
    np.testing.assert_allclose(trace.model.mean, 0, atol=1e-9)
    np.testing.assert_allclose(trace.model.covariance, limit, atol=2e-4)
    assert abs(trace.objectives[-1] - log_likelihood) < 1e-6


# A hidden Markov chain --------------------------------------------------------------------------------------


def test_a_hidden_markov_chain_whose_blocks_are_sequences():
    rng = np.random.default_rng(3)
    sequences = [rng.integers(3, size=n) for n in (6, 4, 8, 5)]
    model = Chain(
        np.array([0.6, 0.4]),
        np.array([[0.7, 0.3], [0.2, 0.8]]),
        np.array([[0.5, 0.3, 0.2], [0.1, 0.3, 0.6]]),
    )
    # Brute force: sum over all paths, and count along each what EM expects.
    total, moves = 0.0, np.zeros((2, 2))
    for seen in sequences:
        likelihood, expected = 0.0, np.zeros((2, 2))
        for path in itertools.product((0, 1), repeat=len(seen)):
            steps = list(itertools.pairwise(path))
            p = model.first[path[0]] * np.prod([model.transitions[step] for step in steps])
            p *= np.prod([model.emissions[z, x] for z, x in zip(path, seen, strict=True)])
            likelihood += p
            for step in steps:
                expected[step] += p
        total += np.log(likelihood)
        moves += expected / likelihood
    statistics = Blocks(sequences).sum(model.expect)
    np.testing.assert_allclose(statistics.log_likelihood, total, rtol=1e-12)
    np.testing.assert_allclose(statistics.transitions, moves, rtol=1e-11)
    # Joined end to end they are another data set: the borders of blocks carry meaning.
    assert abs(model.expect(np.concatenate(sequences)).log_likelihood - total) > 0.01

    trace = fit(model, sequences, tol=1e-9)
    checks.monotone(trace)
    assert trace.stop.converged


# Sums of blocks ---------------------------------------------------------------------------------------------


def exact_covariance(x):
    """Of a column of floats, in rational numbers: no rounding at all."""
    x = [Fraction(float(v)) for v in x]
    mean = sum(x) / len(x)
    return float(mean), float(sum((v - mean) ** 2 for v in x) / len(x))


@pytest.mark.parametrize("seed", range(5))
def test_blocks_add_in_any_order_even_for_tight_clusters_far_apart(seed):
    rng = np.random.default_rng(seed)
    left, right = -1e8 + 1e-3 * rng.standard_normal(300), 1e8 + 1e-2 * rng.standard_normal(300)
    X = rng.permutation(np.concatenate([left, right]))[:, None]
    first = Mixture([0.5, 0.5], Gaussian.univariate([-1e8, 1e8], [1.0, 1.0]))
    cuts = np.sort(rng.choice(np.arange(1, 600), size=7, replace=False))
    blocks = np.split(X, cuts)
    truth = np.array([exact_covariance(left), exact_covariance(right)])
    for order in (blocks, blocks[::-1], [blocks[i] for i in rng.permutation(8)], [X]):
        second = next(itertools.islice(em(first, list(order)), 1, None)).model
        np.testing.assert_allclose(second.components.means[:, 0], truth[:, 0], rtol=1e-15)
        np.testing.assert_allclose(second.components.variances[:, 0], truth[:, 1], rtol=1e-9)


def test_blocks_sorted_by_cluster_add_up_to_the_whole(blobs):
    model = start.from_data(blobs, 3, np.random.default_rng(1))
    whole = model.expect(blobs)
    blocks = np.array_split(blobs[np.argsort(blobs[:, 0])], 13)
    total = sum(model.expect(block) for block in blocks)
    assert total.n_points == len(blobs)
    np.testing.assert_allclose(total.log_likelihood, whole.log_likelihood, rtol=1e-13)
    np.testing.assert_allclose(total.counts, whole.counts, rtol=1e-12)
    np.testing.assert_allclose(total.components.covariances, whole.components.covariances, rtol=1e-11)
    weights = np.random.default_rng(0).uniform(size=len(blobs))
    pieces = Blocks([blobs[ODD], blobs[EVEN]], [weights[ODD], weights[EVEN]]).sum(model.expect)
    np.testing.assert_allclose(pieces.counts, model.expect(blobs, weights).counts, rtol=1e-12)


def test_statistics_are_a_vector_space(blobs):
    """Decaying averages and extrapolation need multiples and differences, with no count to divide by."""
    model = start.from_data(blobs, 2, np.random.default_rng(1))
    a, b = model.expect(blobs[ODD]), model.expect(blobs[EVEN])
    mixed = 3 * a + b * -1.0 + b + a * -2.0
    np.testing.assert_allclose(mixed.components.means, a.components.means, rtol=1e-10)
    np.testing.assert_allclose(mixed.components.covariances, a.components.covariances, rtol=1e-9)
    assert mixed.log_likelihood == pytest.approx(a.log_likelihood)
    # A difference that counts nothing still carries its sums.
    moments = Moments(np.ones(1), np.zeros((1, 1)), np.ones((1, 1)), np.ones((1, 1, 1)))
    nothing = moments + moments.about(np.full((1, 1), 7.0)) * -1.0
    np.testing.assert_allclose(
        [nothing.counts[0], nothing.sums[0, 0], nothing.products[0, 0, 0]], 0, atol=1e-12
    )


def test_online_em_is_a_decaying_average(blobs):
    model = start.k_means(blobs, 3, np.random.default_rng(1))
    rng, memory = np.random.default_rng(0), model.expect(blobs[:60])
    for t in range(400):
        batch = blobs[rng.choice(len(blobs), size=60)]
        decay = (t + 2) ** -0.7
        memory = memory * (1 - decay) + model.expect(batch) * decay
        model = model.maximize(memory)
    batch_fit = fit(start.k_means(blobs, 3, np.random.default_rng(1)), blobs)
    online, best = model.log_density(blobs).mean(), batch_fit.objectives[-1] / len(blobs)
    assert best - 0.02 < online <= best + 1e-9


def test_statistics_of_two_models_do_not_add(blobs):
    coins = Coins(np.array([0.6, 0.5])).expect(HEADS)
    with pytest.raises(TypeError):
        coins + start.from_data(blobs, 2, np.random.default_rng(0)).expect(blobs)


def test_gaussian_density_is_scipys_far_out_too():
    rng = np.random.default_rng(0)
    root = rng.standard_normal((4, 4))
    mean, covariance = rng.standard_normal(4), root @ root.T
    X = mean + rng.standard_normal((50, 4)) * np.logspace(-3, 3, 50)[:, None]
    np.testing.assert_allclose(
        Gaussian(mean[None], covariance[None]).log_density(X)[:, 0],
        stats.multivariate_normal(mean, covariance).logpdf(X),
        rtol=1e-9,
    )
