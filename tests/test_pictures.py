"""Pictures that one lesson alone needs, by the data of their artists."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from scipy.stats import binomtest, chi2

import pictures
from emlib import Gaussian, Mixture, datasets, fit, plot, start
from pictures.lesson_12 import MODELS

# Lesson 1: a fit and five points ----------------------------------------------------------------------


def test_bars_beside_a_fit_are_the_shares_of_its_points():
    line = datasets.three_clusters().X
    trace = fit(
        Mixture(np.ones(3) / 3, Gaussian.univariate([-5, 8, 1.5], [25, 9, 1])), line, tol=0, max_iter=4
    )
    figure = Figure()
    go = pictures.watch_points(figure, trace, line, [42, 40, 7], 40)
    ax = figure.axes[-1]
    for step in (0, 3):
        go(step)
        heights = np.array([[bar.get_height() for bar in bars] for bars in ax.containers]).T
        np.testing.assert_allclose(heights, trace.models[step].responsibilities(line[[42, 40, 7]]))
        tops = [bar.get_y() + bar.get_height() for bar in ax.containers[-1]]
        np.testing.assert_allclose(tops, 1)
    assert [label.get_weight() for label in ax.get_xticklabels()] == ["normal", "bold", "normal"]


# Lesson 2: a bell -------------------------------------------------------------------------------------

SLANTED = np.array([[4.0, 1.5], [1.5, 2.0]])
OTHER = np.array([[0.5, -0.6], [-0.6, 3.0]])


def test_the_ellipses_of_a_bell_lie_one_two_and_three_standard_deviations_out(ax):
    redraw = pictures.bell(ax, SLANTED)
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
    redraw = pictures.bell(ax, SLANTED)
    for covariance in (SLANTED, OTHER):
        redraw(covariance)
        (arrows,) = [artist for artist in ax.collections if hasattr(artist, "U")]
        long, short = np.column_stack([arrows.U, arrows.V])
        for arrow in (long, short):
            np.testing.assert_allclose(covariance @ arrow, (arrow @ arrow) * arrow, atol=1e-12)
        assert long @ long > short @ short
        assert long.sum() > 0  # up or to the right, and the short one a quarter turn on
        assert long[0] * short[1] - long[1] * short[0] > 0


def test_the_labels_of_a_bell_stand_on_its_ellipses(ax):
    redraw = pictures.bell(ax, SLANTED)
    for covariance in (SLANTED, OTHER):
        redraw(covariance)
        assert [text.get_text() for text in ax.texts] == ["1 sd", "2 sd", "3 sd"]
        places = np.array([text.get_position() for text in ax.texts])
        d = np.sqrt(np.einsum("ni,ij,nj->n", places, np.linalg.inv(covariance), places))
        np.testing.assert_allclose(d, [1, 2, 3])


def test_the_shade_of_a_bell_is_its_density(ax):
    pictures.bell(ax, SLANTED, reach=6)
    (shade,) = ax.images
    side = np.linspace(-6, 6, 160)
    at = np.array([side[90], side[20]])
    expected = np.exp(-0.5 * at @ np.linalg.inv(SLANTED) @ at)
    middle = np.exp(-0.5 * side[80] ** 2 * np.linalg.inv(SLANTED).sum())
    np.testing.assert_allclose(shade.get_array()[20, 90] / shade.get_array()[80, 80], expected / middle)
    assert shade.get_extent() == [-6, 6, -6, 6]
    assert ax.get_xlim() == ax.get_ylim() == (-6, 6)


def test_bells_that_make_no_sense(ax):
    with pytest.raises(ValueError, match=r"covariance has shape \(3, 3\)"):
        pictures.bell(ax, np.eye(3))
    with pytest.raises(ValueError, match="reach is -1"):
        pictures.bell(ax, np.eye(2), reach=-1)


# Lesson 3: circles and paths --------------------------------------------------------------------------

RNG = np.random.default_rng(0)

X = RNG.normal(size=(50, 2))

RESP = RNG.dirichlet(np.ones(3), size=50)

MEANS = np.array([[-1.0, 0.0], [1.0, 1.0], [0.5, -2.0]])


def test_circles_reach_to_the_farthest_of_their_points(ax):
    labels = RESP.argmax(axis=1)
    pictures.circles(ax, X, labels, MEANS)
    for k, circle in enumerate(ax.patches):
        assert circle.center == tuple(MEANS[k])
        farthest = np.linalg.norm(X[labels == k] - MEANS[k], axis=1).max()
        np.testing.assert_allclose(circle.radius, farthest)
        assert circle.get_facecolor()[:3] == to_rgb(plot.COLOURS[k])
    for low, high, way in [(*ax.get_xlim(), 0), (*ax.get_ylim(), 1)]:
        assert low <= min(c.center[way] - c.radius for c in ax.patches)
        assert high >= max(c.center[way] + c.radius for c in ax.patches)


def test_borders_lie_half_way_between_two_nearest_means(ax):
    for means in (MEANS, RNG.normal(size=(7, 2)), np.array([[0.0, 0.0], [1.0, 1.0], [2.0, 2.0]])):
        ax.clear()
        pictures.borders(ax, means)
        (lines,) = ax.collections
        for ends in lines.get_segments():
            for share in (0.01, 0.3, 0.7, 0.99):
                place = (1 - share) * ends[0] + share * ends[1]
                first, second = np.sort(np.linalg.norm(means - place, axis=1))[:2]
                assert second == pytest.approx(first, rel=1e-6)
        assert len(lines.get_segments()) >= len(means) - 1
    assert ax.get_xlim() == (0, 1)  # what the axes show is not the borders' business


def test_paths_lead_from_their_rings_step_by_step(ax):
    path = RNG.normal(size=(6, 3, 2))
    redraw = pictures.paths(ax, path, ls="--")
    for steps in (path, path[:4] + 1):
        redraw(steps)
        *lines, rings = ax.get_lines()
        for k, line in enumerate(lines):
            np.testing.assert_array_equal(line.get_xydata(), steps[:, k])
            assert line.get_linestyle() == "--"
        np.testing.assert_array_equal(rings.get_xydata(), steps[0])


def test_paths_that_make_no_sense(ax):
    with pytest.raises(ValueError, match=r"path has shape \(6, 3\); it must be \(T, K, 2\)"):
        pictures.paths(ax, np.zeros((6, 3)))


# Lesson 5: why EM works -------------------------------------------------------------------------------


def labelled(ax):
    return {line.get_label(): line for line in ax.get_lines()}


def test_jensen_draws_the_mean_of_the_logs_under_the_log_of_the_mean(ax):
    values, shares = np.array([0.8, 0.1, 0.3]), np.array([0.5, 0.2, 0.3])
    pictures.jensen(ax, values, shares)
    lines = labelled(ax)
    x, y = lines["log"].get_data()
    np.testing.assert_allclose(y, np.log(x))
    assert x[0] < 0.1 < 0.8 < x[-1]
    np.testing.assert_allclose(
        lines["the values"].get_xydata(), np.column_stack([np.sort(values), np.log(np.sort(values))])
    )
    np.testing.assert_allclose(lines["gap"].get_xdata(), 0.51)
    np.testing.assert_allclose(lines["gap"].get_ydata(), [shares @ np.log(values), np.log(0.51)])
    assert [text.get_text() for text in ax.texts] == ["log of the mean", "mean of the logs"]


def test_waterfall_stacks_three_parts_to_the_log_likelihood(ax):
    move_to = pictures.waterfall(ax, lowest=-60)
    assert ax.get_ylim() == (-60, 0)  # the axis is not cut
    for expected, entropy, gap in [(-54.7, 7.25, 0.625), (-45.0, 3.5, 0.0)]:
        move_to(expected, entropy, gap)
        tops_and_bottoms = [(bar.get_y(), bar.get_y() + bar.get_height()) for bar in ax.patches]
        total = expected + entropy + gap
        np.testing.assert_allclose(
            tops_and_bottoms,
            [(0, expected), (expected, expected + entropy), (expected + entropy, total), (0, total)],
        )
        said = [text.get_text() for text in ax.texts]
        assert said == [f"{expected:.2f}", f"+{entropy:.2f}", f"+{gap:.2f}", f"{total:.2f}"]
        # Labels stand outside their bars: under those that hang, above those that stand.
        heights = [text.get_position()[1] for text in ax.texts[:4]]
        assert heights[0] < expected
        assert heights[1] > expected + entropy
        assert heights[2] > total > heights[3]
    assert [label.get_text().split("\n")[0] for label in ax.get_xticklabels()] == [
        "expected",
        "entropy",
        "gap",
        "log-",
    ]
    assert ax.get_ylim() == (-60, 0)


def test_surface_is_highest_where_the_function_is(ax):
    pictures.surface(ax, lambda a, b: -20 * ((a - 0.3) ** 2 + (b - 0.7) ** 2), 0, 1, ("a", "b"))
    filled, lines = ax.collections
    *_, top = [path for path in lines.get_paths() if len(path.vertices)]
    np.testing.assert_allclose(top.vertices.mean(axis=0), [0.3, 0.7], atol=0.01)
    radius = np.hypot(*(top.vertices - [0.3, 0.7]).T)
    np.testing.assert_allclose(radius, np.sqrt(0.05 / 20), rtol=0.05)  # the highest line lies 0.05 nats down
    shades = filled.get_facecolor()[:, 0]
    assert (np.diff(shades) < 0).all()  # darker upwards
    assert (ax.get_xlabel(), ax.get_ylabel(), ax.get_aspect()) == ("a", "b", 1.0)


def test_bounds_that_make_no_sense(ax):
    with pytest.raises(ValueError, match="2 numbers greater than 0"):
        pictures.jensen(ax, [0.0, 1.0], [0.5, 0.5])
    with pytest.raises(ValueError, match="shares sums to"):
        pictures.jensen(ax, [1.0, 2.0], [0.5, 1.0])
    with pytest.raises(ValueError, match="low must be less than high"):
        pictures.surface(ax, lambda a, b: a, 1, 0)


# Lesson 6: where starts end ---------------------------------------------------------------------------


def test_every_end_has_its_dot_and_the_best_are_counted(ax):
    groups = {"one way": [-10.0, -10.05, -14.0, np.nan], "another": [-12.0, -12.0, -12.001]}
    pictures.ends(ax, groups)
    line, *dots = ax.get_lines()
    assert set(line.get_xdata()) == {-10.0}
    for row, values in enumerate(groups.values()):
        here = np.concatenate([d.get_xdata() for d in dots[2 * row : 2 * row + 2]])
        np.testing.assert_allclose(np.sort(here), np.sort([v for v in values if np.isfinite(v)]))
        places = np.vstack([d.get_xydata() for d in dots[2 * row : 2 * row + 2]])
        assert ((places[:, 1] >= -row) & (places[:, 1] < 1 - row)).all()
    assert [len(d.get_xdata()) for d in dots] == [2, 1, 0, 3]
    assert len({d.get_ydata().max() for d in dots if len(d.get_xdata()) == 3}) == 1
    assert len(set(dots[3].get_ydata())) == 3  # equal ones are stacked
    assert [label.get_text() for label in ax.get_yticklabels()] == ["one way: 2 of 4", "another: 0 of 3"]
    assert "nats" in ax.get_xlabel()


def test_a_best_from_elsewhere(ax):
    pictures.ends(ax, {"a": [-3.0, -2.15, -2.05]}, best=-2.0)
    assert set(ax.get_lines()[0].get_xdata()) == {-2.0}
    assert ax.get_yticklabels()[0].get_text() == "a: 1 of 3"


def test_ends_that_make_no_sense(ax):
    with pytest.raises(ValueError, match="groups is empty"):
        pictures.ends(ax, {})
    with pytest.raises(ValueError, match="no finite objective"):
        pictures.ends(ax, {"a": [np.nan]})


# Lesson 9: what invariants find -----------------------------------------------------------------------


def test_findings_are_dots_and_crosses(ax):
    table = {"A": {"one": "", "two": "broken"}, "B": {"one": "", "two": ""}, "C": {"one": "no", "two": "no"}}
    pictures.findings(ax, table)
    dots, crosses = ax.get_lines()
    assert {tuple(p) for p in dots.get_xydata()} == {(0, 0), (0, 1), (1, 1)}
    assert {tuple(p) for p in crosses.get_xydata()} == {(1, 0), (0, 2), (1, 2)}
    assert dots.get_marker() != crosses.get_marker()
    assert dots.get_color() != crosses.get_color()
    assert [label.get_text() for label in ax.get_yticklabels()] == ["A", "B", "C"]
    assert [label.get_text() for label in ax.get_xticklabels()] == ["one", "two"]
    low, high = ax.get_ylim()
    assert low > high  # the first one on top


def test_findings_that_make_no_sense(ax):
    with pytest.raises(ValueError, match="the same invariants"):
        pictures.findings(ax, {"A": {"one": ""}, "B": {"two": ""}})
    with pytest.raises(ValueError, match="at least one of both"):
        pictures.findings(ax, {})


# Lesson 11: ratios and choices ------------------------------------------------------------------------


def test_bars_hold_what_is_above_zero_and_the_line_the_rest(ax):
    ratios = np.concatenate([np.zeros(30), np.random.default_rng(0).chisquare(3, size=70)])
    pictures.null(ax, ratios, degrees=3, observed=12.5)
    (bars,) = ax.patches
    data = bars.get_data()
    np.testing.assert_allclose((data.values * np.diff(data.edges)).sum(), 0.7)
    counts = np.histogram(ratios[ratios > 0], data.edges)[0]
    np.testing.assert_allclose(data.values * np.diff(data.edges), counts / 100)
    zero, curve, mark = ax.lines
    assert zero.get_label() == "exactly 0: 30%"
    np.testing.assert_allclose(curve.get_ydata(), chi2.pdf(curve.get_xdata(), 3), rtol=1e-10)
    assert set(mark.get_xdata()) == {12.5}
    assert ax.get_xlim()[1] > 12.5
    assert "nats" in ax.get_xlabel()


def test_without_zeros_degrees_or_data_there_are_only_bars(ax):
    pictures.null(ax, [1.0, 2.0, 4.0])
    assert not ax.lines
    with pytest.raises(ValueError, match="none of them below 0"):
        pictures.null(ax, [-1.0, 2.0])
    with pytest.raises(ValueError, match="some above"):
        pictures.null(ax, [0.0, 0.0])
    with pytest.raises(ValueError, match="degrees is 0"):
        pictures.null(ax, [1.0], degrees=0)


def test_cells_show_counts_and_wear_their_shares(ax):
    redraw = pictures.chosen(ax, ["AIC", "BIC"], range(1, 4), true=3)
    for counts in ([[1, 0, 3], [0, 4, 0]], [[0, 0, 2], [5, 5, 0]]):
        redraw(counts)
        table = np.array(counts)
        (image,) = ax.images
        np.testing.assert_allclose(image.get_array(), table / table.sum(axis=1, keepdims=True))
        assert [text.get_text() for text in ax.texts] == [str(n) if n else "" for n in table.ravel()]
    (frame,) = ax.patches
    assert (frame.get_x(), frame.get_width()) == (1.5, 1)
    assert [label.get_text() for label in ax.get_yticklabels()] == ["AIC", "BIC"]
    with pytest.raises(ValueError, match="counts has shape"):
        redraw([[1, 2, 3]])


def test_hits_have_wilsons_intervals(ax):
    pictures.hits(ax, [50, 100], {"AIC": [30, 80], "BIC": [0, 100]}, 100)
    for line, bars, counts in zip(ax.lines, ax.collections, ([30, 80], [0, 100]), strict=True):
        np.testing.assert_allclose(line.get_ydata(), np.array(counts) / 100)
        for (low, high), n in zip([s[:, 1] for s in bars.get_segments()], counts, strict=True):
            exact = binomtest(n, 100).proportion_ci(method="wilson")
            np.testing.assert_allclose([low, high], [exact.low, exact.high], atol=1e-12)
    with pytest.raises(ValueError, match="must be one of 'AIC'"):
        pictures.hits(ax, [50], {"EBIC": [1]}, 10)


def test_choices_that_make_no_sense(ax):
    redraw = pictures.chosen(ax, ["AIC", "BIC"], [1, 2])
    for counts in ([[0, 0], [1, 2]], [[-1, 2], [1, 2]]):
        with pytest.raises(ValueError, match="every row must have some above"):
            redraw(counts)
    with pytest.raises(ValueError, match="true is 9; it must be one of Ks"):
        pictures.chosen(ax, ["AIC"], [1, 2], true=9)
    with pytest.raises(ValueError, match="AIC must be counts from 0 to 10"):
        pictures.hits(ax, [50], {"AIC": [11]}, 10)
    with pytest.raises(ValueError, match="samples is None"):
        pictures.hits(ax, [50], {"AIC": [1]}, None)
    with pytest.raises(ValueError, match="observed"):
        pictures.null(ax, [0.1, 0.2], observed="much")


def test_what_asks_for_a_ratio_stands_where_it_asks_for_one(ax):
    pictures.null(ax, [1.0, 2.0, 4.0], observed=3.0, bars={"AIC": 6.0, "5%": 7.5, "BIC": 31.4})
    assert [line.get_xdata()[0] for line in ax.lines] == [6.0, 7.5, 31.4, 3.0]
    assert [line.get_label() for line in ax.lines] == ["AIC: 6.0", "5%: 7.5", "BIC: 31.4", "data: 3.0"]
    assert len({line.get_color() for line in ax.lines}) == 4
    assert ax.get_xlim()[1] > 31.4
    with pytest.raises(ValueError, match="BIC"):
        pictures.null(ax, [1.0], bars={"BIC": "high"})


def test_small_ratios_have_bars_of_their_own(ax):
    pictures.null(ax, np.linspace(0.01, 0.4, 60))
    (bars,) = ax.patches
    assert (bars.get_data().values > 0).sum() > 20


def test_infinite_ratios_are_counted_and_not_drawn(ax):
    pictures.null(ax, [0.0, 1.0, 2.0, np.inf])
    (bars,) = ax.patches
    assert bars.get_label() == "4 simulated, 1 infinite"
    data = bars.get_data()
    np.testing.assert_allclose((data.values * np.diff(data.edges)).sum(), 0.5)
    assert ax.lines[0].get_label() == "exactly 0: 25%"


def test_shares_lie_between_0_and_1():
    with pytest.raises(ValueError, match=r"share runs from 0\.2 to 1\.5; shares lie between 0 and 1"):
        pictures.wilson([0.2, 1.5], 10)


# Lesson 12: measures over splits ----------------------------------------------------------------------

TABLE = {
    "model": ["full"] * 6 + ["tied"] * 6,
    "K": [1, 1, 3, 3, 9, 9] * 2,
    "split": [0, 1] * 6,
    "held_out": [-5.0, -4, -3, -2, -9, -7, -6, -6, -5, -5, -4, -3],
    "aic": [10.0, 12, 5, 6, 1, 2] + [np.nan] * 6,
}


def test_lines_are_means_over_splits_with_their_range_and_a_ring_at_the_best(ax):
    assert pictures.over_splits(ax, TABLE, "held_out", ["full", "tied"]) == {"full": 3, "tied": 9}
    full, ring, tied, other = ax.get_lines()
    np.testing.assert_array_equal(full.get_xydata(), [[1, -4.5], [3, -2.5], [9, -8]])
    np.testing.assert_array_equal(tied.get_xydata(), [[1, -6], [3, -5], [9, -3.5]])
    np.testing.assert_array_equal(ring.get_xydata(), [[3, -2.5]])
    np.testing.assert_array_equal(other.get_xydata(), [[9, -3.5]])
    assert [line.get_color() for line in (full, tied)] == [MODELS[m][0] for m in ("full", "tied")]
    heights = ax.collections[0].get_paths()[0].vertices[:, 1]
    assert (heights.min(), heights.max()) == (-9, -2)
    assert "held-out" in ax.get_ylabel()
    assert ax.get_xlabel()
    assert ax.get_xscale() == "log"


def test_criteria_are_best_where_they_are_smallest(ax):
    assert pictures.over_splits(ax, TABLE, "aic", ["full"]) == {"full": 9}
    renamed = {**TABLE, "train": TABLE["held_out"]}
    assert pictures.over_splits(ax, renamed, "train", ["full"]) == {"full": 3}


def test_models_have_looks_of_their_own():
    assert len({to_rgb(colour) for colour, _ in MODELS.values()}) == len(MODELS)
    assert len({marker for _, marker in MODELS.values()}) == len(MODELS)


def test_measures_that_make_no_sense(ax):
    with pytest.raises(ValueError, match="measure is 'bic'; it must be one of"):
        pictures.over_splits(ax, TABLE, "bic", ["full"])
    with pytest.raises(ValueError, match="the table has no aic of the model 'tied'"):
        pictures.over_splits(ax, TABLE, "aic", ["tied"])
    with pytest.raises(ValueError, match="model is 'round'"):
        pictures.over_splits(ax, TABLE, "aic", ["round"])


# Films and rows of fits: what they draw for a value is what the fit says there ------------------------------


@pytest.fixture(scope="module")
def blobs():
    """Two fits of points in the plane, by their numbers of components."""
    points = np.random.default_rng(0).normal(size=(60, 2)) + np.repeat([[0, 0], [5, 1]], 30, axis=0)
    firsts = {K: start.k_means(points, K, np.random.default_rng(0)) for K in (2, 3)}
    return points, {K: fit(first, points, tol=0, max_iter=4) for K, first in firsts.items()}


def title(ax):
    """The title of a picture, wherever the style has put it."""
    return ax.get_title("left") or ax.get_title()


def numbers_at(ax):
    """Where the numbers of components stand."""
    return np.array([text.get_position() for text in ax.texts if text.get_text().isdigit()])


def test_panels_show_each_mixture_on_one_piece_of_the_plane(blobs):
    points, fits = blobs
    view = ((-4, 9), (-4, 5))
    figure = pictures.panels(fits[2].models, points, list("abcde"), columns=3, view=view)
    drawn = [ax for ax in figure.axes if ax.has_data()]
    assert [title(ax) for ax in drawn] == list("abcde")
    for ax, model in zip(drawn, fits[2].models, strict=True):
        assert (ax.get_xlim(), ax.get_ylim()) == view
        np.testing.assert_allclose(numbers_at(ax), model.components.means)
    figure = pictures.panels(fits[3].models[:1], points, ["alone"], columns=1)
    (low, high), (under, over) = figure.axes[0].get_xlim(), figure.axes[0].get_ylim()
    assert low < points[:, 0].min() < points[:, 0].max() < high
    assert under < points[:, 1].min() < points[:, 1].max() < over
    plt.close("all")


def test_a_film_of_several_fits_shows_the_step_and_the_fit_it_is_asked_for(blobs):
    points, fits = blobs
    draw = pictures.steps_of(fits, points, ((-4, 9), (-4, 5)))
    for step, K in [(0, 2), (4, 3), (1, 2)]:
        (ax,) = draw(step, K).axes
        np.testing.assert_allclose(numbers_at(ax), fits[K].models[step].components.means)
        assert title(ax) == f"step {step}: {fits[K].objectives[step]:.2f} nats"


def test_histories_begin_where_they_are_told():
    (ax,) = pictures.histories({"a": [1.0, 4.0, 5.0], "b": [2.0, 3.0, 9.0]}, first=1).axes
    assert [line.get_xydata().tolist() for line in ax.get_lines()] == [[[1, 4], [2, 5]], [[1, 3], [2, 9]]]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["a", "b"]
    plt.close("all")


def test_the_film_by_variance_shows_the_ends_and_the_gap():
    path = RNG.normal(size=(4, 3, 2))
    runs = {4.0: (RESP, path + 0.1), 1.0: (RESP[:, ::-1], path)}
    draw = pictures.by_variance(X, runs, {4.0: 0.1, 1.0: 0.0}, path)
    for variance, gap in [(1.0, 1e-16), (4.0, 0.1)]:
        cloud, curve = draw(variance).axes
        np.testing.assert_allclose(numbers_at(cloud), runs[variance][1][-1])
        assert curve.get_lines()[-1].get_xydata().tolist() == [[variance, gap]]
        certainty = runs[variance][0].max(axis=1).mean()
        assert title(cloud) == f"variance {variance}: mean certainty {certainty:.4f}"


def test_a_plateau_has_a_line_for_each_fit_and_a_cross_where_the_other_stopped():
    rows = [[-9.0, -8.0, -2.0], [-9.0, -7.0, -1.0, -0.5]]
    figure = pictures.plateau(rows, [(2, -7.5), (2, -7.0)], 0.3)
    left, right = figure.axes
    assert [list(line.get_ydata()) for line in left.get_lines()[:2]] == rows
    assert left.get_lines()[2].get_xydata().tolist() == [[2, -7.5], [2, -7.0]]
    assert [list(line.get_ydata()) for line in right.get_lines()[:2]] == [[1, 6], [2, 6, 0.5]]
    assert set(right.get_lines()[2].get_ydata()) == {0.3}
    plt.close("all")


def test_eruptions_and_six_histories_show_what_they_are_given(blobs):
    points, fits = blobs
    draw = pictures.eruptions(fits[2], points)
    for iteration in (3, 0):
        left, right = draw(iteration).axes
        np.testing.assert_allclose(numbers_at(left), fits[2].models[iteration].components.means)
        assert right.get_lines()[-1].get_xydata().tolist() == [[iteration, fits[2].objectives[iteration]]]
    histories = {letter: RNG.normal(size=5) for letter in "ABCDEF"}
    for ax, (letter, values) in zip(pictures.six_histories(histories).axes, histories.items(), strict=True):
        assert title(ax) == letter
        np.testing.assert_array_equal(ax.get_lines()[0].get_ydata(), values)
    plt.close("all")


def test_fits_by_their_ridge_show_needles_as_upright_lines():
    line = datasets.three_clusters().X
    means = np.array([[-10.0], [10.0], [0.0], [line.min()]])
    fits = {}
    for ridge in (1e-6, 1.0):
        variances = np.array([4, 4, 2, max(ridge, 0.5 * (ridge == 1.0))])[:, None, None]
        model = Mixture([0.33, 0.33, 0.33, 0.01], Gaussian(means, variances, ridge=ridge))
        fits[ridge] = fit(model, line, tol=0, max_iter=1)
    draw = pictures.by_ridge(fits, line[:, 0])
    for ridge, trace in fits.items():
        (ax,) = draw(ridge).axes
        thin = (trace.model.components.variances[:, 0] < 0.01).sum()
        # Four curves, their sum and the axis; and a line for each needle.
        assert len(ax.get_lines()) == 6 + thin
        assert title(ax).startswith(f"ridge {ridge:.0e}: {trace.log_likelihoods[-1]:.2f} nats")
    first, *_ = pictures.three_ridges(fits, line[:, 0], [1e-6, 1.0, 1.0]).axes
    np.testing.assert_allclose(
        first.get_lines()[0].get_ydata(), [t.log_likelihoods[-1] for t in fits.values()]
    )
    plt.close("all")


def test_seen_and_unseen_are_two_lines_and_the_truth_a_third():
    (ax,) = pictures.seen_and_unseen([-4.0, -3.0, -2.5], [-4.1, -3.2, -3.4], -3.1).axes
    seen, unseen, true = ax.get_lines()
    assert seen.get_xydata().tolist() == [[1, -4.0], [2, -3.0], [3, -2.5]]
    assert list(unseen.get_ydata()) == [-4.1, -3.2, -3.4]
    assert set(true.get_ydata()) == {-3.1}
    plt.close("all")


def test_the_film_of_choices_shows_the_counts_of_its_cell():
    table = {(d, N): RNG.integers(1, 90, size=(2, 6)) for d in (2, 5) for N in (50, 100)}
    draw = pictures.choices(lambda d, N: table[d, N], ["AIC", "BIC"])
    for d, N in [(5, 100), (2, 50)]:
        left, right = draw(d, N).axes
        words = [int(text.get_text()) for text in right.texts]
        assert words == table[d, N].ravel().tolist()
        assert title(left).startswith(f"d = {d}: ")


# Lesson 12: digits ------------------------------------------------------------------------------------------


def test_pairs_stand_one_above_the_other():
    above, below = RNG.uniform(0, 16, size=(2, 6, 64))
    (ax,) = pictures.pairs(above, below, columns=3).axes
    rows = np.concatenate([above[:3], below[:3], above[3:], below[3:]])
    (alone,) = plt.figure().subplots(1, 1, squeeze=False).ravel()
    plot.plate(alone, rows, columns=3)
    np.testing.assert_array_equal(ax.images[0].get_array(), alone.images[0].get_array())
    assert [text.get_text() for text in ax.texts] == ["sample", "nearest"] * 2
    plt.close("all")


def test_distances_are_shares_that_are_nearer():
    sets = {name: RNG.uniform(2, 8, size=40) for name in "abcd"}
    (ax,) = pictures.distances(sets).axes
    for drawn, values in zip(ax.get_lines(), sets.values(), strict=True):
        for place, share in drawn.get_xydata()[::7]:
            assert share == pytest.approx((values <= place).mean())
    plt.close("all")


def test_plates_are_those_of_their_model():
    plates = {
        ("full", 1): (RNG.uniform(0, 16, (48, 64)), -58.9),
        ("tied", 3): (RNG.uniform(0, 16, (48, 64)), -2e6),
    }
    draw = pictures.plates_of(plates)
    (alone,) = plt.figure().subplots(1, 1, squeeze=False).ravel()
    for (structure, K), (pixels, _) in plates.items():
        (ax,) = draw(K, structure).axes
        alone.clear()
        plot.plate(alone, pixels, columns=8)
        np.testing.assert_array_equal(ax.images[0].get_array(), alone.images[0].get_array())
    assert title(draw(1, "full").axes[0]) == "full, K = 1: -58.9 nats for an unseen digit"
    shown = [("full", 1), ("tied", 3)] * 3
    titles = [title(ax) for ax in pictures.six_plates(plates, shown).axes]
    assert titles == ["full, K = 1: -58.9", "tied, K = 3: -2,000,000"] * 3
    plt.close("all")


def test_lines_lead_from_any_digits_to_whole_forms():
    rows = {(kind, n): RNG.normal(size=5) for kind in ("any digits", "whole forms") for n in range(3)}
    compared = pd.DataFrame(rows, index=list("abcde")).T
    nats, wrong = pictures.any_or_whole(compared).axes
    assert (len(nats.get_lines()), len(wrong.get_lines())) == (12, 3)
    for n, drawn in enumerate(wrong.get_lines()):
        assert list(drawn.get_ydata()) == [rows["any digits", n][4], rows["whole forms", n][4]]
    plt.close("all")
