"""Decoded choices as arrays: who saw which question, who took which option."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd

from lrnanalysis.errors import MeasureError
from lrnanalysis.measures._checks import BoolArray, FloatArray, choice, require_columns
from lrnanalysis.measures.classical._data import MaxScore, divide, max_scores, read_matrix
from lrnanalysis.measures.classical._discrimination import person_scores

__all__ = ["Key", "Picked", "Standing", "read_choices", "read_key"]

IndexArray = npt.NDArray[np.intp]

#: Correct option or options per item.
Key = Mapping[Hashable, Hashable | Iterable[Hashable]]

#: Label of the row of persons who saw an item and took no option.
_NO_CHOICE = "(none)"

#: Joins the options of a pattern.
_AND = " + "

#: Options per item that a pattern can tell apart: the bits of a whole number.
_BITS = 62


@dataclass(frozen=True, eq=False)
class Standing:
    """What persons reached elsewhere in the test.

    Attributes
    ----------
    persons, items : Index
        Labels of the matrix.
    shares : array, shape (items, persons)
        Share of the item's points; NaN where there is no score.
    points, possible : array, shape (persons,)
        Points reached and points offered, over the items that a person has.
    highest : array, shape (items,)
        Highest possible scores [points].
    """

    persons: pd.Index
    items: pd.Index
    shares: FloatArray
    points: FloatArray
    possible: FloatArray
    highest: FloatArray

    @classmethod
    def of(cls, matrix: pd.DataFrame, max_score: MaxScore) -> Standing:
        """Read it from a persons × items matrix."""
        if not matrix.index.is_unique:
            raise MeasureError("scores has repeated persons: give every person one row")
        scored = read_matrix(matrix)
        highest = max_scores(scored, max_score)
        persons = person_scores(scored, highest)
        return cls(
            scored.persons,
            scored.items,
            scored.values / highest[:, None],
            persons.points,
            persons.possible,
            highest,
        )

    @cached_property
    def total(self) -> FloatArray:
        """Share of all points, per person."""
        return divide(self.points, self.possible)

    def rest(self, item: int) -> FloatArray:
        """Share of the points on the other items, per person; of all for an item not there."""
        if item < 0:
            return self.total
        own = self.shares[item] * self.highest[item]
        has = ~np.isnan(own)
        possible = self.possible - np.where(has, self.highest[item], 0.0)
        # What is left of a person's only item is a rounding error, not points.
        possible[possible < 1e-9 * self.highest.sum()] = 0.0
        return divide(self.points - np.where(has, own, 0.0), possible)

    def groups(self, number: int) -> IndexArray:
        """Group of each person by total, 0 for the lowest; equal totals stay together; -1 for none.

        A total's group is that of the middle of its persons in the order of all.
        """
        total = self.total
        known = ~np.isnan(total)
        levels, level = np.unique(np.round(total[known], 12), return_inverse=True)
        counts = np.bincount(level, minlength=len(levels)).astype(np.float64)
        middle = (np.cumsum(counts) - counts / 2) / max(counts.sum(), 1.0)
        result = np.full(len(total), -1, dtype=np.intp)
        result[known] = np.minimum((middle * number).astype(np.intp), number - 1)[level]
        return result


@dataclass(frozen=True, eq=False)
class Picked:
    """Who saw which question and took which option.

    Attributes
    ----------
    units : Index or MultiIndex
        The items, or items and parts.
    column : array of int, shape (units,)
        The item's row in `Standing`, -1 where the matrix has no such item.
    seen : array of bool, shape (units, persons)
        Who was given the question.
    unit, label : array and Index, shape (options,)
        The unit of each option and its label, by unit and then in the options' order.
    members : list of set of str, shape (options,)
        The options that the label stands for: one, several for a pattern, none for no choice.
    option, person : array of int, shape (choices,)
        One entry a person and option taken.
    dropped : int
        Rows of persons without a row in the matrix.
    """

    units: pd.Index
    column: IndexArray
    seen: BoolArray
    unit: IndexArray
    label: pd.Index
    members: list[frozenset[str]]
    option: IndexArray
    person: IndexArray
    dropped: int

    def with_no_choice(self) -> Picked:
        """With an option more per unit for those who saw it and took none, where there are any."""
        took = np.zeros_like(self.seen)
        took[self.unit[self.option], self.person] = True
        unit, person = np.nonzero(self.seen & ~took)
        without = np.unique(unit)
        if not len(without):
            return self
        new = np.searchsorted(without, unit) + len(self.label)
        units = np.concatenate([self.unit, without])
        labels = self.label.append(pd.Index([_NO_CHOICE] * len(without), dtype="str"))
        members = [*self.members, *[frozenset[str]()] * len(without)]
        order = np.argsort(units, kind="stable")
        place = np.argsort(order)
        return Picked(
            self.units,
            self.column,
            self.seen,
            units[order],
            labels[order],
            [members[at] for at in order],
            place[np.concatenate([self.option, new])],
            np.concatenate([self.person, person]),
            self.dropped,
        )

    def patterns(self) -> Picked:
        """Whole answers instead of options: what a person took, joined."""
        first = np.searchsorted(self.unit, np.arange(len(self.units)))
        bit = np.arange(len(self.label)) - first[self.unit]
        if len(bit) and bit.max() >= _BITS:
            crowded = self.units[self.unit[bit.argmax()]]
            raise MeasureError(
                f"item {crowded!r} has more than {_BITS} options: whole answers are counted for "
                'fewer; use by="option"'
            )
        width = self.seen.shape[1]
        pair = self.unit[self.option] * width + self.person
        order = np.argsort(pair, kind="stable")
        starts = np.flatnonzero(np.diff(pair[order], prepend=-1))
        marks = np.bitwise_or.reduceat(np.int64(1) << bit[self.option[order]], starts)
        unit, person = np.divmod(pair[order][starts], width)
        mark, kinds = _distinct(marks)
        option, both = _distinct(unit * len(kinds) + mark)
        owner, kind = np.divmod(both, len(kinds))
        chosen = [
            [self.label[first[at] + bit] for bit in range(_BITS) if pattern >> bit & 1]
            for at, pattern in zip(owner.tolist(), kinds[kind].tolist(), strict=True)
        ]
        return Picked(
            self.units,
            self.column,
            self.seen,
            owner.astype(np.intp),
            pd.Index([_AND.join(options) for options in chosen], dtype="str"),
            [frozenset(options) for options in chosen],
            option,
            person.astype(np.intp),
            self.dropped,
        )


def read_choices(
    choices: pd.DataFrame,
    standing: Standing | None,
    *,
    person: str,
    item: str,
    part: Sequence[str] | None,
    option: str,
    by: str,
) -> Picked:
    """The long table of choices as `Picked`.

    Raises
    ------
    MeasureError
        If a column is missing, a row has no person or item, or no person is in the matrix.
    """
    choice("by", by, ("option", "pattern"))
    require_columns(choices, person, item, option, *(part or ()), table="choices")
    if part is None:
        part = _parts(choices, item)
        if "slot" in part:
            choices = choices.assign(slot=choices["slot"].fillna(0))
    for name in (person, item):
        lost = int(choices[name].isna().sum())
        if lost:
            raise MeasureError(f'{lost} choices have no {name}: use dropna(["{name}"]) first')
    if standing is None:
        who, persons = pd.factorize(choices[person])
        persons = pd.Index(persons)
    else:
        persons = standing.persons
        who = persons.get_indexer(pd.Index(choices[person]))
    known = who >= 0
    if not known.any():
        raise MeasureError(
            f"none of the {len(choices)} choices is of a person in scores: {person!r} must hold "
            "the labels of its rows"
        )
    kept = choices if known.all() else choices[known]
    who = who[known].astype(np.intp)
    keys = [item, *part]
    unit, units = _factorize(kept, keys)
    owner = units.get_level_values(0) if isinstance(units, pd.MultiIndex) else units
    column = np.full(len(units), -1, dtype=np.intp)
    seen = np.zeros((len(units), len(persons)), dtype=bool)
    if standing is not None:
        column = standing.items.get_indexer(owner)
        inside = column >= 0
        seen[inside] = ~np.isnan(standing.shares[column[inside]])
    seen[unit, who] = True
    taken = kept[option].notna().to_numpy(dtype=bool)
    code, names = pd.factorize(kept[option][taken].astype("str"))
    order, names = _in_order(pd.Index(names))
    code, unit, who = order[code], unit[taken], who[taken]
    place, both = _distinct(unit * max(len(names), 1) + code)
    pairs = np.sort(place * len(persons) + who)
    pairs = pairs[np.diff(pairs, prepend=-1) > 0]  # an option taken twice is taken
    labels = names[both % max(len(names), 1)]
    picked = Picked(
        units,
        column,
        seen,
        both // max(len(names), 1),
        labels,
        [frozenset([label]) for label in labels],
        *np.divmod(pairs, len(persons)),
        int((~known).sum()),
    )
    return (picked.patterns() if by == "pattern" else picked).with_no_choice()


def _distinct(keys: npt.NDArray[np.integer]) -> tuple[IndexArray, npt.NDArray[np.int64]]:
    """Number of each key among the distinct ones, ascending, and those."""
    codes, found = pd.factorize(keys)
    order = np.argsort(found)
    place = np.empty(len(order), dtype=np.intp)
    place[order] = np.arange(len(order))
    return place[codes], np.asarray(found[order], dtype=np.int64)


def _parts(choices: pd.DataFrame, item: str) -> list[str]:
    """Columns that keep the questions and slots of one item apart, where it has several."""
    found = []
    if "question_reference" in choices.columns:
        questions = choices.groupby(item, observed=True)["question_reference"].nunique()
        if (questions > 1).any():
            found.append("question_reference")
    if "slot" in choices.columns and choices["slot"].notna().any():
        found.append("slot")
    return found


def _factorize(frame: pd.DataFrame, keys: Sequence[str]) -> tuple[IndexArray, pd.Index]:
    """Number of each row's unit, and the units in order of appearance or of categories."""
    if len(keys) == 1:
        column = frame[keys[0]]
        codes, labels = pd.factorize(column, sort=isinstance(column.dtype, pd.CategoricalDtype))
        if isinstance(labels, pd.CategoricalIndex):
            labels = pd.Index(labels.categories[labels.codes])
        return codes.astype(np.intp), pd.Index(labels, name=keys[0])
    grouped = frame.groupby(list(keys), sort=False, observed=True, dropna=False)
    codes = np.asarray(grouped.ngroup(), dtype=np.intp)
    return codes, pd.MultiIndex.from_frame(frame[list(keys)].drop_duplicates())


def _in_order(names: pd.Index) -> tuple[IndexArray, pd.Index]:
    """Place of each option in the options' order (whole numbers first, by size), and it."""
    texts = [str(name) for name in names]

    def place(at: int) -> tuple[bool, int, str]:
        whole = texts[at].isdecimal()
        return not whole, int(texts[at]) if whole else 0, texts[at]

    keyed = sorted(range(len(texts)), key=place)
    order = np.empty(len(names), dtype=np.intp)
    order[keyed] = np.arange(len(names))
    return order, pd.Index(names[keyed], dtype="str")


def read_key(key: Key | pd.Series | None, picked: Picked, by: str) -> pd.Series:
    """Whether each option is correct; missing where the key does not say, and for no choice.

    Raises
    ------
    MeasureError
        If the key names none of the items.
    """
    correct = pd.array([None] * len(picked.label), dtype="boolean")
    if key is None:
        return pd.Series(correct)
    given = dict(key.items())
    options = {}
    for unit in picked.units:
        owner = unit[0] if isinstance(unit, tuple) else unit
        right = given.get(unit, given.get(owner))
        if right is not None:
            options[unit] = {str(one) for one in _several(right)}
    if not options:
        raise MeasureError(
            f"key names none of the {len(picked.units)} items: its labels must be those of the "
            f"choices ({picked.units[0]!r}, say)"
        )
    for at, (unit, taken) in enumerate(zip(picked.unit, picked.members, strict=True)):
        correct_here = options.get(picked.units[unit])
        if correct_here is not None and taken:
            correct[at] = taken == correct_here if by == "pattern" else taken <= correct_here
    return pd.Series(correct)


def _several(value: Hashable | Iterable[Hashable]) -> Iterable[Hashable]:
    return [value] if isinstance(value, str) or not isinstance(value, Iterable) else value
