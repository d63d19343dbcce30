"""Whether flags mean what they should, and what to do with flagged answers.

Rapid guesses should be correct about as often as by chance, other answers clearly more often.
Where fast answers are the more accurate ones, as on some high-stakes tests, a threshold flags
ability, not guessing: look at `validity` beside every count of flags.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd

from lrnanalysis.arguments import checked
from lrnanalysis.errors import MeasureError
from lrnanalysis.measures._checks import (
    FloatArray,
    as_floats,
    check_fraction,
    choice,
    matching_cells,
    matrix_values,
    with_attrs,
)
from lrnanalysis.measures._times import time_values
from lrnanalysis.measures.effort.thresholds import (
    Chance,
    Method,
    chance_levels,
    share_values,
    threshold_table,
)

__all__ = ["effort_moderated", "motivation_mask", "validity"]


@checked
def validity(
    times: pd.DataFrame,
    method: Method = "nt10",
    *,
    scores: pd.DataFrame,
    cap: float | None = None,
    chance: Chance | None = None,
    per: Literal["item", "all"] = "item",
) -> pd.DataFrame:
    """Accuracy of rapid and of other answers, against chance.

    Parameters
    ----------
    times, method, cap, chance
        As for `thresholds`.
    scores : DataFrame, persons × items
        Shares of the maximum (0 to 1), with the rows and columns of `times`.
    per : {"item", "all"}, default "item"
        One row per item, or one for all.

    Returns
    -------
    DataFrame
        ``flagged`` and ``unflagged`` (scored timed answers), ``share_flagged``,
        ``accuracy_flagged`` and ``accuracy_unflagged`` (mean share of points), ``chance``,
        ``z_flagged`` and ``z_unflagged`` (accuracy less chance in standard errors under chance;
        flagged ones should be near 0, unflagged ones far above). NaN where there is no answer,
        no threshold or no chance level.

    Raises
    ------
    MeasureError
        The method is unknown, a number is out of range, or scores do not match the times.

    Examples
    --------
    >>> times = pd.DataFrame({"a": [2.0, 2.0, 20.0, 30.0]})
    >>> shares = pd.DataFrame({"a": [1.0, 0.0, 1.0, 1.0]})
    >>> table = validity(times, 3, scores=shares, chance=0.5)
    >>> table[["accuracy_flagged", "accuracy_unflagged"]].values.tolist()
    [[0.5, 1.0]]
    """
    choice("per", per, ("item", "all"))
    seconds, shares = time_values(times), share_values(scores, times)
    found = threshold_table(seconds, shares, times.columns, method, cap=cap, chance=chance)
    limits = as_floats(found["threshold"])
    scored = (seconds > 0) & ~np.isnan(shares) & ~np.isnan(limits)
    rapid = scored & (seconds < limits)
    parts = np.stack([rapid, scored & ~rapid])
    n = parts.sum(axis=1).astype(np.float64)
    right = np.where(parts, shares, 0.0).sum(axis=1)
    level = chance_levels(chance, times.columns)
    expected = np.where(n > 0, n * level, 0.0)
    variance = np.where(n > 0, n * level * (1 - level), 0.0)
    index = found.index
    if per == "all":
        index = pd.Index(["all items"])
        n, right, expected, variance = (
            values.sum(axis=1, keepdims=True) for values in (n, right, expected, variance)
        )
        level = _ratio(expected.sum(axis=0), n.sum(axis=0))
    excess = right - expected
    result = pd.DataFrame(
        {
            "flagged": n[0].astype(np.int64),
            "unflagged": n[1].astype(np.int64),
            "share_flagged": _ratio(n[0], n.sum(axis=0)),
            "accuracy_flagged": _ratio(right[0], n[0]),
            "accuracy_unflagged": _ratio(right[1], n[1]),
            "chance": level,
            "z_flagged": _ratio(excess[0], np.sqrt(variance[0])),
            "z_unflagged": _ratio(excess[1], np.sqrt(variance[1])),
        },
        index=index,
    )
    return with_attrs(result, {str(name): value for name, value in found.attrs.items()})


@checked
def effort_moderated(scores: pd.DataFrame, flags: pd.DataFrame) -> pd.DataFrame:
    """Scores with rapid guesses set to missing.

    For estimation this is effort-moderated scoring: the model of a rapid guess does not depend
    on ability, so that such answers drop out of the likelihood (Wise, S. L., & DeMars, C. E.
    (2006). An application of item response time: the effort-moderated IRT model. Journal of
    Educational Measurement, 43(1), 19-38).

    Parameters
    ----------
    scores : DataFrame
        Persons × items, as `score_matrix` makes it.
    flags : DataFrame of bool
        Rapid guesses, as `rapid_guesses` gives them; rows and columns may be in another order,
        and there may be more of them.

    Returns
    -------
    DataFrame
        A copy of `scores`, NaN where an answer was rapid. ``attrs`` counts them.

    Raises
    ------
    MeasureError
        Rows or columns of `scores` are missing from `flags`, or one is repeated there.

    Examples
    --------
    >>> scores = pd.DataFrame({"a": [1.0, 0.0]})
    >>> effort_moderated(scores, pd.DataFrame({"a": [False, True]}))["a"].tolist()
    [1.0, nan]
    """
    values = matrix_values(scores, what="scores")
    cells = matching_cells(flags, scores.index, scores.columns, what="flags")
    if not all(pd.api.types.is_bool_dtype(dtype) for dtype in cells.dtypes):
        raise MeasureError(
            "flags holds other values than True and False: pass the result of "
            "lrnanalysis.effort.rapid_guesses"
        )
    rapid = cells.to_numpy(dtype=bool)
    answered = rapid & ~np.isnan(values)
    result = pd.DataFrame(
        np.where(rapid, np.nan, values), index=scores.index, columns=scores.columns, copy=False
    )
    notes = {str(name): value for name, value in scores.attrs.items()}
    notes["rapid_guesses"] = f"set to missing: {int(answered.sum())} cells"
    return with_attrs(result, notes)


@checked
def motivation_mask(rte: pd.Series, minimum: float = 0.9) -> pd.Series:
    """Whether each person's response time effort reaches a minimum.

    Filtering is fair only where effort is unrelated to ability, else it changes who is described:
    compare both before (Wise, S. L., & DeMars, C. E. (2005). Low examinee effort in low-stakes
    assessment. Educational Assessment, 10(1), 1-17).

    Parameters
    ----------
    rte : Series
        Response time effort by person, as `response_time_effort` gives it.
    minimum : float, default 0.9
        Lowest effort that passes. With fewer than 10 timed answers .90 lets no rapid one pass.

    Returns
    -------
    Series of bool
        ``motivated``, with the index of `rte`; False where the effort is unknown.

    Raises
    ------
    MeasureError
        `minimum` is out of range.

    Examples
    --------
    >>> motivation_mask(pd.Series([0.95, 0.8, None])).tolist()
    [True, False, False]
    """
    check_fraction("minimum", minimum, ends=True)
    values = as_floats(rte)
    result = pd.Series(values >= minimum, index=rte.index, name="motivated")
    return with_attrs(
        result,
        {
            "rule": f"response time effort of {minimum:g} or more",
            "below": int((values < minimum).sum()),
            "unknown": int(np.isnan(values).sum()),
        },
    )


def _ratio(part: FloatArray, whole: FloatArray) -> FloatArray:
    """Part over whole; NaN where the whole is not above 0."""
    ratio = np.full(np.shape(whole), np.nan)
    np.divide(part, whole, out=ratio, where=whole > 0)
    return ratio
