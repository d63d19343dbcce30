"""The embedded Data API without HTTP: from the parts of a request to an answer.

Follows what is known of the Data API; where it is not known, the choice is documented at the
setting or in the module concerned.
"""

from __future__ import annotations

import re
import threading
import time
import uuid
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

import msgspec

from lrnanalysis.api.rate_limit import RateLimiter
from lrnanalysis.arguments import checked_with
from lrnanalysis.errors import SimulationError
from lrnanalysis.sandbox.refusals import Refusal
from lrnanalysis.sandbox.request_parameters import RequestedPage, read_parameters
from lrnanalysis.sandbox.session_store import Record, SessionStore
from lrnanalysis.sandbox.signature import authenticate
from lrnanalysis.sandbox.updates import LaterScores, UpdateCounts, UpdateStep, mark, submit

__all__ = ["HttpAnswer", "LoggedRequest", "Service"]

_PATH = re.compile(r"/([^/]+)/sessions/responses/?")

#: Requests kept in the log.
_LOG = 10_000


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """An HTTP response.

    Attributes
    ----------
    http_status : int
        Its status.
    body : bytes
        Its body.
    content_type : str
        Type of the body.
    code : int or None
        Code of a refusal.
    records : int or None
        Number of sessions on a page.
    """

    http_status: int
    body: bytes
    content_type: str = "application/json"
    code: int | None = None
    records: int | None = None


@dataclass(frozen=True, slots=True)
class LoggedRequest:
    """A request to the embedded Data API, without signature and secret.

    Attributes
    ----------
    number : int
        From 1, in order of arrival.
    version : str
        Version in the path.
    parameters : dict
        The decoded request; empty if it could not be decoded.
    http_status : int
        Status of the answer.
    code : int or None
        Code of a refusal.
    records : int or None
        Number of sessions in the answer; None for a refusal.
    """

    number: int
    version: str
    parameters: dict[str, Any]
    http_status: int
    code: int | None
    records: int | None


class Service:
    """Answers requests for sessions. May be shared by threads.

    Parameters
    ----------
    store : SessionStore
        The sessions.
    scores : LaterScores
        Points of responses that are scored later.
    rate_limit : tuple of int and float, or None
        Number of requests, and in how many seconds; None sets no limit.
    """

    def __init__(
        self,
        store: SessionStore,
        scores: LaterScores,
        rate_limit: tuple[int, float] | None,
    ) -> None:
        if rate_limit is not None and not (rate_limit[0] >= 1 and rate_limit[1] > 0):
            raise SimulationError(
                f"rate_limit is {rate_limit}: expects a number of requests and a number of "
                "seconds, both above 0, or None for no limit"
            )
        self._store = store
        self._scores = scores
        self._rate = None if rate_limit is None else RateLimiter(*rate_limit)
        self._lock = threading.Lock()
        self._updating = threading.Lock()
        self._seen = 0
        self._log: deque[LoggedRequest] = deque(maxlen=_LOG)

    @property
    def log(self) -> list[LoggedRequest]:
        """The last 10,000 requests, oldest first."""
        with self._lock:
            return list(self._log)

    @checked_with(SimulationError)
    def put(self, records: Iterable[Record]) -> int:
        """Save sessions: a known `session_id` is replaced, another one is new.

        Parameters
        ----------
        records : iterable of dict, bytes or str
            The sessions, updated now.

        Returns
        -------
        int
            Number of new sessions.

        Raises
        ------
        SimulationError
            A record is not JSON; none is saved then.
        """
        return self._store.put(records, self.now())

    @checked_with(SimulationError)
    def update(self, *, new: int = 0, submitted: int = 0, marked: int = 0) -> UpdateCounts:
        """Update sessions as time passes: some arrive, are submitted, are marked.

        Parameters
        ----------
        new : int, default 0
            Number of new sessions, from those withheld.
        submitted : int, default 0
            Number of Incomplete sessions to submit, those updated first.
        marked : int, default 0
            Number of sessions Pending Scoring to mark, those updated first.

        Returns
        -------
        UpdateCounts
            Numbers of sessions updated: less than requested if there are no more.

        Raises
        ------
        SimulationError
            A number is negative.
        """
        for name, number in (("new", new), ("submitted", submitted), ("marked", marked)):
            if number < 0:
                raise SimulationError(f"{name} is {number}: expects an integer, 0 or more")
        now = self.now()
        with self._updating:
            return UpdateCounts(
                new=self._store.release(new, now),
                submitted=self._apply(submit, "Incomplete", submitted, now),
                marked=self._apply(mark, "Pending Scoring", marked, now),
            )

    def _apply(self, step: UpdateStep, status: str, number: int, now: int) -> int:
        records = [
            step(msgspec.json.decode(text), now, self._scores)
            for text in self._store.first(status, number)
        ]
        self._store.put(records, now)
        return len(records)

    def now(self) -> int:
        """Return the present [Unix seconds], for `meta.timestamp` and updates."""
        return int(time.time())

    @checked_with(SimulationError)
    def answer(self, method: str, path: str, body: bytes) -> HttpAnswer:
        """Answer one HTTP request.

        Parameters
        ----------
        method, path : str
            Of the HTTP request.
        body : bytes
            Form fields, URL-encoded.

        Returns
        -------
        HttpAnswer
            A page, or a refusal.
        """
        found = _PATH.fullmatch(path)
        if found is None:
            return _plain(404, "Not found: the path is /{version}/sessions/responses")
        if method != "POST":
            return _plain(405, "Method not allowed: every request is a POST")
        with self._lock:
            self._seen += 1
            number = self._seen
        sent: dict[str, Any] = {}
        try:
            form = _form_fields(body)
            # Decoded before the signature is checked, so that the log can show it.
            decoded = _decoded(form.get("request"))
            sent = decoded or {}
            self._admit(form)
            if decoded is None:
                raise Refusal(20003, "request expects a JSON object")
            answer = self._page(number, found[1], read_parameters(decoded))
        except Refusal as refusal:
            answer = self._refusal(refusal)
        logged = (number, found[1], sent, answer.http_status, answer.code, answer.records)
        with self._lock:
            self._log.append(LoggedRequest(*logged))
        return answer

    def _admit(self, form: dict[str, str]) -> None:
        """Check signature, rate limit and action."""
        action = form.get("action")
        authenticate(form.get("security"), form.get("request"), action, time.time())
        if self._rate is not None and self._rate.try_acquire() > 0:
            raise Refusal(42000)
        if action not in (None, "get"):
            raise Refusal(20004, "action expects get: the embedded Data API is read-only")

    def _page(self, number: int, version: str, wanted: RequestedPage) -> HttpAnswer:
        """Answer request `number` with a page."""
        page = self._store.page(wanted)
        # An empty page repeats the token of its request, as measured; documented are none.
        token = page.next or wanted.token
        meta = {
            "status": True,
            "timestamp": self.now(),
            **({"next": token} if token else {}),
            "records": len(page.records),
            "versions": {"requested": version, "mapped": version, "concrete": version},
        }
        body = msgspec.json.encode({"meta": meta, "data": list(map(msgspec.Raw, page.records))})
        return HttpAnswer(200, body, records=len(page.records))

    def _refusal(self, refusal: Refusal) -> HttpAnswer:
        meta = {
            "status": False,
            "timestamp": self.now(),
            "code": refusal.code,
            "message": refusal.message,
            "request_uuid": str(uuid.uuid4()),
        }
        body = msgspec.json.encode({"meta": meta})
        return HttpAnswer(refusal.http_status, body, code=refusal.code)


def _form_fields(body: bytes) -> dict[str, str]:
    try:
        fields = parse_qs(body.decode("ascii"), keep_blank_values=True, errors="strict")
    except UnicodeDecodeError as error:
        raise Refusal(41000, "the form fields are not URL-encoded UTF-8") from error
    return {name: values[-1] for name, values in fields.items()}


def _decoded(request: str | None) -> dict[str, Any] | None:
    """The parameters of a request; None if it is not a JSON object."""
    if request is None:
        return {}
    try:
        return msgspec.json.decode(request, type=dict[str, Any])
    except msgspec.DecodeError:
        return None


def _plain(http_status: int, text: str) -> HttpAnswer:
    return HttpAnswer(http_status, text.encode(), "text/plain; charset=utf-8")
