"""How an exercise answers: it recognises a misconception by the numbers that the misconception gives.

An `Exercise` has parts (what the learner's function returns), each with a reference and with mistakes.
A mistake is a program too: whoever thinks that way gets its numbers. So an answer is first compared with
the reference, then with every mistake, and only an answer that nobody foresaw gets a general message.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from emlib.validate import Array

NOT_ATTEMPTED = "not attempted yet"


class Verdict(str):
    """What a check says of an answer. A string that shows itself without quotation marks."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)

    @property
    def correct(self) -> bool:
        return self.startswith("correct")


@dataclass(frozen=True)
class Mistake:
    """A way to go wrong.

    Attributes
    ----------
    answer : callable
        Takes an exercise's arguments and returns what this mistake makes of them.
    diagnosis : str
        What to tell somebody whose answer is that: the misconception, and what to do.
    """

    answer: Callable[..., Any]
    diagnosis: str


@dataclass(frozen=True)
class Part:
    """One array that the learner's function returns.

    Attributes
    ----------
    name : str
    shape : str
        In letters, with its meaning: "(N, K): one row for each point".
    answer : callable
        The reference: takes the exercise's arguments, returns the right array.
    mistakes : sequence of Mistake
    invariant : callable, optional
        Takes a wrong array and the arguments, and says which rule it breaks; "" if it breaks none.
    """

    name: str
    shape: str
    answer: Callable[..., Array]
    mistakes: Sequence[Mistake] = ()
    invariant: Callable[..., str] | None = None


@dataclass(frozen=True)
class Exercise:
    """A function to write, and how to judge it.

    Attributes
    ----------
    name : str
        Of the function.
    cases : sequence of tuples
        Arguments to try it on. They differ in all their sizes, so that no wrong axis goes unseen.
    parts : sequence of Part
        What it returns: one array, or a tuple of several, in this order.
    praise : str
        What a correct answer means.
    """

    name: str
    cases: Sequence[tuple[Any, ...]]
    parts: Sequence[Part]
    praise: str

    def __call__(self, function: Any) -> Verdict:
        """Judge an answer. Whatever it does, this returns a verdict and raises nothing."""
        if not callable(function):
            return Verdict(
                f"{self.name}: this is {_described(function)}, and the check wants the function itself: "
                f"{self.name}, without calling it"
            )
        answers = []
        for case in self.cases:
            given = tuple(np.array(argument) for argument in case)
            try:
                with np.errstate(all="ignore"):
                    returned = function(*given)
            except NotImplementedError:
                return Verdict(f"{self.name}: {NOT_ATTEMPTED}")
            except Exception as error:
                return Verdict(f"{self.name}: {_crash(error, given)}")
            if any(not np.array_equal(a, b) for a, b in zip(given, case, strict=True)):
                return Verdict(f"{self.name}: it changes its arguments in place; work on new arrays")
            arrays, fault = self._arrays(returned)
            if fault:
                return Verdict(f"{self.name}: {fault}")
            answers.append(arrays)
        for number, part in enumerate(self.parts):
            fault = _diagnose(part, self.cases, [arrays[number] for arrays in answers])
            if fault:
                rest = [other.name for other in self.parts[:number]]
                fine = f"{' and '.join(rest)} right; " if rest else ""
                return Verdict(f"{self.name}: {fine}{part.name} wrong: {fault}")
        return Verdict(f"correct: {self.praise}")

    def _arrays(self, returned: Any) -> tuple[list[Array], str]:
        """What was returned, as one array for each part; or what is wrong with it."""
        wanted = ", ".join(part.name for part in self.parts)
        if returned is None:
            return [], f"it returns nothing: end it with `return {wanted}`"
        if len(self.parts) == 1:
            returned = (returned,)
        elif not isinstance(returned, (tuple, list)) or len(returned) != len(self.parts):
            return [], f"it returns {_described(returned)}; it must return {wanted}, in this order"
        try:
            return [np.asarray(value, dtype=float) for value in returned], ""
        except (TypeError, ValueError):
            return [], f"it returns {_described(returned)}; {wanted} must be arrays of numbers"


def _diagnose(part: Part, cases: Sequence[tuple[Any, ...]], answers: Sequence[Array]) -> str:
    """What is wrong with one part of the answers to all cases; "" if nothing is."""
    expected = [np.asarray(part.answer(*case), dtype=float) for case in cases]
    if all(map(_same, answers, expected)):
        return ""
    for mistake in part.mistakes:
        with np.errstate(all="ignore"):
            theirs = [np.asarray(mistake.answer(*case), dtype=float) for case in cases]
        if all(map(_same, answers, theirs)):
            return mistake.diagnosis
    for case, answer, right in zip(cases, answers, expected, strict=True):
        if _same(answer, right):
            continue
        if answer.shape != right.shape:
            return f"it has shape {answer.shape}; it must have shape {right.shape}, {part.shape}"
        where = np.unravel_index(
            int(np.argmax(~np.isclose(answer, right, rtol=1e-8, atol=1e-12))), right.shape
        )
        place = ", ".join(str(int(i)) for i in where)
        numbers = f"{part.name}[{place}] is {answer[where]:.6g} and should be {right[where]:.6g}"
        if not np.isfinite(answer).all():
            return (
                f"it holds nan or infinite values: {numbers}. Is something divided by 0, or 0 in a logarithm?"
            )
        rule = part.invariant(answer, *case) if part.invariant else ""
        tried = ", ".join(str(np.asarray(argument).tolist()) for argument in case if np.ndim(argument) == 1)
        return f"{rule + '; ' if rule else ''}{numbers}, for the arguments {tried}"
    raise AssertionError("unreachable: some answer differs")


def _same(a: Array, b: Array) -> bool:
    return a.shape == b.shape and np.allclose(a, b, rtol=1e-8, atol=1e-12, equal_nan=True)


def _described(value: Any) -> str:
    """A value in few words, for a message."""
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape}"
    if isinstance(value, (tuple, list)):
        return f"a {type(value).__name__} of {len(value)}"
    return f"a {type(value).__name__}"


def _crash(error: Exception, given: tuple[Any, ...]) -> str:
    """An exception in the learner's function, told without a traceback."""
    line = None
    trace = error.__traceback__
    while trace is not None:
        line, trace = trace.tb_lineno, trace.tb_next
    shapes = ", ".join(str(np.shape(argument)) for argument in given)
    message = f"it raised {type(error).__name__}: {error} (arguments of shapes {shapes}; last at line {line})"
    if "broadcast" in str(error):
        message += ". Points against components want a column against a row: x[:, None] has shape (N, 1)"
    return message
