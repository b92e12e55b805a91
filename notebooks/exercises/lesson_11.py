"""The exercise of lesson 11: the p-value of a bootstrap."""

from __future__ import annotations

import numpy as np

from emlib.validate import Array
from exercises.judge import Exercise, Mistake, Part

# The bootstrap's p-value ------------------------------------------------------------------------------


def _as_large(observed: Array, simulated: Array) -> float:
    return float((simulated >= observed).sum())


p_value = Exercise(
    name="p_value",
    arguments=("observed", "simulated"),
    shapes=("", "(B,)"),
    edges=[(4.5, np.array([6.1]))],
    whole=[(4, np.array([0, 1, 6, 4, 2]))],
    cases=[
        (4.5, np.array([0.0, 1.2, 0.4, 6.1, 2.2, 4.5, 0.9, 3.3, 0.1])),
        (25.0, np.array([0.3, 1.5, 2.7, 0.0, 5.6, 8.1, 0.7, 1.1, 3.2, 4.9, 6.6, 0.2, 2.0, 1.4])),
        (0.0, np.array([0.0, 1.0, 0.5, 2.5])),
    ],
    praise="the data are one more sample under the null hypothesis, so they are counted in, above and below.",
    parts=[
        Part(
            "p_value",
            "one number",
            lambda t, s: np.array((1 + _as_large(t, s)) / (len(s) + 1)),
            mistakes=[
                Mistake(
                    lambda t, s: _as_large(t, s) / len(s),
                    "the data themselves are missing: if the null hypothesis is true they are one more draw, so add 1 "
                    "above and below. A p-value of 0 from finitely many samples claims too much",
                ),
                Mistake(
                    lambda t, s: (1 + (s > t).sum()) / (len(s) + 1),
                    "a simulated ratio that equals the observed one is as large: >=, not >",
                ),
                Mistake(
                    lambda t, s: (s > t).mean(),
                    "count those that are equal, too, and the data: add 1 above and below",
                ),
                Mistake(
                    lambda t, s: (1 + (s <= t).sum()) / (len(s) + 1),
                    "this is the other tail: what speaks against K components is a large ratio",
                ),
                Mistake(lambda t, s: (s <= t).mean(), "this is the other tail, and without the data"),
                Mistake(lambda t, s: (s < t).mean(), "this is the other tail, and without the data"),
                Mistake(
                    lambda t, s: (1 + _as_large(t, s)) / len(s),
                    "1 was added above but not below: with the data there are B + 1 ratios",
                ),
                Mistake(
                    lambda t, s: _as_large(t, s) / (len(s) + 1),
                    "1 was added below but not above: the observed ratio is as large as itself",
                ),
                Mistake(
                    lambda t, s: np.minimum(1, 2 * (1 + _as_large(t, s)) / (len(s) + 1)),
                    "this is two-sided; a small ratio says nothing against K components",
                ),
            ],
        )
    ],
)
