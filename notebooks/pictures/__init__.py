"""Drawings that one lesson alone needs, each in the file of its lesson; what any user may want is in `emlib.plot`."""

from pictures.lesson_01 import watch_points
from pictures.lesson_02 import bell, histories, panels, steps_of
from pictures.lesson_03 import borders, by_variance, circles, paths
from pictures.lesson_05 import jensen, surface, waterfall
from pictures.lesson_06 import ends
from pictures.lesson_07 import eruption_panel, eruptions, plateau, six_histories
from pictures.lesson_08 import by_ridge, three_ridges
from pictures.lesson_09 import findings
from pictures.lesson_10 import seen_and_unseen
from pictures.lesson_11 import choices, chosen, hits, null, wilson
from pictures.lesson_12 import any_or_whole, distances, over_splits, pairs, plates_of, six_plates

__all__ = [
    "any_or_whole",
    "bell",
    "borders",
    "by_ridge",
    "by_variance",
    "choices",
    "chosen",
    "circles",
    "distances",
    "ends",
    "eruption_panel",
    "eruptions",
    "findings",
    "histories",
    "hits",
    "jensen",
    "null",
    "over_splits",
    "pairs",
    "panels",
    "paths",
    "plateau",
    "plates_of",
    "seen_and_unseen",
    "six_histories",
    "six_plates",
    "steps_of",
    "surface",
    "three_ridges",
    "watch_points",
    "waterfall",
    "wilson",
]
