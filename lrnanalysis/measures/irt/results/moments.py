"""First and second moments of scores under a model, and residuals from them made independent.

M2 and C2 are quadratic forms of the residuals of moments: of single items (mean scores, or the
shares of every score), and of pairs (mean products). The covariance of k (k − 1) / 2 mean products
does not fit into memory for some hundred items, but its form is known. Given ability, products
covary only through an item that they share:

    Cov(X_i X_j, X_i X_l | θ) = V_i E_j E_l,    Var(X_i X_j | θ) = V_i V_j + V_i E_j² + V_j E_i²,

E and V the mean and variance of an item's score. Integrated over ability it is a diagonal plus, for
every item, a smooth positive matrix of low rank, plus the covariance of the means given ability,
which has low rank too. Only the factors are kept, most of them 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy import linalg, sparse

from lrnanalysis.errors import MeasureError
from lrnanalysis.measures._checks import FloatArray, IntArray
from lrnanalysis.measures.irt.estimation.constraints import Constraints
from lrnanalysis.measures.irt.results.estimates import Estimates, score_moments

__all__ = ["Residuals", "Sample", "residuals"]

#: Most memory that the moments of one sample may take [bytes].
_MOST_MEMORY = 4 * 2**30

#: Rank of the factor of one item, about: curves of ability are smooth.
_RANK = 20

#: Share of a variance that is added to it, so that what follows from the rest can be inverted.
_RIDGE = 1e-12


@dataclass(frozen=True, eq=False)
class Sample:
    """Persons of one group who answered the same items.

    Attributes
    ----------
    group : int
        The group.
    items : array of int, shape (items,)
        The items.
    persons : float
        Persons, by weight.
    counts : array, shape (items, scores)
        Persons by score of every item; the lowest, 0, is not counted.
    products : array, shape (items, items)
        Sums of the products of scores.
    """

    group: int
    items: IntArray
    persons: float
    counts: FloatArray
    products: FloatArray


class Residuals(NamedTuple):
    """Residuals of a sample's moments, and how the estimates change the expected ones.

    Attributes
    ----------
    rows : array, shape (rows, 1 + free parameters)
        The residuals, then the derivatives, both in units in which the residuals of a true model
        at its true parameters are independent with variance 1. Rotated, so that there are no more
        rows than columns.
    moments : int
        Number of moments.
    correlations : array
        Differences of the correlations of pairs from the expected; NaN with an item of which
        everybody has the same score.
    """

    rows: FloatArray
    moments: int
    correlations: FloatArray


def residuals(
    estimates: Estimates,
    sample: Sample,
    constraints: Constraints,
    free: FloatArray,
    *,
    every_score: bool,
) -> Residuals:
    """Residuals of the moments of a sample.

    Parameters
    ----------
    estimates : Estimates
        The model.
    sample : Sample
        The persons.
    constraints, free : Constraints, array
        What was estimated.
    every_score : bool
        Take the shares of all scores of single items, not their means.

    Raises
    ------
    MeasureError
        If it would take too much memory.
    """
    layout, items, group = estimates.layout, sample.items, sample.group
    x, weights = estimates.grid.points, np.exp(estimates.grid.log_weights)
    k, steps = len(items), layout.steps[items]
    singles = int(steps.sum()) if every_score else k
    pairs = k * (k - 1) // 2
    _check_memory(k, pairs, singles + len(free) + 1)
    vector = estimates.group_parameters[group]
    curves = layout.probabilities(vector, x)[items]
    mean, variance = score_moments(curves)
    item = np.repeat(np.arange(k), steps)
    score = np.concatenate([np.arange(1, m + 1) for m in steps])
    chances = curves[item, score]
    shares = chances @ weights
    products = (mean * weights) @ mean.T
    # Scores to means, or as they are.
    collapse = np.where(item == np.arange(k)[:, None], score, 0.0)
    if every_score:
        collapse = np.eye(len(item))
    by_single, by_pair = _derivatives(estimates, sample, mean, item, score)
    jacobian = constraints.jacobian(free, group)[_parameters(estimates, items)]
    pair = np.triu_indices(k, 1)
    n = sample.persons
    of_singles = np.column_stack(
        [sample.counts[item, score] / n - shares, by_single @ jacobian],
    )
    of_pairs = np.column_stack([(sample.products / n - products)[pair], by_pair @ jacobian])
    structure = _PairCovariance(mean, variance, weights)
    shared = structure.with_scores(chances, shares, item, score) @ collapse.T
    same = item == item[:, None]
    covariance = np.where(same, np.diag(shares), (chances * weights) @ chances.T)
    covariance -= np.outer(shares, shares)
    covariance = collapse @ covariance @ collapse.T
    # Pairs first, then of the singles what does not follow from the pairs.
    both = structure.whitened(np.column_stack([shared, of_pairs]))
    known, rows = both[:, :singles], both[:, singles:]
    left = covariance - known.T @ known
    left[np.diag_indices(singles)] += _RIDGE * np.trace(covariance) / singles
    root = linalg.cholesky(left, lower=True)
    rest = linalg.solve_triangular(root, collapse @ of_singles - known.T @ rows, lower=True)
    rows = np.concatenate([rows, rest])
    (turned,) = linalg.qr(rows, mode="r", overwrite_a=True, check_finite=False)
    second = np.einsum("iq,q->i", variance + mean**2, weights)
    expected = _correlations(mean @ weights, second, products)
    own = np.arange(sample.counts.shape[1], dtype=np.float64)
    seen = _correlations(sample.counts @ own / n, np.diag(sample.products) / n, sample.products / n)
    return Residuals(np.sqrt(n) * turned[: rows.shape[1]], singles + pairs, (seen - expected)[pair])


def _check_memory(k: int, pairs: int, columns: int) -> None:
    """Columns of all pairs, some at a time, and the system of the items' factors."""
    needed = 8 * (7 * pairs * columns + 3 * (_RANK * k) ** 2)
    if needed > _MOST_MEMORY:
        raise MeasureError(
            f"the moments of {k} items need about {needed / 2**30:.1f} GB of memory, more than "
            f"{_MOST_MEMORY / 2**30:.0f} GB: fit fewer items, or use item_fit"
        )


def _parameters(estimates: Estimates, items: IntArray) -> IntArray:
    """Places of the items' parameters in the vector of all."""
    layout = estimates.layout
    return np.concatenate(
        [layout.starts[item] + np.arange(layout.sizes[item]) for item in items.tolist()]
    )


def _derivatives(
    estimates: Estimates, sample: Sample, mean: FloatArray, item: IntArray, score: IntArray
) -> tuple[FloatArray, sparse.csr_array]:
    """Of the shares of single scores, and of the mean products, by the items' parameters."""
    layout, x = estimates.layout, estimates.grid.points
    weights, vector = np.exp(estimates.grid.log_weights), estimates.group_parameters[sample.group]
    shares = np.zeros((layout.total, int(layout.steps.max()) + 1))
    expected = np.zeros((layout.total, len(x)))
    for block in layout.blocks:
        p = vector[block.at]
        change = block.model.slopes(p, x) * block.model.probabilities(p, x)[:, None]
        shares[block.at, : block.model.steps + 1] = change @ weights
        expected[block.at] = np.einsum("ipkq,k->ipq", change, np.arange(block.model.steps + 1.0))
    places = _parameters(estimates, sample.items)
    k = len(mean)
    own = np.repeat(np.arange(k), layout.sizes[sample.items])
    by_single = np.where(own == item[:, None], shares[places][:, score].T, 0.0)
    crossed = (expected[places] * weights) @ mean.T
    parameter, other = np.nonzero(own[:, None] != np.arange(k))
    at = _pair_numbers(k)[own[parameter], other]
    by_pair = sparse.csr_array(
        (crossed[parameter, other], (at, parameter)), shape=(k * (k - 1) // 2, len(places))
    )
    return by_single, by_pair


def _pair_numbers(k: int) -> IntArray:
    """Number of every pair of items, either way round; 0 on the diagonal."""
    found = np.zeros((k, k), dtype=np.intp)
    first, second = np.triu_indices(k, 1)
    found[first, second] = found[second, first] = np.arange(len(first))
    return found


def _correlations(mean: FloatArray, square: FloatArray, products: FloatArray) -> FloatArray:
    variance = square - mean**2
    sd = np.sqrt(np.where(variance > 1e-12 * square, variance, np.nan))
    return np.asarray((products - np.outer(mean, mean)) / np.outer(sd, sd))


class _PairCovariance:
    """Covariance of the products of all pairs of items, as diagonal and factor.

    Parameters
    ----------
    mean, variance : array, shape (items, θ)
        Of the items' scores by ability.
    weights : array, shape (θ,)
        Of the abilities.
    """

    def __init__(self, mean: FloatArray, variance: FloatArray, weights: FloatArray) -> None:
        k = len(mean)
        self._mean, self._weights, self._number = mean, weights, _pair_numbers(k)
        first, second = np.triu_indices(k, 1)
        self._given = mean[first] * mean[second]
        self._expected = self._given @ weights
        square = mean**2 + variance
        total = (square[first] * square[second]) @ weights - self._expected**2
        alone = (variance[first] * variance[second]) @ weights
        self._scale = np.sqrt(alone + _RIDGE * total.mean())[:, None]
        parts = []
        for item in range(k):
            others = np.delete(np.arange(k), item)
            factor = _low_rank(mean[others] * np.sqrt(weights * variance[item]))
            rows = np.repeat(self._number[item, others], factor.shape[1])
            columns = np.tile(np.arange(factor.shape[1]), len(others))
            shape = len(first), factor.shape[1]
            parts.append(sparse.csr_array((factor.ravel(), (rows, columns)), shape=shape))
        between = (self._given - self._expected[:, None]) * np.sqrt(weights)
        parts.append(sparse.csr_array(_low_rank(between)))
        self._factor = sparse.csr_array(
            sparse.hstack(parts, format="csr").multiply(1 / self._scale)
        )
        inner = (self._factor.T @ self._factor).toarray()
        inner[np.diag_indices_from(inner)] += 1.0
        self._inner = linalg.cho_factor(inner, overwrite_a=True, check_finite=False)

    def with_scores(
        self, chances: FloatArray, shares: FloatArray, item: IntArray, score: IntArray
    ) -> FloatArray:
        """Covariance of the products with single scores, shape (pairs, scores)."""
        found = (self._given * self._weights) @ chances.T
        own = (chances * score[:, None] * self._weights) @ self._mean.T
        for number in range(len(self._mean)):
            others = np.delete(np.arange(len(self._mean)), number)
            columns = np.flatnonzero(item == number)
            at = self._number[number, others]
            found[np.ix_(at, columns)] = own[np.ix_(columns, others)].T
        return np.asarray(found - np.outer(self._expected, shares))

    def whitened(self, values: FloatArray) -> FloatArray:
        """Columns whose inner products are those of `values` by the inverse covariance.

        With covariance S (I + F F') S, S diagonal, they are y − F t over t, where y = S⁻¹ values
        and t makes |y − F t|² + |t|² least: a sum of squares, in which nothing cancels.
        """
        values = values / self._scale
        taken = linalg.cho_solve(self._inner, self._factor.T @ values, check_finite=False)
        # Once more with what is left: normal equations lose digits where scores hardly vary.
        left = self._factor.T @ (values - self._factor @ taken) - taken
        taken += linalg.cho_solve(self._inner, left, check_finite=False)
        return np.concatenate([values - self._factor @ taken, taken])


def _low_rank(factor: FloatArray) -> FloatArray:
    """A factor of the same product with its transpose, without columns that are rounding error."""
    turned, size, _ = linalg.svd(factor, full_matrices=False, check_finite=False)
    kept = size > 1e-7 * size.max(initial=0.0)
    return np.asarray(turned[:, kept] * size[kept])
