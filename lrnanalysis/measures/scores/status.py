"""Status and progress of sessions; scores after adjustment."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from lrnanalysis.arguments import checked
from lrnanalysis.measures._checks import (
    BoolArray,
    FloatArray,
    IntArray,
    as_floats,
    optional_floats,
    require_columns,
    with_attrs,
)
from lrnanalysis.measures.matrices import check_unique_key, factorise, factorise_columns, names_of
from lrnanalysis.tables.schema import STATUSES

__all__ = [
    "adjusted_scores",
    "has_status",
    "is_completed",
    "is_discarded",
    "is_incomplete",
    "is_pending_scoring",
    "is_status",
    "progress",
    "status_counts",
    "status_table",
]


def has_status(sessions: pd.DataFrame, status: str) -> BoolArray:
    """Whether each session's status is `status`, compared without case or outer white space."""
    require_columns(sessions, "status", table="sessions")
    check_unique_key(sessions, "sessions")
    keys = factorise(sessions["status"])
    wanted = status.strip().casefold()
    same = [str(label).strip().casefold() == wanted for label in keys.labels]
    found: BoolArray = np.array([*same, False])[keys.codes]
    return found


@checked
def is_status(sessions: pd.DataFrame, status: str) -> pd.Series:
    """Whether each session has a status, compared without case.

    Parameters
    ----------
    sessions : DataFrame
        The sessions table; ``status`` is read.
    status : str
        Any status; the endpoint documents Incomplete, Completed, Discarded and Pending Scoring.

    Returns
    -------
    Series of bool
        One value per row, with the frame's index; False where the status is missing.

    Raises
    ------
    MeasureError
        There is no column ``status``.

    Examples
    --------
    >>> is_status(pd.DataFrame({"status": ["completed", "Discarded"]}), "Completed").tolist()
    [True, False]
    """
    name = "is_" + "_".join(status.casefold().split())
    return pd.Series(has_status(sessions, status), index=sessions.index, name=name)


@checked
def is_completed(sessions: pd.DataFrame) -> pd.Series:
    """Whether each session was submitted and fully scored: status Completed.

    A submitted session that waits for a marker is Pending Scoring, not Completed. See
    `is_status`.

    Examples
    --------
    >>> is_completed(pd.DataFrame({"status": ["Completed", "Incomplete"]})).tolist()
    [True, False]
    """
    return is_status(sessions, "Completed")


@checked
def is_incomplete(sessions: pd.DataFrame) -> pd.Series:
    """Whether each session was saved and not submitted: status Incomplete. See `is_status`.

    Examples
    --------
    >>> is_incomplete(pd.DataFrame({"status": ["Completed", "Incomplete"]})).tolist()
    [False, True]
    """
    return is_status(sessions, "Incomplete")


@checked
def is_pending_scoring(sessions: pd.DataFrame) -> pd.Series:
    """Whether each session waits for a marker: status Pending Scoring. See `is_status`.

    Examples
    --------
    >>> is_pending_scoring(pd.DataFrame({"status": ["Completed", "Pending Scoring"]})).tolist()
    [False, True]
    """
    return is_status(sessions, "Pending Scoring")


@checked
def is_discarded(sessions: pd.DataFrame) -> pd.Series:
    """Whether each session was set aside by an administrator: status Discarded. See `is_status`.

    Examples
    --------
    >>> is_discarded(pd.DataFrame({"status": ["Completed", "Discarded"]})).tolist()
    [False, True]
    """
    return is_status(sessions, "Discarded")


@checked
def status_counts(sessions: pd.DataFrame, by: str | Sequence[str] | None = None) -> pd.Series:
    """Number of sessions of every status, discarded ones included.

    Parameters
    ----------
    sessions : DataFrame
        The sessions table; ``status`` and `by` are read.
    by : str or list of str, optional
        Columns to count by, any of the frame's.

    Returns
    -------
    Series of int64
        ``sessions``, indexed by ``status``; with `by` by its columns and ``status`` (``unstack``
        makes a table). The four documented statuses always occur, in whatever case they were
        spelt; others follow unchanged, a missing one as ``"(missing)"``. Rows without a value of
        `by` are left out.

    Raises
    ------
    MeasureError
        A column is missing.

    Examples
    --------
    >>> status_counts(pd.DataFrame({"status": ["Completed", "completed", "Odd"]})).to_dict()
    {'Incomplete': 0, 'Completed': 2, 'Discarded': 0, 'Pending Scoring': 0, 'Odd': 1}
    """
    if by is None:
        require_columns(sessions, "status", table="sessions")
        check_unique_key(sessions, "sessions")
        codes, statuses = _statuses(sessions)
        counts = np.bincount(codes, minlength=len(statuses))
        labels = pd.Index(statuses, name="status", dtype="str")
        return pd.Series(counts, index=labels, name="sessions")
    table = status_table(sessions, by)
    groups = [table.index.get_level_values(at) for at in range(table.index.nlevels)]
    index = pd.MultiIndex.from_arrays(
        [
            *(level.repeat(table.shape[1]) for level in groups),
            [*table.columns] * len(table),
        ],
        names=[*table.index.names, "status"],
    )
    return pd.Series(table.to_numpy().reshape(-1), index=index, name="sessions")


def status_table(sessions: pd.DataFrame, by: str | Sequence[str]) -> pd.DataFrame:
    """Number of sessions: one row per group, one column per status."""
    require_columns(sessions, "status", *names_of(by), table="sessions")
    check_unique_key(sessions, "sessions")
    codes, statuses = _statuses(sessions)
    groups = factorise_columns(sessions, by)
    inside = groups.codes >= 0
    flat = groups.codes[inside].astype(np.int64) * len(statuses) + codes[inside]
    counts = np.bincount(flat, minlength=len(groups.labels) * len(statuses))
    return pd.DataFrame(
        counts.reshape(-1, len(statuses)),
        index=groups.labels,
        columns=pd.Index(statuses, dtype="str"),
    )


@checked
def progress(sessions: pd.DataFrame) -> pd.Series:
    """Share of every session's questions that were attempted.

    Parameters
    ----------
    sessions : DataFrame
        The sessions table; ``num_attempted`` and ``num_questions`` are read.

    Returns
    -------
    Series
        ``progress`` (0 to 1), one value per row, with the frame's index; NaN where a number is
        missing or there is no question.

    Raises
    ------
    MeasureError
        A column is missing.

    Examples
    --------
    >>> progress(pd.DataFrame({"num_attempted": [1, 0], "num_questions": [2, 0]})).tolist()
    [0.5, nan]
    """
    require_columns(sessions, "num_attempted", "num_questions", table="sessions")
    check_unique_key(sessions, "sessions")
    values = _ratio(as_floats(sessions["num_attempted"]), as_floats(sessions["num_questions"]))
    result = pd.Series(values, index=sessions.index, name="progress")
    return with_attrs(result, {"rule": "num_attempted / num_questions"})


def adjusted_scores(frame: pd.DataFrame) -> FloatArray:
    """Scores after adjustment [points], of sessions or responses."""
    after = optional_floats(frame, "score_after_adjustment")
    change = np.nan_to_num(optional_floats(frame, "adjustment_points"))
    adjusted: FloatArray = np.where(np.isnan(after), as_floats(frame["score"]) + change, after)
    return adjusted


def _ratio(part: FloatArray, whole: FloatArray) -> FloatArray:
    """Part over whole; NaN where the whole is not above 0."""
    ratio = np.full(len(part), np.nan)
    np.divide(part, whole, out=ratio, where=whole > 0)
    return ratio


def _statuses(sessions: pd.DataFrame) -> tuple[IntArray, list[str]]:
    """A code for every row, and the names of the statuses."""
    keys = factorise(sessions["status"])
    folded = {status.casefold(): status for status in STATUSES}
    names = list(STATUSES)
    place = []
    for label in keys.labels:
        text = str(label).strip()
        name = folded.setdefault(text.casefold(), text)
        if name not in names:
            names.append(name)
        place.append(names.index(name))
    if (keys.codes < 0).any():
        names.append("(missing)")
    place.append(len(names) - 1)
    return np.array(place)[keys.codes], names
