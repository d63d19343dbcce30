"""The long format: one row per response."""

from __future__ import annotations

import pandas as pd

__all__ = ["long_table"]


def long_table(
    sessions: pd.DataFrame, responses: pd.DataFrame, items: pd.DataFrame
) -> pd.DataFrame:
    """Combine each response with its item and session; see `SessionData.long`."""
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
