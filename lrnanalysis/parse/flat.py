"""Pages' bytes into flat columns: many records at once, or one by one where they are odd.

`decode` is the way of nearly every page. It cuts the raw members out with one skipping pass,
blanks them, and lets Arrow's JSON reader build the columns; it refuses a page that holds anything
the shape does not expect. `decode_each` then reads that page member by member, keeps whatever
does not fit, and says which members to keep raw from there on. Both give the same columns.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json

from lrnanalysis.errors import ReadError
from lrnanalysis.parse.shape import COLUMNS, LEVELS, Member, Shape
from lrnanalysis.parse.values import Leftovers, column_of

__all__ = ["Flat", "OddRecordError", "decode", "decode_each"]

_EMPTY = msgspec.Raw()
_SPACE, _ZERO = ord(" "), ord("0")

#: Path of a level inside its table's row, for what is left over.
_INSIDE = {"body": ("response",), "scoring": ("scoring",), "source": ("source",)}

#: Members that are objects or lists with a level or a meaning of their own.
_NESTED: dict[str, tuple[str, ...]] = {
    "session": ("responses", "items", "metadata"),
    "response": ("response",),
    "item": ("scoring", "source", "response_ids"),
}


class OddRecordError(Exception):
    """A page holds something that the shape does not expect; never leaves this package."""


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
        Members that did not fit; empty from `decode`.
    """

    columns: dict[str, dict[str, pa.Array]]
    leftovers: dict[str, Leftovers]
    parents: dict[str, npt.NDArray[np.int64]]
    response_ids: pa.ListArray
    metadata: Sequence[bytes]
    unreadable: list[bytes] = field(default_factory=list)
    mended: int = 0
    odd: set[Member] = field(default_factory=set)

    @property
    def rows(self) -> dict[str, int]:
        """Table name → number of rows."""
        parents = {name: len(parent) for name, parent in self.parents.items()}
        return {"sessions": len(self.metadata)} | parents


def decode(pages: Sequence[bytes], shape: Shape) -> Flat:
    """Read pages that hold what `shape` expects and nothing else.

    Raises
    ------
    OddRecordError
        The pages hold something else; nothing is lost, read them with `decode_each`.
    """
    blanked, texts = _blank(pages, shape)
    reader = pa.json.ReadOptions(use_threads=False, block_size=len(blanked) + 1)
    parser = pa.json.ParseOptions(
        explicit_schema=shape.arrow, unexpected_field_behavior="error", newlines_in_values=True
    )
    try:
        read = pa.json.read_json(pa.BufferReader(blanked), reader, parser)
    except (pa.ArrowInvalid, UnicodeDecodeError) as error:
        raise OddRecordError from error
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
        raise OddRecordError
    columns: dict[str, dict[str, pa.Array]] = {"sessions": {}, "responses": {}, "items": {}}
    leftovers: dict[str, Leftovers] = {"sessions": {}, "responses": {}, "items": {}}
    for level, (table, _) in LEVELS.items():
        if level == "metadata":
            continue
        for key, column in COLUMNS[level].items():
            if (level, key) not in shape.raw:
                columns[table.name][column.name] = arrays[f"{level}.{key}"]
        for key in shape.raw_keys(level):
            if (level, key) != ("session", "metadata"):
                _add(level, key, texts[level, key], columns, leftovers)
    metadata = texts["session", "metadata"]
    return Flat(columns, leftovers, parents, response_ids, metadata)


def _blank(pages: Sequence[bytes], shape: Shape) -> tuple[bytearray, dict[Member, list[Any]]]:
    """Overwrite every raw member by a number of the same width; give their texts by row."""
    texts: dict[Member, list[Any]] = {member: [] for member in sorted(shape.raw)}
    cut: list[Any] = []
    shifts = []
    start = 0
    for page in pages:
        if not page.isascii():
            _check_utf8(page)
        try:
            read = shape.decoder.decode(page)
        except msgspec.DecodeError as error:
            raise OddRecordError from error
        before = len(cut)
        cut.append(read.meta)
        for level, rows in _rows(read.data, shape):
            for index, key in enumerate(shape.raw_keys(level)):
                get = attrgetter(f"raw_{index}")
                raws = [_EMPTY if row is None else get(row) for row in rows]
                texts[level, key] += raws
                cut += raws
        # A raw member is a view of its page, so its address tells where it stands.
        shifts.append(np.full(len(cut) - before, start - pa.py_buffer(page).address))
        start += len(page) + 1
    blanked = bytearray(b"\n".join(pages))
    width = np.fromiter(map(len, cut), np.int64, len(cut))
    address = np.fromiter([pa.py_buffer(raw).address for raw in cut], np.int64, len(cut))
    _overwrite(blanked, address + np.concatenate(shifts), width)
    return blanked, texts


def _rows(sessions: list[Any], shape: Shape) -> Iterator[tuple[str, list[Any]]]:
    """The objects of each level that holds raw members, in the order of the table's rows."""
    yield "session", sessions
    if shape.reaches("response"):
        responses = [one for session in sessions for one in session.responses or ()]
        yield "response", responses
        if shape.reaches("body"):
            yield "body", [response.response for response in responses]
    if shape.reaches("item"):
        items = [one for session in sessions for one in session.items or ()]
        yield "item", items
        for level in ("scoring", "source"):
            if shape.reaches(level):
                yield level, [getattr(item, level) for item in items]


def _overwrite(text: bytearray, at: npt.NDArray[np.int64], width: npt.NDArray[np.int64]) -> None:
    """Put "0" and blanks at the places given."""
    at, width = at[width > 0], width[width > 0]
    view = np.frombuffer(text, dtype=np.uint8)
    long = width > 256
    for start, count in zip(at[long].tolist(), width[long].tolist(), strict=True):
        view[start : start + count] = _SPACE
    starts, widths = at[~long], width[~long]
    before = np.cumsum(widths) - widths
    view[np.repeat(starts - before, widths) + np.arange(widths.sum())] = _SPACE
    view[at] = _ZERO


def _check_utf8(page: bytes) -> None:
    try:
        page.decode()
    except UnicodeDecodeError as error:
        # The cause would carry the page itself.
        raise ReadError(f"the text is not UTF-8 at byte {error.start}") from None


def _elements(listed: pa.ListArray) -> pa.StructArray:
    elements = listed.flatten()
    if elements.null_count:
        raise OddRecordError
    return elements


def _member(struct: pa.StructArray, key: str) -> pa.Array:
    # flatten(), not field(): it carries the parent's nulls down.
    return struct.flatten()[struct.type.get_field_index(key)]


def _spread(level: str, struct: pa.StructArray, arrays: dict[str, pa.Array]) -> None:
    names = [struct.type.field(index).name for index in range(struct.type.num_fields)]
    for key, array in zip(names, struct.flatten(), strict=True):
        arrays[f"{level}.{key}"] = array
        if pa.types.is_struct(array.type):
            _spread("body" if key == "response" else key, array, arrays)


def _add(
    level: str,
    key: str,
    raws: Sequence[bytes],
    columns: dict[str, dict[str, pa.Array]],
    leftovers: dict[str, Leftovers],
) -> bool:
    """Put a member's raw texts where they belong; say whether all of them fitted a column."""
    table = LEVELS[level][0].name
    column = COLUMNS[level].get(key)
    left: Sequence[bytes] | None = raws
    if column is not None:
        columns[table][column.name], left = column_of(column.kind, raws)
    if left is not None:
        leftovers[table][(*_INSIDE.get(level, ()), key)] = left
    return left is None


def decode_each(page: bytes) -> Flat:
    """Read one page member by member, whatever it holds.

    Raises
    ------
    ReadError
        The page is not JSON, or is not an object with a list named ``data``.
    """
    rows: dict[str, list[dict[str, bytes] | None]] = {level: [] for level in LEVELS}
    parents: dict[str, list[int]] = {"responses": [], "items": []}
    odd_lists: dict[Member, dict[int, bytes]] = {}
    named: list[list[str] | None] = []
    unreadable: list[bytes] = []
    mended = 0
    for record, was_mended in _records(page):
        session = _object(record)
        if session is None or _session_id(session) is None:
            unreadable.append(record)
            continue
        mended += was_mended
        place = len(rows["session"])
        rows["session"].append(session)
        for name, level in (("responses", "response"), ("items", "item")):
            members, whole = _objects(session.get(name, b""))
            if not whole:
                odd_lists.setdefault(("session", name), {})[place] = session[name]
            rows[level] += members
            parents[name] += [place] * len(members)
    for level, key, inner in (
        ("response", "response", "body"),
        ("item", "scoring", "scoring"),
        ("item", "source", "source"),
    ):
        for place, row in enumerate(rows[level]):
            raw = row.get(key, b"") if row else b""
            read = _object(raw)
            rows[inner].append(read)
            if read is None and raw not in (b"", b"null"):
                odd_lists.setdefault((level, key), {})[place] = raw
    for place, row in enumerate(rows["item"]):
        raw = row.get("response_ids", b"") if row else b""
        ids = _ids(raw)
        named.append(ids)
        if ids is None and raw not in (b"", b"null"):
            odd_lists.setdefault(("item", "response_ids"), {})[place] = raw
    return _gather(rows, parents, named, odd_lists, unreadable, mended)


def _gather(
    rows: dict[str, list[dict[str, bytes] | None]],
    parents: dict[str, list[int]],
    named: list[list[str] | None],
    odd_lists: dict[Member, dict[int, bytes]],
    unreadable: list[bytes],
    mended: int,
) -> Flat:
    columns: dict[str, dict[str, pa.Array]] = {"sessions": {}, "responses": {}, "items": {}}
    leftovers: dict[str, Leftovers] = {"sessions": {}, "responses": {}, "items": {}}
    odd: set[Member] = set()
    for level in LEVELS:
        if level == "metadata":
            continue
        keys = dict.fromkeys(key for row in rows[level] if row for key in row)
        for key in dict.fromkeys([*COLUMNS[level], *keys]):
            if key in _NESTED.get(level, ()):
                continue
            raws = [(row or {}).get(key, b"") for row in rows[level]]
            fits = _add(level, key, raws, columns, leftovers)
            if not fits or not all(_plain(COLUMNS[level][key].kind, raw) for raw in raws):
                odd.add((level, key))
    for (level, key), found in odd_lists.items():
        table = LEVELS[level][0].name
        count = len(rows[level])
        leftovers[table][(key,)] = [found.get(place, b"") for place in range(count)]
    return Flat(
        columns=columns,
        leftovers=leftovers,
        parents={name: np.array(parent, dtype=np.int64) for name, parent in parents.items()},
        response_ids=pa.array(named, pa.list_(pa.string())),
        metadata=[(row or {}).get("metadata", b"") for row in rows["session"]],
        unreadable=unreadable,
        mended=mended,
        odd=odd,
    )


def _session_id(session: dict[str, bytes]) -> str | None:
    """The id of a session, None where it has none that is a text or a number."""
    array, _ = column_of("text", [session.get("session_id", b"")])
    value: str | None = array[0].as_py()
    return value


def _plain(kind: str, raw: bytes) -> bool:
    """Whether Arrow's reader takes the text for a column of this kind."""
    if raw in (b"", b"null") or kind == "json":
        return True
    if kind in ("text", "label", "time"):
        return raw.startswith(b'"')
    if kind == "flag":
        return raw in (b"true", b"false")
    return raw[:1] in b"-0123456789" and not (kind == "whole" and any(c in b".eE" for c in raw))


def _records(page: bytes) -> Iterator[tuple[bytes, bool]]:
    """Each record's text, and whether half a surrogate pair in it was replaced."""
    _check_utf8(page)
    try:
        records = msgspec.json.decode(page, type=_Page).data
    except msgspec.DecodeError as error:
        problem = str(error)
    else:
        yield from ((bytes(raw), False) for raw in records)
        return
    # Text cut in the middle of an emoji leaves half a surrogate pair, which only the standard
    # library's reader lets pass.
    try:
        read = json.loads(page)
    except (ValueError, RecursionError):
        read = None
    if not isinstance(read, dict) or not isinstance(read.get("data"), list):
        raise ReadError(f"not a page of sessions: {problem}")
    for record in read["data"]:
        text = json.dumps(record, ensure_ascii=False, separators=(",", ":"))
        whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        yield whole.encode(), whole != text


class _Page(msgspec.Struct):
    data: list[msgspec.Raw]


_AS_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])
_AS_LIST = msgspec.json.Decoder(list[msgspec.Raw])
_AS_IDS = msgspec.json.Decoder(list[str])


def _object(raw: bytes) -> dict[str, bytes] | None:
    if not raw.startswith(b"{"):
        return None
    try:
        return {key: bytes(value) for key, value in _AS_OBJECT.decode(raw).items()}
    except msgspec.DecodeError:
        return None


def _objects(raw: bytes) -> tuple[list[dict[str, bytes] | None], bool]:
    """The objects of a list, and whether that is all it holds."""
    if raw in (b"", b"null"):
        return [], True
    if not raw.startswith(b"["):
        return [], False
    members = [_object(bytes(one)) for one in _AS_LIST.decode(raw)]
    return [one for one in members if one is not None], None not in members


def _ids(raw: bytes) -> list[str] | None:
    if not raw.startswith(b"["):
        return None
    try:
        return _AS_IDS.decode(raw)
    except msgspec.DecodeError:
        return None
