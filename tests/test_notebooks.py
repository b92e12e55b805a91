"""The lessons as files: one source each, all run, mostly compared, every picture with its text.

nbval compares the outputs themselves; `make test` runs it over notebooks/.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

import lessons
import nbformat
import pytest

ROOT = Path(__file__).resolve().parent.parent
SOURCES = lessons.sources()
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
EXEMPT = {"nbval-ignore-output", "nbval-skip"}


def read(path):
    return nbformat.read(path, as_version=4)


def code(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def tags(cell):
    return set(cell.metadata.get("tags", []))


def pictures(cell):
    return [output for output in cell.outputs if "image/png" in output.get("data", {})]


each = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def test_every_source_has_its_notebook_and_every_notebook_its_source():
    assert [path.stem for path in SOURCES] == [path.stem for path in NOTEBOOKS]
    assert SOURCES


@each
def test_source_and_notebook_agree(path):
    source, notebook = lessons.read(path.parent / "source" / f"{path.stem}.md"), read(path)
    for ours, theirs in zip(source.cells, notebook.cells, strict=True):
        for part in ("cell_type", "source", "metadata", "id"):
            assert ours[part] == theirs[part], "run make notebooks"


@each
def test_every_cell_was_run_in_order_and_without_an_error(path):
    cells = code(read(path))
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    assert all(cell.source.strip() for cell in cells)
    assert not [output for cell in cells for output in cell.outputs if output.output_type == "error"]


@each
def test_at_least_half_of_the_cells_are_compared(path):
    cells = code(read(path))
    # A cell counts if it is not exempt and shows something that nbval compares, or shows nothing at all.
    compared = [
        cell
        for cell in cells
        if not tags(cell) & EXEMPT and len(pictures(cell)) <= len(cell.outputs) - bool(cell.outputs)
    ]
    assert len(compared) >= len(cells) / 2


@each
def test_only_cells_that_draw_or_show_a_widget_are_exempt(path):
    for cell in code(read(path)):
        if tags(cell) & EXEMPT:
            shown = json.dumps(cell.outputs)
            assert "image/png" in shown or "<film" in shown or "<live" in shown, cell.source


@each
def test_every_picture_has_a_text(path):
    notebook = read(path)
    for cell in code(notebook):
        for output in pictures(cell):
            assert len(output.metadata["image/png"]["alt"]) > 40, cell.source
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            for alt, target in re.findall(r"!\[(.*?)\]\((.*?)\)", cell.source):
                assert len(alt) > 40
                assert (path.parent / target).exists(), target
            assert "<img" not in cell.source


@each
def test_links_lead_somewhere(path):
    for cell in read(path).cells:
        if cell.cell_type == "markdown":
            for target in re.findall(r"(?<!!)\[[^\]]*\]\(([^)#:]+)\)", cell.source):
                assert (path.parent / target).exists(), target


@each
def test_cells_are_short(path):
    for cell in code(read(path)):
        lines = [line for line in cell.source.split("\n") if line.strip()]
        assert len(lines) <= (25 if "algorithm" in tags(cell) else 10), cell.source
        code_alone = re.sub(r'alt=""".*?"""', "", cell.source, flags=re.DOTALL)
        assert all(len(line) <= 125 for line in code_alone.split("\n")), (
            cell.source
        )  # no scrolling to the right


@each
def test_the_file_is_small_and_holds_nothing_of_one_machine(path):
    text = path.read_text()
    assert len(text) < 1_500_000
    notebook = read(path)
    assert set(notebook.metadata) == {"kernelspec", "language_info"}
    assert notebook.metadata.kernelspec.name == "python3"
    assert "execution" not in {key for cell in notebook.cells for key in cell.metadata}
    assert "model_id" not in text
    assert not re.search(r"/home/|/Users/|site-packages|ipykernel_\d", text)


@each
def test_lessons_check_what_they_teach(path):
    text = path.read_text()
    assert "checks.monotone(" in text
    if path.stem[:2] not in (lessons.START[:2], "90"):  # the start page and the appendix teach no one thing
        assert "Takeaway" in text


@each
def test_facts_are_held_by_tests_and_not_shown_to_readers(path):
    for cell in code(read(path)):
        assert not re.search(r"^\s*assert ", cell.source, flags=re.M), cell.source


def test_the_start_page_leads_to_every_lesson():
    text = "".join(cell.source for cell in read(ROOT / "notebooks" / f"{lessons.START}.ipynb").cells)
    for path in NOTEBOOKS:
        assert path.stem == lessons.START or f"]({path.name})" in text


# The machinery itself ---------------------------------------------------------------------------------------


def test_copies_hold_no_outputs_and_are_never_overwritten(tmp_path):
    made = lessons.copy(tmp_path)
    assert [path.name for path in made] == [path.name for path in NOTEBOOKS]
    for part in lessons.PARTS:
        ours, theirs = (
            {path.name for path in (folder / part).glob("*.*")} for folder in (tmp_path, lessons.LESSONS)
        )
        assert ours == theirs
    for path in made:
        notebook = read(path)
        assert all(not cell.outputs and cell.execution_count is None for cell in code(notebook))
        prose = "".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
        for target in re.findall(r"\]\(([^)#:]+)\)", prose):
            assert (tmp_path / target).exists(), target
    mine = made[0]
    mine.write_text("my work")
    for page in lessons.PAGES:
        (tmp_path / page).write_text("my notes")
    assert lessons.copy(tmp_path) == []
    assert mine.read_text() == "my work"
    assert {(tmp_path / page).read_text() for page in lessons.PAGES} == {"my notes"}


def learners_folder(folder, version=None):
    """A folder as a learner of an earlier edition left it; copies of the first editions name no version."""
    folder.mkdir(parents=True)
    (folder / "02_why_em_works.ipynb").write_text("my answers")
    (folder / "my_notes.ipynb").write_text("my notes")
    for part in ("exercises", "data/mine", ".ipynb_checkpoints"):
        (folder / part).mkdir(parents=True)
        (folder / part / "file").write_text(part)
    if version:
        (folder / lessons.EDITION).write_text(f"{version}\n")


def contents(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_copies_of_an_earlier_edition_are_moved_whole(tmp_path):
    course = tmp_path / "my-course"
    learners_folder(course)
    before = contents(course)
    home = lessons.set_aside(course)
    assert home == course / "earlier" / "0.1.0"
    assert contents(home) == before
    assert [path.name for path in course.iterdir()] == ["earlier"]

    # Once more changes nothing, and so does a release that keeps the lessons.
    made = lessons.copy(course)
    assert [path.name for path in made] == [path.name for path in NOTEBOOKS]
    made[0].write_text("new answers")
    assert lessons.set_aside(course) is None
    (course / lessons.EDITION).write_text(f"{lessons.edition(lessons.version())}.99\n")
    assert lessons.set_aside(course) is None
    assert made[0].read_text() == "new answers"

    # The next edition: what was set aside stays, and two of one version do not meet.
    (course / lessons.EDITION).write_text("0.1.0\n")
    second = contents(course) | {}
    home = lessons.set_aside(course)
    assert home == course / "earlier" / "0.1.0-2"
    assert contents(home) == {name: text for name, text in second.items() if not name.startswith("earlier")}
    assert contents(course / "earlier" / "0.1.0") == before


def test_a_new_learner_has_nothing_to_set_aside(tmp_path):
    assert lessons.set_aside(tmp_path / "my-course") is None
    (tmp_path / "empty").mkdir()
    assert lessons.set_aside(tmp_path / "empty") is None
    assert list((tmp_path / "empty").iterdir()) == []


def test_a_folder_that_cannot_be_moved_is_left_as_it_is(tmp_path, monkeypatch):
    course = tmp_path / "my-course"
    learners_folder(course, "0.1.0")
    before = contents(course)

    def locked(*_):
        raise PermissionError("in use")

    monkeypatch.setattr(Path, "rename", locked)
    with pytest.raises(SystemExit, match="Nothing was changed"):
        lessons.set_aside(course)
    assert contents(course) == before


def test_a_lesson_that_is_not_there_is_named():
    with pytest.raises(SystemExit, match="there is no lesson 99; there are 01, 02"):
        lessons.chosen(["01", "99"])
    assert [path.stem[:2] for path in lessons.chosen(["01", "03"])] == ["01", "03"]


@pytest.mark.parametrize(("stored", "verdict"), [("4", "1 passed"), ("5", "1 failed")])
def test_nbval_compares_for_real(tmp_path, stored, verdict):
    """The very command of `make test`, on an output that is right and on one that is not."""
    notebook = nbformat.v4.new_notebook(metadata=read(NOTEBOOKS[0]).metadata)
    cell = nbformat.v4.new_code_cell("print(2 + 2)", execution_count=1)
    cell.outputs = [nbformat.v4.new_output("stream", name="stdout", text=f"{stored}\n")]
    notebook.cells = [cell]
    nbformat.write(notebook, tmp_path / "sum.ipynb")
    options = re.search(r"pytest (.*)", (ROOT / "Makefile").read_text()).group(1).split()
    command = [sys.executable, "-m", "pytest", *options, "-p", "no:cacheprovider", "--rootdir", tmp_path]
    result = subprocess.run([*command, "-c", "/dev/null", tmp_path], capture_output=True, text=True)
    assert verdict in result.stdout
