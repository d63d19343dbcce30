"""Logistic regression against R, theory and simulation."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classical_data import grouped, lsat7
from lrnanalysis.errors import MeasureError
from lrnanalysis.measures.dif import logistic
from lrnanalysis.measures.dif._cumulative import fit_cumulative

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
    # polr takes the observed information, we the expected.
    assert found["log_odds_se"].tolist() == pytest.approx([0.135857277, 0.138315325], rel=0.02)
    assert found["interaction_se"].tolist() == pytest.approx([0.0905507, 0.093094705], rel=0.05)


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


def test_separated_scores_have_a_likelihood():
    # A matching variable that tells the score exactly: no group can add to it.
    matrix, group = simulated(400, seed=1, items=3)
    found = logistic(matrix[["0"]], group, match=matrix["0"])
    assert found.loc["0", "chi2_both"] == pytest.approx(0, abs=1e-6)
    assert found.loc["0", "p_both"] == pytest.approx(1)


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
