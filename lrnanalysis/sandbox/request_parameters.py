"""Check the parameters of a ``sessions/responses`` request as documented.

Unknown names are ignored, as the Data API presumably does, and null counts as absent.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lrnanalysis.sandbox.refusals import Refusal
from lrnanalysis.tables.schema import STATUSES

__all__ = ["RequestedPage", "microseconds", "read_parameters"]

#: Most sessions per page; a higher `limit` is silently lowered to it.
_MAX_LIMIT = 50

#: Most entries of a list.
_MAX_ENTRIES = 1000

#: Suffix of a time filter → column.
_TIMES = {"": "updated", "_started": "started", "_completed": "completed"}

_TOKEN = re.compile(r"(-?\d{1,15})\.(\d{1,12})")


@dataclass(frozen=True, slots=True)
class RequestedPage:
    """A checked request.

    Attributes
    ----------
    ids : tuple of (str, frozenset of str)
        Column and the values allowed in it; statuses in lower case.
    times : tuple of (str, int or None, int or None)
        Column, earliest and latest time, both inclusive [Unix microseconds].
    ascending : bool
        Whether sessions come in ascending order of their updates.
    limit : int
        Sessions per page, 1 to 50.
    token : str or None
        `next` as sent.
    after : tuple of (int, int) or None
        Content of the token: time of the update [Unix seconds] and row of the session after which
        the page starts.
    include : tuple of str
        Names of the session metadata requested.
    """

    ids: tuple[tuple[str, frozenset[str]], ...] = ()
    times: tuple[tuple[str, int | None, int | None], ...] = ()
    ascending: bool = False
    limit: int = _MAX_LIMIT
    token: str | None = None
    after: tuple[int, int] | None = None
    include: tuple[str, ...] = ()


def read_parameters(sent: Mapping[str, Any]) -> RequestedPage:
    """Check a request's parameters.

    Parameters
    ----------
    sent : mapping
        The decoded form field ``request``.

    Returns
    -------
    RequestedPage
        The page requested.

    Raises
    ------
    Refusal
        20001 for an empty list, 20002 for more than 1000 entries, 20003 for a wrong type, 20004
        for a wrong value.

    Examples
    --------
    >>> read_parameters({"limit": 80, "sort": "asc"}).limit
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
    return RequestedPage(
        ids=tuple(ids),
        times=tuple(times),
        ascending=_sort(given.get("sort", "desc")),
        limit=_limit(given.get("limit", _MAX_LIMIT)),
        token=token,
        after=None if token is None else _position(token),
        include=_include(given.get("include", {})),
    )


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise Refusal(20003, f"{name} expects a string")
    return value


def _texts(name: str, value: Any) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(entry, str) for entry in value):
        raise Refusal(20003, f"{name} expects an array of strings")
    if not value:
        raise Refusal(20001, f"{name} is empty")
    if len(value) > _MAX_ENTRIES:
        raise Refusal(20002, f"{name} has more than {_MAX_ENTRIES} entries")
    return value


def _statuses(value: Any) -> frozenset[str]:
    wanted = frozenset(status.lower() for status in _texts("status", value))
    if not wanted <= {status.lower() for status in STATUSES}:
        raise Refusal(20004, f"status expects one of {', '.join(STATUSES)}")
    return wanted


def _time(name: str, value: Any) -> int:
    """A Unix time or ISO 8601 text as Unix microseconds; UTC unless it has a time zone."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise Refusal(20003, f"{name} expects a Unix timestamp or an ISO 8601 string")
    try:
        if isinstance(value, str) and not re.fullmatch(r"-?\d+", value):
            moment = dt.datetime.fromisoformat(value)
        else:
            moment = dt.datetime.fromtimestamp(int(value), dt.UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise Refusal(20004, f"{name} expects a Unix timestamp or an ISO 8601 string") from error
    return microseconds(moment)


def microseconds(moment: dt.datetime) -> int:
    """Unix microseconds of a time, in UTC unless it has a time zone."""
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=dt.UTC)
    return (moment - dt.datetime.fromtimestamp(0, dt.UTC)) // dt.timedelta(microseconds=1)


def _sort(value: Any) -> bool:
    if _text("sort", value) not in ("asc", "desc"):
        raise Refusal(20004, "sort expects asc or desc")
    return bool(value == "asc")


def _limit(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise Refusal(20003, "limit expects an integer")
    if value < 1:
        raise Refusal(20004, "limit expects 1 or more")
    return min(value, _MAX_LIMIT)


def _position(token: str) -> tuple[int, int]:
    found = _TOKEN.fullmatch(token)
    if found is None:
        raise Refusal(20004, "next is not a token of this API")
    return int(found[1]), int(found[2])


def _include(value: Any) -> tuple[str, ...]:
    if not isinstance(value, dict):
        raise Refusal(20003, "include expects an object")
    asked = value.get("sessions.session_metadata")
    return () if asked is None else tuple(_texts("sessions.session_metadata", asked))
