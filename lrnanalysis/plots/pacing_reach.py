"""Pictures of the way through the test: pacing and reach."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from lrnanalysis.arguments import checked
from lrnanalysis.measures import completion, timing
from lrnanalysis.measures._checks import PersonValues, TimeUnit, require_columns
from lrnanalysis.measures.completion import ReachRule
from lrnanalysis.plots import _style as style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["pacing", "reach"]


@checked
def pacing(
    items: pd.DataFrame,
    *,
    limit: pd.Series | None = None,
    band: tuple[float, float] = (0.1, 0.9),
    unit: TimeUnit = "min",
    group: PersonValues | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw cumulative time on screen over the items done: median and band over sessions.

    Parameters
    ----------
    items, limit, band, unit
        As for `lrnanalysis.timing.pacing`; with `limit` shares of the time limits are drawn.
    group : Series, optional
        Group of each session by ``session_id``: one curve per group.
    ax : Axes, optional
        Where to draw; by default a new figure.

    Returns
    -------
    Axes
        Items done against cumulative time [unit], or its share of the limit.

    Raises
    ------
    MeasureError
        No item has a time, or no session a limit or group.

    Examples
    --------
    >>> pacing(study.items).get_ylabel()
    'cumulative time on screen [min]'
    """
    require_columns(items, "session_id", table="items")
    curves = {
        name: timing.pacing(items[members], limit=limit, band=band, unit=unit)
        for name, members in style.split_groups(pd.Index(items["session_id"]), group).items()
    }
    for found in curves.values():
        style.require_data(found["median"], "time on screen")
    ax = style.new_axes(ax)
    for number, (name, found) in enumerate(curves.items()):
        colour, marker = style.line_style(number)
        ax.fill_between(
            found.index, found["low"], found["high"], color=colour, alpha=0.25, linewidth=0
        )
        ax.plot(
            found.index,
            found["median"],
            color=colour,
            marker=marker if name else None,
            markersize=4,
            linewidth=2,
            label=f"{name}, n = {found['n'].max():,}" if name else "median",
        )
    if limit is not None:
        ax.axhline(1, color=style.foreground(ax), linestyle="--", linewidth=1.2, label="time limit")
    ax.set_ylim(bottom=0)
    ax.set_xlim(left=0)
    style.integer_axis(ax)
    style.legend_outside(ax)
    low, high = (f"{100 * share:g}" for share in band)
    n = sum(int(found["n"].max()) for found in curves.values())
    return style.label_axes(
        ax,
        x="items done, in the order shown",
        y=f"cumulative time on screen [{unit}]"
        if limit is None
        else "share of the time limit used",
        title="Pacing",
        caption=f"n = {n:,} sessions, each up to its last item with a time; "
        f"band: {low} to {high} %",
    )


@checked
def reach(
    items: pd.DataFrame,
    responses: pd.DataFrame | None = None,
    *,
    rule: ReachRule = "run",
    ax: Axes | None = None,
) -> Axes:
    """Draw the proportions omitted and not reached by position in the test.

    Parameters
    ----------
    items, responses, rule
        As for `lrnanalysis.completion.reach`.
    ax : Axes, optional
        Where to draw; by default a new figure.

    Returns
    -------
    Axes
        Position against proportion of sessions.

    Raises
    ------
    MeasureError
        The table is empty.

    Examples
    --------
    >>> reach(study.items, study.responses).get_ylabel()
    'proportion of sessions'
    """
    found = completion.reach(items, responses, rule=rule)
    style.require_data(found["answered"], "item shown")
    ax = style.new_axes(ax)
    ax.stackplot(
        found.index,
        found["not_reached"],
        found["omitted"],
        colors=[style.RED, style.ORANGE],
        labels=["not reached", "omitted"],
    )
    most = (found["omitted"] + found["not_reached"]).max()
    ax.set_ylim(0, min(1.0, max(0.05, 1.25 * most)))
    ax.set_xlim(found.index.min(), found.index.max())
    style.integer_axis(ax)
    ax.legend(frameon=False, fontsize=9, loc="upper left")
    return style.label_axes(
        ax,
        x="position in the test",
        y="proportion of sessions",
        title="Omitted and not reached",
        caption=f"n = {found['n'].max():,} sessions; rule for not reached: {rule}",
    )
