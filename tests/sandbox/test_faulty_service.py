"""The faults that tests order of an embedded Data API occur as ordered."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from faulty_service import STATUS_OF, Fault, FaultySandbox
from sandbox_requests import record, signed, url


@pytest.mark.parametrize("code", sorted(STATUS_OF))
def test_any_documented_code_can_be_ordered(ask, http, code):
    with FaultySandbox([record(1)], faults=[Fault("error", code=code, times=1)]) as api:
        answer = http.post(url(api), data=signed(), timeout=10)
        assert (answer.status_code, answer.json()["meta"]["code"]) == (STATUS_OF[code], code)
        assert len(ask(api)[1]) == 1


def test_a_200_may_say_that_it_failed(http):
    with FaultySandbox([record(1)], faults=[Fault("status_false", code=20018)]) as api:
        answer = http.post(url(api), data=signed(), timeout=10)
        meta = answer.json()["meta"]
        assert (answer.status_code, meta["status"], meta["code"]) == (200, False, 20018)


def test_a_cut_body_and_then_a_whole_one(http, ask):
    with FaultySandbox([record(1)], faults=[Fault("cut", times=1)]) as api:
        with pytest.raises(requests.exceptions.ChunkedEncodingError, match="IncompleteRead"):
            http.post(url(api), data=signed(), timeout=10)
        assert len(ask(api)[1]) == 1


def test_a_stalled_page_times_out_and_holds_up_no_other(http, ask):
    with FaultySandbox([record(1)], faults=[Fault("stall", at=(1,))]) as api:
        with pytest.raises(requests.exceptions.ReadTimeout):
            http.post(url(api), data=signed(), timeout=(10, 0.1))
        assert len(ask(api)[1]) == 1
        api.faults = [Fault("stall", seconds=0.01)]
        assert len(ask(api)[1]) == 1


def test_bodies_that_are_not_pages(http):
    kinds = ["not_json", "wrong_shape", "bad_gateway"]
    faults = [Fault(kind, at=(at,)) for at, kind in enumerate(kinds, 1)]
    with FaultySandbox([record(1)], faults=faults) as api:
        got = [http.post(url(api), data=signed(), timeout=10) for _ in kinds]
    with pytest.raises(requests.exceptions.JSONDecodeError):
        got[0].json()
    assert (got[0].status_code, got[1].status_code, got[2].status_code) == (200, 200, 502)
    assert "meta" not in got[1].json()
    assert got[2].headers["content-type"] == "text/html"


def test_a_repeated_token_on_a_page_with_sessions(ask):
    with FaultySandbox([record(n) for n in range(9)], faults=[Fault("repeat_token")]) as api:
        first, _ = ask(api, limit=3)
        second, data = ask(api, limit=3, next=first["next"])
        assert len(data) == 3
        assert second["next"] == first["next"]


@pytest.mark.parametrize("repeats", [True, False])
def test_an_empty_page_where_there_are_sessions(ask, repeats):
    with FaultySandbox([record(n) for n in range(9)], next_on_empty=repeats) as api:
        first, _ = ask(api, limit=3)
        api.faults = [Fault("empty", times=1)]
        meta, data = ask(api, limit=3, next=first["next"])
        assert (data, meta["records"], "next" in meta) == ([], 0, repeats)
        assert len(ask(api, limit=3, next=first["next"])[1]) == 3


def test_a_response_can_be_too_large_for_its_limit(http, ask):
    with FaultySandbox([record(1)], faults=[Fault("too_large", above=12)]) as api:
        for limit, status in ((50, 400), (13, 400), (12, 200)):
            answer = http.post(url(api), data=signed({"limit": limit}), timeout=10)
            assert answer.status_code == status
            if status == 400:
                assert answer.json()["meta"]["code"] == 20027


def test_refused_requests_commit_no_fault(http, ask):
    with FaultySandbox([record(1)], faults=[Fault("error", times=1)]) as api:
        assert http.post(url(api), data=signed(secret="another"), timeout=10).status_code == 403
        assert http.post(url(api), data=signed({"limit": 0}), timeout=10).status_code == 400
        assert http.post(url(api), data=signed(), timeout=10).status_code == 500
        assert len(ask(api)[1]) == 1


def test_the_first_fault_that_fits_is_committed(http):
    faults = [Fault("error", code=42000, at=(2,)), Fault("error", code=41004, times=2)]
    with FaultySandbox([record(1)], faults=faults) as api:
        codes = [http.post(url(api), data=signed(), timeout=10).status_code for _ in range(4)]
        assert codes == [403, 429, 403, 200]
        assert api.faults == tuple(faults)


@pytest.mark.parametrize("repeats", [True, False])
def test_an_empty_page_has_a_token_or_none(ask, repeats):
    with FaultySandbox([record(1)], next_on_empty=repeats) as api:
        meta, _ = ask(api, sort="asc")
        empty, data = ask(api, sort="asc", next=meta["next"])
        assert data == []
        assert empty.get("next") == (meta["next"] if repeats else None)


def test_updates_come_just_before_their_requests(ask):
    records = [record(number) for number in range(8)]
    with FaultySandbox(records, withheld=6, updates={2: {"new": 1}, 3: {"new": 2}}) as api:
        assert [len(ask(api)[1]) for _ in range(4)] == [2, 3, 5, 5]


def test_it_stops_although_a_client_waits():
    api = FaultySandbox([record(1)], faults=[Fault("stall")])
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(requests.post, url(api), data=signed(), timeout=30)
        while not api.log:
            threading.Event().wait(0.01)
        api.close()
        assert waiting.result().status_code == 200
    assert not any(thread.name.endswith(str(api.port)) for thread in threading.enumerate())
