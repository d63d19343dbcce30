"""FetchForm: a query as a form, the equivalent code, and a fetch in the background."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lrnanalysis.api.client import Client
from lrnanalysis.api.query import Query
from lrnanalysis.arguments import checked_with
from lrnanalysis.errors import QueryError
from lrnanalysis.forms.code_generation import fetch_code
from lrnanalysis.forms.data_source import DataSource
from lrnanalysis.forms.fetch_runner import FetchRequest, FetchRunner
from lrnanalysis.forms.form_elements import form_box, heading
from lrnanalysis.forms.form_fields import FormField
from lrnanalysis.forms.notebook_form import NotebookForm
from lrnanalysis.forms.presets import PresetBar, PresetFile
from lrnanalysis.forms.query_fields import QueryFields
from lrnanalysis.study import SessionData

__all__ = ["FetchForm"]


class FetchForm(NotebookForm):
    """A form for a query of the Data API: fill it in, see the equivalent code, run it.

    Beside each field stands how your input was interpreted, or what is wrong with it. *Fetch*
    runs in the background, so that other cells can be run meanwhile; *Cancel* keeps what was
    fetched, and *Resume* fetches the rest. "Run all" does not wait for a form: for a notebook
    that runs unattended, copy the form's code into a cell.

    Parameters
    ----------
    query : Query, optional
        Initial values of the fields.
    client : Client, optional
        Client to use. By default the form offers the embedded Data API with simulated learners,
        credentials from the environment, and profiles. There is no field for a secret.
    presets : str or Path, default "lrn_presets.json"
        The file of the form's presets, created when the first is saved. It never holds a secret,
        and user and session IDs only where that is selected.

    Attributes
    ----------
    widget : VBox
        The form as a widget, to be placed in others.

    Examples
    --------
    >>> import lrnanalysis as lrn
    >>> form = lrn.FetchForm(lrn.Query(activity_id="demo", status="Completed"))
    >>> form
    <FetchForm: ready, nothing fetched yet>
    >>> form.query
    Query(activity_id=('demo',), status=('Completed',))
    """

    @checked_with(QueryError)
    def __init__(
        self,
        query: Query | None = None,
        *,
        client: Client | None = None,
        presets: str | Path = "lrn_presets.json",
    ) -> None:
        super().__init__()
        self._source = DataSource(client)
        self._filters = QueryFields()
        self._runner = FetchRunner(self._request)
        bar = PresetBar(PresetFile(presets), self._settings, self._fill_settings)
        self.widget = form_box(
            heading("Data source"),
            *self._source.rows(),
            *self._filters.rows(),
            heading("Equivalent code"),
            self._code.widget,
            *bar.rows(),
            heading("Fetch"),
            *self._runner.rows(),
        )
        self._watch(self._source.inputs)
        for field in self._filters.fields:
            self._watch(field.inputs)
        self._fill(query or Query(), None)

    @property
    def query(self) -> Query:
        """The query that the fields describe.

        Raises
        ------
        QueryError
            A field is wrong.
        """
        self._require_valid()
        return self._filters.query

    @property
    def code(self) -> str:
        """Python code for the same fetch.

        Raises
        ------
        QueryError
            A field is wrong.
        """
        return fetch_code(self.query, self._source.code, self._filters.max_sessions)

    @property
    def study(self) -> SessionData | None:
        """The result of the last fetch, even if cancelled or failed; None before the first."""
        return self._runner.study

    @property
    def error(self) -> Exception | None:
        """What stopped the last fetch, or None."""
        return self._runner.error

    @property
    def running(self) -> bool:
        """Whether a fetch is in progress."""
        return self._runner.running

    def fetch(self) -> None:
        """Start the fetch in the background, as the button does.

        Raises
        ------
        QueryError
            A field is wrong, or a fetch is in progress. Nothing is sent.
        """
        self._runner.fetch()

    def cancel(self) -> None:
        """Stop the fetch after the current page; `study` keeps what was fetched."""
        self._runner.cancel()

    def resume(self) -> None:
        """Fetch the remaining sessions of a fetch that was cancelled or failed.

        Raises
        ------
        QueryError
            There is none, or a fetch is in progress.
        """
        self._runner.resume()

    @checked_with(QueryError)
    def wait(self, timeout: float | None = None) -> SessionData | None:
        """Wait for the fetch, and return `study`; the kernel is busy meanwhile.

        Parameters
        ----------
        timeout : float, optional
            Longest wait [s].
        """
        self._runner.wait(timeout)
        return self.study

    def close(self) -> None:
        """Cancel the fetch, remove the form from the page, and stop the embedded Data API."""
        self.cancel()
        self.wait()
        self._source.close()
        super().close()

    @property
    def _fields(self) -> list[FormField]:
        return [*self._source.fields, *self._filters.fields]

    def _check(self) -> None:
        self._source.show_fields()
        super()._check()

    def _refresh(self) -> None:
        self._code.show(self.code)
        self._runner.set_ready(True)
        self._runner.readiness.show("")

    def _show_problem(self, text: str) -> None:
        self._runner.set_ready(False)
        self._runner.readiness.show(text, "problem")

    def _request(self) -> FetchRequest:
        return FetchRequest(self.query, self._source.client(), self._filters.max_sessions)

    def _settings(self) -> dict[str, Any]:
        return {"query": self.query.to_dict(), "max_sessions": self._filters.max_sessions}

    def _fill_settings(self, settings: dict[str, Any]) -> None:
        self._fill(Query(**settings["query"]), settings.get("max_sessions"))

    def _fill(self, query: Query, max_sessions: int | None) -> None:
        """Write a query into the fields; they are checked once, not one by one."""
        self._filling = True
        try:
            self._filters.fill(query, max_sessions)
        finally:
            self._filling = False
        self._check()

    def __repr__(self) -> str:
        problems = sum(one.problem is not None for one in self._fields)
        state = "fetching" if self.running else "ready"
        if problems and not self.running:
            state = f"{problems} field{'s' if problems > 1 else ''} to correct"
        result = "nothing fetched yet" if self.study is None else self.study
        return f"<FetchForm: {state}, {result}>"
