"""Below which time an answer is too fast to be an attempt: one threshold an item.

Rules: a fixed time; NTp, p % of the mean time of those who answered (Wise, S. L., & Ma, L.
(2012). Setting response time thresholds for a CAT item pool: the normative threshold method.
NCME); p % of the median; CUMP and a mixture of two normals, see
`lrnanalysis.measures.effort.rules`. A rule without a threshold to give says why.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np
import pandas as pd

from lrnanalysis.errors import MeasureError
from lrnanalysis.measures._checks import FloatArray, floats, note
from lrnanalysis.measures.effort.answers import Answers, answers_of
from lrnanalysis.measures.effort.rules import Found, cump, mixture

__all__ = ["Chance", "Method", "chance_levels", "find_thresholds", "thresholds"]

#: A rule's name, seconds for all items, or thresholds by item.
Method = str | float | pd.Series | pd.DataFrame

#: Probability of a right answer by guessing: one for all items, or by item.
Chance = float | pd.Series | Mapping[str, float]

_NAMED = re.compile(r"(nt|median|fixed)(\d+(?:\.\d+)?)")
_NO_TIME = "no answer has a time"


def thresholds(
    times: pd.DataFrame,
    method: Method = "nt10",
    *,
    responses: pd.DataFrame | None = None,
    scores: pd.DataFrame | None = None,
    cap: float | None = None,
    chance: Chance | None = None,
) -> pd.DataFrame:
    """Time threshold of every item: an answer strictly below it is a rapid guess.

    Thresholds depend on whose times are given: leave discarded sessions out before.

    Parameters
    ----------
    times : DataFrame
        The items table, or a persons × items matrix of times [s] whose unanswered cells are NaN.
    method : str, float, Series or DataFrame, default "nt10"
        ``"nt10"``, ``"nt15"``, … (percent of the mean time), ``"median10"``, … (percent of the
        median), ``"fixed3"``, ``"fixed5"``, … (seconds), ``"cump"``, ``"mixture"``; a number of
        seconds; or thresholds by item, as a Series or as this function returns them.
    responses : DataFrame, optional
        The responses table, to tell which items were answered; with an items table only.
    scores : DataFrame, optional
        Shares of the highest score (0 to 1) in the shape of a matrix of times, for ``"cump"``;
        an items table holds its own.
    cap : float, optional
        Highest threshold [s]; 10 is usual with NTp. None: no cap.
    chance : float, Series or mapping by item, optional
        Probability of a right answer by guessing, for ``"cump"``.

    Returns
    -------
    DataFrame
        One row an item: ``threshold`` [s], ``method`` (the cap named where it applied), ``n``
        (timed answers), ``reason`` (why there is no threshold; NA where there is one).

    Raises
    ------
    MeasureError
        If the method is unknown, a number is out of range or a column is missing.

    Examples
    --------
    >>> items = pd.DataFrame({
    ...     "session_id": ["s", "t"], "item_reference": "a", "time": [20.0, 40.0],
    ... })
    >>> thresholds(items)["threshold"].tolist()
    [3.0]
    """
    return find_thresholds(answers_of(times, responses, scores), method, cap=cap, chance=chance)


def find_thresholds(
    answers: Answers, method: Method, *, cap: float | None = None, chance: Chance | None = None
) -> pd.DataFrame:
    """`thresholds` of answers that are at hand."""
    if cap is not None and not cap > 0:
        raise MeasureError(f"cap is {cap}: give seconds above 0, or None for no cap")
    labels = answers.labels
    n, means = answers.means()
    name, found = _found(answers, method, means, chance_levels(chance, labels))
    values = np.array([one.threshold for one in found], dtype=np.float64)
    methods = np.full(len(labels), name, dtype=object)
    if cap is not None:
        capped = values > cap
        values[capped] = cap
        methods[capped] = f"{name}, capped at {cap:g} s"
    reasons = [one.reason for one in found]
    result = pd.DataFrame(
        {
            "threshold": values,
            "method": pd.array(methods, dtype="str"),
            "n": n,
            "reason": pd.array(reasons, dtype="str"),
        },
        index=labels.rename("item_reference"),
    )
    notes = {
        "unit": "s",
        "method": name,
        "cap": cap,
        "rule": "rapid: answered in a time strictly below the threshold",
        "items_without_threshold": int(np.isnan(values).sum()),
    }
    return note(result, notes)


def _found(
    answers: Answers, method: Method, means: FloatArray, chances: FloatArray
) -> tuple[str, list[Found]]:
    """The method's name, and what it finds for every item."""
    size = len(answers.labels)
    if isinstance(method, pd.DataFrame | pd.Series):
        return "given", _given(method, answers.labels)
    if not isinstance(method, str):
        return f"fixed{_positive(float(method)):g}", [Found(float(method))] * size
    if method == "cump":
        return method, [cump(*answers.item(k), float(chances[k])) for k in range(size)]
    if method == "mixture":
        return method, [mixture(answers.item(k)[0]) for k in range(size)]
    parts = _NAMED.fullmatch(method)
    if not parts:
        raise MeasureError(
            f"method is {method!r}: it must be 'nt10' or another percent, 'median10', 'fixed3' "
            "or another number of seconds, 'cump', 'mixture', seconds, or thresholds by item"
        )
    rule, number = parts[1], _positive(float(parts[2]))
    if rule == "fixed":
        return method, [Found(number)] * size
    if rule == "median":
        columns = (answers.item(k)[0] for k in range(size))
        means = np.array([np.median(times) if len(times) else np.nan for times in columns])
    return method, [
        Found(np.nan, _NO_TIME) if np.isnan(mean) else Found(number / 100 * mean)
        for mean in means.tolist()
    ]


def _given(method: pd.DataFrame | pd.Series, labels: pd.Index) -> list[Found]:
    """Thresholds that the caller brought, in the items' order."""
    column = method
    if isinstance(method, pd.DataFrame):
        if "threshold" not in method.columns:
            raise MeasureError("the frame of thresholds has no column 'threshold'")
        column = method["threshold"]
    assert isinstance(column, pd.Series)
    if not column.index.is_unique:
        raise MeasureError("an item has more than one threshold: give each item one")
    given = floats(column.reindex(labels))
    if (given <= 0).any():
        raise MeasureError("a threshold is 0 or below: give seconds above 0, or NaN for none")
    known = labels.isin(column.index)
    reasons = ("no threshold given", "the threshold given is missing")
    return [
        Found(value, reasons[int(there)] if np.isnan(value) else None)
        for value, there in zip(given.tolist(), known.tolist(), strict=True)
    ]


def chance_levels(chance: Chance | None, labels: pd.Index) -> FloatArray:
    """Every item's chance level; NaN where none is given."""
    if chance is None:
        return np.full(len(labels), np.nan)
    if isinstance(chance, Mapping | pd.Series):
        values = floats(pd.Series(chance, dtype="float64").reindex(labels))
    else:
        values = np.full(len(labels), float(chance))
    wrong = (values < 0) | (values >= 1)
    if wrong.any():
        raise MeasureError(f"chance is {values[wrong][0]:g}: it must be at least 0 and below 1")
    return values


def _positive(number: float) -> float:
    if not 0 < number < np.inf:
        raise MeasureError(f"the method's number is {number:g}: it must be above 0")
    return number
