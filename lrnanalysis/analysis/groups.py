"""Columns of any of the three tables by name, brought to the table that needs them."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from lrnanalysis.errors import MeasureError
from lrnanalysis.measures._checks import IntArray
from lrnanalysis.measures.matrices import link_rows

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["LinkedTables"]


class LinkedTables:
    """The three tables of an analysis, with columns found through the links.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        ``sessions``, ``responses`` and ``items``.
    item_sessions, response_sessions : array of int
        Row of the sessions table of every row of the items and the responses table.
    """

    def __init__(
        self,
        tables: Mapping[str, pd.DataFrame],
        item_sessions: IntArray,
        response_sessions: IntArray,
    ) -> None:
        self._tables = dict(tables)
        self._rows = {"items": item_sessions, "responses": response_sessions}

    @property
    def rows(self) -> tuple[IntArray, IntArray]:
        """Row of the sessions table of every row of the items and the responses table."""
        return self._rows["items"], self._rows["responses"]

    def with_columns(self, table: str, by: str | Sequence[str]) -> pd.DataFrame:
        """The table with the columns named, wherever they come from.

        Raises
        ------
        MeasureError
            A name is no column of any table, or one session has many values of it.
        """
        frame = self._tables[table]
        names = [by] if isinstance(by, str) else list(by)
        if not names:
            raise MeasureError("by is empty: pass the name of a column, or several")
        added = {name: self.column(table, name) for name in names if name not in frame.columns}
        return frame.assign(**added) if added else frame

    def column(self, table: str, name: str) -> pd.Series:
        """A column of any table, with one value per row of `table`."""
        frame = self._tables[table]
        if name in frame.columns:
            return frame[name]
        if table != "sessions" and name in self._tables["sessions"].columns:
            values = self._tables["sessions"][name].iloc[self._rows[table]]
            return values.set_axis(frame.index)
        other = "responses" if table == "items" else "items"
        if name in self._tables[other].columns or (
            table == "sessions" and name in self._tables["responses"].columns
        ):
            if table == "sessions":
                raise MeasureError(
                    f"{name!r} has several values per session: group sessions by a column of the "
                    "sessions table"
                )
            return self._across(table, name)
        raise MeasureError(self._unknown(name))

    def _across(self, table: str, name: str) -> pd.Series:
        """A column of the items for responses, or of the responses for items."""
        items, responses = self._tables["items"], self._tables["responses"]
        row = link_rows(items, responses)
        if table == "responses":
            values = items[name].iloc[np.maximum(row, 0)].set_axis(responses.index)
            return values.where(row >= 0)
        # The distinct values of an item's responses: "mcq, shorttext" where it has two types.
        values = responses[name].astype("str")
        linked = pd.DataFrame({"row": row, "value": values.to_numpy()})
        linked = linked[(row >= 0) & values.notna().to_numpy()].drop_duplicates()
        joined = linked.groupby("row")["value"].agg(", ".join)
        return joined.reindex(range(len(items))).set_axis(items.index).astype("str")

    def _unknown(self, name: str) -> str:
        known = sorted({str(column) for frame in self._tables.values() for column in frame})
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"choose from {', '.join(known)}"
        if name.startswith("metadata."):
            attribute = name.removeprefix("metadata.")
            hint = f'fetch with include="{attribute}" to add this attribute, or {hint}'
        return f"{name!r} is not a column of sessions, responses or items: {hint}"
