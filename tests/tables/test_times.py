"""Times in the tables: faults are found, counted and said wherever times enter."""

import numpy as np
import pandas as pd
import pytest

from lrnanalysis.errors import LrnError, MeasureError
from lrnanalysis.measures import scores, timing
from lrnanalysis.plots import timeline
from lrnanalysis.study import SessionData
from lrnanalysis.tables.integrity import check_tables
from lrnanalysis.tables.times import sum_times, timestamps, usable_times
from lrnanalysis.warnings import DataWarning
from measure_tables import run_doctests
from record_tables import tables_of

NAN, INF = float("nan"), float("inf")


def test_examples_run():
    assert run_doctests("lrnanalysis.tables.times", "lrnanalysis.tables.unmarked") > 4


def record(session, *times, **more):
    """A session of ten minutes whose items took these times."""
    return {
        "session_id": session, "user_id": "u", "activity_id": "x", "status": "Completed",
        "dt_started": "2025-01-01T09:00:00Z", "dt_completed": "2025-01-01T09:10:00Z",
        "session_duration": 10, "num_questions": 0, "num_attempted": 0, "responses": [],
        "items": [
            {"reference": f"i{at}", "time": time, "response_ids": []}
            for at, time in enumerate(times)
        ],
    } | more  # fmt: skip


def test_sums_at_load_and_of_the_items_are_the_same():
    tables = tables_of(
        record("a", -5, 30, 40), record("b", -5, None), record("c", 0, None), record("d", 1e9, -1),
        record("e"), record("f", 2, 3),
    )  # fmt: skip
    want = [70.0, NAN, 0.0, 1e9, NAN, 5.0]
    np.testing.assert_equal(tables.sessions["active_time"].to_numpy(), want)
    with pytest.warns(DataWarning, match="3 of 11 item times are negative"):
        sums = timing.active_time(tables.items)
    np.testing.assert_equal(sums.reindex(tables.sessions["session_id"]).to_numpy(), want)
    assert sums.attrs["negative_times"] == 3
    with pytest.warns(DataWarning, match="add up to more than their elapsed time"):
        idle = timing.idle_time(tables.sessions)
    np.testing.assert_equal(idle.to_numpy(), 600 - np.array(want))
    assert idle.attrs["negative"] == 1


def test_faulty_times_are_counted_and_said():
    times = np.array([1.0, -1.0, INF, -INF, NAN, 0.0])
    with pytest.warns(DataWarning, match="2 of 6 clicks are negative and 1 of 6 clicks are inf"):
        usable, counts = usable_times(times, "clicks")
    np.testing.assert_equal(usable, [1.0, NAN, NAN, NAN, NAN, 0.0])
    assert counts == {"negative_times": 2, "infinite_times": 1}
    good = times[[0, 4, 5]]
    assert usable_times(good, "clicks")[0] is good
    assert usable_times(np.empty(0), "clicks")[0].size == 0


def test_a_group_without_a_time_has_no_sum():
    groups = np.array([0, 0, 2, -1])
    sums = sum_times(np.array([0.0, NAN, NAN, 5.0]), groups, 4)
    np.testing.assert_equal(sums, [0.0, NAN, NAN, NAN])


def test_check_reports_each_kind_of_time():
    tables = tables_of(record("a", -5, -1, 0), record("b", 3, session_duration=-2))
    items = tables.items.assign(time=[-5.0, -1.0, 0.0, INF])
    found = check_tables(tables.sessions, tables.responses, items)
    counts = found["count"].to_dict()
    assert {"negative time": 2, "infinite time": 1, "time of 0": 1}.items() <= counts.items()
    assert counts["negative session_duration"] == 1
    assert found.loc["negative time", "sessions"] == 1


# Time zones -------------------------------------------------------------------------------------


def naive(column):
    tables = tables_of(record("a", 3), record("b", 4))
    tables.sessions[column] = tables.sessions[column].dt.tz_localize(None)
    return tables


@pytest.mark.parametrize("column", ["dt_started", "dt_completed"])
@pytest.mark.parametrize(
    "use",
    [
        lambda tables: timing.elapsed_time(tables.sessions),
        lambda tables: timing.idle_time(tables.sessions),
        lambda tables: timing.active_share(tables.sessions),
        lambda tables: scores.session_summary(tables.sessions),
        lambda tables: timeline(tables.sessions),
        lambda tables: SessionData(tables).check(),
        lambda tables: SessionData(tables).to_json(),
        lambda tables: SessionData(tables).updated(SessionData(tables_of(record("c", 3)))),
        lambda tables: SessionData(tables_of(record("c", 3))).updated(SessionData(tables)),
    ],
)
def test_mixed_time_zones_are_an_error_with_the_remedy(use, column):
    with pytest.raises(MeasureError, match=rf"'{column}' has no time zone.*tz_localize\(\"UTC\"\)"):
        use(naive(column))
    tables = naive(column)
    tables.sessions[column] = tables.sessions[column].dt.tz_localize("UTC")
    use(tables)


def test_what_is_no_timestamp_is_an_error_with_the_remedy():
    mixed = pd.Series([pd.Timestamp("2025-01-01"), pd.Timestamp("2025-01-02", tz="UTC")])
    tables = tables_of(record("a", 3), record("b", 4))
    for column in (mixed, pd.Series(["2025-01-01"] * 2), pd.Series([1, 2])):
        sessions = tables.sessions.assign(dt_started=column)
        for measure in (timing.elapsed_time, scores.attempt_number, scores.session_summary):
            with pytest.raises(LrnError, match=r"'dt_started' has dtype .*pandas\.to_datetime"):
                measure(sessions)


def test_zones_may_differ_and_columns_be_empty():
    tables = tables_of(record("a", 3))
    moved = tables.sessions.assign(
        dt_completed=tables.sessions["dt_completed"].dt.tz_convert("Australia/Sydney")
    )
    assert timing.elapsed_time(moved).tolist() == [600.0]
    both = tables.sessions.assign(
        dt_started=tables.sessions["dt_started"].dt.tz_localize(None),
        dt_completed=tables.sessions["dt_completed"].dt.tz_localize(None),
    )
    assert timing.elapsed_time(both).tolist() == [600.0]
    for frame in (tables.sessions, both):
        for nothing in (None, pd.NaT, NAN):
            assert timing.elapsed_time(frame.assign(dt_completed=nothing)).isna().all()
    with pytest.raises(MeasureError, match="no time zone"):
        timestamps(both, "dt_started", zone="required")
