"""Confidence intervals of proportions and means, for whole arrays at once."""

from __future__ import annotations

import numpy as np
from scipy import stats

from lrnanalysis.measures._checks import FloatArray
from lrnanalysis.measures.classical._item_scores import divide

__all__ = ["mean_interval", "wilson_interval"]


def wilson_interval(
    share: FloatArray, n: FloatArray, confidence: float
) -> tuple[FloatArray, FloatArray]:
    """Score interval of a proportion (Wilson 1927, doi:10.1080/01621459.1927.10502953).

    It stays inside [0, 1] and keeps its level where few persons or extreme proportions spoil
    the usual one.

    Examples
    --------
    >>> low, high = wilson_interval(np.array([0.9]), np.array([10.0]), 0.95)
    >>> low.round(4).tolist(), high.round(4).tolist()
    ([0.5958], [0.9821])
    """
    z = float(stats.norm.ppf((1 + confidence) / 2))
    scale = divide(np.ones_like(share), 1 + divide(np.full_like(n, z * z), n))
    centre = scale * (share + divide(np.full_like(n, z * z / 2), n))
    spread = divide(share * (1 - share), n) + divide(np.full_like(n, z * z / 4), n * n)
    half = scale * z * np.sqrt(spread)
    # At a share of exactly 0 or 1 the bound is exactly that, not its rounding error.
    low = np.where(share == 0, 0.0, centre - half)
    high = np.where(share == 1, 1.0, centre + half)
    return low, high


def mean_interval(
    mean: FloatArray, variance: FloatArray, n: FloatArray, confidence: float
) -> tuple[FloatArray, FloatArray]:
    """Student's interval of a mean; NaN below two persons.

    Examples
    --------
    >>> low, high = mean_interval(np.array([0.5]), np.array([0.1]), np.array([11.0]), 0.95)
    >>> low.round(4).tolist(), high.round(4).tolist()
    ([0.2876], [0.7124])
    """
    degrees = np.where(n > 1, n - 1, np.nan)
    half = stats.t.ppf((1 + confidence) / 2, degrees) * np.sqrt(divide(variance, n))
    return mean - half, mean + half
