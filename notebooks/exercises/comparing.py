"""When two arrays of numbers are the same, and which number tells them apart."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from emlib.validate import Array


def same(a: Array, b: Array) -> bool:
    """Whether a given array is another; to fewer digits if it is of type float32, which has no more."""
    near = {"rtol": 1e-4, "atol": 1e-6} if a.dtype == np.float32 else {"rtol": 1e-8, "atol": 1e-12}
    return a.shape == b.shape and bool(np.allclose(a, b, **near, equal_nan=True))


def all_same(some: Iterable[Array], others: Iterable[Array]) -> bool:
    """Whether each of some arrays is the one beside it."""
    return all(same(a, b) for a, b in zip(some, others, strict=True))


def same_flat(a: Array, b: Array) -> bool:
    """The same but for axes of length 1, whose right number is judged where they are longer."""
    return a.size == b.size and bool(np.allclose(a.ravel(), b.ravel(), rtol=1e-6, atol=1e-9))


def same_roughly(a: Array, b: Array) -> bool:
    """The same as far as float32 can tell: it has seven digits, and sums lose some."""
    least = 1e-3 * max(1.0, float(np.abs(b).max()))
    return a.shape == b.shape and bool(np.allclose(a, b, rtol=1e-3, atol=least))


def rounded(answers: Sequence[Array], rights: Sequence[Array]) -> str:
    """Which digits are missing, if the answers are the right numbers without some; "" if they are not."""
    alike = all(a.shape == b.shape for a, b in zip(answers, rights, strict=True))
    if not alike or not any(answer.any() for answer in answers):
        return ""
    for d in range(10):
        if all_same(answers, [np.round(right, d) for right in rights]):
            return (
                f"rounded to {f'{d} decimals' if d > 1 else ['whole numbers', '1 decimal'][d]}; do not round"
            )
    if all_same(answers, [np.trunc(right) for right in rights]):
        return "the fractions are cut off: these are whole numbers (integers)"
    return ""


def multiple(answer: Array, right: Array) -> str:
    """How many times too large an answer is, if it is so in all its places, of which two at least are not 0."""
    if np.count_nonzero(right) < 2 or not np.isfinite(answer).all():
        return ""
    where = np.unravel_index(int(np.argmax(np.abs(right))), right.shape)
    factor = float(answer[where] / right[where])
    if factor in (0, 1) or not np.allclose(answer, factor * right, rtol=1e-6, atol=1e-12):
        return ""
    return (
        "every number has the wrong sign"
        if factor == -1
        else f"every number is {factor:.6g} times what it should be"
    )


def one_number(name: str, answer: Array, right: Array) -> str:
    """The number that is farthest off, with what it should be, in as many digits as tell the two apart."""
    with np.errstate(invalid="ignore"):  # inf - inf
        off = np.where(np.isfinite(answer), np.abs(answer - right), np.inf)
    off = np.where(answer == right, 0, off)  # inf where inf is right
    where = np.unravel_index(int(np.argmax(off)), right.shape)
    entry = f"{name}[{', '.join(str(int(i)) for i in where)}]" if where else name
    given, wanted = float(answer[where]) + 0.0, float(right[where]) + 0.0  # no -0
    if right.dtype == bool and given in (0, 1):
        return f"{entry} is {bool(given)} and should be {bool(wanted)}"
    digits = next((d for d in range(6, 17) if f"{given:.{d}g}" != f"{wanted:.{d}g}"), 17)
    return f"{entry} is {given:.{digits}g} and should be {wanted:.{digits}g}"
