"""SessionData: the three linked tables of a study, and what belongs to all of them."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from lrnanalysis.api.client import Client
from lrnanalysis.api.crawl import Crawl
from lrnanalysis.api.query import Query
from lrnanalysis.errors import FetchInterrupted, LrnError, QueryError
from lrnanalysis.io.files import write_folder, write_records
from lrnanalysis.io.json_records import records
from lrnanalysis.io.long_formats import irw_table, long_table
from lrnanalysis.parse import TableBuilder, Tables
from lrnanalysis.tables.integrity import check_tables
from lrnanalysis.tables.pseudonyms import pseudonymise_frames, pseudonyms
from lrnanalysis.tables.selection import selected, share_item_categories, stacked

if TYPE_CHECKING:
    from lrnanalysis.measures.item_analysis import ItemAnalysis

__all__ = ["SessionData", "collect"]


class SessionData:
    """Three linked tables: sessions, the responses given in them and the items shown in them.

    Unpacks into its tables: ``sessions, responses, items = study``. The tables are linked by
    ``session_id``; ``(session_id, item_reference)`` links responses to items. What each column
    means stands in `lrnanalysis.tables.schema`.

    Parameters
    ----------
    tables : Tables
        The tables, with what was met while they were read.
    query : Query, optional
        What they answer.
    next : str, optional
        The token to go on from.
    truth : mapping of str to DataFrame, optional
        What simulated learners and items are really like.
    skipped : list of str, optional
        Files and lines that were left out.
    client : Client, optional
        Where `poll` asks.

    Attributes
    ----------
    sessions, responses, items : DataFrame
        The tables.
    query : Query or None
        The query that they answer.
    next : str or None
        The Data API's token; a later fetch with it gets what is new since.
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
    def sessions(self) -> pd.DataFrame:
        """One row a session; see `lrnanalysis.tables.schema.SESSIONS`."""
        return self._tables.sessions

    @property
    def responses(self) -> pd.DataFrame:
        """One row a response; see `lrnanalysis.tables.schema.RESPONSES`."""
        return self._tables.responses

    @property
    def items(self) -> pd.DataFrame:
        """One row an item of a session; see `lrnanalysis.tables.schema.ITEMS`."""
        return self._tables.items

    def __iter__(self) -> Iterator[pd.DataFrame]:
        return iter((self.sessions, self.responses, self.items))

    def __len__(self) -> int:
        return len(self.sessions)

    def __getstate__(self) -> dict[str, Any]:
        # A pickled study goes to other people and machines; the client holds credentials.
        return self.__dict__ | {"_client": None}

    def __getitem__(self, which: Any) -> SessionData:
        """Select sessions; responses and items follow.

        Parameters
        ----------
        which : Series, array or list of bool; or of session ids; or DataFrame; or slice
            A flag a session (a Series is aligned by its index: that of `sessions`, or session
            ids), the ids of the sessions wanted, a selection of `sessions`, or positions.

        Returns
        -------
        SessionData
            The sessions selected, in the order they had. `next` and `query` are not kept, since
            a selection is not what a query answers.

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
        sessions = self.sessions[selected(self.sessions, which)]
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
        """Report whether the tables hold together, and what could not be read.

        Returns
        -------
        DataFrame
            A row a finding, none where all is well. Index ``check``; columns ``table``, ``kind``
            ("dangling", "duplicate", "contradictory", "odd" or "unreadable"), ``count``,
            ``sessions``, ``examples`` and ``meaning``. Nothing that is reported was dropped,
            but for what was skipped on request.

        Examples
        --------
        >>> import lrnanalysis as lrn
        >>> "table" in lrn.load_example().check()
        True
        """
        found = check_tables(self.sessions, self.responses, self.items)
        read = {
            "unreadable records": (
                len(self._tables.unreadable),
                "no object with a session_id; kept: to_json gives them back",
            ),
            "skipped input": (len(self._skipped), 'left out by on_error="skip"'),
            "mended text": (self._tables.mended, "half a character replaced by U+FFFD"),
            "repeated sessions": (self._tables.repeated, "came more than once; the last is kept"),
        }
        rows = {
            check: ("sessions", "unreadable", count, count, "", meaning)
            for check, (count, meaning) in read.items()
            if count
        }
        if rows:
            more = pd.DataFrame.from_dict(rows, orient="index", columns=found.columns)
            found = more if found.empty else pd.concat([more, found])
        return found.rename_axis("check")

    @property
    def skipped(self) -> list[str]:
        """Files and lines that `read` left out, with the reason of each."""
        return list(self._skipped)

    @property
    def unreadable(self) -> list[bytes]:
        """Records that are no session, as they came; they may hold learners' data."""
        return list(self._tables.unreadable)

    def updated(self, newer: SessionData) -> SessionData:
        """Lay newer sessions over these: those that are in both are replaced whole.

        Parameters
        ----------
        newer : SessionData
            What `poll` or a later fetch gave.

        Returns
        -------
        SessionData
            Both together, with the query of this study and the token of the newer one.
        """
        replaced = newer.sessions["session_id"]
        frames = {}
        for name in ("sessions", "responses", "items"):
            old, new = getattr(self, name), getattr(newer, name)
            frames[name] = stacked(old[~old["session_id"].isin(replaced)], new)
        share_item_categories(frames)
        return SessionData(
            Tables(
                **frames,
                unreadable=self.unreadable + newer.unreadable,
                mended=self._tables.mended + newer._tables.mended,
                repeated=self._tables.repeated + newer._tables.repeated,
            ),
            query=self.query or newer.query,
            next=newer.next or self.next,
            truth=self.truth | newer.truth,
            skipped=self.skipped + newer.skipped,
            client=self._client or newer._client,
        )

    def poll(self, *, progress: bool = True) -> SessionData:
        """Fetch what is new or changed since this study was fetched.

        Parameters
        ----------
        progress : bool, default True
            Show a progress bar.

        Returns
        -------
        SessionData
            The new and changed sessions only; `updated` lays them over this study.

        Raises
        ------
        QueryError
            The study was not fetched in this process, or with ``sort="desc"``, whose token leads
            back in time.
        """
        if self.query is None or self._client is None:
            raise QueryError(
                "this study was not fetched in this process, so it cannot be polled: call "
                "lrnanalysis.fetch(query, next=study.next)"
            )
        if self.query.sort == "desc":
            raise QueryError(
                'sort is "desc", whose token leads back in time: fetch with sort="asc" to poll'
            )
        return collect(self.query, self._client, next=self.next, progress=progress)

    def pseudonymise(self, key: str | bytes, *, drop_free_text: bool = False) -> SessionData:
        """Replace every identifier by a keyed pseudonym.

        The pseudonym is 128 bits of HMAC-SHA-256 (RFC 2104) under `key`, so it is the same in
        every table, fetch and machine, and cannot be undone or guessed without the key. The
        user agent is dropped, and so is `extra`, whose content is not known; the ids that items
        name stay, as pseudonyms. Metadata columns that were asked for stay as they are.

        Parameters
        ----------
        key : str or bytes
            A secret of your own, such as ``secrets.token_hex(16)``. Keep it apart from the data.
        drop_free_text : bool, default False
            Drop the answers of every question type that can hold a learner's own words.

        Returns
        -------
        SessionData
            The study without `query`, `next`, and the records that could not be read.

        Raises
        ------
        MeasureError
            The key is empty.

        Examples
        --------
        >>> import lrnanalysis as lrn
        >>> shared = lrn.load_example().pseudonymise("a key")
        >>> len(shared.sessions["user_id"].iloc[0])
        32
        """
        sessions, responses, items = pseudonymise_frames(
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

    def item_analysis(self, **options: Any) -> ItemAnalysis:
        """Report on the test: items, reliability, distractors, times, effort and flags.

        Discarded sessions are left out, and omitted answers are told from wrong ones.

        Parameters
        ----------
        **options
            As for `lrnanalysis.classical.item_analysis`: ``key`` of the questions, ``attempts``,
            ``rapid`` (threshold rule of rapid guesses), ``limits`` of the flags and others.

        Returns
        -------
        ItemAnalysis
            ``table`` to print, ``items`` with every statistic, ``scores``, ``reliability``,
            ``distractors``, ``flags``, ``rules``.

        Raises
        ------
        MeasureError
            There is no session with an item, or an argument is out of range.

        Examples
        --------
        >>> import lrnanalysis as lrn
        >>> report = lrn.load_example().item_analysis(key={"item-05": "0"})
        >>> report.table[["n", "p", "item_rest_r", "time_median"]].round(2).head(2)
                          n     p  item_rest_r  time_median
        item_reference
        item-01         311  0.57         0.28         41.0
        item-02         311  0.68         0.49         69.0
        """
        # Measures stand above the data; the accessor of the table reaches them.
        report: ItemAnalysis = self.items.lrn.item_analysis(
            self.responses, sessions=self.sessions, **options
        )
        return report

    def long(self) -> pd.DataFrame:
        """One row a response with its item's time and its session's learner.

        Returns
        -------
        DataFrame
            As many rows as `responses`, with its index. Beside its columns: ``user_id``,
            ``activity_id``, ``status``, ``dt_started`` of the session; ``position``,
            ``item_time`` [s], ``item_score``, ``item_max_score``, ``user_flagged`` of the item.
            An item's time repeats on each of its responses: do not add it up here.
        """
        return long_table(self.sessions, self.responses, self.items)

    def to_irw(self, *, attempts: Literal["first", "last", "all"] = "first") -> pd.DataFrame:
        """The long format of the Item Response Warehouse (Domingue et al., 2025).

        Parameters
        ----------
        attempts : "first", "last" or "all", default "first"
            Which session of a learner and activity counts, by its start.

        Returns
        -------
        DataFrame
            ``id`` (user_id), ``item`` (item_reference), ``resp`` (the item's score [points]; the
            sum of its responses' scores where the item has no scoring; missing while unmarked)
            and ``rt`` (time on screen [s]). Discarded sessions are left out.
        """
        return irw_table(self.sessions, self.responses, self.items, attempts=attempts)

    def to_parquet(self, folder: str | Path, *, overwrite: bool = False) -> None:
        """Save the study as a folder of Parquet files, which `lrnanalysis.read` reads back.

        Parameters
        ----------
        folder : str or Path
            Appears whole or not at all.
        overwrite : bool, default False
            Replace a study that is there already.

        Raises
        ------
        ReadError
            The folder is there already, or holds something else.
        """
        frames = {"sessions": self.sessions, "responses": self.responses, "items": self.items}
        frames |= {f"truth-{name}": frame for name, frame in self.truth.items()}
        about = {
            "format": 1,
            "query": None if self.query is None else self.query.to_dict(),
            "next": self.next,
            "skipped": self._skipped,
            "unreadable": [record.decode(errors="replace") for record in self.unreadable],
            "mended": self._tables.mended,
            "repeated": self._tables.repeated,
        }
        write_folder(Path(folder), frames, about, overwrite=overwrite)

    def to_json(self, path: str | Path | None = None) -> str | None:
        """Give back the records that the tables were made of.

        A key that was null comes back as null or not at all, times come back in the documented
        spelling, and a response names its item even where the record left that to the item.

        Parameters
        ----------
        path : str or Path, optional
            Where to write: ``.json`` for a list, ``.jsonl`` or ``.ndjson`` for a session a line,
            each also with ``.gz``.

        Returns
        -------
        str or None
            A JSON list of sessions where no path is given.
        """
        found = self._records()
        if path is not None:
            write_records(Path(path), found)
            return None
        return "[" + ",\n".join(record.decode() for record in found) + "]"

    def _records(self) -> Iterator[bytes]:
        yield from records(self.sessions, self.responses, self.items)
        yield from self._tables.unreadable

    def __repr__(self) -> str:
        return (
            f"<SessionData: {len(self.sessions):,} sessions, {len(self.responses):,} responses, "
            f"{len(self.items):,} items>"
        )

    def _repr_html_(self) -> str:
        sessions = self.sessions
        started = sessions["dt_started"].dropna()
        period = f"{started.min():%Y-%m-%d} to {started.max():%Y-%m-%d}" if len(started) else "—"
        statuses = sessions["status"].value_counts()
        active = sessions["active_time"].median() / 60
        facts = {
            "sessions": f"{len(sessions):,} by {sessions['user_id'].nunique():,} learners",
            "activities": f"{sessions['activity_id'].nunique():,}",
            "started": period,
            "status": ", ".join(f"{name} {n:,}" for name, n in statuses[statuses > 0].items()),
            "responses": f"{len(self.responses):,}, "
            f"{self.responses['question_type'].nunique():,} question types",
            "items": f"{len(self.items):,} shown, {self.items['item_reference'].nunique():,} "
            "different",
            "active time": "—" if np.isnan(active) else f"median {active:.1f} min a session",
        }
        if self.truth:
            facts["truth"] = "simulated: " + ", ".join(self.truth)
        rows = "".join(
            f'<tr><th style="text-align:left">{html.escape(name)}</th>'
            f'<td style="text-align:left">{html.escape(fact)}</td></tr>'
            for name, fact in facts.items()
        )
        return f"<table><caption>SessionData</caption><tbody>{rows}</tbody></table>"


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
    """Crawl a query's pages and make a study of them; `lrnanalysis.fetch` is the friendly form.

    `on_page` is called with the crawl when a page with sessions has come.

    Raises
    ------
    LrnError
        With what had been fetched in its `partial`.
    FetchInterrupted
        Interrupted from the keyboard; likewise.
    """
    crawl = Crawl(
        query,
        client,
        next=next,
        max_sessions=max_sessions,
        progress=progress,
        cancelled=cancelled,
        on_page=on_page,
    )
    builder = TableBuilder(metadata=query.include or ())

    def study() -> SessionData:
        return SessionData(builder.finish(), query=query, next=crawl.next, client=client)

    try:
        for page in crawl:
            builder.add(page.body)
    except LrnError as error:
        error.partial = study()
        raise
    except KeyboardInterrupt as error:
        interrupted = FetchInterrupted("the fetch was interrupted: what it got is in .partial")
        interrupted.partial = study()
        raise interrupted from error
    return study()
