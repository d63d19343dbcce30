"""Pictures of fitted models: curves are the model's, points what persons did."""

import numpy as np
import pandas as pd
import pytest

import lrnanalysis as lrn
from lrnanalysis import plots
from lrnanalysis.measures.classical._intervals import wilson_interval
from lrnanalysis.plots._observed import observed
from pictures import bars, legend, words


def simulated(persons, items, seed, slope=1.2):
    rng = np.random.default_rng(seed)
    logit = slope * (rng.normal(size=(persons, 1)) - np.linspace(-1.5, 1.5, items))
    names = [f"item-{number + 1}" for number in range(items)]
    return pd.DataFrame(1.0 * (rng.logistic(size=logit.shape) < logit), columns=names)


@pytest.fixture(scope="module")
def scores():
    return simulated(600, 8, seed=1)


@pytest.fixture(scope="module")
def model(scores):
    return lrn.irt.fit(scores, "2PL")


@pytest.fixture(scope="module")
def partial():
    """A graded test whose items have three scores, with missing cells."""
    rng = np.random.default_rng(2)
    logit = rng.normal(size=(500, 1)) - np.linspace(-1, 1, 6)
    noise = rng.logistic(size=logit.shape)
    values = 1.0 * (noise < logit + 1) + 1.0 * (noise < logit - 1)
    values[rng.random(values.shape) < 0.2] = np.nan
    return lrn.irt.fit(pd.DataFrame(values, columns=list("uvwxyz")), "GRM")


def test_the_curve_is_the_models(model):
    ax = plots.characteristic_curves(model, "item-3", groups=None)
    (line,) = ax.lines
    theta, drawn = line.get_data()
    wanted = model.probabilities(theta)[("item-3", 1.0)]
    assert drawn == pytest.approx(wanted.to_numpy())
    assert not ax.containers
    assert ax.get_ylabel() == "probability of score 1"
    assert ax.get_xlabel() == "ability θ [SD]"


def test_points_are_shares_of_persons_grouped_by_the_other_items(scores, model):
    ax = plots.characteristic_curves(model, "item-3", groups=5, confidence=0.9)
    (container,) = ax.containers
    x, y = container[0].get_data()
    others = scores.assign(**{"item-3": np.nan})
    ability = model.abilities("EAP", matrix=others)["ability"]
    cut = pd.qcut(ability.rank(method="average"), 5, labels=False)
    # Groups keep equal abilities together: compare those that the two rules cut alike.
    shares = scores["item-3"].groupby(cut).mean()
    assert y[0] == pytest.approx(shares.iloc[0], abs=0.06)
    assert y[-1] == pytest.approx(shares.iloc[-1], abs=0.06)
    assert (np.diff(x) > 0).all()
    found = observed(model, "item-3", groups=5, most=10**6, matrix=None, group=None)
    assert found.n.sum() == len(scores)
    assert y @ found.n == pytest.approx(scores["item-3"].sum())
    low, high = wilson_interval(found.shares[:, 1], found.n, 0.9)
    assert bars(container) == pytest.approx(np.array([low, high]))
    assert f"n = {len(scores)}" in words(ax)
    assert "90 % intervals" in words(ax)


def test_a_points_distance_from_the_curve_is_observed_less_expected(model):
    found = observed(model, "item-3", groups=6, most=10**6, matrix=None, group=None)
    curve = model.probabilities(found.ability)[("item-3", 1.0)].to_numpy()
    assert curve == pytest.approx(found.expected[:, 1], abs=2e-3)


def test_where_the_model_is_true_intervals_hold_the_curve():
    inside, distance = [], []
    for seed in range(6):
        matrix = simulated(800, 6, seed=seed)
        fitted = lrn.irt.fit(matrix, "2PL")
        for item in matrix:
            found = observed(fitted, item, groups=8, most=10**6, matrix=None, group=None)
            low, high = wilson_interval(found.shares[:, 1], found.n, 0.95)
            inside.extend((low <= found.expected[:, 1]) & (found.expected[:, 1] <= high))
            distance.extend(found.shares[:, 1] - found.expected[:, 1])
    assert np.mean(inside) >= 0.94
    assert abs(np.mean(distance)) < 0.01


def test_patterns_with_weights_are_drawn_as_the_persons_they_stand_for(scores, model):
    counts = scores.value_counts()
    patterns = counts.index.to_frame(index=False)
    weighted = lrn.irt.fit(patterns, "2PL", weights=counts.to_numpy())
    ax = plots.characteristic_curves(weighted, "item-3")
    drawn = ax.containers[0][0].get_ydata()
    wanted = plots.characteristic_curves(model, "item-3").containers[0][0].get_ydata()
    assert drawn == pytest.approx(wanted, abs=1e-6)
    assert "n = 600 persons;" in words(ax)


def test_an_item_that_does_not_fit_is_seen_off_its_curve():
    rng = np.random.default_rng(4)
    theta = rng.normal(size=2000)
    matrix = simulated(2000, 12, seed=5)
    logit = 1.2 * (theta[:, None] - np.linspace(-1.5, 1.5, 12))
    matrix[:] = 1.0 * (rng.logistic(size=logit.shape) < logit)
    matrix["item-6"] = 1.0 * (rng.random(2000) < 0.4 + 0.6 / (1 + np.exp(-4 * (theta - 1))))
    fitted = lrn.irt.fit(matrix, "2PL")
    found = observed(fitted, "item-6", groups=10, most=10**6, matrix=None, group=None)
    low, high = wilson_interval(found.shares[:, 1], found.n, 0.95)
    outside = (found.expected[:, 1] < low) | (found.expected[:, 1] > high)
    assert outside.sum() >= 3


def test_every_score_has_its_curve_and_points(partial):
    ax = plots.characteristic_curves(partial, "w", groups=4)
    assert legend(ax) == ["score 0", "score 1", "score 2"]
    assert len(ax.containers) == 3
    curves = [line for line in ax.lines if len(line.get_xdata()) > 20]
    assert sum(line.get_ydata() for line in curves) == pytest.approx(np.ones(161))
    # Distances from the curves add up to nothing, as shares and probabilities add up to 1.
    drawn = sum(container[0].get_ydata() for container in ax.containers)
    assert drawn == pytest.approx(np.ones(4), abs=1e-6)
    whole = plots.characteristic_curves(partial, "w", of="expected", groups=4)
    assert whole.get_ylabel() == "expected score [points]"
    theta, expected = whole.lines[0].get_data()
    assert expected == pytest.approx(partial.expected_scores(theta)["w"].to_numpy())


def test_scores_that_nobody_has_keep_their_points():
    rng = np.random.default_rng(6)
    logit = rng.normal(size=(400, 1)) - np.linspace(-1, 1, 4)
    values = pd.DataFrame(2.0 * (rng.logistic(size=logit.shape) < logit), columns=list("abcd"))
    ax = plots.characteristic_curves(lrn.irt.fit(values, "Rasch"), "b")
    assert ax.get_ylabel() == "probability of score 2"
    assert ax.get_xlabel() == "ability θ [logits]"


def test_several_curves_are_shares_of_points(model, partial):
    ax = plots.characteristic_curves(partial, ["u", "z"])
    theta, drawn = ax.lines[1].get_data()
    assert drawn == pytest.approx(partial.expected_scores(theta)["z"].to_numpy() / 2)
    assert legend(ax) == ["u", "z"]
    assert len(plots.characteristic_curves(model).lines) == 8


def test_many_curves_have_their_mean_and_no_long_legend():
    fitted = lrn.irt.fit(simulated(400, 15, seed=7), "Rasch")
    ax = plots.characteristic_curves(fitted)
    assert len(ax.lines) == 16
    assert legend(ax) == ["items", "test"]
    theta, mean = ax.lines[-1].get_data()
    assert mean == pytest.approx(fitted.expected_scores(theta).mean(axis=1).to_numpy())
    assert len(plots.information(fitted, list(fitted.scores)).lines) == 15


def test_groups_stand_on_one_scale():
    one, two = simulated(400, 6, seed=8), simulated(400, 6, seed=9)
    matrix = pd.concat([one, two], ignore_index=True)
    group = np.repeat(["a", "b"], 400)
    fitted = lrn.irt.fit(matrix, "2PL", group=group)
    ax = plots.characteristic_curves(fitted, "item-2")
    assert "n = 800" in words(ax)
    assert ax.get_xlabel() == "ability θ [SD of the reference group]"


def test_only_some_persons_are_used_of_many(model):
    ax = plots.characteristic_curves(model, "item-2", most=100)
    assert "n = 600 persons, 100 of them used" in words(ax)
    assert "50 of them drawn" in words(plots.person_fit(model, most=50))


def test_other_persons_can_be_drawn(model, tmp_path):
    model.save(tmp_path / "model.json")
    loaded = lrn.irt.load(tmp_path / "model.json")
    with pytest.raises(lrn.MeasureError, match="give a matrix"):
        plots.characteristic_curves(loaded, "item-2")
    others = simulated(200, 8, seed=10)
    assert "n = 200" in words(plots.characteristic_curves(loaded, "item-2", matrix=others))
    assert "n = 200 persons" in words(plots.person_fit(loaded, matrix=others))
    assert "n = 200 persons" in words(plots.wright_map(loaded, matrix=others))
    assert plots.characteristic_curves(loaded, "item-2", groups=None).lines


@pytest.mark.parametrize(
    ("options", "message"),
    [({"item": "item-99"}, "no item 'item-99'"), ({"item": "item-1", "groups": 1}, "groups is 1")],
)
def test_what_cannot_be_drawn_is_said(model, options, message):
    with pytest.raises(lrn.MeasureError, match=message):
        plots.characteristic_curves(model, **options)


def test_information_and_its_standard_error(model):
    ax = plots.information(model)
    theta, drawn = ax.lines[0].get_data()
    wanted = model.information(theta)
    assert drawn == pytest.approx(wanted["information"].to_numpy())
    (right,) = [other for other in ax.figure.axes if other is not ax]
    assert right.lines[0].get_ydata() == pytest.approx(wanted["se"].to_numpy())
    assert right.get_ylabel() == "standard error of ability"
    assert "SE (right)" in legend(ax)
    items = plots.information(model, ["item-2", "item-7"])
    wanted = model.item_information(theta)[["item-2", "item-7"]]
    drawn = np.column_stack([line.get_ydata() for line in items.lines])
    assert drawn == pytest.approx(wanted.to_numpy())


def test_wright_map_shows_persons_and_items(model):
    ax = plots.wright_map(model, bins=20)
    bars = [patch for patch in ax.patches if patch.get_width() < 0]
    widths = np.array([patch.get_width() for patch in bars])
    ability = model.abilities()["ability"]
    most = np.histogram(ability, bins=20, range=ax.get_ylim())[0]
    assert len(ax.patches) == 20
    assert -widths / -widths.min() == pytest.approx((most[most > 0]) / most.max())
    points = [line for line in ax.lines if line.get_marker() == "o"]
    drawn = [float(line.get_ydata()[0]) for line in points]
    assert drawn == pytest.approx(sorted(model.items["b"]))
    ticks = [label.get_text() for label in ax.get_xticklabels()][2:]
    assert ticks == list(model.items["b"].sort_values().index)
    ordered = plots.wright_map(model, order="test")
    assert [label.get_text() for label in ordered.get_xticklabels()][2:] == list(model.items.index)


def test_wright_map_numbers_thresholds(partial):
    ax = plots.wright_map(partial)
    drawn = [(text.get_text(), text.xy[1]) for text in ax.texts if text.get_text() in ("1", "2")]
    for step in ("1", "2"):
        heights = sorted(height for number, height in drawn if number == step)
        assert heights == pytest.approx(sorted(partial.items[f"b{step}"]))
    assert "numbers: thresholds" in words(ax)


def test_wright_map_says_what_it_leaves_out(model):
    ax = plots.wright_map(model, method="ML")
    infinite = np.isinf(model.abilities("ML")["ability"]).sum()
    assert infinite > 0
    assert f"{infinite} without a finite ability" in words(ax)


def test_wright_map_leaves_out_who_answered_nothing(model):
    others = simulated(100, 8, seed=14)
    others.iloc[:7] = np.nan
    ax = plots.wright_map(model, matrix=others)
    assert "n = 93 persons (EAP, 7 without an answer)" in words(ax)


def test_a_nominal_model_has_no_difficulties_but_curves():
    rng = np.random.default_rng(11)
    theta = rng.normal(size=(600, 1))
    taken = rng.gumbel(size=(600, 5, 3)) + theta[:, :, None] * [0, 0.5, 1.2]
    fitted = lrn.irt.fit(pd.DataFrame(1.0 * taken.argmax(axis=2), columns=list("abcde")), "NRM")
    with pytest.raises(lrn.MeasureError, match="no item of the model has a difficulty"):
        plots.wright_map(fitted)
    assert len(plots.characteristic_curves(fitted, "c").containers) == 3


def test_far_difficulties_stand_at_the_edge(model):
    far = model.items[["a", "b"]].copy()
    far.loc["item-1", "b"] = -40.0
    matrix = simulated(300, 8, seed=12)
    fitted = lrn.irt.fit(matrix, "2PL", fixed=far)
    ax = plots.wright_map(fitted)
    (edge,) = [line for line in ax.lines if line.get_marker() == "v"]
    assert edge.get_ydata()[0] == ax.get_ylim()[0] > -10


@pytest.mark.parametrize("against", ["ability", "score"])
def test_person_fit_colours_those_below(scores, model, against):
    ax = plots.person_fit(model, against=against, level=0.1)
    others, below = (np.asarray(part.get_offsets()) for part in ax.collections[:2])
    lz = model.person_fit()["lz"]
    assert len(others) + len(below) == len(lz)
    assert sorted(below[:, 1]) == pytest.approx(sorted(lz[lz < -1.2815515655446004]))
    x = model.abilities()["ability"] if against == "ability" else 100 * scores.mean(axis=1)
    both = np.vstack([others, below])
    assert sorted(both[:, 0]) == pytest.approx(sorted(x))
    assert ax.get_xlabel().startswith("ability" if against == "ability" else "score [% of points]")
    assert f"{(lz < -1.2816).mean():.1%} below -1.28" in words(ax)


def test_person_fit_by_score_with_missing_and_partial_credit(partial):
    ax = plots.person_fit(partial, against="score")
    points = np.vstack([np.asarray(part.get_offsets()) for part in ax.collections[:2]])
    assert points[:, 0].min() >= 0
    assert points[:, 0].max() <= 100


def test_local_dependence_is_the_lower_triangle(model):
    found = model.local_dependence()
    ax = plots.local_dependence(model)
    (image,) = ax.images
    drawn = np.ma.filled(image.get_array(), np.nan)
    lower = np.tril_indices(8, -1)
    assert drawn[lower] == pytest.approx(found.to_numpy()[lower])
    assert np.isnan(drawn[np.triu_indices(8)]).all()
    assert "n = 600 persons, 28 pairs of 8 items" in words(ax)
    assert image.get_clim()[0] == -image.get_clim()[1]


def test_dependent_pairs_are_outlined(scores):
    twins = scores.assign(**{"item-2": scores["item-1"].where(scores.index % 8 != 0, 0.0)})
    fitted = lrn.irt.fit(twins, "Rasch")
    ax = plots.local_dependence(fitted.local_dependence(), limit=0.3)
    (outline,) = ax.patches
    assert (outline.get_x(), outline.get_y()) == (-0.5, 0.5)
    assert "outlined: 1 above mean + 0.3" in words(ax)


def test_items_that_never_met_stay_empty():
    left, right = simulated(300, 4, seed=13), simulated(300, 4, seed=14).add_prefix("other-")
    matrix = pd.concat([left, right], ignore_index=True)
    fitted = lrn.irt.fit(matrix, "Rasch", disconnected="equivalent")
    ax = plots.local_dependence(fitted)
    assert "n = 600 persons, 12 pairs of 8 items" in words(ax)


def test_a_link_is_drawn_on_the_bases_scale():
    base = pd.DataFrame(
        {"a": 1.0, "b": np.linspace(-2, 2, 9)}, index=[f"item-{at}" for at in range(9)]
    )
    rng = np.random.default_rng(15)
    new = pd.DataFrame({"a": 1.5, "b": (base["b"] - 0.4) / 1.5 + rng.normal(0, 0.02, 9)})
    new.loc["item-4", "b"] += 1
    link = lrn.linking.link(new, base)
    ax = plots.linking(link)
    points = np.vstack([np.asarray(part.get_offsets()) for part in ax.collections])
    wanted = link.items[["b_base", "b"]].to_numpy()
    assert np.sort(points, axis=0) == pytest.approx(np.sort(wanted, axis=0))
    drift = set(link.items.index[link.items["robust_z"].abs() > 1.645])
    assert "item-4" in drift
    assert {text.get_text() for text in ax.texts} & set(base.index) == drift
    assert "n = 9 common items" in words(ax)


def test_equated_scores_are_drawn_as_gains():
    rng = np.random.default_rng(16)
    x, y = rng.binomial(15, 0.5, 400), rng.binomial(15, 0.6, 500)
    found = lrn.equating.equate(x, y, method="linear", bootstrap=50, confidence=0.9)
    ax = plots.equating(found)
    score, gain = ax.lines[0].get_data()
    assert score + gain == pytest.approx(found.table["equated"].to_numpy())
    (band,) = ax.collections
    low, high = found.table["low"] - score, found.table["high"] - score
    heights = band.get_paths()[0].vertices[:, 1]
    assert (heights.min(), heights.max()) == pytest.approx((low.min(), high.max()))
    assert legend(ax) == ["90% interval", "equated − X"]
    assert "n = 400 persons on X, 500 on Y; linear, equivalent groups design" in words(ax)


def estimates(n, seed=17):
    """True values, their estimates with errors of known size, and the standard errors."""
    rng = np.random.default_rng(seed)
    labels = pd.Index([f"item-{at}" for at in range(n)])
    truth = pd.Series(rng.normal(size=n), labels)
    se = pd.Series(rng.uniform(0.05, 0.3, n), labels)
    return truth + se * rng.normal(size=n), truth, se


def test_recovery_draws_estimates_against_the_truth_under_the_same_label():
    found, truth, se = estimates(40)
    others = pd.Series({"another": 9.0})
    # The order of the truth is not that of the estimates, and it has more items.
    shuffled = pd.concat([others, truth.sample(frac=1, random_state=1)])
    ax = plots.recovery(found, shuffled, se=se, quantity="difficulty b", unit="SD")
    missed = (found - truth).abs() > 1.959963984540054 * se
    assert 0 < missed.sum() < 10
    held, off = [part for part in ax.collections if len(part.get_offsets()) > 1]
    for part, rows in ((held, ~missed), (off, missed)):
        wanted = np.column_stack([truth[rows], found[rows]])
        assert np.asarray(part.get_offsets()) == pytest.approx(wanted)
    ends = np.vstack([segment[:, 1] for lines in intervals(ax) for segment in lines])
    wanted = np.column_stack([found - 1.959963984540054 * se, found + 1.959963984540054 * se])
    order = np.argsort(missed.to_numpy(), kind="stable")
    assert ends == pytest.approx(wanted[order])
    assert {text.get_text() for text in ax.texts} >= set(found.index[missed])
    (line,) = ax.lines
    assert list(line.get_xdata()) == list(line.get_ydata()) == list(ax.get_xlim())
    assert ax.get_xlim() == ax.get_ylim()
    assert ax.get_xlabel() == "difficulty b, truth [SD]"
    assert ax.get_ylabel() == "difficulty b, estimate [SD]"


def intervals(ax):
    return [part.get_segments() for part in ax.collections if hasattr(part, "get_segments")]


def test_recovery_states_bias_error_correlation_and_coverage():
    truth = pd.Series([0.0, 1.0, 2.0, 3.0], list("abcd"))
    found = pd.Series([0.1, 0.7, 2.1, 2.7], truth.index)
    ax = plots.recovery(found, truth, se=pd.Series(0.1, truth.index))
    r = np.corrcoef(found, truth)[0, 1]
    assert f"n = 4; bias −0.10, RMSE 0.22, r {r:.2f}; 50 % of the 95 % intervals" in words(ax)
    ax = plots.recovery(found, truth, se=pd.Series(0.1, truth.index), confidence=0.999)
    assert "100 % of the 99.9 % intervals contain the truth" in words(ax)
    assert "intervals" not in words(plots.recovery(found, truth))
    # Exact estimates, and a single one.
    assert "bias 0.00, RMSE 0.00, r 1.00" in words(plots.recovery(truth, truth))
    assert words(plots.recovery(truth[:1], truth)).endswith("n = 1; bias 0.00, RMSE 0.00")
    far = plots.recovery(1000 * truth, 1000 * truth + 1234)
    assert "bias −1234, RMSE 1234" in words(far)


def test_recovery_leaves_out_what_is_unknown_and_says_so():
    found, truth, se = estimates(10)
    found.iloc[0], found.iloc[1], truth.iloc[2] = np.nan, np.inf, np.nan
    se.iloc[3], se.iloc[4], se.iloc[5] = np.nan, 0.0, np.inf
    ax = plots.recovery(found, truth, se=se)
    assert "n = 7 (3 without a finite value)" in words(ax)
    assert sum(len(lines) for lines in intervals(ax)) == 4
    held = ((found - truth).abs() <= 1.96 * se)[6:].mean()
    assert f"{100 * held:.0f} % of the 95 % intervals" in words(ax)


@pytest.mark.parametrize("n", [3, 60, 61, 2000])
def test_recovery_is_drawn_for_few_and_many(n):
    found, truth, se = estimates(n)
    ax = plots.recovery(found, truth, se=se)
    ax.figure.draw_without_rendering()
    inside, outside = ax.get_xlim()
    assert inside < min(found.min(), truth.min())
    assert outside > max(found.max(), truth.max())
    named = {text.get_text() for text in ax.texts if text.get_gid() != "caption"}
    missed = (found - truth).abs() > 1.959963984540054 * se
    assert named == (set(found.index[missed]) if n <= 60 else set())


def test_a_wide_interval_does_not_squeeze_the_points():
    found, truth, se = estimates(20)
    se.iloc[0] = 1000.0
    low, high = plots.recovery(found, truth, se=se).get_ylim()
    assert high - low < 4 * np.ptp(np.concatenate([found, truth]))


def test_the_legend_of_recovery_covers_no_estimates_off_the_line():
    found, truth, _ = estimates(200)
    found[truth < truth.quantile(0.2)] += 4
    ax = plots.recovery(found, truth)
    ax.figure.draw_without_rendering()
    places = ax.transData.transform(np.column_stack([truth, found]))
    box = ax.get_legend().get_window_extent()
    assert not any(box.contains(*place) for place in places)
    mirrored = plots.recovery(-found[::-1], -truth)
    assert (ax.get_legend()._loc, mirrored.get_legend()._loc) == (4, 2)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"estimate": [1.0, 2.0]}, "estimate is \\[1.0, 2.0\\]: pass a Series"),
        ({"truth": pd.Series([1.0, 2.0], ["x", "y"])}, "truth has no value under any label"),
        ({"truth": pd.Series([1.0, 2.0], ["a", "a"])}, "truth has several values for 'a'"),
        ({"truth": pd.Series(["1", "x"], ["a", "b"])}, "numbers are needed"),
        ({"truth": pd.Series([np.nan, 1.0], ["a", "b"])}, "no label has a finite estimate"),
        ({"se": pd.Series([0.1], ["z"])}, "se has no value under any label"),
        ({"se": 0.1}, "se is 0.1: pass a Series"),
        ({"confidence": 95}, "confidence is 95"),
    ],
)
def test_recovery_refuses_what_it_cannot_match(change, message):
    given = {
        "estimate": pd.Series([1.0, np.inf], ["a", "b"]),
        "truth": pd.Series([1.0, 2.0], ["a", "b"]),
    } | change
    with pytest.raises(lrn.MeasureError, match=message):
        plots.recovery(**given)
