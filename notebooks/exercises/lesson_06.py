"""The exercise of lesson 6: which component of one fit is which of another."""

from __future__ import annotations

from itertools import permutations

import numpy as np

from emlib.validate import Array
from exercises.judge import Exercise, Mistake, Part

# Which component is which? ----------------------------------------------------------------------------


def _squares(means: Array, others: Array) -> Array:
    """Squared distances, (K, K): one row for each of the others, one column for each of the means."""
    return ((others[:, None] - means) ** 2).sum(axis=2)


def _order(means: Array, others: Array, power: float = 1) -> Array:
    """The order with the least total of the squared distances, or of a power of them."""
    costs, rows = _squares(means, others) ** power, np.arange(len(means))
    return np.array(min(permutations(rows), key=lambda order: costs[rows, list(order)].sum()), dtype=float)


def _greedy(means: Array, others: Array) -> Array:
    order: list[int] = []
    for row in _squares(means, others):
        order.append(min(set(range(len(row))) - set(order), key=lambda k: row[k]))
    return np.array(order, dtype=float)


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
    shapes=("(K, D)", "(K, D)"),
    edges=[
        (np.array([[1.5], [4.0], [-2.2]]), np.array([[3.1], [-2.0], [1.9]])),
        (np.ones((1, 2)), np.zeros((1, 2))),
    ],
    whole=[(np.array([[1, 0], [5, 2], [9, 9]]), np.array([[8, 8], [1, 1], [5, 3]]))],
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
        # The least total of the distances and that of their squares are two orders.
        (
            np.array([[5.7, 2.4, 0.4], [0.1, 7.3, 8.2], [5.5, 6.6, 4.9], [8.4, 7.3, 0.0]]),
            np.array([[7.7, 0.3, 6.6], [1.6, 7.8, 4.9], [2.7, 3.8, 0.3], [1.1, 6.0, 5.8]]),
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
                    _nearest_pairs,
                    "the nearest pair was matched first, then the next: what that saves at first it may lose at the "
                    "end; compare the total over all orders",
                ),
                Mistake(
                    lambda m, o: _order(m, o, power=0.5),
                    "this makes the total of the distances smallest; the total of their squares is asked for",
                ),
                Mistake(
                    lambda m, o: np.argsort(_order(m, o)),
                    "this is the inverse order: others[order] goes with means here, and means[order] with others is "
                    "wanted",
                ),
                Mistake(
                    lambda m, o: np.arange(len(m)),
                    "this leaves everything as it is: component 0 of one fit need not be component 0 of the other",
                ),
            ],
        )
    ],
)
