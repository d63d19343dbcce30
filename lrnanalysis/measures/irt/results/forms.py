"""Forms: the sets of items that persons answered, and the forms that a statistic of fit uses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from lrnanalysis.errors import MeasureError
from lrnanalysis.measures._checks import BoolArray, FloatArray, IntArray
from lrnanalysis.measures.irt.likelihood.persons import PersonResponses

__all__ = ["Form", "Missing", "check_min_persons", "forms_of", "no_form", "read_forms"]

#: What becomes of persons without a score on some items.
Missing = Literal["raise", "listwise", "forms"]


@dataclass(frozen=True, eq=False)
class Form:
    """A set of items, and the persons with a score on these and on no others.

    Attributes
    ----------
    items : array of bool, shape (items,)
        The items.
    persons : array, shape (groups,)
        Persons by group, by weight.
    """

    items: BoolArray
    persons: FloatArray

    @property
    def total(self) -> float:
        """Persons of all groups."""
        return float(self.persons.sum())


def read_forms(persons: PersonResponses) -> tuple[list[Form], IntArray]:
    """Forms, largest first, and the form of every person in turn.

    Persons without any score have no form: their number is −1.
    """
    numbers: dict[bytes, int] = {}
    sets: list[BoolArray] = []
    of = np.empty(len(persons.persons), dtype=np.intp)
    weight = np.empty(len(of))
    group_of = np.empty(len(of), dtype=np.intp)
    for group, place, scores, weights in persons.chunks():
        known = ~np.isnan(scores)
        packed = np.ascontiguousarray(np.packbits(known, axis=1))
        rows = packed.view(np.dtype((np.void, packed.shape[1]))).ravel()
        _, first, inverse = np.unique(rows, return_index=True, return_inverse=True)
        found = np.empty(len(first), dtype=np.intp)
        for at, row in enumerate(first.tolist()):
            key = packed[row].tobytes()
            if key not in numbers:
                numbers[key] = len(sets)
                sets.append(known[row])
            found[at] = numbers[key]
        of[place] = found[inverse]
        weight[place] = 1.0 if weights is None else weights
        group_of[place] = group
    groups = len(persons.backends)
    counts = np.bincount(of * groups + group_of, weight, len(sets) * groups).reshape(-1, groups)
    keys = list(numbers)
    order = sorted(
        (number for number, items in enumerate(sets) if items.any()),
        key=lambda number: (-counts[number].sum(), keys[number]),
    )
    place_of = np.full(len(sets), -1, dtype=np.intp)
    place_of[order] = np.arange(len(order))
    return [Form(sets[number], counts[number]) for number in order], place_of[of]


def check_min_persons(min_persons: float) -> None:
    """Raise `MeasureError` unless `min_persons` is a number of at least 1."""
    if not min_persons >= 1:
        raise MeasureError(f"min_persons is {min_persons}: it must be at least 1")


def forms_of(forms: list[Form], missing: Missing, min_persons: float) -> list[int]:
    """Numbers of the forms that are used: the whole one, or those with enough persons.

    The only form is used however few persons it has: the data are then complete.
    """
    if missing == "listwise":
        return [number for number, form in enumerate(forms) if form.items.all()]
    if len(forms) == 1:
        return [0]
    return [number for number, form in enumerate(forms) if form.total >= min_persons]


def no_form(forms: list[Form], missing: Missing, min_persons: float) -> str:
    """Why none of some forms is used."""
    if missing == "listwise":
        return "nobody has a score on every item"
    if not forms:
        return "nobody has a score"
    largest = max(form.total for form in forms)
    if len(forms) == 1:
        return f"its only form has {largest:,.0f} persons, fewer than {min_persons:,.0f}"
    return (
        f"none of the {len(forms):,} forms (sets of items answered) has {min_persons:,.0f} "
        f"persons: the largest has {largest:,.0f}"
    )
