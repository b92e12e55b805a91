"""The playground in a notebook: a widget whose points and mixture are Python's, too.

`emlib.explore.playground` makes one. What happens in the page is in the files beside this one: `playground_em.js` has
the mathematics, `playground_session.js` what happens to the points, `playground_pictures.js` what is drawn, and
`playground.js` the page.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from emlib import validate
from emlib.families import Gaussian
from emlib.mixture import Mixture
from emlib.text import counted, not_installed
from emlib.value import Array

try:
    import anywidget
    from traitlets import CBytes, Dict, Int
except ModuleNotFoundError as error:
    raise not_installed("emlib.explore.playground", error) from error

MOST_K = 6
MOST_POINTS = 4000
FARTHEST = 1e9  # a place beyond would not be written out
FOLDER = Path(__file__).parent


def joined() -> str:
    """The modules of JavaScript as one, for anywidget takes one text, and a page from the disk no module.

    They lose the imports of each other, and all exports but the last file's.
    """
    files = [FOLDER / f"playground{name}.js" for name in ("_em", "_session", "_pictures", "")]
    text = "\n".join(file.read_text(encoding="utf-8") for file in files)
    return re.sub(r"^(?:import .*|export (?!default))", "", text, flags=re.M)


class Playground(anywidget.AnyWidget):
    """EM in the plane, moved by hand. The points and the mixture go both ways between the page and Python.

    Parameters
    ----------
    X : array_like (N, 2), optional
        The points, 4,000 at most; by default three clusters.
    K : int
        Number of components, 1 to 6.
    """

    _esm = joined()
    _css = FOLDER / "playground.css"
    _points = CBytes(b"").tag(sync=True)  # float64, x and y of one point after the other
    _mixture = Dict(None, allow_none=True).tag(sync=True)
    _K = Int(3).tag(sync=True)

    def __init__(self, X: ArrayLike | None = None, K: int = 3) -> None:
        K = validate.count("K", K, most=MOST_K, why=": there are colours for no more")
        super().__init__(_points=b"" if X is None else _checked(X).tobytes(), _K=K)

    @property
    def X(self) -> Array:
        """The points as they are now, (N, 2). Set others, and the page shows them."""
        return np.frombuffer(self._points).reshape(-1, 2).copy()

    @X.setter
    def X(self, X: ArrayLike) -> None:
        points = _checked(X).tobytes()
        with self.hold_sync():
            self._points, self._mixture = points, None  # until the page has made a start

    @property
    def mixture(self) -> Mixture | None:
        """The mixture as it is now, with its structure and floor; None as long as there is none.

        Set another, and the page shows it.
        """
        if not self._mixture:
            return None
        parts = self._mixture
        written_out = np.array(parts["covariances"])[:, [0, 1, 1, 2]].reshape(-1, 2, 2)
        structure = parts["structure"]
        if structure in ("diag", "spherical"):
            written_out = written_out.diagonal(axis1=1, axis2=2)
        covariances = {"tied": written_out[0], "spherical": written_out[:, 0]}.get(structure, written_out)
        components = Gaussian(parts["means"], covariances, structure, floor=parts["floor"] or 0.0)
        return Mixture(parts["weights"], components)

    @mixture.setter
    def mixture(self, mixture: Mixture) -> None:
        components = _gaussians(mixture)
        matrices = components.matrices
        self._mixture = {
            "weights": mixture.weights.tolist(),
            "means": components.means.tolist(),
            "covariances": matrices[:, [0, 0, 1], [0, 1, 1]].tolist(),
            "structure": components.structure,
            "floor": None if components.floor is None else components.floor.tolist(),
        }

    def __repr__(self) -> str:
        return f"<playground: {counted(len(self.X), 'point')}>" if self._points else "<playground>"


def _checked(X: ArrayLike) -> Array:
    """Points that the page can show."""
    X = validate.points(X)
    if X.shape[1] != 2:
        raise ValueError(f"X has {counted(X.shape[1], 'column')}; the playground is a plane: choose two")
    if len(X) > MOST_POINTS:
        raise ValueError(
            f"X has {len(X)} points; the playground takes {MOST_POINTS} at most: draw some of them"
        )
    if np.abs(X).max() > FARTHEST:
        raise ValueError(
            f"X holds {np.abs(X).max():.6g}; the playground reaches {FARTHEST:g}: rescale the data"
        )
    return X


def _gaussians(mixture: Any) -> Gaussian:
    """The components of a mixture that the page can show, and go on with."""
    validate.kind("mixture", mixture, Mixture)
    components = mixture.components
    if not isinstance(components, Gaussian) or components.n_features != 2 or len(mixture) > MOST_K:
        raise ValueError(
            f"mixture is a mixture of {components.headline()}; the playground shows 1 to {MOST_K} Gaussians "
            "in 2 dimensions"
        )
    of_components = components.ridge or components.prior is not None or components.fixed
    if of_components or mixture.weight_count or mixture.fixed_weights:
        raise ValueError(
            "mixture has a ridge, a prior or fixed parameters, and the playground knows none: leave them out"
        )
    return components
