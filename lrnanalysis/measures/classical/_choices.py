"""Decoded choices as arrays: who saw which question, who chose which option."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from lrnanalysis.errors import MeasureError, shown
from lrnanalysis.measures._checks import (
    BoolArray,
    check_label_kinds,
    choice,
    label_text,
    require_columns,
    whole_labels,
)
from lrnanalysis.measures.classical._person_scores import PersonScores
from lrnanalysis.measures.matrices import factorise

__all__ = ["Key", "OptionChoices", "read_choices", "read_key"]

IndexArray = npt.NDArray[np.integer]

#: Correct option or options per item.
Key = Mapping[Hashable, Hashable | Iterable[Hashable]]

#: Label of the row of persons who saw an item and chose no option.
_NO_CHOICE = "(none)"

#: Joins the options of a pattern.
_AND = " + "

_NUMBER = re.compile(r"-?\d+(\.\d+)?")

#: Number of options per item that a pattern can tell apart: the bits of an integer.
_BITS = 62


@dataclass(frozen=True, eq=False)
class OptionChoices:
    """Who saw which question and chose which option.

    Attributes
    ----------
    units : Index or MultiIndex
        The items, or items and parts.
    column : array of int, shape (units,)
        Position of the item in the matrix of scores, -1 where it has no such item.
    seen : array of bool, shape (units, persons)
        Who was given the question.
    unit, label : array and Index, shape (options,)
        The unit of each option and its label, by unit and then in the order of the options.
    members : list of set of str, shape (options,)
        The options that the label stands for: one, several for a pattern, none for no choice.
    option, person : array of int, shape (choices,)
        One entry per person and option chosen.
    dropped : int
        Number of rows whose person is not in the matrix of scores.
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

    def with_no_choice(self) -> OptionChoices:
        """With one more option per unit for those who saw it and chose none, if there are any."""
        chose = np.zeros_like(self.seen)
        chose[self.unit[self.option], self.person] = True
        unit, person = np.nonzero(self.seen & ~chose)
        without = np.unique(unit)
        added = np.searchsorted(without, unit) + len(self.label)
        units = np.concatenate([self.unit, without])
        labels = self.label.append(pd.Index([_NO_CHOICE] * len(without), dtype="str"))
        members = [*self.members, *[frozenset[str]()] * len(without)]
        order = np.argsort(units, kind="stable")
        return replace(
            self,
            unit=units[order],
            label=labels[order],
            members=[members[at] for at in order],
            option=np.argsort(order)[np.concatenate([self.option, added])],
            person=np.concatenate([self.person, person]),
        )

    def patterns(self) -> OptionChoices:
        """Whole answers in place of options: what a person chose, joined."""
        first = np.searchsorted(self.unit, np.arange(len(self.units)))
        bit = np.arange(len(self.label)) - first[self.unit]
        if bit.max(initial=0) >= _BITS:
            crowded = self.units[self.unit[bit.argmax()]]
            raise MeasureError(
                f"item {shown(crowded)} has more than {_BITS} options, too many to count whole "
                'answers: use by="option"'
            )
        marks = (
            pd.DataFrame(
                {
                    "unit": self.unit[self.option],
                    "person": self.person,
                    "mark": np.int64(1) << bit[self.option],
                }
            )
            .groupby(["unit", "person"])["mark"]
            .sum()
            .reset_index()
        )
        kinds = marks[["unit", "mark"]].drop_duplicates().sort_values(["unit", "mark"])
        chosen = [
            [self.label[first[unit] + bit] for bit in range(_BITS) if mark >> bit & 1]
            for unit, mark in kinds.itertuples(index=False)
        ]
        option = pd.MultiIndex.from_frame(kinds).get_indexer(
            pd.MultiIndex.from_frame(marks[["unit", "mark"]])
        )
        return replace(
            self,
            unit=kinds["unit"].to_numpy(),
            label=pd.Index([_AND.join(options) for options in chosen], dtype="str"),
            members=[frozenset(options) for options in chosen],
            option=option,
            person=marks["person"].to_numpy(),
        )


def read_choices(
    choices: pd.DataFrame,
    persons: PersonScores | None,
    *,
    person: str,
    item: str,
    part: Sequence[str] | None,
    option: str,
    by: str,
) -> OptionChoices:
    """The long table of choices as `OptionChoices`.

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
        missing = int(choices[name].isna().sum())
        if missing:
            raise MeasureError(
                f'{missing} choices have no {name}: leave them out with dropna(subset=["{name}"])'
            )
    labels = pd.Index(choices[person].unique()) if persons is None else persons.scores.persons
    who = labels.get_indexer(pd.Index(choices[person]))
    known = who >= 0
    if not known.any():
        if persons is not None:
            check_label_kinds(
                person, pd.Index(choices[person]), labels, where=("choices", "scores")
            )
        raise MeasureError(
            f"none of the {len(choices)} choices belongs to a person in scores: {shown(person)} "
            "must "
            "hold the labels of its rows"
        )
    kept, who = choices[known], who[known]
    unit, units = _units(kept, [item, *part])
    column = np.full(len(units), -1, dtype=np.intp)
    seen = np.zeros((len(units), len(labels)), dtype=bool)
    if persons is not None:
        column = persons.scores.items.get_indexer(units.get_level_values(0))
        inside = column >= 0
        seen[inside] = persons.scores.present[column[inside]]
    seen[unit, who] = True
    chosen = kept[option].notna().to_numpy(dtype=bool)
    codes, given = pd.factorize(kept[option][chosen])
    names = pd.Index([label_text(name) for name in given], dtype="str")
    order = pd.Index(sorted(names.unique(), key=_option_order), dtype="str")
    taken = pd.DataFrame(
        {"unit": unit[chosen], "option": order.get_indexer(names)[codes], "who": who[chosen]}
    ).drop_duplicates()  # an option chosen twice is chosen
    options = taken.groupby(["unit", "option"])
    found = options.size().index
    label = order[found.get_level_values("option")]
    result = OptionChoices(
        units,
        column,
        seen,
        found.get_level_values("unit").to_numpy(),
        label,
        [frozenset([name]) for name in label],
        options.ngroup().to_numpy(dtype=np.intp),
        taken["who"].to_numpy(),
        int((~known).sum()),
    )
    return (result.patterns() if by == "pattern" else result).with_no_choice()


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


def _units(frame: pd.DataFrame, columns: list[str]) -> tuple[IndexArray, pd.Index]:
    """Unit of each row, and the units: by category or appearance, several columns by the latter."""
    if len(columns) == 1:
        keys = factorise(frame[columns[0]])
        return keys.codes.astype(np.intp), keys.labels.rename(columns[0])
    frame = frame[columns].apply(whole_labels)
    grouped = frame.groupby(columns, sort=False, observed=True, dropna=False)
    return grouped.ngroup().to_numpy(dtype=np.intp), pd.MultiIndex.from_frame(
        frame.drop_duplicates()
    )


def _option_order(name: str) -> tuple[bool, float, str]:
    """Numbers first, by size; then text."""
    number = _NUMBER.fullmatch(name) is not None
    return not number, float(name) if number else 0.0, name


def read_key(key: Key | pd.Series | None, choices: OptionChoices, by: str) -> pd.Series:
    """Whether each option is correct; missing where the key has no entry, and for no choice.

    Raises
    ------
    MeasureError
        If the key is not a mapping or Series, or has no entry for any of the items.
    """
    correct = pd.array([None] * len(choices.label), dtype="boolean")
    if key is None:
        return pd.Series(correct)
    if not isinstance(key, Mapping | pd.Series):
        raise MeasureError(
            f"key is a {type(key).__name__}: pass a mapping or Series of item → correct option or "
            "options"
        )
    entries = dict(key.items())
    options = {}
    for unit in choices.units:
        item = unit[0] if isinstance(unit, tuple) else unit
        right = entries.get(unit, entries.get(item))
        correct_options = {label_text(one) for one in _known(right)}
        if correct_options:
            options[unit] = correct_options
    if not options:
        raise MeasureError(
            f"key has no entry for any of the {len(choices.units)} items: its labels must be those "
            f"of the choices (such as {shown(choices.units[0])})"
        )
    for at, (unit, members) in enumerate(zip(choices.unit, choices.members, strict=True)):
        right = options.get(choices.units[unit])
        if right is not None and members:
            correct[at] = members == right if by == "pattern" else members <= right
    return pd.Series(correct)


def _known(value: Hashable | Iterable[Hashable]) -> list[Hashable]:
    """One option or several, without missing ones."""
    several = [value] if isinstance(value, str) or not isinstance(value, Iterable) else value
    return pd.Series(list(several), dtype=object).dropna().to_list()
