"""One iteration of EM, against scikit-learn's: same data, same start, same number of steps, same answer.

scikit-learn is timed at its best, as bare E- and M-steps without what its `fit` does around them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from report import Claim, Table, milliseconds, race
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.mixture import GaussianMixture
from sklearn.mixture._gaussian_mixture import _compute_precision_cholesky

from emlib import Gaussian, Mixture, em, fit, start

RIDGE = 1e-6  # added to every variance, as scikit-learn's default does
APART = 6.0  # how far apart two means typically are, in standard deviations


@dataclass(frozen=True)
class Work:
    """A row of the table: data and a start, the ratio owed and the ratio hoped for."""

    D: int
    K: int
    N: int
    floor: float = 1.0
    goal: float | None = None
    structure: str = "full"
    steps: int = 2
    repeats: int = 3

    @property
    def name(self) -> str:
        """What is done, for tables."""
        return f"D={self.D}, K={self.K}, N={self.N:,}" + (f", {self.structure}" if self.D > 2 else "")

    def prepare(self) -> tuple[np.ndarray, Mixture]:
        """The data, and where EM starts."""
        rng = np.random.default_rng(0)
        X = clusters(self.D, self.K, rng).sample(self.N, rng)[0]
        return X, start.k_means(X, self.K, rng, structure=self.structure, ridge=RIDGE)


@dataclass(frozen=True)
class Digits(Work):
    """Handwritten digits: fewer points in more dimensions than anyone would wish for, as in real life."""

    @property
    def name(self) -> str:
        return f"digits, D={self.D}, K={self.K}"

    def prepare(self) -> tuple[np.ndarray, Mixture]:
        X = digits()
        return X, start.k_means(X, self.K, np.random.default_rng(0), ridge=RIDGE)


WORK = [
    Work(1, 3, 60, 2.6, 5, steps=100, repeats=51),
    Work(1, 3, 100_000, 13, 20, steps=3, repeats=15),
    Work(2, 3, 500, 3.2, 5, steps=50, repeats=51),
    Work(2, 3, 100_000, 13.8, 20, steps=3, repeats=15),
    Work(2, 10, 1_000_000, 25, 38, repeats=5),
    Work(8, 8, 500_000, 9.6, 14, repeats=5),
    Work(32, 32, 200_000, 9.5, 14, steps=1),
    Work(32, 32, 200_000, 32, 48, "tied", steps=1),
    Work(32, 32, 200_000, 4.3, 6.5, "diag", repeats=5),
    Work(32, 32, 200_000, 4.5, 7, "spherical", repeats=5),
    Digits(41, 110, 1797, 5.3, 7, steps=4, repeats=7),
    Work(100, 10, 20_000, 1.5, 2, repeats=7),
]


def clusters(D: int, K: int, rng: np.random.Generator, apart: float = APART) -> Mixture:
    """K Gaussians of unlike shapes; the usual ones overlap a little."""
    means = rng.normal(scale=apart / np.sqrt(2 * D), size=(K, D))
    turns = np.linalg.qr(rng.normal(size=(K, D, D)))[0]
    return Mixture(np.full(K, 1 / K), Gaussian(means, turns * rng.uniform(0.5, 2, (K, 1, D)) @ turns.mT))


def digits() -> np.ndarray:
    """1,797 digits in the 41 whitened components that hold 99 % of their variance."""
    return PCA(0.99, whiten=True).fit_transform(load_digits().data)


# The sides: each gives the log-likelihood of every step, that of the start first --------------------


def ours(model: Mixture, X: np.ndarray) -> Iterator[float]:
    """The loop of emlib."""
    return (step.objective for step in em(model, X))


def through_fit(model: Mixture, X: np.ndarray, steps: int) -> Iterator[float]:
    """The same loop, watched by `fit`; it begins when the second value is asked for."""
    yield np.nan
    yield from fit(model, X, tol=0, max_iter=steps, keep="values").objectives[1:]


def scikit_learn(model: Mixture, X: np.ndarray) -> Iterator[float]:
    """The two steps of scikit-learn's loop, and nothing else."""
    gaussians = model.components
    peer = GaussianMixture(len(model), covariance_type=gaussians.structure, reg_covar=gaussians.ridge)
    peer.weights_, peer.means_ = model.weights, gaussians.means
    peer.precisions_cholesky_ = _compute_precision_cholesky(gaussians.covariances, gaussians.structure)
    while True:
        mean_log_likelihood, log_resp = peer._e_step(X)
        yield len(X) * mean_log_likelihood
        peer._m_step(X, log_resp)


def measure(quick: bool = False) -> Table:
    """Race emlib against scikit-learn."""
    rows, claims, differences = [], [], []
    for work in WORK:
        if quick and work.N > 100_000:
            continue
        X, model = work.prepare()
        sides = {
            "emlib": lambda X=X, model=model: ours(model, X),
            "scikit-learn": lambda X=X, model=model: scikit_learn(model, X),
        }
        if work.N <= 500:
            sides["fit"] = lambda X=X, model=model, steps=work.steps: through_fit(model, X, steps)
        results = race(sides, work.steps, work.repeats)
        theirs, end = results.pop("scikit-learn")
        for side, (seconds, log_likelihood) in results.items():
            claim = Claim(work.name, theirs / seconds, work.floor, work.goal)
            differences.append(abs(log_likelihood / end - 1))
            owed = [f"{work.floor:g}", f"{work.goal:g}", claim.verdict]
            row = [claim.what, milliseconds(seconds), milliseconds(theirs), f"{claim.value:.2f}", *owed]
            if side == "fit":
                row = [f"{claim.what}, through `fit`", *row[1:4], "", "", ""]
            else:
                claims.append(claim)
            rows.append([*row, f"{differences[-1]:.0e}"])
    claims.append(
        Claim("final log-likelihoods, against scikit-learn's", max(differences), 1e-10, None, True, "off")
    )
    return Table(
        "One iteration, against scikit-learn",
        "Milliseconds per iteration, medians of runs in turns; from the same start, as many steps. scikit-learn is "
        "timed as bare E- and M-steps, without its `fit`. Clusters overlap a little (means typically "
        f"{APART:g} standard deviations apart); starts by k-means, {RIDGE:g} added to every variance on both sides. "
        "The last column is how far the final log-likelihoods are apart, relatively.",
        ["work", "emlib", "scikit-learn", "ratio", "floor", "goal", "verdict", "difference"],
        rows,
        claims,
    )
