"""Explorables on pages without a kernel: a film as plain HTML that static/film.js moves, a live picture as a still.

An executed notebook holds the state of its widgets. A film there is a box of sliders above a pile of tabs with a
picture in each; `emlib.explore` says how it is made.
"""

import base64
import json
from html import escape
from pathlib import Path
from typing import Any

import nbformat

VIEW = "application/vnd.jupyter.widget-view+json"
STATES = "application/vnd.jupyter.widget-state+json"
FITS_A_PHONE = 480  # pixels: what is wider keeps a legible size there, and moves sideways


class States:
    """The saved states of a notebook's widgets, by the numbers that they have there."""

    def __init__(self, notebook: nbformat.NotebookNode) -> None:
        self.models = notebook.metadata.get("widgets", {}).get(STATES, {}).get("state", {})

    def of(self, address: str) -> dict[str, Any]:
        """What a widget, given as "IPY_MODEL_..." or by its number alone, is like."""
        return self.models[address.removeprefix("IPY_MODEL_")]["state"]

    def within(self, address: str, kind: str) -> list[dict[str, Any]]:
        """All widgets of a kind in a box, such as its sliders, in their order."""
        state = self.of(address)
        own = [state] if state["_model_name"] == kind else []
        return own + [one for child in state.get("children", []) for one in self.within(child, kind)]

    def pictures(self, address: str) -> list[str]:
        """The numbers of the pictures in a pile of tabs: the last slider's values change fastest."""
        state = self.of(address)
        if state["_model_name"] == "ImageModel":
            return [address.removeprefix("IPY_MODEL_")]
        return [picture for child in state["children"] for picture in self.pictures(child)]

    def png(self, number: str) -> bytes:
        """The bytes of a picture."""
        (buffer,) = self.models[number]["buffers"]
        return base64.b64decode(buffer["data"])

    def width(self, number: str) -> str:
        """How wide a picture is shown, in pixels."""
        return self.of(self.of(number)["layout"])["width"].removesuffix("px")


def without_kernel(notebook: nbformat.NotebookNode, name: str, folder: Path, address: str) -> None:
    """Replace all explorables of a notebook by HTML, and write their pictures.

    Parameters
    ----------
    notebook : NotebookNode
        Executed, with its widgets' state; it is changed.
    name : str
        What the files of its pictures begin with.
    folder : Path
        Where they go.
    address : str
        Where that folder is, as seen from the page.
    """
    states, found = States(notebook), 0
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            view = output.get("data", {}).get(VIEW)
            if view is None:
                continue
            root, found = view["model_id"], found + 1
            files = f"{name}-{found}"
            draw = _film if states.within(root, "SelectionSliderModel") else _live
            output["data"] = {"text/html": draw(states, root, files, folder, address)}
    notebook.metadata.pop("widgets", None)


def _film(states: States, root: str, files: str, folder: Path, address: str) -> str:
    """A figure with a button, a slider for each axis, and a picture."""
    sliders = states.within(root, "SelectionSliderModel")
    _, pile = states.of(root)["children"]
    pictures = states.pictures(pile)
    for n, picture in enumerate(pictures):
        (folder / f"{files}-{n}.png").write_bytes(states.png(picture))
    controls, at = "", 0
    for slider in sliders:
        labels, index = list(slider["_options_labels"]), slider["index"]
        at = at * len(labels) + index
        controls += (
            f'<label><span>{escape(slider["description"])}</span> <input type="range" min="0" '
            f'max="{len(labels) - 1}" value="{index}" data-labels="{escape(json.dumps(labels))}" '
            f'aria-valuetext="{escape(labels[index])}"> <output>{escape(labels[index])}</output></label>\n'
        )
    opened = ", ".join(
        f"{slider['description']} {slider['_options_labels'][slider['index']]}" for slider in sliders
    )
    return (
        f'<figure class="film" data-frames="{address}/{files}-">\n<div class="film-controls">'
        f'<button type="button" class="film-play">Play</button>\n{controls}</div>\n'
        f"{_picture(states, pictures[at], f'{address}/{files}-{at}.png', f'A film, at {opened}.')}\n</figure>"
    )


def _live(states: States, root: str, files: str, folder: Path, address: str) -> str:
    """A figure with the picture as it opens, and a line that says what it would do in Jupyter."""
    sliders = states.within(root, "FloatSliderModel")
    number = states.pictures(states.of(root)["children"][1])[0]
    (folder / f"{files}.png").write_bytes(states.png(number))
    names = _listed([slider["description"] for slider in sliders])
    opened = ", ".join(f"{slider['description']} {slider['value']:g}" for slider in sliders)
    word = "slider" if len(sliders) == 1 else "sliders"
    note = (
        f"In Jupyter this picture moves, by {word} for {names}: a kernel draws it. "
        f"Here it stands still, at {opened}."
    )
    picture = _picture(states, number, f"{address}/{files}.png", f"The picture at {opened}.")
    way = '<a href="../download.html">The lessons in Jupyter</a>'
    caption = f'<figcaption class="live-note">{escape(note)} {way}</figcaption>'
    return f'<figure class="live">\n{picture}\n{caption}\n</figure>'


def _picture(states: States, number: str, source: str, alt: str) -> str:
    png, width = states.png(number), states.width(number)
    # Width and height of a PNG stand in its first bytes; with them the page does not jump as it loads.
    across, down = (int.from_bytes(png[start : start + 4], "big") for start in (16, 20))
    height = round(int(width) * down / across)
    wide = ' class="wide"' if int(width) > FITS_A_PHONE else ""
    picture = f'<img src="{source}" width="{width}" height="{height}"{wide} alt="{escape(alt)}">'
    return f'<div class="frame" role="group" aria-label="picture" tabindex="0">{picture}</div>'


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
