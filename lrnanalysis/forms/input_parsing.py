"""Parsing of what is typed or pasted into a field, and descriptions of how it was interpreted."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime

from lrnanalysis.api.dates import utc_text
from lrnanalysis.api.query import Query
from lrnanalysis.errors import QueryError

__all__ = [
    "describe_ids",
    "describe_period",
    "format_ids",
    "parse_ids",
    "parse_integer",
    "parse_period",
]

_ID = re.compile(r'[\s,]*(?:"((?:[^"]|"")*)"(?=[\s,]|\Z)|([^\s,]+))')


def parse_ids(text: str) -> tuple[str, ...]:
    r"""Split a pasted list at commas, spaces and line breaks, in any combination.

    Parameters
    ----------
    text : str
        The list. An ID that contains a space or a comma is enclosed in double quotes; a double
        quote inside them is doubled.

    Returns
    -------
    tuple of str
        The IDs in the order given, repetitions included.

    Raises
    ------
    QueryError
        A double quote is not closed.

    Examples
    --------
    >>> parse_ids('a1, a2\na3 "unit 4"')
    ('a1', 'a2', 'a3', 'unit 4')
    """
    found = []
    for number, match in enumerate(_ID.finditer(text), start=1):
        quoted, plain = match.groups()
        if plain is not None and plain.startswith('"'):
            raise QueryError(f"the double quote before ID {number} is not closed: close or drop it")
        found.append(plain if quoted is None else quoted.replace('""', '"'))
    return tuple(found)


def format_ids(ids: Iterable[str]) -> str:
    """Write IDs one per line, quoted where needed: `parse_ids` gives the same IDs back."""
    return "\n".join(
        '"' + one.replace('"', '""') + '"' if re.search(r'[\s,]|\A"|\A\Z', one) else one
        for one in ids
    )


def describe_ids(ids: tuple[str, ...], noun: str) -> str:
    """Count the distinct IDs and the repetitions.

    Examples
    --------
    >>> describe_ids(("a", "b", "a"), "activity")
    '2 activities, 1 repeated'
    """
    distinct = len(set(ids))
    plural = noun.removesuffix("y") + "ies" if noun.endswith("y") else noun + "s"
    parts = [f"{distinct:,} {noun if distinct == 1 else plural}"]
    if distinct < len(ids):
        parts.append(f"{len(ids) - distinct:,} repeated")
    if distinct > Query.endpoint.max_list:
        parts.append(f"split into {-(-distinct // Query.endpoint.max_list)} requests")
    return ", ".join(parts)


def parse_period(earliest: str, latest: str) -> tuple[str | None, str | None]:
    """Parse both ends of a period in UTC; an empty end is None.

    Parameters
    ----------
    earliest, latest : str
        A date, or a date and time, in ISO 8601; or Unix seconds. A date alone means its first
        second as `earliest` and its last as `latest`.

    Raises
    ------
    QueryError
        An end is not a valid date or time, or the period ends before it starts.

    Examples
    --------
    >>> parse_period("2026-01-30", "2026-01-31")
    ('2026-01-30T00:00:00Z', '2026-01-31T23:59:59Z')
    """
    first, last = _parse_time(earliest, latest=False), _parse_time(latest, latest=True)
    if first and last and first > last:
        raise QueryError(f"{first} is after {last}: no session can be in between")
    return first, last


def _parse_time(text: str, *, latest: bool) -> str | None:
    text = text.strip()
    if not text:
        return None
    if not text.isdigit():
        try:
            datetime.fromisoformat(text)
        except ValueError:
            raise QueryError(
                f"{text!r} is not a valid date or time: write it as 2026-01-31, 2026-01-31T08:30 "
                "or 2026-01-31T08:30+01:00"
            ) from None
    return utc_text("time", text, end="latest" if latest else "earliest")


def describe_period(earliest: str | None, latest: str | None) -> str:
    """Describe a period as it was interpreted.

    Examples
    --------
    >>> describe_period(None, "2026-01-31T23:59:59Z")
    'until Sat 31 Jan 2026, 23:59:59 UTC'
    """
    ends = [
        f"{word} {datetime.fromisoformat(moment):%a %d %b %Y, %H:%M:%S} UTC"
        for word, moment in (("from", earliest), ("until", latest))
        if moment
    ]
    return " ".join(ends) or "any time"


def parse_integer(text: str, *, highest: int | None) -> int | None:
    """Parse an integer from 1 to `highest`; None where the field is empty.

    Raises
    ------
    QueryError
        It is not an integer, or out of range.
    """
    text = text.strip()
    if not text:
        return None
    allowed = "1 or more" if highest is None else f"1 to {highest}"
    try:
        number = int(text.replace(",", ""))
    except ValueError:
        raise QueryError(f"{text!r} is not an integer: enter {allowed}") from None
    if number < 1 or (highest is not None and number > highest):
        raise QueryError(f"{number:,} is out of range: enter {allowed}")
    return number
