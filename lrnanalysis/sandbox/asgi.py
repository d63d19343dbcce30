"""The embedded Data API as an ASGI application."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from lrnanalysis.sandbox.service import Answer, Service

__all__ = ["Application"]

_Message = MutableMapping[str, Any]
_Receive = Callable[[], Awaitable[_Message]]
_Send = Callable[[_Message], Awaitable[None]]


class Application:
    """Hands HTTP requests to a service and its answers back.

    Parameters
    ----------
    service : Service
        Who answers.
    """

    def __init__(self, service: Service) -> None:
        self._service = service
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop = asyncio.Event()

    def stop(self) -> None:
        """End all waiting, so that the server can stop. Called from any thread."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._stop.set)

    async def __call__(self, scope: _Message, receive: _Receive, send: _Send) -> None:
        """Answer one request."""
        self._loop = asyncio.get_running_loop()
        body = await _body(receive)
        if body is None:
            return
        answer = self._service.answer(scope["method"], scope["path"], body)
        if answer.delay != 0:
            await self._wait(answer.delay, receive)
        await _send(answer, send)

    async def _wait(self, seconds: float | None, receive: _Receive) -> None:
        """Until the time is over, the client has hung up, or the server stops."""
        waits = [asyncio.ensure_future(_hung_up(receive)), asyncio.ensure_future(self._stop.wait())]
        await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()
        await asyncio.gather(*waits, return_exceptions=True)


async def _body(receive: _Receive) -> bytes | None:
    """The whole body; None where the client has hung up."""
    parts = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(parts)


async def _hung_up(receive: _Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _send(answer: Answer, send: _Send) -> None:
    headers = [
        (b"content-type", answer.content_type.encode()),
        (b"content-length", str(len(answer.body)).encode()),
    ]
    if answer.http_status == 405:
        headers.append((b"allow", b"POST"))
    await send({"type": "http.response.start", "status": answer.http_status, "headers": headers})
    body = answer.body[: len(answer.body) // 2] if answer.cut else answer.body
    # A server that is promised more and gets none closes the connection.
    await send({"type": "http.response.body", "body": body, "more_body": answer.cut})
