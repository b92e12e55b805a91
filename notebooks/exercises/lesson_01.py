"""The exercises of lesson 1: the E-step and the M-step on a line, who changes colour next, and a line that fell."""

from __future__ import annotations

from collections.abc import Iterator, Set
from functools import cache
from itertools import islice
from typing import Any

import numpy as np

from emlib import datasets
from emlib.families import Gaussian
from emlib.fitting import fit
from emlib.mixture import Mixture
from emlib.validate import Array
from exercises.judge import Exercise, Mistake, Part, Verdict, judge
from exercises.predictions import lone_number

# The E-step -------------------------------------------------------------------------------------------


def normal(x: Array, mean: Array, variance: Array) -> Array:
    """Density of a Gaussian."""
    return np.exp(-((x - mean) ** 2) / (2 * variance)) / np.sqrt(2 * np.pi * variance)


def joint_density(x: Array, weights: Array, means: Array, variances: Array) -> Array:
    """Weight times density, (N, K)."""
    return weights * normal(x[:, None], means, variances)


def shares(joint: Array) -> Array:
    """Every row divided by its sum."""
    return joint / joint.sum(axis=1, keepdims=True)


def shares_break(resp: Array, x: Array | None = None) -> str:
    """Which rule of responsibilities a table breaks."""
    if resp.min() < -1e-9:
        return f"a responsibility is a probability, and the smallest here is {resp.min():.6g}"
    sums = resp.sum(axis=1)
    worst = int(np.argmax(np.abs(sums - 1)))
    if abs(sums[worst] - 1) < 1e-5:
        return "the rows do sum to 1, but the shares within them are off"
    found = f"row {worst}{'' if x is None else f' (x = {x[worst]:g})'} sums to {sums[worst]:.6g}"
    if abs(resp.sum() - 1) < 1e-5 and np.abs(sums - 1).min() > 1e-5:
        return f"the whole table sums to 1, and each row must: {found}"
    if np.allclose(resp.sum(axis=0), 1, atol=1e-5):
        return f"the columns sum to 1, and the rows must: {found}"
    return f"each row must sum to 1, and {found}"


# Points, weights, means and variances: two mixtures on a line, which lessons 5 and 9 ask about, too.
CASES: list[tuple[Array, ...]] = [
    (
        np.array([-3.1, -1.0, 0.52, 1.9, 2.6, 4.0, 5.7]),
        np.array([0.5, 0.2, 0.3]),
        np.array([-2.0, 1.1, 4.0]),
        np.array([4.0, 0.25, 2.0]),
    ),
    (np.array([0.2, 1.0, 4.3]), np.array([0.9, 0.1]), np.array([0.0, 3.1]), np.array([9.0, 0.5])),
]

# Far from all means, where densities are as small as 1e-30; and at 1.4 no component has half of the point.
_FAR = (
    np.array([-11.0, 0.4, 1.4, 17.5, 30.0]),
    np.array([0.1, 0.2, 0.3, 0.4]),
    np.array([-1.0, 0.5, 3.0, 12.0]),
    np.array([2.0, 0.3, 1.5, 6.0]),
)

_SPREAD = (
    "variance and standard deviation are mixed up: norm.pdf(x, mean, scale) wants scale=np.sqrt(variance), and the "
    "lesson's normal(x, mean, variance) the variance itself"
)

_TWO = (np.array([0.2, 1.0, 4.3, -2.4, 8.1, 2.9]), *CASES[1][1:])

e_step_1d = Exercise(
    name="e_step_1d",
    arguments=("x", "weights", "means", "variances"),
    shapes=("(N,)", "(K,)", "(K,)", "(K,)"),
    by_hand="e_step",
    cases=[CASES[0], _FAR, _TWO],
    edges=[
        (np.array([0.7]), np.array([0.6, 0.4]), np.array([-1.0, 2.5]), np.array([2.0, 0.7])),
        (np.array([0.7, 3.2, -1.4]), np.array([1.0]), np.array([0.5]), np.array([2.2])),
    ],
    whole=[
        (np.array([-3, 0, 1, 4, 7]), np.array([0.5, 0.3, 0.2]), np.array([-2, 1, 5]), np.array([4, 1, 3])),
    ],
    praise="every point is shared out whole, by weight times density.",
    parts=[
        Part(
            "resp",
            "(N, K): one row for each point, one column for each component",
            lambda *case: shares(joint_density(*case)),
            rule=lambda resp, x, *_: shares_break(resp, x),
            mistakes=[
                Mistake(
                    lambda *case: joint_density(*case) / joint_density(*case).sum(axis=0),
                    "the columns sum to 1, over the points; a point is shared out among the components, so each "
                    "row must: sum along axis 1, with keepdims=True",
                ),
                Mistake(
                    lambda *case: joint_density(*case) / joint_density(*case).sum(),
                    "the whole table sums to 1; each of its rows must: every point is shared out on its own",
                ),
                Mistake(
                    lambda x, w, m, v: shares(joint_density(x, w, m, v**2)),
                    _SPREAD,
                ),
                Mistake(lambda x, w, m, v: shares(joint_density(x, w, m, np.sqrt(v))), _SPREAD),
                Mistake(
                    lambda x, w, m, v: shares(joint_density(x, np.ones_like(w), m, v)),
                    "the weights are missing: a component that is chosen more often gets more of every point; "
                    "multiply each density by its weight",
                ),
                Mistake(
                    joint_density,
                    "this is weight times density; now divide every row by its sum, so that only the proportions "
                    "count",
                ),
                Mistake(
                    lambda x, w, m, v: normal(x[:, None], m, v),
                    "these are the bare densities; multiply by the weights, then divide every row by its sum",
                ),
                Mistake(
                    lambda x, w, m, v: shares(w * np.exp(-((x[:, None] - m) ** 2) / (2 * v))),
                    "the factor 1 / sqrt(2 pi variance) is missing. It differs between components, so it does not "
                    "cancel: a narrow component is higher",
                ),
                Mistake(
                    lambda *case: (
                        (joint_density(*case) == joint_density(*case).max(axis=1, keepdims=True)) * 1.0
                    ),
                    "every point went whole to its likeliest component; EM wants the shares, doubts included",
                ),
            ],
        )
    ],
)

# The M-step -------------------------------------------------------------------------------------------


def counts(resp: Array) -> Array:
    """N_k, the sum of every column, (K,)."""
    return resp.sum(axis=0)


def _means(x: Array, resp: Array) -> Array:
    return resp.T @ x / counts(resp)


def _squares(x: Array, resp: Array) -> Array:
    """Sum of r_nk (x_n - mu_k)^2, (K,)."""
    return (resp * (x[:, None] - _means(x, resp)) ** 2).sum(axis=0)


def hard(resp: Array) -> Array:
    """1 at the largest share of every row, 0 elsewhere."""
    return (resp == resp.max(axis=1, keepdims=True)) * 1.0


def _weights_break(weights: Array, x: Array, resp: Array) -> str:
    if abs(weights.sum() - 1) > 1e-5:
        return f"weights are probabilities and must sum to 1; these sum to {weights.sum():.6g}"
    if weights.min() < -1e-9:
        return f"a weight is a probability, and weights[{int(np.argmin(weights))}] is {weights.min():.6g}"
    return "these do sum to 1, but they are not the shares N_k / N of the points"


def _means_break(means: Array, x: Array, resp: Array) -> str:
    if means.min() < x.min() - 1e-9 or means.max() > x.max() + 1e-9:
        return f"a mean of points lies between them, from {x.min():g} to {x.max():g}"
    overall = counts(resp) @ means / len(x)
    if abs(overall - x.mean()) < 1e-5 * np.ptp(x):
        return ""
    return f"weighted by the shares of the points, the means must average to {x.mean():.6g}; these, to {overall:.6g}"


def _variances_break(variances: Array, x: Array, resp: Array) -> str:
    if variances.min() < -1e-9:
        worst = int(np.argmin(variances))
        found = f"variances[{worst}] is {variances[worst]:.6g}"
        return f"a variance is a mean of squares and cannot be negative, and {found}"
    shares = counts(resp) / len(x)
    total = shares @ (variances + (_means(x, resp) - x.mean()) ** 2)
    if abs(total - x.var()) < 1e-5 * x.var():
        return ""
    return f"together with the means they must give the variance of all points, {x.var():.6g}; they give {total:.6g}"


# Responsibilities with many digits, so that nothing rounded passes.
_X = np.array([-2.0, 1.1, 1.5, 4.2, 9.0])

_RESP = shares(
    joint_density(_X, np.array([0.3, 0.4, 0.3]), np.array([-1.0, 2.0, 5.0]), np.array([9.0, 4.0, 16.0]))
)

_Y = np.array([0.31, 0.12, 0.54, 0.83])

_RESP_Y = shares(joint_density(_Y, np.array([0.6, 0.4]), np.array([0.2, 0.7]), np.array([0.1, 0.05])))

# A far point that one component holds whole.
_Z = np.array([-41.0, 2.2, 2.5, 3.1, 90.0, 7.0])

_RESP_Z = shares(
    np.array(
        [
            [0.84, 0.91, 0.14, 0.76],
            [0.96, 0.28, 0.66, 0.99],
            [0.41, 0.54, 1.00, 0.53],
            [0.42, 0.99, 0.65, 0.29],
            [0.00, 0.00, 1.00, 0.00],
            [0.13, 0.84, 0.85, 0.91],
        ]
    )
)

m_step_1d = Exercise(
    name="m_step_1d",
    arguments=("x", "resp"),
    shapes=("(N,)", "(N, K)"),
    by_hand="m_step",
    cases=[(_X, _RESP), (_Y, _RESP_Y), (_Z, _RESP_Z)],
    edges=[(np.array([1.3, 4.0, 6.4]), np.ones((3, 1))), (np.array([2.5]), np.array([[0.3, 0.7]]))],
    whole=[(np.array([-2, 1, 2, 4, 9]), _RESP)],
    praise="every point counts by its shares, and the variances are about the new means.",
    parts=[
        Part(
            "weights",
            "(K,): one number for each component",
            lambda x, resp: counts(resp) / len(x),
            rule=_weights_break,
            mistakes=[
                Mistake(
                    lambda x, resp: counts(resp),
                    "these are the counts N_k; a weight is a share of all N points: divide by len(x)",
                ),
                Mistake(
                    lambda x, resp: np.full(resp.shape[1], 1 / resp.shape[1]),
                    "these are equal weights; the new weight of a component is its share of the points, N_k / N",
                ),
                Mistake(
                    lambda x, resp: counts(resp) / resp.shape[1],
                    "divided by the number of components K; a share of the points is N_k divided by N = len(x)",
                ),
                Mistake(
                    lambda x, resp: resp.mean(axis=1),
                    "averaged over the components; a weight is an average over the points: axis 0",
                ),
                Mistake(
                    lambda x, resp: resp.sum(axis=1),
                    "summed over the components, which gives 1 for every point; N_k sums over the points: axis 0",
                ),
                Mistake(
                    lambda x, resp: counts(hard(resp)) / len(x),
                    "every point was counted for its likeliest component only; count its shares",
                ),
            ],
        ),
        Part(
            "means",
            "(K,): one number for each component",
            _means,
            rule=_means_break,
            mistakes=[
                Mistake(
                    lambda x, resp: resp.T @ x / len(x),
                    "divided by N; component k holds only N_k points: divide its sum by N_k = resp[:, k].sum()",
                ),
                Mistake(
                    lambda x, resp: resp.T @ x,
                    "these are the sums of r_nk x_n; divide each by N_k to make it a mean",
                ),
                Mistake(
                    lambda x, resp: np.full(resp.shape[1], x.mean()),
                    "this is the plain mean of all points, for every component; let each point count by its share",
                ),
                Mistake(
                    lambda x, resp: hard(resp).T @ x / counts(hard(resp)),
                    "every point was given to its likeliest component only (that is k-means); let it count by its "
                    "shares",
                ),
                Mistake(
                    lambda x, resp: resp.T @ x / resp.shape[1],
                    "divided by the number of components; divide by N_k, the points that component k holds",
                ),
                Mistake(
                    lambda x, resp: (resp**2).T @ x / (resp**2).sum(axis=0),
                    "the responsibilities were squared; each point counts by r_nk itself",
                ),
            ],
        ),
        Part(
            "variances",
            "(K,): one number for each component",
            lambda x, resp: _squares(x, resp) / counts(resp),
            rule=_variances_break,
            mistakes=[
                Mistake(
                    lambda x, resp: np.sqrt(_squares(x, resp) / counts(resp)),
                    "these are standard deviations; the course keeps variances: leave out the square root",
                ),
                Mistake(
                    lambda x, resp: _squares(x, resp) / (counts(resp) - 1),
                    "divided by N_k - 1. That corrects the bias of one sample; the most likely variance has N_k",
                ),
                Mistake(
                    lambda x, resp: _squares(x, resp) / len(x),
                    "divided by N; component k holds only N_k points: divide its sum by N_k",
                ),
                Mistake(_squares, "these are the sums of squares; divide each by N_k to make it a variance"),
                Mistake(
                    lambda x, resp: (resp * (x[:, None] - x.mean()) ** 2).sum(axis=0) / counts(resp),
                    "taken about the mean of all points; take each about its own component's new mean",
                ),
                Mistake(
                    lambda x, resp: ((x[:, None] - _means(x, resp)) ** 2).mean(axis=0),
                    "every point counts in full here; let it count by its share, and divide by N_k",
                ),
                Mistake(
                    lambda x, resp: resp.T @ x**2 / counts(resp),
                    "this is the mean of x squared; take the squares of x minus the component's new mean",
                ),
                Mistake(
                    lambda x, resp: ((resp * (x[:, None] - _means(x, resp))) ** 2).sum(axis=0) / counts(resp),
                    "the responsibility was squared along with the distance: only x - mean is squared",
                ),
            ],
        ),
    ],
)

# Who changes colour next? -----------------------------------------------------------------------------


@cache
def _red_after(iteration: int) -> frozenset[float]:
    """The points of the middle cluster that are more red than blue then, to two digits."""
    data = datasets.three_clusters()
    guess = Mixture(np.full(3, 1 / 3), Gaussian.univariate([-5, 8, 1.5], [25, 9, 1]))
    model = fit(guess, data.X, tol=0, max_iter=iteration).model
    red = (model.predict(data.X) == 0) & (data.labels == 2)
    return frozenset(data.X[red, 0].round(2).tolist())


def next_to_change(prediction: Any) -> Verdict:
    """Judge the prediction of lesson 1: the red points of the middle that turn blue in iteration 4.

    Parameters
    ----------
    prediction : array_like or None
        Their positions x, to two digits; None if there is no prediction yet.

    Returns
    -------
    Verdict
        Never raises, whatever the prediction.
    """
    form = "give the positions of the points in a list, for example [-2.75, -1.96]"
    return judge("next_to_change", prediction, _positions, form, _answer)


def _positions(prediction: Any) -> set[float]:
    if isinstance(prediction, (Set, Iterator)):
        prediction = list(islice(prediction, 61))
    if (hasattr(prediction, "__len__") and len(prediction) > 60) or np.asarray(prediction).dtype == bool:
        raise TypeError("a mask, or more than there are")
    positions = np.ravel(np.asarray(prediction, dtype=float))
    if isinstance(prediction, bytes) or np.iscomplexobj(prediction) or not np.isfinite(positions).all():
        raise ValueError("nowhere")
    return {round(float(x), 2) + 0.0 for x in positions}


def _answer(given: set[float]) -> str:
    red = _red_after(3)
    order, answer = sorted(red), set(red - _red_after(4))
    if given == answer:
        return (
            "correct: the one nearest to the blue component, and the least red of the five, turns first. It pulls "
            "the blue mean and spread towards the next."
        )
    if not given:
        return "somebody does turn. Which of the five is least sure of being red?"
    if given == red:
        return "not all at once: each step moves the border a little. Who is nearest to it?"
    if given == {order[0]}:
        return (
            f"{order[0]} is the farthest from blue and the surest of being red, so it turns last. Look at the other "
            "end of the five"
        )
    if answer < given <= red:
        more = ", ".join(str(x) for x in sorted(given - answer))
        return f"{min(answer)} does turn; but not {more} in this same step: the border has not come so far"
    if given <= red:
        return (
            "these turn later: the border between red and blue comes from the right, so the point nearest to blue "
            "turns first"
        )
    strangers = sorted(given - red)
    if {-x for x in given} <= red:
        return "a minus sign is missing: the five lie to the left of 0"
    if all(float(x).is_integer() and 0 <= x < 60 for x in strangers):
        return f"{strangers[0]:g} looks like the number of a point; give its position x"
    points = set(datasets.three_clusters().X[:, 0].round(2).tolist())
    if not points.issuperset(strangers):
        return f"there is no point at {min(set(strangers) - points)}; the five red ones are at {order}"
    return f"{strangers[0]} is none of the five; they are at {order}"


# Which line made it fall? -----------------------------------------------------------------------------

LINES = {
    1: "line 1 is right: these are the means of your M-step, every point counted by its shares",
    2: "line 2 is right: a variance is a mean of squares, here about the new means. It is good that you looked at the "
    "variances: now look at what becomes of them further down",
    3: "line 3 is right: a weight is a component's share of all the points, N_k / N",
    5: "line 5 is right: a sum over the components, a logarithm for each point, and then the sum over the points",
}


def which_line_fell(my_answer: Any) -> Verdict:
    """Judge the prediction of lesson 1: the line of a short program that makes its log-likelihood fall.

    Parameters
    ----------
    my_answer : int or None
        The number of the line, 1 to 5; None if there is no answer yet.

    Returns
    -------
    Verdict
        Never raises, whatever the answer.
    """
    return judge("which_line_fell", my_answer, lone_number, "give the number of one line, 1 to 5", _fell)


def _fell(given: float) -> str:
    if given == 4:
        return "correct: `scale` is a standard deviation, and line 4 gives it a variance. It wants the root, np.sqrt."
    return LINES[int(given)] if given in LINES else "the lines have the numbers 1 to 5"
