"""The bootstrap of the likelihood ratio, against theory, against itself, and against R's mclust."""

import copy
import dataclasses
import functools
import pickle
import warnings
from types import SimpleNamespace

import numpy as np
import pytest
from structures import each_structure
from toys import Bernoulli, Poisson

from emlib import EMWarning, Gaussian, Mixture, Prior, checks, datasets, fit, fit_best, fitting, select, start
from emlib.em import Collapse
from emlib.select import bootstrap

pytestmark = pytest.mark.usefixtures("every_fit_climbs")
GEYSER = datasets.old_faithful().X
GUESS = start.k_means(GEYSER, 2, np.random.default_rng(0))


RULES = (1, start.k_means, Gaussian, 0.0, 1e-6, 100)  # of a Recipe


def ratio_of(X, K, B=1, **keywords):
    keywords = {"structure": "tied", "floor": 0.0, "progress": False} | keywords
    return select.bootstrap_ratio(X, K, np.random.default_rng(0), B=B, **keywords)


def halved(mixture, k, X=None, seed=0):
    return bootstrap.split(mixture, k, X, np.random.default_rng(seed))


def test_the_ratios_of_old_faithful_are_the_published_likelihoods():
    """EEE of 1, 2 and 3 components; mclust 6.0.0 prints 299.21997 and 27.72105 (it stops a little earlier)."""
    np.testing.assert_allclose(ratio_of(GEYSER, 1).observed, 299.21997, atol=1e-3)
    np.testing.assert_allclose(ratio_of(GEYSER, 2, tol=1e-9).observed, 2 * (1140.1868 - 1126.3159), atol=2e-4)


def test_a_ratio_is_never_below_zero_where_mclusts_is():
    """For EEE, 3 against 4 components, mclust 6.0.0 prints -0.0889: its fit of 4 is worse than its fit of 3."""
    assert ratio_of(GEYSER, 3).observed > 10
    found = select.bootstrap_ratio(
        np.random.default_rng(1).normal(size=(60, 1)),
        3,
        np.random.default_rng(0),
        structure="tied",
        B=12,
        n_init=1,
        start=start.random,  # from which EM hardly moves
        floor=0.0,
        max_iter=20,
        progress=False,
    )
    assert (found.simulated >= 0).all()
    assert found.observed >= 0


def test_three_clusters_are_three():
    X = datasets.three_clusters().X
    assert ratio_of(X, 2, B=19, max_iter=100).p_value == 1 / 20
    assert ratio_of(X, 3, B=9, max_iter=100).p_value > 0.1


def test_under_the_null_hypothesis_p_values_are_uniform():
    rng = np.random.default_rng(7)
    samples = [rng.normal(size=(30, 1)) for _ in range(24)]
    p = np.array([ratio_of(X, 1, B=9, n_init=1, max_iter=25).p_value for X in samples])
    assert set((10 * p).round(9)) <= set(range(1, 11))
    assert 0.37 < p.mean() < 0.73  # 0.55, give or take 0.06
    assert (p <= 0.2).mean() < 0.45  # 0.2, give or take 0.08


def test_it_is_reproducible_and_a_longer_run_begins_like_a_shorter():
    short, long = ratio_of(GEYSER[:80], 1, B=3), ratio_of(GEYSER[:80], 1, B=6)
    np.testing.assert_array_equal(long.simulated[:3], short.simulated)
    assert short.observed == long.observed
    np.testing.assert_array_equal(ratio_of(GEYSER[:80], 1, B=6, n_jobs=2).simulated, long.simulated)


def test_ratios_do_not_feel_units_for_one_gaussian():
    """So the law for one Gaussian is one law: the samples are the same ones, shifted and stretched."""
    X = GEYSER[:60]
    moved = X @ np.array([[2.0, 0.0], [0.5, 3.0]]) + 100
    np.testing.assert_allclose(
        ratio_of(X, 1, tol=1e-9).observed, ratio_of(moved, 1, tol=1e-9).observed, rtol=1e-6
    )


def test_p_values_count_the_data_and_what_ties_with_them():
    made = select.Ratio("tied", 1, 3.0, np.array([1.0, 3.0, 5.0, np.inf]))
    assert made.p_value == 4 / 5
    assert select.Ratio("tied", 1, 99.0, np.arange(19.0)).p_value == 0.05
    assert repr(select.Ratio("full", 2, 31.606, np.arange(20.0))) == (
        "full, K = 2 against 3: ratio 31.61; of 20 simulated under K = 2, half are at most 9.00 and 95% at most 18.00; "
        "p = 0.0476"
    )


@each_structure
def test_a_split_keeps_the_rest_and_only_parts_one(structure):
    mixture = start.k_means(GEYSER, 3, np.random.default_rng(0), structure=structure)
    parted = halved(mixture, 1)
    assert parted.components.structure == structure
    np.testing.assert_allclose(parted.weights[[1, 3]], mixture.weights[1] / 2)
    np.testing.assert_allclose(parted.components.means[[0, 2]], mixture.components.means[[0, 2]])
    halves = parted.components.means[[1, 3]]
    np.testing.assert_allclose(halves.mean(axis=0), mixture.components.means[1])
    apart = halves[1] - halves[0]
    assert apart @ np.linalg.solve(mixture.components.matrices[1], apart) == pytest.approx(1)


def test_a_split_leads_at_least_as_high():
    few = fit(start.k_means(GEYSER, 2, np.random.default_rng(0), structure="tied"), GEYSER)
    more = [fit(halved(few.model, k), GEYSER, tol=1e-6, max_iter=9000) for k in range(2)]
    assert all("never falls" in checks.monotone(trace) for trace in more)
    assert all(trace.objective > few.objective for trace in more)


def test_a_split_goes_along_the_longest_axis_and_keeps_floor_and_prior():
    slanted = np.array([[4.0, 1.8], [1.8, 1.0]])
    prior = Prior(np.eye(2), 3.0)
    mixture = Mixture(
        [0.3, 0.7], Gaussian([[0, 0], [9, 9]], [np.eye(2), slanted], floor=1e-3, prior=prior), 0.5
    )
    parted = halved(mixture, 1)
    move = parted.components.means[2] - [9, 9]
    np.testing.assert_allclose(slanted @ move, np.linalg.eigvalsh(slanted)[-1] * move)
    assert np.linalg.norm(move) == pytest.approx(0.5 * np.sqrt(np.linalg.eigvalsh(slanted)[-1]))
    assert parted.components.floor.tolist() == [1e-3, 1e-3]
    assert (parted.components.prior, parted.weight_count) == (prior, 0.5)


def test_samples_are_as_large_as_the_data_and_start_from_what_made_them(monkeypatch):
    seen = []

    def spy(samples, K, recipe, rngs, made_by=None):
        seen.extend((X.shape, K, recipe.floor.tolist(), made_by) for X in samples)
        return [(1.0, GUESS) for _ in rngs]

    monkeypatch.setattr(bootstrap, "_ratios", spy)
    found = ratio_of(GEYSER[:50], 2, B=3, floor="auto")
    floor = (1e-10 * GEYSER[:50].var(axis=0)).tolist()
    assert [(shape, K, made_by) for shape, K, _, made_by in seen] == [
        ((50, 2), 2, None),
        *3 * [((50, 2), 2, GUESS)],
    ]
    np.testing.assert_allclose([own for _, _, own, _ in seen], 4 * [floor], rtol=1e-12)
    assert found.p_value == 1  # ties count


@pytest.mark.parametrize("missing", [2, 3])
@pytest.mark.parametrize("how", ["collapsed", "held up"])
def test_a_ratio_without_a_fit_is_infinite(monkeypatch, missing, how):
    """In a sample; in the data it is an error."""

    def best(self, X, starts):
        K = len(starts[0])
        trace = fit(start.k_means(X, K, np.random.default_rng(0)), X, tol=0, max_iter=1)
        if missing != K:
            return trace
        if how == "collapsed":
            raise Collapse("nothing")
        stop = dataclasses.replace(trace.stop, reason="collapsed", message="nothing")
        end = fitting.End(0.0, 0.0, stop)
        return dataclasses.replace(trace, stop=stop, ends=(end,))

    monkeypatch.setattr(bootstrap.Recipe, "best", best)
    with pytest.raises(
        ValueError, match=f"no fit of {missing} components to the data holds: .* says: nothing"
    ):
        ratio_of(GEYSER, 2)
    rngs = np.random.default_rng(0).spawn(2)
    assert bootstrap._simulated(GUESS, 50, bootstrap.Recipe(*RULES), rngs).tolist() == [np.inf, np.inf]


@each_structure
def test_a_split_at_random_puts_the_halves_on_points_of_the_component(structure):
    mixture = start.k_means(GEYSER, 2, np.random.default_rng(0), structure=structure)
    labels = mixture.predict(GEYSER)
    seen = set()
    for seed in range(20):
        parted = bootstrap.split(mixture, 1, GEYSER, np.random.default_rng(seed), at_random=True)
        np.testing.assert_allclose(parted.weights, [*mixture.weights * [1, 0.5], mixture.weights[1] / 2])
        np.testing.assert_array_equal(parted.components.means[0], mixture.components.means[0])
        np.testing.assert_array_equal(parted.components.matrices[2], mixture.components.matrices[1])
        for half in parted.components.means[1:]:
            (rows,) = np.nonzero((half == GEYSER).all(axis=1))
            seen |= {(tuple(half), labels[rows[0]])}
    assert len(seen) > 20
    assert np.mean([label for _, label in seen]) > 0.9


def test_where_all_starts_collapse_others_are_tried():
    """A sample of one Gaussian, of which k-means and the halves along its axis all lead EM to a pair of points."""
    null = Mixture([1.0], Gaussian([GEYSER.mean(axis=0)], [np.cov(GEYSER.T, bias=True)]))
    own = np.random.default_rng(0).spawn(2)[1].spawn(138)[137]
    X = null.sample(272, own)[0]
    (recipe,) = bootstrap.Recipe(2, start.k_means, Gaussian, "auto", 1e-6, 1000).ready(X, ["full"])
    halves = functools.partial(bootstrap.split, start.from_labels(X, np.zeros(272)), 0, X, own)
    trace = recipe.best(X, [*recipe.starts(X, 2, own), halves])
    assert [end.stop.reason for end in trace.ends] == ["collapsed"] * 3
    ((ratio, few),) = bootstrap._ratios([X], 1, recipe, [own])
    starts = [start.from_data(X, 2, np.random.default_rng(seed)) for seed in range(10)]
    best = fit_best(starts, X)
    assert best.stop.converged
    assert 2 * (best.log_likelihood - few.log_density(X).sum()) == pytest.approx(ratio, abs=1e-2)


def test_the_reason_why_nothing_holds_is_told():
    def broken(X, K, rng, **keywords):
        raise ValueError("this start is broken")

    with pytest.raises(ValueError, match="this start is broken"):
        ratio_of(GEYSER, 1, start=broken)


def test_a_start_must_give_what_it_was_asked_for():
    def three(X, K, rng, **keywords):
        return start.k_means(X, 3, rng, **keywords)

    with pytest.raises(
        ValueError,
        match=r"start gave a mixture of 3 tied Gaussians in 2 .*; it must give a Mixture of 1 'tied' Gaussian",
    ):
        ratio_of(GEYSER, 1, start=three)
    with pytest.raises(ValueError, match=r"start gave a mixture of 2 Gaussians .* of 2 'tied' Gaussians"):
        ratio_of(GEYSER, 2, start=lambda X, K, rng, structure, floor: start.k_means(X, K, rng, floor=floor))


def test_a_ratio_is_a_value():
    simulated = np.arange(4.0)
    made = select.Ratio("tied", 1, 3.0, simulated)
    simulated[:] = 99
    for ratio in (made, pickle.loads(pickle.dumps(made)), copy.deepcopy(made)):
        assert ratio.p_value == 2 / 5
        with pytest.raises(ValueError, match="read-only"):
            ratio.simulated[0] = 9
    for nothing in ([], [np.nan], [[1.0]]):
        with pytest.raises(ValueError, match=r"ratios \(B,\)"):
            select.Ratio("tied", 1, 3.0, nothing)


def test_flat_data_are_warned_of_once():
    X = np.column_stack([GEYSER[:40], np.ones(40)])
    with pytest.warns(EMWarning, match="column 2 is constant") as warned:
        found = ratio_of(X, 1, B=2, floor="auto", max_iter=3)
    assert len(warned) == 1
    assert np.isfinite(found.simulated).all()


def test_samples_whose_fits_all_collapse_count_as_large():
    """Nothing bounds their likelihood."""
    X = np.array([0.0, 0.0, 0.1, 1.0, 1.0, 1.1, 5.0, 5.0])[:, None]

    def far_off(X, K, rng, **keywords):
        return Mixture(np.full(K, 1 / K), Gaussian.univariate(np.arange(K) + 50.0, np.full(K, 1e-3)))

    with pytest.raises(ValueError, match=r"no fit of \d components? to the data holds"):
        select.bootstrap_ratio(X, 6, np.random.default_rng(0), start=far_off, B=2, progress=False)


@pytest.mark.parametrize(
    ("keywords", "words"),
    [
        ({"K": 0}, "K is 0"),
        ({"K": 272}, "one less than the number of points"),
        ({"B": 0}, "B is 0"),
        ({"structure": "EEE"}, "EEE"),
        ({"rng": 3}, "rng is 3"),
        ({"rng": np.random.RandomState(0)}, "rng is a RandomState"),
        ({"n_jobs": 0}, "n_jobs is 0"),
        ({"X": [[np.nan]]}, "nan"),
    ],
)
def test_bootstraps_that_make_no_sense(keywords, words):
    arguments = {"X": GEYSER, "K": 1, "rng": np.random.default_rng(0)} | keywords
    with pytest.raises(ValueError, match=words):
        select.bootstrap_ratio(**arguments, progress=False)


def test_progress_is_shown(capsys):
    ratio_of(GEYSER[:40], 1, B=2, progress=True)
    assert "bootstrap" in capsys.readouterr().err


def test_no_fit_warns():
    with warnings.catch_warnings():
        warnings.simplefilter("error", EMWarning)
        ratio_of(GEYSER[:40], 1, B=2, max_iter=3)


def test_both_fits_of_a_ratio_have_the_starts_that_are_promised(monkeypatch):
    """K + 1 from every component of the K split in two; the K of a sample from the mixture that made it."""
    seen = []

    def best(samples, K, recipe, starts):
        seen.append([make() for make in starts[0][1:]])  # the first is the recipe's
        return [fit(start.k_means(X, K, np.random.default_rng(0)), X) for X in samples]

    monkeypatch.setattr(bootstrap, "_best", best)
    rules = bootstrap.Recipe(*RULES)
    bootstrap._ratios([GEYSER], 2, rules, [np.random.default_rng(0)], GUESS)
    made, halves = seen
    assert made == [GUESS]
    assert [len(mixture) for mixture in halves] == [3, 3]
    few = fit(start.k_means(GEYSER, 2, np.random.default_rng(0)), GEYSER).model
    for k, mixture in enumerate(halves):
        np.testing.assert_allclose(mixture.weights[k], few.weights[k] / 2)
        np.testing.assert_allclose(mixture.weights[1 - k], few.weights[1 - k])
    bootstrap._ratios([GEYSER], 2, rules, [np.random.default_rng(0)])
    assert seen[2] == []


def test_k_components_are_k_plus_one_of_which_one_has_no_weight():
    few, more = (SimpleNamespace(model=GUESS, log_likelihood=height) for height in (-10.0, -12.0))
    assert bootstrap._ratio(few, more) == (0, GUESS)


def test_the_longest_axis_in_three_dimensions():
    turn = np.linalg.qr(np.random.default_rng(3).normal(size=(3, 3)))[0]
    one = Mixture([1.0], Gaussian([[0.0] * 3], [turn @ np.diag([1.0, 25.0, 4.0]) @ turn.T]))
    means = halved(one, 0).components.means
    np.testing.assert_allclose(np.abs(means @ turn), [[0, 2.5, 0]] * 2, atol=1e-12)


@pytest.mark.parametrize("n_jobs", [0, -2, 1.5, True])
def test_processes_are_counted(n_jobs):
    with pytest.raises(ValueError, match="n_jobs is"):
        ratio_of(GEYSER[:40], 1, n_jobs=n_jobs)
    with pytest.raises(ValueError, match="at least 1, or -1 for one on each core"):
        ratio_of(GEYSER[:40], 1, n_jobs=0)


def test_a_ratio_has_an_observed_one():
    with pytest.raises(ValueError, match="observed is nan; it must be a finite number"):
        select.Ratio("full", 1, np.nan, np.arange(3.0))


def test_the_published_ratio_of_full_covariances_is_beaten():
    """mclust 6.0.0 stops at 6.1; the best known maxima of 2 and 3 components make 31.65, floor or no floor."""
    for floor in (0.0, "auto"):
        found = ratio_of(GEYSER, 2, structure="full", floor=floor)
        assert round(found.observed, 2) >= 31.65


def test_fits_that_went_together_end_where_each_ends_alone(monkeypatch):
    """And nearly all of their steps are made together."""
    steps = []

    def counting(*args, **keywords):
        trace = fit(*args, **keywords)
        steps.append(trace.stop.n_iter)
        return trace

    monkeypatch.setattr(fitting, "fit", counting)
    together = ratio_of(GEYSER, 2, structure="full", B=3)
    after = sum(steps)
    steps.clear()
    monkeypatch.setattr(bootstrap, "ahead", lambda mixtures, *_: mixtures)
    alone = ratio_of(GEYSER, 2, structure="full", B=3)
    assert after < 0.3 * sum(steps)
    assert together.observed == pytest.approx(alone.observed, abs=2e-3)
    # A fit that stops at its last step may be lower alone, never higher.
    assert (together.simulated >= alone.simulated - 2e-3).all()


def test_fits_that_have_come_to_one_place_are_judged_once(monkeypatch):
    """And what is left out changes no ratio by more than fits may leave: both of them, a tol for every point."""
    assert bootstrap._distinct(np.array([np.nan, -5, -5.001, np.nan, -4, -5.02]), 0.01) == [0, 1, 3, 4, 5]
    samples = [GUESS.sample(200, np.random.default_rng(seed))[0] for seed in range(6)]
    (recipe,) = bootstrap.Recipe(3, start.k_means, Gaussian, "auto", 1e-6, 1000).ready(GEYSER, ["full"])

    def ratios():
        judged.clear()
        rngs = [np.random.default_rng(seed) for seed in range(6)]
        return [ratio for ratio, _ in bootstrap._ratios(samples, 2, recipe, rngs, GUESS)], sum(judged)

    judged, best = [], bootstrap.Recipe.best
    monkeypatch.setattr(
        bootstrap.Recipe, "best", lambda self, X, some: judged.append(len(some)) or best(self, X, some)
    )
    few, n_few = ratios()
    monkeypatch.setattr(bootstrap, "_distinct", lambda heights, small: list(range(len(heights))))
    many, n_many = ratios()
    np.testing.assert_allclose(few, many, atol=4 * 1e-6 * 200)
    assert n_few < 0.7 * n_many


def test_data_in_blocks_make_the_same_ratio():
    whole, pieces = ratio_of(GEYSER[:60], 1), ratio_of([GEYSER[:25], GEYSER[25:60]], 1)
    assert whole == pieces


def test_an_interrupt_ends_the_whole_test(monkeypatch):
    calls, maximize = iter(range(1000)), Mixture.maximize

    def pressed(self, statistics):
        if next(calls) == 50:
            raise KeyboardInterrupt
        return maximize(self, statistics)

    monkeypatch.setattr(Mixture, "maximize", pressed)
    with pytest.raises(KeyboardInterrupt, match="by the keyboard"):
        ratio_of(GEYSER[:40], 1, B=9)


# Other families --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def counts():
    """Two kinds of points, three counts each."""
    return np.random.default_rng(4).poisson(np.repeat([(2, 9, 4), (8, 3, 4)], 60, axis=0))


def test_counts_of_two_kinds_are_two(counts):
    found = [
        select.bootstrap_ratio(
            counts, K, np.random.default_rng(0), family=Poisson, B=B, n_init=1, max_iter=100, progress=False
        )
        for K, B in ((1, 19), (2, 9))
    ]
    assert [ratio.structure for ratio in found] == ["Poisson", "Poisson"]
    assert found[0].p_value == 1 / 20
    assert found[1].p_value > 0.1
    assert (found[1].simulated >= 0).all()
    # By hand: the gain of two kinds over one.
    one = Mixture([1.0], Poisson(counts.mean(axis=0)[None]))
    two = fit(start.k_means(counts, 2, np.random.default_rng(0), family=Poisson), counts, tol=1e-9)
    assert "never falls" in checks.monotone(two)
    gain = 2 * (two.log_likelihood - one.log_density(counts).sum())
    assert found[0].observed == pytest.approx(gain, abs=1e-2)
    again = select.bootstrap_ratio(
        counts,
        1,
        np.random.default_rng(0),
        family=Poisson,
        B=3,
        n_init=1,
        max_iter=100,
        n_jobs=2,
        progress=False,
    )
    np.testing.assert_array_equal(again.simulated, found[0].simulated[:3])


def test_halves_of_another_family_are_those_of_its_points(counts):
    """They weigh the same, and together they are what an M-step makes of the component."""
    mixture = start.k_means(counts, 2, np.random.default_rng(0), family=Poisson)
    for seed in range(5):  # with counts, many points lie just at the median of their projection
        parted = halved(mixture, 1, counts, seed)
        np.testing.assert_allclose(parted.weights, [*mixture.weights * [1, 0.5], mixture.weights[1] / 2])
        whole = mixture.maximize(mixture.expect(counts)).components.rates
        rates = parted.components.rates
        np.testing.assert_allclose(rates[0], whole[0], rtol=1e-10)
        np.testing.assert_allclose((rates[1] + rates[2]) / 2, whole[1], rtol=1e-10)
        assert np.abs(rates[1] - rates[2]).max() > 1
    # By hand, in one dimension: below and above the median, and at it half of the points are given to each.
    x = np.array([[1.0], [2.0], [2.0], [2.0], [5.0], [7.0]])
    one = Mixture([1.0], Poisson(x.mean(axis=0)[None]))
    found = np.sort(halved(one, 0, x).components.rates[:, 0])
    np.testing.assert_allclose(found, [(1 + 2 + 2) / 3, (2 + 5 + 7) / 3])


def test_a_component_of_equal_points_is_halved_into_equals():
    x = np.full((9, 2), 3.0)
    parted = halved(Mixture([1.0], Poisson(np.array([[3.0, 3.0]]))), 0, x)
    np.testing.assert_allclose(parted.components.rates, np.full((2, 2), 3.0))


def test_features_of_large_numbers_do_not_decide_alone():
    """Two features, of which one counts in thousands: over many projections both part the points."""
    rng = np.random.default_rng(5)
    X = rng.poisson((4, 4000), size=(500, 2))
    one = Mixture([1.0], Poisson(X.mean(axis=0)[None]))
    apart = [np.diff(halved(one, 0, X, seed).components.rates, axis=0)[0] for seed in range(20)]
    assert (np.abs(np.array(apart)) > X.std(axis=0) / 2).mean(axis=0).min() > 0.2


def test_a_split_keeps_the_options_of_its_family():
    X = np.random.default_rng(6).integers(0, 2, size=(40, 3))
    mixture = start.k_means(X, 2, np.random.default_rng(0), family=Bernoulli, pseudo=0.5)
    assert halved(mixture, 0, X).components.pseudo == 0.5
