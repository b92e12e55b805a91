"""Where `GaussianMixture` starts: as scikit-learn does, and parameters checked in its words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils.validation import validate_data

from emlib import start, validate
from emlib.blocks import Blocks, as_one, is_elsewhere
from emlib.em import Collapse
from emlib.families import Gaussian
from emlib.families.covariance import Full
from emlib.families.variances import STRUCTURES
from emlib.mixture import Mixture
from emlib.value import Array

GIVEN = ("weights_init", "means_init", "precisions_init")  # parameters to start from
ONE_POINT = "X holds one point; a mixture needs two at least"
STARTS: dict[str, Callable[..., Mixture]] = {
    "kmeans": start.k_means,
    "k-means++": start.k_means_plus_plus,
    "random": start.random,
    "random_from_data": start.from_data,
}


def start_of(estimator: Any, blocks: Blocks, rng: Any, options: dict[str, Any]) -> Mixture:
    """The start that `init_params` names, with those parameters in it that are given."""
    shares, means, covariances = given_to(estimator, blocks)
    if shares is not None and means is not None and covariances is not None:
        return Mixture(shares, Gaussian(means, covariances, **options))
    first = start_named(estimator.init_params, blocks, estimator.n_components, rng, options)
    parts: Any = first.components
    if covariances is not None:
        parts = Gaussian(parts.means if means is None else means, covariances, **options)
    elif means is not None:
        parts = parts.moved(means)
    return Mixture(first.weights if shares is None else shares, parts)


def continued(estimator: Any, blocks: Blocks, options: dict[str, Any]) -> Mixture:
    """The fitted mixture, under the floor and the ridge that are asked for now."""
    mixture: Mixture = estimator.mixture_
    parts, K = cast(Gaussian, mixture.components), len(mixture)
    if (estimator.n_components, estimator.covariance_type) != (K, parts.structure):
        raise ValueError(
            f"warm_start would go on with {K} components of structure {parts.structure!r}, and "
            f"{estimator.n_components} of structure {estimator.covariance_type!r} are asked for: set warm_start=False"
        )
    new = [name for name in GIVEN if not np.array_equal(getattr(estimator, name), estimator._begun[name])]
    if new:
        raise ValueError(f"warm_start goes on from the last fit, and {new[0]} is new: set warm_start=False")
    parts.check(np.zeros((1, blocks.n_columns)))  # has it as many columns?
    return mixture.with_parts(mixture.weights, parts.under(**options))


def start_named(name: str, blocks: Blocks, K: int, rng: Any, options: dict[str, Any]) -> Mixture:
    """The start of this name; with a ridge, where there are fewer distinct points than components, any partition."""
    try:
        return STARTS[name](blocks, K, rng, **options)
    except ValueError as error:
        if isinstance(error, Collapse) or blocks.n_rows > start.ENOUGH:  # too many to be copied
            raise
        if len(np.unique(as_one(blocks), axis=0)) >= K:
            raise
        if not options["ridge"]:  # every one of them would be held up
            raise Collapse(str(error)) from error
        X, weights = blocks.lists
        return start.from_labels(X, np.arange(blocks.n_rows) % K, weights=weights, **options)


def given_to(estimator: Any, blocks: Blocks) -> tuple[Array | None, Array | None, Array | None]:
    """The weights, means and covariances that an estimator is to start with, as far as it has them."""
    return given(
        estimator.weights_init,
        estimator.means_init,
        estimator.precisions_init,
        STRUCTURES[estimator.covariance_type],
        (estimator.n_components, blocks.n_columns),
    )


def given(
    weights_init: ArrayLike | None,
    means_init: ArrayLike | None,
    precisions_init: ArrayLike | None,
    form: type[Full],
    size: tuple[int, int],
) -> tuple[Array | None, Array | None, Array | None]:
    """The weights, means and covariances of K components in D dimensions, as far as they are given.

    Parameters
    ----------
    weights_init, means_init, precisions_init : array_like or None
        (K,), (K, D), and the inverses of the covariances.
    form : structure
        Of the covariances.
    size : tuple of int
        K and D.
    """
    K, D = size
    weights: Array | None = None
    means: Array | None = None
    covariances: Array | None = None
    if weights_init is not None:
        weights = _shaped("weights", weights_init, (K,))
        if (weights < 0).any() or (weights > 1).any():
            # scikit-learn swaps the two, and its tests ask for these words.
            raise ValueError(
                "The parameter 'weights' should be in the range [0, 1], but got max value "
                f"{weights.min():.5f}, min value {weights.max():.5f}"
            )
        if abs(1 - weights.sum()) > 1e-6:
            raise ValueError(
                f"The parameter 'weights' should be normalized, but got sum(weights) = {weights.sum():.5f}"
            )
        weights = weights / weights.sum()  # float32 rounds the sum
    if means_init is not None:
        means = _shaped("means", means_init, (K, D))
    if precisions_init is not None:
        name = f"{form.name} precision"
        precisions = _shaped(name, precisions_init, form.shape(K, D))
        if form.name in ("diag", "spherical"):
            if (precisions <= 0).any():
                raise ValueError(f"'{name}' should be positive")
            covariances = 1 / precisions
        else:
            turned = precisions.swapaxes(-1, -2)
            if not np.allclose(precisions, turned) or (np.linalg.eigvalsh(precisions) <= 0).any():
                raise ValueError(f"'{name}' should be symmetric, positive-definite")
            inverse = np.linalg.inv((precisions + turned) / 2).astype(float)
            covariances = (inverse + inverse.swapaxes(-1, -2)) / 2
    return weights, means, covariances


def _shaped(name: str, values: ArrayLike, shape: tuple[int, ...]) -> Array:
    array = validate.finite(name, values)
    if array.shape != shape:
        raise ValueError(f"The parameter '{name}' should have the shape of {shape}, but got {array.shape}")
    return array


def checked_blocks(estimator: Any, X: Any, weights: Any, first: bool) -> Blocks:
    """X, data of any kind that `fit` takes, in blocks that are checked; `first` if it is to be fitted."""
    if isinstance(X, Blocks) and isinstance(X.pairs, list):
        X, weights = Blocks.of(X, weights).lists
    if is_elsewhere(X):
        found = Blocks.of(X, weights).checked(validate.table)
        if first and found.n_rows < 2:
            raise ValueError(ONE_POINT)
        validate_data(estimator, np.zeros((1, found.n_columns)), reset=first)
        return found
    many = isinstance(X, (list, tuple)) and len(X) > 0 and all(np.ndim(block) == 2 for block in X)
    options: dict[str, Any] = {
        "dtype": [np.float64, np.float32],
        "ensure_min_samples": 1 if many else 2 if first else 1,
    }
    blocks = []
    for number, block in enumerate(X if many else [X]):
        if isinstance(block, (str, bytes, dict)) or not (
            hasattr(block, "__len__") or hasattr(block, "__array__")
        ):
            raise ValueError(f"X is {block!r}; it must be an array (N, D), or a list of such blocks")
        validate.not_masked("X", block)
        if np.asarray(block).dtype.kind in "mM":  # which scikit-learn would read as numbers
            raise ValueError("X cannot be read as an array of numbers: it holds dates")
        try:
            blocks.append(validate_data(estimator, block, reset=first and number == 0, **options))
        except TypeError as error:  # which scikit-learn asks of other objects
            if "complex" in str(error):
                raise ValueError(f"X cannot be read as an array of numbers: {error}") from error
            raise
    if many and first and sum(map(len, blocks)) < 2:
        raise ValueError(ONE_POINT)
    pieces = weights if many else None if weights is None else [weights]
    return Blocks(blocks, pieces).checked(validate.table)


def check_parameters(estimator: Any, blocks: Blocks) -> None:
    """Raise an error unless the estimator's parameters make sense, for these data."""
    validate.count("n_components", estimator.n_components)
    validate.one_of("covariance_type", estimator.covariance_type, tuple(STRUCTURES))
    validate.one_of("init_params", estimator.init_params, tuple(STARTS))
    validate.not_negative("tol", estimator.tol)
    validate.count("max_iter", estimator.max_iter, least=0)
    validate.count("n_init", estimator.n_init)
    validate.kind("warm_start", estimator.warm_start, bool)
    validate.count("verbose_interval", estimator.verbose_interval)
    validate.count(
        "verbose",
        int(estimator.verbose) if isinstance(estimator.verbose, bool) else estimator.verbose,
        least=0,
    )
    validate.not_negative("reg_covar", estimator.reg_covar)
    if isinstance(estimator.floor, str) and estimator.floor != "auto":
        raise ValueError(
            f"floor is {estimator.floor!r}; it must be 'auto', a number, or one for each feature"
        )
    if blocks.n_rows < estimator.n_components:
        raise ValueError(
            "Expected n_samples >= n_components but got n_components = "
            f"{estimator.n_components}, n_samples = {blocks.n_rows}"
        )
    given_to(estimator, blocks)
