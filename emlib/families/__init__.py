"""Families of distributions: K components at a time, each a value that knows its own M-step."""

from emlib.families.family import Family, Linear
from emlib.families.gaussian import Gaussian
from emlib.families.moments import Moments
from emlib.families.prior import Prior

__all__ = ["Family", "Gaussian", "Linear", "Moments", "Prior"]
