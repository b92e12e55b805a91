"""Values: objects that never change, can be compared, and survive pickling as they were."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, is_dataclass
from functools import cache, cached_property
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


class Value:
    """The base of models, statistics and all else that is immutable. Its subclasses are frozen dataclasses.

    Two values are equal if they are of one class and all their fields are equal; nan equals nan here, so that a
    value equals its own copy. What a `cached_property` has computed does not count.
    """

    # What subclasses inherit. Else @dataclass would write its own: a comparison that NumPy's arrays do not survive.
    _inherited: ClassVar[tuple[str, ...]] = ("__eq__", "__hash__")
    _computed: ClassVar[tuple[str, ...]] = ()  # names of properties that are computed once, and kept

    def __init_subclass__(cls, **keywords: Any) -> None:
        super().__init_subclass__(**keywords)
        for name in cls._inherited:
            setattr(cls, name, getattr(cls, name))
        known = {name: thing for base in reversed(cls.__mro__) for name, thing in vars(base).items()}
        cls._computed = tuple(name for name, thing in known.items() if isinstance(thing, cached_property))

    @classmethod
    def _made(cls, **state: Any) -> Self:
        """An instance with these fields, which are known to be in order."""
        return object.__new__(cls)._with(**state)

    def _with(self, **changes: Any) -> Self:
        """The same but for some fields, which are known to be in order."""
        new = object.__new__(type(self))  # a frozen dataclass is set once, here
        own = new.__dict__
        own.update(self.__dict__)
        own.update(changes)
        for name in self._computed:
            own.pop(name, None)
        for value in changes.values():
            if isinstance(value, np.ndarray):
                value.setflags(write=False)
        return new

    def __eq__(self, other: Any) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return all(_equal(getattr(self, name), getattr(other, name)) for name in field_names(type(self)))

    def __hash__(self) -> int:
        shapes = [getattr(getattr(self, name), "shape", ()) for name in field_names(type(self))]
        return hash((type(self), *shapes))

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


@cache
def _field_names(cls: type) -> tuple[str, ...]:
    """The names of the fields of a dataclass that make it what it is."""
    return tuple(field.name for field in fields(cls) if field.compare) if is_dataclass(cls) else ()


field_names: Callable[[type], tuple[str, ...]] = _field_names  # (mypy thinks a class could not be hashed)


def _equal(a: Any, b: Any) -> bool:
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        numbers = np.asarray(a).dtype.kind in "fc" and np.asarray(b).dtype.kind in "fc"
        return np.array_equal(a, b, equal_nan=numbers)
    if isinstance(a, tuple) and isinstance(b, tuple):
        return len(a) == len(b) and all(map(_equal, a, b))
    return bool(a == b) or (isinstance(a, float) and isinstance(b, float) and a != a and b != b)


class once(cached_property[Any]):  # noqa: N801 (used as a decorator)
    """A property that is computed once: `functools.cached_property` without the lock it has in Python 3.11."""

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        if instance is None:
            return self
        value = instance.__dict__[self.attrname] = self.func(instance)
        return value


def frozen(array: Array) -> Array:
    """Return a copy that cannot be written to, so that a model that holds it is a value."""
    copy = np.array(array, dtype=np.float64, order="C")
    copy.setflags(write=False)
    return copy
