"""Standardisation: the difference in item scores between groups of equal total."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import Literal

import numpy as np
import pandas as pd
from scipy import stats

from lrnanalysis.arguments import checked
from lrnanalysis.measures._checks import (
    FloatArray,
    PersonValues,
    check_above,
    check_fraction,
    choice,
)
from lrnanalysis.measures.dif._design import Counts, read_design
from lrnanalysis.measures.dif._report import describe, not_comparable, sizes, text
from lrnanalysis.measures.dif._tests import purified

__all__ = ["standardisation"]

Weights = Literal["focal", "reference", "total"]


@checked
def standardisation(
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
    weights: Weights = "focal",
    threshold: float = 0.10,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Difference between two groups in the share of an item's points, at equal totals.

    Parameters
    ----------
    matrix, group, reference, focal, match, strata, anchor, max_rounds
        As for `mantel_haenszel`; two groups are compared.
    purify : bool
        As for `mantel_haenszel`; an item is flagged by `threshold`.
    weights : "focal", "reference" or "total"
        Whose totals weight the strata; "focal" is the rule of Dorans and Kulick.
    threshold : float
        Size of ``std_p_dif`` from which an item is flagged.
    confidence : float
        Level of the interval.

    Returns
    -------
    DataFrame
        One row per item: ``n_reference``, ``n_focal``; ``std_p_dif``, the weighted mean over the
        strata of the focal less the reference group's mean share of points (an item's points
        count from its lowest to its highest score seen), with standard error ``se`` (given the
        totals) and interval ``low``, ``high``; ``alpha_std`` the odds ratio of the two
        standardised shares and ``d_std`` = −2.35 ln alpha_std, as in difR; ``size`` "negligible"
        below .05, "moderate" from .05 and "large" from .10; ``favours`` the group that does better
        unless negligible; ``flagged``; ``anchor``; ``reason`` why values are missing. Where
        neither group varies at equal totals there is no standard error.

    Raises
    ------
    MeasureError
        As `mantel_haenszel`, and with more than two groups.

    References
    ----------
    Dorans, N. J. & Kulick, E. (1986). doi:10.1111/j.1745-3984.1986.tb00255.x
    Dorans, N. J. & Holland, P. W. (1993). In Differential item functioning, pp. 35–66.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> ability = rng.normal(size=(2000, 1))
    >>> group = pd.Series(np.where(np.arange(2000) % 2, "b", "a"))
    >>> easier = np.zeros((2000, 10))
    >>> easier[group == "b", 0] = -1.0
    >>> scores = pd.DataFrame((ability + easier + rng.logistic(size=(2000, 10)) > 0).astype(int))
    >>> standardisation(scores, group)[["std_p_dif", "se", "size", "favours"]].round(3).head(2)
       std_p_dif     se        size favours
    0     -0.152  0.019       large       a
    1      0.017  0.020  negligible     NaN
    """
    choice("weights", weights, ("focal", "reference", "total"))
    check_fraction("confidence", confidence)
    check_above("threshold", threshold)
    design = read_design(
        matrix,
        group,
        reference=reference,
        focal=focal,
        match=match,
        strata=strata,
        anchor=anchor,
        purify=purify,
        pair=True,
    )
    design, purification = purified(
        design,
        lambda trial: np.abs(_differences(trial.counts(), weights)[0]) >= threshold,
        purify,
        max_rounds,
    )
    counts = design.counts()
    difference, se, alpha = _differences(counts, weights)
    half = float(stats.norm.ppf((1 + confidence) / 2)) * se
    size = np.abs(difference)
    with np.errstate(divide="ignore"):
        d_std = -2.35 * np.log(alpha)
    known = ~np.isnan(size)
    better = np.where(difference > 0, design.names[1], design.names[0])
    reasons = [_reason(one, error, design.names) for one, error in zip(counts, se, strict=True)]
    columns = {
        **sizes(np.array([one.of_groups for one in counts])),
        "std_p_dif": difference,
        "se": se,
        "low": difference - half,
        "high": difference + half,
        "alpha_std": alpha,
        "d_std": d_std,
        "size": text(
            np.select([size < 0.05, size < 0.10], ["negligible", "moderate"], "large"), known
        ),
        "favours": text(better, known & (size >= 0.05)),
        "flagged": (size >= threshold) & ((anchor is None) | ~design.anchor),
    }
    return describe(
        design,
        columns,
        reasons=reasons,
        measure="standardisation",
        purification=purification,
        weights=weights,
        threshold=threshold,
        confidence=confidence,
    )


def _differences(
    counts: list[Counts], weights: Weights
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Standardised difference, its standard error and the odds ratio, one row per item."""
    found = np.array([_difference(one, weights) for one in counts])
    return found[:, 0], found[:, 1], found[:, 2]


def _reason(counts: Counts, se: float, names: tuple[str, ...]) -> str:
    """Why values of an item are missing; empty where none is."""
    reason = not_comparable(counts.of_groups, len(counts.scores), names)
    if not reason and not counts.comparable.any():
        reason = "no value of the matching variable occurs in both groups"
    if not reason and np.isnan(se):
        reason = "no group varies at equal values of the matching variable: no standard error"
    return reason


def _difference(counts: Counts, weights: Weights) -> tuple[float, float, float]:
    use = counts.comparable
    if not use.any() or len(counts.scores) < 2:
        return np.nan, np.nan, np.nan
    shares = (counts.scores - counts.scores[0]) / (counts.scores[-1] - counts.scores[0])
    table = counts.table[:, use]
    n = table.sum(axis=2)
    mean = table @ shares / n
    variance = table @ shares**2 / n - mean**2
    by = {"focal": n[1], "reference": n[0], "total": n.sum(axis=0)}[weights]
    weight = by / by.sum()
    # difR: the odds ratio takes the focal group's weights whatever those of the difference.
    reference, focal = mean @ n[1] / n[1].sum()
    odds = reference * (1 - focal), focal * (1 - reference)
    squared = float(weight**2 @ (variance / n).sum(axis=0))
    return (
        float(weight @ (mean[1] - mean[0])),
        np.sqrt(squared) if squared > 1e-15 else np.nan,
        odds[0] / odds[1] if odds[1] > 0 else (np.inf if odds[0] > 0 else np.nan),
    )
