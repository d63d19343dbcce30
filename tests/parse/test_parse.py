"""Bytes of pages to tables: nothing is lost, nothing is guessed, dtypes never change."""

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from lrnanalysis.errors import ReadError
from lrnanalysis.io.json_records import to_records
from lrnanalysis.parse import arrow, fallback, scan
from lrnanalysis.parse import table_builder as parse_tables
from lrnanalysis.parse.columns import UnexpectedShapeError
from lrnanalysis.parse.record_layout import RecordLayout
from lrnanalysis.parse.table_builder import TableBuilder, Tables
from lrnanalysis.tables.schema import TABLES, empty_frame

FIXTURES = Path(__file__).parents[1] / "fixtures"
DOCUMENTED = json.loads((FIXTURES / "documented_example.json").read_text())
SHAPES = json.loads((FIXTURES / "shapes.json").read_text())


def page(*sessions, **dumps):
    return json.dumps({"meta": {"status": True}, "data": list(sessions)}, **dumps).encode()


@pytest.fixture(params=["compiled", "arrow"], autouse=True)
def way(request, monkeypatch):
    """Run every test with both fast decoders."""
    if request.param == "compiled" and not scan.AVAILABLE:
        pytest.skip("the package was installed without a C compiler")
    monkeypatch.setitem(
        TableBuilder.__init__.__kwdefaults__, "compiled", request.param == "compiled"
    )


def parse(*pages, metadata=()):
    builder = TableBuilder(metadata=metadata)
    for one in pages:
        builder.add(one)
    return builder.finish()


def parse_by_fallback(*pages):
    """Every page by the fallback."""
    builder = TableBuilder()
    for one in pages:
        builder._take(fallback.decode(one))
    return builder.finish()


def again(tables):
    return [json.loads(one) for one in to_records(tables.sessions, tables.responses, tables.items)]


def assert_same_tables(left: Tables, right: Tables):
    for name in TABLES:
        assert_frame_equal(getattr(left, name), getattr(right, name))


def assert_schema(tables: Tables):
    for name, table in TABLES.items():
        frame = getattr(tables, name)
        found = {column: str(dtype) for column, dtype in frame.dtypes.items()}
        wanted = {column.name: column.dtype for column in table.columns}
        assert {key: found[key] for key in wanted} == wanted
        assert list(frame.columns)[: len(wanted)] == list(wanted)
        for column in table.columns:
            if column.kind == "label":
                assert frame[column.name].cat.categories.dtype == "str"


def test_documented_example():
    tables = parse(page(*DOCUMENTED["data"]))
    session = tables.sessions.iloc[0]
    assert session["active_time"] == 85 + 65 + 70
    assert session["session_duration"] == 1714
    assert session["dt_started"] == pd.Timestamp("2023-03-03T12:23:35Z")
    assert session["max_time"] == 1500
    assert pd.isna(session["subscores"])
    assert tables.items["time"].to_list() == [85, 65, 70]
    assert tables.items["position"].to_list() == [1, 2, 3]
    assert tables.items["score"].isna().to_list() == [True, True, False]
    assert tables.responses["item_reference"].isna().all()
    assert pd.isna(tables.responses["value"].iloc[0])
    assert json.loads(tables.responses["value"].iloc[1]).startswith("parallelogram")
    assert tables.responses["word_count"].iloc[1] == 33
    assert_schema(tables)


def test_documented_example_comes_back():
    (record,) = again(parse(page(*DOCUMENTED["data"])))
    assert record == DOCUMENTED["data"][0]


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_comes_back(shape):
    wanted = json.loads(json.dumps(SHAPES[shape]))
    tables = parse(page(wanted))
    (back,) = again(tables)
    if "item_reference" not in (wanted.get("responses") or [{"item_reference": ""}])[0]:
        wanted["responses"][0]["item_reference"] = "item-1"
    for spelt in ("dt_started", "dt_completed", "dt_saved"):
        if " " in (wanted.get(spelt) or ""):
            wanted[spelt] = wanted[spelt].replace(" ", "T") + "Z"
    assert back == wanted
    assert_schema(tables)


@pytest.mark.parametrize("shape", SHAPES)
def test_fast_decoders_and_fallback_agree(shape):
    pages = [page(SHAPES["as scored records are"]), page(SHAPES[shape]), page(SHAPES[shape])]
    assert_same_tables(parse(*pages), parse_by_fallback(*pages))


def test_all_shapes_together():
    tables = parse(page(*SHAPES.values()))
    assert tables.sessions["session_id"].to_list() == [s["session_id"] for s in SHAPES.values()]
    by_id = tables.sessions.set_index("session_id")
    assert by_id.loc["odd-01", "dt_saved"] == pd.Timestamp("2026-02-03T10:04:00Z")
    assert by_id.loc["odd-04", "score"] == -0.25
    assert by_id.loc["odd-05", "status"] == "completed"
    assert by_id.loc["odd-06", "status"] == "Suspended"
    assert by_id.loc["odd-20", "num_questions"] == 1
    assert np.isnan(by_id.loc["odd-14", "active_time"])
    assert json.loads(by_id.loc["odd-15", "subscores"])[0]["ability_estimate"]["method"] == "eap"
    assert by_id.loc["odd-16", ["adjustment_points", "score_after_adjustment"]].to_list() == [1, 2]
    assert pd.isna(by_id.loc["odd-16", "extra"])
    assert by_id["metadata.grade"].dtype == "Int64"
    assert by_id["metadata.consent"].dtype == "boolean"
    assert by_id.loc["odd-18", "metadata.school"] == "North"
    responses = tables.responses.set_index("session_id")
    assert responses.loc["odd-11", "attempted"] is np.True_
    assert responses.loc["odd-11", "automarkable"] is np.False_
    assert responses.loc["odd-13", "item_reference"] == "item-1"
    assert responses.loc["odd-20", "score"] == 1
    assert json.loads(responses.loc["odd-21", "value"]) == {"any": [{"value": 1}]}
    items = tables.items.set_index("session_id")
    assert items.loc["odd-10", "item_reference"] == "item-1"
    assert items.loc["odd-23", "organisation_id"] == 7
    assert json.loads(items.loc["odd-12", "extra"]) == {"response_ids": ["nobody"]}
    assert json.loads(items.loc["odd-17", "extra"])["tags"] == {"topic": ["fractions"]}


def test_unusual_keys_are_learned():
    builder = TableBuilder(compiled=False)
    odd = SHAPES["keys nobody documented"]
    builder._decode([page(odd)])
    layout = builder._layout
    with pytest.raises(UnexpectedShapeError):
        arrow.decode([page(odd)], RecordLayout())
    assert arrow.decode([page(odd)], layout).rows == {"sessions": 1, "responses": 1, "items": 1}
    assert ("item", "tags") in layout.raw


def test_keys_that_are_data_are_not_learned_without_end():
    strange = SHAPES["as scored records are"] | {f"key-{n}": n for n in range(200)}
    tables = parse(page(strange), page(strange | {"session_id": "second"}))
    assert json.loads(tables.sessions["extra"].iloc[1])["key-199"] == 199


def test_values_are_kept_to_the_letter():
    text = '["\\u00e9",  1.50, {"value": "\\"value\\":null"}]'
    raw = page(SHAPES["as scored records are"]).replace(b'["2"]', text.encode())
    assert parse(raw).responses["value"].iloc[0] == text


@pytest.mark.parametrize("value", ["1", '""', "null", "0", '"\\\\"', "[]", '"' + "x" * 5000 + '"'])
def test_short_and_long_values(value):
    raw = page(SHAPES["as scored records are"]).replace(b'["2"]', value.encode())
    found = parse(raw, raw.replace(b"odd-00", b"odd-01")).responses["value"]
    assert found.dropna().to_list() == ([] if value == "null" else [value, value])


def test_position_is_the_order_in_the_record():
    record = json.loads(json.dumps(SHAPES["as scored records are"]))
    record["items"] = [record["items"][0] | {"reference": f"i{n}"} for n in (3, 1, 2)]
    second = record | {"session_id": "b"}
    items = parse(page(record, second)).items
    assert items["item_reference"].to_list() == ["i3", "i1", "i2"] * 2
    assert items["position"].to_list() == [1, 2, 3] * 2


def test_sessions_seen_twice_keep_the_latest():
    old = SHAPES["incomplete, nothing submitted"]
    other = SHAPES["as scored records are"]
    new = SHAPES["as scored records are"] | {"session_id": old["session_id"], "items": []}
    tables = parse(page(old, other), page(new))
    assert tables.sessions["session_id"].to_list() == ["odd-00", "odd-02"]
    assert tables.sessions["status"].to_list() == ["Completed", "Completed"]
    assert tables.items["session_id"].to_list() == ["odd-00"]
    assert tables.responses["session_id"].to_list() == ["odd-00", "odd-02"]
    assert tables.repeated == 1
    assert np.isnan(tables.sessions["active_time"].iloc[1])


def test_empty_has_the_same_columns_and_dtypes():
    for tables in (parse(), parse(page()), parse(b'{"data": []}', metadata=["grade"])):
        assert_schema(tables)
        assert len(tables.sessions) == len(tables.responses) == len(tables.items) == 0
        for name, table in TABLES.items():
            assert (
                empty_frame(table).dtypes.astype("str").to_dict().items()
                <= getattr(tables, name).dtypes.astype("str").to_dict().items()
            )
    assert "metadata.grade" in tables.sessions


def test_asked_for_metadata_that_no_session_has_is_a_column():
    tables = parse(page(SHAPES["as scored records are"]), metadata=["school"])
    assert tables.sessions["metadata.school"].isna().all()
    assert tables.sessions["metadata.school"].dtype == "str"


@pytest.mark.parametrize(
    "record", [5, None, "text", [], {}, {"session_id": None}, {"session_id": {}}, {"user_id": "u"}]
)
def test_unreadable_records_are_kept_and_counted(record):
    tables = parse(page(SHAPES["as scored records are"], record, SHAPES["no items"]))
    assert len(tables.sessions) == 2
    assert [json.loads(one) for one in tables.unreadable] == [record]


def test_a_reference_that_the_item_gives_is_not_null():
    record = json.loads(json.dumps(SHAPES["as scored records are"]))
    record["responses"][0]["item_reference"] = None
    tables = parse(page(record))
    assert tables.responses["item_reference"].to_list() == ["item-1"]
    assert tables.responses["presence"].isna().all()
    record["items"][0]["response_ids"] = []
    (back,) = again(parse(page(record)))
    assert back["responses"][0]["item_reference"] is None


def test_an_item_without_a_reference_keeps_its_ids():
    record = json.loads(json.dumps(SHAPES["as scored records are"]))
    record["items"][0]["reference"] = record["responses"][0]["item_reference"] = None
    (back,) = again(parse(page(record)))
    assert back["items"][0]["response_ids"] == record["items"][0]["response_ids"]


def test_a_session_id_that_is_a_number_is_kept():
    tables = parse(page(SHAPES["as scored records are"] | {"session_id": 12}))
    assert tables.sessions["session_id"].to_list() == ["12"]
    assert again(tables)[0]["session_id"] == 12


@pytest.mark.parametrize("key", ["responses", "items"])
@pytest.mark.parametrize("value", [{}, 3, "text", [1], [None], [[]]])
def test_lists_that_are_none_are_kept(key, value):
    record = SHAPES["as scored records are"] | {key: value}
    tables = parse(page(record))
    assert len(getattr(tables, key)) == 0
    assert again(tables)[0][key] == value


def test_an_unpaired_surrogate_is_replaced():
    record = json.dumps(SHAPES["as scored records are"]).replace('"2"', '"cut \\ud83d"')
    tables = parse(b'{"data":[' + record.encode() + b"]}")
    assert json.loads(tables.responses["value"].iloc[0]) == ["cut \N{REPLACEMENT CHARACTER}"]
    assert tables.repaired == 1


@pytest.mark.parametrize(
    "text", [b"", b"{", b"[]", b'{"data": 1}', b'{"meta": {}}', b"nonsense", b'{"data":[\xff]}']
)
def test_what_is_no_page_is_an_error(text):
    with pytest.raises(ReadError):
        parse(text)


def test_an_error_shows_nothing_of_the_page():
    with pytest.raises(ReadError) as caught:
        parse(b'{"data": [{"session_id": "secret answer \xff"}]}')
    shown = f"{caught.value!s} {caught.value!r} {caught.value.__cause__} "
    assert "secret" not in shown


def test_many_pages_equal_one():
    sessions = [
        SHAPES["as scored records are"] | {"session_id": f"s{n}", "activity_id": f"a{n % 3}"}
        for n in range(40)
    ]
    whole = parse(page(*sessions))
    split = parse(*(page(one) for one in sessions))
    assert_same_tables(whole, split)


def test_blocks_are_joined(monkeypatch):
    sessions = [
        SHAPES["as scored records are"] | {"session_id": f"s{n}", "activity_id": f"a{n % 3}"}
        for n in range(40)
    ]
    whole = parse(page(*sessions))
    monkeypatch.setattr(parse_tables, "_BLOCK", 1)
    assert_same_tables(whole, parse(*(page(one) for one in sessions)))


def test_items_share_their_categories_with_responses():
    tables = parse(page(*SHAPES.values()))
    assert tables.items["item_reference"].dtype == tables.responses["item_reference"].dtype


def test_pretty_printed_and_escaped_text_reads_the_same():
    sessions = list(SHAPES.values())
    compact = parse(page(*sessions, separators=(",", ":")))
    pretty = parse(page(*sessions, indent=3))
    columns = [c for c in compact.sessions if c not in ("extra", "subscores")]
    assert_frame_equal(compact.sessions[columns], pretty.sessions[columns])
    assert again(compact) == again(pretty)


def test_a_reference_keeps_its_white_space_beside_one_that_is_no_text():
    records = [json.loads(json.dumps(SHAPES["as scored records are"])) for _ in range(2)]
    for record, session_id, reference in zip(records, "ab", (True, " i1 "), strict=True):
        record["session_id"] = session_id
        record["items"][0]["reference"] = reference
    back = again(parse(page(*records)))
    assert [record["items"][0]["reference"] for record in back] == [True, " i1 "]


# Open input: a sound session of which some members are replaced by anything.

SCALARS = [None, True, 0, 1, -7, 2.5, 1e300, 2**63, 2**65, "", " i1 ", "1", "true", "1.5", "\u00e9"]
TIMES = ["2026-02-03T10:00:00Z", "2026-02-03 10:00:00", "2026-02-03T10:00:00.25+02:00", "soon"]
ODD = st.sampled_from([*SCALARS, *TIMES, [], [None], [1, "a"], ["r1"], {}, {"value": {"value": 1}}])
LEVELS = {
    "session": [
        "user_id",
        "status",
        "score",
        "num_questions",
        "dt_started",
        "session_duration",
        "subscores",
        "metadata",
        "responses",
        "items",
        "unheard_of",
    ],
    "metadata": ["max_time", "user_agent", "grade"],
    "response": [
        "response_id",
        "item_reference",
        "question_type",
        "attempted",
        "score",
        "dt_score_updated",
        "response",
        "unheard_of",
    ],
    "body": ["value", "type", "revision", "wordCount", "unheard_of"],
    "item": ["reference", "time", "response_ids", "user_flagged", "scoring", "source", "tags"],
    "scoring": ["score", "max_score", "type", "error"],
    "source": ["reference", "organisation_id", "item_pool_id"],
}
MEMBERS = [(level, key) for level, keys in LEVELS.items() for key in keys]


@st.composite
def sessions_of_any_kind(draw, session_id):
    record = json.loads(json.dumps(SHAPES["pending: an essay without its mark"]))
    record["session_id"] = session_id
    which = draw(st.integers(0, 1))
    changes = draw(st.lists(st.tuples(st.sampled_from(MEMBERS), ODD), max_size=3))
    response, item = record["responses"][which], record["items"][which]
    targets = {
        "session": record,
        "metadata": record["metadata"],
        "response": response,
        "body": response["response"],
        "item": item,
        "scoring": item["scoring"],
        "source": item.setdefault("source", {}),
    }
    for (level, key), value in changes:
        targets[level][key] = value
    return record


STUDY = st.tuples(*(sessions_of_any_kind(f"s{n}") for n in range(3)))


@pytest.mark.slow
@settings(max_examples=80, deadline=None)
@given(STUDY)
def test_any_records_read_the_same_either_way(sessions):
    texts = [page(one, ensure_ascii=False) for one in sessions]
    fast, slow = parse(*texts), parse_by_fallback(*texts)
    assert_same_tables(fast, slow)
    assert fast.unreadable == slow.unreadable
    assert_schema(fast)


@pytest.mark.parametrize(
    "scoring",
    [
        {"score": None, "max_score": None, "type": True},
        {"score": None, "type": True},
        {"max_score": None, "type": True},
        {"score": "1,5", "type": True},
    ],
)
def test_scoring_without_a_readable_value_comes_back(scoring):
    record = json.loads(json.dumps(SHAPES["as scored records are"]))
    record["items"][0]["scoring"] = scoring
    assert again(parse(page(record)))[0]["items"][0]["scoring"] == scoring


@pytest.mark.slow
@settings(max_examples=80, deadline=None)
@given(STUDY)
def test_reading_what_was_given_back_gives_the_same_tables(sessions):
    first = parse(page(*sessions, ensure_ascii=False))
    second = parse(page(*again(first), ensure_ascii=False))
    for name, table in TABLES.items():
        columns = [c.name for c in table.columns if c.kind != "json"]
        assert_frame_equal(getattr(first, name)[columns], getattr(second, name)[columns])


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(sorted(SHAPES)),
    st.lists(
        st.tuples(
            st.floats(0, 1, exclude_max=True),
            st.sampled_from(["cut", "drop", "double", *'"\\{}[],:0-.eE \ntfn/u'])
            | st.sampled_from(["\\ud83d", "\\u0000", "null", "1e400", '"a":1,', "é"]),
        ),
        min_size=1,
        max_size=4,
    ),
)
def test_damaged_bytes_are_refused_or_read_the_same(shape, damages):
    text = page(SHAPES[shape], SHAPES["as scored records are"], ensure_ascii=False)
    for where, damage in damages:
        at = int(where * len(text))
        if damage == "cut":
            text = text[:at]
        elif damage in ("drop", "double"):
            text = text[:at] + text[at : at + 1] * (2 * (damage == "double")) + text[at + 1 :]
        else:
            text = text[:at] + damage.encode() + text[at:]
    try:
        slow = parse_by_fallback(text)
    except ReadError:
        with pytest.raises(ReadError):
            parse(text)
        return
    assert_same_tables(parse(text), slow)


_KEYS = [
    ((), key)
    for key in ("user_id", "activity_id", "num_attempted", "num_questions", "score", "max_score",
                "adjustment_points", "session_duration", "status", "dt_started", "dt_completed",
                "subscores")
] + [
    (("responses", 0), key)
    for key in ("question_type", "attempted", "automarkable", "score", "max_score",
                "score_after_adjustment", "response")
] + [(("items", 0), key) for key in ("time", "user_flagged", "scoring")] + [
    (("items", 0, "scoring"), key) for key in ("score", "max_score", "max_score_of_unmarked")
]  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(states=st.dictionaries(st.sampled_from(_KEYS), st.sampled_from(["absent", "null"])))
def test_absent_and_null_keys_come_back_as_they_were(states):
    record = json.loads(json.dumps(SHAPES["as scored records are"]))
    record |= {"adjustment_points": 1, "subscores": []}
    record["responses"][0]["score_after_adjustment"] = 1
    # The innermost first, while what they are in is still there.
    for at, key in sorted(states, key=lambda one: -len(one[0])):
        inside = record
        for step in at:
            inside = inside[step]
        if states[at, key] == "null":
            inside[key] = None
        else:
            inside.pop(key, None)
    assert again(parse(page(record))) == [record]
    assert_same_tables(parse(page(record)), parse_by_fallback(page(record)))


@pytest.mark.parametrize("token", ["NaN", "Infinity", "-Infinity"])
@pytest.mark.parametrize("key", ["score", "max_score", "session_duration", "elsewhere"])
def test_a_token_that_is_not_json_is_null_and_counted(key, token):
    first, second = (SHAPES["as scored records are"] | {"session_id": one} for one in "ab")
    text = page(first | {key: "here"}, second | {"note": "NaN, Infinity"})
    tables = parse(text.replace(b'"here"', token.encode()))
    assert tables.sessions["session_id"].to_list() == ["a", "b"]
    assert tables.tokens == {key: 1}
    back = again(tables)
    assert back[0][key] is None
    assert back[1]["note"] == "NaN, Infinity"


@settings(max_examples=60, deadline=None)
@given(STUDY, st.lists(st.sampled_from([b"NaN", b"Infinity", b"-Infinity"]), min_size=1))
def test_tokens_in_place_of_any_numbers_read_as_null(sessions, tokens):
    text = page(*sessions)
    numbers = list(re.finditer(rb"(?<=: )-?\d[\d.]*(?=[,}])", text))
    nulls = text
    for match, token in list(zip(numbers, tokens, strict=False))[::-1]:
        text = text[: match.start()] + token + text[match.end() :]
        nulls = nulls[: match.start()] + b"null" + nulls[match.end() :]
    tables = parse(text)
    assert_same_tables(tables, parse(nulls))
    assert_same_tables(tables, parse_by_fallback(text))
    assert tables.tokens.total() == min(len(numbers), len(tokens))
    assert again(tables) == again(parse(nulls))


@pytest.mark.parametrize("number", [2**53 + 1, -(2**53) - 1, 2**63 + 12345, 10**30 + 1])
def test_long_integers_keep_their_digits(number):
    record = json.loads(json.dumps(SHAPES["as scored records are"]))
    record |= {"code": number, "inside": {"list": [number]}, "metadata": {"student": number}}
    record["responses"][0] |= {"trace": number, "response": {"value": number}}
    tables = parse(page(record))
    assert str(number) in tables.sessions["extra"].iloc[0]
    assert tables.responses["value"].iloc[0] == str(number)
    assert again(tables) == [record]
