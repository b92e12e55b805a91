"""The exercises of lesson 7: which of six fits has arrived, what is left, and an honest end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from emlib.validate import Array
from exercises.judge import Exercise, Mistake, Part, Verdict, judge_letters

# Which of them has arrived? ---------------------------------------------------------------------------


def _climb(first: float, *gains: Array) -> list[float]:
    """Log-likelihoods from a first one and the gains of all steps."""
    return [first, *(first + np.cumsum(np.concatenate(gains))).tolist()]


def _powers(gain: float, rate: float, steps: int) -> Array:
    """Gains that form a geometric series."""
    return np.array([gain * rate**step for step in range(steps)])


# Log-likelihoods of all steps so far, in nats, of six fits to one set of 272 points. Made by formulas.
HISTORIES = {
    # A plateau: the gains shrink to 0.002, and then they grow by a quarter at each step.
    "A": _climb(-1310.0, _powers(8.0, 0.5, 12), _powers(0.002, 1.25, 16)),
    # Slow and steady: after a quick beginning each gain is 0.995 times the one before.
    "B": _climb(-1294.0, _powers(40.0, 0.6, 20), _powers(0.02, 0.995, 36)),
    # A fall: all as it should be, but one of the steps loses 3 nats.
    "C": _climb(-1270.0, _powers(50.0, 0.6, 14), np.array([-3.0]), _powers(0.3, 0.5, 16)),
    # Converged: each gain is six tenths of the one before, to the end.
    "D": _climb(-1255.0, _powers(50.0, 0.6, 45)),
    # A saddle: level from the first step on.
    "E": _climb(-1289.8, np.zeros(30)),
    # A collapse: the gains shrink, and then they grow faster and faster.
    "F": _climb(-1240.0, _powers(40.0, 0.6, 16), _powers(0.02, 1.35, 24)),
}

NOT_THERE = {
    "A": "its last gains are small, but each is larger than the one before: a plateau. The climb is still to come",
    "B": "its gains are small, but they hardly shrink: what is left is as much as two hundred more gains of this size, "
    "over three nats",
    "C": "one of its steps goes down, and exact EM cannot fall: there is a bug. However level its end is, nobody knows "
    "of what it is the end",
    "E": "it has not moved from the first step on. That is no end but a saddle, where all components are alike and all "
    "slopes are zero: start it elsewhere",
    "F": "its gains get larger and larger, without an end: a component is collapsing on a few points, and the "
    "likelihood has no bound there",
}


def ticked(prediction: Any) -> Any:
    """A choice of letters; from a dict of True and False, those with True."""
    if not isinstance(prediction, Mapping):
        return prediction
    try:
        pairs = list(prediction.items())
        if all(isinstance(said, (bool, np.bool_)) for _, said in pairs):
            return [letter for letter, said in pairs if said]
    except Exception:  # whatever a strange object does when it is asked for its entries
        return 0
    return 0  # letters with something else are no choice


def arrived(my_letters: Any) -> Verdict:
    """Judge the prediction of lesson 7: which fits of `HISTORIES` may be reported as converged.

    Parameters
    ----------
    my_letters : str, or sequence of str, or dict of bool, or None
        Their letters: "AB" or ["A", "B"]; None if there is no answer yet.

    Returns
    -------
    Verdict
        Never raises, whatever the answer.
    """
    return judge_letters("arrived", ticked(my_letters), "curve", HISTORIES, _arrived)


def _arrived(given: set[str]) -> str:
    if given == {"D"}:
        return (
            "correct: D alone. Its gains are positive and shrink at a steady rate, and what is left of them is next to "
            "nothing."
        )
    if not given:
        return "one of them has. Look at the last gains: are they positive, do they shrink, and how fast?"
    wrong = min(given - {"D"})
    return f"not {wrong}: {NOT_THERE[wrong]}"


# What is left -----------------------------------------------------------------------------------------


def _remaining(before: Array, gain: Array) -> Array:
    """All gains still to come; infinite where they do not shrink."""
    rate = gain / before
    return np.where(rate < 1, gain * rate / (1 - np.where(rate < 1, rate, 0.0)), np.inf)


def _remaining_breaks(left: Array, before: Array, gain: Array) -> str:
    if (left < 0).any():
        return "all gains to come are positive here, so their sum cannot be negative"
    return ""


UPSIDE_DOWN = (
    "the rate is upside down: it is the last gain over the one before, gain / before, and below 1 where the gains "
    "shrink"
)
NEXT_ALONE = (
    "this is the next gain alone, gain * rate; after it come gain * rate**2, gain * rate**3 and so on: divide by "
    "1 - rate"
)
NOTHING_LEFT = (
    "where the gains do not shrink, this says that nothing is left. But then each gain to come is as large as the last "
    "one or larger, and their sum has no end: np.inf"
)

what_is_left = Exercise(
    name="what_is_left",
    arguments=("before", "gain"),
    shapes=("(M,)", "(M,)"),
    edges=[(np.array([0.8]), np.array([0.3]))],
    whole=[(np.array([8, 5]), np.array([6, 1]))],
    cases=[
        (np.array([4.0, 0.5, 0.03, 2.0]), np.array([3.0, 0.2, 0.029, 0.1])),
        (np.array([1.5, 0.7, 0.002]), np.array([0.6, 0.0, 0.0015])),  # a gain of 0: nothing is left
        (
            np.array([3.0, 0.2, 1.1, 0.9, 0.4]),
            np.array([1.2, 0.5, 0.7, 0.3, 0.1]),
        ),  # gains that grow: a plateau
        (np.array([0.3]), np.array([0.3])),  # gains that do not shrink
    ],
    praise="the last gain times rate / (1 - rate); and where the gains do not shrink there is no end.",
    parts=[
        Part(
            "left",
            "(M,): one number for each pair of gains",
            _remaining,
            rule=_remaining_breaks,
            mistakes=[
                Mistake(
                    lambda b, g: np.where(g < b, g / (1 - g / b), np.inf),
                    "gain / (1 - rate) is the sum with the last gain in it, and that gain you have already; what is "
                    "to come begins with the next one, gain * rate: gain * rate / (1 - rate)",
                ),
                Mistake(
                    lambda b, g: g * (g / b) / (1 - g / b),
                    "where the gains do not shrink, the formula gives a negative number or a division by 0; the sum of "
                    "such gains has no end: np.inf",
                ),
                Mistake(
                    lambda b, g: g / (1 - g / b),
                    "gain / (1 - rate) is the sum with the last gain in it, which you have already; and where the "
                    "gains do not shrink, their sum has no end: np.inf",
                ),
                Mistake(lambda b, g: g * (b / g) / (1 - b / g), UPSIDE_DOWN),
                Mistake(lambda b, g: np.where(b < g, g * (b / g) / (1 - b / g), np.inf), UPSIDE_DOWN),
                Mistake(lambda b, g: g * g / b, NEXT_ALONE),
                Mistake(lambda b, g: np.where(g < b, g * g / b, np.inf), NEXT_ALONE),
                Mistake(lambda b, g: np.where(g < b, _remaining(b, g), 0), NOTHING_LEFT),
                Mistake(lambda b, g: np.maximum(0, g * (g / b) / (1 - g / b)), NOTHING_LEFT),
            ],
        )
    ],
)

# When to stop -----------------------------------------------------------------------------------------


def _gains(history: Array) -> tuple[np.float64, np.float64]:
    """The last gain but one, and the last: NumPy's numbers, whose division by 0 is infinite."""
    return np.float64(history[-2] - history[-3]), np.float64(history[-1] - history[-2])


def _left(before: np.float64, gain: np.float64) -> np.float64:
    """What a geometric series of gains has left."""
    return gain * (gain / before) / (1 - gain / before)


def _stop(history: Array, n: float, tol: float) -> np.ndarray:
    if len(history) < 3:
        return np.array(False)
    before, gain = _gains(history)
    return np.array(0 < gain < before and _left(before, gain) < n * tol)


def _last(history: Array) -> float:
    return float(history[-1] - history[-2]) if len(history) > 1 else np.inf


def _careless(history: Array, n: float, tol: float) -> bool:
    """Aitken's estimate alone, whatever the signs."""
    if len(history) < 3:
        return False
    before, gain = _gains(history)
    return bool(_left(before, gain) < n * tol)


def _ever(history: Array, n: float, tol: float, sign: float) -> bool:
    """The rule, but all gains so far must be positive (sign 1) or shrink (sign -1)."""
    gains = np.diff(history)
    return bool(_stop(history, n, tol)) and bool((sign * (gains if sign > 0 else np.diff(gains)) > 0).all())


def _history(*gains: float) -> Array:
    return np.cumsum([-900.0, *gains])


# 250 points and 1e-4 nats per point: 0.025 nats may be left.
should_stop = Exercise(
    name="should_stop",
    arguments=("history", "n_points", "tol"),
    shapes=("(T,)", "", ""),
    cases=[
        (history, 250, 1e-4)
        for history in (
            _history(3.0, 0.2, 0.01),  # near the end: yes
            _history(3.0, 0.2, 0.03),  # a gain above what may be left, but next to nothing to come: yes
            _history(3.0, 1.6, 0.9),  # still climbing
            _history(0.0101, 0.01),  # slow: nearly one nat is left
            _history(9.0, 0.001, 0.002),  # a plateau: the gains grow
            _history(9.0, 0.5, -0.001),  # a small fall
            _history(9.0, 0.5, -4.0),  # a large one
            _history(-4.0, -0.001),  # falls that get smaller
            _history(0.001),  # one gain tells no rate
            _history(),  # the start alone
            _history(5.0, 0.01, 0.0002),  # yes: the total counts, not the mean
            _history(0.02, 0.0155),  # 0.05 nats are left: twice what may be
            _history(-1.0, 3.0, 0.2, 0.01),  # yes: a fall long ago is not asked about
            _history(0.5, 3.0, 0.2, 0.01),  # yes: nor are gains that grew then
            _history(0.2, 0.01),  # yes: two gains are enough
            _history(2.0, 2.0),  # gains that do not shrink
            _history(1.0, 0.0),  # no gain at all
        )
    ]
    + [
        (_history(3.0, 0.2, 0.01), 10, 1e-4),  # 0.0005 nats are left, and 0.001 may be: yes
        (_history(3.0, 0.2, 0.01), 2, 1e-4),  # no
        (_history(3.0, 0.2, 0.01), 4000, 1e-7),  # no
    ],
    praise="two gains, both upwards, shrinking, and what is left of them is little enough.",
    parts=[
        Part(
            "stop",
            "True or False",
            _stop,
            rule=lambda answer, history, n, tol: (
                f"after gains of {np.diff(history).round(4).tolist()} nats, with {n * tol:g} nats allowed to be left"
            ),
            mistakes=[
                Mistake(
                    lambda h, n, tol: abs(_last(h)) < n * tol,
                    "abs() takes a small fall for the end; and one small gain tells nothing of what is left: the rate "
                    "needs two",
                ),
                Mistake(
                    lambda h, n, tol: 0 < _last(h) < n * tol,
                    "a small gain is no end: EM may be slow (gains that hardly shrink) or on a plateau (gains that "
                    "grow). Estimate what is left from two gains",
                ),
                Mistake(
                    lambda h, n, tol: _careless(h, n, tol) and _last(h) > 0 and _gains(h)[0] > 0,
                    "where the gains grow, gain / before is above 1, the formula turns negative, and that is below any "
                    "tolerance: a plateau. Ask first whether the gains shrink",
                ),
                Mistake(
                    lambda h, n, tol: _ever(h, n, tol, 1),
                    "all gains ever were asked to be positive; only the last two are asked about",
                ),
                Mistake(
                    lambda h, n, tol: _ever(h, n, tol, -1),
                    "all gains ever were asked to shrink; only the last two are asked about",
                ),
                Mistake(
                    lambda h, n, tol: bool(_stop(h, 1, tol)),
                    "tol is in nats per point and the history holds totals: compare with n_points * tol",
                ),
                Mistake(
                    lambda h, n, tol: (
                        len(h) > 2 and 0 < _gains(h)[1] < _gains(h)[0] and _gains(h)[1] < n * tol
                    ),
                    "gains that shrink and are small are not enough: where they shrink slowly, their sum is many times "
                    "the last one. Multiply by rate / (1 - rate)",
                ),
                Mistake(
                    lambda h, n, tol: (
                        len(h) > 2
                        and 0 < _gains(h)[1] < _gains(h)[0]
                        and _gains(h)[1] / (1 - _gains(h)[1] / _gains(h)[0]) < n * tol
                    ),
                    "gain / (1 - rate) counts the last gain again, which you have already; what is to come is the next "
                    "one on: gain * rate / (1 - rate)",
                ),
            ],
        )
    ],
)
