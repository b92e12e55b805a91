"""The exercises of lesson 11: the p-value of a bootstrap, where to stop, and how many samples it takes."""

from __future__ import annotations

from typing import Any

import numpy as np

from emlib.validate import Array
from exercises.judge import Exercise, Mistake, Part, Verdict, judge
from exercises.predictions import lone_number

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

# Where to stop going up -------------------------------------------------------------------------------


def _kept(significant: Array) -> int:
    """The components to keep: as many as the first test that does not reject asked about, or one more than the last."""
    return int(np.argmin(np.append(significant, False))) + 1


ANOTHER = (
    "the smallest p-value was taken. It says which null hypothesis is the least likely, and not where to stop: go up "
    "from K = 1 as long as the tests reject"
)

stop_going_up = Exercise(
    name="stop_going_up",
    arguments=("p_values", "level"),
    shapes=("(M,)", ""),
    edges=[(np.array([0.4]), 0.05), (np.array([0.01]), 0.05)],
    cases=[
        (np.array([0.001, 0.02, 0.3, 0.6, 0.004, 0.7]), 0.05),  # a test further on rejects again
        (np.array([0.01, 0.05, 0.2]), 0.05),  # one at the level itself rejects
        (np.array([0.2, 0.001, 0.5, 0.3]), 0.05),  # the first one does not reject
        (np.array([0.02, 0.005, 0.01, 0.03, 0.008]), 0.05),  # all reject
        (np.array([0.004, 0.03, 0.002, 0.4, 0.6, 0.009, 0.2]), 0.01),  # another level
        (np.array([0.6, 0.4]), 0.1),  # none rejects
    ],
    praise="the first test that does not reject ends the way up, and its K is kept. That does not prove K.",
    parts=[
        Part(
            "K",
            "one number: how many components to keep",
            lambda p, level: np.array(_kept(p <= level)),
            rule=lambda answer, p, level: (
                f"{len(p)} tests compare 1 with 2, up to {len(p)} with {len(p) + 1} components"
                if not 1 <= answer <= len(p) + 1
                else ""
            ),
            mistakes=[
                Mistake(lambda p, level: p.argmin() + 1, ANOTHER),
                Mistake(lambda p, level: p.argmin() + 2, ANOTHER),
                Mistake(
                    lambda p, level: max([n for n, one in enumerate(p) if one <= level], default=-1) + 2,
                    "this goes to the last test that rejects, past others that do not. The way up ends at the first "
                    "test that does not reject",
                ),
                Mistake(
                    lambda p, level: (p <= level).sum() + 1,
                    "all tests that reject were counted, also those behind one that does not. The way up ends at the "
                    "first test that does not reject",
                ),
                Mistake(
                    lambda p, level: _kept(p <= level) + 1,
                    "one too many: the first test that does not reject compares K with K + 1, and keeps K",
                ),
                Mistake(
                    lambda p, level: _kept(p <= level) - 1,
                    "one too few: this counts the tests that reject (or the place, from 0), and the first of them has "
                    "already left K = 1 for K = 2",
                ),
                Mistake(
                    lambda p, level: _kept(p < level),
                    "a p-value that equals the level rejects, too: <=, not <",
                ),
                Mistake(
                    lambda p, level: _kept(p > level),
                    "turned round: a test rejects K if its p-value is *small*, and then you go on",
                ),
                Mistake(
                    lambda p, level: np.argmax(p > level) + 1,
                    "where all tests reject, none of them ends the way: np.argmax finds no True, and says 0. Keep one "
                    "component more than the last test's K then",
                ),
            ],
        )
    ],
)

# How many samples? ------------------------------------------------------------------------------------

SAMPLES = {
    1: "with one sample the p-value is 1/2 at least: the data count too",
    19: "that is enough for 5%: 1 / (19 + 1). Here the level is 1%",
    20: "20 is 1 / 0.05, and here the level is 1%. And the data are counted below, with the samples",
    98: "with 98 samples the p-value is 1/99 at least, just above 1%",
    100: "100 is 1 / 0.01. But the data are counted below with the samples: 100 are enough, and one fewer is, too",
    999: "that is for 0.1%: 1 / (999 + 1). 1% is asked for",
    1000: "for 1% fewer are enough (and for 0.1% one fewer: the data are counted below with the samples)",
}


def least_samples(my_number: Any) -> Verdict:
    """Judge the prediction of lesson 11: how many bootstrap samples it takes at least for a p-value of 1% or less.

    Parameters
    ----------
    my_number : int or None
        None if there is no answer yet.

    Returns
    -------
    Verdict
        Never raises, whatever the answer.
    """
    return judge("least_samples", my_number, lone_number, "give one whole number of samples", _samples)


def _samples(given: float) -> str:
    if given == 99:
        return (
            "correct: if none of the 99 is as large as the data, the p-value is 1 / (99 + 1). With fewer samples no "
            "data whatever could be rejected at 1%."
        )
    if not given.is_integer():
        return "samples are counted: give a whole number"
    if (B := int(given)) in SAMPLES:
        return SAMPLES[B]
    if B < 1:
        return "without a sample there is no p-value: at least one"
    if B > 99:
        return f"{B} samples are enough, but fewer are, too; the least number is asked for"
    return f"with {B} samples the p-value is 1/{B + 1} at least, {1 / (B + 1):.1%}, whatever the data"
