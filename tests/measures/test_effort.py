"""Rapid guessing and effort: thresholds by hand, reasons for none, recovery of guessers."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lrnanalysis.errors import MeasureError
from lrnanalysis.measures import completion, timing
from lrnanalysis.measures import effort as ef
from lrnanalysis.measures.effort import threshold_estimators
from lrnanalysis.measures.effort.threshold_estimators import RULES, ItemAnswers, find_rule
from lrnanalysis.warnings import DataWarning, RuleWarning
from measure_tables import EMPTY, run_doctests, shuffled, simulated, studies

NAN = float("nan")
few = pytest.mark.filterwarnings("ignore:.*fewer than 10 timed answers")


def test_examples_run():
    assert run_doctests("lrnanalysis.measures.effort") > 15


def one_item(times, shares=None, item="a"):
    """Times of one item answered by s0, s1, …, and with `shares` the shares of the maximum."""
    persons = pd.Index([f"s{at}" for at in range(len(times))], name="session_id")

    def matrix(values):
        return pd.DataFrame({item: pd.array(values, dtype="Float64")}, index=persons).astype(float)

    return matrix(times) if shares is None else (matrix(times), matrix(shares))


def several(*matrices):
    """Items beside each other, of the persons that all have."""
    return pd.concat(matrices, axis=1).rename_axis(columns="item_reference")


def cump(times, shares, chance):
    return threshold_estimators.cump(ItemAnswers(np.asarray(times), shares, chance))


def mixture(times):
    return threshold_estimators.mixture(ItemAnswers(np.asarray(times), None, NAN))


# Thresholds -------------------------------------------------------------------------------------

TIMES = [10.0, 20.0, 60.0, 0.0, None]  # mean 30, median 20 of three timed answers


@pytest.mark.parametrize(
    ("method", "want"),
    [("nt10", 3.0), ("nt20", 6.0), ("nt12.5", 3.75), ("median10", 2.0), ("fixed5", 5.0), (4, 4.0)],
)
def test_thresholds_by_hand(method, want):
    table = ef.thresholds(one_item(TIMES), method)
    assert table.index.tolist() == ["a"]
    assert table["threshold"].tolist() == [pytest.approx(want)]
    assert table["n"].tolist() == [3]
    assert table["reason"].isna().all()
    assert table["method"].tolist() == [method if isinstance(method, str) else "fixed4"]
    assert table.index.name == "item_reference"


@few
@pytest.mark.parametrize("word", RULES)
def test_every_rule_of_the_registry(word):
    rule, number = find_rule(RULES[word].example)
    assert rule is RULES[word]
    assert rule.example == word if np.isnan(number) else rule.example == f"{word}{number:g}"
    rng = np.random.default_rng(1)
    logs = np.concatenate([rng.normal(0.5, 0.3, 300), rng.normal(3.5, 0.5, 1700)])
    right = np.concatenate([np.arange(300) % 6 == 0, rng.random(1700) < 0.7]).astype(float)
    times, shares = one_item(np.exp(logs), right)
    table = ef.thresholds(times, rule.example, scores=shares, chance=0.25)
    limit = table["threshold"].iloc[0]
    assert 1 < limit < 20
    assert table["reason"].isna().all()
    assert table["method"].tolist() == [rule.example]
    found = ef.screen(times, rule.example, scores=shares, chance=0.25)
    assert found.flags["a"].tolist() == (times["a"] < limit).tolist()
    assert found.rtf["a"] == pytest.approx((times["a"] >= limit).mean())
    order = times.sample(frac=1, random_state=2).index
    again = ef.thresholds(times.loc[order], rule.example, scores=shares.loc[order], chance=0.25)
    assert again["threshold"].iloc[0] == pytest.approx(limit, rel=1e-9)
    if not np.isnan(number):
        other = ef.thresholds(times, f"{word}{2 * number + 0.5:g}")
        assert other["threshold"].iloc[0] > limit
        with pytest.raises(MeasureError, match="method is"):
            find_rule(word)
    row = ef.thresholds(one_item([NAN, 0.0]), rule.example).iloc[0]
    assert np.isnan(row["threshold"]) == pd.notna(row["reason"])


def test_a_cap_is_applied_and_named():
    items = several(one_item([200.0]), one_item([50.0], item="b"))
    table = ef.thresholds(items, cap=10)
    assert table["threshold"].tolist() == [10.0, 5.0]
    assert table["method"].tolist() == ["nt10, capped at 10 s", "nt10"]
    assert table.attrs["cap"] == 10
    with pytest.raises(MeasureError, match="cap is 0"):
        ef.thresholds(items, cap=0)


def test_given_thresholds():
    items = several(one_item([20.0]), one_item([50.0], item="b"), one_item([1.0], item="c"))
    table = ef.thresholds(items, pd.Series({"b": 7.0, "a": 5.0, "c": NAN, "z": 1.0}))
    np.testing.assert_equal(table["threshold"].to_numpy(), [5.0, 7.0, NAN])
    assert table["reason"].tolist()[2] == "the threshold given is missing"
    partly = ef.thresholds(items, ef.thresholds(items[["a"]]))
    assert partly["reason"].tolist()[1:] == ["no threshold given"] * 2
    with pytest.raises(MeasureError, match="a threshold is 0 or below"):
        ef.thresholds(items, pd.Series({"a": 0.0}))
    with pytest.raises(MeasureError, match="no column 'threshold'"):
        ef.thresholds(items, pd.DataFrame({"a": [1.0]}))
    with pytest.raises(MeasureError, match="more than one threshold"):
        ef.thresholds(items, pd.Series([1.0, 2.0], index=["a", "a"]))


def test_an_item_without_times_has_no_threshold_and_a_reason():
    table = ef.thresholds(one_item([0.0, None]))
    assert table["threshold"].isna().all()
    assert table["reason"].tolist() == ["no answer has a time"]
    assert table.attrs["items_without_threshold"] == 1
    assert not ef.rapid_guesses(one_item([0.0, None])).any(axis=None)


@pytest.mark.parametrize("method", ["nt", "10", "nt-5", "cumps", "fixed0", 0, -1, "percent10"])
def test_unknown_methods_are_refused(method):
    with pytest.raises(MeasureError, match="must be"):
        ef.thresholds(one_item(TIMES), method)


def test_times_and_scores_have_to_match():
    matrix = one_item(TIMES)
    with pytest.raises(MeasureError, match=r"times is a Series of .*: pass a DataFrame"):
        ef.thresholds(matrix["a"])
    with pytest.raises(MeasureError, match=r"scores is an array .*: pass a DataFrame"):
        ef.thresholds(matrix, scores=matrix.to_numpy())
    with pytest.raises(MeasureError, match="repeated"):
        ef.thresholds(pd.concat([matrix, matrix], axis=1))
    with pytest.raises(MeasureError, match="values above 1"):
        ef.thresholds(matrix, "cump", scores=matrix.fillna(9))
    with pytest.raises(MeasureError, match="differ in their rows or columns"):
        ef.thresholds(matrix, "cump", scores=matrix.iloc[:2])
    with pytest.raises(MeasureError, match="chance is 1"):
        ef.thresholds(matrix, "cump", chance=1.0)


# CUMP -------------------------------------------------------------------------------------------


def test_cump_by_hand():
    # Cumulative proportion correct: 1 s 0, 2 s .25, 3 s .5, 9 s .625.
    times = np.repeat([1.0, 2.0, 3.0, 9.0], 40)
    right = np.repeat([0.0, 0.5, 1.0, 1.0], 40)
    right[40:80] = [1, 0] * 20
    found = cump(times, right, 0.25)
    assert (found.threshold, found.reason) == (2.0, None)
    # Nobody answers in 4 to 8 s: up to 8 s the proportion is still .5.
    assert cump(times, right, 0.5).threshold == 8.0
    # Rounded: 2.4 s counts as 2, 2.5 s as 3.
    assert cump(times + 0.4, right, 0.25).threshold == 2.0
    assert cump(times + 0.5, right, 0.25).threshold == 3.0


@pytest.mark.parametrize(
    ("right", "chance", "reason"),
    [
        ([1, 1, 1, 1], 0.25, "no crossing"),
        ([0, 0, 0, 0], 0.25, "accuracy is not above chance"),
        ([0, 0, 1, 0], 0.25, "accuracy is not above chance"),
        ([0, 0, 0, 1.2], 0.25, "accuracy is not clearly above chance"),
        ([0, 1, 1, 1], NAN, "no chance level given"),
        ([NAN] * 4, 0.25, "no scored answer"),
    ],
)
def test_cump_says_why_it_has_none(right, chance, reason):
    found = cump(np.repeat([1.0, 2.0, 3.0, 4.0], 10), np.repeat(right, 10).astype(float), chance)
    assert np.isnan(found.threshold)
    assert found.reason.startswith(reason)


def test_cump_of_a_matrix_needs_scores_and_chance():
    times, shares = one_item(np.repeat([1.0, 2.0, 30.0], 40), np.repeat([0.0, 0.0, 1.0], 40))
    table = ef.thresholds(times, "cump", scores=shares, chance={"a": 0.25})
    assert table["threshold"].tolist() == [29.0]
    without = ef.thresholds(times, "cump", scores=shares)
    assert without["reason"].tolist() == ["no chance level given"]
    assert ef.thresholds(times, "cump", chance=0.25)["reason"].tolist() == ["no scores"]
    other = ef.thresholds(times, "cump", scores=shares, chance=pd.Series({"b": 0.2}))
    assert other["reason"].tolist() == ["no chance level given"]


# Mixture ----------------------------------------------------------------------------------------


def normal_quantiles(mean, sd, n):
    """A normal sample without noise."""
    from scipy import stats

    return stats.norm.ppf((np.arange(n) + 0.5) / n, mean, sd)


def test_mixture_crosses_halfway_between_equal_components():
    # Two normals of one SD: w1 φ1 = w2 φ2 at (m1 + m2) / 2 + s² ln(w1 / w2) / (m2 - m1).
    logs = np.concatenate([normal_quantiles(1, 0.3, 4000), normal_quantiles(4, 0.3, 12000)])
    want = 2.5 + 0.09 * np.log(4000 / 12000) / 3
    assert np.log(mixture(np.exp(logs)).threshold) == pytest.approx(want, abs=2e-3)


def test_mixture_of_whole_seconds():
    rng = np.random.default_rng(1)
    fast = rng.uniform(1, 4, 150)
    slow = rng.lognormal(3.5, 0.4, 1850)
    found = mixture(np.maximum(np.round(np.concatenate([fast, slow])), 1))
    assert 3 < found.threshold < 12


@pytest.mark.parametrize(
    ("times", "reason"),
    [
        (np.exp(normal_quantiles(3, 0.5, 2000)), "no bimodality"),
        (np.full(500, 20.0), "no spread"),
        (np.full(50, 20.0), "fewer than 100"),
        (
            np.exp(np.concatenate([normal_quantiles(1, 0.3, 900), normal_quantiles(4, 0.3, 300)])),
            "the faster component holds half",
        ),
        (
            np.exp(np.concatenate([normal_quantiles(3, 0.2, 500), normal_quantiles(3, 1, 800)])),
            "no bimodality",
        ),
        (np.concatenate([np.full(50, 1.0), np.exp(normal_quantiles(3, 0.5, 900))]),
         "a component shrank"),
    ],
)  # fmt: skip
def test_mixture_says_why_it_has_none(times, reason):
    found = mixture(times)
    assert np.isnan(found.threshold)
    assert found.reason.startswith(reason), found.reason


# Flags ------------------------------------------------------------------------------------------


def test_rapid_is_strictly_below():
    with pytest.warns(DataWarning, match="1 of 6 times are negative"):
        flags = ef.rapid_guesses(one_item([2.9, 3.0, 3.1, 0.0, -1.0, None]), 3)
    assert flags["a"].tolist() == [True, *[False] * 5]
    assert flags.dtypes.tolist() == [np.dtype(bool)]
    assert flags.attrs["flagged"] == 1
    assert flags.attrs["timed_answers"] == 3
    assert "strictly below" in flags.attrs["rule"]


#: s guesses once in ten, t in five of ten, u has no time.
TEN = pd.DataFrame(
    [[1.0] + [9.0] * 9, [1.0] * 5 + [9.0] * 5, [NAN] * 10],
    index=pd.Index(["s", "t", "u"], name="session_id"),
    columns=pd.Index([f"i{at}" for at in range(10)], name="item_reference"),
)


def test_effort_and_fidelity_by_hand():
    rte = ef.response_time_effort(TEN, 3)
    np.testing.assert_equal(rte.to_numpy(), [0.9, 0.5, NAN])
    assert rte.index.equals(TEN.index)
    assert "Wise & Kong 2005" in rte.attrs["rule"]
    rtf = ef.response_time_fidelity(TEN, 3)
    np.testing.assert_equal(rtf.to_numpy(), [0.0] + [0.5] * 4 + [1.0] * 5)
    assert rtf.index.name == "item_reference"
    screen = ef.screen(TEN, 3)
    pd.testing.assert_series_equal(screen.rte, rte)
    pd.testing.assert_series_equal(screen.rtf, rtf)
    assert screen.flags.to_numpy().sum() == 6
    assert repr(screen) == (
        "EffortScreen(10 items, 3 persons, 6 rapid guesses, 1 persons with RTE < .90)"
    )


def test_fewer_than_ten_items_is_said():
    for measure in (ef.response_time_effort, ef.screen):
        with pytest.warns(RuleWarning, match="2 of 3 persons have fewer than 10 timed") as said:
            measure(TEN.iloc[:, :9], 3)
        assert said[0].filename == __file__
    # Answers to an item without a threshold do not count.
    with pytest.warns(RuleWarning, match="2 of 3 persons"):
        rte = ef.response_time_effort(TEN, pd.Series(3.0, index=TEN.columns[:9]))
    assert rte.attrs["persons_with_fewer_than_10"] == 2


@pytest.mark.filterwarnings("error")
def test_flags_and_fidelity_do_not_depend_on_the_number_of_items():
    ef.rapid_guesses(TEN.iloc[:, :3], 3)
    ef.response_time_fidelity(TEN.iloc[:, :3], 3)
    ef.response_time_effort(TEN, 3)


def answered_times(items, responses=None):
    """The matrix of answered times, as an analysis makes it."""
    done = completion.answered(items, responses).fillna(False).to_numpy(dtype=bool)
    return timing.time_matrix(items[done])


@few
@given(studies(), st.sampled_from(["fixed20", "nt50", "median60"]), st.booleans())
def test_screen_is_what_pandas_counts(study, method, given_responses):
    items, responses = study
    times = answered_times(items, responses if given_responses else None)
    found = ef.screen(times, method)
    limit = found.thresholds["threshold"]
    rapid = times.lt(limit, axis=1)
    timed = times.notna() & limit.notna()
    pd.testing.assert_frame_equal(found.flags, rapid, check_flags=False)
    rte = 1 - rapid.sum(axis=1) / timed.sum(axis=1).replace(0, np.nan)
    rtf = 1 - rapid.sum() / timed.sum().replace(0, np.nan)
    np.testing.assert_allclose(found.rte, rte, equal_nan=True)
    np.testing.assert_allclose(found.rtf, rtf, equal_nan=True)
    again = ef.screen(shuffled(times), method)
    pd.testing.assert_frame_equal(again.flags.loc[times.index], found.flags)
    pd.testing.assert_series_equal(again.rte[times.index], found.rte)


@few
@given(studies())
def test_a_subset_agrees_with_the_whole(study):
    items, _ = study
    times = answered_times(items)
    part = times[times.index.isin(["s0", "s2"])]
    whole, alone = ef.screen(times, 30), ef.screen(part, 30)
    pd.testing.assert_frame_equal(alone.flags, whole.flags.loc[part.index], check_flags=False)
    pd.testing.assert_series_equal(alone.rte, whole.rte[part.index])


@few
def test_a_matrix_in_any_layout():
    rng = np.random.default_rng(1)
    values = rng.lognormal(3, 1, (300, 300))
    values[rng.random(values.shape) < 0.1] = np.nan
    values[0, 0] = 0.0
    rows = pd.DataFrame(values)
    columns = pd.DataFrame(np.asfortranarray(values), copy=False)
    mixed = columns.astype({0: "Float64"})
    want = ef.screen(rows, "nt20")
    timed = values > 0
    rapid = timed & (values < want.thresholds["threshold"].to_numpy())
    np.testing.assert_array_equal(want.flags, rapid)
    np.testing.assert_allclose(want.rte, 1 - rapid.sum(1) / timed.sum(1))
    np.testing.assert_allclose(want.rtf, 1 - rapid.sum(0) / timed.sum(0))
    for other in (columns, mixed):
        found = ef.screen(other, "nt20")
        pd.testing.assert_frame_equal(found.flags, want.flags)
        pd.testing.assert_series_equal(found.rte, want.rte)


# Validity, moderation, filtering ----------------------------------------------------------------


def test_validity_by_hand():
    a, right_a = one_item([1, 1, 1, 1, 9, 9, None], [1, 0, 0, 0, 1, 1, 1])
    b, right_b = one_item([1, 9, 9, 9, 9, 9, 9], [0, 1, 1, 1, 0, None, 1], item="b")
    times, shares = several(a, b), several(right_a, right_b)
    table = ef.validity(times, 3, scores=shares, chance={"a": 0.25, "b": 0.5})
    assert table["flagged"].tolist() == [4, 1]
    assert table["unflagged"].tolist() == [2, 5]  # not without a time, not without a score
    np.testing.assert_allclose(table["share_flagged"], [4 / 6, 1 / 6])
    assert table["accuracy_flagged"].tolist() == [0.25, 0.0]
    assert table["accuracy_unflagged"].tolist() == [1.0, 0.8]
    np.testing.assert_allclose(table["z_flagged"], [0, -0.5 / 0.5])
    np.testing.assert_allclose(
        table["z_unflagged"], [0.75 / np.sqrt(0.1875 / 2), 0.3 / np.sqrt(0.05)]
    )
    whole = ef.validity(times, 3, scores=shares, chance={"a": 0.25, "b": 0.5}, per="all").iloc[0]
    assert whole["flagged"] == 5
    assert whole["accuracy_flagged"] == 0.2
    assert whole["chance"] == pytest.approx((6 * 0.25 + 6 * 0.5) / 12)
    assert whole["z_flagged"] == pytest.approx((1 - 1.5) / np.sqrt(4 * 0.1875 + 0.25))
    assert ef.validity(times, 3, scores=shares)["z_flagged"].isna().all()
    with pytest.raises(MeasureError, match="scores is None: pass a DataFrame"):
        ef.validity(times, 3, scores=None)
    with pytest.raises(MeasureError, match="per is 'session_id'"):
        ef.validity(times, 3, scores=shares, per="session_id")


def test_validity_of_a_matrix():
    times = pd.DataFrame({"a": [1.0, 9.0, NAN]})
    scores = pd.DataFrame({"a": [0.0, 0.5, 1.0]})
    table = ef.validity(times, 3, scores=scores, chance=0.25)
    assert table[["accuracy_flagged", "accuracy_unflagged"]].to_numpy().tolist() == [[0.0, 0.5]]


def test_effort_moderation_by_hand():
    flags = ef.rapid_guesses(TEN, 3)
    scores = TEN * 0 + 1
    moderated = ef.effort_moderated(scores, flags)
    assert moderated.isna().to_numpy().sum() == 6 + 10
    assert moderated.attrs["rapid_guesses"] == "set to missing: 6 cells"
    some = scores.loc[["t"], ["i9", "i0"]]
    np.testing.assert_equal(ef.effort_moderated(some, flags).to_numpy(), [[1.0, NAN]])
    assert scores.loc["s", "i0"] == 1
    with pytest.raises(MeasureError, match="flags lacks 1 of the 3 persons"):
        ef.effort_moderated(scores, flags.iloc[1:])
    with pytest.raises(MeasureError, match="flags has repeated persons"):
        ef.effort_moderated(scores, pd.concat([flags, flags]))
    with pytest.raises(MeasureError, match=r"flags is a Series of .*: pass a DataFrame"):
        ef.effort_moderated(scores, flags["i0"])


def test_motivation_mask_by_hand():
    rte = ef.response_time_effort(TEN, 3)
    assert ef.motivation_mask(rte).tolist() == [True, False, False]
    assert ef.motivation_mask(rte, 0.5).tolist() == [True, True, False]
    assert ef.motivation_mask(rte).attrs["unknown"] == 1
    with pytest.raises(MeasureError, match="minimum is 90"):
        ef.motivation_mask(rte, 90)


def test_empty_matrices_give_empty_results():
    empty = timing.time_matrix(EMPTY["items"])
    found = ef.screen(empty)
    assert found.thresholds.empty
    assert found.rte.empty
    assert found.rtf.empty
    assert len(found.flags) == 0
    assert ef.validity(empty, scores=empty).empty


def test_notes_are_plain_json_and_the_caller_frame_stays():
    before = TEN.copy(deep=True)
    screen = ef.screen(TEN, "nt10", cap=10)
    for result in (screen.thresholds, screen.flags, screen.rte, screen.rtf):
        assert json.loads(json.dumps(result.attrs)) == result.attrs
    pd.testing.assert_frame_equal(TEN, before)
    assert TEN.attrs == {}


# Recovery ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["nt10", "mixture", "cump"])
def test_simulated_guessers_are_found(method):
    rng = np.random.default_rng(11)
    persons, items = 1500, 30
    ability = rng.normal(0, 1, (persons, 1))
    difficulty = rng.normal(-0.5, 1, items)
    right = rng.random((persons, items)) < 0.25 + 0.75 / (1 + np.exp(difficulty - 1.5 * ability))
    times = np.exp(rng.normal(3.6, 0.4, items) - rng.normal(0, 0.25, (persons, 1)))
    times = times * np.exp(rng.normal(0, 0.4, (persons, items)))
    guesser = np.arange(persons) < 120
    rapid = guesser[:, None] & (np.arange(items) >= rng.integers(5, 25, (persons, 1)))
    times = np.where(rapid, rng.uniform(0.5, 1.5, times.shape), times)
    right = np.where(rapid, rng.random(times.shape) < 0.25, right).astype(float)
    found = ef.screen(pd.DataFrame(times), method, scores=pd.DataFrame(right), chance=0.25)
    known = found.thresholds["threshold"].notna().to_numpy()
    assert known.mean() > 0.6
    flags = found.flags.to_numpy()[:, known]
    truth = rapid[:, known]
    assert flags[truth].mean() > 0.95
    assert flags[~truth].mean() < 0.02
    below = found.rte.to_numpy() < 0.9
    assert below[guesser].mean() > 0.85
    assert below[~guesser].mean() < 0.03
    table = ef.validity(
        pd.DataFrame(times), method, scores=pd.DataFrame(right), chance=0.25, per="all"
    ).iloc[0]
    assert abs(table["z_flagged"]) < 4
    assert table["z_unflagged"] > 50


def test_guessers_of_the_simulated_study_are_found():
    tables, simulation = simulated(learners=1000, items=40, seed=5, rapid_guessers=0.1)
    times = answered_times(tables.items, tables.responses)
    keys = ["session_id", "item_reference"]
    truth = simulation.answers.groupby(keys)["rapid"].any().unstack()
    truth = truth.loc[times.index, times.columns].fillna(False).to_numpy(dtype=bool)
    flags = ef.rapid_guesses(times, "nt10").to_numpy()
    known = times.notna().to_numpy()
    assert truth[known].sum() > 500
    assert flags[known & truth].mean() > 0.95
    assert flags[known & ~truth].mean() < 0.005
    with pytest.warns(RuleWarning, match="fewer than 10 timed answers"):
        rte = ef.response_time_effort(times)
    sessions = simulation.truth["sessions"].set_index("session_id").loc[rte.index]
    share = simulation.answers.assign(done=lambda all_: all_["outcome"] == "answered")
    share = share.groupby("session_id")[["rapid", "done"]].sum().loc[rte.index]
    guessed = sessions["rapid_from"].notna() & (share["rapid"] > 0.15 * share["done"])
    assert (rte[guessed] < 0.9).mean() > 0.95
    assert (rte[sessions["rapid_from"].isna()] < 0.9).mean() < 0.01
