"""The exercises of lesson 5: the bound, the gap under the log-likelihood, and a bug to fix."""

from __future__ import annotations

import numpy as np
from scipy.special import logsumexp, xlogy

from emlib.validate import Array
from exercises.judge import Exercise, Mistake, Part
from exercises.lesson_01 import CASES, joint_density, shares

# The bound --------------------------------------------------------------------------------------------

(_X, *_PARAMETERS), (_Y, *_OTHERS) = CASES
_Q = np.array(
    [
        [0.62, 0.25, 0.13],
        [1.0, 0.0, 0.0],  # shares may be zero
        [0.31, 0.48, 0.21],
        [0.11, 0.72, 0.17],
        [0.05, 0.35, 0.6],
        [0.0, 0.23, 0.77],
        [0.14, 0.07, 0.79],
    ]
)
_Q_Y = np.array([[0.8, 0.2], [0.45, 0.55], [0.3, 0.7]])


def _expected(q: Array, log_joint: Array) -> float:
    """Expected complete log-likelihood, sum of q_nk log p(x_n, k)."""
    return float((q * log_joint).sum())


def _entropy(q: Array) -> float:
    return float(-xlogy(q, q).sum())


def _elbo(q: Array, log_joint: Array) -> float:
    return _expected(q, log_joint) + _entropy(q)


def _log_likelihood(log_joint: Array) -> float:
    return float(logsumexp(log_joint, axis=1).sum())


_NAN = (
    "nan, wherever a share is 0: NumPy takes 0 * log(0) for nan, and it should count nothing. "
    "scipy.special.xlogy(a, b) is a * log(b) with that case put right"
)

elbo = Exercise(
    name="elbo",
    arguments=("q", "log_joint"),
    shapes=("(N, K)", "(N, K)"),
    edges=[
        (np.array([[0.3, 0.7]]), np.array([[-2.1, -3.4]])),
        (np.ones((2, 1)), np.array([[-1.2], [-4.5]])),
    ],
    whole=[(np.array([[0, 1], [1, 0], [1, 0]]), np.array([[-2.5, -1.5], [-3.0, -0.5], [-1.2, -4.1]]))],
    cases=[(_Q_Y, np.log(joint_density(_Y, *_OTHERS))), (_Q, np.log(joint_density(_X, *_PARAMETERS)))],
    praise="what q expects of the complete log-likelihood, plus the entropy of q.",
    parts=[
        Part(
            "elbo",
            "one number: the total over all points",
            lambda q, log_joint: np.array(_elbo(q, log_joint)),
            rule=lambda answer, q, log_joint: (
                f"it is a lower bound, and the log-likelihood is {_log_likelihood(log_joint):.6g}"
                if answer > _log_likelihood(log_joint)
                else ""
            ),
            mistakes=[
                Mistake(lambda q, log_joint: (q * (log_joint - np.log(q))).sum(), _NAN),
                Mistake(
                    _expected,
                    "this is the expected complete log-likelihood alone; the entropy of q, -sum q log q, is missing",
                ),
                Mistake(
                    lambda q, log_joint: _expected(q, log_joint) - _entropy(q),
                    "log q came in with the wrong sign: the bound is the mean of log_joint - log q under q, and so "
                    "the entropy of q is added",
                ),
                Mistake(
                    lambda q, log_joint: _log_likelihood(log_joint),
                    "this is the log-likelihood itself, whatever q is: either q was not used, or the responsibilities "
                    "took its place, and they alone leave no gap",
                ),
                Mistake(
                    lambda q, log_joint: np.log((q * np.exp(log_joint)).sum(axis=1)).sum(),
                    "the logarithm came after the sum; in the bound every term has its own logarithm, and q weights "
                    "the logarithms",
                ),
                Mistake(
                    lambda q, log_joint: _elbo(q, log_joint) / len(q),
                    "this is the mean over the points; the bound is a total, like the log-likelihood",
                ),
                Mistake(
                    lambda q, log_joint: (q * log_joint - xlogy(q, q)).sum(axis=1),
                    "this is one bound for each point; the total is asked for: sum over the points too",
                ),
                Mistake(
                    lambda q, log_joint: _expected(q, np.exp(log_joint)) + _entropy(q),
                    "the densities themselves were weighted; log_joint holds their logarithms, as the bound wants "
                    "them: leave np.exp out",
                ),
            ],
        )
    ],
)

# The gap ----------------------------------------------------------------------------------------------


def _kl(q: Array, resp: Array) -> Array:
    return (xlogy(q, q) - xlogy(q, resp)).sum(axis=1)


gap = Exercise(
    name="gap",
    arguments=("q", "resp"),
    shapes=("(N, K)", "(N, K)"),
    edges=[(np.array([[0.3, 0.7]]), np.array([[0.6, 0.4]])), (np.ones((3, 1)), np.ones((3, 1)))],
    cases=[(_Q_Y, shares(joint_density(_Y, *_OTHERS))), (_Q, shares(joint_density(_X, *_PARAMETERS)))],
    praise="the KL divergence from q to the responsibilities, point by point.",
    parts=[
        Part(
            "gap",
            "(N,): one divergence for each point",
            _kl,
            rule=lambda answer, q, resp: (
                f"a KL divergence is never negative, and the smallest here is {answer.min():.6g}"
                if answer.min() < 0
                else ""
            ),
            mistakes=[
                Mistake(lambda q, resp: (q * (np.log(q) - np.log(resp))).sum(axis=1), _NAN),
                Mistake(
                    lambda q, resp: (resp * np.log(resp / q)).sum(axis=1),
                    "the two changed places: this is KL(resp || q). The mean is taken under q, and the divergence is "
                    "not symmetric",
                ),
                Mistake(
                    lambda q, resp: -_kl(q, resp),
                    "the sign is turned: the logarithm is of q / resp, not of resp / q",
                ),
                Mistake(
                    lambda q, resp: _kl(q, resp).sum(),
                    "this is the total; keep the points apart: sum over the components only, along axis 1",
                ),
                Mistake(
                    lambda q, resp: (xlogy(q, q) - xlogy(q, resp)).sum(axis=0),
                    "summed over the points, along axis 0; every point has a divergence of its own: sum over the "
                    "components, along axis 1",
                ),
                Mistake(
                    lambda q, resp: (xlogy(q, q) - xlogy(q, resp)).mean(axis=1),
                    "the mean over the components: q does the weighting already, so sum",
                ),
                Mistake(
                    lambda q, resp: -xlogy(q, resp).sum(axis=1),
                    "this is the cross-entropy, -sum q log resp; the entropy of q is yet to come off",
                ),
                Mistake(
                    lambda q, resp: (xlogy(q, q) - xlogy(q, resp)).sum(axis=1) / np.log(2),
                    "these are bits; the natural logarithm, np.log, gives nats",
                ),
            ],
        )
    ],
)

# The bug: heads and tails -----------------------------------------------------------------------------


def _coin_shares(ups: Array, downs: Array, p: Array) -> Array:
    return shares(p ** ups[:, None] * (1 - p) ** downs[:, None])


def _coins(h: Array, n: Array, p: Array) -> Array:
    resp = _coin_shares(h, n - h, p)
    return resp.T @ h / (resp.T @ n)


def _swapped(h: Array, n: Array, p: Array) -> Array:
    resp = _coin_shares(n - h, h, p)
    return resp.T @ h / (resp.T @ n)


uneven_coins = Exercise(
    name="uneven_coins",
    arguments=("heads", "tosses", "probabilities"),
    shapes=("(N,)", "(N,)", "(K,)"),
    edges=[
        (np.array([9]), np.array([10]), np.array([0.6, 0.5])),
        (np.array([9, 2, 4]), np.array([10, 7, 5]), np.array([0.6])),
    ],
    cases=[
        (np.array([9, 10, 2, 13, 9]), np.array([10, 12, 8, 15, 20]), np.array([0.6, 0.5])),
        (np.array([3, 7, 1, 4]), np.array([5, 9, 6, 10]), np.array([0.3, 0.8, 0.45])),
    ],
    praise="heads go with p, tails with 1 - p, in the E-step and in the M-step.",
    parts=[
        Part(
            "probabilities",
            "(K,): one number for each coin",
            _coins,
            rule=lambda answer, *case: (
                f"a probability lies between 0 and 1, and here is {answer[np.argmax(np.abs(answer - 0.5))]:.6g}"
                if answer.min() < 0 or answer.max() > 1
                else ""
            ),
            mistakes=[
                Mistake(
                    _swapped,
                    "this is the broken program still. Say its E-step aloud: a coin that shows heads with probability "
                    "p makes a row of h heads and t tails with probability ...",
                ),
                Mistake(
                    lambda h, n, p: 1 - _swapped(h, n, p),
                    "now the M-step counts tails as well, so the two errors meet; but `probabilities` are those of "
                    "heads, and what comes in must be what goes out. Fix the E-step",
                ),
                Mistake(
                    lambda h, n, p: 1 - _coins(h, n, p),
                    "the E-step is right; the M-step gives the probabilities of tails: it wants heads over tosses",
                ),
                Mistake(
                    lambda h, n, p: _coin_shares(h, n, p).T @ h / (_coin_shares(h, n, p).T @ n),
                    "the power of 1 - p is the number of tails, tosses - heads, not the number of tosses",
                ),
                Mistake(
                    lambda h, n, p: _coin_shares(h, 0 * h, p).T @ h / (_coin_shares(h, 0 * h, p).T @ n),
                    "the tails are missing: a row is as likely as all its flips, p ** heads * (1 - p) ** tails",
                ),
                Mistake(
                    lambda h, n, p: (
                        _coin_shares(h, n - h, p).T @ (h / n) / _coin_shares(h, n - h, p).sum(axis=0)
                    ),
                    "every row counts the same here, short or long; let every flip count: shares times heads over "
                    "shares times tosses",
                ),
                Mistake(
                    lambda h, n, p: (
                        _coin_shares(h, n - h, p).T @ h / (10 * _coin_shares(h, n - h, p).sum(axis=0))
                    ),
                    "divided by ten flips a row, as in the lesson's first rows; here every row has its own number of "
                    "tosses",
                ),
                Mistake(
                    lambda h, n, p: _coin_shares(h, n - h, p).T @ h,
                    "these are expected numbers of heads; divide them by the expected numbers of tosses",
                ),
            ],
        )
    ],
)
