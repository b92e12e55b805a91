"""`GaussianMixture`: scikit-learn's estimator, on emlib's EM."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from functools import partial
from typing import Any, NamedTuple, Self, cast

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, DensityMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from emlib import initialisation, select, start, validate
from emlib.blocks import Blocks
from emlib.em import Collapse, Step
from emlib.families import Gaussian
from emlib.fitting import Trace, fit, fit_best
from emlib.mixture import Mixture
from emlib.online import Online
from emlib.stopping import Stop
from emlib.value import Array
from emlib.walks import DataLost


class Reached(NamedTuple):
    """Where one of the starts led."""

    lower_bound: float
    stop: Stop


@dataclass(eq=False, repr=False)
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
    reg_covar : float
        A ridge: a variance added to every feature, as in scikit-learn, where it is 1e-6 by default. Here it is 0, for
        with a ridge the log-likelihood may fall, and the answer depends on the units.
    floor : "auto", float or array_like (D,)
        The smallest variance allowed in any direction, for all features or for each; an estimate below it is raised to
        it. By default 1e-10 times each feature's own variance: it holds up collapses, and biases nothing else.
    max_iter, n_init : int
    init_params : {"kmeans", "k-means++", "random_from_data", "random"}
        See `emlib.start`; the second and the third begin with the covariance of all the data.
    weights_init, means_init, precisions_init : array_like, optional
    random_state : int, RandomState or None
    warm_start : bool
        Whether another call of `fit` goes on where the last one ended.
    verbose, verbose_interval : int
        1 says where each start begins, 2 also what every so many iterations reach; 3 shows a progress bar, too, with
        the rows read in a second.

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
    online_ : Online
        After `partial_fit`: what it has learned so far.

    Examples
    --------
    >>> from emlib import GaussianMixture, datasets
    >>> X = datasets.three_clusters(15).X
    >>> gmm = GaussianMixture(3, random_state=0).fit(X)
    >>> gmm.converged_, gmm.n_iter_
    (True, 3)
    """

    n_components: int = 1
    _: KW_ONLY
    covariance_type: str = "full"
    tol: float = 1e-3
    reg_covar: float = 0.0
    max_iter: int = 100
    n_init: int = 1
    init_params: str = "kmeans"
    weights_init: ArrayLike | None = None
    means_init: ArrayLike | None = None
    precisions_init: ArrayLike | None = None
    random_state: Any = None
    warm_start: bool = False
    verbose: int = 0
    verbose_interval: int = 10
    floor: Any = "auto"

    # Fitting ----------------------------------------------------------------------------------------

    def fit(self, X: Any, y: Any = None, sample_weight: ArrayLike | None = None) -> Self:
        """Fit the mixture, from `n_init` starts, and keep the best.

        Parameters
        ----------
        X : array_like (N, D), list or iterable of blocks, or Dask array
            Blocks are arrays with the same columns, for data in pieces; their weights come in the same pieces. See
            `emlib.Blocks`, and for Dask `emlib.scale`.
        y : ignored
        sample_weight : array_like (N,), optional
            How much each point counts: 2 is as good as the point twice.

        Raises
        ------
        ValueError
            For data that cannot be used, for parameters that make no sense, and if every start collapses. Nothing of
            an earlier fit is changed then.
        KeyboardInterrupt, DataLost
            From the keyboard, or where data that were there cannot be read any more. The best model so far is kept in
            the estimator.

        Warns
        -----
        ConvergenceWarning
            If the best fit did not converge, with the reason and the remedy.
        """
        new = self._copy()  # so that a failed fit changes nothing
        blocks = initialisation.checked_blocks(new, X, sample_weight, first=True)
        initialisation.check_parameters(self, blocks)
        try:
            best = self._best(blocks)
        except DataLost as error:
            if error.trace is not None:
                new._keep(error.trace, blocks)
                self.__dict__ = new.__dict__
            raise
        new._keep(best, blocks)
        self.__dict__ = new.__dict__  # at once, whenever an interrupt may come
        if best.stop.reason == "interrupted":
            raise KeyboardInterrupt(best.stop.message)
        if not self.converged_ and self.max_iter > 0:
            warnings.warn(
                "Best performing initialization did not converge. Try different init parameters, or "
                f"increase max_iter, tol, or check for degenerate data. EM {best.stop}",
                ConvergenceWarning,
                stacklevel=2,
            )
        return self

    def partial_fit(self, X: Any, y: Any = None, sample_weight: ArrayLike | None = None) -> Self:
        """Learn from one more batch of a stream, by online EM; see `emlib.Online`.

        The first batch also gives the start, by `init_params`, and the floor. After `fit` the stream goes on from the
        fitted mixture. A stream does not converge: `converged_` is False, `n_iter_` counts batches, and `lower_bound_`
        is a smoothed mean log-likelihood. Another `fit` begins anew.

        Parameters
        ----------
        X : array_like (N, D)
            Some tens of points for each component, or more; about the same number in every batch.
        y : ignored
        sample_weight : array_like (N,), optional

        Raises
        ------
        ValueError
            As for `fit`. Nothing that has been learned is lost then.
        """
        new = self._copy()  # so that a failed batch changes nothing
        blocks = initialisation.checked_blocks(new, X, sample_weight, first=not hasattr(self, "mixture_"))
        online = getattr(self, "online_", None) or Online(self._first(blocks))
        online = online.learn(blocks)
        new._learned(online, blocks)
        self.__dict__ = new.__dict__
        return self

    def _first(self, blocks: Blocks) -> Mixture:
        """Where a stream begins: with the fitted mixture, if there is one."""
        if hasattr(self, "mixture_"):
            return self.mixture_
        initialisation.check_parameters(self, blocks)
        rng = check_random_state(self.random_state)
        return initialisation.start_of(self, blocks, rng, self._family(blocks))

    def fit_predict(self, X: Any, y: Any = None, sample_weight: ArrayLike | None = None) -> np.ndarray:
        """Fit the mixture, then give the most probable component of every point, (N,)."""
        return self.fit(X, y, sample_weight).predict(X)

    def _best(self, blocks: Blocks) -> Trace[Mixture]:
        """The best fit from every start, or the last fit continued."""
        options: dict[str, Any] = {
            "tol": self.tol,
            "max_iter": self.max_iter,
            "negligible": 0.01,  # differences of log-likelihoods below that decide nothing
            "on_step": self._report if self.verbose > 1 else None,
            "progress": bool(self.verbose > 2),
            "warn": False,
        }
        family = self._family(blocks)
        if self.warm_start and hasattr(self, "mixture_"):
            earlier = getattr(self, "trace_", None)  # none after a stream
            return fit(initialisation.continued(self, blocks, family), blocks, earlier=earlier, **options)
        rng = check_random_state(self.random_state)  # as it is: then k-means starts as in scikit-learn

        def first(number: int) -> Mixture:
            if self.verbose:
                print(f"Initialization {number}")
            return initialisation.start_of(self, blocks, rng, family)

        starts = (partial(first, number) for number in range(self.n_init))
        try:
            best: Trace[Mixture] = fit_best(starts, blocks, keep="models", **options)
        except Collapse as error:
            raise ValueError(
                "Fitting the mixture model failed because some components have ill-defined empirical covariance "
                "(for instance caused by singleton or collapsed samples). Try to decrease the number of "
                f"components, increase reg_covar, or scale the input data. ({error})"
            ) from error
        if self.verbose:
            print(f"EM {best.stop}")
        return best

    def _report(self, step: Step[Mixture]) -> None:
        if step.number and step.number % self.verbose_interval == 0:
            lower_bound = step.objective / step.statistics.n_points
            print(f"  Iteration {step.number}\t lower bound {lower_bound:.6f}")

    def _copy(self) -> Self:
        """An estimator of the same attributes, also of those that a subclass does not pickle."""
        new = object.__new__(type(self))
        new.__dict__.update(self.__dict__)
        return new

    def _keep(self, best: Trace[Mixture], blocks: Blocks) -> None:
        """Set all that a fit leaves behind."""
        self._begin(blocks)
        self.trace_: Trace[Mixture] = best
        self.stop_ = best.stop
        self.mixture_: Mixture = best.model
        self.converged_: bool = best.stop.converged
        self.n_iter_ = best.stop.n_iter
        self.lower_bound_ = best.objective / best.n_points
        bounds = best.objectives / best.n_points
        self.lower_bounds_ = bounds[-self.n_iter_ :].tolist() if self.n_iter_ else []
        ends: Any = best.ends or [best]
        self.reached_ = tuple(Reached(end.objective / best.n_points, end.stop) for end in ends)

    def _learned(self, online: Online[Mixture], blocks: Blocks) -> None:
        """Set all that a batch leaves behind."""
        self._begin(blocks)
        self.online_: Online[Mixture] = online
        self.mixture_ = online.model
        self.converged_ = False
        self.n_iter_ = online.n_batches
        self.lower_bound_ = online.smoothed

    def _begin(self, blocks: Blocks) -> None:
        """Set what a later call must know; forget an earlier fit."""
        for name in ("trace_", "stop_", "reached_", "lower_bounds_", "online_"):
            self.__dict__.pop(name, None)
        self._begun = {name: getattr(self, name) for name in initialisation.GIVEN}
        self._dtype = np.result_type(np.float32, *(one.dtype for one in blocks.facts))

    def _family(self, blocks: Blocks) -> dict[str, Any]:
        """What the Gaussians are told: their structure, floor (in numbers, or None) and ridge."""
        floor = start.usual_floor(blocks) if isinstance(self.floor, str) else self.floor
        return {"structure": self.covariance_type, "floor": floor, "ridge": self.reg_covar}

    # The fitted model -------------------------------------------------------------------------------

    def _part(self, array: Array) -> np.ndarray:
        """An array of the type of the data; of float64, if the other cannot hold it."""
        with np.errstate(over="ignore", under="ignore"):
            part = array.astype(self._dtype)
        return part if np.isfinite(part).all() or not np.isfinite(array).all() else array

    @property
    def _gaussian(self) -> Gaussian:
        if not hasattr(self, "mixture_"):
            raise AttributeError("the mixture is not fitted yet: call fit first")
        return cast(Gaussian, self.mixture_.components)

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
        enough = self._gaussian.variances.min() >= np.finfo(self._dtype).tiny
        return self._part(self._gaussian.covariances) if enough else self._gaussian.covariances

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

    def _asked(self, question: Callable[[Mixture, Blocks], Any], X: Any, weights: Any = None) -> Any:
        """What the fitted mixture answers for X, data of any kind that `fit` takes, with their weights."""
        check_is_fitted(self)
        return question(self.mixture_, initialisation.checked_blocks(self, X, weights, first=False))

    def predict(self, X: Any) -> np.ndarray:
        """The most probable component of every point, (N,)."""
        return self._asked(Mixture.predict, X)

    def predict_proba(self, X: Any) -> np.ndarray:
        """The responsibilities, (N, K)."""
        return self._part(self._asked(Mixture.responsibilities, X))

    def score_samples(self, X: Any) -> np.ndarray:
        """Log-density of every point, (N,), in nats."""
        return self._part(self._asked(Mixture.log_density, X))

    def score(self, X: Any, y: Any = None, sample_weight: ArrayLike | None = None) -> float:
        """Mean log-density of the points, in nats."""
        return self._asked(select.held_out, X, sample_weight)

    def sample(self, n_samples: int = 1) -> tuple[np.ndarray, np.ndarray]:
        """Draw points, and say which component each came from; sorted by component."""
        check_is_fitted(self)
        if isinstance(n_samples, (int, np.integer)) and n_samples < 1:
            raise ValueError(  # in scikit-learn's words
                f"Invalid value for 'n_samples': {n_samples}. The sampling requires at least one sample."
            )
        n = validate.count("n_samples", n_samples)
        rng = np.random.default_rng(check_random_state(self.random_state).randint(2**31))
        X, labels = self.mixture_.sample(n, rng)
        order = np.argsort(labels, kind="stable")
        return self._part(X[order]), labels[order]

    def aic(self, X: Any, sample_weight: ArrayLike | None = None) -> float:
        """Akaike's criterion on these points; smaller is better. For weights see `emlib.select.aic`."""
        return self._asked(select.aic, X, sample_weight)

    def bic(self, X: Any, sample_weight: ArrayLike | None = None) -> float:
        """The Bayesian information criterion on these points; smaller is better. For weights see `emlib.select.aic`."""
        return self._asked(select.bic, X, sample_weight)
