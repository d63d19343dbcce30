"""Pictures of time on task: one item's times, accuracy by time, time against difficulty."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from lrnanalysis.arguments import checked
from lrnanalysis.measures import effort
from lrnanalysis.measures._checks import check_fraction, check_label_kinds
from lrnanalysis.measures._times import times_above_0
from lrnanalysis.measures.effort import Method
from lrnanalysis.plots import _style as style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["accuracy_by_time", "time_against_difficulty", "times"]

#: Shares from here on are full scores: sums of decimals round.
_FULL = 1 - 1e-9

_LINES = ("-", "--", ":", "-.")


@checked
def times(
    times: pd.DataFrame,
    item: Hashable,
    *,
    thresholds: Sequence[Method] = ("nt10",),
    scores: pd.DataFrame | None = None,
    bins: int = 40,
    ax: Axes | None = None,
) -> Axes:
    """Draw the distribution of an item's times with thresholds of rapid guessing.

    Parameters
    ----------
    times : DataFrame, persons × items
        Times [s] of answered items, NaN elsewhere.
    item : label
        The item to draw.
    thresholds : sequence of str or float, default ("nt10",)
        Rules of `lrnanalysis.effort.thresholds` whose thresholds are drawn as lines; the legend
        names those that find none.
    scores : DataFrame, persons × items, optional
        Shares of the maximum score (0 to 1): full and other scores are drawn apart, and rules
        that need scores can be used.
    bins : int, default 40
        Number of bars, equally wide on the logarithmic axis.
    ax : Axes, optional
        Where to draw; by default a new figure.

    Returns
    -------
    Axes
        Time [s] against number of persons.

    Raises
    ------
    MeasureError
        The item is not in the matrix, or none of its times is above 0.

    Examples
    --------
    >>> analysis = study.analysis(value="share")
    >>> times(analysis.times, "item-05", thresholds=["nt10", 5]).get_xlabel()
    'time on screen [s]'
    """
    style.item_position(times, item, "times")
    times = times_above_0(times)
    spent = times[item].dropna()
    style.require_data(spent, "time above 0")
    parts, colours, names = [spent], [style.BLUE], ["answers"]
    if scores is not None:
        style.item_position(scores, item, "scores")
        correct = scores[item].reindex(spent.index) >= _FULL
        parts, colours, names = (
            [spent[correct], spent[~correct]],
            [style.BLUE, style.ORANGE],
            ["correct", "other"],
        )
    edges = np.geomspace(spent.min() * 0.98, spent.max() * 1.02, bins + 1)
    labels = [f"{name}, n = {len(part):,}" for name, part in zip(names, parts, strict=True)]
    ax = style.new_axes(ax)
    ax.hist(parts, bins=edges.tolist(), stacked=True, color=colours, label=labels)
    own_scores = None if scores is None else scores[[item]]
    for rule, line in zip(thresholds, _LINES * len(thresholds), strict=False):
        found = effort.thresholds(times[[item]], rule, scores=own_scores)
        name = f"{rule:g} s fixed" if isinstance(rule, int | float) else str(rule)
        cut = float(found["threshold"].iloc[0])
        label = f"{name}: none" if np.isnan(cut) else f"{name}: {cut:.1f} s"
        ax.axvline(cut, color=style.foreground(ax), linestyle=line, label=label)
    style.seconds_axis(ax)
    style.legend_outside(ax)
    noun = style.row_noun(times)
    return style.label_axes(
        ax,
        x="time on screen [s]",
        y=noun,
        title=f"Times of {item}",
        caption=f"n = {len(spent):,} {noun} with a time above 0, {len(times) - len(spent):,} "
        "without",
    )


@checked
def accuracy_by_time(
    times: pd.DataFrame,
    scores: pd.DataFrame,
    item: Hashable | None = None,
    *,
    chance: float | None = None,
    groups: int = 12,
    ax: Axes | None = None,
) -> Axes:
    """Draw the proportion correct in groups of equal size by time.

    Parameters
    ----------
    times : DataFrame, persons × items
        Times [s] of answered items, NaN elsewhere.
    scores : DataFrame, persons × items
        Shares of the maximum score (0 to 1); an answer is correct if it has the full score.
    item : label, optional
        One item; by default all, each time divided by the median of its item.
    chance : float, optional
        Proportion correct expected of guessing, drawn as a line.
    groups : int, default 12
        Number of groups, as equally large as ties allow.
    ax : Axes, optional
        Where to draw; by default a new figure.

    Returns
    -------
    Axes
        Time [s], or in medians of its item, against the proportion correct with 95 % Wilson
        intervals.

    Raises
    ------
    MeasureError
        The item is not in the matrices, or there is no scored answer with a time.

    References
    ----------
    Wilson, E. B. (1927). Probable inference, the law of succession, and statistical inference.
    Journal of the American Statistical Association, 22, 209-212.

    Examples
    --------
    >>> analysis = study.analysis(value="share")
    >>> accuracy_by_time(analysis.times, analysis.scores, "item-05", chance=0.25).get_ylabel()
    'proportion correct'
    """
    from lrnanalysis.measures.classical._intervals import wilson_interval

    if chance is not None:
        check_fraction("chance", chance, ends=True)
    noun = style.row_noun(times)
    if item is not None:
        style.item_position(times, item, "times")
        times = times[[item]]
    for name, own, other in (
        ("the persons' index", scores.index, times.index),
        ("the items' index", scores.columns, times.columns),
    ):
        check_label_kinds(name, own, other, where=("scores", "times"))
    scores = scores.reindex(index=times.index, columns=times.columns)
    times = times_above_0(times).where(scores.notna())
    if item is None:
        times = times / times.median()
    used = times.notna().to_numpy(dtype=bool)
    answers = pd.DataFrame(
        {"time": times.to_numpy()[used], "correct": scores.to_numpy()[used] >= _FULL}
    )
    style.require_data(answers, "scored answer with a time above 0")
    by_group = answers.groupby(pd.qcut(answers["time"], groups, duplicates="drop"), observed=True)
    middle, share, n = (
        values.to_numpy().astype(np.float64)
        for values in (by_group["time"].median(), by_group["correct"].mean(), by_group.size())
    )
    low, high = wilson_interval(share, n, 0.95)
    ax = style.new_axes(ax)
    style.interval_points(
        ax, middle, share, low, high, linestyle="-", color=style.BLUE, label="95 % interval"
    )
    if chance is not None:
        ax.axhline(chance, color=style.GREY, linestyle="--", label=f"chance {chance:.2f}")
    style.seconds_axis(ax)
    ax.set_ylim(0, 1)
    ax.legend(frameon=False, fontsize=9)
    return style.label_axes(
        ax,
        x="time on screen [medians of the item]" if item is None else "time on screen [s]",
        y="proportion correct",
        title="Accuracy by time" if item is None else f"Accuracy by time, {item}",
        caption=f"n = {used.any(axis=1).sum():,} {noun}, {len(answers):,} answers in {len(share)} "
        "groups by time; correct: full score",
    )


@checked
def time_against_difficulty(
    times: pd.DataFrame, scores: pd.DataFrame, *, labels: bool = True, ax: Axes | None = None
) -> Axes:
    """Draw the geometric mean time of each item against its difficulty.

    Parameters
    ----------
    times : DataFrame, persons × items
        Times [s] of answered items, NaN elsewhere.
    scores : DataFrame, persons × items
        Shares of the maximum score (0 to 1).
    labels : bool, default True
        Write the names of items beside their points, as far as there is room.
    ax : Axes, optional
        Where to draw; by default a new figure.

    Returns
    -------
    Axes
        Item difficulty p against geometric mean time [s].

    Raises
    ------
    MeasureError
        No item has both scores and times.

    Examples
    --------
    >>> analysis = study.analysis(value="share")
    >>> time_against_difficulty(analysis.times, analysis.scores).get_ylabel()
    'geometric mean time [s]'
    """
    table = pd.DataFrame({"p": scores.mean(), "time": np.exp(np.log(times_above_0(times)).mean())})
    table = table.dropna()
    style.require_data(table, "item with scores and times")
    ax = style.new_axes(ax)
    ax.scatter(table["p"], table["time"], color=style.BLUE, s=28, zorder=3)
    style.seconds_axis(ax, "y")
    ax.set_xlim(-0.02, 1.02)
    ax.margins(y=0.1)
    rank = table["p"].corr(table["time"], method="spearman") if len(table) > 2 else np.nan
    correlation = "" if np.isnan(rank) else f"; rank correlation {rank:.2f}"
    style.label_axes(
        ax,
        x="item difficulty p [proportion of points]",
        y="geometric mean time [s]",
        title="Time against difficulty",
        caption=f"n = {len(scores):,} {style.row_noun(scores)}, {len(table)} items{correlation}",
    )
    if labels:
        style.name_points(ax, table["p"], table["time"], list(table.index), np.zeros(len(table)))
    return ax
