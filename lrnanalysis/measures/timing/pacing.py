"""How time was spread over the test: cumulative time by items done, and time by position."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd

from lrnanalysis.errors import MeasureError
from lrnanalysis.measures._checks import (
    FloatArray,
    TimeUnit,
    as_floats,
    check_fraction,
    choice,
    per_second,
    require_columns,
    with_attrs,
)
from lrnanalysis.measures.matrices import SessionRows, session_rows, without_discarded
from lrnanalysis.measures.timing.item_times import time_summary

__all__ = ["pacing", "time_by_position"]


def pacing(
    items: pd.DataFrame,
    *,
    of: Literal["time", "limit"] = "time",
    sessions: pd.DataFrame | None = None,
    band: tuple[float, float] = (0.1, 0.9),
    unit: TimeUnit = "s",
) -> pd.DataFrame:
    """Cumulative time on screen after the first k items: median and band over sessions.

    A session's curve ends with its last item that has a time; an item before it without one (or
    with 0) adds nothing. Curves over different numbers of sessions are not comparable: see
    ``n``, slow learners who run out of time leave it.

    Parameters
    ----------
    items : DataFrame
        The items table; ``session_id``, ``time`` [s] and, for the order, ``position`` are read.
    of : {"time", "limit"}, default "time"
        Cumulative time, or its share of the session's ``max_time``.
    sessions : DataFrame, optional
        The sessions table, or a selection: other sessions and discarded ones are left out.
        Without it (or a column ``status`` merged into `items`) none can be; ``attrs`` says so.
        For ``of="limit"`` it must hold ``max_time`` [s].
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
        If a column is missing, or no limit is known for ``of="limit"``.

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
    choice("of", of, ("time", "limit"))
    low, high = band
    check_fraction("band", low, ends=True)
    check_fraction("band", high, ends=True)
    kept, notes = without_discarded(items, sessions)
    items = items if kept is None else items[kept]
    grouped = session_rows(items)
    times = grouped.grouped(as_floats(items["time"]))
    timed = times > 0
    amount = np.where(timed, times, 0.0)
    place, cumulative = _cumulative(grouped, amount)
    rows = np.arange(grouped.n)
    inside = np.zeros(grouped.n, dtype=bool)
    if grouped.n:
        last = np.maximum.reduceat(np.where(timed, rows, -1), grouped.starts)
        inside = rows <= np.repeat(last, grouped.lengths)
    if of == "limit":
        cumulative = cumulative / _limit(grouped, sessions)
        inside &= ~np.isnan(cumulative)
    else:
        cumulative = cumulative / per_second(unit)
    curves = pd.Series(cumulative[inside]).groupby(place[inside] + 1)
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
            "unit": unit if of == "time" else "share of max_time",
            "rule": rule,
            "band": list(band),
            **notes,
        },
    )


def time_by_position(
    items: pd.DataFrame, *, unit: TimeUnit = "s", sessions: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Descriptive statistics of the time on screen by position in the session.

    In one fixed form every position is one item: a change along the test may be that of the
    items. Only where forms or orders differ do positions tell of fatigue or hurry.

    Parameters
    ----------
    items : DataFrame
        The items table; ``position`` and ``time`` [s] are read, ``item_reference`` where it is
        there.
    unit : {"s", "min", "h"}, default "s"
        Unit of the result.
    sessions : DataFrame, optional
        The sessions table, or a selection: other sessions and discarded ones are left out.
        Without it (or a column ``status`` merged into `items`) none can be; ``attrs`` says so.

    Returns
    -------
    DataFrame
        As `time_summary`, one row a position in increasing order, with ``items``, the number of
        different items at the position (1: position and item cannot be told apart).

    Raises
    ------
    MeasureError
        If a column is missing or `unit` is unknown.

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
    result = time_summary(items, "position", unit=unit, sessions=sessions).sort_index()
    attrs = {str(name): value for name, value in result.attrs.items()}
    if "item_reference" in items.columns:
        different = items.groupby("position")["item_reference"].nunique()
        result.insert(0, "items", different.reindex(result.index).astype("int64"))
        if len(result) and bool((result["items"] == 1).all()):
            attrs["confounded"] = "one fixed form: position and item cannot be told apart"
    return with_attrs(result, attrs)


def _cumulative(grouped: SessionRows, amount: FloatArray) -> tuple[np.ndarray, FloatArray]:
    """Every row's place in its session, from 0, and the amount up to and with it."""
    if not grouped.n:
        return np.empty(0, dtype=np.int64), amount
    first = np.repeat(grouped.starts, grouped.lengths)
    total = np.cumsum(amount)
    before = (total - amount)[first]
    return np.arange(grouped.n) - first, total - before


def _limit(grouped: SessionRows, sessions: pd.DataFrame | None) -> FloatArray:
    """Every row's time limit [s], in grouped order; NaN where there is none."""
    if sessions is None:
        raise MeasureError('of="limit" needs the sessions\' max_time: give sessions=')
    require_columns(sessions, "session_id", "max_time", table="sessions")
    known = sessions.drop_duplicates("session_id")
    place = pd.Index(known["session_id"]).get_indexer(grouped.labels)
    limit = np.append(as_floats(known["max_time"]), np.nan)[place]
    if not (limit > 0).any():
        raise MeasureError("no session of the items has a max_time: a share of it is not defined")
    limit[~(limit > 0)] = np.nan
    return np.repeat(limit, grouped.lengths)
