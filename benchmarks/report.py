"""What every benchmark hands back, and how it is written down."""

from __future__ import annotations

import datetime
import platform
import statistics
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from importlib import metadata
from itertools import islice
from pathlib import Path
from time import perf_counter

import matplotlib.pyplot as plt
from matplotlib.figure import Figure
from matplotlib.ticker import ScalarFormatter
from threadpoolctl import threadpool_info

from emlib import plot

COLOUR = {"ahead of goal": plot.COLOURS[1], "above the floor": plot.COLOURS[2], "BEHIND": plot.COLOURS[0]}


@dataclass(frozen=True)
class Claim:
    """A number with what is owed of it, and what is hoped for; or a number with its limit, the `floor`."""

    what: str
    value: float
    floor: float
    goal: float | None = None
    limit: bool = False
    unit: str = "times"

    @property
    def verdict(self) -> str:
        """Where the number stands, in words."""
        if not (self.value <= self.floor if self.limit else self.value >= self.floor):
            return "BEHIND"
        return "ahead of goal" if self.goal is not None and self.value >= self.goal else "above the floor"

    def __str__(self) -> str:
        bound = "at most" if self.limit else "at least"
        return f"{self.what}: {self.value:.3g} {self.unit}, where {bound} {self.floor:g} is owed"


@dataclass(frozen=True)
class Table:
    """A benchmark's result."""

    title: str
    text: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    claims: Sequence[Claim] = field(default=())

    def __str__(self) -> str:
        lines = [f"## {self.title}", "", self.text]
        if self.rows:
            table = [self.columns, ["---"] + ["---:"] * (len(self.columns) - 1), *self.rows]
            lines += ["", *("| " + " | ".join(row) + " |" for row in table)]
        return "\n".join(lines)


# Timing -----------------------------------------------------------------------------------------------


def race(
    sides: dict[str, Callable[[], Iterator[float]]],
    steps: int,
    repeats: int,
    clock: Callable[[], float] = perf_counter,
) -> dict[str, tuple[float, float]]:
    """Time so many steps of every side, taking turns, so that whatever else the machine does slows all.

    A side gives the log-likelihoods of the models that it passes through. The first, that of the start, warms up and is
    not timed. With `process_time` for a clock others who use the machine hardly count.

    Returns
    -------
    dict
        The median of the seconds per step, and the last log-likelihood.
    """
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    ends = {}
    for _ in range(repeats):
        for name, side in sides.items():
            running = side()
            next(running)
            began = clock()
            *_, ends[name] = islice(running, steps)
            seconds[name].append((clock() - began) / steps)
    return {name: (statistics.median(seconds[name]), ends[name]) for name in sides}


def milliseconds(seconds: float) -> str:
    """A time for a table."""
    return f"{1e3 * seconds:.3g}" if seconds < 1 else f"{1e3 * seconds:,.0f}"


# Writing it down --------------------------------------------------------------------------------------

MARK = "<!-- make bench-scale writes what is below this line; make bench what is above -->"


def write(file: Path, text: str, below: bool = False) -> None:
    """Write one part of the results, above or below the mark, and leave the other as it is."""
    above, _, rest = (file.read_text() if file.exists() else "").partition(MARK)
    parts = (above, text) if below else (text, rest)
    file.write_text(f"{parts[0].strip()}\n\n{MARK}\n\n{parts[1].strip()}".strip() + "\n")


def machine() -> str:
    """What all this was measured on, in words."""
    info = Path("/proc/cpuinfo")
    names = [line.split(":")[1].strip() for line in info.read_text().splitlines() if "model name" in line]
    packages = ", ".join(
        f"{title} {metadata.version(name)}"
        for title, name in (("NumPy", "numpy"), ("SciPy", "scipy"), ("scikit-learn", "scikit-learn"))
    )
    pools = [pool for pool in threadpool_info() if pool["user_api"] == "blas"]
    blas = ", ".join(sorted({f"{pool['internal_api']} {pool['version']}" for pool in pools}))
    threads = max(pool["num_threads"] for pool in pools)
    return (
        f"Measured on {datetime.date.today():%d %B %Y}, on {len(names)} cores of a machine that calls itself "
        f"{names[0]}, under {platform.system()}: Python {platform.python_version()}, {packages}; BLAS: {blas}, "
        f"threads: {threads}. {r_version()}"
    )


def r_version() -> str:
    """The versions of R, mclust and the BLAS that it uses."""
    versions = "R.version.string, '; mclust ', format(packageVersion('mclust'))"
    code = f"cat({versions}, '; BLAS: ', extSoftVersion()['BLAS'], sep = '')"
    try:
        said = subprocess.run(["Rscript", "-e", code], capture_output=True, text=True, check=True).stdout
    except (FileNotFoundError, subprocess.CalledProcessError):
        return "R with mclust is not installed."
    versions, library = said.rsplit(": ", 1)
    return f"{versions}: {Path(library).name}."


def behind(claims: Sequence[Claim]) -> str:
    """What is below its floor, in a paragraph."""
    missed = [str(claim) for claim in claims if claim.verdict == "BEHIND"]
    ahead = sum(claim.verdict == "ahead of goal" for claim in claims)
    count = (
        f"Of {len(claims)} promises {len(claims) - len(missed)} are kept, {ahead} of them up to their goal."
    )
    return f"{count} Behind: {'; '.join(missed)}." if missed else f"{count} Nothing is behind."


def picture(claims: Sequence[Claim]) -> Figure:
    """All ratios, each with its floor and its goal."""
    figure, ax = plt.subplots(figsize=(9, 1.2 + 0.3 * len(claims)))
    for y, claim in enumerate(claims):
        ax.plot([1, claim.value], [y, y], color=COLOUR[claim.verdict], linewidth=7, solid_capstyle="butt")
        ax.plot(claim.floor, y, "|", color=plot.INK, markersize=13, markeredgewidth=2)
        if claim.goal is not None:
            ax.plot(claim.goal, y, "D", color=plot.INK, markersize=5, markerfacecolor="white")
        right = max(claim.value, claim.floor, claim.goal or 0)
        ax.annotate(f"{claim.value:.3g}", (right, y), xytext=(8, 0), textcoords="offset points", va="center")
    marks = [
        *(ax.plot([], [], color=colour, linewidth=7, label=name)[0] for name, colour in COLOUR.items()),
        ax.plot([], [], "|", color=plot.INK, markersize=13, markeredgewidth=2, label="floor")[0],
        ax.plot([], [], "D", color=plot.INK, markersize=5, markerfacecolor="white", label="goal")[0],
    ]
    ax.set_xscale("log")
    ax.set_xticks([1, 2, 5, 10, 20, 50, 100])
    ax.xaxis.set_major_formatter(ScalarFormatter())
    ax.minorticks_off()
    ax.set_yticks(range(len(claims)), [claim.what for claim in claims])
    ax.tick_params(axis="y", length=0)
    ax.set_ylim(len(claims) - 0.4, -0.6)
    ax.set_xlabel("times as fast (passes: times as few)")
    figure.legend(handles=marks, loc="outside upper center", ncols=len(marks))
    return figure
