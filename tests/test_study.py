"""SessionData: linked tables that stay linked."""

import hashlib
import hmac
import json
import pickle

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

import lrnanalysis as lrn
from lrnanalysis.study import SessionData
from lrnanalysis.warnings import DataWarning
from record_tables import page_of, tables_of

TABLES = ("sessions", "responses", "items")


@pytest.fixture
def study(shapes):
    return SessionData(tables_of(*shapes.values()))


@pytest.fixture
def seed(documented):
    return SessionData(tables_of(documented))


def test_unpacks_into_three_tables(study):
    sessions, responses, items = study
    assert sessions is study.sessions
    assert responses is study.responses
    assert items is study.items
    assert len(study) == len(sessions) == 24


def test_documented_example_has_220_active_seconds_in_1714_minutes(seed):
    assert seed.sessions["active_time"].to_list() == [220]
    assert seed.sessions["session_duration"].to_list() == [1714]


def test_documented_example_checks_name_what_is_wrong(seed, documented):
    found = seed.check()
    assert found.loc["dangling response_ids", "count"] == 3
    for item in documented["items"]:
        assert item["response_ids"][0] in found.loc["dangling response_ids", "examples"]
    assert found.loc["more items than questions", "examples"] == "3 items, 2 questions"
    assert found.loc["responses without item", "count"] == 2


def test_check_of_a_sound_study_is_empty(shapes):
    sound = SessionData(tables_of(shapes["as scored records are"]))
    assert sound.check().empty
    assert list(sound.check().columns) == [
        "table",
        "kind",
        "count",
        "sessions",
        "examples",
        "meaning",
    ]


def change(record, **changes):
    return json.loads(json.dumps(record)) | changes


@pytest.mark.parametrize(
    ("check", "changes"),
    [
        ("num_questions differs", {"num_questions": 7}),
        ("num_attempted differs", {"num_attempted": 0}),
        ("completed before started", {"dt_completed": "2026-02-03T09:00:00Z"}),
        (
            "more active than elapsed time",
            {"dt_completed": "2026-02-03T10:00:05Z", "session_duration": 1},
        ),
        ("session_duration differs", {"session_duration": 30}),
        ("completed without dt_completed", {"dt_completed": None}),
        ("unknown status", {"status": "Suspended"}),
        ("sessions above max_score", {"score": 3}),
        ("unreadable records", {"session_id": None}),
    ],
)
def test_each_contradiction_is_found(shapes, check, changes):
    base = shapes["as scored records are"]
    one = SessionData(tables_of(base, change(base, session_id="changed") | changes))
    assert one.check()["count"].to_dict() == {check: 1}


def test_rows_of_items_and_responses_are_checked(shapes):
    odd = change(shapes["as scored records are"])
    odd["items"][0]["time"] = 0
    odd["responses"][0]["item_reference"] = "elsewhere"
    odd["responses"][0]["score"] = 2
    odd["items"].append(odd["items"][0])
    found = SessionData(tables_of(odd)).check()["count"].to_dict()
    assert found["time of 0"] == 2
    assert found["item_reference not shown"] == 1
    assert found["responses above max_score"] == 1
    assert found["repeated item_reference"] == 1


def test_links_of_frames_that_were_cut_by_hand(study):
    tables = study._tables
    cut = SessionData(type(tables)(study.sessions.iloc[1:], study.responses, study.items))
    found = cut.check()
    assert found.loc["responses without session", "count"] == 1
    assert found.loc["items without session", "examples"] == "odd-00"


@pytest.mark.parametrize(
    "pick",
    [
        lambda s: s["status"] == "Completed",
        lambda s: (s["status"] == "Completed").to_numpy(),
        lambda s: (s["status"] == "Completed").to_list(),
        lambda s: (s["status"] == "Completed").astype("boolean"),
        lambda s: s[s["status"] == "Completed"],
        lambda s: s.loc[s["status"] == "Completed", "session_id"],
        lambda s: s.loc[s["status"] == "Completed", "session_id"].to_list(),
        lambda s: (
            s.set_index("session_id")["status"].eq("Completed").sample(frac=1, random_state=1)
        ),
    ],
)
def test_a_selection_keeps_the_tables_linked(study, pick):
    chosen = study[pick(study.sessions)]
    wanted = study.sessions.loc[study.sessions["status"] == "Completed", "session_id"]
    assert chosen.sessions["session_id"].to_list() == wanted.to_list()
    for name in ("responses", "items"):
        whole = getattr(study, name)
        expected = whole[whole["session_id"].isin(wanted)]
        assert_frame_equal(getattr(chosen, name), expected)
    again = chosen[chosen.sessions["score"] == 1]
    assert set(again.sessions["session_id"]) <= set(wanted)


def test_selecting_by_slice_and_one_id(study):
    assert study[:3].sessions["session_id"].to_list() == ["odd-00", "odd-01", "odd-02"]
    assert len(study["odd-05"].items) == 1


def test_missing_flags_select_nothing(study):
    flags = pd.Series(pd.NA, index=study.sessions.index, dtype="boolean")
    assert len(study[flags]) == 0
    assert study[flags].items.dtypes.equals(study.items.dtypes)


@pytest.mark.parametrize(
    ("which", "message"),
    [
        ([True, False], "the mask has 2 entries for 24 sessions: pass one per session"),
        (["odd-00", "nobody"], "1 of 2 session ids are not in this study, the first is 'nobody'"),
        (3.5, "cannot select sessions by a float"),
        (pd.Series([True] * 24, index=range(100, 124)), "neither that of the sessions table"),
    ],
)
def test_a_selection_that_makes_no_sense_says_so(study, which, message):
    with pytest.raises(lrn.QueryError, match=message):
        study[which]


def test_pseudonyms_are_the_documented_hash(study):
    shared = study.pseudonymise("a key")
    wanted = hmac.new(b"a key", b"user_id\0user-00", hashlib.sha256).hexdigest()[:32]
    assert shared.sessions["user_id"].iloc[0] == wanted


def test_pseudonyms_link_across_tables_and_fetches(study, shapes):
    shared = study.pseudonymise(b"a key")
    later = SessionData(tables_of(shapes["subscores"])).pseudonymise(b"a key")
    assert set(shared.responses["session_id"]) <= set(shared.sessions["session_id"])
    assert later.sessions["session_id"].iloc[0] in set(shared.sessions["session_id"])
    assert later.responses["response_id"].iloc[0] in set(shared.responses["response_id"])
    other = study.pseudonymise("another key")
    assert not set(other.sessions["user_id"]) & set(shared.sessions["user_id"])
    assert shared.sessions["user_id"].nunique() == study.sessions["user_id"].nunique()
    assert shared.check().loc["dangling response_ids", "count"] == 1


def test_pseudonymised_tables_hold_no_identifier(study):
    shared = study.pseudonymise("a key", drop_free_text=True)
    text = " ".join(frame.to_csv() for frame in shared) + repr(shared) + shared._repr_html_()
    for identifier in ("user-0", "odd-", "r-0", "nobody", "Browser/1.0", "half a page"):
        assert identifier not in text
    assert study.sessions["user_id"].iloc[0] == "user-00"


def test_pseudonymising_keeps_answers_unless_asked(study):
    kept = study.pseudonymise("a key").responses["value"]
    dropped = study.pseudonymise("a key", drop_free_text=True).responses
    assert kept.notna().equals(study.responses["value"].notna())
    essays = dropped["question_type"].isin(["longtextV2", "custom"])
    assert dropped.loc[essays, "value"].isna().all()
    closed = (dropped["question_type"] == "mcq") & study.responses["value"].notna()
    assert dropped.loc[closed, "value"].notna().all()


def test_pseudonymised_study_has_the_same_dtypes(study):
    shared = study.pseudonymise("a key")
    for name in TABLES:
        before = getattr(study, name).dtypes.astype("str")
        assert getattr(shared, name).dtypes.astype("str").equals(before)


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("", r"secrets\.token_hex"),
        (b"", r"secrets\.token_hex"),
        (None, "key is of type NoneType: pass a string or bytes"),
        (5, "key is of type int: pass a string or bytes"),
    ],
)
def test_a_key_is_needed(study, key, message):
    with pytest.raises(lrn.MeasureError, match=message):
        study.pseudonymise(key)


def test_a_newer_fetch_is_laid_over(study, shapes):
    fresh = shapes["as scored records are"] | {"score": 0.5, "items": []}
    newer = SessionData(tables_of(fresh, fresh | {"session_id": "new", "activity_id": "b"}))
    both = study.updated(newer)
    assert len(both) == 25
    changed = both.sessions.set_index("session_id").loc["odd-00"]
    assert changed["score"] == 0.5
    assert "odd-00" not in set(both.items["session_id"])
    assert both.items["item_reference"].dtype == both.responses["item_reference"].dtype
    for name in TABLES:
        assert (
            getattr(both, name)
            .dtypes.astype("str")
            .equals(getattr(study, name).dtypes.astype("str"))
        )


def test_long_has_a_row_a_response(study):
    long = study.long()
    assert long.index.equals(study.responses.index)
    assert long["response_id"].equals(study.responses["response_id"])
    essay = long[long["response_id"] == "r-03b"].iloc[0]
    assert essay["item_time"] == 401.5
    assert essay["position"] == 2
    assert essay["user_id"] == "user-03"
    assert essay["status"] == "Pending Scoring"
    assert essay["dt_started"] == pd.Timestamp("2026-02-03T10:00:00Z")
    assert not {"item_time", "user_id"} & set(study.responses)


def test_irw_format(shapes):
    base = shapes["as scored records are"]
    second = change(base, session_id="second", dt_started="2026-02-04T10:00:00Z")
    second["items"][0]["scoring"]["score"] = 0
    discarded = change(base, session_id="discarded", user_id="other", status="Discarded")
    study = SessionData(tables_of(second, base, discarded, shapes["no time, no scoring"]))
    table = study.to_irw()
    assert list(table.columns) == ["id", "item", "resp", "rt"]
    assert table["id"].to_list() == ["user-00", "user-14"]
    assert table["resp"].to_list() == [1, 1]
    assert table["rt"].iloc[0] == 31
    assert np.isnan(table["rt"].iloc[1])
    assert study.to_irw(attempts="last")["resp"].to_list() == [0, 1]
    assert len(study.to_irw(attempts="all")) == 3
    with pytest.raises(lrn.MeasureError, match="attempts is 'second'"):
        study.to_irw(attempts="second")


def test_an_unmarked_answer_has_no_response_in_irw(shapes):
    pending = SessionData(tables_of(shapes["pending: an essay without its mark"])).to_irw()
    assert pending["resp"].isna().to_list() == [False, True]


def test_reprs_show_counts_and_no_person(study):
    for text in (repr(study), study._repr_html_()):
        assert "24" in text
        assert "user-0" not in text
        assert "half a page" not in text
    assert "Pending Scoring 1" in study._repr_html_()
    assert "2026-02-03 to 2026-02-03" in study._repr_html_()


def test_an_empty_study_works(shapes):
    empty = SessionData(tables_of())
    assert len(empty) == 0
    assert empty.check().empty
    assert empty.long().empty
    with pytest.raises(lrn.MeasureError, match="holds no sessions"):
        empty.to_irw()
    assert empty.to_json() == "[]"
    assert "—" in empty._repr_html_()
    assert len(empty.pseudonymise("a key")) == 0
    assert len(empty.updated(SessionData(tables_of(*shapes.values())))) == 24


def test_a_pickle_holds_no_client(study):
    study._client = object()
    assert pickle.loads(pickle.dumps(study))._client is None


def test_a_study_that_was_not_fetched_cannot_be_polled(study):
    with pytest.raises(lrn.QueryError, match=r"fetch\(query, next=study\.next\)"):
        study.poll()


def test_to_json_gives_back_what_was_given(documented, shapes):
    record = shapes["as scored records are"]
    study = SessionData(tables_of(documented, record, 5))
    back = json.loads(study.to_json())
    assert back[1] == record
    assert back[2] == 5
    assert {key: back[0][key] for key in documented if key != "responses"} == {
        key: value for key, value in documented.items() if key != "responses"
    }


def test_values_at_page_ends(tmp_path, shapes):
    path = tmp_path / "pages.json"
    path.write_bytes(page_of(*shapes.values(), indent=2))
    assert len(lrn.read(path)) == 24


@pytest.mark.parametrize(
    ("at", "key", "value", "shown"),
    [
        ("sessions", "score", "1,5", '"9,9"'),
        ("sessions", "session_duration", "00:30", '"99:99"'),
        ("sessions", "dt_started", "01.03.2024", '"99.99.9999"'),
        ("responses", "max_score", "1,5", '"9,9"'),
        ("items", "time", "00:30", '"99:99"'),
    ],
)
def test_a_value_that_cannot_be_read_is_missing_and_reported(shapes, at, key, value, shown):
    odd = change(shapes["as scored records are"])
    (odd if at == "sessions" else odd[at][0])[key] = value
    study = SessionData(tables_of(odd))
    assert getattr(study, at)[key].isna().all()
    found = study.check().loc[f"{at}.{key} cannot be read"]
    assert (found["kind"], found["count"], found["sessions"]) == ("unreadable", 1, 1)
    # The form of the value, and not the value, which may be a learner's.
    assert found["examples"] == shown
    assert json.loads(study.to_json()) == [odd]


def test_nobody_gets_no_pseudonym(shapes):
    base = shapes["as scored records are"]
    users = ["", " ", None, "ann"]
    study = SessionData(
        tables_of(*(change(base, session_id=f"s{n}", user_id=u) for n, u in enumerate(users)))
    )
    shared = study.pseudonymise("a key").sessions["user_id"]
    assert shared.isna().to_list() == [True, True, True, False]
    assert "4 by 1 learners" in study._repr_html_()


def test_pseudonymising_says_that_own_columns_stay(study):
    study.sessions["name"] = "Ann"
    with pytest.warns(DataWarning, match=r"sessions\['name'\]; drop those that identify"):
        shared = study.pseudonymise("a key")
    assert set(shared.sessions["name"]) == {"Ann"}


def test_own_columns_are_kept_where_a_newer_fetch_has_the_row(study, shapes):
    study.sessions["mine"] = range(len(study))
    fresh = shapes["as scored records are"]
    both = study.updated(SessionData(tables_of(fresh, fresh | {"session_id": "new"})))
    mine = both.sessions.set_index("session_id")["mine"]
    before = study.sessions.set_index("session_id")["mine"]
    assert mine.dtype == "Int64"
    assert pd.isna(mine["new"])
    assert mine.drop("new").to_dict() == before.to_dict()


def test_sums_of_the_long_table_are_those_of_the_items(shapes):
    first = change(shapes["as scored records are"], metadata={"school": "north"})
    first["responses"].append(first["responses"][0] | {"response_id": "second part"})
    first["items"].append({"reference": "a passage", "response_ids": [], "time": 40})
    other = change(shapes["as scored records are"], session_id="other")
    study = SessionData(tables_of(first, other))
    study.sessions["group"], study.items["score_group"] = ["x", "y"], 1
    long = study.long()
    assert len(long) == len(study.responses) + 1
    assert long.index.is_unique
    assert long["response_id"].notna().sum() == len(study.responses)
    for name in ("time", "score", "max_score"):
        assert long[f"item_{name}"].sum() == study.items[name].sum()
    assert long["item_time"].isna().to_list() == [False, True, False, False]
    assert long["score"].sum() == study.responses["score"].sum()
    schools = long.groupby("session_id")["metadata.school"].first()
    assert schools[first["session_id"]] == "north"
    assert long.groupby("session_id")["group"].nunique().eq(1).all()
    assert long["score_group"].eq(1).all()
