"""Scores as persons × items or persons × questions, with a number for each kind of cell."""

from __future__ import annotations

import numpy as np
import pandas as pd

from lrnanalysis.arguments import checked
from lrnanalysis.errors import MeasureError
from lrnanalysis.measures._checks import require_columns, with_attrs
from lrnanalysis.measures.completion import ReachRule
from lrnanalysis.measures.matrices import (
    MatrixBuilder,
    factorise_columns,
    person_keys,
    required_keys,
)
from lrnanalysis.measures.scores.cell_kinds import (
    CELL_KINDS,
    Cells,
    ScoreValue,
    item_cells,
    question_cells,
)
from lrnanalysis.measures.scores.common_scale import Maxima, on_common_scale

__all__ = ["question_score_matrix", "score_matrix"]


@checked
def score_matrix(
    items: pd.DataFrame,
    responses: pd.DataFrame | None = None,
    *,
    rows: str = "session_id",
    sessions: pd.DataFrame | None = None,
    value: ScoreValue = "points",
    right: float | None = None,
    wrong: float | None = None,
    partial: float | None = None,
    omitted: float | None = 0.0,
    not_reached: float | None = np.nan,
    unmarked: float | None = np.nan,
    unscored: float | None = np.nan,
    not_reached_rule: ReachRule = "run",
    adjusted: bool = False,
) -> pd.DataFrame:
    """Item scores as a persons × items matrix.

    Every cell is of one kind, see `cell_matrix`; what each kind becomes is an argument. By
    default right, wrong and partial answers keep their points, an omitted item is 0 (it was seen
    and left), and an item that was not reached, awaits a mark, is never scored or was not
    administered is missing. Dichotomise with ``right=1, wrong=0, partial=0``.

    Points of a column are on one scale: an item that was worth different points in different
    sessions is rescaled to its highest maximum.

    Parameters
    ----------
    items : DataFrame
        The items table.
    responses : DataFrame, optional
        The responses table. Without it the items table cannot distinguish an item that was looked
        at and left open from a wrong answer, and it counts as wrong.
    rows : str, default "session_id"
        Column of the items table that names the persons, such as a merged ``user_id``.
    sessions : DataFrame, optional
        The sessions table, for which sessions are Pending Scoring.
    value : {"points", "share"}, default "points"
        Meaning of None below: the cell's points, or its share of the maximum.
    right, wrong, partial : float, optional
        Value of such cells; None: as `value` says.
    omitted, not_reached, unmarked, unscored : float or None, default 0, NaN, NaN, NaN
        Value of such cells; None: as `value` says, whatever score the record gives them.
    not_reached_rule : {"run", "after_first", "no_time"}, default "run"
        Convention of not reached, see `lrnanalysis.measures.completion`.
    adjusted : bool, default False
        Add the adjustment points of the item's responses.

    Returns
    -------
    DataFrame
        float64; rows in order of appearance, columns in category order, or of appearance where
        ``item_reference`` is text. ``attrs`` holds the rules, what each kind became and how many
        cells there are of each.

    Raises
    ------
    MeasureError
        A column is missing, or two rows fall on one cell.

    Warns
    -----
    DataWarning
        Points are given and no maximum of the item is known, or an item has several maxima.

    Examples
    --------
    >>> items = pd.DataFrame({
    ...     "session_id": ["s", "s", "t", "t"], "item_reference": ["a", "b", "a", "b"],
    ...     "position": [1, 2, 1, 2], "time": [9.0, 8.0, 7.0, None],
    ...     "score": [2.0, 1.0, 0.0, 0.0], "max_score": 2.0,
    ... })
    >>> score_matrix(items).to_dict("list")
    {'a': [2.0, 0.0], 'b': [1.0, nan]}
    >>> score_matrix(items, right=1, partial=0, not_reached=0).to_dict("list")
    {'a': [1.0, 0.0], 'b': [0.0, 0.0]}
    """
    require_columns(items, rows, table="items")
    cells = item_cells(
        items, responses, sessions=sessions, not_reached_rule=not_reached_rule, adjusted=adjusted
    )
    becomes = {
        "right": right,
        "wrong": wrong,
        "partial": partial,
        "omitted": omitted,
        "not_reached": not_reached,
        "unmarked": unmarked,
        "unscored": unscored,
    }
    return _scattered(items, rows, "item_reference", cells, value, becomes)


@checked
def question_score_matrix(
    items: pd.DataFrame,
    responses: pd.DataFrame,
    *,
    rows: str = "session_id",
    sessions: pd.DataFrame | None = None,
    value: ScoreValue = "points",
    right: float | None = None,
    wrong: float | None = None,
    partial: float | None = None,
    omitted: float | None = 0.0,
    not_reached: float | None = np.nan,
    unmarked: float | None = np.nan,
    unscored: float | None = np.nan,
    not_reached_rule: ReachRule = "run",
    adjusted: bool = False,
) -> pd.DataFrame:
    """Response scores as a persons × questions matrix, for items that hold several questions.

    Parameters
    ----------
    items, responses, sessions, value, right, wrong, partial
        As for `score_matrix`.
    omitted, not_reached, unmarked, unscored, not_reached_rule, adjusted
        As for `score_matrix`; a question is not reached where its item is not.
    rows : str, default "session_id"
        Column of the responses table that names the persons.

    Returns
    -------
    DataFrame
        float64; NaN where a question was not administered. Responses without a
        ``question_reference`` are left out.

    Raises
    ------
    MeasureError
        A column is missing, no response has a ``question_reference``, or two responses of a
        session have the same.

    Examples
    --------
    >>> items = pd.DataFrame({"session_id": ["s"], "item_reference": ["a"], "time": [9.0]})
    >>> responses = pd.DataFrame({
    ...     "session_id": "s", "item_reference": "a", "question_reference": ["q1", "q2"],
    ...     "attempted": [True, False], "score": [1.0, None], "max_score": 1.0,
    ... })
    >>> question_score_matrix(items, responses).values.tolist()
    [[1.0, 0.0]]
    """
    require_columns(responses, rows, "question_reference", table="responses")
    if len(responses) and not responses["question_reference"].notna().any():
        raise MeasureError(
            "no response has a question_reference: the records do not name their questions; use "
            "score_matrix of the items"
        )
    cells = question_cells(
        items, responses, sessions=sessions, not_reached_rule=not_reached_rule, adjusted=adjusted
    )
    becomes = {
        "right": right,
        "wrong": wrong,
        "partial": partial,
        "omitted": omitted,
        "not_reached": not_reached,
        "unmarked": unmarked,
        "unscored": unscored,
    }
    return _scattered(responses, rows, "question_reference", cells, value, becomes)


def _scattered(
    table: pd.DataFrame,
    rows: str,
    columns: str,
    cells: Cells,
    value: ScoreValue,
    becomes: dict[str, float | None],
) -> pd.DataFrame:
    """The matrix, with the rules in its ``attrs``."""
    references = required_keys if columns == "item_reference" else factorise_columns
    keys = references(table, columns)
    builder = MatrixBuilder(person_keys(table, rows), keys)
    maxima: Maxima = {}
    if value == "points":
        cells, maxima = on_common_scale(cells, keys)
    matrix = builder.numbers(cells.values(value=value, **becomes))
    counts = np.bincount(cells.kinds, minlength=len(CELL_KINDS))
    counts[-1] = matrix.size - counts[:-1].sum()
    notes = {
        **cells.notes,
        "values": {
            kind: value if number is None else ("missing" if np.isnan(number) else number)
            for kind, number in zip(CELL_KINDS, becomes.values(), strict=False)
        },
        "cells": dict(zip(CELL_KINDS, counts.tolist(), strict=True)),
    }
    if maxima:
        notes["rescaled"] = {str(item): list(found) for item, found in maxima.items()}
    return with_attrs(matrix, notes)
