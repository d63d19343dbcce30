"""Equipercentile equating: the distributions of each design."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lrnanalysis.errors import MeasureError
from lrnanalysis.measures._checks import FloatArray
from lrnanalysis.measures.equating._designs import Sample
from lrnanalysis.measures.equating._scores import (
    Distribution,
    count,
    count_pairs,
    equipercentile,
)
from lrnanalysis.measures.equating._smooth import smooth_pairs, smooth_scores

__all__ = ["Scales", "chained_curve", "forms", "synthetic_forms"]

#: Possible scores of X, of Y and of the anchor (empty without one).
Scales = tuple[FloatArray, FloatArray, FloatArray]

#: Share of the population whose score on a form may be left open without a word.
_MOST_UNKNOWN = 0.02


def forms(sample: Sample, scales: Scales, smooth: int | None) -> list[Distribution]:
    """Distributions of the two forms, each in its group."""
    found = []
    for scores, scale in zip((sample.x, sample.y), scales[:2], strict=True):
        counts = count(scores, scale)
        if smooth is not None:
            counts = smooth_scores(counts, smooth)
        found.append(Distribution(scale, counts / counts.sum()))
    return found


def chained_curve(sample: Sample, scales: Scales, smooth: int | None) -> FloatArray:
    """X to the anchor in one group, the anchor to Y in the other."""
    one, two = _pairs(sample, scales, smooth)
    to_anchor = equipercentile(
        Distribution(scales[0], one.sum(axis=1)), Distribution(scales[2], one.sum(axis=0))
    )
    anchor = Distribution(scales[2], two.sum(axis=0))
    return Distribution(scales[1], two.sum(axis=1)).inverse(anchor.rank(to_anchor))


def synthetic_forms(
    sample: Sample, scales: Scales, smooth: int | None, weight: float
) -> list[Distribution]:
    """Both forms' distributions in the weighted population, by post-stratification.

    Each form keeps its distribution given the anchor; the anchor's distribution is the weighted
    one (frequency estimation; Kolen & Brennan 2014, ch. 5).
    """
    one, two = _pairs(sample, scales, smooth)
    anchors = one.sum(axis=0), two.sum(axis=0)
    population = weight * anchors[0] + (1 - weight) * anchors[1]
    found = []
    for table, anchor, scale, name in zip((one, two), anchors, scales[:2], "xy", strict=True):
        unknown = float(population[anchor <= 0].sum())
        if unknown > _MOST_UNKNOWN:
            raise MeasureError(
                f"{unknown:.1%} of the population have an anchor score that nobody on {name} has: "
                'smooth the distributions (smooth=4, say), or use via="chained"'
            )
        given = np.divide(table, anchor, out=np.zeros_like(table), where=anchor > 0)
        density = given @ population
        found.append(Distribution(scale, density / density.sum()))
    return found


def _pairs(sample: Sample, scales: Scales, smooth: int | None) -> Sequence[FloatArray]:
    """Share of each group by form score (rows) and anchor score (columns)."""
    if sample.anchors is None:
        raise MeasureError("the design has no anchor")
    found = []
    for scores, anchor, scale in zip((sample.x, sample.y), sample.anchors, scales[:2], strict=True):
        counts = count_pairs(scores, anchor, scale, scales[2])
        if smooth is not None:
            counts = smooth_pairs(counts, smooth)
        found.append(counts / counts.sum())
    return found
