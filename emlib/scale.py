"""Data on a cluster: the sum over blocks made by Dask's workers, in the same order as here.

Dask arrays are taken wherever emlib takes data. While a `distributed.Client` is the current one its workers expect, and
only the model goes to them and statistics come back; without one this process reads block by block. `on_dask` says
which cluster to use, by its address or by a number of processes.

The statistics of each block are computed alone, on one thread, and added up here in the order of the blocks. So the
answer does not depend on who computed what: with two workers it is bit for bit that of one process, given the same
blocks and the same kind of processor.

Needs Dask: install em-course[scale].
"""

from __future__ import annotations

import mmap
import pickle
import warnings
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from functools import partial
from typing import Any

import numpy as np

from emlib import validate
from emlib.blocks import KINDS, Blocks, in_pairs
from emlib.text import kind_of, not_installed
from emlib.threads import one_thread
from emlib.value import once
from emlib.walks import DataLost, as_before

ANSWER = 10.0  # seconds in which a scheduler should answer
PATIENCE = 30.0  # seconds that a cluster may be without any worker
AHEAD = 4  # blocks that are handed out for each thread of the workers
HEAVY = 2**20  # bytes: a recipe that is longer holds the data themselves


def on_dask(data: Any, weights: Any = None, client: Any = None, rows: int = 1_000_000) -> Blocks:
    """Blocks that Dask's workers read, for `fit`, the starts, `select` and `GaussianMixture` in place of X.

    Parameters
    ----------
    data : Dask array (N, D), memory map or array, or list of delayed blocks or of futures
        Of a Dask array, or another collection of Dask, the chunks of rows are the blocks; a row is never divided. The
        file of a memory map must be there for every worker under its name. An array in memory goes to the workers once.
    weights : the same, optional
        The weight of every point, in the same pieces.
    client : distributed.Client, str or int, optional
        A client; the address of a scheduler, such as `tcp://10.0.0.1:8786`; or a number of processes to start on this
        machine. By default the current client, or if there is none this process, which then reads one block at a time.
    rows : int
        How many rows of a memory map or an array make a block.

    Returns
    -------
    Blocks
        Use them in a `with` to close what was opened here: a connection, or processes.

    Raises
    ------
    ModuleNotFoundError
        If Dask is not installed.
    ValueError
        If no scheduler answers, and for data that cannot be used.

    Examples
    --------
    >>> import dask.array as da
    >>> from emlib import Gaussian, Mixture, fit, scale
    >>> X = da.random.default_rng(0).normal(size=(1000, 1), chunks=(250, 1))
    >>> with scale.on_dask(X) as blocks:  # client=2, or client="tcp://...": the same answer
    ...     trace = fit(Mixture([1.0], Gaussian.univariate([1], [1])), blocks)
    >>> trace.stop.reason
    'converged'
    """
    try:
        import distributed
    except ModuleNotFoundError as error:
        raise not_installed("emlib.scale", error, "scale") from error
    rows = validate.count("rows", rows)
    for name, value in (("data", data), ("weights", weights)):
        known = isinstance(value, np.ndarray) and value.ndim > 0
        if not (known or is_dask(value) or (name == "weights" and value is None)):
            raise ValueError(
                f"{name} is {kind_of(value)}; it must be a Dask array or another collection of Dask, a memory "
                "map, an array, or a list of delayed blocks or futures"
            )
    with ExitStack() as opened:  # and closed again, if the data cannot be used
        if client is None:
            client = distributed.client._get_global_client()
        elif not isinstance(client, distributed.Client):
            client = _connected(client)
            opened.callback(client.close)
        pieces = _pieces(data, rows)
        others = None if weights is None else _pieces(weights, rows)
        if client is None:
            return Blocks(_Here(pieces), None if others is None else _Here(others))
        blocks = OnDask(in_pairs(pieces, others), client)
        blocks._opened = opened.pop_all()
    return blocks


def is_dask(data: Any) -> bool:
    """Whether data are a collection of Dask, or a list of them or of its futures."""
    items = data if isinstance(data, (list, tuple)) else [data]
    return bool(items) and all(
        hasattr(type(one), "__dask_graph__") or type(one).__module__ == "distributed.client" for one in items
    )


class OnDask(Blocks):
    """Blocks that the workers of a Dask cluster read; see `on_dask`, which makes them.

    Attributes
    ----------
    client : distributed.Client
    """

    def __init__(self, pairs: list[tuple[Any, Any]], client: Any) -> None:
        self.client, self._opened = client, ExitStack()
        self._tasks = [(self._kept(block), self._kept(weights)) for block, weights in pairs]

    def close(self) -> None:
        """Close the connection or the processes that were opened for these blocks."""
        self._opened.close()

    @property
    def pairs(self) -> Iterator[tuple[Any, Any]]:
        """Every block, with its weights or None; they travel here, one after the other."""
        return self.each(lambda block, weights: (block, weights))

    @property
    def _count(self) -> int:
        return len(self._tasks)

    def each(self, function: Callable[..., Any], own: Sequence[Any] | None = None) -> Iterator[Any]:
        """What `function` says of every block, in their order; the workers are ahead by a few blocks each.

        Parameters
        ----------
        function, own
            As for `Blocks.each`; they must be such as can be pickled.
        """
        waiting: deque[Any] = deque()
        n_threads = sum(self._asked(self.client.nthreads).values())
        try:
            for number, task in enumerate(self._tasks):
                before = self.facts[number] if self.ready else None
                asked = (function, () if own is None else (own[number],), before, self._check, *task)
                waiting.append(self._asked(self.client.submit, _apply, *asked, pure=False, retries=2))
                if len(waiting) > AHEAD * max(n_threads, 1):
                    yield self._result(waiting, number - len(waiting) + 1)
            while waiting:
                yield self._result(waiting, len(self._tasks) - len(waiting))
        finally:
            if waiting:
                with suppress(Exception):  # the cluster may be lost
                    self.client.cancel(list(waiting))

    def _result(self, waiting: deque[Any], number: int) -> Any:
        """The result for the first of the blocks that are waited for, or an error in words."""
        future, idle, block = waiting[0], 0.0, f"block {number} of {len(self._tasks)}"
        while True:
            try:
                found = future.result(timeout=1)
                break
            except Exception as error:
                if not isinstance(error, TimeoutError) or future.status not in ("pending", "finished"):
                    raise self._failed(future, block, error) from error
                idle = 0.0 if self._asked(self.client.nthreads) else idle + 1
                if idle >= PATIENCE:
                    raise DataLost(f"the cluster has had no worker for {PATIENCE:g} seconds") from None
        waiting.popleft()
        if isinstance(found, DataLost):
            raise DataLost(f"{block} {found}") from found
        if isinstance(found, ValueError):  # in the first pass `checked` says which block
            raise ValueError(f"{block}: {found}" if self.ready else str(found)) from found
        if self._report is not None:
            self._report(self.facts[number].n_rows)
        return found

    def _failed(self, future: Any, block: str, error: Exception) -> Exception:
        """The error in words for a block that no worker could compute."""
        why = f"{type(error).__name__}: {str(error) or 'no more is known'}"
        if future.status != "error":
            return DataLost(
                f"{block} is lost: a worker that alone held it is gone, or the cluster is ({why})"
            )
        if self.ready:
            return DataLost(f"{block} cannot be computed: {why}")
        return ValueError(f"the data of this block cannot be computed: {why}")

    def _asked(self, ask: Callable[..., Any], *args: Any, **options: Any) -> Any:
        """What the client says, or an error in words if it has lost its cluster."""
        try:
            return ask(*args, **options)
        except Exception as error:
            raise DataLost(f"the cluster is lost ({type(error).__name__}: {error})") from error

    def _kept(self, piece: Any) -> Any:
        """A recipe or a future; data that Dask was given from memory are sent to the workers once, and stay there."""
        if isinstance(piece, Recipe) and len(piece.packed) > HEAVY:
            # The warning is that they are large, which is known.
            with warnings.catch_warnings(action="ignore", category=UserWarning):
                return self.client.submit(Recipe.__call__, piece, pure=False)
        return piece


class Recipe(partial[Any]):
    """How to make one block: a function with its arguments, for the worker that uses it a plain `partial`."""

    @once
    def packed(self) -> bytes:
        """Itself for the journey, in one piece, so that Dask does not look for tasks in it."""
        import cloudpickle

        return cloudpickle.dumps(partial(self.func, *self.args))

    def __reduce__(self) -> Any:
        return pickle.loads, (self.packed,)


class _Here:
    """The blocks of a collection, computed in this process: an iterable that can be walked again."""

    def __init__(self, pieces: list[Any]) -> None:
        self.pieces = pieces

    def __iter__(self) -> Iterator[Any]:
        for piece in self.pieces:
            yield piece() if isinstance(piece, Recipe) else piece.result()


def _pieces(data: Any, rows: int) -> list[Any]:
    """The blocks of a collection, a list or an array: a future where a worker holds the block, else a recipe."""
    if isinstance(data, (list, tuple)):
        return [piece for one in data for piece in _pieces(one, rows)]
    if isinstance(data, np.ndarray):
        return _pieces_of_array(data, rows)
    if not hasattr(type(data), "__dask_graph__"):
        return [data]  # a future
    from dask.local import get_sync
    from dask.optimization import cull
    from dask.utils import ensure_dict
    from distributed import futures_of

    held = {future.key: future for future in futures_of(data)}
    parts = [data]
    if hasattr(type(data), "to_delayed"):
        if hasattr(data, "rechunk"):  # a row is never divided
            data = data.rechunk(dict.fromkeys(range(1, data.ndim), -1))
        parts = list(np.ravel(np.array(data.to_delayed(), dtype=object)))
    graph = ensure_dict(parts[0].__dask_graph__())
    if not held:
        return [Recipe(get_sync, cull(graph, [part.key])[0], part.key) for part in parts]
    # What is made of blocks that workers hold, they hold, too.
    client = next(iter(held.values())).client
    return [held[part.key] if part.key in held else client.compute(part) for part in parts]


def _pieces_of_array(array: np.ndarray, rows: int) -> list[Recipe]:
    """An array in memory by its values; a memory map by the name of its file and the places in it."""
    firsts = range(0, len(array), rows)
    if not isinstance(array, np.memmap) or array.mode == "c" or not array.flags.c_contiguous:
        return [Recipe(np.asarray, array[first : first + rows]) for first in firsts]
    mapped: Any = array
    # Where the whole map begins, of which this may be a part.
    begin = np.frombuffer(mapped._mmap, np.uint8).ctypes.data
    offset = mapped.offset - mapped.offset % mmap.ALLOCATIONGRANULARITY + array.ctypes.data - begin
    file, stride = str(mapped.filename), array.strides[0]
    return [
        Recipe(np.memmap, file, array.dtype, "r", offset + first * stride, array[first : first + rows].shape)
        for first in firsts
    ]


def _apply(
    function: Callable[..., Any], own: tuple[Any, ...], before: Any, check: Any, block: Any, weights: Any
) -> Any:
    """What a worker does: read the block, and say what `function` says of it; an error in words is an answer, too."""
    block, weights = (one() if isinstance(one, partial) else one for one in (block, weights))
    try:
        if before is not None:
            block, weights = as_before(before, check, block, weights)
        with one_thread():  # as in `fit`: more would sum in another order
            return function(block, weights, *own)
    except (ValueError, DataLost) as error:
        return error


def _connected(client: Any) -> Any:
    """A client of the scheduler at an address, or of so many processes that are started here."""
    import dask
    from distributed import Client

    if not isinstance(client, str):
        why = ", a number of processes; or a Client, or a scheduler's address"
        n = validate.count("client", client, why=why)
        # Without Dask's profiler, which took a fifth of the workers' time.
        with dask.config.set({"distributed.worker.profile.enabled": False}):
            return Client(n_workers=n, threads_per_worker=1, dashboard_address=":0", set_as_default=False)
    try:
        return Client(client, timeout=ANSWER, set_as_default=False)
    except Exception as error:
        raise ValueError(
            f"no Dask scheduler answers at {client!r} ({type(error).__name__}: {error}): start one with "
            "`dask scheduler`, or give a number of processes to start here"
        ) from error


KINDS.append((is_dask, on_dask))
