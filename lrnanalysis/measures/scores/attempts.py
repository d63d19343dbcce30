"""A learner's several sessions at one activity: their numbers, and which one to take.

An attempt is a session of one user at one activity, counted by ``dt_started``; sessions without
a start come last, equal starts follow the session's id. Discarded sessions are none unless they
are asked for. To count only, say, completed sessions, select those first.
"""

from __future__ import annotations

import pandas as pd

from lrnanalysis.measures._checks import with_attrs
from lrnanalysis.measures.matrices import Attempts, attempt_numbers, picked_attempts

__all__ = ["attempt_number", "best_attempts", "first_attempts", "last_attempts"]

_ORDER = "sessions of a user at an activity by dt_started"


def attempt_number(sessions: pd.DataFrame, *, keep_discarded: bool = False) -> pd.Series:
    """Number of every session among its user's sessions at its activity, from 1.

    Parameters
    ----------
    sessions : DataFrame
        The sessions table; ``session_id``, ``user_id``, ``activity_id``, ``dt_started`` and,
        where it is there, ``status`` are read.
    keep_discarded : bool, default False
        Whether discarded sessions count.

    Returns
    -------
    Series of Int64
        ``attempt_number``, one value a row, with the frame's index; NA for a session that is
        discarded or has no user.

    Raises
    ------
    MeasureError
        If a column is missing.

    Examples
    --------
    >>> sessions = pd.DataFrame({
    ...     "session_id": ["b", "a"], "user_id": "u", "activity_id": "x",
    ...     "dt_started": pd.to_datetime(["2025-01-02", "2025-01-01"], utc=True),
    ... })
    >>> attempt_number(sessions).tolist()
    [2, 1]
    """
    number = attempt_numbers(sessions, keep_discarded=keep_discarded)
    values = pd.arrays.IntegerArray(number, number == 0)
    result = pd.Series(values, index=sessions.index, name="attempt_number")
    return with_attrs(result, _notes(sessions, _ORDER, keep_discarded))


def first_attempts(sessions: pd.DataFrame, *, keep_discarded: bool = False) -> pd.Series:
    """Whether each session is its user's first at its activity.

    Parameters
    ----------
    sessions, keep_discarded
        As for `attempt_number`.

    Returns
    -------
    Series of bool
        ``first_attempt``, one value a row, with the frame's index: select with it.

    Raises
    ------
    MeasureError
        If a column is missing.

    Examples
    --------
    >>> sessions = pd.DataFrame({
    ...     "session_id": ["b", "a"], "user_id": "u", "activity_id": "x",
    ...     "dt_started": pd.to_datetime(["2025-01-02", "2025-01-01"], utc=True),
    ... })
    >>> sessions[first_attempts(sessions)]["session_id"].tolist()
    ['a']
    """
    return _picked(sessions, "first", f"first of the {_ORDER}", keep_discarded)


def last_attempts(sessions: pd.DataFrame, *, keep_discarded: bool = False) -> pd.Series:
    """Whether each session is its user's last at its activity.

    Parameters
    ----------
    sessions, keep_discarded
        As for `attempt_number`.

    Returns
    -------
    Series of bool
        ``last_attempt``, one value a row, with the frame's index: select with it.

    Raises
    ------
    MeasureError
        If a column is missing.

    Examples
    --------
    >>> sessions = pd.DataFrame({
    ...     "session_id": ["b", "a"], "user_id": "u", "activity_id": "x",
    ...     "dt_started": pd.to_datetime(["2025-01-02", "2025-01-01"], utc=True),
    ... })
    >>> last_attempts(sessions).tolist()
    [True, False]
    """
    return _picked(sessions, "last", f"last of the {_ORDER}", keep_discarded)


def best_attempts(sessions: pd.DataFrame, *, keep_discarded: bool = False) -> pd.Series:
    """Whether each session is its user's best at its activity.

    The best has the highest share of points, score / max_score (the bare score where no
    highest score is known); of equal ones the earliest. A session without a score is the best
    only where none has one.

    Parameters
    ----------
    sessions, keep_discarded
        As for `attempt_number`; ``score`` and, where it is there, ``max_score`` are read too.

    Returns
    -------
    Series of bool
        ``best_attempt``, one value a row, with the frame's index: select with it.

    Raises
    ------
    MeasureError
        If a column is missing.

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
    rule = f"highest score / max_score of the {_ORDER}; of equal ones the earliest"
    return _picked(sessions, "best", rule, keep_discarded)


def _picked(
    sessions: pd.DataFrame, attempts: Attempts, rule: str, keep_discarded: bool
) -> pd.Series:
    values = picked_attempts(sessions, attempts, keep_discarded=keep_discarded)
    result = pd.Series(values, index=sessions.index, name=f"{attempts}_attempt")
    return with_attrs(result, _notes(sessions, rule, keep_discarded))


def _notes(sessions: pd.DataFrame, rule: str, keep_discarded: bool) -> dict[str, object]:
    discarded = "counted" if keep_discarded else "not counted"
    if "status" not in sessions.columns:
        discarded = "not known: no column status"
    return {"rule": rule, "discarded": discarded}
