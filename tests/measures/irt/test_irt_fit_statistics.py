"""Statistics of fit against their definitions, written out over all patterns of answers."""

import itertools

import numpy as np
import pandas as pd
import pytest
from scipy import linalg, stats

import lrnanalysis as lrn
from lrnanalysis.measures import irt

NODES = np.linspace(-6, 6, 61)
WEIGHTS = stats.norm.pdf(NODES) / stats.norm.pdf(NODES).sum()


def partial_credit(persons=600, items=4, seed=3):
    """Scores 0, 1, 2 of some items and 0, 1 of the last."""
    rng = np.random.default_rng(seed)
    theta = rng.standard_normal((persons, 1))
    scores = np.zeros((persons, items))
    for level in (-0.7, 0.7):
        scores += rng.logistic(size=scores.shape) < theta - np.linspace(-1, 1, items) - level
    frame = pd.DataFrame(scores).rename(columns="i{}".format)
    frame.iloc[:, -1] = frame.iloc[:, -1].clip(upper=1)
    return frame


@pytest.fixture(scope="module", params=["GRM", "GPCM", "mixed"])
def fitted(request):
    data = partial_credit()
    if request.param != "mixed":
        return irt.fit(data, request.param, nodes=61)
    return irt.fit(data, ["GRM", "GPCM", "NRM", "3PL"], nodes=61, min_persons=10)


def curves(model, theta):
    """Per item, probabilities by score, shape (scores, θ)."""
    table = model.probabilities(theta)
    return [table[item].to_numpy().T for item in model.items.index]


def patterns(model, theta=NODES):
    """All patterns of answers, and their probability by ability."""
    each = curves(model, theta)
    every = np.array(list(itertools.product(*(range(len(p)) for p in each))))
    chance = np.prod([p[every[:, i]] for i, p in enumerate(each)], axis=0)
    return every, chance


def test_item_fit(fitted):
    """S-X²: persons by sum and score, against the share that the patterns have."""
    data = partial_credit()
    every, chance = patterns(fitted)
    share, total = chance @ WEIGHTS, every.sum(axis=1)
    found = fitted.item_fit(min_expected=1e-9)
    sums = data.sum(axis=1)
    for place, item in enumerate(data):
        top = int(data[item].max())
        statistic, cells = 0.0, 0
        for s in range(1, total.max()):
            n = (sums == s).sum()
            if n == 0:
                continue
            for k in range(top + 1):
                here = share[(total == s) & (every[:, place] == k)].sum() / share[total == s].sum()
                if here > 0:
                    observed = ((sums == s) & (data[item] == k)).sum()
                    statistic += (observed - n * here) ** 2 / (n * here)
                    cells += 1
            cells -= 1
        assert found.loc[item, "s_x2"] == pytest.approx(statistic, rel=1e-6)
        free = fitted.items.loc[item].filter(regex="^[adc][0-9]*$").notna().sum()
        assert found.loc[item, "df"] == cells - free


def fit_by_definition(model, samples, every_score=False):
    """M2 or C2 with covariances of the moments over all patterns, and numeric derivatives.

    `samples` are complete scores on some of the items each. Returns the statistic and its df.
    """
    constraints = model.estimates.constraints
    layout = constraints.layout
    latent = NODES * np.sqrt(model.groups["variance"].iloc[0])
    parts = []
    for data in samples:
        at = model.items.index.get_indexer(data.columns)
        first, second = np.triu_indices(len(at), 1)
        each = [curves(model, latent)[i] for i in at]
        every = np.array(list(itertools.product(*(range(len(p)) for p in each))))
        tops = [len(p) for p in each]

        def moments(scores, first=first, second=second, tops=tops):
            single = scores
            if every_score:
                single = np.column_stack(
                    [scores[:, i] == c for i, top in enumerate(tops) for c in range(1, top)]
                )
            return np.concatenate([single, scores[:, first] * scores[:, second]], axis=1)

        of = moments(every.astype(float))
        share = np.prod([p[every[:, i]] for i, p in enumerate(each)], axis=0) @ WEIGHTS
        expected = share @ of
        covariance = (of * share[:, None]).T @ of - np.outer(expected, expected)

        def mean(free, at=at, every=every, of=of):
            each = layout.probabilities(constraints.group_parameters(free)[0], NODES)
            chances = np.prod([each[i, every[:, n]] for n, i in enumerate(at)], axis=0)
            return WEIGHTS @ chances.T @ of

        h, free = 1e-5 * np.eye(model.n_parameters), model.estimates.free
        change = np.array([(mean(free + e) - mean(free - e)) / 2e-5 for e in h]).T
        n = len(data)
        residual = np.sqrt(n) * (moments(data.to_numpy()).mean(axis=0) - expected)
        parts.append((residual, covariance, np.sqrt(n) * change))
    residual = np.concatenate([part[0] for part in parts])
    change = np.concatenate([part[2] for part in parts])
    covariance = linalg.block_diag(*(part[1] for part in parts))
    # Orthogonal complement of the derivatives: M2 as its authors write it.
    left, size, _ = np.linalg.svd(change)
    complement = left[:, (size > 1e-6 * size[0]).sum() :]
    inside, turned = complement.T @ covariance @ complement, complement.T @ residual
    return turned @ np.linalg.solve(inside, turned), complement.shape[1]


@pytest.mark.parametrize("statistic", ["M2", "C2"])
@pytest.mark.parametrize(
    "model",
    [
        "GRM",
        "GPCM",
        "PCM",
        ["RSM"] * 5 + ["Rasch"],
        ["GRM", "GPCM", "NRM", "PCM", "PCM", "2PL"],
    ],
    ids=str,
)
def test_model_fit(model, statistic):
    data = partial_credit(items=6)
    fitted = irt.fit(data, model, nodes=61)
    wanted, df = fit_by_definition(fitted, [data], statistic == "C2")
    found = fitted.model_fit(statistic)
    assert found["n"] == 600
    assert found[statistic.lower()] == pytest.approx(wanted, rel=1e-4)
    assert found["df"] == df > 0
    assert found["p"] == pytest.approx(stats.chi2.sf(wanted, df), abs=1e-4)
    assert found["rmsea"] == pytest.approx(np.sqrt(max(wanted - df, 0) / (df * 599)), abs=1e-4)


@pytest.mark.parametrize("statistic", ["M2", "C2"])
@pytest.mark.parametrize("model", ["GRM", "PCM"])
def test_model_fit_of_forms(model, statistic):
    data = partial_credit(900, items=7)
    data.iloc[:400, :2] = np.nan
    data.iloc[400:700, 4:6] = np.nan
    fitted = irt.fit(data, model, nodes=61)
    forms = [rows.dropna(axis=1) for rows in (data[:400], data[400:700], data[700:])]
    found = fitted.model_fit(statistic, missing="forms")
    assert found["n"].to_list() == [400, 300, 200, 900]
    assert found["items"].to_list() == [5, 5, 7, 7]
    assert (found["reason"] == "").all()
    for row, samples in zip(found.index, [*([form] for form in forms), forms], strict=True):
        wanted, df = fit_by_definition(fitted, samples, statistic == "C2")
        assert found.loc[row, statistic.lower()] == pytest.approx(wanted, rel=1e-4)
        assert found.loc[row, "df"] == df > 0
    assert found.attrs["form_items"]["form 1"] == [*data.columns[2:]]
    alone = fitted.model_fit(statistic, missing="listwise")
    columns = ["n", statistic.lower(), "df", "p", "rmsea", "rmsea_low", "rmsea_high", "srmsr"]
    assert np.allclose(alone[columns].astype(float), found.loc["form 3", columns].astype(float))
    assert alone.attrs["left_out"] == 700


def test_many_scores_leave_degrees_of_freedom_to_c2_only():
    rng = np.random.default_rng(3)
    theta = rng.standard_normal((1000, 1))
    data = pd.DataFrame(np.zeros((1000, 4)))
    for level in (-1.2, -0.4, 0.4, 1.2):
        data += rng.logistic(size=data.shape) < 1.4 * theta - np.linspace(-1, 1, 4) - level
    fitted = irt.fit(data, "GRM", nodes=61)
    with pytest.raises(lrn.MeasureError, match=r"10 moments.*20 parameters; pass statistic='C2'"):
        fitted.model_fit()
    found = fitted.model_fit("C2")
    wanted, df = fit_by_definition(fitted, [data], every_score=True)
    assert found["df"] == df == 2
    assert found["c2"] == pytest.approx(wanted, rel=1e-4)
    assert found["rmsea_low"] <= found["rmsea"] <= found["rmsea_high"]
    # Neither has any with three of the items: nothing is recommended.
    few = irt.fit(data[[0, 1, 2]], "GRM", nodes=61)
    with pytest.raises(lrn.MeasureError, match=r"15 parameters$"):
        few.model_fit()
    with pytest.raises(lrn.MeasureError, match="C2 has no degrees of freedom"):
        few.model_fit("C2")


def test_model_fit_of_partial_credit_with_many_items():
    data = partial_credit(1500, 9)
    test_model = irt.fit(data, "PCM", nodes=61)
    found = test_model.model_fit()
    assert found["df"] == 9 + 36 - test_model.n_parameters
    assert found["rmsea_low"] <= found["rmsea"] <= found["rmsea_high"]


def test_model_fit_finds_what_is_wrong():
    """Two items that ask the same, or a slope that differs: M2 and Q3 notice."""
    rng = np.random.default_rng(6)
    theta = rng.standard_normal((2000, 1))
    logit = theta - np.linspace(-1, 1, 8)
    logit[:, :2] += 1.2 * rng.standard_normal((2000, 1))
    model = irt.fit(pd.DataFrame(1.0 * (rng.logistic(size=logit.shape) < logit)), "Rasch")
    assert model.model_fit()["p"] < 0.01
    q3 = model.local_dependence().to_numpy()
    pairs = q3[np.triu_indices(8, 1)]
    assert pairs.argmax() == 0
    assert pairs[0] > pairs[1:].max() + 0.1


def with_gaps():
    data = partial_credit(500, 5, seed=9)
    return data.mask(np.random.default_rng(1).random(data.shape) < 0.15)


def residuals(model, data, theta):
    each = curves(model, theta)
    score = [np.arange(len(p)) for p in each]
    mean = np.array([s @ p for s, p in zip(score, each, strict=True)]).T
    variance = np.array([s**2 @ p for s, p in zip(score, each, strict=True)]).T - mean**2
    return (data - mean).to_numpy(), variance


def test_person_fit_by_its_definition():
    data = with_gaps()
    model = irt.fit(data, ["GRM", "GPCM", "NRM", "GRM", "2PL"])
    theta = model.abilities("EAP")["ability"].to_numpy()
    found = model.person_fit()
    each = curves(model, theta)
    residual, variance = residuals(model, data, theta)
    for person in range(0, 500, 23):
        there = np.flatnonzero(data.iloc[person].notna())
        logs = [np.log(each[i][:, person]) for i in there]
        p = [each[i][:, person] for i in there]
        own = sum(log[int(data.iloc[person, i])] for log, i in zip(logs, there, strict=True))
        mean = sum(a @ b for a, b in zip(p, logs, strict=True))
        spread = sum(a @ b**2 - (a @ b) ** 2 for a, b in zip(p, logs, strict=True))
        row = found.iloc[person]
        assert row["lz"] == pytest.approx((own - mean) / np.sqrt(spread), abs=1e-6)
        square, width = residual[person, there] ** 2, variance[person, there]
        assert row["infit"] == pytest.approx(square.sum() / width.sum(), rel=1e-6)
        assert row["outfit"] == pytest.approx((square / width).mean(), rel=1e-6)
        assert row["n"] == len(there)


def test_person_fit_tells_who_answers_at_random():
    rng = np.random.default_rng(12)
    logit = rng.standard_normal((1000, 1)) - np.linspace(-2.5, 2.5, 30)
    data = pd.DataFrame(1.0 * (rng.logistic(size=logit.shape) < logit))
    model = irt.fit(data, "2PL")
    guessed = pd.DataFrame(1.0 * (rng.random((200, 30)) < 0.5))
    found = model.person_fit(matrix=guessed)
    assert (found["lz_star"] < -1.645).mean() > 0.8
    assert found["outfit"].mean() > 1.3
    assert found["lz_star"].corr(found["lz"]) > 0.98


def test_local_dependence_and_mean_squares_by_their_definitions():
    data = with_gaps()
    model = irt.fit(data, "GRM")
    theta = model.abilities("EAP")["ability"].to_numpy()
    residual, variance = residuals(model, data, theta)
    q3 = model.local_dependence()
    assert np.allclose(q3, pd.DataFrame(residual).corr(), atol=1e-8)
    found = model.item_fit()
    there = data.notna().to_numpy()
    assert np.allclose(
        found["infit"], np.nansum(residual**2, axis=0) / (variance * there).sum(axis=0)
    )
    assert np.allclose(found["outfit"], np.nanmean(residual**2 / variance, axis=0))
    assert found["n"].to_list() == there.sum(axis=0).tolist()


@pytest.mark.parametrize("model", ["2PL", "3PL", "4PL", "GRM", "GPCM", "NRM"])
def test_information_is_that_of_the_probabilities(model):
    data = partial_credit(400, 5, seed=2)
    if model in ("2PL", "3PL", "4PL"):
        data = data.clip(upper=1)
    fitted = irt.fit(
        data,
        model,
        priors={"a": ("lognormal", 0, 0.5), "c": ("beta", 5, 17), "u": ("beta", 17, 2)}
        if model != "NRM"
        else None,
    )
    theta, h = np.linspace(-3, 3, 7), 1e-5
    found = fitted.item_information(theta)
    here, up, down = (fitted.probabilities(theta + step) for step in (0, h, -h))
    up.index = down.index = here.index
    wanted = (((up - down) / (2 * h)) ** 2 / here).T.groupby(level="item").sum().T
    assert np.allclose(found, wanted[found.columns], rtol=1e-6)
    total = fitted.information(theta)
    assert np.allclose(total["information"], found.sum(axis=1))
    assert np.allclose(total["se"], 1 / np.sqrt(found.sum(axis=1)))
    far = fitted.item_information([-40.0, 40.0])
    assert np.isfinite(far).all(axis=None)
    assert (far >= 0).all(axis=None)


def test_simulated_scores_have_the_model():
    data = partial_credit(800, 6)
    model = irt.fit(data, "GPCM")
    drawn = model.simulate(theta=np.zeros(40_000), seed=1)
    assert np.allclose(drawn.mean(), model.expected_scores([0.0]).iloc[0], atol=0.02)
    assert model.simulate(50, seed=3).equals(model.simulate(50, seed=3))
    again = irt.fit(model.simulate(20_000, seed=2), "GPCM")
    z = (again.items["a"] - model.items["a"]) / again.items["a_se"]
    assert np.abs(z).max() < 4
    with pytest.raises(lrn.MeasureError, match="finite"):
        model.simulate(theta=[0.0, np.nan])
    with pytest.raises(lrn.MeasureError, match="an integer"):
        model.simulate(-3)
    with pytest.raises(lrn.MeasureError, match="either"):
        model.simulate()
