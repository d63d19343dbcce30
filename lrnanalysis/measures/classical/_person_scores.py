"""What a person reached of what the administered items offered: totals, rests, score groups."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from lrnanalysis.measures._checks import FloatArray
from lrnanalysis.measures.classical._item_scores import ItemScores, divide

__all__ = ["PersonScores"]

#: What is left of a person's only item is rounding error, not points.
_NOTHING = 1e-12


@dataclass(frozen=True, eq=False)
class PersonScores:
    """Scores of persons over the items that they have.

    Attributes
    ----------
    scores : ItemScores
        Scores of the items.
    highest : array, shape (items,)
        Highest possible score per item [points].
    """

    scores: ItemScores
    highest: FloatArray

    @cached_property
    def points(self) -> FloatArray:
        """Sum of scores per person [points]."""
        result: FloatArray = self.scores.filled.sum(axis=0)
        return result

    @cached_property
    def possible(self) -> FloatArray:
        """Sum of highest possible scores over the items that the person has [points]."""
        result: FloatArray = self.highest @ self.scores.present
        return result

    @cached_property
    def share(self) -> FloatArray:
        """Share of the points offered, per person; NaN without an item."""
        return divide(self.points, self.possible)

    def rest(self, item: int) -> FloatArray:
        """Share of the points on the other items, per person; NaN without another item.

        For an item that is not in the matrix (−1), the share over all items.
        """
        if item < 0:
            return self.share
        points = self.points - self.scores.filled[item]
        possible = self.possible - np.where(self.scores.present[item], self.highest[item], 0.0)
        return divide(points, np.where(possible > _NOTHING * self.possible, possible, 0.0))

    def groups(self, number: int) -> npt.NDArray[np.intp]:
        """Score group of each person, 0 for the lowest, −1 for none; equal scores stay together.

        A score belongs to the group in which the middle of its persons falls.
        """
        known = ~np.isnan(self.share)
        levels, level = np.unique(np.round(self.share[known], 12), return_inverse=True)
        counts = np.bincount(level, minlength=len(levels)).astype(np.float64)
        middle = (np.cumsum(counts) - counts / 2) / max(counts.sum(), 1.0)
        result = np.full(len(known), -1, dtype=np.intp)
        result[known] = np.minimum((middle * number).astype(np.intp), number - 1)[level]
        return result
