"""What all tests share: axes to draw on, and a test that knows whether it failed, to keep a picture of it."""

import matplotlib as mpl
import matplotlib.pyplot as plt
import pytest

from emlib import plot

mpl.use("Agg")


@pytest.fixture
def ax():
    """Empty axes in the course's style."""
    plot.style()
    figure, ax = plt.subplots()
    yield ax
    plt.close(figure)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    item.failed = getattr(item, "failed", False) or report.failed
    return report
