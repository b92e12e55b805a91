"""Drawings that one lesson alone needs, each in the file of its lesson; what any user may want is in `emlib.plot`."""

from pictures.lesson_01 import watch_points
from pictures.lesson_02 import bell, histories, panels, steps_of
from pictures.lesson_03 import borders, by_variance, circles, paths
from pictures.lesson_05 import jensen, surface, waterfall
from pictures.lesson_06 import ends
from pictures.lesson_09 import findings
from pictures.lesson_11 import chosen, hits, null, wilson
from pictures.lesson_12 import over_splits

__all__ = [
    "bell",
    "borders",
    "by_variance",
    "chosen",
    "circles",
    "ends",
    "findings",
    "histories",
    "hits",
    "jensen",
    "null",
    "over_splits",
    "panels",
    "paths",
    "steps_of",
    "surface",
    "watch_points",
    "waterfall",
    "wilson",
]
