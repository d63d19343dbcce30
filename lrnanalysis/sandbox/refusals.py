"""Refusals of the embedded Data API, in the documented codes.

Codes and HTTP statuses are those of Learnosity's page "Troubleshooting - Data API"; the wording is
ours. Where that page gives one meaning to several codes (41001 to 41003, 41006 and 41007), the
distinction between them is ours, too.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

__all__ = ["CODES", "Refusal"]

#: Code → HTTP status and beginning of `meta.message`.
CODES: Mapping[int, tuple[int, str]] = MappingProxyType(
    {
        20001: (400, "Invalid parameter length"),
        20002: (400, "Too many parameters passed"),
        20003: (400, "Invalid parameter type"),
        20004: (400, "Invalid parameter value"),
        41000: (403, "No security packet"),
        41001: (403, "Unknown consumer key"),
        41002: (403, "No signature"),
        41003: (403, "The signature does not match"),
        41004: (403, "The timestamp is out of range"),
        41005: (403, "The domain does not belong to this consumer"),
        41006: (403, "expires is not a valid time"),
        41007: (403, "The request has expired"),
        42000: (429, "Rate limit exceeded"),
    }
)


class Refusal(Exception):  # noqa: N818 - an answer of the API, not an error of this package
    """An answer with `meta.status` false.

    Parameters
    ----------
    code : int
        One of `CODES`.
    detail : str, optional
        Added to the code's wording: the parameter and what it expects.

    Examples
    --------
    >>> Refusal(20004, "sort expects asc or desc").http_status
    400
    """

    def __init__(self, code: int, detail: str = "") -> None:
        self.code = code
        self.http_status, words = CODES[code]
        self.message = f"{words}: {detail}" if detail else words
        super().__init__(self.message)
