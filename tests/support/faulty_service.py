"""An embedded Data API with faults on request, so that clients can be seen to survive them."""

import asyncio
import json
import threading
import time
from dataclasses import asdict, dataclass, replace

from lrnanalysis.sandbox import Sandbox
from lrnanalysis.sandbox.refusals import CODES, Refusal
from lrnanalysis.sandbox.service import HttpAnswer

#: Documented codes with which the sandbox itself never refuses a request → HTTP status.
OTHER_CODES = {
    10000: 500, 20000: 400, 20018: 500, 20027: 400, 41008: 403, 41009: 403, 43000: 410, 50100: 500,
}  # fmt: skip

STATUS_OF = {code: status for code, (status, _) in CODES.items()} | OTHER_CODES

KINDS = (
    "error", "status_false", "bad_gateway", "stall", "cut", "not_json", "wrong_shape",
    "repeat_token", "empty", "too_large",
)  # fmt: skip


@dataclass(frozen=True)
class Fault:
    """One fault, and the requests that it affects: only those that would be answered by a page.

    Attributes
    ----------
    kind : str
        "error"
            Refusal with `code` and its HTTP status.
        "status_false"
            The same inside an HTTP 200.
        "bad_gateway"
            502 with a page of HTML, as from a proxy.
        "stall"
            The page is `seconds` late; by default it comes when the server is closed.
        "cut"
            The connection closes in the middle of the body.
        "not_json"
            200 with a body that is not JSON.
        "wrong_shape"
            200 with JSON without `meta`.
        "repeat_token"
            A page with sessions repeats the token of its request.
        "empty"
            No sessions although there are some.
        "too_large"
            20027 for every request whose `limit` is above `above`.
    at : tuple of int, optional
        Numbers of the requests, from 1. By default every request.
    times : int, optional
        Most occurrences.
    code, seconds, above
        See the kinds.
    """

    kind: str
    at: tuple[int, ...] | None = None
    times: int | None = None
    code: int = 10000
    seconds: float | None = None
    above: int = 25

    def __post_init__(self):
        assert self.kind in KINDS
        assert self.code in STATUS_OF

    def affects(self, number, wanted, answer):
        if self.at is not None and number not in self.at:
            return False
        if self.kind == "repeat_token":
            return wanted.token is not None and answer.records > 0
        return self.kind != "too_large" or wanted.limit > self.above


class OrderedRefusal(Refusal):
    """A refusal with any documented code and HTTP status."""

    def __init__(self, code, http_status):
        Exception.__init__(self)
        self.code, self.http_status = code, http_status
        self.message = CODES[code][1] if code in CODES else "Ordered by a test"


@dataclass(frozen=True, slots=True)
class FaultyAnswer(HttpAnswer):
    """A page that comes late, or only in part."""

    fault: Fault | None = None


class FaultySandbox(Sandbox):
    """A sandbox with faults, which may be set while it is serving.

    Parameters
    ----------
    source, **settings
        As for `Sandbox`.
    faults : iterable of Fault
        Of several that affect a request, the first one occurs.
    next_on_empty : bool
        Whether an empty page repeats the token of its request.
    updates : dict of int to dict
        Number of a request → arguments of `Sandbox.update` just before it is answered.
    clock : callable
        The present [Unix seconds].
    """

    def __init__(
        self, source, *, faults=(), next_on_empty=True, updates=None, clock=time.time, **settings
    ):
        self.faults = faults
        self._next_on_empty, self._updates, self._clock = next_on_empty, updates or {}, clock
        self._closed = threading.Event()
        super().__init__(source, **settings)

    @property
    def faults(self):
        return self._faults

    @faults.setter
    def faults(self, faults):
        self._faults = tuple(faults)
        self._left = [fault.times for fault in self._faults]

    def now(self):
        return int(self._clock())

    def close(self):
        self._closed.set()
        super().close()

    def _next_fault(self, number, wanted, answer):
        with self._lock:
            for at, fault in enumerate(self._faults):
                if self._left[at] != 0 and fault.affects(number, wanted, answer):
                    if fault.times is not None:
                        self._left[at] -= 1
                    return fault
        return None

    def _page(self, number, version, wanted):
        if number in self._updates:
            self.update(**self._updates[number])
        answer = super()._page(number, version, wanted)
        fault = self._next_fault(number, wanted, answer)
        kind = fault and fault.kind
        if kind == "error":
            raise OrderedRefusal(fault.code, STATUS_OF[fault.code])
        if kind == "status_false":
            raise OrderedRefusal(fault.code, 200)
        if kind == "too_large":
            raise OrderedRefusal(20027, 400)
        if kind == "bad_gateway":
            body = b"<html><body><h1>502 Bad Gateway</h1></body></html>"
            return replace(answer, http_status=502, content_type="text/html", body=body)
        if kind == "not_json":
            return replace(answer, body=b'{"meta": {"status": true, "records": ')
        if kind == "wrong_shape":
            return replace(answer, body=b'{"data": []}')
        if kind == "empty":
            answer = super()._page(number, version, replace(wanted, limit=0))
        if kind == "repeat_token":
            return _with_token(answer, wanted.token)
        if answer.records == 0 and not self._next_on_empty:
            answer = _with_token(answer, None)
        return FaultyAnswer(**asdict(answer), fault=fault) if kind in ("stall", "cut") else answer

    async def _send(self, answer, send):
        fault = answer.fault if isinstance(answer, FaultyAnswer) else None
        if fault is not None and fault.kind == "stall":
            await asyncio.to_thread(self._closed.wait, fault.seconds)
        elif fault is not None:
            whole, length = send, len(answer.body)

            async def send(message):
                if "body" in message:
                    # The headers promise more than comes: the server closes the connection.
                    message |= {"body": answer.body[: length // 2], "more_body": True}
                await whole(message)

        await super()._send(answer, send)


def _with_token(answer, token):
    page = json.loads(answer.body)
    page["meta"].pop("next", None)
    page["meta"] |= {"next": token} if token else {}
    return replace(answer, body=json.dumps(page).encode())
