"""What became of every item that a person was given.

Seven kinds, named so everywhere: ``right`` (all points), ``wrong`` (no points or fewer),
``partial`` (some), ``omitted`` and ``not reached`` (unanswered, see
`lrnanalysis.measures.completion`), ``unmarked`` (answered and waiting for a mark, or worth no
points), ``not administered`` (no row, or an item that holds no question).

Points are the item's own (``items.score``), since the sum of its responses' scores is not the
item's score where scoring is dichotomous or dependent. Where the item has none, the sum of its
responses' scores serves if every answered one has a score, and the result says how often. An item
of which an answered, hand-marked response still has no score is unmarked, whatever the item's
points so far.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from lrnanalysis.measures import completion as reaching
from lrnanalysis.measures._checks import (
    BoolArray,
    FloatArray,
    as_floats,
    require_columns,
    with_attrs,
)
from lrnanalysis.measures.completion import ReachRule, States, reach_states
from lrnanalysis.measures.matrices import (
    Attempts,
    Block,
    Canvas,
    Keys,
    RowKey,
    choose_sessions,
    column_keys,
)
from lrnanalysis.measures.matrices.cells import (
    CELL_DTYPE,
    NOT_ADMINISTERED,
    NOT_REACHED,
    OMITTED,
    PARTIAL,
    RIGHT,
    UNMARKED,
    WRONG,
)

__all__ = ["Marked", "Marking", "cell_codes", "cell_kinds"]

KindArray = npt.NDArray[np.int8]

#: A score this close to the highest one, relatively, is right: sums of decimals round.
_CLOSE = 1e-9


def _kind_table() -> KindArray:
    """Kind by state × 8 + unmarked × 4 + no points × 2 + all points × 1."""
    table = np.empty((4, 8), dtype=np.int8)
    table[reaching.OMITTED] = OMITTED
    table[reaching.NOT_REACHED] = NOT_REACHED
    table[reaching.NO_QUESTION] = NOT_ADMINISTERED
    table[reaching.ANSWERED] = [PARTIAL, RIGHT, WRONG, WRONG, *[UNMARKED] * 4]
    return table.reshape(-1)


_KIND_OF = _kind_table()


@dataclass(frozen=True, eq=False)
class Marked:
    """A block of item rows with their kinds and points, in grouped order.

    Attributes
    ----------
    block : Block
        Which rows.
    kinds : array of int8
        Their kinds, as positions in `CELL_KINDS`.
    points, most : array of float
        Their scores and highest possible scores [points].
    """

    block: Block
    kinds: KindArray
    points: FloatArray
    most: FloatArray


class Marking:
    """Kinds and points of an items frame's rows, worked out a block at a time.

    Parameters
    ----------
    items, responses : DataFrame
        The tables.
    rule : {"run", "after_first", "no_time"}
        Convention of not reached.
    """

    def __init__(
        self, items: pd.DataFrame, responses: pd.DataFrame | None, rule: ReachRule
    ) -> None:
        require_columns(items, "session_id", "item_reference", table="items")
        if responses is None:
            require_columns(items, "score", table="items")
        self.keys: Keys = column_keys(items, "item_reference")
        self.states: States = reach_states(items, responses, rule=rule)
        self.codes = self.states.grouped.grouped(self.keys.codes)
        self._items = items
        self._from_responses = 0
        self._without_max = 0
        self._item_max: FloatArray | None = None

    def blocks(self) -> Iterator[Marked]:
        """The rows, block by block; afterwards `notes` says what was met."""
        grouped = self.states.grouped
        read = {
            name: grouped.reader(self._items[name])
            for name in ("score", "max_score")
            if name in self._items.columns
        }
        for block in grouped.blocks():
            nothing = np.full(block.rows.stop - block.rows.start, np.nan)
            points = read["score"](block.rows) if "score" in read else nothing
            most = read["max_score"](block.rows) if "max_score" in read else nothing
            states = self.states.codes[block.rows]
            waiting = None
            if self.states.responses is not None:
                points, most, waiting = self._with_responses(block, states, points, most)
            most = self._with_item_max(block, states, points, most)
            yield Marked(block, _kinds(states, points, most, waiting), points, most)
        if self._without_max:
            warnings.warn(
                f"{self._without_max} rows have points and no max_score, nor does any other row "
                "of their item: they count as partial",
                stacklevel=3,
            )

    @property
    def notes(self) -> dict[str, object]:
        """What was done, for ``attrs``."""
        notes: dict[str, object] = {**self.states.notes, "score": "items.score"}
        if self.states.responses is not None:
            notes["score"] = "items.score; where missing, the sum of the responses' scores"
            notes["rows_scored_from_responses"] = self._from_responses
        if self._without_max:
            notes["rows_without_max_score"] = self._without_max
        return notes

    def _with_responses(
        self, block: Block, states: KindArray, points: FloatArray, most: FloatArray
    ) -> tuple[FloatArray, FloatArray, BoolArray]:
        """Points with the responses' sums where the item has none; and what waits for a mark."""
        said = self.states.responses
        assert said is not None
        order = self.states.grouped.order
        rows = block.rows if order is None else order[block.rows]
        usable = np.isnan(points) & ~said.unscored[rows] & (states == reaching.ANSWERED)
        usable &= ~np.isnan(said.points[rows])
        self._from_responses += int(np.count_nonzero(usable))
        points = np.where(usable, said.points[rows], points)
        most = np.where(np.isnan(most), said.max_points[rows], most)
        return points, most, said.waiting[rows]

    def _with_item_max(
        self, block: Block, states: KindArray, points: FloatArray, most: FloatArray
    ) -> FloatArray:
        """Highest scores, a missing one taken from the other rows of the same item."""
        lost = np.isnan(most) & (points > 0) & (states == reaching.ANSWERED)
        if not lost.any():
            return most
        if self._item_max is None:
            self._item_max = self._highest()
        most = np.where(lost, self._item_max[self.codes[block.rows]], most)
        self._without_max += int(np.count_nonzero(lost & np.isnan(most)))
        return most

    def _highest(self) -> FloatArray:
        """The highest ``max_score`` of every item; NaN where none is given."""
        if "max_score" not in self._items.columns:
            return np.full(len(self.keys.labels), np.nan)
        most = pd.Series(as_floats(self._items["max_score"])).groupby(self.keys.codes).max()
        return as_floats(most.reindex(range(len(self.keys.labels))))


def cell_kinds(
    items: pd.DataFrame,
    responses: pd.DataFrame | None = None,
    *,
    not_reached_rule: ReachRule = "run",
) -> pd.Series:
    """Kind of every row of the items table.

    Parameters
    ----------
    items : DataFrame
        The items table; ``score``, ``max_score``, ``time``, ``position`` and ``response_count``
        are read where they are there.
    responses : DataFrame, optional
        The responses table. Without it an item that was looked at and left open counts as
        wrong.
    not_reached_rule : {"run", "after_first", "no_time"}, default "run"
        Convention of not reached, see `lrnanalysis.measures.completion`.

    Returns
    -------
    Series of category
        ``kind``, one of `CELL_KINDS` a row, with the frame's index.

    Raises
    ------
    MeasureError
        If a column is missing or the rule is unknown.

    Warns
    -----
    UserWarning
        If points are given and no highest score of the item is known.

    Examples
    --------
    >>> items = pd.DataFrame({
    ...     "session_id": "s", "item_reference": ["a", "b", "c", "d"], "position": [1, 2, 3, 4],
    ...     "time": [9.0, 8.0, 7.0, None], "score": [2.0, 1.0, 0.0, 0.0], "max_score": 2.0,
    ... })
    >>> cell_kinds(items).tolist()
    ['right', 'partial', 'wrong', 'not reached']
    """
    marking = Marking(items, responses, not_reached_rule)
    kinds = np.empty(len(items), dtype=np.int8)
    for marked in marking.blocks():
        kinds[marked.block.rows] = marked.kinds
    values = pd.Categorical.from_codes(marking.states.grouped.as_frame(kinds), dtype=CELL_DTYPE)
    return with_attrs(pd.Series(values, index=items.index, name="kind"), marking.notes)


def cell_codes(
    items: pd.DataFrame,
    responses: pd.DataFrame | None = None,
    *,
    rows: RowKey = "session_id",
    sessions: pd.DataFrame | None = None,
    attempts: Attempts | None = None,
    keep_discarded: bool = False,
    not_reached_rule: ReachRule = "run",
) -> pd.DataFrame:
    """Kind of every cell of the persons × items matrix.

    Parameters
    ----------
    items, responses, not_reached_rule
        As for `cell_kinds`.
    rows, sessions, attempts, keep_discarded
        As for `score_matrix`, with the same rows and columns as result.

    Returns
    -------
    DataFrame
        Category columns whose categories are `CELL_KINDS`; one byte a cell.

    Raises
    ------
    MeasureError
        If a column is missing, two rows fall on one cell, or users are not known.

    Examples
    --------
    >>> items = pd.DataFrame({
    ...     "session_id": ["s", "s", "t"], "item_reference": ["a", "b", "a"],
    ...     "time": [9.0, 8.0, 7.0], "score": [1.0, 0.0, 1.0], "max_score": 1.0,
    ... })
    >>> cell_codes(items).to_dict("list")
    {'a': ['right', 'right'], 'b': ['wrong', 'not administered']}
    """
    marking = Marking(items, responses, not_reached_rule)
    chosen = choose_sessions(
        items,
        marking.states.grouped,
        sessions=sessions,
        rows=rows,
        attempts=attempts,
        keep_discarded=keep_discarded,
    )
    canvas = Canvas(chosen, marking.keys.labels, NOT_ADMINISTERED)
    for marked in marking.blocks():
        canvas.write(marked.block, marking.codes[marked.block.rows], marked.kinds)
    return canvas.category_frame(CELL_DTYPE, {**chosen.notes, **marking.notes})


def _kinds(
    states: KindArray, points: FloatArray, most: FloatArray, waiting: BoolArray | None
) -> KindArray:
    """Kinds of rows from their states and points."""
    unmarked = np.isnan(points) | (most <= 0)
    if waiting is not None:
        unmarked |= waiting
    # One look-up by what is known of a row is several times faster than masked assignments.
    known = states * np.int8(8)
    known += unmarked.view(np.int8) * np.int8(4)
    known += (points <= 0).view(np.int8) * np.int8(2)
    known += (points >= most * (1 - _CLOSE)).view(np.int8)
    kinds: KindArray = _KIND_OF[known]
    return kinds
