"""The exercise of lesson 7: an honest end."""

from __future__ import annotations

import numpy as np

from emlib.validate import Array
from exercises.judge import Exercise, Mistake, Part

# When to stop -----------------------------------------------------------------------------------------


def _gains(history: Array) -> tuple[float, float]:
    """The last gain but one, and the last."""
    return float(history[-2] - history[-3]), float(history[-1] - history[-2])


def _left(before: float, gain: float) -> float:
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
    return _left(before, gain) < n * tol


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
        )
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
