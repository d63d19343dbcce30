"""Every discrimination index by name, for all items at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy import stats

from lrnanalysis.measures._checks import FloatArray
from lrnanalysis.measures.classical._data import Scored, divide

__all__ = [
    "PersonScores",
    "biserial_factor",
    "correlations_from",
    "efficiency",
    "person_scores",
    "share_correlations",
    "upper_lower",
]

#: Shares of points closer than this are equal: their differences are rounding errors.
_NO_SPREAD = 1e-12


@dataclass(frozen=True, eq=False)
class PersonScores:
    """What a person has of what the administered items offered.

    Attributes
    ----------
    points, possible : array, shape (persons,)
        Sum of scores and of highest possible scores over the items that the person has [points].
    total : array, shape (persons,)
        Their quotient times the test's highest score [points]; the plain sum on complete rows;
        NaN for a person without an item.
    """

    points: FloatArray
    possible: FloatArray
    total: FloatArray

    def rest(self, scored: Scored, highest: FloatArray, item: int) -> FloatArray:
        """Share of the points on the other items, per person; NaN without another item."""
        points = self.points - scored.filled[item]
        if scored.present is None:
            left = float(self.possible[0] - highest[item])
            return points / left if len(highest) > 1 else np.full_like(points, np.nan)
        possible = self.possible - np.where(scored.present[item], highest[item], 0.0)
        return divide(points, np.where(possible > _NO_SPREAD * self.possible, possible, 0.0))


def person_scores(scored: Scored, highest: FloatArray) -> PersonScores:
    """Points, possible points and total of every person."""
    points = scored.filled.sum(axis=0)
    full = float(highest.sum())
    if scored.present is None:
        return PersonScores(points, np.full_like(points, full), points)
    possible = np.zeros_like(points)
    for has, most in zip(scored.present, highest, strict=True):
        possible[has] += most
    return PersonScores(points, possible, divide(points * full, possible))


def correlations_from(covariance: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Item–total and corrected item–rest correlations from the covariances of the items.

    Returns
    -------
    (array, array), each of shape (items,)
        NaN for constant items, and for all where a covariance is NaN.
    """
    variances = np.diag(covariance)
    with_total = covariance.sum(axis=1)
    total = covariance.sum()
    rest = total - 2 * with_total + variances
    # A rest without variance would leave rounding error of either sign.
    rest = np.where(rest > 1e-12 * max(float(np.nan_to_num(total)), 0.0), rest, 0.0)
    return (
        divide(with_total, np.sqrt(variances * max(float(total), 0.0))),
        divide(with_total - variances, np.sqrt(variances * rest)),
    )


def share_correlations(
    scored: Scored, highest: FloatArray, persons: PersonScores
) -> tuple[FloatArray, FloatArray]:
    """Item–total and item–rest correlations with each person's share of the points they had.

    For rows with planned gaps, where some items never meet: shares stay comparable between
    forms as far as the forms are equally hard.
    """
    share = divide(persons.points, persons.possible)
    pairs = [
        (
            _correlation(scored, item, share),
            _correlation(scored, item, persons.rest(scored, highest, item)),
        )
        for item in range(len(scored.items))
    ]
    with_total, with_rest = np.array(pairs).T
    return with_total, with_rest


def _correlation(scored: Scored, item: int, criterion: FloatArray) -> float:
    values = scored.values[item]
    both = ~(np.isnan(values) | np.isnan(criterion))
    x, y = values[both], criterion[both]
    if len(x) < 2 or np.ptp(x) == 0 or np.ptp(y) < _NO_SPREAD:
        return np.nan
    return float(np.corrcoef(x, y)[0, 1])


def biserial_factor(scored: Scored) -> FloatArray:
    """What turns an item's Pearson correlation into its biserial or polyserial one.

    sd(x) / Σ φ(z_k) (x_{k+1} − x_k), where z_k cuts the normal distribution as the scores cut the
    persons: √(pq)/φ(z) for two scores, and otherwise the polyserial correlation's ad hoc
    estimator.
    """
    return np.array([_factor(*counts) for counts in _value_counts(scored)])


def _value_counts(scored: Scored) -> Iterator[tuple[FloatArray, FloatArray]]:
    """Distinct scores of each item, ascending, and their persons."""
    for item in range(len(scored.items)):
        values = scored.values[item]
        if scored.two_valued[item]:
            low, high = scored.low[item], scored.high[item]
            above = np.count_nonzero(values == high)
            yield np.array([low, high]), np.array([scored.counts[item] - above, above])
        else:
            kept = values if scored.present is None else values[scored.present[item]]
            scores, counts = np.unique(kept, return_counts=True)
            yield scores, counts.astype(np.float64)


def _factor(scores: FloatArray, counts: FloatArray) -> float:
    if len(scores) < 2:
        return np.nan
    shares = counts / counts.sum()
    mean = shares @ scores
    spread = np.sqrt(shares @ (scores - mean) ** 2)
    heights = stats.norm.pdf(stats.norm.ppf(np.cumsum(shares)[:-1]))
    return float(spread / (heights @ np.diff(scores)))


def upper_lower(scored: Scored, highest: FloatArray, total: FloatArray, share: float) -> FloatArray:
    """Mean score of the best `share` of the persons less that of the weakest, over the maximum.

    Persons tied at the edge of a group count with the weight that makes the group exactly
    `share` of the persons, so that the order of the rows never matters.
    """
    tails = np.stack([_tail(total, share), _tail(-total, share)])
    sums, weights = np.zeros((2, 2, len(highest)))
    for part in scored.parts():
        sums += tails[:, part] @ scored.filled[:, part].T
        if scored.present is not None:
            weights += tails[:, part] @ scored.present[:, part].T
    if scored.present is None:
        weights += tails.sum(axis=1, keepdims=True)
    means = divide(sums, weights)
    difference: FloatArray = (means[0] - means[1]) / highest
    return difference


def _tail(total: FloatArray, share: float) -> FloatArray:
    """Weight of each person in the group of the `share` with the highest totals."""
    known = ~np.isnan(total)
    # Rounded so that equal totals stay equal whatever the order in which they were summed.
    levels, group = np.unique(np.round(-total[known], 9), return_inverse=True)
    counts = np.bincount(group, minlength=len(levels)).astype(np.float64)
    before = np.cumsum(counts) - counts
    wanted = share * counts.sum()
    weights = np.zeros_like(total)
    weights[known] = np.clip((wanted - before) / counts, 0.0, 1.0)[group]
    return weights


def efficiency(scored: Scored, highest: FloatArray, persons: PersonScores) -> FloatArray:
    """Covariance with the rest over the highest that the two distributions allow.

    The highest is reached where the item's scores and the rest scores stand in the same order.
    """
    return np.array(
        [
            _efficiency(scored.values[item], persons.rest(scored, highest, item), *distribution)
            for item, distribution in enumerate(_value_counts(scored))
        ]
    )


def _efficiency(x: FloatArray, rest: FloatArray, scores: FloatArray, counts: FloatArray) -> float:
    known = ~(np.isnan(x) | np.isnan(rest))
    if not known.all():
        x, rest = x[known], rest[known]
        if counts.sum() != len(x):  # some persons have this item alone
            scores, with_rest = np.unique(x, return_counts=True)
            counts = with_rest.astype(np.float64)
    if len(scores) < 2:
        return np.nan
    rest = rest - rest.mean()
    ordered = np.sort(rest)
    if ordered[-1] - ordered[0] < _NO_SPREAD:
        return np.nan
    ends = np.cumsum(counts).astype(np.intp)
    sums = np.diff(np.cumsum(ordered)[ends - 1], prepend=0.0)
    return float(np.einsum("i,i", x, rest)) / float(sums @ scores)
