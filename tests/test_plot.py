"""Pictures, by the data of their artists."""

import json

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from scipy import stats

from emlib import Gaussian, Mixture, datasets, fit, plot

mpl.use("Agg")
X = datasets.three_clusters().X
GUESS = Mixture(np.ones(3) / 3, Gaussian.univariate([-5, 8, 1.5], [25, 9, 1]))


@pytest.fixture
def ax():
    plot.style()
    figure, ax = plt.subplots()
    yield ax
    plt.close(figure)


def test_densities_are_drawn_weighted_and_sum_to_the_mixture(ax):
    plot.line_densities(ax, GUESS, -16, 16)
    *parts, total = ax.get_lines()
    x = total.get_xdata()
    np.testing.assert_allclose(total.get_ydata(), np.exp(GUESS.log_density(x[:, None])))
    np.testing.assert_allclose(parts[1].get_ydata(), stats.norm(8, 3).pdf(x) / 3)
    assert [part.get_color() for part in parts] == plot.COLOURS[:3]
    assert ax.get_xlabel()
    assert ax.get_ylabel()


def test_points_wear_the_mixture_of_their_components_colours(ax):
    plot.line_densities(ax, GUESS, -16, 16)
    resp = GUESS.responsibilities(X)
    plot.line_points(ax, X, resp)
    dots = ax.collections[-1]
    np.testing.assert_allclose(dots.get_offsets()[:, 0], X[:, 0])
    np.testing.assert_allclose(dots.get_facecolors()[:, :3], resp @ plot.colours(3), atol=1e-12)
    assert dots.get_offsets()[:, 1].max() < 0
    assert all(low <= 0 for low in ax.get_ylim()[:1])


def test_mixing_a_certain_point_gives_the_pure_colour():
    np.testing.assert_allclose(plot.mixed(np.eye(3)), plot.colours(3))
    np.testing.assert_allclose(plot.mixed([[0.5, 0.5]])[0], plot.colours(2).mean(axis=0))
    assert len(plot.colours(11)) == 11


def test_colours_can_be_told_apart_when_red_and_green_cannot():
    """Machado et al. (2009): what deuteranopes see of linear RGB."""
    deuteranopia = np.array([[0.367, 0.861, -0.228], [0.280, 0.673, 0.047], [-0.012, 0.043, 0.969]])
    seen = plot.colours(3) ** 2.2 @ deuteranopia.T
    gaps = [np.linalg.norm(seen[i] - seen[j]) for i, j in ((0, 1), (0, 2), (1, 2))]
    assert min(gaps) > 0.15


def test_objective_takes_a_trace_or_numbers(ax):
    trace = fit(GUESS, X, tol=0, max_iter=4)
    plot.objective(ax, trace)
    plot.objective(ax, list(trace.objectives))
    for line in ax.get_lines():
        np.testing.assert_array_equal(line.get_ydata(), trace.objectives)


def test_show_gives_a_picture_its_text(capsys, monkeypatch):
    shown = {}
    monkeypatch.setattr(plot, "display", lambda data, **more: shown.update(data=data, **more))
    figure, _ = plt.subplots(figsize=(4, 3))
    plot.show(figure, alt="An empty\n   picture.")
    assert shown["data"]["text/plain"] == "An empty picture."
    assert shown["metadata"]["image/png"] == {"width": 288, "alt": "An empty picture."}
    assert shown["data"]["image/png"].startswith("iVBOR")
    json.dumps(shown)
    assert not plt.fignum_exists(figure.number)


def test_pictures_that_make_no_sense(ax):
    plane = Mixture([1.0], Gaussian(np.zeros((1, 2)), np.eye(2)[None]))
    with pytest.raises(ValueError, match="has 2 dimensions; line_densities draws one"):
        plot.line_densities(ax, plane, -1, 1)
    with pytest.raises(ValueError, match="alt is empty"):
        plot.show(ax.figure, alt="  ")
    with pytest.raises(ValueError, match="resp sums to 2"):
        plot.mixed([[1.0, 1.0]])
    with pytest.raises(ValueError, match=r"resp has shape \(2,\)"):
        plot.mixed([0.5, 0.5])
