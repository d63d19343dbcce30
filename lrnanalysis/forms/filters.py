"""The fields of a query: every filter of the endpoint, each checked as it is filled in."""

from __future__ import annotations

from typing import Any

from lrnanalysis.api.query import MOST_PER_PAGE, Query
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
from lrnanalysis.forms.texts import (
    count_text,
    join_ids,
    read_ids,
    read_whole_number,
)
from lrnanalysis.tables.schema import STATUSES

__all__ = ["Filters"]

_IDS = {
    "activity_id": ("Activity ids", "activity"),
    "user_id": ("User ids", "user"),
    "session_id": ("Session ids", "session"),
}
_TIMES = {"time": "Updated", "time_started": "Started", "time_completed": "Completed"}


class Filters:
    """Fields for everything that a query can ask for.

    Attributes
    ----------
    fields : list of Field
        In the order in which they are shown.
    statuses : dict of str to Checkbox
        Status → its box.
    """

    def __init__(self) -> None:
        self._named: dict[str, Field[Any]] = {}
        for name, (label, one) in _IDS.items():
            self._named[name] = _ids_field(name, label, one, "commas, spaces or lines between", 2)
        for name, label in _TIMES.items():
            note = Note()
            for end, word in (("min", "from"), ("max", "until")):
                self._named[end + name] = time_field(f"{label} {word}", note, latest=end == "max")
        self._named["sort"] = Field(
            "Order",
            menu("Order", {"oldest update first": "", "latest update first": "desc"}),
            lambda value: value or None,
            lambda value: "cannot be polled for what is new" if value else "can be polled later",
        )
        self._named["limit"] = _number_field(
            "Sessions a page", str(MOST_PER_PAGE), MOST_PER_PAGE, "at a time"
        )
        self._stop_after: Field[int | None] = _number_field(
            "Stop after", "all sessions", None, "in all: a first look"
        )
        self._named["include"] = _ids_field(
            "include", "Metadata", "attribute", "names of session metadata", 1
        )
        self._named["next"] = Field(
            "Token",
            text_input("Token", "study.next of an earlier fetch"),
            lambda text: Query(next=text.strip() or None).next,
            lambda token: "only what is new since" if token else "from the start",
        )
        self.statuses = {status: checkbox(status) for status in STATUSES}
        self._status_note = Note()
        self._values: dict[str, Any] = {}
        self._most: int | None = None

    @property
    def fields(self) -> list[Field[Any]]:
        """All fields but the boxes for statuses, which cannot be wrong."""
        return [*self._named.values(), self._stop_after]

    @property
    def inputs(self) -> list[Any]:
        """What is filled in."""
        return [*(field.input for field in self.fields), *self.statuses.values()]

    @property
    def query(self) -> Query:
        """The query of the fields as they were read last."""
        return Query(**self._values)

    @property
    def max_sessions(self) -> int | None:
        """Where to stop, as it was read last."""
        return self._most

    def rows(self) -> list[Any]:
        """Give the rows of the form."""
        beside = {name: row(field.input, field.note.widget) for name, field in self._named.items()}
        times = [
            row(
                self._named[f"min{name}"].input,
                self._named[f"max{name}"].input,
                self._named[f"max{name}"].note.widget,
            )
            for name in _TIMES
        ]
        return [
            heading("Which sessions"),
            *(beside[name] for name in _IDS),
            status_row(self.statuses.values(), self._status_note.widget),
            heading("When, in UTC: a day, or a day and a time"),
            *times,
            heading("What else"),
            beside["include"],
            beside["sort"],
            beside["limit"],
            row(self._stop_after.input, self._stop_after.note.widget),
            beside["next"],
        ]

    def check(self) -> None:
        """Read every field; say beside each how it was understood or what is wrong."""
        found = {name: field.read() for name, field in self._named.items()}
        for name in _TIMES:
            check_period(
                self._named[f"min{name}"],
                self._named[f"max{name}"],
                found[f"min{name}"],
                found[f"max{name}"],
            )
        chosen = [status for status, box in self.statuses.items() if box.value]
        self._status_note.say("" if chosen else "none is ticked: any")
        self._most = self._stop_after.read()
        right = {name: found[name] for name, field in self._named.items() if not field.problem}
        self._values = {name: value for name, value in right.items() if value} | (
            {"status": chosen} if chosen else {}
        )

    def fill(self, query: Query, max_sessions: int | None) -> None:
        """Write a query into the fields."""
        for name in (*_IDS, "include"):
            self._named[name].input.value = join_ids(getattr(query, name) or ())
        for name in _TIMES:
            for end in ("min", "max"):
                self._named[end + name].input.value = getattr(query, end + name) or ""
        # Ascending is what a fetch asks for where nothing is said.
        self._named["sort"].input.value = "desc" if query.sort == "desc" else ""
        self._named["limit"].input.value = "" if query.limit is None else str(query.limit)
        self._named["next"].input.value = query.next or ""
        self._stop_after.input.value = "" if max_sessions is None else str(max_sessions)
        for status, box in self.statuses.items():
            box.value = status in (query.status or ())


def _query(filters: dict[str, Any]) -> Query:
    return Query(**filters)


def _ids_field(
    name: str, label: str, one: str, placeholder: str, rows: int
) -> Field[tuple[str, ...]]:
    def read(text: str) -> tuple[str, ...]:
        ids = read_ids(text)
        _query({name: ids or None})
        return ids

    def tell(ids: tuple[str, ...]) -> str:
        return "none" if name == "include" and not ids else count_text(ids, one)

    return Field(label, text_input(label, placeholder, rows=rows), read, tell)


def _number_field(
    label: str, placeholder: str, highest: int | None, tell: str
) -> Field[int | None]:
    return Field(
        label,
        text_input(label, placeholder),
        lambda text: read_whole_number(text, highest=highest),
        lambda number: tell if number else f"{placeholder} where empty",
    )
