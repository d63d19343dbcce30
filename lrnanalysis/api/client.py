"""Client: one signed POST to the Data API, with time-outs, retries and a rate budget.

The only module that speaks HTTP. The signature is learnosity-sdk's; connection, retries and errors
are ours, since the SDK's own request has no time-out and puts whole bodies into exceptions.
"""

from __future__ import annotations

import copy
import logging
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self, TypeVar

import msgspec
import requests
from learnosity_sdk import _version as sdk_version
from learnosity_sdk.request import Init
from requests.adapters import HTTPAdapter

from lrnanalysis.api.credentials import address, find_credentials, is_loopback
from lrnanalysis.api.query import MOST_PER_PAGE
from lrnanalysis.api.rate_limit import RateBudget, Tries, check_settings
from lrnanalysis.errors import ApiError, AuthError, RateLimitError, TransportError

__all__ = ["Client", "Page"]

_LOG = logging.getLogger(__name__)

_ENDPOINT = "sessions/responses"
_ACTION = "get"

#: The Data API's own codes.
_INTERNAL = frozenset({10000, 50100, 20018})
_TOO_LARGE = 20027
_AUTHENTICATION = range(41000, 41010)
_CLOCK = 41004
_RATE = 42000

_LONGEST_MESSAGE = 200
_PIECE = 2**20

#: Hexadecimal digits as long as a signature's.
_SIGNATURE = re.compile(r"(?:\$\d\d\$)?[0-9a-fA-F]{64}")


@dataclass(frozen=True)
class Page:
    """One page as it came.

    Attributes
    ----------
    body : bytes
        The whole answer.
    sessions : int
        How many sessions it holds, counted.
    next : str or None
        The token to go on from.
    timestamp : int or None
        The service's clock when it answered [Unix s].
    limit : int or None
        The page limit that it was asked with, smaller than asked for where the answer was too
        large.
    """

    body: bytes
    sessions: int
    next: str | None
    timestamp: int | None
    limit: int | None

    def __repr__(self) -> str:
        return f"<Page of {self.sessions} sessions, {len(self.body):,} bytes>"


class _Head(msgspec.Struct):
    meta: dict[str, Any] = {}


class _Envelope(msgspec.Struct):
    # Raw is a view of the bytes: a page's sessions are counted, not decoded.
    meta: dict[str, Any]
    data: list[msgspec.Raw]


_HEAD = msgspec.json.Decoder(_Head)
_ENVELOPE = msgspec.json.Decoder(_Envelope)


class Client:
    """Asks the Data API's ``sessions/responses``, one signed page at a time.

    Safe to share between threads. `with` closes its connections.

    Parameters
    ----------
    consumer_key, consumer_secret : str, optional
        Default: ``LRN_CONSUMER_KEY`` and ``LRN_CONSUMER_SECRET``, else the profile's.
    domain : str, optional
        Default: ``LRN_DOMAIN``, else the profile's, else "localhost".
    version : str, optional
        The LTS version in the path. Default: ``LRN_VERSION``, the profile's, else "v2026.2.LTS".
    region : str, optional
        "va", "ie", "au", "ca" or "or": where the consumer was set up. Default: ``LRN_REGION``,
        the profile's, else US East.
    base_url : str, optional
        Another address, such as that of an embedded Data API. https, loopback aside; loopback is
        asked without a proxy.
    profile : str, optional
        A section of ``~/.learnosity/credentials`` and ``~/.learnosity/config``, which then goes
        before the environment. Default: ``LRN_PROFILE``, else "default" where there is one.
    timeout : tuple of float, default (10, 60)
        Longest wait for a connection, and for the next bytes of an answer [s].
    max_retries : int, default 5
        How often a request is sent again after a fault that may pass.
    backoff : float, default 0.5
        Longest pause before the first retry [s]; doubles with each, up to 30 s, with full jitter.
    rate_limit : tuple of int and float, default (1000, 5.0)
        Requests in seconds that the client keeps to.
    rate_limit_wait : float, default 5.0
        How long nothing is sent after a 429 [s]: the documented window.

    Raises
    ------
    CredentialsError
        There are no credentials, or only a part.
    QueryError
        The region is unknown, the address is neither https nor loopback, or another setting is
        impossible.

    Examples
    --------
    >>> Client("a-key", "a-secret", domain="localhost", region="au", version="v2026.2.LTS")
    Client(consumer_key='***', domain='localhost', url='https://data-au.learnosity.com/v2026.2.LTS')
    """

    def __init__(
        self,
        consumer_key: str | None = None,
        consumer_secret: str | None = None,
        domain: str | None = None,
        version: str | None = None,
        region: str | None = None,
        base_url: str | None = None,
        *,
        profile: str | None = None,
        timeout: tuple[float, float] = (10.0, 60.0),
        max_retries: int = 5,
        backoff: float = 0.5,
        rate_limit: tuple[int, float] = (1000, 5.0),
        rate_limit_wait: float = 5.0,
    ) -> None:
        check_settings(timeout, max_retries, backoff, rate_limit_wait)
        self._budget = RateBudget(*rate_limit)
        self._credentials = find_credentials(
            {
                "consumer_key": consumer_key,
                "consumer_secret": consumer_secret,
                "domain": domain,
                "version": version,
                "region": region,
            },
            profile,
        )
        self._base = address(self._credentials, base_url)
        self._timeout = (float(timeout[0]), float(timeout[1]))
        self._max_retries = max_retries
        self._backoff = backoff
        self._rate_limit_wait = rate_limit_wait
        self._session = requests.Session()
        # A proxy of the environment would be asked for its own loopback.
        self._session.trust_env = not is_loopback(self._base)
        adapter = HTTPAdapter(pool_connections=1, pool_maxsize=16)
        self._session.mount("https://", adapter)
        self._session.mount("http://", adapter)

    def __repr__(self) -> str:
        return (
            f"Client(consumer_key='***', domain={self._credentials.domain!r}, url={self._base!r})"
        )

    def __reduce__(self) -> str | tuple[Any, ...]:
        raise TypeError(
            "a Client holds credentials and is not pickled: make one where it is needed"
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the pooled connections."""
        self._session.close()

    def post(self, request: Mapping[str, Any], *, page: int = 1) -> Page:
        """Ask for one page, again after faults that may pass.

        Parameters
        ----------
        request : mapping
            The body, as `Query.to_request` gives it. It is not changed.
        page : int, default 1
            Its number, for messages.

        Returns
        -------
        Page
            The answer.

        Raises
        ------
        AuthError
            Refused: key, signature, domain or clock. A clock that is off is signed again once.
        RateLimitError
            Still refused with 429 after the last retry.
        ApiError
            Another refusal, or an answer that is no page.
        TransportError
            No whole answer after the last retry.

        Notes
        -----
        Sent again, after a pause that grows, are requests that met no connection, a time-out, a
        cut or unreadable answer, HTTP 5xx, the API's internal errors (10000, 20018, 50100) and
        429. An answer that is too large (20027) is asked for with half the limit. Nothing else
        is sent again.

        Examples
        --------
        >>> from lrnanalysis import sandbox
        >>> with sandbox.serve(learners=20, items=5, seed=1) as api, api.client() as client:
        ...     client.post({"limit": 8}).sessions
        8
        """
        body = dict(request)
        tries = Tries(self._max_retries, self._backoff)
        while True:
            try:
                answer = self._ask(body, page)
            except requests.RequestException as fault:
                _take_out_request(fault)
                if not (isinstance(fault, _PASSING) and tries.left()):
                    raise _transport_error(fault, page, tries.sent) from fault
                tries.wait()
                continue
            if isinstance(answer, Page):
                return answer
            limit = body.get("limit") or MOST_PER_PAGE
            if answer.code == _TOO_LARGE and limit > 1:
                body["limit"] = limit // 2
            elif answer.code == _CLOCK and tries.sign_again():
                pass
            elif answer.passing and tries.left():
                if answer.rate:
                    self._budget.hold(self._rate_limit_wait)
                tries.wait()
            else:
                raise answer.error(page, tries.sent, self._credentials.version)

    def _ask(self, body: dict[str, Any], page: int) -> Page | _Refusal:
        self._budget.spend()
        started = time.perf_counter()
        answer = self._session.post(
            f"{self._base}/{_ENDPOINT}",
            data=self._signed(body),
            headers=self._headers(),
            timeout=self._timeout,
            allow_redirects=False,
            stream=True,
        )
        # In large pieces: the default ones of 10 KB cost more time than decoding the page.
        content = b"".join(answer.iter_content(_PIECE))
        seconds = time.perf_counter() - started
        _LOG.debug("page %d: HTTP %d in %.3f s", page, answer.status_code, seconds)
        return _read(answer.status_code, content, body.get("limit"))

    def _signed(self, body: dict[str, Any]) -> Any:
        # Without a timestamp the SDK takes the present one. It writes into the body it signs.
        security = {
            "consumer_key": self._credentials.consumer_key,
            "domain": self._credentials.domain,
        }
        secret = self._credentials.consumer_secret
        return Init("data", security, secret, copy.deepcopy(body), _ACTION).generate()

    def _headers(self) -> dict[str, str]:
        # Those that the SDK's own request sends, for the service's routing.
        return {
            "X-Learnosity-Consumer": self._credentials.consumer_key,
            "X-Learnosity-Action": f"{_ACTION}_/{_ENDPOINT}",
            "X-Learnosity-SDK": f"Python:{sdk_version.__version__.lstrip('v')}",
        }


#: Faults of the way, not of the request.
_PASSING = (
    requests.ConnectionError,
    requests.Timeout,
    requests.exceptions.ChunkedEncodingError,
    requests.exceptions.ContentDecodingError,
)


class _Refusal:
    """An answer that is not a page."""

    def __init__(self, status: int, meta: Mapping[str, Any], *, readable: bool = True) -> None:
        self.status = status
        self.readable = readable
        self.code = _whole_number(meta.get("code"))
        self.message = _shortened(meta.get("message"))
        self.uuid = _shortened(meta.get("request_uuid"))

    @property
    def rate(self) -> bool:
        return self.status == 429 or self.code == _RATE

    @property
    def passing(self) -> bool:
        """Whether the same request may succeed later."""
        broken = self.status >= 500 or not self.readable
        return self.rate or broken or self.code in _INTERNAL

    def error(self, page: int, tries: int, version: str) -> ApiError:
        kind = ApiError
        if self.rate:
            kind = RateLimitError
        elif self.code in _AUTHENTICATION or self.status in (401, 403):
            kind = AuthError
        text = (
            f"the Data API refused page {page} with HTTP {self.status}"
            if self.readable
            else f"the Data API's answer for page {page} is no page of sessions (HTTP "
            f"{self.status}): check base_url= and any proxy on the way"
        )
        text += f", code {self.code}" if self.code is not None else ""
        text += f": {self.message}" if self.message else ""
        text += f" (request {self.uuid})" if self.uuid else ""
        text += f", after {tries} tries" if tries > 1 else ""
        advice = self._advice(version)
        return kind(
            f"{text}; {advice}" if advice else text,
            http_status=self.status,
            code=self.code,
            api_message=self.message,
            request_uuid=self.uuid,
            page=page,
        )

    def _advice(self, version: str) -> str:
        by_code = {
            20027: "a single session is too large to be sent",
            41001: "check the consumer key, and that it belongs to this region",
            41002: "check the consumer secret",
            41003: "check the consumer secret",
            41004: "check this machine's clock",
            41005: "check the domain: it has to be one of the consumer's",
            43000: f"pass a newer version= than {version!r}",
        }
        if self.code in by_code:
            return by_code[self.code]
        if self.status == 404:
            return f"check version=, which is a part of the address: it is {version!r}"
        if 300 <= self.status < 400:
            return "redirects are not followed, since they lose the request: check base_url="
        return ""


def _read(status: int, body: bytes, limit: int | None) -> Page | _Refusal:
    """Take an answer for a page, or say what it is instead."""
    envelope = _decoded(_ENVELOPE, body) if status == 200 else None
    if envelope is None:
        head = _decoded(_HEAD, body) or _Head()
        refused = status != 200 or head.meta.get("status") is False
        return _Refusal(status, head.meta, readable=refused)
    meta = envelope.meta
    if meta.get("status") is False:
        return _Refusal(status, meta)
    token = meta.get("next")
    return Page(
        body=body,
        sessions=len(envelope.data),
        next=str(token) if token not in (None, "", False) else None,
        timestamp=_whole_number(meta.get("timestamp")),
        limit=limit,
    )


_Struct = TypeVar("_Struct", bound=msgspec.Struct)


def _decoded(decoder: msgspec.json.Decoder[_Struct], body: bytes) -> _Struct | None:
    """The answer's frame, or None. The error ends here: some hold the whole body."""
    try:
        return decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _whole_number(value: object) -> int | None:
    if isinstance(value, str) and value.isascii() and value.isdigit():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _shortened(text: object) -> str | None:
    if not isinstance(text, str) or not text.strip():
        return None
    return _SIGNATURE.sub("***", " ".join(text.split()))[:_LONGEST_MESSAGE]


def _take_out_request(fault: BaseException) -> None:
    """Forget the request, which holds key and signature, in a fault and in what led to it."""
    found: list[BaseException | None] = [fault]
    while found:
        one = found.pop()
        if one is None:
            continue
        if isinstance(one, requests.RequestException):
            one.request = None
            one.response = None
        # The frames of requests and urllib3 have it among their variables.
        one.__traceback__ = None
        found += [one.__cause__, one.__context__]


def _transport_error(fault: requests.RequestException, page: int, sent: int) -> TransportError:
    kind = "no answer in time" if isinstance(fault, requests.Timeout) else "no whole answer"
    return TransportError(
        f"{kind} for page {page} after {sent} {'try' if sent == 1 else 'tries'} "
        f"({type(fault).__name__}): check the connection, and go on from .partial.next",
        page=page,
    )
