"""Many tasks, one after the other or side by side, under a progress bar."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

T = TypeVar("T")


def each(function: Callable[..., T], tasks: list[tuple[Any, ...]], n_jobs: int) -> Iterator[tuple[int, T]]:
    """What the function makes of each task, with the number of the task, as they come.

    Parameters
    ----------
    function : callable
        Of a module: other processes must find it.
    tasks : list of tuples
        Its arguments.
    n_jobs : int
        How many processes; -1 for one on each core.
    """
    if n_jobs == 1 or len(tasks) == 1:
        return ((number, function(*task)) for number, task in enumerate(tasks))
    from joblib import Parallel, delayed  # slow to import, and needed only here

    parallel = Parallel(n_jobs=min(n_jobs, len(tasks)), return_as="generator_unordered")
    return parallel(delayed(_numbered)(number, function, task) for number, task in enumerate(tasks))


def _numbered(number: int, function: Callable[..., T], task: tuple[Any, ...]) -> tuple[int, T]:
    return number, function(*task)


def watched(results: Iterator[T], total: int, progress: bool, title: str, unit: str) -> Iterable[T]:
    """The same results, under a progress bar, if one is wanted and tqdm is installed."""
    if not progress:
        return results
    try:
        from tqdm.auto import tqdm  # no part of the library; and it would load ipywidgets
    except ImportError:
        return results
    return tqdm(results, total=total, desc=title, unit=unit)
