"""From the three tables back to the endpoint's records.

Columns go back to their path in the record, and `extra` is merged over them. A key without a value
is null or absent as the column `presence` says; without that, as is usual for it. Times come back
in the documented format.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import numpy as np
import pandas as pd

from lrnanalysis.tables.key_presence import Presence, presence_of, usual_state
from lrnanalysis.tables.schema import ITEMS, METADATA_PREFIX, RESPONSES, SESSIONS, Column, Table
from lrnanalysis.tables.times import timestamps

__all__ = ["to_records"]

_AS_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])


def to_records(
    sessions: pd.DataFrame, responses: pd.DataFrame, items: pd.DataFrame
) -> Iterator[bytes]:
    """Return one JSON text per session, in the order of `sessions`.

    Parameters
    ----------
    sessions, responses, items : DataFrame
        The tables of `lrnanalysis.tables.schema`.

    Yields
    ------
    bytes
        The record of a session.
    """
    of_item = _by_session(items, _item_records(items))
    of_response = _by_session(responses, _response_records(responses))
    metadata = {
        name: _plain(sessions[name]) for name in sessions if str(name).startswith(METADATA_PREFIX)
    }
    for row, (session, presence) in enumerate(_rows(SESSIONS, sessions)):
        key = session["session_id"]
        answered, shown = of_response.get(key, []), of_item.get(key, [])
        _list_responses(shown, answered)
        about = session.pop("metadata", {})
        about.update(
            (str(name).removeprefix(METADATA_PREFIX), values[row])
            for name, values in metadata.items()
            if values[row] is not None
        )
        for name, value in (
            ("responses", [_finished(response) for response in answered]),
            ("items", [_finished(item) for item in shown]),
            ("metadata", about),
        ):
            if value or not {name} & (presence.absent | presence.null):
                session[name] = value
        _add_nulls(session, presence)
        yield msgspec.json.encode(_finished(session))


def _by_session(
    frame: pd.DataFrame, made: Iterator[dict[str, Any]]
) -> dict[str, list[dict[str, Any]]]:
    grouped: dict[str, list[dict[str, Any]]] = {}
    for key, record in zip(frame["session_id"].to_list(), made, strict=True):
        grouped.setdefault(key, []).append(record)
    return grouped


def _item_records(items: pd.DataFrame) -> Iterator[dict[str, Any]]:
    rows = zip(_rows(ITEMS, items), items["response_count"].notna(), strict=True)
    for (item, presence), names in rows:
        item.pop("session_id", None)
        if names:
            item["response_ids"] = []
        for name in presence.empty:
            item.setdefault(name, {})
        _add_nulls(item, presence)
        has_scoring = isinstance(item.get("scoring"), dict) or (
            "scoring" not in item and _is_object_in(item.get("extra"), "scoring")
        )
        if has_scoring and "scoring.score" not in presence.absent:
            item.setdefault("scoring", {}).setdefault("score", None)
        yield item


def _is_object_in(extra: str | None, key: str) -> bool:
    """Whether `extra` holds an object under a key: one whose known members all lack a value."""
    if extra is None or f'"{key}":' not in extra:
        return False
    return bytes(_AS_OBJECT.decode(extra.encode()).get(key, b"")).startswith(b"{")


def _response_records(responses: pd.DataFrame) -> Iterator[dict[str, Any]]:
    for response, presence in _rows(RESPONSES, responses):
        response.pop("session_id", None)
        for name in presence.empty:
            response.setdefault(name, {})
        if "response" not in presence.absent:
            response.setdefault("response", None)
        _add_nulls(response, presence)
        yield response


def _add_nulls(record: dict[str, Any], presence: Presence) -> None:
    """Add the keys that were null although that is not usual."""
    for path in sorted(presence.null):
        *above, key = path.split(".", 1)
        inner = record
        for step in above:
            below = inner.get(step)
            inner = below if isinstance(below, dict) else inner.setdefault(step, {})
        inner.setdefault(key, None)


def _list_responses(items: list[dict[str, Any]], responses: list[dict[str, Any]]) -> None:
    named: dict[str | None, list[str | None]] = {}
    for response in responses:
        if "item_reference" in response:
            named.setdefault(response["item_reference"], []).append(response.get("response_id"))
    for item in items:
        if item.get("response_ids") is not None:
            item["response_ids"] = named.get(item.get("reference"), [])


def _finished(record: dict[str, Any]) -> dict[str, Any]:
    extra = record.pop("extra", None)
    if extra is not None:
        _merge(record, extra.encode())
    return record


def _merge(record: dict[str, Any], extra: bytes) -> None:
    for key, value in _AS_OBJECT.decode(extra).items():
        below = record.get(key)
        if isinstance(below, dict) and bytes(value).startswith(b"{"):
            _merge(below, bytes(value))
        else:
            record[key] = value


def _rows(table: Table, frame: pd.DataFrame) -> Iterator[tuple[dict[str, Any], Presence]]:
    """One nested dict per row, with `extra` still as text, and the row's presence."""
    columns = [
        (
            _place(column),
            usual_state(column.path) == "null" and len(_place(column)) == 1,
            _plain(frame[column.name], column),
        )
        for column in table.columns
        if (column.path or column.name == "extra") and column.name in frame
    ]
    usual = Presence()
    for row, text in enumerate(_presence_texts(frame)):
        presence = usual if text is None else presence_of(text)
        record: dict[str, Any] = {}
        for path, null, values in columns:
            value = values[row]
            if value is None and (not null or path[0] in presence.absent):
                continue
            inner = record
            for step in path[:-1]:
                inner = inner.setdefault(step, {})
            inner[path[-1]] = value
        yield record, presence


def _presence_texts(frame: pd.DataFrame) -> list[str | None]:
    if "presence" not in frame:
        return [None] * len(frame)
    return _plain(frame["presence"])


def _place(column: Column) -> list[str]:
    path = column.path or column.name
    return path.removeprefix("responses[].").removeprefix("items[].").split(".")


def _plain(values: pd.Series, column: Column | None = None) -> list[Any]:
    """The values of a column as Python objects, None where missing."""
    kind = None if column is None else column.kind
    if kind == "time":
        return _times(timestamps(values.to_frame(), str(values.name), zone="required")[0])
    convert: Callable[[Any], Any] | None = None
    if pd.api.types.is_float_dtype(values.dtype):
        convert = _number
    elif kind == "json" and column is not None and column.path:
        convert = _raw
    plain = values.astype(object).where(values.notna(), None).to_list()
    return plain if convert is None else [None if v is None else convert(v) for v in plain]


def _number(value: float) -> float | int | None:
    if not math.isfinite(value):
        return None  # JSON has no infinity
    # Beyond 2**53 the digits of an integer would claim more than the double holds.
    return int(value) if value == int(value) and abs(value) <= 2**53 else value


def _raw(text: str) -> msgspec.Raw:
    return msgspec.Raw(text.encode())


def _times(values: pd.Series) -> list[str | None]:
    text = values.dt.tz_convert("UTC").dt.strftime("%Y-%m-%dT%H:%M:%S")
    fraction = values.dt.microsecond.fillna(0).astype(np.int64).to_numpy()
    return [
        None if missing else f"{base}.{part:06d}Z" if part else f"{base}Z"
        for base, part, missing in zip(text, fraction, values.isna(), strict=True)
    ]
