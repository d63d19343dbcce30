"""Reliability of the total score: alpha and related coefficients, split halves, standard error."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np
import pandas as pd
from scipy import stats

from lrnanalysis.arguments import checked
from lrnanalysis.errors import MeasureError, shown
from lrnanalysis.measures._checks import (
    BoolArray,
    FloatArray,
    check_fraction,
    choice,
    item_values,
    with_attrs,
)
from lrnanalysis.measures.classical._covariance_structure import (
    best_split,
    one_factor_uniqueness,
    residual_variances,
)
from lrnanalysis.measures.classical._item_scores import (
    ItemScores,
    Missing,
    divide,
    read_matrix,
)

__all__ = ["alpha_if_deleted", "alphas_without", "reliability", "split_items"]

#: How items are divided into two halves.
Halves = Literal["odd-even", "first-last"] | Mapping[str, object] | pd.Series


@checked
def reliability(
    matrix: pd.DataFrame,
    *,
    missing: Missing = "pairwise",
    lambdas: Literal["correlations", "covariances"] = "correlations",
    halves: Halves = "odd-even",
    confidence: float = 0.95,
) -> pd.Series:
    """Reliability of the sum of the items, for dichotomous and partial-credit scores.

    Items without variance are left out, as in psych, and named in ``attrs``.

    Parameters
    ----------
    matrix : DataFrame, persons × items
        Scores [points], NaN where missing.
    missing : {"pairwise", "listwise"}, default "pairwise"
        Covariances over the persons who have both items, as in psych, or only persons who have
        every item.
    lambdas : {"correlations", "covariances"}, default "correlations"
        What lambda2, lambda4, lambda6 and omega_total are computed from. "correlations" is what
        psych's ``guttman``, ``splitHalf``, ``alpha`` and ``omega`` print, the reliability of the
        sum of standardised items; "covariances" gives that of the sum of points.
    halves : {"odd-even", "first-last"}, or mapping or Series of item → label
        The two halves of ``split_half``: by position in the matrix (default "odd-even"), or by
        two labels.
    confidence : float, default 0.95
        Level of the interval of alpha.

    Returns
    -------
    Series of float64
        * ``n`` persons; with "pairwise" and missing scores the harmonic mean over pairs of items;
        * ``items`` number of items used;
        * ``alpha`` Cronbach's alpha with Feldt's interval ``alpha_low``, ``alpha_high``;
          ``alpha_standardised`` from correlations; ``mean_r`` mean correlation of two items;
        * ``kr20`` Kuder and Richardson's formula 20: alpha of items with two scores one point
          apart, otherwise missing;
        * ``lambda2``, ``lambda4`` (the best split into halves; see Notes), ``lambda6`` Guttman's
          coefficients;
        * ``omega_total`` McDonald's omega of the one-factor model by minimum residuals, missing
          below three items;
        * ``split_half_r`` correlation of the two halves; ``split_half`` stepped up to the whole
          test by the Spearman–Brown formula, or Horst's where the halves differ in length;
        * ``sd`` of the total and ``sem`` = sd √(1 − alpha), its standard error of measurement
          [points].

    Raises
    ------
    MeasureError
        If fewer than two items vary, fewer than two persons remain, or two items have no persons
        in common: such forms are analysed one by one, or with `lrnanalysis.irt`.

    Notes
    -----
    lambda4 takes the best of many splits and is biased upwards in small samples. Up to 18 items
    every split into equal halves is tried; beyond, the best of 20 searches is a lower bound.
    With pairwise covariances lambda6 is missing where they are not positive semi-definite.

    References
    ----------
    Cronbach, L. J. (1951). doi:10.1007/BF02310555
    Feldt, L. S., Woodruff, D. J. & Salih, F. A. (1987). doi:10.1177/014662168701100107
    Guttman, L. (1945). doi:10.1007/BF02288892
    McDonald, R. P. (1999). Test theory: a unified treatment, ch. 6.
    Horst, P. (1951). Educational and Psychological Measurement, 11, 368–371.

    Examples
    --------
    >>> matrix = pd.DataFrame(
    ...     {"a": [0, 0, 1, 1, 1], "b": [0, 1, 0, 1, 1], "c": [0, 0, 1, 1, 0], "d": [0, 1, 1, 2, 2]}
    ... )
    >>> reliability(matrix)[["n", "items", "alpha", "alpha_low", "alpha_high", "sem"]].round(3)
    n             5.000
    items         4.000
    alpha         0.757
    alpha_low    -0.002
    alpha_high    0.972
    sem           0.949
    dtype: float64
    """
    choice("missing", missing, ("pairwise", "listwise"))
    choice("lambdas", lambdas, ("correlations", "covariances"))
    check_fraction("confidence", confidence)
    scores = read_matrix(matrix)
    second = split_items(halves, scores.items)
    covariance, n, varying, used = _covariance(scores, missing)
    spread = np.sqrt(np.diag(covariance))
    correlation = covariance / np.outer(spread, spread)
    k = len(spread)
    total = float(covariance.sum())
    alpha = _alpha(covariance)
    low, high = _feldt(alpha, n, k, confidence)
    basis = correlation if lambdas == "correlations" else covariance
    half_r, split_half = _split_half(covariance, second[varying])
    values = {
        "n": n,
        "items": k,
        "alpha": alpha,
        "alpha_low": low,
        "alpha_high": high,
        "alpha_standardised": _alpha(correlation),
        "mean_r": (correlation.sum() - k) / (k * (k - 1)),
        "kr20": alpha if _zero_one(used) else np.nan,
        "lambda2": _lambda2(basis),
        "lambda4": best_split(basis),
        "lambda6": 1 - residual_variances(basis).sum() / basis.sum(),
        "omega_total": _omega(correlation, basis),
        "split_half_r": half_r,
        "split_half": split_half,
        "sd": np.sqrt(total) if total >= 0 else np.nan,
        "sem": np.sqrt(total * (1 - alpha)) if total >= 0 else np.nan,
    }
    return with_attrs(
        pd.Series(values, dtype="float64"),
        {
            "measure": "reliability",
            "missing": "none missing" if scores.complete else missing,
            "persons_left_out": len(scores.persons) - len(used.persons),
            "items_left_out": [str(item) for item in scores.items[~varying]],
            "lambdas": lambdas,
            "halves": halves if isinstance(halves, str) else "given",
            "confidence": confidence,
        },
    )


@checked
def alpha_if_deleted(matrix: pd.DataFrame, *, missing: Missing = "pairwise") -> pd.Series:
    """Cronbach's alpha of the other items, for every item.

    Parameters
    ----------
    matrix : DataFrame, persons × items
        Scores [points], NaN where missing.
    missing : "pairwise" or "listwise"
        As for `reliability`.

    Returns
    -------
    Series of float64
        One value per item; missing for an item without variance, which is left out everywhere,
        and for all where fewer than three items vary.

    Raises
    ------
    MeasureError
        As `reliability`.

    Examples
    --------
    >>> matrix = pd.DataFrame(
    ...     {"a": [0, 0, 1, 1, 1], "b": [0, 1, 0, 1, 1], "c": [0, 0, 1, 1, 0], "d": [0, 1, 1, 2, 2]}
    ... )
    >>> alpha_if_deleted(matrix).round(3)
    a    0.614
    b    0.778
    c    0.804
    d    0.462
    Name: alpha_if_deleted, dtype: float64
    """
    choice("missing", missing, ("pairwise", "listwise"))
    scores = read_matrix(matrix)
    covariance, _, varying, _ = _covariance(scores, missing)
    values = np.full(len(scores.items), np.nan)
    values[varying] = alphas_without(covariance)
    return with_attrs(
        pd.Series(values, index=scores.items, name="alpha_if_deleted"),
        {
            "measure": "alpha_if_deleted",
            "missing": "none missing" if scores.complete else missing,
            "items_left_out": [str(item) for item in scores.items[~varying]],
        },
    )


def alphas_without(covariance: FloatArray) -> FloatArray:
    """Alpha of all items but one, for each; NaN below three items.

    Examples
    --------
    >>> alphas_without(np.full((3, 3), 0.5) + 0.5 * np.eye(3)).round(4).tolist()
    [0.6667, 0.6667, 0.6667]
    """
    k = len(covariance)
    if k < 3:
        return np.full(k, np.nan)
    variances = np.diag(covariance)
    others = variances.sum() - variances
    total = covariance.sum() - 2 * covariance.sum(axis=1) + variances
    return (k - 1) / (k - 2) * (1 - divide(others, total))


def split_items(halves: Halves, items: pd.Index) -> BoolArray:
    """Whether each item is in the second half.

    Raises
    ------
    MeasureError
        If labels do not cover the items, or there are not two of them.
    """
    second: BoolArray
    if isinstance(halves, str):
        choice("halves", halves, ("odd-even", "first-last"))
        position = np.arange(len(items))
        second = position % 2 == 1 if halves == "odd-even" else position >= (len(items) + 1) // 2
        return second
    codes, names = pd.factorize(item_values(halves, items, what="halves"))
    if len(names) != 2:
        raise MeasureError(f"halves has {len(names)} labels: two are needed, one per half")
    second = np.asarray(codes) == 1
    return second


def _covariance(
    scores: ItemScores, missing: Missing
) -> tuple[FloatArray, float, BoolArray, ItemScores]:
    """Covariances of the items that vary, number of persons, which items, and their scores."""
    if missing == "listwise":
        all_persons, scores = len(scores.persons), scores.listwise()
        if len(scores.persons) < 2:
            raise MeasureError(
                f"{len(scores.persons)} of {all_persons} persons have every item: two are needed; "
                'use missing="pairwise", or the columns of one form'
            )
    varying = ~scores.constant
    if varying.sum() < 2:
        raise MeasureError(
            f"{int(varying.sum())} of {len(varying)} items vary between persons: reliability "
            "needs at least two"
        )
    used = scores.take(varying)
    covariance, persons = used.covariances()
    apart = np.argwhere(np.triu(persons < 2, 1))
    pairs = persons[np.triu_indices(len(persons), 1)]
    if len(apart):
        first, second = used.items[apart[0]]
        raise MeasureError(
            f"{len(apart)} of {len(pairs)} pairs of items have fewer than two persons in common "
            f"(such as {shown(first)} and {shown(second)}): analyse the columns of one form at a "
            "time, or "
            "use an item response model"
        )
    return covariance, float(len(pairs) / (1 / pairs).sum()), varying, used


def _alpha(matrix: FloatArray) -> float:
    k = len(matrix)
    return float(k / (k - 1) * (1 - np.trace(matrix) / matrix.sum()))


def _feldt(alpha: float, n: float, k: int, confidence: float) -> tuple[float, float]:
    """Feldt's interval, with the degrees of freedom of psych's ``alpha.ci``."""
    tail = (1 - confidence) / 2
    degrees = (n - 1, (n - 1) * (k - 1))
    high, low = (1 - (1 - alpha) * float(stats.f.ppf(at, *degrees)) for at in (tail, 1 - tail))
    return low, high


def _zero_one(scores: ItemScores) -> bool:
    return bool(scores.two_valued.all() and np.allclose(scores.high - scores.low, 1.0))


def _lambda2(matrix: FloatArray) -> float:
    k = len(matrix)
    off = matrix - np.diag(np.diag(matrix))
    return float((off.sum() + np.sqrt(k / (k - 1) * (off**2).sum())) / matrix.sum())


def _omega(correlation: FloatArray, basis: FloatArray) -> float:
    if len(correlation) < 3:
        return np.nan
    unique = one_factor_uniqueness(correlation) * np.diag(basis)
    return float(1 - unique.sum() / basis.sum())


def _split_half(covariance: FloatArray, second: BoolArray) -> tuple[float, float]:
    """Correlation of the halves, and the reliability of the whole test."""
    first = ~second
    if not (first.any() and second.any()):
        return np.nan, np.nan
    variances = [covariance[np.ix_(half, half)].sum() for half in (first, second)]
    if min(variances) <= 0:
        return np.nan, np.nan
    r = float(covariance[np.ix_(first, second)].sum() / np.sqrt(variances[0] * variances[1]))
    if abs(r) >= 1:
        return r, r
    product = float(first.mean() * second.mean())
    # Horst's formula, which is Spearman–Brown's for halves of equal length.
    left = 1 - r * r
    return r, float(r * (np.sqrt(r * r + 4 * product * left) - r) / (2 * product * left))
