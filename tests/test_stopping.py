"""When a fit may stop: its estimates against sequences whose limit is known, one rule at a time."""

import warnings
from dataclasses import dataclass

import numpy as np
import pytest
from test_em import N, Scripted, X, shrinking

from emlib import EMWarning, fit
from emlib.em import Step
from emlib.stopping import Watch, outlook


@dataclass(frozen=True)
class Rounded(Scripted):
    """A script whose numbers are known to so many nats."""

    known_to: float = 0.0

    def rounding(self, statistics):
        return self.known_to


def modes(steps, *parts):
    """Objectives that climb to 0 along several directions at once: each part is (what is left at first, rate)."""
    return -sum(left * rate ** np.arange(steps) for left, rate in parts)


def watched(script, jumps=(), known_to=1e-9, **settings):
    """A watch that has seen these objectives, those numbered in `jumps` after an extrapolation, and its last answer."""
    model, stop = Rounded(tuple(script), known_to=known_to), None
    watch = Watch(settings.pop("tol", 1e-6), settings.pop("max_iter", 10_000), **settings)
    for number in range(len(script)):
        assert stop is None, f"it stopped {len(script) - number} steps before the end"
        stop = watch(Step(number, model, model.expect(X), jump=number in jumps), N)
        model = model.maximize(None)
    return watch, stop


def test_a_rate_that_still_rises_is_carried_on_to_its_limit():
    """A fast direction ends and a slow one remains: the last rate alone says 2 nats where 7 are left."""
    script = modes(400, (10, 0.95), (30, 0.6))
    rate, distance = outlook(script[:9], 1e-9)
    gain = script[8] - script[7]
    assert -script[8] > 7
    assert gain * rate / (1 - rate) < 2 < distance
    trace = fit(Scripted(tuple(script)), X, tol=0.02)
    assert trace.stop.converged
    assert -trace.objectives[-1] < 0.02 * N


def test_a_rate_that_rises_by_rounding_alone_is_left_as_it_is():
    """Carried on, a rise of 0.005 at a rate of 0.99 would be a rate above 1, and no fit would ever end."""
    noise = 1e-4
    gains = 0.011 * 0.99 ** np.arange(4) + np.array([0, 0, -0.5, 0]) * noise
    rate, distance = outlook(np.cumsum([0, *gains]), noise)
    assert 0 < rate - gains[-2] / gains[-3] < 2 * noise / gains[-1]
    np.testing.assert_allclose(distance, gains[-1] * rate / (1 - rate))


def test_a_rate_is_taken_where_both_gains_stand_out_from_the_noise():
    rate, _ = outlook(np.cumsum([0, 1, 0.8, 1e-9, 0.64]), 1e-6)
    np.testing.assert_allclose(rate, 0.8)


@pytest.mark.parametrize(("more", "reason"), [(0.5, "max_iter"), (1.5, "stalled")])
def test_gains_grow_only_if_they_grow_by_more_than_rounding(more, reason):
    noise = 1e-3
    gains = np.array([0.05, 0.05, 0.05, 0.05 + more * noise])
    script = np.cumsum([0, *gains])
    _, stop = watched(script, known_to=noise, tol=1e-3, max_iter=4)
    assert stop.reason == reason


@pytest.mark.parametrize("fast", range(7))
def test_after_a_jump_the_rates_before_the_latest_ones_count_too(fast):
    """A jump wakes fast directions, which hide the slow one: rate 0.9, then `fast` stretches at rate 0.5."""
    script, jumps = list(shrinking(0.9)[:6]), []
    for _ in range(fast):
        jumps.append(len(script))
        script.extend(script[-1] + 0.1 + np.array(shrinking(0.5, first=0.1)[:5]))
    watch, _ = watched(script, jumps, tol=1e-12)
    rate, distance = watch.outlook()
    # Of the last five stretches that jumps have ended, one still was slow; this one has not ended.
    known = 0.9 if fast < 6 else 0.5
    gain = script[-1] - script[-2]
    np.testing.assert_allclose([rate, distance], [known, gain * known / (1 - known)], rtol=1e-6)


def test_after_a_jump_a_fit_makes_some_plain_steps_before_it_is_at_rest():
    script = list(shrinking(0.5)[:6])
    jump = len(script)
    script += [script[-1] + 0.1 + gain for gain in shrinking(0.1, first=1e-6)[:6]]
    for steps in range(3, 6):
        watch, stop = watched(script[: jump + steps], [jump], tol=1e-3)
        assert stop is None
        assert watch.settling
    watch, stop = watched(script[: jump + 6], [jump], tol=1e-3)
    assert stop.converged
    assert not watch.settling


def test_a_slow_direction_behind_fast_ones_is_seen_in_time():
    """Whatever is called converged here has at most twice tol left, with three directions at three rates."""
    rng = np.random.default_rng(0)
    for _ in range(40):
        rates, left = rng.uniform(0.1, 0.98, 3), 10 ** rng.uniform(-1, 2, 3)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", EMWarning)
            trace = fit(Scripted(tuple(modes(3000, *zip(left, rates, strict=True)))), X, tol=1e-4)
        assert trace.stop.converged
        assert -trace.objectives[-1] < 2e-4 * N
