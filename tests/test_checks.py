"""The invariants: true ones pass and say so, each kind of breach is named."""

import numpy as np
import pytest

from emlib import Gaussian, Mixture, checks, datasets, fit, start

X = datasets.three_clusters().X
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


def test_monotone_is_not_asked_of_floored_steps():
    floored = Mixture(np.ones(3) / 3, Gaussian.univariate([-5, 8, 1.5], [25, 9, 1], floor=1e-3))
    assert checks.monotone(fit(floored, X, tol=0, max_iter=3)).startswith("not checked")


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
    with pytest.raises(ValueError, match="is empty"):
        checks.probabilities([])


def test_covariances():
    assert (
        checks.covariances(GUESS.components.covariances)
        == "3 covariances, all symmetric and positive definite"
    )
    with pytest.raises(AssertionError, match="covariance 0 is not symmetric"):
        checks.covariances([[[1, 0.5], [0, 1]]])
    with pytest.raises(AssertionError, match="covariance 1 has the eigenvalue -1"):
        checks.covariances([np.eye(2), [[1, 2], [2, 1]]])
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
    assert checks.equal([np.inf], [np.inf]) == "equal"
    with pytest.raises(AssertionError, match="differ by nan"):
        checks.equal([np.nan], [1.0])
