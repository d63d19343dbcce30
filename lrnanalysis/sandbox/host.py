"""An ASGI application on loopback, served by uvicorn in a thread of this process.

Works beside an event loop that already runs, as in a notebook: the server has its own thread and
its own loop, and leaves the process's signals alone.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import uvicorn

__all__ = ["Host"]

_LOOPBACK = "127.0.0.1"

#: How long answers in the making may take to end when the host closes [s].
_GRACE = 2

#: How long a connection may idle [s]: above what clients keep theirs for.
_KEEP_ALIVE = 75

Application = Callable[
    [
        MutableMapping[str, Any],
        Callable[[], Awaitable[MutableMapping[str, Any]]],
        Callable[[MutableMapping[str, Any]], Awaitable[None]],
    ],
    Awaitable[None],
]


class Host:
    """A running server; starts at once and runs until closed.

    Parameters
    ----------
    application : ASGI application
        Must end what it is doing soon after the host is told to close.
    port : int, default 0
        0 takes any free one.

    Raises
    ------
    OSError
        The port cannot be opened.
    RuntimeError
        The server ended before it accepted connections; its thread has said why.
    """

    def __init__(self, application: Application, port: int = 0) -> None:
        self._socket = _listener(port)
        self.port: int = self._socket.getsockname()[1]
        config = uvicorn.Config(
            application,
            loop="asyncio",
            http="h11",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            timeout_keep_alive=_KEEP_ALIVE,
            timeout_graceful_shutdown=_GRACE,
        )
        self._server = _Server(config)
        self._thread = threading.Thread(
            target=self._server.run,
            kwargs={"sockets": [self._socket]},
            name=f"lrnanalysis-sandbox-{self.port}",
            daemon=True,
        )
        self._quiet = _Quiet(self._thread)
        self._logger = logging.getLogger("uvicorn.error")
        self._logger.addFilter(self._quiet)
        self._thread.start()
        self._server.ready.wait()
        if not self._server.started:
            self.close()
            raise RuntimeError("the embedded Data API did not start")

    def close(self) -> None:
        """Stop the server, free the port and end the thread."""
        self._server.should_exit = True
        self._thread.join()
        self._socket.close()
        self._logger.removeFilter(self._quiet)


class _Server(uvicorn.Server):
    """A server that says when it accepts connections, or never will."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()

    def run(self, sockets: list[socket.socket] | None = None) -> None:
        try:
            super().run(sockets)
        finally:
            self.ready.set()


class _Quiet(logging.Filter):
    """Keeps to itself what one server has to say of starting, stopping and ordered faults.

    Other uvicorn servers in the process share the logger and stay as they are.
    """

    def __init__(self, thread: threading.Thread) -> None:
        super().__init__()
        self._thread = thread

    def filter(self, record: logging.LogRecord) -> bool:
        return (
            record.thread != self._thread.ident
            or record.exc_info is not None
            or record.levelno > logging.ERROR
        )


def _listener(port: int) -> socket.socket:
    # The protocol by name: only then does asyncio send small answers without delay.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if os.name == "posix":  # elsewhere it would let two servers share a port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((_LOOPBACK, port))
    except OSError as error:
        listener.close()
        raise OSError(
            error.errno, f"port {port} on loopback cannot be opened ({error.strerror}): pass port=0"
        ) from error
    return listener
