"""Pictures of sessions: score against time, timelines, attempts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from lrnanalysis.arguments import checked
from lrnanalysis.measures import scores, timing
from lrnanalysis.measures._checks import PersonValues, TimeUnit
from lrnanalysis.plots import _style as style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["attempts", "score_against_time", "timeline"]

#: Ticks of a time axis [min].
_CLOCK = [1, 5, 20, 60, 240, 1440, 4320, 14400, 43200, 432000]
_CLOCK_LABELS = ["1 min", "5 min", "20 min", "1 h", "4 h", "1 d", "3 d", "10 d", "30 d", "300 d"]

#: Fewer sessions than this have no medians by time.
_FEW = 25


@checked
def score_against_time(
    sessions: pd.DataFrame,
    *,
    unit: TimeUnit = "min",
    group: PersonValues | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw the score of each session in percent against its active time.

    Parameters
    ----------
    sessions : DataFrame
        The sessions table.
    unit : {"s", "min", "h"}, default "min"
        Unit of time.
    group : Series, optional
        Group of each session, by ``session_id``: one colour per group.
    ax : Axes, optional
        Where to draw; by default a new figure.

    Returns
    -------
    Axes
        Active time [unit] against score [% of points], with medians of fifths by time where there
        are 25 sessions or more.

    Raises
    ------
    MeasureError
        No session has both, or none has a group.

    Examples
    --------
    >>> score_against_time(study.sessions).get_xlabel()
    'active time [min]'
    """
    spent = timing.session_active_time(sessions, unit=unit)
    percent = scores.score_percent(sessions)
    table = pd.DataFrame({"spent": spent, "percent": percent})
    style.require_data(table.dropna(), "session with score and active time")
    groups = style.split_groups(pd.Index(sessions["session_id"]), group)
    parts = {name: table[members].dropna() for name, members in groups.items()}
    ax = style.new_axes(ax)
    for number, (name, part) in enumerate(parts.items()):
        colour, marker = style.line_style(number)
        label = f"{name}, n = {len(part):,}" if name else "sessions"
        ax.scatter(
            part["spent"],
            part["percent"],
            color=colour,
            marker=marker,
            alpha=0.6,
            s=18,
            linewidth=0,
            label=label,
        )
        if len(part) >= _FEW:
            fifths = part.groupby(pd.qcut(part["spent"], 5, duplicates="drop"), observed=True)
            ax.plot(
                *fifths.median().to_numpy().T,
                color=colour if name else style.ORANGE,
                marker=marker if name else "s",
                linewidth=2,
                label=None if name else "medians of fifths by time",
            )
    n = sum(map(len, parts.values()))
    ax.set_xlim(left=0)
    ax.set_ylim(0, 102)
    style.legend_outside(ax)
    lines = "; lines: medians of fifths by time" if group is not None else ""
    return style.label_axes(
        ax,
        x=f"active time [{unit}]",
        y="score [% of points]",
        title="Score against time",
        caption=f"n = {n:,} sessions with score and time of {len(sessions):,}{lines}"
        f"{_unmarked(percent)}",
    )


@checked
def timeline(sessions: pd.DataFrame, *, most: int = 40, ax: Axes | None = None) -> Axes:
    """Draw timelines of sessions: active and idle time since their start.

    Parameters
    ----------
    sessions : DataFrame
        The sessions table.
    most : int, default 40
        Maximum number of sessions: those with the longest idle time are drawn.
    ax : Axes, optional
        Where to draw; by default a new figure.

    Returns
    -------
    Axes
        Time since the start, on a logarithmic axis, against sessions. The data do not tell when
        in a session its pauses were: a bar shows active time first, then idle time.

    Raises
    ------
    MeasureError
        No session has both a start and an end.

    Examples
    --------
    >>> timeline(study.sessions).get_xlabel()
    'time since start (logarithmic)'
    """
    idle = timing.idle_time(sessions, unit="min").dropna().sort_values(ascending=False)
    active = timing.session_active_time(sessions.loc[idle.index], unit="min")
    style.require_data(idle, "session with start and completion")
    # Timestamps are whole seconds: up to 1 s less than nothing is rounding, not a fault.
    faulty = idle < -1 / 60
    idle = idle[~faulty]
    style.require_data(idle, "session whose items' times fit between its start and its end")
    order = idle.index[:most][::-1]
    ax = style.new_axes(ax, height=max(3.0, 0.14 * len(order) + 1.4))
    rows = np.arange(len(order))
    ax.barh(rows, active[order], color=style.BLUE, height=0.75, label="active: items on screen")
    ax.barh(
        rows,
        idle[order].clip(lower=0),
        left=active[order],
        color=style.SKY,
        height=0.75,
        label="idle: paused or saved",
    )
    ax.set_yticks([])
    ax.set_ylim(-0.8, len(order) - 0.2)
    ax.set_xscale("log")
    high = ax.get_xlim()[1]
    ax.set_xticks(_CLOCK, _CLOCK_LABELS)
    ax.set_xlim(1, high)
    ax.minorticks_off()
    style.legend_outside(ax)
    drawn = f"; drawn: the {len(order):,} with the longest idle time" * (len(order) < len(idle))
    return style.label_axes(
        ax,
        x="time since start (logarithmic)",
        y="sessions, by idle time",
        title="Session timelines",
        caption=f"n = {len(idle):,} sessions with start and completion{drawn}; "
        "idle = elapsed − active"
        + f"; left out: {faulty.sum():,} with negative idle time"
        * bool(faulty.any()),
    )


@checked
def attempts(sessions: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw scores over attempts, one line per learner with several.

    Parameters
    ----------
    sessions : DataFrame
        The sessions table; attempts are counted as by `lrnanalysis.scores.attempt_number`.
    ax : Axes, optional
        Where to draw; by default a new figure.

    Returns
    -------
    Axes
        Attempt against score [% of points]: one line per learner and activity, and the mean at
        each attempt.

    Raises
    ------
    MeasureError
        No session has a score.

    Examples
    --------
    >>> attempts(study.sessions).get_xlabel()
    'attempt'
    """
    percent = scores.score_percent(sessions)
    table = pd.DataFrame(
        {
            "number": scores.attempt_number(sessions),
            "percent": percent,
            "learner": sessions.groupby(["user_id", "activity_id"], observed=True).ngroup(),
        }
    ).dropna()
    style.require_data(table, "scored session")
    table["number"] = table["number"].astype(int)
    scored = table.groupby("learner")["learner"].transform("size")
    several = table[scored > 1].sort_values("number")
    ax = style.new_axes(ax)
    for _, one in several.groupby("learner"):
        ax.plot(
            one["number"], one["percent"], color=style.GREY, linewidth=0.8, marker=".", alpha=0.7
        )
    by_number = several.groupby("number")["percent"].agg(["mean", "size"])
    ax.plot(by_number.index, by_number["mean"], color=style.ORANGE, marker="s", linewidth=2.2)
    for number, (mean, n) in by_number.iterrows():
        ax.annotate(
            f"n = {n:.0f}", (number, mean), xytext=(8, 8), textcoords="offset points", fontsize=9
        )
    ax.set_xticks(range(1, max(2, table["number"].max()) + 1))
    ax.set_ylim(0, 102)
    return style.label_axes(
        ax,
        x="attempt",
        y="score [% of points]",
        title="Scores over attempts",
        caption=f"n = {several['learner'].nunique():,} learners with several scored attempts; "
        f"orange: mean; not drawn: {(scored == 1).sum():,} with one{_unmarked(percent)}",
    )


def _unmarked(percent: pd.Series) -> str:
    """What the percentages of sessions with points that await a mark are."""
    n = percent.attrs["rows_with_unmarked_points"]
    return f"; % of the points marked so far: {n:,} sessions" if n else ""
