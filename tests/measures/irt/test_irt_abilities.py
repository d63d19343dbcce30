"""Abilities of persons against a search of each person's own likelihood, and at its edges."""

import numpy as np
import pandas as pd
import pytest
from scipy import optimize

import lrnanalysis as lrn
from lrnanalysis.measures import irt

MIXED = ["2PL", "3PL", "GRM", "GPCM", "NRM", "4PL", "2PL", "GRM"]


def mixed_data(persons, seed, gaps=0.1):
    rng = np.random.default_rng(seed)
    theta = rng.standard_normal(persons)[:, None]
    steps = np.array([1, 1, 2, 3, 2, 1, 1, 3])
    scores = np.zeros((persons, 8))
    for level in range(3):
        logit = theta - np.linspace(-1, 1, 8) + 0.8 - 0.8 * level
        scores += (rng.logistic(size=scores.shape) < logit) & (level < steps)
    frame = pd.DataFrame(scores, columns=list("abcdefgh"))
    return frame.mask(rng.random(frame.shape) < gaps)


@pytest.fixture(scope="module")
def mixed():
    return irt.fit(mixed_data(1200, 3), dict(zip("abcdefgh", MIXED, strict=True)))


def two_scores(persons=400, items=6, seed=5):
    rng = np.random.default_rng(seed)
    logit = rng.standard_normal((persons, 1)) - np.linspace(-1.5, 1.5, items)
    frame = pd.DataFrame(1.0 * (rng.logistic(size=logit.shape) < logit))
    return frame.rename(columns="i{}".format)


def objective(model, scores, method):
    """Minus what a method maximises, by the public curves alone."""
    there = scores.dropna()

    def value(theta):
        curve = model.probabilities([theta]).iloc[0]
        total = sum(np.log(curve[item, score]) for item, score in there.items())
        if method == "MAP":
            total -= theta**2 / 2
        return -total

    return value


@pytest.mark.parametrize("method", ["MAP", "ML"])
def test_every_format_reaches_the_maximum(mixed, method):
    data = mixed_data(40, 8)
    found = mixed.abilities(method, matrix=data)
    for person, scores in data.iterrows():
        ability = found.loc[person, "ability"]
        if np.isinf(ability):
            continue
        value = objective(mixed, scores, method)
        best = optimize.minimize_scalar(
            value, bounds=(ability - 0.5, ability + 0.5), options={"xatol": 1e-7}
        )
        assert ability == pytest.approx(best.x, abs=2e-5)
        information = mixed.item_information([ability]).iloc[0][scores.dropna().index].sum()
        own = information + (method == "MAP")
        assert found.loc[person, "se"] == pytest.approx(1 / np.sqrt(own), rel=1e-5)


@pytest.mark.parametrize("method", ["MAP", "ML", "WLE"])
def test_observed_information_is_the_curvature(mixed, method):
    """Second differences of the likelihood, or of the posterior, of each person's own answers."""
    data = mixed_data(40, 8)
    found = mixed.abilities(method, matrix=data, information="observed")
    assert found.attrs == {"method": method, "information": "observed"}
    expected = mixed.abilities(method, matrix=data)
    assert expected.attrs == {"method": method, "information": "expected"}
    pd.testing.assert_series_equal(found["ability"], expected["ability"])
    finite = np.isfinite(found["ability"]) & (found["ability"].abs() < 4)
    assert finite.sum() > 30
    assert (found["se"] - expected["se"])[finite].abs().max() > 0.02
    for person, scores in data[finite].iterrows():
        at = found.loc[person, "ability"]
        value = objective(mixed, scores, method)
        curvature = (value(at + 1e-3) - 2 * value(at) + value(at - 1e-3)) / 1e-6
        wanted = 1 / np.sqrt(curvature) if curvature > 0 else np.nan
        assert found.loc[person, "se"] == pytest.approx(wanted, rel=1e-4, nan_ok=True)


def test_the_informations_of_an_exponential_family_are_the_same():
    data = mixed_data(300, 3)
    model = irt.fit(data, [name if name in ("2PL", "GPCM", "NRM") else "GPCM" for name in MIXED])
    for method in ("EAP", "MAP", "ML", "WLE"):
        one, other = (model.abilities(method, information=by) for by in ("expected", "observed"))
        assert np.allclose(one, other, rtol=1e-5, equal_nan=True)
    with pytest.raises(lrn.MeasureError, match="information is 'fisher'"):
        model.abilities("MAP", information="fisher")


def test_empirical_reliability_is_of_the_persons_who_answered():
    data = two_scores()
    model = irt.fit(data, "2PL")
    found = model.abilities()
    between = found["ability"].var(ddof=0)
    wanted = between / (between + (found["se"] ** 2).mean())
    assert model.reliability()["empirical"] == pytest.approx(wanted, abs=1e-12)
    silent = pd.concat([data, data * np.nan], ignore_index=True)
    assert irt.fit(silent, "2PL").reliability()["empirical"] == pytest.approx(wanted, abs=1e-5)
    assert model.reliability(matrix=silent)["empirical"] == pytest.approx(wanted, abs=1e-9)
    # Rows of distinct answers count as often as they represent a person.
    counts = data.value_counts().rename("n").reset_index()
    rows = irt.fit(counts[data.columns], "2PL", weights=counts["n"])
    assert rows.reliability()["empirical"] == pytest.approx(wanted, abs=1e-4)


def test_warm_is_the_maximum_of_the_weighted_likelihood():
    """For items of the exponential family the weight is the root of the information."""
    model = irt.fit(two_scores(), "2PL")
    data = two_scores(20, seed=9)
    found = model.abilities("WLE", matrix=data)["ability"]
    for person, scores in data.iterrows():
        likelihood = objective(model, scores, "ML")

        def weighted(theta, likelihood=likelihood):
            return likelihood(theta) - 0.5 * np.log(
                model.information([theta])["information"].iloc[0]
            )

        best = optimize.minimize_scalar(
            weighted, bounds=(found[person] - 1, found[person] + 1), options={"xatol": 1e-7}
        )
        assert found[person] == pytest.approx(best.x, abs=2e-5)


@pytest.mark.parametrize("method", ["MAP", "ML", "WLE"])
@pytest.mark.parametrize("model", ["2PL", "GPCM", "NRM"])
def test_one_scalar_and_item_by_item_agree(method, model):
    """The same persons with and without a hundred sets of items beside them."""
    data = two_scores(500, 9) if model == "2PL" else mixed_data(500, 2, 0.0)[list("cdeh")]
    fitted = irt.fit(data, model)
    gaps = data.mask(np.random.default_rng(1).random(data.shape) < 0.3).assign(
        **{data.columns[0]: data[data.columns[0]]}
    )
    both = fitted.abilities(method, matrix=pd.concat([data, gaps], ignore_index=True))
    alone = fitted.abilities(method)
    assert np.allclose(both.iloc[: len(data)], alone, atol=1e-6, equal_nan=True)


@pytest.mark.parametrize("model", ["Rasch", "2PL", "3PL", "GRM"])
def test_highest_and_lowest_scores(model):
    data = two_scores() if model != "GRM" else mixed_data(400, 4, 0.0)[list("cdeh")]
    fitted = irt.fit(data, model)
    edges = pd.DataFrame([data.min(), data.max(), data.max() * np.nan])
    ml = fitted.abilities("ML", matrix=edges)
    assert ml["ability"].iloc[0] == -np.inf
    assert ml["ability"].iloc[1] == np.inf
    assert ml["se"].isna().all()
    for method in ("EAP", "MAP", "WLE"):
        found = fitted.abilities(method, matrix=edges)
        assert np.isfinite(found.iloc[:2]).to_numpy().all()
        assert found["ability"].iloc[0] < 0 < found["ability"].iloc[1]
        if method == "WLE":
            assert found.iloc[2].isna().all()
        else:
            assert found.iloc[2].to_numpy() == pytest.approx(
                [0.0, np.sqrt(fitted.groups["variance"].iloc[0])], abs=1e-6
            )


@pytest.mark.parametrize("method", ["EAP", "MAP", "ML", "WLE"])
def test_rasch_abilities_go_by_the_sum(method):
    data = two_scores(600, 7)
    found = irt.fit(data, "Rasch").abilities(method)["ability"]
    by_sum = found.groupby(data.sum(axis=1))
    # Infinities are equal, and their difference is not a number.
    assert ((by_sum.max() == by_sum.min()) | (by_sum.max() - by_sum.min() < 1e-8)).all()
    assert by_sum.first().is_monotonic_increasing
    assert by_sum.first().is_unique


def test_groups_have_their_own_prior():
    data = two_scores(600, 7)
    group = np.where(np.arange(600) % 2, "b", "a")
    data.loc[group == "b"] = 1.0 * (
        np.random.default_rng(3).random((300, 7)) < data[group == "b"].mean().to_numpy() + 0.1
    )
    model = irt.fit(data, "Rasch", group=group)
    same = pd.DataFrame([data.iloc[0]] * 2)
    prior = model.groups.loc[["a", "b"]]
    found = model.abilities("MAP", matrix=same, group=["a", "b"])["ability"].to_numpy()
    for place in range(2):
        value = objective(model, same.iloc[place], "ML")
        mean, variance = prior.iloc[place][["mean", "variance"]]
        best = optimize.minimize_scalar(
            lambda t, v=value, m=mean, s=variance: v(t) + (t - m) ** 2 / (2 * s),
            bounds=(-4, 4),
            options={"xatol": 1e-7},
        )
        assert found[place] == pytest.approx(best.x, abs=1e-5)
    ml = model.abilities("ML", matrix=same, group=["a", "b"])["ability"].to_numpy()
    assert ml[0] == pytest.approx(ml[1], abs=1e-9)


def test_steep_items_and_odd_patterns_stay_finite():
    """A person who misses only the easiest of many steep items has a finite maximum."""
    theta = np.random.default_rng(2).standard_normal((2000, 1))
    slopes, b = np.linspace(3, 8, 12), np.linspace(-1.5, 1.5, 12)
    chance = 1 / (1 + np.exp(-slopes * (theta - b)))
    data = pd.DataFrame(1.0 * (np.random.default_rng(3).random(chance.shape) < chance))
    model = irt.fit(data, "2PL")
    odd = pd.DataFrame(1.0 - np.eye(12))
    for method in ("ML", "WLE", "MAP"):
        found = model.abilities(method, matrix=odd)
        assert np.isfinite(found).to_numpy().all()
        assert found["ability"].abs().max() < 3


def test_a_bound_must_be_positive():
    with pytest.raises(lrn.MeasureError, match="bound"):
        irt.fit(two_scores(), "Rasch").abilities("ML", bound=0.0)


def test_with_guessing_every_ability_is_a_maximum():
    """Persons who guess have flat likelihoods, with a bend or two below."""
    theta = np.random.default_rng(6).standard_normal((3000, 1))
    right = 0.2 + 0.8 / (1 + np.exp(-1.3 * (theta - np.linspace(-2, 2, 20))))
    data = pd.DataFrame(1.0 * (np.random.default_rng(7).random(right.shape) < right))
    model = irt.fit(data, "3PL")
    guessed = pd.DataFrame(1.0 * (np.random.default_rng(8).random((500, 20)) < 0.25))
    ability = model.abilities("ML", matrix=guessed)["ability"].to_numpy()
    assert not np.isnan(ability).any()

    def loglik(values):
        p = model.probabilities(values).xs(1.0, axis=1, level="score")[data.columns].to_numpy()
        return np.where(guessed == 1, np.log(p), np.log1p(-p)).sum(axis=1)

    found = np.isfinite(ability)
    assert 0.5 < found.mean() < 1
    at = np.where(found, ability, 0.0)
    for step in (-0.02, 0.02):
        assert (loglik(at) >= loglik(at + step) - 1e-9)[found].all()
    assert (ability[~found] < 0).all()
