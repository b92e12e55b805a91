"""The course's look: one style, a colour for every component, and how a figure reaches the page."""

from __future__ import annotations

from binascii import b2a_base64
from io import BytesIO

import matplotlib.pyplot as plt
import numpy as np
import PIL.Image
import seaborn as sns
from IPython import get_ipython
from IPython.display import display
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from emlib import validate
from emlib.value import Array

COLOURS = ["#D55E00", "#009E73", "#0072B2", "#E69F00", "#CC79A7", "#56B4E9", "#8A7A00", "#4D4D4D", "#5E3C99"]
INK = "#262626"


def style() -> None:
    """Set the course's look for all pictures drawn from now on.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from emlib import plot
    >>> with plt.rc_context():  # for the pictures drawn here, and no others
    ...     plot.style()
    ...     print(plt.rcParams["lines.linewidth"], plt.rcParams["axes.spines.top"])
    2.0 False
    """
    sns.set_theme(
        context="notebook",
        style="ticks",
        palette=COLOURS,
        rc={
            "figure.constrained_layout.use": True,
            # The font that comes with Matplotlib: the same picture everywhere, and no search for others.
            "font.family": "DejaVu Sans",
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.titlesize": "medium",
            "axes.titlelocation": "left",
            "legend.frameon": False,
            "lines.linewidth": 2,
        },
    )


def colours(K: int) -> Array:
    """The colours of K components as rows of red, green and blue, (K, 3); they repeat after nine.

    Examples
    --------
    >>> from emlib import plot
    >>> plot.colours(3).round(2).tolist()
    [[0.84, 0.37, 0.0], [0.0, 0.62, 0.45], [0.0, 0.45, 0.7]]
    >>> (plot.colours(10)[9] == plot.colours(1)[0]).all().item()
    True
    """
    return np.array([to_rgb(colour(k)) for k in range(validate.count("K", K))])


def colour(k: int) -> str:
    """The colour of component k."""
    return COLOURS[k % len(COLOURS)]


def mixed(resp: ArrayLike) -> Array:
    """The colour of every point, (N, 3): its components' colours, mixed by responsibility (N, K).

    Examples
    --------
    >>> from emlib import plot
    >>> plot.mixed([[1, 0], [0.5, 0.5]]).round(2).tolist()  # red, and halfway to green
    [[0.84, 0.37, 0.0], [0.42, 0.49, 0.23]]
    """
    resp = validate.probabilities("resp", resp)
    if resp.ndim != 2:
        raise ValueError(f"resp has shape {resp.shape}; it must be (N, K): one row for each point")
    return np.clip(resp @ colours(resp.shape[1]), 0, 1)


def png(figure: Figure, dpi: float = 144) -> bytes:
    """A figure as the bytes of a PNG file, at so many pixels per inch.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from emlib import plot
    >>> figure, ax = plt.subplots(figsize=(2, 1))
    >>> picture = plot.png(figure, dpi=72)
    >>> picture[1:4], int.from_bytes(picture[16:20], "big"), int.from_bytes(picture[20:24], "big")
    (b'PNG', 144, 72)
    >>> plt.close(figure)
    """
    validate.kind("figure", figure, Figure)
    figure.set_dpi(validate.positive("dpi", dpi))
    # A canvas remembers how its texts are laid out, which is most of the work when a figure is drawn again.
    canvas = figure.canvas if isinstance(figure.canvas, FigureCanvasAgg) else FigureCanvasAgg(figure)
    canvas.draw()  # figure.savefig would draw twice
    picture = PIL.Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")
    file = BytesIO()
    # 256 colours are enough for a plot, and make the file a third as large.
    picture.quantize(256, method=PIL.Image.Quantize.FASTOCTREE).save(file, "png")
    return file.getvalue()


def show(figure: Figure, alt: str, dpi: float = 144) -> None:
    """Show a figure in a notebook, with a text for those who cannot see it, and close it.

    In a script it is shown in a window until that is closed; where there can be no windows, its text is printed.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    alt : str
        What the picture shows, in a sentence or two.
    dpi : float
        Pixels per inch; the picture is shown at half that, so that it stays sharp when enlarged.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from emlib import plot
    >>> figure, ax = plt.subplots()
    >>> plot.show(figure, alt="")
    Traceback (most recent call last):
    ValueError: alt is empty; say in a sentence what the picture shows
    >>> plt.close(figure)
    """
    validate.kind("figure", figure, Figure)
    validate.kind("alt", alt, str)
    alt = " ".join(alt.split())
    if not alt:
        raise ValueError("alt is empty; say in a sentence what the picture shows")
    if get_ipython() is not None:
        picture = b2a_base64(png(figure, dpi), newline=False).decode()
        size = {"width": round(figure.get_figwidth() * dpi / 2), "alt": alt}
        display({"image/png": picture, "text/plain": alt}, metadata={"image/png": size}, raw=True)
    elif getattr(figure.canvas, "required_interactive_framework", None):  # a script has no page, but windows
        plt.show(block=True)
    else:
        print(alt)
    plt.close(figure)
