"""Times in the tables: which numbers are times on screen, their sums, and comparable timestamps.

A time on screen is 0 or more seconds and finite. Negative and infinite ones are faults of the
data: everything that reads times takes them as missing, counts them, and says so.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from lrnanalysis.errors import MeasureError
from lrnanalysis.warnings import DataWarning, warn

__all__ = ["sum_times", "timestamps", "usable_times"]

_Floats = npt.NDArray[np.float64]


def usable_times(times: _Floats, what: str = "") -> tuple[_Floats, dict[str, int]]:
    """Times with NaN in place of negative and infinite ones, and how many there are of each.

    Parameters
    ----------
    times : array of float
        Times [s], NaN where missing; returned itself where all of them can be used.
    what : str
        What the times are, for a `DataWarning` if any cannot be used; none is given without it.

    Examples
    --------
    >>> usable_times(np.array([3.0, 0.0, -1.0, np.inf]))
    (array([ 3.,  0., nan, nan]), {'negative_times': 1, 'infinite_times': 1})
    """
    # Two passes without a temporary array, since there is hardly ever one that cannot be used.
    low = np.fmin.reduce(times, axis=None, initial=0.0)
    high = np.fmax.reduce(times, axis=None, initial=0.0)
    if low >= 0 and high < np.inf:
        return times, {"negative_times": 0, "infinite_times": 0}
    negative, infinite = int(np.count_nonzero(times < 0)), int(np.count_nonzero(times == np.inf))
    if what:
        kinds = [(negative, "negative"), (infinite, "infinite")]
        found = " and ".join(f"{n} of {times.size} {what} are {kind}" for n, kind in kinds if n)
        warn(f"{found}: inconsistent data, they count as missing", DataWarning)
    usable = np.where((times >= 0) & (times < np.inf), times, np.nan)
    return usable, {"negative_times": negative, "infinite_times": infinite}


def sum_times(times: _Floats, groups: npt.NDArray[np.integer], n: int) -> _Floats:
    """Sums of the times of `n` groups; NaN for a group without a time.

    Parameters
    ----------
    times : array of float
        Times [s], as `usable_times` returns them.
    groups : array of int
        Group of each time, from 0 to `n` - 1; -1 for none.
    n : int
        Number of groups.

    Examples
    --------
    >>> sum_times(np.array([3.0, 4.0, np.nan, 0.0]), np.array([0, 0, 1, 2]), 3)
    array([ 7., nan,  0.])
    """
    known = (times >= 0) & (groups >= 0)
    if not known.all():
        times, groups = times[known], groups[known]
    sums = np.bincount(groups, times, n).astype(np.float64)
    nothing = sums == 0
    if nothing.any():
        # A time of 0 is a time that adds nothing.
        sums[nothing & (np.bincount(groups, minlength=n) == 0)] = np.nan
    return sums


def timestamps(
    sessions: pd.DataFrame, *names: str, zone: Literal["any", "required"] = "any"
) -> list[pd.Series]:
    """Columns of timestamps that can be compared with each other.

    Parameters
    ----------
    sessions : DataFrame
        The sessions table.
    *names : str
        Its columns.
    zone : {"any", "required"}, default "any"
        Whether columns without a time zone are allowed, as long as none of them has one.

    Returns
    -------
    list of Series
        The columns; one without any value has the dtype of the others.

    Raises
    ------
    MeasureError
        A column does not hold timestamps, or some have a time zone and others have none.

    Examples
    --------
    >>> frame = pd.DataFrame({"dt_started": pd.to_datetime(["2025-01-01T09:00:00Z"])})
    >>> timestamps(frame.assign(dt_saved=None), "dt_started", "dt_saved")[1].dt.tz
    datetime.timezone.utc
    """
    columns = {name: sessions[name] for name in names}
    known = {}
    for name, column in columns.items():
        if column.isna().all():
            continue
        known[name] = column
        if not pd.api.types.is_datetime64_any_dtype(column.dtype):
            raise MeasureError(
                f"column {name!r} has dtype {column.dtype}: timestamps are needed; "
                "convert it with pandas.to_datetime(…, utc=True)"
            )
    naive = [name for name, column in known.items() if column.dt.tz is None]
    if naive and (len(naive) < len(known) or zone == "required"):
        aware = "".join(f", unlike {name!r}" for name in known if name not in naive)
        raise MeasureError(
            f"column {naive[0]!r} has no time zone{aware}: times of the Data API are in UTC; use "
            f'sessions["{naive[0]}"] = sessions["{naive[0]}"].dt.tz_localize("UTC")'
        )
    dtype = next((column.dtype for column in known.values()), "datetime64[us, UTC]")
    return [
        known[name] if name in known else pd.Series(pd.NaT, column.index, dtype, name)
        for name, column in columns.items()
    ]
