"""The fields of a query: one for every filter that `Query` declares."""

from __future__ import annotations

import dataclasses
from typing import Any

from lrnanalysis.api.query import MOST_PER_PAGE, Query
from lrnanalysis.forms.form_elements import heading
from lrnanalysis.forms.form_fields import (
    CheckboxField,
    FormField,
    IdsField,
    IntegerField,
    MenuField,
    PeriodField,
    TextField,
)
from lrnanalysis.tables.schema import STATUSES

__all__ = ["QueryFields"]


class QueryFields:
    """Fields for all filters of a query, and for where to stop.

    Attributes
    ----------
    fields : list of FormField
        In the order in which they are shown.
    """

    def __init__(self) -> None:
        filters = [_field(one.name) for one in dataclasses.fields(Query)]
        shown = [field for field in filters if field is not None]
        self._stop = IntegerField(
            "Stop after",
            "max_sessions",
            "all sessions",
            "sessions in total",
            None,
        )
        self._periods = [one for one in shown if isinstance(one, PeriodField)]
        self._which = [one for one in shown if one.label.endswith("IDs") or one.label == "Status"]
        self._more = [one for one in shown if one not in self._periods + self._which] + [self._stop]
        self.fields: list[FormField] = [*self._which, *self._periods, *self._more]

    @property
    def query(self) -> Query:
        """The query of the fields as they were checked last."""
        filters: dict[str, Any] = {}
        for field in self.fields:
            if field is not self._stop:
                filters |= field.arguments
        return Query(**filters)

    @property
    def max_sessions(self) -> int | None:
        """Where to stop, as it was checked last."""
        return self._stop.arguments.get("max_sessions")

    def rows(self) -> list[Any]:
        """Give the rows of the form."""
        return [
            heading("Sessions"),
            *(one.row for one in self._which),
            heading("Time in UTC: a date, or a date and time"),
            *(one.row for one in self._periods),
            heading("More options"),
            *(one.row for one in self._more),
        ]

    def fill(self, query: Query, max_sessions: int | None) -> None:
        """Write a query into the fields."""
        settings = query.to_dict() | {"max_sessions": max_sessions}
        for field in self.fields:
            field.fill(settings)


def _field(name: str) -> FormField | None:
    """Make the field of a filter; None where another filter's field sets it, too."""
    if name.startswith("max"):
        return None
    if name.startswith("min"):
        label = name.removeprefix("mintime").removeprefix("_").capitalize() or "Updated"
        return PeriodField(label, (name, "max" + name.removeprefix("min")))
    if name.endswith("_id"):
        noun = name.removesuffix("_id")
        return _ids_field(f"{noun.capitalize()} IDs", name, noun, "any")
    if name == "include":
        return _ids_field("Metadata", name, "attribute", "no session metadata")
    if name == "status":
        return CheckboxField("Status", name, {one: one for one in STATUSES})
    if name == "sort":
        # Ascending is what a fetch asks for by default.
        order = {"oldest update first": "asc", "latest update first": "desc"}
        return MenuField("Order", name, order, "asc", _describe_order)
    if name == "limit":
        most = MOST_PER_PAGE
        return IntegerField("Sessions per page", name, str(most), "sessions per request", most)
    if name == "next":
        return TextField("Token", name, "study.next of an earlier fetch", _describe_token)
    return TextField(name, name, "", lambda text: "" if text else "any")


def _ids_field(label: str, name: str, noun: str, empty: str) -> IdsField:
    return IdsField(label, name, noun, empty, lambda ids: Query(**{name: ids}))


def _describe_order(order: str) -> str:
    if order == "asc":
        return "new sessions can be polled for later"
    return "new sessions cannot be polled for later"


def _describe_token(token: str | None) -> str:
    return "only what was updated since that fetch" if token else "from the beginning"
