"""Pictures of clusters, by the data of their artists."""

import numpy as np
import pytest

from emlib import plot

RNG = np.random.default_rng(0)
X = RNG.normal(size=(50, 2))
RESP = RNG.dirichlet(np.ones(3), size=50)
MEANS = np.array([[-1.0, 0.0], [1.0, 1.0], [0.5, -2.0]])


def test_points_wear_the_mixture_of_their_colours_and_numbers_stand_at_the_means(ax):
    redraw = plot.clusters(ax, X, RESP, MEANS)
    for resp, means in [(RESP, MEANS), (RESP[:, [2, 0, 1]], MEANS[::-1])]:
        redraw(resp, means)
        (dots,) = ax.collections
        np.testing.assert_array_equal(dots.get_offsets(), X)
        np.testing.assert_allclose(dots.get_facecolors()[:, :3], resp @ plot.colours(3), atol=1e-12)
        numbers = [text for text in ax.texts if text.get_text()]
        assert [text.get_text() for text in numbers] == ["0", "1", "2"]
        np.testing.assert_array_equal([text.get_position() for text in numbers], means)
    assert len(set(dots.get_sizes())) == 1
    assert ax.get_xlabel()
    assert ax.get_ylabel()


def test_numbers_that_cover_each_other_are_counted(ax):
    redraw = plot.clusters(ax, X, RESP, np.array([[0.0, 1.0], [0.0, 1.0], [2.0, 2.0]]))
    assert [text.get_text() for text in ax.texts if text.get_text()] == ["0", "2 means here", "1", "2"]
    redraw(RESP, np.zeros((3, 2)))
    assert [text.get_text() for text in ax.texts if text.get_text()] == ["0", "3 means here", "1", "2"]
    redraw(RESP, MEANS)
    assert [text.get_text() for text in ax.texts if text.get_text()] == ["0", "1", "2"]


def test_the_area_of_a_dot_is_its_certainty_squared(ax):
    redraw = plot.clusters(ax, X, RESP, by_certainty=True)
    for resp in (RESP, np.eye(3)[RESP.argmax(axis=1)]):
        redraw(resp)
        sizes = ax.collections[0].get_sizes()
        np.testing.assert_allclose(sizes / sizes[0], (resp.max(axis=1) / resp.max(axis=1)[0]) ** 2)


def test_clusters_that_make_no_sense(ax):
    with pytest.raises(ValueError, match="X has 3 columns"):
        plot.clusters(ax, np.zeros((5, 3)), np.full((5, 2), 0.5))
    with pytest.raises(ValueError, match="resp sums to 2"):
        plot.clusters(ax, X, 2 * RESP)


def test_refused_clusters_change_nothing(ax):
    for call in (lambda: plot.clusters(ax, X, RESP, MEANS[:2]), lambda: plot.clusters(ax, X, RESP, "here")):
        with pytest.raises(ValueError, match="means"):
            call()
        assert not ax.collections
        assert not ax.texts
        assert not ax.get_xlabel()
    redraw = plot.clusters(ax, X, RESP, MEANS)
    before = ax.collections[0].get_facecolor().copy()
    with pytest.raises(ValueError, match="means has shape"):
        redraw(RESP[:, ::-1], MEANS[:2])
    np.testing.assert_array_equal(ax.collections[0].get_facecolor(), before)
