"""Points that await a mark, told from the responses and from what the items' records say."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

__all__ = ["is_unmarked", "unmarked_item_points", "unmarked_max_score"]

_KEY = '"max_score_of_unmarked":'


def is_unmarked(responses: pd.DataFrame) -> npt.NDArray[np.bool_]:
    """Whether each response was answered, is worth points and has no score yet.

    Examples
    --------
    >>> frame = pd.DataFrame({"attempted": True, "score": [1.0, None], "max_score": [1.0, 4.0]})
    >>> is_unmarked(frame).tolist()
    [False, True]
    """
    waiting = responses["score"].isna() & (responses["max_score"] > 0).fillna(False)
    if "attempted" in responses.columns:
        answered = responses["attempted"].astype("boolean")
        if "value" in responses.columns:
            answered = answered.fillna(responses["value"].notna())
        waiting &= answered.fillna(False).astype(bool)
    return waiting.to_numpy(dtype=bool)


def unmarked_item_points(items: pd.DataFrame) -> npt.NDArray[np.float64]:
    """Points of every item that await a mark, as its record says; NaN where it says nothing.

    Examples
    --------
    >>> frame = pd.DataFrame({"extra": ['{"scoring":{"max_score_of_unmarked":4}}', None]})
    >>> unmarked_item_points(frame).tolist()
    [4.0, nan]
    """
    points = np.full(len(items), np.nan)
    if "extra" in items.columns:
        rows = np.flatnonzero(items["extra"].notna())
        rows = rows[items["extra"].iloc[rows].str.contains(_KEY, regex=False).to_numpy(bool)]
        told = items["extra"].iloc[rows].str.extract(_KEY + r"\s*([\d.]+)", expand=False)
        points[rows] = told.astype("float64").to_numpy()
    return points


def unmarked_max_score(
    sessions: pd.DataFrame, responses: pd.DataFrame, items: pd.DataFrame
) -> npt.NDArray[np.float64]:
    """Points of every session that await a mark.

    Of each item the more of what its own record and its responses say.

    Examples
    --------
    >>> sessions = pd.DataFrame({"session_id": ["s", "t"]})
    >>> responses = pd.DataFrame({
    ...     "session_id": ["s", "s"], "item_reference": "a", "attempted": True,
    ...     "score": [1.0, None], "max_score": [1.0, 4.0],
    ... })
    >>> items = pd.DataFrame({"session_id": ["s", "t"], "item_reference": "a", "extra": None})
    >>> unmarked_max_score(sessions, responses, items).tolist()
    [4.0, 0.0]
    """
    keys = ["session_id", "item_reference"]
    text = dict.fromkeys(keys, "str")
    waiting = responses.loc[is_unmarked(responses), [*keys, "max_score"]].astype(text)
    of_responses = waiting.groupby(keys, dropna=False)["max_score"].sum()
    told = unmarked_item_points(items)
    known = ~np.isnan(told)
    said = items.loc[known, keys].astype(text).assign(max_score=told[known])
    both = pd.concat([of_responses.reset_index(), said], ignore_index=True)
    of_items = both.groupby(keys, dropna=False)["max_score"].max()
    found = of_items.groupby(level="session_id").sum()
    of_sessions = found.reindex(sessions["session_id"].astype("str"), fill_value=0.0)
    points: npt.NDArray[np.float64] = of_sessions.to_numpy(dtype="float64")
    return points
