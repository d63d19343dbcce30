"""Pictures of differential item functioning: effect sizes, and mean scores of matched groups."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from lrnanalysis.arguments import checked
from lrnanalysis.errors import MeasureError, shown
from lrnanalysis.measures._checks import PersonValues, check_fraction
from lrnanalysis.plots import _style as style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["dif", "dif_curves"]


@dataclass(frozen=True)
class _Effect:
    """How an effect size is drawn.

    Attributes
    ----------
    label : str
        Axis label with the unit.
    error : str or None
        Column of the standard error.
    limits : tuple of float
        Absolute sizes at which classes begin.
    classes : str or None
        Column of the classes.
    """

    label: str
    error: str | None
    limits: tuple[float, ...]
    classes: str | None


#: Effect sizes of DIF tables: the first that has values in a table is drawn. Where one is
#: negative the item is harder for the focal group.
_EFFECTS = {
    "d_dif": _Effect("D-DIF [ETS delta]", "d_dif_se", (1.0, 1.5), "ets"),
    "smd_sd": _Effect("standardised mean difference [SD]", None, (0.17, 0.25), "ets"),
    "smd": _Effect("mean difference [points]", None, (), "ets"),
    "std_p_dif": _Effect("STD P-DIF [proportion of points]", "se", (0.05, 0.10), "size"),
    "log_odds": _Effect("log odds ratio [logits]", "log_odds_se", (), "jodoin_gierl"),
    "expected_difference": _Effect("expected score difference [points]", None, (), None),
}

#: Column of classes → name of its method, title of the legend.
_METHODS = {
    "ets": ("Mantel–Haenszel", "ETS class"),
    "size": ("standardisation", "size"),
    "jodoin_gierl": ("logistic regression", "Jodoin & Gierl's class"),
    None: ("likelihood ratio", "test"),
}

#: Class → colour and marker.
_CLASSES = {
    "A": (style.BLUE, style.MARKERS[0]),
    "B": (style.ORANGE, style.MARKERS[1]),
    "C": (style.RED, style.MARKERS[3]),
    "negligible": (style.BLUE, style.MARKERS[0]),
    "moderate": (style.ORANGE, style.MARKERS[1]),
    "large": (style.RED, style.MARKERS[3]),
    "not significant": (style.BLUE, style.MARKERS[0]),
    "flagged": (style.RED, style.MARKERS[3]),
    "no class": (style.GREY, style.MARKERS[0]),
}


@checked
def dif(
    table: pd.DataFrame,
    *,
    effect: str | None = None,
    confidence: float = 0.95,
    ax: Axes | None = None,
) -> Axes:
    """Draw the DIF effect size of each item with its interval and class.

    Parameters
    ----------
    table : DataFrame
        Result of a function of `lrnanalysis.dif` for two groups.
    effect : str, optional
        Column to draw: "d_dif", "smd_sd" or "smd" of `mantel_haenszel`, "std_p_dif" of
        `standardisation`, "log_odds" of `logistic`, "expected_difference" of
        `likelihood_ratio`. By default the first of them that the table has.
    confidence : float, default 0.95
        Confidence level of the intervals of effects with a standard error.
    ax : Axes, optional
        Where to draw; by default a new figure.

    Returns
    -------
    Axes
        Effect size against items, in order of size; items left of 0 are harder for the focal
        group. Colours are the ETS classes, those of Jodoin and Gierl, or flags; dotted lines are
        the sizes at which classes begin.

    Raises
    ------
    MeasureError
        The table has no such column or no values in it, as with more than two groups.

    Examples
    --------
    >>> matrix = study.analysis().scores
    >>> group = pd.Series(np.where(np.arange(len(matrix)) % 2, "b", "a"), index=matrix.index)
    >>> dif(lrn.dif.standardisation(matrix, group)).get_xlabel()
    'STD P-DIF [proportion of points]'
    """
    check_fraction("confidence", confidence)
    name = _effect(table, effect)
    how = _EFFECTS[name]
    method, legend = _METHODS[how.classes]
    rows = table[table[name].notna()].sort_values(name, ascending=False, kind="stable")
    values = rows[name].to_numpy(dtype=np.float64)
    infinite = np.isinf(values)
    edge = 1.1 * np.abs(values[~infinite]).max(initial=max(how.limits, default=0.1))
    values = np.clip(values, -edge, edge)
    classes = _classes(rows, how)
    ax = style.new_axes(ax, height=float(np.clip(1.5 + 0.2 * len(rows), 3.0, 14.0)))
    places = np.arange(len(rows))
    error = rows[how.error].fillna(0).to_numpy(np.float64) if how.error else np.zeros(len(rows))
    half = NormalDist().inv_cdf((1 + confidence) / 2) * error
    for kind in [kind for kind in _CLASSES if (classes == kind).any()]:
        colour, marker = _CLASSES[kind]
        part = classes == kind
        ax.errorbar(
            values[part],
            places[part],
            xerr=half[part],
            color=colour,
            marker=marker,
            markersize=5,
            linestyle="none",
            elinewidth=1.1,
            capsize=2,
            label=f"{kind}, n = {part.sum()}",
        )
    for limit in how.limits:
        for line in (-limit, limit):
            ax.axvline(line, color=style.GREY, linestyle=":", linewidth=1.1)
    ax.axvline(0, color=style.foreground(ax), linewidth=0.8)
    ax.set_yticks(places, [str(item) for item in rows.index])
    ax.tick_params(axis="y", labelsize=style.tick_size(ax, "y", len(rows)))
    # One more row at the top explains the sides.
    ax.set_ylim(len(rows) - 0.4, -1.6)
    style.legend_outside(ax, title=legend)
    focal = ", ".join(table.attrs.get("focal", ["the focal group"]))
    for words, side in ((f"← harder for {focal}  ", "right"), (f"  easier for {focal} →", "left")):
        note = ax.annotate(words, (0, -1), ha=side, va="center", fontsize=8.5, alpha=0.7)
        note.set_in_layout(False)
    persons = rows["n_reference"] + rows["n_focal"]
    caption = [f"n = {style.span(persons)} persons", f"{len(rows)} items"]
    if len(rows) < len(table):
        caption.append(f"{len(table) - len(rows)} without this effect size")
    if infinite.any():
        caption.append(f"{infinite.sum()} infinite, drawn at the edge")
    if how.error is not None:
        caption.append(f"{100 * confidence:g} % intervals")
    return style.label_axes(
        ax,
        x=how.label,
        y="item",
        title=f"Differential item functioning: {method}",
        caption=", ".join(caption),
    )


def _effect(table: pd.DataFrame, effect: str | None) -> str:
    """The column to draw."""
    there = [name for name in _EFFECTS if name in table.columns and table[name].notna().any()]
    if effect is None and there:
        return there[0]
    if effect is not None and effect in there:
        return effect
    if effect is None:
        raise MeasureError(
            "the table has no effect size to draw: pass the result of a function of "
            "lrnanalysis.dif for two groups (choose two with reference= and focal=)"
        )
    raise MeasureError(
        f"effect is {shown(effect)}: this table has {', '.join(there) or 'none'} to draw"
    )


def _classes(rows: pd.DataFrame, how: _Effect) -> np.ndarray:
    """The class of each item; for effects without classes, whether it is flagged."""
    if how.classes is not None:
        return rows[how.classes].astype(object).fillna("no class").to_numpy()
    return np.where(rows["flagged"].to_numpy(dtype=bool), "flagged", "not significant")


@checked
def dif_curves(
    matrix: pd.DataFrame,
    group: PersonValues,
    item: Hashable,
    *,
    reference: Hashable | None = None,
    focal: Hashable | None = None,
    match: pd.Series | Sequence[float] | None = None,
    strata: int | None = 6,
    confidence: float = 0.95,
    ax: Axes | None = None,
) -> Axes:
    """Draw the mean scores of groups on an item, by matched totals.

    Parameters
    ----------
    matrix : DataFrame, persons × items
        Scores [points], NaN where not administered.
    group, reference, focal, match
        As for `lrnanalysis.dif.mantel_haenszel`: persons are matched on the total, which
        includes the item, or on another variable. There is one line per group.
    item : label
        The item to draw.
    strata : int or None, default 6
        Number of strata of equal size; None for one per value of the matching variable.
    confidence : float, default 0.95
        Confidence level of the intervals: Wilson's for items with two scores, else Student's.
    ax : Axes, optional
        Where to draw; by default a new figure.

    Returns
    -------
    Axes
        Matching variable against mean score on the item [points], one line per group.

    Raises
    ------
    MeasureError
        The matrix has no such item, or the groups are not known or too small.

    Examples
    --------
    >>> matrix = study.analysis().scores
    >>> group = pd.Series(np.where(np.arange(len(matrix)) % 2, "b", "a"), index=matrix.index)
    >>> dif_curves(matrix, group, "item-05").get_ylabel()
    'mean score on the item [points]'
    """
    from lrnanalysis.measures.classical._intervals import mean_interval, wilson_interval
    from lrnanalysis.measures.dif._design import read_design

    check_fraction("confidence", confidence)
    style.item_position(matrix, item, "matrix")
    design = read_design(
        matrix, group, reference=reference, focal=focal, match=match, strata=strata, anchor=None
    )
    at = list(design.scored.items).index(item)
    (counts,) = design.counts([at])
    style.require_data(pd.Series(counts.scores), "score on the item")
    two = len(counts.scores) == 2
    ax = style.new_axes(ax)
    lowest, highest = counts.scores.min(), counts.scores.max()
    for number, (name, cells) in enumerate(zip(design.names, counts.table, strict=True)):
        colour, marker = style.line_style(number)
        n = cells.sum(axis=1)
        kept = n >= (1 if two else 2)
        cells, n, x = cells[kept], n[kept], counts.levels[kept]
        mean = cells @ counts.scores / n
        if two:
            wide = highest - lowest
            low, high = wilson_interval((mean - lowest) / wide, n, confidence)
            low, high = lowest + wide * low, lowest + wide * high
        else:
            variance = (cells @ counts.scores**2 - n * mean**2) / (n - 1)
            low, high = mean_interval(mean, variance, n, confidence)
        # Side by side, so that the intervals of a stratum do not hide each other.
        shift = (number - (len(design.names) - 1) / 2) * 0.006 * np.ptp(counts.levels)
        style.interval_points(
            ax,
            x + shift,
            mean,
            np.maximum(low, lowest),
            np.minimum(high, highest),
            color=colour,
            marker=marker,
            linestyle="-" if number == 0 else "--",
            label=f"{name}, n = {int(n.sum()):,}",
        )
    # Everybody may have the same score.
    margin = 0.03 * (highest - lowest) or 0.5
    ax.set_ylim(lowest - margin, highest + margin)
    ax.legend(frameon=False, fontsize=9)
    matched = "total score" if match is None else "matching variable"
    groups = "one stratum per value" if strata is None else f"{len(counts.levels)} strata"
    return style.label_axes(
        ax,
        x="total score [points]" if match is None else matched,
        y="mean score on the item [points]",
        title=f"{item} by group, at equal {matched}",
        caption=f"n = {int(counts.table.sum()):,} {style.row_noun(matrix)}, {groups} of the "
        f"{matched}; {100 * confidence:g} % intervals",
    )
