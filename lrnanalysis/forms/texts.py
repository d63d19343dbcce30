"""What is typed or pasted into a field, read; and written back as it could have been typed."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime

from lrnanalysis.api.dates import utc_text
from lrnanalysis.api.query import LONGEST_LIST
from lrnanalysis.errors import QueryError

__all__ = [
    "count_text",
    "join_ids",
    "moment_text",
    "period_text",
    "read_ids",
    "read_moment",
    "read_whole_number",
    "repeated",
]

_ID = re.compile(r'[\s,]*(?:"((?:[^"]|"")*)"(?=[\s,]|\Z)|([^\s,]+))')


def read_ids(text: str) -> tuple[str, ...]:
    r"""Split a pasted list at commas, spaces and line ends, in any mixture.

    Parameters
    ----------
    text : str
        The list. An id that holds a space or a comma stands in double quotes; a double quote
        within these is written twice.

    Returns
    -------
    tuple of str
        The ids in their order, each as often as it was written.

    Raises
    ------
    QueryError
        A double quote opens an id and none closes it.

    Examples
    --------
    >>> read_ids('a1, a2\na3 "unit 4"')
    ('a1', 'a2', 'a3', 'unit 4')
    """
    found = []
    for number, match in enumerate(_ID.finditer(text), start=1):
        quoted, plain = match.groups()
        if plain is not None and plain.startswith('"'):
            raise QueryError(
                f"id {number} begins with a double quote that none closes: write both, or none"
            )
        found.append(plain if quoted is None else quoted.replace('""', '"'))
    return tuple(found)


def join_ids(ids: Iterable[str]) -> str:
    """Write ids so that `read_ids` gives the same: one a line, in quotes where it takes them."""
    return "\n".join(
        '"' + one.replace('"', '""') + '"' if re.search(r'[\s,]|\A"|\A\Z', one) else one
        for one in ids
    )


def repeated(ids: tuple[str, ...]) -> int:
    """How many ids of a list stand in it before."""
    return len(ids) - len(set(ids))


def count_text(ids: tuple[str, ...], one: str) -> str:
    """Say how many different ids there are, and what follows from it.

    Examples
    --------
    >>> count_text(("a", "b", "a"), "activity")
    '2 activities, 1 repeated'
    """
    if not ids:
        return "any"
    different = len(set(ids))
    many = one.removesuffix("y") + "ies" if one.endswith("y") else one + "s"
    said = [f"{different:,} {one if different == 1 else many}"]
    if different < len(ids):
        said.append(f"{repeated(ids):,} repeated")
    if different > LONGEST_LIST:
        said.append(f"asked for in {-(-different // LONGEST_LIST)} parts")
    return ", ".join(said)


def read_moment(text: str, *, latest: bool) -> str | None:
    """Read a point in time in UTC; None where the field is empty.

    Parameters
    ----------
    text : str
        A day, or a day and a time, as ISO 8601 writes them; or Unix seconds.
    latest : bool
        Whether a day alone means its last second rather than its first.

    Raises
    ------
    QueryError
        It is no time, or none that a session can have.

    Examples
    --------
    >>> read_moment("2026-01-31", latest=True)
    '2026-01-31T23:59:59Z'
    """
    written = text.strip()
    if not written:
        return None
    if not written.isdigit():
        try:
            datetime.fromisoformat(written)
        except ValueError:
            raise QueryError(
                f"{written!r} is no time: write it as 2026-01-31, 2026-01-31T08:30 or "
                "2026-01-31T08:30+01:00"
            ) from None
    return utc_text("it", written, end="latest" if latest else "earliest")


def period_text(earliest: str | None, latest: str | None) -> str:
    """Say a period as it was understood.

    Raises
    ------
    QueryError
        It ends before it begins.
    """
    if earliest and latest and earliest > latest:
        raise QueryError(f"{earliest} lies after {latest}: no session can be between")
    words = [
        f"{word} {moment_text(moment)}"
        for word, moment in (("from", earliest), ("until", latest))
        if moment
    ]
    return " ".join(words) or "any time"


def moment_text(moment: str) -> str:
    """Say a point in time as it was understood.

    Examples
    --------
    >>> moment_text("2026-01-31T23:59:59Z")
    'Sat 31 Jan 2026, 23:59:59 UTC'
    """
    return f"{datetime.fromisoformat(moment):%a %d %b %Y, %H:%M:%S} UTC"


def read_whole_number(text: str, *, highest: int | None) -> int | None:
    """Read a whole number; None where the field is empty.

    Raises
    ------
    QueryError
        It is none, or out of range.
    """
    if not text.strip():
        return None
    allowed = "1 or more" if highest is None else f"1 to {highest}"
    try:
        number = int(text.strip().replace(",", ""))
    except ValueError:
        raise QueryError(f"{text.strip()!r} is no whole number: write {allowed}") from None
    if number < 1 or (highest is not None and number > highest):
        raise QueryError(f"{number:,} is out of range: write {allowed}")
    return number
