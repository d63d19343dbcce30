"""Points in time in the usual notations, normalised to UTC."""

from __future__ import annotations

import math
import re
from datetime import UTC, date, datetime, timedelta
from typing import Literal

import numpy as np
import pandas as pd

from lrnanalysis.errors import QueryError, shown

__all__ = ["Time", "utc_text"]

#: Unix seconds, ISO 8601 text, date, datetime, or a pandas or NumPy timestamp.
Time = int | float | str | date | datetime | pd.Timestamp | np.datetime64

_EXPECTED = (
    "expects Unix seconds, ISO 8601 text such as '2025-01-31' or '2025-01-31T08:30:00Z', "
    "a date, a datetime or a pandas Timestamp, in UTC unless it has a time zone"
)
_UNIX = re.compile(r"\d{9,11}\Z")

#: 2100-01-01: more seconds than that are milliseconds by mistake.
_LATEST = 4_102_444_800


def utc_text(name: str, value: object, *, end: Literal["earliest", "latest"]) -> str:
    """Normalise a point in time to ``YYYY-MM-DDTHH:MM:SSZ``.

    Parameters
    ----------
    name : str
        Name of the filter, for messages.
    value : Time
        The point in time, in UTC unless it has a time zone.
    end : "earliest" or "latest"
        Which end of a range it is. A date alone is its first second as the earliest and its last
        as the latest, as in a slice of pandas; a fraction of a second widens the range.

    Raises
    ------
    QueryError
        It is not a valid date or time, or outside the years in which sessions are possible.

    Examples
    --------
    >>> utc_text("maxtime", "2025-01-31", end="latest")
    '2025-01-31T23:59:59Z'
    """
    latest = end == "latest"
    try:
        moment = _moment(name, value)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        if latest and _is_date(value):
            moment += timedelta(days=1) - timedelta(seconds=1)
        if moment.microsecond:
            moment = moment.replace(microsecond=0) + timedelta(seconds=latest)
        moment = moment.astimezone(UTC)
    except OverflowError:
        raise _invalid(name, value) from None
    if moment.year < 1970:
        raise QueryError(f"{name} is {shown(value)}: no session is older than 1970; omit it")
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _is_date(value: object) -> bool:
    if isinstance(value, str):
        # In any notation of ISO 8601: 2025-01-31, 20250131, 2025-W05-5.
        try:
            date.fromisoformat(value.strip())
        except ValueError:
            return False
        return True
    if isinstance(value, np.datetime64):
        return np.datetime_data(value)[0] == "D"
    return isinstance(value, date) and not isinstance(value, datetime)


def _invalid(name: str, value: object) -> QueryError:
    return QueryError(f"{name} is {shown(value)} ({type(value).__name__}): {_EXPECTED}")


def _moment(name: str, value: object) -> datetime:
    invalid = _invalid(name, value)
    if isinstance(value, str):
        return _from_text(value.strip(), invalid)
    if isinstance(value, np.datetime64):
        value = pd.Timestamp(value)
    if isinstance(value, datetime):
        if pd.isna(value):
            raise invalid
        return value.to_pydatetime(warn=False) if isinstance(value, pd.Timestamp) else value
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day)
    if isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool):
        return _from_seconds(name, float(value), invalid)
    raise invalid


def _from_text(text: str, invalid: QueryError) -> datetime:
    if _UNIX.match(text):
        return datetime.fromtimestamp(int(text), UTC)
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise invalid from None


def _from_seconds(name: str, seconds: float, invalid: QueryError) -> datetime:
    if not math.isfinite(seconds) or seconds < 0:
        raise invalid
    if seconds > _LATEST:
        raise QueryError(
            f"{name} is {seconds:.0f}: as Unix seconds, that is after the year 2100; "
            "if these are milliseconds, divide by 1000"
        )
    return datetime.fromtimestamp(seconds, UTC)
