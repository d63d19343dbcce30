"""Pictures of fitted models: characteristic curves and information."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from statistics import NormalDist
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from lrnanalysis.arguments import checked
from lrnanalysis.errors import MeasureError
from lrnanalysis.measures._checks import FloatArray, check_fraction, choice
from lrnanalysis.plots import _style as style
from lrnanalysis.plots._observed import (
    ability_axis,
    ability_label,
    latent,
    observed,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from lrnanalysis.measures.irt import IRTModel

__all__ = ["characteristic_curves", "information"]

#: More curves than this are drawn in one style, without a legend entry each.
_NAMED = 10

#: Height of the axes of information, relative to the highest curve: above is the legend.
_HEADROOM = 1.2


@checked
def characteristic_curves(
    model: IRTModel,
    item: Hashable | Sequence[Hashable] | None = None,
    *,
    of: Literal["expected", "categories"] | None = None,
    groups: int | None = 10,
    confidence: float = 0.95,
    theta: Sequence[float] | FloatArray | None = None,
    most: int = 20_000,
    matrix: pd.DataFrame | None = None,
    group: object = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw characteristic curves: of one item with observed scores, or of several items.

    Parameters
    ----------
    model : IRTModel
        A fitted model of `lrnanalysis.irt`.
    item : label, or list of labels, optional
        One item, drawn with its observed scores; or several, by default all, whose expected
        scores are drawn as proportions of the points.
    of : {"expected", "categories"}, optional
        For one item: the expected score, or the probability of each score; by default the
        probabilities where there are more than two scores.
    groups : int or None, default 10
        Number of groups of equal size by ability in which observed scores are averaged; None for
        curves alone.
    confidence : float, default 0.95
        Confidence level of the intervals: Wilson's for proportions, normal ones for mean scores.
    theta : sequence of float, optional
        Abilities of the curves; by default up to four standard deviations from the mean.
    most : int, default 20000
        Maximum number of persons used; of more, a random sample.
    matrix, group : optional
        Other persons than those of the fit, as for `IRTModel.abilities`.
    ax : Axes, optional
        Where to draw; by default a new figure.

    Returns
    -------
    Axes
        Ability against probability, score [points] or proportion of points.

    Raises
    ------
    MeasureError
        The model has no such item, nobody has a score on it, or the model was loaded without
        responses and `matrix` is not given.

    Notes
    -----
    Persons are grouped by their EAP abilities on the other items. A group is drawn at the ability
    where the curve has the score that the model expects of the group, averaged over the posterior
    distributions of its persons. The distance of a point from the curve is therefore observed −
    expected score, and where the model holds, intervals miss the curve no more often than their
    level allows, also in short tests. With more than two scores, the proportion of each is drawn
    at this distance from its curve.

    Examples
    --------
    >>> matrix = study.analysis().scores
    >>> model = lrn.irt.fit(matrix[["item-01", "item-04", "item-05", "item-07"]], "2PL")
    >>> characteristic_curves(model, "item-07").get_ylabel()
    'probability of score 1'
    """
    from lrnanalysis.measures.classical._intervals import wilson_interval

    check_fraction("confidence", confidence)
    if groups is not None and groups < 2:
        raise MeasureError(f"groups is {groups}: pass 2 or more, or None for curves alone")
    points = ability_axis(model) if theta is None else np.asarray(theta, dtype=np.float64)
    several: object = item  # one label may be a tuple; several are a list or an Index
    if several is None or isinstance(several, list | pd.Index):
        if group is not None or matrix is not None:
            raise MeasureError(
                "matrix and group are for the points of one item: choose an item, or leave them out"
            )
        return _several(model, list(model.scores if several is None else several), points, ax)
    at = style.item_position(model.scores, item, "the model")
    scores = np.array(list(model.scores.values())[at])
    if of is None:
        of = "categories" if len(scores) > 2 else "expected"
    choice("of", of, ("expected", "categories"))
    curves = _probabilities(model, at, points)
    seen = None
    if groups is not None:
        seen = observed(model, item, groups=groups, most=most, matrix=matrix, group=group)
    ax = style.new_axes(ax)
    two = len(scores) == 2
    if of == "categories":
        for k, score in enumerate(scores):
            colour, marker = style.line_style(k)
            ax.plot(points, curves[:, k], color=colour, linewidth=1.8, label=f"score {score:g}")
            if seen is not None:
                # Side by side, so that the intervals of a group do not hide each other.
                shift = (k - (len(scores) - 1) / 2) * 0.004 * np.ptp(points)
                # The distance from the curve is observed − expected, see the notes.
                above = np.interp(seen.ability, points, curves[:, k]) - seen.expected[:, k]
                low, high = wilson_interval(seen.shares[:, k], seen.n, confidence)
                share_seen = seen.shares[:, k] + above
                low, high = np.clip([low + above, high + above], 0, 1)
                style.interval_points(
                    ax,
                    seen.ability + shift,
                    share_seen,
                    low,
                    high,
                    color=colour,
                    marker=marker,
                    elinewidth=0.6,
                    capsize=0,
                )
        style.legend_outside(ax)
        y, lowest, highest = "probability", 0.0, 1.0
    else:
        y, lowest, highest = "expected score [points]", float(scores.min()), float(scores.max())
        curve = curves @ scores
        if two:
            # The expected share of the higher score is its probability.
            y, lowest, highest = f"probability of score {scores[1]:g}", 0.0, 1.0
            curve = curves[:, 1]
        ax.plot(points, curve, color=style.BLUE, linewidth=2)
        if seen is not None:
            mean = seen.shares[:, 1] if two else seen.mean
            half = NormalDist().inv_cdf((1 + confidence) / 2) * np.sqrt(seen.variance / seen.n)
            low, high = np.clip([mean - half, mean + half], lowest, highest)
            if two:
                low, high = wilson_interval(mean, seen.n, confidence)
            style.interval_points(ax, seen.ability, mean, low, high, color=style.foreground(ax))
    ax.set_xlim(points.min(), points.max())
    margin = 0.03 * (highest - lowest)
    ax.set_ylim(lowest - margin, highest + margin)
    if seen is None:
        caption = f"n = {model.persons:,.0f} persons in the fit"
    else:
        used = "" if seen.drawn == seen.persons else f", {seen.drawn:,.0f} of them used"
        caption = (
            f"n = {seen.persons:,.0f} persons{used}; points: observed in {len(seen.n)} groups by "
            f"ability, {100 * confidence:g} % intervals"
        )
    return style.label_axes(
        ax,
        x=ability_label(model),
        y=y,
        title=f"Characteristic curve of {item}",
        caption=f"{model.items['model'].iloc[at]}; {caption}",
    )


def _probabilities(model: IRTModel, at: int, theta: FloatArray) -> FloatArray:
    """Probability of each score of an item, shape (abilities, scores)."""
    sizes = [len(own) for own in model.scores.values()]
    start = sum(sizes[:at])
    return model.probabilities(theta).to_numpy()[:, start : start + sizes[at]]


def _several(model: IRTModel, items: list[Hashable], theta: FloatArray, ax: Axes | None) -> Axes:
    """The expected scores of several items as proportions of their points."""
    places = [style.item_position(model.scores, item, "the model") for item in items]
    expected = model.expected_scores(theta).to_numpy()
    scores = list(model.scores.values())
    low = np.array([min(scores[at]) for at in places])
    high = np.array([max(scores[at]) for at in places])
    shares = (expected[:, places] - low) / (high - low)
    ax = style.new_axes(ax)
    _lines(ax, theta, shares, items)
    if len(items) > _NAMED:
        total = (expected[:, places] - low).sum(axis=1) / (high - low).sum()
        ax.plot(theta, total, color=style.foreground(ax), linewidth=2.5, label="test")
    style.legend_outside(ax)
    ax.set_xlim(theta.min(), theta.max())
    ax.set_ylim(-0.02, 1.02)
    return style.label_axes(
        ax,
        x=ability_label(model),
        y="expected score [proportion of points]",
        title="Characteristic curves",
        caption=f"n = {model.persons:,.0f} persons in the fit, {len(items)} items "
        f"({_kinds(model, places)})",
    )


def _lines(ax: Axes, theta: FloatArray, values: FloatArray, items: list[Hashable]) -> None:
    """One line per item, with a legend where there are few."""
    if len(items) > _NAMED:
        lines = ax.plot(theta, values, color=style.BLUE, linewidth=0.8, alpha=0.8)
        lines[0].set_label("items")
        return
    for number, item in enumerate(items):
        line = "-" if number < len(style.COLOURS) else "--"
        colour, _ = style.line_style(number)
        ax.plot(theta, values[:, number], line, color=colour, linewidth=1.6, label=str(item))


def _kinds(model: IRTModel, places: Iterable[int]) -> str:
    """The models of some items, each with its number of items where there are several."""
    counts = model.items["model"].iloc[list(places)].value_counts(sort=False)
    if len(counts) == 1:
        return str(counts.index[0])
    return ", ".join(f"{name} × {count}" for name, count in counts.items())


@checked
def information(
    model: IRTModel,
    items: Sequence[Hashable] | None = None,
    *,
    theta: Sequence[float] | FloatArray | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw the information of the test with the standard error of ability, or that of items.

    Parameters
    ----------
    model : IRTModel
        A fitted model of `lrnanalysis.irt`.
    items : list of labels, optional
        Items whose information is drawn, one curve each; by default that of the whole test.
    theta : sequence of float, optional
        Abilities of the curves; by default up to four standard deviations from the mean.
    ax : Axes, optional
        Where to draw; by default a new figure.

    Returns
    -------
    Axes
        Ability against Fisher information. For the whole test, a second axis to the right shows
        the standard error of the maximum likelihood ability, 1 / √information, up to five times
        its minimum.

    Raises
    ------
    MeasureError
        The model has no such item.

    Examples
    --------
    >>> matrix = study.analysis().scores
    >>> model = lrn.irt.fit(matrix[["item-01", "item-04", "item-05", "item-07"]], "2PL")
    >>> information(model).get_ylabel()
    'test information'
    """
    points = ability_axis(model) if theta is None else np.asarray(theta, dtype=np.float64)
    mean, sd = latent(model)
    ax = style.new_axes(ax)
    ax.axvspan(
        mean - 1.96 * sd,
        mean + 1.96 * sd,
        color=style.GREY,
        alpha=0.15,
        linewidth=0,
        label="middle 95 % of persons",
    )
    listed = list(model.scores if items is None else items)
    places = [style.item_position(model.scores, item, "the model") for item in listed]
    if items is not None:
        values = model.item_information(points).to_numpy()[:, places]
        _lines(ax, points, values, listed)
        style.legend_outside(ax)
        title, rule = "Item information", ""
    else:
        found = model.information(points)
        values = found["information"].to_numpy()
        ax.plot(points, values, color=style.BLUE, linewidth=2, label="information (left)")
        # Drawn here too, without data, for one legend of both axes.
        ax.plot([], [], color=style.RED, linestyle="--", linewidth=1.6, label="SE (right)")
        right = ax.twinx()
        right.plot(points, found["se"], color=style.RED, linestyle="--", linewidth=1.6)
        right.set_ylim(0, _HEADROOM * min(5 * found["se"].min(), found["se"].max()))
        right.set_ylabel("standard error of ability", color=style.RED)
        right.tick_params(axis="y", colors=style.RED)
        right.spines["top"].set_visible(False)
        ax.tick_params(axis="y", colors=style.BLUE)
        ax.yaxis.label.set_color(style.BLUE)
        ax.legend(frameon=False, fontsize=9, ncols=1 if style.in_grid(ax) else 3)
        title, rule = "Test information", "; SE = 1 / √information"
    ax.set_ylim(0, _HEADROOM * float(values.max()))
    ax.set_xlim(points.min(), points.max())
    return style.label_axes(
        ax,
        x=ability_label(model),
        y=title.lower(),
        title=title,
        caption=f"n = {model.persons:,.0f} persons in the fit, {len(places)} items "
        f"({_kinds(model, places)}){rule}",
    )
