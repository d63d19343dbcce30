"""The arguments of `simulate`, checked. Every failure is a ValueError with value and range."""

from __future__ import annotations

import contextlib
import difflib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from types import MappingProxyType

import numpy as np
import pandas as pd

from lrnanalysis.sandbox.answers import ESSAY, FORMATS

__all__ = ["Settings", "whole"]

#: Kinds of questions that are no essays.
_KINDS = tuple(kind for kind in FORMATS if kind != ESSAY)

_SHARES = (
    "anchors",
    "attempts",
    "dif_items",
    "discarded",
    "essays",
    "guessing",
    "incomplete",
    "not_reached",
    "omit",
    "pauses",
    "pending",
    "rapid_guessers",
    "testlets",
)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What to simulate; documented at `lrnanalysis.sandbox.simulate`.

    Raises
    ------
    ValueError
        A value is of the wrong type, out of range, or does not go with another.
    """

    learners: int
    items: int
    seed: int
    activity: str
    forms: int
    anchors: float
    attempts: float
    groups: Mapping[str, float]
    dif: float
    dif_items: float
    question_types: Mapping[str, float]
    essays: float
    testlets: float
    guessing: float
    speed_sd: float
    speed_correlation: float
    rapid_guessers: float
    omit: float
    not_reached: float
    time_limit: int | None
    pauses: float
    incomplete: float
    discarded: float
    pending: float
    subscores: bool
    start: str | date | datetime
    days: int

    def __post_init__(self) -> None:
        whole("learners", self.learners, 1, 10_000_000)
        whole("items", self.items, 1, 5_000)
        whole("seed", self.seed, 0, 2**63 - 1)
        whole("forms", self.forms, 1, 100)
        whole("days", self.days, 1, 3_650)
        _text("activity", self.activity)
        for name in _SHARES:
            _number(name, getattr(self, name), 0.0, 1.0)
        _number("dif", self.dif, -3.0, 3.0)
        _number("speed_sd", self.speed_sd, 0.0, 2.0)
        _number("speed_correlation", self.speed_correlation, -1.0, 1.0)
        if self.time_limit is not None:
            whole("time_limit", self.time_limit, 1, 1_000_000)
        if not isinstance(self.subscores, bool):
            raise ValueError(f"subscores is {self.subscores!r}: give True or False")
        _moment("start", self.start)
        _numbers("groups", self.groups, -3.0, 3.0)
        _numbers("question_types", self.question_types, 0.0, 1e9)
        for name in ("groups", "question_types"):
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))
        self._check_together()

    def _check_together(self) -> None:
        if self.incomplete + self.discarded > 1.0:
            raise ValueError(
                f"incomplete is {self.incomplete} and discarded is {self.discarded}: together "
                "they are shares of the sessions, at most 1"
            )
        means = np.array(list(self.groups.values()), dtype=np.float64)
        if np.var(means) >= 1.0:
            raise ValueError(
                f"groups is {dict(self.groups)}: their means differ by more than abilities of SD 1 "
                "can; bring them closer together"
            )
        for kind in self.question_types:
            if kind not in _KINDS:
                near = difflib.get_close_matches(kind, _KINDS, n=1)
                hint = f" (did you mean {near[0]!r}?)" if near else ""
                hint = " (set their share by essays=)" if kind == ESSAY else hint
                raise ValueError(
                    f"question_types names {kind!r}{hint}: known are {', '.join(_KINDS)}"
                )
        if not any(self.question_types.values()):
            raise ValueError(
                f"question_types is {dict(self.question_types)}: give at least one kind a share "
                "above 0"
            )
        own = self.items - self.n_anchors
        if self.forms > 1 and own < self.forms:
            raise ValueError(
                f"forms is {self.forms}, and {own} of the {self.items} items are no anchors: every "
                "form needs an item of its own; give more items, fewer forms or fewer anchors"
            )

    @property
    def n_anchors(self) -> int:
        """Items that all forms hold."""
        return round(self.anchors * self.items) if self.forms > 1 else 0

    @property
    def first_start(self) -> int:
        """Earliest start [Unix s]."""
        return _moment("start", self.start)


def whole(name: str, value: object, low: int, high: int) -> int:
    """A whole number from `low` to `high`."""
    if isinstance(value, int | np.integer) and not isinstance(value, bool) and low <= value <= high:
        return int(value)
    raise ValueError(f"{name} is {value!r}: give a whole number from {low} to {high}")


def _number(name: str, value: object, low: float, high: float) -> float:
    """A number from `low` to `high`."""
    if (
        isinstance(value, int | float | np.integer | np.floating)
        and not isinstance(value, bool)
        and low <= float(value) <= high
    ):
        return float(value)
    raise ValueError(f"{name} is {value!r}: give a number from {low:g} to {high:g}")


def _text(name: str, value: object) -> str:
    """A text that is not empty."""
    if isinstance(value, str) and value.strip():
        return value
    raise ValueError(f"{name} is {value!r}: give a text that is not empty")


def _moment(name: str, value: str | date | datetime) -> int:
    """Unix seconds of a date or time; without a zone it is UTC.

    Examples
    --------
    >>> _moment("start", "1970-01-02")
    86400
    """
    seconds = -1
    if isinstance(value, str | date):
        with contextlib.suppress(ValueError):
            stamp = pd.Timestamp(value)
            stamp = stamp.tz_localize(UTC) if stamp.tzinfo is None else stamp
            seconds = math.floor(stamp.timestamp())
    if 0 <= seconds < 2**32:
        return seconds
    raise ValueError(
        f'{name} is {value!r}: give a date or time from 1970 to 2106, such as "2026-02-02T08:00Z"'
    )


def _numbers(name: str, value: object, low: float, high: float) -> None:
    """A mapping of at least one name to a number from `low` to `high`."""
    if not isinstance(value, Mapping) or not value:
        raise ValueError(f"{name} is {value!r}: give a mapping of names to numbers, at least one")
    for key, one in value.items():
        _text(f"a name in {name}", key)
        _number(f"{name}[{key!r}]", one, low, high)
