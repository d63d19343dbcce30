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
    assert all("did not converge" in one or "at the edge of" in one for one in said)
    assert fitted.converged == (not any("did not converge" in one for one in said))
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


@st.composite
def answers(draw):
    """A matrix that determines any model, and its groups or None."""
    rng = np.random.default_rng(draw(st.integers(0, 2**31)))
    model = draw(st.sampled_from(MODELS))
    steps = 2 if registry.response_model(model, 2).partial_credit else 1
    theta = rng.standard_normal((600, 1))
    scores = np.zeros((600, 6))
    for step in np.linspace(-0.6, 0.6, steps):
        scores += rng.logistic(size=scores.shape) < 1.3 * theta - np.linspace(-1, 1, 6) - step
    matrix = pd.DataFrame(scores, columns=list("uvwxyz"))
    return matrix, model, rng.permutation(600) % 2 if draw(st.booleans()) else None


def same(one, other, items, persons):
    """Whether two fits say the same of some items and persons."""
    assert other.converged == one.converged
    if not one.converged:
        return
    assert other.loglik == pytest.approx(one.loglik, abs=1e-4)
    assert other.persons == one.persons
    assert other.bic == pytest.approx(one.bic, abs=1e-3)
    columns = [name for name in one.items.columns if name[0] in "adcu" and name != "model"]
    # Where a standard error is large, so is what is left of it.
    error = one.items.filter(regex="^[adcu].*_se$").to_numpy()
    scale = 1 + np.nanmax(np.nan_to_num(error))
    first, second = (fit.items.loc[items, columns].to_numpy(dtype=float) for fit in (one, other))
    assert np.allclose(first, second, atol=2e-3 * scale, rtol=2e-3, equal_nan=True)
    groups = one.groups.sort_index(), other.groups.sort_index()
    assert np.allclose(*groups, atol=2e-3, equal_nan=True)
    for method in ("EAP", "ML"):
        found = [fit.abilities(method).loc[persons] for fit in (one, other)]
        assert np.allclose(*found, atol=2e-3 * scale, rtol=2e-3, equal_nan=True)
    assert np.allclose(one.reliability(), other.reliability(), atol=1e-3)


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(answers(), st.integers(1, 400))
def test_persons_without_an_answer_and_order_change_nothing(drawn, silent):
    matrix, model, group = drawn
    one, _ = attempt(matrix, model, group=group)
    rows = pd.DataFrame(np.nan, index=range(600, 600 + silent), columns=matrix.columns)
    more = pd.concat([matrix, rows])
    of = None if group is None else np.concatenate([group, np.arange(silent) % 2])
    other, _ = attempt(more, model, group=of)
    same(one, other, matrix.columns, matrix.index)
    assert other.abilities("ML").loc[600:].isna().all(axis=None)
    if group is None:
        # Without groups nothing depends on who comes first.
        turned = more.sample(frac=1, random_state=1)[matrix.columns[::-1]]
        again, _ = attempt(turned, model)
        same(one, again, matrix.columns, matrix.index)


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(answers())
def test_forms_are_the_matrix_with_gaps(drawn):
    """Two planned forms with two common items, each form's table by itself or in one with gaps."""
    matrix, model, group = drawn
    gaps = matrix.copy()
    gaps.loc[:299, ["y", "z"]] = np.nan
    gaps.loc[300:, ["u", "v"]] = np.nan
    first, second = matrix.loc[:299, list("uvwx")], matrix.loc[300:, list("zyxw")]
    one, _ = attempt(gaps, model, group=group)
    # Other columns come first, and integers with their own missing value take the place of NaN.
    forms = pd.concat([second.astype("Int64"), first.astype("Int64")])
    own = None if group is None else pd.Series(group)
    if group is not None:
        # The first group to appear is the reference.
        forms = forms.loc[own.sort_values(kind="stable", key=lambda g: g != group[0]).index]
    other, _ = attempt(forms, model, group=own)
    same(one, other, matrix.columns, matrix.index)


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
