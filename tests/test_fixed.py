"""Parameters that are known, and not to be estimated: the rest is as likely as it can be."""

import itertools
import pickle

import numpy as np
import pytest
from scipy import optimize

from emlib import Gaussian, Mixture, Prior, checks, fit, select, start

STRUCTURES = ["full", "tied", "diag", "spherical"]
each_structure = pytest.mark.parametrize("structure", STRUCTURES)
MEANS = np.array([[-2.0, 0.5], [2.5, -0.5]])
COVARIANCES = {
    "full": np.array([[[1.5, 0.4], [0.4, 0.8]], [[0.7, -0.2], [-0.2, 1.2]]]),
    "tied": np.array([[1.2, 0.3], [0.3, 0.9]]),
    "diag": np.array([[1.5, 0.8], [0.7, 1.2]]),
    "spherical": np.array([1.3, 0.8]),
}
FREE = {"full": 6, "tied": 3, "diag": 4, "spherical": 2}  # numbers of two covariances in the plane
CHOICES = [
    fixed for n in range(1, 4) for fixed in itertools.combinations(["means", "covariances", "weights"], n)
]


def guess(structure, fixed, **options):
    parts = tuple(name for name in fixed if name != "weights")
    components = Gaussian(MEANS, COVARIANCES[structure], structure, fixed=parts, **options)
    return Mixture([0.35, 0.65], components, fixed_weights="weights" in fixed)


@pytest.fixture
def data():
    """Clusters that are not where the guess has them, nor of its size."""
    rng = np.random.default_rng(7)
    X = np.concatenate([rng.normal(-1.6, 1.1, (25, 2)), rng.normal(1.8, 0.8, (20, 2))])
    return X, rng.uniform(0.3, 2, 45)


def unpacked(numbers, structure, fixed):
    """A mixture of unconstrained numbers: a logit, means, and roots or logarithms of the covariances."""
    numbers, weights, means, covariances = list(numbers), [0.35, 0.65], MEANS, COVARIANCES[structure]
    if "weights" not in fixed:
        share = 1 / (1 + np.exp(-numbers.pop(0)))
        weights = [1 - share, share]
    if "means" not in fixed:
        means = np.reshape([numbers.pop(0) for _ in range(4)], (2, 2))
    if "covariances" not in fixed:
        if structure in ("full", "tied"):
            roots = np.zeros((len(numbers) // 3, 2, 2))
            roots[:, *np.tril_indices(2)] = np.reshape(numbers, (-1, 3))
            covariances = roots @ roots.transpose(0, 2, 1)
        else:
            covariances = np.exp(numbers)
    return Mixture(weights, Gaussian(means, np.reshape(covariances, COVARIANCES[structure].shape), structure))


def packed(structure, fixed):
    """The guess as such numbers."""
    numbers = [] if "weights" in fixed else [np.log(0.65 / 0.35)]
    if "means" not in fixed:
        numbers += MEANS.ravel().tolist()
    if "covariances" not in fixed:
        if structure in ("full", "tied"):
            numbers += np.linalg.cholesky(COVARIANCES[structure])[..., *np.tril_indices(2)].ravel().tolist()
        else:
            numbers += np.log(COVARIANCES[structure]).ravel().tolist()
    return np.array(numbers)


@each_structure
@pytest.mark.parametrize("fixed", CHOICES)
def test_what_is_free_is_as_likely_as_a_general_optimiser_makes_it(data, structure, fixed):
    X, weights = data
    first = guess(structure, fixed)
    trace = fit(first, X, weights, tol=1e-11, max_iter=5000)
    assert trace.stop.converged
    assert trace.exact
    assert checks.monotone(trace).startswith("never falls")
    for model in trace.models:
        if "means" in fixed:
            np.testing.assert_array_equal(model.components.means, MEANS)
        if "covariances" in fixed:
            np.testing.assert_array_equal(model.components.covariances, COVARIANCES[structure])
        if "weights" in fixed:
            np.testing.assert_array_equal(model.weights, [0.35, 0.65])
    if len(fixed) == 3:
        assert trace.objective == trace.objectives[0]
        return
    assert trace.objective > trace.objectives[0] + 0.1
    found = optimize.minimize(
        lambda numbers: -(weights @ unpacked(numbers, structure, fixed).log_density(X)),
        packed(structure, fixed),
        method="BFGS",
        options={"gtol": 1e-6},
    )
    assert trace.objective == pytest.approx(-found.fun, abs=1e-6)
    best = unpacked(found.x, structure, fixed)
    np.testing.assert_allclose(trace.model.weights, best.weights, atol=1e-3)
    np.testing.assert_allclose(trace.model.components.means, best.components.means, atol=1e-3)
    np.testing.assert_allclose(trace.model.components.covariances, best.components.covariances, atol=1e-3)


@each_structure
@pytest.mark.parametrize("fixed", CHOICES)
def test_what_is_fixed_is_not_charged_for(data, structure, fixed):
    X, _ = data
    model = guess(structure, fixed)
    p = sum(
        n for name, n in [("weights", 1), ("means", 4), ("covariances", FREE[structure])] if name not in fixed
    )
    assert model.n_parameters == p
    log_likelihood = model.log_density(X).sum()
    assert select.bic(model, X) == pytest.approx(p * np.log(len(X)) - 2 * log_likelihood, rel=1e-12)
    assert model.maximize(model.expect(X)).n_parameters == p


@each_structure
def test_a_covariance_about_a_known_mean_is_taken_about_it(structure):
    """By hand: the mean square of the distances from the known mean, not from the data's."""
    X = np.random.default_rng(0).normal(3.0, 1.0, (30, 2))
    round_one = {"full": np.eye(2)[None], "tied": np.eye(2), "diag": [[1, 1]], "spherical": [1]}[structure]
    one = Gaussian([[0.0, 1.0]], round_one, structure, fixed="means")
    away = X - [0.0, 1.0]
    square = away.T @ away / 30
    wanted = {"diag": np.diag(np.diag(square)), "spherical": np.trace(square) / 2 * np.eye(2)}.get(
        structure, square
    )
    found = one.maximize(one.collect(X, np.ones((30, 1))))
    np.testing.assert_allclose(found.matrices[0], wanted, rtol=1e-12)
    assert found.fixed == ("means",)


@each_structure
def test_leaps_and_blocks_and_starts_again(data, structure):
    X, weights = data
    first = guess(structure, ("means",))
    plain = fit(first, X, weights, tol=1e-10)
    leaping = fit(first, X, weights, tol=1e-10, accelerate=True)
    checks.monotone(leaping)
    assert leaping.objective == pytest.approx(plain.objective, abs=1e-6)
    in_blocks = fit(first, [X[:9], X[9:]], [weights[:9], weights[9:]], tol=1e-10)
    np.testing.assert_allclose(in_blocks.objectives, plain.objectives, rtol=1e-12)
    assert pickle.loads(pickle.dumps(plain.model)) == plain.model
    assert plain.model != Mixture(
        plain.model.weights, Gaussian(MEANS, plain.model.components.covariances, structure)
    )


def test_known_parameters_stay_known_in_parts_and_other_orders():
    model = guess("diag", ("means", "weights"))
    assert model[1].fixed == ("means",)
    assert model.marginal([1]).components.fixed == ("means",)
    assert model.marginal([1]).fixed_weights
    swapped = Mixture([0.65, 0.35], Gaussian(MEANS[::-1], COVARIANCES["diag"][::-1], "diag"))
    assert model.aligned(swapped).components.fixed == ("means",)
    np.testing.assert_array_equal(model.aligned(swapped).components.means, MEANS[::-1])


def test_a_known_narrow_component_is_not_held_up_by_anything():
    """It is as narrow as it is said to be, with points or without; a floor and a ridge have nothing to do."""
    X = np.concatenate([np.random.default_rng(0).normal(size=(40, 1)), [[5.0]]])
    for options in ({}, {"floor": 1e-4}, {"ridge": 1e-4}):
        narrow = Gaussian.univariate([0.0, 5.0], [1.0, 1e-6], fixed=["covariances", "means"], **options)
        trace = fit(Mixture([0.5, 0.5], narrow), X)
        assert trace.stop.converged
        checks.monotone(trace)
        np.testing.assert_array_equal(trace.model.components.variances[:, 0], [1, 1e-6])
        np.testing.assert_allclose(trace.model.weights, [40 / 41, 1 / 41], rtol=1e-6)


def test_with_a_prior_and_known_means_it_is_the_most_probable_covariance(data):
    X, _ = data
    prior = Prior([[1.0, 0.2], [0.2, 0.6]], 7.0, [0.3, -0.1], 2.0)
    one = Mixture([1.0], Gaussian(MEANS[:1], COVARIANCES["full"][:1], prior=prior, fixed="means"))
    trace = fit(one, X, tol=1e-12)
    checks.monotone(trace)

    def height(numbers):
        root = np.array([[numbers[0], 0], numbers[1:]])
        moved = Mixture([1.0], Gaussian(MEANS[:1], (root @ root.T)[None], prior=prior))
        return moved.log_density(X).sum() + moved.log_prior()

    found = optimize.minimize(lambda n: -height(n), [1.0, 0.0, 1.0], method="BFGS", options={"gtol": 1e-7})
    assert trace.objective == pytest.approx(-found.fun, abs=1e-6)


@pytest.mark.parametrize("fixed", CHOICES)
def test_stationary_asks_for_no_slope_of_what_is_fixed(data, fixed):
    X, weights = data
    trace = fit(guess("full", fixed), X, weights, tol=1e-12, max_iter=5000)
    assert checks.stationary(trace.model, X, weights=weights) == "no slope is left in any direction"
    free = trace.model.components
    free = Mixture(trace.model.weights, Gaussian(free.means, free.covariances))
    with pytest.raises(AssertionError, match="this is no maximum"):
        checks.stationary(free, X, weights=weights)


def test_equal_known_means_are_no_saddle_if_the_widths_differ():
    """A narrow and a wide component about one place, as of a measurement with outliers."""
    rng = np.random.default_rng(0)
    X = np.concatenate([rng.normal(0, 1, (150, 1)), rng.normal(0, 8, (50, 1))])
    pair = Mixture([0.5, 0.5], Gaussian.univariate([0, 0], [1, 100], fixed="means"))
    trace = fit(pair, X)
    assert trace.stop.converged
    checks.monotone(trace)
    twins = Mixture([0.5, 0.5], Gaussian.univariate([0, 0], [9, 9], fixed="means"))
    with pytest.warns(match="components 0 and 1 cannot be told apart"):
        assert fit(twins, X).stop.reason == "stalled"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: Gaussian(MEANS, COVARIANCES["full"], fixed="weights"),
            "fixed is 'weights'; it must be one of 'means'",
        ),
        (
            lambda: Gaussian(MEANS, COVARIANCES["full"], fixed=3),
            "fixed is 3; it must be one of 'means', 'cov",
        ),
        (lambda: Gaussian(MEANS, COVARIANCES["full"], fixed=None), "fixed is None; it must be one of"),
        (lambda: Gaussian(MEANS, COVARIANCES["full"], fixed=["means", 3]), "fixed is 3; it must be one of"),
        (
            lambda: Mixture([1.0], Gaussian.univariate([0], [1]), fixed_weights="yes"),
            "fixed_weights is a str",
        ),
        (
            lambda: start.from_data(np.eye(3), 2, np.random.default_rng(0), fixed="means"),
            r"fixed is 'means'; here all parameters are estimated: .* Gaussian\(means, covariances, fixed=",
        ),
    ],
)
def test_choices_that_make_no_sense(call, message):
    with pytest.raises(ValueError, match=message):
        call()
