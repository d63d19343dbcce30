"""Kind of every cell of persons × items.

There are nine: ``right`` (all points), ``wrong`` (no points or fewer),
``partial`` (some), ``omitted`` and ``not reached`` (unanswered, see
`lrnanalysis.measures.completion`), ``unmarked`` (answered and awaiting a mark), ``unscored``
(answered, and never to be scored: surveys, items worth no points), ``rapid`` (set apart by an
analysis), ``not administered`` (no row, or an item without a question).

Points are the item's own (``items.score``), since the sum of its responses' scores is not the
item's score where scoring is dichotomous or dependent. Where the item has none, the sum of its
responses' scores is used if every answered one has a score; the result counts these cells. An
item with an answered, hand-marked response that has no score yet is unmarked, whatever the item's
points so far.
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
    as_floats,
    check_label_kinds,
    choice,
    optional_floats,
    require_columns,
    with_attrs,
)
from lrnanalysis.measures.completion import (
    ANSWERED,
    NO_QUESTION,
    NOT_REACHED,
    OMITTED,
    ReachRule,
    reach_states,
)
from lrnanalysis.measures.matrices import (
    ItemResponses,
    MatrixBuilder,
    answered_responses,
    check_unique_key,
    factorise,
    link_rows,
    person_keys,
    required_keys,
)
from lrnanalysis.measures.scores.status import adjusted_scores, has_status
from lrnanalysis.tables.unmarked import unmarked_item_points
from lrnanalysis.warnings import DataWarning, warn

__all__ = [
    "CELL_DTYPE",
    "CELL_KINDS",
    "Cells",
    "ScoreValue",
    "cell_kinds",
    "cell_matrix",
    "is_pending",
    "item_cells",
    "question_cells",
    "unexplained_points",
]

KindArray = npt.NDArray[np.int8]

#: What a marked cell holds: its points, or its share of the highest possible points.
ScoreValue = Literal["points", "share"]

#: Names of the kinds, in the order of their codes.
CELL_KINDS = (
    "right",
    "wrong",
    "partial",
    "omitted",
    "not reached",
    "unmarked",
    "unscored",
    "rapid",
    "not administered",
)

#: dtype of a column of kinds.
CELL_DTYPE = pd.CategoricalDtype(pd.Index(CELL_KINDS, dtype="str"))

_CODES = {kind: np.int8(code) for code, kind in enumerate(CELL_KINDS)}
_OF_STATE = {
    OMITTED: _CODES["omitted"],
    NOT_REACHED: _CODES["not reached"],
    NO_QUESTION: _CODES["not administered"],
}

#: A score this close to the maximum, relatively, is right: sums of decimals round.
_CLOSE = 1e-9


@dataclass(frozen=True, eq=False)
class Cells:
    """Every row of a long table as a cell of persons × items.

    Attributes
    ----------
    kinds : array of int8
        Positions in `CELL_KINDS`.
    points, max_points : array of float
        Scores and maxima [points]; NaN where there are none.
    notes : dict
        Rules and counts, for ``attrs``.
    """

    kinds: KindArray
    points: FloatArray
    max_points: FloatArray
    notes: dict[str, object]

    @checked
    def values(
        self,
        *,
        value: ScoreValue = "points",
        right: float | None = None,
        wrong: float | None = None,
        partial: float | None = None,
        omitted: float | None = 0.0,
        not_reached: float | None = np.nan,
        unmarked: float | None = np.nan,
        unscored: float | None = np.nan,
    ) -> FloatArray:
        """The number that every row becomes; None keeps its points or share, as `value` says."""
        choice("value", value, get_args(ScoreValue))
        if value == "points":
            numbers = self.points.copy()
        else:
            numbers = np.full(len(self.points), np.nan)
            np.divide(self.points, self.max_points, out=numbers, where=self.max_points > 0)
        given = (right, wrong, partial, omitted, not_reached, unmarked, unscored)
        for kind, number in enumerate(given):
            if number is not None:
                numbers[self.kinds == kind] = number
        numbers[self.kinds == _CODES["not administered"]] = np.nan
        return numbers


@checked
def item_cells(
    items: pd.DataFrame,
    responses: pd.DataFrame | None = None,
    *,
    sessions: pd.DataFrame | None = None,
    not_reached_rule: ReachRule = "run",
    adjusted: bool = False,
) -> Cells:
    """Every row of the items table as a cell.

    Parameters
    ----------
    items, responses, not_reached_rule
        As for `cell_kinds`.
    sessions : DataFrame, optional
        The sessions table, for which sessions are Pending Scoring.
    adjusted : bool, default False
        Add the adjustment points of the item's responses.

    Raises
    ------
    MeasureError
        A column is missing, or an item occurs twice in a session.

    Warns
    -----
    DataWarning
        Points are given and no maximum of the item is known.
    """
    require_columns(items, "session_id", "item_reference", table="items")
    if responses is None:
        require_columns(items, "score", table="items")
        if adjusted:
            raise MeasureError("adjusted=True needs responses=: they hold the adjustment points")
    states = reach_states(items, responses, rule=not_reached_rule)
    points, most = optional_floats(items, "score"), optional_floats(items, "max_score")
    expected = is_pending(items, sessions) | (unmarked_item_points(items) > 0)
    waiting = np.zeros(len(items), dtype=bool)
    notes: dict[str, object] = {**states.notes, "score": "items.score"}
    found = states.responses
    if found is not None:
        usable = np.isnan(points) & ~found.unscored & (states.codes == ANSWERED)
        usable &= ~np.isnan(found.points)
        points = np.where(usable, found.points, points)
        most = np.where(np.isnan(most), found.max_points, most)
        # A response without a maximum is never marked if the others make up the item's maximum.
        unexplained = ~(most <= found.max_points * (1 + _CLOSE))
        waiting = found.awaiting_mark | (found.without_max & (unexplained | expected))
        notes["score"] = "items.score; where missing, the sum of the responses' scores"
        notes["rows_scored_from_responses"] = int(np.count_nonzero(usable))
        if adjusted:
            points = points + np.nan_to_num(found.adjustment)
            notes["score"] = f"{notes['score']}; adjustment points added"
    most, unknown = _with_item_max(items, states.codes, points, most)
    if unknown:
        notes["rows_without_max_score"] = unknown
        warn(
            f"{unknown} rows have points and no max_score, nor does any other row of their item: "
            "they count as partial",
            DataWarning,
        )
    kinds = _kinds(states.codes, points, most, waiting, (most > 0) | expected)
    return Cells(kinds, points, most, notes)


@checked
def question_cells(
    items: pd.DataFrame,
    responses: pd.DataFrame,
    *,
    sessions: pd.DataFrame | None = None,
    not_reached_rule: ReachRule = "run",
    adjusted: bool = False,
) -> Cells:
    """Every row of the responses table as a cell; an unanswered one is as its item.

    Parameters
    ----------
    items, responses, sessions, not_reached_rule
        As for `item_cells`.
    adjusted : bool, default False
        Take ``score_after_adjustment`` where there is one.

    Raises
    ------
    MeasureError
        A column is missing, or an item occurs twice in a session.
    """
    require_columns(responses, "session_id", "score", table="responses")
    check_unique_key(responses, "responses")
    states = reach_states(items, responses, rule=not_reached_rule)
    assert states.responses is not None
    row = link_rows(items, responses)
    of_item = np.append(states.codes, OMITTED)[row]
    points = adjusted_scores(responses) if adjusted else as_floats(responses["score"])
    most = optional_floats(responses, "max_score")
    answered, known = answered_responses(responses)
    done = np.where(known, answered, ~np.isnan(points))
    state = np.where(done, ANSWERED, np.where(of_item == NOT_REACHED, NOT_REACHED, OMITTED))
    unexplained = unexplained_points(items, states.responses)
    expected = is_pending(responses, sessions) | np.append(unexplained, False)[row]
    waiting = np.zeros(len(responses), dtype=bool)
    score = "responses.score" + ("; adjusted" if adjusted else "")
    kinds = _kinds(state, points, most, waiting, (most > 0) | expected)
    return Cells(kinds, points, most, {**states.notes, "score": score})


@checked
def cell_kinds(
    items: pd.DataFrame,
    responses: pd.DataFrame | None = None,
    *,
    sessions: pd.DataFrame | None = None,
    not_reached_rule: ReachRule = "run",
) -> pd.Series:
    """Kind of every row of the items table.

    Parameters
    ----------
    items : DataFrame
        The items table; ``score``, ``max_score``, ``time``, ``position`` and ``response_count``
        are read where they occur.
    responses : DataFrame, optional
        The responses table. Without it an item that was looked at and left open counts as
        wrong.
    sessions : DataFrame, optional
        The sessions table, for which sessions are Pending Scoring.
    not_reached_rule : {"run", "after_first", "no_time"}, default "run"
        Convention of not reached, see `lrnanalysis.measures.completion`.

    Returns
    -------
    Series of category
        ``kind``, one of `CELL_KINDS` per row, with the frame's index.

    Raises
    ------
    MeasureError
        A column is missing or the rule is unknown.

    Warns
    -----
    DataWarning
        Points are given and no maximum of the item is known.

    Examples
    --------
    >>> items = pd.DataFrame({
    ...     "session_id": "s", "item_reference": ["a", "b", "c", "d"], "position": [1, 2, 3, 4],
    ...     "time": [9.0, 8.0, 7.0, None], "score": [2.0, 1.0, 0.0, 0.0], "max_score": 2.0,
    ... })
    >>> cell_kinds(items).tolist()
    ['right', 'partial', 'wrong', 'not reached']
    """
    cells = item_cells(items, responses, sessions=sessions, not_reached_rule=not_reached_rule)
    values = pd.Categorical.from_codes(cells.kinds, dtype=CELL_DTYPE)
    return with_attrs(pd.Series(values, index=items.index, name="kind"), cells.notes)


@checked
def cell_matrix(
    items: pd.DataFrame,
    responses: pd.DataFrame | None = None,
    *,
    rows: str = "session_id",
    sessions: pd.DataFrame | None = None,
    not_reached_rule: ReachRule = "run",
) -> pd.DataFrame:
    """Kind of every cell of the persons × items matrix.

    Parameters
    ----------
    items, responses, sessions, not_reached_rule
        As for `cell_kinds`.
    rows : str, default "session_id"
        Column of the items table that names the persons.

    Returns
    -------
    DataFrame
        Category columns whose categories are `CELL_KINDS`; one byte per cell.

    Raises
    ------
    MeasureError
        A column is missing, or two rows fall on one cell.

    Examples
    --------
    >>> items = pd.DataFrame({
    ...     "session_id": ["s", "s", "t"], "item_reference": ["a", "b", "a"],
    ...     "time": [9.0, 8.0, 7.0], "score": [1.0, 0.0, 1.0], "max_score": 1.0,
    ... })
    >>> cell_matrix(items).to_dict("list")
    {'a': ['right', 'right'], 'b': ['wrong', 'not administered']}
    """
    require_columns(items, rows, table="items")
    cells = item_cells(items, responses, sessions=sessions, not_reached_rule=not_reached_rule)
    builder = MatrixBuilder(person_keys(items, rows), required_keys(items, "item_reference"))
    none = int(_CODES["not administered"])
    return with_attrs(builder.categories(cells.kinds, CELL_DTYPE, fill=none), cells.notes)


def _kinds(
    state: KindArray,
    points: FloatArray,
    most: FloatArray,
    waiting: BoolArray,
    to_mark: BoolArray,
) -> KindArray:
    """Kinds of rows from their states and points."""
    kinds = np.full(len(state), _CODES["partial"])
    kinds[points >= most * (1 - _CLOSE)] = _CODES["right"]
    kinds[points <= 0] = _CODES["wrong"]
    open_ = np.isnan(points) | (most <= 0) | waiting
    kinds[open_] = np.where(to_mark, _CODES["unmarked"], _CODES["unscored"])[open_]
    for code, kind in _OF_STATE.items():
        kinds[state == code] = kind
    return kinds


def _with_item_max(
    items: pd.DataFrame, state: KindArray, points: FloatArray, most: FloatArray
) -> tuple[FloatArray, int]:
    """Maxima, a missing one taken from the item's other rows; and how many points have none."""
    unknown = np.isnan(most) & (state == ANSWERED) & ~(points <= 0)
    if unknown.any() and "max_score" in items.columns:
        keys = factorise(items["item_reference"])
        highest = pd.Series(as_floats(items["max_score"])).groupby(keys.codes).transform("max")
        most = np.where(unknown, highest.to_numpy(), most)
    return most, int(np.count_nonzero(unknown & np.isnan(most) & (points > 0)))


def is_pending(table: pd.DataFrame, sessions: pd.DataFrame | None) -> BoolArray:
    """Whether each row's session is Pending Scoring."""
    if sessions is None:
        return np.zeros(len(table), dtype=bool)
    require_columns(sessions, "session_id", "status", table="sessions")
    waiting = sessions["session_id"][has_status(sessions, "Pending Scoring")]
    found: BoolArray = table["session_id"].isin(waiting).to_numpy(dtype=bool)
    if len(waiting) and not found.any():
        check_label_kinds(
            "session_id",
            pd.Index(sessions["session_id"]),
            pd.Index(table["session_id"]),
            where=("sessions", "the other table"),
        )
    return found


def unexplained_points(items: pd.DataFrame, responses: ItemResponses) -> BoolArray:
    """Whether points of the item await a mark, and are not those of a response's maximum."""
    return (unmarked_item_points(items) > 0) & ~responses.open_points
