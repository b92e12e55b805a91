"""How a prediction is read and judged: an answer that is no program, but a number, or some letters."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from itertools import islice
from typing import Any

import numpy as np

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
        answer = say(read(prediction))
    except Exception:  # whatever a strange object does when it is read
        return Verdict(f"{name}: {form}")
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
    return judge(name, prediction, lambda given: letters(given, noun, every), form, known)


def letters(prediction: Any, noun: str, every: Collection[str]) -> set[str]:
    """A set of letters, from "AB", "a, b", "cases A and B" or ["A", "B"].

    Parameters
    ----------
    prediction : str or iterable of str
    noun : str
        What they are, one of them. This word and "and" are no letters.
    every : collection of str
        The letters there are. Another word in small letters that has others, such as "all", is no answer.
    """
    if isinstance(prediction, Mapping):
        raise TypeError("a table")
    parts = [prediction] if isinstance(prediction, str) else list(islice(prediction, 100))
    if not all(isinstance(part, str) for part in parts):
        raise TypeError("not letters")
    words = [
        word for word in re.findall(r"[^\W_]+", " ".join(parts)) if word not in ("and", noun, f"{noun}s")
    ]
    if any(len(word) > 1 and not word.isupper() and set(word.upper()) - set(every) for word in words):
        raise ValueError("a word")
    return set("".join(words).upper())


def number(prediction: Any) -> float:
    """One number, and nothing around it."""
    if (
        isinstance(prediction, (bool, np.bool_, str, bytes))
        or np.ndim(prediction)
        or np.iscomplexobj(prediction)
    ):
        raise TypeError("no number")
    return float(prediction)


def lone_number(prediction: Any) -> float:
    """One number, be it alone in a list or an array, or written as text: 5, [5], "5" or "5,000"."""
    if isinstance(prediction, str):
        text = prediction.strip()
        return float(text.replace(",", "") if re.fullmatch(r"\d{1,3}(,\d{3})+", text) else text)
    if isinstance(prediction, (list, tuple, set, frozenset)):
        (prediction,) = prediction
        return lone_number(prediction) if isinstance(prediction, str) else number(prediction)
    array = np.asarray(prediction)
    return number(array[0] if array.shape == (1,) else array[()])
