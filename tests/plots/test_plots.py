"""Pictures: what is drawn is what was measured, with units, n and the rule."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot
from matplotlib.colors import to_hex, to_rgb

import lrnanalysis as lrn
from lrnanalysis import plots
from lrnanalysis.measures import answer_decoding, completion, effort, scores, timing
from lrnanalysis.measures.classical._intervals import wilson_interval
from lrnanalysis.measures.scores.cell_kinds import CELL_KINDS
from lrnanalysis.plots.guttman_order import _COLOURS
from lrnanalysis.warnings import DataWarning
from pictures import bars, legend, pivot, points, words

PICTURES = sorted(set(plots.__all__) - {"add_footnote"})
RULES = (
    "291 persons × 20 items; Completed and Pending Scoring; first attempts; omitted 0, not reached "
    "missing"
)


@pytest.fixture(scope="module")
def study():
    return lrn.load_example()


@pytest.fixture(scope="module")
def times(study):
    return pivot(study.items, "time").replace(0, np.nan)


@pytest.fixture(scope="module")
def long_sessions(times):
    """Times of sessions with enough answers for a response time effort."""
    return times.dropna(thresh=10)


@pytest.fixture(scope="module")
def shares(study):
    return pivot(study.items.eval("score / max_score").to_frame("share").join(study.items), "share")


@pytest.fixture(scope="module")
def cells(shares):
    """Kinds of cell, each of them somewhere."""
    kinds = np.where(shares == 1, "right", "wrong").astype(object)
    for at, kind in enumerate(CELL_KINDS):
        kinds[at::40, at] = kind
    return pd.DataFrame(kinds, index=shares.index, columns=shares.columns)


@pytest.fixture(scope="module")
def model(times):
    return lrn.response_time.lognormal(times)


@pytest.fixture(scope="module")
def pictures(study, times, long_sessions, shares, cells, model):
    """What every picture is drawn from."""
    matrix = pivot(study.items, "score")
    fitted = lrn.irt.fit(matrix[["item-01", "item-04", "item-05", "item-07", "item-09"]], "2PL")
    group = pd.Series(np.where(np.arange(len(matrix)) % 2, "b", "a"), index=matrix.index)
    x, y = np.random.default_rng(1).binomial(20, [[0.5], [0.6]], size=(2, 400))
    base = fitted.items[["model", "a", "b"]]
    return {
        "times": (times, "item-05"),
        "accuracy_by_time": (times, shares, "item-05"),
        "time_against_difficulty": (times, shares),
        "score_against_time": (study.sessions,),
        "pacing": (study.items,),
        "reach": (study.items, study.responses),
        "timeline": (study.sessions,),
        "guttman": (shares, cells),
        "effort": (long_sessions,),
        "residuals": (model,),
        "attempts": (study.sessions,),
        "characteristic_curves": (fitted, "item-07"),
        "information": (fitted,),
        "wright_map": (fitted,),
        "person_fit": (fitted,),
        "local_dependence": (fitted,),
        "difficulty_discrimination": (lrn.classical.item_statistics(matrix),),
        "distractors": (answer_decoding.choices(study.responses), matrix, "item-05"),
        "dif": (lrn.dif.mantel_haenszel(matrix, group),),
        "dif_curves": (matrix, group, "item-05"),
        "equating": (lrn.equating.equate(x, y),),
        "recovery": (model.items["beta"], study.truth["items"].set_index("item_reference")["beta"]),
        "linking": (lrn.linking.link(base.assign(b=base["b"] - 0.5), base),),
    }


@pytest.fixture(scope="module")
def draw(pictures):
    return lambda name, **options: getattr(plots, name)(*pictures[name], **options)


def caption(ax):
    (found,) = [text for text in ax.texts if text.get_gid() == "caption"]
    return found


@pytest.mark.parametrize("name", PICTURES)
def test_every_picture_is_labelled_and_drawn_where_asked(name, draw):
    _, ax = pyplot.subplots()
    assert draw(name, ax=ax) is ax
    assert ax.get_xlabel()
    assert ax.get_ylabel()
    assert "n = " in caption(ax).get_text()
    assert ax.has_data()
    ax.figure.draw_without_rendering()


@pytest.mark.parametrize("name", PICTURES)
def test_without_axes_a_figure_is_made(name, draw):
    before = dict(pyplot.rcParams)
    ax = draw(name)
    assert ax.figure.get_size_inches()[0] >= 7
    assert dict(pyplot.rcParams) == before


@pytest.mark.parametrize("name", PICTURES)
def test_a_footnote_is_below_the_caption_and_covers_nothing(name, draw):
    ax = draw(name)
    assert plots.add_footnote(ax, RULES) is ax
    assert words(ax).count("n = ") >= 1
    assert RULES in words(ax)
    ax.figure.draw_without_rendering()
    below, top = caption(ax).get_window_extent(), ax.get_window_extent().y1
    # The left title is not public.
    title = ax._left_title.get_window_extent()
    assert top <= below.y0
    assert below.y1 <= title.y0
    assert title.y1 <= ax.figure.bbox.y1
    assert below.x1 <= ax.figure.bbox.x1


@pytest.mark.parametrize("layout", ["constrained", "tight"])
def test_pictures_share_a_grid(layout, draw):
    figure, axes = pyplot.subplots(2, 3, figsize=(13, 9), layout=layout)
    some = ["distractors", "dif", "local_dependence", "information", "wright_map", "reach"]
    for name, ax in zip(some, axes.flat, strict=True):
        plots.add_footnote(draw(name, ax=ax), RULES)
    figure.draw_without_rendering()
    for ax in axes.flat:
        # Captions are hardly wider than the axes, and squeeze none.
        assert ax.get_position().width > 0.15
        assert caption(ax).get_window_extent().width < 1.2 * ax.get_window_extent().width
    for upper, lower in zip(*axes, strict=True):
        assert lower._left_title.get_window_extent().y1 < upper.get_window_extent().y0


def test_footnotes_add_up_and_a_new_picture_begins_anew(draw):
    ax = draw("reach")
    plots.add_footnote(plots.add_footnote(ax, "first"), "second")
    assert words(ax).endswith("rule for not reached: run first second")
    draw("reach", ax=ax)
    assert words(ax).endswith("rule for not reached: run")
    _, own = pyplot.subplots()
    assert plots.add_footnote(own, "first attempts").texts[0].get_text() == "first attempts"


@pytest.mark.parametrize("name", PICTURES)
def test_pictures_are_legible_on_a_dark_background(name, draw):
    with pyplot.style.context("dark_background"):
        ax = draw(name)
    assert to_hex(ax.get_facecolor()) == "#000000"
    texts = [ax.title, ax.xaxis.label, *ax.get_xticklabels(), caption(ax)]
    # Numbers in cells and markers have a background of their own.
    texts += [text for text in ax.texts if not text.get_text().lstrip("-.").isdigit()]
    if ax.get_legend():
        texts += ax.get_legend().get_texts()
    for artist in [*ax.lines, *texts]:
        assert max(to_rgb(artist.get_color())) > 0.4, artist


def test_times_are_those_of_the_item(times, shares):
    ax = plots.times(times, "item-05", thresholds=["nt10", "nt20", 5], scores=shares, bins=30)
    spent = times["item-05"].dropna()
    assert sum(bar.get_height() for bar in ax.patches) == len(spent)
    correct = int((shares["item-05"][spent.index] == 1).sum())
    assert legend(ax)[:2] == [f"correct, n = {correct}", f"other, n = {len(spent) - correct}"]
    lines = [line.get_xdata()[0] for line in ax.lines]
    rules = [effort.thresholds(times, rule)["threshold"] for rule in ("nt10", "nt20")]
    assert lines == pytest.approx([rules[0]["item-05"], rules[1]["item-05"], 5])
    assert ax.get_xscale() == "log"
    assert ax.get_xlabel() == "time on screen [s]"
    assert f"n = {len(spent)} sessions with a time above 0" in words(ax)
    assert legend(plots.times(times, "item-05"))[0] == f"answers, n = {len(spent)}"


def test_a_rule_without_a_threshold_is_named(times):
    ax = plots.times(times.dropna().head(3), "item-05", thresholds=["mixture"])
    assert "mixture: none" in legend(ax)
    ax.figure.draw_without_rendering()


def test_accuracy_is_the_proportion_correct_in_each_group(times, shares):
    ax = plots.accuracy_by_time(times, shares, "item-05", chance=0.25, groups=4)
    used = times["item-05"].notna() & shares["item-05"].notna()
    cut = pd.qcut(times["item-05"][used], 4)
    by_group = (shares["item-05"][used] == 1).groupby(cut, observed=True)
    wanted = by_group.mean().to_numpy(dtype=float)
    (container,) = ax.containers
    assert container[0].get_ydata() == pytest.approx(wanted)
    n = by_group.size().to_numpy(dtype=float)
    assert bars(container) == pytest.approx(np.array(wilson_interval(wanted, n, 0.95)))
    assert "chance 0.25" in legend(ax)
    assert f"n = {used.sum()} sessions, {used.sum()} answers in 4 groups" in words(ax)


def test_accuracy_on_all_items_is_by_medians_of_the_items(times, shares):
    ax = plots.accuracy_by_time(times, shares, groups=5)
    spent = (times / times.where(shares.notna()).median()).where(shares.notna()).stack()
    middle = spent.groupby(pd.qcut(spent, 5), observed=True).median()
    assert ax.containers[0][0].get_xdata() == pytest.approx(middle.to_numpy())
    assert ax.get_xlabel() == "time on screen [medians of the item]"


def test_difficulty_and_time_of_each_item(times, shares):
    ax = plots.time_against_difficulty(times, shares)
    wanted = np.column_stack([shares.mean(), np.exp(np.log(times).mean())])
    assert points(ax) == pytest.approx(wanted)
    assert {"item-01", "item-20"} <= {text.get_text() for text in ax.texts}


def test_scores_and_times_of_sessions(study):
    ax = plots.score_against_time(study.sessions, unit="min")
    scored = study.sessions[study.sessions["score"].notna() & study.sessions["active_time"].notna()]
    assert points(ax)[:, 0] == pytest.approx(scored["active_time"].to_numpy() / 60)
    marked = scored["max_score"] - scored["unmarked_max_score"]
    assert points(ax)[:, 1] == pytest.approx((100 * scored["score"] / marked).to_numpy())
    waiting = (scored["unmarked_max_score"] > 0).sum()
    assert f"% of the points marked so far: {waiting} sessions" in words(ax)
    assert len(ax.lines[0].get_xdata()) == 5
    assert f"n = {len(scored)} sessions" in words(ax)


def test_pacing_shows_median_band_and_limit(study):
    found = timing.pacing(study.items, unit="min")
    ax = plots.pacing(study.items)
    assert ax.lines[0].get_ydata() == pytest.approx(found["median"].to_numpy())
    assert ax.get_ylabel() == "cumulative time on screen [min]"
    assert legend(ax) == ["median"]
    assert "band: 10 to 90 %" in words(ax)
    limit = study.sessions.set_index("session_id")["max_time"]
    ax = plots.pacing(study.items, limit=limit)
    wanted = timing.pacing(study.items, limit=limit)["median"].to_numpy()
    assert ax.lines[0].get_ydata() == pytest.approx(wanted)
    assert ax.lines[1].get_ydata()[0] == 1
    assert legend(ax) == ["median", "time limit"]
    assert ax.get_ylabel() == "share of the time limit used"


def test_groups_have_a_line_each(study, long_sessions):
    session = study.sessions["session_id"]
    group = pd.Series(np.where(np.arange(len(session)) % 3, "b", "a"), index=session)
    group.iloc[:9] = None
    a, b = ((group == name).sum() for name in "ab")

    ax = plots.pacing(study.items, group=group)
    assert legend(ax) == [f"a, n = {a}", f"b, n = {b}"]
    assert f"n = {a + b} sessions" in words(ax)
    own = study.items[study.items["session_id"].isin(group.index[group == "a"])]
    wanted = timing.pacing(own, unit="min")["median"].to_numpy()
    assert ax.lines[0].get_ydata() == pytest.approx(wanted)

    ax = plots.effort(long_sessions, group=group)
    rte = effort.response_time_effort(long_sessions)
    counts = group[rte.index].value_counts()
    assert legend(ax)[:2] == [f"{name}, n = {counts[name]}" for name in "ab"]
    assert f"n = {counts.sum()} sessions" in words(ax)

    ax = plots.score_against_time(study.sessions, group=group)
    own = study.sessions[(group == "a").to_numpy()]
    kept = own["score"].notna() & own["active_time"].notna()
    drawn = np.asarray(ax.collections[0].get_offsets())[:, 0]
    assert drawn == pytest.approx(own["active_time"][kept].to_numpy() / 60)
    assert legend(ax)[0] == f"a, n = {kept.sum()}"
    colours = {to_hex(part.get_facecolor()[0]) for part in ax.collections}
    assert len(colours) == 2


@pytest.mark.parametrize(
    ("group", "message"),
    [
        ("metadata.group", "group is 'metadata.group': pass one value per person; a column name"),
        (pd.Series(["a", "b"], index=["x", "x"]), "group has several values for 'x'"),
        (pd.Series(["a", "b"]), "group has no value for any"),
    ],
)
def test_a_group_that_does_not_fit_is_refused(group, message, study, long_sessions):
    with pytest.raises(lrn.MeasureError, match=message):
        plots.effort(long_sessions, group=group)
    with pytest.raises(lrn.MeasureError, match=message):
        plots.score_against_time(study.sessions, group=group)


def test_reach_is_stacked(study):
    found = completion.reach(study.items, study.responses)
    ax = plots.reach(study.items, study.responses)
    top = ax.collections[1].get_paths()[0].vertices[:, 1].max()
    assert top == pytest.approx((found["omitted"] + found["not_reached"]).max())
    assert "rule for not reached: run" in words(ax)


def test_timeline_adds_active_and_idle_time(study):
    ax = plots.timeline(study.sessions, most=10)
    idle = timing.idle_time(study.sessions, unit="min").nlargest(10)
    drawn = ax.patches
    assert len(drawn) == 20
    ends = sorted(bar.get_x() + bar.get_width() for bar in drawn[10:])
    elapsed = timing.elapsed_time(study.sessions, unit="min")
    assert ends == pytest.approx(sorted(elapsed[idle.index]))
    assert f"n = {elapsed.notna().sum()} sessions" in words(ax)
    assert "the 10 with the longest idle time" in words(ax)
    assert ax.get_title(loc="left") == "Session timelines"


def test_guttman_order_and_colours(shares, cells):
    ax = plots.guttman(shares, cells)
    (image,) = ax.images
    drawn = image.get_array()
    names = list(_COLOURS)
    assert set(names) == set(CELL_KINDS)
    for name in names:
        assert (drawn == names.index(name)).sum() == (cells == name).to_numpy().sum() > 0
    right = drawn == names.index("right")
    assert right[:20].mean() > right[-20:].mean()
    assert right[:, :3].mean() > right[:, -3:].mean()
    order = [label.get_text() for label in ax.get_xticklabels()]
    assert order == list(shares.mean().sort_values(ascending=False, kind="stable").index)
    shown = [
        to_hex(handle.get_facecolor(), keep_alpha=True) for handle in ax.get_legend().legend_handles
    ]
    assert len(set(shown)) == len(shown) == len(legend(ax)) == len(CELL_KINDS)
    small = plots.guttman(shares, cells, most=50)
    assert small.images[0].get_array().shape[0] == 50
    assert f"n = {len(cells)} sessions, 50 of them drawn" in words(small)
    with pytest.raises(lrn.MeasureError, match="differ in rows or columns"):
        plots.guttman(shares.iloc[1:], cells)


def test_items_are_ordered_by_shares_of_their_points():
    points = pd.DataFrame({"hard": [0.0, 2.0, 4.0], "easy": [1.0, 1.0, 0.0], "never": [0.0] * 3})
    cells = pd.DataFrame("right", index=points.index, columns=points.columns)
    ax = plots.guttman(points, cells)
    assert [label.get_text() for label in ax.get_xticklabels()] == ["easy", "hard", "never"]
    assert "n = 3 persons" in words(ax)


def test_effort_counts_sessions(long_sessions):
    ax = plots.effort(long_sessions, "nt20", minimum=0.85)
    rte = effort.response_time_effort(long_sessions, "nt20")
    assert sum(bar.get_height() for bar in ax.patches) == len(rte)
    assert f"{(rte < 0.85).sum()} below 0.85" in words(ax)
    assert "nt20" in words(ax)


def test_residuals_add_up_to_one(model, times):
    ax = plots.residuals(model)
    area = sum(bar.get_height() * bar.get_width() for bar in ax.patches[:80])
    assert area == pytest.approx(1)
    beyond = sum(bar.get_height() * bar.get_width() for bar in ax.patches[80:])
    found = model.residuals().to_numpy()
    assert f"n = {(~np.isnan(found)).any(axis=1).sum()} sessions" in words(ax)
    found = found[~np.isnan(found)]
    assert beyond == pytest.approx((np.abs(found) > 1.96).mean())


def test_attempts_draw_learners_with_several(study):
    ax = plots.attempts(study.sessions)
    number = scores.attempt_number(study.sessions)
    scored = study.sessions[number.notna() & study.sessions["score"].notna()]
    several = scored.groupby("user_id").size()
    assert len(ax.lines) == (several > 1).sum() + 1
    assert f"n = {(several > 1).sum()} learners" in words(ax)
    assert f"not drawn: {(several == 1).sum()} with one" in words(ax)


@pytest.mark.parametrize(
    "name",
    [
        "accuracy_by_time",
        "attempts",
        "guttman",
        "pacing",
        "reach",
        "score_against_time",
        "time_against_difficulty",
        "timeline",
        "times",
    ],
)
def test_nothing_to_draw_is_an_error(name, pictures):
    given = [value.iloc[:0] if hasattr(value, "iloc") else value for value in pictures[name]]
    with pytest.raises(lrn.MeasureError, match="nothing to draw"):
        getattr(plots, name)(*given)
    assert not pyplot.get_fignums()


@pytest.mark.parametrize("name", ["times", "accuracy_by_time"])
def test_an_unknown_item_is_an_error(name, pictures):
    *matrices, _ = pictures[name]
    with pytest.raises(lrn.MeasureError, match="times has no item 'item-99': its items are"):
        getattr(plots, name)(*matrices, "item-99")


def test_plots_load_matplotlib_at_the_first_picture():
    script = "import sys, lrnanalysis.plots; print('matplotlib' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"


def test_timelines_leave_out_sessions_whose_times_contradict_each_other(study):
    sessions = study.sessions.head(30).copy()
    ends = sessions["dt_completed"].notna()
    row, other = sessions.index[ends][:2]
    before = words(plots.timeline(sessions))
    sessions.loc[row, "dt_completed"] = sessions.loc[row, "dt_started"] - pd.Timedelta("1h")
    sessions.loc[other, "active_time"] = 1e9
    with pytest.warns(DataWarning):
        ax = plots.timeline(sessions)
    n = int((ends & sessions["active_time"].notna()).sum())
    assert f"n = {n} sessions" in before
    assert f"n = {n - 2} sessions" in words(ax)
    assert "left out: 2 with negative idle time" in words(ax)
    assert min(part.get_width() for part in ax.patches) >= 0
