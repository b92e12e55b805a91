"""The playground under the fingers: a page of its own, opened from a file, and a widget in JupyterLab."""

import re
import sys
from pathlib import Path

import lab
import nbformat
import numpy as np
import pytest

ROOT = Path(__file__).resolve().parent.parent
sys.path.append(str(ROOT / "docs"))
import playground  # noqa: E402

pytestmark = pytest.mark.skipif(
    not lab.CHROMIUM, reason="no Chromium on this machine: install it to try the playground in a real browser"
)
PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Playground</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="playground.css"><body style="margin: 8px"><main><h1>EM</h1>
<div class="em-playground"></div></main><script src="playground.js" defer></script></html>"""
PARTS = ["e", "m", "step", "run", "restart", "undo", "remove", "clear", "link"]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    playground.write(folder)
    (folder / "page.html").write_text(PAGE)
    return (folder / "page.html").as_uri()


class Play:
    """A page with a playground, and what one does to it."""

    def __init__(self, page, tail):
        self.page, self.complaints = page, []
        page.on("console", lambda m: self.complaints.append(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.goto(tail)
        page.wait_for_selector(".em-play")

    def part(self, name):
        return self.page.locator(f'.em-play [data-part="{name}"]')

    def press(self, *names):
        for name in names:
            self.part(name).click()

    def choose(self, name, value):
        self.part(name).select_option(value)

    def run(self):
        self.press("run")
        self.page.wait_for_function(
            "document.querySelector('.em-play [data-part=status]').textContent.includes(' after ')"
        )
        return self.status

    @property
    def status(self):
        return self.part("status").inner_text()

    @property
    def label(self):
        return self.part("plane").get_attribute("aria-label")

    @property
    def n_points(self):
        return int(re.match(r"\d+", self.label).group())

    @property
    def rows(self):
        """Weights and means, as the table has them."""
        texts = self.part("components").locator("tr").all_inner_texts()
        return [row.split("\t") for row in texts]

    @property
    def means(self):
        return [tuple(map(float, re.findall(r"[\d.-]+", row[2].replace("−", "-")))) for row in self.rows]

    @property
    def able(self):
        return [name for name in PARTS if self.part(name).is_enabled()]

    def at(self, x, y):
        """Where a place (shares of the width and height of the picture) is on the screen."""
        box = self.part("plane").bounding_box()
        return box["x"] + x * box["width"], box["y"] + y * box["height"]

    def where(self, place):
        """Where a place of the data is on the screen: measured by two points, placed and taken back."""
        measured = []
        for share in (0.3, 0.6):
            self.page.mouse.click(*self.at(share, share))
            link = self.link()
            self.press("undo")
            measured.append(tuple(map(float, re.findall(r"[\d.-]+,[\d.-]+(?=&K)", link)[0].split(","))))
        (x0, y0), (x1, y1) = measured
        return self.at(0.3 + 0.3 * (place[0] - x0) / (x1 - x0), 0.3 + 0.3 * (place[1] - y0) / (y1 - y0))

    def link(self):
        self.press("link")
        return self.part("address").input_value()


@pytest.fixture
def play(browser, site):
    opened = []

    def open_page(hash_="", width=1200, height=1000, reduced_motion="reduce", **options):
        size = {"width": width, "height": height}
        page = browser.new_page(viewport=size, reduced_motion=reduced_motion, **options)
        opened.append(Play(page, site + hash_))
        return opened[-1]

    yield open_page
    for one in opened:
        seen = one.page.inner_text("body") + one.label
        one.page.close()
        assert one.complaints == []
        assert not re.search(r"NaN|Infinity|undefined|null|\[object", seen)


# A page of its own ----------------------------------------------------------------------------------------


def test_it_opens_with_a_start_and_an_invitation(play):
    one = play()
    assert one.page.locator(".em-play p").first.inner_text().startswith("Press step: its E-step shares")
    assert one.status.startswith("A new start: means at points chosen by seed 1")
    assert one.n_points == 150
    assert [row[1] for row in one.rows] == ["0.333"] * 3
    assert one.able == ["e", "step", "run", "restart", "remove", "clear", "link"]


def test_each_button_does_what_it_says(play):
    one = play()
    one.press("e")
    assert one.status.startswith("E-step: the points are shared out. The bound touches the log-likelihood")
    assert one.able == ["m", "step", "run", "restart", "remove", "clear", "link"]
    before = one.rows
    one.press("m")
    assert one.status.startswith("M-step 1: the components fit their shares")
    assert one.rows != before
    assert "e" in one.able
    assert "m" not in one.able
    first, below = (float(x.replace("−", "-")) for x in re.findall(r"−?\d+\.\d+", one.status)[::2])
    assert below > 0  # the bound is below the log-likelihood
    one.press("step")
    assert one.status.startswith("M-step 2")
    assert float(re.search(r"−?\d+\.\d+", one.status).group().replace("−", "-")) > first
    assert one.run().startswith("converged after 12 iterations: the gains shrink")
    assert "BIC 12" in one.part("numbers").inner_text()
    one.press("restart")
    assert one.part("seed").input_value() == "2"
    assert one.status.startswith("A new start: means at points chosen by seed 2")
    one.press("clear")
    assert one.status == "There are 0 points, and K is 3: place more points, or choose a smaller K."
    assert one.able == ["restart", "undo", "remove", "clear", "link"]
    one.press("undo")
    assert one.n_points == 150


def test_a_run_is_silent_until_it_stops_and_can_be_stopped(play):
    one = play(reduced_motion="no-preference")
    one.press("run")
    assert one.part("run").inner_text() == "stop"
    assert one.status == ""
    one.press("run")
    assert one.part("run").inner_text() == "run"
    assert re.match("M-step|A new start", one.status)


def test_choices_start_anew(play):
    one = play()
    for name, value in [("K", "6"), ("structure", "tied"), ("floor", "0.001"), ("points", "ring")]:
        one.press("step")
        one.choose(name, value)
        assert one.status.startswith("A new start")
    assert len(one.rows) == 6
    assert one.n_points == 200
    one.part("seed").fill("77")
    one.part("seed").press("Enter")
    assert "seed 77" in one.status
    one.choose("points", "own")
    assert one.n_points == 0
    one.choose("points", "faithful")
    assert one.n_points == 272
    picture = one.part("plane").screenshot()
    one.choose("points", "ring")
    one.press("undo")  # the old points, where they can be seen
    assert one.status.startswith("A new start")
    assert one.part("plane").screenshot() == picture


def test_points_by_mouse(play):
    one = play("#play&points=&K=1")
    assert one.status.startswith("There are 0 points")
    for x, y in [(0.3, 0.3), (0.6, 0.4), (0.5, 0.7)]:
        one.page.mouse.click(*one.at(x, y))
    assert one.n_points == 3
    assert one.run().startswith("converged")
    one.page.mouse.click(*one.at(0.4, 0.8))
    assert one.status == "The mixture stays as it was, and is judged anew."
    one.press("remove")
    one.page.mouse.click(*one.at(0.4, 0.8))
    assert one.n_points == 3
    one.page.mouse.click(*one.at(0.9, 0.1))
    assert one.status == "There is no point near enough to remove."
    one.press("undo", "undo")
    assert one.n_points == 3


def test_the_mouse_draws_a_trail_of_points_and_rubs_them_out(play):
    one = play("#play&points=&K=2")

    def draw(*places):
        one.page.mouse.move(*one.at(*places[0]))
        one.page.mouse.down()
        for place in places[1:]:
            one.page.mouse.move(*one.at(*place), steps=10)
        one.page.mouse.up()

    draw((0.3, 0.3), (0.5, 0.6), (0.7, 0.4))
    drawn = one.n_points
    assert 10 <= drawn <= 20
    assert one.able.count("step") == 1
    one.press("remove")
    draw((0.3, 0.3), (0.5, 0.6))
    assert 0 < one.n_points < drawn
    one.press("remove", "undo")
    assert one.n_points == drawn
    one.press("undo")
    assert one.n_points == 0


def test_a_mean_is_dragged_by_mouse(play):
    one = play()
    one.press("step")
    x, y = one.where(one.means[0])
    one.page.mouse.move(x, y)
    one.page.mouse.down()
    for i in range(1, 6):
        one.page.mouse.move(x + 10 * i, y + 12 * i)
    one.page.mouse.up()
    assert one.n_points == 150
    assert one.status.startswith("A new start: means where you put them")
    moved = one.where(one.means[0])
    np.testing.assert_allclose(moved, [x + 50, y + 60], atol=3)


def test_a_mean_is_dragged_by_finger_and_a_tap_places_a_point(play):
    one = play(width=360, height=740, has_touch=True, is_mobile=True)
    one.page.touchscreen.tap(*one.at(0.5, 0.2))
    assert one.n_points == 151
    one.press("undo")
    target = one.part("plane")
    target.scroll_into_view_if_needed()
    x, y = one.where(one.means[1])
    session = one.page.context.new_cdp_session(one.page)

    def swipe(x, y, dx, dy):
        for step in range(12):
            place = {"x": x + dx * step / 11, "y": y + dy * step / 11}
            kind = "touchMove" if step else "touchStart"
            session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [place]})
            one.page.wait_for_timeout(16)
        session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})

    swipe(x, y, 50, 0)
    assert one.status.startswith("A new start: means where you put them")
    np.testing.assert_allclose(one.where(one.means[1]), [x + 50, y], atol=4)
    # Elsewhere a finger scrolls the page, and places nothing.
    one.page.evaluate("scrollTo(0, 0)")
    swipe(*one.at(0.95, 0.8), 0, -150)
    one.page.wait_for_function("scrollY > 50")
    assert one.n_points == 150


def test_by_keys(play):
    one = play("#play&points=&K=1")
    plane = one.part("plane")
    plane.focus()
    for keys in (
        ["Enter"],
        ["ArrowRight", "ArrowUp", " "],
        ["Shift+ArrowLeft", "ArrowDown", "ArrowDown", "Enter"],
    ):
        for key in keys:
            plane.press(key)
    assert one.n_points == 3
    assert "step" in one.able
    plane.press("Delete")
    assert one.n_points == 2
    one.press("undo")
    assert one.n_points == 3
    (before,) = one.means
    plane.press("0")
    assert one.status == "Holding mean 0: arrows move it, Escape lets go."
    plane.press("ArrowRight")
    (after,) = one.means
    assert after[0] > before[0]
    assert after[1] == pytest.approx(before[1], abs=0.02)
    plane.press("Escape")
    plane.press("ArrowRight")
    assert one.status.startswith("Cross at ")
    assert one.means == [after]
    plane.press("9")  # nothing
    one.part("e").press("Enter")
    for _ in range(3):  # Enter again and again is E, M, E, M
        one.page.keyboard.press("Enter")
    assert one.status.startswith("M-step 2")
    plane.press("Control+0")  # the browser's
    assert one.status.startswith("M-step 2")
    one.press("restart")
    # Every control can be reached, in the order of reading.
    one.page.locator("h1").click()
    seen = []
    for _ in range(14):
        one.page.keyboard.press("Tab")
        seen.append(one.page.evaluate("document.activeElement.dataset.part"))
    enabled = ["e", "step", "run", "restart", "plane", "undo", "remove", "clear", "kMeans"]
    assert seen == ["points", "K", "structure", "floor", "seed", *enabled]


def test_k_means_beside_em(play):
    one = play()
    blank = one.part("plane").screenshot()
    one.part("kMeans").check()
    assert one.part("plane").screenshot() != blank
    one.press("step", "e")
    assert re.search(
        r"k-means from the same start puts \d+ points elsewhere", one.part("numbers").inner_text()
    )


def test_a_collapse_is_shown_as_it_is(play):
    nine = "0,0;1,0.2;0.3,1;0.5,0.6;2,2;2.4,3;3,2.5;2.6,2.1;5,5"
    one = play(f"#play&points={nine}&seed=0")
    said = one.run()
    assert said.startswith(
        "collapsed after 21 iterations: component 0 has collapsed: 2 of the points do not span"
    )
    assert one.able == ["restart", "remove", "clear", "link"]
    one.choose("floor", "0.001")
    assert one.run().startswith("collapsed after 22 iterations: only the floor or ridge keeps component 0")
    assert "step" in one.able


@pytest.mark.parametrize(
    ("points", "K", "words"),
    [
        ("", 3, "There are 0 points"),
        ("1,2", 3, "There is 1 point, and K is 3"),
        ("1,2", 1, "There is no start: component 0 has collapsed: 1 of the points"),
        ("1,2;1,2;1,2", 2, "There is 1 point at different places"),
        ("1,2;1,2;1,2", 1, "There is no start"),
        ("0,0;1e9,-1e9;5,1e8", 1, "A new start"),
        ("0,0;1e-9,1;0,2;1e-9,4", 1, "A new start"),
    ],
)
def test_points_that_are_hardly_any(play, points, K, words):
    one = play(f"#play&points={points}&K={K}")
    assert one.status.startswith(words)
    one.choose("floor", "1e-10")
    if one.part("run").is_enabled():
        assert " after " in one.run()


def test_a_link_there_and_back(play):
    one = play()
    one.choose("points", "moons")
    one.choose("K", "2")
    one.choose("structure", "diag")
    x, y = one.where(one.means[0])
    one.page.mouse.move(x, y)
    one.page.mouse.down()
    one.page.mouse.move(x + 30, y)
    one.page.mouse.up()
    status = one.status
    link = one.link()
    assert one.part("address").is_visible()
    assert re.match(r"The link is copied|Copy the link from the field", one.status)
    other = play("#" + link.split("#")[1])
    assert (other.rows, other.status, other.label) == (one.rows, status, one.label)
    assert one.run() == other.run()
    assert one.rows == other.rows


def test_a_link_made_by_hand(play):
    one = play("#play&K=40")
    assert one.status == (
        'This link cannot be read: K is "40"; it must be one of 1, 2, 3, 4, 5, 6. Here are three clusters instead.'
    )
    assert one.n_points == 150
    one.press("step")
    one.page.evaluate("location.hash = '#elsewhere'")  # some heading of the page
    assert one.status.startswith("M-step 1")
    one.page.evaluate("location.hash = '#play&points=faithful&K=2'")
    one.page.wait_for_function("document.querySelectorAll('.em-play tbody tr').length === 2")
    assert one.n_points == 272
    one.page.evaluate("location.hash = '#play&seed=x'")
    one.page.wait_for_function("document.querySelectorAll('.em-play tbody tr').length === 3")
    assert one.status.startswith('This link cannot be read: seed is "x"')


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_phone_nothing_is_cut_off_or_too_small(play, scheme):
    one = play(width=360, height=740, color_scheme=scheme)
    one.press("step", "link")
    assert one.page.evaluate("document.documentElement.scrollWidth") == 360
    sizes = one.page.evaluate("""[...document.querySelectorAll('.em-play :is(button, select, label)')]
        .filter((one) => one.offsetParent).map((one) => one.getBoundingClientRect().height)""")
    assert min(sizes) >= 36
    fonts = one.page.evaluate("""[...document.querySelectorAll('.em-play *')]
        .map((one) => parseFloat(getComputedStyle(one).fontSize))""")
    assert min(fonts) >= 12
    ground = one.page.evaluate("getComputedStyle(document.querySelector('.em-play')).backgroundColor")
    assert ground == {"light": "rgb(255, 255, 255)", "dark": "rgb(22, 25, 29)"}[scheme]


def test_the_sites_theme_goes_before_the_systems(play):
    one = play(color_scheme="light")
    one.page.evaluate("document.documentElement.dataset.theme = 'dark'")
    one.page.wait_for_selector(".em-play[data-dark]")
    one.page.evaluate("document.documentElement.dataset.theme = 'light'")
    one.page.wait_for_selector(".em-play:not([data-dark])")


def test_a_run_can_be_watched_or_be_over_at_once(play):
    ends = set()
    for motion in ("no-preference", "reduce"):
        one = play(reduced_motion=motion)
        one.page.evaluate("""() => {
            window.seen = 0;
            const table = document.querySelector('.em-play tbody');
            new MutationObserver(() => (window.seen += 1)).observe(table, { childList: true });
        }""")
        ends.add(one.run())
        assert (one.page.evaluate("seen") > 10) == (motion == "no-preference")
    assert len(ends) == 1


MODULE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Modules</title>
<link rel="stylesheet" href="playground.css"><main></main><script type="module">
    import play from "./playground.js";
    const model = { get: (name) => ({ _K: 2 })[name], set() {}, save_changes() {}, on() {}, off() {} };
    window.leave = play.render({ model, el: document.querySelector("main") });
</script></html>"""


def test_the_modules_work_as_they_are(browser):
    """Not joined, over http; and what anywidget calls at the end leaves nothing behind that complains."""
    page, complaints = browser.new_page(), []
    page.on("console", lambda m: complaints.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.route("http://em.test/*", lambda route: route.fulfill(path=ROOT / "emlib" / route.request.url[15:]))
    page.route("http://em.test/", lambda route: route.fulfill(body=MODULE, content_type="text/html"))
    page.goto("http://em.test/")
    page.locator(".em-play [data-part=step]").click()
    assert page.locator(".em-play tbody tr").count() == 2
    assert page.locator(".em-play [data-part=status]").inner_text().startswith("M-step 1")
    page.evaluate("leave(); document.querySelector('main').replaceChildren()")
    page.set_viewport_size({"width": 500, "height": 500})
    assert complaints == []
    page.close()


# In JupyterLab ----------------------------------------------------------------------------------------------


def test_in_jupyterlab_the_points_and_the_mixture_go_both_ways(browser, tmp_path):
    folder = tmp_path / "course"
    folder.mkdir()
    cells = [
        "import numpy as np\nfrom emlib import datasets, explore, fit\nX = datasets.old_faithful().X",
        "play = explore.playground(X, K=2)\nplay",
        "print(len(play.X), len(play.mixture), np.array_equal(play.X, X))",
        "trace = fit(play.mixture, X, warn=False)\nplay.mixture = trace.model",
        "play.X = X[:100]",
        "print(len(play.X), play.mixture)",
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(notebook, folder / "play.ipynb")
    page = browser.new_page(viewport={"width": 1300, "height": 1400})
    complaints = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    with lab.jupyterlab(folder, tmp_path / "settings") as address:
        page.goto(f"{address}/lab/tree/play.ipynb?reset")
        session = "window.jupyterapp?.shell?.currentWidget?.sessionContext?.session?.kernel"
        page.wait_for_function(f"{session}?.status === 'idle'", timeout=60_000)

        def run(number):
            """Run one cell; returns its output."""
            notebook = "jupyterapp.shell.currentWidget.content"
            page.evaluate(f"{notebook}.activeCellIndex = {number}")
            page.evaluate("jupyterapp.commands.execute('notebook:run-cell')")
            model = f"{notebook}.widgets[{number}].model"
            page.wait_for_function(f"{model}.executionCount && {session}.status === 'idle'", timeout=60_000)
            outputs = page.evaluate(f"{model}.outputs.toJSON()")
            assert [one for one in outputs if one["output_type"] == "error"] == []
            return "".join(one.get("text", "") for one in outputs)

        def shown(points, **options):
            page.wait_for_selector(f'.em-play [data-part=plane][aria-label^="{points} points"]', **options)

        run(0)
        run(1)
        shown(272, timeout=30_000)
        assert not page.locator(".em-play [data-part=link]").is_visible()
        assert run(2).strip() == "272 2 True"
        run(3)  # a mixture from Python
        page.wait_for_function(
            "document.querySelector('.em-play [data-part=status]').textContent.startsWith('This mixture is')"
        )
        weights = page.locator(".em-play tbody tr td:nth-child(2)").all_inner_texts()
        assert sorted(weights) == ["0.356", "0.644"]
        # Points from Python, then one by hand. JupyterLab hears no key.
        run(4)
        shown(100)
        plane = page.locator(".em-play [data-part=plane]")
        n_cells = page.locator(".jp-Cell").count()
        for key in ("b", "a", "x", "Enter"):
            plane.press(key)
        shown(101)
        assert page.locator(".jp-Cell").count() == n_cells
        page.locator(".em-play [data-part=step]").click()
        out = run(5)
        assert out.startswith("101 Mixture of 2 Gaussians in 2 dimensions")
        page.evaluate("document.body.dataset.jpThemeLight = 'false'")
        page.wait_for_selector(".em-play[data-dark]")
        ground = page.evaluate("getComputedStyle(document.querySelector('.em-play')).backgroundColor")
        assert ground == "rgb(22, 25, 29)"  # the style sheet is here, too
    assert complaints == []
    page.close()
