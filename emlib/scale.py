"""How the data come: in blocks, whose statistics are added up."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import reduce
from operator import add
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from emlib.em import Statistics


class Blocks:
    """Data in pieces: an array is one block, a list of arrays is a list of blocks.

    (A list of plain lists of numbers is a table, and so one block.)

    The data own the borders of their blocks, because some models care: for a hidden Markov chain a
    block is one whole sequence. For a mixture any borders give the same sum, up to rounding.

    Parameters
    ----------
    data : array, or list of arrays
        What `Model.expect` takes: for a mixture, arrays of shape (N, D).
    weights : array (N,), or list of such arrays, optional
        The weight of every point, in the same pieces as the data.
    """

    def __init__(self, data: Any, weights: Any = None) -> None:
        if isinstance(data, Iterator):
            raise ValueError(
                "data is an iterator, which can be read only once, and EM reads its data at every step: "
                "pass a list of blocks"
            )
        in_pieces = isinstance(data, (list, tuple)) and not _is_table(data)
        blocks = list(data) if in_pieces else [data]
        if not blocks:
            raise ValueError("data is an empty list: pass an array, or a list of at least one block")
        if weights is None:
            pieces = [None] * len(blocks)
        elif in_pieces and not isinstance(weights, (list, tuple)):
            raise ValueError(
                f"data is a list of {len(blocks)} blocks and weights is a {type(weights).__name__}: "
                "give the weights as a list, in the same pieces as the data"
            )
        else:
            pieces = list(weights) if in_pieces else [weights]
        if len(pieces) != len(blocks):
            raise ValueError(
                f"there are {len(blocks)} blocks of data and {len(pieces)} of weights: "
                "give the weights in the same pieces as the data"
            )
        self.pairs = list(zip(blocks, pieces, strict=True))

    @classmethod
    def of(cls, data: Any, weights: Any = None) -> Blocks:
        """`data` as Blocks, which they may be already."""
        if not isinstance(data, Blocks):
            return cls(data, weights)
        if weights is not None:
            raise ValueError("data is in Blocks already: give them the weights, as Blocks(data, weights)")
        return data

    def sum(self, expect: Callable[[Any, Any], Statistics]) -> Statistics:
        """Add up what `expect` says of every block."""
        total = reduce(add, (expect(block, weights) for block, weights in self.pairs))
        if not total.n_points > 0:
            raise ValueError("the weights are zero everywhere: at least one point must count")
        return total


def _is_table(data: Sequence[Any]) -> bool:
    """Whether a list holds numbers, or plain lists of them, rather than blocks."""
    return bool(data) and all(isinstance(row, (int, float, list, tuple)) for row in data)
