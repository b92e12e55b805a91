"""One component more, or not: the likelihood ratio against what chance alone makes of it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from math import inf, nan
from typing import Any

import numpy as np

from emlib import validate
from emlib.blocks import Data
from emlib.em import Collapse
from emlib.families import Family, Gaussian
from emlib.fitting import Trace
from emlib.mixture import Mixture
from emlib.progress import each
from emlib.select.recipe import Floor, Make, Recipe, Start, table_of
from emlib.select.together import ahead
from emlib.start import k_means
from emlib.text import counted
from emlib.threads import one_thread
from emlib.value import Array, Value, frozen

TOGETHER = 25  # samples, whose fits go most of their way side by side
SPLITS = 10  # of each component, at random, where all else has led to a collapse


@dataclass(frozen=True, repr=False)
class Ratio(Value):
    """A test of K components against K + 1.

    Attributes
    ----------
    structure : str
        Or the kind of a family that has no structures.
    K : int
    observed : float
        Twice the gain in log-likelihood from one component more, of the data, in nats.
    simulated : array (B,)
        The same for each sample drawn from the K components. It is infinite where every fit of the sample collapsed.

    Examples
    --------
    >>> from emlib.select import Ratio
    >>> ratio = Ratio("full", K=1, observed=12.0, simulated=[3.1, 0.4, 14.2, 5.0])
    >>> ratio.p_value  # (1 + 1) / (4 + 1)
    0.4
    >>> ratio
    full, K = 1 against 2: ratio 12.00; of 4 simulated under K = 1, half are at most 3.10 and 95% at most 14.20; p = 0.4
    """

    structure: str
    K: int
    observed: float
    simulated: Array

    def __post_init__(self) -> None:
        simulated = validate.numbers("simulated", self.simulated)
        if simulated.ndim != 1 or not simulated.size or np.isnan(simulated).any():
            raise ValueError("simulated must be ratios (B,): numbers, one for each sample, and at least one")
        validate.number("observed", self.observed)
        validate.count("K", self.K)
        object.__setattr__(self, "simulated", frozen(simulated))

    @property
    def p_value(self) -> float:
        """How often chance does as well: (1 + number of simulated ratios >= the observed one) / (B + 1)."""
        return float(1 + (self.simulated >= self.observed).sum()) / (len(self.simulated) + 1)

    def __repr__(self) -> str:
        low, high = np.quantile(self.simulated, [0.5, 0.95], method="inverted_cdf")
        return (
            f"{self.structure}, K = {self.K} against {self.K + 1}: ratio {self.observed:.2f}; of "
            f"{len(self.simulated)} simulated under K = {self.K}, half are at most {low:.2f} and "
            f"95% at most {high:.2f}; p = {self.p_value:.3g}"
        )


def bootstrap_ratio(
    X: Data,
    K: int,
    rng: np.random.Generator,
    *,
    structure: str = "full",
    B: int = 99,
    n_init: int = 2,
    start: Start = k_means,
    floor: Floor = "auto",
    tol: float = 1e-6,
    max_iter: int = 1000,
    n_jobs: int = 1,
    progress: bool = True,
    family: type[Family] = Gaussian,
) -> Ratio:
    """Test K components against K + 1, by the parametric bootstrap.

    The ratio has no chi-square law here: under K components the extra one has weight 0, or is the copy of another.
    So its law is made: draw B samples from the fitted K components, as many points each as there are data, fit
    both mixtures to each, and see how often their ratio is as large.

    The K + 1 components start from `n_init` starts, and from the fitted K with each of them split in two; the K
    components of a sample also from the mixture that made it. So a poor start makes no ratio large, as long as K
    components are fitted well to the data. Where all of these starts collapse, each component is split in ten other
    ways, at random. A ratio is never below 0: K components are K + 1 of which one has no weight.

    Parameters
    ----------
    X : array_like (N, D), or list of blocks
    K : int
        Number of components if the null hypothesis is true; less than N.
    rng : numpy.random.Generator
        Every sample has a generator of its own: the result does not depend on `n_jobs`.
    structure : {"full", "tied", "diag", "spherical"}
        Where the family has structures.
    B : int
        How many samples. The least p-value is 1 / (B + 1).
    n_init, start, floor, tol, max_iter, n_jobs, progress, family
        As for `sweep`. One floor serves for the data and all samples.

    Raises
    ------
    ValueError
        For input that makes no sense, and if no fit to the data holds.

    References
    ----------
    McLachlan (1987), On bootstrapping the likelihood ratio test statistic for the number of components in a normal
    mixture.

    Examples
    --------
    >>> import numpy as np
    >>> from emlib import datasets, select
    >>> X = datasets.three_clusters().X
    >>> select.bootstrap_ratio(X, 2, np.random.default_rng(0), B=19, progress=False).p_value
    0.05
    """
    X, rng = table_of(X), validate.spawner(rng)
    K = validate.count("K", K, most=len(X) - 1, why=", one less than the number of points")
    B, n_jobs = validate.count("B", B), validate.jobs(n_jobs)
    (recipe,) = Recipe(n_init, start, family, floor, tol, max_iter).ready(X, [structure])
    for_data, for_samples = rng.spawn(2)
    with one_thread():
        (found,) = _ratios([X], K, recipe, [for_data])
    if isinstance(found, Collapse):
        raise found
    observed, null = found
    own = for_samples.spawn(B)
    tasks = [(null, len(X), recipe, own[first : first + TOGETHER]) for first in range(0, B, TOGETHER)]
    parts = each(_simulated, tasks, n_jobs, progress, "bootstrap", f"{TOGETHER} samples")
    return Ratio(recipe.structure, K, observed, np.concatenate(list(parts)))


def _simulated(null: Mixture, N: int, recipe: Recipe, rngs: list[np.random.Generator]) -> Array:
    """The ratios of some samples; infinite where no fit holds."""
    samples = [null.sample(N, rng)[0] for rng in rngs]
    found = _ratios(samples, len(null), recipe, rngs, null)
    return np.array([inf if isinstance(one, Collapse) else one[0] for one in found])


def _ratios(
    samples: list[Array],
    K: int,
    recipe: Recipe,
    rngs: list[np.random.Generator],
    made_by: Mixture | None = None,
) -> list[tuple[float, Mixture] | Collapse]:
    """For each sample twice the gain from one component more, and the K components; or why no fit of either holds."""
    made: list[Make] = [lambda: made_by] if made_by is not None else []
    starts = [
        [*recipe.starts(X, K, rng.spawn(1 + len(made))[0]), *made]
        for X, rng in zip(samples, rngs, strict=True)
    ]
    few = _best(samples, K, recipe, starts)

    # The starts of K + 1: as before, and every component of the best K split in two.
    more = few.copy()
    whole = [n for n, one in enumerate(few) if isinstance(one, Trace)]
    own = {n: rngs[n].spawn(1 + K) for n in whole}

    def halves(n: int, **how: bool) -> list[Make]:
        best: Any = few[n]
        return [partial(split, best.model, k, samples[n], rng, **how) for k, rng in enumerate(own[n][1:])]

    starts = [[*recipe.starts(samples[n], K + 1, own[n][0]), *halves(n)] for n in whole]
    for n, one in zip(whole, _best([samples[n] for n in whole], K + 1, recipe, starts), strict=True):
        more[n] = one
        if isinstance(one, Collapse):  # other ways to split
            ways = [half for half in halves(n, at_random=True) for _ in range(SPLITS)]
            (more[n],) = _best([samples[n]], K + 1, recipe, [ways])
    return [_ratio(one, other) for one, other in zip(few, more, strict=True)]


def _ratio(few: Any, more: Any) -> tuple[float, Mixture] | Collapse:
    """Twice the gain from few components to more, and the few; or why one of the two is missing."""
    for one in (few, more):
        if isinstance(one, Collapse):
            return one
    return max(0.0, 2 * (more.log_likelihood - few.log_likelihood)), few.model


def _best(
    samples: list[Array], K: int, recipe: Recipe, starts: list[list[Make]]
) -> list[Trace[Mixture] | Collapse]:
    """For each sample the best fit from its starts, or why none holds."""
    # Small fits go most of their way together.
    firsts = [[_started(make) for make in makes] for makes in starts]
    places = [
        (n, i) for n, some in enumerate(firsts) for i, one in enumerate(some) if isinstance(one, Mixture)
    ]
    before, data = [firsts[n][i] for n, i in places], [samples[n] for n, _ in places]
    heights = [np.full(len(some), nan) for some in firsts]  # known of those that are near their rest
    brought = ahead(before, data, recipe.tol / 100, recipe.max_iter)
    for (n, i), start, near in zip(places, before, brought, strict=True):
        if near is not start:
            firsts[n][i], heights[n][i] = near, near.log_density(samples[n]).sum()

    # Then each by itself, to be judged; but of those that have come to one place only the first.
    found: list[Trace[Mixture] | Collapse] = []
    for X, some, known in zip(samples, firsts, heights, strict=True):
        try:
            trace = recipe.best(X, [some[i] for i in _distinct(known, recipe.tol * len(X))])
            if not trace.stop.healthy:
                raise Collapse(trace.ends[0].stop.message)
            found.append(trace)
        except Collapse as why:
            message = (
                f"no fit of {counted(K, 'component')} to the data holds: use fewer components, another structure, or "
                f"more starts. The first one says: {why}"
            )
            found.append(Collapse(message))
    return found


def _distinct(heights: Array, small: float) -> list[int]:
    """The numbers of those that are not as high as an earlier one, to within what a fit may leave; nan is unknown."""
    kept: list[int] = []
    for i, height in enumerate(heights):
        if not (np.abs(heights[kept] - height) <= small).any():
            kept.append(i)
    return kept


def _started(make: Make) -> Any:
    """What a function makes; if that is a collapse, a function that says so again."""
    try:
        return make()
    except Collapse as error:
        return partial(_raise, error)


def _raise(error: Collapse) -> Mixture:
    raise error


def split(mixture: Mixture, k: int, X: Array, rng: np.random.Generator, at_random: bool = False) -> Mixture:
    """The same mixture with component k in two halves.

    Those of a Gaussian lie on its longest axis, half a standard deviation from its mean; or, at random, on two points.
    In another family they are fitted to its points below and above the median of a random projection.

    Parameters
    ----------
    mixture : Mixture
        Of K components.
    k : int
    X : array (N, D)
        The data.
    rng : numpy.random.Generator
    at_random : bool

    Returns
    -------
    Mixture
        Of K + 1; the halves are numbers k and K.
    """
    parts: Any = mixture.components
    k = validate.count("k", k, least=0, most=len(mixture) - 1, why=", the number of a component")
    weights = np.append(mixture.weights, mixture.weights[k] / 2)
    weights[k] /= 2
    if isinstance(parts, Gaussian):
        if at_random:
            own = mixture.responsibilities(X)[:, k]
            one, other = X[rng.choice(len(X), size=2, p=own / own.sum())]
        else:
            variances, axes = np.linalg.eigh(parts.matrices[k])
            move = 0.5 * np.sqrt(variances[-1]) * axes[:, -1]
            one, other = parts.means[k] - move, parts.means[k] + move
        means = np.append(parts.means, [other], axis=0)
        means[k] = one
        copied = parts.permuted(np.append(np.arange(len(parts)), k))
        return mixture.with_parts(weights, copied.moved(means))
    # A projection, in which all features count the same.
    spread = X.std(axis=0)
    height = X @ (rng.standard_normal(X.shape[1]) / np.where(spread > 0, spread, 1.0))
    # The shares of the points in the lower half. Those at the median, of which counts have many, are divided.
    resp = mixture.responsibilities(X)
    own = resp[:, k]
    median = np.quantile(height, 0.5, weights=own, method="inverted_cdf")
    below, at = own @ (height < median), own @ (height == median)
    share = np.where(height == median, np.clip((own.sum() / 2 - below) / at, 0, 1), height < median)
    resp = np.column_stack([resp, own * (1 - share)])
    resp[:, k] *= share
    return mixture.with_parts(weights, parts.maximize(parts.collect(X, resp)))
