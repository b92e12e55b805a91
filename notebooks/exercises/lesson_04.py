"""The exercises of lesson 4: the way back to pixels, counting parameters, a clean score."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from emlib.families import Gaussian
from emlib.validate import Array
from exercises.judge import Exercise, Mistake, Part, Verdict, judge
from exercises.predictions import lone_number

# The way back -----------------------------------------------------------------------------------------


def _back(Z: Array, mean: Array, directions: Array, variances: Array, power: float = 0.5) -> Array:
    """Whitened points with their variances to a power, turned and moved to the mean, (N, P)."""
    return Z * variances**power @ directions.T + mean


def _back_breaks(X: Array, Z: Array, mean: Array, directions: Array, variances: Array) -> str:
    """What the directions, which are perpendicular and of length 1, tell of wrong pictures."""

    def along(rows: Array) -> bool:
        return np.allclose(rows @ directions @ directions.T, rows)

    if along(X - mean):
        return (
            "less the mean, each row is a sum of directions, as it must be; but how far it goes along them is wrong: "
            "Z times the standard deviation, column by column"
        )
    return "each row is a sum of directions, and no mean, (P,), is added to it" if along(X) else ""


def _pictures() -> list[tuple[Array, ...]]:
    rng = np.random.default_rng(7)
    cases: list[tuple[Array, ...]] = []
    for n, d, p in [(4, 2, 5), (3, 4, 7), (6, 3, 4)]:
        directions = np.linalg.qr(rng.normal(size=(p, p)))[0][:, :d]
        variances = np.sort(rng.uniform(0.1, 30, size=d))[::-1]
        cases.append((rng.normal(size=(n, d)), rng.uniform(1, 9, size=p), directions, variances))
    cases[0][0][1] = [40.0, -300.0]  # far out
    cases[1][0][0] = 0.0  # the mean picture itself
    return cases


_FIRST = _pictures()[0]

way_back = Exercise(
    name="way_back",
    arguments=("Z", "mean", "directions", "variances"),
    shapes=("(N, D)", "(P,)", "(P, D)", "(D,)"),
    cases=_pictures(),
    edges=[
        (_FIRST[0][:1], *_FIRST[1:]),
        (_FIRST[0][:, :1], _FIRST[1], _FIRST[2][:, :1], _FIRST[3][:1]),
    ],
    whole=[(np.array([[1, 0], [-2, 1], [0, 3]]), np.array([3, 1, 4, 1, 5]), *_FIRST[2:])],
    parts=[
        Part(
            "X",
            "(N, P): one row for each picture, one column for each pixel",
            _back,
            rule=_back_breaks,
            mistakes=[
                Mistake(
                    lambda Z, mean, directions, variances: _back(Z, 0 * mean, directions, variances),
                    "the mean is missing: it was taken off before the whitening, so add it at the end",
                ),
                Mistake(
                    partial(_back, power=-0.5),
                    "divided by the standard deviations: that was the way there. On the way back multiply by them",
                ),
                Mistake(
                    partial(_back, power=1),
                    "multiplied by the variances; whitening divides by the standard deviations, so multiply by "
                    "np.sqrt(variances)",
                ),
                Mistake(
                    partial(_back, power=0),
                    "the directions are right, but the columns of Z still have variance 1: multiply each by its "
                    "standard deviation, np.sqrt(variances), first",
                ),
                Mistake(
                    lambda Z, mean, directions, variances: _back(Z, -mean, directions, variances),
                    "the mean was subtracted; that was the way there. On the way back add it",
                ),
                Mistake(
                    lambda Z, mean, directions, variances: _back(Z, 0 * mean, directions, variances, power=0),
                    "two things: each column of Z wants its standard deviation as a factor, and the mean is missing",
                ),
            ],
        ),
    ],
    praise="stretched, turned and moved: the way there backwards.",
)

# How many parameters ----------------------------------------------------------------------------------

K, D, N = 110, 41, 1797

WEIGHTS, MEANS, OWN = K - 1, K * D, D * (D + 1) // 2

WHOLE = "give one whole number"

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
    return judge("how_many_parameters", prediction, lone_number, WHOLE, _count)


def _count(given: float) -> str:
    if not given.is_integer():
        return WHOLE
    if given == RIGHT:
        return f"correct: {given:,.0f} free numbers, fitted to {N * D:,}: more unknowns than data."
    general = (
        f"{'fewer' if given > RIGHT else 'more'} than that. Count weights, means and covariances of all components, "
        "and use that a covariance is symmetric"
    )
    return PARAMETERS.get(given, general)


# A clean score ----------------------------------------------------------------------------------------

SHARE = 0.9


def _kept(sizes: Array) -> int:
    """How many of these sizes make up more than the share of their sum."""
    return int(np.searchsorted(np.cumsum(sizes) / sizes.sum(), SHARE, side="right")) + 1


def _placed(X: Array, basis: Any, whiten: bool = True) -> Array:
    """X on the principal components of other points, with the signs that scikit-learn chooses."""
    _, s, directions = np.linalg.svd(basis - basis.mean(axis=0), full_matrices=False)
    d = _kept(s**2)
    largest = directions[np.arange(d), np.abs(directions[:d]).argmax(axis=1)]
    scale = s[:d] / np.sqrt(len(basis) - 1) if whiten else 1
    return (X - basis.mean(axis=0)) @ (directions[:d].T * np.sign(largest)) / scale


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
    shapes=("(N, D)", "", ""),
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
                    _two_bases,
                    "the test rows got principal components of their own (fit_transform on them?): the two sets then "
                    "live on different axes. Only transform the test rows",
                ),
            ],
        )
    ],
    praise="all that learns, PCA too, has seen the training rows alone.",
)
