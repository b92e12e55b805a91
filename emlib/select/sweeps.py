"""A sweep over structures and numbers of components."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from math import nan
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from threadpoolctl import threadpool_limits

from emlib import validate
from emlib.em import EMWarning
from emlib.families.structure import STRUCTURES, structure_named
from emlib.select.criteria import aic, bic, icl
from emlib.select.folds import cross_validated, folds_of
from emlib.select.recipe import Floor, Recipe, Start, last
from emlib.select.table import NOT_ASKED, Row, Sweep
from emlib.select.tasks import each, watched
from emlib.start import k_means
from emlib.validate import Array
from emlib.words import counted


def sweep(
    X: ArrayLike,
    K: int | Iterable[int] = range(1, 11),
    structures: str | Iterable[str] = tuple(STRUCTURES),
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
) -> Sweep:
    """Fit every structure with every number of components, and compare.

    A fit that collapses is a row that says so, with nan for its criteria. An interrupt from the keyboard keeps the
    rows that are done.

    Parameters
    ----------
    X : array_like (N, D)
    K : int or several
        Numbers of components, each at most N.
    structures : str or several
        Of "full", "tied", "diag" and "spherical".
    rng : numpy.random.Generator
        Every row draws from a generator of its own, spawned from this one: rows do not depend on `n_jobs`.
    n_init : int
        How many starts each row has; it keeps the best fit.
    start : function
        Called as start(X, K, rng, structure=..., floor=...); see `emlib.start`. With a prior, it is
        functools.partial(start.k_means, prior=prior).
    floor : float or "auto"
        A variance added to every feature of every component; by default 1e-6 times the mean variance of the features.
        With 0, every M-step is exact.
    tol, max_iter
        As for `fit`.
    folds : int or array_like (N,)
        For cross-validation, as for `cross_validated`: the folds are the same ones in all rows. None by default.
    n_jobs : int
        How many rows to fit at the same time, each in a process of its own; -1 for one on each core.
    progress : bool
        Whether to show a progress bar, where tqdm is installed.

    Raises
    ------
    ValueError
        For input that makes no sense.

    Warns
    -----
    EMWarning
        If it was interrupted. What single fits would warn of is in their rows.

    Examples
    --------
    >>> import numpy as np
    >>> from emlib import datasets, select
    >>> X = datasets.three_clusters().X
    >>> found = select.sweep(X, range(2, 5), "full", rng=np.random.default_rng(0), progress=False)
    >>> found.best("bic").K
    3
    """
    X, rng = validate.points(X), validate.spawner(rng)
    why = ", the number of points"
    Ks = [validate.count("K", k, most=len(X), why=why) for k in _several("K", K, "range(1, 11)")]
    names = [structure_named(name).name for name in _several("structures", structures, "('full', 'diag')")]
    recipe = Recipe(n_init, start, floor, tol, max_iter)
    recipe.floor_for(X)  # if it drowns a feature, this warns once and for all fits
    n_jobs = validate.jobs(n_jobs)
    fold_of = None if np.ndim(folds) == 0 and folds == 0 else folds_of(len(X), folds, rng)
    cells = [(structure, k) for structure in dict.fromkeys(names) for k in dict.fromkeys(Ks)]
    tasks = [(X, *cell, recipe, fold_of, own) for cell, own in zip(cells, rng.spawn(len(cells)), strict=True)]

    rows: dict[int, Row] = {}
    try:
        for number, row in watched(each(_row, tasks, n_jobs), len(tasks), progress, "sweep", "row"):
            rows[number] = row
    except KeyboardInterrupt:
        if not rows:
            raise
        message = f"interrupted: {len(rows)} of {counted(len(tasks), 'row')} are done, and kept"
        warnings.warn(message, EMWarning, stacklevel=2)
    return Sweep(tuple(rows[number] for number in sorted(rows)), len(tasks))


def _several(name: str, values: Any, example: str) -> list[Any]:
    """One value, or several, as a list."""
    if isinstance(values, (str, int, np.integer)):
        return [values]
    try:
        several = list(values)
    except TypeError:
        raise ValueError(f"{name} is {values!r}; it must be one value or several, as in {example}") from None
    if not several:
        raise ValueError(f"{name} is empty; give at least one value, as in {example}")
    return several


def _row(*task: Any) -> Row:
    """A row, computed by one thread."""
    import sklearn.cluster  # noqa: F401  (its threads can be limited only once they are there)

    with threadpool_limits(limits=1):  # threads sum in an order of their own: rows would depend on n_jobs
        return _judged(*task)


def _judged(
    X: Array,
    structure: str,
    K: int,
    recipe: Recipe,
    fold_of: np.ndarray | None,
    rng: np.random.Generator,
) -> Row:
    """Fit one structure with one K, and judge it."""
    for_fits, for_folds = rng.spawn(2)
    begin = perf_counter()
    trace, stop, reached = recipe.best(X, K, structure, for_fits)
    seconds = perf_counter() - begin
    unseen, missing = (nan, nan), NOT_ASKED
    if fold_of is not None:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", EMWarning)  # the sweep has warned of its floor
                found = cross_validated(X, K, for_folds, structure=structure, folds=fold_of, **vars(recipe))
            if found.collapsed:
                missing = f"{found.collapsed} of the fits without a fold collapsed, which can flatter it"
            else:
                unseen, missing = (found.mean, found.error), ""
        except ValueError as error:  # without some fold there are too few points
            missing = str(error)
    mixture = trace.model if trace else None
    judged = mixture if stop.reason != "collapsed" else None
    free = structure_named(structure).n_parameters(K, X.shape[1])
    return Row(
        structure=structure,
        K=K,
        n_parameters=mixture.n_parameters if mixture else K - 1 + K * X.shape[1] + free,
        log_likelihood=last(trace, trace.log_likelihoods) if trace and judged else nan,
        aic=aic(judged, X) if judged else nan,
        bic=bic(judged, X) if judged else nan,
        icl=icl(judged, X) if judged else nan,
        held_out=unseen[0],
        held_out_error=unseen[1],
        stop=stop,
        seconds=seconds,
        reached=reached,
        mixture=mixture,
        missing=missing,
    )
