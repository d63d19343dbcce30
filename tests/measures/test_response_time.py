"""The lognormal model: against its definition, a plain EM, numerical derivatives and the truth."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from lrnanalysis.errors import MeasureError
from lrnanalysis.measures import response_time as sp
from lrnanalysis.measures import timing
from lrnanalysis.measures.response_time import log_times
from lrnanalysis.warnings import ConvergenceWarning, DataWarning
from measure_tables import run_doctests, simulated

NAN = float("nan")


def test_examples_run():
    assert run_doctests("lrnanalysis.measures.response_time") > 10


def simulate(persons, items, *, missing=0.0, sd=0.3, seed=1):
    """Times of the model, with the truth."""
    rng = np.random.default_rng(seed)
    beta = rng.normal(3.5, 0.5, items)
    sigma = rng.uniform(0.3, 0.7, items)
    speed = rng.normal(0, sd, persons)
    logs = beta - speed[:, None] + sigma * rng.normal(size=(persons, items))
    if missing == "forms":
        form = rng.integers(0, 3, persons)
        logs[(np.arange(items) % 3) == form[:, None]] = NAN
    elif missing:
        logs[rng.random(logs.shape) < missing] = NAN
    return pd.DataFrame(np.exp(logs)), beta, 1 / sigma, speed


def loglik(times, beta, sigma2, s2):
    """The log-likelihood by its definition, person by person."""
    total = 0.0
    for row in np.log(times.to_numpy()):
        there = ~np.isnan(row)
        if there.any():
            covariance = np.diag(sigma2[there]) + s2
            total += stats.multivariate_normal.logpdf(row[there], beta[there], covariance)
    return total


def plain_em(times, rounds):
    """The closed-form EM as it stands in the literature, with masks."""
    y = np.log(times.to_numpy())
    there = ~np.isnan(y)
    y = np.where(there, y, 0.0)
    n = there.sum(axis=0)
    beta = y.sum(axis=0) / n
    sigma2 = np.where(there, (y - beta) ** 2, 0).sum(axis=0) / n
    s2 = 0.1
    for _ in range(rounds):
        a = there / sigma2
        v = 1 / (1 / s2 + a.sum(axis=1))
        m = v * (a * (beta - y)).sum(axis=1)
        beta = np.where(there, y + m[:, None], 0).sum(axis=0) / n
        errors = np.where(there, (y - beta + m[:, None]) ** 2 + v[:, None], 0)
        sigma2 = errors.sum(axis=0) / n
        s2 = (m**2 + v).mean()
    return beta, sigma2, s2


def centred(times):
    return log_times.LogTimes(times.to_numpy(), times.to_numpy() > 0)


def parameters(model):
    return model.items["beta"].to_numpy(), model.items["alpha"].to_numpy() ** -2, model.variance


# Likelihood -------------------------------------------------------------------------------------


@pytest.mark.parametrize("missing", [0.0, "forms", 0.15, 0.85])
def test_maximum_by_definition_and_by_plain_em(missing):
    times, *_ = simulate(120, 6, missing=missing, seed=3)
    model = sp.lognormal(times, tolerance=1e-10)
    beta, sigma2, s2 = parameters(model)
    assert model.converged
    assert model.loglik == pytest.approx(loglik(times, beta, sigma2, s2), abs=1e-8)
    em_beta, em_sigma2, em_s2 = plain_em(times.dropna(how="all"), 3000)
    np.testing.assert_allclose(beta, em_beta, atol=1e-6)
    np.testing.assert_allclose(sigma2, em_sigma2, rtol=1e-5)
    assert s2 == pytest.approx(em_s2, rel=1e-5)


def test_complete_data_has_the_items_means():
    times, *_ = simulate(50, 4)
    model = sp.lognormal(times)
    np.testing.assert_allclose(model.items["beta"], np.log(times).mean(), rtol=1e-12)
    assert model.persons["speed"].mean() == pytest.approx(0, abs=1e-12)
    # v is the same for all: 1 / (1 / s² + Σ α²).
    v = 1 / (1 / model.variance + (model.items["alpha"] ** 2).sum())
    np.testing.assert_allclose(model.persons["speed_se"] ** 2, v)
    assert model.reliability == pytest.approx(1 - v / model.variance)
    # And m = v Σ α² (β - y).
    a = model.items["alpha"] ** 2
    m = v * ((model.items["beta"] - np.log(times)) * a).sum(axis=1)
    np.testing.assert_allclose(model.persons["speed"], m, atol=1e-12)


@pytest.mark.parametrize("missing", ["forms", 0.85])
def test_the_size_of_the_blocks_changes_nothing(monkeypatch, missing):
    times, *_ = simulate(600, 9, missing=missing)
    one = sp.lognormal(times, tolerance=1e-10)
    monkeypatch.setattr(log_times, "_BLOCK_CELLS", 9 * 70)
    many = sp.lognormal(times, tolerance=1e-10)
    assert many.loglik == pytest.approx(one.loglik, rel=1e-12)
    pd.testing.assert_frame_equal(many.items, one.items, rtol=1e-6)
    pd.testing.assert_frame_equal(many.persons, one.persons, rtol=1e-6, atol=1e-8)
    assert many.variance_se == pytest.approx(one.variance_se, rel=1e-6)


@pytest.mark.parametrize("missing", [0.0, "forms", 0.2])
def test_standard_errors_are_those_of_the_observed_information(missing):
    times, *_ = simulate(150, 3, missing=missing, seed=5)
    model = sp.lognormal(times, tolerance=1e-11)
    beta, sigma2, s2 = parameters(model)
    at = np.concatenate([beta, 1 / np.sqrt(sigma2), [s2]])

    def value(theta):
        return loglik(times, theta[:3], theta[3:6] ** -2.0, theta[6])

    step = 1e-3 * np.array([1, 1, 1, 1, 1, 1, 0.1])
    hessian = np.empty((7, 7))
    for i in range(7):
        for k in range(i + 1):
            one, two = np.eye(7)[i] * step, np.eye(7)[k] * step
            ends = value(at + one + two) - value(at + one - two)
            hessian[i, k] = hessian[k, i] = (
                ends - value(at - one + two) + value(at - one - two)
            ) / (4 * step[i] * step[k])
    want = np.sqrt(np.diag(np.linalg.inv(-hessian)))
    got = [*model.items["beta_se"], *model.items["alpha_se"], model.variance_se]
    np.testing.assert_allclose(got, want, rtol=2e-3)


@pytest.mark.parametrize("missing", [0.0, "forms", 0.2])
def test_information_is_minus_the_second_derivatives_anywhere(missing):
    """Also off the maximum, where β and the variances are correlated."""
    from lrnanalysis.measures.response_time import information

    data = centred(simulate(150, 3, missing=missing, seed=5)[0])
    at = np.array([0.3, -0.2, 0.1, 0.2, 0.3, 0.4, 0.1])

    def value(theta):
        return data.expect(log_times.TimeParameters(theta[:3], theta[3:6], theta[6])).loglik

    steps = 1e-3 * np.diag(at.clip(0.05))
    hessian = np.array(
        [
            [
                value(at + one + two)
                - value(at + one - two)
                - value(at - one + two)
                + value(at - one - two)
                for two in steps
            ]
            for one in steps
        ]
    ) / (4 * np.outer(np.diag(steps), np.diag(steps)))
    found = information._observed_information(
        data, log_times.TimeParameters(at[:3], at[3:6], at[6])
    )
    assert abs(found[:3, 3:]).max() > 100  # more than at the maximum
    np.testing.assert_allclose(found, -hessian, rtol=1e-4, atol=0.05)


@pytest.mark.parametrize("missing", [0.0, 0.2, 0.8])
def test_approximate_errors_of_large_tests_are_close(missing):
    from lrnanalysis.measures.response_time import information

    times, *_ = simulate(900, 8, missing=missing)
    data = centred(times.dropna(how="all"))
    model = sp.lognormal(times)
    beta, sigma2, s2 = parameters(model)
    found = information._approximate(data, log_times.TimeParameters(beta - data.centre, sigma2, s2))
    np.testing.assert_allclose(found.beta, model.items["beta_se"], rtol=0.05)
    np.testing.assert_allclose(
        0.5 * sigma2**-1.5 * found.sigma2, model.items["alpha_se"], rtol=0.12
    )
    assert found.s2 == pytest.approx(model.variance_se, rel=0.05)


# Truth ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("missing", [0.0, 0.3])
def test_recovery(missing):
    times, beta, alpha, speed = simulate(3000, 40, missing=missing, seed=8)
    model = sp.lognormal(times)
    z = (model.items["beta"] - beta) / model.items["beta_se"]
    # The items share the sample's mean speed: judge their differences and that mean apart.
    assert abs(z.mean()) < 3
    assert (abs(z - z.mean()) < 4).all()
    assert (abs(model.items["alpha"] - alpha) / model.items["alpha_se"] < 4).all()
    assert abs(model.variance - speed.var()) < 4 * model.variance_se
    error = model.persons["speed"] - speed
    inside = (abs(error) < 1.96 * model.persons["speed_se"]).mean()
    assert 0.93 < inside < 0.97
    r2 = np.corrcoef(model.persons["speed"], speed)[0, 1] ** 2
    assert r2 == pytest.approx(model.reliability, abs=0.02)


def test_standard_errors_match_the_spread_over_replications():
    found = [sp.lognormal(simulate_again(seed)) for seed in range(300)]
    for name in ("alpha", "beta"):
        estimates = np.array([model.items[name] for model in found])
        errors = np.array([model.items[f"{name}_se"] for model in found])
        np.testing.assert_allclose(errors.mean(), estimates.std(axis=0).mean(), rtol=0.05)
    spread = np.std([model.variance for model in found])
    assert np.mean([model.variance_se for model in found]) == pytest.approx(spread, rel=0.12)


def simulate_again(seed):
    """The same items, other persons."""
    rng = np.random.default_rng(seed)
    speed = rng.normal(0, 0.3, (300, 1))
    noise = np.linspace(0.3, 0.7, 6) * rng.normal(size=(300, 6))
    logs = np.linspace(3, 4, 6) - speed + noise
    logs[rng.random(logs.shape) < 0.1] = NAN
    return pd.DataFrame(np.exp(logs))


def test_the_simulated_study_gives_its_truth_back():
    tables, simulation = simulated(
        learners=1500, items=40, seed=7, rapid_guessers=0.0, attempts=0.0, not_reached=0.2
    )
    matrix = timing.time_matrix(tables.items)
    model = sp.lognormal(matrix)
    items = simulation.truth["items"].set_index("item_reference").loc[model.items.index]
    persons = simulation.truth["sessions"].set_index("session_id").loc[model.persons.index]
    error = model.items["beta"] - items["beta"]
    assert error.std() < 0.02
    assert abs(error.mean() + persons["speed"].mean()) < 0.05
    assert np.corrcoef(model.items["alpha"], items["alpha"])[0, 1] > 0.95
    # Sessions that were left early have few times: the reliability there is lower.
    whole = model.persons["n"] > 30
    r = np.corrcoef(model.persons["speed"][whole], persons["speed"][whole])[0, 1]
    assert r**2 > model.reliability - 0.03


# Invariance -------------------------------------------------------------------------------------


@given(st.integers(0, 1000), st.sampled_from([0.0, 0.3]))
@settings(max_examples=15, deadline=None)
def test_order_and_unit_change_nothing(seed, missing):
    times, *_ = simulate(60, 5, missing=missing, seed=seed)
    times.index = [f"s{at}" for at in range(60)]
    model = sp.lognormal(times, tolerance=1e-9)
    other = sp.lognormal(times.sample(frac=1, random_state=1).iloc[:, ::-1], tolerance=1e-9)
    assert other.loglik == pytest.approx(model.loglik, rel=1e-9)
    columns = ["alpha", "beta", "alpha_se", "beta_se"]
    pd.testing.assert_frame_equal(
        other.items.loc[model.items.index, columns], model.items[columns], rtol=1e-5
    )
    pd.testing.assert_frame_equal(
        other.persons.loc[times.index], model.persons, rtol=1e-5, atol=1e-7
    )
    minutes = sp.lognormal(times / 60, tolerance=1e-9)
    np.testing.assert_allclose(minutes.items["beta"] + np.log(60), model.items["beta"], atol=1e-7)
    np.testing.assert_allclose(minutes.items["alpha"], model.items["alpha"], rtol=1e-5)
    assert minutes.time_limit(0.9) * 60 == pytest.approx(model.time_limit(0.9), rel=1e-5)


# Residuals and fit ------------------------------------------------------------------------------


def test_a_residual_is_that_of_the_prediction_by_the_other_times():
    times, *_ = simulate(80, 4, missing=0.2, seed=2)
    model = sp.lognormal(times)
    beta, sigma2, s2 = parameters(model)
    z = model.residuals().to_numpy()
    logs = np.log(times.to_numpy())
    for person in range(10):
        there = np.flatnonzero(~np.isnan(logs[person]))
        for item in there:
            rest = there[there != item]
            v = 1 / (1 / s2 + (1 / sigma2[rest]).sum())
            m = v * ((beta[rest] - logs[person, rest]) / sigma2[rest]).sum()
            want = (logs[person, item] - beta[item] + m) / np.sqrt(sigma2[item] + v)
            assert z[person, item] == pytest.approx(want, abs=1e-9)
    assert (np.isnan(z) == np.isnan(logs)).all()


def test_five_percent_are_aberrant_and_planted_ones_are_found():
    times, *_ = simulate(2000, 20, seed=4)
    times.index.name = "session_id"
    times.columns.name = "item_reference"
    times.iloc[0, 3] /= 20
    times.iloc[1, 5] *= 20
    model = sp.lognormal(times)
    flagged = model.aberrant()
    assert flagged.attrs["flagged_share"] == pytest.approx(0.05, abs=0.005)
    assert flagged.attrs["expected_share"] == pytest.approx(0.05, abs=1e-4)
    scores = pd.DataFrame(1.0, index=times.index[::-1], columns=times.columns[::-1])
    scores.loc[0, 3] = 0.5
    worst = model.aberrant(4.5, scores=scores)
    found = set(zip(worst["session_id"], worst["item_reference"], worst["kind"], strict=True))
    assert {(0, 3, "fast"), (1, 5, "slow")} <= found
    assert len(found) <= 3
    fast = worst[worst["kind"] == "fast"].iloc[0]
    assert fast["score"] == 0.5
    assert fast["time"] < fast["expected"] / 5
    with pytest.raises(MeasureError, match="z is 0"):
        model.aberrant(0)
    with pytest.raises(MeasureError, match="scores lacks 1 of the 2000 persons"):
        model.aberrant(scores=scores.iloc[1:])


def test_person_fit_by_hand_and_in_distribution():
    times, *_ = simulate(3000, 10, missing=0.1, seed=6)
    model = sp.lognormal(times)
    fit = model.person_fit()
    beta, sigma2, _ = parameters(model)
    errors = np.log(times.to_numpy())[0] - beta
    there = ~np.isnan(errors)
    weights = 1 / sigma2[there]
    mean = (weights * errors[there]).sum() / weights.sum()
    assert fit["chi2"][0] == pytest.approx((weights * (errors[there] - mean) ** 2).sum())
    assert fit["df"][0] == there.sum() - 1
    # The p-values are uniform under the model.
    assert stats.kstest(fit["p"], "uniform").pvalue > 0.01


# Prediction -------------------------------------------------------------------------------------


def test_total_times_and_limits_against_simulation():
    times, *_ = simulate(4000, 25, seed=9)
    model = sp.lognormal(times)
    rng = np.random.default_rng(1)
    # 200,000 new people on the estimated items.
    b, s2, s = *parameters(model)[:2], np.sqrt(model.variance)
    speed = rng.normal(0, s, 200_000)
    total = np.zeros(len(speed))
    for item in range(25):
        total += np.exp(b[item] - speed + np.sqrt(s2[item]) * rng.normal(size=len(speed)))
    for share in (0.5, 0.8, 0.95):
        limit = model.time_limit(share)
        assert (total <= limit).mean() == pytest.approx(share, abs=0.005)
        assert model.share_finishing(limit) == pytest.approx(share)
    # One person's total: new times at speeds drawn from what is known of it.
    own = rng.normal(*model.persons.loc[3, ["speed", "speed_se"]], 100_000)
    again = sum(
        np.exp(b[item] - own + np.sqrt(s2[item]) * rng.normal(size=len(own))) for item in range(25)
    )
    predicted = model.total_time()
    assert predicted.loc[3, "mean"] == pytest.approx(again.mean(), rel=0.005)
    assert predicted.loc[3, "sd"] == pytest.approx(again.std(), rel=0.02)
    half = model.total_time(items=[0, 1, 2])
    assert (half["mean"] < predicted["mean"]).all()
    with pytest.raises(MeasureError, match=r"items \['x'\] are not in the model"):
        model.time_limit(items=[0, "x"])
    with pytest.raises(MeasureError, match="finish is 95"):
        model.time_limit(95)
    with pytest.raises(MeasureError, match="limit is 0"):
        model.share_finishing(0)


def test_screening_correlation_by_hand_and_labelled():
    speed = pd.Series([1.0, 2.0, 3.0, NAN], index=[*"abcd"])
    ability = pd.Series([9.0, 1.0, 3.0, 2.0], index=[*"xabc"])
    found = sp.screening_correlation(
        speed, ability, speed_reliability=0.81, ability_reliability=0.64
    )
    assert found["r"] == pytest.approx(0.5)
    assert found["r_corrected"] == pytest.approx(0.5 / 0.72)
    assert found["n"] == 3
    assert found.attrs["label"].startswith("screening value")
    with pytest.raises(MeasureError, match="2 persons have both"):
        sp.screening_correlation(speed[:2], ability)
    with pytest.raises(MeasureError, match="ability_reliability is 0"):
        sp.screening_correlation(speed, ability, ability_reliability=0)
    times, _, _, truth = simulate(500, 10)
    model = sp.lognormal(times)
    own = model.screening_correlation(pd.Series(truth), 1.0)
    assert own["r_corrected"] == pytest.approx(1, abs=0.03)


# Odd data ---------------------------------------------------------------------------------------


def test_items_and_persons_without_times_stay_as_missing():
    times, *_ = simulate(40, 4)
    times[4] = NAN
    times[5] = [9.0] + [0.0] * 39
    times.iloc[7] = NAN
    times.loc[8, :4] = -1.0
    with pytest.warns(DataWarning) as said:
        model = sp.lognormal(times)
    assert [str(one.message) for one in said] == [
        "5 of 240 times are negative: inconsistent data, they count as missing",
        "2 of 6 items are left out of the model (fewer than two times): 4, 5",
    ]
    assert model.items["beta"].notna().tolist() == [True] * 4 + [False] * 2
    assert model.items["reason"].tolist()[4:] == ["fewer than two times"] * 2
    assert model.items["n"].tolist() == [38] * 4 + [0, 1]
    assert model.persons["speed"].isna().sum() == 2
    assert model.persons["n"].sum() == model.observations == 38 * 4
    assert model.residuals().shape == times.shape
    assert model.total_time().isna().to_numpy().sum() == 4
    assert model.person_fit().loc[7].isna().all()
    clean = times.loc[times.index.difference([7, 8]), [0, 1, 2, 3]]
    assert model.loglik == pytest.approx(sp.lognormal(clean).loglik)
    with pytest.raises(MeasureError, match=r"items \[4\] have no estimates"):
        model.time_limit(items=[4])


def test_too_little_data_is_an_error():
    times, *_ = simulate(40, 4)
    with pytest.raises(MeasureError, match="1 of 1 items have two times"):
        sp.lognormal(times[[0]])
    with pytest.raises(MeasureError, match="0 of 4 items"):
        sp.lognormal(times.iloc[:1])
    more, *_ = simulate(60, 4)
    for constant in (5, 30, 0.1):
        with pytest.raises(MeasureError, match="0 of 4 items have two times or more that differ"):
            sp.lognormal(more * 0 + constant)  # the variance of 60 times ln 30 is not exactly 0
    with pytest.raises(MeasureError, match="1 of 4 items have two times or more that differ"):
        sp.lognormal(times.assign(**{str(at): 30.0 for at in range(3)})[[0, "0", "1", "2"]])
    with pytest.raises(MeasureError, match="pass a DataFrame"):
        sp.lognormal(times.to_numpy())
    with pytest.raises(MeasureError, match="numbers are needed"):
        sp.lognormal(pd.DataFrame({"a": ["x", "y"], "b": [1.0, 2.0]}))


@pytest.mark.parametrize(
    "constant",
    [
        np.full(300, 30.0),  # a video, a time-out
        np.full(300, 9999.0),  # a placeholder
        np.where(np.arange(300) < 2, 30.0, NAN),  # two persons, by chance alike
        np.where(np.arange(300) < 1, 30.0, NAN),  # one person
        np.where(np.arange(300) % 2, 30.0, np.nextafter(30.0, 31)),  # rounding
        np.where(np.arange(300) % 2, 30.0, 30.1),  # next to constant: α diverges
    ],
)
def test_an_item_of_constant_time_leaves_the_others_as_they_are(constant):
    times, *_ = simulate(300, 6)
    without = sp.lognormal(times)
    more = times.assign(constant=constant)[[0, "constant", 1, 2, 3, 4, 5]]
    with pytest.warns(DataWarning, match=r"1 of 7 items are left out of the model.*'constant'"):
        model = sp.lognormal(more)
    assert model.loglik == without.loglik
    assert (model.variance, model.reliability) == (without.variance, without.reliability)
    columns = ["alpha", "alpha_se", "beta", "beta_se"]
    pd.testing.assert_frame_equal(
        model.items.drop(index="constant")[columns], without.items[columns], check_index_type=False
    )
    pd.testing.assert_frame_equal(model.persons, without.persons)
    assert model.items.loc["constant", columns].isna().all()
    assert model.items["reason"].notna().tolist() == [False, True, *[False] * 5]
    assert repr(model).startswith("LognormalModel(6 items (1 left out), 300 persons")
    assert model.residuals()["constant"].isna().all()
    assert model.time_limit() == without.time_limit()
    pd.testing.assert_frame_equal(model.person_fit(), without.person_fit())


def test_a_person_timed_on_constant_items_only_has_no_speed():
    times, *_ = simulate(100, 4)
    more = times.assign(constant=30.0)
    more.loc[7, [0, 1, 2, 3]] = NAN
    with pytest.warns(DataWarning, match="left out"):
        model = sp.lognormal(more)
    assert np.isnan(model.persons["speed"][7])
    assert model.persons["n"][7] == 0
    assert model.loglik == sp.lognormal(more[[0, 1, 2, 3]]).loglik


def test_an_item_that_varies_less_than_speed_is_named():
    times, *_ = simulate(300, 6)
    rng = np.random.default_rng(2)
    narrow = times.assign(narrow=np.exp(3 + rng.normal(0, 0.1, 300)))
    with pytest.warns(ConvergenceWarning, match="vary less than the persons' speed.*'narrow'"):
        model = sp.lognormal(narrow)
    assert model.variance < 0.5 * sp.lognormal(times).variance


@given(st.integers(0, 10_000))
@settings(max_examples=10, deadline=None)
def test_order_and_empty_rows_do_not_matter(seed):
    times, *_ = simulate(60, 4, missing=0.2, seed=seed)
    whole = sp.lognormal(times)
    rng = np.random.default_rng(seed)
    other = pd.concat([times, pd.DataFrame(NAN, index=[900, 901], columns=times.columns)])
    other = other.iloc[rng.permutation(len(other)), rng.permutation(4)]
    model = sp.lognormal(other)
    assert model.loglik == pytest.approx(whole.loglik, rel=1e-9)
    pd.testing.assert_frame_equal(
        model.items.loc[times.columns], whole.items, rtol=1e-4, check_names=False
    )


def test_no_result_pretends_to_have_converged():
    times, *_ = simulate(100, 5, missing=0.3)
    with pytest.warns(ConvergenceWarning, match="did not converge in 2 iterations"):
        model = sp.lognormal(times, max_iter=2)
    assert not model.converged
    assert "NOT converged" in repr(model)


def test_speed_that_does_not_vary_is_said():
    rng = np.random.default_rng(1)
    first = rng.normal(size=200)
    logs = np.column_stack([first, -first + 0.1 * rng.normal(size=200)])
    with pytest.warns(ConvergenceWarning, match="a variance is estimated as 0"):
        model = sp.lognormal(pd.DataFrame(np.exp(logs)))
    assert model.variance < 1e-6


def test_thousands_of_items():
    rng = np.random.default_rng(1)
    persons, items = 1500, 2000
    logs = np.full((persons, items), NAN)
    speed = rng.normal(0, 0.3, persons)
    for person in range(persons):
        given_items = rng.choice(items, 40, replace=False)
        logs[person, given_items] = 3 - speed[person] + rng.normal(0, 0.5, 40)
    model = sp.lognormal(pd.DataFrame(np.exp(logs)))
    assert model.converged
    assert model.se_rule.startswith("expected information")
    z = (model.items["beta"] - 3) / model.items["beta_se"]
    assert z.std() == pytest.approx(1, abs=0.1)
    assert np.corrcoef(model.persons["speed"], speed)[0, 1] ** 2 == pytest.approx(
        model.reliability, abs=0.03
    )
    full, *_ = simulate(300, 1200)
    complete = sp.lognormal(full)
    assert complete.converged
    np.testing.assert_allclose(
        complete.items["beta_se"],
        np.sqrt((complete.items["alpha"] ** -2 + complete.variance) / 300),
    )


def test_the_model_keeps_its_own_times_and_is_readable():
    times, *_ = simulate(40, 4)
    before = times.copy(deep=True)
    model = sp.lognormal(times)
    want = model.residuals()
    pd.testing.assert_frame_equal(times, before)
    times.iloc[:] = 1.0
    pd.testing.assert_frame_equal(model.residuals(), want)
    assert repr(model).startswith("LognormalModel(4 items, 40 persons, SD of speed 0.")
    assert model.n_parameters == 9
    assert model.aic == pytest.approx(18 - 2 * model.loglik)
    assert model.bic == pytest.approx(9 * np.log(40) - 2 * model.loglik)
    assert json.dumps(model.aberrant().attrs)
