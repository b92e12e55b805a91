"""What a mixture says of some features, given the others, for many points at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from emlib.value import Array, Value


@dataclass(frozen=True)
class Conditionals(Value):
    """For many points the mixture of the features that are left, given the others.

    Attributes
    ----------
    resp : array (N, K)
        The weights of the components, point by point.
    means : array (N, K, R)
        Their means, of the R features that are left.
    covariances : array (K, R, R)
        Their covariances, the same for all points.
    """

    resp: Array
    means: Array
    covariances: Array

    def mean(self) -> Array:
        """The expected values of the features that are left, (N, R): the regression."""
        return np.einsum("nk,nkr->nr", self.resp, self.means)

    def covariance(self) -> Array:
        """Their covariances, (N, R, R)."""
        away = self.means - self.mean()[:, None]
        within = np.einsum("nk,krs->nrs", self.resp, self.covariances)
        return within + np.einsum("nk,nkr,nks->nrs", self.resp, away, away)
