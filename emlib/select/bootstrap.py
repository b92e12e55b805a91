"""One component more, or not: the likelihood ratio against what chance alone makes of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import inf
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from threadpoolctl import threadpool_limits

from emlib import validate
from emlib.families import Gaussian
from emlib.families.structure import structure_named
from emlib.fitting import Trace
from emlib.mixture import Mixture
from emlib.select.recipe import Floor, Recipe, Start, last
from emlib.select.tasks import each, watched
from emlib.start import k_means
from emlib.validate import Array, Value
from emlib.words import counted


@dataclass(frozen=True, eq=False, repr=False)
class Ratio(Value):
    """A test of K components against K + 1.

    Attributes
    ----------
    structure : str
    K : int
    observed : float
        Twice the gain in log-likelihood from one component more, of the data, in nats.
    simulated : array (B,)
        The same for each sample drawn from the K components. It is infinite where a fit of the sample collapsed.
    """

    structure: str
    K: int
    observed: float
    simulated: Array

    def __post_init__(self) -> None:
        simulated = np.asarray(self.simulated, dtype=float)
        if simulated.ndim != 1 or not simulated.size or np.isnan(simulated).any():
            raise ValueError("simulated must be ratios (B,): numbers, one for each sample, and at least one")
        validate.number("observed", self.observed)
        object.__setattr__(self, "simulated", validate.frozen(simulated))

    @property
    def p_value(self) -> float:
        """How often chance does as well: (1 + number of simulated ratios >= the observed one) / (B + 1)."""
        return float(1 + (self.simulated >= self.observed).sum()) / (len(self.simulated) + 1)

    def __repr__(self) -> str:
        low, high = np.quantile(self.simulated, [0.5, 0.95], method="inverted_cdf")
        return (
            f"{self.structure}, K = {self.K} against {self.K + 1}: ratio {self.observed:.2f}; of "
            f"{len(self.simulated)} simulated under K = {self.K}, half are below {low:.2f} and 95% below {high:.2f}; "
            f"p = {self.p_value:.3g}"
        )


def bootstrap_ratio(
    X: ArrayLike,
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
) -> Ratio:
    """Test K components against K + 1, by the parametric bootstrap.

    The ratio has no chi-square law here: under K components the extra one has weight 0, or is the copy of another.
    So its law is made: draw B samples from the fitted K components, as many points each as there are data, fit
    both mixtures to each, and see how often their ratio is as large.

    The K + 1 components start from `n_init` starts, and from the fitted K with each of them split in two; the K
    components of a sample also from the mixture that made it. So a poor start makes no ratio large, as long as K
    components are fitted well to the data. A ratio is never below 0: K components are K + 1 of which one has no weight.

    Parameters
    ----------
    X : array_like (N, D)
    K : int
        Number of components if the null hypothesis is true; less than N.
    rng : numpy.random.Generator
        Every sample has a generator of its own: the result does not depend on `n_jobs`.
    structure : {"full", "tied", "diag", "spherical"}
    B : int
        How many samples. The least p-value is 1 / (B + 1).
    n_init, start, floor, tol, max_iter, n_jobs, progress
        As for `sweep`.

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
    X, rng = validate.points(X), validate.spawner(rng)
    structure_named(structure)  # raises an error if there is none of this name
    K = validate.count("K", K, most=len(X) - 1, why=", one less than the number of points")
    B = validate.count("B", B)
    n_jobs = validate.jobs(n_jobs)
    recipe = Recipe(n_init, start, floor, tol, max_iter)
    recipe = replace(recipe, floor=recipe.floor_for(X))  # one for the data and all samples
    for_data, for_samples = rng.spawn(2)
    with threadpool_limits(limits=1):
        observed, null = _ratio(X, K, structure, recipe, for_data)
    if null is None or observed == inf:
        which = K if null is None else K + 1
        with threadpool_limits(limits=1):
            why = recipe.best(X, which, structure, for_data)[1].message
        raise ValueError(
            f"no fit of {counted(which, 'component')} to the data holds: use fewer components, another structure, or "
            f"more starts. The first one says: {why}"
        )
    tasks = [(null, len(X), K, structure, recipe, own) for own in for_samples.spawn(B)]
    ratios = watched(each(_simulated, tasks, n_jobs), B, progress, "bootstrap", "sample")
    return Ratio(structure, K, observed, np.array([ratio for _, ratio in sorted(ratios)]))


def split(mixture: Mixture, k: int) -> Mixture:
    """The same mixture with component k in two halves, each moved along its longest axis by half a standard deviation.

    Parameters
    ----------
    mixture : Mixture of Gaussians
        Of K components.
    k : int

    Returns
    -------
    Mixture
        Of K + 1; the halves are numbers k and K.
    """
    parts: Any = mixture.components
    validate.kind("the mixture's components", parts, Gaussian)
    k = validate.count("k", k, least=0, most=len(mixture) - 1, why=", the number of a component")
    copies = parts.permuted(np.append(np.arange(len(mixture)), k))
    variances, axes = np.linalg.eigh(parts.matrices[k])
    move = 0.5 * np.sqrt(variances[-1]) * axes[:, -1]
    means, weights = copies.means.copy(), np.append(mixture.weights, 0.0)
    means[k] -= move
    means[-1] += move
    weights[k] = weights[-1] = mixture.weights[k] / 2
    return Mixture(
        weights,
        Gaussian(means, copies.covariances, parts.structure, parts.floor, parts.prior),
        mixture.weight_count,
    )


def _ratio(
    X: Array, K: int, structure: str, recipe: Recipe, rng: np.random.Generator, made_by: Mixture | None = None
) -> tuple[float, Mixture | None]:
    """Twice the gain from one component more, and the K components; None for them if none hold."""
    few = _best(X, K, structure, recipe, [made_by] if made_by else [], rng)
    if few is None:
        return inf, None
    more = _best(X, K + 1, structure, recipe, [split(few.model, k) for k in range(K)], rng)
    if more is None:
        return inf, few.model
    return max(0.0, 2 * (last(more, more.log_likelihoods) - last(few, few.log_likelihoods))), few.model


def _best(
    X: Array, K: int, structure: str, recipe: Recipe, firsts: list[Mixture], rng: np.random.Generator
) -> Trace[Mixture] | None:
    """The best fit from the recipe's starts and from some more; None if each collapses."""
    more = [replace(recipe, n_init=1, start=lambda *_, first=first, **__: first) for first in firsts]
    found = [
        one.best(X, K, structure, own)[0]
        for one, own in zip([recipe, *more], rng.spawn(1 + len(more)), strict=True)
    ]
    held = [trace for trace in found if trace is not None and trace.stop.reason != "collapsed"]
    return max(held, key=lambda trace: last(trace, trace.log_likelihoods), default=None)


def _simulated(
    null: Mixture, N: int, K: int, structure: str, recipe: Recipe, rng: np.random.Generator
) -> float:
    """The ratio of one sample, computed by one thread."""
    with threadpool_limits(limits=1):
        return _ratio(null.sample(N, rng)[0], K, structure, recipe, rng, null)[0]
