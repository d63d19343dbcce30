"""The careful way: one record after the other, member by member, whatever it holds."""

from __future__ import annotations

import json
from collections.abc import Iterator

import msgspec
import numpy as np
import pyarrow as pa

from lrnanalysis.errors import ReadError
from lrnanalysis.parse.columns import IDS, Flat, check_utf8, leftover_path
from lrnanalysis.parse.record_layout import COLUMNS, LEVELS, Member
from lrnanalysis.parse.values import column_of

__all__ = ["decode_each"]

#: Members that are objects or lists with a level or a meaning of their own.
_NESTED: dict[str, tuple[str, ...]] = {
    "session": ("responses", "items", "metadata"),
    "response": ("response",),
    "item": ("scoring", "source", "response_ids"),
}


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
    flat = Flat(
        parents={name: np.array(parent, dtype=np.int64) for name, parent in parents.items()},
        response_ids=pa.array(named, IDS),
        metadata=[(row or {}).get("metadata", b"") for row in rows["session"]],
        unreadable=unreadable,
        mended=mended,
    )
    for level in LEVELS:
        if level == "metadata":
            continue
        keys = dict.fromkeys(key for row in rows[level] if row for key in row)
        for key in dict.fromkeys([*COLUMNS[level], *keys]):
            if key in _NESTED.get(level, ()):
                continue
            raws = [(row or {}).get(key, b"") for row in rows[level]]
            fits = flat.add(level, key, raws)
            if not fits or not all(_plain(COLUMNS[level][key].kind, raw) for raw in raws):
                flat.odd.add((level, key))
    for (level, key), found in odd_lists.items():
        flat.leftovers[LEVELS[level][0].name][leftover_path(level, key)] = [
            found.get(place, b"") for place in range(len(rows[level]))
        ]
    return flat


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
    check_utf8(page)
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
