"""Integrity check: dangling links, duplicate rows and contradictory fields in the three tables.

Each check follows a statement of the endpoint's documentation. A finding is not an error: the
service sends such records, and every one of them is kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import partial
from typing import NamedTuple

import msgspec
import numpy as np
import pandas as pd

from lrnanalysis.tables.schema import STATUSES, TABLES
from lrnanalysis.tables.times import timestamps

__all__ = ["check_tables"]

_EXAMPLES = 3


class _Finding(NamedTuple):
    table: str
    kind: str
    check: str
    rows: pd.DataFrame
    meaning: str
    shown: str = "session_id"


def check_tables(
    sessions: pd.DataFrame, responses: pd.DataFrame, items: pd.DataFrame
) -> pd.DataFrame:
    """Report dangling links, duplicate rows and contradictory or unusual values.

    Parameters
    ----------
    sessions, responses, items : DataFrame
        The tables of `lrnanalysis.tables.schema`.

    Returns
    -------
    DataFrame
        One row per finding; empty if there is none. Index ``check``; columns ``table``, ``kind``
        ("dangling", "duplicate", "contradictory", "unusual" or "unreadable"), ``count`` (rows
        affected), ``sessions`` (sessions affected), ``examples`` (up to three identifiers or
        values, or the forms of what cannot be read, never an answer) and ``meaning``.

    Examples
    --------
    >>> import lrnanalysis as lrn
    >>> sessions, responses, items = lrn.load_example()
    >>> check_tables(sessions, responses, items.head(0)).loc["item_reference not shown", "kind"]
    'dangling'
    """
    findings = [
        *_links(sessions, responses, items),
        *_duplicates(sessions, responses, items),
        *_counts(sessions, responses, items),
        *_times(sessions, items),
        *_values(sessions, responses, items),
        *_unreadable(sessions, responses, items),
    ]
    table = pd.DataFrame(
        [
            (
                finding.check,
                finding.table,
                finding.kind,
                len(finding.rows),
                finding.rows["session_id"].nunique(),
                ", ".join(map(str, finding.rows[finding.shown].drop_duplicates()[:_EXAMPLES])),
                finding.meaning,
            )
            for finding in findings
            if len(finding.rows)
        ],
        columns=["check", "table", "kind", "count", "sessions", "examples", "meaning"],
    )
    return table.astype({"sessions": "Int64"}).set_index("check")


def _links(
    sessions: pd.DataFrame, responses: pd.DataFrame, items: pd.DataFrame
) -> Iterator[_Finding]:
    for name, frame in (("responses", responses), ("items", items)):
        orphans = frame[~frame["session_id"].isin(sessions["session_id"])]
        meaning = "no session has their session_id"
        yield _Finding(name, "dangling", f"{name} without session", orphans, meaning)
    listed = _listed_ids(items)
    yield _Finding(
        "items",
        "dangling",
        "dangling response_ids",
        listed[~_pairs_in(listed, responses, "response_id")],
        "the item lists a response that its session does not contain",
        "response_id",
    )
    dangling = partial(_Finding, "responses", "dangling")
    named = responses[responses["item_reference"].notna()]
    yield dangling(
        "item_reference not shown",
        named[~_pairs_in(named, items, "item_reference")],
        "the response names an item that its session does not contain",
        "item_reference",
    )
    yield dangling(
        "responses without item",
        responses[responses["item_reference"].isna()],
        "no item_reference, and no item of the session lists the response: it has no time",
        "response_id",
    )


def _listed_ids(items: pd.DataFrame) -> pd.DataFrame:
    """The response ids listed by items that cannot be derived from the responses' references."""
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
    """Whether each (session_id, column) of a table occurs in another."""
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
    for name, frame in (("sessions", sessions), ("responses", responses), ("items", items)):
        keys = list(TABLES[name].key)
        present = frame[frame[keys[-1]].notna()]
        rows, meaning = present[present.duplicated(keys)], "more than one row has this key"
        yield _Finding(name, "duplicate", f"repeated {keys[-1]}", rows, meaning, keys[-1])


def _counts(
    sessions: pd.DataFrame, responses: pd.DataFrame, items: pd.DataFrame
) -> Iterator[_Finding]:
    n_items = _per_session(items, sessions)
    n_responses = _per_session(responses, sessions)
    n_attempted = _per_session(responses[responses["attempted"].fillna(False)], sessions)
    unknown = responses.loc[responses["attempted"].isna(), "session_id"]
    counted = ~sessions["session_id"].isin(unknown) & (n_responses > 0)
    questions, attempted = sessions["num_questions"], sessions["num_attempted"]
    compared = sessions.assign(
        items=_compared(n_items, "items", questions, "questions"),
        responses=_compared(n_responses, "responses", questions, "questions"),
        attempts=_compared(n_attempted, "attempted", attempted, "in num_attempted"),
    )
    contradiction = partial(_Finding, "sessions", "contradictory")
    yield contradiction(
        "more items than questions",
        compared[(n_items > questions).fillna(False)],
        "some items contain no question (a passage, say), or questions are missing",
        "items",
    )
    yield contradiction(
        "num_questions differs",
        compared[(n_responses != questions).fillna(False)],
        "num_questions differs from the number of responses",
        "responses",
    )
    yield contradiction(
        "num_attempted differs",
        compared[counted & (n_attempted != attempted).fillna(False)],
        "num_attempted differs from the number of attempted responses",
        "attempts",
    )


def _per_session(rows: pd.DataFrame, sessions: pd.DataFrame) -> pd.Series:
    """The number of rows of each session."""
    counts = rows["session_id"].value_counts()
    return counts.reindex(sessions["session_id"], fill_value=0).set_axis(sessions.index)


def _compared(count: pd.Series, what: str, field: pd.Series, name: str) -> pd.Series:
    return count.astype("str") + f" {what}, " + field.astype("str") + f" {name}"


def _times(sessions: pd.DataFrame, items: pd.DataFrame) -> Iterator[_Finding]:
    started, completed_at = timestamps(sessions, "dt_started", "dt_completed")
    elapsed = (completed_at - started).dt.total_seconds()
    completed = sessions["status"].isin(["Completed", "Pending Scoring"])
    off = (sessions["session_duration"].astype("Float64") * 60 - elapsed).abs() > 60
    contradiction = partial(_Finding, "sessions", "contradictory")
    yield contradiction(
        "completed before started",
        sessions[elapsed < 0],
        "dt_completed is earlier than dt_started",
    )
    yield contradiction(
        "more active than elapsed time",
        sessions[(elapsed >= 0) & (sessions["active_time"] > elapsed)],
        "the times of the items add up to more than the session took",
    )
    yield contradiction(
        "session_duration differs",
        sessions[off.fillna(False) & completed & (elapsed >= 0)],
        "session_duration differs from the timestamps by more than a minute",
    )
    yield contradiction(
        "completed without dt_completed",
        sessions[completed & sessions["dt_completed"].isna()],
        "the status means submitted, but dt_completed is missing",
    )
    yield contradiction(
        "negative session_duration",
        sessions[(sessions["session_duration"] < 0).fillna(False)],
        "no session takes less than no time; elapsed times come from the timestamps",
    )
    times = items["time"]
    for kind, check, rows, meaning in (
        ("unusual", "time of 0", items[times == 0], "not a fast answer; 0 adds nothing to a sum"),
        ("contradictory", "negative time", items[times < 0], "every measure leaves it out"),
        ("contradictory", "infinite time", items[times == np.inf], "every measure leaves it out"),
    ):
        yield _Finding("items", kind, check, rows, meaning, "item_reference")


def _values(
    sessions: pd.DataFrame, responses: pd.DataFrame, items: pd.DataFrame
) -> Iterator[_Finding]:
    documented = sessions["status"].str.lower().isin([status.lower() for status in STATUSES])
    yield _Finding(
        "sessions",
        "unusual",
        "unknown status",
        sessions[~documented],
        "not one of the documented statuses",
        "status",
    )
    for name, frame in (("sessions", sessions), ("responses", responses), ("items", items)):
        rows, meaning = frame[frame["score"] > frame["max_score"]], "score exceeds max_score"
        check, shown = f"{name} above max_score", TABLES[name].key[-1]
        yield _Finding(name, "contradictory", check, rows, meaning, shown)
    for name, frame, column in (
        ("items", items, "item_reference"),
        ("responses", responses, "question_reference"),
    ):
        yield _Finding(
            name,
            "unusual",
            f"{name} of several max_score",
            _below_highest(frame, column),
            f"another session has a higher max_score for the same {column}: an analysis rescales "
            "points to the highest",
            column,
        )


def _below_highest(frame: pd.DataFrame, column: str) -> pd.DataFrame:
    """The rows whose maximum is above 0 and below the highest of their item or question."""
    known = frame[(frame["max_score"] > 0) & frame[column].notna()]
    highest = known.groupby(column, observed=True)["max_score"].transform("max")
    return known[known["max_score"] < highest]


#: Kind of column → what a value that cannot be read is not.
_EXPECTED = {
    "text": "text",
    "label": "text",
    "number": "a number as in JSON, such as 1.5",
    "integer": "an integer",
    "flag": "true or false",
    "time": "a time such as 2026-03-01T10:00:00Z",
}

#: Table → objects and lists of its rows, with what each has to be and how its text begins.
_STRUCTURES: dict[str, dict[str, tuple[str, str | None]]] = {
    "sessions": {
        "responses": ("a list of objects", None),
        "items": ("a list of objects", None),
        "metadata": ("an object", "{"),
    },
    "responses": {"response": ("an object", "{")},
    "items": {
        "scoring": ("an object", "{"),
        "source": ("an object", "{"),
        "response_ids": ("a list of text", "["),
    },
}

_AS_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])


def _unreadable(
    sessions: pd.DataFrame, responses: pd.DataFrame, items: pd.DataFrame
) -> Iterator[_Finding]:
    """Values that do not fit their column: missing there, and kept in `extra`."""
    for name, frame in (("sessions", sessions), ("responses", responses), ("items", items)):
        if "extra" not in frame.columns:
            continue
        rows = np.flatnonzero(frame["extra"].notna())
        columns = {
            column.path.removeprefix(f"{name}[]."): column
            for column in TABLES[name].columns
            if column.kind in _EXPECTED and column.path
        }
        found: dict[tuple[str, str], dict[int, str]] = {}
        for row, text in zip(rows.tolist(), frame["extra"].iloc[rows], strict=True):
            for path, raw in _kept(text, _STRUCTURES[name]):
                if path in columns:
                    column = columns[path]
                    form = _form(raw, shown=column.kind not in ("text", "label"))
                    found.setdefault((column.name, _EXPECTED[column.kind]), {})[row] = form
                elif path in _STRUCTURES[name]:
                    what, start = _STRUCTURES[name][path]
                    if start is None or not raw.startswith(start):
                        found.setdefault((path, what), {})[row] = _form(raw, shown=False)
        for (column_name, what), forms in found.items():
            at = np.fromiter(forms, dtype=np.int64)
            if column_name in TABLES[name].names:
                at = at[frame[column_name].isna().to_numpy()[at]]
            cases = frame[["session_id"]].iloc[at]
            yield _Finding(
                name,
                "unreadable",
                f"{name}.{column_name} cannot be read",
                cases.assign(form=[forms[row] for row in at.tolist()]),
                f"not {what}: missing in the table, kept in extra",
                "form",
            )


def _kept(text: str, structures: Iterable[str]) -> Iterator[tuple[str, str]]:
    """The paths and JSON texts in a row's `extra`, also inside the row's objects."""
    for key, raw in _AS_OBJECT.decode(text).items():
        inside = bytes(raw).decode()
        if key in structures and inside.startswith("{"):
            for inner, value in _AS_OBJECT.decode(inside).items():
                yield f"{key}.{inner}", bytes(value).decode()
        else:
            yield key, inside


def _form(raw: str, *, shown: bool) -> str:
    """A JSON text without its content: digits as 9, letters as a."""
    if raw[:1] in "[{":
        return "a list" if raw.startswith("[") else "an object"
    if not shown:
        return "text" if raw.startswith('"') else "a number, true or false"
    if not raw.startswith('"'):
        return _DIGIT.sub("9", raw)[:_LONGEST_FORM]
    text = str(msgspec.json.decode(raw))
    return '"' + _LETTER.sub("a", _DIGIT.sub("9", text))[:_LONGEST_FORM] + '"'


_DIGIT, _LETTER, _LONGEST_FORM = re.compile(r"\d"), re.compile(r"[^\W\d_]"), 24
