"""Distractor tables, trace lines and flags."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lrnanalysis.errors import MeasureError
from lrnanalysis.measures.answer_decoding import choices as decode_choices
from lrnanalysis.measures.classical import (
    RULES,
    FlagRule,
    distractors,
    flags,
    item_statistics,
    reliability,
    trace_lines,
)

SCORES = pd.DataFrame(
    {
        "q1": [1.0, 1, 0, 0, 0, np.nan],
        "q2": [1.0, 0, 1, 0, 0, 1],
        "q3": [2.0, 2, 1, 0, 1, 0],
    },
    index=["p1", "p2", "p3", "p4", "p5", "p6"],
)
CHOICES = pd.DataFrame(
    [
        ("p1", "q1", "B"),
        ("p2", "q1", "B"),
        ("p3", "q1", "C"),
        ("p4", "q1", "A"),
        # p5 saw q1, by the scores, and took nothing; p6 never saw it.
        ("p1", "q3", "0"),
        ("p1", "q3", "2"),
        ("p2", "q3", "2"),
        ("p2", "q3", "0"),
        ("p3", "q3", "0"),
        ("p4", "q3", "1"),
        ("p5", "q3", "0"),
        ("p5", "q3", "10"),
        ("p6", "q3", None),
    ],
    columns=["session_id", "item_reference", "choice"],
)
KEY = {"q1": "B", "q3": ["0", "2"]}


def simulated(persons=400, items=4, seed=5):
    """Choices of four options, the first correct, with their scores."""
    rng = np.random.default_rng(seed)
    ability = rng.normal(size=persons)
    right = ability[:, None] + rng.logistic(size=(persons, items)) > 0
    option = np.where(right, 0, rng.integers(1, 4, size=right.shape))
    names = [f"q{number}" for number in range(items)]
    people = [f"p{number}" for number in range(persons)]
    scores = pd.DataFrame(right.astype(float), index=people, columns=names)
    choices = (
        pd.DataFrame(option, index=pd.Index(people, name="session_id"), columns=names)
        .rename_axis(columns="item_reference")
        .stack()
        .rename("choice")
        .reset_index()
    )
    return choices, scores


def test_table_by_hand():
    found = distractors(CHOICES, SCORES, key=KEY)
    q1 = found.loc["q1"]
    assert q1.index.tolist() == ["A", "B", "C", "(none)"]
    assert q1["key"].tolist() == [False, True, False, pd.NA]
    assert q1["n"].tolist() == [1, 2, 1, 1]
    assert q1["n_seen"].tolist() == [5] * 4
    assert q1["share"].tolist() == pytest.approx([0.2, 0.4, 0.2, 0.2])
    rest = SCORES.loc["p1":"p5", ["q2", "q3"]].sum(axis=1) / 3
    taken = np.array([1.0, 1, 0, 0, 0])
    assert q1.loc["B", "option_rest_r"] == pytest.approx(np.corrcoef(taken, rest)[0, 1])
    assert q1["key_rest_r"].tolist() == pytest.approx([q1.loc["B", "option_rest_r"]] * 4)
    assert q1.loc["B", "mean_rest"] == pytest.approx((1 + 2 / 3) / 2)
    assert q1["mean_score"].tolist() == [0, 1, 0, 0]


def test_several_options_by_option_and_by_pattern():
    found = distractors(CHOICES, SCORES, key=KEY).loc["q3"]
    assert found.index.tolist() == ["0", "1", "2", "10", "(none)"]
    assert found["n"].tolist() == [4, 1, 2, 1, 1]
    assert found["key"].tolist() == [True, False, True, False, pd.NA]
    assert found["mean_score"].tolist() == pytest.approx([6 / 8, 0, 1, 1 / 2, 0])
    whole = distractors(CHOICES, SCORES, key=KEY, by="pattern").loc["q3"]
    assert whole["n"].to_dict() == {"0": 1, "1": 1, "0 + 2": 2, "0 + 10": 1, "(none)": 1}
    assert whole["key"].fillna(False).to_dict() == {
        "0": False,
        "1": False,
        "0 + 2": True,
        "0 + 10": False,
        "(none)": False,
    }


def test_options_may_be_called_anything():
    choices = pd.DataFrame(
        {
            "session_id": ["p1", "p2", "p2"],
            "item_reference": "q1",
            "choice": ["x + y", "x", "y"],
        }
    )
    whole = distractors(choices, key={"q1": "x + y"}, by="pattern")
    assert whole["key"].tolist() == [True, False]
    assert whole["n"].tolist() == [1, 1]


def test_an_option_named_twice_counts_once():
    twice = pd.concat([CHOICES, CHOICES])
    pd.testing.assert_frame_equal(
        distractors(twice, SCORES, key=KEY), distractors(CHOICES, SCORES, key=KEY)
    )


def test_shares_alone_without_scores():
    found = distractors(CHOICES)
    assert found.columns.tolist() == ["key", "n", "n_seen", "share"]
    assert found.loc[("q1", "B"), "share"] == 2 / 4
    assert found.loc[("q3", "(none)"), "n"] == 1
    assert found["key"].isna().all()


def test_parts_of_an_item():
    parts = CHOICES.assign(stem=np.where(CHOICES["choice"] == "2", "right", "left"))
    found = distractors(parts, SCORES, key={("q3", "right"): "2"}, part=["stem"])
    assert found.index.names == ["item_reference", "stem", "option"]
    assert found.loc[("q3", "right", "2"), "n"] == 2
    # Who saw the item saw all of its parts.
    assert found.loc[("q3", "right", "(none)"), "n"] == 4
    assert found.loc[("q3", "right"), "key"].tolist() == [True, pd.NA]
    assert found.loc[("q3", "left"), "key"].isna().all()


def test_score_groups():
    choices, scores = simulated()
    found = distractors(choices, scores, key=dict.fromkeys(scores, 0), groups=3)
    key = found[found["key"]]
    assert (key["share_3"] > key["share_1"]).all()
    total = scores.sum(axis=1)
    # Half the group's persons decide where a total belongs.
    middle = total.rank(method="average") - 0.5
    group = (middle / len(total) * 3).astype(int)
    expected = scores.groupby(group).mean()
    assert key.loc["q0", ["share_1", "share_2", "share_3"]].to_numpy().ravel() == pytest.approx(
        expected["q0"].to_numpy()
    )


def test_trace_lines_add_up_to_the_groups():
    choices, scores = simulated()
    lines = trace_lines(choices, scores, groups=4)
    sums = lines.groupby(["item_reference", "group"])[["share", "n"]].sum()
    assert sums["share"].to_numpy() == pytest.approx(1)
    seen = lines.groupby(["item_reference", "group"])["n_seen"].first()
    assert (sums["n"] == seen).all()
    assert (lines["low"] <= lines["share"]).all()
    assert (lines["high"] >= lines["share"]).all()
    by_score = lines.xs(("q1", "0"))["share"]
    assert by_score.is_monotonic_increasing
    assert lines.xs(("q1", "0"))["score"].is_monotonic_increasing


def test_trace_lines_leave_out_groups_that_never_saw_the_item():
    scores = SCORES.assign(q4=[1.0, 1, np.nan, np.nan, np.nan, np.nan])
    choices = pd.DataFrame(
        {"session_id": ["p1", "p2"], "item_reference": "q4", "choice": ["x", "y"]}
    )
    lines = trace_lines(choices, scores, groups=3)
    assert lines.reset_index()["group"].unique().tolist() == [3]


def test_persons_outside_the_scores_are_left_out_and_counted():
    found = distractors(CHOICES, SCORES.drop(index="p1"), key=KEY)
    assert found.attrs["choices_left_out"] == 3
    assert found.loc[("q1", "B"), "n"] == 1


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32))
def test_order_does_not_matter(seed):
    choices, scores = simulated(60, 3)
    rng = np.random.default_rng(seed)
    shuffled = choices.iloc[rng.permutation(len(choices))]
    people = scores.iloc[rng.permutation(len(scores))]
    found = distractors(shuffled, people).sort_index()
    pd.testing.assert_frame_equal(found, distractors(choices, scores).sort_index())
    whole = distractors(shuffled, people, by="pattern").sort_index()
    pd.testing.assert_frame_equal(whole, distractors(choices, scores, by="pattern").sort_index())


def test_categories_keep_their_order():
    choices = CHOICES.assign(
        item_reference=pd.Categorical(CHOICES["item_reference"], categories=["q3", "q2", "q1"])
    )
    found = distractors(choices, SCORES)
    assert found.index.get_level_values(0).unique().tolist() == ["q3", "q1"]


@pytest.mark.parametrize(
    ("choices", "arguments", "message"),
    [
        (CHOICES.drop(columns="choice"), {}, "no column 'choice'"),
        (CHOICES.mask(CHOICES == "q1"), {}, "4 choices have no item_reference"),
        (CHOICES.replace(regex="^p", value="s"), {}, "none of the 13 choices"),
        (CHOICES, {"key": {"q9": "A"}}, "key has no entry for any of the 2 items"),
        (CHOICES, {"by": "answer"}, "by is 'answer'"),
        (CHOICES, {"groups": 1}, "groups is 1"),
    ],
)
def test_wrong_arguments(choices, arguments, message):
    with pytest.raises(MeasureError, match=message):
        distractors(choices, SCORES, **arguments)


@pytest.mark.parametrize("measure", [distractors, trace_lines])
def test_repeated_persons_are_refused(measure):
    with pytest.raises(MeasureError, match="scores has repeated persons: give every person one"):
        measure(CHOICES, pd.concat([SCORES, SCORES.iloc[:1]]))


def test_too_many_options_for_patterns():
    choices = pd.DataFrame(
        {"session_id": "p1", "item_reference": "q1", "choice": np.arange(63).astype(str)}
    )
    with pytest.raises(MeasureError, match="more than 62 options"):
        distractors(choices, by="pattern")


def test_flags_of_items():
    matrix = pd.DataFrame(
        {
            "hard": [0.0] * 9 + [1],
            "free": [1.0] * 10,
            "fair": [0.0, 0, 0, 0, 0, 1, 1, 1, 1, 1],
            "like": [0.0, 0, 0, 0, 1, 1, 1, 1, 1, 1],
            "turned": [1.0, 1, 1, 1, 1, 0, 0, 0, 0, 0],
        }
    )
    found = flags(item_statistics(matrix), alpha=reliability(matrix)["alpha"])
    named = found.groupby("flag")["item"].agg(list).to_dict()
    assert named["too hard"] == ["hard"]
    assert named["too easy"] == ["free"]
    assert "turned" in named["negative discrimination"]
    assert "turned" in named["lowers alpha"]
    assert set(found.attrs["skipped"]) == {
        "often omitted",
        "often not reached",
        "distractor better than key",
        "attractive to the strong",
        "unused distractor",
    }
    assert found["option"].isna().all()


def test_flags_of_missing_kinds():
    matrix = pd.DataFrame({"a": [1.0, 0, 0, 0, np.nan], "b": [1.0, 0, 1, 0, 1]})
    codes = pd.DataFrame(
        {
            "a": ["right", "wrong", "omitted", "omitted", "not reached"],
            "b": ["right", "wrong", "right", "wrong", "right"],
        }
    )
    found = flags(item_statistics(matrix, cells=codes)).set_index("flag")
    assert found.loc["often omitted", ["item", "value"]].tolist() == ["a", 0.5]
    assert found.loc["often not reached", ["item", "value"]].tolist() == ["a", 0.2]


def test_flags_of_options():
    choices, scores = simulated()
    # A wrong key: option 1 is taken for correct, and option 0 does better.
    table = distractors(choices, scores, key={"q0": 1, "q1": 0, "q2": 0, "q3": 0})
    found = flags(item_statistics(scores), table)
    better = found[found["flag"] == "distractor better than key"]
    assert better["option"].iloc[0] == "0"
    assert better["value"].iloc[0] == table.loc[("q0", "0"), "option_rest_r"]
    assert better["limit"].iloc[0] == table.loc[("q0", "1"), "option_rest_r"]
    assert set(better["item"]) == {"q0"}


def test_rules_can_be_changed():
    statistics = pd.DataFrame({"p": [0.3, 0.9], "n": [10, 100]}, index=["a", "b"])
    assert flags(statistics).empty
    assert flags(statistics, limits={"too hard": 0.4})["item"].tolist() == ["a"]
    own = FlagRule("few persons", "items", "n", "<", 30, "too few for any statistic")
    found = flags(statistics, rules=[*RULES.values(), own])
    assert found[["item", "flag", "value", "limit", "rule"]].values.tolist() == [
        ["a", "few persons", 10.0, 30.0, "n < 30"]
    ]
    with pytest.raises(MeasureError, match="'too easyy'"):
        flags(statistics, limits={"too easyy": 0.9})


def test_empty_flags_have_the_same_columns():
    statistics = pd.DataFrame({"p": [0.5]}, index=["a"])
    some = flags(statistics, limits={"too hard": 0.6})
    none = flags(statistics)
    assert none.columns.tolist() == some.columns.tolist()
    assert none.dtypes.astype(str).to_dict() == some.dtypes.astype(str).to_dict()


def test_decoded_choices_fit_as_they_come():
    responses = pd.DataFrame(
        {
            "session_id": ["p1", "p2", "p3", "p1", "p2", "p3"],
            "response_id": ["a", "b", "c", "d", "e", "f"],
            "item_reference": ["q1"] * 3 + ["q2"] * 3,
            "question_reference": ["q1a"] * 3 + ["q2a"] * 3,
            "question_type": ["mcq"] * 3 + ["clozedropdown"] * 3,
            "value": ['["0"]', '["1"]', '["0"]', '["x","y"]', '["x",null]', '["z","y"]'],
        }
    )
    decoded = decode_choices(responses)
    found = distractors(decoded, key={"q1": "0", ("q2", 1): "y"})
    assert found.index.names == ["item_reference", "slot", "option"]
    slots = found.loc["q2"]
    assert slots.loc[0, "n"].to_dict() == {"x": 2, "z": 1}
    assert slots.loc[1, "n"].to_dict() == {"y": 2}
    assert slots.loc[1, "key"].tolist() == [True]
    assert slots.loc[0, "key"].isna().all()
    assert found.loc["q1", "key"].tolist() == [True, False]
    assert distractors(decoded[decoded["slot"].isna()]).index.nlevels == 2


def test_questions_of_one_item_are_kept_apart():
    choices = CHOICES.assign(question_reference=CHOICES["item_reference"] + "-a")
    assert distractors(choices).index.nlevels == 2
    choices.loc[0, "question_reference"] = "q1-b"
    assert distractors(choices).index.names[1] == "question_reference"
