"""Pictures: state in, artists on the given axes out. Nothing here fits anything.

The same component has the same colour everywhere. The first three are a red, a green and a blue that
colour-blind readers can tell apart (Okabe & Ito 2008); a point shared between components wears the
mixture of their colours.
"""

from emlib.plot.bounds import bound, jensen, surface, waterfall
from emlib.plot.clusters import circles, clusters, paths
from emlib.plot.contours import bell, contours
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
    "circles",
    "clusters",
    "colours",
    "contours",
    "criteria",
    "jensen",
    "line",
    "mixed",
    "objective",
    "paths",
    "plane",
    "png",
    "shares",
    "show",
    "style",
    "surface",
    "watch",
    "waterfall",
]
