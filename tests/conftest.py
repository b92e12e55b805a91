"""What all tests share: a test knows whether it failed, for those that keep a picture of it."""

import matplotlib as mpl
import pytest

mpl.use("Agg")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    item.failed = getattr(item, "failed", False) or report.failed
    return report
