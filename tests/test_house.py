"""What the README promises of the house: bounds, lock, light import, documented names, its own examples."""

import ast
import graphlib
import importlib
import inspect
import pkgutil
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
import yaml

import emlib
import exercises
import pictures

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
README = (ROOT / "README.md").read_text()


def run(*command, **options):
    return subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT, **options).stdout


def test_conda_has_the_bounds_of_pip():
    dependencies = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    conda = {line for line in dependencies if isinstance(line, str)} - {"pip"}
    pip = {*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["course"]}
    assert conda == {*pip, f"python{PROJECT['requires-python']}"}
    assert dependencies[-1] == {"pip": ["-e .[dev]"]}


def test_the_lock_pins_and_hashes_everything_and_names_no_host():
    lock = (ROOT / "requirements.lock").read_text()
    pins = re.split(r"\n(?=\S)", re.sub(r"^ +#.*\n", "", lock, flags=re.M).strip())
    names = {re.match(r"[\w.-]+", pin).group().lower() for pin in pins}
    assert all(re.match(r"[\w.-]+==\S+", pin) and "--hash=sha256:" in pin for pin in pins)
    assert "://" not in lock
    assert "index" not in lock
    extras = PROJECT["optional-dependencies"].values()
    wanted = [*PROJECT["dependencies"], *(line for extra in extras for line in extra)]
    assert {re.match(r"[\w-]+", line).group().replace("_", "-") for line in wanted} <= names


def test_import_is_light():
    heavy = {"matplotlib", "seaborn", "ipywidgets", "IPython", "sklearn", "dask", "pandas", "scipy.stats"}
    heavy |= {"joblib", "tqdm", "anywidget"}
    code = "import sys, emlib; print(*sys.modules)"
    assert not heavy & set(run(sys.executable, "-c", code).split())


def test_plot_comes_when_it_is_asked_for():
    assert emlib.plot.style
    # A fresh process, since another test may have imported them. All that `__all__` promises is there.
    assert (
        run(sys.executable, "-c", "import emlib; print(all(hasattr(emlib, n) for n in emlib.__all__))")
        == "True\n"
    )
    assert {*emlib.__all__} <= {*dir(emlib)}
    with pytest.raises(AttributeError, match="no attribute 'plots'"):
        _ = emlib.plots


def public():
    """Every public module, function, class and method of emlib, and of the lessons' exercises and pictures."""
    packages = [(package.__path__, f"{package.__name__}.") for package in (emlib, exercises, pictures)]
    for info in (info for package in packages for info in pkgutil.walk_packages(*package)):
        module = importlib.import_module(info.name)
        yield info.name, module
        for name, thing in vars(module).items():
            if name.startswith("_") or getattr(thing, "__module__", "") != info.name:
                continue
            if inspect.isclass(thing) or inspect.isfunction(thing):
                yield f"{info.name}.{name}", thing
            if inspect.isclass(thing):
                for method in vars(thing):
                    if method.startswith("_") or method.endswith("_request"):  # those are scikit-learn's
                        continue
                    if callable(getattr(thing, method)):
                        yield f"{info.name}.{name}.{method}", getattr(thing, method)


@pytest.mark.parametrize(("name", "thing"), [pytest.param(*pair, id=pair[0]) for pair in public()])
def test_public_names_are_documented(name, thing):
    if not inspect.ismodule(thing) and not inspect.isclass(thing):
        assert {*inspect.signature(thing).parameters} - {"self", "cls"} <= {*thing.__annotations__}
    assert inspect.getdoc(thing)


def test_the_readmes_ten_lines_run(capsys):
    (code,) = re.findall(r"```python\n(.*?)```", README, flags=re.S)
    assert len(code.strip().split("\n")) <= 10
    exec(compile(code, "README.md", "exec"), {})
    out = capsys.readouterr().out
    assert out.startswith("converged after")
    assert "Mixture of 3 Gaussians in 1 dimension" in out


def test_the_readmes_links_lead_somewhere():
    for page in (
        "README.md",
        "CHANGELOG.md",
        "LICENSE-text.md",
        "notebooks/teaching.md",
        "notebooks/symbols.md",
    ):
        for target in re.findall(r"\]\(([^)#:]+)[^):]*\)", (ROOT / page).read_text()):
            assert (ROOT / page).parent.joinpath(target).exists(), target


def test_the_readmes_table_is_true():
    """It names every lesson, with the minutes and needs that the start page and the teachers' page name, too."""
    lessons = sorted(path.stem for path in (ROOT / "notebooks").glob("[0-9]*.ipynb"))
    named = re.findall(r"^\| \d+ \| \[.*?\]\(notebooks/(\w+)\.ipynb\)", README, flags=re.M)
    assert named == lessons
    minutes = dict(re.findall(r"^\| (\d+) \|.*\| (\d+) \|[^|]*\|$", README, flags=re.M))
    start, teachers = ((ROOT / "notebooks" / page).read_text() for page in ("source/START.md", "teaching.md"))
    assert minutes == dict(re.findall(r"^\| (\d+) \|.*\| (\d+) \|$", start, flags=re.M))
    assert minutes == dict(re.findall(r"^\| (\d+)\. .*\| (\d+) \|$", teachers, flags=re.M))
    heads = {path.stem: path.read_text() for path in (ROOT / "notebooks" / "source").glob("[01]*.md")}
    for name, head in heads.items():
        assert f"about {minutes[str(int(name[:2]))]} minutes" in head, name


def test_every_make_target_that_the_readme_names_exists():
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), flags=re.M))
    assert {"lab", "test"} <= set(re.findall(r"make (\w+)[`\s]", README)) - {"a"} <= targets


def test_ci_calls_the_readmes_test_command():
    assert (ROOT / ".ci/run").read_text().rstrip().endswith("\nmake test")


def test_the_workflow_runs_the_makefile_and_the_readmes_commands():
    """On the usual host the same commands run as here, on three systems and three versions of Python."""
    workflow = yaml.safe_load((ROOT / ".github/workflows/course.yml").read_text())
    jobs = workflow["jobs"]
    commands = [step["run"] for job in jobs.values() for step in job["steps"] if "run" in step]
    targets = {f"make {name}" for name in re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), flags=re.M)}
    assert {*commands} <= targets | {
        "python notebooks/lessons.py copies",
        "python -m pytest --nbval --nbval-current-env",
    }
    assert all(command in README for command in commands if command != "make lock")
    systems = [*jobs["test"]["strategy"]["matrix"]["os"], jobs["windows"]["runs-on"]]
    assert systems == ["ubuntu-latest", "macos-latest", "windows-latest"]
    for job in ("test", "windows"):
        assert jobs[job]["strategy"]["matrix"]["python"] == ["3.11", "3.12", "3.13"]
    assert workflow[True]["schedule"]  # YAML reads `on` as true


def test_one_version():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["version"] == emlib.__version__
    newest = re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(), flags=re.M).group(1)
    assert newest == emlib.__version__


def test_the_wheel_is_small_typed_and_nothing_but_emlib(tmp_path):
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    run(*pip, "--no-index", "-w", str(tmp_path), ".")
    (wheel,) = tmp_path.glob("em_course-*.whl")
    assert wheel.stat().st_size < 200_000  # as owed, the playground included
    names = zipfile.ZipFile(wheel).namelist()
    page = {f"emlib/playground{end}" for end in (".js", "_em.js", "_session.js", "_pictures.js", ".css")}
    assert {"emlib/py.typed", *page} <= {*names}
    assert all(name.startswith(("emlib/", f"em_course-{emlib.__version__}.dist-info/")) for name in names)
    # What it imports on its own, outside this clone, in an environment that has NumPy, SciPy and the rest.
    code = f"import sys; sys.path.insert(0, {str(wheel)!r}); import emlib; print(emlib.__file__)"
    assert str(wheel) in run(sys.executable, "-P", "-c", code)


def test_the_old_interpreter_can_read_every_source():
    for source in [*ROOT.glob("emlib/**/*.py"), *ROOT.glob("notebooks/**/*.py"), *ROOT.glob("figures/*.py")]:
        ast.parse(source.read_text(), feature_version=(3, 11))


def modules():
    """Every module of emlib by its name."""
    return {
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
        for path in sorted((ROOT / "emlib").rglob("*.py"))
    }


def test_no_circle_of_imports():
    """Those for types alone and those within functions counted, but for the package's own front door."""
    graph = {}
    for name, path in modules().items():
        tree = ast.parse(path.read_text())
        imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module]
        pairs = [(node.module, f"{node.module}.{alias.name}") for node in imports for alias in node.names]
        found = {full if full in modules() else module for module, full in pairs}
        graph[name] = found & set(modules()) - {name, "emlib"}
    graphlib.TopologicalSorter(graph).prepare()  # raises an error at a circle, and names it


def test_emlib_can_be_read():
    """No file of more than 400 lines, no function of more than 45 lines of code."""
    for path in modules().values():
        lines = path.read_text().splitlines()
        assert len(lines) <= 400, path
        for function in ast.walk(ast.parse(path.read_text())):
            if isinstance(function, ast.FunctionDef):
                text = function.body[0] if ast.get_docstring(function) is not None else None
                doc = range(text.lineno, text.end_lineno + 1) if text else ()
                own = range(function.lineno, function.end_lineno + 1)
                code = [
                    n for n in own if n not in doc and lines[n - 1].strip() and lines[n - 1].strip()[0] != "#"
                ]
                assert len(code) <= 45, f"{path}: {function.name}"


def test_a_step_of_em_is_few_calls():
    """One EM step of a Gaussian mixture, watched by `fit`, takes at most 40 calls of emlib's functions."""
    X = emlib.datasets.three_clusters().X
    first = emlib.Mixture([1 / 3] * 3, emlib.Gaussian.univariate([-5, 8, 1.5], [25, 9, 1]))
    calls = []

    def count(frame, event, _):
        calls[-1] += event == "call" and f"{ROOT}/emlib/" in frame.f_code.co_filename

    for steps in (10, 11):
        calls.append(0)
        sys.setprofile(count)
        emlib.fit(first, X, max_iter=steps, keep="values", warn=False)
        sys.setprofile(None)
    assert calls[1] - calls[0] <= 40
