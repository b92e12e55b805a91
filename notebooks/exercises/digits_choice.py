"""The exercises of lesson 7 on judging: a clean score, counting parameters, and a choice that a number supports."""

from __future__ import annotations

import operator
import re
from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np

from emlib.families import Gaussian
from emlib.validate import Array
from exercises.digits import _decomposed, _kept, _upright
from exercises.exercise import Exercise, Mistake, Part, Verdict, judge, number

# A clean score -------------------------------------------------------------------------------------------

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
                    "right but for a floor of a millionth, emlib's default: give reg_covar=0",
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


# How many parameters ---------------------------------------------------------------------------------------

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


# A choice, and the number for it ---------------------------------------------------------------------------

FORM = 'give a structure, a number of components and a measure: ("full", 100, "aic")'


def defends(choice: Any, table: Mapping[str, Any]) -> Verdict:
    """Judge whether a measure supports the choice of a mixture, by what was measured on several splits.

    Parameters
    ----------
    choice : (structure, K, measure) or None
        A model and a number of components in the table; "aic", "bic", "near", "train" or "held_out".
    table : mapping of columns, such as a pandas.DataFrame
        "model", "K", "split" (0 or more), "stop" and the measures; "near" has rows of "unseen digits" too.

    Returns
    -------
    Verdict
        Never raises, whatever the choice.
    """
    return judge("defends", choice, _taken_apart, FORM, lambda given: _defence(given, table))


def _taken_apart(choice: Any) -> tuple[str, int, str]:
    structure, K, measure = choice
    return str(structure).lower(), operator.index(K), re.sub(r"[- ]", "_", str(measure).lower())


def _defence(choice: tuple[str, int, str], table: Mapping[str, Any]) -> str:
    structure, number, measure = choice
    models, Ks, splits = np.asarray(table["model"]), np.asarray(table["K"]), np.asarray(table["split"])
    if measure not in ("aic", "bic", "near", "train", "held_out"):
        return 'no such measure: "aic", "bic", "near", "train" or "held_out"'
    known = sorted(
        {str(m) for m in models[np.isfinite(np.asarray(table["held_out"], float)) & (splits >= 0)]}
    )
    if structure not in known:
        return f"no such structure was measured; there are {', '.join(known)}"
    here = (models == structure) & (splits >= 0)
    tried = sorted({int(k) for k in Ks[here]})
    if number not in tried:
        return f"K = {number} was not measured; for {structure} there are {', '.join(map(str, tried))}"

    def mean(m: str, k: int, column: str = measure) -> float:
        return float(np.asarray(table[column], float)[(models == m) & (Ks == k) & (splits >= 0)].mean())

    collapsed = "collapsed" in np.asarray(table["stop"])[here & (Ks == number)]
    unseen, name_of = mean(structure, number, "held_out"), measure.upper()
    instead = f"Unseen digits get {unseen:,.1f} nats each"
    if measure == "train":
        return f"the training digits cannot choose: with more components they always fit better. {instead}"
    if measure == "near":
        return (
            f"a distance alone defends nothing: training digits with some noise added can have any median you "
            f"like. It can accuse, though. {instead}"
        )
    if measure != "held_out":
        if collapsed:
            return (
                f"{name_of} has measured the floor: there the mixture has collapsed, and its likelihood is as "
                f"large as the floor lets it be. {instead}"
            )
        if not np.isfinite(mean(structure, number)):
            return f"{name_of} was not taken: it counts all numbers as free, and a prior holds them"
        best = min(tried, key=lambda k: mean(structure, k))
        if number != best:
            return f"{name_of} is lower at K = {best}, for the same structure"
        if best == tried[-1]:
            return f"{name_of} still falls at K = {best}, the largest that was tried: that is no minimum. {instead}"
        return (
            f"correct: of the {structure} mixtures {name_of} is lowest there, and the fits are sound. It judges by the "
            f"training digits. {instead}; is there an answer to that?"
        )
    ranges = np.asarray(table["held_out"], float)

    def by_split(m: str, k: int) -> Array:
        rows = (models == m) & (Ks == k) & (splits >= 0)
        return ranges[rows][np.argsort(splits[rows])]

    own = by_split(structure, number)
    rivals = {(str(m), int(k)) for m, k in zip(models, Ks, strict=True) if m in known}
    leads = {rival: by_split(*rival) - own for rival in rivals}
    ahead = sorted((float(lead.mean()), rival) for rival, lead in leads.items() if (lead > 0).all())
    for lead, (m, k) in reversed(ahead):
        if m == structure:
            return f"{m} with K = {k} is ahead in every split, by {lead:,.2f} nats a digit on average"
    but = " No other structure is ahead in every split"
    if ahead:
        m, k = ahead[-1][1]
        but = f" But {m}, K = {k} is ahead in every split, by {leads[m, k].min():.1f} nats a digit or more"
    return f"correct: of the {structure} mixtures no other K is ahead in every split. {instead}.{but}."
