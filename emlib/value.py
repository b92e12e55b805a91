"""Values: objects that never change, can be compared, and survive pickling as they were."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


class Value:
    """The base of models, statistics and all else that is immutable. Its subclasses are frozen dataclasses.

    Two values are equal if they are of one class and all their fields are equal; nan equals nan here, so that a
    value equals its own copy. What a `cached_property` has computed does not count.
    """

    def __init_subclass__(cls, **keywords: Any) -> None:
        super().__init_subclass__(**keywords)
        # Else @dataclass would write a comparison of its own, which NumPy's arrays do not survive.
        for name in ("__eq__", "__hash__"):
            if name not in vars(cls):
                setattr(cls, name, getattr(Value, name))

    def __eq__(self, other: Any) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return all(_equal(getattr(self, name), getattr(other, name)) for name in field_names(type(self)))

    def __hash__(self) -> int:
        return hash(
            (type(self), *(getattr(getattr(self, name), "shape", ()) for name in field_names(type(self))))
        )

    def __setstate__(self, state: dict[str, Any]) -> None:
        if missing := [name for name in field_names(type(self)) if name not in state]:
            raise ValueError(
                f"this pickled {type(self).__name__} is of another version of emlib: it has no {missing[0]}. Make it "
                "anew from its means, covariances and weights"
            )
        for value in state.values():
            if isinstance(value, np.ndarray):
                value.setflags(write=False)
        self.__dict__.update(state)


def field_names(cls: type) -> tuple[str, ...]:
    """The names of the fields of a dataclass that make it what it is."""
    if cls not in _names:
        _names[cls] = tuple(field.name for field in fields(cls) if field.compare) if is_dataclass(cls) else ()
    return _names[cls]


_names: dict[type, tuple[str, ...]] = {}


def _equal(a: Any, b: Any) -> bool:
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        numbers = np.asarray(a).dtype.kind in "fc" and np.asarray(b).dtype.kind in "fc"
        return np.array_equal(a, b, equal_nan=numbers)
    if isinstance(a, tuple) and isinstance(b, tuple):
        return len(a) == len(b) and all(map(_equal, a, b))
    return bool(a == b) or (isinstance(a, float) and isinstance(b, float) and a != a and b != b)


class once:  # noqa: N801 (used as a decorator)
    """A property that is computed once: `functools.cached_property` without the lock it has in Python 3.11."""

    def __init__(self, compute: Callable[[Any], Any]) -> None:
        self.compute, self.name, self.__doc__ = compute, compute.__name__, compute.__doc__

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        if instance is None:
            return self
        value = instance.__dict__[self.name] = self.compute(instance)
        return value


def frozen(array: Array) -> Array:
    """Return a copy that cannot be written to, so that a model that holds it is a value."""
    copy = np.array(array, dtype=np.float64, order="C")
    copy.setflags(write=False)
    return copy
