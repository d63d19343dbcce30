"""Time on task: closed-form examples, and what must hold for any data."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lrnanalysis.errors import MeasureError
from lrnanalysis.measures import timing
from lrnanalysis.warnings import DataWarning
from measure_tables import (
    EMPTY,
    items_frame,
    one_session,
    relabelled,
    run_doctests,
    sessions_frame,
    shuffled,
    studies,
    textual,
    three_sessions,
)
from record_tables import tables_of

SESSION = sessions_frame(
    session_id=["s"],
    dt_started=["2025-01-01T09:00:00Z"],
    dt_completed=["2025-01-01T09:10:00Z"],
    active_time=[480.0],
    max_time=[600.0],
    status=["Completed"],
)


def test_examples_run():
    assert run_doctests("lrnanalysis.measures.timing") > 15


# Clocks -----------------------------------------------------------------------------------------


def test_documented_session(documented):
    tables = tables_of(documented)
    sessions, items = tables.sessions, tables.items
    assert timing.session_active_time(sessions).tolist() == [220.0]
    assert timing.active_time(items).tolist() == [85.0 + 65 + 70]
    assert timing.active_time(items, unit="min").round(2).tolist() == [3.67]
    assert timing.elapsed_time(sessions, unit="min").round(2).tolist() == [1713.67]
    assert timing.elapsed_time(sessions, unit="h").round(2).tolist() == [28.56]
    assert sessions["session_duration"].tolist() == [1714]
    assert timing.idle_time(sessions).tolist() == [102_820.0 - 220]
    assert timing.active_share(sessions).round(5).tolist() == [0.00214]


def test_clocks_name_unit_and_rule():
    for measure in (timing.session_active_time, timing.elapsed_time, timing.idle_time):
        result = measure(SESSION, unit="min")
        assert result.attrs["unit"] == "min"
        assert result.attrs["rule"]
        assert result.name in ("active_time", "elapsed_time", "idle_time")
    assert timing.elapsed_time(SESSION).tolist() == [600.0]
    assert timing.idle_time(SESSION).tolist() == [120.0]


def test_an_incomplete_session_has_no_elapsed_time():
    sessions = SESSION.copy()
    sessions["dt_completed"] = sessions["dt_completed"].where([False])
    assert timing.elapsed_time(sessions).isna().all()
    assert timing.idle_time(sessions).isna().all()
    assert timing.active_share(sessions).isna().all()


def test_negative_idle_is_kept_and_said():
    with pytest.warns(DataWarning, match="1 of 1 sessions have items' times") as said:
        idle = timing.idle_time(SESSION.assign(active_time=700.0))
    assert idle.tolist() == [-100.0]
    assert idle.attrs["negative"] == 1
    assert said[0].filename == __file__
    # Timestamps are whole seconds: half a second is no fault.
    assert timing.idle_time(SESSION.assign(active_time=600.5)).tolist() == [-0.5]


def test_a_session_that_ends_before_it_starts_is_said():
    swapped = SESSION.rename(columns={"dt_started": "dt_completed", "dt_completed": "dt_started"})
    with pytest.warns(DataWarning, match="end before they start"):
        assert timing.elapsed_time(swapped).tolist() == [-600.0]


def test_clocks_want_timestamps_columns_and_units():
    text = SESSION.assign(dt_started="2025-01-01")
    with pytest.raises(MeasureError, match="timestamps are needed"):
        timing.elapsed_time(text)
    with pytest.raises(MeasureError, match="no column 'dt_completed'"):
        timing.elapsed_time(SESSION.drop(columns="dt_completed"))
    with pytest.raises(MeasureError, match="unit is 'd'"):
        timing.elapsed_time(SESSION, unit="d")
    with pytest.raises(MeasureError, match="pass the sessions table"):
        timing.elapsed_time(SESSION["dt_started"])


# Sums -------------------------------------------------------------------------------------------


def test_a_group_without_any_time_is_missing_not_zero():
    items = items_frame(
        ("s", "a", 1, 5.0, 1, 1), ("s", "b", 2, None, 1, 1),
        ("t", "a", 1, None, 1, 1), ("u", "a", 1, 0.0, 1, 1),
    )  # fmt: skip
    result = timing.active_time(items)
    assert result.index.tolist() == ["s", "t", "u"]
    assert result.index.name == "session_id"
    np.testing.assert_equal(result.to_numpy(), [5.0, np.nan, 0.0])


def test_a_negative_time_counts_as_missing_and_is_said():
    with pytest.warns(DataWarning, match="1 of 2 item times are negative") as said:
        result = timing.active_time(one_session([-3.0, 5.0], [1, 1]))
    assert result.tolist() == [5.0]
    assert said[0].filename == __file__


@given(studies(), st.sampled_from(["session_id", "item_reference"]))
def test_active_time_is_pandas_groupby(study, by):
    items, _ = study
    want = items.groupby(by, observed=True)["time"].sum(min_count=1)
    for frame in (items, shuffled(items), textual(items), items.sort_values("item_reference")):
        got = timing.active_time(frame, by)
        pd.testing.assert_series_equal(
            got.sort_index(), want.set_axis(want.index.astype(got.index.dtype)).sort_index(),
            check_names=False, check_index_type=False,
        )  # fmt: skip


@given(studies())
def test_units_convert_and_subsets_agree(study):
    items, _ = study
    whole = timing.active_time(items)
    np.testing.assert_allclose(timing.active_time(items, unit="min") * 60, whole)
    np.testing.assert_allclose(timing.active_time(items, unit="h") * 3600, whole)
    some = items[items["session_id"].isin(["s0", "s2"])]
    pd.testing.assert_series_equal(timing.active_time(some), whole[timing.active_time(some).index])


def test_rows_without_a_group_are_left_out():
    items = one_session([5.0, 7.0], [1, 1]).assign(kind=["x", None])
    assert timing.active_time(items, "kind").to_dict() == {"x": 5.0}


def test_a_missing_session_is_an_error_that_says_what_to_do():
    items = one_session([5.0, 7.0], [1, 1])
    items.loc[0, "session_id"] = None
    with pytest.raises(MeasureError, match=r"1 of 2 rows have no session_id.*dropna"):
        timing.time_matrix(items)


# Statistics -------------------------------------------------------------------------------------


def test_time_summary_by_hand():
    items = one_session([10.0, 40.0, 20.0, 0.0, None], [1] * 5)
    items = items.assign(item_reference="a", session_id=[*"stuvw"])
    row = timing.time_summary(items, quantiles=[0.25]).loc["a"]
    assert row["n"] == 3
    assert row["n_without"] == 2
    assert row["mean"] == pytest.approx(70 / 3)
    assert row["sd"] == pytest.approx(np.std([10, 40, 20], ddof=1))
    assert row["median"] == 20
    assert row["geometric_mean"] == pytest.approx(20)  # 10, 20, 40
    assert row["q25"] == 15
    assert row["ln_mean"] == pytest.approx(np.log(20))
    assert row["ln_sd"] == pytest.approx(np.log(2))
    minutes = timing.time_summary(items, unit="min").loc["a"]
    assert minutes["geometric_mean"] == pytest.approx(20 / 60)
    assert minutes["ln_mean"] == pytest.approx(np.log(20))


@given(studies())
def test_time_summary_is_pandas(study):
    items, _ = study
    got = timing.time_summary(items, quantiles=(0.1, 0.9))
    times = items["time"].where(items["time"] > 0).groupby(items["item_reference"], observed=True)
    want = pd.DataFrame(
        {"mean": times.mean(), "sd": times.std(), "median": times.median(),
         "q10": times.quantile(0.1), "q90": times.quantile(0.9)}
    )  # fmt: skip
    want.index = want.index.astype("str")
    pd.testing.assert_frame_equal(got[want.columns], want)
    assert (got["n"] + got["n_without"]).sum() == len(items)
    pd.testing.assert_frame_equal(timing.time_summary(shuffled(items), quantiles=(0.1, 0.9)), got)


def test_several_columns_group_together():
    items = items_frame(
        ("s", "a", 1, 5.0, 1, 1), ("s", "b", 2, 7.0, 1, 1), ("t", "a", 1, 50.0, 1, 1)
    ).assign(group=["x", "x", None])
    summary = timing.time_summary(items, ["group", "item_reference"])
    assert summary.index.names == ["group", "item_reference"]
    assert summary["mean"].to_dict() == {("x", "a"): 5.0, ("x", "b"): 7.0}
    assert timing.active_time(items, ["group"]).to_dict() == {("x",): 12.0}
    sums = timing.active_time(items, ["session_id", "item_reference"])
    assert sums.to_dict() == {("s", "a"): 5.0, ("s", "b"): 7.0, ("t", "a"): 50.0}
    flagged = timing.outliers(items, "mad", by=["group", "item_reference"])
    assert flagged.isna().tolist() == [False, False, True]


def test_rows_multiplied_by_a_merge_are_refused():
    items = pd.concat([one_session([9.0, 4.0], [1, 0])] * 2)
    for measure in (
        timing.active_time,
        timing.time_summary,
        timing.time_by_position,
        timing.pacing,
        timing.outliers,
        timing.suspicious_times,
    ):
        with pytest.raises(MeasureError, match=r"2 rows of items repeat.*drop_duplicates"):
            measure(items)
    with pytest.raises(MeasureError, match=r"2 rows fall on a cell.*drop_duplicates"):
        timing.time_matrix(items)


@pytest.mark.parametrize("by", [[], ["kind", "kind"], [3]])
def test_by_names_different_columns(by):
    items = one_session([9.0, 4.0], [1, 0]).assign(kind="x")
    for measure in (timing.active_time, timing.time_summary):
        with pytest.raises(MeasureError, match="by is"):
            measure(items, by)
    with pytest.raises(MeasureError, match="by is"):
        timing.outliers(items, by=by)
    with pytest.raises(MeasureError, match="no column 'sort'"):
        timing.active_time(items, ["kind", "sort"])


def test_rows_of_sessions_multiplied_by_a_merge_are_refused():
    twice = pd.concat([SESSION, SESSION])
    for measure in (
        timing.session_active_time,
        timing.elapsed_time,
        timing.idle_time,
        timing.active_share,
    ):
        with pytest.raises(MeasureError, match=r"1 rows of sessions repeat.*drop_duplicates"):
            measure(twice)


def test_a_stand_in_is_found_and_warned_of():
    rng = np.random.default_rng(1)
    times = np.concatenate([np.round(rng.lognormal(3, 0.5, 2000)), np.full(25, 9999.0)])
    items = pd.DataFrame({"item_reference": "a", "time": times})
    found = timing.suspicious_times(items)
    assert found[["time", "n"]].to_numpy().tolist() == [[9999.0, 25.0]]
    with pytest.warns(DataWarning, match="9999 s occurs suspiciously often"):
        timing.time_summary(items)
    assert timing.suspicious_times(items[:2000]).empty
    assert timing.suspicious_times(items[:3]).empty


def test_times_at_the_limit_without_points_are_found():
    items = items_frame(
        ("s", "a", 1, 600.0, 0, 1), ("s", "b", 2, 600.0, 1, 1), ("t", "a", 1, 601.0, None, 1),
    )  # fmt: skip
    limit = pd.Series({"s": 600.0, "t": 600.0})
    found = timing.suspicious_times(items, limit=limit)
    merged = items.assign(max_time=600.0)
    pd.testing.assert_frame_equal(timing.suspicious_times(merged), found)
    assert found["n"].tolist() == [2]
    assert found["reason"].str.contains("max_time").all()
    assert timing.suspicious_times(items, limit=pd.Series({"s": None, "t": 0.0})).empty


# Matrix -----------------------------------------------------------------------------------------


def test_time_matrix_by_hand():
    items = items_frame(
        ("s", "b", 1, 5.0, 1, 1), ("s", "a", 2, 0.0, 1, 1), ("t", "a", 1, 60.0, 1, 1)
    )
    matrix = timing.time_matrix(items, unit="min")
    assert matrix.index.tolist() == ["s", "t"]
    assert (matrix.index.name, matrix.columns.name) == ("session_id", "item_reference")
    assert matrix.columns.tolist() == ["a", "b"]
    np.testing.assert_allclose(matrix, [[np.nan, 5 / 60], [1.0, np.nan]])
    assert matrix.attrs["rows_without_time"] == 1


@given(studies())
def test_time_matrix_is_pivot(study):
    items, _ = study
    want = items.assign(time=items["time"].where(items["time"] > 0)).pivot(
        index="session_id", columns="item_reference", values="time"
    )
    for frame in (items, shuffled(items), textual(items)):
        got = timing.time_matrix(frame)
        got = got.loc[want.index, list(want.columns)]
        np.testing.assert_array_equal(got, want)


def test_any_column_names_the_rows():
    items = items_frame(
        ("late", "a", 1, 5.0, 1, 1), ("early", "a", 1, 6.0, 1, 1), ("other", "a", 1, 7.0, 1, 1)
    ).assign(user_id=["u", "u", "v"])
    with pytest.raises(MeasureError, match="1 rows fall on a cell"):
        timing.time_matrix(items, rows="user_id")
    assert timing.time_matrix(items[1:], rows="user_id")["a"].to_dict() == {"u": 6.0, "v": 7.0}
    with pytest.raises(MeasureError, match="2 of 3 rows have no user_id"):
        timing.time_matrix(items.assign(user_id=["u", None, None]), rows="user_id")


def test_empty_tables_give_empty_results():
    items, sessions = EMPTY["items"], EMPTY["sessions"]
    assert timing.active_time(items).empty
    assert timing.session_active_time(sessions).empty
    assert timing.elapsed_time(sessions).empty
    assert timing.active_share(sessions).empty
    assert timing.time_matrix(items).shape == (0, 0)
    assert timing.time_summary(items).empty
    assert timing.suspicious_times(items).empty
    assert timing.outliers(items).empty
    assert timing.pacing(items).empty
    assert timing.time_by_position(items).empty


def test_the_callers_frames_stay_as_they_are():
    items = one_session([9.0, 0.0, 8.0, None], [1, 0, 1, 0])
    before = items.copy(deep=True), SESSION.copy(deep=True)
    timing.active_time(items)
    timing.time_summary(items)
    timing.time_matrix(items)
    timing.pacing(items)
    timing.outliers(items)
    timing.idle_time(SESSION)
    for now, then in zip((items, SESSION), before, strict=True):
        pd.testing.assert_frame_equal(now, then)
        assert now.attrs == {}


@given(studies())
@settings(max_examples=25)
def test_pseudonyms_change_nothing(study):
    items, _ = study
    other = relabelled(items)
    np.testing.assert_array_equal(timing.active_time(other), timing.active_time(items))
    np.testing.assert_array_equal(timing.time_matrix(other), timing.time_matrix(items))
    pd.testing.assert_frame_equal(timing.pacing(other), timing.pacing(items))


# Pacing -----------------------------------------------------------------------------------------


def test_pacing_by_hand():
    items = items_frame(
        ("s", "a", 1, 10.0, 1, 1), ("s", "b", 2, 0.0, 0, 1), ("s", "c", 3, 30.0, 1, 1),
        ("t", "a", 1, 20.0, 1, 1), ("t", "b", 2, 20.0, 1, 1), ("t", "c", 3, None, 0, 1),
    )  # fmt: skip
    curve = timing.pacing(items, band=(0.0, 1.0))
    assert curve.index.tolist() == [1, 2, 3]
    assert curve["n"].tolist() == [2, 2, 1]  # t ends with its second item
    assert curve["median"].tolist() == [15.0, 25.0, 40.0]
    assert curve["low"].tolist() == [10.0, 10.0, 40.0]
    assert curve["high"].tolist() == [20.0, 40.0, 40.0]
    pd.testing.assert_frame_equal(timing.pacing(shuffled(items), band=(0.0, 1.0)), curve)
    np.testing.assert_allclose(timing.pacing(items, unit="min")["median"] * 60, curve["median"])
    shares = timing.pacing(items, limit=pd.Series({"t": None, "s": 80.0}))
    assert shares["median"].tolist() == [10 / 80, 10 / 80, 0.5]
    assert shares.attrs["unit"] == "share of the limit"
    with pytest.raises(MeasureError, match="no session of the items has a time limit"):
        timing.pacing(items, limit=pd.Series({"t": np.nan}))
    for limit, message in (
        (pd.Series([80.0, 90.0], index=["s", "s"]), "several values for a session"),
        (80.0, "limit is 80.0: pass a Series"),
    ):
        for measure in (timing.pacing, timing.suspicious_times):
            with pytest.raises(MeasureError, match=message):
                measure(items, limit=limit)


def test_time_by_position_says_when_position_is_item():
    fixed = three_sessions()
    table = timing.time_by_position(fixed)
    assert table.index.tolist() == [1, 2, 3, 4]
    assert table["n"].tolist() == [3, 2, 2, 1]
    assert "one fixed form" in table.attrs["confounded"]
    mixed = fixed.assign(position=[1, 2, 3, 4, 4, 3, 2, 1, 1, 2, 3, 4])
    assert timing.time_by_position(mixed)["items"].tolist() == [2, 2, 2, 2]
    assert "confounded" not in timing.time_by_position(mixed).attrs


# Outliers ---------------------------------------------------------------------------------------


def test_outlier_rules_by_hand():
    times = [*[20.0, 22.0, 25.0] * 7, 4000.0, 0.0, None]
    items = pd.DataFrame({"item_reference": "a", "time": times})
    for rule in ("sd", "percentile", "p90", "mad"):
        found = timing.outliers(items, rule)
        assert found.tolist()[:21] == [False] * 21, rule
        assert found[21], rule
        assert found[22:].isna().all()
        assert found.attrs["flagged"] == 1
        assert found.attrs["without_time"] == 2
    assert not timing.outliers(items, "p90", k=200)[21]
    assert "5 times the group's 90th percentile" in timing.outliers(items, "p90").attrs["rule"]
    # ln t of 1, e, e² around e: only with k below 1 are the ends out.
    logs = pd.DataFrame({"item_reference": "a", "time": np.exp([0.0, 1.0, 2.0])})
    assert timing.outliers(logs, "sd", k=0.9).tolist() == [True, False, True]
    assert timing.outliers(logs, "sd", k=1.1).tolist() == [False] * 3
    assert timing.outliers(logs, "mad", k=0.67).tolist() == [True, False, True]
    assert timing.outliers(logs, "mad", k=0.68).tolist() == [False] * 3


def test_outliers_ask_for_sense():
    items = one_session([9.0, 4.0], [1, 0])
    with pytest.raises(MeasureError, match="rule is 'iqr'"):
        timing.outliers(items, "iqr")
    with pytest.raises(MeasureError, match="k is 100"):
        timing.outliers(items, "percentile", k=100)
    with pytest.raises(MeasureError, match="k is -1"):
        timing.outliers(items, k=-1)


@given(studies(), st.sampled_from(["sd", "percentile", "p90", "mad"]))
@settings(max_examples=40)
def test_outliers_do_not_depend_on_the_order(study, rule):
    items, _ = study
    whole = timing.outliers(items, rule, k=0.5)
    pd.testing.assert_series_equal(
        timing.outliers(shuffled(items), rule, k=0.5).sort_index(), whole
    )
