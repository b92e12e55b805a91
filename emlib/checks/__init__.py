"""Checks: what must be true of every fit, and what an exercise should have found.

*Invariants* raise an AssertionError that says which one fails and on which numbers; they return a
sentence that says what was found. Tests, lessons and exercises call the same ones.

*Exercise checks* never raise: they say *not attempted yet*, *correct*, or which misconception gives the
answer they were shown.
"""

from emlib.checks.assumptions import borders, k_means_is_right
from emlib.checks.bound import elbo, gap, total_log_likelihood, uneven_coins
from emlib.checks.claims import additive, stationary, stopping
from emlib.checks.collapse import collapses, six_starts
from emlib.checks.criteria import bic, n_parameters, p_value
from emlib.checks.digits import class_probabilities, nearest, principal_components
from emlib.checks.digits_choice import clean_score, defends, how_many_parameters
from emlib.checks.exercises import Exercise, Mistake, Part, Verdict
from emlib.checks.failures import map_variances, partners, should_stop
from emlib.checks.hard import lloyd_step, points_held
from emlib.checks.hunt import Program, bug_names, examine, suspects, verdicts
from emlib.checks.invariants import covariances, equal, moments, monotone, probabilities
from emlib.checks.judging import bic_is_stricter, leaks
from emlib.checks.line import e_step_1d
from emlib.checks.line_updates import m_step_1d
from emlib.checks.mend import mended_m_step
from emlib.checks.plane import m_step_covariances, mahalanobis
from emlib.checks.plane_shares import predict_proba, responsibilities
from emlib.checks.prediction import next_to_change
from emlib.checks.rate import linkage_rate

__all__ = [
    "Exercise",
    "Mistake",
    "Part",
    "Program",
    "Verdict",
    "additive",
    "bic",
    "bic_is_stricter",
    "borders",
    "bug_names",
    "class_probabilities",
    "clean_score",
    "collapses",
    "covariances",
    "defends",
    "e_step_1d",
    "elbo",
    "equal",
    "examine",
    "gap",
    "how_many_parameters",
    "k_means_is_right",
    "leaks",
    "linkage_rate",
    "lloyd_step",
    "m_step_1d",
    "m_step_covariances",
    "mahalanobis",
    "map_variances",
    "mended_m_step",
    "moments",
    "monotone",
    "n_parameters",
    "nearest",
    "next_to_change",
    "p_value",
    "partners",
    "points_held",
    "predict_proba",
    "principal_components",
    "probabilities",
    "responsibilities",
    "should_stop",
    "six_starts",
    "stationary",
    "stopping",
    "suspects",
    "total_log_likelihood",
    "uneven_coins",
    "verdicts",
]
