"""Conditional standard error of measurement: precision of a total score, by score."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd

from lrnanalysis.arguments import checked
from lrnanalysis.errors import MeasureError
from lrnanalysis.measures._checks import FloatArray, choice, with_attrs
from lrnanalysis.measures.classical._item_scores import (
    ItemScores,
    MaxScore,
    divide,
    max_scores,
    read_matrix,
)
from lrnanalysis.measures.classical.reliability import Halves, reliability, split_items

__all__ = ["conditional_sem"]


@checked
def conditional_sem(
    matrix: pd.DataFrame,
    max_score: MaxScore = None,
    *,
    method: Literal["binomial", "half-test"] = "binomial",
    agree_with_alpha: bool = False,
    halves: Halves = "odd-even",
) -> pd.DataFrame:
    """Standard error of measurement of the total, per total score.

    Persons with a missing score are left out, and counted in ``attrs``.

    Parameters
    ----------
    matrix : DataFrame, persons × items
        Scores [points], NaN where missing.
    max_score : float, mapping or Series of item → float, optional
        Highest possible score [points]; by default the highest that occurs on the item.
    method : {"binomial", "half-test"}, default "binomial"
        "binomial": Lord's √(x(K − x)/(K − 1)) for items scored 0 or 1, and for partial credit
        the compound multinomial error of Lee, in which items with the same highest score form a
        stratum. Items that are alone in theirs form one stratum together, on the scale of shares;
        a single one joins the stratum with the nearest highest score.
        "half-test": Thorndike's standard deviation of the difference between two halves among
        persons with the same total score.
    agree_with_alpha : bool, default False
        With "binomial": scale the errors so that their mean square is sd² (1 − alpha), as Keats
        proposed, since items that differ in difficulty make the binomial ones too large.
    halves : {"odd-even", "first-last"}, or mapping or Series of item → label
        The halves of "half-test"; by default "odd-even".

    Returns
    -------
    DataFrame
        Index ``score`` [points]: the totals that occur, ascending. ``n`` persons; ``sem`` [points],
        the root mean square of the persons' errors, missing where `method` needs two persons and
        there is only one.

    Raises
    ------
    MeasureError
        If nobody has every item, there are fewer than two items, or an argument is out of range.

    References
    ----------
    Lord, F. M. (1957). doi:10.1177/001316445701700407
    Keats, J. A. (1957). doi:10.1007/BF02289207
    Thorndike, R. L. (1951). Reliability. In Educational measurement, p. 594.
    Lee, W.-C. (2007). doi:10.1177/0146621606294206

    Examples
    --------
    >>> matrix = pd.DataFrame(
    ...     [[0, 0, 0, 0], [1, 0, 0, 0], [1, 1, 0, 0], [0, 1, 1, 0], [1, 1, 1, 1]],
    ...     columns=["a", "b", "c", "d"],
    ... )
    >>> conditional_sem(matrix).reset_index().round(3)
       score  n    sem
    0    0.0  1  0.000
    1    1.0  1  1.000
    2    2.0  2  1.155
    3    4.0  1  0.000
    """
    choice("method", method, ("binomial", "half-test"))
    if agree_with_alpha and method != "binomial":
        raise MeasureError('agree_with_alpha requires method="binomial"')
    scores = read_matrix(matrix)
    highest = max_scores(scores, max_score)
    second = split_items(halves, scores.items)
    used = scores.listwise()
    persons = len(used.persons)
    if persons == 0 or len(scores.items) < 2:
        raise MeasureError(
            f"{persons} persons have all of {len(scores.items)} items: at least one person and "
            "two items are needed; pass the columns of one form"
        )
    total = np.round(used.values.sum(axis=0), 9)
    levels, group = np.unique(total, return_inverse=True)
    counts = np.bincount(group).astype(np.float64)
    if method == "binomial":
        errors = _multinomial_errors(used, highest)
        if agree_with_alpha:
            errors *= reliability(matrix, missing="listwise")["sem"] ** 2 / errors.mean()
        squares = np.bincount(group, weights=errors) / counts
    else:
        difference = used.values[~second].sum(axis=0) - used.values[second].sum(axis=0)
        centred = difference - (np.bincount(group, weights=difference) / counts)[group]
        squares = divide(np.bincount(group, weights=centred**2), counts - 1)
    table = pd.DataFrame(
        {"n": counts.astype(np.int64), "sem": np.sqrt(squares)},
        index=pd.Index(levels, name="score"),
    )
    return with_attrs(
        table,
        {
            "measure": "conditional_sem",
            "method": method,
            "agree_with_alpha": agree_with_alpha,
            "persons_left_out": len(scores.persons) - persons,
            "max_score": "highest that occurs" if max_score is None else "given",
        },
    )


def _multinomial_errors(scores: ItemScores, highest: FloatArray) -> FloatArray:
    """Error variance of each person's total [points²]."""
    errors = np.zeros(len(scores.persons))
    for stratum in _strata(highest):
        shares = scores.values[stratum] / highest[stratum, None]
        within = shares.var(axis=0, ddof=1)
        errors += within * (highest[stratum] ** 2).sum()
    return errors


def _strata(highest: FloatArray) -> list[np.ndarray]:
    """Items by highest score; those alone in theirs together, a single one with the nearest."""
    levels = np.unique(highest)
    groups = {level: np.flatnonzero(highest == level) for level in levels}
    lone = [level for level in levels if len(groups[level]) == 1]
    strata = [groups[level] for level in levels if level not in lone]
    if len(lone) == 1:
        nearest = int(np.argmin([abs(highest[items[0]] - lone[0]) for items in strata]))
        strata[nearest] = np.concatenate([strata[nearest], groups[lone[0]]])
    elif lone:
        strata.append(np.concatenate([groups[level] for level in lone]))
    return strata
