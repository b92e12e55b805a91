"""The data, against the recipes they were published with."""

import numpy as np
import pytest

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


def test_asking_for_data_leaves_numpys_global_generator_alone():
    np.random.seed(5)
    before = np.random.get_state()[1].copy()
    datasets.three_clusters()
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
