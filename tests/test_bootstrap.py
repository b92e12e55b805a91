"""The bootstrap of the likelihood ratio, against theory, against itself, and against R's mclust."""

import copy
import pickle
import warnings
from types import SimpleNamespace

import numpy as np
import pytest

from emlib import EMWarning, Gaussian, Mixture, Prior, checks, datasets, fit, select, start
from emlib.select import bootstrap

GEYSER = datasets.old_faithful().X
GUESS = start.k_means(GEYSER, 2, np.random.default_rng(0))


def ratio_of(X, K, B=1, **keywords):
    keywords = {"structure": "tied", "floor": 0.0, "progress": False} | keywords
    return select.bootstrap_ratio(X, K, np.random.default_rng(0), B=B, **keywords)


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
        "full, K = 2 against 3: ratio 31.61; of 20 simulated under K = 2, half are below 9.00 and 95% below 18.00; "
        "p = 0.0476"
    )


@pytest.mark.parametrize("structure", ["full", "tied", "diag", "spherical"])
def test_a_split_keeps_the_rest_and_only_parts_one(structure):
    mixture = start.k_means(GEYSER, 3, np.random.default_rng(0), structure=structure)
    parted = bootstrap.split(mixture, 1)
    assert parted.components.structure == structure
    np.testing.assert_allclose(parted.weights[[1, 3]], mixture.weights[1] / 2)
    np.testing.assert_allclose(parted.components.means[[0, 2]], mixture.components.means[[0, 2]])
    halves = parted.components.means[[1, 3]]
    np.testing.assert_allclose(halves.mean(axis=0), mixture.components.means[1])
    apart = halves[1] - halves[0]
    assert apart @ np.linalg.solve(mixture.components.matrices[1], apart) == pytest.approx(1)


def test_a_split_leads_at_least_as_high():
    few = fit(start.k_means(GEYSER, 2, np.random.default_rng(0), structure="tied"), GEYSER)
    more = [fit(bootstrap.split(few.model, k), GEYSER, tol=1e-6, max_iter=9000) for k in range(2)]
    assert all(checks.monotone(trace) for trace in more)
    assert all(trace.objective > few.objective for trace in more)


def test_a_split_goes_along_the_longest_axis_and_keeps_floor_and_prior():
    slanted = np.array([[4.0, 1.8], [1.8, 1.0]])
    prior = Prior(np.eye(2), 3.0)
    mixture = Mixture(
        [0.3, 0.7], Gaussian([[0, 0], [9, 9]], [np.eye(2), slanted], floor=1e-3, prior=prior), 0.5
    )
    parted = bootstrap.split(mixture, 1)
    move = parted.components.means[2] - [9, 9]
    np.testing.assert_allclose(slanted @ move, np.linalg.eigvalsh(slanted)[-1] * move)
    assert np.linalg.norm(move) == pytest.approx(0.5 * np.sqrt(np.linalg.eigvalsh(slanted)[-1]))
    assert (parted.components.floor, parted.components.prior, parted.weight_count) == (1e-3, prior, 0.5)


def test_samples_are_as_large_as_the_data_and_start_from_what_made_them(monkeypatch):
    seen = []

    def spy(X, K, structure, recipe, rng, made_by=None):
        seen.append((X.shape, recipe.floor, made_by))
        return 1.0, GUESS

    monkeypatch.setattr(bootstrap, "_ratio", spy)
    found = ratio_of(GEYSER[:50], 2, B=3, floor="auto")
    floor = start.usual_floor(GEYSER[:50])
    assert seen == [((50, 2), floor, None), *3 * [((50, 2), floor, GUESS)]]
    assert found.p_value == 1  # ties count


@pytest.mark.parametrize(("missing", "ratio"), [(2, (np.inf, None)), (3, (np.inf, GUESS))])
def test_a_ratio_without_a_fit_is_infinite(monkeypatch, missing, ratio):
    def best(X, K, *_):
        return (
            None
            if missing == K
            else SimpleNamespace(
                model=GUESS, log_likelihoods=[-5.0], stop=SimpleNamespace(reason="converged")
            )
        )

    monkeypatch.setattr(bootstrap, "_best", best)
    assert bootstrap._ratio(GEYSER, 2, "full", None, None) == ratio
    with pytest.raises(ValueError, match=f"no fit of {missing} components to the data holds"):
        ratio_of(GEYSER, 2)


def test_the_reason_why_nothing_holds_is_told():
    def broken(X, K, rng, **keywords):
        raise ValueError("this start is broken")

    with pytest.raises(ValueError, match="this start is broken"):
        ratio_of(GEYSER, 1, start=broken)


def test_a_start_must_give_what_it_was_asked_for():
    def three(X, K, rng, **keywords):
        return start.k_means(X, 3, rng, **keywords)

    with pytest.raises(
        ValueError, match="start gave a mixture of 3 components; it must give a Mixture of 1 comp"
    ):
        ratio_of(GEYSER, 1, start=three)
    with pytest.raises(ValueError, match=r"start gave a mixture of structure 'full'; .* of structure 'tied'"):
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


def test_a_floor_that_drowns_a_feature_is_warned_of_once():
    with pytest.warns(EMWarning, match="drowns it") as warned:
        ratio_of(GEYSER[:40] * [1e-6, 1], 1, B=2, floor="auto", max_iter=3)
    assert len(warned) == 1


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

    def best(X, K, structure, recipe, firsts, rng):
        seen.append(firsts)
        return fit(start.k_means(X, K, np.random.default_rng(0), structure=structure), X)

    monkeypatch.setattr(bootstrap, "_best", best)
    rules = bootstrap.Recipe(1, start.k_means, 0.0, 1e-6, 100)
    bootstrap._ratio(GEYSER, 2, "full", rules, np.random.default_rng(0), GUESS)
    made, halves = seen
    assert made == [GUESS]
    assert [len(mixture) for mixture in halves] == [3, 3]
    few = fit(start.k_means(GEYSER, 2, np.random.default_rng(0)), GEYSER).model
    for k, mixture in enumerate(halves):
        np.testing.assert_allclose(mixture.weights[k], few.weights[k] / 2)
        np.testing.assert_allclose(mixture.weights[1 - k], few.weights[1 - k])
    bootstrap._ratio(GEYSER, 2, "full", rules, np.random.default_rng(0))
    assert seen[2] == []


def test_k_components_are_k_plus_one_of_which_one_has_no_weight(monkeypatch):
    ends = iter([-10.0, -12.0])  # a poor fit of one component more
    monkeypatch.setattr(
        bootstrap, "_best", lambda *_: SimpleNamespace(model=GUESS, log_likelihoods=next(ends))
    )
    monkeypatch.setattr(bootstrap, "last", lambda _, value: value)
    assert bootstrap._ratio(GEYSER, 2, "full", None, np.random.default_rng(0))[0] == 0


def test_the_longest_axis_in_three_dimensions():
    turn = np.linalg.qr(np.random.default_rng(3).normal(size=(3, 3)))[0]
    one = Mixture([1.0], Gaussian([[0.0] * 3], [turn @ np.diag([1.0, 25.0, 4.0]) @ turn.T]))
    means = bootstrap.split(one, 0).components.means
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
