"""How many components, and of which structure: criteria, cross-validation, and a sweep over both.

Every further component raises the likelihood of the data it is fitted to. So a criterion sets against the
likelihood how many numbers the mixture needs (AIC, BIC) and how unsure its labels are (ICL), or asks for the
likelihood of points that the fit has not seen. And a bootstrap says how large a gain chance alone would make.

AIC, BIC and ICL are on the scale of -2 log-likelihood, as in scikit-learn: smaller is better. (R's mclust turns
the sign of BIC and ICL.) Held-out log-likelihoods are means per point, in nats: larger is better.
"""

from emlib.select.bootstrap import Ratio, bootstrap_ratio
from emlib.select.criteria import aic, bic, held_out, icl
from emlib.select.folds import HeldOut, cross_validated
from emlib.select.sweeps import sweep
from emlib.select.table import Row, Sweep

__all__ = [
    "HeldOut",
    "Ratio",
    "Row",
    "Sweep",
    "aic",
    "bic",
    "bootstrap_ratio",
    "cross_validated",
    "held_out",
    "icl",
    "sweep",
]
