"""From raw JSON texts to the values of a column; what does not fit goes into `extra`."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType, NoneType
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.json

from lrnanalysis.parse.record_layout import ARROW

__all__ = ["Leftovers", "coerce", "column_of", "extra_column", "text_column"]

#: Path inside the row → JSON text per row, empty where there is none.
Leftovers = dict[tuple[str, ...], Sequence[bytes]]

_PLAIN_TYPES: Mapping[str, set[type]] = MappingProxyType(
    {
        "text": {str, NoneType},
        "label": {str, NoneType},
        "time": {str, NoneType},
        "number": {int, float, NoneType},
        "integer": {int, NoneType},
        "flag": {bool, NoneType},
    }
)

_MIN_INTEGER, _MAX_INTEGER = -(2**63), 2**63 - 1


def coerce(kind: str, raw: bytes) -> tuple[Any, bool]:
    """Convert one JSON text to a value of a column's kind.

    Returns
    -------
    value : object
        The value, None if there is none.
    fits : bool
        False if the value does not express the text fully, so that the text must be kept too.
    """
    if not raw or raw == b"null":
        return None, True
    try:
        value = msgspec.json.decode(raw)
    except msgspec.DecodeError:  # a number out of range
        return None, False
    if kind in ("text", "label"):
        return _text(value)
    if kind == "time":
        return _time(value)
    if kind == "flag":
        return _flag(value)
    return _number(value, integer=kind == "integer")


def _text(value: object) -> tuple[str | None, bool]:
    if isinstance(value, str):
        return value, True
    if isinstance(value, int | float) and not isinstance(value, bool):
        return msgspec.json.encode(value).decode(), False
    return None, False


def _time(value: object) -> tuple[Any, bool]:
    try:
        if isinstance(value, str):
            return _times([value])[0].as_py(), True
        if isinstance(value, int) and not isinstance(value, bool):
            return pa.scalar(value * 1_000_000, pa.int64()).cast(ARROW["time"]).as_py(), False
    except (pa.ArrowInvalid, OverflowError, ValueError):
        return None, False
    return None, False


def _times(texts: Sequence[str | None]) -> pa.Array:
    # With the JSON reader, since Arrow's cast accepts other spellings of a time.
    lines = b"\n".join(msgspec.json.encode({"time": text}) for text in texts)
    options = pa.json.ParseOptions(pa.schema([("time", ARROW["time"])]))
    blocks = pa.json.ReadOptions(use_threads=False, block_size=len(lines) + 1)
    return pa.json.read_json(pa.BufferReader(lines), blocks, options)["time"].combine_chunks()


def _flag(value: object) -> tuple[bool | None, bool]:
    if isinstance(value, bool):
        return value, True
    if isinstance(value, int | float) and value in (0, 1):
        return bool(value), True
    if isinstance(value, str) and value.lower() in ("0", "1", "false", "true"):
        return value.lower() in ("1", "true"), False
    return None, False


def _number(value: object, *, integer: bool) -> tuple[float | int | None, bool]:
    fits = not isinstance(value, str)
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None, False
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None, False
    if not math.isfinite(number):
        return None, False
    if not integer:
        # Beyond 2**53 not every integer is a double.
        return number, fits and not (isinstance(value, int) and int(number) != value)
    exact = value if isinstance(value, int) else int(number)
    if number == int(number) and _MIN_INTEGER <= exact <= _MAX_INTEGER:
        return exact, fits
    return None, False


def column_of(kind: str, raws: Sequence[bytes]) -> tuple[pa.Array, list[bytes] | None]:
    """Convert the raw texts of a column; also return those to be kept, or None if all fit."""
    if kind == "json":
        return text_column(raws), None
    together = _all_fit(kind, raws)
    if together is not None:
        return together, None
    pairs = [coerce(kind, bytes(raw)) for raw in raws]
    left = [b"" if fits else bytes(raw) for raw, (_, fits) in zip(raws, pairs, strict=True)]
    return pa.array([value for value, _ in pairs], ARROW[kind]), left if any(left) else None


def _all_fit(kind: str, raws: Sequence[bytes]) -> pa.Array | None:
    """Convert the raw texts of a column at once; None unless each has exactly its type."""
    try:
        texts = (raw if len(raw) else b"null" for raw in raws)
        values = msgspec.json.decode(b"[" + b",".join(texts) + b"]")
        if not values or not set(map(type, values)) <= _PLAIN_TYPES[kind]:
            return None
        if kind == "time":
            return _times(values)
        return pa.array(values, ARROW[kind])
    except (msgspec.DecodeError, pa.ArrowInvalid, OverflowError):
        return None


def text_column(raws: Sequence[bytes]) -> pa.Array:
    """JSON texts unchanged; null where there is none or where it is null."""
    n = len(raws)
    lengths = np.fromiter(map(len, raws), dtype=np.int64, count=n)
    null = lengths == 0
    for row in np.flatnonzero(lengths == 4).tolist():
        null[row] = bytes(raws[row]) == b"null"
    kept = [raw for raw, gone in zip(raws, null, strict=True) if not gone] if null.any() else raws
    offsets = np.zeros(n + 1, dtype=np.int32)
    np.cumsum(np.where(null, 0, lengths), out=offsets[1:])
    valid = pa.py_buffer(np.packbits(~null, bitorder="little").tobytes()) if null.any() else None
    return pa.StringArray.from_buffers(
        n, pa.py_buffer(offsets.tobytes()), pa.py_buffer(b"".join(kept)), valid
    )


def extra_column(rows: int, leftovers: Leftovers) -> pa.Array:
    """Gather what has no column in one JSON object per row; null where there is nothing."""
    if not leftovers:
        return pa.nulls(rows, pa.string())
    present = np.zeros(rows, dtype=bool)
    for texts in leftovers.values():
        present |= np.fromiter(map(len, texts), dtype=np.int64, count=rows) > 0
    in_order = sorted(leftovers.items(), key=lambda one: one[0])
    extra: list[str | None] = [None] * rows
    for row in np.flatnonzero(present).tolist():
        extra[row] = _object(
            (path, bytes(texts[row])) for path, texts in in_order if len(texts[row])
        ).decode()
    return pa.array(extra, pa.string())


def _object(members: Iterable[tuple[tuple[str, ...], bytes]]) -> bytes:
    nested: dict[str, list[tuple[tuple[str, ...], bytes]]] = {}
    for path, text in members:
        nested.setdefault(path[0], []).append((path[1:], text))
    parts = [
        msgspec.json.encode(key) + b":" + (inner[0][1] if inner[0][0] == () else _object(inner))
        for key, inner in nested.items()
    ]
    return b"{" + b",".join(parts) + b"}"
