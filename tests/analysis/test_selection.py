"""Which rows count: selection is the analysis's, and every measure of it follows."""

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal, assert_series_equal

import lrnanalysis as lrn
from analysis_studies import PAGE, answer, complicated, session_record
from lrnanalysis.study import SessionData
from record_tables import tables_of

# Few items: the warnings are right.
pytestmark = pytest.mark.filterwarnings("ignore::lrnanalysis.LrnWarning")

#: Measures of an analysis that need no argument.
MEASURES = [
    "active_time", "effort_screen", "effort_summary", "effort_validity", "item_statistics",
    "outliers", "pacing", "rapid_guesses", "reach", "reliability", "response_time_effort",
    "response_time_fidelity", "session_summary", "speededness", "suspicious_times", "thresholds",
    "time_by_position", "time_summary",
]  # fmt: skip


def sitting(session, *, times, scores=None, left_open=(), user="u", **more):
    """A session with an item per time; items of `left_open` were looked at, not answered."""
    scores = dict.fromkeys(times, 1) if scores is None else scores
    pairs = [
        answer(session, name, score=scores[name], time=time, attempted=name not in left_open)
        for name, time in times.items()
    ]
    items, responses = map(list, zip(*pairs, strict=True))
    return session_record(session, user=user, items=items, responses=responses, **more)


def small(*records):
    return SessionData(tables_of(*records))


def tables(result):
    """The tables of a result."""
    if isinstance(result, pd.DataFrame | pd.Series):
        return [result]
    return [value for value in vars(result).values() if isinstance(value, pd.DataFrame | pd.Series)]


@pytest.fixture(scope="module")
def study():
    return complicated()


@pytest.mark.parametrize("name", MEASURES)
def test_sessions_that_do_not_count_change_no_result(study, name):
    analysis = study.analysis(activity="form-a")
    of_whole = getattr(analysis, name)()
    selected = study[study.sessions["session_id"].isin(analysis.sessions["session_id"])]
    assert len(selected) < len(study)
    of_selected = getattr(selected.analysis(activity="form-a"), name)()
    for one, two in zip(tables(of_whole), tables(of_selected), strict=True):
        same = assert_series_equal if one.ndim == 1 else assert_frame_equal
        same(one, two, check_exact=True)


def test_discarded_sessions_count_where_they_are_asked_for():
    study = small(
        sitting("s", times={"a": 10.0}),
        sitting("t", times={"a": 20.0}, user="v"),
        sitting("d", times={"a": 300.0, "b": 5.0}, user="w", status="Discarded"),
    )
    analysis = study.analysis()
    assert analysis.scores.index.tolist() == ["s", "t"]
    assert analysis.scores.columns.tolist() == ["a"]  # items of discarded sessions alone are none
    assert analysis.flow.loc["status Discarded", "left_out"] == 1
    assert analysis.thresholds("nt60")["threshold"].tolist() == [9.0]
    assert analysis.time_summary()["mean"].tolist() == [15.0]
    assert analysis.speededness()["sessions"] == 2
    everything = study.analysis(status="all")
    assert everything.scores.shape == (3, 2)
    assert everything.time_summary().loc["a", "mean"] == 110.0


def test_a_row_per_learner_holds_the_attempt_chosen():
    day = "2026-01-0{}T08:00:00Z".format
    records = [
        sitting("u2", times={"a": 20.0}, scores={"a": 0}, started=day(2)),
        sitting("u1", times={"a": 10.0}, scores={"a": 1}, started=day(1)),
        sitting("u3", times={"a": 30.0}, scores={"a": 1}, started=day(3)),
        sitting("u0", times={"a": 5.0}, scores={"a": 0}, started=day(1), status="Discarded"),
        sitting("v1", times={"a": 40.0}, user="v", started=day(1)),
        sitting("n1", times={"a": 50.0}, user=None, started=day(1)),
    ]
    study = small(*records)
    for attempts, time in (("first", 10.0), ("last", 30.0), ("best", 10.0)):
        analysis = study.analysis(unit="user", attempts=attempts)
        assert analysis.times["a"].to_dict() == {"u": time, "v": 40.0}
        assert analysis.scores.index.equals(analysis.times.index)
        assert analysis.cells.index.equals(analysis.times.index)
        assert analysis.flow.loc["no user_id", "left_out"] == 1
    assert study.analysis(attempts="last").times.index.tolist() == ["u3", "v1"]
    # The same item in two activities of one learner is two cells, not one.
    other = sitting("x1", times={"a": 9.0}, activity="form-b", started=day(1))
    with pytest.raises(lrn.MeasureError, match="one activity at a time"):
        _ = small(*records, other).analysis(unit="user").times


def test_thresholds_rest_on_the_times_of_those_who_answered():
    study = small(
        sitting("s", times={"a": 10.0}),
        sitting("t", times={"a": 20.0}, user="v"),
        sitting("w", times={"a": 300.0}, user="w", scores={"a": 0}, left_open="a"),
    )
    assert study.analysis().thresholds("nt10")["threshold"].tolist() == [1.5]
    assert study.analysis().times["a"].tolist() == [10.0, 20.0, 300.0]


def test_an_unanswered_item_is_no_guess():
    study = small(
        sitting("s", times={"a": 2.0}, scores={"a": 0}),
        sitting("t", times={"a": 2.0}, scores={"a": 0}, user="v", left_open="a"),
    )
    analysis = study.analysis()
    assert analysis.rapid_guesses(3)["a"].tolist() == [True, False]
    np.testing.assert_equal(analysis.response_time_effort(3).to_numpy(), [0.0, np.nan])
    table = analysis.effort_validity(3, by=None)
    assert table[["flagged", "unflagged"]].to_numpy().tolist() == [[1, 0]]
    decided = analysis.replace(rapid=3.0)
    assert decided.cells["a"].tolist() == ["rapid", "not reached"]


@pytest.mark.parametrize(
    ("method", "limit"),
    [
        ("nt20", lambda times: times.mean() * 0.2),
        ("median50", lambda times: times.median() * 0.5),
        ("fixed20", lambda times: 20 + 0 * times.size()),
    ],
)
def test_rapid_guesses_are_those_of_the_long_table(study, method, limit):
    analysis = study.analysis(unscored="recorded")
    items = analysis.items[analysis.items["item_reference"] != PAGE]
    done = analysis.responses.set_index(["session_id", "item_reference"])["attempted"]
    keys = pd.MultiIndex.from_frame(items[["session_id", "item_reference"]])
    timed = done.loc[keys].to_numpy(dtype=bool) & items["time"].gt(0).to_numpy()
    answers = items[timed].astype({"item_reference": "str"})
    want = limit(answers.groupby("item_reference")["time"])
    found = analysis.thresholds(method)["threshold"]
    assert_series_equal(found[want.index], want, check_names=False, check_dtype=False)
    rapid = answers["time"] < answers["item_reference"].map(want)
    assert analysis.rapid_guesses(method).to_numpy().sum() == rapid.sum() > 0
    effort = (1 - rapid.groupby(answers["session_id"]).mean()).sort_index()
    given = analysis.response_time_effort(method).dropna().sort_index()
    assert_series_equal(given, effort, check_names=False)


def test_pseudonyms_change_no_flag(study):
    one, two = study.analysis(), study.pseudonymise("a key").analysis()
    assert np.array_equal(one.rapid_guesses(30), two.rapid_guesses(30))
    np.testing.assert_array_equal(one.response_time_effort(30), two.response_time_effort(30))
    assert_series_equal(one.response_time_fidelity(30), two.response_time_fidelity(30))


def test_a_rule_for_rapid_answers_is_checked_at_once(study):
    with pytest.raises(lrn.MeasureError, match=r"method is 'nt': it must be a rule such as 'fix"):
        study.analysis(rapid="nt")


def test_the_methods_paragraph_cites_the_papers_of_the_rule(study):
    for name, rule in lrn.effort.RULES.items():
        text = study.analysis(rapid=rule.example).methods_text()
        assert rule.reference in text, name
        assert text.endswith("Educational Measurement, 43(1), 19-38.")
