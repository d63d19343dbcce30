"""`.lrn`: the measures of a table as methods of its frame.

`.lrn` knows by the columns which of the three tables it stands on, and offers only that table's
methods. Each forwards to one function of `lrnanalysis.measures` or `lrnanalysis.plots`, which
documents and computes it; nothing is computed, kept or changed here.
"""

from __future__ import annotations

import pandas as pd

from lrnanalysis.accessor.items import ItemsAccessor
from lrnanalysis.accessor.pictures import ItemsPlots, ResponsesPlots, SessionsPlots
from lrnanalysis.accessor.responses import ResponsesAccessor
from lrnanalysis.accessor.sessions import SessionsAccessor

__all__ = [
    "ItemsAccessor",
    "ItemsPlots",
    "ResponsesAccessor",
    "ResponsesPlots",
    "SessionsAccessor",
    "SessionsPlots",
]

#: Which table a frame is: its accessor, and the columns that tell it; the first that fits counts.
_TABLES: tuple[tuple[type, tuple[str, ...]], ...] = (
    (ResponsesAccessor, ("session_id", "response_id")),
    (ItemsAccessor, ("session_id", "item_reference")),
    (SessionsAccessor, ("session_id", "status")),
    (SessionsAccessor, ("session_id", "user_id")),
)


def _accessor(frame: pd.DataFrame) -> SessionsAccessor | ItemsAccessor | ResponsesAccessor:
    for accessor, columns in _TABLES:
        if all(column in frame.columns for column in columns):
            made: SessionsAccessor | ItemsAccessor | ResponsesAccessor = accessor(frame)
            return made
    raise AttributeError(
        ".lrn stands on a table of sessions (columns session_id and status or user_id), responses "
        "(session_id, response_id) or items (session_id, item_reference); this frame has "
        f"{', '.join(map(str, frame.columns[:8])) or 'no columns'}"
    )


# A function, not a class: which class it is depends on the frame.
pd.api.extensions.register_dataframe_accessor("lrn")(_accessor)  # type: ignore[type-var]
