"""The report of a test in one call: everything in it is what the single measures say."""

import json
import math
import pickle

import numpy as np
import pytest
from pandas.testing import assert_frame_equal, assert_series_equal

import lrnanalysis as lrn
from lrnanalysis.measures import answer_decoding as choices
from lrnanalysis.measures import effort, scores, timing
from lrnanalysis.measures.classical import Rule


@pytest.fixture(scope="module")
def study():
    return lrn.load_example()


@pytest.fixture(scope="module")
def key(study):
    truth = study.truth["items"]
    single = truth[truth["question_type"] == "mcq"].set_index("item_reference")["key"].dropna()
    return single.map(json.loads)


@pytest.fixture(scope="module")
def report(study, key):
    return study.item_analysis(key=key)


@pytest.fixture(scope="module")
def matrix(study):
    return scores.score_matrix(study.items, study.responses, sessions=study.sessions)


def test_item_statistics_are_those_of_the_matrix(study, report, matrix):
    codes = scores.cell_codes(study.items, study.responses, sessions=study.sessions)
    highest = study.items.groupby("item_reference", observed=True)["max_score"].max()
    wanted = lrn.classical.item_statistics(matrix, highest, codes=codes)
    assert_frame_equal(report.items[wanted.columns], wanted)
    assert report.items.loc["item-03", "max_score"] == 4
    assert {"p_administered", "p_reached", "p_attempted"} <= set(report.items)


def test_reliability_and_scores(report, matrix):
    wanted = lrn.classical.reliability(matrix)
    assert_series_equal(report.reliability, wanted)
    told = report.scores
    assert told["sessions"] == 315
    assert told["learners"] == 291
    assert told["items"] == 20
    assert told["max_score"] == 33
    assert told["complete"] == matrix.notna().all(axis=1).sum()
    assert told["mean"] == pytest.approx(matrix.mean().sum())
    assert told[["alpha", "sd", "sem"]].to_list() == wanted[["alpha", "sd", "sem"]].to_list()
    assert told["sem"] == pytest.approx(told["sd"] * math.sqrt(1 - told["alpha"]))


def test_complete_data_have_plain_mean_and_sd(study, matrix):
    whole = matrix.index[matrix.notna().all(axis=1)]
    told = study[list(whole)].item_analysis().scores
    total = matrix.loc[whole].sum(axis=1)
    assert told["mean"] == pytest.approx(total.mean())
    assert told["sd"] == pytest.approx(total.std())


def test_times_and_effort_are_of_the_same_sessions(study, report, matrix):
    rows = study.items[study.items["session_id"].isin(matrix.index)]
    spent = timing.time_summary(rows)
    assert report.items["time_median"].to_list() == spent["median"].to_list()
    assert report.items["time_n"].to_list() == spent["n"].to_list()
    kept = effort.response_time_fidelity(rows, "nt10", responses=study.responses)
    assert report.items["rapid_share"].to_list() == (1 - kept).to_list()
    flagged = effort.rapid_guesses(rows, "nt10", responses=study.responses)
    assert report.scores["rapid_share"] == pytest.approx(flagged.mean())
    minutes = timing.active_time(rows, unit="min").median()
    assert report.scores["session_minutes"] == pytest.approx(minutes)
    three = study.item_analysis(rapid=3.0)
    assert (three.items["rapid_threshold"] == 3).all()


def test_distractors_are_those_of_the_choices(study, report, matrix, key):
    rows = study.responses[study.responses["session_id"].isin(matrix.index)]
    highest = study.items.groupby("item_reference", observed=True)["max_score"].max()
    wanted = lrn.classical.distractors(choices.choices(rows), matrix, key=key, max_score=highest)
    assert_frame_equal(report.distractors, wanted)


def test_flags_are_named_by_item(study, report):
    for item, names in report.items["flags"].items():
        owner = [unit[0] if isinstance(unit, tuple) else unit for unit in report.flags["item"]]
        raised = report.flags["flag"][[one == item for one in owner]]
        assert set(names.split(", ")) - {""} == set(raised)
    counts = report.flags["flag"].value_counts()
    for name, row in report.rules.iterrows():
        assert row["flags"] == counts.get(name, 0)
    assert list(report.rules.index) == list(lrn.classical.RULES)
    assert not report.rules["skipped"].any()


def test_rules_can_be_changed(study):
    hard = study.item_analysis(limits={"too hard": 0.45})
    assert hard.rules.loc["too hard", "rule"] == "p < 0.45"
    assert hard.rules.loc["too hard", "flags"] == (hard.items["p"] < 0.45).sum() > 0
    slow = Rule("slow", "items", "item_rest_r", ">", 0.5, "of one's own")
    own = study.item_analysis(rules=[slow])
    assert own.rules.index.to_list() == ["slow"]
    assert (own.items["flags"] == "slow").sum() == (own.items["item_rest_r"] > 0.5).sum() > 0


def test_without_a_key_its_rules_are_skipped(study):
    report = study.item_analysis()
    skipped = set(report.rules.index[report.rules["skipped"]])
    wanted = {name for name, rule in lrn.classical.RULES.items() if rule.options == "wrong"}
    assert skipped == wanted
    assert "rules without data: " in repr(report)


def test_items_alone_are_enough(study):
    alone = study.items.lrn.item_analysis()
    assert alone.distractors.empty
    assert "question_types" not in alone.items
    assert np.isnan(alone.scores["learners"])
    assert len(alone.items) == 20
    with pytest.warns(UserWarning, match="points and no max_score"):
        bare = study.items[["session_id", "item_reference", "score"]].lrn.item_analysis()
    assert "time_median" not in bare.table
    assert np.isnan(bare.scores["session_minutes"])
    assert bare.items.loc["item-01", "max_score"] == 1
    assert repr(bare)


def test_the_accessor_and_the_study_say_the_same(study, report, key):
    other = study.items.lrn.item_analysis(study.responses, sessions=study.sessions, key=key)
    assert_frame_equal(other.items, report.items)
    assert_series_equal(other.scores, report.scores)
    assert lrn.classical.item_analysis(study.items, limits={"too hard": 0.9}).flags.size > 0


def test_attempts_and_not_reached_are_choices(study):
    first = study.item_analysis(attempts="first")
    assert first.scores["sessions"] == first.scores["learners"] == 291
    zero = study.item_analysis(not_reached=0.0)
    assert (zero.items["p"] <= study.item_analysis().items["p"] + 1e-12).all()
    assert zero.items["p"].to_list() == pytest.approx(zero.items["p_administered"].to_list())


def test_a_selection_has_only_its_items(study):
    few = study.items["item_reference"].isin(["item-01", "item-04", "item-07"])
    report = study.items[few].lrn.item_analysis(study.responses, sessions=study.sessions)
    assert list(report.items.index) == ["item-01", "item-04", "item-07"]


def test_forms_that_never_meet_are_reported_without_reliability(study):
    half = study.sessions["session_id"].isin(study.sessions["session_id"].iloc[::2])
    left = study.items["session_id"].isin(study.sessions.loc[half, "session_id"])
    early = study.items["item_reference"].astype("str") < "item-11"
    items = study.items[left == early]
    report = items.lrn.item_analysis(study.responses, sessions=study.sessions)
    assert len(report.items) == 20
    assert report.items["item_rest_r"].notna().all()
    assert np.isnan(report.reliability["alpha"])
    assert "pairs of items" in report.reliability.attrs["reason"]
    assert report.rules.loc["lowers alpha", "skipped"]
    assert "alpha –" in repr(report)
    assert "no reliability: 100 of 190 pairs of items" in repr(report)
    assert "No reliability: 100 of 190" in report._repr_html_()


def test_unmarked_items_and_unshown_ones(study):
    items = study.items.copy()
    essay = items["item_reference"] == "item-03"
    items.loc[essay, "score"] = np.nan
    responses = study.responses.copy()
    responses.loc[responses["item_reference"] == "item-03", "score"] = np.nan
    report = items.lrn.item_analysis(responses, sessions=study.sessions)
    assert report.items.loc["item-03", "n_unmarked"] > 200
    assert report.reliability["items"] >= 19


def test_nothing_to_analyse_is_said(study):
    with pytest.raises(lrn.MeasureError, match="no session with an item"):
        study.items.iloc[:0].lrn.item_analysis()
    with pytest.raises(lrn.MeasureError, match="limits names the rule 'too tall'"):
        study.item_analysis(limits={"too tall": 1.0})


def test_it_is_readable(report):
    text = repr(report)
    assert text.startswith("ItemAnalysis: 20 items, 315 sessions of 291 learners; mean 19.0 of 33")
    assert "item-20" in text
    assert "often not reached (n_not_reached / n_administered > 0.1): 1" in text
    shown = report._repr_html_()
    assert "<table" in shown
    assert "often not reached: 1 ×" in shown
    assert "n_not_reached / n_administered &gt; 0.1" in shown
    assert max(map(len, report.table.columns)) < 20
    assert len(report.table.columns) == 10
    again = pickle.loads(pickle.dumps(report))
    assert_frame_equal(again.items, report.items)


def test_pseudonyms_change_nothing(study, report):
    shared = study.pseudonymise("a key").item_analysis()
    plain = report.items.drop(columns="flags")
    assert_frame_equal(shared.items[plain.columns], plain)


def test_the_tables_are_not_touched(study):
    before = [frame.copy() for frame in study]
    study.item_analysis(attempts="last")
    for frame, old in zip(study, before, strict=True):
        assert_frame_equal(frame, old)
