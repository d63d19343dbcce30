"""A field: an input with its label, and beside it what is to be said of it."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Generic, TypeVar

import ipywidgets as widgets

from lrnanalysis.errors import LrnError, QueryError
from lrnanalysis.forms.texts import period_text, read_moment

__all__ = [
    "LABEL",
    "CodeArea",
    "Field",
    "Note",
    "button",
    "check_period",
    "checkbox",
    "error_words",
    "heading",
    "menu",
    "row",
    "status_row",
    "text_input",
    "time_field",
]

Value = TypeVar("Value")

#: Room for the labels, so that the inputs stand below each other.
LABEL = "118px"

_COLOURS = {
    "hint": "var(--jp-ui-font-color2, #616161)",
    "good": "var(--jp-ui-font-color1, #212121)",
    "wrong": "var(--jp-error-color0, #b3261e)",
}


class Note:
    """A short text beside an input or below the form; what is wrong is read out at once."""

    def __init__(self) -> None:
        self.widget = widgets.HTML(
            layout=widgets.Layout(min_width="200px", flex="1 1 0%", margin="2px 0 2px 8px")
        )
        self.text = ""

    def say(self, text: str, kind: str = "hint") -> None:
        """Show a text: a "hint", "good" news, or what is "wrong"."""
        self.text = text
        role = {"wrong": "alert", "good": "status"}.get(kind)
        sign = "⚠ " if kind == "wrong" and text else ""
        self.widget.value = (
            f'<div{f" role={role}" if role else ""} style="line-height:1.35;padding:5px 0;'
            f'overflow-wrap:anywhere;white-space:normal;color:{_COLOURS[kind]}">'
            f"{sign}{html.escape(text)}</div>"
        )


class Field(Generic[Value]):
    """An input, how it is read, and a note beside it.

    Parameters
    ----------
    label : str
        The input's own label.
    input : Widget
        What is filled in; its ``value`` is read.
    read : callable
        From the input's value to the field's; raises an `LrnError` that says what is wrong.
    tell : callable
        From the field's value to the note beside it.
    note : Note, optional
        Where it is said; fields of one row may share it.
    """

    def __init__(
        self,
        label: str,
        input: Any,
        read: Callable[[Any], Value],
        tell: Callable[[Value], str],
        note: Note | None = None,
    ) -> None:
        self.label = label
        self.input = input
        self._read = read
        self._tell = tell
        self.note = note or Note()
        self.problem: str | None = None

    def read(self) -> Value | None:
        """Read the input, and say beside it how it was understood, or what is wrong with it.

        Returns
        -------
        The value, or None where there is a `problem`.
        """
        try:
            value = self._read(self.input.value)
        except LrnError as error:
            self.refuse(str(error))
            return None
        self.problem = None
        self.note.say(self._tell(value))
        return value

    def refuse(self, problem: str) -> None:
        """Say that this field is wrong, and why."""
        self.problem = problem
        self.note.say(problem, "wrong")


def text_input(label: str, placeholder: str = "", *, rows: int = 1, width: str = "440px") -> Any:
    """Make a labelled input of one line or several; it reports every key, not the last only."""
    kind = widgets.Text if rows == 1 else widgets.Textarea
    more = {} if rows == 1 else {"rows": rows}
    return kind(
        description=label,
        placeholder=placeholder,
        style={"description_width": LABEL},
        layout=widgets.Layout(width=width, flex="0 0 auto"),
        **more,
    )


def menu(label: str, options: Mapping[str, str], value: str | None = None) -> Any:
    """Make a labelled menu: what is shown → its value, which is text: of None nothing is shown."""
    return widgets.Dropdown(
        description=label,
        options=list(options.items()),
        value=next(iter(options.values())) if value is None else value,
        style={"description_width": LABEL},
        layout=widgets.Layout(width="440px", flex="0 0 auto"),
    )


def checkbox(label: str) -> Any:
    """Make a box to tick, as wide as its label."""
    return widgets.Checkbox(
        description=label,
        indent=False,
        layout=widgets.Layout(width="auto", flex="0 0 auto", margin="2px 14px 2px 0"),
    )


def status_row(boxes: Iterable[Any], *beside: Any) -> Any:
    """Put boxes for statuses beside each other, behind their common label."""
    label = widgets.HTML(
        '<div style="text-align:right">Status</div>',
        layout=widgets.Layout(width=LABEL, margin="2px 8px 2px 2px", flex="0 0 auto"),
    )
    return row(label, *boxes, *beside)


def time_field(label: str, note: Note, *, latest: bool) -> Field[str | None]:
    """Make a field for one end of a period; both ends share a note, see `check_period`."""
    return Field(
        label,
        text_input(label, "2026-01-31T08:30", width="300px"),
        lambda text: read_moment(text, latest=latest),
        lambda moment: "",
        note,
    )


def check_period(
    first: Field[str | None], last: Field[str | None], earliest: str | None, latest: str | None
) -> None:
    """Look at both ends of a period together; their note speaks for both."""
    problems = [field.problem for field in (first, last) if field.problem]
    if problems:
        first.note.say("; ".join(problems), "wrong")
        return
    try:
        first.note.say(period_text(earliest, latest))
    except QueryError as error:
        last.refuse(str(error))


class CodeArea:
    """Python code, ready to be selected and copied; what is typed into it is undone."""

    def __init__(self) -> None:
        self._code = ""
        # An input and not a plain text, so that it can be reached and selected by keys, and a
        # read-write one, since in others JupyterLab takes keys for its commands.
        self.widget = widgets.Textarea(
            description="Python code",
            style={"description_width": LABEL},
            layout=widgets.Layout(width="98%"),
        )
        self.widget.observe(self._restore, names="value")

    def show(self, code: str) -> None:
        """Show a code."""
        self._code = code
        self.widget.rows = min(code.count("\n") + 2, 16)
        self._restore(None)

    def _restore(self, _: object) -> None:
        if self.widget.value != self._code:
            self.widget.value = self._code


def button(text: str, clicked: Callable[[object], None], *, primary: bool = False) -> Any:
    """Make a button. Without an icon: that would be read as a part of its name."""
    made = widgets.Button(
        description=text,
        button_style="primary" if primary else "",
        layout=widgets.Layout(width="100px", flex="0 0 auto"),
    )
    made.on_click(clicked)
    return made


def error_words(error: Exception) -> str:
    """Say an error. Of one that is not ours only its kind: its words may quote data."""
    if isinstance(error, LrnError):
        return str(error)
    return f"{type(error).__name__}, which was not foreseen"


def heading(text: str) -> Any:
    """Make a heading that a screen reader can jump to."""
    return widgets.HTML(
        f'<h4 style="margin:10px 0 2px;font-size:1em;color:{_COLOURS["good"]}">'
        f"{html.escape(text)}</h4>"
    )


def row(*children: Any) -> Any:
    """Put widgets beside each other, from the top."""
    return widgets.HBox(
        children,
        layout=widgets.Layout(align_items="flex-start", width="100%", flex_flow="row wrap"),
    )
