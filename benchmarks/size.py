"""Many rows: a whole fit as users call it, and whether time and memory grow as they should.

Memory is measured in processes of their own, which this file runs as a script. It is the most memory of its own that
such a process holds at one time, looked up every millisecond, beyond what it held before; pages of the data's file do
not count.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from threading import Event, Thread
from time import perf_counter

import numpy as np
from report import Claim, Table, race
from sklearn.mixture import GaussianMixture
from speed import clusters, ours, scikit_learn

import emlib
from emlib import Mixture, em

Result = dict[str, float]


# A whole fit ----------------------------------------------------------------------------------------


def whole_fit(quick: bool = False) -> Table:
    """Both estimators as they come, start included."""
    N, rng, names = 100_000 if quick else 1_000_000, np.random.default_rng(1), ("emlib", "scikit-learn")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "X.npy"
        np.save(file, clusters(2, 5, rng).sample(N, rng)[0])
        turns = [[child("fit", name, str(file), str(seed)) for name in names] for seed in range(3)]
    rows = [
        [
            f"{name}, random_state={seed}",
            f"{result['seconds']:.2f}",
            f"{result['iterations']:.0f}",
            f"{result['log_likelihood']:.6f}",
            f"{result['megabytes']:.0f}",
        ]
        for seed, results in enumerate(turns)
        for name, result in zip(names, results, strict=True)
    ]
    median = {
        what: np.median([[result[what] for result in results] for results in turns], axis=0)
        for what in ("seconds", "log_likelihood", "megabytes")
    }
    what = f"a whole fit, D=2, K=5, N={N:,}"
    worst = max(theirs["log_likelihood"] - mine["log_likelihood"] for mine, theirs in turns)
    return Table(
        "A whole fit",
        f"`GaussianMixture(5).fit(X)`, emlib's and scikit-learn's, on {N:,} points in the plane: the start by k-means, "
        "then EM, by each one's own defaults. The log-likelihood is per point, in nats.",
        ["", "seconds", "iterations", "log-likelihood", "MB"],
        rows,
        [
            Claim(what, median["seconds"][1] / median["seconds"][0], 20),
            Claim(f"{what}: behind scikit-learn's likelihood", worst, 1e-3, None, True, "nats per point"),
            Claim(f"{what}: memory", median["megabytes"][0], 60, None, True, "MB"),
        ],
    )


def fit_whole(name: str, file: str, seed: str) -> Result:
    """One estimator's fit with its defaults."""
    X = np.load(file)
    estimator = {"emlib": emlib.GaussianMixture, "scikit-learn": GaussianMixture}[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        estimator(5, max_iter=1).fit(X[:1000])  # what is imported late
        with Memory() as memory:
            began = perf_counter()
            gmm = estimator(5, random_state=int(seed)).fit(X)
            seconds = perf_counter() - began
    return {
        "seconds": seconds,
        "megabytes": memory.megabytes,
        "iterations": gmm.n_iter_,
        "log_likelihood": gmm.score(X),
    }


# Growth ---------------------------------------------------------------------------------------------


def growth(quick: bool = False) -> Table:
    """Time and memory of an iteration against N and against K; the rows are float32, and stay in their file."""
    with tempfile.TemporaryDirectory() as folder:
        return _growth(Path(folder) / "X.npy", 1_000_000 if quick else 10_000_000)


def _growth(file: Path, most: int) -> Table:
    D, K, rng = 8, 8, np.random.default_rng(2)
    truth = clusters(D, K, rng)
    X = np.lib.format.open_memmap(file, "w+", np.float32, (most, D))
    for first in range(0, most, 100_000):
        X[first : first + 100_000] = truth.sample(100_000, rng)[0]
    X.flush()
    X = np.load(file, mmap_mode="r")

    N = [n for n in (100_000, 300_000, 1_000_000, 3_000_000, 10_000_000) if n <= most]
    seconds = race({str(n): lambda n=n: ours(truth, X[:n]) for n in N}, steps=1, repeats=3)
    by_N = [seconds[str(n)][0] for n in N]
    Ks = [8, 16, 32, 64]
    few = np.array(X[:100_000], dtype=float)
    seconds = race({str(k): lambda k=k: ours(guess(k), few) for k in Ks}, steps=1, repeats=5)
    by_K = [seconds[str(k)][0] for k in Ks]
    memory_by_N = [child("rows", str(file), str(n), str(K))["megabytes"] for n in N]
    memory_by_K = [child("rows", str(file), str(N[0]), str(k))["megabytes"] for k in Ks]
    some = X[: N[2]]
    peer = race(
        {"emlib": lambda: ours(truth, some), "scikit-learn": lambda: scikit_learn(truth, some)}, 1, repeats=1
    )
    per_row = peer["scikit-learn"][0] / peer["emlib"][0]

    slopes = [float(np.polyfit(np.log(x), np.log(y), 1)[0]) for x, y in ((N, by_N), (Ks, by_K))]
    rows = [
        *_growth_rows("N", N, f"K={K}", by_N, memory_by_N),
        *_growth_rows("K", Ks, f"N={N[0]:,}", by_K, memory_by_K),
    ]
    return Table(
        "Growth",
        f"One iteration on float32 rows that stay in their file (np.memmap), D={D}, full covariances. Time grows as N "
        f"to the power {slopes[0]:.3f} and as K to the power {slopes[1]:.3f}; the most memory that an iteration takes. "
        f"scikit-learn takes {per_row:.3g} times as long on {N[2]:,} rows.",
        ["", "seconds", "microseconds per row", "MB"],
        rows,
        [
            Claim("growth with N: power", slopes[0], 1.1, None, True, ""),
            Claim("growth with K: power", slopes[1], 1.1, None, True, ""),
            Claim(f"memory of an iteration, N={most:,}", memory_by_N[-1], 60, None, True, "MB"),
            Claim("memory that grows with N", memory_by_N[-1] - memory_by_N[0], 10, None, True, "MB"),
        ],
    )


def _growth_rows(
    letter: str, values: list[int], fixed: str, seconds: list[float], megabytes: list[float]
) -> list[list[str]]:
    return [
        [
            f"{letter}={value:,}, {fixed}",
            f"{s:.3g}",
            f"{1e6 * s / (value if letter == 'N' else 100_000):.3f}",
            f"{mb:.1f}",
        ]
        for value, s, mb in zip(values, seconds, megabytes, strict=True)
    ]


def guess(K: int) -> Mixture:
    """K clusters anywhere: the time of an iteration hardly depends on where."""
    return clusters(8, K, np.random.default_rng(3))


def few_rows(file: str, N: str, K: str) -> Result:
    """Two iterations on the first rows of a file."""
    X = np.load(file, mmap_mode="r")[: int(N)]
    model = guess(int(K))
    list(islice(em(model, X[:1000]), 2))
    with Memory() as memory:
        list(islice(em(model, X), 3))
    return {"megabytes": memory.megabytes}


# Processes of their own -----------------------------------------------------------------------------


class Memory:
    """The most memory of its own that this process holds at a time within a `with`, in MB more than before."""

    def __enter__(self) -> Memory:
        self._before = self._most = self._now()
        self._done = Event()
        self._watch = Thread(target=self._look)
        self._watch.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._done.set()
        self._watch.join()
        self.megabytes = (self._most - self._before) / 1e6

    def _look(self) -> None:
        while not self._done.wait(1e-3):
            self._most = max(self._most, self._now())

    @staticmethod
    def _now() -> int:
        _, resident, of_files, *_ = map(int, Path("/proc/self/statm").read_text().split())
        return (resident - of_files) * os.sysconf("SC_PAGE_SIZE")


def child(*job: str) -> Result:
    """Do a job in a process of its own."""
    said = subprocess.run(
        [sys.executable, __file__, *job], check=True, stdout=subprocess.PIPE, text=True
    ).stdout
    return json.loads(said)


if __name__ == "__main__":
    JOBS: dict[str, Callable[..., Result]] = {"fit": fit_whole, "rows": few_rows}
    print(json.dumps(JOBS[sys.argv[1]](*sys.argv[2:])))
