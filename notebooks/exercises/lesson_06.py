"""The exercises of lesson 6: which of six fits to report, how many starts, and which component is which."""

from __future__ import annotations

from itertools import permutations
from typing import Any, NamedTuple

import numpy as np

from emlib.validate import Array
from exercises.judge import Exercise, Mistake, Part, Verdict, judge
from exercises.predictions import letters, lone_number

# Which fit to report? ---------------------------------------------------------------------------------


class Ending(NamedTuple):
    """Where one start has ended."""

    letter: str
    log_likelihood: float
    narrowest: float  # the smallest variance of a component in any direction
    points: tuple[int, int, int]  # that its components hold


# Made up: six fits of three components to one set of 300 points in the plane, whose variances are about 1.
SIX_FITS = [
    Ending("A", -1158.6, 0.41, (148, 92, 60)),
    Ending("B", -1141.9, 1e-9, (190, 108, 2)),
    Ending("C", -1163.2, 0.38, (100, 100, 100)),
    Ending("D", -1149.6, 3e-9, (171, 126, 3)),
    Ending("E", -1152.8, 0.35, (154, 101, 45)),
    Ending("F", -1204.5, 0.62, (258, 31, 11)),
]

LETTERS = [fit.letter for fit in SIX_FITS]

HIGHEST = (
    "it has the highest log-likelihood of the six, and a component that holds {points} points with a variance of "
    "{narrowest:g}: it has collapsed. Its height says how narrow that component may get, and nothing of the clusters"
)
SECOND = (
    "it has a component that holds {points} points with a variance of {narrowest:g}, so it has collapsed too. Take the "
    "collapsed fits out first, and then compare heights"
)
FITS_WRONG = {
    "A": "A is healthy, and it is not the highest of those that are",
    "B": f"not B: {HIGHEST.format(points=2, narrowest=1e-9)}",
    "C": "C has three equal components, but nobody promised that the clusters are equal: a healthy fit with other "
    "sizes is higher",
    "D": f"not D: {SECOND.format(points=3, narrowest=3e-9)}",
    "F": "F is the lowest of the six: a poor maximum. It is healthy, but so are others, which are higher",
}


def which_to_report(my_fit: Any) -> Verdict:
    """Judge the prediction of lesson 6: which of the fits in `SIX_FITS` to report.

    Parameters
    ----------
    my_fit : str or None
        Its letter, A to F; None if there is no answer yet.

    Returns
    -------
    Verdict
        Never raises, whatever the answer.
    """
    form = 'give the letter of one fit, for example "A"'
    return judge("which_to_report", my_fit, lambda given: letters(given, "fit", LETTERS), form, _reported)


def _reported(given: set[str]) -> str:
    if strangers := sorted(given - set(LETTERS)):
        return f"there is no fit {strangers[0]}; they are {LETTERS[0]} to {LETTERS[-1]}"
    if len(given) != 1:
        return "report one of the six: give one letter"
    (letter,) = given
    if letter != "E":
        return FITS_WRONG[letter]
    return (
        "correct: the highest of those that are healthy. B and D are higher only because a component of theirs has "
        "collapsed on two or three points."
    )


# How many starts? -------------------------------------------------------------------------------------

STARTS = {
    1: "with one start the chance is 5%, and it should be 95%: the two have changed places",
    14: "14 starts find it at least once in 51% of the cases: that is an even chance, and it should be 95%",
    19: "19 times 5% is 95%, but such chances do not add up: with 21 starts they would come to more than 1. Ask for "
    "the chance that none of n finds it",
    20: "in 20 starts one finds it on average; but in 36% of the cases none of the 20 does: 0.95 to the power of 20",
    58: "58 starts are just not enough: 0.95 to the power of 58 is 0.051, above 5%. The number of starts must be "
    "rounded up",
    90: "that is for 99%: 0.95 to the power of 90 is just below 0.01. 95% is asked for",
}


def starts_needed(my_number: Any) -> Verdict:
    """Judge the prediction of lesson 6: how many starts, if each finds the best maximum in 5% of the cases.

    At least one of them should find it, with a probability of at least 95%.

    Parameters
    ----------
    my_number : int or None
        The least number of starts; None if there is no answer yet.

    Returns
    -------
    Verdict
        Never raises, whatever the answer.
    """
    return judge("starts_needed", my_number, lone_number, "give one whole number of starts", _starts)


def _starts(given: float) -> str:
    if given == 59:
        return (
            "correct: none of 59 starts finds it with probability 0.95 to the power of 59, which is 0.0485. So for a "
            "maximum that is hard to find, ten starts are few."
        )
    if not given.is_integer():
        return "starts are counted: give a whole number, the first that is enough"
    if (n := int(given)) in STARTS:
        return STARTS[n]
    if n < 1:
        return "there must be one start at least"
    if n > 59:
        return f"{n} starts are enough, but fewer are, too; the least number is asked for"
    return f"with {n} starts none finds it in {0.95**n:.1%} of the cases, and that should be 5% at most"


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
        # So it is here, and both differ from that of the distances along the axes.
        (
            np.array([[4.7, 5.2], [3.0, 0.6], [4.6, 2.1], [3.5, 5.7]]),
            np.array([[8.8, 5.1], [4.4, 5.2], [8.2, 9.0], [5.8, 4.8]]),
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
