"""Equating against published and independently computed values, and what must hold exactly."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classical_data import lsat6, lsat7
from lrnanalysis.errors import MeasureError
from lrnanalysis.measures.equating import equate
from lrnanalysis.measures.equating._smooth import smooth_pairs, smooth_scores

# ACT mathematics, 40 items: persons per score on Forms X and Y (Kolen & Brennan 2014, table 2.5).
_COUNTS_X = (
    "0 1 1 3 9 18 59 67 91 144 149 192 192 192 201 204 217 181 184 170 201 147 163 147 140 147 126 "
    "113 100 106 107 91 83 73 72 75 50 37 38 23 15"
)
_COUNTS_Y = (
    "0 1 3 13 42 59 95 131 158 161 194 164 166 197 177 158 169 132 158 151 134 137 122 110 116 132 "
    "104 104 114 97 107 88 80 79 70 61 48 47 29 32 12"
)
ACT_X, ACT_Y = (
    np.repeat(np.arange(41), [int(count) for count in counts.split()])
    for counts in (_COUNTS_X, _COUNTS_Y)
)


def neat():
    """LSAT items as two forms with a common part of three items, taken by two groups."""
    person = np.arange(1000)
    six, seven = lsat6(), lsat7().iloc[(person * 377) % 1000].reset_index(drop=True)
    anchor = seven.iloc[:, 2:].sum(axis=1)
    x = six.iloc[:, :3].sum(axis=1) + anchor
    y = seven.iloc[:, :2].sum(axis=1) + six.iloc[:, 4] + anchor
    second = (person * 7919) % 1000 < 450
    return {
        "x": x[~second],
        "y": y[second],
        "anchor_x": anchor[~second],
        "anchor_y": anchor[second],
    }


NEAT = neat()


def test_equipercentile_as_published():
    # Kolen & Brennan (2014), table 2.7, "unsmoothed", to the four digits printed there.
    found = equate(ACT_X, ACT_Y).table["equated"]
    expected = {
        1: 0.9796,
        2: 1.6462,
        3: 2.2856,
        4: 2.8932,
        5: 3.6205,
        10: 8.1607,
        20: 19.1647,
        30: 30.1305,
        39: 39.0807,
        40: 39.9006,
    }
    assert found.loc[list(expected)].tolist() == pytest.approx(list(expected.values()), abs=6e-5)


def test_equipercentile_smoothed_as_in_r():
    # R 4.2.2: glm(frequency ~ poly(score, 6), poisson), then percentile ranks.
    found = equate(ACT_X, ACT_Y, smooth=6).table["equated"]
    expected = {
        0: -0.438422614799,
        1: 0.123880802721,
        10: 8.214279155107,
        20: 19.246907184547,
        30: 30.172905443967,
        40: 40.020231717160,
    }
    assert found.loc[list(expected)].tolist() == pytest.approx(list(expected.values()), abs=1e-7)


def test_linear_as_published():
    # Kolen & Brennan (2014), table 2.6: means and standard deviations of the forms.
    found = equate(ACT_X, ACT_Y, method="linear")
    assert found.moments.loc["x", "mean"] == pytest.approx(19.8524, abs=5e-5)
    assert found.moments.loc["y", "sd"] == pytest.approx(8.9393, abs=5e-5)
    assert found.slope == pytest.approx(1.08861614139)
    assert found.intercept == pytest.approx(-2.631864341)
    assert found.moments.loc["x equated", ["mean", "sd"]].tolist() == pytest.approx(
        found.moments.loc["y", ["mean", "sd"]].tolist()
    )
    mean = equate(ACT_X, ACT_Y, method="mean")
    assert (mean.slope, mean.intercept) == pytest.approx((1, 18.97976878613 - 19.85239085239))


def test_equipercentile_gives_the_moments_of_y():
    found = equate(ACT_X, ACT_Y).moments
    assert found.loc["x equated"].tolist()[1:] == pytest.approx(
        found.loc["y"].tolist()[1:], abs=0.05
    )
    assert found["n"].tolist() == [4329, 4152, 4329]


@pytest.mark.parametrize(
    ("arguments", "slope", "intercept"),
    [
        # R 4.2.2 by the formulas of Kolen & Brennan (2014), ch. 4.
        ({}, 1.075428479910, -0.120466433006),
        ({"via": "Tucker", "weight": 1}, 1.074498053335, -0.117996410949),
        ({"via": "Levine"}, 1.0625274173533, -0.0805884460429),
        ({"via": "Levine", "internal": False}, 1.069625591046, -0.103687032125),
        ({"via": "chained"}, 1.070699645649, -0.106980358052),
        ({"via": "Braun-Holland"}, 1.075783642520, -0.121968182469),
    ],
)
def test_lines_through_an_anchor(arguments, slope, intercept):
    found = equate(**NEAT, method="linear", **arguments)
    assert found.slope == pytest.approx(slope, abs=1e-10)
    assert found.intercept == pytest.approx(intercept, abs=1e-10)
    assert found.table.loc[3.0, "equated"] == pytest.approx(3 * slope + intercept)


def test_tucker_as_published():
    # Kolen & Brennan (2014), tables 4.4 and 4.5: the moments given there lead to these lines.
    rng = np.random.default_rng(0)

    def with_moments(mean, sd, anchor_mean, anchor_sd, covariance):
        noise = rng.normal(size=(50, 2))
        noise -= noise.mean(axis=0)
        white = noise @ np.linalg.inv(np.linalg.cholesky(np.cov(noise.T, ddof=0))).T
        root = np.linalg.cholesky([[sd**2, covariance], [covariance, anchor_sd**2]])
        return (white @ root.T + [mean, anchor_mean]).T

    x, anchor_x = with_moments(15.8205, 6.5278, 5.1063, 2.3760, 13.4088)
    y, anchor_y = with_moments(18.6728, 6.8784, 5.8626, 2.4515, 14.7603)
    found = equate(x, y, anchor_x=anchor_x, anchor_y=anchor_y, method="linear", weight=1)
    assert found.slope == pytest.approx(1.0289, abs=2e-4)
    assert found.intercept == pytest.approx(0.5370, abs=2e-3)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        # R 4.2.2 by the definitions of Kolen & Brennan (2014), ch. 5.
        (
            {},
            [
                -0.5,
                0.828297759275,
                1.959975785698,
                3.061066869843,
                4.273814664326,
                5.300585638268,
                6.191771269164,
            ],
        ),
        (
            {"via": "chained"},
            [
                -0.5,
                0.840277770825,
                2.045454546012,
                3.052026617749,
                4.256641416731,
                5.288716969154,
                6.191771269286,
            ],
        ),
        # glm(count ~ poly(x, 2) + poly(v, 2) + x:v, poisson) first.
        (
            {"smooth": 2},
            [
                -0.232718160676,
                0.805954565579,
                1.919214062927,
                3.091723772436,
                4.251108321110,
                5.309176523232,
                6.194040536965,
            ],
        ),
    ],
)
def test_curves_through_an_anchor(arguments, expected):
    found = equate(**NEAT, x_scores=range(7), y_scores=range(7), **arguments)
    assert found.table["equated"].tolist() == pytest.approx(expected, abs=1e-7)
    assert np.isnan(found.slope)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32))
def test_a_form_is_worth_itself(seed):
    rng = np.random.default_rng(seed)
    x = rng.binomial(15, rng.beta(3, 2, size=300))
    for arguments in ({}, {"smooth": 3}, {"method": "linear"}, {"method": "mean"}):
        found = equate(x, rng.permutation(x), **arguments).table["equated"]
        gaps = np.isin(found.index, x)
        assert found[gaps].to_numpy() == pytest.approx(found.index[gaps].to_numpy(), abs=1e-6)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32), st.floats(-5, 5), st.floats(0.2, 4))
def test_lines_are_recovered_exactly(seed, intercept, slope):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=50)
    y = slope * x + intercept
    found = equate(x, rng.permutation(y), method="linear")
    assert (found.slope, found.intercept) == pytest.approx((slope, intercept), abs=1e-9)
    anchor = x + 0.3 * rng.normal(size=50)
    for via in ("Tucker", "Levine", "chained"):
        found = equate(x, y, anchor_x=anchor, anchor_y=anchor, method="linear", via=via)
        assert (found.slope, found.intercept) == pytest.approx((slope, intercept), abs=1e-6)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32))
def test_equipercentile_is_symmetric_and_rises(seed):
    rng = np.random.default_rng(seed)
    x, y = rng.binomial(12, 0.6, 4000), rng.binomial(15, 0.5, 4000)
    there = equate(x, y, smooth=3)
    back = equate(y, x, smooth=3)
    assert there.table["equated"].is_monotonic_increasing
    inside = there.table["equated"][(there.table.index >= 3) & (there.table.index <= 10)]
    # Both ways are piecewise linear between different points.
    assert back(inside.to_numpy()).to_numpy() == pytest.approx(inside.index.to_numpy(), abs=0.2)


def test_smoothing_keeps_moments():
    counts = np.bincount(ACT_X, minlength=41).astype(float)
    grid = np.arange(41)
    smooth = smooth_scores(counts, 4)
    for power in range(5):
        assert (smooth * grid**power).sum() == pytest.approx((counts * grid**power).sum())
    pairs = np.histogram2d(NEAT["x"], NEAT["anchor_x"], bins=(np.arange(8), np.arange(5)))[0]
    smooth = smooth_pairs(pairs, 2)
    rows, columns = np.arange(7)[:, None], np.arange(4)[None, :]
    for moment in (1, rows, rows**2, columns, columns**2, rows * columns):
        assert (smooth * moment).sum() == pytest.approx((pairs * moment).sum())
    assert (smooth > 0).all()


def test_gaps_between_scores_lead_to_their_middle():
    # Half of y has 1, half 4: the rank .5 lies anywhere between 1.5 and 3.5.
    x, y = np.repeat([0, 1, 2], 10), np.repeat([1, 4], 15)
    found = equate(x, y, y_scores=range(6)).table["equated"]
    assert found.loc[1.0] == pytest.approx((1.5 + 3.5) / 2)
    assert found.loc[0.0] == pytest.approx(0.5 + 1 / 3)


def test_nobody_at_the_ends_of_the_scale():
    found = equate(ACT_X, ACT_Y, x_scores=range(-1, 43), y_scores=range(41)).table["equated"]
    assert found.loc[[-1.0, 0.0]].tolist() == [-0.5, -0.5]
    assert found.loc[[41.0, 42.0]].tolist() == [40.5, 40.5]


def test_steps_of_half_a_point():
    halves = equate(ACT_X / 2, ACT_Y / 2).table
    assert halves.index.tolist()[:3] == [0.0, 0.5, 1.0]
    whole = equate(ACT_X, ACT_Y).table
    assert halves["equated"].to_numpy() == pytest.approx(whole["equated"].to_numpy() / 2)


def test_converting_scores():
    found = equate(ACT_X, ACT_Y)
    scores = pd.Series([1.0, 1.5, 50.0], index=["s1", "s2", "s3"])
    converted = found(scores)
    assert converted.index.tolist() == ["s1", "s2", "s3"]
    assert converted["s1"] == found.table.loc[1.0, "equated"]
    assert converted["s2"] == pytest.approx(found.table.loc[[1.0, 2.0], "equated"].mean())
    assert np.isnan(converted["s3"])
    line = equate(ACT_X, ACT_Y, method="linear")
    assert line([50.0])[0] == pytest.approx(50 * line.slope + line.intercept)


def test_single_group_pairs_persons_by_label():
    rng = np.random.default_rng(3)
    persons = [f"s{number}" for number in range(400)]
    x = pd.Series(rng.binomial(20, 0.5, 400), index=persons)
    y = (x + rng.integers(0, 3, 400)).clip(upper=20)
    one = equate(x, y.sample(frac=1, random_state=1), design="single group", bootstrap=100)
    two = equate(x, y, bootstrap=100)
    assert one.table["equated"].equals(two.table["equated"])
    # The same persons on both forms: the differences between samples cancel.
    assert (one.table["se"] < 0.8 * two.table["se"]).loc[8:12].all()


def test_bootstrap_errors_are_those_of_theory():
    # Linear equating of normal scores: var = σ² (2 + z²) / n for two groups of n
    # (Kolen & Brennan 2014, eq. 7.11 with equal groups and no skewness: σ²/n (2 + z²)).
    rng = np.random.default_rng(8)
    x, y = rng.normal(50, 10, 2000), rng.normal(52, 10, 2000)
    found = equate(x, y, method="linear", x_scores=[40, 50, 60], bootstrap=400, seed=1)
    z = (found.table.index.to_numpy() - x.mean()) / x.std()
    theory = y.std() * np.sqrt((2 + z**2) / 2000)
    assert found.table["se"].to_numpy() == pytest.approx(theory, rel=0.15)
    assert (found.table["low"] < found.table["equated"]).all()
    assert (found.table["high"] > found.table["equated"]).all()
    again = equate(x, y, method="linear", x_scores=[40, 50, 60], bootstrap=400, seed=1)
    pd.testing.assert_frame_equal(again.table, found.table)


def test_groups_of_unequal_ability_need_the_anchor():
    # Form Y is the harder one and X's group the better. Without the anchor the difference of the
    # groups is taken for one of the forms.
    rng = np.random.default_rng(5)
    ability = rng.normal(size=(2, 6000, 1))
    ability[0] += 0.5
    anchor, rest = np.zeros(12), np.zeros(20)

    def taken(one, difficulty):
        return (one - difficulty + rng.logistic(size=(6000, len(difficulty))) > 0).sum(axis=1)

    anchor_x, anchor_y = taken(ability[0], anchor), taken(ability[1], anchor)
    x, y = anchor_x + taken(ability[0], rest), anchor_y + taken(ability[1], rest + 0.5)
    # At ability 0 the 20 items lose expit(0) − expit(−.5) each.
    truth = -20 * (0.5 - 1 / (1 + np.exp(0.5)))
    # Errors of measurement in the anchor keep the methods from undoing all of it.
    lines = [{"method": "linear", "via": via} for via in ("Tucker", "Levine", "chained")]
    for arguments in (*lines, {"via": "chained"}, {}, {"smooth": 4}):
        found = equate(x, y, anchor_x=anchor_x, anchor_y=anchor_y, **arguments)
        assert found([16.0])[0] - 16 == pytest.approx(truth, abs=0.8)
    assert equate(x, y)([16.0])[0] - 16 < truth - 2


def test_result_says_what_was_done():
    found = equate(**NEAT, smooth=2)
    json.dumps(found.table.attrs)
    assert found.table.attrs["via"] == "post-stratification"
    assert found.notes["design"] == "NEAT"
    assert found.notes["weight"] == pytest.approx(0.55)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"method": "kernel"}, "method is 'kernel'"),
        ({"design": "NEAT"}, "without anchors"),
        ({"design": "crossed"}, "design is 'crossed'"),
        ({"via": "chained"}, "requires an anchor test"),
        ({"weight": 0.5}, "weight requires"),
        ({"anchor_x": [1.0] * 10}, "anchor_x or anchor_y is missing"),
        ({"method": "linear", "smooth": 4}, "smooth applies to"),
        ({"smooth": 40}, "smooth is 40"),
        ({"bootstrap": -1}, "bootstrap is -1"),
        ({"x_scores": [0, 1, 3]}, "equal steps"),
        ({"x_scores": range(5)}, "not among x_scores"),
        ({"design": "single group"}, "of the same persons"),
    ],
)
def test_wrong_arguments(arguments, message):
    with pytest.raises(MeasureError, match=message):
        equate(np.arange(10), np.arange(12), **arguments)


@pytest.mark.parametrize(
    ("x", "message"),
    [
        ([1.0, np.nan, 2.0], "1 of 3 scores of x are missing"),
        ([3.0, 3.0, 3.0], "all persons have 3 points on x"),
        ([1.0], "two or more"),
        ([0.0, 1.0, 1.0001], "irregular steps"),
    ],
)
def test_wrong_scores(x, message):
    with pytest.raises(MeasureError, match=message):
        equate(x, [0.0, 1.0, 2.0])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"via": "Tucker"}, "via is 'Tucker'"),
        ({"method": "linear", "via": "post-stratification"}, "via is 'post-stratification'"),
        ({"weight": 2}, "weight is 2"),
        ({"via": "chained", "weight": 0.5}, "weight requires"),
        ({"design": "equivalent groups"}, "with anchors"),
        ({"smooth": 4}, "an anchor of 4 scores"),
    ],
)
def test_wrong_arguments_with_an_anchor(arguments, message):
    with pytest.raises(MeasureError, match=message):
        equate(**NEAT, **arguments)


def test_persons_must_be_the_same():
    x = pd.Series([1.0, 2.0, 3.0], index=["a", "b", "c"])
    y = pd.Series([1.0, 2.0, 3.0], index=["a", "b", "d"])
    with pytest.raises(MeasureError, match="not of the same persons"):
        equate(x, y, design="single group")
    with pytest.raises(MeasureError, match="several scores for one person"):
        equate(x, y.rename({"d": "a"}), design="single group")


def test_anchor_scores_that_one_group_lacks():
    x, v = np.array([2.0, 3, 4, 5, 6, 7]), np.array([0.0, 0, 1, 1, 2, 2])
    with pytest.raises(MeasureError, match="nobody on x has"):
        equate(x, x, anchor_x=v, anchor_y=v + 2)
