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
    found = flags(item_statistics(matrix), alpha=reliability(matrix)["alpha"], minimum_n=10)
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
    found = flags(item_statistics(matrix, cells=codes), minimum_n=1).set_index("flag")
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
    statistics = pd.DataFrame({"p": [0.3, 0.9], "n": [40, 100]}, index=["a", "b"])
    assert flags(statistics).empty
    assert flags(statistics, limits={"too hard": 0.4})["item"].tolist() == ["a"]
    own = FlagRule("few persons", "items", "n", "<", 50, "too few for any statistic")
    found = flags(statistics, rules=[*RULES.values(), own])
    assert found[["item", "flag", "value", "limit", "rule"]].values.tolist() == [
        ["a", "few persons", 40.0, 50.0, "n < 50"]
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


def test_no_flag_and_no_clean_bill_for_few_persons():
    statistics = pd.DataFrame(
        {"p": [0.0, 0.0, 0.0, 0.5], "n": [1, 29, 30, 1]}, index=["one", "few", "enough", "fair"]
    )
    found = flags(statistics)
    assert found.loc[found["flag"] == "too hard", "item"].tolist() == ["enough"]
    few = found[found["flag"] == "too few persons"]
    assert few[["item", "value", "limit", "rule"]].values.tolist() == [
        ["one", 1.0, 30.0, "n < 30"],
        ["few", 29.0, 30.0, "n < 30"],
        ["fair", 1.0, 30.0, "n < 30"],
    ]
    assert found.attrs["too_few"]["too hard"] == 3
    assert found.attrs["minimum_n"] == 30
    anyway = flags(statistics, minimum_n=1)
    assert anyway["flag"].tolist() == ["too hard"] * 3
    # A rule about the number itself is about any number.
    own = FlagRule("few persons", "items", "n", "<", 5, "hardly anybody")
    assert flags(statistics, rules=[own])["item"].tolist() == ["one", "fair"]
    with pytest.raises(MeasureError, match="minimum_n is 0"):
        flags(statistics, minimum_n=0)


def test_a_rule_on_a_share_goes_by_its_denominator():
    statistics = pd.DataFrame(
        {"n_omitted": [5, 5], "n_reached": [10, 40], "p": [0.5, 0.5], "n": [100, 100]},
        index=["few", "enough"],
    )
    found = flags(statistics)
    assert found[["item", "flag"]].values.tolist() == [
        ["enough", "often omitted"],
        ["few", "too few persons"],
    ]


def test_options_of_few_persons_are_not_judged():
    choices, scores = simulated(persons=25)
    table = distractors(choices, scores, key=dict.fromkeys(scores, 1))
    found = flags(item_statistics(scores), table)
    assert set(found["flag"]) == {"too few persons"}
    assert sorted(found["item"]) == list(scores)
    assert found.attrs["too_few"]["unused distractor"] == (~table["key"].fillna(True)).sum()
    judged = flags(item_statistics(scores), table, minimum_n=20)
    assert "distractor better than key" in set(judged["flag"])


NUMBERS = {
    "int": [2, 1, 10, 2],
    "gap": [2, 1, 10, None, 2],
    "Int64": pd.array([2, 1, 10, None, 2], dtype="Int64"),
    "object": pd.Series([2, "1", 10.0, None, np.float64(2)], dtype=object),
    "category": pd.Series([2, 1, 10, None, 2], dtype="category"),
    "text": ["2", "1", "10", None, "2"],
}


@pytest.mark.parametrize("kind", NUMBERS)
@pytest.mark.parametrize("key", [2, 2.0, "2", np.int64(2), [2.0, None]])
def test_numeric_choices_keep_their_labels(kind, key):
    values = NUMBERS[kind]
    choices = pd.DataFrame(
        {
            "session_id": [f"p{row}" for row in range(len(values))],
            "item_reference": "q",
            "choice": values,
        }
    )
    found = distractors(choices, key={"q": key}).drop("(none)", level="option", errors="ignore")
    assert found.index.get_level_values("option").tolist() == ["1", "2", "10"]
    assert found["key"].tolist() == [False, True, False]
    assert found["n"].tolist() == [1, 2, 1]


def test_other_numeric_labels():
    def options(values):
        choices = pd.DataFrame(
            {"session_id": range(len(values)), "item_reference": "q", "choice": values}
        )
        found = distractors(choices).index.get_level_values("option")
        return [one for one in found if one != "(none)"]

    assert options([2.5, 10.5, None]) == ["2.5", "10.5"]
    assert options([2.5, 3, None]) == ["2.5", "3"]
    assert options([True, None, False]) == ["False", "True"]
    assert options([-1.0, 2.0, None]) == ["-1", "2"]


def test_a_key_with_gaps():
    choices = pd.DataFrame(
        {"session_id": list("abcd"), "item_reference": list("ppqq"), "choice": [1, 2, 2, 1]}
    )
    found = distractors(choices, key=pd.Series({"p": 2.0, "q": np.nan}))
    assert found["key"].tolist() == [False, True, pd.NA, pd.NA]
    with pytest.raises(MeasureError, match="no entry for any of the 2 items"):
        distractors(choices, key=pd.Series({"p": np.nan, "other": 1.0}))


def test_items_and_slots_that_a_gap_made_floats_of():
    choices = pd.DataFrame(
        {
            "session_id": list("aabb"),
            "item_reference": [7.0, 8.0, 7.0, 8.0],
            "slot": [0.0, None, 1.0, None],
            "choice": ["x", "y", "x", "y"],
        }
    )
    scores = pd.DataFrame({7: [1.0, 0.0], 8: [0.0, 1.0]}, index=["a", "b"])
    found = distractors(choices, scores, key={7: "x"})
    # Who has a score on the item has seen both of its slots.
    assert [str(label) for label in found.index[found["n"] == 1]] == [
        "(7, 0, 'x')",
        "(7, 0, '(none)')",
        "(7, 1, 'x')",
        "(7, 1, '(none)')",
    ]
    whole = distractors(choices.drop(columns="slot"), scores)
    assert [str(label) for label in whole.index] == ["(7, 'x')", "(8, 'y')"]


def test_persons_without_answers_change_no_option():
    choices, scores = simulated(persons=60)
    more = scores.reindex([*scores.index, "new", "newer"])
    key = dict.fromkeys(scores, 0)
    pd.testing.assert_frame_equal(
        distractors(choices, more, key=key), distractors(choices, scores, key=key)
    )
    pd.testing.assert_frame_equal(trace_lines(choices, more), trace_lines(choices, scores))
    pd.testing.assert_frame_equal(
        distractors(choices, scores * 0.25, key=key, max_score=0.25),
        distractors(choices, scores, key=key, max_score=1),
    )
