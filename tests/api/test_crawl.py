"""From a query to linked tables over HTTP: paging, resuming, polling, stopping."""

import json
import threading

import pytest
from pandas.testing import assert_frame_equal
from tqdm.auto import tqdm

import lrnanalysis as lrn
from faulty_service import Fault, FaultySandbox
from lrnanalysis import Query, sandbox
from lrnanalysis.api.crawl import Crawl
from scripted_server import scripted

TABLES = ("sessions", "responses", "items")


@pytest.fixture
def records(shapes):
    base = shapes["as scored records are"]
    return [
        base
        | {
            "session_id": f"s{n:03d}",
            "user_id": f"u{n % 40:02d}",
            "activity_id": f"a{n % 3}",
            "status": ["Completed", "Incomplete", "Discarded", "Pending Scoring"][n % 4],
            "dt_started": f"2026-02-{1 + n % 20:02d}T09:00:00Z",
            "dt_completed": f"2026-02-{1 + n % 20:02d}T10:{n % 60:02d}:00Z",
        }
        for n in range(130)
    ]


@pytest.fixture
def api(records):
    with FaultySandbox(records) as served:
        yield served


@pytest.fixture
def client(api):
    with api.client(backoff=0.0, rate_limit_wait=0.0) as made:
        yield made


def fetch(client, *arguments, **keywords):
    return lrn.fetch(*arguments, client=client, progress=False, **keywords)


def ids(study):
    return study.sessions["session_id"].to_list()


def test_a_fetch_gives_three_linked_tables(client, records):
    sessions, responses, items = fetch(client)
    assert sorted(sessions["session_id"]) == [record["session_id"] for record in records]
    assert sorted(responses["session_id"]) == sorted(sessions["session_id"])
    assert sorted(items["session_id"]) == sorted(sessions["session_id"])


@pytest.mark.parametrize("next_on_empty", [True, False])
@pytest.mark.parametrize(("limit", "number"), [(1, 9), (7, 100), (50, 100), (None, 51)])
def test_an_empty_page_ends_the_crawl(records, next_on_empty, limit, number):
    with FaultySandbox(records[:number], next_on_empty=next_on_empty) as api:
        study = fetch(api.client(), limit=limit)
        assert len(study) == number
        assert [request.records for request in api.log][-1] == 0
        assert len(api.log) == -(-number // (limit or 50)) + 1
        assert study.next == api.log[-1].parameters["next"]


@pytest.mark.parametrize(
    ("filters", "keeps"),
    [
        ({"status": "completed"}, lambda r: r["status"] == "Completed"),
        (
            {"status": ["Incomplete", "Discarded"]},
            lambda r: r["status"] in ("Incomplete", "Discarded"),
        ),
        ({"activity_id": "a1"}, lambda r: r["activity_id"] == "a1"),
        ({"user_id": ["u03", "u04"]}, lambda r: r["user_id"] in ("u03", "u04")),
        ({"session_id": "s017"}, lambda r: r["session_id"] == "s017"),
        ({"mintime_started": "2026-02-10"}, lambda r: r["dt_started"] >= "2026-02-10"),
        ({"maxtime_started": "2026-02-10"}, lambda r: r["dt_started"] < "2026-02-11"),
        (
            {"mintime_completed": "2026-02-05T10:20:00Z", "maxtime_completed": "2026-02-06"},
            lambda r: "2026-02-05T10:20:00Z" <= r["dt_completed"] < "2026-02-07",
        ),
        (
            {"mintime": "2026-02-05T10:20:00Z", "maxtime": "2026-02-06"},
            lambda r: "2026-02-05T10:20:00Z" <= r["dt_completed"] < "2026-02-07",
        ),
        (
            {"activity_id": ["a0", "a1"], "status": "Completed", "user_id": ["u00", "u04", "u12"]},
            lambda r: (
                r["activity_id"] in ("a0", "a1")
                and r["status"] == "Completed"
                and r["user_id"] in ("u00", "u04", "u12")
            ),
        ),
        ({"user_id": "nobody"}, lambda r: False),
    ],
)
def test_every_filter_filters(client, records, filters, keeps):
    wanted = sorted(record["session_id"] for record in records if keeps(record))
    assert sorted(ids(fetch(client, **filters))) == wanted
    assert sorted(ids(fetch(client, Query(**filters)))) == wanted


def test_nothing_found_is_three_empty_tables(client):
    study = fetch(client, user_id="nobody")
    full = fetch(client)
    for name in TABLES:
        assert len(getattr(study, name)) == 0
        assert (
            getattr(study, name)
            .dtypes.astype("str")
            .equals(getattr(full, name).dtypes.astype("str"))
        )


def test_sorting_and_page_size(api, client):
    ascending, descending = fetch(client, sort="asc"), fetch(client, sort="desc", limit=9)
    assert ascending.sessions["dt_completed"].is_monotonic_increasing
    assert descending.sessions["dt_completed"].is_monotonic_decreasing
    assert max(request.records for request in api.log[4:]) == 9


def test_every_filter_is_sent_again_with_the_token(api, client):
    fetch(client, activity_id=["a0", "a1"], limit=10)
    bodies = [dict(request.parameters) for request in api.log]
    for body in bodies:
        body.pop("next", None)
    assert all(body == bodies[0] for body in bodies)
    assert bodies[0]["activity_id"] == ["a0", "a1"]


def test_metadata_that_was_asked_for_becomes_columns(records):
    metadata = [{"grade": n % 5, "school": "North"} for n in range(len(records))]
    with sandbox.serve(records, session_metadata=metadata) as api:
        study = fetch(api.client(), include=["grade", "unheard_of"])
    assert study.sessions["metadata.grade"].value_counts().to_dict() == dict.fromkeys(range(5), 26)
    assert study.sessions["metadata.unheard_of"].isna().all()
    assert "metadata.school" not in study.sessions


def test_long_lists_are_split_without_notice(api, client, records):
    study = fetch(
        client,
        session_id=[f"s{n:03d}" for n in range(1500)],
        user_id=[f"u{n:02d}" for n in range(1200)],
    )
    assert sorted(ids(study)) == [record["session_id"] for record in records]
    assert study.sessions["session_id"].is_unique
    assert len({json.dumps(r.parameters["session_id"]) for r in api.log}) == 2


def test_a_split_query_goes_on_from_its_token(records):
    wanted = {"session_id": [f"s{n:03d}" for n in range(1500)]}
    with sandbox.serve(records, withheld=30) as api:
        client = api.client()
        first = fetch(client, **wanted)
        assert len(first) == 100
        api.update(new=30)
        later = fetch(client, **wanted, next=first.next)
        assert len(later) == 30
        assert not set(ids(first)) & set(ids(later))
        # More on a page, or more about each, is the same query.
        assert len(fetch(client, **wanted, next=first.next, limit=7, include="grade")) == 30
        asked = len(api.log)
        other = {"session_id": wanted["session_id"][::-1]}
        for filters, token in (
            (wanted, "1770.5"),
            (wanted, "split.nothing"),
            (wanted, first.next[:-4]),
            (wanted, first.next.rpartition(".")[0] + ".bm8"),
            (other, first.next),
            (wanted | {"status": "Completed"}, first.next),
            (wanted | {"sort": "desc"}, first.next),
            ({"session_id": "s001"}, first.next),
            ({}, first.next),
        ):
            with pytest.raises(lrn.QueryError, match="which does not belong to this query"):
                fetch(client, **filters, next=token)
        assert len(api.log) == asked


def test_a_split_query_goes_on_where_it_was_interrupted(api, client):
    query = Query(session_id=[f"s{n % 1000:03d}{'' if n < 1000 else 'x'}" for n in range(1130)])
    query = query.replace(session_id=list(query.session_id)[65:] + list(query.session_id)[:65])
    crawl = Crawl(query, client)
    first = [page.records for _, page in zip(range(2), crawl, strict=False)]
    assert first == [50, 15]
    assert " " not in crawl.next
    again = Crawl(query.replace(next=crawl.next), client)
    # The page in hand when the first crawl was left comes again.
    assert [page.records for page in again] == [15, 50, 15]
    assert again.finished
    assert [page.records for page in Crawl(query, client, next=again.next)] == []


def test_polling_gets_what_is_new(records):
    with sandbox.serve(records, withheld=30) as api:
        study = fetch(api.client())
        assert len(study) == 100
        assert len(study.poll(progress=False)) == 0
        api.update(new=20, submitted=2)
        newer = study.poll(progress=False)
        assert len(newer) == 22
        both = study.updated(newer)
        assert len(both) == 120
        assert both.sessions["session_id"].is_unique
        assert len(both.poll(progress=False)) == 0
        api.update(new=10)
        assert len(both.poll(progress=False)) == 10
        assert len(fetch(api.client(), next=newer.next)) == 10


def test_polling_goes_back_in_time_in_descending_order(client):
    study = fetch(client, sort="desc")
    with pytest.raises(lrn.QueryError, match='fetch with sort="asc" to poll'):
        study.poll()


def test_sessions_that_change_during_a_crawl_come_once_as_they_are_at_last(records):
    with FaultySandbox(records, updates={2: {"submitted": 3}, 3: {"submitted": 3}}) as api:
        study = fetch(api.client())
        assert len(api.log) >= 4
    assert study.sessions["session_id"].is_unique
    assert len(study) == len(records)
    before = sum(record["status"] == "Incomplete" for record in records)
    assert (study.sessions["status"] == "Incomplete").sum() == before - 6
    assert study.check().loc["repeated sessions", "count"] >= 1


def test_a_repeated_token_is_an_error(api, client):
    api.faults = [Fault("repeat_token", at=(2,))]
    with pytest.raises(
        lrn.PagingError, match="page 2 has 50 sessions and repeats the token"
    ) as caught:
        fetch(client)
    assert len(caught.value.partial) == 50


def test_a_failure_leaves_what_was_fetched(api, client):
    api.faults = [Fault("error", code=20004, at=(3,))]
    with pytest.raises(lrn.ApiError, match="page 3") as caught:
        fetch(client)
    partial = caught.value.partial
    assert len(partial) == 100
    assert len(partial.items) == 100
    api.faults = []
    rest = fetch(client, next=partial.next)
    assert len(rest) == 30
    whole = fetch(client)
    for name in TABLES:
        assert_frame_equal(
            getattr(partial.updated(rest), name), getattr(whole, name), check_categorical=False
        )


@pytest.mark.parametrize("failure", [MemoryError(), ZeroDivisionError("a mistake of the caller")])
def test_any_other_error_leaves_what_was_fetched_too(client, failure):
    calls = []

    def cancelled():
        calls.append(1)
        if len(calls) == 3:
            raise failure
        return False

    with pytest.raises(type(failure)) as caught:
        fetch(client, cancelled=cancelled)
    assert caught.value is failure
    assert len(failure.partial) == 100
    assert len(fetch(client, next=failure.partial.next)) == 30
    assert "partial" in failure.__notes__[-1]


def test_cancelling_keeps_what_was_fetched(client):
    asked = []
    study = fetch(client, limit=10, cancelled=lambda: asked.append(1) or len(asked) > 4)
    assert 10 <= len(study) < 130
    assert len(study) + len(fetch(client, next=study.next)) == 130


@pytest.mark.parametrize("most", [1, 49, 50, 51, 120, 500])
def test_a_first_look_stops_early(api, client, most):
    study = fetch(client, max_sessions=most)
    assert len(study) == min(most, 130)
    assert len(api.log) <= -(-most // 50) + 1
    assert len(study) + len(fetch(client, next=study.next)) == 130


@pytest.mark.parametrize("most", [0, -5, True, 1.5, "10"])
def test_a_first_look_at_nothing_is_an_error(api, client, most):
    with pytest.raises(lrn.QueryError, match=f"max_sessions is {most!r}"):
        fetch(client, max_sessions=most)
    assert api.log == []


def test_a_page_limit_that_was_too_large_is_remembered(api, client):
    api.faults = [Fault("too_large", above=12)]
    assert len(fetch(client, limit=48)) == 130
    limits = [request.parameters["limit"] for request in api.log]
    assert limits[:3] == [48, 24, 12]
    assert set(limits[2:]) == {12}


def test_a_page_limit_that_was_too_large_is_remembered_by_all_requests(api, client):
    api.faults = [Fault("too_large", above=30)]
    assert len(fetch(client, user_id=[f"u{n:02d}" for n in range(1500)])) == 130
    limits = [request.parameters.get("limit") for request in api.log]
    assert limits[0] is None
    assert set(limits[1:]) == {25}


def test_a_first_look_asks_for_no_more_than_it_wants(api, client):
    fetch(client, max_sessions=60, limit=40)
    assert [request.parameters["limit"] for request in api.log] == [40, 20]


def test_what_passes_is_survived(api, client):
    api.faults = [
        Fault("error", code=42000, at=(2,)),
        Fault("error", code=50100, at=(4,)),
        Fault("cut", at=(6,)),
        Fault("not_json", at=(7,)),
        Fault("error", code=41004, at=(9,)),
    ]
    assert len(fetch(client, limit=30)) == 130


def test_wrong_filters_are_said_before_anything_is_sent(api, client):
    for filters, message in (
        ({"activty_id": "a"}, "unknown filter 'activty_id': did you mean 'activity_id'"),
        ({"limit": 99}, "max_sessions=99"),
        ({"mintime": "2026-02-02", "maxtime": "2026-02-01"}, "after maxtime"),
    ):
        with pytest.raises(lrn.QueryError, match=message):
            fetch(client, **filters)
    with pytest.raises(lrn.QueryError, match="the first argument is a str"):
        fetch(client, "numeracy")
    assert api.log == []


def test_keywords_refine_a_query(client):
    study = fetch(client, Query(activity_id="a1", status="Completed"), user_id="u04")
    assert study.query == Query(activity_id="a1", status="Completed", user_id="u04")


def test_progress_is_shown_and_can_be_turned_off(client, capfd):
    fetch(client)
    assert capfd.readouterr().err == ""
    lrn.fetch(client=client)
    shown = capfd.readouterr().err
    assert "130 sessions" in shown
    assert "sessions/s" in shown


def test_a_crawl_tells_how_far_it_is(client):
    seen = []
    crawl = Crawl(
        Query(limit=50),
        client,
        on_page=lambda c: seen.append((c.pages, c.sessions)),
    )
    assert crawl.next is None
    assert [page.records for page in crawl] == [50, 50, 30]
    assert seen == [(1, 50), (2, 100), (3, 130)]
    assert crawl.finished
    assert crawl.next


def test_a_page_whose_reader_fails_comes_again(client):
    crawl = Crawl(Query(limit=50), client)
    read = []

    def reader():
        for page in crawl:
            if len(read) == 1:
                raise KeyboardInterrupt
            read.append(page)

    with pytest.raises(KeyboardInterrupt):
        reader()
    assert not crawl.finished
    assert crawl.next == read[0].next
    rest = [page.records for page in Crawl(Query(), client, next=crawl.next)]
    assert rest == [50, 30]


def test_a_crawl_goes_on_when_it_is_iterated_again(api, client):
    api.faults = [Fault("error", code=20004, at=(2,)), Fault("error", code=20004, at=(4,))]
    crawl, pages = Crawl(Query(), client), []
    for _ in range(2):
        with pytest.raises(lrn.ApiError):
            pages.extend(page.records for page in crawl)
        assert not crawl.finished
    pages.extend(page.records for page in crawl)
    assert sum(pages) == 130
    assert crawl.sessions == 130
    assert crawl.finished
    api.put([{"session_id": "new"}])
    assert [page.records for page in crawl] == [1]
    assert crawl.finished


def test_an_interrupt_between_pages_leaves_the_token(client):
    def interrupt(crawl):
        if crawl.pages == 2:
            raise KeyboardInterrupt

    crawl = Crawl(Query(), client, on_page=interrupt)
    with pytest.raises(KeyboardInterrupt):
        list(crawl)
    rest = Crawl(Query(), client, next=crawl.next)
    assert sum(page.records for page in rest) == 80


def test_an_event_cancels_between_pages(api, client):
    event = threading.Event()
    crawl = Crawl(
        Query(),
        client,
        cancelled=event.is_set,
        on_page=lambda crawl: event.set(),
    )
    assert [page.records for page in crawl] == [50]
    assert not crawl.finished
    assert [page.records for page in crawl] == []
    assert len(api.log) == 1
    event.clear()
    assert next(iter(crawl)).records == 50


def page_of(number, token):
    data = [{"session_id": f"s{number}"}] if number else []
    meta = {"status": True, "records": len(data)}
    return 200, json.dumps(
        {"meta": meta | ({"next": token} if token else {}), "data": data}
    ).encode()


def tokens_asked(client):
    return [json.loads(form["request"][0]).get("next") for _, form in client.received]


def test_tokens_in_a_loop_are_an_error():
    with scripted(*[page_of(n, "AB"[n % 2]) for n in range(1, 9)]) as client:
        crawl, pages = Crawl(Query(), client), []
        with pytest.raises(lrn.PagingError, match="page 3 has 1 sessions and repeats"):
            pages.extend(crawl)
        assert len(pages) == 2
        assert tokens_asked(client) == [None, "B", "A"]
        assert crawl.next == "A"


def test_the_first_page_of_a_resumed_crawl_may_not_repeat_its_token():
    with scripted(page_of(1, "A")) as client, pytest.raises(lrn.PagingError):
        list(Crawl(Query(), client, next="A"))


def test_a_page_with_sessions_and_no_token_is_the_last():
    with scripted(page_of(1, "A"), page_of(2, None)) as client:
        crawl = Crawl(Query(), client)
        assert [page.records for page in crawl] == [1, 1]
        assert crawl.finished
        # The token before it is the only one to resume from.
        assert crawl.next == "A"
        assert len(client.received) == 2


@pytest.mark.parametrize(("last", "kept"), [("A", "A"), (None, "A"), ("B", "B")])
def test_the_last_token_is_kept(last, kept):
    with scripted(page_of(1, "A"), page_of(0, last)) as client:
        crawl = Crawl(Query(), client)
        assert [page.records for page in crawl] == [1]
        assert crawl.next == kept


def test_an_empty_first_page_has_no_token(client):
    crawl = Crawl(Query(user_id="nobody"), client)
    assert list(crawl) == []
    assert crawl.finished
    assert crawl.next is None


@pytest.mark.parametrize("token", ["", " ", 5])
def test_a_token_that_is_none_does_not_start_anew(api, client, token):
    with pytest.raises(lrn.QueryError, match="next is"):
        fetch(client, next=token)
    assert api.log == []


def test_the_progress_bar_is_closed_after_an_error(api, client, capfd):
    api.faults = [Fault("error", code=20004, at=(2,))]
    with pytest.raises(lrn.ApiError):
        lrn.fetch(client=client)
    assert not getattr(tqdm, "_instances", ())
    assert "50 sessions" in capfd.readouterr().err
