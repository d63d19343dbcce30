"""Indices of discrimination, for all items at once."""

from __future__ import annotations

import numpy as np
from scipy import stats

from lrnanalysis.measures._checks import FloatArray
from lrnanalysis.measures.classical._covariance_structure import has_variance
from lrnanalysis.measures.classical._item_scores import ItemScores, divide
from lrnanalysis.measures.classical._person_scores import PersonScores

__all__ = [
    "biserial_factor",
    "correlations_from",
    "efficiency",
    "share_correlations",
    "upper_lower",
]

#: Shares of points that differ by less are equal: the difference is rounding error.
_NO_SPREAD = 1e-12


def correlations_from(covariance: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Item–total and corrected item–rest correlations from the covariances of the items.

    Returns
    -------
    (array, array), each of shape (items,)
        NaN for constant items, where total or rest have no variance, and for all where a
        covariance is NaN.
    """
    variances = np.diag(covariance)
    with_total = covariance.sum(axis=1)
    total = covariance.sum()
    rest = total - 2 * with_total + variances
    # Sums without variance would leave rounding error of either sign.
    rest = np.where(has_variance(rest, variances.sum() - variances), rest, 0.0)
    total = total if has_variance(total, variances.sum()) else 0.0
    return (
        divide(with_total, np.sqrt(variances * total)),
        divide(with_total - variances, np.sqrt(variances * rest)),
    )


def share_correlations(persons: PersonScores) -> tuple[FloatArray, FloatArray]:
    """Item–total and item–rest correlations with each person's share of the points they had.

    For planned missing data, where some items have no person in common: shares stay comparable
    between forms as far as the forms are equally difficult.
    """
    pairs = [
        (_correlation(values, persons.share), _correlation(values, persons.rest(item)))
        for item, values in enumerate(persons.scores.values)
    ]
    with_total, with_rest = np.array(pairs).T
    return with_total, with_rest


def _correlation(values: FloatArray, criterion: FloatArray) -> float:
    both = ~(np.isnan(values) | np.isnan(criterion))
    x, y = values[both], criterion[both]
    if len(x) < 2 or np.ptp(x) == 0 or np.ptp(y) < _NO_SPREAD:
        return np.nan
    return float(np.corrcoef(x, y)[0, 1])


def biserial_factor(scores: ItemScores) -> FloatArray:
    """Ratio of an item's biserial or polyserial correlation to its Pearson correlation.

    sd(x) / Σ φ(z_k) (x_{k+1} − x_k), where z_k cut the normal distribution as the scores cut the
    persons: √(pq)/φ(z) for two scores, and otherwise the ad hoc estimator of the polyserial
    correlation.
    """
    return np.array([_factor(values) for values in scores.values])


def _factor(values: FloatArray) -> float:
    scores, counts = np.unique(values[~np.isnan(values)], return_counts=True)
    if len(scores) < 2:
        return np.nan
    shares = counts / counts.sum()
    mean = shares @ scores
    spread = np.sqrt(shares @ (scores - mean) ** 2)
    heights = stats.norm.pdf(stats.norm.ppf(np.cumsum(shares)[:-1]))
    return float(spread / (heights @ np.diff(scores)))


def upper_lower(persons: PersonScores, share: float) -> FloatArray:
    """Mean score of the upper `share` of the persons minus that of the lower, over the maximum.

    Persons tied at the edge of a group count with the weight that makes the group exactly
    `share` of the persons, so that the order of the rows does not matter.
    """
    tails = np.stack([_tail(persons.share, share), _tail(-persons.share, share)])
    means = divide(tails @ persons.scores.filled.T, tails @ persons.scores.present.T)
    difference: FloatArray = (means[0] - means[1]) / persons.highest
    return difference


def _tail(reached: FloatArray, share: float) -> FloatArray:
    """Weight of each person in the group of the `share` who reached the most."""
    known = ~np.isnan(reached)
    # Rounded so that equal totals stay equal in whatever order, and units, they were summed.
    levels, group = np.unique(np.round(-reached[known], 12), return_inverse=True)
    counts = np.bincount(group, minlength=len(levels)).astype(np.float64)
    before = np.cumsum(counts) - counts
    wanted = share * counts.sum()
    weights = np.zeros_like(reached)
    weights[known] = np.clip((wanted - before) / counts, 0.0, 1.0)[group]
    return weights


def efficiency(persons: PersonScores) -> FloatArray:
    """Covariance with the rest score over the highest that the two distributions allow.

    The highest is reached where the item's scores and the rest scores have the same order.
    """
    return np.array(
        [_efficiency(x, persons.rest(item)) for item, x in enumerate(persons.scores.values)]
    )


def _efficiency(x: FloatArray, rest: FloatArray) -> float:
    known = ~(np.isnan(x) | np.isnan(rest))
    x, rest = x[known], rest[known]
    if len(x) < 2 or np.ptp(x) == 0 or np.ptp(rest) < _NO_SPREAD:
        return np.nan
    rest = rest - rest.mean()
    return float(x @ rest) / float(np.sort(x) @ np.sort(rest))
