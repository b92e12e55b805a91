"""Cross-validation: how likely a fit makes points that it has not seen."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import ArrayLike

from emlib import validate
from emlib.families.structure import structure_named
from emlib.select.criteria import held_out
from emlib.select.recipe import Floor, Recipe, Start
from emlib.start import k_means
from emlib.words import counted


@dataclass(frozen=True, repr=False)
class HeldOut:
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
    """

    mean: float
    error: float
    folds: tuple[float, ...]
    collapsed: int = 0

    def __repr__(self) -> str:
        over = counted(len(self.folds), "fold")
        return f"held-out log-likelihood {self.mean:.4f} ± {self.error:.4f} nats per point, over {over}" + (
            f", {self.collapsed} of them with a fit that collapsed" if self.collapsed else ""
        )


def cross_validated(
    X: ArrayLike,
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
) -> HeldOut:
    """Fit on all folds but one, ask for the likelihood of that one, and so for each.

    Parameters
    ----------
    X : array_like (N, D)
    K : int
        Number of components, at most as many as any fit has points.
    rng : numpy.random.Generator
    structure : {"full", "tied", "diag", "spherical"}
    folds : int or array_like (N,)
        How many, drawn at random and as equal as can be; or for each point the name of its fold, where points
        belong together.
    n_init, start, floor, tol, max_iter
        As for `sweep`; an "auto" floor is that of the training points.

    Raises
    ------
    ValueError
        For input that makes no sense, and if no start of some fold gives a mixture.

    Warns
    -----
    EMWarning
        If the usual floor drowns a feature.

    References
    ----------
    Smyth (2000), Model selection for probabilistic clustering using cross-validated likelihood.
    """
    X, rng = validate.points(X), validate.spawner(rng)
    structure_named(structure)  # raises an error if there is none of this name
    recipe = Recipe(n_init, start, floor, tol, max_iter)
    fold_of = folds_of(len(X), folds, rng)
    least = len(X) - int(np.bincount(fold_of).max())
    K = validate.count("K", K, most=least, why=", the number of points in the smallest training set")
    recipe.floor_for(X)  # if it drowns a feature, this warns once and for all folds
    found, collapsed = [], 0
    for fold, generator in enumerate(rng.spawn(fold_of.max() + 1)):
        seen, unseen = X[fold_of != fold], X[fold_of == fold]
        trace, stop, _ = recipe.best(seen, K, structure, generator)
        if trace is None:
            raise ValueError(f"nothing could be fitted without fold {fold}: {stop.message}")
        found.append(held_out(trace.model, unseen))
        collapsed += stop.reason == "collapsed"
    error = float(np.std(found, ddof=1)) / sqrt(len(found))
    return HeldOut(float(np.mean(found)), error, tuple(found), collapsed)


def folds_of(N: int, folds: int | ArrayLike, rng: np.random.Generator) -> np.ndarray:
    """The number of the fold of every point, (N,)."""
    if np.ma.is_masked(folds):
        raise ValueError("folds has masked values: give every point a fold")
    if np.ndim(folds) == 0:
        F = validate.count("folds", folds, least=2, most=N, why=", the number of points")
        return rng.permutation(np.arange(N) % F)
    names = np.asarray(folds)
    if names.dtype.kind == "O" and {type(name) for name in names.flat} in ({str}, {int}):
        names = np.array(names.tolist())  # a column of a data frame, say
    if names.shape != (N,) or names.dtype.kind not in "biuU":
        raise ValueError(
            f"folds is an array of {names.dtype} with shape {names.shape}; it must be a whole number, or for each "
            f"of the {N} points the name of its fold: whole numbers or strings, (N,)"
        )
    distinct, numbers = np.unique(names, return_inverse=True)
    if len(distinct) < 2:
        raise ValueError("folds puts all points into one fold: nothing is left to fit to")
    return numbers
