"""How one mixture is fitted: several starts, and the best of what they reach."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike

from emlib import validate
from emlib.blocks import Blocks, Data, as_one
from emlib.em import Collapse
from emlib.families import Family, Gaussian
from emlib.families.family import checked_family
from emlib.families.variances import STRUCTURES, structure_named
from emlib.fitting import Trace, fit_best
from emlib.mixture import Mixture
from emlib.start import usual_floor
from emlib.text import counted, kind_of
from emlib.value import Array, field_names

Floor = ArrayLike | Literal["auto"]
Start = Callable[..., Mixture]
Make = Callable[[], Mixture]
ALL = tuple(STRUCTURES)


@dataclass(frozen=True)
class Recipe:
    """How each mixture is fitted; see `sweep`."""

    n_init: int
    start: Start
    family: type[Family]
    floor: Floor
    tol: float
    max_iter: int
    structure: str = "full"

    def __post_init__(self) -> None:
        validate.count("n_init", self.n_init)
        if not callable(self.start):
            raise ValueError(
                f"start is {self.start!r}; it must be a function such as emlib.start.k_means, "
                "called as start(X, K, rng, structure=..., floor=...)"
            )
        family = checked_family(self.family)
        told = [*self.options, *([] if family is Gaussian else ["family"])]
        validate.function("start", self.start, "X", "K", "rng", by_name=told)
        if self.floor is None or (isinstance(self.floor, str) and self.floor != "auto"):
            raise ValueError(f"floor is {self.floor!r}; it must be a number, one for each feature, or 'auto'")
        if not isinstance(self.floor, str) and "floor" not in self.options:
            raise ValueError(f"floor is given, and {family.__name__} has none: leave it out")
        validate.not_negative("tol", self.tol)
        validate.count("max_iter", self.max_iter, least=0)

    def ready(self, X: Array, structures: Sequence[Any]) -> list[Self]:
        """The same for each structure, with the floor in numbers, after a look whether the family takes these data.

        A family that has no structures, and of which none was asked, is there once, under the name of its kind.

        Warns
        -----
        EMWarning
            If the floor is the usual one, and the data are flat in some direction.
        """
        names = [self.family.kind()]
        if "structure" in self.options:
            names = list(dict.fromkeys(structure_named(name).name for name in structures))
        elif tuple(map(str, structures)) not in (ALL, ("full",)):  # which are the defaults
            name = self.family.__name__
            raise ValueError(f"structure is {structures[0]!r}, and {name} has none: leave it out")
        floor = usual_floor(X) if isinstance(self.floor, str) and "floor" in self.options else self.floor
        found = [replace(self, structure=name, floor=floor) for name in names]
        with suppress(Collapse):  # that would be the end of a fit, and its row would say so
            self.family.from_responsibilities(X, np.ones((len(X), 1)), **found[0].options)
        return found

    @property
    def options(self) -> dict[str, Any]:
        """What the family is told, as far as it has such options."""
        known = field_names(self.family)
        return {name: getattr(self, name) for name in ("structure", "floor") if name in known}

    def n_parameters(self, X: Array, K: int) -> int:
        """How many free numbers a mixture has, though none could be fitted: nothing collapses under a high floor."""
        options = {name: 1.0 if name == "floor" else value for name, value in self.options.items()}
        equal = np.full((len(X), K), 1 / K)
        return K - 1 + self.family.from_responsibilities(X, equal, **options).n_parameters

    def starts(self, X: Array, K: int, rng: np.random.Generator) -> list[Make]:
        """The starts of one mixture, `n_init` of them."""
        return [partial(self._first, X, K, own) for own in rng.spawn(self.n_init)]

    def best(self, X: Array, starts: Sequence[Mixture | Make], accelerate: bool = True) -> Trace[Mixture]:
        """The best of the fits from some starts.

        Raises
        ------
        Collapse
            If no start leads to a mixture; it says what the first ran into.
        KeyboardInterrupt
            If a fit was interrupted: to `fit_best` that is an end, but a sweep or a test would go on with nonsense.
        """
        try:
            trace: Trace[Mixture] = fit_best(
                starts, X, warn=False, tol=self.tol, max_iter=self.max_iter, accelerate=accelerate
            )
        except Collapse as error:
            raise Collapse(str(error.__cause__)) from error
        if trace.stop.reason == "interrupted":
            raise KeyboardInterrupt(trace.stop.message)
        return trace

    def _first(self, X: Array, K: int, rng: np.random.Generator) -> Mixture:
        """What the start gives, if it is what was asked for."""
        family = {} if self.family is Gaussian else {"family": self.family}
        try:
            first: Any = self.start(X, K, rng, **self.options, **family)
        except ValueError as error:  # too few different points for K, or a component without a covariance
            raise Collapse(str(error)) from error
        parts: Any = getattr(first, "components", None)
        structure = self.structure
        right = isinstance(first, Mixture) and len(first) == K and isinstance(parts, self.family)
        if right and getattr(parts, "structure", structure) == structure:
            return first
        what = f"a mixture of {parts.headline()}" if isinstance(first, Mixture) else kind_of(first)
        wanted = f"{structure!r} " if "structure" in self.options else ""
        raise ValueError(
            f"start gave {what}; it must give a Mixture of {counted(K, wanted + self.family.__name__)}, as "
            "those of emlib.start do when they are called as start(X, K, rng, structure=..., floor=...)"
        )


def table_of(X: Data) -> Array:
    """The data, which may come in blocks, as one table (N, D) of finite numbers."""
    blocks = Blocks.of(X).checked(validate.points)
    if any(weights is not None for _, weights in blocks.pairs):
        raise ValueError("X has weights, which are not taken here: use fit_best, and select.bic")
    return np.ascontiguousarray(as_one(blocks))  # sums in another order have other last digits


def several(name: str, values: Any, example: str) -> list[Any]:
    """One value, or several, as a list."""
    if isinstance(values, (str, bytes, int, np.integer)):
        return [values]
    try:
        found = list(values)
    except TypeError:
        raise ValueError(f"{name} is {values!r}; it must be one value or several, as in {example}") from None
    if not found:
        raise ValueError(f"{name} is empty; give at least one value, as in {example}")
    return found
