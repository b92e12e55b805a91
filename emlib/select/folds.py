"""Cross-validation: how likely a fit makes points that it has not seen."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import ArrayLike

from emlib import validate
from emlib.blocks import Data
from emlib.em import Collapse
from emlib.families import Family, Gaussian
from emlib.select.criteria import held_out
from emlib.select.recipe import Floor, Recipe, Start, table_of
from emlib.start import k_means
from emlib.text import counted
from emlib.threads import one_thread
from emlib.value import Array, Value

Splits = list[tuple[np.ndarray, np.ndarray]]  # the rows seen and those held out, for each fold


@dataclass(frozen=True, repr=False)
class HeldOut(Value):
    """What cross-validation found: log-likelihoods of held-out points, per point, in nats.

    Attributes
    ----------
    mean : float
        Over the folds.
    error : float
        Standard error of that mean, from how much the folds differ. A guide and no more, since folds share most
        of their training points.
    folds : tuple of float
        One mean for each fold.
    collapsed : int
        In how many folds the fit collapsed. Such a component stands on a few values, and flatters the score where a
        held-out point repeats one of them.

    Examples
    --------
    >>> import numpy as np
    >>> from emlib import datasets, select
    >>> found = select.cross_validated(datasets.old_faithful().X, 2, np.random.default_rng(0), folds=3)
    >>> round(found.mean, 1), round(found.error, 1), len(found.folds), found.collapsed
    (-4.2, 0.1, 3, 0)
    """

    mean: float
    error: float
    folds: tuple[float, ...]
    collapsed: int = 0

    def __post_init__(self) -> None:
        folds = validate.numbers("folds", self.folds)
        if folds.ndim != 1 or not folds.size:
            raise ValueError(f"folds is {self.folds!r}; it must be one mean for each fold, and at least one")
        object.__setattr__(self, "folds", tuple(folds.tolist()))

    def __repr__(self) -> str:
        over = counted(len(self.folds), "fold")
        return f"held-out log-likelihood {self.mean:.4f} ± {self.error:.4f} nats per point, over {over}" + (
            f", {self.collapsed} of them with a fit that collapsed" if self.collapsed else ""
        )


def cross_validated(
    X: Data,
    K: int,
    rng: np.random.Generator,
    *,
    structure: str = "full",
    folds: int | ArrayLike = 5,
    n_init: int = 1,
    start: Start = k_means,
    floor: Floor = "auto",
    tol: float = 1e-6,
    max_iter: int = 1000,
    family: type[Family] = Gaussian,
) -> HeldOut:
    """Fit on all folds but one, ask for the likelihood of that one, and so for each.

    Parameters
    ----------
    X : array_like (N, D), or list of blocks
    K : int
        Number of components, at most as many as any fit has points.
    rng : numpy.random.Generator
    structure : {"full", "tied", "diag", "spherical"}
        Where the family has structures.
    folds : int or array_like (N,)
        How many, drawn at random and as equal as can be; or for each point the name of its fold, where points
        belong together.
    n_init, start, floor, tol, max_iter, family
        As for `sweep`. All fits have one floor.

    Raises
    ------
    ValueError
        For input that makes no sense, and if no start of some fold gives a mixture.

    Warns
    -----
    EMWarning
        If the data are flat in some direction, and the floor is the usual one.

    References
    ----------
    Smyth (2000), Model selection for probabilistic clustering using cross-validated likelihood.

    Examples
    --------
    >>> import numpy as np
    >>> from emlib import datasets, select
    >>> X = datasets.old_faithful().X
    >>> folds = np.arange(len(X)) % 4  # every fourth eruption
    >>> for K in (1, 2):
    ...     print(K, round(select.cross_validated(X, K, np.random.default_rng(0), folds=folds).mean, 2))
    1 -4.78
    2 -4.22
    """
    X, rng = table_of(X), validate.spawner(rng)
    (recipe,) = Recipe(n_init, start, family, floor, tol, max_iter).ready(X, [structure])
    splits = splits_of(len(X), folds, rng)
    with one_thread():
        return over_folds(X, K, recipe, splits, rng)


def over_folds(X: Array, K: int, recipe: Recipe, splits: Splits, rng: np.random.Generator) -> HeldOut:
    """`cross_validated`, once all but K is known to be in order."""
    least = min(len(seen) for seen, _ in splits)
    K = validate.count("K", K, most=least, why=", the number of points in the smallest training set")
    found, collapsed = [], 0
    for fold, ((seen, unseen), own) in enumerate(zip(splits, rng.spawn(len(splits)), strict=True)):
        try:
            # Plain steps: where fits learn their points by heart, each stop has another held-out score.
            trace = recipe.best(X[seen], recipe.starts(X[seen], K, own), accelerate=False)
        except Collapse as why:
            raise ValueError(f"nothing could be fitted without fold {fold}: {why}") from why
        found.append(held_out(trace.model, X[unseen]))
        collapsed += not trace.stop.healthy
    error = float(np.std(found, ddof=1)) / sqrt(len(found))
    return HeldOut(float(np.mean(found)), error, tuple(found), collapsed)


def splits_of(N: int, folds: int | ArrayLike, rng: np.random.Generator) -> Splits:
    """The rows that each fit sees, and those that it does not."""
    from sklearn.model_selection import KFold, PredefinedSplit  # slow to import, and needed only here

    validate.not_masked("folds", folds)
    allowed = f"a number, or for each of the {N} points the name of its fold: whole numbers or strings, (N,)"
    try:
        names = np.asarray(folds)
    except ValueError:
        raise ValueError(f"folds is {folds!r}; it must be {allowed}") from None
    if names.ndim == 0:
        F = validate.count("folds", folds, least=2, most=N, why=", the number of points")
        return list(KFold(F, shuffle=True, random_state=int(rng.integers(2**31))).split(np.empty(N)))
    if names.dtype.kind == "O" and {type(name) for name in names.flat} in ({str}, {int}):
        names = np.array(names.tolist())  # a column of a data frame, say
    if names.shape != (N,) or names.dtype.kind not in "biuU":
        raise ValueError(f"folds is an array of {names.dtype} with shape {names.shape}; it must be {allowed}")
    distinct, numbers = np.unique(names, return_inverse=True)
    if len(distinct) < 2:
        raise ValueError("folds puts all points into one fold: nothing is left to fit to")
    return list(PredefinedSplit(numbers).split())
