"""Rows of a long table grouped by session, in the order in which the learner saw them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from lrnanalysis.errors import MeasureError
from lrnanalysis.measures._checks import IntArray, as_floats, require_columns

__all__ = ["SessionRows", "session_rows"]

ScalarT = TypeVar("ScalarT", bound=np.generic)


@dataclass(frozen=True, eq=False)
class SessionRows:
    """A long table's rows, grouped by session.

    Attributes
    ----------
    labels : Index
        The sessions in order of first appearance.
    starts : array of int, shape (sessions,)
        First row of every session in grouped order.
    order : array of int, shape (rows,)
        Rows of the frame in grouped order.
    """

    labels: pd.Index
    starts: IntArray
    order: IntArray

    @property
    def n(self) -> int:
        """Number of rows."""
        return len(self.order)

    @property
    def lengths(self) -> IntArray:
        """Rows of every session."""
        return np.diff(self.starts, append=self.n)

    def spread(self, per_session: npt.NDArray[ScalarT]) -> npt.NDArray[ScalarT]:
        """A value per session, repeated for each of its rows in grouped order."""
        return np.repeat(per_session, self.lengths)

    def grouped(self, values: npt.NDArray[ScalarT]) -> npt.NDArray[ScalarT]:
        """Values in the frame's order, put into grouped order."""
        return values[self.order]

    def as_frame(self, values: npt.NDArray[ScalarT]) -> npt.NDArray[ScalarT]:
        """Values in grouped order, put back into the frame's order."""
        back = np.empty_like(values)
        back[self.order] = values
        return back


def session_rows(
    frame: pd.DataFrame, *, by_position: bool = True, table: str = "items"
) -> SessionRows:
    """Group a long table's rows by ``session_id``, and by ``position`` within sessions.

    Rows without a ``position`` keep the frame's order, after those with one.

    Raises
    ------
    MeasureError
        There is no column ``session_id``, or a row of it is missing.

    Examples
    --------
    >>> frame = pd.DataFrame({"session_id": ["b", "a", "b"], "position": [2, 1, 1]})
    >>> rows = session_rows(frame)
    >>> rows.labels.tolist(), rows.order.tolist()
    (['b', 'a'], [2, 0, 1])
    """
    require_columns(frame, "session_id", table=table)
    codes, labels = pd.factorize(frame["session_id"])
    if (codes < 0).any():
        raise MeasureError(
            f"{int((codes < 0).sum())} of {len(frame)} rows have no session_id: drop them with "
            f'{table}.dropna(subset=["session_id"])'
        )
    if by_position and "position" in frame.columns:
        order = np.lexsort((as_floats(frame["position"]), codes))
    else:
        order = np.argsort(codes, kind="stable")
    counts = np.bincount(codes, minlength=len(labels))
    starts = np.cumsum(counts) - counts
    index = pd.Index(labels)
    if isinstance(index, pd.CategoricalIndex):
        index = pd.Index(index.to_numpy())
    return SessionRows(index, starts, order)
