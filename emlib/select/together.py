"""Many small fits at once: EM for several mixtures side by side, each on data of its own.

A small fit is nearly all overhead. Here one step of arithmetic serves all of them. It only brings each near its rest:
`emlib.fit` goes on from there, and judges.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import numpy as np

from emlib.em import EPS, Collapse
from emlib.families import Gaussian, Moments
from emlib.families.family import LARGEST_ERROR
from emlib.mixture import Mixture
from emlib.value import Array

MOST_NUMBERS = 2**22  # that all responsibilities may have together: beyond it fits are no longer small


def ahead(mixtures: list[Mixture], data: list[Array], tol: float, max_iter: int) -> list[Mixture]:
    """Bring mixtures near to where EM would take them.

    The route is that of `emlib.em.squarem`: leaps between exact steps, taken back if they do not climb.

    Parameters
    ----------
    mixtures : list of Mixture
        As many components in each. Those of other families than Gaussians, of structure "tied", and with priors, ridges
        or fixed parameters are returned as they are.
    data : list of array (N, D)
        For each mixture; N may not differ.
    tol : float
        Nats per point that may be left to gain.
    max_iter : int
        The most M-steps of each.
    """
    if not mixtures or len(mixtures) * len(mixtures[0]) * len(data[0]) > MOST_NUMBERS or not _plain(mixtures):
        return mixtures
    with np.errstate(all="ignore"):
        fits = _Fits(mixtures, data)
        with suppress(Collapse):  # if one of them has no M-step, each goes on by itself from where it is
            fits.run(tol * len(data[0]), max_iter)
        return fits.mixtures()


def _plain(mixtures: list[Mixture]) -> bool:
    """Whether nothing but means, covariances and weights shapes their M-steps."""
    parts: list[Any] = [mixture.components for mixture in mixtures]
    return all(
        isinstance(part, Gaussian)
        and part.structure != "tied"
        and not (part.prior or part.ridge or part.fixed or mixture.weight_count or mixture.fixed_weights)
        for part, mixture in zip(parts, mixtures, strict=True)
    )


class _Fits:
    """G fits of K components in D dimensions. Their state is the sums of r_nk phi(x_n) alone, (G, K, P)."""

    def __init__(self, mixtures: list[Mixture], data: list[Array]) -> None:
        self.starts = mixtures
        parts: list[Any] = [mixture.components for mixture in mixtures]
        self.first: Any = parts[0]
        form, (K, D) = self.first.covariance, self.first.means.shape
        self.K, self.D, self.n_products = K, D, form.n_products(D)
        X = np.stack(data)  # (G, N, D)
        self.shift = X.mean(axis=1, keepdims=True)
        # phi = (products, x, 1) of all points, about the mean of their data.
        self.phi = np.ones((len(X), self.n_products + D + 1, X.shape[1]))
        self.phi[:, self.n_products : -1] = (X - self.shift).transpose(0, 2, 1)
        for one in self.phi:
            form.products(one[self.n_products : -1], one[: self.n_products])
        self._set_active(np.arange(len(X)))
        means = np.concatenate([part.means for part in parts])
        covariance = type(form).joined([part.covariance for part in parts])
        joined = Gaussian._made(means=means, covariance=covariance, **self.first.options)
        self.sums, self.heights = self._expect(np.stack([one.weights for one in mixtures]), joined)
        self.moved = np.zeros(len(X), dtype=bool)

    def run(self, small: float, max_iter: int) -> None:
        """Cycles of two steps and a leap, until less than `small` nats are left to gain."""
        longest = np.full(len(self.sums), 4.0)
        for _ in range(max_iter // 3):
            on = self.active
            s0, l0 = self.sums[on], self.heights[on]
            s1, l1 = self._step(s0)
            s2, l2 = self._step(s1)
            before, gain = l1 - l0, l2 - l1
            # How far each may leap, where the gains shrink and the statistics stay possible ones.
            ratio = np.where((before > gain) & (gain > 0), gain / before, 0.0)
            a = np.where(ratio > 0, np.minimum(1 / (1 - np.sqrt(ratio)), longest[on]), 1.0)[:, None, None]
            leap = s0 * (1 - a) ** 2 + s1 * (2 * a * (1 - a)) + s2 * a**2
            possible = self._possible(leap)
            s3, l3 = self._step(np.where(possible[:, None, None], leap, s2))
            kept = l3 >= l2
            self.sums[on] = np.where(kept[:, None, None], s3, s2)
            self.heights[on] = np.where(kept, l3, l2)
            self.moved[on] = True
            full = possible & (a[:, 0, 0] == longest[on])
            longest[on[full & kept]] *= 4
            longest[on[full & ~kept]] = np.maximum(longest[on[full & ~kept]] / 4, 2.0)
            left = np.where(ratio > 0, gain * ratio / (1 - ratio), 0.0)
            resting = (gain < small) & (left < small) & (l3 - l2 < small)
            if resting.all():
                return
            if resting.any():
                self._set_active(on[~resting])

    def _set_active(self, active: np.ndarray) -> None:
        """Say which fits still move, and keep what each of their steps needs."""
        self.active, self.phi_of_active = active, self.phi[active]
        self.farthest = np.abs(self.phi_of_active).max(axis=2, keepdims=True)
        self.centres = np.repeat(self.shift[active, 0], self.K, axis=0)

    def mixtures(self) -> list[Mixture]:
        """The mixtures that the statistics call for; the starts, where nothing has been done."""
        found = []
        for g, start in enumerate(self.starts):
            if self.moved[g] and np.isfinite(self.sums[g]).all():
                with suppress(Collapse):
                    self._set_active(np.array([g]))
                    weights, parts = self._maximize(self.sums[g : g + 1])
                    start = start.with_parts(weights[0], parts)
            found.append(start)
        return found

    def _step(self, sums: Array) -> tuple[Array, Array]:
        """An M-step and an E-step of the active fits: their next sums, and the log-likelihoods of the new mixtures."""
        return self._expect(*self._maximize(sums))

    def _moments(self, sums: Array) -> Moments:
        """The sums as moments of all components, one fit after the other."""
        flat = sums.reshape(-1, sums.shape[-1])
        products = self.first.covariance.unpacked(flat[:, : self.n_products], self.D)
        return Moments(
            flat[:, -1], self.centres, flat[:, self.n_products : -1], products, self.first.structure
        )

    def _maximize(self, sums: Array) -> tuple[Array, Gaussian]:
        counts = sums[:, :, -1]
        return counts / counts.sum(axis=1, keepdims=True), self.first.maximize(self._moments(sums))

    def _expect(self, weights: Array, parts: Gaussian) -> tuple[Array, Array]:
        """Theta Phi, softmax, R Phi' for every fit: the sums (G, K, P) and the log-likelihoods (G,)."""
        G, phi = len(weights), self.phi_of_active
        means = parts.means - self.centres
        quadratic, slope = parts.covariance.linear(means)
        level = np.log(weights).ravel() + parts.log_scale - 0.5 * (slope * means).sum(axis=1)
        theta = np.concatenate([quadratic, slope, level[:, None]], axis=1).reshape(G, self.K, -1)
        logits = theta @ phi
        top = logits.max(axis=1, keepdims=True)
        resp = np.exp(np.subtract(logits, top, out=logits), out=logits)
        total = resp.sum(axis=1, keepdims=True)
        resp /= total
        log_likelihoods = (np.log(total) + top).sum(axis=(1, 2))
        # Where rounding could be seen, no step is taken.
        lost = 10 * EPS * (np.abs(theta) @ self.farthest).max(axis=(1, 2))
        return resp @ phi.transpose(0, 2, 1), np.where(lost <= LARGEST_ERROR, log_likelihoods, -np.inf)

    def _possible(self, sums: Array) -> np.ndarray:
        """Whether extrapolated sums are those of any points: counts above 0, covariances positive definite."""
        moments = self._moments(sums)
        least = moments.stored
        if least.ndim == 3:  # matrices, of which no eigenvalues are to be had where they are not finite
            finite = np.isfinite(least).all(axis=(1, 2), keepdims=True)
            least = np.linalg.eigvalsh(np.where(finite, least, 0.0))
        good: Any = (moments.counts > 0) & (least.min(axis=1) > 0)
        return good.reshape(len(sums), self.K).all(axis=1)
