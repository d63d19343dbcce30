"""Whether flags mean what they should, and what to do with flagged answers.

Rapid guesses should be right about as often as chance has it, other answers clearly more often.
Where fast answers are the more accurate ones, as on some high-stakes tests, a threshold flags
ability, not guessing: look at `validity` beside every count of flags.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from lrnanalysis.errors import MeasureError
from lrnanalysis.measures._checks import FloatArray, as_floats, check_fraction, with_attrs
from lrnanalysis.measures.effort.thresholds import Chance, Method, Rule
from lrnanalysis.measures.effort.timed_answers import answers_of
from lrnanalysis.measures.matrices import matrix_values

__all__ = ["effort_moderated", "motivated", "motivation_filter", "validity"]


def validity(
    times: pd.DataFrame,
    method: Method = "nt10",
    *,
    responses: pd.DataFrame | None = None,
    scores: pd.DataFrame | None = None,
    cap: float | None = None,
    chance: Chance | None = None,
    sessions: pd.DataFrame | None = None,
    by: str | None = "item_reference",
) -> pd.DataFrame:
    """Accuracy of rapid and of other answers, against chance.

    Parameters
    ----------
    times, method, responses, scores, cap, chance, sessions
        As for `thresholds`; scores are needed.
    by : {"item_reference", None}, default "item_reference"
        One row an item, or one for all.

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
        If there are no scores, the method is unknown or a column is missing.

    Examples
    --------
    >>> items = pd.DataFrame({
    ...     "session_id": ["s", "t", "u", "v"], "item_reference": "a",
    ...     "time": [2.0, 2.0, 20.0, 30.0], "score": [1.0, 0.0, 1.0, 1.0], "max_score": 1.0,
    ... })
    >>> validity(items, 3, chance=0.5)[["accuracy_flagged", "accuracy_unflagged"]].values.tolist()
    [[0.5, 1.0]]
    """
    if by not in ("item_reference", None):
        raise MeasureError(f"by is {by!r}: it must be 'item_reference' or None")
    answers = answers_of(times, responses, scores, sessions)
    if answers.shares() is None:
        raise MeasureError(
            "there are no scores to compare: keep score and max_score in the items table, or "
            "give scores= with a matrix of times"
        )
    rule = Rule(method, answers.labels, cap=cap, chance=chance)
    cutoffs = rule.all_found(answers)
    limits = as_floats(cutoffs["threshold"])
    n, right = np.zeros((2, len(limits))), np.zeros((2, len(limits)))
    for number, limit in enumerate(limits.tolist()):
        seconds, shares = answers.item(number)
        assert shares is not None
        scored = ~np.isnan(shares) & ~np.isnan(limit)
        for row, kind in enumerate((seconds < limit, seconds >= limit)):
            n[row, number] = np.count_nonzero(kind & scored)
            right[row, number] = shares[kind & scored].sum()
    level = rule.chances
    expected = np.where(n > 0, n * level, 0.0)
    variance = np.where(n > 0, n * level * (1 - level), 0.0)
    index = cutoffs.index
    if by is None:
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
    return with_attrs(result, {str(name): value for name, value in cutoffs.attrs.items()})


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
        Rapid guesses, as `rapid_guesses` makes them of a matrix of times; its rows and columns
        may be in another order and may be more.

    Returns
    -------
    DataFrame
        A copy of `scores`, NaN where an answer was rapid. ``attrs`` counts them.

    Raises
    ------
    MeasureError
        If rows or columns of `scores` are missing from `flags`.

    Examples
    --------
    >>> scores = pd.DataFrame({"a": [1.0, 0.0]})
    >>> effort_moderated(scores, pd.DataFrame({"a": [False, True]}))["a"].tolist()
    [1.0, nan]
    """
    values = matrix_values(scores, what="scores")
    rows = flags.index.get_indexer(scores.index)
    columns = flags.columns.get_indexer(scores.columns)
    for what, place in (("rows", rows), ("columns", columns)):
        lost = int((place < 0).sum())
        if lost:
            raise MeasureError(
                f"flags lacks {lost} of the {len(place)} {what} of scores: build both from the "
                "same sessions"
            )
    rapid = flags.to_numpy(dtype=bool)[np.ix_(rows, columns)]
    answered = rapid & ~np.isnan(values)
    result = pd.DataFrame(
        np.where(rapid, np.nan, values), index=scores.index, columns=scores.columns, copy=False
    )
    notes = {str(name): value for name, value in scores.attrs.items()}
    notes["rapid_guesses"] = f"set to missing: {int(answered.sum())} cells"
    return with_attrs(result, notes)


def motivated(rte: pd.Series, minimum: float = 0.9) -> pd.Series:
    """Whether each session's response time effort reaches a minimum.

    Parameters
    ----------
    rte : Series
        Response time effort by session, as `response_time_effort` gives it.
    minimum : float, default 0.9
        Lowest effort that passes. With fewer than 10 timed answers .90 lets no rapid one pass.

    Returns
    -------
    Series of bool
        ``motivated``, with the index of `rte`; False where the effort is unknown.

    Raises
    ------
    MeasureError
        If `minimum` is out of range.

    Examples
    --------
    >>> motivated(pd.Series([0.95, 0.8, None])).tolist()
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


def motivation_filter(frame: pd.DataFrame, rte: pd.Series, minimum: float = 0.9) -> pd.DataFrame:
    """The rows of sessions whose response time effort reaches a minimum.

    Filtering is fair only where effort does not go with ability, else it changes who is
    described: compare both before (Wise, S. L., & DeMars, C. E. (2005). Low examinee effort in
    low-stakes assessment. Educational Assessment, 10(1), 1-17).

    Parameters
    ----------
    frame : DataFrame
        Any table with ``session_id``, or a matrix whose index holds the sessions.
    rte : Series
        Response time effort by session.
    minimum : float, default 0.9
        Lowest effort that stays.

    Returns
    -------
    DataFrame
        A copy of the rows that stay, in their order. Sessions whose effort is unknown or that
        `rte` does not hold go. ``attrs`` counts them.

    Raises
    ------
    MeasureError
        If `minimum` is out of range.

    Examples
    --------
    >>> frame = pd.DataFrame({"session_id": ["s", "t"]})
    >>> rte = pd.Series([0.95, 0.8], index=["s", "t"])
    >>> motivation_filter(frame, rte)["session_id"].tolist()
    ['s']
    """
    passed = motivated(rte, minimum)
    ids = frame["session_id"] if "session_id" in frame.columns else frame.index.to_series()
    stays = ids.isin(passed.index[passed]).to_numpy(dtype=bool)
    notes = {str(name): value for name, value in frame.attrs.items()}
    notes["motivation_filter"] = (
        f"{passed.attrs['rule']}: {int(stays.sum())} of {len(stays)} rows stay"
    )
    return with_attrs(frame[stays].copy(), notes)


def _ratio(part: FloatArray, whole: FloatArray) -> FloatArray:
    """Part over whole; NaN where the whole is not above 0."""
    ratio = np.full(np.shape(whole), np.nan)
    np.divide(part, whole, out=ratio, where=whole > 0)
    return ratio
