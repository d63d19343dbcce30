"""A learner's several sessions at one activity: their numbers, and which one to take.

An attempt is a session of one learner at one activity, counted by ``dt_started``; sessions
without a start come last, equal starts follow the session's id. Discarded sessions are not
attempts, nor are those of nobody, whose ``user_id`` is missing, empty or white space. To count
only, say, completed sessions, select those first.
"""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
import pandas as pd

from lrnanalysis.arguments import checked
from lrnanalysis.measures._checks import (
    BoolArray,
    FloatArray,
    IntArray,
    choice,
    require_columns,
    with_attrs,
)
from lrnanalysis.measures.matrices import check_unique_key, factorise
from lrnanalysis.measures.scores.percent import marked_share
from lrnanalysis.measures.scores.status import has_status
from lrnanalysis.tables.learners import is_nobody
from lrnanalysis.tables.times import timestamps

__all__ = [
    "Attempts",
    "attempt_number",
    "best_attempts",
    "first_attempts",
    "last_attempts",
    "pick_attempts",
]

#: Which of a learner's sessions at an activity are kept.
Attempts = Literal["first", "last", "best", "all"]

_ORDER = "sessions of a user at an activity by dt_started"


@checked
def attempt_number(sessions: pd.DataFrame) -> pd.Series:
    """Number of every session among its user's sessions at its activity, from 1.

    Parameters
    ----------
    sessions : DataFrame
        The sessions table; ``session_id``, ``user_id``, ``activity_id``, ``dt_started`` and,
        if present, ``status`` are read.

    Returns
    -------
    Series of Int64
        ``attempt_number``, one value per row, with the frame's index; NA for a session that is
        discarded or has no user.

    Raises
    ------
    MeasureError
        A column is missing, a session occurs twice, or ``dt_started`` does not hold timestamps.

    Examples
    --------
    >>> sessions = pd.DataFrame({
    ...     "session_id": ["b", "a"], "user_id": "u", "activity_id": "x",
    ...     "dt_started": pd.to_datetime(["2025-01-02", "2025-01-01"], utc=True),
    ... })
    >>> attempt_number(sessions).tolist()
    [2, 1]
    """
    _, number, _ = _attempts(sessions)
    values = pd.arrays.IntegerArray(number, number == 0)
    result = pd.Series(values, index=sessions.index, name="attempt_number")
    return with_attrs(result, _notes(sessions, _ORDER))


@checked
def first_attempts(sessions: pd.DataFrame) -> pd.Series:
    """Whether each session is its user's first at its activity.

    Parameters
    ----------
    sessions
        As for `attempt_number`.

    Returns
    -------
    Series of bool
        ``first_attempt``, one value per row, with the frame's index: select with it.

    Raises
    ------
    MeasureError
        A column is missing, a session occurs twice, or ``dt_started`` does not hold timestamps.

    Examples
    --------
    >>> sessions = pd.DataFrame({
    ...     "session_id": ["b", "a"], "user_id": "u", "activity_id": "x",
    ...     "dt_started": pd.to_datetime(["2025-01-02", "2025-01-01"], utc=True),
    ... })
    >>> sessions[first_attempts(sessions)]["session_id"].tolist()
    ['a']
    """
    return _picked(sessions, "first", f"first of the {_ORDER}")


@checked
def last_attempts(sessions: pd.DataFrame) -> pd.Series:
    """Whether each session is its user's last at its activity.

    Parameters
    ----------
    sessions
        As for `attempt_number`.

    Returns
    -------
    Series of bool
        ``last_attempt``, one value per row, with the frame's index: select with it.

    Raises
    ------
    MeasureError
        A column is missing, a session occurs twice, or ``dt_started`` does not hold timestamps.

    Examples
    --------
    >>> sessions = pd.DataFrame({
    ...     "session_id": ["b", "a"], "user_id": "u", "activity_id": "x",
    ...     "dt_started": pd.to_datetime(["2025-01-02", "2025-01-01"], utc=True),
    ... })
    >>> last_attempts(sessions).tolist()
    [True, False]
    """
    return _picked(sessions, "last", f"last of the {_ORDER}")


@checked
def best_attempts(sessions: pd.DataFrame, *, adjusted: bool = False) -> pd.Series:
    """Whether each session is its user's best at its activity.

    The best has the highest share of the points marked, see `score_percent` (the bare score where
    no highest score is known); of equal ones the earliest. A session without a score is the best
    only where none has one.

    Parameters
    ----------
    sessions
        As for `attempt_number`; ``score`` and, if present, ``max_score`` are read too.
    adjusted : bool, default False
        Take scores after adjustment, see `score_percent`.

    Returns
    -------
    Series of bool
        ``best_attempt``, one value per row, with the frame's index: select with it.

    Raises
    ------
    MeasureError
        A column is missing, a session occurs twice, or ``dt_started`` does not hold timestamps.

    Examples
    --------
    >>> sessions = pd.DataFrame({
    ...     "session_id": ["b", "a"], "user_id": "u", "activity_id": "x",
    ...     "dt_started": pd.to_datetime(["2025-01-02", "2025-01-01"], utc=True),
    ...     "score": [7.0, 5.0], "max_score": 10.0,
    ... })
    >>> best_attempts(sessions).tolist()
    [True, False]
    """
    rule = f"highest share of the points marked of the {_ORDER}; of equal ones the earliest"
    return _picked(sessions, "best", rule, adjusted=adjusted)


@checked
def pick_attempts(
    sessions: pd.DataFrame, attempts: Attempts, *, adjusted: bool = False
) -> BoolArray:
    """Which sessions are the first, last, best or any ("all") attempt, one flag per row.

    Raises
    ------
    MeasureError
        `attempts` is unknown, or a column is missing.
    """
    choice("attempts", attempts, get_args(Attempts))
    if attempts == "all":
        return ~_discarded(sessions)
    counted, number, pair = _attempts(sessions)
    if attempts == "first":
        first: BoolArray = number == 1
        return first
    rows = np.flatnonzero(counted)
    by = (
        (-number[rows],)
        if attempts == "last"
        else (number[rows], -_share(sessions, adjusted)[rows])
    )
    ordered = rows[np.lexsort((*by, pair[rows]))]
    picked = np.zeros(len(sessions), dtype=bool)
    picked[ordered[_is_head(pair[ordered])]] = True
    return picked


def _discarded(sessions: pd.DataFrame) -> BoolArray:
    if "status" not in sessions.columns:
        return np.zeros(len(sessions), dtype=bool)
    return has_status(sessions, "Discarded")


def _attempts(sessions: pd.DataFrame) -> tuple[BoolArray, IntArray, IntArray]:
    """Which sessions count, the number of each (0: none), and its learner-activity pair."""
    require_columns(
        sessions, "session_id", "user_id", "activity_id", "dt_started", table="sessions"
    )
    check_unique_key(sessions, "sessions")
    users, activities = factorise(sessions["user_id"]), factorise(sessions["activity_id"])
    counted = ~is_nobody(sessions["user_id"]) & ~_discarded(sessions)
    # A missing activity (code -1) is an activity of its own.
    pair = users.codes.astype(np.int64) * (len(activities.labels) + 1) + activities.codes + 1
    rows = np.flatnonzero(counted)
    starts = timestamps(sessions, "dt_started")[0]
    started = starts.iloc[rows].to_numpy(dtype="datetime64[us]")
    ids, _ = pd.factorize(sessions["session_id"].iloc[rows], sort=True)
    ordered = rows[np.lexsort((ids, started, pair[rows]))]
    heads = _is_head(pair[ordered])
    place = np.arange(len(ordered))
    number = np.zeros(len(sessions), dtype=np.int64)
    number[ordered] = place - np.maximum.accumulate(np.where(heads, place, 0)) + 1
    return counted, number, pair


def _is_head(values: IntArray) -> BoolArray:
    """Whether each row of a sorted array begins a new value."""
    heads = np.ones(len(values), dtype=bool)
    heads[1:] = values[1:] != values[:-1]
    return heads


def _share(sessions: pd.DataFrame, adjusted: bool) -> FloatArray:
    """Share of points of every session; below every number where there is no score."""
    require_columns(sessions, "score", table="sessions")
    return np.nan_to_num(marked_share(sessions, adjusted=adjusted), nan=-np.inf)


def _picked(
    sessions: pd.DataFrame, attempts: Attempts, rule: str, *, adjusted: bool = False
) -> pd.Series:
    values = pick_attempts(sessions, attempts, adjusted=adjusted)
    result = pd.Series(values, index=sessions.index, name=f"{attempts}_attempt")
    return with_attrs(result, _notes(sessions, rule))


def _notes(sessions: pd.DataFrame, rule: str) -> dict[str, object]:
    discarded = "not counted" if "status" in sessions.columns else "unknown: no column status"
    return {"rule": rule, "discarded": discarded}
