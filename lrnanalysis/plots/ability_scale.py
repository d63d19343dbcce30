"""Pictures of persons on the scale of a fitted model: Wright map and person fit."""

from __future__ import annotations

from statistics import NormalDist
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from lrnanalysis.arguments import checked
from lrnanalysis.errors import MeasureError
from lrnanalysis.measures._checks import FloatArray, check_fraction, choice
from lrnanalysis.plots import _style as style
from lrnanalysis.plots._observed import ability_label, chosen_persons

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from lrnanalysis.measures.irt import IRTModel

__all__ = ["person_fit", "wright_map"]

#: Fraction of the width of the map for persons.
_WIDE = 0.32


@checked
def wright_map(
    model: IRTModel,
    *,
    method: Literal["EAP", "MAP", "ML", "WLE"] = "EAP",
    order: Literal["difficulty", "test"] = "difficulty",
    bins: int = 30,
    matrix: pd.DataFrame | None = None,
    group: object = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw persons and items on one scale: abilities to the left, difficulties to the right.

    Parameters
    ----------
    model : IRTModel
        A fitted model of `lrnanalysis.irt`.
    method : {"EAP", "MAP", "ML", "WLE"}, default "EAP"
        Estimator of the abilities. EAP and MAP vary less than the true abilities, ML and
        WLE more.
    order : {"difficulty", "test"}, default "difficulty"
        Order of the items: by mean difficulty, or as in the model.
    bins : int, default 30
        Number of bars of the histogram of persons.
    matrix, group : optional
        Other persons than those of the fit, as for `IRTModel.abilities`.
    ax : Axes, optional
        Where to draw; by default a new figure.

    Returns
    -------
    Axes
        Persons and items against ability. An item is drawn at its difficulty b with a 95 %
        interval, one with partial credit at its numbered thresholds b1, b2 …. Values beyond five
        standard deviations of ability are drawn as triangles at the edge.

    Raises
    ------
    MeasureError
        No item has a difficulty, as with the nominal model.

    References
    ----------
    Wilson, M. (2005). Constructing measures, ch. 5.

    Examples
    --------
    >>> matrix = study.analysis().scores
    >>> model = lrn.irt.fit(matrix[["item-01", "item-04", "item-05", "item-07"]], "Rasch")
    >>> wright_map(model).get_ylabel()
    'ability θ [logits]'
    """
    choice("order", order, ("difficulty", "test"))
    table = model.items
    names = [name for name in table.columns if name[0] == "b" and not name.endswith("_se")]
    located = table[names].notna().any(axis=1) if names else pd.Series(False, index=table.index)
    if not located.any():
        raise MeasureError(
            "no item of the model has a difficulty to draw (those of NRM have none): draw "
            "characteristic_curves"
        )
    ability = model.abilities(method, matrix=matrix, group=group)["ability"].to_numpy()
    # The EAP of those who answered nothing is the mean of all.
    answered = ~np.isnan(_shares(model, matrix, group))
    known = ability[np.isfinite(ability) & answered]
    style.require_data(pd.Series(known), "ability")
    items = table[located]
    if order == "difficulty":
        items = items.loc[items[names].mean(axis=1).sort_values(kind="stable").index]
    ax = style.new_axes(ax, width=min(14.0, max(7.0, 3.5 + 0.19 * len(items))), height=5.0)
    low, high = _range(known, items[names].to_numpy(dtype=np.float64))
    counts, edges = np.histogram(np.clip(known, low, high), bins=bins, range=(low, high))
    # Items are at 1, 2, …; persons to the left of 0, in the unit of the items.
    wide = _WIDE / (1 - _WIDE) * (len(items) + 1)
    ax.barh(
        edges[:-1],
        -counts * wide / counts.max(),
        height=np.diff(edges),
        align="edge",
        color=style.SKY,
        edgecolor=ax.get_facecolor(),
        linewidth=0.4,
    )
    ax.axvline(0, color=style.foreground(ax), linewidth=0.8)
    for place, (_, row) in enumerate(items.iterrows(), start=1):
        _item(ax, place, row, names, low, high)
    tick = _round_below(counts.max())
    ax.set_xticks(
        [-tick * wide / counts.max(), 0, *range(1, len(items) + 1)],
        [f"{tick:,}", "0", *map(str, items.index)],
    )
    small = style.tick_size(ax, "x", len(items), 1 - _WIDE)
    for label in ax.get_xticklabels()[2:]:
        label.set_rotation(90)
        label.set_fontsize(small)
    ax.set_xlim(-1.05 * wide, len(items) + 0.8)
    ax.set_ylim(low, high)
    left = f" ({int((~located).sum())} without a difficulty)" * (not located.all())
    silent = int((~answered).sum())
    infinite = len(ability) - len(known) - silent
    without = f", {infinite:,} without a finite ability" if infinite else ""
    without += f", {silent:,} without an answer" if silent else ""
    steps = "; numbers: thresholds" if len(names) > (1 if "b" in names else 0) else ""
    return style.label_axes(
        ax,
        x="persons (left) and items (right)",
        y=ability_label(model),
        title="Wright map",
        caption=f"n = {len(known):,} persons ({method}{without}), {len(items)} items{left}{steps}",
    )


def _range(ability: FloatArray, locations: FloatArray) -> tuple[float, float]:
    """Range of the map: everything within five standard deviations of ability."""
    centre, spread = float(ability.mean()), max(float(ability.std()), 0.5)
    both = np.concatenate([ability, locations[~np.isnan(locations)]])
    low = max(float(both.min()), min(centre - 5 * spread, float(ability.min())))
    high = min(float(both.max()), max(centre + 5 * spread, float(ability.max())))
    margin = 0.04 * (high - low)
    return low - margin, high + margin


def _item(ax: Axes, place: int, row: pd.Series, names: list[str], low: float, high: float) -> None:
    """Draw the difficulty or the thresholds of one item."""
    inside = row[names].astype("float64").dropna().clip(low, high)
    if len(inside) > 1:
        ax.plot(
            [place, place], [inside.min(), inside.max()], color=style.GREY, linewidth=1, zorder=1
        )
    for name in names:
        value = float(row[name])
        if np.isnan(value):
            continue
        step = int(name[1:]) if len(name) > 1 else 0
        colour = style.COLOURS[step % len(style.COLOURS)]
        if not low <= value <= high:
            marker, at = ("v", low) if value < low else ("^", high)
            ax.plot([place], [at], color=colour, marker=marker, markersize=7, clip_on=False)
            continue
        error = row[f"{name}_se"]
        if step == 0 and error > 0:
            ends = np.clip([value - 1.96 * error, value + 1.96 * error], low, high)
            ax.plot([place, place], ends, color=style.BLUE, linewidth=1.0)
        size = 4.5 if step == 0 else 9
        ax.plot([place], [value], color=colour, marker="o", markersize=size, linestyle="none")
        if step:
            ax.annotate(
                str(step), (place, value), ha="center", va="center", fontsize=6.5, color="white"
            )


def _round_below(most: int) -> int:
    """A round number of persons, not above the largest bar."""
    unit = 10 ** int(np.log10(max(most, 1)))
    return int(most // unit * unit)


@checked
def person_fit(
    model: IRTModel,
    *,
    against: Literal["ability", "score"] = "ability",
    level: float = 0.05,
    most: int = 20_000,
    matrix: pd.DataFrame | None = None,
    group: object = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw the person fit statistic lz with its critical value.

    Parameters
    ----------
    model : IRTModel
        A fitted model of `lrnanalysis.irt`.
    against : {"ability", "score"}, default "ability"
        Draw lz against the EAP ability, or against the score in percent of the points on the
        items that the person was given.
    level : float, default 0.05
        Persons with an lz below this quantile of the standard normal distribution are counted as
        misfitting.
    most : int, default 20000
        Maximum number of persons drawn; of more, a random sample. Proportions are those of all.
    matrix, group : optional
        Other persons than those of the fit, as for `IRTModel.abilities`.
    ax : Axes, optional
        Where to draw; by default a new figure.

    Returns
    -------
    Axes
        Ability or score [% of points] against lz.

    Raises
    ------
    MeasureError
        No person has a score.

    Notes
    -----
    With estimated abilities lz varies less than a standard normal variable in short tests, so
    that a smaller proportion than `level` is below the critical value (Snijders, T. A. B. (2001).
    doi:10.1007/BF02294437).

    References
    ----------
    Drasgow, F., Levine, M. V. & Williams, E. A. (1985).
    doi:10.1111/j.2044-8317.1985.tb00817.x

    Examples
    --------
    >>> matrix = study.analysis().scores
    >>> model = lrn.irt.fit(matrix[["item-01", "item-04", "item-05", "item-07"]], "2PL")
    >>> person_fit(model).get_ylabel()
    'person fit lz [SD], low: misfit'
    """
    choice("against", against, ("ability", "score"))
    check_fraction("level", level)
    lz = model.person_fit(matrix=matrix, group=group)["lz"].to_numpy()
    if against == "ability":
        x = model.abilities("EAP", matrix=matrix, group=group)["ability"].to_numpy()
        label = ability_label(model)
    else:
        x = 100 * _shares(model, matrix, group)
        label = "score [% of points]"
    known = np.isfinite(lz) & np.isfinite(x)
    style.require_data(pd.Series(lz[known]), "person with scores")
    x, lz = x[known], lz[known]
    critical = NormalDist().inv_cdf(level)
    below = lz < critical
    drawn = chosen_persons(len(lz), most)
    ax = style.new_axes(ax)
    size = 16 if drawn.sum() <= 2000 else 6
    for part, colour, name in ((~below, style.BLUE, "others"), (below, style.ORANGE, "below")):
        ax.scatter(
            x[part & drawn],
            lz[part & drawn],
            color=colour,
            s=size,
            alpha=0.6,
            linewidth=0,
            label=f"{name}, n = {part.sum():,}",
        )
    ax.axhline(
        critical, color=style.RED, linestyle="--", linewidth=1.2, label=f"critical {critical:.2f}"
    )
    ax.axhline(0, color=style.GREY, linewidth=0.8)
    ax.legend(frameon=False, fontsize=9)
    part = "" if drawn.all() else f", {drawn.sum():,} of them drawn"
    return style.label_axes(
        ax,
        x=label,
        y="person fit lz [SD], low: misfit",
        title="Person fit",
        caption=f"n = {len(lz):,} persons{part}; {below.mean():.1%} below {critical:.2f}, the "
        f"{100 * level:g} % quantile",
    )


def _shares(model: IRTModel, matrix: pd.DataFrame | None, group: object) -> FloatArray:
    """Score as a fraction of the points on the items given; NaN where none was answered."""
    own = list(model.scores.values())
    points = np.full((len(own), max(map(len, own))), np.nan)
    for at, scores in enumerate(own):
        points[at, : len(scores)] = np.array(scores) - min(scores)
    highest = np.nanmax(points, axis=1)
    responses = model.responses(matrix, group)
    found = np.full(len(responses.persons), np.nan)
    items = np.arange(len(own))
    for _, place, digits, _ in responses.chunks():
        there = ~np.isnan(digits)
        reached = points[items, np.where(there, digits, 0).astype(np.intp)]
        possible = there @ highest
        with np.errstate(invalid="ignore"):
            found[place] = np.where(there, reached, 0.0).sum(axis=1) / possible
    return np.asarray(responses.in_matrix_order(found))
