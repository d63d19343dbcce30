"""Labels that are text in one place and numbers in the other match nothing, and are refused so."""

import pandas as pd
import pytest

import lrnanalysis as lrn


@pytest.fixture(scope="module")
def study():
    return lrn.load_example()[:40]


def numbered(frame, study):
    """The frame with numbers in place of the session ids."""
    numbers = {name: at for at, name in enumerate(study.sessions["session_id"])}
    return frame.assign(session_id=frame["session_id"].map(numbers))


@pytest.mark.parametrize("converted", ["sessions", "responses", "items"])
def test_tables_of_other_ids_are_no_study(study, converted):
    tables = dict(zip(("sessions", "responses", "items"), study, strict=True))
    tables[converted] = numbered(tables[converted], study)
    decisions = study.analysis().decisions
    with pytest.raises(lrn.MeasureError, match=r"session_id holds .*numbers.*text|text.*numbers"):
        _ = lrn.Analysis(**tables, decisions=decisions).scores


@pytest.mark.parametrize(
    "measure",
    [lrn.scores.score_matrix, lrn.completion.reach, lrn.scores.cell_kinds, lrn.completion.answered],
)
def test_responses_of_other_ids_are_refused(study, measure):
    measure(study.items, study.responses)
    with pytest.raises(
        lrn.MeasureError, match=r"numbers \(such as 0\) in items and text \(such as '.*'\) in resp"
    ):
        measure(numbered(study.items, study), study.responses)


def test_sessions_of_other_ids_are_refused(study):
    pending = study.sessions.assign(status="Pending Scoring")
    lrn.scores.score_matrix(study.items, sessions=pending)
    with pytest.raises(lrn.MeasureError, match=r"numbers.* in sessions and text"):
        lrn.scores.score_matrix(study.items, sessions=numbered(pending, study))


def test_persons_of_other_labels_are_refused(study):
    scores, times = study.analysis().scores, study.analysis().times
    shares = study.analysis(value="share").scores
    choices = study.responses.lrn.choices().assign(session_id=1)
    group = pd.Series("a", index=range(len(scores)))
    for refused in (
        lambda: lrn.dif.mantel_haenszel(scores, group),
        lambda: lrn.timing.pacing(study.items, limit=pd.Series(60.0, index=range(9))),
        lambda: lrn.effort.effort_moderated(
            scores, lrn.effort.rapid_guesses(times.reset_index(drop=True))
        ),
        lambda: lrn.classical.distractors(choices, scores),
        lambda: lrn.plots.accuracy_by_time(times, shares.reset_index(drop=True)),
    ):
        with pytest.raises(lrn.MeasureError, match=r"numbers.* text"):
            refused()
    with pytest.raises(lrn.QueryError, match=r"they are numbers .*, and those of the study text"):
        study[[1, 2]]


def test_items_of_other_labels_are_refused(study):
    scores, times = study.analysis().scores, study.analysis().times
    for refused in (
        lambda: lrn.classical.item_statistics(scores, {1: 2}),
        lambda: lrn.item_analysis(scores, {1: 2}),
        lambda: lrn.effort.thresholds(times, pd.Series({1: 3.0})),
        lambda: lrn.effort.thresholds(times, chance={1: 0.3}),
    ):
        with pytest.raises(lrn.MeasureError, match=r"numbers.*and text"):
            refused()
    with pytest.raises(lrn.MeasureError, match="max_score has none of the 20 items"):
        lrn.item_analysis(scores, {"other": 2})
    with pytest.raises(lrn.MeasureError, match="times has none of the 20 items"):
        lrn.item_analysis(scores, times=times.add_prefix("x"))
