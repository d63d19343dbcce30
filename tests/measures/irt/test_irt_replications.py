"""Over replications: standard errors, intervals, and how often tests of fit reject a true model.

All bounds are wide against the error of the share or ratio over the replications.
"""

import numpy as np
import pandas as pd
import pytest

from lrnanalysis.measures import dif, irt

ITEMS = 12
SLOPES = np.random.default_rng(3).permutation(np.linspace(0.7, 1.8, ITEMS))
PLACES = np.linspace(-1.5, 1.5, ITEMS)


def two_scores(rng, persons, slopes=SLOPES, places=PLACES, guessing=0.0, theta=None):
    theta = rng.standard_normal(persons) if theta is None else theta
    chance = guessing + (1 - guessing) / (1 + np.exp(-slopes * (theta[:, None] - places)))
    return pd.DataFrame(1.0 * (rng.random(chance.shape) < chance))


def partial_credit(rng, persons, model, slopes, thresholds):
    """Scores of the GRM or GPCM; thresholds (items, steps)."""
    z = slopes[:, None] * (rng.standard_normal(persons)[:, None, None] - thresholds)
    if model == "GRM":
        scores = (rng.random((persons, len(slopes), 1)) < 1 / (1 + np.exp(-z))).sum(axis=2)
    else:
        logits = np.concatenate([np.zeros_like(z[..., :1]), z.cumsum(axis=2)], axis=2)
        cut = (np.exp(logits) / np.exp(logits).sum(axis=2, keepdims=True)).cumsum(axis=2)
        scores = (rng.random((persons, len(slopes), 1)) > cut).sum(axis=2)
    return pd.DataFrame(scores.astype(float))


class Record:
    """Estimates and standard errors over replications."""

    def __init__(self, truth):
        self.truth = {name: np.asarray(values) for name, values in truth.items()}
        self.found = {name: [] for name in truth}
        self.errors = {name: [] for name in truth}

    def add(self, model):
        assert model.converged
        for name in self.truth:
            self.found[name].append(model.items[name].to_numpy())
            self.errors[name].append(model.items[f"{name}_se"].to_numpy())

    def spread(self, name):
        """Per item, SD of the estimates."""
        return np.std(self.found[name], axis=0, ddof=1)

    def ratio(self, name):
        """Standard errors over the spread of the estimates, averaged over the items."""
        errors = np.sqrt(np.mean(np.square(self.errors[name]), axis=0))
        return float(np.mean(errors / self.spread(name)))

    def covered(self, name, z=1.959964):
        """Share of 95 % intervals that hold the truth."""
        off = np.abs(np.array(self.found[name]) - self.truth[name])
        return float((off < z * np.array(self.errors[name])).mean())

    def bias(self, name):
        """Root mean square of the items' bias, as a share of the spread."""
        off = np.mean(self.found[name], axis=0) - self.truth[name]
        return float(np.sqrt(np.mean(off**2) / np.mean(self.spread(name) ** 2)))


@pytest.fixture(scope="module")
def study():
    """400 samples of 1,500 persons from a 2PL model; tests of fit of the first 200."""
    rng = np.random.default_rng(7)
    record = Record({"a": SLOPES, "b": PLACES, "d": -SLOPES * PLACES})
    items, tests, persons = [], [], []
    for number in range(400):
        model = irt.fit(two_scores(rng, 1500), "2PL")
        record.add(model)
        if number < 200:
            items.append(model.item_fit()["p"])
            tests.append(model.model_fit())
            persons.append(model.person_fit()[["lz", "lz_star"]])
    return record, np.array(items), pd.DataFrame(tests), pd.concat(persons)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["a", "b", "d"])
def test_two_parameters(study, name):
    record = study[0]
    # 12 items × 400 samples: the ratio's own error is about 1 %.
    assert record.ratio(name) == pytest.approx(1, abs=0.03)
    assert record.covered(name) == pytest.approx(0.95, abs=0.01)
    assert record.bias(name) < 0.1


@pytest.mark.slow
def test_item_fit_of_a_true_model(study):
    p = study[1]
    assert not np.isnan(p).any()
    assert (p < 0.05).mean() == pytest.approx(0.05, abs=0.015)
    assert (p < 0.10).mean() == pytest.approx(0.10, abs=0.02)


@pytest.mark.slow
def test_model_fit_of_a_true_model(study):
    tests = study[2]
    assert tests["m2"].mean() == pytest.approx(tests["df"].iloc[0], rel=0.03)
    assert (tests["p"] < 0.05).mean() == pytest.approx(0.05, abs=0.04)
    assert tests["p"].mean() == pytest.approx(0.5, abs=0.06)
    assert (tests["rmsea_low"] == 0).mean() > 0.9


@pytest.mark.slow
def test_person_fit_of_a_true_model(study):
    """lz is known to lie above 0 and to vary too little; lz_star corrects most of it."""
    lz, corrected = study[3]["lz"], study[3]["lz_star"]
    assert abs(corrected.mean()) < 0.15 < lz.mean()
    assert lz.std() < 0.9 < corrected.std() < 1.05
    assert (corrected < -1.645).mean() == pytest.approx(0.05, abs=0.01)


@pytest.mark.slow
@pytest.mark.parametrize("model", ["1PL", "RSM"])
def test_item_fit_where_items_share_parameters(model):
    rng = np.random.default_rng(19)
    thresholds = np.linspace(-1, 1, 8)[:, None] + np.array([-0.9, 0.0, 0.9])
    rows = []
    for _ in range(150):
        if model == "1PL":
            data = two_scores(rng, 1000, np.ones(6), np.linspace(-1.5, 1.5, 6))
        else:
            data = partial_credit(rng, 1000, model, np.ones(8), thresholds)
        rows.append(irt.fit(data, model).item_fit())
    found = pd.concat(rows)
    assert found["s_x2"].mean() == pytest.approx(found["df"].mean(), rel=0.06)
    assert (found["p"] < 0.05).mean() == pytest.approx(0.05, abs=0.025)


@pytest.mark.slow
@pytest.mark.parametrize("model", ["GRM", "GPCM", "RSM"])
def test_partial_credit(model):
    rng = np.random.default_rng(17)
    slopes = np.ones(8) if model == "RSM" else np.linspace(0.8, 1.6, 8)
    thresholds = np.linspace(-1, 1, 8)[:, None] + np.array([-0.9, 0.0, 0.9])
    truth = {f"b{k + 1}": thresholds[:, k] for k in range(3)}
    record = Record(truth if model == "RSM" else {"a": slopes, **truth})
    items, tests = [], []
    for _ in range(150):
        fitted = irt.fit(partial_credit(rng, 1000, model, slopes, thresholds), model)
        record.add(fitted)
        items.append(fitted.item_fit()["p"])
        tests.append(fitted.model_fit())
    for name in record.truth:
        assert record.ratio(name) == pytest.approx(1, abs=0.08)
        assert record.covered(name) == pytest.approx(0.95, abs=0.025)
    p, tests = np.array(items), pd.DataFrame(tests)
    assert (p < 0.05).mean() == pytest.approx(0.05, abs=0.025)
    assert tests["m2"].mean() == pytest.approx(tests["df"].iloc[0], rel=0.06)
    assert (tests["p"] < 0.05).mean() < 0.12


@pytest.mark.slow
def test_guessing_with_its_prior():
    """The prior is right, so that intervals cover at least at their level."""
    rng = np.random.default_rng(5)
    slopes, places = rng.uniform(0.8, 2, 20), np.linspace(-1.5, 1.5, 20)
    record = Record({"a": slopes, "b": places, "c": np.full(20, 0.2)})
    items = []
    for _ in range(60):
        model = irt.fit(two_scores(rng, 3000, slopes, places, guessing=0.2), "3PL")
        record.add(model)
        items.append(model.item_fit()["p"])
    for name in record.truth:
        assert 0.93 < record.covered(name) < 0.995
        assert record.bias(name) < 0.35
    assert (np.array(items) < 0.05).mean() == pytest.approx(0.06, abs=0.03)


@pytest.mark.slow
def test_groups_latent_moments():
    rng = np.random.default_rng(23)
    group = np.repeat([0, 1], [900, 600])
    wanted, found, errors, tests, items = np.array([0.5, 1.44]), [], [], [], []
    for _ in range(150):
        theta = np.where(group == 1, 0.5 + 1.2 * rng.normal(size=1500), rng.normal(size=1500))
        model = irt.fit(two_scores(rng, 1500, theta=theta), "2PL", group=group)
        assert model.converged
        row = model.groups.loc[1]
        found.append(row[["mean", "variance"]])
        errors.append(row[["mean_se", "variance_se"]])
        tests.append(model.model_fit()[["m2", "df", "p"]])
        items.append(model.item_fit()["p"])
    found, errors = np.array(found, dtype=float), np.array(errors, dtype=float)
    spread = found.std(axis=0, ddof=1)
    assert np.allclose(found.mean(axis=0), wanted, atol=4 * spread / np.sqrt(150))
    assert np.allclose(np.sqrt((errors**2).mean(axis=0)) / spread, 1, atol=0.15)
    assert (np.abs(found - wanted) < 1.96 * errors).mean() == pytest.approx(0.95, abs=0.03)
    tests = pd.DataFrame(tests)
    assert tests["m2"].mean() == pytest.approx(tests["df"].iloc[0], rel=0.04)
    assert (tests["p"] < 0.05).mean() < 0.12
    assert (np.array(items) < 0.05).mean() == pytest.approx(0.05, abs=0.025)


@pytest.mark.slow
@pytest.mark.parametrize("shift", [0.0, 0.5])
def test_fair_items_are_seldom_flagged(shift):
    """Ten fair items; the groups differ in ability or not."""
    rng = np.random.default_rng(11)
    group = np.arange(800) % 2
    p = {"mantel": [], "logistic": []}
    for _ in range(60):
        theta = rng.standard_normal(800) + shift * group
        data = two_scores(rng, 800, SLOPES[:10], PLACES[:10], theta=theta)
        p["mantel"].append(dif.mantel_haenszel(data, group)["p"])
        p["logistic"].append(dif.logistic(data, group)["p_both"])
    for name, values in p.items():
        share = (np.array(values) < 0.05).mean()
        assert share == pytest.approx(0.05, abs=0.035), name


@pytest.mark.slow
@pytest.mark.parametrize("model", ["GRM", "GPCM"])
def test_c2_where_m2_has_no_degrees_of_freedom(model):
    rng = np.random.default_rng(29)
    thresholds = np.linspace(-1, 1, 4)[:, None] + np.array([-1.2, -0.4, 0.4, 1.2])
    slopes = np.array([1.0, 1.5, 2.0, 1.2])
    tests = pd.DataFrame(
        [
            irt.fit(partial_credit(rng, 1000, model, slopes, thresholds), model).model_fit("C2")
            for _ in range(200)
        ]
    )
    assert (tests["df"] == 2).all()
    assert tests["c2"].mean() == pytest.approx(2, abs=0.45)
    assert (tests["p"] < 0.05).mean() == pytest.approx(0.05, abs=0.045)


@pytest.mark.slow
def test_fit_of_a_true_model_with_planned_forms():
    """Two forms of eight items, and persons with all twelve: by form, listwise, together."""
    rng = np.random.default_rng(31)
    items, forms, whole = [], [], []
    for _ in range(150):
        data = two_scores(rng, 1500)
        data.iloc[:500, 8:] = np.nan
        data.iloc[500:1000, :4] = np.nan
        model = irt.fit(data, "2PL")
        items.append(model.item_fit())
        forms.append(model.model_fit(missing="forms"))
        whole.append(model.model_fit(missing="listwise"))
    items, forms, whole = pd.concat(items), pd.concat(forms), pd.DataFrame(whole)
    assert (items["p"] < 0.05).mean() == pytest.approx(0.05, abs=0.02)
    assert items["s_x2"].mean() == pytest.approx(items["df"].mean(), rel=0.03)
    for _, tests in [*forms.groupby(level=0), ("listwise", whole)]:
        assert tests["m2"].mean() == pytest.approx(tests["df"].iloc[0], rel=0.06)
        assert (tests["p"] < 0.05).mean() == pytest.approx(0.05, abs=0.05)
