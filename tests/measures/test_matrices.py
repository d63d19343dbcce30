"""From long tables to matrices: keys, links, rows of sessions, cells."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lrnanalysis.errors import MeasureError
from lrnanalysis.measures import completion, dif, irt, timing
from lrnanalysis.measures.matrices import (
    Keys,
    MatrixBuilder,
    check_unique_key,
    factorise,
    factorise_columns,
    item_responses,
    link_rows,
    person_keys,
    session_rows,
)
from lrnanalysis.measures.matrices.keys import count_repeated
from lrnanalysis.measures.scores import CELL_DTYPE
from measure_tables import (
    items_frame,
    one_session,
    responses_frame,
    run_doctests,
    shuffled,
    studies,
)


def test_examples_run():
    assert run_doctests("lrnanalysis.measures.matrices") > 5
    assert run_doctests("lrnanalysis.measures._checks") > 5


# Keys -------------------------------------------------------------------------------------------


COLUMNS = {
    "text": pd.Series(["b", None, "a", "b"], dtype="str"),
    "object": pd.Series(["b", None, "a", "b"], dtype=object),
    "integers": pd.Series([7, None, 3, 7], dtype="Int64"),
    "category": pd.Series(["b", None, "a", "b"], dtype="category"),
    "unused": pd.Series(pd.Categorical(["b", None, "a", "b"], categories=[*"zbya"])),
    "dates": pd.Series(pd.to_datetime(["2026-01-02", None, "2026-01-01", "2026-01-02"])),
}


@pytest.mark.parametrize("column", COLUMNS.values(), ids=COLUMNS)
def test_codes_and_labels_give_the_column_back(column):
    keys = factorise(column)
    assert keys.codes[1] == -1
    known = column.notna()
    assert keys.labels.take(keys.codes[known]).tolist() == column[known].tolist()
    assert sorted(set(keys.codes)) == [-1, 0, 1]  # only labels that occur
    persons = person_keys(pd.DataFrame({"who": column[known]}), "who")
    assert persons.codes.tolist() == [0, 1, 0]  # in order of appearance
    assert persons.labels.name == "who"


def test_categories_keep_their_order_and_text_its_appearance():
    assert factorise(COLUMNS["unused"]).labels.tolist() == ["b", "a"]
    assert factorise(COLUMNS["category"]).labels.tolist() == ["a", "b"]
    assert factorise(COLUMNS["text"]).labels.tolist() == ["b", "a"]


@given(st.lists(st.tuples(st.sampled_from([*"abc", None]), st.sampled_from([1, 2, None]))))
@settings(max_examples=60)
def test_groups_by_several_columns_are_those_of_pandas(rows):
    frame = pd.DataFrame(rows, columns=["text", "number"]).astype(
        {"text": "str", "number": "Int64"}
    )
    keys = factorise_columns(frame, ["text", "number"])
    want = frame.dropna()
    assert (keys.codes >= 0).sum() == len(want)
    labels = keys.labels.take(keys.codes[keys.codes >= 0]).tolist()
    assert labels == list(want.itertuples(index=False, name=None))
    assert keys.labels.is_unique
    assert keys.labels.names == ["text", "number"]


@pytest.mark.parametrize("shuffle", [False, True])
def test_repeated_keys_are_counted(shuffle):
    items = pd.concat([one_session([9.0] * 3, [1] * 3, session=name) for name in "st"])
    items = shuffled(items) if shuffle else items
    check_unique_key(items, "items")
    check_unique_key(items.drop(columns="item_reference"), "items")  # nothing to compare
    with pytest.raises(MeasureError, match=r"2 rows of items repeat the session_id and item_ref"):
        check_unique_key(pd.concat([items, items.iloc[:2]]), "items")
    with pytest.raises(MeasureError, match=r"a record may hold an item twice.*keep the first row"):
        session_rows(pd.concat([items, items.iloc[:2]]))
    missing = items.assign(item_reference=[None, None, "a", "b", "c", "d"])
    check_unique_key(missing, "items")  # rows without a key repeat no other


@given(st.lists(st.integers(0, 40)), st.sampled_from([41, 10**7]))
def test_repeated_cells_are_counted_in_dense_and_in_sparse_tables(cells, size):
    assert count_repeated(np.array(cells, dtype=np.int64), size) == len(cells) - len(set(cells))


def chunked(ids):
    """The ids as a text column of many pieces, as a long fetch leaves it."""
    return pd.concat([ids.iloc[at : at + 1] for at in range(len(ids))])


@pytest.mark.parametrize(
    "convert",
    [
        chunked,
        lambda ids: ids.astype("category"),
        lambda ids: ids.astype("category").cat.reorder_categories(["t", "s"]),
        lambda ids: ids.astype(object),
        lambda ids: ids.astype("string[pyarrow]"),
        lambda ids: ids.astype(pd.StringDtype("python", na_value=np.nan)),
        lambda ids: ids.map({"s": 7, "t": 3}).astype("Int64"),
        lambda ids: ids.map({"s": 7, "t": 3}),
        lambda ids: ids + ids,
        lambda ids: ids.where(ids != "s", "longer"),
    ],
)
@pytest.mark.parametrize("mixed", [False, True])
def test_session_ids_of_any_kind(convert, mixed):
    items = pd.concat(
        [one_session([9.0, 4.0, 0.0], [1, 0, 0]), one_session([5.0, 0.0], [1, 0], session="t")],
        ignore_index=True,
    )
    items = shuffled(items, 4) if mixed else items
    other = items.assign(session_id=convert(items["session_id"]))
    np.testing.assert_array_equal(timing.time_matrix(other), timing.time_matrix(items))
    assert completion.not_reached(other).tolist() == completion.not_reached(items).tolist()
    sums = timing.active_time(other)
    assert sorted(sums) == [5.0, 13.0]
    assert sums.index.dtype == timing.time_matrix(other).index.dtype


def test_unused_categories_make_no_columns():
    items = items_frame(("s", "a", 1, 5.0, 1, 1), ("t", "b", 1, 6.0, 1, 1))
    assert timing.time_matrix(items[items["session_id"] == "t"]).columns.tolist() == ["b"]
    assert timing.time_summary(items[items["session_id"] == "t"]).index.tolist() == ["b"]


@pytest.mark.parametrize("sessions", [40, 4000])
def test_responses_find_their_items_among_few_and_among_thousands(sessions):
    # 4,000 sessions × 1,000 items, of which each session has three: too many cells for a table.
    rng = np.random.default_rng(1)
    names = ["session_id", "item_reference"]
    items = pd.DataFrame(
        {
            "session_id": np.repeat([f"s{at}" for at in range(sessions)], 3),
            "item_reference": [f"i{at}" for at in rng.integers(0, 1000, 3 * sessions)],
        }
    ).drop_duplicates(ignore_index=True)
    strangers = pd.DataFrame({"session_id": ["s1", "x", None], "item_reference": ["?", "i1", "i2"]})
    responses = pd.concat([shuffled(items), strangers], ignore_index=True)
    want = responses.merge(items.reset_index(), on=names, how="left")["index"].fillna(-1)
    assert link_rows(items, responses).tolist() == want.tolist()


# Rows of sessions, and responses ----------------------------------------------------------------


@given(studies())
@settings(max_examples=40)
def test_rows_of_sessions_are_a_sorted_frame(study):
    items = shuffled(study[0])
    rows = session_rows(items)
    order = items["session_id"].map({name: at for at, name in enumerate(rows.labels)})
    want = items.assign(order=order).sort_values(["order", "position"], kind="stable")
    assert items.iloc[rows.order].index.tolist() == want.index.tolist()
    counts = items["session_id"].value_counts()[rows.labels]
    assert rows.lengths.tolist() == counts.tolist()
    assert rows.labels.tolist() == items["session_id"].unique().tolist()
    values = items["position"].to_numpy()
    np.testing.assert_array_equal(rows.as_frame(rows.grouped(values)), values)
    assert rows.spread(rows.ends - rows.starts + 1).tolist() == rows.spread(rows.lengths).tolist()


def test_responses_of_an_item_are_summed_up():
    items = one_session([9.0] * 4, [None] * 4)
    responses = responses_frame(
        ("s", "a", True, 1.0, True), ("s", "a", True, None, False), ("s", "b", False, None, False),
        ("s", "c", True, None, False), ("x", "a", True, 5.0, True),
        max_score=[1.0, 4.0, 2.0, None, 5.0], adjustment_points=[0.5, None, -1.0, None, 9.0],
    )  # fmt: skip
    found = item_responses(items, responses)
    assert found.known.tolist() == [True, True, True, False]
    assert found.answered.tolist() == [True, False, True, False]
    assert found.unscored.tolist() == [True, False, True, False]
    assert found.awaiting_mark.tolist() == [True, False, False, False]
    assert found.without_max.tolist() == [False, False, True, False]
    np.testing.assert_equal(found.points, [1.0, np.nan, np.nan, np.nan])
    np.testing.assert_equal(found.max_points, [5.0, 2.0, np.nan, np.nan])
    np.testing.assert_equal(found.adjustment, [0.5, -1.0, np.nan, np.nan])
    assert found.unlinked == 1


# Cells ------------------------------------------------------------------------------------------


def keys_of(*codes, labels):
    return Keys(np.array(codes, dtype=np.int32), pd.Index(labels, name="key"))


def test_cells_by_hand():
    builder = MatrixBuilder(
        keys_of(1, 0, -1, 1, 3, labels=[*"pqrs"]), keys_of(0, 0, 1, 2, -1, labels=[*"abc"])
    )
    assert builder.inside.tolist() == [True, True, False, True, False]
    numbers = builder.numbers(np.arange(5.0))
    assert numbers.index.tolist() == ["p", "q"]  # labels without a row are left out
    assert numbers.columns.tolist() == ["a", "c"]
    np.testing.assert_equal(numbers.to_numpy(), [[1, np.nan], [0, 3]])
    assert builder.numbers(np.arange(5.0), fill=-1).loc["p", "c"] == -1
    kinds = builder.categories(np.array([0, 1, 2, 3, 4], np.int8), CELL_DTYPE, fill=8)
    assert kinds.to_numpy().tolist() == [["wrong", "not administered"], ["right", "omitted"]]
    assert all(dtype == CELL_DTYPE for dtype in kinds.dtypes)


def test_two_rows_for_a_cell_are_refused():
    with pytest.raises(
        MeasureError,
        match=r"2 rows fall on a cell that another row already fills.*drop_duplicates",
    ):
        MatrixBuilder(keys_of(0, 0, 0, 0, labels=["p"]), keys_of(0, 0, 1, 1, labels=[*"ab"]))


def test_a_matrix_of_nothing():
    empty = MatrixBuilder(keys_of(labels=[]), keys_of(labels=[]))
    assert empty.numbers(np.empty(0)).shape == (0, 0)
    nobody = MatrixBuilder(keys_of(-1, labels=[]), keys_of(0, labels=["a"]))
    assert nobody.categories(np.zeros(1, np.int8), CELL_DTYPE, fill=8).shape == (0, 0)


def test_columns_lie_together_in_memory():
    matrix = timing.time_matrix(one_session([9.0, 4.0, 3.0], [1, 0, 1]))
    assert matrix.to_numpy().flags.f_contiguous


def test_numeric_labels_that_a_gap_made_floats_of_stay_integers():
    keys = factorise(pd.Series([2.0, np.nan, 10.0, 2.0]))
    assert [str(label) for label in keys.labels] == ["2", "10"]
    assert keys.codes.tolist() == [0, -1, 1, 0]
    assert factorise(pd.Series([2.5, np.nan, 10.0])).labels.tolist() == [2.5, 10.0]
    table = timing.time_by_position(
        pd.DataFrame(
            {"session_id": list("aabb"), "position": [1, 2, None, 1], "time": [3.0, 4.0, 5.0, 6.0]}
        )
    )
    assert [str(label) for label in table.index] == ["1", "2"]


def test_numeric_groups_with_a_gap_are_named_without_decimals():
    rng = np.random.default_rng(3)
    latent = rng.normal(size=(81, 1)) + rng.normal(size=(81, 5))
    matrix = pd.DataFrame((latent > 0).astype(float)).rename(columns=str)
    group = pd.Series([1, 2] * 40 + [None])
    by_group = dif.mantel_haenszel(matrix, group)
    assert (by_group.attrs["reference"], by_group.attrs["focal"]) == ("1", ["2"])
    model = irt.fit(matrix.iloc[:80], "2PL", group=group.iloc[:80])
    assert [str(label) for label in model.groups.index] == ["1", "2"]
