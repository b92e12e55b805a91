"""The checks of the lessons' exercises: *not attempted yet*, *correct*, or the misconception behind the answer.

They never raise an error, so that a notebook runs from top to bottom whatever state it is in. Lessons import them
from the folder they lie in; `make lab` and `make handout` put a copy of it beside the notebooks.
"""

from exercises.for_the_curious import borders, class_probabilities
from exercises.judge import Exercise, Mistake, Part, Verdict
from exercises.lesson_01 import e_step_1d, m_step_1d, next_to_change, which_line_fell
from exercises.lesson_02 import mahalanobis, responsibilities, shared_covariance
from exercises.lesson_03 import border_at_zero, k_means_is_right, lloyd_step, points_held
from exercises.lesson_04 import clean_score, how_many_parameters, way_back
from exercises.lesson_05 import elbo, gap, uneven_coins
from exercises.lesson_06 import partners, starts_needed, which_to_report
from exercises.lesson_07 import arrived, should_stop, what_is_left
from exercises.lesson_08 import collapses, cures, map_weights, six_starts
from exercises.lesson_09 import (
    Program,
    bug_names,
    examine,
    suspects,
    total_log_likelihood,
    two_bugs,
    verdicts,
    verdicts_with_code,
)
from exercises.lesson_10 import chosen, leaks, n_parameters
from exercises.lesson_11 import least_samples, p_value, stop_going_up
from exercises.lesson_12 import accuses, defends, nearest
from exercises.lesson_15 import linkage_rate
from exercises.start import first_above

__all__ = [
    "Exercise",
    "Mistake",
    "Part",
    "Program",
    "Verdict",
    "accuses",
    "arrived",
    "border_at_zero",
    "borders",
    "bug_names",
    "chosen",
    "class_probabilities",
    "clean_score",
    "collapses",
    "cures",
    "defends",
    "e_step_1d",
    "elbo",
    "examine",
    "first_above",
    "gap",
    "how_many_parameters",
    "k_means_is_right",
    "leaks",
    "least_samples",
    "linkage_rate",
    "lloyd_step",
    "m_step_1d",
    "mahalanobis",
    "map_weights",
    "n_parameters",
    "nearest",
    "next_to_change",
    "p_value",
    "partners",
    "points_held",
    "responsibilities",
    "shared_covariance",
    "should_stop",
    "six_starts",
    "starts_needed",
    "stop_going_up",
    "suspects",
    "total_log_likelihood",
    "two_bugs",
    "uneven_coins",
    "verdicts",
    "verdicts_with_code",
    "way_back",
    "what_is_left",
    "which_line_fell",
    "which_to_report",
]
