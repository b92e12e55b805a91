"""What sizes say in words: shapes in the letters of the course, and exceptions without NumPy's own language.

An argument's shape is known in letters, such as "(N, K)"; so a size of 7 that some expression stumbles over is N, the
number of points. What to do about it is said only where the failing expression itself shows it.
"""

from __future__ import annotations

import dis
import linecache
import re
from collections.abc import Iterable, Mapping, Sequence
from types import TracebackType
from typing import Any, NamedTuple

import numpy as np

Shape = tuple[int, ...]

# What NumPy and Python say of an array in the wrong place, and what it means. The first that is found is said.
PLAIN = {
    r"inhomogeneous shape": "an array was to be made of rows that differ in length",
    r"truth value of an array": (
        "something that decides on one number only (`if`, `and`, `or`, `not`; Python's own max, min, sorted) met a "
        "whole array"
    ),
    r"can be converted to Python scalars": "something that takes one number (of `math`, or `float`) got a whole array",
    r"setting an array element with a sequence": "several numbers were to be stored in the place of one",
    r"Cannot cast ufunc .* to dtype\('int": "an array of whole numbers (integers) was to take fractions, in place",
    r"Cannot cast array data from dtype\('float\d+'\) to dtype\('int": (
        "whole numbers (integers) were needed, and there were fractions"
    ),
    r"negative integer powers": "a whole number (integer) was raised to a negative power; make it a float first",
    r"axis -?(\d+) is out of bounds for array of dimension (\d+)": (
        "axis {0} was asked for, of something with {1} axes (they are counted from 0)"
    ),
    r"too many indices for array: array is (\d+)-dimensional, but (\d+) were indexed": (
        "{1} indices were given to something with {0} axes"
    ),
    r"only integers, slices": "an index must be a whole number (int)",
    r"only integer scalar arrays|only length-1 arrays": "one whole number was needed, and there was a whole array",
    r"arrays used as indices must be": "an array used as an index must hold whole numbers, or True and False",
    r"must be square": "a square matrix was needed",
    r"does not have enough dimensions": (
        "in a matrix product one side is no array with axes: it is a single number, or a function without its brackets"
    ),
    r"unsupported operand type.*'(?:builtin_function_or_method|method|function)'": (
        "a function stands without its round brackets"
    ),
    r"bitwise_xor": "`^` is no power in Python; write `**`",
    r"did not contain a loop with signature": "a calculation met something that is no number (text, or None?)",
    r"unhashable type: 'numpy\.ndarray'": "a whole array was used as a key (of a dict, a set or a cache)",
    r"'NoneType' object has no attribute '(\w+)'": (
        "`.{0}` was asked of None (what changes a list, such as append, returns nothing)"
    ),
    r"'numpy\.ndarray' object is not callable": "round brackets behind an array (`.T` and `.shape` have none)",
    r"'numpy\.ndarray' object has no attribute '(\w+)'": "an array has no `.{0}`",
    r"'(?:numpy\.)?(?:float|int)\d*' object is not (?:iterable|subscriptable)|invalid index to scalar": (
        "several numbers were wanted, and there was a single one"
    ),
    r"local variable '(\w+)' (?:where|referenced)": "`{0}` is used before anything is stored in it",
    r"values to unpack": "there are not as many values as names on the left of `=`",
    r"(?:fewer|more) operands provided to einstein": "np.einsum wants one group of letters for each array",
    r"einstein sum subscripts string contains too many|operand has more dimensions than": (
        "np.einsum wants one letter for each axis of an array"
    ),
    r"size of axis is (\d+) but size of corresponding boolean axis is (\d+)": (
        "a mask of {1} values was laid over an axis of {0}"
    ),
}
ORDER = "NMKCDPTB"  # of the letters, in a message
LOADS = ("LOAD_FAST", "LOAD_NAME", "LOAD_GLOBAL", "LOAD_DEREF")
SUMS = {"sum", "mean", "max", "min", "amax", "amin", "logsumexp"}  # those that take keepdims


class Operand(NamedTuple):
    """One of the two things that an operator combines: its name, if it is no more than that."""

    name: str = ""
    ends: str = (
        ""  # in a sum, mean, maximum or minimum along the "rows" (axis 1 or -1), or in something "else"
    )


class Failure(NamedTuple):
    """An expression that raised an exception."""

    place: str  # "" if not known
    shapes: dict[str, Shape]  # of the arrays whose names stand in it
    operands: tuple[Operand, ...]  # if it is an operator with two
    combines: bool = False  # it is an operator or a call, and stores nothing
    arguments: tuple[str, ...] = ()  # of the function that it stands in


# Sizes and their letters ------------------------------------------------------------------------------


def axes(shape: str) -> list[str]:
    """The letters of a shape: N and K of "(N, K): one row for each point"."""
    inside = re.match(r"\(([^)]*)\)", shape)
    return re.findall(r"\w+", inside.group(1)) if inside else []


def sizes(shapes: Sequence[str], case: Sequence[Any]) -> dict[str, int]:
    """How large N, K, D are in a case.

    Parameters
    ----------
    shapes : sequence of str
        Those of the arguments, in letters; "" for a number.
    case : sequence
        The arguments.
    """
    found: dict[str, int] = {}
    for shape, given in zip(shapes, case, strict=False):
        found |= dict(zip(axes(shape), np.shape(given), strict=False))
    return dict(sorted(found.items(), key=lambda pair: ORDER.find(pair[0])))


def lettered(shape: Shape, known: Mapping[str, int]) -> str:
    """A shape in letters where they are known for sure: (7, 3) is "(N, K)"."""
    found = {size: letter for letter, size in known.items() if size > 1}
    unsure = {size for size in found if list(known.values()).count(size) > 1}
    inside = [str(size) if size in unsure else found.get(size, str(size)) for size in shape]
    return f"({', '.join(inside)}{',' if len(inside) == 1 else ''})"


def both(shape: Shape, known: Mapping[str, int]) -> str:
    """A shape in letters and numbers: "(N, K) = (7, 3)"."""
    letters = lettered(shape, known)
    return letters if letters == str(shape) else f"{letters} = {shape}"


def values(known: Mapping[str, int], shapes: Iterable[Shape]) -> str:
    """The sizes of the letters that some shapes need: "N = 7, K = 3"."""
    used = {size for shape in shapes for size in shape}
    return ", ".join(f"{letter} = {size}" for letter, size in known.items() if size in used and size > 1)


def wrong_shape(name: str, given: Shape, wanted: Shape, meaning: str, known: Mapping[str, int]) -> str:
    """What is wrong with a shape.

    Parameters
    ----------
    name : str
        Of the array.
    given, wanted : tuple of int
    meaning : str
        The shape wanted, in letters and words: "(N, K): one row for each point".
    known : mapping
        The sizes by letter.
    """
    words = meaning.partition(": ")[2]
    if not wanted:
        return f"it has shape {both(given, known)}; it must be {meaning}"
    if not given:
        return f"it is a single number; it must have shape {both(wanted, known)}{': ' * bool(words)}{words}"
    if len(wanted) == 2 and given == wanted[::-1]:
        return f"{name} has {words}, {both(wanted, known)}; yours lies on its side, {given}"
    ends = f"{': ' * bool(words)}{words}"
    if len(given) > len(wanted) and [size for size in given if size != 1] == [
        size for size in wanted if size != 1
    ]:
        more = len(given) - len(wanted)
        many = "an axis" if more == 1 else f"{more} axes"
        return f"it has shape {both(given, known)}, {many} too many; it must be {both(wanted, known)}{ends}"
    return f"it has shape {both(given, known)}; it must have shape {both(wanted, known)}{ends}"


# Exceptions -------------------------------------------------------------------------------------------


def told(error: BaseException, function: Any, known: Mapping[str, int]) -> str:
    """An exception in a learner's function, without a traceback.

    Parameters
    ----------
    error : exception
    function : callable
        The learner's.
    known : mapping
        The sizes of the case by letter.
    """
    message, failure = _text(error), _failure(error.__traceback__, function)
    if isinstance(error, RecursionError):
        return f"it calls itself, again and again without an end{failure.place}"
    there = ", ".join(f"{name} is {lettered(shape, known)}" for name, shape in failure.shapes.items())
    if met := _met(message):
        there = f": {there}" if there else ""
        freely = failure.combines and not re.search("remapped|input array|output operand", message)
        hint = _hint(met, failure, known) if freely else ""
        where = values(known, [*met, *failure.shapes.values()])
        return f"{_combined(message, met, known)}{failure.place}{there}{', with ' * bool(where)}{where}{hint}"
    matmul = re.search(r"size (?P<right>\d+) is different from (?P<left>\d+)", message)
    if product := matmul or re.search(r"not aligned: (?P<left>\d+) .* != (?P<right>\d+)", message):
        left, right = (_size(int(product[side]), known) for side in ("left", "right"))
        there = f": {there}" if there else ""
        where = values(known, failure.shapes.values())
        return (
            "in a matrix product the last axis of the left factor must be as long as the first of the right one, "
            f"and {left} meets {right}{failure.place}{there}{', with ' * bool(where)}{where}"
        )
    if beyond := re.search(r"index (-?\d+) is out of bounds for axis \d+ with size (\d+)", message):
        index, size = beyond.groups()
        return f"it asks for number {index} of {_size(int(size), known)} (they are counted from 0){failure.place}"
    for pattern, words in PLAIN.items():
        if found := re.search(pattern, message):
            groups = [_size(int(n), known) if "size" in pattern else n for n in found.groups()]
            plain = words.format(*groups).replace(" 1 axes", " 1 axis")
            return f"{plain}{failure.place}{': ' * bool(there)}{there}"
    foreign = re.search(r"gufunc|ufunc|dtype\(|core dimension|einstein|operand", message)
    said = "" if foreign or not message else f": {message}"
    arrays = there if isinstance(error, (ValueError, IndexError, RuntimeError)) or foreign else ""
    return f"it raised {type(error).__name__}{said}{failure.place}{'; there ' * bool(arrays)}{arrays}"


def _text(error: BaseException) -> str:
    try:
        first = (
            str(error).strip().partition("\n")[0].rstrip(" .:")
        )  # what follows is rows of numbers, or advice for others
        return first if len(first) <= 200 else f"{first[:200]} ..."
    except Exception:  # whatever a strange exception does when it is asked what it says
        return ""


def _met(message: str) -> list[Shape]:
    """The shapes that did not fit together, if that is what an exception says."""
    if "broadcast" not in message:
        return []
    found = re.findall(r"\((\d+(?:,\d*)*)\)", re.sub(r"->\([^)]*\)", "", message))
    shapes = [tuple(int(size) for size in shape.split(",") if size) for shape in found]
    return list(dict.fromkeys(shape for shape in shapes if shape))


def _size(size: int, known: Mapping[str, int]) -> str:
    letters = [letter for letter, length in known.items() if length == size]
    return f"{letters[0]} = {size}" if len(letters) == 1 else str(size)


def _combined(message: str, met: list[Shape], known: Mapping[str, int]) -> str:
    one, *others = (lettered(shape, known) for shape in met)
    if "input array" in message:
        return f"you stored something of shape {one} in a place of shape {others[0] if others else one}"
    if "output operand" in message:
        return f"you changed something of shape {one} in place, and the result has {others[0] if others else one}"
    return f"you combined something of shape {one} with something of shape {' and '.join(others)}"


def _hint(met: list[Shape], failure: Failure, known: Mapping[str, int]) -> str:
    """What would make two shapes fit; "" unless the expression itself shows it."""
    if len(met) != 2 or any(not re.fullmatch(r"[(\w, )]+", lettered(shape, known)) for shape in met):
        return ""
    small, large = sorted(met, key=len)
    own = failure.operands[met.index(small)] if failure.operands else _only(small, failure.shapes)
    if len(small) == 1 and len(large) == 2 and small[0] == large[0]:  # a row where a column belongs
        column = lettered((*small, 1), known)
        if own.name:
            return f". `{own.name}[:, None]` makes a column of it, {column}"
        keep = f". `keepdims=True` keeps the column, {column}, that is lost along the rows"
        behind = (
            f". `[:, None]` behind what has shape {lettered(small, known)} makes a column of it, {column}"
        )
        return {"rows": keep, "else": behind, "": ""}[own.ends]
    rows = "M" if "M" in known else "N"  # what an answer has one row for
    if len(small) == len(large) <= 2 and small[1:] == large[1:]:  # points against components
        for n, shape in enumerate(met):
            one = failure.operands[n] if failure.operands else _only(shape, failure.shapes)
            if shape[0] == known.get(rows) and one.name in failure.arguments:
                column = lettered((shape[0], 1, *shape[1:]), known)
                table = lettered((shape[0], met[1 - n][0], *shape[1:]), known)
                if len(shape) == 1:
                    return (
                        f". `{one.name}[:, None]` makes a column, {column}; a column and a row make {table}"
                    )
                return f". `{one.name}[:, None]`, {column}, takes each of the {rows} with each of the others: {table}"
    return ""


def _only(shape: Shape, shapes: Mapping[str, Shape]) -> Operand:
    """The one array with a shape, among those that a call got."""
    names = [name for name, own in shapes.items() if own == shape]
    return Operand(names[0]) if len(names) == 1 else Operand()


def _failure(trace: TracebackType | None, function: Any) -> Failure:
    """The expression in the learner's own text that an exception came from."""
    file, last = getattr(getattr(function, "__code__", None), "co_filename", None), None
    while trace is not None:
        last = trace if trace.tb_frame.f_code.co_filename == file else last
        trace = trace.tb_next
    if last is None:
        return Failure("", {}, ())
    frame, line = last.tb_frame, last.tb_lineno
    steps = [step for step in dis.get_instructions(frame.f_code) if step.offset <= last.tb_lasti]
    where = steps[-1].positions if steps else None
    if where is None or where.col_offset is None or where.lineno is None:
        return Failure(f", at line {line}", {}, ())
    text = (
        linecache.getline(str(file), where.lineno)
        .encode()[where.col_offset : where.end_col_offset]
        .decode(errors="replace")
    )
    place = f", at `{text}`" if text and where.lineno == where.end_lineno else f", at line {line}"
    inside = [step for step in steps[:-1] if _within(step, steps[-1])]
    scope = {**frame.f_globals, **frame.f_locals}
    names = [name for step in inside if step.opname.startswith(LOADS) for name in _loaded(step)]
    shapes = {name: scope[name].shape for name in names if isinstance(scope.get(name), np.ndarray)}
    kind = steps[-1].opname
    operands = _operands(inside) if kind == "BINARY_OP" else ()
    own = frame.f_code.co_varnames[: frame.f_code.co_argcount]
    return Failure(place, shapes, operands, kind == "BINARY_OP" or kind.startswith("CALL"), own)


def _within(step: dis.Instruction, whole: dis.Instruction) -> bool:
    """Whether a step belongs to the expression of another."""
    a, b = step.positions, whole.positions
    if a is None or b is None or None in (*a, *b):
        return False
    start, end = (a.lineno, a.col_offset), (a.end_lineno, a.end_col_offset)
    return bool((b.lineno, b.col_offset) <= start and end <= (b.end_lineno, b.end_col_offset))


def _loaded(step: dis.Instruction) -> tuple[str, ...]:
    """The names that a step reads; some steps read two."""
    return step.argval if isinstance(step.argval, tuple) else (str(step.argval),)


def _operands(steps: list[dis.Instruction]) -> tuple[Operand, ...]:
    """The two operands of an operator, from the steps that work them out, the left one first."""
    if not steps:
        return ()
    if steps[-1].opname.startswith(LOADS) and len(_loaded(steps[-1])) == 2:
        left, right = _loaded(steps[-1])
        return Operand(left), Operand(right)
    own = [step for step in steps if _within(step, steps[-1])]
    before = [step for step in steps if step not in own]
    return _operand(before), _operand(own)


def _operand(steps: list[dis.Instruction]) -> Operand:
    if not steps:
        return Operand()
    last = steps[-1]
    if last.opname.startswith(LOADS):
        # Where a step reads two names (Python 3.13), the second begins the right operand.
        return Operand(_loaded(last)[0])
    own = [step for step in steps if _within(step, last)]
    sums = any(step.argval in SUMS for step in own if isinstance(step.argval, str))
    constants = [step.argval for step in own if step.opname.startswith(("LOAD_CONST", "LOAD_SMALL_INT"))]
    numbers = [constant for constant in constants if isinstance(constant, int)]  # not names of arguments
    if sums and last.opname.startswith("CALL"):
        return Operand("", "rows" if numbers[-1:] in ([1], [-1]) else "else")
    return Operand("", "else" if last.opname == "BINARY_SUBSCR" else "")
