"""The exercises of lesson 1: the E-step and the M-step on a line, and who changes colour next."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from emlib import datasets
from emlib.families import Gaussian
from emlib.fitting import fit
from emlib.mixture import Mixture
from emlib.validate import Array
from exercises.judge import Exercise, Mistake, Part, Verdict, judge

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


def _shares_break(resp: Array, x: Array, *_: Array) -> str:
    """Which rule of responsibilities a table breaks."""
    if resp.min() < 0:
        return f"a responsibility is a probability, and the smallest here is {resp.min():.6g}"
    sums = resp.sum(axis=1)
    if (sums == 0).any():
        return f"row {int(np.argmin(sums))} is all zeros: is it ever filled?"
    worst = int(np.argmax(np.abs(sums - 1)))
    if abs(sums[worst] - 1) > 1e-8:
        return f"each row must sum to 1, and row {worst} (x = {x[worst]:g}) sums to {sums[worst]:.6g}"
    if np.isin(resp, (0, 1)).all():
        return "every point went to a single component, and not always to the likeliest; EM wants the shares"
    return "the rows do sum to 1, but the shares within them are off"


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

e_step_1d = Exercise(
    name="e_step_1d",
    arguments=("x", "weights", "means", "variances"),
    by_hand="e_step",
    cases=CASES,
    praise="every point is shared out whole, by weight times density.",
    parts=[
        Part(
            "resp",
            "(N, K): one row for each point, one column for each component",
            lambda *case: shares(joint_density(*case)),
            rule=_shares_break,
            mistakes=[
                Mistake(
                    lambda *case: joint_density(*case) / joint_density(*case).sum(axis=0),
                    "the columns sum to 1, over the points; a point is shared out among the components, so each "
                    "row must: sum along axis 1, with keepdims=True",
                ),
                Mistake(
                    lambda x, w, m, v: shares(joint_density(x, w, m, v**2)),
                    "the spread is a variance, and it was used as a standard deviation: norm.pdf(x, mean, scale) "
                    "wants scale=np.sqrt(variance)",
                ),
                Mistake(
                    lambda x, w, m, v: shares(joint_density(x, w, m, np.sqrt(v))),
                    "a square root too many: the formula wants the variance, and the variances are given",
                ),
                Mistake(
                    lambda x, w, m, v: shares(joint_density(x, np.ones_like(w), m, v)),
                    "the weights are missing: a component that is chosen more often gets more of every point; "
                    "multiply each density by its weight",
                ),
                Mistake(
                    joint_density,
                    "this is weight times density, one story for each component; now divide every row by its sum, "
                    "so that only the proportions count",
                ),
                Mistake(
                    lambda x, w, m, v: normal(x[:, None], m, v),
                    "these are the bare densities; multiply by the weights, then divide every row by its sum",
                ),
                Mistake(
                    lambda *case: joint_density(*case) / joint_density(*case).sum(),
                    "the whole table sums to 1; each of its rows must: every point is shared out on its own",
                ),
                Mistake(
                    lambda x, w, m, v: shares(w * np.exp(-((x[:, None] - m) ** 2) / (2 * v))),
                    "the factor 1 / sqrt(2 pi variance) is missing. It differs between components, so it does not "
                    "cancel: a narrow component is higher",
                ),
                Mistake(
                    lambda x, w, m, v: shares(w * normal(x[:, None], m, v) / np.sqrt(v)),
                    "the factor in front of the density is off: it is 1 / sqrt(2 pi variance), with the root over "
                    "the variance too",
                ),
                Mistake(
                    lambda x, w, m, v: shares(
                        w * np.exp(-((x[:, None] - m) ** 2) / v) / np.sqrt(2 * np.pi * v)
                    ),
                    "the 2 under the square is missing: the exponent is -(x - mean)^2 / (2 variance)",
                ),
                Mistake(
                    lambda *case: (
                        (joint_density(*case) == joint_density(*case).max(axis=1, keepdims=True)) * 1.0
                    ),
                    "every point went to a single component; EM wants the shares themselves, doubts included",
                ),
                Mistake(
                    lambda *case: joint_density(*case).argmax(axis=1),
                    "this is the number of the most probable component; EM wants all the shares, (N, K)",
                ),
                Mistake(
                    lambda *case: shares(np.log(joint_density(*case))),
                    "the logarithms were normalised; shares are proportions of the densities themselves",
                ),
                Mistake(
                    lambda x, w, m, v: shares(w * np.log(normal(x[:, None], m, v))),
                    "norm.logpdf gives the logarithm of the density; the shares want the density, norm.pdf",
                ),
                Mistake(
                    lambda *case: np.log(joint_density(*case)),
                    "these are the logarithms of weight times density; take np.exp, then divide every row by its sum",
                ),
                Mistake(
                    lambda x, w, m, v: shares(
                        w * np.exp(-((x[:, None] - m) ** 2) / 2 * v) / np.sqrt(2 * np.pi * v)
                    ),
                    "`/ 2 * v` divides by 2 and multiplies by v; the exponent needs brackets: / (2 * v)",
                ),
                Mistake(
                    lambda x, w, m, v: shares(w * np.exp(-((x[:, None] - m) ** 2) / (2 * v)) * v),
                    "`/ np.sqrt(2 * np.pi) * v` multiplies by v; the root goes over all of it: "
                    "/ np.sqrt(2 * np.pi * v)",
                ),
                Mistake(
                    lambda x, w, m, v: shares(w * np.exp(-((x[:, None] - m) ** 2) / (2 * v)) * np.sqrt(v)),
                    "the root of the variance multiplies; it must divide: / np.sqrt(2 * np.pi * v), with brackets",
                ),
                Mistake(
                    lambda x, w, m, v: shares(
                        w * np.exp((x[:, None] - m) ** 2 / (2 * v)) / np.sqrt(2 * np.pi * v)
                    ),
                    "the minus in the exponent is missing: a density falls away from its mean",
                ),
                Mistake(
                    lambda x, w, m, v: shares(
                        w * np.exp(-((x[:, None] - m) ** 2) / (2 * v**2)) / np.sqrt(2 * np.pi * v)
                    ),
                    "the variance was squared in the exponent; it is already sigma squared",
                ),
                Mistake(
                    lambda x, w, m, v: w * shares(normal(x[:, None], m, v)),
                    "the weights came after the division, so the rows no longer sum to 1: multiply first, then divide",
                ),
                Mistake(
                    lambda *case: joint_density(*case) / joint_density(*case).max(axis=1, keepdims=True),
                    "every row was divided by its maximum; divide it by its sum",
                ),
                Mistake(
                    lambda x, w, m, v: np.eye(len(m))[np.abs(x[:, None] - m).argmin(axis=1)],
                    "every point went to the nearest mean; EM wants shares, by weight times density",
                ),
                Mistake(
                    lambda x, w, m, v: joint_density(x, w, m, v**2),
                    "two things: the variance was used as a standard deviation (norm.pdf wants "
                    "scale=np.sqrt(variance)), and every row is yet to be divided by its sum",
                ),
                Mistake(
                    lambda x, w, m, v: shares(normal(x[:, None], m, v**2)),
                    "two things: the weights are missing, and the variance was used as a standard deviation "
                    "(norm.pdf wants scale=np.sqrt(variance))",
                ),
                Mistake(
                    lambda *case: shares(joint_density(*case)).T.reshape(joint_density(*case).shape),
                    "a table (K, N) was reshaped to (N, K), which shuffles its entries; transpose it instead, with .T",
                ),
                Mistake(
                    lambda *case: np.log(shares(joint_density(*case))),
                    "these are the logarithms of the right answer; take np.exp of them",
                ),
                Mistake(
                    lambda *case: shares(joint_density(*case)).T,
                    "this is the right table lying on its side: one row for each point, (N, K), not (K, N)",
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
    if abs(weights.sum() - 1) > 1e-8:
        return f"weights are probabilities and must sum to 1; these sum to {weights.sum():.6g}"
    if weights.min() < 0:
        return f"a weight is a probability, and weights[{int(np.argmin(weights))}] is {weights.min():.6g}"
    return "these do sum to 1, but they are not the shares N_k / N of the points"


def _means_break(means: Array, x: Array, resp: Array) -> str:
    if means.min() < x.min() or means.max() > x.max():
        return f"a mean of points lies between them, from {x.min():g} to {x.max():g}"
    overall = counts(resp) @ means / len(x)
    if abs(overall - x.mean()) < 1e-8 * np.ptp(x):
        return ""
    return f"weighted by the shares of the points, the means must average to {x.mean():.6g}; these, to {overall:.6g}"


def _variances_break(variances: Array, x: Array, resp: Array) -> str:
    if variances.min() < 0:
        worst = int(np.argmin(variances))
        found = f"variances[{worst}] is {variances[worst]:.6g}"
        return f"a variance is a mean of squares and cannot be negative, and {found}"
    shares = counts(resp) / len(x)
    total = shares @ (variances + (_means(x, resp) - x.mean()) ** 2)
    if abs(total - x.var()) < 1e-8 * x.var():
        return ""
    return f"together with the means they must give the variance of all points, {x.var():.6g}; they give {total:.6g}"


# Responsibilities with many digits, so that nothing rounded passes.
_X = np.array([-2.0, 1.1, 1.5, 4.2, 9.0])

_RESP = shares(
    joint_density(_X, np.array([0.3, 0.4, 0.3]), np.array([-1.0, 2.0, 5.0]), np.array([9.0, 4.0, 16.0]))
)

_Y = np.array([0.31, 0.12, 0.54, 0.83])

_RESP_Y = shares(joint_density(_Y, np.array([0.6, 0.4]), np.array([0.2, 0.7]), np.array([0.1, 0.05])))

_ORDER = "these numbers belong elsewhere: return weights, means, variances, in this order"

m_step_1d = Exercise(
    name="m_step_1d",
    arguments=("x", "resp"),
    by_hand="m_step",
    cases=[
        (_X, _RESP),
        (_Y, _RESP_Y),
    ],
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
                    "equal weights were the guess; the new weight of a component is its share of the points",
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
                Mistake(lambda x, resp: _means(x, resp), _ORDER),
                Mistake(lambda x, resp: _squares(x, resp) / counts(resp), _ORDER),
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
                    lambda x, resp: hard(resp).T @ x / np.maximum(counts(hard(resp)), 1e-300),
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
                Mistake(lambda x, resp: _squares(x, resp) / counts(resp), _ORDER),
                Mistake(lambda x, resp: counts(resp) / len(x), _ORDER),
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
                    lambda x, resp: np.full(resp.shape[1], x.var()),
                    "this is the plain variance of all points, for every component; let each point count by its "
                    "share, about the component's own mean",
                ),
                Mistake(
                    lambda x, resp: ((x[:, None] - _means(x, resp)) ** 2).mean(axis=0),
                    "every point counts in full here; let it count by its share, and divide by N_k",
                ),
                Mistake(
                    lambda x, resp: resp.T @ x**2 / counts(resp),
                    "this is the mean of x squared; take the squares of x minus the component's mean (or was the mean "
                    "still 0 there? Work it out first)",
                ),
                Mistake(
                    lambda x, resp: np.abs(resp * (x[:, None] - _means(x, resp))).sum(axis=0) / counts(resp),
                    "these are mean distances; square the distances",
                ),
                Mistake(
                    lambda x, resp: ((resp * (x[:, None] - _means(x, resp))) ** 2).sum(axis=0) / counts(resp),
                    "the responsibility was squared along with the distance: only x - mean is squared",
                ),
                Mistake(
                    lambda x, resp: (resp * (x[:, None] - _means(x, resp))).sum(axis=0) ** 2 / counts(resp),
                    "distances above and below the mean cancel: square each distance before you add them up",
                ),
                Mistake(
                    lambda x, resp: ((resp * x[:, None] - _means(x, resp)) ** 2).sum(axis=0) / counts(resp),
                    "the point was weighted before the mean was taken off; weight the squared distance: "
                    "resp * (x - mean)^2",
                ),
                Mistake(
                    lambda x, resp: resp.T @ x**2 / counts(resp) - _means(x, resp),
                    "the mean of x squared, minus the mean; it must be minus the mean squared",
                ),
                Mistake(
                    lambda x, resp: np.full(resp.shape[1], _squares(x, resp).sum() / len(x)),
                    "one variance for all components; each has its own: sum over the points only, and divide by N_k",
                ),
                Mistake(
                    lambda x, resp: _squares(x, resp) / (len(x) - 1),
                    "divided by N - 1; component k holds only N_k points: divide its sum by N_k",
                ),
                Mistake(
                    lambda x, resp: [np.cov(x, aweights=r) for r in resp.T],
                    "np.cov corrects for the bias of a sample unless it is told ddof=0; the most likely variance is "
                    "not corrected",
                ),
                Mistake(lambda x, resp: _means(x, resp), _ORDER),
                Mistake(lambda x, resp: counts(resp) / len(x), _ORDER),
            ],
        ),
    ],
)

# A prediction -----------------------------------------------------------------------------------------


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
    if isinstance(prediction, (set, frozenset)):
        prediction = list(prediction)
    if np.asarray(prediction).dtype == bool:
        raise TypeError("a mask")
    return {round(float(x), 2) for x in np.ravel(np.asarray(prediction, dtype=float))}


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
