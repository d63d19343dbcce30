"""Scores as a persons × items matrix, each kind of cell with the number that was asked for."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
import pandas as pd

from lrnanalysis.measures._checks import FloatArray, choice
from lrnanalysis.measures.completion import ReachRule
from lrnanalysis.measures.matrices import CELL_KINDS, Attempts, Canvas, RowKey, choose_sessions
from lrnanalysis.measures.scores.cell_kinds import Marked, Marking

__all__ = ["ScoreValue", "score_matrix"]

#: What a marked cell holds: its points, or its share of the highest possible points.
ScoreValue = Literal["points", "share"]


def score_matrix(
    items: pd.DataFrame,
    responses: pd.DataFrame | None = None,
    *,
    rows: RowKey = "session_id",
    sessions: pd.DataFrame | None = None,
    attempts: Attempts | None = None,
    keep_discarded: bool = False,
    value: ScoreValue = "points",
    right: float | None = None,
    wrong: float | None = None,
    partial: float | None = None,
    omitted: float | None = 0.0,
    not_reached: float | None = float("nan"),
    unmarked: float | None = float("nan"),
    not_administered: float = float("nan"),
    not_reached_rule: ReachRule = "run",
) -> pd.DataFrame:
    """Item scores as a persons × items matrix.

    Every cell is of one of seven kinds, see `cell_codes`; what each kind becomes is an argument.
    By default right, wrong and partial answers keep their points, an omitted item is 0 (it was
    seen and left), and an item that was not reached, still waits for a mark or was not
    administered is missing. Dichotomise with ``right=1, wrong=0, partial=0``.

    Parameters
    ----------
    items : DataFrame
        The items table.
    responses : DataFrame, optional
        The responses table. Without it the items table cannot tell an item that was looked at
        and left open from a wrong answer, and it counts as wrong.
    rows : {"session_id", "user_id"}, default "session_id"
        What the matrix has rows of.
    sessions : DataFrame, optional
        The sessions table, or a selection: other sessions are left out. Needed for users,
        attempts and discarded sessions unless these columns were merged into `items`.
    attempts : {"first", "last", "best", "all"}, optional
        Which of a user's sessions at an activity are kept; by default all for rows of sessions
        and the first for rows of users.
    keep_discarded : bool, default False
        Whether to keep sessions with the status Discarded. Without a known status nothing can
        be left out; ``attrs`` says so.
    value : {"points", "share"}, default "points"
        What None stands for below: the cell's points, or its share of the highest score.
    right, wrong, partial : float, optional
        Value of such cells; None: as `value` says.
    omitted, not_reached, unmarked : float or None, default 0, NaN, NaN
        Value of such cells; None: as `value` says, whatever score the record gives them.
    not_administered : float, default NaN
        Value of cells without a row or a question.
    not_reached_rule : {"run", "after_first", "no_time"}, default "run"
        Convention of not reached, see `lrnanalysis.measures.completion`.

    Returns
    -------
    DataFrame
        float64; rows in order of appearance, columns in category order, or of appearance where
        ``item_reference`` is text. ``attrs`` holds the rules, what each kind became and how many
        cells there are of each.

    Raises
    ------
    MeasureError
        If a column is missing, two rows fall on one cell, or users are not known.

    Warns
    -----
    UserWarning
        If points are given and no highest score of the item is known.

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
    choice("value", value, get_args(ScoreValue))
    given = (right, wrong, partial, omitted, not_reached, unmarked, not_administered)
    marking = Marking(items, responses, not_reached_rule)
    chosen = choose_sessions(
        items,
        marking.states.grouped,
        sessions=sessions,
        rows=rows,
        attempts=attempts,
        keep_discarded=keep_discarded,
    )
    canvas = Canvas(chosen, marking.keys.labels, np.float64(not_administered))
    counts = np.zeros(len(CELL_KINDS), dtype=np.int64)
    for marked in marking.blocks():
        kept = canvas.kept(marked.block)[1]
        counts += np.bincount(marked.kinds[kept], minlength=len(CELL_KINDS))
        numbers = _numbers(marked, given, value)
        canvas.write(marked.block, marking.codes[marked.block.rows], numbers)
    canvas.finish()
    counts[-1] = canvas.values.size - counts[:-1].sum()
    became = {
        kind: value if number is None else ("missing" if np.isnan(number) else number)
        for kind, number in zip(CELL_KINDS, given, strict=True)
    }
    notes = {
        **chosen.notes,
        **marking.notes,
        "values": became,
        "cells": dict(zip(CELL_KINDS, counts.tolist(), strict=True)),
    }
    return canvas.frame(notes)


def _numbers(marked: Marked, given: tuple[float | None, ...], value: ScoreValue) -> FloatArray:
    """The number that every row of a block becomes."""
    if value == "points":
        numbers = marked.points.copy()
    else:
        numbers = np.full(len(marked.points), np.nan)
        np.divide(marked.points, marked.most, out=numbers, where=marked.most > 0)
    for kind, number in enumerate(given):
        if number is not None:
            np.copyto(numbers, number, where=marked.kinds == kind)
    return numbers
