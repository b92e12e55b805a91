"""Online EM: a model that learns from a stream, batch by batch, and keeps none of it.

`Online` is the state between two batches. `mini_batches` draws batches from data that are there.

Batch EM maximizes the sum of what it expects of all data. Online EM maximizes a decaying average of what it expects of
batch after batch: average <- (1 - step) average + step expect(batch) / points. With steps t^-power, 1/2 < power <= 1,
it comes to rest where batch EM on ever more data would (Cappé & Moulines 2009).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Generic, Self

import numpy as np

from emlib import validate
from emlib.blocks import Blocks
from emlib.em import Collapse, M, Model, Statistics, opened
from emlib.value import Value


@dataclass(frozen=True)
class Online(Value, Generic[M]):
    """A model that learns from a stream, and the decaying average of statistics that it learns by.

    It is immutable: `learn` returns a new one.

    Parameters
    ----------
    model : Model
        Where to start, or what has been learned so far.
    power : float
        Batch t moves the average by t^-power. Above 1/2, or the average would never come to rest; at most 1, or it
        would come to rest too early. Near 1/2 the start is forgotten soon, and the end is noisy; with 1 the average
        is that of all batches alike, the first and worst ones included.
    wait : int, optional
        How many points to see before the first M-step; by default twice as many as the model has free parameters.

    Attributes
    ----------
    average : Statistics or None
        Of one point, on average.
    n_batches : int
    n_points : float
        How many points it has seen, or the sum of their weights.
    log_likelihood : float
        Of the latest batch, in nats per point, under the model that had not yet seen it; nan before the first.

    Raises
    ------
    ValueError
        For a power that is not above 1/2 and at most 1, and for a model that is none.

    References
    ----------
    Cappé & Moulines (2009), On-line expectation-maximization algorithm for latent data models.

    Examples
    --------
    >>> import numpy as np
    >>> from emlib import Gaussian, Mixture, Online
    >>> rng, state = np.random.default_rng(0), Online(Mixture([0.5, 0.5], Gaussian.univariate([-1, 1], [9, 9])))
    >>> for _ in range(200):
    ...     labels = rng.random((100, 1)) < 0.3
    ...     state = state.learn(rng.normal(np.where(labels, -5, 5)))
    >>> state.model.weights.round(1), state.model.components.means.ravel().round(1)
    (array([0.3, 0.7]), array([-5.,  5.]))
    """

    model: M
    power: float = 0.6
    wait: int | None = None
    average: Statistics | None = None
    n_batches: int = 0
    n_points: float = 0.0
    log_likelihood: float = float("nan")

    def __post_init__(self) -> None:
        validate.kind("model", self.model, Model, ", such as a Mixture: the start")
        if not 0.5 < validate.number("power", self.power) <= 1:
            raise ValueError(
                f"power is {self.power}; it must be above 0.5, or the steps t^-power are too long for the average to "
                "come to rest, and at most 1, or they are too short for it to forget the start"
            )
        if self.wait is not None:
            validate.count("wait", self.wait, least=0)

    @property
    def step(self) -> float:
        """How far the next batch will move the average: a share between 0 and 1."""
        return float((self.n_batches + 1) ** -self.power)

    @property
    def smoothed(self) -> float:
        """Mean log-likelihood of the latest batches, in nats per point, as the average has it; nan before the first."""
        return float("nan") if self.average is None else self.average.log_likelihood

    def learn(self, batch: Any, weights: Any = None) -> Self:
        """The state after one batch more.

        Parameters
        ----------
        batch : array, or data of any kind that `fit` takes
            For a mixture (N, D). It need not be large, but its size should stay about the same: each batch counts
            as much as the others of its time.
        weights : array_like (N,), optional
            The weight of every point.

        Raises
        ------
        ValueError
            For data that the model cannot use.
        Collapse
            (A ValueError.) If a component is left with too few points. Larger batches help, or a floor, or a prior.
        """
        statistics = opened(self.model, batch, weights).sum(self.model.e_step)
        of_one = statistics * (1 / statistics.n_points)
        average = of_one if self.average is None else self.average * (1 - self.step) + of_one * self.step
        n_points, model = self.n_points + statistics.n_points, self.model
        if n_points >= (2 * model.n_parameters if self.wait is None else self.wait):
            try:
                # As many as have been seen, so that a prior's points count for less and less.
                model = model.maximize(average * n_points)
            except Collapse as error:
                raise Collapse(
                    f"{error} (in batch {self.n_batches}: try larger batches, a longer wait, a floor or a prior)"
                ) from error
        return replace(
            self,
            model=model,
            average=average,
            n_batches=self.n_batches + 1,
            n_points=n_points,
            log_likelihood=of_one.log_likelihood,
        )


def mini_batches(
    X: Any, size: int, rng: np.random.Generator, n_batches: int, weights: Any = None
) -> Iterator[tuple[np.ndarray, np.ndarray | None]]:
    """Batches of rows drawn at random, with replacement, for `Online.learn`.

    Parameters
    ----------
    X : array_like (N, D), memory map, or list of blocks
    size : int
        Rows a batch.
    rng : numpy.random.Generator
    n_batches : int
    weights : array_like (N,), or list of such arrays, optional

    Yields
    ------
    batch : array (size, D)
        In float64.
    weights : array (size,) or None

    Raises
    ------
    ValueError
        For data that are walked or on a cluster, where each batch would cost a pass: there the blocks are batches.

    Examples
    --------
    >>> import numpy as np
    >>> from emlib import Online, datasets, start
    >>> from emlib.online import mini_batches
    >>> X, rng = datasets.three_clusters().X, np.random.default_rng(0)
    >>> state = Online(start.k_means(X, 3, rng))
    >>> for batch, weights in mini_batches(X, 30, rng, n_batches=50):
    ...     state = state.learn(batch, weights)
    >>> state.n_points
    1500.0
    """
    size, n_batches = validate.count("size", size), validate.count("n_batches", n_batches)
    rng = validate.generator(rng)
    blocks = Blocks.of(X, weights)
    if not isinstance(blocks.pairs, list):
        raise ValueError(
            "X is walked, or on a cluster, so that each batch would cost a pass over all rows: learn from its blocks"
        )
    blocks = blocks.checked(validate.table)
    return (blocks.rows(np.sort(rng.integers(blocks.n_counting, size=size))) for _ in range(n_batches))
