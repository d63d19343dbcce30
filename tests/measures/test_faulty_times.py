"""What must hold for times in every measure that takes them: faults are missing times, no more."""

import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib import pyplot

from lrnanalysis.measures import completion, effort, response_time, scores, timing
from lrnanalysis.measures.item_analysis import item_analysis
from lrnanalysis.plots import accuracy_by_time, time_against_difficulty, times
from lrnanalysis.warnings import DataWarning, LrnWarning
from measure_tables import one_session, run_doctests, shuffled, simulated, studies

NAN, INF = float("nan"), float("inf")

#: Measures of the items table that read its times.
OF_ITEMS = {
    "active_time": timing.active_time,
    "active_time by item": lambda items: timing.active_time(items, "item_reference"),
    "time_summary": timing.time_summary,
    "time_matrix": timing.time_matrix,
    "time_by_position": timing.time_by_position,
    "pacing": timing.pacing,
    "pacing of a limit": lambda items: timing.pacing(
        items, limit=pd.Series(90.0, index=items["session_id"].unique())
    ),
    **{
        f"outliers {rule}": lambda items, rule=rule: timing.outliers(items, rule, k=0.5)
        for rule in ("sd", "percentile", "p90", "mad")
    },
    "suspicious_times": lambda items: timing.suspicious_times(items.assign(max_time=40.0)),
    "answered": completion.answered,
    "omitted": completion.omitted,
    **{
        f"not_reached {rule}": lambda items, rule=rule: completion.not_reached(items, rule=rule)
        for rule in ("run", "after_first", "no_time")
    },
    "reach": completion.reach,
    "speededness": completion.speededness,
    "cell_kinds": scores.cell_kinds,
    "score_matrix": scores.score_matrix,
}

#: Measures of a persons × items matrix of times.
OF_MATRICES = {
    **{
        f"screen {rule}": lambda values, shares, rule=rule: effort.screen(
            values, rule, scores=shares, chance=0.25
        )
        for rule in ("nt10", "median30", "fixed5", "cump", "mixture")
    },
    "thresholds": lambda values, shares: effort.thresholds(values, "nt30"),
    "rapid_guesses": lambda values, shares: effort.rapid_guesses(values, "nt30"),
    "validity": lambda values, shares: effort.validity(values, 20, scores=shares, chance=0.25),
    "speeds": lambda values, shares: response_time.lognormal(values).persons,
    "residuals": lambda values, shares: response_time.lognormal(values).residuals(),
    "aberrant": lambda values, shares: response_time.lognormal(values).aberrant(),
    "person_fit": lambda values, shares: response_time.lognormal(values).person_fit(),
    "item_analysis": lambda values, shares: item_analysis(shares, times=values, shares=shares),
}


def test_examples_run():
    assert run_doctests("lrnanalysis.measures._times") == 2


def same(one, other):
    """Whether two results hold the same values; their attrs count the faults."""
    if isinstance(one, effort.EffortScreen):
        for name in ("thresholds", "flags", "rte", "rtf"):
            same(getattr(one, name), getattr(other, name))
    elif hasattr(one, "items") and hasattr(one, "scores"):
        pd.testing.assert_frame_equal(one.items, other.items)
        pd.testing.assert_series_equal(one.scores, other.scores)
    elif isinstance(one, pd.DataFrame):
        pd.testing.assert_frame_equal(one, other)
    else:
        pd.testing.assert_series_equal(one, other)


def quietly(measure, *given):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LrnWarning)
        return measure(*given)


@pytest.mark.parametrize("name", OF_ITEMS)
@given(studies(), st.integers(0, 1_000))
@settings(max_examples=25, deadline=None)
def test_faulty_times_of_items_are_missing_times(name, study, seed):
    items, _ = study
    rng = np.random.default_rng(seed)
    faulty = rng.random(len(items)) < 0.3
    bad = rng.choice([-5.0, -0.001, INF, -INF], len(items))
    left_in = items.assign(time=np.where(faulty, bad, items["time"]))
    replaced = items.assign(time=np.where(faulty, NAN, items["time"]))
    measure = OF_ITEMS[name]
    found = quietly(measure, left_in)
    same(found, quietly(measure, replaced))
    assert found.attrs["negative_times"] == (left_in["time"] < 0).sum()
    assert found.attrs["infinite_times"] == (left_in["time"] == INF).sum()


@pytest.mark.parametrize("name", OF_MATRICES)
def test_faulty_times_of_matrices_are_missing_times(name):
    rng = np.random.default_rng(3)
    fast = rng.random((200, 5)) < 0.15
    values = np.where(
        fast, rng.lognormal(0.5, 0.3, fast.shape), rng.lognormal(3.5, 0.5, fast.shape)
    )
    shares = pd.DataFrame(rng.random(fast.shape) < np.where(fast, 0.25, 0.8), columns=[*"abcde"])
    shares = shares.astype(float)
    faulty = rng.random(fast.shape) < 0.1
    bad = rng.choice([-5.0, INF, -INF], fast.shape)
    left_in = pd.DataFrame(np.where(faulty, bad, values), columns=shares.columns)
    replaced = pd.DataFrame(np.where(faulty, NAN, values), columns=shares.columns)
    measure = OF_MATRICES[name]
    same(quietly(measure, left_in, shares), quietly(measure, replaced, shares))
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        measure(left_in, shares)
    faults = [str(one.message) for one in said if issubclass(one.category, DataWarning)]
    negative, infinite = (left_in < 0).sum().sum(), (left_in == INF).sum().sum()
    assert faults == [
        f"{negative} of 1000 times are negative and {infinite} of 1000 times are infinite: "
        "inconsistent data, they count as missing"
    ]


@pytest.mark.parametrize("name", sorted(set(OF_ITEMS) - {"answered", "omitted", "reach"}))
def test_faulty_times_of_items_are_said(name):
    items = one_session([9.0, -3.0, INF, 8.0], [1, 1, 0, 1])
    silent = name.startswith(("not_reached", "speededness", "cell_kinds", "score_matrix"))
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        OF_ITEMS[name](items)
    # Where times only help to tell what was answered, the counts are in attrs alone.
    assert len(said) == (not silent)
    assert all("1 of 4 item times are negative and 1 of 4 item" in str(one.message) for one in said)


@pytest.mark.parametrize(
    "draw",
    [
        lambda values, shares: times(values, "a", thresholds=["nt10"]),
        lambda values, shares: accuracy_by_time(values, shares, "a"),
        lambda values, shares: time_against_difficulty(values, shares),
    ],
)
def test_pictures_of_faulty_times_are_those_of_missing_times(draw):
    rng = np.random.default_rng(4)
    values = pd.DataFrame(rng.lognormal(3, 0.5, (60, 3)), columns=[*"abc"])
    shares = pd.DataFrame(rng.integers(0, 2, (60, 3)).astype(float), columns=[*"abc"])
    left_in, replaced = values.copy(), values.copy()
    left_in.iloc[:6, 0] = [-1.0, INF, -INF, 0.0, -5.0, INF]
    replaced.iloc[:6, 0] = NAN
    with pytest.warns(DataWarning, match=r"3 of \d+ times are negative"):
        one = draw(left_in, shares)
    other = draw(replaced, shares)
    for got, want in zip(one.patches, other.patches, strict=True):
        assert got.get_bbox().bounds == want.get_bbox().bounds
    for got, want in zip(one.lines, other.lines, strict=True):
        np.testing.assert_array_equal(got.get_xydata(), want.get_xydata())
    for got, want in zip(one.collections, other.collections, strict=True):
        np.testing.assert_array_equal(got.get_offsets(), want.get_offsets())
    pyplot.close("all")


@pytest.mark.parametrize("name", OF_ITEMS)
@given(studies())
@settings(max_examples=15, deadline=None)
def test_the_order_of_rows_does_not_matter(name, study):
    items, _ = study
    measure = OF_ITEMS[name]
    whole, other = quietly(measure, items), quietly(measure, shuffled(items))
    if isinstance(whole, pd.DataFrame):
        other = other.reindex(columns=whole.columns)
    same(whole, other.reindex(whole.index))


#: Measures whose values of a session come from that session alone.
OF_SESSIONS = ("active_time", "time_matrix", "answered", "omitted", "not_reached run", "cell_kinds")


@pytest.mark.parametrize("name", OF_SESSIONS)
@given(studies())
@settings(max_examples=15, deadline=None)
def test_parts_put_together_are_the_whole(name, study):
    items, _ = study
    measure = OF_ITEMS[name]
    first = items["session_id"].isin(["s0", "s2"])
    parts = [quietly(measure, items[mask]) for mask in (first, ~first) if mask.any()]
    whole = quietly(measure, items)
    together = pd.concat(parts).reindex(whole.index)
    if isinstance(whole, pd.DataFrame):
        together = together.reindex(columns=whole.columns)
    same(whole, together)


def test_sessions_without_items_change_no_sum():
    tables, _ = simulated(learners=20, items=5, seed=3)
    whole = timing.session_active_time(tables.sessions)
    empty = tables.sessions.head(2).assign(session_id=["none-1", "none-2"], active_time=NAN)
    empty["dt_completed"] = empty["dt_completed"].where([False, False])
    more = pd.concat([tables.sessions, empty], ignore_index=True)
    for measure in (timing.session_active_time, timing.idle_time, timing.active_share):
        found = quietly(measure, more)
        assert found[len(whole) :].isna().all()
        np.testing.assert_array_equal(found[: len(whole)], quietly(measure, tables.sessions))
    old, new = (quietly(scores.session_summary, frame).iloc[0] for frame in (tables.sessions, more))
    assert old["active_time"] == new["active_time"]
    assert old["elapsed_time"] == new["elapsed_time"]


def test_faulty_clocks_stay_out_of_the_summary_and_are_said():
    tables, _ = simulated(learners=20, items=5, seed=3)
    sessions = tables.sessions.copy()
    replaced = sessions.copy()
    rows = sessions.index[~scores.is_discarded(sessions)][:2]
    sessions.loc[rows[0], "dt_completed"] = sessions.loc[rows[0], "dt_started"] - pd.Timedelta("1h")
    sessions.loc[rows, "active_time"] = [-5.0, INF]
    replaced.loc[rows[0], "dt_completed"] = pd.NaT
    replaced.loc[rows, "active_time"] = NAN
    with pytest.warns(DataWarning) as said:
        found = scores.session_summary(sessions)
    assert len(said) == 2
    assert "active times are negative" in str(said[0].message)
    assert "left out of the median" in str(said[1].message)
    pd.testing.assert_frame_equal(found, scores.session_summary(replaced))
    assert found.attrs["negative_elapsed_times"] == 1
    assert (found.attrs["negative_times"], found.attrs["infinite_times"]) == (1, 1)
