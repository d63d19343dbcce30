"""Rows of a long table grouped by session, in the order in which the learner saw them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from lrnanalysis.errors import MeasureError
from lrnanalysis.measures._checks import FloatArray, IntArray, as_floats, require_columns
from lrnanalysis.measures.matrices.keys import factorise_runs

__all__ = ["Block", "SessionRows", "session_rows"]

ScalarT = TypeVar("ScalarT", bound=np.generic)

#: Rows worked on at a time: small enough for the cache, large enough to hide Python's overhead.
_BLOCK = 1 << 16


@dataclass(frozen=True, eq=False)
class Block:
    """A stretch of whole sessions.

    Attributes
    ----------
    groups : slice
        Which sessions, as positions in `SessionRows.labels`.
    rows : slice
        Which rows, in grouped order.
    starts : array of int
        First row of every session, counted from the block's first row.
    lengths : array of int
        Rows of every session.
    """

    groups: slice
    rows: slice
    starts: IntArray
    lengths: IntArray

    def spread(self, per_session: npt.NDArray[ScalarT]) -> npt.NDArray[ScalarT]:
        """A value per session, repeated for each of its rows."""
        return np.repeat(per_session, self.lengths)


@dataclass(frozen=True, eq=False)
class SessionRows:
    """A long table's rows, grouped by session.

    Attributes
    ----------
    labels : Index
        The sessions in order of first appearance.
    starts : array of int, shape (sessions,)
        First row of every session in grouped order.
    n : int
        Number of rows.
    order : array of int, shape (rows,), or None
        Rows of the frame in grouped order; None where the frame already is in that order.
    """

    labels: pd.Index
    starts: IntArray
    n: int
    order: IntArray | None

    @property
    def lengths(self) -> IntArray:
        """Rows of every session."""
        return np.diff(self.starts, append=self.n)

    def blocks(self) -> Iterator[Block]:
        """The sessions in stretches of some 65,000 rows, so that scratch arrays stay small."""
        bounds = np.append(self.starts, self.n)
        first = 0
        while first < len(self.starts):
            last = int(np.searchsorted(bounds, bounds[first] + _BLOCK, side="right")) - 1
            last = max(last, first + 1)
            yield Block(
                slice(first, last),
                slice(int(bounds[first]), int(bounds[last])),
                self.starts[first:last] - self.starts[first],
                np.diff(bounds[first : last + 1]),
            )
            first = last

    def reader(self, column: pd.Series) -> Callable[[slice], FloatArray]:
        """A function that gives a block's rows of a number column as float64.

        Nullable columns are converted a block at a time, so that no full copy is made.
        """
        if self.order is not None:
            ordered = as_floats(column)[self.order]
            return lambda rows: ordered[rows]
        return lambda rows: as_floats(column.iloc[rows])

    def grouped(self, values: npt.NDArray[ScalarT]) -> npt.NDArray[ScalarT]:
        """Values in the frame's order, put into grouped order."""
        return values if self.order is None else values[self.order]

    def as_frame(self, values: npt.NDArray[ScalarT]) -> npt.NDArray[ScalarT]:
        """Values in grouped order, put back into the frame's order."""
        if self.order is None:
            return values
        back = np.empty_like(values)
        back[self.order] = values
        return back


def session_rows(items: pd.DataFrame, *, shown: bool = True, table: str = "items") -> SessionRows:
    """Group a long table's rows by ``session_id``; with `shown`, by ``position`` within them.

    Rows without a ``position`` keep the frame's order, after those with one.

    Raises
    ------
    MeasureError
        If there is no column ``session_id``, or a row of it is missing.

    Examples
    --------
    >>> frame = pd.DataFrame({"session_id": ["b", "a", "b"], "position": [2, 1, 1]})
    >>> rows = session_rows(frame)
    >>> rows.labels.tolist(), rows.order.tolist()
    (['b', 'a'], [2, 0, 1])
    """
    require_columns(items, "session_id", table=table)
    column = items["session_id"]
    runs = factorise_runs(column)
    if (runs.codes < 0).any():
        lost = int(column.isna().sum())
        raise MeasureError(
            f"{lost} of {len(items)} rows have no session_id: leave them out with "
            f'{table}.dropna(subset=["session_id"])'
        )
    by_position = shown and "position" in items.columns
    labels = runs.labels
    if runs.contiguous:
        if isinstance(column.dtype, pd.CategoricalDtype):
            labels = labels[runs.codes]  # from category order to that of appearance
        rows = SessionRows(labels, runs.starts, runs.rows, None)
        if not by_position or _increasing(items["position"], rows):
            return rows
    codes = runs.row_codes()
    if isinstance(column.dtype, pd.CategoricalDtype):
        _, first = np.unique(codes, return_index=True)
        appearance = np.argsort(first)
        rank = np.empty_like(appearance)
        rank[appearance] = np.arange(len(appearance))
        codes, labels = rank[codes], labels[appearance]
    if by_position:
        order = np.lexsort((as_floats(items["position"]), codes))
    else:
        order = np.argsort(codes, kind="stable")
    counts = np.bincount(codes, minlength=len(labels))
    starts = np.concatenate(([0], np.cumsum(counts)[:-1])) if len(labels) else counts
    return SessionRows(labels, starts, len(items), order)


def _increasing(position: pd.Series, rows: SessionRows) -> bool:
    """Whether positions grow from row to row within every session."""
    read = rows.reader(position)
    for block in rows.blocks():
        values = read(block.rows)
        grows = values[1:] > values[:-1]
        grows[block.starts[1:] - 1] = True
        if not grows.all():
            return False
    return True
