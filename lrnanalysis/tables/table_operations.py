"""Selecting sessions, and combining the tables of two studies."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from lrnanalysis.errors import MeasureError, QueryError, shown
from lrnanalysis.tables.schema import METADATA_PREFIX, Table

__all__ = [
    "concat_tables",
    "label_kinds",
    "nullable_dtype",
    "own_columns",
    "session_mask",
    "unify_item_categories",
    "with_own_columns",
]

#: Labels that are looked at to tell of which kind they are.
_SEEN = 1000

_KINDS = {
    "string": "text",
    "integer": "numbers",
    "floating": "numbers",
    "mixed-integer-float": "numbers",
    "datetime64": "dates",
    "datetime": "dates",
    "date": "dates",
}


def label_kinds(first: pd.Index, second: pd.Index) -> tuple[str, str] | None:
    """Kinds of two sets of labels that cannot match, with an example of each; None if they can.

    Examples
    --------
    >>> label_kinds(pd.Index(["1", "2"]), pd.Index([1, 2]))
    ("text (such as '1')", 'numbers (such as 1)')
    >>> label_kinds(pd.Index(["1"]), pd.Index(["2"]))
    """
    first, second = first[:_SEEN].dropna(), second[:_SEEN].dropna()
    kinds = [
        _KINDS.get(pd.api.types.infer_dtype(labels.to_numpy(dtype=object)))
        for labels in (first, second)
    ]
    if None in kinds or kinds[0] == kinds[1]:
        return None
    one, two = (
        f"{kind} (such as {shown(labels[0])})"
        for kind, labels in zip(kinds, (first, second), strict=True)
    )
    return one, two


def session_mask(sessions: pd.DataFrame, which: Any) -> Any:
    """Translate what `SessionData.__getitem__` accepts into a mask of sessions.

    Parameters
    ----------
    sessions : DataFrame
        The sessions table.
    which : Series, array or list of bool; or of session ids; or DataFrame; or slice
        A mask (a Series is aligned by its index: that of `sessions`, or session ids), session
        ids, a selection of `sessions`, or positions.

    Returns
    -------
    array of bool
        One entry per session.

    Raises
    ------
    QueryError
        The mask has another length or index, or an id is not in the study.

    Examples
    --------
    >>> session_mask(pd.DataFrame({"session_id": ["a", "b", "c"]}), ["c", "a"])
    array([ True, False,  True])
    """
    if isinstance(which, slice):
        mask = np.zeros(len(sessions), dtype=bool)
        mask[which] = True
        return mask
    if isinstance(which, pd.DataFrame):
        which = which.get("session_id", which.index)
    if isinstance(which, str):
        which = [which]
    if not isinstance(which, list | tuple | set | frozenset) and not hasattr(which, "__array__"):
        raise QueryError(
            f"cannot select sessions by a {type(which).__name__}: pass one bool per session, "
            "session ids, or a selection of the sessions table"
        )
    values = pd.Series(list(which)) if isinstance(which, set | frozenset | list | tuple) else which
    values = values if isinstance(values, pd.Series) else pd.Series(values)
    if pd.api.types.is_bool_dtype(values.dtype) and len(which):
        return _aligned(sessions, which if isinstance(which, pd.Series) else values.to_numpy())
    unknown = values[~values.isin(sessions["session_id"])]
    if len(unknown):
        ids = pd.Index(sessions["session_id"])
        kinds = label_kinds(pd.Index(unknown), ids) if len(unknown) == len(values) else None
        hint = f"; they are {kinds[0]}, and those of the study {kinds[1]}" if kinds else ""
        raise QueryError(
            f"{len(unknown):,} of {len(values):,} session ids are not in this study, "
            f"the first is {shown(unknown.iloc[0])}{hint}"
        )
    return sessions["session_id"].isin(values).to_numpy()


def _aligned(sessions: pd.DataFrame, mask: Any) -> Any:
    if len(mask) != len(sessions):
        raise QueryError(
            f"the mask has {len(mask):,} entries for {len(sessions):,} sessions: "
            "pass one per session"
        )
    if isinstance(mask, pd.Series) and not mask.index.equals(sessions.index):
        by_id = mask.index.astype("str")
        if not by_id.is_unique or set(by_id) != set(sessions["session_id"]):
            raise QueryError(
                "the index of the mask is neither that of the sessions table nor its session ids"
            )
        mask = mask.set_axis(by_id).reindex(sessions["session_id"])
    return pd.array(mask, dtype="boolean").fillna(False).astype(bool)


def concat_tables(old: pd.DataFrame, new: pd.DataFrame) -> pd.DataFrame:
    """Append the rows of a table to another, with the columns and categories of both.

    Raises
    ------
    MeasureError
        Timestamps have a time zone in one of them and none in the other.
    """
    old, new = old.copy(), new.copy()
    for frame, other in ((old, new), (new, old)):
        for name in other.columns.difference(frame.columns, sort=False):
            frame[name] = pd.Series(index=frame.index, dtype=nullable_dtype(other[name].dtype))
    for name in old.select_dtypes(["datetime", "datetimetz"]).columns:
        # Stacked, timestamps with and without a time zone make a column that cannot be compared.
        zones = [getattr(frame[name].dtype, "tz", None) for frame in (old, new)]
        if (zones[0] is None) != (zones[1] is None):
            naive = "the earlier" if zones[0] is None else "the newer"
            raise MeasureError(
                f"column {name!r} has no time zone in {naive} table and one in the other: times of "
                f'the Data API are in UTC; use table["{name}"].dt.tz_localize("UTC")'
            )
    for name in old.columns[[isinstance(kind, pd.CategoricalDtype) for kind in old.dtypes]]:
        if isinstance(new[name].dtype, pd.CategoricalDtype):
            categories = old[name].cat.categories.append(new[name].cat.categories).unique()
            old[name] = old[name].cat.set_categories(categories)
            new[name] = new[name].cat.set_categories(categories)
    return pd.concat([old, new[old.columns]], ignore_index=True)


def own_columns(frame: pd.DataFrame, table: Table) -> list[Any]:
    """Names of the columns that a user added to a table: neither of the schema nor metadata."""
    return [
        name
        for name in frame.columns
        if name not in table.names and not str(name).startswith(METADATA_PREFIX)
    ]


def with_own_columns(new: pd.DataFrame, old: pd.DataFrame, table: Table) -> pd.DataFrame:
    """A newer table with the user's columns of an older one, row by row where it has the row.

    Columns that the newer one has itself stay. An integer or bool column with rows to which the
    older one has no value becomes nullable.
    """
    names = [name for name in own_columns(old, table) if name not in new]
    if not names:
        return new
    old = old.drop_duplicates(list(table.key))
    keys = [pd.MultiIndex.from_frame(one[[*table.key]].astype("str")) for one in (old, new)]
    rows = keys[0].get_indexer(keys[1])
    added = {}
    for name in names:
        values = old[name].astype(nullable_dtype(old[name].dtype)).array.take(rows, allow_fill=True)
        added[name] = values if (rows < 0).any() else values.astype(old[name].dtype)
    return new.assign(**{str(name): values for name, values in added.items()})


def nullable_dtype(dtype: Any) -> Any:
    """The dtype that can hold missing values too: nullable for integers and bool.

    Examples
    --------
    >>> nullable_dtype(np.dtype("int64")), nullable_dtype(np.dtype("float64"))
    ('Int64', dtype('float64'))
    """
    if isinstance(dtype, np.dtype) and dtype.kind in "iub":
        return "boolean" if dtype.kind == "b" else dtype.name.replace("i", "I").replace("u", "U")
    return dtype


def unify_item_categories(frames: dict[str, pd.DataFrame]) -> None:
    """Give `items` and `responses` the same item categories, so that joins are fast."""
    items, responses = (frames[name]["item_reference"].cat for name in ("items", "responses"))
    categories = items.categories.append(responses.categories).unique()
    for name in ("items", "responses"):
        frames[name]["item_reference"] = frames[name]["item_reference"].cat.set_categories(
            categories
        )
