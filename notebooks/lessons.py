"""From the lessons' one source to what people open.

python notebooks/lessons.py execute [NN ...]  notebooks/source/NN_*.md -> notebooks/NN_*.ipynb, run, with outputs
python notebooks/lessons.py copies            notebooks/*.ipynb -> my-course/*.ipynb, without outputs, once
python notebooks/lessons.py handout           notebooks/*.ipynb -> handout/*.ipynb, without outputs and solutions
"""

import ast
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
START = "START"  # the page that `make lab` opens; every other source is a lesson
PARTS = ("exercises", "pictures", "studies")  # folders that the lessons import and read
PAGES = ("symbols.md", "glossary.md")  # pages that the lessons lead to
EDITION = "edition.txt"  # in a folder of copies: the version of the course that they were made from
BEFORE_EDITIONS = "0.1.0"  # the version of copies that do not say


def sources() -> list[Path]:
    """The sources of the lessons, in their order, and of the start page."""
    return sorted((LESSONS / "source").glob("*.md"))


def version() -> str:
    """The version of the course, which is emlib's; read as text, so that nothing need be installed."""
    text = (ROOT / "emlib" / "__init__.py").read_text(encoding="utf-8")
    return str(ast.literal_eval(re.findall(r"^__version__ = (.*)$", text, flags=re.M)[0]))


def edition(number: str) -> str:
    """What two versions share if the copies of one may be used with the other: 0.2 of 0.2.1."""
    return ".".join(number.split(".")[:2])


# Sources to notebooks -----------------------------------------------------------------------------------


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


def run(source: Path) -> nbformat.NotebookNode:
    """A lesson as a notebook with all that its cells put out, widgets and times included."""
    from nbclient import NotebookClient

    notebook = read(source)
    where = {"metadata": {"path": str(LESSONS)}}
    quiet = ["--IPKernelApp.log_level=ERROR"]  # no news of how it talks to us
    NotebookClient(notebook, resources=where, extra_arguments=quiet).execute()
    return notebook


def execute(source: Path) -> None:
    """Run a lesson and write it beside the others, with its outputs and nothing that changes by the hour."""
    notebook = run(source)
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)  # time stamps
        if cell.cell_type == "code":
            cell.outputs = steady(cell.outputs)
    notebook.metadata.pop("widgets", None)
    notebook.metadata["language_info"] = {"name": "python"}
    nbformat.write(notebook, LESSONS / f"{source.stem}.ipynb")


def chosen(numbers: list[str]) -> list[Path]:
    """The sources whose names begin with these numbers; all if there are none."""
    found = [source for source in sources() if not numbers or source.stem.split("_")[0] in numbers]
    if strangers := set(numbers) - {source.stem.split("_")[0] for source in found}:
        known = ", ".join(source.stem.split("_")[0] for source in sources())
        raise SystemExit(f"there is no lesson {min(strangers)}; there are {known}")
    return found


# Notebooks to copies ------------------------------------------------------------------------------------


def tags(cell: nbformat.NotebookNode) -> set[str]:
    """The tags of a cell."""
    return set(cell.metadata.get("tags", []))


def copy(folder: Path = COPIES, without: str | None = None) -> list[Path]:
    """Make copies without outputs where there are none yet; return the new ones.

    The folder holds all that the lessons show, because JupyterLab sees nothing outside it. Cells with the
    tag `without` are left out.
    """
    (folder / "figures").mkdir(parents=True, exist_ok=True)
    for part in PARTS:  # always as it is here
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
    for page in PAGES:
        if not (folder / page).exists():
            shutil.copy(LESSONS / page, folder)
    (folder / EDITION).write_text(f"{version()}\n", encoding="utf-8")
    return made


def set_aside(folder: Path = COPIES) -> Path | None:
    """Move copies of an earlier edition, whole, to earlier/<version> inside the folder; return where to.

    Nothing of theirs would fit the lessons as they are now, and everything in them is a learner's work. So the folder
    moves as it stands, answers, notes, data and all, and a new one begins.
    """
    if not any(path.name != "earlier" for path in folder.glob("*")):
        return None
    said = folder / EDITION
    theirs = said.read_text(encoding="utf-8").strip() if said.exists() else BEFORE_EDITIONS
    if edition(theirs) == edition(version()):
        return None

    # Rename the whole folder, which works or does nothing, and then sort it out.
    aside = folder.with_name(f"{folder.name}-{theirs}")
    try:
        folder.rename(aside)
    except OSError as error:
        raise SystemExit(
            f"{folder.name} holds the lessons of version {theirs}, and cannot be moved ({error}). Nothing was changed. "
            "Close JupyterLab and all files in the folder, and try again."
        ) from None
    folder.mkdir()
    if (aside / "earlier").exists():  # what was set aside before stays where it was
        (aside / "earlier").rename(folder / "earlier")
    (folder / "earlier").mkdir(exist_ok=True)
    home, number = folder / "earlier" / theirs, 1
    while home.exists():
        number += 1
        home = folder / "earlier" / f"{theirs}-{number}"
    aside.rename(home)
    return home


def main(verb: str = "", *numbers: str) -> None:
    if verb == "execute":
        for source in chosen(list(numbers)):
            print(f"running {source.stem}", flush=True)
            execute(source)
    elif verb == "copies":
        if (home := set_aside()) is not None:
            theirs = home.name.split("-")[0]
            print(
                f"The lessons have changed since version {theirs}. Your work with them is whole, and now in "
                f"{home.relative_to(ROOT)}.\nIts notebooks run under version {theirs} (CHANGELOG.md says where it is); "
                "read them under any."
            )
        made = copy()
        kept = len(list(COPIES.glob("*.ipynb"))) - len(made)
        print(f"my-course: {len(made)} new, {kept} yours and left as they are")
    elif verb == "handout":
        shutil.rmtree(HANDOUT, ignore_errors=True)  # made anew each time: nobody works in it
        made = copy(HANDOUT, without="solution")
        print(
            f"handout: {sum(path.stem != START for path in made)} lessons without solutions, and the start page"
        )
    else:
        raise SystemExit(__doc__)


if __name__ == "__main__":
    main(*sys.argv[1:])
