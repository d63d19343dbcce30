"""Logistic regression against R, theory and simulation."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from classical_data import grouped, lsat7
from lrnanalysis.errors import MeasureError
from lrnanalysis.measures.dif import logistic
from lrnanalysis.measures.dif._cumulative import fit_cumulative

NAMES = ("coefficients", "errors")
TWO_SCORES = ["v3", "v4", "v5", "w4", "w5"]


@pytest.fixture(scope="module")
def data():
    return grouped()


def simulated(persons, *, seed, uniform=0.0, slope=1.0, items=20):
    """Two-parameter scores; the first item is harder or steeper for the focal group."""
    rng = np.random.default_rng(seed)
    group = np.where(np.arange(persons) % 2, "f", "r")
    ability = rng.normal(size=persons)
    logit = ability[:, None] - np.linspace(-1.5, 1.5, items)
    logit[:, 0] = np.where(group == "f", slope * ability - uniform, ability)
    scores = logit + rng.logistic(size=logit.shape) > 0
    return pd.DataFrame(scores.astype(float)).rename(columns=str), pd.Series(group)


def test_two_scores_as_glm(data):
    # R 4.2.2: glm(score ~ total * group, binomial); R² of Nagelkerke as in difR.
    found = logistic(*data, reference="r").loc[TWO_SCORES]
    expected = {
        "chi2_uniform": [12.617468117, 1.6687046203, 1.50079080605, 2.63955074413, 1.00635336811],
        "chi2_nonuniform": [
            2.57978053768,
            0.01506719141,
            1.37233365497,
            1.11720473294,
            1.76706607016,
        ],
        "chi2_both": [15.1972486547, 1.68377181171, 2.87312446102, 3.75675547707, 2.77341943827],
        "log_odds": [
            -0.50940100332,
            0.207564537994,
            0.241572776627,
            0.235396369637,
            0.189681948817,
        ],
        "log_odds_se": [
            0.143909659515,
            0.161174035878,
            0.1980510692,
            0.145319948985,
            0.189612933471,
        ],
        "interaction": [
            0.176557523808,
            0.0127771395632,
            -0.137892927755,
            -0.108655947023,
            0.163929846257,
        ],
        "interaction_se": [
            0.110854756915,
            0.10412758546,
            0.11763567731,
            0.102727487682,
            0.124301738801,
        ],
        "delta_r2_uniform": [
            0.013341920457,
            0.00222275948258,
            0.00262635373266,
            0.00294291642208,
            0.0015323611898,
        ],
        "delta_r2_nonuniform": [
            0.00270723584812,
            2.00530128426e-05,
            0.0023981087562,
            0.00124326814764,
            0.00268696014914,
        ],
    }
    for name, values in expected.items():
        assert found[name].tolist() == pytest.approx(values, rel=1e-6, abs=1e-9), name
    assert found["converged"].all()


def test_partial_credit_as_polr(data):
    # R 4.2.2, MASS 7.3-58.2: polr(score ~ total * group), whose optimiser stops a little early.
    found = logistic(*data, reference="r").loc[["x", "y"]]
    expected = {
        "chi2_uniform": [14.7630273066, 10.5238673133],
        "chi2_nonuniform": [2.47437363734, 3.64246665358],
        "log_odds": [-0.520523576174, 0.445661750053],
        "interaction": [0.142010679422, -0.177803454555],
    }
    for name, values in expected.items():
        assert found[name].tolist() == pytest.approx(values, rel=1e-5), name
    # By the observed information, which polr differentiates numerically.
    assert found["log_odds_se"].tolist() == pytest.approx([0.1358572774, 0.1383153249], rel=1e-6)
    assert found["interaction_se"].tolist() == pytest.approx([0.0905507484, 0.0930947050], rel=1e-5)


def test_three_groups_as_glm(data):
    matrix, group = data
    three = group.mask(np.arange(1000) % 3 == 0, "h")
    found = logistic(matrix, three, reference="r", kind="uniform").loc[TWO_SCORES]
    assert found["chi2_uniform"].tolist() == pytest.approx(
        [7.60406639818, 0.556135257608, 2.18104978608, 1.98118080008, 1.4716318586], rel=1e-8
    )
    assert found["chi2_nonuniform"].tolist() == pytest.approx(
        [1.45004093561, 0.125366374808, 1.40135842543, 0.944592546706, 0.348526379701], rel=1e-7
    )
    assert found["df"].tolist() == [2] * 5
    assert found[["log_odds", "favours"]].isna().all(axis=None)
    assert logistic(matrix, three)["df"].tolist() == [4] * 7


def test_uniform_and_nonuniform_dif_are_told_apart():
    uniform = logistic(*simulated(4000, seed=1, uniform=0.8), reference="r").loc["0"]
    assert uniform["p_uniform"] < 1e-6
    assert uniform["p_nonuniform"] > 0.01
    assert uniform["favours"] == "r"
    crossing = logistic(*simulated(4000, seed=1, slope=2.0), reference="r", kind="nonuniform")
    assert crossing.loc["0", "p_nonuniform"] < 1e-4
    assert crossing.loc["0", "interaction"] > 0
    assert crossing["flagged"].tolist() == [True] + [False] * 19


def test_effect_classes(data):
    found = logistic(*data, reference="r")
    rise = found["delta_r2_both"]
    assert found.loc["v3", "jodoin_gierl"] == "A"
    assert found.loc["v3", "flagged"]
    assert (rise < 0.035).all()
    strong = logistic(*simulated(2000, seed=2, uniform=2.0), reference="r").loc["0"]
    assert strong["delta_r2_both"] > 0.07
    assert strong["jodoin_gierl"] == "C"
    assert strong["zumbo_thomas"] == ("A" if strong["delta_r2_both"] < 0.13 else "B")


def test_purification_and_anchors():
    matrix, group = simulated(3000, seed=4, uniform=1.0)
    pure = logistic(matrix, group, reference="r", purify=True)
    assert pure.attrs["purification"]["converged"]
    given_fair = logistic(matrix, group, reference="r", anchor=pure.index[pure["anchor"]])
    assert given_fair["chi2_both"].equals(pure["chi2_both"])
    with pytest.raises(MeasureError, match="purify"):
        logistic(matrix, group, purify=True, anchor=["1"])


def test_a_matching_variable_with_a_value_a_person():
    matrix, group = simulated(1000, seed=7, uniform=1.0)
    rng = np.random.default_rng(1)
    estimate = matrix.mean(axis=1) + 0.01 * rng.normal(size=1000)
    found = logistic(matrix, group, reference="r", match=estimate)
    close = logistic(matrix, group, reference="r")
    assert found["chi2_uniform"].corr(close["chi2_uniform"]) > 0.95


def test_items_that_cannot_be_tested(data):
    matrix, group = data
    found = logistic(matrix.assign(free=1.0), group)
    assert found.loc["free", ["chi2_both", "p_both", "delta_r2_both", "jodoin_gierl"]].isna().all()
    assert not found.loc["free", "flagged"]


def small_study():
    """Three groups of twelve, with R's ``glm`` of the first two: see the tests."""
    total = np.repeat(np.arange(6.0), 6)
    group = np.tile(["a", "b", "c"], 12)
    right = [8, 15, 17, 20, 23, 26, 28, 30, 31, 33, 35]
    score = np.isin(np.arange(1, 37), right).astype(float)
    # R counts persons from 1.
    return pd.DataFrame({"item": score}), group, total


def test_groups_without_the_item_do_not_count():
    # R 4.2.2: glm(score ~ total * group, binomial) of groups a and b.
    matrix, group, total = small_study()
    matrix.loc[group == "c", "item"] = np.nan
    expected = {
        "chi2_uniform": 3.64498631440,
        "chi2_nonuniform": 1.46395278807,
        "df": 2,
        "p_uniform": stats.chi2.sf(3.64498631440, 1),
        "p_both": stats.chi2.sf(3.64498631440 + 1.46395278807, 2),
    }
    pair = logistic(matrix, group, match=total, reference="a", focal="b").loc["item"]
    assert pair["log_odds"] == pytest.approx(1.927647694568, rel=1e-6)
    assert pair["log_odds_se"] == pytest.approx(1.097865761511, rel=1e-6)
    assert pair["interaction"] == pytest.approx(-1.14645240326, rel=1e-6)
    # The third group first, last and as the reference.
    for reference in "abc":
        found = logistic(matrix, group, match=total, reference=reference).loc["item"]
        for name, value in expected.items():
            assert found[name] == pytest.approx(value, rel=1e-6), name
        assert found["converged"]
        assert found["reason"] == "no scores in group 'c': df is that of the other groups"


def test_an_item_of_one_group_is_not_tested(data):
    matrix, group = data
    matrix = matrix.assign(v3=matrix["v3"].where(group == "r"))
    found = logistic(matrix, group, reference="r").loc["v3"]
    numbers = found[["chi2_uniform", "p_both", "log_odds", "log_odds_se", "delta_r2_both"]]
    assert numbers.isna().all()
    assert found[["n_focal", "df"]].tolist() == [0, 0]
    assert not found["converged"]
    assert found[["zumbo_thomas", "jodoin_gierl", "favours"]].isna().all()
    assert found["reason"] == "only group 'r' has scores"


def test_what_the_matching_variable_does_not_allow():
    matrix, group, total = small_study()
    pair = group != "c"
    matrix, group, total = matrix[pair], group[pair], total[pair]
    # R 4.2.2: the product is NA, as group b has one total.
    one_value = np.where(group == "b", 3.0, total)
    found = logistic(matrix, group, match=one_value).loc["item"]
    assert found["log_odds"] == pytest.approx(2.49081603988, rel=1e-6)
    assert found["log_odds_se"] == pytest.approx(1.76557993710, rel=1e-6)
    assert found["chi2_both"] == pytest.approx(3.78798316071)
    assert found["df"] == 1
    assert found[["interaction", "interaction_se", "p_nonuniform"]].isna().all()
    assert "no interaction can be estimated" in found["reason"]
    # With one value for all, the table of groups and scores is left.
    table = pd.crosstab(group, matrix["item"]).to_numpy()
    found = logistic(matrix, group, match=np.full(24, 7.3), kind="uniform").loc["item"]
    odds = table[1, 1] * table[0, 0] / (table[1, 0] * table[0, 1])
    assert found["log_odds"] == pytest.approx(np.log(odds))
    assert found["log_odds_se"] == pytest.approx(np.sqrt((1 / table).sum()))
    assert logistic(matrix, group, match=np.ones(24), kind="nonuniform").loc["item", "df"] == 0
    # The groups' totals do not vary: nothing tells DIF and ability apart.
    found = logistic(matrix, group, match=(group == "b") * 1.0).loc["item"]
    assert found[["p_uniform", "p_nonuniform", "p_both", "log_odds", "jodoin_gierl"]].isna().all()
    assert found["df"] == 0
    assert found["reason"].startswith("the matching variable determines the group")


def test_a_matching_variable_that_tells_the_score():
    matrix, group = simulated(400, seed=1, items=3)
    found = logistic(matrix[["0"]], group, match=matrix["0"]).loc["0"]
    assert found[["chi2_both", "p_both", "log_odds", "jodoin_gierl"]].isna().all()
    assert found["df"] == 0
    assert not found["converged"]
    assert (
        found["reason"]
        == "the matching variable predicts every score exactly: groups cannot differ"
    )


@pytest.mark.parametrize("right", ["r", "f"])
def test_scores_that_the_group_tells(right):
    matrix, group = simulated(400, seed=3)
    matrix["0"] = (group == right).astype(float)
    found = logistic(matrix, group, reference="r").loc["0"]
    assert found["log_odds"] == (np.inf if right == "f" else -np.inf)
    assert found[["log_odds_se", "interaction", "interaction_se", "p_nonuniform"]].isna().all()
    # The supremum of the likelihood is 1: chi2 is the deviance of the total alone.
    total = matrix.sum(axis=1).to_numpy()
    alone = fit_cumulative(np.eye(2)[matrix["0"].astype(int)], total[:, None])
    assert found["chi2_uniform"] == pytest.approx(-2 * alone.loglik)
    assert found["chi2_both"] == pytest.approx(-2 * alone.loglik)
    assert found["df"] == 2
    assert found[["jodoin_gierl", "favours"]].tolist() == ["C", right]
    assert found["flagged"]
    assert not found["converged"]
    assert "separated by the matching variable and the group" in found["reason"]


def test_one_group_of_which_everybody_is_right():
    # Only the other group tells how scores depend on the total.
    matrix, group = simulated(400, seed=3)
    matrix.loc[group == "f", "0"] = 1.0
    found = logistic(matrix, group, reference="r").loc["0"]
    assert found["log_odds"] == np.inf
    own, total = (group == "r").to_numpy(), matrix.sum(axis=1).to_numpy()[:, None]
    cells = np.eye(2)[matrix["0"].astype(int)]
    alone, both = fit_cumulative(cells[own], total[own]), fit_cumulative(cells, total)
    assert found["chi2_uniform"] == pytest.approx(2 * (alone.loglik - both.loglik))
    # The interaction may be anything.
    assert found[["interaction", "p_nonuniform"]].isna().all()


def test_ordered_scores_that_the_group_tells():
    # One group has 0 or 1, the other 2 or 3: a logistic regression in each.
    matrix, group = simulated(400, seed=5)
    focal = (group == "f").to_numpy()
    total = matrix.iloc[:, 1:].sum(axis=1).to_numpy()
    ordered = matrix[["0"]] + 2.0 * focal[:, None]
    found = logistic(ordered, group, reference="r", match=total).loc["0"]
    parts = [
        fit_cumulative(np.eye(2)[matrix.loc[own, "0"].astype(int)], total[own, None])
        for own in (~focal, focal)
    ]
    slopes, errors = (np.array([getattr(part, name)[0] for part in parts]) for name in NAMES)
    assert found["log_odds"] == np.inf
    assert found["interaction"] == pytest.approx(slopes[1] - slopes[0], abs=1e-6)
    assert found["interaction_se"] == pytest.approx(np.sqrt((errors**2).sum()), rel=1e-5)
    assert not found["converged"]


def test_a_score_of_one_group_only_is_no_separation():
    matrix, group = simulated(600, seed=6, items=20)
    ordered = matrix.assign(sum=matrix["3"] + matrix["4"] + matrix["5"])
    ordered.loc[group == "r", "sum"] = ordered["sum"].clip(upper=2)
    found = logistic(ordered, group, reference="r").loc["sum"]
    assert found["converged"]
    assert 0 < found["log_odds"] < 5
    assert found["log_odds_se"] < 1


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32))
def test_separation_by_its_definition(seed):
    # Of two scores and one covariate: the values of right and wrong do not overlap.
    rng = np.random.default_rng(seed)
    values = rng.integers(0, 6, size=int(rng.integers(3, 9))).astype(float)
    score = rng.permutation(np.arange(len(values)) % 2)
    fit = fit_cumulative(np.eye(2)[score], values[:, None])
    low, high = values[score == 0], values[score == 1]
    if np.ptp(values) == 0:
        assert np.isnan(fit.coefficients[0])
        assert not fit.separated
    elif low.max() <= high.min():
        assert fit.coefficients[0] == np.inf
    elif high.max() <= low.min():
        assert fit.coefficients[0] == -np.inf
    else:
        assert fit.converged
        assert abs(fit.coefficients[0]) < 10
    assert fit.separated == np.isinf(fit.coefficients[0])
    if fit.separated:
        # What remains are the values that right and wrong share.
        assert fit.decided.tolist() == (~np.isin(values, np.intersect1d(low, high))).tolist()
        rest = score[~fit.decided].mean() if not fit.decided.all() else 1.0
        left = int((~fit.decided).sum())
        assert fit.loglik == pytest.approx(
            left * (rest * np.log(rest) + (1 - rest) * np.log1p(-rest)) if left else 0.0, abs=1e-6
        )


@pytest.mark.parametrize("far", [50.0, 1e4])
def test_a_far_value_does_not_stop_the_way_to_the_supremum(far):
    # Where the others are told apart, the far one's other scores have no probability left.
    values = np.array([0.0, 1, 2, 3, 4, far])[:, None]
    fit = fit_cumulative(np.eye(3)[[0, 0, 1, 1, 2, 2]], values)
    assert fit.coefficients[0] == np.inf
    assert fit.loglik == pytest.approx(0, abs=1e-6)
    assert fit.decided.all()


def test_an_item_that_separates_leaves_the_total():
    matrix, group = simulated(1000, seed=9)
    matrix["0"] = (group == "r").astype(float)
    pure = logistic(matrix, group, reference="r", purify=True)
    assert pure.attrs["purification"]["converged"]
    assert not pure.loc["0", "anchor"]
    assert pure.loc["0", "log_odds"] == -np.inf


@pytest.mark.parametrize(
    ("arguments", "message"),
    [({"kind": "any"}, "kind is 'any'"), ({"level": 0}, "level is 0")],
)
def test_wrong_arguments(data, arguments, message):
    with pytest.raises(MeasureError, match=message):
        logistic(*data, **arguments)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32))
def test_order_groups_and_units(seed):
    matrix, group = simulated(200, seed=seed, items=5)
    rng = np.random.default_rng(seed)
    rows, columns = rng.permutation(200), rng.permutation(matrix.columns)
    expected = logistic(matrix, group, reference="r")
    found = logistic(matrix.iloc[rows][columns], group, reference="r").loc[matrix.columns]
    pd.testing.assert_frame_equal(found, expected, rtol=1e-6, atol=1e-7)
    turned = logistic(matrix * 3, group, reference="f")
    for name in ("chi2_uniform", "chi2_nonuniform", "delta_r2_both"):
        assert turned[name].tolist() == pytest.approx(expected[name].tolist(), abs=1e-6)
    assert turned["log_odds"].tolist() == pytest.approx((-expected["log_odds"]).tolist(), abs=1e-6)
    thirds = turned["interaction"] * 3
    assert thirds.tolist() == pytest.approx((-expected["interaction"]).tolist(), abs=1e-5)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32), st.integers(2, 5))
def test_the_fit_is_a_maximum(seed, scores):
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(12, 2))
    counts = rng.integers(1, 9, size=(12, scores)).astype(float)
    fit = fit_cumulative(counts, rows)
    assert fit.converged

    def loglik(slopes):
        # The cuts are chosen anew: offsets hold the slopes.
        return fit_cumulative(counts, (rows @ slopes)[:, None]).loglik

    # Along the fitted direction the best multiple is 1; along others it is no better.
    along = fit_cumulative(counts, (rows @ fit.coefficients)[:, None])
    assert along.coefficients[0] == pytest.approx(1, abs=1e-4)
    for step in rng.normal(size=(3, 2)):
        assert loglik(fit.coefficients + 0.3 * step) <= fit.loglik + 1e-7


def test_the_fit_of_two_scores_has_a_closed_form():
    # One group, one dummy: log odds of a 2 × 2 table and its standard error.
    table = np.array([[30.0, 70.0], [55.0, 45.0]])
    fit = fit_cumulative(table, np.array([[0.0], [1.0]]))
    assert fit.coefficients[0] == pytest.approx(np.log(45 / 55) - np.log(70 / 30))
    assert fit.errors[0] == pytest.approx(np.sqrt((1 / table).sum()))


@pytest.mark.slow
def test_type_one_error():
    # Totals of equally discriminating items hold all there is to know of ability: both tests
    # keep their level.
    p = []
    for seed in range(300):
        matrix, group = simulated(600, seed=seed)
        found = logistic(matrix, group)
        p.append(found[["p_uniform", "p_nonuniform", "p_both"]].to_numpy())
    rate = (np.array(p) < 0.05).mean(axis=(0, 1))
    assert np.abs(rate - 0.05).max() < 0.01


@pytest.mark.slow
def test_type_one_error_of_partial_credit():
    p = []
    for seed in range(120):
        matrix, group = simulated(600, seed=seed, items=24)
        pairs = pd.DataFrame(
            {str(k): matrix.iloc[:, k] + matrix.iloc[:, k + 12] for k in range(12)}
        )
        p.append(logistic(pairs, group)["p_uniform"])
    assert abs((np.array(p) < 0.05).mean() - 0.05) < 0.015


def test_lsat7_has_no_dif_between_halves_at_random():
    group = np.where((np.arange(1000) * 377) % 1000 < 500, "a", "b")
    assert not logistic(lsat7(), group)["flagged"].any()
