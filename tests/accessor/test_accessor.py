"""`.lrn`: one name, three tables, only the measures that the table it is on can answer."""

import inspect

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal, assert_series_equal

import lrnanalysis as lrn
from lrnanalysis.accessor import ItemsAccessor, ResponsesAccessor, SessionsAccessor
from lrnanalysis.measures import scores, timing
from record_tables import tables_of

CLASSES = {
    "sessions": SessionsAccessor,
    "responses": ResponsesAccessor,
    "items": ItemsAccessor,
}


@pytest.fixture(scope="module")
def study():
    return lrn.load_example()


def measures(accessor):
    return [name for name in vars(accessor) if not name.startswith("_")]


@pytest.mark.parametrize("table", CLASSES)
def test_each_table_has_its_accessor(study, table):
    frame = getattr(study, table)
    assert type(frame.lrn) is CLASSES[table]
    assert type(frame.copy().lrn) is CLASSES[table]
    assert type(frame.sample(frac=0.5, random_state=1).lrn) is CLASSES[table]
    assert type(frame.iloc[:0].lrn) is CLASSES[table]


@pytest.mark.parametrize("table", CLASSES)
def test_only_the_tables_measures_complete(study, table):
    assert dir(getattr(study, table).lrn) == sorted(measures(CLASSES[table]))
    assert not hasattr(study.sessions.lrn, "time_summary")
    assert not hasattr(study.items.lrn, "is_completed")
    assert not hasattr(study.responses.lrn, "active_time")


def test_a_measure_of_another_table_is_named_with_its_place(study):
    with pytest.raises(AttributeError, match=r"measure of items.*study\.items\.lrn\.time_summary"):
        study.sessions.lrn.time_summary()
    with pytest.raises(AttributeError, match=r"measure of sessions.*study\.sessions\.lrn\.idle"):
        study.items.lrn.idle_time()
    with pytest.raises(AttributeError, match=r"items\.lrn offers active_time.*study\.analysis\(\)"):
        study.items.lrn.score_matrix()


@pytest.mark.parametrize("table", CLASSES)
def test_it_lists_what_it_offers(study, table):
    accessor = getattr(study, table).lrn
    shown, page = repr(accessor), accessor._repr_html_()
    for name in measures(CLASSES[table]):
        assert name in shown
        assert f"<code>{name}</code>" in page
    assert f"{len(getattr(study, table)):,} rows" in shown


def test_a_selection_of_columns_or_a_merge_is_enough(study):
    few = study.items[["session_id", "item_reference", "time"]]
    assert_series_equal(few.lrn.active_time(), study.items.lrn.active_time())
    merged = study.items.merge(study.sessions[["session_id", "user_id"]], on="session_id")
    assert type(merged.lrn) is ItemsAccessor
    by_user = merged.lrn.active_time("user_id")
    assert by_user.index.name == "user_id"
    assert np.isclose(by_user.sum(), study.items["time"].sum())
    assert type(study.long().lrn) is ResponsesAccessor


@pytest.mark.parametrize("frame", [pd.DataFrame(), pd.DataFrame({"x": [1], "session_id": ["a"]})])
def test_another_frame_says_what_it_looked_for(frame):
    assert not hasattr(frame, "lrn")
    with pytest.raises(
        AttributeError, match=r"session_id, response_id.*session_id, item_reference"
    ):
        _ = frame.lrn


def test_a_key_in_the_index_is_told(study):
    with pytest.raises(AttributeError, match=r"'session_id' as a column.*index.*reset_index\(\)"):
        _ = study.sessions.set_index("session_id").lrn


def test_a_measure_forwards_to_its_function(study):
    items, sessions = study.items, study.sessions
    assert_series_equal(sessions.lrn.idle_time(unit="min"), timing.idle_time(sessions, unit="min"))
    assert_frame_equal(
        items.lrn.time_summary("position", unit="min"),
        timing.time_summary(items, "position", unit="min"),
    )
    assert_series_equal(
        sessions.lrn.status_counts("activity_id"), scores.status_counts(sessions, "activity_id")
    )


@pytest.mark.parametrize("table", CLASSES)
def test_rows_multiplied_by_a_merge_are_refused(study, table):
    frame = getattr(study, table)
    twice = pd.concat([frame, frame.iloc[:3]])
    for name in measures(CLASSES[table]):
        with pytest.raises(lrn.MeasureError, match="drop_duplicates"):
            getattr(twice.lrn, name)()


def test_the_documented_example(documented):
    tables = tables_of(documented)
    assert tables.sessions.lrn.active_time().to_list() == [220]
    assert tables.items.lrn.active_time(unit="min").round(2).to_list() == [3.67]
    assert tables.sessions.lrn.elapsed_time(unit="min").round(2).to_list() == [1713.67]


@pytest.mark.parametrize(
    ("table", "name"),
    [(table, name) for table, accessor in CLASSES.items() for name in measures(accessor)],
)
def test_a_measure_is_documented_and_changes_nothing(study, table, name):
    completed = study[study.sessions["status"] == "Completed"]
    frame = getattr(completed, table)
    before = frame.copy()
    method = getattr(frame.lrn, name)
    text = inspect.getdoc(method)
    assert ">>> " in text
    parameters = text.partition("Parameters\n")[2].partition("Returns\n")[0]
    for parameter in inspect.signature(method).parameters:
        assert parameter in parameters
    assert f"{table} : DataFrame" not in parameters
    assert method() is not None
    assert_frame_equal(frame, before)


@pytest.mark.parametrize("key", ["a key", "another key"])
def test_pseudonymised_data_give_the_same_results(study, key):
    shared = study.pseudonymise(key)
    assert_series_equal(shared.sessions.lrn.active_share(), study.sessions.lrn.active_share())
    assert_frame_equal(shared.items.lrn.time_summary(), study.items.lrn.time_summary())
    assert shared.items.lrn.time_matrix().to_numpy() == pytest.approx(
        study.items.lrn.time_matrix().to_numpy(), nan_ok=True
    )
