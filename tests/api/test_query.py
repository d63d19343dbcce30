"""Query: every filter as documented, and nothing wrong is ever sent."""

import copy
import dataclasses
import datetime as dt
import enum
import inspect
import pickle
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lrnanalysis import Query, QueryError, fetch
from lrnanalysis.api.query import FILTERS

NAMES = [field.name for field in dataclasses.fields(Query)]


def test_every_filter_reaches_the_request_by_its_documented_name():
    query = Query(
        activity_id="numeracy",
        session_id=["s1", "s2"],
        user_id=("u1",),
        status=["completed", "PENDING SCORING"],
        mintime=1735689600,
        maxtime="2025-02-01T00:00:00Z",
        mintime_started=dt.date(2025, 1, 1),
        maxtime_started=dt.datetime(2025, 1, 2, 3, 4, 5),
        mintime_completed=pd.Timestamp("2025-01-01 12:00", tz="Europe/Berlin"),
        maxtime_completed=np.datetime64("2025-01-05T01:02:03"),
        sort="ASC",
        limit=np.int64(10),
        next="1387312240.1410",
        include={"sessions.session_metadata": ["grade"]},
    )
    assert query.to_request() == {
        "activity_id": ["numeracy"],
        "session_id": ["s1", "s2"],
        "user_id": ["u1"],
        "status": ["Completed", "Pending Scoring"],
        "mintime": "2025-01-01T00:00:00Z",
        "maxtime": "2025-02-01T00:00:00Z",
        "mintime_started": "2025-01-01T00:00:00Z",
        "maxtime_started": "2025-01-02T03:04:05Z",
        "mintime_completed": "2025-01-01T11:00:00Z",
        "maxtime_completed": "2025-01-05T01:02:03Z",
        "sort": "asc",
        "limit": 10,
        "next": "1387312240.1410",
        "include": {"sessions.session_metadata": ["grade"]},
    }


def test_an_empty_query_asks_for_everything():
    assert Query().to_request() == {}
    assert repr(Query()) == "Query()"


@pytest.mark.parametrize(
    ("given_time", "sent"),
    [
        ("2025-01-31", "2025-01-31T00:00:00Z"),
        ("2025-01-31 08:30:00", "2025-01-31T08:30:00Z"),
        ("2025-01-31T08:30:00+02:00", "2025-01-31T06:30:00Z"),
        ("1738312200", "2025-01-31T08:30:00Z"),
        (1738312200.75, "2025-01-31T08:30:00Z"),
        (np.float64(1738312200), "2025-01-31T08:30:00Z"),
        (
            dt.datetime(2025, 1, 31, 8, 30, tzinfo=ZoneInfo("America/New_York")),
            "2025-01-31T13:30:00Z",
        ),
    ],
)
def test_times_are_utc(given_time, sent):
    assert Query(mintime=given_time).mintime == sent


@pytest.mark.parametrize(
    "day",
    [
        "2025-01-31",
        " 2025-01-31 ",
        "20250131",
        "2025-W05-5",
        dt.date(2025, 1, 31),
        np.datetime64("2025-01-31"),
    ],
)
def test_a_day_as_the_latest_time_is_meant_whole(day):
    query = Query(mintime_started=day, maxtime_started=day)
    assert query.mintime_started == "2025-01-31T00:00:00Z"
    assert query.maxtime_started == "2025-01-31T23:59:59Z"
    assert Query(maxtime=dt.datetime(2025, 1, 31)).maxtime == "2025-01-31T00:00:00Z"


def test_a_fraction_of_a_second_widens_the_range():
    query = Query(mintime=1738312200.75, maxtime=1738312200.75)
    assert (query.mintime, query.maxtime) == ("2025-01-31T08:30:00Z", "2025-01-31T08:30:01Z")


@pytest.mark.parametrize(
    "many",
    [
        ["b", "a", "b"],
        ("b", "a"),
        pd.Series(["b", "a"]),
        pd.Index(["b", "a"]),
        np.array(["b", "a"]),
        (one for one in "ba"),
        {"b": 1, "a": 2}.keys(),
        pd.Categorical(["b", "a"]),
    ],
)
def test_many_ids_in_any_form(many):
    query = Query(user_id=many)
    assert query.user_id == ("b", "a")
    assert all(type(one) is str for one in query.user_id)


def test_a_set_of_ids_gives_the_same_query_every_time():
    assert Query(user_id={"b", "a", "c"}).user_id == ("a", "b", "c")


def test_ids_are_kept_as_they_are():
    assert Query(activity_id=" Numeracy\t5 ").activity_id == (" Numeracy\t5 ",)
    assert Query(user_id=["0012", "12"]).user_id == ("0012", "12")


def test_of_an_enum_the_text_is_taken():
    class Activity(str, enum.Enum):  # noqa: UP042 - StrEnum's str() is its text
        NUMERACY = "numeracy"

    activities = Query(activity_id=Activity.NUMERACY).activity_id
    assert activities == ("numeracy",)
    assert type(activities[0]) is str


def test_a_table_is_no_list_of_ids():
    frame = pd.DataFrame({"user_id": ["u1", "u2"], "score": ["private", "private"]})
    with pytest.raises(QueryError, match="user_id is a DataFrame of 2 dimensions") as caught:
        Query(user_id=frame)
    assert "private" not in str(caught.value)
    assert Query(user_id=frame["user_id"]).user_id == ("u1", "u2")


@pytest.mark.parametrize("function", [Query, fetch])
def test_every_filter_is_a_named_argument(function):
    parameters = inspect.signature(function).parameters
    assert sorted(name for name in parameters if name in NAMES) == sorted(NAMES)
    assert all(parameters[name].kind is inspect.Parameter.KEYWORD_ONLY for name in NAMES)


@pytest.mark.parametrize(
    ("filters", "message"),
    [
        ({"activty_id": "x"}, "unknown filter 'activty_id': did you mean 'activity_id'"),
        ({"activity": "x"}, "unknown filter 'activity': did you mean 'activity_id'"),
        ({"zebra": "x"}, "unknown filter 'zebra': expects activity_id, session_id, user_id"),
        ({"activity_id": []}, "activity_id is empty: it would match every session; omit it"),
        ({"activity_id": ""}, "expects text that is not empty"),
        ({"activity_id": ["a", "  "]}, r"activity_id\[1\] is '  '"),
        ({"user_id": 5}, r"user_id is 5 \(int\)"),
        ({"user_id": [5]}, r"user_id\[0\] is 5 \(int\), not text; write '5'"),
        ({"user_id": ["a", None]}, r"user_id\[1\] is None"),
        ({"user_id": ["a", float("nan")]}, r"user_id\[1\] is nan"),
        ({"user_id": b"a"}, r"user_id is b'a' \(bytes\)"),
        ({"user_id": {"a": 1}}, r"user_id is \{'a': 1\} \(dict\)"),
        ({"user_id": np.array("a")}, "user_id is a ndarray of 0 dimensions"),
        ({"user_id": pd.Series([1, 2])}, r"user_id\[0\] is 1 \(int\), not text; write '1'"),
        ({"user_id": pd.Series(["a", pd.NA])}, r"user_id\[1\] is (<NA>|nan)"),
        ({"user_id": pd.Series([], dtype="str")}, "user_id is empty"),
        ({"user_id": "a\ud800"}, r"user_id\[0\] is 'a\\ud800': it contains an unpaired surrogate"),
        ({"limit": np.bool_(True)}, "limit is True"),
        ({"next": "\ud800"}, "next is "),
        ({"include": {"sessions.session_metadata": None}}, "include is empty"),
        ({"include": {"sessions.session_metadata": []}}, "include is empty"),
        ({"mintime": pd.NA}, "mintime is <NA>"),
        ({"mintime": 10**400}, "mintime is 10000"),
        ({"mintime": "0001-01-01T00:00:00+05:00"}, "mintime is '0001-01-01T00:00:00"),
        ({"mintime": "1900-01-01"}, "mintime is '1900-01-01': no session is older than 1970"),
        ({"maxtime": dt.datetime.max}, "maxtime is 9999-12-31 23:59:59"),
        ({"mintime": np.datetime64("NaT")}, "mintime is .*NaT"),
        ({"status": "complete"}, "status is 'complete': did you mean 'Completed'"),
        ({"status": ["Completed", "Done"]}, "status is 'Done': "),
        ({"limit": 0}, "limit is 0: the endpoint returns 1 to 50"),
        ({"limit": 51}, "to stop early use max_sessions=51"),
        ({"limit": True}, r"limit is True \(bool\)"),
        ({"limit": 10.0}, r"limit is 10.0 \(float\)"),
        ({"limit": "10"}, r"limit is '10' \(str\)"),
        ({"sort": "up"}, "sort is 'up'"),
        ({"next": ""}, "next is ''"),
        ({"next": 5}, "next is 5"),
        ({"include": {"session_metadata": ["a"]}}, "include has 'session_metadata'"),
        ({"include": {}}, "include is empty"),
        ({"include": []}, "include is empty"),
        ({"mintime": "soon"}, r"mintime is 'soon' \(str\): expects Unix seconds"),
        ({"mintime": pd.NaT}, "mintime is NaT"),
        ({"mintime": True}, "mintime is True"),
        ({"mintime": float("inf")}, "mintime is inf"),
        ({"mintime": -5}, "mintime is -5"),
        ({"mintime": [1]}, r"mintime is \[1\]"),
        ({"mintime": 1738312200000}, "if these are milliseconds, divide by 1000"),
        (
            {"mintime": "2025-02-01", "maxtime": "2025-01-01"},
            "mintime is 2025-02-01T00:00:00Z, after maxtime 2025-01-01T23:59:59Z",
        ),
        ({"mintime_started": 20, "maxtime_started": 10}, "after maxtime_started"),
    ],
)
def test_what_is_wrong_is_said(filters, message):
    with pytest.raises(QueryError, match=message):
        Query(**filters)


def test_every_filter_is_documented():
    for name, one in FILTERS.items():
        assert f"    {name} : {one.kind.accepts}\n" in Query.__doc__
        assert one.help[1:] in Query.__doc__
    assert list(FILTERS) == NAMES


def test_an_error_is_a_value_error():
    with pytest.raises(ValueError, match="limit"):
        Query(limit=99)


def test_long_lists_are_split_and_multiplied_out():
    users, sessions = [f"u{n}" for n in range(2001)], [f"s{n}" for n in range(1500)]
    query = Query(user_id=users, session_id=sessions, status="Completed")
    bodies = query.requests()
    assert len(bodies) == 3 * 2
    pairs = {
        (user, session)
        for b in bodies
        for user in b["user_id"][:1]
        for session in b["session_id"][:1]
    }
    assert len(pairs) == 6
    assert all(len(b["user_id"]) <= 1000 and len(b["session_id"]) <= 1000 for b in bodies)
    assert sorted({user for b in bodies for user in b["user_id"]}) == sorted(users)
    assert all(b["status"] == ["Completed"] for b in bodies)
    with pytest.raises(QueryError, match="2,001 values in one list need 6 requests"):
        query.to_request()
    assert len(Query(user_id=users[:1000]).requests()) == 1


def test_a_query_cannot_be_changed():
    query = Query(limit=5)
    with pytest.raises(AttributeError):
        query.limit = 6
    assert query.replace(limit=6, sort="asc") == Query(limit=6, sort="asc")
    assert query.limit == 5


def test_a_request_can_be_changed_without_harm():
    query = Query(user_id=["a"], include=["grade"])
    query.to_request()["user_id"].append("b")
    query.to_request()["include"]["sessions.session_metadata"].append("b")
    assert query.to_request() == Query(user_id=["a"], include=["grade"]).to_request()


MOMENTS = st.integers(0, 4_000_000_000) | st.datetimes(
    dt.datetime(1990, 1, 1), dt.datetime(2090, 1, 1)
)
IDS = st.lists(st.text(min_size=1).filter(str.strip), min_size=1, max_size=4)
QUERIES = st.fixed_dictionaries(
    {},
    optional={
        "activity_id": IDS,
        "user_id": IDS,
        "status": st.lists(
            st.sampled_from(["Incomplete", "completed", "DISCARDED", "Pending Scoring"]), min_size=1
        ),
        "mintime": MOMENTS,
        "maxtime_started": MOMENTS,
        "sort": st.sampled_from(["asc", "desc"]),
        "limit": st.integers(1, 50),
        "include": IDS,
    },
)


@given(QUERIES)
def test_a_repr_is_code_that_makes_the_query(filters):
    made = Query(**filters)
    again = eval(repr(made), {"Query": Query})
    assert again == made
    assert hash(again) == hash(made)
    assert Query(**made.to_dict()) == made
    assert again.to_request() == made.to_request()
    assert made.replace() == made


@given(QUERIES)
def test_copies_are_equal(filters):
    made = Query(**filters)
    assert pickle.loads(pickle.dumps(made)) == made
    assert copy.deepcopy(made) == made
    assert dataclasses.replace(made, limit=7) == made.replace(limit=7)


@given(
    st.datetimes(dt.datetime(1990, 1, 1), dt.datetime(2090, 1, 1)).map(
        lambda moment: moment.replace(microsecond=0, tzinfo=dt.UTC)
    ),
    st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu"]),
)
def test_the_same_moment_is_the_same_query(moment, zone):
    there = moment.astimezone(ZoneInfo(zone))
    spelt = [
        moment,
        there,
        moment.replace(tzinfo=None),
        pd.Timestamp(there),
        np.datetime64(moment.replace(tzinfo=None)),
        moment.timestamp(),
        int(moment.timestamp()),
        there.isoformat(),
        moment.strftime("%Y-%m-%d %H:%M:%S"),
    ]
    sent = moment.strftime("%Y-%m-%dT%H:%M:%SZ")
    for one in spelt:
        assert Query(mintime=one, maxtime=one).to_request() == {"mintime": sent, "maxtime": sent}


@given(IDS, st.randoms())
def test_lists_keep_their_order_and_lose_what_repeats(texts, random):
    twice = texts + random.sample(texts, len(texts))
    assert Query(user_id=twice).user_id == tuple(dict.fromkeys(texts))
    assert Query(user_id=set(twice)) == Query(user_id=frozenset(texts))


@given(st.lists(st.sampled_from(["a", "b", "c"]), min_size=1, max_size=3), st.integers(1, 3500))
def test_every_pair_of_ids_is_asked_for_once(activities, number):
    users = [f"u{n}" for n in range(number)]
    bodies = Query(activity_id=activities, user_id=users).requests()
    assert len(bodies) == -(-number // 1000)
    asked = [user for body in bodies for user in body["user_id"]]
    assert asked == users
    assert all(body["activity_id"] == list(dict.fromkeys(activities)) for body in bodies)


@given(st.text(min_size=1).filter(lambda name: name not in NAMES))
def test_a_name_that_is_no_filter_is_never_passed_over(name):
    with pytest.raises(QueryError, match="unknown filter"):
        Query(**{name: "x"})


ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.binary()
    | st.sampled_from([pd.NaT, pd.NA, np.nan, np.int64(3), np.array([]), object()]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=2),
    max_leaves=4,
)


@given(
    st.sampled_from(NAMES),
    ANYTHING | st.datetimes() | st.dates(),
)
def test_what_is_wrong_is_always_a_query_error(name, value):
    try:
        made = Query(**{name: value})
    except QueryError:
        with pytest.raises(QueryError, match=f"^{name}"):
            Query(**{name: value})
    else:
        assert made.to_dict().keys() <= {name}
