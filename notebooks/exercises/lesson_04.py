"""The exercises of lesson 4: principal components, counting parameters, a clean score."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from emlib.families import Gaussian
from emlib.validate import Array
from exercises.judge import Exercise, Mistake, Part, Verdict, judge, number

# Principal components ---------------------------------------------------------------------------------


def _decomposed(X: Array, centred: bool = True) -> tuple[Array, Array, Array]:
    """Singular values and vectors, of the centred data."""
    U, s, Vt = np.linalg.svd(X - X.mean(axis=0) if centred else X, full_matrices=False)
    return U, s, Vt


def _kept(sizes: Array, share: Any) -> int:
    """How many of these sizes make up more than a share of their sum."""
    return int(np.searchsorted(np.cumsum(sizes) / sizes.sum(), float(share), side="right")) + 1


def _variances(
    X: Array, share: Any, *, centred: bool = True, minus: int = 1, power: int = 2, more: int = 0
) -> Array:
    """Variances of the components to be kept, or what becomes of them if something is done otherwise."""
    s = _decomposed(X, centred)[1]
    return s[: _kept(s**power, share) + more] ** 2 / (len(X) - minus)


def _upright(scores: Array) -> Array:
    """Every column with the sign that makes its largest entry positive: the sign of a component means nothing."""
    if scores.ndim != 2 or not scores.size:
        return scores
    largest = scores[np.abs(scores).argmax(axis=0), np.arange(scores.shape[1])]
    return scores * np.where(largest < 0, -1, 1)


def _scores(X: Array, share: Any, power: float = -1, minus: int = 1, centred: bool = True) -> Array:
    """Scores times their standard deviations to a power; -1 is whitening."""
    _, s, Vt = _decomposed(X)
    d = _kept(s**2, share)
    placed = (X - X.mean(axis=0) if centred else X) @ Vt[:d].T
    return _upright(placed * (s[:d] / np.sqrt(len(X) - minus)) ** power)


def _left(X: Array, share: Any) -> Array:
    U, s, _ = _decomposed(X)
    return _upright(U[:, : _kept(s**2, share)])


def _lying(X: Array, share: Any) -> Array:
    """With the columns of Vt in the place of its rows."""
    _, s, Vt = _decomposed(X)
    d = _kept(s**2, share)
    return _upright((X - X.mean(axis=0)) @ Vt[:, :d] / (s[:d] / np.sqrt(len(X) - 1)))


class _Signless(Exercise):
    """An exercise whose second answer may have any signs."""

    def _arrays(self, returned: Any) -> tuple[list[Array], str]:
        arrays, fault = super()._arrays(returned)
        return [array if n == 0 else _upright(array) for n, array in enumerate(arrays)], fault


def _tables() -> list[tuple[Array, Array]]:
    rng = np.random.default_rng(7)
    cases = []
    for n, spread, share in [(9, [5, 3, 2, 1.5, 1], 0.9), (30, [8, 5, 4, 3, 3, 2, 2, 1.5, 1], 0.8)]:
        turn = np.linalg.qr(rng.normal(size=(len(spread), len(spread))))[0]
        cases.append((rng.normal(size=(n, len(spread))) * spread @ turn + 4, np.array(share)))
    return cases


principal_components = _Signless(
    name="principal_components",
    arguments=("X", "share"),
    cases=_tables(),
    parts=[
        Part(
            "variances",
            "(D,): one variance for each component that is kept",
            _variances,
            [
                Mistake(
                    partial(_variances, centred=False),
                    "the data were not centred: take the mean of every column off before the SVD, or the first "
                    "component points at the mean",
                ),
                Mistake(
                    partial(_variances, minus=0),
                    "divided by N; scikit-learn, and so the check, divides by N - 1",
                ),
                Mistake(
                    partial(_variances, power=1),
                    "the share was taken of the singular values; variances are their squares, so cumulate the squares",
                ),
                Mistake(
                    partial(_variances, more=-1),
                    "one component too few: these hold less than the share",
                ),
                Mistake(
                    partial(_variances, more=1),
                    "one component too many: the share is reached without the last",
                ),
                Mistake(
                    lambda X, share: np.sqrt(_variances(X, share)),
                    "these are the standard deviations: square them",
                ),
                Mistake(
                    lambda X, share: _variances(X, share, minus=len(X) - 1),
                    "these are the squared singular values, sums over the points: divide them by N - 1",
                ),
                Mistake(
                    lambda X, share: np.sqrt(_variances(X, share, minus=len(X) - 1)),
                    "these are the singular values; a variance is a singular value squared, over N - 1",
                ),
                Mistake(
                    lambda X, share: _decomposed(X)[1] ** 2 / (len(X) - 1),
                    "these are all the components: keep the first ones that together hold the share",
                ),
                Mistake(
                    lambda X, share: _variances(X, share)[::-1],
                    "smallest first: eigh sorts upwards, and components come with the largest variance first",
                ),
                Mistake(
                    lambda X, share: _variances(X, share) / X.var(axis=0, ddof=1).sum(),
                    "these are shares of the total variance; return the variances",
                ),
            ],
        ),
        Part(
            "scores",
            "(N, D): one row for each point, one column for each component",
            _scores,
            [
                Mistake(
                    partial(_scores, power=0),
                    "right directions, but not whitened: divide each column by its standard deviation",
                ),
                Mistake(
                    partial(_scores, power=-2),
                    "divided by the variances; divide by their roots, so that every column has variance 1",
                ),
                Mistake(
                    partial(_scores, power=1),
                    "multiplied by the standard deviations: divide by them",
                ),
                Mistake(
                    partial(_scores, minus=0),
                    "whitened with N; the variances have N - 1, so the scores must too",
                ),
                Mistake(
                    partial(_scores, centred=False),
                    "the points themselves were projected: take the mean off first, as before the SVD",
                ),
                Mistake(
                    _left,
                    "these are the columns of U, of length 1: times the root of N - 1 they have variance 1",
                ),
                Mistake(
                    _lying,
                    "the directions are the rows of what np.linalg.svd returns third; here its columns were taken",
                ),
            ],
        ),
    ],
    praise="centred, turned, cut at the share and whitened. The signs are anybody's choice.",
)

# How many parameters ----------------------------------------------------------------------------------

K, D, N = 110, 41, 1797

WEIGHTS, MEANS, OWN = K - 1, K * D, D * (D + 1) // 2

RIGHT = WEIGHTS + MEANS + K * OWN

PARAMETERS: dict[float, str] = {
    RIGHT + 1: "one too many: the weights sum to one, so the last one is no free number",
    MEANS + K * OWN: "the weights are missing: there are K - 1 of them",
    WEIGHTS
    + K * OWN: "the means are missing, or the diagonals of the covariances: K times D numbers either way",
    K * OWN: "these are the covariances alone; there are means and weights too",
    WEIGHTS
    + MEANS * (D + 1): "a covariance is symmetric: what stands below its diagonal repeats what is above",
    WEIGHTS + 2 * MEANS: "this is for diagonal covariances; these are full ones",
    WEIGHTS + MEANS + OWN: "this is for one covariance that all share; here each component has its own",
    WEIGHTS + MEANS + K: "this is for spherical covariances; these are full ones",
    D + OWN: "this is for one component; there are 110",
    WEIGHTS
    + K * (64 + 64 * 65 // 2): "the mixture lives in 41 dimensions; the 64 pixels have been left behind",
    N * D: "these are the numbers in the data; count those in the model",
}


def how_many_parameters(prediction: Any) -> Verdict:
    """Judge how many free numbers a mixture of 110 full Gaussians in 41 dimensions has.

    Parameters
    ----------
    prediction : int or None
        None if there is no prediction yet.

    Returns
    -------
    Verdict
        Never raises, whatever the prediction.
    """
    return judge("how_many_parameters", prediction, number, "give one whole number", _count)


def _count(given: float) -> str:
    if given == RIGHT:
        return f"correct: {given:,.0f} free numbers, fitted to {N * D:,}: more unknowns than data."
    general = (
        f"{'fewer' if given > RIGHT else 'more'} than that. Count weights, means and covariances of all components, "
        "and use that a covariance is symmetric"
    )
    return PARAMETERS.get(given, general)


# A clean score ----------------------------------------------------------------------------------------

SHARE = 0.9


def _placed(X: Array, basis: Any, whiten: bool = True) -> Array:
    """X on the principal components of other points, with the signs that scikit-learn chooses."""
    _, s, Vt = _decomposed(basis)
    d = _kept(s**2, SHARE)
    scale = s[:d] / np.sqrt(len(basis) - 1) if whiten else 1
    return (X - basis.mean(axis=0)) @ _upright(Vt[:d].T) / scale


def _log_density(Z: Array, fitted_to: Array, floor: float = 0.0) -> Array:
    """Under one Gaussian, with the mean and the covariance of other points."""
    covariance = np.cov(fitted_to.T, bias=True) + floor * np.eye(fitted_to.shape[1])
    return Gaussian(fitted_to.mean(axis=0)[None], covariance[None]).log_density(Z)[:, 0]


def _score(
    X: Array,
    train: Any,
    test: Any,
    *,
    basis: Any = None,
    fit: Any = None,
    on: Any = None,
    whiten: bool = True,
    floor: float = 0.0,
) -> Any:
    """Mean log-density, with the rows for the basis, for the fit and for the score; by default train, train, test."""
    basis, fit, on = (
        usual if given is None else given for given, usual in [(basis, train), (fit, train), (on, test)]
    )
    Z = _placed(X, X[basis], whiten)
    return _log_density(Z[on], Z[fit], floor).mean()


def _two_bases(X: Array, train: Any, test: Any) -> Any:
    """Each part on principal components of its own."""
    mine, theirs = (_placed(X[rows], X[rows]) for rows in (test, train))
    return _log_density(mine, theirs).mean() if mine.shape[1] == theirs.shape[1] else np.nan


def _split_tables() -> list[tuple[Any, ...]]:
    rng = np.random.default_rng(12)
    cases = []
    for n, held, D in [(40, 13, 6), (55, 21, 8)]:
        X = rng.normal(size=(n, D)) @ rng.normal(size=(D, D)) + 3
        order = rng.permutation(n)
        cases.append((X, order[held:], order[:held]))
    return cases


ALL = slice(None)

clean_score = Exercise(
    name="clean_score",
    arguments=("X", "train", "test"),
    cases=_split_tables(),
    parts=[
        Part(
            "score",
            "one number",
            _score,
            [
                Mistake(
                    partial(_score, basis=ALL),
                    "the principal components were found on all rows, so the test rows have had a say in the axes and "
                    "in the units: fit PCA on X[train] and only transform X[test]",
                ),
                Mistake(
                    partial(_score, fit=ALL),
                    "the Gaussian was fitted to all rows: fit it to the training rows",
                ),
                Mistake(
                    partial(_score, basis=ALL, fit=ALL),
                    "PCA and Gaussian have both seen the test rows: nothing was held out",
                ),
                Mistake(
                    lambda X, train, test: _score(X, train, test, on=train),
                    "this is the score of the training rows: of those a model says too much",
                ),
                Mistake(
                    partial(_score, on=ALL),
                    "this is the score of all rows, most of which the model has seen",
                ),
                Mistake(
                    lambda X, train, test: _score(X, train, test) * len(test),
                    "this is the total: it grows with the number of rows. Take the mean",
                ),
                Mistake(
                    partial(_score, whiten=False),
                    "PCA was not told to whiten: another unit, another density",
                ),
                Mistake(
                    # A millionth of the whitened variances, which are 1 with N - 1 in the denominator.
                    lambda X, train, test: _score(X, train, test, floor=1e-6 * (1 - 1 / len(train))),
                    "right but for a millionth that was added to every variance, as scikit-learn does: give "
                    "reg_covar=0",
                ),
                Mistake(
                    lambda X, train, test: _score(X, train, test, basis=test),
                    "PCA was fitted anew on the test rows (fit_transform?): only transform them",
                ),
                Mistake(
                    _two_bases,
                    "the test rows got principal components of their own (fit_transform on them?): the two sets then "
                    "live on different axes. Only transform the test rows",
                ),
                Mistake(
                    lambda X, train, test: _score(X, test, train),
                    "train and test are the wrong way round",
                ),
                Mistake(
                    lambda X, train, test: -_score(X, train, test),
                    "the sign is turned: larger is better here",
                ),
            ],
        )
    ],
    praise="all that learns, PCA too, has seen the training rows alone.",
)
