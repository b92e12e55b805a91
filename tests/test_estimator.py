"""The estimator beyond scikit-learn's own suite: weights, honesty, and life among pipelines."""

import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn import mixture as peer
from sklearn.base import clone
from sklearn.cluster import kmeans_plusplus
from sklearn.datasets import make_blobs
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from emlib import GaussianMixture, Mixture, checks, datasets

STRUCTURES = ["full", "tied", "diag", "spherical"]
GEYSER = datasets.old_faithful().X


@pytest.fixture
def X():
    X, _ = make_blobs(300, centers=3, cluster_std=[1, 1.5, 0.7], random_state=3)
    return X @ [[1, 0.4], [0, 1]]


# Equal to scikit-learn, where both are right ---------------------------------------------------------


@pytest.mark.parametrize("structure", STRUCTURES)
def test_the_limit_is_scikit_learns(X, structure):
    keywords = {"covariance_type": structure, "random_state": 0, "reg_covar": 1e-6, "max_iter": 2000}
    ours = GaussianMixture(3, tol=1e-12, **keywords).fit(X)
    theirs = peer.GaussianMixture(3, tol=1e-12, **keywords).fit(X)
    assert ours.converged_
    assert ours.lower_bound_ == pytest.approx(theirs.score(X), rel=1e-9)
    for name in ("weights_", "means_", "covariances_", "precisions_", "precisions_cholesky_"):
        np.testing.assert_allclose(getattr(ours, name), getattr(theirs, name), rtol=1e-3, atol=1e-3)
        assert getattr(ours, name).shape == getattr(theirs, name).shape
    np.testing.assert_array_equal(ours.predict(X), theirs.predict(X))
    np.testing.assert_allclose(ours.score_samples(X), theirs.score_samples(X), atol=1e-3)
    np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), atol=1e-3)
    assert ours.aic(X) == pytest.approx(theirs.aic(X), rel=1e-8)
    assert ours.bic(X) == pytest.approx(theirs.bic(X), rel=1e-8)


@pytest.mark.parametrize("structure", STRUCTURES)
def test_parameters_given_as_a_start_are_the_start(X, structure):
    first = peer.GaussianMixture(3, covariance_type=structure, random_state=1).fit(X)
    given = {"weights_init": first.weights_, "means_init": first.means_, "precisions_init": first.precisions_}
    gmm = GaussianMixture(3, covariance_type=structure, max_iter=0, **given).fit(X)
    np.testing.assert_allclose(gmm.covariances_, first.covariances_, rtol=1e-10)
    assert gmm.lower_bound_ == pytest.approx(first.score(X), rel=1e-12)


@pytest.mark.parametrize(
    ("K", "structure", "log_likelihood"),
    [
        (3, "tied", -1126.3159),
        (2, "full", -1130.2640),
        (2, "tied", -1140.1868),
        (2, "diag", -1147.8064),
    ],
)
def test_old_faithfuls_published_likelihoods(K, structure, log_likelihood):
    """R's mclust, converged to 1e-12."""
    gmm = GaussianMixture(
        K, covariance_type=structure, random_state=0, n_init=5, reg_covar=0, tol=1e-12, max_iter=5000
    )
    gmm.fit(GEYSER)
    assert gmm.converged_
    assert len(GEYSER) * gmm.lower_bound_ == pytest.approx(log_likelihood, abs=6e-5)
    checks.monotone(gmm.trace_)


# Honest ----------------------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("tol", [1e-2, 1e-3, 1e-6])
def test_a_plateau_is_never_called_converged(tol):
    """From random responsibilities scikit-learn says converged at about -1289.7, in 20 of 20 seeds."""
    reasons = set()
    for seed in range(20):
        for max_iter in (2, 5, 10, 20, 100):
            gmm = GaussianMixture(2, init_params="random", random_state=seed, tol=tol, max_iter=max_iter).fit(
                GEYSER
            )
            total = len(GEYSER) * gmm.lower_bound_
            reasons.add(gmm.stop_.reason)
            if gmm.converged_:
                assert total == pytest.approx(-1130.264, abs=2 * tol * len(GEYSER))
        assert gmm.converged_
    assert "stalled" in reasons or tol < 1e-3
    theirs = peer.GaussianMixture(2, init_params="random", random_state=0).fit(GEYSER)
    assert theirs.converged_
    assert theirs.score(GEYSER) * len(GEYSER) < -1289


def test_a_fall_is_not_called_converged(X, monkeypatch):
    maximize = Mixture.maximize

    def worse(self, statistics):
        right = maximize(self, statistics)
        return Mixture(np.roll(right.weights, 1), right.components)

    monkeypatch.setattr(Mixture, "maximize", worse)
    skewed = np.concatenate([X, X[:1] + np.random.default_rng(0).normal(size=(400, 2))])
    with pytest.warns(ConvergenceWarning, match="EM decreased after"):
        gmm = GaussianMixture(3, random_state=0, reg_covar=0).fit(skewed)
    assert not gmm.converged_
    assert gmm.stop_.reason == "decreased"


def test_a_collapse_is_reported_with_its_remedy():
    rng = np.random.default_rng(0)
    X = np.concatenate([rng.normal(size=(60, 2)), np.full((30, 2), 9.0)])
    with pytest.warns(
        ConvergenceWarning,
        match="only the floor or ridge keeps component . from collapsing, on 30 .* use fewer",
    ):
        gmm = GaussianMixture(2, random_state=0).fit(X)
    assert gmm.stop_.reason == "collapsed"
    assert not gmm.converged_
    with pytest.raises(ValueError, match=r"increase reg_covar.*component . has collapsed"):
        GaussianMixture(2, random_state=0, floor=0).fit(X)


def test_of_several_starts_a_sound_one_is_kept_and_all_are_told():
    rng = np.random.default_rng(4)
    X = np.concatenate([rng.normal(size=(80, 2)), rng.normal(6, 1, size=(80, 2)), np.full((3, 2), 20.0)])
    gmm = GaussianMixture(3, n_init=12, init_params="random", random_state=1, max_iter=500)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        gmm.fit(X)
    assert len(gmm.reached_) == 12
    sound = [reached for reached in gmm.reached_ if reached.stop.reason != "collapsed"]
    assert 0 < len(sound) < 12
    assert gmm.lower_bound_ == max(reached.lower_bound for reached in sound)
    assert gmm.lower_bound_ < max(reached.lower_bound for reached in gmm.reached_)


def test_a_fit_that_ran_out_of_steps_goes_on_where_it_was(X):
    gmm = GaussianMixture(
        3, random_state=0, max_iter=2, warm_start=True, init_params="random_from_data", tol=1e-8
    )
    whole = clone(gmm).set_params(max_iter=500).fit(X)
    for _ in range(250):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            gmm.fit(X)
        if gmm.converged_:
            break
    assert gmm.lower_bound_ == whole.lower_bound_
    np.testing.assert_array_equal(gmm.trace_.objectives, whole.trace_.objectives)
    assert gmm.n_iter_ <= 2
    assert len(gmm.lower_bounds_) == gmm.n_iter_


def test_other_data_begin_a_new_history(X):
    gmm = GaussianMixture(3, random_state=0, warm_start=True).fit(X)
    gmm.fit(X[:200])
    assert gmm.trace_.n_points == 200
    assert gmm.trace_.objectives[0] == pytest.approx(gmm.trace_.log_likelihoods[0])
    assert len(gmm.trace_.objectives) == gmm.n_iter_ + 1


# Weights and the floor -------------------------------------------------------------------------------


@pytest.mark.parametrize("structure", STRUCTURES)
def test_a_weight_of_two_is_the_point_twice(X, structure):
    weights = np.random.default_rng(0).integers(0, 4, len(X))
    repeated = np.repeat(X, weights, axis=0)
    keywords = {
        "covariance_type": structure,
        "means_init": kmeans_plusplus(X, 3, random_state=0)[0],
        "weights_init": np.full(3, 1 / 3),
    }
    identity = {"full": [np.eye(2)] * 3, "tied": np.eye(2), "diag": np.ones((3, 2)), "spherical": np.ones(3)}
    keywords["precisions_init"] = identity[structure]
    weighted = GaussianMixture(3, **keywords).fit(X, sample_weight=weights)
    twice = GaussianMixture(3, **keywords).fit(repeated)
    np.testing.assert_allclose(weighted.means_, twice.means_, rtol=1e-9)
    np.testing.assert_allclose(weighted.covariances_, twice.covariances_, rtol=1e-8)
    assert weighted.lower_bound_ == pytest.approx(twice.lower_bound_, rel=1e-10)
    assert weighted.score(X, sample_weight=weights) == pytest.approx(weighted.score(repeated), rel=1e-10)


def test_weights_that_make_no_sense(X):
    with pytest.raises(ValueError, match="negative"):
        GaussianMixture(2).fit(X, sample_weight=-np.ones(len(X)))
    with pytest.raises(ValueError, match="zero everywhere"):
        GaussianMixture(2).fit(X, sample_weight=np.zeros(len(X)))
    with pytest.raises(ValueError, match=r"weights has shape \(3,\)"):
        GaussianMixture(2).fit(X, sample_weight=np.ones(3))


@pytest.mark.parametrize("scale", [1e-6, 1e6])
def test_the_usual_floor_does_not_depend_on_the_units(X, scale):
    here = GaussianMixture(3, random_state=0).fit(X)
    there = GaussianMixture(3, random_state=0).fit(X * scale)
    np.testing.assert_allclose(there.weights_, here.weights_, rtol=1e-8)
    np.testing.assert_allclose(there.covariances_, here.covariances_ * scale**2, rtol=1e-8)
    theirs = peer.GaussianMixture(3, random_state=0).fit(X * 1e-6)
    assert theirs.covariances_.max() > 1e3 * (X.var() * 1e-12)  # their floor drowns the data


# Among pipelines -------------------------------------------------------------------------------------


def test_in_a_pipeline_and_a_grid(X):
    pipeline = make_pipeline(StandardScaler(), GaussianMixture(random_state=0))
    grid = {"gaussianmixture__n_components": [1, 3, 6], "gaussianmixture__covariance_type": ["full", "diag"]}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        search = GridSearchCV(pipeline, grid, cv=3).fit(X)
    assert search.best_params_["gaussianmixture__n_components"] == 3
    assert search.predict(X).shape == (300,)


def test_a_copy_is_the_same(X):
    gmm = GaussianMixture(3, random_state=0).fit(X)
    again = pickle.loads(pickle.dumps(gmm))
    np.testing.assert_array_equal(again.predict_proba(X), gmm.predict_proba(X))
    assert again.trace_.stop == gmm.stop_
    with pytest.raises(NotFittedError):
        clone(gmm).predict(X)
    with pytest.raises(AttributeError, match="not fitted yet"):
        _ = clone(gmm).means_


def test_a_subclass_may_have_attributes_of_its_own(X):
    class Counting(GaussianMixture):
        def fit(self, X, y=None, sample_weight=None):
            self.calls_ = getattr(self, "calls_", 0) + 1
            self.listener = lambda step: None
            return super().fit(X, y, sample_weight)

        def __getstate__(self):
            return {name: value for name, value in super().__getstate__().items() if name != "listener"}

    gmm = Counting(400, random_state=0)
    with pytest.raises(ValueError, match="400"):
        gmm.fit(X)
    with pytest.raises(NotFittedError):  # though it has an attribute that ends with _
        gmm.predict(X)
    gmm.set_params(n_components=3).fit(X)
    assert gmm.calls_ == 2
    assert callable(gmm.listener)  # though it is not pickled


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_an_interrupt_finds_the_old_fit_or_the_new_one(X, method, monkeypatch):
    gmm = GaussianMixture(3, random_state=0).partial_fit(X)
    before, begin = dict(vars(gmm)), GaussianMixture._begin

    def interrupted(*given):
        begin(*given)
        raise KeyboardInterrupt

    monkeypatch.setattr(GaussianMixture, "_begin", interrupted)
    with pytest.raises(KeyboardInterrupt):
        getattr(gmm, method)(X)
    assert vars(gmm) == before  # not one without what the stream has learned


def test_the_names_of_a_tables_columns(X):
    table = pd.DataFrame(X, columns=["width", "height"])
    gmm = GaussianMixture(3, random_state=0).fit(table)
    assert gmm.feature_names_in_.tolist() == ["width", "height"]
    with pytest.raises(ValueError, match="feature names"):
        gmm.predict(table[["height", "width"]])


def test_float32_stays_float32_and_keeps_the_answer(X):
    narrow = (X + 1000).astype(np.float32)
    gmm = GaussianMixture(3, random_state=0, tol=1e-8, max_iter=1000).fit(narrow)
    exact = GaussianMixture(3, random_state=0, tol=1e-8, max_iter=1000).fit(narrow.astype(float))
    assert {gmm.means_.dtype, gmm.covariances_.dtype, gmm.predict_proba(narrow).dtype} == {
        np.dtype("float32")
    }
    np.testing.assert_allclose(gmm.lower_bound_, exact.lower_bound_, rtol=1e-7)
    np.testing.assert_allclose(gmm.covariances_, exact.covariances_, rtol=1e-5)


def test_verbose_tells_the_story(X, capsys):
    GaussianMixture(3, random_state=0, verbose=2, verbose_interval=1).fit(X)
    told = capsys.readouterr().out
    assert "Initialization 0" in told
    assert "Iteration 1\t lower bound" in told
    assert "EM converged after" in told


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"n_components": 0}, "n_components is 0; it must be at least 1"),
        ({"covariance_type": "round"}, "covariance_type is 'round'; it must be one of 'full', 'tied'"),
        ({"init_params": "best"}, "init_params is 'best'"),
        ({"tol": -1}, "tol is -1"),
        ({"reg_covar": "some"}, "reg_covar is 'some'"),
        ({"n_init": 0}, "n_init is 0"),
        ({"max_iter": -1}, "max_iter is -1"),
    ],
)
def test_parameters_that_make_no_sense(X, parameters, message):
    with pytest.raises(ValueError, match=message):
        GaussianMixture(**parameters).fit(X)
