"""Linking: constants recovered exactly, independent optimisation, and clear refusals."""

import json
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lrnanalysis.errors import MeasureError
from lrnanalysis.measures.irt import fit
from lrnanalysis.measures.irt.response_models.registry import MODELS, response_model
from lrnanalysis.measures.linking import fixed_anchors, link

METHODS = ["stocking-lord", "haebara", "mean/sigma", "mean/mean"]
ITEMS = [f"item-{number}" for number in range(1, 7)]
BASE = pd.DataFrame(
    {
        "a": [0.8, 1.2, 1.0, 1.5, 0.7, 1.1],
        "b": [-1.5, -0.6, 0.1, 0.5, 1.2, 2.0],
        "c": [0.20, 0.15, 0.25, 0.20, 0.10, 0.18],
    },
    index=ITEMS,
)
NEW = pd.DataFrame(
    {
        "a": [0.95, 1.35, 1.3, 1.7, 0.9, 1.2],
        "b": [-1.6, -0.75, -0.2, 0.15, 0.7, 1.5],
        "c": [0.22, 0.13, 0.20, 0.20, 0.12, 0.20],
    },
    index=ITEMS,
)


def pulled_back(base, slope, intercept):
    """The calibration that the link (slope, intercept) leads to `base`."""
    new = base.copy()
    new["a"] = base["a"] * slope
    for column in base.columns[base.columns.str.match(r"b\d*$")]:
        new[column] = (base[column] - intercept) / slope
    return new


@pytest.mark.parametrize(
    ("method", "symmetric", "slope", "intercept"),
    [
        # R 4.2.2: optim() of the two criteria over the same abilities and weights.
        ("haebara", False, 1.218374303162, 0.309513863651),
        ("haebara", True, 1.213875021551, 0.310246099404),
        ("stocking-lord", False, 1.202579825544, 0.329642317889),
        ("stocking-lord", True, 1.201411910656, 0.329227503675),
        ("mean/sigma", False, 1.150098253489, 0.321669941783),
        ("mean/mean", False, 1.174603174603, 0.322486772487),
    ],
)
def test_as_in_r(method, symmetric, slope, intercept):
    found = link(NEW, BASE, method=method, symmetric=symmetric)
    assert found.slope == pytest.approx(slope, abs=2e-6)
    assert found.intercept == pytest.approx(intercept, abs=2e-6)


@settings(max_examples=25, deadline=None)
@given(
    st.integers(0, 2**32),
    st.floats(0.4, 2.5),
    st.floats(-2, 2),
    st.sampled_from(METHODS),
    st.sampled_from(["2PL", "3PL", "4PL", "GRM", "GPCM", "mixed"]),
)
def test_constants_are_recovered_exactly(seed, slope, intercept, method, model):
    rng = np.random.default_rng(seed)
    base = pd.DataFrame({"a": rng.uniform(0.5, 2, 8)})
    cuts = np.sort(rng.normal(size=(8, 3)), axis=1)
    if model in ("GRM", "GPCM", "mixed"):
        base[["b1", "b2", "b3"]] = cuts
        base.loc[0, "b3"] = np.nan
        if model == "mixed":
            base["b"] = np.where(base.index < 3, cuts[:, 0], np.nan)
            base.loc[:2, ["b1", "b2", "b3"]] = np.nan
            base["model"] = ["3PL"] * 3 + ["GRM", "GPCM", "PCM", "RSM", "GRM"]
            base["c"] = np.where(base.index < 3, 0.2, np.nan)
    else:
        base["b"] = cuts[:, 0]
        if model != "2PL":
            base["g"] = rng.uniform(0, 0.3, 8)
        if model == "4PL":
            base["u"] = rng.uniform(0.9, 1, 8)
    arguments = {"model": model} if model in ("GRM", "GPCM") else {}
    new = pulled_back(base, slope, intercept)
    found = link(new, base, method=method, **arguments)
    assert found.slope == pytest.approx(slope, abs=1e-6)
    assert found.intercept == pytest.approx(intercept, abs=1e-6)
    assert found.items["rmsd"].max() < 1e-6
    assert found.items["b_difference"].abs().max() < 1e-5


STEPPED_NEW = pd.DataFrame(
    {"a": [1.0, 1.3], "b1": [-1.5, -0.6], "b2": [0.2, 0.8]}, index=["p", "q"]
)
STEPPED_BASE = pd.DataFrame(
    {"a": [0.9, 1.0], "b1": [-1.0, 0.1], "b2": [0.5, 1.4]}, index=["p", "q"]
)


@pytest.mark.parametrize(
    ("model", "slope", "intercept"),
    # R 4.2.2: optim() of Haebara's criterion over all three scores of either item.
    [("GPCM", 1.05548, 0.54067), ("GRM", 1.01634, 0.53614)],
)
def test_partial_credit_is_compared_by_all_of_its_scores(model, slope, intercept):
    found = link(STEPPED_NEW, STEPPED_BASE, method="haebara", model=model)
    assert found.slope == pytest.approx(slope, abs=1e-5)
    assert found.intercept == pytest.approx(intercept, abs=1e-5)


def scored_in_reverse(items):
    """The calibration after every score k became its item's highest less k."""
    found = items[["model"]].copy()
    found["a"] = items["a"]
    found["c"], found["u"] = 1 - items["u"], 1 - items["c"]
    found["b"] = -items["b"]
    cuts = items[["b1", "b2", "b3"]].to_numpy()
    flipped = np.full(cuts.shape, np.nan)
    for row, own in zip(flipped, cuts, strict=True):
        known = own[~np.isnan(own)]
        row[: len(known)] = -known[::-1]
    found[["b1", "b2", "b3"]] = flipped
    # Where the lowest score had an upper asymptote, the highest has a lower one.
    return found.replace({"model": {"3PL": "4PL"}})


@settings(max_examples=25, deadline=None)
@given(
    st.integers(0, 2**32),
    st.sampled_from(METHODS),
    st.booleans(),
    st.sampled_from([name for name in MODELS if response_model(name, 1).has_locations]),
    st.integers(1, 3),
)
def test_scores_in_reverse_keep_the_slope_and_flip_the_intercept(
    seed, method, symmetric, model, steps
):
    steps = steps if response_model(model, 2).has_locations else 1
    steps = steps if response_model(model, 2).partial_credit else 1
    rng = np.random.default_rng(seed)

    def calibration(shift):
        items = pd.DataFrame({"model": [model] * 6, "a": rng.uniform(0.6, 1.8, 6)})
        cuts = np.sort(rng.normal(shift, 1, size=(6, 3)), axis=1)
        items[["b1", "b2", "b3"]] = np.where(np.arange(3) < steps, cuts, np.nan)
        items["b"] = np.nan
        if steps == 1:
            items["b"], items["b1"] = items["b1"], np.nan
        items["c"] = rng.uniform(0.05, 0.3, 6) if model in ("3PL", "4PL") else 0.0
        items["u"] = rng.uniform(0.8, 0.95, 6) if model == "4PL" else 1.0
        return items

    new, base = calibration(0.0), calibration(0.4)
    found = link(new, base, method=method, symmetric=symmetric)
    reverse = link(
        scored_in_reverse(new), scored_in_reverse(base), method=method, symmetric=symmetric
    )
    assert reverse.slope == pytest.approx(found.slope, abs=1e-5)
    assert reverse.intercept == pytest.approx(-found.intercept, abs=1e-5)


@pytest.mark.parametrize("method", METHODS)
def test_linking_backwards(method):
    there = link(NEW, BASE, method=method, symmetric=True)
    back = link(BASE, NEW, method=method, symmetric=True)
    assert back.slope == pytest.approx(1 / there.slope, abs=1e-6)
    assert back.intercept == pytest.approx(-there.intercept / there.slope, abs=1e-6)


def test_scale_moves_items_and_abilities_together():
    found = link(NEW, BASE)
    moved = found.parameters(NEW)
    theta = pd.Series([-1.0, 0.5, 2.0], index=["s1", "s2", "s3"])
    abilities = found.abilities(theta)
    assert abilities.index.tolist() == ["s1", "s2", "s3"]
    for item in ITEMS:
        before = NEW.loc[item, "a"] * (theta - NEW.loc[item, "b"])
        after = moved.loc[item, "a"] * (abilities - moved.loc[item, "b"])
        assert after.tolist() == pytest.approx(before.tolist())
    assert moved["c"].equals(NEW["c"])
    assert found.errors(pd.Series([0.3])).tolist() == pytest.approx([0.3 * found.slope])


def test_items_of_one_calibration_alone_are_moved_too():
    extra = pd.concat([NEW, pd.DataFrame({"a": [1.0], "b": [0.0], "c": [0.0]}, index=["own"])])
    found = link(extra, BASE)
    assert found.slope == link(NEW, BASE).slope
    assert "own" not in found.items.index
    assert found.parameters(extra).loc["own", "b"] == pytest.approx(found.intercept)


def test_order_of_items_does_not_matter():
    found = link(NEW.iloc[::-1], BASE.sample(frac=1, random_state=1))
    expected = link(NEW, BASE)
    assert found.slope == pytest.approx(expected.slope, abs=1e-9)
    pd.testing.assert_frame_equal(found.items.loc[ITEMS], expected.items, rtol=1e-6, atol=1e-7)


def test_an_item_that_drifted_stands_out():
    rng = np.random.default_rng(4)
    base = pd.DataFrame({"a": rng.uniform(0.8, 1.6, 15), "b": rng.normal(size=15)})
    new = pulled_back(base, 1.2, 0.5)
    new["b"] += 0.03 * rng.normal(size=15)
    new.loc[3, "b"] += 0.8
    found = link(new, base).items
    assert found["robust_z"].abs().idxmax() == 3
    assert found["rmsd"].idxmax() == 3
    assert found.loc[3, "robust_z"] > 5
    without = link(new, base, common=[item for item in base.index if item != 3])
    assert without.slope == pytest.approx(1.2, abs=0.03)
    assert len(without.items) == 14


def test_fitted_models_are_taken_as_they_are():
    model = SimpleNamespace(items=NEW.assign(se_a=0.1))
    assert link(model, BASE).slope == link(NEW, BASE).slope


def test_own_abilities_and_weights():
    points = np.linspace(-4, 4, 81)
    weights = np.exp(-(points**2) / 2)
    assert link(NEW, BASE, theta=points, weights=weights).slope == pytest.approx(
        link(NEW, BASE).slope
    )
    assert link(NEW, BASE, theta=[-1, 0, 1]).slope != link(NEW, BASE).slope


def test_noisy_calibrations_are_linked_without_bias():
    rng = np.random.default_rng(6)
    found = []
    base = pd.DataFrame({"a": rng.uniform(0.8, 1.8, 25), "b": rng.normal(size=25)})
    for _ in range(60):
        new = pulled_back(base, 1.3, -0.4)
        new["a"] *= np.exp(0.08 * rng.normal(size=25))
        new["b"] += 0.08 * rng.normal(size=25)
        one = link(new, base)
        found.append((one.slope, one.intercept))
    mean, spread = np.mean(found, axis=0), np.std(found, axis=0) / np.sqrt(60)
    assert (np.abs(mean - [1.3, -0.4]) < 4 * spread + 0.005).all()


def test_repr_and_notes():
    found = link(NEW, BASE)
    assert repr(found) == (
        "Link(slope=1.20258, intercept=0.32964, method='stocking-lord', common items=6)"
    )
    json.dumps(found.items.attrs)
    assert {"a", "b", "a_base", "b_base", "c", "c_base"} <= set(found.items.columns)


GRADED = pd.DataFrame({"a": [1.0, 1.2], "b1": [-1.0, 0.0], "b2": [0.5, np.nan]}, index=ITEMS[:2])


@pytest.mark.parametrize(
    ("new", "base", "arguments", "message"),
    [
        (NEW, BASE, {"method": "robust"}, "method is 'robust'"),
        (NEW, BASE.rename(index=lambda name: name + "x"), {}, "share no item"),
        (NEW, BASE, {"common": ["item-1", "item-9"]}, "common has 'item-9'"),
        (NEW.drop(columns="a"), BASE, {}, "new has the columns b, c"),
        (NEW.assign(a=0.0), BASE, {}, "item 'item-1' of new has no slope above 0"),
        (NEW, BASE.assign(b=np.nan), {}, "of base has no slope above 0 or no location"),
        (pd.concat([NEW, NEW]), BASE, {}, "new has an item twice"),
        (NEW.iloc[:1], BASE, {"method": "mean/sigma"}, "mean/sigma needs two"),
        (GRADED, GRADED, {}, 'give model="GRM"'),
        (GRADED, BASE, {"model": "GRM"}, "GRM with 2 locations in new and 3PL with 1"),
        (GRADED, GRADED.iloc[::-1].set_axis(ITEMS[:2]), {"model": "GRM"}, "2 locations in new"),
        (NEW, BASE, {"theta": [0, 1], "weights": [1.0]}, "one weight"),
        (NEW, BASE, {"model": "NRM"}, "model is 'NRM'"),
    ],
)
def test_refusals(new, base, arguments, message):
    with pytest.raises(MeasureError, match=message):
        link(new, base, **arguments)


def calibrations():
    """Two forms with eight common items; the second group's abilities are N(0.6, 1.3²)."""
    rng = np.random.default_rng(11)
    names = [f"q{number:02d}" for number in range(24)]
    truth = pd.DataFrame(
        {"a": rng.uniform(0.8, 1.8, 24), "b": rng.uniform(-1.8, 2.2, 24)}, index=names
    )

    def taken(items, mean, sd):
        theta = mean + sd * rng.normal(size=(4000, 1))
        logit = truth.loc[items, "a"].to_numpy() * (theta - truth.loc[items, "b"].to_numpy())
        return pd.DataFrame((rng.logistic(size=logit.shape) < logit) * 1.0, columns=items)

    return truth, taken(names[:16], 0.0, 1.0), taken(names[8:], 0.6, 1.3)


def test_separate_calibrations_and_fixed_anchors_meet_on_one_scale():
    truth, first, second = calibrations()
    base = fit(first, "2PL")
    new = fit(second, "2PL")
    found = link(new, base)
    assert (found.slope, found.intercept) == pytest.approx((1.3, 0.6), abs=0.12)
    assert found.slope == pytest.approx(link(new, base, method="haebara").slope, abs=0.05)
    moved = found.parameters(new)
    anchored = fixed_anchors(second, base)
    assert anchored.converged
    assert anchored.groups["mean"].iloc[0] == pytest.approx(0.6, abs=0.12)
    assert np.sqrt(anchored.groups["variance"].iloc[0]) == pytest.approx(1.3, abs=0.12)
    common = first.columns[8:]
    assert anchored.items.loc[common, "b"].tolist() == pytest.approx(
        base.items.loc[common, "b"].tolist()
    )
    own = second.columns[8:]
    for table in (moved, anchored.items):
        assert np.sqrt(((table.loc[own, "b"] - truth.loc[own, "b"]) ** 2).mean()) < 0.12


def test_fixed_anchors_keep_the_models_of_the_base():
    _, first, second = calibrations()
    base = fit(first, "Rasch")
    found = fixed_anchors(second, base, model="2PL", common=first.columns[8:12])
    assert found.items["model"].tolist() == ["Rasch"] * 4 + ["2PL"] * 12
    by_item = fixed_anchors(second, base.items, model=dict.fromkeys(second, "Rasch"))
    assert set(by_item.items["model"]) == {"Rasch"}
    assert by_item.items.loc[first.columns[8:], "b_se"].isna().all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"common": ["q00"]}, "common has 'q00'"),
        ({"model": {"q08": "2PL"}}, "model has no entry for item 'q09'"),
    ],
)
def test_fixed_anchors_refusals(arguments, message):
    truth, _, second = calibrations()
    with pytest.raises(MeasureError, match=message):
        fixed_anchors(second, truth.iloc[8:16], **arguments)


def test_fixed_anchors_need_a_common_item():
    truth, first, _ = calibrations()
    with pytest.raises(MeasureError, match="share no item"):
        fixed_anchors(first, truth.iloc[16:])
