"""scikit-learn's own tests, held against emlib's estimator: the class is replaced in their module.

Left out are those that reach into scikit-learn's private functions or need its array-API switch.
"""

import numpy as np
import pytest
from sklearn.mixture.tests import test_gaussian_mixture as suite
from sklearn.utils.estimator_checks import parametrize_with_checks

from emlib import GaussianMixture

# The suite ignores these warnings itself, but not all of them by name.
pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning"),
    # Data of constant or repeated columns: emlib says so.
    pytest.mark.filterwarnings("ignore:column.* the data are flat there:emlib.EMWarning"),
]

NAMES = [
    "check_weights",
    "check_means",
    "check_precisions",
    "multiple_init",
    "bic_1d_1component",
    "warm_start",
    "convergence_detected_with_warm_start",
    "score",
    "score_samples",
    "monotonic_likelihood",
    "regularisation",
    "fitted_precision_covariance_concistency",
    "sample",
    "init",
    "init_means_not_duplicated",
    "means_for_all_inits",
    "max_iter_zero",
    "gaussian_mixture_attributes",
    "gaussian_mixture_estimate_log_prob_resp",
    "gaussian_mixture_predict_predict_proba",
    "gaussian_mixture_fit_predict",
    "gaussian_mixture_fit_predict_n_init",
    "gaussian_mixture_fit",
    "gaussian_mixture_fit_best_params",
    "gaussian_mixture_fit_convergence_warning",
    "gaussian_mixture_verbose",
    "gaussian_mixture_setting_best_params",
    "gaussian_mixture_single_component_stable",
]

for name in NAMES:
    globals()[f"test_{name}"] = getattr(suite, f"test_{name}")

# emlib's score is a float64 whatever the data, and so not equal to a mean of float32.
test_score = pytest.mark.parametrize("global_dtype", [np.float64])(suite.test_score)


@pytest.fixture(autouse=True)
def ours_in_place_of_theirs(monkeypatch):
    monkeypatch.setattr(suite, "GaussianMixture", GaussianMixture)


@pytest.fixture(params=[np.float64, np.float32])
def global_dtype(request):
    return request.param


@pytest.fixture(params=[42, 0])
def global_random_seed(request):
    return request.param


def test_there_are_28():
    assert len(NAMES) == 28


# With one component: more depend on a random start, which no repetition of the rows can give again.
@parametrize_with_checks([GaussianMixture(), GaussianMixture(covariance_type="diag")])
def test_scikit_learn_checks_the_estimator(estimator, check):
    check(estimator)
