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


@pytest.fixture
def ax():
    """Empty axes in the course's style."""
    plot.style()
    figure, ax = plt.subplots()
    yield ax
    plt.close(figure)


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
