"""Pictures of time on task: one item's times, accuracy by time, time against difficulty."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from lrnanalysis.errors import MeasureError
from lrnanalysis.measures import effort, scores, timing
from lrnanalysis.measures.effort import Method
from lrnanalysis.plots._style import (
    BLACK,
    BLUE,
    GREY,
    ORANGE,
    label_axes,
    legend_outside,
    name_points,
    new_axes,
    require_data,
    seconds_axis,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["accuracy_by_time", "time_against_difficulty", "times"]

_LINES = ("-", "--", ":", "-.")


def times(
    items: pd.DataFrame,
    item: str,
    *,
    thresholds: Sequence[Method] = ("nt10",),
    bins: int = 40,
    ax: Axes | None = None,
) -> Axes:
    """Draw the distribution of an item's times, right and other answers apart.

    Parameters
    ----------
    items : DataFrame
        The items table.
    item : str
        Its ``item_reference``.
    thresholds : sequence of str, default ("nt10",)
        Rules of `effort.thresholds` whose thresholds are drawn; one that has none says so.
    bins : int, default 40
        Number of bars, equally wide on the logarithmic axis.
    ax : Axes, optional
        Where to draw; by default a new figure.

    Returns
    -------
    Axes
        Time [s] against sessions.

    Raises
    ------
    MeasureError
        The item is not in the table, or none of its times is above 0.

    Examples
    --------
    >>> ax = times(study.items, "item-05", thresholds=["nt10", 5])
    >>> ax.get_xlabel()
    'time on screen [s]'
    """
    rows = items[items["item_reference"] == item]
    if rows.empty:
        raise MeasureError(f"{item!r} is not among the item_reference of this table")
    timed = rows[rows["time"] > 0]
    require_data(timed["time"], "time above 0")
    right = (timed["score"] >= timed["max_score"]).to_numpy()
    low, high = timed["time"].min(), timed["time"].max()
    edges = np.geomspace(low * 0.98, high * 1.02, bins + 1)
    ax = new_axes(ax)
    parts = [timed["time"][right], timed["time"][~right]]
    names = [f"right, n = {right.sum():,}", f"other, n = {(~right).sum():,}"]
    ax.hist(parts, bins=edges.tolist(), stacked=True, color=[BLUE, ORANGE], label=names)
    for rule, line in zip(thresholds, _LINES * len(thresholds), strict=False):
        found = effort.thresholds(rows, rule).loc[item]
        name = f"{rule:g} s fixed" if isinstance(rule, int | float) else str(rule)
        cut = found.to_dict()["threshold"]
        if np.isnan(cut):
            ax.plot([], [], color=BLACK, linestyle=line, label=f"{name}: none")
        else:
            ax.axvline(cut, color=BLACK, linestyle=line, label=f"{name}: {cut:.1f} s")
    seconds_axis(ax)
    legend_outside(ax)
    without = len(rows) - len(timed)
    return label_axes(
        ax,
        x="time on screen [s]",
        y="sessions",
        title=f"Times of {item}",
        caption=f"n = {len(timed):,} with a time above 0, {without:,} without",
    )


def accuracy_by_time(
    items: pd.DataFrame,
    item: str | None = None,
    *,
    chance: float | None = None,
    groups: int = 12,
    ax: Axes | None = None,
) -> Axes:
    """Draw how often answers are right in groups of equal size by time.

    Parameters
    ----------
    items : DataFrame
        The items table.
    item : str, optional
        One item; by default all, each time divided by its item's median.
    chance : float, optional
        Share right at random, drawn as a line.
    groups : int, default 12
        Number of groups, as equally large as ties allow.
    ax : Axes, optional
        Where to draw; by default a new figure.

    Returns
    -------
    Axes
        Time [s], or in medians of its item, against the share of full scores with 95 % Wilson
        intervals.

    Raises
    ------
    MeasureError
        There is no scored answer with a time.

    References
    ----------
    Wilson, E. B. (1927). Probable inference, the law of succession, and statistical inference.
    Journal of the American Statistical Association, 22, 209-212.

    Examples
    --------
    >>> accuracy_by_time(study.items, "item-05", chance=0.25).get_ylabel()
    'share right'
    """
    from lrnanalysis.measures.classical._intervals import wilson_interval

    rows = items if item is None else items[items["item_reference"] == item]
    rows = rows[(rows["time"] > 0) & rows["score"].notna() & (rows["max_score"] > 0)]
    require_data(rows["time"], "scored answer with a time above 0")
    spent = rows["time"]
    if item is None:
        spent = spent / spent.groupby(rows["item_reference"], observed=True).transform("median")
    right = (rows["score"] >= rows["max_score"]).astype(float)
    cut = pd.qcut(spent, groups, duplicates="drop")
    by_group = right.groupby(cut, observed=True)
    share, n = by_group.mean(), by_group.size()
    middle = spent.groupby(cut, observed=True).median()
    found, size = (np.asarray(column, dtype=np.float64) for column in (share, n))
    low, high = wilson_interval(found, size, 0.95)
    ax = new_axes(ax)
    spread = np.abs(np.vstack([share - low, high - share]))
    ax.errorbar(
        middle, share, yerr=spread, color=BLUE, marker="o", capsize=2, label="95 % interval"
    )
    if chance is not None:
        ax.axhline(chance, color=GREY, linestyle="--", label=f"chance {chance:.2f}")
    seconds_axis(ax)
    ax.set_ylim(0, 1)
    ax.legend(frameon=False, fontsize=9)
    return label_axes(
        ax,
        x="time on screen [medians of the item]" if item is None else "time on screen [s]",
        y="share right",
        title="Accuracy by time" if item is None else f"Accuracy by time, {item}",
        caption=f"n = {len(rows):,} answers in {len(share)} groups; right: full score",
    )


def time_against_difficulty(
    items: pd.DataFrame,
    responses: pd.DataFrame | None = None,
    *,
    sessions: pd.DataFrame | None = None,
    labels: bool = True,
    ax: Axes | None = None,
) -> Axes:
    """Draw each item's geometric mean time against its difficulty.

    Parameters
    ----------
    items : DataFrame
        The items table.
    responses, sessions : DataFrame, optional
        As for `scores.score_matrix`: they tell omitted answers and discarded sessions.
    labels : bool, default True
        Write items' names beside their points, as far as there is room.
    ax : Axes, optional
        Where to draw; by default a new figure.

    Returns
    -------
    Axes
        Proportion of points reached (p) against geometric mean time [s].

    Examples
    --------
    >>> time_against_difficulty(study.items, study.responses).get_ylabel()
    'geometric mean time [s]'
    """
    matrix = scores.score_matrix(items, responses, sessions=sessions, value="share")
    difficulty = matrix.mean()
    spent = timing.time_summary(items)["geometric_mean"].reindex(difficulty.index)
    kept = difficulty.notna() & spent.notna()
    require_data(difficulty[kept], "item with scores and times")
    ax = new_axes(ax)
    ax.scatter(difficulty[kept], spent[kept], color=BLUE, s=28, zorder=3)
    seconds_axis(ax, "y")
    ax.set_xlim(-0.02, 1.02)
    if labels:
        names = list(difficulty.index[kept])
        name_points(ax, difficulty[kept], spent[kept], names, np.zeros(len(names)))
    rank = difficulty[kept].corr(spent[kept], method="spearman") if kept.sum() > 2 else np.nan
    said = "" if np.isnan(rank) else f", rank correlation {rank:.2f}"
    return label_axes(
        ax,
        x="proportion of points reached (p): hard to easy",
        y="geometric mean time [s]",
        title="Time against difficulty",
        caption=f"n = {kept.sum()} items, {len(matrix):,} sessions{said}",
    )
