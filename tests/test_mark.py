"""Marking a class: what is handed in, honest or not, gets the verdict that it deserves, and harms no other."""

import csv
import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import lessons
import mark
import nbformat
import numpy as np
import pytest
import remote
from answers import Hostile
from test_rerun import solve

import exercises

# The start page's exercise is a number, and the cheapest to judge; lesson 1's first is a function.
STUB = "import exercises\n\nmy_iteration = None"
CHECK = "exercises.first_above(my_iteration)"
FUNCTION = """
import numpy as np
import exercises

def e_step_1d(x, weights, means, variances):
    joint = weights * np.exp(-((x[:, None] - means) ** 2) / (2 * variances)) / np.sqrt(2 * np.pi * variances)
    return joint / joint.sum(axis=1, keepdims=True)
"""
WRONG = FUNCTION.replace("axis=1, keepdims=True", "axis=0")
CHECK_FUNCTION = "exercises.e_step_1d(e_step_1d)"


def hand_in(path, *cells):
    path.parent.mkdir(exist_ok=True)
    made = [cell if isinstance(cell, dict) else nbformat.v4.new_code_cell(cell) for cell in cells]
    nbformat.write(nbformat.v4.new_notebook(cells=made), path)
    return path


def marked(tmp_path, *cells, name="START.ipynb", limit=60):
    """Exercises by name with verdict and words; and what did not run."""
    rows = mark.mark(hand_in(tmp_path / name, *cells), name, limit)
    found = {row.exercise: (row.verdict, row.says) for row in rows if row.exercise}
    return found, [row.says for row in rows if not row.exercise]


# Honest notebooks -------------------------------------------------------------------------------------


def test_a_lesson_solved_but_for_two_exercises(tmp_path):
    """Right, wrong, not attempted, and not there; the rest of the lesson runs."""
    notebook = nbformat.read(lessons.LESSONS / "01_three_clusters_on_a_line.ipynb", as_version=4)
    solve(notebook)
    for cell in notebook.cells:
        if cell.cell_type == "code" and cell.source.startswith("my_prediction ="):
            cell.source = "my_prediction = None"
    kept = [cell for cell in notebook.cells if not cell.source.startswith("exercises.which_line_fell(")]
    bend = (
        "right = m_step_1d\ndef m_step_1d(x, resp):\n    w, m, v = right(x, resp)\n    return w, m, v ** 0.5"
    )
    place = next(n for n, cell in enumerate(kept) if cell.source.startswith("exercises.m_step_1d("))
    kept.insert(place, nbformat.v4.new_code_cell(bend))
    found, faults = marked(tmp_path, *kept, name="homework of Ana.ipynb")  # known by its checks
    assert list(found) == ["e_step_1d", "m_step_1d", "next_to_change", "which_line_fell"]
    assert [verdict for verdict, _ in found.values()] == ["correct", "wrong", "not attempted", "not found"]
    assert found["m_step_1d"][1] == mark.exercises.m_step_1d(bent).removeprefix("m_step_1d: ")
    assert not faults


def bent(x, resp):
    counts = resp.sum(axis=0)
    means = resp.T @ x / counts
    return counts / len(x), means, ((resp * (x[:, None] - means) ** 2).sum(axis=0) / counts) ** 0.5


def test_cells_that_fail_are_told_and_the_rest_is_judged(tmp_path):
    broken = "import os\nopen('data of mine.csv')"
    found, faults = marked(
        tmp_path,
        STUB.replace("None", "8"),
        CHECK,
        broken,
        "%matplotlib inline\n1 / 0",
        "del my_iteration",
        CHECK,
    )
    verdict, says = found["first_above"]  # the last call counts
    assert verdict == "not judged"
    assert says == "there is no answer: NameError: name 'my_iteration' is not defined"
    assert [re.sub(r":.*?(?=\w+Error)", ": ", fault)[:60] for fault in faults[:1]] == [
        "in code cell 3 (`import os`): FileNotFoundError: [Errno 2] No"[:60]
    ]
    assert faults[1] == "in code cell 4 (`%matplotlib inline`): ZeroDivisionError: division by zero"
    assert faults[2].startswith(f"in code cell 6 (`{CHECK}`): NameError")


def test_input_and_exits_hold_nobody_up(tmp_path):
    started = time.monotonic()
    cells = ["name = input('your name? ')", "import sys\nsys.exit(1)", STUB.replace("None", "8"), CHECK]
    found, faults = marked(tmp_path, *cells, "import os\nos._exit(0)", "exercises.e_step_1d(my_iteration)")
    assert time.monotonic() - started < 20
    assert found["first_above"][0] == "correct"
    assert found["e_step_1d"] == ("not judged", faults[-1])
    assert found["m_step_1d"] == ("not found", "its check is not called")  # of the same lesson
    assert "StdinNotImplementedError" in faults[0]
    assert "SystemExit: 1" in faults[1]
    assert faults[2] == "its process died in code cell 5 (`import os`): exit(), os._exit(), or out of memory"


def test_an_endless_loop_is_stopped_and_what_came_before_it_counts(tmp_path):
    loop = "while True:\n    print('on and on')"
    found, faults = marked(tmp_path, STUB.replace("None", "7"), CHECK, loop, CHECK_FUNCTION, limit=4)
    assert found["first_above"][0] == "wrong"
    assert found["e_step_1d"] == ("not judged", faults[0])
    assert faults == ["stopped after 4 s, in code cell 3 (`while True:`)"]


def test_an_answer_that_never_ends_is_no_verdict(tmp_path):
    """Even where the learner's own check cell did not run it."""
    waits = "import exercises\n\ndef e_step_1d(*arguments):\n    while True:\n        pass"
    found, faults = marked(tmp_path, waits, f"if False:\n    {CHECK_FUNCTION}", name="01.ipynb", limit=4)
    assert found["e_step_1d"] == ("not judged", faults[0])
    assert faults == ["stopped after 4 s, while e_step_1d was judged, after code cell 2"]


def test_what_a_notebook_starts_ends_with_it(tmp_path):
    own = "import subprocess\nstarted = subprocess.Popen(['sleep', '600']).pid\n"
    own += f"open({str(tmp_path / 'number')!r}, 'w').write(str(started))"
    marked(tmp_path, own, STUB, CHECK)
    status = Path(f"/proc/{(tmp_path / 'number').read_text()}/status")
    assert not status.exists() or "zombie" in status.read_text()


def test_too_much_memory_is_an_error_of_its_cell(tmp_path):
    found, faults = marked(tmp_path, "much = bytearray(20 * 2**30)", STUB, CHECK)
    assert found["first_above"][0] == "not attempted"
    assert faults == ["in code cell 1 (`much = bytearray(20 * 2**30)`): MemoryError:"]


def test_the_learners_folders_count_for_nothing_and_stay_as_they_are(tmp_path):
    path = hand_in(
        tmp_path / "START.ipynb", STUB.replace("None", "3"), CHECK, "open('left behind', 'w').close()"
    )
    (tmp_path / "exercises").mkdir()
    (tmp_path / "exercises" / "__init__.py").write_text("first_above = lambda given: 'correct: yes'")
    before = sorted(tmp_path.rglob("*"))
    assert [row.verdict for row in mark.mark(path, "x")] == ["wrong"]
    assert sorted(tmp_path.rglob("*")) == before


# Those that would be marked better than they are ------------------------------------------------------

FORGERIES = {
    "the check replaced": "exercises.e_step_1d = lambda f: 'correct: yes'",
    "the module replaced": "class exercises:\n    e_step_1d = staticmethod(lambda f: 'correct: yes')",
    "sys.modules": "import sys, types\nsys.modules['exercises'] = exercises = types.SimpleNamespace(e_step_1d=str)",
    "Verdict": "exercises.Verdict.correct = True\nexercises.judge.Verdict.startswith = lambda *a: True",
    "Exercise": "exercises.Exercise._said = lambda self, f: 'correct: yes'",
    "NumPy": "np.allclose = np.array_equal = np.isclose = lambda *a, **k: True",
    "builtins": "import builtins\nbuiltins.all = builtins.any = lambda *a: True",
    "printed": "print('correct: for every point')\nprint('e_step_1d,correct')",
    "files": "import pathlib\nfor p in pathlib.Path('exercises').glob('*.py'): p.write_text('')",
    "an answer that breaks": "import remote\nremote.take = lambda file, _: open(file, 'w').write('[7]')",
    "the marker's side": "import remote\nremote.call = remote.take = lambda *a: print('correct')",
    "in the answer": (
        "def e_step_1d(*a):\n    import exercises.judge as j\n    j.Exercise._fault = lambda *a, **k: ''\n"
        "    np.allclose = lambda *a, **k: True\n    return np.ones((len(a[0]), len(a[1])))"
    ),
}


def test_no_simple_forgery_earns_anything(tmp_path, capsys):
    """All at once in one class, with an honest one before and after them, and nothing of them reaches it."""
    hand_in(tmp_path / "a honest" / "01.ipynb", FUNCTION, CHECK_FUNCTION)
    for n, forgery in enumerate(FORGERIES.values()):
        hand_in(tmp_path / f"f{n}" / "01.ipynb", WRONG, forgery, CHECK_FUNCTION)
    hand_in(tmp_path / "z honest" / "01.ipynb", FUNCTION, CHECK_FUNCTION)
    rows = [row for row in mark.mark_all(tmp_path, 30) if row.exercise == "e_step_1d"]
    assert len(rows) == len(FORGERIES) + 2
    assert [row.notebook for row in rows if row.verdict == "correct"] == [
        "a honest/01.ipynb",
        "z honest/01.ipynb",
    ]
    assert {row.verdict for row in rows[1:-1]} == {"wrong", "not judged"}
    with (tmp_path / "marks.csv").open(encoding="utf-8", newline="") as file:
        table = list(csv.DictReader(file))
    assert [row["verdict"] for row in table if row["exercise"] == "e_step_1d"] == [
        row.verdict for row in rows
    ]
    assert "f0/01.ipynb\n  e_step_1d             wrong" in capsys.readouterr().out


def test_outputs_edited_by_hand_and_deleted_checks_earn_nothing(tmp_path):
    check = nbformat.v4.new_code_cell(CHECK)
    check.outputs = [nbformat.v4.new_output("execute_result", {"text/plain": "correct: it is -186.92 there"})]
    assert marked(tmp_path, STUB, check)[0]["first_above"][0] == "not attempted"
    found, _ = marked(tmp_path, STUB.replace("None", "8"), "print('correct')")
    assert found == {"first_above": ("not found", "its check is not called")}


# What is no notebook of this course -------------------------------------------------------------------


@pytest.mark.parametrize("text", ["", "not JSON", "[]", "{}", '{"cells": 3, "nbformat": 4}', "\x00\xff"])
def test_what_is_no_notebook(tmp_path, text):
    (tmp_path / "01.ipynb").write_text(text, encoding="latin-1")
    (row,) = mark.mark(tmp_path / "01.ipynb", "x")
    assert row.verdict == "did not run"
    assert row.says.startswith(("not a notebook: ", "no exercise in it"))


def test_a_notebook_without_exercises_and_one_of_an_earlier_edition(tmp_path):
    (row,) = mark.mark(hand_in(tmp_path / "mine.ipynb", "1 + 1"), "x")
    assert row == ("x", "", "did not run", "no exercise in it")
    (row,) = mark.mark(hand_in(tmp_path / "old.ipynb", "exercises.predict_proba(predict_proba)"), "x")
    assert row[1:3] == ("predict_proba", "not judged")
    assert "predict_proba is not an exercise of version" in row.says


# The folder and the table -----------------------------------------------------------------------------


def command(*given):
    return [sys.executable, str(lessons.LESSONS / "mark.py"), *map(str, given)]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("", "say where the notebooks lie, as in make mark FOLDER=handed-in"),
        ("nowhere", "nowhere does not exist"),
        ("a file", "a file is not a folder"),
        (".", "holds no notebook"),
    ],
)
def test_folders_that_cannot_be_marked(tmp_path, monkeypatch, given, words):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a file").touch()
    (tmp_path / ".ipynb_checkpoints").mkdir()
    (tmp_path / ".ipynb_checkpoints" / "01-checkpoint.ipynb").touch()
    with pytest.raises(SystemExit, match=re.escape(words)):
        mark.main(given)
    with pytest.raises(SystemExit, match="the limit is 0"):
        mark.main(str(tmp_path), "--limit", "0")
    assert not list(tmp_path.glob("*.csv"))


def test_a_table_of_somebody_elses_stays_and_one_of_ours_gets_a_number(tmp_path, capsys):
    (tmp_path / "x.ipynb").write_text("nothing")
    (tmp_path / "marks.csv").write_text("name,mark\nAna,10\n")
    with pytest.raises(SystemExit, match="was not written by this command"):
        mark.mark_all(tmp_path)
    assert (tmp_path / "marks.csv").read_text() == "name,mark\nAna,10\n"
    (tmp_path / "marks.csv").unlink()
    for number in range(3):
        mark.mark_all(tmp_path)
        assert (f"now marks-{number}.csv" in capsys.readouterr().out) == (number > 0)
    assert len(list(tmp_path.glob("marks*.csv"))) == 3


def test_an_interrupt_keeps_what_was_marked(tmp_path):
    (tmp_path / "a.ipynb").write_text("nothing")
    hand_in(
        tmp_path / "b.ipynb",
        STUB,
        "open('/'.join(['" + str(tmp_path) + "', 'here']), 'w')",
        "while True: pass",
        CHECK,
    )
    process = subprocess.Popen(command(tmp_path), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while not (tmp_path / "here").exists() and process.poll() is None:
        time.sleep(0.1)  # until the second notebook runs
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert "Interrupted: 1 of 2 notebooks are marked" in out, err
    assert "Traceback" not in err
    assert (tmp_path / "marks.csv").read_text().count('a.ipynb,,did not run,"not a notebook') == 1


# What the course asks ---------------------------------------------------------------------------------


def test_every_exercise_of_the_course_is_known_and_what_its_check_needs_beside_the_answer():
    names = [name for several in mark.expected().values() for name in several]
    assert len(names) == len(set(names)) > 30
    for path in lessons.LESSONS.glob("*.ipynb"):
        for cell in mark.code(nbformat.read(path, as_version=4)):
            for name, _ in mark.calls(cell.source):
                if name in names:
                    assert len(mark.further(name)) == cell.source.count(", "), name
    assert exercises.defends(("shrunk", 20, "held_out"), *mark.further("defends")).correct


@pytest.mark.parametrize(
    ("cell", "found"),
    [
        ("exercises.f(f)", [("f", "f")]),
        ("%time 1\nv = exercises.f(answer=g(1))\nprint(v)", [("f", "g(1)")]),
        ("exercises.f()", [("f", "")]),
        ("exercises.f(f)\n)", [("f", "")]),
        ("# exercises.f(f)\nother.f(f)\n'exercises.f(f)'", []),
    ],
)
def test_calls_of_checks(cell, found):
    assert mark.calls(cell) == found


# An answer in another process -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        3,
        2.5,
        "a",
        [1, "b", None],
        (1.5, [2]),
        {"A": "x", 2: (3,)},
        {1, 2},
        float("inf"),
        np.float32(2),
    ],
)
def test_plain_values_come_over_as_they_are(value):
    back = remote.unpacked(json.loads(json.dumps(remote.packed(value))))
    assert back == value
    assert type(back) is type(value)


@pytest.mark.parametrize("dtype", [float, np.float32, int, bool, complex, "U3", object])
def test_arrays_come_over_as_they_are(dtype):
    array = np.array([[0, 1, 2], [3, 4, 5]]).astype(dtype)
    back = remote.unpacked(json.loads(json.dumps(remote.packed(array))))
    assert back.dtype == array.dtype
    np.testing.assert_array_equal(back, array)


def test_strange_values_are_strange_here_too():
    endless: list[object] = []
    endless.append(endless)
    for value in (Hostile(), print, Hostile, b"bytes", range(10**9), endless):
        back = remote.unpacked(json.loads(json.dumps(remote.packed(value))))
        assert isinstance(back, list) or type(back).__name__ == type(value).__name__
    assert remote.unpacked(remote.packed(np.zeros(10**6))).shape == (10**6,)
    assert list(remote.unpacked(remote.packed(iter(range(10**9))))) == list(range(remote.FEW))
    assert remote.unpacked({"array": "", "dtype": "<f8", "shape": [0]}).shape == (0,)
    with pytest.raises(ValueError, match="no plain array"):
        remote.unpacked({"array": "", "dtype": "O", "shape": [0]})


def test_a_function_is_judged_there_as_it_is_here(tmp_path, monkeypatch):
    """One that is right, raises, changes its arguments, loops, and takes them in another order."""
    file = tmp_path / "answer.json"

    def ask(function, *arguments):
        getattr(remote, function)(str(file), *arguments)
        return json.loads(file.read_text())

    def changes(x, weights, means, variances):
        means += 1
        return right(x, weights, means, variances)

    scope = {}
    exec(FUNCTION, scope)
    right = scope["e_step_1d"]
    answers = [
        right,
        changes,
        lambda *a: {}[0],
        lambda: 1,
        lambda means, x, weights, variances: right(x, weights, means, variances),
    ]
    answers += [lambda *a: iter(()), lambda *a: np.zeros(3), lambda *a: None, max]
    for answer in answers:
        monkeypatch.setattr(sys.modules["__main__"], "my_answer", answer, raising=False)
        there = remote.answer(ask("take", "my_answer"), ask)
        said = exercises.e_step_1d(answer)
        assert exercises.e_step_1d(there) == re.sub(
            ", at `.*`", "", said
        )  # the place in its text is not known here


def test_a_notebook_cannot_interrupt_the_marker():
    with pytest.raises(Exception, match="stop") as caught:
        remote.raised({"error": ["KeyboardInterrupt", "BaseException", "object"], "text": "stop"})
    assert type(caught.value).__name__ == "KeyboardInterrupt"
    assert not isinstance(caught.value, KeyboardInterrupt)
