"""Checks: what must be true of every fit, and what an exercise should have found.

*Invariants* raise an AssertionError that says which one fails and on which numbers; they return a
sentence that says what was found. Tests, lessons and exercises call the same ones.

*Exercise checks* never raise: they say *not attempted yet*, *correct*, or which misconception gives the
answer they were shown.
"""

from emlib.checks.assumptions import borders, k_means_is_right
from emlib.checks.bound import elbo, gap, total_log_likelihood, uneven_coins
from emlib.checks.exercises import Exercise, Mistake, Part, Verdict
from emlib.checks.hard import lloyd_step, points_held
from emlib.checks.invariants import covariances, equal, moments, monotone, probabilities
from emlib.checks.line import e_step_1d
from emlib.checks.line_updates import m_step_1d
from emlib.checks.plane import m_step_covariances, mahalanobis
from emlib.checks.plane_shares import predict_proba, responsibilities
from emlib.checks.prediction import next_to_change
from emlib.checks.rate import linkage_rate

__all__ = [
    "Exercise",
    "Mistake",
    "Part",
    "Verdict",
    "borders",
    "covariances",
    "e_step_1d",
    "elbo",
    "equal",
    "gap",
    "k_means_is_right",
    "linkage_rate",
    "lloyd_step",
    "m_step_1d",
    "m_step_covariances",
    "mahalanobis",
    "moments",
    "monotone",
    "next_to_change",
    "points_held",
    "predict_proba",
    "probabilities",
    "responsibilities",
    "total_log_likelihood",
    "uneven_coins",
]
