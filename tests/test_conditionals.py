"""What a mixture says of a point: its mean and covariance, its quantiles, and some features given the others."""

import pickle
import tracemalloc
from fractions import Fraction

import numpy as np
import pytest
from scipy import integrate, optimize, stats

from emlib import Gaussian, Mixture, checks, start

each_structure = pytest.mark.parametrize("structure", ["full", "tied", "diag", "spherical"])


def some_mixture(structure="full", K=3, D=4, seed=0):
    """K clusters, and their M-step."""
    rng = np.random.default_rng(seed)
    labels = np.arange(40 * K) % K
    roots = np.eye(D) + 0.5 * rng.standard_normal((K, D, D))
    X = 2 * rng.standard_normal((K, D))[labels]
    X = X + np.einsum("nij,nj->ni", roots[labels], rng.standard_normal((len(labels), D)))
    return start.from_labels(X, labels, structure=structure), X


# Some features, given the others -------------------------------------------------------------------------


def by_the_book(mixture, known, value):
    """Weights, means and covariances of the rest, component by component, by SciPy and inverses."""
    rest = [i for i in range(mixture.components.n_features) if i not in known]
    weights, means, covariances = [], [], []
    for weight, m, C in zip(
        mixture.weights, mixture.components.means, mixture.components.matrices, strict=True
    ):
        seen = C[np.ix_(known, known)]
        slope = C[np.ix_(rest, known)] @ np.linalg.inv(seen)
        weights.append(weight * stats.multivariate_normal(m[known], seen).pdf(value))
        means.append(m[rest] + slope @ (value - m[known]))
        covariances.append(C[np.ix_(rest, rest)] - slope @ C[np.ix_(known, rest)])
    return np.array(weights) / np.sum(weights), np.array(means), np.array(covariances)


@each_structure
@pytest.mark.parametrize("known", [[0], [3], [2, 0], [1, 2, 3]])
def test_conditionals_are_those_of_the_book_row_by_row(structure, known):
    mixture, X = some_mixture(structure)
    values = X[:12][:, known]
    many = mixture.conditionals(known, values)
    assert many.resp.shape == (12, 3)
    assert many.means.shape == (12, 3, 4 - len(known))
    for n, value in enumerate(values):
        weights, means, covariances = by_the_book(mixture, known, value)
        one = mixture.conditional(known, value)
        for found in (
            (one.weights, one.components.means, one.components.matrices),
            (many.resp[n], many.means[n], many.covariances),
        ):
            np.testing.assert_allclose(found[0], weights, rtol=1e-9, atol=1e-14)
            np.testing.assert_allclose(found[1], means, rtol=1e-10, atol=1e-12)
            np.testing.assert_allclose(found[2], covariances, rtol=1e-9, atol=1e-12)
        mean = weights @ means
        second = np.einsum("k,kij->ij", weights, covariances + means[:, :, None] * means[:, None, :])
        np.testing.assert_allclose(many.mean()[n], mean, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(many.covariance()[n], second - np.outer(mean, mean), rtol=1e-8, atol=1e-11)
        np.testing.assert_allclose(one.mean(), many.mean()[n], rtol=1e-12)
        np.testing.assert_allclose(one.covariance(), many.covariance()[n], rtol=1e-12, atol=1e-14)
    checks.covariances(many.covariances)
    checks.probabilities(many.resp)


@pytest.mark.parametrize("value", [-3.0, 0.2, 4.0])
def test_a_conditional_is_the_joint_density_cut_and_scaled(value):
    """By integrals over the plane, which know nothing of Gaussians."""
    mixture, _ = some_mixture(D=2)

    ridge = np.column_stack([np.full(601, value), np.linspace(-15, 15, 601)])
    top = mixture.log_density(ridge).max()  # the integrals should be of numbers near 1

    def height(y):
        return np.exp(mixture.log_density([[value, y]])[0] - top)

    def integral(f):
        points = mixture.components.means[:, 1]
        return integrate.quad(
            lambda y: f(y) * height(y), -30, 30, limit=300, epsabs=1e-15, epsrel=1e-12, points=points
        )[0]

    mass = integral(lambda y: 1.0)
    mean = integral(lambda y: y) / mass
    variance = integral(lambda y: (y - mean) ** 2) / mass
    many = mixture.conditionals([0], [[value]])
    np.testing.assert_allclose(top + np.log(mass), mixture.marginal([0]).log_density([[value]])[0], rtol=1e-9)
    np.testing.assert_allclose(many.mean(), [[mean]], rtol=1e-8)
    np.testing.assert_allclose(many.covariance(), [[[variance]]], rtol=1e-8)
    ys = np.linspace(-6, 6, 7)[:, None]
    joint = mixture.log_density(np.column_stack([np.full(7, value), ys]))
    one = mixture.conditional([0], [value])
    np.testing.assert_allclose(one.log_density(ys), joint - top - np.log(mass), rtol=1e-8)


def exact_rest(C, known, rest):
    """C_rr - C_rk C_kk^-1 C_kr for one or two known columns, in rational numbers: no rounding at all."""
    F = [[Fraction(float(value)) for value in row] for row in C]
    if len(known) == 1:
        inverse = {(known[0], known[0]): 1 / F[known[0]][known[0]]}
    else:
        i, j = known
        d = F[i][i] * F[j][j] - F[i][j] * F[j][i]
        inverse = {(i, i): F[j][j] / d, (j, j): F[i][i] / d, (i, j): -F[i][j] / d, (j, i): -F[j][i] / d}
    return np.array(
        [
            [float(F[r][s] - sum(F[r][a] * w * F[b][s] for (a, b), w in inverse.items())) for s in rest]
            for r in rest
        ]
    )


@pytest.mark.parametrize("known", [[0], [1], [2], [0, 1], [2, 0]])
@pytest.mark.parametrize("noise", [1e-12, 1e-9])
def test_nearly_equal_columns_leave_what_there_is_of_noise(known, noise):
    """Columns that are multiples of one, but for a variance of 1e-12: given one, that much is left of the others."""
    a = np.array([1.1, 0.7, 1.3])
    C = np.outer(a, a) + noise * np.eye(3)
    rest = [i for i in range(3) if i not in known]
    mixture = Mixture([1.0], Gaussian(np.zeros((1, 3)), C[None]))
    value = a[known] + 1e-7 * np.arange(len(known))
    found = mixture.conditional(known, value)
    left = found.components.matrices[0]
    np.testing.assert_array_equal(left, left.T)
    # Entries of C have an eps of rounding in sums of three; what is left is some 1e-12.
    np.testing.assert_allclose(left, exact_rest(C, known, rest), atol=4 * np.finfo(float).eps)
    checks.covariances(left[None])
    assert np.isfinite(found.log_density(a[rest][None])).all()
    np.testing.assert_allclose(mixture.conditionals(known, value[None]).covariance()[0], left, rtol=1e-12)
    if known == [0] and noise == 1e-12:
        # (1 + a a' / 1.1^2) 1e-12, but for the rounding of C itself
        np.testing.assert_allclose(left, [[1.405e-12, 0.752e-12], [0.752e-12, 2.397e-12]], rtol=2e-3)


def test_far_from_all_components_the_weights_are_still_probabilities():
    mixture, _ = some_mixture(D=2)
    many = mixture.conditionals([0], [[-1e4], [0.0], [1e6]])
    checks.probabilities(many.resp)
    assert np.isfinite(many.mean()).all()
    assert np.isfinite(many.covariance()).all()


def test_conditionals_are_values():
    mixture, X = some_mixture()
    many = mixture.conditionals([0, 1], X[:5, :2])
    assert many == pickle.loads(pickle.dumps(many)) == mixture.conditionals([0, 1], X[:5, :2].tolist())
    assert many != mixture.conditionals([0, 1], X[1:6, :2])


@pytest.mark.parametrize(
    ("columns", "values", "message"),
    [
        ([0, 1], [[1.0]], "values has 1 column and `columns` names 2 dimensions"),
        ([0], [1.0, 2.0], "values is one-dimensional"),
        ([0], [[np.nan]], "values holds nan"),
        ([0, 0], [[1.0, 2.0]], "each column may be named only once"),
        ([4], [[1.0]], "columns are numbered from 0 to 3"),
        ([0, 1, 2, 3], [[1.0] * 4], "all there are: at least one must be left"),
        ([], np.zeros((2, 0)), "must be a list of the numbers of one or more columns"),
    ],
)
def test_conditionals_that_make_no_sense(columns, values, message):
    mixture, _ = some_mixture()
    with pytest.raises(ValueError, match=message):
        mixture.conditionals(columns, values)


# The mean and the covariance of a point ----------------------------------------------------------------


@each_structure
def test_mean_and_covariance_are_those_of_the_data_after_an_m_step(structure):
    mixture, X = some_mixture(structure)
    np.testing.assert_allclose(mixture.mean(), X.mean(axis=0), rtol=1e-10, atol=1e-12)
    found, wanted = mixture.covariance(), np.cov(X.T, bias=True)
    if structure == "diag":
        found, wanted = np.diag(found), np.diag(wanted)
    if structure == "spherical":
        found, wanted = np.trace(found), np.trace(wanted)
    np.testing.assert_allclose(found, wanted, rtol=1e-10, atol=1e-12)


def test_mean_and_covariance_of_points_whose_moments_are_those_of_their_components():
    """Of each component 2 D points, the mean and sqrt(D) of its axes away on either side: moments without chance."""
    mixture, _ = some_mixture()
    D, points, counts = 4, [], []
    for k in range(3):
        root = np.linalg.cholesky(mixture.components.matrices[k]) * np.sqrt(D)
        points += [*(mixture.components.means[k] + root.T), *(mixture.components.means[k] - root.T)]
        counts += [mixture.weights[k] / (2 * D)] * (2 * D)
    np.testing.assert_allclose(
        mixture.mean(), np.average(points, axis=0, weights=counts), rtol=1e-12, atol=1e-13
    )
    wanted = np.cov(np.transpose(points), aweights=counts, bias=True)
    np.testing.assert_allclose(mixture.covariance(), wanted, rtol=1e-11, atol=1e-12)


def test_mean_and_covariance_far_from_the_origin_keep_their_digits():
    mixture, _ = some_mixture()
    far = Mixture(mixture.weights, Gaussian(mixture.components.means + 1e8, mixture.components.matrices))
    np.testing.assert_allclose(far.mean() - 1e8, mixture.mean(), atol=1e-7)  # a mean there has no more digits
    np.testing.assert_allclose(far.covariance(), mixture.covariance(), rtol=1e-6)


# On a line: cdf and quantile -----------------------------------------------------------------------------

WEIGHTS, CENTRES, VARIANCES = [0.2, 0.5, 0.3], [-4.0, 0.0, 3.0], [1.0, 4.0, 0.25]
LINE = Mixture(WEIGHTS, Gaussian.univariate(CENTRES, VARIANCES))


def norm_sum(x, function="cdf"):
    return sum(
        w * getattr(stats.norm, function)(x, m, np.sqrt(v))
        for w, m, v in zip(WEIGHTS, CENTRES, VARIANCES, strict=True)
    )


def test_cdf_is_scipys_far_out_too():
    x = np.array([[-40.0, -9, -4, -1], [0, 2.5, 3, 12]])
    assert LINE.cdf(x).shape == (2, 4)
    np.testing.assert_allclose(LINE.cdf(x), norm_sum(x), rtol=1e-12)
    assert LINE.cdf(1.0).shape == ()
    assert LINE.cdf(1.0) == pytest.approx(norm_sum(1.0), rel=1e-13)
    np.testing.assert_array_equal(LINE.cdf([-np.inf, np.inf]), [0, 1])
    area = integrate.quad(
        lambda x: np.exp(LINE.log_density([[x]])[0]), -30, 2.7, points=CENTRES[:2], limit=200
    )[0]
    assert LINE.cdf(2.7) == pytest.approx(area, abs=1e-8)


def test_quantile_is_the_inverse_of_cdf():
    x = np.linspace(-9, 5, 57).reshape(19, 3)
    np.testing.assert_allclose(LINE.quantile(LINE.cdf(x)), x, rtol=0, atol=1e-12 / norm_sum(x, "pdf").min())
    p = np.concatenate(
        [10.0 ** -np.arange(1, 300, 13), np.linspace(0.01, 0.99, 50), 1 - 2.0 ** -np.arange(1, 50, 7)]
    )
    np.testing.assert_allclose(LINE.cdf(LINE.quantile(p)), p, rtol=1e-12)
    for wanted in (1e-6, 0.2, 0.5, 0.97):
        by_search = optimize.brentq(lambda x, p=wanted: norm_sum(x) - p, -60, 60, xtol=1e-13, rtol=1e-14)
        assert LINE.quantile(wanted) == pytest.approx(by_search, abs=1e-11)
    assert LINE.quantile(0.5).shape == ()
    assert (np.diff(LINE.quantile(np.sort(p))) >= 0).all()


def test_quantile_of_one_gaussian_is_scipys():
    one = Mixture([1.0], Gaussian.univariate([1e6], [1e-6]))
    p = [1e-200, 1e-9, 0.3, 0.5, 0.9, 0.999]  # closer to 1 the p themselves have too few digits
    np.testing.assert_allclose(one.quantile(p), stats.norm.ppf(p, 1e6, 1e-3), rtol=1e-15)


def test_quantile_at_the_ends_and_in_a_gap():
    np.testing.assert_array_equal(LINE.quantile([0.0, 1.0]), [-np.inf, np.inf])
    # Narrow components a million widths apart, one of no weight far off: the median is in the first to reach a half.
    apart = Mixture([0.4, 0.6, 0.0], Gaussian.univariate([-1e3, 1e3, 1e9], [1e-6, 1e-6, 1.0]))
    np.testing.assert_allclose(apart.quantile([0.2, 0.7]), [-1e3, 1e3], rtol=1e-12)
    assert -1e3 + 0.004 < apart.quantile(0.4) < 1e3 - 0.004
    np.testing.assert_allclose(
        apart.cdf(apart.quantile([1e-5, 0.39, 0.41, 0.999])), [1e-5, 0.39, 0.41, 0.999], rtol=1e-9
    )


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: LINE.cdf([0.0, np.nan]), "x holds nan: give numbers"),
        (lambda: LINE.cdf("two"), "x cannot be read as an array of numbers"),
        (lambda: LINE.cdf(None), "x is None"),
        (lambda: LINE.quantile([0.5, np.nan]), "p holds nan"),
        (lambda: LINE.quantile([0.5, 1.2]), "p holds 1.2; a probability lies between 0 and 1"),
        (lambda: LINE.quantile(-0.1), "p is -0.1; a probability"),
        (lambda: LINE.quantile("median"), "p cannot be read as an array of numbers"),
        (
            lambda: some_mixture()[0].cdf(0.0),
            r"cdf is for one dimension, and the mixture has 4: .*marginal\(\[0\]\)",
        ),
        (lambda: some_mixture()[0].quantile(0.5), r"quantile is for one dimension, and the mixture has 4"),
    ],
)
def test_points_on_a_line_that_make_no_sense(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_what_is_known_of_many_points_is_not_copied_for_every_component():
    mixture, X = some_mixture(K=8, D=20)
    values = np.resize(X[:, 1:], (20_000, 19))  # 3 MB
    tracemalloc.start()
    mixture.components.conditional(np.arange(1, 20), values)
    assert tracemalloc.get_traced_memory()[1] < 4 * values.nbytes
    tracemalloc.stop()


def test_the_marginal_has_the_quantiles_of_its_feature():
    mixture, _ = some_mixture()
    parts, x = mixture.components, np.linspace(-4, 4, 9)
    wanted = sum(
        w * stats.norm.cdf(x, m[2], np.sqrt(C[2, 2]))
        for w, m, C in zip(mixture.weights, parts.means, parts.matrices, strict=True)
    )
    np.testing.assert_allclose(mixture.marginal([2]).cdf(x), wanted, rtol=1e-12)
