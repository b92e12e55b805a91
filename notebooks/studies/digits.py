"""Lesson 12's measurements of mixtures on digits that they have not seen.

Fits mixtures of many structures and numbers of components to 1,200 of the 1,797 digits, five times, and to all of them;
class mixtures and simple classifiers on the same splits. Writes digits.csv and digits_classes.csv beside itself.
Takes about three minutes with one thread.

Run it: python notebooks/studies/digits.py

Every task draws from a seed of its own, so each row can be computed by itself.
"""

import csv
import warnings
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_softmax, logsumexp
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.metrics import pairwise_distances_argmin_min
from sklearn.neighbors import KNeighborsClassifier, NearestCentroid
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from emlib import Gaussian, Mixture, Prior, datasets, fit, select, start

HERE = Path(__file__).resolve().parent
Array = NDArray[Any]
SPLITS = range(5)
NUMBERS = [1, 2, 3, 5, 7, 10, 20, 30, 50, 70, 100, 150, 200]
STRUCTURES = ["full", "tied", "diag", "spherical", "shrunk"]
WORTH = 20  # of the prior covariance, in points
FLOOR = 1e-6


class Part(NamedTuple):
    """Digits in the whitened principal components of the training digits, 99% of their variance."""

    train: Array  # (1200, D)
    unseen: Array  # (597, D)
    labels: Array  # (1200,)
    truth: Array  # (597,)
    pixels: tuple[Array, Array]  # the same digits as they came


@cache
def split(number: int) -> Part:
    """1,200 digits to train on and 597 unseen ones; number -1 is all digits, and nothing unseen."""
    data = datasets.digits()
    order = np.arange(1797) if number < 0 else np.random.default_rng(number).permutation(1797)
    train, unseen = (order, order[:0]) if number < 0 else (order[:1200], order[1200:])
    X, y = data.X, data.labels
    pca = PCA(0.99, whiten=True).fit(X[train])
    placed = pca.transform(X)
    return Part(placed[train], placed[unseen], y[train], y[unseen], (X[train], X[unseen]))


def shrunk(X: Array, K: int, rng: np.random.Generator, worth: float = WORTH) -> Mixture:
    """A start from k-means; its prior gives each covariance `worth` points that spread as all clusters do, pooled."""
    pooled = start.k_means(X, K, rng, structure="tied")
    labels = np.asarray(((X[:, None] - pooled.components.means) ** 2).sum(axis=2).argmin(axis=1))
    return start.from_labels(X, labels, prior=Prior(pooled.components.covariances, worth))


def mixture_row(model: str, K: int, number: int) -> dict[str, Any]:
    """One mixture of all digits together. "shrunk" has the prior; "shrunk 80" one worth 80 points."""
    X, unseen = split(number)[:2]
    rng = np.random.default_rng([number + 1, K])
    if model.startswith("shrunk"):
        first = shrunk(X, K, rng, float(model[6:] or WORTH))
    else:
        first = start.k_means(X, K, rng, structure=model, ridge=FLOOR)
    trace = fit(first, X, tol=1e-5, max_iter=500, keep="values")
    found = measures(trace.model, X, unseen, criteria=not model.startswith("shrunk"))
    end = {"steps": trace.stop.n_iter, "stop": trace.stop.reason}
    return {"model": model, "K": K, "split": number, "D": X.shape[1]} | found | end


def measures(mixture: Mixture, X: Array, unseen: Array, criteria: bool) -> dict[str, Any]:
    """What the lesson compares. Unseen digits come in two parts: 300 to choose a model by, 297 to report on."""
    found: dict[str, Any] = {"parameters": mixture.n_parameters, "train": select.held_out(mixture, X)}
    if criteria:  # a prior takes freedom away, and these count it all
        found |= {"aic": select.aic(mixture, X), "bic": select.bic(mixture, X)}
    if len(unseen):
        found |= {"choose": select.held_out(mixture, unseen[:300])}
        found |= {"report": select.held_out(mixture, unseen[300:])}
        samples = mixture.sample(len(unseen), np.random.default_rng(0))[0]
        found |= {"near": np.median(pairwise_distances_argmin_min(samples, X)[1])}
    return found


def unseen_row(number: int) -> dict[str, Any]:
    """How far the unseen digits themselves lie from the training digits."""
    X, unseen = split(number)[:2]
    near = np.median(pairwise_distances_argmin_min(unseen, X)[1])
    return {"model": "unseen digits", "K": 0, "split": number, "D": X.shape[1], "near": near}


# One mixture a class -----------------------------------------------------------------------------------------


def class_mixtures(number: int, each: int, worth: float = WORTH) -> list[Mixture]:
    """A mixture for each of the ten classes. The prior covariance is pooled over all clusters of all classes."""
    X, _, labels, *_ = split(number)
    own = [X[labels == c] for c in range(10)]
    rng = np.random.default_rng([number + 1, each])
    starts = [start.k_means(Z, each, rng, structure="spherical", ridge=FLOOR) for Z in own]
    nearest = [
        ((Z[:, None] - m.components.means) ** 2).sum(axis=2).argmin(axis=1)
        for Z, m in zip(own, starts, strict=True)
    ]
    clusters = np.concatenate([c * each + k for c, k in enumerate(nearest)])
    pooled = start.from_labels(np.concatenate(own), clusters, structure="tied").components.covariances
    prior = {"prior": Prior(pooled, worth)} if worth else {"ridge": FLOOR}
    firsts = [start.from_labels(Z, k, **prior) for Z, k in zip(own, nearest, strict=True)]
    return [fit(m, Z, tol=1e-5, max_iter=500, keep="values").model for m, Z in zip(firsts, own, strict=True)]


def posterior(number: int, each: int, worth: float = WORTH) -> Array:
    """Log-probabilities of the classes of the unseen digits, (597, 10), by Bayes' rule."""
    part, models = split(number), class_mixtures(number, each, worth)
    shares = np.bincount(part.labels) / len(part.labels)
    return log_softmax(
        np.stack([m.log_density(part.unseen) for m in models], axis=1) + np.log(shares), axis=1
    )


def simple(model: Any, whitened: bool = False) -> Callable[[int], tuple[Array, Array | None]]:
    """A classifier of scikit-learn's, on pixels or on whitened principal components."""

    def run(number: int) -> tuple[Array, Array | None]:
        part = split(number)
        train, unseen = (part.train, part.unseen) if whitened else part.pixels
        fitted = model().fit(train, part.labels)
        logs = fitted.predict_log_proba(unseen) if whitened and model is LinearDiscriminantAnalysis else None
        return fitted.predict(unseen), logs

    return run


def by_mixtures(each: int, worth: float) -> Callable[[int], tuple[Array, Array | None]]:
    def run(number: int) -> tuple[Array, Array | None]:
        logs = posterior(number, each, worth)
        return logs.argmax(axis=1), logs

    return run


CLASSIFIERS = {
    "nearest mean": simple(NearestCentroid),
    "LDA": simple(LinearDiscriminantAnalysis, whitened=True),
    "1-NN, pixels": simple(lambda: KNeighborsClassifier(1)),
    "1-NN, whitened": simple(lambda: KNeighborsClassifier(1), whitened=True),
    **{f"{each} a class, no prior": by_mixtures(each, 0) for each in (1, 3, 5)},
    **{f"1 a class, {v} points": by_mixtures(1, v) for v in (5, 20, 80, 320)},
    **{f"{each} a class, 20 points": by_mixtures(each, 20) for each in (2, 3, 5)},
}


def class_row(name: str, number: int) -> dict[str, Any]:
    """How many of the 597 unseen digits a classifier gets wrong, and its log-loss where it gives probabilities."""
    predicted, logs = CLASSIFIERS[name](number)
    truth = split(number).truth
    loss = "" if logs is None else -logs[np.arange(len(truth)), truth].mean()
    return {"classifier": name, "split": number, "errors": int((predicted != truth).sum()), "log_loss": loss}


def joint_row(each: int, number: int) -> dict[str, Any]:
    """The ten class mixtures as one mixture of all digits."""
    part, models = split(number), class_mixtures(number, each)
    shares = np.bincount(part.labels) / len(part.labels)
    weights = np.concatenate([s * m.weights for s, m in zip(shares, models, strict=True)])
    parts = [m.components for m in models]
    whole = Mixture(
        weights / weights.sum(),
        Gaussian(np.concatenate([p.means for p in parts]), np.concatenate([p.covariances for p in parts])),
    )
    logs = np.stack([m.log_density(part.unseen) for m in models], axis=1) + np.log(shares)
    assert np.allclose(logsumexp(logs, axis=1), whole.log_density(part.unseen))
    head = {"model": "classes", "K": 10 * each, "split": number, "D": part.train.shape[1]}
    return head | measures(whole, part.train, part.unseen, criteria=False)


TASKS: dict[str, list[tuple[Callable[..., dict[str, Any]], tuple[Any, ...]]]] = {
    "digits": [
        *((mixture_row, (m, K, s)) for s in (*SPLITS, -1) for m in STRUCTURES for K in NUMBERS),
        *((mixture_row, (f"shrunk {v}", 30, s)) for s in SPLITS for v in (5, 10, 40, 80)),
        *((unseen_row, (s,)) for s in SPLITS),
        *((joint_row, (each, s)) for s in SPLITS for each in (1, 2, 3, 5)),
    ],
    "digits_classes": [(class_row, (name, s)) for name in CLASSIFIERS for s in SPLITS],
}


def rounded(row: dict[str, Any]) -> dict[str, Any]:
    """Six significant digits are plenty."""
    return {name: f"{v:.6g}" if isinstance(v, float) else v for name, v in row.items()}


def main() -> None:
    for name, tasks in TASKS.items():
        with warnings.catch_warnings(), threadpool_limits(1):
            warnings.simplefilter("ignore")  # the rows say why their fits stopped
            rows = [rounded(task(*arguments)) for task, arguments in tqdm(tasks, desc=name)]
        with (HERE / f"{name}.csv").open("w", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)


if __name__ == "__main__":
    main()
