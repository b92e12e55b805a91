"""Waits that people feel: a test and a sweep of Old Faithful, beside R's mclust, with the likelihoods reached."""

from __future__ import annotations

import subprocess
from time import perf_counter

import numpy as np
from report import Claim, Table

from emlib import datasets, select

# The data come on the standard input; out go seconds and what was reached, a line each.
R = """
suppressMessages(library(mclust))
x <- as.matrix(read.csv(file("stdin"), header = FALSE))
test <- system.time(lrt <- mclustBootstrapLRT(x, modelName = "VVV", nboot = 99, maxG = 2, verbose = FALSE))
cat(test["elapsed"], lrt$obs[2], "\\n")
sweep <- system.time(bic <- mclustBIC(x, G = 1:9, verbose = FALSE))
cat(sweep["elapsed"], max(bic, na.rm = TRUE), "\\n")
"""
TURNS = 3


def measure(quick: bool = False) -> Table:
    """Time both waits, medians of a few turns."""
    X = datasets.old_faithful().X
    turns = 1 if quick else TURNS
    tests = [
        _timed(lambda: select.bootstrap_ratio(X, 2, np.random.default_rng(0), B=99, progress=False))
        for _ in range(turns)
    ]
    sweeps = [
        _timed(lambda: select.sweep(X, rng=np.random.default_rng(0), progress=False)) for _ in range(turns)
    ]
    theirs = [_mclust(X) for _ in range(turns)]
    test, sweep = (float(np.median([seconds for seconds, _ in some])) for some in (tests, sweeps))
    ratio, best = tests[-1][1].observed, sweeps[-1][1].best("bic")
    peers = np.median(theirs, axis=0) if None not in theirs else np.full((2, 2), np.nan)
    return Table(
        "Waits on Old Faithful",
        "Seconds, medians, on one core; beside R's mclust (`mclustBootstrapLRT`, `mclustBIC`; nan where it is not "
        "installed), which tests from a poorer maximum of three components: compare the observed ratios. The sweeps: "
        "40 fits of emlib's four structures, K = 1 to 10; 126 of mclust's fourteen, K = 1 to 9. BIC with emlib's sign.",
        ["wait", "emlib", "reached", "mclust", "reached"],
        [
            [
                "`bootstrap_ratio`, 2 against 3, B = 99",
                f"{test:.2f}",
                f"ratio {ratio:.2f}",
                f"{peers[0, 0]:.2f}",
                f"ratio {peers[0, 1]:.2f}",
            ],
            [
                "`sweep`, as it comes",
                f"{sweep:.2f}",
                f"BIC {best.bic:.2f}",
                f"{peers[1, 0]:.2f}",
                f"BIC {-peers[1, 1]:.2f}",
            ],
        ],
        [
            Claim("`bootstrap_ratio` of Old Faithful", test, 3, None, True, "seconds"),
            Claim("its observed ratio", ratio, 31.6, unit=""),
            Claim("`sweep` of Old Faithful", sweep, 1.2, None, True, "seconds"),
        ],
    )


def _timed(run):
    began = perf_counter()
    result = run()
    return perf_counter() - began, result


def _mclust(X: np.ndarray) -> list[list[float]] | None:
    """Seconds and what was reached, of the test and of the sweep; None if R or mclust is not installed."""
    rows = "\n".join(",".join(map(repr, row)) for row in X.tolist())
    try:
        said = subprocess.run(
            ["Rscript", "-e", R], input=rows, capture_output=True, text=True, check=True
        ).stdout
    except (FileNotFoundError, subprocess.CalledProcessError):
        return None
    return [[float(word) for word in line.split()] for line in said.split("\n") if line.strip()]
