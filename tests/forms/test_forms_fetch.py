"""FetchForm: the words beside the fields, the code, and a fetch that can be stopped."""

import json
import string
import time
from dataclasses import fields

import ipywidgets as widgets
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lrnanalysis as lrn
from form_widgets import click, field, note, says, walk
from lrnanalysis import Query, QueryError, sandbox
from lrnanalysis.sandbox import Fault
from lrnanalysis.tables.schema import STATUSES
from query_strategies import queries


@pytest.fixture(scope="module")
def api():
    with sandbox.serve(learners=60, items=5, attempts=0.0, seed=3) as api:
        yield api


@pytest.fixture
def client(api):
    api.faults, api.latency = [], 0.0
    with api.client(max_retries=0) as client:
        yield client


@pytest.fixture
def form(client, tmp_path):
    form = lrn.FetchForm(client=client, presets=tmp_path / "presets.json")
    yield form
    form.close()


@pytest.fixture(autouse=True)
def no_credentials(monkeypatch, tmp_path):
    for name in ("LRN_CONSUMER_KEY", "LRN_CONSUMER_SECRET", "LRN_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))


def pages(api, before):
    return [one for one in api.log[before:] if one.http_status == 200]


def test_there_is_a_field_for_every_filter(form):
    labels = {getattr(one, "description", "") for one in walk(form.widget)}
    of_filters = {
        "activity_id": "Activity ids",
        "session_id": "Session ids",
        "user_id": "User ids",
        "status": "Pending Scoring",
        "mintime": "Updated from",
        "maxtime": "Updated until",
        "mintime_started": "Started from",
        "maxtime_started": "Started until",
        "mintime_completed": "Completed from",
        "maxtime_completed": "Completed until",
        "sort": "Order",
        "limit": "Sessions a page",
        "next": "Token",
        "include": "Metadata",
    }
    assert set(of_filters) == {one.name for one in fields(Query)}
    assert set(of_filters.values()) <= labels


def test_every_input_has_a_label_and_none_takes_a_secret(form):
    for one in walk(form.widget):
        assert not isinstance(one, widgets.Password)
        if hasattr(one, "disabled"):
            assert one.description


@settings(max_examples=25)
@given(queries())
def test_a_query_fills_the_form_and_is_read_again(query):
    form = lrn.FetchForm(query)
    # Boxes have an order of their own.
    ticked = [one for one in STATUSES if one in (query.status or ())] or None
    assert form.query == query.replace(status=ticked)
    form.widget.close()


def test_a_form_begins_ready_with_the_embedded_api():
    form = lrn.FetchForm()
    assert form.query == Query()
    assert "nothing leaves this machine" in note(form, "Data API")
    form.fetch()
    study = form.wait()
    names = {}
    exec(form.code, names)
    assert names["study"].sessions.equals(study.sessions)
    assert names["study"].query == study.query
    form.close()


@pytest.mark.parametrize(
    ("label", "wrong", "said", "right"),
    [
        ("Updated until", "2026-13-01", "'2026-13-01' is no time", "2026-12-01"),
        ("Started from", "1969-01-01", "no session is older than 1970", ""),
        ("Completed until", "17698167300000", "milliseconds|ISO", "2026-12-01"),
        ("Sessions a page", "80", "80 is out of range: write 1 to 50", "50"),
        ("Stop after", "many", "'many' is no whole number", "100"),
        ("User ids", 'a, "b', "double quote that none closes", 'a, "b"'),
        ("Metadata", '"', "double quote that none closes", "grade"),
    ],
)
def test_what_is_wrong_is_said_beside_the_field_at_once(form, api, label, wrong, said, right):
    asked = len(api.log)
    field(form, label).value = wrong
    beside = label.replace("from", "until") if label.endswith("from") else label
    assert note(form, beside).startswith("⚠")
    with pytest.raises(QueryError, match=f"{label}: .*({said})"):
        _ = form.query
    assert field(form, "Fetch").disabled
    assert says(form, f"one field to correct: {label}")
    assert field(form, "Python code").value == f"# one field to correct: {label}"
    for ask in (form.fetch, lambda: form.code):
        with pytest.raises(QueryError, match=label):
            ask()
    assert len(api.log) == asked
    field(form, label).value = right
    assert not field(form, "Fetch").disabled
    assert not note(form, beside).startswith("⚠")
    assert not says(form, "to correct")


def test_a_period_that_ends_before_it_begins_is_wrong(form):
    field(form, "Started from").value = "2026-02-01"
    assert note(form, "Started until") == "from Sun 01 Feb 2026, 00:00:00 UTC"
    field(form, "Started until").value = "2026-01-01"
    assert "lies after" in note(form, "Started until")
    field(form, "Started until").value = "2026-03-01"
    assert form.query.maxtime_started == "2026-03-01T23:59:59Z"


def test_pasted_ids_are_counted_as_they_come(form):
    field(form, "User ids").value = "a, b\nc\td a"
    assert note(form, "User ids") == "4 users, 1 repeated"
    assert form.query.user_id == ("a", "b", "c", "d")


def test_the_code_follows_the_fields_and_what_is_typed_into_it_is_undone(form):
    field(form, "Completed").value = True
    field(form, "Stop after").value = "10"
    code = field(form, "Python code")
    assert 'fetch(status="Completed", max_sessions=10, client=client)' in code.value
    assert code.value == form.code
    code.value = "something else"
    assert code.value == form.code


def test_a_fetch_gives_the_study_that_its_code_gives(form, client):
    field(form, "Activity ids").value = "demo"
    field(form, "Completed").value = True
    click(form, "Fetch")
    study = form.wait()
    assert form.error is None
    names = {"client": client}
    exec(form.code, names)
    assert len(study) > 30
    for ours, theirs in zip(study, names["study"], strict=True):
        assert ours.equals(theirs)
    assert says(form, f"Done in .* {len(study)} sessions, in form.study")
    assert says(form, rf"sessions\s+{len(study)}\s+{len(study)} learners, {len(study)} Completed")
    assert repr(study) in repr(form)
    assert not field(form, "Fetch").disabled
    assert field(form, "Cancel").disabled


def reached(api, before, wanted):
    """Wait for the real thing: until so many pages were served."""
    until = time.monotonic() + 30
    while len(pages(api, before)) < wanted:
        assert time.monotonic() < until, "no page came"
        time.sleep(0.005)


def test_a_cancelled_fetch_keeps_what_it_has_and_goes_on(form, api):
    api.latency = 0.25
    field(form, "Sessions a page").value = "5"
    before = len(api.log)
    click(form, "Fetch")
    reached(api, before, 1)
    with pytest.raises(QueryError, match="under way"):
        form.fetch()
    assert form.running
    assert field(form, "Fetch").disabled
    click(form, "Cancel")
    part = form.wait()
    api.latency = 0.0
    assert 5 <= len(part) < 60
    assert part.next is not None
    assert not form.running
    assert says(form, f"Cancelled after .* {len(part)} sessions, in form.study; Go on fetches")
    click(form, "Go on")
    whole = form.wait()
    assert len(whole) == 60
    assert whole.sessions["session_id"].is_unique
    assert set(part.sessions["session_id"]) < set(whole.sessions["session_id"])
    assert field(form, "Go on").layout.display == "none"
    with pytest.raises(QueryError, match="no fetch was left unfinished"):
        form.go_on()


def test_going_on_stops_where_the_whole_was_to_stop(form, api):
    api.latency = 0.25
    field(form, "Sessions a page").value = "5"
    field(form, "Stop after").value = "20"
    before = len(api.log)
    click(form, "Fetch")
    reached(api, before, 1)
    form.cancel()
    assert len(form.wait()) < 20
    api.latency = 0.0
    form.go_on()
    assert len(form.wait()) == 20


def test_a_failed_fetch_says_why_keeps_what_it_has_and_goes_on(form, api):
    api.faults = [Fault("error", code=20004, at=(len(api.log) + 3,))]
    field(form, "Sessions a page").value = "5"
    click(form, "Fetch")
    part = form.wait()
    assert len(part) == 10
    assert isinstance(form.error, lrn.ApiError)
    assert says(form, "20004.* kept: 10 sessions, in form.study; Go on fetches the rest")
    api.faults = []
    click(form, "Go on")
    assert len(form.wait()) == 60
    assert form.error is None


def test_an_error_before_the_first_page_keeps_the_study_of_before(form, api):
    form.fetch()
    study = form.wait()
    api.faults = [Fault("error", code=41008)]
    form.fetch()
    form.wait()
    assert isinstance(form.error, lrn.AuthError)
    assert says(form, "⚠ .*41008.*; form.study is unchanged")
    assert form.study is study
    assert field(form, "Go on").layout.display == "none"


def test_no_secret_is_anywhere_in_the_form(form, client):
    form.fetch()
    form.wait()
    state = json.dumps([one.get_state() for one in walk(form.widget)], default=str)
    assert sandbox.CONSUMER_SECRET not in state
    assert sandbox.CONSUMER_KEY not in state
    assert "***" in note(form, "Data API")


def test_an_error_that_no_one_foresaw_is_shown_by_its_kind_only(form, monkeypatch):
    def broken(*_, **__):
        raise ZeroDivisionError("an answer of a learner")

    monkeypatch.setattr("lrnanalysis.forms.running.collect", broken)
    form.fetch()
    form.wait()
    assert isinstance(form.error, ZeroDivisionError)
    assert says(form, "ZeroDivisionError, which was not foreseen")
    assert not says(form, "an answer of a learner")
    assert not form.running


def test_missing_credentials_are_said_before_anything_is_asked():
    form = lrn.FetchForm()
    field(form, "Data API").value = "environment"
    assert "no credentials were found: set LRN_CONSUMER_KEY and" in note(form, "Data API")
    assert field(form, "Fetch").disabled
    field(form, "Data API").value = "profile"
    assert "profile 'default' is not in" in note(form, "Profile")
    field(form, "Data API").value = "embedded"
    assert not field(form, "Fetch").disabled
    form.close()


def test_a_profile_is_read_and_its_secret_not_shown(tmp_path):
    folder = tmp_path / "home" / ".learnosity"
    folder.mkdir(parents=True)
    (folder / "credentials").write_text(
        "[research]\nconsumer_key = a-key\nconsumer_secret = a-secret\n"
    )
    form = lrn.FetchForm()
    field(form, "Data API").value = "profile"
    field(form, "Profile").value = "research"
    assert note(form, "Profile").startswith("asks as Client(consumer_key='***'")
    assert form.code.endswith('study = lrn.fetch(client=lrn.Client(profile="research"))')
    state = json.dumps([one.get_state() for one in walk(form.widget)], default=str)
    assert "a-key" not in state
    assert "a-secret" not in state
    form.close()


def test_an_impossible_region_is_said_beside_the_field(monkeypatch):
    monkeypatch.setenv("LRN_CONSUMER_KEY", "a-key")
    monkeypatch.setenv("LRN_CONSUMER_SECRET", "a-secret")
    monkeypatch.setenv("LRN_REGION", "moon")
    form = lrn.FetchForm()
    assert "region is 'moon'" in note(form, "Data API")
    assert field(form, "Fetch").disabled
    form.close()


def test_going_on_asks_whom_the_fetch_asked(form, api):
    api.faults = [Fault("error", code=20004, at=(len(api.log) + 2,))]
    field(form, "Sessions a page").value = "5"
    form.fetch()
    assert len(form.wait()) == 5
    field(form, "Data API").value = "embedded"
    form.go_on()
    assert len(form.wait()) == 60


def test_credentials_of_the_environment_are_chosen_where_there_are_any(monkeypatch):
    monkeypatch.setenv("LRN_CONSUMER_KEY", "a-key")
    monkeypatch.setenv("LRN_CONSUMER_SECRET", "a-secret")
    form = lrn.FetchForm()
    assert form.code == "import lrnanalysis as lrn\n\nstudy = lrn.fetch()"
    form.close()


def test_presets_leave_ids_of_persons_out_unless_asked(form, tmp_path):
    file = tmp_path / "presets.json"
    field(form, "Activity ids").value = "demo"
    field(form, "User ids").value = "learner-1"
    field(form, "Session ids").value = "session-1"
    field(form, "Token").value = "abc"
    field(form, "Stop after").value = "7"
    field(form, "Preset").value = "pilot"
    click(form, "Save")
    assert says(form, "saved as 'pilot' in presets.json, without user_id and session_id")
    text = file.read_text()
    for secret in ("learner-1", "session-1", "abc", sandbox.CONSUMER_SECRET):
        assert secret not in text
    field(form, "save user and session ids").value = True
    field(form, "Preset").value = "whole"
    click(form, "Save")
    assert json.loads(file.read_text())["whole"]["query"]["user_id"] == ["learner-1"]

    other = lrn.FetchForm(presets=file)
    assert field(other, "Preset").options == ("pilot", "whole")
    field(other, "Preset").value = "pilot"
    click(other, "Load")
    assert other.query == Query(activity_id="demo")
    assert "max_sessions=7" in other.code
    field(other, "Preset").value = "whole"
    click(other, "Load")
    assert other.query == form.query.replace(next=None)
    other.close()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "is no JSON"),
        ("[1]", "holds no presets"),
        ('{"a": {"query": {"activty_id": ["x"]}}}', "activty_id is no filter"),
    ],
)
def test_a_file_that_holds_no_presets_is_said_and_left_alone(client, tmp_path, content, said):
    file = tmp_path / "presets.json"
    file.write_text(content)
    form = lrn.FetchForm(client=client, presets=file)
    field(form, "Preset").value = "a"
    click(form, "Load")
    assert says(form, said)
    assert file.read_text() == content
    form.close()


def test_presets_need_a_name_and_a_place(client, tmp_path):
    form = lrn.FetchForm(client=client, presets=tmp_path / "presets.json")
    click(form, "Save")
    assert says(form, "the preset has no name")
    field(form, "Preset").value = "unknown"
    click(form, "Load")
    assert says(form, "there is no preset 'unknown' in presets.json, which has none")
    field(form, "Sessions a page").value = "0"
    click(form, "Save")
    assert says(form, "Sessions a page: 0 is out of range")
    assert not (tmp_path / "presets.json").exists()
    form.close()


@settings(max_examples=30)
@given(st.text(string.printable, max_size=20))
def test_no_input_breaks_a_field(text):
    form = lrn.FetchForm()
    for label in ("Activity ids", "Metadata", "Updated from", "Sessions a page", "Token"):
        field(form, label).value = text
        assert field(form, "Fetch").disabled == says(form, "to correct")
    form.widget.close()
