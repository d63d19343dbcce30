r"""Text that is almost JSON: NaN and Infinity tokens, and unpaired surrogates.

Python's ``json.dumps`` writes NaN and infinity as bare tokens, which are not JSON: each is
replaced by null, wherever it stands, since a column of a record that holds one holds no number.
Text truncated within an emoji ends in half a surrogate pair (``\ud83d``): it is replaced by
U+FFFD. Everything else stays to the letter.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import NamedTuple

__all__ = ["Repaired", "repaired"]

#: A string with the token that it may be the key of, or a token without a key.
_PARTS = re.compile(
    rb'"(?P<text>[^"\\]*+(?:\\.[^"\\]*+)*+)"(?:(?P<colon>\s*:\s*)(?P<value>-?(?:NaN|Infinity))\b)?'
    rb"|(?P<bare>-?(?:NaN|Infinity))\b",
    re.DOTALL,
)

#: A surrogate pair, half of one, or any other escape.
_ESCAPES = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    rb"|(?P<half>\\u[dD][89a-fA-F][0-9a-fA-F]{2})"
    rb"|\\.",
    re.DOTALL,
)


class Repaired(NamedTuple):
    """A text without what is not JSON.

    Attributes
    ----------
    text : bytes
        The text.
    tokens : Counter of str
        How often a NaN or Infinity token was the value of each key ("" in a list).
    surrogates : int
        Unpaired surrogates.
    """

    text: bytes
    tokens: Counter[str]
    surrogates: int


def repaired(text: bytes) -> Repaired:
    r"""Replace what keeps a text from being JSON.

    Examples
    --------
    >>> repaired(b'{"score": NaN, "of": "NaN"}').text
    b'{"score": null, "of": "NaN"}'
    >>> repaired(rb'"cut \ud83d"').text
    b'"cut \\ufffd"'
    """
    tokens: Counter[str] = Counter()
    halves = 0

    def escape(match: re.Match[bytes]) -> bytes:
        nonlocal halves
        if match["half"] is None:
            return match[0]
        halves += 1
        return rb"\ufffd"

    def part(match: re.Match[bytes]) -> bytes:
        if match["bare"] is not None:
            tokens[""] += 1
            return b"null"
        inside = match["text"]
        if rb"\u" in inside:
            inside = _ESCAPES.sub(escape, inside)
        if match["value"] is None:
            return b'"' + inside + b'"'
        tokens[inside.decode(errors="replace")] += 1
        return b'"' + inside + b'"' + match["colon"] + b"null"

    return Repaired(_PARTS.sub(part, text), tokens, halves)
