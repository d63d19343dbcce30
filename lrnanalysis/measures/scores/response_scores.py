"""Scores a response: where each stands, and the persons × questions matrix."""

from __future__ import annotations

import numpy as np
import pandas as pd

from lrnanalysis.errors import MeasureError
from lrnanalysis.measures._checks import as_floats, flags, require_columns, with_attrs
from lrnanalysis.measures.matrices import (
    Attempts,
    Canvas,
    RowKey,
    answered_responses,
    choose_sessions,
    column_keys,
    session_rows,
)

__all__ = ["RESPONSE_STATUSES", "response_score_matrix", "response_status"]

#: Where a response can stand.
RESPONSE_STATUSES = ("scored", "unmarked", "attempted", "unattempted")

_DTYPE = pd.CategoricalDtype(pd.Index(RESPONSE_STATUSES, dtype="str"))
_RULE = (
    "unattempted: not answered; scored: answered, with a score; unmarked: answered, no score, "
    "marked by hand; attempted: answered, no score, though not known to be marked by hand"
)


def response_status(responses: pd.DataFrame) -> pd.Series:
    """Where every response stands: scored, unmarked, attempted or unattempted.

    Exactly one applies. **Unattempted**: not answered (``attempted`` is false; where it is
    missing, nothing was stored), whatever its score. **Scored**: answered, with a score.
    **Unmarked**: answered, without a score, and not marked by a machine (``automarkable`` is
    false): it waits for a marker. **Attempted**: answered and without a score, though nothing
    says that a person must mark it.

    Parameters
    ----------
    responses : DataFrame
        The responses table; ``attempted``, ``score``, ``automarkable`` and what was stored
        (``value``, ``value_type``, ``revision``) are read where they are there.

    Returns
    -------
    Series of category
        ``status``, one value a row, with the frame's index; NA where nothing tells whether the
        response was answered.

    Raises
    ------
    MeasureError
        If ``score`` is missing, or nothing tells whether a response was answered.

    Examples
    --------
    >>> responses = pd.DataFrame({
    ...     "attempted": [True, True, False], "score": [1.0, None, 0.0],
    ...     "automarkable": [True, False, True],
    ... })
    >>> response_status(responses).tolist()
    ['scored', 'unmarked', 'unattempted']
    """
    require_columns(responses, "score", table="responses")
    answered, known = answered_responses(responses)
    scored = ~np.isnan(as_floats(responses["score"]))
    by_hand = np.zeros(len(responses), dtype=bool)
    if "automarkable" in responses.columns:
        automarkable, automarkable_known = flags(responses["automarkable"])
        by_hand = automarkable_known & ~automarkable
    codes = np.select([~known, ~answered, scored, by_hand], [-1, 3, 0, 1], 2)
    values = pd.Categorical.from_codes(codes, dtype=_DTYPE)
    return with_attrs(pd.Series(values, index=responses.index, name="status"), {"rule": _RULE})


def response_score_matrix(
    responses: pd.DataFrame,
    *,
    rows: RowKey = "session_id",
    sessions: pd.DataFrame | None = None,
    attempts: Attempts | None = None,
    keep_discarded: bool = False,
    unattempted: float | None = 0.0,
    unmarked: float = float("nan"),
) -> pd.DataFrame:
    """Response scores as a persons × questions matrix, for items that hold several questions.

    Parameters
    ----------
    responses : DataFrame
        The responses table; ``session_id``, ``question_reference``, ``score`` and what tells
        whether it was answered are read.
    rows, sessions, attempts, keep_discarded
        As for `score_matrix`.
    unattempted : float or None, default 0
        Value of unanswered questions; None keeps the record's score. Responses carry no order,
        so omitted and not reached cannot be told apart here.
    unmarked : float, default NaN
        Value of answered questions without a score.

    Returns
    -------
    DataFrame
        float64 points; NaN where a question was not administered. Rows in order of appearance,
        columns in category order, or of appearance where ``question_reference`` is text.

    Raises
    ------
    MeasureError
        If a column is missing, no response has a ``question_reference``, or two responses of a
        session have the same.

    Examples
    --------
    >>> responses = pd.DataFrame({
    ...     "session_id": "s", "question_reference": ["q1", "q2"], "attempted": [True, False],
    ...     "score": [1.0, None],
    ... })
    >>> response_score_matrix(responses).values.tolist()
    [[1.0, 0.0]]
    """
    require_columns(responses, "session_id", "question_reference", "score", table="responses")
    keys = column_keys(responses, "question_reference", missing=True)
    if len(responses) and not len(keys.labels):
        raise MeasureError(
            "no response has a question_reference: use the items' score_matrix, the record does "
            "not name its questions"
        )
    grouped = session_rows(responses, shown=False, table="responses")
    chosen = choose_sessions(
        responses,
        grouped,
        sessions=sessions,
        rows=rows,
        attempts=attempts,
        keep_discarded=keep_discarded,
    )
    answered, known = answered_responses(responses)
    score = as_floats(responses["score"])
    # Where nothing tells, a response with a score counts as answered.
    done = np.where(known, answered, ~np.isnan(score))
    values = np.where(done & np.isnan(score), unmarked, score)
    if unattempted is not None:
        values[~done] = unattempted
    canvas = Canvas(chosen, keys.labels, np.float64(np.nan))
    values, codes = grouped.grouped(values), grouped.grouped(keys.codes)
    for block in grouped.blocks():
        canvas.write(block, codes[block.rows], values[block.rows])
    notes = {
        **chosen.notes,
        "score": "responses.score",
        "values": {
            "unattempted": "score" if unattempted is None else unattempted,
            "unmarked": "missing" if np.isnan(unmarked) else unmarked,
        },
        "responses_without_question_reference": int((keys.codes < 0).sum()),
    }
    return canvas.frame(notes)
