"""How fast and how often requests are sent: a budget that threads share, and retries of one page.

The Data API takes 1000 requests in 5 s per consumer key and endpoint.
"""

from __future__ import annotations

import math
import random
import threading
import time
from collections import deque
from typing import Any

from lrnanalysis.errors import QueryError

__all__ = ["RateBudget", "Tries", "check_settings"]

_LONGEST_PAUSE = 30.0


class RateBudget:
    """Lets at most `requests` through in any `seconds`.

    Parameters
    ----------
    requests : int
        How many.
    seconds : float
        In which time [s].

    Raises
    ------
    QueryError
        Either is not above 0.

    Examples
    --------
    >>> budget = RateBudget(1000, 5.0)
    >>> budget.spend()
    """

    def __init__(self, requests: int, seconds: float) -> None:
        if requests < 1 or seconds <= 0:
            raise QueryError(f"rate_limit is ({requests}, {seconds}): both have to be above 0")
        self._seconds = seconds
        self._spent: deque[float] = deque(maxlen=requests)
        self._closed_until = float("-inf")
        self._lock = threading.Lock()

    def spend(self) -> None:
        """Wait until a request may be sent, and count it."""
        while (pause := self._reserve()) > 0:
            time.sleep(pause)

    def hold(self, seconds: float) -> None:
        """Let nothing through for so many seconds: the service said that it was too much.

        Parameters
        ----------
        seconds : float
            From now [s]. Threads that are waiting already wait for it, too.
        """
        with self._lock:
            self._closed_until = max(self._closed_until, time.monotonic() + seconds)

    def _reserve(self) -> float:
        """Count a request and give 0, or give the time [s] to wait before asking again."""
        with self._lock:
            now = time.monotonic()
            full = len(self._spent) == self._spent.maxlen
            free = self._spent[0] + self._seconds if full else now
            pause = max(free, self._closed_until) - now
            if pause <= 0:
                self._spent.append(now)
            return pause


class Tries:
    """How often one page was sent, and how long to wait before it is sent again.

    Parameters
    ----------
    retries : int
        How many are allowed.
    backoff : float
        Longest pause before the first of them [s]. It doubles with each, up to 30 s; the pause is
        drawn anew from 0 to there, so that clients that failed together do not return together.

    Attributes
    ----------
    sent : int
        How often the page was sent, not counting what was signed again.

    Examples
    --------
    >>> tries = Tries(2, backoff=0.001)
    >>> while tries.left():
    ...     tries.wait()
    >>> tries.sent
    3
    """

    def __init__(self, retries: int, backoff: float) -> None:
        self._most = retries + 1
        self._backoff = backoff
        self._signed_again = False
        self.sent = 1

    def left(self) -> bool:
        """Tell whether the page may be sent again."""
        return self.sent < self._most

    def wait(self) -> None:
        """Wait until it may, and count it."""
        time.sleep(random.uniform(0.0, min(_LONGEST_PAUSE, self._backoff * 2.0 ** (self.sent - 1))))
        self.sent += 1

    def sign_again(self) -> bool:
        """Tell whether it may be signed again for the clock's sake: once."""
        again, self._signed_again = not self._signed_again, True
        return again


def check_settings(timeout: Any, max_retries: Any, backoff: Any, rate_limit_wait: Any) -> None:
    """Check what a client is told about waiting and retrying.

    Parameters
    ----------
    timeout : tuple of float
        For a connection and for the next bytes of an answer [s].
    max_retries : int
        How often a page is sent again.
    backoff, rate_limit_wait : float
        Pauses [s].

    Raises
    ------
    QueryError
        One of them is of a wrong type or out of range. A time-out that is none would let a fetch
        hang for ever.

    Examples
    --------
    >>> check_settings((10, 60), 5, 0.5, 5.0)
    """
    if not (
        isinstance(timeout, tuple | list)
        and len(timeout) == 2
        and all(_is_seconds(one) and one > 0 for one in timeout)
    ):
        raise QueryError(
            f"timeout is {timeout!r}: it is two numbers of seconds above 0, such as (10, 60), for "
            "the connection and for the answer"
        )
    if isinstance(max_retries, bool) or not isinstance(max_retries, int) or max_retries < 0:
        raise QueryError(f"max_retries is {max_retries!r}: it is a whole number, 0 or more")
    for name, value in (("backoff", backoff), ("rate_limit_wait", rate_limit_wait)):
        if not _is_seconds(value) or value < 0:
            raise QueryError(f"{name} is {value!r}: it is a number of seconds, 0 or more")


def _is_seconds(value: Any) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and math.isfinite(value)
