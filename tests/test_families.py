"""Families that emlib does not have go wherever Gaussians go: some forty lines, from the docstring of `Family`."""

import inspect
import itertools
import pickle
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import pytest
import toys
from scipy import optimize, stats
from toys import Bernoulli, Poisson

from emlib import Collapse, Family, Gaussian, Mixture, checks, em, fit, fit_best, plot, select, squarem, start
from emlib.classic import Coins

RATES = np.array([[2.0, 5.0, 1.0], [8.0, 1.0, 4.0]])
CHANCES = np.array([[0.9, 0.8, 0.2, 0.1, 0.5, 0.7], [0.2, 0.3, 0.7, 0.9, 0.5, 0.1]])
TRUTH = {Poisson: Mixture([0.4, 0.6], Poisson(RATES)), Bernoulli: Mixture([0.4, 0.6], Bernoulli(CHANCES))}
DATA = {family: truth.sample(300, np.random.default_rng(0)) for family, truth in TRUTH.items()}
STARTS = [start.random, start.from_data, start.k_means, start.k_means_plus_plus]
each_family = pytest.mark.parametrize("family", [Poisson, Bernoulli])


def parameter(components):
    return components.rates if isinstance(components, Poisson) else components.probabilities


def density(family, x, theta):
    """Of one point under one component, by SciPy."""
    law = stats.poisson(theta) if family is Poisson else stats.bernoulli(theta)
    return np.prod(law.pmf(x))


@each_family
def test_a_family_is_some_forty_lines(family):
    lines = [line.strip() for line in inspect.getsource(family).splitlines()]
    assert sum(bool(line) and not line.startswith("#") for line in lines) <= 45


# Starts, fits, criteria ----------------------------------------------------------------------------------


@each_family
def test_one_step_of_em_by_hand(family):
    X, (weights, theta) = DATA[family][0][:20], (np.array([0.3, 0.7]), parameter(TRUTH[family].components))
    first = Mixture(weights, family(theta))
    joint = np.array([[w * density(family, x, t) for w, t in zip(weights, theta, strict=True)] for x in X])
    resp = joint / joint.sum(axis=1, keepdims=True)
    zeroth, second = itertools.islice(em(first, X), 2)
    np.testing.assert_allclose(zeroth.objective, np.log(joint.sum(axis=1)).sum(), rtol=1e-12)
    np.testing.assert_allclose(first.responsibilities(X), resp, rtol=1e-10)
    np.testing.assert_allclose(second.model.weights, resp.mean(axis=0), rtol=1e-12)
    means = [np.average(X, axis=0, weights=resp[:, k]) for k in range(2)]
    np.testing.assert_allclose(parameter(second.model.components), means, rtol=1e-12)


@each_family
@pytest.mark.parametrize("begin", STARTS)
def test_every_start_leads_to_the_clusters(family, begin):
    X, labels = DATA[family]
    trace = fit(begin(X, 2, np.random.default_rng(1), family=family), X, tol=1e-9)
    assert trace.stop.converged
    assert checks.monotone(trace).startswith("never falls")
    model = trace.model.aligned(TRUTH[family])
    assert (model.predict(X) == labels).mean() > (0.95 if family is Poisson else 0.85)
    checks.probabilities(model.responsibilities(X))
    checks.additive(lambda part: model.log_density(part).sum(), X)
    # No small step gains: central differences of the free numbers know nothing of EM.
    theta = parameter(model.components)

    def height(numbers):
        return Mixture(model.weights, family(numbers.reshape(theta.shape))).log_density(X).sum()

    slopes = optimize.approx_fprime(theta.ravel(), height, 1e-7)
    assert np.abs(slopes).max() < 0.1  # of 300 points; at the start they are hundreds


@each_family
def test_starts_from_labels_and_responsibilities_are_m_steps(family):
    X, labels = DATA[family]
    means = [X[labels == k].mean(axis=0) for k in range(2)]
    for mixture in (
        start.from_labels(X, labels, family=family),
        start.from_responsibilities(X, np.eye(2)[labels], family=family),
    ):
        np.testing.assert_allclose(mixture.weights, np.bincount(labels) / len(X), rtol=1e-12)
        np.testing.assert_allclose(parameter(mixture.components), means, rtol=1e-12)
    with pytest.raises(Collapse, match="component 2 has no points left"):
        start.from_responsibilities(X, np.eye(3)[labels], family=family)


@each_family
@pytest.mark.parametrize("begin", [start.from_data, start.k_means_plus_plus])
def test_a_start_around_points_rules_nothing_out(family, begin):
    """What is impossible to a component stays so in EM, at places that are no maxima: forty starts of a hundred."""
    X, _ = DATA[family]
    for seed in range(20):
        theta = parameter(begin(X, 2, np.random.default_rng(seed), family=family).components)
        assert ((theta > 0) & (family is Poisson or theta < 1)).all()


@each_family
def test_the_best_of_several_starts(family):
    X, _ = DATA[family]
    starts = [partial(start.from_data, X, 3, np.random.default_rng(seed), family=family) for seed in range(6)]
    best = fit_best(starts, X, max_iter=5000)
    assert best.stop.converged
    checks.monotone(best)
    assert best.objective == max(end.objective for end in best.ends)
    assert len({round(end.objective, 1) for end in best.ends}) > 1
    np.testing.assert_allclose(best.objective, best.model.log_density(X).sum(), rtol=1e-12)


@each_family
def test_criteria_by_hand(family):
    X, _ = DATA[family]
    model, N = TRUTH[family], len(X)
    log_likelihood = sum(
        np.log(
            sum(
                w * density(family, x, t)
                for w, t in zip([0.4, 0.6], parameter(model.components), strict=True)
            )
        )
        for x in X
    )
    p = 1 + 2 * X.shape[1]
    assert model.n_parameters == p
    assert select.bic(model, X) == pytest.approx(p * np.log(N) - 2 * log_likelihood, rel=1e-12)
    assert select.aic(model, X) == pytest.approx(2 * p - 2 * log_likelihood, rel=1e-12)
    assert select.held_out(model, X) == pytest.approx(log_likelihood / N, rel=1e-12)
    known = Mixture(model.weights, model.components, fixed_weights=True)
    assert select.bic(known, X) == pytest.approx((p - 1) * np.log(N) - 2 * log_likelihood, rel=1e-12)
    # One cluster more is no better for these data.
    one, two, three = (
        fit_best(
            [start.from_data(X, K, np.random.default_rng(s), family=family) for s in range(3)], X, warn=False
        )
        for K in (1, 2, 3)
    )
    assert select.bic(two.model, X) < min(select.bic(one.model, X), select.bic(three.model, X))


@each_family
def test_weights_count_points(family):
    X, _ = DATA[family]
    counts = np.random.default_rng(2).integers(0, 4, size=len(X))
    first = start.k_means(X, 2, np.random.default_rng(1), family=family, weights=counts)
    weighted = fit(first, X, counts, tol=0, max_iter=15)
    repeated = fit(first, np.repeat(X, counts, axis=0), tol=0, max_iter=15)
    np.testing.assert_allclose(weighted.objectives, repeated.objectives, rtol=1e-12)
    np.testing.assert_allclose(
        parameter(weighted.model.components), parameter(repeated.model.components), rtol=1e-10
    )
    assert select.bic(first, X, counts) == pytest.approx(
        select.bic(first, np.repeat(X, counts, axis=0)), rel=1e-12
    )
    checks.monotone(weighted)
    checks.additive(lambda part, w: w @ first.log_density(part), X, counts)


@each_family
def test_blocks_add_up_to_the_whole(family):
    X, _ = DATA[family]
    first = start.k_means(X, 3, np.random.default_rng(1), family=family)
    whole, pieces = (
        fit(first, X, tol=0, max_iter=10),
        fit(first, [X[:7], X[7:120], X[120:]], tol=0, max_iter=10),
    )
    np.testing.assert_allclose(pieces.objectives, whole.objectives, rtol=1e-12)
    np.testing.assert_array_equal(first.predict([X[:7], X[7:]]), first.predict(X))


@each_family
def test_leaps_lead_to_the_same_place(family):
    X, _ = DATA[family]
    first = start.k_means_plus_plus(X, 2, np.random.default_rng(1), family=family)
    plain, leaping = (fit(first, X, tol=1e-10, accelerate=accelerate) for accelerate in (False, True))
    checks.monotone(leaping)
    np.testing.assert_allclose(leaping.objective, plain.objective, atol=1e-6)
    assert any(step.jump for step in itertools.islice(squarem(first, X), 20))


@each_family
def test_online_em_with_more_components_than_a_batch_has_points(family):
    X, _ = DATA[family]
    first = start.from_data(X, 5, np.random.default_rng(0), family=family)
    rng, model, memory = np.random.default_rng(0), first, first.expect(X[:3])
    for t in range(2000):
        batch = X[rng.choice(len(X), size=3)]
        decay = (t + 10) ** -0.7
        memory = memory * (1 - decay) + model.expect(batch) * decay
        model = model.maximize(memory)
    checks.probabilities(model.weights)
    before, online = first.log_density(X).mean(), model.log_density(X).mean()
    best = fit(first, X, max_iter=5000).log_likelihood / len(X)
    assert best - online < 0.05 * (best - before)  # the last few batches still shake five components


# Options: a prior ----------------------------------------------------------------------------------------


def test_a_prior_of_the_newcomers_own_is_climbed_with_the_likelihood():
    X, _ = DATA[Bernoulli]
    first = start.k_means(X, 2, np.random.default_rng(0), family=Bernoulli, pseudo=2.0)
    assert first.components.pseudo == 2
    trace = fit(first, X, tol=1e-12)
    checks.monotone(trace)
    assert trace.stop.converged
    # Two points of each value are a Beta(3, 3) for every probability; SciPy's differs by a constant.
    prior = [
        stats.beta(3, 3).logpdf(parameter(model.components)).sum() for model in (trace.models[0], trace.model)
    ]
    ours = trace.objectives - trace.log_likelihoods
    assert ours[-1] - ours[0] == pytest.approx(prior[1] - prior[0], rel=1e-9)
    model, theta = trace.model, parameter(trace.model.components)

    def height(numbers):
        p = numbers.reshape(theta.shape)
        moved = Mixture(model.weights, Bernoulli(p))
        return moved.log_density(X).sum() + stats.beta(3, 3).logpdf(p).sum()

    assert np.abs(optimize.approx_fprime(theta.ravel(), height, 1e-7)).max() < 0.1
    assert model[0].pseudo == model.aligned(trace.models[0]).components.pseudo == 2


def test_options_that_a_family_does_not_have():
    X, _ = DATA[Bernoulli]
    with pytest.raises(ValueError, match="Bernoulli has no option 'floor'; its options are: pseudo"):
        start.from_data(X, 2, np.random.default_rng(0), family=Bernoulli, floor=1.0)
    with pytest.raises(ValueError, match="Poisson has no option 'floor'; its options are: none"):
        start.from_data(X, 2, np.random.default_rng(0), family=Poisson, floor=1.0)
    for unfit in ("Poisson", Mixture, Family):  # the last is abstract
        with pytest.raises(ValueError, match="it must be a class of components"):
            start.from_data(X, 2, np.random.default_rng(0), family=unfit)


def test_an_option_may_have_a_default_that_is_made():
    @dataclass(frozen=True)
    class Named(Poisson):
        names: list = field(default_factory=lambda: ["x", "y"])

        def maximize(self, statistics):
            return Named(super().maximize(statistics).rates, self.names)

    X, _ = DATA[Poisson]
    assert start.k_means(X, 2, np.random.default_rng(0), family=Named).components.names == ["x", "y"]
    assert start.k_means(X, 2, np.random.default_rng(0), family=Named, names=["z"])[0].names == ["z"]


# Saddles ---------------------------------------------------------------------------------------------------


@each_family
@pytest.mark.parametrize("gap", [0.0, 1e-12, 1e-9, 1e-8])
def test_equal_components_have_stalled_and_never_converged(family, gap):
    X, _ = DATA[family]
    theta = np.tile(X.mean(axis=0), (2, 1))
    theta[0, 0] += gap
    with pytest.warns(match="components 0 and 1 cannot be told apart"):
        assert fit(Mixture([0.3, 0.7], family(theta)), X).stop.reason == "stalled"
    # Two of three are equal: the rest may move as it likes.
    theta = np.vstack([parameter(TRUTH[family].components), parameter(TRUTH[family].components)[:1]])
    theta[2, 0] += gap
    with pytest.warns(match="components 0 and 2 cannot be told apart"):
        assert fit(Mixture([0.3, 0.3, 0.4], family(theta)), X, tol=1e-9).stop.reason == "stalled"


@each_family
def test_one_feature_of_counts_that_are_all_alike(family):
    """One component explains them: two are one too many, from wherever they start."""
    rng = np.random.default_rng(0)
    X = rng.poisson(3.0, (400, 1)) if family is Poisson else rng.binomial(1, 0.3, (400, 1))
    for seed in range(10):
        first = start.random(X, 2, np.random.default_rng(seed), family=family)
        assert not fit(first, X, warn=False).stop.converged


@each_family
@pytest.mark.parametrize("seed", range(5))
def test_from_random_responsibilities_it_climbs_out_or_says_that_it_stalled(family, seed):
    X, _ = DATA[family]
    best = fit(TRUTH[family], X).objective
    first = start.random(X, 2, np.random.default_rng(seed), family=family)
    early = fit(first, X, tol=1e-2, max_iter=2, warn=False)
    assert early.stop.reason in ("stalled", "max_iter")
    late = fit(first, X, tol=1e-4)
    checks.monotone(late)
    assert late.stop.converged
    assert best - late.objective < 1e-4 * len(X)


def test_the_other_models_say_so_too():
    with pytest.warns(match="coins 0 and 1 cannot be told apart"):
        assert fit(Coins([0.4, 0.4]), [5, 9, 8, 4, 7]).stop.reason == "stalled"


@each_family
def test_divergence_is_the_sum_it_stands_for(family):
    theta = parameter(TRUTH[family].components)
    law, support = (stats.poisson, np.arange(80)) if family is Poisson else (stats.bernoulli, np.arange(2))
    p, q = law.pmf(support[:, None], theta[0]), law.pmf(support[:, None], theta[1])
    jeffreys = ((p - q) * (np.log(p) - np.log(q))).sum()
    found = family(theta).divergence(family(theta[:1]))
    np.testing.assert_allclose(found, [[0], [jeffreys]], rtol=1e-10)
    # Where one can what the other cannot it is infinite, and where neither can it is nothing.
    edge = family(np.array([[0.0, 0.5], [0.2, 0.5], [0.0, 0.6]]))
    assert np.isinf(edge.divergence(edge)[0, 1])
    assert np.isfinite(edge.divergence(edge)[0, 2])


# Values --------------------------------------------------------------------------------------------------


@each_family
def test_repr_shows_ten_components_and_how_many_more(family):
    twelve = Mixture(np.full(12, 1 / 12), family(np.tile(parameter(TRUTH[family].components)[:1], (12, 1))))
    lines = repr(twelve).split("\n")
    name = "rates [2, 5, 1]" if family is Poisson else "probabilities [0.9, 0.8, 0.2, 0.1, 0.5, 0.7]"
    assert lines[0] == f"Mixture of 12 {family.__name__}s"
    assert lines[1:-1] == [f"  weight 0.0833333, {name}"] * 10
    assert lines[-1] == "  and 2 more"
    assert repr(twelve.components).split("\n")[-1] == "  and 2 more"
    assert repr(twelve[3]) == f"1 {family.__name__}\n  {name}"
    assert repr(TRUTH[family]).count("\n") == 2


@each_family
def test_samples_come_from_their_components(family):
    X, labels = TRUTH[family].sample(50_000, np.random.default_rng(3))
    np.testing.assert_allclose(np.bincount(labels) / len(X), [0.4, 0.6], atol=0.01)
    for k, theta in enumerate(parameter(TRUTH[family].components)):
        variances = theta if family is Poisson else theta * (1 - theta)
        of_mean = np.sqrt(variances / (labels == k).sum())
        assert (np.abs(X[labels == k].mean(axis=0) - theta) < 5 * of_mean).all()
        np.testing.assert_allclose(X[labels == k].var(axis=0), variances, rtol=0.05)
    np.testing.assert_array_equal(X, TRUTH[family].sample(50_000, np.random.default_rng(3))[0])


@each_family
def test_aligned_undoes_a_permutation(family):
    theta = np.vstack([parameter(TRUTH[family].components), parameter(TRUTH[family].components).mean(axis=0)])
    model, order = Mixture([0.2, 0.3, 0.5], family(theta)), [2, 0, 1]
    mixed = Mixture(model.weights[order], family(theta[order]))
    assert mixed != model
    assert mixed.aligned(model) == model
    with pytest.raises(ValueError, match="other has 2 components"):
        model.aligned(Mixture([0.5, 0.5], Gaussian([[0, 0, 0], [1, 1, 1]], [1, 1], "spherical")))


def test_one_component_has_nothing_of_what_was_computed_of_all():
    @dataclass(frozen=True, repr=False)
    class Logged(Poisson):
        note: str = field(default="", compare=False)

        def __post_init__(self):
            super().__post_init__()
            self.__dict__["logs"] = np.log(self.rates)

    parts = Logged([[1.0], [2.0]], note="goals")
    assert parts[1].note == "goals"
    assert not hasattr(parts[1], "logs")  # an error, and not those of another component


@each_family
def test_families_are_values(family):
    X, _ = DATA[family]
    model = TRUTH[family]
    again = pickle.loads(pickle.dumps(model))
    assert again == model
    assert hash(again) == hash(model)
    assert model != Mixture([0.4, 0.6], family(parameter(model.components) * 0.99))
    assert model.components != TRUTH[Bernoulli if family is Poisson else Poisson].components
    with pytest.raises(ValueError, match="read-only"):
        parameter(again.components)[0] = 0
    with pytest.raises(AttributeError):
        model.components.rates = 3
    trace = fit(model, X)
    assert pickle.loads(pickle.dumps(trace)) == trace
    assert model.expect(X) == model.expect(X)
    assert [len(component) for component in model] == [1, 1]


@each_family
def test_data_that_make_no_sense(family):
    X, _ = DATA[family]
    model, K, rng = TRUTH[family], 2, np.random.default_rng(0)
    wrong = X.astype(float)
    wrong[17, 1] = 0.5
    for attempt in (
        lambda data: fit(model, data),
        model.log_density,
        model.expect,
        lambda data: start.k_means(data, K, rng, family=family),
    ):
        with pytest.raises(ValueError, match="row 17 of X has values"):
            attempt(wrong)
        with pytest.raises(ValueError, match="X holds nan"):
            attempt(np.where(wrong == 0.5, np.nan, wrong))
    with pytest.raises(ValueError, match="block 1 of 2: row 7 of X"):
        fit(model, [wrong[:10], wrong[10:]])
    with pytest.raises(ValueError, match=r"X has 2 columns and the model \d dimensions"):
        fit(model, X[:, :2])
    with pytest.raises(ValueError, match="the model needs 2 points at least, and there is 1"):
        fit(model, X[:1])
    for gaussians_only in (
        model.mean,
        model.covariance,
        lambda: model.marginal([0]),
        lambda: model.conditional([0], [1]),
    ):
        with pytest.raises(
            ValueError, match=f"is for mixtures of Gaussians, and this is one of {family.__name__}"
        ):
            gaussians_only()


@each_family
def test_arithmetic_at_the_edge_makes_no_noise(family):
    """A feature that a component never has, and a point that is impossible to one of two."""
    X, _ = DATA[family]
    X = X.copy()
    X[:, 0] = 0
    with np.errstate(all="raise"):
        trace = fit(start.k_means(X, 2, np.random.default_rng(0), family=family), X)
    assert trace.stop.converged
    checks.monotone(trace)
    np.testing.assert_array_equal(parameter(trace.model.components)[:, 0], 0)
    X[5, 0] = 1
    with pytest.raises(ValueError, match=r"X\[5\] lies so far from every component"):
        trace.model.log_density(X)


@each_family
def test_a_component_without_points_has_collapsed(family):
    X, _ = DATA[family]
    impossible = np.array([0.0] * X.shape[1])
    theta = np.vstack([X.mean(axis=0), impossible])
    some = X[X.any(axis=1)]  # to a component that makes nothing but zeros they are impossible
    for options in ({}, {"weight_count": 1.0}, {"fixed_weights": True}):
        model = Mixture([0.5, 0.5], family(theta), **options)
        with pytest.raises(Collapse, match="component 1 has no points left"):
            model.maximize(model.expect(some))


def test_toys_are_no_more_than_families_are_asked_for():
    """Eight methods, and what else a toy has is its own choice."""
    assert toys.Family.__abstractmethods__ == {
        "check", "log_density", "collect", "maximize", "divergence", "describe", "sample", "n_parameters",
    }  # fmt: skip


# Choosing the number of components -------------------------------------------------------------------------


@each_family
def test_a_sweep_finds_the_two_clusters(family):
    X, _ = DATA[family]
    swept = select.sweep(
        X, range(1, 5), rng=np.random.default_rng(0), n_init=2, folds=3, progress=False, family=family
    )
    assert [(row.structure, row.K) for row in swept.rows] == [(family.__name__, K) for K in range(1, 5)]
    one, two, *_ = swept.rows
    assert swept.best("bic") is two
    assert two.held_out - two.held_out_error > one.held_out + one.held_out_error
    for row in swept.rows:
        p = row.K - 1 + row.K * X.shape[1]
        assert row.n_parameters == p
        log_likelihood = row.mixture.log_density(X).sum()
        assert row.bic == pytest.approx(p * np.log(len(X)) - 2 * log_likelihood, rel=1e-10)
        assert row.stop.reason in ("converged", "stalled", "max_iter")
    # One component is the mean of every feature.
    by_hand = sum(np.log(density(family, x, X.mean(axis=0))) for x in X)
    assert one.log_likelihood == pytest.approx(by_hand, rel=1e-10)


@each_family
def test_the_bootstrap_tells_two_clusters_from_one_and_not_three_from_two(family):
    X = DATA[family][0][:150]
    options = {"B": 9, "progress": False, "family": family}
    one = select.bootstrap_ratio(X, 1, np.random.default_rng(0), **options)
    two = select.bootstrap_ratio(X, 2, np.random.default_rng(0), **options)
    assert one.p_value == 1 / 10
    assert two.p_value > 1 / 10
    fits = [
        fit_best(
            [start.k_means(X, K, np.random.default_rng(s), family=family) for s in range(3)], X, warn=False
        )
        for K in (1, 2)
    ]
    gain = 2 * (fits[1].log_likelihood - fits[0].log_likelihood)
    assert one.observed == pytest.approx(gain, abs=0.01)


@each_family
def test_pictures_are_of_gaussians_and_say_so(family, ax):
    X, _ = DATA[family]
    with pytest.raises(
        ValueError, match=f"shows mixtures of Gaussians, and this is one of {family.__name__}"
    ):
        plot.plane(ax, TRUTH[family], X[:, :2])
