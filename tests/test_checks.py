"""The invariants: true ones pass and say so, each kind of breach is named."""

import re

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from emlib import Gaussian, Mixture, Prior, checks, datasets, fit, start

X = datasets.three_clusters().X
WAITING = datasets.old_faithful().X[:, 1:]
GUESS = Mixture(np.ones(3) / 3, Gaussian.univariate([-5, 8, 1.5], [25, 9, 1]))


def test_monotone():
    trace = fit(GUESS, X, tol=0, max_iter=10)
    assert checks.monotone(trace) == "never falls: 25.680456 nats gained in 10 steps"
    assert checks.monotone([-3.0, -2.0, -2.0]).startswith("never falls: 1.0")
    with pytest.raises(AssertionError, match=r"falls by 0\.5 nats at step 2, from -2 to -2\.5"):
        checks.monotone([-3.0, -2.0, -2.5, -1.0])
    with pytest.raises(AssertionError, match="the objective is nan at step 1"):
        checks.monotone([-3.0, np.nan])
    with pytest.raises(ValueError, match="it must be a Trace, or one objective for each step"):
        checks.monotone([])


def test_monotone_is_asked_of_floored_steps_and_not_of_ridged_ones():
    def steps(**options):
        guess = Gaussian.univariate([-5, 8, 1.5], [25, 9, 1], **options)
        return fit(Mixture(np.ones(3) / 3, guess), X, tol=0, max_iter=30)

    # The middle cluster's variance is below 3, so the floor is at work.
    floored = steps(floor=3.0)
    assert floored.model.components.at_floor().any()
    assert re.fullmatch(r"never falls: \d+\.\d+ nats gained in 30 steps", checks.monotone(floored))
    assert checks.monotone(steps(ridge=1e-3)).startswith("not checked: these M-steps added a ridge")


def test_probabilities():
    resp = GUESS.responsibilities(X)
    assert checks.probabilities(resp, "resp") == "resp: every number a probability, every row sums to 1"
    assert checks.probabilities(GUESS.weights)
    with pytest.raises(AssertionError, match=r"row 20 of resp sums to .* normalise over the components"):
        checks.probabilities(resp / resp.sum(axis=0), "resp")
    with pytest.raises(AssertionError, match="probabilities lie between 0 and 1"):
        checks.probabilities([1.5, -0.5])
    with pytest.raises(AssertionError, match="holds nan"):
        checks.probabilities([np.nan, 1])
    for junk in ([], 1.0):
        with pytest.raises(ValueError, match="it must be one row of numbers or several"):
            checks.probabilities(junk)
    with pytest.raises(AssertionError, match=r"sums to 1 \+3e-10, not to 1"):
        checks.probabilities([0.5, 0.5 + 3e-10])


def test_covariances():
    assert (
        checks.covariances(GUESS.components.covariances)
        == "3 covariances, all symmetric and positive definite"
    )
    with pytest.raises(AssertionError, match="covariance 0 is not symmetric"):
        checks.covariances([[[1, 0.5], [0, 1]]])
    with pytest.raises(AssertionError, match=r"covariance 1 is not positive definite .* eigenvalue is -1;"):
        checks.covariances([np.eye(2), [[1, 2], [2, 1]]])
    with pytest.raises(AssertionError, match="is not symmetric"):
        checks.covariances([[[1, 0.5], [0.5 + 1e-9, 1]]])
    for seed in range(10):  # four points in five dimensions
        A = np.random.default_rng(seed).normal(size=(4, 5))
        with pytest.raises(AssertionError, match="not positive definite as far as float64 can tell"):
            checks.covariances((A.T @ A)[None])
    with pytest.raises(ValueError, match=r"it must be \(K, D, D\)"):
        checks.covariances(np.eye(2))


def wrong_m_step(bug):
    """One M-step from the guess, done by hand with one mistake."""
    x, resp = X[:, 0], GUESS.responsibilities(X)
    counts = resp.sum(axis=0)
    weights, means = counts / len(x), resp.T @ x / counts
    about = GUESS.components.means[:, 0] if bug == "about the old means" else means
    variances = (resp * (x[:, None] - about) ** 2).sum(axis=0) / counts
    if bug == "unweighted means":
        means = x.mean() + np.array([-1, 0, 1])
    if bug == "variances not stored":
        variances = GUESS.components.variances[:, 0]
    if bug == "standard deviations":
        variances = np.sqrt(variances)
    if bug == "weights not stored":
        weights = GUESS.weights
    return Mixture(weights, Gaussian.univariate(means, variances))


@pytest.mark.parametrize(
    "bug",
    [
        "about the old means",
        "unweighted means",
        "variances not stored",
        "standard deviations",
        "weights not stored",
    ],
)
def test_moments_catch_a_wrong_m_step(bug):
    assert checks.moments(wrong_m_step(None), X) == "the mixture has the mean and the covariance of the data"
    with pytest.raises(AssertionError, match="after an M-step they are equal"):
        checks.moments(wrong_m_step(bug), X)


@pytest.mark.parametrize("options", [{}, {"ridge": 0.5}, {"floor": 1e-6}])
@pytest.mark.parametrize("structure", ["full", "tied", "diag", "spherical"])
def test_moments_hold_for_every_structure_and_ridge(structure, options):
    rng = np.random.default_rng(0)
    Y = rng.normal(size=(80, 3)) @ rng.normal(size=(3, 3)) + 100
    first = start.k_means(Y, 3, rng, structure=structure, **options)
    weights = rng.uniform(size=80)
    weights[0], Y[0] = 0, 1e12  # what does not count must not matter
    model = first.maximize(first.expect(Y, weights))
    assert checks.moments(model, Y, weights) == "the mixture has the mean and the covariance of the data"
    parts = model.components
    for factor in (1 + 1e-7, 1 - 1e-7):
        wider = Gaussian(parts.means, factor * parts.covariances, structure, **options)
        with pytest.raises(AssertionError, match="the mixture's covariance is"):
            checks.moments(Mixture(model.weights, wider), Y, weights)
    with pytest.raises(ValueError, match="the weights are zero everywhere"):
        checks.moments(model, Y, 0 * weights)


def test_moments_are_not_asked_where_the_m_step_was_not_free():
    one = Gaussian.univariate([0.0], [1.0], floor=1e4)
    two = Gaussian.univariate([-1.0, 1.0], [1.0, 1.0])
    for mixture, reason in [
        (Mixture([1.0], one), "the floor has raised the covariance of component 0"),
        (Mixture([1.0], Gaussian.univariate([0.0], [1.0], fixed="means")), "with fixed parameters"),
        (Mixture([0.5, 0.5], two, fixed_weights=True), "with fixed parameters"),
    ]:
        assert checks.moments(mixture.maximize(mixture.expect(X)), X).startswith(f"not checked: {reason}")


def test_moments_are_not_asked_of_a_prior():
    pulled = Mixture([1.0], Gaussian([[0.0]], [[[1.0]]], prior=Prior([[1.0]], 3)))
    counted = Mixture([1.0], Gaussian([[0.0]], [[[1.0]]]), weight_count=1)
    for mixture in (pulled, counted):
        assert checks.moments(mixture.maximize(mixture.expect(X)), X).startswith("not checked: with a prior")


@pytest.mark.parametrize(("offset", "spread"), [(1e7, 1e-4), (1e5, 1e-3), (1e6, 10.0), (0.0, 1e-6)])
def test_moments_hold_far_from_the_origin(offset, spread):
    for seed in range(10):
        rng = np.random.default_rng(seed)
        far = offset + spread * rng.standard_normal((300, 2))
        checks.moments(start.random(far, 2, rng), far)


def test_wrong_kinds_of_input_are_value_errors():
    with pytest.raises(ValueError, match="it must be a Mixture of Gaussians"):
        checks.moments(GUESS.components, X)
    with pytest.raises(ValueError, match="X has 2 columns"):
        checks.moments(GUESS, np.zeros((5, 2)))
    for check in (checks.monotone, checks.probabilities, checks.covariances):
        with pytest.raises(ValueError, match="cannot be read as an array of numbers"):
            check({})
    assert checks.covariances([[[1, 1e-17], [-1e-17, 1]]])
    with pytest.raises(AssertionError, match="holds nan"):
        checks.covariances([[[np.nan]]])


def test_equal():
    assert checks.equal([1.0, 2.0], [1.0, 2.0 + 1e-11]) == "equal to 1e-10"
    with pytest.raises(AssertionError, match=r"they differ by 5e-09 of the largest number, at \(1,\)"):
        checks.equal([1.0, 2.0], [1.0, 2.0 + 1e-8])
    with pytest.raises(AssertionError, match="the shapes differ"):
        checks.equal([1.0], [1.0, 2.0])
    assert checks.equal([np.inf, 1.0], [np.inf, 1.0 + 1e-12]) == "equal to 1e-10"
    with pytest.raises(AssertionError, match=r"at \(0,\)"):
        checks.equal([np.inf, 1.0], [-np.inf, 1.0])
    # Last digits, which are a machine's own, do not show in what a lesson prints.
    assert checks.equal([1.0, np.inf], [1.0, np.inf]) == "equal to 1e-10"
    assert checks.equal([1.0, np.inf], [1.0, np.inf], tol=0) == checks.equal([], [], tol=0) == "equal"
    with pytest.raises(AssertionError, match=r"they differ by 2\.22e-16"):
        checks.equal(1.0, 1.0 + 2.3e-16, tol=0)
    with pytest.raises(AssertionError, match="nan equals nothing"):
        checks.equal([np.nan], [1.0])


# The invariants of claims -------------------------------------------------------------------------------------


def test_stationary_holds_at_converged_fits_only():
    for data, K, more in [
        (datasets.old_faithful().X, 2, {}),
        (datasets.old_faithful().X, 2, {"prior": Prior.weak(datasets.old_faithful().X, 2)}),
        (WAITING, 2, {}),
    ]:
        trace = fit(start.k_means(data, K, np.random.default_rng(0), **more), data, tol=1e-10)
        checks.monotone(trace)
        assert checks.stationary(trace.model, data) == "no slope is left in any direction"
        if not more:
            for attribute in ("weights", "means", "covariances"):
                model, parts = trace.model, trace.model.components
                wrong = {"weights": model.weights, "means": parts.means, "covariances": parts.covariances}
                moved = wrong[attribute] * np.linspace(0.97, 1.03, K).reshape(
                    -1, *[1] * (np.ndim(wrong[attribute]) - 1)
                )
                wrong[attribute] = moved / moved.sum() if attribute == "weights" else moved
                off = Mixture(wrong["weights"], Gaussian(wrong["means"], wrong["covariances"]))
                with pytest.raises(AssertionError, match="this is no maximum, or not quite: along"):
                    checks.stationary(off, data)


def test_stationary_measures_the_slope():
    """Against the derivative worked out by hand, for a single Gaussian with a wrong mean."""
    rng = np.random.default_rng(1)
    data = rng.normal(size=(200, 1))
    off = Mixture([1.0], Gaussian.univariate([data.mean() + 0.3], [data.var()]))
    slope = -200 * 0.3 / data.std()
    with pytest.raises(AssertionError) as error:
        checks.stationary(off, data)
    said = float(
        re.search(r"the mean of component 0 the objective has the slope (\S+),", str(error.value))[1]
    )
    np.testing.assert_allclose(said, slope, rtol=1e-2)


def test_stationary_sees_a_correlation_that_is_off():
    """Only off the diagonal, and by a hundredth; the prior for the weights plays its part too."""
    rng = np.random.default_rng(0)
    data = rng.normal(size=(400, 2)) @ [[1, 0.6], [0, 0.8]]
    right = np.cov(data.T, bias=True)
    wrong = right * [[1, 0.97], [0.97, 1]]
    assert checks.stationary(Mixture([1.0], Gaussian([data.mean(axis=0)], [right])), data)
    with pytest.raises(AssertionError, match="along the covariance of component 0"):
        checks.stationary(Mixture([1.0], Gaussian([data.mean(axis=0)], [wrong])), data)

    first = start.k_means(WAITING, 2, rng)
    prior = Mixture([0.5, 0.5], first.components, weight_count=40.0)
    trace = fit(prior, WAITING, tol=1e-10)
    assert checks.stationary(trace.model, WAITING)
    with pytest.raises(AssertionError, match="along weight"):
        checks.stationary(Mixture(trace.model.weights, trace.model.components), WAITING)


def test_stationary_does_not_tell_a_saddle_from_a_maximum():
    data = datasets.old_faithful().X
    one = multivariate_normal(data.mean(axis=0), np.cov(data.T, bias=True))
    alike = Mixture([0.3, 0.7], Gaussian([one.mean] * 2, [one.cov] * 2))
    assert checks.stationary(alike, data)
    assert one.logpdf(data).sum() < -1289


def test_stationary_counts_points_by_their_weights():
    counts = np.random.default_rng(0).integers(0, 4, len(WAITING))
    trace = fit(start.k_means(WAITING, 2, np.random.default_rng(0)), WAITING, counts, tol=1e-10)
    assert checks.stationary(trace.model, WAITING, weights=counts)
    with pytest.raises(AssertionError, match="this is no maximum"):
        checks.stationary(trace.model, WAITING)


@pytest.mark.parametrize("scale", [1e-6, 0.03, 1e6])
def test_stationary_judges_alike_whatever_the_weights_sum_to(scale):
    weights = np.random.default_rng(0).uniform(0.5, 1.5, len(WAITING))
    first = start.k_means(WAITING, 2, np.random.default_rng(0), weights=weights)
    near, there = (fit(first, WAITING, weights, tol=tol, warn=False).model for tol in (1e-4, 1e-12))
    assert checks.stationary(there, WAITING, weights=scale * weights)
    with pytest.raises(AssertionError, match="this is no maximum") as plain:
        checks.stationary(near, WAITING, weights=weights / weights.mean())
    with pytest.raises(AssertionError, match="this is no maximum") as scaled:
        checks.stationary(near, WAITING, weights=scale * weights)
    promises = [str(found.value).split("promises ")[1].split(" nats")[0] for found in (plain, scaled)]
    assert promises[0] == promises[1]


def test_stationary_holds_under_a_floor_that_holds_nobody_up():
    trace = fit(start.k_means(WAITING, 2, np.random.default_rng(0), floor=1.0), WAITING, tol=1e-10)
    assert checks.stationary(trace.model, WAITING)


def test_what_stationary_cannot_judge():
    tied = start.k_means(WAITING, 2, np.random.default_rng(0), structure="tied")
    ridged = start.k_means(WAITING, 2, np.random.default_rng(0), ridge=1.0)
    for given in (tied, ridged):
        with pytest.raises(ValueError, match="must be a Mixture of full Gaussians without a ridge"):
            checks.stationary(given, WAITING)
    with pytest.raises(ValueError, match="mixture is None; it must be a Mixture of Gaussians"):
        checks.stationary(None, WAITING)
    floored = start.k_means(WAITING, 2, np.random.default_rng(0), floor=50.0)
    with pytest.raises(ValueError, match="the floor has raised the covariance of component"):
        checks.stationary(floored, WAITING)
    idle = Mixture([1.0, 0.0], Gaussian.univariate([70.0, 80.0], [9.0, 9.0]))
    with pytest.raises(ValueError, match="component 1 has the weight 0"):
        checks.stationary(idle, WAITING)


def test_additive():
    model = start.k_means(WAITING, 2, np.random.default_rng(0))
    assert checks.additive(lambda part: model.log_density(part).sum(), WAITING).startswith(
        "the log-likelihoods"
    )
    for wrong in (
        lambda part: model.log_density(part).mean(),
        lambda part: np.log(np.exp(model.log_density(part)).sum()),
        lambda part: (
            model.log_density(part).sum() + 1e-4
        ),  # what is counted once, and should be for each half
    ):
        with pytest.raises(AssertionError, match="logarithms add up"):
            checks.additive(wrong, WAITING)
    with pytest.raises(AssertionError, match="returns nan for all points, and nan and nan for two halves"):
        checks.additive(lambda part: np.nan, WAITING)


def test_additive_with_weights():
    model = start.k_means(WAITING, 2, np.random.default_rng(0))
    weights = np.random.default_rng(0).uniform(size=len(WAITING))
    assert checks.additive(lambda part, w: w @ model.log_density(part), WAITING, weights)
    with pytest.raises(AssertionError, match="logarithms add up"):
        checks.additive(lambda part, w: w @ model.log_density(part) / w.sum(), WAITING, weights)


@pytest.mark.parametrize(
    ("rule", "right"),
    [
        (lambda h, tol: 0 <= h[-1] - h[-2] < tol, True),
        (lambda h, tol: False, True),
        (lambda h, tol: abs(h[-1] - h[-2]) < tol, False),
        (lambda h, tol: h[-1] - h[-2] < tol, False),
        (lambda h, tol: np.isclose(h[-1], h[-2]), False),
        # Each of these overlooks falls of one size only.
        (lambda h, tol: tol / 10 < h[-2] - h[-1] < tol, False),
        (lambda h, tol: 1e-8 < h[-2] - h[-1] < tol / 10, False),
        (lambda h, tol: 0 < h[-2] - h[-1] < 1e-8, False),
    ],
)
def test_stopping(rule, right):
    if right:
        assert checks.stopping(rule).startswith("a fall, however small")
    else:
        with pytest.raises(AssertionError, match="a fall smaller than tol is still a fall"):
            checks.stopping(rule)


@pytest.mark.parametrize("tol", [0.0, 1e-15, 1e-8, 1.0])
def test_a_right_rule_is_right_at_any_tolerance(tol):
    assert checks.stopping(lambda h, tol: 0 <= h[-1] - h[-2] < tol, tol)


def test_claims_that_cannot_be_read():
    for points in ([1.0], 3.0, np.zeros((2, 2, 2))):
        with pytest.raises(ValueError, match="two points at least"):
            checks.additive(np.sum, points)
    with pytest.raises(ValueError, match="it must return one number"):
        checks.additive(lambda part: part, [1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match="tol is -1"):
        checks.stopping(lambda h, tol: False, -1)
