"""What all tests share: axes to draw on, and a test that knows whether it failed, to keep a picture of it."""

import matplotlib as mpl
import matplotlib.pyplot as plt
import pytest
from hypothesis import settings

from emlib import checks, fit, fitting, plot

mpl.use("Agg")
# One profile for all: a slow machine fails nothing, and neither does chance.
settings.register_profile("course", deadline=None, derandomize=True)
settings.load_profile("course")

# These files take the longest. They begin first, so that no process is left alone with one of them at the end.
SLOW = (
    "test_site.py",
    "test_browser.py",
    "test_rerun.py",
    "test_playground_browser.py",
    "test_scale.py",
    "test_mark.py",
)


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: SLOW.index(item.path.name) if item.path.name in SLOW else len(SLOW))


@pytest.fixture
def ax():
    """Empty axes in the course's style."""
    plot.style()
    figure, ax = plt.subplots()
    yield ax
    plt.close(figure)


@pytest.fixture(scope="module")
def browser():
    """Chromium, for the files whose pages are opened in it."""
    import lab  # of the other files none needs a browser

    with lab.chromium() as browser:
        yield browser


@pytest.fixture
def every_fit_climbs(monkeypatch):
    """No fit that emlib makes by itself may fall, at any step."""

    def watched(*args, **keywords):
        trace = fit(*args, **keywords)
        assert "never falls" in checks.monotone(trace)
        return trace

    monkeypatch.setattr(fitting, "fit", watched)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    item.failed = getattr(item, "failed", False) or report.failed
    return report
