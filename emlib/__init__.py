"""emlib: expectation-maximization as one idea, *expected statistics add up*.

    >>> import numpy as np
    >>> from emlib import datasets, fit, start
    >>> X = datasets.three_clusters().X
    >>> trace = fit(start.from_data(X, 3, np.random.default_rng(0)), X)
    >>> trace.stop.reason
    'converged'

A `Model` expects and maximizes; `em` is the loop; `fit` watches it and says honestly why it stopped.
`GaussianMixture` is the estimator for scikit-learn's pipelines. Importing emlib loads NumPy and SciPy only.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from emlib import checks, datasets, scale, start
from emlib.blocks import Blocks
from emlib.em import Collapse, EMWarning, Model, Statistics, Step, Suspicion, em, squarem
from emlib.families import Family, Gaussian, Prior
from emlib.fitting import Trace, fit, fit_best
from emlib.mixture import Mixture
from emlib.online import Online
from emlib.stopping import Stop
from emlib.walks import DataLost

if TYPE_CHECKING:
    from emlib import explore, plot, select
    from emlib.estimator import GaussianMixture

__version__ = "0.3.3"

__all__ = [
    "Blocks",
    "Collapse",
    "DataLost",
    "EMWarning",
    "Family",
    "Gaussian",
    "GaussianMixture",
    "Mixture",
    "Model",
    "Online",
    "Prior",
    "Statistics",
    "Step",
    "Stop",
    "Suspicion",
    "Trace",
    "checks",
    "datasets",
    "em",
    "explore",
    "fit",
    "fit_best",
    "plot",
    "scale",
    "select",
    "squarem",
    "start",
]


def __getattr__(name: str) -> Any:
    """Import what draws or needs scikit-learn only when it is asked for: they take their time."""
    if name in ("explore", "plot", "select"):
        return import_module(f"emlib.{name}")
    if name == "GaussianMixture":
        return import_module("emlib.estimator").GaussianMixture
    raise AttributeError(f"module 'emlib' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), "GaussianMixture", "explore", "plot", "select"})
