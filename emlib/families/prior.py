"""What Gaussians are told beside their parameters: a prior and other options.

- `Prior`: what is believed before any data, as many points as the belief is worth.
- `checked` and `in_dimensions` put all options in order.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from emlib import validate
from emlib.blocks import as_one
from emlib.families.covariance import Full
from emlib.families.moments import Moments
from emlib.families.variances import STRUCTURES, structure_named
from emlib.text import brief, counted
from emlib.value import Array, Value, frozen


@dataclass(frozen=True, repr=False, init=False)
class Prior(Value):
    """A conjugate prior for the mean and covariance of every component, told in points.

    The M-step proceeds as if each component had been seen before: its covariance on `covariance_count` points
    that spread as `covariance`, its mean on `mean_count` points at `mean`. Without points of its own a
    component so keeps a sensible covariance, and none can collapse. (The prior of the mixture's weights is
    `Mixture(..., weight_count=)`.)

    Parameters
    ----------
    covariance : array_like (D, D)
        Symmetric and positive definite.
    covariance_count : float
    mean : array_like (D,), optional
        Needed only with a `mean_count`.
    mean_count : float
        0 leaves the means free.

    Notes
    -----
    The density of a component's mean and covariance is, but for a constant factor,
    det(S)^(-v/2) exp(-v tr(S^-1 C)/2 - k (m - mean)' S^-1 (m - mean)/2), v = covariance_count, k = mean_count. A
    normal-inverse-Wishart prior with n degrees of freedom and scale matrix L is v = n + D + 2, C = L / v; if k is
    0, and the prior inverse Wishart, v = n + D + 1.

    References
    ----------
    Fraley & Raftery (2007), Bayesian regularization for normal mixture estimation and model-based clustering.

    Examples
    --------
    >>> from emlib import Prior, start
    >>> prior = Prior([[4.0]], covariance_count=10)
    >>> prior
    prior worth 10 points with the covariance [[4]]
    >>> start.from_labels([[0.0], [1.0], [7.0]], [0, 0, 1], prior=prior)  # one point, and no collapse
    Mixture of 2 Gaussians in 1 dimension
      weight 0.666667, mean 0.5, variance 3.375
      weight 0.333333, mean 7, variance 3.63636
    """

    covariance: Array
    covariance_count: float
    mean: Array
    mean_count: float

    def __init__(
        self,
        covariance: ArrayLike,
        covariance_count: float,
        mean: ArrayLike | None = None,
        mean_count: float = 0.0,
    ) -> None:
        covariance = validate.finite("covariance", covariance)
        if covariance.ndim != 2 or covariance.shape[0] != covariance.shape[1] or not covariance.size:
            raise ValueError(f"covariance has shape {covariance.shape}; it must be (D, D)")
        D = len(covariance)
        mean_count = validate.not_negative("mean_count", mean_count)
        if mean is None and mean_count:
            raise ValueError(f"mean_count is {mean_count} and there is no mean: give one, (D,) = ({D},)")
        mean = validate.shaped("mean", np.zeros(D) if mean is None else mean, (D,), "(D,)")
        covariance = validate.symmetric("covariance", covariance[None])
        Full.of(covariance, D).check_definite("covariance")
        # A frozen dataclass is set once, here.
        self.__dict__.update(
            covariance=frozen(covariance[0]),
            covariance_count=validate.not_negative("covariance_count", covariance_count),
            mean=frozen(mean),
            mean_count=mean_count,
        )

    @classmethod
    def weak(cls, X: ArrayLike, K: int) -> Self:
        """The default of Fraley & Raftery (2007): next to nothing, but enough against collapse.

        A hundredth of a point for each mean, at the mean of the data; D + 2 degrees of freedom for each
        covariance, with the covariance of the data divided by K^(2/D).

        It is made for a few dimensions. In D it counts as 2D + 4 points, and as all but one of them have no spread, in
        many dimensions it pulls every covariance towards zero: there, give a covariance and a count of your own.

        Parameters
        ----------
        X : array_like (N, D)
        K : int
            Number of components.

        Examples
        --------
        >>> from emlib import Prior, datasets
        >>> Prior.weak(datasets.three_clusters().X, 3)
        prior worth 6 points with the covariance [[1.31791]], and 0.01 at the mean [-0.0544617]
        """
        X, K = validate.points(as_one(X)), validate.count("K", K)
        D = X.shape[1]
        if len(X) < 2:
            raise ValueError("X is one point, which has no covariance: give a prior of your own")
        count = (D + 2) + (D + 2)
        return cls(np.atleast_2d(np.cov(X.T)) / K ** (2 / D) / count, count, X.mean(axis=0), 0.01)

    def __repr__(self) -> str:
        D = len(self.mean)
        shown = brief(self.covariance) if D < 4 else f"({D}, {D})"
        text = f"prior worth {self.covariance_count:.6g} points with the covariance {shown}"
        if self.mean_count:
            text += f", and {self.mean_count:.6g} at the mean {brief(self.mean) if D < 4 else f'({D},)'}"
        return text

    def check(self, D: int) -> None:
        """Raise an error unless the prior is one for D dimensions."""
        if len(self.mean) != D:
            raise ValueError(f"prior has {counted(len(self.mean), 'dimension')} and the components {D}")

    def marginal(self, columns: np.ndarray) -> Prior:
        """What it says of some of the features."""
        columns = validate.columns("columns", columns, len(self.mean))
        part = self.covariance[np.ix_(columns, columns)]
        return Prior(part, self.covariance_count, self.mean[columns], self.mean_count)

    def add_to(self, moments: Moments) -> tuple[Moments, Array]:
        """The moments with the pseudo-points', and the counts that their scatter is to be divided by, (K,)."""
        K, D = moments.centres.shape
        form = STRUCTURES[moments.structure]
        pseudo = Moments(
            np.full(K, self.mean_count),
            np.full((K, D), self.mean),
            np.zeros((K, D)),
            form.summed(np.array([self.covariance_count * form.products_of(self.covariance)] * K)),
            moments.structure,
        )
        return moments + pseudo, moments.counts + self.covariance_count


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
    return options | {"floor": None if floor is None else frozen(np.full(D, floor))}
