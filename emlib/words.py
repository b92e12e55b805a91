"""Numbers in sentences: how messages and reprs spell counts and arrays."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def counted(n: int, noun: str) -> str:
    """A number with its noun: 1 Gaussian, 3 Gaussians."""
    return f"{n} {noun}{'' if n == 1 else 's'}"


def brief(array: NDArray[np.float64]) -> str:
    """An array on one line, with six significant digits."""
    if array.ndim:
        return "[" + ", ".join(brief(row) for row in array) + "]"
    return f"{array:.6g}"
