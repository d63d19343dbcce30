"""Score scales and distributions on them: percentile ranks, their inverse, moments."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from lrnanalysis.errors import MeasureError
from lrnanalysis.measures._checks import FloatArray

__all__ = ["Distribution", "count", "count_pairs", "equipercentile", "read_scale"]

#: Steps between scores that are recognised without being given.
_STEPS = (1.0, 0.5, 0.25, 0.1)


@dataclass(frozen=True, eq=False)
class Distribution:
    """Persons by score on an evenly spaced scale.

    Attributes
    ----------
    scores : array, shape (scores,)
        The possible scores, ascending [points].
    density : array, shape (scores,)
        Share of the persons.
    """

    scores: FloatArray
    density: FloatArray

    @property
    def step(self) -> float:
        """Distance of neighbouring scores."""
        return float(self.scores[1] - self.scores[0])

    @property
    def edges(self) -> FloatArray:
        """Limits of the intervals over which the scores' persons are spread evenly."""
        half = self.step / 2
        return np.append(self.scores - half, self.scores[-1] + half)

    @property
    def cumulated(self) -> FloatArray:
        """Share of the persons below each edge."""
        # Rounded as rounding errors would make gaps in the distribution look filled.
        return np.concatenate([[0.0], np.round(np.cumsum(self.density), 10)])

    def rank(self, at: FloatArray) -> FloatArray:
        """Percentile ranks, as shares."""
        return np.interp(at, self.edges, self.cumulated)

    def inverse(self, rank: FloatArray) -> FloatArray:
        """Scores of the given percentile ranks (shares).

        For a rank between two scores that nobody has, the middle of the gap; the ends of
        the scale for 0 and 1.
        """
        edges, cumulated = self.edges, self.cumulated
        rank = np.round(rank, 10)
        upper = np.clip(np.searchsorted(cumulated, rank, side="right"), 1, len(edges) - 1)
        lower = np.clip(np.searchsorted(cumulated, rank, side="left"), 1, len(edges) - 1)
        ends = [
            edges[at - 1]
            + self.step
            * np.divide(
                rank - cumulated[at - 1],
                cumulated[at] - cumulated[at - 1],
                out=np.zeros(len(rank)),
                where=cumulated[at] > cumulated[at - 1],
            )
            for at in (upper, lower)
        ]
        inside = (ends[0] + ends[1]) / 2
        return np.where(rank <= 0, edges[0], np.where(rank >= cumulated[-1], edges[-1], inside))

    def moments(self) -> tuple[float, float]:
        """Mean and standard deviation (over n)."""
        mean = float(self.density @ self.scores)
        return mean, float(np.sqrt(self.density @ (self.scores - mean) ** 2))


def equipercentile(x: Distribution, y: Distribution) -> FloatArray:
    """Scores on y's scale with the percentile ranks of x's scores."""
    return y.inverse(x.rank(x.scores))


def read_scale(scores: FloatArray, given: Iterable[float] | None, name: str) -> FloatArray:
    """The possible scores of a form.

    Without any given, from 0 (or the lowest score) to the highest score, in steps of 1, .5, .25
    or .1, the first that fits.

    Raises
    ------
    MeasureError
        If they are not evenly spaced, or a score is not among them.
    """
    scale: FloatArray
    if given is None:
        low, high = min(0.0, float(scores.min())), float(scores.max())
        step = next((step for step in _STEPS if _on_grid(scores - low, step)), None)
        if step is None:
            raise MeasureError(
                f"{name} has scores in irregular steps: pass the possible ones as {name}_scores, "
                'or use a linear method (method="linear")'
            )
        scale = np.asarray(low + step * np.arange(round((high - low) / step) + 1))
    else:
        scale = np.asarray(list(given), dtype=np.float64)
        step = float(scale[1] - scale[0]) if len(scale) > 1 else 0.0
        if len(scale) < 2 or step <= 0 or not np.allclose(np.diff(scale), step):
            raise MeasureError(
                f"{name}_scores must be at least two numbers, ascending in equal steps, such as "
                "range(41)"
            )
    if len(scale) < 2:
        raise MeasureError(
            f"all persons have the score {scale[0]:g} on {name}: there is nothing to equate"
        )
    outside = (scores < scale[0] - 1e-9) | (scores > scale[-1] + 1e-9)
    if outside.any() or not _on_grid(scores - scale[0], step):
        raise MeasureError(
            f"{name} has scores that are not among {name}_scores ({scale[0]:g} to {scale[-1]:g} in "
            f"steps of {step:g})"
        )
    return scale


def _on_grid(distance: FloatArray, step: float) -> bool:
    steps = distance / step
    return bool(np.allclose(steps, np.round(steps), rtol=0, atol=1e-6))


def count(scores: FloatArray, scale: FloatArray) -> FloatArray:
    """Persons per possible score."""
    place = np.round((scores - scale[0]) / (scale[1] - scale[0])).astype(np.intp)
    return np.bincount(place, minlength=len(scale)).astype(np.float64)


def count_pairs(
    scores: FloatArray, anchor: FloatArray, scale: FloatArray, anchor_scale: FloatArray
) -> FloatArray:
    """Persons per possible score (rows) and anchor score (columns)."""
    row = np.round((scores - scale[0]) / (scale[1] - scale[0])).astype(np.intp)
    column = np.round((anchor - anchor_scale[0]) / (anchor_scale[1] - anchor_scale[0]))
    flat = row * len(anchor_scale) + column.astype(np.intp)
    shape = len(scale), len(anchor_scale)
    return np.bincount(flat, minlength=shape[0] * shape[1]).reshape(shape).astype(np.float64)
