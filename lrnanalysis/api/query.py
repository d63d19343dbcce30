"""Query: the filters of ``sessions/responses``, checked before anything is sent."""

from __future__ import annotations

import difflib
import functools
import inspect
import itertools
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import Any, ClassVar, Generic, ParamSpec, TypeVar

import numpy as np

from lrnanalysis.api.dates import Time, utc_text
from lrnanalysis.api.endpoints import SESSIONS_RESPONSES, Endpoint
from lrnanalysis.errors import QueryError, shown
from lrnanalysis.tables.schema import STATUSES

__all__ = ["FILTERS", "Filter", "FilterKind", "Include", "Query", "Texts", "suggest_arguments"]

#: One text or several.
Texts = str | Iterable[str]

#: Names of session metadata, or the endpoint's own form of them.
Include = Texts | Mapping[str, Texts]

_METADATA_KEY = "sessions.session_metadata"

#: An unpaired surrogate cannot be encoded in UTF-8, so it can be neither signed nor sent.
_SURROGATE = re.compile("[\ud800-\udfff]")

_Parameters = ParamSpec("_Parameters")
_Result = TypeVar("_Result")
_Given = TypeVar("_Given")
_Kept = TypeVar("_Kept")


def suggest_arguments(function: Callable[_Parameters, _Result]) -> Callable[_Parameters, _Result]:
    """Turn an unknown keyword of a function into a `QueryError` that suggests the right one.

    The signature is unchanged, so that type checkers report the keyword, too.

    Examples
    --------
    >>> @suggest_arguments
    ... def find(*, activity_id=None): ...
    >>> find(activitty_id="numeracy")
    Traceback (most recent call last):
    lrnanalysis.errors.QueryError: unknown filter 'activitty_id': did you mean 'activity_id'?
    """
    known = [name for name in inspect.signature(function).parameters if name != "self"]

    @functools.wraps(function)
    def checked(*arguments: _Parameters.args, **keywords: _Parameters.kwargs) -> _Result:
        for name in keywords:
            if name not in known:
                close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
                hint = f"did you mean {close[0]!r}?" if close else f"expects {', '.join(known)}"
                raise QueryError(f"unknown filter {name!r}: {hint}")
        return function(*arguments, **keywords)

    return checked


@dataclass(frozen=True)
class FilterKind(Generic[_Given, _Kept]):
    """A kind of filter.

    Attributes
    ----------
    check : callable
        Takes a filter's name and a value; returns the value normalised or raises a `QueryError`.
    accepts : str
        Type of the value, for the documentation.
    metavar : str
        Placeholder for the value on the command line.
    many : bool
        Whether it accepts several values.
    """

    check: Callable[[str, _Given], _Kept]
    accepts: str
    metavar: str
    many: bool = False


class Filter(Generic[_Given, _Kept]):
    """One filter: a field of `Query` that checks and normalises the value given to it.

    Parameters
    ----------
    kind : FilterKind
        What it accepts.
    help : str
        Documentation: a phrase in lower case, without a full stop.
    """

    def __init__(self, kind: FilterKind[_Given, _Kept], help: str) -> None:
        self.kind, self.help = kind, help

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, query: object | None, owner: type | None = None) -> _Kept | None:
        # On the class it is the default of the field.
        return None if query is None else query.__dict__[self._name]

    def __set__(self, query: object, value: _Given | None) -> None:
        query.__dict__[self._name] = None if value is None else self.kind.check(self._name, value)


def _texts(name: str, value: Any) -> tuple[str, ...]:
    listed = _listed(name, value)
    if not listed:
        raise QueryError(
            f"{name} is empty: it would match every session; omit it to do that deliberately"
        )
    for place, one in enumerate(listed):
        if not isinstance(one, str):
            hint = f"; write {str(one)!r}" if isinstance(one, int | np.integer) else ""
            raise QueryError(
                f"{name}[{place}] is {shown(one)} ({type(one).__name__}), not text{hint}"
            )
        if not one.strip():
            raise QueryError(f"{name}[{place}] is {shown(one)}: expects text that is not empty")
        if _SURROGATE.search(one):
            raise QueryError(f"{name}[{place}] is {shown(one)}: it contains an unpaired surrogate")
    # The plain text of an instance of a subclass, such as an Enum: its str() may be its name.
    return tuple(dict.fromkeys(str.__str__(one) for one in listed))


def _listed(name: str, value: Any) -> list[Any]:
    """One text or several as a list, in a reproducible order."""
    if isinstance(value, str):
        return [value]
    if getattr(value, "ndim", 1) != 1:
        # Iterating over a DataFrame gives its column names. Its content is not for messages.
        raise QueryError(
            f"{name} is a {type(value).__name__} of {value.ndim} dimensions: expects a string or "
            "an iterable of strings, such as one column of a table"
        )
    if isinstance(value, bytes | Mapping) or not isinstance(value, Iterable):
        raise QueryError(
            f"{name} is {shown(value)} ({type(value).__name__}): expects a string or an iterable "
            "of "
            "strings"
        )
    # A set has no order, and the same query must produce the same requests.
    return sorted(value, key=str) if isinstance(value, set | frozenset) else list(value)


def _statuses(name: str, value: Any) -> tuple[str, ...]:
    known = {status.lower(): status for status in STATUSES}
    given = _texts(name, value)
    for one in given:
        if one.lower() not in known:
            close = difflib.get_close_matches(one.lower(), known, n=1, cutoff=0.5)
            hint = f"did you mean {known[close[0]]!r}? " if close else ""
            raise QueryError(f"{name} is {shown(one)}: {hint}expects one of {', '.join(STATUSES)}")
    return tuple(dict.fromkeys(known[one.lower()] for one in given))


def _moment(name: str, value: Any) -> str:
    return utc_text(name, value, end="earliest" if name.startswith("min") else "latest")


def _order(name: str, value: Any) -> str:
    if not isinstance(value, str) or value.lower() not in ("asc", "desc"):
        raise QueryError(f'{name} is {shown(value)}: expects "asc" or "desc", by updated time')
    return value.lower()


def _page_size(name: str, value: Any) -> int:
    most = Query.endpoint.max_page
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise QueryError(
            f"{name} is {shown(value)} ({type(value).__name__}): expects an integer, 1 to {most} "
            "sessions per page"
        )
    if not 1 <= value <= most:
        hint = f"; to stop early use max_sessions={value}" if value > most else ""
        raise QueryError(
            f"{name} is {value}: the endpoint returns 1 to {most} sessions per page{hint}"
        )
    return int(value)


def _token(name: str, value: Any) -> str:
    if not isinstance(value, str) or not value.strip() or _SURROGATE.search(value):
        raise QueryError(f"{name} is {shown(value)}: expects a token of an earlier fetch")
    return str.__str__(value)


def _metadata(name: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, Mapping):
        return _texts(name, value)
    for key in value:
        if key != _METADATA_KEY:
            raise QueryError(
                f"{name} has {key!r}: the endpoint knows {_METADATA_KEY!r} only; a list of names, "
                f'such as {name}=["grade"], is enough'
            )
    if value.get(_METADATA_KEY) is None:
        raise QueryError(f'{name} is empty: name attributes, such as {name}=["grade"]')
    return _texts(name, value[_METADATA_KEY])


_IDS = FilterKind(_texts, "str or iterable of str", "ID", many=True)
_STATUSES = FilterKind(_statuses, "str or iterable of str", "STATUS", many=True)
_TIME = FilterKind(_moment, "Time", "TIME")
_ORDER = FilterKind(_order, '"asc" or "desc"', "ORDER")
_PAGE_SIZE = FilterKind(_page_size, "int", "N")
_TOKEN = FilterKind(_token, "str", "TOKEN")
_METADATA = FilterKind(_metadata, "str, iterable of str or mapping", "NAME", many=True)

#: Short names of types, for the signature of `Query`.
TextFilter = Filter[Texts, tuple[str, ...]]
TimeFilter = Filter[Time, str]


@dataclass(frozen=True, kw_only=True, repr=False)
class Query:
    """Which sessions to fetch. Frozen, comparable and hashable; its repr is code that makes it.

    All filters are keywords and optional; sessions have to pass each filter that is given.

    Parameters
    ----------
    {filters}

    Raises
    ------
    QueryError
        A filter is unknown, of a wrong type or impossible. Nothing is sent.

    Notes
    -----
    Names and limits are those of the Data API's documentation of ``sessions/responses``. A `Time`
    is Unix seconds, ISO 8601 text, a date, a datetime or a pandas Timestamp, in UTC unless it has
    a time zone. A date alone means its first second as the earliest time, its last as the latest.

    Examples
    --------
    >>> Query(activity_id="numeracy", status="completed", maxtime_started="2025-01-31")
    Query(activity_id=('numeracy',), status=('Completed',), maxtime_started='2025-01-31T23:59:59Z')
    """

    endpoint: ClassVar[Endpoint] = SESSIONS_RESPONSES

    # Documentation, command line and form read the filters from here; `fetch` repeats their names.
    activity_id: TextFilter = Filter(_IDS, "activities, as named by the integration")
    session_id: TextFilter = Filter(_IDS, "sessions")
    user_id: TextFilter = Filter(_IDS, "learners, as named by the integration")
    status: TextFilter = Filter(_STATUSES, f"{', '.join(STATUSES)} (case is ignored)")
    mintime: TimeFilter = Filter(_TIME, "updated at this time or later")
    maxtime: TimeFilter = Filter(_TIME, "updated at this time or earlier")
    mintime_started: TimeFilter = Filter(_TIME, "started at this time or later")
    maxtime_started: TimeFilter = Filter(_TIME, "started at this time or earlier")
    mintime_completed: TimeFilter = Filter(_TIME, "submitted at this time or later")
    maxtime_completed: TimeFilter = Filter(_TIME, "submitted at this time or earlier")
    sort: Filter[str, str] = Filter(_ORDER, 'order by updated time; a fetch uses "asc" by default')
    limit: Filter[int, int] = Filter(_PAGE_SIZE, f"sessions per page, 1 to {endpoint.max_page}")
    next: Filter[str, str] = Filter(_TOKEN, "token of an earlier fetch, to resume from")
    include: Filter[Include, tuple[str, ...]] = Filter(_METADATA, "attributes of session metadata")

    def __post_init__(self) -> None:
        for low in (name for name in FILTERS if name.startswith("min")):
            high = low.replace("min", "max")
            first, last = getattr(self, low), getattr(self, high)
            if first is not None and last is not None and first > last:
                raise QueryError(
                    f"{low} is {first}, after {high} {last}: no session can be in between"
                )

    def to_dict(self) -> dict[str, Any]:
        """Return the filters that are set, normalised: ``Query(**query.to_dict()) == query``."""
        return {name: value for name in FILTERS if (value := getattr(self, name)) is not None}

    def replace(self, **changes: Any) -> Query:
        """Return the query with some filters changed; None removes one.

        Examples
        --------
        >>> Query(activity_id="numeracy", limit=10).replace(limit=None)
        Query(activity_id=('numeracy',))
        """
        return Query(**(self.to_dict() | changes))

    def to_request(self) -> dict[str, Any]:
        """Return the body of the request, with the endpoint's names.

        Raises
        ------
        QueryError
            A list is longer than the endpoint accepts: `requests` returns several bodies.

        Examples
        --------
        >>> Query(status="Completed", include="grade").to_request()
        {'status': ['Completed'], 'include': {'sessions.session_metadata': ['grade']}}
        """
        several = self.requests()
        if len(several) > 1:
            longest = max(len(one) for one in self.to_dict().values() if isinstance(one, tuple))
            raise QueryError(
                f"{longest:,} values in one list need {len(several)} requests, since the endpoint "
                f"accepts {self.endpoint.max_list} at once: use Query.requests()"
            )
        return several[0]

    def requests(self) -> list[dict[str, Any]]:
        """Return the bodies of all requests that the query needs: lists over 1000 are split.

        Each part of a list is combined with each part of the others. No two bodies can find the
        same session.
        """
        body: dict[str, Any] = {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in self.to_dict().items()
        }
        if "include" in body:
            body["include"] = {_METADATA_KEY: body["include"]}
        lists = [name for name in body if FILTERS[name].kind is _IDS]
        most = self.endpoint.max_list
        parts = [
            [body[name][at : at + most] for at in range(0, len(body[name]), most)] for name in lists
        ]
        return [body | dict(zip(lists, part, strict=True)) for part in itertools.product(*parts)]

    def __repr__(self) -> str:
        inside = ", ".join(f"{name}={value!r}" for name, value in self.to_dict().items())
        return f"Query({inside})"


#: Name → filter, in the order of `Query`.
FILTERS: Mapping[str, Filter[Any, Any]] = MappingProxyType(
    {field.name: vars(Query)[field.name] for field in fields(Query)}
)

Query.__init__ = suggest_arguments(Query.__init__)  # type: ignore[method-assign]
Query.__doc__ = (Query.__doc__ or "").replace(
    "    {filters}\n",
    "".join(
        f"    {name} : {one.kind.accepts}\n        {one.help[0].upper()}{one.help[1:]}.\n"
        for name, one in FILTERS.items()
    ),
)
