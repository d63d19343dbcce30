"""Do the three tables hold together? Links that dangle, rows that repeat, fields that contradict.

Each check follows a sentence of the endpoint's documentation. A finding is no error: records like
these come from the service, and every one is kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import msgspec
import numpy as np
import pandas as pd

from lrnanalysis.tables.schema import STATUSES

__all__ = ["check_tables"]

_SHOWN = 3


class _Finding(NamedTuple):
    check: str
    table: str
    kind: str
    rows: pd.DataFrame
    shown: str
    meaning: str


def check_tables(
    sessions: pd.DataFrame, responses: pd.DataFrame, items: pd.DataFrame
) -> pd.DataFrame:
    """Look for links that dangle, rows that repeat and fields that contradict each other.

    Parameters
    ----------
    sessions, responses, items : DataFrame
        The tables of `lrnanalysis.tables.schema`.

    Returns
    -------
    DataFrame
        A row a finding, none where all is well. Index ``check``; columns ``table``, ``kind``
        ("dangling", "duplicate", "contradictory" or "odd"), ``count`` (rows concerned),
        ``sessions`` (sessions concerned), ``examples`` (up to three identifiers or values, never
        an answer) and ``meaning``.
    """
    findings = [
        *_links(sessions, responses, items),
        *_duplicates(sessions, responses, items),
        *_counts(sessions, responses, items),
        *_times(sessions, items),
        *_values(sessions, responses, items),
    ]
    table = pd.DataFrame(
        [
            (
                finding.check,
                finding.table,
                finding.kind,
                len(finding.rows),
                finding.rows["session_id"].nunique(),
                ", ".join(map(str, finding.rows[finding.shown].iloc[:_SHOWN])),
                finding.meaning,
            )
            for finding in findings
            if len(finding.rows)
        ],
        columns=["check", "table", "kind", "count", "sessions", "examples", "meaning"],
    )
    return table.set_index("check")


def _links(
    sessions: pd.DataFrame, responses: pd.DataFrame, items: pd.DataFrame
) -> Iterator[_Finding]:
    for name, frame in (("responses", responses), ("items", items)):
        yield _Finding(
            f"{name} without session",
            name,
            "dangling",
            frame[~frame["session_id"].isin(sessions["session_id"])],
            "session_id",
            "their session_id is not among the sessions",
        )
    named = _named_ids(items)
    yield _Finding(
        "dangling response_ids",
        "items",
        "dangling",
        named[~_pairs_in(named, responses, "response_id")],
        "response_id",
        "items name responses that their session does not hold",
    )
    given = responses[responses["item_reference"].notna()]
    yield _Finding(
        "item_reference not shown",
        "responses",
        "dangling",
        given[~_pairs_in(given, items, "item_reference")],
        "item_reference",
        "responses name an item that their session does not hold",
    )
    yield _Finding(
        "responses without item",
        "responses",
        "dangling",
        responses[responses["item_reference"].isna()],
        "response_id",
        "no item_reference, and no item of the session names them: they have no time",
    )


def _named_ids(items: pd.DataFrame) -> pd.DataFrame:
    """The ids that items name and that the responses' references do not give back."""
    kept = items.loc[items["extra"].notna(), ["session_id", "extra"]]
    ids = [
        [one for one in listed if isinstance(one, str)] if isinstance(listed, list) else []
        for listed in (msgspec.json.decode(text).get("response_ids") for text in kept["extra"])
    ]
    return pd.DataFrame(
        {
            "session_id": kept["session_id"].repeat([len(listed) for listed in ids]).to_numpy(),
            "response_id": pd.array([one for listed in ids for one in listed], dtype="str"),
        }
    )


def _pairs_in(frame: pd.DataFrame, other: pd.DataFrame, column: str) -> np.ndarray:
    """Whether each (session_id, column) of a frame is in another."""
    if frame.empty:
        return np.zeros(0, dtype=bool)
    both = pd.concat(
        [part[["session_id", column]].astype("str") for part in (frame, other)], ignore_index=True
    )
    session, identifier = (pd.factorize(both[name])[0] for name in ("session_id", column))
    key = session.astype(np.int64) * (identifier.max(initial=0) + 1) + identifier
    return np.isin(key[: len(frame)], key[len(frame) :])


def _duplicates(
    sessions: pd.DataFrame, responses: pd.DataFrame, items: pd.DataFrame
) -> Iterator[_Finding]:
    for name, frame, key in (
        ("sessions", sessions, "session_id"),
        ("responses", responses, "response_id"),
        ("items", items, "item_reference"),
    ):
        keys = list(dict.fromkeys(["session_id", key]))
        present = frame[frame[key].notna()]
        yield _Finding(
            f"repeated {key}",
            name,
            "duplicate",
            present[present.duplicated(keys)],
            key,
            "the same key stands on more than one row",
        )


def _counts(
    sessions: pd.DataFrame, responses: pd.DataFrame, items: pd.DataFrame
) -> Iterator[_Finding]:
    shown = _per_session(items, sessions)
    held = _per_session(responses, sessions)
    attempted = _per_session(responses[responses["attempted"].fillna(False)], sessions)
    known = responses.loc[responses["attempted"].isna(), "session_id"]
    questions = sessions["num_questions"]
    found = sessions.assign(
        n_items=shown.to_numpy(), n_responses=held.to_numpy(), n_attempted=attempted.to_numpy()
    )
    found = found.assign(
        items_beside_questions=_beside(found["n_items"], "items", questions, "questions"),
        responses_beside_questions=_beside(
            found["n_responses"], "responses", questions, "questions"
        ),
        attempts=_beside(
            found["n_attempted"], "attempted", sessions["num_attempted"], "in num_attempted"
        ),
    )
    yield _Finding(
        "more items than questions",
        "sessions",
        "contradictory",
        found[(found["n_items"] > questions).fillna(False)],
        "items_beside_questions",
        "items that hold no question (a passage, say), or questions that are not listed",
    )
    yield _Finding(
        "num_questions differs",
        "sessions",
        "contradictory",
        found[(found["n_responses"] != questions).fillna(False)],
        "responses_beside_questions",
        "num_questions is not the number of responses",
    )
    counted = ~found["session_id"].isin(known) & (found["n_responses"] > 0)
    yield _Finding(
        "num_attempted differs",
        "sessions",
        "contradictory",
        found[counted & (found["n_attempted"] != sessions["num_attempted"]).fillna(False)],
        "attempts",
        "num_attempted is not the number of attempted responses",
    )


def _per_session(rows: pd.DataFrame, sessions: pd.DataFrame) -> pd.Series:
    counts = rows["session_id"].value_counts()
    return counts.reindex(sessions["session_id"], fill_value=0)


def _beside(count: pd.Series, what: str, field: pd.Series, name: str) -> pd.Series:
    return count.astype("str") + f" {what} beside " + field.astype("str") + f" {name}"


def _times(sessions: pd.DataFrame, items: pd.DataFrame) -> Iterator[_Finding]:
    elapsed = (sessions["dt_completed"] - sessions["dt_started"]).dt.total_seconds()
    completed = sessions["status"].isin(["Completed", "Pending Scoring"])
    yield _Finding(
        "completed before started",
        "sessions",
        "contradictory",
        sessions[elapsed < 0],
        "session_id",
        "dt_completed lies before dt_started",
    )
    yield _Finding(
        "more active than elapsed time",
        "sessions",
        "contradictory",
        sessions[(elapsed >= 0) & (sessions["active_time"] > elapsed)],
        "session_id",
        "the items' times add up to more than the session took",
    )
    off = (sessions["session_duration"].astype("Float64") * 60 - elapsed).abs() > 60
    yield _Finding(
        "session_duration differs",
        "sessions",
        "contradictory",
        sessions[off.fillna(False) & completed & (elapsed >= 0)],
        "session_id",
        "session_duration is more than a minute off the time stamps",
    )
    yield _Finding(
        "completed without dt_completed",
        "sessions",
        "contradictory",
        sessions[completed & sessions["dt_completed"].isna()],
        "session_id",
        "the status says submitted, and no time of submission is given",
    )
    yield _Finding(
        "time of 0 or below",
        "items",
        "odd",
        items[items["time"] <= 0],
        "item_reference",
        "not a fast answer: treated as missing in every measure",
    )


def _values(
    sessions: pd.DataFrame, responses: pd.DataFrame, items: pd.DataFrame
) -> Iterator[_Finding]:
    yield _Finding(
        "unknown status",
        "sessions",
        "odd",
        sessions[~sessions["status"].str.lower().isin([one.lower() for one in STATUSES])],
        "status",
        "not one of the documented statuses",
    )
    for name, frame, shown in (
        ("sessions", sessions, "session_id"),
        ("responses", responses, "response_id"),
        ("items", items, "item_reference"),
    ):
        yield _Finding(
            f"{name} above max_score",
            name,
            "contradictory",
            frame[frame["score"] > frame["max_score"]],
            shown,
            "score is more than max_score",
        )
