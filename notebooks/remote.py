"""An answer that stays in the process of its notebook, and is judged in another.

There: `take` finds the answer in the notebook, `call` calls it, `limit_memory` keeps its process in bounds. They
write plain data (`packed`, as JSON) to a file. Here: `unpacked` reads such data, and a `Remote` stands for a
function there: whoever calls it gets what the function returns. Nothing that the notebook wrote runs here, and
nothing is unpickled here, so the notebook has no say in what is made of its numbers.
"""

from __future__ import annotations

import base64
import builtins
import contextlib
import inspect
import json
import marshal
import pickle
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from itertools import islice
from pathlib import Path
from types import CodeType
from typing import Any, NoReturn

import numpy as np

from exercises import reading

FEW = 10  # values that are drawn from a generator: no exercise returns as many
PLAIN = "biufcUSmM"  # kinds of arrays that are nothing but numbers or text
BESIDE = ("dtype", "shape", "name")  # what is told of a value beside what is in it
taken: list[Any] = []  # there: the answer that is asked for

# There ------------------------------------------------------------------------------------------------


def limit_memory(size: int) -> None:
    """Let this process have so many bytes, so that one that asks for all there is harms no other."""
    with contextlib.suppress(ImportError, OSError, ValueError):  # not every system can
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (size, size))


def take(file: str, expression: str) -> None:
    """Find an answer in the notebook, by the expression that its check was given."""

    def work() -> Any:
        taken[:] = [eval(expression, vars(sys.modules["__main__"]))]
        answer = taken[0]
        if not callable(answer):
            return {"value": packed(answer)}
        code = getattr(answer, "__code__", None)
        text = marshal.dumps(code) if isinstance(code, CodeType) else b""
        return {"code": coded(text), "signature": _signature(answer)}

    _write(file, work)


def call(file: str, arguments: str) -> None:
    """Call the answer; the arguments come pickled."""

    def work() -> Any:
        given, named = pickle.loads(base64.b64decode(arguments))
        reading.poison()
        returned = packed(taken[0](*given, **named))
        return {"returned": returned, "given": [packed(one) for one in (*given, *named.values())]}

    _write(file, work)


def _signature(function: Any) -> list[Any] | None:
    """The name and kind of each argument, and whether it has a default; None if the function does not tell."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return None
    return [[one.name, int(one.kind), one.default is not one.empty] for one in parameters]


def _write(file: str, work: Callable[[], Any]) -> None:
    """Write what some work gives, or the exception that it ends in."""
    try:
        said = work()
    except BaseException as error:  # a learner's function may raise anything
        said = {"error": [kind.__name__ for kind in type(error).__mro__], "text": _text(error)}
    Path(file).write_text(json.dumps(said), encoding="utf-8")


def _text(error: BaseException) -> str:
    try:
        return str(error)[:2000]
    except Exception:  # whatever a strange exception does when it is asked what it says
        return ""


def coded(data: bytes) -> str:
    """Bytes as text."""
    return base64.b64encode(data).decode("ascii")


def packed(value: Any) -> Any:
    """A value as plain data: lists and dicts of numbers and text; of anything strange no more than its type."""
    try:
        return _packed(value)
    except Exception:  # whatever a strange object does when it is looked at
        return {"strange": type(value).__name__}


def _packed(value: Any) -> Any:
    if value is None or type(value) in (bool, int, float, str):
        return {"value": value}
    if isinstance(value, (bytes, type)):
        return {"strange": type(value).__name__}
    if isinstance(value, Iterator):  # a generator runs the learner's own lines: what they raise is raised
        return {"iterator": [packed(one) for one in islice(value, FEW)], "name": type(value).__name__}
    if isinstance(value, complex) or hasattr(value, "to_numpy") or hasattr(value, "__array__"):
        return _array(np.asarray(value))
    if hasattr(value, "__len__") and len(value) > reading.MOST:
        return {"strange": type(value).__name__}
    if isinstance(value, str):
        return {"value": str(value)}
    if isinstance(value, Mapping):
        return {"dict": [[packed(key), packed(one)] for key, one in value.items()]}
    if isinstance(value, Iterable) and not callable(value):
        kind = "set" if isinstance(value, Set) else "tuple" if isinstance(value, tuple) else "list"
        return {kind: [packed(one) for one in islice(value, reading.MOST)]}
    if hasattr(type(value), "__float__"):
        return {"value": float(value)}
    return {"strange": type(value).__name__}


def _array(array: np.ndarray[Any, Any]) -> Any:
    if array.size > reading.MOST:  # too large to be right, so its shape says enough
        return {"large": array.shape}
    if array.dtype.kind not in PLAIN:
        return {"objects": [packed(one) for one in array.flat], "shape": array.shape}
    return {"array": coded(array.tobytes()), "dtype": array.dtype.str, "shape": array.shape}


# Here -------------------------------------------------------------------------------------------------


def unpacked(data: Any) -> Any:
    """The value that was packed; an object without anything in it, of a type of that name, for a strange one."""
    ((kind, inside),) = [(kind, inside) for kind, inside in data.items() if kind not in BESIDE]
    if kind == "value":
        return inside
    if kind == "array":
        dtype = np.dtype(data["dtype"])
        if dtype.kind not in PLAIN:
            raise ValueError("no plain array")
        return np.frombuffer(base64.b64decode(inside), dtype).reshape(data["shape"]).copy()[()]
    if kind == "large":
        return np.broadcast_to(0.0, inside)
    if kind == "objects":
        objects = np.empty(len(inside), object)
        objects[:] = [unpacked(one) for one in inside]
        return objects.reshape(data["shape"])
    if kind == "dict":
        return {unpacked(key): unpacked(one) for key, one in inside}
    if kind == "iterator":
        inner = map(unpacked, inside)
        own = {"__iter__": lambda self: self, "__next__": lambda self: next(inner)}
        return type(str(data["name"]), (), own)()
    if kind == "strange":
        return type(str(inside), (), {})()
    return {"list": list, "tuple": tuple, "set": set}[kind](unpacked(one) for one in inside)


def raised(said: Mapping[str, Any]) -> NoReturn:
    """Raise an exception like the one that was raised there: its name, its words, and the nearest kind known here."""
    known = (getattr(builtins, name, None) for name in said["error"])
    # Exceptions only: a KeyboardInterrupt of the notebook's must not end the marking.
    base = next((kind for kind in known if isinstance(kind, type) and issubclass(kind, Exception)), Exception)
    text = str(said["text"])
    raise type(
        str(said["error"][0]), (base,), {"__init__": lambda self: None, "__str__": lambda self: text}
    )()


class Remote:
    """A function that lives in a notebook.

    The checks read its code (is there a loop?), which is never run here, and which arguments it takes.

    Parameters
    ----------
    facts : mapping
        What `take` wrote.
    ask : callable
        Takes the name of a function of this module and its arguments, calls it there and returns what it wrote.
    """

    def __init__(self, facts: Mapping[str, Any], ask: Callable[..., Any]) -> None:
        self._ask = ask
        if facts["code"]:
            self.__code__ = marshal.loads(base64.b64decode(facts["code"]))
        if facts["signature"] is not None:
            kind: Any = type(inspect.Parameter.KEYWORD_ONLY)  # the numbers' meaning has no public name
            self.__signature__ = inspect.Signature(
                [
                    inspect.Parameter(name, kind(n), default=None if optional else inspect.Parameter.empty)
                    for name, n, optional in facts["signature"]
                ]
            )

    def __call__(self, *given: Any, **named: Any) -> Any:
        said = self._ask("call", coded(pickle.dumps((given, named))))
        if "error" in said:
            raised(said)
        # A function that changes its arguments in place does so here, too: the checks look.
        for here, there in zip((*given, *named.values()), map(unpacked, said["given"]), strict=True):
            if isinstance(here, np.ndarray) and here.shape == np.shape(there):
                here[...] = there
        return unpacked(said["returned"])


def answer(said: Mapping[str, Any], ask: Callable[..., Any]) -> Any:
    """The answer that `take` found: a value, or a `Remote` for a function."""
    return unpacked(said["value"]) if "value" in said else Remote(said, ask)
