"""How often AIC, BIC, ICL and cross-validation choose the true number of components.

python notebooks/studies/how_many.py     writes how_many.csv beside itself; some ten minutes on one core

Data: N points on a line from K = 3 components of equal weight. Their means lie at -d, 0 and d, their standard
deviation is 1, so d says how far neighbours are apart. "gaussian" components are Gaussians; "skewed" ones are gamma
distributions of shape 4 with the same mean and variance, so that no mixture of Gaussians is the truth. Every value is
rounded to a tenth: then equal values can be counted together, and 5,000 points cost no more than 200.

Fits: Gaussians of one common variance ("tied"), K = 1 ... 6, plain EM from three starts for the criteria and from two
for each of five folds. A start has its means at evenly spaced quantiles, or at points drawn at random. A fit ends when
25 steps have gained less than 0.002 nats in all, or after 1,500. tests/test_study_how_many.py compares it with emlib.

Table: for each shape, d, N and criterion how many of 100 replicates chose K = 1, 2, ... 6. Each replicate has a seed
of its own, made of its shape, d, N and number: any part can be computed again alone.
"""

import csv
from itertools import product
from pathlib import Path

import numpy as np

TABLE = Path(__file__).with_suffix(".csv")
REPLICATES = 100
KS = range(1, 7)
FOLDS = 5
STEP = 0.1  # values are rounded to this
SIZES = [50, 100, 200, 500, 1000, 2000]
CELLS = [
    *product(["gaussian"], [2, 2.5, 3, 4, 5], SIZES),
    *product(["skewed"], [5], [*SIZES, 5000]),
]
CRITERIA = ["aic", "bic", "icl", "held_out"]
CHUNK = 64  # fits at a time: what fits into a processor's cache


def sample(shape, d, N, replicate):
    """N points, rounded, the fold of each, and the generator for the starts."""
    rng = np.random.default_rng([["gaussian", "skewed"].index(shape), round(10 * d), N, replicate])
    means = d * rng.integers(-1, 2, size=N)
    noise = rng.standard_normal(N) if shape == "gaussian" else rng.gamma(4, size=N) / 2 - 2
    return np.round((means + noise) / STEP) * STEP, rng.permutation(np.arange(N) % FOLDS), rng


def starts(x, K, n, rng):
    """Weights, means and variances of n starts, (n, K), (n, K), (n,)."""
    means = [np.quantile(x, (np.arange(K) + 0.5) / K)]
    means += [rng.choice(np.unique(x), size=K, replace=False) for _ in range(n - 1)]
    return np.full((n, K), 1 / K), np.array(means), np.full(n, x.var() / K**2)


def expect(grid, weights, means, variances):
    """Log-densities (B, G) and responsibilities (B, K, G) of B mixtures at the values of a grid (G,)."""
    with np.errstate(divide="ignore"):
        levels = np.log(weights) - means**2 / (2 * variances[:, None])
    joint = (means / variances[:, None])[:, :, None] * grid
    joint += levels[:, :, None]
    top = joint.max(axis=1)
    joint -= top[:, None]
    np.exp(joint, out=joint)
    total = joint.sum(axis=1)
    joint /= total[:, None]
    rest = grid**2 / (2 * variances[:, None]) + 0.5 * np.log(2 * np.pi * variances)[:, None]
    return np.log(total) + top - rest, joint


def em(grid, counts, parameters):
    """Fit B mixtures at once, each to its own counts (B, G) of the values; return weights, means and variances."""
    done = [np.array(part) for part in parameters]
    going = np.arange(len(counts))
    now, before = [part.copy() for part in done], np.full(len(counts), -np.inf)
    n, squares = counts.sum(axis=1), counts @ grid**2
    for step in range(1500):
        log_density, resp = expect(grid, *now)
        if step % 25 == 0:
            reached = np.einsum("bg,bg->b", counts[going], log_density)
            for part, new in zip(done, now, strict=True):
                part[going] = new
            open_ = reached - before[going] > 0.002
            before[going] = reached
            going, resp = going[open_], resp[open_]
            if not len(going):
                break
        resp *= counts[going][:, None]
        mass = np.maximum(resp.sum(axis=2), 1e-300)
        means = resp @ grid / mass
        variances = (squares[going] - (mass * means**2).sum(axis=1)) / n[going]
        now = [mass / n[going][:, None], means, np.maximum(variances, 1e-6)]
    else:
        for part, new in zip(done, now, strict=True):
            part[going] = new
    return done


def fitted(grid, counts, parameters):
    """`em`, some at a time."""
    pieces = [slice(i, i + CHUNK) for i in range(0, len(counts), CHUNK)]
    found = [em(grid, counts[some], [part[some] for part in parameters]) for some in pieces]
    return [np.concatenate(parts) for parts in zip(*found, strict=True)]


def best(grid, counts, parameters, n):
    """The best of each n fits in turn, with its log-likelihood."""
    found = fitted(grid, np.repeat(counts, n, axis=0), parameters)
    reached = (np.repeat(counts, n, axis=0) * expect(grid, *found)[0]).sum(axis=1).reshape(-1, n)
    first = reached.argmax(axis=1) + n * np.arange(len(counts))
    return [part[first] for part in found], reached.max(axis=1)


def together(some):
    return [np.concatenate(parts) for parts in zip(*some, strict=True)]


def scores(shape, d, N, replicates):
    """Every criterion for every K, smaller is better: a dictionary of arrays (R, 6)."""
    samples = [sample(shape, d, N, replicate) for replicate in replicates]
    low, high = min(x.min() for x, *_ in samples), max(x.max() for x, *_ in samples)
    grid = np.round(np.arange(round(low / STEP), round(high / STEP) + 1) * STEP, 1)

    def histogram(x):
        return np.bincount(np.round((x - grid[0]) / STEP).astype(int), minlength=len(grid)).astype(float)

    whole = np.array([histogram(x) for x, *_ in samples])
    folds = np.array([histogram(x[fold == f]) for x, fold, _ in samples for f in range(FOLDS)])
    seen = np.repeat(whole, FOLDS, axis=0) - folds
    table = {name: np.zeros((len(samples), len(KS))) for name in CRITERIA}
    for column, K in enumerate(KS):
        n = 1 if K == 1 else 3
        model, reached = best(grid, whole, together([starts(x, K, n, rng) for x, _, rng in samples]), n)
        doubt = -(whole * np.log(expect(grid, *model)[1].max(axis=1))).sum(axis=1)
        p = 2 * K  # K - 1 weights, K means, one variance
        table["aic"][:, column] = 2 * p - 2 * reached
        table["bic"][:, column] = p * np.log(N) - 2 * reached
        table["icl"][:, column] = p * np.log(N) - 2 * reached + 2 * doubt
        n = min(n, 2)
        begin = [starts(x[fold != f], K, n, rng) for x, fold, rng in samples for f in range(FOLDS)]
        model, _ = best(grid, seen, together(begin), n)
        unseen = (folds * expect(grid, *model)[0]).sum(axis=1) / folds.sum(axis=1)
        table["held_out"][:, column] = -unseen.reshape(-1, FOLDS).mean(axis=1)
    return table


def rows(shape, d, N, replicates=range(REPLICATES)):
    """The rows of the table for one cell."""
    for name, values in scores(shape, d, N, replicates).items():
        chosen = np.bincount(values.argmin(axis=1), minlength=len(KS))
        yield [shape, d, N, name, *(int(count) for count in chosen)]


if __name__ == "__main__":
    from threadpoolctl import threadpool_limits
    from tqdm import tqdm

    with threadpool_limits(1), TABLE.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["shape", "d", "N", "criterion", *(f"K{K}" for K in KS)])
        for cell in tqdm(CELLS, unit="cell"):
            writer.writerows(rows(*cell))
