"""What emlib accepts. Every message says what was given, what is allowed and what to do."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from inspect import signature
from math import inf, isfinite
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from emlib.text import counted, kind_of, listing, with_article
from emlib.value import Array as Array
from emlib.value import Value

# What messages call a kind whose own name is for programmers.
SPELT = {"Callable": "a function", "Iterable": "an iterable", "Mapping": "a dict", "bool": "True or False"}
# Why values are no numbers, by what NumPy says of them.
WHY = {"inhomogeneous": "its rows have different lengths", "convert string": "it holds text"}


def finite(name: str, values: ArrayLike) -> Array:
    """Return `values` as an array of finite float64."""
    array = numbers(name, values)
    all_finite(name, array)
    return array


def numbers(name: str, values: ArrayLike) -> Array:
    """Return `values` as an array of float64, which may be nan or infinite."""
    # Some values of emlib are sequences, and NumPy would look into them without end.
    if values is None or isinstance(values, Value):
        raise ValueError(f"{name} is {kind_of(values)}; it must be an array of numbers")
    not_masked(name, values)
    try:
        given = np.asarray(values)
        if given.dtype == object and not given.ndim:
            raise ValueError(f"it is {kind_of(values)}")
        if given.dtype.kind in "cmM":
            raise ValueError("it holds complex numbers or dates")
        return given.astype(np.float64, copy=False)
    except (TypeError, ValueError, OverflowError) as error:
        said = next((why for words, why in WHY.items() if words in str(error)), error)
        raise ValueError(f"{name} cannot be read as an array of numbers: {said}") from None


def not_masked(name: str, values: Any) -> None:
    """Raise an error if some value is masked, in an array or in a list of them: NumPy would read what is behind."""
    if isinstance(values, (list, tuple)):
        for some in values:
            not_masked(name, some)
    elif isinstance(values, np.ma.MaskedArray) and np.ma.is_masked(values):
        raise ValueError(f"{name} has masked values: remove them or fill them in")


def no_nan(name: str, values: ArrayLike) -> Array:
    """Return `values` as an array of float64 without nan; they may be infinite."""
    array = numbers(name, values)
    if np.isnan(array).any():
        raise ValueError(f"{name} holds nan: give numbers")
    return array


def all_finite(name: str, array: np.ndarray) -> None:
    """Raise an error if some value is nan or infinite; a memmap is read a piece at a time."""
    table, n_bad, first = np.atleast_1d(array), 0, None
    for start in range(0, len(table), 2**14):
        bad = ~np.isfinite(table[start : start + 2**14])
        if bad.any():
            where = np.argwhere(bad)
            n_bad += len(where)
            first = first or (start + int(where[0][0]), *map(int, where[0][1:]))
    if first is not None and not array.ndim:
        raise ValueError(f"{name} is {array}; it must be a finite number")
    if first is not None:
        raise ValueError(
            f"{name} holds nan or infinite values ({n_bad} of {array.size}, the first at {first}): "
            "remove them or fill them in"
        )


def shaped(name: str, values: ArrayLike, shape: tuple[int, ...], meaning: str) -> Array:
    """Return `values` as a finite array of exactly this shape; `meaning` says the shape in letters."""
    array = finite(name, values)
    if array.shape != shape:
        raise ValueError(f"{name} has shape {array.shape}; it must be {meaning} = {shape}")
    return array


def points(X: ArrayLike, n_features: int | None = None, name: str = "X", beside: str = "the model") -> Array:
    """Return X as a finite array (N, D) of float64; otherwise as `table`."""
    return table(numbers(name, X), n_features, name, beside)


def table(
    X: ArrayLike, n_features: int | None = None, name: str = "X", beside: str = "the model"
) -> np.ndarray:
    """Return X as a finite array (N, D) with at least one row and one column; D is that of what it is put `beside`.

    Numbers stay as they are: a memmap on disk, float32 as float32.
    """
    is_array = isinstance(X, np.ndarray) and X.dtype.kind in "fiu" and not np.ma.isMaskedArray(X)
    array: np.ndarray = X if is_array else numbers(name, X)  # type: ignore[assignment]
    if array.ndim == 1:
        raise ValueError(
            f"{name} is one-dimensional, with shape {array.shape}; it must be (N, D). "
            f"If these are N points on a line, pass {name}[:, None]; if it is one point, {name}[None, :]"
        )
    if array.ndim != 2:
        raise ValueError(f"{name} has shape {array.shape}; it must be (N, D): one row a point")
    if 0 in array.shape:
        raise ValueError(
            f"{name} is empty, with shape {array.shape}; it needs at least one row and one column"
        )
    if n_features is not None and array.shape[1] != n_features:
        raise ValueError(
            f"{name} has {counted(array.shape[1], 'column')} and {beside} {counted(n_features, 'dimension')}: "
            "they must be the same number"
        )
    all_finite(name, array)
    return array


def point_weights(weights: ArrayLike, n_points: int) -> Array:
    """Return one weight for each point, finite and not negative."""
    array = shaped("weights", weights, (n_points,), "one number for each point, (N,)")
    if (array < 0).any():
        raise ValueError(
            f"weights has negative values ({int((array < 0).sum())} of {array.size}, the least "
            f"{array.min():.6g}); a point can weigh nothing, but not less"
        )
    return array


def table_of_shares(name: str, values: ArrayLike, n_points: int) -> Array:
    """Return `values` as a table (N, K) of finite numbers that are not negative: how much each point counts."""
    array = finite(name, values)
    if array.ndim != 2 or len(array) != n_points or not array.shape[1]:
        raise ValueError(
            f"{name} has shape {array.shape}; it must be (N, K) = ({n_points}, K): one row for each point"
        )
    if (array < 0).any():
        raise ValueError(
            f"{name} has a negative value, {array.min():.6g}; a point can count for nothing, but not less"
        )
    return array


def probabilities(name: str, values: ArrayLike) -> Array:
    """Return `values` as numbers between 0 and 1 that sum to one along their last axis, to the rounding of float32.

    They need not be float32 any more: lists and tables of such numbers come as float64.
    """
    array = finite(name, values)
    if array.ndim == 0 or array.size == 0:
        raise ValueError(f"{name} has shape {array.shape}; it must hold at least one row of numbers")
    if (array < 0).any():
        raise ValueError(f"{name} has a negative value, {array.min():.6g}; it must hold probabilities")
    sums = array.sum(axis=-1)
    worst = np.ravel(sums)[np.argmax(np.abs(np.ravel(sums) - 1))]
    if abs(worst - 1) > 1e-6:
        raise ValueError(
            f"{name} sums to {worst:.10g} where it must sum to 1"
            + (": divide it by its sum" if worst else "")
            + (" along axis 1" if worst and array.ndim == 2 else "")
        )
    return array


def between_0_and_1(name: str, values: ArrayLike) -> Array:
    """Return `values`, each of which is a probability by itself."""
    array = finite(name, values)
    if (array < 0).any() or (array > 1).any():
        worst = float(np.ravel(array)[np.argmax(np.abs(np.ravel(array) - 0.5))])
        verb = "holds" if array.ndim else "is"
        raise ValueError(f"{name} {verb} {worst:.6g}; a probability lies between 0 and 1")
    return array


def variances(name: str, values: ArrayLike) -> Array:
    """Return `values` as finite numbers above 0."""
    array = finite(name, values)
    if (array <= 0).any():
        verb = "holds" if array.ndim else "is"
        raise ValueError(f"{name} {verb} {array.min():.6g}; a variance must be greater than 0")
    return array


@np.errstate(under="ignore")
def symmetric(name: str, matrices: Array) -> Array:
    """Return matrices (K, D, D), symmetric but for rounding, without that; {k} in the name is the number."""
    lopsided = np.abs(matrices - matrices.transpose(0, 2, 1))
    deviations = np.sqrt(np.abs(np.diagonal(matrices, axis1=1, axis2=2)))
    scale = deviations[:, :, None] * deviations[:, None, :]
    for k in np.flatnonzero((lopsided > 1e-8 * scale).any(axis=(1, 2))):
        raise ValueError(
            f"{name.format(k=k)} is not symmetric: it differs from its transpose by up to "
            f"{lopsided[k].max():.3g}; use (C + C.T) / 2 if that is rounding"
        )
    return (matrices + matrices.transpose(0, 2, 1)) / 2


def count(name: str, value: Any, least: int = 1, most: int | None = None, why: str = "") -> int:
    """Return `value` as an int between `least` and `most`.

    `why` explains the upper limit; what follows a colon in it is advice for a value above that.
    """
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise ValueError(f"{name} is {value!r}; it must be a whole number")
    top = 2**53 if most is None else most  # beyond, a number of things is no number of things
    if not least <= value <= top:
        limits = f"at least {least}" if most is None and value < least else f"between {least} and {top}"
        said = why if value > top else why.partition(":")[0]
        raise ValueError(f"{name} is {value}; it must be {limits}{said}")
    return int(value)


def jobs(value: Any) -> int:
    """Return `value` as a number of processes: at least 1, or -1 for one on each core."""
    if isinstance(value, (int, np.integer)) and value == -1:
        return -1
    return count("n_jobs", value, why=", or -1 for one on each core")


def columns(name: str, values: ArrayLike, n_features: int, all_allowed: bool = True) -> np.ndarray:
    """Return `values` as the numbers of some features, all different."""
    array = _numbers_of("columns", name, values, n_features, "one or more columns", least=1)
    if len(set(array.tolist())) < len(array):
        raise ValueError(f"{name} is {values!r}; each column may be named only once")
    if not all_allowed and len(array) == n_features:
        raise ValueError(f"{name} is {values!r}, all there are: at least one must be left")
    return array


def members(name: str, values: ArrayLike, K: int) -> np.ndarray:
    """Return `values` as the numbers of components, from 0 to K - 1, each as often as it is named, (N,)."""
    return _numbers_of("components", name, values, K, "components, such as [0, 0, 1]")


def _numbers_of(things: str, name: str, values: ArrayLike, n: int, wanted: str, least: int = 0) -> np.ndarray:
    """Return `values` as a list of numbers from 0 to n - 1, of so many things at least."""
    not_masked(name, values)
    try:
        array = np.asarray(values)
    except ValueError:  # rows of different lengths
        array = np.asarray(values, dtype=object)
    if array.ndim != 1 or len(array) < least or (len(array) and array.dtype.kind not in "iu"):
        raise ValueError(f"{name} is {values!r}; it must be a list of the numbers of {wanted}")
    if len(array) and (array.min() < 0 or array.max() >= n):
        raise ValueError(f"{name} is {values!r}; {things} are numbered from 0 to {n - 1}")
    return array.astype(int)


def number(name: str, value: Any) -> float:
    """Return `value` as a finite float."""
    if isinstance(value, bool) or not isinstance(value, (int, float, np.integer, np.floating)):
        raise ValueError(f"{name} is {value!r}; it must be a number")
    try:
        as_float = float(value)
    except OverflowError:
        as_float = inf
    if not isfinite(as_float):
        raise ValueError(f"{name} is {as_float}; it must be a finite number")
    return as_float


def not_negative(name: str, value: Any) -> float:
    """Return `value` as a finite float that is 0 or more."""
    as_float = number(name, value)
    if as_float < 0:
        raise ValueError(f"{name} is {value}; it must be 0 or more")
    return as_float


def positive(name: str, value: Any) -> float:
    """Return `value` as a finite float above 0."""
    as_float = number(name, value)
    if as_float <= 0:
        raise ValueError(f"{name} is {value}; it must be greater than 0")
    return as_float


def kind(name: str, value: Any, wanted: Any, example: str = "") -> None:
    """Raise an error unless `value` is an instance of the class that is wanted."""
    if not isinstance(value, wanted):
        said = SPELT.get(wanted.__name__) or with_article(wanted.__name__)
        raise ValueError(f"{name} is {kind_of(value)}; it must be {said}{example}")


def truth(name: str, value: Any) -> bool:
    """Return `value` if it is True or False, of Python's or NumPy's kind."""
    if not isinstance(value, (bool, np.bool_)):
        raise ValueError(f"{name} is {kind_of(value)}; it must be True or False")
    return bool(value)


def function(name: str, value: Any, *given: str, by_name: Iterable[str] = ()) -> None:
    """Raise an error unless `value` can be called with what is given: by place, and some of it by name."""
    kind(name, value, Callable)
    try:
        own = signature(value)
    except ValueError:  # not every function that is written in C can say what it takes
        return
    try:
        own.bind(*given, **dict.fromkeys(by_name))
    except TypeError:
        takes = ", ".join(str(one.replace(annotation=one.empty)) for one in own.parameters.values())
        call = ", ".join([*given, *(f"{one}=..." for one in by_name)])
        raise ValueError(
            f"{name} is a function of ({takes}); it must be one that is called as {name}({call})"
        ) from None


def options(whose: str, given: Iterable[str], known: Collection[str]) -> None:
    """Raise an error unless all names that are given are those of options."""
    if strangers := sorted(set(given) - set(known)):
        said = listing(sorted(known)) if known else "none"
        raise ValueError(f"{whose} has no option {strangers[0]!r}; its options are: {said}")


def on_a_line(what: str, n_features: int, whose: str, name: str) -> None:
    """Raise an error unless there is one dimension, which is all that `what` is for."""
    if n_features != 1:
        raise ValueError(
            f"{what} is for one dimension, and {whose} {n_features}: take a marginal first, "
            f"{name}.marginal([0]).{what}(...)"
        )


def one_of(name: str, value: Any, allowed: Sequence[str]) -> str:
    """Return `value` if it is one of the allowed names."""
    if not isinstance(value, str) or value not in allowed:  # an array would not say whether it is among them
        raise ValueError(f"{name} is {value!r}; it must be one of {', '.join(map(repr, allowed))}")
    return str(value)


def generator(rng: Any) -> np.random.Generator:
    """Return `rng` if it is a `numpy.random.Generator`; scikit-learn's RandomState passes, for its estimators' sake."""
    if not isinstance(rng, (np.random.Generator, np.random.RandomState)):
        raise ValueError(
            f"rng is {rng!r}; it must be a numpy.random.Generator: pass np.random.default_rng(0), "
            "and the same one again to go on from where it is"
        )
    return rng  # type: ignore[return-value]


def spawner(rng: Any) -> np.random.Generator:
    """Return `rng` if it is a `numpy.random.Generator`, of which every task may have one of its own."""
    if isinstance(generator(rng), np.random.RandomState):
        raise ValueError(
            "rng is a RandomState; here it must be a numpy.random.Generator, of which every fit gets one of its own: "
            "pass np.random.default_rng(0)"
        )
    return rng
