"""The status of every response: scored, unmarked, attempted or unattempted."""

from __future__ import annotations

import numpy as np
import pandas as pd

from lrnanalysis.arguments import checked
from lrnanalysis.measures._checks import (
    as_floats,
    require_columns,
    with_attrs,
)
from lrnanalysis.measures.matrices import answered_responses, check_unique_key, marked_by_hand

__all__ = ["RESPONSE_STATUSES", "response_status"]

#: Statuses of a response.
RESPONSE_STATUSES = ("scored", "unmarked", "attempted", "unattempted")

_DTYPE = pd.CategoricalDtype(pd.Index(RESPONSE_STATUSES, dtype="str"))
_RULE = (
    "unattempted: not answered; scored: answered, with a score; unmarked: answered, no score, "
    "marked by hand; attempted: answered, no score, though not known to be marked by hand"
)


@checked
def response_status(responses: pd.DataFrame) -> pd.Series:
    """Status of every response: scored, unmarked, attempted or unattempted.

    Exactly one applies. **Unattempted**: not answered (``attempted`` is false; where it is
    missing, nothing was stored), whatever its score. **Scored**: answered, with a score.
    **Unmarked**: answered, without a score, and not marked by a machine (``automarkable`` is
    false): it awaits a marker. **Attempted**: answered and without a score, though it is not
    known to be marked by hand.

    Parameters
    ----------
    responses : DataFrame
        The responses table; ``attempted``, ``score``, ``automarkable`` and what was stored
        (``value``, ``value_type``, ``revision``) are read where they occur.

    Returns
    -------
    Series of category
        ``status``, one value per row, with the frame's index; NA where it is unknown whether the
        response was answered.

    Raises
    ------
    MeasureError
        ``score`` is missing, or it is unknown whether responses were answered.

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
    check_unique_key(responses, "responses")
    answered, known = answered_responses(responses)
    scored = ~np.isnan(as_floats(responses["score"]))
    by_hand = marked_by_hand(responses)
    codes = np.select([~known, ~answered, scored, by_hand], [-1, 3, 0, 1], 2)
    values = pd.Categorical.from_codes(codes, dtype=_DTYPE)
    return with_attrs(pd.Series(values, index=responses.index, name="status"), {"rule": _RULE})
