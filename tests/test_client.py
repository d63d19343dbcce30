"""Client against the embedded Data API over HTTP: signature, retries, errors, silence."""

import logging
import pickle
import threading
import time
import traceback
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

import lrnanalysis as lrn
from lrnanalysis import sandbox
from lrnanalysis.client import Client
from lrnanalysis.ratelimit import RateBudget
from lrnanalysis.sandbox import Fault

SECRET = "a-secret-that-nobody-sees"
ANSWER = "a learner's answer"
LEARNER = "learner-17"


@pytest.fixture(autouse=True)
def no_environment(monkeypatch, tmp_path):
    for name in ("KEY", "SECRET"):
        monkeypatch.delenv(f"LRN_CONSUMER_{name}", raising=False)
    for name in ("DOMAIN", "REGION", "VERSION", "PROFILE"):
        monkeypatch.delenv(f"LRN_{name}", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.fixture
def records(shapes):
    base = shapes["as scored records are"]
    answer = base["responses"][0] | {"response": {"value": ANSWER, "type": "string"}}
    return [base | {"session_id": f"s{n:03d}", "responses": [answer]} for n in range(120)]


@pytest.fixture
def api(records):
    with sandbox.serve(records, consumer_secret=SECRET) as served:
        yield served


def client_of(api, **settings):
    return api.client(backoff=0.0, rate_limit_wait=0.0, **settings)


def statuses(api):
    return [request.http_status for request in api.log]


def test_a_page_is_asked_for_and_answered(api):
    with client_of(api) as client:
        page = client.post({"limit": 20, "sort": "asc"})
    assert page.sessions == 20
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
    assert client_of(api).post({}).sessions == 50
    assert len(api.log) == 3


@pytest.mark.parametrize("kind", ["bad_gateway", "cut", "not_json", "wrong_shape"])
def test_broken_answers_are_asked_again(api, kind):
    api.faults = [Fault(kind, times=2)]
    assert client_of(api).post({}).sessions == 50
    assert len(api.log) == 3


def test_internal_errors_inside_200_are_asked_again(api):
    api.faults = [Fault("status_false", code=10000, times=1)]
    assert client_of(api).post({}).sessions == 50
    assert statuses(api) == [200, 200]


def test_a_stalled_answer_is_asked_again(api):
    api.faults = [Fault("stall", times=1)]
    assert client_of(api, timeout=(1.0, 0.3)).post({}).sessions == 50


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
    assert client_of(api).post({}).sessions == 50
    api.faults = [Fault("error", code=41004)]
    with pytest.raises(lrn.AuthError, match="check this machine's clock"):
        client_of(api).post({})
    assert len(api.log) == 2 + 2


def test_an_answer_too_large_halves_the_limit(api):
    api.faults = [Fault("too_large", above=10)]
    page = client_of(api).post({"limit": 40})
    assert (page.sessions, page.limit) == (10, 10)
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
    with pytest.raises(lrn.ApiError, match="no page of sessions"):
        client_of(api, max_retries=1).post({})


def test_a_429_is_waited_out(api, monkeypatch):
    waits = []
    monkeypatch.setattr("lrnanalysis.client.time.sleep", waits.append)
    api.faults = [Fault("error", code=42000, times=2)]
    api.client().post({})
    assert all(wait >= 5.0 for wait in waits)
    assert len(waits) == 2
    api.faults = [Fault("error", code=42000, times=1)]
    api.client(rate_limit_wait=1.5, backoff=0.0).post({})
    assert waits[-1] == 1.5


def test_pauses_grow_and_vary(api, monkeypatch):
    waits = []
    monkeypatch.setattr("lrnanalysis.client.time.sleep", waits.append)
    api.faults = [Fault("error", code=50100)]
    for _ in range(20):
        with pytest.raises(lrn.ApiError):
            api.client(backoff=1.0, max_retries=4).post({})
    by_try = [waits[n::4] for n in range(4)]
    assert all(0 <= wait <= 2**n for n, tried in enumerate(by_try) for wait in tried)
    assert len(set(waits)) == len(waits)
    assert max(by_try[3]) > max(by_try[0])


def test_no_connection_is_a_transport_error(api):
    client = client_of(api, max_retries=1)
    api.close()
    with pytest.raises(
        lrn.TransportError, match=r"page 3 after 2 tries \(ConnectionError\)"
    ) as caught:
        client.post({}, page=3)
    assert caught.value.page == 3
    assert caught.value.__cause__ is not None


def test_no_answer_in_time_is_a_transport_error(api):
    api.faults = [Fault("stall")]
    with pytest.raises(lrn.TransportError, match="no answer in time"):
        client_of(api, timeout=(1.0, 0.2), max_retries=0).post({})


def test_a_body_that_is_always_cut_is_a_transport_error(api):
    api.faults = [Fault("cut")]
    with pytest.raises(lrn.TransportError, match="no whole answer"):
        client_of(api, max_retries=1).post({})


def test_a_wrong_version_says_so(api):
    with pytest.raises(lrn.ApiError, match=r"HTTP 404; check version=") as caught:
        client_of(api, version="").__class__(
            "sandbox-key", SECRET, base_url=f"{api.base_url}/nowhere"
        ).post({})
    assert caught.value.code is None
    assert len(api.log) <= 1


class Redirecting(BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(301)
        self.send_header("Location", "https://data.learnosity.com/")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *arguments):
        pass


def test_a_redirect_is_not_followed():
    with ThreadingHTTPServer(("127.0.0.1", 0), Redirecting) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        client = Client("key", SECRET, base_url=f"http://127.0.0.1:{server.server_port}")
        with pytest.raises(lrn.ApiError, match="HTTP 301; redirects are not followed"):
            client.post({})
        client.close()
        server.shutdown()


@pytest.mark.parametrize(
    "url", ["http://data.learnosity.com", "ftp://127.0.0.1", "data", "http://10.0.0.1"]
)
def test_only_https_but_for_loopback(url):
    with pytest.raises(lrn.QueryError, match="it has to be https"):
        Client("key", SECRET, base_url=url)


@pytest.mark.parametrize("url", ["https://example.org/", "http://localhost:1", "http://[::1]:1"])
def test_https_and_loopback_are_taken(url):
    assert url.rstrip("/") in repr(Client("key", SECRET, base_url=url))


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
    monkeypatch.setenv("LRN_CONSUMER_SECRET", SECRET)
    assert Client(base_url=api.base_url).post({}).sessions == 50


def test_the_budget_is_shared_by_threads(api):
    client = client_of(api, rate_limit=(5, 0.4))
    started = time.monotonic()
    threads = [threading.Thread(target=client.post, args=({"limit": 1},)) for _ in range(11)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert time.monotonic() - started >= 0.8
    assert len(api.log) == 11


def test_the_budget_holds_in_any_window(monkeypatch):
    now = [0.0]
    monkeypatch.setattr("lrnanalysis.ratelimit.time.monotonic", lambda: now[0])
    monkeypatch.setattr(
        "lrnanalysis.ratelimit.time.sleep", lambda pause: now.__setitem__(0, now[0] + pause)
    )
    budget, sent = RateBudget(10, 5.0), []
    for number in range(100):
        budget.spend()
        sent.append(now[0])
        now[0] += 0.1 if number % 7 else 1.3
    assert all(later - earlier >= 5.0 for earlier, later in zip(sent, sent[10:], strict=False))
    with pytest.raises(lrn.QueryError, match="rate_limit is"):
        RateBudget(0, 5)


def test_the_real_limit_is_kept_to(records):
    with sandbox.serve(records[:1], rate_limit=20, rate_window=0.5) as api:
        client = client_of(api, rate_limit=(20, 0.5), max_retries=0)
        for _ in range(45):
            client.post({})
        assert set(statuses(api)) == {200}


def everything_said(error):
    said = []
    while error is not None:
        said += [str(error), repr(error), repr(vars(error))]
        error = error.__cause__ or error.__context__
    return "\n".join(said)


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
    said += "".join(traceback.format_exception(caught.value))
    for word in (SECRET, "$02$", "signature=", ANSWER, LEARNER, sandbox.CONSUMER_KEY):
        assert word not in said


def test_a_client_is_not_pickled():
    with pytest.raises(TypeError, match="holds credentials"):
        pickle.dumps(Client("key", SECRET))
