"""Mantel–Haenszel and standardisation against R, theory and simulation."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats

from classical_data import grouped
from lrnanalysis.errors import MeasureError
from lrnanalysis.measures.dif import mantel_haenszel, standardisation
from lrnanalysis.measures.dif._exact import lower_log_odds
from lrnanalysis.measures.dif._tests import adjust_p

TWO_SCORES = ["v3", "v4", "v5", "w4", "w5"]


def rasch(persons, items, *, seed, focal_mean=0.0, shift=None):
    """Rasch scores of two groups of equal size; `shift` is added to items' difficulty for "f"."""
    rng = np.random.default_rng(seed)
    group = np.where(np.arange(persons) % 2, "f", "r")
    ability = rng.normal(size=persons) + np.where(group == "f", focal_mean, 0.0)
    difficulty = np.tile(np.linspace(-1.5, 1.5, items), (persons, 1))
    for item, by in (shift or {}).items():
        difficulty[group == "f", item] += by
    scores = ability[:, None] - difficulty + rng.logistic(size=(persons, items)) > 0
    columns = [f"i{number}" for number in range(items)]
    return pd.DataFrame(scores.astype(float), columns=columns), pd.Series(group)


@pytest.fixture(scope="module")
def data():
    return grouped()


def test_as_mantelhaen_test(data):
    # R 4.2.2: mantelhaen.test(table(group, item, total)), with and without correction.
    found = mantel_haenszel(*data, reference="r").loc[TWO_SCORES]
    expected = {
        "chi2": [13.4988694657, 1.45460618087, 1.29700673776, 1.90508541792, 0.750979535385],
        "p": [0.000238707224934, 0.227790287508, 0.254760702072, 0.167510201826, 0.386166281183],
        "alpha_mh": [1.73064014282, 0.81391298422, 0.784796873967, 0.810010920241, 0.832218004243],
        "alpha_low": [
            1.29884572107,
            0.593961679545,
            0.533717379569,
            0.609346826278,
            0.572890737656,
        ],
        "alpha_high": [2.30598234676, 1.11531495835, 1.15399302508, 1.07675573682, 1.20893350348],
    }
    for name, values in expected.items():
        assert found[name].tolist() == pytest.approx(values, rel=1e-9)
    plain = mantel_haenszel(*data, reference="r", correct=False).loc[TWO_SCORES, "chi2"]
    assert plain.tolist() == pytest.approx(
        [14.034962797, 1.6539258568, 1.52921910716, 2.10986261911, 0.922807643301], rel=1e-9
    )


def test_partial_credit_as_conditional_logistic_regression(data):
    # Mantel's test is the score test of group on score in strata of the total:
    # R 4.2.2, survival 3.5.3, clogit(group ~ score + strata(total), method = "exact").
    found = mantel_haenszel(*data, reference="r").loc[["x", "y"], "chi2"]
    assert found.tolist() == pytest.approx([14.735453633, 10.9911587634], rel=1e-9)


def test_three_groups_as_mantelhaen_test(data):
    matrix, group = data
    three = group.mask(np.arange(1000) % 3 == 0, "h")
    found = mantel_haenszel(matrix, three, reference="r").loc[TWO_SCORES]
    assert found["chi2"].tolist() == pytest.approx(
        [8.50473148947, 0.561524425291, 2.39011716446, 1.55134454984, 1.52123376505], rel=1e-9
    )
    assert found["df"].tolist() == [2] * 5
    assert found["alpha_mh"].isna().all()
    assert found["ets"].isna().all()
    assert found.attrs["focal"] == ["f", "h"]


def test_standardisation_as_difr(data):
    # R 4.2.2, by the definitions of difR's stdPDIF.
    names = [*TWO_SCORES, "x", "y"]
    points = np.array([1, 1, 1, 1, 1, 3, 2])
    expected = {
        "focal": [
            -0.106280881632,
            0.0357998364875,
            0.0307397858865,
            0.0421929693831,
            0.0209077871529,
            -0.150291505697,
            0.126932008419,
        ],
        "reference": [
            -0.106414291959,
            0.031238289016,
            0.0218090400268,
            0.0403849732092,
            0.0206822512356,
            -0.132345815066,
            0.124645553537,
        ],
        "total": [
            -0.106354330761,
            0.0332884740157,
            0.0258229588366,
            0.0411975760942,
            0.0207836182295,
            -0.14041149584,
            0.125673199425,
        ],
    }
    for weights, values in expected.items():
        found = standardisation(*data, reference="r", weights=weights).loc[names]
        assert (found["std_p_dif"] * points).tolist() == pytest.approx(values, rel=1e-9)
        assert found["alpha_std"].tolist()[:5] == pytest.approx(
            [1.53471802106, 0.825777117946, 0.771390011868, 0.839687512492, 0.859909434316]
        )
    smd = mantel_haenszel(*data, reference="r").loc[names, "smd"]
    assert smd.tolist() == pytest.approx(expected["focal"], rel=1e-9)


def test_d_dif_and_its_class(data):
    found = mantel_haenszel(*data, reference="r")
    two = found.loc[TWO_SCORES]
    assert two["d_dif"].tolist() == pytest.approx((-2.35 * np.log(two["alpha_mh"])).tolist())
    width = np.log(two["alpha_high"] / two["alpha_low"]) / (2 * 1.959963984540054)
    assert two["d_dif_se"].tolist() == pytest.approx((2.35 * width).tolist())
    # v3: D-DIF is −1.29, significant, below 1.5. x and y: standardised below .17 or above.
    assert found.loc["v3", ["ets", "favours"]].tolist() == ["B", "r"]
    assert found.loc["v4", "ets"] == "A"
    assert pd.isna(found.loc["v4", "favours"])
    sd = data[0]["x"].std()
    assert found.loc["x", "smd_sd"] == pytest.approx(found.loc["x", "smd"] / sd)


@pytest.mark.parametrize(
    ("persons", "shift", "ets"),
    [(4000, 0.15, "A"), (4000, 0.55, "B"), (4000, 1.1, "C"), (120, 0.5, "A")],
)
def test_ets_classes_of_known_dif(persons, shift, ets):
    # A shift of b logits is a D-DIF of −2.35 b, less what it takes from the total.
    matrix, group = rasch(persons, 30, seed=5, shift={4: shift})
    found = mantel_haenszel(matrix, group, reference="r").loc["i4"]
    assert found["ets"] == ets
    if ets != "A":
        assert found["favours"] == "r"


def test_large_but_not_significantly_above_one_is_b():
    for seed in range(40):
        matrix, group = rasch(300, 20, seed=seed, shift={4: 0.75})
        found = mantel_haenszel(matrix, group, reference="r").loc["i4"]
        lower = (abs(found["d_dif"]) - 1) / found["d_dif_se"]
        if abs(found["d_dif"]) > 1.5 and lower < 1.6 and found["p"] < 0.05:
            assert found["ets"] == "B"
            return
    pytest.fail("no such sample")


def test_recovers_the_size_of_dif():
    # With the other items for the total the odds ratio of a shifted Rasch item is e^shift.
    matrix, group = rasch(20_000, 30, seed=2, focal_mean=-0.5, shift={10: 0.5})
    fair = [item for item in matrix if item != "i10"]
    found = mantel_haenszel(matrix, group, reference="r", anchor=fair).loc["i10"]
    assert abs(np.log(found["alpha_mh"]) - 0.5) < 3 * found["d_dif_se"] / 2.35
    assert found["d_dif_se"] < 0.1


def test_focal_and_reference_turn_the_signs(data):
    one = mantel_haenszel(*data, reference="r")
    other = mantel_haenszel(*data, focal="r")
    assert other["d_dif"].dropna().tolist() == pytest.approx((-one["d_dif"]).dropna().tolist())
    assert other["chi2"].tolist() == pytest.approx(one["chi2"].tolist())
    assert other["ets"].equals(one["ets"])
    assert other["favours"].equals(one["favours"])
    std = standardisation(*data, reference="r", weights="total")
    turned = standardisation(*data, focal="r", weights="total")
    assert turned["std_p_dif"].tolist() == pytest.approx((-std["std_p_dif"]).tolist())
    assert turned["favours"].equals(std["favours"])


def test_groups_by_category_order_labels_and_position(data):
    matrix, group = data
    expected = mantel_haenszel(matrix, group, reference="r")
    ordered = group.astype(pd.CategoricalDtype(["r", "f", "unused"]))
    shuffled = ordered.sample(frac=1, random_state=3)
    for given_group in (ordered, shuffled, ordered.array, group.map({"r": 0, "f": 1}).tolist()):
        found = mantel_haenszel(matrix, given_group)
        pd.testing.assert_frame_equal(
            found.drop(columns="favours"), expected.drop(columns="favours")
        )


def test_one_group_against_all_others(data):
    matrix, group = data
    three = group.mask(np.arange(1000) % 3 == 0, "h")
    found = mantel_haenszel(matrix, three, focal="f")
    expected = mantel_haenszel(matrix, (three == "f").map({True: "f", False: "r"}), focal="f")
    assert found["chi2"].equals(expected["chi2"])
    assert found.attrs["reference"] == "not f"
    pair = mantel_haenszel(matrix, three, reference="r", focal="f")
    assert pair.attrs["persons_left_out"] == 334
    assert pair["n_reference"].iloc[0] == 367


def test_persons_without_a_group_are_left_out(data):
    matrix, group = data
    some = group.mask(np.arange(1000) < 100)
    found = mantel_haenszel(matrix, some, reference="r")
    expected = mantel_haenszel(matrix.iloc[100:], group.iloc[100:], reference="r")
    assert found.attrs["persons_left_out"] == 100
    pd.testing.assert_frame_equal(found, expected)


def test_matching_on_another_variable(data):
    matrix, group = data
    total = matrix.sum(axis=1)
    expected = mantel_haenszel(matrix, group, reference="r")
    given_total = mantel_haenszel(matrix, group, reference="r", match=total)
    pd.testing.assert_frame_equal(given_total, expected)
    with pytest.raises(MeasureError, match="strata=10"):
        mantel_haenszel(matrix, group, match=total + np.arange(1000) / 1e6)
    coarse = mantel_haenszel(matrix, group, match=total + np.arange(1000) / 1e6, strata=4)
    assert coarse.attrs["strata"] == 4
    one_item = mantel_haenszel(matrix[["v3"]], group, reference="r", match=total)
    assert one_item.loc["v3", "chi2"] == expected.loc["v3", "chi2"]


def test_purification_ends_where_the_same_items_are_flagged():
    shift = dict.fromkeys(range(6), 0.9)
    matrix, group = rasch(3000, 20, seed=1, shift=shift)
    plain = mantel_haenszel(matrix, group, reference="r", adjust=None)
    pure = mantel_haenszel(matrix, group, reference="r", adjust=None, purify=True)
    assert pure.attrs["purification"]["converged"]
    assert pure.attrs["purification"]["rounds"] >= 1
    # The total without the shifted items is the fair one: fewer fair items are flagged.
    fair = matrix.columns[6:]
    assert pure.loc[fair, "flagged"].sum() < plain.loc[fair, "flagged"].sum()
    assert pure["flagged"].iloc[:6].all()
    assert (pure["anchor"] == ~pure["flagged"]).all()
    by_hand = mantel_haenszel(
        matrix, group, reference="r", adjust=None, anchor=pure.index[pure["anchor"]]
    )
    assert by_hand["chi2"].equals(pure["chi2"])


def test_purification_of_standardisation():
    matrix, group = rasch(3000, 20, seed=1, shift=dict.fromkeys(range(4), 0.9))
    pure = standardisation(matrix, group, reference="r", purify=True)
    assert pure["flagged"].tolist() == [True] * 4 + [False] * 16
    assert pure.attrs["purification"]["converged"]


def test_purification_says_when_it_did_not_converge():
    matrix, group = rasch(3000, 20, seed=1, shift=dict.fromkeys(range(6), 0.9))
    short = mantel_haenszel(matrix, group, reference="r", purify=True, max_rounds=0)
    assert short.attrs["purification"] == {
        "rounds": 0,
        "converged": False,
        "stopped": "max_rounds reached",
    }
    all_differ = pd.DataFrame({"a": [1.0] * 50 + [0] * 50, "b": [0.0] * 50 + [1] * 50})
    ends = np.arange(100) < 50
    stopped = mantel_haenszel(
        pd.concat([all_differ] * 2).reset_index(drop=True), np.tile(ends, 2), purify=True
    )
    assert stopped.attrs["purification"]["stopped"] == "every item is flagged"


def test_given_anchors_are_not_tests(data):
    found = mantel_haenszel(*data, reference="r", anchor=["v4", "v5", "w4"], adjust="bonferroni")
    assert found.loc[["v4", "v5", "w4"], "p_adjusted"].isna().all()
    assert found.loc["v3", "p_adjusted"] == pytest.approx(4 * found.loc["v3", "p"])


def test_p_adjust_as_in_r():
    # R 4.2.2: p.adjust.
    p = np.array([0.001, 0.2, 0.03, 0.04, 0.5, np.nan, 0.012])
    expected = {
        "BH": [0.006, 0.240, 0.060, 0.060, 0.500, np.nan, 0.036],
        "holm": [0.006, 0.400, 0.120, 0.120, 0.500, np.nan, 0.060],
        "bonferroni": [0.006, 1.000, 0.180, 0.240, 1.000, np.nan, 0.072],
        None: p.tolist(),
    }
    for method, values in expected.items():
        assert adjust_p(p, method).tolist() == pytest.approx(values, nan_ok=True)


def test_incomplete_rows():
    # Two planned forms with a common part: persons who did not have an item do not count for it.
    matrix, group = rasch(4000, 24, seed=9, shift={2: 0.8})
    matrix.iloc[::2, 8:16] = np.nan
    matrix.iloc[1::2, 16:] = np.nan
    group = group.sample(frac=1, random_state=0).reset_index(drop=True)
    matrix, group = matrix, pd.Series(np.where(np.arange(4000) % 4 < 2, "r", "f"))
    found = mantel_haenszel(matrix, group, reference="r")
    assert found.attrs["incomplete"]
    assert found["n_reference"].iloc[10] == 1000
    assert found["chi2"].notna().all()


def test_incomplete_totals_are_prorated():
    matrix, group = rasch(2000, 10, seed=3)
    gaps = matrix.copy()
    gaps.loc[::5, "i9"] = np.nan
    found = mantel_haenszel(gaps, group, reference="r")
    prorated = (gaps.sum(axis=1) * 10 / gaps.notna().sum(axis=1)).round()
    expected = mantel_haenszel(gaps, group, reference="r", match=prorated)
    pd.testing.assert_frame_equal(found, expected)


def test_items_that_cannot_be_tested():
    matrix, group = rasch(400, 6, seed=3)
    found = mantel_haenszel(matrix.assign(free=1.0, unseen=np.nan), group)
    assert found.loc[["free", "unseen"], ["chi2", "p", "d_dif", "smd"]].isna().all(axis=None)
    assert found.loc[["free", "unseen"], "ets"].isna().all()
    assert not found.loc[["free", "unseen"], "flagged"].any()
    rest = mantel_haenszel(matrix, group)
    assert found["p_adjusted"].iloc[:6].equals(rest["p_adjusted"])
    std = standardisation(matrix.assign(free=1.0), group).loc["free"]
    assert std[["std_p_dif", "se", "size"]].isna().all()


@pytest.mark.parametrize("right", ["r", "f"])
def test_the_largest_dif_there_is(right):
    matrix, group = rasch(400, 20, seed=3)
    matrix["i4"] = (group == right).astype(float)
    found = mantel_haenszel(matrix, group, reference="r").loc["i4"]
    assert found[["ets", "favours"]].tolist() == ["C", right]
    assert found["alpha_mh"] == (np.inf if right == "r" else 0)
    assert found["d_dif"] == (-np.inf if right == "r" else np.inf)
    assert np.isnan(found["d_dif_se"])
    bound = found["alpha_low"] if right == "r" else 1 / found["alpha_high"]
    assert 10 < bound < np.inf
    assert "no standard error" in found["reason"]
    # Eight persons show nothing.
    few = mantel_haenszel(matrix.iloc[:8], group[:8], reference="r").loc["i4"]
    assert np.isinf(few["d_dif"])
    assert few["ets"] == "A"
    assert pd.isna(few["favours"])
    # Out of the total with it: no other item is to be matched on it.
    pure = mantel_haenszel(matrix, group, reference="r", purify=True)
    assert pure.attrs["purification"]["converged"]
    assert not pure.loc["i4", "anchor"]
    assert pure.loc["i4", "ets"] == "C"


@pytest.mark.parametrize(("wrong", "ets"), [(3, "A"), (5, "B"), (7, "C")])
def test_classes_of_infinite_odds_by_the_exact_test(wrong, ets):
    # All of the reference group are right, and some of the focal group wrong.
    persons = 13
    scores = pd.DataFrame({"item": [1.0] * (2 * persons - wrong) + [0.0] * wrong})
    group = ["r"] * persons + ["f"] * persons
    found = mantel_haenszel(scores, group, reference="r", match=np.ones(26), correct=False)
    found = found.loc["item"]
    assert found["ets"] == ets
    assert np.isinf(found["alpha_mh"])
    # Fisher's noncentral distribution at |D-DIF| = 1: significance from 0 and above 1.
    above = stats.nchypergeom_fisher.pmf(
        persons, 2 * persons, 2 * persons - wrong, persons, np.exp(1 / 2.35)
    )
    assert (found["p"] < 0.05) == (ets != "A")
    assert (above < 0.05) == (ets == "C")


def test_exact_interval_of_an_infinite_odds_ratio():
    right, wrong = np.array([[5, 3, 4], [0, 0, 2.0]]), np.array([[0, 2, 0], [4, 6, 3.0]])
    # R 4.2.2: mantelhaen.test(exact = TRUE), whose root has about four digits.
    for level, bound in ((0.025, 4.87025568), (0.05, 6.51353242)):
        log_odds = lower_log_odds(right, wrong, level)
        assert np.exp(log_odds) == pytest.approx(bound, rel=5e-4)
        probability = stats.nchypergeom_fisher.pmf(
            right[0],
            (right + wrong).sum(axis=0),
            right.sum(axis=0),
            (right + wrong)[0],
            np.exp(log_odds),
        )
        assert probability.prod() == pytest.approx(level)


def test_groups_without_the_item_do_not_count():
    matrix, group = rasch(900, 8, seed=4, shift={2: 0.6})
    three = group.mask(np.arange(900) % 3 == 0, "h")
    matrix.loc[three == "h", "i2"] = np.nan
    total = matrix.drop(columns="i2").sum(axis=1)
    pair = mantel_haenszel(matrix, three, reference="r", focal="f", match=total, correct=False)
    for reference in "rfh":
        found = mantel_haenszel(matrix, three, reference=reference, match=total)
        assert found["df"].tolist() == [2, 2, 1, 2, 2, 2, 2, 2]
        assert found.loc["i2", "chi2"] == pytest.approx(pair.loc["i2", "chi2"])
        assert found.loc["i2", "reason"] == "no scores in group 'h': df is that of the other groups"
    only = matrix.assign(i3=matrix["i3"].where(three == "h"))
    found = mantel_haenszel(only, three, reference="r").loc["i3"]
    assert np.isnan(found["p"])
    assert found["df"] == 0
    assert found["reason"] == "only group 'h' has scores"


def test_strata_that_cannot_be_compared():
    matrix, group = rasch(400, 6, seed=3)
    # Without a matching value for all who are right, the others have one score.
    some = np.where(matrix["i1"] == 1, np.nan, matrix.sum(axis=1))
    for match, reason, std_reason in (
        (some, "everybody has the same score", "everybody has the same score"),
        (
            (group == "f") * 1.0,
            "the groups cannot be compared",
            "no value of the matching variable occurs in both groups",
        ),
        (matrix["i1"], "the groups cannot be compared", "no group varies"),
    ):
        found = mantel_haenszel(matrix, group, reference="r", match=match).loc["i1"]
        assert found[["chi2", "p", "d_dif", "ets"]].isna().all()
        assert found["reason"].startswith(reason)
        std = standardisation(matrix, group, reference="r", match=match).loc["i1"]
        assert std[["se", "low", "high"]].isna().all()
        assert std["reason"].startswith(std_reason)
    # A difference of all that there is has no standard error of 0.
    matrix["i1"] = (group == "r").astype(float)
    std = standardisation(matrix, group, reference="r").loc["i1"]
    assert std[["std_p_dif", "d_std", "size"]].tolist() == [-1, -np.inf, "large"]
    assert std[["se", "low", "high"]].isna().all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"focal": "g"}, "focal is 'g': group has the values 'f', 'r'"),
        ({"reference": "r", "focal": "r"}, "both 'r'"),
        ({"anchor": ["v3", "v9"]}, "anchor has 'v9'"),
        ({"anchor": []}, "anchor has nothing"),
        ({"purify": True, "anchor": ["v3"]}, "purify"),
        ({"adjust": "fdr"}, "adjust is 'fdr'"),
        ({"level": 5}, "level is 5"),
        ({"strata": 1}, "strata is 1"),
        ({"match": [1.0, 2.0]}, "match has 2 values for 1000 persons"),
    ],
)
def test_wrong_arguments(data, arguments, message):
    with pytest.raises(MeasureError, match=message):
        mantel_haenszel(*data, **arguments)


@pytest.mark.parametrize(
    ("group", "message"),
    [
        (["r"] * 1000, "group has 1 values"),
        (["r"] * 10, "group has 10 values for 1000 persons"),
        (["r"] * 999 + ["f"], "group 'f' has 1 persons"),
        (pd.Series("r", index=[f"s{i}" for i in range(1000)]), "no value for any"),
    ],
)
def test_wrong_groups(data, group, message):
    with pytest.raises(MeasureError, match=message):
        mantel_haenszel(data[0], group)


def test_standardisation_compares_two(data):
    matrix, group = data
    three = group.mask(np.arange(1000) % 3 == 0, "h")
    with pytest.raises(MeasureError, match=r"group has 3 values \(f, h, r\): choose two"):
        standardisation(matrix, three)
    for arguments, message in (({"weights": "equal"}, "weights"), ({"threshold": 0}, "threshold")):
        with pytest.raises(MeasureError, match=message):
            standardisation(matrix, group, **arguments)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32))
def test_order_does_not_matter(seed):
    rng = np.random.default_rng(seed)
    matrix, group = rasch(150, 5, seed=seed)
    rows, columns = rng.permutation(150), rng.permutation(matrix.columns)
    for method in (mantel_haenszel, standardisation):
        found = method(matrix.iloc[rows][columns], group, reference="r")
        pd.testing.assert_frame_equal(
            found.loc[matrix.columns], method(matrix, group, reference="r")
        )


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32))
def test_statistic_by_its_definition(seed):
    matrix, group = rasch(80, 4, seed=seed)
    total, item = matrix.sum(axis=1), matrix["i1"]
    above = variance = 0.0
    for score in total.unique():
        inside = total == score
        t = inside.sum()
        if t < 2:
            continue
        n = (inside & (group == "f")).sum()
        m = item[inside].sum()
        above += item[inside & (group == "f")].sum() - n * m / t
        variance += n * (t - n) * m * (t - m) / (t**2 * (t - 1))
    assume(variance > 0)
    found = mantel_haenszel(matrix, group, reference="r").loc["i1", "chi2"]
    size = abs(above)
    assert found == pytest.approx((size - 0.5 * (size >= 0.5)) ** 2 / variance, abs=1e-9)


@pytest.mark.slow
def test_type_one_error_and_standard_errors():
    # 400 tests of 20 fair Rasch items, focal group half a standard deviation lower: the
    # uncorrected test keeps its 5 %, D-DIF spreads as its standard error says, intervals cover.
    p, alpha, se, inside = [], [], [], []
    for seed in range(400):
        matrix, group = rasch(1000, 20, seed=seed, focal_mean=-0.5)
        found = mantel_haenszel(matrix, group, reference="r", correct=False)
        p.append(found["p"])
        alpha.append(np.log(found["alpha_mh"]))
        se.append(found["d_dif_se"] / 2.35)
        inside.append((found["alpha_low"] < 1) & (found["alpha_high"] > 1))
    p, alpha, se, inside = (np.array(values) for values in (p, alpha, se, inside))
    assert 0.043 < (p < 0.05).mean() < 0.057
    assert np.abs(alpha.mean(axis=0)).max() < 0.035
    assert alpha.std(axis=0).mean() / se.mean() == pytest.approx(1, abs=0.03)
    assert 0.943 < inside.mean() < 0.957


@pytest.mark.slow
def test_type_one_error_of_partial_credit_and_power():
    p, hit = [], []
    for seed in range(200):
        matrix, group = rasch(1000, 24, seed=seed, focal_mean=-0.5, shift={23: 1.2, 22: 1.2})
        pairs = pd.DataFrame(
            {f"p{k}": matrix.iloc[:, k] + matrix.iloc[:, k + 12] for k in range(12)}
        )
        fair = [name for name in pairs if name not in ("p10", "p11")]
        found = mantel_haenszel(pairs, group, reference="r", anchor=fair)
        p.append(found.loc[fair, "p"])
        hit.append(found.loc["p11", "p"] < 0.05)
    assert 0.04 < (np.array(p) < 0.05).mean() < 0.06
    assert np.mean(hit) > 0.7
