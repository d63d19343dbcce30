"""Decoding without assumptions: one record after the other, member by member."""

from __future__ import annotations

from collections import defaultdict

import msgspec
import numpy as np
import pyarrow as pa

from lrnanalysis.errors import ReadError
from lrnanalysis.parse.columns import IDS, THERE, DecodedPages, Given, check_utf8
from lrnanalysis.parse.record_layout import COLUMNS, LEVELS, MEMBERS, NESTED, Member
from lrnanalysis.parse.repair import repaired
from lrnanalysis.parse.values import column_of

__all__ = ["decode"]

_Row = dict[str, bytes] | None


def decode(page: bytes) -> DecodedPages:
    """Decode one page, whatever its records contain.

    Raises
    ------
    ReadError
        The page is not JSON, or is not an object with a list named ``data``.
    """
    decoded = DecodedPages()
    rows: dict[str, list[_Row]] = {level: [] for level in LEVELS}
    parents: dict[str, list[int]] = {"responses": [], "items": []}
    misplaced: defaultdict[Member, dict[int, bytes]] = defaultdict(dict)
    for record in _records(page, decoded):
        session = _object(record)
        if session is None or _session_id(session) is None:
            decoded.unreadable.append(record)
            continue
        row = len(rows["session"])
        rows["session"].append(session)
        for name, level in (("responses", "response"), ("items", "item")):
            members, complete = _objects(session.get(name, b""))
            if not complete:
                misplaced["session", name][row] = session[name]
            rows[level] += members
            parents[name] += [row] * len(members)
    for level, key, inner in (
        ("response", "response", "body"),
        ("item", "scoring", "scoring"),
        ("item", "source", "source"),
    ):
        for row, raw in enumerate(_members(rows[level], key)):
            rows[inner].append(_object(raw))
            if rows[inner][-1] is None and raw not in (b"", b"null"):
                misplaced[level, key][row] = raw
    listed = []
    for row, raw in enumerate(_members(rows["item"], "response_ids")):
        listed.append(_ids(raw))
        if listed[-1] is None and raw not in (b"", b"null"):
            misplaced["item", "response_ids"][row] = raw
    decoded.parents = {name: np.array(parent, np.int64) for name, parent in parents.items()}
    decoded.response_ids = pa.array(listed, IDS)
    decoded.metadata = _members(rows["session"], "metadata")
    decoded.given = {level: _given(level, rows[level]) for level in LEVELS if level != "metadata"}
    _add_columns(decoded, rows)
    for (level, key), texts in misplaced.items():
        decoded.keep(level, key, [texts.get(row, b"") for row in range(len(rows[level]))])
    return decoded


def _add_columns(decoded: DecodedPages, rows: dict[str, list[_Row]]) -> None:
    for level in LEVELS:
        if level == "metadata":
            continue
        found = dict.fromkeys(key for row in rows[level] if row for key in row)
        for key in dict.fromkeys([*COLUMNS[level], *found]):
            if key in NESTED.get(level, ()):
                continue
            raws = _members(rows[level], key)
            fits = decoded.add(level, key, raws)
            if not fits or not all(_is_plain(COLUMNS[level][key].kind, raw) for raw in raws):
                decoded.misfits.add((level, key))


def _members(rows: list[_Row], key: str) -> list[bytes]:
    """The raw text of a member in each row, empty where there is none."""
    return [(row or {}).get(key, b"") for row in rows]


def _given(level: str, rows: list[_Row]) -> Given:
    seen = np.zeros(len(rows), dtype=np.uint64)
    nulls = np.zeros(len(rows), dtype=np.uint64)
    for number, row in enumerate(rows):
        if row is not None:
            bits = [(1 << bit, row[key]) for bit, key in enumerate(MEMBERS[level]) if key in row]
            seen[number] = sum(bit for bit, _ in bits) | int(THERE)
            nulls[number] = sum(bit for bit, raw in bits if raw == b"null")
    return seen, nulls


def _session_id(session: dict[str, bytes]) -> str | None:
    """The id of a session; None if it is neither text nor a number."""
    array, _ = column_of("text", [session.get("session_id", b"")])
    value: str | None = array[0].as_py()
    return value


def _is_plain(kind: str, raw: bytes) -> bool:
    """Whether Arrow's reader accepts the text in a column of this kind."""
    if raw in (b"", b"null") or kind == "json":
        return True
    if kind in ("text", "label", "time"):
        return raw.startswith(b'"')
    if kind == "flag":
        return raw in (b"true", b"false")
    return raw[:1] in b"-0123456789" and not (kind == "integer" and any(c in b".eE" for c in raw))


def _records(page: bytes, decoded: DecodedPages) -> list[bytes]:
    """The text of each record; what had to be repaired is counted in `decoded`."""
    check_utf8(page)
    # The parser overlooks some unpaired surrogates where it only skips a text.
    if rb"\ud" not in page and rb"\uD" not in page:
        try:
            return _listed(page)
        except (msgspec.DecodeError, RecursionError):
            pass
    text, decoded.tokens, decoded.repaired = repaired(page)
    try:
        return _listed(text)
    except (msgspec.DecodeError, RecursionError) as error:
        raise ReadError(f"not a page of sessions: {error}") from None


def _listed(page: bytes) -> list[bytes]:
    return [bytes(raw) for raw in msgspec.json.decode(page, type=_Page).data]


class _Page(msgspec.Struct):
    data: list[msgspec.Raw]


_AS_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])
_AS_LIST = msgspec.json.Decoder(list[msgspec.Raw])
_AS_IDS = msgspec.json.Decoder(list[str])


def _object(raw: bytes) -> _Row:
    if not raw.startswith(b"{"):
        return None
    try:
        return {key: bytes(value) for key, value in _AS_OBJECT.decode(raw).items()}
    except msgspec.DecodeError:
        return None


def _objects(raw: bytes) -> tuple[list[_Row], bool]:
    """The objects in a list, and whether it contains nothing else."""
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
