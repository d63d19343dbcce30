"""Reading and writing: every shape of file, nothing half done, errors that name the place."""

import gzip
import json
import re

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
def records(shapes):
    return list(shapes.values())


@pytest.fixture
def study(records):
    return SessionData(tables_of(*records))


def assert_same_study(left, right):
    for name in TABLES:
        assert_frame_equal(getattr(left, name), getattr(right, name))


def text_of(kind, records):
    if kind == "page":
        return page_of(*records)
    if kind == "list of sessions":
        return json.dumps(records).encode()
    if kind == "list of pages":
        return b"[" + page_of(*records[:5]) + b"," + page_of(*records[5:]) + b"]"
    if kind == "pretty page":
        return b"\xef\xbb\xbf" + page_of(*records, indent=2)
    if kind == "lines of pages":
        return page_of(*records[:5]) + b"\n\n" + page_of(*records[5:])
    return b"\n".join(json.dumps(record).encode() for record in records)


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(
    ("kind", "suffix"),
    [
        ("page", ".json"),
        ("list of sessions", ".json"),
        ("list of pages", ".json"),
        ("pretty page", ".json"),
        ("lines of pages", ".jsonl"),
        ("lines of sessions", ".ndjson"),
        ("lines of sessions", ".json"),
    ],
)
def test_every_kind_of_file(tmp_path, records, study, kind, suffix, packed):
    text = text_of(kind, records)
    path = tmp_path / f"sessions{suffix}{'.gz' if packed else ''}"
    path.write_bytes(gzip.compress(text) if packed else text)
    read = lrn.read(path)
    assert read.sessions["session_id"].to_list() == study.sessions["session_id"].to_list()
    columns = [name for name in study.sessions if name not in ("subscores", "extra")]
    assert_frame_equal(read.sessions[columns], study.sessions[columns])
    assert_frame_equal(read.items.drop(columns="extra"), study.items.drop(columns="extra"))


def test_one_session_in_a_file(tmp_path, records):
    (tmp_path / "one.json").write_text(json.dumps(records[0]))
    assert lrn.read(tmp_path / "one.json").sessions["session_id"].to_list() == ["odd-00"]


def test_a_folder_and_several_files(tmp_path, records):
    (tmp_path / "b.json").write_bytes(page_of(*records[:5]))
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(text_of("lines", records[5:])))
    (tmp_path / "notes.txt").write_text("not read")
    wanted = [record["session_id"] for record in records[5:] + records[:5]]
    assert lrn.read(tmp_path).sessions["session_id"].to_list() == wanted
    several = lrn.read([tmp_path / "b.json", str(tmp_path / "a.jsonl.gz")])
    assert len(several) == 24


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("cut.json", b'{"data": [{"session_id": "s",\n "x": ', r"cut\.json: not JSON at line 2"),
        ("other.json", b'{"answer": 1}', r"other\.json: contains no sessions"),
        ("text.json", b'"hello"', r"text\.json: contains no sessions"),
        ("latin.json", b'{"data": [{"session_id": "\xe9"}]}', r"latin\.json: not UTF-8 at byte 26"),
        (
            "lines.jsonl",
            b'{"session_id": "a"}\n{"session_id": \n',
            r"lines\.jsonl, line 2: not JSON",
        ),
        ("empty.json", b"", r"empty\.json: not JSON"),
        (
            "packed.json.gz",
            gzip.compress(b"[]" * 99, mtime=0)[:20],
            r"packed\.json\.gz: cannot be read",
        ),
    ],
)
def test_a_broken_file_is_named_with_its_place(tmp_path, name, text, message):
    (tmp_path / name).write_bytes(text)
    with pytest.raises(lrn.ReadError, match=message):
        lrn.read(tmp_path / name)


def test_an_error_shows_nothing_of_a_file(tmp_path):
    (tmp_path / "cut.json").write_text('{"data": [{"session_id": "s", "x": "an answer')
    with pytest.raises(lrn.ReadError) as caught:
        lrn.read(tmp_path / "cut.json")
    error = caught.value
    while error is not None:
        assert "an answer" not in f"{error!r}{getattr(error, 'doc', '')}"
        error = error.__cause__


def test_skipping_is_counted(tmp_path, records):
    good = json.dumps(records[0]).encode()
    (tmp_path / "lines.jsonl").write_bytes(good + b"\n{broken\n" + b"[1, 2\n")
    (tmp_path / "none.json").write_bytes(b"nonsense")
    study = lrn.read(tmp_path, on_error="skip")
    assert len(study) == 1
    assert len(study.skipped) == 3
    assert study.check().loc["skipped input", "count"] == 3
    assert "lines.jsonl, line 2" in study.skipped[0]


def test_what_cannot_be_read_at_all(tmp_path):
    with pytest.raises(lrn.ReadError, match=r"nowhere\.json: not found"):
        lrn.read(tmp_path / "nowhere.json")
    with pytest.raises(lrn.ReadError, match="contains no"):
        lrn.read(tmp_path)
    with pytest.raises(lrn.ReadError, match="source is empty"):
        lrn.read([])
    with pytest.raises(lrn.ReadError, match="on_error is 'ignore'"):
        lrn.read(tmp_path, on_error="ignore")


@pytest.mark.parametrize("name", ["s.json", "s.jsonl", "s.ndjson.gz", "s.json.gz"])
def test_json_written_is_json_read(tmp_path, study, name):
    study.to_json(tmp_path / name)
    assert_same_study(lrn.read(tmp_path / name), study)
    assert [file.name for file in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_bytes().startswith(b"\x1f\x8b") == name.endswith(".gz")


def test_parquet_written_is_parquet_read(tmp_path, study):
    study.next = "token"
    study.truth = {"items": pd.DataFrame({"b": [0.5]})}
    study.to_parquet(tmp_path / "study")
    again = lrn.read(tmp_path / "study")
    assert_same_study(again, study)
    assert again.next == "token"
    assert_frame_equal(again.truth["items"], study.truth["items"])
    assert sorted(file.name for file in (tmp_path / "study").iterdir()) == [
        "items.parquet",
        "responses.parquet",
        "sessions.parquet",
        "study.json",
        "truth-items.parquet",
    ]


def test_parquet_of_an_empty_study(tmp_path):
    empty = SessionData(tables_of())
    empty.to_parquet(tmp_path / "study")
    assert_same_study(lrn.read(tmp_path / "study"), empty)


def test_a_selection_can_be_saved(tmp_path, study):
    chosen = study[study.sessions["score"] == 1]
    chosen.to_parquet(tmp_path / "study")
    again = lrn.read(tmp_path / "study")
    assert_frame_equal(
        again.items.drop(columns="item_reference"),
        chosen.items.drop(columns="item_reference").reset_index(drop=True),
    )
    assert again.items["item_reference"].dtype == again.responses["item_reference"].dtype


def test_nothing_is_overwritten_unasked(tmp_path, study):
    study.to_parquet(tmp_path / "study")
    with pytest.raises(lrn.ReadError, match="overwrite=True"):
        study.to_parquet(tmp_path / "study")
    study[:1].to_parquet(tmp_path / "study", overwrite=True)
    assert len(lrn.read(tmp_path / "study")) == 1
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.txt").write_text("years of work")
    with pytest.raises(lrn.ReadError, match="is not a saved study"):
        study.to_parquet(tmp_path / "thesis", overwrite=True)
    assert (tmp_path / "thesis" / "chapter.txt").exists()


def test_a_failure_while_writing_leaves_nothing(tmp_path, study):
    study.sessions["odd"] = [object()] * len(study)
    with pytest.raises(Exception, match="object"):
        study.to_parquet(tmp_path / "study")
    assert list(tmp_path.iterdir()) == []


def test_a_saved_study_that_lost_a_part(tmp_path, study):
    study.to_parquet(tmp_path / "study")
    (tmp_path / "study" / "items.parquet").unlink()
    with pytest.raises(lrn.ReadError, match=r"items\.parquet not found"):
        lrn.read(tmp_path / "study")


def test_what_is_no_study_is_refused_with_what_can_be_read(tmp_path, study):
    table = tmp_path / "x.csv"
    table.write_text("a,b\n1,2\n")
    for source, message in (
        (table, r"x\.csv is not JSON: pass a \.json, \.jsonl, \.ndjson file"),
        (tmp_path / "missing.json", r"missing\.json: not found"),
        ("", "source is '': pass the path of a file"),
        (3, "source is 3: pass a string, a Path or a list"),
        (["a.json", 3], r"source is \['a.json', 3\]: pass"),
    ):
        with pytest.raises(lrn.ReadError, match=message):
            lrn.read(source)


def test_places_that_cannot_be_written_are_named(tmp_path, study):
    (tmp_path / "file").write_text("")
    for write, place in (
        (study.to_json, tmp_path / "missing" / "x.json"),
        (study.to_json, tmp_path),
        (study.to_parquet, tmp_path / "file" / "x"),
    ):
        with pytest.raises(lrn.ReadError, match=f"{re.escape(str(place))} cannot be written: "):
            write(place)


OWN = {
    "int32": np.array([3, 1], dtype="int32"),
    "float32": np.array([0.5, np.nan], dtype="float32"),
    "bool": [True, False],
    "text": pd.array(["a", None], dtype="str"),
    "object": pd.Series(["a", "b"], dtype=object),
    "Int64": pd.array([1, None], dtype="Int64"),
    "boolean": pd.array([None, True], dtype="boolean"),
    "ordered": pd.Categorical(["low", "high"], categories=["low", "mid", "high"], ordered=True),
    "coded": pd.Categorical([2, None], categories=[2, 1]),
    "date": pd.to_datetime(["2026-01-01", None]),
    "zoned": pd.to_datetime(["2026-01-01", None]).tz_localize("Europe/Berlin"),
    "duration": pd.to_timedelta(["1h", None]),
    "period": pd.period_range("2026-01", periods=2, freq="M"),
}


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("kind", OWN)
def test_an_own_column_is_written_and_read(tmp_path, shapes, table, kind):
    base = shapes["as scored records are"]
    study = SessionData(tables_of(base, base | {"session_id": "second"}))
    getattr(study, table)["mine"] = pd.Series(OWN[kind])
    study.to_parquet(tmp_path / "study")
    assert_same_study(lrn.read(tmp_path / "study"), study)


def test_an_own_column_that_cannot_be_stored_is_named(tmp_path, study):
    study.sessions["band"] = pd.cut(np.arange(len(study)), 3)
    with pytest.raises(lrn.ReadError, match="'band'"):
        study.to_parquet(tmp_path / "study")
    del study.sessions["band"]
    study.sessions[5] = 1
    with pytest.raises(lrn.ReadError, match="the name of column 5 of sessions is not text"):
        study.to_parquet(tmp_path / "study")
    assert not any(tmp_path.iterdir())


def test_json_says_that_it_leaves_own_columns_out(study):
    before = study.to_json()
    study.items["mine"] = 1
    with pytest.warns(DataWarning, match=r"not written: items\['mine'\]; .* to_parquet keeps"):
        assert study.to_json() == before


@pytest.mark.parametrize("name", ["s.json", "s.jsonl"])
def test_a_file_with_nan_keeps_its_sessions(tmp_path, shapes, name):
    base = shapes["as scored records are"]
    odd = [base, base | {"session_id": "odd", "score": float("nan")}]
    text = "\n".join(map(json.dumps, odd)) if name == "s.jsonl" else json.dumps(odd)
    (tmp_path / name).write_text(text)
    study = lrn.read(tmp_path / name)
    assert study.sessions["score"].isna().to_list() == [False, True]
    study.to_parquet(tmp_path / "study")
    for one in (study, lrn.read(tmp_path / "study")):
        found = one.check().loc["NaN or Infinity"]
        assert (found["count"], found["examples"]) == (1, "score (1)")
