"""Time on task: closed-form examples, and what must hold for any data."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lrnanalysis.errors import MeasureError
from lrnanalysis.measures import completion, timing
from lrnanalysis.measures.matrices import link_rows
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

SESSION = sessions_frame(
    session_id=["s"],
    dt_started=["2025-01-01T09:00:00Z"],
    dt_completed=["2025-01-01T09:10:00Z"],
    active_time=[480.0],
    max_time=[600.0],
    status=["Completed"],
)


def test_examples_run():
    assert run_doctests("lrnanalysis.measures.timing", "lrnanalysis.measures.matrices") > 20
    assert run_doctests("lrnanalysis.measures._checks") > 3


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
    with pytest.warns(DataWarning, match="1 of 1 sessions have items' times"):
        idle = timing.idle_time(SESSION.assign(active_time=700.0))
    assert idle.tolist() == [-100.0]
    assert idle.attrs["negative"] == 1
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
    with pytest.raises(MeasureError, match="pass the sessions DataFrame"):
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
    with pytest.warns(DataWarning, match="1 of 2 item times are negative"):
        result = timing.active_time(one_session([-3.0, 5.0], [1, 1]))
    assert result.tolist() == [5.0]


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


def chunked(ids):
    """The ids as a text column of many pieces, as a long fetch leaves it."""
    return pd.concat([ids.iloc[at : at + 1] for at in range(len(ids))])


@pytest.mark.parametrize(
    "convert",
    [
        chunked,
        lambda ids: ids.astype("category"),
        lambda ids: ids.astype("category").cat.reorder_categories(["t", "s"]),
        lambda ids: ids.astype(object),
        lambda ids: ids.astype("string[pyarrow]"),
        lambda ids: ids.astype(pd.StringDtype("python", na_value=np.nan)),
        lambda ids: ids.map({"s": 7, "t": 3}).astype("Int64"),
        lambda ids: ids.map({"s": 7, "t": 3}),
        lambda ids: ids + ids,
        lambda ids: ids.where(ids != "s", "longer"),
    ],
)
@pytest.mark.parametrize("mixed", [False, True])
def test_session_ids_of_any_kind(convert, mixed):
    items = pd.concat(
        [one_session([9.0, 4.0, 0.0], [1, 0, 0]), one_session([5.0, 0.0], [1, 0], session="t")],
        ignore_index=True,
    )
    items = shuffled(items, 4) if mixed else items
    other = items.assign(session_id=convert(items["session_id"]))
    np.testing.assert_array_equal(timing.time_matrix(other), timing.time_matrix(items))
    assert completion.not_reached(other).tolist() == completion.not_reached(items).tolist()
    sums = timing.active_time(other)
    assert sorted(sums) == [5.0, 13.0]
    assert sums.index.dtype == timing.time_matrix(other).index.dtype


def test_unused_categories_make_no_columns():
    items = items_frame(("s", "a", 1, 5.0, 1, 1), ("t", "b", 1, 6.0, 1, 1))
    assert timing.time_matrix(items[items["session_id"] == "t"]).columns.tolist() == ["b"]
    assert timing.time_summary(items[items["session_id"] == "t"]).index.tolist() == ["b"]


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
    assert completion.omitted(items).empty
    assert completion.reach(items, EMPTY["responses"]).empty
    assert timing.pacing(items).empty
    assert timing.time_by_position(items).empty
    assert completion.speededness(items)["sessions"] == 0


def test_the_callers_frames_stay_as_they_are():
    items = one_session([9.0, 0.0, 8.0, None], [1, 0, 1, 0])
    responses = responses_frame(("s", "a", True, 1, True))
    before = items.copy(deep=True), responses.copy(deep=True), SESSION.copy(deep=True)
    timing.active_time(items)
    timing.time_summary(items)
    timing.time_matrix(items)
    completion.not_reached(items, responses)
    timing.pacing(items)
    timing.outliers(items)
    timing.idle_time(SESSION)
    for now, then in zip((items, responses, SESSION), before, strict=True):
        pd.testing.assert_frame_equal(now, then)
        assert now.attrs == {}


# Omitted and not reached ------------------------------------------------------------------------

#: Right, omitted after a look, right, left open after a look, never seen, never seen.
PATH = one_session([9.0, 4.0, 8.0, 5.0, None, 0.0], [1, 0, 1, 0, None, 0])
PATH_RESPONSES = responses_frame(
    *[("s", item, item in "ac", float(item in "ac"), True) for item in "abcdef"]
)


@pytest.mark.parametrize(
    ("rule", "omitted", "not_reached"),
    [("run", "b", "def"), ("after_first", "bd", "ef"), ("no_time", "bd", "ef")],
)
def test_rules_of_not_reached(rule, omitted, not_reached):
    letters = PATH["item_reference"].astype("str")
    open_ = completion.omitted(PATH, PATH_RESPONSES, rule=rule)
    missed = completion.not_reached(PATH, PATH_RESPONSES, rule=rule)
    assert "".join(letters[open_]) == omitted
    assert "".join(letters[missed]) == not_reached
    assert open_.attrs["not_reached_rule"] == rule
    assert "responses" in missed.attrs["answered"]
    assert (missed.dtype, missed.name) == ("boolean", "not_reached")


def test_rules_differ_in_the_middle():
    items = one_session([9.0, 0.0, 8.0], [1, 0, 1])
    assert completion.omitted(items).tolist() == [False, True, False]
    assert completion.not_reached(items, rule="no_time").tolist() == [False, True, False]


def test_without_responses_a_time_counts_as_an_answer():
    assert completion.answered(PATH).tolist() == [True, True, True, True, False, False]
    assert completion.not_reached(PATH).tolist() == [False] * 4 + [True] * 2
    assert "cannot be distinguished" in completion.not_reached(PATH).attrs["answered"]


def test_a_session_without_times_goes_by_scores():
    items = one_session([None, None, None], [1, 0, None])
    assert completion.answered(items).tolist() == [True, True, False]


def test_nobody_answered_means_nothing_was_reached():
    items = one_session([0.0, 0.0, 0.0], [0, 0, None])
    assert completion.not_reached(items).tolist() == [True] * 3
    assert completion.not_reached(items, rule="after_first").tolist() == [False, True, True]


def test_the_order_shown_counts_not_the_order_of_rows():
    items = PATH.iloc[[5, 0, 3, 1, 4, 2]]
    missed = completion.not_reached(items, PATH_RESPONSES)
    assert sorted(missed.index[missed]) == [3, 4, 5]
    without = items.drop(columns="position").sort_index()
    assert completion.not_reached(without, PATH_RESPONSES).tolist() == [False] * 3 + [True] * 3


def test_items_without_a_question_are_left_out():
    items = one_session([9.0, 4.0, 0.0], [1, None, 0]).assign(response_count=[1, 0, 1])
    assert completion.answered(items).tolist() == [True, pd.NA, False]
    assert completion.not_reached(items).fillna(False).tolist() == [False, False, True]
    assert completion.reach(items)["reached"].tolist() == [1.0, 0.0]


def test_responses_that_do_not_tell_leave_it_to_the_item():
    items = one_session([9.0, 0.0], [0, 0])
    silent = responses_frame(("s", "a", None, None, True), ("s", "b", None, None, True))
    assert completion.answered(items, silent).tolist() == [True, False]
    stored = silent.assign(value=pd.array([None, '["1"]'], dtype="str"))
    assert completion.answered(items, stored).tolist() == [False, True]
    media = silent.assign(revision=pd.array([1, None], dtype="Int64"))
    assert completion.answered(items, media).tolist() == [True, False]
    with pytest.raises(MeasureError, match="neither 'attempted' nor 'value'"):
        completion.answered(items, silent.drop(columns="attempted"))


def test_points_are_an_answer_whatever_the_responses_say():
    items = one_session([9.0], [1.0])
    assert completion.answered(items, responses_frame(("s", "a", False, 0, True))).tolist() == [
        True
    ]


@pytest.mark.parametrize("sessions", [40, 4000])
def test_responses_find_their_items_among_few_and_among_thousands(sessions):
    # 4,000 sessions × 1,000 items, of which each session has three: too many cells for a table.
    rng = np.random.default_rng(1)
    names = ["session_id", "item_reference"]
    items = pd.DataFrame(
        {
            "session_id": np.repeat([f"s{at}" for at in range(sessions)], 3),
            "item_reference": [f"i{at}" for at in rng.integers(0, 1000, 3 * sessions)],
        }
    ).drop_duplicates(ignore_index=True)
    strangers = pd.DataFrame({"session_id": ["s1", "x", None], "item_reference": ["?", "i1", "i2"]})
    responses = pd.concat([shuffled(items), strangers], ignore_index=True)
    want = responses.merge(items.reset_index(), on=names, how="left")["index"].fillna(-1)
    assert link_rows(items, responses).tolist() == want.tolist()


def test_any_answered_response_answers_the_item():
    items = one_session([9.0, 9.0], [0, 0])
    responses = responses_frame(
        ("s", "a", False, 0, True), ("s", "a", True, 0, True),
        ("s", "b", False, 0, True), ("t", "b", True, 0, True), ("s", None, True, 0, True),
    )  # fmt: skip
    result = completion.answered(items, responses)
    assert result.tolist() == [True, False]
    assert result.attrs["responses_without_item"] == 2


@given(studies(), st.sampled_from(["run", "after_first", "no_time"]), st.booleans())
def test_reach_by_definition(study, rule, given_responses):
    items, responses = study
    said = responses if given_responses else None
    done = completion.answered(items, said)
    missed, open_ = (
        completion.not_reached(items, said, rule=rule),
        completion.omitted(items, said, rule=rule),
    )
    assert (done.astype(int) + missed + open_ == 1).all()
    for _, session in items.sort_values("position").groupby("session_id"):
        answers = done[session.index].to_numpy(dtype=bool)
        behind = len(answers) - (np.flatnonzero(answers)[-1] + 1 if answers.any() else 0)
        tail = np.arange(len(answers)) >= len(answers) - behind
        if rule == "after_first" and behind:
            tail[len(answers) - behind] = False
        if rule == "no_time":
            tail = ~answers & ~(session["time"] > 0).to_numpy()
        assert missed[session.index].tolist() == tail.tolist()
    for frame in (shuffled(items), textual(items)):
        other = None if said is None else shuffled(said)
        again = completion.not_reached(frame, other, rule=rule)
        pd.testing.assert_series_equal(again.sort_index(), missed)
    part = items[items["session_id"].isin(["s0", "s1"])]
    pd.testing.assert_series_equal(
        completion.not_reached(part, said, rule=rule), missed[part.index]
    )


def test_simulated_not_reached_and_omitted_items_are_found():
    tables, simulation = simulated(learners=300, items=30, seed=3, not_reached=0.3, omit=0.05)
    keys = ["session_id", "item_reference"]
    outcomes = simulation.answers.groupby(keys)["outcome"].agg(set)
    place = pd.MultiIndex.from_frame(tables.items[keys].astype("str"))
    truth = outcomes.loc[place].reset_index(drop=True)
    missed = completion.not_reached(tables.items, tables.responses, rule="no_time")
    open_ = completion.omitted(tables.items, tables.responses, rule="no_time")
    assert missed.sum() > 300
    assert missed.tolist() == (truth == {"not reached"}).tolist()
    assert open_.tolist() == truth.map({"omitted", "cut off"}.issuperset).tolist()
    # The run at the end counts what was on screen when time ran out as not reached.
    run = completion.not_reached(tables.items, tables.responses)
    assert (run | ~missed).all()
    assert (run & ~missed).sum() <= truth.map({"omitted", "cut off"}.issuperset).sum()


@given(studies())
@settings(max_examples=25)
def test_pseudonyms_change_nothing(study):
    items, responses = study
    other, others = relabelled(items), relabelled(responses)
    np.testing.assert_array_equal(timing.active_time(other), timing.active_time(items))
    np.testing.assert_array_equal(timing.time_matrix(other), timing.time_matrix(items))
    pd.testing.assert_series_equal(
        completion.not_reached(other, others), completion.not_reached(items, responses)
    )
    pd.testing.assert_frame_equal(timing.pacing(other), timing.pacing(items))


def three_sessions():
    """Of four items s answers four, t three, u one."""
    return pd.concat(
        [
            one_session([5.0] * done + [0.0] * (4 - done), [1] * done + [0] * (4 - done),
                        session=name)
            for name, done in (("s", 4), ("t", 3), ("u", 1))
        ],
        ignore_index=True,
    )  # fmt: skip


def test_speededness_by_hand():
    result = completion.speededness(three_sessions())
    assert result["sessions"] == 3
    assert result["completing"] == pytest.approx(1 / 3)
    assert result["reaching_75_percent"] == pytest.approx(2 / 3)
    assert result["items_reached"] == 1  # 80 % of 3 sessions are all 3
    assert completion.speededness(three_sessions(), reaching=0.6)["items_reached"] == 3
    assert result["mean_not_reached"] == pytest.approx(4 / 3)
    assert result["sd_not_reached"] == pytest.approx(np.std([0, 1, 3], ddof=1))
    with pytest.raises(MeasureError, match="reaching is 2"):
        completion.speededness(three_sessions(), reaching=2)


def test_reach_by_hand():
    table = completion.reach(three_sessions())
    assert table.index.tolist() == [1, 2, 3, 4]
    assert table["n"].tolist() == [3] * 4
    np.testing.assert_allclose(table["reached"], [1, 2 / 3, 2 / 3, 1 / 3])
    np.testing.assert_allclose(table["answered"], table["reached"])
    assert table["omitted"].tolist() == [0.0] * 4


def test_reach_asks_for_what_it_needs():
    bare = PATH[["session_id", "item_reference", "position"]]
    with pytest.raises(MeasureError, match="neither 'time' nor 'score'"):
        completion.not_reached(bare)
    with pytest.raises(MeasureError, match=r"needs the items' column 'time'"):
        completion.not_reached(bare, PATH_RESPONSES, rule="no_time")
    with pytest.raises(MeasureError, match="rule is 'late'"):
        completion.not_reached(PATH, rule="late")
    assert completion.not_reached(bare, PATH_RESPONSES).tolist() == [False] * 3 + [True] * 3


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
    items = PATH
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
