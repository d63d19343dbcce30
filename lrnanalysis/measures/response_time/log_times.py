"""Log times, centred by item, and the E-step over them.

All cells are kept, with 0 for a missing log time, and worked on in blocks of persons that stay in
the processor's cache. One matrix of second moments per pattern of missing times would be quicker
for complete data, and only the cells with a time would be smaller for item banks; neither changes
what a fit of 100,000 persons on 30 items feels like.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from lrnanalysis.measures._checks import BoolArray, FloatArray

__all__ = ["LogTimes", "SpeedMoments", "TimeParameters"]

#: Cells worked on at a time.
_BLOCK_CELLS = 1 << 17


@dataclass(frozen=True, eq=False)
class TimeParameters:
    """Time intensities on the centred scale, residual variances, variance of speed."""

    beta: FloatArray
    sigma2: FloatArray
    s2: float


@dataclass(frozen=True, eq=False)
class SpeedMoments:
    """What an E-step finds, with m and v the mean and variance of a person's speed.

    Attributes
    ----------
    loglik : float
        Log-likelihood at the parameters of the step.
    speeds, squares, products : array, shape (items,)
        Sums of m, of m² + v and of y m over the persons timed on the item.
    mean, mean_square : float
        Means of m and of m² + v over all persons.
    """

    loglik: float
    speeds: FloatArray
    squares: FloatArray
    products: FloatArray
    mean: float
    mean_square: float


class LogTimes:
    """Centred log times of a persons × items matrix of times.

    Parameters
    ----------
    times : array, shape (persons, items)
        Times.
    timed : array of bool, shape (persons, items)
        Whether a time counts. Every person and item must have one.

    Attributes
    ----------
    persons : int
        Number of persons.
    n, centre, variance : array, shape (items,)
        Number of times, mean of the log times, and their variance (divided by n).
    """

    def __init__(self, times: FloatArray, timed: BoolArray) -> None:
        self.persons = len(times)
        self._timed = np.ascontiguousarray(timed.T)
        self._logs = np.empty(self._timed.shape)
        for logs, own, where in zip(self._logs, times.T, self._timed, strict=True):
            np.log(np.where(where, own, 1.0), out=logs)
        self.n = np.count_nonzero(self._timed, axis=1).astype(np.float64)
        self.centre = self._logs.sum(axis=1) / self.n
        self._logs -= self.centre[:, None]
        self._logs *= self._timed
        self.variance = np.einsum("ij,ij->i", self._logs, self._logs) / self.n

    def blocks(self) -> Iterator[tuple[slice, FloatArray, FloatArray]]:
        """Blocks of persons: which, and items × persons log times and ones where timed."""
        step = max(64, _BLOCK_CELLS // len(self.n))
        for first in range(0, self.persons, step):
            part = slice(first, first + step)
            yield part, self._logs[:, part], self._timed[:, part].astype(np.float64)

    def mean_covariance(self) -> float:
        """Mean covariance of the log times of two items, each pair by the persons it has."""
        counts = np.count_nonzero(self._timed, axis=0)
        squares = float((self._logs.sum(axis=0) ** 2).sum() - self.n @ self.variance)
        pairs = int((counts * (counts - 1)).sum())
        return squares / pairs if pairs else np.nan

    def expect(self, parameters: TimeParameters) -> SpeedMoments:
        """The E-step."""
        sums, products = np.zeros((len(self.n), 2)), np.zeros(len(self.n))
        total = np.zeros(2)
        # Centred log times add up to 0 per item, so that Σ (y − β)² = n (variance + β²).
        deviance = float(
            self.n
            @ (
                np.log(2 * np.pi * parameters.sigma2)
                + (self.variance + parameters.beta**2) / parameters.sigma2
            )
        )
        for _, logs, timed in self.blocks():
            m, v = _speeds(logs, timed, parameters)
            moments = np.stack([m, m * m + v])
            sums += timed @ moments.T
            products += logs @ m
            total += moments.sum(axis=1)
            # ln(1 + s² c) = ln(s² / v), and v r² = m² / v.
            deviance += float((np.log(parameters.s2 / v) - m * m / v).sum())
        mean, mean_square = (total / self.persons).tolist()
        return SpeedMoments(-0.5 * deviance, sums[:, 0], sums[:, 1], products, mean, mean_square)

    def posterior(self, parameters: TimeParameters) -> tuple[FloatArray, FloatArray]:
        """Mean and variance of every person's speed given the times."""
        m, v = np.empty((2, self.persons))
        for part, logs, timed in self.blocks():
            m[part], v[part] = _speeds(logs, timed, parameters)
        return m, v


def _speeds(
    logs: FloatArray, timed: FloatArray, parameters: TimeParameters
) -> tuple[FloatArray, FloatArray]:
    """Mean and variance of the speed of a block's persons given the times."""
    a = 1 / parameters.sigma2
    c, shift = np.stack([a, a * parameters.beta]) @ timed
    v = 1 / (1 / parameters.s2 + c)
    return v * (shift - a @ logs), v
