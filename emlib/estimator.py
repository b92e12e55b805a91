"""`GaussianMixture`: scikit-learn's estimator, on emlib's EM."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, DensityMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from emlib import initial, start, validate
from emlib.em import Collapse, Step
from emlib.families import Gaussian
from emlib.families.structure import STRUCTURES
from emlib.fitting import Trace, run
from emlib.mixture import Mixture
from emlib.stopping import Stop
from emlib.validate import Array

STARTS: dict[str, Callable[..., Mixture]] = {
    "kmeans": start.k_means,
    "k-means++": start.k_means_plus_plus,
    "random": start.random,
    "random_from_data": start.from_data,
}


class Reached(NamedTuple):
    """Where one of the starts led."""

    lower_bound: float
    stop: Stop


class GaussianMixture(DensityMixin, BaseEstimator):
    """A Gaussian mixture fitted by EM: scikit-learn's estimator, faster, and honest about convergence.

    Parameters and attributes are those of `sklearn.mixture.GaussianMixture`, and mean the same, but for what
    is said here.

    Parameters
    ----------
    n_components : int
    covariance_type : {"full", "tied", "diag", "spherical"}
    tol : float
        Nats per point. The fit has converged when its last gain is below it, and the estimated rest too (or below
        a hundredth of a nat over all points), after three iterations or more, and the components can be told apart.
    reg_covar : float or "auto"
        The floor, a variance added to every feature: a number as in scikit-learn, or 1e-6 times the mean variance
        of the data's features, so that the answer does not depend on the units.
    max_iter, n_init : int
    init_params : {"kmeans", "k-means++", "random_from_data", "random"}
        See `emlib.start`; the second and the third begin with the covariance of all the data.
    weights_init, means_init, precisions_init : array_like, optional
    random_state : int, RandomState or None
    warm_start : bool
        Whether another call of `fit` goes on where the last one ended.
    verbose, verbose_interval : int

    Attributes
    ----------
    weights_, means_, covariances_, precisions_, precisions_cholesky_ : array
        Of the type of the data; they cannot be set.
    converged_ : bool
    n_iter_ : int
    lower_bound_ : float
        Mean log-likelihood of the data under the fitted model, in nats.
    lower_bounds_ : list of float
        The same after every iteration.
    mixture_ : Mixture
        The fitted model, for all that emlib can do with one.
    trace_ : Trace
        The history of the fit; after warm starts, of all of them.
    stop_ : Stop
        Why the fit ended, with the remedy where there is one.
    reached_ : tuple of Reached
        Where every one of the `n_init` starts led.
    n_features_in_, feature_names_in_
        As in scikit-learn.

    Examples
    --------
    >>> from emlib import GaussianMixture, datasets
    >>> X = datasets.three_clusters(15).X
    >>> gmm = GaussianMixture(3, random_state=0).fit(X)
    >>> gmm.converged_, gmm.n_iter_
    (True, 3)
    >>> gmm.weights_.round(3)
    array([0.333, 0.333, 0.333])
    """

    def __init__(
        self,
        n_components: int = 1,
        *,
        covariance_type: str = "full",
        tol: float = 1e-3,
        reg_covar: float | str = "auto",
        max_iter: int = 100,
        n_init: int = 1,
        init_params: str = "kmeans",
        weights_init: ArrayLike | None = None,
        means_init: ArrayLike | None = None,
        precisions_init: ArrayLike | None = None,
        random_state: Any = None,
        warm_start: bool = False,
        verbose: int = 0,
        verbose_interval: int = 10,
    ) -> None:
        self.n_components = n_components
        self.covariance_type = covariance_type
        self.tol = tol
        self.reg_covar = reg_covar
        self.max_iter = max_iter
        self.n_init = n_init
        self.init_params = init_params
        self.weights_init = weights_init
        self.means_init = means_init
        self.precisions_init = precisions_init
        self.random_state = random_state
        self.warm_start = warm_start
        self.verbose = verbose
        self.verbose_interval = verbose_interval

    # Fitting ----------------------------------------------------------------------------------------

    def fit(self, X: Any, y: Any = None, sample_weight: ArrayLike | None = None) -> Self:
        """Fit the mixture, from `n_init` starts, and keep the best.

        Parameters
        ----------
        X : array_like (N, D)
        y : ignored
        sample_weight : array_like (N,), optional
            How much each point counts: 2 is as good as the point twice.

        Raises
        ------
        ValueError
            For data that cannot be used, for parameters that make no sense, and if every start collapses.

        Warns
        -----
        ConvergenceWarning
            If the best fit did not converge, with the reason and the remedy.
        """
        X = self._points(X, first=True)
        self._check_parameters(X)
        weights = None if sample_weight is None else validate.point_weights(sample_weight, len(X))
        if weights is not None and not weights.any():
            raise ValueError("sample_weight is zero everywhere: at least one point must count")
        if self.warm_start and hasattr(self, "trace_"):
            traces = [self._run(self.mixture_, X, weights, self.trace_)]
        else:
            traces = self._run_all(X, weights)
        best = max(traces, key=lambda trace: (trace.stop.reason != "collapsed", trace.objective))

        self.trace_: Trace[Mixture] = best
        self.stop_ = best.stop
        self.mixture_: Mixture = best.model
        self.converged_ = best.stop.converged
        self.n_iter_ = best.stop.n_iter
        self.lower_bound_ = best.objective / best.n_points
        self.lower_bounds_ = (
            (best.objectives[-self.n_iter_ :] / best.n_points).tolist() if self.n_iter_ else []
        )
        self.reached_ = tuple(Reached(trace.objective / trace.n_points, trace.stop) for trace in traces)
        self._dtype = X.dtype
        if not self.converged_ and self.max_iter > 0:
            warnings.warn(
                "Best performing initialization did not converge. Try different init parameters, or "
                "increase max_iter, tol, or check for degenerate data. "
                f"EM {best.stop}",
                ConvergenceWarning,
                stacklevel=2,
            )
        return self

    def fit_predict(self, X: Any, y: Any = None, sample_weight: ArrayLike | None = None) -> np.ndarray:
        """Fit the mixture, then give the most probable component of every point, (N,)."""
        return self.fit(X, y, sample_weight).predict(X)

    def _run_all(self, X: Array, weights: Array | None) -> list[Trace[Mixture]]:
        """Fit from every start; those that collapse before their first step are left out, if others do not."""
        rng = check_random_state(self.random_state)  # as it is: then k-means starts as in scikit-learn
        floor = start.usual_floor(X, weights) if self.reg_covar == "auto" else float(self.reg_covar)
        traces, collapse = [], None
        for i in range(self.n_init):
            if self.verbose:
                print(f"Initialization {i}")
            try:
                traces.append(self._run(self._start(X, weights, rng, floor), X, weights))
            except Collapse as error:
                collapse = error
        if not traces:
            raise ValueError(
                "Fitting the mixture model failed because some components have ill-defined empirical covariance "
                "(for instance caused by singleton or collapsed samples). Try to decrease the number of "
                f"components, increase reg_covar, or scale the input data. ({collapse})"
            ) from collapse
        return traces

    def _run(
        self, mixture: Mixture, X: Array, weights: Array | None, earlier: Trace[Mixture] | None = None
    ) -> Trace[Mixture]:
        def report(step: Step[Mixture]) -> None:
            if step.number and step.number % self.verbose_interval == 0:
                lower_bound = step.objective / step.statistics.n_points
                print(f"  Iteration {step.number}\t lower bound {lower_bound:.6f}")

        trace = run(
            mixture,
            X,
            weights,
            tol=self.tol,
            max_iter=self.max_iter,
            negligible=0.01,  # no comparison of models hangs on less
            earlier=earlier,
            on_step=report if self.verbose > 1 else None,
        )
        if self.verbose:
            print(f"EM {trace.stop}")
        return trace

    # The start --------------------------------------------------------------------------------------

    def _start(self, X: Array, weights: Array | None, rng: Any, floor: float) -> Mixture:
        """The start that `init_params` names, with those parameters in it that are given."""
        shares, means, spread = self._given(X)
        if shares is None or means is None or spread is None:
            first = self._first(X, weights, rng, floor)
            assert isinstance(first.components, Gaussian)
            shares = first.weights if shares is None else shares
            means = first.components.means if means is None else means
            spread = first.components.covariances if spread is None else spread
        return Mixture(shares, Gaussian(means, spread, self.covariance_type, floor))

    def _first(self, X: Array, weights: Array | None, rng: Any, floor: float) -> Mixture:
        K = self.n_components
        keywords = {"structure": self.covariance_type, "floor": floor, "weights": weights}
        try:
            return STARTS[self.init_params](X, K, rng, **keywords)
        except ValueError as error:
            if isinstance(error, Collapse) or len(np.unique(X, axis=0)) >= K:
                raise
            # Fewer distinct points than components: any partition is as good as another.
            return start.from_labels(X, np.arange(len(X)) % K, **keywords)

    # Checks, in scikit-learn's words ----------------------------------------------------------------

    def _check_parameters(self, X: Array) -> None:
        validate.count("n_components", self.n_components)
        validate.one_of("covariance_type", self.covariance_type, tuple(STRUCTURES))
        validate.one_of("init_params", self.init_params, tuple(STARTS))
        validate.not_negative("tol", self.tol)
        validate.count("max_iter", self.max_iter, least=0)
        validate.count("n_init", self.n_init)
        validate.count("verbose_interval", self.verbose_interval)
        if self.reg_covar != "auto":
            validate.not_negative("reg_covar", self.reg_covar)
        if len(X) < self.n_components:
            raise ValueError(
                "Expected n_samples >= n_components but got n_components = "
                f"{self.n_components}, n_samples = {len(X)}"
            )
        self._given(X)

    def _given(self, X: Array) -> tuple[Array | None, Array | None, Array | None]:
        """The weights, means and covariances to start with, as far as they are given."""
        return initial.given(
            self.weights_init,
            self.means_init,
            self.precisions_init,
            STRUCTURES[self.covariance_type],
            (self.n_components, X.shape[1]),
        )

    # The fitted model -------------------------------------------------------------------------------

    def _part(self, array: Array) -> np.ndarray:
        return array.astype(self._dtype)

    @property
    def _gaussian(self) -> Gaussian:
        if not hasattr(self, "mixture_"):
            raise AttributeError("the mixture is not fitted yet: call fit first")
        components = self.mixture_.components
        assert isinstance(components, Gaussian)
        return components

    @property
    def weights_(self) -> np.ndarray:
        """Shares of the components, (K,)."""
        assert self._gaussian
        return self._part(self.mixture_.weights)

    @property
    def means_(self) -> np.ndarray:
        """(K, D)."""
        return self._part(self._gaussian.means)

    @property
    def covariances_(self) -> np.ndarray:
        """(K, D, D), (D, D), (K, D) or (K,), by `covariance_type`."""
        return self._part(self._gaussian.covariances)

    @property
    def precisions_(self) -> np.ndarray:
        """The inverses of the covariances, in the same shape."""
        return self._part(self._gaussian.precisions)

    @property
    def precisions_cholesky_(self) -> np.ndarray:
        """Their upper Cholesky factors; for diag and spherical one over the standard deviations."""
        return self._part(self._gaussian.precision_factors)

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "mixture_")

    def _points(self, X: Any, first: bool = False) -> Any:
        if first:
            return validate_data(self, X, dtype=[np.float64, np.float32], ensure_min_samples=2)
        check_is_fitted(self)
        return validate_data(self, X, reset=False, dtype=[np.float64, np.float32])

    def predict(self, X: Any) -> np.ndarray:
        """The most probable component of every point, (N,)."""
        X = self._points(X)  # first: it says so if nothing is fitted yet
        return self.mixture_.predict(X)

    def predict_proba(self, X: Any) -> np.ndarray:
        """The responsibilities, (N, K)."""
        X = self._points(X)
        return self._part(self.mixture_.responsibilities(X))

    def score_samples(self, X: Any) -> np.ndarray:
        """Log-density of every point, (N,), in nats."""
        X = self._points(X)
        return self._part(self.mixture_.log_density(X))

    def score(self, X: Any, y: Any = None, sample_weight: ArrayLike | None = None) -> float:
        """Mean log-density of the points, in nats."""
        X = self._points(X)
        weights = None if sample_weight is None else validate.point_weights(sample_weight, len(X))
        return float(np.average(self.mixture_.log_density(X), weights=weights))

    def sample(self, n_samples: int = 1) -> tuple[np.ndarray, np.ndarray]:
        """Draw points, and say which component each came from; sorted by component."""
        check_is_fitted(self)
        if n_samples < 1:
            raise ValueError(
                f"Invalid value for 'n_samples': {n_samples}. The sampling requires at least one sample."
            )
        rng = np.random.default_rng(check_random_state(self.random_state).randint(2**31))
        X, labels = self.mixture_.sample(n_samples, rng)
        order = np.argsort(labels, kind="stable")
        return self._part(X[order]), labels[order]

    def aic(self, X: Any) -> float:
        """Akaike's criterion on these points; smaller is better."""
        X = self._points(X)
        from emlib import select

        return select.aic(self.mixture_, X)

    def bic(self, X: Any) -> float:
        """The Bayesian information criterion on these points; smaller is better."""
        X = self._points(X)
        from emlib import select

        return select.bic(self.mixture_, X)
