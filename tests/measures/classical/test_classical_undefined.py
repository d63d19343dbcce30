"""What the data do not determine is NaN with a reason; what should not matter does not."""

import json
import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from lrnanalysis import item_analysis
from lrnanalysis.errors import MeasureError
from lrnanalysis.measures.classical import (
    alpha_if_deleted,
    conditional_sem,
    flags,
    item_statistics,
    reliability,
    stratified_alpha,
)

#: Everybody has the same total: the sum of the items has no variance.
IPSATIVE = {
    "two": pd.DataFrame({"a": [0.0, 1, 0, 1, 1], "b": [1.0, 0, 1, 0, 0]}),
    "three": pd.DataFrame({"a": [3.0, 2, 1, 1], "b": [2.0, 3, 3, 2], "c": [1.0, 1, 2, 3]}),
    "tenths": pd.DataFrame({"a": [0.3, 0.2, 0.1], "b": [0.1, 0.3, 0.1], "c": [0.2, 0.1, 0.4]}),
}
#: Matrices at the edge, by what is wrong with them.
EDGES = {
    **IPSATIVE,
    "one item": pd.DataFrame({"a": [0.0, 1, 1]}),
    "two items": pd.DataFrame({"a": [0.0, 1, 1], "b": [0.0, 0, 1]}),
    "one person": pd.DataFrame({"a": [1.0], "b": [0.0], "c": [2.0]}),
    "two persons": pd.DataFrame({"a": [1.0, 0], "b": [0.0, 1], "c": [2.0, 1]}),
    "nobody answered": pd.DataFrame({"a": [np.nan, np.nan], "b": [np.nan, np.nan]}),
    "one item missing": pd.DataFrame({"a": [0.0, 1, 1], "b": [np.nan] * 3, "c": [0.0, 1, 0]}),
    "all constant": pd.DataFrame({"a": [1.0] * 4, "b": [0.0] * 4, "c": [2.0] * 4}),
    "one varies": pd.DataFrame({"a": [1.0] * 4, "b": [0.0] * 4, "c": [2.0, 1, 0, 0]}),
    "opposite halves": pd.DataFrame({"a": [0.0, 1, 2], "b": [2.0, 1, 0]}),
    "contradicting pairs": pd.DataFrame(
        {
            "a": [0.0, 3, 0, 3, np.nan, np.nan],
            "b": [3.0, 0, np.nan, np.nan, 0, 3],
            "c": [np.nan, np.nan, 3, 0, 3, 0],
        }
    ),
}


@st.composite
def small(draw):
    """Any small matrix of 0 to 3 points, with gaps."""
    persons, items = draw(st.integers(1, 7)), draw(st.integers(1, 5))
    cell = st.sampled_from([0.0, 1.0, 2.0, 3.0, np.nan])
    rows = draw(
        st.lists(st.lists(cell, min_size=items, max_size=items), min_size=persons, max_size=persons)
    )
    return pd.DataFrame(rows, columns=list("abcde")[:items], dtype="float64")


def finite_or_told(values, reasons):
    """No infinite value, and a reason for every NaN."""
    assert not np.isinf(values.to_numpy(dtype="float64")).any()
    for name in values.index[values.isna()]:
        assert reasons[name], name
    json.dumps(reasons)


def check_all(matrix):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for missing in ("pairwise", "listwise"):
            for basis in ("correlations", "pairwise correlations", "covariances"):
                try:
                    found = reliability(matrix, missing=missing, lambdas=basis)
                except MeasureError:
                    continue
                finite_or_told(found, found.attrs["reasons"])
            try:
                deleted = alpha_if_deleted(matrix, missing=missing)
                layered = stratified_alpha(matrix, missing=missing)
            except MeasureError:
                continue
            finite_or_told(deleted, deleted.attrs["reasons"])
            finite_or_told(layered, layered.attrs["reasons"])
        for arguments in (
            {},
            {"agree_with_alpha": True},
            {"method": "half-test"},
            {"strata": dict.fromkeys(matrix, "all")},
        ):
            try:
                errors = conditional_sem(matrix, **arguments)
            except MeasureError:
                continue
            assert not np.isinf(errors["sem"]).any()
            assert errors["sem"].notna().all() or errors.attrs["reasons"]["sem"]
        for missing in (None, "pairwise", "listwise", "available"):
            table = item_statistics(matrix, missing=missing)
            for name, column in table.items():
                finite_or_told(column, table.attrs["reasons"].get(name, {}))
        report = item_analysis(matrix)
        assert not np.isinf(report.items.select_dtypes("number").to_numpy(dtype="float64")).any()
        assert not np.isinf(report.scores.to_numpy()).any()
        if np.isnan(report.reliability["alpha"]):
            assert report.reliability.attrs["reason"] in repr(report)
        assert report._repr_html_()


@pytest.mark.parametrize("name", EDGES)
def test_the_edges(name):
    check_all(EDGES[name])


@settings(max_examples=60, deadline=None)
@given(small())
@example(EDGES["contradicting pairs"])
def test_any_small_matrix_gives_numbers_or_reasons(matrix):
    check_all(matrix)


@pytest.mark.parametrize("name", IPSATIVE)
@pytest.mark.parametrize("lambdas", ["correlations", "covariances"])
def test_a_total_without_variance(name, lambdas):
    found = reliability(IPSATIVE[name], lambdas=lambdas)
    undefined = ["alpha", "alpha_low", "alpha_high", "stratified_alpha", "sem"]
    assert found[undefined].isna().all()
    assert found["sd"] == 0
    assert found.attrs["reasons"]["alpha"] == "the total has no variance: everybody has the same"
    statistics = item_statistics(IPSATIVE[name])
    assert statistics["item_total_r"].isna().all()
    # What an item adds, the others lack.
    assert statistics["item_rest_r"].to_list() == pytest.approx([-1.0] * len(statistics))


def test_contradicting_pairs_are_told_from_equal_totals():
    found = reliability(EDGES["contradicting pairs"])
    assert np.isnan(found["sd"])
    assert "contradict each other" in found.attrs["reasons"]["alpha"]


def test_constant_items_do_not_count_in_alpha_if_deleted():
    # As in psych, alpha leaves them out; so does alpha without an item.
    rng = np.random.default_rng(8)
    matrix = pd.DataFrame((rng.normal(size=(50, 1)) + rng.normal(size=(50, 4)) > 0) * 1.0)
    matrix = matrix.rename(columns=str)
    found = item_statistics(matrix.assign(free=1.0, gone=np.nan))["alpha_if_deleted"]
    np.testing.assert_allclose(found[matrix.columns], alpha_if_deleted(matrix))
    assert found[["free", "gone"]].isna().all()


# What should not matter


@st.composite
def drawn(draw):
    """Scores of 0 to 3 with something in common, gaps, and no edge."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    shape = draw(st.integers(31, 50)), draw(st.integers(3, 6))
    latent = rng.normal(size=(shape[0], 1)) + rng.normal(size=shape)
    matrix = pd.DataFrame(np.clip(np.round(latent + 1.5), 0, 3)).rename(columns=str)
    gaps = rng.random(shape) < draw(st.sampled_from([0.0, 0.15]))
    matrix = matrix.mask(gaps)
    assume((matrix.nunique() > 1).all())
    return matrix


def everything(matrix, highest):
    """All that classical measures say of a matrix."""
    found = reliability(matrix, max_score=highest)
    statistics = item_statistics(matrix, highest)
    raised = flags(statistics, alpha=found["alpha"])
    named = {(item, flag) for item, flag in zip(raised["item"], raised["flag"], strict=True)}
    return found, statistics, named


def same(one, other, *, without=(), columns=()):
    np.testing.assert_allclose(
        one[0].drop(list(without)), other[0].drop(list(without)), rtol=1e-6, atol=2e-6
    )
    pd.testing.assert_frame_equal(
        one[1].drop(columns=list(columns)), other[1].drop(columns=list(columns)), rtol=1e-9
    )
    assert one[2] == other[2]


@settings(max_examples=25, deadline=None)
@given(drawn(), st.integers(0, 2**32))
def test_the_order_of_persons_and_items(matrix, seed):
    rng = np.random.default_rng(seed)
    rows, columns = rng.permutation(matrix.index), rng.permutation(matrix.columns)
    found, statistics, named = everything(matrix.loc[rows, columns], 3.0)
    by_position = ["split_half", "split_half_r"]
    same(
        (found, statistics.loc[matrix.columns], named), everything(matrix, 3.0), without=by_position
    )


@settings(max_examples=25, deadline=None)
@given(drawn(), st.integers(1, 5))
def test_persons_without_answers(matrix, more):
    empty = pd.DataFrame(np.nan, index=range(1000, 1000 + more), columns=matrix.columns)
    same(everything(pd.concat([matrix, empty]), 3.0), everything(matrix, 3.0))


@settings(max_examples=25, deadline=None)
@given(drawn(), st.sampled_from([1e-6, 0.1, 3.0, 7.5, 1e5]))
def test_the_unit_of_points(matrix, factor):
    scaled = everything(matrix * factor, 3.0 * factor)
    plain = everything(matrix, 3.0)
    in_points = ["mean", "sd", "max_score"]
    same(scaled, plain, without=["sd", "sem"], columns=in_points)
    np.testing.assert_allclose(scaled[0][["sd", "sem"]], factor * plain[0][["sd", "sem"]])
    np.testing.assert_allclose(scaled[1][in_points], factor * plain[1][in_points])


def test_kr20_is_of_two_scores_in_any_unit():
    rng = np.random.default_rng(5)
    matrix = pd.DataFrame((rng.normal(size=(60, 1)) + rng.normal(size=(60, 5)) > 0) * 1.0)
    assert reliability(matrix * 5)["kr20"] == pytest.approx(reliability(matrix)["kr20"])
    mixed = matrix * [1, 1, 1, 1, 5]
    assert np.isnan(reliability(mixed)["kr20"])
    assert "apart" in reliability(mixed).attrs["reasons"]["kr20"]
