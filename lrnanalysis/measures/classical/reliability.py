"""Reliability of the total score: alpha and related coefficients, split halves, standard error."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, get_args

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
    label_text,
    with_attrs,
)
from lrnanalysis.measures.classical._covariance_structure import (
    best_split,
    cronbach_alpha,
    has_variance,
    one_factor_uniqueness,
    residual_variances,
    spread_of_total,
    total_variance,
)
from lrnanalysis.measures.classical._item_scores import (
    ItemScores,
    MaxScore,
    Missing,
    Strata,
    max_scores,
    read_matrix,
    read_strata,
)
from lrnanalysis.measures.classical._stratified import (
    across_strata,
    strata_of,
    weight_note,
    why_not_stratified,
)

__all__ = [
    "alpha_if_deleted",
    "alphas_without",
    "item_covariances",
    "reliability",
    "split_items",
    "why_no_alpha_without",
    "why_no_total",
]

#: How items are divided into two halves.
Halves = Literal["odd-even", "first-last"] | Mapping[str, object] | pd.Series

#: What lambdas and omega are computed from.
Basis = Literal["correlations", "pairwise correlations", "covariances"]

#: Why a coefficient is undefined where the total varies.
_OTHERWISE = {
    "kr20": "not every item has two scores that lie the same number of points apart",
    "lambda6": "the items' matrix is not positive semi-definite",
    "split_half_r": "a half has no item that varies, or its sum does not vary",
    "split_half": "a half has no item that varies, its sum does not vary, or the halves are "
    "opposites of each other",
    "sem": "alpha is above 1, as pairwise covariances can make it",
}


@checked
def reliability(
    matrix: pd.DataFrame,
    *,
    missing: Missing = "pairwise",
    lambdas: Basis = "correlations",
    halves: Halves = "odd-even",
    confidence: float = 0.95,
    max_score: MaxScore = None,
    strata: Strata = None,
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
    lambdas : {"correlations", "pairwise correlations", "covariances"}, default "correlations"
        What lambda2, lambda4, lambda6 and omega_total are computed from. "correlations": the
        covariances, scaled to a diagonal of 1; the reliability of the sum of standardised items.
        "pairwise correlations" differs from it where scores are missing: both standard deviations
        of a correlation are those of the persons who have the two items. psych scales covariances
        in ``alpha`` and ``splitHalf``, and takes pairwise correlations in ``guttman`` and
        ``omega``. "covariances" gives the reliability of the sum of points.
    halves : {"odd-even", "first-last"}, or mapping or Series of item → label
        The two halves of ``split_half``: by position in the matrix (default "odd-even"), or by
        two labels.
    confidence : float, default 0.95
        Level of the interval of alpha.
    max_score : float, mapping or Series of item → float, optional
        Highest possible score [points], for the default of `strata`; by default the highest that
        occurs on the item.
    strata : mapping or Series of item → stratum, optional
        Items that are alike, for ``stratified_alpha``; by default those of the same `max_score`.

    Returns
    -------
    Series of float64
        * ``n`` persons; with "pairwise" and missing scores the harmonic mean over pairs of items
          (psych's interval counts every row, also empty ones);
        * ``items`` number of items used;
        * ``alpha`` Cronbach's alpha with Feldt's interval ``alpha_low``, ``alpha_high``;
          ``alpha_standardised`` from correlations; ``mean_r`` mean correlation of two items;
        * ``stratified_alpha`` for items of several kinds, see `stratified_alpha`;
        * ``kr20`` Kuder and Richardson's formula 20: alpha of items with two scores, the same
          number of points apart, otherwise missing;
        * ``lambda2``, ``lambda4`` (the best split into halves; see Notes), ``lambda6`` Guttman's
          coefficients;
        * ``omega_total`` McDonald's omega of the one-factor model by minimum residuals, missing
          below three items;
        * ``split_half_r`` correlation of the two halves; ``split_half`` stepped up to the whole
          test by the Spearman–Brown formula, or Horst's where the halves differ in length;
        * ``sd`` of the total and ``sem`` = sd √(1 − alpha), its standard error of measurement
          [points].

        A coefficient that the data do not determine, such as alpha where everybody has the same
        total, is NaN, and ``attrs["reasons"]`` says why, by name.

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

    Alpha is a lower bound of the reliability, and a good one only where the items' true scores
    differ by no more than a constant. Where items differ in weight or format the bound is far too
    low: ten items worth 1 point and an essay worth 20, with a reliability of .89 together, have an
    alpha of .49. ``attrs["note"]`` says where items are worth different points; there, see
    ``stratified_alpha``. `sem` is as much too large as alpha is too low.

    With planned missing data pairwise coefficients are those of a test of all items together,
    which nobody took: for the reliability of a form pass its persons and items.

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
    choice("lambdas", lambdas, get_args(Basis))
    check_fraction("confidence", confidence)
    scores = read_matrix(matrix)
    second = split_items(halves, scores.items)
    highest = max_scores(scores, max_score)
    stratum, names = read_strata(strata, scores.items, highest)
    covariance, n, varying, used = item_covariances(scores, missing)
    spread = np.sqrt(np.diag(covariance))
    correlation = covariance / np.outer(spread, spread)
    k = len(spread)
    total = total_variance(covariance)
    alpha = cronbach_alpha(covariance)
    low, high = _feldt(alpha, n, k, confidence)
    if lambdas == "pairwise correlations":
        basis = used.correlations()
    else:
        basis = correlation if lambdas == "correlations" else covariance
    half_r, split_half = _split_half(covariance, second[varying])
    kinds = strata_of(covariance, stratum[varying], names)
    values = {
        "n": n,
        "items": k,
        "alpha": alpha,
        "alpha_low": low,
        "alpha_high": high,
        "alpha_standardised": cronbach_alpha(correlation),
        "mean_r": (correlation.sum() - k) / (k * (k - 1)),
        "stratified_alpha": across_strata(covariance, kinds),
        "kr20": alpha if _alike_two_valued(used) else np.nan,
        "lambda2": _lambda2(basis),
        "lambda4": best_split(basis),
        "lambda6": 1 - residual_variances(basis).sum() / total_variance(basis),
        "omega_total": _omega(correlation if lambdas == "covariances" else basis, basis),
        "split_half_r": half_r,
        "split_half": split_half,
        "sd": spread_of_total(covariance),
        "sem": np.sqrt(total * (1 - alpha)) if alpha <= 1 else np.nan,
    }
    reasons = {
        name: why_no_total(correlation if name == "alpha_standardised" else covariance)
        for name in values
    }
    reasons |= dict.fromkeys(("lambda2", "lambda4", "lambda6", "omega_total"), why_no_total(basis))
    reasons["stratified_alpha"] = reasons["stratified_alpha"] or why_not_stratified(kinds)
    if k < 3:
        reasons["omega_total"] = "a factor needs three items"
    note = weight_note(highest[varying])
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
            "reasons": {
                name: reasons[name] or _OTHERWISE[name]
                for name, value in values.items()
                if np.isnan(value)
            },
            **({"note": note} if note else {}),
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
        where the total of the others has none, and for all where fewer than three items vary:
        ``attrs["reasons"]`` says which, by item.

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
    covariance, _, varying, _ = item_covariances(scores, missing)
    values = np.full(len(scores.items), np.nan)
    values[varying] = alphas_without(covariance)
    reasons = np.where(varying, why_no_alpha_without(len(covariance)), "the item does not vary")
    return with_attrs(
        pd.Series(values, index=scores.items, name="alpha_if_deleted"),
        {
            "measure": "alpha_if_deleted",
            "missing": "none missing" if scores.complete else missing,
            "items_left_out": [str(item) for item in scores.items[~varying]],
            "reasons": {
                label_text(item): str(why)
                for item, why, value in zip(scores.items, reasons, values, strict=True)
                if np.isnan(value)
            },
        },
    )


def why_no_alpha_without(items: int) -> str:
    """Why an item that varies has no alpha of the others."""
    if items < 3:
        return "fewer than three items vary"
    return "the total of the other items has no variance, or pairs of them have no persons"


def alphas_without(covariance: FloatArray) -> FloatArray:
    """Alpha of all items but one, for each; NaN below three items, or without variance.

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
    total = np.where(has_variance(total, others), total, np.nan)
    result: FloatArray = (k - 1) / (k - 2) * (1 - others / total)
    return result


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


def item_covariances(
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


def why_no_total(matrix: FloatArray) -> str:
    """Why the items' sum has no variance; empty where it has."""
    if np.isnan(matrix).any():
        return "two items do not vary among the persons who have both"
    if not np.isnan(total_variance(matrix)):
        return ""
    if np.isnan(spread_of_total(matrix)):
        return "pairwise covariances contradict each other: the total's variance is below 0"
    return "the total has no variance: everybody has the same"


def _feldt(alpha: float, n: float, k: int, confidence: float) -> tuple[float, float]:
    """Feldt's interval, with the degrees of freedom of psych's ``alpha.ci``."""
    tail = (1 - confidence) / 2
    degrees = (n - 1, (n - 1) * (k - 1))
    high, low = (1 - (1 - alpha) * float(stats.f.ppf(at, *degrees)) for at in (tail, 1 - tail))
    return low, high


def _alike_two_valued(scores: ItemScores) -> bool:
    step = scores.high - scores.low
    return bool(scores.two_valued.all() and np.allclose(step, step[0], atol=0.0))


def _lambda2(matrix: FloatArray) -> float:
    k = len(matrix)
    off = matrix - np.diag(np.diag(matrix))
    return float((off.sum() + np.sqrt(k / (k - 1) * (off**2).sum())) / total_variance(matrix))


def _omega(correlation: FloatArray, basis: FloatArray) -> float:
    total = total_variance(basis)
    if len(correlation) < 3 or np.isnan(total):
        return np.nan
    unique = one_factor_uniqueness(correlation) * np.diag(basis)
    return float(1 - unique.sum() / total)


def _split_half(covariance: FloatArray, second: BoolArray) -> tuple[float, float]:
    """Correlation of the halves, and the reliability of the whole test."""
    first = ~second
    if not (first.any() and second.any()):
        return np.nan, np.nan
    variances = [total_variance(covariance[np.ix_(half, half)]) for half in (first, second)]
    if np.isnan(variances).any():
        return np.nan, np.nan
    r = float(covariance[np.ix_(first, second)].sum() / np.sqrt(variances[0] * variances[1]))
    if r >= 1:
        return r, r
    if not has_variance(1 + r, 1.0):
        return r, np.nan  # opposite halves: the formula goes to minus infinity
    product = float(first.mean() * second.mean())
    # Horst's formula, which is Spearman–Brown's for halves of equal length.
    left = 1 - r * r
    return r, float(r * (np.sqrt(r * r + 4 * product * left) - r) / (2 * product * left))
