"""The likelihood's maximum, however the data are laid out, and what is said where there is none."""

import importlib.util

import numpy as np
import pandas as pd
import pytest

import lrnanalysis as lrn
from classical_data import lsat7
from lrnanalysis.measures import irt
from lrnanalysis.measures.irt.data.response_matrix import score_digits
from lrnanalysis.measures.irt.estimation.lbfgs import Steps, carried, inverse
from lrnanalysis.measures.irt.estimation.marginal_likelihood import MarginalLikelihood
from lrnanalysis.measures.irt.likelihood import backends

WAYS = [False] + [True] * (importlib.util.find_spec("numba") is not None)


def drawn(persons, items, scores=2, *, guessing=0.0, seed=1):
    """Scores of a graded model, ability standard normal; with guessing for two scores."""
    rng = np.random.default_rng(seed)
    theta = rng.standard_normal((persons, 1, 1))
    a = rng.uniform(0.7, 2.0, (items, 1))
    b = np.sort(rng.normal(0, 1, (items, scores - 1)), axis=1)
    above = 1 / (1 + np.exp(-a * (theta - b)))
    found = (rng.random((persons, items, 1)) < above).sum(axis=2).astype(float)
    found[rng.random(found.shape) < guessing] = 1.0
    return pd.DataFrame(found, columns=[f"i{n:03d}" for n in range(items)])


def in_forms(data, forms=5, seed=2):
    """The same persons, each with the items of one form only."""
    rng = np.random.default_rng(seed)
    items = data.shape[1]
    first = rng.integers(0, forms, len(data))[:, None] * items // forms
    return data.where((np.arange(items) - first) % items < items * 6 // 10)


def assert_same(one, other, *, loglik=1e-4, errors=1e-4):
    """Same maximum, within a small part of the standard errors, and same standard errors."""
    assert one.converged
    assert other.converged
    assert one.loglik == pytest.approx(other.loglik, abs=loglik)
    other_items = other.items.loc[one.items.index]
    for name in one.items.columns[2::2]:
        se = one.items[name].to_numpy()
        value = one.items[name.removesuffix("_se")].to_numpy()
        assert np.nanmax(np.abs(other_items[name.removesuffix("_se")] - value) / se) < errors
        assert other_items[name].to_numpy() == pytest.approx(se, rel=1e-3, nan_ok=True)


DATA = {
    "2PL": drawn(6000, 12),
    "GPCM": drawn(6000, 8, 4),
    "GRM": drawn(6000, 8, 4),
    "3PL": drawn(6000, 12, guessing=0.2),
}


@pytest.mark.parametrize("model", DATA)
def test_persons_and_items_in_any_order(model):
    data = DATA[model]
    mixed = data.sample(frac=1, random_state=1).sample(frac=1, axis=1, random_state=2)
    # Another order draws another sample to begin with: the maximum is the same.
    assert_same(irt.fit(data, model), irt.fit(mixed, model))


@pytest.mark.parametrize("model", ["2PL", "GRM", "3PL"])
def test_patterns_with_counts_are_the_persons(model):
    data = DATA[model].iloc[:, :6]
    patterns = data.value_counts()
    rows = patterns.index.to_frame(index=False)
    assert len(rows) < len(data) / 2
    counted = irt.fit(rows, model, weights=patterns.to_numpy())
    assert_same(irt.fit(data, model), counted)
    assert counted.persons == len(data)


@pytest.mark.parametrize("model", ["2PL", "GPCM"])
def test_forms_by_one_scalar_or_by_nodes(model, monkeypatch):
    data = in_forms(DATA[model])
    by_form = irt.fit(data, model)
    assert "one scalar" in by_form.convergence.path
    sorted_by_form = data.sort_values(list(data.columns), na_position="first")
    assert_same(by_form, irt.fit(sorted_by_form, model))
    monkeypatch.setattr(backends, "_PERSONS_PER_FORM", 10**6)
    by_nodes = irt.fit(data, model)
    assert "nodes" in by_nodes.convergence.path
    assert_same(by_form, by_nodes)


@pytest.mark.parametrize("model", DATA)
def test_complete_persons_among_forms_are_a_form_too(model):
    data = DATA[model].iloc[:3000]
    without = data.iloc[:50].drop(columns=data.columns[0])
    fitted = irt.fit(pd.concat([data, without], ignore_index=True), model)
    # Together they say what each of them says.
    vector = fitted.estimates.parameter_vector
    parts = [
        fitted.responses(rows).backends[0].moments(vector).loglik.sum() for rows in (data, without)
    ]
    assert fitted.loglik == pytest.approx(sum(parts), abs=1e-4)


@pytest.mark.parametrize("compiled", WAYS)
@pytest.mark.parametrize("model", ["2PL", "GPCM", "NRM", "GRM", "3PL", "4PL"])
def test_information_is_what_the_gradient_changes_by(model, compiled):
    source = {"NRM": "GRM", "4PL": "3PL"}.get(model, model)
    data = DATA[source].iloc[:400, :4].mask(np.random.default_rng(3).random((400, 4)) < 0.1)
    weights = np.random.default_rng(4).integers(1, 4, 400)
    priors = {"a": ("lognormal", 0.0, 0.5), "c": ("beta", 5, 17), "u": ("beta", 17, 5)}
    fitted = irt.fit(data, model, weights=weights, priors=priors, compiled=compiled, max_iter=60)
    estimates, backends = fitted.estimates, fitted.responses().backends
    like = MarginalLikelihood(backends, estimates.constraints, fitted.priors)
    # Off the maximum, where nothing cancels.
    free = estimates.free * 0.97
    information = like.observed_information(free, like.evaluate(free))
    for place in range(0, len(free), 3):
        step = np.zeros(len(free))
        step[place] = 1e-4
        ahead, behind = like.evaluate(free + step), like.evaluate(free - step)
        by_difference = (behind.gradient - ahead.gradient) / 2e-4
        scale = np.abs(np.diag(information)).max()
        assert information[place] == pytest.approx(by_difference, abs=1e-5 * scale)
        slope = (ahead.objective - behind.objective) / 2e-4
        assert like.evaluate(free).gradient[place] == pytest.approx(slope, abs=1e-4 * scale)


@pytest.mark.parametrize("model", ["GRM", "3PL"])
def test_compiled_and_numpy_have_the_same_information(model):
    if True not in WAYS:
        pytest.skip("numba is not installed")
    data = DATA[model].mask(np.random.default_rng(5).random(DATA[model].shape) < 0.1)
    one, other = (irt.fit(data.iloc[:1500], model, compiled=way) for way in WAYS)
    assert one.covariance.to_numpy() == pytest.approx(
        other.covariance.to_numpy(), rel=1e-4, abs=1e-7
    )


def stepwise():
    """LSAT7 with a third item that is right just where three others are."""
    data = lsat7()
    third = data.columns[2]
    return data.assign(**{third: (data.drop(columns=third).sum(axis=1) >= 3) * 1.0}), third


@pytest.mark.parametrize("nodes", [None, 61, 2001])
def test_a_slope_that_runs_to_infinity_is_no_estimate(nodes):
    data, third = stepwise()
    with pytest.warns(lrn.ConvergenceWarning, match=f"slope of item '{third}' grew"):
        fitted = irt.fit(data, nodes=nodes)
    assert not fitted.converged
    assert "priors" in fitted.convergence.message
    assert "NOT CONVERGED" in repr(fitted)


def test_a_prior_of_slopes_gives_it_a_mode():
    data, third = stepwise()
    fitted = irt.fit(data, priors={"a": ("lognormal", 0.0, 0.5)})
    assert fitted.converged
    assert 2 < fitted.items.loc[third, "a"] < 20
    assert "posterior mode" in repr(fitted)


def test_a_steep_item_has_a_grid_that_resolves_it():
    rng = np.random.default_rng(6)
    theta = rng.standard_normal((4000, 1))
    a, b = np.array([7.0, 1, 1.2, 0.9, 1.1, 1.3]), np.array([0.1, -1, -0.5, 0, 0.5, 1])
    data = pd.DataFrame((rng.random((4000, 6)) < 1 / (1 + np.exp(-a * (theta - b)))) * 1.0)
    fitted = irt.fit(data)
    assert fitted.converged
    step = 12 / (fitted.convergence.nodes - 1)
    assert fitted.items["a"].max() * step <= 1
    assert fitted.loglik == pytest.approx(irt.fit(data, nodes=961).loglik, abs=1e-3)
    with pytest.warns(lrn.ConvergenceWarning, match="too coarse"):
        assert not irt.fit(data, nodes=31).converged


def test_priors_are_said():
    fitted = irt.fit(DATA["3PL"], "3PL")
    assert "posterior mode, not maximum likelihood: c ~ beta(5, 17)" in repr(fitted)
    assert fitted.aic == pytest.approx(2 * 36 - 2 * fitted.loglik)
    plain = irt.fit(DATA["2PL"], "2PL")
    assert "posterior" not in repr(plain)
    assert plain.priors == {}


def test_a_fixed_asymptote_must_be_in_the_model():
    data = DATA["2PL"].iloc[:500]
    with pytest.raises(ValueError, match="fitted as 2PL, where c is 0"):
        irt.fit(data, fixed={"i000": {"a": 1.0, "b": 0.0, "c": 0.2}})
    neutral = irt.fit(data, fixed={"i000": {"a": 1.0, "b": 0.0, "c": 0.0, "u": 1.0}})
    assert neutral.items.loc["i000", "a"] == 1.0


def test_scores_become_digits():
    values = np.array([[0.0, 1.0, np.nan], [2.0, 250.0, 3.0]])
    digits = np.empty((3, 2), dtype=np.uint8)
    assert score_digits(values, digits)
    assert digits.tolist() == [[1, 3], [2, 251], [0, 4]]
    for wrong in (0.5, -1.0, 251.0, np.inf, -np.inf, 256.0):
        assert not score_digits(np.array([[1.0], [wrong]]), np.empty((1, 2), dtype=np.uint8))


def test_information_is_carried_as_a_share_of_the_complete():
    rng = np.random.default_rng(7)
    root = rng.normal(size=(4, 4))
    complete = root @ root.T + 4 * np.eye(4)
    held = np.array([False, False, True, False])
    own = np.ix_(~held, ~held)
    found = carried(0.6 * complete, complete, 3 * complete, held)
    assert found[own] == pytest.approx(1.8 * complete[own])
    assert carried(complete, complete, -complete, held) is None
    assert carried(complete, complete, complete * np.nan, held) is None
    assert inverse(complete) @ complete == pytest.approx(np.eye(4), abs=1e-12)
    assert inverse(complete * np.nan) is None


def test_steps_learn_a_quadratic():
    rng = np.random.default_rng(9)
    root = rng.normal(size=(5, 5))
    bend, top = root @ root.T + np.eye(5), rng.normal(size=5)
    steps, at = Steps(np.eye(5) * np.trace(bend), np.zeros(5, dtype=bool)), np.zeros(5)
    for _ in range(40):
        gradient = bend @ (top - at)
        step = steps.step(gradient)
        at = at + step
        steps.learn(step, bend @ step)
    assert at == pytest.approx(top, abs=1e-4)
