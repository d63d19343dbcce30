"""Long tables for other programs: one row a response, and the Item Response Warehouse's format."""

from __future__ import annotations

from typing import Literal

import pandas as pd

from lrnanalysis.errors import MeasureError

__all__ = ["irw_table", "long_table"]


def long_table(
    sessions: pd.DataFrame, responses: pd.DataFrame, items: pd.DataFrame
) -> pd.DataFrame:
    """One row a response with its item's time and its session's learner; see `SessionData.long`."""
    of_item = items.drop_duplicates(["session_id", "item_reference"])[
        ["session_id", "item_reference", "position", "time", "user_flagged", "score", "max_score"]
    ].rename(columns={"score": "item_score", "max_score": "item_max_score", "time": "item_time"})
    of_session = sessions.drop_duplicates("session_id")[
        ["session_id", "user_id", "activity_id", "status", "dt_started"]
    ]
    joined = responses.merge(of_item, on=["session_id", "item_reference"], how="left").merge(
        of_session, on="session_id", how="left"
    )
    first = [
        *of_session.columns,
        "item_reference",
        "position",
        "item_time",
        "item_score",
        "item_max_score",
        "user_flagged",
    ]
    rest = [name for name in responses.columns if name not in first]
    joined.index = responses.index
    return joined[first + rest]


def irw_table(
    sessions: pd.DataFrame,
    responses: pd.DataFrame,
    items: pd.DataFrame,
    *,
    attempts: Literal["first", "last", "all"],
) -> pd.DataFrame:
    """The Item Response Warehouse's long table; see `SessionData.to_irw`."""
    if attempts not in ("first", "last", "all"):
        raise MeasureError(f'attempts is {attempts!r}: it is "first", "last" or "all"')
    kept = sessions[sessions["status"].str.lower() != "discarded"]
    kept = kept.sort_values("dt_started", kind="stable", na_position="last")
    if attempts != "all":
        kept = kept.drop_duplicates(["user_id", "activity_id"], keep=attempts)
    rows = items.merge(kept[["session_id", "user_id"]], on="session_id", how="inner")
    marked = responses[responses["item_reference"].notna()]
    by_item = marked.assign(unmarked=marked["score"].isna()).groupby(
        ["session_id", "item_reference"], observed=True
    )
    sums = by_item.agg(responses_score=("score", "sum"), unmarked=("unmarked", "any")).reset_index()
    sums["responses_score"] = sums["responses_score"].mask(sums["unmarked"])
    rows = rows.merge(sums, on=["session_id", "item_reference"], how="left")
    unscored = rows["max_score"].isna() & rows["score"].isna()
    return pd.DataFrame(
        {
            "id": rows["user_id"],
            "item": rows["item_reference"].astype("str"),
            "resp": rows["score"].where(~unscored, rows["responses_score"]),
            "rt": rows["time"].where(rows["time"] > 0),
        }
    )
