"""Distractors: who chooses which option, and how that changes with the score."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from lrnanalysis.arguments import checked
from lrnanalysis.errors import MeasureError
from lrnanalysis.measures._checks import FloatArray, check_fraction, with_attrs
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


@checked
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
        Decoded choices. A row without an option is a person who saw the item and chose none.
    scores : DataFrame, persons × items, optional
        Scores [points], NaN where not administered: a person with a score on the item has seen it.
        Persons and items have the labels that they have in `choices`. Without scores only shares
        are computed.
    key : mapping or Series of item → option or options, optional
        Correct options. A part is named by a tuple of item and parts; the entry of an item alone
        applies to all its parts without an entry.
    max_score : float, mapping or Series of item → float, optional
        Highest possible score [points]; by default the highest that occurs on the item.
    by : {"option", "pattern"}, default "option"
        Count every option, or the whole answer to questions that accept several.
    groups : int, default 3
        Number of score groups of equal size for the columns ``share_1`` (lowest) onwards; persons
        of equal score stay together.
    person, item, option : str
        Columns of `choices`; by default ``session_id``, ``item_reference`` and ``choice``.
    part : sequence of str, optional
        Further columns that tell apart the questions or slots of an item. By default
        ``question_reference`` where an item has several questions, and ``slot`` (the gap or stem)
        where there are any, with 0 for questions without one.

    Returns
    -------
    DataFrame
        Index: item, parts, and ``option`` ("(none)" for persons who chose none). Columns: ``key``
        whether the option is correct (missing where the key has no entry); ``n`` persons who chose
        it, ``n_seen`` persons who saw the item, ``share`` = n / n_seen. With `scores` also
        ``option_rest_r``, the correlation of choosing it with the share of points on the other
        items; ``key_rest_r``, the highest such correlation among the correct options of the item;
        ``mean_rest`` and ``mean_score``, the mean share of points of those who chose it, on the
        other items and on this one (which shows the key where none is given); ``share_1`` … the
        share in each score group.

    Raises
    ------
    MeasureError
        If columns are missing, no person of `choices` is in `scores`, or the key has no entry
        for any item.

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
    persons = None if scores is None else _person_scores(scores, max_score, groups)
    chosen = read_choices(
        choices, persons, person=person, item=item, part=part, option=option, by=by
    )
    correct = read_key(key, chosen, by)
    n = np.bincount(chosen.option, minlength=len(chosen.label))
    seen = chosen.seen.sum(axis=1)[chosen.unit]
    columns: dict[str, object] = {
        "key": correct.array,
        "n": n,
        "n_seen": seen,
        "share": divide(n, seen),
    }
    if persons is not None:
        columns |= _by_score(chosen, persons, correct)
        in_group, seen_in_group = _group_counts(chosen, persons.groups(groups), groups)
        shares = divide(in_group, seen_in_group[chosen.unit])
        columns |= {f"share_{number + 1}": shares[:, number] for number in range(groups)}
    return with_attrs(
        pd.DataFrame(columns, index=_index(chosen)),
        {
            "measure": "distractors",
            "by": by,
            "part": list(chosen.units.names[1:]),
            "key": "none given" if key is None else "given",
            "rest": "none: no scores given"
            if scores is None
            else "share of points on the other items",
            "choices_left_out": chosen.dropped,
        },
    )


@checked
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
    """Share of the persons who choose each option, by score group: points of a trace line.

    Parameters
    ----------
    choices, scores, max_score, by, person, item, part, option
        As for `distractors`.
    groups : int, default 5
        Number of score groups of equal size; persons of equal score stay together, so that a
        short test may have fewer.
    confidence : float, default 0.95
        Level of Wilson's intervals.

    Returns
    -------
    DataFrame
        Index: item, parts, ``option`` and ``group`` (1 is the lowest). Columns: ``score`` mean
        share of all points among the persons of the group who saw the item; ``n_seen`` these
        persons; ``n`` those who chose the option; ``share``, ``low`` and ``high``. Groups in which
        nobody saw the item are left out.

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
    persons = _person_scores(scores, max_score, groups)
    chosen = read_choices(
        choices, persons, person=person, item=item, part=part, option=option, by=by
    )
    group = persons.groups(groups)
    in_group, seen_in_group = _group_counts(chosen, group, groups)
    totals = chosen.seen @ (_members(group, groups) * np.nan_to_num(persons.share)[:, None])
    n, seen = in_group.ravel(), seen_in_group[chosen.unit].ravel()
    share = divide(n, seen)
    low, high = wilson_interval(np.nan_to_num(share), seen, confidence)
    table = pd.DataFrame(
        {
            "score": divide(totals[chosen.unit].ravel(), seen),
            "n_seen": seen.astype(np.int64),
            "n": n.astype(np.int64),
            "share": share,
            "low": low,
            "high": high,
        },
        index=_index(chosen, groups),
    )
    return with_attrs(
        table[seen > 0],
        {
            "measure": "trace_lines",
            "by": by,
            "part": list(chosen.units.names[1:]),
            "groups": "by total score, persons of equal score together",
            "confidence": confidence,
            "choices_left_out": chosen.dropped,
        },
    )


def _person_scores(scores: pd.DataFrame, max_score: MaxScore, groups: int) -> PersonScores:
    if groups < 2:
        raise MeasureError(f"groups is {groups}: at least 2 score groups are needed")
    items = read_matrix(scores, what="scores")
    if not items.persons.is_unique:
        raise MeasureError("scores has repeated persons: give every person one row")
    return PersonScores(items, max_scores(items, max_score))


def _by_score(
    chosen: OptionChoices, persons: PersonScores, correct: pd.Series
) -> dict[str, FloatArray]:
    """Discrimination of the options, and mean scores of the persons who chose them."""
    # Units × persons: NaN where a person did not see the unit.
    rest, own = np.full((2, *chosen.seen.shape), np.nan)
    for row, column in enumerate(chosen.column):
        np.copyto(rest[row], persons.rest(int(column)), where=chosen.seen[row])
        if column >= 0:
            own[row] = persons.scores.values[column] / persons.highest[column]
    n, mean_rest = _option_means(chosen, rest)
    known = ~np.isnan(rest)
    number = np.count_nonzero(known, axis=1)
    mean = divide(np.where(known, rest, 0.0).sum(axis=1), number)
    deviations = np.where(known, rest - mean[:, None], 0.0)
    spread = np.sqrt(divide((deviations**2).sum(axis=1), number))
    # A spread of rounding errors is none.
    spread = np.where(np.ptp(deviations, axis=1) < 1e-12, 0.0, spread)[chosen.unit]
    p = divide(n, number[chosen.unit])
    r = divide(p * (mean_rest - mean[chosen.unit]), np.sqrt(p * (1 - p)) * spread)
    of_key = pd.Series(np.where(correct.fillna(False).to_numpy(dtype=bool), r, np.nan))
    return {
        "option_rest_r": r,
        "key_rest_r": of_key.groupby(chosen.unit).transform("max").to_numpy(),
        "mean_rest": mean_rest,
        "mean_score": _option_means(chosen, own)[1],
    }


def _option_means(chosen: OptionChoices, values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Number of persons with a value who chose each option, and their mean.

    Parameters
    ----------
    chosen : OptionChoices
        Who chose what.
    values : array, shape (units, persons)
        Values, NaN where missing.
    """
    of_choice = values[chosen.unit[chosen.option], chosen.person]
    known = ~np.isnan(of_choice)
    option, size = chosen.option[known], len(chosen.label)
    n = np.bincount(option, minlength=size).astype(np.float64)
    return n, divide(np.bincount(option, of_choice[known], size), n)


def _members(group: npt.NDArray[np.intp], groups: int) -> FloatArray:
    """1 in the column of a person's score group, shape (persons, groups)."""
    members: FloatArray = (group[:, None] == np.arange(groups)).astype(np.float64)
    return members


def _group_counts(
    chosen: OptionChoices, group: npt.NDArray[np.intp], groups: int
) -> tuple[FloatArray, FloatArray]:
    """Persons per option and score group, and per unit and score group."""
    known = group[chosen.person] >= 0
    cell = chosen.option[known] * groups + group[chosen.person[known]]
    counts = np.bincount(cell, minlength=len(chosen.label) * groups)
    seen: FloatArray = chosen.seen @ _members(group, groups)
    return counts.reshape(-1, groups).astype(np.float64), seen


def _index(chosen: OptionChoices, groups: int = 0) -> pd.MultiIndex:
    """Unit and option, and with `groups` the score group."""
    rows = np.repeat(np.arange(len(chosen.label)), max(groups, 1))
    units = chosen.units[chosen.unit[rows]]
    levels = [units.get_level_values(at) for at in range(units.nlevels)] + [chosen.label[rows]]
    names = [*units.names, "option"]
    if groups:
        levels.append(pd.Index(np.tile(np.arange(1, groups + 1), len(chosen.label))))
        names.append("group")
    return pd.MultiIndex.from_arrays(levels, names=names)
