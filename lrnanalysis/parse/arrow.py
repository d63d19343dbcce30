"""Decoding with Arrow's JSON reader, where the compiled scanner was not built.

One pass finds the raw members and overwrites each with a number of the same width; Arrow builds
the columns of what remains. A page with anything that the layout does not expect is refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from operator import attrgetter
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json

from lrnanalysis.parse.columns import DecodedPages, UnexpectedShapeError, check_utf8
from lrnanalysis.parse.record_layout import COLUMNS, LEVELS, Member, RecordLayout

__all__ = ["decode"]

_EMPTY = msgspec.Raw()
_SPACE, _ZERO = ord(" "), ord("0")


def decode(pages: Sequence[bytes], layout: RecordLayout) -> DecodedPages:
    """Decode pages that contain what the layout expects and nothing else.

    Raises
    ------
    UnexpectedShapeError
        The pages contain something else: use `lrnanalysis.parse.fallback.decode`.
    """
    blanked, texts = _blank(pages, layout)
    reader = pa.json.ReadOptions(use_threads=False, block_size=len(blanked) + 1)
    parser = pa.json.ParseOptions(
        explicit_schema=layout.arrow, unexpected_field_behavior="error", newlines_in_values=True
    )
    try:
        read = pa.json.read_json(pa.BufferReader(blanked), reader, parser)
    except (pa.ArrowInvalid, UnicodeDecodeError) as error:
        raise UnexpectedShapeError from error
    arrays: dict[str, pa.Array] = {}
    parents = {}
    session = read["data"].combine_chunks()
    if isinstance(session, pa.ChunkedArray):
        session = session.chunk(0)
    session = _elements(session)
    _spread("session", session, arrays)
    for name, level in (("responses", "response"), ("items", "item")):
        listed = _member(session, name)
        parents[name] = pc.list_parent_indices(listed).to_numpy(zero_copy_only=False)
        _spread(level, _elements(listed), arrays)
    response_ids = arrays["item.response_ids"]
    if arrays["session.session_id"].null_count or response_ids.flatten().null_count:
        raise UnexpectedShapeError
    decoded = DecodedPages(
        parents=parents, response_ids=response_ids, metadata=texts["session", "metadata"]
    )
    for level, (table, _) in LEVELS.items():
        if level == "metadata":
            continue
        for key, column in COLUMNS[level].items():
            if (level, key) not in layout.raw:
                decoded.columns[table.name][column.name] = arrays[f"{level}.{key}"]
        for key in layout.raw_keys(level):
            if (level, key) != ("session", "metadata"):
                decoded.add(level, key, texts[level, key])
    return decoded


def _blank(
    pages: Sequence[bytes], layout: RecordLayout
) -> tuple[bytearray, dict[Member, list[Any]]]:
    """Overwrite every raw member with a number of the same width; return their texts by row."""
    texts: dict[Member, list[Any]] = {member: [] for member in sorted(layout.raw)}
    cut: list[Any] = []
    shifts = []
    start = 0
    for page in pages:
        check_utf8(page)
        try:
            read = layout.decoder.decode(page)
        except msgspec.DecodeError as error:
            raise UnexpectedShapeError from error
        before = len(cut)
        cut.append(read.meta)
        for level, rows in _rows(read.data, layout):
            for index, key in enumerate(layout.raw_keys(level)):
                get = attrgetter(f"raw_{index}")
                raws = [_EMPTY if row is None else get(row) for row in rows]
                texts[level, key] += raws
                cut += raws
        # A raw member is a view of its page, so its address gives its position.
        shifts.append(np.full(len(cut) - before, start - pa.py_buffer(page).address))
        start += len(page) + 1
    blanked = bytearray(b"\n".join(pages))
    width = np.fromiter(map(len, cut), np.int64, len(cut))
    address = np.fromiter([pa.py_buffer(raw).address for raw in cut], np.int64, len(cut))
    _overwrite(blanked, address + np.concatenate(shifts), width)
    return blanked, texts


def _rows(sessions: list[Any], layout: RecordLayout) -> Iterator[tuple[str, list[Any]]]:
    """The objects of each level with raw members, in the order of the table's rows."""
    yield "session", sessions
    if layout.reaches("response"):
        responses = [one for session in sessions for one in session.responses or ()]
        yield "response", responses
        if layout.reaches("body"):
            yield "body", [response.response for response in responses]
    if layout.reaches("item"):
        items = [one for session in sessions for one in session.items or ()]
        yield "item", items
        for level in ("scoring", "source"):
            if layout.reaches(level):
                yield level, [getattr(item, level) for item in items]


def _overwrite(text: bytearray, at: npt.NDArray[np.int64], width: npt.NDArray[np.int64]) -> None:
    """Write "0" and blanks over each span."""
    at, width = at[width > 0], width[width > 0]
    view = np.frombuffer(text, dtype=np.uint8)
    long = width > 256
    for start, count in zip(at[long].tolist(), width[long].tolist(), strict=True):
        view[start : start + count] = _SPACE
    starts, widths = at[~long], width[~long]
    before = np.cumsum(widths) - widths
    view[np.repeat(starts - before, widths) + np.arange(widths.sum())] = _SPACE
    view[at] = _ZERO


def _elements(listed: pa.ListArray) -> pa.StructArray:
    elements = listed.flatten()
    if elements.null_count:
        raise UnexpectedShapeError
    return elements


def _member(struct: pa.StructArray, key: str) -> pa.Array:
    # flatten(), not field(): it applies the nulls of the parent.
    return struct.flatten()[struct.type.get_field_index(key)]


def _spread(level: str, struct: pa.StructArray, arrays: dict[str, pa.Array]) -> None:
    names = [struct.type.field(index).name for index in range(struct.type.num_fields)]
    for key, array in zip(names, struct.flatten(), strict=True):
        arrays[f"{level}.{key}"] = array
        if pa.types.is_struct(array.type):
            _spread("body" if key == "response" else key, array, arrays)
