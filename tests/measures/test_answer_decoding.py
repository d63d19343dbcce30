"""Raw response values to choices: every closed type by hand, and what cannot be decoded."""

import json

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lrnanalysis.errors import MeasureError
from lrnanalysis.measures import answer_decoding as ch
from lrnanalysis.warnings import DataWarning
from measure_tables import EMPTY, run_doctests


def responses(*rows, **more):
    """A responses table of rows (question type, value as JSON text)."""
    frame = pd.DataFrame(rows, columns=["question_type", "value"])
    frame = frame.astype({"question_type": "category", "value": "str"})
    return frame.assign(response_id=[f"r{at}" for at in range(len(frame))], **more)


def pairs(frame):
    return [
        (None if pd.isna(slot) else int(slot), choice)
        for slot, choice in zip(frame["slot"], frame["choice"], strict=True)
    ]


def test_examples_run():
    assert run_doctests("lrnanalysis.measures.answer_decoding") > 6


@pytest.mark.parametrize(
    ("kind", "value", "want"),
    [
        ("mcq", ["0", "2"], [(None, "0"), (None, "2")]),
        ("mcq", [], []),
        ("rating", ["4"], [(None, "4")]),
        ("hotspot", ["3"], [(None, "3")]),
        ("tokenhighlight", [4, 7], [(None, "4"), (None, "7")]),
        ("choicematrix", [1, None, [0, 2]], [(0, "1"), (2, "0"), (2, "2")]),
        ("classification", [[2, 0], [], [1]], [(0, "2"), (0, "0"), (2, "1")]),
        ("bowtie", [[0], None, [3, 4]], [(0, "0"), (2, "3"), (2, "4")]),
        ("association", ["a", None, "b"], [(0, "a"), (2, "b")]),
        ("clozeassociation", [None, None], []),
        ("clozedropdown", ["since", "for"], [(0, "since"), (1, "for")]),
        ("imageclozeassociationV2", ["x"], [(0, "x")]),
        ("orderlist", [2, 0, 1], [(0, "2"), (1, "0"), (2, "1")]),
        ("sortlist", [1, None], [(0, "1")]),
        ("mcq", None, []),
    ],
)
def test_closed_types(kind, value, want):
    found = ch.choices(responses((kind, json.dumps(value))))
    assert pairs(found) == want
    assert found.attrs["decoded"] == 1


def test_one_row_per_choice_with_keys_and_index():
    frame = responses(("mcq", '["1"]'), ("association", '["a","b"]'), ("mcq", None)).assign(
        session_id="s", item_reference=pd.Categorical(["x", "y", "z"])
    )
    frame.index = [10, 20, 30]
    found = ch.choices(frame)
    assert found.index.tolist() == [10, 20, 20]
    assert found.columns.tolist() == [
        "session_id", "response_id", "item_reference", "question_type", "slot", "choice",
    ]  # fmt: skip
    assert found["item_reference"].tolist() == ["x", "y", "y"]
    assert (found["slot"].dtype, found["choice"].dtype) == ("Int64", "str")
    assert found.attrs["not answered"] == 1


def test_what_cannot_be_decoded_is_counted_not_guessed():
    frame = responses(
        ("mcq", '"0"'),  # text where a list belongs
        ("mcq", '[{"a":1}]'),
        ("mcq", "[true]"),
        ("orderlist", "[1.5]"),
        ("mcq", '["0"'),  # cut off
        ("longtextV2", '"An essay"'),
        ("custom", "[0]"),
        (None, '["0"]'),
        ("mcq", None),
        ("mcq", '["0"]'),
    )
    frame["attempted"] = pd.array([True] * 9 + [None], dtype="boolean")
    found = ch.choices(frame)
    assert pairs(found) == [(None, "0")]
    assert found.attrs == {
        "responses": 10, "decoded": 1, "not answered": 0, "not a closed type": 3, "no value": 1,
        "not JSON": 1, "wrong shape": 4,
    }  # fmt: skip
    table = ch.decodable(frame)
    assert table["responses"].sum() == 10
    assert table.loc["mcq", "wrong shape"] == 3
    assert table.loc["mcq", "no value"] == 1
    assert table.loc["(missing)", "not a closed type"] == 1
    frame.loc[8, "attempted"] = False
    assert ch.choices(frame).attrs["not answered"] == 1


_option = st.text("abc-12é", min_size=1, max_size=4)


@given(
    st.lists(st.tuples(st.sampled_from(["mcq", "association"]), st.lists(_option, max_size=4))),
    st.randoms(use_true_random=False),
)
def test_choices_give_the_values_back(values, random):
    frame = responses(*[(kind, json.dumps(value)) for kind, value in values])
    found = ch.choices(frame)
    back = found.groupby("response_id")["choice"].agg(list).to_dict()
    want = {f"r{at}": value for at, (_, value) in enumerate(values) if value}
    assert back == want
    order = list(range(len(frame)))
    random.shuffle(order)
    again = ch.choices(frame.iloc[order]).sort_index(kind="stable")
    pd.testing.assert_frame_equal(again, found)
    half = frame.iloc[: len(frame) // 2]
    pd.testing.assert_frame_equal(
        ch.choices(half), found[found["response_id"].isin(half["response_id"])]
    )


def test_labels_as_text_are_the_same():
    frame = responses(("mcq", '["1"]'), ("orderlist", "[1,0]"))
    text = frame.astype({"question_type": "str"})
    assert pairs(ch.choices(text)) == pairs(ch.choices(frame))


def test_values():
    frame = responses(("mcq", '["0"]'), ("custom", '{"a":[1,null]}'), ("mcq", None), ("x", "1.5"))
    found = ch.values(frame)
    assert found.tolist() == [["0"], {"a": [1, None]}, None, 1.5]
    assert found.dtype == object
    found[0].append("9")  # objects are not shared
    assert ch.values(frame)[0] == ["0"]
    with pytest.warns(DataWarning, match="1 of 1 values are not JSON") as said:
        assert ch.values(responses(("mcq", "[0"))).tolist() == [None]
    assert said[0].filename == __file__


def test_words():
    frame = responses(
        ("longtextV2", '"<p>Ignored</p>"'),
        ("longtextV2", '"<p>Two&nbsp;words.</p><p>It\'s a well-known one</p>"'),
        ("shorttext", '"12.5"'),
        ("mcq", '["0"]'),
        ("longtext", None),
        ("plaintext", "[1]"),
    ).assign(word_count=pd.array([33, None, None, None, None, None], dtype="Int64"))
    found = ch.words(frame)
    assert found.tolist() == [33, 6, 2, pd.NA, pd.NA, pd.NA]
    assert found.attrs["counted_here"] == 2
    assert ch.words(frame[["word_count"]]).tolist() == [33] + [pd.NA] * 5


def test_rows_multiplied_by_a_merge_are_refused():
    frame = responses(("mcq", '["0"]')).assign(session_id="s", word_count=1)
    for measure in (ch.choices, ch.decodable, ch.values, ch.words):
        with pytest.raises(MeasureError, match=r"1 rows of responses repeat.*drop_duplicates"):
            measure(pd.concat([frame, frame]))


def test_nothing_to_decode():
    empty = EMPTY["responses"]
    assert ch.choices(empty).empty
    assert ch.choices(empty)["choice"].dtype == "str"
    assert ch.decodable(empty).empty
    assert ch.values(empty).empty
    assert ch.words(empty).empty
    with pytest.raises(MeasureError, match="no column 'value'"):
        ch.choices(pd.DataFrame({"question_type": ["mcq"]}))


def test_the_callers_frame_stays_as_it_is():
    frame = responses(("mcq", '["0"]'))
    before = frame.copy(deep=True)
    found = ch.choices(frame)
    found["response_id"] = "x"
    ch.values(frame)
    pd.testing.assert_frame_equal(frame, before)
    assert frame.attrs == {}
