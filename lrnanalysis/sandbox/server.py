"""Serve an embedded Data API on loopback, for the duration of a `with` block or until closed."""

from __future__ import annotations

import asyncio
import atexit
import threading
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

import pandas as pd

from lrnanalysis.arguments import checked_with
from lrnanalysis.errors import SimulationError, shown
from lrnanalysis.sandbox.service import HttpAnswer, Service
from lrnanalysis.sandbox.session_store import Record, SessionStore
from lrnanalysis.sandbox.signature import CONSUMER_KEY, CONSUMER_SECRET, DOMAIN
from lrnanalysis.sandbox.updates import LaterScores
from lrnanalysis.simulation import Simulation, simulate

if TYPE_CHECKING:
    from lrnanalysis.api.client import Client
    from lrnanalysis.sandbox.server_thread import Receive, Scope, Send, ServerThread

__all__ = ["CONSUMER_KEY", "CONSUMER_SECRET", "DOMAIN", "Sandbox", "serve"]


class Sandbox(Service):
    """An embedded Data API that listens on loopback; made by `serve`, which documents it.

    Attributes
    ----------
    simulation : Simulation or None
        The simulation served, with its truth; None if records were passed.
    """

    @checked_with(SimulationError)
    def __init__(
        self,
        source: Simulation | Iterable[Record],
        *,
        seed: int = 1,
        session_metadata: Sequence[Mapping[str, Any]] | pd.DataFrame | None = None,
        withheld: int = 0,
        latency: float = 0.0,
        rate_limit: tuple[int, float] | None = (1000, 5.0),
        port: int = 0,
    ) -> None:
        from lrnanalysis.sandbox.server_thread import ServerThread  # imports uvicorn

        self.latency = latency
        self.simulation = source if isinstance(source, Simulation) else None
        updated = None
        if isinstance(source, Simulation):
            if session_metadata is not None:
                raise SimulationError(
                    f"session_metadata is {shown(session_metadata)}: a simulation has its own; "
                    "pass it with records only"
                )
            updated, session_metadata = source.updated, source.session_metadata
            source = source.records()
        if isinstance(session_metadata, pd.DataFrame):
            session_metadata = _known_values(session_metadata)
        store = SessionStore(source, updated, session_metadata, withheld)
        try:
            super().__init__(store, LaterScores(seed, self.simulation), rate_limit)
            self._thread: ServerThread | None = ServerThread(self._application, port)
        except BaseException:
            store.close()
            raise
        self._port = self._thread.port
        self._closing = threading.Lock()
        atexit.register(self.close)

    @property
    def latency(self) -> float:
        """Delay of each answer [s]; may be set while serving."""
        return self._latency

    @latency.setter
    def latency(self, seconds: float) -> None:
        if not seconds >= 0:
            raise SimulationError(f"latency is {seconds}: expects a number of seconds, 0 or more")
        self._latency = seconds

    @property
    def base_url(self) -> str:
        """The address, such as ``http://127.0.0.1:53211``."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def port(self) -> int:
        """The port on loopback."""
        return self._port

    @checked_with(SimulationError)
    def client(self, **overrides: Any) -> Client:
        """Make a client of this Data API.

        Parameters
        ----------
        **overrides
            Any arguments of `lrnanalysis.Client`, in place of those that fit this server.

        Returns
        -------
        Client
            Signs with `CONSUMER_KEY` and `CONSUMER_SECRET`, and sends requests to `base_url`.
        """
        from lrnanalysis.api.client import Client

        fitting = {
            "consumer_key": CONSUMER_KEY,
            "consumer_secret": CONSUMER_SECRET,
            "domain": DOMAIN,
            "base_url": self.base_url,
        }
        return Client(**(fitting | overrides))

    def close(self) -> None:
        """Stop serving, free the port and end the thread. A second call does nothing.

        Answers in preparation are sent if they are ready within two seconds.
        """
        with self._closing:
            if self._thread is None:
                return
            self._thread.close()
            self._thread = None
            self._store.close()
            atexit.unregister(self.close)

    async def _application(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request; this method is the ASGI application."""
        body = b""
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body += message.get("body", b"")
            if not message.get("more_body", False):
                break
        answer = self.answer(scope["method"], scope["path"], body)
        try:
            await asyncio.sleep(self.latency)
        except asyncio.CancelledError:
            return  # closed meanwhile
        await self._send(answer, send)

    async def _send(self, answer: HttpAnswer, send: Send) -> None:
        headers = [
            (b"content-type", answer.content_type.encode()),
            (b"content-length", str(len(answer.body)).encode()),
        ]
        if answer.http_status == 405:
            headers.append((b"allow", b"POST"))
        start = {"type": "http.response.start", "status": answer.http_status, "headers": headers}
        await send(start)
        await send({"type": "http.response.body", "body": answer.body})

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __len__(self) -> int:
        """Present number of sessions."""
        return len(self._store)

    def __bool__(self) -> bool:
        return True

    def __repr__(self) -> str:
        what = "sessions as passed" if self.simulation is None else "SIMULATED sessions"
        where = "closed" if self._thread is None else f"at {self.base_url}"
        return f"<Sandbox of {len(self):,} {what}, {where}>"


@checked_with(SimulationError)
def serve(
    source: Simulation | Iterable[Record] | None = None,
    *,
    learners: int = 500,
    items: int = 40,
    seed: int = 1,
    activity: str = "demo",
    session_metadata: Sequence[Mapping[str, Any]] | pd.DataFrame | None = None,
    withheld: int = 0,
    latency: float = 0.0,
    rate_limit: tuple[int, float] | None = (1000, 5.0),
    port: int = 0,
    **options: Any,
) -> Sandbox:
    """Start an embedded Data API on loopback. Its learners are simulated.

    It serves the endpoint ``sessions/responses``: checks signatures (made with `CONSUMER_KEY` and
    `CONSUMER_SECRET` for the domain `DOMAIN`), parameters and the rate of requests as documented,
    and answers with pages of sessions. It runs in a thread of this process, and nothing leaves the
    machine. Use it in a `with` block, or call `Sandbox.close`.

    Parameters
    ----------
    source : Simulation or iterable of dict, bytes or str, optional
        What to serve: a simulation, or sessions' records, which are sent unchanged. By default
        ``simulate(learners, items, seed=seed, activity=activity, **options)``.
    learners, items, seed, activity, **options
        Arguments of `lrnanalysis.simulation.simulate`. With a `source`, `options` are an error and
        the others are ignored, except that `seed` draws the scores that `Sandbox.update` sets.
    session_metadata : sequence of dict or DataFrame, optional
        Stored metadata of the sessions in `source`, in the same order; a page shows what `include`
        requests. A simulation has its own: group, grade and school.
    withheld : int, default 0
        Number of sessions, those updated last, that are held back for `Sandbox.update`.
    latency : float, default 0.0
        Delay of each answer [s].
    rate_limit : tuple of int and float, or None, default (1000, 5.0)
        Number of requests accepted, and in how many seconds; None sets no limit.
    port : int, default 0
        0 takes any free port.

    Returns
    -------
    Sandbox
        Already serving.

    Raises
    ------
    SimulationError
        An argument is out of range, or a record is not JSON.
    OSError
        The port cannot be opened.

    Notes
    -----
    Tokens are places in the order of updates. With ``sort: "asc"``, a token stays valid: later it
    gives what has been updated since, including sessions that were saved or scored again. With
    ``"desc"``, the default, it leads back in time: what is updated during a crawl, or after it,
    comes before the token and is only seen by a new crawl.

    Examples
    --------
    >>> from lrnanalysis import sandbox
    >>> records = [{"session_id": "s-1", "status": "Completed", "responses": [], "items": []}]
    >>> with sandbox.serve(records) as api:
    ...     len(api)
    1
    """
    if source is None:
        source = simulate(learners, items, seed=seed, activity=activity, **options)
    elif options:
        raise SimulationError(
            f"{', '.join(options)}: only for simulated learners; omit with a source"
        )
    return Sandbox(
        source,
        seed=seed,
        session_metadata=session_metadata,
        withheld=withheld,
        latency=latency,
        rate_limit=rate_limit,
        port=port,
    )


def _known_values(metadata: pd.DataFrame) -> list[dict[str, Any]]:
    """One dict per session, without missing values."""
    return [
        {str(name): value for name, value in row.items() if pd.notna(value)}
        for row in metadata.to_dict("records")
    ]
