"""Points that await a mark: at load, from Parquet of before, and from what records say."""

import pandas as pd
import pytest

import lrnanalysis as lrn
from lrnanalysis.parse.table_builder import TableBuilder
from record_tables import page_of, tables_of


def response(item, score, max_score, **more):
    return {
        "response_id": f"r-{item}", "item_reference": item, "question_type": "longtextV2",
        "attempted": True, "automarkable": False, "score": score, "max_score": max_score,
        "response": {"value": "text"},
    } | more  # fmt: skip


def record(session, *responses, scoring=None, **more):
    return {
        "session_id": session, "user_id": "u", "activity_id": "x", "status": "Pending Scoring",
        "score": 6, "max_score": 15, "num_questions": 3, "num_attempted": 3,
        "responses": list(responses),
        "items": [
            {"reference": one["item_reference"], "time": 5, "response_ids": [one["response_id"]],
             "scoring": {"score": 0, "max_score": 9} | (scoring or {})}
            for one in responses
        ],
    } | more  # fmt: skip


RECORDS = [
    record("marked", response("a", 2, 4)),
    record("waits", response("a", None, 4), response("b", 1, 1), response("c", None, 3)),
    record("left open", response("a", None, 4, attempted=False)),
    record("survey", response("a", None, None)),
    record("told", response("a", None, None), scoring={"max_score_of_unmarked": 2.5}),
    record("told twice", response("a", None, 4), scoring={"max_score_of_unmarked": 4}),
    record("told none", response("a", 2, 4), scoring={"max_score_of_unmarked": 0}),
    record("nothing"),
]
WANT = [0.0, 7.0, 0.0, 0.0, 2.5, 4.0, 0.0, 0.0]


@pytest.mark.parametrize("compiled", [True, False])
def test_points_that_await_a_mark_are_summed_at_load(compiled):
    builder = TableBuilder(compiled=compiled)
    for one in RECORDS:
        builder.add(page_of(one))
    assert builder.finish().sessions["unmarked_max_score"].tolist() == WANT
    assert tables_of(*RECORDS[::-1]).sessions["unmarked_max_score"].tolist() == WANT[::-1]


def test_parquet_of_before_the_column_gets_it(tmp_path):
    (tmp_path / "some.json").write_bytes(page_of(*RECORDS))
    study = lrn.read(tmp_path / "some.json")
    study.to_parquet(tmp_path / "study")
    path = tmp_path / "study" / "sessions.parquet"
    pd.read_parquet(path).drop(columns="unmarked_max_score").to_parquet(path)
    assert lrn.read(tmp_path / "study").sessions["unmarked_max_score"].tolist() == WANT
