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

#: Rows looked at together: NumPy widens small codes when it indexes with them.
_BLOCK = 1 << 17


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
    heads = column if len(starts) == n else column.iloc[starts]
    if _surely_distinct(heads):
        return Runs(starts, np.arange(len(heads)), pd.Index(heads.array), n)
    codes, labels = pd.factorize(heads)
    return Runs(starts, np.asarray(codes, dtype=np.intp), pd.Index(labels), n)


def _factorise_category(column: pd.Series) -> Keys:
    """A category column's own codes, with the categories that do not occur left out."""
    codes: IntArray = column.cat.codes.to_numpy()
    categories = column.cat.categories
    used = np.zeros(len(categories) + 1, dtype=bool)  # the last entry serves code -1
    for first in range(0, len(codes), _BLOCK):
        used[codes[first : first + _BLOCK]] = True
    used = used[:-1]
    if used.all():
        return Keys(codes, categories)
    new = np.append(np.cumsum(used) - 1, -1)  # the last entry serves code -1
    return Keys(new[codes].astype(np.int32), categories[used])


def _run_starts(column: pd.Series) -> IntArray:
    """Rows that differ from the row above; every row where comparing is not worth it."""
    dtype = column.dtype
    if isinstance(dtype, pd.StringDtype | pd.ArrowDtype):
        values = pa.array(column.array)
        changed = pc.not_equal(values.slice(1), values.slice(0, len(values) - 1))
        # A missing value makes the comparison missing: such a row starts a run of its own.
        return _starts(np.asarray(pc.fill_null(changed, True)))
    if isinstance(dtype, np.dtype) and dtype.kind in "iufbM":
        raw = column.to_numpy()
        return _starts(raw[1:] != raw[:-1])
    return np.arange(len(column))


def _arrow(column: pd.Series) -> pa.Array:
    """The column's values as one Arrow array, without a copy where they are one."""
    values = pa.array(column.array)
    if isinstance(values, pa.ChunkedArray):
        return values.combine_chunks() if values.num_chunks > 1 else values.chunk(0)
    return values


def _surely_distinct(column: pd.Series) -> bool:
    """Whether texts of one length, such as UUIDs, are all different; False if not known.

    Different hashes prove different texts. This takes a fifth of the time and memory of
    factorising them, and where two hashes agree only the short cut is lost.
    """
    if not isinstance(column.dtype, pd.StringDtype):
        return False
    values = _arrow(column)
    kind = np.int64 if pa.types.is_large_string(values.type) else np.int32
    if values.null_count or not (kind is np.int64 or pa.types.is_string(values.type)):
        return False
    _, offset_bytes, text = values.buffers()
    offsets = np.frombuffer(offset_bytes, kind)[values.offset : values.offset + len(values) + 1]
    lengths = np.diff(offsets)
    width = int(lengths[0])
    if width == 0 or (lengths != width).any():
        return False
    letters = np.frombuffer(text, np.uint8)[offsets[0] : offsets[-1]].reshape(len(values), width)
    hashes = np.zeros(len(values), dtype=np.uint64)
    for first in range(0, width, 8):
        word = np.zeros((len(values), 8), dtype=np.uint8)
        part = letters[:, first : first + 8]
        word[:, : part.shape[1]] = part
        hashes ^= word.view(np.uint64)[:, 0]
        hashes *= np.uint64(0x9E3779B97F4A7C15)
        hashes ^= hashes >> np.uint64(29)
    hashes.sort()
    return bool((hashes[1:] != hashes[:-1]).all())


def _starts(changed: BoolArray) -> IntArray:
    return np.concatenate(([0], np.flatnonzero(changed) + 1))
