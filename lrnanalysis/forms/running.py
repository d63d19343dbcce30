"""The buttons that run a fetch, what is seen of it meanwhile, and its end."""

from __future__ import annotations

import html
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
from lrnanalysis.forms.background import Background
from lrnanalysis.forms.fields import Note, button, error_words, row
from lrnanalysis.study import SessionData, collect

__all__ = ["Run", "Runner"]

#: Shortest time between two pictures of the progress [s].
_PACE = 0.1


@dataclass(frozen=True)
class Run:
    """What to fetch.

    Attributes
    ----------
    query : Query
        Which sessions.
    client : callable
        Gives whom to ask; called beside the kernel, since it may take a moment.
    max_sessions : int or None
        Where to stop.
    """

    query: Query
    client: Callable[[], Client]
    max_sessions: int | None


class Runner:
    """Runs one fetch at a time beside the kernel, shows it, and keeps what came.

    Parameters
    ----------
    wanted : callable
        Gives the `Run` of the form; raises an `LrnError` where a field is wrong.

    Attributes
    ----------
    study : SessionData or None
        What was fetched last, a cancelled or failed fetch included.
    error : Exception or None
        What stopped the last fetch.
    running : bool
        Whether a fetch is under way.
    """

    def __init__(self, wanted: Callable[[], Run]) -> None:
        self.study: SessionData | None = None
        self.error: Exception | None = None
        self.running = False
        self._wanted = wanted
        self._last: Run | None = None
        self._unfinished = False
        self._ready = True
        self._background = Background()
        self._stop = threading.Event()
        # The browser's messages may be served by another thread than cells are.
        self._lock = threading.RLock()
        self._fetch = button("Fetch", self._clicked(self.fetch), primary=True)
        self._cancel = button("Cancel", self._clicked(self.cancel))
        self._go_on = button("Go on", self._clicked(self.go_on))
        self.readiness = Note()
        self._bar = widgets.HTML(layout=widgets.Layout(width="440px", margin="0 0 0 2px"))
        self._status = Note()
        self._summary = widgets.HTML()
        self._enable()

    def rows(self) -> list[Any]:
        """Give the rows of the form."""
        return [
            row(self._fetch, self._cancel, self._go_on, self.readiness.widget),
            self._bar,
            row(self._status.widget),
            self._summary,
        ]

    def ready(self, ready: bool) -> None:
        """Say whether the fields are right: only then can a fetch be started."""
        self._ready = ready
        self._enable()

    def fetch(self) -> None:
        """Start what the form asks for.

        Raises
        ------
        QueryError
            A field is wrong, or a fetch is under way. Nothing is sent.
        """
        self._start(self._wanted(), None)

    def go_on(self) -> None:
        """Fetch the rest of a fetch that was cancelled or failed.

        Raises
        ------
        QueryError
            There is none, or a fetch is under way.
        """
        if self._last is None or self.study is None or not self._unfinished:
            raise QueryError("no fetch was left unfinished: there is nothing to go on with")
        self._start(self._last, self.study)

    def cancel(self) -> None:
        """End the fetch after the page under way; what has come is in `study`."""
        self._stop.set()
        if self.running:
            self._status.say("cancelling after the page under way …", "good")
        self._enable()

    def wait(self, timeout: float | None = None) -> None:
        """Wait for the fetch [s]."""
        self._background.wait(timeout)

    def _clicked(self, act: Callable[[], None]) -> Callable[[object], None]:
        return lambda _: self._shown(act)

    def _shown(self, act: Callable[[], None]) -> None:
        """Act, and show what goes wrong: of a callback's exceptions nothing would be seen."""
        with self._lock:
            try:
                act()
            except Exception as error:  # noqa: BLE001 - the border to the browser
                self.error = error
                self._status.say(error_words(error), "wrong")

    def _enable(self) -> None:
        self._fetch.disabled = self.running or not self._ready
        self._cancel.disabled = not self.running or self._stop.is_set()
        rest = self._unfinished and self.study is not None and not self.running
        self._go_on.layout.display = "" if rest else "none"

    def _start(self, run: Run, before: SessionData | None) -> None:
        with self._lock:
            if self.running:
                raise QueryError("a fetch is under way: cancel it, or wait until it has ended")
            left = run.max_sessions
            if left is not None and before is not None:
                left = max(left - len(before), 1)
            self.running, self.error, self._last = True, None, run
            self._stop.clear()
            self._summary.value = ""
            self._show_progress(0, 0, 0.0, left)
            self._enable()
            self._background.start(lambda: self._work(run, before, left))

    def _work(self, run: Run, before: SessionData | None, left: int | None) -> None:
        """The fetch, in a thread of its own: it touches no widget."""
        started = time.perf_counter()
        shown = 0.0

        def on_page(crawl: Crawl) -> None:
            nonlocal shown
            now = time.perf_counter()
            if now - shown >= _PACE:
                shown = now
                facts = (crawl.sessions, crawl.pages, now - started, left)
                self._background.show(lambda: self._shown(lambda: self._show_progress(*facts)))

        study, error = None, None
        try:
            study = collect(
                run.query,
                run.client(),
                next=None if before is None else before.next,
                max_sessions=left,
                progress=False,
                cancelled=self._stop.is_set,
                on_page=on_page,
            )
            study = study if before is None else before.updated(study)
        except Exception as caught:  # noqa: BLE001 - what a thread does not keep is lost
            error = caught
            study = _kept(before, caught)
        with self._lock:
            # An error before the first page leaves what an earlier fetch gave.
            self.study = self.study if study is None else study
            self._unfinished = study is not None and (error is not None or self._stop.is_set())
            self.error = error
            self.running = False
        seconds = time.perf_counter() - started
        self._background.show(lambda: self._shown(lambda: self._show_end(seconds)))

    def _show_progress(self, sessions: int, pages: int, seconds: float, left: int | None) -> None:
        # Not ipywidgets' bar, which has no role that a screen reader knows, nor a state of
        # "no one knows how many".
        how_far = "" if left is None else f' max="{left}" value="{sessions}"'
        bar = f'<progress aria-label="sessions fetched"{how_far} style="width:100%"></progress>'
        if self._bar.value != bar:
            self._bar.value = bar
        of = "" if left is None else f" of {left:,}"
        rate = f", {sessions / seconds:,.0f} sessions a second" if sessions and seconds else ""
        cancelling = "; cancelling" if self._stop.is_set() else ""
        self._status.say(
            f"{sessions:,}{of} sessions in {pages:,} page{'s' if pages > 1 else ''}"
            f"{rate}{cancelling} …"
            if pages
            else "asking for the first page …",
            "good",
        )

    def _show_end(self, seconds: float) -> None:
        study, error = self.study, self.error
        self._bar.value = ""
        self._enable()
        kept = "nothing was fetched" if study is None else f"{len(study):,} sessions, in form.study"
        if error is not None:
            unchanged = "" if study is None else "; form.study is unchanged"
            rest = f" — kept: {kept}; Go on fetches the rest" if self._unfinished else unchanged
            self._status.say(f"{error_words(error)}{rest}", "wrong")
        elif self._unfinished:
            self._status.say(
                f"Cancelled after {seconds:.1f} s: {kept}; Go on fetches the rest", "good"
            )
        else:
            self._status.say(f"Done in {seconds:.1f} s: {kept}", "good")
        self._summary.value = "" if study is None else _summary(study)


def _kept(before: SessionData | None, error: Exception) -> SessionData | None:
    """What there is in spite of an error; None where no session came."""
    came = error.partial if isinstance(error, LrnError) else None
    if came is None or not len(came):
        return before
    return came if before is None else before.updated(came)


def _summary(study: SessionData) -> str:
    """Say what is in the three tables."""
    sessions, responses, items = study
    statuses = sessions["status"].value_counts()
    facts = {
        "sessions": (
            len(sessions),
            ", ".join(
                [
                    f"{sessions['user_id'].nunique():,} learners",
                    *(f"{count:,} {name}" for name, count in statuses[statuses > 0].items()),
                ]
            ),
        ),
        "responses": (
            len(responses),
            f"{responses['question_type'].nunique():,} question types",
        ),
        "items": (len(items), f"{items['item_reference'].nunique():,} different"),
    }
    left, right = 'style="text-align:left"', 'style="text-align:right"'
    lines = "".join(
        f'<tr><th scope="row" {left}>{name}</th><td {right}>{count:,}</td>'
        f"<td {left}>{html.escape(text)}</td></tr>"
        for name, (count, text) in facts.items()
    )
    found = len(study.check())
    checked = (
        f"{found} finding{'s' if found > 1 else ''} about the data: form.study.check()"
        if found
        else "the three tables hold together"
    )
    return (
        '<table style="margin-left:8px;border-spacing:10px 2px;line-height:1.35">'
        f"<caption {left}>{html.escape(checked)}</caption>"
        f'<thead><tr><th scope="col" {left}>table</th><th scope="col" {right}>rows</th>'
        f'<th scope="col" {left}>of</th></tr></thead><tbody>{lines}</tbody></table>'
    )
