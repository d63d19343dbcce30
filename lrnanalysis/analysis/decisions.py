"""The decisions that turn a study into an analysis: checked once, and put into words."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any, Literal, get_args

import pandas as pd

from lrnanalysis.errors import MeasureError, shown
from lrnanalysis.measures._checks import choice
from lrnanalysis.measures.completion import ReachRule
from lrnanalysis.measures.effort import Method, check_method
from lrnanalysis.measures.scores import Attempts, ScoreValue
from lrnanalysis.tables.schema import STATUSES

__all__ = ["CellValue", "Decisions", "ItemIdentity", "Level", "ScoreSource", "Unit"]

#: What a kind of cell becomes: missing, wrong (0), its recorded points, or a number.
CellValue = Literal["missing", "wrong", "recorded"] | float

#: What a row of the matrices is.
Unit = Literal["session", "user"]

#: What a column of the matrices is.
Level = Literal["item", "question"]

#: What identifies an item: the activity's own reference, or the item bank's.
ItemIdentity = Literal["reference", "source"]

#: Scores as marked, or after adjustments.
ScoreSource = Literal["raw", "adjusted"]

_CELL_WORDS = get_args(get_args(CellValue)[0])


@dataclass(frozen=True, kw_only=True, eq=False)
class Decisions:
    """Every decision of an analysis; see `lrnanalysis.SessionData.analysis` for each.

    Raises
    ------
    MeasureError
        A value is not one of those allowed.

    Examples
    --------
    >>> Decisions(attempts="last", omitted="missing").attempts
    'last'
    """

    activity: str | Iterable[str] | None = None
    status: str | Iterable[str] = ("Completed", "Pending Scoring")
    attempts: Attempts = "first"
    unit: Unit = "session"
    level: Level = "item"
    item: ItemIdentity = "reference"
    omitted: CellValue = "wrong"
    not_reached: CellValue = "missing"
    not_reached_rule: ReachRule = "run"
    unmarked: CellValue = "missing"
    unscored: CellValue = "missing"
    score: ScoreSource = "raw"
    value: ScoreValue = "points"
    rapid: Method | None = None

    def __post_init__(self) -> None:
        for name, allowed in _CHOICES.items():
            choice(name, getattr(self, name), allowed)
        for name in ("omitted", "not_reached", "unmarked", "unscored"):
            _check_cell_value(name, getattr(self, name))
        set_ = object.__setattr__
        if self.activity is not None:
            set_(self, "activity", _texts("activity", self.activity))
        set_(self, "status", _statuses(self.status))
        if isinstance(self.rapid, pd.Series | pd.DataFrame):
            set_(self, "rapid", self.rapid.copy())
        if self.rapid is not None:
            check_method(self.rapid)

    @property
    def activities(self) -> tuple[str, ...] | None:
        """The activities chosen; None for all."""
        return None if self.activity is None else tuple(self.activity)

    @property
    def statuses(self) -> tuple[str, ...]:
        """The statuses that count; empty for all."""
        return () if self.status == "all" else tuple(self.status)

    def number(self, kind: Literal["omitted", "not_reached", "unmarked", "unscored"]) -> Any:
        """What a kind of cell becomes: a number, NaN for missing, None for its own points."""
        value: CellValue = getattr(self, kind)
        return {"missing": math.nan, "wrong": 0.0, "recorded": None}.get(value, value)  # type: ignore[arg-type]

    def to_dict(self) -> dict[str, Any]:
        """All decisions by name, as `replace` and `SessionData.analysis` take them."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def replace(self, **changes: Any) -> Decisions:
        """The same decisions with some changed."""
        known = [field.name for field in fields(self)]
        for name in changes:
            if name not in known:
                near = difflib.get_close_matches(name, known, n=1)
                hint = f"did you mean {near[0]!r}?" if near else f"choose from {', '.join(known)}"
                raise MeasureError(f"unknown decision {name!r}: {hint}")
        return Decisions(**(self.to_dict() | changes))

    def changed(self) -> dict[str, Any]:
        """The decisions that differ from the defaults."""
        found = {}
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, pd.Series | pd.DataFrame) or value != field.default:
                found[field.name] = value
        return found


_CHOICES: dict[str, tuple[Any, ...]] = {
    "attempts": get_args(Attempts),
    "unit": get_args(Unit),
    "level": get_args(Level),
    "item": get_args(ItemIdentity),
    "not_reached_rule": get_args(ReachRule),
    "score": get_args(ScoreSource),
    "value": get_args(ScoreValue),
}


def _check_cell_value(name: str, value: object) -> None:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    word = isinstance(value, str) and value in _CELL_WORDS
    if not (number and math.isfinite(float(value))) and not word:  # type: ignore[arg-type]
        raise MeasureError(
            f"{name} is {shown(value)}: it must be one of {list(_CELL_WORDS)} or a finite number"
        )


def _texts(name: str, value: str | Iterable[str]) -> tuple[str, ...]:
    """One text or several as a tuple of distinct ones."""
    given = [value] if isinstance(value, str) or not isinstance(value, Iterable) else [*value]
    texts = [text for text in given if isinstance(text, str)]
    if not texts or len(texts) < len(given):
        raise MeasureError(
            f"{name} is {shown(value)}: it must be a string or an iterable of strings"
        )
    return tuple(dict.fromkeys(texts))


def _statuses(value: str | Iterable[str]) -> str | tuple[str, ...]:
    """The statuses in their documented spelling; others as they are."""
    if isinstance(value, str) and value.strip().casefold() == "all":
        return "all"
    documented = {status.casefold(): status for status in STATUSES}
    texts = _texts("status", value)
    return tuple(dict.fromkeys(documented.get(text.strip().casefold(), text) for text in texts))
