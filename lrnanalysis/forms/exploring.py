"""ExploreForm: choose sessions of a study; the tables and pictures follow."""

from __future__ import annotations

import html
from typing import Any

import ipywidgets as widgets
import pandas as pd

from lrnanalysis.errors import QueryError
from lrnanalysis.forms.choosing import Choice, Choices
from lrnanalysis.forms.code import selection_code
from lrnanalysis.forms.fields import LABEL, CodeArea, Note, error_words, heading
from lrnanalysis.forms.views import VIEWS
from lrnanalysis.study import SessionData

__all__ = ["ExploreForm"]


class ExploreForm:
    """A form to look at a study: choose sessions, and its tables and pictures follow.

    Activity, statuses, attempts, times of start, users and items are chosen from; an item means
    the sessions in which it was shown. Attempts are counted in the whole study. Learners' answers
    are not shown.

    Parameters
    ----------
    study : SessionData
        What is looked at. It is not changed.

    Attributes
    ----------
    study : SessionData
        The sessions chosen, with their responses and items.
    widget : VBox
        The form as a widget, to be put into others.

    Raises
    ------
    QueryError
        It is not a study, or one without sessions.

    Examples
    --------
    >>> import lrnanalysis as lrn
    >>> form = lrn.ExploreForm(lrn.load_example())
    >>> form
    <ExploreForm: 324 of 324 sessions>
    >>> print(form.code)
    selection = study[:]
    """

    def __init__(self, study: SessionData) -> None:
        if not isinstance(study, SessionData):
            raise QueryError(
                f"a {type(study).__name__} cannot be explored: pass a study, such as "
                "lrn.load_example() or what lrn.fetch gave"
            )
        if not len(study):
            raise QueryError("the study has no sessions: there is nothing to explore")
        self._all = study
        self.study = study
        self._choices = Choices(study)
        self._offering = False
        self._code = CodeArea()
        self._status = Note()
        self._item = widgets.Dropdown(
            description="Item to picture",
            style={"description_width": LABEL},
            layout=widgets.Layout(width="440px"),
        )
        self._views = [widgets.HTML(layout=widgets.Layout(width="98%")) for _ in VIEWS]
        self._tabs = widgets.Tab(self._views, titles=list(VIEWS), selected_index=0)
        self.widget = widgets.VBox(
            [
                *self._choices.rows(),
                self._status.widget,
                self._code.widget,
                heading("What was chosen"),
                self._item,
                self._tabs,
            ],
            layout=widgets.Layout(max_width="1000px", padding="4px"),
        )
        self._choose()
        for widget in self._choices.inputs:
            widget.observe(self._changed, names="value")
        self._item.observe(self._changed_view, names="value")
        self._tabs.observe(self._changed_view, names="selected_index")

    @property
    def code(self) -> str:
        """Python code that makes this selection of ``study``.

        Raises
        ------
        QueryError
            A field is wrong.
        """
        problems = [field for field in self._choices.fields if field.problem]
        if problems:
            raise QueryError("; ".join(f"{one.label}: {one.problem}" for one in problems))
        return _code(self._choices.made())

    def close(self) -> None:
        """Take the form off the page."""
        self.widget.close()

    def _changed(self, _: object) -> None:
        try:
            self._choose()
        except Exception as error:  # noqa: BLE001 - a callback's exceptions would be swallowed
            self._status.say(error_words(error), "wrong")

    def _changed_view(self, _: object) -> None:
        if not self._offering:
            self._look()

    def _choose(self) -> None:
        """Read the fields; where they are right, the selection and all that is seen follow."""
        self._choices.check()
        problems = [field for field in self._choices.fields if field.problem]
        if problems:
            labels = ", ".join(one.label for one in problems)
            self._code.show(f"# to correct: {labels}")
            self._status.say(f"not changed; to correct: {labels}", "wrong")
            return
        flags = pd.Series(True, index=self._all.sessions.index)
        made = self._choices.made()
        for choice in made:
            flags &= choice.flags
        self.study = self._all[flags.to_numpy()] if not flags.all() else self._all
        self._code.show(_code(made))
        self._status.say(
            f"{len(self.study):,} of {len(self._all):,} sessions, "
            f"{self.study.sessions['user_id'].nunique():,} learners, "
            f"{len(self.study.responses):,} responses, {len(self.study.items):,} items: form.study",
            "good",
        )
        self._offer_items()
        self._look()

    def _offer_items(self) -> None:
        """Offer the items that were shown; the one that is pictured stays where it can."""
        shown = self.study.items["item_reference"]
        offered = sorted(str(one) for one in shown.dropna().unique())
        if offered == list(self._item.options):
            return
        before = self._item.value
        self._offering = True
        try:
            self._item.options = offered
            self._item.value = before if before in offered else next(iter(offered), None)
        finally:
            self._offering = False

    def _look(self) -> None:
        """Draw the view that is open; the others when they are opened."""
        at = self._tabs.selected_index or 0
        view = list(VIEWS.values())[at]
        try:
            seen = (
                view(self.study, self._item.value)
                if len(self.study)
                else "<div>No session meets all of this.</div>"
            )
        except Exception as error:  # noqa: BLE001 - a callback's exceptions would be swallowed
            seen = f'<div role="alert">{html.escape(error_words(error))}</div>'
        self._views[at].value = seen

    def __repr__(self) -> str:
        return f"<ExploreForm: {len(self.study):,} of {len(self._all):,} sessions>"

    def _repr_mimebundle_(self, **options: Any) -> Any:
        return self.widget._repr_mimebundle_(**options) | {"text/plain": repr(self)}


def _code(made: list[Choice]) -> str:
    return selection_code({one.name: one.code for one in made})
