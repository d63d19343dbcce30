"""The fields that choose sessions out of a study, as flags and as code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from lrnanalysis import accessor  # noqa: F401 - registers `.lrn`
from lrnanalysis.errors import QueryError
from lrnanalysis.forms.code import literal
from lrnanalysis.forms.fields import (
    Field,
    Note,
    check_period,
    checkbox,
    heading,
    menu,
    row,
    status_row,
    text_input,
    time_field,
)
from lrnanalysis.forms.texts import count_text, read_ids
from lrnanalysis.study import SessionData

__all__ = ["Choice", "Choices"]

_ATTEMPTS = {
    "all attempts": "",
    "first attempt of each learner": "first_attempts",
    "last attempt of each learner": "last_attempts",
    "best attempt of each learner": "best_attempts",
}


@dataclass(frozen=True)
class Choice:
    """One condition that sessions have to meet.

    Attributes
    ----------
    name : str
        A short name, fit for a variable.
    code : str
        Python code of `flags`, of ``study`` and ``sessions``.
    flags : Series of bool
        Whether each session meets it.
    """

    name: str
    code: str
    flags: pd.Series


class Choices:
    """Fields for activity, statuses, attempts, dates, users and items of a study.

    Parameters
    ----------
    study : SessionData
        What is chosen from.

    Attributes
    ----------
    statuses : dict of str to Checkbox
        Status → its box; none ticked means all.
    """

    def __init__(self, study: SessionData) -> None:
        self._study = study
        sessions = study.sessions
        activities = sessions["activity_id"].value_counts()
        self._activity = menu(
            "Activity",
            {f"all ({len(activities):,})": ""}
            | {f"{name} ({n:,} sessions)": str(name) for name, n in activities.items() if n},
        )
        self._attempts = menu("Attempts", _ATTEMPTS)
        counts = sessions["status"].value_counts()
        self.statuses = {
            str(status): checkbox(f"{status} ({n:,})") for status, n in counts.items() if n
        }
        note = Note()
        self._from = time_field("Started from", note, latest=False)
        self._until = time_field("Started until", note, latest=True)
        self._users = _ids_field("User ids", "user", sessions["user_id"])
        self._items = _ids_field("Items", "item", study.items["item_reference"])
        self._read: list[Any] = [None] * len(self.fields)

    @property
    def fields(self) -> tuple[Field[Any], ...]:
        """The fields that can be wrong."""
        return self._from, self._until, self._users, self._items

    @property
    def inputs(self) -> list[Any]:
        """What is filled in."""
        return [
            self._activity,
            self._attempts,
            *self.statuses.values(),
            *(field.input for field in self.fields),
        ]

    def rows(self) -> list[Any]:
        """Give the rows of the form."""
        return [
            heading("Which sessions; times in UTC"),
            row(self._activity),
            row(self._attempts),
            status_row(self.statuses.values()),
            row(self._from.input, self._until.input, self._until.note.widget),
            row(self._users.input, self._users.note.widget),
            row(self._items.input, self._items.note.widget),
        ]

    def check(self) -> None:
        """Read every field; say beside each how it was understood or what is wrong."""
        self._read = [field.read() for field in self.fields]
        check_period(self._from, self._until, *self._read[:2])

    def made(self) -> list[Choice]:
        """Give the conditions of the fields as `check` read them; none where all are meant."""
        sessions = self._study.sessions
        earliest, latest, users, items = self._read
        chosen = [status for status, box in self.statuses.items() if box.value]
        found: list[Choice] = []

        def add(name: str, code: str, flags: pd.Series) -> None:
            found.append(Choice(name, code, flags.fillna(False).astype(bool)))

        if self._activity.value:
            activity = self._activity.value
            add(
                "of_activity",
                f'sessions["activity_id"] == {literal(activity)}',
                sessions["activity_id"] == activity,
            )
        if chosen:
            add(
                "with_status",
                f'sessions["status"].isin({literal(chosen)})',
                sessions["status"].isin(chosen),
            )
        if self._attempts.value:
            method = self._attempts.value
            add("attempt", f"sessions.lrn.{method}()", getattr(sessions.lrn, method)())
        for name, sign, moment in (("early", ">=", earliest), ("late", "<=", latest)):
            if moment:
                started = sessions["dt_started"]
                at = pd.Timestamp(moment)
                add(
                    "not_too_" + name,
                    f'sessions["dt_started"] {sign} pd.Timestamp({literal(moment)})',
                    started >= at if sign == ">=" else started <= at,
                )
        if users:
            listed = list(dict.fromkeys(users))
            add(
                "of_users",
                f'sessions["user_id"].isin({literal(listed)})',
                sessions["user_id"].isin(listed),
            )
        if items:
            listed = list(dict.fromkeys(items))
            shown = self._study.items
            holding = shown.loc[shown["item_reference"].isin(listed), "session_id"]
            add(
                "with_items",
                'sessions["session_id"].isin(\n'
                f'    study.items.loc[study.items["item_reference"].isin({literal(listed)}), '
                '"session_id"]\n)',
                sessions["session_id"].isin(holding),
            )
        return found


def _ids_field(label: str, one: str, known: pd.Series) -> Field[tuple[str, ...]]:
    there = set(known.dropna().astype("str").unique())

    def read(text: str) -> tuple[str, ...]:
        ids = read_ids(text)
        unknown = [given for given in ids if given not in there]
        if unknown:
            raise QueryError(
                f"{unknown[0]!r} is not in this study"
                + (f", nor are {len(unknown) - 1:,} more" if len(unknown) > 1 else "")
            )
        return ids

    def tell(ids: tuple[str, ...]) -> str:
        return count_text(ids, one) if ids else f"all {len(there):,}"

    return Field(label, text_input(label, "commas, spaces or lines between", rows=2), read, tell)
