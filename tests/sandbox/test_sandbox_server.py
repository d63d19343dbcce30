"""The embedded Data API over real HTTP: what it accepts, refuses, pages and updates."""

import asyncio
import datetime as dt
import hashlib
import hmac
import json
import logging
import signal
import socket
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlencode

import numpy as np
import pandas as pd
import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st
from learnosity_sdk.request import DataApi, Init

from faulty_service import Fault, FaultySandbox
from lrnanalysis import SimulationError, sandbox
from lrnanalysis.sandbox.refusals import CODES
from lrnanalysis.sandbox.request_parameters import read_parameters
from lrnanalysis.sandbox.session_store import SessionStore
from lrnanalysis.simulation import simulate
from sandbox_requests import DOMAIN, EPOCH, KEY, SECRET, iso, record, signed, url

STATUSES = ("Incomplete", "Completed", "Discarded", "Pending Scoring")


@pytest.fixture(scope="module")
def api():
    """A server of ten sessions that no test changes."""
    with sandbox.serve([record(number) for number in range(10)]) as running:
        yield running


# --- who may ask ---------------------------------------------------------------------------


def test_the_sdk_is_let_in_and_follows_the_pages(api):
    packet = {"consumer_key": KEY, "domain": DOMAIN}
    found = list(DataApi().results_iter(url(api), packet, SECRET, {"limit": 3, "sort": "asc"}))
    assert [session["session_id"] for session in found] == [f"s-{number}" for number in range(10)]


@pytest.mark.parametrize(
    ("request_", "security"),
    [
        ({"user_id": ["Zoë 数学 & 50 %+", 'quo"te']}, {}),
        ({}, {"user_id": "an administrator"}),
        ({}, {"expires": "29991231-2359"}),
        ({}, {"timestamp": dt.datetime.now(dt.UTC).strftime("%Y%m%d-%H%M%S")}),
    ],
)
def test_signatures_of_the_sdk_are_taken(api, http, request_, security):
    answer = http.post(url(api), data=signed(request_, **security), timeout=10)
    assert answer.status_code == 200


def test_the_request_text_is_signed_as_it_was_sent(api, http):
    text = '{ "limit" : 2,\n "sort": "a\\u0073c" }'
    form = signed({})
    packet = json.loads(form["security"])
    values = [KEY, DOMAIN, packet["timestamp"], text, "get"]
    digest = hmac.new(SECRET.encode(), "_".join(values).encode(), hashlib.sha256).hexdigest()
    form |= {"request": text, "security": json.dumps(packet | {"signature": f"$02${digest}"})}
    answer = http.post(url(api), data=form, timeout=10)
    assert [session["session_id"] for session in answer.json()["data"]] == ["s-0", "s-1"]


def test_without_request_and_action_everything_is_got(api, http):
    form = Init("data", {"consumer_key": KEY, "domain": DOMAIN}, SECRET).generate()
    assert set(form) == {"security"}
    assert len(http.post(url(api), data=form, timeout=10).json()["data"]) == 10


def minutes_ago(minutes):
    return (dt.datetime.now(dt.UTC) - dt.timedelta(minutes=minutes)).strftime("%Y%m%d-%H%M")


def with_packet(**changes):
    form = signed()
    packet = json.loads(form["security"]) | changes
    packet = {name: value for name, value in packet.items() if value is not None}
    return form | {"security": json.dumps(packet)}


@pytest.mark.parametrize(
    ("form", "code"),
    [
        ({"request": "{}", "action": "get"}, 41000),
        (signed() | {"security": "no JSON"}, 41000),
        (signed() | {"security": "[]"}, 41000),
        (with_packet(timestamp=20260101), 41000),
        ({"security": b"\xff"}, 41000),
        (signed(consumer_key="another"), 41001),
        (with_packet(consumer_key=None), 41001),
        (with_packet(signature=None), 41002),
        (with_packet(signature=""), 41003),
        (with_packet(signature="$02$ü"), 41003),
        (signed(secret="another secret"), 41003),
        (signed() | {"request": '{"limit":1}'}, 41003),
        (signed() | {"action": "set"}, 41003),
        (with_packet(user_id="someone"), 41003),
        (signed(timestamp=minutes_ago(180)), 41004),
        (signed(timestamp=minutes_ago(-180)), 41004),
        (signed(timestamp="yesterday"), 41004),
        (signed(domain="example.org"), 41005),
        (signed(domain=None), 41005),
        (signed(expires="tomorrow"), 41006),
        (signed(expires=minutes_ago(5)), 41007),
    ],
)
def test_others_are_refused_with_403(api, http, form, code):
    answer = http.post(url(api), data=form, timeout=10)
    meta = answer.json()["meta"]
    assert (answer.status_code, meta["code"], meta["status"]) == (403, code, False)
    assert meta["message"].startswith(CODES[code][1])
    assert meta["request_uuid"]
    assert SECRET not in answer.text


def test_a_body_that_is_no_form_has_no_packet(api, http):
    answer = http.post(url(api), json=signed(), timeout=10)
    assert (answer.status_code, answer.json()["meta"]["code"]) == (403, 41000)


# --- where and how to ask ------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/sessions/responses", "/", "/v2026.2.LTS/sessions/statuses"])
def test_other_paths_are_a_404_in_plain_text(api, http, path):
    answer = http.post(url(api, path), data=signed(), timeout=10)
    assert answer.status_code == 404
    assert answer.headers["content-type"].startswith("text/plain")


@pytest.mark.parametrize("version", ["v2025.2.LTS", "v2026.3.preview1", "latest", "v1"])
def test_any_version_is_served_and_named(api, http, version):
    answer = http.post(url(api, f"/{version}/sessions/responses"), data=signed(), timeout=10)
    assert answer.json()["meta"]["versions"]["requested"] == version


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_only_post_is_allowed(api, http, method):
    answer = http.request(method, url(api), data=signed(), timeout=10)
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


def test_meta_says_what_the_page_is(api, ask):
    meta, data = ask(api, limit=4)
    assert meta["status"] is True
    assert meta["records"] == len(data) == 4
    assert abs(meta["timestamp"] - dt.datetime.now(dt.UTC).timestamp()) < 60
    assert set(meta) == {"status", "timestamp", "next", "records", "versions"}


# --- what may be asked ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        *[({name: "text"}, 20003) for name in ("activity_id", "session_id", "user_id", "status")],
        *[({name: ["a", 1]}, 20003) for name in ("activity_id", "session_id", "user_id", "status")],
        *[({name: ["x"] * 1001}, 20002) for name in ("activity_id", "session_id", "user_id")],
        *[({name: []}, 20001) for name in ("activity_id", "session_id", "user_id", "status")],
        ({"status": ["Finished"]}, 20004),
        *[
            ({f"{end}time{which}": value}, code)
            for end in ("min", "max")
            for which in ("", "_started", "_completed")
            for value, code in ((1.5, 20003), (True, 20003), ([1], 20003), ("soon", 20004))
        ],
        ({"mintime": 10**18}, 20004),
        ({"maxtime": "2026-02-30"}, 20004),
        ({"limit": "10"}, 20003),
        ({"limit": True}, 20003),
        ({"limit": 2.0}, 20003),
        ({"limit": 0}, 20004),
        ({"sort": "up"}, 20004),
        ({"sort": 1}, 20003),
        ({"next": 5}, 20003),
        ({"next": "abc"}, 20004),
        ({"next": f"{EPOCH}.999"}, 20004),
        ({"next": "1.0"}, 20004),
        ({"include": ["sessions.session_metadata"]}, 20003),
        ({"include": {"sessions.session_metadata": "grade"}}, 20003),
        ({"include": {"sessions.session_metadata": []}}, 20001),
    ],
)
def test_wrong_parameters_are_a_400_with_their_code(api, http, request_, code):
    answer = http.post(url(api), data=signed(request_), timeout=10)
    assert (answer.status_code, answer.json()["meta"]["code"]) == (400, code)


@pytest.mark.parametrize("text", ["no JSON", "[]", '"text"'])
def test_a_request_that_is_no_object_is_refused(api, http, text):
    form = signed({})
    packet = json.loads(form["security"])
    values = [KEY, DOMAIN, packet["timestamp"], text, "get"]
    digest = hmac.new(SECRET.encode(), "_".join(values).encode(), hashlib.sha256).hexdigest()
    form |= {"request": text, "security": json.dumps(packet | {"signature": f"$02${digest}"})}
    answer = http.post(url(api), data=form, timeout=10)
    assert (answer.status_code, answer.json()["meta"]["code"]) == (400, 20003)


def test_another_action_than_get_is_refused(api, http):
    answer = http.post(url(api), data=signed(action="set"), timeout=10)
    assert (answer.status_code, answer.json()["meta"]["code"]) == (400, 20004)


def test_unknown_names_are_ignored_and_null_is_absent(api, ask):
    _, data = ask(api, statuss=["Completed"], activity_ids=3, user_id=None, limit=None)
    assert len(data) == 10


def test_a_limit_above_50_is_50(http):
    with sandbox.serve([record(number) for number in range(60)]) as api:
        for request_, expected in (({}, 50), ({"limit": 51}, 50), ({"limit": 10**9}, 50)):
            page = http.post(url(api), data=signed(request_), timeout=10).json()
            assert page["meta"]["records"] == expected


def test_the_newest_come_first_unless_asked_otherwise(api, ask):
    newest_first = [f"s-{number}" for number in reversed(range(10))]
    for request_, expected in (
        ({}, newest_first),
        ({"sort": "desc"}, newest_first),
        ({"sort": "asc"}, newest_first[::-1]),
    ):
        _, data = ask(api, **request_)
        assert [session["session_id"] for session in data] == expected


@pytest.mark.parametrize(
    "moment",
    [
        EPOCH + 300,
        str(EPOCH + 300),
        "2026-01-01T00:05:00Z",
        "2026-01-01T00:05:00",
        "2026-01-01 00:05:00",
        "2026-01-01T01:05:00+01:00",
        "2026-01-01T00:05",
        "20260101T000500Z",
    ],
)
def test_times_may_be_written_in_many_ways_and_are_included(api, crawl, moment):
    from_there = [f"s-{number}" for number in range(5, 10)]
    until_there = [f"s-{number}" for number in range(6)]
    assert crawl(api, sort="asc", mintime_started=moment)[0] == from_there
    assert crawl(api, sort="asc", maxtime_started=moment)[0] == until_there


def test_statuses_are_compared_without_case(http):
    with sandbox.serve([record(1, status="PENDING scoring"), record(2)]) as api:
        page = http.post(url(api), data=signed({"status": ["pending Scoring"]}), timeout=10).json()
        assert [session["session_id"] for session in page["data"]] == ["s-1"]


# --- filters and pages together ------------------------------------------------------------

RNG = np.random.default_rng(1)
#: Sessions with many equal times, in no order, some of whose times and statuses are missing.
MIXED = [
    record(
        number,
        status=STATUSES[int(RNG.integers(4))],
        user_id=f"u-{int(RNG.integers(5))}",
        dt_started=iso(EPOCH + 600 * int(RNG.integers(6))),
        dt_saved=None if RNG.random() < 0.5 else iso(EPOCH + 600 * int(RNG.integers(4, 9))),
        dt_completed=None if RNG.random() < 0.4 else iso(EPOCH + 600 * int(RNG.integers(6, 12))),
    )
    for number in range(120)
]


@pytest.fixture(scope="module")
def mixed():
    with sandbox.serve(MIXED, rate_limit=None) as running:
        yield running


def updated_of(session):
    return session["dt_completed"] or session["dt_saved"] or session["dt_started"]


def matches(session, request):
    """The documentation's words on the filters, a line each."""
    for name in ("activity_id", "session_id", "user_id", "status"):
        if name in request and session[name] not in request[name]:
            return False
    for suffix, moment in (
        ("", updated_of(session)),
        ("_started", session["dt_started"]),
        ("_completed", session["dt_completed"]),
    ):
        low, high = request.get(f"mintime{suffix}"), request.get(f"maxtime{suffix}")
        if low is None and high is None:
            continue
        if moment is None or not (low or iso(0)) <= moment <= (high or iso(2**32)):
            return False
    return True


TIMES = st.integers(-1, 13).map(lambda step: iso(EPOCH + 600 * step))
REQUESTS = st.fixed_dictionaries(
    {"sort": st.sampled_from(["asc", "desc"]), "limit": st.integers(7, 50)},
    optional={
        "activity_id": st.lists(st.sampled_from(["a-0", "a-1", "a-2", "none"]), min_size=1),
        "session_id": st.lists(st.integers(0, 130).map("s-{}".format), min_size=1, max_size=60),
        "user_id": st.lists(st.integers(0, 6).map("u-{}".format), min_size=1),
        "status": st.lists(st.sampled_from(STATUSES), min_size=1),
        **{
            f"{end}time{which}": TIMES
            for end in ("min", "max")
            for which in ("", "_started", "_completed")
        },
    },
)


@settings(max_examples=60, deadline=None)
@given(request=REQUESTS)
def test_pages_hold_what_was_asked_for_once_and_in_order(mixed, request):
    found, token = [], None
    with requests.Session() as session:
        while True:
            form = signed(request | ({"next": token} if token else {}))
            page = session.post(url(mixed), data=form, timeout=10).json()
            if not page["data"]:
                break
            assert len(page["data"]) <= request["limit"]
            assert page["meta"]["next"] != token
            found += page["data"]
            token = page["meta"]["next"]
    expected = [session["session_id"] for session in MIXED if matches(session, request)]
    ids = [session["session_id"] for session in found]
    assert sorted(ids) == sorted(expected)
    times = [updated_of(session) for session in found]
    assert times == sorted(times, reverse=request["sort"] == "desc")


def test_a_page_short_of_its_limit_still_has_a_token(api, ask):
    meta, data = ask(api, session_id=["s-3"])
    assert len(data) == 1
    assert "next" in meta


def test_an_empty_first_page_has_no_token(api, ask):
    meta, data = ask(api, session_id=["nobody's"])
    assert data == []
    assert meta["records"] == 0
    assert "next" not in meta


def test_an_empty_page_repeats_its_token(ask, crawl):
    with sandbox.serve([record(1)]) as api:
        _, token = crawl(api, sort="asc")
        meta, data = ask(api, sort="asc", next=token)
        assert (data, meta["next"]) == ([], token)


# --- what is served ------------------------------------------------------------------------


def test_records_are_sent_as_they_were_given(http, documented, shapes):
    given_ = [documented, *shapes.values()]
    texts = [json.dumps(one, ensure_ascii=False, indent=1) for one in given_]
    for records in (given_, texts, [text.encode() for text in texts]):
        with sandbox.serve(records) as api:
            page = http.post(url(api), data=signed(), timeout=10).json()
            key = lambda one: json.dumps(one, sort_keys=True)  # noqa: E731
            assert sorted(page["data"], key=key) == sorted(given_, key=key)


def test_odd_records_are_sent_too_and_found_by_no_filter(ask):
    odd = [7, "text", None, {}, {"session_id": 3, "user_id": ["u"], "dt_started": "yesterday"}]
    with sandbox.serve([json.dumps(one) for one in odd]) as api:
        assert ask(api, sort="asc")[1] == odd
        assert ask(api, user_id=["u"])[1] == []
        assert ask(api, mintime_started=0)[1] == []


def test_a_record_that_is_not_json_is_an_error_at_once(ask):
    with pytest.raises(SimulationError, match=r"record 1 .* is not valid JSON"):
        sandbox.serve([record(1), "{"])
    with sandbox.serve([record(1)]) as api:
        with pytest.raises(SimulationError, match=r"record 1 .* is not valid JSON"):
            api.put([record(2), "{"])
        assert len(ask(api)[1]) == len(api) == 1


def test_there_is_one_entry_of_metadata_per_record():
    with pytest.raises(SimulationError, match="session_metadata has 1 entries for 2 records"):
        sandbox.serve([record(1), record(2)], session_metadata=[{}])


def test_more_records_than_fit_into_the_cache_come_back(ask, crawl):
    large = "é" * 200_000
    with sandbox.serve([record(number, large=large) for number in range(30)]) as api:
        assert crawl(api, sort="asc", limit=7)[0] == [f"s-{number}" for number in range(30)]
        assert ask(api, session_id=["s-7"])[1][0]["large"] == large


METADATA = [{"grade": "7", "max_time": 1, "school": "Süd"}, {"grade": "8"}, {}]


@pytest.mark.parametrize("metadata", [METADATA, pd.DataFrame(METADATA)], ids=["dicts", "frame"])
def test_metadata_comes_only_when_asked_for_and_only_what_exists(ask, metadata):
    with sandbox.serve([record(n) for n in range(3)], session_metadata=metadata) as api:
        _, without = ask(api, sort="asc")
        assert [session["metadata"] for session in without] == [{"max_time": 1500}] * 3
        asked = ["grade", "school", "max_time", "unheard of"]
        _, with_it = ask(api, sort="asc", include={"sessions.session_metadata": asked})
        assert [session["metadata"] for session in with_it] == [
            {"grade": "7", "school": "Süd", "max_time": 1500},
            {"grade": "8", "max_time": 1500},
            {"max_time": 1500},
        ]
        assert without == [one | {"metadata": {"max_time": 1500}} for one in with_it]
        _, other = ask(api, include={"something.else": ["grade"]}, limit=1)
        assert other[0]["metadata"] == {"max_time": 1500}


def test_metadata_stays_when_a_session_is_saved_again(ask):
    with sandbox.serve([record(1, metadata=None)], session_metadata=[{"grade": "7"}]) as api:
        api.put([record(1, metadata=None, status="Discarded")])
        _, data = ask(api, include={"sessions.session_metadata": ["grade"]})
        assert (data[0]["status"], data[0]["metadata"]) == ("Discarded", {"grade": "7"})


# --- updates --------------------------------------------------------------------------------


def test_a_token_finds_later_what_is_new_or_changed_and_nothing_else(ask, crawl):
    with sandbox.serve([record(number) for number in range(8)]) as api:
        found, token = crawl(api, sort="asc", limit=3)
        assert len(found) == 8
        assert crawl(api, sort="asc", next=token) == ([], token)
        new = api.put([record(2, status="Discarded"), record(20), record(5)])
        assert new == 1
        later, token = crawl(api, sort="asc", limit=2, next=token)
        assert later == ["s-2", "s-20", "s-5"]
        assert crawl(api, sort="asc", next=token)[0] == []
        assert len(api) == 9
        assert sorted(crawl(api)[0]) == sorted([*found, "s-20"])
        assert ask(api, session_id=["s-2"])[1][0]["status"] == "Discarded"


def test_a_session_saved_during_a_crawl_comes_again(ask):
    with sandbox.serve([record(number) for number in range(6)]) as api:
        meta, first = ask(api, sort="asc", limit=3)
        api.put([record(1, status="Discarded")])
        _, rest = ask(api, sort="asc", next=meta["next"])
        ids = [session["session_id"] for session in first + rest]
        assert ids == ["s-0", "s-1", "s-2", "s-3", "s-4", "s-5", "s-1"]


def test_a_descending_token_leads_back_in_time_only(crawl):
    with sandbox.serve([record(number) for number in range(4)]) as api:
        _, token = crawl(api, sort="desc", limit=3)
        api.put([record(1), record(9)])
        assert crawl(api, sort="desc", next=token)[0] == []
        assert crawl(api, sort="desc")[0] == ["s-9", "s-1", "s-3", "s-2", "s-0"]


def test_what_is_put_is_updated_now(ask):
    now = [EPOCH + 10_000]
    with FaultySandbox([record(0)], clock=lambda: now[0]) as api:
        api.put([record(0)])
        meta, data = ask(api, mintime=EPOCH + 10_000, maxtime=EPOCH + 10_000)
        assert (meta["timestamp"], len(data)) == (EPOCH + 10_000, 1)
        now[0] = EPOCH  # a clock that is put back never puts a session before others
        api.put([record(1)])
        meta, data = ask(api, sort="asc", next=meta["next"])
        assert [session["session_id"] for session in data] == ["s-1"]


@settings(max_examples=40, deadline=None)
@given(
    batches=st.lists(st.lists(st.integers(0, 30), min_size=1, max_size=12), min_size=1, max_size=5),
    limit=st.integers(1, 9),
)
def test_polling_sees_every_batch_and_only_it(batches, limit):
    sessions = SessionStore([record(number) for number in range(20)])

    def poll(token):
        found = []
        while True:
            asked = {"sort": "asc", "limit": limit} | ({"next": token} if token else {})
            page = sessions.page(read_parameters(asked))
            if not page.records:
                return found, token
            found += [json.loads(text)["user_id"] for text in page.records]
            token = page.next

    _, token = poll(None)
    ids = {f"s-{number}" for number in range(20)}
    for turn, batch in enumerate(batches):
        records = [record(n, user_id=f"{turn}-{place}-{n}") for place, n in enumerate(batch)]
        new = sessions.put(records, EPOCH)
        assert new == len({one["session_id"] for one in records} - ids)
        ids |= {one["session_id"] for one in records}
        latest = {one["session_id"]: one["user_id"] for one in records}
        found, token = poll(token)
        assert sorted(found) == sorted(latest.values())
        assert len(sessions) == len(ids)
    sessions.close()


def test_withheld_sessions_come_when_asked_for(crawl):
    with sandbox.serve([record(number) for number in range(6)], withheld=3) as api:
        found, token = crawl(api, sort="asc")
        assert found == ["s-0", "s-1", "s-2"]
        assert api.update(new=2) == (2, 0, 0)
        found, token = crawl(api, sort="asc", next=token)
        assert found == ["s-3", "s-4"]
        assert api.update(new=2) == (1, 0, 0)
        assert crawl(api, sort="asc", next=token)[0] == ["s-5"]
    with pytest.raises(SimulationError, match="withheld is 3: expects an integer from 0 to 2"):
        sandbox.serve([record(1), record(2)], withheld=3)


def test_numbers_of_updates_are_not_negative():
    with sandbox.serve([]) as api, pytest.raises(SimulationError, match="marked is -1"):
        api.update(marked=-1)


def scored(**changes):
    """A session with an item of two questions and an essay, not scored yet."""
    response = {"automarkable": True, "score": None, "max_score": 2, "dt_score_updated": None}
    return (
        record(1)
        | {
            "score": None,
            "dt_completed": None,
            "session_duration": 0,
            "subscores": [{"id": "all", "score": 0, "num_unmarked": 3, "items": ["i-1", "i-2"]}],
            "responses": [
                response | {"response_id": "r-1", "response": {"value": ["0"]}},
                response | {"response_id": "r-2", "response": None},
                response
                | {"response_id": "r-3", "response": {"value": "x"}, "automarkable": False},
            ],
            "items": [
                {"reference": "i-1", "response_ids": ["r-1", "r-2"], "scoring": {"score": None}},
                {"reference": "i-2", "response_ids": ["r-3"], "scoring": {"score": None}},
            ],
        }
        | changes
    )


def test_incomplete_sessions_are_submitted_and_then_marked(ask):
    now = EPOCH + 3601
    with FaultySandbox([scored(status="Incomplete")], clock=lambda: now) as api:
        assert api.update(submitted=5, marked=0) == (0, 1, 0)
        session = ask(api)[1][0]
        assert session["status"] == "Pending Scoring"
        assert session["dt_completed"] == iso(now)
        assert session["session_duration"] == 60
        assert [one["score"] is None for one in session["responses"]] == [False, False, True]
        assert session["responses"][1]["score"] == 0
        assert session["responses"][0]["dt_score_updated"] == iso(now)
        assert session["items"][1]["scoring"]["score"] is None
        assert session["subscores"][0]["num_unmarked"] == 1

        assert api.update(submitted=5, marked=5) == (0, 0, 1)
        session = ask(api)[1][0]
        scores = [one["score"] for one in session["responses"]]
        assert session["status"] == "Completed"
        assert all(0 <= score <= 2 for score in scores)
        assert [one["scoring"]["score"] for one in session["items"]] == [scores[0], scores[2]]
        assert session["score"] == session["subscores"][0]["score"] == sum(scores)
        assert session["subscores"][0]["num_unmarked"] == 0
        assert api.update(submitted=5, marked=5) == (0, 0, 0)


def test_marks_depend_on_the_seed_alone():
    def marked(seed):
        sessions = [scored(session_id=f"s-{n}", status="Pending Scoring") for n in range(20)]
        with FaultySandbox(sessions, seed=seed, clock=lambda: EPOCH) as api:
            api.update(marked=20)
            body = urlencode(signed({"limit": 50})).encode()
            return api.answer("POST", "/v1/sessions/responses", body).body

    assert marked(1) == marked(1) != marked(2)


@pytest.mark.parametrize(
    ("kind", "scores", "expected"),
    [
        ("per-question", [2, 1, 2], 5),
        ("dichotomous", [2, 1, 2], 0),
        ("per-dichotomous", [2, 2, 2], 1),
        ("dependent", [2, 1, 2], 3),
        ("dependent", [2, 2, 2], 6),
    ],
)
def test_items_are_scored_by_their_rule(ask, kind, scores, expected):
    responses = [
        {"response_id": f"r-{n}", "score": score, "max_score": 2} for n, score in enumerate(scores)
    ]
    item = {
        "reference": "i",
        "response_ids": ["r-0", "r-1", "r-2"],
        "scoring": {"type": kind, "score": None, "max_score": 1},
    }
    with sandbox.serve([record(1, status="Incomplete", responses=responses, items=[item])]) as api:
        api.update(submitted=1)
        assert ask(api)[1][0]["score"] == expected


# --- simulated learners --------------------------------------------------------------------


@pytest.fixture(scope="module")
def simulated():
    with sandbox.serve(learners=150, items=12, seed=3, pending=0.6, essays=0.3) as running:
        yield running


def test_without_a_source_learners_are_simulated(simulated, crawl):
    found, _ = crawl(simulated, sort="asc", activity_id=["demo"])
    assert found == simulated.simulation.truth["sessions"]["session_id"].tolist()
    assert len(simulated) == len(simulated.simulation) == len(found)


def test_the_metadata_of_a_simulation_can_be_asked_for(simulated, ask):
    _, data = ask(simulated, sort="asc", include={"sessions.session_metadata": ["group", "grade"]})
    truth = simulated.simulation.session_metadata
    for session, (_, row) in zip(data, truth.iterrows(), strict=False):
        assert session["metadata"]["group"] == row["group"]
        assert session["metadata"]["grade"] == row["grade"]
        assert "school" not in session["metadata"]


def test_a_simulation_can_be_served_and_is_marked_by_its_truth(ask):
    simulation = simulate(150, 12, seed=3, pending=0.6, essays=0.3)
    answers = simulation.answers.set_index(["session_id", "question_reference"])["points"]
    with sandbox.serve(simulation) as api:
        _, waiting = ask(api, status=["Pending Scoring"], sort="asc", limit=30)
        assert api.update(marked=30).marked == 30
        marked = {}
        for session in ask(api, session_id=[one["session_id"] for one in waiting])[1]:
            marked[session["session_id"]] = session
    for before in waiting:
        after = marked[before["session_id"]]
        assert after["status"] == "Completed"
        for response in after["responses"]:
            key = (after["session_id"], response["question_reference"])
            assert response["score"] == answers[key]
        assert after["score"] == sum(item["scoring"]["score"] for item in after["items"])
        for subscore in after["subscores"]:
            assert subscore["num_unmarked"] == subscore["unmarked_max_score"] == 0
        assert after["score"] == sum(one["score"] for one in after["subscores"])


def test_options_of_a_simulation_do_not_go_with_a_source():
    with pytest.raises(SimulationError, match="forms: only for simulated learners"):
        sandbox.serve([record(1)], forms=2)


# --- rate ----------------------------------------------------------------------------------


def test_above_the_rate_requests_are_a_429(http):
    with sandbox.serve([record(1)], rate_limit=(3, 3600)) as api:
        refused = http.post(url(api), data=signed(secret="another"), timeout=10)
        assert refused.status_code == 403  # and does not count
        got = [http.post(url(api), data=signed(), timeout=10) for _ in range(5)]
        assert [answer.status_code for answer in got] == [200, 200, 200, 429, 429]
        assert got[-1].json()["meta"]["code"] == 42000
        assert "retry-after" not in got[-1].headers


def test_the_rate_limit_is_checked():
    for wrong in ((0, 5.0), (5, 0.0)):
        with pytest.raises(SimulationError, match="rate_limit"):
            sandbox.serve([], rate_limit=wrong)


# --- latency and log ------------------------------------------------------------------------


def test_latency_is_waited_and_can_be_changed(ask):
    with sandbox.serve([record(1)], latency=0.05) as api:
        started = dt.datetime.now(dt.UTC)
        ask(api)
        assert dt.datetime.now(dt.UTC) - started >= dt.timedelta(seconds=0.05)
        api.latency = 0.0
        ask(api)
        with pytest.raises(SimulationError, match="latency is -1"):
            api.latency = -1


def test_the_log_shows_the_parameters_but_no_secret(http):
    with sandbox.serve([record(1)]) as api:
        forms = [signed({"limit": 3}), signed({"sort": "up"}), signed(domain="elsewhere")]
        for form in forms:
            http.post(url(api), data=form, timeout=10)
        http.get(url(api), timeout=10)
        seen = [(one.number, one.http_status, one.code, one.records) for one in api.log]
        assert seen == [(1, 200, None, 1), (2, 400, 20004, None), (3, 403, 41005, None)]
        assert api.log[0].parameters["limit"] == 3
        assert api.log[0].version == "v2026.2.LTS"
        shown = repr(api.log) + repr(api) + repr(vars(api))
        for form in forms:
            assert json.loads(form["security"])["signature"] not in shown
        assert SECRET not in shown


# --- starting and stopping -----------------------------------------------------------------


def sandbox_threads():
    return [thread for thread in threading.enumerate() if "sandbox" in thread.name]


def test_it_stops_and_leaves_nothing_behind():
    before = {s: signal.getsignal(s) for s in (signal.SIGINT, signal.SIGTERM)}
    filters = list(logging.getLogger("uvicorn.error").filters)
    mine = len(sandbox_threads())
    api = sandbox.serve([record(1)])
    assert len(sandbox_threads()) == mine + 1
    assert {s: signal.getsignal(s) for s in before} == before
    api.close()
    api.close()
    assert len(sandbox_threads()) == mine
    assert logging.getLogger("uvicorn.error").filters == filters
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", api.port))
    with pytest.raises(requests.exceptions.ConnectionError):
        requests.post(url(api), data=signed(), timeout=10)
    assert repr(api) == "<Sandbox of 1 sessions as passed, closed>"


def test_a_port_can_be_chosen_and_taken_again_at_once():
    with sandbox.serve([]) as api:
        port = api.port
        with pytest.raises(OSError, match=f"port {port} on loopback cannot be opened"):
            sandbox.serve([], port=port)
    with sandbox.serve([], port=port) as api:
        assert api.base_url == f"http://127.0.0.1:{port}"


def test_it_stops_although_a_client_waits_and_another_keeps_its_connection(ask):
    api = sandbox.serve([record(1)])
    ask(api)
    api.latency = 0.5
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(requests.post, url(api), data=signed(), timeout=30)
        while len(api.log) < 2:
            threading.Event().wait(0.01)
        api.close()
        assert waiting.result().status_code == 200
    assert not any(thread.name.endswith(str(api.port)) for thread in threading.enumerate())


def test_it_serves_beside_a_running_event_loop(http):
    async def cell():
        with sandbox.serve([record(1)]) as api:
            answer = await asyncio.to_thread(http.post, url(api), data=signed(), timeout=10)
            return answer.status_code

    assert asyncio.run(cell()) == 200


def test_it_is_quiet(ask, caplog, capfd):
    caplog.set_level(logging.INFO)
    with FaultySandbox([record(1)], faults=[Fault("cut", times=1)]) as api:
        with pytest.raises(requests.exceptions.ChunkedEncodingError):
            requests.post(url(api), data=signed(), timeout=10)
        ask(api)
    assert [one for one in caplog.records if one.name.startswith(("uvicorn", "asyncio"))] == []
    assert capfd.readouterr() == ("", "")


def test_an_error_of_the_server_itself_is_logged(http, caplog):
    def broken():
        raise RuntimeError("a clock that fails")

    with FaultySandbox([record(1)], clock=broken) as api:
        assert http.post(url(api), data=signed(), timeout=10).status_code == 500
    assert any(one.exc_info and "clock" in str(one.exc_info[1]) for one in caplog.records)


def test_several_servers_and_many_threads(http):
    with sandbox.serve([record(1)]) as one, sandbox.serve([record(2)]) as two:
        assert one.port != two.port

        def first(api):
            answer = requests.post(url(api), data=signed(), timeout=30)
            return answer.json()["data"][0]["session_id"]

        with ThreadPoolExecutor(8) as pool:
            found = list(pool.map(first, [one, two] * 20))
    assert found == ["s-1", "s-2"] * 20
    assert sorted(entry.number for entry in one.log) == list(range(1, 21))


def test_importing_loads_no_server_and_a_forgotten_one_stops_at_exit():
    script = (
        "import sys; from lrnanalysis import sandbox\n"
        "print('uvicorn' in sys.modules)\n"
        "api = sandbox.serve([])\n"
        "print(api.simulation)\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stdout.split() == ["False", "None"]
    assert done.stderr == ""


def test_its_names_exist_and_its_repr_is_marked_simulated(simulated):
    for name in sandbox.__all__:
        assert getattr(sandbox, name) is not None
    assert "SIMULATED" in repr(simulated)
    assert simulated.base_url in repr(simulated)


def test_its_client_is_let_in(simulated):
    with simulated.client(version="v2025.2.LTS") as client:
        assert client.post({"limit": 7}).records == 7
    assert simulated.log[-1].version == "v2025.2.LTS"
