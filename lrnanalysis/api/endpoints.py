"""Endpoints of the Data API: what client, query and crawl need to know about each."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["SESSIONS_RESPONSES", "Endpoint"]


@dataclass(frozen=True)
class Endpoint:
    """One endpoint of the Data API; limits as documented.

    Attributes
    ----------
    path : str
        Its path after the version.
    action : str
        "get" or "set".
    max_page : int
        Most records per page.
    max_list : int
        Most values per list in a request.
    max_requests : int
        Most requests per `window`, for each consumer key.
    window : float
        Length of the time window [s].
    empty_page_ends : bool
        Whether an empty page is the last one, also if it has a token. Otherwise, only a page
        without a token is.

    Examples
    --------
    >>> SESSIONS_RESPONSES.is_last(records=0, token="1387312240.1410")
    True
    """

    path: str
    action: str = "get"
    max_page: int = 50
    max_list: int = 1000
    max_requests: int = 1000
    window: float = 5.0
    empty_page_ends: bool = False

    def is_last(self, records: int, token: str | None) -> bool:
        """Whether a page with so many records and this token is the last one."""
        return token is None or (self.empty_page_ends and not records)


#: Sessions with their responses and items. The token of an empty page leads to later updates.
SESSIONS_RESPONSES = Endpoint("sessions/responses", empty_page_ends=True)
