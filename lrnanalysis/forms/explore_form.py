"""ExploreForm: choose sessions and decisions; an analysis, its tables and plots follow."""

from __future__ import annotations

import html

import ipywidgets as widgets
import numpy as np

from lrnanalysis.analysis import Analysis
from lrnanalysis.arguments import checked_with
from lrnanalysis.errors import LrnError, QueryError
from lrnanalysis.forms.analysis_fields import AnalysisFields
from lrnanalysis.forms.analysis_views import VIEWS
from lrnanalysis.forms.code_generation import analysis_code
from lrnanalysis.forms.form_elements import Message, error_text, form_box, heading, menu
from lrnanalysis.forms.form_fields import FormField
from lrnanalysis.forms.notebook_form import NotebookForm
from lrnanalysis.study import SessionData

__all__ = ["ExploreForm"]


class ExploreForm(NotebookForm):
    """A form to analyse a study: choose sessions and decisions, see tables and plots.

    Activity, statuses, attempts, and what omitted, not reached and rapid answers become, are
    arguments of `SessionData.analysis`, whose defaults are those of the form. Before that, the
    study can be restricted to sessions that were started in a period, belong to certain users,
    or show certain items; attempts are counted among these. All tabs show one analysis.
    Learners' answers are not shown.

    Parameters
    ----------
    study : SessionData
        The study to analyse. It is not changed.

    Attributes
    ----------
    widget : VBox
        The form as a widget, to be placed in others.

    Raises
    ------
    QueryError
        It is not a study, or has no sessions.

    Examples
    --------
    >>> import lrnanalysis as lrn
    >>> form = lrn.ExploreForm(lrn.load_example())
    >>> print(form.code)
    analysis = study.analysis()
    """

    @checked_with(QueryError)
    def __init__(self, study: SessionData) -> None:
        super().__init__()
        if not len(study):
            raise QueryError("the study has no sessions: pass one that has")
        self._whole = study
        self._selected = study
        self._analysis: Analysis | LrnError
        self._choices = AnalysisFields(study)
        self._status = Message()
        self._item = menu("Item to plot", {}, None)
        self._views = [widgets.HTML(layout=widgets.Layout(width="98%")) for _ in VIEWS]
        self._tabs = widgets.Tab(self._views, titles=list(VIEWS), selected_index=0)
        self.widget = form_box(
            *self._choices.rows(),
            heading("Equivalent code"),
            self._code.widget,
            heading("Analysis"),
            self._status.widget,
            self._item,
            self._tabs,
        )
        self._check()
        for field in self._fields:
            self._watch(field.inputs)
        self._item.observe(self._show_view, names="value")
        self._tabs.observe(self._show_view, names="selected_index")

    @property
    def study(self) -> SessionData:
        """The selected sessions, with their responses and items.

        Raises
        ------
        QueryError
            A field is wrong.
        """
        self._require_valid()
        return self._selected

    @property
    def analysis(self) -> Analysis:
        """The analysis of the selected sessions, as all tabs show it.

        Raises
        ------
        QueryError
            A field is wrong.
        MeasureError
            The analysis cannot be made, for instance since no session remains.
        """
        self._require_valid()
        if isinstance(self._analysis, LrnError):
            raise self._analysis
        return self._analysis

    @property
    def code(self) -> str:
        """Python code that makes the same analysis of ``study``.

        Raises
        ------
        QueryError
            A field is wrong.
        """
        self._require_valid()
        conditions = {one.name: one.code for one in self._choices.conditions}
        return analysis_code(conditions, self._choices.decisions)

    @property
    def _fields(self) -> list[FormField]:
        return self._choices.fields

    def _refresh(self) -> None:
        self._code.show(self.code)
        masks = [one.mask.to_numpy(dtype=bool) for one in self._choices.conditions]
        self._selected = self._whole[np.logical_and.reduce(masks)] if masks else self._whole
        try:
            self._analysis = self._selected.analysis(**self._choices.decisions)
        except LrnError as error:
            self._analysis = error
            self._status.show(str(error), "problem")
        else:
            selected = f"{len(self._selected):,} of {len(self._whole):,} sessions selected: "
            self._status.show((selected if masks else "") + self._analysis.caption, "status")
            self._offer_items(self._analysis)
        self._show_view()

    def _show_problem(self, text: str) -> None:
        self._status.show(f"not updated: {text}", "problem")

    def _offer_items(self, analysis: Analysis) -> None:
        """Offer the items of the analysis; the one that is shown stays where it can."""
        offered = sorted(map(str, analysis.times.columns))
        if offered == list(self._item.options):
            return
        before = self._item.value
        self._filling = True
        try:
            self._item.options = offered
            self._item.value = before if before in offered else offered[0]
        finally:
            self._filling = False

    def _show_view(self, _: object = None) -> None:
        """Draw the tab that is open; the others when they are opened."""
        if self._filling:
            return
        at = self._tabs.selected_index or 0
        try:
            if isinstance(self._analysis, LrnError):
                raise self._analysis
            shown = list(VIEWS.values())[at](self._analysis, self._item.value)
        except Exception as error:  # noqa: BLE001 - ipywidgets would swallow it
            shown = f'<div role="alert">{html.escape(error_text(error))}</div>'
        self._views[at].value = shown

    def __repr__(self) -> str:
        return f"<ExploreForm: {len(self._selected):,} of {len(self._whole):,} sessions selected>"
