"""What the classical measures share: a checked matrix, covariances, and person scores."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from lrnanalysis.errors import MeasureError
from lrnanalysis.measures._checks import BoolArray, FloatArray
from lrnanalysis.measures.matrices import matrix_values

__all__ = [
    "MaxScore",
    "Missing",
    "Scored",
    "divide",
    "max_scores",
    "read_matrix",
]

#: Highest possible score [points]: one for all items, one an item, or None for the highest seen.
MaxScore = float | Mapping[str, float] | pd.Series | None

#: How incomplete rows enter covariances.
Missing = Literal["pairwise", "listwise"]

#: Cells that are worked on at a time: their temporaries stay in the processor's cache.
_PART = 2**18


@dataclass(frozen=True, eq=False)
class Scored:
    """A persons × items matrix as arrays, items first: the layout in which pandas keeps columns.

    Attributes
    ----------
    values : array, shape (items, persons)
        Scores [points], NaN where there is none.
    present : array of bool, shape (items, persons), or None
        Where there is a score; None where every cell has one.
    items : Index
        Labels of the items.
    persons : Index
        Labels of the persons.
    """

    values: FloatArray
    present: BoolArray | None
    items: pd.Index
    persons: pd.Index

    @cached_property
    def filled(self) -> FloatArray:
        """The values with 0 for NaN."""
        return self.values if self.present is None else np.where(self.present, self.values, 0.0)

    @cached_property
    def counts(self) -> FloatArray:
        """Persons with a score, per item."""
        if self.present is None:
            return np.full(len(self.items), float(self.values.shape[1]))
        return np.asarray(np.count_nonzero(self.present, axis=1), dtype=np.float64)

    @cached_property
    def means(self) -> FloatArray:
        """Mean score per item, NaN where there is none."""
        kept = True if self.present is None else self.present
        return divide(np.add.reduce(self.values, axis=1, where=kept), self.counts)

    @cached_property
    def variances(self) -> FloatArray:
        """Variance per item [points²], over its persons less one; NaN below two persons."""
        sums: FloatArray = np.zeros(len(self.items))
        for part in self.parts():
            centred, _ = self._centred(part)
            sums += np.einsum("ij,ij->i", centred, centred)
        return divide(sums, np.where(self.counts > 1, self.counts - 1, 0.0))

    def covariances(self) -> tuple[FloatArray, FloatArray]:
        """Covariance of every pair of items, and the number of persons who have both.

        With NaN, a pair's means and covariance are those of the persons who have both items, as
        R's ``cov(use = "pairwise")`` has it.

        Returns
        -------
        (array, array), each of shape (items, items)
            Covariances [points²], NaN for pairs with fewer than two persons; persons.
        """
        k = len(self.items)
        products, sums, persons = np.zeros((3, k, k))
        for part in self.parts():
            centred, weights = self._centred(part)
            products += centred @ centred.T
            if weights is not None:
                # Sum of i over the persons who have j; the items' means only steady the sums.
                sums += centred @ weights.T
                persons += weights @ weights.T
        if self.present is None:
            persons = np.full((k, k), float(self.values.shape[1]))
        else:
            products -= np.nan_to_num(divide(sums * sums.T, persons))
        return divide(products, np.where(persons > 1, persons - 1, 0.0)), persons

    def parts(self) -> Iterator[slice]:
        """Stretches of persons small enough for the processor's cache."""
        size = max(_PART // len(self.items), 256)
        for start in range(0, self.values.shape[1], size):
            yield slice(start, start + size)

    def _centred(self, part: slice) -> tuple[FloatArray, FloatArray | None]:
        """Values less their item's mean, 0 where there is none; and 1.0 where there is one."""
        centred = self.values[:, part] - self.means[:, None]
        centred[self.constant] = 0.0  # not the rounding error of their mean
        if self.present is None:
            return centred, None
        present = self.present[:, part]
        centred[~present] = 0.0
        return centred, present.astype(np.float64)

    @cached_property
    def low(self) -> FloatArray:
        """Lowest score per item; NaN without one."""
        return self._extreme(np.minimum)

    @cached_property
    def high(self) -> FloatArray:
        """Highest score per item; NaN without one."""
        return self._extreme(np.maximum)

    @cached_property
    def constant(self) -> BoolArray:
        """Whether an item has fewer than two different scores."""
        result: BoolArray = ~(self.high > self.low)
        return result

    @cached_property
    def two_valued(self) -> BoolArray:
        """Whether an item's scores take exactly two values."""
        low, high = self.low[:, None], self.high[:, None]
        # NaN is none of the two, so missing cells are added back by their count.
        among = np.count_nonzero((self.values == low) | (self.values == high), axis=1)
        result: BoolArray = (among == self.counts) & (self.high > self.low)
        return result

    def complete(self) -> Scored:
        """The persons who have a score on every item."""
        if self.present is None:
            return self
        keep: BoolArray = np.all(self.present, axis=0)
        return Scored(self.values[:, keep], None, self.items, self.persons[keep])

    def take(self, keep: BoolArray) -> Scored:
        """Some of the items."""
        if keep.all():
            return self
        values = self.values[keep]
        present = None if self.present is None else self.present[keep]
        return Scored(values, present, self.items[keep], self.persons)

    def _extreme(self, ufunc: np.ufunc) -> FloatArray:
        if self.values.shape[1] == 0:
            return np.full(len(self.items), np.nan)
        start = np.inf if ufunc is np.minimum else -np.inf
        if self.present is None:
            found = ufunc.reduce(self.values, axis=1)
        else:
            found = ufunc.reduce(self.values, axis=1, where=self.present, initial=start)
        return np.where(np.isfinite(found), found, np.nan)


def read_matrix(matrix: pd.DataFrame) -> Scored:
    """The matrix as `Scored`.

    Raises
    ------
    MeasureError
        If it is no DataFrame of numbers, has repeated columns, no cell, or an infinite score.
    """
    # One contiguous stretch an item; a copy only for frames that keep persons together.
    values = np.ascontiguousarray(matrix_values(matrix).T)
    if values.size == 0:
        raise MeasureError(
            f"the matrix has {values.shape[1]} persons and {values.shape[0]} items: nothing to "
            "analyse"
        )
    present = ~np.isnan(values)
    complete = bool(present.all())
    if np.isinf(values).any():
        item = matrix.columns[int(np.isinf(values).any(axis=1).argmax())]
        raise MeasureError(f"item {item!r} has an infinite score: replace it by NaN or a number")
    return Scored(values, None if complete else present, matrix.columns, matrix.index)


def max_scores(scored: Scored, given: MaxScore) -> FloatArray:
    """Highest possible score per item [points].

    Without any given it is the highest that occurs, and 1 for an item on which nobody has more
    than 0.

    Raises
    ------
    MeasureError
        If an item has no maximum, one of 0 or below, or a score above it.
    """
    if given is None:
        return np.where(scored.high > 0, scored.high, 1.0)
    if isinstance(given, Mapping):
        given = pd.Series(given, dtype="float64")
    if isinstance(given, pd.Series):
        aligned = given.reindex(scored.items)
        if aligned.isna().any():
            item = aligned.index[aligned.isna()][0]
            raise MeasureError(f"max_score says nothing of item {item!r}: give it a number")
        result = aligned.to_numpy(dtype="float64")
    else:
        result = np.full(len(scored.items), float(given))
    wrong = ~(result > 0)
    if wrong.any():
        item, value = scored.items[wrong][0], result[wrong][0]
        raise MeasureError(f"max_score of item {item!r} is {value}: it must be above 0")
    above = scored.high > result * (1 + 1e-9)
    if above.any():
        raise MeasureError(
            f"item {scored.items[above][0]!r} has a score of {scored.high[above][0]:g}, above its "
            f"max_score of {result[above][0]:g}: correct one of them"
        )
    return result


def divide(above: npt.NDArray[Any], below: npt.NDArray[Any]) -> FloatArray:
    """Quotients, NaN where the divisor is 0."""
    shape = np.broadcast_shapes(above.shape, below.shape)
    quotients: FloatArray = np.full(shape, np.nan)
    np.divide(above, below, out=quotients, where=below != 0)
    return quotients
