"""Check the parameters of a ``sessions/responses`` request as they are documented.

Unknown names are ignored, as the Data API is thought to do, and null counts as absent.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lrnanalysis.sandbox.refusals import Refusal
from lrnanalysis.tables.schema import STATUSES

__all__ = ["MAX_LIMIT", "Wanted", "read"]

#: Highest number of sessions on a page; a higher `limit` is lowered to it without a word.
MAX_LIMIT = 50

#: Highest number of entries of a list.
_MAX_ENTRIES = 1000

#: Filter by time → the column it filters by.
_TIMES = {"": "updated", "_started": "started", "_completed": "completed"}

_TOKEN = re.compile(r"(-?\d{1,15})\.(\d{1,12})")


@dataclass(frozen=True, slots=True)
class Wanted:
    """A checked request.

    Attributes
    ----------
    ids : tuple of (str, frozenset of str)
        Column and the values of which it must have one; statuses are in lower case.
    times : tuple of (str, int or None, int or None)
        Column, earliest and latest time, both included [Unix microseconds].
    ascending : bool
        Whether the session updated first comes first.
    limit : int
        Sessions a page, 1 to 50.
    token : str or None
        `next` as it was sent.
    after : tuple of (int, int) or None
        What the token says: the updated time [Unix seconds] and the place of the session after
        which the page starts.
    include : tuple of str
        The session metadata that was asked for.
    """

    ids: tuple[tuple[str, frozenset[str]], ...] = ()
    times: tuple[tuple[str, int | None, int | None], ...] = ()
    ascending: bool = False
    limit: int = MAX_LIMIT
    token: str | None = None
    after: tuple[int, int] | None = None
    include: tuple[str, ...] = ()


def read(sent: Mapping[str, Any]) -> Wanted:
    """Check a request's parameters.

    Parameters
    ----------
    sent : mapping
        The decoded form field ``request``.

    Returns
    -------
    Wanted
        What it asks for.

    Raises
    ------
    Refusal
        20001 for an empty list, 20002 for more than 1000 entries, 20003 for a wrong type, 20004
        for a value that is not allowed.

    Examples
    --------
    >>> read({"limit": 80, "sort": "asc"}).limit
    50
    """
    given = {name: value for name, value in sent.items() if value is not None}
    ids: list[tuple[str, frozenset[str]]] = [
        (name, frozenset(_texts(name, given[name])))
        for name in ("activity_id", "session_id", "user_id")
        if name in given
    ]
    if "status" in given:
        ids.append(("status", _statuses(given["status"])))
    times = []
    for suffix, column in _TIMES.items():
        low, high = (
            _time(f"{end}{suffix}", given[f"{end}{suffix}"]) if f"{end}{suffix}" in given else None
            for end in ("mintime", "maxtime")
        )
        if low is not None or high is not None:
            times.append((column, low, high))
    token = _text("next", given["next"]) if "next" in given else None
    return Wanted(
        ids=tuple(ids),
        times=tuple(times),
        ascending=_sort(given.get("sort", "desc")),
        limit=_limit(given.get("limit", MAX_LIMIT)),
        token=token,
        after=None if token is None else _position(token),
        include=_include(given.get("include", {})),
    )


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise Refusal(20003, f"{name} is a string")
    return value


def _texts(name: str, value: Any) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(entry, str) for entry in value):
        raise Refusal(20003, f"{name} is an array of strings")
    if not value:
        raise Refusal(20001, f"{name} has no entries")
    if len(value) > _MAX_ENTRIES:
        raise Refusal(20002, f"{name} has at most {_MAX_ENTRIES} entries")
    return value


def _statuses(value: Any) -> frozenset[str]:
    wanted = frozenset(status.lower() for status in _texts("status", value))
    if not wanted <= {status.lower() for status in STATUSES}:
        raise Refusal(20004, f"status is one of {', '.join(STATUSES)}")
    return wanted


def _time(name: str, value: Any) -> int:
    """A Unix time or ISO 8601 text as Unix microseconds; a text without a zone is UTC."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise Refusal(20003, f"{name} is a Unix timestamp or an ISO 8601 string")
    try:
        if isinstance(value, str) and not re.fullmatch(r"-?\d+", value):
            moment = dt.datetime.fromisoformat(value)
        else:
            moment = dt.datetime.fromtimestamp(int(value), dt.UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise Refusal(20004, f"{name} is a Unix timestamp or an ISO 8601 string") from error
    return microseconds(moment)


def microseconds(moment: dt.datetime) -> int:
    """Unix microseconds of a moment; one without a zone is UTC."""
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=dt.UTC)
    return (moment - dt.datetime.fromtimestamp(0, dt.UTC)) // dt.timedelta(microseconds=1)


def _sort(value: Any) -> bool:
    if _text("sort", value) not in ("asc", "desc"):
        raise Refusal(20004, "sort is asc or desc")
    return bool(value == "asc")


def _limit(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise Refusal(20003, "limit is an integer")
    if value < 1:
        raise Refusal(20004, "limit is at least 1")
    return min(value, MAX_LIMIT)


def _position(token: str) -> tuple[int, int]:
    found = _TOKEN.fullmatch(token)
    if found is None:
        raise Refusal(20004, "next is not a token of this API")
    return int(found[1]), int(found[2])


def _include(value: Any) -> tuple[str, ...]:
    if not isinstance(value, dict):
        raise Refusal(20003, "include is an object")
    asked = value.get("sessions.session_metadata")
    return () if asked is None else tuple(_texts("sessions.session_metadata", asked))
