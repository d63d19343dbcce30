"""What an item's responses tell about it: answered, awaiting a mark, points.

Responses are linked to items by (session_id, item_reference). A response is **answered** where
``attempted`` says so; where that is missing, where anything is stored of it (a value, a value
type or a revision). Media questions store no value, so a value alone would not do.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from lrnanalysis.errors import MeasureError
from lrnanalysis.measures._checks import (
    BoolArray,
    FloatArray,
    IntArray,
    as_floats,
    flags,
    require_columns,
)
from lrnanalysis.measures.matrices.keys import Keys, factorise

__all__ = ["ItemResponses", "answered_responses", "item_responses", "link_rows"]

_STORED = ("value", "value_type", "revision")

#: A dense lookup table is used up to this many cells per row.
_DENSE = 8


@dataclass(frozen=True, eq=False)
class ItemResponses:
    """What the responses tell about every row of the items table, in its order.

    Attributes
    ----------
    known : array of bool
        Whether any of the item's responses tells whether it was answered.
    answered : array of bool
        Whether any of them was answered.
    waiting : array of bool
        Whether an answered one that no machine marks has no score yet.
    unscored : array of bool
        Whether an answered one has no score.
    points, max_points : array of float
        Sums of the responses' scores and highest scores [points]; NaN where there is none.
    unlinked : int
        Responses that belong to no row of the items frame.
    """

    known: BoolArray
    answered: BoolArray
    waiting: BoolArray
    unscored: BoolArray
    points: FloatArray
    max_points: FloatArray
    unlinked: int


def answered_responses(responses: pd.DataFrame) -> tuple[BoolArray, BoolArray]:
    """Whether each response was answered, and whether that is known.

    Raises
    ------
    MeasureError
        If the frame has neither ``attempted`` nor a column of what was stored.
    """
    stored = [column for column in _STORED if column in responses.columns]
    if "attempted" in responses.columns:
        answered, known = flags(responses["attempted"])
    elif stored:
        known = np.zeros(len(responses), dtype=bool)
        answered = known.copy()
    else:
        raise MeasureError(
            "the responses frame has neither 'attempted' nor 'value': keep one of them, they "
            "tell whether a response was answered"
        )
    if stored and not known.all():
        anything = np.zeros(len(responses), dtype=bool)
        for column in stored:
            anything |= responses[column].notna().to_numpy(dtype=bool)
        answered = np.where(known, answered, anything)
        known = np.ones(len(responses), dtype=bool)
    return answered, known


def item_responses(items: pd.DataFrame, responses: pd.DataFrame) -> ItemResponses:
    """Gather an items frame's responses, one entry a row of `items`."""
    row = link_rows(items, responses)
    linked = row >= 0
    at = row[linked]
    answered, known = (values[linked] for values in answered_responses(responses))
    n = len(items)
    scores = np.full(len(at), np.nan)
    most = scores
    if "score" in responses.columns:
        scores = as_floats(responses["score"])[linked]
    if "max_score" in responses.columns:
        most = as_floats(responses["max_score"])[linked]
    unscored = answered & np.isnan(scores)
    by_hand = np.zeros(len(at), dtype=bool)
    if "automarkable" in responses.columns:
        automarkable, automarkable_known = flags(responses["automarkable"])
        by_hand = (automarkable_known & ~automarkable)[linked]
    return ItemResponses(
        known=_any(at, known, n),
        answered=_any(at, answered, n),
        waiting=_any(at, unscored & by_hand, n),
        unscored=_any(at, unscored, n),
        points=_sum(at, scores, n),
        max_points=_sum(at, most, n),
        unlinked=int((~linked).sum()),
    )


def link_rows(items: pd.DataFrame, responses: pd.DataFrame) -> IntArray:
    """Row of `items` that each response belongs to, counted from 0; -1 for none.

    Examples
    --------
    >>> items = pd.DataFrame({"session_id": ["s", "s"], "item_reference": ["a", "b"]})
    >>> responses = pd.DataFrame({"session_id": ["s", "t"], "item_reference": ["b", "b"]})
    >>> link_rows(items, responses).tolist()
    [1, -1]
    """
    require_columns(items, "session_id", "item_reference", table="items")
    require_columns(responses, "session_id", "item_reference", table="responses")
    sessions, references = factorise(items["session_id"]), factorise(items["item_reference"])
    theirs_session = _matched(sessions, factorise(responses["session_id"]))
    theirs_item = _matched(references, factorise(responses["item_reference"]))
    width = len(references.labels)
    # A missing key on either side must not meet another missing key.
    known = (sessions.codes >= 0) & (references.codes >= 0)
    mine = np.where(known, sessions.codes.astype(np.int64) * width + references.codes, -1)
    asked = np.where(
        (theirs_session >= 0) & (theirs_item >= 0), theirs_session * width + theirs_item, -1
    )
    cells = len(sessions.labels) * width
    if cells <= _DENSE * max(len(items), 1 << 16):
        table = np.full(cells + 1, -1, dtype=np.int64)
        rows = np.flatnonzero(known)
        table[mine[rows]] = rows
        return table[asked]  # -1 looks at the last entry, which belongs to no cell
    order = np.argsort(mine, kind="stable")
    place = np.searchsorted(mine[order], asked)
    place[place == len(order)] = 0
    row = order[place]
    return np.where((asked >= 0) & (mine[row] == asked), row, -1)


def _matched(mine: Keys, theirs: Keys) -> IntArray:
    """The other table's codes in terms of this one's labels; -1 where it has no such label."""
    if mine.labels.equals(theirs.labels):
        return theirs.codes.astype(np.int64)
    place = np.append(mine.labels.get_indexer(theirs.labels), -1)
    return place[theirs.codes]


def _any(at: IntArray, values: BoolArray, n: int) -> BoolArray:
    result = np.zeros(n, dtype=bool)
    result[at[values]] = True
    return result


def _sum(at: IntArray, values: FloatArray, n: int) -> FloatArray:
    """Sums of the values that are there; NaN where there is none."""
    there = ~np.isnan(values)
    sums: FloatArray = np.bincount(at[there], weights=values[there], minlength=n).astype(float)
    sums[~_any(at, there, n)] = np.nan
    return sums
