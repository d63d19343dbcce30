"""Checks of what measures are given: tables, matrices, groups, units, numbers; notes on results.

Pure helpers. Every failure is a `MeasureError` that says what was given and what to do.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any, Literal, TypeVar, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd

from lrnanalysis.errors import MeasureError, listed, shown
from lrnanalysis.tables.table_operations import label_kinds

__all__ = [
    "BoolArray",
    "FloatArray",
    "IntArray",
    "PersonValues",
    "TimeUnit",
    "as_floats",
    "check_above",
    "check_fraction",
    "check_label_kinds",
    "choice",
    "flags",
    "item_values",
    "label_text",
    "matching_cells",
    "matrix_values",
    "optional_floats",
    "per_second",
    "person_values",
    "require_columns",
    "whole_labels",
    "with_attrs",
]

BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.integer]

#: One value per person: a Series, mapping or one-column DataFrame is aligned by its labels,
#: anything else by position.
PersonValues = (
    pd.Series
    | pd.DataFrame
    | Mapping[Hashable, Hashable]
    | Sequence[Hashable]
    | npt.NDArray[np.generic]
)

#: Units in which times are returned: seconds, minutes, hours.
TimeUnit = Literal["s", "min", "h"]

_PER_SECOND: Mapping[str, float] = {"s": 1.0, "min": 60.0, "h": 3600.0}

PandasT = TypeVar("PandasT", pd.DataFrame, pd.Series)


# Tables


def require_columns(frame: pd.DataFrame, *columns: str, table: str) -> None:
    """Raise `MeasureError` unless `frame` has all of `columns`.

    Examples
    --------
    >>> require_columns(pd.DataFrame({"time": [1.0]}), "time", table="items")
    """
    if not isinstance(frame, pd.DataFrame):
        raise MeasureError(f"{table} is a {type(frame).__name__}: pass the {table} DataFrame")
    missing = [column for column in columns if column not in frame.columns]
    if missing:
        raise MeasureError(
            f"the {table} frame has no column {listed(missing)}: keep it when "
            f"selecting or merging (columns given: {_shorten(frame.columns)})"
        )


def as_floats(column: pd.Series) -> FloatArray:
    """The column as float64 with NaN for missing; no copy of a float64 column.

    Raises
    ------
    MeasureError
        If the column does not hold numbers.

    Examples
    --------
    >>> as_floats(pd.Series([1, None], dtype="Int64"))
    array([ 1., nan])
    """
    try:
        return column.to_numpy(dtype="float64", na_value=np.nan)
    except (TypeError, ValueError) as error:
        raise MeasureError(
            f"column {shown(column.name)} has dtype {column.dtype}: numbers are needed; "
            "convert it with pandas.to_numeric"
        ) from error


def optional_floats(frame: pd.DataFrame, name: str) -> FloatArray:
    """A column as float64, to be read only; all NaN where the frame does not have it.

    Examples
    --------
    >>> optional_floats(pd.DataFrame({"score": [1.0]}), "time")
    array([nan])
    """
    if name in frame.columns:
        return as_floats(frame[name])
    return np.broadcast_to(np.nan, len(frame))


def flags(column: pd.Series) -> tuple[BoolArray, BoolArray]:
    """A flag column as (where it is known to be true, where it is known).

    Examples
    --------
    >>> flags(pd.Series([True, False, None], dtype="boolean"))
    (array([ True, False, False]), array([ True,  True, False]))
    """
    known = column.notna().to_numpy(dtype=bool)
    true = column.eq(True).fillna(False).to_numpy(dtype=bool)
    return true, known


# Matrices, and what belongs to their persons and items


def matrix_values(matrix: pd.DataFrame, *, what: str = "matrix", finite: bool = True) -> FloatArray:
    """Values of a persons × items frame as float64 with NaN; a view where they already are.

    Raises
    ------
    MeasureError
        If `matrix` is not a DataFrame of numbers (with `finite` of finite ones), or an item has two
        columns.

    Examples
    --------
    >>> matrix_values(pd.DataFrame({"a": [1, 0], "b": [True, None]}))
    array([[ 1.,  1.],
           [ 0., nan]])
    """
    _check_matrix(matrix, what)
    if all(dtype == np.float64 for dtype in matrix.dtypes):
        values = matrix.to_numpy()
    else:
        # One contiguous stretch per item, as pandas keeps columns.
        values = np.empty((matrix.shape[1], len(matrix))).T
        for number, (_, column) in enumerate(matrix.items()):
            values[:, number] = as_floats(column)
    if finite and (infinite := np.isinf(values)).any():
        item = matrix.columns[int(infinite.any(axis=0).argmax())]
        raise MeasureError(
            f"{what} has an infinite value on item {shown(item)}: replace it with NaN or a number"
        )
    return values


def matching_cells(
    matrix: pd.DataFrame, persons: pd.Index, items: pd.Index, *, what: str
) -> pd.DataFrame:
    """The cells of some persons and items of another matrix, in their order.

    Raises
    ------
    MeasureError
        If `matrix` is not a DataFrame, lacks a person or an item, or has one twice.

    Examples
    --------
    >>> scores = pd.DataFrame({"a": [0, 1], "b": [1, 2]}, index=["s1", "s2"])
    >>> matching_cells(scores, pd.Index(["s2"]), pd.Index(["b", "a"]), what="scores")
        b  a
    s2  2  1
    """
    _check_matrix(matrix, what)
    if not matrix.index.is_unique:
        raise MeasureError(f"{what} has repeated persons: give every person one row")
    for name, wanted, given in (
        ("persons", persons, matrix.index),
        ("items", items, matrix.columns),
    ):
        missing = int((~wanted.isin(given)).sum())
        if missing == len(wanted):
            check_label_kinds(f"the {name}' index", given, wanted, where=(what, "the other matrix"))
        if missing:
            raise MeasureError(
                f"{what} lacks {missing} of the {len(wanted)} {name}: make all matrices from the "
                "same sessions"
            )
    return matrix.reindex(index=persons, columns=items)


def _check_matrix(matrix: object, what: str) -> None:
    if not isinstance(matrix, pd.DataFrame):
        raise MeasureError(
            f"{what} is a {type(matrix).__name__}: pass a DataFrame with persons in rows and "
            "items in columns"
        )
    if not matrix.columns.is_unique:
        raise MeasureError(f"{what} has repeated column labels: give every item one column")


def person_values(
    values: PersonValues, persons: pd.Index, *, what: str, by_name: str = ""
) -> pd.Series:
    """One value per person of a matrix, in the order of its rows.

    Parameters
    ----------
    values : Series, mapping, one-column DataFrame, or sequence
        The first three are aligned by label and may lack some persons, whose value is then
        missing; a sequence has one entry per row.
    persons : Index
        Labels of the rows.
    what : str
        Name of the argument, for messages.
    by_name : str
        Call in which a column name is allowed, for messages.

    Raises
    ------
    MeasureError
        If `values` is a single value, has several columns or repeated labels, is of another
        length, or has no value for any of the persons.

    Examples
    --------
    >>> person_values({"b": 1, "a": 2}, pd.Index(["a", "b", "c"]), what="group").tolist()
    [2.0, 1.0, nan]
    """
    if isinstance(values, str):
        hint = f"; a column name works in {by_name}" if by_name else ""
        raise MeasureError(f"{what} is {shown(values)}: pass one value per person{hint}")
    labelled = _labelled(values, what)
    if labelled is not None:
        return _aligned(labelled, persons, what)
    if not pd.api.types.is_list_like(values, allow_sets=False):
        raise MeasureError(f"{what} is a {type(values).__name__}: pass one value per person")
    entries: Any = values if hasattr(values, "dtype") else list(values)
    if getattr(entries, "ndim", 1) != 1:
        raise MeasureError(f"{what} has the shape {entries.shape}: pass one value per person")
    if len(entries) != len(persons):
        raise MeasureError(
            f"{what} has {len(entries)} values for {len(persons)} persons: pass one per person"
        )
    return pd.Series(entries, index=persons)


def _aligned(values: pd.Series, persons: pd.Index, what: str) -> pd.Series:
    if values.index.equals(persons):
        return values
    if values.index.nlevels == persons.nlevels:
        found = values.reindex(persons)
        if found.notna().any():
            return found
    kinds = label_kinds(values.index, persons)
    labels = f"; its labels are {kinds[0]}, those of the rows {kinds[1]}" if kinds else ""
    raise MeasureError(
        f"{what} has no value for any of the {len(persons)} persons of the matrix: index it by "
        f"the labels of the rows ({persons.name or 'the matrix index'}){labels}"
    )


def item_values(values: object, items: pd.Index, *, what: str) -> pd.Series:
    """One value per item of a matrix: the same for all, or a mapping or Series of item → value.

    Raises
    ------
    MeasureError
        If an item has no entry, or a label is repeated.

    Examples
    --------
    >>> item_values({"a": 2, "b": 1}, pd.Index(["b", "a"]), what="max_score").tolist()
    [1, 2]
    >>> item_values(3, pd.Index(["b", "a"]), what="max_score").tolist()
    [3, 3]
    """
    labelled = _labelled(values, what)
    if labelled is None:
        if not pd.api.types.is_scalar(values):
            raise MeasureError(
                f"{what} is a {type(values).__name__}: pass one value for all items, or a "
                "mapping or Series of item → value"
            )
        return pd.Series(values, index=items)
    aligned = labelled.reindex(items)
    missing = items[aligned.isna()]
    if len(missing) == len(items):
        check_label_kinds("the index", labelled.index, items, where=(what, "the matrix"))
    if len(missing):
        raise MeasureError(f"{what} has no entry for item {shown(missing[0])}: add one")
    return aligned


def _labelled(values: object, what: str) -> pd.Series | None:
    """A Series, mapping or one-column DataFrame as a Series of unique labels; None otherwise."""
    if isinstance(values, pd.DataFrame):
        if values.shape[1] != 1:
            raise MeasureError(f"{what} has {values.shape[1]} columns: pass one of them")
        values = values.iloc[:, 0]
    elif isinstance(values, Mapping):
        values = pd.Series(dict(values))
    if not isinstance(values, pd.Series):
        return None
    if not values.index.is_unique:
        label = values.index[values.index.duplicated()][0]
        raise MeasureError(f"{what} has several values for {shown(label)}: keep one")
    return values


# Labels


def label_text(label: object) -> str:
    """A label as text; a whole number without decimals.

    One gap makes floats of a column of integers: its 2.0 is the label 2.

    Examples
    --------
    >>> [label_text(one) for one in (2.0, 2.5, 2, "2.0", True)]
    ['2', '2.5', '2', '2.0', 'True']
    """
    if isinstance(label, float | np.floating) and label.is_integer():
        return str(int(label))
    return str(label)


def whole_labels(labels: pd.Series) -> pd.Series:
    """Labels, with floats that are all whole numbers as the integers that a gap made floats of.

    Examples
    --------
    >>> whole_labels(pd.Series([2.0, 1.0, None])).tolist()
    [2, 1, <NA>]
    >>> whole_labels(pd.Series([2.5, 1.0])).tolist()
    [2.5, 1.0]
    """
    if not pd.api.types.is_float_dtype(labels.dtype):
        return labels
    known = labels.dropna().to_numpy(dtype=np.float64)
    if len(known) and np.all((np.abs(known) < 2**53) & (known == np.floor(known))):
        return labels.astype("Int64" if len(known) < len(labels) else "int64")
    return labels


# Numbers and options


def per_second(unit: TimeUnit) -> float:
    """Seconds in one `unit`.

    Examples
    --------
    >>> per_second("min")
    60.0
    """
    choice("unit", unit, get_args(TimeUnit))
    return _PER_SECOND[unit]


def choice(name: str, value: object, allowed: Iterable[object]) -> None:
    """Raise `MeasureError` unless `value` is one of `allowed`."""
    options = list(allowed)
    if not pd.api.types.is_scalar(value) or value not in options:
        raise MeasureError(f"{name} is {shown(value)}: it must be one of {options}")


def check_label_kinds(
    what: str, first: pd.Index, second: pd.Index, *, where: tuple[str, str]
) -> None:
    """Raise `MeasureError` if labels are text in one place and numbers in the other.

    For labels of which none match: such tables and matrices come from different sources.

    Examples
    --------
    >>> check_label_kinds("item", pd.Index([1]), pd.Index([2]), where=("scores", "key"))
    """
    kinds = label_kinds(first, second)
    if kinds is not None:
        raise MeasureError(
            f"{what} holds {kinds[0]} in {where[0]} and {kinds[1]} in {where[1]}, so that none "
            "match: convert one of them, for example with astype(str)"
        )


def check_fraction(name: str, value: float, *, ends: bool = False) -> None:
    """Raise `MeasureError` unless `value` lies between 0 and 1 (0 and 1 allowed with `ends`)."""
    inside = 0 <= value <= 1 if ends else 0 < value < 1
    if not inside:
        brackets = "[0, 1]" if ends else "(0, 1)"
        raise MeasureError(f"{name} is {value}: it must be in the interval {brackets}")


def check_above(name: str, value: float, bound: float = 0) -> None:
    """Raise `MeasureError` unless `value` is a finite number above `bound`."""
    if not bound < value < np.inf:
        raise MeasureError(f"{name} is {shown(value)}: it must be a number above {bound}")


# Results


def with_attrs(result: PandasT, notes: Mapping[str, object]) -> PandasT:
    """Put what was done into the result's ``attrs``, as plain JSON-safe values.

    Only for a result that was made here: it is changed in place and returned.
    """
    result.attrs = {name: _plain(value) for name, value in notes.items()}
    return result


def _plain(value: object) -> object:
    """The value as JSON knows it: NumPy numbers become Python's, NaN becomes None."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not np.isfinite(value):
        return None
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


def _shorten(columns: pd.Index, most: int = 12) -> str:
    """Column names for a message, the first few of them."""
    names = [str(column) for column in columns[:most]]
    return ", ".join(names) + (", …" if len(columns) > most else "")
