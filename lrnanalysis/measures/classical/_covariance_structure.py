"""What is computed from a covariance or correlation matrix of items alone."""

from __future__ import annotations

from itertools import combinations

import numpy as np
from scipy import optimize

from lrnanalysis.measures._checks import FloatArray

__all__ = [
    "best_split",
    "cronbach_alpha",
    "error_variance",
    "has_variance",
    "one_factor_uniqueness",
    "residual_variances",
    "spread_of_total",
    "total_variance",
]

#: A sum of covariances this small beside the variances it is made of is rounding error.
_ROUNDING = 1e-12

#: Up to this many items every split into halves is tried (24,310 of them).
_EXHAUSTIVE = 18
_STARTS = 20

#: Uniquenesses stay above this, as in psych's ``fa``.
_LEAST_UNIQUENESS = 0.005


def has_variance(total: FloatArray | float, of_items: FloatArray | float) -> np.ndarray:
    """Whether variances of sums are more than the rounding error of the sums of their variances.

    Not so where everybody has the same total, nor where pairwise covariances contradict each
    other so that a sum of them is negative.
    """
    return np.asarray(total > _ROUNDING * np.asarray(of_items))


def total_variance(matrix: FloatArray) -> float:
    """Variance of the sum of the items; NaN where it is 0 or below (see `has_variance`)."""
    total = float(matrix.sum())
    return total if has_variance(total, float(np.trace(matrix))) else np.nan


def spread_of_total(matrix: FloatArray) -> float:
    """Standard deviation of the sum of the items; NaN where pairwise covariances are negative."""
    total, of_items = float(matrix.sum()), float(np.trace(matrix))
    if has_variance(total, of_items):
        return float(np.sqrt(total))
    return np.nan if has_variance(-total, of_items) else 0.0


def cronbach_alpha(matrix: FloatArray) -> float:
    """Alpha from covariances or correlations; NaN for one item, or a total without variance."""
    k = len(matrix)
    if k < 2:
        return np.nan
    return float(k / (k - 1) * (1 - np.trace(matrix) / total_variance(matrix)))


def error_variance(matrix: FloatArray) -> float:
    """σ² (1 − alpha) of the sum of the items, defined also where σ² is 0; NaN for one item."""
    k = len(matrix)
    if k < 2:
        return np.nan
    total = float(matrix.sum())
    return total - k / (k - 1) * (total - float(np.trace(matrix)))


def residual_variances(matrix: FloatArray) -> FloatArray:
    """Variance of each item that the regression on all others leaves.

    NaN for all where the matrix is not positive semi-definite, as pairwise covariances can be,
    or has gaps.
    """
    if np.isnan(matrix).any():
        return np.full(len(matrix), np.nan)
    values = np.asarray(np.linalg.eigvalsh(matrix), dtype=np.float64)
    if values[0] < -1e-10 * values[-1]:
        return np.full(len(matrix), np.nan)
    if values[0] > 1e-10 * values[-1]:
        return np.asarray(1 / np.diag(np.linalg.inv(matrix)), dtype=np.float64)
    # Items that determine each other: the regressions one by one, which allow for it.
    left = np.empty(len(matrix))
    for item in range(len(matrix)):
        others = np.delete(np.arange(len(matrix)), item)
        with_item = matrix[others, item]
        weights = np.linalg.lstsq(matrix[np.ix_(others, others)], with_item, rcond=1e-10)[0]
        left[item] = max(matrix[item, item] - float(weights @ with_item), 0.0)
    return left


def one_factor_uniqueness(correlation: FloatArray) -> FloatArray:
    """Uniquenesses of the one-factor model by minimum residuals.

    Minimises the squared residuals off the diagonal, as psych's ``fa(fm = "minres")`` does.
    """

    def loss(loadings: FloatArray) -> tuple[float, FloatArray]:
        residual = correlation - np.outer(loadings, loadings)
        np.fill_diagonal(residual, 0.0)
        return 0.5 * float((residual**2).sum()), -2.0 * residual @ loadings

    values, vectors = np.linalg.eigh(correlation)
    start = vectors[:, -1] * np.sqrt(max(values[-1] - 1.0, 0.1))
    largest = np.sqrt(1 - _LEAST_UNIQUENESS)
    found = optimize.minimize(
        loss,
        np.clip(start, -largest, largest),
        jac=True,
        method="L-BFGS-B",
        bounds=[(-largest, largest)] * len(start),
        options={"ftol": 1e-16, "gtol": 1e-10, "maxiter": 2000},
    )
    uniqueness: FloatArray = 1 - found.x**2
    return uniqueness


def best_split(matrix: FloatArray) -> float:
    """Largest split-half coefficient 4 cov(A, B) / var(A + B) over halves of equal size.

    With an odd number of items one half has one item more. Every split is tried up to 18 items;
    beyond, the best of 20 searches by exchanging pairs of items, whose result is a lower bound.
    NaN where the total has no variance.
    """
    total = total_variance(matrix)
    if np.isnan(total):
        return np.nan
    # An order that does not depend on the columns' order, so that neither does the search; an
    # item of no variance makes an odd number even.
    order = np.argsort(matrix.sum(axis=1), kind="stable")
    size = len(matrix) + len(matrix) % 2
    even = np.zeros((size, size))
    even[: len(matrix), : len(matrix)] = matrix[np.ix_(order, order)]
    smallest = _least_difference(even) if len(matrix) <= _EXHAUSTIVE else _search(even)
    return 1 - smallest / total


def _least_difference(matrix: FloatArray) -> float:
    """Smallest variance of the difference of two halves, over all halves."""
    size = len(matrix)
    # The last item stays in the second half: a split and its mirror image are one.
    first = np.array(list(combinations(range(size - 1), size // 2)), dtype=np.intp)
    signs = -np.ones((len(first), size))
    np.put_along_axis(signs, first, 1.0, axis=1)
    return float(np.einsum("ij,ij->i", signs @ matrix, signs).min())


def _search(matrix: FloatArray) -> float:
    """Smallest variance of the difference of two halves that exchanges of pairs reach."""
    size = len(matrix)
    diagonal = np.diag(matrix)
    exchange = 4 * (diagonal[:, None] + diagonal[None, :] - 2 * matrix)
    random = np.random.default_rng(0)
    alternating = np.where(np.arange(size) % 2 == 0, 1.0, -1.0)
    best = np.inf
    for start in range(_STARTS):
        signs = alternating.copy() if start == 0 else random.permutation(alternating)
        while True:
            pull = matrix @ signs
            first, second = np.flatnonzero(signs > 0), np.flatnonzero(signs < 0)
            change = exchange[np.ix_(first, second)]
            change = change - 4 * pull[first][:, None] + 4 * pull[second][None, :]
            place = int(change.argmin())
            if change.flat[place] >= -1e-12 * diagonal.sum():
                break
            i, j = divmod(place, len(second))
            signs[first[i]], signs[second[j]] = -1.0, 1.0
        best = min(best, float(signs @ pull))
    return best
