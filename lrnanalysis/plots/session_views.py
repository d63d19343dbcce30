"""Pictures of sessions: score against time, the clock on the wall, attempts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from lrnanalysis.measures import scores, timing
from lrnanalysis.measures._checks import TimeUnit
from lrnanalysis.plots._style import (
    BLUE,
    GREY,
    ORANGE,
    SKY,
    label_axes,
    legend_outside,
    new_axes,
    require_data,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["attempts", "score_against_time", "timeline"]

#: Minutes → how a clock says them.
_CLOCK = {
    1: "1 min",
    5: "5 min",
    20: "20 min",
    60: "1 h",
    240: "4 h",
    1440: "1 d",
    4320: "3 d",
    14400: "10 d",
    43200: "30 d",
    432000: "300 d",
}


def score_against_time(
    sessions: pd.DataFrame, *, unit: TimeUnit = "min", ax: Axes | None = None
) -> Axes:
    """Draw each session's score in percent against its active time.

    Parameters
    ----------
    sessions : DataFrame
        The sessions table.
    unit : {"s", "min", "h"}, default "min"
        Unit of time.
    ax : Axes, optional
        Where to draw; by default a new figure.

    Returns
    -------
    Axes
        Active time [unit] against score [%], with medians of five groups by time.

    Raises
    ------
    MeasureError
        No session has both.

    Examples
    --------
    >>> score_against_time(study.sessions).get_xlabel()
    'active time [min]'
    """
    spent = timing.session_active_time(sessions, unit=unit)
    percent = scores.score_percent(sessions)
    kept = spent.notna() & percent.notna()
    require_data(spent[kept], "session with score and active time")
    spent, percent = spent[kept], percent[kept]
    ax = new_axes(ax)
    ax.scatter(spent, percent, color=BLUE, alpha=0.45, s=18, linewidth=0, label="a session")
    if len(spent) >= 25:
        cut = pd.qcut(spent, 5, duplicates="drop")
        ax.plot(
            spent.groupby(cut, observed=True).median(),
            percent.groupby(cut, observed=True).median(),
            color=ORANGE,
            marker="s",
            linewidth=2,
            label="medians of fifths by time",
        )
    ax.set_xlim(left=0)
    ax.set_ylim(0, 102)
    legend_outside(ax)
    return label_axes(
        ax,
        x=f"active time [{unit}]",
        y="score [% of points]",
        title="Score against time",
        caption=f"n = {len(spent):,} scored sessions, {(~kept).sum():,} without score or time",
    )


def timeline(sessions: pd.DataFrame, *, most: int = 40, ax: Axes | None = None) -> Axes:
    """Draw sessions on the clock on the wall: time on screen and the gaps beside it.

    Parameters
    ----------
    sessions : DataFrame
        The sessions table.
    most : int, default 40
        Draw so many, those with the longest idle time.
    ax : Axes, optional
        Where to draw; by default a new figure.

    Returns
    -------
    Axes
        Time since the start, on a logarithmic axis, against sessions. When in a session its gaps
        lie is not in the record: the bar shows active time first, then idle time.

    Raises
    ------
    MeasureError
        No session has both a start and an end.

    Examples
    --------
    >>> timeline(study.sessions).get_xlabel()
    'time since start (logarithmic)'
    """
    elapsed = timing.elapsed_time(sessions, unit="min")
    active = timing.session_active_time(sessions, unit="min")
    idle = (elapsed - active).dropna().sort_values(ascending=False).head(most)
    require_data(idle, "session with start and completion")
    order = idle.index[::-1]
    ax = new_axes(ax, height=max(3.0, 0.14 * len(order) + 1.4))
    rows = np.arange(len(order))
    ax.barh(rows, active[order], color=BLUE, height=0.75, label="active: items on screen")
    ax.barh(
        rows,
        idle[order].clip(lower=0),
        left=active[order],
        color=SKY,
        height=0.75,
        label="idle: paused or saved",
    )
    ax.set_yticks([])
    ax.set_xscale("log")
    ax.set_xlim(left=1)
    high = ax.get_xlim()[1]
    ax.set_xticks([at for at in _CLOCK if at <= high], [_CLOCK[at] for at in _CLOCK if at <= high])
    ax.minorticks_off()
    ax.legend(frameon=False, fontsize=9, loc="lower right")
    return label_axes(
        ax,
        x="time since start (logarithmic)",
        y=f"{len(order)} sessions",
        title="Sessions by the clock on the wall",
        caption=f"the {len(order)} with the longest idle time of {elapsed.notna().sum():,}; "
        "idle = elapsed - active",
    )


def attempts(sessions: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw scores over attempts, a line a learner with more than one.

    Parameters
    ----------
    sessions : DataFrame
        The sessions table; discarded sessions count as no attempt.
    ax : Axes, optional
        Where to draw; by default a new figure.

    Returns
    -------
    Axes
        Attempt against score [%]: the lines of learners, and the mean of those with each attempt.

    Raises
    ------
    MeasureError
        No session has a score.

    Examples
    --------
    >>> attempts(study.sessions).get_xlabel()
    'attempt'
    """
    found = pd.DataFrame(
        {
            "number": scores.attempt_number(sessions),
            "percent": scores.score_percent(sessions),
            "who": sessions["user_id"] + "\n" + sessions["activity_id"].astype("str"),
        }
    ).dropna()
    require_data(found["percent"], "scored session")
    found["number"] = found["number"].astype(int)
    several = found[found.groupby("who")["who"].transform("size") > 1].sort_values("number")
    ax = new_axes(ax)
    for _, one in several.groupby("who"):
        ax.plot(one["number"], one["percent"], color=GREY, linewidth=0.8, marker=".", alpha=0.7)
    by_number = several.groupby("number")["percent"].agg(["mean", "size"])
    ax.plot(by_number.index, by_number["mean"], color=ORANGE, marker="s", linewidth=2.2)
    for number, (mean, n) in by_number.iterrows():
        ax.annotate(
            f"n = {n:.0f}", (number, mean), xytext=(8, 8), textcoords="offset points", fontsize=9
        )
    ax.set_xticks(range(1, max(2, found["number"].max()) + 1))
    ax.set_ylim(0, 102)
    once = found["who"].nunique() - several["who"].nunique()
    return label_axes(
        ax,
        x="attempt",
        y="score [% of points]",
        title="Scores over attempts",
        caption=f"n = {several['who'].nunique():,} learners with several scored attempts (orange: "
        f"their mean); {once:,} with one are not drawn",
    )
