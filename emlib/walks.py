"""Data that are read anew at every pass: any object that can be walked again and again.

- `Walk`: its blocks, with their weights. `Facts`: what is known of a block once it has been checked.
- `DataLost`: data that were there in the first pass cannot be read any more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from itertools import repeat, zip_longest
from typing import Any, NamedTuple, NoReturn

import numpy as np

from emlib import validate
from emlib.text import kind_of

MISSING: Any = object()  # where there is a block without weights, or weights without a block


class DataLost(RuntimeError):
    """Data that were there in the first pass cannot be read any more: a file is gone, or a cluster.

    Attributes
    ----------
    trace : Trace or None
        The fit as far as it came, with the last model finished; None if there was none.

    Examples
    --------
    >>> from emlib import DataLost, fit
    >>> from emlib.classic import Coins
    >>> class File:
    ...     walks = 0
    ...     def __iter__(self):
    ...         self.walks += 1
    ...         if self.walks > 4:  # the check, the start and two steps
    ...             raise OSError("the disk is gone")
    ...         yield [5, 9, 8, 4, 7]
    >>> try:
    ...     fit(Coins([0.6, 0.5]), File())
    ... except DataLost as error:
    ...     print(f"{error}; so far: {error.trace.model}")
    block 0 cannot be read: OSError: the disk is gone; so far: Coins([0.745292, 0.569256], tosses=10)
    """

    trace: Any = None


class Facts(NamedTuple):
    """What is known of a block once it has been checked.

    Attributes
    ----------
    n_rows, n_counting : int
        How many rows it has, and how many of them have some weight.
    weight : float
        The sum of its weights.
    whole : bool
        Whether all weights are whole numbers.
    row_shape : tuple of int
        (D,) for a table.
    dtype : numpy.dtype or None
    as_it_is : bool
        Whether the check had nothing to convert.
    """

    n_rows: int
    n_counting: int
    weight: float
    whole: bool
    row_shape: tuple[int, ...]
    dtype: Any
    as_it_is: bool


class Walk:
    """Blocks with their weights, read anew at every walk.

    Parameters
    ----------
    data, weights : iterable
        Each `iter()` of them begins anew.
    check, facts : optional
        Known after the first walk: how to convert a block, and what it must be like.
    """

    def __init__(self, data: Any, weights: Any, check: Any = None, facts: Sequence[Facts] = ()) -> None:
        if not (weights is None or isinstance(weights, (list, tuple)) or is_walked(weights)):
            raise ValueError(
                f"data is an iterable of blocks and weights is {kind_of(weights)}: give the weights as a "
                "list, or as another iterable that can be walked again, in the same pieces as the data"
            )
        self.data, self.weights, self.check, self.facts = data, weights, check, facts

    def __iter__(self) -> Iterator[tuple[Any, Any]]:
        number = 0
        for block, weights in self._read():
            if block is MISSING or weights is MISSING:
                found, other = ("weights", "data") if block is MISSING else ("data", "weights")
                pieces = f"is there in the {found}, and not in the {other}: give both in the same pieces"
                self._fail(pieces, number)
            if self.facts:
                if number == len(self.facts):
                    self._fail("was not there before: iter() must give the same blocks at every walk", number)
                try:
                    block, weights = as_before(self.facts[number], self.check, block, weights)
                except DataLost as error:
                    self._fail(str(error), number, error)
            yield block, weights
            number += 1
        if number < len(self.facts):
            self._fail("is not there any more: iter() must give the same blocks at every walk", number)

    def _read(self) -> Iterator[tuple[Any, Any]]:
        """Blocks and weights as they come, in a new walk over both."""
        number = 0
        try:
            if self.weights is None:
                pairs: Any = zip(self.data, repeat(None))  # which has no end
            else:
                pairs = zip_longest(self.data, self.weights, fillvalue=MISSING)
            for pair in pairs:
                yield pair
                number += 1
        except Exception as error:  # whatever reading a file may raise
            self._fail(f"cannot be read: {type(error).__name__}: {error}", number, error)

    def _fail(self, message: str, number: int, cause: BaseException | None = None) -> NoReturn:
        """Say what is wrong with a block; in the first walk `Blocks.checked` says which one it is."""
        if self.facts:
            raise DataLost(f"block {number} {message}") from cause
        raise ValueError(f"it {message}") from cause


def as_before(before: Facts, check: Callable[[Any], Any], block: Any, weights: Any) -> tuple[Any, Any]:
    """A block that was read anew, in the form that the model wants; it must be as it was in the first pass."""
    try:
        if not before.as_it_is or np.shape(block)[1:] != before.row_shape:
            block = check(block)
        if weights is not None:
            weights = validate.point_weights(weights, before.n_rows)
    except ValueError as error:
        raise DataLost(f"has changed: {error}") from error
    if len(block) != before.n_rows:
        raise DataLost(f"has {len(block)} rows, and had {before.n_rows} in the first pass")
    return block, weights


def is_read_once(data: Any) -> bool:
    """Whether this is an iterator, or an object that always gives the same one."""
    return isinstance(data, Iterator) or (is_walked(data) and iter(data) is iter(data))


def is_walked(data: Any) -> bool:
    """Whether data are an iterable of blocks, and no array, table, list or anything else that has items by number."""
    return (
        isinstance(data, Iterable)
        and not isinstance(data, (Iterator, Set))
        and not any(hasattr(data, name) for name in ("shape", "__array__", "__getitem__"))
    )
