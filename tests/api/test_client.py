"""Client against the embedded Data API over HTTP: signature, retries, errors, silence."""

import contextlib
import copy
import gzip
import itertools
import json
import logging
import os
import pickle
import socket
import subprocess
import sys
import threading
import time
import traceback
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from learnosity_sdk.request import init as sdk

import lrnanalysis as lrn
from faulty_service import Fault, FaultySandbox
from lrnanalysis import sandbox
from lrnanalysis.api.client import Client
from lrnanalysis.api.endpoints import SESSIONS_RESPONSES, Endpoint
from lrnanalysis.api.rate_limit import RateLimiter
from scripted_server import SECRET, scripted

ANSWER = "a learner's answer"
LEARNER = "learner-17"


@pytest.fixture(autouse=True)
def no_environment(monkeypatch, tmp_path):
    for name in ("KEY", "SECRET"):
        monkeypatch.delenv(f"LRN_CONSUMER_{name}", raising=False)
    for name in ("DOMAIN", "REGION", "VERSION", "PROFILE", "ENVIRONMENT"):
        monkeypatch.delenv(f"LRN_{name}", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.fixture
def records(shapes):
    base = shapes["as scored records are"]
    answer = base["responses"][0] | {"response": {"value": ANSWER, "type": "string"}}
    return [base | {"session_id": f"s{n:03d}", "responses": [answer]} for n in range(120)]


@pytest.fixture
def api(records):
    with FaultySandbox(records) as served:
        yield served


def client_of(api, **settings):
    return api.client(backoff=0.0, rate_limit_wait=0.0, **settings)


def statuses(api):
    return [request.http_status for request in api.log]


def test_a_page_is_asked_for_and_answered(api):
    with client_of(api) as client:
        page = client.post({"limit": 20, "sort": "asc"})
    assert page.records == 20
    assert page.next
    assert page.body.startswith(b"{")
    assert api.log[0].parameters["limit"] == 20
    assert ANSWER not in repr(page)


def test_one_connection_serves_many_pages(api):
    with client_of(api) as client:
        for _ in range(5):
            client.post({})
        (pool,) = client._session.get_adapter(api.base_url).poolmanager.pools._container.values()
        assert pool.num_connections == 1


def test_the_request_is_left_as_it_was(api):
    request = {"include": {"sessions.session_metadata": ["grade"]}, "meta": {"mine": 1}}
    client_of(api).post(request)
    assert request == {"include": {"sessions.session_metadata": ["grade"]}, "meta": {"mine": 1}}


@pytest.mark.parametrize("code", [10000, 50100, 20018, 42000])
def test_what_passes_is_asked_again(api, code):
    api.faults = [Fault("error", code=code, times=2)]
    assert client_of(api).post({}).records == 50
    assert len(api.log) == 3


@pytest.mark.parametrize("kind", ["bad_gateway", "cut", "not_json", "wrong_shape"])
def test_broken_answers_are_asked_again(api, kind):
    api.faults = [Fault(kind, times=2)]
    assert client_of(api).post({}).records == 50
    assert len(api.log) == 3


def test_internal_errors_inside_200_are_asked_again(api):
    api.faults = [Fault("status_false", code=10000, times=1)]
    assert client_of(api).post({}).records == 50
    assert statuses(api) == [200, 200]


def test_a_stalled_answer_is_asked_again(api):
    api.faults = [Fault("stall", times=1)]
    assert client_of(api, timeout=(1.0, 0.3)).post({}).records == 50


@pytest.mark.parametrize("code", [20000, 20001, 20002, 20003, 20004, 43000])
def test_bad_requests_are_not_asked_again(api, code):
    api.faults = [Fault("error", code=code)]
    with pytest.raises(lrn.ApiError) as caught:
        client_of(api).post({}, page=7)
    assert len(api.log) == 1
    error = caught.value
    assert (error.code, error.page) == (code, 7)
    assert error.http_status in (400, 410)
    assert error.request_uuid in str(error)
    assert error.api_message
    assert f"code {code}" in str(error)


@pytest.mark.parametrize("code", [41000, 41001, 41002, 41003, 41005, 41006, 41007, 41008, 41009])
def test_refused_credentials_are_not_asked_again(api, code):
    api.faults = [Fault("error", code=code)]
    with pytest.raises(lrn.AuthError) as caught:
        client_of(api).post({})
    assert len(api.log) == 1
    assert caught.value.http_status == 403
    assert caught.value.code == code


def test_refusals_inside_200_are_typed_too(api):
    api.faults = [Fault("status_false", code=41003)]
    with pytest.raises(lrn.AuthError):
        client_of(api).post({})
    assert len(api.log) == 1


def test_a_clock_that_is_off_is_signed_again_once(api):
    api.faults = [Fault("error", code=41004, times=1)]
    assert client_of(api).post({}).records == 50
    api.faults = [Fault("error", code=41004)]
    with pytest.raises(lrn.AuthError, match="check this machine's clock"):
        client_of(api).post({})
    assert len(api.log) == 2 + 2


def test_an_answer_too_large_halves_the_limit(api):
    api.faults = [Fault("too_large", above=10)]
    request = {"limit": 40}
    page = client_of(api).post(request)
    assert (page.records, page.limit) == (10, 10)
    assert request == {"limit": 40}
    assert [request.parameters["limit"] for request in api.log] == [40, 20, 10]
    assert client_of(api).post({}).limit == 6


def test_an_answer_too_large_for_one_session_is_an_error(api):
    api.faults = [Fault("error", code=20027)]
    with pytest.raises(lrn.ApiError):
        client_of(api).post({"limit": 4})
    assert [request.parameters["limit"] for request in api.log] == [4, 2, 1]


def test_retries_end(api):
    api.faults = [Fault("error", code=50100)]
    with pytest.raises(lrn.ApiError) as caught:
        client_of(api, max_retries=3).post({})
    assert len(api.log) == 4
    assert type(caught.value) is lrn.ApiError
    api.faults = [Fault("error", code=42000)]
    with pytest.raises(lrn.RateLimitError):
        client_of(api, max_retries=1).post({})
    api.faults = [Fault("not_json")]
    with pytest.raises(lrn.ApiError, match="not a page of records"):
        client_of(api, max_retries=1).post({})


@pytest.fixture
def clock(monkeypatch):
    """A clock that advances only when something sleeps; the list of its pauses."""
    now, pauses = [0.0], []

    def sleep(seconds):
        pauses.append(seconds)
        now[0] += seconds

    fake = SimpleNamespace(monotonic=lambda: now[0], sleep=sleep)
    monkeypatch.setattr("lrnanalysis.api.rate_limit.time", fake)
    return pauses


@pytest.mark.parametrize(("settings", "window"), [({}, 5.0), ({"rate_limit_wait": 1.5}, 1.5)])
def test_a_429_is_waited_out(api, clock, settings, window):
    api.faults = [Fault("error", code=42000, times=2)]
    assert api.client(**settings).post({}).records == 50
    assert len(api.log) == 3
    # Both times the whole window, of which the pause with jitter is a part.
    assert sum(clock) == pytest.approx(2 * window)


def test_a_429_holds_up_every_thread(clock):
    limiter = RateLimiter(1000, 5.0)
    limiter.acquire()
    limiter.close_for(5.0)
    limiter.close_for(2.0)
    assert clock == []
    limiter.acquire()
    assert clock == [5.0]
    limiter.acquire()
    assert clock == [5.0]


def test_a_bare_429_is_waited_out():
    with scripted((429, b"slow down"), (200, PAGE)) as client:
        assert client.post({}).records == 2
    with scripted((429, b"slow down")) as client, pytest.raises(lrn.RateLimitError) as caught:
        client.post({})
    assert caught.value.http_status == 429
    assert len(client.received) == 6
    assert "after 6 attempts" in str(caught.value)


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("named", "pause"),
    [("7", 7), (90, 90), (-90, 0), ("soon", 0), ("-5", 0), ("", 0)],
)
def test_the_pause_that_the_service_names_is_kept_to(clock, status, named, pause):
    if isinstance(named, int):
        until = datetime.now(UTC) + timedelta(seconds=named)
        named = format_datetime(until, usegmt=True)
    with scripted((status, b"", {"Retry-After": named}), (200, PAGE)) as client:
        assert client.post({}).records == 2
    # A date has whole seconds, and the server's clock runs on.
    assert sum(clock) == pytest.approx(pause, abs=2 if pause == 90 else 0)


def test_a_shorter_named_pause_does_not_shorten_the_window(clock):
    answers = [(429, b"", {"Retry-After": "1"}), (200, PAGE)]
    with scripted(*answers, rate_limit_wait=None) as client:
        client.post({})
    assert sum(clock) == pytest.approx(5.0)


def test_a_pause_of_hours_is_an_error_that_names_it(clock):
    with (
        scripted((503, b"", {"Retry-After": "7200"})) as client,
        pytest.raises(lrn.ApiError, match="not to come back for 120 minutes"),
    ):
        client.post({})
    assert len(client.received) == 1
    assert sum(clock) == 0


def test_a_page_may_begin_with_a_byte_order_mark():
    with scripted((200, b"\xef\xbb\xbf" + PAGE)) as client:
        page = client.post({})
    assert page.records == 2
    assert page.body == PAGE


def test_the_default_rate_limit_is_the_endpoint_s_with_a_margin(clock):
    with scripted((200, PAGE), rate_limit=None) as client:
        limiter = client._limiter(SESSIONS_RESPONSES)
        for _ in range(1001):
            limiter.acquire()
    assert sum(clock) == pytest.approx(5.25)


def test_each_endpoint_has_its_own_path_action_limits_and_rate(clock):
    tags = Endpoint("itembank/tagging/tags", action="set", max_page=8, max_requests=1)
    refusal = json.dumps({"meta": {"status": False, "code": 20027}}).encode()
    with scripted((200, PAGE), (400, refusal), (200, PAGE)) as client:
        client.post({})
        client.post({}, endpoint=tags)
        client.post({})
        headers, forms = zip(*client.received, strict=True)
    assert [one["X-Learnosity-Action"] for one in headers] == [
        "get_/sessions/responses",
        "set_/itembank/tagging/tags",
        "set_/itembank/tagging/tags",
        "get_/sessions/responses",
    ]
    assert [form["action"] for form in forms] == [["get"], ["set"], ["set"], ["get"]]
    # Too large for the page size that is the endpoint's default, so half of it.
    assert json.loads(forms[2]["request"][0])["limit"] == 4
    # One request per time window there; the other endpoint does not wait for it.
    assert clock == [pytest.approx(5.25)]


def test_pauses_grow_and_vary(api, clock):
    api.faults = [Fault("error", code=50100)]
    client = api.client(backoff=8.0, max_retries=4)
    for _ in range(10):
        with pytest.raises(lrn.ApiError):
            client.post({})
    by_try = [clock[n::4] for n in range(4)]
    longest = [8.0, 16.0, 30.0, 30.0]
    assert all(
        0 <= wait <= most for most, tried in zip(longest, by_try, strict=True) for wait in tried
    )
    assert len(set(clock)) == 40
    assert max(by_try[3]) > max(by_try[0])


def test_no_connection_is_a_transport_error(api):
    client = client_of(api, max_retries=1)
    api.close()
    with pytest.raises(
        lrn.TransportError,
        match=r"page 3 after 2 attempts \(ConnectionError: Connection refused\)",
    ) as caught:
        client.post({}, page=3)
    assert caught.value.page == 3
    assert caught.value.__cause__ is caught.value.__context__ is None


def test_no_answer_in_time_is_a_transport_error(api):
    api.faults = [Fault("stall")]
    with pytest.raises(lrn.TransportError, match="no answer in time"):
        client_of(api, timeout=(1.0, 0.2), max_retries=0).post({})


def test_a_body_that_is_always_cut_is_a_transport_error(api):
    api.faults = [Fault("cut")]
    with pytest.raises(lrn.TransportError, match="no complete answer"):
        client_of(api, max_retries=1).post({})


def test_a_wrong_version_says_so():
    with (
        scripted((404, b"Not found", {"Content-Type": "text/plain"})) as client,
        pytest.raises(lrn.ApiError, match=r"HTTP 404; check version=.*'v2026\.2\.LTS'") as caught,
    ):
        client.post({})
    assert caught.value.code is None
    assert len(client.received) == 1


@pytest.mark.parametrize("status", [400, 402, 405, 408, 409, 410, 413, 422, 204])
def test_what_is_no_page_and_does_not_pass_is_asked_for_once(status):
    with (
        scripted((status, b"<html>private</html>" * (status != 204))) as client,
        pytest.raises(lrn.ApiError, match=f"HTTP {status}") as caught,
    ):
        client.post({}, page=4)
    assert type(caught.value) is lrn.ApiError
    assert (caught.value.http_status, caught.value.page) == (status, 4)
    assert len(client.received) == 1
    assert "private" not in str(caught.value)


@pytest.mark.parametrize("status", [401, 403])
def test_a_bare_refusal_of_authentication_is_one(status):
    with scripted((status, b"")) as client, pytest.raises(lrn.AuthError):
        client.post({})
    assert len(client.received) == 1


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_bare_5xx_is_asked_again(status):
    with scripted((status, b"<html>"), (status, b""), (200, PAGE)) as client:
        assert client.post({}).records == 2
    assert len(client.received) == 3


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(status):
    with (
        scripted((status, b"", {"Location": "/elsewhere"})) as client,
        pytest.raises(lrn.ApiError, match=f"HTTP {status}; redirects are not followed"),
    ):
        client.post({})
    assert len(client.received) == 1


PAGE = (
    b'{"meta": {"status": true, "timestamp": 1389202121, "next": "1.2"}, "data": [{}, {"a": []}]}'
)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"private",
        b"[]",
        b"null",
        PAGE[:-1],
        PAGE + b"private",
        b'{"meta": {"status": true}, "data": {"0": "private"}}',
        b'{"meta": {"status": true}, "data": null}',
        b'{"meta": {"status": true}}',
        b'{"meta": null, "data": []}',
        b'{"meta": [], "data": ["private"]}',
        b'{"data": ["private"]}',
        b'{"meta": {"next": "\xff"}, "data": ["private"]}',
        b'{"meta": {"status": true}, "data": [' + b"[" * 100_000,
    ],
)
def test_an_answer_that_is_no_page_is_asked_for_again_and_never_shown(body):
    with scripted((200, body), (200, PAGE)) as client:
        assert client.post({}).records == 2
    with scripted((200, body)) as client, pytest.raises(lrn.ApiError) as caught:
        client.post({})
    assert "is not a page of records (HTTP 200)" in str(caught.value)
    assert "after 6 attempts" in str(caught.value)
    assert len(client.received) == 6
    assert "private" not in everything_said(caught.value)


def test_a_page_is_counted_by_its_data():
    body = PAGE.replace(b'"status"', b'"records": 999, "status"')
    with scripted((200, body)) as client:
        page = client.post({})
    assert (page.records, page.next, page.timestamp, page.limit) == (2, "1.2", 1389202121, None)
    assert page.body == body


@pytest.mark.parametrize("token", [b"null", b'""', b"false"])
def test_an_empty_token_is_none(token):
    with scripted((200, PAGE.replace(b'"1.2"', token))) as client:
        assert client.post({}).next is None


def test_what_the_service_says_is_kept_short_and_without_signatures():
    said = "no\n match: $02$" + "0a" * 32 + " " + "x" * 500
    meta = {"status": False, "code": "41002", "message": said, "request_uuid": "u-1"}
    with (
        scripted((403, json.dumps({"meta": meta}).encode())) as client,
        pytest.raises(lrn.AuthError, match="check the consumer secret") as caught,
    ):
        client.post({})
    error = caught.value
    assert (error.code, error.request_uuid) == (41002, "u-1")
    assert error.api_message.startswith("no match: *** xxx")
    assert len(error.api_message) == 200
    assert len(client.received) == 1


def test_odd_words_of_the_service_are_left_out():
    meta = {"status": False, "code": True, "message": {"echo": "private"}, "request_uuid": 5}
    with (
        scripted((400, json.dumps({"meta": meta}).encode())) as client,
        pytest.raises(lrn.ApiError) as caught,
    ):
        client.post({})
    error = caught.value
    assert (error.code, error.api_message, error.request_uuid) == (None, None, None)
    assert "private" not in everything_said(error)


def test_every_page_is_signed_afresh(monkeypatch):
    times = iter(["20260101-1200", "20260101-1201", "20260101-1202"])
    monkeypatch.setattr(sdk, "format_utc_time", lambda: next(times))
    refusal = json.dumps({"meta": {"status": False, "code": 41004}}).encode()
    with scripted((200, PAGE), (403, refusal), (200, PAGE)) as client:
        client.post({})
        client.post({"status": ["Completed"]})
    security = [json.loads(form["security"][0]) for _, form in client.received]
    assert [one["timestamp"][-2:] for one in security] == ["00", "01", "02"]
    assert len({one["signature"] for one in security}) == 3
    assert all(set(one) == {"consumer_key", "domain", "timestamp", "signature"} for one in security)


def test_what_is_sent_is_what_the_sdk_sends():
    with scripted((200, PAGE)) as client:
        client.post({"user_id": ["Zoë"]})
    ((headers, form),) = client.received
    assert form["action"] == ["get"]
    assert json.loads(form["request"][0])["user_id"] == ["Zoë"]
    assert SECRET not in str(form)
    assert headers["X-Learnosity-Consumer"] == "a-key"
    assert headers["X-Learnosity-Action"] == "get_/sessions/responses"
    assert headers["X-Learnosity-SDK"].startswith("Python:0.")
    assert headers["Content-Type"] == "application/x-www-form-urlencoded"


def test_loopback_is_asked_without_a_proxy(monkeypatch):
    with scripted((200, PAGE)) as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy._base.rpartition("/")[0])
        with scripted((200, PAGE)) as client:
            client.post({})
        assert len(client.received) == 1
    assert proxy.received == []
    assert Client("k", "s")._session.trust_env


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"timeout": None}, "timeout is None: expects two numbers of seconds above 0"),
        ({"timeout": 30}, "timeout is 30"),
        ({"timeout": (1, 0)}, r"timeout is \(1, 0\)"),
        ({"timeout": (1, float("nan"))}, "timeout is"),
        ({"timeout": ("1", 2)}, "timeout is"),
        ({"max_retries": -1}, "max_retries is -1: expects an integer, 0 or more"),
        ({"max_retries": 1.5}, r"max_retries is 1\.5"),
        ({"max_retries": True}, "max_retries is True"),
        ({"backoff": -0.1}, r"backoff is -0\.1: expects a number of seconds, 0 or more"),
        ({"rate_limit_wait": "5"}, "rate_limit_wait is '5'"),
        ({"rate_limit_wait": -1}, "rate_limit_wait is -1"),
        ({"rate_limit": (0, 5.0)}, r"rate_limit is \(0, 5\.0\)"),
        ({"rate_limit": (10, 0)}, r"rate_limit is \(10, 0\)"),
        ({"rate_limit": (1.5, 5.0)}, r"rate_limit is \(1\.5, 5\.0\): expects a number of requests"),
        ({"rate_limit": 1000}, "rate_limit is 1000"),
    ],
)
def test_impossible_settings_are_said(settings, message):
    with pytest.raises(lrn.QueryError, match=message):
        Client("key", SECRET, **settings)


@pytest.mark.parametrize(
    "url", ["http://data.learnosity.com", "ftp://127.0.0.1", "data", "http://10.0.0.1"]
)
def test_only_https_but_for_loopback(url):
    with pytest.raises(lrn.QueryError, match="expects https"):
        Client("key", SECRET, base_url=url)


@pytest.mark.parametrize("url", ["https://example.org/", "http://localhost:1", "http://[::1]:1"])
def test_https_and_loopback_are_taken(url):
    assert url.rstrip("/") in repr(Client("key", SECRET, base_url=url))


@pytest.mark.parametrize("url", ["http://[::1", "https://", "https://example.org:port", ""])
def test_what_is_no_address_is_said(url):
    with pytest.raises(lrn.QueryError, match=r"base_url is .*expects https"):
        Client("key", SECRET, base_url=url)


@pytest.mark.parametrize("rest", ["user:pass-word@example.org", "example.org/?a=b", "x.org/#a"])
def test_an_address_holds_nothing_but_the_address(rest):
    with pytest.raises(lrn.QueryError, match="base_url contains a user name") as caught:
        Client("key", SECRET, base_url=f"https://{rest}")
    assert "pass-word" not in str(caught.value)


def test_regions_and_versions():
    assert "https://data.learnosity.com/v2026.2.LTS" in repr(Client("key", SECRET))
    au = Client("key", SECRET, region="AU", version="v2027.9.preview1")
    assert "https://data-au.learnosity.com/v2027.9.preview1" in repr(au)
    with pytest.raises(lrn.QueryError, match=r"region is 'us': .*va, ie, au, ca, or"):
        Client("key", SECRET, region="us")


def test_without_credentials_nothing_is_guessed():
    with pytest.raises(lrn.CredentialsError, match="LRN_CONSUMER_KEY"):
        Client()


def test_the_environment_gives_credentials(api, monkeypatch):
    monkeypatch.setenv("LRN_CONSUMER_KEY", sandbox.CONSUMER_KEY)
    monkeypatch.setenv("LRN_CONSUMER_SECRET", sandbox.CONSUMER_SECRET)
    assert Client(base_url=api.base_url).post({}).records == 50


def test_the_rate_limit_is_shared_by_threads(api):
    client = client_of(api, rate_limit=(5, 0.4))
    started = time.monotonic()
    threads = [threading.Thread(target=client.post, args=({"limit": 1},)) for _ in range(11)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert time.monotonic() - started >= 0.8
    assert len(api.log) == 11


@given(
    st.integers(1, 12),
    st.floats(0.5, 8.0),
    st.lists(st.floats(0.0, 3.0), min_size=1, max_size=60),
)
def test_the_rate_limit_holds_in_any_window(requests, seconds, between):
    now = [0.0]
    fake = SimpleNamespace(
        monotonic=lambda: now[0], sleep=lambda pause: now.__setitem__(0, now[0] + pause)
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("lrnanalysis.api.rate_limit.time", fake)
        limiter, sent = RateLimiter(requests, seconds), []
        for pause in between:
            now[0] += pause
            limiter.acquire()
            sent.append(now[0])
    for earlier, later in zip(sent, sent[requests:], strict=False):
        assert later - earlier >= seconds * (1 - 1e-12)
    # Nothing waits while there is room.
    assert sent[: min(requests, len(sent))] == list(itertools.accumulate(between))[:requests]


def test_the_rate_window_slides_and_a_refused_request_does_not_count(monkeypatch):
    times = [0.0, 1.0, 2.0, 5.0, 5.5, 6.0, 7.0]
    clock = SimpleNamespace(monotonic=iter(times).__next__)
    monkeypatch.setattr("lrnanalysis.api.rate_limit.time", clock)
    limiter = RateLimiter(2, 5.0)
    assert [limiter.try_acquire() for _ in times] == [0, 0, 3.0, 0, 0.5, 0, 3.0]


def test_the_real_limit_is_kept_to(records):
    # The service's window is the shorter one, so that a slow way does not make a difference.
    with sandbox.serve(records[:1], rate_limit=(20, 0.2)) as api:
        client = client_of(api, rate_limit=(20, 0.6), max_retries=0)
        for _ in range(45):
            client.post({})
        assert set(statuses(api)) == {200}


def chain(error):
    found = [error]
    for one in found:
        found += [more for more in (one.__cause__, one.__context__) if more is not None]
    return found


def everything_said(error):
    said = [traceback.format_exception(error)]
    for one in chain(error):
        said += [str(one), repr(one), repr(vars(one)), repr(one.args)]
    return str(said)


@pytest.mark.parametrize(
    "fault",
    [
        Fault("error", code=41003),
        Fault("error", code=50100),
        Fault("not_json"),
        Fault("wrong_shape"),
        Fault("cut"),
        Fault("stall"),
        Fault("bad_gateway"),
    ],
    ids=lambda fault: f"{fault.kind}-{fault.code}",
)
def test_nothing_secret_is_ever_said(api, caplog, fault):
    api.faults = [fault]
    client = client_of(api, timeout=(1.0, 0.2), max_retries=1)
    with caplog.at_level(logging.DEBUG), pytest.raises(lrn.LrnError) as caught:
        client.post({"user_id": [LEARNER]})
    said = everything_said(caught.value) + caplog.text + repr(client) + str(client)
    secrets = (sandbox.CONSUMER_SECRET, sandbox.CONSUMER_KEY)
    for word in (*secrets, "$02$", "signature=", ANSWER, LEARNER):
        assert word not in said
    # Tools that show the variables of every frame find no signed request in what led to it.
    for cause in chain(caught.value)[1:]:
        assert cause.__traceback__ is None
        assert getattr(cause, "request", None) is None
        assert getattr(cause, "response", None) is None


def test_the_log_says_which_page_its_status_and_how_long_it_took(caplog):
    with (
        scripted((503, b"private"), (200, PAGE)) as client,
        caplog.at_level(logging.DEBUG, "lrnanalysis"),
    ):
        client.post({"user_id": [LEARNER]}, page=12)
    said = [record.getMessage() for record in caplog.records if record.name.startswith("lrn")]
    assert [message.partition(" in ")[0] for message in said] == [
        "page 12: HTTP 503",
        "page 12: HTTP 200",
    ]


def test_threads_share_a_client(api):
    pages, client = [], client_of(api)
    threads = [
        threading.Thread(target=lambda: pages.append(client.post({"sort": "asc"}).records))
        for _ in range(12)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert pages == [50] * 12


def test_a_client_is_not_pickled():
    for copied in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="contains credentials"):
            copied(Client("key", SECRET))


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
SAID = b"what a learner said"


def chunked(length):
    return HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + length + b"\r\n" + SAID + b"\r\n0\r\n\r\n"


def sized(body):
    return HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body


@contextlib.contextmanager
def verbatim(reply):
    """The address of a server that answers every connection with the same bytes."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()

        def serve():
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                with connection:
                    connection.recv(65536)
                    connection.sendall(reply)

        server = threading.Thread(target=serve)
        server.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            server.join()


@pytest.mark.parametrize(
    "reply",
    [
        chunked(b"-5"),
        chunked(SAID),
        HEAD + b"Content-Length: -5\r\n\r\n" + SAID,
        HEAD + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
        SAID + b"\r\n\r\n",
        b"HTTP/1.1 abc " + SAID + b"\r\n\r\n",
        HEAD + b"Content-Encoding: gzip\r\nContent-Length: 19\r\n\r\n" + SAID,
        b"HTTP/1.1 200 OK\r\nX: " + SAID * 5000 + b"\r\n\r\n",
        sized(
            b'{"meta": {"status": true}, "data": [{"session_id": "\xff", "x": "' + SAID + b'"}]}'
        ),
        sized(b'{"meta": {"status": true, "timestamp": ' + b"9" * 5000 + b'}, "data": []}'),
        sized(b'{"meta": {"status": true}, "data": [' + b"[" * 30000 + b"]" * 30000),
        b"",
    ],
    ids=range(12),
)
def test_a_malformed_answer_is_asked_for_again_and_then_a_typed_error(reply):
    with verbatim(reply) as address:
        client = Client(
            "a-key", SECRET, domain="localhost", base_url=address, backoff=0.0, max_retries=1
        )
        with client, pytest.raises((lrn.TransportError, lrn.ApiError)) as caught:
            client.post({})
    said = everything_said(caught.value)
    assert SAID.decode() not in said
    assert SECRET not in said
    assert "signature" not in said


@pytest.mark.parametrize("address", ["https://a b.com", "https://.com", "https://*.com",
                                     "https://" + "a" * 64 + ".com"])  # fmt: skip
def test_an_address_that_no_host_can_have_is_refused_at_once(address):
    with pytest.raises(lrn.QueryError, match="base_url is"):
        Client("a-key", SECRET, base_url=address)


def test_a_body_that_drips_ends_at_the_page_s_deadline():
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        over = threading.Event()

        def serve():
            connection, _ = listening.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(HEAD + b"Content-Length: 100000\r\n\r\n")
                with contextlib.suppress(OSError):
                    while not over.wait(0.05):
                        connection.sendall(b" ")

        server = threading.Thread(target=serve)
        server.start()
        client = Client(
            "a-key",
            SECRET,
            domain="localhost",
            base_url=f"http://127.0.0.1:{listening.getsockname()[1]}",
            page_timeout=0.5,
            max_retries=0,
        )
        started = time.monotonic()
        with client, pytest.raises(lrn.TransportError, match="no answer in time"):
            client.post({})
        assert time.monotonic() - started < 20
        over.set()
        server.join()


def test_an_answer_of_many_bytes_is_asked_for_in_smaller_pages(records):
    with sandbox.serve(records) as api, api.client(max_page_bytes=20_000) as client:
        page = client.post({"limit": 40})
        assert 0 < page.records < 40
        assert len(page.body) <= 20_000
        tiny = api.client(max_page_bytes=100)
        with tiny, pytest.raises(lrn.TransportError, match="larger than max_page_bytes"):
            tiny.post({"limit": 4})


def test_a_small_body_that_unpacks_to_a_large_one_takes_little_memory():
    packed = gzip.compress(b" " * 200_000_000, compresslevel=9)
    reply = HEAD + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(packed) + packed
    with verbatim(reply) as address:
        client = Client(
            "a-key", SECRET, base_url=address, domain="localhost", max_page_bytes=10_000_000
        )
        tracemalloc.start()
        with client, pytest.raises(lrn.TransportError, match="larger than max_page_bytes"):
            client.post({"limit": 1})
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert most < 60_000_000


@pytest.mark.parametrize(
    "settings", [{"page_timeout": 0}, {"page_timeout": "1"}, {"max_page_bytes": -1}]
)
def test_limits_of_a_page_are_checked(settings):
    (name,) = settings
    with pytest.raises(lrn.QueryError, match=f"{name} is"):
        Client("a-key", SECRET, **settings)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_process_has_its_own_connection():
    with sandbox.serve([{"session_id": f"s{at}"} for at in range(60)]) as api:
        client = api.client()
        client.post({"limit": 1})
        code = (
            "import os, sys, lrnanalysis as lrn\n"
            f"client = lrn.Client('{sandbox.CONSUMER_KEY}', '{sandbox.CONSUMER_SECRET}',"
            f" domain='localhost', base_url='{api.base_url}')\n"
            "client.post({'limit': 1})\n"
            "children = []\n"
            "for limit in (1, 2, 3):\n"
            "    child = os.fork()\n"
            "    if not child:\n"
            "        for _ in range(60):\n"
            "            if client.post({'limit': limit}).records != limit: os._exit(1)\n"
            "        os._exit(0)\n"
            "    children.append(child)\n"
            "own = all(client.post({'limit': 5}).records == 5 for _ in range(60))\n"
            "ends = [os.waitpid(child, 0)[1] for child in children]\n"
            "print(own, ends)\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, timeout=100, check=False
        )
    assert done.stdout.strip() == "True [0, 0, 0]", done.stderr


def test_threads_that_share_a_client_get_their_own_answers():
    with sandbox.serve([{"session_id": f"s{at}"} for at in range(60)]) as api:
        client = api.client()

        def ask(limit):
            return {client.post({"limit": limit}).records for _ in range(40)}

        with ThreadPoolExecutor(6) as pool:
            assert list(pool.map(ask, range(1, 7))) == [{limit} for limit in range(1, 7)]
