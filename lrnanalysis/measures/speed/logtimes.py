"""Log times, centred by item, in the form in which the E-step over them is cheapest.

Few patterns of missing times (complete data, planned forms): one matrix of second moments a
pattern, after which no pass over the persons is needed. Scattered gaps: all cells, and where the
gaps are. Mostly missing: only the cells that are there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse

from lrnanalysis.measures._checks import BoolArray, FloatArray, IntArray

__all__ = ["Expected", "LogTimes", "Parameters", "log_times"]

#: Below this share of observed cells only they are kept.
_SPARSE = 0.3

#: Most patterns of missing times that are worth a matrix each.
_MOST_PATTERNS = 256

#: Persons worked on at a time: their log times stay in the cache between two uses.
_BLOCK_CELLS = 1 << 19


@dataclass(frozen=True, eq=False)
class Parameters:
    """Time intensities on the centred scale, residual variances, variance of speed."""

    beta: FloatArray
    sigma2: FloatArray
    s2: float


@dataclass(frozen=True, eq=False)
class Expected:
    """What an E-step finds, with m and v the mean and variance of a person's speed.

    Attributes
    ----------
    loglik : float
        Log-likelihood at the parameters that it was made with.
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


class LogTimes(Protocol):
    """Log times of some persons on some items, centred by item, 0 where missing.

    Attributes
    ----------
    persons : int
        How many persons.
    n : array, shape (items,)
        Times of every item.
    centre, variance : array, shape (items,)
        Mean and variance (divided by n) of its log times.
    """

    persons: int
    n: FloatArray
    centre: FloatArray
    variance: FloatArray

    def expect(self, parameters: Parameters) -> Expected:
        """The E-step."""

    def posterior(self, parameters: Parameters) -> tuple[FloatArray, FloatArray]:
        """Mean and variance of every person's speed given the times."""

    def blocks(self) -> Iterator[tuple[slice, FloatArray, FloatArray]]:
        """Stretches of persons: which, and items × persons log times and ones where timed."""


def log_times(values: FloatArray) -> LogTimes:
    """Centred log times of a persons × items matrix of times.

    Parameters
    ----------
    values : array, shape (persons, items)
        Times; NaN, 0 and negative ones are missing. Every person and item must have one.
    """
    persons, items = values.shape
    there: BoolArray = values.T > 0
    n = there.sum(axis=1)
    share = float(n.sum()) / there.size
    code, patterns = _patterns(there, n)
    if patterns is None and share < _SPARSE:
        return SparseLogTimes(*_sparse(values, there, n))
    logs = np.empty((items, persons))
    centre = np.empty(items)
    for item in range(items):
        column, row = values[:, item], logs[item]
        if n[item] == persons:
            np.log(column, out=row)
            centre[item] = row.mean()
            row -= centre[item]
        else:
            np.log(np.where(there[item], column, 1.0), out=row)
            centre[item] = row.sum() / n[item]
            row -= centre[item]
            row *= there[item]
    if patterns is not None:
        return GroupedLogTimes(logs, n, centre, code, patterns)
    return DenseLogTimes(logs, n, centre, there)


@dataclass(frozen=True, eq=False)
class _Pattern:
    """Persons timed on the same items: how many, which items, moments of their log times."""

    n: int
    items: IntArray
    mean: FloatArray
    moments: FloatArray


class GroupedLogTimes:
    """Log times with few patterns of missing ones."""

    def __init__(
        self,
        logs: FloatArray,
        n: IntArray,
        centre: FloatArray,
        code: IntArray,
        patterns: BoolArray,
    ) -> None:
        self._logs, self._code, self._patterns = logs, code, patterns
        self.persons = logs.shape[1]
        self.n = n.astype(np.float64)
        self.centre = centre
        self.groups: list[_Pattern] = []
        squares = np.zeros(len(n))
        for number, pattern in enumerate(patterns):
            items = np.flatnonzero(pattern)
            part = logs
            if len(patterns) > 1:
                part = logs[np.ix_(items, np.flatnonzero(code == number))]
            size = part.shape[1]
            group = _Pattern(size, items, part.mean(axis=1), part @ part.T / size)
            squares[items] += size * np.diag(group.moments)
            self.groups.append(group)
        self.variance = squares / n

    def expect(self, parameters: Parameters) -> Expected:
        """The E-step."""
        speeds, squares, products = np.zeros((3, len(self.n)))
        total, total_square, distance = 0.0, 0.0, _distance(self, parameters)
        for group in self.groups:
            a = 1 / parameters.sigma2[group.items]
            v, c = _precision(a, parameters.s2)
            shift = float(a @ parameters.beta[group.items])
            covariances = group.moments @ a
            mean = float(a @ group.mean)
            # Sums over the group's persons of r and of its square, where m = -v r.
            r = group.n * (mean - shift)
            r_square = group.n * (float(a @ covariances) - 2 * shift * mean + shift**2)
            second = v * v * r_square + group.n * v
            speeds[group.items] -= v * r
            squares[group.items] += second
            products[group.items] -= group.n * v * (covariances - shift * group.mean)
            total -= v * r
            total_square += second
            distance += group.n * float(np.log1p(parameters.s2 * c)) - v * r_square
        return Expected(
            -0.5 * distance,
            speeds,
            squares,
            products,
            total / self.persons,
            total_square / self.persons,
        )

    def posterior(self, parameters: Parameters) -> tuple[FloatArray, FloatArray]:
        """Mean and variance of every person's speed given the times."""
        a = 1 / parameters.sigma2
        c = (self._patterns @ a)[self._code]
        v = 1 / (1 / parameters.s2 + c)
        return -v * (a @ self._logs - (self._patterns @ (a * parameters.beta))[self._code]), v

    def blocks(self) -> Iterator[tuple[slice, FloatArray, FloatArray]]:
        """Stretches of persons: which, and items × persons log times and ones where timed."""
        for part in _parts(self.persons, len(self.n)):
            yield part, self._logs[:, part], self._patterns[self._code[part]].T.astype(float)


class DenseLogTimes:
    """Log times with gaps anywhere: all cells, and where the gaps are."""

    def __init__(self, logs: FloatArray, n: IntArray, centre: FloatArray, there: BoolArray) -> None:
        self._logs, self._there = logs, there
        self.persons = logs.shape[1]
        self.n = n.astype(np.float64)
        self.centre = centre
        self.variance = np.einsum("kj,kj->k", logs, logs) / self.n
        bounds = np.concatenate(([0], np.cumsum(self.persons - n)))
        where = np.concatenate([np.flatnonzero(~row) for row in there])
        # Items × persons, by item.
        self._gaps = sparse.csr_array((np.ones(len(where)), where, bounds), shape=logs.shape)
        self._gaps_by_person = self._gaps.T

    def expect(self, parameters: Parameters) -> Expected:
        """The E-step."""
        a = 1 / parameters.sigma2
        c, shift = self._sums(a, parameters)
        v = 1 / (1 / parameters.s2 + c)
        m = np.empty(self.persons)
        products = np.zeros(len(a))
        r_square = 0.0
        for part in _parts(self.persons, len(a)):
            # The block's log times are used twice while they are in the cache.
            logs = self._logs[:, part]
            r = a @ logs - shift[part]
            np.multiply(-v[part], r, out=m[part])
            r_square += float(-m[part] @ r)
            products += logs @ m[part]
        second = m * m + v
        both = np.column_stack([m, second])
        by_item = both.sum(axis=0) - self._gaps @ both
        distance = _distance(self, parameters)
        distance += float(np.log1p(parameters.s2 * c).sum()) - r_square
        return Expected(
            -0.5 * distance,
            by_item[:, 0],
            by_item[:, 1],
            products,
            float(m.mean()),
            float(second.mean()),
        )

    def posterior(self, parameters: Parameters) -> tuple[FloatArray, FloatArray]:
        """Mean and variance of every person's speed given the times."""
        a = 1 / parameters.sigma2
        c, shift = self._sums(a, parameters)
        v = 1 / (1 / parameters.s2 + c)
        return -v * (a @ self._logs - shift), v

    def blocks(self) -> Iterator[tuple[slice, FloatArray, FloatArray]]:
        """Stretches of persons: which, and items × persons log times and ones where timed."""
        for part in _parts(self.persons, len(self.n)):
            yield part, self._logs[:, part], self._there[:, part].astype(float)

    def _sums(self, a: FloatArray, parameters: Parameters) -> tuple[FloatArray, FloatArray]:
        """Every person's sums of a and of a β over the items timed."""
        columns = np.column_stack([a, a * parameters.beta])
        sums = columns.sum(axis=0) - self._gaps_by_person @ columns
        return sums[:, 0], sums[:, 1]


class SparseLogTimes:
    """Log times of which most are missing: only the cells that are there."""

    def __init__(self, logs: sparse.csr_array, n: IntArray, centre: FloatArray) -> None:
        self.persons = logs.shape[0]
        self._logs = logs
        self._there = sparse.csr_array(
            (np.ones(logs.nnz), logs.indices, logs.indptr), shape=logs.shape
        )
        self.n = n.astype(np.float64)
        self.centre = centre
        squares = np.bincount(logs.indices, weights=logs.data**2, minlength=logs.shape[1])
        self.variance = squares / self.n

    def expect(self, parameters: Parameters) -> Expected:
        """The E-step."""
        m, v, c = self._speeds(parameters)
        second = m * m + v
        by_item = self._there.T @ np.column_stack([m, second])
        distance = _distance(self, parameters)
        distance += float(np.log1p(parameters.s2 * c).sum()) - float((m * m / v).sum())
        return Expected(
            -0.5 * distance,
            by_item[:, 0],
            by_item[:, 1],
            self._logs.T @ m,
            float(m.mean()),
            float(second.mean()),
        )

    def posterior(self, parameters: Parameters) -> tuple[FloatArray, FloatArray]:
        """Mean and variance of every person's speed given the times."""
        return self._speeds(parameters)[:2]

    def blocks(self) -> Iterator[tuple[slice, FloatArray, FloatArray]]:
        """Stretches of persons: which, and items × persons log times and ones where timed."""
        for part in _parts(self.persons, len(self.n)):
            yield part, self._logs[part].T.toarray(), self._there[part].T.toarray()

    def _speeds(self, parameters: Parameters) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Mean and variance of every person's speed, and the sum of a."""
        a = 1 / parameters.sigma2
        sums = self._there @ np.column_stack([a, a * parameters.beta])
        v = 1 / (1 / parameters.s2 + sums[:, 0])
        return -v * (self._logs @ a - sums[:, 1]), v, sums[:, 0]


def _distance(data: LogTimes, parameters: Parameters) -> float:
    """Minus twice the log-likelihood without the terms of the speeds.

    Centred log times add up to 0 an item, so that Σ (y − β)² = n (variance + β²).
    """
    squares = data.n * (data.variance + parameters.beta**2)
    constant = data.n @ np.log(2 * np.pi * parameters.sigma2)
    return float(constant + (squares / parameters.sigma2).sum())


def _precision(a: FloatArray, s2: float) -> tuple[float, float]:
    """Variance of speed given the times, and the sum of a."""
    c = float(a.sum())
    return 1 / (1 / s2 + c), c


def _parts(persons: int, items: int) -> Iterator[slice]:
    step = max(64, _BLOCK_CELLS // items)
    for first in range(0, persons, step):
        yield slice(first, min(first + step, persons))


def _patterns(there: BoolArray, n: IntArray) -> tuple[IntArray, BoolArray | None]:
    """Every person's pattern of timed items, and the patterns; None where they are too many."""
    items, persons = there.shape
    most = min(_MOST_PATTERNS, there.size // (8 * items * items))
    if (n == persons).all():
        code = np.zeros(persons, dtype=np.int64)
        return code, np.ones((1, items), dtype=bool) if most else None
    # Where the first persons' patterns are too many already, the others need no look.
    if len(np.unique(_hashes(np.packbits(there[:, : 4 * _MOST_PATTERNS], axis=0)))) > most:
        return np.empty(0, dtype=np.int64), None
    packed = np.packbits(there, axis=0)
    code, distinct = pd.factorize(_hashes(packed))
    if len(distinct) > most:
        return code, None
    first = np.full(len(distinct), persons)
    np.minimum.at(first, code, np.arange(persons))
    patterns = there[:, first].T
    # Two patterns with one hash would be a wrong answer, however unlikely.
    same = all(np.array_equal(packed[k], packed[k][first][code]) for k in range(len(packed)))
    return code, patterns if same else None


def _hashes(packed: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint64]:
    """A number for every column of bytes."""
    factors = np.random.default_rng(0).integers(1, 1 << 62, len(packed), dtype=np.uint64)
    hashes = np.zeros(packed.shape[1], dtype=np.uint64)
    for byte, factor in zip(packed, factors, strict=True):
        hashes += (byte.astype(np.uint64) + np.uint64(1)) * (factor * np.uint64(2) + np.uint64(1))
    return hashes


def _sparse(
    values: FloatArray, there: BoolArray, n: IntArray
) -> tuple[sparse.csr_array, IntArray, FloatArray]:
    """Only the cells that are there."""
    persons, items = np.nonzero(there.T)
    logs = np.log(values[persons, items])
    centre = np.bincount(items, weights=logs, minlength=len(n)) / n
    bounds = np.concatenate(([0], np.cumsum(np.bincount(persons, minlength=len(values)))))
    matrix = sparse.csr_array((logs - centre[items], items, bounds), shape=values.shape)
    return matrix, n, centre
