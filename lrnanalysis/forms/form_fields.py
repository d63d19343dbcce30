"""The fields of a form: their inputs, parsing, and the description beside them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import ipywidgets as widgets

from lrnanalysis.errors import LrnError
from lrnanalysis.forms.form_elements import (
    LABEL_WIDTH,
    Message,
    checkbox,
    menu,
    row,
    text_input,
)
from lrnanalysis.forms.input_parsing import (
    describe_ids,
    describe_period,
    format_ids,
    parse_ids,
    parse_integer,
    parse_period,
)

__all__ = [
    "CheckboxField",
    "FormField",
    "IdsField",
    "IntegerField",
    "MenuField",
    "PeriodField",
    "TextField",
]


class FormField:
    """One row of a form: inputs, the arguments that they set, and a message beside them.

    Parameters
    ----------
    label : str
        The name of the field in messages.
    names : tuple of str
        The arguments that the field sets.
    inputs : list of Widget
        What the user fills in; `parse` gets their values.
    heading : Widget, optional
        A label in front of inputs that have only labels of their own.

    Attributes
    ----------
    arguments : dict
        Argument → value, as the last `check` found them; those that are not set are left out.
    problem : str or None
        What the last `check` found wrong.
    row : Widget
        The row to be shown.
    """

    def __init__(
        self, label: str, names: tuple[str, ...], inputs: list[Any], heading: Any = None
    ) -> None:
        self.label = label
        self.inputs = inputs
        self.arguments: dict[str, Any] = {}
        self.problem: str | None = None
        self._names = names
        self._message = Message()
        self.row = row(*([] if heading is None else [heading]), *inputs, self._message.widget)

    def check(self) -> None:
        """Parse the inputs; describe beside them how they were interpreted, or the problem."""
        self.arguments, self.problem = {}, None
        try:
            values = self.parse(*(one.value for one in self.inputs))
            description = self.describe(*values)
        except LrnError as error:
            self.problem = str(error)
            self._message.show(self.problem, "problem")
        else:
            found = dict(zip(self._names, values, strict=True))
            self.arguments = {name: one for name, one in found.items() if one is not None}
            self._message.show(description)

    def fill(self, arguments: Mapping[str, Any]) -> None:
        """Write arguments into the inputs; those that are missing empty theirs."""
        values = (arguments.get(name) for name in self._names)
        for target, text in zip(self.inputs, self.format(*values), strict=True):
            target.value = text

    def parse(self, *inputs: Any) -> tuple[Any, ...]:
        """Turn the values of the inputs into one value per name; raise `LrnError` on bad input."""
        return tuple(one.strip() or None for one in inputs)

    def describe(self, *values: Any) -> str:
        """Describe parsed values."""
        return ""

    def format(self, *values: Any) -> tuple[Any, ...]:
        """Turn parsed values back into the values of the inputs."""
        return tuple("" if one is None else str(one) for one in values)


class TextField(FormField):
    """A line of text."""

    def __init__(
        self, label: str, name: str, placeholder: str, describe: Callable[[str | None], str]
    ) -> None:
        super().__init__(label, (name,), [text_input(label, placeholder)])
        self._describe = describe

    def describe(self, *values: Any) -> str:
        """Describe the text with the function given."""
        return self._describe(*values)


class IntegerField(FormField):
    """A number from 1 to `highest`; none where it is empty."""

    def __init__(self, label: str, name: str, default: str, unit: str, highest: int | None) -> None:
        super().__init__(label, (name,), [text_input(label, default)])
        self._default = default
        self._unit = unit
        self._highest = highest

    def parse(self, *inputs: Any) -> tuple[Any, ...]:
        """Parse the number."""
        return (parse_integer(*inputs, highest=self._highest),)

    def describe(self, *values: Any) -> str:
        """Name the unit, or the default of an empty field."""
        return f"default: {self._default}" if values[0] is None else self._unit


class IdsField(FormField):
    """A pasted list of IDs or names.

    Parameters
    ----------
    label, name : str
        Of the field and its argument.
    noun : str
        What one of them is called.
    empty : str
        What an empty field means.
    check : callable
        Gets the IDs; raises an `LrnError` where one is not acceptable.
    """

    def __init__(
        self,
        label: str,
        name: str,
        noun: str,
        empty: str,
        check: Callable[[tuple[str, ...]], object],
    ) -> None:
        place = "separated by commas, spaces or line breaks"
        super().__init__(label, (name,), [text_input(label, place, rows=2)])
        self._noun = noun
        self._empty = empty
        self._check = check

    def parse(self, *inputs: Any) -> tuple[Any, ...]:
        """Split the list."""
        ids = parse_ids(*inputs)
        if ids:
            self._check(ids)
        return (ids or None,)

    def describe(self, *values: Any) -> str:
        """Count the IDs."""
        return describe_ids(values[0], self._noun) if values[0] else self._empty

    def format(self, *values: Any) -> tuple[Any, ...]:
        """Write one ID per line."""
        return (format_ids(values[0] or ()),)


class PeriodField(FormField):
    """Both ends of a period, in UTC."""

    def __init__(self, label: str, names: tuple[str, str]) -> None:
        inputs = [
            text_input(f"{label} {end}", "2026-01-31T08:30", width="310px")
            for end in ("from", "until")
        ]
        super().__init__(label, names, inputs)

    def parse(self, *inputs: Any) -> tuple[Any, ...]:
        """Parse both ends."""
        return parse_period(*inputs)

    def describe(self, *values: Any) -> str:
        """Write both ends in full."""
        return describe_period(*values)


class MenuField(FormField):
    """A choice of one of several options.

    Parameters
    ----------
    label, name : str
        Of the field and its argument.
    options : dict
        Text shown → value.
    default : object
        The value of an argument that is not set.
    describe : callable, optional
        From the value to the message beside the menu.
    """

    def __init__(
        self,
        label: str,
        name: str,
        options: dict[str, Any],
        default: Any,
        describe: Callable[[Any], str] = lambda _: "",
    ) -> None:
        super().__init__(label, (name,), [menu(label, options, default)])
        self._default = default
        self._describe = describe

    def parse(self, *inputs: Any) -> tuple[Any, ...]:
        """Give the value chosen; None where it is the default."""
        return (None if inputs[0] == self._default else inputs[0],)

    def describe(self, *values: Any) -> str:
        """Describe the value with the function given."""
        return self._describe(self._default if values[0] is None else values[0])

    def format(self, *values: Any) -> tuple[Any, ...]:
        """Give the value, or the default."""
        return (self._default if values[0] is None else values[0],)


class CheckboxField(FormField):
    """A choice of any of several options, each with a checkbox.

    Parameters
    ----------
    label, name : str
        Of the field and its argument.
    options : dict of str to str
        Text shown → value.
    default : sequence of str, optional
        The values that are selected where the argument is not set.
    none : object, optional
        The argument where nothing is selected, which means no restriction.
    """

    def __init__(
        self,
        label: str,
        name: str,
        options: Mapping[str, str],
        *,
        default: Sequence[str] = (),
        none: object = None,
    ) -> None:
        heading = widgets.HTML(
            f'<div style="text-align:right">{label}</div>',
            layout=widgets.Layout(width=LABEL_WIDTH, margin="2px 4px 2px 2px", flex="0 0 auto"),
        )
        super().__init__(label, (name,), [checkbox(one) for one in options], heading)
        self._values = list(options.values())
        self._default = list(default)
        self._none = none
        self.fill({})

    def parse(self, *inputs: Any) -> tuple[Any, ...]:
        """Give the selected values; None where they are the default."""
        selected = [one for one, tick in zip(self._values, inputs, strict=True) if tick]
        return (None if set(selected) == set(self._default) else selected or self._none,)

    def describe(self, *values: Any) -> str:
        """Explain the empty choice."""
        return "" if any(one.value for one in self.inputs) else "none selected: any"

    def format(self, *values: Any) -> tuple[Any, ...]:
        """Select the values, or the default."""
        wanted = self._default if values[0] is None else values[0]
        return tuple(one in wanted for one in self._values)
