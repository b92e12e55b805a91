"""The E-step's two ways through the points, against their definition in longdouble."""

import tracemalloc
from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special
from sklearn.datasets import load_iris, load_wine
from structures import STRUCTURES, covariances, each_structure, written_out

from emlib import EMWarning, Gaussian, Mixture, checks, fit, kernels, start
from emlib.families import shortcuts

LONG = np.longdouble  # three digits more than float64, or more; on a machine where it has none, see `digits`
with_and_without_weights = pytest.mark.parametrize("weighted", [False, True], ids=["", "weighted"])
digits = pytest.mark.skipif(np.finfo(LONG).eps > 1e-18, reason="longdouble is no better than float64 here")


# The oracle: definitions, in longdouble, with nothing of emlib but the parameters ---------------------------


def root(covariance):
    """The lower Cholesky factor, in longdouble: LAPACK has none."""
    L = np.zeros(covariance.shape, dtype=LONG)
    for i in range(len(L)):
        for j in range(i + 1):
            rest = covariance[i, j] - L[i, :j] @ L[j, :j]
            L[i, j] = np.sqrt(rest) if i == j else rest / L[j, j]
    return L


def whitened(L, centred):
    """L^-1 times points in columns."""
    y = np.zeros_like(centred)
    for i in range(len(L)):
        y[i] = (centred[i] - L[i, :i] @ y[:i]) / L[i, i]
    return y


def definition(mixture, X, weights=None):
    """Log-likelihood, counts, and the means and covariance matrices (K, D, D) of the M-step."""
    X, structure = np.asarray(X).astype(LONG), mixture.components.structure
    N, D = X.shape
    joint = []
    for k in range(len(mixture)):
        L = root(mixture.components.matrices[k].astype(LONG))
        squares = (whitened(L, (X - mixture.components.means[k]).T) ** 2).sum(axis=0)
        log_norm = np.log(np.diagonal(L)).sum() + D * np.log(2 * LONG(np.pi)) / 2
        with np.errstate(divide="ignore"):
            joint.append(np.log(LONG(mixture.weights[k])) - log_norm - squares / 2)
    joint = np.array(joint).T
    top = joint.max(axis=1, keepdims=True)
    resp = np.exp(joint - top)
    log_density = top[:, 0] + np.log(resp.sum(axis=1))
    resp /= resp.sum(axis=1, keepdims=True)
    w = np.ones(N, dtype=LONG) if weights is None else np.asarray(weights).astype(LONG)
    resp *= w[:, None]
    counts = resp.sum(axis=0)
    means = np.array([r @ X / r.sum() for r in resp.T if r.sum() > 0])
    scatter = np.array(
        [(r[:, None] * (X - m)).T @ (X - m) for r, m in zip(resp.T[counts > 0], means, strict=True)]
    )
    spread = scatter / counts[counts > 0, None, None]
    if structure == "tied":
        spread[:] = scatter.sum(axis=0) / counts.sum()
    elif structure != "full":
        variances = np.diagonal(spread, axis1=1, axis2=2)
        if structure == "spherical":
            variances = np.repeat(variances.mean(axis=1, keepdims=True), D, axis=1)
        spread = variances[:, :, None] * np.eye(D)
    return w @ log_density, counts, means, spread


def agree(found, wanted, rtol=1e-10):
    """The E-step `found` (log-likelihood, counts, moments) is the `definition`, to rtol.

    Means are compared on the scale of the components' widths, covariances on that of their variances: what is
    small for both reasons of its own, a correlation say, may be known less well.
    """
    log_likelihood, counts, moments = found
    means = moments.means
    matrices = written_out(moments.structure, moments.covariances, *means.shape)
    np.testing.assert_allclose(log_likelihood, float(wanted[0]), rtol=rtol)
    np.testing.assert_allclose(counts, wanted[1].astype(float), rtol=rtol)
    widths = np.sqrt(np.diagonal(wanted[3], axis1=1, axis2=2)).astype(float)
    away = np.abs(means - wanted[2]).astype(float)
    # A mean is known to its own rounding at best.
    assert (away <= rtol * widths + 4e-16 * np.abs(means)).all()
    off = np.abs(matrices - wanted[3]).astype(float)
    assert (off <= rtol * widths[:, :, None] * widths[:, None, :]).all()


def one(mixture, X, weights=None):
    """The E-step as a fit makes it."""
    found = mixture.e_step(X, weights)
    return found.log_likelihood, found.counts, found.components


def generally(mixture, X, weights=None):
    return kernels.general(mixture._log_weights, mixture.components, X, weights)[:3]


@pytest.fixture
def aside(monkeypatch):
    """How many rows went the general way: a list, with one entry for each call."""
    calls, general = [], kernels.general

    def counted(log_weights, family, X, weights, start=0, skip=True):
        if skip:
            calls.append(len(X))
        return general(log_weights, family, X, weights, start, skip)

    monkeypatch.setattr(kernels, "general", counted)
    return calls


def blobs(structure, seed=0, N=700, K=3, D=3, gap=4.0):
    """A mixture, points of it, and a weight for each."""
    rng = np.random.default_rng(seed)
    roots = rng.standard_normal((K, D, D))
    matrices = roots @ roots.transpose(0, 2, 1) + 0.5 * np.eye(D)
    means = gap * rng.standard_normal((K, D))
    mixture = Mixture(
        rng.dirichlet(np.full(K, 5.0)), Gaussian(means, covariances(structure, matrices), structure)
    )
    return mixture, mixture.sample(N, rng)[0], rng.uniform(0.1, 3, size=N)


# One answer ---------------------------------------------------------------------------------------------------


@digits
@each_structure
@with_and_without_weights
@pytest.mark.parametrize("D", [1, 2, 5])
def test_both_ways_are_the_definition(structure, weighted, D, aside):
    mixture, X, weights = blobs(structure, D=D)
    weights = weights if weighted else None
    wanted = definition(mixture, X, weights)
    agree(one(mixture, X, weights), wanted)
    assert not aside  # that was the fused way
    agree(generally(mixture, X, weights), wanted)


@digits
@each_structure
@with_and_without_weights
@pytest.mark.parametrize("way", [one, generally])
def test_the_borders_of_blocks_change_nothing(structure, weighted, way, monkeypatch):
    mixture, X, weights = blobs(structure, N=9001)
    weights = weights if weighted else None
    monkeypatch.setattr(kernels, "BLOCK", 1)
    inner = "_softmax" if way is one else "normalised"  # what is done once for each block
    with mock.patch.object(kernels, inner, wraps=getattr(kernels, inner)) as each_block:
        found = way(mixture, X, weights)
    agree(found, definition(mixture, X, weights))
    assert each_block.call_count >= 3


@digits
@pytest.mark.parametrize("N", [1, 1023, 1024, 1025, 4095, 4096, 4097])
@pytest.mark.parametrize("way", [one, generally])
def test_blocks_cover_every_row_once(N, way, monkeypatch):
    monkeypatch.setattr(kernels, "BLOCK", 1)
    mixture, X, _ = blobs("full", N=N)
    log_likelihood, counts, moments = way(mixture, X)
    wanted = definition(mixture, X)
    np.testing.assert_allclose(log_likelihood, float(wanted[0]), rtol=1e-12)
    np.testing.assert_allclose(counts, wanted[1].astype(float), rtol=1e-10)
    np.testing.assert_allclose(moments.about(np.zeros((3, 3))).sums.sum(axis=0), X.sum(axis=0), rtol=1e-10)


@each_structure
@pytest.mark.parametrize("kind", ["float32", "float16", "int8", "uint8", ">f8", "longdouble", "F", "strided"])
@pytest.mark.parametrize("way", [one, generally])
def test_any_type_and_layout_of_numbers_is_read_as_float64(structure, kind, way):
    mixture, X, _ = blobs(structure)
    X = np.clip(np.abs(X) * 4, 0, 100)
    if kind == "F":
        X = np.asfortranarray(X)
    elif kind == "strided":
        X = np.repeat(np.repeat(X, 2, axis=0), 3, axis=1)[::2, ::3]
    else:
        X = X.astype(kind)
    ours, theirs = way(mixture, X), way(mixture, np.array(X, dtype=float, order="C"))
    # The same numbers in another place: only the order in which BLAS adds may differ.
    np.testing.assert_allclose(ours[0], theirs[0], rtol=1e-13)
    np.testing.assert_allclose(ours[2].covariances, theirs[2].covariances, rtol=1e-11, atol=1e-12)


# The choice ---------------------------------------------------------------------------------------------------


def at_a_large_offset(structure):
    """Unit clusters at 1e7: nothing is lost once the offset is taken off."""
    mixture, X, _ = blobs(structure)
    components = Gaussian(mixture.components.means + 1e7, mixture.components.covariances, structure)
    return Mixture(mixture.weights, components), X + 1e7


def tight(structure, start_width=1e-6, width=1e-6, D=2):
    """Clusters far apart for their width, with a model that knows it (or not yet)."""
    rng = np.random.default_rng(1)
    centres = np.array([[0.0, 0], [1, 0], [0, 1]])[:, :D]
    X = rng.permutation(np.concatenate([c + width * rng.standard_normal((200, D)) for c in centres]))
    matrices = np.tile(start_width**2 * np.eye(D), (3, 1, 1))
    return Mixture(np.full(3, 1 / 3), Gaussian(centres, covariances(structure, matrices), structure)), X


def nearly_singular(structure, noise=1e-4):
    """Two columns that are the same but for noise, and a model that knows it."""
    rng = np.random.default_rng(2)
    z = np.concatenate([rng.standard_normal((300, 1)), rng.standard_normal((300, 1)) + 3])
    X = np.hstack([z, z + noise * rng.standard_normal(z.shape)])
    matrices = np.tile([[1.0, 1.0], [1.0, 1.0 + noise**2]], (2, 1, 1))
    return Mixture([0.5, 0.5], Gaussian([[0, 0], [3, 3]], covariances(structure, matrices), structure)), X


@digits
@each_structure
def test_a_large_offset_is_taken_off_and_costs_no_time(structure, aside):
    mixture, X = at_a_large_offset(structure)
    # Of the model and the points as they are in float64, the offset and its rounding included.
    agree(one(mixture, X), definition(mixture, X), rtol=1e-9)
    assert not aside


@digits
@each_structure
@pytest.mark.parametrize("width", [1e-4, 1e-6, 1e-8])
def test_tight_clusters_far_apart_keep_their_digits(structure, width, aside):
    mixture, X = tight(structure, width, width)
    agree(one(mixture, X), definition(mixture, X))
    assert aside


@digits
@each_structure
@pytest.mark.parametrize("width", [1e-5, 1e-7, 1e-8])
def test_tight_clusters_keep_their_digits_even_from_a_broad_start(structure, width):
    """The old model sees nothing to lose: the densities keep their digits, but their sums of squares do not."""
    mixture, X = tight(structure, start_width=0.03, width=width)
    agree(one(mixture, X), definition(mixture, X))


@digits
@pytest.mark.parametrize("structure", ["full", "tied"])
def test_nearly_singular_covariances_keep_their_digits(structure, aside):
    mixture, X = nearly_singular(structure)
    wanted = definition(mixture, X)
    # Of a variance left of 1e-8, float64 knows eight digits: log-densities, half a nat each, know as many.
    agree(one(mixture, X), wanted, rtol=1e-7)
    assert aside


@digits
@pytest.mark.parametrize("structure", ["full", "tied"])
def test_without_its_bound_the_fused_way_would_lose_them(structure, aside, monkeypatch):
    """So the test before this one tests the choice."""
    mixture, X = nearly_singular(structure, noise=1e-6)
    exact = float(definition(mixture, X)[0])
    error = abs(one(mixture, X)[0] - exact)
    assert aside
    monkeypatch.setattr(kernels, "LARGEST_ERROR", np.inf)
    aside.clear()
    assert abs(one(mixture, X)[0] - exact) > 3 * error
    assert not aside


@each_structure
def test_ordinary_data_go_the_fused_way_all_through_a_fit(structure, aside):
    rng = np.random.default_rng(0)
    wine = load_wine().data
    for X in (
        load_iris().data,
        wine,  # columns of scales from 0.1 to 1000
        1e7 + wine,
        1e-6 * load_iris().data,
        blobs(structure, gap=30.0, K=5)[1],
        blobs(structure, D=20, N=2000)[1],
    ):
        fit(start.k_means(X, 3, rng, structure=structure), X, tol=0, max_iter=20, keep="values")
        assert not aside


@pytest.mark.parametrize("structure", ["full", "tied", "diag"])
@pytest.mark.parametrize("value", [0.0, 3.0])
def test_a_constant_column_under_a_floor_goes_the_fused_way_too(structure, value, aside):
    rng = np.random.default_rng(0)
    X = np.column_stack([rng.standard_normal((500, 2)), np.full(500, value)])
    start.from_data(X, 2, rng, structure=structure, floor=1e-3).expect(X)
    assert not aside


@digits
@each_structure
@with_and_without_weights
def test_only_the_blocks_that_could_lose_go_aside(structure, weighted, aside, monkeypatch):
    mixture, X, weights = blobs(structure, N=6500)
    weights = weights if weighted else None
    monkeypatch.setattr(kernels, "BLOCK", 1)
    X[1500] += 1e4  # so far out that its block's bound is above LARGEST_ERROR
    X[6499] -= 1e4
    agree(one(mixture, X, weights), definition(mixture, X, weights))
    size = kernels.block_size(10**9)
    blocks = [range(first, min(first + size, 6500)) for first in range(0, 6500, size)]
    assert len(blocks) > 3
    assert sum(aside) == sum(len(rows) for rows in blocks if 1500 in rows or 6499 in rows)


def looked_into(family, X):
    """The linear form, the logits that the fused way makes of X, the largest they may be, and how far rounding may go.

    The logits (K, N) are without the term that all components share.
    """
    points, seen = kernels.Points(X), []
    form = family.linear(np.zeros(len(family)), X, points.shift)

    def softmax(logits, largest):
        seen.append((logits.copy(), largest))
        return np.full_like(logits, 1 / len(logits)), np.zeros(logits.shape[1])

    no_statistics = form._replace(gather=lambda *sums: sums)
    with mock.patch.object(kernels, "_softmax", softmax), mock.patch.object(kernels, "LARGEST_ERROR", np.inf):
        lost = kernels.fused(np.zeros(len(family)), family, no_statistics, points, None)[3]
    ((logits, largest),) = seen  # one block
    return form, logits, largest, lost / len(X)


@settings(max_examples=150)
@given(
    structure=st.sampled_from(STRUCTURES),
    D=st.integers(1, 8),
    K=st.integers(1, 4),
    noise=st.floats(-4, 0),
    scale=st.floats(-3, 3),
    gap=st.floats(-1, 4),
    seed=st.integers(0, 2**20),
)
@digits
def test_the_estimate_of_what_may_be_lost_is_an_upper_bound(structure, D, K, noise, scale, gap, seed):
    rng = np.random.default_rng(seed)
    roots = rng.standard_normal((K, D, D)) * 10 ** (scale * rng.uniform(-1, 1, size=(D, 1)))
    roots[:, 1:2] = roots[:, :1] + 10**noise * roots[:, 1:2]  # two columns nearly alike
    matrices = roots @ roots.transpose(0, 2, 1)
    matrices += 1e-9 * np.einsum("kdd,de->kde", matrices, np.eye(D))
    means = 10**gap * np.sqrt(matrices[0].diagonal()) * rng.standard_normal((K, D))
    family = Gaussian(means, covariances(structure, matrices), structure)
    X = family.sample(rng.integers(K, size=40), rng)
    form, logits, _, bound = looked_into(family, X)
    logits = logits.astype(LONG)
    if form.common is not None:
        x = X.T - form.shift[:, None]
        logits -= np.einsum("db,de,eb->b", x, form.common, x) / 2
    # Both ways start from the same whiteners of the covariances; what those have lost is not the question.
    whiteners = family.covariance.whiteners
    whiteners = np.broadcast_to(whiteners, (K, *whiteners.shape[1:])).astype(LONG)
    for k in range(K):
        centred = (X.astype(LONG) - family.means[k]).T
        y = whiteners[k] @ centred if whiteners.ndim == 3 else whiteners[k][:, None] * centred
        error = np.abs(logits[k] - (family.log_scale[k] - (y**2).sum(axis=0) / 2)).max()
        assert error <= bound


@pytest.mark.parametrize("structure", ["tied", "diag", "spherical"])
def test_what_the_fused_way_rounds_is_not_taken_for_a_fall(structure):
    rng = np.random.default_rng(0)
    centres = [0.0, 1.5, 300.0]  # two overlap, so that EM takes its time; the third is 300 widths off
    X = np.concatenate([c + rng.standard_normal((300, 2)) for c in centres])
    first = start.from_labels(X, np.repeat([0, 1, 2], 300), structure=structure)
    checks.monotone(fit(first, X, tol=0, max_iter=400, keep="values"))


@digits
@each_structure
@pytest.mark.parametrize("way", [one, generally])
@pytest.mark.parametrize("distance", [9, 12, 20, 36])
def test_a_component_that_all_points_are_far_from_has_the_nearest_to_itself(structure, way, distance):
    """Its counts go down to 1e-233, and its mean and covariance are still those of the definition."""
    X = np.random.default_rng(0).standard_normal((400, 2))
    family = Gaussian(
        [[0, 0], [distance, 0]], covariances(structure, np.tile(np.eye(2), (2, 1, 1))), structure
    )
    mixture = Mixture([0.5, 0.5], family)
    # Shares are e^-600, say: an exponent of 600 is known to 1e-13, and so are they.
    agree(way(mixture, X), definition(mixture, X), rtol=1e-9)


@each_structure
@pytest.mark.parametrize("way", [one, generally])
def test_a_component_out_of_sight_of_all_points_gets_none(structure, way):
    X = np.random.default_rng(0).standard_normal((60, 2))
    family = Gaussian([[0, 0], [100, 0]], covariances(structure, np.tile(np.eye(2), (2, 1, 1))), structure)
    # The points nearest to it, with x as large as 3, have less than e^-4600 of it.
    assert way(Mixture([0.5, 0.5], family), X)[1][1] == 0


@digits
@with_and_without_weights
@pytest.mark.parametrize("gap", [0.3, 3.0, 30.0, 1e4])
@pytest.mark.parametrize("apart", [1.0, 2.0, 4.0])
def test_components_that_are_passed_over_would_have_got_nothing(weighted, gap, apart):
    """In many dimensions the general way bounds most components away; none that matters.

    They come in pairs that overlap, so that most components can be passed over, but never all others.
    """
    rng, (K, D) = np.random.default_rng(0), (12, 20)
    roots = np.eye(D) + 0.1 * rng.standard_normal((K, D, D))
    means = np.repeat(gap * rng.standard_normal((K // 2, D)), 2, axis=0)
    means[::2] += apart / np.sqrt(D) * rng.standard_normal((K // 2, D))
    mixture = Mixture(rng.dirichlet(np.full(K, 5.0)), Gaussian(means, roots @ roots.transpose(0, 2, 1)))
    X, _ = mixture.sample(1500, rng)
    weights = rng.uniform(0.1, 3, size=len(X)) if weighted else None
    agree(generally(mixture, X, weights), definition(mixture, X, weights))


@digits
@each_structure
def test_many_dimensions_are_no_other_answer(structure):
    mixture, X, weights = blobs(structure, D=100, N=400, gap=0.5)
    agree(one(mixture, X, weights), definition(mixture, X, weights), rtol=1e-9)


# Memory ---------------------------------------------------------------------------------------------------------


def peak(work):
    """The most bytes that `work()` holds at once, of those that Python and NumPy allocate."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@each_structure
def test_the_responsibilities_never_exist_as_a_whole(structure):
    N, K = 60_000, 100
    rng = np.random.default_rng(0)
    X = rng.standard_normal((N, 2)).cumsum(axis=0) % 50
    first = start.from_data(X, K, rng, structure=structure)
    fit(first, X[:1000], tol=0, max_iter=1)  # imports and caches are no part of it
    # All responsibilities would take 48 MB. A block is some thousand rows, with a handful of temporaries.
    assert peak(lambda: fit(first, X, tol=0, max_iter=1, keep="values")) < N * K * 8 / 8
    assert peak(lambda: generally(first, X)) < N * K * 8 / 2


@pytest.mark.parametrize("way", ["fused", "general", "mixed"])
def test_the_memory_of_an_e_step_does_not_grow_with_the_points(way):
    K, D = 20, 30
    rng = np.random.default_rng(0)
    mixture = Mixture(np.full(K, 1 / K), Gaussian(rng.standard_normal((K, D)), [np.eye(D)] * K))
    X = rng.standard_normal((32_000, D))
    if way == "mixed":
        X[300:] += 1e6  # all blocks but the first lose their digits
    work = generally if way == "general" else one
    few, many = (peak(lambda N=N: work(mixture, X[:N])) for N in (16_000, 32_000))  # four blocks, and eight
    # Not even by one number for each point, where the responsibilities would take K.
    assert many - few < 16_000 * 8


def test_the_memory_of_a_fit_does_not_grow_with_the_blocks():
    """What is kept of a few points from step to step, some 16 times as much as they are, is not kept of many blocks."""
    rng, D = np.random.default_rng(0), 30
    mixture = Mixture([0.5, 0.5], Gaussian(rng.standard_normal((2, D)), [np.eye(D)] * 2))
    blocks = list(rng.standard_normal((16, 2000, D)))
    fit(mixture, blocks[:2], tol=0, max_iter=1)
    few, many = (
        peak(lambda n=n: fit(mixture, blocks[:n], tol=0, max_iter=2, keep="values")) for n in (4, 16)
    )
    assert many - few < 2000 * D * 8


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """40 MB of float32 on disk."""
    path = tmp_path_factory.mktemp("kernels") / "large.npy"
    X = np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=(1_250_000, 8))
    rng = np.random.default_rng(0)
    for some in (slice(first, first + 125_000) for first in range(0, len(X), 125_000)):
        X[some] = rng.standard_normal((125_000, 8), dtype=np.float32) + rng.integers(2, size=(125_000, 1))
    X.flush()
    return path


def test_a_memmap_is_never_read_whole(large):
    X = np.load(large, mmap_mode="r")
    first = start.from_data(np.array(X[:5000]), 2, np.random.default_rng(0), structure="diag")
    fit(first, X[:1000], tol=0, max_iter=1)
    traces = []
    used = peak(lambda: traces.append(fit(first, X, tol=0, max_iter=1)))
    assert used < X.nbytes / 8
    in_memory = fit(first, np.array(X, dtype=float), tol=0, max_iter=1)
    # The same numbers in the same blocks.
    np.testing.assert_allclose(traces[0].objectives, in_memory.objectives, rtol=1e-13)
    np.testing.assert_allclose(
        traces[0].model.components.means, in_memory.model.components.means, rtol=1e-10, atol=1e-12
    )


@each_structure
def test_float32_is_never_converted_whole_on_the_general_way_either(structure):
    mixture, X = nearly_singular("full", 1e-2)
    X = np.tile(X.astype(np.float32), (1000, 1))
    family = Gaussian(
        mixture.components.means, covariances(structure, mixture.components.covariances), structure
    )
    broad = Mixture(mixture.weights, family)
    generally(broad, X[:600])
    # X is 5 MB, and in float64 10; a block of 1 MiB has its temporaries.
    assert peak(lambda: generally(broad, X)) < X.nbytes


# Points that are no points ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("row", [0, 1023, 1024, 4096, 4999])
@pytest.mark.parametrize("kind", ["float64", "float32", "memmap"])
def test_nan_is_reported_with_its_row_in_whichever_block_it_is(row, kind, monkeypatch, tmp_path):
    monkeypatch.setattr(kernels, "BLOCK", 1)
    mixture, X, _ = blobs("full", N=5000)
    X[row, 2] = np.nan
    if kind == "float32":
        X = X.astype(np.float32)
    elif kind == "memmap":
        np.save(tmp_path / "X.npy", X)
        X = np.load(tmp_path / "X.npy", mmap_mode="r")
    for work in (mixture.expect, lambda X: fit(mixture, X), lambda X: mixture.expect(X, np.zeros(len(X)))):
        with pytest.raises(ValueError, match=rf"X holds nan or infinite .*the first at \({row}, 2\)\)"):
            work(X)


def plain(structure):
    """Unit covariances, so that natural parameters have zeros among them."""
    family = Gaussian([[0, 0], [1, 1]], covariances(structure, np.tile(np.eye(2), (2, 1, 1))), structure)
    return Mixture([0.5, 0.5], family), np.random.default_rng(0).standard_normal((100, 2))


@each_structure
@pytest.mark.parametrize("value", [np.inf, -np.inf])
def test_infinite_values_are_reported_with_their_row(structure, value):
    mixture, X = plain(structure)
    X[77, 1] = value
    with pytest.raises(ValueError, match=r"X holds nan or infinite .*the first at \(77, 1\)\)"):
        mixture.expect(X)


@each_structure
@pytest.mark.parametrize("value", [1e160, -1e308])
def test_absurdly_far_points_are_reported_with_their_row(structure, value):
    mixture, X = plain(structure)
    X[77, 1] = value
    with pytest.raises(ValueError, match=r"X\[77\] lies so far from every component"):
        mixture.expect(X)


@pytest.mark.parametrize("value", [np.inf, 1e160])
def test_such_points_are_reported_in_many_dimensions_too(value):
    mixture, X, _ = blobs("full", D=100, K=5, N=100)
    X[77, 1] = value
    with pytest.raises(ValueError, match=r"first at \(77, 1\)|X\[77\] lies so far"):
        mixture.expect(X)


@each_structure
@pytest.mark.parametrize("value", [1e20, 1e100])
def test_merely_very_far_points_are_counted(structure, value):
    mixture, X, _ = blobs(structure)
    X[77, 1] = value
    statistics = mixture.expect(X)
    np.testing.assert_allclose(statistics.counts.sum(), len(X), rtol=1e-12)
    np.testing.assert_allclose(statistics.log_likelihood, mixture.log_density(X).sum(), rtol=1e-12)


def test_nan_in_a_memmap_is_found_without_reading_it_whole(large, tmp_path):
    X = np.load(large, mmap_mode="c")  # written to in memory, not on disk
    X[1_000_000, 3] = np.nan
    first = start.from_data(np.array(X[:5000]), 2, np.random.default_rng(0), structure="diag")

    def work():
        with pytest.raises(ValueError, match=r"the first at \(1000000, 3\)"):
            fit(first, X)

    assert peak(work) < X.nbytes / 8


# Nothing --------------------------------------------------------------------------------------------------------------


@digits
@each_structure
@pytest.mark.parametrize("way", [one, generally])
def test_points_of_weight_zero_are_no_points(structure, way, monkeypatch):
    mixture, X, weights = blobs(structure, N=14_000)
    monkeypatch.setattr(kernels, "BLOCK", 1)
    weights[200:9000] = 0  # a whole block among them
    far = X.copy()
    far[5000:5005] = [1e9, -1e9, 1e5]  # where no point that counts would leave the answer as it is
    counting = weights > 0
    agree(way(mixture, far, weights), definition(mixture, X[counting], weights[counting]))


@each_structure
@pytest.mark.parametrize("way", [one, generally])
def test_weights_that_are_all_zero_give_statistics_that_are_all_zero(structure, way):
    mixture, X, _ = blobs(structure)
    log_likelihood, counts, moments = way(mixture, X, np.zeros(len(X)))
    assert log_likelihood == 0
    for array in (counts, moments.counts, moments.sums, moments.products):
        np.testing.assert_array_equal(array, 0)


@digits
@each_structure
@pytest.mark.parametrize("way", [one, generally])
@pytest.mark.parametrize("gone", [0, 1, 2])
def test_a_component_of_weight_zero_gets_nothing_and_takes_nothing(structure, way, gone):
    mixture, X, weights = blobs(structure)
    share = mixture.weights.copy()
    share[gone] = 0
    share /= share.sum()
    left = np.delete(np.arange(3), gone)
    log_likelihood, counts, moments = way(Mixture(share, mixture.components), X, weights)
    assert counts[gone] == 0
    wanted = definition(Mixture(share[left], mixture.components.permuted(left)), X, weights)
    np.testing.assert_allclose(log_likelihood, float(wanted[0]), rtol=1e-12)
    np.testing.assert_allclose(counts[left], wanted[1].astype(float), rtol=1e-12)
    means = moments.centres[left] + moments.sums[left] / moments.counts[left, None]
    np.testing.assert_allclose(means, wanted[2].astype(float), rtol=1e-9)


@digits
def test_a_component_of_weight_zero_is_passed_over_in_many_dimensions_too():
    mixture, X, _ = blobs("full", D=20, K=6)
    share = np.array([0.3, 0, 0.2, 0.2, 0.2, 0.1])
    log_likelihood, counts, _ = generally(Mixture(share, mixture.components), X)
    left = np.flatnonzero(share)
    wanted = definition(Mixture(share[left], mixture.components.permuted(left)), X)
    np.testing.assert_allclose(log_likelihood, float(wanted[0]), rtol=1e-12)
    np.testing.assert_allclose(counts[left], wanted[1].astype(float), rtol=1e-10)


def test_a_fit_from_a_component_of_weight_zero_says_that_it_is_empty():
    mixture, X, _ = blobs("full")
    with pytest.warns(EMWarning, match="component 1 has no points left"):
        stop = fit(Mixture([0.5, 0, 0.5], mixture.components), X).stop
    assert stop.reason == "collapsed"


@pytest.mark.parametrize("largest", [1.0, 689.0, 720.0, 5000.0])
def test_logits_of_any_size_become_probabilities(largest):
    """Below 690 they are taken as they are, above it shifted and clipped: nobody may see the difference."""
    rng = np.random.default_rng(0)
    logits = rng.uniform(-largest, largest, size=(5, 300))
    logits[:, :3] = [[-largest], [largest], [largest], [0], [-largest]] * np.ones(3)
    with np.errstate(all="raise", under="ignore"):
        resp, log_density = kernels._softmax(logits.copy(), largest)
    np.testing.assert_allclose(resp, special.softmax(logits, axis=0), rtol=1e-12, atol=1e-300)
    np.testing.assert_allclose(log_density, special.logsumexp(logits, axis=0), rtol=1e-13)
    assert resp.sum(axis=0) == pytest.approx(1, abs=1e-15)


@pytest.mark.parametrize("structure", STRUCTURES)
def test_no_logit_is_larger_than_the_largest(structure):
    rng = np.random.default_rng(1)
    for scale in (0.1, 1, 30):
        roots = rng.standard_normal((3, 4, 4))
        family = Gaussian(
            scale * rng.standard_normal((3, 4)),
            covariances(structure, roots @ roots.transpose(0, 2, 1)),
            structure,
        )
        X = scale * rng.standard_normal((50, 4))
        _, logits, largest, _ = looked_into(family, X)
        logits = np.abs(logits).max()
        assert logits <= largest <= 40 * logits


@pytest.mark.parametrize(("thinnest", "in_vain"), [(1e-6, True), (0.5, False)])
def test_what_surely_loses_digits_is_known_before_it_is_tried(thinnest, in_vain, monkeypatch):
    rng = np.random.default_rng(0)
    K, D = 24, 40
    variances = np.ones((K, D))
    variances[:, 0] = thinnest
    family = Gaussian(rng.standard_normal((K, D)), variances[:, :, None] * np.eye(D))
    mixture = Mixture(np.full(K, 1 / K), family)
    X, _ = mixture.sample(300, rng)
    with mock.patch.object(shortcuts, "LARGEST_ERROR", np.inf):
        error = looked_into(family, X)[3]
    shift = kernels.Points(X).shift
    assert (family.linear(np.zeros(K), X, shift) is None) == in_vain == (error > kernels.LARGEST_ERROR)
    with mock.patch.object(
        shortcuts, "LARGEST_ERROR", 1.001 * error
    ):  # it never gives up where trying would succeed
        assert family.linear(np.zeros(K), X, shift) is not None
    expected = kernels.general(mixture._log_weights, family, X, None)[0]
    tried = []
    fused = kernels.fused
    monkeypatch.setattr(kernels, "fused", lambda *a: tried.append(1) or fused(*a))
    assert mixture.expect(X).log_likelihood == pytest.approx(expected, rel=1e-12)
    assert bool(tried) != in_vain
