"""Rapid guesses, and what they say of persons and items.

A guess is rapid if its time is **strictly below** the item's threshold. Response time effort of a
person is the share of timed answers that are not rapid (Wise, S. L., & Kong, X. (2005). Response
time effort. Applied Measurement in Education, 18(2), 163-183), response time fidelity the same of
an item (Wise, S. L. (2006). An investigation of the differential effort received by items on a
low-stakes computer-based test. Applied Measurement in Education, 19(2), 95-114).

A missing time, one of 0 or below, and an unanswered item are not rapid guesses: they count
neither way.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd

from lrnanalysis.measures._checks import BoolArray, FloatArray, IntArray, as_floats, with_attrs
from lrnanalysis.measures.effort.thresholds import Chance, Cutoff, Method, Rule
from lrnanalysis.measures.effort.timed_answers import LongAnswers, MatrixAnswers, answers_of

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
        One row an item, see `thresholds`.
    flags : Series or DataFrame
        Rapid guesses: one value a row of an items table (NA where there is no timed answer or no
        threshold), or a bool matrix (False there).
    rte : Series
        Response time effort, one value a session (a row of the matrix).
    rtf : Series
        Response time fidelity, one value an item.
    """

    thresholds: pd.DataFrame
    flags: pd.Series | pd.DataFrame
    rte: pd.Series
    rtf: pd.Series

    def __repr__(self) -> str:
        method = self.thresholds.attrs["method"]
        below = int((self.rte < 0.9).sum())
        return (
            f"EffortScreen({method}: {len(self.rtf)} items, {len(self.rte)} sessions, "
            f"{below} with RTE < .90)"
        )


def screen(
    times: pd.DataFrame,
    method: Method = "nt10",
    *,
    responses: pd.DataFrame | None = None,
    scores: pd.DataFrame | None = None,
    cap: float | None = None,
    chance: Chance | None = None,
    sessions: pd.DataFrame | None = None,
) -> EffortScreen:
    """Thresholds, rapid guesses, response time effort and fidelity in one go.

    Parameters
    ----------
    times, method, responses, scores, cap, chance, sessions
        As for `thresholds`.

    Returns
    -------
    EffortScreen
        ``thresholds``, ``flags``, ``rte`` and ``rtf``.

    Raises
    ------
    MeasureError
        If the method is unknown, a number is out of range or a column is missing.

    Warns
    -----
    UserWarning
        If sessions have fewer than 10 timed answers, see `response_time_effort`.

    Examples
    --------
    >>> times = pd.DataFrame([[2.0] + [20.0] * 9, [20.0] * 10], index=["s", "t"])
    >>> screen(times, 3).rte.tolist()
    [0.9, 1.0]
    """
    found = _screen(times, method, responses, scores, cap, chance, sessions)
    return EffortScreen(found.thresholds, found.flags(), found.rte(), found.rtf())


def rapid_guesses(
    times: pd.DataFrame,
    method: Method = "nt10",
    *,
    responses: pd.DataFrame | None = None,
    scores: pd.DataFrame | None = None,
    cap: float | None = None,
    chance: Chance | None = None,
    sessions: pd.DataFrame | None = None,
) -> pd.Series | pd.DataFrame:
    """Whether each answer was given in less time than its item's threshold.

    Parameters
    ----------
    times, method, responses, scores, cap, chance, sessions
        As for `thresholds`.

    Returns
    -------
    Series of boolean, or DataFrame of bool
        For an items table ``rapid_guess``, one value a row, with the frame's index; NA where
        there is no time, no answer or no threshold, and in sessions left out. For a matrix of
        times a matrix of the same shape, False there.

    Raises
    ------
    MeasureError
        If the method is unknown, a number is out of range or a column is missing.

    Examples
    --------
    >>> items = pd.DataFrame({
    ...     "session_id": ["s", "t", "u"], "item_reference": "a", "time": [2.0, 3.0, None],
    ... })
    >>> rapid_guesses(items, 3).tolist()
    [True, False, <NA>]
    """
    return _screen(times, method, responses, scores, cap, chance, sessions).flags()


def response_time_effort(
    times: pd.DataFrame,
    method: Method = "nt10",
    *,
    responses: pd.DataFrame | None = None,
    scores: pd.DataFrame | None = None,
    cap: float | None = None,
    chance: Chance | None = None,
    sessions: pd.DataFrame | None = None,
) -> pd.Series:
    """Share of every session's timed answers that were not rapid guesses.

    Parameters
    ----------
    times, method, responses, scores, cap, chance, sessions
        As for `thresholds`.

    Returns
    -------
    Series
        ``response_time_effort`` (0 to 1), one value a session (a row of the matrix); NaN where
        no answer has both a time and a threshold. A usual screen is below .90.

    Raises
    ------
    MeasureError
        If the method is unknown, a number is out of range or a column is missing.

    Warns
    -----
    UserWarning
        If sessions have fewer than 10 timed answers: there a value below .90 only means that
        any answer was rapid.

    Examples
    --------
    >>> times = pd.DataFrame([[2.0] + [20.0] * 9, [20.0] * 10], index=["s", "t"])
    >>> response_time_effort(times, 3).tolist()
    [0.9, 1.0]
    """
    return _screen(times, method, responses, scores, cap, chance, sessions).rte()


def response_time_fidelity(
    times: pd.DataFrame,
    method: Method = "nt10",
    *,
    responses: pd.DataFrame | None = None,
    scores: pd.DataFrame | None = None,
    cap: float | None = None,
    chance: Chance | None = None,
    sessions: pd.DataFrame | None = None,
) -> pd.Series:
    """Share of every item's timed answers that were not rapid guesses.

    Parameters
    ----------
    times, method, responses, scores, cap, chance, sessions
        As for `thresholds`.

    Returns
    -------
    Series
        ``response_time_fidelity`` (0 to 1), one value an item; NaN where the item has no
        threshold or no timed answer.

    Raises
    ------
    MeasureError
        If the method is unknown, a number is out of range or a column is missing.

    Examples
    --------
    >>> times = pd.DataFrame({"a": [2.0, 58.0], "b": [30.0, 30.0]})
    >>> response_time_fidelity(times, 3).to_dict()
    {'a': 0.5, 'b': 1.0}
    """
    return _screen(times, method, responses, scores, cap, chance, sessions).rtf()


@dataclass(frozen=True, eq=False)
class _Screen:
    """Flags with their counts, before they become labelled objects."""

    source: pd.DataFrame
    thresholds: pd.DataFrame
    persons: pd.Index
    flagged: BoolArray
    known: BoolArray | None
    rapid: IntArray  # a person
    timed: IntArray  # a person, or of shape () where all have the same
    rapid_by_item: IntArray
    timed_by_item: IntArray

    @cached_property
    def _notes(self) -> dict[str, object]:
        notes = {str(name): value for name, value in self.thresholds.attrs.items()}
        notes["flagged"] = int(self.rapid_by_item.sum())
        notes["timed_answers"] = int(self.timed_by_item.sum())
        return notes

    @cached_property
    def few(self) -> int:
        """Sessions with some timed answers, but fewer than ten."""
        few = np.count_nonzero((self.timed < _FEW) & (self.timed > 0))
        return int(few) * (1 if self.timed.ndim else len(self.rapid))

    def flags(self) -> pd.Series | pd.DataFrame:
        """The rapid guesses in the shape of the source."""
        if self.known is not None:
            values = pd.arrays.BooleanArray(self.flagged, ~self.known)
            series = pd.Series(values, index=self.source.index, name="rapid_guess")
            return with_attrs(series, self._notes)
        matrix = pd.DataFrame(
            self.flagged.T, index=self.persons, columns=self.source.columns, copy=False
        )
        return with_attrs(matrix, self._notes)

    def rte(self) -> pd.Series:
        """Response time effort; warns where sessions are short."""
        if self.few:
            warnings.warn(
                f"{self.few} of {len(self.rapid)} sessions have fewer than {_FEW} timed answers: "
                "there a response time effort below .90 only means that any answer was rapid",
                stacklevel=3,
            )
        values = _share_kept(self.rapid, self.timed)
        notes = {**self._notes, "rule": "1 - rapid / timed answers (Wise & Kong 2005)"}
        notes["sessions_with_fewer_than_10"] = self.few
        result = pd.Series(values, index=self.persons, name="response_time_effort")
        return with_attrs(result, notes)

    def rtf(self) -> pd.Series:
        """Response time fidelity."""
        values = _share_kept(self.rapid_by_item, self.timed_by_item)
        index = self.thresholds.index
        result = pd.Series(values, index=index, name="response_time_fidelity")
        return with_attrs(result, {**self._notes, "rule": "1 - rapid / timed answers (Wise 2006)"})


def _screen(
    times: pd.DataFrame,
    method: Method,
    responses: pd.DataFrame | None,
    scores: pd.DataFrame | None,
    cap: float | None,
    chance: Chance | None,
    sessions: pd.DataFrame | None,
) -> _Screen:
    answers = answers_of(times, responses, scores, sessions)
    rule = Rule(method, answers.labels, cap=cap, chance=chance)
    if isinstance(answers, LongAnswers):
        return _screen_long(times, answers, rule)
    return _screen_matrix(times, answers, rule)


def _screen_long(items: pd.DataFrame, answers: LongAnswers, rule: Rule) -> _Screen:
    size = len(answers.labels)
    cutoffs = rule.all_found(answers)
    limit = as_floats(cutoffs["threshold"])[answers.codes]
    known = answers.timed & ~np.isnan(limit)
    flagged = known & (answers.times < limit)
    grouped = answers.states.grouped
    return _Screen(
        items,
        cutoffs,
        grouped.labels.rename("session_id"),
        flagged,
        known,
        np.add.reduceat(grouped.grouped(flagged), grouped.starts, dtype=np.int64),
        np.add.reduceat(grouped.grouped(known), grouped.starts, dtype=np.int64),
        np.bincount(answers.codes[flagged], minlength=size),
        np.bincount(answers.codes[known], minlength=size),
    )


def _screen_matrix(times: pd.DataFrame, answers: MatrixAnswers, rule: Rule) -> _Screen:
    """Column by column, so that a column stays in the cache for all that is done with it."""
    persons, size = answers.values.shape
    flagged = np.empty((size, persons), dtype=bool)
    rapid, timed = _Counter(persons), _Counter(persons)
    rapid_by_item, timed_by_item = [0] * size, [0] * size
    cutoffs: list[Cutoff] = []
    for number in range(size):
        column, flags = answers.values[:, number], flagged[number]
        cutoff = rule.find(answers, number, answers.likely_summary(number))
        np.less(column, cutoff.threshold, out=flags)
        hits = np.flatnonzero(flags)
        # Times of 0 or below are below any threshold above 0: none among the hits, none at all.
        if not (cutoff.threshold > 0 and np.minimum.reduce(column[hits], initial=1) > 0):
            cutoff = rule.find(answers, number)
            np.less(column, cutoff.threshold, out=flags)
            flags &= column > 0
            hits = np.flatnonzero(flags)
        cutoffs.append(cutoff)
        if math.isnan(cutoff.threshold):
            continue
        if cutoff.n == persons:
            timed.add_all()
        else:
            timed.add(column > 0)
        rapid.add(flags)
        rapid_by_item[number], timed_by_item[number] = len(hits), cutoff.n
    return _Screen(
        times,
        rule.table(cutoffs, answers.notes),
        answers.persons,
        flagged,
        None,
        np.broadcast_to(rapid.total(), (persons,)),
        timed.total(),
        np.array(rapid_by_item, dtype=np.int64),
        np.array(timed_by_item, dtype=np.int64),
    )


class _Counter:
    """How many of a person's flags are set, counted in bytes, which are quick to add to."""

    def __init__(self, size: int) -> None:
        self._bytes: npt.NDArray[np.uint8] = np.zeros(size, dtype=np.uint8)
        self._full: npt.NDArray[np.int64] | None = None
        self._held = 0
        self._everybody = 0

    def add(self, flags: BoolArray) -> None:
        """Count one flag a person."""
        if self._held == 255:
            # The next one might overflow a byte.
            self._full = self.total().astype(np.int64) - self._everybody
            self._bytes = np.zeros_like(self._bytes)
            self._held = 0
        self._bytes += flags.view(np.uint8)
        self._held += 1

    def add_all(self) -> None:
        """Count a flag that is set for everybody."""
        self._everybody += 1

    def total(self) -> IntArray:
        """The counts; a single number, shape (), where everybody has the same."""
        if self._full is None and not self._held:
            return np.array(self._everybody)
        if self._full is None and not self._everybody:
            return self._bytes
        return self._bytes + np.int64(self._everybody) + (0 if self._full is None else self._full)


def _share_kept(rapid: IntArray, timed: IntArray) -> FloatArray:
    """1 - rapid / timed; NaN where nothing is timed."""
    share: FloatArray = rapid.astype(np.float64)
    with np.errstate(invalid="ignore"):
        share /= timed
    return np.subtract(1.0, share, out=share)
