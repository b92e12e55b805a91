"""Covariances that are variances, and all four structures by their names.

- `Diag`: a variance for every component and feature, and no correlation.
- `Spherical`: one variance for every component, the same for all features.
"""

from __future__ import annotations

from typing import Self

import numpy as np

from emlib.families.covariance import Full, Tied, from_variances
from emlib.validate import one_of
from emlib.value import Array


class Diag(Full):
    """A variance for every component and feature, and no correlation."""

    name = "diag"
    axes = "KD"

    @classmethod
    def outer(cls, counts: Array, a: Array, b: Array) -> Array:
        return cls.summed(counts[:, None] * a * b)

    @staticmethod
    def products_of_points(weighted: Array) -> Array:
        return np.einsum("nd,nd->d", weighted, weighted)

    @staticmethod
    def products_of(covariance: Array) -> Array:
        return np.diag(covariance)

    @staticmethod
    def plus(stored: Array, variance: float) -> Array:
        return stored + variance

    @classmethod
    def of(cls, stored: Array, D: int, floor: Array | None = None) -> Self:
        if floor is not None and stored.shape[1] == 1:
            floor = floor.max()  # above which the one variance is above all
        variances, whiteners, logs = from_variances(stored, floor)
        log_dets = logs.sum(axis=1) * (D // stored.shape[1])
        return cls(variances, whiteners, log_dets, 1 + 0 * log_dets)

    @staticmethod
    def matrices(stored: Array, K: int, D: int) -> Array:
        return stored[:, :, None] * np.eye(D)

    def variances(self) -> Array:
        return self.stored

    @staticmethod
    def of_features(stored: Array, which: np.ndarray) -> Array:
        return stored if stored.shape[1] == 1 else stored[:, which]

    def precisions(self) -> Array:
        return self.whiteners**2

    def factors_of_precisions(self) -> Array:
        return self.whiteners

    def whiten(self, k: int, centred: Array) -> Array:
        return self.whiteners[k][:, None] * centred

    def colour(self, labels: np.ndarray, noise: Array) -> Array:
        return np.sqrt(self.stored)[labels] * noise

    @staticmethod
    def products(X: Array, out: Array) -> None:
        np.multiply(X, X, out=out)

    def linear(self, means: Array) -> tuple[Array, Array]:
        precisions = self.whiteners**2
        return -precisions / 2, precisions * means

    @staticmethod
    def unpacked(sums: Array, D: int) -> Array:
        return sums


class Spherical(Diag):
    """One variance for every component, the same for all features."""

    name = "spherical"
    axes = "K1"

    @staticmethod
    def divided(products: Array, counts: Array, D: int) -> Array:
        return products / (counts[:, None] * D)

    @staticmethod
    def products(X: Array, out: Array) -> None:
        np.multiply(X, X).sum(axis=0, out=out[0])


STRUCTURES: dict[str, type[Full]] = {form.name: form for form in (Full, Tied, Diag, Spherical)}


def structure_named(name: str) -> type[Full]:
    """The structure of this name."""
    return STRUCTURES[one_of("structure", name, tuple(STRUCTURES))]


def positive_definite(covariance: Array) -> bool:
    """Whether one covariance (D, D) is positive definite, as far as float64 can tell."""
    return not len(Full.of(np.array(covariance)[None], len(covariance)).not_definite())
