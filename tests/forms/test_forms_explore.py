"""ExploreForm: the sessions and decisions chosen, the equivalent code, and the tabs."""

from typing import get_args

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lrnanalysis as lrn
from form_widgets import field, message_beside, shows, text_of, walk
from lrnanalysis import MeasureError, QueryError
from lrnanalysis.analysis.decisions import Decisions
from lrnanalysis.forms.analysis_views import VIEWS
from lrnanalysis.measures.scores import Attempts

STUDY = lrn.load_example()
USERS = sorted(STUDY.sessions["user_id"].unique())
ITEMS = sorted(STUDY.items["item_reference"].astype(str).unique())
STATUSES = {"Completed (258)": True, "Pending Scoring (46)": True, "Discarded (9)": False}


@pytest.fixture
def form():
    form = lrn.ExploreForm(STUDY)
    yield form
    form.close()


def tabs(form):
    (found,) = [one for one in walk(form.widget) if hasattr(one, "titles")]
    return found


def view(form, title):
    found = tabs(form)
    found.selected_index = list(found.titles).index(title)
    return found.children[found.selected_index].value


def run(code, study=STUDY):
    names = {"study": study}
    exec(code, names)
    return names["analysis"]


def assert_same(ours, theirs):
    assert ours.caption == theirs.caption
    assert ours.sessions.equals(theirs.sessions)
    assert ours.responses.equals(theirs.responses)
    assert ours.items.equals(theirs.items)
    assert ours.scores.equals(theirs.scores)


def test_the_defaults_are_those_of_an_analysis(form):
    assert form.study is STUDY
    assert form.code == "analysis = study.analysis()"
    assert_same(form.analysis, STUDY.analysis())
    assert shows(form, form.analysis.caption)
    for label, tick in STATUSES.items():
        assert field(form, label).value == tick
    for label in ("Attempts", "Omitted", "Not reached"):
        name = label.lower().replace(" ", "_")
        assert field(form, label).value == getattr(Decisions, name)
    assert Decisions.rapid is None
    assert field(form, "Rapid guesses").value == ""


def test_the_menus_offer_all_attempts_and_words_for_cells(form):
    assert {value for _, value in field(form, "Attempts").options} == set(get_args(Attempts))
    for label in ("Omitted", "Not reached"):
        values = {value for _, value in field(form, label).options}
        assert values == {"wrong", "missing", "recorded"}
    for _, rapid in field(form, "Rapid guesses").options:
        field(form, "Rapid guesses").value = rapid
        assert form.analysis.decisions.rapid == (rapid or None)
        assert form.analysis.scores.notna().any(axis=None)


def test_each_field_does_what_it_says(form):
    field(form, "Pending Scoring (46)").value = False
    assert (form.analysis.sessions["status"] == "Completed").all()
    assert form.code == 'analysis = study.analysis(status="Completed")'
    assert form.study is STUDY
    field(form, "Attempts").value = "all"
    assert len(form.analysis.sessions) == 258
    field(form, "Omitted").value = "missing"
    assert form.analysis.scores[form.analysis.cells == "omitted"].isna().all(axis=None)
    users = list(form.analysis.sessions["user_id"].unique()[:2])
    field(form, "User IDs").value = ", ".join(users)
    assert set(form.study.sessions["user_id"]) == set(users)
    assert set(form.analysis.sessions["user_id"]) == set(users)
    assert shows(form, "of 324 sessions selected: ")


def test_no_status_selected_means_any_status(form):
    for label in STATUSES:
        field(form, label).value = False
    field(form, "Incomplete (11)").value = False
    assert shows(form, "none selected: any")
    assert form.analysis.decisions.status == "all"
    assert form.code == 'analysis = study.analysis(status="all")'


def test_items_select_the_sessions_that_show_them(form):
    sessions = STUDY.items.loc[STUDY.items["item_reference"] == "item-20", "session_id"]
    field(form, "Items").value = "item-20"
    assert set(form.study.sessions["session_id"]) == set(sessions)


def test_a_period_of_start_includes_both_ends(form):
    started = STUDY.sessions["dt_started"]
    first, last = started.quantile([0.25, 0.75])
    field(form, "Started from").value = first.isoformat()
    field(form, "Started until").value = last.isoformat()
    kept = form.study.sessions["dt_started"]
    assert kept.min() >= first.floor("s")
    assert kept.max() <= last.ceil("s")
    assert len(kept) == started.between(first.floor("s"), last.ceil("s")).sum()


@pytest.mark.slow
@settings(max_examples=20)
@given(
    st.sets(st.sampled_from(sorted(STATUSES))),
    st.sampled_from(get_args(Attempts)),
    st.sampled_from(["wrong", "missing", "recorded"]),
    st.sampled_from(["", "nt10", "mixture"]),
    st.sampled_from(["", "2026-01-10", "2026-06-01T12:00"]),
    st.lists(st.sampled_from(USERS), max_size=40),
    st.lists(st.sampled_from(ITEMS), max_size=2),
)
def test_the_code_makes_the_analysis_of_the_form(
    statuses, attempts, omitted, rapid, latest, users, items
):
    form = lrn.ExploreForm(STUDY)
    tabs(form).selected_index = list(VIEWS).index("Tables")
    for status in STATUSES:
        field(form, status).value = status in statuses
    field(form, "Attempts").value = attempts
    field(form, "Omitted").value = omitted
    field(form, "Rapid guesses").value = rapid
    field(form, "Started until").value = latest
    field(form, "User IDs").value = " ".join(users)
    field(form, "Items").value = " ".join(items)
    assert field(form, "Python code").value == form.code
    try:
        found = form.analysis
    except MeasureError as error:
        with pytest.raises(MeasureError, match=str(error)[:12]):
            run(form.code)
    else:
        assert_same(found, run(form.code))
    form.close()


def test_a_period_is_described_beside_its_fields(form):
    assert message_beside(form, "Started until") == "any time"
    field(form, "Started from").value = "2026-01-10"
    assert message_beside(form, "Started until") == "from Sat 10 Jan 2026, 00:00:00 UTC"
    assert '>= "2026-01-10T00:00:00Z"' in form.code


def test_a_problem_is_shown_and_nothing_is_updated(form):
    before = view(form, "Overview")
    field(form, "User IDs").value = f"{USERS[0]} nobody no-one"
    assert message_beside(form, "User IDs") == (
        "⚠ 2 of 3 not found in this study; the first is number 2 of the list"
    )
    field(form, "Started from").value = "soon"
    assert "'soon' is not a valid date or time" in message_beside(form, "Started until")
    assert shows(form, "not updated: 2 fields to correct: Started, User IDs")
    assert view(form, "Overview") == before
    for read in ("code", "study", "analysis"):
        with pytest.raises(QueryError, match="Started: 'soon' is not a valid date") as raised:
            getattr(form, read)
        assert "nobody" not in str(raised.value)
        assert USERS[0] not in str(raised.value)
    field(form, "Started from").value = ""
    field(form, "User IDs").value = USERS[0]
    assert len(form.study) <= 2
    assert view(form, "Overview") != before


@pytest.mark.parametrize("title", VIEWS)
def test_every_tab_shows_the_analysis(form, title):
    before = view(form, title)
    assert ("<table" in before) != ('<img alt="' in before)
    assert 'role="alert"' not in before
    field(form, "Attempts").value = "last"
    assert view(form, title) != before


def test_all_tabs_state_the_same_size_and_rules(form):
    field(form, "Attempts").value = "all"
    field(form, "Not reached").value = "wrong"
    analysis = form.analysis
    n = analysis.n_persons
    assert n == 304
    assert shows(form, f"^{n} sessions of ")
    assert f"{n} sessions of" in view(form, "Overview")
    assert f"sessions: 8 of {n} rows" in view(form, "Tables")
    assert f"{n} sessions of" in text_of(view(form, "Items"))
    for title in ("Times", "Accuracy", "Pacing", "Scores"):
        assert analysis.caption in view(form, title).replace("&#x27;", "'")


def test_plots_show_the_chosen_item_with_a_text_alternative(form):
    field(form, "Item to plot").value = "item-07"
    assert 'alt="Times on item-07. x axis: time on screen [s], y axis:' in view(form, "Times")
    field(form, "Item to plot").value = "item-08"
    assert 'alt="Times on item-08.' in view(form, "Times")


def test_an_empty_selection_is_explained(form):
    field(form, "Started from").value = "2090-01-01"
    assert len(form.study) == 0
    with pytest.raises(MeasureError, match="session"):
        _ = form.analysis
    with pytest.raises(MeasureError, match="session"):
        run(form.code)
    for title in VIEWS:
        assert 'role="alert"' in view(form, title)
        assert "unexpected" not in view(form, title)
    field(form, "Started from").value = ""
    assert form.study is STUDY
    assert 'role="alert"' not in view(form, "Times")


def test_activities_without_a_common_item_need_a_choice():
    other = STUDY[:40]
    for frame in (other.sessions, other.responses, other.items):
        frame["session_id"] = frame["session_id"].astype(str) + "-other"
        if "item_reference" in frame:
            renamed = "other-" + frame["item_reference"].astype(str)
            frame["item_reference"] = renamed.astype("category")
    other.sessions["activity_id"] = pd.Categorical(["other"] * len(other))
    form = lrn.ExploreForm(STUDY.updated(other))
    with pytest.raises(MeasureError, match="2 activities without an item in common"):
        _ = form.analysis
    assert shows(form, "2 activities without an item in common")
    field(form, "Activity").value = "other"
    assert (form.analysis.sessions["activity_id"] == "other").all()
    assert form.code == 'analysis = study.analysis(activity="other")'
    assert set(field(form, "Item to plot").options) == set(other.items["item_reference"])
    form.close()


def test_answers_and_ids_are_not_in_what_is_stored(form):
    shown = view(form, "Tables")
    answers = STUDY.responses["value"].dropna().head(8)
    assert len(answers)
    assert "value_type" in shown
    assert ">value<" not in shown
    assert all(answer not in shown for answer in answers if len(answer) > 6)
    field(form, "User IDs").value = USERS[0]
    assert repr(form) == f"<ExploreForm: {len(form.study)} of 324 sessions selected>"


def test_only_a_study_with_sessions_is_explored():
    with pytest.raises(QueryError, match=r"study is a DataFrame of .*: pass a SessionData"):
        lrn.ExploreForm(STUDY.sessions)
    with pytest.raises(QueryError, match="no sessions"):
        lrn.ExploreForm(STUDY[:0])
