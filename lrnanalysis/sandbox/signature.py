"""Check a request's security packet by the scheme of `learnosity_sdk.request.Init`.

HMAC-SHA256 with the consumer secret over the packet's values in a fixed order, the request text
exactly as it was sent, and the action, joined by underscores; written as ``$02$`` and the digest
in hexadecimal.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac

import msgspec

from lrnanalysis.sandbox.refusals import Refusal

__all__ = ["CONSUMER_KEY", "CONSUMER_SECRET", "DOMAIN", "authenticate"]

#: Key, secret and domain that the embedded Data API accepts. They protect nothing, and no other
#: server knows them.
CONSUMER_KEY = "sandbox-key"
CONSUMER_SECRET = "sandbox-secret-that-protects-nothing"
DOMAIN = "localhost"

#: Signed values of the packet, in order.
_SIGNED = ("consumer_key", "domain", "timestamp", "expires", "user_id")

#: Tolerance of a timestamp [s]. The real one is not published.
_TOLERANCE = 3600.0


def authenticate(security: str | None, request: str | None, action: str | None, now: float) -> None:
    """Accept a request, or refuse it.

    Parameters
    ----------
    security, request, action : str or None
        The form fields as sent; None if absent.
    now : float
        The present [Unix seconds].

    Raises
    ------
    Refusal
        41000 without a readable packet, 41001 for another key, 41002 without and 41003 with a
        wrong signature, 41005 for another domain, 41004 for a timestamp out of range, 41006 for
        an unreadable and 41007 for a past `expires`.
    """
    packet = _packet(security)
    if packet.get("consumer_key") != CONSUMER_KEY:
        raise Refusal(41001)
    if "signature" not in packet:
        raise Refusal(41002)
    signed = [packet[name] for name in _SIGNED if name in packet]
    signed += [text for text in (request, action) if text is not None]
    digest = hmac.new(CONSUMER_SECRET.encode(), "_".join(signed).encode(), hashlib.sha256)
    expected = f"$02${digest.hexdigest()}"
    if not hmac.compare_digest(expected.encode(), packet["signature"].encode()):
        raise Refusal(41003)
    if packet.get("domain") != DOMAIN:
        raise Refusal(41005)
    timestamp = _seconds(packet.get("timestamp", ""))
    if timestamp is None or abs(now - timestamp) > _TOLERANCE:
        raise Refusal(41004)
    if "expires" in packet:
        expires = _seconds(packet["expires"])
        if expires is None:
            raise Refusal(41006)
        if expires < now:
            raise Refusal(41007)


def _packet(security: str | None) -> dict[str, str]:
    if security is None:
        raise Refusal(41000)
    try:
        return msgspec.json.decode(security, type=dict[str, str])
    except msgspec.DecodeError as error:
        raise Refusal(41000, "security expects a JSON object of strings") from error


def _seconds(text: str) -> float | None:
    """Unix seconds of a packet's time, with or without seconds; None if it is not a time."""
    for form in ("%Y%m%d-%H%M", "%Y%m%d-%H%M%S"):
        try:
            return dt.datetime.strptime(text, form).replace(tzinfo=dt.UTC).timestamp()
        except ValueError:
            continue
    return None
