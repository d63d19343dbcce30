"""Which members of a record become columns, and which are kept as raw JSON text.

A record has seven kinds of object: the session, its metadata, its responses, the body of a
response, its items, and the scoring and the source of an item. The schema names the columns of
each. A member without a column, or whose values do not fit its column, is *raw*: its JSON text is
cut out and kept. Raw members are learned from the records, since the endpoint's keys are an open
set.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

import msgspec
import pyarrow as pa

from lrnanalysis.tables.schema import ITEMS, RESPONSES, SESSIONS, Column, Table

__all__ = ["ARROW", "COLUMNS", "INSIDE", "LEVELS", "MEMBERS", "NESTED", "Member", "RecordLayout"]

#: (level, key): a member of one of the kinds of object.
Member = tuple[str, str]

#: Arrow type of each kind of column.
ARROW: Mapping[str, pa.DataType] = MappingProxyType(
    {
        "text": pa.string(),
        "label": pa.string(),
        "json": pa.string(),
        "number": pa.float64(),
        "integer": pa.int64(),
        "flag": pa.bool_(),
        "time": pa.timestamp("us", "UTC"),
    }
)

#: Level (kind of object) → its table and its path in the record.
LEVELS: Mapping[str, tuple[Table, str]] = MappingProxyType(
    {
        "session": (SESSIONS, ""),
        "metadata": (SESSIONS, "metadata."),
        "response": (RESPONSES, "responses[]."),
        "body": (RESPONSES, "responses[].response."),
        "item": (ITEMS, "items[]."),
        "scoring": (ITEMS, "items[].scoring."),
        "source": (ITEMS, "items[].source."),
    }
)


def _columns_at(level: str) -> dict[str, Column]:
    table, prefix = LEVELS[level]
    keys = {
        column.path.removeprefix(prefix): column
        for column in table.columns
        if column.path.startswith(prefix)
    }
    return {key: column for key, column in keys.items() if key and "." not in key}


#: Level → key in the record → column.
COLUMNS: Mapping[str, Mapping[str, Column]] = MappingProxyType(
    {level: _columns_at(level) for level in LEVELS}
)

#: Level → path inside its table's row.
INSIDE: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        level: tuple(step for step in path.split(".") if step and not step.endswith("[]"))
        for level, (_, path) in LEVELS.items()
    }
)

#: Level → members that are objects or lists with a level or a meaning of their own.
NESTED: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "session": ("metadata", "responses", "items"),
        "response": ("response",),
        "item": ("response_ids", "scoring", "source"),
    }
)

#: Level → every member that is known, in the order of the bits that tell which are given.
MEMBERS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {level: (*COLUMNS[level], *NESTED.get(level, ())) for level in LEVELS}
)

#: Always raw: any JSON value is allowed there.
_ALWAYS_RAW: frozenset[Member] = frozenset(
    {("session", "subscores"), ("session", "metadata"), ("body", "value")}
)

#: At most so many raw members are learned: where keys are data themselves (ids, say), the layout
#: would grow without end. Such records are read one by one instead.
_MAX_RAW = 64


class RecordLayout:
    """A set of raw members, with the decoders that follow from it.

    Parameters
    ----------
    raw : iterable of (level, key)
        Members to cut out, besides those that are always raw.

    Attributes
    ----------
    raw : frozenset of (level, key)
        All members that are cut out.
    decoder : msgspec.json.Decoder
        Finds the raw members of a page and skips everything else.
    arrow : pyarrow.Schema
        What remains of a page when a number takes the place of each raw member.
    """

    def __init__(self, raw: Iterable[Member] = ()) -> None:
        self.raw = _ALWAYS_RAW | frozenset(raw)
        self.decoder = msgspec.json.Decoder(self._page_struct())
        self.arrow = self._arrow_schema()

    def with_raw(self, members: Iterable[Member]) -> RecordLayout:
        """Return a layout in which `members` are raw too, or this one if they are too many."""
        # The decoder accepts no names with quotes or control characters.
        raw = self.raw | {(level, key) for level, key in members if json.dumps(key)[1:-1] == key}
        return self if raw == self.raw or len(raw) > _MAX_RAW else RecordLayout(raw)

    def raw_keys(self, level: str) -> list[str]:
        """Return the raw members of a level in the order of their fields ``raw_0``, ``raw_1``."""
        return sorted(key for at, key in self.raw if at == level)

    def _struct(self, level: str, **nested: Any) -> Any:
        """Raw members as ``raw_0``, ..., the other ones as ``member_0``, ... by their bit."""
        keys = {f"raw_{n}": key for n, key in enumerate(self.raw_keys(level))}
        keys |= {
            f"member_{bit}": key
            for bit, key in enumerate(MEMBERS[level])
            if (level, key) not in self.raw and key not in nested
        }
        unset = msgspec.UnsetType
        return msgspec.defstruct(
            level.capitalize(),
            [(field, msgspec.Raw, msgspec.Raw()) for field in keys]
            + [(key, kind | None | unset, msgspec.UNSET) for key, kind in nested.items()],
            rename=lambda field: keys.get(field, field),
            gc=False,
        )

    def _page_struct(self) -> Any:
        body, scoring, source = (self._struct(level) for level in ("body", "scoring", "source"))
        response: Any = self._struct("response", response=body)
        item: Any = self._struct("item", scoring=scoring, source=source)
        session: Any = self._struct("session", responses=list[response], items=list[item])
        return msgspec.defstruct(
            "Page", [("data", list[session]), ("meta", msgspec.Raw, msgspec.Raw())]
        )

    def _arrow_struct(self, level: str, **nested: pa.DataType) -> pa.DataType:
        fields = {key: ARROW[column.kind] for key, column in COLUMNS[level].items()} | nested
        return pa.struct(list((fields | dict.fromkeys(self.raw_keys(level), pa.int64())).items()))

    def _arrow_schema(self) -> pa.Schema:
        response = self._arrow_struct("response", response=self._arrow_struct("body"))
        item = self._arrow_struct(
            "item",
            response_ids=pa.list_(pa.string()),
            scoring=self._arrow_struct("scoring"),
            source=self._arrow_struct("source"),
        )
        session = self._arrow_struct("session", responses=pa.list_(response), items=pa.list_(item))
        return pa.schema([("data", pa.list_(session)), ("meta", pa.int64())])
