"""Families of distributions: K components at a time, each a value that knows its own M-step."""

from emlib.families.family import Family
from emlib.families.gaussian import Gaussian, Moments

__all__ = ["Family", "Gaussian", "Moments"]
