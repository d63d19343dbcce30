"""From a persons × items matrix to digits, forms and groups, with a clear answer to bad data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import sparse

from lrnanalysis.errors import MeasureError
from lrnanalysis.measures._checks import BoolArray, FloatArray, IntArray, as_floats
from lrnanalysis.measures.irt.codes import ByteArray
from lrnanalysis.measures.irt.kernels import read_scores, stretches

__all__ = [
    "Given",
    "Responses",
    "connect",
    "given_items",
    "read_groups",
    "read_responses",
    "read_weights",
]

#: Persons read at a time.
_PART = 2**16

#: Different scores that an item may have.
_MOST = 60


@dataclass(frozen=True, eq=False)
class Responses:
    """Scores as digits.

    Attributes
    ----------
    digits : array of uint8, shape (items, persons)
        0 for a missing score, k + 1 for an item's (k + 1)-th score from below.
    scores : list of array
        Per item, the scores that occur, ascending.
    counts : list of array
        Per item, rows of the matrix with each of them.
    items, persons : Index
        Labels.
    """

    digits: ByteArray
    scores: list[FloatArray]
    counts: list[FloatArray]
    items: pd.Index
    persons: pd.Index

    @property
    def steps(self) -> IntArray:
        """Highest digit of a score per item, from 0."""
        return np.array([len(found) - 1 for found in self.scores])


def read_responses(
    matrix: pd.DataFrame | FloatArray,
    known: Sequence[FloatArray] | None = None,
    items: pd.Index | None = None,
) -> Responses:
    """Digits of a matrix.

    Parameters
    ----------
    matrix : DataFrame or array, persons × items
        Whole scores, NaN where missing.
    known : sequence of array, optional
        Scores that each of `items` can have, where a fitted model says so.
    items : Index, optional
        The items of a fitted model; the matrix's columns are put in their order.

    Raises
    ------
    MeasureError
        If the matrix is not one of numbers, a score is no whole number or, with `known`, not one
        of the item's.
    """
    frame = matrix if isinstance(matrix, pd.DataFrame) else _frame(matrix)
    if not frame.columns.is_unique:
        raise MeasureError("the matrix has repeated column labels: give every item one column")
    if items is not None:
        lost = frame.columns.difference(items, sort=False)
        if len(lost):
            raise MeasureError(f"item {lost[0]!r} is not in the model: leave it out")
        frame = frame.reindex(columns=items)
    digits = np.empty((frame.shape[1], len(frame)), dtype=np.uint8)
    plain = all(dtype == np.float64 for dtype in frame.dtypes)
    if plain and frame.shape[1]:
        for part in stretches(len(frame), _PART):
            if not read_scores(frame.iloc[part].to_numpy(), digits[:, part]):
                plain = False
                break
    if not plain:
        return _read_columns(frame, digits, known)
    most = digits.max(axis=1, initial=0).astype(int)
    scores = [np.arange(top, dtype=np.float64) for top in most]
    return _recode(digits, scores, frame, known)


def _frame(matrix: FloatArray) -> pd.DataFrame:
    values = np.asarray(matrix)
    if values.ndim != 2 or not (np.issubdtype(values.dtype, np.number) or values.dtype == np.bool_):
        raise MeasureError(
            f"the matrix is a {type(matrix).__name__} of {values.ndim} dimensions: give a "
            "DataFrame or array of numbers, persons in rows, items in columns"
        )
    return pd.DataFrame(values, copy=False)


def _read_columns(
    frame: pd.DataFrame, digits: ByteArray, known: Sequence[FloatArray] | None
) -> Responses:
    """Column by column: any numeric type, any whole scores."""
    scores = []
    for place, (item, column) in enumerate(frame.items()):
        values = as_floats(column)
        there = ~np.isnan(values)
        found = np.unique(values[there])
        if not np.isfinite(found).all():
            raise MeasureError(f"item {item!r} has an infinite score: replace it by NaN")
        broken = found[found != np.round(found)]
        if len(broken):
            raise MeasureError(
                f"item {item!r} has the score {broken[0]:g}, which is no whole number: multiply "
                "by a common denominator, or bin it, e.g. with pandas.cut(matrix[item], 5, "
                "labels=False)"
            )
        if len(found) > _MOST:
            raise MeasureError(
                f"item {item!r} has {len(found)} different scores, more than {_MOST}: bin them, "
                "e.g. with pandas.cut(matrix[item], 5, labels=False)"
            )
        digits[place] = 0
        digits[place, there] = np.searchsorted(found, values[there]) + 1
        scores.append(found)
    return _recode(digits, scores, frame, known)


def _recode(
    digits: ByteArray,
    scores: list[FloatArray],
    frame: pd.DataFrame,
    known: Sequence[FloatArray] | None,
) -> Responses:
    """Digits by the scores that occur, or by those that a model knows."""
    final, counts = [], []
    for place, (item, own) in enumerate(zip(frame.columns, scores, strict=True)):
        row = digits[place]
        count = np.array([np.count_nonzero(row == k + 1) for k in range(len(own))], dtype=float)
        taken = own[count > 0]
        kept = taken if known is None else known[place]
        strange = taken[~np.isin(taken, kept)]
        if len(strange):
            raise MeasureError(
                f"item {item!r} has the score {strange[0]:g}, which the model does not know: its "
                f"scores are {', '.join(f'{score:g}' for score in kept)}"
            )
        if len(kept) > _MOST:
            raise MeasureError(
                f"item {item!r} has {len(kept)} different scores, more than {_MOST}: bin them, "
                "e.g. with pandas.cut(matrix[item], 5, labels=False)"
            )
        if len(kept) != len(own) or (kept != own).any():
            move = np.zeros(256, dtype=np.uint8)
            both = np.isin(own, kept)
            move[1 + np.flatnonzero(both)] = np.searchsorted(kept, own[both]) + 1
            digits[place] = move[row]
            count = np.zeros(len(kept))
            count[np.isin(kept, taken)] = [
                np.count_nonzero(row == move[k + 1]) for k in np.flatnonzero(np.isin(own, taken))
            ]
        final.append(kept)
        counts.append(count)
    return Responses(digits, final, counts, frame.columns, frame.index)


def read_groups(group: object, persons: pd.Index) -> tuple[IntArray, pd.Index]:
    """Group number of every person, and the groups' labels, in order of appearance.

    Raises
    ------
    MeasureError
        If there is not one known group a person.
    """
    if group is None:
        return np.zeros(len(persons), dtype=np.intp), pd.Index(["all"])
    if isinstance(group, pd.Series):
        if not group.index.equals(persons):
            if not group.index.is_unique or not persons.isin(group.index).all():
                raise MeasureError(
                    "group is a Series that does not say the group of every person: its index "
                    "must be that of the matrix"
                )
            group = group.reindex(persons)
        given = group
    else:
        given = pd.Series(np.asarray(group))
    if len(given) != len(persons):
        raise MeasureError(f"group has {len(given)} values for {len(persons)} persons")
    codes, labels = pd.factorize(given)
    if (codes < 0).any():
        raise MeasureError(
            f"{int((codes < 0).sum())} persons have no group: leave them out, or name a group"
        )
    return codes, pd.Index(labels)


@dataclass(frozen=True, eq=False)
class Given:
    """Which items were given to whom.

    Attributes
    ----------
    pattern : array of int, shape (persons,)
        Number of every person's set of items.
    patterns : array of bool, shape (sets, items)
        The sets.
    """

    pattern: IntArray
    patterns: BoolArray

    def answering(self, weights: FloatArray | None) -> float:
        """Persons with at least one score, by weight."""
        some = np.asarray(self.patterns.any(axis=1))
        if some.all() and weights is None:
            return float(len(self.pattern))
        counted = some[self.pattern]
        return float(counted.sum() if weights is None else weights[counted].sum())


def given_items(digits: ByteArray) -> Given:
    """Sets of items, from digits that are 0 where a score is missing."""
    persons = digits.shape[1]
    some = np.flatnonzero(digits.min(axis=1, initial=1) == 0)
    if not len(some):
        return Given(np.zeros(persons, dtype=np.intp), np.ones((1, len(digits)), dtype=bool))
    # Random words make a sum over the missing items unique, for all practical purposes.
    words = np.random.default_rng(1).integers(1, 2**63, len(digits), dtype=np.uint64)
    marks = np.zeros(persons, dtype=np.uint64)
    for part in stretches(persons, _PART):
        for item in some:
            marks[part] += (digits[item, part] == 0) * words[item]
    codes, _ = pd.factorize(marks)
    first = np.empty(int(codes.max()) + 1, dtype=np.intp)
    first[codes[::-1]] = np.arange(persons)[::-1]
    return Given(codes, (digits[:, first] != 0).T)


def read_weights(weights: object, persons: pd.Index) -> FloatArray | None:
    """Persons that each row stands for.

    Raises
    ------
    MeasureError
        If there is not one finite number of at least 0 a row.
    """
    if weights is None:
        return None
    if isinstance(weights, pd.Series) and not weights.index.equals(persons):
        weights = weights.reindex(persons)
    found = np.asarray(weights, dtype=np.float64)
    if found.shape != (len(persons),):
        raise MeasureError(f"weights has the shape {found.shape} for {len(persons)} persons")
    if not (np.isfinite(found).all() and (found >= 0).all() and found.sum() > 0):
        raise MeasureError("weights must be numbers of at least 0, one a row, not all of them 0")
    return found


def connect(patterns: BoolArray) -> IntArray:
    """Number of the connected set of items that each item is in.

    Items are connected where a person has both, or through further items.
    """
    given = sparse.csr_array(patterns.astype(np.int8))
    meet = (given.T.astype(np.int32) @ given.astype(np.int32)).tocsr()
    return np.asarray(sparse.csgraph.connected_components(meet, directed=False)[1])
