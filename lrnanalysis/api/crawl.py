"""Crawl: from a query to its pages, one after the other.

The rule of the endpoint's cursor: an empty page ends the crawl, and the last token is kept. Sent
again later, it gives what is new since. A page with sessions that gives a token it was asked with
before would go round for ever, so it is an error.

Pages come in ascending order of updated time unless the query says otherwise: only then does the
last token lead to what is new, and a session that changes during the crawl comes again at its end.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Generator, Iterator
from typing import TYPE_CHECKING, Any

from lrnanalysis.api.client import Client, Page
from lrnanalysis.api.query import MOST_PER_PAGE, Query
from lrnanalysis.errors import PagingError, QueryError

if TYPE_CHECKING:
    from tqdm import tqdm

__all__ = ["Crawl"]

#: How a token begins that stands for those of several requests.
_SPLIT = "split."


class Crawl:
    """The pages of a query. What was reached can be read at any time.

    Iterating over it asks for one page after the other. Iterating again goes on from where it
    stopped: after an error, an interrupt or a `break`, or, at the end, with what is new since.

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
        Asked before each page; True ends the crawl. Of a `threading.Event` it is ``is_set``.
    on_page : callable, optional
        Called with the crawl itself when a page with sessions has come, before it is handed out.

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
    PagingError
        While iterating: a page with sessions repeats a token.
    ApiError, AuthError, RateLimitError, TransportError
        While iterating: as `Client.post` raises them.

    Notes
    -----
    A query with lists over 1000 needs several requests, each with a cursor of its own. Its token
    is "split.", a fingerprint of the filters, a point, and the tokens as JSON in URL-safe base64.
    It is taken back by the same query only; page size and `include` may differ.

    Examples
    --------
    >>> from lrnanalysis import Query, sandbox
    >>> with sandbox.serve([{"session_id": f"s{n}"} for n in range(20)]) as api:
    ...     crawl = Crawl(Query(limit=8), api.client(), progress=False)
    ...     print([page.sessions for page in crawl], crawl.finished)
    [8, 8, 4] True
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
        if max_sessions is not None and (
            isinstance(max_sessions, bool) or not isinstance(max_sessions, int) or max_sessions < 1
        ):
            raise QueryError(
                f"max_sessions is {max_sessions!r}: it has to be a whole number above 0"
            )
        token = query.next if next is None else query.replace(next=next).next
        self._requests = [
            {"sort": "asc"} | body for body in query.replace(next=None, limit=None).requests()
        ]
        self._fingerprint = _fingerprint(self._requests)
        self._tokens = self._split(token)
        self._limit = query.limit
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
        """The token to go on from, or None where there is none yet.

        It moves past a page when the one after it is asked for: a page whose reader fails or is
        interrupted comes again, rather than never.
        """
        if not any(self._tokens):
            return None
        if len(self._tokens) == 1:
            return self._tokens[0]
        joined = base64.urlsafe_b64encode(json.dumps(self._tokens).encode())
        return f"{_SPLIT}{self._fingerprint}.{joined.decode().rstrip('=')}"

    def __iter__(self) -> Iterator[Page]:
        from tqdm.auto import tqdm

        self.finished = False
        with tqdm(unit=" sessions", desc="fetching", disable=not self._progress) as bar:
            for part in range(len(self._requests)):
                ended = yield from self._part(part, bar)
                if not ended:
                    return
            self.finished = True

    def _part(self, part: int, bar: tqdm[Any]) -> Generator[Page, None, bool]:
        """The pages of one of the query's requests; gives whether their end was reached."""
        asked_with = set()
        while not self._stops():
            asked_with.add(self._tokens[part])
            page = self._ask(part)
            if page.sessions:
                if page.next in asked_with and page.next is not None:
                    raise PagingError(
                        f"page {self.pages} holds {page.sessions} sessions and repeats the token "
                        "of an earlier one: going on would fetch the same for ever; what came "
                        "before is in .partial"
                    )
                self.sessions += page.sessions
                bar.update(page.sessions)
                self._on_page(self)
                yield page
            if page.next is not None:
                self._tokens[part] = page.next
            if not page.sessions or page.next is None:
                return True
        return False

    def _ask(self, part: int) -> Page:
        body = dict(self._requests[part])
        if self._tokens[part] is not None:
            body["next"] = self._tokens[part]
        if self._max_sessions is not None:
            left = self._max_sessions - self.sessions
            body["limit"] = min(left, self._limit or MOST_PER_PAGE)
        elif self._limit is not None:
            body["limit"] = self._limit
        page = self._client.post(body, page=self.pages + 1)
        self.pages += 1
        if page.limit != body.get("limit"):
            # The answer was too large, and the next of this size would be, too.
            self._limit = page.limit
        return page

    def _stops(self) -> bool:
        enough = self._max_sessions is not None and self.sessions >= self._max_sessions
        return enough or self._cancelled()

    def _split(self, token: str | None) -> list[str | None]:
        """The token of each request."""
        parts = len(self._requests)
        if token is None:
            return [None] * parts
        if parts == 1 and not token.startswith(_SPLIT):
            return [token]
        start = f"{_SPLIT}{self._fingerprint}."
        tokens = _listed(token.removeprefix(start)) if token.startswith(start) else None
        if tokens is None or len(tokens) != parts:
            raise QueryError(
                f"next is {token[:40]!r}, which is no token of this query: give the same filters "
                "and lists, in the same order, as the fetch that it comes from"
            )
        return tokens


def _fingerprint(requests: list[dict[str, Any]]) -> str:
    """The same for two queries that find the same sessions by the same requests."""
    filters = [
        {name: body[name] for name in sorted(body) if name != "include"} for body in requests
    ]
    return hashlib.sha256(json.dumps(filters).encode()).hexdigest()[:12]


def _listed(text: str) -> list[str | None] | None:
    """The tokens in a list of them; None where it is none."""
    try:
        tokens = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except ValueError:
        return None
    known = isinstance(tokens, list) and all(one is None or isinstance(one, str) for one in tokens)
    return tokens if known else None
