"""Data larger than memory, on a cluster, and as a stream: against the same data in memory."""

import os
import pickle
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits
from toys import Bernoulli, Chain, Poisson, StudentT

from emlib import (
    Blocks,
    DataLost,
    Gaussian,
    GaussianMixture,
    Mixture,
    Online,
    Prior,
    checks,
    fit,
    fit_best,
    scale,
    select,
    start,
)
from emlib.classic import Coins
from emlib.online import mini_batches

ROOT = Path(__file__).resolve().parent.parent
TRUTH = Mixture(
    [0.2, 0.3, 0.5], Gaussian([[0, 0], [4, 1], [1, 6]], [np.eye(2), np.eye(2) * 2, np.eye(2) / 2])
)
X = TRUTH.sample(6_000, np.random.default_rng(0))[0]
WEIGHTS = np.random.default_rng(1).integers(1, 4, size=len(X)).astype(float)
ENDS = [1_000, 1_500, 3_700, 5_999]  # of blocks; the last is one row
PARTS, WEIGHTED = np.split(X, ENDS), np.split(WEIGHTS, ENDS)
FIRST = start.from_data(X, 3, np.random.default_rng(2))
STEPS = {"tol": 0, "max_iter": 8}


class Files:
    """Blocks that are read anew at every walk; `change` may give others from a certain walk on."""

    def __init__(self, parts=PARTS, change=None, walk=0):
        self.parts, self.change, self.walk, self.walks = parts, change, walk, 0

    def __iter__(self):
        self.walks += 1
        for number, part in enumerate(self.parts):
            if self.change is not None and self.walks > self.walk:
                part = self.change(number, part)
                if part is None:
                    return
            yield part


# Walked -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("accelerate", [False, True])
def test_a_walk_gives_what_a_list_gives_to_the_last_bit(accelerate):
    files = Files()
    walked = fit(FIRST, files, tol=1e-10, accelerate=accelerate)
    assert walked == fit(FIRST, PARTS, tol=1e-10, accelerate=accelerate)
    assert "never falls" in checks.monotone(walked)
    assert files.walks >= walked.stop.n_iter + 2  # the check, the start, and a pass for each step
    whole = fit(FIRST, X, tol=1e-10, accelerate=accelerate)
    np.testing.assert_allclose(walked.log_likelihood, whole.log_likelihood, rtol=1e-12)


def test_a_walk_with_weights():
    walked = fit(FIRST, Files(), Files(WEIGHTED), **STEPS)
    assert walked == fit(FIRST, PARTS, WEIGHTED, **STEPS)
    assert walked.n_points == WEIGHTS.sum()
    assert fit(FIRST, Files(), WEIGHTED, **STEPS) == walked  # a list of weights, walked beside them


def test_lists_and_tables_are_converted_at_every_walk():
    files = Files([part.round(3).tolist() for part in PARTS])
    assert fit(FIRST, files, **STEPS) == fit(FIRST, [part.round(3) for part in PARTS], **STEPS)


def test_the_order_of_blocks_matters_by_rounding_only():
    order = np.random.default_rng(3).permutation(len(PARTS))
    shuffled = fit(FIRST, Files([PARTS[i] for i in order]), **STEPS)
    straight = fit(FIRST, Files(), **STEPS)
    np.testing.assert_allclose(shuffled.objectives, straight.objectives, rtol=1e-13)
    np.testing.assert_allclose(
        shuffled.model.components.means, straight.model.components.means, rtol=1e-10, atol=1e-12
    )


@pytest.mark.parametrize("name", ["random", "from_data", "k_means", "k_means_plus_plus"])
def test_starts_draw_the_same_rows_however_the_data_come(name, monkeypatch):
    monkeypatch.setattr(start, "ENOUGH", 500)
    begin = getattr(start, name)
    for weights, pieces in ((None, None), (WEIGHTS * (X[:, 0] > 0), np.split(WEIGHTS * (X[:, 0] > 0), ENDS))):
        whole = begin(X, 3, np.random.default_rng(5), weights=weights)
        assert begin(Files(), 3, np.random.default_rng(5), weights=pieces) == whole
        assert begin(Blocks(Files(), pieces), 3, np.random.default_rng(5)) == whole


def test_a_start_from_some_rows_reaches_what_a_start_from_all_rows_reaches(monkeypatch):
    reached = []
    for enough in (600, 20_000):
        monkeypatch.setattr(start, "ENOUGH", enough)
        reached.append(
            [
                fit(start.k_means(Files(), 3, np.random.default_rng(seed)), X).log_likelihood
                for seed in range(5)
            ]
        )
    np.testing.assert_allclose(*reached, atol=0.05)


def test_criteria_and_scores_take_a_walk():
    for criterion in (select.aic, select.bic, select.icl, select.held_out):
        assert criterion(TRUTH, Files(), WEIGHTED) == criterion(TRUTH, PARTS, WEIGHTED)
        assert criterion(TRUTH, Files()) == pytest.approx(criterion(TRUTH, X), rel=1e-12)
    np.testing.assert_array_equal(TRUTH.predict(Files()), TRUTH.predict(X))
    np.testing.assert_array_equal(TRUTH.log_density(Files()), TRUTH.log_density(PARTS))


def test_the_estimator_takes_a_walk():
    walked = GaussianMixture(3, random_state=0).fit(Files(), sample_weight=Files(WEIGHTED))
    listed = GaussianMixture(3, random_state=0).fit(PARTS, sample_weight=WEIGHTED)
    assert walked.mixture_ == listed.mixture_
    assert walked.n_features_in_ == 2
    assert walked.score(Files()) == listed.score(PARTS)
    assert walked.bic(Files(), WEIGHTED) == listed.bic(PARTS, WEIGHTED)
    np.testing.assert_array_equal(walked.predict(Files()), listed.predict(X))
    single = GaussianMixture(3, random_state=0).fit(Files([part.astype(np.float32) for part in PARTS]))
    assert single.means_.dtype == np.float32
    with pytest.raises(ValueError, match="X has 1 features, but GaussianMixture is expecting 2 features"):
        walked.predict(Files([X[:5, :1]]))


def test_the_bar_counts_rows(capsys):
    pytest.importorskip("tqdm", reason="the bar is tqdm's")
    fit(FIRST, Files(), **STEPS, progress=True)
    assert re.search(r"54\.0k.*row/s.*step 8, objective -", capsys.readouterr().err)  # 9 passes of 6,000 rows


def test_memory_does_not_grow_with_the_data():
    """120 MB in blocks, and a seventh of it: what the process holds at most, by the system's count."""
    code = """
import resource, sys
import numpy as np
from emlib import Gaussian, Mixture, fit, start

class Rows:
    def __iter__(self):
        for number in range(int(sys.argv[1])):
            rng = np.random.default_rng(number)
            yield rng.normal(size=(100_000, 5)) + 5 * rng.integers(3, size=(100_000, 1))

X = Rows()
fit(start.k_means(X, 3, np.random.default_rng(0)), X, tol=0, max_iter=1)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""
    few, many = (
        int(subprocess.run([sys.executable, "-c", code, n], check=True, stdout=subprocess.PIPE).stdout)
        for n in ("4", "30")
    )
    assert many - few < 20_000  # kB


def test_memory_of_a_memory_map_is_bounded(tmp_path):
    """What Python allocates, by its own count: the pages of a mapped file are the system's."""
    code = """
import sys, tracemalloc
import numpy as np
from emlib import GaussianMixture, fit, start

X = np.load(sys.argv[1], mmap_mode="r")
GaussianMixture(2, max_iter=1, random_state=0, tol=9).fit(X[:1000])
tracemalloc.start()
first = start.k_means(X, 3, np.random.default_rng(0))
fit(first, X, tol=0, max_iter=2)
gmm = GaussianMixture(3, random_state=0, tol=1e3, max_iter=3).fit(X)
gmm.score(X)
print(tracemalloc.get_traced_memory()[1])
"""
    rng, n = np.random.default_rng(0), 3_000_000
    file = np.lib.format.open_memmap(tmp_path / "X.npy", "w+", np.float32, (n, 4))
    file[:] = np.resize(rng.normal(size=(99_991, 4)) + 5 * rng.integers(3, size=(99_991, 1)), (n, 4))
    file.flush()
    command = [sys.executable, "-W", "ignore", "-c", code, tmp_path / "X.npy"]
    most = int(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    assert most < 20e6 < n * 3 * 8  # far less than the table of responsibilities alone


# What makes no sense, or changes in mid-fit ----------------------------------------------------------------


class Same:
    """An object that always gives the same iterator."""

    def __init__(self):
        self.walk = iter(PARTS)

    def __iter__(self):
        return self.walk


HOLE = X[:300].copy()
HOLE[17, 1] = np.nan


@pytest.mark.parametrize(
    ("data", "weights", "message"),
    [
        (iter(PARTS), None, "an iterator, which can be read only once"),
        (Same(), None, "an iterator, which can be read only once"),
        ((part for part in PARTS), None, "an iterator, which can be read only once"),
        (Files([]), None, "data holds no block"),
        (Files([X, X[:, :1]]), None, "block 1: X has 1 column and the model 2 dimensions"),
        (Files([X, X[:0]]), None, r"block 1: X is empty, with shape \(0, 2\)"),
        (Files([X, HOLE]), None, r"block 1: X holds nan.* the first at \(17, 1\)"),
        (Files([X, X]), [WEIGHTS], "block 1: it is there in the data, and not in the weights"),
        (Files([X]), [WEIGHTS, WEIGHTS], "block 1: it is there in the weights, and not in the data"),
        (Files([X, X]), [WEIGHTS, WEIGHTS[1:]], r"block 1: weights has shape \(5999,\)"),
        (Files([X]), [WEIGHTS * 0], "the weights are zero everywhere"),
        (Files([X]), WEIGHTS, "data is an iterable of blocks and weights is an ndarray"),
        (Files([X]), iter([WEIGHTS]), "give the weights as a list, or as another iterable"),
        (Files([X[0]]), None, "block 0: X is one-dimensional"),
        (Files([X], lambda number, part: 1 / 0), None, "block 0: it cannot be read: ZeroDivisionError"),
    ],
)
def test_data_that_make_no_sense(data, weights, message):
    with pytest.raises(ValueError, match=message):
        fit(FIRST, data, weights)


def test_nothing_is_said_of_blocks_that_nobody_has_read():
    for blocks in (Blocks(Files()), Blocks(X)):
        for name in ("n_rows", "n_counting", "n_columns", "unit"):
            with pytest.raises(ValueError, match="the blocks are not read yet"):
                getattr(blocks, name)
    assert Blocks(Files()).checked(FIRST.check).n_rows == len(X)


def test_blocks_of_different_widths_where_no_model_says_so():
    with pytest.raises(ValueError, match=r"rows of different shapes, \(1,\) and \(2,\)"):
        start.k_means(Files([X, X[:, :1]]), 2, np.random.default_rng(0))


def fails(number, part):
    if number == 2:
        raise OSError("no such file")
    return part


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda number, part: None if number == 3 else part, "block 3 is not there any more"),
        (lambda number, part: part[:-1] if number == 2 else part, "block 2 has 2199 rows, and had 2200"),
        (lambda number, part: part[:, :1] if number == 2 else part, "block 2 has changed: X has 1 column"),
        (fails, "block 2 cannot be read: OSError: no such file"),
    ],
)
def test_data_that_change_in_mid_fit_are_an_error_that_keeps_the_last_model(change, message):
    with pytest.raises(DataLost, match=message) as caught:
        fit(FIRST, Files(PARTS, change, walk=5), **STEPS)
    trace = caught.value.trace  # the check, then the passes of the steps 0 to 3
    assert trace.model == fit(FIRST, PARTS, tol=0, max_iter=3).model
    assert trace.stop.reason == "interrupted"
    assert message[:7] in trace.stop.message
    again = pickle.loads(pickle.dumps(caught.value))
    assert str(again) == str(caught.value)


def test_data_lost_in_the_second_of_several_fits_keep_the_first():
    alone = fit(FIRST, PARTS, **STEPS)
    with pytest.raises(DataLost) as caught:
        fit_best([FIRST, FIRST], Files(PARTS, fails, walk=12), **STEPS)
    assert caught.value.trace.model == alone.model
    assert "by the loss of the data, in start 2" in caught.value.trace.stop.message


def test_the_estimator_keeps_the_last_model_of_lost_data():
    # Read for the check, the floor, and twice for the start; then the steps 0 to 2.
    gmm = GaussianMixture(3, random_state=0, init_params="random_from_data", tol=0, max_iter=9)
    with pytest.raises(DataLost):
        gmm.fit(Files(PARTS, fails, walk=6))
    known = gmm.trace_.stop.n_iter
    assert 1 <= known < 9
    with pytest.warns(match="did not converge"):
        same = GaussianMixture(3, random_state=0, init_params="random_from_data", tol=0, max_iter=known).fit(
            PARTS
        )
    assert gmm.mixture_ == same.mixture_
    assert gmm.predict(X).shape == (len(X),)


def test_an_interrupt_in_mid_walk_keeps_the_last_model():
    def interrupt(number, part):
        if number == 2:
            raise KeyboardInterrupt
        return part

    with pytest.warns(match="interrupted after 3 iterations"):
        trace = fit(FIRST, Files(PARTS, interrupt, walk=5), **STEPS)
    assert trace.model == fit(FIRST, PARTS, tol=0, max_iter=3).model


# A stream: online EM ----------------------------------------------------------------------------------------

ONE = Mixture([1.0], Gaussian([[9.0, 9.0]], [np.eye(2)]))
BATCHES = X.reshape(20, 300, 2)


def streamed(state, batches=BATCHES):
    for batch in batches:
        state = state.learn(batch)
    return state


def test_steps_of_one_over_t_end_at_the_batch_answer():
    """One Gaussian has no hidden labels: the mean of all batches is the maximum-likelihood answer."""
    state = streamed(Online(ONE, power=1.0))
    np.testing.assert_allclose(state.model.components.means[0], X.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(state.model.components.covariances[0], np.cov(X.T, bias=True), rtol=1e-10)
    assert (state.n_batches, state.n_points) == (20, 6_000)


@pytest.mark.parametrize("power", [0.55, 0.6, 0.8, 1.0])
def test_each_step_is_t_to_the_minus_power(power):
    """By brute force: batch t counts step_t times what the later ones leave of it."""
    shares = np.zeros(0)
    for t in range(1, 21):
        shares = np.append(shares * (1 - t**-power), t**-power)
    assert shares.sum() == pytest.approx(1)
    state = streamed(Online(ONE, power))
    np.testing.assert_allclose(state.model.components.means[0], shares @ BATCHES.mean(axis=1), rtol=1e-12)
    assert state.step == 21**-power


def test_a_prior_counts_for_less_and_less():
    prior = Prior.weak(X, 1)
    first = Mixture([1.0], Gaussian([[9.0, 9.0]], [np.eye(2)], prior=prior))
    state = streamed(Online(first, power=1.0))
    batch = fit(first, X, tol=0, max_iter=1).model
    np.testing.assert_allclose(state.model.components.means, batch.components.means, rtol=1e-10)
    np.testing.assert_allclose(state.model.components.covariances, batch.components.covariances, rtol=1e-10)


@pytest.mark.parametrize("power", [0.6, 0.8])
def test_online_em_comes_to_the_batch_answer(power):
    first = Mixture([1 / 3] * 3, Gaussian([[1, 1], [3, 0], [2, 5]], [4 * np.eye(2)] * 3))
    best = fit(first, X, tol=1e-12, keep="values")
    behind = []
    for n in (10, 100, 1000):
        state = Online(first, power)
        for batch, _ in mini_batches(X, 100, np.random.default_rng(3), n):
            state = state.learn(batch)
        behind.append((best.log_likelihood - state.model.log_density(X).sum()) / len(X))
    assert behind[0] > behind[1] > behind[2] > 0
    assert behind[2] < 0.002  # nats per point
    onward = fit(state.model, X, tol=1e-12)
    assert onward.log_likelihood == pytest.approx(best.log_likelihood, rel=1e-9)


def test_online_em_says_how_likely_the_unseen_batch_was():
    state = Online(FIRST).learn(BATCHES[0])
    assert Online(FIRST).smoothed != Online(FIRST).smoothed  # nan
    assert state.log_likelihood == pytest.approx(FIRST.log_density(BATCHES[0]).mean(), rel=1e-12)
    after = state.learn(BATCHES[1])
    assert after.log_likelihood == pytest.approx(state.model.log_density(BATCHES[1]).mean(), rel=1e-12)
    step = 2**-0.6
    assert after.smoothed == pytest.approx((1 - step) * state.log_likelihood + step * after.log_likelihood)
    assert state == Online(FIRST).learn(BATCHES[0])  # nothing has changed it
    assert pickle.loads(pickle.dumps(after)) == after


def test_online_em_with_weights_and_a_wait():
    doubled = Online(FIRST).learn(X[:200], np.full(200, 2.0))
    once = Online(FIRST).learn(X[:200])
    np.testing.assert_allclose(doubled.model.components.means, once.model.components.means, rtol=1e-12)
    assert doubled.n_points == 400
    waiting = Online(FIRST, wait=300).learn(X[:299])
    assert waiting.model == FIRST
    assert waiting.learn(X[299:300]).model != FIRST
    assert Online(FIRST).learn(X[:33]).model == FIRST  # 17 free parameters, and so 34 points
    assert Online(FIRST).learn(X[:34]).model != FIRST


@pytest.mark.parametrize("model", [Chain, Coins])
def test_online_em_is_for_every_model(model):
    if model is Coins:
        first, batch = Coins([0.6, 0.5]), np.array([5, 9, 8, 4, 7])
    else:
        first = Chain(np.array([0.6, 0.4]), np.array([[0.7, 0.3], [0.2, 0.8]]), np.full((2, 3), 1 / 3))
        batch = np.random.default_rng(0).integers(3, size=200)
    state = Online(first, wait=0).learn(batch)
    assert state.model == first.maximize(first.expect(batch) * (1 / state.n_points) * state.n_points)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Online(FIRST, power=0.5), "power is 0.5; it must be above 0.5"),
        (lambda: Online(FIRST, power=1.01), "power is 1.01; it must be above 0.5.* at most 1"),
        (lambda: Online(FIRST, power=np.nan), "power is nan"),
        (lambda: Online(FIRST, wait=-1), "wait is -1"),
        (lambda: Online(X), "model is an ndarray; it must be a Model"),
        (lambda: Online(FIRST).learn(X[:, :1]), "X has 1 column and the model 2 dimensions"),
        (lambda: Online(FIRST, wait=0).learn(X[:1]), "batch 0: try larger batches, a longer wait"),
        (lambda: mini_batches(Files(), 10, np.random.default_rng(0), 5), "X is walked, or on a cluster"),
        (lambda: mini_batches(X, 0, np.random.default_rng(0), 5), "size is 0"),
    ],
)
def test_streams_that_make_no_sense(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_mini_batches_are_rows_of_the_data_with_their_weights():
    drawn = list(mini_batches(PARTS, 50, np.random.default_rng(4), 3, WEIGHTED))
    places = {tuple(row): weight for row, weight in zip(X, WEIGHTS, strict=True)}
    assert all(
        places[tuple(row)] == weight
        for rows, weights in drawn
        for row, weight in zip(rows, weights, strict=True)
    )
    again = list(mini_batches(X, 50, np.random.default_rng(4), 3))
    assert all((a == b).all() for (a, _), (b, _) in zip(drawn, again, strict=True))
    assert len(np.unique(np.concatenate([rows for rows, _ in drawn])[:, 0])) > 140


def test_partial_fit_is_online_em():
    gmm = GaussianMixture(3, random_state=0)
    for batch in BATCHES:
        gmm.partial_fit(batch)
    begin = start.k_means(BATCHES[0], 3, np.random.RandomState(0), floor=start.usual_floor(BATCHES[0]))
    assert gmm.mixture_ == streamed(Online(begin)).model
    assert (gmm.n_iter_, gmm.converged_) == (20, False)
    assert gmm.lower_bound_ == gmm.online_.smoothed
    assert gmm.score(X) > TRUTH.log_density(X).mean() - 0.02
    before = gmm.__dict__.copy()
    for wrong in (X[:, :1], np.full((9, 2), np.nan), "rows"):
        with pytest.raises(ValueError, match="X"):
            gmm.partial_fit(wrong)
    assert gmm.__dict__ == before
    gmm.fit(X)
    assert gmm.converged_
    assert not hasattr(gmm, "online_")
    fitted = gmm.mixture_
    assert gmm.partial_fit(BATCHES[0]).mixture_ == Online(fitted).learn(BATCHES[0]).model
    assert not hasattr(gmm, "trace_")
    assert gmm.set_params(warm_start=True).fit(X).converged_
    with pytest.raises(ValueError, match="covariance_type is 'round'"):
        GaussianMixture(2, covariance_type="round").partial_fit(X)


# The how-to -------------------------------------------------------------------------------------------------


def test_the_page_on_scale_runs_as_it_stands(tmp_path, monkeypatch, capsys):
    pytest.importorskip("distributed", reason="Dask is not installed: em-course[scale]")
    monkeypatch.chdir(tmp_path)
    page = (ROOT / "docs" / "scale.md").read_text()
    names = {"__name__": "page"}
    for code in re.findall(r"```python\n(.*?)```", page, flags=re.S):
        exec(compile(code, "docs/scale.md", "exec"), names)
    said = capsys.readouterr().out.split("\n")
    assert said.count("True") == 2  # the walk by rounding, and two processes to the last bit
    assert names["here"] == names["walked"] == names["there"]
    assert names["trace"].stop.converged
    found = names["gmm"].mixture_.aligned(names["trace"].model)
    np.testing.assert_allclose(found.components.means, names["trace"].model.components.means, atol=0.01)
    places = names["centres"]
    for mixture in (names["state"].model, names["stream"].mixture_):
        means = mixture.components.means
        assert np.abs(means[:, None] - places).sum(axis=2).min(axis=0).max() < 0.15
    K, D = 8, 8
    (lines,) = re.findall(r"```py\n(.*?)```", (ROOT / "README.md").read_text(), flags=re.S)
    exec(compile(lines, "README.md", "exec"), names)
    assert names["trace"] == fit(names["first"], [names["X"]])
    assert f"these are {K * (D * D + 3 * D + 2) // 2} numbers" in page


# Dask -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def cluster():
    """Two workers on this machine, and how to name them."""
    pytest.importorskip("distributed", reason="Dask is not installed: em-course[scale]")
    client = scale._connected(2)
    yield client
    client.close()


def spread(parts, axis=0):
    """A Dask array of some blocks."""
    import dask.array as da

    return da.concatenate([da.from_array(part, chunks=-1) for part in parts], axis)


def pids(client):
    return list(client.run(os.getpid).values())


def test_two_workers_give_the_answer_of_one_process_to_the_last_bit(cluster):
    here = fit(FIRST, PARTS)
    there = fit(FIRST, scale.on_dask(spread(PARTS), client=cluster))
    assert there == here
    assert there.objectives.tobytes() == here.objectives.tobytes()
    assert fit(FIRST, spread(PARTS)) == here  # without a client, in this process
    with cluster.as_current():
        assert fit(FIRST, spread(PARTS), spread(WEIGHTED), **STEPS) == fit(FIRST, PARTS, WEIGHTED, **STEPS)
    address = cluster.scheduler.address
    with scale.on_dask(spread(PARTS), client=address) as blocks:
        assert fit(FIRST, blocks, accelerate=True) == fit(FIRST, PARTS, accelerate=True)


def test_starts_criteria_and_the_estimator_take_dask(cluster):
    blocks = scale.on_dask(spread(PARTS), spread(WEIGHTED), cluster)
    assert start.k_means(blocks, 3, np.random.default_rng(0)) == start.k_means(
        PARTS, 3, np.random.default_rng(0), weights=WEIGHTED
    )
    for criterion in (select.aic, select.bic, select.icl, select.held_out):
        assert criterion(TRUTH, blocks) == criterion(TRUTH, PARTS, WEIGHTED)
    gmm = GaussianMixture(3, random_state=0).fit(blocks)
    assert gmm.mixture_ == GaussianMixture(3, random_state=0).fit(PARTS, sample_weight=WEIGHTED).mixture_
    plain = spread(PARTS)
    np.testing.assert_array_equal(gmm.predict(plain), gmm.predict(X))
    assert gmm.score(plain, sample_weight=spread(WEIGHTED)) == gmm.score(PARTS, sample_weight=WEIGHTED)
    assert Online(FIRST).learn(plain) == Online(FIRST).learn(PARTS)


def other_models():
    rng = np.random.default_rng(6)
    counts, answers = rng.poisson([[2.0, 9.0]], size=(400, 2)), rng.integers(2, size=(400, 3)).astype(float)
    chain = Chain(np.array([0.6, 0.4]), np.array([[0.7, 0.3], [0.2, 0.8]]), rng.dirichlet(np.ones(3), 2))
    yield "Chain", chain, [rng.integers(3, size=n) for n in (60, 40, 81, 55)]
    yield "Coins", Coins([0.6, 0.5]), list(rng.binomial(10, 0.6, size=(4, 5)))
    yield "Poisson", Mixture([0.5, 0.5], Poisson(np.array([[1.0, 8], [3, 10]]))), np.split(counts, 4)
    yield "Bernoulli", Mixture([0.5, 0.5], Bernoulli(rng.uniform(0.2, 0.8, (2, 3)))), np.split(answers, 4)
    yield "StudentT", Mixture([0.5, 0.5], StudentT(X[:2], np.stack([np.eye(2)] * 2))), PARTS[:2]


@pytest.mark.parametrize(
    ("model", "blocks"), [pytest.param(*rest, id=name) for name, *rest in other_models()]
)
def test_every_model_goes_to_the_workers(cluster, model, blocks):
    import dask

    here = fit(model, blocks, **STEPS)
    delayed = [dask.delayed(np.asarray)(block) for block in blocks]
    assert fit(model, scale.on_dask(delayed, client=cluster), **STEPS) == here
    assert fit(model, scale.on_dask(cluster.scatter(blocks), client=cluster), **STEPS) == here
    assert fit(model, delayed, **STEPS) == here


def test_only_statistics_travel(cluster, tmp_path):
    """Nothing between workers; and to and from a worker for each block far less than the block."""
    np.save(tmp_path / "X.npy", np.tile(X, (20, 1)))
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    blocks = scale.on_dask(mapped, client=cluster, rows=10_000)
    assert all(len(block.packed) < 1_000 for block, _ in blocks._tasks)
    statistics = list(blocks.each(FIRST.e_step))
    assert len(statistics) == 12
    assert all(len(pickle.dumps(one)) < 2_000 for one in statistics)
    trace = fit(FIRST, blocks, **STEPS)
    assert trace == fit(FIRST, np.split(mapped, 12), **STEPS)
    in_memory = scale.on_dask(spread([mapped[:60_000], mapped[60_000:]]).persist(), client=cluster)
    fit(FIRST, in_memory, **STEPS)
    workers = set(cluster.scheduler_info(n_workers=-1)["workers"])
    logs = cluster.run(lambda dask_worker: [entry["who"] for entry in dask_worker.transfer_outgoing_log])
    assert not [who for log in logs.values() for who in log if who in workers]


def test_a_memory_map_or_a_part_of_it_is_read_where_it_lies(cluster, tmp_path):
    np.save(tmp_path / "X.npy", X)
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    for some in (mapped, mapped[777:5001], mapped[:, :], X, np.asfortranarray(X), mapped[::2]):
        blocks = scale.on_dask(some, client=cluster, rows=1_100)
        here = fit(FIRST, [some[first : first + 1_100] for first in range(0, len(some), 1_100)], **STEPS)
        there = fit(FIRST, blocks, **STEPS)
        if some.flags.c_contiguous:
            assert there == here
        np.testing.assert_allclose(there.objectives, here.objectives, rtol=1e-13)


def test_an_array_in_memory_goes_to_the_workers_once(cluster):
    large = np.tile(X, (250, 1))  # 24 MB
    blocks = scale.on_dask(large, client=cluster)
    assert [type(block).__name__ for block, _ in blocks._tasks] == ["Future"] * 2
    parts = [large[:1_000_000], large[1_000_000:]]
    assert fit(FIRST, blocks, tol=0, max_iter=1) == fit(FIRST, parts, tol=0, max_iter=1)


def test_an_interrupt_cancels_what_is_waited_for(cluster, monkeypatch):
    asked, result = [], scale.OnDask._result

    def interrupted(self, waiting, number):
        asked.append(number)
        if len(asked) == 27:  # the check and five passes over five blocks each, and one block more
            raise KeyboardInterrupt
        return result(self, waiting, number)

    monkeypatch.setattr(scale.OnDask, "_result", interrupted)
    with pytest.warns(match="interrupted after 3 iterations"):
        trace = fit(FIRST, scale.on_dask(spread(PARTS), client=cluster), **STEPS)
    assert trace.model == fit(FIRST, PARTS, tol=0, max_iter=3).model


def seen_threads(block, weights):
    return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}


def test_workers_use_one_thread_for_linear_algebra():
    with threadpool_limits(2, user_api="blas"):
        assert seen_threads(None, None) == {2}
        assert scale._apply(seen_threads, (), None, None, X, None) == {1}


def test_chunks_of_columns_are_put_together_and_held_blocks_stay(cluster):
    array = spread(PARTS)
    here = fit(FIRST, PARTS, **STEPS)
    assert fit(FIRST, scale.on_dask(array.rechunk({1: 1}), client=cluster), **STEPS) == here
    with cluster.as_current():
        held = array.persist()
    for one in (held, held + 0.0):
        assert fit(FIRST, scale.on_dask(one, client=cluster), **STEPS) == here


def test_a_worker_killed_in_mid_fit_changes_nothing(cluster):
    with cluster.as_current():
        held = spread(PARTS).persist()
    for data in (spread(PARTS), held):
        killed = []

        def kill(step, killed=killed):
            if step.number == 3:
                killed.append(pids(cluster)[0])
                os.kill(killed[0], signal.SIGKILL)

        trace = fit(FIRST, scale.on_dask(data, client=cluster), **STEPS, on_step=kill)
        assert killed
        assert trace == fit(FIRST, PARTS, **STEPS)
    cluster.wait_for_workers(2)


def test_a_hole_is_named_by_block_and_row(cluster):
    data = spread([*PARTS[:2], HOLE, *PARTS[2:]])
    with pytest.raises(ValueError, match=r"block 2 of 6: X holds nan.* the first at \(17, 1\)"):
        fit(FIRST, scale.on_dask(data, client=cluster))
    far = [*PARTS[:2], np.array([[1e200, 0.0]])]
    with pytest.raises(ValueError, match=r"block 2 of 3: X\[0\] lies so far from every component"):
        fit(FIRST, scale.on_dask(spread(far), client=cluster))
    with pytest.raises(ValueError, match=r"block 1 of 2: weights has shape \(5,\)"):
        fit(FIRST, scale.on_dask(spread(PARTS[:2]), spread([WEIGHTED[0], WEIGHTS[:5]]), cluster))
    with pytest.raises(ValueError, match="there are 2 blocks of data and 1 of weights"):
        scale.on_dask(spread(PARTS[:2]), spread([WEIGHTED[0]]), cluster)
    with pytest.raises(ValueError, match="the data of this block cannot be computed: ZeroDivisionError"):
        fit(
            FIRST,
            scale.on_dask(
                spread([X]).map_blocks(lambda block: block / (1 // 0), dtype=float), client=cluster
            ),
        )


def test_data_that_only_a_killed_worker_held_are_lost_in_words(cluster):
    futures = cluster.scatter(PARTS)

    def kill(step):
        if step.number == 3:
            for pid in pids(cluster):
                os.kill(pid, signal.SIGKILL)

    with pytest.raises(
        DataLost, match=r"block \d of 5 is lost: a worker that alone held it is gone"
    ) as caught:
        fit(FIRST, scale.on_dask(futures, client=cluster), **STEPS, on_step=kill)
    assert caught.value.trace.model == fit(FIRST, PARTS, tol=0, max_iter=3).model
    cluster.wait_for_workers(2)


def test_a_file_that_goes_in_mid_fit_is_lost_in_words(cluster, tmp_path):
    np.save(tmp_path / "X.npy", X)
    blocks = scale.on_dask(np.load(tmp_path / "X.npy", mmap_mode="r"), client=cluster, rows=2_000)

    def remove(step):
        if step.number == 3:
            (tmp_path / "X.npy").unlink()

    with pytest.raises(DataLost, match="block 0 of 3 cannot be computed: FileNotFoundError") as caught:
        fit(FIRST, blocks, **STEPS, on_step=remove)
    assert caught.value.trace.stop.n_iter == 3


def test_a_cluster_that_goes_in_mid_fit_is_lost_in_words():
    pytest.importorskip("distributed", reason="Dask is not installed: em-course[scale]")
    own = scale._connected(1)

    def close(step):
        if step.number == 2:
            own.close()

    with pytest.raises(DataLost, match="lost") as caught:
        fit(FIRST, scale.on_dask(spread(PARTS), client=own), **STEPS, on_step=close)
    assert caught.value.trace.stop.n_iter == 2


def test_a_cluster_without_workers_is_waited_for_and_no_longer(monkeypatch):
    distributed = pytest.importorskip("distributed", reason="Dask is not installed: em-course[scale]")
    monkeypatch.setattr(scale, "PATIENCE", 1.0)
    with (
        distributed.LocalCluster(n_workers=0, processes=False, dashboard_address=":0") as empty,
        distributed.Client(empty, set_as_default=False) as client,
        pytest.raises(DataLost, match="the cluster has had no worker for 1 seconds"),
    ):
        fit(FIRST, scale.on_dask(spread(PARTS), client=client))


def test_a_scheduler_that_is_not_there(monkeypatch):
    pytest.importorskip("distributed", reason="Dask is not installed: em-course[scale]")
    monkeypatch.setattr(scale, "ANSWER", 0.5)
    with pytest.raises(ValueError, match=r"no Dask scheduler answers at 'tcp://127.0.0.1:9'"):
        scale.on_dask(spread(PARTS), client="tcp://127.0.0.1:9")
    for client in (0, 2.5, True, None.__class__):
        with pytest.raises(ValueError, match=r"client is .*; it must be"):
            scale.on_dask(spread(PARTS), client=client)


@pytest.mark.parametrize("data", [Files(), [X, X], "rows", None, np.float64(3)])
def test_what_dask_cannot_read(data):
    pytest.importorskip("distributed", reason="Dask is not installed: em-course[scale]")
    with pytest.raises(ValueError, match=r"data is .+; it must be a Dask array"):
        scale.on_dask(data)


def test_blocks_refuse_what_on_dask_is_for():
    pytest.importorskip("distributed", reason="Dask is not installed: em-course[scale]")
    with pytest.raises(ValueError, match="pass it as it is, or through"):
        Blocks(spread(PARTS))


def test_without_the_extra_it_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(
        ModuleNotFoundError, match=r"emlib.scale needs distributed, .* install em-course\[scale\]"
    ):
        scale.on_dask(X)
