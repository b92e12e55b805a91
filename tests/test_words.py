"""Words: what is refused says what was given, what is allowed and what to do, and reprs say what is true."""

import re
from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
from matplotlib.figure import Figure
from scipy import stats

from emlib import (
    Blocks,
    Gaussian,
    GaussianMixture,
    Mixture,
    Prior,
    checks,
    datasets,
    em,
    explore,
    fit,
    fit_best,
    plot,
    select,
    squarem,
    start,
    validate,
)
from emlib.classic import Coins
from emlib.families import Moments
from emlib.text import kind_of, with_article

RNG = np.random.default_rng(0)
X, PLANE = RNG.normal(size=(30, 1)), RNG.normal(size=(30, 2))
LINE = Mixture([0.5, 0.5], Gaussian.univariate([0, 1], [1, 2]))
FLAT = Mixture([0.5, 0.5], Gaussian([[0, 0], [1, 0]], [np.eye(2)] * 2))
MOMENTS = Moments.of(PLANE, FLAT.responsibilities(PLANE))
SWEEP = select.sweep(X, 1, "full", rng=RNG, progress=False)


def refusal(work, error=ValueError):
    with pytest.raises(error) as caught:
        work()
    return str(caught.value)


# What something is --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("thing", "said"),
    [
        (3, "an int"),
        (np.zeros(2), "an ndarray"),
        (Figure().subplots(), "an Axes"),
        (object(), "an object"),
        ("three", "a str"),
        (np.uint8(3), "a uint8"),
        (len, "a builtin_function_or_method"),
        (None, "None"),
        (Gaussian, "the class Gaussian"),
    ],
)
def test_a_thing_has_its_article(thing, said):
    assert kind_of(thing) == said


def test_what_is_wanted_has_its_article_too():
    assert with_article("Array") == "an Array"
    assert refusal(lambda: validate.kind("ax", 3, Figure)) == "ax is an int; it must be a Figure"
    assert refusal(lambda: validate.kind("f", 3, Callable)) == "f is an int; it must be a function"
    assert refusal(lambda: validate.kind("f", 3, bool)) == "f is an int; it must be True or False"
    said = "data is a list of 2 blocks and weights is an ndarray: give the weights as a list"
    assert refusal(lambda: Blocks([X, X], np.ones(60))).startswith(said)
    assert refusal(lambda: fit(Gaussian, X)).startswith("model is the class Gaussian; it must be a Model")
    assert refusal(lambda: explore.frames(lambda a: None, a=3)).startswith("a is an int; it must be a list")
    assert refusal(lambda: select.sweep(X, 1, "full", rng=RNG, start=lambda *_, **__: 3)).startswith(
        "start gave an int; it must give a Mixture of 1 'full' Gaussian"
    )


@pytest.mark.parametrize(
    ("work", "said"),
    [
        (lambda: LINE.expect(LINE), "X is a Mixture; it must be an array of numbers"),
        (lambda: fit(LINE, datasets.three_clusters()), "X is a Dataset; it must be an array of numbers"),
        (lambda: checks.equal(LINE, X), "ours is a Mixture; it must be an array of numbers"),
        (lambda: checks.covariances(FLAT), "the covariances is a Mixture; it must be an array of numbers"),
        (lambda: Mixture(LINE, LINE.components), "weights is a Mixture; it must be an array of numbers"),
    ],
)
def test_what_is_no_array_is_not_looked_into_as_one(work, said):
    assert refusal(work) == said


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ("data.csv", "it holds text"),
        ([[1.0], ["one"]], "it holds text"),
        ({1.0, 2.0}, "it is a set"),
        (Blocks(X), "it is a Blocks"),
        ([[1.0], [2.0, 3.0]], "its rows have different lengths"),
    ],
)
def test_what_cannot_be_read_is_told_why(values, said):
    assert refusal(lambda: validate.numbers("X", values)) == (
        f"X cannot be read as an array of numbers: {said}"
    )
    assert validate.numbers("X", ["1", "2.5"]).tolist() == [1, 2.5]  # as NumPy reads them


# Gaussians by themselves --------------------------------------------------------------------------------------


def test_the_distribution_function_of_components_takes_what_that_of_a_mixture_takes():
    wanted = stats.norm([0, 1], np.sqrt([1, 2])).cdf([[-1.0], [0.5], [3.0]])
    np.testing.assert_allclose(LINE.components.cdf([-1, 0.5, 3]), wanted, rtol=1e-12)
    np.testing.assert_allclose(LINE.components.cdf(0.5), wanted[1], rtol=1e-12)
    np.testing.assert_allclose(LINE.cdf([-1, 0.5, 3]), wanted.mean(axis=1), rtol=1e-12)
    assert refusal(lambda: LINE.components.cdf([0.0, np.nan])) == "x holds nan: give numbers"


def test_the_distribution_function_of_components_in_the_plane_is_refused():
    assert refusal(lambda: FLAT.components.cdf([0.0])) == (
        "cdf is for one dimension, and these components have 2: take a marginal first, "
        "components.marginal([0]).cdf(...)"
    )
    np.testing.assert_allclose(FLAT.components.marginal([0]).cdf([0.0]), stats.norm.cdf([[0.0, -1.0]]))


def test_components_are_sampled_by_their_numbers():
    drawn = FLAT.components.sample([0, 1, 1], np.random.default_rng(0))
    noise = np.random.default_rng(0).standard_normal((3, 2))
    np.testing.assert_allclose(drawn - noise, [[0, 0], [1, 0], [1, 0]])
    assert FLAT.components.sample([], RNG).shape == (0, 2)
    for labels in (3, [0.0, 1.0], [[0], [1]], [0, [1, 1]], ["a"], None):
        assert refusal(lambda labels=labels: FLAT.components.sample(labels, RNG)).endswith(
            "; it must be a list of the numbers of components, such as [0, 0, 1]"
        )
    for labels in ([0, 2], [-1]):
        assert refusal(lambda labels=labels: FLAT.components.sample(labels, RNG)).endswith(
            "; components are numbered from 0 to 1"
        )


def test_components_are_chosen_by_their_numbers():
    assert LINE.components.permuted([1, 0, 1]).means.tolist() == [[1], [0], [1]]
    for order in ([0, 2], [-1]):
        assert refusal(lambda order=order: LINE.components.permuted(order)) == (
            f"order is {order!r}; components are numbered from 0 to 1"
        )
    assert refusal(lambda: Prior(np.eye(2), 1.0).marginal([2])) == (
        "columns is [2]; columns are numbered from 0 to 1"
    )


@pytest.mark.parametrize(
    ("work", "said"),
    [
        (lambda parts: parts.moved([[0.0, 0.0]]), "means has shape (1, 2); it must be (K, D) = (2, 2)"),
        (lambda parts: parts.moved(None), "means is None; it must be an array of numbers"),
        (lambda parts: parts.moved("a"), "means cannot be read as an array of numbers: it holds text"),
        (
            lambda parts: parts.distinct([1.0, 2.0, 3.0]),
            "counts has shape (3,); it must be one number for each component, (K,) = (2,)",
        ),
        (lambda parts: parts.distinct(None), "counts is None; it must be an array of numbers"),
        (
            lambda parts: parts.collect(X, np.ones((30, 2))),
            "X has 1 column and the model 2 dimensions: they must be the same number",
        ),
        (
            lambda parts: parts.collect(PLANE, np.ones(30)),
            "resp has shape (30,); it must be (N, K) = (30, K): one row for each point",
        ),
        (
            lambda parts: parts.collect(PLANE, np.ones((29, 2))),
            "resp has shape (29, 2); it must be (N, K) = (30, K): one row for each point",
        ),
        (
            lambda parts: parts.collect(PLANE, -np.ones((30, 2))),
            "resp has a negative value, -1; a point can count for nothing, but not less",
        ),
        (lambda parts: parts.collect(None, np.ones((30, 2))), "X is None; it must be an array of numbers"),
        (lambda parts: parts.describe(None), "None is no component; give the number of one, from 0 to 1"),
        (lambda parts: parts.describe(1.5), "1.5 is no component; give the number of one, from 0 to 1"),
        (lambda parts: parts.divergence(FLAT), "other is a Mixture; it must be a Gaussian"),
        (lambda parts: parts.divergence(None), "other is None; it must be a Gaussian"),
        (
            lambda parts: parts.divergence(LINE.components),
            "other has 1 dimension and these 2: they must agree",
        ),
    ],
)
def test_components_say_what_they_take(work, said):
    assert refusal(lambda: work(FLAT.components)) == said


def test_components_take_lists_where_they_take_arrays():
    parts = FLAT.components
    assert parts.moved([[0, 1], [2, 3]]).means.tolist() == [[0, 1], [2, 3]]
    np.testing.assert_array_equal(parts.distinct([10, 20]), parts.distinct(np.array([10.0, 20.0])))
    resp = FLAT.responsibilities(PLANE)
    assert parts.collect(PLANE, resp) == MOMENTS
    lists = parts.collect(PLANE.tolist(), resp.tolist())
    np.testing.assert_allclose(lists.covariances, MOMENTS.covariances, rtol=1e-12)
    means = np.zeros((2, 2))
    moved = parts.moved(means)
    means[:] = 1.0  # the model keeps its own
    assert not moved.means.any()
    for k in (2, -3):
        said = f"there is no component {k}; they are numbered from 0 to 1"
        assert refusal(lambda k=k: parts.describe(k), IndexError) == said
    assert parts.describe(-1) == parts.describe(1) == "mean [1, 0], covariance [[1, 0], [0, 1]]"


@pytest.mark.parametrize(
    ("structure", "values"), [("diag", [[1, 2], [3, 0]]), ("diag", [[1, 2], [3, -1]]), ("spherical", [1, 0])]
)
def test_no_variance_is_zero_or_less(structure, values):
    assert refusal(lambda: Gaussian([[0, 0], [1, 1]], values, structure)) == (
        f"covariances holds {np.min(values)}; a variance must be greater than 0"
    )


def test_variances_on_a_line_are_refused_as_such():
    for variance in (0, -1):
        assert refusal(lambda variance=variance: Gaussian.univariate([0, 1], [1, variance])) == (
            f"variances holds {variance}; a variance must be greater than 0"
        )


def test_moments_multiply_and_add_from_either_side():
    assert 2 * MOMENTS == MOMENTS * 2
    np.testing.assert_array_equal((2 * MOMENTS).counts, 2 * MOMENTS.counts)
    np.testing.assert_array_equal((np.float32(0.5) * MOMENTS).sums, MOMENTS.sums / 2)
    parts = [Moments.of(some, FLAT.responsibilities(some)) for some in (PLANE[:10], PLANE[10:17], PLANE[17:])]
    np.testing.assert_allclose(sum(parts).means, MOMENTS.means, rtol=1e-12)
    np.testing.assert_allclose(sum(parts).covariances, MOMENTS.covariances, rtol=1e-12)
    for other in ("a", None, 3.0):
        with pytest.raises(TypeError, match="unsupported operand"):
            MOMENTS + other
    for other in ("a", None, MOMENTS):
        with pytest.raises(TypeError, match=r"unsupported operand|can't multiply"):
            MOMENTS * other


def test_moments_take_lists_and_refuse_other_sizes_in_words():
    moments = Moments.of([[0.0], [2.0], [10.0]], [[1, 0], [1, 0], [0, 1]])
    assert moments.counts.tolist() == [2, 1]
    assert moments.means.tolist() == [[1], [10]]
    assert moments.covariances.tolist() == [[[1]], [[0]]]
    assert refusal(lambda: Moments.of([[0.0]], np.ones((2, 1)))) == (
        "resp has shape (2, 1); it must be (N, K) = (1, K): one row for each point"
    )
    assert refusal(lambda: Moments.of([0.0, 1.0], np.ones((2, 1)))).startswith("X is one-dimensional")
    assert refusal(lambda: Moments.of([[0.0]], [[-1]])).startswith("resp has a negative value, -1")
    assert refusal(lambda: MOMENTS.about([[0.0]])) == (
        "centres has shape (1, 1); it must be (K, D) = (2, 2): one for each group"
    )
    assert MOMENTS.about([[0.0, 0.0], [0.0, 0.0]]) == MOMENTS.about(np.zeros((2, 2)))


# Checks -------------------------------------------------------------------------------------------------------


def test_equal_writes_numbers_as_numbers():
    assert refusal(lambda: checks.equal(2.0, 2.5), AssertionError) == (
        "they differ by 0.2 of the largest number: 2.0 and 2.5"
    )
    assert refusal(lambda: checks.equal([[1, 2.0]], [[1, 2.5]]), AssertionError) == (
        "they differ by 0.2 of the largest number, at (0, 1): 2.0 and 2.5"
    )


def test_equal_says_that_nan_equals_nothing():
    assert refusal(lambda: checks.equal(np.nan, np.nan), AssertionError) == "nan equals nothing: nan and nan"
    assert refusal(lambda: checks.equal([1.0, np.nan], [1.0, 2.0]), AssertionError) == (
        "nan equals nothing, at (1,): nan and 2.0"
    )


def test_checks_refuse_what_they_cannot_judge():
    assert refusal(lambda: checks.probabilities(np.full((2, 2, 2), 0.5))) == (
        "the array has shape (2, 2, 2); it must be one row of numbers or several, (K,) or (N, K)"
    )
    assert refusal(lambda: checks.stationary(LINE, X, "small")) == "tol is 'small'; it must be a number"


def test_covariances_may_be_those_of_gaussians():
    assert checks.covariances(FLAT.components) == "2 covariances, all symmetric and positive definite"
    for structure, values in (("tied", np.eye(2)), ("diag", [[1, 2]]), ("spherical", [1])):
        one = Gaussian([[0, 0]], values, structure)
        assert checks.covariances(one) == "1 covariance, all symmetric and positive definite"


@pytest.mark.parametrize(
    ("work", "said"),
    [
        (
            lambda: checks.stopping(lambda history: False),
            "rule is a function of (history); it must be one that is called as rule(history, tol)",
        ),
        (
            lambda: checks.additive(lambda: 0.0, X),
            "log_likelihood is a function of (); it must be one that is called as log_likelihood(X)",
        ),
        (
            lambda: checks.additive(lambda X: 0.0, X, np.ones(30)),
            "log_likelihood is a function of (X); it must be one that is called as log_likelihood(X, weights)",
        ),
        (
            lambda: fit(LINE, X, on_step=lambda: None),
            "on_step is a function of (); it must be one that is called as on_step(step)",
        ),
        (
            lambda: plot.bound(Figure().subplots(), lambda p, q: 0.0, 0, 1),
            "log_likelihood is a function of (p, q); it must be one that is called as log_likelihood(parameter)",
        ),
        (
            lambda: explore.frames(lambda a: Figure(), a=[1], b=[2]),
            "draw is a function of (a); it must be one that is called as draw(a=..., b=...)",
        ),
        (
            lambda: explore.live(lambda a: Figure(), b=(0, 1, 0)),
            "draw is a function of (a); it must be one that is called as draw(b=...)",
        ),
        (
            lambda: checks.stopping(lambda history, tol: None),
            "what rule returns is None; it must be True or False",
        ),
        (
            lambda: checks.stopping(lambda history, tol: np.diff(history) < tol),
            "what rule returns is an ndarray; it must be True or False",
        ),
        (
            lambda: checks.additive(lambda X: None, X),
            "what log_likelihood returns is None; it must be an array",
        ),
        (
            lambda: fit_best([start.from_data], X),
            "start is a function of (X, K, rng, **keywords); it must be one that is called as start()",
        ),
        (
            lambda: next(squarem(LINE, X, leaps=lambda step: True)),
            "leaps is a function of (step); it must be one that is called as leaps()",
        ),
        (
            lambda: select.sweep(X, 1, "full", rng=RNG, start=lambda X, K: LINE),
            "start is a function of (X, K); it must be one that is called as "
            "start(X, K, rng, structure=..., floor=...)",
        ),
        (
            lambda: plot.bound(Figure().subplots(), lambda p: 0.0, 0, 1)(lambda: 0.0, 0, 1),
            "bound is a function of (); it must be one that is called as bound(parameter)",
        ),
        (
            lambda: plot.bound(Figure().subplots(), lambda p: np.zeros(2), 0, 1),
            "the function returns an array of shape (2,); it must return one number",
        ),
    ],
)
def test_functions_of_other_arguments_are_refused(work, said):
    assert refusal(work).startswith(said)


def test_functions_may_take_more_than_they_must():
    assert checks.stopping(lambda *history_and_tol: False).startswith("a fall")
    assert checks.stopping(partial(lambda strict, history, tol: np.bool_(False), True)).startswith("a fall")
    validate.function("f", max, "a", "b")  # which cannot say what it takes


def test_columns_of_rows_of_different_lengths_are_no_columns():
    for columns in (0.5, ["a"], [0, [1, 1]]):
        assert refusal(lambda columns=columns: FLAT.marginal(columns)) == (
            f"columns is {columns!r}; it must be a list of the numbers of one or more columns"
        )


# Pictures -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "draw",
    [
        lambda ax: plot.line(ax, LINE),
        lambda ax: plot.shares(ax, LINE),
        lambda ax: plot.plane(ax, FLAT, PLANE),
        lambda ax: plot.contours(ax, FLAT),
        lambda ax: plot.clusters(ax, PLANE, FLAT.responsibilities(PLANE)),
        lambda ax: plot.plate(ax, np.zeros((1, 64))),
        lambda ax: plot.objective(ax, [1.0, 2.0]),
        lambda ax: plot.criteria(ax, SWEEP),
        lambda ax: plot.bound(ax, lambda p: 0.0, 0, 1),
    ],
)
def test_pictures_are_drawn_on_axes(draw):
    many = Figure().subplots(1, 2)
    for ax, said in ((3, "an int"), (LINE, "a Mixture"), (Figure(), "a Figure"), (many, "an ndarray")):
        assert refusal(lambda ax=ax: draw(ax)) == (
            f"ax is {said}; it must be an Axes, such as plt.subplots() gives: the first argument is where to draw"
        )
    draw(many[0])


LAST = {
    "ringed": lambda ax: plot.line(ax, LINE, X, ringed=99),
    "ringed nowhere": lambda ax: plot.line(ax, LINE, ringed=0),
    "top": lambda ax: plot.line(ax, LINE, X, top=-1),
    "low and high": lambda ax: plot.shares(ax, LINE, low=3, high=1),
    "points of the plane": lambda ax: plot.plane(ax, FLAT, X),
    "shares": lambda ax: plot.contours(ax, FLAT, [0.5, 2.0]),
    "criterion": lambda ax: plot.criteria(ax, SWEEP, "held_out"),
    "step": lambda ax: plot.objective(ax, [1.0, 2.0], 5),
    "columns": lambda ax: plot.plate(ax, np.zeros((3, 64)), columns=0),
    "ends": lambda ax: plot.bound(ax, lambda t: -t * t, 2.0, 1.0),
}


@pytest.mark.parametrize("draw", LAST.values(), ids=LAST.keys())
def test_a_refused_picture_changes_nothing(draw):
    ax = Figure().subplots()
    before = len(ax.get_children()), ax.get_xlabel(), ax.get_xlim(), ax.get_ylim()
    refusal(lambda: draw(ax))
    assert (len(ax.get_children()), ax.get_xlabel(), ax.get_xlim(), ax.get_ylim()) == before


def test_refused_views_leave_the_figure_empty():
    for trace, points in [(fit(LINE, X, warn=False), PLANE), (fit(FLAT, PLANE, warn=False), X)]:
        figure = Figure()
        refusal(lambda trace=trace, points=points, figure=figure: plot.watch(figure, trace, points))
        assert not figure.axes


def test_views_of_a_fit_are_drawn_on_a_figure():
    trace = fit(LINE, X, tol=0, max_iter=1)
    assert refusal(lambda: plot.watch(Figure().subplots(), trace, X)).startswith(
        "figure is an Axes; it must be a Figure, such as plt.figure() gives"
    )
    plot.watch(Figure().subfigures(1, 2)[0], trace, X)(1)


def test_what_a_picture_cannot_show_is_refused():
    labels = np.arange(30) % 2
    assert refusal(lambda: plot.clusters(Figure().subplots(), PLANE, labels)) == (
        "resp has shape (30,); it must be (N, K) = (30, K): one row for each point"
    )
    assert refusal(lambda: start.from_responsibilities(X, labels)) == (
        "resp has shape (30,) and X (30, 1); resp must be (N, K): one row for each point"
    )
    assert refusal(lambda: plot.mixed([[0.0, 0.0]])) == "resp sums to 0 where it must sum to 1"
    assert refusal(lambda: plot.line(Figure().subplots(), LINE, ringed=1)) == (
        "ringed is 1, and there are no points: give X too"
    )
    for dpi, said in ((0, "must be greater than 0"), ("fine", "must be a number")):
        assert refusal(lambda dpi=dpi: plot.png(Figure(), dpi)) == f"dpi is {dpi!r}; it {said}"


def test_clusters_are_put_beside_no_model():
    assert refusal(lambda: plot.clusters(Figure().subplots(), X, np.ones((30, 1)))) == (
        "X has 1 column and the picture 2 dimensions: they must be the same number"
    )
    assert refusal(lambda: FLAT.conditionals([0], PLANE)) == (
        "values has 2 columns and `columns` names 1 dimension: they must be the same number"
    )


# Advice and limits --------------------------------------------------------------------------------------------


def test_one_model_is_no_list_of_starts():
    for model in (LINE, Coins([0.5, 0.6])):
        assert refusal(lambda model=model: fit_best(model, X)) == (
            "starts is one model; it must be several, in a list: pass [model], or call fit"
        )


@pytest.mark.parametrize("name", ["accelerate", "warn"])
def test_a_switch_is_true_or_false(name):
    said = f"{name} is a str; it must be True or False"
    assert refusal(lambda: fit(LINE, X, **{name: "no"})) == said
    assert refusal(lambda: fit_best([LINE], X, **{name: "no"})) == said


@pytest.mark.parametrize("loop", [em, squarem])
def test_a_loop_refuses_before_its_first_step(loop):
    assert refusal(lambda: loop(3, X)) == "model is an int; it must be a Model, such as a Mixture: the start"
    assert "X has 2 columns and the model 1 dimension" in refusal(lambda: loop(LINE, PLANE))


def test_every_start_must_be_one_for_the_data():
    alone = Mixture([1.0], Gaussian([[0, 0]], [np.eye(2)]))  # with as many free parameters as LINE
    assert alone.n_parameters == LINE.n_parameters
    for other in (FLAT, alone):
        assert "X has 1 column and the model 2 dimensions" in refusal(
            lambda other=other: fit_best([LINE, other], X)
        )
    assert (
        refusal(lambda: fit_best([LINE, 3], X))
        == "model is an int; it must be a Model, such as a Mixture: the start"
    )


@pytest.mark.parametrize("name", ["random", "from_data", "k_means", "k_means_plus_plus"])
def test_advice_points_the_right_way(name):
    make = getattr(start, name)
    for K in (0, -3):
        assert refusal(lambda K=K: make(X, K, RNG)) == (
            f"K is {K}; it must be between 1 and 30, the number of points"
        )
    assert refusal(lambda: make(X, 31, RNG)).endswith(
        "it must be between 1 and 30, the number of points: use fewer components"
    )
    assert refusal(lambda: validate.jobs(-2)) == (
        "n_jobs is -2; it must be at least 1, or -1 for one on each core"
    )


def test_a_probability_alone_does_not_run_from_itself_to_itself():
    assert refusal(lambda: LINE.quantile(1.2)) == "p is 1.2; a probability lies between 0 and 1"
    assert refusal(lambda: LINE.quantile([0.5, -3])) == "p holds -3; a probability lies between 0 and 1"


@pytest.mark.parametrize(
    "work",
    [
        lambda: start.from_data(X, 2, RNG, flor=1),
        lambda: Gaussian.from_responsibilities(X, np.ones((30, 1)), flor=1),
        lambda: LINE.components.under(flor=1),
    ],
)
def test_an_unknown_option_is_told_whose_it_is_not_and_which_there_are(work):
    assert refusal(work) == (
        "Gaussian has no option 'flor'; its options are: fixed, floor, prior, ridge and structure"
    )


# Words of results ---------------------------------------------------------------------------------------------


def test_a_ratio_names_values_that_are_its_own():
    ratio = select.Ratio("full", K=1, observed=12.0, simulated=[3.1, 0.4, 14.2, 5.0])
    half, most = map(float, re.search(r"half are at most (\S+) and 95% at most (\S+);", repr(ratio)).groups())
    assert (half, most) == (3.1, 14.2)
    assert (ratio.simulated <= half).mean() == 0.5
    assert (ratio.simulated <= most).mean() >= 0.95


def test_a_ratio_and_a_sweep_refuse_in_words():
    assert refusal(lambda: select.Ratio("full", 1, 1.0, [1, [2]])).endswith("its rows have different lengths")
    assert refusal(lambda: select.Ratio("full", "two", 1.0, [1.0])) == "K is 'two'; it must be a whole number"
    assert refusal(lambda: select.Sweep((), 0).best()) == "the sweep has no rows, and so no best one"


@pytest.mark.parametrize("folds", [(), 3.0, ((1.0,),)])
def test_a_held_out_score_has_folds(folds):
    assert refusal(lambda: select.HeldOut(1.0, 0.1, folds)) == (
        f"folds is {folds!r}; it must be one mean for each fold, and at least one"
    )
    assert select.HeldOut(1.0, 0.1, [np.float64(1), 2]).folds == (1.0, 2.0)
    assert repr(select.HeldOut(1.0, 0.1, (1.0,))).endswith("over 1 fold")


def test_blocks_say_how_many_points_in_how_many_blocks():
    blocks = Blocks([X, X[:7]])
    assert repr(blocks) == "<Blocks: 2 blocks>"  # not read yet
    assert repr(blocks.checked(LINE.check)) == "<Blocks: 37 points in 2 blocks>"
    assert repr(Blocks(3)) == "<Blocks: 1 block>"
    assert next(em(LINE, blocks)).statistics.n_points == 37
    assert GaussianMixture(1).fit([X, X[:7]]).trace_.n_points == 37
