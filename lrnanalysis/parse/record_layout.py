"""Which members of a record are decoded straight into columns, and which are cut out as raw text.

A record has seven kinds of object: the session, its metadata, its responses, a response's body,
its items, an item's scoring and an item's source. For each the schema names the columns. A member
that has no column, or whose values do not fit its column, is *raw*: its JSON text is cut out and
kept. Which members those are is learned from the records, since the endpoint's keys are open.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

import msgspec
import pyarrow as pa

from lrnanalysis.tables.schema import ITEMS, RESPONSES, SESSIONS, Column, Table

__all__ = ["ARROW", "COLUMNS", "LEVELS", "Member", "Shape"]

#: (level, key): a member of one of the kinds of object.
Member = tuple[str, str]

#: Arrow types of the columns while they are built.
ARROW: Mapping[str, pa.DataType] = MappingProxyType(
    {
        "text": pa.string(),
        "label": pa.string(),
        "json": pa.string(),
        "number": pa.float64(),
        "whole": pa.int64(),
        "flag": pa.bool_(),
        "time": pa.timestamp("us", "UTC"),
    }
)

#: The kinds of object in a record: level → its table and where it stands.
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


#: level → key in the record → its column.
COLUMNS: Mapping[str, Mapping[str, Column]] = MappingProxyType(
    {level: _columns_at(level) for level in LEVELS}
)

_INSIDE: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"response": ("body",), "item": ("scoring", "source")}
)

#: Raw from the start: any JSON may stand there.
_ALWAYS_RAW: frozenset[Member] = frozenset(
    {("session", "subscores"), ("session", "metadata"), ("body", "value")}
)

#: More raw members than this are not learned: keys that are data themselves (ids, say) would
#: make the shape grow without end. Such records are read one by one instead.
_MOST_RAW = 64


class Shape:
    """The set of raw members, with the decoders that follow from it.

    Parameters
    ----------
    raw : iterable of (level, key)
        Members to cut out, beside those that are always raw.

    Attributes
    ----------
    raw : frozenset of (level, key)
        All members that are cut out.
    decoder : msgspec.json.Decoder
        Finds the raw members of a page and skips everything else.
    arrow : pyarrow.Schema
        What is left of a page once its raw members are blanked to a number.
    """

    def __init__(self, raw: Iterable[Member] = ()) -> None:
        self.raw = _ALWAYS_RAW | frozenset(raw)
        self.decoder = msgspec.json.Decoder(self._page_struct())
        self.arrow = self._arrow_schema()

    def learn(self, odd: Iterable[Member]) -> Shape:
        """Return the shape that keeps `odd` members raw too, or this one if they are too many."""
        # The decoder takes no names with quotes or control characters.
        raw = self.raw | {(level, key) for level, key in odd if json.dumps(key)[1:-1] == key}
        return self if raw == self.raw or len(raw) > _MOST_RAW else Shape(raw)

    def raw_keys(self, level: str) -> list[str]:
        """Return a level's raw members in the order of their fields ``raw_0``, ``raw_1``, ...."""
        return sorted(key for at, key in self.raw if at == level)

    def reaches(self, level: str) -> bool:
        """Whether a raw member stands at a level or inside it."""
        return any(at == level or at in _INSIDE.get(level, ()) for at, _ in self.raw)

    def _struct(self, level: str, **nested: tuple[str, Any]) -> Any:
        keys = {f"raw_{n}": key for n, key in enumerate(self.raw_keys(level))}
        # What holds no raw member is left undeclared, which makes the decoder skip it.
        return msgspec.defstruct(
            level.capitalize(),
            [(field, msgspec.Raw, msgspec.Raw()) for field in keys]
            + [(key, kind, None) for key, (inner, kind) in nested.items() if self.reaches(inner)],
            rename=lambda field: keys.get(field, field),
            gc=False,
        )

    def _page_struct(self) -> Any:
        body, scoring, source = (self._struct(level) for level in ("body", "scoring", "source"))
        response: Any = self._struct("response", response=("body", body | None))
        item: Any = self._struct(
            "item", scoring=("scoring", scoring | None), source=("source", source | None)
        )
        session: Any = self._struct(
            "session",
            responses=("response", list[response] | None),
            items=("item", list[item] | None),
        )
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
