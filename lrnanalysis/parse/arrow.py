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

from lrnanalysis.parse.columns import (
    THERE,
    DecodedPages,
    Given,
    UnexpectedShapeError,
    check_utf8,
)
from lrnanalysis.parse.record_layout import COLUMNS, LEVELS, MEMBERS, Member, RecordLayout

__all__ = ["decode"]

_EMPTY = msgspec.Raw()

#: Members that are decoded as objects or lists of them.
_OBJECTS = frozenset({"responses", "items", "response", "scoring", "source"})
_SPACE, _ZERO = ord(" "), ord("0")


def decode(pages: Sequence[bytes], layout: RecordLayout) -> DecodedPages:
    """Decode pages that contain what the layout expects and nothing else.

    Raises
    ------
    UnexpectedShapeError
        The pages contain something else: use `lrnanalysis.parse.fallback.decode`.
    """
    blanked, texts, given = _blank(pages, layout)
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
        parents=parents,
        response_ids=response_ids,
        metadata=texts["session", "metadata"],
        given=given,
    )
    for level, (table, _) in LEVELS.items():
        if level == "metadata":
            continue
        for key, column in COLUMNS[level].items():
            if (level, key) not in layout.raw:
                array = arrays[f"{level}.{key}"]
                if column.kind == "number" and _may_be_rounded(array):
                    raise UnexpectedShapeError
                decoded.columns[table.name][column.name] = array
        for key in layout.raw_keys(level):
            if (level, key) != ("session", "metadata"):
                decoded.add(level, key, texts[level, key])
    return decoded


def _may_be_rounded(numbers: pa.Array) -> bool:
    """Whether a number is so large that its text may have been a whole number of more digits."""
    extremes = pc.min_max(pc.abs(numbers))["max"].as_py()
    return extremes is not None and extremes >= 2**53


def _blank(
    pages: Sequence[bytes], layout: RecordLayout
) -> tuple[bytearray, dict[Member, list[Any]], dict[str, Given]]:
    """Overwrite every raw member with a number of the same width.

    Also returns the texts of the raw members by row, and which members each row gives.
    """
    texts: dict[Member, list[Any]] = {member: [] for member in sorted(layout.raw)}
    cut: list[Any] = []
    shifts = []
    given: dict[str, list[Given]] = {level: [] for level in LEVELS if level != "metadata"}
    start = 0
    for page in pages:
        check_utf8(page)
        try:
            read = layout.decoder.decode(page)
        except msgspec.DecodeError as error:
            raise UnexpectedShapeError from error
        before = len(cut)
        cut.append(read.meta)
        for level, rows in _rows(read.data):
            given[level].append(_given(level, rows, layout))
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
    joined = {
        level: (np.concatenate([one for one, _ in sets]), np.concatenate([one for _, one in sets]))
        for level, sets in given.items()
    }
    return blanked, texts, joined


def _rows(sessions: list[Any]) -> Iterator[tuple[str, list[Any]]]:
    """The objects of each level, in the order of the table's rows; None where there is none."""
    yield "session", sessions
    responses = [one for session in sessions for one in session.responses or ()]
    yield "response", responses
    yield "body", [response.response or None for response in responses]
    items = [one for session in sessions for one in session.items or ()]
    yield "item", items
    for level in ("scoring", "source"):
        yield level, [getattr(item, level) or None for item in items]


def _given(level: str, rows: list[Any], layout: RecordLayout) -> Given:
    """Which members each row gives, and gives as null."""
    there = np.array([row is not None for row in rows], dtype=bool)
    objects = [row for row in rows if row is not None]
    seen = np.full(len(objects), THERE)
    nulls = np.zeros(len(objects), dtype=np.uint64)
    raw_keys = layout.raw_keys(level)
    for bit, key in enumerate(MEMBERS[level]):
        if key in _OBJECTS:
            values = [getattr(row, key) for row in objects]
            present = np.array([value is not msgspec.UNSET for value in values], dtype=bool)
            null = np.array([value is None for value in values], dtype=bool)
        else:
            field = f"raw_{raw_keys.index(key)}" if key in raw_keys else f"member_{bit}"
            raws = [getattr(row, field) for row in objects]
            width = np.fromiter(map(len, raws), np.int64, len(raws))
            present, null = width > 0, width == 4
            null[null] = [bytes(raws[row]) == b"null" for row in np.flatnonzero(null).tolist()]
        seen[present] |= np.uint64(1 << bit)
        nulls[null] |= np.uint64(1 << bit)
    return _spread_over(seen, there), _spread_over(nulls, there)


def _spread_over(sets: npt.NDArray[np.uint64], there: npt.NDArray[np.bool_]) -> Any:
    found = np.zeros(len(there), dtype=np.uint64)
    found[there] = sets
    return found


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
