"""From the three tables back to the endpoint's records.

Columns go back to their path in the record, and `extra` is merged over them. A key whose value was
null comes back as null if the endpoint documents the key as always present, and is omitted if it
is optional; times come back in the documented format.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import numpy as np
import pandas as pd

from lrnanalysis.tables.schema import ITEMS, METADATA_PREFIX, RESPONSES, SESSIONS, Column, Table
from lrnanalysis.tables.times import timestamps

__all__ = ["to_records"]

#: Keys that a record has even if their value is null.
_ALWAYS_PRESENT = frozenset(
    {
        "user_id",
        "activity_id",
        "num_attempted",
        "num_questions",
        "score",
        "subscores",
        "session_duration",
        "status",
        "dt_started",
        "dt_completed",
        "responses[].response_id",
        "responses[].question_type",
        "items[].reference",
    }
)


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
    for row, session in enumerate(_rows(SESSIONS, sessions)):
        key = session["session_id"]
        answered, shown = of_response.get(key, []), of_item.get(key, [])
        _list_responses(shown, answered)
        session["responses"] = [_finished(response) for response in answered]
        session["items"] = [_finished(item) for item in shown]
        about = session.setdefault("metadata", {})
        about.update(
            (str(name).removeprefix(METADATA_PREFIX), values[row])
            for name, values in metadata.items()
            if values[row] is not None
        )
        yield msgspec.json.encode(_finished(session))


def _by_session(
    frame: pd.DataFrame, made: Iterator[dict[str, Any]]
) -> dict[str, list[dict[str, Any]]]:
    grouped: dict[str, list[dict[str, Any]]] = {}
    for key, record in zip(frame["session_id"].to_list(), made, strict=True):
        grouped.setdefault(key, []).append(record)
    return grouped


def _item_records(items: pd.DataFrame) -> Iterator[dict[str, Any]]:
    for item, names in zip(_rows(ITEMS, items), items["response_count"].notna(), strict=True):
        item.pop("session_id", None)
        if names:
            item["response_ids"] = []
        if "scoring" in item:
            item["scoring"].setdefault("score", None)
        yield item


def _response_records(responses: pd.DataFrame) -> Iterator[dict[str, Any]]:
    for response in _rows(RESPONSES, responses):
        response.pop("session_id", None)
        if "max_score" in response:
            response.setdefault("score", None)
        response.setdefault("response", None)
        yield response


def _list_responses(items: list[dict[str, Any]], responses: list[dict[str, Any]]) -> None:
    named: dict[str, list[str]] = {}
    for response in responses:
        if "item_reference" in response:
            named.setdefault(response["item_reference"], []).append(response["response_id"])
    for item in items:
        if "response_ids" in item:
            item["response_ids"] = named.get(item["reference"], [])


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


def _rows(table: Table, frame: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """One nested dict per row, with `extra` still as text."""
    columns = [
        (_place(column), column.path in _ALWAYS_PRESENT, _plain(frame[column.name], column))
        for column in table.columns
        if (column.path or column.name == "extra") and column.name in frame
    ]
    for row in range(len(frame)):
        record: dict[str, Any] = {}
        for path, always, values in columns:
            value = values[row]
            if value is None and not always:
                continue
            inner = record
            for step in path[:-1]:
                inner = inner.setdefault(step, {})
            inner[path[-1]] = value
        yield record


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


def _number(value: float) -> float | int:
    return int(value) if value == int(value) else value


def _raw(text: str) -> msgspec.Raw:
    return msgspec.Raw(text.encode())


def _times(values: pd.Series) -> list[str | None]:
    text = values.dt.tz_convert("UTC").dt.strftime("%Y-%m-%dT%H:%M:%S")
    fraction = values.dt.microsecond.fillna(0).astype(np.int64).to_numpy()
    return [
        None if missing else f"{base}.{part:06d}Z" if part else f"{base}Z"
        for base, part, missing in zip(text, fraction, values.isna(), strict=True)
    ]
