"""Crawl: from a query to its pages, one after the other.

The last token is kept: a later crawl from there returns what has been updated since. A page with
records and the token of an earlier request would make the crawl loop forever, so it is an error.

Pages come in ascending order of updated time unless the query says otherwise. Only then does the
last token lead to later updates, and a session that is updated during the crawl comes again at the
end.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Generator, Iterator
from typing import Any

from lrnanalysis.api.client import Client, Page
from lrnanalysis.api.query import Query
from lrnanalysis.api.rate_limit import WaitCancelledError
from lrnanalysis.errors import PagingError, QueryError, shown

__all__ = ["Crawl"]

#: Prefix of a token that combines those of several requests.
_SPLIT = "split."


class Crawl:
    """The pages of a query; its progress can be read at any time.

    Iterate over it to fetch one page after the other. Iterating again continues where it stopped:
    after an error, an interrupt or a `break`, or, at the end, with what has been updated since.

    Parameters
    ----------
    query : Query
        What to fetch.
    client : Client
        Client to use.
    next : str, optional
        Token to resume from, of an earlier crawl of the same query.
    max_sessions : int, optional
        Stop after this many sessions.
    cancelled : callable, optional
        Called before each page and during pauses; the crawl ends if it returns True. Works with
        the ``is_set`` of a `threading.Event`.
    on_page : callable, optional
        Called with the crawl after each page with sessions, before the page is yielded.

    Attributes
    ----------
    sessions, pages : int
        Numbers fetched so far; a session that came twice counts twice.
    finished : bool
        Whether the end was reached.

    Raises
    ------
    QueryError
        The token belongs to another query, or `max_sessions` is not above 0.
    PagingError
        While iterating: a page with sessions repeats a token.
    ApiError, AuthError, RateLimitError, TransportError
        While iterating: as raised by `Client.post`.

    Notes
    -----
    A query with lists over 1000 needs several requests, each with its own token. The token of the
    crawl is then "split.", a fingerprint of the filters, a dot, and these tokens as JSON in
    URL-safe base64. It is valid for the same query only; page size and `include` may differ.

    Examples
    --------
    >>> from lrnanalysis import Query, sandbox
    >>> with sandbox.serve([{"session_id": f"s{n}"} for n in range(20)]) as api:
    ...     crawl = Crawl(Query(limit=8), api.client())
    ...     print([page.records for page in crawl], crawl.finished)
    [8, 8, 4] True
    """

    def __init__(
        self,
        query: Query,
        client: Client,
        *,
        next: str | None = None,
        max_sessions: int | None = None,
        cancelled: Callable[[], bool] | None = None,
        on_page: Callable[[Crawl], object] | None = None,
    ) -> None:
        if max_sessions is not None and (
            isinstance(max_sessions, bool) or not isinstance(max_sessions, int) or max_sessions < 1
        ):
            raise QueryError(f"max_sessions is {shown(max_sessions)}: expects an integer above 0")
        token = query.next if next is None else query.replace(next=next).next
        self._requests = [
            {"sort": "asc"} | body for body in query.replace(next=None, limit=None).requests()
        ]
        self._endpoint = query.endpoint
        self._fingerprint = _fingerprint(self._requests)
        self._tokens = self._split(token)
        self._limit = query.limit
        self._client = client
        self._max_sessions = max_sessions
        self._cancelled = cancelled
        self._on_page = on_page or (lambda crawl: None)
        self.sessions = 0
        self.pages = 0
        self.finished = False

    @property
    def next(self) -> str | None:
        """The token to resume from, or None if there is none yet.

        It moves past a page when the next one is requested: a page whose processing fails or is
        interrupted comes again.
        """
        if not any(self._tokens):
            return None
        if len(self._tokens) == 1:
            return self._tokens[0]
        joined = base64.urlsafe_b64encode(json.dumps(self._tokens).encode())
        return f"{_SPLIT}{self._fingerprint}.{joined.decode().rstrip('=')}"

    def __iter__(self) -> Iterator[Page]:
        self.finished = False
        for part in range(len(self._requests)):
            ended = yield from self._part(part)
            if not ended:
                return
        self.finished = True

    def _part(self, part: int) -> Generator[Page, None, bool]:
        """The pages of one of the query's requests; returns whether the end was reached."""
        requested = set()
        while not self._stops():
            requested.add(self._tokens[part])
            try:
                page = self._fetch(part)
            except WaitCancelledError:
                return False
            last = self._endpoint.is_last(page.records, page.next)
            if page.next in requested and not last:
                raise PagingError(
                    f"page {self.pages} has {page.records} sessions and repeats the token of an "
                    "earlier page: continuing would loop forever; the sessions before it are in "
                    ".partial"
                )
            if page.records:
                self.sessions += page.records
                self._on_page(self)
                yield page
            if page.next is not None:
                self._tokens[part] = page.next
            if last:
                return True
        return False

    def _fetch(self, part: int) -> Page:
        body = dict(self._requests[part])
        if self._tokens[part] is not None:
            body["next"] = self._tokens[part]
        if self._max_sessions is not None:
            left = self._max_sessions - self.sessions
            body["limit"] = min(left, self._limit or self._endpoint.max_page)
        elif self._limit is not None:
            body["limit"] = self._limit
        page = self._client.post(
            body, endpoint=self._endpoint, page=self.pages + 1, cancelled=self._cancelled
        )
        self.pages += 1
        if page.limit != body.get("limit"):
            # The answer would have been too large; so would the next one of this size.
            self._limit = page.limit
        return page

    def _stops(self) -> bool:
        enough = self._max_sessions is not None and self.sessions >= self._max_sessions
        return enough or (self._cancelled is not None and self._cancelled())

    def _split(self, token: str | None) -> list[str | None]:
        """Split a token into those of the requests."""
        parts = len(self._requests)
        if token is None:
            return [None] * parts
        if parts == 1 and not token.startswith(_SPLIT):
            return [token]
        start = f"{_SPLIT}{self._fingerprint}."
        tokens = _listed(token.removeprefix(start)) if token.startswith(start) else None
        if tokens is None or len(tokens) != parts:
            raise QueryError(
                f"next is {token[:40]!r}, which does not belong to this query: pass the filters of "
                "the fetch that returned it, with the same lists in the same order"
            )
        return tokens


def _fingerprint(requests: list[dict[str, Any]]) -> str:
    """Equal for two queries that find the same sessions by the same requests."""
    filters = [
        {name: body[name] for name in sorted(body) if name != "include"} for body in requests
    ]
    return hashlib.sha256(json.dumps(filters).encode()).hexdigest()[:12]


def _listed(text: str) -> list[str | None] | None:
    """The tokens in an encoded list; None if it is not one."""
    try:
        tokens = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except ValueError:
        return None
    known = isinstance(tokens, list) and all(one is None or isinstance(one, str) for one in tokens)
    return tokens if known else None
