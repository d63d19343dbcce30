"""Analysis: who counts, what cells become, and that everything rests on the same rows."""

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal, assert_series_equal

import lrnanalysis as lrn
from analysis_studies import ESSAY, PAGE, SURVEY, answer, complicated, session_record
from lrnanalysis.parse.table_builder import Tables
from lrnanalysis.study import SessionData
from lrnanalysis.warnings import DataWarning
from record_tables import tables_of

# Few items, and essays of which all take five minutes: the warnings are right.
pytestmark = pytest.mark.filterwarnings("ignore::lrnanalysis.LrnWarning")


@pytest.fixture(scope="module")
def study():
    return complicated()


@pytest.fixture(scope="module")
def analysis(study):
    return study.analysis()


def small(*sessions):
    return SessionData(tables_of(*sessions))


def sitting(session, *, scores, user="u", **more):
    """A session with an item per score; None: left open."""
    pairs = [
        answer(
            session,
            name,
            score=0 if score is None else score,
            time=10.0,
            attempted=score is not None,
            most=2,
        )
        for name, score in scores.items()
    ]
    items, responses = map(list, zip(*pairs, strict=True))
    return session_record(session, user=user, items=items, responses=responses, **more)


# Who


def test_the_flow_accounts_for_every_session(study, analysis):
    flow = analysis.flow
    assert flow["sessions"].iloc[0] == len(study)
    assert flow["sessions"].iloc[0] - flow["left_out"].sum() == len(analysis.sessions)
    assert (flow["sessions"].diff().iloc[1:] == -flow["left_out"].iloc[1:]).all()
    steps = [step for step in flow.index if flow.loc[step, "left_out"]]
    assert steps == [
        "status Archived",
        "status Discarded",
        "status Incomplete",
        "no item shown",
        "no user_id",
        "other attempts",
    ]
    assert analysis.n_persons == len(analysis.sessions)


def test_the_rows_of_all_tables_are_those_of_the_sessions(study, analysis):
    ids = set(analysis.sessions["session_id"])
    assert set(analysis.items["session_id"]) == ids == set(analysis.responses["session_id"])
    assert list(analysis.scores.index) == list(analysis.sessions["session_id"])
    assert set(analysis.sessions["status"]) == {"Completed", "Pending Scoring"}
    assert not analysis.sessions.duplicated(["user_id", "activity_id"]).any()


@pytest.mark.parametrize("attempts", ["first", "last", "best"])
def test_one_session_per_learner_and_activity(study, attempts):
    chosen = study.analysis(attempts=attempts).sessions
    counted = study.analysis(attempts="all").sessions
    counted = counted[counted["user_id"].notna()]
    for pair, rows in counted.groupby(["user_id", "activity_id"], observed=True):
        taken = chosen[(chosen["user_id"] == pair[0]) & (chosen["activity_id"] == pair[1])]
        assert len(taken) == 1
        share = rows["score"] / (rows["max_score"] - rows["unmarked_max_score"])
        want = {
            "first": rows["dt_started"].idxmin(),
            "last": rows["dt_started"].idxmax(),
            "best": share.idxmax(),
        }[attempts]
        assert taken.index[0] == want


def test_attempts_are_counted_among_the_statuses_that_count():
    early = sitting("a", scores={"x": 0}, status="Incomplete", started="2026-01-01T08:00:00Z")
    late = sitting("b", scores={"x": 2}, started="2026-01-02T08:00:00Z")
    study = small(early, late)
    assert list(study.analysis().scores.index) == ["b"]
    assert list(study.analysis(status="all").scores.index) == ["a"]


def test_repeated_persons_are_said(study):
    every = study.analysis(attempts="all")
    assert "persons repeat" in repr(every)
    assert "not independent" in every.methods_text()
    assert "persons repeat" not in repr(study.analysis())


def test_activities_without_an_item_in_common_ask_for_one():
    study = small(
        sitting("a", scores={"x": 1, "y": 2}, activity="one"),
        sitting("b", scores={"v": 1, "w": 2}, activity="two"),
        sitting("c", scores={"v": 1, "w": 2}, activity="two", user="z"),
    )
    with pytest.raises(
        lrn.MeasureError,
        match=r"2 activities without an item in common: 'two' \(2 sessions\), 'one' \(1 sessions\)"
        r".*analysis\(activity='two'\)",
    ):
        study.analysis()
    assert study.analysis(activity="two").n_persons == 2
    assert study.analysis(activity=["one", "two"]).scores.shape == (3, 4)


def test_activities_linked_through_a_third_are_one_scale():
    study = small(
        sitting("a", scores={"x": 1, "y": 2}, activity="one"),
        sitting("b", scores={"v": 1, "w": 2}, activity="two"),
        sitting("c", scores={"y": 1, "v": 2}, activity="three"),
    )
    assert study.analysis().scores.shape == (3, 4)


def test_a_row_per_learner(study):
    users = study.analysis(unit="user")
    assert users.scores.index.name == "user_id"
    assert users.scores.index.is_unique
    sessions = study.analysis()
    same = sessions.scores.set_axis(sessions.sessions["user_id"].to_numpy())
    assert np.allclose(users.scores, same.loc[users.scores.index], equal_nan=True)
    with pytest.raises(lrn.MeasureError, match="cell"):
        _ = study.analysis(unit="user", attempts="all").scores


def test_a_study_that_leaves_nobody_says_why(study):
    with pytest.raises(lrn.MeasureError, match=r"no session of .* remains \(.*status"):
        study[study.sessions["status"] == "Discarded"].analysis()
    with pytest.raises(lrn.MeasureError, match="the study holds no sessions"):
        study[[]].analysis()


# What and cells


def test_kinds_of_cell_and_what_they_become():
    record = sitting("a", scores={"x": 2, "y": 1, "z": None, "v": 0, "w": None})
    for time, item in zip([9, 9, 9, 9, None], record["items"], strict=True):
        item["time"] = time
    study = small(record)
    analysis = study.analysis()
    assert analysis.cells.iloc[0].to_dict() == {
        "x": "right",
        "y": "partial",
        "z": "omitted",
        "v": "wrong",
        "w": "not reached",
    }
    assert analysis.scores.iloc[0].fillna(-1).to_list() == [2, 1, 0, 0, -1]
    other = analysis.replace(omitted="missing", not_reached="wrong")
    assert other.scores.iloc[0].fillna(-1).to_list() == [2, 1, -1, 0, 0]
    assert analysis.replace(omitted=0.5).scores.iloc[0].fillna(-1).to_list() == [2, 1, 0.5, 0, -1]
    assert analysis.replace(value="share").scores.iloc[0, :2].to_list() == [1.0, 0.5]
    assert analysis.replace(value="share").max_scores.eq(1).all()
    assert analysis.max_scores.to_dict() == dict.fromkeys("xyzvw", 2.0)


def test_unmarked_and_unscored_answers_are_told_apart(analysis):
    kept = analysis.replace(unscored="recorded").cells
    essays, surveys = kept[ESSAY], kept[SURVEY]
    pending = analysis.sessions.set_index("session_id")["status"] == "Pending Scoring"
    assert set(essays[pending]) == {"unmarked"}
    assert "unmarked" not in set(essays[~pending])
    assert set(surveys[~pending]) == {"unscored"}


def test_an_item_that_is_never_scored_is_no_column_and_is_said(analysis):
    assert SURVEY not in analysis.scores.columns
    assert "1 items never scored" in analysis.rules.loc["unscored", "effect"]
    assert SURVEY in analysis.replace(unscored=1.0).scores.columns


def test_an_item_without_a_question_is_no_column(analysis):
    assert PAGE in set(analysis.items["item_reference"])
    assert PAGE not in analysis.scores.columns
    assert list(analysis.cells.columns) == list(analysis.scores.columns)


def test_adjusted_scores(study):
    raw, adjusted = study.analysis(), study.analysis(score="adjusted")
    difference = (adjusted.scores - raw.scores).fillna(0)
    touched = raw.responses.dropna(subset=["adjustment_points"])
    assert len(touched) > 0
    assert difference.to_numpy().sum() == touched["adjustment_points"].sum()


def test_questions_as_columns(study):
    questions = study.analysis(level="question")
    items = study.analysis()
    assert questions.scores.columns.name == "question_reference"
    renamed = questions.scores.rename(columns=lambda name: name.removeprefix("q-"))
    assert_frame_equal(
        renamed[items.scores.columns].rename_axis(columns="item_reference"),
        items.scores,
        check_like=True,
        check_column_type=False,
    )
    assert set(questions.cells.stack()) == set(items.cells.stack())


def test_items_by_the_banks_reference(study):
    bank = study.analysis(item="source")
    assert bank.scores.columns[0].startswith("7/bank-")
    assert set(bank.responses["item_reference"].dropna()) <= set(bank.items["item_reference"])
    renamed = bank.scores.rename(columns=lambda name: name.removeprefix("7/bank-"))
    assert_frame_equal(renamed, study.analysis().scores, check_like=True, check_column_type=False)


def test_one_reference_in_two_banks_is_two_items():
    one = sitting("a", scores={"x": 2, "y": 1})
    two = sitting("b", scores={"x": 2, "y": 1}, user="z")
    two["items"][0]["source"] = {"reference": "bank-x", "organisation_id": 8}
    study = small(one, two)
    assert study.analysis().n_items == 2
    assert list(study.analysis(item="source").scores.columns) == [
        "7/bank-x",
        "7/bank-y",
        "8/bank-x",
    ]


def test_rapid_answers_count_as_missing(study):
    plain, without = study.analysis(), study.analysis(rapid="nt10")
    flags = plain.rapid_guesses("nt10")
    assert flags.to_numpy().sum() > 0
    assert ((without.cells == "rapid") == flags.reindex_like(without.cells)).all(axis=None)
    assert_frame_equal(
        without.scores, plain.scores.where(~flags), check_dtype=False, check_exact=True
    )
    assert without.rules.loc["rapid", "rows"] == flags.to_numpy().sum()
    assert_frame_equal(without.times, plain.times)
    given = study.analysis(rapid=plain.thresholds("nt10"))
    assert_frame_equal(given.scores, without.scores)


def test_the_speed_model_leaves_rapid_answers_out():
    study = lrn.load_example()
    moderated = study.analysis(rapid="nt10")
    rapid = (moderated.cells == "rapid").to_numpy()
    assert rapid.sum() > 50
    times = study.analysis()._answered_times
    given = moderated.speed_model()
    direct = lrn.response_time.lognormal(times.mask(rapid))
    pd.testing.assert_frame_equal(given.items, direct.items)
    truth = study.truth["persons"].set_index("user_id")["speed"]
    users = moderated.group("user_id").astype("str")

    def recovery(model):
        return model.persons["speed"].corr(users.map(truth))

    assert recovery(given) > 0.9 > recovery(study.analysis().speed_model())
    assert moderated.times.notna().sum().sum() == study.analysis().times.notna().sum().sum()


def test_rapid_answers_of_questions_are_those_of_their_items(study):
    items = study.analysis(rapid="nt10")
    questions = study.analysis(rapid="nt10", level="question")
    renamed = questions.cells.rename(columns=lambda name: name.removeprefix("q-"))
    assert ((renamed[items.cells.columns] == "rapid") == (items.cells == "rapid")).all(axis=None)


def test_a_repeated_item_of_a_session_is_refused():
    record = sitting("a", scores={"x": 2, "y": 1})
    record["items"].append(dict(record["items"][0]))
    with pytest.raises(lrn.MeasureError, match="drop_duplicates"):
        _ = small(record).analysis().scores


# Words


def test_the_rules_name_every_decision(analysis):
    names = set(analysis.decisions.to_dict())
    assert names <= set(analysis.rules.index)
    assert list(analysis.rules.columns) == ["value", "effect", "rows"]
    cells = analysis.cells.stack().value_counts()
    for name, kind in (("omitted", "omitted"), ("not_reached", "not reached")):
        assert analysis.rules.loc[name, "rows"] == cells[kind]


def test_a_paragraph_for_a_paper(study):
    text = study.analysis(rapid="nt10").methods_text()
    assert f"{len(study):,} sessions" in text
    assert "Wise, S. L., & Ma, L. (2012)" in text
    assert "(Wise & DeMars, 2006)" in text
    assert "lrnanalysis 0.1.0" in text


def test_short_and_html_representations(analysis):
    lines = repr(analysis).splitlines()
    assert lines[0] == f"Analysis: {analysis.n_persons} persons × {analysis.n_items} items"
    assert "Completed, Pending Scoring; first attempts" in lines[1]
    assert "omitted = 0; not reached = missing" in lines[1]
    page = analysis._repr_html_()
    assert "<table" in page
    assert "first session per learner and activity" in page


# Groups by name


def test_columns_are_found_through_the_links(analysis):
    summary = analysis.time_summary("metadata.group")
    merged = analysis.items.merge(
        analysis.sessions[["session_id", "metadata.group"]], on="session_id"
    )
    assert_frame_equal(summary, merged.lrn.time_summary("metadata.group"))
    both = analysis.time_summary(["question_type", "activity_id"])
    assert both.index.names == ["question_type", "activity_id"]
    assert both.loc[("longtextV2", "form-a"), "n"] > 0
    assert (
        both["n"].sum()
        == (analysis.items["time"].gt(0) & analysis.items["item_reference"].ne(PAGE)).sum()
    )


def test_groups_of_sessions_and_persons(analysis):
    counts = analysis.status_counts("metadata.group")
    assert counts.index.names == ["metadata.group", "status"]
    assert counts.sum() == len(analysis.sessions)
    summary = analysis.session_summary(["activity_id", "metadata.group"])
    assert summary["sessions"].sum() == len(analysis.sessions)
    effort = analysis.effort_summary(by="metadata.group")
    assert set(effort.index) == {"de", "fr"}
    assert effort["n"].sum() == analysis.response_time_effort().count()
    validity = analysis.effort_validity(chance=0.25, by="metadata.group")
    whole = analysis.effort_validity(chance=0.25, by=None)
    assert validity["flagged"].sum() == whole["flagged"].iloc[0]


def test_groups_of_models_and_of_differential_functioning(study):
    analysis = study.analysis(activity="form-a")
    shared = analysis.scores.drop(columns=ESSAY)
    by_name = analysis.dif("metadata.group")
    by_value = lrn.dif.mantel_haenszel(analysis.scores, analysis.group("metadata.group"))
    assert_frame_equal(by_name, by_value)
    assert shared.shape[1] == 8


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda a: a.time_summary("metadata.grupp"), "did you mean 'metadata.group'"),
        (lambda a: a.time_summary("metadata.school"), 'include="school"'),
        (lambda a: a.time_summary([]), "by is empty"),
        (lambda a: a.dif("question_type"), "several values per session"),
        (lambda a: a.fit("Rasch", group="language"), "'language' is not a column"),
        (lambda a: a.session_summary("position"), "several values per session"),
        (
            lambda a: lrn.irt.fit(a.scores[["i4", "i5"]], "Rasch", group="metadata.group"),
            "one value per person",
        ),
        (lambda a: lrn.dif.logistic(a.scores, "metadata.group"), "one value per person"),
    ],
)
def test_a_name_that_names_no_column_is_refused(analysis, call, message):
    with pytest.raises(lrn.MeasureError, match=message):
        call(analysis)


# Everything on the same rows


def test_results_are_those_of_the_pure_functions(study):
    analysis = study.analysis(activity="form-a")
    scores, times = analysis.scores, analysis.times
    assert_series_equal(analysis.reliability(), lrn.classical.reliability(scores), check_exact=True)
    pure = lrn.classical.item_statistics(scores, analysis.max_scores, cells=analysis.cells)
    assert_frame_equal(analysis.item_statistics(), pure)
    answered = times.where(~analysis.cells.isin(["omitted", "not reached"]))
    answered = answered.reindex(columns=times.columns)
    assert_frame_equal(analysis.thresholds("nt10"), lrn.effort.thresholds(answered, "nt10"))
    assert_series_equal(
        analysis.response_time_effort("nt10"), lrn.effort.response_time_effort(answered, "nt10")
    )


def test_thresholds_are_the_same_everywhere(analysis):
    table = analysis.thresholds("nt10")["threshold"]
    report = analysis.item_analysis(rapid="nt10")
    assert_series_equal(report.items["rapid_threshold"], table, check_names=False)
    picture = analysis.plot.times("i4", thresholds=["nt10"])
    lines = [line.get_xdata()[0] for line in picture.lines if len(set(line.get_xdata())) == 1]
    assert any(np.isclose(x, table["i4"]) for x in lines)


def test_the_irw_format_holds_the_cells_of_the_analysis(analysis):
    table = analysis.to_irw()
    assert list(table.columns) == ["id", "item", "resp", "rt"]
    wide = table.pivot(index="id", columns="item", values="resp")
    users = analysis.scores.set_axis(analysis.group("user_id"))
    assert_frame_equal(wide, users, check_like=True, check_names=False, check_column_type=False)
    with pytest.raises(lrn.MeasureError, match='level="item"'):
        analysis.replace(level="question").to_irw()


def test_the_short_way_is_the_analysis(study):
    short = study.item_analysis(attempts="last", omitted="missing")
    long = study.analysis(attempts="last", omitted="missing").item_analysis()
    assert_frame_equal(short.items, long.items)


def test_warnings_point_at_the_callers_line(study):
    frame = study.items.copy()
    frame.loc[frame.index[0], "time"] = -5.0
    for call in (
        lambda: frame.lrn.active_time(),
        lambda: (
            SessionData(
                tables_of(
                    sitting("a", scores={"x": 1})
                    | {"items": [{"reference": "x", "time": -5, "response_ids": []}]}
                )
            )
            .analysis(status="all")
            .active_time()
        ),
    ):
        with pytest.warns(lrn.DataWarning, match="negative") as caught:
            call()
        assert {warning.filename for warning in caught} == {__file__}


def test_an_analysis_of_pseudonyms_is_the_same(study):
    shared = study.pseudonymise("a key").analysis()
    assert np.allclose(shared.scores, study.analysis().scores, equal_nan=True)
    assert shared.caption == study.analysis().caption


def test_order_of_the_rows_does_not_matter(study):
    shuffled = SessionData.__new__(SessionData)
    shuffled.__dict__.update(study.__dict__)
    tables = study._tables
    shuffled._tables = type(tables)(
        sessions=tables.sessions.sample(frac=1, random_state=1),
        responses=tables.responses.sample(frac=1, random_state=2),
        items=tables.items.sample(frac=1, random_state=3),
    )
    one, two = study.analysis(), shuffled.analysis()
    assert_frame_equal(two.scores, one.scores, check_like=True)
    assert_frame_equal(two.cells, one.cells, check_like=True)
    assert_frame_equal(two.flow, one.flow)
    assert pd.testing.assert_frame_equal(two.rules, one.rules) is None


def test_percentages_follow_what_becomes_of_unmarked_answers(study):
    pending = study[study.sessions["status"] == "Pending Scoring"]
    marked = pending.analysis().session_summary()["score_percent"].iloc[0]
    assert "percentages of points are of the points marked" in pending.analysis().methods_text()
    for unmarked in ("wrong", 0, "recorded"):
        other = pending.analysis(unmarked=unmarked)
        assert other.session_summary()["score_percent"].iloc[0] < marked
        assert "of the points marked" not in other.methods_text()


def test_faulty_times_are_said_once_and_left_out(study):
    tables = [frame.copy() for frame in study]
    rows = np.flatnonzero(tables[2]["time"] > 0)[:3]
    tables[2].iloc[rows, tables[2].columns.get_loc("time")] = [-5.0, np.inf, -np.inf]
    replaced = tables[2].assign(time=tables[2]["time"].where(np.isfinite(tables[2]["time"])))
    replaced.iloc[rows, replaced.columns.get_loc("time")] = np.nan
    faulty = SessionData(Tables(*tables)).analysis(attempts="all", status="all")
    other = SessionData(Tables(*tables[:2], replaced)).analysis(attempts="all", status="all")
    with pytest.warns(DataWarning, match=r"2 of \d+ item times are negative and 1 of"):
        times = faulty.times
    pd.testing.assert_frame_equal(times, other.times)
    pd.testing.assert_frame_equal(faulty.rapid_guesses(), other.rapid_guesses())
    assert repr(faulty.speed_model()) == repr(other.speed_model())
    pd.testing.assert_frame_equal(faulty.item_analysis().items, other.item_analysis().items)
