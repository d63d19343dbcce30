"""Flat columns of some pages: what every way of reading gives and the linking takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from lrnanalysis.errors import ReadError
from lrnanalysis.parse.record_layout import COLUMNS, LEVELS, Member
from lrnanalysis.parse.values import Leftovers, column_of
from lrnanalysis.tables.schema import TABLES

__all__ = ["IDS", "Flat", "OddRecordError", "check_utf8", "leftover_path"]

#: The ids that an item names.
IDS = pa.list_(pa.string())

#: Path of a level inside its table's row, for what is left over.
_INSIDE = {"body": ("response",), "scoring": ("scoring",), "source": ("source",)}


def _by_table() -> dict[str, dict[Any, Any]]:
    return {name: {} for name in TABLES}


class OddRecordError(Exception):
    """A page holds something that a quick way does not expect; never leaves this package."""


@dataclass
class Flat:
    """Columns of some pages, not yet linked.

    Attributes
    ----------
    columns : dict
        Table name → column name → Arrow array.
    leftovers : dict
        Table name → what no column holds.
    parents : dict
        "responses" and "items" → the row of each one's session.
    response_ids : pyarrow.ListArray
        The ids that each item names.
    metadata : list of bytes
        Each session's metadata as JSON text.
    unreadable : list of bytes
        Records that are no session: kept as they came.
    mended : int
        Records in which half a surrogate pair was replaced by U+FFFD.
    odd : set of (level, key)
        Members that did not fit a column, where they were read one by one.
    """

    columns: dict[str, dict[str, pa.Array]] = field(default_factory=_by_table)
    leftovers: dict[str, Leftovers] = field(default_factory=_by_table)
    parents: dict[str, npt.NDArray[np.int64]] = field(default_factory=dict)
    response_ids: pa.ListArray = field(default_factory=lambda: pa.array([], IDS))
    metadata: Sequence[bytes] = ()
    unreadable: list[bytes] = field(default_factory=list)
    mended: int = 0
    odd: set[Member] = field(default_factory=set)

    @property
    def rows(self) -> dict[str, int]:
        """Table name → number of rows."""
        parents = {name: len(parent) for name, parent in self.parents.items()}
        return {"sessions": len(self.metadata)} | parents

    def add(self, level: str, key: str, raws: Sequence[bytes]) -> bool:
        """Put a member's raw texts where they belong; say whether all of them fitted a column."""
        table = LEVELS[level][0].name
        column = COLUMNS[level].get(key)
        left: Sequence[bytes] | None = raws
        if column is not None:
            self.columns[table][column.name], left = column_of(column.kind, raws)
        if left is not None:
            self.leftovers[table][leftover_path(level, key)] = left
        return left is None


def leftover_path(level: str, key: str) -> tuple[str, ...]:
    """Where a member stands inside `extra`."""
    return (*_INSIDE.get(level, ()), key)


def check_utf8(page: bytes) -> None:
    """Raise ReadError where a page is not UTF-8."""
    if page.isascii():
        return
    try:
        page.decode()
    except UnicodeDecodeError as error:
        # The cause would carry the page itself.
        raise ReadError(f"the text is not UTF-8 at byte {error.start}") from None
