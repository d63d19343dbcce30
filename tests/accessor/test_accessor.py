"""`.lrn`: one name, three tables, only the methods of the table that it stands on."""

import inspect

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal, assert_series_equal

import lrnanalysis as lrn
from lrnanalysis.accessor import ItemsAccessor, ResponsesAccessor, SessionsAccessor
from lrnanalysis.measures import effort, scores, timing
from record_tables import tables_of

CLASSES = {
    "sessions": SessionsAccessor,
    "responses": ResponsesAccessor,
    "items": ItemsAccessor,
}


@pytest.fixture(scope="module")
def study():
    return lrn.load_example()


@pytest.mark.parametrize("table", CLASSES)
def test_each_table_has_its_accessor(study, table):
    frame = getattr(study, table)
    assert type(frame.lrn) is CLASSES[table]
    assert type(frame.copy().lrn) is CLASSES[table]
    assert type(frame.sample(frac=0.5, random_state=1).lrn) is CLASSES[table]
    assert type(frame.iloc[:0].lrn) is CLASSES[table]


def test_only_the_tables_methods_complete(study):
    for table, accessor in CLASSES.items():
        names = {name for name in dir(getattr(study, table).lrn) if not name.startswith("_")}
        assert names == {name for name in vars(accessor) if not name.startswith("_")}
    assert not hasattr(study.sessions.lrn, "time_matrix")
    assert not hasattr(study.items.lrn, "is_completed")
    assert not hasattr(study.responses.lrn, "active_time")


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


def test_a_method_forwards_to_its_measure(study):
    items, responses, sessions = study.items, study.responses, study.sessions
    assert_series_equal(sessions.lrn.idle_time(unit="min"), timing.idle_time(sessions, unit="min"))
    assert_frame_equal(
        items.lrn.score_matrix(responses, sessions=sessions, attempts="first"),
        scores.score_matrix(items, responses, sessions=sessions, attempts="first"),
    )
    assert_series_equal(
        items.lrn.rapid_guesses("nt20", cap=10), effort.rapid_guesses(items, "nt20", cap=10)
    )


def test_the_documented_example(documented):
    tables = tables_of(documented)
    assert tables.sessions.lrn.active_time().to_list() == [220]
    assert tables.items.lrn.active_time(unit="min").round(2).to_list() == [3.67]
    assert tables.sessions.lrn.elapsed_time(unit="min").round(2).to_list() == [1713.67]


def methods():
    return [
        pytest.param(table, name, id=f"{table}-{name}")
        for table, accessor in CLASSES.items()
        for name, method in vars(accessor).items()
        if inspect.isfunction(method) and not name.startswith("_")
    ]


@pytest.mark.parametrize(("table", "name"), methods())
def test_a_method_is_documented_and_changes_nothing(study, table, name):
    completed = study[study.sessions["status"] == "Completed"]
    frame = getattr(completed, table)
    before = frame.copy()
    method = getattr(frame.lrn, name)
    text = inspect.getdoc(method)
    assert ">>> " in text
    parameters = text.partition("Parameters\n")[2].partition("Returns\n")[0]
    for parameter in inspect.signature(method).parameters:
        assert parameter in parameters
    for own in ("sessions : DataFrame", "items : DataFrame", "responses : DataFrame"):
        assert not parameters.startswith(f"----------\n{own}\n")
    needed = [frame.lrn.response_time_effort()] if name == "motivation_filter" else []
    assert method(*needed) is not None
    assert_frame_equal(frame, before)


@pytest.mark.parametrize("key", ["a key", "another key"])
def test_pseudonymised_data_give_the_same_results(study, key):
    shared = study.pseudonymise(key)
    assert_series_equal(shared.sessions.lrn.active_share(), study.sessions.lrn.active_share())
    assert_series_equal(shared.items.lrn.rapid_guesses(), study.items.lrn.rapid_guesses())
    assert_series_equal(
        shared.items.lrn.response_time_fidelity(), study.items.lrn.response_time_fidelity()
    )
    assert shared.items.lrn.time_matrix().to_numpy() == pytest.approx(
        study.items.lrn.time_matrix().to_numpy(), nan_ok=True
    )
