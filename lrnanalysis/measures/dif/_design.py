"""Groups and matching of persons, common to all DIF methods."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from lrnanalysis.errors import MeasureError, listed, shown
from lrnanalysis.measures._checks import (
    BoolArray,
    FloatArray,
    PersonValues,
    as_floats,
    person_values,
    whole_labels,
)
from lrnanalysis.measures.classical._item_scores import (
    ItemScores,
    divide,
    max_scores,
    read_matrix,
)

__all__ = ["Counts", "DifDesign", "read_design"]

IndexArray = npt.NDArray[np.intp]


#: Strata below this number of persons on average hold too few to compare.
_FEWEST_A_STRATUM = 4


@dataclass(frozen=True, eq=False)
class Counts:
    """One item's persons by group, stratum and score.

    Attributes
    ----------
    table : array, shape (groups, strata, scores)
        Persons; the reference group first.
    scores : array, shape (scores,)
        The item's scores [points], ascending.
    levels : array, shape (strata,)
        Value of the matching variable.
    """

    table: FloatArray
    scores: FloatArray
    levels: FloatArray

    @property
    def persons(self) -> FloatArray:
        """Persons by group and stratum."""
        result: FloatArray = self.table.sum(axis=2)
        return result

    @property
    def sums(self) -> FloatArray:
        """Sum of scores by group and stratum [points]."""
        result: FloatArray = self.table @ self.scores
        return result

    @property
    def of_groups(self) -> FloatArray:
        """Persons by group."""
        result: FloatArray = self.table.sum(axis=(1, 2))
        return result

    @property
    def comparable(self) -> BoolArray:
        """Strata that hold persons of the reference group and of another."""
        persons = self.persons
        result: BoolArray = (persons[0] > 0) & (persons[1:].sum(axis=0) > 0)
        return result


@dataclass(frozen=True, eq=False)
class DifDesign:
    """The persons of the groups compared, and how they are matched.

    Attributes
    ----------
    scored : ItemScores
        Their scores.
    highest : array, shape (items,)
        Highest score that occurs per item [points].
    code : array of int, shape (persons,)
        0 for the reference group, 1 and up for the others.
    names : tuple of str
        The groups, the reference first.
    match : array, shape (persons,), or None
        Values of a matching variable that was given; None for the test's own total.
    strata : int or None
        Number of strata of equal size; None for one a value.
    anchor : array of bool, shape (items,)
        Items that enter the total.
    left_out : int
        Persons without a group, or of other groups.
    """

    scored: ItemScores
    highest: FloatArray
    code: IndexArray
    names: tuple[str, ...]
    match: FloatArray | None
    strata: int | None
    anchor: BoolArray
    left_out: int

    def with_anchor(self, anchor: BoolArray) -> DifDesign:
        """The same with other items in the total."""
        return replace(self, anchor=anchor)

    def counts(self, items: Iterable[int] | None = None) -> list[Counts]:
        """Counts of the items, each matched on the anchor items and itself."""
        common = self._matching(None)
        return [
            self._count(item, common if self._as_anchor(item) else self._matching(item))
            for item in (range(len(self.scored.items)) if items is None else items)
        ]

    def _as_anchor(self, item: int) -> bool:
        return self.match is not None or bool(self.anchor[item])

    def _matching(self, item: int | None) -> tuple[IndexArray, FloatArray]:
        """Stratum of each person, -1 for none, and the strata's values."""
        values = self.match if self.match is not None else self._total(item)
        known = ~np.isnan(values)
        levels, stratum = np.unique(values[known], return_inverse=True)
        if self.strata is not None and len(levels) > self.strata:
            levels, stratum = _equal_strata(values[known], levels, stratum, self.strata)
        result = np.full(len(values), -1, dtype=np.intp)
        result[known] = stratum
        return result, levels

    def _total(self, item: int | None) -> FloatArray:
        """Sum over the anchor items, and the item; of incomplete rows prorated to a whole test."""
        used = self.anchor.copy()
        if item is not None:
            used[item] = True
        rows = np.flatnonzero(used)
        total: FloatArray = self.scored.filled[rows].sum(axis=0)
        if self.scored.complete:
            return np.round(total, 9)
        possible = self.highest[rows] @ self.scored.present[rows].astype(np.float64)
        full = self.highest[rows].sum()
        prorated = divide(total * full, possible)
        # Back to scores that occur on the whole test, as strata of one person compare nobody.
        return np.round(prorated, 0 if self._whole else 9)

    @property
    def _whole(self) -> bool:
        filled = self.scored.filled
        return bool((filled == np.round(filled)).all())

    def _count(self, item: int, matching: tuple[IndexArray, FloatArray]) -> Counts:
        stratum, levels = matching
        values = self.scored.values[item]
        known = ~np.isnan(values) & (stratum >= 0)
        if self.scored.two_valued[item]:
            scores = np.array([self.scored.low[item], self.scored.high[item]])
            category = (values == scores[1]).astype(np.intp)
        else:
            scores = np.unique(values[known])
            category = np.searchsorted(scores, values)
        shape = (len(self.names), len(levels), len(scores))
        cell = (self.code * shape[1] + stratum) * shape[2] + category
        table = np.bincount(cell[known], minlength=int(np.prod(shape))).reshape(shape)
        # Persons without a value of the matching variable may have been alone with a score.
        seen = table.any(axis=(0, 1))
        return Counts(table[:, :, seen].astype(np.float64), scores[seen], levels)


def read_design(
    matrix: pd.DataFrame,
    group: PersonValues,
    *,
    reference: Hashable | None,
    focal: Hashable | None,
    match: pd.Series | Sequence[float] | None,
    strata: int | None,
    anchor: Iterable[Hashable] | None,
    purify: bool = False,
    pair: bool = False,
    stratified: bool = True,
) -> DifDesign:
    """Check and read the arguments of a DIF method.

    Raises
    ------
    MeasureError
        If groups are not defined, `pair` is true and there are more than two, a group has fewer
        than two persons, an anchor item is not in the matrix, purification is to choose the
        matching that is given, or the method is `stratified` and the matching variable has too
        many values.
    """
    if purify and (match is not None or anchor is not None):
        raise MeasureError("purify chooses the anchor items itself: drop match and anchor")
    scored = read_matrix(matrix)
    if len(scored.items) < 2 and match is None:
        raise MeasureError("the matrix has one item: pass a matching variable as match")
    labels = person_values(
        group, scored.persons, what="group", by_name="study.analysis().dif('lang')"
    )
    code, names = _codes(whole_labels(labels), reference, focal)
    if pair and len(names) > 2:
        raise MeasureError(
            f"group has {len(names)} values ({', '.join(names)}): choose two with reference= and "
            "focal=, or one with focal= to compare it with all others"
        )
    matched = None
    if match is not None:
        matched = as_floats(person_values(match, scored.persons, what="match").rename("match"))
        if np.isinf(matched).any():
            raise MeasureError("match has an infinite value: replace it with NaN or a number")
    inside = code >= 0
    if not inside.all():
        scored = ItemScores(scored.values[:, inside], scored.items, scored.persons[inside])
        code = code[inside]
        matched = None if matched is None else matched[inside]
    sizes = np.bincount(code, minlength=len(names))
    if sizes.min() < 2:
        raise MeasureError(
            f"group {shown(names[int(sizes.argmin())])} has {sizes.min()} persons: at least two "
            "are "
            "needed per group, and some hundreds for dependable results"
        )
    _check_strata(matched if stratified else None, strata)
    return DifDesign(
        scored,
        max_scores(scored, None),
        code,
        names,
        matched,
        strata,
        _anchors(anchor, scored.items),
        int((~inside).sum()),
    )


def _codes(
    labels: pd.Series, reference: Hashable | None, focal: Hashable | None
) -> tuple[IndexArray, tuple[str, ...]]:
    """Group of each person as a number, -1 for none, and the groups' names."""
    if isinstance(labels.dtype, pd.CategoricalDtype):
        labels = labels.cat.remove_unused_categories()
        levels = list(labels.cat.categories)
    else:
        try:
            found = labels.dropna().unique()
        except TypeError as error:
            raise MeasureError(
                f"group has values of type {type(labels.iloc[0]).__name__}: name the groups by "
                "text or numbers"
            ) from error
        levels = sorted(found, key=lambda level: (str(type(level)), level))
    for name, value in (("reference", reference), ("focal", focal)):
        if value is not None and value not in levels:
            raise MeasureError(f"{name} is {shown(value)}: group has the values {listed(levels)}")
    if len(levels) < 2:
        raise MeasureError(f"group has {len(levels)} values ({levels}): two are needed")
    if reference is not None and reference == focal:
        raise MeasureError(f"reference and focal are both {shown(focal)}")
    names: tuple[str, ...]
    if reference is None and focal is not None:
        others = [level for level in levels if level != focal]
        order = {level: int(level == focal) for level in levels}
        names = str(others[0]) if len(others) == 1 else f"not {focal}", str(focal)
    else:
        first = levels[0] if reference is None else reference
        rest = [level for level in levels if level != first] if focal is None else [focal]
        order = {level: number for number, level in enumerate([first, *rest])}
        # Labels such as 1 and "1" stay apart.
        names = tuple(map(str if len(set(map(str, order))) == len(order) else repr, order))
    # The last entry serves -1, a missing label.
    code = np.array([*(order.get(level, -1) for level in levels), -1], dtype=np.intp)
    return code[pd.Index(levels).get_indexer(pd.Index(labels.astype(object)))], names


def _anchors(anchor: Iterable[Hashable] | None, items: pd.Index) -> BoolArray:
    if anchor is None:
        return np.ones(len(items), dtype=bool)
    wanted = list(anchor)
    place = items.get_indexer(pd.Index(wanted))
    if len(wanted) == 0 or (place < 0).any():
        lost = "nothing" if not wanted else shown(wanted[int((place < 0).argmax())])
        raise MeasureError(
            f"anchor has {lost}, which are not items of the matrix: pass labels of its columns"
        )
    result = np.zeros(len(items), dtype=bool)
    result[place] = True
    return result


def _check_strata(match: FloatArray | None, strata: int | None) -> None:
    if strata is not None and strata < 2:
        raise MeasureError(f"strata is {strata}: at least 2 are needed")
    if match is not None and strata is None:
        values = match[~np.isnan(match)]
        levels = len(np.unique(values))
        if len(values) < _FEWEST_A_STRATUM * levels:
            raise MeasureError(
                f"match has {levels} different values for {len(values)} persons: pass a number "
                "of strata, such as strata=10"
            )


def _equal_strata(
    values: FloatArray, levels: FloatArray, stratum: IndexArray, number: int
) -> tuple[FloatArray, IndexArray]:
    """Strata of about equal size, equal values together; the value is the mean of its persons."""
    counts = np.bincount(stratum, minlength=len(levels))
    middle = (np.cumsum(counts) - counts / 2) / counts.sum()
    coarse = np.unique(
        np.minimum((middle * number).astype(np.intp), number - 1), return_inverse=True
    )[1]
    new = coarse[stratum]
    size = np.bincount(new)
    return np.bincount(new, weights=values) / size, new
