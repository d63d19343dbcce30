"""The widgets that all forms are made of: inputs, buttons, headings, rows, messages, code."""

from __future__ import annotations

import html
from collections.abc import Callable
from typing import Any, Literal

import ipywidgets as widgets

from lrnanalysis.errors import LrnError

__all__ = [
    "LABEL_WIDTH",
    "CodeArea",
    "Message",
    "button",
    "checkbox",
    "error_text",
    "form_box",
    "heading",
    "menu",
    "row",
    "text_input",
]

#: Width of all labels, so that the inputs are aligned.
LABEL_WIDTH = "126px"

_COLOURS = {
    "hint": "var(--jp-ui-font-color2, #616161)",
    "status": "var(--jp-ui-font-color1, #212121)",
    "problem": "var(--jp-error-color0, #b3261e)",
}


class Message:
    """A short text beside an input or below the form; screen readers announce problems at once."""

    def __init__(self) -> None:
        self.widget = widgets.HTML(
            layout=widgets.Layout(min_width="200px", flex="1 1 0%", margin="2px 0 2px 8px")
        )

    def show(self, text: str, kind: Literal["hint", "status", "problem"] = "hint") -> None:
        """Show a text in place of the one before."""
        role = {"problem": ' role="alert"', "status": ' role="status"'}.get(kind, "")
        sign = "⚠ " if kind == "problem" else ""
        self.widget.layout.display = "" if text else "none"
        self.widget.value = (
            f'<div{role} style="line-height:1.35;padding:5px 0;overflow-wrap:anywhere;'
            f'white-space:normal;color:{_COLOURS[kind]}">{sign}{html.escape(text)}</div>'
        )


class CodeArea:
    """Python code, ready to be selected and copied; edits are undone."""

    def __init__(self) -> None:
        self._code = ""
        # A writable input, since it can be reached and selected with the keyboard, and since
        # JupyterLab takes keys in read-only ones for its own commands.
        self.widget = widgets.Textarea(
            description="Python code",
            style={"description_width": LABEL_WIDTH},
            layout=widgets.Layout(width="98%"),
        )
        self.widget.observe(self._restore, names="value")

    def show(self, code: str) -> None:
        """Show code in place of the code before."""
        self._code = code
        self.widget.rows = min(code.count("\n") + 2, 16)
        self._restore(None)

    def _restore(self, _: object) -> None:
        if self.widget.value != self._code:
            self.widget.value = self._code


def text_input(label: str, placeholder: str = "", *, rows: int = 1, width: str = "440px") -> Any:
    """Make a labelled text input of one or several lines."""
    kind = widgets.Text if rows == 1 else widgets.Textarea
    more = {} if rows == 1 else {"rows": rows}
    return kind(description=label, placeholder=placeholder, **_labelled(width), **more)


def menu(label: str, options: dict[str, Any], value: Any, *, width: str = "440px") -> Any:
    """Make a labelled menu: text shown → value."""
    return widgets.Dropdown(
        description=label, options=list(options.items()), value=value, **_labelled(width)
    )


def checkbox(label: str) -> Any:
    """Make a checkbox that is as wide as its label."""
    return widgets.Checkbox(
        description=label,
        indent=False,
        layout=widgets.Layout(width="auto", flex="0 0 auto", margin="2px 14px 2px 4px"),
    )


def button(label: str, on_click: Callable[[object], None], *, primary: bool = False) -> Any:
    """Make a button; without an icon, which would be read out as a part of its name."""
    made = widgets.Button(
        description=label,
        button_style="primary" if primary else "",
        layout=widgets.Layout(width="100px", flex="0 0 auto"),
    )
    made.on_click(on_click)
    return made


def heading(text: str) -> Any:
    """Make a heading that a screen reader can jump to."""
    return widgets.HTML(
        f'<h4 style="margin:10px 0 2px;font-size:1em;color:{_COLOURS["status"]}">'
        f"{html.escape(text)}</h4>"
    )


def row(*children: Any) -> Any:
    """Place widgets side by side; they wrap where the page is narrow."""
    return widgets.HBox(
        children,
        layout=widgets.Layout(align_items="flex-start", width="100%", flex_flow="row wrap"),
    )


def form_box(*children: Any) -> Any:
    """Place the rows of a form below each other."""
    return widgets.VBox(children, layout=widgets.Layout(max_width="1000px", padding="4px"))


def error_text(error: Exception) -> str:
    """Describe an error; an unexpected one only by its class, since its text may quote data."""
    if isinstance(error, LrnError):
        return str(error)
    return f"unexpected error ({type(error).__name__})"


def _labelled(width: str) -> dict[str, Any]:
    return {
        "style": {"description_width": LABEL_WIDTH},
        "layout": widgets.Layout(width=width, max_width="100%", flex="0 0 auto"),
    }
