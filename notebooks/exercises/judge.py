"""How an exercise answers: it recognises a misconception by the numbers that the misconception gives.

An `Exercise` has parts (what the learner's function returns), each with a reference and with mistakes.
A mistake is a program too: whoever thinks that way gets its numbers. So an answer is first compared with
the reference, then with every mistake, and only an answer that nobody foresaw gets a general message.
"""

from __future__ import annotations

import dis
import inspect
import re
import warnings
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from types import CodeType
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


def judge(
    name: str, prediction: Any, read: Callable[[Any], Any], form: str, say: Callable[[Any], str]
) -> Verdict:
    """Judge a prediction: an answer that is no program. Never raises, whatever it is.

    Parameters
    ----------
    name : str
        Of the exercise.
    prediction : anything
        None if there is none yet.
    read : callable
        Makes of it what it should be, and may fail as it likes.
    form : str
        What to give: the verdict if it fails.
    say : callable
        Takes what was read; returns "correct: ..." or what is wrong with it.
    """
    if prediction is None:
        return Verdict(f"{name}: {NOT_ATTEMPTED}")
    try:
        given = read(prediction)
    except Exception:  # whatever a strange object does when it is read
        return Verdict(f"{name}: {form}")
    answer = say(given)
    return Verdict(answer if answer.startswith("correct: ") else f"{name}: {answer}")


def judge_letters(
    name: str, prediction: Any, noun: str, every: Collection[str], say: Callable[[set[str]], str]
) -> Verdict:
    """Judge a choice among things that have letters.

    Parameters
    ----------
    name, prediction, say
        As for `judge`.
    noun : str
        What they are, one of them: "case".
    every : collection of str
        Their letters.
    """

    def known(given: set[str]) -> str:
        if strangers := sorted(given - set(every)):
            return f"there is no {noun} {strangers[0]}; they are {min(every)} to {max(every)}"
        return say(given)

    form = f'give the letters of the {noun}s in a list, for example ["A", "B"]'
    return judge(name, prediction, letters, form, known)


def letters(prediction: Any) -> set[str]:
    """A set of letters, from "AB", "a, b" or ["A", "B"]."""
    words = [prediction] if isinstance(prediction, str) else list(prediction)
    if not all(isinstance(word, str) for word in words):
        raise TypeError("not letters")
    return {letter for letter in "".join(words).upper() if letter.isalnum()}


def number(prediction: Any) -> float:
    """One number."""
    if isinstance(prediction, (bool, str, bytes)):
        raise TypeError("no number")
    return float(prediction)


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
    rule : callable, optional
        Takes a wrong array of the right shape and the arguments, and says which rule it breaks; "" if none.
    """

    name: str
    shape: str
    answer: Callable[..., Array]
    mistakes: Sequence[Mistake] = ()
    rule: Callable[..., str] | None = None


@dataclass(frozen=True, repr=False)
class Exercise:
    """A function to write, and how to judge it.

    Attributes
    ----------
    name : str
        Of the function.
    arguments : tuple of str
        Their names, in order.
    cases : sequence of tuples
        Arguments to try it on. They differ in all their sizes, so that no wrong axis goes unseen.
    parts : sequence of Part
        What it returns: one array, or a tuple of several, in this order.
    praise : str
        What a correct answer means.
    by_hand : str
        The name of the lesson's own function with a loop. The exercise is to do without one.
    """

    name: str
    arguments: tuple[str, ...]
    cases: Sequence[tuple[Any, ...]]
    parts: Sequence[Part]
    praise: str
    by_hand: str = ""

    def __call__(self, function: Any) -> Verdict:
        """Judge an answer. Whatever it does, this returns a verdict and raises nothing."""
        if not callable(function):
            return Verdict(
                f"{self.name}: this is {_described(function)}, and the check wants the function itself: "
                f"{self.name}, without calling it"
            )
        fault = self._fault(function)
        if fault:
            return Verdict(
                f"{self.name}: {fault}{'' if fault == NOT_ATTEMPTED else self._suspicion(function)}"
            )
        if self.by_hand and (self.by_hand in _names(function) or _loops(function)):
            return Verdict(
                f"{self.name}: the numbers are right, but they come out of a loop; now let NumPy do all of it "
                "at once, without for, while or a comprehension"
            )
        return Verdict(f"correct: {self.praise}")

    def _fault(self, function: Callable[..., Any]) -> str:
        """What is wrong with an answer; "" if nothing is."""
        answers = []
        for case in self.cases:
            given = tuple(np.array(argument)[()] for argument in case)  # copies; numbers stay numbers
            _poison()
            try:
                with np.errstate(all="ignore"), warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    returned = function(*given)
            except NotImplementedError:
                return NOT_ATTEMPTED + self._half_done(function)
            except (Exception, SystemExit) as error:
                return _crash(error, function, given)
            if any(not np.array_equal(a, b) for a, b in zip(given, case, strict=True)):
                return "it changes its arguments in place; work on new arrays"
            arrays, fault = self._arrays(returned)
            if fault:
                return fault
            answers.append(arrays)
        for number, part in enumerate(self.parts):
            fault = _diagnose(part, self.cases, [arrays[number] for arrays in answers])
            if fault:
                rest = [other.name for other in self.parts[:number]]
                return (
                    f"{' and '.join(rest)} right; {part.name} wrong: {fault}"
                    if rest
                    else (f"{part.name} wrong: {fault}" if len(self.parts) > 1 else fault)
                )
        return ""

    def _arrays(self, returned: Any) -> tuple[list[Array], str]:
        """What was returned, as one array for each part; or what is wrong with it."""
        wanted = ", ".join(part.name for part in self.parts)
        if returned is None:
            return [], f"it returns nothing: end it with `return {wanted}`"
        what = f"it returns {_described(returned)}; it must return "
        if len(self.parts) == 1:
            one = "one array of numbers" if self.parts[0].shape.startswith("(") else "one number"
            values, what = [returned], f"{what}{one}, {wanted}"
        else:
            if not isinstance(returned, (tuple, list)) or len(returned) != len(self.parts):
                return [], f"{what}{len(self.parts)} arrays: `return {wanted}`"
            values, what = list(returned), f"{what}{len(self.parts)} arrays of numbers: `return {wanted}`"
        try:
            arrays = [np.asarray(value) for value in values]
            if any(np.iscomplexobj(array) for array in arrays):
                return [], "it returns complex numbers; nothing here is complex"
            return [array.astype(float) for array in arrays], ""
        except Exception:  # whatever a strange object does when it is asked for its numbers
            return [], what

    def _half_done(self, function: Callable[..., Any]) -> str:
        """A hint for those who wrote code, but left the stub's last line in."""
        lines = getattr(getattr(function, "__code__", None), "co_names", ())
        return " (its line `raise NotImplementedError` is still there)" if len(lines) > 1 else ""

    def _suspicion(self, function: Callable[..., Any]) -> str:
        """What the function's own text says about why it may be wrong."""
        try:
            order = tuple(inspect.signature(function).parameters)
        except (TypeError, ValueError):
            order = ()
        if order != self.arguments and sorted(order) == sorted(self.arguments):
            return f". The arguments come as {', '.join(self.arguments)}, in this order"
        known = {"x", "X", "resp", "weights", "means", "variances", "covariances", "log_joint"}
        if strays := sorted(known & _names(function) - set(order)):
            return (
                f". Note that it reads {' and '.join(strays)} from the notebook, not from its own arguments"
            )
        return ""


def _diagnose(part: Part, cases: Sequence[tuple[Any, ...]], answers: Sequence[Array]) -> str:
    """What is wrong with one part of the answers to all cases; "" if nothing is."""
    expected = [np.asarray(part.answer(*case), dtype=float) for case in cases]
    if all(map(_same, answers, expected)):
        return ""
    if all(
        answer.shape == right.shape and not answer.any()
        for answer, right in zip(answers, expected, strict=True)
    ):
        return "all zeros: is anything stored in it?"
    for mistake in part.mistakes:
        with np.errstate(all="ignore"):
            theirs = [np.asarray(mistake.answer(*case), dtype=float) for case in cases]
        if all(map(_same, answers, theirs)):
            return mistake.diagnosis
    number = [_same(a, b) for a, b in zip(answers, expected, strict=True)].index(False)
    case, answer, right = cases[number], answers[number], expected[number]
    if answer.shape != right.shape:
        wanted = f"have shape {right.shape}, {part.shape}" if right.ndim else f"be {part.shape}"
        return f"it has shape {answer.shape}; it must {wanted}"
    off = np.where(np.isfinite(answer), np.abs(answer - right), np.inf)
    where = np.unravel_index(int(np.argmax(off)), right.shape)
    place = ", ".join(str(int(i)) for i in where)
    entry = f"{part.name}[{place}]" if place else part.name
    kind = np.asarray(part.answer(*case)).dtype.kind
    numbers = f"{entry} is {_said(answer[where], kind)} and should be {_said(right[where], kind)}"
    if not np.isfinite(answer).all():
        return (
            f"it holds nan or infinite values: {numbers}. Is every entry stored? Is something divided by 0, or a "
            "negative number used as a variance or a scale?"
        )
    if np.allclose(answer, right, rtol=1e-3, atol=1e-5):
        return f"right to three digits: do not round, and add nothing small ({numbers})"
    rule = part.rule(answer, *case) if part.rule else ""
    tried = ", ".join(str(np.asarray(argument).tolist()) for argument in case if np.ndim(argument) == 1)
    return f"{rule + '; ' if rule else ''}{numbers}{', for the arguments ' + tried if tried else ''}"


def _said(value: float, kind: str) -> str:
    """A number, or True or False if that is what the exercise asks for."""
    return str(bool(value)) if kind == "b" and value in (0, 1) else f"{value:.6g}"


def _same(a: Array, b: Array) -> bool:
    return a.shape == b.shape and np.allclose(a, b, rtol=1e-8, atol=1e-12, equal_nan=True)


def _described(value: Any) -> str:
    """A value in few words, for a message."""
    if isinstance(value, np.ndarray):
        return f"one array of shape {value.shape}"
    if isinstance(value, (tuple, list)):
        return f"a {type(value).__name__} of {len(value)}"
    return f"a {type(value).__name__}"


def _crash(error: BaseException, function: Callable[..., Any], given: tuple[Any, ...]) -> str:
    """An exception in the learner's function, told without a traceback."""
    file = getattr(getattr(function, "__code__", None), "co_filename", None)
    line, trace = "", error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == file:
            line = f", at line {trace.tb_lineno}"
        trace = trace.tb_next
    shapes = ", ".join(str(np.shape(argument)) for argument in given)
    message = f"it raised {type(error).__name__}: {error} (with arguments of shapes {shapes}{line})"
    clash = re.search(r"broadcast together with shapes \((\d+),(\d*)\) \((\d+),(\d*)\)", str(error))
    if clash:
        a, b, c, d = clash.groups()
        if b and not d and a == c:
            message += ". A sum along axis 1 has lost its column: keepdims=True keeps it"
        elif not b and not d:
            message += ". Points against components want a column against a row: x[:, None] has shape (N, 1)"
    return message


def _code(function: Any) -> Iterator[CodeType]:
    """The code of a Python function and of the functions and comprehensions inside it."""
    waiting = [getattr(function, "__code__", None)]
    while waiting:
        code = waiting.pop()
        if isinstance(code, CodeType):
            yield code
            waiting += code.co_consts


def _names(function: Any) -> set[str]:
    """The global names that a function reads."""
    return {
        str(step.argval)
        for code in _code(function)
        for step in dis.get_instructions(code)
        if step.opname in ("LOAD_GLOBAL", "LOAD_NAME")
    }


def _loops(function: Any) -> bool:
    """Whether a function has a loop or a comprehension."""
    return any(
        step.opname == "FOR_ITER" or step.opname.startswith("JUMP_BACKWARD")
        for code in _code(function)
        for step in dis.get_instructions(code)
    )


def _poison() -> None:
    """Fill the memory that NumPy will hand out next with nan.

    `np.empty` reuses what was freed, and that may be the right answer of a moment ago: whoever forgets to
    store anything in it should not be praised for it.
    """
    for size in range(1, 129):  # NumPy keeps a few blocks of each size up to a kilobyte
        blocks = [np.full(size, np.nan) for _ in range(8)]
        del blocks
