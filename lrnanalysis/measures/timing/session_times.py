"""How long a session took: active, elapsed and idle time.

Definitions follow the Data API's page on the session duration: the active time sums the items'
times, the elapsed time runs from start to completion, including saved gaps. The
``session_duration`` field is the latter in whole minutes, rounded, so timestamps are used.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from lrnanalysis.arguments import checked
from lrnanalysis.errors import MeasureError
from lrnanalysis.measures._checks import (
    FloatArray,
    TimeUnit,
    as_floats,
    check_label_kinds,
    per_second,
    require_columns,
    with_attrs,
)
from lrnanalysis.measures.matrices import check_unique_key
from lrnanalysis.tables.times import timestamps, usable_times
from lrnanalysis.warnings import DataWarning, warn

__all__ = [
    "active_seconds",
    "active_share",
    "elapsed_seconds",
    "elapsed_time",
    "idle_time",
    "session_active_time",
]

_ACTIVE = "sum of the items' times on screen"
_ELAPSED = "dt_completed - dt_started, saved gaps included"
_IDLE = "elapsed - active, never clipped"

#: Timestamps are whole seconds: a shortfall up to this is rounding [s].
_ROUNDING = 1.0


@checked
def session_active_time(sessions: pd.DataFrame, *, unit: TimeUnit = "s") -> pd.Series:
    """Time on screen of every session: the sum of its items' times.

    Pauses are not counted, time in a hidden browser tab is. A session in which no item has a time
    is NaN, not 0; so is one whose ``active_time`` is negative or infinite, with a warning.

    Parameters
    ----------
    sessions : DataFrame
        The sessions table; ``active_time`` [s] is read.
    unit : {"s", "min", "h"}, default "s"
        Unit of the result.

    Returns
    -------
    Series
        ``active_time`` [unit], one value per row, with the frame's index.

    Raises
    ------
    MeasureError
        The column is missing or `unit` is unknown.

    Warns
    -----
    DataWarning
        Active times are negative or infinite.

    See Also
    --------
    active_time : the same from the items table, by any column.

    Examples
    --------
    >>> sessions = pd.DataFrame({"active_time": [85.0 + 65 + 70]})
    >>> session_active_time(sessions, unit="min").round(2).tolist()
    [3.67]
    """
    seconds, unusable = active_seconds(sessions)
    result = _series(sessions, seconds, "active_time", unit, _ACTIVE)
    result.attrs.update(unusable)
    return result


@checked
def elapsed_time(sessions: pd.DataFrame, *, unit: TimeUnit = "s") -> pd.Series:
    """Time from start to completion of every session, by its timestamps.

    Saved gaps are included. A session that is not completed has no elapsed time: NaN. The
    ``session_duration`` field is not used: it is in whole minutes, off by up to one, and 0 on an
    Incomplete session means unknown.

    Parameters
    ----------
    sessions : DataFrame
        The sessions table; ``dt_started`` and ``dt_completed`` are read.
    unit : {"s", "min", "h"}, default "s"
        Unit of the result.

    Returns
    -------
    Series
        ``elapsed_time`` [unit], one value per row, with the frame's index. Negative values are
        kept, with a warning, and counted in ``attrs``: the session ends before it starts.

    Raises
    ------
    MeasureError
        A column is missing or does not hold timestamps, one has a time zone and the other has none,
        or `unit` is unknown.

    Warns
    -----
    DataWarning
        Sessions end before they start.

    Examples
    --------
    >>> sessions = pd.DataFrame({
    ...     "dt_started": pd.to_datetime(["2023-03-03T12:23:35Z"]),
    ...     "dt_completed": pd.to_datetime(["2023-03-04T16:57:15Z"]),
    ... })
    >>> elapsed_time(sessions, unit="min").round(2).tolist()
    [1713.67]
    """
    seconds = elapsed_seconds(sessions)
    result = _series(sessions, seconds, "elapsed_time", unit, _ELAPSED)
    result.attrs["negative"] = int((seconds < 0).sum())
    return result


@checked
def idle_time(sessions: pd.DataFrame, *, unit: TimeUnit = "s") -> pd.Series:
    """Elapsed less active time of every session: pauses, and gaps while it was saved.

    It is never clipped. A negative value means that the items' times add up to more than the
    elapsed time: such sessions are inconsistent; they are kept, counted in ``attrs`` and, beyond
    the rounding of timestamps to the second, reported by a warning.

    Parameters
    ----------
    sessions : DataFrame
        The sessions table; ``active_time``, ``dt_started`` and ``dt_completed`` are read.
    unit : {"s", "min", "h"}, default "s"
        Unit of the result.

    Returns
    -------
    Series
        ``idle_time`` [unit], one value per row, with the frame's index; NaN where one of the two
        times is unknown.

    Raises
    ------
    MeasureError
        As for `elapsed_time`.

    Warns
    -----
    DataWarning
        Sessions end before they start, their idle time is negative, or active times are negative
        or infinite.

    Examples
    --------
    >>> sessions = pd.DataFrame({
    ...     "dt_started": pd.to_datetime(["2025-01-01T09:00:00Z"]),
    ...     "dt_completed": pd.to_datetime(["2025-01-01T09:10:00Z"]),
    ...     "active_time": [480.0],
    ... })
    >>> idle_time(sessions, unit="min").tolist()
    [2.0]
    """
    active, unusable = active_seconds(sessions)
    elapsed = elapsed_seconds(sessions)
    seconds = elapsed - active
    _warn_of_negative(
        np.where(elapsed >= 0, seconds, np.nan),
        "have items' times that add up to more than their elapsed time",
        "values are kept",
    )
    result = _series(sessions, seconds, "idle_time", unit, _IDLE)
    result.attrs.update(unusable, negative=int((seconds < 0).sum()))
    return result


@checked
def active_share(sessions: pd.DataFrame) -> pd.Series:
    """Share of the elapsed time of every session that was spent on screen.

    Parameters
    ----------
    sessions : DataFrame
        The sessions table; ``active_time``, ``dt_started`` and ``dt_completed`` are read.

    Returns
    -------
    Series
        ``active_share`` (0 to 1; above 1 where idle time is negative), one
        value per row, with the frame's index; NaN where the elapsed time is unknown or not
        positive.

    Raises
    ------
    MeasureError
        As for `elapsed_time`.

    Warns
    -----
    DataWarning
        Sessions end before they start, or active times are negative or infinite.

    Examples
    --------
    >>> sessions = pd.DataFrame({
    ...     "dt_started": pd.to_datetime(["2025-01-01T09:00:00Z"]),
    ...     "dt_completed": pd.to_datetime(["2025-01-01T09:10:00Z"]),
    ...     "active_time": [480.0],
    ... })
    >>> active_share(sessions).tolist()
    [0.8]
    """
    active, unusable = active_seconds(sessions)
    elapsed = elapsed_seconds(sessions)
    share = np.full(len(sessions), np.nan)
    np.divide(active, elapsed, out=share, where=elapsed > 0)
    result = pd.Series(share, index=sessions.index, name="active_share")
    notes = {"rule": "active / elapsed", "active": _ACTIVE, "elapsed": _ELAPSED}
    not_positive = int((elapsed <= 0).sum())
    return with_attrs(result, {**notes, **unusable, "elapsed_not_positive": not_positive})


def time_limits(limit: pd.Series, sessions: pd.Index) -> FloatArray:
    """Time limit of each session [s]; NaN where there is none above 0, or it is infinite."""
    if not isinstance(limit, pd.Series) or not limit.index.is_unique:
        what = (
            "has several values for a session"
            if isinstance(limit, pd.Series)
            else f"is a {type(limit).__name__}"
        )
        raise MeasureError(f"limit {what}: pass a Series with one value [s] per session_id")
    check_label_kinds("the index", limit.index, sessions, where=("limit", "the sessions"))
    found = as_floats(limit.reindex(sessions))
    return np.where((found > 0) & (found < np.inf), found, np.nan)


def active_seconds(sessions: pd.DataFrame) -> tuple[FloatArray, dict[str, int]]:
    """Active times, NaN where negative or infinite, and how many are; with a warning of those."""
    require_columns(sessions, "active_time", table="sessions")
    check_unique_key(sessions, "sessions")
    return usable_times(as_floats(sessions["active_time"]), "active times")


def elapsed_seconds(sessions: pd.DataFrame, fate: str = "values are kept") -> FloatArray:
    """Seconds from start to completion, NaN where either is missing.

    Warns of negative ones, with what becomes of them.
    """
    require_columns(sessions, "dt_started", "dt_completed", table="sessions")
    check_unique_key(sessions, "sessions")
    started, completed = timestamps(sessions, "dt_started", "dt_completed")
    seconds = as_floats((completed - started).dt.total_seconds())
    _warn_of_negative(seconds, "end before they start (dt_completed < dt_started)", fate)
    return seconds


def _series(
    sessions: pd.DataFrame, seconds: FloatArray, name: str, unit: TimeUnit, rule: str
) -> pd.Series:
    values = pd.Series(seconds / per_second(unit), index=sessions.index, name=name)
    return with_attrs(values, {"unit": unit, "rule": rule})


def _warn_of_negative(seconds: FloatArray, what: str, fate: str) -> None:
    count = int((seconds < -_ROUNDING).sum())
    if count:
        warn(
            f"{count} of {len(seconds)} sessions {what}: inconsistent data, {fate}",
            DataWarning,
        )
