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
from emlib.families.variances import STRUCTURES
from emlib.mixture import Mixture
from emlib.value import Array

GIVEN = ("weights_init", "means_init", "precisions_init")  # parameters to start from
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
        many = blocks.n_rows > start.ENOUGH  # too many to be copied
        if many or isinstance(error, Collapse) or len(np.unique(as_one(blocks), axis=0)) >= K:
            raise
        if not options["ridge"]:  # every one of them would be held up
            raise Collapse(str(error)) from error
        X, weights = blocks.lists
        return start.from_labels(X, np.arange(blocks.n_rows) % K, weights=weights, **options)


def given_to(estimator: Any, blocks: Blocks) -> tuple[Array | None, Array | None, Array | None]:
    """The weights, means and covariances that an estimator is to start with, as far as it has them."""
    K, D, form = estimator.n_components, blocks.n_columns, STRUCTURES[estimator.covariance_type]
    weights = _given("weights", estimator.weights_init, (K,))
    means = _given("means", estimator.means_init, (K, D))
    precisions = _given(f"{form.name} precision", estimator.precisions_init, form.shape(K, D))
    if weights is not None:
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
    return weights, means, None if precisions is None else _inverses(precisions, form.name)


def _given(name: str, values: ArrayLike | None, shape: tuple[int, ...]) -> Array | None:
    """Parameters of this shape as an array, if they are given."""
    array = None if values is None else validate.finite(name, values)
    if array is not None and array.shape != shape:
        raise ValueError(f"The parameter '{name}' should have the shape of {shape}, but got {array.shape}")
    return array


def _inverses(precisions: Array, structure: str) -> Array:
    """The covariances that belong to precisions."""
    if structure in ("diag", "spherical"):
        if (precisions <= 0).any():
            raise ValueError(f"'{structure} precision' should be positive")
        return 1 / precisions
    turned = precisions.swapaxes(-1, -2)
    if not np.allclose(precisions, turned) or (np.linalg.eigvalsh(precisions) <= 0).any():
        raise ValueError(f"'{structure} precision' should be symmetric, positive-definite")
    inverse = np.linalg.inv((precisions + turned) / 2).astype(float)
    return (inverse + inverse.swapaxes(-1, -2)) / 2


def checked_blocks(estimator: Any, X: Any, weights: Any, first: bool) -> Blocks:
    """X, data of any kind that `fit` takes, in blocks that are checked; `first` if it is to be fitted."""
    if isinstance(X, Blocks) and isinstance(X.pairs, list):
        X, weights = Blocks.of(X, weights).lists
    if is_elsewhere(X):
        found = Blocks.of(X, weights).checked(validate.table)
        validate_data(estimator, np.zeros((1, found.n_columns)), reset=first)
    elif isinstance(X, (list, tuple)) and len(X) > 0 and all(np.ndim(block) == 2 for block in X):
        blocks = [_checked_block(estimator, block, first and not n) for n, block in enumerate(X)]
        found = Blocks(blocks, weights).checked(validate.table)
    else:
        block = _checked_block(estimator, X, first, ensure_min_samples=2 if first else 1)
        found = Blocks(block, weights).checked(validate.table)
    if first and found.n_rows < 2:
        raise ValueError("X holds one point; a mixture needs two at least")
    return found


def _checked_block(estimator: Any, block: Any, first: bool, **options: Any) -> np.ndarray:
    """An array (N, D) as scikit-learn reads it, of float32 or float64."""
    if isinstance(block, (str, bytes, dict)) or not (
        hasattr(block, "__len__") or hasattr(block, "__array__")
    ):
        raise ValueError(f"X is {block!r}; it must be an array (N, D), or a list of such blocks")
    validate.not_masked("X", block)
    if np.asarray(block).dtype.kind in "mM":  # which scikit-learn would read as numbers
        raise ValueError("X cannot be read as an array of numbers: it holds dates")
    try:
        return validate_data(estimator, block, reset=first, dtype=[np.float64, np.float32], **options)
    except TypeError as error:  # which scikit-learn asks of other objects
        if "complex" in str(error):
            raise ValueError(f"X cannot be read as an array of numbers: {error}") from error
        raise


def check_parameters(estimator: Any, blocks: Blocks) -> None:
    """Raise an error unless the estimator's parameters make sense, for these data."""
    for name, least in (("n_components", 1), ("max_iter", 0), ("n_init", 1), ("verbose_interval", 1)):
        validate.count(name, getattr(estimator, name), least)
    if not isinstance(estimator.verbose, bool):
        validate.count("verbose", estimator.verbose, least=0)
    validate.not_negative("tol", estimator.tol)
    validate.not_negative("reg_covar", estimator.reg_covar)
    validate.one_of("covariance_type", estimator.covariance_type, tuple(STRUCTURES))
    validate.one_of("init_params", estimator.init_params, tuple(STARTS))
    validate.kind("warm_start", estimator.warm_start, bool)
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
