"""Runs a form's fetch in the background: its buttons, progress, outcome and result."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import ipywidgets as widgets

from lrnanalysis.api.client import Client
from lrnanalysis.api.crawl import Crawl
from lrnanalysis.api.query import Query
from lrnanalysis.errors import LrnError, QueryError
from lrnanalysis.forms.background_thread import BackgroundThread
from lrnanalysis.forms.form_elements import Message, button, error_text, row
from lrnanalysis.study import SessionData, collect

__all__ = ["FetchRequest", "FetchRunner"]

#: Shortest time between two updates of the progress [s].
_UPDATE_INTERVAL = 0.1


@dataclass(frozen=True)
class FetchRequest:
    """What to fetch.

    Attributes
    ----------
    query : Query
        The sessions wanted.
    client : callable
        Makes the client; called in the background, since it may take a moment.
    max_sessions : int or None
        Where to stop.
    """

    query: Query
    client: Callable[[], Client]
    max_sessions: int | None


class FetchRunner:
    """Runs one fetch at a time in the background, shows its progress, and keeps the result.

    Parameters
    ----------
    request : callable
        Gives the form's request; raises an `LrnError` where a field is wrong.

    Attributes
    ----------
    study : SessionData or None
        The result of the last fetch, cancelled and failed ones included.
    error : Exception or None
        What stopped the last fetch.
    running : bool
        Whether a fetch is in progress.
    readiness : Message
        Beside the buttons: why a fetch cannot be started.
    """

    def __init__(self, request: Callable[[], FetchRequest]) -> None:
        self.study: SessionData | None = None
        self.error: Exception | None = None
        self.running = False
        self._request = request
        self._last: FetchRequest | None = None
        self._unfinished = False
        self._ready = True
        self._background = BackgroundThread()
        self._stop = threading.Event()
        # The browser's messages may be handled by another thread than cells are.
        self._lock = threading.RLock()
        self._fetch = button("Fetch", lambda _: self._guard(self.fetch), primary=True)
        self._cancel = button("Cancel", lambda _: self._guard(self.cancel))
        self._resume = button("Resume", lambda _: self._guard(self.resume))
        self.readiness = Message()
        self._bar = widgets.HTML(layout=widgets.Layout(width="440px", margin="0 0 0 2px"))
        self._status = Message()
        self._summary = widgets.HTML()
        self._enable()

    def rows(self) -> list[Any]:
        """Give the rows of the form."""
        return [
            row(self._fetch, self._cancel, self._resume, self.readiness.widget),
            self._bar,
            row(self._status.widget),
            self._summary,
        ]

    def set_ready(self, ready: bool) -> None:
        """Allow a fetch to be started, or not."""
        self._ready = ready
        self._enable()

    def fetch(self) -> None:
        """Start the fetch that the form requests.

        Raises
        ------
        QueryError
            A field is wrong, or a fetch is in progress. Nothing is sent.
        """
        self._start(self._request(), None)

    def resume(self) -> None:
        """Fetch the remaining sessions of a fetch that was cancelled or failed.

        Raises
        ------
        QueryError
            There is none, or a fetch is in progress.
        """
        if self._last is None or self.study is None or not self._unfinished:
            raise QueryError("there is no unfinished fetch to resume: call fetch()")
        self._start(self._last, self.study)

    def cancel(self) -> None:
        """Stop the fetch after the current page; `study` keeps what was fetched."""
        self._stop.set()
        if self.running:
            self._status.show("cancelling after the current page …", "status")
        self._enable()

    def wait(self, timeout: float | None = None) -> None:
        """Wait for the fetch [s]."""
        self._background.wait(timeout)

    def _guard(self, act: Callable[[], None]) -> None:
        """Act, and show any error: ipywidgets would swallow the exceptions of a callback."""
        with self._lock:
            try:
                act()
            except Exception as error:  # noqa: BLE001 - nothing above would show it
                self.error = error
                self._status.show(error_text(error), "problem")

    def _enable(self) -> None:
        self._fetch.disabled = self.running or not self._ready
        self._cancel.disabled = not self.running or self._stop.is_set()
        rest = self._unfinished and self.study is not None and not self.running
        self._resume.layout.display = "" if rest else "none"

    def _start(self, request: FetchRequest, before: SessionData | None) -> None:
        with self._lock:
            if self.running:
                raise QueryError("a fetch is in progress: cancel it, or wait for it to end")
            most = request.max_sessions
            if most is not None and before is not None:
                most = max(most - len(before), 1)
            self.running, self.error, self._last = True, None, request
            self._stop.clear()
            self._summary.value = ""
            self._show_progress(0, 0, 0.0, most)
            self._enable()
            self._background.start(lambda: self._work(request, before, most))

    def _work(self, request: FetchRequest, before: SessionData | None, most: int | None) -> None:
        """Fetch, in the background; changes no widget itself."""
        started = time.perf_counter()
        shown = 0.0

        def on_page(crawl: Crawl) -> None:
            nonlocal shown
            now = time.perf_counter()
            if now - shown >= _UPDATE_INTERVAL:
                shown = now
                facts = (crawl.sessions, crawl.pages, now - started, most)
                self._update(lambda: self._show_progress(*facts))

        study, error = None, None
        try:
            study = collect(
                request.query,
                request.client(),
                next=None if before is None else before.next,
                max_sessions=most,
                progress=False,
                cancelled=self._stop.is_set,
                on_page=on_page,
            )
        except Exception as caught:  # noqa: BLE001 - a thread's exceptions would be lost
            error = caught
            study = error.partial if isinstance(error, LrnError) else None
            study = study if study is not None and len(study) else None
        if before is not None:
            study = before if study is None else before.updated(study)
        with self._lock:
            # An error before the first page leaves the result of an earlier fetch.
            self.study = self.study if study is None else study
            self._unfinished = study is not None and (error is not None or self._stop.is_set())
            self.error = error
            self.running = False
        seconds = time.perf_counter() - started
        self._update(lambda: self._show_outcome(seconds))

    def _update(self, show: Callable[[], None]) -> None:
        self._background.update(lambda: self._guard(show))

    def _show_progress(self, sessions: int, pages: int, seconds: float, most: int | None) -> None:
        # ipywidgets' own bar has no role that a screen reader knows, and no indeterminate state.
        extent = "" if most is None else f' max="{most}" value="{sessions}"'
        bar = f'<progress aria-label="sessions fetched"{extent} style="width:100%"></progress>'
        if self._bar.value != bar:
            self._bar.value = bar
        if not pages:
            self._status.show("requesting the first page …", "status")
            return
        of = "" if most is None else f" of {most:,}"
        rate = f", {sessions / seconds:,.0f} sessions per second" if seconds else ""
        cancelling = "; cancelling after the current page" if self._stop.is_set() else ""
        self._status.show(
            f"{sessions:,}{of} sessions in {pages:,} page{'s' if pages > 1 else ''}"
            f"{rate}{cancelling} …",
            "status",
        )

    def _show_outcome(self, seconds: float) -> None:
        study, error = self.study, self.error
        self._bar.value = ""
        self._enable()
        kept = "nothing fetched" if study is None else f"{len(study):,} sessions in form.study"
        if self._unfinished:
            kept += "; Resume fetches the rest"
        if error is not None:
            if study is not None and not self._unfinished:
                kept = "form.study is unchanged"
            self._status.show(f"{error_text(error)} — {kept}", "problem")
        else:
            end = "Cancelled" if self._unfinished else "Done"
            self._status.show(f"{end} after {seconds:.1f} s: {kept}", "status")
        self._summary.value = "" if study is None else _summary(study)


def _summary(study: SessionData) -> str:
    found = len(study.check())
    checked = (
        f"{found} inconsistenc{'ies' if found > 1 else 'y'} found: see form.study.check()"
        if found
        else "no inconsistencies found"
    )
    about = f"{study._repr_html_()}<p>{checked}</p>"
    return f'<div style="margin-left:8px;line-height:1.35">{about}</div>'
