"""How far learners came: omitted and not reached items by every rule."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lrnanalysis.errors import MeasureError
from lrnanalysis.measures import completion
from measure_tables import (
    EMPTY,
    one_session,
    relabelled,
    responses_frame,
    run_doctests,
    shuffled,
    simulated,
    studies,
    textual,
    three_sessions,
)

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
    said = responses_frame(("s", "a", False, 0, True))
    assert completion.answered(items, said).tolist() == [True]


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


def test_unasked_items_at_the_end_do_not_shift_the_first_of_the_run():
    items = one_session([9.0, None, 0.0, 0.0], [1, None, 0, 0]).assign(response_count=[1, 0, 1, 1])
    missed = completion.not_reached(items, rule="after_first")
    assert missed.tolist() == [False, pd.NA, False, True]
    assert completion.omitted(items, rule="after_first").tolist() == [False, pd.NA, True, False]


def test_rows_without_a_position_come_last():
    items = one_session([0.0, 0.0, 9.0], [0, 0, 1])
    items["position"] = pd.array([1, None, 2], dtype="Int64")
    assert completion.not_reached(items).tolist() == [False, True, False]
    assert completion.omitted(items).tolist() == [True, False, False]


@pytest.mark.parametrize("measure", ["answered", "omitted", "not_reached", "reach", "speededness"])
def test_rows_multiplied_by_a_merge_are_refused(measure):
    twice = pd.concat([PATH, PATH])
    responses = PATH_RESPONSES.assign(response_id=[f"r{at}" for at in range(6)])
    with pytest.raises(MeasureError, match=r"6 rows of items repeat.*drop_duplicates"):
        getattr(completion, measure)(twice, responses)
    with pytest.raises(MeasureError, match=r"6 rows of responses repeat.*drop_duplicates"):
        getattr(completion, measure)(PATH, pd.concat([responses, responses]))


@given(studies())
@settings(max_examples=25)
def test_pseudonyms_change_nothing(study):
    items, responses = study
    pd.testing.assert_series_equal(
        completion.not_reached(relabelled(items), relabelled(responses)),
        completion.not_reached(items, responses),
    )


def test_empty_tables_give_empty_results():
    items, responses = EMPTY["items"], EMPTY["responses"]
    assert completion.answered(items).empty
    assert completion.omitted(items).empty
    assert completion.not_reached(items, responses, rule="after_first").empty
    assert completion.reach(items, responses).empty
    assert completion.speededness(items)["sessions"] == 0
    assert not completion.answered(PATH, responses).isna().any()


def test_the_callers_frames_stay_as_they_are():
    before = PATH.copy(deep=True), PATH_RESPONSES.copy(deep=True)
    completion.not_reached(PATH, PATH_RESPONSES)
    completion.reach(PATH, PATH_RESPONSES)
    for now, then in zip((PATH, PATH_RESPONSES), before, strict=True):
        pd.testing.assert_frame_equal(now, then)
        assert now.attrs == {}


def test_examples_run():
    assert run_doctests("lrnanalysis.measures.completion") > 5
