"""The exercises of lesson 8: weights with a prior, which of six starts collapses, and which setting cures what."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from itertools import islice
from typing import Any

import numpy as np

from emlib import datasets
from emlib.families import Gaussian, Prior
from emlib.fitting import fit
from emlib.mixture import Mixture
from emlib.validate import Array
from exercises.judge import Exercise, Mistake, Part, Verdict, judge, judge_letters

# Weights with a prior ---------------------------------------------------------------------------------


def _map(resp: Array, a: float) -> Array:
    return (resp.sum(axis=0) + a) / (len(resp) + resp.shape[1] * a)


def _map_breaks(weights: Array, resp: Array, a: float) -> str:
    return f"weights sum to 1, and these to {weights.sum():.6g}" if abs(weights.sum() - 1) > 1e-6 else ""


AFTER = (
    "a was added to the shares N_k / N, or to every row of resp, which comes to the same; it counts points: add it "
    "once to N_k, and divide after that by all points, those of the prior too"
)

map_weights = Exercise(
    name="map_weights",
    arguments=("resp", "a"),
    shapes=("(N, K)", ""),
    edges=[(np.ones((4, 1)), 0.7), (np.array([[0.3, 0.7]]), 2.5)],
    whole=[(np.array([[1, 0], [1, 0], [0, 1], [1, 0], [1, 0]]), 2)],
    cases=[
        (np.array([[0.62, 0.25, 0.13], [0.9, 0.1, 0.0], [0.31, 0.48, 0.21], [0.8, 0.15, 0.05]]), 2.5),
        (np.array([[0.8, 0.2], [0.45, 0.55], [0.97, 0.03], [1.0, 0.0], [0.6, 0.4]]), 0.4),
        (np.array([[0.7, 0.3, 0.0, 0.0], [0.2, 0.5, 0.3, 0.0]]), 1.5),  # a component that holds no point
    ],
    praise="each component starts with `a` points, so none is ever empty; and all of them are counted below.",
    parts=[
        Part(
            "weights",
            "(K,): one number for each component",
            _map,
            rule=_map_breaks,
            mistakes=[
                Mistake(
                    lambda r, a: r.mean(axis=0),
                    "this is the M-step without the prior, N_k / N: the `a` points of each component are not in it",
                ),
                Mistake(
                    lambda r, a: (r.sum(axis=0) + a) / len(r),
                    "divided by the N points of the data alone; the prior's points are counted too, and they are `a` "
                    "for each of the K components: N + K * a",
                ),
                Mistake(
                    lambda r, a: (r.sum(axis=0) + a) / (len(r) + a),
                    "below, the prior's points are counted for one component only; they are `a` for each of the K: "
                    "N + K * a",
                ),
                Mistake(lambda r, a: r.mean(axis=0) + a, AFTER),
                Mistake(lambda r, a: (r.mean(axis=0) + a) / (1 + r.shape[1] * a), AFTER),
                Mistake(
                    lambda r, a: r.sum(axis=0) + a,
                    "these are the counts N_k + a; divide them by their sum, N + K * a, to make weights of them",
                ),
                Mistake(
                    lambda r, a: (r.sum(axis=0) + a / r.shape[1]) / (len(r) + a),
                    "here the components share `a` points among them; each of them has `a` of its own",
                ),
                Mistake(
                    lambda r, a: (r.sum(axis=0) + a - 1) / (len(r) + r.shape[1] * (a - 1)),
                    "1 was taken off: that is for a Dirichlet prior that is given by its parameters alpha. Here `a` "
                    "is the number of points itself, alpha - 1",
                ),
                Mistake(
                    lambda r, a: r.sum(axis=0) / (len(r) + r.shape[1] * a),
                    "the prior's points are counted below, but not above: N_k + a",
                ),
            ],
        )
    ],
)

# Who collapses? ---------------------------------------------------------------------------------------


def six_starts() -> dict[str, tuple[str, Mixture]]:
    """Six starts for the waiting times of Old Faithful, by letter: in words, and as mixtures.

    A has two components, about 55 and 80 minutes; the others have a third.
    """
    X = datasets.old_faithful().X[:, 1:]

    def start(mean: float, variance: float, **more: Any) -> Mixture:
        means, variances = np.array([[55.0], [80.0], [mean]]), np.array([36.0, 36.0, variance])
        return Mixture(np.full(3, 1 / 3), Gaussian(means, variances[:, None, None], **more))

    return {
        "A": ("two components, variance 36", Mixture([0.5, 0.5], Gaussian.univariate([55, 80], [36, 36]))),
        "B": ("a third at 78, variance 0.01", start(78, 0.01)),
        "C": ("a third at 78, variance 4", start(78, 4)),
        "D": ("as B, with a weak prior", start(78, 0.01, prior=Prior.weak(X, 3))),
        "E": ("as B, with a floor of 1e-6", start(78, 0.01, floor=1e-6)),
        "F": ("a third at 96, variance 0.3", start(96, 0.3)),
    }


@cache
def _collapsed() -> frozenset[str]:
    X = datasets.old_faithful().X[:, 1:]
    ends = {
        letter: fit(model, X, tol=1e-8, keep="values", warn=False)
        for letter, (_, model) in six_starts().items()
    }
    return frozenset(letter for letter, end in ends.items() if end.stop.reason == "collapsed")


def collapses(prediction: Any) -> Verdict:
    """Judge the prediction of lesson 8: the starts from which EM ends in a collapse.

    Parameters
    ----------
    prediction : str, or sequence of str, or None
        Their letters: "AB" or ["A", "B"]; None if there is no prediction yet.

    Returns
    -------
    Verdict
        Never raises, whatever the prediction.
    """
    return judge_letters("collapses", prediction, "start", six_starts(), _answer)


def _answer(given: set[str]) -> str:
    collapsed = set(_collapsed())
    if given == collapsed:
        return (
            "correct: what counts is how many distinct points a component can see, not how many there are; and a "
            "floor holds a collapse up, while a prior prevents it."
        )
    if not given:
        return "some do. In B the third component is so narrow that it sees nothing but the eruptions at 78"
    if given == set(six_starts()) - collapsed:
        return "these are the ones that end well; the question is which collapse"
    if "A" in given:
        return "not A: both components start wide, and each keeps a hundred points or more"
    if "D" in given:
        return "not D: a prior counts as points that do spread, so no variance can go to zero, wherever the fit starts"
    if "C" in given:
        return "not C: at variance 4 the third sees the neighbours of 78 as well, and they hold it open"
    if "E" not in given and {"B", "F"} & given:
        return (
            "E is among them: a floor stops the variance at a millionth and not the collapse. The component still "
            "sits on one value, and the floor alone sets its height"
        )
    if "B" not in given:
        return (
            "B is among them: the waiting times are whole minutes, so the fifteen eruptions at 78 are a single place, "
            "and have no variance"
        )
    return "F is among them: nobody else waited 96 minutes, and from 94 it is nearly four standard deviations"


# Which setting cures what? ----------------------------------------------------------------------------

# The symptoms, in the order of the lesson's text, and the settings of scikit-learn's GaussianMixture that cure them.
CURES = {"collapse": "reg_covar", "plateau": "tol", "poor maximum": "n_init"}
SETTINGS = frozenset(
    {
        "n_components",
        "covariance_type",
        "tol",
        "reg_covar",
        "max_iter",
        "n_init",
        "init_params",
        "weights_init",
        "means_init",
        "precisions_init",
        "random_state",
        "warm_start",
        "verbose",
        "verbose_interval",
    }
)
NOT_THIS = {
    "collapse": {
        "n_init": "more starts do not help: scikit-learn keeps the highest of them, and a collapsed one is "
        "the highest",
        "tol": "no tolerance decides where the fit goes; a smaller one lets the variance shrink further",
        "max_iter": "with fewer steps the component is caught half-way; it collapses all the same",
        "covariance_type": "a tied covariance does prevent it, but that is another model. Which setting keeps the "
        "model, and holds its variances up?",
        "n_components": "fewer components may collapse less, but that is another model. Which setting keeps the "
        "model, and holds its variances up?",
        "random_state": "another seed is another start, and that may collapse or not: it is luck",
    },
    "plateau": {
        "reg_covar": "on a plateau no variance is too small: the gains are. What says how small a gain may be "
        "before the fit stops?",
        "n_init": "with the same tolerance other starts may be stopped on the same plateau, all of them",
        "max_iter": "the fit was not stopped by the number of steps: it said that it had converged. Only once "
        "it goes on may it need more steps",
        "random_state": "with the same tolerance other seeds may be stopped on the same plateau, all of them",
    },
    "poor maximum": {
        "tol": "this fit has arrived: a smaller tolerance brings it nearer to the same poor maximum",
        "reg_covar": "no variance is too small here: the fit has gone up another hill",
        "max_iter": "this fit has arrived, and more steps bring it nowhere else",
        "random_state": "another seed is one more start, and you would have to compare by hand. What makes several "
        "starts, and keeps the best?",
        "init_params": "that says how a start is made, and no one way is safe. What makes several starts, and "
        "keeps the best?",
    },
}
ASK = {
    "collapse": "what keeps every variance from going to 0?",
    "plateau": "what says how small a gain may be before the fit stops?",
    "poor maximum": "what makes several starts, and keeps the best?",
}


def cures(my_cures: Any) -> Verdict:
    """Judge the prediction of lesson 8: which setting of scikit-learn's GaussianMixture cures which symptom.

    Parameters
    ----------
    my_cures : dict, or sequence of str, or str, or None
        For "collapse", "plateau" and "poor maximum" the name of a setting; a list, or a text with commas, has them in
        this order. None if there is no answer yet.

    Returns
    -------
    Verdict
        Never raises. For every wrong setting it says why it is no cure.
    """
    example = '{"collapse": "...", "plateau": "...", "poor maximum": "..."}'
    return judge("cures", my_cures, _matched, f"give a setting for each of the three: {example}", _cured)


def _matched(given: Any) -> dict[str, str]:
    """For every symptom a setting."""
    if isinstance(given, (set, frozenset)):
        raise TypeError("no order")
    if not isinstance(given, Mapping):
        words = re.split(r"[\s,;]+", given.strip()) if isinstance(given, str) else list(islice(given, 10))
        given = dict(zip(CURES, words, strict=True))
    pairs = [(_word(one), _word(other)) for one, other in given.items()]
    if all(one in SETTINGS for one, _ in pairs):  # turned round: the symptom of each setting
        pairs = [(symptom, setting) for setting, symptom in pairs]
    matched = {symptom.replace("_", " "): setting for symptom, setting in pairs}
    if len(matched) < len(pairs) or not matched.keys() <= CURES.keys():
        raise ValueError("not the three symptoms, each once")
    return matched


def _word(given: Any) -> str:
    """A name as it is compared: "reg_covar" of "Reg-covar = 1e-6"."""
    if not isinstance(given, str):
        raise TypeError("a name is a string")
    return re.sub(r"[\s_-]+", "_", given.partition("=")[0].strip().lower())


def _cured(given: dict[str, str]) -> str:
    lines = []
    for symptom, cure in CURES.items():
        setting = given.get(symptom)
        if setting is not None and setting not in SETTINGS:
            lines.append(f"{symptom}: GaussianMixture has no setting {setting!r}")
        elif setting not in (None, cure):
            lines.append(f"{symptom}: not {setting}: {NOT_THIS[symptom].get(setting, ASK[symptom])}")
    if missing := [symptom for symptom in CURES if symptom not in given]:
        lines.append(f"nothing yet for {' and '.join(missing)}")
    if lines:
        return "\n".join(lines)
    return (
        "correct: a floor under the variances, a smaller tolerance, more starts. The first holds a collapse up and "
        "does not undo it, so look at the fit all the same."
    )
