"""Fits against a naive maximisation: the marginal likelihood written out, and scipy's optimiser.

Nothing of the package enters the reference: probabilities by their definitions, 91 other nodes,
numeric derivatives.
"""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pytest
from scipy import optimize, stats

import lrnanalysis as lrn
from lrnanalysis.measures import irt

NODES = np.linspace(-6.5, 6.5, 91)
WEIGHTS = stats.norm.pdf(NODES) / stats.norm.pdf(NODES).sum()


def expit(x):
    return 1 / (1 + np.exp(-x))


def names_of(model, m):
    """Free parameters of an item with scores 0 … m, by the names of `items`."""
    steps = ["d"] if m == 1 else [f"d{k}" for k in range(1, m + 1)]
    if model in ("Rasch", "PCM"):
        return steps
    if model == "NRM" and m > 1:
        return [f"a{k}" for k in range(1, m + 1)] + steps
    return ["a", *steps, *{"3PL": ["c"], "4PL": ["c", "u"]}.get(model, [])]


def curves(model, m, p, theta):
    """Probabilities of the scores 0 … m of one item, shape (m + 1, θ)."""
    if model in ("3PL", "4PL"):
        right = p["c"] + (p.get("u", 1.0) - p["c"]) * expit(p["a"] * theta + p["d"])
        return np.array([1 - right, right])
    d = [p["d"]] if m == 1 else [p[f"d{k}"] for k in range(1, m + 1)]
    if model == "GRM":
        above = [np.ones_like(theta), *(expit(p["a"] * theta + x) for x in d)]
        return -np.diff(np.array([*above, np.zeros_like(theta)]), axis=0)
    if model == "NRM" and m > 1:
        a = [p[f"a{k}"] for k in range(1, m + 1)]
    else:
        a = [p.get("a", 1.0) * k for k in range(1, m + 1)]
    z = np.array([np.zeros_like(theta), *(x * theta + y for x, y in zip(a, d, strict=True))])
    e = np.exp(z - z.max(axis=0))
    return e / e.sum(axis=0)


@dataclass
class Naive:
    """The marginal likelihood of some scores, as a function of free parameters."""

    scores: pd.DataFrame
    models: list
    group: np.ndarray | None = None
    weights: np.ndarray | None = None
    fixed: dict = field(default_factory=dict)
    moments: tuple = ()  # (group, "mean" or "sd") that are free
    penalty: object = None

    def __post_init__(self):
        self.m = self.scores.max().astype(int).tolist()
        self.names = [
            (item, name)
            for item, model, m in zip(self.scores.columns, self.models, self.m, strict=True)
            for name in names_of(model, m)
            if name not in self.fixed.get(item, {})
        ]
        codes = np.zeros(len(self.scores), int) if self.group is None else self.group
        w = np.ones(len(self.scores)) if self.weights is None else self.weights
        table = self.scores.fillna(-1).assign(_group=codes, _w=w)
        rows = table.groupby([*self.scores.columns, "_group"])["_w"].sum().reset_index()
        self.codes, self.w = rows["_group"].to_numpy(), rows["_w"].to_numpy()
        self.rows = rows[self.scores.columns].to_numpy().astype(int)

    def start(self):
        """Plain values, the same for any data."""
        begin = []
        for item, name in self.names:
            m = self.m[list(self.scores.columns).index(item)]
            if name[0] == "a":
                begin.append(1.0 if name == "a" else 0.5 * int(name[1:]))
            elif name[0] == "d":
                k = int(name[1:] or 1)
                begin.append((m + 1) / 2 - k if self.models[0] != "NRM" else 0.0)
            else:
                begin.append({"c": 0.2, "u": 0.93}[name])
        return np.array([*begin, *(float(name == "sd") for _, name in self.moments)])

    def parameters(self, free):
        found = {item: dict(self.fixed.get(item, {})) for item in self.scores.columns}
        for (item, name), value in zip(self.names, free, strict=False):
            found[item][name] = value
        latent = {
            (g, name): float(name == "sd") for g in set(self.codes) for name in ("mean", "sd")
        }
        latent.update(zip(self.moments, free[len(self.names) :], strict=True))
        return found, latent

    def loglik(self, free):
        items, latent = self.parameters(free)
        total = 0.0
        for g in np.unique(self.codes):
            own = self.codes == g
            theta = latent[g, "mean"] + latent[g, "sd"] * NODES
            given = np.ones((own.sum(), len(NODES)))
            for place, (item, model) in enumerate(zip(items, self.models, strict=True)):
                p = curves(model, self.m[place], items[item], theta)
                if not (p > 0).all():
                    return -np.inf
                x = self.rows[own, place]
                given *= np.where((x < 0)[:, None], 1.0, p[np.maximum(x, 0)])
            total += self.w[own] @ np.log(given @ WEIGHTS)
        return total

    def objective(self, free):
        items, _ = self.parameters(free)
        bad = any(not 0 < p[name] < 1 for p in items.values() for name in ("c", "u") if name in p)
        value = -np.inf if bad else self.loglik(free)
        if self.penalty is not None and np.isfinite(value):
            value += sum(self.penalty(n, free[i]) for i, (_, n) in enumerate(self.names))
        return -value if np.isfinite(value) else 1e10

    def maximum(self):
        """Parameters, log-likelihood, standard errors by a numeric Hessian."""
        found = optimize.minimize(
            self.objective, self.start(), method="BFGS", options={"gtol": 1e-4, "maxiter": 400}
        ).x
        for _ in range(2):
            slope, bend = derivatives(self.objective, found)
            found = found - np.linalg.solve(bend, slope)
        _, bend = derivatives(self.objective, found)
        return found, self.loglik(found), np.sqrt(np.diag(np.linalg.inv(bend)))


def derivatives(f, x, h=2e-4):
    """Gradient and Hessian by central differences."""
    n = len(x)
    unit, centre = h * np.eye(n), f(x)
    up, down = (np.array([f(x + sign * e) for e in unit]) for sign in (1, -1))
    bend = np.diag(up + down - 2 * centre)
    for i in range(n):
        for j in range(i):
            both = f(x + unit[i] + unit[j]) + f(x - unit[i] - unit[j])
            bend[i, j] = bend[j, i] = (both - up[i] - up[j] - down[i] - down[j] + 2 * centre) / 2
    return (up - down) / (2 * h), bend / h**2


def draw(models, steps, truth, persons, seed, theta=None):
    """Scores by the naive probabilities."""
    rng = np.random.default_rng(seed)
    theta = rng.standard_normal(persons) if theta is None else theta
    columns = {}
    for place, (model, m, p) in enumerate(zip(models, steps, truth, strict=True)):
        cut = np.cumsum(curves(model, m, p, theta), axis=0)[:-1]
        columns[f"i{place}"] = (rng.random(len(theta)) > cut).sum(axis=0).astype(float)
    return pd.DataFrame(columns)


def compare(naive, model, *, parameters=2e-3, errors=0.01):
    """Hold a fit to the reference."""
    free, loglik, se = naive.maximum()
    assert model.converged
    assert model.loglik == pytest.approx(loglik, abs=1e-3)
    found, found_se = [], []
    for item, name in naive.names:
        found.append(model.items.loc[item, name])
        found_se.append(model.items.loc[item, f"{name}_se"])
    for group, name in naive.moments:
        row = model.groups.iloc[group]
        if name == "mean":
            found.append(row["mean"])
            found_se.append(row["mean_se"])
        else:
            found.append(np.sqrt(row["variance"]))
            found_se.append(row["variance_se"] / (2 * np.sqrt(row["variance"])))
    assert model.n_parameters == len(free)
    assert np.allclose(found, free, atol=parameters)
    assert np.allclose(found_se, se, rtol=errors)


def nominal():
    rng = np.random.default_rng(5)
    truth = []
    for _ in range(4):
        a, d = np.sort(rng.normal(0.8, 0.8, 3)), rng.normal(0, 0.5, 3)
        truth.append({f"{n}{k}": v for n, x in (("a", a), ("d", d)) for k, v in enumerate(x, 1)})
    return draw(["NRM"] * 4, [3] * 4, truth, 700, 6)


def test_nominal():
    data = nominal()
    compare(Naive(data, ["NRM"] * 4), irt.fit(data, "NRM"))


def test_nominal_through_nodes_and_through_scalars_agree():
    data = nominal()
    whole = irt.fit(data, "NRM")
    # An item that nobody among these answers takes the general path.
    extra = irt.fit(data.mask(np.random.default_rng(1).random(data.shape) < 0.1), "NRM")
    assert whole.convergence.path.startswith("one scalar")
    assert extra.convergence.path.startswith("nodes")
    naive = Naive(data.mask(np.random.default_rng(1).random(data.shape) < 0.1), ["NRM"] * 4)
    compare(naive, extra)


def four_parameters():
    rng = np.random.default_rng(8)
    truth = [
        {"a": rng.uniform(1, 2), "d": d, "c": 0.2, "u": 0.95} for d in np.linspace(-1.5, 1.5, 6)
    ]
    return draw(["4PL"] * 6, [1] * 6, truth, 1500, 9)


def penalty(name, value):
    if name == "a":
        return stats.lognorm.logpdf(value, 0.5, scale=np.exp(0.2)) if value > 0 else -np.inf
    if name in ("c", "u"):
        return stats.beta.logpdf(value, *((5, 17) if name == "c" else (17, 2)))
    return 0.0


@pytest.mark.slow
@pytest.mark.parametrize("model", ["3PL", "4PL"])
def test_asymptotes_with_priors(model):
    data = four_parameters()
    priors = {"a": ("lognormal", 0.2, 0.5), "c": ("beta", 5, 17), "u": ("beta", 17, 2)}
    if model == "3PL":
        del priors["u"]
    compare(Naive(data, [model] * 6, penalty=penalty), irt.fit(data, model, priors=priors))


def mixed():
    models = ["2PL", "3PL", "GRM", "GPCM", "NRM", "GRM", "GPCM", "2PL"]
    steps = [1, 1, 2, 3, 2, 1, 2, 1]
    truth = [
        {"a": 1.2, "d": 0.5},
        {"a": 1.4, "d": -0.3, "c": 0.2},
        {"a": 1.1, "d1": 1.0, "d2": -0.7},
        {"a": 0.8, "d1": 0.6, "d2": 0.4, "d3": -0.5},
        {"a1": 0.6, "a2": 1.5, "d1": 0.3, "d2": 0.0},
        {"a": 0.9, "d": -0.4},
        {"a": 1.0, "d1": 0.2, "d2": -0.3},
        {"a": 0.7, "d": 1.0},
    ]
    return models, draw(models, steps, truth, 900, 21)


@pytest.mark.slow
def test_mixed_formats_with_gaps_and_weights():
    models, data = mixed()
    rng = np.random.default_rng(3)
    data = data.mask(rng.random(data.shape) < 0.08)
    weights = rng.integers(1, 4, len(data)).astype(float)
    wanted = Naive(
        data,
        models,
        weights=weights,
        penalty=lambda name, value: penalty(name, value) if name == "c" else 0.0,
    )
    by_item = dict(zip(data.columns, models, strict=True))
    compare(wanted, irt.fit(data, by_item, weights=weights))
    as_list = irt.fit(data, models, weights=weights)
    assert as_list.items["model"].to_list() == models


def grouped(model, seed, persons=900):
    rng = np.random.default_rng(seed)
    group = np.arange(persons) % 3
    theta = np.array([0.0, 0.6, -0.4])[group] + np.array([1, 1.3, 0.8])[group] * rng.normal(
        size=persons
    )
    if model == "GRM":
        truth = [{"a": a, "d1": 0.8, "d2": -0.8} for a in (0.9, 1.2, 1.5, 1.0)]
        data = draw(["GRM"] * 4, [2] * 4, truth, persons, seed, theta)
    else:
        truth = [
            {"a": 1.0 if model == "Rasch" else a, "d": d}
            for a, d in zip((0.8, 1.1, 1.4, 1.0, 1.2), (-1, -0.5, 0, 0.5, 1), strict=True)
        ]
        data = draw(["2PL"] * 5, [1] * 5, truth, persons, seed, theta)
    return data, group


@pytest.mark.parametrize("model", ["Rasch", "2PL", "GRM"])
def test_groups(model):
    data, group = grouped(model, 31)
    moments = [(0, "sd")] if model == "Rasch" else []
    moments += [(g, name) for g in (1, 2) for name in ("mean", "sd")]
    naive = Naive(data, [model] * data.shape[1], group=group, moments=tuple(moments))
    compare(naive, irt.fit(data, model, group=group))


@pytest.mark.parametrize("model", ["2PL", "GRM"])
def test_groups_are_separate_fits_on_one_scale(model):
    """What linking makes of two separate calibrations, the fit of both groups says directly."""
    data, group = grouped(model, 37, persons=6000)
    both = group < 2
    data, group = data[both].reset_index(drop=True), group[both]
    together = irt.fit(data, model, group=group)
    one, other = (irt.fit(data[group == g], model) for g in (0, 1))
    found = lrn.linking.link(other, one)
    assert together.groups.loc[1, "mean"] == pytest.approx(found.intercept, abs=0.04)
    assert np.sqrt(together.groups.loc[1, "variance"]) == pytest.approx(found.slope, abs=0.04)
    # The separate fits have two parameters an item and group; the shared items explain as much.
    lost = 2 * (one.loglik + other.loglik - together.loglik)
    df = one.n_parameters + other.n_parameters - together.n_parameters
    assert 0 < lost < stats.chi2.isf(0.001, df)
    assert together.groups["persons"].to_list() == [2000, 2000]
    # The order of appearance names the reference; the other way round only the scale differs.
    turned = irt.fit(data[::-1], model, group=group[::-1])
    assert turned.groups.index[0] == group[-1]
    assert turned.loglik == pytest.approx(together.loglik, abs=1e-3)


def test_a_group_alone_is_the_fit_without_groups():
    data, _ = grouped("2PL", 38)
    one = irt.fit(data, "2PL")
    named = irt.fit(data, "2PL", group=["x"] * len(data))
    assert named.loglik == pytest.approx(one.loglik, abs=1e-8)
    pd.testing.assert_frame_equal(named.items, one.items)
    # Two groups of the same persons have the same distribution.
    twice = pd.concat([data, data], ignore_index=True)
    same = irt.fit(twice, "2PL", group=np.repeat(["x", "y"], len(data)))
    assert same.loglik == pytest.approx(2 * one.loglik, abs=1e-3)
    assert same.groups.loc["y", "mean"] == pytest.approx(0, abs=1e-4)
    assert same.groups.loc["y", "variance"] == pytest.approx(1, abs=1e-3)
    assert np.allclose(same.items["a"], one.items["a"], atol=1e-3)


@pytest.mark.parametrize("model", ["Rasch", "2PL", "GPCM", "NRM"])
def test_forms_and_persons_one_by_one_have_the_same_likelihood(model):
    """A set of items by set, or person by person: two paths to one likelihood."""
    steps = 1 if model in ("Rasch", "2PL") else 2
    truth = [
        {"a": 1.0, **({"d": d} if steps == 1 else {"d1": d + 0.5, "d2": d})}
        for d in np.linspace(-1, 1, 12)
    ]
    data = draw(["2PL" if steps == 1 else "GPCM"] * 12, [steps] * 12, truth, 2400, 61)
    for form in range(4):
        missing = [place for place in range(12) if (place - 3 * form) % 12 >= 8]
        data.iloc[form::4, missing] = np.nan
    by_form = irt.fit(data, model, nodes=121)
    assert by_form.convergence.path.startswith("one scalar")
    # Rows of weight 0, each with items of its own, leave forms no use.
    rng = np.random.default_rng(1)
    odd = data[:300].mask(rng.random((300, 12)) < 0.5)
    weights = np.repeat([1.0, 0.0], [2400, 300])
    by_person = irt.fit(
        pd.concat([data, odd], ignore_index=True), model, weights=weights, nodes=121
    )
    assert by_person.convergence.path.startswith("nodes")
    assert by_person.loglik == pytest.approx(by_form.loglik, abs=1e-4)
    assert by_person.persons == by_form.persons
    columns = [name for name in by_form.items if name[0] in "ad"]
    wanted, found = by_form.items[columns], by_person.items[columns]
    assert np.allclose(found, wanted, atol=1e-3, equal_nan=True)


def test_slopes_of_one_set_the_scale_of_others():
    models = ["Rasch", "2PL", "PCM", "2PL", "GRM"]
    truth = [
        {"d": 0.5},
        {"a": 0.7, "d": -0.5},
        {"d1": 0.5, "d2": -0.3},
        {"a": 1.3, "d": 0.0},
        {"a": 1.0, "d1": 1.0, "d2": -1.0},
    ]
    theta = 1.4 * np.random.default_rng(4).standard_normal(900)
    data = draw(models, [1, 1, 2, 1, 2], truth, 900, 71, theta)
    compare(Naive(data, models, moments=((0, "sd"),)), irt.fit(data, models))


def test_priors_of_every_kind():
    data = four_parameters()[:600]

    def penalty(name, value):
        if name == "c":
            return stats.norm.logpdf(np.log(value / (1 - value)), -1.4, 0.5)
        return stats.norm.logpdf(value, *((1.2, 0.4) if name == "a" else (0, 1.5)))

    priors = {"a": ("normal", 1.2, 0.4), "d": ("normal", 0, 1.5), "c": ("normal", -1.4, 0.5)}
    compare(Naive(data, ["3PL"] * 6, penalty=penalty), irt.fit(data, "3PL", priors=priors))


@pytest.mark.parametrize("model", ["PCM", "GPCM"])
def test_partial_credit(model):
    truth = [
        {"a": 1.0 if model == "PCM" else a, "d1": 0.8 + x, "d2": 0.5, "d3": -0.9}
        for a, x in ((0.8, 0.2), (1.1, -0.3), (1.3, 0.0), (0.9, 0.5))
    ]
    data = draw(["GPCM"] * 4, [3] * 4, truth, 700, 41)
    moments = ((0, "sd"),) if model == "PCM" else ()
    compare(Naive(data, [model] * 4, moments=moments), irt.fit(data, model))


def test_rating_scale():
    """RSM: the PCM whose thresholds' distances are shared, by a search of its own."""
    rng = np.random.default_rng(1)
    location, common = rng.normal(0, 0.7, 5), np.array([-0.8, 0.1, 0.7])
    truth = [{f"d{k}": -(k * b + common[:k].sum()) for k in (1, 2, 3)} for b in location]
    data = draw(["PCM"] * 5, [3] * 5, truth, 600, 43)
    naive = Naive(data, ["PCM"] * 5, moments=((0, "sd"),))

    def objective(x):
        b, tau = x[:5], np.array([x[5], x[6], -x[5] - x[6]])
        free = [-(k * v + tau[:k].sum()) for v in b for k in (1, 2, 3)]
        return naive.objective(np.array([*free, x[7]]))

    found = optimize.minimize(objective, [0.0] * 5 + [-0.5, 0.0, 1.0], options={"gtol": 1e-4}).x
    model = irt.fit(data, "RSM")
    assert model.n_parameters == 8
    assert model.loglik == pytest.approx(-objective(found), abs=1e-3)
    thresholds = model.items[["b1", "b2", "b3"]].to_numpy()
    tau = np.array([found[5], found[6], -found[5] - found[6]])
    assert np.allclose(thresholds, found[:5, None] + tau, atol=2e-3)
    assert model.loglik < irt.fit(data, "PCM").loglik
    _, bend = derivatives(objective, found)
    # Standard errors of b1 = b + τ1, by the delta method.
    covariance = np.linalg.inv(bend)
    se = np.sqrt([covariance[i, i] + covariance[5, 5] + 2 * covariance[i, 5] for i in range(5)])
    assert np.allclose(model.items["b1_se"], se, rtol=0.01)


def test_two_scores_make_the_rating_scale_and_partial_credit_rasch():
    data, _ = grouped("Rasch", 7)
    rasch = irt.fit(data, "Rasch")
    for model in ("RSM", "PCM"):
        other = irt.fit(data, model)
        assert other.loglik == pytest.approx(rasch.loglik, abs=1e-6)
        assert np.allclose(other.items["d"], rasch.items["d"], atol=1e-4)


def test_anchors_free_mean_and_variance():
    data, group = grouped("2PL", 51)
    data = data[group == 1].reset_index(drop=True)
    anchors = {"i0": {"a": 0.8, "d": -1.0}, "i1": {"a": 1.1, "d": -0.5}, "i2": {"a": 1.4, "d": 0.0}}
    naive = Naive(data, ["2PL"] * 5, fixed=anchors, moments=((0, "mean"), (0, "sd")))
    by_intercept = irt.fit(data, "2PL", fixed=anchors)
    compare(naive, by_intercept)
    by_difficulty = irt.fit(
        data, "2PL", fixed={i: {"a": p["a"], "b": -p["d"] / p["a"]} for i, p in anchors.items()}
    )
    assert by_difficulty.loglik == pytest.approx(by_intercept.loglik, abs=1e-8)
    assert by_intercept.items.loc["i0", "a"] == 0.8
    assert np.isnan(by_intercept.items.loc["i0", "a_se"])


def test_a_guessing_anchor_stays():
    data = four_parameters()
    fixed = {item: {"c": 0.2} for item in data.columns}
    naive = Naive(data, ["3PL"] * 6, fixed=fixed)
    compare(naive, irt.fit(data, "3PL", fixed=fixed, priors=None))


@pytest.mark.slow
@pytest.mark.parametrize("items", [50, 150])
@pytest.mark.parametrize("model", ["Rasch", "2PL", "3PL", "GRM", "GPCM"])
def test_long_tests_need_no_finer_grid(model, items):
    """150 items measure so narrowly that a usual grid is biased; the fit's own is not."""
    rng = np.random.default_rng(15)
    slopes = np.ones(items) if model == "Rasch" else rng.lognormal(0, 0.3, items)
    places = rng.normal(size=items)
    persons = 1500 if model in ("2PL", "GRM") else 600
    theta = rng.standard_normal((persons, 1))
    scores, noise = np.zeros((persons, items)), rng.logistic(size=(persons, items))
    for step in (-0.5, 0.5) if model in ("GRM", "GPCM") else (0.0,):
        scores += noise < slopes * (theta - places - step)
    coarse = irt.fit(scores, model)
    fine = irt.fit(scores, model, nodes=2 * coarse.convergence.nodes - 1)
    assert coarse.converged
    assert fine.converged
    assert coarse.loglik == pytest.approx(fine.loglik, abs=1e-3)
    assert np.allclose(coarse.items["a"], fine.items["a"], atol=1e-3)
    if model in ("2PL", "GRM"):
        z = (coarse.items["a"] - slopes) / coarse.items["a_se"]
        assert np.sqrt(np.mean(z**2)) == pytest.approx(1, abs=3 / np.sqrt(2 * items))
