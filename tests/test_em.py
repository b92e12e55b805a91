"""The loop and its watcher: every reason to stop, made to happen by a model that follows a script."""

import itertools
import pickle
import warnings
from dataclasses import dataclass, replace

import numpy as np
import pytest
from threadpoolctl import threadpool_info

from emlib import (
    Blocks,
    Collapse,
    EMWarning,
    Gaussian,
    Mixture,
    Model,
    Statistics,
    Suspicion,
    checks,
    em,
    fit,
    fit_best,
    start,
)
from emlib.classic import Coins
from emlib.stopping import outlook

N = 100
X = np.zeros((N, 1))


@dataclass(frozen=True)
class Scripted(Model):
    """A model whose log-likelihood at step t is script[t]; an exception in the script is raised."""

    script: tuple
    t: int = 0
    is_exact: bool = True
    misgiving: Suspicion | None = None
    weight: float = 1.0  # of every point

    exact = property(lambda self: self.is_exact)
    n_parameters = 0

    def check(self, block):
        return block

    def expect(self, block, weights=None):
        return Statistics(float(self.script[min(self.t, len(self.script) - 1)]), self.weight * len(block))

    def maximize(self, statistics):
        following = self.script[min(self.t + 1, len(self.script) - 1)]
        if isinstance(following, BaseException):
            raise following
        return replace(self, t=self.t + 1)

    def log_density(self, X):
        return np.full(len(X), self.expect(X).log_likelihood / len(X))

    def suspicion(self, statistics):
        return self.misgiving


def shrinking(rate=0.5, first=10.0, steps=400):
    """Objectives whose gains are first, first * rate, ...: their limit is first / (1 - rate)."""
    return tuple(first * (1 - rate**t) / (1 - rate) for t in range(steps))


def test_em_is_endless_and_evaluates_each_model_before_it_yields_it():
    steps = list(itertools.islice(em(Scripted(shrinking()), X), 5))
    assert [step.number for step in steps] == [0, 1, 2, 3, 4]
    assert [step.model.t for step in steps] == [0, 1, 2, 3, 4]
    np.testing.assert_allclose([step.objective for step in steps], shrinking()[:5])


@pytest.mark.parametrize("rate", [0.2, 0.9, 0.999])
def test_converged_means_that_what_is_left_is_below_tol(rate):
    script = shrinking(rate, steps=40_000)
    trace = fit(Scripted(script), X, tol=1e-6, max_iter=39_000, keep="values")
    left = 10 / (1 - rate) - trace.objectives[-1]
    assert trace.stop.converged
    assert left < 1.05e-6 * N  # at a rate of 0.999 rounding moves the estimate by a few per cent
    np.testing.assert_allclose(trace.stop.distance, left, rtol=0.05)
    np.testing.assert_allclose(trace.stop.rate, rate, rtol=1e-4)
    # The usual rule, gain < tol, would have stopped a slow fit far too early.
    usual = np.argmax(np.diff(script) < 1e-6 * N)
    assert (len(trace.objectives) > 1.5 * usual) == (rate > 0.99)


def test_converged_takes_three_steps_even_at_a_fixed_point():
    trace = fit(Scripted((-5.0,)), X)
    assert trace.stop.converged
    assert trace.stop.n_iter == 3
    assert np.isnan(trace.stop.rate)


def test_max_iter():
    with pytest.warns(EMWarning, match="max_iter after 4 iterations: raise max_iter"):
        trace = fit(Scripted(shrinking()), X, max_iter=4)
    assert trace.stop.reason == "max_iter"
    assert len(trace.objectives) == len(trace.models) == 5
    assert trace.model is trace.models[-1]
    np.testing.assert_allclose(trace.stop.distance, 20 - shrinking()[4])


def test_without_tolerance_nothing_is_judged_and_nothing_warned_of():
    trace = fit(Scripted((0.0,)), X, tol=0, max_iter=7)
    assert trace.stop.reason == "max_iter"
    assert len(trace.objectives) == 8


def test_no_steps_evaluate_the_start():
    trace = fit(Scripted(shrinking()), X, tol=0, max_iter=0)
    assert trace.objectives.tolist() == [0.0]
    assert trace.model.t == 0


def test_stalled_on_the_word_of_the_model():
    script = Scripted(shrinking(), misgiving=Suspicion("stalled", "these two cannot be told apart"))
    with pytest.warns(EMWarning, match="stalled .* told apart"):
        assert fit(script, X).stop.reason == "stalled"


# On the way into a plateau the gains fall below tol; for forty steps they grow; then they shrink for good.
INTO, OUT_OF = [1, 0.3, 0.12, 0.06, 0.035, 0.025, 0.02, 0.018, 0.0175], 0.0175 * 1.1 ** np.arange(1, 40)
PLATEAU = tuple(np.cumsum([0, *INTO, *OUT_OF, *0.5 ** np.arange(60)]))


def test_growing_gains_are_never_called_convergence():
    trace = fit(Scripted(PLATEAU), X, tol=2e-4)  # 0.02 nats for these 100 points
    assert trace.stop.converged
    assert PLATEAU[-1] - trace.objectives[-1] < 0.02


def test_stalled_if_the_steps_run_out_while_tiny_gains_grow():
    with pytest.warns(EMWarning, match="plateau; raise max_iter"):
        assert fit(Scripted(PLATEAU), X, tol=2e-4, max_iter=10).stop.reason == "stalled"


def test_decreased_stops_and_keeps_the_best():
    with pytest.warns(EMWarning, match=r"decreased after 3 iterations: the objective fell by 1 nats"):
        trace = fit(Scripted((0.0, 5.0, 7.0, 6.0, 9.0)), X)
    assert trace.stop.reason == "decreased"
    assert trace.model.t == 2
    assert trace.objectives[-1] == 6.0
    assert trace.objective == trace.log_likelihood == 7.0  # of the model that is kept
    with pytest.raises(AssertionError, match="falls by 1 nats at step 3"):
        checks.monotone(trace)


def test_decreased_keeps_the_best_when_only_values_are_kept():
    with pytest.warns(EMWarning):
        trace = fit(Scripted((0.0, 5.0, 7.0, 6.0, 9.0)), X, keep="values")
    assert trace.model.t == 2
    assert len(trace.models) == 1
    assert len(trace.objectives) == 4


def test_rounding_is_no_fall():
    noisy = tuple(-1e6 + 1e-8 * (-1) ** t for t in range(50))
    trace = fit(Scripted(noisy), X, tol=0, max_iter=40)
    assert trace.stop.reason == "max_iter"
    checks.monotone(trace)


def test_an_inexact_step_may_lose_and_says_so():
    trace = fit(Scripted((0.0, 5.0, 7.0, 6.999, 6.9989, 6.99889, 6.99889), is_exact=False), X)
    assert trace.stop.converged
    assert checks.monotone(trace).startswith("not checked")


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_an_objective_that_is_no_number(bad):
    with pytest.warns(EMWarning, match="decreased .* the objective became"):
        trace = fit(Scripted((0.0, 5.0, bad)), X)
    assert trace.model.t == 1
    assert len(trace.models) == len(trace.objectives) == len(trace.roundings) == 3
    with pytest.raises(ValueError, match="objective of the start is"):
        fit(Scripted((bad,)), X)


def test_collapsed_keeps_what_there_was():
    with pytest.warns(EMWarning, match="collapsed after 2 iterations: one point left"):
        trace = fit(Scripted((0.0, 5.0, 7.0, Collapse("one point left"))), X)
    assert trace.stop.reason == "collapsed"
    assert trace.model.t == 2


def test_interrupted_keeps_what_there_was():
    with pytest.warns(EMWarning, match="interrupted after 2"):
        trace = fit(Scripted((0.0, 5.0, 7.0, KeyboardInterrupt())), X)
    assert trace.stop.reason == "interrupted"
    assert trace.model.t == 2
    assert len(trace.models) == len(trace.objectives) == len(trace.log_likelihoods) == 3


def test_a_listener_that_interrupts_leaves_every_step_whole():
    def listen(step):
        if step.number == 2:
            raise KeyboardInterrupt

    with pytest.warns(EMWarning, match="interrupted after 2"):
        trace = fit(Scripted((0.0, 5.0, 7.0, 8.0, 8.5)), X, on_step=listen)
    lengths = [len(trace.models), len(trace.objectives), len(trace.log_likelihoods), len(trace.roundings)]
    assert lengths == [3] * 4
    assert (trace.model.t, trace.objective) == (2, 7.0)


def test_the_objective_is_of_the_steps_own_model():
    rng = np.random.default_rng(0)
    data = rng.standard_normal((50, 2))
    trace = fit(start.from_data(data, 2, rng), data, tol=0, max_iter=5)
    for model, objective in zip(trace.models, trace.objectives, strict=True):
        np.testing.assert_allclose(model.log_density(data).sum(), objective, rtol=1e-12)


def test_outlook_of_a_geometric_series_is_exact():
    rate, distance = outlook(shrinking(0.8)[:9], 1e-12)
    np.testing.assert_allclose([rate, distance], [0.8, 10 / 0.2 * 0.8**8])


def test_saddle_of_equal_components():
    data = np.random.default_rng(0).standard_normal((60, 1))
    twins = Mixture([0.5, 0.5], Gaussian.univariate([0.3, 0.3], [2, 2]))
    with pytest.warns(EMWarning, match="components 0 and 1 cannot be told apart"):
        assert fit(twins, data).stop.reason == "stalled"


@pytest.mark.parametrize("seed", range(20))
def test_random_responsibilities_are_no_convergence(seed):
    """On the plateau between two clusters, where every gain is below tol, EM is never called converged."""
    rng = np.random.default_rng(0)
    data = np.concatenate([rng.normal(-2, 1, (150, 2)), rng.normal(2, 1, (150, 2))])
    best = fit(start.k_means(data, 2, rng), data, tol=1e-9).objectives[-1]
    first = start.random(data, 2, np.random.default_rng(seed))
    with pytest.warns(EMWarning):
        early = fit(first, data, tol=1e-3, max_iter=20)
    assert early.objectives[-1] < best - 100
    assert early.stop.reason in ("stalled", "max_iter")
    # Given the steps, it climbs out by itself.
    late = fit(first, data, tol=1e-3)
    assert late.stop.converged
    assert best - late.objectives[-1] < 1e-3 * len(data)
    checks.monotone(late)


def test_an_absurd_start_does_not_blunt_the_watch():
    """Its objective is so low that rounding there is larger than all that is gained later."""
    rng = np.random.default_rng(0)
    data = np.concatenate([rng.normal(-3, 1, (100, 1)), rng.normal(3, 1, (100, 1))])
    absurd = Mixture([0.5, 0.5], Gaussian.univariate([-1, 2], [1e-15, 1e-15]))
    trace = fit(absurd, data)
    assert trace.roundings[0] > 100
    assert trace.roundings[-1] < 1e-9
    assert trace.stop.converged
    best = fit(start.from_labels(data, np.repeat([0, 1], 100)), data)
    np.testing.assert_allclose(trace.objectives[-1], best.objectives[-1], atol=1e-3)
    checks.monotone(trace)
    with pytest.raises(AssertionError, match=r"falls by 0\.00099"):
        checks.monotone(
            replace(trace, objectives=trace.objectives - np.r_[np.zeros(len(trace.roundings) - 1), 0.001])
        )


@pytest.mark.parametrize("seed", range(20))
def test_what_is_called_converged_has_nothing_left_to_gain(seed):
    rng = np.random.default_rng(seed)
    data = np.vstack([rng.normal(size=(100, 2)) + 2.5 * rng.normal(size=2) for _ in range(3)])
    first = start.from_data(data, 3, rng)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", EMWarning)  # of a collapse, with some seeds
        trace = fit(first, data)
    checks.monotone(trace)
    if not trace.stop.converged:
        assert trace.stop.reason == "collapsed"
        return
    far = fit(trace.model, data, tol=0, max_iter=300)
    assert far.objectives[-1] - trace.objectives[-1] < 3e-6 * len(data)


def test_a_component_on_a_single_point_collapses():
    data = np.array([[0.0], [1], [2], [3], [100]])
    lonely = Mixture([0.5, 0.5], Gaussian.univariate([1, 100], [1, 1]))
    with pytest.warns(EMWarning, match="component 1 has collapsed: 1 of the points do not span 1 dimension"):
        trace = fit(lonely, data)
    assert trace.stop.reason == "collapsed"
    assert np.isfinite(trace.objectives).all()
    propped = Mixture([0.5, 0.5], Gaussian.univariate([1, 100], [1, 1], floor=1e-3))
    with pytest.warns(
        EMWarning, match="only the floor or ridge keeps component 1 from collapsing, on 1 of the points"
    ):
        assert fit(propped, data).stop.reason == "collapsed"


@pytest.mark.parametrize("weight", [1e-6, 1.0, 1e6])
def test_negligible_is_counted_in_nats_over_all_points_whatever_they_weigh(weight):
    script = Scripted(tuple(weight * v for v in shrinking(0.9)), weight=weight)
    weights = np.full(N, weight)
    # Both ask that the gains are below tol, 0.2 nats for these 100 points; left are nine times the gain.
    for negligible, allowed in [(0.0, 0.2), (1.0, 1.0)]:
        trace = fit(script, X, weights, tol=2e-3, negligible=negligible)
        left = 100 - trace.objectives / weight
        assert trace.stop.converged
        assert left[-1] < allowed < left[-2]
    with pytest.raises(ValueError, match="negligible is -1; it must be 0 or more"):
        fit(script, X, negligible=-1)


def test_a_fit_that_is_continued_is_one_fit():
    rng = np.random.default_rng(0)
    data = np.concatenate([rng.normal(-2, 1, (150, 2)), rng.normal(1, 1, (150, 2))])
    first = start.from_data(data, 2, rng)
    whole = fit(first, data)
    early = fit(first, data, max_iter=4, warn=False)
    late = fit(early.model, data, earlier=early)
    np.testing.assert_allclose(late.objectives, whole.objectives, rtol=1e-13)
    np.testing.assert_allclose(late.log_likelihoods, whole.log_likelihoods, rtol=1e-13)
    assert len(late.models) == len(whole.models)
    assert late.models[:5] == early.models
    assert late.stop.reason == whole.stop.reason
    # At rest already, it needs no three steps more to see that; and other data are another fit.
    assert len(fit(whole.model, data, earlier=whole).objectives) == len(whole.objectives)
    assert len(fit(whole.model, data + 1, earlier=whole, max_iter=3, warn=False).objectives) == 4
    with pytest.raises(ValueError, match="earlier is a Mixture; it must be a Trace, the result of a fit"):
        fit(first, data, earlier=first)


def test_nothing_is_warned_of_on_request():
    assert fit(Scripted(shrinking()), X, max_iter=4, warn=False).stop.reason == "max_iter"


# Several starts -------------------------------------------------------------------------------------------


def scaled(factor, **more):
    return Scripted(tuple(factor * v for v in shrinking()), **more)


def test_the_best_of_several_starts_and_where_each_led():
    best = fit_best([scaled(1), lambda: scaled(3), scaled(2)], X)
    np.testing.assert_allclose([end.objective for end in best.ends], [20, 60, 40], rtol=1e-5)
    assert best.objective == best.log_likelihood == best.ends[1].log_likelihood
    assert best.stop == best.ends[1].stop
    assert best.models == (best.model,)
    assert len(fit_best([scaled(1)], X, keep="models").models) == len(fit(scaled(1), X).models)
    with pytest.warns(EMWarning, match="max_iter after 2 iterations"):
        fit_best([scaled(1)], X, max_iter=2)
    assert fit_best([scaled(1)], X, max_iter=2, warn=False).stop.reason == "max_iter"


def test_a_collapsed_end_is_never_the_best():
    held_up = scaled(9, misgiving=Suspicion("collapsed", "only the floor keeps it"))

    def fails():
        raise Collapse("no points left")

    best = fit_best([held_up, scaled(1), fails, Scripted((0.0, 500.0, Collapse("one point left")))], X)
    assert best.objective == best.ends[1].objective
    assert [end.stop.reason for end in best.ends] == ["collapsed", "converged", "collapsed", "collapsed"]
    assert np.isnan([best.ends[2].objective, best.ends[2].log_likelihood]).all()
    # Of collapsed ends only, the highest; of none, an error with the first reason.
    with pytest.warns(EMWarning, match="collapsed .* only the floor"):
        assert fit_best([held_up, fails], X).objective == best.ends[0].objective
    with pytest.raises(Collapse, match=r"none of 2 starts leads to a model\. The first: no points left"):
        fit_best([fails, fails], X)
    with pytest.raises(ValueError, match="starts is empty"):
        fit_best([], X)


def interrupts():
    raise KeyboardInterrupt


@pytest.mark.parametrize("late", [interrupts, Scripted((0.0, 5.0, KeyboardInterrupt()))])
def test_an_interrupt_ends_all_fits_and_keeps_the_best(late):
    with pytest.warns(EMWarning, match="interrupted .* in start 2; the best so far is kept"):
        best = fit_best([scaled(1), late, scaled(3)], X)
    assert best.stop.reason == "interrupted"
    assert best.objective == best.ends[0].objective == pytest.approx(20, rel=1e-5)
    assert best.ends[0].stop.converged
    assert len(best.ends) == 1 + isinstance(late, Scripted)
    with pytest.raises(KeyboardInterrupt):
        fit_best([interrupts, scaled(1)], X)


def test_the_start_and_the_data_are_not_changed():
    data = np.random.default_rng(0).standard_normal((40, 2))
    weights = np.random.default_rng(1).uniform(size=40)
    first = start.from_data(data, 2, np.random.default_rng(2))
    before = [a.copy() for a in (data, weights, first.weights, first.components.means)]
    fit(first, data, weights, tol=0, max_iter=3)
    for old, new in zip(before, (data, weights, first.weights, first.components.means), strict=True):
        np.testing.assert_array_equal(old, new)


def test_traces_pickle():
    data = np.random.default_rng(0).standard_normal((40, 2))
    trace = fit(start.from_data(data, 2, np.random.default_rng(2)), data, tol=0, max_iter=3)
    again = pickle.loads(pickle.dumps(trace))
    np.testing.assert_array_equal(again.objectives, trace.objectives)
    np.testing.assert_array_equal(again.model.log_density(data), trace.model.log_density(data))
    assert again.stop == trace.stop


def test_a_trace_that_an_earlier_version_pickled_goes_on():
    trace = fit(Coins([0.6, 0.5]), [5, 9, 8, 4, 7], tol=0, max_iter=3)
    whole = fit(trace.model, [5, 9, 8, 4, 7], earlier=trace)
    del trace.watch.log_likelihoods, trace.watch.exact  # which that of 0.3.1 had not
    again = fit(trace.model, [5, 9, 8, 4, 7], earlier=pickle.loads(pickle.dumps(trace)))
    np.testing.assert_array_equal(again.log_likelihoods, whole.log_likelihoods)
    assert again.exact


def test_an_interrupt_of_the_very_first_look_is_one():
    class Slow(Coins):
        def log_prior(self):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit(Slow([0.6, 0.5]), [5, 9, 8, 4, 7])


def test_the_loop_runs_on_one_thread():
    seen = []

    @dataclass(frozen=True)
    class Looks(Scripted):
        def expect(self, block, weights=None):
            seen.extend(pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas")
            return super().expect(block, weights)

    fit(Looks((0.0,)), X)
    assert seen
    assert set(seen) == {1}


# Blocks -----------------------------------------------------------------------------------------------


def test_a_list_is_a_list_of_blocks_and_an_array_is_one():
    assert len(Blocks(X).pairs) == 1
    assert len(Blocks([X, X, X]).pairs) == 3
    assert fit(Scripted((0.0,)), [X, X], tol=0, max_iter=0).n_points == 2 * N


@pytest.mark.parametrize("accelerate", [False, True])
def test_every_block_is_checked_once_and_the_loop_does_not_ask_again(accelerate):
    asked = []

    class Asked(Mixture):
        def check(self, block):
            asked.append(len(block))
            return super().check(block)

    data = [np.arange(5.0)[:, None], np.arange(7.0)[:, None] ** 2]
    first = Asked([0.5, 0.5], Gaussian.univariate([0, 30], [9, 300]))
    fit(first, data, tol=0, max_iter=6, accelerate=accelerate)
    assert asked == [5, 7]
    fit_best([first, first], data, tol=0, max_iter=3)
    assert asked == [5, 7] * 2
    first.expect(data)  # from outside it is asked
    assert asked == [5, 7] * 3


@pytest.mark.parametrize(
    ("data", "weights", "message"),
    [
        (iter([X, X]), None, "an iterator, which can be read only once"),
        ([], None, "data is an empty list"),
        ([X, X], [np.ones(N)], "there are 2 blocks of data and 1 of weights"),
        ([X, X], np.ones(2 * N), "data is a list of 2 blocks and weights is an ndarray"),
    ],
)
def test_blocks_that_make_no_sense(data, weights, message):
    with pytest.raises(ValueError, match=message):
        Blocks(data, weights)


def test_plain_lists_of_numbers_are_a_table():
    assert len(Blocks([[1.0], [2.0], [3.0]]).pairs) == 1
    mixture = Mixture([1.0], Gaussian.univariate([0], [1]))
    assert fit(mixture, [[1.0], [2.0], [3.0]], [1, 2, 1], tol=0, max_iter=1).n_points == 4


def test_models_and_weights_in_the_wrong_place():
    with pytest.raises(ValueError, match="model is an ndarray; it must be a Model"):
        fit(X, Scripted((0.0,)))
    with pytest.raises(ValueError, match="model is a Gaussian; it must be a Model, such as a Mixture"):
        fit(Gaussian.univariate([0], [1]), X)
    with pytest.raises(ValueError, match="data is in Blocks already"):
        fit(Scripted((0.0,)), Blocks(X), np.ones(N))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"tol": -1}, "tol is -1; it must be 0 or more"),
        ({"tol": np.nan}, "tol is nan"),
        ({"tol": "small"}, "tol is 'small'; it must be a number"),
        ({"max_iter": -1}, "max_iter is -1; it must be at least 0"),
        ({"max_iter": 2.5}, "max_iter is 2.5; it must be a whole number"),
        ({"max_iter": True}, "max_iter is True"),
        ({"keep": "all"}, "keep is 'all'; it must be one of 'models', 'values'"),
    ],
)
def test_options_that_make_no_sense(options, message):
    with pytest.raises(ValueError, match=message):
        fit(Scripted((0.0,)), X, **options)
