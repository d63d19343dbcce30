"""ExploreForm: what is chosen, the same as code, and what is seen of it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lrnanalysis as lrn
from form_widgets import field, note, says, walk
from lrnanalysis import QueryError
from lrnanalysis.forms.views import VIEWS

STUDY = lrn.load_example()
USERS = sorted(STUDY.sessions["user_id"].unique())
ITEMS = sorted(STUDY.items["item_reference"].astype(str).unique())


@pytest.fixture
def form():
    form = lrn.ExploreForm(STUDY)
    yield form
    form.close()


def tabs(form):
    (found,) = [one for one in walk(form.widget) if hasattr(one, "titles")]
    return found


def seen(form, title):
    found = tabs(form)
    found.selected_index = list(found.titles).index(title)
    return found.children[found.selected_index].value


def run(code):
    names = {"study": STUDY}
    exec(code, names)
    return names["selection"]


def test_at_first_all_is_chosen(form):
    assert form.study is STUDY
    assert form.code == "selection = study[:]"
    assert says(form, "324 of 324 sessions, 300 learners, 7,452 responses, 6,480 items")


def test_each_choice_is_what_it_says(form):
    field(form, "Completed (258)").value = True
    assert (form.study.sessions["status"] == "Completed").all()
    assert len(form.study) == 258
    field(form, "Attempts").value = "first_attempts"
    assert form.study.sessions["user_id"].is_unique
    field(form, "User ids").value = f"{USERS[0]}, {USERS[1]}"
    assert set(form.study.sessions["user_id"]) <= {USERS[0], USERS[1]}
    for one in form.study:
        assert set(one["session_id"]) <= set(form.study.sessions["session_id"])


def test_an_item_means_the_sessions_that_show_it(form):
    shown = STUDY.items.loc[STUDY.items["item_reference"] == "item-20", "session_id"]
    field(form, "Items").value = "item-20"
    assert set(form.study.sessions["session_id"]) == set(shown)


def test_times_of_start_take_both_ends(form):
    started = STUDY.sessions["dt_started"]
    first, last = started.quantile([0.25, 0.75])
    field(form, "Started from").value = first.isoformat()
    field(form, "Started until").value = last.isoformat()
    kept = form.study.sessions["dt_started"]
    assert kept.min() >= first.floor("s")
    assert kept.max() <= last.ceil("s")
    assert len(kept) == started.between(first.floor("s"), last.ceil("s")).sum()


@settings(max_examples=30)
@given(
    st.sets(st.sampled_from(["Completed (258)", "Pending Scoring (46)", "Discarded (9)"])),
    st.sampled_from(["", "first_attempts", "last_attempts", "best_attempts"]),
    st.sampled_from(["", "2026-01-10", "2026-06-01T12:00"]),
    st.lists(st.sampled_from(USERS), max_size=40),
    st.lists(st.sampled_from(ITEMS), max_size=2),
)
def test_the_code_makes_the_selection_of_the_form(statuses, attempts, latest, users, items):
    form = lrn.ExploreForm(STUDY)
    tabs(form).selected_index = 0
    for status in statuses:
        field(form, status).value = True
    field(form, "Attempts").value = attempts
    field(form, "Started until").value = latest
    field(form, "User ids").value = " ".join(users)
    field(form, "Items").value = " ".join(items)
    found = run(form.code)
    for ours, theirs in zip(form.study, found, strict=True):
        assert ours.equals(theirs)
    assert field(form, "Python code").value == form.code
    form.close()


def test_a_period_is_said_back_beside_its_fields(form):
    assert note(form, "Started until") == "any time"
    field(form, "Started from").value = "2026-01-10"
    assert note(form, "Started until") == "from Sat 10 Jan 2026, 00:00:00 UTC"
    assert ">= pd.Timestamp" in form.code
    assert note(form, "Started until") == "from Sat 10 Jan 2026, 00:00:00 UTC"


def test_what_is_wrong_is_said_and_the_selection_stays(form):
    field(form, "Completed (258)").value = True
    field(form, "User ids").value = "nobody no-one"
    assert "'nobody' is not in this study, nor are 1 more" in note(form, "User ids")
    field(form, "Started from").value = "soon"
    assert "'soon' is no time" in note(form, "Started until")
    assert says(form, "not changed; to correct: Started from, User ids")
    assert len(form.study) == 258
    with pytest.raises(QueryError, match="Started from: 'soon' is no time"):
        _ = form.code
    field(form, "Started from").value = ""
    field(form, "User ids").value = USERS[0]
    assert len(form.study) <= 2


@pytest.mark.parametrize("title", VIEWS)
def test_every_view_shows_the_selection(form, title):
    field(form, "Completed (258)").value = True
    shown = seen(form, title)
    assert ("<table" in shown) != ('<img alt="' in shown)
    assert 'role="alert"' not in shown
    before = shown
    field(form, "Attempts").value = "first_attempts"
    assert seen(form, title) != before


def test_pictures_are_of_the_item_chosen_and_described_in_words(form):
    field(form, "Item to picture").value = "item-07"
    assert 'alt="Times on item-07. time on screen [s] across' in seen(form, "Times")
    field(form, "Item to picture").value = "item-08"
    assert 'alt="Times on item-08.' in seen(form, "Times")


def test_an_empty_selection_is_said(form):
    field(form, "Started from").value = "2090-01-01"
    assert len(form.study) == 0
    assert len(run(form.code)) == 0
    for title in VIEWS:
        assert "No session meets all of this" in seen(form, title)
    field(form, "Started from").value = ""
    assert len(form.study) == 324
    assert 'role="alert"' not in seen(form, "Times")


def test_learners_answers_are_not_shown(form):
    shown = seen(form, "Tables")
    answers = STUDY.responses["value"].dropna().head(8)
    assert len(answers)
    assert "value_type" in shown
    assert ">value<" not in shown
    assert all(answer not in shown for answer in answers if len(answer) > 6)


def test_only_a_study_with_sessions_is_explored():
    with pytest.raises(QueryError, match="a DataFrame cannot be explored"):
        lrn.ExploreForm(STUDY.sessions)
    with pytest.raises(QueryError, match="no sessions"):
        lrn.ExploreForm(STUDY[:0])
