"""Rows of the items table grouped by session, in the order in which the learner saw them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from lrnanalysis.measures._checks import IntArray, as_floats, require_columns
from lrnanalysis.measures.matrices.keys import check_unique_key, person_keys

__all__ = ["SessionRows", "session_rows"]

ScalarT = TypeVar("ScalarT", bound=np.generic)


@dataclass(frozen=True, eq=False)
class SessionRows:
    """Rows of the items table, grouped by session.

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
        """Number of rows of every session."""
        return np.diff(self.starts, append=self.n)

    @property
    def ends(self) -> IntArray:
        """Last row of every session in grouped order."""
        return self.starts + self.lengths - 1

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


def session_rows(items: pd.DataFrame) -> SessionRows:
    """Group the rows of an items table by ``session_id``, and by ``position`` within sessions.

    Rows without a ``position`` keep the frame's order, after those with one.

    Raises
    ------
    MeasureError
        There is no column ``session_id``, a value of it is missing, or an item occurs twice in a
        session.

    Examples
    --------
    >>> items = pd.DataFrame({"session_id": ["b", "a", "b"], "position": [2, 1, 1]})
    >>> rows = session_rows(items)
    >>> rows.labels.tolist(), rows.order.tolist()
    (['b', 'a'], [2, 0, 1])
    """
    require_columns(items, "session_id", table="items")
    keys = person_keys(items, "session_id")
    check_unique_key(items, "items", {"session_id": keys})
    place = keys.codes.astype(np.int64)
    if "position" in items.columns:
        positions, found = pd.factorize(as_floats(items["position"]), sort=True)
        positions[positions < 0] = len(found)  # without a position: last
        place *= len(found) + 1
        place += positions
    order = np.argsort(place, kind="stable")
    counts = np.bincount(keys.codes, minlength=len(keys.labels))
    return SessionRows(keys.labels, np.cumsum(counts) - counts, order)
