"""Exercises: in every lesson unsolved, and what every check says of answers that nobody foresaw.

`test_rerun.py` runs every lesson solved.
"""

import html

import lessons
import nbformat
import numpy as np
import pytest

import exercises
from exercises import Exercise

NOTEBOOKS = [lessons.LESSONS / f"{source.stem}.ipynb" for source in lessons.sources()]
WRITTEN = [thing for thing in vars(exercises).values() if isinstance(thing, Exercise)]


def triples(notebook):
    """Triples of cells: the stub, its check, and the solution."""
    cells = notebook.cells
    stubs = [n for n, cell in enumerate(cells) if "exercise" in lessons.tags(cell)]
    return [
        (cells[n], cells[n + 1], next(cell for cell in cells[n:] if "solution" in lessons.tags(cell)))
        for n in stubs
    ]


def said(cell):
    (output,) = cell.outputs
    return output["data"]["text/plain"]


# In the lessons ---------------------------------------------------------------------------------------


def fewest(path):
    """How many exercises a lesson has at least."""
    # Half a lesson, the appendix and the start page have what they have.
    return 1 if path.stem.split("_")[0] in {"15", "90", lessons.START} else 3


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_unsolved_every_check_says_so_and_the_lesson_runs(path):
    found = triples(nbformat.read(path, as_version=4))
    assert len(found) >= fewest(path)
    for stub, check, solution in found:
        assert "your turn" in stub.source
        assert check.source.startswith("exercises.")
        assert said(check).endswith("not attempted yet")
        assert solution.cell_type == "markdown"
        assert solution.source.startswith("<details><summary>")


def test_the_handout_has_the_exercises_and_no_solution(tmp_path):
    for path in lessons.copy(tmp_path, without="solution"):
        notebook = nbformat.read(path, as_version=4)
        original = nbformat.read(lessons.LESSONS / path.name, as_version=4)
        assert not any("solution" in lessons.tags(cell) for cell in notebook.cells)
        stubs = [cell.source for cell in notebook.cells if "exercise" in lessons.tags(cell)]
        assert stubs == [stub.source for stub, *_ in triples(original)]
        text = html.unescape(path.read_text())
        for *_, solution in triples(original):
            assert max(solution.source.split("\n"), key=len) not in text
        assert not any(cell.get("outputs") for cell in notebook.cells)


# What every check says --------------------------------------------------------------------------------


def unsolved(*arguments):
    raise NotImplementedError


@pytest.mark.parametrize("exercise", WRITTEN, ids=lambda exercise: exercise.name)
@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (None, "this is None"),
        (3, "this is one number, 3"),
        (np.ones(3), "the check wants the function itself"),
        (lambda *arguments: None, "it returns nothing"),
        (lambda *arguments: "yes", "it must return"),
        (lambda *arguments: {}[0], "it raised KeyError"),
        (lambda *arguments: 1 / 0, "it raised ZeroDivisionError"),
        (lambda: 1, "; yours takes none"),
    ],
)
def test_things_nobody_foresaw(exercise, answer, words):
    verdict = exercise(answer)
    assert not verdict.correct
    assert verdict.startswith(f"{exercise.name}: ")
    assert words in verdict


@pytest.mark.parametrize("exercise", WRITTEN, ids=lambda exercise: exercise.name)
def test_a_stub_is_told_no_more_than_that(exercise):
    assert exercise(unsolved) == f"{exercise.name}: not attempted yet"


def test_a_verdict_shows_itself_without_quotation_marks():
    assert repr(exercises.next_to_change(None)) == "next_to_change: not attempted yet"
