"""Client: one signed POST to the Data API, with time-outs, retries and a rate budget.

The only module that speaks HTTP. The signature is learnosity-sdk's; connection, retries and errors
are ours, since the SDK's own request has no time-out and puts whole bodies into exceptions.
"""

from __future__ import annotations

import copy
import difflib
import ipaddress
import logging
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType, TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import msgspec
import requests
from learnosity_sdk import _version as sdk_version
from learnosity_sdk.request import Init
from requests.adapters import HTTPAdapter

from lrnanalysis.credentials import find_credentials
from lrnanalysis.errors import (
    ApiError,
    AuthError,
    LrnError,
    QueryError,
    RateLimitError,
    TransportError,
)
from lrnanalysis.ratelimit import RateBudget

__all__ = ["REGIONS", "Client", "Page"]

_LOG = logging.getLogger(__name__)

#: Regions that a consumer can be set up in, and their hosts; None is US East.
REGIONS: Mapping[str | None, str] = MappingProxyType(
    {
        None: "data.learnosity.com",
        "va": "data-va.learnosity.com",
        "ie": "data-ie.learnosity.com",
        "au": "data-au.learnosity.com",
        "ca": "data-ca.learnosity.com",
        "or": "data-or.learnosity.com",
    }
)

_ENDPOINT = "sessions/responses"
_ACTION = "get"

#: The Data API's own codes.
_INTERNAL = frozenset({10000, 50100, 20018})
_TOO_LARGE = 20027
_AUTHENTICATION = range(41000, 41010)
_CLOCK = 41004
_RATE = 42000

_LONGEST_PAUSE = 30.0
_LONGEST_MESSAGE = 200


@dataclass(frozen=True)
class Page:
    """One page as it came.

    Attributes
    ----------
    body : bytes
        The whole answer.
    sessions : int
        How many sessions it holds.
    next : str or None
        The token to go on from.
    limit : int or None
        The page limit that it was asked with, smaller than asked for where the answer was too
        large.
    """

    body: bytes
    sessions: int
    next: str | None
    limit: int | None

    def __repr__(self) -> str:
        return f"<Page of {self.sessions} sessions, {len(self.body):,} bytes>"


class _Head(msgspec.Struct):
    meta: dict[str, Any] = {}


class _Envelope(msgspec.Struct):
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
        Default: ``LRN_DOMAIN``, else "localhost".
    version : str, optional
        The LTS version in the path. Default: ``LRN_VERSION``, the profile's, else "v2026.2.LTS".
    region : str, optional
        "va", "ie", "au", "ca" or "or": where the consumer was set up. Default: ``LRN_REGION``,
        the profile's, else US East.
    base_url : str, optional
        Another address, such as that of an embedded Data API. https, loopback aside.
    profile : str, optional
        A section of ``~/.learnosity/credentials`` and ``~/.learnosity/config``. Default:
        ``LRN_PROFILE``, else "default" where there is one.
    timeout : tuple of float, default (10, 60)
        Longest wait for a connection, and for the next bytes of an answer [s].
    max_retries : int, default 5
        How often a request is sent again after a fault that may pass.
    backoff : float, default 0.5
        Longest pause before the first retry [s]; doubles with each, up to 30 s, with full jitter.
    rate_limit : tuple of int and float, default (1000, 5.0)
        Requests in seconds that the client keeps to.
    rate_limit_wait : float, default 5.0
        Shortest pause after a 429 [s]: the documented window.

    Raises
    ------
    CredentialsError
        There are no credentials, or only a part.
    QueryError
        The region is unknown, or the address is neither https nor loopback.

    Examples
    --------
    >>> Client("a-key", "a-secret", region="au")
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
        found = find_credentials(
            {
                "consumer_key": consumer_key,
                "consumer_secret": consumer_secret,
                "domain": domain,
                "version": version,
                "region": region,
            },
            profile,
        )
        self._credentials = found
        self._base = f"{_address(base_url, found.region)}/{found.version.strip('/')}"
        self._timeout = timeout
        self._max_retries = max_retries
        self._backoff = backoff
        self._rate_limit_wait = rate_limit_wait
        self._budget = RateBudget(*rate_limit)
        self._session = requests.Session()
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
            The body, as `Query.to_request` gives it.
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
        """
        body = copy.deepcopy(dict(request))
        tries = _Tries(self._max_retries, self._pause)
        while True:
            try:
                return self._ask(body, page)
            except _RefusalError as refusal:
                if refusal.code == _TOO_LARGE and (body.get("limit") or 50) > 1:
                    body["limit"] = (body.get("limit") or 50) // 2
                elif refusal.code == _CLOCK and tries.sign_again():
                    pass
                elif refusal.passing and tries.left():
                    tries.wait(self._rate_limit_wait if refusal.rate else 0.0)
                else:
                    raise refusal.error(page) from None
            except requests.RequestException as fault:
                if not (isinstance(fault, _PASSING) and tries.left()):
                    raise _transport_error(fault, page, tries.sent) from fault
                tries.wait()

    def _ask(self, body: dict[str, Any], page: int) -> Page:
        self._budget.spend()
        started = time.perf_counter()
        answer = self._session.post(
            f"{self._base}/{_ENDPOINT}",
            data=self._signed(body),
            headers=self._headers(),
            timeout=self._timeout,
            allow_redirects=False,
        )
        _LOG.debug(
            "page %d: HTTP %d, %d bytes in %.3f s",
            page,
            answer.status_code,
            len(answer.content),
            time.perf_counter() - started,
        )
        return _read(answer.status_code, answer.content, body.get("limit"))

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

    def _pause(self, retry: int) -> float:
        return random.uniform(0, min(_LONGEST_PAUSE, self._backoff * 2**retry))


#: Faults of the way, not of the request.
_PASSING = (
    requests.ConnectionError,
    requests.Timeout,
    requests.exceptions.ChunkedEncodingError,
    requests.exceptions.ContentDecodingError,
)


class _Tries:
    """How often one page was sent, and how long to wait before it is sent again."""

    def __init__(self, most: int, pause: Callable[[int], float]) -> None:
        self._most = most
        self._pause = pause
        self._retries = 0
        self._signed_again = False

    @property
    def sent(self) -> int:
        return self._retries + 1

    def left(self) -> bool:
        return self._retries < self._most

    def sign_again(self) -> bool:
        again, self._signed_again = not self._signed_again, True
        return again

    def wait(self, least: float = 0.0) -> None:
        time.sleep(least + self._pause(self._retries))
        self._retries += 1


class _RefusalError(Exception):
    """The service answered, and not with a page."""

    def __init__(self, status: int, meta: Mapping[str, Any], problem: str = "") -> None:
        super().__init__(status)
        self.status = status
        self.problem = problem
        self.code = meta.get("code") if isinstance(meta.get("code"), int) else None
        self.message = _shortened(meta.get("message"))
        self.uuid = _shortened(meta.get("request_uuid"))

    @property
    def rate(self) -> bool:
        return self.status == 429 or self.code == _RATE

    @property
    def passing(self) -> bool:
        """Whether the same request may succeed later."""
        unreadable = self.status == 200 and bool(self.problem)
        return self.rate or self.status >= 500 or self.code in _INTERNAL or unreadable

    def error(self, page: int) -> LrnError:
        kind = ApiError
        if self.rate:
            kind = RateLimitError
        elif self.code in _AUTHENTICATION or self.status in (401, 403):
            kind = AuthError
        said = f", code {self.code}" if self.code is not None else ""
        said += f": {self.message}" if self.message else ""
        said += f" (request {self.uuid})" if self.uuid else ""
        advice = self.problem or _advice(self.status, self.code)
        return kind(
            f"the Data API refused page {page} with HTTP {self.status}{said}"
            + (f"; {advice}" if advice else ""),
            http_status=self.status,
            code=self.code,
            api_message=self.message,
            request_uuid=self.uuid,
            page=page,
        )


def _advice(status: int, code: int | None) -> str:
    by_code = {
        41001: "check the consumer key, and that it belongs to this region",
        41002: "check the consumer secret",
        41003: "check the consumer secret",
        41004: "check this machine's clock",
        41005: "check the domain: it has to be one of the consumer's",
        43000: "pass a newer version=",
    }
    if code in by_code:
        return by_code[code]
    if status == 404:
        return "check version=, which is a part of the address"
    if 300 <= status < 400:
        return "redirects are not followed, since they lose the request: check base_url="
    return ""


def _read(status: int, body: bytes, limit: int | None) -> Page:
    """Take an answer for a page, or say what it is instead."""
    if status != 200:
        raise _RefusalError(status, _meta(body))
    try:
        envelope = _ENVELOPE.decode(body)
    except msgspec.DecodeError:
        meta = _meta(body)
        if meta.get("status") is False:
            raise _RefusalError(status, meta) from None
        raise _RefusalError(status, meta, "the answer is no page of sessions") from None
    if envelope.meta.get("status") is False:
        raise _RefusalError(status, envelope.meta)
    token = envelope.meta.get("next")
    return Page(
        body=body,
        sessions=len(envelope.data),
        next=str(token) if token not in (None, "", False) else None,
        limit=limit,
    )


def _meta(body: bytes) -> dict[str, Any]:
    try:
        return _HEAD.decode(body).meta
    except msgspec.DecodeError:
        return {}


def _shortened(text: object) -> str | None:
    return str(text)[:_LONGEST_MESSAGE] if text else None


def _transport_error(fault: requests.RequestException, page: int, sent: int) -> TransportError:
    # A request's fault carries the request, and with it the signature.
    fault.request = None
    fault.response = None
    kind = "no answer in time" if isinstance(fault, requests.Timeout) else "no whole answer"
    return TransportError(
        f"{kind} for page {page} after {sent} {'try' if sent == 1 else 'tries'} "
        f"({type(fault).__name__}): check the connection, and go on from .partial.next",
        page=page,
    )


def _address(base_url: str | None, region: str | None) -> str:
    if base_url is None:
        name = region.lower() if region else None
        if name not in REGIONS:
            known = [one for one in REGIONS if one]
            close = difflib.get_close_matches(str(name), known, n=1)
            hint = f"did you mean {close[0]!r}? " if close else ""
            raise QueryError(
                f"region is {region!r}: {hint}it is one of {', '.join(known)}, or None for US East"
            )
        return f"https://{REGIONS[name]}"
    parts = urlsplit(base_url)
    if parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(parts.hostname)):
        return base_url.rstrip("/")
    raise QueryError(
        f"base_url is {base_url!r}: it has to be https, since over http the request is redirected "
        "and lost, and anyone on the way can read it; http is for loopback only"
    )


def _is_loopback(host: str | None) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False
