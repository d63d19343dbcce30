"""Data that cannot carry a model get a clear answer, and nothing pretends to have converged."""

import warnings

import numpy as np
import pandas as pd
import pytest

import lrnanalysis as lrn
from lrnanalysis.measures import irt


def two_scores(persons=400, items=6, seed=1):
    rng = np.random.default_rng(seed)
    logit = rng.standard_normal((persons, 1)) - np.linspace(-1.5, 1.5, items)
    return pd.DataFrame(1.0 * (rng.logistic(size=logit.shape) < logit)).rename(columns="i{}".format)


DATA = two_scores()
HALF = np.repeat(["a", "b"], 200)


def refused(message, matrix=DATA, model="2PL", **options):
    with pytest.raises(lrn.MeasureError, match=message):
        irt.fit(matrix, model, **options)


def test_items_that_say_nothing():
    refused("'i2' have the same score for everybody", DATA.assign(i2=0.0))
    refused("'i2', 'i3' have no score", DATA.assign(i2=np.nan, i3=np.nan))
    refused("1 item", DATA[["i0"]])
    refused("2 items do not identify a slope each", DATA[["i0", "i1"]])


def test_scores_that_are_none():
    refused(r"0\.25.*not an integer.*pandas\.cut", DATA.assign(i0=0.25 + 0.5 * DATA["i0"]))
    refused("infinite", DATA.assign(i0=DATA["i0"].replace(1.0, np.inf)))
    many = DATA.assign(i0=np.arange(400.0))
    refused(r"400 different scores.*pandas\.cut", many, "GRM")
    binned = DATA.assign(i0=pd.cut(many["i0"], 5, labels=False))
    assert irt.fit(binned, {**dict.fromkeys(DATA, "2PL"), "i0": "GRM"}).converged


@pytest.mark.parametrize("code", [-1.0, 9.0])
def test_codes_for_missing_that_were_left_in(code):
    refused("3 scores and the model 2PL", DATA.mask(DATA.index.to_series() % 10 == 0, code))


def test_tables_that_are_none():
    refused("repeated column labels", pd.concat([DATA, DATA], axis=1))
    refused("DataFrame .* or an array", DATA["i0"])
    refused("not a number|numbers", DATA.assign(i0="right"))


def test_persons_that_are_too_few():
    refused("100 persons.*fewer than 250.*2PL or Rasch, or set min_persons", DATA[:100], "3PL")
    refused("0 persons|no score", DATA[:0])
    assert irt.fit(DATA[:100], "Rasch").converged


def test_forms_without_a_link():
    split = DATA.copy()
    split.iloc[:200, 3:] = np.nan
    split.iloc[200:, :3] = np.nan
    refused("2 groups with no person in common.*'i0'.*'i3'", split)
    assert irt.fit(split, "Rasch", disconnected="equivalent").converged
    # An anchor on each side ties them.
    anchors = {"i0": {"a": 1.0, "d": 1.5}, "i5": {"a": 1.0, "d": -1.5}}
    assert irt.fit(split, "Rasch", fixed=anchors).converged


def test_persons_without_a_score_are_passed_over():
    more = pd.concat([DATA, DATA[:7] * np.nan], ignore_index=True)
    one, other = irt.fit(DATA, "2PL"), irt.fit(more, "2PL")
    assert other.persons == 400
    assert other.loglik == pytest.approx(one.loglik, abs=1e-6)
    assert other.bic == pytest.approx(one.bic, abs=1e-6)
    assert np.allclose(other.items["a"], one.items["a"], atol=1e-4)
    last = other.abilities("EAP").iloc[-1]
    assert last["ability"] == pytest.approx(0, abs=1e-6)
    assert last["se"] == pytest.approx(1, abs=1e-6)
    for method in ("EAP", "MAP"):
        assert np.allclose(other.abilities(method)[:400], one.abilities(method), atol=1e-4)
    assert np.allclose(other.reliability(), one.reliability(), atol=1e-5)
    assert other.groups.loc["all", "persons"] == 400
    assert np.allclose(other.reliability(matrix=more), one.reliability(), atol=1e-5)
    assert other.reliability(matrix=more[-7:]).isna()["empirical"]
    assert other.model_fit()["m2"] == pytest.approx(one.model_fit()["m2"], abs=1e-4)
    assert other.person_fit().iloc[-1][["lz", "lz_star", "infit", "outfit"]].isna().all()


def test_weights_of_nought():
    weights = (DATA["i0"] == 1).astype(float)
    refused("'i0' has the score 0 only in rows of weight 0", weights=weights)
    refused("at least 0", weights=-np.ones(400))
    refused("not all of them 0", weights=np.zeros(400))
    refused("3 values for 400", weights=np.ones(3))


def test_groups_that_are_none():
    refused("3 values for 400", group=["a", "b", "c"])
    refused("have no group", group=[None, *HALF[1:]])
    refused(r"group is 'form': pass one value per person.*analysis\(\)\.fit", group="form")
    refused("group has 2 columns", group=pd.DataFrame({"a": HALF, "b": HALF}))
    one = irt.fit(DATA, "Rasch", group=pd.DataFrame({"form": HALF}))
    assert one.groups.index.tolist() == ["a", "b"]


def test_tuples_are_labels_of_groups():
    labels = [("de", 1) if half == "a" else ("fr", 2) for half in HALF]
    found = irt.fit(DATA, "Rasch", group=labels)
    assert found.groups.index.tolist() == [("de", 1), ("fr", 2)]
    assert found.loglik == irt.fit(DATA, "Rasch", group=HALF).loglik
    refused("400 values|shape", group=np.array(labels, dtype=object))


def test_a_group_without_a_score_is_named():
    empty = DATA.mask(pd.Series(HALF) == "b")
    refused(r"nobody of group 'b' has a score \(200 rows\)", empty, group=HALF)
    refused("nobody of group 'b'", group=HALF, weights=1.0 * (HALF == "a"))
    refused("nobody of group 7 ", empty, group=np.where(HALF == "a", 3, 7))
    # Asked about later, persons without a score are no trouble.
    model = irt.fit(DATA, "Rasch", group=HALF)
    assert model.abilities(matrix=empty, group=HALF).notna().all(axis=None)


def test_rating_scales_that_differ():
    """One set of distances needs items that all have the same scores."""
    rng = np.random.default_rng(5)
    theta = rng.standard_normal((600, 1))
    scores = np.clip(np.round(1.2 * theta + rng.standard_normal((600, 4)) + 1.5), 0, 3)
    rated = pd.DataFrame(scores, columns=[*"abcd"])
    whole = irt.fit(rated, "RSM").items
    distances = (whole["b2"] - whole["b1"]).round(6), (whole["b3"] - whole["b2"]).round(6)
    assert [own.nunique() for own in distances] == [1, 1]
    top = rated.assign(d=rated["d"].clip(upper=2))
    refused("'d' has the scores 0, 1, 2, other RSM items 0, 1, 2, 3.*PCM", top, "RSM")
    refused("'d' has the scores 1, 2, 3,", rated.assign(d=rated["d"].clip(lower=1)), "RSM")
    refused("'a' has the scores 0, 1, 3,", rated.replace({"a": {2: 3}}), "RSM")
    refused("'d' has the scores 0, 1,", rated.assign(d=rated["d"].clip(upper=1)), "RSM")
    # As many scores, but not the same ones.
    refused("scores 1, 2, 3, other RSM", top.clip(upper=2).assign(d=top["d"] + 1), "RSM")
    advised = irt.fit(top, {**dict.fromkeys("abc", "RSM"), "d": "PCM"}).items
    assert (advised["b2"] - advised["b1"])[:3].round(6).nunique() == 1
    # Where no item has a score, nothing is missing.
    assert irt.fit(rated.replace(2, 3), "RSM").scores["a"] == [0, 1, 3]
    assert irt.fit(DATA, "RSM").loglik == pytest.approx(irt.fit(DATA, "Rasch").loglik)


def test_names_of_models_in_any_case():
    wanted = irt.fit(DATA, {**dict.fromkeys(DATA, "2PL"), "i0": "Rasch"})
    names = {**dict.fromkeys(DATA, "2pl"), "i0": "rasch"}
    for model in (names, pd.Series(names), [*names.values()]):
        found = irt.fit(DATA, model)
        assert found.items["model"].tolist() == wanted.items["model"].tolist()
        assert found.loglik == wanted.loglik
    assert irt.fit(DATA, "rasch").items["model"].unique() == ["Rasch"]
    assert irt.fit(DATA, "RASCH", method="CML").method == "CML"
    table = wanted.items.assign(model=list(names.values()))
    assert irt.fit(DATA, names, fixed=table).n_parameters == 2


def test_messages_write_labels_and_values_plainly():
    """Labels and numbers of NumPy's types as one types them."""
    numbered = two_scores(60, 4).set_axis(np.arange(5, 9), axis=1)
    group = np.repeat(np.arange(2), 30)
    model = irt.fit(numbered, "Rasch", group=group)
    empty = numbered.mask(np.tile(group[:, None] == 1, 4))
    calls = [
        lambda: irt.fit(numbered.assign(**{"x": 1.0}).rename(columns={"x": 9}), "2PL"),
        lambda: irt.fit(numbered * np.nan, "2PL"),
        lambda: irt.fit(numbered.replace({8: {1.0: 0.5}}), "2PL"),
        lambda: irt.fit(numbered.replace({8: {1.0: np.inf}}), "2PL"),
        lambda: irt.fit(numbered + numbered[[8] * 4].to_numpy(), "2PL"),
        lambda: irt.fit(numbered, {5: "2PL"}),
        lambda: irt.fit(numbered, "Rasch", group=np.int64(3)),
        lambda: irt.fit(empty, "Rasch", group=group),
        lambda: irt.fit(numbered, "Rasch", nodes=np.int64(5)),
        lambda: irt.fit(numbered, "Rasch", bound=np.float64(50)),
        lambda: irt.fit(numbered, "Rasch", priors={"d": ("normal", 0.0, np.float64(-1))}),
        lambda: irt.fit(numbered, "Rasch", priors={np.str_("q"): ("normal", 0.0, 1.0)}),
        lambda: irt.fit(numbered, "Rasch", fixed={np.int64(3): {"d": 1.0}}),
        lambda: irt.fit(numbered, "Rasch", fixed={np.int64(8): {"d": 1.0, "c": np.float64(0.3)}}),
        lambda: irt.fit(numbered, "2PL", fixed={np.int64(8): {"b": np.float64(0.3)}}),
        lambda: irt.fit(numbered, np.str_("5PL")),
        lambda: model.abilities(matrix=numbered),
        lambda: model.abilities(matrix=numbered.rename(columns={8: 3}), group=group),
        lambda: model.abilities(matrix=numbered, group=group + 4),
        lambda: model.abilities(matrix=numbered + 1, group=group),
        lambda: model.abilities("ML", bound=np.float64(-1)),
        lambda: model.simulate(10, group=np.int64(8)),
        lambda: model.simulate(np.float64(0.5)),
    ]
    for number, call in enumerate(calls):
        with pytest.raises(lrn.MeasureError) as told:
            call()
        assert "np." not in str(told.value), number
        assert "numpy" not in str(told.value), number
    perfect = numbered.copy()
    perfect[group == 1] = 1.0
    with pytest.warns(lrn.ConvergenceWarning, match="of group 1 has no maximum"):
        irt.fit(perfect, "Rasch", group=group)


def test_models_that_are_none():
    refused("5PL", model="5PL")
    refused("no entry for item 'i5'", model=dict.fromkeys(DATA.columns[:5], "2PL"))
    refused("2 names for 6 items", model=["2PL", "Rasch"])
    refused("Rasch model.*2PL", method="CML")
    refused("Rasch model.*PCM", DATA + DATA[DATA.columns[::-1]].to_numpy(), "PCM", method="CML")
    refused("one of|be one", method="JML")


def not_converged(matrix, model="2PL", match="", **options):
    """The fit warns, says so everywhere, and says why."""
    with pytest.warns(lrn.ConvergenceWarning, match="did not converge"):
        fitted = irt.fit(matrix, model, **options)
    assert not fitted.converged
    assert not fitted.convergence.converged
    assert match in fitted.convergence.message
    assert "NOT CONVERGED" in repr(fitted)


def test_no_maximum_is_said():
    steps = pd.DataFrame(np.tril(np.ones((7, 6)), -1)).rename(columns="i{}".format)
    guttman = steps.loc[np.repeat(np.arange(7), 50)].reset_index(drop=True)
    not_converged(guttman, match="slope of item")
    not_converged(guttman, "1PL", match="slope of all items")
    not_converged(guttman, "Rasch", method="CML", match="separate the persons")
    # Three times the same answers: they hang together more than any ability explains.
    not_converged(DATA.assign(j=DATA["i0"], k=DATA["i0"]), match="no maximum")
    perfect = DATA.copy()
    perfect.loc[HALF == "b"] = 1.0
    not_converged(perfect, group=HALF, match="the mean of group 'b' has no maximum")
    not_converged(DATA, max_iter=1, match="stopped")


def test_answers_that_hang_together_less_than_by_chance():
    """The variance of a Rasch model ends at its edge, 0, with no standard error there."""
    rng = np.random.default_rng(2)
    first = rng.random((500, 2)) < 0.5
    matrix = pd.DataFrame(1.0 * np.column_stack([first, ~first]))
    with pytest.warns(lrn.RuleWarning, match="variance of group 'all' at 0.*conditional on"):
        model = irt.fit(matrix, "Rasch")
    assert model.converged
    assert model.groups["variance"].iloc[0] == pytest.approx(0, abs=1e-6)
    assert np.isnan(model.groups["variance_se"].iloc[0])
    share = matrix.mean()
    expected = (500 * (share * np.log(share) + (1 - share) * np.log(1 - share))).sum()
    assert model.loglik == pytest.approx(expected, abs=1e-4)
    # The same curves, with the edge in the slope: there are no difficulties.
    with pytest.warns(lrn.RuleWarning, match="slope of all items at 0"):
        other = irt.fit(matrix, "1PL")
    assert other.loglik == pytest.approx(expected, abs=1e-4)
    assert other.items[["a_se", "b", "b_se"]].isna().all(axis=None)
    assert np.allclose(other.items["d_se"], model.items["d_se"], atol=1e-4)
    assert "conditional on slope of all items at 0" in repr(other)


@pytest.mark.parametrize(("model", "name", "edge"), [("3PL", "c", 0.0), ("4PL", "u", 1.0)])
def test_asymptotes_at_the_edge_of_the_possible(model, name, edge):
    """The other standard errors take them as known, and are those of the model without them."""
    matrix = two_scores(2500, 7, seed=5)
    free = {"3PL": None, "4PL": {"c": ("normal", -2.0, 0.5)}}[model]
    with pytest.warns(lrn.RuleWarning, match=f"{name} of item .* at {edge:g}.*conditional on"):
        fitted = irt.fit(matrix, model, priors=free)
    assert fitted.converged
    there = fitted.items[name] == edge
    assert there.any()
    assert fitted.items.loc[there, f"{name}_se"].isna().all()
    assert fitted.items.loc[~there, f"{name}_se"].notna().all()
    assert f"conditional on {name} of item" in repr(fitted)
    ends = {item: {name: edge} for item in fitted.items.index[there]}
    known = irt.fit(matrix, model, priors=free, fixed=ends)
    assert np.allclose(known.items["a_se"], fitted.items["a_se"], rtol=1e-3)
    assert known.items.loc[there, f"{name}_se"].isna().all()


@pytest.mark.parametrize("model", ["Rasch", "PCM"])
def test_answers_in_perfect_order_let_the_spread_of_ability_diverge(model):
    """A Guttman scale: with slopes of 1 it is the SD that has no maximum, and no slope's prior."""
    steps = pd.DataFrame(np.tril(np.ones((6, 5)), -1)).rename(columns="i{}".format)
    guttman = steps.loc[np.repeat(np.arange(6), 10)].reset_index(drop=True)
    if model == "PCM":
        guttman += guttman[["i4"] * 5].to_numpy()
    with pytest.warns(lrn.ConvergenceWarning) as told:
        fitted = irt.fit(guttman, model)
    assert not fitted.converged
    said = str(told[0].message)
    assert "the SD of the abilities of group 'all' grew to" in said
    assert "Guttman" in said
    assert "slope" not in said


def test_graded_items_in_perfect_order_are_free_of_numerical_faults():
    """The likelihood is compared at slopes so steep that chances at the ends underflow."""
    matrix = pd.DataFrame(
        {"i0": [1, 0, 3, 2, 2, 2], "i1": [0, 0, 1, 1, 1, 2], "i2": [0, 0, 2, 2, 1, 0]}
    )
    with pytest.warns() as told:
        fitted = irt.fit(matrix, "GRM")
    assert not fitted.converged
    assert [one.category for one in told] == [lrn.ConvergenceWarning]
    assert "slope of item 'i0'" in str(told[0].message)


@pytest.mark.slow
def test_a_steep_slope_is_no_missing_maximum():
    """Slopes of 25 that the data determine: items so close that their curves overlap."""
    rng = np.random.default_rng(1)
    theta = rng.standard_normal((3000, 1))
    chance = 1 / (1 + np.exp(-25 * (theta - np.linspace(-0.4, 0.4, 10))))
    model = irt.fit(pd.DataFrame(1.0 * (rng.random(chance.shape) < chance)))
    assert model.converged
    distance = (model.items["a"] - 25) / model.items["a_se"]
    assert distance.abs().max() < 3
    assert model.items["a"].max() > 30


def test_too_coarse_a_grid_is_said():
    steep = 6.0
    theta = np.random.default_rng(4).standard_normal((3000, 1))
    chance = 1 / (1 + np.exp(-steep * (theta - np.linspace(-1, 1, 10))))
    data = pd.DataFrame(1.0 * (np.random.default_rng(5).random(chance.shape) < chance))
    not_converged(data, nodes=21, match="too coarse")
    model = irt.fit(data)
    assert model.converged
    assert model.convergence.nodes > 61
    assert model.items["a"].mean() == pytest.approx(steep, rel=0.1)


def test_fit_of_the_model_needs_complete_data():
    gaps = DATA.copy()
    gaps.iloc[:200, 4:] = np.nan
    model = irt.fit(gaps, "2PL")
    message = r"200 of 400 persons.*missing='listwise' to use the 200.*missing='forms'.*item_fit"
    with pytest.raises(lrn.MeasureError, match=message):
        model.model_fit()
    assert model.model_fit(missing="listwise")["df"] == 9
    assert irt.fit(gaps.dropna(), "2PL").model_fit()["df"] == 9
    few = irt.fit(DATA[["i0", "i1", "i2"]], "2PL")
    with pytest.raises(lrn.MeasureError, match="degrees of freedom"):
        few.model_fit()


def test_conditional_estimates_have_the_fit_of_marginal_ones():
    one = irt.fit(DATA, "Rasch", method="CML")
    other = irt.fit(DATA, "Rasch")
    assert one.model_fit()["df"] == other.model_fit()["df"] == 14
    assert one.model_fit()["m2"] == pytest.approx(other.model_fit()["m2"], rel=0.01)
    assert (one.item_fit()["df"] == other.item_fit()["df"]).all()
    assert np.allclose(one.item_fit()["s_x2"], other.item_fit()["s_x2"], rtol=0.05)


def test_persons_asked_about():
    model = irt.fit(DATA, "2PL", group=HALF)
    with pytest.raises(lrn.MeasureError, match="give the group of every person"):
        model.abilities(matrix=DATA[:3])
    with pytest.raises(lrn.MeasureError, match="not one of the model's"):
        model.abilities(matrix=DATA[:3], group=["a", "b", "z"])
    with pytest.raises(lrn.MeasureError, match="'x' is not in the model"):
        model.abilities(matrix=DATA[:3].assign(x=1.0), group=["a"] * 3)
    with pytest.raises(lrn.MeasureError, match="has the score 2"):
        model.abilities(matrix=DATA[:3] + 1, group=["a"] * 3)
    # One group's persons alone, some items only, and nobody.
    for method in ("EAP", "MAP", "ML", "WLE"):
        alone = model.abilities(method, matrix=DATA[200:203], group=["b"] * 3)
        same = model.abilities(method).iloc[200:203]
        assert np.allclose(alone, same, atol=1e-7, equal_nan=True)
        assert len(model.abilities(method, matrix=DATA[["i4", "i1"]][:3], group=["a"] * 3)) == 3
        assert model.abilities(method, matrix=DATA[:0], group=[]).empty


def test_any_numeric_type_says_the_same():
    wanted = irt.fit(DATA, "2PL").loglik
    gaps = DATA.mask(np.random.default_rng(2).random(DATA.shape) < 0.1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for other in (DATA.astype(bool), DATA.astype("Int64"), DATA.astype("int8"), DATA * 2):
            assert irt.fit(other, "2PL").loglik == pytest.approx(wanted, abs=1e-9)
        assert irt.fit(DATA.to_numpy(), "2PL").loglik == pytest.approx(wanted, abs=1e-9)
        assert irt.fit(gaps.astype("Int64"), "2PL").loglik == pytest.approx(
            irt.fit(gaps, "2PL").loglik, abs=1e-9
        )
