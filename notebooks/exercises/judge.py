"""How an exercise answers: it recognises a misconception by the numbers that the misconception gives.

An `Exercise` has parts (what the learner's function returns), each with a reference and with mistakes.
A mistake is a program too: whoever thinks that way gets its numbers. So an answer is first compared with
the reference, then with every mistake, and only an answer that nobody foresaw gets a general message:
what its sizes are and what they must be, or one number and what it must be.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import Any

import numpy as np

from emlib.validate import Array
from exercises import clash, comparing, reading
from exercises.predictions import NOT_ATTEMPTED, Verdict, judge, judge_letters, number

__all__ = ["NOT_ATTEMPTED", "Exercise", "Mistake", "Part", "Verdict", "judge", "judge_letters", "number"]


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
        At most eight, each with numbers of its own.
    rule : callable, optional
        Takes a wrong array of the right shape and the arguments, and says which rule it breaks; "" if none.
    """

    name: str
    shape: str
    answer: Callable[..., Array]
    mistakes: Sequence[Mistake] = ()
    rule: Callable[..., str] | None = None

    def right(self, case: Sequence[Any]) -> Array:
        """The right answer to a case."""
        return np.asarray(self.answer(*case))


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
        What it returns: one array, or several values in this order.
    praise : str
        What a correct answer means.
    by_hand : str
        The name of the lesson's own function with a loop. The exercise is to do without one.
    shapes : tuple of str
        Of the arguments, in letters: "(N, K)"; "" for a number.
    edges : sequence of tuples
        Cases in which a size is 1, for an answer that is right on `cases`.
    whole : sequence of tuples
        The same with whole numbers (integers), where the arguments may be so.
    """

    name: str
    arguments: tuple[str, ...]
    cases: Sequence[tuple[Any, ...]]
    parts: Sequence[Part]
    praise: str
    by_hand: str = ""
    shapes: tuple[str, ...] = ()
    edges: Sequence[tuple[Any, ...]] = ()
    whole: Sequence[tuple[Any, ...]] = ()

    def __call__(self, function: Any) -> Verdict:
        """Judge an answer. Whatever it does, this returns a verdict and raises nothing."""
        try:
            with np.errstate(all="ignore"), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                said = self._said(function)
        except KeyboardInterrupt:
            raise
        except BaseException:  # whatever a strange object does when it is looked at
            said = "the check cannot read this answer; it wants a plain function that returns numbers"
        return Verdict(said if said.startswith("correct: ") else f"{self.name}: {said}")

    def _said(self, function: Any) -> str:
        if not callable(function):
            return (
                f"this is {reading.described(function)}, and the check wants the function itself: "
                f"{self.name}, without calling it"
            )
        if unfit := reading.uncalled(function, self.arguments):
            return unfit
        fault, order = self._fault(function), reading.parameters(function)
        if fault.startswith(NOT_ATTEMPTED):
            return fault
        if fault and order != self.arguments and sorted(order) == sorted(self.arguments):
            fault = self._fault(function, by_name=True)
            told = f"The arguments come as {', '.join(self.arguments)}, in this order"
            return f"{told}{'; and then ' * bool(fault)}{fault}"
        if fault:
            return f"{fault}{self._strays(function)}"
        if self.by_hand and (self.by_hand in reading.names(function) or reading.loops(function)):
            return (
                "the numbers are right, but they come out of a loop; now let NumPy do all of it "
                "at once, without for, while or a comprehension"
            )
        return f"correct: {self.praise}"

    def _fault(self, function: Callable[..., Any], by_name: bool = False) -> str:
        """What is wrong with an answer; "" if nothing is."""
        answers: list[list[Array]] = []
        passed: list[bool] = []
        for case in self.cases:
            arrays, fault = self._tried(function, case, by_name)
            if fault.startswith(NOT_ATTEMPTED):
                return fault
            if fault:
                return f"{self._until(passed)}{fault}"
            answers.append(arrays)
            passed.append(comparing.all_same(arrays, [part.right(case) for part in self.parts]))
        if fault := self._compared(function, answers):
            return fault
        for case, words, loosely in self._further():
            arrays, fault = self._tried(function, case, by_name)
            for part, array in zip(self.parts, arrays, strict=False):
                right = part.right(case)
                if not fault and not loosely(array, right):
                    fault = f"{part.name}: " * (len(self.parts) > 1) + self._mismatch(part, case, array)
            if fault:
                return f"right on ordinary arrays, but not {words}: {fault}"
        return ""

    def _until(self, right: Sequence[bool]) -> str:
        """The sizes for which an answer is right, if it is right in all cases so far; "" if not."""
        sizes = clash.sizes(self.shapes, self.cases[0])
        if not (right and sizes and all(right)):
            return ""
        return f"right where {', '.join(f'{letter} = {size}' for letter, size in sizes.items())}; but "

    def _further(self) -> Iterator[tuple[tuple[Any, ...], str, Callable[[Array, Array], bool]]]:
        """More cases, in words, and how to compare: with sizes of 1, with whole numbers, with float32."""
        for case in self.edges:
            ones = [f"{letter} = 1" for letter, size in clash.sizes(self.shapes, case).items() if size == 1]
            yield case, f"where {' and '.join(ones)}", comparing.same_flat
        for case in self.whole:
            types = [np.asarray(argument).dtype.kind for argument in case]
            usual = [np.asarray(argument).dtype.kind for argument in self.cases[0]]
            names = [name for name, a, b in zip(self.arguments, types, usual, strict=True) if a != b]
            hold = "hold" if len(names) > 1 else "holds"
            yield case, f"where {' and '.join(names)} {hold} whole numbers (integers)", comparing.same
        case = self.cases[0]
        if any(np.asarray(argument).dtype == float and np.ndim(argument) for argument in case):
            short = [np.asarray(a, np.float32 if np.asarray(a).dtype == float else None)[()] for a in case]
            yield tuple(short), "where the numbers are of type float32", comparing.same_roughly

    def _tried(
        self, function: Callable[..., Any], case: tuple[Any, ...], by_name: bool
    ) -> tuple[list[Array], str]:
        """What a function returns for a case, as one array for each part; or what is wrong with it."""
        given = tuple(np.array(argument)[()] for argument in case)  # copies; numbers stay numbers
        reading.poison()
        try:
            named = dict(zip(self.arguments, given, strict=True)) if by_name else {}
            returned = function(**named) if by_name else function(*given)
            several = len(self.parts) > 1
            shapes = [part.right(case).shape for part in self.parts] if several else []
            values = reading.split(returned, shapes) if several else [returned]
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            if isinstance(error, NotImplementedError) and case is self.cases[0]:
                written = any(len(one.co_names) > 1 for one in reading.code(function))
                return [], NOT_ATTEMPTED + " (its line `raise NotImplementedError` is still there)" * written
            return [], clash.told(error, function, clash.sizes(self.shapes, case))
        for name, now, before in zip(self.arguments, given, case, strict=True):
            if not np.array_equal(now, before):
                return [], f"it changes its arguments in place ({name}); work on new arrays"
        return self._arrays(returned, values)

    def _arrays(self, returned: Any, values: list[Any] | None) -> tuple[list[Array], str]:
        """The values returned as arrays; or what is wrong with them."""
        wanted = ", ".join(part.name for part in self.parts)
        kind = "array" if any(part.shape.startswith("(") for part in self.parts) else "number"
        if returned is None:
            return [], f"it returns nothing: end it with `return {wanted}`"
        if values is None:
            what = f"{len(self.parts)} {kind}s: `return {wanted}`"
            return [], f"it returns {reading.described(returned)}; it must return {what}"
        arrays = []
        for part, value in zip(self.parts, values, strict=True):
            array, strange = reading.numbers(value)
            axes = len(clash.axes(part.shape))
            if len(values) == 1 and isinstance(value, tuple) and (strange or array.ndim > axes):
                strange = reading.described(value)
            if not axes and array.size == 1 and isinstance(value, np.ndarray):
                array = array.reshape(())
            if strange == "complex numbers":
                return [], "it returns complex numbers; nothing here is complex"
            if strange and len(values) > 1:
                return [], f"{part.name} is {strange}; it must return {len(values)} {kind}s of numbers"
            if strange:
                one = "one array of numbers" if kind == "array" else "one number"
                return [], f"it returns {strange}; it must return {one}, {wanted}"
            arrays.append(array)
        return arrays, ""

    def _compared(self, function: Callable[..., Any], answers: list[list[Array]]) -> str:
        """What is wrong with the answers to all cases; "" if nothing is."""
        rights = [[part.right(case) for part in self.parts] for case in self.cases]
        faults = []
        for n, part in enumerate(self.parts):
            given, right = [arrays[n] for arrays in answers], [arrays[n] for arrays in rights]
            faults.append(
                "" if comparing.all_same(given, right) else self._diagnosed(part, function, given, right)
            )
        if not any(faults):
            return ""
        for order in permutations(range(len(self.parts))):
            if all(
                comparing.all_same([a[n] for n in order], b) for a, b in zip(answers, rights, strict=True)
            ):
                wanted = ", ".join(part.name for part in self.parts)
                return f"the right numbers in another order: return {wanted}, in this order"
        number, fault = next((n, fault) for n, fault in enumerate(faults) if fault)
        good = " and ".join(part.name for part in self.parts[:number])
        if len(self.parts) == 1:
            return fault
        return f"{good + ' right; ' if good else ''}{self.parts[number].name} wrong: {fault}"

    def _diagnosed(
        self, part: Part, function: Callable[..., Any], answers: list[Array], rights: list[Array]
    ) -> str:
        """What is wrong with one part of the answers to all cases, none of which needs to be right."""
        constant = {float(answer) for answer in answers if not answer.shape}
        if rights[0].dtype == bool and constant in ({0.0}, {1.0}) and not any(a.shape for a in answers):
            return f"it answers {bool(constant.pop())} every time"
        if any(answer.ndim == 2 for answer in answers) and comparing.all_same(
            [answer.T for answer in answers], rights
        ):
            words = part.shape.partition(": ")[2]
            return f"these are the right numbers, but the table is lying on its side; it must have {words}"
        found = set()
        for mistake in part.mistakes:
            if comparing.all_same(
                answers, [np.asarray(mistake.answer(*case), dtype=float) for case in self.cases]
            ):
                found.add(mistake.diagnosis)
        if len(found) == 1:  # what fits two misconceptions names neither
            return found.pop()
        for other in self.parts:
            if other is not part and comparing.all_same(answers, [other.right(case) for case in self.cases]):
                wanted = ", ".join(one.name for one in self.parts)
                return f"here stands {other.name}: return {wanted}, in this order"
        pairs = list(zip(answers, rights, strict=True))
        empty = all(a.shape == b.shape and a.size > 1 and not a.any() for a, b in pairs)
        if empty and reading.mentions(function, "zeros", "zeros_like"):
            return "all zeros: is anything stored in it?"
        # A wrong shape is said before a wrong number, whatever case it is in.
        wrong = [n for n, pair in enumerate(pairs) if pair[0].shape != pair[1].shape]
        number = wrong[0] if wrong else [comparing.same(*pair) for pair in pairs].index(False)
        if rights[0].dtype == float and (digits := comparing.rounded(answers, rights)):
            return digits
        so_far = self._until([comparing.same(*pair) for pair in pairs[:number]])
        mismatch = self._mismatch(part, self.cases[number], answers[number])
        return mismatch if mismatch.startswith("right to") else f"{so_far}{mismatch}"

    def _mismatch(self, part: Part, case: tuple[Any, ...], answer: Array) -> str:
        """What is wrong with one array of numbers: its shape, or one of the numbers."""
        right, known = part.right(case), clash.sizes(self.shapes, case)
        if answer.shape != right.shape:
            return clash.wrong_shape(part.name, answer.shape, right.shape, part.shape, known)
        numbers = comparing.one_number(part.name, answer, right)
        if reading.never_stored(answer):
            return f"not all of it is ever stored: np.empty does not fill its places ({numbers})"
        if not np.isfinite(answer).all():
            return f"it holds nan or infinite values: {numbers}"
        if np.allclose(answer, right, rtol=1e-3, atol=1e-5) and right.dtype != bool:
            off = np.abs(answer - right).max() / max(np.abs(right).max(), 1e-300)
            digits = int(np.clip(0.01 - np.log10(max(off, 1e-300)), 3, 15))
            return f"right to {digits} digits and no further ({numbers})"
        rule = (part.rule(answer, *case) if part.rule else "") or comparing.multiple(answer, right)
        small = all(np.ndim(a) < 2 for a in case) and sum(np.size(a) for a in case) <= 16
        pairs = zip(self.arguments, case, strict=True)
        arguments = ", ".join(f"{name} = {np.asarray(argument).tolist()}" for name, argument in pairs)
        sizes = ", ".join(f"{letter} = {size}" for letter, size in known.items())
        where = f", for {arguments}" if small else f", where {sizes}" if sizes else ""
        return f"{rule + '; ' if rule else ''}{numbers}{where}"

    def _strays(self, function: Any) -> str:
        """The arrays that a function reads from the notebook instead of getting them."""
        given = [np.array(argument)[()] for argument in self.cases[0]]
        found = reading.strays(function, lambda other: other(*given))
        if not found:
            return ""
        return f". Note that it reads {' and '.join(found)} from the notebook, not from its own arguments"
