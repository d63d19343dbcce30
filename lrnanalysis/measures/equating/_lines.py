"""Linear and mean equating: slope and intercept of each method."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from lrnanalysis.measures._checks import FloatArray

__all__ = ["Line", "Moments", "chained_line", "line", "moments", "synthetic_line"]


class Line(NamedTuple):
    """equated = slope · score + intercept."""

    slope: float
    intercept: float


class Moments(NamedTuple):
    """Mean and variance of a form and of the anchor, and their covariance (over n)."""

    mean: float
    variance: float
    anchor_mean: float
    anchor_variance: float
    covariance: float


def moments(scores: FloatArray, anchor: FloatArray) -> Moments:
    """Moments of a form and its anchor in one group."""
    together = np.cov(scores, anchor, ddof=0)
    return Moments(
        float(scores.mean()),
        float(together[0, 0]),
        float(anchor.mean()),
        float(together[1, 1]),
        float(together[0, 1]),
    )


def line(x: tuple[float, float], y: tuple[float, float], *, mean_only: bool) -> Line:
    """The line that gives x the mean, and unless `mean_only` the spread, of y.

    Parameters
    ----------
    x, y : (float, float)
        Means and standard deviations.
    """
    slope = 1.0 if mean_only else y[1] / x[1]
    return Line(slope, y[0] - slope * x[0])


def chained_line(x: Moments, y: Moments, *, mean_only: bool) -> Line:
    """X to the anchor in one group, the anchor to y in the other."""
    to_anchor = line(
        (x.mean, np.sqrt(x.variance)),
        (x.anchor_mean, np.sqrt(x.anchor_variance)),
        mean_only=mean_only,
    )
    from_anchor = line(
        (y.anchor_mean, np.sqrt(y.anchor_variance)),
        (y.mean, np.sqrt(y.variance)),
        mean_only=mean_only,
    )
    return Line(
        from_anchor.slope * to_anchor.slope,
        from_anchor.slope * to_anchor.intercept + from_anchor.intercept,
    )


def synthetic_line(
    x: Moments, y: Moments, weight: float, *, levine: bool, internal: bool, mean_only: bool
) -> Line:
    """Tucker's or Levine's observed-score method.

    Kolen & Brennan (2014), Test equating, scaling, and linking, ch. 4, eqs. 4.17 to 4.20.
    """
    slopes = [_slope(one, levine=levine, internal=internal) for one in (x, y)]
    mean = x.anchor_mean - y.anchor_mean
    variance = x.anchor_variance - y.anchor_variance
    other = 1 - weight
    shared = weight * other * mean**2
    of_x = (
        x.mean - other * slopes[0] * mean,
        x.variance - other * slopes[0] ** 2 * variance + slopes[0] ** 2 * shared,
    )
    of_y = (
        y.mean + weight * slopes[1] * mean,
        y.variance + weight * slopes[1] ** 2 * variance + slopes[1] ** 2 * shared,
    )
    return line(
        (of_x[0], float(np.sqrt(of_x[1]))),
        (of_y[0], float(np.sqrt(of_y[1]))),
        mean_only=mean_only,
    )


def _slope(group: Moments, *, levine: bool, internal: bool) -> float:
    """Slope of the form on the anchor: of observed scores (Tucker) or of true ones (Levine)."""
    if not levine:
        return group.covariance / group.anchor_variance
    if internal:
        return group.variance / group.covariance
    return (group.variance + group.covariance) / (group.anchor_variance + group.covariance)
