"""Three ways to a study: `fetch` it, `read` it from files, or `load_example`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from importlib import resources
from pathlib import Path

import pandas as pd

from lrnanalysis.api.client import Client
from lrnanalysis.api.dates import Time
from lrnanalysis.api.query import FILTERS, Include, Query, Texts, suggest_arguments
from lrnanalysis.arguments import checked_with
from lrnanalysis.errors import QueryError, ReadError, shown
from lrnanalysis.io.files import OnError, PageReader, read_folder
from lrnanalysis.parse.table_builder import TableBuilder, Tables
from lrnanalysis.study import SessionData, collect

__all__ = ["fetch", "load_example", "read"]


@suggest_arguments
def fetch(
    query: Query | None = None,
    *,
    activity_id: Texts | None = None,
    session_id: Texts | None = None,
    user_id: Texts | None = None,
    status: Texts | None = None,
    mintime: Time | None = None,
    maxtime: Time | None = None,
    mintime_started: Time | None = None,
    maxtime_started: Time | None = None,
    mintime_completed: Time | None = None,
    maxtime_completed: Time | None = None,
    sort: str | None = None,
    limit: int | None = None,
    next: str | None = None,
    include: Include | None = None,
    client: Client | None = None,
    max_sessions: int | None = None,
    progress: bool = True,
    cancelled: Callable[[], bool] | None = None,
) -> SessionData:
    """Fetch the sessions that match a query, as three linked tables.

    Parameters
    ----------
    query : Query, optional
        What to fetch. Filters may also be passed as keywords, which refine the query; `Query`
        documents each of them.
    next : str, optional
        Token of an earlier fetch of the same query: only later updates are fetched.
    client : Client, optional
        Client to use; default: a `Client` with the credentials of the environment.
    max_sessions : int, optional
        Stop after this many sessions, for a first look.
    progress : bool, default True
        Show a progress bar with the number of sessions and their rate.
    cancelled : callable, optional
        Called before each page; the fetch ends with what it has if it returns True.

    Returns
    -------
    SessionData
        The study. Its `next` is the token for a later fetch.

    Raises
    ------
    QueryError
        A filter is unknown or impossible; nothing was sent.
    CredentialsError
        No credentials were found; nothing was sent.
    AuthError, RateLimitError, ApiError, TransportError, PagingError
        The fetch failed. What had been fetched is in the error's `partial`.
    FetchInterrupted
        Interrupted from the keyboard. What had been fetched is in its `partial`.

    Examples
    --------
    >>> import lrnanalysis as lrn
    >>> with lrn.sandbox.serve(learners=20, items=5, seed=1) as api:
    ...     study = lrn.fetch(activity_id="demo", client=api.client(), progress=False)
    >>> len(study) > 0
    True
    """
    arguments = locals()
    filters = {name: arguments[name] for name in FILTERS if arguments[name] is not None}
    filters.pop("next", None)  # belongs to this fetch, not to the query of the study
    if query is not None and not isinstance(query, Query):
        raise QueryError(
            f"the first argument is a {type(query).__name__}: pass a Query, or filters as "
            'keywords, such as activity_id="numeracy"'
        )
    return collect(
        (query or Query()).replace(**filters),
        Client() if client is None else client,
        next=next,
        max_sessions=max_sessions,
        progress=progress,
        cancelled=cancelled,
    )


@checked_with(ReadError)
def read(
    source: str | Path | Iterable[str | Path],
    *,
    on_error: OnError = "raise",
    metadata: Iterable[str] = (),
) -> SessionData:
    """Read saved sessions: JSON, JSON lines, or a folder of Parquet files.

    Parameters
    ----------
    source : str, Path or several of them
        ``.json`` (a page as the API sends it, a list of pages or of sessions, or one session),
        ``.jsonl`` or ``.ndjson`` (one of these per line), each also gzipped; a folder of such
        files; or a folder written by `SessionData.to_parquet`.
    on_error : "raise" or "skip", default "raise"
        What to do with a file or line that is not JSON or contains no sessions. What is skipped
        is counted by `SessionData.check` and listed by `SessionData.skipped`.
    metadata : iterable of str, optional
        Attributes of session metadata that become columns even if no session has them.

    Returns
    -------
    SessionData
        The study. If a session occurs more than once, the last one is kept.

    Raises
    ------
    ReadError
        A file was not found or cannot be read; the message names the file and the position.

    Examples
    --------
    >>> import lrnanalysis as lrn, pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     lrn.load_example().to_json(f"{folder}/sessions.jsonl.gz")
    ...     study = lrn.read(f"{folder}/sessions.jsonl.gz")
    >>> len(study) == len(lrn.load_example())
    True
    """
    paths = [Path(source)] if isinstance(source, str | Path) else [Path(one) for one in source]
    if not paths:
        raise ReadError("source is empty: pass one path or several")
    if source == "":
        raise ReadError(
            f"source is {shown(source)}: pass the path of a file or a folder, or several"
        )
    if len(paths) == 1 and paths[0].is_dir():
        saved = read_folder(paths[0])
        if saved is not None:
            return _saved_study(*saved)
    pages = PageReader(paths, on_error)
    builder = TableBuilder(metadata=metadata)
    for page in pages:
        builder.add(page)
    tables = builder.finish()
    tables.repaired += pages.surrogates
    tables.tokens += pages.tokens
    return SessionData(tables, skipped=pages.skipped)


def load_example() -> SessionData:
    """Load the bundled study of simulated learners, with its true values.

    Returns
    -------
    SessionData
        `truth` has the values drawn by the simulation: abilities and speeds of the persons,
        parameters of the items, behaviours of the sessions. No person and no item is real.

    Examples
    --------
    >>> import lrnanalysis as lrn
    >>> sorted(lrn.load_example().truth)
    ['items', 'persons', 'sessions']
    """
    with resources.as_file(resources.files("lrnanalysis") / "example") as folder:
        study = read(folder / "sessions.jsonl.gz")
        truth = {
            file.stem.removeprefix("truth-"): pd.read_parquet(file)
            for file in sorted(folder.glob("truth-*.parquet"))
        }
    study.truth = truth
    return study


def _saved_study(frames: dict[str, pd.DataFrame], about: dict[str, object]) -> SessionData:
    query, unreadable = about.get("query"), about.get("unreadable")
    skipped, token, tokens = about.get("skipped"), about.get("next"), about.get("tokens")
    return SessionData(
        Tables(
            sessions=frames["sessions"],
            responses=frames["responses"],
            items=frames["items"],
            unreadable=[str(one).encode() for one in unreadable]
            if isinstance(unreadable, list)
            else [],
            repaired=int(str(about.get("repaired", 0))),
            repeated=int(str(about.get("repeated", 0))),
            tokens=Counter(tokens) if isinstance(tokens, dict) else Counter(),
        ),
        query=Query(**query) if isinstance(query, dict) else None,
        next=str(token) if token else None,
        truth={
            name.removeprefix("truth-"): frame
            for name, frame in frames.items()
            if name.startswith("truth-")
        },
        skipped=[str(one) for one in skipped] if isinstance(skipped, list) else [],
    )
