"""Every error that lrnanalysis raises on purpose, and when it is raised.

A message says what happened, the value that caused it, and what to do. No message contains a
secret, a signature, the body of an answer of the Data API, or a learner's answer.
"""

from __future__ import annotations

from typing import Any

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

    It has no cause: the exceptions of the layers below contain the request and parts of the answer.

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

    The first interrupt stops the fetch after the current page, a second one at once. Not an
    `Exception`, so that an interrupt still stops a notebook's "Run all".

    Attributes
    ----------
    partial : SessionData or None
        What had been fetched; `partial.next` is the token to resume from.
    """

    partial: Any = None

    def _render_traceback_(self) -> list[str]:
        # A notebook shows this instead of the frames of the library, of which none is at fault.
        return [str(self)]


class ReadError(LrnError, ValueError):
    """A file cannot be read or written: not found, not JSON, without sessions, or in the way.

    The message names the file and the position. Not raised for a session with unusual fields,
    which is kept and reported by `SessionData.check`.
    """


class MeasureError(LrnError, ValueError):
    """A measure cannot be computed from the data given, or an argument is out of range."""


class SimulationError(LrnError, ValueError):
    """Nothing can be simulated or served: an argument is out of range, or a record is not JSON."""
