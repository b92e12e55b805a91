"""Pictures of what goes wrong, by the data of their artists."""

import numpy as np
import pytest

from emlib import datasets, plot


def test_every_end_has_its_dot_and_the_best_are_counted(ax):
    groups = {"one way": [-10.0, -10.05, -14.0, np.nan], "another": [-12.0, -12.0, -12.001]}
    plot.ends(ax, groups)
    line, *dots = ax.get_lines()
    assert set(line.get_xdata()) == {-10.0}
    for row, values in enumerate(groups.values()):
        here = np.concatenate([d.get_xdata() for d in dots[2 * row : 2 * row + 2]])
        np.testing.assert_allclose(np.sort(here), np.sort([v for v in values if np.isfinite(v)]))
        places = np.vstack([d.get_xydata() for d in dots[2 * row : 2 * row + 2]])
        assert ((places[:, 1] >= -row) & (places[:, 1] < 1 - row)).all()
    assert [len(d.get_xdata()) for d in dots] == [2, 1, 0, 3]
    assert len({d.get_ydata().max() for d in dots if len(d.get_xdata()) == 3}) == 1
    assert len(set(dots[3].get_ydata())) == 3  # equal ones are stacked
    assert [label.get_text() for label in ax.get_yticklabels()] == ["one way: 2 of 4", "another: 0 of 3"]
    assert "nats" in ax.get_xlabel()


def test_a_best_from_elsewhere(ax):
    plot.ends(ax, {"a": [-3.0, -2.15, -2.05]}, best=-2.0)
    assert set(ax.get_lines()[0].get_xdata()) == {-2.0}
    assert ax.get_yticklabels()[0].get_text() == "a: 1 of 3"


def test_findings_are_dots_and_crosses(ax):
    table = {"A": {"one": "", "two": "broken"}, "B": {"one": "", "two": ""}, "C": {"one": "no", "two": "no"}}
    plot.findings(ax, table)
    dots, crosses = ax.get_lines()
    assert {tuple(p) for p in dots.get_xydata()} == {(0, 0), (0, 1), (1, 1)}
    assert {tuple(p) for p in crosses.get_xydata()} == {(1, 0), (0, 2), (1, 2)}
    assert dots.get_marker() != crosses.get_marker()
    assert dots.get_color() != crosses.get_color()
    assert [label.get_text() for label in ax.get_yticklabels()] == ["A", "B", "C"]
    assert [label.get_text() for label in ax.get_xticklabels()] == ["one", "two"]
    low, high = ax.get_ylim()
    assert low > high  # the first one on top


def test_what_makes_no_sense(ax):
    with pytest.raises(ValueError, match="groups is empty"):
        plot.ends(ax, {})
    with pytest.raises(ValueError, match="no finite objective"):
        plot.ends(ax, {"a": [np.nan]})
    with pytest.raises(ValueError, match="the same invariants"):
        plot.findings(ax, {"A": {"one": ""}, "B": {"two": ""}})
    with pytest.raises(ValueError, match="at least one of both"):
        plot.findings(ax, {})


def test_the_nine_clusters():
    data = datasets.nine_clusters()
    assert data.X.shape == (450, 2)
    for k in range(9):
        own = data.X[data.labels == k]
        assert len(own) == 50
        np.testing.assert_allclose(own.mean(axis=0), [4 * (k // 3), 4 * (k % 3)], atol=0.4)
        np.testing.assert_allclose(own.std(axis=0), 0.8, atol=0.25)
    crossings = 4.0 * np.column_stack([data.labels // 3, data.labels % 3])
    np.testing.assert_allclose((data.X - crossings).std(), 0.8, atol=0.06)  # three standard errors
