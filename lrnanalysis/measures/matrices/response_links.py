"""Responses linked to their items: answered, awaiting a mark, points.

Responses are linked to items by (session_id, item_reference). A response is **answered** where
``attempted`` says so and, where that is missing, where anything was stored for it: a value, a
value type or a revision (media questions store no value). A record may leave out the key
``response`` altogether, which is not null (scores without answers, say): such a response was
answered if it has a score, and otherwise it is unknown.
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
    check_label_kinds,
    flags,
    optional_floats,
    require_columns,
)
from lrnanalysis.measures.matrices.keys import Keys, check_unique_key, factorise, is_dense
from lrnanalysis.tables.key_presence import has_absent

__all__ = [
    "ItemResponses",
    "answered_responses",
    "item_responses",
    "link_rows",
    "marked_by_hand",
]

_STORED = ("value", "value_type", "revision")


@dataclass(frozen=True, eq=False)
class ItemResponses:
    """The responses of every row of an items table, summed up.

    Attributes
    ----------
    known : array of bool
        Whether it is known of any of the item's responses whether it was answered.
    answered : array of bool
        Whether any of them was answered.
    unscored : array of bool
        Whether an answered one has no score.
    open_points : array of bool
        Whether an answered one has no score and a ``max_score`` above 0.
    awaiting_mark : array of bool
        Whether an answered one has no score, is marked by hand and has a ``max_score`` above 0.
    without_max : array of bool
        The same for one without a ``max_score``.
    points, max_points, adjustment : array of float
        Sums of the responses' scores, maxima and adjustments [points]; NaN where there are none.
        An adjustment is the difference of ``score_after_adjustment``, else ``adjustment_points``.
    unlinked : int
        Number of responses that belong to no row of the items table.
    """

    known: BoolArray
    answered: BoolArray
    unscored: BoolArray
    open_points: BoolArray
    awaiting_mark: BoolArray
    without_max: BoolArray
    points: FloatArray
    max_points: FloatArray
    adjustment: FloatArray
    unlinked: int


def answered_responses(responses: pd.DataFrame) -> tuple[BoolArray, BoolArray]:
    """Whether each response was answered, and whether that is known.

    Raises
    ------
    MeasureError
        The frame has neither ``attempted`` nor a column of what was stored.
    """
    stored = [column for column in _STORED if column in responses.columns]
    told = "presence" in responses.columns and "score" in responses.columns
    if "attempted" in responses.columns:
        answered, known = flags(responses["attempted"])
    elif stored or told:
        known = np.zeros(len(responses), dtype=bool)
        answered = known.copy()
    else:
        raise MeasureError(
            "the responses frame has neither 'attempted' nor 'value': keep one of them to tell "
            "whether a response was answered"
        )
    if (stored or told) and not known.all():
        anything = np.zeros(len(responses), dtype=bool)
        for column in stored:
            anything |= responses[column].notna().to_numpy(dtype=bool)
        answered = np.where(known, answered, anything)
        nothing_said = np.zeros(len(responses), dtype=bool)
        if told:
            left_out = has_absent(responses["presence"], "response") & ~known
            scored = ~np.isnan(as_floats(responses["score"]))
            answered |= left_out & scored
            nothing_said = left_out & ~scored
        known = ~nothing_said
    return answered, known


def marked_by_hand(responses: pd.DataFrame) -> BoolArray:
    """Whether each response is known not to be marked by a machine (``automarkable`` is false)."""
    if "automarkable" not in responses.columns:
        return np.zeros(len(responses), dtype=bool)
    automarkable, known = flags(responses["automarkable"])
    return known & ~automarkable


def item_responses(items: pd.DataFrame, responses: pd.DataFrame) -> ItemResponses:
    """Sum up the responses of every row of an items table.

    Raises
    ------
    MeasureError
        A column is missing, or a response occurs twice.
    """
    row = link_rows(items, responses)
    linked = row >= 0
    at, n = row[linked], len(items)
    # Rows that a merge repeated share their item.
    check_unique_key(responses[linked][np.bincount(at, minlength=n)[at] > 1], "responses")
    answered, known = (values[linked] for values in answered_responses(responses))
    scores, most, change, after = (
        optional_floats(responses, name)[linked]
        for name in ("score", "max_score", "adjustment_points", "score_after_adjustment")
    )
    change = np.where(np.isnan(after - scores), change, after - scores)
    unscored = answered & np.isnan(scores)
    by_hand = unscored & marked_by_hand(responses)[linked]
    return ItemResponses(
        known=_any(at, known, n),
        answered=_any(at, answered, n),
        unscored=_any(at, unscored, n),
        open_points=_any(at, unscored & (most > 0), n),
        awaiting_mark=_any(at, by_hand & (most > 0), n),
        without_max=_any(at, by_hand & np.isnan(most), n),
        points=_sum(at, scores, n),
        max_points=_sum(at, most, n),
        adjustment=_sum(at, change, n),
        unlinked=int(np.count_nonzero(~linked)),
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
    of_session = _matched("session_id", sessions, factorise(responses["session_id"]))
    of_item = _matched("item_reference", references, factorise(responses["item_reference"]))
    width = len(references.labels)
    # A missing key on one side must not match a missing key on the other.
    known = (sessions.codes >= 0) & (references.codes >= 0)
    mine = np.where(known, sessions.codes.astype(np.int64) * width + references.codes, -1)
    asked = np.where((of_session >= 0) & (of_item >= 0), of_session * width + of_item, -1)
    cells = len(sessions.labels) * width
    if is_dense(cells, len(items)):
        table = np.full(cells + 1, -1, dtype=np.int64)
        rows = np.flatnonzero(known)
        table[mine[rows]] = rows
        return table[asked]  # -1 looks at the last entry, which belongs to no cell
    order = np.argsort(mine, kind="stable")
    place = np.searchsorted(mine[order], asked)
    place[place == len(order)] = 0
    row = order[place]
    return np.where((asked >= 0) & (mine[row] == asked), row, -1)


def _matched(name: str, mine: Keys, theirs: Keys) -> IntArray:
    """Codes of the other table as positions in this one's labels; -1 where it has no such label."""
    if mine.labels.equals(theirs.labels):
        return theirs.codes.astype(np.int64)
    place = np.append(mine.labels.get_indexer(theirs.labels), -1)
    if (place < 0).all():
        check_label_kinds(name, mine.labels, theirs.labels, where=("items", "responses"))
    return place[theirs.codes]


def _any(at: IntArray, values: BoolArray, n: int) -> BoolArray:
    result = np.zeros(n, dtype=bool)
    result[at[values]] = True
    return result


def _sum(at: IntArray, values: FloatArray, n: int) -> FloatArray:
    """Sums of the known values; NaN where there is none."""
    there = ~np.isnan(values)
    sums: FloatArray = np.bincount(at[there], weights=values[there], minlength=n).astype(float)
    sums[~_any(at, there, n)] = np.nan
    return sums
