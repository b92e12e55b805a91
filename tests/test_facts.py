"""The facts that the lessons teach: they stand in what the lessons print, and what is not printed is computed here."""

import csv
import re
from functools import cache
from pathlib import Path

import nbformat
import numpy as np
import pytest
from facts import FACTS
from scipy.stats import multivariate_normal, norm
from sklearn.datasets import make_blobs
from sklearn.metrics import adjusted_rand_score

from emlib import Gaussian, Mixture, checks, datasets, fit, start

LESSONS = Path(__file__).resolve().parent.parent / "notebooks"
PULLS = np.random.RandomState(0)
PULLS.rand(60)  # the points on the line took these
MEANS = [PULLS.randint(-20, 26, size=(3, 2)).astype(float) for _ in range(3)]  # of C's first three starts


@cache
def printed(lesson):
    """What a lesson prints, without the texts of its pictures; runs of white space as one blank."""
    (path,) = LESSONS.glob(f"{lesson}_*.ipynb")
    cells = nbformat.read(path, as_version=4).cells
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    texts = [
        output.get("text") or output.get("data", {}).get("text/plain", "")
        for output in outputs
        if "image/png" not in output.get("data", {})
    ]
    return " ".join("\n".join(texts).split())


@pytest.mark.parametrize("fact", [pytest.param(fact, id=f"{fact.lesson} {fact.what}") for fact in FACTS])
def test_a_fact_stands_where_it_is_taught(fact):
    # Not within a longer number: -45.72 is not -45.724.
    assert re.search(rf"(?<![\w.-]){re.escape(fact.text)}(?![\d.]*\d)", printed(fact.lesson)), fact.source


def test_every_lesson_has_facts_and_every_fact_is_one():
    assert {f"{number:02}" for number in range(1, 13)} <= {fact.lesson for fact in FACTS}
    assert len({(fact.lesson, fact.what) for fact in FACTS}) == len(FACTS)
    for fact in FACTS:
        assert all(fact)
        assert " ".join(fact.text.split()) == fact.text
        assert re.search(r"\d", fact.text)


# What the lessons do not print, or only to fewer digits --------------------------------------------------------


def test_lesson_1s_published_step_takes_a_variance_for_a_deviation():
    x, weights, means, deviations = (
        datasets.three_clusters().X[:, 0],
        np.full(3, 1 / 3),
        [-5, 8, 1.5],
        [5, 3, 1],
    )

    def log_likelihood(weights, means, deviations):
        return np.log((weights * norm.pdf(x[:, None], means, deviations)).sum(axis=1)).sum()

    joint = weights * norm.pdf(x[:, None], means, deviations)
    shares = joint / joint.sum(axis=1, keepdims=True)
    new = np.average(np.tile(x, (3, 1)), axis=1, weights=shares.T)
    squares = np.average((x - new[:, None]) ** 2, axis=1, weights=shares.T)
    found = [log_likelihood(weights, means, deviations)]
    found += [log_likelihood(shares.mean(axis=0), new, scale) for scale in (squares, np.sqrt(squares))]
    assert found == pytest.approx([-211.793877, -227.630179, -193.709888], abs=6e-7)


@pytest.mark.parametrize(
    ("data_seed", "start_seed", "power", "falls", "last", "rand"),
    [
        (1, 9, 2, 0, -365.8482, 1),
        (1, 9, 1, 0, -365.8482, 1),
        (6, 15, 2, 35, -419.9023, 0.554),
        (6, 15, 1, 0, -385.8835, 1),
    ],
)
def test_lesson_2s_published_class_counts_every_share_twice(data_seed, start_seed, power, falls, last, rand):
    X, labels = make_blobs(n_samples=100, centers=3, random_state=data_seed)
    means = np.random.RandomState(start_seed).randn(3, 2) * 4
    weights, covariances, history = np.full(3, 1 / 3), [np.eye(2)] * 3, []
    for _ in range(101):
        components = zip(weights, means, covariances, strict=True)
        joint = np.array([w * multivariate_normal(m, C).pdf(X) for w, m, C in components])  # (K, N)
        history.append(np.log(joint.sum(axis=0)).sum())
        shares = joint / joint.sum(axis=0)
        weights, means = shares.mean(axis=1), shares @ X / shares.sum(axis=1)[:, None]
        scatters = [
            sum(r**power * np.outer(x - m, x - m) for r, x in zip(s, X, strict=True))
            for s, m in zip(shares, means, strict=True)
        ]
        covariances = [scatter / s.sum() for scatter, s in zip(scatters, shares, strict=True)]
    assert (np.diff(history) < -1e-9).sum() == falls
    assert history[-1] == pytest.approx(last, abs=6e-5)
    assert adjusted_rand_score(labels, shares.argmax(axis=0)) == pytest.approx(rand, abs=5e-4)


def test_lesson_2_starts_far_off():
    X = datasets.skewed_blobs().X
    densities = [multivariate_normal(mean, (5 + 1e-6) * np.eye(2)).logpdf(X) for mean in MEANS[0]]
    oracle = np.logaddexp.reduce(densities, axis=0).sum() - 500 * np.log(3)
    assert oracle == pytest.approx(-27072.8, abs=0.05)
    circles = np.full((3, 2, 2), (5 + 1e-6) * np.eye(2))
    trace = fit(Mixture(np.full(3, 1 / 3), Gaussian(MEANS[0], circles)), X, tol=0, max_iter=50)
    assert trace.objectives[0] == pytest.approx(oracle, rel=1e-12)
    assert trace.objectives[[5, 50]] == pytest.approx([-3016.2607, -2973.9785], abs=6e-5)
    checks.monotone(trace)


def test_lesson_5s_bound_lies_between_two_iterates():
    """log-likelihood = bound at the old mean <= bound at the new mean <= log-likelihood, and so it is printed."""
    x = np.array([0.1, -0.1, 0.6, 0.1, -0.5, 0.4, 1.3, 0.9, 3.3, 2.7, 3.4, 4.0, 1.7, -3.7, -4.4, -4.0])

    def log_joint(mean):
        return np.log([0.6, 0.4]) + norm.logpdf(x[:, None], [0, mean], np.sqrt([2, 1]))

    rows, mean = [], 0.0
    for _ in range(13):
        before = np.logaddexp.reduce(log_joint(mean), axis=1)
        q = np.exp(log_joint(mean) - before[:, None])
        new = q[:, 1] @ x / q[:, 1].sum()
        bounds = [(q * (log_joint(m) - np.log(q))).sum() for m in (mean, new)]
        rows.append([before.sum(), *bounds, np.logaddexp.reduce(log_joint(new), axis=1).sum()])
        assert rows[-1][0] == pytest.approx(rows[-1][1], rel=1e-13)
        assert rows[-1][1] < rows[-1][2] < rows[-1][3]
        mean = new
    found = re.findall(r"iteration (\d+): (\S+) = (\S+) <= (\S+) <= (-[\d.]+)", printed("05"))
    assert [int(number) for number, *_ in found] == [1, 2, 3, 4, 7]
    for number, *row in found:
        np.testing.assert_allclose(np.array(row, dtype=float), rows[int(number) - 1], atol=5.1e-5)


@np.errstate(invalid="raise")  # 0/0: a component without points
def test_lesson_6s_forty_draws_with_the_published_m_step():
    """A's class, in which every share counts twice in a covariance."""
    ends = []
    for seed in range(40):
        X, labels = make_blobs(n_samples=100, centers=3, random_state=seed)
        means = np.random.RandomState(seed).randn(3, 2) * 4
        weights, covariances = np.full(3, 1 / 3), np.full((3, 2, 2), np.eye(2))
        try:
            for _ in range(101):  # the last one for its responsibilities
                components = zip(means, covariances, strict=True)
                joint = weights * np.column_stack([multivariate_normal(m, C).pdf(X) for m, C in components])
                resp = joint / joint.sum(axis=1, keepdims=True)
                counts = resp.sum(axis=0)
                weights, means = counts / 100, resp.T @ X / counts[:, None]
                away = resp.T[:, :, None] * (X - means[:, None])  # (K, N, D), with the shares in it
                covariances = away.transpose(0, 2, 1) @ away / counts[:, None, None]
            rand = adjusted_rand_score(labels, resp.argmax(axis=1))
            ends.append("found" if rand > 0.9 else "elsewhere")
        except (np.linalg.LinAlgError, FloatingPointError):  # a singular covariance, or 0/0
            ends.append("collapsed")
    assert [ends.count(end) for end in ("found", "elsewhere", "collapsed")] == [6, 7, 27]


def test_lesson_6s_published_answer_is_the_third_pull():
    """C's class, which floors each covariance twice in its E-step, and emlib, which does not, from the same start."""
    X, point = datasets.skewed_blobs().X, np.array([0.5, 0.5])
    means, floor = MEANS[2], 1e-6 * np.eye(2)
    weights, covariances = np.full(3, 1 / 3), np.full((3, 2, 2), 5 * np.eye(2))

    def joint(X):
        components = zip(weights, means, covariances, strict=True)
        return np.array([w * multivariate_normal(m, C).pdf(X) for w, m, C in components])  # (K, N)

    for _ in range(50):
        resp = np.zeros((3, 500))
        for k in range(3):
            covariances[k] += floor
            above = joint(X)[k]
            covariances += floor
            resp[k] = above / joint(X).sum(axis=0)
            covariances -= floor
        counts = resp.sum(axis=1)
        weights, means = counts / counts.sum(), resp @ X / counts[:, None]
        away = X - means[:, None]  # (K, N, D)
        covariances = np.einsum("kn,kni,knj->kij", resp, away, away) / counts[:, None, None] + floor
    log_likelihood = np.log(joint(X).sum(axis=0)).sum()
    answers = joint(point) / weights, joint(point)  # without the weights, as published, and with them
    without, right = (np.sort(shares / shares.sum())[::-1] for shares in answers)
    published = [0.8429320897, 0.1570646423, 3.267911e-06]
    np.testing.assert_allclose(without, published, rtol=1e-6)
    np.testing.assert_allclose(right[:2], [0.8072, 0.1928], atol=5e-5)
    assert log_likelihood == pytest.approx(-3038.1361, abs=6e-5)

    circles = np.full((3, 2, 2), (5 + 1e-6) * np.eye(2))
    guess = Mixture(weights=np.full(3, 1 / 3), components=Gaussian(MEANS[2], circles, floor=1e-6))
    early = fit(guess, X, tol=0, max_iter=50)
    densities = np.exp(early.model.components.log_density(point[None])[0])
    np.testing.assert_allclose(np.sort(densities / densities.sum())[::-1], published, rtol=1e-4)
    assert early.objective == pytest.approx(-3038.1361, abs=6e-5)
    assert fit(early.model, X, tol=1e-12, max_iter=5000).objective == pytest.approx(-3037.8168, abs=6e-5)


def test_lesson_7s_twenty_fits_end_at_one_maximum():
    X = datasets.old_faithful().X
    for seed in range(20):
        trace = fit(start.random(X, 2, np.random.default_rng(seed)), X, tol=1e-9)
        assert trace.stop.converged
        assert trace.objective == pytest.approx(-1130.2640, abs=6e-5)  # mclust's
        checks.monotone(trace)


def test_lesson_9s_published_class_ends_at_these_means():
    """C's GM1D: ten iterations, spreads of 5, 3 and 1 never updated and taken for standard deviations."""
    y = datasets.three_clusters(15).X[:, 0]
    weights, means = np.full(3, 1 / 3), np.array([-8.0, 8.0, 5.0])
    for _ in range(10):
        joint = weights * norm.pdf(y[:, None], means, [5, 3, 1])
        resp = joint / joint.sum(axis=1, keepdims=True)
        weights, means = resp.mean(axis=0), (resp * y[:, None]).sum(axis=0) / resp.sum(axis=0)
    np.testing.assert_allclose(means, [-14.677, 14.944, -0.023], atol=5e-4)


def test_lesson_10s_two_components_are_mclusts():
    X = datasets.old_faithful().X
    trace = fit(start.from_labels(X, X[:, 0] > 3), X, tol=1e-12, max_iter=5000)
    assert trace.objective == pytest.approx(-1130.2640, abs=6e-5)
    np.testing.assert_allclose(trace.model.weights, [0.355873, 0.644127], atol=6e-7)
    means = [[2.036388, 54.478516], [4.289662, 79.968115]]
    np.testing.assert_allclose(trace.model.components.means, means, atol=6e-7)


@pytest.mark.parametrize(
    ("structure", "K", "mclusts"), [("tied", 3, -1126.3159), ("tied", 2, -1140.1868), ("diag", 2, -1147.8064)]
)
def test_lesson_10s_maxima_are_mclusts(structure, K, mclusts):
    X = datasets.old_faithful().X
    starts = [start.k_means(X, K, np.random.default_rng(s), structure=structure) for s in range(8)]
    reached = max(fit(first, X, tol=1e-12, max_iter=5000).objective for first in starts)
    assert reached == pytest.approx(mclusts, abs=6e-5)


def test_lesson_11_names_the_criteria_in_their_order():
    """The lesson takes the rows of a cell in the order in which they stand."""
    with (LESSONS / "studies" / "how_many.csv").open() as file:
        rows = list(csv.DictReader(file))
    criteria = ["aic", "bic", "icl", "held_out"]
    assert [row["criterion"] for row in rows] == criteria * (len(rows) // 4)
    for number in range(0, len(rows), 4):
        assert len({(row["shape"], row["d"], row["N"]) for row in rows[number : number + 4]}) == 1
