"""Schema: columns can be filled and changed, and adjustments are among them."""

import json

import pandas as pd
import pytest

import lrnanalysis as lrn
from full_records import FULL, full_records
from lrnanalysis.parse import scan
from lrnanalysis.parse.table_builder import TableBuilder
from lrnanalysis.study import SessionData
from lrnanalysis.tables import schema
from record_tables import page_of, tables_of

VALUES = {
    "text": "changed",
    "number": 9.5,
    "integer": 9,
    "flag": False,
    "time": pd.Timestamp("2026-05-01", tz="UTC"),
    "json": "[9]",
}


def read(tmp_path):
    (tmp_path / "sessions.json").write_bytes(page_of(*full_records(3)))
    return lrn.read(tmp_path / "sessions.json")


def fetched(tmp_path):
    with lrn.sandbox.serve(full_records(3)) as api:
        return lrn.fetch(client=api.client(), progress=False)


def selected(tmp_path):
    study = read(tmp_path)
    return study[study.sessions["session_id"] != "s-1"]


def read_back_from_parquet(tmp_path):
    read(tmp_path).to_parquet(tmp_path / "study")
    return lrn.read(tmp_path / "study")


def read_by_arrow(tmp_path):
    builder = TableBuilder(compiled=False)
    builder.add(page_of(*full_records(3)))
    return SessionData(builder.finish())


def read_in_blocks(tmp_path):
    builder = TableBuilder(compiled=scan.AVAILABLE)
    for record in full_records(3):
        builder.add(page_of(record))
        builder._decode_waiting()
    return SessionData(builder.finish())


@pytest.mark.parametrize(
    "load", [read, fetched, selected, read_back_from_parquet, read_by_arrow, read_in_blocks]
)
@pytest.mark.parametrize("table", schema.TABLES.values(), ids=lambda table: table.name)
def test_every_column_can_be_assigned_in_place(tmp_path, load, table):
    frame = getattr(load(tmp_path), table.name)
    assert frame.drop(columns="presence").notna().all(axis=None)
    assert frame["presence"].isna().all()
    dtypes = frame.dtypes
    for column in table.columns:
        if column.name == "presence":
            continue
        name = column.name
        value = VALUES[column.kind] if column.kind in VALUES else frame[name].cat.categories[0]
        frame.loc[frame.index[0], name] = value
        frame.iloc[-1, frame.columns.get_loc(name)] = value
        assert (frame[name].iloc[[0, -1]] == value).all()
    assert frame.dtypes.equals(dtypes)


def test_adjustments_are_columns_and_come_back():
    tables = tables_of(FULL, FULL | {"session_id": "none", "responses": [], "items": []})
    for name, added, adjusted in (("sessions", -0.5, 0.5), ("responses", 0.25, 1.25)):
        frame = getattr(tables, name)
        assert frame[["adjustment_points", "score_after_adjustment"]].iloc[0].to_list() == [
            added,
            adjusted,
        ]
        assert list(frame).index("adjustment_points") == list(frame).index("max_score") + 1
        assert "adjust" not in frame["extra"].iloc[0]
    assert json.loads(SessionData(tables).to_json())[0] == FULL
    sound = tables_of({key: value for key, value in FULL.items() if "adjust" not in key})
    assert sound.sessions["score_after_adjustment"].isna().all()
    assert "adjustment_points" not in json.loads(SessionData(sound).to_json())[0]


def test_an_unknown_column_is_named_with_the_known_ones():
    with pytest.raises(KeyError, match="items has no column 'answer': it has session_id"):
        schema.ITEMS["answer"]
