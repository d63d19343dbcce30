"""The fields of a query: one for every filter that `Query` declares."""

from __future__ import annotations

from typing import Any

from lrnanalysis.api.query import FILTERS, Filter, Query
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
        fields = [_field(name, declared) for name, declared in FILTERS.items()]
        shown = [field for field in fields if field is not None]
        shown.append(
            IntegerField("Stop after", "max_sessions", "all sessions", "sessions in total", None)
        )
        self._which = [one for one in shown if one.label.endswith("IDs") or one.label == "Status"]
        self._periods = [one for one in shown if isinstance(one, PeriodField)]
        self._more = [one for one in shown if one not in self._which + self._periods]
        self.fields: list[FormField] = [*self._which, *self._periods, *self._more]

    @property
    def max_sessions(self) -> int | None:
        """Where to stop, as the fields were checked last."""
        return self._arguments.get("max_sessions")

    @property
    def query(self) -> Query:
        """The query, as the fields were checked last."""
        filters = self._arguments
        filters.pop("max_sessions", None)
        return Query(**filters)

    @property
    def _arguments(self) -> dict[str, Any]:
        return {name: one for field in self.fields for name, one in field.arguments.items()}

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


def _field(name: str, declared: Filter[Any, Any]) -> FormField | None:
    """Make the field of a filter; None where another filter's field sets it, too."""
    noun = name.removesuffix("_id")
    match declared.kind.metavar:
        case "ID":
            return _ids_field(f"{noun.capitalize()} IDs", name, noun, "any")
        case "NAME":
            return _ids_field("Metadata", name, "attribute", "no session metadata")
        case "STATUS":
            return CheckboxField("Status", name, {one: one for one in STATUSES})
        case "TIME" if name.startswith("max"):
            return None
        case "TIME":
            label = name.removeprefix("mintime").removeprefix("_").capitalize() or "Updated"
            return PeriodField(label, (name, name.replace("min", "max")))
        case "ORDER":
            # Ascending is what a fetch asks for by default.
            order = {"oldest update first": "asc", "latest update first": "desc"}
            return MenuField("Order", name, order, "asc", _describe_order)
        case "N":
            most = Query.endpoint.max_page
            return IntegerField("Sessions per page", name, str(most), "sessions per request", most)
        case "TOKEN":
            return TextField("Token", name, "study.next of an earlier fetch", _describe_token)
        case _:
            return TextField(name, name, "", lambda _: declared.help)


def _ids_field(label: str, name: str, noun: str, empty: str) -> IdsField:
    def check(ids: tuple[str, ...]) -> None:
        filters: dict[str, Any] = {name: ids}
        Query(**filters)

    return IdsField(label, name, noun, empty, check)


def _describe_order(order: str) -> str:
    if order == "asc":
        return "new sessions can be polled for later"
    return "new sessions cannot be polled for later"


def _describe_token(token: str | None) -> str:
    return "only what was updated since that fetch" if token else "from the beginning"
