"""Progress bars: tqdm's, where it is installed; it is no part of the library."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from emlib import validate
from emlib.blocks import Blocks
from emlib.em import Step


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
    listeners.append(
        lambda step: under.set_postfix_str(
            f"step {step.number}, objective {step.objective:.10g}", refresh=False
        )
    )
    with under:
        yield blocks.watched(under.update)
