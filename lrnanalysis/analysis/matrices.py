"""The persons × items matrices of an analysis, made of its filtered tables."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import replace
from functools import cached_property

import numpy as np
import pandas as pd

from lrnanalysis.analysis.decisions import Decisions
from lrnanalysis.errors import MeasureError, shown
from lrnanalysis.measures import effort
from lrnanalysis.measures._checks import BoolArray, FloatArray, IntArray, as_floats
from lrnanalysis.measures.forms import Forms, forms_of
from lrnanalysis.measures.matrices import (
    Keys,
    MatrixBuilder,
    factorise,
    factorise_columns,
    link_rows,
)
from lrnanalysis.measures.scores import (
    CELL_DTYPE,
    CELL_KINDS,
    Cells,
    item_cells,
    question_cells,
)
from lrnanalysis.measures.scores.common_scale import Maxima, on_common_scale
from lrnanalysis.tables.times import usable_times

__all__ = ["AnalysisMatrices"]

_CODES = {kind: code for code, kind in enumerate(CELL_KINDS)}

#: Kinds of cell that hold no answer.
_UNANSWERED = [_CODES[kind] for kind in ("omitted", "not reached", "not administered")]

#: Kinds that have a score.
_SCORED = [_CODES[kind] for kind in ("right", "wrong", "partial")]


class AnalysisMatrices:
    """Scores, times and kinds of cell, each made when it is first asked for, and kept.

    Parameters
    ----------
    sessions, responses, items : DataFrame
        The tables of the analysis.
    item_sessions, response_sessions : array of int
        Row of `sessions` of every row of the items and the responses table.
    decisions : Decisions
        What becomes of each kind of cell.
    """

    def __init__(
        self,
        sessions: pd.DataFrame,
        responses: pd.DataFrame,
        items: pd.DataFrame,
        item_sessions: IntArray,
        response_sessions: IntArray,
        decisions: Decisions,
    ) -> None:
        self._sessions, self._responses, self._items = sessions, responses, items
        self._item_sessions, self._response_sessions = item_sessions, response_sessions
        self._decisions = decisions
        self._persons = factorise(sessions[self.person_column])

    @property
    def person_column(self) -> str:
        """Column that names the persons."""
        return f"{self._decisions.unit}_id"

    @property
    def item_column(self) -> str:
        """Column that names the columns of `scores`."""
        return f"{self._decisions.level}_reference"

    @property
    def persons(self) -> pd.Index:
        """The persons, in the order of the sessions table."""
        return self._persons.labels.rename(self.person_column)

    def person_values(self, column: pd.Series) -> pd.Series:
        """One value per person of a column of the sessions table."""
        values = column.set_axis(self._persons.codes)
        first = values.groupby(level=0).agg("first").reindex(range(len(self.persons)))
        if len(values) > len(first):
            several = values.groupby(level=0).nunique()
            if (several > 1).any():
                raise MeasureError(
                    f"{int((several > 1).sum())} persons have several values of "
                    f"{shown(column.name)} in "
                    'their sessions: choose one activity, or use unit="session"'
                )
        return pd.Series(first.array, index=self.persons, name=column.name)

    @cached_property
    def item_cells(self) -> Cells:
        """Every row of the items table as a cell, before rapid answers are set apart."""
        return self._items_as_cells(adjusted=self._decisions.score == "adjusted")

    def _items_as_cells(self, *, adjusted: bool) -> Cells:
        return item_cells(
            self._items,
            self._responses,
            sessions=self._sessions,
            not_reached_rule=self._decisions.not_reached_rule,
            adjusted=adjusted,
        )

    @cached_property
    def _item_keys(self) -> Keys:
        return factorise_columns(self._items, "item_reference")

    @cached_property
    def _item_builder(self) -> MatrixBuilder:
        return self._builder(self._item_keys, self._item_sessions, self.item_cells)

    @cached_property
    def _cells(self) -> Cells:
        """Every cell of `scores` in long form."""
        if self._decisions.level == "item":
            return self.item_cells
        return question_cells(
            self._items,
            self._responses,
            sessions=self._sessions,
            not_reached_rule=self._decisions.not_reached_rule,
            adjusted=self._decisions.score == "adjusted",
        )

    @cached_property
    def _column_keys(self) -> Keys:
        """Column of `scores` that every cell in long form belongs to."""
        if self._decisions.level == "item":
            return self._item_keys
        if not self._responses["question_reference"].notna().any():
            raise MeasureError(
                "no response has a question_reference: the records do not name questions; use "
                'level="item"'
            )
        return factorise_columns(self._responses, "question_reference")

    @cached_property
    def _cell_builder(self) -> MatrixBuilder:
        if self._decisions.level == "item":
            return self._item_builder
        return self._builder(self._column_keys, self._response_sessions, self._cells)

    @cached_property
    def _scaled(self) -> tuple[Cells, Maxima]:
        """The cells with the points of a column on one scale, and the columns that had several."""
        if self._decisions.value == "share":
            return self._cells, {}
        return on_common_scale(self._cells, self._column_keys)

    @property
    def maxima(self) -> Maxima:
        """Maxima of the columns whose points were rescaled."""
        return self._scaled[1]

    def rescaled_partial(self) -> list[Hashable]:
        """Columns whose points were rescaled, and that hold answers partly right."""
        labels = self._column_keys.labels
        partial = np.unique(self._column_keys.codes[self._kinds == _CODES["partial"]])
        held = set(labels[partial[partial >= 0]])
        return [column for column in self.maxima if column in held]

    def _builder(self, columns: Keys, of_session: IntArray, cells: Cells) -> MatrixBuilder:
        # An item without a question is no column: there was nothing to answer.
        codes = np.where(cells.kinds != _CODES["not administered"], columns.codes, -1)
        if self._decisions.unscored == "missing":
            # Nor is one that is never scored, as in a survey: omitting it would count as wrong.
            never = cells.kinds == _CODES["unscored"]
            scored = (cells.max_points > 0) | np.isin(cells.kinds, _SCORED)
            out = np.zeros(len(columns.labels) + 1, dtype=bool)
            out[codes[never & ~scored]] = True
            out[codes[scored]] = False
            codes = np.where(out[codes], -1, codes)
        return MatrixBuilder(
            Keys(self._persons.codes[of_session], self.persons),
            Keys(codes, columns.labels),
        )

    @cached_property
    def _kinds(self) -> np.ndarray:
        """Kind of every cell in long form, rapid answers among them."""
        kinds = self._cells.kinds
        flags = self._rapid_rows
        if flags is None:
            return kinds
        if self._decisions.level == "question":
            row = link_rows(self._items, self._responses)
            flags = np.append(flags, False)[row]
        answered = ~np.isin(kinds, _UNANSWERED)
        return np.where(flags & answered, np.int8(_CODES["rapid"]), kinds)

    @cached_property
    def _rapid_rows(self) -> BoolArray | None:
        """Whether each row of the items table is a rapid answer; None where none is left out."""
        if self._decisions.rapid is None:
            return None
        flags = effort.rapid_guesses(
            self.answered_times, self._decisions.rapid, scores=self.recorded_shares
        )
        rows = flags.index.get_indexer(self.persons)[self._persons.codes[self._item_sessions]]
        columns = flags.columns.get_indexer(pd.Index(self._items["item_reference"].astype("str")))
        found: BoolArray = flags.to_numpy(dtype=bool)[rows, columns] & (columns >= 0)
        return found

    @property
    def n_never_scored(self) -> int:
        """Number of items (or questions) that are no column because they are never scored."""
        asked = self._cells.kinds != _CODES["not administered"]
        table = self._items if self._decisions.level == "item" else self._responses
        return int(table[self.item_column][asked].nunique()) - self.n_columns

    @property
    def n_columns(self) -> int:
        """Number of columns of `scores`."""
        return len(self._cell_builder.columns)

    @cached_property
    def forms(self) -> Forms:
        """The sets of items that persons were given, of the persons with any."""
        builder = self._cell_builder
        administered = builder.numbers(np.ones(len(self._kinds)), fill=0.0)
        return forms_of(administered.to_numpy() > 0)

    @property
    def scores(self) -> pd.DataFrame:
        """Persons × items."""
        decisions = self._decisions
        values = replace(self._scaled[0], kinds=self._kinds).values(
            value=decisions.value,
            omitted=decisions.number("omitted"),
            not_reached=decisions.number("not_reached"),
            unmarked=decisions.number("unmarked"),
            unscored=decisions.number("unscored"),
        )
        values[self._kinds == _CODES["rapid"]] = np.nan
        return self._whole(self._cell_builder.numbers(values))

    @property
    def cells(self) -> pd.DataFrame:
        """Kind of every cell, persons × items."""
        none = _CODES["not administered"]
        made = self._cell_builder.categories(self._kinds, CELL_DTYPE, fill=none)
        return self._whole(made, CELL_KINDS[none])

    @cached_property
    def counts(self) -> dict[str, int]:
        """Number of cells of every kind that was administered."""
        inside = self._cell_builder.inside
        found = np.bincount(self._kinds[inside], minlength=len(CELL_KINDS))
        return dict(zip(CELL_KINDS, found.tolist(), strict=True))

    @cached_property
    def _item_times(self) -> FloatArray:
        """Time of every row of the items table, NaN for one that is none, with a warning."""
        return usable_times(as_floats(self._items["time"]), "item times")[0]

    @property
    def times(self) -> pd.DataFrame:
        """Times on screen above 0 [s], persons × items."""
        times = self._item_times
        return self._whole(self._item_builder.numbers(np.where(times > 0, times, np.nan)))

    @property
    def answered_times(self) -> pd.DataFrame:
        """Times of the answers [s], persons × items: NaN where nothing was answered."""
        times = self._item_times
        timed = (times > 0) & ~np.isin(self.item_cells.kinds, _UNANSWERED)
        return self._whole(self._item_builder.numbers(np.where(timed, times, np.nan)))

    @property
    def modelled_times(self) -> pd.DataFrame:
        """Times of the answers that are not left out as rapid [s], persons × items."""
        times = self.answered_times
        if self._rapid_rows is None:
            return times
        rapid = self._item_builder.numbers(self._rapid_rows.astype(np.float64), fill=0.0)
        return times.mask(self._whole(rapid, 0.0).to_numpy() > 0)

    @property
    def recorded_shares(self) -> pd.DataFrame:
        """Shares of the maximum as recorded (at most 1), persons × items, without adjustments."""
        raw = self._decisions.score == "raw"
        cells = self.item_cells if raw else self._items_as_cells(adjusted=False)
        values = cells.values(
            value="share", omitted=None, not_reached=None, unmarked=None, unscored=None
        )
        return self._whole(self._item_builder.numbers(np.minimum(values, 1.0)))

    @property
    def max_scores(self) -> pd.Series:
        """Maximum of each column of `scores`; the highest score that occurs where none is given."""
        highest = self.scores.max()
        highest = highest.where(highest > 0, 1.0)
        if self._decisions.value == "share":
            most = pd.Series(1.0, index=highest.index)
        else:
            most = self._cell_builder.numbers(self._scaled[0].max_points).max()
            most = most.where(most > 0, highest)
        if self._decisions.score == "adjusted":
            # An adjustment may lift a score above the recorded maximum.
            most = most.where(most >= highest, highest)
        return most.rename("max_score")

    def _whole(self, matrix: pd.DataFrame, fill: str | float = np.nan) -> pd.DataFrame:
        """The matrix with a row for every person."""
        if len(matrix) == len(self.persons):
            return matrix
        return matrix.reindex(self.persons, fill_value=fill)
