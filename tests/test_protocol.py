"""The protocol carries models it was not written for, with the loop untouched."""

import itertools
from fractions import Fraction

import numpy as np
import pytest
from scipy import integrate, stats
from sklearn.mixture import GaussianMixture
from toys import Chain, GaussianWithHoles, StudentT

from emlib import Blocks, Gaussian, Mixture, Prior, checks, em, fit, fit_best, select, start
from emlib.classic import Coins
from emlib.families import Moments

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


# Gaussian mixtures: in four structures, weighted, with a prior --------------------------------------------


@pytest.mark.parametrize("structure", ["full", "tied", "diag", "spherical"])
def test_gaussians_step_as_scikit_learn_does(blobs, structure):
    first = start.from_data(blobs, 3, np.random.default_rng(1), structure=structure)
    trace = fit(first, blobs, tol=0, max_iter=20)
    peer = GaussianMixture(
        3,
        covariance_type=structure,
        reg_covar=0,
        tol=0,
        max_iter=20,
        weights_init=first.weights,
        means_init=first.components.means,
        precisions_init=first.components.precisions,
    )
    with pytest.warns(match="did not converge"):
        peer.fit(blobs)
    np.testing.assert_allclose(trace.model.weights, peer.weights_, rtol=1e-10)
    np.testing.assert_allclose(trace.model.components.means, peer.means_, rtol=1e-10)
    np.testing.assert_allclose(trace.model.components.covariances, peer.covariances_, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(trace.log_likelihood, peer.score(blobs) * len(blobs), rtol=1e-12)
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


# A normal-inverse-Wishart prior (and a Dirichlet one), as SciPy has them
MEAN, MEAN_COUNT, DEGREES, SCATTER = np.array([1.0, 2.0]), 0.5, 5.0, np.array([[1.0, 0.2], [0.2, 0.7]])
PRIOR = Prior(SCATTER / (DEGREES + 4), DEGREES + 4, MEAN, MEAN_COUNT)


def scipys_log_prior(model, weight_count):
    total = stats.dirichlet.logpdf(model.weights, np.full(len(model), 1 + weight_count))
    for mean, covariance in zip(model.components.means, model.components.covariances, strict=True):
        total += stats.multivariate_normal.logpdf(mean, MEAN, covariance / MEAN_COUNT)
        total += stats.invwishart.logpdf(covariance, DEGREES, SCATTER)
    return total


def test_a_prior_is_climbed_with_the_likelihood(blobs):
    first = start.from_data(blobs, 3, np.random.default_rng(1), prior=PRIOR)
    trace = fit(Mixture(first.weights, first.components, weight_count=2.0), blobs, tol=1e-13, max_iter=5000)
    checks.monotone(trace)
    assert trace.stop.converged
    # Ours and SciPy's log-priors differ by a constant.
    ours = trace.objectives - trace.log_likelihoods
    theirs = [scipys_log_prior(model, 2.0) for model in trace.models]
    np.testing.assert_allclose(ours - ours[-1], theirs - theirs[-1], atol=1e-9)
    # At the limit log-likelihood plus log-prior is flat in every direction. (The log-likelihood is not.)
    model = trace.model

    def at(means=model.components.means, roots=None, logits=None):
        covariances, weights = model.components.covariances, model.weights
        if roots is not None:
            covariances = roots @ roots.transpose(0, 2, 1)
        if logits is not None:
            weights = np.exp(logits) / np.exp(logits).sum()
        moved = Mixture(weights, Gaussian(means, covariances))
        return moved.log_density(blobs).sum() + scipys_log_prior(moved, 2.0)

    roots = np.linalg.cholesky(model.components.covariances)
    assert np.abs(gradient(lambda m: at(means=m), model.components.means)).max() < 1e-3
    assert np.abs(gradient(lambda r: at(roots=r), roots)).max() < 1e-3
    assert np.abs(gradient(lambda w: at(logits=w), np.log(model.weights))).max() < 1e-3


def test_a_prior_holds_a_component_that_sits_on_one_point():
    X = np.array([[0.0], [0.1], [-0.2], [0.3], [9.0]])
    components = Gaussian.univariate([0.0, 9.0], [1.0, 1.0], prior=Prior([[0.2]], 5.0, [0.0], 0.01))
    trace = fit(Mixture([0.5, 0.5], components, weight_count=1.0), X, tol=1e-10)
    assert trace.stop.converged
    checks.monotone(trace)


# Student-t ----------------------------------------------------------------------------------------------


def test_student_t_reaches_a_stationary_point_outliers_and_all(blobs):
    X = np.vstack([blobs, [[40.0, -30], [25, 60], [-50, 10]]])
    trace = fit(start.from_data(X, 2, np.random.default_rng(0), family=StudentT), X, tol=1e-13)
    checks.monotone(trace)
    assert trace.stop.converged
    model = trace.model

    def at(means):
        moved = Mixture(model.weights, StudentT(means, model.components.scales, 3.0))
        return moved.log_density(X).sum()

    assert np.abs(gradient(at, model.components.means)).max() < 1e-4


def test_student_t_is_used_as_any_family(blobs):
    X = blobs
    starts = [start.k_means(X, 3, np.random.default_rng(seed), family=StudentT, dof=4.0) for seed in range(3)]
    best = fit_best(starts, X)
    checks.monotone(best)
    model = best.model
    assert model.components.dof == 4
    p = 2 + 3 * 2 + 3 * 3
    np.testing.assert_allclose(
        select.bic(model, X), p * np.log(len(X)) - 2 * model.log_density(X).sum(), rtol=1e-12
    )
    drawn, labels = model.sample(20_000, np.random.default_rng(0))
    for k in range(3):  # whitened, each feature is a Student-t of its own
        root = np.linalg.cholesky(model.components.scales[k])
        white = np.linalg.solve(root, (drawn[labels == k] - model.components.means[k]).T)
        assert stats.kstest(white[0], stats.t(4).cdf).pvalue > 1e-3
    assert repr(model).startswith("Mixture of 3 StudentTs\n  weight 0.")


@pytest.mark.parametrize(("shift", "stretch"), [(0.02, 1.0), (0.0, 1.02), (0.02, 0.98)])
def test_divergence_of_student_t_is_the_integral_close_by(shift, stretch):
    pair = StudentT(np.array([[0.0], [shift]]), np.array([[[1.0]], [[stretch]]]), 3.0)
    p, q = stats.t(3), stats.t(3, shift, np.sqrt(stretch))
    jeffreys, _ = integrate.quad(
        lambda x: (p.pdf(x) - q.pdf(x)) * (p.logpdf(x) - q.logpdf(x)), -np.inf, np.inf
    )
    np.testing.assert_allclose(pair.divergence(pair), [[0, jeffreys], [jeffreys, 0]], rtol=0.01, atol=1e-15)


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


def test_a_chain_has_its_criteria():
    rng = np.random.default_rng(3)
    sequences = [rng.integers(3, size=n) for n in (6, 4, 8, 5)]
    model = Chain(np.array([0.6, 0.4]), np.array([[0.7, 0.3], [0.2, 0.8]]), np.full((2, 3), 1 / 3))
    # With all symbols equally likely: 3^-23, whatever the states; 1 + 2 + 4 free numbers and 23 observations.
    log_likelihood = -23 * np.log(3)
    np.testing.assert_allclose(model.log_density(sequences), -np.array([6, 4, 8, 5]) * np.log(3), rtol=1e-12)
    assert select.bic(model, sequences) == pytest.approx(7 * np.log(23) - 2 * log_likelihood, rel=1e-12)
    assert select.aic(model, sequences) == pytest.approx(14 - 2 * log_likelihood, rel=1e-12)
    assert select.held_out(model, sequences) == pytest.approx(-np.log(3), rel=1e-12)
    with pytest.raises(ValueError, match="block 1 of 2: a sequence is a row"):
        fit(model, [sequences[0], np.array([0, 3])])


@pytest.mark.parametrize("gap", [0.0, 1e-9, 1e-7])
def test_a_chain_of_two_states_that_are_one_never_converges(gap):
    rng = np.random.default_rng(3)
    sequences = [rng.integers(3, size=n) for n in (60, 40, 80, 50)]
    emissions = np.array([[0.5 + gap, 0.3 - gap, 0.2], [0.5, 0.3, 0.2]])
    # It starts as it goes on: else the first symbols would tell the states apart.
    model = Chain(np.array([0.4, 0.6]), np.array([[0.7, 0.3], [0.2, 0.8]]), emissions)
    with pytest.warns(match="states 0 and 1 cannot be told apart"):
        trace = fit(model, sequences)
    checks.monotone(trace)
    assert trace.stop.reason == "stalled"


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
    coins = Coins([0.6, 0.5]).expect([5, 9, 8, 4, 7])
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
