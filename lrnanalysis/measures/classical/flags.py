"""Items to review: rules with documented limits that can be changed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal

import numpy as np
import pandas as pd

from lrnanalysis.arguments import check_fields, checked
from lrnanalysis.errors import MeasureError, listed, shown
from lrnanalysis.measures._checks import with_attrs

__all__ = ["MINIMUM_N", "RULES", "TOO_FEW", "FlagRule", "flags"]


@dataclass(frozen=True)
class FlagRule:
    """A reason to review an item.

    Attributes
    ----------
    name : str
        Name of the flag.
    table : str
        "items" for the columns of `item_statistics`, "options" for those of `distractors`.
    column : str
        Column that is compared, or a quotient of columns: "a / b".
    relation : str
        "<" or ">".
    limit : float or str
        Number, or name of another column, to compare with.
    meaning : str
        Meaning of the flag in words.
    options : str
        Options to which a rule of the table "options" applies: "wrong" (not correct by the key),
        "key" (correct), or "all".
    """

    name: str
    table: Literal["items", "options"]
    column: str
    relation: Literal["<", ">"]
    limit: float | str
    meaning: str
    options: Literal["all", "wrong", "key"] = "all"

    def __post_init__(self) -> None:
        check_fields(self)
        if self.limit != self.limit:
            raise MeasureError("limit is NaN: pass a number or the name of a column")

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

#: Fewest persons for a flag, by default: of 30 a correlation has a standard error of .18 and a
#: proportion one of up to .09, as much as lies between a rule's limit and an item without fault.
#: Of fewer, a flag, or none, would mostly be chance.
MINIMUM_N = 30

#: Name of the row of an item that rules could not judge.
TOO_FEW = "too few persons"

#: Columns of a table of flags after ``item``.
_DTYPES = {
    "option": "str",
    "flag": "str",
    "value": "float64",
    "limit": "float64",
    "rule": "str",
    "meaning": "str",
}


@checked
def flags(
    statistics: pd.DataFrame,
    options: pd.DataFrame | None = None,
    *,
    alpha: float | None = None,
    rules: Iterable[FlagRule] | None = None,
    limits: Mapping[str, float] | None = None,
    minimum_n: int = MINIMUM_N,
) -> pd.DataFrame:
    """Items and options to review, by rule.

    A flag is a reason to review, not a verdict. A missing value raises no flag; a rule whose
    columns are missing is skipped and named in ``attrs``. Items of few persons are not judged,
    and listed as such: no flag is then no clean bill.

    Parameters
    ----------
    statistics : DataFrame
        Result of `item_statistics`.
    options : DataFrame, optional
        Result of `distractors`.
    alpha : float, optional
        Alpha of the test, for the rule "lowers alpha".
    rules : iterable of FlagRule, optional
        Rules to apply; by default `RULES`. Add to them with ``[*RULES.values(), FlagRule(…)]``.
    limits : mapping of rule name → float, optional
        Other limits for some of the rules.
    minimum_n : int, default 30
        Fewest persons for a flag: those with a score (``n``), who saw the question (``n_seen``),
        or, for a rule on a quotient of counts, its denominator. Of 30 a correlation has a standard
        error of .18 and a proportion one of up to .09, as much as lies between a rule's limit and
        an item without fault; a decision about an item wants 100 and more. Tables without these
        columns are judged whatever their persons; so are rules on a count.

    Returns
    -------
    DataFrame
        One row per flag, by rule and then by item: ``item``, ``option`` (missing for flags of an
        item), ``flag``, ``value``, ``limit``, ``rule`` and ``meaning``. At the end one row "too
        few persons" per item that a rule did not judge, with its persons as ``value``.
        ``attrs["too_few"]`` has the number of items or options not judged, by rule.

    Raises
    ------
    MeasureError
        If `limits` names a rule that is not applied, `minimum_n` is below 1, or a table has none of
        the columns that the rules compare.

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
            f"limits names the rule {shown(unknown[0])}: rules are "
            f"{', '.join(rule.name for rule in applied)}"
        )
    applied = [
        replace(rule, limit=changed[rule.name]) if rule.name in changed else rule
        for rule in applied
    ]
    if alpha is not None:
        statistics = statistics.assign(alpha=alpha)
    if minimum_n < 1:
        raise MeasureError(f"minimum_n is {minimum_n}: it must be 1 or more")
    found: list[tuple[object, ...]] = []
    skipped = []
    few: dict[object, float] = {}
    too_few: dict[str, int] = {}
    for rule in applied:
        table = statistics if rule.table == "items" else options
        needed = [*_columns(rule), *([rule.limit] if isinstance(rule.limit, str) else [])]
        if table is None or not set(needed) <= set(table.columns):
            skipped.append(rule.name)
        else:
            persons = _persons(rule, table)
            judged = persons >= minimum_n
            found.extend(_apply(rule, table, judged))
            there = _concerned(rule, table) & ~judged
            too_few[rule.name] = int(there.sum())
            for unit, n in zip(_units(rule, table.index[there]), persons[there], strict=True):
                few[unit] = min(n, few.get(unit, n))
    for name, table, kind, source in (
        ("statistics", statistics, "items", "item_statistics"),
        ("options", options, "options", "distractors"),
    ):
        wanted = [rule for rule in applied if rule.table == kind]
        if table is not None and wanted and {rule.name for rule in wanted} <= {*skipped}:
            raise MeasureError(
                f"{name} has none of the columns that the rules compare "
                f"({listed(rule.column for rule in wanted)}): pass the result of "
                f"lrnanalysis.classical.{source}"
            )
    rule_text = f"n < {minimum_n}"
    found += [
        (unit, None, TOO_FEW, n, float(minimum_n), rule_text, "not judged by every rule")
        for unit, n in few.items()
    ]
    items = [row[0] for row in found]
    several = any(isinstance(item, tuple) for item in items)
    item = pd.Index(items, dtype=None if several else statistics.index.dtype, tupleize_cols=False)
    result = pd.DataFrame([row[1:] for row in found], columns=list(_DTYPES)).astype(_DTYPES)
    result.insert(0, "item", item)
    return with_attrs(
        result,
        {
            "measure": "flags",
            "rules": {rule.name: str(rule) for rule in applied if rule.name not in skipped},
            "skipped": skipped,
            "minimum_n": minimum_n,
            "too_few": too_few,
        },
    )


def _columns(rule: FlagRule) -> list[str]:
    return [part.strip() for part in rule.column.split("/")]


def _persons(rule: FlagRule, table: pd.DataFrame) -> pd.Series:
    """How many persons are behind what the rule compares; inf where that does not matter."""
    *values, last = _columns(rule)
    count = "n_seen" if rule.table == "options" else "n"
    if values:
        count = last
    elif last == "n" or last.startswith("n_"):
        count = ""
    if count not in table.columns:
        return pd.Series(np.inf, index=table.index)
    return table[count].astype("float64")


def _concerned(rule: FlagRule, table: pd.DataFrame) -> pd.Series:
    """To which rows the rule applies."""
    if rule.table == "items" or rule.options == "all":
        return pd.Series(True, index=table.index)
    return table["key"].eq(rule.options == "key").fillna(False).astype(bool)


def _units(rule: FlagRule, labels: pd.Index) -> list[object]:
    """The items of rows; with its parts where an item has several."""
    if rule.table == "items":
        return list(labels)
    items = labels.to_frame().drop(columns="option").itertuples(index=False, name=None)
    return [item[0] if len(item) == 1 else item for item in items]


def _apply(rule: FlagRule, table: pd.DataFrame, judged: pd.Series) -> Iterator[tuple[object, ...]]:
    """The flags that the rule raises: item, and the columns of `_DTYPES`."""
    values, *divisors = (table[name].astype("float64") for name in _columns(rule))
    for divisor in divisors:
        values = values / divisor.where(divisor != 0)
    limits = table[rule.limit] if isinstance(rule.limit, str) else rule.limit
    limits = pd.Series(limits, index=table.index, dtype="float64")
    hit = values < limits if rule.relation == "<" else values > limits
    hit &= _concerned(rule, table) & judged
    labels = table.index[hit]
    options = labels.get_level_values("option") if rule.table == "options" else [None] * len(labels)
    rows = zip(_units(rule, labels), options, values[hit], limits[hit], strict=True)
    for item, option, value, limit in rows:
        yield item, option, rule.name, value, limit, str(rule), rule.meaning
