"""What must not matter to DIF: order, labels, empty rows, which group is the reference."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lrnanalysis.errors import MeasureError
from lrnanalysis.measures.dif import (
    likelihood_ratio,
    logistic,
    mantel_haenszel,
    standardisation,
)


def rasch_ratio(matrix, group, **arguments):
    return likelihood_ratio(matrix, group, model="Rasch", **arguments)


def scores(persons, seed, *, items=6):
    """Rasch scores with gaps, of groups "r" and "f" at random; the first item is unfair."""
    rng = np.random.default_rng(seed)
    group = rng.choice(["r", "f"], size=persons)
    logit = rng.normal(size=(persons, 1)) - np.linspace(-1.2, 1.2, items)
    logit[group == "f", 0] -= 1.0
    matrix = pd.DataFrame(1.0 * (logit + rng.logistic(size=logit.shape) > 0))
    matrix = matrix.mask(rng.random(matrix.shape) < 0.1)
    matrix.columns = [f"i{number}" for number in range(items)]
    return matrix, pd.Series(group)


def tiny(seed):
    """A few persons on items of two or three scores: zero cells, constants, separation."""
    rng = np.random.default_rng(seed)
    persons, items = int(rng.integers(6, 40)), int(rng.integers(2, 5))
    values = rng.integers(0, rng.integers(2, 4, size=items), size=(persons, items)).astype(float)
    group = np.where(np.arange(persons) % 2, "f", "r")
    # Nobody of a group has points on some items.
    values[np.ix_(group == "f", rng.random(items) < 0.4)] = 0.0
    values[rng.random(values.shape) < rng.choice([0, 0.3])] = np.nan
    return pd.DataFrame(values, columns=[f"i{number}" for number in range(items)]), group


#: Each function, and how close its numbers are when sums are added in another order.
FUNCTIONS = {
    mantel_haenszel: 1e-9,
    standardisation: 1e-9,
    logistic: 1e-5,
    rasch_ratio: 2e-3,
}
EACH = pytest.mark.parametrize("function", FUNCTIONS)


def assert_same(found, expected, function, **arguments):
    close = FUNCTIONS[function]
    pd.testing.assert_frame_equal(found, expected, rtol=close, atol=close, **arguments)


@EACH
@pytest.mark.parametrize("seed", [1, 2])
def test_order_of_persons_and_items(function, seed):
    matrix, group = scores(300, seed)
    rng = np.random.default_rng(seed)
    rows, columns = rng.permutation(300), rng.permutation(matrix.columns)
    expected = function(matrix, group, reference="r")
    found = function(matrix.iloc[rows][columns], group.iloc[rows], reference="r")
    assert_same(found.loc[matrix.columns], expected, function)


@EACH
def test_persons_without_answers_or_without_a_group(function):
    matrix, group = scores(300, 3)
    expected = function(matrix, group, reference="r")
    more = pd.concat([matrix, matrix.iloc[:40]], ignore_index=True)
    more.iloc[300:320] = np.nan
    groups = [*group, *["r", "f"] * 10, *[None] * 20]
    found = function(more, groups, reference="r")
    assert_same(found, expected, function)
    assert found.attrs["persons_left_out"] == 20
    # Of complete data too, where a total needs no proration.
    whole = matrix.fillna(0)
    some = pd.concat([whole, whole.iloc[:6] * np.nan], ignore_index=True)
    found = function(some, [*group, *["r", "f"] * 3], reference="r")
    assert_same(found, function(whole, group, reference="r"), function)


@EACH
def test_names_of_groups(function):
    matrix, group = scores(300, 4)
    expected = function(matrix, group, reference="r")
    # Names that sort the other way round, numbers, and pairs.
    for names in (
        {"r": "zz", "f": "aa"},
        {"r": 2, "f": 1},
        {"r": ("de", 2), "f": ("de", 1)},
        {"r": "1", "f": 1},
    ):
        found = function(matrix, [names[name] for name in group], reference=names["r"])
        drop = [name for name in ("favours",) if name in found]
        assert_same(found.drop(columns=drop), expected.drop(columns=drop), function)
        if "favours" in expected:
            places = {found.attrs["reference"]: "r", found.attrs["focal"][0]: "f"}
            favours = [places.get(name, "") for name in found["favours"]]
            assert favours == expected["favours"].fillna("").tolist()
    assert found.attrs["reference"] != found.attrs["focal"][0]


@EACH
def test_turning_reference_and_focal_turns_signs(function):
    matrix, group = scores(400, 5)
    total = {"weights": "total"} if function is standardisation else {}
    one = function(matrix, group, reference="r", **total)
    other = function(matrix, group, reference="f", **total)
    close = {"rtol": FUNCTIONS[function], "atol": 10 * FUNCTIONS[function]}
    for name in ("chi2", "p", "chi2_both", "p_both", "d_dif_se", "se", "log_odds_se", "df"):
        if name in one:
            pd.testing.assert_series_equal(other[name], one[name], **close)
    for name in ("d_dif", "std_p_dif", "log_odds", "interaction", "b_difference"):
        if name in one:
            pd.testing.assert_series_equal(other[name], -one[name], **close)
    if function is mantel_haenszel:
        assert other["alpha_low"].tolist() == pytest.approx((1 / one["alpha_high"]).tolist())
    for name in ("ets", "favours", "flagged", "jodoin_gierl", "size", "anchor"):
        if name in one:
            assert other[name].equals(one[name]), name


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32))
def test_few_persons_give_numbers_or_reasons(seed):
    matrix, group = tiny(seed)
    for function, value in (
        (mantel_haenszel, "chi2"),
        (standardisation, "se"),
        (logistic, "p_both"),
    ):
        found = function(matrix, group, reference="r")
        assert found.loc[found[value].isna(), "reason"].notna().all()
        rows = np.random.default_rng(seed).permutation(len(matrix))
        turned = function(matrix.iloc[rows, ::-1], group[rows], reference="r")
        pd.testing.assert_frame_equal(turned[::-1], found, rtol=1e-4, atol=1e-5)
        if function is mantel_haenszel:
            assert (found["alpha_low"].isna() == found["alpha_mh"].isna()).all()
        if function is logistic:
            # Estimates on their way to infinity would be large, with larger standard errors.
            assert not (np.isfinite(found["log_odds"]) & (found["log_odds"].abs() > 15)).any()
            errors = found[["log_odds_se", "interaction_se"]].to_numpy()
            assert np.nanmax(errors, initial=0.0) < 1000
            finite = np.isfinite(found[["log_odds", "interaction"]].to_numpy())
            assert (finite == ~np.isnan(errors)).all()
            odd = ~np.isfinite(found["log_odds"])
            assert found.loc[odd, "reason"].notna().all()
            assert not found.loc[np.isinf(found["log_odds"]), "converged"].any()
            assert ((found["df"] > 0) == found["p_both"].notna()).all()


@EACH
def test_forms_of_groups(function):
    matrix, group = scores(300, 6)
    matrix.index = group.index = pd.Index([f"s{number}" for number in range(300)], name="id")
    expected = function(matrix, group)
    shuffled = group.sample(frac=1, random_state=1)
    for form in (
        group.to_frame("lang"),
        shuffled.to_frame("lang"),
        shuffled.to_dict(),
        group.tolist(),
        group.to_numpy(dtype=object),
        pd.Categorical(group),
    ):
        pd.testing.assert_frame_equal(function(matrix, form), expected)


@EACH
@pytest.mark.parametrize(
    ("group", "message"),
    [
        ("metadata.lang", r"group is 'metadata.lang': pass one value per person; .*dif\('lang'\)"),
        (pd.DataFrame({"a": ["r"] * 300, "b": ["f"] * 300}), "2 columns: pass one of them"),
        ([["de"], ["fr"]] * 150, "values of type list: name the groups by text or numbers"),
        (None, "pass one value per person"),
        (["r", "f"], "group has 2 values for 300 persons"),
        ([None] * 300, "two are needed"),
        ({"someone": "r"}, "no value for any of the 300 persons"),
    ],
)
def test_what_is_no_group(function, group, message):
    with pytest.raises(MeasureError, match=message):
        function(scores(300, 7)[0], group)


@pytest.mark.parametrize("function", [mantel_haenszel, standardisation, logistic])
def test_what_is_no_matching_variable(function):
    matrix, group = scores(60, 8)
    for match, message in (
        ([np.inf] * 60, "match has an infinite value"),
        (["high"] * 60, r"match is \['high', .*: pass a Series or a list of numbers"),
        ("ability", "match is 'ability': pass a Series or a list of numbers"),
    ):
        with pytest.raises(MeasureError, match=message):
            function(matrix, group, match=match)
