"""Items to review: rules with documented limits that can be changed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal

import pandas as pd

from lrnanalysis.arguments import check_fields, checked
from lrnanalysis.errors import MeasureError, listed, shown
from lrnanalysis.measures._checks import with_attrs

__all__ = ["RULES", "FlagRule", "flags"]


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
) -> pd.DataFrame:
    """Items and options to review, by rule.

    A flag is a reason to review, not a verdict. A missing value raises no flag; a rule whose
    columns are missing is skipped and named in ``attrs``.

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

    Returns
    -------
    DataFrame
        One row per flag, by rule and then by item: ``item``, ``option`` (missing for flags of an
        item), ``flag``, ``value``, ``limit``, ``rule`` and ``meaning``.

    Raises
    ------
    MeasureError
        If `limits` names a rule that is not applied, or a table has none of the columns that the
        rules compare.

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
    found: list[tuple[object, ...]] = []
    skipped = []
    for rule in applied:
        table = statistics if rule.table == "items" else options
        needed = [*_columns(rule), *([rule.limit] if isinstance(rule.limit, str) else [])]
        if table is None or not set(needed) <= set(table.columns):
            skipped.append(rule.name)
        else:
            found.extend(_apply(rule, table))
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
        },
    )


def _columns(rule: FlagRule) -> list[str]:
    return [part.strip() for part in rule.column.split("/")]


def _apply(rule: FlagRule, table: pd.DataFrame) -> Iterator[tuple[object, ...]]:
    """The flags that the rule raises: item, and the columns of `_DTYPES`."""
    values, *divisors = (table[name].astype("float64") for name in _columns(rule))
    for divisor in divisors:
        values = values / divisor.where(divisor != 0)
    limits = table[rule.limit] if isinstance(rule.limit, str) else rule.limit
    limits = pd.Series(limits, index=table.index, dtype="float64")
    hit = values < limits if rule.relation == "<" else values > limits
    if rule.table == "options" and rule.options != "all":
        hit &= table["key"].eq(rule.options == "key").fillna(False).astype(bool)
    labels = table.index[hit]
    if rule.table == "options":
        items = labels.to_frame().drop(columns="option").itertuples(index=False, name=None)
        units = [item[0] if len(item) == 1 else item for item in items]
        pairs = zip(units, labels.get_level_values("option"), strict=True)
    else:
        pairs = zip(labels, [None] * len(labels), strict=True)
    for (item, option), value, limit in zip(pairs, values[hit], limits[hit], strict=True):
        yield item, option, rule.name, value, limit, str(rule), rule.meaning
