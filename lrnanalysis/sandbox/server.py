"""Serve an embedded Data API on loopback, for the time of a `with` block or until closed."""

from __future__ import annotations

import atexit
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import pandas as pd

from lrnanalysis.sandbox.asgi import Application
from lrnanalysis.sandbox.corpus import Corpus, Record
from lrnanalysis.sandbox.faults import Fault
from lrnanalysis.sandbox.growth import Growth, Marks
from lrnanalysis.sandbox.service import Service
from lrnanalysis.sandbox.signature import Consumer

if TYPE_CHECKING:
    from lrnanalysis.api.client import Client
    from lrnanalysis.sandbox.host import Host
    from lrnanalysis.sandbox.simulate import Simulation

__all__ = ["CONSUMER_KEY", "CONSUMER_SECRET", "DOMAIN", "Sandbox", "serve"]

#: The key, secret and domain that the embedded Data API takes unless told otherwise. They are no
#: one's: the secret protects nothing, and no other server knows it.
CONSUMER_KEY = "sandbox-key"
CONSUMER_SECRET = "sandbox-secret-that-protects-nothing"
DOMAIN = "localhost"


class Sandbox(Service):
    """An embedded Data API that listens on loopback; `serve` makes and documents it.

    Attributes
    ----------
    simulation : Simulation or None
        The simulation behind it, with its truth; None where records were handed in.
    """

    def __init__(
        self,
        corpus: Corpus,
        consumer: Consumer,
        *,
        simulation: Simulation | None,
        port: int,
        **settings: Any,
    ) -> None:
        super().__init__(corpus, consumer, **settings)
        from lrnanalysis.sandbox.host import Host  # imports uvicorn

        self.simulation = simulation
        self._application = Application(self)
        self._host: Host | None = Host(self._application, port)
        self._port = self._host.port
        self._closing = threading.Lock()
        atexit.register(self.close)

    @property
    def base_url(self) -> str:
        """The address, such as ``http://127.0.0.1:53211``."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def port(self) -> int:
        """The port on loopback."""
        return self._port

    def client(self, **overrides: Any) -> Client:
        """Make a client of this Data API.

        Parameters
        ----------
        **overrides
            Any argument of `lrnanalysis.Client`, in place of what fits this server.

        Returns
        -------
        Client
            Signs with this server's key and secret, and asks at `base_url`.
        """
        from lrnanalysis.api.client import Client

        fitting = {
            "consumer_key": self._consumer.key,
            "consumer_secret": self._consumer.secret,
            "domain": self._consumer.domains[0],
            "base_url": self.base_url,
        }
        return Client(**(fitting | overrides))

    def close(self) -> None:
        """Stop serving, free the port and end the thread. Does nothing the second time.

        Answers in the making are sent first; requests that a fault holds up are answered.
        """
        with self._closing:
            if self._host is None:
                return
            self._application.stop()
            self._host.close()
            self._host = None
            self._corpus.close()
            atexit.unregister(self.close)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __len__(self) -> int:
        """How many sessions there are now."""
        return len(self._corpus)

    def __bool__(self) -> bool:
        return True

    def __repr__(self) -> str:
        what = "sessions as handed in" if self.simulation is None else "SIMULATED sessions"
        where = "closed" if self._host is None else f"at {self.base_url}"
        return f"<Sandbox of {len(self):,} {what}, {where}>"


def serve(
    source: Simulation | Iterable[Record] | None = None,
    *,
    learners: int = 500,
    items: int = 40,
    seed: int = 1,
    activity: str = "demo",
    session_metadata: Sequence[Mapping[str, Any]] | pd.DataFrame | None = None,
    updated: Sequence[int] | None = None,
    withheld: int = 0,
    grow: Growth | Iterable[Growth] = (),
    latency: float = 0.0,
    faults: Iterable[Fault] = (),
    rate_limit: int | None = 1000,
    rate_window: float = 5.0,
    next_on_empty: bool = True,
    port: int = 0,
    consumer_key: str = CONSUMER_KEY,
    consumer_secret: str = CONSUMER_SECRET,
    domains: Sequence[str] = (DOMAIN,),
    clock: Callable[[], float] = time.time,
    **options: Any,
) -> Sandbox:
    """Start an embedded Data API on loopback. Its learners are simulated.

    It takes the requests of ``sessions/responses``: checks their signatures, parameters and rate
    as documented, and answers with pages of sessions, in this process, in a thread of its own.
    Nothing leaves the machine. Use it in a `with` block, or call `Sandbox.close`.

    Parameters
    ----------
    source : Simulation or iterable of dict, bytes or str, optional
        What to serve: a simulation, or sessions' records as they are to be sent. By default
        ``simulate(learners, items, seed, activity=activity, **options)``.
    learners, items, seed, activity, **options
        For `simulate`. Of no meaning together with `source`, where `options` are an error.
    session_metadata : sequence of dict or DataFrame, optional
        Stored metadata of the sessions in `source`, in its order; a page shows what a request's
        `include` asks for. A simulation brings its own.
    updated : sequence of int, optional
        When the sessions in `source` were updated [Unix seconds]. By default `dt_completed`, else
        `dt_saved`, else `dt_started`. A simulation brings its own.
    withheld : int, default 0
        So many sessions, those updated last, are held back for `Sandbox.grow`.
    grow : Growth or iterable of Growth, default none
        What becomes new by itself while it is polled.
    latency : float, default 0.0
        Wait before each page [s].
    faults : iterable of Fault, default none
        What goes wrong, and when.
    rate_limit : int or None, default 1000
        Requests let through in any `rate_window` seconds; None sets no limit.
    rate_window : float, default 5.0
        Seconds.
    next_on_empty : bool, default True
        Whether an empty page repeats the token it was asked with, as was measured; the
        documentation says that it has none.
    port : int, default 0
        0 takes any free one.
    consumer_key, consumer_secret : str
        What requests must be signed with; by default `CONSUMER_KEY` and `CONSUMER_SECRET`.
    domains : sequence of str, default ("localhost",)
        The domains that requests may name.
    clock : callable, default time.time
        The present [Unix seconds] for `meta.timestamp` and for what is updated from now on.
        Signatures are always checked against the real time.

    Returns
    -------
    Sandbox
        Serving already.

    Raises
    ------
    ValueError
        An argument is out of range, or a record is not JSON.
    OSError
        The port cannot be opened.

    Notes
    -----
    Tokens are positions in the order of updated time. With ``sort: "asc"`` a token stays good:
    later it gives what has been updated since, sessions saved or scored again included. With
    ``"desc"``, the default, it leads back in time: what is updated during a crawl, or after it,
    comes before the token and is seen only by a new crawl.

    Examples
    --------
    >>> from lrnanalysis import sandbox
    >>> records = [{"session_id": "s-1", "status": "Completed", "responses": [], "items": []}]
    >>> with sandbox.serve(records) as api:
    ...     len(api)
    1
    """
    from lrnanalysis.sandbox.simulate import Simulation, simulate

    if source is None:
        source = simulate(learners, items, seed=seed, activity=activity, **options)
    elif options:
        raise TypeError(f"{', '.join(options)}: for simulated learners, not together with source")
    simulation = source if isinstance(source, Simulation) else None
    if isinstance(source, Simulation):
        corpus = Corpus(
            source.records(),
            updated=source.updated,
            session_metadata=_dicts(source.session_metadata),
            withheld=withheld,
        )
    else:
        corpus = Corpus(
            source,
            updated=updated,
            session_metadata=(
                _dicts(session_metadata)
                if isinstance(session_metadata, pd.DataFrame)
                else session_metadata
            ),
            withheld=withheld,
        )
    try:
        return Sandbox(
            corpus,
            Consumer(consumer_key, consumer_secret, tuple(domains)),
            simulation=simulation,
            port=port,
            growth=(grow,) if isinstance(grow, Growth) else grow,
            marks=Marks(seed, simulation),
            latency=latency,
            faults=faults,
            rate_limit=rate_limit,
            rate_window=rate_window,
            next_on_empty=next_on_empty,
            clock=clock,
        )
    except BaseException:
        corpus.close()
        raise


def _dicts(metadata: pd.DataFrame) -> list[dict[str, Any]]:
    """One dict a session, which holds only the attributes that exist."""
    names = [str(name) for name in metadata]
    return [
        {name: value for name, value, there in zip(names, row, known, strict=True) if there}
        for row, known in zip(
            metadata.astype(object).to_numpy().tolist(),
            metadata.notna().to_numpy().tolist(),
            strict=True,
        )
    ]
