"""The rate limit of the embedded Data API."""

from __future__ import annotations

from collections import deque

__all__ = ["RateLimit"]


class RateLimit:
    """At most so many requests in any window of time.

    A request that is refused does not count.

    Parameters
    ----------
    requests : int
        How many pass in a window.
    window : float
        Its length [s].

    Examples
    --------
    >>> limit = RateLimit(1, 5.0)
    >>> limit.passes(0.0), limit.passes(4.9), limit.passes(5.0)
    (True, False, True)
    """

    def __init__(self, requests: int, window: float) -> None:
        if requests < 1 or not window > 0:
            raise ValueError(
                f"rate_limit is {requests} requests in {window} s: both are above 0, "
                "and None sets no limit"
            )
        self.requests = requests
        self.window = window
        self._passed: deque[float] = deque()

    def passes(self, now: float) -> bool:
        """Whether a request at this time [s] is within the limit; if so it counts."""
        while self._passed and now - self._passed[0] >= self.window:
            self._passed.popleft()
        if len(self._passed) >= self.requests:
            return False
        self._passed.append(now)
        return True
