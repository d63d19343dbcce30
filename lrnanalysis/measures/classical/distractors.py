"""Distractors: who takes which option, and how that changes with the score."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import pandas as pd

from lrnanalysis.errors import MeasureError
from lrnanalysis.measures._checks import BoolArray, FloatArray, check_fraction, with_attrs
from lrnanalysis.measures.classical._choices import Key, OptionChoices, read_choices, read_key
from lrnanalysis.measures.classical._intervals import wilson_interval
from lrnanalysis.measures.classical._item_scores import (
    MaxScore,
    divide,
    max_scores,
    read_matrix,
)
from lrnanalysis.measures.classical._person_scores import PersonScores

__all__ = ["distractors", "trace_lines"]


def distractors(
    choices: pd.DataFrame,
    scores: pd.DataFrame | None = None,
    *,
    key: Key | pd.Series | None = None,
    max_score: MaxScore = None,
    by: Literal["option", "pattern"] = "option",
    groups: int = 3,
    person: str = "session_id",
    item: str = "item_reference",
    part: Sequence[str] | None = None,
    option: str = "choice",
) -> pd.DataFrame:
    """Shares and discrimination of every option of every item.

    Parameters
    ----------
    choices : DataFrame, one row per person, item and option chosen
        Decoded choices. A row without an option stands for a person who saw the item and took
        none.
    scores : DataFrame, persons × items, optional
        Scores [points], NaN where not administered: whoever has one on the item has seen it. Its
        persons and items carry the labels of `choices`. Without it there are shares only.
    key : mapping or Series of item → option or options, optional
        The correct ones. A part is a tuple of item and parts; an item alone stands for all its
        parts that are not named.
    max_score : float, mapping or Series of item → float, optional
        Highest possible score [points]; by default the highest that occurs on the item.
    by : "option" or "pattern"
        Count every option, or the whole answer of questions that take several.
    groups : int
        Score groups of equal size for the columns ``share_1`` (lowest) onwards; persons of equal
        score stay together.
    person, item, option : str
        Columns of `choices`.
    part : sequence of str, optional
        Columns that with `item` identify what is chosen in. By default ``question_reference``
        where an item has several questions, and ``slot`` (the gap or stem) where there are any,
        with 0 for questions without one.

    Returns
    -------
    DataFrame
        Index: item, parts, and ``option`` ("(none)" for persons who took none). Columns: ``key``
        (missing where the key does not say); ``n`` persons who took it and ``n_seen`` who saw the
        item; ``share`` = n / n_seen; with `scores` also ``option_rest_r``, the correlation of
        taking it with the share of points on the other items; ``key_rest_r``, the highest of the
        item's correct options; ``mean_rest`` and ``mean_score``, the mean share of points of
        those who took it, on the other items and on this one, which shows the key where none is
        given; ``share_1`` … the share in each score group.

    Raises
    ------
    MeasureError
        If columns are missing, no person of `choices` is in `scores`, or the key names no item.

    References
    ----------
    Haladyna, T. M. & Rodriguez, M. C. (2013). Developing and validating test items, ch. 18.

    Examples
    --------
    >>> choices = pd.DataFrame({
    ...     "session_id": ["s1", "s2", "s3", "s4"], "item_reference": "item-1",
    ...     "choice": ["0", "1", "1", "1"],
    ... })
    >>> scores = pd.DataFrame(
    ...     {"item-1": [0.0, 1, 1, 1], "item-2": [0.0, 0, 1, 1]},
    ...     index=["s1", "s2", "s3", "s4"],
    ... )
    >>> table = distractors(choices, scores, key={"item-1": "1"})
    >>> table.reset_index()[["option", "key", "n", "share", "option_rest_r"]].round(3)
      option    key  n  share  option_rest_r
    0      0  False  1   0.25         -0.577
    1      1   True  3   0.75          0.577
    """
    persons = None if scores is None else _person_scores(scores, max_score)
    picked = read_choices(
        choices, persons, person=person, item=item, part=part, option=option, by=by
    )
    correct = read_key(key, picked, by)
    seen = picked.seen.sum(axis=1)[picked.unit].astype(np.float64)
    taken = np.bincount(picked.option, minlength=len(picked.label)).astype(np.float64)
    columns: dict[str, object] = {
        "key": correct.array,
        "n": taken.astype(np.int64),
        "n_seen": seen.astype(np.int64),
        "share": divide(taken, seen),
    }
    if persons is not None:
        columns |= _by_score(picked, persons, correct)
        group = persons.groups(_number(groups))
        in_group, of_group = _group_counts(picked, group, groups)
        for number in range(groups):
            columns[f"share_{number + 1}"] = divide(
                in_group[:, number], of_group[picked.unit, number]
            )
    return with_attrs(
        pd.DataFrame(columns, index=_index(picked)),
        {
            "measure": "distractors",
            "by": by,
            "part": list(picked.units.names[1:]),
            "key": "none given" if key is None else "given",
            "rest": "none: no scores given" if scores is None else "share of points on the others",
            "choices_left_out": picked.dropped,
        },
    )


def trace_lines(
    choices: pd.DataFrame,
    scores: pd.DataFrame,
    *,
    max_score: MaxScore = None,
    by: Literal["option", "pattern"] = "option",
    groups: int = 5,
    confidence: float = 0.95,
    person: str = "session_id",
    item: str = "item_reference",
    part: Sequence[str] | None = None,
    option: str = "choice",
) -> pd.DataFrame:
    """Share of the persons who take each option, by score group: the points of a trace line.

    Parameters
    ----------
    choices, scores, max_score, by, person, item, part, option
        As for `distractors`.
    groups : int
        Score groups of equal size; persons of equal score stay together, so that a short test
        has fewer.
    confidence : float
        Level of Wilson's intervals.

    Returns
    -------
    DataFrame
        Index: item, parts, ``option`` and ``group`` (1 the lowest). Columns: ``score`` mean share
        of all points in the group, among those who saw the item; ``n_seen`` persons; ``n`` who
        took the option; ``share``, ``low`` and ``high``. Groups in which nobody saw the item are
        left out.

    Raises
    ------
    MeasureError
        As `distractors`.

    Examples
    --------
    >>> choices = pd.DataFrame({
    ...     "session_id": ["s1", "s2", "s3", "s4"], "item_reference": "item-1",
    ...     "choice": ["0", "1", "1", "1"],
    ... })
    >>> scores = pd.DataFrame(
    ...     {"item-1": [0.0, 1, 1, 1], "item-2": [0.0, 0, 1, 1]},
    ...     index=["s1", "s2", "s3", "s4"],
    ... )
    >>> lines = trace_lines(choices, scores, groups=2).reset_index()
    >>> lines[["option", "group", "score", "n_seen", "share"]]
      option  group  score  n_seen  share
    0      0      1   0.25       2    0.5
    1      0      2   1.00       2    0.0
    2      1      1   0.25       2    0.5
    3      1      2   1.00       2    1.0
    """
    check_fraction("confidence", confidence)
    persons = _person_scores(scores, max_score)
    picked = read_choices(
        choices, persons, person=person, item=item, part=part, option=option, by=by
    )
    group = persons.groups(_number(groups))
    in_group, of_group = _group_counts(picked, group, groups)
    known = group >= 0
    sums = np.stack(
        [
            np.bincount(group[has], weights=persons.share[has], minlength=groups)
            for has in picked.seen & known
        ]
    )
    n, seen = in_group.ravel(), of_group[picked.unit].ravel()
    taken = divide(n, seen)
    low, high = wilson_interval(np.nan_to_num(taken), seen, confidence)
    table = pd.DataFrame(
        {
            "score": divide(sums[picked.unit].ravel(), seen),
            "n_seen": seen.astype(np.int64),
            "n": n.astype(np.int64),
            "share": taken,
            "low": low,
            "high": high,
        },
        index=_index(picked, groups),
    )
    return with_attrs(
        table[seen > 0],
        {
            "measure": "trace_lines",
            "by": by,
            "part": list(picked.units.names[1:]),
            "groups": "by total, persons of equal score together",
            "confidence": confidence,
            "choices_left_out": picked.dropped,
        },
    )


def _person_scores(scores: pd.DataFrame, max_score: MaxScore) -> PersonScores:
    items = read_matrix(scores, what="scores")
    return PersonScores(items, max_scores(items, max_score))


def _by_score(
    picked: OptionChoices, scores: PersonScores, correct: pd.Series
) -> dict[str, FloatArray]:
    """Discrimination of the options and the mean scores of those who took them."""
    size = len(picked.label)
    r, mean_rest, mean_score = (np.full(size, np.nan) for _ in range(3))
    # Options stand by unit: sorted by option, the choices of a unit are one stretch.
    order = np.argsort(picked.option, kind="stable")
    options, persons = picked.option[order], picked.person[order]
    ends = np.searchsorted(picked.unit[options], np.arange(len(picked.units) + 1))
    for unit, column in enumerate(picked.column):
        mine = slice(ends[unit], ends[unit + 1])
        option, person = options[mine], persons[mine]
        rest = scores.rest(int(column))
        known = picked.seen[unit] & ~np.isnan(rest)
        kept = known[person]
        n = np.bincount(option[kept], minlength=size).astype(np.float64)
        sums = np.bincount(option[kept], weights=rest[person[kept]], minlength=size)
        here = picked.unit == unit
        mean_rest[here] = divide(sums, n)[here]
        r[here] = _correlations(n[here], sums[here], rest, known)
        if column >= 0:
            own = scores.scores.filled[column] / scores.highest[column]
            own = np.where(scores.scores.present[column], own, np.nan)
            kept = ~np.isnan(own[person])
            n = np.bincount(option[kept], minlength=size).astype(np.float64)
            sums = np.bincount(option[kept], weights=own[person[kept]], minlength=size)
            mean_score[here] = divide(sums, n)[here]
    of_key = np.where(correct.fillna(False).to_numpy(dtype=bool), r, np.nan)
    best = pd.Series(of_key).groupby(picked.unit).transform("max").to_numpy()
    return {
        "option_rest_r": r,
        "key_rest_r": best,
        "mean_rest": mean_rest,
        "mean_score": mean_score,
    }


def _correlations(
    n: FloatArray, sums: FloatArray, rest: FloatArray, known: BoolArray
) -> FloatArray:
    """Correlation of taking each option with the rest, over the persons who are known."""
    of_all = rest[known]
    persons = len(of_all)
    if persons < 2 or np.ptp(of_all) < 1e-12:
        return np.full(len(n), np.nan)
    p = n / persons
    return divide(sums / persons - p * of_all.mean(), np.sqrt(p * (1 - p)) * of_all.std())


def _group_counts(
    picked: OptionChoices, group: np.ndarray, groups: int
) -> tuple[FloatArray, FloatArray]:
    """Persons per option and group, and per unit and group."""
    known = group[picked.person] >= 0
    flat = picked.option[known] * groups + group[picked.person[known]]
    taken = np.bincount(flat, minlength=len(picked.label) * groups)
    member = np.zeros((len(group), groups))
    inside = group >= 0
    member[inside, group[inside]] = 1.0
    return taken.reshape(-1, groups).astype(np.float64), picked.seen @ member


def _index(picked: OptionChoices, groups: int = 0) -> pd.MultiIndex:
    """Unit and option, and with `groups` the group."""
    units = picked.units[picked.unit]
    levels = [units.get_level_values(at) for at in range(units.nlevels)] + [picked.label]
    names = [*units.names, "option"]
    if groups:
        rows = np.repeat(np.arange(len(picked.label)), groups)
        levels = [level[rows] for level in levels]
        levels.append(pd.Index(np.tile(np.arange(1, groups + 1), len(picked.label))))
        names.append("group")
    return pd.MultiIndex.from_arrays(levels, names=names)


def _number(groups: int) -> int:
    if groups < 2:
        raise MeasureError(f"groups is {groups}: at least 2 score groups are needed")
    return groups
