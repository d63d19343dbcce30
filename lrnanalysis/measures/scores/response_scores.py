"""The status of every response: scored, unmarked, attempted, unscored or unattempted."""

from __future__ import annotations

import numpy as np
import pandas as pd

from lrnanalysis.arguments import checked
from lrnanalysis.measures._checks import (
    as_floats,
    optional_floats,
    require_columns,
    with_attrs,
)
from lrnanalysis.measures.matrices import (
    answered_responses,
    check_unique_key,
    item_responses,
    link_rows,
    marked_by_hand,
)
from lrnanalysis.measures.scores.cell_kinds import is_pending, unexplained_points

__all__ = ["RESPONSE_STATUSES", "response_status"]

#: Statuses of a response.
RESPONSE_STATUSES = ("scored", "unmarked", "attempted", "unscored", "unattempted")

_DTYPE = pd.CategoricalDtype(pd.Index(RESPONSE_STATUSES, dtype="str"))
_RULE = (
    "unattempted: not answered; scored: answered, with a score; without one: unscored where no "
    "mark is due (no max_score), else unmarked where marked by hand, else attempted"
)


@checked
def response_status(
    responses: pd.DataFrame,
    *,
    items: pd.DataFrame | None = None,
    sessions: pd.DataFrame | None = None,
) -> pd.Series:
    """Status of every response: scored, unmarked, attempted, unscored or unattempted.

    Exactly one applies. **Unattempted**: not answered (``attempted`` is false; where it is
    missing, nothing was stored), whatever its score. **Scored**: answered, with a score. An
    answer without a score is **unscored** if no mark is due, as in surveys. A mark is due if the
    response has a ``max_score`` above 0, if its session is Pending Scoring, or if its item has
    points that await a mark (``scoring.max_score_of_unmarked``) and no other response explains
    them. An answer to which a mark is due is **unmarked** if it is not marked by a machine
    (``automarkable`` is false), and **attempted** if that is not known.

    Parameters
    ----------
    responses : DataFrame
        The responses table; ``attempted``, ``score``, ``max_score``, ``automarkable`` and what
        was stored (``value``, ``value_type``, ``revision``, ``presence``) are read where they
        occur. Without ``max_score`` a mark counts as due.
    items : DataFrame, optional
        The items table, for points that await a mark.
    sessions : DataFrame, optional
        The sessions table, for which sessions are Pending Scoring.

    Returns
    -------
    Series of category
        ``status``, one value per row, with the frame's index; NA where it is unknown whether the
        response was answered.

    Raises
    ------
    MeasureError
        ``score`` is missing, it is unknown whether responses were answered, or a row occurs
        twice.

    Examples
    --------
    >>> responses = pd.DataFrame({
    ...     "attempted": [True, True, True, False], "score": [1.0, None, None, 0.0],
    ...     "max_score": [1.0, 4.0, None, 1.0], "automarkable": [True, False, False, True],
    ... })
    >>> response_status(responses).tolist()
    ['scored', 'unmarked', 'unscored', 'unattempted']
    """
    require_columns(responses, "score", table="responses")
    check_unique_key(responses, "responses")
    answered, known = answered_responses(responses)
    scored = ~np.isnan(as_floats(responses["score"]))
    by_hand = marked_by_hand(responses)
    due = np.full(len(responses), "max_score" not in responses.columns)
    due |= optional_floats(responses, "max_score") > 0
    if sessions is not None:
        due |= is_pending(responses, sessions)
    if items is not None:
        check_unique_key(items, "items")
        unexplained = unexplained_points(items, item_responses(items, responses))
        due |= np.append(unexplained, False)[link_rows(items, responses)]
    codes = np.select(
        [~known, ~answered, scored, ~due, by_hand],
        [
            -1,
            *(
                RESPONSE_STATUSES.index(status)
                for status in ("unattempted", "scored", "unscored", "unmarked")
            ),
        ],
        RESPONSE_STATUSES.index("attempted"),
    )
    values = pd.Categorical.from_codes(codes, dtype=_DTYPE)
    return with_attrs(pd.Series(values, index=responses.index, name="status"), {"rule": _RULE})
