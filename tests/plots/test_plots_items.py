"""Pictures of classical item analysis and of DIF: what is drawn is what the tables say."""

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot

import lrnanalysis as lrn
from lrnanalysis import plots
from lrnanalysis.measures import answer_decoding
from lrnanalysis.measures.item_analysis import item_analysis
from lrnanalysis.plots._style import name_points
from pictures import legend, pivot, points, words


@pytest.fixture(scope="module")
def study():
    return lrn.load_example()


@pytest.fixture(scope="module")
def matrix(study):
    return pivot(study.items, "score")


@pytest.fixture(scope="module")
def choices(study):
    return answer_decoding.choices(study.responses)


@pytest.fixture(scope="module")
def unfair():
    """Scores on 8 items, the first of which is harder for group b; the last has three scores."""
    rng = np.random.default_rng(1)
    group = pd.Series(np.where(np.arange(1200) % 2, "b", "a"))
    logit = rng.normal(size=(1200, 1)) - np.linspace(-1, 1, 8)
    logit[group == "b", 0] -= 1.2
    scores = 1.0 * (rng.logistic(size=logit.shape) < logit)
    scores[:, 7] += 1.0 * (rng.logistic(size=1200) < logit[:, 7])
    return pd.DataFrame(scores, columns=[f"item-{at + 1}" for at in range(8)]), group


def test_items_stand_at_difficulty_and_discrimination(matrix):
    statistics = lrn.classical.item_statistics(matrix)
    ax = plots.difficulty_discrimination(statistics)
    wanted = statistics[["p", "item_rest_r"]].to_numpy()
    assert np.sort(points(ax), axis=0) == pytest.approx(np.sort(wanted, axis=0))
    assert "persons, 20 items, 0 flagged" in words(ax)
    biserial = plots.difficulty_discrimination(statistics, discrimination="biserial")
    assert biserial.get_ylabel() == "biserial correlation"


def test_flagged_items_are_told_apart_and_named(matrix, choices):
    options = {"key": {"item-05": "0"}, "limits": {"too hard": 0.45}}
    report = item_analysis(matrix, choices=choices, **options)
    ax = plots.difficulty_discrimination(report)
    hard = report.items.index[report.items["p"] < 0.45]
    flagged = report.items.index[report.items["flags"] != ""]
    assert set(hard) < set(flagged)
    assert any(entry.startswith("too hard, n = ") for entry in legend(ax))
    assert sum(int(entry.rpartition("n = ")[2]) for entry in legend(ax)) == 20
    assert set(flagged) <= {text.get_text() for text in ax.texts}
    dotted = [line.get_xdata()[0] for line in ax.lines if line.get_linestyle() == ":"]
    assert 0.45 in dotted
    assert "dotted: limits of the rules" in words(ax)


def test_no_flags_can_be_asked_for(matrix):
    statistics = lrn.classical.item_statistics(matrix)
    ax = plots.difficulty_discrimination(statistics, pd.DataFrame(), labels=False)
    assert "0 flagged" in words(ax)
    assert not [line for line in ax.lines if line.get_linestyle() == ":"]
    with pytest.raises(lrn.MeasureError, match="no column 'b'"):
        plots.difficulty_discrimination(statistics, difficulty="b")


def test_names_cover_neither_each_other_nor_points():
    _, ax = pyplot.subplots()
    rng = np.random.default_rng(2)
    x, y = rng.uniform(size=(2, 80))
    ax.scatter(x, y)
    always = np.zeros(80, dtype=bool)
    always[:3] = True
    name_points(ax, x, y, [f"item-{at}" for at in range(79)] + [None], always)
    drawn = {text.get_text() for text in ax.texts}
    assert {"item-0", "item-1", "item-2"} <= drawn
    assert 10 < len(drawn) < 79
    renderer = ax.figure.canvas.get_renderer()
    boxes = [text.get_window_extent(renderer) for text in ax.texts if text.get_text()[5:] > "2"]
    overlaps = sum(one.overlaps(other) for at, one in enumerate(boxes) for other in boxes[at + 1 :])
    assert overlaps <= 0.02 * len(boxes) * (len(boxes) - 1) / 2


def test_trace_lines_are_the_shares_by_score_group(choices, matrix):
    ax = plots.distractors(choices, matrix, "item-05", key={"item-05": "0"}, groups=4)
    lines = lrn.classical.trace_lines(choices, matrix, groups=4).loc["item-05"]
    for container in ax.containers:
        option = container.get_label().partition(",")[0].removesuffix(" (key)")
        wanted = lines[lines.index.get_level_values("option") == option]
        x, y = container[0].get_data()
        assert x == pytest.approx(100 * wanted["score"].to_numpy())
        assert y == pytest.approx(wanted["share"].to_numpy())
    widths = [container[0].get_linewidth() for container in ax.containers]
    assert widths[0] == max(widths) > sorted(widths)[-2]
    table = lrn.classical.distractors(choices, matrix).loc["item-05"]
    assert legend(ax)[0] == f"0 (key), {table['share'].iloc[0]:.0%}"
    assert f"n = {table['n_seen'].iloc[0]} sessions in 4 groups" in words(ax)
    assert "no key given" in words(plots.distractors(choices, matrix, "item-05"))


def test_one_part_of_an_item_is_drawn(choices, matrix):
    with pytest.raises(lrn.MeasureError, match="item 'item-06' has 4 parts: choose one"):
        plots.distractors(choices, matrix, "item-06")
    ax = plots.distractors(choices, matrix, "item-06", part=1)
    lines = lrn.classical.trace_lines(choices[choices["item_reference"] == "item-06"], matrix)
    drawn = ax.containers[0][0].get_ydata()
    wanted = lines.xs(("item-06", 1), level=("item_reference", "slot"))["share"]
    assert drawn == pytest.approx(wanted.loc["0"].to_numpy())
    assert "Options of item-06, 1" in words(ax)
    with pytest.raises(lrn.MeasureError, match="has no part 9"):
        plots.distractors(choices, matrix, "item-06", part=9)
    with pytest.raises(lrn.MeasureError, match="nobody chose anything on 'item-03'"):
        plots.distractors(choices, matrix, "item-03")


def test_whole_answers_have_lines(choices, matrix):
    ax = plots.distractors(choices, matrix, "item-11", by="pattern", key={"item-11": ["1", "2"]})
    assert any(entry.startswith("1 + 2 (key)") for entry in legend(ax))
    looks = {(c[0].get_color(), c[0].get_marker()) for c in ax.containers}
    assert len(looks) == len(ax.containers)


def drawn_effects(ax):
    """Effect by row of the picture."""
    found = {}
    for container in ax.containers:
        x, rows = container[0].get_data()
        found |= dict(zip(rows.astype(int).tolist(), x.tolist(), strict=True))
    return [found[row] for row in range(len(found))]


def names(ax):
    return [label.get_text() for label in ax.get_yticklabels()]


def test_dif_is_drawn_by_size_with_ets_classes(unfair):
    table = lrn.dif.mantel_haenszel(*unfair)
    ax = plots.dif(table)
    wanted = table["d_dif"].dropna().sort_values(ascending=False)
    assert drawn_effects(ax) == pytest.approx(wanted.to_list())
    assert names(ax) == list(wanted.index)
    assert "C, n = 1" in legend(ax)
    (worst,) = [c for c in ax.containers if c.get_label() == "C, n = 1"]
    (segment,) = worst[2][0].get_segments()
    row = table.loc["item-1"]
    half = 1.959964 * row["d_dif_se"]
    assert segment[:, 0] == pytest.approx([row["d_dif"] - half, row["d_dif"] + half])
    assert "1 without this effect size" in words(ax)
    assert "← harder for b" in words(ax)
    assert ax.get_xlabel() == "D-DIF [ETS delta]"
    partial = plots.dif(table, effect="smd_sd")
    assert len(names(partial)) == 8
    assert "intervals" not in words(partial)


@pytest.mark.parametrize(
    ("test", "effect"),
    [
        (lrn.dif.standardisation, "std_p_dif"),
        (lrn.dif.logistic, "log_odds"),
        (lrn.dif.likelihood_ratio, "expected_difference"),
    ],
)
def test_every_dif_table_has_its_picture(unfair, test, effect):
    scores, group = unfair
    table = test(scores.iloc[:, :7], group)
    ax = plots.dif(table)
    wanted = table[effect].sort_values(ascending=False)
    assert drawn_effects(ax) == pytest.approx(wanted.to_list())
    assert names(ax)[-1] == "item-1"
    counted = [int(entry.rpartition("n = ")[2]) for entry in legend(ax)]
    assert sum(counted) == 7
    assert "n = 1,200 persons, 7 items" in words(ax)


def test_a_table_that_was_cut_is_drawn_too(unfair):
    table = lrn.dif.mantel_haenszel(*unfair).iloc[:3]
    table.attrs = {}
    assert "← harder for the focal group" in words(plots.dif(table))


def test_infinite_effects_stand_at_the_edge(unfair):
    table = lrn.dif.mantel_haenszel(*unfair)
    table.loc["item-2", "d_dif"] = np.inf
    table.loc["item-2", "d_dif_se"] = np.nan
    ax = plots.dif(table)
    assert names(ax)[0] == "item-2"
    assert np.isfinite(drawn_effects(ax)).all()
    assert "1 infinite, drawn at the edge" in words(ax)


@pytest.mark.parametrize("right", ["a", "b"])
def test_an_item_that_one_group_has_right_and_the_other_wrong(unfair, right):
    scores, group = unfair
    scores = scores.assign(**{"item-3": (group == right).astype(float), "item-4": 1.0})
    scores = scores.drop(columns="item-8")
    for test in (lrn.dif.mantel_haenszel, lrn.dif.logistic):
        ax = plots.dif(test(scores, group))
        assert names(ax)[0 if right == "b" else -1] == "item-3"
        assert "1 infinite, drawn at the edge" in words(ax)
        assert "1 without this effect size" in words(ax)
    assert plots.dif_curves(scores, group, "item-3").get_ylim() == pytest.approx((-0.03, 1.03))
    # Everybody has the same score.
    assert plots.dif_curves(scores, group, "item-4").get_ylim() == pytest.approx((0.5, 1.5))


def test_a_table_without_effects_is_refused(unfair):
    scores, _ = unfair
    three = lrn.dif.mantel_haenszel(scores, np.arange(len(scores)) % 3)
    with pytest.raises(lrn.MeasureError, match="for two groups"):
        plots.dif(three)
    with pytest.raises(lrn.MeasureError, match="effect is 'p'"):
        plots.dif(lrn.dif.mantel_haenszel(*unfair), effect="p")


def test_groups_are_compared_at_equal_totals(unfair):
    scores, group = unfair
    ax = plots.dif_curves(scores, group, "item-1", strata=None)
    total = scores.sum(axis=1)
    for container, name in zip(ax.containers, ("a", "b"), strict=True):
        here = group == name
        wanted = scores.loc[here, "item-1"].groupby(total[here]).mean()
        assert container[0].get_ydata() == pytest.approx(wanted.to_numpy())
    assert legend(ax) == ["a, n = 600", "b, n = 600"]
    upper, lower = (container[0].get_ydata() for container in ax.containers)
    assert upper[2:-2].mean() > lower[2:-2].mean() + 0.1
    assert "n = 1,200 persons, one stratum per value of the total score" in words(ax)


def test_groups_on_partial_credit_and_by_another_variable(unfair):
    scores, group = unfair
    match = pd.Series(np.random.default_rng(3).normal(size=len(scores)))
    ax = plots.dif_curves(scores, group, "item-8", match=match, strata=4)
    assert ax.get_xlabel() == "matching variable"
    cut = pd.qcut(match, 4, labels=False)
    wanted = scores["item-8"][group == "b"].groupby(cut).mean()
    assert ax.containers[1][0].get_ydata() == pytest.approx(wanted.to_numpy())
    with pytest.raises(lrn.MeasureError, match="matrix has no item 'item-9'"):
        plots.dif_curves(scores, group, "item-9")


def test_more_than_two_groups_have_a_line_each(unfair):
    scores, _ = unfair
    ax = plots.dif_curves(scores, np.arange(len(scores)) % 3, "item-2")
    assert legend(ax) == ["0, n = 400", "1, n = 400", "2, n = 400"]


def test_persons_and_items_are_the_columns_that_the_scores_are_named_by(choices, matrix):
    named = choices.rename(columns={"session_id": "user_id", "item_reference": "question"})
    scores = matrix.rename_axis(index="user_id", columns="question")
    ax = plots.distractors(named, scores, "item-05", key={"item-05": "0"})
    plain = plots.distractors(choices, matrix, "item-05", key={"item-05": "0"})
    assert legend(ax) == legend(plain)
    assert "persons in 5 groups by total score" in words(ax)
    assert legend(plots.distractors(choices, scores, "item-05")) == legend(
        plots.distractors(choices, matrix, "item-05")
    )
    with pytest.raises(lrn.MeasureError, match="no column 'session_id'"):
        plots.distractors(named, matrix, "item-05")


def test_items_of_few_persons_are_not_drawn_as_faultless():
    rng = np.random.default_rng(4)
    latent = rng.normal(size=(40, 1)) + rng.normal(size=(40, 5))
    matrix = pd.DataFrame((latent > 0).astype(float)).rename(columns=str)
    matrix.loc[20:, "4"] = np.nan
    ax = plots.difficulty_discrimination(item_analysis(matrix))
    assert "0 flagged, 1 not judged by every rule: too few persons" in words(ax)
    assert "too few persons, n = 1" in legend(ax)
