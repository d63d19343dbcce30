"""A budget of requests in a window of time, shared by threads.

The Data API takes 1000 requests in 5 s per consumer key and endpoint.
"""

from __future__ import annotations

import threading
import time
from collections import deque

from lrnanalysis.errors import QueryError

__all__ = ["RateBudget"]


class RateBudget:
    """Lets at most `requests` through in any `seconds`.

    Parameters
    ----------
    requests : int
        How many.
    seconds : float
        In which time [s].
    """

    def __init__(self, requests: int, seconds: float) -> None:
        if requests < 1 or seconds <= 0:
            raise QueryError(f"rate_limit is ({requests}, {seconds}): both have to be above 0")
        self._seconds = seconds
        self._spent: deque[float] = deque(maxlen=requests)
        self._lock = threading.Lock()

    def spend(self) -> None:
        """Wait until a request may be sent, and count it."""
        while (pause := self._reserve()) > 0:
            time.sleep(pause)

    def _reserve(self) -> float:
        """Count a request and give 0, or give the time [s] to wait before asking again."""
        with self._lock:
            now = time.monotonic()
            full = len(self._spent) == self._spent.maxlen
            pause = self._spent[0] + self._seconds - now if full else 0.0
            if pause <= 0:
                self._spent.append(now)
            return pause
