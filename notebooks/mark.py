"""Mark a class: run every notebook that was handed in, and let the course's own checks judge its answers.

make mark FOLDER=handed-in              prints the verdicts and writes them to handed-in/marks.csv
make mark FOLDER=handed-in LIMIT=60     gives each notebook a minute instead of five

Each notebook runs from top to bottom in a process of its own, with a time limit, in a temporary folder that holds
the course's own exercises, pictures and studies. What its check cell prints counts for nothing. Where it calls
`exercises.NAME(answer)`, the marker asks that process for the answer, and judges it here with the course's own check:
a function is called there, case by case, and only the numbers that it returns come over. So a notebook that prints
"correct", changes the checks or edits its outputs earns nothing. If a check is called several times, the last call
counts.

What this cannot see is where the numbers come from. The checks hold the right answers and lie beside the lessons, so
an answer may be copied from them, or call them. The verdicts are for learning, not for examinations. Nor is a
notebook locked in: it runs with the rights of whoever marks it, as it would if it were opened.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import csv
import json
import logging
import os
import re
import shutil
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from math import inf
from pathlib import Path
from subprocess import DEVNULL
from time import monotonic
from typing import Any, NamedTuple

import lessons
import nbformat
import remote
from IPython.core.inputtransformer2 import TransformerManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionComplete, CellTimeoutError, DeadKernelError
from tqdm import tqdm

import exercises

LIMIT = 300.0  # seconds for a notebook
MEMORY = 4 * 2**30  # bytes for a notebook; the lessons need a quarter of it
TABLE = "marks.csv"
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
DID_NOT_RUN = "did not run"  # the verdict on a cell or a whole notebook


class Row(NamedTuple):
    """A line of the table."""

    notebook: str
    exercise: str  # "" for what concerns the whole notebook
    verdict: str
    says: str = ""


# What a notebook asks ---------------------------------------------------------------------------------


def calls(source: str) -> list[tuple[str, str]]:
    """The checks that a cell calls, each with the expression that it is given; "" if that cannot be read."""
    try:
        tree = ast.parse(TransformerManager().transform_cell(source))  # without the magics
    except (SyntaxError, ValueError):
        return [(name, "") for name in re.findall(r"^\s*exercises\.(\w+)\(", source, flags=re.M)]
    found = []
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id="exercises"), attr=name)):
                given = [*node.args, *(keyword.value for keyword in node.keywords)]
                found.append((name, ast.unparse(given[0]) if given else ""))
    return found


def code(notebook: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    """The code cells of a notebook that hold something."""
    return [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip()]


@cache
def expected() -> dict[str, list[str]]:
    """The exercises of each lesson, by its number: what is called right after a cell to write in."""
    found = {}
    for path in sorted(lessons.LESSONS.glob("*.ipynb")):
        cells = code(nbformat.read(path, as_version=4))
        checks = [after for cell, after in pairwise(cells) if "exercise" in lessons.tags(cell)]
        found[path.stem.split("_")[0]] = [name for check in checks for name, _ in calls(check.source)]
    return found


def due(path: Path, called: list[str]) -> list[str]:
    """The exercises that a notebook should have: its lesson's, and those of other lessons that it calls.

    Its lesson is the one most of whose checks it calls. If it calls none, its name tells.
    """
    shared = {number: len({*names} & {*called}) for number, names in expected().items()}
    best = max(shared, key=lambda number: shared[number])
    if not shared[best]:
        return expected().get(re.split(r"[\W_]", path.stem)[0], [])
    checks = {name for names in expected().values() for name in names}
    return list(dict.fromkeys([*expected()[best], *(name for name in called if name in checks)]))


# A notebook at work -----------------------------------------------------------------------------------


class Over(Exception):
    """A notebook that cannot go on: out of time, or its process is gone."""


def in_a_line(text: str, most: int = 200) -> str:
    """Text of a notebook's for the table: in one line, of no great length, and without what steers a terminal."""
    return "".join(letter for letter in " ".join(text.split()) if letter.isprintable())[:most]


class Run(NotebookClient):
    """A notebook in a process of its own, and in a folder of its own.

    Parameters
    ----------
    notebook : NotebookNode
    folder : Path
        Empty, and removed by the caller.
    limit : float
        Seconds for all of it.
    """

    def __init__(self, notebook: nbformat.NotebookNode, folder: Path, limit: float) -> None:
        self.errors: list[str] = []  # of cells, in their order
        self.over, self.limit, self.deadline = "", limit, monotonic() + limit
        self.place, self.file = "before its first cell", folder / "answer.json"
        self.scratch = nbformat.v4.new_code_cell()  # for the marker's own questions
        work = folder / "work"
        work.mkdir()
        for part in lessons.PARTS:
            shutil.copytree(lessons.LESSONS / part, work / part, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(remote.__file__, work)
        # What one notebook leaves in IPython's folder would reach the next.
        self.environment = os.environ | dict.fromkeys(THREADS, "1") | {"IPYTHONDIR": str(folder / "ipython")}
        quiet = logging.getLogger("marking")
        quiet.addHandler(logging.NullHandler())
        quiet.propagate = False
        super().__init__(
            nbformat.v4.new_notebook(cells=[*code(notebook), self.scratch]),
            kernel_name="python3",  # whatever the learner's is called
            resources={"metadata": {"path": str(work)}},
            allow_errors=True,
            on_cell_error=self.noted,
            timeout_func=lambda _: max(0.1, self.deadline - monotonic()),
            shutdown_kernel="immediate",
            log=quiet,
        )

    def process_message(self, msg: Any, cell: Any, cell_index: int) -> None:
        """Keep no outputs: nobody reads them, and a loop that prints would fill the marker's memory."""
        if msg["msg_type"] == "status" and msg["content"]["execution_state"] == "idle":
            raise CellExecutionComplete

    def noted(self, cell: Any, cell_index: int, execute_reply: Any) -> None:
        """Remember the exception that a cell ended in."""
        said = execute_reply["content"]
        if cell is not self.scratch:
            raised = f"{said['ename']}: {said['evalue']}"
            self.errors.append(f"{self.place}: {in_a_line(raised)}")

    def do(self, cell: nbformat.NotebookNode, number: int) -> None:
        """Run a cell.

        Raises
        ------
        Over
            Also if it was over before: a check that catches everything cannot go on asking.
        """
        if not self.over:
            try:
                self.execute_cell(cell, number, store_history=cell is not self.scratch)
            except CellTimeoutError:
                self.over = f"stopped after {self.limit:g} s, {self.place}"
            except DeadKernelError:
                self.over = f"its process died {self.place}: exit(), os._exit(), or out of memory"
        if self.over:
            raise Over(self.over)

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """End whatever the notebook has started, with its process."""
        try:
            yield
        finally:
            with contextlib.suppress(AttributeError, OSError):  # gone already, or a system without groups
                os.killpg(self.km.provisioner.pgid, signal.SIGKILL)

    def ask(self, function: str, *arguments: Any) -> Any:
        """Call a function of `remote` there; return what it writes."""
        self.file.unlink(missing_ok=True)
        self.scratch.source = f"__import__('remote').{function}(*{(str(self.file), *arguments)!r})"
        self.do(self.scratch, -1)
        try:
            return json.loads(self.file.read_text(encoding="utf-8"))
        except (OSError, ValueError):  # the notebook has broken what answers for it
            return {"error": ["RuntimeError"], "text": "its process does not answer"}

    def judged(self, name: str, expression: str) -> tuple[str, str]:
        """The verdict on an answer and what the check says; both from the course's own check, in this process."""
        if not expression:
            return "not judged", "its check cell cannot be read"
        said = self.ask("take", expression)
        if "error" in said:
            return "not judged", f"there is no answer: {said['error'][0]}: {in_a_line(said['text'])}"
        try:
            answer = remote.answer(said, self.ask)
        except Exception:  # whatever a strange process writes
            return "not judged", "its answer cannot be read"
        verdict = getattr(exercises, name)(answer, *further(name))
        if self.over:
            raise Over(self.over)
        wrong = "not attempted" if exercises.judge.NOT_ATTEMPTED in verdict else "wrong"
        says = verdict.removeprefix("correct: ").removeprefix(f"{name}: ")
        return "correct" if verdict.correct else wrong, in_a_line(says, most=2000)

    def verdicts(self, names: list[str]) -> dict[str, tuple[str, str]]:
        """Run the notebook from top to bottom, and judge these exercises where it calls their checks."""
        found: dict[str, tuple[str, str]] = {}
        try:
            with self.setup_kernel(env=self.environment, stdout=DEVNULL, stderr=DEVNULL), self.alone():
                self.scratch.source = f"__import__('remote').limit_memory({MEMORY})"
                self.do(self.scratch, -1)
                for number, cell in enumerate(self.nb.cells[:-1]):
                    line = cell.source.strip().split("\n")[0][:40]
                    self.place = f"in code cell {number + 1} (`{line}`)"
                    self.do(cell, number)
                    for name, expression in calls(cell.source):
                        if name in names:
                            self.place = f"while {name} was judged, after code cell {number + 1}"
                            found[name] = self.judged(name, expression)
        except Over:
            pass
        return found


def further(name: str) -> tuple[Any, ...]:
    """What a check is given beside the answer. It is the course's own here, whatever the notebook made of it."""
    if name != "defends":
        return ()
    import pandas as pd

    table = pd.read_csv(lessons.LESSONS / "studies" / "digits.csv")
    table["held_out"] = (300 * table["choose"] + 297 * table["report"]) / 597  # as in lesson 12
    return (table,)


def mark(path: Path, name: str, limit: float = LIMIT) -> list[Row]:
    """The rows of the table for a notebook; whatever it is and does.

    Parameters
    ----------
    path : Path
    name : str
        How the table calls it.
    limit : float
        Seconds.
    """
    try:
        notebook = nbformat.read(path, as_version=4)
        called = [name for cell in code(notebook) for name, _ in calls(cell.source)]
    except Exception as error:  # whatever a file holds
        return [Row(name, "", DID_NOT_RUN, f"not a notebook: {in_a_line(repr(error))}")]
    gone = f"is not an exercise of version {lessons.version()}; is this a notebook of an earlier edition?"
    unknown = [one for one in dict.fromkeys(called) if not hasattr(exercises, one)]
    rows = [Row(name, one, "not judged", f"{one} {gone}") for one in unknown]
    names = due(path, called)
    if not names:
        return rows or [Row(name, "", DID_NOT_RUN, "no exercise in it")]
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        try:
            run = Run(notebook, Path(folder), limit)
            found = run.verdicts(names)
        except (
            Exception
        ) as error:  # no kernel, or a notebook that breaks the marker's questions: the others go on
            return [Row(name, "", DID_NOT_RUN, f"it cannot be marked: {in_a_line(repr(error))}")]
    missing = ("not found", "its check is not called")
    for one in names:
        rows.append(Row(name, one, *found.get(one, ("not judged", run.over) if one in called else missing)))
    return rows + [Row(name, "", DID_NOT_RUN, why) for why in [*run.errors, run.over] if why]


# A class ----------------------------------------------------------------------------------------------


def handed_in(folder: Path) -> list[Path]:
    """The notebooks in a folder and in the folders inside it, without Jupyter's checkpoints and other hidden files."""
    found = sorted(folder.rglob("*.ipynb"))
    return [
        path
        for path in found
        if path.is_file() and not any(part[0] == "." for part in path.relative_to(folder).parts)
    ]


def make_room(table: Path) -> None:
    """See that a table may be written: an earlier one of ours gets a number, and what is not ours stays."""
    if not table.exists():
        return
    with table.open(encoding="utf-8", errors="replace") as lines:
        ours = lines.readline().strip() == ",".join(Row._fields)
    if not ours:
        raise SystemExit(
            f"{table} was not written by this command. Move it away or rename it; nothing was changed."
        )
    number = 1
    while (kept := table.with_stem(f"{table.stem}-{number}")).exists():
        number += 1
    table.rename(kept)
    print(f"The {table.name} of an earlier marking is now {kept.name}.")


def write(table: Path, rows: list[Row]) -> None:
    """Write the table as it stands."""
    with table.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(Row._fields)
        writer.writerows(rows)


def shown(rows: list[Row]) -> Iterator[str]:
    """The rows of a notebook for the screen."""
    yield f"\n{rows[0].notebook}"
    for row in rows:
        yield f"  {row.exercise or '-':<20}  {row.verdict:<13}  {row.says if row.verdict != 'correct' else ''}".rstrip()


def mark_all(folder: Path, limit: float = LIMIT) -> list[Row]:
    """Mark all notebooks in a folder; print the verdicts, and write them to marks.csv there after each notebook."""
    paths, table = handed_in(folder), folder / TABLE
    if not paths:
        raise SystemExit(f"{folder} holds no notebook (*.ipynb), and neither does a folder inside it")
    rows: list[Row] = []
    done = 0
    try:
        make_room(table)
        write(table, rows)
        for path in tqdm(paths, unit="notebook", disable=None):
            new = mark(path, path.relative_to(folder).as_posix(), limit)
            rows, done = rows + new, done + 1
            write(table, rows)
            tqdm.write("\n".join(shown(new)))
    except KeyboardInterrupt:
        print(f"\nInterrupted: {done} of {len(paths)} notebooks are marked.")
    except OSError as error:
        raise SystemExit(f"{table} cannot be written: {error}") from None
    counted = Counter(row.verdict for row in rows if row.exercise)
    print(
        f"\n{', '.join(f'{n} {verdict}' for verdict, n in counted.most_common())}\nThe table is in {table}."
    )
    return rows


def main(*given: str) -> None:
    parser = argparse.ArgumentParser(
        prog="make mark", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("folder", nargs="?", default="", help="where the notebooks lie")
    parser.add_argument("--limit", type=float, default=LIMIT, help="seconds for each notebook (300)")
    options = parser.parse_args(given)
    if not options.folder:
        raise SystemExit("make mark: say where the notebooks lie, as in make mark FOLDER=handed-in")
    folder = Path(options.folder).expanduser()
    if not folder.is_dir():
        why = (
            "is not a folder; give the folder that the notebooks lie in"
            if folder.exists()
            else "does not exist"
        )
        raise SystemExit(f"make mark: {folder} {why}")
    if not 0 < options.limit < inf:
        raise SystemExit(f"make mark: the limit is {options.limit:g}; give a number of seconds, more than 0")
    mark_all(folder, options.limit)


if __name__ == "__main__":
    main(*sys.argv[1:])
