"""An ASGI application on loopback, served by uvicorn in a thread of this process.

Works beside a running event loop, as in a notebook: the server has its own thread and event loop,
and does not touch the signals of the process.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import uvicorn

__all__ = ["Application", "Receive", "Scope", "Send", "ServerThread"]

_LOOPBACK = "127.0.0.1"

#: Time that answers in preparation get when the server closes [s].
_GRACE = 2

#: Time that a connection may be idle [s]: longer than clients keep theirs.
_KEEP_ALIVE = 75

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]


class ServerThread:
    """A running server; it starts at once and runs until closed.

    Parameters
    ----------
    application : ASGI application
        It is cancelled if it does not end soon after the server is closed.
    port : int, default 0
        0 takes any free port.

    Raises
    ------
    OSError
        The port cannot be opened.
    RuntimeError
        The server ended before it accepted connections; its thread logged the reason.
    """

    def __init__(self, application: Application, port: int = 0) -> None:
        self._socket = _listener(port)
        self.port: int = self._socket.getsockname()[1]
        config = uvicorn.Config(
            application,
            interface="asgi3",  # uvicorn takes a bound method for the older interface
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
        self._server = _ReportingServer(config)
        self._thread = threading.Thread(
            target=self._server.run,
            kwargs={"sockets": [self._socket]},
            name=f"lrnanalysis-sandbox-{self.port}",
            daemon=True,
        )
        self._quiet = _QuietFilter(self._thread)
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


class _ReportingServer(uvicorn.Server):
    """A server that reports when it accepts connections, or has failed to."""

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


class _QuietFilter(logging.Filter):
    """Drops the log records of one server, except those of exceptions.

    Other uvicorn servers in the process share the logger, and are not affected.
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
    # Only if the protocol is named does asyncio send small answers without delay.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if os.name == "posix":  # on others, it would let two servers share a port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((_LOOPBACK, port))
    except OSError as error:
        listener.close()
        raise OSError(
            error.errno, f"port {port} on loopback cannot be opened ({error.strerror}): pass port=0"
        ) from error
    return listener
