"""The arguments of `simulate`, checked."""

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

from lrnanalysis.errors import SimulationError, shown
from lrnanalysis.simulation.answer_catalogues import ESSAY, QUESTION_TYPES

__all__ = ["SimulationSettings", "check_integer"]

#: Question types that are not essays.
_AUTOMARKED = tuple(name for name in QUESTION_TYPES if name != ESSAY)

_INTEGERS = {
    "learners": (1, 10_000_000),
    "items": (1, 5_000),
    "seed": (0, 2**63 - 1),
    "forms": (1, 100),
    "days": (1, 3_650),
    "time_limit": (1, 1_000_000),
}
_FRACTIONS = (
    "anchors", "attempts", "dif_items", "discarded", "essays", "guessing", "incomplete",
    "not_reached", "omit", "pauses", "pending", "rapid_guessers", "testlets",
)  # fmt: skip
_NUMBERS = {
    **dict.fromkeys(_FRACTIONS, (0.0, 1.0)),
    "dif": (-3.0, 3.0),
    "speed_sd": (0.0, 2.0),
    "speed_correlation": (-1.0, 1.0),
}
_MAPPINGS = {"groups": (-3.0, 3.0), "question_types": (0.0, 1e9)}


@dataclass(frozen=True, kw_only=True)
class SimulationSettings:
    """What to simulate; documented at `lrnanalysis.simulation.simulate`.

    Raises
    ------
    SimulationError
        A value is of the wrong type, out of range, or conflicts with another.
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
    start: str | date | datetime
    days: int

    def __post_init__(self) -> None:
        for name, whole in _INTEGERS.items():
            if name != "time_limit" or self.time_limit is not None:
                check_integer(name, getattr(self, name), *whole)
        for name, bounds in _NUMBERS.items():
            _check_number(name, getattr(self, name), *bounds)
        for name, bounds in _MAPPINGS.items():
            _check_numbers(name, getattr(self, name), *bounds)
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))
        _check_text("activity", self.activity)
        _unix_seconds("start", self.start)
        self._check_combinations()

    def _check_combinations(self) -> None:
        if self.incomplete + self.discarded > 1.0:
            raise SimulationError(
                f"incomplete is {self.incomplete} and discarded is {self.discarded}: as shares of "
                "the sessions, they add up to at most 1"
            )
        if np.var(list(self.groups.values())) >= 1.0:
            raise SimulationError(
                f"groups is {dict(self.groups)}: the means are too far apart for abilities with "
                "an SD of 1; bring them closer together"
            )
        for name in self.question_types:
            if name not in _AUTOMARKED:
                near = difflib.get_close_matches(name, _AUTOMARKED, n=1)
                hint = f"did you mean {near[0]!r}? " if near else ""
                hint = "set the share of essays with essays=. " if name == ESSAY else hint
                raise SimulationError(
                    f"unknown question type {name!r} in question_types: {hint}"
                    f"Available: {', '.join(_AUTOMARKED)}"
                )
        if not any(self.question_types.values()):
            raise SimulationError(
                f"question_types is {dict(self.question_types)}: at least one share must be above 0"
            )
        own = self.items - self.n_anchors
        if self.forms > 1 and own < self.forms:
            raise SimulationError(
                f"forms is {self.forms}, but only {own} of the {self.items} items are not anchors: "
                "every form needs an item of its own; use more items, fewer forms or fewer anchors"
            )

    @property
    def n_anchors(self) -> int:
        """Number of items in all forms."""
        return round(self.anchors * self.items) if self.forms > 1 else 0

    @property
    def first_start(self) -> int:
        """Earliest start [Unix s]."""
        return _unix_seconds("start", self.start)


def check_integer(name: str, value: object, low: int, high: int) -> int:
    """Return the value if it is an integer from `low` to `high`, else raise `SimulationError`."""
    if isinstance(value, int | np.integer) and not isinstance(value, bool) and low <= value <= high:
        return int(value)
    raise SimulationError(f"{name} is {shown(value)}: expects an integer from {low} to {high}")


def _check_number(name: str, value: object, low: float, high: float) -> None:
    if (
        not isinstance(value, int | float | np.integer | np.floating)
        or isinstance(value, bool)
        or not low <= float(value) <= high
    ):
        raise SimulationError(
            f"{name} is {shown(value)}: expects a number from {low:g} to {high:g}"
        )


def _check_numbers(name: str, value: object, low: float, high: float) -> None:
    if not isinstance(value, Mapping) or not value:
        raise SimulationError(f"{name} is {shown(value)}: expects a mapping of names to numbers")
    for key, number in value.items():
        _check_text(f"a name in {name}", key)
        _check_number(f"{name}[{key!r}]", number, low, high)


def _check_text(name: str, value: object) -> None:
    if not isinstance(value, str) or not value.strip():
        raise SimulationError(f"{name} is {shown(value)}: expects a string that is not empty")


def _unix_seconds(name: str, value: object) -> int:
    """Unix seconds of a date or time; without a time zone it is UTC.

    Examples
    --------
    >>> _unix_seconds("start", "1970-01-02")
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
    raise SimulationError(
        f"{name} is {shown(value)}: expects a date or time from 1970 to 2106, such as "
        '"2026-02-02T08:00Z"'
    )
