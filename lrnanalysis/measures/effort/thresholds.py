"""Below which time an answer is too fast to be an attempt: one threshold per item.

Rules: a fixed time; NTp, p % of the mean time of those who answered; p % of the median; CUMP and
a mixture of two normals, see `lrnanalysis.measures.effort.threshold_estimators`. Where a rule
has no threshold for an item, the reason is given.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from lrnanalysis.arguments import checked
from lrnanalysis.errors import MeasureError
from lrnanalysis.measures._checks import (
    FloatArray,
    as_floats,
    check_label_kinds,
    matrix_values,
    with_attrs,
)
from lrnanalysis.measures._times import time_values
from lrnanalysis.measures.effort.threshold_estimators import (
    ItemAnswers,
    ItemThreshold,
    find_rule,
    positive,
)

__all__ = [
    "Chance",
    "Method",
    "chance_levels",
    "check_method",
    "share_values",
    "threshold_table",
    "thresholds",
]

#: A rule's name, seconds for all items, or thresholds by item.
Method = str | float | pd.Series | pd.DataFrame

#: Probability of a correct answer by guessing: one for all items, or by item.
Chance = float | pd.Series | Mapping[str, float]


@checked
def thresholds(
    times: pd.DataFrame,
    method: Method = "nt10",
    *,
    scores: pd.DataFrame | None = None,
    cap: float | None = None,
    chance: Chance | None = None,
) -> pd.DataFrame:
    """Time threshold of every item: an answer strictly below it is a rapid guess.

    Parameters
    ----------
    times : DataFrame, persons × items
        Times of the answers [s]; NaN where unanswered or untimed. Times of 0 or below and infinite
        ones count as missing.
    method : str, float, Series or DataFrame, default "nt10"
        ``"nt10"``, ``"nt15"``, … (percent of the mean time), ``"median10"``, … (percent of the
        median), ``"fixed3"``, ``"fixed5"``, … (seconds), ``"cump"``, ``"mixture"``; a number of
        seconds; or thresholds by item, as a Series or as this function returns them.
    scores : DataFrame, persons × items, optional
        Shares of the maximum (0 to 1), for ``"cump"``.
    cap : float, optional
        Highest threshold [s]; 10 is usual with NTp. None: no cap.
    chance : float, Series or mapping by item, optional
        Probability of a correct answer by guessing, for ``"cump"``.

    Returns
    -------
    DataFrame
        One row per item: ``threshold`` [s], ``method`` (the cap named where it applied), ``n``
        (timed answers), ``reason`` (why there is no threshold; NA where there is one).

    Raises
    ------
    MeasureError
        The method is unknown, a number is out of range, or scores do not match the times.

    Warns
    -----
    DataWarning
        Times are negative or infinite.

    Examples
    --------
    >>> thresholds(pd.DataFrame({"a": [20.0, 40.0]}))["threshold"].tolist()
    [3.0]
    """
    values = time_values(times)
    shares = None if scores is None else share_values(scores, times)
    return threshold_table(values, shares, times.columns, method, cap=cap, chance=chance)


def check_method(method: Method) -> None:
    """Raise `MeasureError` unless `method` is a rule, a number of seconds or thresholds by item."""
    if isinstance(method, str):
        find_rule(method)
    elif isinstance(method, pd.Series | pd.DataFrame):
        given_thresholds(method)
    else:
        positive(method)


def threshold_table(
    values: FloatArray,
    shares: FloatArray | None,
    labels: pd.Index,
    method: Method,
    *,
    cap: float | None,
    chance: Chance | None,
) -> pd.DataFrame:
    """As `thresholds`, of checked arrays."""
    if cap is not None and not cap > 0:
        raise MeasureError(f"cap is {cap}: give seconds above 0, or None for no cap")
    levels = chance_levels(chance, labels)
    name, rule = _rule(method, labels)
    found, counts = [], []
    for item in range(values.shape[1]):
        own, own_shares = values[:, item], None if shares is None else shares[:, item]
        timed = own > 0
        if not timed.all():
            own, own_shares = own[timed], None if own_shares is None else own_shares[timed]
        counts.append(len(own))
        found.append(rule(item, ItemAnswers(own, own_shares, float(levels[item]))))
    limits = np.array([one.threshold for one in found], dtype=np.float64)
    capped = limits > (np.inf if cap is None else cap)
    if cap is not None:
        limits[capped] = cap
    capped_name = name if cap is None else f"{name}, capped at {cap:g} s"
    result = pd.DataFrame(
        {
            "threshold": limits,
            "method": pd.array(np.where(capped, capped_name, name).tolist(), dtype="str"),
            "n": np.array(counts, dtype=np.int64),
            "reason": pd.array([one.reason for one in found], dtype="str"),
        },
        index=labels.rename("item_reference"),
    )
    notes = {
        "unit": "s",
        "method": name,
        "cap": cap,
        "rule": "rapid: answered in a time strictly below the threshold",
        "items_without_threshold": int(np.isnan(limits).sum()),
    }
    return with_attrs(result, notes)


def share_values(scores: pd.DataFrame, times: pd.DataFrame) -> FloatArray:
    """Shares of points, which must have the rows and columns of the times and be 1 at most."""
    values = matrix_values(scores, what="scores")
    if not (scores.index.equals(times.index) and scores.columns.equals(times.columns)):
        raise MeasureError(
            "scores and times differ in their rows or columns: build both from the same sessions"
        )
    if values.size and np.nanmax(values, initial=0.0) > 1:
        raise MeasureError(
            "scores holds values above 1: pass shares of the maximum, as "
            'score_matrix(…, value="share") returns them'
        )
    return values


def chance_levels(chance: Chance | None, labels: pd.Index) -> FloatArray:
    """Every item's chance level; NaN where none is given."""
    if chance is None:
        return np.full(len(labels), np.nan)
    if isinstance(chance, Mapping | pd.Series):
        by_item = pd.Series(chance, dtype="float64")
        check_label_kinds("the index", by_item.index, labels, where=("chance", "the times"))
        values = as_floats(by_item.reindex(labels))
    else:
        if np.isnan(chance):
            raise MeasureError("chance is NaN: it must be at least 0 and below 1")
        values = np.full(len(labels), float(chance))
    wrong = (values < 0) | (values >= 1)
    if wrong.any():
        raise MeasureError(f"chance is {values[wrong][0]:g}: it must be at least 0 and below 1")
    return values


def _rule(
    method: Method, labels: pd.Index
) -> tuple[str, Callable[[int, ItemAnswers], ItemThreshold]]:
    """The name of a method, and what gives an item's threshold."""
    if isinstance(method, pd.Series | pd.DataFrame):
        given = _given(method, labels)
        return "given", lambda item, answers: given[item]
    if not isinstance(method, str):
        seconds = positive(method)
        return f"fixed{seconds:g}", lambda item, answers: ItemThreshold(seconds)
    rule, number = find_rule(method)
    return method, lambda item, answers: rule.find(answers, number)


def given_thresholds(method: pd.DataFrame | pd.Series) -> pd.Series:
    """Thresholds [s] by item that the caller brought, of any items.

    Raises
    ------
    MeasureError
        There is no column of thresholds, an item has several, or one is not a number above 0.
    """
    column = method
    if isinstance(method, pd.DataFrame):
        if "threshold" not in method.columns:
            raise MeasureError(
                "the frame of thresholds has no column 'threshold': pass the result of "
                "lrnanalysis.effort.thresholds, or a Series of seconds by item"
            )
        column = method["threshold"]
    assert isinstance(column, pd.Series)
    if not column.index.is_unique:
        raise MeasureError("an item has more than one threshold: give each item one")
    if (as_floats(column) <= 0).any():
        raise MeasureError("a threshold is 0 or below: give seconds above 0, or NaN for none")
    return column


def _given(method: pd.DataFrame | pd.Series, labels: pd.Index) -> list[ItemThreshold]:
    """Thresholds that the caller brought, in the items' order."""
    column = given_thresholds(method)
    check_label_kinds("the index", column.index, labels, where=("the thresholds", "the times"))
    given = as_floats(column.reindex(labels))
    known = labels.isin(column.index)
    reasons = ("no threshold given", "the threshold given is missing")
    return [
        ItemThreshold(value, reasons[int(there)] if np.isnan(value) else None)
        for value, there in zip(given.tolist(), known.tolist(), strict=True)
    ]
