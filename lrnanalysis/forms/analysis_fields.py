"""The fields of an analysis: which sessions of a study count, and its decisions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import pandas as pd

from lrnanalysis.analysis.decisions import Decisions
from lrnanalysis.errors import QueryError
from lrnanalysis.forms.code_generation import literal
from lrnanalysis.forms.form_elements import heading
from lrnanalysis.forms.form_fields import (
    CheckboxField,
    FormField,
    IdsField,
    MenuField,
    PeriodField,
)
from lrnanalysis.study import SessionData
from lrnanalysis.tables.times import timestamps

__all__ = ["AnalysisFields", "Condition"]

_ATTEMPTS = {
    "first attempt per learner and activity": "first",
    "last attempt per learner and activity": "last",
    "best attempt per learner and activity": "best",
    "all attempts": "all",
}
_CELL_VALUES = {"wrong (0 points)": "wrong", "missing": "missing", "recorded points": "recorded"}

#: A menu shows nothing for None.
_KEPT = ""
_RAPID = {
    "kept": _KEPT,
    "missing: faster than 10 % of the item's mean time": "nt10",
    "missing: faster than 20 % of the item's mean time": "nt20",
    "missing: faster than 30 % of the item's mean time": "nt30",
    "missing: faster than the mixture model's threshold": "mixture",
}


@dataclass(frozen=True)
class Condition:
    """One condition that the sessions of a selection meet.

    Attributes
    ----------
    name : str
        The name of a variable.
    code : str
        Python code of `mask`, from ``study`` and ``sessions``.
    mask : Series of bool
        Whether each session meets it.
    """

    name: str
    code: str
    mask: pd.Series


class AnalysisFields:
    """Fields for the selection of sessions, and for the decisions of an analysis.

    Parameters
    ----------
    study : SessionData
        The study to select from.

    Attributes
    ----------
    fields : list of FormField
        In the order in which they are shown.
    """

    def __init__(self, study: SessionData) -> None:
        self._study = study
        sessions = study.sessions
        activities = _counts(sessions["activity_id"])
        statuses = _counts(sessions["status"])
        self._selection = [
            PeriodField("Started", ("earliest", "latest")),
            _ids_field("User IDs", "users", "user", sessions["user_id"]),
            _ids_field("Items", "items", "item", study.items["item_reference"]),
        ]
        self._who = [
            MenuField(
                "Activity",
                "activity",
                {f"all ({len(activities):,})": ""}
                | {f"{name} ({n:,} sessions)": name for name, n in activities.items()},
                "",
            ),
            CheckboxField(
                "Status",
                "status",
                {f"{name} ({n:,})": name for name, n in statuses.items()},
                default=[name for name in statuses if name in Decisions.status],
                none="all",
            ),
            MenuField("Attempts", "attempts", _ATTEMPTS, Decisions.attempts),
        ]
        self._cells = [
            MenuField("Omitted", "omitted", _CELL_VALUES, Decisions.omitted),
            MenuField("Not reached", "not_reached", _CELL_VALUES, Decisions.not_reached),
            MenuField("Rapid guesses", "rapid", _RAPID, _KEPT),
        ]
        self.fields: list[FormField] = [*self._who, *self._selection, *self._cells]

    def rows(self) -> list[Any]:
        """Give the rows of the form."""
        return [
            heading("Sessions; times in UTC"),
            *(one.row for one in [*self._who, *self._selection]),
            heading("Scoring"),
            *(one.row for one in self._cells),
        ]

    @property
    def decisions(self) -> dict[str, Any]:
        """Arguments of `SessionData.analysis` that differ from the defaults."""
        return _arguments([*self._who, *self._cells])

    @property
    def conditions(self) -> list[Condition]:
        """The conditions of the selection; none where all sessions are selected."""
        chosen = _arguments(self._selection)
        sessions, items = self._study.sessions, self._study.items
        found = []
        started = timestamps(sessions, "dt_started", zone="required")[0]
        if "earliest" in chosen:
            code = f'sessions["dt_started"] >= {literal(chosen["earliest"])}'
            found.append(Condition("started_from", code, started >= chosen["earliest"]))
        if "latest" in chosen:
            code = f'sessions["dt_started"] <= {literal(chosen["latest"])}'
            found.append(Condition("started_until", code, started <= chosen["latest"]))
        if "users" in chosen:
            users = list(dict.fromkeys(chosen["users"]))
            code = f'sessions["user_id"].isin({literal(users)})'
            found.append(Condition("of_users", code, sessions["user_id"].isin(users)))
        if "items" in chosen:
            wanted = list(dict.fromkeys(chosen["items"]))
            rows = f'study.items["item_reference"].isin({literal(wanted)})'
            code = f'sessions["session_id"].isin(study.items.loc[{rows}, "session_id"])'
            shown = items.loc[items["item_reference"].isin(wanted), "session_id"]
            found.append(Condition("with_items", code, sessions["session_id"].isin(shown)))
        return found


def _arguments(fields: Iterable[FormField]) -> dict[str, Any]:
    return {name: one for field in fields for name, one in field.arguments.items()}


def _counts(column: pd.Series) -> dict[str, int]:
    counts = column.value_counts()
    return {str(name): int(n) for name, n in counts.items() if n}


def _ids_field(label: str, name: str, noun: str, column: pd.Series) -> IdsField:
    known = set(column.dropna().astype("str").unique())

    def check(ids: tuple[str, ...]) -> None:
        unknown = [place for place, one in enumerate(ids, start=1) if one not in known]
        if unknown:
            # By their places: a message does not repeat the IDs of persons.
            raise QueryError(
                f"{len(unknown):,} of {len(ids):,} not found in this study; the first is "
                f"number {unknown[0]:,} of the list"
            )

    return IdsField(label, name, noun, f"all {len(known):,}", check)
