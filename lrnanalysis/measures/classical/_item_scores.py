"""What the classical measures share: a checked matrix as arrays, its moments and covariances."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from lrnanalysis.errors import MeasureError, shown
from lrnanalysis.measures._checks import BoolArray, FloatArray, item_values, matrix_values

__all__ = [
    "ItemScores",
    "MaxScore",
    "Missing",
    "Strata",
    "divide",
    "max_scores",
    "read_matrix",
    "read_strata",
]

#: Highest possible score [points]: one for all items, one per item, or None for the highest seen.
MaxScore = float | Mapping[str, float] | pd.Series | None

#: Items that are alike: a stratum per item, or None for items of the same highest score.
Strata = Mapping[Hashable, Hashable] | pd.Series | None

#: How incomplete rows enter covariances.
Missing = Literal["pairwise", "listwise"]


@dataclass(frozen=True, eq=False)
class ItemScores:
    """A persons × items matrix as arrays, items first: the layout in which pandas keeps columns.

    Attributes
    ----------
    values : array, shape (items, persons)
        Scores [points], NaN where missing.
    items, persons : Index
        Labels.
    """

    values: FloatArray
    items: pd.Index
    persons: pd.Index

    @cached_property
    def present(self) -> BoolArray:
        """Where there is a score, shape (items, persons)."""
        return ~np.isnan(self.values)

    @cached_property
    def complete(self) -> bool:
        """Whether no score is missing."""
        return bool(self.present.all())

    @cached_property
    def filled(self) -> FloatArray:
        """The values with 0 for NaN."""
        return self.values if self.complete else np.where(self.present, self.values, 0.0)

    @cached_property
    def counts(self) -> FloatArray:
        """Number of persons with a score, per item."""
        return np.asarray(np.count_nonzero(self.present, axis=1), dtype=np.float64)

    @cached_property
    def means(self) -> FloatArray:
        """Mean score per item [points]; NaN without one."""
        return divide(self.filled.sum(axis=1), self.counts)

    @cached_property
    def variances(self) -> FloatArray:
        """Variance per item [points²], divided by n − 1; NaN below two persons."""
        sums = np.einsum("ij,ij->i", self._centred, self._centred)
        return divide(sums, np.where(self.counts > 1, self.counts - 1, 0.0))

    def covariances(self) -> tuple[FloatArray, FloatArray]:
        """Covariance of every pair of items, and the number of persons who have both.

        A pair's means and covariance are those of the persons who have both items, as in R's
        ``cov(use = "pairwise")``.

        Returns
        -------
        (array, array), each of shape (items, items)
            Covariances [points²], NaN for pairs with fewer than two persons; persons.
        """
        products = self._centred @ self._centred.T
        if self.complete:
            persons = np.full(products.shape, float(self.values.shape[1]))
        else:
            weights = self.present.astype(np.float64)
            persons = weights @ weights.T
            # Sum of item i over the persons who have item j.
            sums = self._centred @ weights.T
            products -= np.nan_to_num(divide(sums * sums.T, persons))
        return divide(products, np.where(persons > 1, persons - 1, 0.0)), persons

    def correlations(self) -> FloatArray:
        """Correlation of every pair of items over the persons who have both, shape (items, items).

        The standard deviations are those of the same persons, as in R's
        ``cor(use = "pairwise")``; with gaps that differs from the covariances scaled by the
        standard deviations of everybody who has the item. NaN where one does not vary.
        """
        weights = self.present.astype(np.float64)
        persons = weights @ weights.T
        sums = self._centred @ weights.T
        squares = self._centred**2 @ weights.T - np.nan_to_num(divide(sums**2, persons))
        products = self._centred @ self._centred.T
        products -= np.nan_to_num(divide(sums * sums.T, persons))
        # Items that do not vary among these persons would leave rounding error.
        squares = np.where(squares > 1e-12 * np.diag(squares)[:, None], squares, 0.0)
        return divide(products, np.sqrt(squares * squares.T))

    @cached_property
    def _centred(self) -> FloatArray:
        """Values minus the mean of their item, 0 where missing."""
        centred = self.values - self.means[:, None]
        centred[self.constant] = 0.0  # not the rounding error of their mean
        if not self.complete:
            centred[~self.present] = 0.0
        return centred

    @cached_property
    def low(self) -> FloatArray:
        """Lowest score per item [points]; NaN without one."""
        return _finite(np.fmin.reduce(self.values, axis=1, initial=np.inf))

    @cached_property
    def high(self) -> FloatArray:
        """Highest score per item [points]; NaN without one."""
        return _finite(np.fmax.reduce(self.values, axis=1, initial=-np.inf))

    @cached_property
    def constant(self) -> BoolArray:
        """Whether an item has fewer than two different scores."""
        result: BoolArray = ~(self.high > self.low)
        return result

    @cached_property
    def two_valued(self) -> BoolArray:
        """Whether the scores of an item take exactly two values."""
        low, high = self.low[:, None], self.high[:, None]
        extreme = np.count_nonzero((self.values == low) | (self.values == high), axis=1)
        result: BoolArray = (extreme == self.counts) & ~self.constant
        return result

    def listwise(self) -> ItemScores:
        """The persons who have a score on every item."""
        if self.complete:
            return self
        keep: BoolArray = np.all(self.present, axis=0)
        return ItemScores(self.values[:, keep], self.items, self.persons[keep])

    def take(self, keep: BoolArray) -> ItemScores:
        """Some of the items."""
        return self if keep.all() else ItemScores(self.values[keep], self.items[keep], self.persons)


def _finite(values: FloatArray) -> FloatArray:
    return np.where(np.isfinite(values), values, np.nan)


def read_matrix(matrix: pd.DataFrame, *, what: str = "matrix") -> ItemScores:
    """The matrix as `ItemScores`.

    Raises
    ------
    MeasureError
        If it is not a DataFrame of finite numbers, has repeated columns, or has no cell.
    """
    # One contiguous stretch per item; a copy only for frames that keep persons together.
    values = np.ascontiguousarray(matrix_values(matrix, what=what).T)
    if values.size == 0:
        raise MeasureError(
            f"{what} has {values.shape[1]} persons and {values.shape[0]} items: there is nothing "
            "to analyse"
        )
    return ItemScores(values, matrix.columns, matrix.index)


def max_scores(scores: ItemScores, given: MaxScore) -> FloatArray:
    """Highest possible score per item [points].

    If none is given it is the highest that occurs, and 1 for an item on which nobody has more
    than 0.

    Raises
    ------
    MeasureError
        If an item has no maximum, one of 0 or below, or a score above it.
    """
    if given is None:
        return np.where(scores.high > 0, scores.high, 1.0)
    result = item_values(given, scores.items, what="max_score").to_numpy(dtype="float64")
    wrong = ~(result > 0)
    if wrong.any():
        item, value = scores.items[wrong][0], result[wrong][0]
        raise MeasureError(f"max_score of item {shown(item)} is {value}: it must be above 0")
    above = scores.high > result * (1 + 1e-9)
    if above.any():
        raise MeasureError(
            f"item {shown(scores.items[above][0])} has a score of {scores.high[above][0]:g}, above "
            "its "
            f"max_score of {result[above][0]:g}: correct one of them"
        )
    return result


def read_strata(
    strata: Strata, items: pd.Index, highest: FloatArray
) -> tuple[npt.NDArray[np.intp], list[Hashable]]:
    """Stratum of each item as a number, and the strata: by default the highest scores.

    Raises
    ------
    MeasureError
        If an item has no stratum.
    """
    if strata is None:
        levels, codes = np.unique(highest, return_inverse=True)
        return codes.astype(np.intp), levels.tolist()
    codes, names = pd.factorize(item_values(strata, items, what="strata"))
    return codes.astype(np.intp), list(names)


def divide(numerator: npt.NDArray[Any], denominator: npt.NDArray[Any]) -> FloatArray:
    """Quotients, NaN where the denominator is 0."""
    shape = np.broadcast_shapes(numerator.shape, denominator.shape)
    quotients: FloatArray = np.full(shape, np.nan)
    np.divide(numerator, denominator, out=quotients, where=denominator != 0)
    return quotients
