"""How time was spread over the test: cumulative time by items done, and time by position."""

from __future__ import annotations

import numpy as np
import pandas as pd

from lrnanalysis.arguments import checked
from lrnanalysis.errors import MeasureError
from lrnanalysis.measures._checks import (
    TimeUnit,
    as_floats,
    check_fraction,
    per_second,
    require_columns,
    with_attrs,
)
from lrnanalysis.measures.matrices import session_rows
from lrnanalysis.measures.timing.item_times import time_summary
from lrnanalysis.measures.timing.session_times import time_limits
from lrnanalysis.tables.times import usable_times

__all__ = ["pacing", "time_by_position"]


@checked
def pacing(
    items: pd.DataFrame,
    *,
    limit: pd.Series | None = None,
    band: tuple[float, float] = (0.1, 0.9),
    unit: TimeUnit = "s",
) -> pd.DataFrame:
    """Cumulative time on screen after the first k items: median and band over sessions.

    A session's curve ends with its last item that has a time; an item before it without one (or
    with 0) adds nothing. Negative and infinite times count as missing. Curves over different
    numbers of sessions are not comparable: see ``n``, slow learners who run out of time leave it.

    Parameters
    ----------
    items : DataFrame
        The items table; ``session_id``, ``time`` [s] and, for the order, ``position`` are read.
    limit : Series, optional
        Time limit [s] by ``session_id``: the result is then the share of the limit. Sessions
        without a limit are left out.
    band : (float, float), default (0.1, 0.9)
        Quantiles of the band.
    unit : {"s", "min", "h"}, default "s"
        Unit of the cumulative time.

    Returns
    -------
    DataFrame
        One row per k (index ``items_done``): ``n`` sessions, ``median``, ``low``, ``high``
        [unit, or share of the limit].

    Raises
    ------
    MeasureError
        A column is missing, or no session has a limit.

    Warns
    -----
    DataWarning
        Times are negative or infinite.

    Examples
    --------
    >>> items = pd.DataFrame({
    ...     "session_id": ["s", "s", "t", "t"], "position": [1, 2, 1, 2],
    ...     "time": [10.0, 20.0, 30.0, 40.0],
    ... })
    >>> pacing(items)["median"].tolist()
    [20.0, 50.0]
    """
    require_columns(items, "session_id", "time", table="items")
    low, high = band
    check_fraction("band", low, ends=True)
    check_fraction("band", high, ends=True)
    rows = session_rows(items)
    times, unusable = usable_times(as_floats(items["time"]), "item times")
    times = rows.grouped(times)
    timed = times > 0
    amount = np.where(timed, times, 0.0)
    total, first = np.cumsum(amount), rows.spread(rows.starts)
    cumulative = total - (total - amount)[first]
    so_far = np.cumsum(timed)
    inside = timed | (so_far < rows.spread(so_far[rows.ends]))
    if limit is not None:
        limits = time_limits(limit, rows.labels)
        if np.isnan(limits).all():
            raise MeasureError("no session of the items has a time limit: pass limits above 0 [s]")
        cumulative = cumulative / rows.spread(limits)
        inside &= ~np.isnan(cumulative)
    else:
        cumulative = cumulative / per_second(unit)
    place = np.arange(1, rows.n + 1) - first
    curves = pd.Series(cumulative[inside]).groupby(place[inside])
    result = pd.DataFrame(
        {
            "n": curves.size(),
            "median": curves.median(),
            "low": curves.quantile(low),
            "high": curves.quantile(high),
        }
    ).rename_axis("items_done")
    rule = "cumulative time on screen up to a session's last item with a time"
    return with_attrs(
        result,
        {
            "unit": unit if limit is None else "share of the limit",
            "rule": rule,
            "band": list(band),
            **unusable,
        },
    )


@checked
def time_by_position(items: pd.DataFrame, *, unit: TimeUnit = "s") -> pd.DataFrame:
    """Descriptive statistics of the time on screen by position in the session.

    In one fixed form every position is one item: a change along the test may be that of the
    items. Positions indicate fatigue or hurry only where forms or orders differ.

    Parameters
    ----------
    items : DataFrame
        The items table; ``position`` and ``time`` [s] are read, ``item_reference`` where it
        occurs.
    unit : {"s", "min", "h"}, default "s"
        Unit of the result.

    Returns
    -------
    DataFrame
        As `time_summary`, one row per position in increasing order, with ``items``, the number of
        different items at the position (1: position and item are confounded).

    Raises
    ------
    MeasureError
        A column is missing or `unit` is unknown.

    Examples
    --------
    >>> items = pd.DataFrame({
    ...     "position": [1, 2, 1, 2], "item_reference": ["a", "b", "b", "a"],
    ...     "time": [10.0, 20.0, 30.0, 40.0],
    ... })
    >>> time_by_position(items)[["items", "mean"]].values.tolist()
    [[2.0, 20.0], [2.0, 30.0]]
    """
    require_columns(items, "position", "time", table="items")
    result = time_summary(items, "position", unit=unit).sort_index()
    attrs = {str(name): value for name, value in result.attrs.items()}
    if "item_reference" in items.columns:
        different = items.groupby("position")["item_reference"].nunique()
        result.insert(0, "items", different.reindex(result.index).astype("int64"))
        if len(result) and bool((result["items"] == 1).all()):
            attrs["confounded"] = "one fixed form: position and item are confounded"
    return with_attrs(result, attrs)
