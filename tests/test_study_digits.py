"""Lesson 12's tables hold what their script computes: a slice of each, anew."""

import importlib.util
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from threadpoolctl import threadpool_limits

STUDIES = Path(__file__).resolve().parent.parent / "notebooks" / "studies"


@pytest.fixture(scope="module")
def study():
    spec = importlib.util.spec_from_file_location("studies_digits", STUDIES / "digits.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    with threadpool_limits(1):
        yield module


def the_same(row, stored):
    """Numbers to five digits, and the same words."""
    assert {name for name, value in row.items() if value != ""} == set(stored.dropna().index)
    for name, value in row.items():
        if value == "":
            continue
        if isinstance(value, (str, int)):
            assert value == stored[name], name
        else:
            # A collapsed fit has densities of covariances that are singular but for the floor.
            np.testing.assert_allclose(value, stored[name], rtol=1e-4, err_msg=name)


TASKS = [
    ("mixture_row", ("full", 7, 2)),
    ("mixture_row", ("full", 100, 0)),
    ("mixture_row", ("tied", 30, 1)),
    ("mixture_row", ("diag", 10, 3)),
    ("mixture_row", ("spherical", 50, 4)),
    ("mixture_row", ("shrunk", 20, 0)),
    ("mixture_row", ("shrunk 80", 30, 1)),
    ("mixture_row", ("tied", 50, -1)),
    ("unseen_row", (3,)),
    ("joint_row", (3, 2)),
]


@pytest.mark.parametrize(("task", "arguments"), TASKS, ids=[str(a) for _, a in TASKS])
@pytest.mark.filterwarnings("ignore")
def test_a_slice_of_the_mixtures(study, task, arguments):
    row = getattr(study, task)(*arguments)
    table = pd.read_csv(STUDIES / "digits.csv")
    (stored,) = (
        r for _, r in table.iterrows() if all(r[name] == row[name] for name in ("model", "K", "split"))
    )
    the_same(row, stored)


@pytest.mark.parametrize("name", ["LDA", "1-NN, pixels", "1 a class, 80 points", "5 a class, 20 points"])
@pytest.mark.filterwarnings("ignore")
def test_a_slice_of_the_classifiers(study, name):
    row = study.class_row(name, 3)
    table = pd.read_csv(STUDIES / "digits_classes.csv")
    (stored,) = (r for _, r in table.iterrows() if (r.classifier, r.split) == (name, 3))
    the_same(row, stored)


def test_the_tables_are_whole(study):
    for name, tasks in study.TASKS.items():
        assert len(pd.read_csv(STUDIES / f"{name}.csv")) == len(tasks)
        assert (STUDIES / f"{name}.csv").stat().st_size < 50_000


def test_nothing_of_the_unseen_digits_is_known(study):
    part = study.split(1)
    assert part.train.shape[0] == 1200
    np.testing.assert_allclose(part.train.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(part.train.var(axis=0, ddof=1), 1)
    assert np.abs(part.unseen.mean(axis=0)).max() > 0.01
    seen = {row.tobytes() for row in part.pixels[0]}
    assert not seen & {row.tobytes() for row in part.pixels[1]}


@pytest.mark.filterwarnings("ignore")
def test_one_gaussian_a_class_with_an_endless_prior_is_linear_discriminant_analysis(study):
    ours = study.posterior(0, 1, 1e9).argmax(axis=1)
    assert (ours != study.CLASSIFIERS["LDA"](0)[0]).sum() <= 2  # theirs divides by N - 10, ours by N
