"""The sessions behind the embedded Data API, and pages of them.

Every version of a session has a place in the order of updates: a session that is saved again gets a
new place at the end and loses its old one. A token is no more than a place, so that it stays valid
when sessions are added. All of it is in a temporary SQLite database.
"""

from __future__ import annotations

import datetime as dt
import sqlite3
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from lrnanalysis.errors import SimulationError
from lrnanalysis.sandbox.refusals import Refusal
from lrnanalysis.sandbox.request_parameters import RequestedPage, microseconds

__all__ = ["Record", "SessionStore", "StoredPage"]

#: A session's record: a mapping, or its JSON text.
Record = Mapping[str, Any] | bytes | str

_SECOND = 1_000_000

# Records have a table of their own, so that filters read small rows only.
_SCHEMA = """
    CREATE TABLE records (record_id INTEGER PRIMARY KEY, body);
    CREATE TABLE versions (
        place INTEGER PRIMARY KEY, updated, session_id, user_id, activity_id, status,
        started, completed, metadata, record_id, is_current
    );
    CREATE INDEX current_versions ON versions (session_id) WHERE is_current;
"""


class _Head(msgspec.Struct):
    """Fields that filters use; of any type, since unusual records are served unchanged."""

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
class StoredPage:
    """One page of sessions.

    Attributes
    ----------
    records : list of bytes
        JSON texts in order.
    next : str or None
        Token of the last record; None for an empty page.
    """

    records: list[bytes]
    next: str | None


class SessionStore:
    """Sessions in the order of their updates. May be shared by threads.

    Parameters
    ----------
    records : iterable of dict, bytes or str
        The sessions. They are served unchanged, with any duplicates.
    updated : sequence of int, optional
        Time of each session's update [Unix seconds]. By default `dt_completed`, else `dt_saved`,
        else `dt_started`.
    session_metadata : sequence of dict, optional
        Stored metadata of each session; a page shows what `include` requests.
    withheld : int, default 0
        Number of sessions, those updated last, that are held back until they are released.

    Raises
    ------
    SimulationError
        A record is not JSON, the lengths differ, or there are fewer sessions than `withheld`.
    """

    def __init__(
        self,
        records: Iterable[Record],
        updated: Sequence[int] | npt.NDArray[np.int64] | None = None,
        session_metadata: Sequence[Mapping[str, Any]] | None = None,
        withheld: int = 0,
    ) -> None:
        self._lock = threading.Lock()
        # In memory as long as it is small, else in a file that is deleted when it is closed.
        self._db = sqlite3.connect("", check_same_thread=False)
        self._db.row_factory = sqlite3.Row
        try:
            self._db.executescript(_SCHEMA)
            versions = self._insert(records)
            number = len(versions)
            for name, given in (("updated", updated), ("session_metadata", session_metadata)):
                if given is not None and len(given) != number:
                    raise SimulationError(
                        f"{name} has {len(given)} entries for {number} records: pass one per record"
                    )
            if not 0 <= withheld <= number:
                raise SimulationError(
                    f"withheld is {withheld}: expects an integer from 0 to {number}, the number "
                    "of sessions"
                )
            for version, time in zip(versions, () if updated is None else updated, strict=False):
                version["updated"] = int(time) * _SECOND
            for version, stored in zip(versions, session_metadata or (), strict=False):
                version["metadata"] = msgspec.json.encode(stored)
        except BaseException:
            self.close()
            raise
        versions.sort(key=lambda version: version["updated"])
        self._withheld = versions[number - withheld :]
        self._number = 0
        self._add(versions[: number - withheld])

    def close(self) -> None:
        """Discard the records. No page is available afterwards."""
        self._db.close()

    def __len__(self) -> int:
        return self._number

    def page(self, wanted: RequestedPage) -> StoredPage:
        """Return the page that a request asks for.

        Raises
        ------
        Refusal
            20004 if the token is not one of this store.
        """
        conditions: list[str] = ["is_current"]
        values: list[str | int] = []
        for name, allowed in wanted.ids:
            conditions.append(f"{name} IN (SELECT value FROM json_each(?))")
            values.append(msgspec.json.encode(list(allowed)).decode())
        for name, *bounds in wanted.times:
            for comparison, bound in zip((">=", "<="), bounds, strict=True):
                if bound is not None:
                    conditions.append(f"{name} {comparison} ?")
                    values.append(bound)
        with self._lock:
            if wanted.after is not None:
                conditions.append("place > ?" if wanted.ascending else "place < ?")
                values.append(self._place(*wanted.after))
            found = self._db.execute(
                "SELECT place, updated, metadata, body "
                "FROM versions JOIN records USING (record_id) "
                f"WHERE {' AND '.join(conditions)} "
                f"ORDER BY place {'ASC' if wanted.ascending else 'DESC'} LIMIT ?",
                [*values, wanted.limit],
            ).fetchall()
        texts = [_with_metadata(one["body"], one["metadata"], wanted.include) for one in found]
        last = found[-1] if found else None
        return StoredPage(texts, last and f"{last['updated'] // _SECOND}.{last['place']}")

    def first(self, status: str, number: int) -> list[bytes]:
        """Return at most `number` sessions with a status, those updated first."""
        with self._lock:
            found = self._db.execute(
                "SELECT body FROM versions JOIN records USING (record_id) "
                "WHERE is_current AND status = ? ORDER BY place LIMIT ?",
                (status.lower(), number),
            ).fetchall()
        return [one["body"] for one in found]

    def put(self, records: Iterable[Record], now: int) -> int:
        """Save sessions: a known `session_id` is replaced, another one is new.

        Of a session given twice, the later record counts. Stored metadata are kept.

        Parameters
        ----------
        records : iterable of dict, bytes or str
            The sessions.
        now : int
            Time of the update [Unix seconds]; never earlier than the last update.

        Returns
        -------
        int
            Number of new sessions.

        Raises
        ------
        SimulationError
            A record is not JSON; none is saved then.
        """
        with self._lock:
            return self._replace(self._insert(records), now)

    def release(self, number: int, now: int) -> int:
        """Show at most `number` of the sessions held back, as updated now; return how many."""
        with self._lock:
            released, self._withheld = self._withheld[:number], self._withheld[number:]
            self._replace(released, now)
            return len(released)

    def _insert(self, records: Iterable[Record]) -> list[dict[str, Any]]:
        """Store the texts of records; return their versions, which are not shown yet."""
        versions = []
        for at, record in enumerate(records):
            body = record.encode() if isinstance(record, str) else record
            body = body if isinstance(body, bytes) else msgspec.json.encode(body)
            head = _head(body, at)
            started, saved, completed = map(
                _unix_time, (head.dt_started, head.dt_saved, head.dt_completed)
            )
            known = [time for time in (completed, saved, started) if time is not None]
            status = _string(head.status)
            versions.append(
                {
                    "updated": known[0] if known else 0,
                    "session_id": _string(head.session_id),
                    "user_id": _string(head.user_id),
                    "activity_id": _string(head.activity_id),
                    "status": status and status.lower(),
                    "started": started,
                    "completed": completed,
                    "metadata": None,
                    "record_id": self._db.execute(
                        "INSERT INTO records (body) VALUES (?)", (body,)
                    ).lastrowid,
                }
            )
        return versions

    def _add(self, versions: Sequence[Mapping[str, Any]]) -> None:
        """Show versions, as the ones updated last."""
        self._db.executemany(
            "INSERT INTO versions VALUES (NULL, :updated, :session_id, :user_id, :activity_id, "
            ":status, :started, :completed, :metadata, :record_id, TRUE)",
            versions,
        )
        self._number += len(versions)

    def _replace(self, versions: Sequence[dict[str, Any]], now: int) -> int:
        """Show versions in place of those of the same sessions; return how many are new."""
        latest = {one["session_id"]: one for one in versions if one["session_id"] is not None}
        versions = [one for one in versions if latest.get(one["session_id"], one) is one]
        last = self._db.execute("SELECT updated FROM versions ORDER BY place DESC LIMIT 1")
        updated = max(now * _SECOND, *(row["updated"] for row in last), 0)
        replaced = 0
        for version in versions:
            version["updated"] = updated
            old = self._db.execute(
                "SELECT place, metadata FROM versions WHERE session_id = ? AND is_current",
                (version["session_id"],),
            ).fetchall()
            if old:
                version["metadata"] = old[-1]["metadata"]
                self._db.executemany(
                    "UPDATE versions SET is_current = FALSE WHERE place = ?",
                    [(row["place"],) for row in old],
                )
                self._number -= len(old)
                replaced += 1
        self._add(versions)
        return len(versions) - replaced

    def _place(self, seconds: int, place: int) -> int:
        """The place that a token names."""
        found = self._db.execute(
            "SELECT updated FROM versions WHERE place = ?", (place,)
        ).fetchone()
        if found is None or found["updated"] // _SECOND != seconds:
            raise Refusal(20004, "next is not a token of this API")
        return place


def _head(body: bytes, at: int) -> _Head:
    try:
        return _HEAD.decode(body)
    except msgspec.ValidationError:
        return _Head()  # JSON, but not an object: served unchanged, and matched by no filter
    except msgspec.DecodeError as error:
        raise SimulationError(f"record {at} (from 0) is not valid JSON: {error}") from error


def _string(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _unix_time(value: Any) -> int | None:
    """Unix microseconds of a record's time; None without a readable one."""
    try:
        return microseconds(dt.datetime.fromisoformat(value))
    except (TypeError, ValueError):
        return None


def _with_metadata(body: bytes, stored: bytes | None, include: Iterable[str]) -> bytes:
    """Add the stored metadata requested, as far as they exist, to the record's `metadata`."""
    known = msgspec.json.decode(stored) if stored and include else {}
    requested = {name: known[name] for name in include if name in known}
    if not requested:
        return body
    record: dict[str, Any] = dict(_RAW_RECORD.decode(body))
    own = record.get("metadata")
    record["metadata"] = requested | (msgspec.json.decode(own) or {} if own else {})
    return msgspec.json.encode(record)
