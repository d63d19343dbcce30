"""Columns of some pages, not yet linked: the result of every way of decoding."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from lrnanalysis.errors import ReadError
from lrnanalysis.parse.record_layout import COLUMNS, INSIDE, LEVELS, Member
from lrnanalysis.parse.values import Leftovers, column_of
from lrnanalysis.tables.schema import TABLES

__all__ = ["IDS", "THERE", "DecodedPages", "Given", "UnexpectedShapeError", "check_utf8"]

#: Arrow type of the response ids that an item lists.
IDS = pa.list_(pa.string())

#: For each row of a level two bit sets of its `MEMBERS`: given, and given as null.
Given = tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint64]]

#: In the first of these sets: the object itself is there.
THERE = np.uint64(1 << 63)


def _by_table() -> dict[str, dict[Any, Any]]:
    return {name: {} for name in TABLES}


class UnexpectedShapeError(Exception):
    """A page has a shape that a fast decoder does not handle; never leaves `parse`."""


@dataclass
class DecodedPages:
    """Columns of some pages, not yet linked.

    Attributes
    ----------
    columns : dict
        Table name → column name → Arrow array.
    leftovers : dict
        Table name → path inside the row → JSON text per row of what has no column.
    parents : dict
        "responses" and "items" → for each row, the row of its session.
    response_ids : pyarrow.ListArray
        The response ids that each item lists.
    metadata : list of bytes
        The metadata of each session as JSON text.
    unreadable : list of bytes
        Records that are not sessions, unchanged.
    repaired : int
        Unpaired surrogates that were replaced by U+FFFD.
    tokens : Counter of str
        How often a NaN or Infinity token was the value of each key.
    misfits : set of (level, key)
        Members that did not fit their column, as far as they were read one by one.
    given : dict
        Level → which of its members each row gives, see `Given`.
    """

    columns: dict[str, dict[str, pa.Array]] = field(default_factory=_by_table)
    leftovers: dict[str, Leftovers] = field(default_factory=_by_table)
    parents: dict[str, npt.NDArray[np.int64]] = field(default_factory=dict)
    response_ids: pa.ListArray = field(default_factory=lambda: pa.array([], IDS))
    metadata: Sequence[bytes] = ()
    unreadable: list[bytes] = field(default_factory=list)
    repaired: int = 0
    tokens: Counter[str] = field(default_factory=Counter)
    misfits: set[Member] = field(default_factory=set)
    given: dict[str, Given] = field(default_factory=dict)

    @property
    def rows(self) -> dict[str, int]:
        """Table name → number of rows."""
        parents = {name: len(parent) for name, parent in self.parents.items()}
        return {"sessions": len(self.metadata)} | parents

    def add(self, level: str, key: str, raws: Sequence[bytes]) -> bool:
        """Add the raw texts of a member, and tell whether all of them fit its column."""
        table = LEVELS[level][0].name
        column = COLUMNS[level].get(key)
        left: Sequence[bytes] | None = raws
        if column is not None:
            self.columns[table][column.name], left = column_of(column.kind, raws)
        if left is not None:
            self.keep(level, key, left)
        return left is None

    def keep(self, level: str, key: str, texts: Sequence[bytes]) -> None:
        """Add texts to the leftovers of a member, except in rows that already have one."""
        leftovers, path = self.leftovers[LEVELS[level][0].name], (*INSIDE[level], key)
        earlier = leftovers.get(path)
        leftovers[path] = (
            texts
            if earlier is None
            else [old or new for old, new in zip(earlier, texts, strict=True)]
        )


def check_utf8(page: bytes) -> None:
    """Raise ReadError if a page is not UTF-8."""
    if page.isascii():
        return
    try:
        page.decode()
    except UnicodeDecodeError as error:
        # The cause would contain the page itself.
        raise ReadError(f"the text is not UTF-8 at byte {error.start}") from None
