"""How long after a key press is the new picture there? Medians, in JupyterLab and on the site, in a real Chromium.

*Shown*: the page holds the new picture. *Painted*: the next frame of the screen has been drawn with it.
The playground, which moves by itself, is timed on a page of its own, from one step of a run to the next.
Run by `make bench`, on a machine that does nothing else. Needs Chromium.
"""

import statistics
import subprocess
import sys
import tempfile
from itertools import pairwise
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path += [str(ROOT / "tests"), str(ROOT / "notebooks"), str(ROOT / "docs")]

import lab  # noqa: E402
import lessons  # noqa: E402
import numpy as np  # noqa: E402
import playground  # noqa: E402
from report import Claim, Table  # noqa: E402

PRESSES = 20
GOALS = {"film": 16, "live": 90, "film on the site": 16}  # milliseconds, until shown
# Press a key, and look as often as the browser lets one until the picture is another one.
PRESS = """async ([handle, key]) => {
    const shown = SHOWN, seen = shown(handle), start = performance.now();
    handle.dispatchEvent(new KeyboardEvent('keydown', {key, bubbles: true, cancelable: true}));
    const turn = () => new Promise((next) => {
        const channel = new MessageChannel(); channel.port1.onmessage = next; channel.port2.postMessage(0);
    });
    while (shown(handle) === seen) {
        if (performance.now() - start > 2000) return null;  // two pictures alike
        await turn();
    }
    const there = performance.now() - start;
    await new Promise((next) => requestAnimationFrame(() => setTimeout(next, 0)));
    return [there, performance.now() - start];
}""".replace("SHOWN", lab.SHOWN)
# At which end of its range a slider is.
END = """(handle) => {
    const [now, first, last] = ['now', 'min', 'max'].map((which) => Number(handle.getAttribute(`aria-value${which}`)));
    return now >= last ? 'last' : now <= first ? 'first' : '';
}"""

# On the site a slider is the browser's own, which no script's key moves: move it as a key does, wait for the picture.
MOVE = """async ([slider, by]) => {
    const picture = slider.closest('figure').querySelector('img'), start = performance.now();
    slider.value = Number(slider.value) + by;
    slider.dispatchEvent(new Event('input', {bubbles: true}));
    await picture.decode();
    const there = performance.now() - start;
    await new Promise((next) => requestAnimationFrame(() => setTimeout(next, 0)));
    return [there, performance.now() - start];
}"""

# Press run, and note when the table of components changes, which it does at every step.
STEPS = 200
RUN = """(wanted) => new Promise((done) => {
    const times = [];
    new MutationObserver(() => {
        times.push(performance.now());
        if (times.length === wanted) done(times);
    }).observe(document.querySelector('.em-play tbody'), {childList: true});
    document.querySelector('.em-play [data-part=run]').click();
})"""


def step_of_playground(browser: Any) -> float:
    """From one step of a run to the next, with 2,000 points and six components: the median, in milliseconds."""
    rng = np.random.default_rng(0)
    X = rng.uniform(-10, 10, size=(2000, 2)).round(2)
    points = ";".join(f"{x},{y}" for x, y in X)
    page = browser.new_page(viewport={"width": 1300, "height": 1000})
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "page.html"
        playground.write(file.parent)
        loads = "<link rel='stylesheet' href='playground.css'><script src='playground.js' defer></script>"
        file.write_text(f"<!doctype html><div class='em-playground'></div>{loads}")
        page.goto(f"{file.as_uri()}#play&K=6&points={points}")
        times = page.evaluate(RUN, STEPS)[20:]  # the first ones are slow on purpose
    page.close()
    return statistics.median(b - a for a, b in pairwise(times))


def measure() -> Table:
    """Open every lesson and press keys on every slider."""
    if not lab.CHROMIUM:
        return Table("Response", "Chromium is not installed.", [], [])
    times: dict[str, list[tuple[float, float]]] = {kind: [] for kind in GOALS}
    with tempfile.TemporaryDirectory() as folder, lab.chromium() as browser:
        a_step = step_of_playground(browser)
        course = Path(folder) / "my-course"
        lessons.copy(course)
        with lab.jupyterlab(course, Path(folder) / "settings", whole_page=False) as address:
            page = browser.new_page(viewport={"width": 1300, "height": 1000})
            for source in lessons.sources():
                lab.open_and_run(page, address, f"{source.stem}.ipynb")
                notebook = "jupyterapp.shell.currentWidget.content"
                cells = page.evaluate(
                    f"{notebook}.widgets.flatMap((w, n) => w.model.type === 'code' && "
                    "/explore\\.\\w+\\(/.test(w.model.sharedModel.source) ? [n] : [])"
                )
                for cell in cells:
                    page.evaluate(f"{notebook}.scrollToItem({cell}, 'center')")
                    page.wait_for_timeout(1000)
                    for locator in page.locator(".noUi-handle:visible").all():
                        handle = locator.element_handle()
                        kind = handle.evaluate(
                            "(h) => h.closest('.widget-vbox').querySelector('.widget-play') ? 'film' : 'live'"
                        )
                        handle.press("Home")
                        page.wait_for_timeout(500)
                        moved, key = [], "ArrowRight"
                        for _ in range(PRESSES):
                            key = {"first": "ArrowRight", "last": "ArrowLeft"}.get(handle.evaluate(END), key)
                            if took := page.evaluate(PRESS, [handle, key]):
                                moved.append(took)
                        assert len(moved) > PRESSES / 2, f"a slider of {source.stem} moves no picture"
                        times[kind] += moved
        times["film on the site"] = _on_the_site(browser, Path(folder) / "site")
    rows, claims = [], []
    for kind, measured in times.items():
        shown, painted = map(statistics.median, zip(*measured, strict=True))
        rows.append([kind, f"{shown:.1f}", f"{painted:.1f}", f"{GOALS[kind]}", f"{len(measured)}"])
        claims.append(Claim(f"{kind}, new picture shown", shown, GOALS[kind], None, True, "ms"))
    rows.append(["playground, a step", "", f"{a_step:.1f}", f"{1000 / 30:.1f}", f"{STEPS}"])
    claims.append(Claim("playground, a step of 2,000 points and K = 6", a_step, 1000 / 30, None, True, "ms"))
    return Table(
        "Response",
        "Milliseconds from a key press on a slider to the new picture, medians, in Chromium; and of the "
        "playground's run, with 2,000 points and K = 6, from one step to the next.",
        ["", "shown", "painted", "at most", "times measured"],
        rows,
        claims,
    )


def _on_the_site(browser, folder: Path) -> list[tuple[float, float]]:
    """The times of all films of the site, opened from the disk, each moved to and fro from where it opens."""
    subprocess.run([sys.executable, str(ROOT / "docs" / "build.py"), str(folder)], check=True)
    times = []
    for source in lessons.sources():
        page = browser.new_page(viewport={"width": 1300, "height": 1000})
        page.goto((folder / "notebooks" / f"{source.stem}.html").as_uri())
        for film in page.locator("figure.film").all():
            film.hover()
            page.wait_for_timeout(1000)
            for locator in film.locator("input").all():
                slider = locator.element_handle()
                for turn in range(PRESSES):
                    forward = slider.evaluate("(s) => +s.value < +s.max") and turn % 2 == 0
                    times.append(page.evaluate(MOVE, [slider, 1 if forward else -1]))
        page.close()
    return times
