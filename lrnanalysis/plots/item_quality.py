"""Pictures of classical item analysis: difficulty against discrimination, distractors."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from lrnanalysis.errors import MeasureError
from lrnanalysis.measures._checks import require_columns
from lrnanalysis.measures.item_analysis import ItemAnalysis
from lrnanalysis.plots._style import (
    GREY,
    label_axes,
    legend_outside,
    line_style,
    name_points,
    new_axes,
    require_data,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["difficulty_discrimination", "distractors"]

#: Columns of item statistics in words.
_WORDS = {
    "p": "proportion of points reached (p): hard to easy",
    "p_administered": "proportion of points of all (p): hard to easy",
    "p_reached": "proportion of points of those who reached it (p): hard to easy",
    "p_attempted": "proportion of points of those who answered (p): hard to easy",
    "item_rest_r": "item–rest correlation",
    "item_total_r": "item–total correlation",
    "point_biserial": "point-biserial correlation",
    "biserial": "biserial correlation",
    "biserial_rest": "biserial correlation with the rest",
    "upper_lower": "upper less lower group's share of points",
    "efficiency": "discriminative efficiency",
}


def difficulty_discrimination(
    statistics: pd.DataFrame | ItemAnalysis,
    flags: pd.DataFrame | None = None,
    *,
    difficulty: str = "p",
    discrimination: str = "item_rest_r",
    labels: bool = True,
    ax: Axes | None = None,
) -> Axes:
    """Draw every item's discrimination against its difficulty, with its flags.

    Parameters
    ----------
    statistics : DataFrame or ItemAnalysis
        What `lrnanalysis.classical.item_statistics` or ``item_analysis`` gave.
    flags : DataFrame, optional
        What `lrnanalysis.classical.flags` gave; by default those of the item analysis, or the
        usual rules applied to the statistics. An empty table draws none.
    difficulty, discrimination : str, default "p", "item_rest_r"
        Columns to draw.
    labels : bool, default True
        Write items' names beside their points, as far as there is room; always those of flagged
        items.
    ax : Axes, optional
        Where to draw; by default a new figure.

    Returns
    -------
    Axes
        Difficulty against discrimination. Items with the same flags have one colour and marker;
        dotted lines are the limits of the rules for the two columns.

    Raises
    ------
    MeasureError
        A column is missing, or no item has both values.

    Examples
    --------
    >>> report = study.item_analysis()
    >>> difficulty_discrimination(report).get_ylabel()
    'item–rest correlation'
    """
    if isinstance(statistics, ItemAnalysis):
        flags = statistics.flags if flags is None else flags
        statistics = statistics.items
    require_columns(statistics, difficulty, discrimination, table="statistics")
    if flags is None:
        from lrnanalysis.measures import classical

        flags = classical.flags(statistics)
    rows = statistics[[difficulty, discrimination]].dropna()
    require_data(rows, "item with difficulty and discrimination")
    raised = _raised(flags, rows.index)
    ax = new_axes(ax)
    x, y = rows[difficulty].to_numpy(), rows[discrimination].to_numpy()
    kinds = [kind for kind in raised.value_counts().index if kind]
    for number, kind in enumerate(["", *kinds]):
        part = (raised == kind).to_numpy()
        colour, marker = line_style(number)
        if part.any():
            ax.scatter(
                x[part],
                y[part],
                color=colour,
                marker=marker,
                s=34,
                zorder=3,
                label=f"{kind or 'no flag'}, n = {part.sum()}",
            )
    ax.set_xlim(-0.02, 1.02)
    low, high = min(0.0, y.min()), y.max()
    ax.set_ylim(low - 0.06 * (high - low) - 0.02, high + 0.08 * (high - low) + 0.02)
    limits = _limits(flags, difficulty, ax.axvline), _limits(flags, discrimination, ax.axhline)
    ax.axhline(0, color=GREY, linewidth=0.8)
    if kinds:
        legend_outside(ax)
    if labels:
        name_points(ax, x, y, list(rows.index), (raised != "").to_numpy())
    lines = "; dotted: limits of the rules" if any(limits) else ""
    return label_axes(
        ax,
        x=_WORDS.get(difficulty, difficulty),
        y=_WORDS.get(discrimination, discrimination),
        title="Discrimination against difficulty",
        caption=f"n = {len(rows)} items, {(raised != '').sum()} flagged{lines}",
    )


def _raised(flags: pd.DataFrame, items: pd.Index) -> pd.Series:
    """The flags of every item, its options' among them, as one text."""
    if flags.empty:
        return pd.Series("", index=items)
    whole = set(items)
    owner = [
        unit[0] if isinstance(unit, tuple) and unit not in whole else unit for unit in flags["item"]
    ]
    joined = flags["flag"].groupby(owner).agg(lambda names: ",\n".join(names.unique()))
    return joined.reindex(items).fillna("")


def _limits(flags: pd.DataFrame, column: str, line: Any) -> int:
    """Lines at the limits of the rules for one column; how many."""
    found = 0
    for rule in flags.attrs.get("rules", {}).values():
        compared, _, limit = rule.split(maxsplit=2) if rule.count(" ") == 2 else ("", "", "")
        if compared == column:
            line(float(limit), color=GREY, linestyle=":", linewidth=1.2)
            found += 1
    return found


def distractors(
    choices: pd.DataFrame,
    scores: pd.DataFrame,
    item: Hashable,
    *,
    part: Hashable | None = None,
    key: Mapping[Hashable, Any] | pd.Series | None = None,
    max_score: float | Mapping[str, float] | pd.Series | None = None,
    by: Literal["option", "pattern"] = "option",
    groups: int = 5,
    confidence: float = 0.95,
    ax: Axes | None = None,
) -> Axes:
    """Draw how often each option of an item is taken, by score group: its trace lines.

    Parameters
    ----------
    choices : DataFrame
        Decoded choices, one row a session and option: what `.lrn.choices()` of the responses
        gives.
    scores : DataFrame, sessions × items
        Scores [points], see `score_matrix`.
    item : label
        The item to draw.
    part : label or tuple of labels, optional
        Which question and slot of an item with several, as in the index of
        `lrnanalysis.classical.trace_lines`.
    key, max_score, by
        As for `lrnanalysis.classical.distractors`. The options of the key are drawn in bold.
    groups : int, default 5
        Score groups of equal size; sessions of equal score stay together.
    confidence : float, default 0.95
        Level of Wilson's intervals.
    ax : Axes, optional
        Where to draw; by default a new figure.

    Returns
    -------
    Axes
        Mean share of all points in the group [%] against the share that takes the option.

    Raises
    ------
    MeasureError
        Nobody chose anything on the item, or it has several parts and none is named.

    Examples
    --------
    >>> choices = study.responses.lrn.choices()
    >>> matrix = study.items.lrn.score_matrix(study.responses, sessions=study.sessions)
    >>> distractors(choices, matrix, "item-05", key={"item-05": "0"}).get_ylabel()
    'share that takes the option'
    """
    from lrnanalysis.measures import classical

    require_columns(choices, "item_reference", table="choices")
    own = choices[choices["item_reference"] == item]
    if own.empty:
        raise MeasureError(f"nobody chose anything on {item!r}: choices has no row of it")
    options: dict[str, Any] = {"max_score": max_score, "by": by}
    lines = classical.trace_lines(own, scores, groups=groups, confidence=confidence, **options)
    table = classical.distractors(own, scores, key=key, **options)
    lines, table, named = _one_part(lines, table, item, part)
    correct = table["key"].fillna(False).to_numpy(dtype=bool)
    ax = new_axes(ax)
    rows = zip(table.index, correct, table["share"], strict=True)
    for number, (option, right, taken) in enumerate(rows):
        one = lines[lines.index.get_level_values("option") == option]
        nothing = option == "(none)"
        colour, marker = line_style(number)
        spread = np.vstack([one["share"] - one["low"], one["high"] - one["share"]])
        ax.errorbar(
            100 * one["score"],
            one["share"],
            yerr=np.maximum(spread, 0),
            color=GREY if nothing else colour,
            marker=marker,
            markersize=6 if right else 4.5,
            linewidth=2.6 if right else 1.2,
            linestyle="-" if right else ":" if nothing else "--",
            elinewidth=0.8,
            capsize=2,
            label=f"{option}{' (key)' if right else ''}, {taken:.0%}",
        )
    ax.set_ylim(-0.02, 1.02)
    legend_outside(ax, title="option, share of all")
    seen = int(table["n_seen"].max())
    keyed = "key in bold" if correct.any() else "no key given"
    return label_axes(
        ax,
        x="share of all points [%], mean of the group",
        y="share that takes the option",
        title=f"Options of {item}{named}",
        caption=f"n = {seen:,} sessions in {one['n_seen'].size} groups by total score; {keyed}; "
        f"{100 * confidence:g} % intervals",
    )


def _one_part(
    lines: pd.DataFrame, table: pd.DataFrame, item: Hashable, part: Hashable | None
) -> tuple[pd.DataFrame, pd.DataFrame, str]:
    """The lines and options of one part of an item, and what to call it."""
    units = [tuple(unit[:-1]) for unit in table.index.unique()]
    units = list(dict.fromkeys(units))
    if part is None and len(units) > 1:
        raise MeasureError(
            f"item {item!r} has {len(units)} parts: say which, for instance part={units[0][1:]!r}"
        )
    wanted = part if isinstance(part, tuple) else (part,)
    unit = units[0] if part is None else (item, *wanted)
    if unit not in units:
        raise MeasureError(
            f"item {item!r} has no part {part!r}: its parts are "
            f"{', '.join(repr(unit[1:]) for unit in units)}"
        )
    named = "" if part is None else f", {', '.join(map(str, wanted))}"
    return _inside(lines, unit), _inside(table, unit), named


def _inside(table: pd.DataFrame, unit: tuple[Hashable, ...]) -> pd.DataFrame:
    """The rows of a unit, without the levels that name it."""
    here = [tuple(label[: len(unit)]) == unit for label in table.index]
    return table[here].droplevel(list(range(len(unit))))
