"""Conditional standard error of measurement: precision of a total score, by score."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from lrnanalysis.arguments import checked
from lrnanalysis.errors import MeasureError
from lrnanalysis.measures._checks import FloatArray, choice, label_text, with_attrs
from lrnanalysis.measures.classical._item_scores import (
    ItemScores,
    MaxScore,
    Strata,
    divide,
    max_scores,
    read_matrix,
    read_strata,
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
    strata: Strata = None,
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
        the compound multinomial error of Lee, in which items that are alike form a stratum. An
        item that is alone in its stratum shows nothing of its own error, and there is no estimate;
        `stratified_alpha` gives the mean error where the item's reliability is known.
        "half-test": Thorndike's standard deviation of the difference between two halves among
        persons with the same total score. The halves must be alike: there is no estimate where
        one is worth more than twice the points of the other.
    agree_with_alpha : bool, default False
        With "binomial": scale the errors so that their mean square is sd² (1 − alpha), as Keats
        proposed, since items that differ in difficulty make the binomial ones too large.
    halves : {"odd-even", "first-last"}, or mapping or Series of item → label
        The halves of "half-test"; by default "odd-even".
    strata : mapping or Series of item → stratum, optional
        Which items are alike, for "binomial". By default those of the same `max_score`; items of
        different ones can be put together, on the scale of shares of their maximum. An item that
        is unlike the others of its stratum spoils the estimate: with an essay of 20 points among
        ten items of 1 it is 9 points where the error is 2.4.

    Returns
    -------
    DataFrame
        Index ``score`` [points]: the totals that occur, ascending. ``n`` persons; ``sem`` [points],
        the root mean square of the persons' errors. Where it is NaN ``attrs["reasons"]`` says why:
        an item is alone in its stratum, the halves are not alike, or "half-test" needs two persons
        with the score.

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
    why = ""
    if method == "binomial":
        stratum, names = read_strata(strata, scores.items, highest)
        errors, why = _multinomial_errors(used, highest, stratum, names)
        if agree_with_alpha and not why:
            errors, why = _agreeing(errors, reliability(matrix, missing="listwise"))
        squares = np.bincount(group, weights=errors) / counts
    else:
        difference = used.values[~second].sum(axis=0) - used.values[second].sum(axis=0)
        centred = difference - (np.bincount(group, weights=difference) / counts)[group]
        squares = divide(np.bincount(group, weights=centred**2), counts - 1)
        points = sorted([float(highest[~second].sum()), float(highest[second].sum())])
        if points[1] > 2 * points[0]:
            squares = np.full_like(squares, np.nan)
            why = (
                f"the halves are worth {points[0]:g} and {points[1]:g} points: pass halves= that "
                "are alike"
            )
        elif counts.min() < 2:
            why = "one person has the score: the half-test method needs two"
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
            "reasons": {"sem": why} if why else {},
        },
    )


def _multinomial_errors(
    scores: ItemScores,
    highest: FloatArray,
    stratum: npt.NDArray[np.intp],
    names: Sequence[Hashable],
) -> tuple[FloatArray, str]:
    """Error variance of each person's total [points²], or NaN and the reason."""
    items = np.bincount(stratum, minlength=len(names))
    if (items == 1).any():
        lone = [int(code) for code in np.flatnonzero(items == 1)]
        listed = ", ".join(
            f"{label_text(scores.items[stratum == code][0])} in {label_text(names[code])}"
            for code in lone
        )
        return np.full(len(scores.persons), np.nan), (
            f"items alone in their stratum ({listed}) show nothing of their own error: pass "
            "strata= that put them with items that are like them, or see stratified_alpha for the "
            "mean error"
        )
    errors = np.zeros(len(scores.persons))
    for code in np.flatnonzero(items):
        own = stratum == code
        shares = scores.values[own] / highest[own, None]
        errors += shares.var(axis=0, ddof=1) * (highest[own] ** 2).sum()
    return errors, ""


def _agreeing(errors: FloatArray, whole: pd.Series) -> tuple[FloatArray, str]:
    """Errors whose mean is sem² of the whole test, or NaN and the reason."""
    if np.isnan(whole["sem"]):
        return np.full_like(errors, np.nan), whole.attrs["reasons"]["sem"]
    if errors.mean() == 0:
        return np.full_like(errors, np.nan), "no person's scores vary: there is nothing to scale"
    return errors * (whole["sem"] ** 2 / errors.mean()), ""
