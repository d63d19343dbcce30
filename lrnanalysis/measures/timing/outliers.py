"""Times far from an item's others, by four named rules. Nothing is ever removed silently."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

import numpy as np
import pandas as pd

from lrnanalysis.arguments import checked
from lrnanalysis.errors import MeasureError
from lrnanalysis.measures._checks import (
    BoolArray,
    FloatArray,
    as_floats,
    choice,
    require_columns,
    with_attrs,
)
from lrnanalysis.measures.matrices import check_unique_key, factorise_columns, names_of
from lrnanalysis.tables.times import usable_times

__all__ = ["OutlierRule", "outliers"]

#: Rules for outlying times.
OutlierRule = Literal["sd", "percentile", "p90", "mad"]

_DEFAULT = {"sd": 3.0, "percentile": 99.0, "p90": 5.0, "mad": 3.0}

_TEXT = {
    "sd": "ln t beyond mean ± {k:g} SD of the group's ln t",
    "percentile": "t above the group's {k:g}th percentile",
    "p90": "t above {k:g} times the group's 90th percentile",
    "mad": "ln t beyond median ± {k:g} MAD (times 1.4826) of the group's ln t",
}

#: Makes the median absolute deviation an estimate of a normal distribution's SD.
_NORMAL_MAD = 1.482602218505602


@checked
def outliers(
    items: pd.DataFrame,
    rule: OutlierRule = "sd",
    *,
    k: float | None = None,
    by: str | Sequence[str] = "item_reference",
) -> pd.Series:
    """Whether each time is far from its group's others.

    Parameters
    ----------
    items : DataFrame
        The items table; ``time`` [s] and `by` are read.
    rule : {"sd", "percentile", "p90", "mad"}, default "sd"
        ``"sd"``: ln t beyond the mean ± `k` SD (default 3); ``"percentile"``: above the `k`-th
        percentile (default 99); ``"p90"``: above `k` times the 90th percentile (default 5);
        ``"mad"``: ln t beyond the median ± `k` scaled median absolute deviations (default 3;
        Leys et al. 2013, doi:10.1016/j.jesp.2013.03.013). The rules on ln t are two-sided, the
        others flag long times only.
    k : float, optional
        The rule's number.
    by : str or list of str, default "item_reference"
        Columns whose groups are compared.

    Returns
    -------
    Series of boolean
        ``outlier``, one value per row, with the frame's index; NA where there is no time (missing,
        0, negative or infinite) or no group. ``attrs`` counts them.

    Raises
    ------
    MeasureError
        `rule` is unknown, `k` is out of range or a column is missing.

    Warns
    -----
    DataWarning
        Times are negative or infinite.

    Examples
    --------
    >>> items = pd.DataFrame({"item_reference": "a", "time": [*[20.0, 22.0, 25.0] * 7, 4000.0]})
    >>> int(outliers(items, "p90").sum()), int(outliers(items, "mad").sum())
    (1, 1)
    """
    require_columns(items, *names_of(by), "time", table="items")
    check_unique_key(items, "items")
    choice("rule", rule, get_args(OutlierRule))
    number = _DEFAULT[rule] if k is None else float(k)
    if not number > 0 or (rule == "percentile" and number >= 100):
        raise MeasureError(f"k is {number:g}: it must be above 0, and below 100 for a percentile")
    keys = factorise_columns(items, by)
    times, unusable = usable_times(as_floats(items["time"]), "item times")
    timed = (times > 0) & (keys.codes >= 0)
    codes, values = keys.codes[timed], times[timed]
    order = np.argsort(codes, kind="stable")
    bounds = np.cumsum(np.bincount(codes, minlength=len(keys.labels)))[:-1]
    far = np.zeros(len(values), dtype=bool)
    for rows in np.split(order, bounds):
        if len(rows):
            far[rows] = _far(values[rows], rule, number)
    flagged = np.zeros(len(items), dtype=bool)
    flagged[timed] = far
    result = pd.Series(pd.arrays.BooleanArray(flagged, ~timed), index=items.index, name="outlier")
    return with_attrs(
        result,
        {
            "rule": _TEXT[rule].format(k=number),
            "by": names_of(by),
            "flagged": int(far.sum()),
            "timed": int(timed.sum()),
            "without_time": int((~timed).sum()),
            **unusable,
        },
    )


def _far(times: FloatArray, rule: OutlierRule, k: float) -> BoolArray:
    """Which of one group's times lie beyond the rule's bounds."""
    if rule == "percentile":
        return times > float(np.quantile(times, k / 100))
    if rule == "p90":
        return times > k * float(np.quantile(times, 0.9))
    logs = np.log(times)
    if rule == "mad":
        middle = float(np.median(logs))
        spread = _NORMAL_MAD * float(np.median(np.abs(logs - middle)))
    else:
        middle = float(logs.mean())
        spread = float(logs.std(ddof=1)) if len(logs) > 1 else 0.0
    return np.abs(logs - middle) > k * spread
