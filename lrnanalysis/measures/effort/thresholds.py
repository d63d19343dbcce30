"""Below which time an answer is too fast to be an attempt: one threshold an item.

Rules: a fixed time; NTp, p % of the mean time of those who answered (Wise, S. L., & Ma, L.
(2012). Setting response time thresholds for a CAT item pool: the normative threshold method.
NCME); p % of the median; CUMP and a mixture of two normals, see
`lrnanalysis.measures.effort.threshold_estimators`. A rule without a threshold to give says why.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from lrnanalysis.errors import MeasureError
from lrnanalysis.measures._checks import FloatArray, as_floats, with_attrs
from lrnanalysis.measures.effort.threshold_estimators import Found, cump, mixture
from lrnanalysis.measures.effort.timed_answers import Answers, answers_of

__all__ = ["Chance", "Cutoff", "Method", "Rule", "thresholds"]

#: A rule's name, seconds for all items, or thresholds by item.
Method = str | float | pd.Series | pd.DataFrame

#: Probability of a right answer by guessing: one for all items, or by item.
Chance = float | pd.Series | Mapping[str, float]

_NAMED = re.compile(r"(nt|median|fixed)(\d+(?:\.\d+)?)")


def thresholds(
    times: pd.DataFrame,
    method: Method = "nt10",
    *,
    responses: pd.DataFrame | None = None,
    scores: pd.DataFrame | None = None,
    cap: float | None = None,
    chance: Chance | None = None,
    sessions: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Time threshold of every item: an answer strictly below it is a rapid guess.

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
    sessions : DataFrame, optional
        The sessions table, or a selection, with an items table only: other sessions and discarded
        ones count nowhere. Without it (or a column ``status`` merged into the items) none can be
        left out; ``attrs`` says so.

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
    answers = answers_of(times, responses, scores, sessions)
    rule = Rule(method, answers.labels, cap=cap, chance=chance)
    return rule.all_found(answers)


class Cutoff(NamedTuple):
    """One item's threshold [s] (NaN: none, and the reason), and its timed answers."""

    threshold: float
    n: int
    capped: bool
    reason: str | None


class Rule:
    """A threshold rule, to be asked item by item.

    Parameters
    ----------
    method, cap, chance
        As for `thresholds`.
    labels : Index
        The items.

    Raises
    ------
    MeasureError
        If the method is unknown or a number is out of range.
    """

    def __init__(
        self,
        method: Method,
        labels: pd.Index,
        *,
        cap: float | None = None,
        chance: Chance | None = None,
    ) -> None:
        if cap is not None and not cap > 0:
            raise MeasureError(f"cap is {cap}: give seconds above 0, or None for no cap")
        self._labels, self._cap = labels, cap
        self.chances = _chance_levels(chance, labels)
        self._number = np.nan
        self._given: list[Found] = []
        if isinstance(method, pd.DataFrame | pd.Series):
            self._kind = self.name = "given"
            self._given = _given(method, labels)
        elif isinstance(method, str):
            self.name = method
            self._kind, self._number = _parse(method)
        else:
            self._kind, self._number = "fixed", _positive(float(method))
            self.name = f"fixed{self._number:g}"

    def find(
        self, answers: Answers, number: int, summary: tuple[int, float] | None = None
    ) -> Cutoff:
        """The threshold of one item; `summary` where it is at hand."""
        n, mean = summary or answers.summary(number)
        found = self._found(answers, number, n, mean)
        threshold = found.threshold
        capped = self._cap is not None and threshold > self._cap
        if self._cap is not None and capped:
            threshold = self._cap
        return Cutoff(threshold, n, capped, found.reason)

    def all_found(self, answers: Answers) -> pd.DataFrame:
        """The thresholds of all items, as `thresholds` returns them."""
        found = [self.find(answers, number) for number in range(len(answers.labels))]
        return self.table(found, answers.notes)

    def table(self, cutoffs: Sequence[Cutoff], notes: Mapping[str, object]) -> pd.DataFrame:
        """Thresholds as `thresholds` returns them."""
        capped = f"{self.name}, capped at {self._cap:g} s" if self._cap is not None else ""
        values = [one.threshold for one in cutoffs]
        result = pd.DataFrame(
            {
                "threshold": np.array(values, dtype=np.float64),
                "method": pd.array(
                    [capped if one.capped else self.name for one in cutoffs], dtype="str"
                ),
                "n": np.array([one.n for one in cutoffs], dtype=np.int64),
                "reason": pd.array([one.reason for one in cutoffs], dtype="str"),
            },
            index=self._labels.rename("item_reference"),
            copy=False,
        )
        said = {
            "unit": "s",
            "method": self.name,
            "cap": self._cap,
            "rule": "rapid: answered in a time strictly below the threshold",
            "items_without_threshold": sum(np.isnan(values).tolist()),
        }
        return with_attrs(result, {**said, **notes})

    def _found(self, answers: Answers, number: int, n: int, mean: float) -> Found:
        if self._kind == "given":
            return self._given[number]
        if self._kind == "fixed":
            return Found(self._number)
        if self._kind == "cump":
            return cump(*answers.item(number), float(self.chances[number]))
        if self._kind == "mixture":
            return mixture(answers.item(number)[0])
        if not n:
            return Found(np.nan, "no answer has a time")
        if self._kind == "median":
            mean = float(np.median(answers.item(number)[0]))
        return Found(mean * self._number / 100)


def _parse(method: str) -> tuple[str, float]:
    """The kind of rule that a name means, and its number."""
    if method in ("cump", "mixture"):
        return method, np.nan
    parts = _NAMED.fullmatch(method)
    if not parts:
        raise MeasureError(
            f"method is {method!r}: it must be 'nt10' or another percent, 'median10', 'fixed3' "
            "or another number of seconds, 'cump', 'mixture', seconds, or thresholds by item"
        )
    return parts[1], _positive(float(parts[2]))


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
    given = as_floats(column.reindex(labels))
    if (given <= 0).any():
        raise MeasureError("a threshold is 0 or below: give seconds above 0, or NaN for none")
    known = labels.isin(column.index)
    reasons = ("no threshold given", "the threshold given is missing")
    return [
        Found(value, reasons[int(there)] if np.isnan(value) else None)
        for value, there in zip(given.tolist(), known.tolist(), strict=True)
    ]


def _chance_levels(chance: Chance | None, labels: pd.Index) -> FloatArray:
    """Every item's chance level; NaN where none is given."""
    if chance is None:
        return np.full(len(labels), np.nan)
    if isinstance(chance, Mapping | pd.Series):
        values = as_floats(pd.Series(chance, dtype="float64").reindex(labels))
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
