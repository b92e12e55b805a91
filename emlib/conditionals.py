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

    Examples
    --------
    >>> from emlib import datasets, fit, start
    >>> X = datasets.old_faithful().X
    >>> mixture = fit(start.from_labels(X, X[:, 0] > 3), X).model
    >>> waiting = mixture.conditionals([0], [[2.0], [3.0], [4.5]])  # given how long an eruption took
    >>> waiting.resp.round(2).tolist()
    [[1.0, 0.0], [0.12, 0.88], [0.0, 1.0]]
    >>> waiting.means[:, :, 0].round(2).tolist()
    [[54.25, 67.3], [60.54, 72.83], [69.98, 81.13]]
    """

    resp: Array
    means: Array
    covariances: Array

    def mean(self) -> Array:
        """The expected values of the features that are left, (N, R): the regression.

        Examples
        --------
        >>> from emlib import datasets, fit, start
        >>> X = datasets.old_faithful().X
        >>> mixture = fit(start.from_labels(X, X[:, 0] > 3), X).model
        >>> mixture.conditionals([0], [[2.0], [3.0], [4.5]]).mean().round(2).tolist()
        [[54.25], [71.32], [81.13]]
        """
        return np.einsum("nk,nkr->nr", self.resp, self.means)

    def covariance(self) -> Array:
        """Their covariances, (N, R, R).

        Examples
        --------
        >>> from emlib import datasets, fit, start
        >>> X = datasets.old_faithful().X
        >>> mixture = fit(start.from_labels(X, X[:, 0] > 3), X).model
        >>> mixture.conditionals([0], [[2.0], [3.0], [4.5]]).covariance().round(2).ravel().tolist()
        [30.96, 47.2, 30.84]
        """
        away = self.means - self.mean()[:, None]
        within = np.einsum("nk,krs->nrs", self.resp, self.covariances)
        return within + np.einsum("nk,nkr,nks->nrs", self.resp, away, away)
