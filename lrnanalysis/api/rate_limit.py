"""When requests may be sent: a rate limit that threads share, and the retries of one page."""

from __future__ import annotations

import math
import random
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from lrnanalysis.errors import LrnError, QueryError, shown

__all__ = [
    "MAX_RETRY_AFTER",
    "Cancelled",
    "RateLimiter",
    "RetryState",
    "WaitCancelledError",
    "check_number",
    "check_settings",
    "retry_after",
]

#: Tells whether a wait should end.
Cancelled = Callable[[], bool]

#: Longest sleep before `Cancelled` is asked again [s].
_SLICE = 0.1


_MAX_PAUSE = 30.0

#: Longest pause that is waited for where the service names one [s]; a longer one is an error.
MAX_RETRY_AFTER = 600.0


class WaitCancelledError(LrnError):
    """A pause before a request was cancelled: the request was not sent."""


def _pause(seconds: float, cancelled: Cancelled | None) -> None:
    """Sleep; look now and then whether that is still wanted."""
    if cancelled is None:
        time.sleep(seconds)
        return
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        if cancelled():
            raise WaitCancelledError("cancelled while waiting to send a request")
        time.sleep(min(left, _SLICE))


class RateLimiter:
    """Admits at most `requests` requests in any `seconds`; threads may share it.

    Parameters
    ----------
    requests : int
        Number of requests.
    seconds : float
        Length of the time window [s].

    Raises
    ------
    QueryError
        Either is not above 0.

    Examples
    --------
    >>> limiter = RateLimiter(1000, 5.0)
    >>> limiter.acquire()
    """

    def __init__(self, requests: int, seconds: float) -> None:
        if not isinstance(requests, int) or requests < 1 or not _is_seconds(seconds) or not seconds:
            raise QueryError(
                f"rate_limit is ({shown(requests)}, {shown(seconds)}): expects a number of "
                "requests and a "
                "number of seconds, both above 0, such as (1000, 5.25)"
            )
        self._seconds = seconds
        self._admitted: deque[float] = deque(maxlen=requests)
        self._closed_until = float("-inf")
        self._lock = threading.Lock()

    def acquire(self, cancelled: Cancelled | None = None) -> None:
        """Wait until a request may be sent, and count it.

        Raises
        ------
        WaitCancelledError
            `cancelled` returned True meanwhile.
        """
        while (pause := self.try_acquire()) > 0:
            _pause(pause, cancelled)

    def try_acquire(self) -> float:
        """Count a request if it may be sent now.

        Returns
        -------
        float
            0 or below if the request was counted, else the time to wait before trying again [s].
        """
        with self._lock:
            now = time.monotonic()
            full = len(self._admitted) == self._admitted.maxlen
            free = self._admitted[0] + self._seconds if full else now
            pause = max(free, self._closed_until) - now
            if pause <= 0:
                self._admitted.append(now)
            return pause

    def close_for(self, seconds: float) -> None:
        """Admit nothing for some time, since the service refused a request until then.

        Parameters
        ----------
        seconds : float
            From now [s]. Applies to threads that are already waiting, too.
        """
        with self._lock:
            self._closed_until = max(self._closed_until, time.monotonic() + seconds)


class RetryState:
    """How often one page was requested, and how long to wait before the next attempt.

    Parameters
    ----------
    retries : int
        Most retries.
    backoff : float
        Longest pause before the first retry [s]. It doubles with each retry, up to 30 s. The
        pause is drawn at random between 0 and that, so that clients which failed together do not
        return together.

    Attributes
    ----------
    attempts : int
        How often the page was requested, not counting requests that were only signed again.

    Examples
    --------
    >>> state = RetryState(2, backoff=0.001)
    >>> while state.may_retry():
    ...     state.wait()
    >>> state.attempts
    3
    """

    def __init__(self, retries: int, backoff: float) -> None:
        self._max_attempts = retries + 1
        self._backoff = backoff
        self._signed_again = False
        self.attempts = 1

    def may_retry(self) -> bool:
        """Tell whether the page may be requested again."""
        return self.attempts < self._max_attempts

    def wait(self, cancelled: Cancelled | None = None) -> None:
        """Pause before a retry, and count it.

        Raises
        ------
        WaitCancelledError
            `cancelled` returned True meanwhile.
        """
        longest = min(_MAX_PAUSE, self._backoff * 2.0 ** (self.attempts - 1))
        _pause(random.uniform(0.0, longest), cancelled)
        self.attempts += 1

    def sign_again(self) -> bool:
        """Tell whether the request may be signed again because of the clock: once."""
        again, self._signed_again = not self._signed_again, True
        return again


def retry_after(headers: Mapping[str, str]) -> float:
    """How long the service asks clients to wait (RFC 9110, section 10.2.3).

    Parameters
    ----------
    headers : mapping of str to str
        Headers of an answer. ``Retry-After`` holds seconds or a date; a date is compared with the
        answer's own ``Date``, since the clocks may differ.

    Returns
    -------
    float
        Seconds from now; 0 where no readable pause is named.

    Examples
    --------
    >>> retry_after({"Retry-After": "2"})
    2.0
    >>> retry_after({"Retry-After": "Wed, 21 Oct 2026 07:28:05 GMT",
    ...              "Date": "Wed, 21 Oct 2026 07:28:00 GMT"})
    5.0
    """
    named = headers.get("Retry-After", "").strip()
    if named.isascii() and named.isdigit():
        return float(named)
    until = _http_date(named)
    if until is None:
        return 0.0
    now = _http_date(headers.get("Date", "")) or datetime.now(UTC)
    return max(0.0, (until - now).total_seconds())


def _http_date(text: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(text)
    except ValueError:
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


def check_settings(
    timeout: Any, max_retries: Any, backoff: Any, rate_limit: Any, rate_limit_wait: Any
) -> None:
    """Check a client's settings for time-outs and retries.

    Parameters
    ----------
    timeout : tuple of float
        For a connection and for the next bytes of an answer [s].
    max_retries : int
        How often a page is requested again.
    backoff : float
        Longest pause before the first retry [s].
    rate_limit : tuple of int and float, or None
        Number of requests, and in how many seconds.
    rate_limit_wait : float or None
        Pause after a refusal [s].

    Raises
    ------
    QueryError
        A setting has a wrong type or is out of range. Without a time-out, a fetch could hang
        forever.

    Examples
    --------
    >>> check_settings((10, 60), 5, 0.5, (1000, 5.25), None)
    """
    if not (_is_pair(timeout) and all(_is_seconds(one) and one for one in timeout)):
        raise QueryError(
            f"timeout is {shown(timeout)}: expects two numbers of seconds above 0, such as (10, "
            "60), "
            "for the connection and for the answer"
        )
    if isinstance(max_retries, bool) or not isinstance(max_retries, int) or max_retries < 0:
        raise QueryError(f"max_retries is {shown(max_retries)}: expects an integer, 0 or more")
    if rate_limit is not None:
        if not _is_pair(rate_limit):
            raise QueryError(
                f"rate_limit is {shown(rate_limit)}: expects two numbers, see `Client`"
            )
        RateLimiter(*rate_limit)
    waits = {
        "backoff": backoff,
        "rate_limit_wait": 0 if rate_limit_wait is None else rate_limit_wait,
    }
    for name, value in waits.items():
        if not _is_seconds(value):
            raise QueryError(f"{name} is {shown(value)}: expects a number of seconds, 0 or more")


def check_number(name: str, value: Any, what: str) -> None:
    """Raise `QueryError` unless a setting is a finite number above 0.

    Examples
    --------
    >>> check_number("page_timeout", 600, "a number of seconds")
    """
    if not (_is_seconds(value) and value > 0):
        raise QueryError(f"{name} is {shown(value)}: expects {what}, above 0")


def _is_pair(value: Any) -> bool:
    return isinstance(value, tuple | list) and len(value) == 2


def _is_seconds(value: Any) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and math.isfinite(value) and value >= 0
