"""The last exercise of lesson 5: one of the eight wrong programs, mended."""

from __future__ import annotations

import numpy as np

from emlib.validate import Array
from exercises.exercise import Exercise, Mistake, Part


def _two(x: Array, resp: Array) -> tuple[Array, Array, Array]:
    counts = resp.sum(axis=0)
    means = resp.T @ x / counts
    return counts, means, (resp * (x[:, None] - means) ** 2).sum(axis=0) / counts


def _about(x: Array, resp: Array, centres: Array) -> Array:
    return (resp * (x[:, None] - centres) ** 2).sum(axis=0) / resp.sum(axis=0)


mended_m_step = Exercise(
    name="mended_m_step",
    arguments=("x", "gamma", "psi", "mu", "s2"),
    cases=[
        (
            np.array([51.0, 79.0, 55.0, 88.0, 62.0]),
            np.array([[0.9, 0.1], [0.2, 0.8], [0.85, 0.15], [0.05, 0.95], [0.6, 0.4]]),
            0.4,
            np.array([57.0, 76.0]),
            np.array([90.0, 45.0]),
        ),
        (
            np.array([0.4, 1.1, 3.0]),
            np.array([[0.7, 0.3], [0.5, 0.5], [0.25, 0.75]]),
            0.6,
            np.array([1.5, 2.0]),
            np.array([1.2, 0.4]),
        ),
    ],
    praise="hand it to the program as `suspects[letter].but(m_step=mended_m_step)`, and examine that.",
    parts=[
        Part(
            "psi",
            "one number: the weight of the first component",
            lambda x, r, psi, mu, s2: np.array(r[:, 0].mean()),
            mistakes=[
                Mistake(
                    lambda x, r, psi, mu, s2: r[:, 1].mean(),
                    "this is the share of the second component; psi is the first one's",
                ),
                Mistake(lambda x, r, psi, mu, s2: psi, "this is the old psi; work out the new share"),
            ],
        ),
        Part(
            "mu",
            "(2,): one mean for each component",
            lambda x, r, psi, mu, s2: _two(x, r)[1],
            mistakes=[
                Mistake(lambda x, r, psi, mu, s2: mu, "these are the old means"),
                Mistake(
                    lambda x, r, psi, mu, s2: r.T @ x / len(x),
                    "divided by N; each component has its own count",
                ),
            ],
        ),
        Part(
            "s2",
            "(2,): one variance for each component",
            lambda x, r, psi, mu, s2: _two(x, r)[2],
            mistakes=[
                Mistake(
                    lambda x, r, psi, mu, s2: _about(x, r, mu),
                    "about the old mean still. That is larger by the square of the way the mean has gone: take the "
                    "distance from the new one, or subtract that square",
                ),
                Mistake(
                    lambda x, r, psi, mu, s2: _about(x, r, mu) + (_two(x, r)[1] - mu) ** 2,
                    "the correction has the wrong sign: about any other place the mean square is larger, so subtract",
                ),
                Mistake(lambda x, r, psi, mu, s2: s2, "these are the old variances: an update never stored"),
                Mistake(
                    lambda x, r, psi, mu, s2: np.sqrt(_two(x, r)[2]),
                    "these are standard deviations; s2 is a variance",
                ),
                Mistake(
                    lambda x, r, psi, mu, s2: _two(x, r)[2] * r.sum(axis=0) / (r.sum(axis=0) - 1),
                    "divided by N_k - 1; the maximum of the likelihood has N_k",
                ),
                Mistake(
                    lambda x, r, psi, mu, s2: _about(x, r, x.mean()),
                    "about the mean of all points; each component has a mean of its own",
                ),
            ],
        ),
    ],
)
