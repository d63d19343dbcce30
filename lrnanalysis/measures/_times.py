"""Matrices of times: which cells are times, for the measures that are given such a matrix."""

from __future__ import annotations

import pandas as pd

from lrnanalysis.measures._checks import FloatArray, matrix_values
from lrnanalysis.tables.times import usable_times

__all__ = ["time_values"]


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
