"""Starts: what they promise, and what they refuse."""

import numpy as np
import pytest
from sklearn.mixture import GaussianMixture

from emlib import Collapse, EMWarning, Prior, checks, start


@pytest.fixture
def X():
    rng = np.random.default_rng(0)
    return np.concatenate([rng.normal(c, 1, (40, 2)) for c in (-6, 0, 6)])


def test_from_labels_takes_shares_means_and_covariances(X):
    labels = np.repeat(["b", "c", "a"], [40, 40, 40])
    mixture = start.from_labels(X, labels)
    np.testing.assert_allclose(mixture.weights, 1 / 3)
    np.testing.assert_allclose(mixture.components.means[0], X[80:].mean(axis=0))  # "a" comes first
    np.testing.assert_allclose(mixture.components.covariances[1], np.cov(X[:40].T, bias=True))
    checks.moments(mixture, X)


def test_from_responsibilities_is_the_m_step_of_scikit_learn(X):
    resp = np.random.default_rng(0).dirichlet(np.ones(4), size=len(X))
    mixture = start.from_responsibilities(X, resp)
    peer = GaussianMixture(4, reg_covar=0)
    peer._initialize(X, resp)
    np.testing.assert_allclose(mixture.weights, peer.weights_, rtol=1e-12)
    np.testing.assert_allclose(mixture.components.covariances, peer.covariances_, rtol=1e-10)


def test_from_data_chooses_different_points_and_the_covariance_of_all(X):
    doubled = np.concatenate([X[:3]] * 20)
    mixture = start.from_data(doubled, 3, np.random.default_rng(0))
    assert len(np.unique(mixture.components.means, axis=0)) == 3
    np.testing.assert_allclose(mixture.components.covariances[1], np.cov(doubled.T, bias=True))
    np.testing.assert_allclose(mixture.weights, 1 / 3)


def test_k_means_finds_clusters_that_are_far_apart(X):
    mixture = start.k_means(X, 3, np.random.default_rng(0))
    expected = [X[i : i + 40].mean(axis=0) for i in (0, 40, 80)]
    np.testing.assert_allclose(sorted(mixture.components.means.tolist()), expected)


def test_random_components_all_look_like_the_whole(X):
    mixture = start.random(X, 3, np.random.default_rng(0))
    whole = np.cov(X.T, bias=True)
    for covariance in mixture.components.covariances:
        np.testing.assert_allclose(covariance, whole, rtol=0.3)
    checks.moments(mixture, X)


@pytest.mark.parametrize("name", ["random", "from_data", "k_means", "k_means_plus_plus"])
def test_the_same_generator_gives_the_same_start(X, name):
    a, b = (getattr(start, name)(X, 3, np.random.default_rng(7)) for _ in range(2))
    np.testing.assert_array_equal(a.components.means, b.components.means)
    floored = getattr(start, name)(X, 3, np.random.default_rng(7), floor=0.1)
    np.testing.assert_array_equal(floored.components.floor, [0.1, 0.1])


@pytest.mark.parametrize("name", ["random", "from_data", "k_means", "k_means_plus_plus"])
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"K": 0}, "K is 0; it must be between 1 and 120"),
        ({"K": 121}, "K is 121; it must be between 1 and 120, the number of points: use fewer components"),
        ({"K": 2.0}, "K is 2.0; it must be a whole number"),
        ({"K": "three"}, "K is 'three'"),
        ({"rng": 0}, "rng is 0; it must be a numpy.random.Generator"),
        ({"X": np.zeros(5)}, r"pass X\[:, None\]"),
        ({"X": np.zeros((0, 2))}, "X is empty"),
        ({"X": [[np.nan, 1], [1, 2], [2, 5]]}, "X holds nan"),
        ({"floor": -1}, "floor is -1"),
    ],
)
def test_arguments_that_make_no_sense(X, name, arguments, message):
    given = {"X": X, "K": 3, "rng": np.random.default_rng(0)} | arguments
    with pytest.raises(ValueError, match=message):
        getattr(start, name)(**given)


@pytest.mark.parametrize("name", ["from_data", "k_means", "k_means_plus_plus"])
def test_more_components_than_distinct_points(name):
    X = np.repeat([[0.0], [1], [2]], 10, axis=0)
    with pytest.raises(ValueError, match=r"K is 4; .* 3, the number of distinct points"):
        getattr(start, name)(X, 4, np.random.default_rng(0))


def test_responsibilities_and_labels_that_make_no_sense(X):
    with pytest.raises(ValueError, match=r"resp has shape \(3, 2\) and X \(120, 2\)"):
        start.from_responsibilities(X, np.full((3, 2), 0.5))
    with pytest.raises(ValueError, match="resp sums to 2 where it must sum to 1"):
        start.from_responsibilities(X, np.ones((120, 2)))
    with pytest.raises(ValueError, match=r"labels has shape \(2,\)"):
        start.from_labels(X, [0, 1])
    with pytest.raises(ValueError, match="labels holds nan"):
        start.from_labels(X, np.full(120, np.nan))
    with pytest.raises(Collapse, match="component 1 has collapsed"):
        start.from_labels(X, np.r_[np.zeros(119), 1])


NAMES = ["random", "from_data", "k_means", "k_means_plus_plus"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("structure", ["full", "tied", "diag", "spherical"])
def test_every_start_comes_in_every_structure_and_with_a_prior(X, name, structure):
    prior = Prior.weak(X, 3)
    mixture = getattr(start, name)(X, 3, np.random.default_rng(0), structure=structure, prior=prior)
    assert mixture.components.structure == structure
    assert mixture.components.prior is prior
    assert len(mixture) == 3
    checks.covariances(mixture.components.matrices)


@pytest.mark.parametrize("structure", ["full", "tied", "diag", "spherical"])
def test_each_structure_is_the_m_step_of_scikit_learn(X, structure):
    resp = np.random.default_rng(1).dirichlet(np.ones(3), size=len(X))
    mixture = start.from_responsibilities(X, resp, structure=structure)
    peer = GaussianMixture(3, covariance_type=structure, reg_covar=0)
    peer._initialize(X, resp)
    np.testing.assert_allclose(mixture.components.covariances, peer.covariances_, rtol=1e-10)
    np.testing.assert_allclose(mixture.components.means, peer.means_, rtol=1e-12)


def test_a_start_of_weighted_points_is_that_of_repeated_ones(X):
    weights = np.random.default_rng(0).integers(1, 4, len(X))
    labels = np.repeat([0, 1, 2], 40)
    weighted = start.from_labels(X, labels, weights=weights)
    repeated = start.from_labels(np.repeat(X, weights, axis=0), np.repeat(labels, weights))
    np.testing.assert_allclose(weighted.weights, repeated.weights, rtol=1e-12)
    np.testing.assert_allclose(weighted.components.covariances, repeated.components.covariances, rtol=1e-10)


@pytest.mark.parametrize("name", NAMES)
def test_points_of_no_weight_are_no_part_of_a_start(X, name):
    weights = np.repeat([1.0, 1.0, 0.0], 40)
    mixture = getattr(start, name)(X, 2, np.random.default_rng(0), weights=weights)
    assert mixture.components.means.max() < 4  # the third cluster is at 6


@pytest.mark.parametrize("name", NAMES)
def test_a_start_looks_at_some_of_many_rows_only(name, monkeypatch):
    monkeypatch.setattr(start, "ENOUGH", 500)
    X = np.concatenate([np.random.default_rng(0).normal(c, 1, (2000, 2)) for c in (-6, 6)])
    mixture = getattr(start, name)(X, 2, np.random.default_rng(0), weights=np.ones(4000))
    assert len(mixture) == 2
    if name == "k_means":
        assert not np.isclose(mixture.components.means[0], X[:2000].mean(axis=0), atol=1e-6).all()
        np.testing.assert_allclose(sorted(mixture.components.means[:, 0]), [-6, 6], atol=0.3)


def test_k_means_looks_from_several_places_where_a_sample_stands_for_the_rest(monkeypatch):
    """Nine clusters: one run of k-means misses one of them now and then; the best of five does not."""
    rng = np.random.default_rng(0)
    centres = 6.0 * np.stack(np.meshgrid(range(3), range(3)), axis=-1).reshape(9, 2)
    X = np.repeat(centres, 100, axis=0) + rng.normal(size=(900, 2))

    def finds(seed):
        means = start.k_means(X, 9, np.random.default_rng(seed)).components.means
        return len(set(np.linalg.norm(means[:, None] - centres, axis=2).argmin(axis=1))) == 9

    assert not all(map(finds, range(20)))
    monkeypatch.setattr(start, "ENOUGH", 800)
    assert all(map(finds, range(20)))


def test_k_means_plus_plus_keeps_its_means_apart():
    """Five tight clusters: means drawn from the data at random often share one, k-means++ does not."""
    rng = np.random.default_rng(0)
    centres = rng.uniform(-100, 100, (5, 2))
    X = np.repeat(centres, 20, axis=0) + rng.normal(size=(100, 2))
    for seed in range(20):
        means = start.k_means_plus_plus(X, 5, np.random.default_rng(seed)).components.means
        nearest = np.linalg.norm(means[:, None] - centres, axis=2).argmin(axis=1)
        assert len(set(nearest)) == 5


def test_the_usual_floor_is_1e_minus_10_of_each_features_variance(X):
    X = X * [1, 1e4]
    np.testing.assert_allclose(start.usual_floor(X), 1e-10 * X.var(axis=0), rtol=1e-10)
    # At an offset of 1e7 a coordinate keeps 9 digits behind the point, and so its variance some 9.
    np.testing.assert_allclose(start.usual_floor(X + 1e7), 1e-10 * X.var(axis=0), rtol=1e-8)
    weights = np.random.default_rng(0).integers(1, 4, len(X))
    repeated = np.repeat(X, weights, axis=0)
    np.testing.assert_allclose(start.usual_floor(X, weights), start.usual_floor(repeated), rtol=1e-10)
    blocks = [X[:7], X[7:50], X[50:]]
    np.testing.assert_allclose(start.usual_floor(blocks), start.usual_floor(X), rtol=1e-12)


@pytest.mark.parametrize("constant", [0.0, 0.1, -1e8])
def test_the_floor_of_a_constant_feature_is_that_of_the_others_and_it_is_warned_of(X, constant):
    with pytest.warns(EMWarning, match="^column 1 is constant: the data are flat there") as said:
        floor = start.usual_floor(np.insert(X, 1, constant, axis=1))
    assert len(said) == 1
    mean = X.var(axis=0).mean()
    np.testing.assert_allclose(floor, 1e-10 * np.array([X[:, 0].var(), mean, X[:, 1].var()]), rtol=1e-10)
    with pytest.warns(EMWarning, match="^column 0 is constant; column 1 is constant: "):
        np.testing.assert_allclose(start.usual_floor(np.full((5, 2), constant)), 1e-10, rtol=1e-15)


def test_columns_that_determine_each_other_are_warned_of_by_their_numbers(X):
    with pytest.warns(EMWarning, match="^columns 0 and 2 are not independent: the data are flat there"):
        start.usual_floor(np.column_stack([X, 3 * X[:, 0] + 1]))
    shares = np.random.default_rng(0).dirichlet([2, 3, 4], size=100)
    with pytest.warns(EMWarning, match="^columns 1, 2 and 3 are not independent"):
        start.usual_floor(np.column_stack([X[:100, 0], shares]))
    with pytest.warns(EMWarning, match="^column 2 is constant; columns 0, 1 and 3 are not independent"):
        start.usual_floor(np.column_stack([X, np.full(len(X), 1e8), X[:, 0] - X[:, 1]]))
    # Nearly collinear is not flat.
    nearly = X[:, 0] + 1e-3 * np.random.default_rng(1).standard_normal(len(X))
    start.usual_floor(np.column_stack([X, nearly]))
