"""Gaussians from above, by the data of their artists."""

import numpy as np
import pytest
from scipy.stats import chi2

from emlib import Gaussian, Mixture, plot

SLANTED = np.array([[4.0, 1.5], [1.5, 2.0]])
OTHER = np.array([[0.5, -0.6], [-0.6, 3.0]])


def test_the_ellipses_of_a_bell_lie_one_two_and_three_standard_deviations_out(ax):
    redraw = plot.bell(ax, SLANTED)
    for covariance in (SLANTED, OTHER, 2 * np.eye(2)):
        redraw(covariance)
        for sigmas, ellipse in enumerate(ax.patches, start=1):
            path = ellipse.get_path()
            # Of each curve's three points the last lies on it; the others pull it outwards.
            outline = ellipse.get_patch_transform().transform(path.vertices[:-1:3])
            assert len(outline) == 9
            d = np.sqrt(np.einsum("ni,ij,nj->n", outline, np.linalg.inv(covariance), outline))
            np.testing.assert_allclose(d, sigmas, rtol=1e-3)


def test_the_arrows_of_a_bell_are_eigenvectors_as_long_as_standard_deviations(ax):
    redraw = plot.bell(ax, SLANTED)
    for covariance in (SLANTED, OTHER):
        redraw(covariance)
        (arrows,) = [artist for artist in ax.collections if hasattr(artist, "U")]
        long, short = np.column_stack([arrows.U, arrows.V])
        for arrow in (long, short):
            np.testing.assert_allclose(covariance @ arrow, (arrow @ arrow) * arrow, atol=1e-12)
        assert long @ long > short @ short
        assert long[0] > 0 < short[1]


def test_the_shade_of_a_bell_is_its_density(ax):
    plot.bell(ax, SLANTED, reach=6)
    (shade,) = ax.images
    side = np.linspace(-6, 6, 160)
    at = np.array([side[90], side[20]])
    expected = np.exp(-0.5 * at @ np.linalg.inv(SLANTED) @ at)
    middle = np.exp(-0.5 * side[80] ** 2 * np.linalg.inv(SLANTED).sum())
    np.testing.assert_allclose(shade.get_array()[20, 90] / shade.get_array()[80, 80], expected / middle)
    assert shade.get_extent() == [-6, 6, -6, 6]
    assert ax.get_xlim() == ax.get_ylim() == (-6, 6)


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
    with pytest.raises(ValueError, match=r"covariance has shape \(3, 3\)"):
        plot.bell(ax, np.eye(3))
    with pytest.raises(ValueError, match="reach is -1"):
        plot.bell(ax, np.eye(2), reach=-1)
