"""The simulation that lesson 11 reads from how_many.csv: recomputed in part, and compared with emlib."""

import csv
import importlib.util
from pathlib import Path

import numpy as np
import pytest

from emlib import Gaussian, Mixture, checks, fit, select

STUDIES = Path(__file__).resolve().parent.parent / "notebooks" / "studies"


def load(name):
    spec = importlib.util.spec_from_file_location(name, STUDIES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


how_many = load("how_many")
with how_many.TABLE.open() as file:
    STORED = list(csv.reader(file))[1:]


def test_the_table_is_whole():
    cells = [(shape, str(d), str(N), name) for shape, d, N in how_many.CELLS for name in how_many.CRITERIA]
    assert [tuple(row[:4]) for row in STORED] == cells
    assert all(sum(map(int, row[4:])) == how_many.REPLICATES for row in STORED)


@pytest.mark.parametrize("cell", [("gaussian", 5, 50), ("gaussian", 4, 200)])
def test_a_cell_recomputed_is_the_stored_one(cell):
    stored = [row for row in STORED if row[:3] == [str(part) for part in cell]]
    assert [[str(part) for part in row] for row in how_many.rows(*cell)] == stored


@pytest.mark.parametrize(("shape", "d", "N"), [("gaussian", 3, 200), ("skewed", 5, 200)])
def test_its_fits_and_criteria_are_emlibs(shape, d, N):
    """From the same starts, run on to the end: the study stops within a few hundredths of a nat of it."""
    table = how_many.scores(shape, d, N, [0])
    x, _, rng = how_many.sample(shape, d, N, 0)
    for column, K in enumerate(how_many.KS):
        weights, means, variances = how_many.starts(x, K, 1, rng)  # the first start draws nothing
        first = Mixture(weights[0], Gaussian(means[0][:, None], variances[:1, None], "tied"))
        trace = fit(first, x[:, None], tol=1e-9, max_iter=20_000, keep="values", accelerate=True)
        checks.monotone(trace)
        assert table["aic"][0, column] <= 2 * 2 * K - 2 * trace.objective + 0.1
        if K <= 3:
            np.testing.assert_allclose(table["aic"][0, column], select.aic(trace.model, x[:, None]), atol=0.1)
            np.testing.assert_allclose(table["bic"][0, column], select.bic(trace.model, x[:, None]), atol=0.1)
            np.testing.assert_allclose(table["icl"][0, column], select.icl(trace.model, x[:, None]), atol=0.3)


def test_its_em_is_emlibs_step_by_step():
    x = how_many.sample("gaussian", 3, 100, 5)[0]
    grid, counts = np.unique(x, return_counts=True)
    weights, means, variances = how_many.starts(x, 3, 1, None)
    model = Mixture(weights[0], Gaussian(means[0][:, None], variances[:1, None], "tied"))
    log_density, resp = how_many.expect(grid, weights, means, variances)
    checks.equal(log_density[0], model.log_density(grid[:, None]))
    checks.equal(resp[0].T, model.responsibilities(grid[:, None]))
    ended = how_many.em(grid, counts[None].astype(float), (weights, means, variances))
    trace = fit(model, x[:, None], tol=1e-10, max_iter=5000)
    reached = counts @ how_many.expect(grid, *ended)[0][0]
    assert trace.objective - 0.05 < reached < trace.objective + 1e-6  # either may have run a little longer


def test_replicates_are_their_own_and_samples_are_what_is_said():
    table = how_many.scores("gaussian", 4, 100, [3])
    both = how_many.scores("gaussian", 4, 100, [2, 3])
    for name in how_many.CRITERIA:
        np.testing.assert_allclose(table[name][0], both[name][1], rtol=1e-9)
    for shape in ("gaussian", "skewed"):
        x, folds, _ = how_many.sample(shape, 5, 50_000, 0)
        assert abs(x.var() - (1 + 25 * 2 / 3)) < 0.2
        assert abs(x.mean()) < 0.06
        assert np.ptp(np.bincount(folds)) <= 1


def test_some_ratios_of_old_faithful_recomputed():
    ratios = load("ratios")
    with ratios.TABLE.open() as file:
        rows = list(csv.reader(file))[1:]
    for (structure, K), B in ratios.TESTS.items():
        stored = [float(row[3]) for row in rows if row[:2] == [structure, str(K)]]
        assert len(stored) == B + 1
        if (structure, K) in [("tied", 1), ("tied", 2), ("full", 1)]:
            found = ratios.bootstrapped(structure, K, 3)
            np.testing.assert_allclose([found.observed, *found.simulated], stored[:4], atol=2e-3)
