"""EM problems that are no mixtures of a family: coins, genetic linkage.

They are small enough to check by hand, and the loop carries them as it carries any other model.

    >>> from emlib import fit
    >>> from emlib.classic import Coins
    >>> fit(Coins([0.6, 0.5], tosses=10), [5, 9, 8, 4, 7], tol=1e-14).model
    Coins([0.796789, 0.519583], tosses=10)
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Self

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import logsumexp, xlog1py, xlogy

from emlib import validate
from emlib.em import Collapse, Model, Statistics
from emlib.stopping import Doubt
from emlib.validate import Array, Value
from emlib.words import brief

# --------------------------------------------------------------------------------------------------
# Coins: which coin made a row of flips is hidden
# --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class CoinStatistics(Statistics):
    """Expected numbers of heads and of flips of every coin, each (K,)."""

    heads: Array
    flips: Array


@dataclass(frozen=True, eq=False, init=False)
class Coins(Value, Model):
    """K coins. For every row of flips one of them is drawn, each as likely as the others, and not shown.

    The data are the numbers of heads, (N,): whole numbers between 0 and `tosses`. The log-likelihood is that of the
    flips in the order in which they fell; that of the numbers alone is larger by a constant.

    Parameters
    ----------
    probabilities : array_like (K,)
        Probability of heads of every coin, between 0 and 1.
    tosses : int
        How many flips a row has.

    References
    ----------
    Do & Batzoglou (2008), What is the expectation maximization algorithm? Nature Biotechnology 26, 897-899, figure 1.
    """

    probabilities: Array
    tosses: int

    def __init__(self, probabilities: ArrayLike, tosses: int = 10) -> None:
        probabilities = validate.finite("probabilities", probabilities)
        if probabilities.ndim != 1 or not probabilities.size:
            raise ValueError(
                f"probabilities has shape {probabilities.shape}; it must be (K,): one number for each coin"
            )
        _between("probabilities", probabilities)
        object.__setattr__(self, "probabilities", validate.frozen(probabilities))
        object.__setattr__(self, "tosses", validate.count("tosses", tosses))

    def _log_joint(self, heads: Array) -> Array:
        """Log-probability of drawing each coin and then each row, (N, K)."""
        h = heads[:, None]
        flips = xlogy(h, self.probabilities) + xlog1py(self.tosses - h, -self.probabilities)
        return flips - np.log(len(self))

    def _bayes(self, heads: Array) -> tuple[Array, Array]:
        """Log-probability of each row, (N,), and the responsibilities, (N, K)."""
        joint = self._log_joint(heads)
        total = logsumexp(joint, axis=1)
        if not np.isfinite(total).all():
            n = int(np.argmin(np.isfinite(total)))
            raise ValueError(
                f"row {n} has {heads[n]:g} heads in {self.tosses} flips, which is impossible with every coin: their "
                f"probabilities of heads are {brief(self.probabilities)}. Start strictly between 0 and 1"
            )
        return total, np.exp(joint - total[:, None])

    def _rows(self, block: ArrayLike) -> Array:
        heads = validate.finite("heads", block)
        if heads.ndim != 1 or not heads.size:
            raise ValueError(f"heads has shape {heads.shape}; it must be (N,): one number for each row")
        _whole("heads", heads)
        if heads.max() > self.tosses:
            raise ValueError(f"heads has the value {heads.max():g}; a row has only {self.tosses} flips")
        return heads

    def responsibilities(self, heads: ArrayLike) -> Array:
        """The share of every coin in every row, (N, K), from numbers of heads (N,)."""
        return self._bayes(self._rows(heads))[1]

    def expect(self, block: ArrayLike, weights: ArrayLike | None = None) -> CoinStatistics:
        """E-step: how many heads and flips each coin is expected to have made.

        Parameters
        ----------
        block : array_like (N,)
            Numbers of heads.
        weights : array_like (N,), optional
        """
        heads = self._rows(block)
        total, resp = self._bayes(heads)
        w = np.ones(len(heads)) if weights is None else validate.point_weights(weights, len(heads))
        return CoinStatistics(float(w @ total), float(w.sum()), (w * heads) @ resp, self.tosses * (w @ resp))

    def maximize(self, statistics: CoinStatistics) -> Self:
        """M-step: heads by flips, coin by coin.

        Raises
        ------
        Collapse
            If a coin is left without any flips.
        """
        if not (statistics.flips > 0).all():
            k = int(np.argmin(statistics.flips))
            raise Collapse(f"coin {k} is left without any flips: start elsewhere, or with fewer coins")
        return type(self)(np.clip(statistics.heads / statistics.flips, 0, 1), self.tosses)

    def doubt(self, statistics: CoinStatistics) -> Doubt | None:
        """Distrust two coins that are one and the same: from there EM cannot part them."""
        order = np.argsort(self.probabilities, kind="stable")
        for j, k in pairwise(order):
            if self.probabilities[k] - self.probabilities[j] < 1e-9:
                j, k = sorted((int(j), int(k)))
                return Doubt(
                    "stalled",
                    f"coins {j} and {k} cannot be told apart, so this is a saddle or one coin too many: use another "
                    "start or fewer coins",
                )
        return None

    def __len__(self) -> int:
        return len(self.probabilities)

    def __repr__(self) -> str:
        return f"Coins({brief(self.probabilities)}, tosses={self.tosses})"


# --------------------------------------------------------------------------------------------------
# Genetic linkage: one of four cells is two, seen together
# --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class LinkageStatistics(Statistics):
    """Expected numbers of animals in the cells of probability psi / 4, and in those of (1 - psi) / 4."""

    linked: float
    crossed: float


@dataclass(frozen=True, init=False)
class Linkage(Model):
    """Animals in four classes, with the probabilities 1/2 + psi/4, (1 - psi)/4, (1 - psi)/4 and psi/4.

    The first class is two, of probabilities 1/2 and psi/4, that look alike: which animals are in the second of them is
    hidden. The data are counts, (N, 4): one row for each experiment. The log-likelihood is that of the animals one
    by one; that of the counts is larger by a constant.

    Parameters
    ----------
    psi : float
        Between 0 and 1. (The square of one minus the recombination fraction, if that is the same in both sexes.)

    References
    ----------
    Rao (1965), Linear Statistical Inference and its Applications, pages 368-369, has the data. Dempster, Laird &
    Rubin (1977), Maximum likelihood from incomplete data via the EM algorithm, section 1, has the algorithm.
    """

    psi: float

    def __init__(self, psi: float) -> None:
        psi = validate.number("psi", psi)
        _between("psi", np.array(psi))
        object.__setattr__(self, "psi", psi)

    @property
    def probabilities(self) -> Array:
        """Of the four classes, (4,)."""
        return np.array([2 + self.psi, 1 - self.psi, 1 - self.psi, self.psi]) / 4

    def expect(self, block: ArrayLike, weights: ArrayLike | None = None) -> LinkageStatistics:
        """E-step: how many animals of the first class are expected in its hidden part.

        Parameters
        ----------
        block : array_like (N, 4)
            Counts.
        weights : array_like (N,), optional
            Of the experiments.
        """
        counts = validate.finite("counts", block)
        if counts.ndim != 2 or counts.shape[1] != 4 or not len(counts):
            hint = "; pass counts[None] for one experiment" if counts.shape == (4,) else ""
            raise ValueError(
                f"counts has shape {counts.shape}; it must be (N, 4): one row for each experiment{hint}"
            )
        _whole("counts", counts)
        w = np.ones(len(counts)) if weights is None else validate.point_weights(weights, len(counts))
        mixed, crossed_1, crossed_2, linked = w @ counts
        hidden = mixed * self.psi / (2 + self.psi)
        log_likelihood = float(xlogy(w @ counts, self.probabilities).sum())
        if not np.isfinite(log_likelihood):
            raise ValueError(f"with psi = {self.psi:g} some of these animals are impossible: start inside")
        n_points = float(mixed + crossed_1 + crossed_2 + linked)
        return LinkageStatistics(
            log_likelihood, n_points, float(hidden + linked), float(crossed_1 + crossed_2)
        )

    def maximize(self, statistics: LinkageStatistics) -> Self:
        """M-step: the share of the linked among all animals that tell something of psi.

        Raises
        ------
        Collapse
            If none does.
        """
        informative = statistics.linked + statistics.crossed
        if not informative > 0:
            raise Collapse("none of these animals tells anything of psi")
        return type(self)(min(max(statistics.linked / informative, 0.0), 1.0))


def _between(name: str, values: Array) -> None:
    if (values < 0).any() or (values > 1).any():
        worst = float(np.ravel(values)[np.argmax(np.abs(np.ravel(values) - 0.5))])
        raise ValueError(f"{name} holds {worst:.6g}; a probability lies between 0 and 1")


def _whole(name: str, values: Array) -> None:
    if (values < 0).any() or (values != np.floor(values)).any():
        raise ValueError(f"{name} must be whole numbers, 0 or more: they are counts, and not proportions")
