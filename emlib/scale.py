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

import io
import mmap
import pickle
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Any, Self

import numpy as np

from emlib import validate
from emlib.blocks import KINDS, Blocks
from emlib.text import counted, not_installed
from emlib.threads import one_thread
from emlib.value import once
from emlib.walks import DataLost, as_before

PATIENCE = 30.0  # seconds that a cluster may be without any worker
AHEAD = 4  # blocks that are handed out for each thread of the workers
HEAVY = 2**20  # bytes: a recipe that is longer holds the data themselves


def on_dask(data: Any, weights: Any = None, client: Any = None) -> Blocks:
    """Blocks that Dask's workers read, for `fit`, the starts, `select` and `GaussianMixture` in place of X.

    Parameters
    ----------
    data : Dask array (N, D), or another collection of Dask, or list of delayed blocks or of futures
        Its chunks of rows are the blocks; a row is never divided.
    weights : the same, optional
        The weight of every point, in the same pieces.
    client : distributed.Client, str or int, optional
        A client; the address of a scheduler, such as "tcp://10.0.0.1:8786"; or a number of processes to start on this
        machine. By default the current client, or if there is none this process, which then reads one block at a time.

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
    distributed = _distributed()
    for name, value in (("data", data), ("weights", weights)):
        if not (is_dask(value) or (name == "weights" and value is None)):
            raise ValueError(
                f"{name} is a {type(value).__name__}; it must be a Dask collection, such as an array, or a list of "
                "delayed blocks or futures"
            )
    opened: list[Any] = []
    if client is None:
        client = distributed.client._get_global_client()
        if client is None:
            return Blocks(_Here(data), None if weights is None else _Here(weights))
    elif not isinstance(client, distributed.Client):
        client = _connected(client)
        opened.append(client)
    try:
        return OnDask(data, weights, client, opened)
    except BaseException:
        _close(opened)
        raise


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

    def __init__(self, data: Any, weights: Any, client: Any, opened: list[Any]) -> None:
        self.client, self._opened = client, opened
        self.facts, self.ready, self._report = [], False, None
        self._check: Callable[[Any], Any] | None = None
        blocks = [self._kept(piece) for piece in _pieces(data)]
        others = (
            [None] * len(blocks) if weights is None else [self._kept(piece) for piece in _pieces(weights)]
        )
        if len(blocks) != len(others):
            raise ValueError(
                f"there are {counted(len(blocks), 'block')} of data and {len(others)} of weights: "
                "give the weights in the same pieces as the data"
            )
        self._tasks = list(zip(blocks, others, strict=True))

    def close(self) -> None:
        """Close the connection or the processes that were opened for these blocks."""
        _close(self._opened)

    @property
    def pairs(self) -> Iterator[tuple[Any, Any]]:
        """Every block, with its weights or None; they travel here, one after the other."""
        return self.each(_pair)

    @property
    def _count(self) -> int:
        return len(self._tasks)

    def _begin(self, check: Callable[[Any], Any], kept: Any) -> None:
        self._check = check

    def prepared(self, prepare: Callable[[Any], Any]) -> Self:
        """The same blocks: the workers keep nothing between passes."""
        return self

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
            with suppress(Exception):  # the cluster may be lost
                self.client.cancel(list(waiting))

    def _result(self, waiting: deque[Any], number: int) -> Any:
        """The result for the first of the blocks that are waited for, or an error in words."""
        future, idle, block = waiting[0], 0.0, f"block {number} of {len(self._tasks)}"
        while future.status == "pending":
            try:
                future.result(timeout=1)
            except TimeoutError:  # it may be the task's own, or just late
                idle = 0.0 if self._asked(self.client.nthreads) else idle + 1
                if idle >= PATIENCE:
                    raise DataLost(f"the cluster has had no worker for {PATIENCE:g} seconds") from None
            except Exception:  # said below
                break
        waiting.popleft()
        try:
            found = future.result(timeout=1)
        except Exception as error:
            why = f"{type(error).__name__}: {str(error) or 'no more is known'}"
            if future.status != "error":
                raise DataLost(f"{block} or the cluster is lost ({why})") from error
            if not self.ready:  # `checked` says which block
                raise ValueError(f"it cannot be computed: {why}") from error
            raise DataLost(f"{block} cannot be computed: {why}") from error
        if isinstance(found, DataLost):
            raise DataLost(f"{block} {found}") from found
        if isinstance(found, ValueError):
            raise found if not self.ready else ValueError(f"{block}: {found}")
        if self._report is not None:
            self._report(self.facts[number].n_rows)
        return found

    def _asked(self, ask: Callable[..., Any], *args: Any, **options: Any) -> Any:
        """What the client says, or an error in words if it has lost its cluster."""
        try:
            return ask(*args, **options)
        except Exception as error:
            raise DataLost(f"the cluster is lost ({type(error).__name__}: {error})") from error

    def _kept(self, piece: Any) -> Any:
        """A recipe or a future; data that Dask was given from memory are sent to the workers once, and stay there."""
        if isinstance(piece, Recipe) and len(piece.packed) > HEAVY:
            return self.client.submit(Recipe.__call__, piece, pure=False)
        return piece


class Recipe:
    """How to make one block: the part of Dask's graph that it needs, followed by the worker that uses the block."""

    def __init__(self, graph: Any, key: Any) -> None:
        self.graph, self.key = graph, key

    def __call__(self) -> Any:
        from dask.local import get_sync

        return get_sync(self.graph, self.key)

    @once
    def packed(self) -> bytes:
        """Itself for the journey; memory maps go by the names of their files."""
        import cloudpickle

        class Pickler(cloudpickle.Pickler):
            def reducer_override(self, thing: Any) -> Any:
                if type(thing) is np.memmap and isinstance(thing.base, mmap.mmap) and thing.mode != "c":
                    order = "C" if thing.flags.c_contiguous else "F"
                    return np.memmap, (thing.filename, thing.dtype, "r", thing.offset, thing.shape, order)
                return super().reducer_override(thing)

        file = io.BytesIO()
        Pickler(file).dump((self.graph, self.key))
        return file.getvalue()

    def __reduce__(self) -> Any:
        return _unpacked, (self.packed,)


class _Here:
    """The blocks of a collection, computed in this process: an iterable that can be walked again."""

    def __init__(self, data: Any) -> None:
        self.pieces = _pieces(data)

    def __iter__(self) -> Iterator[Any]:
        for piece in self.pieces:
            yield piece() if isinstance(piece, Recipe) else piece.result()


def _pieces(data: Any) -> list[Any]:
    """The blocks of a collection or a list: a future where a worker holds the block, else a recipe."""
    from dask.optimization import cull
    from dask.utils import ensure_dict
    from distributed import futures_of

    found: list[Any] = []
    for one in data if isinstance(data, (list, tuple)) else [data]:
        if not hasattr(type(one), "__dask_graph__"):
            found.append(one)
            continue
        held = {future.key: future for future in futures_of(one)}
        if hasattr(one, "rechunk"):  # rows are never divided
            one = one.rechunk(dict.fromkeys(range(1, one.ndim), -1))
        parts = np.ravel(np.array(one.to_delayed(), dtype=object)) if hasattr(one, "to_delayed") else [one]
        graph = ensure_dict(parts[0].__dask_graph__())
        for part in parts:
            if part.key in held:
                found.append(held[part.key])
            elif held:  # made of what workers hold: they hold it, too
                found.append(next(iter(held.values())).client.compute(part))
            else:
                found.append(Recipe(cull(graph, [part.key])[0], part.key))
    return found


def _apply(
    function: Callable[..., Any], own: tuple[Any, ...], before: Any, check: Any, block: Any, weights: Any
) -> Any:
    """What a worker does: read the block, and say what `function` says of it; an error in words is an answer, too."""
    block, weights = (one() if isinstance(one, Recipe) else one for one in (block, weights))
    try:
        if before is not None:
            block, weights = as_before(before, check, block, weights)
        with one_thread():  # as in `fit`: more would sum in another order
            return function(block, weights, *own)
    except (ValueError, DataLost) as error:
        return error


def _pair(block: Any, weights: Any) -> tuple[Any, Any]:
    return block, weights


def _unpacked(packed: bytes) -> Recipe:
    return Recipe(*pickle.loads(packed))


def _connected(client: Any) -> Any:
    """A client of the scheduler at an address, or of so many processes that are started here."""
    distributed = _distributed()
    if not isinstance(client, str):
        n = validate.count(
            "client", client, why=", a number of processes; or a Client, or a scheduler's address"
        )
        return distributed.Client(
            n_workers=n, threads_per_worker=1, processes=True, dashboard_address=None, set_as_default=False
        )
    try:
        return distributed.Client(client, timeout=10, set_as_default=False)
    except Exception as error:
        raise ValueError(
            f"no Dask scheduler answers at {client!r} ({type(error).__name__}: {error}): start one with "
            "`dask scheduler`, or give a number of processes to start here"
        ) from error


def _close(opened: list[Any]) -> None:
    while opened:
        opened.pop().close()


def _distributed() -> Any:
    """Dask's distributed scheduler, or the news that it is not installed."""
    try:
        import distributed
    except ModuleNotFoundError as error:
        raise not_installed("emlib.scale", error, "scale") from error
    return distributed


KINDS.append((is_dask, on_dask))
