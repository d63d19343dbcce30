"""FetchForm: messages beside the fields, the code, and a fetch that can be cancelled."""

import json
import re
import string
import time
from dataclasses import fields

import ipywidgets as widgets
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lrnanalysis as lrn
from faulty_service import Fault, FaultySandbox
from form_widgets import click, field, message_beside, shows, walk
from lrnanalysis import Query, QueryError, sandbox
from lrnanalysis.simulation import simulate
from lrnanalysis.tables.schema import STATUSES
from query_strategies import queries


@pytest.fixture(scope="module")
def api():
    with FaultySandbox(simulate(learners=60, items=5, attempts=0.0, seed=3)) as api:
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
        "activity_id": "Activity IDs",
        "session_id": "Session IDs",
        "user_id": "User IDs",
        "status": "Pending Scoring",
        "mintime": "Updated from",
        "maxtime": "Updated until",
        "mintime_started": "Started from",
        "maxtime_started": "Started until",
        "mintime_completed": "Completed from",
        "maxtime_completed": "Completed until",
        "sort": "Order",
        "limit": "Sessions per page",
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
    assert "nothing leaves this computer" in message_beside(form, "Data API")
    form.fetch()
    study = form.wait()
    names = {}
    exec(form.code, names)
    assert names["study"].sessions.equals(study.sessions)
    assert names["study"].query == study.query
    form.close()


@pytest.mark.parametrize(
    ("label", "wrong", "message", "right"),
    [
        ("Updated until", "2026-13-01", "'2026-13-01' is not a valid date", "2026-12-01"),
        ("Started from", "1969-01-01", "1970", ""),
        ("Completed until", "17698167300000", "milliseconds|ISO", "2026-12-01"),
        ("Sessions per page", "80", "80 is out of range: enter 1 to 50", "50"),
        ("Stop after", "many", "'many' is not an integer", "100"),
        ("User IDs", 'a, "b', "double quote before ID 2 is not closed", 'a, "b"'),
        ("Metadata", '"', "double quote before ID 1 is not closed", "grade"),
    ],
)
def test_a_problem_is_shown_beside_its_field_at_once(form, api, label, wrong, message, right):
    requests = len(api.log)
    field(form, label).value = wrong
    name = re.sub(" (from|until)$", "", label)
    assert message_beside(form, label).startswith("⚠")
    with pytest.raises(QueryError, match=f"{name}: .*({message})"):
        _ = form.query
    assert field(form, "Fetch").disabled
    assert shows(form, f"1 field to correct: {name}")
    assert field(form, "Python code").value == f"# 1 field to correct: {name}"
    for ask in (form.fetch, lambda: form.code):
        with pytest.raises(QueryError, match=name):
            ask()
    assert len(api.log) == requests
    field(form, label).value = right
    assert not field(form, "Fetch").disabled
    assert not message_beside(form, label).startswith("⚠")
    assert not shows(form, "to correct")


def test_a_period_that_ends_before_it_starts_is_refused(form):
    field(form, "Started from").value = "2026-02-01"
    assert message_beside(form, "Started until") == "from Sun 01 Feb 2026, 00:00:00 UTC"
    field(form, "Started until").value = "2026-01-01"
    assert "2026-02-01T00:00:00Z is after 2026-01-01T23:59:59Z" in message_beside(
        form, "Started until"
    )
    field(form, "Started until").value = "2026-03-01"
    assert form.query.maxtime_started == "2026-03-01T23:59:59Z"


def test_pasted_ids_are_counted(form):
    field(form, "User IDs").value = "a, b\nc\td a"
    assert message_beside(form, "User IDs") == "4 users, 1 repeated"
    assert form.query.user_id == ("a", "b", "c", "d")


def test_the_code_follows_the_fields_and_cannot_be_edited(form):
    field(form, "Completed").value = True
    field(form, "Stop after").value = "10"
    code = field(form, "Python code")
    assert 'fetch(status="Completed", max_sessions=10, client=client)' in code.value
    assert code.value == form.code
    code.value = "something else"
    assert code.value == form.code


def test_a_fetch_gives_the_study_that_its_code_gives(form, client):
    field(form, "Activity IDs").value = "demo"
    field(form, "Completed").value = True
    click(form, "Fetch")
    study = form.wait()
    assert form.error is None
    names = {"client": client}
    exec(form.code, names)
    assert len(study) > 30
    for ours, theirs in zip(study, names["study"], strict=True):
        assert ours.equals(theirs)
    assert shows(form, f"Done after .* {len(study)} sessions in form.study")
    assert shows(form, rf"sessions\s+{len(study)} by {len(study)} learners")
    assert shows(form, rf"status\s+Completed {len(study)}")
    assert shows(form, "no inconsistencies found")
    assert repr(study) in repr(form)
    assert not field(form, "Fetch").disabled
    assert field(form, "Cancel").disabled


def wait_for_pages(api, before, wanted):
    """Wait until so many pages were served."""
    until = time.monotonic() + 30
    while len(pages(api, before)) < wanted:
        assert time.monotonic() < until, "no page came"
        time.sleep(0.005)


def test_a_cancelled_fetch_keeps_what_it_has_and_is_resumed(form, api):
    api.latency = 0.25
    field(form, "Sessions per page").value = "5"
    before = len(api.log)
    click(form, "Fetch")
    wait_for_pages(api, before, 1)
    with pytest.raises(QueryError, match="in progress"):
        form.fetch()
    assert form.running
    assert field(form, "Fetch").disabled
    click(form, "Cancel")
    part = form.wait()
    api.latency = 0.0
    assert 5 <= len(part) < 60
    assert part.next is not None
    assert not form.running
    assert shows(form, f"Cancelled after .* {len(part)} sessions in form.study; Resume fetches")
    click(form, "Resume")
    whole = form.wait()
    assert len(whole) == 60
    assert whole.sessions["session_id"].is_unique
    assert set(part.sessions["session_id"]) < set(whole.sessions["session_id"])
    assert field(form, "Resume").layout.display == "none"
    with pytest.raises(QueryError, match="no unfinished fetch to resume"):
        form.resume()


def test_a_resumed_fetch_stops_where_the_whole_was_to_stop(form, api):
    api.latency = 0.25
    field(form, "Sessions per page").value = "5"
    field(form, "Stop after").value = "20"
    before = len(api.log)
    click(form, "Fetch")
    wait_for_pages(api, before, 1)
    form.cancel()
    assert len(form.wait()) < 20
    api.latency = 0.0
    form.resume()
    assert len(form.wait()) == 20


def test_a_failed_fetch_explains_keeps_what_it_has_and_is_resumed(form, api):
    api.faults = [Fault("error", code=20004, at=(len(api.log) + 3,))]
    field(form, "Sessions per page").value = "5"
    click(form, "Fetch")
    part = form.wait()
    assert len(part) == 10
    assert isinstance(form.error, lrn.ApiError)
    assert shows(form, "20004.* 10 sessions in form.study; Resume fetches the rest")
    api.faults = []
    click(form, "Resume")
    assert len(form.wait()) == 60
    assert form.error is None


def test_an_error_before_the_first_page_keeps_the_study_of_before(form, api):
    form.fetch()
    study = form.wait()
    api.faults = [Fault("error", code=41008)]
    form.fetch()
    form.wait()
    assert isinstance(form.error, lrn.AuthError)
    assert shows(form, "⚠ .*41008.* — form.study is unchanged")
    assert form.study is study
    assert field(form, "Resume").layout.display == "none"


def test_no_secret_is_anywhere_in_the_form(form, client):
    form.fetch()
    form.wait()
    state = json.dumps([one.get_state() for one in walk(form.widget)], default=str)
    assert sandbox.CONSUMER_SECRET not in state
    assert sandbox.CONSUMER_KEY not in state
    assert "***" in message_beside(form, "Data API")


def test_an_unexpected_error_is_shown_by_its_class_only(form, monkeypatch):
    def broken(*_, **__):
        raise ZeroDivisionError("an answer of a learner")

    monkeypatch.setattr("lrnanalysis.forms.fetch_runner.collect", broken)
    form.fetch()
    form.wait()
    assert isinstance(form.error, ZeroDivisionError)
    assert shows(form, r"unexpected error \(ZeroDivisionError\)")
    assert not shows(form, "an answer of a learner")
    assert not form.running


def test_missing_credentials_are_reported_before_anything_is_sent():
    form = lrn.FetchForm()
    field(form, "Data API").value = "environment"
    assert "no credentials found: set LRN_CONSUMER_KEY and" in message_beside(form, "Data API")
    assert field(form, "Fetch").disabled
    field(form, "Data API").value = "profile"
    assert "profile 'default' not found in" in message_beside(form, "Profile")
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
    assert message_beside(form, "Profile").startswith("Client(consumer_key='***'")
    assert form.code.endswith('study = lrn.fetch(client=lrn.Client(profile="research"))')
    state = json.dumps([one.get_state() for one in walk(form.widget)], default=str)
    assert "a-key" not in state
    assert "a-secret" not in state
    form.close()


def test_an_unknown_region_is_reported_beside_the_field(monkeypatch):
    monkeypatch.setenv("LRN_CONSUMER_KEY", "a-key")
    monkeypatch.setenv("LRN_CONSUMER_SECRET", "a-secret")
    monkeypatch.setenv("LRN_REGION", "moon")
    form = lrn.FetchForm()
    assert "region is 'moon'" in message_beside(form, "Data API")
    assert field(form, "Fetch").disabled
    form.close()


def test_a_resumed_fetch_uses_the_client_of_the_first(form, api):
    api.faults = [Fault("error", code=20004, at=(len(api.log) + 2,))]
    field(form, "Sessions per page").value = "5"
    form.fetch()
    assert len(form.wait()) == 5
    field(form, "Data API").value = "embedded"
    form.resume()
    assert len(form.wait()) == 60


def test_credentials_of_the_environment_are_chosen_where_there_are_any(monkeypatch):
    monkeypatch.setenv("LRN_CONSUMER_KEY", "a-key")
    monkeypatch.setenv("LRN_CONSUMER_SECRET", "a-secret")
    form = lrn.FetchForm()
    assert form.code == "import lrnanalysis as lrn\n\nstudy = lrn.fetch()"
    form.close()


def test_presets_leave_ids_of_persons_out_unless_asked(form, tmp_path):
    file = tmp_path / "presets.json"
    field(form, "Activity IDs").value = "demo"
    field(form, "User IDs").value = "learner-1"
    field(form, "Session IDs").value = "session-1"
    field(form, "Token").value = "abc"
    field(form, "Stop after").value = "7"
    field(form, "Preset").value = "pilot"
    click(form, "Save")
    assert shows(form, "saved as 'pilot' in presets.json, without user_id and session_id")
    text = file.read_text()
    for secret in ("learner-1", "session-1", "abc", sandbox.CONSUMER_SECRET):
        assert secret not in text
    field(form, "save user and session IDs").value = True
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
    ("content", "message"),
    [
        ("{", "is not valid JSON"),
        ("[1]", "is not a file of presets"),
        ('{"a": {"query": {"activty_id": ["x"]}}}', "activty_id"),
    ],
)
def test_a_file_without_presets_is_reported_and_left_alone(client, tmp_path, content, message):
    file = tmp_path / "presets.json"
    file.write_text(content)
    form = lrn.FetchForm(client=client, presets=file)
    field(form, "Preset").value = "a"
    click(form, "Load")
    assert shows(form, message)
    assert file.read_text() == content
    form.close()


def test_presets_need_a_name_and_a_place(client, tmp_path):
    form = lrn.FetchForm(client=client, presets=tmp_path / "presets.json")
    click(form, "Save")
    assert shows(form, "the preset has no name")
    field(form, "Preset").value = "unknown"
    click(form, "Load")
    assert shows(form, "preset 'unknown' not found in presets.json: available presets: none")
    field(form, "Sessions per page").value = "0"
    click(form, "Save")
    assert shows(form, "Sessions per page: 0 is out of range")
    assert not (tmp_path / "presets.json").exists()
    form.close()


@settings(max_examples=30)
@given(st.text(string.printable, max_size=20))
def test_no_input_breaks_a_field(text):
    form = lrn.FetchForm()
    for label in ("Activity IDs", "Metadata", "Updated from", "Sessions per page", "Token"):
        field(form, label).value = text
        assert field(form, "Fetch").disabled == shows(form, "to correct")
    form.widget.close()
