"""Many rows: time and memory of a pass by N, and what a second process is worth. `make bench-scale`.

Writes its own part of results.md, below the line that `report.MARK` draws, and scale.svg.

python benchmarks/scale.py               from 1e4 to 1e7 rows, some minutes; needs 400 MB of disk
python benchmarks/scale.py 100_000_000   up to so many rows; 32 bytes of disk each
python benchmarks/scale.py --quick       up to 1e6 rows; printed, not kept
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from statistics import median
from time import perf_counter, process_time, sleep

# Threads would only blur the comparison; NumPy must know before it is loaded.
os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")

import matplotlib.pyplot as plt
import numpy as np
import single
from matplotlib.figure import Figure
from report import Claim, Table, behind, machine, race, write
from size import Memory, Result
from speed import clusters, ours, scikit_learn

from emlib import Blocks, Mixture, Step, em, plot, scale

HERE = Path(__file__).resolve().parent
D = K = 8
PEER_FITS = 1_000_000  # rows for which scikit-learn's (N, K) tables still fit


def data(file: Path, most: int) -> np.ndarray:
    """Rows of float32 in a file, and the mixture they come from."""
    rng, truth = np.random.default_rng(2), the_truth()
    X = np.lib.format.open_memmap(file, "w+", np.float32, (most, D))
    for first in range(0, most, 100_000):
        X[first : first + 100_000] = truth.sample(min(100_000, most - first), rng)[0]
    X.flush()
    return np.load(file, mmap_mode="r")


def the_truth() -> Mixture:
    """Eight overlapping Gaussians in eight dimensions."""
    return clusters(D, K, np.random.default_rng(3))


class Parts:
    """The rows of a file in blocks, read anew at every walk: nothing is mapped."""

    def __init__(self, file: Path, n: int, rows: int = 1_000_000) -> None:
        self.file, self.n, self.rows = file, n, rows

    def __iter__(self) -> Iterator[np.ndarray]:
        with self.file.open("rb") as file:
            np.lib.format.read_magic(file)
            np.lib.format.read_array_header_1_0(file)
            for first in range(0, self.n, self.rows):
                rows = min(self.rows, self.n - first)
                yield np.fromfile(file, np.float32, rows * D).reshape(rows, D)


# Growth -----------------------------------------------------------------------------------------------


def growth(file: Path, X: np.ndarray, sizes: list[int]) -> tuple[Table, Figure]:
    """Time and memory of a pass against N."""
    truth, rows = the_truth(), []
    mapped = race(
        {str(n): lambda n=n: ours(truth, X[:n]) for n in sizes}, steps=1, repeats=3, clock=process_time
    )
    walked = race(
        {str(n): lambda n=n: ours(truth, Parts(file, n)) for n in sizes},
        steps=1,
        repeats=3,
        clock=process_time,
    )
    peers = [n for n in sizes if n <= PEER_FITS]
    peer = race(
        {str(n): lambda n=n: scikit_learn(truth, X[:n]) for n in peers},
        steps=1,
        repeats=3,
        clock=process_time,
    )
    memory = {how: [child(how, file, n) for n in sizes] for how in ("mapped", "walked")}
    memory["scikit-learn"] = [child("scikit-learn", file, n) for n in peers]
    seconds = {
        how: [found[str(n)][0] for n in ns]
        for how, found, ns in (
            ("mapped", mapped, sizes),
            ("walked", walked, sizes),
            ("scikit-learn", peer, peers),
        )
    }
    for i, n in enumerate(sizes):
        theirs = (
            [f"{seconds['scikit-learn'][i]:.3g}", f"{memory['scikit-learn'][i]:.0f}"]
            if n in peers
            else ["", ""]
        )
        per_row = 1e6 * seconds["mapped"][i] / n
        own = [f"{seconds[how][i]:.3g}" for how in ("mapped", "walked")]
        own += [f"{memory[how][i]:.1f}" for how in ("mapped", "walked")]
        rows.append([f"{n:,}", own[0], f"{per_row:.3f}", own[2], own[1], own[3], *theirs])
    large = [i for i, n in enumerate(sizes) if n >= 100_000]
    slope = float(
        np.polyfit(np.log([sizes[i] for i in large]), np.log([seconds["mapped"][i] for i in large]), 1)[0]
    )
    most = max(memory["mapped"])
    table = Table(
        "At scale: a pass by N",
        f"One iteration (E and M) on float32 rows in a file, D={D}, K={K}, full covariances; seconds of processor time "
        "on one core, so that what else the machine did hardly counts; medians of three. *Mapped*: np.memmap in one "
        "block; *walked*: read from the file a million rows at a time, by an iterable of blocks. Memory is what the "
        "process holds of its own beyond what it held before; pages of a mapped file are the system's, which takes "
        f"them back when it needs them. From 1e5 rows on time grows as N to the power {slope:.3f}. scikit-learn is "
        "timed as bare E and M steps, where its tables of N by K fit.",
        [
            "N",
            "mapped: seconds",
            "microseconds per row",
            "MB",
            "walked: seconds",
            "MB",
            "scikit-learn: seconds",
            "MB",
        ],
        rows,
        [
            Claim("growth with N: power above 1", abs(slope - 1), 0.1, None, True, ""),
            Claim(f"memory of a pass over a memory map of {sizes[-1]:,} rows", most, 60, None, True, "MB"),
            Claim("the same, walked", max(memory["walked"]), 150, None, True, "MB"),
        ],
    )
    return table, picture(sizes, seconds, memory)


def picture(sizes: list[int], seconds: dict[str, list[float]], memory: dict[str, list[float]]) -> Figure:
    """Time and memory against N, both axes in logarithms."""
    plot.style()
    figure, axes = plt.subplots(1, 2, figsize=(10, 4))
    for number, how in enumerate(("mapped", "walked", "scikit-learn")):
        for ax, values in zip(axes, (seconds[how], memory[how]), strict=True):
            style = {"color": plot.COLOURS[number], "marker": "osD"[number], "label": how}
            ax.loglog(sizes[: len(values)], np.maximum(values, 0.1 if ax is axes[1] else 0), **style)
    axes[0].set_ylabel("seconds for a pass")
    axes[1].set_ylabel("own memory, MB")
    for ax in axes:
        ax.set_xlabel("rows")
    axes[0].legend()
    return figure


def child(how: str, file: Path, n: int) -> float:
    """The memory that two iterations take, in MB, in a process of its own."""
    command = [sys.executable, __file__, "--child", how, str(file), str(n)]
    said = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    return json.loads(said)["megabytes"]


def job(how: str, file: str, n: str) -> Result:
    """What such a process does."""
    X, N, truth = np.load(file, mmap_mode="r"), int(n), the_truth()
    sides = {
        "mapped": lambda n: ours(truth, X[:n]),
        "walked": lambda n: ours(truth, Parts(Path(file), n)),
        "scikit-learn": lambda n: scikit_learn(truth, X[:n]),
    }
    list(islice(sides[how](1000), 2))  # what is imported late
    with Memory() as memory:
        list(islice(sides[how](N), 2))
    return {"megabytes": memory.megabytes}


# Dask ---------------------------------------------------------------------------------------------------


def passes(blocks: object, n: int) -> tuple[float, float, Step[Mixture]]:
    """Seconds for each of n iterations, the first pass left out, by the clock and by processor; and the last step."""
    running = em(the_truth(), blocks)
    next(running)
    busy, began = processor_seconds(blocks), perf_counter()
    *_, last = islice(running, n)
    seconds = perf_counter() - began
    return seconds / n, (processor_seconds(blocks) - busy) / n, last


def processor_seconds(blocks: object) -> float:
    """What this process, or all workers, have used of their processors so far: noise from others hardly counts."""
    client = getattr(blocks, "client", None)
    return process_time() if client is None else sum(client.run(process_time).values())


def waits(block: object, weights: object) -> None:
    """A block that takes a tenth of a second, and no processor."""
    sleep(0.1)


def handed_out(blocks: Blocks, repeats: int) -> float:
    """How many times as fast blocks go that only wait: what handing them out leaves of two workers."""
    found = []
    for _ in range(repeats):
        began = perf_counter()
        n = len(list(blocks.each(waits)))
        found.append(0.1 * n / (perf_counter() - began))
    return median(found)


def dask(X: np.ndarray, rows: int = 1_000_000, n_passes: int = 3, repeats: int = 5) -> Table:
    """The same blocks in this process, with one worker, and with two."""
    parts = [X[first : first + rows] for first in range(0, len(X), rows)]
    seconds: dict[str, list[float]] = {"this process": [], "one worker": [], "two workers": []}
    ends, busy = {}, {name: [] for name in seconds}
    with scale.on_dask(X, client=1, rows=rows) as one, scale.on_dask(X, client=2, rows=rows) as two:
        sides = {"this process": parts, "one worker": one, "two workers": two}
        for _ in range(repeats):
            for name, blocks in sides.items():
                found, used, ends[name] = passes(blocks, n_passes)
                seconds[name].append(found)
                busy[name].append(used)
        waited = handed_out(two, repeats)
        workers = set(two.client.scheduler_info(n_workers=-1)["workers"])
        logs = two.client.run(
            lambda dask_worker: [entry["who"] for entry in dask_worker.transfer_outgoing_log]
        )
        between = sum(who in workers for log in logs.values() for who in log)
    alike = all(end.model == ends["this process"].model for end in ends.values())
    alike = alike and len({end.objective for end in ends.values()}) == 1
    alone = seconds["this process"]
    pairs = {name: [a / b for a, b in zip(alone, found, strict=True)] for name, found in seconds.items()}
    speed_up, numbers = median(pairs["two workers"]), K * (D * D + 3 * D + 2) // 2
    by_processor = 2 * median(busy["this process"]) / median(busy["two workers"])
    table_rows = [
        [
            name,
            f"{median(found):.3g}",
            f"{min(found):.3g}",
            f"{median(pairs[name]):.2f}",
            f"{median(busy[name]):.3g}",
        ]
        for name, found in seconds.items()
    ]
    return Table(
        "At scale: Dask",
        f"{len(X):,} rows in a file, in blocks of {rows:,}; seconds for an iteration, the first pass (which checks) "
        f"left out; {repeats} rounds of {n_passes} iterations, in turns, each worker one process on one thread; times "
        "as fast are medians of the rounds' own ratios. Processor seconds are those of all workers for a pass: they "
        "hardly depend on what else the machine does, which the other times do. By them alone two workers, each with "
        f"a core of its own, would be {by_processor:.2f} times as fast. Blocks that only wait a tenth of a second, and "
        f"so tell what it costs to hand blocks out, go {waited:.2f} times as fast. After {n_passes} iterations model "
        f"and objective are {'bit for bit the same' if alike else 'NOT THE SAME'} in all three. Between workers "
        f"{between} pieces of data went; for each block {numbers:,} numbers come back, {8 * numbers / 1e3:.1f} kB, "
        f"where the block has {X.itemsize * rows * D / 1e6:.0f} MB.",
        ["", "seconds, median", "least", "times as fast", "processor seconds"],
        table_rows,
        [
            Claim("two Dask workers", speed_up, 1.75, 1.9),
            Claim("answers that differ", float(not alike), 0, None, True, ""),
            Claim("pieces of data between workers", between, 0, None, True, ""),
        ],
    )


def main() -> None:
    """Run, print, and keep it."""
    quick, given = "--quick" in sys.argv, [int(word) for word in sys.argv[1:] if word[0].isdigit()]
    most = 1_000_000 if quick else max([10_000_000, *given])
    sizes = [n for n in (10**4, 10**5, 10**6, 10**7, 10**8, 10**9) if n < most] + [most]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "X.npy"
        X = data(file, most)
        tables, figure = [None, None], None
        tables[0], figure = growth(file, X, sizes)
        print(f"{tables[0]}\n", flush=True)
        tables[1] = dask(X[:10_000_000], rows=100_000 if quick else 1_000_000)
        print(f"{tables[1]}\n", flush=True)
    tables.append(single.measure())
    print(f"{tables[2]}\n", flush=True)
    claims = [claim for table in tables for claim in table.claims]
    print(behind(claims))
    if quick:
        return
    figure.savefig(HERE / "scale.svg", metadata={"Date": None})
    load = os.getloadavg()[2]
    about = (
        "This part is written by `make bench-scale`. While it was measured other programs ran on the machine, too (in "
        f"its last quarter of an hour {load:.1f} wanted to run at a time, these among them)."
    )
    drawn = "![Seconds and memory of a pass against the number of rows, both in logarithms](scale.svg)"
    write(
        HERE / "results.md",
        "\n\n".join([f"{about} {machine()} {behind(claims)}", drawn, *map(str, tables)]),
        True,
    )


if __name__ == "__main__":
    if "--child" in sys.argv:
        print(json.dumps(job(*sys.argv[2:])))
    else:
        main()
