"""Pictures, by the data of their artists."""

import json

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.figure import Figure
from scipy import stats

from emlib import Gaussian, Mixture, datasets, fit, plot, select, start

X = datasets.three_clusters().X
GUESS = Mixture(np.ones(3) / 3, Gaussian.univariate([-5, 8, 1.5], [25, 9, 1]))


OTHER = Mixture([0.2, 0.5, 0.3], Gaussian.univariate([-9, 9, 0], [4, 5, 2]))


def parts_of(ax):
    *parts, total, _ = ax.get_lines()
    return parts, total


def test_densities_are_drawn_weighted_and_sum_to_the_mixture(ax):
    redraw = plot.line(ax, GUESS, low=-16, high=16)
    parts, total = parts_of(ax)
    x = total.get_xdata()
    for mixture in (GUESS, OTHER):
        redraw(mixture)
        np.testing.assert_allclose(total.get_ydata(), np.exp(mixture.log_density(x[:, None])))
        for k, part in enumerate(parts):
            scale = np.sqrt(mixture[k].variances[0, 0])
            expected = mixture.weights[k] * stats.norm(mixture[k].means[0, 0], scale).pdf(x)
            np.testing.assert_allclose(part.get_ydata(), expected, rtol=1e-9)
            # The filled area is the curve's.
            top = ax.collections[k].get_paths()[0].vertices[:, 1].max()
            np.testing.assert_allclose(top, expected.max())
            # Its number stands over the peak, or as high as the picture goes.
            place, height = ax.texts[k].get_position()
            assert ax.texts[k].get_text() == str(k)
            assert abs(place - x[expected.argmax()]) < 0.5
            assert height > min(expected.max(), 0.85 * ax.get_ylim()[1])
    assert [part.get_color() for part in parts] == plot.COLOURS[:3]
    assert ax.get_xlabel()
    assert ax.get_ylabel()


def test_numbers_of_equal_components_stand_side_by_side(ax):
    """Each can be read, in order, and none of those that stand alone is moved."""
    same = Mixture([0.3, 0.3, 0.1, 0.3], Gaussian.univariate([0, 0, 12, 0], [1, 1, 1, 1]))
    plot.line(ax, same, low=-5, high=15)
    ax.figure.canvas.draw()
    left, right = np.transpose([(box.x0, box.x1) for box in (t.get_window_extent() for t in ax.texts)])
    together = [0, 1, 3]
    assert (left[together][1:] > right[together][:-1] - 1).all()  # a pixel for the font's own margin
    assert abs(np.mean([ax.texts[k].get_position()[0] for k in together])) < 0.05
    assert abs(ax.texts[2].get_position()[0] - 12) < 0.05


def test_points_wear_the_mixture_of_their_components_colours(ax):
    redraw = plot.line(ax, GUESS, X)
    dots = ax.collections[-1]
    for mixture in (GUESS, OTHER):
        redraw(mixture)
        expected = mixture.responsibilities(X) @ plot.colours(3)
        np.testing.assert_allclose(dots.get_facecolors()[:, :3], expected, atol=1e-12)
    np.testing.assert_allclose(dots.get_offsets()[:, 0], X[:, 0])
    low, _ = ax.get_ylim()
    assert low < dots.get_offsets()[:, 1].min()
    assert dots.get_offsets()[:, 1].max() < 0
    assert min(ax.get_yticks()) >= 0


def test_shares_fill_the_height_by_responsibility(ax):
    redraw = plot.shares(ax, GUESS, -16, 16)
    for mixture in (GUESS, OTHER):
        redraw(mixture)
        resp = mixture.responsibilities(np.linspace(-16, 16, 600)[:, None])
        for k, fill in enumerate(ax.collections):
            vertices = fill.get_paths()[0].vertices
            inside = vertices[np.isclose(vertices[:, 0], -16)][:, 1]
            np.testing.assert_allclose(inside.max() - inside.min(), resp[0, k], atol=1e-12)
    assert ax.get_ylim() == (0, 1)


@pytest.fixture
def blobs():
    rng = np.random.default_rng(3)
    return np.vstack([rng.normal(size=(60, 2)) @ [[2, 1], [0, 0.5]], rng.normal((0, 6), 1, size=(40, 2))])


def test_ellipses_lie_one_and_two_standard_deviations_from_their_means(ax, blobs):
    trace = fit(start.from_data(blobs, 2, np.random.default_rng(0)), blobs, tol=0, max_iter=8)
    redraw = plot.plane(ax, trace.models[0], blobs)
    redraw(trace.model)
    for n, ellipse in enumerate(ax.patches):
        k, sigmas = n // 2, 1 + n % 2
        # Of each curve's three points the last lies on it; the others pull it outwards.
        outline = ellipse.get_patch_transform().transform(ellipse.get_path().vertices[:-1:3])
        assert len(outline) == 9
        d = outline - trace.model.components.means[k]
        distances = np.sqrt(
            np.einsum("ni,ij,nj->n", d, np.linalg.inv(trace.model.components.covariances[k]), d)
        )
        np.testing.assert_allclose(distances, sigmas, rtol=1e-3)
    expected = trace.model.responsibilities(blobs) @ plot.colours(2)
    np.testing.assert_allclose(ax.collections[0].get_facecolors()[:, :3], expected, atol=1e-12)


def test_watch_shows_the_plane_too(blobs):
    trace = fit(start.from_data(blobs, 2, np.random.default_rng(0)), blobs, tol=0, max_iter=8)
    figure = plt.Figure()
    go = plot.watch(figure, trace, blobs)
    go(5)
    plane, right = figure.axes
    np.testing.assert_allclose(plane.patches[0].get_center(), trace.models[5].components.means[0])
    assert right.get_lines()[1].get_xydata().tolist() == [[5, trace.objectives[5]]]


def test_watch_refuses_what_cannot_be_seen():
    X = np.random.default_rng(0).normal(size=(30, 3))
    trace = fit(start.from_data(X, 2, np.random.default_rng(0)), X, tol=0, max_iter=1)
    with pytest.raises(
        ValueError, match="has 3 dimensions, and this picture shows 1 or 2: fit the one or two"
    ):
        plot.watch(plt.Figure(), trace, X)


def test_watch_moves_three_views_together():
    plot.style()
    trace = fit(GUESS, X, tol=0, max_iter=6)
    figure = plt.Figure()
    go = plot.watch(figure, trace, X)
    line = figure.axes[0]
    (objective,) = (ax for ax in figure.axes if ax.get_xlabel() == "iteration")
    for step in (0, 6, 3):
        go(step)
        x = line.get_lines()[3].get_xdata()
        density = np.exp(trace.models[step].log_density(x[:, None]))
        np.testing.assert_allclose(line.get_lines()[3].get_ydata(), density)
        assert objective.get_lines()[1].get_xydata().tolist() == [[step, trace.objectives[step]]]
        assert objective.get_title(loc="left").startswith(f"iteration {step}:")


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
    for history in (trace, list(trace.objectives)):
        ax.clear()
        move = plot.objective(ax, history, step=2)
        curve, mark = ax.get_lines()
        np.testing.assert_array_equal(curve.get_ydata(), trace.objectives)
        move(4)
        assert mark.get_xydata().tolist() == [[4, trace.objectives[4]]]


@pytest.fixture(scope="module")
def sweep():
    rng = np.random.default_rng(0)
    X = np.concatenate([rng.normal(c, 1, (12, 2)) for c in (-6, 0, 6)])
    return select.sweep(X, range(1, 9), ("full", "diag"), rng=rng, folds=3, progress=False)


@pytest.mark.parametrize("criterion", ["aic", "bic", "icl", "held_out"])
def test_criteria_draws_a_line_for_each_structure(ax, sweep, criterion):
    plot.criteria(ax, sweep, criterion)
    *lines, ring = ax.get_lines()
    assert [line.get_label() for line in lines] == ["full", "diag"]
    assert len({line.get_color() for line in lines}) == len({line.get_marker() for line in lines}) == 2
    drawn = 0
    for line in lines:
        for K, value in line.get_xydata():
            (row,) = (row for row in sweep.rows if (row.structure, row.K) == (line.get_label(), K))
            expected = getattr(row, criterion) if row.healthy else np.nan  # a collapse breaks the line
            np.testing.assert_array_equal(value, expected)
            drawn += 1
    assert drawn == len(sweep.rows)
    assert any(not row.healthy for row in sweep.rows)
    best = sweep.best(criterion)
    assert ring.get_xydata().tolist() == [[best.K, getattr(best, criterion)]]
    assert ax.texts[0].get_text() == f"{best.structure}, K = {best.K}"
    assert "better" in ax.get_ylabel()
    assert "components" in ax.get_xlabel()
    assert bool(ax.collections) == (criterion == "held_out")  # a band of one standard error


def test_the_band_of_held_out_likelihoods_is_one_standard_error(ax, sweep):
    plot.criteria(ax, sweep, "held_out")
    low, high = np.array(ax.collections[0].get_paths()[0].vertices)[:, 1][[1, -2]]
    first = sweep.rows[0]
    np.testing.assert_allclose(
        sorted([low, high]), first.held_out + first.held_out_error * np.array([-1, 1]), rtol=1e-9
    )


def test_names_of_lines_stand_at_their_ends_and_apart(ax):
    rows = [
        (s, K, 100 + K + n / 1000)
        for n, s in enumerate(("full", "tied", "diag", "spherical"))
        for K in (1, 2)
    ]
    plot.criteria(ax, made(rows))
    names = {text.get_text(): text.xy for text in ax.texts[1:]}
    assert sorted(names, key=lambda name: names[name][1]) == ["full", "tied", "diag", "spherical"]
    heights = sorted(height for _, height in names.values())
    np.testing.assert_allclose(np.diff(heights), 0.06 * np.ptp(ax.get_ylim()))
    np.testing.assert_allclose(np.mean(heights), 102.0015)
    assert {K for K, _ in names.values()} == {2}


def made(rows):
    """A sweep of given structures, numbers and values of BIC."""
    stop = fit(GUESS, X).stop
    nans = dict.fromkeys(("log_likelihood", "aic", "icl", "held_out", "held_out_error", "seconds"), np.nan)
    return select.Sweep(
        tuple(
            select.Row(s, K, 1, bic=bic, stop=stop, reached=(), mixture=None, **nans) for s, K, bic in rows
        ),
        len(rows),
    )


def test_show_gives_a_picture_its_text(capsys, monkeypatch):
    shown = {}
    monkeypatch.setattr("emlib.plot.appearance.get_ipython", object)  # as in a notebook
    monkeypatch.setattr("emlib.plot.appearance.display", lambda data, **more: shown.update(data=data, **more))
    figure, _ = plt.subplots(figsize=(4, 3))
    plot.show(figure, alt="An empty\n   picture.")
    assert shown["data"]["text/plain"] == "An empty picture."
    assert shown["metadata"]["image/png"] == {"width": 288, "alt": "An empty picture."}
    assert shown["data"]["image/png"].startswith("iVBOR")
    json.dumps(shown)
    assert not plt.fignum_exists(figure.number)
    assert capsys.readouterr().out == ""


def test_show_in_a_script_opens_a_window_or_prints_the_text(capsys, monkeypatch):
    opened = []
    monkeypatch.setattr(plt, "show", lambda block: opened.append(plt.get_fignums()))
    figure, _ = plt.subplots()
    plot.show(figure, alt="An empty\n   picture.")  # Agg has no windows
    assert capsys.readouterr().out == "An empty picture.\n"
    assert not plt.fignum_exists(figure.number)
    assert opened == []
    figure, _ = plt.subplots()
    monkeypatch.setattr(type(figure.canvas), "required_interactive_framework", "tk")
    plot.show(figure, alt="An empty picture.")
    assert capsys.readouterr().out == ""
    assert opened == [[figure.number]]
    assert not plt.fignum_exists(figure.number)


def test_pictures_that_make_no_sense(ax):
    plane = Mixture([1.0], Gaussian(np.zeros((1, 2)), np.eye(2)[None]))
    for draw in (plot.line, plot.shares):
        with pytest.raises(ValueError, match="has 2 dimensions, and this picture shows 1"):
            draw(ax, plane)
    with pytest.raises(ValueError, match="low must be less than high"):
        plot.line(ax, GUESS, low=5, high=-5)
    with pytest.raises(ValueError, match="X has 2 columns"):
        plot.line(ax, GUESS, np.zeros((5, 2)))
    with pytest.raises(ValueError, match="holds only its last model"):
        plot.watch(plt.Figure(), fit(GUESS, X, tol=0, max_iter=2, keep="values"), X)
    with pytest.raises(ValueError, match="history"):
        plot.objective(ax, [])
    with pytest.raises(ValueError, match="alt is empty"):
        plot.show(ax.figure, alt="  ")
    with pytest.raises(ValueError, match="resp sums to 2"):
        plot.mixed([[1.0, 1.0]])
    with pytest.raises(ValueError, match=r"resp has shape \(2,\)"):
        plot.mixed([0.5, 0.5])
    with pytest.raises(ValueError, match="sweep is a Mixture; it must be a Sweep, the result of"):
        plot.criteria(ax, GUESS)
    with pytest.raises(ValueError, match="nothing was held out"):
        plot.criteria(ax, made([("full", 1, 3.0)]), "held_out")


def test_a_line_is_as_fine_as_its_narrowest_component(ax):
    apart = Mixture([0.5, 0.5], Gaussian.univariate([0, 1000], [0.3**2, 0.3**2]))
    redraw = plot.line(ax, apart)
    peak = 0.5 / (0.3 * np.sqrt(2 * np.pi))
    for curve in ax.lines[:2]:
        assert curve.get_ydata().max() == pytest.approx(peak, rel=1e-3)
    redraw(Mixture([0.5, 0.5], Gaussian.univariate([200, 700], [0.01**2, 0.3**2])))
    assert ax.lines[0].get_ydata().max() == pytest.approx(30 * peak, rel=1e-3)
    assert ax.lines[0].get_xdata()[ax.lines[0].get_ydata().argmax()] == pytest.approx(200, abs=0.01)


def test_a_component_without_weight_moves_no_window(ax):
    far = Mixture([0.5, 0.5, 0.0], Gaussian.univariate([0, 5, 1e6], [1, 1, 1]))
    plot.line(ax, far)
    assert ax.get_xlim() == pytest.approx((-4, 9))


def test_pictures_of_one_place_and_of_another_number_of_components(ax):
    two = Mixture([0.5, 0.5], Gaussian.univariate([0, 5], [1, 1]))
    redraw = plot.line(ax, two, np.full((10, 1), 3.0))
    assert ax.get_xlim() == pytest.approx((-4, 9))
    with pytest.raises(ValueError, match="shows 2 components and the mixture has 1: draw it anew"):
        redraw(Mixture([1.0], Gaussian.univariate([0], [1])))


def test_a_ringed_point_is_larger_and_dark_edged():
    _, ax = plt.subplots()
    plot.line(ax, GUESS, X, ringed=42)
    (dots,) = ax.collections[-1:]
    assert np.argmax(dots.get_sizes()) == 42
    edges = dots.get_edgecolors()
    assert (edges[42, :3] < 0.3).all()
    assert (np.delete(edges, 42, axis=0)[:, :3] == 1).all()
    with pytest.raises(ValueError, match="ringed is 60"):
        plot.line(ax, GUESS, X, ringed=60)


@pytest.mark.parametrize("origin", [(0.0, 0.0), (1000.0, -50.0)])
def test_the_window_of_the_plane_is_that_of_the_points(ax, origin):
    X = np.add(origin, np.random.default_rng(0).normal(size=(100, 2)))
    plot.plane(ax, Mixture([1.0], Gaussian([origin], [np.eye(2)])), X)
    ax.figure.canvas.draw()
    for limits, x in zip((ax.get_xlim(), ax.get_ylim()), X.T, strict=True):
        assert limits[0] < x.min()
        assert x.max() < limits[1]
        assert np.ptp(limits) < 3 * np.ptp(X, axis=0).max()


@pytest.mark.parametrize("far", [1e6, 1e12])
def test_a_component_far_off_can_be_drawn_and_moves_no_window(ax, far):
    X = np.random.default_rng(0).normal(size=(100, 2))
    mixture = Mixture([1.0, 0.0], Gaussian([[0, 0], [far, -far]], [np.eye(2)] * 2))
    plot.plane(ax, mixture, X)
    ax.figure.canvas.draw()
    ax.clear()
    plot.clusters(ax, X, mixture.responsibilities(X), mixture.components.means)
    ax.figure.canvas.draw()
    assert np.abs([ax.get_xlim(), ax.get_ylim()]).max() < 10
    assert ax.texts[0].get_position() == (0, 0)


def test_pictures_are_not_moved_to_what_they_do_not_show(ax):
    X = np.random.default_rng(0).normal(size=(30, 2))
    flat = Mixture([0.5, 0.5], Gaussian([[0, 0], [1, 1]], [np.eye(2)] * 2))
    on_a_line = Mixture([0.5, 0.5], Gaussian.univariate([0, 1], [1, 1]))
    with pytest.raises(ValueError, match="has 1 dimension, and this picture shows 2"):
        plot.plane(ax, flat, X)(on_a_line)
    with pytest.raises(ValueError, match="has 2 dimensions, and this picture shows 1"):
        plot.shares(ax, on_a_line)(flat)
    with pytest.raises(ValueError, match="mixture is None"):
        plot.line(ax, on_a_line)(None)
    resp = flat.responsibilities(X)
    with pytest.raises(ValueError, match=r"it must be \(N, K\) = \(30, K\)"):
        plot.clusters(ax, X, resp[:5])
    redraw = plot.clusters(ax, X, resp, flat.components.means)
    with pytest.raises(ValueError, match=r"resp has shape \(5, 2\); .* = \(30, 2\)"):
        redraw(resp[:5])
    with pytest.raises(ValueError, match=r"means has shape \(3, 2\); .* = \(2, 2\)"):
        redraw(resp, np.zeros((3, 2)))
    with pytest.raises(ValueError, match="means holds nan"):
        redraw(resp, [[np.nan, 0], [1, 1]])
    with pytest.raises(ValueError, match=r"means has shape \(2, 2\); .* = \(0, 2\)"):
        plot.clusters(ax, X, resp)(resp, flat.components.means)
    trace = fit(flat, X, tol=0, max_iter=2)
    move_to = plot.watch(Figure(), trace, X)
    for step in (3, -1):
        with pytest.raises(ValueError, match=f"step is {step}; it must be between 0 and 2"):
            move_to(step)
    with pytest.raises(ValueError, match="figure is None; it must be a Figure"):
        plot.show(None, "nothing")
