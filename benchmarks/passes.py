"""How many passes over the data a converged fit takes, and how many with acceleration.

Where clusters overlap, EM needs hundreds of steps: there SQUAREM should need fewer, and end no lower.
"""

from __future__ import annotations

import warnings
from itertools import islice
from time import perf_counter

import numpy as np
from report import Claim, Table
from speed import clusters, scikit_learn

from emlib import Mixture, fit, start

TOL = 1e-8  # nats per point
N = 5000


# D, true K, fitted K, how far apart, structure
DATA = {
    "a line, 3 of 3, close": (1, 3, 3, 4.0, "full"),
    "the plane, 4 of 4, close": (2, 4, 4, 3.0, "full"),
    "the plane, 5 where there are 3": (2, 3, 5, 5.0, "full"),
    "8 dimensions, 6 of 6, tied": (8, 6, 6, 3.0, "tied"),
}


def measure(quick: bool = False) -> Table:
    """Fit with and without acceleration."""
    title = "Converged fits, plain and accelerated"
    rows, passes, seconds, shortfalls = [], [], [], []
    for what, (D, true_K, K, apart, structure) in list(DATA.items())[: 1 if quick else None]:
        rng = np.random.default_rng(4)
        X = clusters(D, true_K, rng, apart).sample(N, rng)[0]
        for number in range(3):
            model = start.from_data(X, K, np.random.default_rng(number), structure=structure)
            plain, fast = (converged(model, X, accelerate) for accelerate in (False, True))
            theirs = plain[0] * per_pass(model, X)
            passes.append(plain[0] / fast[0])
            seconds.append((plain[1], fast[1], theirs))
            shortfalls.append((plain[2] - fast[2]) / N)
            rows.append(
                [
                    f"{what}; start {number}",
                    f"{plain[0]}",
                    f"{fast[0]}",
                    *(f"{s:.2f}" for s in seconds[-1]),
                    f"{plain[2]:.6f}",
                    f"{fast[2] - plain[2]:+.1e}",
                    plain[3] if plain[3] == fast[3] else f"{plain[3]}, {fast[3]}",
                ]
            )
    _, fast_seconds, their_seconds = np.sum(seconds, axis=0)
    return Table(
        title,
        f"`fit` with tol={TOL:g} on {N:,} points, from several starts; passes are E-steps. scikit-learn's seconds are "
        "those of as many bare steps as plain EM takes. Log-likelihoods are totals, in nats. Where there are more "
        "components than clusters, the two may come to different limits.",
        [
            "",
            "passes",
            "accelerated",
            "seconds",
            "accelerated",
            "scikit-learn",
            "log-likelihood",
            "accelerated",
            "stop",
        ],
        rows,
        [
            Claim(
                "passes saved by acceleration", float(np.exp(np.mean(np.log(passes)))), 3, unit="times fewer"
            ),
            Claim("converged fits, against scikit-learn", their_seconds / fast_seconds, 10),
            Claim("likelihood lost by acceleration", max(shortfalls), 1e-7, None, True, "nats per point"),
        ],
    )


def converged(model: Mixture, X: np.ndarray, accelerate: bool) -> tuple[int, float, float, str]:
    """Passes, seconds, the log-likelihood and the reason for stopping."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        began = perf_counter()
        trace = fit(model, X, tol=TOL, max_iter=20_000, keep="values", accelerate=accelerate)
    return trace.stop.n_iter + 1, perf_counter() - began, trace.objectives.max(), trace.stop.reason


def per_pass(model: Mixture, X: np.ndarray) -> float:
    """Seconds of one step of scikit-learn's."""
    running = scikit_learn(model, X)
    next(running)
    began = perf_counter()
    list(islice(running, 50))
    return (perf_counter() - began) / 50
