"""The exercises of lesson 12: nearest neighbours, facts that accuse, and a choice that a number supports."""

from __future__ import annotations

import operator
import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from emlib.validate import Array
from exercises.judge import Exercise, Mistake, Part, Verdict, judge, judge_letters
from exercises.lesson_07 import ticked

# Nearest neighbours -----------------------------------------------------------------------------------


def _distances(samples: Array, X: Array) -> Array:
    return np.sqrt(((samples[:, None] - X) ** 2).sum(axis=2))


def _others(samples: Array, X: Array) -> Array:
    """Distances, infinite to a point that is the sample itself."""
    d = _distances(samples, X)
    return np.where(d == 0, np.inf, d)


def _neighbours() -> list[tuple[Array, Array]]:
    rng = np.random.default_rng(8)
    cases = []
    for m, n, D in [(3, 6, 2), (5, 8, 4)]:
        X = rng.normal(size=(n, D)).round(2)
        cases.append((np.vstack([X[[4]], rng.normal(size=(m - 2, D)).round(2), X[[1]]]), X))
    return cases


nearest = Exercise(
    name="nearest",
    arguments=("samples", "X"),
    shapes=("(M, D)", "(N, D)"),
    edges=[
        (np.array([[0.4, 2.2]]), np.array([[1.0, 2.0], [0.4, 2.2], [3.0, 4.5]])),
        (np.array([[0.5], [2.0]]), np.array([[1.2], [2.0], [7.0], [2.1]])),
    ],
    whole=[(np.array([[0, 2], [5, 5]]), np.array([[1, 2], [0, 2], [3, 4], [9, 9]]))],
    cases=_neighbours(),
    parts=[
        Part(
            "distances",
            "(M,): one distance for each sample",
            lambda samples, X: _others(samples, X).min(axis=1),
            [
                Mistake(
                    lambda samples, X: _distances(samples, X).min(axis=1),
                    "a point is its own nearest neighbour, at distance 0: leave those out",
                ),
                Mistake(
                    lambda samples, X: _others(samples, X).min(axis=1) ** 2,
                    "these are squared distances: take the root",
                ),
                Mistake(
                    lambda samples, X: _others(samples, X).argmin(axis=1),
                    "argmin says which point is the nearest; min says how far it is",
                ),
                Mistake(
                    lambda samples, X: _others(samples, X).min(axis=0),
                    "this is for every point of X its nearest sample; look along the other axis",
                ),
                Mistake(
                    lambda samples, X: np.abs(samples[:, None] - X).sum(axis=2, where=True).min(axis=1),
                    "differences were added without their squares, as on a street map",
                ),
                Mistake(
                    lambda samples, X: np.sort(_distances(samples, X), axis=1)[:, 1],
                    "the second smallest is right only for a sample that is itself in X; a new one has its nearest "
                    "neighbour at the smallest",
                ),
                Mistake(
                    lambda samples, X: _distances(samples, X).mean(axis=1),
                    "this is the mean distance to all points; take the smallest",
                ),
                Mistake(
                    lambda samples, X: _distances(samples, X).max(axis=1),
                    "this is the farthest point: min, not max",
                ),
            ],
        )
    ],
    praise="the distance to the nearest of the others. Now compare samples with digits that the fit never saw.",
)

# Which facts speak against a model? -------------------------------------------------------------------

# Of the mixture of 110 full Gaussians; B and D from the clean split, C from the fit to all digits.
FACTS_ABOUT_SAMPLES = {
    "A": "Nearly every sample looks like a digit.",
    "B": "The samples lie nearer to the training digits than unseen digits do: 3.85 against 4.64, in the median.",
    "C": "Each sample lies within 0.008 of the sheet of its own component's digits.",
    "D": "An unseen digit gets -2.9 million nats, on average.",
    "E": "The training digits get a higher log-likelihood than under any mixture with fewer full components.",
    "F": "No sample is exactly equal to a training digit.",
}
ACCUSING = frozenset("BCD")
FACTS = {
    "A": "a perfect copy looks like a digit, too, and so would a new one. Looks neither accuse nor acquit",
    "B": "unseen digits say how near a new digit lies, and the samples lie nearer. That proves no copying, because "
    "samples that are too average lie near as well, but it speaks against the model",
    "C": "two digits lie some four units apart, and a sample only thousandths from weighted sums of a few old ones: it "
    "is put together from them",
    "D": "an honest new digit is impossible, says the model. So it does not know the digits, but only its own",
    "E": "that grows with the number of components, whether the model copies or not. The training digits cannot judge",
    "F": "a copy that is off by a hair is a copy all the same. That acquits nobody, and it accuses nobody",
}


def accuses(my_letters: Any) -> Verdict:
    """Judge the prediction of lesson 12: which of `FACTS_ABOUT_SAMPLES` speak against the model.

    Parameters
    ----------
    my_letters : str, or sequence of str, or dict of bool, or None
        Their letters: "AB" or ["A", "B"]; None if there is no answer yet.

    Returns
    -------
    Verdict
        Never raises, whatever the answer.
    """
    return judge_letters("accuses", ticked(my_letters), "fact", FACTS_ABOUT_SAMPLES, _accused)


def _accused(given: set[str]) -> str:
    if given == ACCUSING:
        return (
            "correct: each of the three compares with something that was not in the fit, or with what it was made of. "
            "The other three would be true of a copy and of a good model alike."
        )
    if not given:
        return "some do. Ask of each: would it also be so if the model were good?"
    if given == set(FACTS) - ACCUSING:
        return "these are the ones that say nothing; the question is which speak against the model"
    if wrong := sorted(given - ACCUSING):
        return f"not {wrong[0]}: {FACTS[wrong[0]]}"
    missing = min(ACCUSING - given)
    return f"rightly accused, but {missing} speaks against the model, too: {FACTS[missing]}"


# A choice, and the number for it ----------------------------------------------------------------------

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


def _lower_everywhere(choice: tuple[str, int, str], table: Mapping[str, Any]) -> tuple[str, int] | None:
    """Another structure and K, never collapsed, whose measure is lower in every split: the lowest; None if none is."""
    models, Ks, splits = np.asarray(table["model"]), np.asarray(table["K"]), np.asarray(table["split"])
    values, stops = np.asarray(table[choice[2]], float), np.asarray(table["stop"])

    def by_split(m: str, k: int) -> tuple[Array, bool]:
        rows = (models == m) & (Ks == k) & (splits >= 0)
        return values[rows][np.argsort(splits[rows])], "collapsed" in stops[rows]

    own, found = by_split(*choice[:2])[0], []
    for m, k in {(str(m), int(k)) for m, k in zip(models, Ks, strict=True)}:
        theirs, collapsed = by_split(m, k)
        if not collapsed and theirs.shape == own.shape and (theirs < own).all():
            found.append((float(theirs.mean()), m, k))
    return min(found)[1:] if found else None


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
        if lower := _lower_everywhere(choice, table):
            m, k = lower
            return f"{name_of} is lower for {m} with K = {k}, in every split"
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
        without = [rival for _, rival in ahead if rival[0] != "classes"]
        if structure != "classes" and without:  # those know the labels; the others can be had in its place
            m, k = without[-1]
            return f"{m} with K = {k} is ahead of it in every split, by {leads[m, k].min():.1f} nats a digit or more"
        but = f" But {m}, K = {k} is ahead in every split, by {leads[m, k].min():.1f} nats a digit or more"
    return f"correct: of the {structure} mixtures no other K is ahead in every split. {instead}.{but}."
