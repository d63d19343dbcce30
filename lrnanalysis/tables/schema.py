"""The three tables, once: each column's dtype, unit, meaning and place in the record.

Follows the record of the Data API's ``sessions/responses`` endpoint. Everything that builds,
checks, stores or documents a table reads it from here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import numpy as np
import pandas as pd

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

Kind = Literal["text", "label", "number", "whole", "flag", "time", "json"]

#: What each kind of column is in pandas.
DTYPES: Mapping[Kind, str] = MappingProxyType(
    {
        "text": "str",
        "label": "category",
        "number": "float64",
        "whole": "Int64",
        "flag": "boolean",
        "time": "datetime64[us, UTC]",
        "json": "str",
    }
)

#: The statuses that the endpoint documents. Others are kept as they come.
STATUSES = ("Incomplete", "Completed", "Discarded", "Pending Scoring")

#: Columns of session metadata that a query asked for start with this.
METADATA_PREFIX = "metadata."


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Attributes
    ----------
    name : str
        The column's name.
    kind : str
        "text", "label" (text of which few values repeat), "number", "whole", "flag", "time" or
        "json" (JSON text).
    path : str
        Where the value stands in a session's record; empty for derived columns.
    description : str
        What it means, its unit in brackets, its known oddities.
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
    """One of the three tables: its name, its key and its columns in order."""

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


SESSIONS = Table(
    "sessions",
    ("session_id",),
    (
        Column("session_id", "text", "session_id", "Identifies the session; the tables' link."),
        Column("user_id", "text", "user_id", "The learner, as the integration named them."),
        Column("activity_id", "label", "activity_id", "The activity, as the integration named it."),
        Column(
            "status",
            "label",
            "status",
            "Incomplete, Completed, Discarded or Pending Scoring; others are kept.",
        ),
        Column("score", "number", "score", "Score [points]; null before scoring."),
        Column("max_score", "number", "max_score", "Highest possible score [points]."),
        Column("num_attempted", "whole", "num_attempted", "Questions attempted."),
        Column("num_questions", "whole", "num_questions", "Questions in the session."),
        Column(
            "session_duration",
            "whole",
            "session_duration",
            "Start to completion, saved gaps included [min], ±1; 0 on an Incomplete "
            "session means unknown.",
        ),
        Column(
            "active_time",
            "number",
            "",
            "Sum of the items' time [s]; missing where no item has a time.",
        ),
        Column("dt_started", "time", "dt_started", "Start [UTC]."),
        Column("dt_saved", "time", "dt_saved", "Last save [UTC]; optional."),
        Column("dt_completed", "time", "dt_completed", "Submission [UTC]; null while Incomplete."),
        Column(
            "activity_template_id",
            "label",
            "metadata.activity_template_id",
            "The activity in the item bank.",
        ),
        Column(
            "items_api_version", "label", "metadata.items_api_version", "Version of the Items API."
        ),
        Column("max_time", "number", "metadata.max_time", "Time limit [s]."),
        Column(
            "user_agent", "label", "metadata.user_agent", "The browser's own words; identifying."
        ),
        Column("subscores", "json", "subscores", "Subscores as JSON text; an item may be in many."),
        Column("extra", "json", "", "Keys of the record that no column holds, as JSON text."),
    ),
)

RESPONSES = Table(
    "responses",
    ("session_id", "response_id"),
    (
        Column("session_id", "text", "session_id", "The session of the response."),
        Column("response_id", "text", "responses[].response_id", "Unique in its session."),
        Column(
            "item_reference",
            "label",
            "responses[].item_reference",
            "The item; resolved through items[].response_ids where the record names none.",
        ),
        Column("question_reference", "label", "responses[].question_reference", "The question."),
        Column("question_type", "label", "responses[].question_type", "An open set: mcq, …"),
        Column("attempted", "flag", "responses[].attempted", "Whether the learner answered."),
        Column("automarkable", "flag", "responses[].automarkable", "Whether a machine marks it."),
        Column(
            "score",
            "number",
            "responses[].score",
            "Score [points]; null until scored or while waiting for a marker.",
        ),
        Column("max_score", "number", "responses[].max_score", "Highest possible score [points]."),
        Column(
            "dt_score_updated",
            "time",
            "responses[].dt_score_updated",
            "Last change of the score's value [UTC].",
        ),
        Column("value", "json", "responses[].response.value", "The answer as raw JSON text."),
        Column("value_type", "label", "responses[].response.type", "The value's type."),
        Column("api_version", "label", "responses[].response.apiVersion", "Questions API version."),
        Column("revision", "whole", "responses[].response.revision", "Times saved."),
        Column("word_count", "whole", "responses[].response.wordCount", "Words of a long text."),
        Column("extra", "json", "", "Keys of the record that no column holds, as JSON text."),
    ),
)

ITEMS = Table(
    "items",
    ("session_id", "item_reference"),
    (
        Column("session_id", "text", "session_id", "The session of the item."),
        Column(
            "item_reference",
            "label",
            "items[].reference",
            "The item; white space around it is stripped.",
        ),
        Column("position", "whole", "", "Order in the record, from 1."),
        Column(
            "time",
            "number",
            "items[].time",
            "Time on screen [s]; a pause stops it, a hidden tab does not; may be missing.",
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
            "per-question, dichotomous or dependent; others are kept.",
        ),
        Column("response_count", "whole", "", "How many responses the item names."),
        Column("source_reference", "label", "items[].source.reference", "Item bank reference."),
        Column(
            "organisation_id", "whole", "items[].source.organisation_id", "The item's item bank."
        ),
        Column("item_pool_id", "label", "items[].source.item_pool_id", "The item's pool."),
        Column("extra", "json", "", "Keys of the record that no column holds, as JSON text."),
    ),
)

TABLES: Mapping[str, Table] = MappingProxyType(
    {table.name: table for table in (SESSIONS, RESPONSES, ITEMS)}
)


def empty_frame(table: Table) -> pd.DataFrame:
    """A frame of no rows with the table's columns and dtypes.

    Examples
    --------
    >>> empty_frame(ITEMS).dtypes["time"]
    dtype('float64')
    """
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
