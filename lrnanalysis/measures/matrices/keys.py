"""Key columns as integers: the codes that link, group and scatter rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import numpy as np
import pandas as pd

from lrnanalysis.errors import MeasureError, shown
from lrnanalysis.measures._checks import IntArray, whole_labels
from lrnanalysis.tables.learners import is_nobody
from lrnanalysis.tables.schema import TABLES

__all__ = [
    "Keys",
    "check_unique_key",
    "count_repeated",
    "factorise",
    "factorise_columns",
    "is_dense",
    "names_of",
    "person_keys",
    "required_keys",
]


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


def factorise(column: pd.Series) -> Keys:
    """Codes and labels of a key column of any dtype.

    Examples
    --------
    >>> keys = factorise(pd.Series(["b", "b", "a"], dtype="str"))
    >>> keys.codes.tolist(), keys.labels.tolist()
    ([0, 0, 1], ['b', 'a'])

    A gap makes floats of integers; the labels stay integers:

    >>> factorise(pd.Series([2, None, 1])).labels.tolist()
    [2, 1]
    """
    if isinstance(column.dtype, pd.CategoricalDtype):
        codes: IntArray = column.cat.codes.to_numpy()
        used = np.zeros(len(column.cat.categories) + 1, dtype=bool)
        used[pd.unique(codes)] = True
        used = used[:-1]  # the last entry served code -1
        labels = column.cat.categories[used]
        if used.all():
            return Keys(codes, labels)
        new = np.append(np.cumsum(used, dtype=np.int32) - 1, -1)
        return Keys(new[codes], labels)
    codes, found = pd.factorize(column)
    return Keys(codes.astype(np.int32), pd.Index(whole_labels(pd.Series(found))))


def factorise_columns(frame: pd.DataFrame, by: str | Sequence[str]) -> Keys:
    """Codes and labels of the groups by one column, or by several: a MultiIndex.

    Rows without a value in any of the columns have code -1.

    Examples
    --------
    >>> frame = pd.DataFrame({"a": ["x", "x", "y"], "b": [1, 2, 1]})
    >>> factorise_columns(frame, ["a", "b"]).labels.tolist()
    [('x', 1), ('x', 2), ('y', 1)]
    """
    if isinstance(by, str):
        keys = factorise(frame[by])
        return Keys(keys.codes, keys.labels.rename(by))
    names = names_of(by)
    parts = [factorise(frame[name]) for name in names]
    flat = np.zeros(len(frame), dtype=np.int64)
    inside = np.ones(len(frame), dtype=bool)
    for part in parts:
        flat = flat * max(len(part.labels), 1) + part.codes
        inside &= part.codes >= 0
    codes = np.full(len(frame), -1, dtype=np.int64)
    codes[inside], found = pd.factorize(flat[inside], sort=True)
    levels = []
    for part in reversed(parts):
        found, place = np.divmod(found, max(len(part.labels), 1))
        levels.append(part.labels[place])
    labels = pd.MultiIndex.from_arrays(levels[::-1], names=names)
    return Keys(codes, labels)


def names_of(by: str | Sequence[str]) -> list[str]:
    """The column names that `by` holds.

    Raises
    ------
    MeasureError
        There is none, one is not a string, or one is repeated.
    """
    names = [by] if isinstance(by, str) else list(by)
    if not names or len(set(names)) < len(names) or not all(isinstance(n, str) for n in names):
        raise MeasureError(
            f"by is {shown(by)}: pass the name of a column, or a list of different ones"
        )
    return names


def check_unique_key(
    frame: pd.DataFrame,
    table: Literal["sessions", "responses", "items"],
    known: Mapping[str, Keys] = MappingProxyType({}),
) -> None:
    """Raise `MeasureError` if two rows have the same key, as after a merge that multiplies rows.

    Rows without a key, and frames without its columns, are not checked. `known` holds columns
    that are factorised already.

    Examples
    --------
    >>> check_unique_key(pd.DataFrame({"session_id": ["a", "b"]}), "sessions")
    """
    names = list(TABLES[table].key)
    if not set(names) <= set(frame.columns):
        return
    # Integer codes are several times faster to compare than text.
    cell, cells = np.zeros(len(frame), dtype=np.int64), 1
    complete = np.ones(len(frame), dtype=bool)
    for name in names:
        keys = known[name] if name in known else factorise(frame[name])
        cell *= len(keys.labels)
        cell += keys.codes
        cells *= len(keys.labels)
        complete &= keys.codes >= 0
    repeated = count_repeated(cell if complete.all() else cell[complete], cells)
    if repeated:
        cause = "a merge not on all keys multiplies rows"
        if table == "items":
            cause += ", and a record may hold an item twice"
        raise MeasureError(
            f"{repeated} rows of {table} repeat the "
            f"{' and '.join(names)} of another row ({cause}): merge on all keys, or keep the "
            f"first row of each with {table}.drop_duplicates({names})"
        )


def is_dense(cells: int, rows: int) -> bool:
    """Whether a table of all cells that keys span is small enough beside the rows given."""
    return cells <= 8 * max(rows, 1 << 16)


def count_repeated(cell: IntArray, cells: int) -> int:
    """Number of entries that equal an earlier one; all are from 0 to `cells` - 1.

    Examples
    --------
    >>> count_repeated(np.array([3, 0, 3, 3]), 4)
    2
    """
    if is_dense(cells, len(cell)):
        seen = np.zeros(cells, dtype=bool)
        seen[cell] = True
        return len(cell) - int(np.count_nonzero(seen))
    return int(np.count_nonzero(pd.Index(cell).duplicated()))


def required_keys(frame: pd.DataFrame, name: str) -> Keys:
    """Codes and labels of a column in which no value may be missing.

    Raises
    ------
    MeasureError
        A value is missing.
    """
    keys = factorise(frame[name])
    missing = int((keys.codes < 0).sum())
    if missing:
        raise MeasureError(
            f"{missing} of {len(frame)} rows have no {name}: drop them with "
            f'dropna(subset=["{name}"])'
        )
    return Keys(keys.codes, keys.labels.rename(name))


def person_keys(frame: pd.DataFrame, name: str) -> Keys:
    """As `required_keys`, in order of first appearance also for a category column.

    Raises
    ------
    MeasureError
        A value is missing, or a ``user_id`` is empty: nobody is no person.
    """
    keys = required_keys(frame, name)
    if name == "user_id" and (nobody := int(is_nobody(frame[name]).sum())):
        raise MeasureError(
            f"{nobody} of {len(frame)} rows have an empty user_id, which is nobody: leave them "
            'out, such as with frame[frame["user_id"].str.strip() != ""]'
        )
    if not isinstance(frame[name].dtype, pd.CategoricalDtype):
        return keys
    codes, order = pd.factorize(keys.codes)
    return Keys(codes, keys.labels[order])
