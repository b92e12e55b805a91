"""What Gaussians are told beside their parameters: structure, floor, ridge, prior, and which parameters are known."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from emlib import validate
from emlib.families.prior import Prior
from emlib.families.variances import structure_named
from emlib.text import brief


def checked(options: dict[str, Any]) -> dict[str, Any]:
    """All options as they are stored, but a floor as an array, () or (D,), or None."""
    structure_named(options["structure"])  # raises an error if there is none of this name
    if options["prior"] is not None:
        validate.kind("prior", options["prior"], Prior)
    given, fixed = options["floor"], options["fixed"]
    floor = None if given is None else validate.finite("floor", given)
    if floor is not None:
        if isinstance(given, bool) or floor.ndim > 1 or {*np.sign(floor).ravel()} not in ({0}, {1}):
            raise ValueError(
                f"floor is {brief(floor)}; it must be a variance, or one for each feature: all above 0, or 0 for "
                "no floor"
            )
        floor = floor if floor.any() else None
    names = fixed if isinstance(fixed, Iterable) and not isinstance(fixed, str) else [fixed]
    known = {validate.one_of("fixed", name, ("means", "covariances")) for name in names}
    ridge = validate.not_negative("ridge", options["ridge"])
    return options | {"floor": floor, "ridge": ridge, "fixed": tuple(sorted(known))}


def in_dimensions(options: dict[str, Any], D: int) -> dict[str, Any]:
    """Checked options as D features have them, the floor as an array (D,), or a ValueError if they do not fit."""
    if options["prior"] is not None:
        options["prior"].check(D)
    floor = options["floor"]
    if floor is not None and floor.shape not in ((), (D,)):
        raise ValueError(
            f"floor has shape {floor.shape}; it must be one number, or one for each of {D} features"
        )
    return options | {"floor": None if floor is None else np.full(D, floor)}
