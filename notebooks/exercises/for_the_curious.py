"""The exercises for the curious: where a border lies, and Bayes' rule for classes."""

from __future__ import annotations

import numpy as np
from scipy.special import expit, softmax

from emlib.validate import Array
from exercises.judge import Exercise, Mistake, Part

# Where one component ends and the next begins ---------------------------------------------------------


def _borders(means: Array, weights: Array, variances: Array) -> Array:
    return means.mean() + variances * np.log(weights[0] / weights[1]) / (means[1] - means[0])


def _borders_break(borders: Array, means: Array, weights: Array, variances: Array) -> str:
    nearer = (borders - means[1]) ** 2 - (borders - means[0]) ** 2  # how much nearer component 0 is
    leads = np.log(weights[0] / weights[1]) + nearer / (2 * variances)  # logarithms of ratios of shares
    worst = int(np.argmax(np.abs(leads)))
    share = expit(leads[worst])
    return f"at a border both shares are one half, and at {borders[worst]:.6g} component 0 has {share:.1%}"


borders = Exercise(
    name="borders",
    arguments=("means", "weights", "variances"),
    shapes=("(2,)", "(2,)", "(T,)"),
    edges=[(np.array([1.0, 4.1]), np.array([0.85, 0.15]), np.array([3.0]))],
    whole=[(np.array([1, 4]), np.array([0.85, 0.15]), np.array([3, 1, 5]))],
    cases=[
        (np.array([1.0, 4.1]), np.array([0.85, 0.15]), np.array([3.0, 1.5, 0.4, 0.02])),
        (np.array([7.3, 2.2]), np.array([0.35, 0.65]), np.array([2.5, 0.9, 0.1])),
    ],
    praise="the heavy component pushes the border away from itself, by less and less as the variance shrinks.",
    parts=[
        Part(
            "borders",
            "(T,): one number for each variance",
            _borders,
            rule=_borders_break,
            mistakes=[
                Mistake(
                    lambda m, w, v: np.full(len(v), m.mean()),
                    "half-way is right only for equal weights; that is k-means' border. The heavier component reaches "
                    "farther",
                ),
                Mistake(
                    lambda m, w, v: 2 * m.mean() - _borders(m, w, v),
                    "right in size, but moved towards the heavier component: its points would be taken by the lighter "
                    "one. Check the sign, or which weight is on top",
                ),
                Mistake(
                    lambda m, w, v: _borders(m, w, np.sqrt(v)),
                    "the standard deviation was used; the formula wants the variance, and variances are given",
                ),
                Mistake(
                    lambda m, w, v: m.mean() + v * np.log(w[0] / w[1]),
                    "the distance of the means is missing: the farther apart they are, the less the border moves",
                ),
                Mistake(
                    lambda m, w, v: m.mean() + v * (w[0] / w[1]) / (m[1] - m[0]),
                    "the ratio of the weights came in without its logarithm, so it moves the border even where the "
                    "weights are equal",
                ),
                Mistake(
                    lambda m, w, v: m.mean() + 2 * v * np.log(w[0] / w[1]) / (m[1] - m[0]),
                    "moved twice as far as it should be: in the difference of the two squares the 2 cancels",
                ),
                Mistake(
                    lambda m, w, v: m.mean() + v * np.log(w[0] / w[1]) / np.abs(m[1] - m[0]),
                    "right if the first mean is the left one, and the wrong way otherwise: keep the sign of "
                    "means[1] - means[0]",
                ),
                Mistake(
                    lambda m, w, v: v * np.log(w[0] / w[1]) / (m[1] - m[0]),
                    "this is how far the border has moved; add the place it has moved from, half-way between the means",
                ),
            ],
        )
    ],
)

# Bayes' rule for classes ------------------------------------------------------------------------------


def _joint(log_density: Array, shares: Array) -> Array:
    return log_density + np.log(shares)


def _classes() -> list[tuple[Array, Array]]:
    rng = np.random.default_rng(9)
    small = rng.normal(-4, 2, size=(5, 3)).round(2)
    far = rng.normal(-900, 3, size=(4, 6)).round(2)  # as in forty dimensions: exp() of these is 0
    both = np.concatenate([far[:2, :2] + 890, far[2:, :2]])
    shares = np.array([0.3, 0.25, 0.2, 0.1, 0.1, 0.05])
    return [(small, np.array([0.7, 0.2, 0.1])), (far, shares), (both, np.array([0.6, 0.4]))]


def _naive(joint: Array) -> Array:
    return np.exp(joint) / np.exp(joint).sum(axis=1, keepdims=True)


class_probabilities = Exercise(
    name="class_probabilities",
    arguments=("log_density", "shares"),
    shapes=("(N, C)", "(C,)"),
    edges=[
        (np.array([[-900.0, -901.5]]), np.array([0.6, 0.4])),
        (np.array([[-2.0], [-900.0]]), np.array([1.0])),
    ],
    whole=[(np.array([[-4, -2, -3], [-900, -901, -903]]), np.array([0.7, 0.2, 0.1]))],
    cases=_classes(),
    parts=[
        Part(
            "probabilities",
            "(N, C): one row for each digit, one column for each class",
            lambda log_density, shares: softmax(_joint(log_density, shares), axis=1),
            [
                Mistake(
                    lambda log_density, shares: _naive(_joint(log_density, shares)),
                    "right for the first case, but e^-900 is 0 to a computer and 0/0 is nan: subtract the largest of "
                    "each row before exp",
                ),
                Mistake(
                    lambda log_density, shares: _naive(
                        _joint(log_density, shares) - _joint(log_density, shares).max()
                    ),
                    "the largest of all was subtracted, and a row that lies far below it is 0/0: each row has a "
                    "largest of its own",
                ),
                Mistake(
                    lambda log_density, shares: softmax(log_density, axis=1),
                    "the shares of the classes are missing: a rare class needs better evidence",
                ),
                Mistake(
                    lambda log_density, shares: softmax(_joint(log_density, shares), axis=0),
                    "the columns sum to 1: normalise over the classes, along axis 1, not over the digits",
                ),
                Mistake(
                    lambda log_density, shares: softmax(log_density + shares, axis=1),
                    "a share was added to a logarithm: add its logarithm",
                ),
                Mistake(
                    lambda log_density, shares: np.log(softmax(_joint(log_density, shares), axis=1)),
                    "these are the logarithms of the probabilities: take exp",
                ),
                Mistake(
                    lambda log_density, shares: np.eye(len(shares))[
                        _joint(log_density, shares).argmax(axis=1)
                    ],
                    "these are verdicts; return shares, which also say how sure they are",
                ),
                Mistake(
                    lambda log_density, shares: np.exp(
                        _joint(log_density, shares) - _joint(log_density, shares).max(axis=1, keepdims=True)
                    ),
                    "the largest of each row is 1: now divide by the sum of the row",
                ),
            ],
        )
    ],
    praise="Bayes' rule, with the shares of the classes, and it survives densities of e^-900.",
)
