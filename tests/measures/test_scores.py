"""Statuses, attempts, kinds of cell and score matrices: by hand, and for any data."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lrnanalysis.errors import MeasureError
from lrnanalysis.measures import scores as sc
from lrnanalysis.measures.scores import CELL_KINDS
from lrnanalysis.warnings import DataWarning
from measure_tables import (
    EMPTY,
    items_frame,
    one_session,
    relabelled,
    responses_frame,
    run_doctests,
    sessions_frame,
    shuffled,
    simulated,
    studies,
    textual,
)
from record_tables import tables_of

NAN = float("nan")


def test_examples_run():
    assert run_doctests("lrnanalysis.measures.scores") > 20


# Status -----------------------------------------------------------------------------------------

STATUSES = sessions_frame(
    status=["Completed", "completed", "Incomplete", "Pending Scoring", "Discarded", "Odd", None]
)


def test_statuses_are_compared_without_case():
    assert sc.is_completed(STATUSES).tolist() == [True, True] + [False] * 5
    assert sc.is_incomplete(STATUSES).sum() == 1
    assert sc.is_pending_scoring(STATUSES).tolist().index(True) == 3
    assert sc.is_discarded(STATUSES).tolist().index(True) == 4
    assert sc.is_status(STATUSES, "odd").tolist().index(True) == 5
    assert sc.is_pending_scoring(STATUSES).name == "is_pending_scoring"
    assert sc.is_completed(STATUSES).dtype == bool
    with pytest.raises(MeasureError, match="no column 'status'"):
        sc.is_completed(pd.DataFrame({"state": ["Completed"]}))


def test_status_counts():
    want = {
        "Incomplete": 1, "Completed": 2, "Discarded": 1, "Pending Scoring": 1, "Odd": 1,
        "(missing)": 1,
    }  # fmt: skip
    assert sc.status_counts(STATUSES).to_dict() == want
    by = sc.status_counts(STATUSES.assign(school=[*"aabbab", None]), "school")
    assert by.index.names == ["school", "status"]
    assert by.unstack("school").loc["Completed"].tolist() == [2, 0]
    assert by.sum() == 6
    both = sc.status_counts(STATUSES.assign(school=[*"aabbab", None], year=1), ["school", "year"])
    assert both.index.names == ["school", "year", "status"]
    assert both.loc[("a", 1, "Completed")] == 2
    assert sc.status_counts(EMPTY["sessions"]).sum() == 0


def test_progress_and_percent():
    sessions = sessions_frame(num_attempted=[1, 0, None], num_questions=[2, 0, 3])
    np.testing.assert_equal(sc.progress(sessions).to_numpy(), [0.5, NAN, NAN])
    scored = sessions_frame(score=[3.0, -1.0, None, 1.0], max_score=[4.0, 4.0, 4.0, 0.0])
    np.testing.assert_equal(sc.score_percent(scored).to_numpy(), [75.0, -25.0, NAN, NAN])
    assert sc.score_percent(scored).attrs["unit"] == "%"


PENDING = sessions_frame(
    session_id=["marked", "part", "none", "unscored", "survey", "lost"],
    activity_id=["x"] * 6,
    status=["Completed", *["Pending Scoring"] * 3, "Completed", "Incomplete"],
    score=[6.0, 6.0, 0.0, None, 3.0, -1.0],
    max_score=[12.0, 12.0, 12.0, 12.0, 4.0, 4.0],
    unmarked_max_score=[0.0, 4.0, 12.0, 4.0, 0.0, 2.0],
)


def test_percentages_are_of_the_points_marked():
    percent = sc.score_percent(PENDING)
    np.testing.assert_equal(percent.to_numpy(), [50.0, 75.0, NAN, NAN, 75.0, -50.0])
    assert percent.attrs["unmarked"] == "exclude"
    assert percent.attrs["rows_with_unmarked_points"] == 3
    assert "points that await a mark" in percent.attrs["rule"]
    missing = sc.score_percent(PENDING, unmarked="nan")
    np.testing.assert_equal(missing.to_numpy(), [50.0, NAN, NAN, NAN, 75.0, NAN])
    lost = sc.score_percent(PENDING, unmarked="zero")
    np.testing.assert_equal(lost.to_numpy(), [50.0, 50.0, 0.0, NAN, 75.0, -25.0])
    with pytest.raises(MeasureError, match="unmarked is 'skip'"):
        sc.score_percent(PENDING, unmarked="skip")
    adjusted = sc.score_percent(PENDING.assign(adjustment_points=1.0), adjusted=True)
    assert adjusted.tolist()[:2] == [700 / 12, 87.5]


def test_summary_takes_the_points_marked():
    by = {
        "exclude": [50.0, 75.0, 75.0, -50.0], "nan": [50.0, 75.0],
        "zero": [50.0, 50.0, 0.0, 75.0, -25.0],
    }  # fmt: skip
    for unmarked, values in by.items():
        table = sc.session_summary(PENDING, unmarked=unmarked)
        assert table.loc["x", "score_percent"] == pytest.approx(np.mean(values))
        assert table.loc["x", "score_percent_sd"] == pytest.approx(np.std(values, ddof=1))
        assert table.attrs["score_percent"]["unmarked"] == unmarked
    assert sc.session_summary(PENDING).loc["x", "score_percent"] == 37.5


def test_without_the_points_that_await_a_mark_a_pending_session_has_no_percentage():
    for unknown in (
        PENDING.drop(columns="unmarked_max_score"),
        PENDING.assign(unmarked_max_score=NAN),
    ):
        with pytest.warns(DataWarning, match='2 of 6 sessions are Pending.*unmarked="zero"'):
            percent = sc.score_percent(unknown)
        np.testing.assert_equal(percent.to_numpy(), [50.0, NAN, NAN, NAN, 75.0, -25.0])
        assert percent.attrs["rows_with_unknown_points"] == 2
        assert sc.score_percent(unknown, unmarked="zero").tolist()[:3] == [50.0, 50.0, 0.0]
        # All points are reached: none can await a mark.
        assert sc.score_percent(unknown.assign(score=12.0)).tolist()[:3] == [100.0] * 3


def test_the_best_attempt_has_the_highest_share_of_the_points_marked():
    tries = PENDING.assign(
        user_id="u", dt_started=pd.date_range("2025-01-01", periods=6, tz="UTC"), max_score=12.0
    )
    assert sc.best_attempts(tries).tolist() == [False, True, *[False] * 4]
    unknown = tries.drop(columns="unmarked_max_score")
    assert sc.best_attempts(unknown).tolist() == [True, *[False] * 5]


def test_percentages_of_items_and_responses():
    items = one_session([9.0] * 3, [1.0, 1.0, None], max_score=5.0).assign(
        extra=[None, '{"scoring":{"max_score_of_unmarked":4}}', None]
    )
    np.testing.assert_equal(sc.score_percent(items).to_numpy(), [20.0, 100.0, NAN])
    assert sc.score_percent(items, unmarked="zero").tolist()[:2] == [20.0, 20.0]
    assert sc.score_percent(items, unmarked="nan").isna().tolist() == [False, True, True]
    responses = responses_frame(
        ("s", "a", True, 1.0, True), ("s", "b", True, None, False), ("s", "c", False, None, False),
        max_score=[4.0] * 3,
    )  # fmt: skip
    for unmarked, want in (("exclude", NAN), ("nan", NAN), ("zero", 0.0)):
        found = sc.score_percent(responses, unmarked=unmarked)
        np.testing.assert_equal(found.to_numpy(), [25.0, want, NAN])


def test_the_marked_part_of_a_study():
    tables, _ = simulated(learners=120, items=12, seed=2)
    sessions, responses = tables.sessions, tables.responses
    pending = sessions[sc.is_pending_scoring(sessions)]
    assert len(pending) > 5
    own = responses[responses["session_id"].isin(pending["session_id"])]
    marked = own[own["score"].notna() | ~own["attempted"]]
    points = marked.groupby("session_id")[["score", "max_score"]].sum()
    want = (100 * points["score"] / points["max_score"]).reindex(pending["session_id"])
    np.testing.assert_allclose(sc.score_percent(pending), want)
    plain = 100 * pending["score"] / pending["max_score"]
    assert (sc.score_percent(pending) >= plain).all()
    np.testing.assert_allclose(sc.score_percent(pending, unmarked="zero"), plain)


@given(st.floats(0.01, 100), st.permutations(range(6)), st.sampled_from(["exclude", "nan", "zero"]))
def test_rescaled_points_and_the_order_of_rows_change_no_percentage(factor, order, unmarked):
    whole = sc.score_percent(PENDING, unmarked=unmarked)
    names = ["score", "max_score", "unmarked_max_score"]
    other = PENDING.assign(**{name: PENDING[name] * factor for name in names}).iloc[[*order]]
    found = sc.score_percent(other, unmarked=unmarked).reindex(whole.index)
    np.testing.assert_allclose(found, whole, rtol=1e-9)
    parts = [sc.score_percent(PENDING[at], unmarked=unmarked) for at in (slice(2), slice(2, None))]
    pd.testing.assert_series_equal(pd.concat(parts), whole)


def test_summary_by_hand():
    sessions = sessions_frame(
        activity_id=["x", "x", "x", "y", None],
        user_id=["u", "u", "v", "w", "w"],
        status=["Completed", "Pending Scoring", "Discarded", "Discarded", "Completed"],
        score=[5.0, 10.0, 0.0, 1.0, 1.0],
        max_score=[10.0] * 5,
        num_attempted=[5, 10, 1, 1, 1],
        num_questions=[10] * 5,
        active_time=[60.0, 180.0, 1.0, 1.0, 1.0],
        dt_started=["2025-01-01T10:00"] * 5,
        dt_completed=["2025-01-01T10:10"] * 5,
    )
    table = sc.session_summary(sessions)
    assert table.index.tolist() == ["x", "y"]
    x = table.loc["x"]
    assert x[["sessions", "Completed", "Discarded", "users"]].tolist() == [3, 1, 1, 1]
    assert x["progress"] == 0.75
    assert x["score_percent"] == 75
    assert x["score_percent_sd"] == pytest.approx(np.std([50, 100], ddof=1))
    assert x["active_time"] == 2
    assert x["elapsed_time"] == 10
    assert table["users"].tolist() == [1, 0]
    assert pd.isna(table.loc["y", "score_percent"])
    assert pd.isna(table.loc["y", "first_start"])
    assert "2 sessions" in table.attrs["discarded"]
    assert sc.session_summary(sessions, unit="s").loc["x", "active_time"] == 120
    assert sc.session_summary(EMPTY["sessions"]).empty
    both = sc.session_summary(sessions, ["activity_id", "user_id"])
    assert both.index.tolist() == [("x", "u"), ("x", "v"), ("y", "w")]
    assert both.loc[("x", "u"), "score_percent"] == 75
    assert pd.isna(both.loc[("x", "v"), "score_percent"])
    assert sc.session_summary(sessions, ["activity_id"]).index.nlevels == 1
    for by in ([], ["activity_id", "activity_id"]):
        with pytest.raises(MeasureError, match="by is"):
            sc.session_summary(sessions, by)
    with pytest.raises(MeasureError, match="no column 'school'"):
        sc.session_summary(sessions, ["activity_id", "school"])


# Attempts ---------------------------------------------------------------------------------------

TRIES = sessions_frame(
    session_id=["d", "c", "b", "a", "e", "f"],
    user_id=["u", "u", "u", "u", "v", None],
    activity_id=["x", "x", "x", "y", "x", "x"],
    dt_started=["2025-01-03", "2025-01-02", "2025-01-01", "2025-01-01", None, "2025-01-01"],
    status=["Completed"] * 6,
    score=[7.0, 9.0, 9.0, 1.0, None, 1.0],
    max_score=[10.0] * 6,
)


def test_attempts_by_hand():
    assert sc.attempt_number(TRIES).tolist() == [3, 2, 1, 1, 1, pd.NA]
    assert sc.first_attempts(TRIES).tolist() == [False, False, True, True, True, False]
    assert sc.last_attempts(TRIES).tolist() == [True, False, False, True, True, False]
    # Of two with 9 points the earlier; v has no score, and only one session.
    assert sc.best_attempts(TRIES).tolist() == [False, False, True, True, True, False]
    assert sc.attempt_number(TRIES).dtype == "Int64"


def test_best_goes_by_the_share_of_points():
    tries = TRIES.assign(max_score=[7.0, 10.0, 10.0, 1.0, None, 1.0])
    assert sc.best_attempts(tries).tolist()[:3] == [True, False, False]
    assert sc.best_attempts(tries.drop(columns="max_score")).tolist()[:3] == [False, False, True]


def test_discarded_sessions_are_no_attempts():
    tries = TRIES.assign(status=["Completed", "Completed", "discarded", *["Completed"] * 3])
    number = sc.attempt_number(tries)
    assert number.tolist()[:3] == [2, 1, pd.NA]
    assert number.attrs["discarded"] == "not counted"
    assert sc.first_attempts(tries).tolist()[:3] == [False, True, False]
    unknown = sc.attempt_number(tries.drop(columns="status"))
    assert "unknown" in unknown.attrs["discarded"]
    assert unknown.tolist()[:3] == [3, 2, 1]


def test_attempts_are_picked_by_name():
    for name, measure in (
        ("first", sc.first_attempts),
        ("last", sc.last_attempts),
        ("best", sc.best_attempts),
    ):
        assert sc.pick_attempts(TRIES, name).tolist() == measure(TRIES).tolist()
    tries = TRIES.assign(status=["Discarded", *["Completed"] * 5])
    assert sc.pick_attempts(tries, "all").tolist() == [False, *[True] * 5]
    assert sc.pick_attempts(tries.drop(columns="status"), "all").all()
    with pytest.raises(MeasureError, match="attempts is 'second'"):
        sc.pick_attempts(TRIES, "second")
    with pytest.raises(MeasureError, match="no column 'user_id'"):
        sc.pick_attempts(TRIES.drop(columns="user_id"), "first")


@given(st.permutations(range(8)), st.integers(0, 3))
def test_attempts_do_not_depend_on_the_order(order, ties):
    rng = np.random.default_rng(ties)
    sessions = sessions_frame(
        session_id=[f"s{at}" for at in range(8)],
        user_id=rng.choice(["u", "v"], 8),
        activity_id=rng.choice(["x", "y"], 8),
        dt_started=[None if day == 3 else f"2025-01-0{day}" for day in rng.integers(1, 4, 8)],
        score=rng.choice([1.0, 2.0, np.nan], 8),
    )
    other = sessions.iloc[list(order)]
    for measure in (sc.attempt_number, sc.first_attempts, sc.last_attempts, sc.best_attempts):
        pd.testing.assert_series_equal(measure(other).sort_index(), measure(sessions))
    assert sc.first_attempts(sessions).sum() == sc.last_attempts(sessions).sum()
    assert sc.best_attempts(sessions).sum() == sc.first_attempts(sessions).sum()
    number = sc.attempt_number(sessions)
    groups = number.groupby([sessions["user_id"], sessions["activity_id"]], observed=True)
    assert all(sorted(one) == list(range(1, len(one) + 1)) for _, one in groups)


# Kinds ------------------------------------------------------------------------------------------


def kinds(items, responses=None, **more):
    return sc.cell_kinds(items, responses, **more).tolist()


def test_every_kind_by_hand():
    items = items_frame(
        ("s", "a", 1, 9.0, 2.0, 2.0),  # all points
        ("s", "b", 2, 9.0, 0.5, 2.0),  # some
        ("s", "c", 3, 9.0, -0.5, 2.0),  # fewer than none
        ("s", "d", 4, 9.0, 0.0, 2.0),  # looked at and left open
        ("s", "e", 5, 9.0, None, 2.0),  # waits for a mark
        ("s", "f", 6, 9.0, 0.0, 0.0),  # worth nothing
        ("s", "g", 7, None, 0.0, 2.0),  # never seen
    )
    responses = responses_frame(
        *[("s", item, item not in "dg", None if item == "e" else 0.0, item != "e")
          for item in "abcdefg"]
    )  # fmt: skip
    want = ["right", "partial", "wrong", "omitted", "unmarked", "unscored", "not reached"]
    assert kinds(items, responses) == want
    want[3] = "wrong"  # without the responses an item that was looked at counts as answered
    assert kinds(items) == want
    series = sc.cell_kinds(items)
    assert tuple(series.cat.categories) == CELL_KINDS == sc.CELL_KINDS
    assert "cannot be distinguished" in series.attrs["answered"]


def test_a_part_that_waits_for_a_marker_leaves_the_item_unmarked():
    items = one_session([9.0], [1.0], max_score=5.0)
    part = responses_frame(("s", "a", True, 1.0, True), ("s", "a", True, None, False))
    assert kinds(items, part) == ["unmarked"]
    left_open = responses_frame(("s", "a", True, 1.0, True), ("s", "a", False, None, False))
    assert kinds(items, left_open) == ["partial"]
    by_machine = responses_frame(("s", "a", True, 1.0, True), ("s", "a", True, None, True))
    assert kinds(items, by_machine) == ["partial"]


def test_the_responses_sum_serves_only_where_the_item_has_no_score():
    items = one_session([9.0, 9.0, 9.0], [None, 0.0, None], max_score=None)
    responses = responses_frame(
        ("s", "a", True, 1.0, True), ("s", "a", False, 0.0, True),
        ("s", "b", True, 1.0, True), ("s", "c", True, 1.0, True), ("s", "c", True, None, True),
        max_score=[1.0, 1.0, 1.0, 1.0, 1.0],
    )  # fmt: skip
    matrix = sc.score_matrix(items, responses)
    assert kinds(items, responses) == ["partial", "wrong", "unmarked"]
    np.testing.assert_equal(matrix.to_numpy(), [[1.0, 0.0, NAN]])
    assert matrix.attrs["rows_scored_from_responses"] == 1
    assert "responses" in matrix.attrs["score"]


def test_a_missing_highest_score_is_taken_from_the_items_other_rows():
    items = items_frame(("s", "a", 1, 9.0, 2.0, None), ("t", "a", 1, 9.0, 1.0, 2.0))
    assert kinds(items) == ["right", "partial"]
    with pytest.warns(DataWarning, match="1 rows have points and no max_score") as said:
        assert sc.cell_kinds(items.iloc[:1]).tolist() == ["partial"]
    assert said[0].filename == __file__
    with pytest.warns(DataWarning, match="2 rows have points"):
        assert kinds(items.drop(columns="max_score")) == ["partial"] * 2


def test_sums_of_decimals_are_right():
    assert kinds(one_session([9.0], [0.1 + 0.2], max_score=0.3)) == ["right"]
    assert kinds(one_session([9.0], [0.3], max_score=0.1 + 0.2)) == ["right"]


def test_kinds_need_a_score_or_responses():
    items = one_session([9.0], [1.0]).drop(columns="score")
    with pytest.raises(MeasureError, match="no column 'score'"):
        sc.cell_kinds(items)
    responses = responses_frame(("s", "a", True, 1.0, True), max_score=[1.0])
    assert kinds(items.drop(columns="max_score"), responses) == ["right"]


def test_documented_session_has_one_scored_item(documented):
    tables = tables_of(documented)
    codes = sc.cell_matrix(tables.items, tables.responses)
    assert codes.shape == (1, 3)
    assert set(codes.iloc[0]) <= set(CELL_KINDS)
    assert sc.score_matrix(tables.items)["357378865"].tolist() == [0.0]


# Matrices ---------------------------------------------------------------------------------------

TEST = items_frame(
    ("s", "a", 1, 9.0, 2.0, 2.0), ("s", "b", 2, 9.0, 1.0, 2.0), ("s", "c", 3, 0.0, 0.0, 2.0),
    ("s", "d", 4, 9.0, 0.0, 2.0), ("s", "e", 5, 0.0, 0.0, 2.0), ("t", "a", 1, 9.0, None, 2.0),
)  # fmt: skip
CODES = [
    ["right", "partial", "omitted", "wrong", "not reached"],
    ["unmarked", *["not administered"] * 4],
]


def test_codes_and_scores_by_hand():
    codes = sc.cell_matrix(TEST)
    assert codes.to_numpy().tolist() == CODES
    assert (codes.index.name, codes.columns.name) == ("session_id", "item_reference")
    assert codes.index.tolist() == ["s", "t"]
    assert all(tuple(dtype.categories) == CELL_KINDS for dtype in codes.dtypes)
    matrix = sc.score_matrix(TEST)
    np.testing.assert_equal(matrix.to_numpy(), [[2, 1, 0, 0, NAN], [NAN] * 5])
    assert matrix.attrs["cells"] == dict(zip(CELL_KINDS, [1, 1, 1, 1, 1, 1, 0, 0, 4], strict=True))
    assert matrix.attrs["values"]["omitted"] == 0.0
    assert matrix.attrs["values"]["right"] == "points"
    assert matrix.attrs["values"]["not reached"] == "missing"


def test_what_a_kind_becomes_is_an_argument():
    numbers = sc.score_matrix(
        TEST, right=1, wrong=2, partial=3, omitted=4, not_reached=5, unmarked=6
    )
    np.testing.assert_equal(numbers.to_numpy(), [[1, 3, 4, 2, 5], [6, *[NAN] * 4]])
    shares = sc.score_matrix(TEST, value="share", not_reached=0)
    np.testing.assert_equal(shares.to_numpy()[0], [1, 0.5, 0, 0, 0])
    given_score = sc.score_matrix(TEST.assign(score=1.0, time=9.0), omitted=None)
    assert given_score.loc["s"].tolist() == [1.0] * 5
    with pytest.raises(MeasureError, match="value is 'percent'"):
        sc.score_matrix(TEST, value="percent")


EXTRA = '{"scoring":{"max_score_of_unmarked":%s}}'


@pytest.mark.parametrize("level", ["item", "question"])
@pytest.mark.parametrize(
    ("max_score", "status", "extra", "want"),
    [
        (None, "Completed", None, "unscored"),
        (0.0, "Completed", None, "unscored"),
        (None, "Completed", "{}", "unscored"),
        (None, "Completed", EXTRA % 0, "unscored"),
        (None, "Incomplete", None, "unscored"),
        (2.0, "Completed", None, "unmarked"),
        (None, "pending scoring", None, "unmarked"),
        (None, "Completed", EXTRA % 3, "unmarked"),
        (None, "Completed", EXTRA % "0.5", "unmarked"),
    ],
)
def test_an_answer_that_nobody_marks_is_unscored(level, max_score, status, extra, want):
    items = one_session([9.0], [None], max_score=None, session="s")
    items = items.assign(extra=pd.array([extra], dtype="str"))
    responses = responses_frame(
        ("s", "a", True, None, False), max_score=[max_score], question_reference=["q"]
    )
    sessions = sessions_frame(session_id=["s", "t"], status=[status, "Pending Scoring"])
    cells = sc.item_cells if level == "item" else sc.question_cells
    assert CELL_KINDS[cells(items, responses, sessions=sessions).kinds[0]] == want
    make = sc.score_matrix if level == "item" else sc.question_score_matrix
    matrix = make(items, responses, sessions=sessions, unmarked=-1, unscored=-2)
    assert matrix.iloc[0, 0] == {"unmarked": -1, "unscored": -2}[want]
    assert np.isnan(make(items, responses, sessions=sessions).iloc[0, 0])


def test_the_items_own_max_score_tells_that_a_mark_is_due():
    responses = responses_frame(("s", "a", True, None, False))
    assert kinds(one_session([9.0], [None], max_score=4.0), responses) == ["unmarked"]
    # In another session's row, too.
    items = items_frame(("s", "a", 1, 9.0, None, None), ("t", "a", 1, 9.0, 1.0, 4.0))
    assert kinds(items) == ["unmarked", "partial"]


def test_a_survey_question_beside_a_scored_one_keeps_no_points_back():
    items = one_session([9.0], [1.0], max_score=1.0)
    both = responses_frame(
        ("s", "a", True, 1.0, True), ("s", "a", True, None, False),
        max_score=[1.0, None], question_reference=["q", "survey"],
    )  # fmt: skip
    assert kinds(items, both) == ["right"]
    found = sc.question_cells(items, both).kinds
    assert [CELL_KINDS[kind] for kind in found] == ["right", "unscored"]
    # The item's maximum exceeds that of the scored question: the other is worth points.
    assert kinds(items.assign(max_score=5.0), both) == ["unmarked"]
    pending = sessions_frame(session_id=["s"], status=["Pending Scoring"])
    assert kinds(items, both, sessions=pending) == ["unmarked"]
    # Points that the record says await a mark are those of the question without a maximum ...
    told = items.assign(extra=pd.array([EXTRA % 4], dtype="str"))
    assert kinds(told, both) == ["unmarked"]
    found = sc.question_cells(told, both).kinds
    assert [CELL_KINDS[kind] for kind in found] == ["right", "unmarked"]
    assert [*sc.response_status(both, items=told)] == ["scored", "unmarked"]
    # ... unless another question of the item explains them.
    essay = both.assign(score=[None, None], max_score=[4.0, None])
    found = sc.question_cells(told, essay).kinds
    assert [CELL_KINDS[kind] for kind in found] == ["unmarked", "unscored"]
    assert [*sc.response_status(essay, items=told)] == ["attempted", "unscored"]


def test_other_kinds_are_what_they_are_in_a_pending_session():
    pending = sessions_frame(session_id=["s", "t"], status=["Pending Scoring"] * 2)
    assert kinds(TEST, sessions=pending) == kinds(TEST)
    assert "rapid" not in kinds(TEST)


def test_adjusted_scores_add_the_points_of_the_items_responses():
    items = one_session([9.0, 9.0, 9.0], [1.0, 1.0, None], max_score=3.0)
    responses = responses_frame(
        ("s", "a", True, 1.0, True), ("s", "a", True, 0.0, True), ("s", "b", True, 1.0, True),
        ("s", "c", True, None, False),
        adjustment_points=[1.0, -0.5, None, 1.0],
        score_after_adjustment=[2.0, None, None, None],
        question_reference=["q1", "q2", "q3", "q4"], max_score=[2.0, 2.0, 3.0, 3.0],
    )  # fmt: skip
    raw = sc.score_matrix(items, responses)
    np.testing.assert_equal(raw.iloc[0].to_numpy(), [1.0, 1.0, NAN])
    adjusted = sc.score_matrix(items, responses, adjusted=True)
    np.testing.assert_equal(adjusted.iloc[0].to_numpy(), [1.5, 1.0, NAN])
    assert "adjustment" in adjusted.attrs["score"]
    questions = sc.question_score_matrix(items, responses, adjusted=True)
    np.testing.assert_equal(questions.iloc[0].to_numpy(), [2.0, -0.5, 1.0, NAN])
    # The score after adjustment is enough, for an item as for a question.
    after = responses.drop(columns="adjustment_points")
    np.testing.assert_equal(
        sc.score_matrix(items, after, adjusted=True).iloc[0].to_numpy(), [2.0, 1.0, NAN]
    )
    raised = items.assign(score=[3.0, 2.5, 1.0])
    lifted = responses.assign(adjustment_points=[0.0, 1.0, 0.5, -1.0])
    found = sc.item_cells(raised, lifted, adjusted=True)
    assert [CELL_KINDS[kind] for kind in found.kinds] == ["right", "right", "unmarked"]
    with pytest.raises(MeasureError, match="adjusted=True needs responses="):
        sc.score_matrix(items, adjusted=True)


def test_adjusted_percentages():
    frame = sessions_frame(
        score=[5.0, 5.0, 5.0, None], max_score=[10.0] * 4,
        adjustment_points=[2.0, 2.0, None, 1.0], score_after_adjustment=[8.0, None, None, None],
    )  # fmt: skip
    assert sc.score_percent(frame).tolist()[:3] == [50.0] * 3
    np.testing.assert_equal(sc.score_percent(frame, adjusted=True).to_numpy(), [80, 70, 50, NAN])
    sessions = frame.assign(activity_id="x", status="Completed")
    assert sc.session_summary(sessions)["score_percent"].tolist() == [50.0]
    assert sc.session_summary(sessions, adjusted=True)["score_percent"].tolist() == [200 / 3]


def test_any_column_names_the_rows():
    items = pd.concat([one_session([9.0], [1.0], session=name) for name in "dc"])
    merged = items.assign(user_id=["u", "v"])
    matrix = sc.score_matrix(merged, rows="user_id")
    assert matrix.index.tolist() == ["u", "v"]
    assert matrix.index.name == "user_id"
    assert sc.cell_matrix(merged, rows="user_id").index.equals(matrix.index)
    with pytest.raises(MeasureError, match=r"1 rows fall on a cell.*one activity at a time"):
        sc.score_matrix(items.assign(user_id="u"), rows="user_id")
    with pytest.raises(MeasureError, match="no column 'user_id'"):
        sc.score_matrix(items, rows="user_id")


def test_rows_multiplied_by_a_merge_are_refused():
    twice = pd.concat([TEST, TEST.iloc[:1]])
    for measure in (
        sc.score_matrix,
        sc.cell_matrix,
        sc.cell_kinds,
        sc.item_cells,
        sc.score_percent,
    ):
        with pytest.raises(MeasureError, match=r"1 rows of items repeat.*drop_duplicates"):
            measure(twice)
    responses = responses_frame(("s", "a", True, 1.0, True), question_reference=["q"])
    for measure in (
        lambda frame: sc.item_cells(TEST, frame),
        lambda frame: sc.score_matrix(TEST, frame),
        lambda frame: sc.question_cells(TEST, frame),
        lambda frame: sc.question_score_matrix(TEST, frame),
        sc.response_status,
        sc.score_percent,
    ):
        measure(responses.assign(max_score=1.0))
        with pytest.raises(MeasureError, match=r"1 rows of responses repeat.*drop_duplicates"):
            measure(pd.concat([responses, responses]).assign(max_score=1.0))
    sessions = pd.concat([TRIES, TRIES.iloc[:2]]).assign(num_attempted=1, num_questions=2)
    for measure in (
        sc.attempt_number,
        sc.first_attempts,
        sc.last_attempts,
        sc.best_attempts,
        sc.is_completed,
        sc.status_counts,
        sc.session_summary,
        sc.progress,
        sc.score_percent,
        lambda frame: sc.pick_attempts(frame, "all"),
        lambda frame: sc.cell_kinds(TEST, sessions=frame),
    ):
        with pytest.raises(MeasureError, match=r"2 rows of sessions repeat.*drop_duplicates"):
            measure(sessions)


@given(studies(), st.booleans(), st.sampled_from(["run", "after_first", "no_time"]))
@settings(max_examples=60)
def test_matrix_kinds_and_rows_agree(study, with_responses, rule):
    items, responses = study
    said = responses if with_responses else None
    rows = sc.cell_kinds(items, said, not_reached_rule=rule)
    codes = sc.cell_matrix(items, said, not_reached_rule=rule)
    matrix = sc.score_matrix(items, said, not_reached_rule=rule, omitted=-7, not_reached=-8)
    for at, row in items.iterrows():
        kind = codes.loc[row["session_id"], row["item_reference"]]
        value = matrix.loc[row["session_id"], row["item_reference"]]
        assert kind == rows[at]
        want = {"omitted": -7, "not reached": -8, "unmarked": NAN}.get(kind, row["score"])
        assert value == want or (np.isnan(value) and np.isnan(want))
    assert (codes == "not administered").to_numpy().sum() == codes.size - len(items)
    for frame in (shuffled(items), textual(items), items.sort_values("item_reference")):
        again = sc.cell_matrix(
            frame, None if said is None else shuffled(said), not_reached_rule=rule
        )
        pd.testing.assert_frame_equal(again.loc[codes.index, codes.columns], codes)
    part = items[items["session_id"] == "s0"]
    alone = sc.cell_matrix(part, said, not_reached_rule=rule)
    assert alone.to_numpy().tolist() == codes.loc[["s0"], alone.columns].to_numpy().tolist()


def test_the_simulated_study_gives_its_points_back():
    tables, simulation = simulated(learners=300, items=30, seed=3, not_reached=0.3, omit=0.05)
    truth = simulation.answers
    matrix = sc.question_score_matrix(tables.items, tables.responses, not_reached=0)
    want = truth.pivot(index="session_id", columns="question_reference", values="points")
    want = want.loc[matrix.index, matrix.columns].to_numpy()
    marked = matrix.notna().to_numpy()
    assert marked.mean() > 0.9
    np.testing.assert_allclose(matrix.to_numpy()[marked], want[marked])
    codes = sc.cell_matrix(tables.items, tables.responses, not_reached_rule="no_time")
    outcome = truth.groupby(["session_id", "item_reference"])["outcome"].agg(set).unstack()
    outcome = outcome.loc[codes.index, codes.columns]
    assert ((codes == "not reached") == outcome.map({"not reached"}.__eq__)).to_numpy().all()
    answered = outcome.map(lambda kinds: "answered" in kinds)
    done = codes.isin(["right", "wrong", "partial", "unmarked", "unscored"])
    assert (done == answered).to_numpy().all()


@given(studies())
def test_pseudonyms_change_nothing(study):
    items, responses = study
    one = sc.cell_matrix(items, responses)
    two = sc.cell_matrix(relabelled(items), relabelled(responses))
    assert two.to_numpy().tolist() == one.to_numpy().tolist()
    np.testing.assert_array_equal(sc.score_matrix(relabelled(items)), sc.score_matrix(items))


def test_notes_are_plain_json():
    sessions = sessions_frame(session_id=["s", "t"], status=["Completed"] * 2)
    responses = responses_frame(("s", "a", True, 1.0, True))
    for result in (
        sc.score_matrix(TEST, responses, sessions=sessions, adjusted=True),
        sc.cell_matrix(TEST),
        sc.cell_kinds(TEST),
        sc.question_score_matrix(TEST, responses.assign(question_reference="q")),
        sc.attempt_number(TRIES),
    ):
        assert json.loads(json.dumps(result.attrs)) == result.attrs


def test_empty_tables_give_empty_results():
    items, responses, sessions = EMPTY["items"], EMPTY["responses"], EMPTY["sessions"]
    assert sc.score_matrix(items).shape == (0, 0)
    assert sc.score_matrix(items, responses, sessions=sessions).shape == (0, 0)
    assert sc.cell_matrix(items).shape == (0, 0)
    assert sc.cell_kinds(items, responses).empty
    assert sc.response_status(responses).empty
    assert sc.question_score_matrix(items, responses).shape == (0, 0)
    assert sc.attempt_number(sessions).empty
    assert sc.best_attempts(sessions).empty


def test_the_callers_frames_stay_as_they_are():
    responses = responses_frame(("s", "a", True, 1.0, True))
    before = TEST.copy(deep=True), responses.copy(deep=True), TRIES.copy(deep=True)
    sc.score_matrix(TEST, responses, right=9)
    sc.cell_matrix(TEST, responses)
    sc.best_attempts(TRIES)
    sc.response_status(responses)
    for now, then in zip((TEST, responses, TRIES), before, strict=True):
        pd.testing.assert_frame_equal(now, then)
        assert now.attrs == {}


def test_a_result_can_be_written_to():
    matrix = sc.score_matrix(TEST)
    matrix.loc["s", "a"] = 5.0
    assert matrix.loc["s", "a"] == 5.0
    assert TEST.loc[0, "score"] == 2.0


# Responses --------------------------------------------------------------------------------------


def test_response_status_by_hand():
    responses = responses_frame(
        ("s", "a", True, 1.0, True), ("s", "b", True, None, False), ("s", "c", True, None, True),
        ("s", "d", False, 0.0, True), ("s", "e", None, None, True), ("s", "f", True, None, None),
    )  # fmt: skip
    want = ["scored", "unmarked", "attempted", "unattempted", np.nan, "attempted"]
    assert [*sc.response_status(responses)] == want
    stored = responses.assign(value=pd.array([None] * 4 + ['"x"', None], dtype="str"))
    assert sc.response_status(stored).tolist()[4] == "attempted"
    bare = responses[["session_id", "score", "attempted"]]
    assert sc.response_status(bare).tolist()[1] == "attempted"


def test_question_matrix_by_hand():
    items = items_frame(
        ("s", "a", 1, 9.0, 1.0, 2.0), ("s", "c", 2, None, 0.0, 2.0), ("t", "a", 1, 9.0, 3.0, 6.0),
        ("t", "b", 2, 9.0, 3.0, 3.0),
    )  # fmt: skip
    responses = responses_frame(
        ("s", "a", True, 1.0, True), ("s", "a", False, None, True), ("t", "a", True, None, False),
        ("t", "a", True, 3.0, True), ("t", "b", True, 3.0, True), ("s", "c", False, 0.0, True),
        question_reference=["q1", "q2", "q1", "q2", None, "q3"],
        max_score=[1.0, 3.0, 1.0, 3.0, 3.0, 1.0],
    )  # fmt: skip
    matrix = sc.question_score_matrix(items, responses)
    assert matrix.columns.tolist() == ["q1", "q2", "q3"]
    np.testing.assert_equal(matrix.to_numpy(), [[1, 0, NAN], [NAN, 3, NAN]])
    other = sc.question_score_matrix(items, responses, omitted=-2, unmarked=-1, not_reached=-3)
    np.testing.assert_equal(other.to_numpy(), [[1, -2, -3], [-1, 3, NAN]])
    found = sc.question_cells(items, responses)
    assert [CELL_KINDS[kind] for kind in found.kinds] == [
        "right", "omitted", "unmarked", "right", "right", "not reached",
    ]  # fmt: skip
    again = sc.question_score_matrix(shuffled(items), shuffled(responses))
    pd.testing.assert_frame_equal(again.loc[matrix.index, matrix.columns], matrix)
    with pytest.raises(MeasureError, match="no response has a question_reference"):
        sc.question_score_matrix(items, responses.iloc[4:5])
    with pytest.raises(MeasureError, match="rows fall on a cell"):
        sc.question_score_matrix(items, responses.assign(question_reference="q"))


@pytest.mark.parametrize(
    ("key", "score", "status"),
    [
        ("absent", 1.0, "scored"),
        ("absent", 0.0, "scored"),
        ("absent", None, np.nan),
        ("null", 1.0, "unattempted"),
        ("null", None, "unattempted"),
    ],
)
def test_a_scored_response_that_leaves_out_its_answer_is_answered(key, score, status):
    response = {"response_id": "r", "item_reference": "a", "score": score, "max_score": 1}
    response |= {"response": None} if key == "null" else {}
    item = {"reference": "a", "response_ids": ["r"], "time": 5}
    record = {"session_id": "s", "responses": [response], "items": [item]}
    tables = tables_of(record)
    assert [*sc.response_status(tables.responses)] == [status]
    if status == "scored":
        kind = "right" if score else "wrong"
        cells = sc.question_cells(tables.items, tables.responses)
        assert [CELL_KINDS[one] for one in cells.kinds] == [kind]


def test_an_answer_to_a_survey_is_unscored_as_a_response_too():
    responses = responses_frame(("s", "a", True, None, False), max_score=[None])
    assert [*sc.response_status(responses)] == ["unscored"]
    assert [*sc.response_status(responses.assign(max_score=2.0))] == ["unmarked"]
    pending = sessions_frame(session_id=["s"], status=["Pending Scoring"])
    assert [*sc.response_status(responses, sessions=pending)] == ["unmarked"]
    items = one_session([9.0], [None], max_score=None)
    told = items.assign(extra=pd.array([EXTRA % 3], dtype="str"))
    assert [*sc.response_status(responses, items=items)] == ["unscored"]
    assert [*sc.response_status(responses, items=told)] == ["unmarked"]


@pytest.mark.parametrize("nobody", ["", "  ", None])
def test_sessions_of_nobody_are_no_attempts(nobody):
    tries = TRIES.assign(user_id=[nobody] * 4 + ["v", nobody])
    assert sc.attempt_number(tries).isna().to_list() == [True] * 4 + [False, True]
    for pick in (sc.first_attempts, sc.last_attempts, sc.best_attempts):
        assert pick(tries).tolist() == [False] * 4 + [True, False]
    summary = sc.session_summary(tries)
    assert summary["users"].sum() == 1


def test_the_best_attempt_after_adjustment():
    tries = TRIES.assign(adjustment_points=[3.0, None, None, None, None, None])
    assert sc.best_attempts(tries).tolist()[:3] == [False, False, True]
    assert sc.best_attempts(tries, adjusted=True).tolist()[:3] == [True, False, False]
