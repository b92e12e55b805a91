"""Likelihood ratios of Old Faithful, K components against K + 1, and those that chance alone makes.

python notebooks/studies/ratios.py     writes ratios.csv beside itself; some ten minutes on one core

Each test is `select.bootstrap_ratio` with the seed 0 and the settings below. Sample number b has a generator of its
own, so a test with a smaller B has the same first ratios: that is how tests/test_study_ratios.py checks the table.
"""

import csv
from pathlib import Path

import numpy as np

from emlib import datasets, select

TABLE = Path(__file__).with_suffix(".csv")
TESTS = {  # structure, K: how many samples
    ("tied", 1): 499,
    ("tied", 2): 299,
    ("tied", 3): 299,
    ("full", 1): 299,
    ("full", 2): 199,
}


def bootstrapped(structure, K, B, progress=False):
    """One test. With tied covariances the likelihood has a bound, and needs no floor."""
    floor = 0.0 if structure == "tied" else "auto"
    X, rng = datasets.old_faithful().X, np.random.default_rng(0)
    return select.bootstrap_ratio(X, K, rng, structure=structure, B=B, floor=floor, progress=progress)


if __name__ == "__main__":
    with TABLE.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["structure", "K", "sample", "ratio"])  # sample 0 is the data
        for (structure, K), B in TESTS.items():
            found = bootstrapped(structure, K, B, progress=True)
            print(found)
            for number, ratio in enumerate([found.observed, *found.simulated]):
                writer.writerow([structure, K, number, f"{ratio:.4f}"])
