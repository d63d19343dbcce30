"""Every error that lrnanalysis raises on purpose, and when it is raised.

A message says what happened, the value that caused it, and what to do. No message contains a
secret, a signature, the body of an answer of the Data API, or a learner's answer.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from itertools import islice
from pathlib import PurePath
from typing import Any

import numpy as np
import pandas as pd

__all__ = [
    "ApiError",
    "AuthError",
    "CredentialsError",
    "FetchInterrupted",
    "LrnError",
    "MeasureError",
    "PagingError",
    "QueryError",
    "RateLimitError",
    "ReadError",
    "SimulationError",
    "TransportError",
]

#: Characters of a text that a message shows.
_LONGEST = 60

#: Kinds of values that a message shows as they print.
_WRITTEN = (
    dt.date,
    dt.timedelta,
    np.datetime64,
    np.timedelta64,
    pd.Interval,
    pd.Period,
    PurePath,
    type(None),
    type(pd.NA),
    type(pd.NaT),
)


class LrnError(Exception):
    """Base of all errors of this package: catch it to catch them all.

    Attributes
    ----------
    partial : SessionData or None
        What had been fetched when the error stopped a fetch; `partial.next` is the token to
        resume from. None for an error outside a fetch.
    """

    partial: Any = None


class QueryError(LrnError, ValueError):
    """A filter or a setting has an unknown name, a wrong type or an impossible value.

    Raised before anything is sent. Not raised for a valid query without results, which gives
    three empty tables.
    """


class CredentialsError(LrnError):
    """Credentials are missing, incomplete or malformed.

    Raised before anything is sent. Credentials that the Data API refuses raise an `AuthError`.
    """


class ApiError(LrnError):
    """The Data API answered, but refused the request, or the answer is not readable.

    An answer that never arrives in full raises a `TransportError`.

    Attributes
    ----------
    http_status : int
        Status of the HTTP response.
    code : int or None
        Error code of the Data API, if the answer has one.
    api_message : str or None
        Message of the Data API, shortened to 200 characters.
    request_uuid : str or None
        Identifier of the request, which Learnosity's support asks for.
    page : int or None
        Number of the page requested, from 1.
    """

    def __init__(
        self,
        message: str,
        *,
        http_status: int,
        code: int | None = None,
        api_message: str | None = None,
        request_uuid: str | None = None,
        page: int | None = None,
    ) -> None:
        super().__init__(message)
        self.http_status = http_status
        self.code = code
        self.api_message = api_message
        self.request_uuid = request_uuid
        self.page = page


class AuthError(ApiError):
    """The Data API refused the credentials or the signature (codes 41000 to 41009).

    Missing credentials raise a `CredentialsError`.
    """


class RateLimitError(ApiError):
    """The Data API still answered 429 after the last retry.

    Not raised for a single 429: the client waits and tries again.
    """


class TransportError(LrnError):
    """No complete answer arrived by the last retry: no connection, a time-out, a truncated body.

    The cause is in `__cause__`.

    Attributes
    ----------
    page : int or None
        Number of the page requested, from 1.
    """

    def __init__(self, message: str, *, page: int | None = None) -> None:
        super().__init__(message)
        self.page = page


class PagingError(LrnError):
    """The paging of the Data API contradicts itself: a page with records repeats an earlier token.

    Continuing would loop forever. Not raised for an empty page, which ends a crawl.
    """


class FetchInterrupted(KeyboardInterrupt):
    """A fetch was interrupted from the keyboard.

    Not an `Exception`, so that an interrupt still stops a notebook's "Run all".

    Attributes
    ----------
    partial : SessionData or None
        What had been fetched; `partial.next` is the token to resume from.
    """

    partial: Any = None


class ReadError(LrnError, ValueError):
    """A file cannot be read or written: not found, not JSON, without sessions, or in the way.

    The message names the file and the position. Not raised for a session with unusual fields,
    which is kept and reported by `SessionData.check`.
    """


class MeasureError(LrnError, ValueError):
    """A measure cannot be computed from the data given, or an argument is out of range."""


class SimulationError(LrnError, ValueError):
    """Nothing can be simulated or served: an argument is out of range, or a record is not JSON."""


def shown(value: object) -> str:
    """A value or label as a message shows it: as plain Python writes it, and never long.

    NumPy's and pandas' scalars show as the number, text or date that they are. What has no short
    text (a table, an array, an object) shows as its kind and size, so that no data get into a
    message.

    Examples
    --------
    >>> shown(np.int64(8)), shown(np.str_("a")), shown(pd.Timestamp("2024-03-01"))
    ('8', "'a'", '2024-03-01 00:00:00')
    >>> shown([np.float64(0.5), None])
    '[0.5, None]'
    >>> shown(pd.DataFrame({"a": [1, 2]}))
    'a DataFrame of shape (2, 1)'
    """
    if isinstance(value, _WRITTEN):
        return str(value)
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, str | bytes):
        return repr(value if len(value) <= _LONGEST else value[: _LONGEST - 1]) + (
            "…" if len(value) > _LONGEST else ""
        )
    if isinstance(value, int | float | complex):
        return str(value)
    if isinstance(value, Mapping):
        inside = [f"{shown(key)}: {shown(entry)}" for key, entry in islice(value.items(), 8)]
        return "{" + ", ".join(inside) + (", …" if len(value) > 8 else "") + "}"
    if type(value) is tuple:
        return f"({listed(value)}{',' if len(value) == 1 else ''})"
    if type(value) is list:
        return f"[{listed(value)}]"
    if isinstance(value, set | frozenset):
        return f"{{{listed(value)}}}" if value else "an empty set"
    kind = "class" if isinstance(value, type) else type(value).__name__
    if isinstance(getattr(value, "__name__", None), str):
        return f"the {kind} {value.__name__}"  # type: ignore[attr-defined]
    article = "an" if kind[0] in "AEIOUaeiou" else "a"
    shape = getattr(value, "shape", None)
    return f"{article} {kind}" + (f" of shape {shown(shape)}" if isinstance(shape, tuple) else "")


def listed(values: Iterable[object], most: int = 8) -> str:
    """The first values as a message lists them; "…" for the others.

    Examples
    --------
    >>> listed(pd.Index(["a", "b", "c"]), most=2)
    "'a', 'b', …"
    """
    first = list(islice(values, most + 1))
    return ", ".join(map(shown, first[:most])) + (", …" if len(first) > most else "")
