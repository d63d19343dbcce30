"""The long format: one row per response, and one per item that has none."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from lrnanalysis.tables.schema import ITEMS, METADATA_PREFIX, SESSIONS
from lrnanalysis.tables.table_operations import nullable_dtype, own_columns

__all__ = ["long_table"]

_OF_SESSION = ("user_id", "activity_id", "status", "dt_started")
_OF_ITEM = {
    "position": "position",
    "time": "item_time",
    "score": "item_score",
    "max_score": "item_max_score",
    "user_flagged": "user_flagged",
}

#: Amounts of an item, which stand in a single row so that sums are right.
_ONCE = ("item_time", "item_score", "item_max_score")

_Rows = npt.NDArray[np.int64]


def long_table(
    sessions: pd.DataFrame, responses: pd.DataFrame, items: pd.DataFrame
) -> pd.DataFrame:
    """Combine each response with its item and session; see `SessionData.long`."""
    linked = _item_rows(responses, items)
    alone = np.setdiff1d(np.arange(len(items)), linked)
    item = np.concatenate([linked, alone])
    response = np.concatenate([np.arange(len(responses)), np.full(len(alone), -1)])
    session_id = pd.concat([responses["session_id"], items["session_id"].iloc[alone]])
    unique = sessions.drop_duplicates("session_id")
    session = pd.Index(unique["session_id"]).get_indexer(pd.Index(session_id))

    table = {"session_id": session_id.array}
    for name in _OF_SESSION:
        table[name] = _taken(unique[name], session)
    table["item_reference"] = pd.concat(
        [responses["item_reference"], items["item_reference"].iloc[alone]]
    ).array
    for name, called in _OF_ITEM.items():
        table[called] = _taken(items[name], item)
    taken = {*table, *responses.columns}
    metadata = [name for name in sessions if str(name).startswith(METADATA_PREFIX)]
    added: list[tuple[pd.DataFrame, _Rows, list[Any], str]] = [
        (unique, session, metadata + own_columns(sessions, SESSIONS), "session_"),
        (items, item, own_columns(items, ITEMS), "item_"),
    ]
    for frame, rows, names, prefix in added:
        for name in names:
            called = f"{prefix}{name}" if name in taken else name
            table[called] = _taken(frame[name], rows)
            taken.add(called)
    for name in responses.columns:
        if name not in table:
            table[name] = _taken(responses[name], response)
    result = pd.DataFrame(table, copy=False)
    again = pd.Series(item).duplicated().to_numpy() & (item >= 0)
    result.loc[again, list(_ONCE)] = np.nan
    return result.set_axis(_longer(responses.index, len(alone)), axis=0)


def _item_rows(responses: pd.DataFrame, items: pd.DataFrame) -> _Rows:
    """Row of the items table that each response belongs to; -1 for none."""
    keys = ["session_id", "item_reference"]
    known = items[keys].assign(_row=np.arange(len(items))).dropna().drop_duplicates(keys)
    found = responses[keys].merge(known, on=keys, how="left")["_row"]
    return found.fillna(-1).to_numpy(dtype=np.int64)


def _taken(column: pd.Series, rows: _Rows) -> Any:
    """The values in some rows; missing for -1."""
    if (rows < 0).any():
        return column.astype(nullable_dtype(column.dtype)).array.take(rows, allow_fill=True)
    return column.array.take(rows)


def _longer(index: pd.Index, more: int) -> pd.Index:
    """The index with labels for more rows; a new one where its labels are not integers."""
    if not more:
        return index
    if not pd.api.types.is_integer_dtype(index.dtype):
        return pd.RangeIndex(len(index) + more)
    start = int(index.max()) + 1 if len(index) else 0
    return index.append(pd.RangeIndex(start, start + more))
