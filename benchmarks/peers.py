"""One iteration of EM, against R's mclust: compiled Fortran, and no floor under the variances.

R runs beside this process and takes its turn when it is told to: it reads a line (how many times to fit) and answers
with the seconds that took and the log-likelihood.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice
from pathlib import Path
from statistics import median
from time import perf_counter

import numpy as np
from report import Claim, Table, milliseconds
from speed import Work, ours

from emlib import Gaussian, Mixture

STEPS = 10  # in every fit
# N, D, K, steps; then points and responsibilities, as float64 in columns. `me` begins with an M-step.
R = """
suppressMessages(library(mclust))
file <- file(commandArgs(TRUE)[1], "rb")
size <- readBin(file, "integer", 4)
x <- matrix(readBin(file, "double", size[1] * size[2]), size[1])
z <- matrix(readBin(file, "double", size[1] * size[3]), size[1])
control <- emControl(tol = c(0, 0), itmax = c(size[4], size[4]))
name <- if (size[2] == 1) "V" else "VVV"
asked <- file("stdin", "r")
while (length(times <- as.integer(readLines(asked, 1)))) {
    took <- system.time(for (i in seq_len(times)) fit <- me(x, modelName = name, z = z, control = control))
    stopifnot(abs(attr(fit, "info")["iterations"]) == size[4])
    cat(took["elapsed"], format(fit$loglik, digits = 17), "\\n")
}
"""


@contextmanager
def mclust(X: np.ndarray, resp: np.ndarray) -> Iterator[subprocess.Popen[str]]:
    """An R that holds the data and waits."""
    with tempfile.TemporaryDirectory() as folder:
        script, data = Path(folder) / "me.R", Path(folder) / "data"
        script.write_text(R)
        size = np.array([*X.shape, resp.shape[1], STEPS], dtype=np.int32)
        data.write_bytes(size.tobytes() + X.tobytes("F") + resp.tobytes("F"))
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        with subprocess.Popen(["Rscript", script, data], **pipes) as r:
            yield r


def measure(quick: bool = False) -> Table:
    """Race emlib against mclust."""
    table = Table(
        "Against mclust",
        f"Milliseconds per iteration: {STEPS} iterations of `me`, full covariances (VVV), from the responsibilities of "
        "emlib's start, timed inside R; medians, in turns. "
        "At N=60 a compiled loop wins: there every call of NumPy costs more than its arithmetic.",
        ["work", "emlib", "mclust", "ratio", "log-likelihoods differ by"],
        rows := [],
        claims := [],
    )
    for D, N, times in [(1, 60, 500), (2, 500, 20), (1, 100_000, 1), (2, 100_000, 1)]:
        if quick and N > 500:
            continue
        work = Work(D, 3, N, 0, 0)
        X, floored = work.prepare()
        gaussians = floored.components
        model = Mixture(floored.weights, Gaussian(gaussians.means, gaussians.covariances))
        try:
            seconds, ends = _turns(X, model, times)
        except FileNotFoundError:
            return replace(table, text=table.text + "\n\nR is not installed.", rows=[])
        except BrokenPipeError:
            return replace(table, text=table.text + "\n\nmclust is not installed.", rows=[])
        ratio = seconds["mclust"] / seconds["emlib"]
        apart = abs(ends["emlib"] / ends["mclust"] - 1)
        rows.append(
            [
                work.name,
                *(milliseconds(seconds[side]) for side in ("emlib", "mclust")),
                f"{ratio:.2f}",
                f"{apart:.0e}",
            ]
        )
        if N >= 500:
            claims.append(Claim(f"{work.name}, against mclust", ratio, 1))
    return table


def _turns(X: np.ndarray, model: Mixture, times: int) -> tuple[dict[str, float], dict[str, float]]:
    """Seconds per iteration and final log-likelihood of both, who take turns."""
    seconds: dict[str, list[float]] = {"emlib": [], "mclust": []}
    ends = {}
    with mclust(X, model.responsibilities(X)) as r:
        for _ in range(7):
            r.stdin.write(f"{times}\n")
            r.stdin.flush()
            took, ends["mclust"] = map(float, r.stdout.readline().split() or _fail())
            seconds["mclust"].append(took / times / STEPS)
            took = 0.0
            for _ in range(times):
                running = ours(model, X)
                next(running)
                began = perf_counter()
                *_, ends["emlib"] = islice(running, STEPS)
                took += perf_counter() - began
            seconds["emlib"].append(took / times / STEPS)
    return {side: median(seconds[side]) for side in seconds}, ends


def _fail() -> None:
    raise BrokenPipeError
