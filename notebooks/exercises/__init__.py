"""The checks of the lessons' exercises: *not attempted yet*, *correct*, or the misconception behind the answer.

They never raise an error, so that a notebook runs from top to bottom whatever state it is in. Lessons import them
from the folder they lie in; `make lab` and `make handout` put a copy of it beside the notebooks.
"""

from exercises.assumptions import borders, k_means_is_right
from exercises.bound import elbo, gap, total_log_likelihood, uneven_coins
from exercises.collapse import collapses, six_starts
from exercises.criteria import bic, n_parameters, p_value
from exercises.digits import class_probabilities, nearest, principal_components
from exercises.digits_choice import clean_score, defends, how_many_parameters
from exercises.exercise import Exercise, Mistake, Part, Verdict
from exercises.failures import map_variances, partners, should_stop
from exercises.hard import lloyd_step, points_held
from exercises.hunt import Program, bug_names, examine, suspects, verdicts
from exercises.judging import bic_is_stricter, leaks
from exercises.line import e_step_1d
from exercises.line_updates import m_step_1d
from exercises.mend import mended_m_step
from exercises.plane import m_step_covariances, mahalanobis
from exercises.plane_shares import predict_proba, responsibilities
from exercises.prediction import next_to_change
from exercises.rate import linkage_rate

__all__ = [
    "Exercise",
    "Mistake",
    "Part",
    "Program",
    "Verdict",
    "bic",
    "bic_is_stricter",
    "borders",
    "bug_names",
    "class_probabilities",
    "clean_score",
    "collapses",
    "defends",
    "e_step_1d",
    "elbo",
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
    "n_parameters",
    "nearest",
    "next_to_change",
    "p_value",
    "partners",
    "points_held",
    "predict_proba",
    "principal_components",
    "responsibilities",
    "should_stop",
    "six_starts",
    "suspects",
    "total_log_likelihood",
    "uneven_coins",
    "verdicts",
]
