"""All benchmarks: `make bench`, on a machine that does nothing else. Writes results.md and results.svg.

python benchmarks/run.py               everything, some minutes
python benchmarks/run.py --quick       small data only; printed, not kept
python benchmarks/run.py speed peers   only these; printed, not kept
"""

import os
import sys
from pathlib import Path

# Threads would only blur the comparison; NumPy must know before it is loaded.
os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")

import passes
import peers
import report
import response
import size
import speed
import sweep
import waits

from emlib import plot

HERE = Path(__file__).resolve().parent
PARTS = {
    "speed": speed.measure,
    "sweep": sweep.measure,
    "waits": waits.measure,
    "passes": passes.measure,
    "whole": size.whole_fit,
    "growth": size.growth,
    "peers": peers.measure,
    "response": lambda quick: response.measure(),
}


def main() -> None:
    """Run, print, and keep it if it was everything."""
    quick, chosen = "--quick" in sys.argv, [name for name in sys.argv[1:] if name != "--quick"]
    tables: list[report.Table] = []
    for name, measure in PARTS.items():
        if name in chosen or not (chosen or (quick and name == "response")):
            tables.append(measure(quick))
            print(f"{tables[-1]}\n", flush=True)
    claims = [claim for table in tables for claim in table.claims]
    behind = f"## What is behind\n\n{report.behind(claims)}"
    print(behind)
    if quick or chosen:
        return
    figure = "![How many times as fast, with the floor and the goal of each](results.svg)"
    head = f"# Benchmarks\n\nWritten by `make bench`. {report.machine()}"
    report.write(HERE / "results.md", "\n\n".join([head, figure, behind, *map(str, tables)]))
    plot.style()
    drawn = report.picture([claim for claim in claims if claim.unit.startswith("times") and not claim.limit])
    drawn.savefig(HERE / "results.svg", metadata={"Date": None})


if __name__ == "__main__":
    main()
