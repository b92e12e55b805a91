"""Pictures: state in, artists on the given axes out. Nothing here fits anything.

The same component has the same colour everywhere. The first three are a red, a green and a blue that
colour-blind readers can tell apart (Okabe & Ito 2008); a point shared between components wears the
mixture of their colours.
"""

from emlib.text import not_installed

try:
    from emlib.plot.appearance import COLOURS, INK, colours, mixed, png, show, style
    from emlib.plot.digits import plate
    from emlib.plot.fits import bound, objective, watch
    from emlib.plot.lines import line, shares
    from emlib.plot.planes import clusters, contours, plane
    from emlib.plot.sweeps import criteria
except ModuleNotFoundError as error:
    raise not_installed("emlib.plot", error) from error

__all__ = [
    "COLOURS",
    "INK",
    "bound",
    "clusters",
    "colours",
    "contours",
    "criteria",
    "line",
    "mixed",
    "objective",
    "plane",
    "plate",
    "png",
    "shares",
    "show",
    "style",
    "watch",
]
