"""Numbers in sentences: how messages and reprs spell counts, arrays and lists."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from emlib.value import Array


def counted(n: int, noun: str) -> str:
    """A number with its noun: 1 Gaussian, 3 Gaussians."""
    return f"{n} {noun}{'' if n == 1 else 's'}"


def listing(things: Iterable[Any]) -> str:
    """Things in a sentence: "0", "0 and 2", "0, 2 and 5"."""
    *rest, last = map(str, things)
    return f"{', '.join(rest)} and {last}" if rest else last


def brief(array: Array) -> str:
    """An array on one line, with six significant digits."""
    if array.ndim:
        return "[" + ", ".join(brief(row) for row in array) + "]"
    return f"{array:.6g}"
