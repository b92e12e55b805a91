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
