"""Pictures of classical item analysis: difficulty against discrimination, distractors."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from lrnanalysis.arguments import checked
from lrnanalysis.errors import MeasureError, listed, shown
from lrnanalysis.measures._checks import require_columns
from lrnanalysis.measures.classical.flags import TOO_FEW
from lrnanalysis.measures.item_analysis import ItemAnalysis
from lrnanalysis.plots import _style as style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["difficulty_discrimination", "distractors"]

#: Labels of columns of item statistics.
_LABELS = {
    "p": "item difficulty p [proportion of points]",
    "p_administered": "item difficulty p, all persons [proportion of points]",
    "p_reached": "item difficulty p, item reached [proportion of points]",
    "p_attempted": "item difficulty p, item answered [proportion of points]",
    "item_rest_r": "item–rest correlation",
    "item_total_r": "item–total correlation",
    "point_biserial": "point-biserial correlation",
    "biserial": "biserial correlation",
    "biserial_rest": "biserial item–rest correlation",
    "upper_lower": "upper − lower group [proportion of points]",
    "efficiency": "discriminative efficiency",
}


@checked
def difficulty_discrimination(
    statistics: pd.DataFrame | ItemAnalysis,
    flags: pd.DataFrame | None = None,
    *,
    difficulty: str = "p",
    discrimination: str = "item_rest_r",
    labels: bool = True,
    ax: Axes | None = None,
) -> Axes:
    """Draw the discrimination of each item against its difficulty, with its flags.

    Parameters
    ----------
    statistics : DataFrame or ItemAnalysis
        Result of `lrnanalysis.classical.item_statistics` or of ``item_analysis``.
    flags : DataFrame, optional
        Result of `lrnanalysis.classical.flags`; by default those of the item analysis, or of
        the default rules. An empty table draws none.
    difficulty, discrimination : str, default "p", "item_rest_r"
        Columns to draw.
    labels : bool, default True
        Write the names of items beside their points, as far as there is room; those of flagged
        items always.
    ax : Axes, optional
        Where to draw; by default a new figure.

    Returns
    -------
    Axes
        Difficulty against discrimination. Items with the same flags share a colour and marker;
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
    require_columns(statistics, "n", difficulty, discrimination, table="statistics")
    if flags is None:
        from lrnanalysis.measures import classical

        flags = classical.flags(statistics)
    rows = statistics[[difficulty, discrimination]].dropna()
    style.require_data(rows, "item with difficulty and discrimination")
    raised = _raised(flags, rows.index)
    ax = style.new_axes(ax)
    x, y = rows[difficulty].to_numpy(), rows[discrimination].to_numpy()
    kinds = [kind for kind in raised.value_counts().index if kind]
    for number, kind in enumerate(["", *kinds]):
        part = (raised == kind).to_numpy()
        colour, marker = style.line_style(number)
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
    ax.axhline(0, color=style.GREY, linewidth=0.8)
    if kinds:
        style.legend_outside(ax)
    few = int(raised.str.contains(TOO_FEW, regex=False).sum())
    too_few = f", {few} not judged by every rule: too few persons" if few else ""
    lines = "; dotted: limits of the rules" if any(limits) else ""
    style.label_axes(
        ax,
        x=_LABELS.get(difficulty, difficulty),
        y=_LABELS.get(discrimination, discrimination),
        title="Discrimination against difficulty",
        caption=f"n = {style.span(statistics['n'])} persons, {len(rows)} items, "
        f"{(~raised.isin(['', TOO_FEW])).sum()} flagged{too_few}{lines}",
    )
    if labels:
        style.name_points(ax, x, y, list(rows.index), (raised != "").to_numpy())
    return ax


def _raised(flags: pd.DataFrame, items: pd.Index) -> pd.Series:
    """The flags of each item and of its options, as one text."""
    if flags.empty:
        return pd.Series("", index=items)
    require_columns(flags, "item", "flag", table="flags")
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
            line(float(limit), color=style.GREY, linestyle=":", linewidth=1.2)
            found += 1
    return found


@checked
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
    """Draw trace lines: the proportion choosing each option of an item, by score group.

    Parameters
    ----------
    choices : DataFrame
        Decoded choices, one row per session and option, as ``responses.lrn.choices()`` returns
        them.
    scores : DataFrame, persons × items
        Scores [points]; the score groups are groups of their totals. Where its index and columns
        are named as columns of `choices` are, those hold the persons and items; by default
        ``session_id`` and ``item_reference`` do.
    item : label
        The item to draw.
    part : label or tuple of labels, optional
        Question and slot, for an item with several, as in the index of
        `lrnanalysis.classical.trace_lines`.
    key, max_score, by
        As for `lrnanalysis.classical.distractors`. The lines of the key are bold.
    groups : int, default 5
        Score groups of equal size; sessions of equal score stay together.
    confidence : float, default 0.95
        Level of Wilson's intervals.
    ax : Axes, optional
        Where to draw; by default a new figure.

    Returns
    -------
    Axes
        Mean score of the group [% of points] against the proportion that chooses the option.

    Raises
    ------
    MeasureError
        Nobody chose anything on the item, or it has several parts and none is given.

    Examples
    --------
    >>> analysis = study.analysis()
    >>> choices = analysis.responses.lrn.choices()
    >>> distractors(choices, analysis.scores, "item-05", key={"item-05": "0"}).get_ylabel()
    'proportion choosing the option'
    """
    from lrnanalysis.measures import classical

    names = [str(axis.name) for axis in (scores.index, scores.columns)]
    person, column = (
        name if name in choices.columns else default
        for name, default in zip(names, ("session_id", "item_reference"), strict=True)
    )
    require_columns(choices, person, column, table="choices")
    own = choices[choices[column] == item]
    if own.empty:
        raise MeasureError(f"nobody chose anything on {shown(item)}: choices has no row for it")
    options: dict[str, Any] = {"max_score": max_score, "by": by, "person": person, "item": column}
    lines = classical.trace_lines(own, scores, groups=groups, confidence=confidence, **options)
    table = classical.distractors(own, scores, key=key, **options)
    lines, table, name = _one_part(lines, table, item, part)
    correct = table["key"].fillna(False).to_numpy(dtype=bool)
    ax = style.new_axes(ax)
    rows = zip(table.index, correct, table["share"], strict=True)
    for number, (option, right, taken) in enumerate(rows):
        one = lines[lines.index.get_level_values("option") == option]
        nothing = option == "(none)"
        colour, marker = style.line_style(number)
        style.interval_points(
            ax,
            100 * one["score"].to_numpy(),
            *one[["share", "low", "high"]].to_numpy().T,
            color=style.GREY if nothing else colour,
            marker=marker,
            markersize=6 if right else 4.5,
            linewidth=2.6 if right else 1.2,
            linestyle="-" if right else ":" if nothing else "--",
            elinewidth=0.8,
            label=f"{option}{' (key)' if right else ''}, {taken:.0%}",
        )
    ax.set_ylim(-0.02, 1.02)
    style.legend_outside(ax, title="option, chosen by")
    seen = int(table["n_seen"].max())
    keyed = "key in bold" if correct.any() else "no key given"
    return style.label_axes(
        ax,
        x="mean score of the group [% of points]",
        y="proportion choosing the option",
        title=f"Options of {name}",
        caption=f"n = {seen:,} {style.row_noun(scores)} in {len(one)} groups by total score; "
        f"{keyed}; {100 * confidence:g} % intervals",
    )


def _one_part(
    lines: pd.DataFrame, table: pd.DataFrame, item: Hashable, part: Hashable | None
) -> tuple[pd.DataFrame, pd.DataFrame, str]:
    """The lines and options of one part of an item, and the name of the part."""
    parts = list(dict.fromkeys(tuple(label[1:-1]) for label in table.index))
    if part is None and len(parts) > 1:
        raise MeasureError(
            f"item {shown(item)} has {len(parts)} parts: choose one, for instance "
            f"part={shown(parts[0])}"
        )
    wanted = parts[0] if part is None else part if isinstance(part, tuple) else (part,)
    if wanted not in parts:
        raise MeasureError(
            f"item {shown(item)} has no part {shown(part)}: its parts are {listed(parts)}"
        )
    own, own_lines = (
        rows[[tuple(label[1 : len(wanted) + 1]) == wanted for label in rows.index]].droplevel(
            list(range(len(wanted) + 1))
        )
        for rows in (table, lines)
    )
    return own_lines, own, ", ".join(map(str, [item, *(wanted if part is not None else [])]))
