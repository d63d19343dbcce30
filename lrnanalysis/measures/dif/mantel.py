"""Mantel and Haenszel's test of differential item functioning, also for partial credit."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from lrnanalysis.arguments import checked
from lrnanalysis.measures._checks import FloatArray, PersonValues, check_fraction
from lrnanalysis.measures.classical._item_scores import divide
from lrnanalysis.measures.dif._design import Counts, read_design
from lrnanalysis.measures.dif._exact import lower_log_odds
from lrnanalysis.measures.dif._report import (
    describe,
    groups_without_scores,
    not_comparable,
    sizes,
    text,
)
from lrnanalysis.measures.dif._tests import Adjustment, adjust_p, purified

__all__ = ["mantel_haenszel", "mean_difference"]

#: From log odds ratios to the scale of ETS's delta, on which 4 points are a standard deviation.
_DELTA = -2.35


@checked
def mantel_haenszel(
    matrix: pd.DataFrame,
    group: PersonValues,
    *,
    reference: Hashable | None = None,
    focal: Hashable | None = None,
    match: pd.Series | Sequence[float] | None = None,
    strata: int | None = None,
    anchor: Iterable[Hashable] | None = None,
    purify: bool = False,
    max_rounds: int = 10,
    adjust: Adjustment = "BH",
    level: float = 0.05,
    correct: bool = True,
) -> pd.DataFrame:
    """Test whether persons of equal score but of different groups do equally well on an item.

    Items of two scores get Mantel and Haenszel's test and odds ratio, others Mantel's test for
    ordered scores and the standardised mean difference. The item itself belongs to the score on
    which persons are matched, as it must for a Rasch item without DIF to have an odds ratio
    of 1 (Holland & Thayer), and as in difR.

    Parameters
    ----------
    matrix : DataFrame, persons × items
        Scores [points], NaN where not administered: such persons do not count for the item.
        Totals of incomplete rows are prorated to a whole test and rounded to whole points where
        all scores are whole.
    group : Series, mapping, one-column DataFrame, or sequence in the order of the rows
        Group of each person; the first three are aligned by label. Without a group a person is
        left out. A column of the sessions table will do:
        ``sessions.set_index("session_id")["metadata.language"]``.
    reference, focal : optional
        The groups compared. With `focal` alone, all others are the reference; with neither, the
        first value (in category order, or sorted) is, and more than one focal group is tested at
        once, without effect sizes.
    match : Series or sequence of float, optional
        Another variable to match on instead of the total, such as an ability estimate.
    strata : int, optional
        Match on this number of groups of equal size instead of on every value.
    anchor : iterable of item labels, optional
        Items known to be fair. The total is of them and the item; they are not flagged.
    purify : bool
        Leave flagged items (unadjusted p below `level`) out of the total and repeat until the
        same items are flagged twice, at most `max_rounds` times.
    adjust : "BH", "holm", "bonferroni" or None
        How p values are adjusted for the number of items.
    level : float
        Level of significance, for flags, purification and the ETS classes; intervals are
        1 − level.
    correct : bool
        Continuity correction of the test of items with two scores, as in R's ``mantelhaen.test``.

    Returns
    -------
    DataFrame
        One row per item:

        * ``n_reference``, ``n_focal`` persons; ``chi2``, ``df``, ``p``, ``p_adjusted``;
          ``flagged``: adjusted p below `level`;
        * ``alpha_mh`` common odds ratio, above 1 where the reference group does better, with
          ``alpha_low`` and ``alpha_high``; ``d_dif`` = −2.35 ln alpha_mh on ETS's delta scale,
          negative where the focal group does worse, and its standard error ``d_dif_se``;
        * ``smd`` mean score of the focal group less that of reference persons with the focal
          group's totals [points]; ``smd_sd`` the same in standard deviations of the item;
        * ``ets`` class A (negligible), B or C (large). Two scores: A if D-DIF does not differ
          significantly from 0 or is below 1 in size; C if it is at least 1.5 and significantly
          above 1 (one-sided); B otherwise. More scores: A if the test is not significant or
          smd_sd is at most .17, C above .25, B between. With unadjusted p, as ETS does. An odds
          ratio of 0 or infinity has no standard error: see the notes;
        * ``favours`` the group that does better, where ``ets`` is B or C;
        * ``anchor`` whether the item was in the total; ``reason`` why values are missing.

        Values that the data do not allow are NaN. ``df`` counts the groups that can be compared: of
        three groups, one without the item, the other two are; it is 0 where none can.

    Raises
    ------
    MeasureError
        If groups are not defined or are too small, or an argument is out of range.

    Notes
    -----
    Where the odds ratio is 0 or infinite, because in no stratum both a reference person failed and
    a focal person succeeded or the other way round, D-DIF is infinite too. Its interval and
    whether it is significantly above 1 in size are then by the exact conditional distribution of
    the tables given their margins (Gart; R's ``mantelhaen.test`` with ``exact = TRUE``): it is
    significantly above 1 if the one-sided bound of the odds ratio at `level` lies beyond
    exp(1 / 2.35) = 1.53, or below its inverse. So the class is A where `p` is not significant, C
    where the evidence is strong, and B in between.

    References
    ----------
    Gart, J. J. (1970). doi:10.1093/biomet/57.3.471 (exact interval)
    Mantel, N. & Haenszel, W. (1959). doi:10.1093/jnci/22.4.719
    Mantel, N. (1963). doi:10.1080/01621459.1963.10500879
    Holland, P. W. & Thayer, D. T. (1988). In Test validity, pp. 129–145.
    Phillips, A. & Holland, P. W. (1987). doi:10.2307/2531824 (standard error)
    Zwick, R. (2012). doi:10.1002/j.2333-8504.2012.tb02290.x (ETS classes)
    Zwick, R., Thayer, D. T. & Mazzeo, J. (1997). doi:10.1207/s15324818ame1004_2 (smd)

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> ability = rng.normal(size=(2000, 1))
    >>> group = pd.Series(np.where(np.arange(2000) % 2, "b", "a"))
    >>> easier = np.zeros((2000, 10))
    >>> easier[group == "b", 0] = -1.0
    >>> scores = pd.DataFrame((ability + easier + rng.logistic(size=(2000, 10)) > 0).astype(int))
    >>> mantel_haenszel(scores, group)[["d_dif", "ets", "favours", "flagged"]].round(2).head(2)
       d_dif ets favours  flagged
    0  -1.94   C       a     True
    1   0.19   A     NaN    False
    """
    check_fraction("level", level)
    design = read_design(
        matrix,
        group,
        reference=reference,
        focal=focal,
        match=match,
        strata=strata,
        anchor=anchor,
        purify=purify,
    )
    design, purification = purified(
        design, lambda trial: _tests(trial.counts(), correct)[2] < level, purify, max_rounds
    )
    counts = design.counts()
    chi2, df, p = _tests(counts, correct)
    tested = p if anchor is None else np.where(design.anchor, np.nan, p)
    adjusted = adjust_p(tested, adjust)
    columns: dict[str, object] = {
        **sizes(np.array([one.of_groups for one in counts])),
        "chi2": chi2,
        "df": df.astype(np.int64),
        "p": p,
        "p_adjusted": adjusted,
        "flagged": adjusted < level,
    }
    effects = _effects(counts, p, level, design.names)
    return describe(
        design,
        columns | effects,
        reasons=_reasons(counts, df, effects["alpha_mh"], design.names),
        measure="mantel_haenszel",
        purification=purification,
        adjust=adjust or "none",
        level=level,
        correct=correct,
        ets="two scores: |d_dif| 1 and 1.5 with their tests; more: |smd_sd| .17 and .25",
    )


def _tests(counts: list[Counts], correct: bool) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Chi-square, degrees of freedom and p, one row per item."""
    found = np.array([_mantel(one, correct) for one in counts])
    chi2, df = found.T
    return chi2, df, np.asarray(stats.chi2.sf(chi2, df), dtype=np.float64)


def _mantel(counts: Counts, correct: bool) -> tuple[float, float]:
    """Mantel's statistic: how far the groups' sums of scores are from what the strata expect."""
    if len(counts.scores) < 2:
        return np.nan, 0
    n = counts.persons
    total = n.sum(axis=0)
    use = total > 1
    n, total = n[:, use], total[use]
    # Scores from 0: with two scores 0 and 1, the form that the continuity correction is for.
    scores = counts.scores - counts.scores[0]
    if len(scores) == 2:
        scores = scores / scores[1]
    of_all = counts.table[:, use].sum(axis=0)
    mean = of_all @ scores / total
    variance = of_all @ scores**2 / total - mean**2
    observed = (counts.table[1:, use] @ scores).sum(axis=1)
    difference = observed - n[1:] @ mean
    weight = variance * total / (total - 1)
    shared = (n[1:] * (weight / total)) @ n[1:].T
    covariance = np.diag(n[1:] @ weight) - shared
    # Groups that share no stratum with others, or have nobody, add nothing to the rank.
    df = int(np.linalg.matrix_rank(covariance, tol=1e-9 * max(1.0, covariance.max(initial=0.0))))
    if df == 0:
        return np.nan, 0
    if len(difference) > 1:
        inverse = np.linalg.pinv(covariance, rcond=1e-9, hermitian=True)
        return float(difference @ inverse @ difference), df
    size = abs(float(difference[0]))
    if correct and len(scores) == 2 and size >= 0.5:
        size -= 0.5
    return size**2 / float(covariance[0, 0]), 1


def _effects(
    counts: list[Counts], p: FloatArray, level: float, names: tuple[str, ...]
) -> dict[str, Any]:
    """Effect sizes, their intervals and classes; missing with more than one focal group."""
    k = len(counts)
    odds, se, smd, sd = (np.full(k, np.nan) for _ in range(4))
    two = np.array([len(one.scores) == 2 for one in counts])
    if len(names) == 2:
        for item, one in enumerate(counts):
            smd[item], sd[item] = mean_difference(one)
            if two[item]:
                odds[item], se[item] = _odds_ratio(one)
    with np.errstate(divide="ignore"):
        log_odds = np.log(odds)
    half = float(stats.norm.ppf(1 - level / 2)) * se
    low, high = log_odds - half, log_odds + half
    d_dif, d_se = _DELTA * log_odds, -_DELTA * se
    beyond_one = (np.abs(d_dif) - 1) / d_se > stats.norm.ppf(1 - level)
    for item in np.flatnonzero(np.isinf(log_odds)).tolist():
        bound = _extreme_bound(counts[item], log_odds[item], level / 2)
        low[item], high[item] = np.sort([bound, log_odds[item]])
        one_sided = _extreme_bound(counts[item], log_odds[item], level)
        beyond_one[item] = _DELTA * np.sign(log_odds[item]) * one_sided < -1
    significant = p < level
    standardised = divide(smd, sd)
    size = np.where(two, np.abs(d_dif), np.abs(standardised))
    none = ~significant | np.where(two, size < 1, size <= 0.17)
    large = np.where(two, (size >= 1.5) & beyond_one, size > 0.25)
    known = ~np.isnan(size) & ~np.isnan(p)
    ets = np.where(none, "A", np.where(large, "C", "B"))
    better = np.where(smd > 0, names[1], names[0])
    return {
        "alpha_mh": odds,
        "alpha_low": np.exp(low),
        "alpha_high": np.exp(high),
        "d_dif": d_dif,
        "d_dif_se": d_se,
        "smd": smd,
        "smd_sd": standardised,
        "ets": text(ets, known),
        "favours": text(better, known & ~none),
    }


def _extreme_bound(counts: Counts, log_odds: float, level: float) -> float:
    """The exact bound of an infinite log odds ratio that is nearer to 0."""
    order = [0, 1] if log_odds > 0 else [1, 0]
    strata = counts.table[order][:, counts.comparable]
    return float(np.sign(log_odds)) * lower_log_odds(strata[..., 1], strata[..., 0], level)


def _reasons(
    counts: list[Counts], df: FloatArray, odds: FloatArray, names: tuple[str, ...]
) -> list[str]:
    """Why values of an item are missing; empty where none is for want of data."""
    reasons = []
    for one, tested, ratio in zip(counts, df, odds, strict=True):
        reason = not_comparable(one.of_groups, len(one.scores), names)
        if not reason and tested == 0:
            reason = (
                "the groups cannot be compared: each value of the matching variable has persons of "
                "one group only, or one score"
            )
        if not reason and not np.isnan(ratio) and ratio in (0, np.inf):
            reason = (
                f"the odds ratio is {'infinite' if ratio else '0'}: no standard error; interval "
                "and class are by the exact conditional distribution"
            )
        reasons.append(reason or groups_without_scores(one.of_groups, names))
    return reasons


def _odds_ratio(counts: Counts) -> tuple[float, float]:
    """Common odds ratio, and the standard error of its logarithm."""
    wrong, right = counts.table[..., 0], counts.table[..., 1]
    use = counts.comparable
    a, b, c, d = right[0, use], wrong[0, use], right[1, use], wrong[1, use]
    total = a + b + c + d
    above, below = float((a * d / total).sum()), float((b * c / total).sum())
    if above == 0 and below == 0:
        return np.nan, np.nan
    if above == 0 or below == 0:
        return (0.0 if above == 0 else np.inf), np.nan
    odds = above / below
    terms = (a * d + odds * b * c) * (a + d + odds * (b + c)) / total**2
    return odds, float(np.sqrt(terms.sum() / (2 * above**2)))


def mean_difference(counts: Counts) -> tuple[float, float]:
    """Standardised mean difference and the item's standard deviation, for two groups [points]."""
    use = counts.comparable
    if not use.any() or len(counts.scores) < 2:
        return np.nan, np.nan
    n, sums = counts.persons[:, use], counts.sums[:, use]
    difference = sums / n
    weighted = n[1] @ (difference[1] - difference[0]) / n[1].sum()
    of_all = counts.table.sum(axis=(0, 1))
    mean = of_all @ counts.scores / of_all.sum()
    variance = of_all @ (counts.scores - mean) ** 2 / (of_all.sum() - 1)
    return float(weighted), float(np.sqrt(variance))
