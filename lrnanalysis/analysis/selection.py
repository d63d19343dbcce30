"""Which sessions an analysis rests on, and how many each rule left out."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from lrnanalysis.analysis.decisions import Decisions
from lrnanalysis.errors import MeasureError, shown
from lrnanalysis.measures._checks import BoolArray, IntArray, check_label_kinds
from lrnanalysis.measures.matrices import Keys, factorise
from lrnanalysis.measures.scores import pick_attempts
from lrnanalysis.tables.learners import named_users
from lrnanalysis.tables.schema import STATUSES

__all__ = ["Selection", "select_sessions", "session_positions"]


@dataclass(frozen=True, eq=False)
class Selection:
    """The sessions that count.

    Attributes
    ----------
    kept : array of bool, shape (sessions,)
        Which rows of the sessions table count.
    flow : DataFrame
        One row per rule, in the order of application (index ``step``): ``left_out`` sessions, and
        the ``sessions`` and ``learners`` that remain.
    """

    kept: BoolArray
    flow: pd.DataFrame


def session_positions(sessions: pd.DataFrame, column: pd.Series) -> IntArray:
    """Row of the sessions table that each row of another table belongs to; -1 for none."""
    if column.isna().any():
        raise MeasureError(
            f"{int(column.isna().sum())} of {len(column)} rows have no session_id: drop them with "
            'dropna(subset=["session_id"])'
        )
    keys = factorise(column)
    places = pd.Index(sessions["session_id"]).get_indexer(keys.labels)
    if (places < 0).all():
        check_label_kinds(
            "session_id",
            pd.Index(sessions["session_id"]),
            keys.labels,
            where=("sessions", "the other table"),
        )
    return np.append(places, -1).astype(np.int32)[keys.codes]


def select_sessions(
    sessions: pd.DataFrame,
    decisions: Decisions,
    *,
    item_sessions: IntArray,
    item_keys: Keys,
) -> Selection:
    """Apply the decisions on who counts, one after the other.

    Parameters
    ----------
    sessions : DataFrame
        The sessions table.
    decisions : Decisions
        ``activity``, ``status``, ``attempts`` and ``unit`` are read.
    item_sessions : array of int
        Row of the sessions table of every row of the items table; -1 for none.
    item_keys : Keys
        Item of every row of the items table.

    Raises
    ------
    MeasureError
        No session remains, an activity or a status does not occur, or several activities without
        an item in common remain and none was chosen.
    """
    kept = np.ones(len(sessions), dtype=bool)
    users = named_users(sessions["user_id"])
    steps = [("in the study", 0, *_sizes(users, kept))]

    def leave_out(step: str, gone: BoolArray, *, always: bool = False) -> None:
        gone = gone & kept
        if always or gone.any():
            kept[gone] = False
            steps.append((step, int(gone.sum()), *_sizes(users, kept)))

    if decisions.activities is not None:
        leave_out("other activities", ~_is_one_of(sessions, "activity_id", decisions.activities))
    if decisions.statuses:
        counted = _is_one_of(sessions, "status", decisions.statuses)
        names = sessions["status"].astype("str").str.strip().fillna("(missing)")
        for name in sorted(names[kept & ~counted].unique()):
            leave_out(f"status {name}", (names == name).to_numpy(dtype=bool) & ~counted)
    shown = np.zeros(len(sessions), dtype=bool)
    shown[item_sessions[item_sessions >= 0]] = True
    leave_out("no item shown", ~shown)
    if decisions.attempts != "all" or decisions.unit == "user":
        leave_out("no user_id", users.isna().to_numpy(dtype=bool))
    if decisions.attempts != "all":
        picked = np.zeros(len(sessions), dtype=bool)
        # Discarded sessions are not attempts unless the analysis asked for them.
        counted_sessions = sessions[kept].drop(columns="status")
        picked[np.flatnonzero(kept)] = pick_attempts(
            counted_sessions, decisions.attempts, adjusted=decisions.score == "adjusted"
        )
        leave_out("other attempts", ~picked, always=True)
    if decisions.activities is None:
        _check_connected(sessions, kept, item_sessions, item_keys)
    flow = pd.DataFrame(steps, columns=["step", "left_out", "sessions", "learners"])
    if not kept.any():
        said = ", ".join(f"{step} {n:,}" for step, n, *_ in steps[1:])
        raise MeasureError(
            f"no session of {len(sessions):,} remains ({said}): change the decisions"
            if len(sessions)
            else "the study holds no sessions: there is nothing to analyse"
        )
    return Selection(kept, flow.set_index("step"))


def _sizes(users: pd.Series, kept: BoolArray) -> tuple[int, int]:
    return int(kept.sum()), int(users[kept].nunique())


def _is_one_of(sessions: pd.DataFrame, column: str, wanted: Sequence[str]) -> BoolArray:
    """Whether each session has one of the values wanted; statuses without regard to case.

    A documented status may be one that no session has; any other value must occur.
    """
    keys = factorise(sessions[column])
    there = [str(label).strip() for label in keys.labels]
    what, known = "activity", there
    if column == "status":
        what, known = "status", list(dict.fromkeys([*STATUSES, *there]))

    def fold(name: str) -> str:
        return name.casefold() if column == "status" else name

    for value in wanted:
        if fold(value) not in {fold(name) for name in known}:
            near = difflib.get_close_matches(value, known, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"choose from {', '.join(known)}"
            raise MeasureError(f"{what} {shown(value)} does not occur in the study: {hint}")
    folded = {fold(value) for value in wanted}
    hits = np.array([*(fold(name) in folded for name in there), False])
    found: BoolArray = hits[keys.codes]
    return found


def _check_connected(
    sessions: pd.DataFrame, kept: BoolArray, item_sessions: IntArray, item_keys: Keys
) -> None:
    """Raise unless items in common hold the activities together."""
    activities = factorise(sessions["activity_id"])
    of_session = np.where(kept, activities.codes, -1)
    names = activities.labels[np.unique(of_session[of_session >= 0])]
    if len(names) < 2:
        return
    of_row = np.append(of_session, -1)[item_sessions]
    rows = (of_row >= 0) & (item_keys.codes >= 0)
    used = np.zeros((len(activities.labels), len(item_keys.labels)), dtype=bool)
    used[of_row[rows], item_keys.codes[rows]] = True
    used = used[used.any(axis=1)]
    reached = used[0]
    while True:
        wider = used[(used & reached).any(axis=1)].any(axis=0)
        if (wider == reached).all():
            break
        reached = wider
    if (used & reached).any(axis=1).all():
        return
    counts = sessions.loc[kept, "activity_id"].value_counts()
    listed = ", ".join(f"{name!r} ({n:,} sessions)" for name, n in counts[counts > 0].items())
    raise MeasureError(
        f"the study holds {len(names)} activities without an item in common: {listed}. Choose one "
        f"of them, such as study.analysis(activity={str(counts.index[0])!r}); pass several to "
        "analyse them together all the same"
    )
