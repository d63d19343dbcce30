"""Log times, centred by item, in the form in which the E-step over them is cheapest.

Few patterns of missing times (complete data, planned forms): one matrix of second moments a
pattern, after which no pass over the persons is needed. Scattered gaps: all cells, and where the
gaps are. Mostly missing: only the cells that are there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse

from lrnanalysis.errors import MeasureError
from lrnanalysis.measures._checks import BoolArray, FloatArray, IntArray

__all__ = [
    "DenseLogTimes",
    "Expected",
    "GroupedLogTimes",
    "LogTimes",
    "Parameters",
    "SparseLogTimes",
    "log_times",
]

#: Below this share of observed cells only they are kept.
_SPARSE = 0.3

#: Most patterns of missing times that are worth a matrix each.
_MOST_PATTERNS = 256

#: Persons worked on at a time: their log times stay in the cache between two uses.
_BLOCK_CELLS = 1 << 19


#: Persons (all: a slice) and the items that they were timed on.
_Pattern = tuple[IntArray | slice, IntArray]


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


def log_times(values: FloatArray, there: BoolArray) -> LogTimes:
    """Centred log times of a persons × items matrix of times.

    Parameters
    ----------
    values : array, shape (persons, items)
        Times.
    there : array of bool, shape (items, persons)
        Whether a time counts. Every person and item must have one.

    Raises
    ------
    MeasureError
        If a time is infinite.
    """
    n = np.array([np.count_nonzero(row) for row in there])
    groups = _groups(there, n)
    if groups is not None:
        return _grouped(values, n, groups)
    if n.sum() < _SPARSE * there.size:
        return _sparse(values, there, n)
    return _dense(values, there)


@dataclass(frozen=True, eq=False)
class Group:
    """Persons timed on the same items.

    Attributes
    ----------
    persons, items : array of int
        Which persons and items.
    logs : array, shape (items, persons)
        Their centred log times.
    mean, moments : array
        Means and mean products of the items' log times over the persons.
    """

    persons: IntArray | slice
    items: IntArray
    logs: FloatArray
    mean: FloatArray
    moments: FloatArray

    @property
    def n(self) -> int:
        """Number of persons."""
        return int(self.logs.shape[1])


class GroupedLogTimes:
    """Log times with few patterns of missing ones."""

    def __init__(self, groups: list[Group], persons: int, n: IntArray, centre: FloatArray) -> None:
        self.groups = groups
        self.persons = persons
        self.n = n.astype(np.float64)
        self.centre = centre
        squares = np.zeros(len(n))
        for group in groups:
            squares[group.items] += group.n * np.diag(group.moments)
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
        m, v = np.empty((2, self.persons))
        for group in self.groups:
            a = 1 / parameters.sigma2[group.items]
            variance, _ = _precision(a, parameters.s2)
            sums = a @ group.logs - a @ parameters.beta[group.items]
            m[group.persons], v[group.persons] = -variance * sums, variance
        return m, v

    def by_item(self, columns: FloatArray) -> FloatArray:
        """Sums of columns over the persons timed on each item, shape (items, columns)."""
        sums = np.zeros((len(self.n), columns.shape[1]))
        for group in self.groups:
            sums[group.items] += columns[group.persons].sum(axis=0)
        return sums


class DenseLogTimes:
    """Log times with gaps anywhere: all cells, and where the gaps are."""

    def __init__(
        self,
        logs: FloatArray,
        there: BoolArray,
        gaps: sparse.csr_array,
        centre: FloatArray,
        squares: FloatArray,
    ) -> None:
        self._logs, self._there = logs, there
        self.persons = logs.shape[1]
        self.n = self.persons - np.diff(gaps.indptr).astype(np.float64)
        self.centre = centre
        self.variance = squares / self.n
        self._gaps = gaps  # items × persons
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
        by_item = self.by_item(np.column_stack([m, second]))
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

    def by_item(self, columns: FloatArray) -> FloatArray:
        """Sums of columns over the persons timed on each item, shape (items, columns)."""
        sums: FloatArray = columns.sum(axis=0) - self._gaps @ columns
        return sums

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
        by_item = self.by_item(np.column_stack([m, second]))
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

    def by_item(self, columns: FloatArray) -> FloatArray:
        """Sums of columns over the persons timed on each item, shape (items, columns)."""
        sums: FloatArray = self._there.T @ columns
        return sums

    def _speeds(self, parameters: Parameters) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Mean and variance of every person's speed, and the sum of a."""
        a = 1 / parameters.sigma2
        sums = self._there @ np.column_stack([a, a * parameters.beta])
        v = 1 / (1 / parameters.s2 + sums[:, 0])
        return -v * (self._logs @ a - sums[:, 1]), v, sums[:, 0]


#: Log times of some persons on some items, centred by item, 0 where missing. All have `persons`
#: (how many), `n` (times of every item), `centre` and `variance` (of its log times, divided by n).
LogTimes = GroupedLogTimes | DenseLogTimes | SparseLogTimes


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


def _groups(there: BoolArray, n: IntArray) -> list[_Pattern] | None:
    """Persons and items of every pattern of timed items; None where they are too many."""
    items, persons = there.shape
    most = min(_MOST_PATTERNS, there.size // (8 * items * items))
    if (n == persons).all():
        return [(slice(None), np.arange(items))] if most else None
    # Where the first persons' patterns are too many already, the others need no look.
    if len(np.unique(_hashes(there[:, : 4 * _MOST_PATTERNS]))) > most:
        return None
    code, distinct = pd.factorize(_hashes(there))
    if len(distinct) > most:
        return None
    order = np.argsort(code, kind="stable")
    groups: list[_Pattern] = []
    cells = 0
    for rows in np.split(order, np.cumsum(np.bincount(code))[:-1]):
        timed = np.flatnonzero(there[:, rows[0]])
        # Two patterns with one hash would give a wrong answer, however unlikely.
        if not _all_there(there, timed, rows):
            return None
        groups.append((rows, timed))
        cells += len(rows) * len(timed)
    return groups if cells == n.sum() else None


def _all_there(there: BoolArray, items: IntArray, persons: IntArray) -> bool:
    return all(bool(there[item].take(persons).all()) for item in items)


def _hashes(there: BoolArray) -> npt.NDArray[np.uint64]:
    """A number for every column of flags."""
    packed = np.packbits(there, axis=0)
    factors = np.random.default_rng(0).integers(1, 1 << 62, len(packed), dtype=np.uint64)
    hashes = np.zeros(packed.shape[1], dtype=np.uint64)
    for byte, factor in zip(packed, factors, strict=True):
        hashes += (byte.astype(np.uint64) + np.uint64(1)) * (factor * np.uint64(2) + np.uint64(1))
    return hashes


def _grouped(values: FloatArray, n: IntArray, groups: list[_Pattern]) -> GroupedLogTimes:
    """The log times of each pattern, and their moments."""
    persons = len(values)
    total = np.zeros(len(n))
    parts = []
    for rows, items in groups:
        logs = np.empty((len(items), persons if isinstance(rows, slice) else len(rows)))
        for item, row in zip(items, logs, strict=True):
            column = values[:, item]
            np.log(column if isinstance(rows, slice) else column.take(rows), out=row)
        total[items] += logs.sum(axis=1)
        parts.append(logs)
    centre = _check_finite(total / n)
    found = []
    for (rows, items), logs in zip(groups, parts, strict=True):
        logs -= centre[items, None]
        moments = logs @ logs.T / logs.shape[1]
        found.append(Group(rows, items, logs, logs.mean(axis=1), moments))
    return GroupedLogTimes(found, persons, n, centre)


def _dense(values: FloatArray, there: BoolArray) -> DenseLogTimes:
    """All cells, and where the gaps are."""
    logs = np.empty(there.shape)
    centre, squares = np.empty((2, len(there)))
    gaps = [np.flatnonzero(~row) for row in there]
    with np.errstate(divide="ignore", invalid="ignore"):
        for item, row in enumerate(logs):
            np.log(values[:, item], out=row)
            row[gaps[item]] = 0.0
            n = len(row) - len(gaps[item])
            centre[item] = row.sum() / n
            row -= centre[item]
            row[gaps[item]] = 0.0
            squares[item] = row @ row
    _check_finite(centre)
    bounds = np.concatenate(([0], np.cumsum([len(rows) for rows in gaps])))
    where = np.concatenate(gaps)
    matrix = sparse.csr_array((np.ones(len(where)), where, bounds), shape=there.shape)
    return DenseLogTimes(logs, there, matrix, centre, squares)


def _sparse(values: FloatArray, there: BoolArray, n: IntArray) -> SparseLogTimes:
    """Only the cells that are there."""
    persons, items = np.nonzero(there.T)
    logs = np.log(values[persons, items])
    centre = _check_finite(np.bincount(items, weights=logs, minlength=len(n)) / n)
    bounds = np.concatenate(([0], np.cumsum(np.bincount(persons, minlength=len(values)))))
    matrix = sparse.csr_array((logs - centre[items], items, bounds), shape=values.shape)
    return SparseLogTimes(matrix, n, centre)


def _check_finite(centre: FloatArray) -> FloatArray:
    """The means of the log times, which one infinite time makes infinite."""
    if not np.isfinite(centre).all():
        raise MeasureError("times holds infinite values: replace them with NaN")
    return centre
