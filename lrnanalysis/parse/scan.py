"""The quick way: one compiled pass over the bytes, built where a C compiler is at hand.

`decode` gives what `lrnanalysis.parse.arrow.decode` gives, in about a third of the time. Members
that no column holds cost little, so no shape is learned. A page that is not of the documented
shape is refused, and read the careful way.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from lrnanalysis.parse.columns import IDS, Flat, OddRecordError, check_utf8, leftover_path
from lrnanalysis.parse.record_layout import ARROW, COLUMNS, LEVELS
from lrnanalysis.parse.values import coerce
from lrnanalysis.tables.schema import TABLES

try:
    from lrnanalysis.parse import _scan
except ImportError:  # built without a compiler: the Arrow way serves
    _scan = None  # type: ignore[assignment]

__all__ = ["AVAILABLE", "decode"]

#: Whether the compiled pass was built.
AVAILABLE = _scan is not None

_KINDS = {"text": 0, "label": 1, "number": 2, "whole": 3, "flag": 4, "time": 5, "json": 6}
_OBJECT, _ROWS, _IDS = 7, 8, 9

_ORDER = ("session", "response", "body", "item", "scoring", "source")
_TABLES = tuple(TABLES)

#: Members that are objects, lists of objects or lists of ids, by level.
_INNER: dict[str, dict[str, tuple[int, str | None]]] = {
    "session": {"responses": (_ROWS, "response"), "items": (_ROWS, "item")},
    "response": {"response": (_OBJECT, "body")},
    "item": {
        "response_ids": (_IDS, None),
        "scoring": (_OBJECT, "scoring"),
        "source": (_OBJECT, "source"),
    },
}


def _members(level: str) -> list[tuple[str, int, int]]:
    members = [
        # References are stripped and compared as text before they become labels.
        (key, _KINDS["text" if column.name == "item_reference" else column.kind], 0)
        for key, column in COLUMNS[level].items()
    ]
    if level == "session":
        members.append(("metadata", _KINDS["json"], 0))
    members += [
        (key, kind, _ORDER.index(child) if child else 0)
        for key, (kind, child) in _INNER.get(level, {}).items()
    ]
    return members


_LEVELS = [(_TABLES.index(LEVELS[level][0].name), _members(level)) for level in _ORDER]


def decode(pages: Sequence[bytes]) -> Flat:
    """Read pages of sessions of the documented shape.

    Raises
    ------
    OddRecordError
        They are of another shape; nothing is lost, read them the careful way.
    """
    for page in pages:
        check_utf8(page)
    found = _scan.scan(list(pages), _LEVELS)
    if isinstance(found, int):
        raise OddRecordError
    columns, parents, counts, left, misfits = found
    rows = dict(zip(_TABLES, counts, strict=False))
    flat = Flat(
        parents={
            name: np.frombuffer(parents[place], dtype=np.int64)
            for place, name in enumerate(_TABLES)
            if name != "sessions"
        }
    )
    arrays = iter(columns)
    for (_, members), level in zip(_LEVELS, _ORDER, strict=True):
        table = LEVELS[level][0].name
        for key, kind, _ in members:
            made = next(arrays)
            if kind == _IDS:
                flat.response_ids = _list_array(made, rows[table])
            elif key == "metadata" and level == "session":
                flat.metadata = _texts(_array(made, kind, rows[table]))
            elif made is not None:
                column = COLUMNS[level][key]
                flat.columns[table][column.name] = _array(made, kind, rows[table])
    if flat.columns["sessions"]["session_id"].null_count:
        raise OddRecordError
    _keep(flat, left, rows)
    _fit(flat, misfits, rows)
    return flat


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


def _keep(flat: Flat, left: list[tuple[int, str, int, bytes]], rows: dict[str, int]) -> None:
    """Gather what no column holds by member."""
    for place, key, row, text in left:
        table = LEVELS[_ORDER[place]][0].name
        path = leftover_path(_ORDER[place], key)
        texts: Any = flat.leftovers[table].setdefault(path, [b""] * rows[table])
        texts[row] = text


def _fit(flat: Flat, misfits: list[tuple[int, int, int, bytes]], rows: dict[str, int]) -> None:
    """Read the values that are not spelt as their column wants, as far as they say one."""
    by_member: dict[tuple[str, str], dict[int, bytes]] = {}
    for place, member, row, text in misfits:
        key = _LEVELS[place][1][member][0]
        by_member.setdefault((_ORDER[place], key), {})[row] = text
    for (level, key), texts in by_member.items():
        table, column = LEVELS[level][0].name, COLUMNS[level][key]
        values = flat.columns[table][column.name].to_pylist()
        kept = [b""] * rows[table]
        for row, text in texts.items():
            values[row], fits = coerce(column.kind, text)
            kept[row] = b"" if fits else text
        flat.columns[table][column.name] = pa.array(values, ARROW[column.kind])
        if any(kept):
            flat.leftovers[table][leftover_path(level, key)] = kept
