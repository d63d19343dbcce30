"""The kinds of missing behind a matrix, and the three versions of item difficulty they allow."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from lrnanalysis.errors import MeasureError
from lrnanalysis.measures._checks import BoolArray, FloatArray
from lrnanalysis.measures.classical._data import Scored, divide
from lrnanalysis.measures.classical._intervals import mean_interval, wilson_interval
from lrnanalysis.measures.matrices import CELL_KINDS

__all__ = ["Difficulty", "cell_counts", "difficulties", "plain_difficulty", "read_codes"]

CodeArray = npt.NDArray[np.int8]

_CODE = {kind: np.int8(code) for code, kind in enumerate(CELL_KINDS)}
_ANSWERED = ("right", "wrong", "partial")


@dataclass(frozen=True, eq=False)
class Difficulty:
    """Mean score over highest possible score, with its interval and number of persons."""

    n: FloatArray
    p: FloatArray
    low: FloatArray
    high: FloatArray


def read_codes(codes: pd.DataFrame, scored: Scored) -> CodeArray:
    """Codes of the cells, items first, in the order of `CELL_KINDS`.

    Raises
    ------
    MeasureError
        If persons or items of the matrix are missing from it, or a cell names no known kind.
    """
    if not isinstance(codes, pd.DataFrame):
        raise MeasureError(
            f"codes is a {type(codes).__name__}: give a DataFrame of the matrix's shape"
        )
    for what, labels, given in (
        ("items", scored.items, codes.columns),
        ("persons", scored.persons, codes.index),
    ):
        if not given.is_unique:
            raise MeasureError(f"codes has repeated {what}: give every one once")
        lost = labels.difference(given)
        if len(lost):
            raise MeasureError(
                f"codes lacks {len(lost)} of the matrix's {len(labels)} {what}: build both from "
                "the same sessions"
            )
    same = codes.index.equals(scored.persons)
    aligned = codes if same else codes.loc[scored.persons]
    result = np.empty((len(scored.items), len(scored.persons)), dtype=np.int8)
    for row, item in enumerate(scored.items):
        result[row] = _column_codes(aligned[item])
    return result


def _column_codes(column: pd.Series) -> CodeArray:
    """One item's cells as codes; a missing code means that the item was not administered."""
    absent = _CODE["not administered"]
    if pd.api.types.is_integer_dtype(column.dtype):
        numbers = column.fillna(int(absent)).to_numpy(dtype=np.int64)
        wrong = (numbers < 0) | (numbers >= len(CELL_KINDS))
        if wrong.any():
            raise MeasureError(
                f"codes of item {column.name!r} hold {numbers[wrong][0]}: codes are 0 to "
                f"{len(CELL_KINDS) - 1}, in the order {', '.join(CELL_KINDS)}"
            )
        return numbers.astype(np.int8)
    if not isinstance(column.dtype, pd.CategoricalDtype):
        column = column.astype("category")
    kinds = column.cat.categories
    unknown = [kind for kind in kinds if kind not in _CODE]
    if unknown:
        raise MeasureError(
            f"codes of item {column.name!r} name the kind {unknown[0]!r}: known are "
            f"{', '.join(CELL_KINDS)}"
        )
    # The last entry serves the category code -1, a missing one.
    table = np.array([*(_CODE[kind] for kind in kinds), absent], dtype=np.int8)
    return table[column.cat.codes.to_numpy()]


def cell_counts(codes: CodeArray) -> dict[str, FloatArray]:
    """Persons per item and kind of cell, the kinds without an answer only."""
    return {
        kind: np.count_nonzero(codes == _CODE[kind], axis=1).astype(np.float64)
        for kind in CELL_KINDS
        if kind not in _ANSWERED
    }


def _answered(scored: Scored, codes: CodeArray) -> BoolArray:
    """Cells with an answer and its score."""
    result: BoolArray = codes <= _CODE["partial"]
    if scored.present is not None:
        result &= scored.present
    return result


def difficulties(
    scored: Scored, codes: CodeArray, highest: FloatArray, confidence: float
) -> dict[str, Difficulty]:
    """The three versions: over all administered, over those reached, over those answered.

    Cells without an answer count 0 where they count at all, whatever the matrix holds there.
    """
    kept = _answered(scored, codes)
    values = np.where(kept, scored.filled, 0.0)
    total = values.sum(axis=1)
    squares = np.einsum("ij,ij->i", values, values)
    all_or_nothing = ((values == 0) | (values == highest[:, None])).all(axis=1)
    attempted = np.count_nonzero(kept, axis=1).astype(np.float64)
    counts = cell_counts(codes)
    least = _least(scored, highest)
    reached = attempted + counts["omitted"]
    administered = reached + counts["not reached"]
    return {
        name: _difficulty(total, squares, n, highest, least, all_or_nothing, confidence)
        for name, n in (
            ("administered", administered),
            ("reached", reached),
            ("attempted", attempted),
        )
    }


def plain_difficulty(scored: Scored, highest: FloatArray, confidence: float) -> Difficulty:
    """Over every cell that holds a score."""
    values = scored.filled
    all_or_nothing = ((values == 0) | (values == highest[:, None])).all(axis=1)
    return _difficulty(
        values.sum(axis=1),
        np.einsum("ij,ij->i", values, values),
        scored.counts,
        highest,
        _least(scored, highest),
        all_or_nothing,
        confidence,
    )


def _least(scored: Scored, highest: FloatArray) -> FloatArray:
    """Lowest possible share of points: 0, or less where scores below 0 occur."""
    return np.fmin(scored.low / highest, 0.0)


def _difficulty(
    total: FloatArray,
    squares: FloatArray,
    n: FloatArray,
    highest: FloatArray,
    least: FloatArray,
    all_or_nothing: BoolArray,
    confidence: float,
) -> Difficulty:
    p = divide(total / highest, n)
    variance = divide(squares / highest**2 - n * np.nan_to_num(p) ** 2, n - 1)
    share = wilson_interval(np.clip(p, 0.0, 1.0), n, confidence)
    mean = mean_interval(p, np.maximum(variance, 0.0), n, confidence)
    low, high = (
        np.where(all_or_nothing, one, other) for one, other in zip(share, mean, strict=True)
    )
    # A mean of few partial scores has an interval wider than the scores themselves.
    return Difficulty(n, p, np.maximum(low, least), np.minimum(high, 1.0))
