"""Mixtures from above, by the data of their artists."""

import numpy as np
import pytest
from scipy.stats import chi2

from emlib import Gaussian, Mixture, plot

SLANTED = np.array([[4.0, 1.5], [1.5, 2.0]])
OTHER = np.array([[0.5, -0.6], [-0.6, 3.0]])


def test_a_contour_goes_round_its_share_of_one_gaussian(ax):
    one = Mixture([1.0], Gaussian([[3.0, -1.0]], SLANTED[None]))
    heights = plot.contours(ax, one, [0.3, 0.8])
    top = one.log_density([[3.0, -1.0]])[0]
    # There d^2 follows chi-square with two degrees of freedom.
    np.testing.assert_allclose(heights, top - chi2.ppf([0.3, 0.8], 2) / 2, atol=0.03)
    for height, drawn in zip(heights, ax.collections, strict=True):
        (path,) = drawn.get_paths()
        np.testing.assert_allclose(one.log_density(path.vertices), height, atol=0.01)
    assert [line.get_label() for line in ax.get_lines()] == ["30 %", "80 %"]


def test_contours_of_a_mixture_go_round_each_of_its_groups(ax):
    two = Mixture([0.5, 0.5], Gaussian([[0.0, 0.0], [40.0, 5.0]], [SLANTED, OTHER]))
    assert np.all(np.diff(plot.contours(ax, two)) < 0)
    for drawn in ax.collections:
        x = np.vstack([path.vertices for path in drawn.get_paths()])[:, 0]
        assert (x < 12).any()
        assert (x > 28).any()


def test_pictures_that_make_no_sense(ax):
    line = Mixture([1.0], Gaussian.univariate([0.0], [1.0]))
    plane = Mixture([1.0], Gaussian(np.zeros((1, 2)), np.eye(2)[None]))
    with pytest.raises(ValueError, match="has 1 dimension, and this picture shows 2"):
        plot.contours(ax, line)
    for shares in ([], [0.5, 0.5], [0.9, 0.5], [0.0], [1.0], [np.nan]):
        with pytest.raises(ValueError, match="shares"):
            plot.contours(ax, plane, shares)


def test_contours_find_narrow_components_and_pass_over_those_without_weight(ax):
    covariances = [0.01 * np.eye(2), 0.01 * np.eye(2), np.eye(2)]
    mixture = Mixture([0.5, 0.5, 0.0], Gaussian([[0, 0], [500, 0], [1e6, 1e6]], covariances))
    plot.contours(ax, mixture, 0.5)
    (drawn,) = ax.collections
    corners = np.concatenate([path.vertices for path in drawn.get_paths()])
    # Half of the mass of a Gaussian lies within sqrt(2 log 2) standard deviations, and so of two that are far apart.
    for centre in ([0, 0], [500, 0]):
        around = corners[np.abs(corners[:, 0] - centre[0]) < 1]
        np.testing.assert_allclose(
            np.linalg.norm(around - centre, axis=1), 0.1 * np.sqrt(2 * np.log(2)), rtol=0.05
        )
        assert len(around) > 20
    assert np.abs(corners).max() < 501


@pytest.mark.parametrize("correlation", [0.999, 0.99999, -1 + 1e-8])
@pytest.mark.parametrize("height", [1.0, 300.0])
def test_contours_follow_a_narrow_component_that_slants(ax, correlation, height):
    c = correlation * height
    one = Mixture([1.0], Gaussian([[3.0, -1.0]], [[[1.0, c], [c, height**2]]]))
    heights = plot.contours(ax, one)
    for level, drawn in zip(heights, ax.collections, strict=True):
        (path,) = drawn.get_paths()  # one line and no string of fragments
        np.testing.assert_allclose(one.log_density(path.vertices), level, atol=0.02)
        # It goes all the way round: as wide as the Gaussian's own line of that height.
        radius = np.sqrt(2 * (one.log_density([[3.0, -1.0]])[0] - level))
        np.testing.assert_allclose(
            np.ptp(path.vertices, axis=0), 2 * radius * np.array([1, height]), rtol=0.03
        )
