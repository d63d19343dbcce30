"""Timed answers, item by item, from the items table or from a persons × items matrix of times."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pandas as pd

from lrnanalysis.errors import MeasureError
from lrnanalysis.measures._checks import BoolArray, FloatArray, IntArray, as_floats, require_columns
from lrnanalysis.measures.completion import ANSWERED, States, reach_states
from lrnanalysis.measures.matrices import column_keys, matrix_values, without_discarded

__all__ = ["Answers", "LongAnswers", "MatrixAnswers", "answers_of", "is_long"]


class Answers(Protocol):
    """Times and correctness of the answers to every item."""

    labels: pd.Index
    notes: dict[str, object]

    def summary(self, number: int) -> tuple[int, float]:
        """Number and mean time [s] of one item's timed answers."""

    def item(self, number: int) -> tuple[FloatArray, FloatArray | None]:
        """One item's timed answers: times [s], and shares of points where scores are known."""


def is_long(frame: pd.DataFrame) -> bool:
    """Whether a frame is the items table and not a matrix of times."""
    return {"item_reference", "time"} <= set(frame.columns)


def answers_of(
    times: pd.DataFrame,
    responses: pd.DataFrame | None = None,
    scores: pd.DataFrame | None = None,
    sessions: pd.DataFrame | None = None,
) -> LongAnswers | MatrixAnswers:
    """The timed answers in an items table or in a matrix of times.

    Raises
    ------
    MeasureError
        If `responses` or `sessions` come with a matrix, or `scores` with an items table.
    """
    if not isinstance(times, pd.DataFrame):
        raise MeasureError(
            f"times is a {type(times).__name__}: give the items table or a persons × items matrix"
        )
    if is_long(times):
        if scores is not None:
            raise MeasureError(
                "scores= belongs to a matrix of times: the items table holds its own scores"
            )
        return LongAnswers(times, responses, sessions)
    if responses is not None:
        raise MeasureError(
            "responses= belongs to the items table: in a matrix of times an unanswered item is NaN"
        )
    if sessions is not None:
        raise MeasureError(
            "sessions= belongs to the items table: choose a matrix's sessions when making it"
        )
    return MatrixAnswers(times, scores)


@dataclass(frozen=True, eq=False)
class _Grouped:
    """Answers sorted by item."""

    times: FloatArray
    shares: FloatArray | None
    bounds: IntArray


class LongAnswers:
    """Timed answers of an items table.

    Attributes
    ----------
    labels : Index
        The items.
    codes : array of int, shape (rows,)
        Item of every row.
    times : array of float, shape (rows,)
        Time of every row [s].
    timed : array of bool, shape (rows,)
        Whether the row is answered, has a time above 0 and is of a session that counts.
    notes : dict
        What was left out, for ``attrs``.
    states : States
        What became of every row.
    """

    def __init__(
        self,
        items: pd.DataFrame,
        responses: pd.DataFrame | None,
        sessions: pd.DataFrame | None,
    ) -> None:
        require_columns(items, "session_id", "item_reference", "time", table="items")
        keys = column_keys(items, "item_reference")
        self.labels = keys.labels
        self.codes = keys.codes
        self.times = as_floats(items["time"])
        self.states: States = reach_states(items, responses)
        self.timed: BoolArray = self.states.flags(ANSWERED) & (self.times > 0)
        kept, self.notes = without_discarded(items, sessions)
        if kept is not None:
            self.timed &= kept
        self._items = items
        self._grouped: _Grouped | None = None
        self._means: tuple[IntArray, FloatArray] | None = None

    def shares(self) -> FloatArray | None:
        """Share of points of every row; None where the table holds no scores."""
        if not {"score", "max_score"} <= set(self._items.columns):
            return None
        most = as_floats(self._items["max_score"])
        shares = np.full(len(most), np.nan)
        np.divide(as_floats(self._items["score"]), most, out=shares, where=most > 0)
        return shares

    def summary(self, number: int) -> tuple[int, float]:
        """Number and mean time [s] of one item's timed answers."""
        if self._means is None:
            self._means = self._all_means()
        n, means = self._means
        return int(n[number]), float(means[number])

    def _all_means(self) -> tuple[IntArray, FloatArray]:
        size = len(self.labels)
        codes, times = self.codes, self.times
        if not self.timed.all():
            codes, times = codes[self.timed], times[self.timed]
        n = np.bincount(codes, minlength=size)
        means = np.full(size, np.nan)
        np.divide(np.bincount(codes, weights=times, minlength=size), n, out=means, where=n > 0)
        return n, means

    def item(self, number: int) -> tuple[FloatArray, FloatArray | None]:
        """One item's timed answers: times [s], and shares of points where scores are known."""
        if self._grouped is None:
            codes = self.codes[self.timed]
            order = np.argsort(codes, kind="stable")
            shares = self.shares()
            ends = np.cumsum(np.bincount(codes, minlength=len(self.labels)))
            self._grouped = _Grouped(
                self.times[self.timed][order],
                None if shares is None else shares[self.timed][order],
                np.concatenate(([0], ends)),
            )
        rows = slice(*self._grouped.bounds[number : number + 2].tolist())
        kept = self._grouped.shares
        return self._grouped.times[rows], None if kept is None else kept[rows]


class MatrixAnswers:
    """Timed answers of a persons × items matrix: every time above 0 is one.

    Attributes
    ----------
    labels : Index
        The items.
    persons : Index
        The rows.
    values : array of float, shape (persons, items)
        The times [s].
    """

    def __init__(self, times: pd.DataFrame, scores: pd.DataFrame | None) -> None:
        self.labels = times.columns
        self.persons = times.index
        self.values = matrix_values(times, what="times")
        self._scores = None if scores is None else _aligned(scores, times)
        self.notes: dict[str, object] = {}

    def shares(self) -> FloatArray | None:
        """Share of points of every cell; None where no scores were given."""
        return self._scores

    def summary(self, number: int) -> tuple[int, float]:
        """Number and mean time [s] of one item's timed answers."""
        column = self.values[:, number]
        if not column.min(initial=np.inf) > 0:  # NaN as well
            column = column[column > 0]
        n = len(column)
        return n, float(np.einsum("j->", column)) / n if n else np.nan

    def likely_summary(self, number: int) -> tuple[int, float]:
        """`summary`, as long as no time is 0 or below: one pass where none is missing."""
        column = self.values[:, number]
        # NaN where a time is missing. einsum adds twice as fast as sum.
        total = float(np.einsum("j->", column))
        return (len(column), total / len(column)) if total > 0 else self.summary(number)

    def item(self, number: int) -> tuple[FloatArray, FloatArray | None]:
        """One item's timed answers: times [s], and shares of points where scores are known."""
        column = self.values[:, number]
        timed = column > 0
        shares = None if self._scores is None else self._scores[timed, number]
        return column[timed], shares


def _aligned(scores: pd.DataFrame, times: pd.DataFrame) -> FloatArray:
    """Scores in the order of the times; every item's shares of points must be 0 to 1."""
    values = matrix_values(scores, what="scores")
    if not (scores.index.equals(times.index) and scores.columns.equals(times.columns)):
        raise MeasureError(
            "scores and times differ in their rows or columns: build both from the same sessions"
        )
    if values.size and np.nanmax(values, initial=0.0) > 1:
        raise MeasureError(
            "scores holds values above 1: give shares of the highest score, as "
            'score_matrix(…, value="share") does'
        )
    return values
