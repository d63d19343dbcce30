"""What the measures ask of their arguments: columns, units, numbers; and notes on results.

Pure helpers; every failure is a `MeasureError` that says what was given and what to do.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal, TypeVar, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd

from lrnanalysis.errors import MeasureError

__all__ = [
    "BoolArray",
    "FloatArray",
    "IntArray",
    "TimeUnit",
    "as_floats",
    "check_fraction",
    "choice",
    "flags",
    "per_second",
    "require_columns",
    "with_attrs",
]

BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.integer]

#: Units in which times are returned: seconds, minutes, hours.
TimeUnit = Literal["s", "min", "h"]

_PER_SECOND: Mapping[str, float] = {"s": 1.0, "min": 60.0, "h": 3600.0}

PandasT = TypeVar("PandasT", pd.DataFrame, pd.Series)


def require_columns(frame: pd.DataFrame, *columns: str, table: str) -> None:
    """Raise `MeasureError` unless `frame` has every one of `columns`.

    Examples
    --------
    >>> require_columns(pd.DataFrame({"time": [1.0]}), "time", table="items")
    """
    if not isinstance(frame, pd.DataFrame):
        raise MeasureError(f"{table} is a {type(frame).__name__}: give the {table} DataFrame")
    missing = [column for column in columns if column not in frame.columns]
    if missing:
        raise MeasureError(
            f"the {table} frame has no column {', '.join(map(repr, missing))}: keep it when "
            f"selecting or merging (columns given: {_shorten(frame.columns)})"
        )


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
    if value not in options:
        raise MeasureError(f"{name} is {value!r}: it must be one of {options}")


def check_fraction(name: str, value: float, *, ends: bool = False) -> None:
    """Raise `MeasureError` unless `value` lies between 0 and 1 (0 and 1 allowed with `ends`)."""
    inside = 0 <= value <= 1 if ends else 0 < value < 1
    if not inside:
        brackets = "[0, 1]" if ends else "(0, 1)"
        raise MeasureError(f"{name} is {value}: it must be in the interval {brackets}")


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
            f"column {column.name!r} has dtype {column.dtype}: numbers are needed; "
            "convert it with pandas.to_numeric"
        ) from error


def flags(column: pd.Series) -> tuple[BoolArray, BoolArray]:
    """A flag column as (true where it is known to be true, true where it is known).

    Examples
    --------
    >>> flags(pd.Series([True, False, None], dtype="boolean"))
    (array([ True, False, False]), array([ True,  True, False]))
    """
    known = column.notna().to_numpy(dtype=bool)
    true = column.eq(True).fillna(False).to_numpy(dtype=bool)
    return true, known


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
