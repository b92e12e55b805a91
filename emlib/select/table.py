"""What a sweep finds: a row for each mixture, and the table of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape
from math import isfinite
from typing import Any

from emlib import validate
from emlib.mixture import Mixture
from emlib.stopping import Stop
from emlib.text import counted
from emlib.value import Value

CRITERIA = {"aic": "AIC", "bic": "BIC", "icl": "ICL", "held_out": "held-out"}
BEST = "best by this criterion"
NOT_ASKED = "nothing was held out: sweep with folds=5"


@dataclass(frozen=True)
class Row(Value):
    """One structure and one number of components: the best of its fits.

    A fit that collapsed, or that only its floor holds up, has a likelihood without bound: all that comes of it is nan.

    Attributes
    ----------
    structure : str
        Or the kind of a family that has no structures.
    K : int
    n_parameters : int
    log_likelihood : float
        Total, in nats.
    aic, bic, icl : float
        Smaller is better.
    held_out, held_out_error : float
        Mean log-likelihood of held-out points, in nats per point, and its standard error. Larger is better. Without
        cross-validation nan; also where a fold's fit collapsed, which can flatter it.
    stop : Stop
        Why the best fit ended.
    seconds : float
        How long its fits took, without cross-validation.
    reached : tuple of float
        The log-likelihood that each start reached; nan where it collapsed.
    mixture : Mixture or None
        The best; None if no start gave one.
    missing : str
        Why there is no held-out likelihood; "" if there is.

    Examples
    --------
    >>> import numpy as np
    >>> from emlib import datasets, select
    >>> X = datasets.three_clusters().X
    >>> row = select.sweep(X, 3, "full", rng=np.random.default_rng(0), progress=False).rows[0]
    >>> row.structure, row.K, row.n_parameters, round(row.log_likelihood, 1), row.stop.reason
    ('full', 3, 8, -186.1, 'converged')
    >>> row.missing
    'nothing was held out: sweep with folds=5'
    """

    structure: str
    K: int
    n_parameters: int
    log_likelihood: float
    aic: float
    bic: float
    icl: float
    held_out: float
    held_out_error: float
    stop: Stop
    seconds: float
    reached: tuple[float, ...]
    mixture: Mixture | None = field(repr=False)
    missing: str = NOT_ASKED

    @property
    def n_iter(self) -> int:
        """M-steps of the best fit."""
        return self.stop.n_iter

    @property
    def healthy(self) -> bool:
        """Whether there is a fit that has not collapsed."""
        return self.stop.healthy


@dataclass(frozen=True, repr=False)
class Sweep(Value):
    """What a sweep found, as a table.

    Attributes
    ----------
    rows : tuple of Row
        By structure, then by K, in the order they were asked for.
    planned : int
        How many rows there would be if nobody had interrupted it.

    Examples
    --------
    >>> import numpy as np
    >>> from emlib import datasets, select
    >>> X = datasets.three_clusters().X
    >>> found = select.sweep(X, [2, 3], "full", rng=np.random.default_rng(0), progress=False)
    >>> found.planned, [(row.K, round(row.bic, 1)) for row in found.rows]
    (2, [(2, 426.0), (3, 405.0)])
    """

    rows: tuple[Row, ...]
    planned: int

    def best(self, criterion: str = "bic") -> Row:
        """The best row by one criterion, with its `.mixture`. A fit that collapsed is never the best.

        Parameters
        ----------
        criterion : {"aic", "bic", "icl", "held_out"}

        Raises
        ------
        ValueError
            If no row has the criterion.

        Examples
        --------
        >>> import numpy as np
        >>> from emlib import datasets, select
        >>> X = datasets.three_clusters().X
        >>> found = select.sweep(X, [2, 3], "full", rng=np.random.default_rng(0), progress=False)
        >>> found.best("bic").mixture.components.means.shape
        (3, 1)
        >>> found.best("held_out")
        Traceback (most recent call last):
        ValueError: no row has a held-out score, the first because nothing was held out: sweep with folds=5
        """
        validate.one_of("criterion", criterion, tuple(CRITERIA))
        if best := self._best(criterion):
            return best
        if not self.rows:
            raise ValueError("the sweep has no rows, and so no best one")
        for row in self.rows:
            if row.healthy:
                raise ValueError(f"no row has a held-out score, the first because {row.missing}")
        raise ValueError(f"every fit collapsed, the first because {self.rows[0].stop.message}")

    def _best(self, criterion: str) -> Row | None:
        """The best row by this criterion; None if no row that may be it has the criterion."""
        sign = -1 if criterion == "held_out" else 1
        rows = [row for row in self.rows if row.healthy and isfinite(getattr(row, criterion))]
        return min(rows, key=lambda row: sign * getattr(row, criterion), default=None)

    def table(self) -> Any:
        """The rows as a pandas DataFrame.

        Its columns are structure, K, parameters, log_likelihood, aic, bic, icl, steps, stop and seconds; after
        cross-validation held_out and held_out_error too.

        Examples
        --------
        >>> import numpy as np
        >>> from emlib import datasets, select
        >>> X = datasets.three_clusters().X
        >>> found = select.sweep(X, [2, 3], "full", rng=np.random.default_rng(0), progress=False)
        >>> table = found.table()
        >>> table[["K", "parameters", "bic"]].round(1).to_numpy().tolist()
        [[2.0, 5.0, 426.0], [3.0, 8.0, 405.0]]
        """
        import pandas as pd  # slow to import, and needed only here

        names = ["structure", "K", "n_parameters", "log_likelihood", "aic", "bic", "icl"]
        names += ["held_out", "held_out_error"] if any(isfinite(row.held_out) for row in self.rows) else []
        names += ["n_iter", "stop", "seconds"]
        frame = pd.DataFrame({name: [getattr(row, name) for row in self.rows] for name in names})
        frame["stop"] = [row.stop.reason for row in self.rows]
        return frame.rename(columns={"n_parameters": "parameters", "n_iter": "steps"})

    # Words ------------------------------------------------------------------------------------------

    def __repr__(self) -> str:
        lines = self._words("{}*", "{} ").to_string(index=False).split("\n")
        starred = [f"* {BEST}"] if any("*" in line for line in lines) else []
        return "\n  ".join([self._title(), *lines, *starred])

    def _repr_html_(self) -> str:
        import pandas as pd

        words = self._words("<b>{}</b>", "{}")
        words["stop"] = [
            f'<span title="{escape(row.stop.message)}">{row.stop.reason}</span>' for row in self.rows
        ]
        with pd.option_context("display.max_colwidth", None):  # else pandas would cut the messages short
            table = words.to_html(index=False, border=0, escape=False)
        return f"<p>{self._title()}. Bold: {BEST}</p>\n{table}"

    def _title(self) -> str:
        missing = self.planned - len(self.rows)
        return f"Sweep of {counted(len(self.rows), 'mixture')}" + (
            f", interrupted: {missing} more {'was' if missing == 1 else 'were'} planned" if missing else ""
        )

    def _words(self, best: str, other: str) -> Any:
        """The table in words; the templates are for the best by a criterion, and for what else is in its column."""
        table = self.table()
        words = table[["structure", "K", "parameters"]].copy()
        words["log-likelihood"] = [_written(row, "log_likelihood") for row in self.rows]
        for name, head in CRITERIA.items():
            if name in table:
                chosen = self._best(name)
                cells = [(best if row is chosen else other).format(_written(row, name)) for row in self.rows]
                words[other.format(head)] = cells
        return words.join(table[["steps", "stop"]])


def _written(row: Row, name: str) -> str:
    value = getattr(row, name)
    if not isfinite(value):
        return "–"
    return f"{value:.4f} ± {row.held_out_error:.4f}" if name == "held_out" else f"{value:.2f}"
