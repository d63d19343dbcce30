"""Work in a thread of its own, whose news are shown by the kernel's own thread.

A kernel that runs a long call answers nothing else; a thread that touches widgets races with the
kernel. So the work runs in a thread, and what there is to show is handed to the event loop that
the form was made in.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

__all__ = ["Background"]


class Background:
    """Runs one piece of work at a time beside the kernel.

    Made in a cell, it shows news in the kernel's event loop, when no cell is running. Made where
    no event loop runs, as in a script, it shows them at once.
    """

    def __init__(self) -> None:
        try:
            self._loop: asyncio.AbstractEventLoop | None = asyncio.get_running_loop()
        except RuntimeError:
            self._loop = None
        self._thread: threading.Thread | None = None

    @property
    def running(self) -> bool:
        """Whether work is under way."""
        return self._thread is not None and self._thread.is_alive()

    def start(self, work: Callable[[], None]) -> None:
        """Run a function beside the kernel. It ends with the process."""
        self._thread = threading.Thread(target=work, name="lrnanalysis form", daemon=True)
        self._thread.start()

    def show(self, news: Callable[[], None]) -> None:
        """Call a function that touches widgets, from any thread."""
        if self._loop is None:
            news()
        elif not self._loop.is_closed():
            self._loop.call_soon_threadsafe(news)

    def wait(self, timeout: float | None = None) -> None:
        """Wait until the work has ended [s]; what it handed to the event loop may come later."""
        if self._thread is not None:
            self._thread.join(timeout)
