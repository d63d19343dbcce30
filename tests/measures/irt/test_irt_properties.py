"""Whatever small matrix comes: a finite, converged result, or a word on why not."""

import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lrnanalysis as lrn
from lrnanalysis.measures import irt
from lrnanalysis.measures.irt.response_models import registry

MODELS = list(registry.MODELS)


def attempt(matrix, model, **options):
    """A model, or None after a `LrnError`; the warnings it gave."""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        try:
            return irt.fit(matrix, model, compiled=False, **options), told
        except lrn.LrnError:
            return None, told


@st.composite
def matrices(draw, top=3, odd=True):
    persons, items = draw(st.integers(0, 40)), draw(st.integers(1, 6))
    rng = np.random.default_rng(draw(st.integers(0, 2**31)))
    highest = rng.integers(0 if odd else 1, top + 1, items)
    scores = rng.integers(0, highest + 1, (persons, items)).astype(float)
    gaps = draw(st.sampled_from([0.0, 0.1, 0.6]))
    scores[rng.random(scores.shape) < gaps] = np.nan
    if odd and persons:
        strange = draw(st.sampled_from([None, None, None, -1.0, 0.5, 1e6, np.inf, 300.0]))
        if strange is not None:
            scores[rng.integers(persons), rng.integers(items)] = strange
    return pd.DataFrame(scores, columns=[f"i{n}" for n in range(items)])


@settings(max_examples=150, deadline=None)
@given(matrices(), st.sampled_from(MODELS), st.sampled_from([None, 3]))
def test_any_matrix_gets_a_result_or_a_word(matrix, model, least):
    fitted, told = attempt(matrix, model, min_persons=least)
    if fitted is None:
        return
    said = [str(one.message) for one in told]
    assert all("did not converge" in one for one in said)
    assert fitted.converged == (not said)
    assert np.isfinite(fitted.loglik)
    assert fitted.loglik <= 0
    if not fitted.converged:
        assert fitted.convergence.message != "converged"
        assert "NOT CONVERGED" in repr(fitted)
        return
    estimates = fitted.items.drop(columns="model").filter(regex="^[ad][0-9]*$")
    assert np.isfinite(estimates.to_numpy()[estimates.notna().to_numpy()]).all()
    curves = fitted.probabilities(np.linspace(-4, 4, 9))
    assert np.allclose(curves.T.groupby(level="item").sum(), 1.0)
    assert (fitted.item_information() >= 0).all(axis=None)
    found = fitted.abilities("EAP")
    assert np.isfinite(found).all(axis=None)


@settings(max_examples=40, deadline=None)
@given(matrices(odd=False), st.sampled_from(["Rasch", "GPCM", "GRM", "NRM", "PCM", "RSM"]))
def test_order_of_persons_and_items_does_not_matter(matrix, model):
    if model == "Rasch":
        matrix = matrix.clip(upper=1)
    fitted, _ = attempt(matrix, model, nodes=121)
    if fitted is None or not fitted.converged:
        return
    turned = matrix.sample(frac=1, random_state=1)[matrix.columns[::-1]]
    again, _ = attempt(turned, model, nodes=121)
    assert again is not None
    if again.converged:
        assert again.loglik == pytest.approx(fitted.loglik, abs=1e-3)


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from(MODELS), st.booleans())
def test_saved_models_say_the_same(tmp_path_factory, seed, model, grouped):
    rng = np.random.default_rng(seed)
    logit = rng.standard_normal((60, 1)) - np.linspace(-1, 1, 5)
    matrix = pd.DataFrame(1.0 * (rng.logistic(size=logit.shape) < logit)).rename(columns=str)
    group = np.where(np.arange(60) % 3, "x", "y") if grouped else None
    fitted, _ = attempt(matrix, model, min_persons=3, group=group)
    if fitted is None:
        return
    path = tmp_path_factory.mktemp("models") / "model.json"
    fitted.save(path)
    again = irt.load(path)
    pd.testing.assert_frame_equal(again.items, fitted.items)
    pd.testing.assert_frame_equal(again.groups, fitted.groups, check_names=False)
    pd.testing.assert_frame_equal(again.covariance, fitted.covariance)
    assert (again.loglik, again.convergence) == (fitted.loglik, fitted.convergence)
    assert (again.aic, again.bic, repr(again)) == (fitted.aic, fitted.bic, repr(fitted))
    if fitted.converged:
        pd.testing.assert_frame_equal(
            again.abilities("MAP", matrix=matrix, group=group),
            fitted.abilities("MAP", matrix=matrix, group=group),
        )


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6))
def test_rows_of_distinct_answers_with_weights_are_the_persons(seed):
    rng = np.random.default_rng(seed)
    logit = rng.standard_normal((300, 1)) - np.linspace(-1, 1, 5)
    matrix = pd.DataFrame(1.0 * (rng.logistic(size=logit.shape) < logit)).rename(columns=str)
    counts = matrix.value_counts().rename("n").reset_index()
    whole, _ = attempt(matrix, "2PL")
    collapsed, _ = attempt(counts[matrix.columns], "2PL", weights=counts["n"].astype(float))
    assert collapsed.loglik == pytest.approx(whole.loglik, abs=1e-4)
    assert collapsed.persons == whole.persons
    assert collapsed.bic == pytest.approx(whole.bic, abs=1e-3)
