"""SessionData: the three linked tables of a study, and what belongs to all of them."""

from __future__ import annotations

import html
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd

from lrnanalysis.accessor import ItemsTable, ResponsesTable, SessionsTable
from lrnanalysis.analysis import (
    Analysis,
    CellValue,
    Decisions,
    ItemIdentity,
    Level,
    ScoreSource,
    Unit,
)
from lrnanalysis.api.client import Client
from lrnanalysis.api.crawl import Crawl
from lrnanalysis.api.interrupts import count_interrupts, run_while_waiting
from lrnanalysis.api.progress import progress_bar
from lrnanalysis.api.query import Query
from lrnanalysis.arguments import checked, checked_with
from lrnanalysis.errors import FetchInterrupted, LrnError, QueryError, file_errors
from lrnanalysis.io.files import write_folder, write_records
from lrnanalysis.io.json_records import to_records
from lrnanalysis.io.long_formats import long_table
from lrnanalysis.measures.classical import Key
from lrnanalysis.measures.completion import ReachRule
from lrnanalysis.measures.effort import Method
from lrnanalysis.measures.item_analysis import ItemAnalysis
from lrnanalysis.measures.scores import Attempts, ScoreValue
from lrnanalysis.parse.table_builder import TableBuilder, Tables
from lrnanalysis.tables.integrity import check_tables
from lrnanalysis.tables.learners import named_users
from lrnanalysis.tables.pseudonyms import pseudonymise_tables, pseudonyms
from lrnanalysis.tables.schema import TABLES
from lrnanalysis.tables.table_operations import (
    concat_tables,
    own_columns,
    session_mask,
    unify_item_categories,
    with_own_columns,
)
from lrnanalysis.tables.times import timestamps
from lrnanalysis.warnings import DataWarning, warn

__all__ = ["SessionData", "collect"]


class SessionData:
    """Three linked tables: sessions, the responses given in them and the items shown in them.

    Unpacks into its tables: ``sessions, responses, items = study``. The tables are linked by
    ``session_id``; ``(session_id, item_reference)`` links responses to items. `lrnanalysis.schema`
    describes each column.

    Parameters
    ----------
    tables : Tables
        The tables, with the findings made while reading them.
    query : Query, optional
        Query that produced the tables.
    next : str, optional
        Token from which a later fetch continues.
    truth : mapping of str to DataFrame, optional
        True values of simulated learners and items.
    skipped : list of str, optional
        Files and lines that were left out.
    client : Client, optional
        Client that `poll` uses.

    Attributes
    ----------
    sessions, responses, items : DataFrame
        The tables.
    query : Query or None
        Query that produced the tables.
    next : str or None
        The Data API's token; a later fetch with it returns what has changed since.
    truth : dict of str to DataFrame
        Empty for real data.

    Examples
    --------
    >>> import lrnanalysis as lrn
    >>> study = lrn.load_example()
    >>> sessions, responses, items = study
    >>> len(study) == len(sessions)
    True
    """

    @checked
    def __init__(
        self,
        tables: Tables,
        *,
        query: Query | None = None,
        next: str | None = None,
        truth: Mapping[str, pd.DataFrame] | None = None,
        skipped: list[str] | None = None,
        client: Client | None = None,
    ) -> None:
        self._tables = tables
        self.query = query
        self.next = next
        self.truth = dict(truth or {})
        self._skipped = list(skipped or [])
        self._client = client

    @property
    def sessions(self) -> SessionsTable:
        """One row per session; see `lrnanalysis.schema.SESSIONS`."""
        return cast(SessionsTable, self._tables.sessions)

    @property
    def responses(self) -> ResponsesTable:
        """One row per response; see `lrnanalysis.schema.RESPONSES`."""
        return cast(ResponsesTable, self._tables.responses)

    @property
    def items(self) -> ItemsTable:
        """One row per item of a session; see `lrnanalysis.schema.ITEMS`."""
        return cast(ItemsTable, self._tables.items)

    def __iter__(self) -> Iterator[pd.DataFrame]:
        return iter((self.sessions, self.responses, self.items))

    def __len__(self) -> int:
        return len(self.sessions)

    def __getstate__(self) -> dict[str, Any]:
        # A pickled study goes to other people and machines; the client holds credentials.
        return self.__dict__ | {"_client": None}

    def __getitem__(self, which: Any) -> SessionData:
        """Select sessions, with their responses and items.

        Parameters
        ----------
        which : Series, array or list of bool; or of session ids; or DataFrame; or slice
            One flag per session (a Series is aligned by its index: that of `sessions`, or session
            ids), the ids of the sessions wanted, a selection of `sessions`, or positions.

        Returns
        -------
        SessionData
            The sessions selected, in their order. `next` and `query` are not kept: no query
            produces the selection.

        Raises
        ------
        QueryError
            Flags of another length or index, or an id that is not in the study.

        Examples
        --------
        >>> import lrnanalysis as lrn
        >>> study = lrn.load_example()
        >>> completed = study[study.sessions["status"] == "Completed"]
        >>> set(completed.responses["session_id"]) <= set(completed.sessions["session_id"])
        True
        """
        sessions = self.sessions[session_mask(self.sessions, which)]
        kept = sessions["session_id"]
        return SessionData(
            Tables(
                sessions=sessions,
                responses=self.responses[self.responses["session_id"].isin(kept)],
                items=self.items[self.items["session_id"].isin(kept)],
            ),
            truth=self.truth,
        )

    def check(self) -> pd.DataFrame:
        """Report inconsistencies between the tables, and what could not be read.

        Returns
        -------
        DataFrame
            One row per finding; empty if no inconsistencies were found. Index ``check``; columns
            ``table``, ``kind`` ("dangling", "duplicate", "contradictory", "unusual" or
            "unreadable"), ``count``, ``sessions`` (NA where it is unknown), ``examples`` (of
            identifiers, counts, or the form of numbers and times, never of answers) and
            ``meaning``. Everything reported is still there, except what was skipped on request.

        Examples
        --------
        >>> import lrnanalysis as lrn
        >>> "table" in lrn.load_example().check()
        True
        """
        found = check_tables(self.sessions, self.responses, self.items)
        tables = self._tables
        unreadable, skipped, repeated = len(tables.unreadable), len(self._skipped), tables.repeated
        read = {
            "unreadable records": (
                unreadable,
                unreadable,
                "",
                "no object with a session_id; kept, and written by to_json",
            ),
            "skipped input": (skipped, pd.NA, "", 'left out by on_error="skip"'),
            "repaired text": (
                tables.repaired,
                pd.NA,
                "",
                "unpaired surrogates, each replaced by U+FFFD",
            ),
            "NaN or Infinity": (
                tables.tokens.total(),
                pd.NA,
                _documented_keys(tables.tokens),
                "not JSON: read as null, wherever it stands; missing in a column",
            ),
            "repeated sessions": (
                repeated,
                repeated,
                "",
                "received more than once; the last is kept",
            ),
        }
        rows = {
            check: ("sessions", "unreadable", *counted)
            for check, counted in read.items()
            if counted[0]
        }
        if rows:
            more = pd.DataFrame.from_dict(rows, orient="index", columns=found.columns)
            more["sessions"] = more["sessions"].astype("Int64")
            found = more if found.empty else pd.concat([more, found])
        return found.rename_axis("check")

    @property
    def skipped(self) -> list[str]:
        """Files and lines that `read` left out, each with its reason."""
        return list(self._skipped)

    @property
    def unreadable(self) -> list[bytes]:
        """Records that are not sessions, as received; they may contain learners' data."""
        return list(self._tables.unreadable)

    @checked
    def updated(self, newer: SessionData) -> SessionData:
        """Merge newer sessions into these; sessions in both are replaced as a whole.

        Columns of your own keep their values in the rows that the newer study has too; rows that
        are new have none there, so that an integer or bool column becomes nullable.

        Parameters
        ----------
        newer : SessionData
            Result of `poll` or of a later fetch.

        Returns
        -------
        SessionData
            All sessions, with the query of this study and the token of the newer one.
        """
        replaced = newer.sessions["session_id"]
        frames = {}
        for name in ("sessions", "responses", "items"):
            old = getattr(self, name)
            new = with_own_columns(getattr(newer, name), old, TABLES[name])
            frames[name] = concat_tables(old[~old["session_id"].isin(replaced)], new)
        unify_item_categories(frames)
        return SessionData(
            Tables(
                **frames,
                unreadable=self.unreadable + newer.unreadable,
                repaired=self._tables.repaired + newer._tables.repaired,
                repeated=self._tables.repeated + newer._tables.repeated,
                tokens=self._tables.tokens + newer._tables.tokens,
            ),
            query=self.query or newer.query,
            next=newer.next or self.next,
            truth=self.truth | newer.truth,
            skipped=self.skipped + newer.skipped,
            client=self._client or newer._client,
        )

    @checked
    def poll(self, *, progress: bool = True) -> SessionData:
        """Fetch the sessions that are new or have changed since this study was fetched.

        Parameters
        ----------
        progress : bool, default True
            Show a progress bar.

        Returns
        -------
        SessionData
            The new and changed sessions only; `updated` merges them into this study.

        Raises
        ------
        QueryError
            The study was not fetched in this process, or it was fetched with ``sort="desc"``,
            whose token leads back in time.
        """
        if self.query is None or self._client is None:
            raise QueryError(
                "this study was not fetched in this process and cannot be polled: call "
                "lrnanalysis.fetch(query, next=study.next)"
            )
        if self.query.sort == "desc":
            raise QueryError(
                'sort is "desc", whose token leads back in time: fetch with sort="asc" to poll'
            )
        return collect(self.query, self._client, next=self.next, progress=progress)

    @checked
    def pseudonymise(self, key: str | bytes, *, drop_free_text: bool = False) -> SessionData:
        """Replace every identifier with a keyed pseudonym.

        A pseudonym is 128 bits of HMAC-SHA-256 (RFC 2104) under `key`: the same in every table,
        fetch and machine, and impossible to reverse or guess without the key. The user agent is
        dropped, and so is `extra`, whose content is unknown; the response ids that items list
        stay, as pseudonyms. Metadata columns and columns of your own stay as they are: drop those
        that identify a person first. Someone without a ``user_id`` gets no pseudonym.

        Parameters
        ----------
        key : str or bytes
            A secret of your own, such as ``secrets.token_hex(16)``. Store it apart from the data.
        drop_free_text : bool, default False
            Drop the answers of every question type that can contain free text.

        Returns
        -------
        SessionData
            The study without `query`, `next` and unreadable records.

        Raises
        ------
        MeasureError
            The key is empty.

        Warns
        -----
        DataWarning
            A table has columns of your own, which stay as they are.

        Examples
        --------
        >>> import lrnanalysis as lrn
        >>> shared = lrn.load_example().pseudonymise("a key")
        >>> len(shared.sessions["user_id"].iloc[0])
        32
        """
        own = self._own_columns()
        if own:
            warn(
                f"columns of your own stay as they are: {own}; drop those that identify a person "
                "before you share the study",
                DataWarning,
            )
        sessions, responses, items = pseudonymise_tables(
            self.sessions, self.responses, self.items, key, drop_free_text=drop_free_text
        )
        truth = {
            name: frame.assign(
                **{
                    kind: pseudonyms(frame[kind], key, kind)
                    for kind in ("user_id", "session_id", "response_id")
                    if kind in frame
                }
            )
            for name, frame in self.truth.items()
        }
        return SessionData(Tables(sessions, responses, items), truth=truth)

    def analysis(
        self,
        *,
        activity: str | Iterable[str] | None = None,
        status: str | Iterable[str] = ("Completed", "Pending Scoring"),
        attempts: Attempts = "first",
        unit: Unit = "session",
        level: Level = "item",
        item: ItemIdentity = "reference",
        omitted: CellValue = "wrong",
        not_reached: CellValue = "missing",
        not_reached_rule: ReachRule = "run",
        unmarked: CellValue = "missing",
        unscored: CellValue = "missing",
        score: ScoreSource = "raw",
        value: ScoreValue = "points",
        rapid: Method | None = None,
    ) -> Analysis:
        """Decide once what counts; every table, model and picture follows.

        Parameters
        ----------
        activity : str or iterable of str, optional
            Activities that count; by default all. A study of several activities without an item
            in common asks for one.
        status : str or iterable of str, default ("Completed", "Pending Scoring")
            Statuses of the sessions that count, in any case; "all" for every one.
        attempts : {"first", "last", "best", "all"}, default "first"
            Which of a learner's sessions at an activity count, among those of the statuses and
            activities chosen, in the order of ``dt_started``. "best" has the highest share of
            points. With "all" persons repeat, and rows are not independent.
        unit : {"session", "user"}, default "session"
            What a row of the matrices is.
        level : {"item", "question"}, default "item"
            What a column of the matrices is.
        item : {"reference", "source"}, default "reference"
            What identifies an item: the activity's own reference, or the item bank's with its
            organisation, ``"organisation/reference"``.
        omitted, not_reached, unmarked, unscored : str or float
            What such cells become: "missing", "wrong" (0), "recorded" (the points that the record
            gives) or a number. Omitted items were left open (default "wrong"); items not reached
            follow the last answer (default "missing"); unmarked answers await a marker and
            unscored ones, as in surveys, are never scored (both "missing").
        not_reached_rule : {"run", "after_first", "no_time"}, default "run"
            Convention of not reached, see `lrnanalysis.completion`.
        score : {"raw", "adjusted"}, default "raw"
            Scores as marked, or after adjustment: ``score_after_adjustment``, else with
            ``adjustment_points``. A session's own adjustment belongs to no item: it counts in
            scores of sessions (``score_percent``, the "best" of the attempts), not in the
            matrices.
        value : {"points", "share"}, default "points"
            Points, or shares of the maximum of each row (0 to 1).
        rapid : str, float, Series or DataFrame, optional
            Threshold rule, see `lrnanalysis.effort.thresholds`; answers below the threshold count
            as missing, in scores and in the speed model. By default none does. ``times`` and
            summaries of times keep them: they were time on task.

        Returns
        -------
        Analysis
            Immutable; its ``replace`` changes a decision.

        Raises
        ------
        MeasureError
            A value is unknown, no session remains, or an activity has to be chosen.

        Examples
        --------
        >>> import lrnanalysis as lrn
        >>> analysis = lrn.load_example().analysis(attempts="first")
        >>> analysis.rules.loc["attempts", "effect"]
        'first session per learner and activity; the others are left out'
        """
        decisions = Decisions(
            activity=activity,
            status=status,
            attempts=attempts,
            unit=unit,
            level=level,
            item=item,
            omitted=omitted,
            not_reached=not_reached,
            not_reached_rule=not_reached_rule,
            unmarked=unmarked,
            unscored=unscored,
            score=score,
            value=value,
            rapid=rapid,
        )
        return Analysis(self.sessions, self.responses, self.items, decisions)

    @checked
    def item_analysis(
        self, *, key: Key | pd.Series | None = None, **decisions: Any
    ) -> ItemAnalysis:
        """Report on the test: short for ``study.analysis(**decisions).item_analysis(key=key)``.

        Parameters
        ----------
        key : mapping or Series of item → option or options, optional
            Correct options, for the distractors.
        **decisions
            As for `analysis`.

        Returns
        -------
        ItemAnalysis
            ``table`` to print, ``items`` with every statistic, ``scores``, ``reliability``,
            ``distractors``, ``flags``, ``rules``, ``forms``.

        Raises
        ------
        MeasureError
            As for `analysis`.

        Examples
        --------
        >>> import lrnanalysis as lrn
        >>> report = lrn.load_example().item_analysis(key={"item-05": "0"})
        >>> list(report.table.columns[:4])
        ['n', 'max', 'p', 'item_rest_r']
        """
        return self.analysis(**decisions).item_analysis(key=key)

    def long(self) -> pd.DataFrame:
        """One row per response, with its item's time and its session's learner.

        Returns
        -------
        DataFrame
            The rows of `responses` with their index, then one row for every item that no
            response belongs to (a passage, say), without a response. Beside the columns of
            `responses`: ``user_id``, ``activity_id``, ``status``, ``dt_started`` of the session;
            ``position``, ``item_time`` [s], ``item_score``, ``item_max_score``, ``user_flagged``
            of the item; the session's metadata, and columns of your own (named ``session_...`` or
            ``item_...`` where the name is taken).

            ``item_time``, ``item_score`` and ``item_max_score`` stand in the first row of their
            item only and are missing in its other rows, so that their sums are those of `items`.

        Examples
        --------
        >>> import lrnanalysis as lrn
        >>> study = lrn.load_example()
        >>> bool(study.long()["item_time"].sum() == study.items["time"].sum())
        True
        """
        return long_table(self.sessions, self.responses, self.items)

    @checked
    def to_irw(self, **decisions: Any) -> pd.DataFrame:
        """Give the format of the Item Response Warehouse: ``study.analysis(...).to_irw()``.

        Parameters
        ----------
        **decisions
            As for `analysis`.

        Returns
        -------
        DataFrame
            ``id``, ``item``, ``resp`` and ``rt``, see `lrnanalysis.Analysis.to_irw`.

        Raises
        ------
        MeasureError
            As for `analysis`.
        """
        return self.analysis(**decisions).to_irw()

    @checked
    def to_parquet(self, folder: str | Path, *, overwrite: bool = False) -> None:
        """Save the study as a folder of Parquet files, which `lrnanalysis.read` reads back.

        Columns that you added to a table are saved and read with their dtypes; the index is not.

        Parameters
        ----------
        folder : str or Path
            Written completely or not at all.
        overwrite : bool, default False
            Replace a saved study that already exists.

        Raises
        ------
        ReadError
            The folder already exists, or is not a saved study, or a column holds something that
            Parquet cannot store.
        """
        frames = {"sessions": self.sessions, "responses": self.responses, "items": self.items}
        frames |= {f"truth-{name}": frame for name, frame in self.truth.items()}
        about = {
            "format": 1,
            "query": None if self.query is None else self.query.to_dict(),
            "next": self.next,
            "skipped": self._skipped,
            "unreadable": [record.decode(errors="replace") for record in self.unreadable],
            "repaired": self._tables.repaired,
            "repeated": self._tables.repeated,
            "tokens": self._tables.tokens,
        }
        with file_errors(folder, "written"):
            write_folder(Path(folder), frames, about, overwrite=overwrite)

    @checked
    def to_json(self, path: str | Path | None = None) -> str | None:
        """Write the records that the tables were made of.

        A key is null or left out as it was (column ``presence``), times are written in the
        documented format, and a response names its item even where only the item listed the
        response. Columns of your own have no place in a record: `to_parquet` keeps them.

        Parameters
        ----------
        path : str or Path, optional
            Target: ``.json`` for a list, ``.jsonl`` or ``.ndjson`` for one session per line, each
            also with ``.gz``.

        Returns
        -------
        str or None
            A JSON list of sessions if no path is given.

        Warns
        -----
        DataWarning
            A table has columns of your own, which are not written.
        """
        own = self._own_columns()
        if own:
            warn(
                f"columns of your own are not written: {own}; records have no place for them, "
                "to_parquet keeps them",
                DataWarning,
            )
        found = self._records()
        if path is not None:
            with file_errors(path, "written"):
                write_records(Path(path), found)
            return None
        return "[" + ",\n".join(record.decode() for record in found) + "]"

    def _own_columns(self) -> str:
        """The columns that the user added to the tables, for a warning."""
        return ", ".join(
            f"{name}[{column!r}]"
            for name, table in TABLES.items()
            for column in own_columns(getattr(self, name), table)
        )

    def _records(self) -> Iterator[bytes]:
        yield from to_records(self.sessions, self.responses, self.items)
        yield from self._tables.unreadable

    def __repr__(self) -> str:
        return (
            f"<SessionData: {len(self.sessions):,} sessions, {len(self.responses):,} responses, "
            f"{len(self.items):,} items>"
        )

    def _repr_html_(self) -> str:
        sessions = self.sessions
        started = timestamps(sessions, "dt_started")[0].dropna()
        period = f"{started.min():%Y-%m-%d} to {started.max():%Y-%m-%d}" if len(started) else "—"
        statuses = sessions["status"].value_counts()
        active = sessions["active_time"].median() / 60
        learners = named_users(sessions["user_id"]).nunique()
        facts = {
            "sessions": f"{len(sessions):,} by {learners:,} learners",
            "activities": f"{sessions['activity_id'].nunique():,}",
            "started": period,
            "status": ", ".join(f"{name} {n:,}" for name, n in statuses[statuses > 0].items()),
            "responses": f"{len(self.responses):,}, "
            f"{self.responses['question_type'].nunique():,} question types",
            "items": f"{len(self.items):,} shown, {self.items['item_reference'].nunique():,} "
            "different",
            "active time": "—" if np.isnan(active) else f"median {active:.1f} min per session",
        }
        if self.truth:
            facts["truth"] = "simulated: " + ", ".join(self.truth)
        rows = "".join(
            f'<tr><th style="text-align:left">{html.escape(name)}</th>'
            f'<td style="text-align:left">{html.escape(fact)}</td></tr>'
            for name, fact in facts.items()
        )
        return f"<table><caption>SessionData</caption><tbody>{rows}</tbody></table>"


def _documented_keys(tokens: Mapping[str, int]) -> str:
    """How often each key of the schema was counted; any other may be part of an answer."""
    known = {column.path.split(".")[-1] for table in TABLES.values() for column in table.columns}
    shown: dict[str, int] = {}
    for key, count in tokens.items():
        name = key if key and key in known else "elsewhere"
        shown[name] = shown.get(name, 0) + count
    return ", ".join(f"{name} ({count:,})" for name, count in shown.items())


@checked_with(QueryError)
def collect(
    query: Query,
    client: Client,
    *,
    next: str | None = None,
    max_sessions: int | None = None,
    progress: bool = True,
    cancelled: Callable[[], bool] | None = None,
    on_page: Callable[[Crawl], object] | None = None,
) -> SessionData:
    """Crawl a query's pages into a study; `lrnanalysis.fetch` is the friendly form.

    `on_page` is called with the crawl after each page with sessions.

    Raises
    ------
    LrnError
        With everything fetched so far in its `partial`; so is any other error, such as one of
        `on_page` or a MemoryError.
    FetchInterrupted
        Interrupted from the keyboard, likewise.
    """
    with count_interrupts() as interrupts, progress_bar(progress) as bar:
        crawl = Crawl(
            query,
            client,
            next=next,
            max_sessions=max_sessions,
            cancelled=lambda: interrupts.n > 0 or (cancelled is not None and cancelled()),
            on_page=on_page,
        )
        work = _FetchWork(crawl, TableBuilder(metadata=query.include or ()))
        run_while_waiting(
            work.run,
            interrupts,
            lambda: bar.show(crawl.sessions, _STOPPING if interrupts.n else "fetching"),
        )
        bar.show(crawl.sessions)
        study = SessionData(work.finish(), query=query, next=crawl.next, client=client)
        error = work.error
        if interrupts.n:
            error = FetchInterrupted(
                f"the fetch was interrupted: {len(study):,} sessions fetched so far are in the "
                "error's .partial (in a notebook: sys.last_value.partial); its .next is the token "
                "to resume from"
            )
        if error is not None:
            error.partial = study  # type: ignore[attr-defined]
            if not isinstance(error, LrnError | FetchInterrupted):
                error.add_note("what had been fetched is in this error's .partial")
            raise error
    return study


_STOPPING = "stopping after the current page (interrupt again to stop at once)"


class _FetchWork:
    """The work of a fetch: pages into a builder, in a thread of its own.

    Parameters
    ----------
    crawl : Crawl
        Gives the pages.
    builder : TableBuilder
        Takes them.

    Attributes
    ----------
    error : BaseException or None
        What stopped the work.
    """

    def __init__(self, crawl: Crawl, builder: TableBuilder) -> None:
        self.error: BaseException | None = None
        self._crawl = crawl
        self._builder = builder
        self._finished = False
        self._lock = threading.Lock()

    def run(self) -> None:
        """Fetch all pages; an error is kept."""
        try:
            for page in self._crawl:
                with self._lock:
                    if self._finished:
                        return
                    self._builder.add(page.body)
        except BaseException as error:  # noqa: BLE001 - raised by the thread that waits
            self.error = error

    def finish(self) -> Tables:
        """The tables of the pages so far; later ones are not added.

        The crawl moves its token past a page after the page was added: what is not in the tables
        comes again.
        """
        with self._lock:
            self._finished = True
            return self._builder.finish()
