"""Decisions: each is named, checked, put into words, and frozen."""

import pickle

import numpy as np
import pandas as pd
import pytest

import lrnanalysis as lrn
from lrnanalysis.analysis import Decisions


@pytest.fixture(scope="module")
def study():
    return lrn.load_example()


@pytest.mark.parametrize(
    ("decision", "value", "message"),
    [
        ("attempts", "second", r"attempts is 'second'.*'first', 'last', 'best', 'all'"),
        ("unit", "learner", "unit is 'learner'"),
        ("level", "test", "level is 'test'"),
        ("item", "bank", "item is 'bank'"),
        ("omitted", "zero", r"omitted is 'zero'.*'missing', 'wrong', 'recorded'.*finite number"),
        ("omitted", None, "omitted is None"),
        ("not_reached", float("nan"), "not_reached is nan"),
        ("not_reached", True, "not_reached is True"),
        ("not_reached_rule", "end", "not_reached_rule is 'end'"),
        ("score", "final", "score is 'final'"),
        ("value", "percent", "value is 'percent'"),
        ("activity", 3, "activity is 3: it must be a string or an iterable of strings"),
        ("status", [], "status is"),
        ("activity", "unknown", "'unknown' does not occur in the study"),
        ("activity", ["example", "exmple"], "'exmple' does not occur.*mean 'example'"),
        ("status", "Archived", "status 'Archived' does not occur in the study: choose from "),
        ("status", ["completed", "Pending scorng"], "did you mean 'Pending Scoring'"),
        ("rapid", "nt", "method is 'nt'"),
        ("rapid", True, "method is True: it must be a rule's name, a number of seconds, or a Ser"),
        ("rapid", [3, 5], r"method is \[3, 5\]"),
        ("rapid", -3, "the method's number is -3: it must be above 0"),
    ],
)
def test_an_impossible_decision_is_refused_with_its_value(study, decision, value, message):
    with pytest.raises(lrn.MeasureError, match=message):
        study.analysis(**{decision: value})


def test_an_unknown_decision_is_refused(study):
    with pytest.raises(TypeError, match="atempts"):
        study.analysis(atempts="first")
    with pytest.raises(lrn.MeasureError, match="unknown decision 'atempts': did you mean 'attem"):
        study.analysis().replace(atempts="first")


def test_an_analysis_is_immutable(study):
    analysis = study.analysis()
    with pytest.raises(AttributeError, match=r"immutable: use analysis\.replace"):
        analysis.decisions = None
    with pytest.raises(AttributeError):
        analysis.decisions.attempts = "all"
    before = analysis.scores.iloc[0, 0]
    scores, sessions = analysis.scores, analysis.sessions
    scores.iloc[0, 0] = 99.0
    sessions["status"] = "x"
    assert analysis.scores.iloc[0, 0] == before
    assert "x" not in set(analysis.sessions["status"])


def test_what_happens_to_the_study_later_changes_no_analysis():
    study = lrn.load_example()
    analysis = study.analysis()
    total = study.items["score"].sum()
    study.items.loc[:, "score"] = 0.0
    assert study.items["score"].sum() == 0
    assert 0 < analysis.scores.sum().sum() <= total


def test_replace_changes_one_decision(study):
    first = study.analysis()
    every = first.replace(attempts="all")
    assert (first.decisions.attempts, every.decisions.attempts) == ("first", "all")
    assert every.n_persons > first.n_persons
    pd.testing.assert_frame_equal(every.replace(attempts="first").scores, first.scores)


def test_a_pickled_analysis_is_the_same(study):
    analysis = study.analysis(rapid="nt10", attempts="last")
    _ = analysis.scores
    copy = pickle.loads(pickle.dumps(analysis))
    assert repr(copy) == repr(analysis)
    pd.testing.assert_frame_equal(copy.scores, analysis.scores)
    pd.testing.assert_frame_equal(copy.rules, analysis.rules)


def test_statuses_are_told_without_regard_to_case(study):
    lower = study.analysis(status="completed")
    assert set(lower.sessions["status"]) == {"Completed"}
    assert lower.rules.loc["status", "value"] == "Completed"
    everything = study.analysis(status="all", attempts="all")
    assert everything.n_persons == len(study)
    assert everything.rules.loc["status", "rows"] == 0


def test_decisions_know_what_differs_from_the_defaults():
    assert Decisions().changed() == {}
    assert Decisions(attempts="all", omitted="missing").changed() == {
        "attempts": "all",
        "omitted": "missing",
    }
    thresholds = pd.Series({"a": 3.0})
    decided = Decisions(rapid=thresholds)
    thresholds["a"] = 9.0
    assert decided.rapid["a"] == 3.0


def test_numbers_of_cells():
    decisions = Decisions(omitted="recorded", not_reached=0.25, unmarked="wrong")
    assert decisions.number("omitted") is None
    assert decisions.number("not_reached") == 0.25
    assert decisions.number("unmarked") == 0.0
    assert np.isnan(decisions.number("unscored"))
