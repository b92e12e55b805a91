"""How the data come: in blocks, whose statistics are added up."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from emlib import validate
from emlib.text import counted, kind_of

Data = Any  # an array, a list of blocks (of arrays), or Blocks


class Blocks:
    """Data in pieces: an array is one block, a list of arrays is a list of blocks.

    (A list of plain lists of numbers, or of numbers, is a table, and so one block.)

    The data own the borders of their blocks, because some models care: for a hidden Markov chain a
    block is one whole sequence. For a mixture any borders give the same sum, up to rounding.

    Parameters
    ----------
    data : array, or list of arrays
        What `Model.expect` takes: for a mixture, arrays of shape (N, D), or memory maps.
    weights : array (N,), or list of such arrays, optional
        The weight of every point, in the same pieces as the data.

    Attributes
    ----------
    pairs : list of tuples
        Every block, with its weights or None.
    ready : bool
        Whether a model has checked them.
    """

    def __init__(self, data: Any, weights: Any = None) -> None:
        if isinstance(data, Iterator):
            raise ValueError(
                "data is an iterator, which can be read only once, and EM reads its data at every step: "
                "pass a list of blocks"
            )
        in_pieces = is_list_of_blocks(data)
        blocks = list(data) if in_pieces else [data]
        if not blocks:
            raise ValueError("data is an empty list: pass an array, or a list of at least one block")
        if weights is None:
            pieces = [None] * len(blocks)
        elif in_pieces and not isinstance(weights, (list, tuple)):
            raise ValueError(
                f"data is a list of {len(blocks)} blocks and weights is {kind_of(weights)}: "
                "give the weights as a list, in the same pieces as the data"
            )
        else:
            pieces = list(weights) if in_pieces else [weights]
        if len(pieces) != len(blocks):
            raise ValueError(
                f"there are {len(blocks)} blocks of data and {len(pieces)} of weights: "
                "give the weights in the same pieces as the data"
            )
        self.pairs, self.ready = list(zip(blocks, pieces, strict=True)), False
        self._to_expect = self.pairs

    @classmethod
    def of(cls, data: Any, weights: Any = None) -> Blocks:
        """`data` as Blocks, which they may be already.

        Examples
        --------
        >>> from emlib import Blocks, datasets
        >>> blocks = Blocks.of(datasets.three_clusters().X)
        >>> blocks, Blocks.of(blocks) is blocks
        (<Blocks: 60 points in 1 block>, True)
        """
        if not isinstance(data, Blocks):
            return cls(data, weights)
        if weights is not None:
            raise ValueError("data is in Blocks already: give them the weights, as Blocks(data, weights)")
        return data

    def checked(self, check: Callable[[Any], Any]) -> Blocks:
        """The same blocks as `check` returns them, with weights that fit them."""
        if self.ready:
            return self
        pairs = []
        for number, (block, weights) in enumerate(self.pairs):
            try:
                block = check(block)
                if weights is not None:
                    weights = validate.point_weights(weights, len(block))
            except ValueError as error:
                if len(self.pairs) == 1:
                    raise
                raise ValueError(f"block {number} of {len(self.pairs)}: {error}") from error
            pairs.append((block, weights))
        _check_rows_alike([block for block, _ in pairs])
        if all(weights is not None and not weights.any() for _, weights in pairs):
            raise ValueError("the weights are zero everywhere: at least one point must count")
        new = object.__new__(Blocks)
        new.pairs, new.ready, new._to_expect = pairs, True, pairs
        return new

    def prepared(self, prepare: Callable[[Any], Any]) -> Blocks:
        """A single block as `prepare` makes it, for `sum`; of several there may be too many to keep that of each."""
        if len(self.pairs) > 1 or self._to_expect is not self.pairs:
            return self
        new = object.__new__(Blocks)
        new.pairs, new.ready = self.pairs, self.ready
        new._to_expect = [(prepare(block), weights) for block, weights in self.pairs]
        return new

    def __len__(self) -> int:
        """How many blocks there are."""
        return len(self.pairs)

    def __repr__(self) -> str:
        try:
            points = f"{counted(self.n_rows, 'point')} in "
        except TypeError:  # what is no data has no rows; the model to which it is given will say so
            points = ""
        return f"<Blocks: {points}{counted(len(self), 'block')}>"

    @property
    def lists(self) -> tuple[list[Any], list[Any] | None]:
        """The blocks, and their weights if they have any: what such blocks are made of."""
        blocks, weights = map(list, zip(*self.pairs, strict=True))
        return blocks, None if weights[0] is None else weights

    @property
    def n_rows(self) -> int:
        """How many rows all blocks have together, whatever they weigh."""
        return sum(len(block) for block, _ in self.pairs)

    @property
    def n_counting(self) -> int:
        """How many rows count: those of some weight."""
        return sum(
            len(block) if weights is None else int(np.count_nonzero(weights)) for block, weights in self.pairs
        )

    @property
    def unit(self) -> float:
        """What a point of weight 1 counts as: itself where weights are counts, else so that 1 is the mean weight."""
        pieces: list[Any] = [weights for _, weights in self.pairs if weights is not None]
        if all((weights == np.floor(weights)).all() for weights in pieces):
            return 1.0
        return self.n_counting / sum(float(weights.sum()) for weights in pieces)

    def sum(self, expect: Callable[[Any, Any], Any]) -> Any:
        """Add up what `expect` says of every block."""
        (block, weights), *others = self._to_expect
        total = expect(block, weights)
        for block, weights in others:
            total = total + expect(block, weights)
        return total


def is_list_of_blocks(data: Any) -> bool:
    """Whether data are a list of blocks, and not an array or a table written out as lists of numbers."""
    if not isinstance(data, (list, tuple)):
        return False
    return not (data and all(_is_row(row) for row in data))


def _is_row(row: Any) -> bool:
    """Whether this is a number, or a plain list of numbers: a row of a table."""
    if isinstance(row, (list, tuple)):
        return all(isinstance(value, (int, float, np.number)) for value in row)
    return isinstance(row, (int, float, np.number))


def as_one(X: Any) -> Any:
    """The rows of all blocks in one array; data that are one block as they are."""
    if isinstance(X, Blocks):
        X = [block for block, _ in X.pairs]
    if not is_list_of_blocks(X) or not X or not np.ndim(X[0]):
        return X
    if len(X) == 1:
        return X[0]
    _check_rows_alike(X)
    return _together(np.concatenate, np.ma.concatenate, X)


def _together(join: Any, join_masked: Any, arrays: Any) -> Any:
    """Some arrays as one; a masked one keeps its mask, which is refused later, in words."""
    return join_masked(arrays) if any(map(np.ma.isMaskedArray, arrays)) else join(arrays)


def _check_rows_alike(blocks: list[Any]) -> None:
    """Raise an error unless the rows of all blocks have one shape."""
    shapes = {np.shape(block)[1:] for block in blocks}
    if len(shapes) > 1:
        said = " and ".join(str(shape) for shape in sorted(shapes))
        raise ValueError(f"the blocks have rows of different shapes, {said}; all must have the same columns")


def rows_in_one(X: Any) -> Any:
    """Data as they are; but a list of arrays (D,), one a point, as one table."""
    if (
        isinstance(X, (list, tuple))
        and X
        and all(np.ndim(x) == 1 and np.shape(x) == np.shape(X[0]) for x in X)
    ):
        return _together(np.stack, np.ma.stack, X)
    return X
