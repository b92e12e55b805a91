"""The site: its files, and every page in a real browser, from the disk, at three widths."""

import functools
import http.server
import importlib
import inspect
import re
import subprocess
import sys
import threading
import zipfile
from pathlib import Path

import lab
import lessons
import nbformat
import pages
import pytest

pytest.importorskip("myst_nb", reason="what `make site` needs is not installed: pip install -e .[site]")
ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
LESSONS = [f"notebooks/{source.stem}" for source in lessons.sources()]
NAMES = [
    *LESSONS,
    *(f"notebooks/{name}" for name in ("glossary", "symbols", "teaching")),
    *(str(path.relative_to(DOCS).with_suffix("")) for path in sorted(DOCS.rglob("*.md"))),
    *("CHANGELOG", "versions", "search"),
]
PUBLIC = [
    "emlib",
    "emlib.start",
    "emlib.select",
    "emlib.checks",
    "emlib.datasets",
    "emlib.plot",
    "emlib.explore",
]

in_a_browser = pytest.mark.skipif(
    not lab.CHROMIUM, reason="no Chromium on this machine: install it to read the site in a real browser"
)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The site, built as `make site` does."""
    folder = tmp_path_factory.mktemp("site") / "site"
    done = subprocess.run(
        [sys.executable, str(DOCS / "build.py"), str(folder)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture
def open_page(site, browser):
    """A function that opens a page of the site, or an address, and returns it with what it complained of."""
    opened = []

    def go(name, width=1280, **options):
        context = browser.new_context(viewport={"width": width, "height": 900}, **options)
        opened.append(context)
        page = context.new_page()
        page.complaints = pages.complaints(page)
        page.goto(name if "://" in name else (site / f"{name}.html").as_uri())
        page.wait_for_function("!window.MathJax?.startup || window.MathJax.startup.promise.then(() => true)")
        return page

    yield go
    for context in opened:
        context.close()


def test_a_folder_that_holds_something_else_is_left_alone(tmp_path):
    (tmp_path / "letter.txt").write_text("mine")
    done = subprocess.run(
        [sys.executable, str(DOCS / "build.py"), str(tmp_path)], capture_output=True, text=True
    )
    assert "holds something else than a site" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]


# Its files ----------------------------------------------------------------------------------------------------


def test_links_lead_somewhere_pictures_have_texts_and_nothing_comes_from_elsewhere(site):
    assert pages.faults(site) == []
    assert {str(path.relative_to(site).with_suffix("")) for path in site.rglob("*.html")} == {*NAMES}


def test_those_faults_are_seen(tmp_path):
    (tmp_path / "other.html").write_text('<p id="here">')
    (tmp_path / "page.html").write_text(
        '<a href="gone.html">1</a><a href="other.html#there">2</a><a href="other.html#here">3</a><img src="a.png">'
        '<script src="https://cdn.example/x.js"></script><a href="https://doi.org/1">4</a>'
        '<img src="other.html" alt="b">'
    )
    assert pages.faults(tmp_path) == [
        "page.html: gone.html leads nowhere",
        "page.html: other.html#there leads to no place on that page",
        "page.html: a.png leads nowhere",
        "page.html: https://cdn.example/x.js is loaded from elsewhere",
        "page.html: no text for a.png",
    ]


def test_it_is_small(site):
    assert max(path.stat().st_size for path in site.rglob("*.html")) < 500_000
    assert sum(path.stat().st_size for path in site.rglob("*") if path.is_file()) < 30_000_000


def test_every_film_and_every_live_picture_is_there(site):
    for source in lessons.sources():
        text, html = source.read_text(), (site / "notebooks" / f"{source.stem}.html").read_text()
        calls = {
            kind: len(re.findall(rf"^ *explore\.{kind}\(", text, flags=re.M))
            for kind in ("film", "frames", "live")
        }
        assert html.count('<figure class="film"') == calls["film"] + calls["frames"]
        assert (
            html.count('<figure class="live"') == html.count("In Jupyter this picture moves") == calls["live"]
        )


def test_solutions_are_there_and_collapsed(site):
    for source in lessons.sources():
        html = (site / "notebooks" / f"{source.stem}.html").read_text()
        solutions = source.read_text().count('"tags": ["solution"]')
        assert html.count(
            "<details><summary>A solution</summary>"
        ) == solutions > 0 or source.stem.startswith("90")
    assert "<details open" not in html


def test_terms_lead_to_the_glossary_and_it_leads_back(site):
    html = (site / "notebooks" / "01_three_clusters_on_a_line.html").read_text()
    assert 'href="glossary.html#mixture"' in html
    assert 'href="glossary.html#e-step"' in html
    back = (site / "notebooks" / "glossary.html").read_text()
    assert all(f'href="{source.stem}.html"' in back for source in lessons.sources() if source.stem < "13")


def test_the_code_of_lessons_leads_to_the_reference(site):
    html = (site / "notebooks" / "01_three_clusters_on_a_line.html").read_text()
    assert 'href="../emlib/fitting.html#emlib.fit"' in html
    assert 'href="../emlib/models.html#emlib.Mixture"' in html


def public_names():
    for name in PUBLIC:
        module = importlib.import_module(name)
        own = [
            n for n, thing in vars(module).items() if getattr(thing, "__module__", "") == name and n[0] != "_"
        ]
        for member in getattr(module, "__all__", own):
            if callable(getattr(module, member)):
                yield f"{name}.{member}", getattr(module, member)


def test_every_public_name_has_a_place_in_the_reference_and_an_example(site):
    places = {name for path in (site / "emlib").glob("*.html") for name in pages.Page(path).names}
    assert {name for name, _ in public_names()} - places == set()
    assert [name for name, thing in public_names() if ">>> " not in (inspect.getdoc(thing) or "")] == []


def test_all_that_is_cited_is_in_the_references():
    entries = (DOCS / "references.md").read_text().split("\n")
    texts = [*(ROOT / "notebooks/source").glob("*.md"), *(ROOT / "emlib").rglob("*.py"), *DOCS.rglob("*.md")]
    cited = set()
    for text in texts:
        cited |= set(
            re.findall(r"([A-Z][a-zà-ü]{2,})(?: et al\.)?,? \(?((?:18|19|20)\d\d)\)", text.read_text())
        )
    assert len(cited) > 30
    assert [pair for pair in cited if not any(all(part in entry for part in pair) for entry in entries)] == []


def test_downloads_are_whole(site):
    stems = {source.stem for source in lessons.sources()}
    for archive, solved in (("em-course", True), ("em-course-handout", False)):
        with zipfile.ZipFile(site / "downloads" / f"{archive}.zip") as packed:
            names = packed.namelist()
            first = nbformat.reads(packed.read(f"{archive}/01_three_clusters_on_a_line.ipynb"), as_version=4)
        assert {Path(name).stem for name in names if name.endswith(".ipynb")} == stems
        assert sum(name.endswith(".whl") for name in names) == 1
        assert {
            f"{archive}/exercises/judge.py",
            f"{archive}/glossary.md",
            f"{archive}/figures/three_clusters.png",
        } <= {*names}
        assert any("solution" in cell.metadata.get("tags", []) for cell in first.cells) == solved


def test_versions_and_times_are_those_of_this_run(site):
    text = (site / "versions.html").read_text()
    assert lessons.version() in text
    seconds = re.findall(r'<td class="text-right"><p>(\d+)</p></td>', text)
    assert len(seconds) == len(LESSONS)
    assert sum(map(int, seconds)) > 0


# Every page in a browser --------------------------------------------------------------------------------------


@in_a_browser
@pytest.mark.parametrize("name", NAMES)
def test_a_page(open_page, name):
    page = open_page(name)
    for film in page.locator("figure.film").all():
        picture = film.locator("img")
        for slider in film.locator("input").all():
            slider.focus()
            # To both ends, and one step back from each: another picture each time. A film may open at an end.
            keys = ["Home", "ArrowRight", "End", "ArrowLeft"]
            for key in keys if slider.input_value() != "0" else keys[2:] + keys[:2]:
                seen = (
                    picture.get_attribute("src"),
                    picture.get_attribute("alt"),
                    slider.get_attribute("aria-valuetext"),
                )
                slider.press(key)
                now = (
                    picture.get_attribute("src"),
                    picture.get_attribute("alt"),
                    slider.get_attribute("aria-valuetext"),
                )
                assert all(a != b for a, b in zip(seen, now, strict=True)), (key, seen)
                assert slider.locator("xpath=following-sibling::output").inner_text() == now[2]
                picture.evaluate("picture => picture.decode()")
    assert pages.barriers(page) == []
    for width in (640, 360):  # 1280 at 200 %, and a phone
        page.set_viewport_size({"width": width, "height": 800})
        assert pages.too_wide(page) <= 0
    assert page.complaints == []


@in_a_browser
@pytest.mark.parametrize("name", ["index", LESSONS[0], LESSONS[3], "emlib/fitting", "search"])
def test_a_page_in_the_dark_and_on_a_phone(open_page, name):
    dark = open_page(name, color_scheme="dark")
    assert dark.evaluate("document.documentElement.dataset.theme") == "dark"
    assert pages.barriers(dark) == []
    phone = open_page(name, width=360, has_touch=True, is_mobile=True)
    assert pages.barriers(phone) == []
    assert dark.complaints == phone.complaints == []


@in_a_browser
def test_a_film_plays_and_follows_mouse_and_finger(open_page):
    page = open_page(LESSONS[0], has_touch=True)
    film = page.locator("figure.film")
    film.scroll_into_view_if_needed()
    slider, button, picture = film.locator("input"), film.locator("button"), film.locator("img")
    box = slider.bounding_box()
    middle = box["y"] + box["height"] / 2
    page.mouse.click(box["x"] + box["width"] - 2, middle)
    assert slider.input_value() == slider.get_attribute("max") == "14"
    page.touchscreen.tap(box["x"] + 2, middle)
    assert slider.input_value() == "0"
    assert picture.get_attribute("alt") == "A film, at iteration 0."
    # Play goes on by itself, and Pause holds it.
    button.press("Enter")
    assert button.inner_text() == "Pause"
    page.wait_for_function("document.querySelector('figure.film input').value === '2'")
    button.click()
    assert button.inner_text() == "Play"
    # From the last frame it begins again, and at the end it stops.
    slider.press("End")
    button.click()
    assert slider.input_value() == "0"
    slider.press("End")
    assert button.inner_text() == "Play"
    assert page.complaints == []


@in_a_browser
def test_the_first_page_plays_em_at_once(open_page):
    page = open_page("index")
    play = page.locator(".em-playground")
    assert "150 points" in play.inner_text()
    play.locator("[data-part=step]").click()
    assert "log-likelihood" in play.locator("[data-part=numbers]").inner_text()
    play.locator("[data-part=run]").click()
    page.wait_for_function(
        "document.querySelector('.em-playground [data-part=status]').innerText.startsWith('converged')"
    )
    assert page.complaints == []


@in_a_browser
@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("fit_best", "Fitting"),
        ("Aitken", "Glossary"),
        ("responsibility", "1. Three clusters"),
        ("sauerkraut", None),
    ],
)
def test_the_search_finds_terms_functions_and_text(open_page, asked, found):
    page = open_page("search")
    box = page.locator(".bd-article input[name=q], .bd-search input[name=q]").locator("visible=true").first
    box.fill(asked)
    box.press("Enter")
    page.wait_for_function("/found|did not match/.test(document.querySelector('#search-results')?.innerText)")
    results = page.locator("#search-results li a")
    if found is None:
        assert results.count() == 0
    else:
        (target,) = [one for one in results.all() if found in one.inner_text()][:1]
        target.click()
        page.wait_for_url("**/*.html*")
        assert "search.html" not in page.url
    assert page.complaints == []


@in_a_browser
def test_it_works_under_any_path_of_a_server(open_page, site):
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    handler = functools.partial(Quiet, directory=site.parent)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}/site"
        for name in ("index", LESSONS[0], "emlib/models"):
            page = open_page(f"{address}/{name}.html")
            assert page.complaints == []
        server.shutdown()
