"""Which items need a second look: rules with documented limits that can be changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal

import numpy as np
import pandas as pd

from lrnanalysis.errors import MeasureError
from lrnanalysis.measures._checks import FloatArray, choice, with_attrs

__all__ = ["RULES", "FlagRule", "flags"]


@dataclass(frozen=True)
class FlagRule:
    """A reason to look at an item again.

    Attributes
    ----------
    name : str
        What the flag is called.
    table : str
        "items" for the columns of `item_statistics`, "options" for those of `distractors`.
    column : str
        Column that is compared; further columns that it may be divided by are named "a / b".
    relation : str
        "<" or ">", strictly.
    limit : float or str
        What it is compared with: a number, or the name of another column.
    meaning : str
        What the flag says, in words.
    options : str
        For the table "options": "wrong" for the options that are not the key, "key" for those
        that are, "all" otherwise.
    """

    name: str
    table: Literal["items", "options"]
    column: str
    relation: Literal["<", ">"]
    limit: float | str
    meaning: str
    options: Literal["all", "wrong", "key"] = "all"

    def __str__(self) -> str:
        return f"{self.column} {self.relation} {self.limit}"


_DEFAULT = (
    FlagRule("too hard", "items", "p", "<", 0.20, "few points are earned"),
    FlagRule("too easy", "items", "p", ">", 0.95, "nearly all points are earned"),
    FlagRule(
        "negative discrimination",
        "items",
        "item_rest_r",
        "<",
        0.0,
        "the weaker do better: check the key and the wording",
    ),
    FlagRule(
        "low discrimination",
        "items",
        "item_rest_r",
        "<",
        0.15,
        "little in common with the other items",
    ),
    FlagRule(
        "lowers alpha",
        "items",
        "alpha_if_deleted",
        ">",
        "alpha",
        "the test without the item is the more reliable",
    ),
    FlagRule(
        "often omitted",
        "items",
        "n_omitted / n_reached",
        ">",
        0.10,
        "reached and left without an answer",
    ),
    FlagRule(
        "often not reached",
        "items",
        "n_not_reached / n_administered",
        ">",
        0.10,
        "time ran out, or the learner gave up",
    ),
    FlagRule(
        "distractor better than key",
        "options",
        "option_rest_r",
        ">",
        "key_rest_r",
        "a wrong option goes with higher scores than the key: check the key",
        "wrong",
    ),
    FlagRule(
        "attractive to the strong",
        "options",
        "option_rest_r",
        ">",
        0.05,
        "a wrong option goes with higher scores",
        "wrong",
    ),
    FlagRule(
        "unused distractor", "options", "share", "<", 0.05, "hardly anybody chooses it", "wrong"
    ),
)

#: The rules that `flags` applies by default, by name.
RULES: Mapping[str, FlagRule] = MappingProxyType({rule.name: rule for rule in _DEFAULT})


def flags(
    statistics: pd.DataFrame,
    options: pd.DataFrame | None = None,
    *,
    alpha: float | None = None,
    rules: Iterable[FlagRule] | None = None,
    limits: Mapping[str, float] | None = None,
) -> pd.DataFrame:
    """Items and options that a rule points at.

    A flag is a reason to look, not a verdict. A value that is missing raises no flag, and a rule
    whose columns are not there is skipped and named in ``attrs``.

    Parameters
    ----------
    statistics : DataFrame
        What `item_statistics` returned.
    options : DataFrame, optional
        What `distractors` returned.
    alpha : float, optional
        The test's alpha, for the rule "lowers alpha".
    rules : iterable of FlagRule, optional
        Instead of `RULES`; add to them with ``[*RULES.values(), FlagRule(…)]``.
    limits : mapping of rule name → float, optional
        Other limits for some of the rules.

    Returns
    -------
    DataFrame
        One row per flag, by rule and then by item: ``item``, ``option`` (missing for flags of an
        item), ``flag``, ``value``, ``limit``, ``rule`` and ``meaning``.

    Raises
    ------
    MeasureError
        If `limits` names a rule that is not applied.

    Examples
    --------
    >>> statistics = pd.DataFrame(
    ...     {"p": [0.1, 0.6], "item_rest_r": [0.3, -0.2]}, index=["item-1", "item-2"]
    ... )
    >>> flags(statistics, limits={"too hard": 0.25})[["item", "flag", "value", "limit"]]
         item                     flag  value  limit
    0  item-1                 too hard    0.1   0.25
    1  item-2  negative discrimination   -0.2   0.00
    2  item-2       low discrimination   -0.2   0.15
    """
    applied = list(RULES.values() if rules is None else rules)
    changed = dict(limits or {})
    unknown = [name for name in changed if name not in {rule.name for rule in applied}]
    if unknown:
        raise MeasureError(
            f"limits names the rule {unknown[0]!r}: rules are "
            f"{', '.join(rule.name for rule in applied)}"
        )
    applied = [
        replace(rule, limit=changed[rule.name]) if rule.name in changed else rule
        for rule in applied
    ]
    if alpha is not None:
        statistics = statistics.assign(alpha=alpha)
    found, skipped = [], []
    for rule in applied:
        choice("table", rule.table, ("items", "options"))
        table = statistics if rule.table == "items" else options
        needed = [*_columns(rule), *([rule.limit] if isinstance(rule.limit, str) else [])]
        if table is None or not set(needed) <= set(table.columns):
            skipped.append(rule.name)
        else:
            found.append(_apply(rule, table))
    empty = pd.DataFrame(
        {
            "item": pd.Series(dtype=statistics.index.dtype),
            "option": pd.Series(dtype="str"),
            "flag": pd.Series(dtype="str"),
            "value": pd.Series(dtype="float64"),
            "limit": pd.Series(dtype="float64"),
            "rule": pd.Series(dtype="str"),
            "meaning": pd.Series(dtype="str"),
        }
    )
    found = [one for one in found if len(one)]
    table = pd.concat(found, ignore_index=True) if found else empty
    return with_attrs(
        table,
        {
            "measure": "flags",
            "rules": {rule.name: str(rule) for rule in applied if rule.name not in skipped},
            "skipped": skipped,
        },
    )


def _columns(rule: FlagRule) -> list[str]:
    return [part.strip() for part in rule.column.split("/")]


def _apply(rule: FlagRule, table: pd.DataFrame) -> pd.DataFrame:
    """The rows of a table that the rule points at."""
    first, *others = (table[name].to_numpy(dtype="float64") for name in _columns(rule))
    values: FloatArray = first
    for other in others:
        values = np.divide(values, other, out=np.full(len(other), np.nan), where=other != 0)
    limit = (
        table[rule.limit].to_numpy(dtype="float64")
        if isinstance(rule.limit, str)
        else np.full(len(table), float(rule.limit))
    )
    hit = values < limit if rule.relation == "<" else values > limit
    if rule.table == "options" and rule.options != "all":
        hit &= table["key"].eq(rule.options == "key").fillna(False).to_numpy(dtype=bool)
    index = table.index[hit]
    option = pd.array([None] * len(index), dtype="str")
    if rule.table == "options":
        levels = index.to_frame(index=False)
        option = levels.pop("option").array
        if levels.shape[1] == 1:
            index = pd.Index(levels.iloc[:, 0])
        else:
            tuples = list(levels.itertuples(index=False, name=None))
            index = pd.Index(tuples, tupleize_cols=False)
    return pd.DataFrame(
        {
            "item": index,
            "option": option,
            "flag": rule.name,
            "value": values[hit],
            "limit": limit[hit],
            "rule": str(rule),
            "meaning": rule.meaning,
        }
    )
