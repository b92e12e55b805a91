"""The M-step to write in lesson 1, for Gaussians on a line."""

from __future__ import annotations

import numpy as np

from emlib.validate import Array
from exercises.exercise import Exercise, Mistake, Part
from exercises.line import joint_density, shares

# The M-step -------------------------------------------------------------------------------------------


def _counts(resp: Array) -> Array:
    return resp.sum(axis=0)


def _means(x: Array, resp: Array) -> Array:
    return resp.T @ x / _counts(resp)


def _squares(x: Array, resp: Array) -> Array:
    """Sum of r_nk (x_n - mu_k)^2, (K,)."""
    return (resp * (x[:, None] - _means(x, resp)) ** 2).sum(axis=0)


def _hard(resp: Array) -> Array:
    return (resp == resp.max(axis=1, keepdims=True)) * 1.0


def _weights_break(weights: Array, x: Array, resp: Array) -> str:
    if abs(weights.sum() - 1) > 1e-8:
        return f"weights are probabilities and must sum to 1; these sum to {weights.sum():.6g}"
    if weights.min() < 0:
        return f"a weight is a probability, and weights[{int(np.argmin(weights))}] is {weights.min():.6g}"
    return "these do sum to 1, but they are not the shares N_k / N of the points"


def _means_break(means: Array, x: Array, resp: Array) -> str:
    if means.min() < x.min() or means.max() > x.max():
        return f"a mean of points lies between them, from {x.min():g} to {x.max():g}"
    overall = _counts(resp) @ means / len(x)
    if abs(overall - x.mean()) < 1e-8 * np.ptp(x):
        return ""
    return f"weighted by the shares of the points, the means must average to {x.mean():.6g}; these, to {overall:.6g}"


def _variances_break(variances: Array, x: Array, resp: Array) -> str:
    if variances.min() < 0:
        worst = int(np.argmin(variances))
        found = f"variances[{worst}] is {variances[worst]:.6g}"
        return f"a variance is a mean of squares and cannot be negative, and {found}"
    shares = _counts(resp) / len(x)
    total = shares @ (variances + (_means(x, resp) - x.mean()) ** 2)
    if abs(total - x.var()) < 1e-8 * x.var():
        return ""
    return f"together with the means they must give the variance of all points, {x.var():.6g}; they give {total:.6g}"


# Responsibilities with many digits, so that nothing rounded passes.
_X = np.array([-2.0, 1.1, 1.5, 4.2, 9.0])
_RESP = shares(
    joint_density(_X, np.array([0.3, 0.4, 0.3]), np.array([-1.0, 2.0, 5.0]), np.array([9.0, 4.0, 16.0]))
)
_Y = np.array([0.31, 0.12, 0.54, 0.83])
_RESP_Y = shares(joint_density(_Y, np.array([0.6, 0.4]), np.array([0.2, 0.7]), np.array([0.1, 0.05])))
_ORDER = "these numbers belong elsewhere: return weights, means, variances, in this order"

m_step_1d = Exercise(
    name="m_step_1d",
    arguments=("x", "resp"),
    by_hand="m_step",
    cases=[
        (_X, _RESP),
        (_Y, _RESP_Y),
    ],
    praise="every point counts by its shares, and the variances are about the new means.",
    parts=[
        Part(
            "weights",
            "(K,): one number for each component",
            lambda x, resp: _counts(resp) / len(x),
            rule=_weights_break,
            mistakes=[
                Mistake(
                    lambda x, resp: _counts(resp),
                    "these are the counts N_k; a weight is a share of all N points: divide by len(x)",
                ),
                Mistake(
                    lambda x, resp: np.full(resp.shape[1], 1 / resp.shape[1]),
                    "equal weights were the guess; the new weight of a component is its share of the points",
                ),
                Mistake(
                    lambda x, resp: _counts(resp) / resp.shape[1],
                    "divided by the number of components K; a share of the points is N_k divided by N = len(x)",
                ),
                Mistake(
                    lambda x, resp: resp.mean(axis=1),
                    "averaged over the components; a weight is an average over the points: axis 0",
                ),
                Mistake(
                    lambda x, resp: resp.sum(axis=1),
                    "summed over the components, which gives 1 for every point; N_k sums over the points: axis 0",
                ),
                Mistake(
                    lambda x, resp: _counts(_hard(resp)) / len(x),
                    "every point was counted for its likeliest component only; count its shares",
                ),
                Mistake(lambda x, resp: _means(x, resp), _ORDER),
                Mistake(lambda x, resp: _squares(x, resp) / _counts(resp), _ORDER),
            ],
        ),
        Part(
            "means",
            "(K,): one number for each component",
            _means,
            rule=_means_break,
            mistakes=[
                Mistake(
                    lambda x, resp: resp.T @ x / len(x),
                    "divided by N; component k holds only N_k points: divide its sum by N_k = resp[:, k].sum()",
                ),
                Mistake(
                    lambda x, resp: resp.T @ x,
                    "these are the sums of r_nk x_n; divide each by N_k to make it a mean",
                ),
                Mistake(
                    lambda x, resp: np.full(resp.shape[1], x.mean()),
                    "this is the plain mean of all points, for every component; let each point count by its share",
                ),
                Mistake(
                    lambda x, resp: _hard(resp).T @ x / np.maximum(_counts(_hard(resp)), 1e-300),
                    "every point was given to its likeliest component only (that is k-means); let it count by its "
                    "shares",
                ),
                Mistake(
                    lambda x, resp: resp.T @ x / resp.shape[1],
                    "divided by the number of components; divide by N_k, the points that component k holds",
                ),
                Mistake(
                    lambda x, resp: (resp**2).T @ x / (resp**2).sum(axis=0),
                    "the responsibilities were squared; each point counts by r_nk itself",
                ),
                Mistake(lambda x, resp: _squares(x, resp) / _counts(resp), _ORDER),
                Mistake(lambda x, resp: _counts(resp) / len(x), _ORDER),
            ],
        ),
        Part(
            "variances",
            "(K,): one number for each component",
            lambda x, resp: _squares(x, resp) / _counts(resp),
            rule=_variances_break,
            mistakes=[
                Mistake(
                    lambda x, resp: np.sqrt(_squares(x, resp) / _counts(resp)),
                    "these are standard deviations; the course keeps variances: leave out the square root",
                ),
                Mistake(
                    lambda x, resp: _squares(x, resp) / (_counts(resp) - 1),
                    "divided by N_k - 1. That corrects the bias of one sample; the most likely variance has N_k",
                ),
                Mistake(
                    lambda x, resp: _squares(x, resp) / len(x),
                    "divided by N; component k holds only N_k points: divide its sum by N_k",
                ),
                Mistake(_squares, "these are the sums of squares; divide each by N_k to make it a variance"),
                Mistake(
                    lambda x, resp: (resp * (x[:, None] - x.mean()) ** 2).sum(axis=0) / _counts(resp),
                    "taken about the mean of all points; take each about its own component's new mean",
                ),
                Mistake(
                    lambda x, resp: np.full(resp.shape[1], x.var()),
                    "this is the plain variance of all points, for every component; let each point count by its "
                    "share, about the component's own mean",
                ),
                Mistake(
                    lambda x, resp: ((x[:, None] - _means(x, resp)) ** 2).mean(axis=0),
                    "every point counts in full here; let it count by its share, and divide by N_k",
                ),
                Mistake(
                    lambda x, resp: resp.T @ x**2 / _counts(resp),
                    "this is the mean of x squared; take the squares of x minus the component's mean (or was the mean "
                    "still 0 there? Work it out first)",
                ),
                Mistake(
                    lambda x, resp: np.abs(resp * (x[:, None] - _means(x, resp))).sum(axis=0) / _counts(resp),
                    "these are mean distances; square the distances",
                ),
                Mistake(
                    lambda x, resp: (
                        ((resp * (x[:, None] - _means(x, resp))) ** 2).sum(axis=0) / _counts(resp)
                    ),
                    "the responsibility was squared along with the distance: only x - mean is squared",
                ),
                Mistake(
                    lambda x, resp: (resp * (x[:, None] - _means(x, resp))).sum(axis=0) ** 2 / _counts(resp),
                    "distances above and below the mean cancel: square each distance before you add them up",
                ),
                Mistake(
                    lambda x, resp: ((resp * x[:, None] - _means(x, resp)) ** 2).sum(axis=0) / _counts(resp),
                    "the point was weighted before the mean was taken off; weight the squared distance: "
                    "resp * (x - mean)^2",
                ),
                Mistake(
                    lambda x, resp: resp.T @ x**2 / _counts(resp) - _means(x, resp),
                    "the mean of x squared, minus the mean; it must be minus the mean squared",
                ),
                Mistake(
                    lambda x, resp: np.full(resp.shape[1], _squares(x, resp).sum() / len(x)),
                    "one variance for all components; each has its own: sum over the points only, and divide by N_k",
                ),
                Mistake(
                    lambda x, resp: _squares(x, resp) / (len(x) - 1),
                    "divided by N - 1; component k holds only N_k points: divide its sum by N_k",
                ),
                Mistake(
                    lambda x, resp: [np.cov(x, aweights=r) for r in resp.T],
                    "np.cov corrects for the bias of a sample unless it is told ddof=0; the most likely variance is "
                    "not corrected",
                ),
                Mistake(lambda x, resp: _means(x, resp), _ORDER),
                Mistake(lambda x, resp: _counts(resp) / len(x), _ORDER),
            ],
        ),
    ],
)
