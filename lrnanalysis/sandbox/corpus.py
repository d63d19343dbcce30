"""The sessions behind the embedded Data API: their JSON texts, an index, and pages of them.

Every version of a session is a row, and rows stand in the order in which they were updated: a
session that is saved again gets a new row at the end and its old row dies. A row's number is
therefore a position in updated order that never changes, and a token is no more than that: a
token keeps its meaning however much the corpus grows.
"""

from __future__ import annotations

import datetime as dt
import io
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from lrnanalysis.sandbox.parameters import Wanted, microseconds
from lrnanalysis.sandbox.refusals import Refusal

__all__ = ["Corpus", "Page", "Record"]

#: A session's record: a mapping, or its JSON text.
Record = Mapping[str, Any] | bytes | str

#: In a column of times: there is none.
_NEVER = np.iinfo(np.int64).min
_SECOND = 1_000_000

#: Rows looked through at first for a page; doubled until the page is full.
_BLOCK = 2048

#: Bytes of records kept in memory; more goes to a temporary file that has no name.
_IN_MEMORY = 64 * 2**20

_TEXTS = ("session_id", "user_id", "activity_id", "status")
_COLUMNS: dict[str, type[np.generic]] = {
    **dict.fromkeys(_TEXTS, np.int32),
    "updated": np.int64,
    "started": np.int64,
    "completed": np.int64,
    "offset": np.int64,
    "length": np.int64,
    "alive": np.bool_,
}

_Index = dict[str, npt.NDArray[Any]]
_Mask = Callable[[slice], npt.NDArray[np.bool_]]


class _Head(msgspec.Struct):
    """What the index needs of a record; of any type, since odd records are served as they are."""

    session_id: Any = None
    user_id: Any = None
    activity_id: Any = None
    status: Any = None
    dt_started: Any = None
    dt_saved: Any = None
    dt_completed: Any = None


_HEAD = msgspec.json.Decoder(_Head)
_RAW_RECORD = msgspec.json.Decoder(dict[str, msgspec.Raw])


@dataclass(frozen=True, slots=True)
class Page:
    """One page of sessions.

    Attributes
    ----------
    records : list of bytes
        JSON texts in order.
    next : str or None
        The token of the last of them; None on an empty page.
    """

    records: list[bytes]
    next: str | None


class Corpus:
    """Sessions in the order in which they were updated. May be shared by threads.

    Parameters
    ----------
    records : iterable of dict, bytes or str
        The sessions. They are served as they are, duplicates and oddities included.
    updated : sequence of int, optional
        When each was updated [Unix seconds]. By default the record's `dt_completed`, else its
        `dt_saved`, else its `dt_started`.
    session_metadata : sequence of dict, optional
        Each session's stored metadata, of which a page shows what `include` asks for.
    withheld : int, default 0
        So many of the sessions, those updated last, are held back until they are released.

    Raises
    ------
    ValueError
        A record is not JSON, the lengths differ, or there are fewer sessions than are withheld.
    """

    def __init__(
        self,
        records: Iterable[Record],
        updated: Sequence[int] | npt.NDArray[np.int64] | None = None,
        session_metadata: Sequence[Mapping[str, Any]] | None = None,
        withheld: int = 0,
    ) -> None:
        self._lock = threading.Lock()
        self._codes: dict[str, dict[str, int]] = {name: {} for name in _TEXTS}
        self._store = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115
        try:
            index = self._stored(records)
            number = len(index["updated"])
            for name, given in (("updated", updated), ("session_metadata", session_metadata)):
                if given is not None and len(given) != number:
                    raise ValueError(
                        f"{name} has {len(given)} entries for {number} records: give one each"
                    )
            if withheld > number:
                raise ValueError(f"withheld is {withheld}: there are {number} sessions")
        except BaseException:
            self.close()
            raise
        if updated is not None:
            index["updated"] = np.asarray(updated, dtype=np.int64) * _SECOND
        order = np.argsort(index["updated"], kind="stable")
        index = {name: values[order] for name, values in index.items()}
        metadata: list[Mapping[str, Any] | None] = (
            [None] * number
            if session_metadata is None
            else [session_metadata[place] for place in order]
        )
        shown = number - withheld
        self._index = {name: values[:shown] for name, values in index.items()}
        self._metadata = metadata[:shown]
        self._withheld = {name: values[shown:] for name, values in index.items()}
        self._withheld_metadata = metadata[shown:]

    def close(self) -> None:
        """Give up the records. No page can be had after."""
        self._store.close()

    def __len__(self) -> int:
        return int(self._index["alive"].sum())

    @property
    def withheld(self) -> int:
        """How many sessions are held back."""
        return len(self._withheld_metadata)

    def page(self, wanted: Wanted) -> Page:
        """Give the page that a request asks for.

        Raises
        ------
        Refusal
            20004 where the token is not one of this corpus.
        """
        with self._lock:
            rows = self._rows(wanted)
            texts = self._read(rows)
            stored = [self._metadata[row] for row in rows] if wanted.include else []
            token = self._token(rows[-1]) if rows else None
        if wanted.include:
            texts = [
                _with_metadata(text, about, wanted.include)
                for text, about in zip(texts, stored, strict=True)
            ]
        return Page(texts, token)

    def first(self, status: str, number: int) -> list[bytes]:
        """Give at most so many sessions of one status, those updated first."""
        with self._lock:
            code = self._codes["status"].get(status.lower(), -1)
            rows = np.flatnonzero((self._index["status"] == code) & self._index["alive"])
            return self._read(rows[:number].tolist())

    def put(self, records: Iterable[Record], now: int) -> int:
        """Save sessions: a known `session_id` is replaced, another is new.

        A session that is given twice is as its later record says. Stored metadata stays.

        Parameters
        ----------
        records : iterable of dict, bytes or str
            The sessions as they are from now on.
        now : int
            When they were updated [Unix seconds]; never before what was updated last.

        Returns
        -------
        int
            How many of them are new.

        Raises
        ------
        ValueError
            A record is not JSON; none is saved then.
        """
        with self._lock:
            index = self._stored(records)
            last = {int(code): row for row, code in enumerate(index["session_id"]) if code >= 0}
            index["alive"][:] = [
                last.get(int(code), row) == row for row, code in enumerate(index["session_id"])
            ]
            return self._append(index, [None] * len(index["alive"]), now)

    def release(self, number: int, now: int) -> int:
        """Show at most so many of the sessions held back, as updated now; gives how many."""
        with self._lock:
            index = {name: values[:number].copy() for name, values in self._withheld.items()}
            metadata = self._withheld_metadata[:number]
            self._append(index, metadata, now)
            self._withheld = {name: values[number:] for name, values in self._withheld.items()}
            self._withheld_metadata = self._withheld_metadata[number:]
            return len(metadata)

    def _append(self, index: _Index, metadata: list[Mapping[str, Any] | None], now: int) -> int:
        """Add rows at the end, let the rows that they replace die, give how many are new."""
        codes = index["session_id"]
        if not len(codes):
            return 0
        updated = self._index["updated"]
        index["updated"][:] = max(now * _SECOND, int(updated[-1]) if len(updated) else 0)
        replaced = np.isin(self._index["session_id"], codes[codes >= 0]) & self._index["alive"]
        before = {
            int(self._index["session_id"][row]): self._metadata[row]
            for row in np.flatnonzero(replaced)
        }
        self._index["alive"][replaced] = False
        self._metadata += [
            before.get(int(code), about) for code, about in zip(codes, metadata, strict=True)
        ]
        self._index = {
            name: np.concatenate([self._index[name], values]) for name, values in index.items()
        }
        return int(index["alive"].sum()) - len(before)

    def _stored(self, records: Iterable[Record]) -> _Index:
        """Keep the records' texts; give their index."""
        rows: list[tuple[int, ...]] = []
        end = self._store.seek(0, io.SEEK_END)
        for place, record in enumerate(records):
            text = _text(record)
            head = _head(text, place)
            times = [_moment(at) for at in (head.dt_completed, head.dt_saved, head.dt_started)]
            known = [time for time in times if time != _NEVER]
            rows.append(
                (
                    *(self._code(name, getattr(head, name)) for name in _TEXTS),
                    known[0] if known else 0,
                    times[2],
                    times[0],
                    end,
                    len(text),
                    True,
                )
            )
            end += self._store.write(text)
        table = np.array(rows, dtype=np.int64).reshape(len(rows), len(_COLUMNS))
        return {
            name: table[:, place].astype(dtype)
            for place, (name, dtype) in enumerate(_COLUMNS.items())
        }

    def _read(self, rows: Iterable[int]) -> list[bytes]:
        texts = []
        for row in rows:
            self._store.seek(self._index["offset"][row])
            texts.append(self._store.read(self._index["length"][row]))
        return texts

    def _code(self, name: str, value: Any) -> int:
        if not isinstance(value, str):
            return -1
        codes = self._codes[name]
        return codes.setdefault(value.lower() if name == "status" else value, len(codes))

    def _rows(self, wanted: Wanted) -> list[int]:
        masks = [self._has(name, values) for name, values in wanted.ids]
        masks += [self._within(*bounds) for bounds in wanted.times]
        found: list[int] = []
        for block in self._blocks(wanted):
            keep = self._index["alive"][block].copy()
            for mask in masks:
                keep &= mask(block)
            rows = np.flatnonzero(keep) + block.start
            found += (rows if wanted.ascending else rows[::-1])[
                : wanted.limit - len(found)
            ].tolist()
            if len(found) == wanted.limit:
                break
        return found

    def _blocks(self, wanted: Wanted) -> Iterator[slice]:
        """Slices of rows from where the token stands, in the direction asked for."""
        low, high = 0, len(self._metadata)
        if wanted.after is not None:
            row = self._row_of(wanted.after)
            low, high = (row + 1, high) if wanted.ascending else (low, row)
        size = _BLOCK
        while low < high:
            if wanted.ascending:
                block = slice(low, min(low + size, high))
                low = block.stop
            else:
                block = slice(max(high - size, low), high)
                high = block.start
            yield block
            size *= 2

    def _has(self, name: str, values: Iterable[str]) -> _Mask:
        codes = self._codes[name]
        # One more than there are codes: -1, the code of what is no text, finds the last.
        wanted = np.zeros(len(codes) + 1, dtype=np.bool_)
        wanted[[codes[value] for value in values if value in codes]] = True
        column = self._index[name]
        return lambda block: wanted[column[block]]

    def _within(self, name: str, low: int | None, high: int | None) -> _Mask:
        column = self._index[name]
        earliest = _NEVER + 1 if low is None else low
        latest = np.iinfo(np.int64).max if high is None else high
        return lambda block: (column[block] >= earliest) & (column[block] <= latest)

    def _token(self, row: int) -> str:
        return f"{int(self._index['updated'][row]) // _SECOND}.{row}"

    def _row_of(self, after: tuple[int, int]) -> int:
        seconds, row = after
        if row >= len(self._metadata) or int(self._index["updated"][row]) // _SECOND != seconds:
            raise Refusal(20004, "next is not a token of this API")
        return row


def _text(record: Record) -> bytes:
    if isinstance(record, str):
        return record.encode()
    return record if isinstance(record, bytes) else msgspec.json.encode(record)


def _head(text: bytes, place: int) -> _Head:
    try:
        return _HEAD.decode(text)
    except msgspec.ValidationError:
        return _Head()  # JSON, but no object: served as it is, and found by no filter
    except msgspec.DecodeError as error:
        raise ValueError(f"record {place} (from 0) is not JSON: {error}") from error


def _moment(value: Any) -> int:
    """Unix microseconds of a record's time; `_NEVER` where there is none that can be read."""
    if not isinstance(value, str):
        return _NEVER
    try:
        return microseconds(dt.datetime.fromisoformat(value))
    except ValueError:
        return _NEVER


def _with_metadata(text: bytes, stored: Mapping[str, Any] | None, include: Iterable[str]) -> bytes:
    """Add those of the asked-for attributes that exist to the record's `metadata`."""
    asked = {name: stored[name] for name in include if name in stored} if stored else {}
    if not asked:
        return text
    record: dict[str, Any] = dict(_RAW_RECORD.decode(text))
    own = record.get("metadata")
    record["metadata"] = asked | (msgspec.json.decode(own) or {} if own else {})
    return msgspec.json.encode(record)
