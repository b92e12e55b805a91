"""The Gaussian family, against SciPy, exact arithmetic and independent formulas."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize, stats

from emlib import Collapse, EMWarning, Gaussian, Prior, checks, fit, start
from emlib.families import Moments


@pytest.fixture
def three():
    rng = np.random.default_rng(4)
    roots = rng.standard_normal((3, 2, 2))
    return Gaussian(rng.standard_normal((3, 2)), roots @ roots.transpose(0, 2, 1) + 0.1 * np.eye(2))


def test_density_integrates_to_one(three):
    axis = np.linspace(-15, 15, 601)
    grid = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    mass = np.exp(three.log_density(grid)).sum(axis=0) * (axis[1] - axis[0]) ** 2
    np.testing.assert_allclose(mass, 1, atol=1e-6)


@pytest.mark.parametrize("D", [1, 2, 5, 40])
def test_density_is_scipys(D):
    rng = np.random.default_rng(D)
    root = rng.standard_normal((D, D))
    mean, covariance, X = rng.standard_normal(D), root @ root.T + np.eye(D), rng.standard_normal((9, D))
    np.testing.assert_allclose(
        Gaussian(mean[None], covariance[None]).log_density(X)[:, 0],
        stats.multivariate_normal(mean, covariance).logpdf(X),
        rtol=1e-12,
    )


def test_sixty_standard_deviations_out():
    log_density = Gaussian.univariate([0], [1]).log_density([[60.0]])
    np.testing.assert_allclose(log_density, stats.norm.logpdf(60.0))
    assert np.exp(log_density) == 0


def test_univariate_takes_variances_not_standard_deviations():
    np.testing.assert_allclose(
        Gaussian.univariate([1], [9]).log_density([[4.0]])[0, 0], stats.norm(1, 3).logpdf(4.0)
    )


def test_a_sequence_of_components(three):
    assert len(three) == 3
    np.testing.assert_array_equal(three[-1].means, three.means[2:])
    np.testing.assert_array_equal(three[1].covariances, three.covariances[1:2])
    with pytest.raises(IndexError):
        three[3]
    assert len(list(three)) == 3


def test_values_cannot_be_written_to(three):
    with pytest.raises(ValueError, match="read-only"):
        three.means[0] = 0
    with pytest.raises(AttributeError):
        three.means = np.zeros((3, 2))
    means = np.zeros((1, 2))
    copy = Gaussian(means, np.eye(2)[None])
    means[0] = 7
    np.testing.assert_array_equal(copy.means, 0)
    for parts in (three.under(floor=0.5), Gaussian(means, np.eye(2)[None], floor=[1, 2])):
        with pytest.raises(ValueError, match="read-only"):
            parts.floor[0] = 0


def test_what_is_computed_once_is_forgotten_with_what_it_came_from(three):
    class Counted:
        @cached_property
        def known(self):
            return len(self)

    @dataclass(frozen=True, repr=False)
    class Ours(Counted, Gaussian):
        __init__ = Gaussian.__init__

    ours = Ours(three.means, three.covariances)
    assert (ours.known, ours[0].known) == (3, 1)  # though it is from a class that is no Value


def test_samples_have_the_moments_they_should(three):
    rng = np.random.default_rng(0)
    X = three.sample(np.repeat([0, 1, 2], 60_000), rng).reshape(3, 60_000, 2)
    for k in range(3):
        np.testing.assert_allclose(X[k].mean(axis=0), three.means[k], atol=0.04)
        np.testing.assert_allclose(np.cov(X[k].T), three.covariances[k], atol=0.08)


def test_divergence_is_the_integral_it_stands_for(three):
    rng = np.random.default_rng(0)
    X = three.sample(np.repeat(0, 200_000), rng)
    Y = three.sample(np.repeat(1, 200_000), rng)
    log_p, log_q = three.log_density(X), three.log_density(Y)
    monte_carlo = (log_p[:, 0] - log_p[:, 1]).mean() + (log_q[:, 1] - log_q[:, 0]).mean()
    divergence = three.divergence(three)
    np.testing.assert_allclose(divergence[0, 1], monte_carlo, rtol=0.03)
    np.testing.assert_allclose(divergence, divergence.T)
    np.testing.assert_allclose(np.diag(divergence), 0, atol=1e-10)


# The M-step ---------------------------------------------------------------------------------------------


def test_weighted_moments_are_numpys():
    rng = np.random.default_rng(0)
    X, resp = rng.standard_normal((30, 3)), rng.uniform(size=(30, 2))
    moments = Moments.of(X, resp)
    for k in range(2):
        np.testing.assert_allclose(moments.means[k], np.average(X, axis=0, weights=resp[:, k]), rtol=1e-12)
        expected = np.cov(X.T, aweights=resp[:, k], bias=True)
        np.testing.assert_allclose(moments.covariances[k], expected, rtol=1e-12, atol=1e-14)


def test_moments_about_another_centre_follow_their_definition():
    rng = np.random.default_rng(0)
    X, resp, centres = rng.standard_normal((30, 3)), rng.uniform(size=(30, 2)), rng.standard_normal((2, 3))
    # Twice, so that the second move starts from sums that are not zero.
    moments = Moments.of(X, resp).about(rng.standard_normal((2, 3))).about(centres)
    for k in range(2):
        centred = X - centres[k]
        np.testing.assert_allclose(moments.sums[k], resp[:, k] @ centred, rtol=1e-11)
        np.testing.assert_allclose(moments.products[k], (resp[:, k] * centred.T) @ centred, rtol=1e-11)
    np.testing.assert_allclose(moments.covariances, Moments.of(X, resp).covariances, rtol=1e-11)


def test_the_m_step_is_a_maximum():
    """No small change of the parameters makes the weighted points more likely."""
    rng = np.random.default_rng(0)
    X, resp = rng.standard_normal((40, 2)), rng.uniform(size=(40, 1))
    best = Gaussian.from_responsibilities(X, resp)
    height = resp[:, 0] @ best.log_density(X)[:, 0]
    for _ in range(200):
        mean = best.means + 0.05 * rng.standard_normal((1, 2))
        root = np.linalg.cholesky(best.covariances) + 0.05 * rng.standard_normal((1, 2, 2))
        other = Gaussian(mean, root @ root.transpose(0, 2, 1))
        assert resp[:, 0] @ other.log_density(X)[:, 0] < height


@given(
    offset=st.floats(-1e7, 1e7),
    spread=st.floats(1e-2, 1e3),
    cuts=st.lists(st.integers(0, 64), max_size=6),
    seed=st.integers(0, 2**20),
)
def test_moments_of_parts_add_up_to_those_of_the_whole(offset, spread, cuts, seed):
    rng = np.random.default_rng(seed)
    X = offset + spread * rng.standard_normal((64, 2))
    resp = rng.uniform(size=(64, 2)) ** 8
    parts = [
        Moments.of(x, r)
        for x, r in zip(np.split(X, sorted(cuts)), np.split(resp, sorted(cuts)), strict=True)
        if len(x)
    ]
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    whole = Moments.of(X, resp)
    np.testing.assert_allclose(total.means, whole.means, rtol=1e-13, atol=1e-12 * spread)
    # Rounding of the data themselves is offset * 2e-16; nothing can know them better.
    known = 1e-10 + 1e-14 * abs(offset) / spread
    np.testing.assert_allclose(total.covariances, whole.covariances, rtol=0, atol=known * spread**2 * 10)


def test_a_block_without_weight_for_a_component_changes_nothing():
    rng = np.random.default_rng(0)
    X, resp = rng.standard_normal((30, 2)), rng.uniform(size=(30, 2))
    moments = Moments.of(X, resp)
    empty = Moments.of(X + 1e6, np.zeros((30, 2)))
    for total in (moments + empty, empty + moments):
        np.testing.assert_allclose(total.covariances, moments.covariances, rtol=1e-12)


def test_a_ridge_is_added_to_every_variance_and_is_no_maximum():
    X = np.random.default_rng(0).standard_normal((30, 2))
    ridged = Gaussian.from_responsibilities(X, np.ones((30, 1)), ridge=0.5)
    np.testing.assert_allclose(ridged.covariances[0], np.cov(X.T, bias=True) + 0.5 * np.eye(2))
    assert not ridged.exact
    assert ridged.maximize(ridged.collect(X, np.ones((30, 1)))).ridge == 0.5


@pytest.mark.parametrize("structure", ["full", "tied", "diag", "spherical"])
@pytest.mark.parametrize("floor", [np.array([1.6, 1.6]), np.array([0.2, 1.6])])
def test_a_floor_gives_the_best_covariance_that_is_nowhere_below_it(structure, floor):
    """Against a general optimiser, of covariances U (1 + L L') U with U U the floor."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((40, 2)) @ [[1.2, 0.9], [0, 0.4]]
    resp = rng.dirichlet([2, 1], size=40)
    best = Gaussian.from_responsibilities(X, resp, structure=structure, floor=floor)
    assert best.exact
    assert best.at_floor().all()

    def build(numbers):
        if structure in ("diag", "spherical"):
            least = floor.max() if structure == "spherical" else floor
            return least + (numbers**2).reshape(best.covariances.shape)
        roots = np.zeros((len(numbers) // 3, 2, 2))
        roots[:, *np.tril_indices(2)] = numbers.reshape(-1, 3)
        covariances = (np.eye(2) + roots @ roots.transpose(0, 2, 1)) * np.sqrt(np.outer(floor, floor))
        return covariances.reshape(best.covariances.shape)

    def height(covariances):
        return (resp * Gaussian(best.means, covariances, structure).log_density(X)).sum()

    size = {"full": 6, "tied": 3, "diag": 4, "spherical": 2}[structure]
    found = optimize.minimize(lambda n: -height(build(n)), rng.uniform(0.5, 1, size), method="BFGS", tol=1e-9)
    assert height(best.covariances) >= -found.fun - 1e-9
    np.testing.assert_allclose(best.covariances, build(found.x), atol=1e-4)
    # Where nothing is below it, a floor changes nothing.
    np.testing.assert_array_equal(
        Gaussian.from_responsibilities(X, resp, structure=structure, floor=1e-3).covariances,
        Gaussian.from_responsibilities(X, resp, structure=structure).covariances,
    )


@pytest.mark.parametrize("D", [1, 2, 3, 8])
@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_too_few_points_collapse_and_enough_do_not(D, scale):
    rng = np.random.default_rng(D)
    X = scale * (rng.standard_normal((D + 1, D)) + 3)
    with pytest.raises(Collapse, match="has collapsed"):
        Gaussian.from_responsibilities(X[:D], np.ones((D, 1)))
    Gaussian.from_responsibilities(X, np.ones((D + 1, 1)))
    for rescue in ("floor", "ridge"):
        Gaussian.from_responsibilities(X[:D], np.ones((D, 1)), **{rescue: 1e-3 * scale**2})


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("noise", [1e-3, 1e-4, 1e-5, 1e-6])
def test_nearly_equal_columns_are_fitted_or_refused(noise, seed):
    """Between well determined and singular, rounding is no fall: at 1e-6 the M-step refuses."""
    rng = np.random.default_rng(seed)
    z = np.vstack([rng.normal(size=(200, 1)) + 5 * rng.normal(size=1) for _ in range(3)])
    X = np.column_stack([z, z + noise * rng.normal(size=z.shape)])
    try:
        trace = fit(start.k_means(X, 2, rng), X)
    except Collapse:
        assert noise <= 1e-5
    else:
        assert trace.stop.converged
        checks.monotone(trace)


@pytest.mark.parametrize(
    ("offset", "spread"), [(1e7, 10.0), (1e7, 1e-2), (1e7, 1e-4), (1e5, 1e-3), (-1e6, 1e-6)]
)
def test_large_offsets_and_small_spreads_give_the_answer_of_the_centred_data(offset, spread):
    rng = np.random.default_rng(0)
    Z = np.vstack([rng.normal(size=(200, 2)) + centre for centre in ([0, 0], [4, 0], [1, 5])])
    labels = np.repeat([0, 1, 2], 200)
    X = offset + spread * Z
    exact = (X - offset) / spread  # what is left of Z after rounding at the offset
    far, near = (fit(start.from_labels(data, labels), data, tol=1e-9) for data in (X, exact))
    checks.monotone(far)
    means = (far.model.components.means - offset) / spread
    # A mean has no more digits than its own rounding leaves it.
    known = 1e-6 + 4e-16 * abs(offset) / spread
    np.testing.assert_allclose(means, near.model.components.means, atol=known)
    ours, theirs = far.model.components.covariances / spread**2, near.model.components.covariances
    np.testing.assert_allclose(ours, theirs, atol=10 * known)


def test_healthy_components_above_the_floor_are_no_collapse():
    rng = np.random.default_rng(0)
    X = np.vstack([rng.normal(0, 0.5, (500, 2)), rng.normal(5, 0.5, (500, 2))])
    with_constant = np.column_stack([X, np.ones(1000)])
    for data, options in [
        (X, {"floor": 0.2}),
        (X, {"ridge": 0.3}),
        (with_constant, {"floor": 1e-6}),
        (with_constant, {"ridge": 1e-6}),
    ]:
        trace = fit(start.k_means(data, 2, rng, **options), data)
        assert trace.stop.converged
        checks.monotone(trace)
    # Variances of 0.25 are below this one, and so only the floor holds them up.
    with pytest.warns(
        EMWarning, match="only the floor or ridge keeps components 0 and 1 from collapsing, on"
    ):
        assert fit(start.k_means(X, 2, rng, floor=0.3), X).stop.reason == "collapsed"


def test_a_constant_column_collapses():
    X = np.column_stack([np.random.default_rng(0).standard_normal(50), np.full(50, 0.1)])
    with pytest.raises(Collapse, match="singular"):
        Gaussian.from_responsibilities(X, np.ones((50, 1)))


@pytest.mark.parametrize(
    ("means", "covariances", "message"),
    [
        ([0, 1], np.ones((2, 1, 1)), r"means has shape \(2,\); it must be \(K, D\)"),
        (np.zeros((0, 2)), np.zeros((0, 2, 2)), r"means has shape \(0, 2\)"),
        ([[0, 1]], np.eye(2), r"covariances has shape \(2, 2\); it must be \(K, D, D\) = \(1, 2, 2\)"),
        (
            [[0, np.nan]],
            [np.eye(2)],
            r"means holds nan or infinite values \(1 of 2, the first at \(0, 1\)\)",
        ),
        ([[0, 0]], [[[1, 0], [0.5, 1]]], r"covariances\[0\] is not symmetric"),
        ([[0, 0]], [[[1, 2], [2, 1]]], r"covariances\[0\] is not positive definite .* is -1;"),
        ([[0]], [[[0]]], "not positive definite"),
        ([["a"]], [[[1]]], "means cannot be read as an array of numbers"),
    ],
)
def test_parameters_that_make_no_sense(means, covariances, message):
    with pytest.raises(ValueError, match=message):
        Gaussian(means, covariances)


def test_more_parameters_that_make_no_sense(three):
    with pytest.raises(ValueError, match=r"means has shape \(2,\) and variances \(3,\)"):
        Gaussian.univariate([0, 1], [1, 1, 1])
    with pytest.raises(ValueError, match="floor is -1"):
        Gaussian.univariate([0], [1], floor=-1)
    with pytest.raises(ValueError, match="X has 3 columns and the model 2 dimensions"):
        three.log_density(np.zeros((4, 3)))


def test_a_prior_says_what_it_is_worth():
    assert repr(Prior([[2.0]], 3)) == "prior worth 3 points with the covariance [[2]]"
    assert repr(Prior(np.eye(7), 3, np.zeros(7), 0.5)) == (
        "prior worth 3 points with the covariance (7, 7), and 0.5 at the mean (7,)"
    )


def test_repr_shows_the_parameters():
    assert repr(Gaussian([[0, 1]], [[[2, 0.5], [0.5, 1]]])) == (
        "1 Gaussian in 2 dimensions\n  mean [0, 1], covariance [[2, 0.5], [0.5, 1]]"
    )
    assert "mean (7,), covariance (7, 7)" in repr(Gaussian(np.zeros((2, 7)), np.tile(np.eye(7), (2, 1, 1))))


def test_divergence_asks_for_gaussians_of_as_many_dimensions():
    line = Gaussian.univariate([1, 2], [1, 1])
    with pytest.raises(ValueError, match="other has 2 dimensions and these 1: they must agree"):
        line.divergence(Gaussian([[0, 0]], [1], "spherical"))
    with pytest.raises(ValueError, match="other is an int; it must be a Gaussian"):
        line.divergence(3)


def test_components_without_points_are_compared_without_a_warning():
    line = Gaussian.univariate([1, 2, 3], [1, 1, 1])
    assert (line.distinct(np.array([0.0, 5.0, 0.0])) == 0).all(where=[[1, 1, 1], [1, 0, 1], [1, 1, 1]])


@pytest.mark.parametrize("structure", ["full", "tied", "diag", "spherical"])
def test_a_constant_column_hides_no_collapse(structure):
    """A component on points that are all alike is found out beside a feature that never varies, as without it."""
    rng = np.random.default_rng(0)
    X = np.concatenate([np.full(5, 9.0), rng.normal(size=40)])
    resp = np.eye(2)[(X == 9).astype(int)]
    for rescue in ("floor", "ridge"):
        for Y in (X[:, None], np.column_stack([X, np.zeros(45)]), np.column_stack([np.full(45, 7.0), X])):
            components = Gaussian.from_responsibilities(Y, resp, structure=structure, **{rescue: 1e-6})
            found = components.held_up(components.collect(Y, resp))
            # What is tied or summed up with a feature that does vary is not flat.
            assert found.tolist() == ([] if structure == "tied" else [1])
        flat = np.column_stack([X, 2 * X])
        components = Gaussian.from_responsibilities(flat, resp, **{rescue: 1e-6})
        found = components.held_up(components.collect(flat, resp))
        assert found.tolist() == [1]  # all lie on one line; but on it, too, these are all alike


@pytest.mark.parametrize(("unexplained", "collapses"), [(3e-12, True), (3e-11, False)])
def test_how_nearly_singular_is_a_collapse(unexplained, collapses):
    """A feature of which others explain all but 1e-11 of the variance: of that, sums of products keep few digits."""
    rng = np.random.default_rng(0)
    a, b = np.linalg.qr(rng.normal(size=(500, 2)) - 0)[0].T
    X = np.column_stack([a, a + np.sqrt(unexplained) * b])
    if collapses:
        with pytest.raises(Collapse):
            Gaussian.from_responsibilities(X, np.ones((500, 1)))
    else:
        Gaussian.from_responsibilities(X, np.ones((500, 1)))
