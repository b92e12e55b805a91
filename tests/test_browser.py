"""Every lesson in a real browser: it runs, every slider moves its picture, and nothing complains."""

from pathlib import Path

import lab
import lessons
import pytest

pytestmark = pytest.mark.skipif(
    not lab.CHROMIUM, reason="no Chromium on this machine: install it to move the sliders in a real browser"
)
ROOT = Path(__file__).resolve().parent.parent
SCREENSHOTS = ROOT / "tests" / "screenshots"


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    folder = tmp_path_factory.mktemp("my-course")
    lessons.copy(folder)
    with lab.jupyterlab(folder, tmp_path_factory.mktemp("settings")) as address:
        yield address


@pytest.fixture
def page(browser, request):
    """A page that keeps what its console says, and a screenshot if the test fails."""
    page = browser.new_page(viewport={"width": 1300, "height": 1000})
    page.complaints, page.strangers = [], []
    page.on("console", lambda m: page.complaints.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    page.on("response", lambda r: page.complaints.append(f"{r.status} {r.url}") if r.status >= 400 else None)
    page.on("request", lambda r: page.strangers.append(r.url) if "127.0.0.1" not in r.url else None)
    yield page
    if request.node.failed:
        SCREENSHOTS.mkdir(exist_ok=True)
        page.screenshot(path=SCREENSHOTS / f"{request.node.name}.png")
    page.close()


@pytest.mark.parametrize("source", lessons.sources(), ids=lambda path: path.stem)
def test_a_lesson_runs_and_all_its_sliders_move(page, address, source):
    assert lab.open_and_run(page, address, f"{source.stem}.ipynb") == []

    text = source.read_text()
    handles = page.locator(".noUi-handle").all()
    assert bool(handles) == ("explore." in text)
    for handle in [locator.element_handle() for locator in handles]:
        handle.scroll_into_view_if_needed()
        handle.focus()
        seen = handle.evaluate(lab.SHOWN)
        assert seen.startswith("blob:")
        # To both ends, and one step back from each: another picture each time. A film may open at an end.
        at_the_end = handle.get_attribute("aria-valuenow") == handle.get_attribute("aria-valuemax")
        first, second = ("Home", "ArrowRight"), ("End", "ArrowLeft")
        for key in (*first, *second) if at_the_end else (*second, *first):
            seen = lab.moved(page, handle, key, seen)

    # A film is piled up in tabs, and their bar is nobody's business.
    films = "explore.film" in text or "explore.frames" in text
    assert bool(page.locator(".emlib-film .lm-TabBar").count()) == films
    assert page.locator(".emlib-film .lm-TabBar:visible").count() == 0

    pictures = page.locator(".jp-Notebook img").all()
    broken = [picture for picture in pictures if picture.evaluate("i => i.offsetParent && !i.naturalWidth")]
    assert broken == []
    assert page.complaints == []
    assert [url for url in page.strangers if not url.startswith(("data:", "blob:"))] == []


def test_play_moves_the_film_by_itself(page, address):
    lab.open_and_run(page, address, f"{lessons.sources()[0].stem}.ipynb")
    play = page.locator(".widget-play").first
    play.scroll_into_view_if_needed()
    handle = play.locator("xpath=ancestor::*[contains(@class, 'widget-vbox')][1]").locator(".noUi-handle")
    handle = handle.element_handle()
    seen = handle.evaluate(lab.SHOWN)
    play.locator("button").first.click()
    for _ in range(3):
        page.wait_for_function(
            f"([h, seen]) => ({lab.SHOWN})(h) !== seen", arg=[handle, seen], timeout=10_000
        )
        seen = handle.evaluate(lab.SHOWN)
    assert int(handle.get_attribute("aria-valuenow").split(".")[0]) >= 3
