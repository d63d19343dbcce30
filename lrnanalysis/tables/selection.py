"""Which sessions are meant, and tables laid over each other."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from lrnanalysis.errors import QueryError

__all__ = ["selected", "share_item_categories", "stacked"]


def selected(sessions: pd.DataFrame, which: Any) -> Any:
    """Give a flag a session for what `SessionData.__getitem__` takes."""
    if isinstance(which, slice):
        flags = np.zeros(len(sessions), dtype=bool)
        flags[which] = True
        return flags
    if isinstance(which, pd.DataFrame):
        which = which.get("session_id", which.index)
    if isinstance(which, str):
        which = [which]
    if not isinstance(which, list | tuple | set | frozenset) and not hasattr(which, "__array__"):
        raise QueryError(
            f"cannot select sessions by a {type(which).__name__}: pass a flag a session, "
            "session ids, or a selection of the sessions table"
        )
    values = pd.Series(list(which)) if isinstance(which, set | frozenset | list | tuple) else which
    values = values if isinstance(values, pd.Series) else pd.Series(values)
    if pd.api.types.is_bool_dtype(values.dtype) and len(which):
        return _flags(sessions, which if isinstance(which, pd.Series) else values.to_numpy())
    unknown = values[~values.isin(sessions["session_id"])]
    if len(unknown):
        raise QueryError(
            f"{len(unknown):,} of {len(values):,} session ids are not in this study, "
            f"the first is {unknown.iloc[0]!r}"
        )
    return sessions["session_id"].isin(values).to_numpy()


def _flags(sessions: pd.DataFrame, which: Any) -> Any:
    if len(which) != len(sessions):
        raise QueryError(f"{len(which):,} flags for {len(sessions):,} sessions: pass one a session")
    if isinstance(which, pd.Series) and not which.index.equals(sessions.index):
        by_id = which.index.astype("str")
        if not by_id.is_unique or set(by_id) != set(sessions["session_id"]):
            raise QueryError(
                "the flags' index is neither that of the sessions table nor their session ids"
            )
        which = which.set_axis(by_id).reindex(sessions["session_id"])
    return pd.array(which, dtype="boolean").fillna(False).astype(bool)


def stacked(old: pd.DataFrame, new: pd.DataFrame) -> pd.DataFrame:
    """Put the rows of a table below those of another, with the columns and labels of both."""
    old, new = old.copy(), new.copy()
    for frame, other in ((old, new), (new, old)):
        for name in other.columns.difference(frame.columns, sort=False):
            frame[name] = pd.Series(pd.NA, index=frame.index).astype(other[name].dtype)
    for name in old.columns[[isinstance(kind, pd.CategoricalDtype) for kind in old.dtypes]]:
        labels = old[name].cat.categories.append(new[name].cat.categories).unique()
        old[name] = old[name].cat.set_categories(labels)
        new[name] = new[name].cat.set_categories(labels)
    return pd.concat([old, new[old.columns]], ignore_index=True)


def share_item_categories(frames: dict[str, pd.DataFrame]) -> None:
    """Give `items` and `responses` the same item categories, which makes joining them quick."""
    both = [frames[name]["item_reference"].cat.categories for name in ("items", "responses")]
    categories = both[0].append(both[1]).unique()
    for name in ("items", "responses"):
        frames[name]["item_reference"] = frames[name]["item_reference"].cat.set_categories(
            categories
        )
