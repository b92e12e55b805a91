"""Mixtures, against brute force."""

import copy
import pickle

import numpy as np
import pytest
from scipy import stats

from emlib import Collapse, EMWarning, Gaussian, Mixture, Prior, checks, datasets, fit, start
from emlib.families.family import separation


@pytest.fixture
def mixture():
    return Mixture([0.2, 0.5, 0.3], Gaussian.univariate([-4, 0, 3], [1, 4, 0.25]))


def test_responsibilities_by_brute_force(mixture):
    for x in np.linspace(-9, 9, 19):
        joint = [
            w * stats.norm(m, np.sqrt(v)).pdf(x)
            for w, m, v in zip([0.2, 0.5, 0.3], [-4, 0, 3], [1, 4, 0.25], strict=True)
        ]
        np.testing.assert_allclose(mixture.responsibilities([[x]])[0], joint / np.sum(joint), rtol=1e-11)
        np.testing.assert_allclose(mixture.log_density([[x]])[0], np.log(np.sum(joint)), rtol=1e-12)
        assert mixture.predict([[x]])[0] == np.argmax(joint)


def test_responsibilities_survive_sixty_sigma():
    # At -60 both densities underflow to 0; their ratio, e^-60 / (1 + e^-60), is known all the same.
    mixture = Mixture([0.5, 0.5], Gaussian.univariate([0, 1], [1, 1]))
    resp = mixture.responsibilities([[-60.0], [1e6]])
    log_ratio = (stats.norm.logpdf(-60, 1, 1) - stats.norm.logpdf(-60, 0, 1)).item()
    np.testing.assert_allclose(resp[0, 1], np.exp(log_ratio), rtol=1e-10)
    np.testing.assert_allclose(resp[1], [0, 1])
    checks.probabilities(resp)


def test_published_rows_of_the_e_step():
    X = datasets.three_clusters().X
    guess = Mixture(np.ones(3) / 3, Gaussian.univariate([-5, 8, 1.5], [25, 9, 1]))
    resp = guess.responsibilities(X)
    assert resp.shape == (60, 3)
    np.testing.assert_allclose(resp[0], [0.0297644006, 0.970235407, 1.91912550e-07], rtol=1e-8)
    np.testing.assert_allclose(resp[-1], [0.0853513721, 0.0240396004, 0.890609028], rtol=1e-8)


def test_published_traps_end_where_they_should():
    X = datasets.three_clusters(15).X
    for spreads, limit in [([5, 3, 1], -186.140924), ([25, 9, 1], -216.098415)]:
        trace = fit(Mixture(np.ones(3) / 3, Gaussian.univariate([-8, 8, 5], spreads)), X, tol=1e-12)
        assert trace.stop.converged
        assert abs(trace.objectives[-1] - limit) < 1e-6
        checks.monotone(trace)
    np.testing.assert_allclose(trace.model.weights.min() * 60, 1.73, atol=0.005)


def test_suspicion_is_calibrated_on_random_halves_of_one_component():
    """The two halves' divergence is chi-square: five degrees of freedom in two dimensions."""
    rng = np.random.default_rng(0)
    draws, suspected = [], 0
    for _ in range(400):
        X = rng.standard_normal((300, 2))
        halves = start.from_labels(X, rng.permutation(np.arange(300) % 2))
        draws.append(halves.components.divergence(halves.components)[0, 1] * 75)
        suspected += halves.suspicion(halves.expect(X)) is not None
    assert stats.kstest(draws, stats.chi2(5).cdf).pvalue > 1e-3
    assert suspected >= 398


def test_components_are_distinct_where_chance_ends():
    counts = np.array([30.0, 60.0])  # 1/30 + 1/60 = 1/20
    border = np.full((2, 2), stats.chi2(5).isf(1e-3) / 20)
    np.testing.assert_allclose(separation(border, counts, 5)[0, 1], 1)
    X = np.random.default_rng(0).normal(size=(200, 1))
    verdicts = set()
    for gap in np.linspace(0.3, 0.7, 21):
        pair = Mixture([0.5, 0.5], Gaussian.univariate([-gap / 2, gap / 2], [1, 1]))
        statistics = pair.expect(X)
        n = 1 / (1 / statistics.counts).sum()
        told_apart = n * gap**2 > stats.chi2(1).isf(1e-3)  # by their means; variances are equal
        assert (pair.suspicion(statistics) is None) == told_apart
        verdicts.add(bool(told_apart))
    assert verdicts == {True, False}


def test_means_far_apart_are_above_suspicion_however_many_numbers_a_prior_holds():
    """Two clusters of fifteen points in thirty dimensions: the prior makes their covariances alike, not them."""
    rng = np.random.default_rng(0)
    X, D = rng.standard_normal((30, 30)), 30
    X[:15, 0] += 6
    labels = np.arange(30) // 15
    parted, mixed = (
        start.from_labels(X, which, prior=Prior(np.eye(D), 40)) for which in (labels, rng.permutation(labels))
    )
    total = parted.components.divergence(parted.components)[0, 1] * 7.5
    assert total < stats.chi2(D * (D + 3) // 2).isf(1e-3)  # all their numbers would not tell
    assert parted.suspicion(parted.expect(X)) is None
    assert mixed.suspicion(mixed.expect(X)).reason == "stalled"


def test_every_m_step_keeps_the_moments_of_the_data(mixture):
    rng = np.random.default_rng(0)
    X, weights = rng.normal(size=(80, 2)) @ [[2, 1], [0, 1]], rng.uniform(size=80)
    trace = fit(start.from_data(X, 3, rng), X, weights, tol=0, max_iter=4)
    for model in trace.models[1:]:
        checks.moments(model, X, weights)
    with pytest.raises(AssertionError):
        checks.moments(trace.models[0], X, weights)


def test_samples_come_from_their_components(mixture):
    X, labels = mixture.sample(50_000, np.random.default_rng(0))
    assert X.shape == (50_000, 1)
    np.testing.assert_allclose(np.bincount(labels) / len(X), mixture.weights, atol=0.01)
    for k in range(3):
        component = stats.norm(mixture[k].means[0, 0], np.sqrt(mixture[k].variances[0, 0]))
        assert stats.kstest(X[labels == k][:2000, 0], component.cdf).pvalue > 1e-3


def test_samples_repeat_with_their_generator(mixture):
    draws = [mixture.sample(5, np.random.default_rng(3))[0] for _ in range(2)]
    np.testing.assert_array_equal(*draws)


def test_a_mixture_is_a_sequence_of_its_components(mixture):
    assert len(mixture) == 3
    assert [component.means[0, 0] for component in mixture] == [-4, 0, 3]
    assert mixture[-1].means[0, 0] == 3


def test_repr_reads_like_the_model(mixture):
    assert repr(mixture).split("\n") == [
        "Mixture of 3 Gaussians in 1 dimension",
        "  weight 0.2, mean -4, variance 1",
        "  weight 0.5, mean 0, variance 4",
        "  weight 0.3, mean 3, variance 0.25",
    ]


def test_a_component_of_weight_zero_makes_no_points_and_collapses_in_the_m_step():
    mixture = Mixture([1, 0], Gaussian.univariate([0, 1], [1, 1]))
    np.testing.assert_array_equal(mixture.responsibilities([[1.0], [2.0], [3.0]])[:, 1], 0)
    with pytest.raises(Collapse, match="component 1 has no points left"):
        mixture.maximize(mixture.expect([[1.0], [2.0], [3.0]]))


def test_float32_and_other_memory_layouts_do_not_lose_the_answer():
    rng = np.random.default_rng(0)
    X = np.asfortranarray(rng.normal(size=(100, 3)).astype(np.float32))
    first = start.from_data(X, 2, np.random.default_rng(0))
    same = start.from_data(np.ascontiguousarray(X, dtype=float), 2, np.random.default_rng(0))
    a, b = fit(first, X), fit(same, X.astype(float))
    np.testing.assert_allclose(a.objectives, b.objectives, rtol=1e-13)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ([0.5, 0.5], r"weights has shape \(2,\); it must be one number for each component, \(K,\) = \(3,\)"),
        ([0.5, 0.5, 0.5], r"weights sums to 1.5 where it must sum to 1"),
        ([1.5, -0.5, 0], r"weights has a negative value, -0.5"),
        ([np.nan, 0.5, 0.5], "weights holds nan"),
    ],
)
def test_weights_that_make_no_sense(mixture, weights, message):
    with pytest.raises(ValueError, match=message):
        Mixture(weights, mixture.components)


def test_components_that_are_no_family():
    with pytest.raises(ValueError, match="it must be a family of distributions"):
        Mixture([1.0], [stats.norm()])


BAD_POINTS = [
    (np.zeros(5), r"one-dimensional, with shape \(5,\).* pass X\[:, None\]"),
    (np.zeros((0, 1)), "X is empty"),
    (np.zeros((3, 2)), "X has 2 columns and the model 1 dimension: they"),
    (np.zeros((3, 1, 1)), r"X has shape \(3, 1, 1\)"),
    ([[np.nan], [1]], r"X holds nan or infinite values \(1 of 2, the first at \(0, 0\)\)"),
    ([[1.0], [np.inf]], "X holds nan or infinite"),
    ([["a"]], "X cannot be read as an array of numbers"),
    ([[1.0], [1.0, 2.0]], "X cannot be read"),
    (1.0, r"X has shape \(\)"),
]


@pytest.mark.parametrize(("X", "message"), BAD_POINTS)
@pytest.mark.parametrize("verb", ["expect", "log_density", "responsibilities", "predict"])
def test_points_that_make_no_sense(mixture, verb, X, message):
    with pytest.raises(ValueError, match=message):
        getattr(mixture, verb)(X)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ([1, 2], r"weights has shape \(2,\); it must be one number for each point, \(N,\) = \(3,\)"),
        ([1, -1, 1], r"weights has negative values \(1 of 3, the least -1\)"),
        ([1, np.nan, 1], "weights holds nan"),
    ],
)
def test_sample_weights_that_make_no_sense(mixture, weights, message):
    with pytest.raises(ValueError, match=message):
        mixture.expect(np.zeros((3, 1)), weights)


def test_weights_may_be_zero_in_a_block_but_not_everywhere(mixture):
    X = np.random.default_rng(0).normal(size=(60, 1))
    ones, zeros = np.ones(30), np.zeros(30)
    in_blocks = fit(mixture, [X[:30], X[30:]], [ones, zeros], tol=0, max_iter=2)
    np.testing.assert_allclose(in_blocks.objectives, fit(mixture, X[:30], tol=0, max_iter=2).objectives)
    with pytest.raises(ValueError, match="the weights are zero everywhere"):
        fit(mixture, X, np.zeros(60))


@pytest.mark.parametrize("scale", [1e-6, 1 / 60, 1e6])
def test_the_scale_of_the_weights_changes_no_verdict(scale):
    X = datasets.three_clusters().X
    first = start.k_means(X, 3, np.random.default_rng(0))
    assert fit(first, X, np.full(60, scale)).stop.converged
    twins = Mixture([0.5, 0.5], Gaussian.univariate([0.3, 0.3], [2, 2]))
    with pytest.warns(EMWarning, match="cannot be told apart"):
        assert fit(twins, X, np.full(60, scale)).stop.reason == "stalled"


def test_more_components_than_points():
    five = Mixture(np.full(5, 0.2), Gaussian.univariate(range(5), [1] * 5, floor=0.1))
    with pytest.raises(
        ValueError,
        match="the model needs 5 points at least, and there are 3: use fewer components, or more data",
    ):
        fit(five, [[0.0], [1.0], [2.0]])


def test_statistics_of_another_size_neither_add_nor_maximize(mixture):
    X = np.random.default_rng(0).normal(size=(20, 1))
    one = Mixture([1.0], Gaussian.univariate([0], [1])).expect(X)
    with pytest.raises(ValueError, match="they come from models of one size"):
        mixture.expect(X) + one
    with pytest.raises(ValueError, match="what a mixture of 3 components expects"):
        mixture.maximize(one)
    with pytest.raises(ValueError, match="what a mixture of 3 components expects"):
        mixture.maximize(X)


def test_far_out_rows_still_sum_to_one_and_absurd_ones_are_named():
    apart = Mixture([0.5, 0.5], Gaussian([[0, -0.5], [0, 0.5]], [np.eye(2)] * 2))
    resp = apart.responsibilities([[1e4, 0.1], [1e7, -0.3]])
    checks.probabilities(resp)
    np.testing.assert_allclose(resp[0], np.exp([0, 0.1]) / np.exp([0, 0.1]).sum(), rtol=1e-6)
    with pytest.raises(ValueError, match=r"X\[1\] lies so far"):
        apart.responsibilities([[0, 0], [1e160, 0]])


def test_copies_and_pickles_cannot_be_written_to_either(mixture):
    for again in (pickle.loads(pickle.dumps(mixture)), copy.deepcopy(mixture)):
        with pytest.raises(ValueError, match="read-only"):
            again.weights[0] = 1
        with pytest.raises(ValueError, match="read-only"):
            again.components.means[0] = 1


@pytest.mark.parametrize("n", [0, -3, 2.5, "many"])
def test_samples_that_make_no_sense(mixture, n):
    with pytest.raises(ValueError, match="n is"):
        mixture.sample(n, np.random.default_rng(0))
    with pytest.raises(ValueError, match="must be a numpy"):
        mixture.sample(3, 0)
