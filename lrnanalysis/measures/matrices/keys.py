"""Key columns as whole numbers, fast where equal keys stand together.

The rows of a session usually follow each other, so neighbours are compared first and only the
head of every run is hashed. Nothing relies on that order: any order gives the same codes up to
the order of first appearance.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from lrnanalysis.measures._checks import BoolArray, IntArray

__all__ = ["Keys", "Runs", "factorise", "factorise_runs"]


@dataclass(frozen=True, eq=False)
class Keys:
    """A column's values as positions in `labels`.

    Attributes
    ----------
    codes : array of int, shape (rows,)
        Position of every row's value in `labels`; -1 where it is missing.
    labels : Index
        The distinct values that occur: in category order for a category column (unused
        categories are left out), in order of first appearance otherwise.
    """

    codes: IntArray
    labels: pd.Index


@dataclass(frozen=True, eq=False)
class Runs:
    """A column as runs of equal neighbours.

    Attributes
    ----------
    starts : array of int, shape (runs,)
        Row at which every run begins.
    codes : array of int, shape (runs,)
        Position of every run's value in `labels`; -1 where it is missing.
    labels : Index
        The distinct values that occur, as for `Keys`.
    rows : int
        Number of rows.
    """

    starts: IntArray
    codes: IntArray
    labels: pd.Index
    rows: int

    @property
    def contiguous(self) -> bool:
        """Whether every value has exactly one run and none is missing."""
        return len(self.starts) == len(self.labels) and not bool((self.codes < 0).any())

    def row_codes(self) -> IntArray:
        """Position of every row's value in `labels`; -1 where it is missing."""
        return np.repeat(self.codes.astype(np.int32), np.diff(self.starts, append=self.rows))


def factorise(column: pd.Series) -> Keys:
    """Codes and labels of a key column of any dtype.

    Examples
    --------
    >>> keys = factorise(pd.Series(["b", "b", "a"], dtype="str"))
    >>> keys.codes.tolist(), keys.labels.tolist()
    ([0, 0, 1], ['b', 'a'])
    """
    if isinstance(column.dtype, pd.CategoricalDtype):
        return _factorise_category(column)
    runs = factorise_runs(column)
    return Keys(runs.row_codes(), runs.labels)


def factorise_runs(column: pd.Series) -> Runs:
    """Runs of equal neighbours of a key column, with the codes of their values.

    Examples
    --------
    >>> runs = factorise_runs(pd.Series(["b", "b", "a", "b"], dtype="str"))
    >>> runs.starts.tolist(), runs.codes.tolist(), runs.contiguous
    ([0, 2, 3], [0, 1, 0], False)
    """
    n = len(column)
    if n == 0:
        labels = pd.Index(column.iloc[:0])
        if isinstance(labels, pd.CategoricalIndex):
            labels = pd.Index(labels.categories[:0])
        empty = np.empty(0, dtype=np.intp)
        return Runs(empty, empty, labels, 0)
    if isinstance(column.dtype, pd.CategoricalDtype):
        keys = _factorise_category(column)
        starts = _starts(keys.codes[1:] != keys.codes[:-1])
        return Runs(starts, keys.codes[starts].astype(np.intp), keys.labels, n)
    starts = _run_starts(column)
    codes, labels = pd.factorize(column if len(starts) == n else column.iloc[starts])
    return Runs(starts, np.asarray(codes, dtype=np.intp), pd.Index(labels), n)


def _factorise_category(column: pd.Series) -> Keys:
    """A category column's own codes, with the categories that do not occur left out."""
    codes: IntArray = column.cat.codes.to_numpy()
    categories = column.cat.categories
    used = np.bincount(codes.astype(np.intp) + 1, minlength=len(categories) + 1)[1:] > 0
    if used.all():
        return Keys(codes, categories)
    new = np.append(np.cumsum(used) - 1, -1)  # the last entry serves code -1
    return Keys(new[codes].astype(np.int32), categories[used])


def _run_starts(column: pd.Series) -> IntArray:
    """Rows that differ from the row above; every row where comparing is not worth it."""
    dtype = column.dtype
    if isinstance(dtype, pd.StringDtype | pd.ArrowDtype):
        values = pa.array(column.array)
        if isinstance(values, pa.ChunkedArray):
            values = values.combine_chunks() if values.num_chunks > 1 else values.chunk(0)
        changed = pc.not_equal(values.slice(1), values.slice(0, len(values) - 1))
        # A missing value makes the comparison missing: such a row starts a run of its own.
        return _starts(pc.fill_null(changed, True).to_numpy(zero_copy_only=False))
    if isinstance(dtype, np.dtype) and dtype.kind in "iufbM":
        raw = column.to_numpy()
        return _starts(raw[1:] != raw[:-1])
    return np.arange(len(column))


def _starts(changed: BoolArray) -> IntArray:
    return np.concatenate(([0], np.flatnonzero(changed) + 1))
