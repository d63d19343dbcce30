"""The rows that everything in an analysis rests on: tables, matrices, words."""

from __future__ import annotations

import html
from collections.abc import Sequence
from functools import cached_property
from typing import Any, NoReturn, TypeVar, cast

import numpy as np
import pandas as pd

from lrnanalysis.accessor import ItemsTable, ResponsesTable, SessionsTable
from lrnanalysis.analysis.decisions import Decisions
from lrnanalysis.analysis.groups import LinkedTables
from lrnanalysis.analysis.matrices import AnalysisMatrices
from lrnanalysis.analysis.selection import Selection, select_sessions, session_positions
from lrnanalysis.analysis.words import AnalysisWords
from lrnanalysis.arguments import checked
from lrnanalysis.errors import MeasureError
from lrnanalysis.measures import answer_decoding
from lrnanalysis.measures._checks import require_columns, whole_labels
from lrnanalysis.measures.matrices import Keys, check_unique_key, factorise
from lrnanalysis.measures.scores.common_scale import describe_maxima
from lrnanalysis.tables.learners import named_users

__all__ = ["AnalysisData"]

R = TypeVar("R")


class AnalysisData:
    """The rows of an analysis: filtered tables, matrices, and the rules in words.

    Parameters
    ----------
    sessions, responses, items : DataFrame
        The tables of the study.
    decisions : Decisions
        What counts, and what becomes of each kind of cell.
    """

    @checked
    def __init__(
        self,
        sessions: pd.DataFrame,
        responses: pd.DataFrame,
        items: pd.DataFrame,
        decisions: Decisions,
    ) -> None:
        require_columns(sessions, "session_id", "status", "activity_id", table="sessions")
        require_columns(responses, "session_id", "item_reference", table="responses")
        require_columns(items, "session_id", "item_reference", table="items")
        check_unique_key(sessions, "sessions")
        # Shallow copies share their data until either side writes.
        source = tuple(frame.copy(deep=False) for frame in (sessions, responses, items))
        places = session_positions(sessions, items["session_id"])
        keys = factorise(items["item_reference"])
        selection = select_sessions(sessions, decisions, item_sessions=places, item_keys=keys)
        self.__dict__.update(
            _source=source,
            decisions=decisions,
            _selection=selection,
            _item_places=places,
            _item_keys=keys,
        )

    decisions: Decisions
    _source: tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]
    _selection: Selection
    _item_places: np.ndarray
    _item_keys: Keys

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"an analysis is immutable: use analysis.replace(...) to set {name}")

    def __getstate__(self) -> dict[str, Any]:
        kept = ("_source", "decisions", "_selection", "_item_places", "_item_keys")
        return {name: self.__dict__[name] for name in kept}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)

    # The tables

    @cached_property
    def _tables(self) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
        """Sessions, responses and items of the sessions that count."""
        sessions, responses, items = self._source
        kept = self._selection.kept
        inside = np.append(kept, False)[self._item_places] & (self._item_keys.codes >= 0)
        of_responses = session_positions(sessions, responses["session_id"])
        there = np.append(kept, False)[of_responses]
        chosen = _rows(sessions, kept), _rows(responses, there), _rows(items, inside)
        if self.decisions.item == "source":
            return chosen[0], *_by_source(*chosen[1:])
        return chosen

    @cached_property
    def _linked(self) -> LinkedTables:
        sessions, responses, items = self._tables
        return LinkedTables(
            {"sessions": sessions, "responses": responses, "items": items},
            session_positions(sessions, items["session_id"]),
            session_positions(sessions, responses["session_id"]),
        )

    @cached_property
    def _matrices(self) -> AnalysisMatrices:
        return AnalysisMatrices(*self._tables, *self._linked.rows, self.decisions)

    @property
    def sessions(self) -> SessionsTable:
        """The sessions that count; see `lrnanalysis.schema.SESSIONS`."""
        return cast(SessionsTable, self._tables[0].copy(deep=False))

    @property
    def responses(self) -> ResponsesTable:
        """Their responses; see `lrnanalysis.schema.RESPONSES`."""
        return cast(ResponsesTable, self._tables[1].copy(deep=False))

    @property
    def items(self) -> ItemsTable:
        """Their items; see `lrnanalysis.schema.ITEMS`."""
        return cast(ItemsTable, self._tables[2].copy(deep=False))

    # The matrices

    @cached_property
    def _scores(self) -> pd.DataFrame:
        return self._with_rules(self._matrices.scores)

    @property
    def _categories(self) -> pd.DataFrame:
        """The scores, for measures that take every score of an item as a category.

        Raises
        ------
        MeasureError
            Answers partly right, of sessions with different maxima, would share a category.
        """
        mixed = self._matrices.rescaled_partial()
        if mixed:
            raise MeasureError(
                f"{describe_maxima({mixed[0]: self._matrices.maxima[mixed[0]]})}, and has answers "
                "partly right: its score categories differ between sessions"
                + (f" (so do those of {len(mixed) - 1} other items)" if len(mixed) > 1 else "")
                + ". Analyse sessions with one maximum, such as study[mask].analysis(), or fit a "
                f"matrix without it: analysis.scores.drop(columns={str(mixed[0])!r})"
            )
        return self._scores

    @cached_property
    def _times(self) -> pd.DataFrame:
        return self._with_rules(self._matrices.times)

    @cached_property
    def _cells(self) -> pd.DataFrame:
        return self._with_rules(self._matrices.cells)

    @cached_property
    def _answered_times(self) -> pd.DataFrame:
        return self._matrices.answered_times

    @cached_property
    def _shares(self) -> pd.DataFrame:
        return self._matrices.recorded_shares

    @property
    def scores(self) -> pd.DataFrame:
        """Scores, persons × items (or questions): float64, NaN where nothing counts."""
        return self._scores.copy(deep=False)

    @property
    def times(self) -> pd.DataFrame:
        """Times on screen [s], persons × items: NaN where there is no time above 0."""
        return self._times.copy(deep=False)

    @property
    def cells(self) -> pd.DataFrame:
        """Kind of every cell of `scores`: one of `lrnanalysis.scores.CELL_KINDS`."""
        return self._cells.copy(deep=False)

    @property
    def max_scores(self) -> pd.Series:
        """Maximum of every column of `scores`; the highest score where none is recorded."""
        return self._with_rules(self._matrices.max_scores)

    @property
    def n_persons(self) -> int:
        """Rows of the matrices."""
        return len(self._matrices.persons)

    @property
    def n_items(self) -> int:
        """Columns of `scores`."""
        return self._scores.shape[1]

    @checked
    def group(self, name: str) -> pd.Series:
        """One value per person of a column of the sessions table.

        Parameters
        ----------
        name : str
            A column of the sessions table, such as ``"metadata.group"``.

        Returns
        -------
        Series
            Indexed as `scores`.

        Raises
        ------
        MeasureError
            The column does not exist, or a person has several values of it.

        Examples
        --------
        >>> analysis.group("status").value_counts().index[0]
        'Completed'
        """
        return self._matrices.person_values(self._linked.column("sessions", name))

    def _session_group(self, name: str) -> pd.Series:
        """A column of the sessions table by session_id."""
        sessions = self._tables[0]
        values = self._linked.column("sessions", name)
        return pd.Series(values.array, index=sessions["session_id"], name=name)

    # The words

    @cached_property
    def _words(self) -> AnalysisWords:
        users = named_users(self._tables[0]["user_id"])
        return AnalysisWords(
            self.decisions,
            self._selection.flow,
            persons=self.n_persons,
            # Sessions of nobody have nothing in common: each is a person of its own.
            learners=int(users.nunique() + users.isna().sum()),
            columns=self._matrices.n_columns,
            never_scored=self._matrices.n_never_scored,
            cells=self._matrices.counts,
            maxima=self._matrices.maxima,
            forms=self._matrices.forms,
        )

    @property
    def rules(self) -> pd.DataFrame:
        """Every decision: its ``value``, its ``effect`` in words, and the ``rows`` it touched.

        Examples
        --------
        >>> analysis.rules.loc["attempts", "value"]
        'first'
        """
        return self._words.table()

    @property
    def flow(self) -> pd.DataFrame:
        """How many sessions were left out by which rule (index ``step``).

        Examples
        --------
        >>> list(analysis.flow.columns)
        ['left_out', 'sessions', 'learners']
        """
        return self._selection.flow.copy()

    @property
    def caption(self) -> str:
        """Size and rules in a line; every picture of the analysis carries it."""
        return self._words.caption

    def methods_text(self) -> str:
        """Describe the sample and the rules as the methods section of a paper does.

        Returns
        -------
        str
            A paragraph with n, rules and, where the rules have them, references.

        Examples
        --------
        >>> "omitted" in analysis.methods_text().lower()
        True
        """
        return self._words.methods_text()

    def __repr__(self) -> str:
        words = self._words
        lines = [f"Analysis: {words.size}", words.rules, words.flow_line(), words.forms_line()]
        return "\n".join(line for line in lines if line)

    def _repr_html_(self) -> str:
        rules = self.rules.reset_index().to_html(index=False, border=0, justify="left")
        return (
            f"<p><b>Analysis</b>: {html.escape(self._words.size)}</p>"
            f"<p>{html.escape(self._words.flow_line())}</p>"
            f"<p>{html.escape(self._words.forms_line())}</p>{rules}"
        )

    def _with_rules(self, result: R) -> R:
        """Note the analysis on a table, for its reader."""
        if isinstance(result, pd.DataFrame | pd.Series):
            result.attrs = {**result.attrs, "analysis": self.caption}
        return result

    @cached_property
    def _question_types(self) -> pd.Series:
        """Question types of every column of `scores`, joined."""
        column = self._matrices.item_column
        types = self._tables[1][[column, "question_type"]].dropna().astype("str")
        return types.drop_duplicates().groupby(column)["question_type"].agg(", ".join)

    @cached_property
    def _choices(self) -> pd.DataFrame:
        """The choices that can be decoded, with their persons."""
        column = self._matrices.item_column
        found = answer_decoding.choices(self._tables[1]).dropna(subset=[column])
        if self.decisions.unit == "user":
            users = self._tables[0].set_index("session_id")["user_id"]
            found = found.assign(user_id=found["session_id"].map(users))
        return found

    @property
    def _limits(self) -> pd.Series:
        """Time limit [s] of every session; NaN where there is none."""
        return self._tables[0].set_index("session_id")["max_time"]

    def _groups(self, by: str | Sequence[str]) -> Any:
        """Persons grouped by columns of the sessions table."""
        names = [by] if isinstance(by, str) else list(by)
        values = pd.DataFrame({name: whole_labels(self.group(name)) for name in names})
        return values.groupby(names[0] if len(names) == 1 else names, observed=True)


def _rows(frame: pd.DataFrame, kept: np.ndarray) -> pd.DataFrame:
    """The rows kept; the frame itself where that is all of them."""
    return frame if kept.all() else frame[kept]


def _by_source(responses: pd.DataFrame, items: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The tables with the item bank's references, "organisation/reference", as item references."""
    source = items["source_reference"].astype("str")
    organisation = items["organisation_id"].astype("str")
    known = source.notna()
    named = (organisation.fillna("") + "/" + source).where(organisation.notna() & known, source)
    label = named.where(known, items["item_reference"].astype("str")).astype("category")
    linked = LinkedTables(
        {"sessions": pd.DataFrame(), "responses": responses, "items": items.assign(_label=label)},
        np.empty(0, dtype=np.int32),
        np.empty(0, dtype=np.int32),
    ).column("responses", "_label")
    reference = linked.where(linked.notna(), responses["item_reference"].astype("str"))
    return (
        responses.assign(item_reference=reference.astype("category")),
        items.assign(item_reference=label),
    )
