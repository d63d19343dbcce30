"""From pages of sessions to the three tables: `TableBuilder` takes bytes, `Tables` has frames."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from types import NoneType
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from lrnanalysis.parse import arrow, fallback, scan
from lrnanalysis.parse.columns import DecodedPages, UnexpectedShapeError
from lrnanalysis.parse.links import link
from lrnanalysis.parse.presence import presence_column
from lrnanalysis.parse.record_layout import COLUMNS, RecordLayout
from lrnanalysis.parse.values import column_of, extra_column
from lrnanalysis.tables.schema import ITEMS, METADATA_PREFIX, RESPONSES, SESSIONS, Table
from lrnanalysis.tables.times import sum_times, usable_times
from lrnanalysis.tables.unmarked import unmarked_max_score

__all__ = ["TableBuilder", "Tables"]

#: Bytes of pages decoded at once: enough for Arrow to be fast, little compared with the tables.
_BLOCK = 4 * 2**20

_CHILDREN = (RESPONSES, ITEMS)


@dataclass
class Tables:
    """The three tables, and what parsing found unusual.

    Attributes
    ----------
    sessions, responses, items : DataFrame
        The tables of `lrnanalysis.tables.schema`, with a default index.
    unreadable : list of bytes
        Records that are not sessions, unchanged.
    repaired : int
        Unpaired surrogates that were replaced by U+FFFD.
    tokens : Counter of str
        How often a NaN or Infinity token, read as null, was the value of each key ("" in a list).
    repeated : int
        Older versions of sessions that came more than once; the last is kept.
    """

    sessions: pd.DataFrame
    responses: pd.DataFrame
    items: pd.DataFrame
    unreadable: list[bytes] = field(default_factory=list)
    repaired: int = 0
    repeated: int = 0
    tokens: Counter[str] = field(default_factory=Counter)


class TableBuilder:
    """Builds the three tables from pages, one after the other.

    Parameters
    ----------
    metadata : iterable of str
        Attributes of session metadata that become columns even if no session has them.
    compiled : bool, optional
        Decode with the compiled scanner; default: if it was built. The tables are the same.

    Examples
    --------
    >>> builder = TableBuilder()
    >>> builder.add(b'{"data": [{"session_id": "s-1", "user_id": "u-1", "status": "Completed"}]}')
    >>> builder.finish().sessions[["session_id", "status"]].iloc[0].to_list()
    ['s-1', 'Completed']
    """

    def __init__(self, metadata: Iterable[str] = (), *, compiled: bool = scan.AVAILABLE) -> None:
        self._compiled = compiled
        self._layout = RecordLayout()
        self._waiting: list[bytes] = []
        self._waiting_bytes = 0
        self._blocks: dict[str, list[pa.Table]] = {"sessions": [], "responses": [], "items": []}
        self._parents: dict[str, list[npt.NDArray[np.int64]]] = {"responses": [], "items": []}
        self._metadata: dict[str, dict[int, object]] = {name: {} for name in metadata}
        self._sessions = 0
        self._unreadable: list[bytes] = []
        self._repaired = 0
        self._tokens: Counter[str] = Counter()

    def add(self, page: bytes) -> None:
        """Add one page: a JSON object with a list of sessions named ``data``.

        Raises
        ------
        ReadError
            In this call or a later one: a page is not JSON, or has no such list.
        """
        self._waiting.append(page)
        self._waiting_bytes += len(page)
        if self._waiting_bytes >= _BLOCK:
            self._decode_waiting()

    def finish(self) -> Tables:
        """Build the three tables; the builder must not be used after that."""
        self._decode_waiting()
        if not self._blocks["sessions"]:
            self._take(fallback.decode(b'{"data":[]}'))
        sessions = _concatenated(self._blocks.pop("sessions"))
        last = ~sessions["session_id"].to_pandas().duplicated(keep="last").to_numpy()
        tables = {
            table.name: self._child(table, sessions["session_id"], last) for table in _CHILDREN
        }
        references = _unified([tables[table.name].column("item_reference") for table in _CHILDREN])
        frames = {
            table.name: _frame(table, tables.pop(table.name), item_reference=reference)
            for table, reference in zip(_CHILDREN, references, strict=True)
        }
        sessions = sessions if last.all() else sessions.filter(pa.array(last))
        frame = _frame(SESSIONS, sessions)
        frame["unmarked_max_score"] = unmarked_max_score(frame, *frames.values())
        kept = np.flatnonzero(last)
        for name, found in self._metadata.items():
            frame[METADATA_PREFIX + name] = _metadata_column(
                [found.get(row) for row in kept.tolist()]
            )
        return Tables(
            sessions=frame,
            responses=frames["responses"],
            items=frames["items"],
            unreadable=self._unreadable,
            repaired=self._repaired,
            repeated=int(np.count_nonzero(~last)),
            tokens=self._tokens,
        )

    def _decode_waiting(self) -> None:
        pages, self._waiting, self._waiting_bytes = self._waiting, [], 0
        if pages:
            self._decode(pages)

    def _decode(self, pages: list[bytes]) -> None:
        try:
            decoded = scan.decode(pages) if self._compiled else arrow.decode(pages, self._layout)
        except UnexpectedShapeError:
            if len(pages) > 1:
                for page in pages:
                    self._decode([page])
                return
            decoded = fallback.decode(pages[0])
            if not self._compiled:
                self._layout = self._layout.with_raw(decoded.misfits)
        self._take(decoded)

    def _take(self, decoded: DecodedPages) -> None:
        link(decoded)
        null_metadata = self._take_metadata(decoded)
        rows = decoded.rows
        decoded.columns["sessions"]["active_time"] = _active_time(decoded)
        # Needs the items and the responses; `finish` has the tables.
        nothing = pa.nulls(rows["sessions"], pa.float64())
        decoded.columns["sessions"]["unmarked_max_score"] = nothing
        decoded.columns["items"]["position"] = _position(decoded.parents["items"])
        for table in (SESSIONS, *_CHILDREN):
            columns = decoded.columns[table.name]
            columns["extra"] = extra_column(rows[table.name], decoded.leftovers[table.name])
            nulls = null_metadata if table is SESSIONS else {}
            columns["presence"] = presence_column(decoded, table.name, nulls)
            self._blocks[table.name].append(
                pa.table(
                    {
                        column.name: _encoded(columns[column.name], column.kind)
                        for column in table.columns
                        if column.name in columns
                    }
                )
            )
        for name, parent in decoded.parents.items():
            self._parents[name].append(parent + self._sessions)
        self._sessions += rows["sessions"]
        self._unreadable += decoded.unreadable
        self._repaired += decoded.repaired
        self._tokens += decoded.tokens

    def _take_metadata(self, decoded: DecodedPages) -> dict[int, tuple[str, ...]]:
        """Put session metadata into columns: known keys into theirs, others into new ones.

        Returns the keys that are null by row.
        """
        nulls: dict[int, tuple[str, ...]] = {}
        known, n = COLUMNS["metadata"], len(decoded.metadata)
        raws: dict[str, list[bytes]] = {key: [b""] * n for key in known}
        leftovers: dict[tuple[str, ...], Any] = decoded.leftovers["sessions"]
        for row, raw in enumerate(decoded.metadata):
            try:
                members = (_AS_OBJECT.decode(raw) if len(raw) else None) or {}
            except msgspec.DecodeError:
                members = {}
                leftovers.setdefault(("metadata",), [b""] * n)[row] = bytes(raw)
            for key, value in members.items():
                if bytes(value) == b"null":
                    nulls[row] = (*nulls.get(row, ()), key)
                if key in known:
                    raws[key][row] = bytes(value)
                    continue
                scalar = _scalar(bytes(value))
                self._metadata.setdefault(key, {})[self._sessions + row] = scalar
                if isinstance(scalar, str) and not bytes(value).startswith(b'"'):
                    leftovers.setdefault(("metadata", key), [b""] * n)[row] = bytes(value)
        for key, column in known.items():
            decoded.columns["sessions"][column.name], left = column_of(column.kind, raws[key])
            if left is not None:
                leftovers[("metadata", key)] = left
        return nulls

    def _child(
        self, table: Table, session_ids: pa.ChunkedArray, last: npt.NDArray[np.bool_]
    ) -> pa.Table:
        parent = np.concatenate(self._parents.pop(table.name))
        rows = _concatenated(self._blocks.pop(table.name))
        if not last.all():
            kept = last[parent]
            rows, parent = rows.filter(pa.array(kept)), parent[kept]
        return rows.append_column("session_id", session_ids.combine_chunks().take(pa.array(parent)))


_AS_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw] | None)


def _active_time(decoded: DecodedPages) -> pa.Array:
    """The sum of the item times of each session; null where no item has a time."""
    times, _ = usable_times(decoded.columns["items"]["time"].to_numpy(zero_copy_only=False))
    total = sum_times(times, decoded.parents["items"], decoded.rows["sessions"])
    return pa.array(total, pa.float64(), from_pandas=True)


def _position(parent: npt.NDArray[np.int64]) -> pa.Array:
    """The position of each row among those of its session, from 1; these are adjacent."""
    rows = np.arange(len(parent))
    first = np.r_[True, parent[1:] != parent[:-1]][: len(parent)]
    return pa.array(rows - np.maximum.accumulate(np.where(first, rows, 0)) + 1)


def _encoded(array: pa.Array, kind: str) -> pa.Array:
    encoded = pa.types.is_dictionary(array.type)
    return array.dictionary_encode() if kind == "label" and not encoded else array


def _concatenated(blocks: Sequence[pa.Table]) -> pa.Table:
    return pa.concat_tables(blocks).unify_dictionaries()


def _unified(columns: Sequence[pa.ChunkedArray]) -> list[pa.ChunkedArray]:
    """Unify the categories of several label columns."""
    joined = pa.chunked_array(
        [chunk for column in columns for chunk in column.chunks]
    ).unify_dictionaries()
    parts, start = [], 0
    for column in columns:
        parts.append(pa.chunked_array(joined.chunks[start : start + column.num_chunks]))
        start += column.num_chunks
    return parts


def _frame(table: Table, rows: pa.Table, **columns: pa.ChunkedArray) -> pd.DataFrame:
    made = {}
    for column in table.columns:
        array = columns.get(column.name)
        made[column.name] = _to_pandas(rows[column.name] if array is None else array, column.kind)
    return pd.DataFrame(made, copy=False)


def _to_pandas(column: pa.ChunkedArray, kind: str) -> Any:
    if kind in ("text", "json"):
        return pd.array(column, dtype="str")
    if kind == "label":
        return _categorical(column)
    if kind == "number":
        return _writable(column.to_numpy())
    if kind == "time":
        return column.to_pandas().array
    values = pc.fill_null(column, False if kind == "flag" else 0).to_numpy()
    missing = column.is_null().to_numpy()
    if kind == "flag":
        return pd.arrays.BooleanArray(values, missing)
    return pd.arrays.IntegerArray(_writable(values), missing)


def _writable(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    # A column of a single block is a view of Arrow's memory, which is read-only.
    return values if values.flags.writeable else values.copy()


def _categorical(column: pa.ChunkedArray) -> pd.Categorical:
    dictionary = column.chunk(0).dictionary if column.num_chunks else pa.array([], pa.string())
    codes = [pc.fill_null(chunk.indices, -1).to_numpy() for chunk in column.chunks]
    dtype = pd.CategoricalDtype(pd.Index(pd.array(dictionary, dtype="str")))
    joined = np.concatenate(codes) if codes else np.empty(0, dtype=np.int32)
    return pd.Categorical.from_codes(joined, dtype=dtype, validate=False)


def _scalar(raw: bytes) -> object:
    """A scalar as a Python object; lists, objects and numbers out of range as JSON text."""
    try:
        value = msgspec.json.decode(raw)
    except msgspec.DecodeError:
        return raw.decode()
    if isinstance(value, list | dict) or (isinstance(value, int) and abs(value) >= 2**63):
        return msgspec.json.encode(value).decode()
    return value


def _metadata_column(values: Sequence[object]) -> pd.Series:
    """The narrowest dtype for all values: integer, number, flag, text, else JSON text."""
    kinds = {type(value) for value in values} - {NoneType}
    if kinds == {bool}:
        return pd.Series(values, dtype="boolean")
    if kinds and kinds <= {int, float}:
        exact = kinds == {int} or all(
            int(float(one)) == one for one in values if isinstance(one, int)
        )
        if exact:
            return pd.Series(values, dtype="Int64" if kinds == {int} else "float64")
    texts = [
        value if value is None or isinstance(value, str) else msgspec.json.encode(value).decode()
        for value in values
    ]
    return pd.Series(texts, dtype="str")
