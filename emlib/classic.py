"""EM problems that are no mixtures of a family: coins, genetic linkage.

They are small enough to check by hand, and the loop carries them as it carries any other model.

- `Coins`, `CoinStatistics`: which coin made a row of flips is hidden.
- `Linkage`, `LinkageStatistics`: one of four classes of animals is two, seen together.

    >>> from emlib import fit
    >>> from emlib.classic import Coins
    >>> fit(Coins([0.6, 0.5], tosses=10), [5, 9, 8, 4, 7], tol=1e-14).model
    Coins([0.796789, 0.519583], tosses=10)
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import Self

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import logsumexp, xlog1py, xlogy

from emlib import validate
from emlib.blocks import Blocks, as_one
from emlib.em import Collapse, Model, Statistics, Suspicion
from emlib.text import brief
from emlib.value import Array, Value, frozen

# --------------------------------------------------------------------------------------------------
# Coins: which coin made a row of flips is hidden
# --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class CoinStatistics(Statistics):
    """Expected numbers of heads and of flips of every coin, each (K,).

    Examples
    --------
    >>> from emlib.classic import Coins
    >>> expected = Coins([0.6, 0.5]).expect([5, 9, 8, 4, 7])
    >>> expected.heads.round(1).tolist(), expected.flips.round(1).tolist()
    ([21.3, 11.7], [29.9, 20.1])
    """

    heads: Array
    flips: Array


@dataclass(frozen=True, init=False, repr=False)
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

    Examples
    --------
    >>> from emlib import fit
    >>> from emlib.classic import Coins
    >>> coins = Coins([0.6, 0.5], tosses=10)
    >>> coins.n_parameters
    2
    >>> fit(coins, [5, 9, 8, 4, 7], tol=1e-14).model
    Coins([0.796789, 0.519583], tosses=10)
    """

    probabilities: Array
    tosses: int

    def __init__(self, probabilities: ArrayLike, tosses: int = 10) -> None:
        probabilities = validate.between_0_and_1("probabilities", probabilities)
        if probabilities.ndim != 1 or not probabilities.size:
            raise ValueError(
                f"probabilities has shape {probabilities.shape}; it must be (K,): one number for each coin"
            )
        object.__setattr__(self, "probabilities", frozen(probabilities))
        object.__setattr__(self, "tosses", validate.count("tosses", tosses))

    def check(self, block: ArrayLike) -> Array:
        heads = _counts("heads", validate.finite("heads", block), (), "(N,): one number for each row")
        if heads.max() > self.tosses:
            raise ValueError(f"heads has the value {heads.max():g}; a row has only {self.tosses} flips")
        return heads

    @np.errstate(under="ignore")
    def _bayes(self, heads: Array) -> tuple[Array, Array]:
        """Log-probability of each row, (N,), and the responsibilities, (N, K)."""
        h = heads[:, None]
        flips = xlogy(h, self.probabilities) + xlog1py(self.tosses - h, -self.probabilities)
        joint = flips - np.log(len(self))
        total = logsumexp(joint, axis=1)
        for n in np.flatnonzero(~np.isfinite(total)):
            raise ValueError(
                f"row {n} has {heads[n]:g} heads in {self.tosses} flips, which is impossible with every coin: their "
                f"probabilities of heads are {brief(self.probabilities)}. Start strictly between 0 and 1"
            )
        return total, np.exp(joint - total[:, None])

    def log_density(self, X: ArrayLike) -> Array:
        """Log-probability of every row, (N,), in nats, from numbers of heads (N,).

        Examples
        --------
        >>> from emlib.classic import Coins
        >>> Coins([0.6, 0.5], tosses=10).log_density([0, 5, 10]).round(2).tolist()
        [-7.52, -7.03, -5.65]
        """
        return self._bayes(self.check(as_one(X)))[0]

    def responsibilities(self, heads: ArrayLike) -> Array:
        """The share of every coin in every row, (N, K), from numbers of heads (N,).

        Examples
        --------
        >>> from emlib.classic import Coins
        >>> Coins([0.6, 0.5]).responsibilities([5, 9, 8, 4, 7]).round(2).tolist()
        [[0.45, 0.55], [0.8, 0.2], [0.73, 0.27], [0.35, 0.65], [0.65, 0.35]]
        """
        return self._bayes(self.check(as_one(heads)))[1]

    def expect(self, block: ArrayLike, weights: ArrayLike | None = None) -> CoinStatistics:
        """E-step: how many heads and flips each coin is expected to have made.

        Parameters
        ----------
        block : array_like (N,)
            Numbers of heads.
        weights : array_like (N,), optional

        Examples
        --------
        >>> from emlib.classic import Coins
        >>> Coins([0.6, 0.5]).expect([5, 9, 8, 4, 7]).heads.round(1).tolist()
        [21.3, 11.7]
        """
        return Blocks.of(block, weights).checked(self.check).sum(self.e_step)

    def e_step(self, block: Array, weights: Array | None = None) -> CoinStatistics:
        total, resp = self._bayes(block)
        w = np.ones(len(block)) if weights is None else weights
        return CoinStatistics(float(w @ total), float(w.sum()), (w * block) @ resp, self.tosses * (w @ resp))

    def maximize(self, statistics: CoinStatistics) -> Self:
        """M-step: heads by flips, coin by coin.

        Raises
        ------
        Collapse
            If a coin is left without any flips.

        Examples
        --------
        >>> from emlib.classic import Coins
        >>> coins = Coins([0.6, 0.5])
        >>> coins.maximize(coins.expect([5, 9, 8, 4, 7]))
        Coins([0.713012, 0.581339], tosses=10)
        """
        validate.kind("statistics", statistics, CoinStatistics, ", the result of expect")
        for k in np.flatnonzero(~(statistics.flips > 0)):
            raise Collapse(f"coin {k} is left without any flips: start elsewhere, or with fewer coins")
        return type(self)(np.clip(statistics.heads / statistics.flips, 0, 1), self.tosses)

    @property
    def n_parameters(self) -> int:
        """K: the coins are equally likely, so nothing but their probabilities of heads is free."""
        return len(self)

    def suspicion(self, statistics: CoinStatistics) -> Suspicion | None:
        """Distrust two coins that are one and the same, but for a thousandth of what their rows vary by."""
        deviations = np.sqrt(self.probabilities * (1 - self.probabilities) / self.tosses)
        for j, k in combinations(range(len(self)), 2):
            if abs(self.probabilities[k] - self.probabilities[j]) <= 1e-3 * deviations[[j, k]].max():
                return Suspicion(
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
# Genetic linkage: one of four classes is two, seen together
# --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class LinkageStatistics(Statistics):
    """Expected numbers of animals in the classes of probability psi / 4, and in those of (1 - psi) / 4.

    Examples
    --------
    >>> from emlib.classic import Linkage
    >>> expected = Linkage(0.5).expect([[125, 18, 20, 34]])
    >>> round(expected.linked, 2), round(expected.crossed, 2)
    (59.0, 38.0)
    """

    linked: float
    crossed: float


@dataclass(frozen=True, init=False)
class Linkage(Value, Model):
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

    Examples
    --------
    >>> from emlib import fit
    >>> from emlib.classic import Linkage
    >>> trace = fit(Linkage(0.5), [[125, 18, 20, 34]], tol=1e-12)
    >>> [round(model.psi, 5) for model in trace.models[:3]], round(trace.model.psi, 5)
    ([0.5, 0.60825, 0.62432], 0.62682)
    """

    psi: float

    def __init__(self, psi: float) -> None:
        psi = validate.number("psi", psi)
        validate.between_0_and_1("psi", psi)
        object.__setattr__(self, "psi", psi)

    @property
    def probabilities(self) -> Array:
        """Of the four classes, (4,)."""
        return np.array([2 + self.psi, 1 - self.psi, 1 - self.psi, self.psi]) / 4

    def check(self, block: ArrayLike) -> Array:
        counts = validate.finite("counts", block)
        hint = "; pass counts[None] for one experiment" if counts.shape == (4,) else ""
        return _counts("counts", counts, (4,), f"(N, 4): one row for each experiment{hint}")

    def log_density(self, X: ArrayLike) -> Array:
        """Log-probability of the animals of every experiment, (N,), in nats, from counts (N, 4).

        Examples
        --------
        >>> from emlib.classic import Linkage
        >>> Linkage(0.6).log_density([[125, 18, 20, 34], [12, 2, 2, 3]]).round(2).tolist()
        [-205.85, -20.07]
        """
        return xlogy(self.check(as_one(X)), self.probabilities).sum(axis=1)

    def expect(self, block: ArrayLike, weights: ArrayLike | None = None) -> LinkageStatistics:
        """E-step: how many animals of the first class are expected in its hidden part.

        Parameters
        ----------
        block : array_like (N, 4)
            Counts.
        weights : array_like (N,), optional
            Of the experiments.

        Examples
        --------
        >>> from emlib.classic import Linkage
        >>> Linkage(0.5).expect([[125, 18, 20, 34]]).linked
        59.0
        """
        return Blocks.of(block, weights).checked(self.check).sum(self.e_step)

    def e_step(self, block: Array, weights: Array | None = None) -> LinkageStatistics:
        counts = block.sum(axis=0) if weights is None else weights @ block
        mixed, crossed_1, crossed_2, linked = counts
        log_likelihood = float(xlogy(counts, self.probabilities).sum())
        if not np.isfinite(log_likelihood):
            raise ValueError(f"with psi = {self.psi:g} some of these animals are impossible: start inside")
        hidden = mixed * self.psi / (2 + self.psi)
        return LinkageStatistics(
            log_likelihood, float(counts.sum()), float(hidden + linked), float(crossed_1 + crossed_2)
        )

    def maximize(self, statistics: LinkageStatistics) -> Self:
        """M-step: the share of the linked among all animals that tell something of psi.

        Raises
        ------
        Collapse
            If none does.

        Examples
        --------
        >>> from emlib.classic import Linkage
        >>> second = Linkage(0.5).maximize(Linkage(0.5).expect([[125, 18, 20, 34]]))
        >>> round(second.psi, 4), round(59 / 97, 4)
        (0.6082, 0.6082)
        """
        validate.kind("statistics", statistics, LinkageStatistics, ", the result of expect")
        informative = statistics.linked + statistics.crossed
        if not informative > 0:
            raise Collapse("none of these animals tells anything of psi")
        return type(self)(min(max(statistics.linked / informative, 0.0), 1.0))

    n_parameters = 1

    def suspicion(self, statistics: LinkageStatistics) -> Suspicion | None:
        """Distrust psi = 0, which EM cannot leave, where the likelihood rises from there."""
        mixed = statistics.n_points - statistics.crossed  # no animal is in a class of probability 0
        if self.psi == 0 and mixed / 2 > statistics.crossed:
            return Suspicion(
                "stalled", "EM cannot leave psi = 0, and the likelihood rises from there: start inside"
            )
        return None


def _counts(name: str, counts: Array, row: tuple[int, ...], meaning: str) -> Array:
    """Return `counts` if they are, in rows of this shape; `meaning` says that of the whole."""
    if not counts.size or counts.ndim != 1 + len(row) or counts.shape[1:] != row:
        raise ValueError(f"{name} has shape {counts.shape}; it must be {meaning}")
    if (counts < 0).any() or (counts != np.floor(counts)).any():
        raise ValueError(f"{name} must be whole numbers, 0 or more: they are counts, and not proportions")
    return counts
