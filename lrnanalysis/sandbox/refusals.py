"""What the embedded Data API refuses, in the documented codes.

The codes and their HTTP statuses are those of Learnosity's page "Troubleshooting - Data API"; the
words are ours. Where that page gives one meaning to several codes (41001 to 41003, 41006 and
41007, 41008 and 41009) the split between them is this sandbox's.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

__all__ = ["CODES", "Refusal"]

#: Code → HTTP status and the words of `meta.message`.
CODES: Mapping[int, tuple[int, str]] = MappingProxyType(
    {
        10000: (500, "An internal error has occurred"),
        20000: (400, "Missing mandatory parameter"),
        20001: (400, "Invalid parameter length"),
        20002: (400, "Too many parameters passed"),
        20003: (400, "Invalid parameter type"),
        20004: (400, "Invalid parameter value"),
        20018: (500, "Internal error"),
        20027: (400, "The response is too large: ask for fewer records with limit"),
        41000: (403, "No security packet"),
        41001: (403, "Unknown consumer key"),
        41002: (403, "No signature"),
        41003: (403, "The signature does not match"),
        41004: (403, "The timestamp is out of range"),
        41005: (403, "The domain is not one of this consumer's"),
        41006: (403, "expires is not a time"),
        41007: (403, "The request has expired"),
        41008: (403, "This consumer key is disabled"),
        41009: (403, "This consumer key is disabled for the Data API"),
        42000: (429, "Rate limit exceeded"),
        43000: (410, "This version is no longer supported"),
        50100: (500, "Service error"),
    }
)


class Refusal(Exception):  # noqa: N818 - an answer of the API, not an error of this package
    """An answer with `meta.status` false.

    Parameters
    ----------
    code : int
        One of `CODES`.
    detail : str, optional
        Added to the code's words: the parameter and what is allowed.

    Examples
    --------
    >>> Refusal(20004, "sort is asc or desc").http_status
    400
    """

    def __init__(self, code: int, detail: str = "") -> None:
        self.code = code
        self.http_status, words = CODES[code]
        self.message = f"{words}: {detail}" if detail else words
        super().__init__(self.message)
