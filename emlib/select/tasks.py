"""Many tasks, one after the other or side by side, under a progress bar."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from emlib.progress import bar
from emlib.threads import one_thread

T = TypeVar("T")


def each(
    function: Callable[..., T],
    tasks: list[tuple[Any, ...]],
    n_jobs: int,
    progress: bool,
    title: str,
    unit: str,
) -> Iterator[T]:
    """What a function of a module makes of each task, in their order, one thread for each.

    Threads would sum in an order of their own, and results depend on `n_jobs`.
    """
    from joblib import Parallel, delayed  # slow to import, and needed only here

    parallel = Parallel(n_jobs=min(n_jobs, len(tasks)), return_as="generator")
    results: Any = parallel(delayed(_alone)(function, task) for task in tasks)
    for result in bar(progress, results, total=len(tasks), desc=title, unit=unit) or results:
        if isinstance(result, KeyboardInterrupt):
            results.throw(result)  # which ends the other tasks
        yield result


def _alone(function: Callable[..., T], task: tuple[Any, ...]) -> T | KeyboardInterrupt:
    """The result of a task, or its interrupt: raised in another process, it would cost the results before it."""
    try:
        with one_thread():
            return function(*task)
    except KeyboardInterrupt as interrupt:
        return interrupt
