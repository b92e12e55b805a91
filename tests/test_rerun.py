"""Every lesson runs solved, and then any of its cells runs again and shows the same.

A lesson costs one kernel here: from top to bottom with the solutions in place, and then from the last code
cell to the first, each twice in a row. nbval compares the unsolved lessons, in kernels of its own.
"""

import copy
import re
from collections.abc import Iterator
from contextlib import contextmanager

import lessons
import nbformat
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from test_exercises import NOTEBOOKS, said, triples


def solve(notebook):
    """Put every solution in the place of its stub."""
    for stub, _, solution in triples(notebook):
        (stub.source,) = re.findall(r"```python\n(.*?)```", solution.source, flags=re.DOTALL)


def shown(outputs) -> list[str]:
    """What a reader reads of the outputs of a cell: its prints and its results, but no pictures."""
    texts = []
    for output in lessons.steady(copy.deepcopy(outputs)):
        if output.output_type == "stream":
            texts += [output.text] if output.name == "stdout" else []
        elif "image/png" not in output.get("data", {}):
            texts.append(output.get("data", {}).get("text/plain", ""))
    return texts


@contextmanager
def kernel(notebook, folder=lessons.LESSONS) -> Iterator[NotebookClient]:
    """A kernel for the cells of a notebook."""
    client = NotebookClient(notebook, resources={"metadata": {"path": str(folder)}})
    with client.setup_kernel():
        yield client


def again(client, place) -> list[str]:
    """What a cell shows if it is run once more; its outputs stay as they are."""
    cell = client.nb.cells[place]
    rerun = copy.deepcopy(cell)
    try:
        client.execute_cell(rerun, place)
    except CellExecutionError as error:
        return [f"{error.ename}: {error.evalue}"]
    finally:
        client.nb.cells[place] = cell  # the client puts what it ran into the notebook
    return shown(rerun.outputs)


def unsteady(notebook, folder=lessons.LESSONS) -> dict[int, str]:
    """The places of the cells that show something else when they are run again, with what they show.

    The notebook comes back with the outputs of its first run.
    """
    with kernel(notebook, folder) as client:
        places = [place for place, cell in enumerate(notebook.cells) if cell.cell_type == "code"]
        for place in places:
            client.execute_cell(notebook.cells[place], place)
        found: dict[int, str] = {}
        for place in reversed(places):
            first = shown(notebook.cells[place].outputs)
            for turn in ("backwards", "twice in a row"):
                if place not in found and (now := again(client, place)) != first:
                    found[place] = (
                        f"{turn}, it shows {''.join(now)[-300:]!r} and not {''.join(first)[-300:]!r}"
                    )
    return found


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_solved_every_check_says_correct_and_any_cell_can_be_run_again(path):
    notebook = nbformat.read(path, as_version=4)
    stored = [shown(cell.get("outputs", [])) for cell in notebook.cells]
    checks = [notebook.cells.index(check) for _, check, _ in triples(notebook)]
    solve(notebook)
    found = unsteady(notebook)

    # The first run: correct, and else as it is stored, since a solution changes nothing but its check. Of cells
    # that nbval does not compare nothing can be asked here either.
    for _, check, _ in triples(notebook):
        assert said(check).startswith("correct: ")
    for place, cell in enumerate(notebook.cells):
        if (
            cell.cell_type == "code"
            and place not in checks
            and "nbval-ignore-output" not in lessons.tags(cell)
        ):
            assert shown(cell.outputs) == stored[place], f"cell {place} of the solved lesson"

    assert not found, "\n".join(f"cell {place}: {what}" for place, what in sorted(found.items()))


# The test itself ----------------------------------------------------------------------------------------------


def made(*codes):
    notebook = nbformat.read(NOTEBOOKS[0], as_version=4)
    notebook.cells = [nbformat.v4.new_code_cell(code) for code in codes]
    return notebook


@pytest.mark.parametrize(
    ("codes", "found"),
    [
        (["n = 0", "n += 1\nprint(n)"], {1: "backwards, it shows '2\\n' and not '1\\n'"}),
        (["n = 1", "print(n)", "n = 2"], {1: "backwards, it shows '2\\n'"}),
        (["n = 1", "n", "n = 2"], {1: "backwards, it shows '2' and not '1'"}),
        (["n = 1", "print(n)\ndel n", "n = 1"], {1: 'twice in a row, it shows "NameError: name'}),
    ],
)
def test_a_cell_that_shows_something_else_is_found(tmp_path, codes, found):
    complaints = unsteady(made(*codes), tmp_path)
    assert list(complaints) == list(found)
    for place, words in found.items():
        assert complaints[place].startswith(words)


def test_cells_that_keep_to_themselves_are_steady(tmp_path):
    notebook = made(
        "import numpy as np\nimport sys",
        "print(np.random.default_rng(0).normal())",
        "sys.stdout.write('1 of 2\\r2 of 2\\n')\nobject.__name__",
    )
    assert unsteady(notebook, tmp_path) == {}
    assert shown(notebook.cells[2].outputs) == ["2 of 2\n", "'object'"]
