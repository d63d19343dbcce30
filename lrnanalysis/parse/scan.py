"""Decoding with the compiled scanner: one pass over the bytes of a page.

Built if a C compiler is available. Returns what `lrnanalysis.parse.arrow` returns in about a third
of the time. Members without a column cost little, so no layout is learned. A page that does not
have the documented shape is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from lrnanalysis.parse.columns import IDS, DecodedPages, Given, UnexpectedShapeError, check_utf8
from lrnanalysis.parse.record_layout import ARROW, COLUMNS, LEVELS, MEMBERS, Member
from lrnanalysis.parse.values import coerce
from lrnanalysis.tables.schema import TABLES

try:
    from lrnanalysis.parse import _scan
except ImportError:  # installed without a C compiler
    _scan = None  # type: ignore[assignment]

__all__ = ["AVAILABLE", "decode"]

#: Whether the scanner was built.
AVAILABLE = _scan is not None

_KINDS = {"text": 0, "label": 1, "number": 2, "integer": 3, "flag": 4, "time": 5, "json": 6}
_OBJECT, _ROWS, _IDS = 7, 8, 9

_ORDER = ("session", "response", "body", "item", "scoring", "source")
_TABLES = tuple(TABLES)

#: Members that are objects, lists of objects or lists of ids, with their level.
_INNER: dict[str, tuple[int, str | None]] = {
    "metadata": (_KINDS["json"], None),
    "responses": (_ROWS, "response"),
    "items": (_ROWS, "item"),
    "response": (_OBJECT, "body"),
    "response_ids": (_IDS, None),
    "scoring": (_OBJECT, "scoring"),
    "source": (_OBJECT, "source"),
}


def _members(level: str) -> list[tuple[str, int, int]]:
    members = []
    for key in MEMBERS[level]:
        column = COLUMNS[level].get(key)
        if column is None:
            kind, child = _INNER[key]
            members.append((key, kind, _ORDER.index(child) if child else 0))
        else:
            # References are stripped as text before they become labels.
            stripped = column.name == "item_reference"
            members.append((key, _KINDS["text" if stripped else column.kind], 0))
    return members


_LEVELS = [(_TABLES.index(LEVELS[level][0].name), _members(level)) for level in _ORDER]


def decode(pages: Sequence[bytes]) -> DecodedPages:
    """Decode pages of the documented shape.

    Raises
    ------
    UnexpectedShapeError
        The pages have another shape: use `lrnanalysis.parse.fallback.decode`.
    """
    for page in pages:
        check_utf8(page)
    found = _scan.scan(list(pages), _LEVELS)
    if isinstance(found, int):
        raise UnexpectedShapeError
    columns, parents, counts, left, misfits, given = found
    rows = dict(zip(_TABLES, counts, strict=False))
    decoded = DecodedPages(
        parents={
            name: np.frombuffer(parents[place], dtype=np.int64)
            for place, name in enumerate(_TABLES)
            if name != "sessions"
        }
    )
    arrays = iter(columns)
    for (_, members), level, sets in zip(_LEVELS, _ORDER, given, strict=True):
        table = LEVELS[level][0].name
        decoded.given[level] = _given(sets, rows[table])
        for key, kind, _ in members:
            made = next(arrays)
            if kind == _IDS:
                decoded.response_ids = _list_array(made, rows[table])
            elif key == "metadata" and level == "session":
                decoded.metadata = _texts(_array(made, kind, rows[table]))
            elif made is not None:
                column = COLUMNS[level][key]
                decoded.columns[table][column.name] = _array(made, kind, rows[table])
    if decoded.columns["sessions"]["session_id"].null_count:
        raise UnexpectedShapeError
    for (level, key), texts in _by_member(left).items():
        decoded.keep(level, key, _per_row(texts, rows[LEVELS[level][0].name]))
    for (level, key), texts in _by_member(misfits).items():
        _fit(decoded, level, key, texts)
    return decoded


def _given(sets: bytes, rows: int) -> Given:
    found = np.zeros((rows, 2), dtype=np.uint64)
    known = np.frombuffer(sets, dtype=np.uint64).reshape(-1, 2)
    found[: len(known)] = known
    return found[:, 0], found[:, 1]


def _array(made: Any, kind: int, rows: int) -> pa.Array:
    valid, values, offsets, words, word_ends, labels = made
    bits = None if valid is None else pa.py_buffer(valid)
    if kind in (_KINDS["text"], _KINDS["json"]):
        return pa.Array.from_buffers(
            pa.string(), rows, [bits, pa.py_buffer(offsets), pa.py_buffer(values)]
        )
    if kind == _KINDS["label"]:
        codes = pa.Array.from_buffers(pa.int32(), rows, [bits, pa.py_buffer(values)])
        dictionary = pa.Array.from_buffers(
            pa.string(), labels, [None, pa.py_buffer(word_ends), pa.py_buffer(words)]
        )
        return pa.DictionaryArray.from_arrays(codes, dictionary)
    name = next(name for name, number in _KINDS.items() if number == kind)
    return pa.Array.from_buffers(ARROW[name], rows, [bits, pa.py_buffer(values)])


def _list_array(made: Any, rows: int) -> pa.ListArray:
    valid, values, offsets, _, ends, count = made
    texts = pa.Array.from_buffers(
        pa.string(), count, [None, pa.py_buffer(offsets), pa.py_buffer(values)]
    )
    bits = None if valid is None else pa.py_buffer(valid)
    return pa.Array.from_buffers(IDS, rows, [bits, pa.py_buffer(ends)], children=[texts])


def _texts(column: pa.Array) -> list[bytes]:
    return [b"" if text is None else text for text in column.cast(pa.binary()).to_pylist()]


def _by_member(found: list[tuple[int, str, int, bytes]]) -> dict[Member, dict[int, bytes]]:
    """Member → row → text, of what the scanner returned as raw text."""
    texts: dict[Member, dict[int, bytes]] = {}
    for place, key, row, text in found:
        texts.setdefault((_ORDER[place], key), {})[row] = text
    return texts


def _per_row(texts: dict[int, bytes], rows: int) -> list[bytes]:
    return [texts.get(row, b"") for row in range(rows)]


def _fit(decoded: DecodedPages, level: str, key: str, texts: dict[int, bytes]) -> None:
    """Convert the values of a column that are spelt in another way, as far as possible."""
    column, columns = COLUMNS[level][key], decoded.columns[LEVELS[level][0].name]
    values = columns[column.name].to_pylist()
    kept = {}
    for row, text in texts.items():
        values[row], fits = coerce(column.kind, text)
        if not fits:
            kept[row] = text
    columns[column.name] = pa.array(values, ARROW[column.kind])
    if kept:
        decoded.keep(level, key, _per_row(kept, len(values)))
