"""One row per group of sessions: counts, statuses, scores and times."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from lrnanalysis.arguments import checked
from lrnanalysis.measures._checks import (
    TimeUnit,
    per_second,
    with_attrs,
)
from lrnanalysis.measures.matrices import factorise_columns
from lrnanalysis.measures.scores.percent import UnmarkedPoints, score_percent
from lrnanalysis.measures.scores.status import (
    has_status,
    progress,
    status_table,
)
from lrnanalysis.measures.timing.session_times import active_seconds, elapsed_seconds
from lrnanalysis.tables.learners import named_users
from lrnanalysis.tables.times import timestamps

__all__ = ["session_summary"]


@checked
def session_summary(
    sessions: pd.DataFrame,
    by: str | Sequence[str] = "activity_id",
    *,
    unit: TimeUnit = "min",
    adjusted: bool = False,
    unmarked: UnmarkedPoints = "exclude",
) -> pd.DataFrame:
    """Sessions by activity or any other column.

    Status counts include all sessions; everything else excludes discarded ones.

    Parameters
    ----------
    sessions : DataFrame
        The sessions table; ``status`` and `by` are needed, other columns are read where it has
        them.
    by : str or list of str, default "activity_id"
        Columns to group by. Rows without a value there are left out.
    unit : {"s", "min", "h"}, default "min"
        Unit of the times.
    adjusted : bool, default False
        Use scores after adjustment, see `score_percent`.
    unmarked : {"exclude", "nan", "zero"}, default "exclude"
        What becomes of points that await a mark, see `score_percent`.

    Returns
    -------
    DataFrame
        One row per group: ``sessions``, one column of counts per status, and of the sessions that
        are not discarded ``users``, ``progress`` (mean share of the questions attempted),
        ``score_percent`` and ``score_percent_sd`` (mean and SD of those with a score; by default of
        the points marked), ``active_time`` and ``elapsed_time`` (medians) [unit], ``first_start``
        and ``last_start``. A column whose sources the frame lacks is left out.

    Raises
    ------
    MeasureError
        A column is missing, `unit` or `unmarked` is unknown, or timestamps cannot be compared.

    Warns
    -----
    DataWarning
        Active times are negative or infinite, or sessions end before they start: they are left out
        of the medians; or it is not known how many points await a mark, see `score_percent`.

    Examples
    --------
    >>> sessions = pd.DataFrame({
    ...     "activity_id": "numeracy", "status": ["Completed", "Completed", "Discarded"],
    ...     "score": [5.0, 10.0, 0.0], "max_score": 10.0, "active_time": [60.0, 180.0, 1.0],
    ... })
    >>> session_summary(sessions)[["sessions", "score_percent", "active_time"]].values.tolist()
    [[3.0, 75.0, 2.0]]
    """
    seconds = per_second(unit)
    result = status_table(sessions, by)
    result.insert(0, "sessions", result.sum(axis=1))
    keys = factorise_columns(sessions, by)
    kept = ~has_status(sessions, "Discarded") & (keys.codes >= 0)
    rows = sessions[kept]
    group = pd.Series(keys.codes[kept].astype(np.int64), index=rows.index)
    places = pd.RangeIndex(len(keys.labels))

    def add(name: str, values: pd.Series) -> None:
        result[name] = values.reindex(places).array

    if "user_id" in rows.columns:
        users = named_users(rows["user_id"])
        add("users", users.groupby(group).nunique().reindex(places, fill_value=0))
    if {"num_attempted", "num_questions"} <= set(rows.columns):
        add("progress", progress(rows).groupby(group).mean())
    notes: dict[str, object] = {
        "unit": unit,
        "discarded": f"left out of all but the counts: {int(result['Discarded'].sum())} sessions",
    }
    if {"score", "max_score"} <= set(rows.columns):
        percent = score_percent(rows, adjusted=adjusted, unmarked=unmarked)
        add("score_percent", percent.groupby(group).mean())
        add("score_percent_sd", percent.groupby(group).std())
        notes["score_percent"] = dict(percent.attrs)
    if "active_time" in rows.columns:
        active, unusable = active_seconds(rows)
        add("active_time", pd.Series(active, rows.index).groupby(group).median() / seconds)
        notes |= unusable
    if {"dt_started", "dt_completed"} <= set(rows.columns):
        elapsed = elapsed_seconds(rows, "they are left out of the median")
        known = pd.Series(np.where(elapsed >= 0, elapsed, np.nan), rows.index)
        add("elapsed_time", known.groupby(group).median() / seconds)
        notes["negative_elapsed_times"] = int((elapsed < 0).sum())
    if "dt_started" in rows.columns:
        starts = timestamps(rows, "dt_started")[0].groupby(group)
        add("first_start", starts.min())
        add("last_start", starts.max())
    return with_attrs(result, notes)
