"""Picture of estimates against the truth of a simulation."""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from lrnanalysis.arguments import checked
from lrnanalysis.errors import MeasureError
from lrnanalysis.measures._checks import BoolArray, FloatArray, as_floats, check_fraction
from lrnanalysis.plots import _style as style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["recovery"]

#: Up to this many points, those whose interval misses the truth are named; beyond it, points are
#: small and see-through.
_FEW = 60


@checked
def recovery(
    estimate: pd.Series,
    truth: pd.Series,
    *,
    se: pd.Series | None = None,
    confidence: float = 0.95,
    quantity: str = "parameter",
    unit: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw estimates against the true values from which data were simulated.

    Parameters
    ----------
    estimate, truth : Series
        One value per item or person, matched by label. Those of `truth` alone are left out.
    se : Series, optional
        Standard errors of the estimates, under the same labels: intervals are drawn at
        estimate ± z · SE, and the caption gives the share of them that contain the truth. Where
        one is not finite or not above 0, there is no interval.
    confidence : float, default 0.95
        Confidence level of the intervals.
    quantity : str, default "parameter"
        What was estimated, for the labels.
    unit : str, optional
        Its unit, for the labels.
    ax : Axes, optional
        Where to draw; by default a new figure.

    Returns
    -------
    Axes
        Truth against estimate, with the identity line. The caption gives the bias (mean of
        estimate − truth), the root mean square error and Pearson's correlation, unless all
        values are equal. Points whose interval misses the
        truth are marked, and named where there are at most 60 points.

    Raises
    ------
    MeasureError
        A Series holds no numbers or a label twice, or no label has a finite estimate and truth.

    Notes
    -----
    A correlation near 1 does not show that values were recovered: it ignores bias and scale.
    Shrunken estimates (EAP, MAP) are pulled towards the mean, so that those of extreme persons
    lie off the line; their intervals hold the stated share of truths over all persons, not at
    every ability.

    Examples
    --------
    >>> truth = study.truth["items"].set_index("item_reference")
    >>> model = study.analysis().speed_model()
    >>> ax = recovery(
    ...     model.items["beta"],
    ...     truth["beta"],
    ...     se=model.items["beta_se"],
    ...     quantity="time intensity β",
    ...     unit="ln s",
    ... )
    >>> ax.get_xlabel()
    'time intensity β, truth [ln s]'
    """
    check_fraction("confidence", confidence)
    values = _numbers(estimate, "estimate")
    true = _matched(truth, values, "truth")
    errors = None if se is None else _matched(se, values, "se")
    known = np.isfinite(values.to_numpy()) & np.isfinite(true)
    if not known.any():
        raise MeasureError(
            "no label has a finite estimate and a finite truth: give both the same labels"
        )
    x, y = true[known], values.to_numpy()[known]
    # Without a standard error there is no interval, and nothing to miss.
    half = np.full(len(x), np.nan) if errors is None else errors[known]
    half = np.where(
        (half > 0) & np.isfinite(half), NormalDist().inv_cdf((1 + confidence) / 2) * half, np.nan
    )
    measured = ~np.isnan(half)
    missed = measured & (np.abs(y - x) > half)

    ax = style.new_axes(ax, width=7.0, height=5.2)
    low, high = _range(x, y, half)
    few = len(x) <= _FEW
    ax.plot(
        [low, high],
        [low, high],
        color=style.foreground(ax),
        linewidth=1,
        zorder=2 if few else 4,
        label="identity",
    )
    inside = "interval contains the truth" if measured.all() else "others"
    for part, colour, marker, label in (
        (~missed, style.BLUE, style.MARKERS[0], inside),
        (missed, style.ORANGE, style.MARKERS[3], "interval misses the truth"),
    ):
        if not part.any():
            continue
        bars = part & measured
        ax.vlines(
            x[bars],
            (y - half)[bars],
            (y + half)[bars],
            colors=colour,
            linewidth=1.2 if few else 0.6,
            alpha=1.0 if few else 0.2,
        )
        ax.scatter(
            x[part],
            y[part],
            color=colour,
            marker=marker,
            s=30 if few else 9,
            alpha=1.0 if few else 0.6,
            linewidths=0,
            zorder=3,
            label=f"{label}, n = {part.sum():,}" if measured.any() else "estimates",
        )
    ax.set_xlim(low, high)
    ax.set_ylim(low, high)
    ax.legend(fontsize=9, loc=_corner(x, y, low, high), framealpha=0.85, edgecolor="none")
    tail = f" [{unit}]" if unit else ""
    style.label_axes(
        ax,
        x=f"{quantity}, truth{tail}",
        y=f"{quantity}, estimate{tail}",
        title=f"Recovery of {quantity}",
        caption=_caption(x, y, measured, missed, len(values) - len(x), confidence),
    )
    if few:
        labels = values.index[known]
        names = [_name(label) if off else None for label, off in zip(labels, missed, strict=True)]
        style.name_points(ax, x, y, names, missed)
    return ax


def _numbers(values: object, what: str) -> pd.Series:
    """A Series of numbers under unique labels."""
    if not isinstance(values, pd.Series):
        raise MeasureError(
            f"{what} is a {type(values).__name__}: pass a Series with one number per item or "
            'person, such as model.items["b"]'
        )
    if not values.index.is_unique:
        label = values.index[values.index.duplicated()][0]
        raise MeasureError(f"{what} has several values for {label!r}: keep one")
    return pd.Series(as_floats(values), index=values.index)


def _matched(values: object, estimates: pd.Series, what: str) -> FloatArray:
    """Values in the order of the estimates; NaN where a label has none."""
    numbers = _numbers(values, what)
    if not estimates.index.isin(numbers.index).any():
        raise MeasureError(
            f"{what} has no value under any label of the estimates: give both the same labels"
        )
    return as_floats(numbers.reindex(estimates.index))


def _range(x: FloatArray, y: FloatArray, half: FloatArray) -> tuple[float, float]:
    """One range for both axes: every point, and intervals as far as they do not dwarf these."""
    points = np.concatenate([x, y])
    wide = max(float(np.ptp(points)), 0.1)
    ends = np.concatenate([points, y - half, y + half])
    ends = np.clip(ends, points.min() - 0.4 * wide, points.max() + 0.4 * wide)
    low, high = float(np.nanmin(ends)), float(np.nanmax(ends))
    margin = 0.05 * max(high - low, wide)
    return low - margin, high + margin


def _corner(
    x: FloatArray, y: FloatArray, low: float, high: float
) -> Literal["upper left", "lower right"]:
    """The corner off the line that has fewer points, for the legend."""
    across, up = (x - low) / (high - low), (y - low) / (high - low)
    above = ((across < 0.6) & (up > 0.75)).sum()
    below = ((across > 0.4) & (up < 0.25)).sum()
    return "upper left" if above <= below else "lower right"


def _caption(
    x: FloatArray,
    y: FloatArray,
    measured: BoolArray,
    missed: BoolArray,
    left_out: int,
    confidence: float,
) -> str:
    gap = y - x
    bias, error = float(gap.mean()), float(np.sqrt((gap**2).mean()))
    # Two significant digits of the error, and the bias to the same place.
    places = max(0, 1 - math.floor(math.log10(error))) if error > 0 else 2
    parts = [
        f"n = {len(x):,}" + (f" ({left_out:,} without a finite value)" if left_out else ""),
        f"bias {round(bias, places) + 0.0:.{places}f}".replace("-", "−")
        + f", RMSE {error:.{places}f}"
        + (f", r {np.corrcoef(x, y)[0, 1]:.2f}" if np.ptp(x) > 0 and np.ptp(y) > 0 else ""),
    ]
    if measured.any():
        held = 1 - missed.sum() / measured.sum()
        # No line break before the per cent sign.
        share, level = f"{100 * held:.0f}\u00a0%", f"{100 * confidence:g}\u00a0%"
        parts.append(f"{share} of the {level} intervals contain the truth")
    return "; ".join(parts)


def _name(label: object) -> str:
    """A label, or the parts of one of several levels."""
    return ", ".join(map(str, label)) if isinstance(label, tuple) else str(label)
