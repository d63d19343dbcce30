"""Query: the filters of the endpoint ``sessions/responses``, checked before anything is sent."""

from __future__ import annotations

import difflib
import itertools
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from lrnanalysis.api.dates import Time, utc_text
from lrnanalysis.errors import QueryError
from lrnanalysis.tables.schema import STATUSES

__all__ = ["LONGEST_LIST", "MOST_PER_PAGE", "Include", "Query", "Texts"]

#: The endpoint's limits.
LONGEST_LIST = 1000
MOST_PER_PAGE = 50

#: One text or many.
Texts = str | Iterable[str]

#: Names of session metadata, or the endpoint's own form of the same.
Include = Texts | Mapping[str, Texts]

_METADATA = "sessions.session_metadata"
_LISTS = ("activity_id", "session_id", "user_id")
_RANGES = ("time", "time_started", "time_completed")

#: Half of a character: no UTF-8 can hold it, so it can be neither signed nor sent.
_HALF = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, init=False, repr=False)
class Query:
    """Which sessions are meant. Frozen, comparable and hashable; prints as code that makes it.

    All filters are keywords, and all are optional; sessions have to pass every one that is given.

    Parameters
    ----------
    activity_id, session_id, user_id : str or iterable of str
        One or many identifiers, as they are stored. More than 1000 become several requests.
    status : str or iterable of str
        "Incomplete", "Completed", "Discarded", "Pending Scoring", in any case.
    mintime, maxtime : Time
        When the session was last updated: Unix seconds, ISO 8601 text, date, datetime or pandas
        Timestamp. Without a zone it is UTC. A day alone means its first second as `mintime` and
        its last as `maxtime`.
    mintime_started, maxtime_started : Time
        When it was started.
    mintime_completed, maxtime_completed : Time
        When it was submitted.
    sort : "asc" or "desc"
        By updated time. Where it is left out, a fetch asks for "asc", whose last token leads to
        what is new; the endpoint's own default is "desc".
    limit : int
        Sessions a page, 1 to 50; the endpoint's default is 50.
    next : str
        A token to go on from.
    include : str, iterable of str or mapping
        Attributes of session metadata wanted, or ``{"sessions.session_metadata": [...]}``.

    Raises
    ------
    QueryError
        A name is unknown, a value of the wrong type or impossible. Nothing is sent.

    Notes
    -----
    Names and limits are those of the Data API's documentation of ``sessions/responses``.

    Examples
    --------
    >>> Query(activity_id="numeracy", status="completed", maxtime_started="2025-01-31")
    Query(activity_id=('numeracy',), status=('Completed',), maxtime_started='2025-01-31T23:59:59Z')
    """

    activity_id: tuple[str, ...] | None
    session_id: tuple[str, ...] | None
    user_id: tuple[str, ...] | None
    status: tuple[str, ...] | None
    mintime: str | None
    maxtime: str | None
    mintime_started: str | None
    maxtime_started: str | None
    mintime_completed: str | None
    maxtime_completed: str | None
    sort: str | None
    limit: int | None
    next: str | None
    include: tuple[str, ...] | None

    def __init__(
        self,
        *,
        activity_id: Texts | None = None,
        session_id: Texts | None = None,
        user_id: Texts | None = None,
        status: Texts | None = None,
        mintime: Time | None = None,
        maxtime: Time | None = None,
        mintime_started: Time | None = None,
        maxtime_started: Time | None = None,
        mintime_completed: Time | None = None,
        maxtime_completed: Time | None = None,
        sort: str | None = None,
        limit: int | None = None,
        next: str | None = None,
        include: Include | None = None,
        **unknown: object,
    ) -> None:
        if unknown:
            raise _unknown_name(min(unknown))
        given: dict[str, Any] = {
            "activity_id": _texts("activity_id", activity_id),
            "session_id": _texts("session_id", session_id),
            "user_id": _texts("user_id", user_id),
            "status": _statuses(status),
            "sort": _sort(sort),
            "limit": _limit(limit),
            "next": _token(next),
            "include": _include(include),
        }
        ranges = zip(
            _RANGES,
            (mintime, mintime_started, mintime_completed),
            (maxtime, maxtime_started, maxtime_completed),
            strict=True,
        )
        for name, earliest, latest in ranges:
            given |= _range(name, earliest, latest)
        for name, value in given.items():
            object.__setattr__(self, name, value)

    def to_dict(self) -> dict[str, Any]:
        """Give the filters that are set, normalised: ``Query(**query.to_dict()) == query``."""
        found = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in found.items() if value is not None}

    def replace(self, **changes: Any) -> Query:
        """Make the same query with some filters changed; None takes one away.

        Examples
        --------
        >>> Query(activity_id="numeracy", limit=10).replace(limit=None)
        Query(activity_id=('numeracy',))
        """
        return Query(**(self.to_dict() | changes))

    def to_request(self) -> dict[str, Any]:
        """Give the body of the request.

        Returns
        -------
        dict
            What is sent, with the endpoint's names.

        Raises
        ------
        QueryError
            A list is longer than the endpoint takes: `requests` gives several bodies.

        Examples
        --------
        >>> Query(status="Completed", include="grade").to_request()
        {'status': ['Completed'], 'include': {'sessions.session_metadata': ['grade']}}
        """
        several = self.requests()
        if len(several) > 1:
            longest = max(len(getattr(self, name) or ()) for name in _LISTS)
            raise QueryError(
                f"{longest:,} values in one list need {len(several)} requests, since the endpoint "
                f"takes {LONGEST_LIST} at once: use requests()"
            )
        return several[0]

    def requests(self) -> list[dict[str, Any]]:
        """Give the bodies of all requests that the query needs: lists over 1000 are split.

        Several long lists are multiplied out. No two bodies can find the same session.
        """
        body: dict[str, Any] = {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in self.to_dict().items()
        }
        if "include" in body:
            body["include"] = {_METADATA: body["include"]}
        lists = [name for name in _LISTS if name in body]
        parts = [
            [body[name][at : at + LONGEST_LIST] for at in range(0, len(body[name]), LONGEST_LIST)]
            for name in lists
        ]
        return [body | dict(zip(lists, part, strict=True)) for part in itertools.product(*parts)]

    def __repr__(self) -> str:
        inside = ", ".join(f"{name}={value!r}" for name, value in self.to_dict().items())
        return f"Query({inside})"


def _unknown_name(name: str) -> QueryError:
    known = [field.name for field in fields(Query)]
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    hint = f"did you mean {close[0]}? " if close else ""
    return QueryError(f"{name} is no filter: {hint}the filters are {', '.join(known)}")


def _texts(name: str, value: Any) -> tuple[str, ...] | None:
    if value is None:
        return None
    listed = _listed(name, value)
    if not listed:
        raise QueryError(
            f"{name} is empty: that would ask for everything; leave it out to mean that"
        )
    for place, one in enumerate(listed):
        if not isinstance(one, str):
            hint = f"; write {str(one)!r}" if isinstance(one, int | np.integer) else ""
            raise QueryError(f"{name}[{place}] is {one!r} ({type(one).__name__}), not text{hint}")
        if not one.strip():
            raise QueryError(f"{name}[{place}] is {one!r}: an empty text names nothing")
        if _HALF.search(one):
            raise QueryError(f"{name}[{place}] is {one!r}: it holds half a character")
    # Of a subclass, such as an Enum of texts, the text itself: its str() may be its name.
    return tuple(dict.fromkeys(str.__str__(one) for one in listed))


def _listed(name: str, value: Any) -> list[Any]:
    """One text or many as a list, in the same order whenever the query is made."""
    if isinstance(value, str):
        return [value]
    if getattr(value, "ndim", 1) != 1:
        # A frame would give its columns' names for ids. Its content is no matter of a message.
        raise QueryError(
            f"{name} is a {type(value).__name__} of {value.ndim} dimensions: it takes one text or "
            "several, such as one column of a table"
        )
    if isinstance(value, bytes | Mapping) or not isinstance(value, Iterable):
        raise QueryError(
            f"{name} is {value!r} ({type(value).__name__}): it takes one text or several"
        )
    # A set has no order of its own, and the same query must give the same requests.
    return sorted(value, key=str) if isinstance(value, set | frozenset) else list(value)


def _statuses(value: Any) -> tuple[str, ...] | None:
    given = _texts("status", value)
    if given is None:
        return None
    known = {status.lower(): status for status in STATUSES}
    for one in given:
        if one.lower() not in known:
            close = difflib.get_close_matches(one.lower(), known, n=1, cutoff=0.5)
            hint = f"did you mean {known[close[0]]!r}? " if close else ""
            raise QueryError(f"status is {one!r}: {hint}it is one of {', '.join(STATUSES)}")
    return tuple(dict.fromkeys(known[one.lower()] for one in given))


def _range(name: str, earliest: Any, latest: Any) -> dict[str, str | None]:
    low, high = f"min{name}", f"max{name}"
    found = {
        low: None if earliest is None else utc_text(low, earliest, end="earliest"),
        high: None if latest is None else utc_text(high, latest, end="latest"),
    }
    first, last = found[low], found[high]
    if first is not None and last is not None and first > last:
        raise QueryError(f"{low} is {first}, after {high} {last}: no session can lie between")
    return found


def _sort(value: Any) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str) or value.lower() not in ("asc", "desc"):
        raise QueryError(f'sort is {value!r}: it is "asc" or "desc", by updated time')
    return value.lower()


def _limit(value: Any) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise QueryError(
            f"limit is {value!r} ({type(value).__name__}): it is a whole number, 1 to "
            f"{MOST_PER_PAGE} sessions a page"
        )
    if not 1 <= value <= MOST_PER_PAGE:
        hint = f"; to stop early use max_sessions={value}" if value > MOST_PER_PAGE else ""
        raise QueryError(
            f"limit is {value}: the endpoint returns 1 to {MOST_PER_PAGE} sessions a page{hint}"
        )
    return int(value)


def _token(value: Any) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str) or not value.strip() or _HALF.search(value):
        raise QueryError(f"next is {value!r}: it is a token that an earlier fetch gave")
    return str.__str__(value)


def _include(value: Any) -> tuple[str, ...] | None:
    if not isinstance(value, Mapping):
        return _texts("include", value)
    for name in value:
        if name != _METADATA:
            raise QueryError(
                f"include has {name!r}: the endpoint knows {_METADATA!r} only; "
                'a list of names, such as include=["grade"], is enough'
            )
    if value.get(_METADATA) is None:
        raise QueryError('include is empty: name metadata, such as include=["grade"]')
    return _texts("include", value[_METADATA])
