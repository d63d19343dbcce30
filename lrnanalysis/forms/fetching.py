"""FetchForm: a query as a form, its Python code, and the fetch beside the kernel."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ipywidgets as widgets

from lrnanalysis.api.client import Client
from lrnanalysis.api.query import Query
from lrnanalysis.errors import QueryError
from lrnanalysis.forms.code import fetch_code
from lrnanalysis.forms.connection import Connection
from lrnanalysis.forms.fields import CodeArea, Field, error_words, heading
from lrnanalysis.forms.filters import Filters
from lrnanalysis.forms.presets import PresetBar, Presets
from lrnanalysis.forms.running import Run, Runner
from lrnanalysis.study import SessionData

__all__ = ["FetchForm"]


class FetchForm:
    """A form for a query of the Data API: fill it in, see its code, run it.

    Each field says at once how it was understood, or what is wrong with it. *Fetch* runs beside
    the kernel, so that other cells can be run meanwhile; *Cancel* keeps what has come, and
    *Go on* fetches the rest. "Run all" does not wait for a form: for a notebook that runs by
    itself, copy the form's code into a cell.

    Parameters
    ----------
    query : Query, optional
        What the fields hold at first.
    client : Client, optional
        Whom to ask. By default the form offers the embedded Data API with simulated learners, the
        environment's credentials, and profiles. There is no field for a secret.
    presets : str or Path, default "lrn_presets.json"
        The file of the form's presets, made when the first is saved. It never holds a secret, and
        users' and sessions' ids only where that is ticked.

    Attributes
    ----------
    widget : VBox
        The form as a widget, to be put into others.

    Examples
    --------
    >>> import lrnanalysis as lrn
    >>> form = lrn.FetchForm(lrn.Query(activity_id="demo", status="Completed"))
    >>> form
    <FetchForm: ready, no study yet>
    >>> form.query
    Query(activity_id=('demo',), status=('Completed',))
    """

    def __init__(
        self,
        query: Query | None = None,
        *,
        client: Client | None = None,
        presets: str | Path = "lrn_presets.json",
    ) -> None:
        self._connection = Connection(client)
        self._filters = Filters()
        self._runner = Runner(self._wanted)
        self._code = CodeArea()
        self._presets = PresetBar(Presets(presets), self._settings, self._fill_settings)
        self._filling = False
        self.widget = self._layout()
        for widget in (*self._connection.inputs, *self._filters.inputs):
            widget.observe(self._changed, names="value")
        self._fill(query or Query(), None)

    @property
    def query(self) -> Query:
        """The query of the fields as they are.

        Raises
        ------
        QueryError
            A field is wrong.
        """
        self._raise_problems()
        return self._filters.query

    @property
    def code(self) -> str:
        """Python code of this very fetch.

        Raises
        ------
        QueryError
            A field is wrong.
        """
        query = self.query
        return fetch_code(query, self._connection.code, self._filters.max_sessions)

    @property
    def study(self) -> SessionData | None:
        """What was fetched last, a cancelled or failed fetch included; None before the first."""
        return self._runner.study

    @property
    def error(self) -> Exception | None:
        """What stopped the last fetch, or None."""
        return self._runner.error

    @property
    def running(self) -> bool:
        """Whether a fetch is under way."""
        return self._runner.running

    def fetch(self) -> None:
        """Start the fetch beside the kernel, as its button does.

        Raises
        ------
        QueryError
            A field is wrong, or a fetch is under way. Nothing is sent.
        """
        self._runner.fetch()

    def cancel(self) -> None:
        """End the fetch after the page under way; what has come is in `study`."""
        self._runner.cancel()

    def go_on(self) -> None:
        """Fetch the rest of a fetch that was cancelled or failed.

        Raises
        ------
        QueryError
            There is none, or a fetch is under way.
        """
        self._runner.go_on()

    def wait(self, timeout: float | None = None) -> SessionData | None:
        """Wait for the fetch, and give `study`. The kernel answers nothing else meanwhile.

        Parameters
        ----------
        timeout : float, optional
            Longest wait [s].
        """
        self._runner.wait(timeout)
        return self.study

    def close(self) -> None:
        """Cancel, take the form off the page, and stop the embedded Data API."""
        self.cancel()
        self.wait()
        self._connection.close()
        self.widget.close()

    def _layout(self) -> Any:
        return widgets.VBox(
            [
                heading("Whom to ask"),
                *self._connection.rows(),
                *self._filters.rows(),
                heading("The same as code"),
                self._code.widget,
                *self._presets.rows(),
                heading("Fetch"),
                *self._runner.rows(),
            ],
            layout=widgets.Layout(max_width="1000px", padding="4px"),
        )

    def _changed(self, _: object) -> None:
        if self._filling:
            return
        try:
            self._refresh()
        except Exception as error:  # noqa: BLE001 - a callback's exceptions would be swallowed
            self._runner.ready(False)
            self._runner.readiness.say(error_words(error), "wrong")

    def _refresh(self) -> None:
        """Read every field, and show what follows from all of them."""
        self._connection.check()
        self._filters.check()
        problems = self._problems()
        self._runner.ready(not problems)
        if problems:
            count = "one field" if len(problems) == 1 else f"{len(problems)} fields"
            summary = f"{count} to correct: {', '.join(one.label for one in problems)}"
            self._code.show(f"# {summary}")
            self._runner.readiness.say(summary, "wrong")
        else:
            self._code.show(self.code)
            self._runner.readiness.say("")

    def _problems(self) -> list[Field[Any]]:
        fields = (*self._connection.fields, *self._filters.fields)
        return [field for field in fields if field.problem is not None]

    def _raise_problems(self) -> None:
        problems = self._problems()
        if problems:
            raise QueryError("; ".join(f"{one.label}: {one.problem}" for one in problems))

    def _wanted(self) -> Run:
        return Run(self.query, self._connection.chosen(), self._filters.max_sessions)

    def _settings(self) -> dict[str, Any]:
        return {"query": self.query.to_dict(), "max_sessions": self._filters.max_sessions}

    def _fill_settings(self, settings: dict[str, Any]) -> None:
        self._fill(Query(**settings["query"]), settings.get("max_sessions"))

    def _fill(self, query: Query, max_sessions: int | None) -> None:
        """Write a query into the fields; what follows is shown once, not field by field."""
        self._filling = True
        try:
            self._filters.fill(query, max_sessions)
        finally:
            self._filling = False
        self._refresh()

    def __repr__(self) -> str:
        problems = len(self._problems())
        if self.running:
            state = "fetching"
        elif problems:
            state = f"{problems} field{'s' if problems > 1 else ''} to correct"
        else:
            state = "ready"
        return f"<FetchForm: {state}, {'no study yet' if self.study is None else self.study}>"

    def _repr_mimebundle_(self, **options: Any) -> Any:
        return self.widget._repr_mimebundle_(**options) | {"text/plain": repr(self)}
