"""Share of the points of sessions, items and responses, and what becomes of points not yet marked.

A session that is Pending Scoring has its score so far beside the maximum of everything. The rest of
that maximum is not lost: by default the percentage is that of the points that are marked.
"""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
import pandas as pd

from lrnanalysis.arguments import checked
from lrnanalysis.measures._checks import (
    FloatArray,
    as_floats,
    choice,
    optional_floats,
    require_columns,
    with_attrs,
)
from lrnanalysis.measures.matrices import check_unique_key
from lrnanalysis.measures.scores.status import adjusted_scores, has_status
from lrnanalysis.tables.unmarked import is_unmarked, unmarked_item_points
from lrnanalysis.warnings import DataWarning, warn

__all__ = ["UnmarkedPoints", "marked_share", "score_percent"]

#: What becomes of points that await a mark.
UnmarkedPoints = Literal["exclude", "nan", "zero"]

_RULES = {
    "exclude": "100 × score / (max_score − points that await a mark)",
    "nan": "100 × score / max_score; missing where points await a mark",
    "zero": "100 × score / max_score; points that await a mark count as lost",
}

#: What is left of a maximum when all of it is unmarked is rounding error, not points.
_NOTHING = 1e-9


@checked
def score_percent(
    frame: pd.DataFrame, *, adjusted: bool = False, unmarked: UnmarkedPoints = "exclude"
) -> pd.Series:
    """Score as a percentage of the points marked, of sessions, items or responses.

    Parameters
    ----------
    frame : DataFrame
        Any of the three tables; ``score`` and ``max_score`` are read. Points that await a mark are
        known by ``unmarked_max_score`` of sessions, by ``extra`` of items, and by ``attempted`` of
        responses.
    adjusted : bool, default False
        Take scores after adjustment: ``score_after_adjustment`` where there is one, otherwise
        ``score`` plus ``adjustment_points``.
    unmarked : {"exclude", "nan", "zero"}, default "exclude"
        What becomes of points that await a mark. ``"exclude"``: they are taken off the maximum, so
        that the percentage is that of the points marked so far; ``"nan"``: there is no percentage;
        ``"zero"``: they count as lost.

    Returns
    -------
    Series
        ``score_percent``, one value per row, with the frame's index; NaN where the score is
        missing, the maximum is missing or not above 0, or no point is marked. Negative scores stay.
        ``attrs`` counts the rows with points that await a mark.

    Raises
    ------
    MeasureError
        A column is missing, or `unmarked` is unknown.

    Warns
    -----
    DataWarning
        Sessions are Pending Scoring, and it is not known how many points await a mark: without
        ``unmarked="zero"`` they have no percentage.

    Examples
    --------
    >>> score_percent(pd.DataFrame({"score": [3.0, 0.0], "max_score": [4.0, 0.0]})).tolist()
    [75.0, nan]
    >>> pending = pd.DataFrame({"score": [5.0], "max_score": 10.0, "unmarked_max_score": 2.0})
    >>> score_percent(pending).tolist(), score_percent(pending, unmarked="zero").tolist()
    ([62.5], [50.0])
    """
    require_columns(frame, "score", "max_score", table="sessions, items or responses")
    choice("unmarked", unmarked, get_args(UnmarkedPoints))
    table = _table(frame)
    check_unique_key(frame, table)
    score = adjusted_scores(frame) if adjusted else as_floats(frame["score"])
    most, waiting = as_floats(frame["max_score"]), _unmarked_points(frame, table)
    unknown = int(np.count_nonzero(np.isnan(waiting) & ~np.isnan(score)))
    if unmarked == "zero":
        # A score that is missing because nothing is marked is the 0 that was asked for.
        score = np.where(np.isnan(score) & (waiting > 0) & (waiting >= most), 0.0, score)
        values = _share(score, most)
    else:
        values = _share(score, most - waiting)
        if unmarked == "nan":
            values[waiting > 0] = np.nan
        if unknown:
            warn(
                f"{unknown} of {len(frame)} sessions are Pending Scoring, and without a value of "
                "unmarked_max_score it is not known how many points await a mark: they have no "
                'percentage; keep that column, or pass unmarked="zero"',
                DataWarning,
            )
    result = pd.Series(100 * values, index=frame.index, name="score_percent")
    notes = {
        "rule": _RULES[unmarked],
        "unit": "%",
        "unmarked": unmarked,
        "rows_with_unmarked_points": int(np.count_nonzero((waiting > 0) & ~np.isnan(score))),
        "rows_with_unknown_points": unknown,
    }
    return with_attrs(result, notes)


def marked_share(sessions: pd.DataFrame, *, adjusted: bool = False) -> FloatArray:
    """Share of the points marked of every session; of all points where it is not known which are.

    The bare score where there is no maximum above 0.
    """
    score = adjusted_scores(sessions) if adjusted else as_floats(sessions["score"])
    most = optional_floats(sessions, "max_score")
    share = _share(score, most - np.nan_to_num(_unmarked_points(sessions, "sessions")))
    return np.where(most > 0, share, score)


def _table(frame: pd.DataFrame) -> Literal["sessions", "responses", "items"]:
    if "response_id" in frame.columns:
        return "responses"
    return "items" if "item_reference" in frame.columns else "sessions"


def _unmarked_points(
    frame: pd.DataFrame, table: Literal["sessions", "responses", "items"]
) -> FloatArray:
    """Points of every row that await a mark; NaN where some do and it is unknown how many."""
    most = optional_floats(frame, "max_score")
    if table == "responses":
        return np.where(is_unmarked(frame), most, 0.0)
    if table == "items":
        return np.nan_to_num(unmarked_item_points(frame))
    points = optional_floats(frame, "unmarked_max_score")
    if not np.isnan(points).any():
        return points
    # With all points reached, none can await a mark.
    pending = ~(as_floats(frame["score"]) >= most)
    if "status" in frame.columns:
        pending &= has_status(frame, "Pending Scoring")
    else:
        pending[:] = False
    return np.where(np.isnan(points), np.where(pending, np.nan, 0.0), points)


def _share(part: FloatArray, whole: FloatArray) -> FloatArray:
    """Part over whole; NaN where the whole is not above 0."""
    share = np.full(len(part), np.nan)
    np.divide(part, whole, out=share, where=whole > _NOTHING)
    return share
