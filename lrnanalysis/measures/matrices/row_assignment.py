"""Which sessions enter an analysis: discarded ones, attempts, and rows per session or per user.

An attempt is a session of one user at one activity. Attempts are counted in the order of
``dt_started``; a session without it comes after those with it, equal ones follow their ids, so
that the order of the frame's rows never matters.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import pandas as pd

from lrnanalysis.errors import MeasureError
from lrnanalysis.measures._checks import (
    BoolArray,
    FloatArray,
    IntArray,
    as_floats,
    choice,
    require_columns,
)
from lrnanalysis.measures.matrices.keys import factorise
from lrnanalysis.measures.matrices.session_rows import SessionRows, session_rows

__all__ = [
    "Attempts",
    "Chosen",
    "RowKey",
    "attempt_numbers",
    "choose_sessions",
    "has_status",
    "picked_attempts",
    "without_discarded",
]

#: Which of a user's sessions at an activity are kept.
Attempts = Literal["first", "last", "best", "all"]

#: What a matrix has rows of.
RowKey = Literal["session_id", "user_id"]

#: Session columns that an items or responses frame may carry after a merge. Its ``score`` is
#: not among them: there it is the item's or the response's.
_MERGED = ("user_id", "activity_id", "status", "dt_started")


@dataclass(frozen=True, eq=False)
class Chosen:
    """The matrix rows that sessions go to.

    Attributes
    ----------
    row : array of int, shape (sessions of the long table,)
        Matrix row of every session; -1 for a session that is left out.
    index : Index
        Labels of the matrix rows.
    notes : dict
        What was done, for ``attrs``.
    """

    row: IntArray
    index: pd.Index
    notes: Mapping[str, object]


def has_status(sessions: pd.DataFrame, status: str) -> BoolArray:
    """Whether each session's status is `status`, compared without case or outer white space."""
    require_columns(sessions, "status", table="sessions")
    keys = factorise(sessions["status"])
    wanted = status.strip().casefold()
    same = [str(label).strip().casefold() == wanted for label in keys.labels]
    return _at(np.array(same, dtype=bool), keys.codes)


def attempt_numbers(sessions: pd.DataFrame, *, keep_discarded: bool = False) -> IntArray:
    """Number of every session among its user's sessions at its activity, from 1; 0 for none.

    Discarded sessions (unless kept) and sessions without a user have none.
    """
    counted, pair = _pairs(sessions, keep_discarded)
    number = np.zeros(len(sessions), dtype=np.int64)
    rows = np.flatnonzero(counted)
    ordered = rows[_by_start(sessions, rows, pair)]
    heads = _heads(pair[ordered])
    number[ordered] = np.arange(len(ordered)) - np.maximum.accumulate(heads) + 1
    return number


def picked_attempts(
    sessions: pd.DataFrame, attempts: Attempts, *, keep_discarded: bool = False
) -> BoolArray:
    """Which sessions are the first, last, best or any ("all") attempt.

    The best attempt has the highest share of points (score / max_score; the bare score where no
    max_score is given). Of equal ones the earliest counts; one without a score is never best
    unless none has a score.
    """
    choice("attempts", attempts, get_args(Attempts))
    if attempts == "all" and (keep_discarded or "status" not in sessions.columns):
        return np.ones(len(sessions), dtype=bool)
    if attempts == "all":
        return ~has_status(sessions, "Discarded")
    number = attempt_numbers(sessions, keep_discarded=keep_discarded)
    if attempts == "first":
        first: BoolArray = number == 1
        return first
    counted, pair = _pairs(sessions, keep_discarded)
    rows = np.flatnonzero(counted)
    if attempts == "last":
        ordered = rows[np.lexsort((-number[rows], pair[rows]))]
    else:
        ordered = rows[np.lexsort((number[rows], -_share(sessions)[rows], pair[rows]))]
    picked = np.zeros(len(sessions), dtype=bool)
    picked[ordered[_heads(pair[ordered]) == np.arange(len(ordered))]] = True
    return picked


def choose_sessions(
    table: pd.DataFrame,
    grouped: SessionRows,
    *,
    sessions: pd.DataFrame | None,
    rows: RowKey,
    attempts: Attempts | None,
    keep_discarded: bool,
) -> Chosen:
    """Send every session of a long table to a matrix row, or leave it out.

    Parameters
    ----------
    table : DataFrame
        Items or responses. Columns of the sessions that a merge put there serve where
        `sessions` is not given.
    grouped : SessionRows
        The table's sessions.
    sessions : DataFrame or None
        The sessions; those that it does not hold are left out.
    rows : {"session_id", "user_id"}
        What the matrix has rows of.
    attempts : {"first", "last", "best", "all"} or None
        None means "all" for rows of sessions and "first" for rows of users.
    keep_discarded : bool
        Whether sessions with the status Discarded stay.

    Raises
    ------
    MeasureError
        If users, activities or statuses are needed and not known.
    """
    choice("rows", rows, get_args(RowKey))
    wanted: Attempts = attempts or ("all" if rows == "session_id" else "first")
    choice("attempts", wanted, get_args(Attempts))
    place: IntArray
    if sessions is None:
        known = _known_sessions(table, grouped)
        place = np.arange(len(known))
    else:
        known = sessions
        place = _places(known, grouped)
    if sessions is None and wanted == "best":
        raise MeasureError('attempts="best" needs the sessions\' scores: give sessions=')
    if rows == "user_id" and "user_id" not in known.columns:
        raise MeasureError(
            'rows="user_id" needs to know the users: give sessions=, or merge user_id and '
            "activity_id into the frame"
        )
    notes: dict[str, object] = {"rows": rows, "attempts": wanted}
    kept = place >= 0
    notes["sessions_not_in_sessions_frame"] = int((~kept).sum())
    notes["discarded"] = "kept" if keep_discarded else "not known: give sessions="
    if "status" in known.columns and not keep_discarded:
        discarded = _at(has_status(known, "Discarded"), place)
        notes["discarded"] = f"left out: {int(discarded.sum())} sessions"
        kept &= ~discarded
    if wanted != "all":
        picked = _at(picked_attempts(known, wanted, keep_discarded=keep_discarded), place)
        notes["sessions_of_other_attempts"] = int((kept & ~picked).sum())
        kept &= picked
    row = np.full(len(place), -1, dtype=np.int64)
    if rows == "session_id":
        row[kept] = np.arange(int(kept.sum()))
        labels = grouped.labels if kept.all() else grouped.labels[kept]
        return Chosen(row, labels.rename("session_id"), notes)
    users = factorise(known["user_id"].iloc[place[kept]])
    row[kept] = users.codes
    notes["sessions_without_user"] = int((users.codes < 0).sum())
    return Chosen(row, users.labels.rename("user_id"), notes)


def without_discarded(
    table: pd.DataFrame, sessions: pd.DataFrame | None
) -> tuple[BoolArray | None, dict[str, object]]:
    """Which rows of a long table belong to sessions that count, and what to say of it.

    Sessions count that `sessions` holds and that are not discarded. None where nothing is known:
    no sessions given, and no column ``status`` in the table.
    """
    if sessions is None and "status" not in table.columns:
        return None, {"discarded": "not known: give sessions="}
    grouped = session_rows(table, shown=False)
    chosen = choose_sessions(
        table, grouped, sessions=sessions, rows="session_id", attempts="all", keep_discarded=False
    )
    kept = grouped.as_frame(np.repeat(chosen.row >= 0, grouped.lengths))
    said = ("discarded", "sessions_not_in_sessions_frame")
    return kept, {name: chosen.notes[name] for name in said}


def _places(sessions: pd.DataFrame, grouped: SessionRows) -> IntArray:
    """Row of every session of a long table in the sessions frame; -1 for none."""
    require_columns(sessions, "session_id", table="sessions")
    ids = pd.Index(sessions["session_id"])
    if ids.equals(grouped.labels):
        return np.arange(len(ids))
    if not ids.is_unique:
        raise MeasureError(
            "a session_id stands in more than one row of the sessions frame: keep one of each "
            'with sessions.drop_duplicates("session_id")'
        )
    place: IntArray = ids.get_indexer(grouped.labels)
    return place


def _known_sessions(table: pd.DataFrame, grouped: SessionRows) -> pd.DataFrame:
    """What a long table says of its sessions itself: the first row of each."""
    columns = [column for column in _MERGED if column in table.columns]
    heads = grouped.starts if grouped.order is None else grouped.order[grouped.starts]
    known = table[columns].iloc[heads].reset_index(drop=True)
    return known.assign(session_id=grouped.labels)


def _at(values: BoolArray, place: IntArray) -> BoolArray:
    """The values at `place`; false where it is -1."""
    padded: BoolArray = np.append(values, False)
    return padded[place]


def _pairs(sessions: pd.DataFrame, keep_discarded: bool) -> tuple[BoolArray, IntArray]:
    """Which sessions count as attempts, and the user-and-activity pair that each belongs to."""
    require_columns(
        sessions, "session_id", "user_id", "activity_id", "dt_started", table="sessions"
    )
    users = factorise(sessions["user_id"])
    activities = factorise(sessions["activity_id"])
    counted = users.codes >= 0
    if not keep_discarded and "status" in sessions.columns:
        counted = counted & ~has_status(sessions, "Discarded")
    # A missing activity (code -1) is an activity of its own.
    width = len(activities.labels) + 1
    return counted, users.codes.astype(np.int64) * width + activities.codes + 1


def _by_start(sessions: pd.DataFrame, rows: IntArray, pair: IntArray) -> IntArray:
    """Order of `rows` by pair, then start; equal starts by session id."""
    started = sessions["dt_started"].iloc[rows].to_numpy(dtype="datetime64[us]")
    order = np.lexsort((started, pair[rows]))
    pairs, starts = pair[rows][order], started[order]
    same = (starts[1:] == starts[:-1]) | (np.isnat(starts[1:]) & np.isnat(starts[:-1]))
    if not (same & (pairs[1:] == pairs[:-1])).any():
        return order
    ids, _ = pd.factorize(sessions["session_id"].iloc[rows], sort=True)
    return np.lexsort((ids, started, pair[rows]))


def _heads(values: IntArray) -> IntArray:
    """For each row of a sorted array its own number where a new value begins, else 0."""
    heads = np.arange(len(values))
    heads[1:][values[1:] == values[:-1]] = 0
    return heads


def _share(sessions: pd.DataFrame) -> FloatArray:
    """Share of points of every session; below every number where there is no score."""
    require_columns(sessions, "score", table="sessions")
    share = as_floats(sessions["score"]).copy()
    if "max_score" in sessions.columns:
        most = as_floats(sessions["max_score"])
        np.divide(share, most, out=share, where=most > 0)
    share[np.isnan(share)] = -np.inf
    return share
