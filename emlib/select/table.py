"""What a sweep finds: a row for each mixture, and the table of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape
from math import isfinite
from typing import Any

from emlib import validate
from emlib.mixture import Mixture
from emlib.stopping import Stop
from emlib.words import counted

CRITERIA = {"aic": "AIC", "bic": "BIC", "icl": "ICL", "held_out": "held-out"}
BEST = "best by this criterion"
NOT_ASKED = "nothing was held out: sweep with folds=5"


@dataclass(frozen=True, eq=False)
class Row:
    """One structure and one number of components: the best of its fits.

    A fit that collapsed has a likelihood without bound, so all that comes from it is nan.

    Attributes
    ----------
    structure : str
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
        return self.stop.reason != "collapsed"


@dataclass(frozen=True, eq=False, repr=False)
class Sweep:
    """What a sweep found, as a table.

    Attributes
    ----------
    rows : tuple of Row
        By structure, then by K, in the order they were asked for.
    planned : int
        How many rows there would be if nobody had interrupted it.
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
        """
        validate.one_of("criterion", criterion, tuple(CRITERIA))
        sign = -1 if criterion == "held_out" else 1
        rows = [row for row in self._healthy() if isfinite(getattr(row, criterion))]
        if not rows:
            healthy = self._healthy()
            raise ValueError(
                f"no row has a held-out score, the first because {healthy[0].missing}"
                if healthy
                else f"every fit collapsed, the first because {self.rows[0].stop.message}"
            )
        return min(rows, key=lambda row: sign * getattr(row, criterion))

    def table(self) -> dict[str, list[Any]]:
        """The rows as columns: `pandas.DataFrame(sweep.table())` makes a data frame of them."""
        names = ["structure", "K", "n_parameters", "log_likelihood", "aic", "bic", "icl"]
        names += ["held_out", "held_out_error"] if self._validated() else []
        columns = {name: [getattr(row, name) for row in self.rows] for name in names}
        return columns | {
            "stop": [row.stop.reason for row in self.rows],
            **{name: [getattr(row, name) for row in self.rows] for name in ("n_iter", "seconds", "reached")},
        }

    def _healthy(self) -> list[Row]:
        return [row for row in self.rows if row.healthy]

    def _validated(self) -> bool:
        return any(isfinite(row.held_out) for row in self.rows)

    # Words ------------------------------------------------------------------------------------------

    def _title(self) -> str:
        missing = self.planned - len(self.rows)
        return f"Sweep of {counted(len(self.rows), 'mixture')}" + (
            f", interrupted: {missing} more {'was' if missing == 1 else 'were'} planned" if missing else ""
        )

    def _cells(self) -> list[list[tuple[str, bool]]]:
        """The table in words: a line of headings, then the rows; each cell with whether it is the best."""
        criteria = {name: word for name, word in CRITERIA.items() if name != "held_out" or self._validated()}
        healthy = self._healthy()
        best = {
            name: self.best(name) for name in criteria if any(isfinite(getattr(row, name)) for row in healthy)
        }
        heads = ["structure", "K", "parameters", "log-likelihood", *criteria.values(), "steps", "stop"]
        lines = [[(head, False) for head in heads]]
        for row in self.rows:
            line = [row.structure, str(row.K), str(row.n_parameters), _number(row.log_likelihood)]
            cells = [(word, False) for word in line]
            for name in criteria:
                word = _number(getattr(row, name), 4 if name == "held_out" else 2)
                if name == "held_out" and isfinite(row.held_out):
                    word += f" ± {row.held_out_error:.4f}"
                cells.append((word, best.get(name) is row))
            lines.append([*cells, (str(row.n_iter), False), (row.stop.reason, False)])
        return lines

    def __repr__(self) -> str:
        lines = [[word + ("*" if best else " ") for word, best in line] for line in self._cells()]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        left = (0, len(widths) - 1)  # words; the rest are numbers
        text = [
            "  ".join(
                word.ljust(width) if i in left else word.rjust(width)
                for i, (word, width) in enumerate(zip(line, widths, strict=True))
            )
            for line in lines
        ]
        starred = [f"  * {BEST}"] if any("*" in word for line in lines for word in line) else []
        return "\n".join([self._title(), *("  " + line.rstrip() for line in text), *starred])

    def _repr_html_(self) -> str:
        heads, *rows = self._cells()
        head = "".join(f"<th>{escape(word)}</th>" for word, _ in heads)
        body = "".join(
            f'<tr title="{escape(row.stop.message)}">'
            + "".join(f"<td>{f'<b>{escape(word)}</b>' if best else escape(word)}</td>" for word, best in line)
            + "</tr>"
            for row, line in zip(self.rows, rows, strict=True)
        )
        caption = f"{escape(self._title())}. Bold: {BEST}"
        return (
            f"<table><caption>{caption}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        )


def _number(value: float, digits: int = 2) -> str:
    return f"{value:.{digits}f}" if isfinite(value) else "–"
