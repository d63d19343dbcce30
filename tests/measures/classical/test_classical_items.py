"""Item statistics against reference programs, closed forms and their own invariances."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from classical_data import lsat6, lsat7, partial_credit
from lrnanalysis.errors import MeasureError
from lrnanalysis.measures.classical import item_statistics
from lrnanalysis.measures.scores import CELL_KINDS

# Five persons, three items: small enough to work out by hand.
HAND = pd.DataFrame({"a": [0.0, 0, 1, 1, 1], "b": [0.0, 1, 0, 1, 1], "c": [0.0, 0, 2, 1, 3]})


def zero_one():
    return st.tuples(st.integers(6, 40), st.integers(3, 7)).flatmap(
        lambda shape: hnp.arrays(np.float64, shape, elements=st.sampled_from([0.0, 1.0]))
    )


@st.composite
def drawn(draw, fewest=8):
    """Random scores of 0 to 2 points, from a seed: nearly always every item varies."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    return rng.integers(
        0, 3, size=(fewest + draw(st.integers(0, 20)), draw(st.integers(3, 7)))
    ).astype(float)


def frame(values):
    return pd.DataFrame(values, columns=[f"i{number}" for number in range(values.shape[1])])


def test_lsat_as_psych():
    # psych 2.2.9 in R 4.2.2: alpha(x)$item.stats$r.drop, $raw.r and $alpha.drop$raw_alpha.
    six = item_statistics(lsat6())
    assert six["item_rest_r"].to_numpy() == pytest.approx(
        [0.1128326889, 0.1531781201, 0.1727789433, 0.1444280952, 0.1215964025], abs=1e-9
    )
    assert six["item_total_r"].to_numpy() == pytest.approx(
        [0.3620104372, 0.5667720954, 0.6184397536, 0.5344183262, 0.4353664279], abs=1e-9
    )
    assert six["alpha_if_deleted"].to_numpy() == pytest.approx(
        [0.2753562108, 0.2375839046, 0.2167994629, 0.2459327104, 0.2662944112], abs=1e-9
    )
    seven = item_statistics(lsat7())
    assert seven["item_rest_r"].to_numpy() == pytest.approx(
        [0.2457316499, 0.2466735767, 0.3131792534, 0.2227512541, 0.1747863009], abs=1e-9
    )
    assert seven["p"].tolist() == pytest.approx([0.828, 0.658, 0.772, 0.606, 0.843])
    assert seven["sd"].to_numpy() == pytest.approx(
        [0.3775692765, 0.4746169627, 0.4197525369, 0.4888793338, 0.3639828066], abs=1e-9
    )


def test_partial_credit_as_psych():
    # psych 2.2.9 in R 4.2.2: alpha and polyserial. (Its biserial, unlike its polyserial, takes
    # the standard deviation with n − 1 and is smaller by √(59/60) here.)
    found = item_statistics(partial_credit())
    assert found["item_rest_r"].to_numpy() == pytest.approx(
        [
            0.437577605134,
            0.366933042216,
            0.436374854417,
            0.435721591761,
            0.490994981684,
            0.207999350906,
        ],
        abs=1e-11,
    )
    assert found["biserial"].to_numpy() == pytest.approx(
        [
            0.758535116791,
            0.684292008147,
            0.757317564436,
            0.732468807413,
            0.875732064537,
            0.528610996747,
        ],
        abs=1e-11,
    )
    assert found["point_biserial"].isna().tolist() == [False, False, False, True, True, False]


def test_gaps_pairwise_and_listwise_as_psych():
    # psych 2.2.9 in R 4.2.2: alpha(x) and alpha(x[complete.cases(x), ]).
    gaps = partial_credit(gaps=True)
    pairwise = item_statistics(gaps)
    assert pairwise.attrs["missing"] == "pairwise"
    assert pairwise["item_rest_r"].to_numpy() == pytest.approx(
        [
            0.449884769248,
            0.349139854530,
            0.343159437701,
            0.472190146906,
            0.546946844779,
            0.171538386855,
        ],
        abs=1e-11,
    )
    listwise = item_statistics(gaps, missing="listwise")
    assert listwise["item_rest_r"].to_numpy() == pytest.approx(
        [
            0.4016960016860,
            0.3004698515017,
            0.3172860505596,
            0.4135853441676,
            0.4823719935334,
            0.0918213976659,
        ],
        abs=1e-11,
    )
    assert listwise["n"].equals(pairwise["n"])


def test_available_correlates_with_the_mean_of_the_others():
    # psych's raw.r, cor(rowMeans(x, na.rm = TRUE), x), where all items have one highest score.
    gaps = partial_credit(gaps=True)[["a", "b", "c", "f"]]
    found = item_statistics(gaps, missing="available")
    for item in gaps:
        assert found.loc[item, "item_total_r"] == pytest.approx(
            gaps[item].corr(gaps.mean(axis=1)), abs=1e-12
        )
        rest = gaps.drop(columns=item).mean(axis=1)
        assert found.loc[item, "item_rest_r"] == pytest.approx(gaps[item].corr(rest), abs=1e-12)


def test_by_hand():
    found = item_statistics(HAND, max_score={"a": 1, "b": 1, "c": 4}, tail=0.4)
    assert found["n"].tolist() == [5, 5, 5]
    assert found["p"].tolist() == pytest.approx([0.6, 0.6, 6 / 5 / 4])
    # Totals 0, 1, 3, 3, 5: the two weakest are the first two, the best the last and half of
    # each of those with 3.
    assert found["upper_lower"].tolist() == pytest.approx([1.0, 0.75 - 0.5, (2.25 - 0) / 4])
    # Rest scores of a: 0, 1, 2, 2, 4; its three right answers go with the three highest.
    assert found.loc["a", "efficiency"] == pytest.approx(1.0)
    # Rest scores of b: 0, 0, 3, 2, 4; its three would go best with 2, 3, 4.
    mean = 9 / 5
    assert found.loc["b", "efficiency"] == pytest.approx((6 - 3 * mean) / (9 - 3 * mean))


def test_wilson_interval_of_p():
    # Wilson's interval of 8 in 10 is .4902 to .9433 (Newcombe 1998, method 3).
    found = item_statistics(pd.DataFrame({"a": [1.0] * 8 + [0.0] * 2}))
    assert found.loc["a", ["p_low", "p_high"]].tolist() == pytest.approx([0.4902, 0.9433], abs=5e-5)
    assert found["item_rest_r"].isna().all()


def test_student_interval_of_partial_credit():
    values = partial_credit()["e"] / 3
    half = 2.0009953780882688 * values.std() / np.sqrt(60)  # Student's t, 59 degrees of freedom
    found = item_statistics(partial_credit()).loc["e"]
    assert found["p_low"] == pytest.approx(values.mean() - half)
    assert found["p_high"] == pytest.approx(values.mean() + half)
    # Of five persons it would go below 0, where no score is.
    assert item_statistics(HAND, max_score=3).loc["c", "p_low"] == 0.0
    assert item_statistics(HAND - 1, max_score=3).loc["c", "p_low"] == -1 / 3


KINDS = pd.DataFrame(
    {
        "x": ["right", "right", "wrong", "omitted", "not reached", "not administered"],
        "y": ["partial", "unmarked", "right", "omitted", "omitted", "not reached"],
    }
)
SCORES = pd.DataFrame({"x": [1.0, 1, 0, 0, np.nan, np.nan], "y": [1.0, np.nan, 2, 0, 0, np.nan]})


@pytest.mark.parametrize(
    "as_given",
    [
        lambda cells: cells,
        lambda cells: cells.astype(pd.CategoricalDtype(CELL_KINDS)),
        lambda cells: cells.astype("category"),
        lambda cells: cells.mask(cells == "not administered"),
        lambda cells: cells.iloc[::-1, ::-1].assign(other="right"),
    ],
    ids=["text", "kinds", "category", "missing", "reordered"],
)
def test_three_versions_of_p(as_given):
    found = item_statistics(SCORES, max_score={"x": 1, "y": 2}, cells=as_given(KINDS))
    assert found["n_attempted"].tolist() == [3, 2]
    assert found["n_reached"].tolist() == [4, 4]
    assert found["n_administered"].tolist() == [5, 5]
    assert found["p_attempted"].tolist() == pytest.approx([2 / 3, 3 / 4])
    assert found["p_reached"].tolist() == pytest.approx([2 / 4, 3 / 8])
    assert found["p_administered"].tolist() == pytest.approx([2 / 5, 3 / 10])
    assert found["p"].tolist() == pytest.approx([2 / 4, 3 / 8])
    assert found["n_omitted"].tolist() == [1, 2]
    assert found["n_not_reached"].tolist() == [1, 1]
    assert found["n_unmarked"].tolist() == [0, 1]
    assert found["n_not_administered"].tolist() == [1, 0]
    assert (found["p_low_reached"] < found["p_reached"]).all()
    assert (found["p_high_reached"] > found["p_reached"]).all()


def test_without_cells_says_so():
    found = item_statistics(SCORES)
    assert "p_attempted" not in found
    assert "cells" in found.attrs["p"]


def test_unscored_and_rapid_cells_are_in_no_version_of_p():
    kinds = KINDS.replace({"y": {"unmarked": "unscored"}, "x": {"wrong": "rapid"}})
    found = item_statistics(SCORES, max_score={"x": 1, "y": 2}, cells=kinds)
    assert found["n_attempted"].tolist() == [2, 2]
    assert found["n_reached"].tolist() == [3, 4]
    assert found["n_unscored"].tolist() == [0, 1]
    assert found["n_rapid"].tolist() == [1, 0]
    plain = item_statistics(SCORES, max_score={"x": 1, "y": 2}, cells=KINDS)
    assert not {"n_unscored", "n_rapid"} & set(plain.columns)


def test_cells_rule_over_the_numbers_of_unanswered_cells():
    counted = SCORES.fillna(0.0)
    same = item_statistics(counted, cells=KINDS)
    expected = item_statistics(SCORES, cells=KINDS)
    assert same["p_attempted"].equals(expected["p_attempted"])
    assert same["p_reached"].equals(expected["p_reached"])


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        (KINDS[["x"]], "cells lacks 1 of the 2 items"),
        (KINDS.iloc[:3], "cells lacks 3 of the 6 persons"),
        (KINDS.replace("omitted", "skipped"), "'skipped'"),
        (KINDS.eq("right").astype(int), "the kinds of cells are right, wrong"),
        ("right", "cells is 'right'"),
    ],
)
def test_wrong_cells(cells, message):
    with pytest.raises(MeasureError, match=message):
        item_statistics(SCORES, cells=cells)


@pytest.mark.parametrize(
    ("matrix", "arguments", "message"),
    [
        (HAND, {"max_score": 2}, "'c' has a score of 3, above its max_score of 2"),
        (HAND, {"max_score": {"a": 1}}, "max_score has no entry for item 'b'"),
        (HAND, {"max_score": 0}, "is 0.0: it must be above 0"),
        (HAND, {"missing": "drop"}, "missing is 'drop'"),
        (HAND, {"tail": 0.6}, "tail is"),
        (HAND, {"confidence": 95}, "confidence is 95"),
        (HAND.replace(3, np.inf), {}, "infinite value on item 'c'"),
        (HAND.iloc[:0], {}, "0 persons and 3 items"),
        (HAND.assign(a="x"), {}, "dtype str"),
        (HAND["a"], {}, "is a Series"),
    ],
)
def test_wrong_arguments(matrix, arguments, message):
    with pytest.raises(MeasureError, match=message):
        item_statistics(matrix, **arguments)


def test_items_without_variance_or_persons():
    matrix = HAND.assign(all=1.0, nobody=0.0, tenth=0.1, unseen=np.nan)
    found = item_statistics(matrix)
    odd = found.loc[["all", "nobody", "tenth", "unseen"]]
    assert odd["p"].tolist()[:3] == [1.0, 0.0, 1.0]
    assert np.isnan(odd["p"].iloc[3])
    assert odd.loc["unseen", "n"] == 0
    assert odd[["item_rest_r", "biserial", "efficiency"]].isna().all(axis=None)
    same = ["item_rest_r", "item_total_r", "upper_lower", "efficiency"]
    expected = item_statistics(HAND)[same]
    pd.testing.assert_frame_equal(found.loc[["a", "b", "c"], same], expected)


def test_forms_that_never_meet_use_shares():
    rng = np.random.default_rng(3)
    ability = rng.normal(size=400)
    matrix = frame((ability[:, None] + rng.logistic(size=(400, 8)) > 0).astype(float))
    matrix.iloc[:200, 4:] = np.nan
    matrix.iloc[200:, :4] = np.nan
    found = item_statistics(matrix)
    assert found.attrs["missing"] == "available"
    one = item_statistics(matrix.iloc[:200, :4])
    same = ["item_rest_r", "item_total_r", "efficiency"]
    pd.testing.assert_frame_equal(found.iloc[:4][same], one[same])
    assert found["alpha_if_deleted"].isna().all()


@settings(max_examples=40, deadline=None)
@given(zero_one(), st.randoms(use_true_random=False))
def test_order_of_persons_and_items_does_not_matter(values, random):
    matrix = frame(values)
    rows, columns = list(matrix.index), list(matrix.columns)
    random.shuffle(rows)
    random.shuffle(columns)
    found = item_statistics(matrix.loc[rows, columns])
    pd.testing.assert_frame_equal(found.loc[matrix.columns], item_statistics(matrix))


@settings(max_examples=40, deadline=None)
@given(zero_one(), st.floats(0.01, 100))
def test_units_of_points_do_not_matter(values, factor):
    matrix = frame(values)
    free = ["p", "item_total_r", "item_rest_r", "biserial", "upper_lower", "efficiency"]
    pd.testing.assert_frame_equal(
        item_statistics(matrix * factor, max_score=factor * (1 + 1e-12))[free],
        item_statistics(matrix, max_score=1)[free],
        rtol=1e-9,
        atol=1e-9,
    )


@settings(max_examples=40, deadline=None)
@given(drawn())
def test_correlations_are_those_of_the_columns(values):
    matrix = frame(values)
    assume((matrix.nunique() > 1).all())  # nearly always
    found = item_statistics(matrix)
    for item in matrix:
        rest = matrix.drop(columns=item).sum(axis=1)
        expected = np.nan if rest.nunique() == 1 else np.corrcoef(matrix[item], rest)[0, 1]
        assert found.loc[item, "item_rest_r"] == pytest.approx(expected, abs=1e-9, nan_ok=True)
        if not np.isnan(expected):
            best = np.cov(np.sort(matrix[item]), np.sort(rest))[0, 1]
            assert found.loc[item, "efficiency"] == pytest.approx(
                np.cov(matrix[item], rest)[0, 1] / best, abs=1e-9
            )


@settings(max_examples=40, deadline=None)
@given(drawn(fewest=40), st.integers(0, 2**32))
def test_pairwise_covariances_are_those_of_pandas(values, seed):
    gaps = np.random.default_rng(seed).random(values.shape) < 0.3
    matrix = frame(values).mask(gaps)
    covariance = matrix.cov()
    assume((matrix.nunique() > 1).all() and covariance.sum(axis=None) > 0.01)
    found = item_statistics(matrix, missing="pairwise")["item_total_r"]
    expected = covariance.sum() / np.sqrt(np.diag(covariance) * covariance.sum(axis=None))
    pd.testing.assert_series_equal(found, expected, check_names=False, atol=1e-9)


def test_input_is_not_changed_and_attrs_are_plain():
    import json

    matrix = partial_credit(gaps=True)
    before = matrix.copy()
    json.dumps(item_statistics(matrix).attrs)
    pd.testing.assert_frame_equal(matrix, before)


def test_integer_and_nullable_columns():
    matrix = HAND.astype({"a": "Int64", "b": "boolean", "c": "int8"})
    pd.testing.assert_frame_equal(item_statistics(matrix), item_statistics(HAND))
