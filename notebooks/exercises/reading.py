"""How an answer is read: what a learner's function returned, as arrays, and what its own text says of it."""

from __future__ import annotations

import dis
import inspect
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence, Set
from itertools import islice
from numbers import Number
from types import CodeType, FunctionType
from typing import Any

import numpy as np

from emlib.validate import Array

MOST = 100_000  # numbers; nothing here is so large, and a strange object may claim any length
MARK = 0x7FF8_0000_0BAD_0BAD  # the bits of a nan that no calculation makes


def described(value: Any) -> str:
    """A value in few words, for a message."""
    if value is None:
        return "None"
    if isinstance(value, np.ndarray):
        return f"one array of shape {value.shape}"
    if isinstance(value, (tuple, list)):
        return f"a {type(value).__name__} of {len(value)}"
    if isinstance(value, Generator):
        return "a generator (of `yield`, or of round brackets with `for`)"
    if isinstance(value, (bool, int, float)):
        return f"one number, {value:.6g}" if not isinstance(value, bool) else str(value)
    return f"{'an' if type(value).__name__[0] in 'aeiouAEIOU' else 'a'} {type(value).__name__}"


def split(returned: Any, shapes: Sequence[tuple[int, ...]]) -> list[Any] | None:
    """The values that were returned together, whatever sequence holds them; None if they are not so many.

    Parameters
    ----------
    returned : anything
    shapes : sequence of tuples
        Those of the right values. An array is taken for several values only if its rows have these shapes.
    """
    if hasattr(returned, "to_numpy"):
        returned = np.asarray(returned)
    if isinstance(returned, np.ndarray) and returned.dtype != object:
        alike = returned.ndim > 0 and all(returned.shape[1:] == shape for shape in shapes)
        return list(returned) if alike and len(returned) == len(shapes) else None
    if isinstance(returned, (str, bytes, Mapping, Set)) or not isinstance(returned, Iterable):
        return None
    try:
        values = list(islice(returned, len(shapes) + 1))
    except Exception:
        if isinstance(returned, Iterator):  # a generator runs the learner's own lines
            raise
        return None
    return values if len(values) == len(shapes) else None


def numbers(value: Any) -> tuple[Array, str]:
    """An array of what was returned, or what is wrong with it."""
    if isinstance(value, (str, bytes, Mapping, Set, Iterator)) or value is None:
        return np.empty(0), described(value)
    try:
        if hasattr(value, "toarray"):  # a sparse matrix
            value = value.toarray()
        if not isinstance(value, (np.ndarray, Number)) and hasattr(value, "__len__") and len(value) > MOST:
            return np.empty(0), described(value)
        array = np.asarray(value)
        if array.dtype.kind == "c":
            return np.empty(0), "complex numbers"
        if array.dtype.kind in "US":
            return np.empty(0), "an array of text"
        words = array.dtype == object and any(isinstance(n, (str, bytes, type(None))) for n in array.flat)
        if array.dtype.kind not in "biufO" or words:
            return np.empty(0), described(value)
        if array.size > MOST:  # too large to be right, so its shape says enough
            return np.broadcast_to(0.0, array.shape), ""
        # A copy, since what is returned may change later. float32 stays: it is right to fewer digits.
        return np.array(array, np.float32 if array.dtype == np.float32 else float), ""
    except Exception as error:  # whatever a strange object does when it is asked for its numbers
        uneven = " whose rows differ in length" if "inhomogeneous" in str(error) else ""
        return np.empty(0), f"{described(value)}{uneven}"


def poison() -> None:
    """Fill the memory that NumPy will hand out next with nan.

    `np.empty` reuses what was freed, and that may be the right answer of a moment ago: whoever forgets to
    store anything in it should not be praised for it.
    """
    nan = np.array(MARK, np.uint64).view(float)
    for size in range(1, 129):  # NumPy keeps a few blocks of each size up to a kilobyte
        blocks = [np.full(size, nan) for _ in range(8)]
        del blocks


def never_stored(array: Array) -> bool:
    """Whether an array holds what `poison` left in the memory."""
    return bool(array.dtype == float and (array.view(np.uint64) == MARK).any())


# What the function's own text says --------------------------------------------------------------------


def code(function: Any) -> Iterator[CodeType]:
    """The code of a Python function and of the functions and comprehensions inside it."""
    waiting = [getattr(function, "__code__", None)]
    while waiting:
        one = waiting.pop()
        if isinstance(one, CodeType):
            yield one
            waiting += one.co_consts


def names(function: Any) -> set[str]:
    """The names that a function reads from outside itself."""
    steps = (step for one in code(function) for step in dis.get_instructions(one))
    return {str(step.argval) for step in steps if step.opname in ("LOAD_GLOBAL", "LOAD_NAME")}


def mentions(function: Any, *words: str) -> bool:
    """Whether any of these attributes or names stands in a function."""
    return any(word in one.co_names for one in code(function) for word in words)


def loops(function: Any) -> bool:
    """Whether a function has a loop or a comprehension."""
    steps = (step for one in code(function) for step in dis.get_instructions(one))
    return any(step.opname == "FOR_ITER" or "JUMP_BACKWARD" in step.opname for step in steps)


def parameters(function: Any) -> tuple[str, ...]:
    """The names of a function's arguments; none if it does not tell."""
    try:
        return tuple(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        return ()


def uncalled(function: Any, arguments: Sequence[str]) -> str:
    """Why a function cannot be called with these arguments, in this order; "" if it can."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return ""
    try:
        signature.bind(*arguments)
    except TypeError:
        many = f"{len(arguments)} argument{'s' * (len(arguments) > 1)}, {', '.join(arguments)}"
        named = any(one.kind is one.KEYWORD_ONLY for one in signature.parameters.values())
        own = f"{', '.join(signature.parameters) or 'none'}{' (by name)' * named}"
        return f"it is called with {many}; yours takes {own}"
    return ""


def strays(function: Any, call: Callable[[Any], Any]) -> list[str]:
    """The arrays of the notebook that a function really reads: without one of them it cannot run.

    Parameters
    ----------
    function : callable
    call : callable
        Calls a function that is like it, with arguments.
    """
    if not isinstance(function, FunctionType):
        return []
    found = []
    for name in sorted(names(function)):
        if isinstance(function.__globals__.get(name), np.ndarray):
            rest = {key: value for key, value in function.__globals__.items() if key != name}
            without = FunctionType(
                function.__code__, rest, function.__name__, function.__defaults__, function.__closure__
            )
            try:
                call(without)
            except NameError as error:
                found += [name] if error.name == name else []
            except KeyboardInterrupt:
                raise
            except BaseException:  # it failed, but not for want of this
                continue
    return found
