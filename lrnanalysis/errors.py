"""Every error that lrnanalysis raises on purpose, and when.

A message says what happened, the value that caused it, and what to do. No message carries a
secret, a signature, the body of a response or a learner's answer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lrnanalysis.study import SessionData

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
    "TransportError",
]


class LrnError(Exception):
    """Base of all errors of this package: catch it to catch them all.

    Attributes
    ----------
    partial : SessionData or None
        What had been fetched when the error stopped a fetch; `partial.next` is the token to go
        on from. None for an error outside a fetch.
    """

    partial: SessionData | None = None


class QueryError(LrnError, ValueError):
    """A filter has an unknown name, a wrong type or an impossible value.

    Raised before anything is sent. Not raised for a query that is valid and finds nothing: that
    gives three empty tables.
    """


class CredentialsError(LrnError):
    """No credentials were found, or only a part of them.

    Raised before anything is sent. Not raised for credentials that the Data API refuses: that is
    an `AuthError`.
    """


class ApiError(LrnError):
    """The Data API answered, and the answer is a refusal or not readable.

    Not raised where the answer never arrived: that is a `TransportError`.

    Attributes
    ----------
    http_status : int
        Status of the HTTP response.
    code : int or None
        The Data API's own error code, where the answer held one.
    api_message : str or None
        The Data API's own words, shortened to 200 characters.
    request_uuid : str or None
        What Learnosity's support asks for.
    page : int or None
        Number of the page that was asked for, from 1.
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

    Not raised for missing credentials: that is a `CredentialsError`.
    """


class RateLimitError(ApiError):
    """The Data API still answered 429 after the last retry.

    Not raised for a single 429, which is waited out.
    """


class TransportError(LrnError):
    """No whole answer arrived after the last retry: no connection, a time-out, a cut body.

    The cause is kept in `__cause__`.

    Attributes
    ----------
    page : int or None
        Number of the page that was asked for, from 1.
    """

    def __init__(self, message: str, *, page: int | None = None) -> None:
        super().__init__(message)
        self.page = page


class PagingError(LrnError):
    """The Data API's paging contradicts itself: a page with sessions repeats its own token.

    Going on would fetch the same page for ever. Not raised for an empty page, which ends a crawl.
    """


class FetchInterrupted(KeyboardInterrupt):
    """A fetch was interrupted from the keyboard.

    Not an `Exception`, so that an interrupt still stops a notebook's "Run all".

    Attributes
    ----------
    partial : SessionData or None
        What had been fetched; `partial.next` is the token to go on from.
    """

    partial: SessionData | None = None


class ReadError(LrnError, ValueError):
    """A file or a text is not what `read` takes: not JSON, not sessions, not there.

    The message names the file and the position. Not raised for a session with odd fields: that
    is kept, and `SessionData.check` reports it.
    """


class MeasureError(LrnError, ValueError):
    """A measure cannot be computed from what it was given, or an argument is out of range."""
