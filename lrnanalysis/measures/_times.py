"""Matrices of times: which cells are times, for the measures that are given such a matrix."""

from __future__ import annotations

import numpy as np
import pandas as pd

from lrnanalysis.measures._checks import FloatArray, matrix_values
from lrnanalysis.tables.times import usable_times

__all__ = ["time_values", "times_above_0"]


def time_values(times: pd.DataFrame) -> FloatArray:
    """Values of a persons × items matrix of times: NaN where one is negative or infinite.

    Raises
    ------
    MeasureError
        If `times` is not a DataFrame of numbers, or an item has two columns.

    Warns
    -----
    DataWarning
        Times are negative or infinite.

    Examples
    --------
    >>> time_values(pd.DataFrame({"a": [3, 0, None]}))
    array([[ 3.],
           [ 0.],
           [nan]])
    """
    return usable_times(matrix_values(times, what="times", finite=False), "times")[0]


def times_above_0(times: pd.DataFrame) -> pd.DataFrame:
    """A matrix of times with NaN for what is not above 0 or not finite; warns as `time_values`.

    Examples
    --------
    >>> times_above_0(pd.DataFrame({"a": [3.0, 0.0]}))["a"].tolist()
    [3.0, nan]
    """
    values = time_values(times)
    kept = np.where(values > 0, values, np.nan)
    return pd.DataFrame(kept, index=times.index, columns=times.columns, copy=False)
