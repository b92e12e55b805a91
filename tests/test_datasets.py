"""The data, against the recipes they were published with."""

import numpy as np
import pytest
from sklearn.datasets import make_blobs

from emlib import datasets


@pytest.mark.parametrize("offset", [10, 15])
def test_three_clusters_follow_the_tutorials_recipe(offset):
    state = np.random.get_state()
    np.random.seed(0)
    t = np.linspace(-5, 5, 20)
    recipe = np.hstack(
        [t * np.random.rand(20) + offset, t * np.random.rand(20) - offset, t * np.random.rand(20)]
    )
    np.random.set_state(state)
    data = datasets.three_clusters(offset)
    np.testing.assert_array_equal(data.X[:, 0], recipe)
    assert data.X.shape == (60, 1)
    means = [data.X[data.labels == k].mean() for k in (0, 1, 2)]
    np.testing.assert_allclose(means, [-offset, offset, 0], atol=0.2)


def test_old_faithful_is_the_table_that_r_has():
    data = datasets.old_faithful()
    assert data.X.shape == (272, 2)
    assert len(data.features) == 2
    # R: summary(faithful), sd(faithful$eruptions), cor(faithful)
    np.testing.assert_allclose(data.X.mean(axis=0), [3.487783, 70.897059], atol=5e-7)
    np.testing.assert_array_equal(data.X[[0, 1, -1]], [[3.6, 79], [1.8, 54], [4.467, 74]])
    np.testing.assert_allclose(data.X[:, 0].std(ddof=1), 1.141371, atol=5e-7)
    np.testing.assert_allclose(np.corrcoef(data.X.T)[0, 1], 0.9008112, atol=5e-8)


def test_four_blobs_follow_the_handbooks_recipe():
    X, labels = make_blobs(400, centers=4, cluster_std=0.6, random_state=0)
    X = X[:, ::-1]
    data, stretched = datasets.four_blobs(), datasets.four_blobs(stretched=True)
    np.testing.assert_array_equal(data.X, X)
    np.testing.assert_array_equal(data.labels, labels)
    np.testing.assert_array_equal(stretched.labels, labels)
    np.testing.assert_array_equal(stretched.X, X @ np.random.RandomState(13).randn(2, 2))
    assert "MIT" in data.licence
    with pytest.raises(ValueError, match="stretched"):
        datasets.four_blobs(3)


def test_six_cases_are_what_their_lesson_says():
    cases = datasets.six_cases()
    assert "".join(cases) == "ABCDEF"
    sizes = [np.bincount(case.labels).tolist() for case in cases.values()]
    assert sizes == [[100] * 3, [150] * 2, [150] * 2, [600, 30], [600, 30], [150] * 2]
    # C and E are B and D with their clusters farther apart, and nothing else.
    for near, far in ("BC", "DE"):
        for k in (0, 1):
            a, b = (cases[letter].X[cases[letter].labels == k] for letter in (near, far))
            np.testing.assert_allclose(a - a.mean(axis=0), b - b.mean(axis=0), atol=1e-12)
    # The clusters' centres and standard deviations, to four standard errors.
    described = {
        "A": [((0, 0), (0.6, 0.6)), ((4, 0), (0.6, 0.6)), ((2, 3.5), (0.6, 0.6))],
        "B": [((0, 0), (3, 0.35)), ((0, 2), (3, 0.35))],
        "D": [((0, 0), (0.8, 0.8)), ((3.2, 0), (0.8, 0.8))],
        "F": [((0, 0), (1.8, 1.8)), ((4.5, 0), (0.3, 0.3))],
    }
    for letter, clusters in described.items():
        for k, (centre, deviations) in enumerate(clusters):
            own = cases[letter].X[cases[letter].labels == k]
            z = (own.mean(axis=0) - centre) / deviations * np.sqrt(len(own))
            ratio = (own.std(axis=0, ddof=1) / deviations - 1) * np.sqrt(2 * len(own))
            assert (np.abs([z, ratio]) < 4).all()


def test_skewed_blobs_follow_the_published_recipe():
    data = datasets.skewed_blobs()
    rng = np.random.RandomState(20)  # make_blobs, spelt out: centres, points, then their order
    centres = rng.uniform(-10, 10, size=(3, 2))
    blobs = np.vstack(
        [rng.normal(c, 1.5, size=(n, 2)) for c, n in zip(centres, (167, 167, 166), strict=True)]
    )
    order = np.arange(500)
    rng.shuffle(order)
    np.testing.assert_allclose(data.X, blobs[order] @ np.random.RandomState(0).randn(2, 2), rtol=1e-12)
    np.testing.assert_array_equal(data.labels, np.repeat([0, 1, 2], (167, 167, 166))[order])
    means = [data.X[data.labels == k].mean(axis=0) for k in range(3)]
    np.testing.assert_allclose(means, [[11.05, 18.69], [19.86, 17.47], [-12.84, 4.90]], atol=0.005)
    assert data.source
    assert data.licence
    assert len(data.features) == 2


def test_asking_for_data_leaves_numpys_global_generator_alone():
    np.random.seed(5)
    before = np.random.get_state()[1].copy()
    datasets.three_clusters()
    datasets.skewed_blobs()
    np.testing.assert_array_equal(np.random.get_state()[1], before)


def test_data_say_where_they_come_from():
    data = datasets.three_clusters()
    assert data.source
    assert data.licence
    assert "60 points in 1 dimension" in repr(data)


@pytest.mark.parametrize("offset", [np.nan, [1, 2], "ten"])
def test_offsets_that_make_no_sense(offset):
    with pytest.raises(ValueError, match="offset"):
        datasets.three_clusters(offset)


def test_digits_are_pictures_of_what_their_labels_say():
    data = datasets.digits()
    assert data.X.shape == (1797, 64)
    assert len(data.features) == 64
    assert set(np.unique(data.X)) <= set(range(17))
    assert data.labels[:10].tolist() == list(range(10))
    nought, one = (data.X[data.labels == c].mean(axis=0).reshape(8, 8) for c in (0, 1))
    assert (
        nought[3:5, 3:5].mean() < 3 < 10 < one[3:5, 3:5].mean()
    )  # a nought has a hole where a one has its stroke
    assert data.licence == "CC BY 4.0"


def test_the_nine_clusters():
    data = datasets.nine_clusters()
    assert data.X.shape == (450, 2)
    for k in range(9):
        own = data.X[data.labels == k]
        assert len(own) == 50
        np.testing.assert_allclose(own.mean(axis=0), [4 * (k // 3), 4 * (k % 3)], atol=0.4)
        np.testing.assert_allclose(own.std(axis=0), 0.8, atol=0.25)
    crossings = 4.0 * np.column_stack([data.labels // 3, data.labels % 3])
    np.testing.assert_allclose((data.X - crossings).std(), 0.8, atol=0.06)  # three standard errors
