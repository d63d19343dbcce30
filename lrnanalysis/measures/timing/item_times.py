"""How long items took: sums, descriptive statistics, persons × items matrices.

A time of 0 is not a fast answer: it has no logarithm and counts as "no time" in every statistic
here but the sum, to which it adds nothing. Negative and infinite times are faults of the data: they
count as missing everywhere, with a warning, and ``attrs`` counts them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from lrnanalysis.arguments import checked
from lrnanalysis.measures._checks import (
    FloatArray,
    IntArray,
    TimeUnit,
    as_floats,
    check_fraction,
    per_second,
    require_columns,
    with_attrs,
)
from lrnanalysis.measures.matrices import (
    MatrixBuilder,
    check_unique_key,
    factorise_columns,
    names_of,
    person_keys,
    required_keys,
)
from lrnanalysis.measures.timing.suspicious import repeated_large_times
from lrnanalysis.tables.times import sum_times, usable_times
from lrnanalysis.warnings import DataWarning, warn

__all__ = ["active_time", "time_matrix", "time_summary"]

_NO_TIME = "times that are missing, 0, negative or infinite do not count"


@checked
def active_time(
    items: pd.DataFrame, by: str | Sequence[str] = "session_id", *, unit: TimeUnit = "s"
) -> pd.Series:
    """Sum of the items' times on screen per group.

    Pauses are not counted, time in a hidden browser tab is. A missing time adds nothing, and a
    group in which no item has a time is NaN, not 0. A negative or infinite time is inconsistent:
    it counts as missing, with a warning.

    Parameters
    ----------
    items : DataFrame
        The items table; ``time`` [s] and `by` are read.
    by : str or list of str, default "session_id"
        Columns to group by, any of the frame's. Rows without a value there are left out.
    unit : {"s", "min", "h"}, default "s"
        Unit of the result.

    Returns
    -------
    Series
        ``active_time`` [unit], one value per group, indexed by `by`: in order of first
        appearance, of a category column in category order. ``attrs`` counts the times left out.

    Raises
    ------
    MeasureError
        A column is missing or `unit` is unknown.

    Warns
    -----
    DataWarning
        Times are negative or infinite.

    Examples
    --------
    >>> items = pd.DataFrame({"session_id": ["s", "s", "s"], "time": [85.0, 65.0, 70.0]})
    >>> active_time(items).tolist(), active_time(items, unit="min").round(2).tolist()
    ([220.0], [3.67])
    """
    require_columns(items, *names_of(by), "time", table="items")
    divisor = per_second(unit)
    keys = factorise_columns(items, by)
    check_unique_key(items, "items", {by: keys} if isinstance(by, str) else {})
    times, unusable = usable_times(as_floats(items["time"]), "item times")
    sums = sum_times(times, keys.codes, len(keys.labels))
    result = pd.Series(sums / divisor, index=keys.labels, name="active_time")
    rule = "sum of item times; a group without any time is missing"
    return with_attrs(result, {"unit": unit, "rule": rule, **unusable})


@checked
def time_summary(
    items: pd.DataFrame,
    by: str | Sequence[str] = "item_reference",
    *,
    quantiles: Sequence[float] = (0.1, 0.25, 0.75, 0.9),
    unit: TimeUnit = "s",
) -> pd.DataFrame:
    """Descriptive statistics of the times on screen per group.

    Times are skewed: read the geometric mean and the median beside the mean. ``ln_mean`` and
    ``ln_sd`` are those of ln t with t in seconds, whatever the unit.

    Parameters
    ----------
    items : DataFrame
        The items table; ``time`` [s] and `by` are read.
    by : str or list of str, default "item_reference"
        Columns to group by.
    quantiles : sequence of float, default (0.1, 0.25, 0.75, 0.9)
        Quantiles to add, each between 0 and 1; linear between order statistics.
    unit : {"s", "min", "h"}, default "s"
        Unit of the statistics of t.

    Returns
    -------
    DataFrame
        One row per group: ``n`` (times above 0), ``n_without`` (rows whose time is missing, 0,
        negative or infinite), ``mean``, ``sd``, ``median``, ``geometric_mean``, a column
        ``q10`` … for each quantile [all unit], ``ln_mean`` and ``ln_sd`` [ln s]. SDs divide by
        n - 1.

    Raises
    ------
    MeasureError
        A column is missing, `unit` is unknown or a quantile is out of range.

    Warns
    -----
    DataWarning
        If one exact large value occurs suspiciously often, see `suspicious_times`; or times are
        negative or infinite.

    Examples
    --------
    >>> items = pd.DataFrame({"item_reference": ["a"] * 4, "time": [10.0, 40.0, 20.0, 0.0]})
    >>> summary = time_summary(items)
    >>> summary[["n", "n_without", "median", "geometric_mean"]].round(3).values.tolist()
    [[3.0, 1.0, 20.0, 20.0]]
    """
    require_columns(items, *names_of(by), "time", table="items")
    divisor = per_second(unit)
    for quantile in quantiles:
        check_fraction("a quantile", quantile, ends=True)
    keys = factorise_columns(items, by)
    check_unique_key(items, "items", {by: keys} if isinstance(by, str) else {})
    times, unusable = usable_times(as_floats(items["time"]), "item times")
    suspicious = repeated_large_times(times)
    if suspicious:
        warn(
            f"the time {suspicious[0]:g} s occurs suspiciously often (placeholder or time-out?): "
            "look at suspicious_times before averaging",
            DataWarning,
        )
    timed = (times > 0) & (keys.codes >= 0)
    groups = len(keys.labels)
    total = np.bincount(keys.codes[keys.codes >= 0], minlength=groups)
    codes, values = keys.codes[timed], times[timed]
    n = np.bincount(codes, minlength=groups)
    mean, sd = _mean_sd(codes, values, n)
    ln_mean, ln_sd = _mean_sd(codes, np.log(values), n)
    ordered = _sorted_within(codes, values, n)
    columns: dict[str, FloatArray | IntArray] = {
        "n": n,
        "n_without": total - n,
        "mean": mean / divisor,
        "sd": sd / divisor,
        "median": _quantile(ordered, n, 0.5) / divisor,
        "geometric_mean": np.exp(ln_mean) / divisor,
    }
    for quantile in quantiles:
        columns[f"q{100 * quantile:g}"] = _quantile(ordered, n, quantile) / divisor
    columns |= {"ln_mean": ln_mean, "ln_sd": ln_sd}
    result = pd.DataFrame(columns, index=keys.labels)
    return with_attrs(result, {"unit": unit, "rule": _NO_TIME, **unusable})


@checked
def time_matrix(
    items: pd.DataFrame, *, rows: str = "session_id", unit: TimeUnit = "s"
) -> pd.DataFrame:
    """Times on screen as a persons × items matrix.

    Parameters
    ----------
    items : DataFrame
        The items table; `rows`, ``item_reference`` and ``time`` [s] are read.
    rows : str, default "session_id"
        Column that names the persons.
    unit : {"s", "min", "h"}, default "s"
        Unit of the result.

    Returns
    -------
    DataFrame
        float64 times [unit]; NaN where an item was not administered or has no time (missing, 0,
        negative or infinite). Rows in order of appearance; columns in category order, or
        of appearance where ``item_reference`` is text.

    Raises
    ------
    MeasureError
        A column is missing, or two rows fall on one cell.

    Warns
    -----
    DataWarning
        Times are negative or infinite.

    Examples
    --------
    >>> items = pd.DataFrame({
    ...     "session_id": ["s", "s", "t"], "item_reference": ["a", "b", "a"],
    ...     "time": [85.0, 65.0, 0.0],
    ... })
    >>> time_matrix(items).to_dict("list")
    {'a': [85.0, nan], 'b': [65.0, nan]}
    """
    require_columns(items, rows, "item_reference", "time", table="items")
    divisor = per_second(unit)
    times, unusable = usable_times(as_floats(items["time"]), "item times")
    timed = times > 0
    builder = MatrixBuilder(person_keys(items, rows), required_keys(items, "item_reference"))
    matrix = builder.numbers(np.where(timed, times, np.nan) / divisor)
    without = int(np.count_nonzero(~timed))
    notes = {"unit": unit, "rule": _NO_TIME, "rows_without_time": without, **unusable}
    return with_attrs(matrix, notes)


def _mean_sd(codes: IntArray, values: FloatArray, n: IntArray) -> tuple[FloatArray, FloatArray]:
    """Mean and SD (n - 1) of every group; NaN where there are too few values."""
    mean = np.full(len(n), np.nan)
    np.divide(np.bincount(codes, weights=values, minlength=len(n)), n, out=mean, where=n > 0)
    squares = np.bincount(codes, weights=(values - mean[codes]) ** 2, minlength=len(n))
    variance = np.full(len(n), np.nan)
    np.divide(squares, n - 1, out=variance, where=n > 1)
    return mean, np.sqrt(variance)


def _sorted_within(codes: IntArray, values: FloatArray, n: IntArray) -> FloatArray:
    """Values group by group, sorted inside each group."""
    ordered = values[np.argsort(codes, kind="stable")]
    start = 0
    for stop in np.cumsum(n).tolist():
        ordered[start:stop].sort()
        start = stop
    return ordered


def _quantile(ordered: FloatArray, n: IntArray, quantile: float) -> FloatArray:
    """A quantile of every group of `ordered`, linear between order statistics."""
    result = np.full(len(n), np.nan)
    some = n > 0
    place = quantile * (n[some] - 1)
    low = np.floor(place).astype(np.int64)
    high = np.minimum(low + 1, n[some] - 1)
    first = (np.cumsum(n) - n)[some]
    weight = place - low
    result[some] = (1 - weight) * ordered[first + low] + weight * ordered[first + high]
    return result
