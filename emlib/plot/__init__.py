"""Pictures: state in, artists on the given axes out. Nothing here fits anything.

The same component has the same colour everywhere. The first three are a red, a green and a blue that
colour-blind readers can tell apart (Okabe & Ito 2008); a point shared between components wears the
mixture of their colours.
"""

from emlib.plot.bounds import bound, jensen, surface, waterfall
from emlib.plot.choices import chosen, hits, null, wilson
from emlib.plot.clusters import circles, clusters, paths
from emlib.plot.contours import bell, contours
from emlib.plot.digits import over_splits, plate
from emlib.plot.failures import ends, findings
from emlib.plot.fits import objective, watch
from emlib.plot.lines import line, shares
from emlib.plot.look import COLOURS, INK, colours, mixed, png, show, style
from emlib.plot.planes import plane
from emlib.plot.sweeps import criteria

__all__ = [
    "COLOURS",
    "INK",
    "bell",
    "bound",
    "chosen",
    "circles",
    "clusters",
    "colours",
    "contours",
    "criteria",
    "ends",
    "findings",
    "hits",
    "jensen",
    "line",
    "mixed",
    "null",
    "objective",
    "over_splits",
    "paths",
    "plane",
    "plate",
    "png",
    "shares",
    "show",
    "style",
    "surface",
    "watch",
    "waterfall",
    "wilson",
]
