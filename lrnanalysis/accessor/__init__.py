"""`.lrn`: the measures that one table can answer, as methods of its frame.

`.lrn` recognises by the columns which of the three tables it is on, and offers only that table's
measures. Each forwards to one function of `lrnanalysis.measures`, which documents and computes
it; nothing is computed, kept or changed here. What needs several tables is a method of
`lrnanalysis.Analysis`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from lrnanalysis.accessor.items import ItemsAccessor
from lrnanalysis.accessor.responses import ResponsesAccessor
from lrnanalysis.accessor.sessions import SessionsAccessor
from lrnanalysis.accessor.table import TableAccessor
from lrnanalysis.errors import shown
from lrnanalysis.tables.schema import table_of

__all__ = [
    "ItemsAccessor",
    "ItemsTable",
    "ResponsesAccessor",
    "ResponsesTable",
    "SessionsAccessor",
    "SessionsTable",
    "TableAccessor",
]

if TYPE_CHECKING:
    # At run time the tables are plain DataFrames; these tell type checkers what `.lrn` offers.
    class SessionsTable(pd.DataFrame):
        """The sessions table."""

        @property
        def lrn(self) -> SessionsAccessor:
            """The measures of the table."""

    class ResponsesTable(pd.DataFrame):
        """The responses table."""

        @property
        def lrn(self) -> ResponsesAccessor:
            """The measures of the table."""

    class ItemsTable(pd.DataFrame):
        """The items table."""

        @property
        def lrn(self) -> ItemsAccessor:
            """The measures of the table."""

else:
    SessionsTable = ResponsesTable = ItemsTable = pd.DataFrame


def _accessor(frame: pd.DataFrame) -> TableAccessor:
    table = table_of(frame)
    if table is not None:
        return TableAccessor.tables[table](frame)
    indexed = [name for name in frame.index.names if name in ("session_id", "response_id")]
    if indexed:
        raise AttributeError(
            f".lrn requires {shown(indexed[0])} as a column, but it is in the index: use "
            "frame.reset_index().lrn"
        )
    raise AttributeError(
        ".lrn requires a sessions (columns session_id and status or user_id), responses "
        "(session_id, response_id) or items table (session_id, item_reference); this frame has "
        f"{', '.join(map(str, frame.columns[:8])) or 'no columns'}"
    )


# A function, not a class: which class it is depends on the frame.
pd.api.extensions.register_dataframe_accessor("lrn")(_accessor)  # type: ignore[type-var]
