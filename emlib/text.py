"""Things in sentences: how messages and reprs spell counts, arrays, lists and kinds of things."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from emlib.value import Array


def not_installed(what: str, error: ModuleNotFoundError, extra: str = "course") -> ModuleNotFoundError:
    """The same error, with what to install."""
    missing = str(error.name).split(".")[0]
    message = f"{what} needs {missing}, which is not installed: install em-course[{extra}]"
    return ModuleNotFoundError(message, name=missing)


def counted(n: int, noun: str) -> str:
    """A number with its noun: 1 Gaussian, 3 Gaussians."""
    return f"{n} {noun}{'' if n == 1 else 's'}"


def with_article(noun: str) -> str:
    """A noun with its article: "a list", "an int"."""
    return f"a{'n' if noun.lower().startswith(('a', 'e', 'i', 'o', 'nd')) else ''} {noun}"  # an ndarray


def kind_of(thing: Any) -> str:
    """What somebody has passed, by its kind: "an int", "None", "the class Gaussian"."""
    if thing is None:
        return "None"
    return f"the class {thing.__name__}" if isinstance(thing, type) else with_article(type(thing).__name__)


def listing(things: Iterable[Any]) -> str:
    """Things in a sentence: "0", "0 and 2", "0, 2 and 5"."""
    *rest, last = map(str, things)
    return f"{', '.join(rest)} and {last}" if rest else last


def brief(array: Array) -> str:
    """An array on one line, with six significant digits; of more than ten rows the first ten."""
    if array.ndim:
        more = [f"and {len(array) - 10} more"] if len(array) > 10 else []
        return "[" + ", ".join([*map(brief, array[:10]), *more]) + "]"
    return f"{array:.6g}"
