"""From the lessons' one source to what people open.

python notebooks/lessons.py execute    notebooks/source/*.md -> notebooks/*.ipynb, run, with outputs
python notebooks/lessons.py copies     notebooks/*.ipynb -> my-course/*.ipynb, without outputs, once
python notebooks/lessons.py handout    notebooks/*.ipynb -> handout/*.ipynb, without outputs and solutions
"""

import hashlib
import re
import shutil
import sys
from pathlib import Path

import nbformat

ROOT = Path(__file__).resolve().parent.parent
LESSONS = ROOT / "notebooks"
COPIES = ROOT / "my-course"
HANDOUT = ROOT / "handout"


def sources() -> list[Path]:
    return sorted((LESSONS / "source").glob("*.md"))


def read(source: Path) -> nbformat.NotebookNode:
    """A source as a notebook without outputs; the same source gives the same notebook."""
    import jupytext  # a tool of authors: those who only read may not have it

    notebook = jupytext.read(source)
    notebook.metadata = {
        "kernelspec": notebook.metadata["kernelspec"],
        "language_info": {"name": "python"},
    }
    for number, cell in enumerate(notebook.cells):
        cell.id = hashlib.sha256(f"{number} {cell.source}".encode()).hexdigest()[:12]
    return notebook


def steady(outputs: list[nbformat.NotebookNode]) -> list[nbformat.NotebookNode]:
    """The same outputs for the same results, however the kernel's messages came.

    What a cell prints is one text. A widget is left its line of text: without a kernel that is all there is
    to see of it, and its number changes at every run.
    """
    kept: list[nbformat.NotebookNode] = []
    for output in outputs:
        output.get("data", {}).pop("application/vnd.jupyter.widget-view+json", None)
        if output.output_type == "stream" and kept and kept[-1].get("name") == output.name:
            kept[-1].text += output.text
        else:
            kept.append(output)
    for output in kept:
        if output.output_type == "stream":  # a progress bar writes over itself: keep what is left to see
            output.text = re.sub(r"^.*\r(?=[^\n])", "", output.text, flags=re.MULTILINE)
    return kept


def execute(source: Path) -> None:
    """Run a lesson and write it beside the others, with its outputs and nothing that changes by the hour."""
    from nbclient import NotebookClient

    notebook = read(source)
    NotebookClient(notebook, resources={"metadata": {"path": str(LESSONS)}}).execute()
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)  # time stamps
        if cell.cell_type == "code":
            cell.outputs = steady(cell.outputs)
    notebook.metadata.pop("widgets", None)
    notebook.metadata["language_info"] = {"name": "python"}
    nbformat.write(notebook, LESSONS / f"{source.stem}.ipynb")


def tags(cell: nbformat.NotebookNode) -> set[str]:
    """The tags of a cell."""
    return set(cell.metadata.get("tags", []))


def copy(folder: Path = COPIES, without: str | None = None) -> list[Path]:
    """Make copies without outputs where there are none yet; return the new ones.

    The folder holds all that the lessons show, because JupyterLab sees nothing outside it. Cells with the
    tag `without` are left out.
    """
    (folder / "figures").mkdir(parents=True, exist_ok=True)
    for part in ("exercises", "studies"):  # what the lessons import and read: always as it is here
        shutil.copytree(
            LESSONS / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"), dirs_exist_ok=True
        )
    made = []
    for lesson in sorted(LESSONS.glob("*.ipynb")):
        target = folder / lesson.name
        if target.exists():
            continue
        notebook = nbformat.read(lesson, as_version=4)
        notebook.cells = [cell for cell in notebook.cells if without not in tags(cell)]
        for cell in notebook.cells:
            if cell.cell_type == "code":
                cell.outputs, cell.execution_count = [], None
            else:
                cell.source = cell.source.replace("](../figures/", "](figures/")
        nbformat.write(notebook, target)
        made.append(target)
    for picture in (ROOT / "figures").glob("*.png"):
        shutil.copy(picture, folder / "figures")
    if not (folder / "symbols.md").exists():
        shutil.copy(LESSONS / "symbols.md", folder)
    return made


def main(verb: str) -> None:
    if verb == "execute":
        for source in sources():
            print(f"running {source.stem}", flush=True)
            execute(source)
    elif verb == "copies":
        made = copy()
        kept = len(list(COPIES.glob("*.ipynb"))) - len(made)
        print(f"my-course: {len(made)} new, {kept} yours and left as they are")
    elif verb == "handout":
        shutil.rmtree(HANDOUT, ignore_errors=True)  # made anew each time: nobody works in it
        print(f"handout: {len(copy(HANDOUT, without='solution'))} lessons without solutions")
    else:
        raise SystemExit(__doc__)


if __name__ == "__main__":
    main(*sys.argv[1:] or [""])
