"""How far learners came: items answered, omitted and not reached.

**Not reached** is the unbroken run of unanswered items at the end, in the order shown;
**omitted** is any other unanswered item. Three conventions are in use, none of them right for
every purpose, so every result names the one it used:

``"run"``
    All items of the run are not reached.
``"after_first"``
    The first item of the run counts as omitted, the rest as not reached: the convention of
    large-scale studies (TIMSS and PIRLS technical reports), since the learner saw it.
``"no_time"``
    An unanswered item without a time is not reached, one with a time is omitted, whatever its
    position.

An item is **answered**

* if it has points, whatever else is known;
* with `responses`, if any of its responses was answered (``attempted``; where that is missing, if
  anything was stored);
* without `responses`, or if they do not tell, if it has a time above 0 or, in a session whose
  times are all missing (not 0), a score. Negative and infinite times count as missing. The items
  table cannot distinguish a wrong answer from an item that was looked at and left open: both are 0
  points with a time, and count as answered. Pass the responses to separate them.

Items that hold no question (``response_count`` 0, no score, no responses) are left out: there is
nothing to answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd

from lrnanalysis.arguments import checked
from lrnanalysis.errors import MeasureError
from lrnanalysis.measures._checks import (
    BoolArray,
    FloatArray,
    IntArray,
    check_fraction,
    choice,
    optional_floats,
    with_attrs,
)
from lrnanalysis.measures.matrices import (
    ItemResponses,
    SessionRows,
    item_responses,
    session_rows,
)
from lrnanalysis.tables.times import usable_times

__all__ = [
    "ReachRule",
    "States",
    "answered",
    "not_reached",
    "omitted",
    "reach",
    "reach_states",
    "speededness",
]

#: Conventions of not reached.
ReachRule = Literal["run", "after_first", "no_time"]

#: Codes of a row's state.
ANSWERED, OMITTED, NOT_REACHED, NO_QUESTION = (np.int8(code) for code in range(4))

_RULES = {
    "run": "not reached: the unbroken run of unanswered items at the end; omitted: the others",
    "after_first": "not reached: the run of unanswered items at the end after its first, which "
    "is omitted with the others",
    "no_time": "not reached: unanswered without a time; omitted: unanswered with a time",
}
_BY_RESPONSES = "any of the item's responses was answered, or it has points"
_BY_ITEMS = (
    "points, or a time above 0 (no responses given: a wrong answer cannot be distinguished from an "
    "item that was looked at and left open)"
)


@dataclass(frozen=True, eq=False)
class States:
    """State of every row of an items table: answered, omitted, not reached, without a question.

    Attributes
    ----------
    codes : array of int8, shape (rows,)
        The states.
    rows : SessionRows
        The rows by session in the order shown.
    responses : ItemResponses or None
        The rows' responses, summed up.
    notes : dict
        The rules, for ``attrs``.
    """

    codes: npt.NDArray[np.int8]
    rows: SessionRows
    responses: ItemResponses | None
    notes: dict[str, object]


@checked
def reach_states(
    items: pd.DataFrame, responses: pd.DataFrame | None = None, *, rule: ReachRule = "run"
) -> States:
    """State of every row of an items table; the base of everything that counts answers."""
    choice("rule", rule, get_args(ReachRule))
    if responses is None and not {"time", "score"} & set(items.columns):
        raise MeasureError(
            "the items frame has neither 'time' nor 'score': keep one of them or pass "
            "responses=, to distinguish answered from unanswered items"
        )
    if rule == "no_time" and "time" not in items.columns:
        raise MeasureError("rule=\"no_time\" needs the items' column 'time'")
    rows = session_rows(items)
    linked = None if responses is None else item_responses(items, responses)
    time, unusable = usable_times(optional_floats(items, "time"))
    score = optional_floats(items, "score")
    points = (score > 0) | (score < 0)
    done = (time > 0) | points | (_untimed(rows, time) & ~np.isnan(score))
    asked = (optional_floats(items, "response_count") != 0) | ~np.isnan(score)
    if linked is not None:
        done = np.where(linked.known, linked.answered | points, done)
        asked |= linked.known
    done &= asked
    missed = ~(time > 0) if rule == "no_time" else _run_at_the_end(rows, done, asked, rule)
    codes = np.where(done, ANSWERED, np.where(missed, NOT_REACHED, OMITTED))
    codes[~asked] = NO_QUESTION
    notes: dict[str, object] = {
        "answered": _BY_ITEMS if responses is None else _BY_RESPONSES,
        "not_reached_rule": rule,
        "rule": _RULES[rule],
        "rows_without_question": int(np.count_nonzero(~asked)),
        **unusable,
    }
    if linked is not None:
        notes["responses_without_item"] = linked.unlinked
    return States(codes, rows, linked, notes)


@checked
def answered(items: pd.DataFrame, responses: pd.DataFrame | None = None) -> pd.Series:
    """Whether each item was answered.

    Parameters
    ----------
    items : DataFrame
        The items table.
    responses : DataFrame, optional
        The responses table; without it, times and scores decide (see the module's rule).

    Returns
    -------
    Series of boolean
        ``answered``, one value per row, with the frame's index; NA for an item without a question.

    Raises
    ------
    MeasureError
        The frame has neither times nor scores, and no responses are given.

    Examples
    --------
    >>> items = pd.DataFrame({"session_id": "s", "time": [9.0, 0.0], "score": [0.0, 0.0]})
    >>> answered(items).tolist()
    [True, False]
    """
    states = reach_states(items, responses)
    return _flag_series(items, states, ANSWERED, "answered")


@checked
def omitted(
    items: pd.DataFrame, responses: pd.DataFrame | None = None, *, rule: ReachRule = "run"
) -> pd.Series:
    """Whether each item was reached and left open.

    Parameters
    ----------
    items : DataFrame
        The items table; sessions must be complete, because the run at the end is looked for
        among the rows given.
    responses : DataFrame, optional
        The responses table; without it, times and scores decide (see the module's rule).
    rule : {"run", "after_first", "no_time"}, default "run"
        Convention of not reached, see the module.

    Returns
    -------
    Series of boolean
        ``omitted``, one value per row, with the frame's index; NA for an item without a question.

    Raises
    ------
    MeasureError
        `rule` is unknown, or a column that it needs is missing.

    Examples
    --------
    >>> items = pd.DataFrame({
    ...     "session_id": "s", "position": [1, 2, 3, 4, 5],
    ...     "time": [9.0, 0.0, 8.0, 0.0, 0.0], "score": [1.0, 0.0, 1.0, 0.0, 0.0],
    ... })
    >>> omitted(items).tolist()
    [False, True, False, False, False]
    """
    return _flag_series(items, reach_states(items, responses, rule=rule), OMITTED, "omitted")


@checked
def not_reached(
    items: pd.DataFrame, responses: pd.DataFrame | None = None, *, rule: ReachRule = "run"
) -> pd.Series:
    """Whether each item was not reached.

    Parameters
    ----------
    items, responses, rule
        As for `omitted`.

    Returns
    -------
    Series of boolean
        ``not_reached``, one value per row, with the frame's index; NA for an item without a
        question.

    Raises
    ------
    MeasureError
        `rule` is unknown, or a column that it needs is missing.

    Examples
    --------
    >>> items = pd.DataFrame({
    ...     "session_id": "s", "position": [1, 2, 3, 4, 5],
    ...     "time": [9.0, 0.0, 8.0, 0.0, 0.0], "score": [1.0, 0.0, 1.0, 0.0, 0.0],
    ... })
    >>> not_reached(items).tolist()
    [False, False, False, True, True]
    >>> not_reached(items, rule="after_first").tolist()
    [False, False, False, False, True]
    >>> not_reached(items, rule="no_time").tolist()
    [False, True, False, True, True]
    """
    states = reach_states(items, responses, rule=rule)
    return _flag_series(items, states, NOT_REACHED, "not_reached")


@checked
def reach(
    items: pd.DataFrame,
    responses: pd.DataFrame | None = None,
    *,
    rule: ReachRule = "run",
) -> pd.DataFrame:
    """Shares answered, omitted and not reached by position in the test.

    Parameters
    ----------
    items, responses, rule
        As for `omitted`.

    Returns
    -------
    DataFrame
        One row per place in the session (index ``position``: 1 for the first item with a question):
        ``n``, the number of sessions with that many, and of them the shares ``answered``,
        ``omitted``, ``not_reached`` and ``reached`` (1 - ``not_reached``).

    Raises
    ------
    MeasureError
        `rule` is unknown, or a column that it needs is missing.

    Examples
    --------
    >>> items = pd.DataFrame({
    ...     "session_id": ["s", "s", "t", "t"], "position": [1, 2, 1, 2],
    ...     "time": [9.0, 7.0, 8.0, 0.0], "score": [1.0, 0.0, 1.0, 0.0],
    ... })
    >>> reach(items)["reached"].tolist()
    [1.0, 0.5]
    """
    states = reach_states(items, responses, rule=rule)
    rows, codes = states.rows, states.rows.grouped(states.codes)
    asked = codes != NO_QUESTION
    before = np.cumsum(asked) - asked
    place = (before - rows.spread(before[rows.starts]))[asked]
    codes = codes[asked]
    n = np.bincount(place)
    shares = {
        name: np.bincount(place[codes == state], minlength=len(n)) / n
        for name, state in (
            ("answered", ANSWERED),
            ("omitted", OMITTED),
            ("not_reached", NOT_REACHED),
        )
    }
    index = pd.RangeIndex(1, len(n) + 1, name="position")
    result = pd.DataFrame({"n": n, **shares}, index=index)
    result["reached"] = 1 - result["not_reached"]
    return with_attrs(result, states.notes)


@checked
def speededness(
    items: pd.DataFrame,
    responses: pd.DataFrame | None = None,
    *,
    rule: ReachRule = "run",
    reaching: float = 0.8,
) -> pd.Series:
    """Signs that time ran out: who finished, and how much was not reached.

    By a usual rule of thumb a test is unspeeded if virtually all learners reach 75 % of the items
    and at least 80 % reach the last one (Swineford, F. (1974). The test analysis manual.
    Educational Testing Service SR-74-06).

    Parameters
    ----------
    items, responses, rule
        As for `omitted`.
    reaching : float, default 0.8
        Share of sessions for ``items_reached``.

    Returns
    -------
    Series
        ``sessions`` (with a question), ``completing`` (share that reached the last item),
        ``reaching_75_percent`` (share that reached three quarters of their items),
        ``items_reached`` (items that at least the share `reaching` reached),
        ``mean_not_reached`` and ``sd_not_reached`` (items per session, SD by n - 1).

    Raises
    ------
    MeasureError
        `rule` is unknown, a column that it needs is missing, or `reaching` is out of range.

    Examples
    --------
    >>> items = pd.DataFrame({
    ...     "session_id": ["s", "s", "t", "t"], "position": [1, 2, 1, 2],
    ...     "time": [9.0, 7.0, 8.0, 0.0], "score": [1.0, 0.0, 1.0, 0.0],
    ... })
    >>> speededness(items)[["completing", "items_reached", "mean_not_reached"]].tolist()
    [0.5, 1.0, 0.5]
    """
    check_fraction("reaching", reaching, ends=True)
    states = reach_states(items, responses, rule=rule)
    codes, starts = states.rows.grouped(states.codes), states.rows.starts
    missed = _per_session(codes == NOT_REACHED, starts)
    asked = _per_session(codes != NO_QUESTION, starts)
    missed, asked = missed[asked > 0], asked[asked > 0]
    n = len(asked)
    reached = np.sort(asked - missed)[::-1]
    # In descending order, the k-th number of items was reached by at least k sessions.
    needed = int(np.ceil(reaching * n - 1e-9))
    result = pd.Series(
        {
            "sessions": float(n),
            "completing": float((missed == 0).mean()) if n else np.nan,
            "reaching_75_percent": float((asked - missed >= 0.75 * asked).mean()) if n else np.nan,
            "items_reached": float(reached[max(needed, 1) - 1]) if n else np.nan,
            "mean_not_reached": float(missed.mean()) if n else np.nan,
            "sd_not_reached": float(missed.std(ddof=1)) if n > 1 else np.nan,
        },
        name="speededness",
    )
    return with_attrs(result, {**states.notes, "items_reached_by_share": reaching})


def _untimed(rows: SessionRows, time: FloatArray) -> BoolArray:
    """Whether all times of each row's session are missing."""
    if not rows.n:
        return np.zeros(0, dtype=bool)
    missing = rows.grouped(np.isnan(time))
    return rows.as_frame(rows.spread(np.logical_and.reduceat(missing, rows.starts)))


def _run_at_the_end(
    rows: SessionRows, done: BoolArray, asked: BoolArray, rule: ReachRule
) -> BoolArray:
    """Whether each row is in the run of unanswered items at the end of its session."""
    done = rows.grouped(done)
    so_far = np.cumsum(done, dtype=np.int32)
    run = ~done & (so_far == rows.spread(so_far[rows.ends])) & rows.grouped(asked)
    if rule == "after_first":
        places = np.flatnonzero(run)
        session = np.searchsorted(rows.starts, places, side="right")
        run[places[np.diff(session, prepend=0) > 0]] = False
    return rows.as_frame(run)


def _per_session(flags: BoolArray, starts: IntArray) -> npt.NDArray[np.int64]:
    """How many of every session's rows are true."""
    return np.add.reduceat(flags.astype(np.int64), starts)


def _flag_series(items: pd.DataFrame, states: States, state: np.int8, name: str) -> pd.Series:
    values = pd.arrays.BooleanArray(states.codes == state, states.codes == NO_QUESTION)
    return with_attrs(pd.Series(values, index=items.index, name=name), states.notes)
