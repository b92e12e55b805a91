"""emlib: expectation-maximization as one idea, *expected statistics add up*.

    >>> import numpy as np
    >>> from emlib import datasets, fit, start
    >>> X = datasets.three_clusters().X
    >>> trace = fit(start.from_data(X, 3, np.random.default_rng(0)), X)
    >>> trace.stop.reason
    'converged'

A `Model` expects and maximizes; `em` is the loop; `fit` watches it and says honestly why it stopped.
Importing emlib loads NumPy and SciPy, and no plotting.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from emlib import checks, datasets, start
from emlib.em import Collapse, EMWarning, Model, Statistics, Step, Trace, em, fit
from emlib.families import Family, Gaussian
from emlib.mixture import Mixture
from emlib.scale import Blocks
from emlib.stopping import Doubt, Stop

if TYPE_CHECKING:
    from emlib import explore as explore
    from emlib import plot as plot

__version__ = "0.1.0"

__all__ = [
    "Blocks",
    "Collapse",
    "Doubt",
    "EMWarning",
    "Family",
    "Gaussian",
    "Mixture",
    "Model",
    "Statistics",
    "Step",
    "Stop",
    "Trace",
    "checks",
    "datasets",
    "em",
    "fit",
    "start",
]


def __getattr__(name: str) -> Any:
    """Import what draws, and with it Matplotlib and ipywidgets, only when it is asked for."""
    if name in ("explore", "plot"):
        return import_module(f"emlib.{name}")
    raise AttributeError(f"module 'emlib' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), "explore", "plot"})
