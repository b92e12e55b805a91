"""Explorables: a picture under a slider.

A *film* is drawn beforehand and moves in the browser alone, at once, with or without a kernel. A *live* one
is drawn by the kernel at every move, for parameters that have no frames. The *playground* is EM itself, in the browser.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import floor, log10, prod
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from emlib import validate
from emlib.fitting import Trace
from emlib.text import kind_of, not_installed

try:
    import ipywidgets as widgets
    from matplotlib.figure import Figure

    from emlib import plot
except ModuleNotFoundError as error:
    raise not_installed("emlib.explore", error) from error

if TYPE_CHECKING:
    from emlib.playground import Playground

MOST_FRAMES = 150
# A style that hides the bar of a film's tabs.
NO_BAR = (
    "<style>.emlib-film > .lm-TabBar { display: none !important }"
    ".emlib-film.emlib-film > .widget-tab-contents { border: none; padding: 0 }</style>"
)


class Explorable(widgets.VBox):
    """Controls above a picture. Its text, for where nothing can move, is one short line.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> from emlib import explore
    >>> explore.frames(lambda size: Figure(figsize=(size, 2)), size=[2, 3])
    <film of 2 frames: size 2 to 3, opens at 2>
    """

    def __init__(self, controls: Sequence[widgets.Widget], picture: widgets.Widget, text: str) -> None:
        self.text = text
        first = picture
        while isinstance(first, widgets.Tab):
            first = first.children[0]
        column = {"max_width": "100%", "flex_flow": "column", "align_items": "stretch"}
        super().__init__(
            [widgets.Box(list(controls), layout=column | {"width": first.layout.width}), picture]
        )

    def __repr__(self) -> str:
        return f"<{self.text}>"


def film(trace: Trace[Any], X: ArrayLike, opens: int = 0) -> Explorable:
    """The history of a fit under a slider, with a Play button: one line, for your own data too.

    On a line, densities, responsibilities and objective move together; in the plane, points, ellipses and
    objective. A fit of more than 150 steps is shown by 150 of them, evenly chosen, with the first and the last.

    Parameters
    ----------
    trace : Trace
        Of a mixture in one or two dimensions, fitted with `keep="models"`.
    X : array_like (N, 1) or (N, 2)
        The data of the fit.
    opens : int
        The iteration that is seen first; of a long fit, the nearest one that is shown.

    Examples
    --------
    >>> from emlib import datasets, explore, fit, start
    >>> import numpy as np
    >>> X = datasets.three_clusters().X
    >>> explore.film(fit(start.from_data(X, 3, np.random.default_rng(2)), X, tol=0, max_iter=9), X, opens=3)
    <film of 10 frames: iteration 0 to 9, opens at 3>
    """
    figure = Figure(figsize=(9, 4.2), layout="constrained")
    go = plot.watch(figure, trace, X)

    def draw(iteration: int) -> Figure:
        go(iteration)
        return figure

    last = len(trace.objectives) - 1
    opens = validate.count("opens", opens, least=0, most=last, why=", the last iteration")
    shown = np.unique(np.linspace(0, last, min(last + 1, MOST_FRAMES)).round().astype(int))
    nearest = int(shown[np.abs(shown - opens).argmin()])
    return frames(draw, opens={"iteration": nearest}, iteration=shown.tolist())


def frames(
    draw: Callable[..., Figure], opens: Mapping[str, Any] | None = None, **axes: Sequence[Any]
) -> Explorable:
    """A film of any drawing: one slider for each axis, one frame for each combination of their values.

    Parameters
    ----------
    draw : callable
        Takes one value of each axis, by name, and returns a `matplotlib.figure.Figure`; it may return the
        same figure each time, changed.
    opens : mapping, optional
        Where the film stands at first: a value for each axis that should not open at its first value.
    **axes : sequences
        The values along each axis, for example `iteration=range(10), K=[2, 3, 4]`; at most 150 frames in all.
        The first axis gets a Play button.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> from emlib import explore
    >>> figure = Figure(figsize=(4, 3))
    >>> (point,) = figure.subplots().plot([0], [0], "o")
    >>> def draw(x, y):
    ...     point.set_data([x], [y])
    ...     return figure
    >>> explore.frames(draw, opens={"y": 1}, x=range(3), y=[0, 1])
    <film of 6 frames: x 0 to 2, y 0 to 1, opens at 0, 1>
    """
    validate.function("draw", draw, by_name=axes)
    for name, values in axes.items():
        listed = isinstance(values, Sequence) or (isinstance(values, np.ndarray) and values.ndim)
        if not listed or isinstance(values, (str, bytes)):
            raise ValueError(f"{name} is {kind_of(values)}; it must be a list of values, or a range")
    size = prod(map(len, axes.values()))
    if not axes or not size:
        raise ValueError("the film has no frames: give at least one axis with at least one value")
    if size > MOST_FRAMES:
        raise ValueError(f"the film has {size} frames; it may have {MOST_FRAMES}: give fewer values")

    at = _opening(axes, {} if opens is None else opens)
    sliders = {
        name: widgets.SelectionSlider(options=list(map(str, values)), index=at[name], **_named(name))
        for name, values in axes.items()
    }

    def pile(chosen: dict[str, Any]) -> widgets.Widget:
        """All that is left to choose, as piles of piles; one picture if nothing is."""
        if len(chosen) == len(axes):
            return _image(draw(**chosen))
        name = list(axes)[len(chosen)]
        # A Tab without its bar keeps all its pictures in the page. (A Stack looks the part, but builds its
        # picture anew at every move, which takes ten times as long.)
        tab = widgets.Tab([pile(chosen | {name: value}) for value in axes[name]], selected_index=at[name])
        tab.add_class("emlib-film")
        widgets.jslink((sliders[name], "index"), (tab, "selected_index"))
        return tab

    first, *others = sliders.values()
    play = widgets.Play(min=0, max=len(first.options) - 1, value=first.index, interval=600, show_repeat=False)
    widgets.jslink((play, "value"), (first, "index"))
    controls = [widgets.HBox([play, first]), *others, widgets.HTML(NO_BAR, layout={"display": "none"})]
    spans = ", ".join(f"{name} {values[0]} to {values[-1]}" for name, values in axes.items())
    opened = ", ".join(slider.value for slider in sliders.values())
    return Explorable(controls, pile({}), f"film of {size} frames: {spans}, opens at {opened}")


def _opening(axes: Mapping[str, Sequence[Any]], opens: Mapping[str, Any]) -> dict[str, int]:
    """The place on each axis at which a film opens."""
    validate.kind("opens", opens, Mapping)
    if strangers := set(opens) - set(axes):
        raise ValueError(f"opens names {min(strangers)!r}; the axes of the film are {', '.join(axes)}")
    at = dict.fromkeys(axes, 0)
    for name, value in opens.items():
        if value not in list(axes[name]):
            raise ValueError(f"opens has {name} = {value!r}; it must be one of the values along that axis")
        at[name] = list(axes[name]).index(value)
    return at


def live(draw: Callable[..., Figure], **sliders: tuple[float, ...]) -> Explorable:
    """A picture that the kernel draws anew at every move of a slider.

    Parameters
    ----------
    draw : callable
        Takes one number for each slider, by name, and returns a `matplotlib.figure.Figure`. It should be quick:
        fit nothing, and change the artists of one figure rather than draw a new one.
    **sliders : (low, high, start) or (low, high, start, step)
        The ends of each slider, where it stands at first, and how far one press of a key moves it: by default
        about a fiftieth of the way.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> from emlib import explore
    >>> figure = Figure(figsize=(4, 3))
    >>> (point,) = figure.subplots().plot([0], [0], "o")
    >>> def draw(height):
    ...     point.set_ydata([height])
    ...     return figure
    >>> explore.live(draw, height=(-1, 1, 0))
    <live picture: height -1 to 1>
    """
    validate.function("draw", draw, by_name=sliders)
    if not sliders:
        raise ValueError("there is nothing to move: give at least one slider, as name=(low, high, start)")
    controls = {}
    for name, limits in sliders.items():
        must_be = f"{name} is {limits!r}; it must be (low, high, start)"
        if not isinstance(limits, (tuple, list)) or len(limits) not in (3, 4):
            raise ValueError(f"{must_be} or (low, high, start, step)")
        low, high, start = (validate.number(f"an end of {name}", limit) for limit in limits[:3])
        if not low <= start <= high or not 0 < high - low < np.inf:
            raise ValueError(f"{must_be}, with start between the two")
        step = validate.positive(f"the step of {name}", limits[3] if limits[3:] else _round_step(high - low))
        controls[name] = widgets.FloatSlider(min=low, max=high, value=start, step=step, **_named(name))

    def values() -> dict[str, float]:
        return {name: control.value for name, control in controls.items()}

    image = _image(draw(**values()))

    def redraw(_: Any) -> None:
        image.value = plot.png(draw(**values()), SHARPNESS)

    for control in controls.values():
        control.observe(redraw, "value")
    spans = ", ".join(f"{name} {limits[0]} to {limits[1]}" for name, limits in sliders.items())
    return Explorable(list(controls.values()), image, f"live picture: {spans}")


def playground(X: ArrayLike | None = None, K: int = 3) -> Playground:
    """EM in the plane, moved by hand: place points, drag means, and press E, M, step or run.

    What is placed and fitted in the page is in Python, as `.X` and `.mixture`, and what is set there is in the page.
    Needs the package anywidget.

    Parameters
    ----------
    X : array_like (N, 2), optional
        The points, 4,000 at most; by default three clusters.
    K : int
        Number of components, 1 to 6.

    Examples
    --------
    >>> from emlib import datasets, explore
    >>> play = explore.playground(datasets.old_faithful().X, K=2)
    >>> play
    <playground: 272 points>
    >>> play.X.shape
    (272, 2)
    """
    from emlib.playground import Playground  # anywidget is needed only here

    return Playground(X, K)


SHARPNESS = 96  # pixels per inch: a compromise between sharp and quick


def _named(name: str) -> dict[str, Any]:
    """What every slider gets: its whole name, and all the room that is left in its row."""
    return {
        "description": name,
        "style": {"description_width": "initial"},
        "layout": {"width": "auto", "flex": "1 1 auto"},
    }


def _image(figure: Figure) -> widgets.Image:
    validate.kind("what draw returns", figure, Figure)
    width = round(figure.get_figwidth() * 80)
    layout = widgets.Layout(width=f"{width}px", max_width="100%")
    picture = plot.png(figure, SHARPNESS)
    figure.set_layout_engine("none")  # laid out once, nothing in it jumps, and it draws faster
    return widgets.Image(value=picture, format="png", layout=layout)


def _round_step(span: float) -> float:
    """The largest of 1, 2 and 5 times a power of ten that goes at least fifty times into the span."""
    most = span / 50 * (1 + 1e-9)  # 0.7 - 0.2 is not quite 0.5
    power = 10.0 ** floor(log10(most))
    return max(m * power for m in (1, 2, 5) if m * power <= most)
