"""Work in a background thread whose results are shown by the kernel's own thread.

A kernel that runs a long call answers nothing else, and a thread that touches widgets races with
the kernel. So the work runs in a thread, and updates of widgets are handed to the event loop in
which the form was made.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

__all__ = ["BackgroundThread"]


class BackgroundThread:
    """Runs one function at a time in the background.

    Made in a cell, it updates widgets in the kernel's event loop, while no cell is running. Made
    where no event loop runs, as in a script, it updates them at once.
    """

    def __init__(self) -> None:
        try:
            self._loop: asyncio.AbstractEventLoop | None = asyncio.get_running_loop()
        except RuntimeError:
            self._loop = None
        self._thread: threading.Thread | None = None

    def start(self, work: Callable[[], None]) -> None:
        """Run a function in the background; it ends with the process at the latest."""
        self._thread = threading.Thread(target=work, name="lrnanalysis form", daemon=True)
        self._thread.start()

    def update(self, change: Callable[[], None]) -> None:
        """Call a function that changes widgets; may be called from any thread."""
        if self._loop is None:
            change()
        elif not self._loop.is_closed():
            self._loop.call_soon_threadsafe(change)

    def wait(self, timeout: float | None = None) -> None:
        """Wait until the function has returned [s]; its updates may be shown later."""
        if self._thread is not None:
            self._thread.join(timeout)
