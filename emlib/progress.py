"""Progress bars: tqdm's, where it is installed; it is no part of the library.

- `bar`: one of them. `shown`: one for a fit. `each`: many tasks, one after the other or side by side, under one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from emlib import validate
from emlib.blocks import Blocks
from emlib.em import Step
from emlib.threads import one_thread

T = TypeVar("T")


def bar(progress: bool, over: Iterable[Any] | None = None, **options: Any) -> Any:
    """Tqdm's bar over some things, or with nothing to go over one that is told; None if there is to be none."""
    validate.kind("progress", progress, bool)
    if not progress:
        return None
    try:
        from tqdm.auto import tqdm  # it would load ipywidgets
    except ImportError:
        return None
    return tqdm(over, **options)


@contextmanager
def shown(progress: bool, blocks: Blocks, listeners: list[Callable[[Step[Any]], Any]]) -> Iterator[Blocks]:
    """The same blocks, read under a progress bar that says how many rows a second, and which step this is."""
    under = bar(progress, desc="EM", unit="row", unit_scale=True)
    if under is None:
        yield blocks
        return

    def tell(step: Step[Any]) -> None:
        under.set_postfix_str(f"step {step.number}, objective {step.objective:.10g}", refresh=False)

    listeners.append(tell)
    with under:
        yield blocks.watched(under.update)


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
