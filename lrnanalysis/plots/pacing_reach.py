"""Pictures of the way through the test: pacing and reach."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import pandas as pd

from lrnanalysis.measures import completion, timing
from lrnanalysis.measures._checks import TimeUnit
from lrnanalysis.measures.completion import ReachRule
from lrnanalysis.plots._style import (
    BLACK,
    BLUE,
    ORANGE,
    RED,
    SKY,
    label_axes,
    new_axes,
    require_data,
    whole_axis,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["pacing", "reach"]


def pacing(
    items: pd.DataFrame,
    *,
    of: Literal["time", "limit"] = "time",
    sessions: pd.DataFrame | None = None,
    band: tuple[float, float] = (0.1, 0.9),
    unit: TimeUnit = "min",
    ax: Axes | None = None,
) -> Axes:
    """Draw cumulative time on screen over the items done: median, band and time limit.

    Parameters
    ----------
    items, of, sessions, band, unit
        As for `time.pacing`.
    ax : Axes, optional
        Where to draw; by default a new figure.

    Returns
    -------
    Axes
        Items done against cumulative time [unit], or its share of the limit.

    Examples
    --------
    >>> pacing(study.items, sessions=study.sessions).get_ylabel()
    'cumulative time on screen [min]'
    """
    found = timing.pacing(items, of=of, sessions=sessions, band=band, unit=unit)
    require_data(found["median"], "time on screen")
    ax = new_axes(ax)
    low, high = (f"{100 * share:g}" for share in band)
    ax.fill_between(
        found.index, found["low"], found["high"], color=SKY, alpha=0.45, label=f"{low} to {high} %"
    )
    ax.plot(found.index, found["median"], color=BLUE, linewidth=2, label="median")
    limit = 1.0 if of == "limit" else _limit(sessions, unit)
    if limit is not None:
        ax.axhline(limit, color=BLACK, linestyle="--", linewidth=1.2, label="time limit")
    ax.set_ylim(bottom=0)
    ax.set_xlim(left=0)
    whole_axis(ax)
    ax.legend(frameon=False, fontsize=9, loc="lower right")
    share = of == "limit"
    return label_axes(
        ax,
        x="items done, in the order shown",
        y="share of the time limit used" if share else f"cumulative time on screen [{unit}]",
        title="Pacing",
        caption=f"n = {found['n'].max():,} sessions; each up to its last item with a time",
    )


def _limit(sessions: pd.DataFrame | None, unit: TimeUnit) -> float | None:
    """The time limit, where all sessions have the same."""
    if sessions is None or sessions["max_time"].nunique() != 1:
        return None
    return float(sessions["max_time"].dropna().iloc[0]) / {"s": 1, "min": 60, "h": 3600}[unit]


def reach(
    items: pd.DataFrame,
    responses: pd.DataFrame | None = None,
    *,
    rule: ReachRule = "run",
    sessions: pd.DataFrame | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw the shares omitted and not reached by position in the test.

    Parameters
    ----------
    items, responses, rule, sessions
        As for `completion.reach`.
    ax : Axes, optional
        Where to draw; by default a new figure.

    Returns
    -------
    Axes
        Position against share of sessions.

    Examples
    --------
    >>> reach(study.items, study.responses).get_ylabel()
    'share of sessions'
    """
    found = completion.reach(items, responses, rule=rule, sessions=sessions)
    require_data(found["answered"], "item shown")
    ax = new_axes(ax)
    ax.stackplot(
        found.index,
        found["not_reached"],
        found["omitted"],
        colors=[RED, ORANGE],
        labels=["not reached", "omitted"],
    )
    most = (found["omitted"] + found["not_reached"]).max()
    ax.set_ylim(0, min(1.0, max(0.05, 1.25 * most)))
    ax.set_xlim(found.index.min(), found.index.max())
    whole_axis(ax)
    ax.legend(frameon=False, fontsize=9, loc="upper left")
    return label_axes(
        ax,
        x="position in the test",
        y="share of sessions",
        title="Omitted and not reached",
        caption=f"n = {found['n'].max():,} sessions; rule for not reached: {rule}",
    )
