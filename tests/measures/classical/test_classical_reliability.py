"""Reliability against reference programs, brute force and theory."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from classical_data import lsat6, lsat7, partial_credit
from lrnanalysis.errors import MeasureError
from lrnanalysis.measures.classical import (
    alpha_if_deleted,
    conditional_sem,
    reliability,
    stratified_alpha,
)


@st.composite
def drawn(draw, top=1):
    """Scores with something in common, from a seed."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    shape = draw(st.integers(20, 60)), draw(st.integers(3, 7))
    latent = rng.normal(size=(shape[0], 1)) + rng.normal(size=shape)
    matrix = pd.DataFrame(np.clip(np.round(latent + top / 2), 0, top))
    return matrix.rename(columns=str)


def simulated(persons, items, seed=0):
    rng = np.random.default_rng(seed)
    latent = rng.normal(size=(persons, 1)) + rng.logistic(size=(persons, items))
    return pd.DataFrame((latent > rng.normal(size=items)).astype(float)).rename(columns=str)


def test_lsat6_as_psych():
    # psych 2.2.9 in R 4.2.2: alpha, splitHalf, omega(nfactors = 1).
    found = reliability(lsat6())
    assert found["alpha"] == pytest.approx(0.2949971922, abs=1e-9)
    assert found["alpha_standardised"] == pytest.approx(0.2930282737, abs=1e-9)
    assert found["mean_r"] == pytest.approx(0.07655092246, abs=1e-9)
    assert found["alpha_low"] == pytest.approx(0.22347378786, abs=1e-9)
    assert found["alpha_high"] == pytest.approx(0.36180253173, abs=1e-9)
    assert found["lambda2"] == pytest.approx(0.2969990706, abs=1e-9)
    assert found["lambda6"] == pytest.approx(0.2517066418, abs=1e-9)
    assert found["omega_total"] == pytest.approx(0.2962068513, abs=1e-6)
    assert found["sem"] == pytest.approx(0.8690666124, abs=1e-9)
    assert found["kr20"] == found["alpha"]


def test_lsat7_as_psych():
    found = reliability(lsat7())
    assert found["alpha"] == pytest.approx(0.4534087354, abs=1e-9)
    assert found["alpha_low"] == pytest.approx(0.3979563775, abs=1e-9)
    assert found["alpha_high"] == pytest.approx(0.5052031603, abs=1e-9)
    assert found["lambda2"] == pytest.approx(0.4610024480, abs=1e-9)
    assert found["lambda4"] == pytest.approx(0.5060391350, abs=1e-9)
    assert found["lambda6"] == pytest.approx(0.4080109066, abs=1e-9)
    assert found["omega_total"] == pytest.approx(0.4615598638, abs=1e-6)
    assert found["sem"] == pytest.approx(0.886129915, abs=1e-8)
    raw = reliability(lsat7(), lambdas="covariances")
    assert raw["lambda2"] == pytest.approx(0.4607274312, abs=1e-9)
    assert raw["lambda4"] == pytest.approx(0.4983447735, abs=1e-9)
    assert raw["lambda6"] == pytest.approx(0.4070834578, abs=1e-9)


#: psych 2.2.9 in R 4.2.2 on the partial credit data, by use of gaps; omega(cov2cor(cov(x))).
PSYCH = {
    "none": {
        "alpha": 0.640008257638,
        "alpha_standardised": 0.659551988981,
        "alpha_low": 0.477948427870,
        "alpha_high": 0.764650294315,
        "lambda2": 0.667629363190,
        "lambda4": 0.776650313036,
        "lambda6": 0.641143514443,
        "omega_total": 0.666689707785,
        "split_half_r": 0.506953759112,
        "split_half": 0.672819263427,
    },
    "pairwise": {
        "alpha": 0.635015557826,
        "alpha_standardised": 0.639571957703,
        "lambda2": 0.655873156179,
        "lambda4": 0.796037378371,
        "lambda6": 0.641929671519,
        "omega_total": 0.654829820167,
        "split_half_r": 0.556219113222,
        "split_half": 0.714833931155,
    },
    "listwise": {
        "n": 40,
        "alpha": 0.582635658915,
        "alpha_standardised": 0.575203412879,
        "alpha_low": 0.344554290484,
        "alpha_high": 0.754932936067,
        "lambda2": 0.599375624424,
        "lambda4": 0.765522657241,
        "lambda6": 0.586717719140,
        "omega_total": 0.595436839251,
        "split_half_r": 0.474011081841,
        "split_half": 0.643158097901,
    },
}


@pytest.mark.parametrize("missing", ["none", "pairwise", "listwise"])
def test_partial_credit_and_gaps_as_psych(missing):
    matrix = partial_credit(gaps=missing != "none")
    found = reliability(matrix, missing="pairwise" if missing == "none" else missing)
    for name, value in PSYCH[missing].items():
        # psych's factor analysis stops earlier than ours.
        assert found[name] == pytest.approx(value, abs=2e-6 if name == "omega_total" else 1e-9)
    assert np.isnan(found["kr20"])
    assert found.attrs["persons_left_out"] == {"none": 0, "pairwise": 0, "listwise": 20}[missing]


#: psych 2.2.9 in R 4.2.2 on the partial credit data with gaps: alpha and splitHalf scale pairwise
#: covariances; guttman and omega (nfactors = 1) take pairwise correlations.
GUTTMAN = {
    "lambda2": 0.6540329665926,
    "lambda4": 0.7947372838368,
    "lambda6": 0.6393864753449,
    "omega_total": 0.6529585712559,
}
#: alpha(x)$alpha.drop$raw_alpha of the same data.
ALPHA_DROP = [
    0.5724946124460,
    0.6011177496328,
    0.6030961925325,
    0.5489512926772,
    0.5411923322787,
    0.6464018163084,
]


def test_pairwise_correlations_as_psych_guttman_and_omega():
    gaps = partial_credit(gaps=True)
    found = reliability(gaps, lambdas="pairwise correlations")
    for name, value in GUTTMAN.items():
        assert found[name] == pytest.approx(value, abs=2e-6 if name == "omega_total" else 1e-9)
    # The others rest on covariances whatever the lambdas do, and complete data know one kind.
    rest = ["alpha", "alpha_standardised", "mean_r", "split_half"]
    pd.testing.assert_series_equal(found[rest], reliability(gaps)[rest])
    for arguments in ({"missing": "listwise"}, {}):
        data = gaps if arguments else lsat7()
        pd.testing.assert_series_equal(
            reliability(data, lambdas="pairwise correlations", **arguments),
            reliability(data, **arguments),
        )


def test_alpha_if_deleted_with_gaps_as_psych():
    assert alpha_if_deleted(partial_credit(gaps=True)).tolist() == pytest.approx(
        ALPHA_DROP, abs=1e-11
    )


def test_alpha_if_deleted_as_psych():
    assert alpha_if_deleted(lsat7()).tolist() == pytest.approx(
        [0.3959749651, 0.3938310449, 0.3453912200, 0.4146007490, 0.4384621017], abs=1e-9
    )
    gaps = partial_credit(gaps=True)
    assert alpha_if_deleted(gaps, missing="listwise").tolist() == pytest.approx(
        [
            0.515594382756,
            0.548197492163,
            0.543290383407,
            0.492573792066,
            0.475746268657,
            0.605143721634,
        ],
        abs=1e-11,
    )


def test_unequal_halves_by_horst():
    # Horst (1951): r, the whole's reliability R and the share p of the longer half satisfy
    # r² (1 − R(1 − p)) … which his formula solves; equal halves give Spearman and Brown.
    matrix = simulated(500, 5)
    found = reliability(matrix)
    halves = matrix.iloc[:, ::2].sum(axis=1), matrix.iloc[:, 1::2].sum(axis=1)
    r = np.corrcoef(*halves)[0, 1]
    assert found["split_half_r"] == pytest.approx(r)
    pq = 0.6 * 0.4
    stepped = r * (np.sqrt(r**2 + 4 * pq * (1 - r**2)) - r) / (2 * pq * (1 - r**2))
    assert found["split_half"] == pytest.approx(stepped)
    # Parallel items: two halves of any length lead to the same reliability of the whole.
    k, rho = 10, 0.2
    whole = k * rho / (1 + (k - 1) * rho)
    a, b = 7, 3
    r = a * b * rho / np.sqrt((a + a * (a - 1) * rho) * (b + b * (b - 1) * rho))
    pq = a * b / k**2
    assert r * (np.sqrt(r**2 + 4 * pq * (1 - r**2)) - r) / (2 * pq * (1 - r**2)) == pytest.approx(
        whole
    )


def test_halves_can_be_given():
    matrix = simulated(300, 6)
    given_labels = reliability(matrix, halves={name: int(name) >= 3 for name in matrix})
    by_name = reliability(matrix, halves="first-last")
    pd.testing.assert_series_equal(given_labels, by_name)
    assert by_name["split_half"] != reliability(matrix)["split_half"]


def brute_force_lambda4(matrix):
    r = matrix.corr().to_numpy()
    k = len(r)
    best = -np.inf
    for first in combinations(range(k), k // 2):
        second = [item for item in range(k) if item not in first]
        best = max(best, 4 * r[np.ix_(first, second)].sum() / r.sum())
    return best


@pytest.mark.parametrize("items", [3, 4, 7, 8, 11])
def test_lambda4_is_the_best_of_all_splits(items):
    matrix = simulated(100, items, seed=items)
    assert reliability(matrix)["lambda4"] == pytest.approx(brute_force_lambda4(matrix))


def test_lambda4_of_many_items_finds_the_best_split():
    # Twelve items that come in pairs of near copies: the best split takes the pairs apart, and
    # with their copies beside them the search must find it among 1.3 million.
    rng = np.random.default_rng(4)
    base = rng.normal(size=(400, 12))
    matrix = pd.DataFrame(np.hstack([base, base + 0.05 * rng.normal(size=base.shape)])).rename(
        columns=str
    )
    found = reliability(matrix)["lambda4"]
    r = matrix.corr().to_numpy()
    apart = 4 * r[:12, 12:].sum() / r.sum()
    assert apart - 1e-9 <= found <= 1
    shuffled = matrix.sample(frac=1, axis=1, random_state=1)
    assert reliability(shuffled)["lambda4"] == pytest.approx(found, abs=1e-12)


def test_omega_of_a_one_factor_test_is_its_reliability():
    # Population: loadings .8 .7 .6 .5, so omega = (Σλ)² / ((Σλ)² + Σ(1 − λ²)), exactly.
    loadings = np.array([0.8, 0.7, 0.6, 0.5])
    correlation = np.outer(loadings, loadings)
    np.fill_diagonal(correlation, 1.0)
    rng = np.random.default_rng(0)
    noise = rng.normal(size=(50, 4))
    noise -= noise.mean(axis=0)
    white = noise @ np.linalg.inv(np.linalg.cholesky(np.cov(noise.T))).T
    matrix = pd.DataFrame(white @ np.linalg.cholesky(correlation).T).rename(columns=str)
    omega = loadings.sum() ** 2 / (loadings.sum() ** 2 + (1 - loadings**2).sum())
    assert reliability(matrix)["omega_total"] == pytest.approx(omega, abs=1e-7)
    # Points: the same items in other units.
    scale = np.array([1.0, 2.0, 3.0, 4.0])
    raw = reliability(matrix * scale, lambdas="covariances")["omega_total"]
    true = (loadings * scale).sum() ** 2
    assert raw == pytest.approx(true / (true + ((1 - loadings**2) * scale**2).sum()), abs=1e-7)


def test_items_that_everybody_scores_alike_are_left_out_and_named():
    matrix = lsat6()
    found = reliability(matrix.assign(free=1.0))
    assert found.attrs["items_left_out"] == ["free"]
    pd.testing.assert_series_equal(found.drop("items"), reliability(matrix).drop("items"))
    assert np.isnan(alpha_if_deleted(matrix.assign(free=1.0))["free"])


def test_copies_of_an_item_leave_no_residual():
    matrix = simulated(200, 3)
    matrix["copy"] = matrix["0"]
    r = matrix.corr().to_numpy()
    found = reliability(matrix)["lambda6"]
    residual = 0.0
    for item in (1, 2):
        others = [0, 3 - item]
        residual += 1 - r[item, others] @ np.linalg.solve(
            r[np.ix_(others, others)], r[others, item]
        )
    assert found == pytest.approx(1 - residual / r.sum())


def test_two_items():
    found = reliability(lsat7().iloc[:, :2])
    r = lsat7().iloc[:, :2].corr().iloc[0, 1]
    assert found["split_half"] == pytest.approx(2 * r / (1 + r))
    assert found["alpha_standardised"] == pytest.approx(2 * r / (1 + r))
    assert np.isnan(found["omega_total"])


@pytest.mark.parametrize(
    ("matrix", "arguments", "message"),
    [
        (lsat6().iloc[:, :1], {}, "1 of 1 items vary"),
        (lsat6() * 0 + 1, {}, "0 of 5 items vary"),
        (lsat6().mask(np.eye(1000, 5) == 0), {"missing": "listwise"}, "0 of 1000 persons"),
        (lsat6(), {"missing": "available"}, "missing is 'available'"),
        (lsat6(), {"lambdas": "raw"}, "lambdas is 'raw'"),
        (lsat6(), {"halves": "random"}, "halves is 'random'"),
        (lsat6(), {"halves": {"item-1": 1}}, "halves has no entry for item 'item-2'"),
        (lsat6(), {"halves": dict.fromkeys(lsat6(), 1)}, "halves has 1 labels"),
    ],
)
def test_wrong_arguments(matrix, arguments, message):
    with pytest.raises(MeasureError, match=message):
        reliability(matrix, **arguments)


def test_forms_that_never_meet_are_named():
    matrix = simulated(100, 6)
    matrix.iloc[:50, 3:] = np.nan
    matrix.iloc[50:, :3] = np.nan
    with pytest.raises(MeasureError, match=r"9 of 15 pairs .* \(such as '0' and '3'\)"):
        reliability(matrix)


@settings(max_examples=40, deadline=None)
@given(drawn())
def test_alpha_is_kr20(matrix):
    assume((matrix.nunique() > 1).all())
    found = reliability(matrix)
    k, p = matrix.shape[1], matrix.mean()
    kr20 = k / (k - 1) * (1 - (p * (1 - p)).sum() / matrix.sum(axis=1).var(ddof=0))
    assert found["kr20"] == pytest.approx(kr20, abs=1e-9)
    assert found["alpha"] == found["kr20"]


@settings(max_examples=40, deadline=None)
@given(drawn(top=3), st.integers(0, 2**32))
def test_order_and_units_do_not_matter(matrix, seed):
    assume((matrix.nunique() > 1).all())
    rng = np.random.default_rng(seed)
    found = reliability(matrix)
    order = list(matrix.columns[rng.permutation(matrix.shape[1])])
    other = reliability(matrix.iloc[rng.permutation(len(matrix))][order] * 7 + 3)
    by_position = ["split_half_r", "split_half"]
    scaled = ["sd", "sem"]
    np.testing.assert_allclose(
        other.drop(by_position + scaled), found.drop(by_position + scaled), atol=2e-6
    )
    np.testing.assert_allclose(other[scaled], 7 * found[scaled], atol=1e-9)


@settings(max_examples=40, deadline=None)
@given(drawn(top=3))
def test_known_order_of_the_coefficients(matrix):
    # Guttman (1945): lambda2 is at least alpha, which is at least lambda1; lambda4 is at least the
    # mean of all split halves, and that mean is alpha for even numbers of items.
    assume((matrix.nunique() > 1).all())
    assume(matrix.sum(axis=1).var() > 0.01)
    found = reliability(matrix, lambdas="covariances")
    assert found["lambda2"] >= found["alpha"] - 1e-9
    if matrix.shape[1] % 2 == 0:
        assert found["lambda4"] >= found["alpha"] - 1e-9


def test_feldt_interval_covers():
    # 400 tests of 8 parallel normal items with reliability .8 and 60 persons.
    rng = np.random.default_rng(12)
    rho = 0.8 / (8 - 7 * 0.8)
    inside = 0
    for _ in range(400):
        scores = np.sqrt(rho) * rng.normal(size=(60, 1)) + np.sqrt(1 - rho) * rng.normal(
            size=(60, 8)
        )
        found = reliability(pd.DataFrame(scores))
        inside += found["alpha_low"] < 0.8 < found["alpha_high"]
    assert 0.92 < inside / 400 < 0.98


def test_conditional_sem_of_lord():
    matrix = simulated(400, 9)
    found = conditional_sem(matrix, 1)
    x = found.index.to_numpy()
    assert found["sem"].to_numpy() == pytest.approx(np.sqrt(x * (9 - x) / 8))
    assert found["n"].sum() == 400
    scores = matrix.sum(axis=1)
    assert found["n"].to_dict() == scores.value_counts().to_dict()


def test_conditional_sem_agrees_with_alpha_as_keats():
    matrix = simulated(400, 9)
    found = conditional_sem(matrix, 1, agree_with_alpha=True)
    mean = (found["n"] * found["sem"] ** 2).sum() / found["n"].sum()
    assert np.sqrt(mean) == pytest.approx(reliability(matrix)["sem"])
    # Keats (1957): Lord's error times (1 − reliability) / (1 − KR-21).
    x = matrix.sum(axis=1)
    kr21 = 9 / 8 * (1 - x.mean() * (9 - x.mean()) / (9 * x.var(ddof=0)))
    keats = (1 - reliability(matrix)["alpha"]) / (1 - kr21) * x.var() / x.var(ddof=0)
    lord = conditional_sem(matrix, 1)["sem"]
    assert found["sem"].to_numpy() == pytest.approx((lord * np.sqrt(keats)).to_numpy())


def test_conditional_sem_of_partial_credit():
    # Lee (2007): for K items of one kind K/(K − 1) Σ (x − mean)² per person, strata added up.
    matrix = partial_credit()
    found = conditional_sem(matrix, {"a": 1, "b": 1, "c": 1, "d": 3, "e": 3, "f": 1})
    ones, threes = matrix[["a", "b", "c", "f"]], matrix[["d", "e"]]
    errors = 4 * ones.var(axis=1) + 2 * threes.var(axis=1)
    expected = errors.groupby(matrix.sum(axis=1)).mean() ** 0.5
    assert found["sem"].to_numpy() == pytest.approx(expected.to_numpy())
    kinds = {"a": "short", "b": "short", "c": "short", "f": "short", "d": "long", "e": "long"}
    highest = {"a": 1, "b": 1, "c": 1, "d": 2, "e": 3, "f": 1}
    together = conditional_sem(matrix, highest, strata=kinds)
    shares = matrix[["d", "e"]] / [2, 3]
    errors = 4 * ones.var(axis=1) + 13 * shares.var(axis=1)
    expected = errors.groupby(matrix.sum(axis=1)).mean() ** 0.5
    assert together["sem"].to_numpy() == pytest.approx(expected.to_numpy())
    assert together.attrs["reasons"] == {}


def with_essay(persons, seed=3):
    """Ten items of 0 or 1 and an essay of 0 to 20 points; the expected total of each person."""
    rng = np.random.default_rng(seed)
    ability = rng.normal(size=(persons, 1))
    p = 1 / (1 + np.exp(-1.2 * (ability - np.linspace(-1.5, 1.5, 10))))
    of_essay = 1 / (1 + np.exp(-1.2 * ability[:, 0]))
    matrix = pd.DataFrame((rng.random(p.shape) < p).astype(float)).rename(columns=str)
    matrix["essay"] = rng.binomial(20, of_essay).astype(float)
    return matrix, p.sum(axis=1) + 20 * of_essay, of_essay


def test_an_item_alone_in_its_stratum_has_no_conditional_sem():
    matrix, _, _ = with_essay(200)
    highest = pd.Series(1.0, index=matrix.columns).where(matrix.columns != "essay", 20.0)
    found = conditional_sem(matrix, highest)
    assert found["sem"].isna().all()
    assert "(essay in 20)" in found.attrs["reasons"]["sem"]
    two = conditional_sem(matrix.assign(longer=0.0), {**highest, "longer": 15.0})
    assert "(longer in 15, essay in 20)" in two.attrs["reasons"]["sem"]
    agreed = conditional_sem(matrix, highest, agree_with_alpha=True)
    assert agreed["sem"].isna().all()
    assert conditional_sem(matrix.drop(columns="essay"), 1.0)["sem"].notna().all()
    halves = conditional_sem(matrix, highest, method="half-test")
    assert halves["sem"].isna().all()
    assert "worth 5 and 25 points" in halves.attrs["reasons"]["sem"]
    items = conditional_sem(simulated(30, 9), 1.0, method="half-test")
    assert "one person has the score" in items.attrs["reasons"]["sem"]
    assert items["sem"].isna().equals(items["n"] == 1)


def test_conditional_sem_recovers_the_error_of_items_that_are_alike():
    # Ten items of 1 point and two essays of 20: the mean square of the errors is the truth's.
    first, _, of_essay = with_essay(20_000)
    rng = np.random.default_rng(9)
    matrix = first.assign(other=rng.binomial(20, of_essay).astype(float))
    highest = pd.Series(1.0, index=matrix.columns)
    highest[["essay", "other"]] = 20.0
    found = conditional_sem(matrix, highest)
    mean = np.sqrt((found["n"] * found["sem"] ** 2).sum() / found["n"].sum())
    ability = np.log(of_essay / (1 - of_essay)) / 1.2
    p = 1 / (1 + np.exp(-1.2 * (ability[:, None] - np.linspace(-1.5, 1.5, 10))))
    error = (p * (1 - p)).sum(axis=1) + 2 * 20 * of_essay * (1 - of_essay)
    assert mean == pytest.approx(np.sqrt(error.mean()), rel=0.03)


def test_stratified_alpha_recovers_the_reliability_that_alpha_misses():
    matrix, true, of_essay = with_essay(40_000)
    total = matrix.sum(axis=1)
    reliable = true.var() / total.var()
    own = (20 * of_essay).var() / matrix["essay"].var()
    highest = pd.Series(1.0, index=matrix.columns).where(matrix.columns != "essay", 20.0)
    found = stratified_alpha(matrix, highest, reliabilities={20: own})
    assert reliable == pytest.approx(0.89, abs=0.01)
    assert found["stratified_alpha"] == pytest.approx(reliable, abs=0.01)
    assert found["sem"] == pytest.approx((total - true).std(), abs=0.05)
    assert found["sem"] == pytest.approx(2.36, abs=0.1)
    assert found["alpha"] < 0.5
    whole = reliability(matrix, max_score=highest)
    assert whole["alpha"] == found["alpha"]
    assert "worth 1 to 20 points" in whole.attrs["note"]
    assert np.isnan(whole["stratified_alpha"])
    assert "alone in stratum 20" in whole.attrs["reasons"]["stratified_alpha"]


def test_stratified_alpha_by_its_formula():
    matrix = partial_credit()
    kinds = dict(zip("abcdef", "xxxyyx", strict=True))
    found = stratified_alpha(matrix, strata=kinds)
    left = 0.0
    for own in (["a", "b", "c", "f"], ["d", "e"]):
        part = matrix[own]
        left += part.sum(axis=1).var() * (1 - reliability(part)["alpha"])
    assert found["stratified_alpha"] == pytest.approx(1 - left / matrix.sum(axis=1).var())
    assert found["sem"] == pytest.approx(np.sqrt(left))
    assert reliability(matrix, strata=kinds)["stratified_alpha"] == found["stratified_alpha"]
    assert found.attrs["strata"]["y"]["items"] == 2
    assert found.attrs["strata"]["y"]["reliability"] == pytest.approx(
        reliability(matrix[["d", "e"]])["alpha"]
    )
    given_one = stratified_alpha(matrix, strata=kinds, reliabilities={"y": 1.0})
    assert given_one["stratified_alpha"] > found["stratified_alpha"]
    # Of one stratum it is alpha.
    one = stratified_alpha(lsat7())
    assert one["stratified_alpha"] == pytest.approx(one["alpha"], abs=1e-12)
    assert "note" not in reliability(lsat7()).attrs


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"reliabilities": {5: 0.8}}, "names the stratum 5: the strata are 1, 2, 3"),
        ({"reliabilities": {1: 1.2}}, "the reliability of stratum 1 is 1.2"),
        ({"reliabilities": 0.8}, "reliabilities is 0.8: pass a dictionary or a Series"),
        ({"strata": {"a": "x"}}, "strata has no entry for item 'b'"),
        ({"missing": "available"}, "missing is 'available'"),
    ],
)
def test_stratified_alpha_wrong_arguments(arguments, message):
    with pytest.raises(MeasureError, match=message):
        stratified_alpha(partial_credit(), **arguments)


def test_conditional_sem_of_thorndike():
    matrix = partial_credit(gaps=True)
    found = conditional_sem(matrix, method="half-test")
    complete = matrix.dropna()
    difference = complete[["a", "c", "e"]].sum(axis=1) - complete[["b", "d", "f"]].sum(axis=1)
    expected = difference.groupby(complete.sum(axis=1)).std()
    pd.testing.assert_series_equal(found["sem"], expected, check_names=False)
    assert found.attrs["persons_left_out"] == 20


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"method": "feldt"}, "method is 'feldt'"),
        ({"method": "half-test", "agree_with_alpha": True}, "binomial"),
    ],
)
def test_conditional_sem_wrong_arguments(arguments, message):
    with pytest.raises(MeasureError, match=message):
        conditional_sem(lsat6(), **arguments)


def test_conditional_sem_needs_whole_rows():
    matrix = lsat6().assign(unseen=np.nan)
    with pytest.raises(MeasureError, match="0 persons have all of 6 items"):
        conditional_sem(matrix)
