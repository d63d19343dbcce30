"""Pictures of linked scales and equated scores."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lrnanalysis.arguments import checked
from lrnanalysis.plots import _style as style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from lrnanalysis.measures.equating import Equating
    from lrnanalysis.measures.linking import Link

__all__ = ["equating", "linking"]

#: Robust z beyond which a common item may have drifted.
_DRIFT = 1.645


@checked
def linking(link: Link, *, ax: Axes | None = None) -> Axes:
    """Draw the difficulties of the common items in two calibrations, on the base scale.

    Parameters
    ----------
    link : Link
        Result of `lrnanalysis.linking.link`.
    ax : Axes, optional
        Where to draw; by default a new figure.

    Returns
    -------
    Axes
        Difficulty in the base against that in the linked calibration, with one point per
        threshold. Items whose robust z is beyond ±1.645 are named: they may have drifted.

    Examples
    --------
    >>> base = pd.DataFrame({"a": [0.8, 1.2, 1.0], "b": [-1.0, 0.2, 1.1]}, index=["u", "v", "w"])
    >>> new = pd.DataFrame({"a": base["a"] * 1.5, "b": (base["b"] - 0.4) / 1.5})
    >>> linking(lrn.linking.link(new, base)).get_xlabel()
    'difficulty b, base calibration'
    """
    table = link.items
    names = [name for name in table.columns if f"{name}_base" in table.columns and name[0] == "b"]
    x = table[[f"{name}_base" for name in names]].to_numpy(dtype=np.float64)
    y = table[names].to_numpy(dtype=np.float64)
    drift = (table["robust_z"].abs() > _DRIFT).to_numpy()
    ax = style.new_axes(ax, width=7.0, height=5.0)
    both = np.concatenate([x[~np.isnan(x)], y[~np.isnan(y)]])
    margin = 0.06 * max(np.ptp(both), 0.1)
    ends = [both.min() - margin, both.max() + margin]
    ax.plot(ends, ends, color=style.foreground(ax), linewidth=1, label="identity")
    for part, colour, marker, label in (
        (~drift, style.BLUE, "o", "others"),
        (drift, style.ORANGE, "D", f"robust z beyond ±{_DRIFT}"),
    ):
        ax.scatter(
            x[part].ravel(),
            y[part].ravel(),
            color=colour,
            marker=marker,
            s=30,
            zorder=3,
            label=f"{label}, n = {part.sum()}",
        )
    ax.set_xlim(*ends)
    ax.set_ylim(*ends)
    rows, steps = np.nonzero(~np.isnan(x))
    lowest = np.argmax(~np.isnan(x), axis=1)
    labels = list(table.index)
    # An item is named once, at its lowest threshold.
    named = [
        labels[row] if drift[row] and step == lowest[row] else None
        for row, step in zip(rows, steps, strict=True)
    ]
    ax.legend(frameon=False, fontsize=9, loc="upper left")
    style.label_axes(
        ax,
        x="difficulty b, base calibration",
        y="difficulty b, linked calibration",
        title="Common items of two calibrations",
        caption=f"n = {len(table)} common items; {link.method}: θ_base = {link.slope:.3f} θ_new "
        f"{'+' if link.intercept >= 0 else '−'} {abs(link.intercept):.3f}",
    )
    style.name_points(ax, x[rows, steps], y[rows, steps], named, drift[rows])
    return ax


@checked
def equating(equated: Equating, *, ax: Axes | None = None) -> Axes:
    """Draw the difference between equated scores on form Y and scores on form X.

    Parameters
    ----------
    equated : Equating
        Result of `lrnanalysis.equating.equate`.
    ax : Axes, optional
        Where to draw; by default a new figure.

    Returns
    -------
    Axes
        Score on X against equated score − score on X [points], with the bootstrap interval
        where there is one.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> x, y = rng.binomial(20, 0.5, 500), rng.binomial(20, 0.6, 500)
    >>> equating(lrn.equating.equate(x, y)).get_xlabel()
    'score on form X [points]'
    """
    table = equated.table
    score = table.index.to_numpy(dtype=np.float64)
    ax = style.new_axes(ax)
    if {"low", "high"} <= set(table.columns):
        low, high = table["low"] - score, table["high"] - score
        name = f"{equated.notes['confidence']:.0%} interval"
        ax.fill_between(score, low, high, color=style.SKY, alpha=0.45, label=name)
    ax.plot(score, table["equated"] - score, color=style.BLUE, marker=".", label="equated − X")
    ax.axhline(0, color=style.foreground(ax), linewidth=0.8)
    ax.legend(frameon=False, fontsize=9)
    n = equated.moments["n"]
    return style.label_axes(
        ax,
        x="score on form X [points]",
        y="equated score − score on X [points]",
        title="Equated scores",
        caption=f"n = {n['x']:,.0f} persons on X, {n['y']:,.0f} on Y; {equated.notes['method']}, "
        f"{equated.notes['design']} design",
    )
