"""From a persons × items matrix to score digits, forms and groups; bad data are refused."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from lrnanalysis.errors import MeasureError, shown
from lrnanalysis.measures._checks import (
    BoolArray,
    FloatArray,
    IntArray,
    as_floats,
    person_values,
)
from lrnanalysis.measures.irt.data.packing import ByteArray, chunks

__all__ = [
    "AdministeredItems",
    "ResponseMatrix",
    "administered_items",
    "connected_items",
    "read_groups",
    "read_responses",
    "read_weights",
    "score_digits",
]

#: Persons read at a time; and while they are laid out item by item.
_CHUNK, _SMALL_CHUNK = 2**16, 2**12

#: Different scores that an item may have.
_MOST = 60


@dataclass(frozen=True, eq=False)
class ResponseMatrix:
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

    def with_scores(self, known: Mapping[int, FloatArray]) -> ResponseMatrix:
        """The same with scores that items are known to have, whether or not they occur.

        An item in whose column as many scores occur as are known keeps those. Digits are
        renumbered in place.

        Parameters
        ----------
        known : mapping of item number → array
            Scores, ascending.
        """
        scores, counts = list(self.scores), list(self.counts)
        for place, own in known.items():
            if len(own) > len(scores[place]):
                scores[place], counts[place] = _recode(
                    self.items[place], self.digits[place], scores[place], own
                )
        return replace(self, scores=scores, counts=counts)


def read_responses(
    matrix: pd.DataFrame | FloatArray,
    known: Sequence[FloatArray] | None = None,
    items: pd.Index | None = None,
) -> ResponseMatrix:
    """Digits of a matrix.

    Parameters
    ----------
    matrix : DataFrame or array, persons × items
        Integer scores, NaN where missing.
    known : sequence of array, optional
        Scores that each of `items` can have under a fitted model.
    items : Index, optional
        The items of a fitted model; the matrix's columns are put in their order.

    Raises
    ------
    MeasureError
        If the matrix does not hold numbers, a score is not an integer or, with `known`, not one
        of the item's.
    """
    frame = matrix if isinstance(matrix, pd.DataFrame) else _frame(matrix)
    if not frame.columns.is_unique:
        raise MeasureError("the matrix has repeated column labels: give every item one column")
    if items is not None:
        unknown = frame.columns.difference(items, sort=False)
        if len(unknown):
            raise MeasureError(f"item {shown(unknown[0])} is not in the model: leave it out")
        frame = frame.reindex(columns=items)
    digits = np.empty((frame.shape[1], len(frame)), dtype=np.uint8)
    plain = frame.shape[1] > 0 and all(dtype == np.float64 for dtype in frame.dtypes)
    if plain and all(
        score_digits(frame.iloc[part].to_numpy(), digits[:, part])
        for part in chunks(len(frame), _CHUNK)
    ):
        scores = [np.arange(top, dtype=np.float64) for top in digits.max(axis=1, initial=0)]
    else:
        scores = [
            _read_column(*column, row) for column, row in zip(frame.items(), digits, strict=True)
        ]
    counts = []
    for place, item in enumerate(frame.columns):
        found = None if known is None else known[place]
        scores[place], count = _recode(item, digits[place], scores[place], found)
        counts.append(count)
    return ResponseMatrix(digits, scores, counts, frame.columns, frame.index)


def _frame(matrix: FloatArray) -> pd.DataFrame:
    values = np.asarray(matrix)
    if values.ndim != 2 or not (np.issubdtype(values.dtype, np.number) or values.dtype == np.bool_):
        raise MeasureError(
            f"the matrix is a {type(matrix).__name__} with {values.ndim} dimensions: give a "
            "DataFrame or array of numbers, persons in rows, items in columns"
        )
    return pd.DataFrame(values, copy=False)


def score_digits(values: FloatArray, digits: ByteArray) -> bool:
    """Write scores as digits: 0 for NaN, k + 1 for the score k.

    Parameters
    ----------
    values : array, shape (persons, items)
    digits : array of uint8, shape (items, persons)
        Where to write.

    Returns
    -------
    bool
        False where a score is not one of 0, 1, 2, … 250; `digits` is then of no use.
    """
    for part in chunks(len(values), _SMALL_CHUNK):
        scores, out = np.ascontiguousarray(values[part].T), digits[:, part]
        right = scores == 1
        np.add(scores == 0, right, out=out, dtype=np.uint8)
        out += right
        missing = np.isnan(scores)
        if np.count_nonzero(out == 0) > np.count_nonzero(missing):
            up = np.where(missing, 0.0, scores + 1)
            # A score below 0 is not a missing one.
            if np.count_nonzero(up < 1) > np.count_nonzero(missing) or up.max() > 251:
                return False
            np.copyto(out, up, casting="unsafe")
            if (out != up).any():
                return False
    return True


def _read_column(item: Hashable, column: pd.Series, digits: ByteArray) -> FloatArray:
    """Write one item's digits, of any numeric type and any integer scores; return its scores."""
    values = as_floats(column)
    known = ~np.isnan(values)
    found = np.unique(values[known])
    if not np.isfinite(found).all():
        raise MeasureError(f"item {shown(item)} has an infinite score: replace it by NaN")
    fractions = found[found != np.round(found)]
    if len(fractions):
        raise MeasureError(
            f"item {shown(item)} has the score {fractions[0]:g}, which is not an "
            "integer: multiply by a common denominator, or bin it, e.g. with "
            "pandas.cut(matrix[item], 5, labels=False)"
        )
    _check_number(item, found)
    digits[:] = 0
    digits[known] = np.searchsorted(found, values[known]) + 1
    return found


def _recode(
    item: Hashable, digits: ByteArray, scores: FloatArray, known: FloatArray | None
) -> tuple[FloatArray, FloatArray]:
    """Renumber an item's digits by the scores that occur, or are known; these and their counts."""
    count = np.array(
        [np.count_nonzero(digits == digit) for digit in range(1, len(scores) + 1)], dtype=np.float64
    )
    present = np.flatnonzero(count)
    kept = scores[present] if known is None else known
    unknown = scores[present][~np.isin(scores[present], kept)]
    if len(unknown):
        raise MeasureError(
            f"item {shown(item)} has the score {unknown[0]:g}, which the model does not know: its "
            f"scores are {', '.join(f'{score:g}' for score in kept)}"
        )
    _check_number(item, kept)
    place = np.searchsorted(kept, scores[present])
    if not np.array_equal(kept, scores):
        moved = np.zeros(256, dtype=np.uint8)
        moved[present + 1] = place + 1
        digits[:] = moved[digits]
    counts = np.zeros(len(kept))
    counts[place] = count[present]
    return kept, counts


def _check_number(item: Hashable, scores: FloatArray) -> None:
    if len(scores) > _MOST:
        raise MeasureError(
            f"item {shown(item)} has {len(scores)} different scores, more than {_MOST}: bin them, "
            "e.g. with pandas.cut(matrix[item], 5, labels=False)"
        )


def read_groups(group: object, persons: pd.Index) -> tuple[IntArray, pd.Index]:
    """Group number of every person, and the groups' labels, in order of appearance.

    Raises
    ------
    MeasureError
        If there is not one known group per person.
    """
    if group is None:
        return np.zeros(len(persons), dtype=np.intp), pd.Index(["all"])
    codes, labels = pd.factorize(_per_person("group", group, persons))
    if (codes < 0).any():
        raise MeasureError(
            f"{int((codes < 0).sum())} persons have no group: leave them out, or name a group"
        )
    # A tuple is one label, not one of each of several levels.
    return codes, pd.Index(labels, tupleize_cols=False)


def read_weights(weights: object, persons: pd.Index) -> FloatArray | None:
    """Number of persons that each row represents.

    Raises
    ------
    MeasureError
        If there is not one finite number of at least 0 per row.
    """
    if weights is None:
        return None
    found = as_floats(_per_person("weights", weights, persons))
    if not (np.isfinite(found).all() and (found >= 0).all() and found.sum() > 0):
        raise MeasureError("weights must be numbers of at least 0, one per row, not all of them 0")
    return found


def _per_person(name: str, given: Any, persons: pd.Index) -> pd.Series:
    """One value per row of the matrix, in its order."""
    return person_values(
        given, persons, what=name, by_name=f"study.analysis().fit(…, {name}={shown(given)})"
    )


@dataclass(frozen=True, eq=False)
class AdministeredItems:
    """Which items were given to whom.

    Attributes
    ----------
    form : array of int, shape (persons,)
        Number of every person's form, a set of items.
    forms : array of bool, shape (forms, items)
        The items of each form.
    """

    form: IntArray
    forms: BoolArray

    @cached_property
    def answered(self) -> BoolArray:
        """Whether a person has a score, shape (persons,)."""
        return np.asarray(self.forms.any(axis=1))[self.form]

    def group_sizes(self, groups: IntArray, count: int, weights: FloatArray | None) -> FloatArray:
        """Persons with at least one score by group, by weight."""
        mass = self.answered if weights is None else self.answered * weights
        return np.bincount(groups, mass, count).astype(np.float64)


def administered_items(digits: ByteArray) -> AdministeredItems:
    """Forms, from digits that are 0 where a score is missing."""
    persons = digits.shape[1]
    gaps = np.flatnonzero(digits.min(axis=1, initial=1) == 0)
    if not len(gaps):
        return AdministeredItems(
            np.zeros(persons, dtype=np.intp), np.ones((1, len(digits)), dtype=bool)
        )
    # Random words make a sum over the missing items unique, for all practical purposes.
    words = np.random.default_rng(1).integers(1, 2**63, len(digits), dtype=np.uint64)
    marks = np.zeros(persons, dtype=np.uint64)
    for part in chunks(persons, _CHUNK):
        for item in gaps:
            marks[part] += (digits[item, part] == 0) * words[item]
    form, _ = pd.factorize(marks)
    first = np.empty(int(form.max()) + 1, dtype=np.intp)
    first[form[::-1]] = np.arange(persons)[::-1]
    return AdministeredItems(form, (digits[:, first] != 0).T)


def connected_items(forms: BoolArray) -> IntArray:
    """Number of the connected set of items that each item is in.

    Items are connected where a person has both, or through further items.
    """
    given = sparse.csr_array(forms.astype(np.int8))
    shared = (given.T.astype(np.int32) @ given.astype(np.int32)).tocsr()
    return np.asarray(sparse.csgraph.connected_components(shared, directed=False)[1])
