"""The E-step to write in lesson 1, for Gaussians on a line."""

from __future__ import annotations

import numpy as np

from emlib.validate import Array
from exercises.exercise import Exercise, Mistake, Part

# The E-step -------------------------------------------------------------------------------------------


def _normal(x: Array, mean: Array, variance: Array) -> Array:
    return np.exp(-((x - mean) ** 2) / (2 * variance)) / np.sqrt(2 * np.pi * variance)


def joint_density(x: Array, weights: Array, means: Array, variances: Array) -> Array:
    """Weight times density, (N, K)."""
    return weights * _normal(x[:, None], means, variances)


def shares(joint: Array) -> Array:
    """Every row divided by its sum."""
    return joint / joint.sum(axis=1, keepdims=True)


def _shares_break(resp: Array, x: Array, *_: Array) -> str:
    """Which rule of responsibilities a table breaks."""
    if resp.min() < 0:
        return f"a responsibility is a probability, and the smallest here is {resp.min():.6g}"
    sums = resp.sum(axis=1)
    if (sums == 0).any():
        return f"row {int(np.argmin(sums))} is all zeros: is it ever filled?"
    worst = int(np.argmax(np.abs(sums - 1)))
    if abs(sums[worst] - 1) > 1e-8:
        return f"each row must sum to 1, and row {worst} (x = {x[worst]:g}) sums to {sums[worst]:.6g}"
    if np.isin(resp, (0, 1)).all():
        return "every point went to a single component, and not always to the likeliest; EM wants the shares"
    return "the rows do sum to 1, but the shares within them are off"


e_step_1d = Exercise(
    name="e_step_1d",
    arguments=("x", "weights", "means", "variances"),
    by_hand="e_step",
    cases=[
        (
            np.array([-3.1, -1.0, 0.52, 1.9, 2.6, 4.0, 5.7]),
            np.array([0.5, 0.2, 0.3]),
            np.array([-2.0, 1.1, 4.0]),
            np.array([4.0, 0.25, 2.0]),
        ),
        (np.array([0.2, 1.0, 4.3]), np.array([0.9, 0.1]), np.array([0.0, 3.1]), np.array([9.0, 0.5])),
    ],
    praise="every point is shared out whole, by weight times density.",
    parts=[
        Part(
            "resp",
            "(N, K): one row for each point, one column for each component",
            lambda *case: shares(joint_density(*case)),
            rule=_shares_break,
            mistakes=[
                Mistake(
                    lambda *case: joint_density(*case) / joint_density(*case).sum(axis=0),
                    "the columns sum to 1, over the points; a point is shared out among the components, so each "
                    "row must: sum along axis 1, with keepdims=True",
                ),
                Mistake(
                    lambda x, w, m, v: shares(joint_density(x, w, m, v**2)),
                    "the spread is a variance, and it was used as a standard deviation: norm.pdf(x, mean, scale) "
                    "wants scale=np.sqrt(variance)",
                ),
                Mistake(
                    lambda x, w, m, v: shares(joint_density(x, w, m, np.sqrt(v))),
                    "a square root too many: the formula wants the variance, and the variances are given",
                ),
                Mistake(
                    lambda x, w, m, v: shares(joint_density(x, np.ones_like(w), m, v)),
                    "the weights are missing: a component that is chosen more often gets more of every point; "
                    "multiply each density by its weight",
                ),
                Mistake(
                    joint_density,
                    "this is weight times density, one story for each component; now divide every row by its sum, "
                    "so that only the proportions count",
                ),
                Mistake(
                    lambda x, w, m, v: _normal(x[:, None], m, v),
                    "these are the bare densities; multiply by the weights, then divide every row by its sum",
                ),
                Mistake(
                    lambda *case: joint_density(*case) / joint_density(*case).sum(),
                    "the whole table sums to 1; each of its rows must: every point is shared out on its own",
                ),
                Mistake(
                    lambda x, w, m, v: shares(w * np.exp(-((x[:, None] - m) ** 2) / (2 * v))),
                    "the factor 1 / sqrt(2 pi variance) is missing. It differs between components, so it does not "
                    "cancel: a narrow component is higher",
                ),
                Mistake(
                    lambda x, w, m, v: shares(w * _normal(x[:, None], m, v) / np.sqrt(v)),
                    "the factor in front of the density is off: it is 1 / sqrt(2 pi variance), with the root over "
                    "the variance too",
                ),
                Mistake(
                    lambda x, w, m, v: shares(
                        w * np.exp(-((x[:, None] - m) ** 2) / v) / np.sqrt(2 * np.pi * v)
                    ),
                    "the 2 under the square is missing: the exponent is -(x - mean)^2 / (2 variance)",
                ),
                Mistake(
                    lambda *case: (
                        (joint_density(*case) == joint_density(*case).max(axis=1, keepdims=True)) * 1.0
                    ),
                    "every point went to a single component; EM wants the shares themselves, doubts included",
                ),
                Mistake(
                    lambda *case: joint_density(*case).argmax(axis=1),
                    "this is the number of the most probable component; EM wants all the shares, (N, K)",
                ),
                Mistake(
                    lambda *case: shares(np.log(joint_density(*case))),
                    "the logarithms were normalised; shares are proportions of the densities themselves",
                ),
                Mistake(
                    lambda x, w, m, v: shares(w * np.log(_normal(x[:, None], m, v))),
                    "norm.logpdf gives the logarithm of the density; the shares want the density, norm.pdf",
                ),
                Mistake(
                    lambda *case: np.log(joint_density(*case)),
                    "these are the logarithms of weight times density; take np.exp, then divide every row by its sum",
                ),
                Mistake(
                    lambda x, w, m, v: shares(
                        w * np.exp(-((x[:, None] - m) ** 2) / 2 * v) / np.sqrt(2 * np.pi * v)
                    ),
                    "`/ 2 * v` divides by 2 and multiplies by v; the exponent needs brackets: / (2 * v)",
                ),
                Mistake(
                    lambda x, w, m, v: shares(w * np.exp(-((x[:, None] - m) ** 2) / (2 * v)) * v),
                    "`/ np.sqrt(2 * np.pi) * v` multiplies by v; the root goes over all of it: "
                    "/ np.sqrt(2 * np.pi * v)",
                ),
                Mistake(
                    lambda x, w, m, v: shares(w * np.exp(-((x[:, None] - m) ** 2) / (2 * v)) * np.sqrt(v)),
                    "the root of the variance multiplies; it must divide: / np.sqrt(2 * np.pi * v), with brackets",
                ),
                Mistake(
                    lambda x, w, m, v: shares(
                        w * np.exp((x[:, None] - m) ** 2 / (2 * v)) / np.sqrt(2 * np.pi * v)
                    ),
                    "the minus in the exponent is missing: a density falls away from its mean",
                ),
                Mistake(
                    lambda x, w, m, v: shares(
                        w * np.exp(-((x[:, None] - m) ** 2) / (2 * v**2)) / np.sqrt(2 * np.pi * v)
                    ),
                    "the variance was squared in the exponent; it is already sigma squared",
                ),
                Mistake(
                    lambda x, w, m, v: w * shares(_normal(x[:, None], m, v)),
                    "the weights came after the division, so the rows no longer sum to 1: multiply first, then divide",
                ),
                Mistake(
                    lambda *case: joint_density(*case) / joint_density(*case).max(axis=1, keepdims=True),
                    "every row was divided by its maximum; divide it by its sum",
                ),
                Mistake(
                    lambda x, w, m, v: np.eye(len(m))[np.abs(x[:, None] - m).argmin(axis=1)],
                    "every point went to the nearest mean; EM wants shares, by weight times density",
                ),
                Mistake(
                    lambda x, w, m, v: joint_density(x, w, m, v**2),
                    "two things: the variance was used as a standard deviation (norm.pdf wants "
                    "scale=np.sqrt(variance)), and every row is yet to be divided by its sum",
                ),
                Mistake(
                    lambda x, w, m, v: shares(_normal(x[:, None], m, v**2)),
                    "two things: the weights are missing, and the variance was used as a standard deviation "
                    "(norm.pdf wants scale=np.sqrt(variance))",
                ),
                Mistake(
                    lambda *case: shares(joint_density(*case)).T.reshape(joint_density(*case).shape),
                    "a table (K, N) was reshaped to (N, K), which shuffles its entries; transpose it instead, with .T",
                ),
                Mistake(
                    lambda *case: np.log(shares(joint_density(*case))),
                    "these are the logarithms of the right answer; take np.exp of them",
                ),
                Mistake(
                    lambda *case: shares(joint_density(*case)).T,
                    "this is the right table lying on its side: one row for each point, (N, K), not (K, N)",
                ),
            ],
        )
    ],
)
