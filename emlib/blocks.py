"""How the data come: in blocks, whose statistics are added up.

`Blocks` are data in memory, in files, or behind an object that can be walked again and again; `emlib.scale` adds
data on a cluster.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from copy import copy
from functools import partial, reduce
from operator import add
from typing import Any, Self

import numpy as np

from emlib import validate
from emlib.text import counted, kind_of
from emlib.walks import Facts, Walk, is_read_once, is_walked

Data = Any  # an array, a list of blocks (of arrays), an iterable of blocks, a Dask collection, or Blocks

# Other kinds of data: what recognises them, and what makes Blocks of them and their weights.
KINDS: list[tuple[Callable[[Any], bool], Callable[[Any, Any], Blocks]]] = []


class Blocks:
    """Data in pieces: an array is one block, a list of arrays is a list of blocks.

    (A list of plain lists of numbers, or of numbers, is a table, and so one block.)

    The data own the borders of their blocks, because some models care: for a hidden Markov chain a
    block is one whole sequence. For a mixture any borders give the same sum, up to rounding.

    An iterable of blocks is any other object whose `iter()` begins a new walk over the same blocks each time, such as
    one whose `__iter__` is a generator that reads files. It is walked once at every pass, a block at a time.

    Parameters
    ----------
    data : array, list of arrays, or iterable of arrays
        What `Model.expect` takes: for a mixture, arrays of shape (N, D), or memory maps.
    weights : array (N,), or list or iterable of such arrays, optional
        The weight of every point, in the same pieces as the data.

    Attributes
    ----------
    pairs : iterable of tuples
        Every block, with its weights or None; a list, unless the data are walked.
    facts : sequence of Facts
        Of every block, once they are checked.
    ready : bool
        Whether a model has checked them.

    Raises
    ------
    ValueError
        For an iterator, which can be read only once, for no blocks at all, and for weights in other pieces.

    Examples
    --------
    >>> import numpy as np
    >>> from emlib import Blocks, Gaussian, Mixture
    >>> class Files:
    ...     def __iter__(self):
    ...         for number in range(3):  # np.load(f"part{number}.npy"), say
    ...             yield np.arange(4.0)[:, None] + number
    >>> Mixture([1.0], Gaussian.univariate([0], [1])).expect(Blocks(Files())).n_points
    12.0
    """

    pairs: Any
    facts: Sequence[Facts] = ()
    ready = False
    _check: Callable[[Any], Any] | None = None
    _prepared = False
    _report: Callable[[int], Any] | None = None

    def __init__(self, data: Any, weights: Any = None) -> None:
        if is_read_once(data):
            raise ValueError(
                "data is an iterator, which can be read only once, and EM reads its data at every step: "
                "pass a list of blocks, or an object whose iter() begins a new walk each time"
            )
        if is_walked(data):
            self.pairs = Walk(data, weights)
            return
        if _maker(data):
            raise ValueError("data is a Dask collection: pass it as it is, or through emlib.scale.on_dask")
        in_pieces = is_list_of_blocks(data)
        if in_pieces and not data:
            raise ValueError("data is an empty list: pass an array, or a list of at least one block")
        if in_pieces and not (weights is None or isinstance(weights, (list, tuple))):
            raise ValueError(
                f"data is a list of {len(data)} blocks and weights is {kind_of(weights)}: "
                "give the weights as a list, in the same pieces as the data"
            )
        if not in_pieces:
            data, weights = [data], None if weights is None else [weights]
        self.pairs = in_pairs(data, weights)

    @classmethod
    def of(cls, data: Any, weights: Any = None) -> Blocks:
        """`data` as Blocks, which they may be already.

        Examples
        --------
        >>> from emlib import Blocks, datasets
        >>> blocks = Blocks.of(datasets.three_clusters().X)
        >>> blocks, Blocks.of(blocks) is blocks
        (<Blocks: 1 block>, True)
        """
        if not isinstance(data, Blocks):
            return (_maker(data) or cls)(data, weights)
        if weights is not None:
            raise ValueError("data is in Blocks already: give them the weights, as Blocks(data, weights)")
        return data

    def checked(self, check: Callable[[Any], Any]) -> Self:
        """The same blocks as `check` returns them, with weights that fit them; this is the first pass."""
        if self.ready:
            return self
        facts, kept = [], []
        keep = isinstance(self.pairs, list)
        try:
            for found, pair in self.each(partial(_checked, check, keep)):
                facts.append(found)
                kept.append(pair)
        except ValueError as error:
            if self._count == 1:
                raise
            of = f" of {self._count}" if self._count else ""
            raise ValueError(f"block {len(facts)}{of}: {error}") from error
        if not facts:
            raise ValueError("data holds no block: iter() must begin a new walk over at least one")
        _check_rows_alike([one.row_shape for one in facts])
        if not any(one.weight for one in facts):
            raise ValueError("the weights are zero everywhere: at least one point must count")
        new = copy(self)
        new.facts, new.ready, new._check = facts, True, check
        if keep:
            new.pairs = kept
        elif isinstance(self.pairs, Walk):  # the passes after the first walk anew
            new.pairs = Walk(self.pairs.data, self.pairs.weights, check, facts)
        return new

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Close what was opened for these data, such as processes."""

    def prepared(self, prepare: Callable[[Any], Any]) -> Self:
        """A single block as `prepare` makes it, for `sum`; of several there may be too many to keep that of each."""
        if self._prepared or not isinstance(self.pairs, list) or len(self.pairs) > 1:
            return self
        new = copy(self)
        new.pairs, new._prepared = [(prepare(block), weights) for block, weights in self.pairs], True
        return new

    def __repr__(self) -> str:
        points = f"{counted(self.n_rows, 'point')} in " if self.ready else ""
        return f"<Blocks: {points}{'blocks' if self._count is None else counted(self._count, 'block')}>"

    @property
    def lists(self) -> tuple[list[Any], list[Any] | None]:
        """The blocks, and their weights if they have any: what such blocks are made of."""
        blocks, weights = map(list, zip(*self.pairs, strict=True))
        return blocks, None if weights[0] is None else weights

    def watched(self, report: Callable[[int], Any]) -> Self:
        """The same blocks, that tell `report` how many rows have been read, block by block."""
        new = copy(self)
        new._report = report
        return new

    @property
    def _count(self) -> int | None:
        """How many blocks there are, if that is known."""
        return len(self.pairs) if isinstance(self.pairs, list) else len(self.facts) or None

    @property
    def _known(self) -> Sequence[Facts]:
        """The facts of all blocks."""
        if not self.ready:
            raise ValueError(
                "the blocks are not read yet: what they hold is known after blocks.checked(model.check)"
            )
        return self.facts

    @property
    def n_rows(self) -> int:
        """How many rows all blocks have together, whatever they weigh."""
        return sum(one.n_rows for one in self._known)

    @property
    def n_counting(self) -> int:
        """How many rows count: those of some weight."""
        return sum(one.n_counting for one in self._known)

    @property
    def n_columns(self) -> int:
        """How many columns their tables have."""
        return int(self._known[0].row_shape[0])

    @property
    def unit(self) -> float:
        """What a point of weight 1 counts as: itself where weights are counts, else so that 1 is the mean weight."""
        if all(one.whole for one in self._known):
            return 1.0
        return self.n_counting / sum(one.weight for one in self.facts)

    def each(self, function: Callable[..., Any], own: Sequence[Any] | None = None) -> Iterator[Any]:
        """What `function` says of every block, in their order, one at a time.

        Parameters
        ----------
        function : function
            Called as function(block, weights), or function(block, weights, own[number]).
        own : sequence, optional
            Something for each block.
        """
        for number, (block, weights) in enumerate(self.pairs):
            yield function(block, weights) if own is None else function(block, weights, own[number])
            if self._report is not None:
                self._report(self.facts[number].n_rows)

    def sum(self, expect: Callable[[Any, Any], Any]) -> Any:
        """Add up what `expect` says of every block, in their order, so that the last digit is always the same."""
        pairs = self.pairs
        if isinstance(pairs, list) and len(pairs) == 1 and self._report is None:
            return expect(*pairs[0])  # the shortest way, for the many small fits
        return reduce(add, self.each(expect))

    def rows(self, chosen: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        """Some of the rows that count, in float64, and their weights; `chosen` are their numbers, sorted."""
        firsts = np.cumsum([0, *(one.n_counting for one in self._known[:-1])])
        own = np.split(chosen, np.searchsorted(chosen, firsts[1:]))
        picked = self.each(_picked, [some - first for some, first in zip(own, firsts, strict=True)])
        some, weights = zip(*picked, strict=True)
        return np.concatenate(some), None if weights[0] is None else np.concatenate(weights)


def in_pairs(blocks: Sequence[Any], weights: Sequence[Any] | None) -> list[tuple[Any, Any]]:
    """Every block with its weights, or with None."""
    weights = [None] * len(blocks) if weights is None else weights
    if len(blocks) != len(weights):
        raise ValueError(
            f"there are {counted(len(blocks), 'block')} of data and {len(weights)} of weights: "
            "give the weights in the same pieces as the data"
        )
    return list(zip(blocks, weights, strict=True))


def _checked(check: Callable[[Any], Any], keep: bool, given: Any, weights: Any) -> tuple[Facts, Any]:
    """The facts of a block; and to keep, the block as `check` returns it, with weights that fit it."""
    block = check(given)
    n_rows = n_counting = len(block)
    weight, whole = float(n_rows), True
    if weights is not None:
        weights = validate.point_weights(weights, n_rows)
        n_counting, weight = int(np.count_nonzero(weights)), float(weights.sum())
        whole = bool((weights == np.floor(weights)).all())
    shape, dtype = np.shape(block)[1:], getattr(block, "dtype", None)
    facts = Facts(n_rows, n_counting, weight, whole, shape, dtype, block is given)
    return facts, (block, weights) if keep else None


def _picked(block: Any, weights: Any, own: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
    """Some rows of a block, given by their number among those that count."""
    if weights is not None:
        own = np.flatnonzero(weights)[own]
    return np.asarray(block[own], dtype=float), None if weights is None else weights[own]


def _maker(data: Any) -> Callable[[Any, Any], Blocks] | None:
    """What makes Blocks of another kind of data, if this is one."""
    return next((make for recognises, make in KINDS if recognises(data)), None)


def is_elsewhere(data: Any) -> bool:
    """Whether data are no array or list, but blocks that are walked, or that another kind of data reads."""
    return isinstance(data, Blocks) or is_walked(data) or _maker(data) is not None


def is_list_of_blocks(data: Any) -> bool:
    """Whether data are a list of blocks, and not an array or a table written out as lists of numbers."""
    return isinstance(data, (list, tuple)) and not (data and all(map(_is_row, data)))


def _is_row(row: Any) -> bool:
    """Whether this is a number, or a plain list of numbers: a row of a table."""
    values = row if isinstance(row, (list, tuple)) else [row]
    return all(isinstance(value, (int, float, np.number)) for value in values)


def as_one(X: Any) -> Any:
    """The rows of all blocks in one array; data that are one block as they are."""
    if is_elsewhere(X):
        X = [block for block, _ in Blocks.of(X).pairs]
    if not is_list_of_blocks(X) or not X or not np.ndim(X[0]):
        return X
    if len(X) == 1:
        return X[0]
    _check_rows_alike([np.shape(block)[1:] for block in X])
    return _together(np.concatenate, np.ma.concatenate, X)


def _together(join: Any, join_masked: Any, arrays: Any) -> Any:
    """Some arrays as one; a masked one keeps its mask, which is refused later, in words."""
    return join_masked(arrays) if any(map(np.ma.isMaskedArray, arrays)) else join(arrays)


def _check_rows_alike(shapes: list[tuple[int, ...]]) -> None:
    """Raise an error unless the rows of all blocks have one shape."""
    if len(set(shapes)) > 1:
        said = " and ".join(str(shape) for shape in sorted(set(shapes)))
        raise ValueError(f"the blocks have rows of different shapes, {said}; all must have the same columns")


def rows_in_one(X: Any) -> Any:
    """Data as they are; but a list of arrays (D,), one a point, as one table."""
    if not isinstance(X, (list, tuple)) or not X:
        return X
    alike = all(np.ndim(x) == 1 and np.shape(x) == np.shape(X[0]) for x in X)
    return _together(np.stack, np.ma.stack, X) if alike else X
