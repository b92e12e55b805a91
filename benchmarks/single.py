"""What float32 arithmetic would save, and what it would cost: the fused step of kernels.py in both, side by side."""

from __future__ import annotations

from statistics import median
from time import process_time
from typing import Any

import numpy as np
from report import Table
from speed import clusters

from emlib import Mixture, kernels

WORK = [(2, 3, 1_000_000), (8, 8, 1_000_000), (32, 16, 200_000)]  # D, K, N
ROUNDS = 5


def step(model: Mixture, X: np.ndarray, kind: type[Any]) -> tuple[float, Mixture, float]:
    """The log-likelihood, the next model, and how far rounding may move a log-density, in arithmetic of one kind."""
    form = model.components.linear(np.log(model.weights), X)
    theta, shift, D = form.theta.astype(kind), form.shift.astype(kind), X.shape[1]
    K, P = theta.shape
    rows = kernels.block_size(P + D + 2 * K) * 8 // np.dtype(kind).itemsize  # as many bytes in both
    room, sums, log_likelihood, reach = np.empty((P, rows), kind), np.zeros((K, P)), 0.0, np.zeros(D)
    for first in range(0, len(X), rows):
        some = X[first : first + rows]
        phi = room[:, : len(some)]
        x = np.subtract(some.T, shift[:, None], out=phi[-1 - D : -1])
        np.maximum(reach, np.abs(x).max(axis=1), out=reach)
        form.products(x, phi[: -1 - D])
        phi[-1] = 1
        logits = theta @ phi
        top = logits.max(axis=0)
        logits -= top
        np.maximum(logits, np.log(np.finfo(kind).tiny) + 8, out=logits)
        np.exp(logits, out=logits)
        total = logits.sum(axis=0)
        logits /= total
        log_likelihood += float((np.log(total) + top).sum(dtype=float))
        sums += logits @ phi.T  # added in float64 in both
    farthest = np.ones((P, 1))
    farthest[-1 - D : -1, 0] = reach
    form.products(farthest[-1 - D : -1], farthest[: -1 - D])
    bound = 10 * np.finfo(kind).eps * float((np.abs(form.theta) @ farthest).max())
    counts = sums[:, -1].copy()
    return (
        log_likelihood,
        model.with_parts(counts / counts.sum(), model.components.maximize(form.gather(sums))),
        bound,
    )


def measure() -> Table:
    """Time and digits."""
    rows = []
    for D, K, N in WORK:
        rng = np.random.default_rng(0)
        truth = clusters(D, K, rng)
        X = truth.sample(N, rng)[0].astype(np.float32)
        seconds: dict[Any, list[float]] = {np.float64: [], np.float32: []}
        found = {}
        for _ in range(ROUNDS):
            for kind, times in seconds.items():
                began = process_time()
                found[kind] = step(truth, X, kind)
                times.append(process_time() - began)
        (exact, wide, _), (rough, narrow, bound) = found[np.float64], found[np.float32]
        parts, others = wide.components, narrow.components
        rows.append(
            [
                f"D={D}, K={K}, N={N:,}",
                *(f"{1e3 * median(times):.0f}" for times in seconds.values()),
                f"{abs(exact - rough) / N:.0e}",
                f"{np.abs(parts.matrices - others.matrices).max() / np.abs(parts.matrices).max():.0e}",
                f"{bound:.0e}",
            ]
        )
    return Table(
        "At scale: why not float32",
        "One fused step on float32 data, in float64 arithmetic (as emlib does it) and in float32, sums of blocks in "
        f"float64 in both. Milliseconds of processor time, medians of {ROUNDS}. Then what float32 costs: the "
        "log-likelihood, in nats per point; the covariances, relative to the largest; and the rounding error of a "
        "log-density that could be promised, in nats, where a fit stops at gains of 1e-6.",
        ["", "float64", "float32", "log-likelihood", "covariances", "promised"],
        rows,
    )
