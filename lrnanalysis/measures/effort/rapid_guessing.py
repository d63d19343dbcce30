"""Rapid guesses, and the effort of persons and fidelity of items that follow from them.

A guess is rapid if its time is **strictly below** the item's threshold. Response time effort of a
person is the share of timed answers that are not rapid (Wise, S. L., & Kong, X. (2005). Response
time effort. Applied Measurement in Education, 18(2), 163-183), response time fidelity the same of
an item (Wise, S. L. (2006). An investigation of the differential effort received by items on a
low-stakes computer-based test. Applied Measurement in Education, 19(2), 95-114).

A missing time, one of 0 or below, an infinite one and an unanswered item are not rapid guesses and
count neither way. Negative and infinite times are said by a `DataWarning`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from lrnanalysis.arguments import checked
from lrnanalysis.measures._checks import FloatArray, IntArray, as_floats, with_attrs
from lrnanalysis.measures._times import time_values
from lrnanalysis.measures.effort.thresholds import Chance, Method, share_values, threshold_table
from lrnanalysis.warnings import RuleWarning, warn

__all__ = [
    "EffortScreen",
    "rapid_guesses",
    "response_time_effort",
    "response_time_fidelity",
    "screen",
]

#: With fewer timed answers, RTE below .90 only means "any rapid answer".
_FEW = 10


@dataclass(frozen=True, eq=False)
class EffortScreen:
    """What one threshold rule finds in a test.

    Attributes
    ----------
    thresholds : DataFrame
        One row per item, see `thresholds`.
    flags : DataFrame of bool, persons × items
        Rapid guesses; False where there is no timed answer or no threshold.
    rte : Series
        Response time effort, one value per person.
    rtf : Series
        Response time fidelity, one value per item.
    """

    thresholds: pd.DataFrame
    flags: pd.DataFrame
    rte: pd.Series
    rtf: pd.Series

    def __repr__(self) -> str:
        below = int((self.rte < 0.9).sum())
        return (
            f"EffortScreen({len(self.rtf)} items, {len(self.rte)} persons, "
            f"{int(self.flags.to_numpy().sum())} rapid guesses, {below} persons with RTE < .90)"
        )


@checked
def screen(
    times: pd.DataFrame,
    method: Method = "nt10",
    *,
    scores: pd.DataFrame | None = None,
    cap: float | None = None,
    chance: Chance | None = None,
) -> EffortScreen:
    """Thresholds, rapid guesses, response time effort and fidelity in one go.

    Parameters
    ----------
    times, method, scores, cap, chance
        As for `thresholds`.

    Returns
    -------
    EffortScreen
        ``thresholds``, ``flags``, ``rte`` and ``rtf``.

    Raises
    ------
    MeasureError
        The method is unknown, a number is out of range, or scores do not match the times.

    Warns
    -----
    RuleWarning
        Persons have fewer than 10 timed answers: for them a response time effort below .90 only
        means that any answer was rapid.

    Examples
    --------
    >>> times = pd.DataFrame([[2.0] + [20.0] * 9, [20.0] * 10], index=["s", "t"])
    >>> screen(times, 3).rte.tolist()
    [0.9, 1.0]
    """
    found, few = _screened(times, method, scores, cap, chance)
    if few:
        warn(
            f"{few} of {len(times)} persons have fewer than {_FEW} timed answers: for them a "
            "response time effort below .90 only means that any answer was rapid",
            RuleWarning,
        )
    return found


@checked
def rapid_guesses(
    times: pd.DataFrame,
    method: Method = "nt10",
    *,
    scores: pd.DataFrame | None = None,
    cap: float | None = None,
    chance: Chance | None = None,
) -> pd.DataFrame:
    """Whether each answer was given in less time than its item's threshold.

    Parameters
    ----------
    times, method, scores, cap, chance
        As for `thresholds`.

    Returns
    -------
    DataFrame of bool, persons × items
        False where there is no time or no threshold.

    Raises
    ------
    MeasureError
        The method is unknown, a number is out of range, or scores do not match the times.

    Examples
    --------
    >>> rapid_guesses(pd.DataFrame({"a": [2.0, 3.0, None]}), 3)["a"].tolist()
    [True, False, False]
    """
    return _screened(times, method, scores, cap, chance)[0].flags


@checked
def response_time_effort(
    times: pd.DataFrame,
    method: Method = "nt10",
    *,
    scores: pd.DataFrame | None = None,
    cap: float | None = None,
    chance: Chance | None = None,
) -> pd.Series:
    """Share of every person's timed answers that were not rapid guesses.

    Parameters
    ----------
    times, method, scores, cap, chance
        As for `thresholds`.

    Returns
    -------
    Series
        ``response_time_effort`` (0 to 1), one value per person; NaN where no answer has both a
        time and a threshold. A usual screen is below .90.

    Raises
    ------
    MeasureError
        The method is unknown, a number is out of range, or scores do not match the times.

    Warns
    -----
    RuleWarning
        Persons have fewer than 10 timed answers: for them a value below .90 only means that any
        answer was rapid.

    Examples
    --------
    >>> times = pd.DataFrame([[2.0] + [20.0] * 9, [20.0] * 10], index=["s", "t"])
    >>> response_time_effort(times, 3).tolist()
    [0.9, 1.0]
    """
    return screen(times, method, scores=scores, cap=cap, chance=chance).rte


@checked
def response_time_fidelity(
    times: pd.DataFrame,
    method: Method = "nt10",
    *,
    scores: pd.DataFrame | None = None,
    cap: float | None = None,
    chance: Chance | None = None,
) -> pd.Series:
    """Share of every item's timed answers that were not rapid guesses.

    Parameters
    ----------
    times, method, scores, cap, chance
        As for `thresholds`.

    Returns
    -------
    Series
        ``response_time_fidelity`` (0 to 1), one value per item; NaN where the item has no
        threshold or no timed answer.

    Raises
    ------
    MeasureError
        The method is unknown, a number is out of range, or scores do not match the times.

    Examples
    --------
    >>> times = pd.DataFrame({"a": [2.0, 58.0], "b": [30.0, 30.0]})
    >>> response_time_fidelity(times, 3).to_dict()
    {'a': 0.5, 'b': 1.0}
    """
    return _screened(times, method, scores, cap, chance)[0].rtf


def _screened(
    times: pd.DataFrame,
    method: Method,
    scores: pd.DataFrame | None,
    cap: float | None,
    chance: Chance | None,
) -> tuple[EffortScreen, int]:
    """As `screen`, and the number of persons with few timed answers."""
    values = time_values(times)
    shares = None if scores is None else share_values(scores, times)
    found = threshold_table(values, shares, times.columns, method, cap=cap, chance=chance)
    limits = as_floats(found["threshold"])
    timed = values > np.where(np.isnan(limits), np.inf, 0.0)
    rapid = timed & (values < limits)
    flags = pd.DataFrame(rapid, index=times.index, columns=times.columns, copy=False)
    by_person = timed.sum(axis=1, dtype=np.int32)
    by_item = timed.sum(axis=0, dtype=np.int32)
    rte = _series(rapid.sum(axis=1, dtype=np.int32), by_person, times.index, "response_time_effort")
    rtf = _series(rapid.sum(axis=0, dtype=np.int32), by_item, found.index, "response_time_fidelity")
    few = int(np.count_nonzero((by_person < _FEW) & (by_person > 0)))
    notes: dict[str, object] = {
        **{str(name): value for name, value in found.attrs.items()},
        "flagged": int(np.count_nonzero(rapid)),
        "timed_answers": int(np.count_nonzero(timed)),
    }
    with_attrs(flags, notes)
    notes["rule"] = "1 - rapid / timed answers (Wise 2006)"
    with_attrs(rtf, notes)
    notes["rule"] = "1 - rapid / timed answers (Wise & Kong 2005)"
    with_attrs(rte, {**notes, "persons_with_fewer_than_10": few})
    return EffortScreen(found, flags, rte, rtf), few


def _series(rapid: IntArray, timed: IntArray, index: pd.Index, name: str) -> pd.Series:
    """1 - rapid / timed; NaN where nothing is timed."""
    share: FloatArray = np.full(len(timed), np.nan)
    np.divide(rapid, timed, out=share, where=timed > 0)
    return pd.Series(1 - share, index=index, name=name)
