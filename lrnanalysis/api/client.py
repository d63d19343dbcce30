"""Client: one signed POST to the Data API, with time-outs, retries and a rate limit.

The only module that uses HTTP. learnosity-sdk signs; connection, retries and errors are our own,
since the SDK's requests have no time-out and put whole bodies into exceptions.
"""

from __future__ import annotations

import codecs
import copy
import logging
import os
import re
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.client import HTTPException
from types import TracebackType
from typing import Any, Self, TypeVar

import msgspec
import requests
from learnosity_sdk import _version as sdk_version
from learnosity_sdk.request import Init
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError, ReadTimeoutError

from lrnanalysis.api.credentials import address, find_credentials, is_loopback
from lrnanalysis.api.endpoints import SESSIONS_RESPONSES, Endpoint
from lrnanalysis.api.rate_limit import (
    MAX_RETRY_AFTER,
    RateLimiter,
    RetryState,
    check_number,
    check_settings,
    retry_after,
)
from lrnanalysis.arguments import checked_with
from lrnanalysis.errors import ApiError, AuthError, QueryError, RateLimitError, TransportError

__all__ = ["Client", "Page"]

_LOG = logging.getLogger(__name__)

#: Error codes of the Data API.
_INTERNAL = frozenset({10000, 50100, 20018})
_TOO_LARGE = 20027
_AUTHENTICATION = range(41000, 41010)
_CLOCK = 41004
_RATE = 42000

#: Requests reach the service at other intervals than they are sent at, so the default time window
#: is a little longer than the documented one.
_MARGIN = 1.05

_MAX_MESSAGE = 200
_MAX_CHAIN = 200

#: Most bytes taken at once. Small chunks take more time than decoding the page.
_CHUNK = 2**20

#: Hexadecimal digits of the length of a signature.
_SIGNATURE = re.compile(r"(?:\$\d\d\$)?[0-9a-fA-F]{64}")


@dataclass(frozen=True)
class Page:
    """One page as received.

    Attributes
    ----------
    body : bytes
        The whole answer.
    records : int
        Number of records, counted.
    next : str or None
        Token from which to continue.
    timestamp : int or None
        Time of the service when it answered [Unix s].
    limit : int or None
        Page size of the request; smaller than requested if the answer would have been too large.
    """

    body: bytes
    records: int
    next: str | None
    timestamp: int | None
    limit: int | None

    def __repr__(self) -> str:
        return f"<Page of {self.records} records, {len(self.body):,} bytes>"


class _MetaOnly(msgspec.Struct):
    meta: dict[str, Any] = {}


class _Envelope(msgspec.Struct):
    # Raw is a view of the bytes: records are counted, not decoded.
    meta: dict[str, Any]
    data: list[msgspec.Raw]


_META_ONLY = msgspec.json.Decoder(_MetaOnly)
_ENVELOPE = msgspec.json.Decoder(_Envelope)


class Client:
    """Requests pages from the Data API, one signed request at a time.

    Safe to share between threads. `with` closes its connections.

    Parameters
    ----------
    consumer_key, consumer_secret : str, optional
        Default: ``LRN_CONSUMER_KEY`` and ``LRN_CONSUMER_SECRET``, else the profile's.
    domain : str, optional
        Default: ``LRN_DOMAIN``, else the profile's, else "localhost".
    version : str, optional
        LTS version in the path. Default: ``LRN_VERSION``, the profile's, else "v2026.2.LTS".
    region : str, optional
        "va", "ie", "au", "ca" or "or": where the consumer was set up. Default: ``LRN_REGION``,
        the profile's, else US East.
    base_url : str, optional
        Another address, such as that of an embedded Data API: https, or http on loopback, where
        no proxy is used.
    profile : str, optional
        A section of ``~/.learnosity/credentials`` and ``~/.learnosity/config``, which then takes
        precedence over the environment. Default: ``LRN_PROFILE``, else "default" if there is one.
    timeout : tuple of float, default (10, 60)
        Longest wait for a connection, and for the next bytes of an answer [s].
    page_timeout : float, default 600
        Longest time for a whole answer [s], however steadily it arrives.
    max_page_bytes : int, default 2**28
        Largest answer after decompression [bytes]. One that is larger is requested again with half
        the page size.
    max_retries : int, default 5
        How often a request is repeated after a temporary failure.
    backoff : float, default 0.5
        Longest pause before the first retry [s]; doubles with each, up to 30 s, with full jitter.
    rate_limit : tuple of int and float, optional
        Most requests, and in how many seconds, for each endpoint. Default: as documented for the
        endpoint, in a time window 5 % longer.
    rate_limit_wait : float, optional
        Pause of all requests to an endpoint after a 429 [s]. Default: its time window.

    Raises
    ------
    CredentialsError
        Credentials are missing or incomplete.
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
        page_timeout: float = 600.0,
        max_page_bytes: int = 2**28,
        max_retries: int = 5,
        backoff: float = 0.5,
        rate_limit: tuple[int, float] | None = None,
        rate_limit_wait: float | None = None,
    ) -> None:
        check_settings(timeout, max_retries, backoff, rate_limit, rate_limit_wait)
        check_number("page_timeout", page_timeout, "a number of seconds")
        check_number("max_page_bytes", max_page_bytes, "a number of bytes")
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
        self._page_timeout = page_timeout
        self._max_page_bytes = max_page_bytes
        self._max_retries = max_retries
        self._backoff = backoff
        self._rate_limit = rate_limit
        self._rate_limit_wait = rate_limit_wait
        self._start()

    def _start(self) -> None:
        """Connections and limits of this process."""
        self._process = os.getpid()
        self._limiters: dict[str, RateLimiter] = {}
        self._session = requests.Session()
        # A proxy of the environment would look for the address on its own machine.
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
            "a Client contains credentials and cannot be pickled: create one where it is needed"
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

    @checked_with(QueryError)
    def post(
        self,
        request: Mapping[str, Any],
        *,
        endpoint: Endpoint = SESSIONS_RESPONSES,
        page: int = 1,
        cancelled: Callable[[], bool] | None = None,
    ) -> Page:
        """Request one page, and repeat the request after temporary failures.

        Parameters
        ----------
        request : mapping
            The body, as `Query.to_request` returns it. It is not changed.
        endpoint : Endpoint, default SESSIONS_RESPONSES
            Where to send it.
        page : int, default 1
            Number of the page, for messages.
        cancelled : callable, optional
            Called about ten times per second during a pause, which ends if it returns True.

        Returns
        -------
        Page
            The answer.

        Raises
        ------
        AuthError
            Key, signature, domain or clock were refused. A wrong time is signed again once.
        RateLimitError
            Still refused with 429 after the last retry.
        ApiError
            Refused for another reason, or the answer is not a page.
        TransportError
            No complete answer by the last retry.
        LrnError
            A pause was cancelled; no request was under way.

        Notes
        -----
        A request is repeated, after a pause that grows, if there is no connection, a time-out, a
        truncated or unreadable answer, HTTP 5xx, an internal error of the API (10000, 20018,
        50100) or 429. A ``Retry-After`` of such an answer, in seconds or as a date, is kept to by
        all requests to the endpoint; one of more than 10 minutes is an error at once. If the
        answer is too large (20027), it is repeated with half the limit.

        Examples
        --------
        >>> from lrnanalysis import sandbox
        >>> with sandbox.serve(learners=20, items=5, seed=1) as api, api.client() as client:
        ...     client.post({"limit": 8}).records
        8
        """
        if os.getpid() != self._process:
            # A connection shared with the parent process would mix up their answers.
            self._start()
        body = dict(request)
        state = RetryState(self._max_retries, self._backoff)
        limiter = self._limiter(endpoint)
        while True:
            limiter.acquire(cancelled)
            answer = self._send(endpoint, body, page)
            if isinstance(answer, Page):
                return answer
            limit = body.get("limit") or endpoint.max_page
            if isinstance(answer, _Failure):
                if answer.too_large and limit > 1:
                    body["limit"] = limit // 2
                    continue
                if not (answer.temporary and state.may_retry()):
                    raise answer.error(page, state.attempts)
                state.wait(cancelled)
                continue
            if answer.code == _TOO_LARGE and limit > 1:
                body["limit"] = limit // 2
            elif answer.code == _CLOCK and state.sign_again():
                pass
            elif answer.temporary and state.may_retry() and answer.pause <= MAX_RETRY_AFTER:
                pause = answer.pause
                if answer.rate:
                    wait = self._rate_limit_wait
                    pause = max(pause, endpoint.window if wait is None else wait)
                limiter.close_for(pause)
                state.wait(cancelled)
            else:
                raise answer.error(page, state.attempts, self._credentials.version)

    def _limiter(self, endpoint: Endpoint) -> RateLimiter:
        limit = self._rate_limit or (endpoint.max_requests, endpoint.window * _MARGIN)
        # setdefault, since threads may be here at the same time.
        return self._limiters.setdefault(endpoint.path, RateLimiter(*limit))

    def _send(
        self, endpoint: Endpoint, body: dict[str, Any], page: int
    ) -> Page | _Refusal | _Failure:
        started = time.perf_counter()
        try:
            answer = self._session.post(
                f"{self._base}/{endpoint.path}",
                data=self._signed(endpoint, body),
                headers=self._headers(endpoint),
                timeout=self._timeout,
                allow_redirects=False,
                stream=True,
            )
            content = self._content(answer, started)
        except (OSError, ValueError, HTTPException, HTTPError) as failure:
            # Besides requests' own errors, which are OSErrors: a malformed answer raises whatever
            # the layers below raise.
            return _Failure.of(failure)
        seconds = time.perf_counter() - started
        _LOG.debug("page %d: HTTP %d in %.3f s", page, answer.status_code, seconds)
        found = _read(answer.status_code, content, body.get("limit"))
        if isinstance(found, _Refusal):
            found.pause = retry_after(answer.headers)
        return found

    def _content(self, answer: requests.Response, started: float) -> bytes:
        """The body of an answer, within its limits of time and size."""
        parts, size = [], 0
        with answer:
            # read1 returns what has arrived; read would wait for a whole chunk, however long.
            while part := answer.raw.read1(_CHUNK, decode_content=True):
                parts.append(part)
                size += len(part)
                if size > self._max_page_bytes:
                    raise _PageTooLargeError
                if time.perf_counter() - started > self._page_timeout:
                    raise TimeoutError
        return b"".join(parts)

    def _signed(self, endpoint: Endpoint, body: dict[str, Any]) -> Any:
        # Without a timestamp the SDK uses the current time. It changes the body that it signs.
        security = {
            "consumer_key": self._credentials.consumer_key,
            "domain": self._credentials.domain,
        }
        secret = self._credentials.consumer_secret
        return Init("data", security, secret, copy.deepcopy(body), endpoint.action).generate()

    def _headers(self, endpoint: Endpoint) -> dict[str, str]:
        # Those of the SDK's own requests, which the service uses for routing.
        return {
            "X-Learnosity-Consumer": self._credentials.consumer_key,
            "X-Learnosity-Action": f"{endpoint.action}_/{endpoint.path}",
            "X-Learnosity-SDK": f"Python:{sdk_version.__version__.lstrip('v')}",
        }


#: Failures of the connection, not of the request.
_TEMPORARY = (
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
        self.code = _integer(meta.get("code"))
        self.message = _shortened(meta.get("message"))
        self.uuid = _shortened(meta.get("request_uuid"))
        self.pause = 0.0

    @property
    def rate(self) -> bool:
        return self.status == 429 or self.code == _RATE

    @property
    def temporary(self) -> bool:
        """Whether the same request may succeed later."""
        broken = self.status >= 500 or not self.readable
        return self.rate or broken or self.code in _INTERNAL

    def error(self, page: int, attempts: int, version: str) -> ApiError:
        kind = ApiError
        if self.rate:
            kind = RateLimitError
        elif self.code in _AUTHENTICATION or self.status in (401, 403):
            kind = AuthError
        text = (
            f"the Data API refused page {page} with HTTP {self.status}"
            if self.readable
            else f"the Data API's answer for page {page} is not a page of records (HTTP "
            f"{self.status}): check base_url= and any proxy"
        )
        text += f", code {self.code}" if self.code is not None else ""
        text += f": {self.message}" if self.message else ""
        text += f" (request {self.uuid})" if self.uuid else ""
        text += f", after {attempts} attempts" if attempts > 1 else ""
        if self.temporary and self.pause > MAX_RETRY_AFTER:
            text += f"; the service asks not to come back for {self.pause / 60:,.0f} minutes"
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
            20027: "a single record is too large to be sent",
            41001: "check the consumer key, and that it belongs to this region",
            41002: "check the consumer secret",
            41003: "check the consumer secret",
            41004: "check this machine's clock",
            41005: "check the domain: it must be one of the consumer's",
            43000: f"pass a version= newer than {version!r}",
        }
        if self.code in by_code:
            return by_code[self.code]
        if self.status == 404:
            return f"check version=, which is part of the address: it is {version!r}"
        if 300 <= self.status < 400:
            return "redirects are not followed, since they drop the request: check base_url="
        return ""


def _read(status: int, body: bytes, limit: int | None) -> Page | _Refusal:
    """Interpret an answer as a page or a refusal."""
    body = body.removeprefix(codecs.BOM_UTF8)
    # Records are not decoded here, so their text has not been looked at.
    readable = status == 200 and _is_utf8(body)
    envelope = _decoded(_ENVELOPE, body) if readable else None
    if envelope is None:
        head = _decoded(_META_ONLY, body) or _MetaOnly()
        refused = status != 200 or head.meta.get("status") is False
        return _Refusal(status, head.meta, readable=refused)
    meta = envelope.meta
    if meta.get("status") is False:
        return _Refusal(status, meta)
    token = meta.get("next")
    return Page(
        body=body,
        records=len(envelope.data),
        next=str(token) if token not in (None, "", False) else None,
        timestamp=_integer(meta.get("timestamp")),
        limit=limit,
    )


_Struct = TypeVar("_Struct", bound=msgspec.Struct)


def _decoded(decoder: msgspec.json.Decoder[_Struct], body: bytes) -> _Struct | None:
    """The envelope of an answer, or None. Errors end here: some contain the whole body."""
    try:
        return decoder.decode(body)
    except (msgspec.DecodeError, ValueError, RecursionError):
        # A ValueError: bytes that are not UTF-8, or an integer of thousands of digits.
        return None


def _is_utf8(body: bytes) -> bool:
    try:
        return body.isascii() or body.decode() is not None
    except UnicodeDecodeError:
        return False


def _integer(value: object) -> int | None:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 20:
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _shortened(text: object) -> str | None:
    if not isinstance(text, str) or not text.strip():
        return None
    return _SIGNATURE.sub("***", " ".join(text.split()))[:_MAX_MESSAGE]


class _PageTooLargeError(OSError):
    """An answer is larger than `max_page_bytes`."""


@dataclass(frozen=True)
class _Failure:
    """Why no complete answer arrived.

    Keeps no exception: their texts and variables contain the request, its signature, and parts of
    the answer.
    """

    kind: str
    reason: str
    temporary: bool
    timed_out: bool
    too_large: bool

    @classmethod
    def of(cls, failure: Exception) -> _Failure:
        too_large = isinstance(failure, _PageTooLargeError)
        permanent = too_large or (
            isinstance(failure, requests.RequestException) and not isinstance(failure, _TEMPORARY)
        )
        return cls(
            kind=type(failure).__name__,
            reason=_system_reason(failure),
            temporary=not permanent,
            timed_out=isinstance(failure, requests.Timeout | TimeoutError | ReadTimeoutError),
            too_large=too_large,
        )

    def error(self, page: int, attempts: int) -> TransportError:
        if self.too_large:
            return TransportError(
                f"page {page} is larger than max_page_bytes with a single session: pass a larger "
                "max_page_bytes to Client, and resume from .partial.next",
                page=page,
            )
        what = "no answer in time" if self.timed_out else "no complete answer"
        return TransportError(
            f"{what} for page {page} after {attempts} attempt{'s' if attempts > 1 else ''} "
            f"({self.kind}{self.reason}): check the connection, and resume from .partial.next",
            page=page,
        )


def _system_reason(failure: BaseException) -> str:
    """What the operating system says of a failure; its words contain nothing of the answer."""
    found: list[object] = [failure]
    for one in found:  # grows meanwhile
        if isinstance(one, ssl.SSLCertVerificationError):
            return f": {one.verify_message}"
        if isinstance(one, OSError) and one.errno is not None and one.strerror:
            return f": {one.strerror}"
        if isinstance(one, BaseException) and len(found) < _MAX_CHAIN:
            found += [one.__cause__, one.__context__, *one.args, getattr(one, "reason", None)]
    return ""
