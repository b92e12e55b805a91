"""The exercises of lesson 5 that are functions to write: names of components, priors, an honest end."""

from __future__ import annotations

from itertools import permutations

import numpy as np

from emlib.validate import Array
from exercises.exercise import Exercise, Mistake, Part

# Which component is which? ----------------------------------------------------------------------------------


def _squares(means: Array, others: Array) -> Array:
    """Squared distances, (K, K): one row for each of the others, one column for each of the means."""
    return ((others[:, None] - means) ** 2).sum(axis=2)


def _order(means: Array, others: Array) -> Array:
    squares, rows = _squares(means, others), np.arange(len(means))
    return np.array(min(permutations(rows), key=lambda order: squares[rows, list(order)].sum()), dtype=float)


def _greedy(means: Array, others: Array) -> Array:
    order: list[int] = []
    for row in _squares(means, others):
        order.append(min(set(range(len(row))) - set(order), key=lambda k: row[k]))
    return np.array(order, dtype=float)


def _chosen_by_means(means: Array, others: Array) -> Array:
    """Each of the means takes its nearest, or its nearest that is left."""
    squares, taken = _squares(means, others), list[int]()
    for column in squares.T:
        taken.append(min(set(range(len(column))) - set(taken), key=lambda row: column[row]))
    return np.argsort(taken).astype(float)


def _nearest_pairs(means: Array, others: Array) -> Array:
    """The nearest two become partners, then the nearest two that are left, and so on."""
    squares, order = _squares(means, others), np.zeros(len(means))
    for _ in means:
        row, column = np.unravel_index(squares.argmin(), squares.shape)
        order[row], squares[row], squares[:, column] = column, np.inf, np.inf
    return order


def _order_breaks(order: Array, means: Array, others: Array) -> str:
    if sorted(order.tolist()) != list(range(len(means))):
        return (
            f"every component must come up once, and {order.tolist()} is no order of {len(means)} components"
        )
    return "it is an order, but not the one with the least total squared distance between partners"


partners = Exercise(
    name="partners",
    arguments=("means", "others"),
    cases=[
        # The nearest of both first ones is component 1; who comes first must leave it to the second.
        (
            np.array([[0.2, 7.9], [1.0, 0.6], [4.6, 0.4], [9.1, 3.0]]),
            np.array([[2.6, 0.5], [0.4, 0.1], [0.6, 8.2], [9.3, 2.6]]),
        ),
        (
            np.array([[5.0, 1.0, 0.3], [0.4, 2.2, 1.0], [-3.0, 0.9, 4.0]]),
            np.array([[0.1, 2.0, 1.3], [-3.3, 0.8, 4.4], [5.2, 0.7, 0.1]]),
        ),
        # Whoever chooses first, and whichever pair is the nearest, the total comes out too large.
        (
            np.array([[0.3, 4.0], [5.9, 2.0], [7.8, -1.1], [6.1, -1.6], [9.9, 1.5]]),
            np.array([[7.2, 0.2], [7.6, 5.1], [9.3, 0.7], [8.4, 0.7], [3.4, 4.3]]),
        ),
    ],
    praise="the components of two fits are matched all at once, by the least total distance.",
    parts=[
        Part(
            "order",
            "(K,): means[order] goes with others, row by row",
            _order,
            rule=_order_breaks,
            mistakes=[
                Mistake(
                    lambda m, o: _squares(m, o).argmin(axis=1),
                    "each of the others took its nearest, and some mean was taken twice: partners must be distinct",
                ),
                Mistake(
                    _greedy,
                    "one after the other took the nearest that was left, so the last had no choice: compare the total "
                    "over all orders",
                ),
                Mistake(
                    lambda m, o: np.argsort(_squares(m, o).argmin(axis=0)),
                    "each of the means took its nearest, and some of the others were taken twice: partners must be "
                    "distinct",
                ),
                Mistake(
                    _chosen_by_means,
                    "one after the other the means took the nearest that was left, so the last had no choice: compare "
                    "the total over all orders",
                ),
                Mistake(
                    _nearest_pairs,
                    "the nearest pair was matched first, then the next: what that saves at first it may lose at the "
                    "end; compare the total over all orders",
                ),
                Mistake(
                    lambda m, o: np.argsort(_order(m, o)),
                    "this is the inverse order: others[order] goes with means here, and means[order] with others is "
                    "wanted",
                ),
                Mistake(
                    lambda m, o: np.argsort(m[:, 0]),
                    "sorted by the first feature: a convention and no match, since others need not be sorted",
                ),
                Mistake(
                    lambda m, o: np.argsort(m[:, 0])[np.argsort(np.argsort(o[:, 0]))],
                    "both were sorted by the first feature, and ranks matched: that fails where two components lie one "
                    "above the other; use the distances in all features",
                ),
                Mistake(
                    lambda m, o: np.arange(len(m)),
                    "this leaves everything as it is: component 0 of one fit need not be component 0 of the other",
                ),
                Mistake(
                    lambda m, o: m[_order(m, o).astype(int)],
                    "these are the means in the right order; return the order itself, the numbers of the components",
                ),
            ],
        )
    ],
)

# A prior against collapse ------------------------------------------------------------------------------------


def _parts(x: Array, resp: Array) -> tuple[Array, Array]:
    """Counts (K,) and the weighted sums of squares about the means, (K,)."""
    counts = resp.sum(axis=0)
    return counts, (resp * (x[:, None] - resp.T @ x / counts) ** 2).sum(axis=0)


def _map(x: Array, resp: Array, v: float, n: float) -> Array:
    counts, scatter = _parts(x, resp)
    return (scatter + n * v) / (counts + n)


def _map_breaks(answer: Array, x: Array, resp: Array, v: float, n: float) -> str:
    counts, scatter = _parts(x, resp)
    low, high = np.minimum(scatter / counts, v), np.maximum(scatter / counts, v)
    if ((answer < low - 1e-12) | (answer > high + 1e-12)).any():
        return "a weighted mean of the component's own variance and the prior's lies between the two"
    return ""


_PLAIN = "this is the M-step without the prior: the first component still collapses"

map_variances = Exercise(
    name="map_variances",
    arguments=("x", "resp", "prior_variance", "prior_count"),
    cases=[
        (
            np.array([2.0, 7.1, 9.4, 11.0, 6.2]),
            np.array([[1.0, 0.0, 0.0], [0.0, 0.7, 0.3], [0.0, 0.2, 0.8], [0.0, 0.1, 0.9], [0.0, 0.6, 0.4]]),
            2.5,
            0.3,
        ),
        (
            np.array([0.3, 1.4, 4.4, 3.1]),
            np.array([[0.9, 0.1], [0.8, 0.2], [0.1, 0.9], [0.3, 0.7]]),
            0.6,
            4.0,
        ),
    ],
    praise="a component without a spread of its own keeps the prior's, and a large one hardly notices it.",
    parts=[
        Part(
            "variances",
            "(K,): one number for each component",
            _map,
            rule=_map_breaks,
            mistakes=[
                Mistake(lambda x, r, v, n: _parts(x, r)[1] / _parts(x, r)[0], _PLAIN),
                Mistake(
                    lambda x, r, v, n: _parts(x, r)[1] / _parts(x, r)[0] + v,
                    "the prior's variance was added like a floor; add its points instead: prior_count of them, above "
                    "and below the line",
                ),
                Mistake(
                    lambda x, r, v, n: (_parts(x, r)[1] + n * v) / _parts(x, r)[0],
                    "the prior's points are in the sum, but not in the count that divides it",
                ),
                Mistake(
                    lambda x, r, v, n: _parts(x, r)[1] / (_parts(x, r)[0] + n),
                    "the prior's points are in the count, but their squares are not in the sum: that only shrinks",
                ),
                Mistake(
                    lambda x, r, v, n: (_parts(x, r)[1] + v) / (_parts(x, r)[0] + n),
                    "the prior's variance is the mean square of its points; their sum is prior_count times as large",
                ),
                Mistake(
                    lambda x, r, v, n: np.maximum(_parts(x, r)[1] / _parts(x, r)[0], v),
                    "clipped at the prior's variance: that is a floor, and a hard one; take the weighted mean of both",
                ),
                Mistake(
                    lambda x, r, v, n: (_parts(x, r)[1] / _parts(x, r)[0] + v) / 2,
                    "half and half; each should count by its points, N_k and prior_count",
                ),
                Mistake(
                    lambda x, r, v, n: (_parts(x, r)[1] + n * v**2) / (_parts(x, r)[0] + n),
                    "the prior's variance was squared; it is a variance already",
                ),
                Mistake(
                    lambda x, r, v, n: np.sqrt(_map(x, r, v, n)),
                    "these are standard deviations; in this course a spread is always a variance",
                ),
                Mistake(
                    lambda x, r, v, n: (
                        ((r * (x[:, None] - x.mean()) ** 2).sum(axis=0) + n * v) / (r.sum(axis=0) + n)
                    ),
                    "the squares were taken about the mean of all points; each component has a mean of its own",
                ),
            ],
        )
    ],
)

# When to stop ------------------------------------------------------------------------------------------------


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


def _careless(history: Array, n: float, tol: float, least: int = 3) -> bool:
    """Aitken's estimate alone, whatever the signs."""
    if len(history) < least:
        return False
    before, gain = _gains(history)
    return _left(before, gain) < n * tol


def _blind(history: Array, n: float, tol: float) -> bool:
    """The rule, but for the signs."""
    if len(history) < 3:
        return False
    before, gain = map(abs, _gains(history))
    return gain < before and _left(before, gain) < n * tol


def _history(*gains: float) -> Array:
    return np.cumsum([-900.0, *gains])


# 250 points and 1e-4 nats per point: 0.025 nats may be left.
should_stop = Exercise(
    name="should_stop",
    arguments=("history", "n_points", "tol"),
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
                    lambda h, n, tol: _last(h) < n * tol,
                    "any fall, however large, is below the tolerance, and counts as the end here. A fall is a bug, "
                    "never the end",
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
                    lambda h, n, tol: _careless(h, n, tol),
                    "the estimate alone is negative after a fall and on a plateau, hence below any tolerance: ask for "
                    "gains that are positive and shrink",
                ),
                Mistake(
                    lambda h, n, tol: _blind(h, n, tol),
                    "abs() hides the sign of the gains: a fall, or falls that get smaller, pass for the end",
                ),
                Mistake(
                    lambda h, n, tol: bool(_stop(h, 1, tol)),
                    "tol is in nats per point and the history holds totals: compare with n_points * tol",
                ),
                Mistake(
                    lambda h, n, tol: bool(_stop(h / n, n, tol)),
                    "the history was divided by n_points and tol multiplied by it: do one of the two",
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
                Mistake(
                    lambda h, n, tol: not bool(_stop(h, n, tol)),
                    "the other way round: True means stop",
                ),
                Mistake(
                    lambda h, n, tol: len(h) > 1 and abs(_last(h) / h[-2]) < tol,
                    "a change relative to the log-likelihood depends on the data's units, which shift it; measure in "
                    "nats",
                ),
            ],
        )
    ],
)
