"""Times that look like placeholders or time-outs instead of measurements."""

from __future__ import annotations

import numpy as np
import pandas as pd

from lrnanalysis.arguments import checked
from lrnanalysis.measures._checks import (
    FloatArray,
    as_floats,
    require_columns,
    with_attrs,
)
from lrnanalysis.measures.matrices import check_unique_key, person_keys
from lrnanalysis.measures.timing.session_times import time_limits
from lrnanalysis.tables.times import usable_times

__all__ = ["repeated_large_times", "suspicious_times"]

#: A value must occur this often to stand out.
_FEWEST = 10

#: And this many times as often as any other value near it.
_TIMES_NEIGHBOUR = 5

#: Values within this factor are near.
_NEAR = 1.25


@checked
def suspicious_times(items: pd.DataFrame, *, limit: pd.Series | None = None) -> pd.DataFrame:
    """Exact large times that repeat, and times at the limit without a score.

    A **repeated large value** is above the 90th percentile of all times, occurs at least 10
    times, and at least 5 times as often as any other value within a factor 1.25 of it: a
    placeholder such as 9999, or a time-out; negative and infinite times are counted in ``attrs``.
    **At the limit**: rows whose time is the session's
    ``max_time`` or more and whose score is missing or 0. Nothing is changed.

    Parameters
    ----------
    items : DataFrame
        The items table; ``time`` [s] is read, ``score`` where it occurs.
    limit : Series, optional
        Time limit [s] by ``session_id``; by default the column ``max_time`` where `items` has it.

    Returns
    -------
    DataFrame
        One row per finding: ``time`` [s] (of the limit, for times at the limit), ``n`` (rows),
        ``reason``. Empty if there is none.

    Raises
    ------
    MeasureError
        A column is missing.

    Warns
    -----
    DataWarning
        Times are negative or infinite.

    Examples
    --------
    >>> items = pd.DataFrame({"time": [*range(1, 200), *[9999] * 12]})
    >>> suspicious_times(items)[["time", "n"]].values.tolist()
    [[9999.0, 12.0]]
    """
    require_columns(items, "time", table="items")
    check_unique_key(items, "items")
    times, unusable = usable_times(as_floats(items["time"]), "item times")
    found = [
        (value, int((times == value).sum()), "one exact large value repeats")
        for value in repeated_large_times(times)
    ]
    limits = _limits(items, limit)
    if limits is not None:
        score = as_floats(items["score"]) if "score" in items.columns else np.zeros(len(items))
        stopped = (times >= limits) & ~(score > 0)
        values, counts = np.unique(limits[stopped], return_counts=True)
        found += [
            (float(value), int(count), "at max_time or beyond it, without points")
            for value, count in zip(values, counts, strict=True)
        ]
    result = pd.DataFrame(found, columns=["time", "n", "reason"]).astype(
        {"time": "float64", "n": "int64", "reason": "str"}
    )
    return with_attrs(result, {"unit": "s", "rows": len(items), **unusable})


def repeated_large_times(times: FloatArray) -> list[float]:
    """Values that stand out by their count among large times, most frequent first."""
    positive = times[times > 0]
    if len(positive) < _FEWEST:
        return []
    large = positive[positive >= np.quantile(positive, 0.9) / _NEAR]
    values, counts = np.unique(large, return_counts=True)
    above = values > np.quantile(positive, 0.9)
    found = []
    for place in np.flatnonzero(above & (counts >= _FEWEST)):
        low = np.searchsorted(values, values[place] / _NEAR, side="left")
        high = np.searchsorted(values, values[place] * _NEAR, side="right")
        near = np.delete(counts[low:high], place - low)
        if counts[place] >= _TIMES_NEIGHBOUR * near.max(initial=0):
            found.append((int(counts[place]), float(values[place])))
    return [value for _, value in sorted(found, reverse=True)]


def _limits(items: pd.DataFrame, limit: pd.Series | None) -> FloatArray | None:
    """Every row's time limit [s]; None where none is known."""
    if limit is None:
        return as_floats(items["max_time"]) if "max_time" in items.columns else None
    require_columns(items, "session_id", table="items")
    keys = person_keys(items, "session_id")
    return time_limits(limit, keys.labels)[keys.codes]
