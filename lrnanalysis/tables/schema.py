"""Schema of the three tables: each column's dtype, unit, meaning and path in the record.

Follows the records of the Data API's ``sessions/responses`` endpoint. Everything that builds,
checks, stores or documents a table reads it from here.

>>> SESSIONS["active_time"].description
"Sum of the items' time [s]; missing where no item has a time."
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import numpy as np
import pandas as pd

from lrnanalysis.errors import MeasureError, shown

__all__ = [
    "ITEMS",
    "METADATA_PREFIX",
    "RESPONSES",
    "SESSIONS",
    "STATUSES",
    "TABLES",
    "Column",
    "Table",
    "empty_frame",
]

Kind = Literal["text", "label", "number", "integer", "flag", "time", "json"]

#: pandas dtype of each kind of column.
DTYPES: Mapping[Kind, str] = MappingProxyType(
    {
        "text": "str",
        "label": "category",
        "number": "float64",
        "integer": "Int64",
        "flag": "boolean",
        "time": "datetime64[us, UTC]",
        "json": "str",
    }
)

#: Documented statuses of a session. Any other is kept unchanged.
STATUSES = ("Incomplete", "Completed", "Discarded", "Pending Scoring")

#: Prefix of columns that hold session metadata requested by a query.
METADATA_PREFIX = "metadata."


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Attributes
    ----------
    name : str
        Name of the column.
    kind : str
        "text", "label" (text with few distinct values), "number", "integer", "flag", "time" or
        "json" (JSON text).
    path : str
        Path of the value in a session's record; empty for derived columns.
    description : str
        Meaning, unit in brackets, known exceptions.
    """

    name: str
    kind: Kind
    path: str
    description: str

    @property
    def dtype(self) -> str:
        """The pandas dtype."""
        return DTYPES[self.kind]


@dataclass(frozen=True)
class Table:
    """One of the three tables.

    Attributes
    ----------
    name : str
        "sessions", "responses" or "items".
    key : tuple of str
        Columns that identify a row.
    columns : tuple of Column
        Columns in order. ``table["score"]`` gives the one named "score".
    """

    name: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Column names in order."""
        return tuple(column.name for column in self.columns)

    def __getitem__(self, name: str) -> Column:
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(f"{self.name} has no column {name!r}: it has {', '.join(self.names)}")


_PRESENCE = "Keys that are null, absent or empty where that is not usual, as JSON text."

SESSIONS = Table(
    "sessions",
    ("session_id",),
    (
        Column("session_id", "text", "session_id", "Identifies the session; links the tables."),
        Column("user_id", "text", "user_id", "Learner, as named by the integration."),
        Column("activity_id", "label", "activity_id", "Activity, as named by the integration."),
        Column(
            "status",
            "label",
            "status",
            "Incomplete, Completed, Discarded or Pending Scoring; any other is kept.",
        ),
        Column("score", "number", "score", "Score [points]; null before scoring."),
        Column("max_score", "number", "max_score", "Highest possible score [points]."),
        Column("adjustment_points", "number", "adjustment_points", "Added by hand [points]."),
        Column(
            "score_after_adjustment", "number", "score_after_adjustment", "Adjusted score [points]."
        ),
        Column("num_attempted", "integer", "num_attempted", "Questions attempted."),
        Column("num_questions", "integer", "num_questions", "Questions in the session."),
        Column(
            "session_duration",
            "integer",
            "session_duration",
            "Time from start to completion, breaks included [min], ±1; 0 on an Incomplete "
            "session means unknown.",
        ),
        Column(
            "active_time",
            "number",
            "",
            "Sum of the items' time [s]; missing where no item has a time.",
        ),
        Column(
            "unmarked_max_score",
            "number",
            "",
            "Highest possible score of the answers that await a mark [points].",
        ),
        Column("dt_started", "time", "dt_started", "Start [UTC]."),
        Column("dt_saved", "time", "dt_saved", "Last save [UTC]; optional."),
        Column("dt_completed", "time", "dt_completed", "Submission [UTC]; null while Incomplete."),
        Column(
            "activity_template_id",
            "label",
            "metadata.activity_template_id",
            "Activity in the item bank.",
        ),
        Column(
            "items_api_version", "label", "metadata.items_api_version", "Version of the Items API."
        ),
        Column("max_time", "number", "metadata.max_time", "Time limit [s]."),
        Column("user_agent", "label", "metadata.user_agent", "Browser; may identify a learner."),
        Column("subscores", "json", "subscores", "Subscores as JSON text; items may be shared."),
        Column("extra", "json", "", "Keys of the record without a column, as JSON text."),
        Column("presence", "label", "", _PRESENCE),
    ),
)

RESPONSES = Table(
    "responses",
    ("session_id", "response_id"),
    (
        Column("session_id", "text", "session_id", "Session of the response."),
        Column("response_id", "text", "responses[].response_id", "Unique in its session."),
        Column(
            "item_reference",
            "label",
            "responses[].item_reference",
            "Item; taken from items[].response_ids where the response names none.",
        ),
        Column("question_reference", "label", "responses[].question_reference", "Question."),
        Column("question_type", "label", "responses[].question_type", "Its type, such as mcq."),
        Column("attempted", "flag", "responses[].attempted", "Whether the learner answered."),
        Column("automarkable", "flag", "responses[].automarkable", "Whether marked automatically."),
        Column(
            "score",
            "number",
            "responses[].score",
            "Score [points]; null until scored or while it waits for a marker.",
        ),
        Column("max_score", "number", "responses[].max_score", "Highest possible score [points]."),
        Column(
            "adjustment_points",
            "number",
            "responses[].adjustment_points",
            "Added by hand [points]; may be negative.",
        ),
        Column(
            "score_after_adjustment",
            "number",
            "responses[].score_after_adjustment",
            "Adjusted score [points].",
        ),
        Column(
            "dt_score_updated",
            "time",
            "responses[].dt_score_updated",
            "Last change of the score [UTC].",
        ),
        Column("value", "json", "responses[].response.value", "Answer as raw JSON text."),
        Column("value_type", "label", "responses[].response.type", "Type of the value."),
        Column("api_version", "label", "responses[].response.apiVersion", "Questions API version."),
        Column("revision", "integer", "responses[].response.revision", "How often it was saved."),
        Column("word_count", "integer", "responses[].response.wordCount", "Words in a long text."),
        Column("extra", "json", "", "Keys of the record without a column, as JSON text."),
        Column("presence", "label", "", _PRESENCE),
    ),
)

ITEMS = Table(
    "items",
    ("session_id", "item_reference"),
    (
        Column("session_id", "text", "session_id", "Session of the item."),
        Column(
            "item_reference",
            "label",
            "items[].reference",
            "Item; surrounding white space is stripped.",
        ),
        Column("position", "integer", "", "Position in the record, from 1."),
        Column(
            "time",
            "number",
            "items[].time",
            "Time on screen [s]; stops in a pause, not in a hidden tab; may be missing.",
        ),
        Column("user_flagged", "flag", "items[].user_flagged", "Flagged by the learner."),
        Column("score", "number", "items[].scoring.score", "Score [points]."),
        Column(
            "max_score", "number", "items[].scoring.max_score", "Highest possible score [points]."
        ),
        Column(
            "scoring_type",
            "label",
            "items[].scoring.type",
            "per-question, dichotomous or dependent; any other is kept.",
        ),
        Column("response_count", "integer", "", "Number of responses that the item lists."),
        Column("source_reference", "label", "items[].source.reference", "Item bank reference."),
        Column(
            "organisation_id", "integer", "items[].source.organisation_id", "Item bank's owner."
        ),
        Column("item_pool_id", "label", "items[].source.item_pool_id", "Item pool."),
        Column("extra", "json", "", "Keys of the record without a column, as JSON text."),
        Column("presence", "label", "", _PRESENCE),
    ),
)

TABLES: Mapping[str, Table] = MappingProxyType(
    {table.name: table for table in (SESSIONS, RESPONSES, ITEMS)}
)

#: Which table a frame is, by columns that it has; the first that fits counts.
_TELLING = (
    ("responses", {"session_id", "response_id"}),
    ("items", {"session_id", "item_reference"}),
    ("sessions", {"session_id", "status"}),
    ("sessions", {"session_id", "user_id"}),
)


def table_of(frame: pd.DataFrame) -> str | None:
    """Name of the table that a frame is, by its columns; None where it is none of them.

    Examples
    --------
    >>> table_of(empty_frame(ITEMS))
    'items'
    """
    columns = {*frame.columns}
    return next((name for name, telling in _TELLING if telling <= columns), None)


def empty_frame(table: Table) -> pd.DataFrame:
    """Make a DataFrame without rows that has the columns and dtypes of a table.

    Examples
    --------
    >>> empty_frame(ITEMS).dtypes["time"]
    dtype('float64')
    """
    if not isinstance(table, Table):
        raise MeasureError(
            f"table is {shown(table)}: pass a Table, such as lrnanalysis.schema.ITEMS"
        )
    labels = pd.CategoricalDtype(pd.Index([], dtype="str"))
    return pd.DataFrame(
        {
            column.name: pd.Series(
                np.empty(0, dtype=object),
                dtype=labels if column.kind == "label" else column.dtype,
            )
            for column in table.columns
        }
    )
