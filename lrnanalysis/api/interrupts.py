"""Interrupts from the keyboard while a worker thread fetches.

An interrupt that lands inside a connection pool can leave its lock held for good, and one that
lands while a page is decoded loses the page. So the thread that can be interrupted only waits, and
counts its interrupts; the work goes on in another one until it is told to stop.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

__all__ = ["InterruptCount", "count_interrupts", "run_while_waiting"]

#: Time between two looks at a running worker [s].
_INTERVAL = 0.1


class InterruptCount:
    """How often the caller was interrupted.

    Attributes
    ----------
    n : int
    """

    def __init__(self) -> None:
        self.n = 0

    def add(self, number: int = 0, frame: FrameType | None = None) -> None:
        """Count one more; takes the arguments of a signal handler."""
        self.n += 1


@contextmanager
def count_interrupts() -> Iterator[InterruptCount]:
    """Count interrupts instead of raising KeyboardInterrupt.

    Nothing changes outside the main thread, which alone is interrupted, nor where the signal is
    ignored or handled by somebody else.

    Examples
    --------
    >>> with count_interrupts() as interrupts:
    ...     total = sum(range(1000))  # Ctrl-C here would only be counted
    >>> interrupts.n
    0
    """
    interrupts = InterruptCount()
    ours = (
        threading.current_thread() is threading.main_thread()
        and signal.getsignal(signal.SIGINT) is signal.default_int_handler
    )
    if not ours:
        yield interrupts
        return
    signal.signal(signal.SIGINT, interrupts.add)
    try:
        yield interrupts
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def run_while_waiting(
    work: Callable[[], None], interrupts: InterruptCount, tick: Callable[[], object]
) -> bool:
    """Run work in a thread, and wait until it ends or the caller is interrupted twice.

    Parameters
    ----------
    work : callable
        What to do; must not raise. It ends with the process at the latest.
    interrupts : InterruptCount
        Counts the interrupts of the caller.
    tick : callable
        Called in the caller's thread, about ten times per second.

    Returns
    -------
    bool
        Whether the work ended.
    """
    ended = threading.Event()

    def run() -> None:
        try:
            work()
        finally:
            ended.set()

    threading.Thread(target=run, name="lrnanalysis fetch", daemon=True).start()
    while interrupts.n < 2:
        try:
            if ended.wait(_INTERVAL):
                return True
            tick()
        except KeyboardInterrupt:
            # Where somebody else handles the signal, it may be raised here.
            interrupts.add()
    return ended.is_set()
