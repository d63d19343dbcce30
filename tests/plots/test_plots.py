"""Pictures: what is drawn is what was measured, with units, n and the rule."""

import inspect
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot
from matplotlib.colors import to_hex

import lrnanalysis as lrn
from lrnanalysis import plots
from lrnanalysis.measures import completion, effort, scores, timing
from lrnanalysis.measures.classical._intervals import wilson_interval
from lrnanalysis.plots._style import KINDS


@pytest.fixture(scope="module")
def study():
    return lrn.load_example()


@pytest.fixture(scope="module")
def completed(study):
    return study[study.sessions["status"] == "Completed"]


@pytest.fixture(scope="module")
def model(study):
    return lrn.speed.lognormal(study.items.lrn.time_matrix(sessions=study.sessions))


@pytest.fixture(scope="module")
def psychometrics(study):
    """What the pictures of items and models are drawn from."""
    matrix = study.items.lrn.score_matrix(study.responses, sessions=study.sessions)
    fitted = lrn.irt.fit(matrix[["item-01", "item-04", "item-05", "item-07", "item-09"]], "2PL")
    group = pd.Series(np.where(np.arange(len(matrix)) % 2, "b", "a"), index=matrix.index)
    x, y = np.random.default_rng(1).binomial(20, [[0.5], [0.6]], size=(2, 400))
    base = fitted.items[["model", "a", "b"]]
    return {
        "characteristic_curves": (fitted, "item-07"),
        "information": (fitted,),
        "wright_map": (fitted,),
        "person_fit": (fitted,),
        "local_dependence": (fitted,),
        "difficulty_discrimination": (study.item_analysis(),),
        "distractors": (study.responses.lrn.choices(), matrix, "item-05"),
        "dif": (lrn.dif.mantel_haenszel(matrix, group),),
        "dif_curves": (matrix, group, "item-05"),
        "equating": (lrn.equating.equate(x, y),),
        "linking": (lrn.linking.link(base.assign(b=base["b"] - 0.5), base),),
    }


def draw(name, study, completed, model, psychometrics, **options):
    given = psychometrics | {
        "times": (study.items, "item-05"),
        "accuracy_by_time": (study.items, "item-05"),
        "time_against_difficulty": (study.items, study.responses),
        "score_against_time": (study.sessions,),
        "pacing": (study.items,),
        "reach": (study.items, study.responses),
        "timeline": (study.sessions,),
        "guttman": (study.items, study.responses),
        "effort": (completed.items,),
        "residuals": (model,),
        "attempts": (study.sessions,),
    }
    return getattr(plots, name)(*given[name], **options)


def words(ax):
    # A caption is broken into lines where the axes are narrow.
    texts = [ax.get_title(loc="left"), *(text.get_text() for text in ax.texts)]
    return " ".join(" ".join(texts).split())


def legend(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


@pytest.mark.parametrize("name", plots.__all__)
def test_every_picture_is_labelled_and_drawn_where_asked(
    name, study, completed, model, psychometrics
):
    _, ax = pyplot.subplots()
    assert draw(name, study, completed, model, psychometrics, ax=ax) is ax
    assert ax.get_xlabel()
    assert ax.get_ylabel()
    assert "n = " in words(ax) or "of 308" in words(ax)
    assert ax.has_data()
    ax.figure.draw_without_rendering()


@pytest.mark.parametrize("name", plots.__all__)
def test_without_axes_a_figure_is_made(name, study, completed, model, psychometrics):
    before = dict(pyplot.rcParams)
    ax = draw(name, study, completed, model, psychometrics)
    assert ax.figure.get_size_inches()[0] >= 7
    assert dict(pyplot.rcParams) == before


def test_times_are_those_of_the_item(study):
    ax = plots.times(study.items, "item-05", thresholds=["nt10", "nt20", 5], bins=30)
    rows = study.items[(study.items["item_reference"] == "item-05") & (study.items["time"] > 0)]
    assert sum(bar.get_height() for bar in ax.patches) == len(rows)
    right = int((rows["score"] == rows["max_score"]).sum())
    assert legend(ax)[:2] == [f"right, n = {right}", f"other, n = {len(rows) - right}"]
    lines = [line.get_xdata()[0] for line in ax.lines]
    rules = [effort.thresholds(study.items, rule)["threshold"] for rule in ("nt10", "nt20")]
    assert lines == pytest.approx([rules[0]["item-05"], rules[1]["item-05"], 5])
    assert ax.get_xscale() == "log"
    assert ax.get_xlabel() == "time on screen [s]"


def test_a_rule_without_a_threshold_says_so(study):
    few = study.items[study.items["item_reference"] == "item-05"].head(3)
    ax = plots.times(few, "item-05", thresholds=["mixture"])
    assert "mixture: none" in legend(ax)


def test_accuracy_is_the_share_right_in_each_group(study):
    ax = plots.accuracy_by_time(study.items, "item-05", chance=0.25, groups=4)
    rows = study.items[(study.items["item_reference"] == "item-05") & (study.items["time"] > 0)]
    rows = rows[rows["score"].notna()]
    right = rows["score"] >= rows["max_score"]
    wanted = right.groupby(pd.qcut(rows["time"], 4), observed=True).mean()
    shown = ax.lines[0].get_ydata()
    assert np.asarray(shown, dtype=float) == pytest.approx(wanted.to_numpy(dtype=float))
    (segments,) = [c.get_segments() for c in ax.collections]
    assert all(low[1] <= y <= high[1] for (low, high), y in zip(segments, shown, strict=True))
    n = rows.groupby(pd.qcut(rows["time"], 4), observed=True).size().to_numpy(dtype=float)
    ends = np.array([[low[1], high[1]] for low, high in segments]).T
    assert ends == pytest.approx(np.array(wilson_interval(wanted.to_numpy(), n, 0.95)))
    assert "chance 0.25" in legend(ax)


def test_difficulty_and_time_of_each_item(study):
    ax = plots.time_against_difficulty(study.items, study.responses)
    points = ax.collections[0].get_offsets()
    p = scores.score_matrix(study.items, study.responses, value="share").mean()
    spent = timing.time_summary(study.items)["geometric_mean"].reindex(p.index)
    assert np.asarray(points) == pytest.approx(np.column_stack([p, spent]))
    assert {"item-01", "item-20"} <= {text.get_text() for text in ax.texts}


def test_scores_and_times_of_sessions(study):
    ax = plots.score_against_time(study.sessions, unit="min")
    points = np.asarray(ax.collections[0].get_offsets())
    scored = study.sessions[study.sessions["score"].notna() & study.sessions["active_time"].notna()]
    assert points[:, 0] == pytest.approx(scored["active_time"].to_numpy() / 60)
    assert points[:, 1] == pytest.approx((100 * scored["score"] / scored["max_score"]).to_numpy())
    assert len(ax.lines[0].get_xdata()) == 5


def test_pacing_shows_median_band_and_limit(study):
    found = timing.pacing(study.items, sessions=study.sessions, unit="min")
    ax = plots.pacing(study.items, sessions=study.sessions)
    assert ax.lines[0].get_ydata() == pytest.approx(found["median"].to_numpy())
    limit = study.sessions["max_time"].iloc[0] / 60
    assert ax.lines[1].get_ydata()[0] == pytest.approx(limit)
    assert ax.get_ylabel() == "cumulative time on screen [min]"
    assert legend(ax) == ["10 to 90 %", "median", "time limit"]
    shares = plots.pacing(study.items, of="limit", sessions=study.sessions)
    assert shares.lines[1].get_ydata()[0] == 1
    assert "time limit" not in legend(plots.pacing(study.items))


def test_reach_is_stacked(study):
    found = completion.reach(study.items, study.responses)
    ax = plots.reach(study.items, study.responses)
    top = ax.collections[1].get_paths()[0].vertices[:, 1].max()
    assert top == pytest.approx((found["omitted"] + found["not_reached"]).max())
    assert "rule for not reached: run" in words(ax)


def test_timeline_adds_active_and_idle_time(study):
    ax = plots.timeline(study.sessions, most=10)
    idle = timing.idle_time(study.sessions, unit="min").nlargest(10)
    bars = ax.patches
    assert len(bars) == 20
    ends = sorted(bar.get_x() + bar.get_width() for bar in bars[10:])
    elapsed = timing.elapsed_time(study.sessions, unit="min")[idle.index]
    assert ends == pytest.approx(sorted(elapsed))


def test_guttman_order_and_colours(study):
    ax = plots.guttman(study.items, study.responses)
    (image,) = ax.images
    cells = image.get_array()
    kinds = scores.cell_codes(study.items, study.responses)
    assert cells.shape == kinds.shape
    names = list(KINDS)
    for name in names:
        assert (cells == names.index(name)).sum() == (kinds == name).to_numpy().sum()
    worth = np.isin(cells, [names.index("right")])
    assert worth[:20].mean() > worth[-20:].mean()
    assert worth[:, :3].mean() > worth[:, -3:].mean()
    shown = [to_hex(handle.get_facecolor()) for handle in ax.get_legend().legend_handles]
    assert len(set(shown)) == len(shown) == len(legend(ax))
    small = plots.guttman(study.items, study.responses, most=50)
    assert small.images[0].get_array().shape[0] == 50
    assert "50 of them drawn" in words(small)


def test_effort_counts_sessions(completed):
    ax = plots.effort(completed.items, "nt20", minimum=0.85)
    rte = effort.response_time_effort(completed.items, "nt20")
    assert sum(bar.get_height() for bar in ax.patches) == len(rte)
    assert f"{(rte < 0.85).sum()} below 0.85" in words(ax)
    assert "nt20" in words(ax)


def test_residuals_add_up_to_one(model):
    ax = plots.residuals(model)
    area = sum(bar.get_height() * bar.get_width() for bar in ax.patches[:80])
    assert area == pytest.approx(1)
    beyond = sum(bar.get_height() * bar.get_width() for bar in ax.patches[80:])
    found = model.residuals().to_numpy()
    found = found[~np.isnan(found)]
    assert beyond == pytest.approx((np.abs(found) > 1.96).mean())


def test_attempts_draw_learners_with_several(study):
    ax = plots.attempts(study.sessions)
    number = scores.attempt_number(study.sessions)
    scored = study.sessions[number.notna() & study.sessions["score"].notna()]
    several = scored.groupby("user_id").size()
    assert len(ax.lines) == (several > 1).sum() + 1
    assert f"n = {(several > 1).sum()} learners" in words(ax)


@pytest.mark.parametrize(
    "name", ["accuracy_by_time", "score_against_time", "pacing", "reach", "timeline", "attempts"]
)
def test_nothing_to_draw_is_an_error(name, study):
    table = "sessions" if name in ("score_against_time", "timeline", "attempts") else "items"
    with pytest.raises(lrn.MeasureError):
        getattr(plots, name)(getattr(study, table).iloc[:0])


def test_an_unknown_item_is_an_error(study):
    with pytest.raises(lrn.MeasureError, match="'item-99' is not among"):
        plots.times(study.items, "item-99")


def test_the_namespace_forwards_to_the_pictures(study, completed):
    ax = study.items.lrn.plot.times("item-05", thresholds=["nt20"], bins=12)
    assert len(ax.patches) == 24
    assert study.sessions.lrn.plot.timeline(most=5).get_ylabel() == "5 sessions"
    classes = {
        "sessions": lrn.accessor.SessionsPlots,
        "responses": lrn.accessor.ResponsesPlots,
        "items": lrn.accessor.ItemsPlots,
    }
    for table, class_ in classes.items():
        names = {n for n, f in vars(class_).items() if inspect.isfunction(f) and n[0] != "_"}
        assert names <= set(plots.__all__)
        assert {n for n in dir(getattr(study, table).lrn.plot) if n[0] != "_"} == names
    matrix = study.items.lrn.score_matrix(study.responses, sessions=study.sessions)
    traced = study.responses.lrn.plot.distractors(matrix, "item-05", key={"item-05": "0"})
    assert "0 (key), 67%" in legend(traced)


def test_plots_load_matplotlib_at_the_first_picture():
    script = "import sys, lrnanalysis.plots; print('matplotlib' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"


def test_pictures_share_a_grid(study, completed, model, psychometrics):
    figure, axes = pyplot.subplots(2, 3, figsize=(12, 7), layout="constrained")
    some = ["distractors", "dif", "local_dependence", "information", "wright_map", "reach"]
    for name, ax in zip(some, axes.flat, strict=True):
        draw(name, study, completed, model, psychometrics, ax=ax)
    figure.draw_without_rendering()
    for ax in axes.flat:
        # Captions are as wide as the axes at most, and squeeze none.
        assert ax.get_position().width > 0.15
        (caption,) = [text for text in ax.texts if "n = " in text.get_text()]
        assert caption.get_window_extent().width < 1.2 * ax.get_window_extent().width
