"""Progress bars: tqdm's, where it is installed; it is no part of the library."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from emlib import validate


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
