"""The report of a test in one call: everything in it is what the single measures say."""

import json
import math
import pickle

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal, assert_series_equal

import lrnanalysis as lrn
from analysis_studies import complicated
from lrnanalysis.measures.classical import FlagRule


@pytest.fixture(scope="module")
def study():
    return lrn.load_example()


@pytest.fixture(scope="module")
def key(study):
    truth = study.truth["items"]
    single = truth[truth["question_type"] == "mcq"].set_index("item_reference")["key"].dropna()
    return single.map(json.loads)


@pytest.fixture(scope="module")
def analysis(study):
    return study.analysis()


@pytest.fixture(scope="module")
def report(analysis, key):
    return analysis.item_analysis(key=key)


def test_item_statistics_are_those_of_the_matrix(analysis, report):
    wanted = lrn.classical.item_statistics(
        analysis.scores, analysis.max_scores, cells=analysis.cells
    )
    assert_frame_equal(report.items[wanted.columns], wanted)
    assert report.items.loc["item-03", "max_score"] == 4
    assert {"p_administered", "p_reached", "p_attempted"} <= set(report.items)


def test_reliability_and_scores(analysis, report):
    matrix = analysis.scores
    wanted = lrn.classical.reliability(matrix)
    assert_series_equal(report.reliability, wanted)
    told = report.scores
    assert told["persons"] == told["learners"] == 280
    assert told["items"] == 20
    assert told["max_score"] == 33
    assert told["complete"] == matrix.notna().all(axis=1).sum()
    assert told["mean"] == pytest.approx(matrix.mean().sum())
    assert told[["alpha", "sd", "sem"]].to_list() == wanted[["alpha", "sd", "sem"]].to_list()
    assert told["sem"] == pytest.approx(told["sd"] * math.sqrt(1 - told["alpha"]))


def test_complete_data_have_plain_mean_and_sd(study, analysis):
    matrix = analysis.scores
    whole = matrix.index[matrix.notna().all(axis=1)]
    told = study[list(whole)].item_analysis().scores
    total = matrix.loc[whole].sum(axis=1)
    assert told["mean"] == pytest.approx(total.mean())
    assert told["sd"] == pytest.approx(total.std())


def test_times_and_effort_are_of_the_same_sessions(analysis, report):
    spent = analysis.time_summary()
    assert report.items["time_n"].to_list() == spent["n"].to_list()
    for ours, theirs in (
        ("time_median", "median"),
        ("time_mean", "mean"),
        ("time_geometric_mean", "geometric_mean"),
    ):
        np.testing.assert_allclose(report.items[ours], spent[theirs])
    kept = analysis.response_time_fidelity("nt10")
    assert report.items["rapid_share"].to_list() == (1 - kept).to_list()
    flagged = analysis.rapid_guesses("nt10").to_numpy().sum()
    timed = analysis.thresholds("nt10")["n"].sum()
    assert report.scores["rapid_share"] == pytest.approx(flagged / timed)
    minutes = analysis.active_time(unit="min").median()
    assert report.scores["minutes"] == pytest.approx(minutes)
    three = analysis.item_analysis(rapid=3.0)
    assert (three.items["rapid_threshold"] == 3).all()


def test_distractors_are_those_of_the_choices(analysis, report, key):
    wanted = lrn.classical.distractors(
        analysis.responses.lrn.choices(),
        analysis.scores,
        key=key,
        max_score=analysis.max_scores,
    )
    assert_frame_equal(report.distractors, wanted)
    assert_frame_equal(analysis.distractors(key=key), wanted)


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


def test_rules_can_be_changed(analysis):
    hard = analysis.item_analysis(limits={"too hard": 0.45})
    assert hard.rules.loc["too hard", "rule"] == "p < 0.45"
    assert hard.rules.loc["too hard", "flags"] == (hard.items["p"] < 0.45).sum() > 0
    slow = FlagRule("slow", "items", "item_rest_r", ">", 0.5, "of one's own")
    own = analysis.item_analysis(rules=[slow])
    assert own.rules.index.to_list() == ["slow"]
    assert (own.items["flags"] == "slow").sum() == (own.items["item_rest_r"] > 0.5).sum() > 0


def test_without_a_key_its_rules_are_skipped(study):
    report = study.item_analysis()
    skipped = set(report.rules.index[report.rules["skipped"]])
    wanted = {name for name, rule in lrn.classical.RULES.items() if rule.options == "wrong"}
    assert skipped == wanted
    assert "rules without data: " in repr(report)


def test_a_matrix_alone_is_enough(analysis):
    alone = lrn.item_analysis(analysis.scores)
    assert alone.distractors.empty
    assert "question_types" not in alone.items
    assert np.isnan(alone.scores["learners"])
    assert len(alone.items) == 20
    assert "time_median" not in alone.table
    assert np.isnan(alone.scores["minutes"])
    assert alone.items.loc["item-01", "max_score"] == 1
    assert repr(alone).startswith("ItemAnalysis: 280 persons × 20 items")


def test_decisions_change_the_report(study):
    every = study.item_analysis(attempts="all").scores
    assert every["persons"] > every["learners"]
    zero = study.item_analysis(not_reached="wrong")
    assert (zero.items["p"] <= study.item_analysis().items["p"] + 1e-12).all()
    assert zero.items["p"].to_list() == pytest.approx(zero.items["p_administered"].to_list())


def test_forms_without_a_person_in_common_have_no_reliability(analysis):
    scores = analysis.scores
    early = scores.columns < "item-11"
    scores.iloc[::2, early] = np.nan
    scores.iloc[1::2, ~early] = np.nan
    report = lrn.item_analysis(scores)
    assert len(report.items) == 20
    assert report.items["item_rest_r"].notna().all()
    assert np.isnan(report.reliability["alpha"])
    assert "pairs of items" in report.reliability.attrs["reason"]
    assert report.rules.loc["lowers alpha", "skipped"]
    assert "alpha –" in repr(report)
    assert "no reliability: 100 of 190 pairs of items" in repr(report)
    assert "No reliability: 100 of 190" in report._repr_html_()


def test_nothing_to_analyse_is_said(analysis):
    with pytest.raises(lrn.MeasureError, match="the matrix is empty"):
        lrn.item_analysis(analysis.scores.iloc[:0])
    with pytest.raises(lrn.MeasureError, match="'too tall'"):
        analysis.item_analysis(limits={"too tall": 1.0})


def test_it_is_readable(study, report, key):
    assert repr(report).startswith("ItemAnalysis: 280 persons × 20 items; mean 18.8 of 33 points")
    every = study.analysis(attempts="all", status="all").item_analysis(key=key)
    text = repr(every)
    assert text.startswith("ItemAnalysis: 324 sessions of 300 learners × 20 items; mean ")
    assert "item-20" in text
    assert "often not reached (n_not_reached / n_administered > 0.1): 1" in text
    shown = every._repr_html_()
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


@pytest.fixture(scope="module")
def two_forms():
    return complicated().analysis()


def test_each_form_has_its_own_total_and_all_together_have_none(two_forms):
    report = two_forms.item_analysis()
    told = report.scores
    assert told["forms"] == 2
    assert told[["max_score", "mean", "sd", "sem"]].isna().all()
    assert "no total over different forms" in told.attrs["total"]
    assert "2 forms" in report.items.attrs["statistics"]["forms"]
    assert "2 forms" in report.reliability.attrs["forms"]
    assert report.forms["persons"].sum() == two_forms.n_persons
    for row in report.forms.itertuples():
        names = list(row.names)
        members = (two_forms.cells != "not administered").eq(two_forms.scores.columns.isin(names))
        own = two_forms.scores.loc[members.all(axis=1), names]
        alone = lrn.item_analysis(own, two_forms.max_scores[names])
        assert row.persons == len(own)
        assert row.max_score == alone.scores["max_score"]
        assert row.mean == pytest.approx(alone.scores["mean"])
        assert row.sd == pytest.approx(alone.scores["sd"])
        assert row.alpha == pytest.approx(alone.scores["alpha"])
    text = repr(report).splitlines()
    assert text[0] == "ItemAnalysis: 75 persons × 13 items in 2 forms"
    assert text[1].startswith("form 1: 50 persons × 9 items; mean 5.3 of 12 points, SD 2.2; alpha")
    assert text[2].startswith("form 2: 25 persons × 9 items; mean 7.1 of 12 points, SD 2.2; alpha")
    assert "of 16 points" not in repr(report) + report._repr_html_()
    assert "form 2: 25 persons" in report._repr_html_()


def test_one_form_keeps_its_total(analysis, report):
    assert report.scores["forms"] == 1
    assert len(report.forms) == 1
    form = report.forms.iloc[0]
    for name in ("max_score", "mean", "sd", "alpha"):
        assert form[name] == pytest.approx(report.scores[name])
    assert "forms" not in analysis.caption + repr(analysis)


def test_an_analysis_tells_its_forms(two_forms):
    line = "2 forms (50 persons × 9 items, 25 persons × 9 items)"
    assert repr(two_forms).splitlines()[-1] == line
    assert line in two_forms._repr_html_()
    assert f"the same items: there were {line}." in two_forms.methods_text()
    assert " in 2 forms;" in two_forms.caption
    one = two_forms.replace(activity="form-a")
    assert "forms" not in repr(one) + one.methods_text()


def test_many_forms_are_not_all_listed():
    rng = np.random.default_rng(2)
    scores = pd.DataFrame(rng.integers(0, 2, (60, 6)).astype(float)).rename(columns=str)
    cells = scores.replace({0.0: "wrong", 1.0: "right"}).astype("str")
    gone = rng.random(scores.shape) < 0.4
    report = lrn.item_analysis(scores.mask(gone), cells=cells.mask(gone))
    assert len(report.forms) > 8
    lines = [line for line in repr(report).splitlines() if "more forms" in line]
    rest = report.forms["persons"].iloc[8:].sum()
    assert lines == [f"{len(report.forms) - 8} more forms with {rest} persons: see forms"]


def test_few_persons_get_no_clean_bill(two_forms):
    report = two_forms.item_analysis()
    few = report.items["n"] < 30
    assert few.any()
    assert (report.items.loc[few, "flags"].str.contains("too few persons")).all()
    assert not report.items.loc[~few, "flags"].str.contains("too few persons").any()
    assert "not judged by every rule, with fewer than 30 persons: 4" in repr(report)
    assert "fewer than 30 persons: 4" in report._repr_html_()
    assert report.rules.loc["too hard", "too_few"] == 4
    judged = two_forms.item_analysis(minimum_n=2)
    assert "too few" not in repr(judged)
    assert len(two_forms.flags(minimum_n=2)) == len(judged.flags)
    one = two_forms.replace(activity="form-a").scores.iloc[:1]
    assert set(lrn.item_analysis(one).items["flags"]) == {"too few persons"}


def test_a_study_whose_total_does_not_vary_has_a_report(analysis):
    # The second half of the items is the opposite of the first.
    half = (analysis.scores.iloc[:, :5] > 0).astype(float)
    matrix = pd.concat([half, (1 - half).add_suffix("-opposite")], axis=1)
    report = lrn.item_analysis(matrix)
    assert np.isnan(report.scores["alpha"])
    assert report.scores["sd"] == 0
    assert "no reliability: the total has no variance" in repr(report)
    assert "No reliability: the total has no variance" in report._repr_html_()
    assert report.rules.loc["lowers alpha", "skipped"]


def test_stratified_alpha_of_an_analysis_knows_the_maxima(analysis):
    found = analysis.stratified_alpha(reliabilities={2: 0.6})
    assert list(found.attrs["strata"]) == ["1", "2", "3", "4"]
    assert found["stratified_alpha"] > analysis.reliability()["alpha"]
    assert "alone in stratum 2" in analysis.reliability().attrs["reasons"]["stratified_alpha"]
