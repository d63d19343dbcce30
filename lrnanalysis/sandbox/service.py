"""The embedded Data API without its HTTP: from the parts of a request to an answer.

What is certain of the Data API is followed; where it is not known, the choice is named at the
setting or in the module that makes it.
"""

from __future__ import annotations

import re
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

import msgspec

from lrnanalysis.sandbox import growth as steps
from lrnanalysis.sandbox import parameters
from lrnanalysis.sandbox.corpus import Corpus, Page, Record
from lrnanalysis.sandbox.faults import Fault, Faults
from lrnanalysis.sandbox.growth import Growth, Marks
from lrnanalysis.sandbox.parameters import Wanted
from lrnanalysis.sandbox.ratelimit import RateLimit
from lrnanalysis.sandbox.refusals import Refusal
from lrnanalysis.sandbox.signature import Consumer, authenticate

__all__ = ["Answer", "LoggedRequest", "Service"]

_PATH = re.compile(r"/([^/]+)/sessions/responses/?")

#: Requests that the log keeps.
_LOG = 10_000


@dataclass(frozen=True, slots=True)
class Answer:
    """What to send, and how.

    Attributes
    ----------
    http_status : int
        Status of the HTTP response.
    content_type : str
        Of the body.
    body : bytes
        The whole body.
    delay : float or None
        Wait before the answer [s]; None waits until the client hangs up.
    cut : bool
        Promise the whole body and send half of it.
    """

    http_status: int
    content_type: str
    body: bytes
    delay: float | None = 0.0
    cut: bool = False


@dataclass(frozen=True, slots=True)
class LoggedRequest:
    """A request that the embedded Data API has seen. Holds no signature and no secret.

    Attributes
    ----------
    number : int
        From 1, in order of arrival.
    version : str
        The version in the path.
    parameters : dict
        The request as it was sent, decoded; empty where it could not be.
    http_status : int
        The status of the answer.
    code : int or None
        The code of a refusal.
    records : int or None
        Sessions in the answer; None where it is a refusal.
    fault : str or None
        The kind of the fault that was committed.
    """

    number: int
    version: str
    parameters: dict[str, Any]
    http_status: int
    code: int | None = None
    records: int | None = None
    fault: str | None = None


class Service:
    """Answers requests for sessions. May be shared by threads.

    Parameters
    ----------
    corpus : Corpus
        The sessions.
    consumer : Consumer
        Who may ask.
    marks : Marks
        What answers are worth that are scored later.
    growth : iterable of Growth
        What becomes new by itself.
    latency : float, default 0.0
        Wait before each page [s].
    faults : iterable of Fault
        What goes wrong, see `Fault`.
    rate_limit : int or None, default 1000
        Requests in any `rate_window` seconds; None sets no limit.
    rate_window : float, default 5.0
        Seconds.
    next_on_empty : bool, default True
        Whether an empty page repeats the token it was asked with. The documentation gives `next`
        only with results; measured, it also came with an empty page. A client must bear both.
    clock : callable, default time.time
        The present [Unix seconds], for growth and `meta.timestamp`. Signatures are always
        checked against the real time.
    """

    def __init__(
        self,
        corpus: Corpus,
        consumer: Consumer,
        *,
        marks: Marks,
        growth: Iterable[Growth] = (),
        latency: float = 0.0,
        faults: Iterable[Fault] = (),
        rate_limit: int | None = 1000,
        rate_window: float = 5.0,
        next_on_empty: bool = True,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._corpus = corpus
        self._consumer = consumer
        self._lock = threading.Lock()
        self._growing = threading.Lock()
        self._growth = tuple(growth)
        self._marks = marks
        self._seen = 0
        self._log: deque[LoggedRequest] = deque(maxlen=_LOG)
        self._rate = None if rate_limit is None else RateLimit(rate_limit, rate_window)
        self._clock = clock
        self.next_on_empty = next_on_empty
        self.latency = latency
        self.faults = faults

    @property
    def latency(self) -> float:
        """Wait before each page [s]; may be set while serving."""
        return self._latency

    @latency.setter
    def latency(self, seconds: float) -> None:
        if not seconds >= 0:
            raise ValueError(f"latency is {seconds}: it is a number of seconds, 0 or more")
        self._latency = seconds

    @property
    def faults(self) -> tuple[Fault, ...]:
        """The faults in force; may be set while serving, which starts their counts anew."""
        return self._faults.all

    @faults.setter
    def faults(self, faults: Iterable[Fault]) -> None:
        self._faults = Faults(faults)

    @property
    def log(self) -> list[LoggedRequest]:
        """The last 10,000 requests seen, the oldest first."""
        with self._lock:
            return list(self._log)

    def put(self, records: Iterable[Record]) -> int:
        """Save sessions: a known `session_id` is replaced, another is new.

        Parameters
        ----------
        records : iterable of dict, bytes or str
            The sessions as they are from now on; their updated time is the present.

        Returns
        -------
        int
            How many of them are new.

        Raises
        ------
        ValueError
            A record is not JSON; none is saved then.
        """
        return self._corpus.put(records, int(self._clock()))

    def grow(self, *, sessions: int = 0, submitted: int = 0, marked: int = 0) -> Growth:
        """Let time pass: sessions come, are submitted, are marked. Each is then updated now.

        Parameters
        ----------
        sessions : int, default 0
            New sessions, from those that are withheld.
        submitted : int, default 0
            Incomplete sessions that are submitted, those updated first.
        marked : int, default 0
            Sessions Pending Scoring that are marked, those updated first.

        Returns
        -------
        Growth
            What was done: less than asked for where there is no more.

        Raises
        ------
        ValueError
            A number is negative.
        """
        asked = Growth(sessions, submitted, marked)
        now = int(self._clock())
        with self._growing:
            return Growth(
                sessions=self._corpus.release(asked.sessions, now),
                submitted=self._step("Incomplete", asked.submitted, steps.submit, now),
                marked=self._step("Pending Scoring", asked.marked, steps.mark, now),
            )

    def _step(self, status: str, number: int, step: steps.Step, now: int) -> int:
        records = [
            step(msgspec.json.decode(text), now, self._marks)
            for text in self._corpus.first(status, number)
        ]
        self._corpus.put(records, now)
        return len(records)

    def _grow_by_itself(self, request: int | None) -> None:
        """Do what is ordered for just before a request, or with None for after empty pages."""
        for growth in self._growth:
            if growth.at is None if request is None else request in (growth.at or ()):
                self.grow(
                    sessions=growth.sessions, submitted=growth.submitted, marked=growth.marked
                )

    def answer(self, method: str, path: str, body: bytes) -> Answer:
        """Answer one HTTP request.

        Parameters
        ----------
        method, path : str
            Of the HTTP request.
        body : bytes
            Its form fields, URL-encoded.
        """
        found = _PATH.fullmatch(path)
        if found is None:
            return _plain(404, "Not found: the path is /{version}/sessions/responses")
        if method != "POST":
            return _plain(405, "Method not allowed: every request is a POST")
        with self._lock:
            self._seen += 1
            number = self._seen
        version = found[1]
        sent: dict[str, Any] = {}
        try:
            form = _form(body)
            # Decoded before the signature is checked, so that the log can name what was asked.
            decoded = _decoded(form.get("request"))
            sent = decoded or {}
            self._admit(form)
            if decoded is None:
                raise Refusal(20003, "request is a JSON object")
            wanted = parameters.read(decoded)
            self._grow_by_itself(number)
            page = self._corpus.page(wanted)
            answer = self._paged(number, version, sent, wanted, page)
            if not page.records:
                self._grow_by_itself(None)
            return answer
        except Refusal as refusal:
            return self._refused(number, version, sent, refusal)

    def _admit(self, form: dict[str, str]) -> None:
        """Let a request pass by its signature, the rate limit and its action, or refuse it."""
        action = form.get("action")
        authenticate(self._consumer, form.get("security"), form.get("request"), action, time.time())
        with self._lock:
            if self._rate is not None and not self._rate.passes(time.monotonic()):
                raise Refusal(42000)
        if action not in (None, "get"):
            raise Refusal(20004, "action is get: the embedded Data API is only read")

    def _paged(
        self, number: int, version: str, sent: dict[str, Any], wanted: Wanted, page: Page
    ) -> Answer:
        fault = self._faults.commit(number, wanted, page)
        kind = None if fault is None else fault.kind
        if fault is not None and kind in ("error", "status_false", "too_large"):
            code = 20027 if kind == "too_large" else (fault.code or 10000)
            return self._refused(number, version, sent, Refusal(code), fault)
        if kind == "empty":
            page = Page([], None)
        token = page.next if page.records or not self.next_on_empty else wanted.token
        if kind == "repeat_token":
            token = wanted.token
        answer = _BROKEN.get(kind or "") or _json(200, self._envelope(version, token, page))
        delay: float | None = self.latency
        if fault is not None and kind == "stall":
            delay = fault.seconds
        self._note(
            LoggedRequest(number, version, sent, answer.http_status, None, len(page.records), kind)
        )
        return Answer(
            answer.http_status, answer.content_type, answer.body, delay, cut=kind == "cut"
        )

    def _envelope(self, version: str, token: str | None, page: Page) -> bytes:
        meta: dict[str, Any] = {"status": True, "timestamp": int(self._clock())}
        if token is not None:
            meta["next"] = token
        meta["records"] = len(page.records)
        meta["versions"] = {"requested": version, "mapped": version, "concrete": version}
        # The records are JSON already: they are joined once, never decoded.
        between = [b","] * (2 * len(page.records) - 1) if page.records else []
        between[::2] = page.records
        return b"".join((b'{"meta":', msgspec.json.encode(meta), b',"data":[', *between, b"]}"))

    def _refused(
        self,
        number: int,
        version: str,
        sent: dict[str, Any],
        refusal: Refusal,
        fault: Fault | None = None,
    ) -> Answer:
        meta = {
            "status": False,
            "timestamp": int(self._clock()),
            "code": refusal.code,
            "message": refusal.message,
            "request_uuid": str(uuid.uuid4()),
        }
        kind = None if fault is None else fault.kind
        http_status = 200 if kind == "status_false" else refusal.http_status
        self._note(LoggedRequest(number, version, sent, http_status, refusal.code, None, kind))
        return _json(http_status, msgspec.json.encode({"meta": meta}))

    def _note(self, request: LoggedRequest) -> None:
        with self._lock:
            self._log.append(request)


def _form(body: bytes) -> dict[str, str]:
    try:
        fields = parse_qs(body.decode("ascii"), keep_blank_values=True, errors="strict")
    except UnicodeDecodeError as error:
        raise Refusal(41000, "the form fields are not URL-encoded UTF-8") from error
    return {name: values[-1] for name, values in fields.items()}


def _decoded(request: str | None) -> dict[str, Any] | None:
    """The request's parameters; None where it is no JSON object."""
    if request is None:
        return {}
    try:
        return msgspec.json.decode(request, type=dict[str, Any])
    except msgspec.DecodeError:
        return None


def _plain(http_status: int, text: str) -> Answer:
    return Answer(http_status, "text/plain; charset=utf-8", text.encode())


def _json(http_status: int, body: bytes) -> Answer:
    return Answer(http_status, "application/json", body)


#: Kind of fault → the answer that takes the page's place.
_BROKEN = {
    "bad_gateway": Answer(502, "text/html", b"<html><body><h1>502 Bad Gateway</h1></body></html>"),
    "not_json": _json(200, b'{"meta": {"status": true, "records": '),
    "wrong_shape": _json(200, b'{"data": []}'),
}
