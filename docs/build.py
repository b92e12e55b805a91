"""Build the site: python docs/build.py [folder], by default site/.

The pages are made of what the course already has. The lessons run once, with the state of their widgets, and are
laid out in one folder with the pages that stand beside this program; Sphinx turns that folder into the site.
"""

import hashlib
import platform
import re
import shutil
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Any

import nbformat

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
WORK = ROOT / ".site"  # what is made on the way: lessons that have run, and Sphinx's source
sys.path[:0] = [str(ROOT / "notebooks"), str(HERE)]

import films  # noqa: E402
import lessons  # noqa: E402
import playground  # noqa: E402

LIBRARIES = (
    "numpy",
    "scipy",
    "scikit-learn",
    "matplotlib",
    "seaborn",
    "pandas",
    "ipywidgets",
    "jupyterlab",
    "sphinx",
)
# What no reader's browser asks for.
UNASKED = ("*.map", "locales", "*webpack-macros.html", "objects.inv", ".buildinfo")


def build(site: Path) -> None:
    """Make the whole site in a folder, in the place of an earlier one; a warning of Sphinx's is an error."""
    from sphinx.cmd.build import main as sphinx

    if site.exists() and any(site.iterdir()) and not (site / "_static").is_dir():
        raise SystemExit(
            f"{site} holds something else than a site, and nothing was changed: name another folder"
        )
    source, made = WORK / "source", WORK / "html"
    for folder in (source, made):
        shutil.rmtree(folder, ignore_errors=True)
    stage(source, executed())
    failed = sphinx(
        ["-W", "--keep-going", "-q", "-b", "html", "-d", str(WORK / "doctrees"), str(source), str(made)]
    )
    if failed:
        raise SystemExit("the site is not built: see the warnings above")
    shutil.rmtree(site, ignore_errors=True)
    shutil.copytree(made, site, ignore=shutil.ignore_patterns(*UNASKED))


# The lessons, run -----------------------------------------------------------------------------------------


def executed() -> dict[str, nbformat.NotebookNode]:
    """All lessons as they ran, by name, each with its seconds in the metadata; run again only if something changed."""
    folder = WORK / "lessons"
    folder.mkdir(parents=True, exist_ok=True)
    code = sorted(
        path for part in ("emlib", "notebooks") for path in (ROOT / part).rglob("*.*") if _matters(path)
    )
    common = b"".join(path.read_bytes() for path in code)

    def one(source: Path) -> nbformat.NotebookNode:
        digest = hashlib.sha256(common + source.read_bytes()).hexdigest()[:16]
        kept = folder / f"{source.stem}-{digest}.ipynb"
        if not kept.exists():
            print(f"running {source.stem}", flush=True)
            began = time.perf_counter()
            notebook = lessons.run(source)
            notebook.metadata["seconds"] = time.perf_counter() - began
            for old in folder.glob(f"{source.stem}-*.ipynb"):
                old.unlink()
            nbformat.write(notebook, kept)
        return nbformat.read(kept, as_version=4)

    sources = lessons.sources()
    with ThreadPoolExecutor(2) as pool:
        return dict(zip([source.stem for source in sources], pool.map(one, sources), strict=True))


def _matters(path: Path) -> bool:
    """Whether a lesson's outputs may change with this file."""
    return path.suffix in (".py", ".csv") and not {"__pycache__", ".ipynb_checkpoints"} & set(path.parts)


# One folder for Sphinx ------------------------------------------------------------------------------------


def stage(source: Path, notebooks: dict[str, nbformat.NotebookNode]) -> None:
    """Lay out all pages in Sphinx's source folder, where their links to each other hold."""
    # The pages and settings beside this program, and what other folders hold.
    shutil.copytree(HERE, source, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    shutil.copy(HERE / "conf.py", source)
    shutil.copytree(
        ROOT / "figures", source / "figures", ignore=shutil.ignore_patterns("*.py", "__pycache__")
    )
    (source / "notebooks").mkdir()
    for name in ("README.md", "CHANGELOG.md"):
        text = (ROOT / name).read_text(encoding="utf-8").replace("](docs/", "](")
        (source / name).write_text(text, encoding="utf-8")
    download = source / "download.md"
    download.write_text(
        download.read_text(encoding="utf-8").replace("{version}", lessons.version()), encoding="utf-8"
    )
    for page in (*lessons.PAGES, "teaching.md"):
        text = (ROOT / "notebooks" / page).read_text(encoding="utf-8")
        text = text.replace("](../README.md)", "](../index.md)")
        if page == "glossary.md":
            text = _linked_to_lessons(text)
        (source / "notebooks" / page).write_text(text, encoding="utf-8")

    # Files that pages show or offer, taken over as they are.
    extra = source / "extra"
    (extra / "films").mkdir(parents=True)
    downloads(extra / "downloads")
    mathjax = files("sphinx-mathjax-offline") / "static" / "mathjax"
    (source / "static" / "mathjax" / "output").mkdir(parents=True)
    shutil.copy(str(mathjax / "tex-chtml.js"), source / "static" / "mathjax")
    shutil.copytree(str(mathjax / "output" / "chtml"), source / "static" / "mathjax" / "output" / "chtml")

    # The playground, as a script that works from the disk, too.
    playground.write(source / "static")

    # The lessons.
    terms = _terms((ROOT / "notebooks" / "glossary.md").read_text(encoding="utf-8"))
    for name, notebook in notebooks.items():
        page = laid_out(notebook, name, terms, extra / "films")
        nbformat.write(page, source / "notebooks" / f"{name}.ipynb")
    (source / "versions.md").write_text(_versions(notebooks), encoding="utf-8")


def laid_out(
    notebook: nbformat.NotebookNode, name: str, terms: dict[str, str], folder: Path
) -> nbformat.NotebookNode:
    """A lesson as a page: films that move, texts for pictures, links to the glossary, and a line to download it."""
    films.without_kernel(notebook, name, folder, "../films")
    linked: set[str] = set()
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type == "markdown":
            cell.source = _linked_to_glossary(cell.source, terms, linked)
        elif cell.cell_type == "code":
            cell.outputs = lessons.steady(cell.outputs)
            if cell.metadata.get("jupyter", {}).get("source_hidden"):
                cell.metadata["tags"] = [*cell.metadata.get("tags", []), "hide-input"]
            _describe_pictures(cell, name)
    offer = (
        f'Download this page <a href="../downloads/{name}.ipynb" download>as a notebook</a>, or '
        f'<a href="../downloads/handout/{name}.ipynb" download>without its solutions</a>; '
        "[what it needs](../download.md)."
    )
    notebook.cells.insert(1, nbformat.v4.new_markdown_cell(offer))
    return notebook


def _describe_pictures(cell: Any, name: str) -> None:
    """Move the text of a picture, and its width, to where MyST-NB looks for them."""
    described = [o.metadata["image/png"] for o in cell.outputs if "image/png" in o.get("data", {})]
    if not described:
        return
    if len(described) > 1 or not described[0].get("alt"):
        raise SystemExit(
            f"{name}: a cell shows {len(described)} pictures; it must show one, with its alt text"
        )
    (picture,) = described
    wide = {"classes": "wide"} if picture["width"] > films.FITS_A_PHONE else {}
    cell.metadata["mystnb"] = {"image": {"alt": picture["alt"], "width": f"{picture['width']}px", **wide}}


# Links that the pages get here -----------------------------------------------------------------------------


def _terms(glossary: str) -> dict[str, str]:
    """The terms of the glossary and the other words for them, each with the address of its heading."""
    found: dict[str, str] = {}
    for entry in re.split(r"^## ", glossary, flags=re.M)[1:]:
        title, _, text = entry.partition("\n")
        slug = re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")
        also = re.search(r"\*Also\*: (.*?)\.$", text, flags=re.M)
        others = re.sub(r"`[^`]*`", "", also.group(1)).split(",") if also else []
        for word in (title, *others):
            if word.strip():
                found.setdefault(word.strip().lower(), f"glossary.md#{slug}")
    return found


def _linked_to_glossary(text: str, terms: dict[str, str], linked: set[str]) -> str:
    """The text with each term that it brings in bold leading to the glossary, the first time."""

    def link(match: re.Match[str]) -> str:
        target = terms.get(match.group(1).lower().rstrip("s")) or terms.get(match.group(1).lower())
        if target is None or target in linked:
            return match.group()
        linked.add(target)
        return f"[**{match.group(1)}**]({target})"

    return re.sub(r"(?<![\[*])\*\*([^*\n]+)\*\*(?![\]*])", link, text)


def _linked_to_lessons(glossary: str) -> str:
    """The glossary with its "Lesson 4" leading there."""
    pages = {
        str(int(path.stem[:2])): f"{path.stem}.ipynb" for path in lessons.sources() if path.stem[0].isdigit()
    }

    def link(match: re.Match[str]) -> str:
        page = pages.get(match.group(2))
        return f"[{match.group(1)}{match.group(2)}]({page})" if page else match.group()

    lines = glossary.split("\n")
    return "\n".join(
        re.sub(r"(\b[Ll]essons? |(?<=and ))(\d+)\b", link, line) if line.startswith("Lesson") else line
        for line in lines
    )


# Downloads and versions ------------------------------------------------------------------------------------


def downloads(folder: Path) -> None:
    """The lessons one by one and as archives, with all that they import, and emlib as a wheel."""
    from flit_core.buildapi import build_wheel

    for name, without in (("em-course", None), ("em-course-handout", "solution")):
        whole = WORK / name
        shutil.rmtree(whole, ignore_errors=True)
        lessons.copy(whole, without=without)
        build_wheel(str(whole))
        target = folder / "handout" if without else folder
        target.mkdir(parents=True, exist_ok=True)
        for notebook in whole.glob("*.ipynb"):
            shutil.copy(notebook, target)
        shutil.make_archive(str(folder / name), "zip", WORK, name)
        shutil.rmtree(whole)


def _versions(notebooks: dict[str, nbformat.NotebookNode]) -> str:
    """The page that says what the lessons ran with, and how long they took."""
    rows = [("Python", platform.python_version()), ("emlib", lessons.version())]
    rows += [(name, version(name)) for name in LIBRARIES]
    times = [(_title(notebook), name, notebook.metadata["seconds"]) for name, notebook in notebooks.items()]
    total = sum(seconds for *_, seconds in times)
    return "\n".join(
        [
            "# Versions and times",
            "",
            f"All lessons on this site ran on {time.strftime('%-d %B %Y')} ({platform.system()}, {platform.machine()}) "
            "with these versions:",
            "",
            "| | version |",
            "|---|---|",
            *(f"| {name} | {number} |" for name, number in rows),
            "",
            f"Seconds that each took, all its cells together, two lessons side by side; {total:.0f} in all:",
            "",
            "| lesson | seconds |",
            "|---|---:|",
            *(f"| [{title}](notebooks/{name}.ipynb) | {seconds:.0f} |" for title, name, seconds in times),
            "",
        ]
    )


def _title(notebook: nbformat.NotebookNode) -> str:
    return re.search(r"^# (.*)", notebook.cells[0].source).group(1)  # type: ignore[union-attr]


if __name__ == "__main__":
    build(Path(sys.argv[1]) if sys.argv[1:] else ROOT / "site")
