"""Crawl: from a query to its pages, one after the other.

The rule of the endpoint's cursor: an empty page ends the crawl, and the last token is kept. Sent
again later, it gives what is new since. A page with sessions that repeats the token it was asked
with would go round for ever, so it is an error.

Pages come in ascending order of updated time unless the query says otherwise: only then does the
last token lead to what is new, and a session that changes during the crawl comes again at its end.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from lrnanalysis.client import Client, Page
from lrnanalysis.errors import PagingError, QueryError
from lrnanalysis.query import MOST_PER_PAGE, Query

__all__ = ["Crawl"]


class Crawl:
    """The pages of a query. Iterate once; what was reached can be read at any time.

    Parameters
    ----------
    query : Query
        What to fetch.
    client : Client
        Whom to ask.
    next : str, optional
        A token to go on from, of an earlier crawl of the same query.
    max_sessions : int, optional
        Stop after this many sessions.
    progress : bool, default True
        Show a progress bar.
    cancelled : callable, optional
        Asked before each page; True ends the crawl.
    on_page : callable, optional
        Called after each page with the crawl itself.

    Attributes
    ----------
    sessions, pages : int
        How many were fetched so far; sessions that came twice count twice.
    finished : bool
        Whether the end was reached.

    Raises
    ------
    QueryError
        The token belongs to another query, or `max_sessions` is not above 0.
    """

    def __init__(
        self,
        query: Query,
        client: Client,
        *,
        next: str | None = None,
        max_sessions: int | None = None,
        progress: bool = True,
        cancelled: Callable[[], bool] | None = None,
        on_page: Callable[[Crawl], object] | None = None,
    ) -> None:
        if max_sessions is not None and max_sessions < 1:
            raise QueryError(f"max_sessions is {max_sessions}: it has to be above 0")
        self._requests = query.requests()
        self._tokens = _split_token(next or query.next, len(self._requests))
        self._client = client
        self._max_sessions = max_sessions
        self._progress = progress
        self._cancelled = cancelled or (lambda: False)
        self._on_page = on_page or (lambda crawl: None)
        self.sessions = 0
        self.pages = 0
        self.finished = False

    @property
    def next(self) -> str | None:
        """The token to go on from: what comes after the pages that were fetched so far."""
        return _joined_token(self._tokens)

    def __iter__(self) -> Iterator[Page]:
        from tqdm.auto import tqdm

        with tqdm(unit=" sessions", desc="fetching", disable=not self._progress) as bar:
            for part in range(len(self._requests)):
                for page in self._part(part):
                    bar.update(page.sessions)
                    self._on_page(self)
                    yield page
                if self._stops():
                    return
            self.finished = True

    def _part(self, part: int) -> Iterator[Page]:
        """The pages of one of the query's requests."""
        body = dict(self._requests[part])
        body.pop("next", None)
        body.setdefault("sort", "asc")
        while not self._stops():
            asked_with = self._tokens[part]
            page = self._client.post(self._body(body, asked_with), page=self.pages + 1)
            self.pages += 1
            if not page.sessions:
                self._tokens[part] = page.next or asked_with
                return
            if page.next is not None and page.next == asked_with:
                raise PagingError(
                    f"page {self.pages} holds {page.sessions} sessions and repeats the token that "
                    "it was asked with: going on would fetch it for ever; what came before is in "
                    ".partial"
                )
            if page.limit is not None and page.limit < (body.get("limit") or MOST_PER_PAGE):
                body["limit"] = page.limit
            self._tokens[part] = page.next or asked_with
            self.sessions += page.sessions
            yield page
            if page.next is None:
                return

    def _body(self, body: dict[str, Any], token: str | None) -> dict[str, Any]:
        body = body if token is None else body | {"next": token}
        if self._max_sessions is None:
            return body
        left = self._max_sessions - self.sessions
        return body | {"limit": min(left, body.get("limit") or MOST_PER_PAGE)}

    def _stops(self) -> bool:
        enough = self._max_sessions is not None and self.sessions >= self._max_sessions
        return enough or self._cancelled()


def _split_token(token: str | None, parts: int) -> list[str | None]:
    """The token of each request. Where there are several, theirs are a JSON list."""
    if token is None:
        return [None] * parts
    if parts == 1:
        return [token]
    try:
        tokens = json.loads(token)
    except ValueError:
        tokens = None
    if not isinstance(tokens, list) or len(tokens) != parts:
        raise QueryError(
            f"next belongs to another query: this one needs {parts} requests, and so {parts} tokens"
        )
    return [None if one is None else str(one) for one in tokens]


def _joined_token(tokens: list[str | None]) -> str | None:
    if all(token is None for token in tokens):
        return None
    return tokens[0] if len(tokens) == 1 else json.dumps(tokens)
