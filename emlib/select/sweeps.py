"""A sweep over structures and numbers of components."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from math import nan
from time import perf_counter

import numpy as np
from numpy.typing import ArrayLike

from emlib import validate
from emlib.blocks import Data
from emlib.em import Collapse, EMWarning
from emlib.families import Family, Gaussian
from emlib.progress import each
from emlib.select.criteria import aic, bic, icl
from emlib.select.folds import Splits, over_folds, splits_of
from emlib.select.recipe import ALL, Floor, Recipe, Start, several, table_of
from emlib.select.table import NOT_ASKED, Row, Sweep
from emlib.start import k_means
from emlib.stopping import broken_off
from emlib.text import counted
from emlib.value import Array


def sweep(
    X: Data,
    K: int | Iterable[int] = range(1, 11),
    structures: str | Iterable[str] = ALL,
    *,
    rng: np.random.Generator,
    n_init: int = 1,
    start: Start = k_means,
    floor: Floor = "auto",
    tol: float = 1e-6,
    max_iter: int = 1000,
    folds: int | ArrayLike = 0,
    n_jobs: int = 1,
    progress: bool = True,
    family: type[Family] = Gaussian,
) -> Sweep:
    """Fit every structure with every number of components, and compare.

    Fits to all points are accelerated (see `emlib.fit`). One that collapses, or that only its floor holds up, is a row
    that says so, with nan for its criteria. An interrupt from the keyboard keeps the rows that are done.

    Parameters
    ----------
    X : array_like (N, D), or list of blocks
        Blocks are put together: all data must fit into memory.
    K : int or several
        Numbers of components, each at most N.
    structures : str or several
        Of "full", "tied", "diag" and "spherical". A family that has no structures has one row for each K.
    rng : numpy.random.Generator
        Every row draws from a generator of its own, spawned from this one: rows do not depend on `n_jobs`.
    n_init : int
        How many starts each row has; it keeps the best fit.
    start : function
        Called as start(X, K, rng, structure=..., floor=...); see `emlib.start`. With a prior, it is
        functools.partial(start.k_means, prior=prior). For another family it gets family=..., and structure and floor
        only if the family has such options.
    floor : float, array_like (D,) or "auto"
        The smallest variance allowed in any direction; by default that of `emlib.start.usual_floor`, 1e-10 times the
        variance of each feature. With 0 there is none.
    tol, max_iter
        As for `fit`.
    folds : int or array_like (N,)
        For cross-validation, as for `cross_validated`: the folds are the same ones in all rows. None by default.
    n_jobs : int
        How many rows to fit at the same time, each in a process of its own; -1 for one on each core.
    progress : bool
        Whether to show a progress bar, where tqdm is installed.
    family : class
        Of the components: `Gaussian`, or another `Family`.

    Raises
    ------
    ValueError
        For input that makes no sense.

    Warns
    -----
    EMWarning
        If it was interrupted, and once if the data are flat in some direction and the floor is the usual one. What
        single fits would warn of is in their rows.

    Examples
    --------
    >>> import numpy as np
    >>> from emlib import datasets, select
    >>> X = datasets.three_clusters().X
    >>> found = select.sweep(X, range(2, 5), "full", rng=np.random.default_rng(0), progress=False)
    >>> found.best("bic").K
    3
    """
    # What was asked for.
    X, rng = table_of(X), validate.spawner(rng)
    why = ", the number of points: use fewer components"
    Ks = [validate.count("K", k, most=len(X), why=why) for k in several("K", K, "range(1, 11)")]
    names, n_jobs = several("structures", structures, "('full', 'diag')"), validate.jobs(n_jobs)
    recipes = Recipe(n_init, start, family, floor, tol, max_iter).ready(X, names)
    asked = not (isinstance(folds, (int, np.integer)) and folds == 0)
    splits = splits_of(len(X), folds, rng) if asked else None

    # Row by row.
    cells = [(k, one) for one in recipes for k in dict.fromkeys(Ks)]
    tasks = [(X, *cell, splits, own) for cell, own in zip(cells, rng.spawn(len(cells)), strict=True)]
    rows: list[Row] = []
    try:
        for row in each(_row, tasks, n_jobs, progress, "sweep", "row"):
            rows.append(row)
    except KeyboardInterrupt:
        if not rows:
            raise
        message = f"interrupted: {len(rows)} of {counted(len(tasks), 'row')} are done, and kept"
        warnings.warn(message, EMWarning, stacklevel=2)
    return Sweep(tuple(rows), len(tasks))


def _row(X: Array, K: int, recipe: Recipe, splits: Splits | None, rng: np.random.Generator) -> Row:
    """Fit one structure with one K, and judge it."""
    for_fits, for_folds = rng.spawn(2)
    # The fit.
    begin, mixture = perf_counter(), None
    try:
        trace = recipe.best(X, recipe.starts(X, K, for_fits))
        mixture, stop = trace.model, trace.stop
        reached = tuple(end.log_likelihood if end.stop.healthy else nan for end in trace.ends)
    except Collapse as why:
        stop, reached = broken_off(why, 0), (nan,) * recipe.n_init
    seconds = perf_counter() - begin
    # How it does on its own points, and on others: a likelihood without bound says nothing.
    log_likelihood, scores = nan, (nan, nan, nan)
    if mixture is not None and stop.healthy:
        log_likelihood, scores = trace.log_likelihood, (aic(mixture, X), bic(mixture, X), icl(mixture, X))
    held_out, error, missing = _unseen(X, K, recipe, splits, for_folds)
    return Row(
        structure=recipe.structure,
        K=K,
        n_parameters=recipe.n_parameters(X, K) if mixture is None else mixture.n_parameters,
        log_likelihood=log_likelihood,
        aic=scores[0],
        bic=scores[1],
        icl=scores[2],
        held_out=held_out,
        held_out_error=error,
        stop=stop,
        seconds=seconds,
        reached=reached,
        mixture=mixture,
        missing=missing,
    )


def _unseen(
    X: Array, K: int, recipe: Recipe, splits: Splits | None, rng: np.random.Generator
) -> tuple[float, float, str]:
    """The held-out log-likelihood, its error, and why there is none."""
    if splits is None:
        return nan, nan, NOT_ASKED
    try:
        found = over_folds(X, K, recipe, splits, rng)
    except ValueError as error:  # without some fold there are too few points
        return nan, nan, str(error)
    if found.collapsed:
        return nan, nan, f"{found.collapsed} of the fits without a fold collapsed, which can flatter it"
    return found.mean, found.error, ""
