"""What all forms share: fields that are checked as they change, and how problems are shown."""

from __future__ import annotations

from typing import Any

from lrnanalysis.errors import QueryError
from lrnanalysis.forms.form_elements import CodeArea, error_text
from lrnanalysis.forms.form_fields import FormField

__all__ = ["NotebookForm"]


class NotebookForm:
    """A form for a notebook.

    A subclass has a `widget`, gives its `_fields`, and shows in `_refresh` and `_show_problem`
    what follows from them.
    """

    widget: Any

    def __init__(self) -> None:
        self._code = CodeArea()
        self._filling = False

    def close(self) -> None:
        """Remove the form from the page."""
        self.widget.close()

    @property
    def _fields(self) -> list[FormField]:
        raise NotImplementedError

    def _refresh(self) -> None:
        raise NotImplementedError

    def _show_problem(self, text: str) -> None:
        raise NotImplementedError

    def _watch(self, inputs: list[Any]) -> None:
        """Check all fields whenever one of the inputs changes."""
        for one in inputs:
            one.observe(self._on_change, names="value")

    def _on_change(self, _: object) -> None:
        if self._filling:
            return
        try:
            self._check()
        except Exception as error:  # noqa: BLE001 - ipywidgets would swallow it
            self._show_problem(error_text(error))

    def _check(self) -> None:
        """Check all fields; show the problems, or what follows from the fields."""
        for field in self._fields:
            field.check()
        problems = [field.label for field in self._fields if field.problem]
        if problems:
            count = "1 field" if len(problems) == 1 else f"{len(problems)} fields"
            text = f"{count} to correct: {', '.join(problems)}"
            self._code.show(f"# {text}")
            self._show_problem(text)
        else:
            self._refresh()

    def _require_valid(self) -> None:
        """Raise a `QueryError` that names every problem."""
        problems = [f"{one.label}: {one.problem}" for one in self._fields if one.problem]
        if problems:
            raise QueryError("; ".join(problems))

    def _repr_mimebundle_(self, **options: Any) -> Any:
        return self.widget._repr_mimebundle_(**options) | {"text/plain": repr(self)}
