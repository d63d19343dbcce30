"""Item difficulty in its versions, by the kinds of cells behind a matrix."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd

from lrnanalysis.errors import MeasureError, shown
from lrnanalysis.measures._checks import BoolArray, FloatArray, IntArray, matching_cells
from lrnanalysis.measures.classical._intervals import mean_interval, wilson_interval
from lrnanalysis.measures.classical._item_scores import ItemScores, divide
from lrnanalysis.measures.scores import CELL_KINDS

__all__ = ["Difficulty", "difficulties", "observed_difficulty", "read_cells", "unanswered_counts"]

_KINDS = pd.Index(CELL_KINDS)
_ANSWERED = ("right", "wrong", "partial")

#: Kinds that are counted only where they occur.
_RARE = ("unscored", "rapid")


class Difficulty(NamedTuple):
    """Mean score over highest possible score, with its interval and number of persons."""

    n: FloatArray
    p: FloatArray
    low: FloatArray
    high: FloatArray


def read_cells(cells: pd.DataFrame, scores: ItemScores) -> dict[str, BoolArray]:
    """Where the cells are of each kind, shape (items, persons); missing is "not administered".

    Raises
    ------
    MeasureError
        If persons or items of the matrix are missing, or a cell is of no known kind.
    """
    matched = matching_cells(cells, scores.persons, scores.items, what="cells")
    codes = np.empty(scores.values.shape, dtype=np.int8)
    for row, (item, column) in enumerate(matched.items()):
        codes[row] = _KINDS.get_indexer(pd.Index(column))
        unknown = column[(codes[row] < 0) & column.notna().to_numpy()]
        if len(unknown):
            raise MeasureError(
                f"cells has {shown(unknown.iloc[0])} on item {shown(item)}: the kinds of cells are "
                f"{', '.join(CELL_KINDS)}"
            )
    codes[codes < 0] = CELL_KINDS.index("not administered")
    return {kind: codes == code for code, kind in enumerate(CELL_KINDS)}


def unanswered_counts(kinds: Mapping[str, BoolArray]) -> dict[str, IntArray]:
    """Persons per item and kind of cell without a scored answer."""
    counts = {kind: np.count_nonzero(cells, axis=1) for kind, cells in kinds.items()}
    return {
        kind: n
        for kind, n in counts.items()
        if kind not in _ANSWERED and (kind not in _RARE or n.any())
    }


def difficulties(
    scores: ItemScores, kinds: Mapping[str, BoolArray], highest: FloatArray, confidence: float
) -> dict[str, Difficulty]:
    """The three versions: over the persons administered, those who reached, those who attempted.

    Omitted and not reached cells count 0 where they count at all, whatever the matrix holds
    there; cells of other kinds without an answer are in no version.
    """
    answered = scores.present & np.logical_or.reduce([kinds[kind] for kind in _ANSWERED])
    values = np.where(answered, scores.filled, 0.0)
    attempted = np.count_nonzero(answered, axis=1)
    reached = attempted + np.count_nonzero(kinds["omitted"], axis=1)
    administered = reached + np.count_nonzero(kinds["not reached"], axis=1)
    versions = {"administered": administered, "reached": reached, "attempted": attempted}
    return {
        name: _difficulty(values, n.astype(np.float64), scores, highest, confidence)
        for name, n in versions.items()
    }


def observed_difficulty(scores: ItemScores, highest: FloatArray, confidence: float) -> Difficulty:
    """Over every cell that holds a score."""
    return _difficulty(scores.filled, scores.counts, scores, highest, confidence)


def _difficulty(
    values: FloatArray, n: FloatArray, scores: ItemScores, highest: FloatArray, confidence: float
) -> Difficulty:
    """Of values that are 0 for all but the `n` persons who count, or for some of them."""
    p = divide(values.sum(axis=1) / highest, n)
    squares = np.einsum("ij,ij->i", values, values)
    variance = divide(squares / highest**2 - n * np.nan_to_num(p) ** 2, n - 1)
    all_or_nothing = ((values == 0) | (values == highest[:, None])).all(axis=1)
    share = wilson_interval(np.clip(p, 0.0, 1.0), n, confidence)
    mean = mean_interval(p, np.maximum(variance, 0.0), n, confidence)
    low, high = (
        np.where(all_or_nothing, one, other) for one, other in zip(share, mean, strict=True)
    )
    # The interval of a mean of few partial scores can be wider than the scale: it is cut at the
    # possible shares of points, which are below 0 where scores below 0 occur.
    lowest = np.fmin(scores.low / highest, 0.0)
    return Difficulty(n, p, np.maximum(low, lowest), np.minimum(high, 1.0))
