"""Statistics of fit where persons lack scores: by plan, by chance, or all of them."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lrnanalysis as lrn
from lrnanalysis.measures import irt
from lrnanalysis.measures.irt.results import moments


def scores(persons=600, items=8, steps=1, seed=1):
    rng = np.random.default_rng(seed)
    theta, found = rng.standard_normal((persons, 1)), np.zeros((persons, items))
    for level in np.linspace(-0.7, 0.7, steps) if steps > 1 else [0.0]:
        found += rng.logistic(size=found.shape) < theta - np.linspace(-1.5, 1.5, items) - level
    return pd.DataFrame(found).rename(columns="i{}".format)


def planned(data):
    """The first half of the persons lack the last items, the second the first."""
    half, data = len(data) // 2, data.copy()
    data.iloc[:half, -2:] = np.nan
    data.iloc[half:, :2] = np.nan
    return data


def seen_by(model, matrix, group=None):
    """The same estimates, and other persons whose fit is asked for."""
    return replace(model, _persons=model.responses(matrix, group))


DATA = scores()
FORMS = planned(DATA)
MODEL = irt.fit(FORMS, "2PL")


@settings(max_examples=6, deadline=None)
@given(st.integers(1, 2), st.integers(0, 10**6), st.integers(150, 400), st.sampled_from([1.0, 3.0]))
def test_statistics_of_forms_are_those_of_each_alone(steps, seed, first, min_expected):
    """S-X² and its cells add up, M2 and C2 are the form's own."""
    data = scores(600, 6, steps, seed % 50)
    model = irt.fit(data, "2PL" if steps == 1 else "GPCM")
    parts = data[:first].iloc[:, :5], data[first:].iloc[:, 1:]
    both = seen_by(model, pd.concat(parts).sample(frac=1, random_state=seed))
    apart = [seen_by(model, part) for part in parts]
    found = both.item_fit(min_persons=150, min_expected=min_expected)
    each = [own.item_fit(min_expected=min_expected) for own in apart]
    for column in ("s_x2", "n_s_x2", "forms", "n"):
        assert np.allclose(found[column].fillna(0), sum(part[column].fillna(0) for part in each))
    # Cells add up; the item's parameters are taken off once.
    known = found["df"].notna() & each[0]["df"].notna() & each[1]["df"].notna()
    twice = each[0]["df"] + each[1]["df"] + 1 + steps
    assert np.allclose(found["df"][known], twice[known])
    for statistic in ("M2", "C2"):
        rows = both.model_fit(statistic, missing="forms", min_persons=150)
        columns = ["items", "n", statistic.lower(), "df", "p", "rmsea", "srmsr"]
        for part, own in zip(parts, apart, strict=True):
            name = next(key for key, at in rows.attrs["form_items"].items() if at == [*part])
            alone = own.model_fit(statistic, missing="forms").iloc[0]
            same = rows.loc[name, columns].astype(float)
            assert np.allclose(same, alone[columns].astype(float), equal_nan=True)


def numbers_of(model):
    """All statistics of fit with missing scores, each in the order of labels."""
    items = model.item_fit().sort_index()
    rows = model.model_fit(missing="forms").drop(columns="reason")
    q3 = model.local_dependence().sort_index().sort_index(axis=1)
    return items.drop(columns="reason"), rows, q3


@settings(max_examples=6, deadline=None)
@given(st.integers(0, 10**6), st.integers(0, 30), st.booleans())
def test_order_and_persons_without_answers_change_nothing(seed, empty, by_form):
    data = FORMS[:550] if by_form else DATA
    more = pd.concat([data, pd.DataFrame(np.nan, range(empty), data.columns)], ignore_index=True)
    turned = more.sample(frac=1, random_state=seed).sample(frac=1, axis=1, random_state=seed)
    wanted = numbers_of(seen_by(MODEL, data))
    other = seen_by(MODEL, turned)
    again = seen_by(irt.fit(FORMS[turned.columns], "2PL"), turned)
    for model, tolerance in ((other, 1e-9), (again, 1e-3)):
        for found, one in zip(numbers_of(model), wanted, strict=True):
            assert np.allclose(found, one, rtol=tolerance, atol=tolerance, equal_nan=True)
    persons = other.person_fit()
    assert persons["n"].eq(0).sum() == empty
    assert (persons["reason"] == np.where(persons["n"] == 0, "no score", "")).all()
    assert persons[persons["n"] > 0].drop(columns="reason").notna().all(axis=None)


def test_complete_data_are_one_form():
    model = irt.fit(DATA[:60], "2PL")
    pd.testing.assert_frame_equal(model.item_fit(), model.item_fit(missing="listwise"))
    rows = model.model_fit(missing="forms")
    assert rows.index.to_list() == ["form 1", "all forms"]
    for row in rows.index:
        alone = rows.loc[row].drop(["items", "reason"]).astype(float)
        assert np.allclose(alone, model.model_fit(missing="raise"))


def test_planned_forms_have_s_x2():
    found = MODEL.item_fit()
    assert (found["reason"] == "").all()
    assert found[["s_x2", "df", "p", "rmsea"]].notna().all(axis=None)
    assert found["forms"].to_list() == [1, 1, 2, 2, 2, 2, 1, 1]
    assert found["n_s_x2"].to_list() == [300, 300, 600, 600, 600, 600, 300, 300]
    assert found.attrs["left_out"] == 0
    none = MODEL.item_fit(missing="listwise")
    assert none["s_x2"].isna().all()
    assert (none["reason"] == "nobody has a score on every item").all()
    assert none[["infit", "outfit"]].notna().all(axis=None)
    with pytest.raises(lrn.MeasureError, match="no M2: nobody has a score on every item"):
        MODEL.model_fit(missing="listwise")


def test_small_forms_are_left_out_with_a_reason():
    data = FORMS.copy()
    data.iloc[:40, 0] = np.nan
    data.iloc[40:43, 1:] = np.nan
    model = irt.fit(data, "2PL")
    found = model.item_fit()
    assert found.attrs["left_out"] == 43
    assert found["n_s_x2"].to_list() == [257, 257, 557, 557, 557, 557, 300, 300]
    rows = model.model_fit(missing="forms")
    assert rows["n"].to_list() == [300, 257, 40, 3, 557]
    assert rows.loc["form 3", "reason"] == "fewer than 100 persons"
    assert rows.loc["form 4", "reason"] == "M2 takes at least 3 items"
    assert rows.loc[["form 3", "form 4"], ["m2", "df", "p", "rmsea"]].isna().all(axis=None)
    assert model.model_fit(missing="forms", min_persons=40).loc["form 3", "df"] > 0
    # The largest form has one item: there are no pairs.
    single = pd.concat([DATA[["i0"]], DATA[:50]], ignore_index=True)
    with pytest.raises(lrn.MeasureError, match="no form with 100 persons has pairs of items"):
        seen_by(model, single).model_fit(missing="forms")
    assert seen_by(model, single).item_fit()["reason"].iloc[0].startswith("no totals to compare")
    # One form alone has enough persons, and no item of the other.
    most = model.item_fit(min_persons=280)
    assert most["reason"].iloc[0] == "no form of 280 persons has the item"
    assert most["s_x2"].notna().to_list() == [False] * 2 + [True] * 6


def test_everybody_lacks_other_scores():
    data = DATA.mask(np.random.default_rng(1).random(DATA.shape) < 0.4)
    model = irt.fit(data, "2PL")
    found = model.item_fit()
    assert found["s_x2"].isna().all()
    assert found["reason"].str.match(r"none of the \d+ forms .* has 100 persons: the largest").all()
    assert (found["n"] == data.notna().sum()).all()
    with pytest.raises(lrn.MeasureError, match=r"no M2: none of the .* forms.*lower min_persons"):
        model.model_fit(missing="forms")
    n = len(data.dropna())
    assert model.model_fit(missing="listwise")["n"] == n
    assert model.model_fit(missing="listwise").attrs["left_out"] == 600 - n


def test_too_few_totals_have_a_reason():
    data = scores(200, 3)
    found = irt.fit(data, "2PL").item_fit()
    assert found["df"].isna().all()
    assert found["reason"].str.startswith("no degrees of freedom").all()
    pairs = irt.fit(data.iloc[:, :2], "Rasch").item_fit()
    assert (pairs["reason"] != "").all()
    assert pairs["p"].isna().all()


def test_an_item_that_nobody_in_a_group_answered():
    group = np.repeat(["a", "b"], 300)
    model = irt.fit(FORMS, "2PL", group=group)
    found = model.item_fit()
    assert (found["reason"] == "").all()
    assert found["n_s_x2"].to_list() == [300, 300, 600, 600, 600, 600, 300, 300]
    rows = model.model_fit(missing="forms")
    # The second form alone does not tell the group's mean and SD from the items.
    assert rows["df"].to_list() == [21 - 12, 21 - 12, 42 - 18]
    assert rows["m2"].notna().all()
    # Complete in one group only: the other is left out, and said to be.
    part = DATA.copy()
    part.iloc[300:, 7] = np.nan
    alone = irt.fit(part, "2PL", group=group).model_fit(missing="listwise")
    assert alone["n"] == 300
    assert alone.attrs["left_out"] == 300
    assert alone["df"] == 36 - 16
    q3 = irt.fit(part, "2PL", group=group).local_dependence()
    assert q3.attrs["fewest_persons"] == 300
    assert "reason" not in q3.attrs


def test_pairs_without_common_persons_have_a_reason():
    q3 = MODEL.local_dependence()
    assert q3.isna().sum(axis=None) == 8
    assert q3.attrs["fewest_persons"] == 0
    assert q3.attrs["reason"].startswith("4 of 28 pairs")


def test_two_common_persons_have_no_correlation():
    """Their residuals lie on a line: Q3 would be 1 or −1 whatever the scores."""
    for common, known in ((2, False), (3, True)):
        data = DATA[:60].copy()
        data.iloc[: 30 - common, 0] = np.nan
        data.iloc[30:, 1] = np.nan
        q3 = seen_by(MODEL, data).local_dependence()
        assert q3.attrs["fewest_persons"] == common
        assert np.isfinite(q3.loc["i0", "i1"]) == known
        assert ("reason" in q3.attrs) != known


def test_one_item_tells_nothing_of_the_fit_of_a_person():
    """Given the ability nothing varies of lz_star: neither infinite nor a number by rounding."""
    one = pd.DataFrame(np.nan, range(8), DATA.columns)
    one.iloc[range(8), range(8)] = np.arange(8) % 2
    found = MODEL.person_fit(matrix=one)
    assert found["lz_star"].isna().all()
    assert found["reason"].str.startswith("lz_star: with one item").all()
    assert np.isfinite(found[["lz", "infit", "outfit"]]).all(axis=None)
    pair = pd.DataFrame({"i1": [0.0, 1.0], "i5": [1.0, 0.0]})
    assert np.isfinite(MODEL.person_fit(matrix=pair)["lz_star"]).all()


def test_same_score_of_everybody_leaves_no_correlation():
    others = DATA[DATA["i0"] == 1][:150]
    found = seen_by(MODEL, others).model_fit()
    assert np.isnan(found["srmsr"])
    assert np.isfinite(found[["m2", "df", "p", "rmsea"]]).all()
    assert found.attrs["reason"].startswith("srmsr")


def test_memory_is_named_before_it_is_taken(monkeypatch):
    monkeypatch.setattr(moments, "_MOST_MEMORY", 2**10)
    with pytest.raises(lrn.MeasureError, match=r"moments of 6 items need about .* GB of memory"):
        MODEL.model_fit(missing="forms")


@pytest.mark.slow
def test_many_items():
    """As many as do not fit by a covariance of all pairs; the statistic is near its df."""
    found = irt.fit(scores(1500, 150, seed=4), "Rasch").model_fit()
    assert found["df"] == 150 * 151 / 2 - 151
    assert abs(found["m2"] - found["df"]) < 4 * np.sqrt(2 * found["df"])


def test_what_may_be_passed():
    for wrong in ({"missing": "pairwise"}, {"statistic": "M3"}, {"min_persons": 0}):
        with pytest.raises(lrn.MeasureError, match=next(iter(wrong))):
            MODEL.model_fit(**wrong)
    with pytest.raises(lrn.MeasureError, match="missing is 'raise'"):
        MODEL.item_fit(missing="raise")
    with pytest.raises(lrn.MeasureError, match="min_persons is nan"):
        MODEL.item_fit(min_persons=np.nan)
